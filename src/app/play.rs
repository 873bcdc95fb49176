//! A lesson being played: the session, its terminals, and what the learner looks at.

use super::{
    Along, CallLog, History, Pane, Row,
    attend::Task,
    layout::{self, Chosen, Shape},
    word::Word,
};
use crate::kernel::pid::Pid;
use crate::{
    lesson::{Block, CONTAINER, Run, TerminalId},
    observe::{Container, Place, Sample},
    session::{Phase, Repair, Session},
    terminal::{Screen, Size},
    tools,
    trace::{Call, SyscallEvent},
};
use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

/// Where keys go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Focus {
    /// To the lesson: single letters.
    #[default]
    Lesson,
    /// To the shell: everything but the prefix.
    Terminal,
}

/// What has the whole screen, without frames, so that the outer terminal can select its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Zoom {
    /// The chosen pane.
    Pane,
    /// The terminal that is shown.
    Terminal,
}

/// A call that the learner looks at.
#[derive(Clone, Copy, Debug)]
pub(crate) enum OneCall<'a> {
    /// It has returned.
    Returned(&'a SyscallEvent),
    /// It is about to happen.
    Held(&'a Call),
}

impl<'a> OneCall<'a> {
    /// What was called.
    pub(crate) fn call(self) -> &'a Call {
        match self {
            OneCall::Returned(event) => &event.call,
            OneCall::Held(call) => call,
        }
    }
}

/// One of the two terminals.
#[derive(Clone)]
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
#[derive(Clone, Debug)]
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
    /// What was typed before the shells were ready.
    pub ahead: Vec<(TerminalId, Vec<u8>)>,
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
    /// Whether both terminals are to be seen, where the learner has said so.
    pub both: Option<bool>,
    /// What the screen is like: panes that it shows all the time need no other place.
    pub shape: Shape,
    /// Whether there is one pane at a time and more air.
    pub large_print: bool,
    /// Whether the speaker's notes are shown.
    pub notes: bool,
    /// The calls of this step.
    pub calls: CallLog,
    /// The call that the learner has chosen, by its number in [`CallLog`] or, from its end on, among those that are held;
    /// `None` is the newest one.
    pub call: Option<usize>,
    /// How many commands were sent to a terminal in this step.
    pub commands: usize,
    /// What has the whole screen.
    pub zoom: Option<Zoom>,
    /// How far the line is that is typed along.
    pub along: Along,
    /// Whether the lesson plays by itself.
    pub by_itself: bool,
    /// The container that was picked from the list, by PID and start.
    pub picked_container: Option<(Pid, u64)>,
    /// When this step began, since the program did.
    pub began: Duration,
    /// What the repair took, where the step was broken and is repaired.
    pub repair: Option<Repair>,
    /// The state now.
    pub sample: Option<Arc<Sample>>,
    /// What the container's control group used.
    pub history: History,
    /// The state before the last command or the last step of a held process: what differs from it is marked.
    pub before: Option<Arc<Sample>>,
}

impl Play {
    /// A lesson that has not begun.
    pub(crate) fn new(index: usize, session: Session, size: Size) -> Play {
        Play {
            index,
            terminals: TerminalId::ALL.into_iter().map(|id| (id, Term::new(size))).collect(),
            shown: TerminalId::Container,
            focus: Focus::Lesson,
            ahead: Vec::new(),
            task: None,
            asked: false,
            types: false,
            offered: false,
            word: Word::default(),
            picked: false,
            large: false,
            left: false,
            pane: if session.is_free() { Pane::Calls } else { Pane::Lesson },
            bottom: if session.is_free() { Pane::Cgroup } else { Pane::Calls },
            tops: BTreeMap::new(),
            both: None,
            shape: Shape::Small,
            large_print: false,
            notes: false,
            calls: CallLog::default(),
            call: None,
            commands: 0,
            zoom: None,
            along: Along::default(),
            by_itself: false,
            picked_container: None,
            began: Duration::ZERO,
            repair: None,
            sample: None,
            history: History::default(),
            before: None,
            session,
        }
    }

    /// The step has passed: what that took, where something was broken in it.
    pub(super) fn has_repaired(&mut self, now: Duration) -> Option<Repair> {
        self.session.step().filter(|step| step.is_broken())?;
        let seconds = now.saturating_sub(self.began).as_secs();
        self.repair = Some(Repair { seconds, commands: self.session.commands(), hints: self.session.hints() });
        self.repair
    }

    /// Marks from here on what differs from now.
    pub(crate) fn remember(&mut self) {
        self.before.clone_from(&self.sample);
    }

    /// Whether the learner has done more in this step than run the lines that only show something.
    pub(crate) fn has_tried(&self) -> bool {
        self.commands > self.session.looks()
    }

    /// What the layout depends on.
    pub(crate) fn chosen(&self) -> Chosen {
        let full = self.is_full();
        let large = self.focus == Focus::Terminal && (self.large || full);
        let held = !self.session.held().is_empty();
        Chosen {
            large,
            pane: self.pane,
            bottom: self.bottom,
            reading: self.commands == 0,
            // Where there is room, they are there before the first call is held, and stay between two.
            held: held || self.shape == Shape::Beside && self.session.holding(),
            both: self.both,
            full,
            large_print: self.large_print,
            lab: self.is_lab(),
        }
    }

