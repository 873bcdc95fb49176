//! What the screen may know of a session.

use super::{
    GuardedCall, HeldCall, Lacking, Notice, Outcome, OwnLine, Phase, Proof, Ran, Session, Took, Verdict,
    stage::{Shell, Stage},
};
use crate::{
    lang::Lang,
    lesson::{Block, Check, Lesson, Step, TerminalId},
};

impl Session {
    /// The lesson.
    pub(crate) fn lesson(&self) -> &Lesson {
        &self.lesson
    }

    /// Whether nothing is taught, and nothing judged or kept.
    pub(crate) fn is_free(&self) -> bool {
        self.lesson.free
    }

    /// The index of the current step.
    pub fn step_index(&self) -> usize {
        self.step.index
    }

    /// The current step.
    pub fn step(&self) -> Option<&Step> {
        self.lesson.steps.get(self.step.index)
    }

    /// The index of the first block of the step that is not done: blocks before it may be shown.
    pub fn at(&self) -> usize {
        self.step.at
    }

    /// The answer that was given to the question of this block.
    pub(crate) fn answer(&self, block: usize) -> Option<usize> {
        self.step.answers.get(&block).copied()
    }

    /// What became of the command of this block.
    pub fn ran(&self, block: usize) -> Option<&Ran> {
        self.step.ran.get(&block)
    }

    /// What else ran in this step, oldest first.
    pub(crate) fn own_lines(&self) -> &[OwnLine] {
        &self.step.own_lines
    }

    /// All lines that the shells took in this step, oldest first.
    pub(crate) fn lines(&self) -> &[Took] {
        &self.step.took
    }

    /// The calls since the step began, oldest first.
    pub(crate) fn calls(&self) -> &[crate::trace::SyscallEvent] {
        &self.evidence.calls
    }

    /// How many commands have run in this step, the lesson's and others.
    pub(crate) fn commands(&self) -> usize {
        let ran = self.step.ran.values().filter(|ran| matches!(ran, Ran::Line(_)));
        ran.count() + self.step.own_lines.len()
    }

    /// How many of them were the step's own lines that only show something.
    pub(crate) fn looks(&self) -> usize {
        let shows = |block: &usize| matches!(self.block(*block), Some(Block::Run(run)) if run.look);
        self.step.ran.iter().filter(|(block, ran)| matches!(ran, Ran::Line(_)) && shows(block)).count()
    }

    /// Whether the learner went past a block, straight to the goal.
    pub(crate) fn went_past(&self, block: usize) -> bool {
        self.step.straight.contains(&block)
    }

    /// Whether a block of checks has held.
    pub(crate) fn has_passed(&self, block: usize) -> bool {
        self.step.passed.contains(&block)
    }

    /// The line that the shell of this terminal took last, however it came; `None` where there was none in this step, or
    /// it is not known.
    pub(crate) fn submitted(&self, terminal: TerminalId) -> Option<&str> {
        self.step.submitted.get(&terminal)?.as_deref()
    }

    /// How many rungs of help are shown.
    pub(crate) fn hints(&self) -> usize {
        self.step.hints
    }

    /// How many rungs of help the step has; the last one gives the command.
    pub fn rungs(&self) -> usize {
        self.step().map_or(0, |step| step.blocks.iter().filter(|block| matches!(block, Block::Hint(_))).count())
    }

    /// The calls that wait now, oldest first.
    pub fn held(&self) -> &[HeldCall] {
        &self.terminals.held
    }

    /// The call that would change the machine itself, for which the user must decide now.
    pub(crate) fn guarded(&self) -> Option<&GuardedCall> {
        self.terminals.guarded.first()
    }

    /// Whether a program runs in this terminal, the step's own or another one.
    pub(crate) fn is_busy(&self, terminal: TerminalId) -> bool {
        match self.phase() {
            Phase::Held | Phase::Running => true,
            Phase::Preparing(..) => false,
            _ => self.terminals.shells.get(&terminal) == Some(&Shell::Busy),
        }
    }

