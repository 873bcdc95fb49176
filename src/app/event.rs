//! What happens to the app, and what it wants done.

use super::Pane;
use crate::{
    lang::Lang,
    lesson::TerminalId,
    observe::{Place, Sample},
    session::{Action, Lacking, Proof},
    trace::TraceEvent,
};
use crossterm::event::KeyEvent;
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// Something that happened.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// A key on the screen's terminal.
    Key(KeyEvent),
    /// A text was pasted there.
    Paste(String),
    /// The screen's terminal has this many columns and rows now.
    Resize(u16, u16),
    /// A pane's terminal printed something.
    Output(TerminalId, Vec<u8>),
    /// The last process of a pane's terminal has ended.
    Closed(TerminalId),
    /// This shell waits for a command line, whether or not it says so itself.
    Waits(TerminalId, i32),
    /// The process in a terminal's foreground lives here now.
    Place(TerminalId, Place),
    /// The tracer saw something.
    Trace(TerminalId, TraceEvent),
    /// A sample that began after the request of this number.
    Sample(u64, Arc<Sample>),
    /// So much time has passed since the program began. It is told before a sample, whose counters are worth nothing
    /// without it.
    Clock(Duration),
    /// The time that the session set is over.
    Deadline,
    /// The lines of the report on this machine.
    Doctor(Vec<String>),
    /// Something went wrong that the learner must know, in one sentence.
    Trouble(String),
    /// Something was done that the learner wants to know of, in one sentence.
    Said(String),
    /// What this machine lacks, by language code. A step that began before is not judged anew.
    Lacking(BTreeMap<&'static str, Lacking>),
    /// A line for a terminal, without its Return.
    Line(TerminalId, String),
    /// What the last frame measured; it changes nothing that is drawn.
    Drawn(Extents),
}

/// Something to be done.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Effect {
    /// What the session wants.
    Session(Action),
    /// Send these bytes to a terminal, as a keyboard would.
    Write(TerminalId, Vec<u8>),
    /// A terminal has this many rows and columns now.
    Resize(TerminalId, u16, u16),
    /// Look what this machine allows, and say so in this language with [`Event::Doctor`].
    Doctor(Lang),
    /// Draw everything anew: what the terminal shows may not be what was drawn.
    Redraw,
    /// Keep the progress for later sessions.
    Save,
    /// Write this card of this lesson into a file.
    Export(String, Proof),
    /// End, and start again as root.
    AsRoot,
    /// End.
    Quit,
}

/// How much of a pane's text is visible.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Extent {
    /// The first visible line.
    pub top: usize,
    /// How many lines fit.
    pub rows: usize,
    /// How many lines there are.
    pub lines: usize,
    /// Whether the learner is asked something, and all of it is visible.
    pub shows: bool,
}

impl Extent {
    /// The greatest first line that still fills the pane.
    pub(crate) fn last_top(self) -> usize {
        self.lines.saturating_sub(self.rows)
    }
}

/// The extents of everything that can be scrolled; `None` is the overlay or the full-screen view.
pub(crate) type Extents = BTreeMap<Option<Pane>, Extent>;
