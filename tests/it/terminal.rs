//! The terminal's model with real shells on real ptys: what was typed, what came of it, and what is drawn.

use crate::harness::{Test, tests};
use boxwright::terminal::{Piece, Pty, PtyEvent, Screen, Size, shell};
use ratatui::{buffer::Buffer, layout::Rect, widgets::Widget};
use std::{
    fs::File,
    path::Path,
    process::{Child, Command},
    sync::mpsc::{Receiver, channel},
    time::{Duration, Instant},
};

pub fn tests() -> Vec<Test> {
    tests![
        the_line_that_was_typed_comes_back: [Tool("setsid"), Tool("bash"), Tool("dash"), Tool("busybox")],
        a_line_longer_than_the_window_comes_back_whole: [Tool("setsid"), Tool("bash"), Tool("dash"), Tool("busybox")],
        wide_characters_come_back: [Tool("setsid"), Tool("bash"), Tool("dash"), Tool("busybox")],
        it_is_known_whether_the_prompt_is_empty: [Tool("setsid"), Tool("bash"), Tool("dash"), Tool("busybox")],
        a_shell_within_a_shell_is_told_apart: [Tool("setsid"), Tool("bash"), Tool("dash"), Tool("busybox")],
        prompts_need_no_settings: [Tool("setsid"), Tool("bash"), Tool("dash"), Tool("busybox")],
        what_is_typed_ahead_is_never_mistaken: [Tool("setsid"), Tool("bash"), Tool("dash"), Tool("busybox")],
        inputs_that_terminals_got_wrong: [Tool("setsid"), Tool("bash"), Tool("dash"), Tool("busybox")],
    ]
}

/// Longer than anything here takes, also on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

const BASH: &[&str] = &["bash", "--norc", "--noprofile"];
const DASH: &[&str] = &["dash"];
const ASH: &[&str] = &["busybox", "ash"];
const SHELLS: [&[&str]; 3] = [BASH, DASH, ASH];

/// A shell on a terminal, and the model of that terminal.
struct Session {
    name: &'static str,
    child: Child,
    pty: Pty,
    news: Receiver<PtyEvent>,
    screen: Screen,
    pieces: Vec<Piece>,
}

impl Session {
    /// Starts a shell in the environment that the panes give it, and waits for its prompt.
    #[track_caller]
    fn start(argv: &[&'static str]) -> Session {
        let (send, news) = channel();
        let pty = Pty::open(Size::USUAL).unwrap();
        pty.reader(move |event| drop(send.send(event))).unwrap();
        let slave = File::options().read(true).write(true).open(pty.slave_path()).unwrap();
        let env = shell::command(Path::new("/nonexistent")).unwrap().env;
        let mut command = Command::new("setsid");
        command.args(["--ctty", "--wait"]).args(argv).env_clear().envs(env);
        command.stdin(slave.try_clone().unwrap()).stdout(slave.try_clone().unwrap()).stderr(slave);
        let child = command.spawn().unwrap();
        let name = argv.last().copied().unwrap_or_default();
        let mut session = Session { name, child, pty, news, screen: Screen::new(Size::USUAL), pieces: Vec::new() };
        session.prompt();
        session
    }

    fn send(&mut self, text: &str) {
        self.screen.sent(text.as_bytes());
        self.pty.write(text.as_bytes()).unwrap();
    }

    /// Takes in what comes until this is so.
    #[track_caller]
    fn until(&mut self, what: &str, so: impl Fn(&Session) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !so(self) {
            match self.news.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(PtyEvent::Output(bytes)) => {
                    if std::env::var_os("DBG").is_some() {
                        eprintln!("{:?}", String::from_utf8_lossy(&bytes));
                    }
                    let processed = self.screen.process(&bytes);
                    self.pty.write(&processed.reply).unwrap();
                    self.pieces.extend(processed.pieces);
                }
                other => {
                    panic!("{}: never: {what}: {other:?}; {:?}\n{}", self.name, self.pieces, self.screen.contents())
                }
            }
        }
    }

