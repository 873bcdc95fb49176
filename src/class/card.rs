//! What a session tells of itself: everything that is shared, and nothing else.

use crate::{kernel::pid::Pid, lang::Lang};
use nix::{errno::Errno, sys::signal::kill};
use serde::{Deserialize, Serialize};

/// What a learner wants the room to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Flag {
    /// A helper should come.
    Help,
    /// What was asked for is done.
    Done,
}

impl Flag {
    /// Its sign: colours alone do not tell.
    pub(crate) fn sign(self, ascii: bool) -> &'static str {
        match (self, ascii) {
            (Flag::Help, false) => "✋",
            (Flag::Help, true) => "??",
            (Flag::Done, false) => "✓ ",
            (Flag::Done, true) => "ok",
        }
    }

    /// Its name.
    pub(crate) fn name(self, lang: Lang) -> &'static str {
        match self {
            Flag::Help => lang.pick("help me", "请帮忙"),
            Flag::Done => lang.pick("done", "做完了"),
        }
    }
}

/// What a session waits for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Doing {
    /// An answer.
    Asked,
    /// The learner's commands.
    #[default]
    Working,
    /// Nothing: the step is done.
    Done,
}

/// The question of the step, as a place in the lesson, and what was answered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Asked {
    /// The block of the step.
    pub block: usize,
    /// How many answers there are to choose from.
    pub options: usize,
    /// The chosen one, from 0.
    pub answer: Option<usize>,
}

/// A check that does not hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Failed {
    /// What should be true.
    pub check: String,
    /// What was expected of the kernel.
    pub expected: String,
    /// What it says.
    pub observed: String,
}

/// Where a session is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Card {
    /// The lesson's name.
    pub lesson: String,
    /// The step's name.
    pub step: String,
    /// The number of the step, from 1.
    pub number: usize,
    /// How many steps the lesson has.
    pub of: usize,
    /// What is waited for.
    #[serde(default)]
    pub doing: Doing,
    /// The question, where the step has come to one.
    #[serde(default)]
    pub question: Option<Asked>,
    /// The check that fails, where commands were given.
    #[serde(default)]
    pub failed: Option<Failed>,
    /// What the learner has raised.
    #[serde(default)]
    pub flag: Option<Flag>,
}

/// A card as it lies in the directory: whose it is, where that runs, and since when things are so.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Signed {
    /// The format.
    pub class: u32,
    /// The learner's name.
    pub name: String,
    /// The machine.
    pub host: String,
    /// The process of the session there.
    pub pid: Pid,
    /// When the step was begun, in seconds since 1970.
    pub since: u64,
    /// When the flag was raised.
    #[serde(default)]
    pub flag_since: Option<u64>,
    /// Where it is.
    #[serde(flatten)]
    pub card: Card,
}

impl Signed {
    /// Whether the session has ended without saying so. Of another machine that is not known.
    pub(crate) fn has_ended(&self) -> bool {
        let here = nix::unistd::gethostname().is_ok_and(|name| *name.to_string_lossy() == *self.host);
        let ended = |pid: Pid| matches!(kill(pid.into(), None), Err(Errno::ESRCH));
        here && (self.pid <= Pid(0) || ended(self.pid))
    }
}
