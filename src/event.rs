//! The one stream: everything that what is shown can change by.
//!
//! The engine ([`crate::runtime::Engine`]) yields these events, from the machine and from the learner's keyboard; the screen,
//! the plain mode, transcripts and tests take them. They can be stored and read back (serde), so that a session can be
//! written down and shown again.
//!
//! Five of them never come from the engine: what a terminal's bytes mean to a session ([`Event::of_output`]) and what the
//! learner wants of it.

mod branch;
mod stored;

pub use branch::{Branch, Branches, Change, Given, Plan};

use crate::{
    kernel::pid::Pid,
    lesson::{Edited, Lacking, TerminalId},
    observe::{Place, Sample},
    present::Drive,
    terminal::{Piece, Screen, Size},
    trace::{Instead, TraceEvent},
};
use crossterm::event::KeyEvent;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A key on the screen's terminal.
    Key(#[serde(with = "stored::key")] KeyEvent),
    /// A text was pasted there.
    Paste(String),
    /// The screen's terminal has this size now.
    Resize(Size),
    /// A pane's terminal printed something.
    Output(TerminalId, #[serde(with = "stored::bytes")] Vec<u8>),
    /// The last process of a pane's terminal has ended.
    Closed(TerminalId),
    /// This shell waits for a command line, whether or not it says so itself.
    Waits(TerminalId, Pid),
    /// The process in a terminal's foreground lives here now.
    Place(TerminalId, Place),
    /// The tracer saw something in this terminal.
    Trace(TerminalId, TraceEvent),
    /// A sample that answers every request up to this number.
    Sample(u64, #[serde(with = "stored::shared")] Arc<Sample>),
    /// So much time has passed since the program began. It is told before a sample, whose counters are worth nothing
    /// without it.
    Clock(Duration),
    /// The time that the session set is over.
    Deadline,
    /// The time that the screen asked for is over.
    Woke,
    /// The speaker wants something of the hall.
    Drive(Drive),
    /// It is over for a command that works and is waited for, in one sentence.
    Working(String),
    /// The lines of the report on this machine.
    Doctor(Vec<String>),
    /// Something went wrong that the learner must know, in one sentence.
    Trouble(String),
    /// Something was done that the learner wants to know of, in one sentence.
    Said(String),
    /// What this machine lacks, by language code. A step that began before is not judged anew.
    Lacking(#[serde(with = "stored::by_language")] BTreeMap<&'static str, Lacking>),
    /// A line for a terminal, without its Return.
    Line(TerminalId, String),
    /// A line of standard input, where nothing is drawn, without its end.
    Stdin(String),
    /// The files of a lesson have changed.
    Edited(Box<Edited>),
    /// The learner opens the lesson of this name at a step.
    Open(String, usize),
    /// The learner wants something of the session.
    Wish(Wish),
    /// A shell stands at its prompt, having ended a command with this status. The last value is its PID as it sees itself.
    Prompt(TerminalId, i32, i32),
    /// The learner sent a line, or anything else that ends in Return, to a terminal.
    Typed(TerminalId),
    /// A shell took this line and runs it, however the line came. `None` where the line is not known.
    Submitted(TerminalId, Option<String>),
    /// Whether something is typed at a shell's prompt that was not submitted yet.
    HalfTyped(TerminalId, bool),
    /// Both branches of a held call were played.
    Branches(#[serde(with = "stored::shared")] Arc<Branches>),
    /// Everything up to here was drawn.
    Drawn,
    /// A signal asks us to end: its number.
    Signal(i32),
    /// Job control asks us to stop for a while.
    Suspend,
    /// A signal lets us go on, whether or not we knew that we were stopped.
    Resume,
    /// The screen's terminal, or standard input, is at its end.
    HungUp,
}

/// What a learner can want of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wish {
    /// Begin (or begin again) with this step: its state is rebuilt by replay.
    GoTo(usize),
    /// Go on: type the command that is due, or move to the next step where this one is done.
    Go,
    /// Pass over the line that is due where it only shows something; otherwise go to the next step.
    PassOver,
    /// Commit to this answer of the open question.
    Answer(usize),
    /// Show one more rung of help.
    Hint,
    /// Let the oldest held call happen.
    StepCall,
    /// Let every held call happen and hold no more.
    RunOn,
    /// Let the oldest guarded call happen, which changes the machine itself; or make it fail.
    Allow(bool),
    /// Go on until the next call of this name.
    RunUntil(String),
    /// Let the held call of this thread happen without some of its flags, or fail with an error.
    Instead(Pid, Instead),
    /// Hold before every call, or stop doing so.
    ToggleHold,
}

impl Event {
    /// What a piece of a terminal's output means to the session; nothing where it is only text.
    pub fn of_output(terminal: TerminalId, piece: Piece) -> Option<Event> {
        match piece {
            Piece::Text(_) => None,
            Piece::Prompt { status, shell } => Some(Event::Prompt(terminal, status, shell)),
            Piece::Submitted(line) => Some(Event::Submitted(terminal, line)),
        }
    }

    /// What it means that this shell waits for a line: the lines that it has taken because they were typed ahead, and its
    /// prompt; nothing where its screen has shown that already.
    pub fn of_waiting(terminal: TerminalId, shell: Pid, screen: &mut Screen) -> Vec<Event> {
        let Some(ran) = screen.waits() else { return Vec::new() };
        let ran = ran.into_iter().map(|line| Event::Submitted(terminal, Some(line)));
        ran.chain([Event::Prompt(terminal, 0, shell.0)]).collect()
    }
}

#[cfg(test)]
mod tests;
