//! What the app wants done, and what a frame measured.

use super::Pane;
use crate::kernel::pid::Pid;
use crate::{
    class::Card,
    event::Plan,
    lang::Lang,
    lesson::TerminalId,
    present::Stage,
    session::{Action, Proof},
    terminal::Size,
};
use std::{collections::BTreeMap, time::Duration};

/// Something to be done.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Effect {
    /// What the session wants.
    Session(Action),
    /// Send these bytes to a terminal, as a keyboard would.
    Write(TerminalId, Vec<u8>),
    /// A terminal has this many rows and columns now.
    Resize(TerminalId, Size),
    /// Look what this machine allows, and say so in this language with [`Event::Doctor`](super::Event::Doctor).
    Doctor(Lang),
    /// Give [`Event::Woke`](super::Event::Woke) after this time, instead of after the time set before.
    Wake(Duration),
    /// Look at this container, by PID and start; `None`: at the one that is found.
    Pick(Option<(Pid, u64)>),
    /// Read the session's network namespaces with every sample from now on, or no longer.
    Networks(bool),
    /// Put this text where other programs find it; the first value says what it is.
    Copy(Copied, String),
    /// The same with the text of a pane, as it would be drawn.
    CopyPane(Pane),
    /// Tell the class this; `None`: leave it.
    Share(Option<Card>),
    /// Tell the speaker's views where the session is.
    Present(Stage),
    /// Play both branches, beside everything else, and tell them with
    /// [`Event::Branches`](super::Event::Branches).
    Branches(Box<Plan>),
    /// Draw everything anew: what the terminal shows may not be what was drawn.
    Redraw,
    /// Keep the progress for later sessions.
    Save,
    /// Write this card of this lesson into a file.
    Export(String, Proof),
    /// Write what the learner has reached into a file, as a picture.
    Card,
    /// End, and start again as root.
    AsRoot,
    /// End.
    Quit,
}

/// What was copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Copied {
    /// A command line.
    Line,
    /// The PID of the container process.
    Pid,
    /// What a terminal shows.
    Terminal,
    /// A pane.
    Pane(Pane),
}

impl Copied {
    /// What it is called.
    pub(crate) fn name(self, lang: Lang) -> &'static str {
        match self {
            Copied::Line => lang.pick("the line", "命令行"),
            Copied::Pid => lang.pick("the PID", "PID"),
            Copied::Terminal => lang.pick("the terminal", "终端"),
            Copied::Pane(pane) => lang.pick(pane.label().0, pane.label().1),
        }
    }
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
