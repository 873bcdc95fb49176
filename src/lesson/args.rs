//! The words of a check, each read as what it must be; an error says what was expected and where.

use super::{
    fact::Word,
    model::{Outcome, Where},
};
use crate::kernel::namespaces::Kind;
use nix::sys::signal::Signal;
use std::str::FromStr;

/// What is wrong with an instruction, and in which of its words (from 0).
pub(super) type Wrong = (usize, String);

/// The calls that the tracer reports.
const CALLS: [&str; 23] = [
    "unshare",
    "setns",
    "fork",
    "vfork",
    "clone",
    "clone3",
    "mount",
    "umount2",
    "fsopen",
    "fsconfig",
    "fsmount",
    "move_mount",
    "open_tree",
    "mount_setattr",
    "pivot_root",
    "chroot",
    "sethostname",
    "setdomainname",
    "mkdir",
    "rmdir",
    "write",
    "execve",
    "execveat",
];

/// The words of one instruction, read from left to right.
pub(super) struct Args<'a> {
    words: &'a [&'a str],
    next: usize,
    word: &'static Word,
}

impl<'a> Args<'a> {
    /// The words after the first.
    pub(super) fn new(words: &'a [&'a str], word: &'static Word) -> Args<'a> {
        Args { words, next: 1, word }
    }

    /// Refuses words that nobody asked for.
    pub(super) fn end(&self) -> Result<(), Wrong> {
        match self.words.get(self.next) {
            Some(extra) => Err((self.next, format!("`{extra}` is one word too many; {}", self.usage()))),
            None => Ok(()),
        }
    }

    fn usage(&self) -> String {
        format!("the form is `{} {}`", self.word.name, self.word.usage)
    }

    fn wrong<T>(&self, wanted: &str) -> Result<T, Wrong> {
        let at = self.next.saturating_sub(1);
        let found = self.words.get(at).map_or("nothing".to_owned(), |word| format!("`{word}`"));
        Err((at, format!("expected {wanted}, found {found}; {}", self.usage())))
    }

    /// The next word, whatever it is; empty where there is none.
    fn take(&mut self) -> String {
        let word = self.words.get(self.next).copied().unwrap_or_default();
        self.next += 1;
        word.to_owned()
    }

    pub(super) fn word(&mut self, wanted: &str) -> Result<String, Wrong> {
        let word = self.take();
        if word.is_empty() { self.wrong(wanted) } else { Ok(word) }
    }

    pub(super) fn optional(&mut self) -> Option<String> {
        self.words.get(self.next).map(|word| {
            self.next += 1;
            (*word).to_owned()
        })
    }

    pub(super) fn rest(&mut self) -> Option<String> {
        let rest = self.words.get(self.next..).unwrap_or_default().join(" ");
        self.next = self.words.len();
        (!rest.is_empty()).then_some(rest)
    }

    /// The rest of the instruction, which must not be empty.
    pub(super) fn text(&mut self) -> Result<String, Wrong> {
        match self.rest() {
            Some(text) => Ok(text),
            None => Err((self.words.len(), format!("expected a text, found nothing; {}", self.usage()))),
        }
    }

    /// A number.
    pub(super) fn number(&mut self) -> Result<u64, Wrong> {
        self.take().parse().or_else(|_| self.wrong("a number"))
    }

    /// A number, or `none`.
    pub(super) fn limit(&mut self) -> Result<Option<u64>, Wrong> {
        let word = self.take();
        match word.parse() {
            Ok(number) => Ok(Some(number)),
            Err(_) if word == "none" => Ok(None),
            Err(_) => self.wrong("a number or `none`"),
        }
    }

    /// Two numbers, such as `45..55`.
    pub(super) fn range(&mut self) -> Result<(u64, u64), Wrong> {
        let word = self.take();
        let ends = word.split_once("..").and_then(|(from, to)| Some((from.parse().ok()?, to.parse().ok()?)));
        match ends.filter(|(from, to)| from <= to) {
            Some(ends) => Ok(ends),
            None => self.wrong("a range such as `45..55`"),
        }
    }

    pub(super) fn one_of(&mut self, allowed: &[&str]) -> Result<String, Wrong> {
        let word = self.take();
        if allowed.contains(&word.as_str()) { Ok(word) } else { self.wrong(&allowed.join(" or ")) }
    }

    pub(super) fn literal(&mut self, wanted: &str) -> Result<(), Wrong> {
        self.one_of(&[wanted]).map(|_| ())
    }

    pub(super) fn choice(&mut self, yes: &str, no: &str) -> Result<bool, Wrong> {
        self.one_of(&[yes, no]).map(|word| word == yes)
    }

    pub(super) fn side(&mut self) -> Result<Where, Wrong> {
        Ok(if self.choice("inside", "host")? { Where::Inside } else { Where::Host })
    }

    pub(super) fn list(&mut self, wanted: &str) -> Result<Vec<String>, Wrong> {
        let names: Vec<String> = self.word(wanted)?.split(',').map(str::to_owned).collect();
        if names.iter().any(String::is_empty) { self.wrong("names with single commas between them") } else { Ok(names) }
    }

    pub(super) fn kinds(&mut self) -> Result<Vec<Kind>, Wrong> {
        let names = self.list("namespace kinds")?;
        let kinds: Option<Vec<Kind>> = names.iter().map(|name| Kind::from_link(name)).collect();
        kinds.map_or_else(|| self.wrong("namespace kinds such as `pid,uts`"), Ok)
    }

    pub(super) fn path(&mut self) -> Result<String, Wrong> {
        let path = self.take();
        if path.starts_with('/') { Ok(path) } else { self.wrong("a path that begins with `/`") }
    }

    pub(super) fn port(&mut self) -> Result<u16, Wrong> {
        let word = self.take();
        match word.parse() {
            _ if word == "{port}" => Ok(0),
            Ok(port) if port > 0 => Ok(port),
            _ => self.wrong("a port from 1 to 65535, or `{port}`"),
        }
    }

    pub(super) fn call(&mut self) -> Result<String, Wrong> {
        let name = self.take();
        if CALLS.contains(&name.as_str()) { Ok(name) } else { self.wrong("a system call that the tracer reports") }
    }

    pub(super) fn outcome(&mut self) -> Result<Outcome, Wrong> {
        let word = self.take();
        let errno = word.len() > 2
            && word.starts_with('E')
            && word.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        match word.as_str() {
            "ok" => Ok(Outcome::Ok),
            _ if errno => Ok(Outcome::Failed(word)),
            _ => self.wrong("`ok` or the name of an errno"),
        }
    }

    pub(super) fn status(&mut self) -> Result<i32, Wrong> {
        match self.take().parse() {
            Ok(status @ 0..=255) => Ok(status),
            _ => self.wrong("a status from 0 to 255"),
        }
    }

    pub(super) fn signal(&mut self) -> Result<String, Wrong> {
        let name = self.take();
        if Signal::from_str(&name).is_ok() { Ok(name) } else { self.wrong("a signal such as `SIGKILL`") }
    }
}
