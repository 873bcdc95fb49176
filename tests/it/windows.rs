//! Several windows of one user: each keeps what it reaches, and none takes that from another.

use crate::harness::{Test, tests};
use crate::support::BOXWRIGHT;
use serde_json::Value;
use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    time::Duration,
};

pub fn tests() -> Vec<Test> {
    let tests = tests![two_windows_keep_what_either_has_passed: [Root]];
    tests.into_iter().map(Test::alone).collect()
}

/// How long a window may say nothing.
const PATIENCE: Duration = Duration::from_secs(60);

/// A learner at the plain screen.
pub struct Window {
    child: Child,
    keyboard: ChildStdin,
    lines: Receiver<String>,
}

impl Window {
    /// Opens one at this step; it has read the progress by then.
    pub fn open(state: &Path, place: &str) -> Window {
        let mut command = Command::new(BOXWRIGHT);
        command.args(["--plain", "--lang", "en", place]).env("XDG_STATE_HOME", state).env_remove("SUDO_UID");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (keyboard, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            BufReader::new(stdout).lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        let window = Window { child, keyboard, lines };
        while !window.line().starts_with("== ") {}
        window
    }

    fn line(&self) -> String {
        self.lines.recv_timeout(PATIENCE).unwrap()
    }

    /// Does what the step asks for, until it is done.
    pub fn pass(&mut self) {
        loop {
            let line = self.line();
            let answer = match line.as_str() {
                line if line.starts_with("Answer with a number") => "1\n",
                line if line.starts_with("Enter types in") => "\n",
                line if line.starts_with("Enter goes to the next step") => return,
                line => {
                    assert!(!line.starts_with("This step cannot be done"), "{line}");
                    continue;
                }
            };
            self.keyboard.write_all(answer.as_bytes()).unwrap();
        }
    }

    /// Says this on the keyboard.
    pub fn say(&mut self, text: &str) {
        self.keyboard.write_all(text.as_bytes()).unwrap();
    }

    /// Reads until a line holds this.
    pub fn until(&self, wanted: &str) {
        while !self.line().contains(wanted) {}
    }

    pub fn close(mut self) {
        self.keyboard.write_all(b"q\n").unwrap();
        assert!(self.child.wait().unwrap().success());
    }
}

fn two_windows_keep_what_either_has_passed() {
    let state = tempfile::tempdir().unwrap();
    let mut one = Window::open(state.path(), "isolate/1");
    let mut other = Window::open(state.path(), "isolate/2");
    one.pass();
    other.pass();
    one.close();
    other.close();
    let saved = fs::read(state.path().join("boxwright/progress.json")).unwrap();
    let saved: Value = serde_json::from_slice(&saved).unwrap();
    assert_eq!(saved["lessons"]["isolate"]["passed"].as_array().map(Vec::len), Some(2), "{saved}");
}
