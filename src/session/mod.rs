//! The state machine of a lesson: steps, checks, replay. It does no I/O and reads no clock: [`Session::handle`] takes
//! what happened and gives back what is to be done, for the screen and the headless run alike.

mod alike;
mod branching;
mod checklist;
mod checks;
pub mod closing;
mod ending;
mod flood;
mod guarding;
mod judging;
pub mod ledger;
mod needs;
mod play;
mod progress;
mod proof;
mod replay;
mod run_dir;
pub(crate) mod share;
mod stage;
mod state_dir;
mod typing;
mod view;

pub(crate) use branching::Different;
pub(crate) use checklist::{OwnLine, Ran, Took};
pub use checks::{Evidence, Share, Verdict, decide};
pub use ledger::{Delegated, Entry, Lasting, Ledger};
pub(crate) use needs::lack;
pub use play::Session;
pub(crate) use progress::report as progress_report;
pub(crate) use progress::{LessonProgress, Progress, Repair, Standing, StepProgress};
pub(crate) use proof::Proof;
pub(crate) use run_dir::is_ours as is_session;
pub use run_dir::{RunDir, WORK, fresh_name};
pub(crate) use state_dir::{StateDir, why_not_kept};

pub use crate::{
    event::{Event, Wish},
    lesson::Lacking,
};
use crate::{
    kernel::pid::Pid,
    lesson::{Probe, TerminalId},
    observe::Asked,
    trace::{Call, Harm, Hold, Instead},
};
use std::time::Duration;

/// Something that the session wants done.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// End everything in this terminal and start a new shell in it: an ordinary user's (true), or root's.
    Restart(TerminalId, bool),
    /// Type this line and Return.
    Type(TerminalId, String),
    /// Type Ctrl-C.
    Interrupt(TerminalId),
    /// Look at these files from now on, in every sample; and at the session's network namespaces, where that is true;
    /// and try these connections and names.
    Watch(Vec<Asked>, bool, Vec<Probe>),
    /// Set when the terminal's processes are held.
    Hold(TerminalId, Hold),
    /// Let the held call of this thread happen.
    Step(Pid),
    /// Make the held call of this thread fail.
    Refuse(Pid),
    /// Let the held call of this thread happen without a flag, or fail with an error.
    Instead(Pid, Instead),
    /// Let everything held in this terminal go on.
    RunOn(TerminalId),
    /// Read the state again, and say so with this number.
    Sample(u64),
    /// Give [`Event::Deadline`] after this time, instead of after the time set before. `None` takes it back.
    Deadline(Option<Duration>),
    /// The same while a command runs in this terminal: as long as it works, its time begins anew.
    Await(TerminalId, Duration),
    /// Tell the caller.
    Report(Report),
}

/// What is worth telling.
#[derive(Clone, Debug, PartialEq)]
pub enum Report {
    /// This step begins.
    Step(usize),
    /// A command of the lesson is typed; the second value is the step.
    Command(usize, TerminalId, String),
    /// A check was decided: step, block, index in the block.
    Check(usize, usize, usize, Verdict),
    /// A step came to its end.
    Outcome(usize, Outcome),
    /// The learner has answered the question of this block of a step; whether that was right.
    Answered(usize, usize, bool),
    /// The learner has solved a step; whether without having seen the rung of help that gives the command.
    Solved(usize, bool),
    /// The learner has left a step for a later one without having solved it.
    Left(usize),
    /// No step is left.
    End,
}

/// What a step came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Every check passed.
    Passed,
    /// A check did not pass in time, or the state could not be built.
    Failed(String),
    /// This machine lacks something; the text names it.
    Skipped(String),
}

/// What stands between the learner and the next command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Earlier steps are being replayed: lines done, lines in all.
    Preparing(usize, usize),
    /// A question waits for an answer: the block.
    Asking(usize),
    /// A command is due: the block.
    Due(usize),
    /// A command runs.
    Running,
    /// A call is held.
    Held,
    /// A call is held because it would change the machine itself: the user must decide.
    Guarded,
    /// The kernel does not yet say what it should: the block of checks.
    Checking(usize),
    /// The step is done.
    Done,
    /// Nothing is asked: the user does as they like.
    Free,
    /// The step cannot be done here.
    Blocked(String),
}

/// Why a wish was not granted; the screen says it once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The terminal is not at a prompt.
    Busy(TerminalId),
    /// Something is typed at the terminal's prompt.
    HalfTyped(TerminalId),
    /// The container that the command is meant for has ended.
    Lost,
    /// The terminal's shell has ended.
    Ended(TerminalId),
    /// A replayed command did not come to its end.
    NotRebuilt(String),
    /// A question waits.
    AnswerFirst,
    /// This line ended with this status, where it should have ended with 0.
    Stumbled(String, i32),
    /// The same, and the line names the image that the user has chosen.
    NoImage(String, i32),
}

/// A call that waits, and where.
pub(crate) type HeldCall = (TerminalId, Call);

/// A call that would change the machine itself, where, and why.
pub(crate) type GuardedCall = (TerminalId, Call, Harm);

#[cfg(test)]
mod ending_tests;
#[cfg(test)]
mod held_tests;
#[cfg(test)]
mod lost_tests;
#[cfg(test)]
mod needs_tests;
#[cfg(test)]
mod replay_tests;
#[cfg(test)]
mod script_tests;
#[cfg(test)]
mod typed_tests;
