//! One terminal pane of the machine.

use super::{super::timer::Timer, Message, Sink};
use crate::kernel::pid::Pid;
use crate::{
    lesson::TerminalId,
    observe::Place,
    terminal::{Pty, Size},
    trace::{Hold, Root},
};
use std::io;

/// One terminal pane.
pub(super) struct Terminal {
    pub(super) size: Size,
    /// Counts the shells, so that what an earlier one still says is dropped.
    pub(super) generation: u64,
    pub(super) pty: Option<Pty>,
    /// The family of processes that runs in it.
    pub(super) root: Option<Root>,
    /// A new shell is wanted as soon as the family has ended.
    pub(super) restarting: bool,
    /// When that takes too long.
    pub(super) overdue: Timer,
    /// When we look what waits there.
    pub(super) silence: Timer,
    /// How often a shell that works was looked at since it printed something.
    pub(super) looks: u32,
    pub(super) place: Option<Place>,
    /// The foreground group that was looked at last, and the process in it that says where the terminal is.
    pub(super) stands: Option<(Pid, Pid)>,
    pub(super) hold: Hold,
    /// Whether its shell is an ordinary user's.
    pub(super) user: bool,
}

impl Terminal {
    pub(super) fn new(id: TerminalId, sink: &Sink) -> io::Result<Terminal> {
        let told = sink.clone();
        let overdue = Timer::start(move |number| told(Message::Overdue(id, number)))?;
        let told = sink.clone();
        let silence = Timer::start(move |number| told(Message::Silent(id, number)))?;
        Ok(Terminal {
            size: Size::USUAL,
            generation: 0,
            pty: None,
            root: None,
            restarting: false,
            overdue,
            silence,
            looks: 0,
            place: None,
            stands: None,
            hold: Hold::default(),
            user: false,
        })
    }
}
