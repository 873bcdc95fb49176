//! A lesson being played: the session, its terminals, and what the learner looks at.

use super::{CallLog, History, Pane, attend::Task, layout::Chosen, word::Word};
use crate::{
    lesson::{Block, CONTAINER, Run, TerminalId},
    observe::{Place, Sample},
    session::{Phase, Session},
    terminal::Screen,
};
use std::{collections::BTreeMap, fmt, sync::Arc};

/// Where keys go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Focus {
    /// To the lesson: single letters.
    #[default]
    Lesson,
    /// To the shell: everything but the prefix.
    Terminal,
}

/// One of the two terminals.
pub(crate) struct Term {
    /// What it shows.
    pub screen: Screen,
    /// Whether its last process has ended.
    pub ended: bool,
    /// Where the process in its foreground lives, once that is known.
    pub place: Option<Place>,
    /// Whether something was typed that nothing has answered yet.
    pub unechoed: bool,
}

impl fmt::Debug for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Term").field("ended", &self.ended).finish_non_exhaustive()
    }
}

/// A lesson being played.
#[derive(Debug)]
pub(crate) struct Play {
    /// The place of the lesson in the list.
    pub index: usize,
    /// The state machine.
    pub session: Session,
    /// Both terminals.
    pub terminals: BTreeMap<TerminalId, Term>,
    /// The terminal that is shown.
    pub shown: TerminalId,
    /// Where keys go.
    pub focus: Focus,
    /// The task that the keys were last given for.
    pub task: Option<Task>,
    /// Whether the learner has asked for the lesson's keys, and was not just given them.
    pub asked: bool,
    /// Whether the learner types: the last thing that went to a shell came from their keys, and not by Space.
    pub types: bool,
    /// Whether our prompt was offered to a shell that has its own.
    pub offered: bool,
    /// The letters that were pressed in a row while the lesson had the keys unasked.
    pub word: Word,
    /// Whether the learner has chosen the terminal that is shown, for this task.
    pub picked: bool,
    /// Whether the learner has gone to the terminal: then it has more room.
    pub large: bool,
    /// Set while the prefix was the last key in the terminal: once more sends it.
    pub left: bool,
    /// The chosen pane: it is shown, and scrolled.
    pub pane: Pane,
    /// The pane in the lower right of a wide screen.
    pub bottom: Pane,
    /// The first visible line of a pane; a pane that is not in here follows what happens.
    pub tops: BTreeMap<Pane, usize>,
    /// Whether both terminals are seen.
    pub both: bool,
    /// Whether the speaker's notes are shown.
    pub notes: bool,
    /// The calls of this step.
    pub calls: CallLog,
    /// How many commands were sent to a terminal in this step.
    pub commands: usize,
    /// The state now.
    pub sample: Option<Arc<Sample>>,
    /// What the container's control group used.
    pub history: History,
    /// The state before the last command or the last step of a held process: what differs from it is marked.
    pub before: Option<Arc<Sample>>,
}

impl Play {
    /// A lesson that has not begun.
    pub(crate) fn new(index: usize, session: Session, size: (u16, u16)) -> Play {
        Play {
            index,
            session,
            terminals: TerminalId::ALL.into_iter().map(|id| (id, Term::new(size))).collect(),
            shown: TerminalId::Container,
            focus: Focus::Lesson,
            task: None,
            asked: false,
            types: false,
            offered: false,
            word: Word::default(),
            picked: false,
            large: false,
            left: false,
            pane: Pane::Lesson,
            bottom: Pane::Calls,
            tops: BTreeMap::new(),
            both: false,
            notes: false,
            calls: CallLog::default(),
            commands: 0,
            sample: None,
            history: History::default(),
            before: None,
        }
    }

    /// Marks from here on what differs from now.
    pub(crate) fn remember(&mut self) {
        self.before.clone_from(&self.sample);
    }

    /// What the layout depends on.
    pub(crate) fn chosen(&self) -> Chosen {
        let full = self.terminals.get(&self.shown).is_some_and(|term| term.screen.alternate_screen());
        let large = self.focus == Focus::Terminal && (self.large || full);
        Chosen {
            large,
            pane: self.pane,
            bottom: self.bottom,
            reading: self.commands == 0,
            held: !self.session.held().is_empty(),
            // A program that draws the whole screen needs it.
            both: self.both && !full,
        }
    }

    /// Shows a pane.
    pub(crate) fn show(&mut self, pane: Pane) {
        self.pane = pane;
        if !pane.always_on_wide() {
            self.bottom = pane;
        }
    }

    /// The command that is due.
    pub(crate) fn due(&self) -> Option<&Run> {
        let Phase::Due(at) = self.session.phase() else { return None };
        match self.session.step()?.blocks.get(at) {
            Some(Block::Run(run)) => Some(run),
            _ => None,
        }
    }

    /// Whether the command that is due only shows something.
    pub(crate) fn shows(&self) -> bool {
        self.due().is_some_and(|run| run.look)
    }

    /// Puts the values of this session in the place of what a lesson leaves open.
    pub(crate) fn fill(&self, text: &str) -> String {
        match self.sample.as_ref().and_then(|sample| sample.container) {
            Some(pid) if text.contains(CONTAINER) => text.replace(CONTAINER, &pid.to_string()),
            _ => text.to_string(),
        }
    }

    /// The program whose source the Source pane shows, and the call that it is about to make or has just made.
    pub(crate) fn running_tool(&self) -> Option<(String, Option<&'static str>)> {
        if let Some((_, call)) = self.session.held().first() {
            return Some((call.comm.clone(), Some(call.syscall.name())));
        }
        if let Some(event) = self.calls.last_call() {
            return Some((event.call.comm.clone(), Some(event.call.syscall.name())));
        }
        // The command that comes next, or else the last one.
        let (done, ahead) = self.session.step()?.blocks.split_at_checked(self.session.at())?;
        let line = ahead.iter().chain(done.iter().rev()).find_map(|block| match block {
            Block::Run(run) => Some(run.line.clone()),
            _ => None,
        })?;
        line.split_whitespace().next().map(|name| (name.to_string(), None))
    }
}

impl Term {
    /// An empty terminal of this many rows and columns.
    pub(crate) fn new((rows, columns): (u16, u16)) -> Term {
        Term { screen: Screen::new(rows, columns), ended: false, place: None, unechoed: false }
    }
}
