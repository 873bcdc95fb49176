//! Keys go where the task is: whenever it is another one, so are keys and pane.

use super::{Focus, Play, State, instead, word::Word};
use crate::{
    lesson::{Block, TerminalId},
    session::Phase,
};

/// What the learner has to do, and which shells are there to do it in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Task {
    phase: Phase,
    ended: Vec<TerminalId>,
}

impl Play {
    /// Whether Space types the command that is due: never behind what is typed, and never in the place of a program's
    /// input.
    pub(crate) fn space_types(&self) -> bool {
        let Some(run) = self.due().filter(|_| !self.is_over() && !self.is_lost()) else { return false };
        let empty = |terminal| self.is_empty(terminal);
        // A program that the learner has turned to gets its own input; the step's own loop needs none.
        let free = if self.picked && self.shown != run.terminal {
            empty(self.shown) == Some(true)
        } else {
            empty(self.shown) != Some(false)
        };
        free && (run.interrupts() || empty(run.terminal) == Some(true))
    }

    /// Whether Space in a terminal goes on from a step that is done: at an empty prompt, or while the step's own loop runs.
    pub(crate) fn space_goes_on(&self) -> bool {
        let done = matches!(self.session.phase(), Phase::Done | Phase::Blocked(_));
        done && self.is_empty(self.shown).unwrap_or_else(|| self.session.works(self.shown))
    }

    /// Whether no step comes after this one.
    pub(crate) fn is_last(&self) -> bool {
        self.session.step_index() + 1 >= self.session.lesson().steps.len()
    }

    /// Whether nothing is typed at the prompt of this terminal; `None` where that cannot be told.
    pub(super) fn is_empty(&self, terminal: TerminalId) -> Option<bool> {
        let term = self.terminals.get(&terminal)?;
        if term.unechoed { Some(false) } else { term.screen.prompt_is_empty() }
    }

    fn has_ended(&self, terminal: TerminalId) -> bool {
        self.terminals.get(&terminal).is_some_and(|term| term.ended)
    }

    /// Whether the shell in which the task has to be done has ended.
    pub(crate) fn is_over(&self) -> bool {
        let ended = |terminal| self.has_ended(terminal);
        match self.session.phase() {
            Phase::Due(_) => self.due().is_some_and(|run| ended(run.terminal)),
            Phase::Checking(_) => ended(TerminalId::Container),
            Phase::Free => ended(self.shown),
            _ => false,
        }
    }

    /// Whether the step waits for something that needs its container, and that has ended.
    pub(crate) fn is_lost(&self) -> bool {
        let waits = matches!(self.session.phase(), Phase::Due(_) | Phase::Asking(_) | Phase::Checking(_));
        waits && self.session.is_lost()
    }

    /// How many answers the open question has; none where no question is open.
    pub(crate) fn answers(&self) -> usize {
        let Phase::Asking(block) = self.session.phase() else { return 0 };
        match self.session.step().and_then(|step| step.blocks.get(block)) {
            Some(Block::Predict(predict)) => predict.options.len().min(9),
            _ => 0,
        }
    }

    /// The terminal that a key goes to. What is typed for a command that is due in the other terminal goes there, unless
    /// something is typed here already or the learner has chosen this one.
    pub(super) fn turn_to_the_task(&mut self) -> TerminalId {
        let here = self.is_empty(self.shown);
        if let Some(terminal) = self.due().map(|run| run.terminal)
            && !self.picked
            && here != Some(false)
        {
            self.shown = terminal;
        }
        self.shown
    }

    /// Gives the keys to what the task is for, and brings the lesson forward where there is something new in it.
    fn attend(&mut self) {
        let ended = self.terminals.iter().filter(|(_, term)| term.ended).map(|(id, _)| *id).collect();
        let task = Task { phase: self.session.phase(), ended };
        if self.task.as_ref() == Some(&task) {
            return;
        }
        let runs = matches!(task.phase, Phase::Running | Phase::Held | Phase::Guarded);
        // Between two held calls the keys stay where they are.
        if task.phase == Phase::Running && self.session.holding() && self.focus == Focus::Lesson {
            self.task = Some(task);
            return;
        }
        // The keys stay in the middle of a line.
        let reads = matches!(task.phase, Phase::Asking(_) | Phase::Done | Phase::Blocked(_));
        let here = self.is_empty(self.shown);
        if reads && self.focus == Focus::Terminal && here == Some(false) {
            return;
        }
        (self.large, self.left) = (false, false);
        // A program that the learner has turned to keeps its terminal.
        self.picked &= here.is_none();
        // Keys that the learner has asked for stay with the lesson until it is told something.
        let asked = self.asked && self.focus == Focus::Lesson;
        self.focus = match task.phase {
            _ if asked => Focus::Lesson,
            Phase::Due(_) | Phase::Checking(_) | Phase::Running | Phase::Free if !self.is_over() => Focus::Terminal,
            // Without a lesson every key is the shell's, which reads what came before it was there.
            Phase::Preparing(..) if self.is_lab() && !self.has_ended(self.shown) => Focus::Terminal,
            // A learner who types goes on typing.
            Phase::Done | Phase::Blocked(_) if self.types && !self.has_ended(self.shown) => Focus::Terminal,
            _ => Focus::Lesson,
        };
        (self.asked, self.word) = (asked, Word::default());
        if !runs {
            self.show_lesson();
        }
        self.task = Some(task);
    }
}

pub(super) fn attend(state: &mut State) {
    instead::attend(state);
    if let Some(play) = &mut state.play {
        play.attend();
    }
}
