//! The one stream: everything that what is shown can change by.
//!
//! The machine and the learner's keyboard yield these events, and the screen, the plain mode, transcripts and tests take
//! them. They can be stored and read back (serde), so that a session can be written down and shown again.

mod stored;

use crate::{
    lesson::TerminalId,
    observe::{Place, Sample},
    session::Lacking,
    trace::TraceEvent,
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
    /// The screen's terminal has this many columns and rows now.
    Resize(u16, u16),
    /// A pane's terminal printed something.
    Output(TerminalId, #[serde(with = "stored::bytes")] Vec<u8>),
    /// The last process of a pane's terminal has ended.
    Closed(TerminalId),
    /// This shell waits for a command line, whether or not it says so itself.
    Waits(TerminalId, i32),
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
}

#[cfg(test)]
mod tests;
