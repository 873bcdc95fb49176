//! A real terminal for the real program: tmux, told by its own output when to look.

use nix::{
    fcntl::OFlag,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::stat::Mode,
    unistd::mkfifo,
};
use std::{
    fs::{File, OpenOptions},
    io::Read,
    os::{fd::AsFd, unix::fs::OpenOptionsExt},
    path::PathBuf,
    process::{Command, Output},
    time::{Duration, Instant},
};

/// How long anything may take until it is seen: far longer than it does, because the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(120);

/// One tmux server with one window.
pub struct Tmux {
    socket: String,
    dir: tempfile::TempDir,
    /// What the pane prints comes through here; only that something came is of interest.
    news: File,
}

impl Tmux {
    /// Opens a window of this size with a shell in it.
    pub fn start(columns: u16, rows: u16) -> Tmux {
        let dir = tempfile::tempdir().unwrap();
        let pipe = dir.path().join("news");
        mkfifo(&pipe, Mode::S_IRWXU).unwrap();
        // Opened for both, so that neither opening waits and the end never comes.
        let news =
            OpenOptions::new().read(true).write(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(&pipe).unwrap();
        let socket = format!("boxwright-{}", dir.path().file_name().unwrap().display());
        let tmux = Tmux { socket, dir, news };
        let (x, y) = (columns.to_string(), rows.to_string());
        let shell = "exec env PS1='ready> ' LANG=C.UTF-8 sh";
        tmux.run(&["-f", "/dev/null", "new-session", "-d", "-x", &x, "-y", &y, shell]);
        tmux.run(&["set-option", "-g", "status", "off"]);
        tmux.run(&["set-option", "-g", "escape-time", "0"]);
        tmux.run(&["resize-window", "-x", &x, "-y", &y]);
        tmux.run(&["pipe-pane", &format!("cat > {}", pipe.display())]);
        tmux.until("the shell's prompt", |screen| screen.contains("ready>"));
        tmux
    }

    /// A file in a directory that ends with the window.
    pub fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn tmux(&self, args: &[&str]) -> Output {
        let mut command = Command::new("tmux");
        command.env_remove("TMUX").args(["-L", &self.socket]).args(args).output().unwrap()
    }

    fn run(&self, args: &[&str]) -> String {
        let output = self.tmux(args);
        assert!(output.status.success(), "tmux {args:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// What the window shows.
    pub fn screen(&self) -> String {
        self.run(&["capture-pane", "-p"])
    }

    /// Asks tmux about the window, in its own words, such as `#{cursor_flag}`.
    pub fn ask(&self, format: &str) -> String {
        self.run(&["display-message", "-p", format]).trim().to_string()
    }

    /// Sets an option of tmux.
    pub fn set(&self, option: &[&str]) {
        self.run(&[&["set-option"], option].concat());
    }

    /// What tmux has in its clipboard.
    pub fn buffer(&self) -> String {
        self.run(&["show-buffer"])
    }

    /// Presses keys, by tmux's names.
    pub fn keys(&self, keys: &[&str]) {
        self.run(&[&["send-keys"], keys].concat());
    }

    /// Types a text.
    pub fn text(&self, text: &str) {
        self.run(&["send-keys", "-l", text]);
    }

    /// Types a line and Return.
    pub fn line(&self, text: &str) {
        self.text(text);
        self.keys(&["Enter"]);
    }

    /// Ends boxwright within a lesson. Where the shell has the keys, the lesson gets them first.
    pub fn quit(&self) {
        let screen = self.screen();
        let bar = screen.trim_end().lines().last().unwrap_or_default();
        if ["lesson keys", "课程键"].iter().any(|label| bar.contains(label)) {
            self.press(&["C-g"], "the lesson's keys", |now| now != screen);
        }
        self.keys(&["q"]);
    }

    /// Gives the window another size.
    pub fn resize(&self, columns: u16, rows: u16) {
        self.run(&["resize-window", "-x", &columns.to_string(), "-y", &rows.to_string()]);
    }

    /// Waits until the screen is such, and gives it.
    pub fn until(&self, what: &str, such: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            self.drain();
            let screen = self.screen();
            if such(&screen) {
                return screen;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero() && self.wait(left), "{what} was not seen; the screen:\n{screen}");
        }
    }

    /// Waits until a text is on the screen.
    pub fn sees(&self, text: &str) -> String {
        self.until(text, |screen| screen.contains(text))
    }

    /// Presses keys and waits until the screen is such.
    pub fn press(&self, keys: &[&str], what: &str, such: impl Fn(&str) -> bool) -> String {
        self.keys(keys);
        self.until(what, such)
    }

    fn wait(&self, at_most: Duration) -> bool {
        let mut fds = [PollFd::new(self.news.as_fd(), PollFlags::POLLIN)];
        poll(&mut fds, PollTimeout::try_from(at_most).unwrap()).unwrap() > 0
    }

    fn drain(&self) {
        let mut buffer = [0; 64 * 1024];
        while (&self.news).read(&mut buffer).is_ok_and(|count| count > 0) {}
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        self.tmux(&["kill-server"]);
    }
}