    /// Whether a program draws the whole screen of the terminal that is shown.
    pub(crate) fn is_full(&self) -> bool {
        self.terminals.get(&self.shown).is_some_and(|term| term.screen.alternate_screen())
    }

    /// Whether the cursor keys choose a call.
    pub(crate) fn walks(&self) -> bool {
        self.pane == Pane::Calls && self.calls_to_walk().nth(1).is_some()
    }

    /// The numbers of all calls, oldest first; those that are held come last.
    pub(crate) fn calls_to_walk(&self) -> impl DoubleEndedIterator<Item = usize> {
        let held = (0..self.session.held().len()).map(|at| self.calls.end() + at);
        self.calls.numbered().filter(|(_, row)| matches!(row, Row::Call(_))).map(|(number, _)| number).chain(held)
    }

    /// The call of this number: one that has returned, or one that is held.
    pub(crate) fn call_at(&self, number: usize) -> Option<OneCall<'_>> {
        if let Some(at) = number.checked_sub(self.calls.end()) {
            return self.session.held().get(at).map(|(_, call)| OneCall::Held(call));
        }
        match self.calls.at(number)? {
            Row::Call(event) => Some(OneCall::Returned(event)),
            _ => None,
        }
    }

    /// The chosen call or, where there is none, the newest one.
    pub(crate) fn chosen_call(&self) -> Option<usize> {
        self.call.filter(|number| self.call_at(*number).is_some()).or_else(|| self.calls_to_walk().next_back())
    }

    /// Chooses the call after the chosen one, or before it.
    pub(crate) fn walk(&mut self, on: bool) {
        let Some(now) = self.chosen_call() else { return };
        let next = match on {
            true => self.calls_to_walk().find(|number| *number > now),
            false => self.calls_to_walk().rev().find(|number| *number < now),
        };
        self.call = Some(next.unwrap_or(now));
        self.tops.remove(&Pane::Calls);
    }

    /// Whether both terminals are to be seen.
    pub(crate) fn sees_both(&self) -> bool {
        self.both.unwrap_or(self.shape.shows_both())
    }

    /// Whether there is no lesson, only terminals and panes.
    pub(crate) fn is_lab(&self) -> bool {
        self.session.is_free()
    }

    /// The panes that there are.
    pub(crate) fn panes(&self) -> impl Iterator<Item = Pane> + use<> {
        let lab = self.is_lab();
        Pane::ALL.into_iter().filter(move |pane| !lab || *pane != Pane::Lesson)
    }

    /// Whether the screen shows this pane all the time.
    pub(crate) fn always_on(&self, pane: Pane) -> bool {
        // In the lab the calls stand where lessons have their text.
        let pane = if self.is_lab() && pane == Pane::Calls { Pane::Lesson } else { pane };
        pane.always_on(self.shape)
    }

    /// Whether a screen of this size shows this pane now.
    pub(crate) fn sees(&self, pane: Pane, size: Size) -> bool {
        match self.zoom {
            Some(Zoom::Pane) => self.pane == pane,
            Some(Zoom::Terminal) => false,
            None => layout::places(size, self.chosen()).panes.iter().any(|(seen, _)| *seen == pane),
        }
    }

    /// The containers of this machine, where they are looked for.
    pub(crate) fn containers(&self) -> &[Container] {
        self.sample.as_ref().map_or(&[], |sample| sample.containers.as_slice())
    }

    /// Brings the lesson forward, where there is one.
    pub(super) fn show_lesson(&mut self) {
        if !self.is_lab() {
            self.pane = Pane::Lesson;
        }
    }

    /// Shows a pane.
    pub(crate) fn show(&mut self, pane: Pane) {
        self.pane = pane;
        if !self.always_on(pane) {
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

    /// The line that a learner would want elsewhere: the one that is due or, where none is, the one that ran last.
    pub(crate) fn line_to_copy(&self) -> Option<String> {
        let due = self.due().map(|run| self.fill(&run.line));
        due.or_else(|| self.session.submitted(self.shown).map(str::to_string))
    }

    /// The line that ran last in the terminal that is shown or, where none did, in the other one.
    pub(crate) fn last_line(&self) -> Option<String> {
        let all = [self.shown, TerminalId::Container, TerminalId::Host];
        all.into_iter().find_map(|terminal| self.session.submitted(terminal)).map(str::to_string)
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

    /// The program whose source the Source pane shows, and the call that it is about to make or has just made: that of the
    /// chosen call, the held one, or the newest one of a tool. A shell's own calls are none.
    pub(crate) fn running_tool(&self) -> Option<(String, Option<&Call>)> {
        let with_source = |name: &str| tools::find(name).is_some();
        let chosen = self.call.and_then(|number| self.call_at(number)).map(OneCall::call);
        let held = self.session.held().first().map(|(_, call)| call);
        let made = self.calls.rows().rev().find_map(|row| match row {
            Row::Call(event) if with_source(&event.call.comm) => Some(&event.call),
            _ => None,
        });
        let first = chosen.or_else(|| held.filter(|call| with_source(&call.comm))).or(made.filter(|_| held.is_none()));
        if let Some(call) = first {
            return Some((call.comm.clone(), Some(call)));
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
    pub(crate) fn new(size: Size) -> Term {
        Term { screen: Screen::new(size), ended: false, place: None, unechoed: false }
    }
}