    /// Waits for the next prompt; gives its status and the shell's own PID.
    #[track_caller]
    fn prompt(&mut self) -> (i32, i32) {
        let last = |session: &Session| match session.pieces.last() {
            Some(Piece::Prompt { status, shell }) => Some((*status, *shell)),
            _ => None,
        };
        self.until("a prompt", |session| last(session).is_some());
        last(self).unwrap()
    }

    /// Types a line; gives what the shell took, what it printed and how it ended.
    #[track_caller]
    fn line(&mut self, text: &str) -> (Option<String>, String, i32) {
        self.pieces.clear();
        self.send(text);
        self.send("\r");
        let (status, _) = self.prompt();
        let at = self.pieces.iter().position(|piece| matches!(piece, Piece::Submitted(_)));
        let Some(Piece::Submitted(line)) = at.map(|at| self.pieces[at].clone()) else {
            panic!("{}: nothing was submitted: {:?}", self.name, self.pieces)
        };
        (line, text_of(&self.pieces[at.unwrap()..]), status)
    }

    fn submitted(&self) -> Vec<&str> {
        let mut lines = Vec::new();
        for piece in &self.pieces {
            if let Piece::Submitted(line) = piece {
                lines.push(line.as_deref().unwrap_or("?"));
            }
        }
        lines
    }

