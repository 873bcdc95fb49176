//! Both branches of a held call: how to come to it once more, and what became of it each time.

use crate::{
    lesson::TerminalId,
    observe::Sample,
    trace::{Call, Harm, Instead, Syscall, SyscallEvent},
};
use serde::{Deserialize, Serialize};

/// How to come to a place of a step once more, and what is different the second time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The lesson and the step, by their names.
    pub place: (String, String),
    /// What the shells have taken since the step began.
    pub before: Vec<Given>,
    /// Where the line runs that is played twice.
    pub terminal: TerminalId,
    /// That line; `{container}` stands for the container's PID.
    pub line: String,
    /// What is different in the second branch.
    pub change: Change,
}

/// A line that a shell took.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Given {
    /// Where it ran.
    pub terminal: TerminalId,
    /// As it was typed, `{container}` in the place of the container's PID.
    pub line: String,
    /// Whether it has come to its end, or to the prompt of another shell.
    pub ends: bool,
}

/// What is different in the second branch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// A call of the line.
    Call {
        /// Which.
        syscall: Syscall,
        /// How many of its name have returned in the terminal since the line was given.
        after: usize,
        /// What becomes of it.
        instead: Instead,
    },
    /// The line itself: another one in its place.
    Line(String),
}

/// What became of one branch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Branch {
    /// The name of the session in which it was played (`$BOX`).
    pub name: String,
    /// The call as it returned; `None` where the line is what differs, or where the call did not return in time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<SyscallEvent>,
    /// The calls that would have changed the machine itself, why, and whether they happened: to a copy of its namespaces
    /// that ended with the branch.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub guarded: Vec<(Call, Harm, bool)>,
    /// The status at the next prompt; `None` where none came in time.
    pub status: Option<i32>,
    /// The last line that was printed; empty where there was none.
    pub printed: String,
    /// The state after it.
    pub sample: Sample,
}

/// Both branches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Branches {
    /// What was played twice.
    pub plan: Plan,
    /// As the program and the learner wrote it.
    pub as_it_is: Branch,
    /// With the change.
    pub changed: Branch,
}
