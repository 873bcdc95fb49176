//! When a block of checks counts as passed, and what a step has come to.

use super::{Action, Outcome, Report, Session, Verdict, checks::decide};
use crate::lesson::{Block, Check, Counter, Fact, GroupFact};

impl Session {
    /// Whether the step passed, or could not be seen whole.
    pub(super) fn verdict(&self) -> Outcome {
        match &self.evidence.untraced {
            Some(reason) if self.verdicts.values().flatten().any(|verdict| verdict.passed.is_none()) => {
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
        let Some(index) = self.next_checks().filter(|index| *index > self.at) else { return };
        if !self.own || self.waiting.is_some() {
            self.see(index);
        } else if self.decide_block(index, out) {
            self.pass(index);
        }
    }

    /// Shows what the facts of a block come to now.
    fn see(&mut self, index: usize) {
        if let Some(Block::Check(checks)) = self.block(index) {
            let seen = self.judge(checks);
            self.verdicts.insert(index, seen);
        }
    }

    /// What each of these facts comes to now, whether or not its turn has come.
    pub fn judge(&self, checks: &[Check]) -> Vec<Verdict> {
        checks.iter().map(|check| decide(&check.fact, &self.evidence, self.lesson.lang)).collect()
    }

    /// Decides a block of checks; true where it holds as a whole.
    pub(super) fn decide_block(&mut self, index: usize, out: &mut Vec<Action>) -> bool {
        let Some(Block::Check(checks)) = self.block(index).cloned() else { return true };
        let new = self.judge(&checks);
        let holds = (self.auto || self.touched)
            && self.seen >= self.wanted
            && new.iter().all(|verdict| verdict.passed != Some(false));
        if holds {
            self.touched = false;
            self.own = false;
            out.push(Action::Deadline(None));
            for check in &checks {
                match check.fact {
                    Fact::Group(GroupFact::Cpu(..)) => self.proof.note_cpu(&self.evidence),
                    Fact::Group(GroupFact::Grew(Counter::OomKills)) => self.proof.note_oom(&self.evidence),
                    _ => {}
                }
            }
            for (number, verdict) in new.iter().enumerate() {
                out.push(Action::Report(Report::Check(self.step, index, number, verdict.clone())));
            }
        }
        self.verdicts.insert(index, new);
        holds
    }
}
