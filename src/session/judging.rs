//! When a block of checks counts as passed, and what a step has come to.

use super::stage::Shell;
use super::{Action, Outcome, Ran, Report, Session, Verdict, checks::decide};
use crate::{
    lesson::{Block, CONTAINER, Check, Counter, Fact, GroupFact, Run, TerminalId},
    observe::{ISOLATING, Sample},
};

impl Session {
    /// Whether the step passed, or could not be seen whole.
    pub(super) fn verdict(&self) -> Outcome {
        match &self.evidence.untraced {
            Some(reason) if self.step.verdicts.values().flatten().any(|verdict| verdict.passed.is_none()) => {
                Outcome::Skipped(reason.say(self.lesson.lang).into())
            }
            _ => Outcome::Passed,
        }
    }

    /// A learner may reach a block of checks by typing, also past the commands before it. What the step then still has to
    /// show, and what it asks, stays.
    pub(super) fn look_ahead(&mut self, out: &mut Vec<Action>) {
        if self.auto {
            return;
        }
        let Some(index) = self.next_checks().filter(|index| *index > self.step.at) else { return };
        if !(self.step.own || self.step.failed.contains(&index)) || self.terminals.waits() {
            self.see(index);
        } else if self.decide_block(index, out) {
            self.pass(index);
        } else if let Some(goal) = self.goal_behind(index).filter(|goal| self.holds(*goal)) {
            // The failures on the way were not seen: that is told, and they are not insisted on.
            self.decide_block(goal, out);
            self.step.straight.extend(index..goal);
            self.pass(goal);
        }
    }

    /// The last block of checks, where all those before it from this one on are about failures that lead there.
    fn goal_behind(&self, index: usize) -> Option<usize> {
        let blocks = &self.step()?.blocks;
        let goal = blocks.iter().rposition(|block| matches!(block, Block::Check(_))).filter(|goal| *goal > index)?;
        let mut fails = false;
        for block in blocks.get(..goal)?.iter().skip(self.step.at.min(index)) {
            match block {
                Block::Run(run) => fails |= run.fails,
                Block::Check(_) if !std::mem::take(&mut fails) => return None,
                _ => {}
            }
        }
        Some(goal)
    }

    /// Whether a block of checks holds now, as far as can be seen.
    fn holds(&self, index: usize) -> bool {
        let Some(Block::Check(checks)) = self.block(index) else { return false };
        self.seen >= self.wanted && self.judge(checks).iter().all(|verdict| verdict.passed != Some(false))
    }

    /// Shows what the facts of a block come to now.
    fn see(&mut self, index: usize) {
        if let Some(Block::Check(checks)) = self.block(index) {
            let seen = self.judge(checks);
            self.note_failing(index, &seen);
            self.step.verdicts.insert(index, seen);
        }
    }

    /// A block that did not hold a moment ago, and holds without a line of the session's in between, holds because of
    /// another cause: the learner, or another window.
    fn note_failing(&mut self, index: usize, verdicts: &[Verdict]) {
        let fails = verdicts.iter().any(|verdict| verdict.passed == Some(false));
        if fails && !self.terminals.waits() && self.seen >= self.wanted {
            self.step.failed.insert(index);
        }
    }

    /// Takes note of a container that the step goes on from: one whose shell, or the one that started it, waits.
    pub(super) fn note_container(&mut self) {
        let step_made = !self.step.ran.is_empty() || self.step().is_some_and(|step| !step.fresh);
        let waits = self.terminals.shells.get(&TerminalId::Container) == Some(&Shell::Idle);
        self.step.inside |= step_made && waits && self.seen >= self.wanted && self.is_isolated();
    }

    fn is_isolated(&self) -> bool {
        let own =
            |sample: &Sample, kind| (sample.namespaces.get(kind).copied(), sample.host_namespaces.get(kind).copied());
        let differs =
            |sample: &Sample| ISOLATING.iter().any(|kind| matches!(own(sample, kind), (Some(a), Some(b)) if a != b));
        self.evidence.sample.as_deref().is_some_and(differs)
    }

    /// Whether the container that the step goes on from has ended, although the step does not want that: by the newest sample
    /// that there is, also while another one is on its way.
    pub(crate) fn is_lost(&self) -> bool {
        let ends = |check: &Check| matches!(check.fact, Fact::Alone);
        let wanted = self.next_checks().and_then(|index| self.block(index));
        let wanted = matches!(wanted, Some(Block::Check(checks)) if checks.iter().any(ends));
        self.step.inside
            && !wanted
            && !self.has_left()
            && !self.is_free()
            && !self.is_replaying()
            && !self.is_isolated()
    }

    /// Whether the last line of the step in the container's terminal was the one that leaves it. One that is to fail leaves all as
    /// it was.
    fn has_left(&self) -> bool {
        let done = self.step().into_iter().flat_map(|step| step.blocks.iter().take(self.step.at).rev());
        let mut runs = done.filter_map(|block| if let Block::Run(run) = block { Some(run) } else { None });
        let last = runs.find(|run| run.terminal == TerminalId::Container && !run.fails);
        last.is_some_and(|run| run.line == "exit")
    }

    /// Whether a line is meant for a container that is gone: typed elsewhere it might do harm.
    pub(super) fn lacks_its_container(&self, run: &Run) -> bool {
        !self.auto && self.is_lost() && (run.terminal == TerminalId::Container || run.line.contains(CONTAINER))
    }

    /// What each of these facts comes to now, whether or not its turn has come.
    pub fn judge(&self, checks: &[Check]) -> Vec<Verdict> {
        let (lang, lost) = (self.lesson.lang, self.is_lost());
        let judged = |check: &Check| {
            let verdict = decide(&check.fact, &self.evidence, lang);
            match lost && check.fact.is_inside() {
                // What the terminal's own shell made, it made on the machine.
                true => verdict.without(lang.pick("the container has ended", "容器已经结束")),
                false => verdict,
            }
        };
        checks.iter().map(judged).collect()
    }

    /// Whether a line of the step that leads to this block of checks has run: typed ahead, it has before its turn came.
    fn has_its_line(&self, index: usize) -> bool {
        let blocks = self.step().and_then(|step| step.blocks.get(..index)).unwrap_or_default();
        let own = blocks.iter().enumerate().rev().take_while(|(_, block)| !matches!(block, Block::Check(_)));
        own.into_iter().any(|(block, _)| matches!(self.step.ran.get(&block), Some(Ran::Line(_))))
    }

    /// Decides a block of checks; true where it holds as a whole.
    pub(super) fn decide_block(&mut self, index: usize, out: &mut Vec<Action>) -> bool {
        let Some(Block::Check(checks)) = self.block(index).cloned() else { return true };
        let new = self.judge(&checks);
        let acted = self.auto || self.step.touched || self.step.failed.contains(&index) || self.has_its_line(index);
        self.note_failing(index, &new);
        let holds = acted && self.seen >= self.wanted && new.iter().all(|verdict| verdict.passed != Some(false));
        if holds {
            self.step.touched = false;
            self.step.own = false;
            out.push(Action::Deadline(None));
            for check in &checks {
                match check.fact {
                    Fact::Group(GroupFact::Cpu(..)) => self.proof.note_cpu(&self.evidence),
                    Fact::Group(GroupFact::Grew(Counter::OomKills)) => self.proof.note_oom(&self.evidence),
                    _ => {}
                }
            }
            for (number, verdict) in new.iter().enumerate() {
                out.push(Action::Report(Report::Check(self.step.index, index, number, verdict.clone())));
            }
        }
        self.step.verdicts.insert(index, new);
        holds
    }
}
