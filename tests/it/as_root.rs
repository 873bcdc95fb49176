//! Starting again as root: what an ordinary user is told, and what becomes of the one key.

use crate::harness::{Test, tests};
use crate::support::{for_everybody, tmux::Tmux};
use std::{
    fs,
    io::Write,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::{Command, Stdio},
};
use tempfile::TempDir;

pub fn tests() -> Vec<Test> {
    let tests = tests![
        one_key_gives_the_terminal_back_and_asks_by_the_own_path: [Root, Tool("tmux"), Tool("setpriv")],
        without_a_screen_it_is_one_letter: [Root, Tool("setpriv")],
        where_nothing_can_make_root_that_is_said: [Root, Tool("setpriv")],
    ];
    tests.into_iter().map(Test::alone).collect()
}

/// A user, a program that this user can start, and a `sudo` that tells how it was called.
struct User {
    _kept: [TempDir; 2],
    program: PathBuf,
    path: String,
}

impl User {
    fn new() -> User {
        let (dir, program) = for_everybody();
        // `/tmp` may be mounted so that no file there makes root.
        let bin = tempfile::tempdir_in("/var/tmp").unwrap();
        let sudo = bin.path().join("sudo");
        let script = "#!/bin/sh\necho \"asked for: $*\"\ngrep SigBlk /proc/self/status\n\
                      if [ -t 0 ]; then stty -a | grep -wo -e '-\\?icanon'; fi\nexit 7\n";
        fs::write(&sudo, script).unwrap();
        for (path, mode) in [(bin.path(), 0o755), (&sudo, 0o4755)] {
            fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
        }
        let path = format!("{}:/usr/bin:/bin", bin.path().display());
        User { _kept: [dir, bin], program, path }
    }

    /// What a shell is told, so that the user starts the program.
    fn line(&self, privileges: &str, args: &str) -> String {
        let (path, program) = (&self.path, self.program.display());
        format!(
            "setpriv --reuid=65534 --regid=65534 --clear-groups {privileges} env -i TERM=xterm LANG=C.UTF-8 HOME=/nonexistent \
             PATH={path} {program} {args}"
        )
    }

    /// Talks to it without a screen; gives the status, and what it said.
    fn talk(&self, privileges: &str, lines: &str) -> (Option<i32>, String) {
        let mut command = Command::new("sh");
        command.args(["-c", &format!("{} 2>&1", self.line(privileges, "--plain --lang en"))]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    }
}

fn one_key_gives_the_terminal_back_and_asks_by_the_own_path() {
    let (user, tmux) = (User::new(), Tmux::start(100, 24));
    tmux.line(&format!("{}; echo status=$?", user.line("", "--lang en --theme mono --reset")));
    let program = user.program.display();
    tmux.sees(&format!("R starts again as root: sudo {program}"));
    tmux.press(&["l"], "the other language", |screen| screen.contains("R 以 root"));
    // Its status is the end's, and nothing of the screen is left.
    let screen = tmux.press(&["R"], "the end", |screen| screen.contains("status=7\n"));
    assert!(screen.contains(&format!("asked for: {program} --lang zh --theme mono\n")), "{screen}");
    assert!(screen.contains("SigBlk:\t0000000000000000") || screen.contains("0000000000000000\n"), "{screen}");
    assert!(screen.contains("\nicanon\n") && screen.contains("ready>"), "{screen}");
    assert_eq!(tmux.ask("#{cursor_flag} #{alternate_on}"), "1 0");
}

fn without_a_screen_it_is_one_letter() {
    let user = User::new();
    let (status, said) = user.talk("", "?\nR\n");
    let program = user.program.display();
    assert!(said.contains(&format!("R starts again as root: sudo {program}")), "{said}");
    assert!(said.lines().any(|line| line.starts_with("R: ") && line.contains("as root")), "{said}");
    assert_eq!(status, Some(7), "{said}");
    assert!(said.contains(&format!("asked for: {program} --lang en --plain\n")), "{said}");
}

fn where_nothing_can_make_root_that_is_said() {
    let user = User::new();
    let (status, said) = user.talk("--no-new-privs", "R\nq\n");
    assert_eq!(status, Some(0), "{said}");
    assert!(said.contains("No sudo, doas or su works here"), "{said}");
    assert!(!said.contains("asked for") && !said.contains("R starts"), "{said}");
}
