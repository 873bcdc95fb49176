//! The words of a check, each read as what it must be; an error says what was expected and where.

use super::{
    fact::Word,
    model::{Outcome, Where},
    source::or_meant,
};
use crate::{
    kernel::{
        errno,
        namespaces::{Kind, TABLE},
        owned::Mapped,
    },
    lang::say,
    near::nearest,
};
use nix::sys::signal::Signal;
use std::str::FromStr;

/// What is wrong with an instruction, and in which of its words (from 0).
pub(super) type Wrong = (usize, String);

/// The calls that the tracer reports.
pub(super) const CALLS: [&str; 28] = [
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
    "mknod",
    "mknodat",
    "sendto",
    "sendmsg",
    "write",
    "execve",
    "execveat",
    "ptrace",
];

/// The words of one instruction, read from left to right.
pub(super) struct Args<'a> {
    words: &'a [&'a str],
    next: usize,
    word: &'static Word,
}

/// What stands for user and group of the lesson's ordinary user until they are filled in: -1 is no ID (chown(2)).
pub(super) const USER: u32 = u32::MAX;
/// The group.
pub(super) const GROUP: u32 = u32::MAX - 1;

fn id(word: &str) -> Option<u32> {
    match word {
        "{uid}" => Some(USER),
        "{gid}" => Some(GROUP),
        word => word.parse().ok(),
    }
}

impl<'a> Args<'a> {
    /// The words after the first.
    pub(super) fn new(words: &'a [&'a str], word: &'static Word) -> Args<'a> {
        Args { words, next: 1, word }
    }

    /// Refuses words that are too many.
    pub(super) fn end(&self) -> Result<(), Wrong> {
        let usage = self.usage();
        match self.words.get(self.next) {
            Some(extra) => Err((
                self.next,
                say(format!("`{extra}` is one word too many; {usage}"), format!("多了一个词 `{extra}`；{usage}")),
            )),
            None => Ok(()),
        }
    }

    fn usage(&self) -> String {
        let Word { name, usage, .. } = self.word;
        say(format!("the form is `{name} {usage}`"), format!("写法是 `{name} {usage}`"))
    }

    pub(super) fn wrong<T>(&self, wanted: &str) -> Result<T, Wrong> {
        let at = self.next.saturating_sub(1);
        let found = self.words.get(at).map_or_else(
            || say("nothing", "什么也没有").to_owned(),
            |word| say(format!("`{word}`"), format!(" `{word}`")),
        );
        let usage = self.usage();
        let what = say(
            format!("expected {wanted}, found {found}; {usage}"),
            format!("这里应当是{wanted}，实际是{found}；{usage}"),
        );
        Err((at, what))
    }

