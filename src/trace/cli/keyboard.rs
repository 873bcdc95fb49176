//! What is typed while a call is held, and where questions are answered.

use super::{super::Call, Message};
use crate::{
    kernel::errno,
    lang::{Lang, say},
};
use nix::errno::Errno;
use std::{
    fs::File,
    io::{self, BufRead, BufReader, Write},
    sync::mpsc::Sender,
    thread,
};

/// What is typed while a call is held, with Return.
pub(super) enum Key {
    Next,
    RunOn,
    /// The next call of this name.
    Until(String),
    /// Without the flag of this name, or failing with the error of this name.
    Instead(String),
    Quit,
}

impl Key {
    pub(super) fn read(line: &str) -> Option<Key> {
        let mut words = line.split_whitespace();
        match (words.next(), words.next()) {
            (None, _) | (Some("n"), None) => Some(Key::Next),
            (Some("c"), None) => Some(Key::RunOn),
            (Some("f"), name) => Some(Key::Instead(name.unwrap_or_default().into())),
            (Some("u"), Some(name)) => Some(Key::Until(name.into())),
            (Some("q"), None) => Some(Key::Quit),
            _ => None,
        }
    }
}

pub(super) fn held_hint(lang: Lang) -> &'static str {
    lang.pick(
        "Return: next, c: run on, u NAME: until, f: what if, q: quit",
        "回车：放行，c：全部放行，u 调用名：运行到该调用，f：如果…，q：结束",
    )
}

/// What can be made of the held call.
pub(super) fn choices_hint(call: &Call, lang: Lang) -> String {
    let names: Vec<String> = call.choices().iter().map(ToString::to_string).collect();
    let names = names.join(" ");
    lang.pick(
        format!("f NAME drops a flag, or makes it fail with an error: {names}"),
        format!("f 名字：去掉一个标志，或让它以这个错误失败：{names}"),
    )
}

/// The terminal on which keys are typed and questions answered, a line each. It has one reader, so that an answer never goes
/// to the other.
pub(super) struct Keyboard {
    pub(super) send: Sender<Message>,
    pub(super) state: Reading,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// No line is wanted yet.
    Not,
    /// Each line comes as a [`Message::Line`].
    On,
    /// There is no terminal, or no more of it.
    Over,
}

impl Keyboard {
    /// Begins to read, unless that has begun.
    ///
    /// Errors: those of open(2), and of making a thread.
    pub(super) fn begin(&mut self) -> io::Result<()> {
        match self.state {
            Reading::On => return Ok(()),
            Reading::Over => return Err(Errno::ENXIO.into()),
            Reading::Not => self.state = Reading::Over,
        }
        let terminal = BufReader::new(File::open("/dev/tty")?);
        let send = self.send.clone();
        let read = move || {
            for line in terminal.split(b'\n').map_while(Result::ok) {
                if send.send(Message::Line(Some(line))).is_err() {
                    return;
                }
            }
            drop(send.send(Message::Line(None)));
        };
        thread::Builder::new().name("keys".into()).spawn(read)?;
        self.state = Reading::On;
        Ok(())
    }

    /// Asks whether a guarded call may happen; false without a terminal to ask on.
    pub(super) fn ask(&mut self, lang: Lang) -> bool {
        let question = lang.pick("let it happen? y/N ", "放行吗？y/N ");
        let asked = File::options().write(true).open("/dev/tty").and_then(|mut it| it.write_all(question.as_bytes()));
        asked.is_ok() && self.begin().is_ok()
    }
}

/// Whether an answer lets the call happen.
pub(super) fn is_yes(answer: &[u8]) -> bool {
    matches!(answer.trim_ascii(), b"y" | b"Y" | b"yes")
}

/// What cannot be done without a terminal.
pub(super) fn no_keys(error: &io::Error) -> io::Error {
    let what = say("--step needs a terminal: open /dev/tty: ", "--step 需要终端：open /dev/tty：");
    io::Error::other(format!("{what}{}", errno::why_io(error)))
}