    /// Whether processes in the container terminal are held before every call.
    pub(crate) fn holding(&self) -> bool {
        self.terminals.holding
    }

    /// Whether the learner has changed a call in this step, or made it fail.
    pub(crate) fn has_changed_a_call(&self) -> bool {
        self.step.changed
    }

    /// The newest verdicts of a block of checks.
    pub fn verdicts(&self, block: usize) -> &[Verdict] {
        self.step.verdicts.get(&block).map_or(&[], Vec::as_slice)
    }

    /// Whether what the last command did has been seen. Before that, a fact that does not hold is no refusal.
    pub(crate) fn is_shown(&self) -> bool {
        self.seen >= self.step.shown_by
    }

    /// The checks of a block that do not hold.
    pub fn failing(&self, block: usize) -> impl Iterator<Item = &Check> {
        let checks = match self.step().and_then(|step| step.blocks.get(block)) {
            Some(Block::Check(checks)) => checks.as_slice(),
            _ => &[],
        };
        let verdicts = checks.iter().zip(self.verdicts(block));
        verdicts.filter(|(_, verdict)| verdict.passed == Some(false)).map(|(check, _)| check)
    }

    /// How the session's group shared the CPUs over the last three seconds; `None` before they are over.
    pub(crate) fn share(&self) -> Option<super::Share> {
        self.evidence.share()
    }

    /// Whether time alone may bring what a block of checks waits for.
    pub(crate) fn measuring(&self, block: usize) -> bool {
        self.failing(block).next().is_some() && self.failing(block).all(Check::measures)
    }

    /// What each step has come to so far.
    pub(crate) fn outcomes(&self) -> &[Option<Outcome>] {
        &self.outcomes
    }

    /// What the kernel counted when the limits were tested, in all steps so far.
    pub(crate) fn proof(&self) -> &Proof {
        &self.proof
    }

    /// Why the last wish was not granted.
    pub fn notice(&self) -> Option<&Notice> {
        self.notice.as_ref()
    }

    /// Why system calls cannot be seen, if so.
    pub(crate) fn untraced(&self) -> Option<&str> {
        self.evidence.untraced.as_ref().map(|reason| reason.say(self.lesson.lang))
    }

    /// What the session waits for.
    pub fn phase(&self) -> Phase {
        if !self.terminals.guarded.is_empty() {
            return Phase::Guarded;
        }
        if let Stage::Replaying(replay) = &self.stage {
            return Phase::Preparing(replay.done(), replay.total());
        }
        if !self.terminals.held.is_empty() {
            return Phase::Held;
        }
        if let Some(Some(Outcome::Skipped(reason))) = self.outcomes.get(self.step.index)
            && self.step.at == 0
        {
            return Phase::Blocked(reason.clone());
        }
        if self.terminals.waits() {
            return Phase::Running;
        }
        match self.step().and_then(|step| step.blocks.get(self.step.at)) {
            Some(Block::Predict(_)) => Phase::Asking(self.step.at),
            Some(Block::Check(_)) => Phase::Checking(self.step.at),
            Some(_) => Phase::Due(self.step.at),
            None if self.is_free() => Phase::Free,
            None => Phase::Done,
        }
    }

    /// Replaces the lesson by its translation, keeping the place: instructions are identical in both.
    pub(crate) fn translate(&mut self, lesson: Lesson) {
        if lesson.id == self.lesson.id && lesson.steps.len() == self.lesson.steps.len() {
            self.lesson = lesson;
        }
    }

    /// Learns what this machine lacks. It counts for steps that have not begun yet.
    pub(crate) fn lacks(&mut self, lacking: Lacking) {
        self.lacking = lacking;
    }

    /// The language of the lesson.
    pub(crate) fn lang(&self) -> Lang {
        self.lesson.lang
    }
}
