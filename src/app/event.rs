//! What the app wants done, and what a frame measured.

use super::Pane;
use crate::{
    lang::Lang,
    lesson::TerminalId,
    session::{Action, Proof},
};
use std::collections::BTreeMap;

/// Something to be done.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Effect {
    /// What the session wants.
    Session(Action),
    /// Send these bytes to a terminal, as a keyboard would.
    Write(TerminalId, Vec<u8>),
    /// A terminal has this many rows and columns now.
    Resize(TerminalId, u16, u16),
    /// Look what this machine allows, and say so in this language with [`Event::Doctor`](super::Event::Doctor).
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