    /// The same, where the word may be a misspelt one of these.
    pub(super) fn misspelt<'n, T>(&self, wanted: &str, known: impl IntoIterator<Item = &'n str>) -> Result<T, Wrong> {
        let word = self.words.get(self.next.saturating_sub(1)).copied().unwrap_or_default();
        let near = or_meant(nearest(word.rsplit(',').next().unwrap_or_default(), known));
        self.wrong(wanted).map_err(|(at, what)| (at, format!("{what}{near}")))
    }

    /// The next word, whatever it is; empty where there is none.
    fn take(&mut self) -> String {
        let word = self.words.get(self.next).copied().unwrap_or_default();
        self.next += 1;
        word.to_owned()
    }

    /// Takes the next word where it is this one.
    pub(super) fn next_is(&mut self, wanted: &str) -> bool {
        let is = self.words.get(self.next) == Some(&wanted);
        self.next += usize::from(is);
        is
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
            None => {
                let usage = self.usage();
                let what =
                    say(format!("expected a text, found nothing; {usage}"), format!("这里应当有一段文字；{usage}"));
                Err((self.words.len(), what))
            }
        }
    }

    /// A number.
    pub(super) fn number(&mut self) -> Result<u64, Wrong> {
        self.take().parse().or_else(|_| self.wrong(say("a number", "一个数")))
    }

    /// A number, or `none`.
    pub(super) fn limit(&mut self) -> Result<Option<u64>, Wrong> {
        let word = self.take();
        match word.parse() {
            Ok(number) => Ok(Some(number)),
            Err(_) if word == "none" => Ok(None),
            Err(_) => self.wrong(say("a number or `none`", "一个数或 `none`")),
        }
    }

    /// Two numbers, such as `45..55`.
    pub(super) fn range(&mut self) -> Result<(u64, u64), Wrong> {
        let word = self.take();
        let ends = word.split_once("..").and_then(|(from, to)| Some((from.parse().ok()?, to.parse().ok()?)));
        match ends.filter(|(from, to)| from <= to) {
            Some(ends) => Ok(ends),
            None => self.wrong(say("a range such as `45..55`", "一个范围，例如 `45..55`")),
        }
    }

    pub(super) fn one_of(&mut self, allowed: &[&str]) -> Result<String, Wrong> {
        let word = self.take();
        match allowed.contains(&word.as_str()) {
            true => Ok(word),
            false => self.misspelt(&allowed.join(say(" or ", " 或 ")), allowed.iter().copied()),
        }
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
        if names.iter().any(String::is_empty) {
            self.wrong(say("names with single commas between them", "用单个逗号隔开的名字"))
        } else {
            Ok(names)
        }
    }

    pub(super) fn kinds(&mut self) -> Result<Vec<Kind>, Wrong> {
        let names = self.list(say("namespace kinds", "命名空间的种类"))?;
        let read = |name: &String| Kind::from_link(name).ok_or_else(|| name.clone());
        names.iter().map(read).collect::<Result<_, _>>().or_else(|name| {
            let near = or_meant(nearest(&name, TABLE.iter().map(|row| row.link)));
            self.wrong(say("namespace kinds such as `pid,uts`", "命名空间的种类，例如 `pid,uts`"))
                .map_err(|(at, what)| (at, format!("{what}{near}")))
        })
    }

    pub(super) fn path(&mut self) -> Result<String, Wrong> {
        let path = self.take();
        if path.starts_with('/') {
            Ok(path)
        } else {
            self.wrong(say("a path that begins with `/`", "以 `/` 开头的路径"))
        }
    }

    pub(super) fn port(&mut self) -> Result<u16, Wrong> {
        let word = self.take();
        match word.parse() {
            _ if word == "{port}" => Ok(0),
            Ok(port) if port > 0 => Ok(port),
            _ => self.wrong(say("a port from 1 to 65535, or `{port}`", "1 到 65535 的端口，或 `{port}`")),
        }
    }

    /// A number of a user.
    pub(super) fn id(&mut self) -> Result<u32, Wrong> {
        let id = id(&self.take());
        id.map_or_else(|| self.wrong(say("a number, `{uid}` or `{gid}`", "一个数、`{uid}` 或 `{gid}`")), Ok)
    }

    /// The lines of a map of IDs with commas between them, or `none`.
    pub(super) fn id_map(&mut self) -> Result<Vec<Mapped>, Wrong> {
        let text = self.rest().unwrap_or_default();
        let line = |line: &str| {
            let numbers: Option<Vec<u32>> = line.split_whitespace().map(id).collect();
            match *numbers? {
                [inside, outside, count] => Some(Mapped { inside, outside, count }),
                _ => None,
            }
        };
        let lines: Option<Vec<Mapped>> =
            if text == "none" { Some(Vec::new()) } else { text.split(',').map(line).collect() };
        lines.ok_or_else(|| {
            let usage = self.usage();
            let what = say(
                format!("expected lines of three numbers, or `none`; {usage}"),
                format!("这里应当是每行三个数，或 `none`；{usage}"),
            );
            (self.words.len(), what)
        })
    }

    pub(super) fn call(&mut self) -> Result<String, Wrong> {
        let name = self.take();
        match CALLS.contains(&name.as_str()) {
            true => Ok(name),
            false => self.misspelt(say("a system call that the tracer reports", "跟踪器会报告的系统调用"), CALLS),
        }
    }

    pub(super) fn outcome(&mut self) -> Result<Outcome, Wrong> {
        let word = self.take();
        match word.as_str() {
            "ok" => Ok(Outcome::Ok),
            _ if errno::names().any(|name| name == word) => Ok(Outcome::Failed(word)),
            _ => {
                let known: Vec<String> = errno::names().collect();
                self.misspelt(
                    say("`ok` or the name of an errno", " `ok` 或错误码的名字"),
                    known.iter().map(String::as_str),
                )
            }
        }
    }

    pub(super) fn status(&mut self) -> Result<i32, Wrong> {
        match self.take().parse() {
            Ok(status @ 0..=255) => Ok(status),
            _ => self.wrong(say("a status from 0 to 255", "0 到 255 的退出状态")),
        }
    }

    pub(super) fn signal(&mut self) -> Result<String, Wrong> {
        let name = self.take();
        match Signal::from_str(&name).is_ok() {
            true => Ok(name),
            false => self.misspelt(
                say("a signal such as `SIGKILL`", "一个信号，例如 `SIGKILL`"),
                Signal::iterator().map(Signal::as_str),
            ),
        }
    }
}
