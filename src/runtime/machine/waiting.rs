//! How long a command is waited for: as long as it works, or would if others let it.

use super::{
    super::work::{self, Work},
    Machine,
};
use crate::{event::Event, lang::Lang, lesson::TerminalId};
use std::time::{Duration, Instant};

/// How long a command is waited for that works: one that works for ever belongs to no lesson.
const MAX_LEN: Duration = Duration::from_secs(15 * 60);

/// A command whose end is waited for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Awaited {
    pub(super) terminal: TerminalId,
    /// How long it may do nothing.
    pub(super) patience: Duration,
    pub(super) since: Instant,
    /// What it had done when that time began.
    pub(super) work: Work,
    /// Whether this was told.
    pub(super) told: bool,
}

impl Machine {
    /// The time is over, unless a command is waited for that has worked meanwhile.
    pub(super) fn due(&mut self) -> Vec<Event> {
        let Some(mut awaited) = self.awaited.take() else { return vec![Event::Deadline] };
        let work = self.work(awaited.terminal);
        if !(work.is_more_than(awaited.work) || work.is_ready()) || awaited.since.elapsed() > MAX_LEN {
            return vec![Event::Deadline];
        }
        self.timer.set(Some(awaited.patience));
        let told = std::mem::replace(&mut awaited.told, true);
        self.awaited = Some(Awaited { work, ..awaited });
        let name = self.foreground(awaited.terminal).map(work::name).unwrap_or_default();
        if told { Vec::new() } else { vec![Event::Working(working(&name, self.lang))] }
    }

    /// What the processes of a terminal have done so far.
    pub(super) fn work(&self, terminal: TerminalId) -> Work {
        self.terminals.get(&terminal).and_then(|terminal| terminal.root).map(Work::of).unwrap_or_default()
    }
}

/// Says that a command is waited for.
fn working(command: &str, lang: Lang) -> String {
    match lang {
        Lang::En => format!("{command} is still at work: it is waited for"),
        Lang::Zh => format!("{command} 仍在工作：继续等待"),
    }
}