    /// The first rows as they are drawn.
    fn drawn(&self, rows: u16) -> Vec<String> {
        let Size { columns, rows: height } = self.screen.size();
        let area = Rect::new(0, 0, columns, height);
        let mut buffer = Buffer::empty(area);
        self.screen.view().render(area, &mut buffer);
        let row = |y| (0..columns).map(|x| buffer[(x, y)].symbol()).collect::<String>().trim_end().to_string();
        (0..rows).map(row).collect()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn text_of(pieces: &[Piece]) -> String {
    let text = |piece: &Piece| match piece {
        Piece::Text(text) => text.clone(),
        _ => String::new(),
    };
    pieces.iter().map(text).collect()
}

fn the_line_that_was_typed_comes_back() {
    for argv in SHELLS {
        let mut shell = Session::start(argv);
        for (typed, line, output, status) in [
            ("echo  hi there", "echo  hi there", "hi there\n", 0),
            ("false", "false", "", 1),
            ("printf 'a\\nb'", "printf 'a\\nb'", "a\nb", 0),
            // Edited: a word is erased, and a line is dropped.
            ("echo wrong\x17right", "echo right", "right\n", 0),
            ("nothing\x15echo anew", "echo anew", "anew\n", 0),
            ("x\x7fecho one", "echo one", "one\n", 0),
            ("sh -c 'exit 7' # 100%", "sh -c 'exit 7' # 100%", "", 7),
        ] {
            let (submitted, printed, ended) = shell.line(typed);
            assert_eq!(submitted.as_deref(), Some(line), "{}: {typed}", shell.name);
            assert_eq!((printed.as_str(), ended), (output, status), "{}: {typed}", shell.name);
        }
    }
}

fn a_line_longer_than_the_window_comes_back_whole() {
    for argv in SHELLS {
        let mut shell = Session::start(argv);
        let line = format!("echo {}", "0123456789".repeat(18));
        assert_eq!(shell.line(&line).0.as_deref(), Some(line.as_str()), "{}", shell.name);
    }
}

fn wide_characters_come_back() {
    for argv in [BASH, DASH] {
        let mut shell = Session::start(argv);
        let (line, output, _) = shell.line("echo 容器");
        assert_eq!((line.as_deref(), output.as_str()), (Some("echo 容器"), "容器\n"), "{}", shell.name);
    }
}

fn it_is_known_whether_the_prompt_is_empty() {
    for argv in SHELLS {
        let mut shell = Session::start(argv);
        assert_eq!(shell.screen.prompt_is_empty(), Some(true), "{}", shell.name);
        shell.send("ls");
        shell.until("the echo", |shell| shell.screen.prompt_is_empty() == Some(false));
        shell.send("\x7f\x7f");
        shell.until("nothing left", |shell| shell.screen.prompt_is_empty() == Some(true));
        shell.send("half a line");
        shell.until("the echo", |shell| shell.screen.contents().ends_with("half a line"));
        assert_eq!(shell.screen.prompt_is_empty(), Some(false), "{}", shell.name);
        // Dropped, not run.
        shell.pieces.clear();
        shell.send("\x03");
        shell.prompt();
        assert_eq!(shell.screen.prompt_is_empty(), Some(true), "{}", shell.name);
        assert_eq!(shell.submitted(), [""; 0], "{}", shell.name);
        shell.send("cat\r");
        shell.until("cat runs", |shell| shell.submitted() == ["cat"]);
        assert_eq!(shell.screen.prompt_is_empty(), None, "{}", shell.name);
        shell.send("\x04");
        shell.prompt();
    }
}

fn a_shell_within_a_shell_is_told_apart() {
    for argv in SHELLS {
        let mut shell = Session::start(argv);
        let outer = shell.line("echo $$").1;
        for inner in ["sh", "bash --norc", "busybox ash"] {
            shell.pieces.clear();
            shell.send(&format!("{inner}\r"));
            let (_, pid) = shell.prompt();
            assert_eq!(shell.submitted(), [inner], "{}", shell.name);
            assert_ne!(format!("{pid}\n"), outer, "{}: {inner}", shell.name);
            assert_eq!(shell.line("echo $$").1, format!("{pid}\n"), "{}: {inner}", shell.name);
            assert_eq!(shell.line("exit 3").2, 3, "{}: {inner}", shell.name);
        }
    }
}

fn prompts_need_no_settings() {
    for argv in SHELLS {
        let mut shell = Session::start(argv);
        assert_eq!(shell.line("set -u").2, 0, "{}", shell.name);
        let (line, output, status) = shell.line("echo still here");
        assert_eq!((line.as_deref(), output.as_str(), status), (Some("echo still here"), "still here\n", 0));
    }
}

fn what_is_typed_ahead_is_never_mistaken() {
    for argv in SHELLS {
        let mut shell = Session::start(argv);
        shell.pieces.clear();
        shell.send("read -r line; echo first\r");
        shell.until("the first line", |shell| !shell.submitted().is_empty());
        shell.send("for read\recho second\r");
        shell.until("both outputs", |shell| {
            let text = text_of(&shell.pieces);
            text.contains("first\n") && text.matches("second\n").count() >= 2
        });
        shell.prompt();
        let lines = shell.submitted();
        assert_eq!(lines[0], "read -r line; echo first", "{}", shell.name);
        assert!(matches!(lines[1..], [] | ["?"] | ["echo second"]), "{}: {lines:?}", shell.name);
        assert_eq!(shell.line("echo third").0.as_deref(), Some("echo third"), "{}", shell.name);
    }
}

fn inputs_that_terminals_got_wrong() {
    let mut shell = Session::start(BASH);
    shell.line(r"clear; printf '\033(0lqqk\033(B\n'");
    assert_eq!(shell.drawn(1), ["┌──┐"], "line drawing of the VT100");
    shell.line(r"clear; printf '\033[?7l%0300d\033[?7h\n' 0");
    assert_eq!(shell.drawn(2), ["0".repeat(80).as_str(), "$"], "no wrapping");
    shell.line(r"clear; printf '\033[58;5;41mB\033[m\n'");
    let area = Rect::new(0, 0, 80, 24);
    let mut buffer = Buffer::empty(area);
    shell.screen.view().render(area, &mut buffer);
    let plain = {
        let mut cell = ratatui::buffer::Cell::new("B");
        cell.set_style(ratatui::style::Style::reset());
        cell
    };
    assert_eq!(buffer[(0, 0)], plain, "the colour of an underline is no other style");
    shell.line(r"clear; printf 'a\302\255b|\n'");
    assert_eq!(shell.drawn(1), ["a-b|"], "a soft hyphen is one cell");
    shell.line("clear");
    assert_eq!(shell.drawn(2), ["$", ""]);
    shell.line("clear; seq -s ' ' 1 40");
    let wide = shell.drawn(3);
    for columns in [30, 10, 80] {
        shell.screen.set_size(Size::new(columns, 24));
        shell.pty.resize(Size::new(columns, 24)).unwrap();
    }
    assert_eq!(shell.drawn(3), wide, "a narrow window cuts nothing off");
}
