//! How a step ends: passed, failed or skipped; and what comes next.

use super::{Action, Notice, Outcome, Phase, Report, Session, play::PATIENCE};
use crate::lesson::Block;

impl Session {
    pub(super) fn deadline(&mut self, out: &mut Vec<Action>) {
        let reason = match self.phase() {
            Phase::Checking(block) => {
                let missed = self.verdicts(block).iter().find(|verdict| verdict.passed == Some(false)).cloned();
                if let Some(Block::Check(checks)) = self.block(block).cloned() {
                    for number in 0..checks.len() {
                        if let Some(verdict) = self.verdicts(block).get(number).cloned() {
                            out.push(Action::Report(Report::Check(self.step, block, number, verdict)));
                        }
                    }
                }
                missed.map_or_else(
                    || "the checks did not hold".to_string(),
                    |verdict| format!("expected {}, observed {}", verdict.expected, verdict.observed),
                )
            }
            _ => format!("no prompt came back within {} s", PATIENCE.as_secs()),
        };
        self.fail(reason, out);
    }

    pub(super) fn fail(&mut self, reason: String, out: &mut Vec<Action>) {
        self.waiting = None;
        self.due.clear();
        out.push(Action::Deadline(None));
        if let Some(replay) = self.replay.take() {
            self.step = replay.target();
            self.notice = Some(Notice::NotRebuilt(reason.clone()));
            out.push(Action::Report(Report::Step(self.step)));
        }
        if self.auto {
            self.close(Outcome::Failed(reason), out);
        }
    }

    pub(super) fn close(&mut self, outcome: Outcome, out: &mut Vec<Action>) {
        let clean = outcome == Outcome::Passed;
        if let Some(place) = self.outcomes.get_mut(self.step) {
            *place = Some(outcome.clone());
        }
        out.push(Action::Report(Report::Outcome(self.step, outcome)));
        if self.auto {
            // What a failed step left behind is unknown: the next one starts from a replay.
            if clean { self.next_step(out) } else { self.after_failure(out) }
        }
    }

    pub(super) fn after_failure(&mut self, out: &mut Vec<Action>) {
        if self.step + 1 < self.lesson.steps.len() {
            self.rebuild(self.step + 1, out);
        } else {
            self.end(out);
        }
    }

    pub(super) fn next_step(&mut self, out: &mut Vec<Action>) {
        let next = self.step + 1;
        match self.lesson.steps.get(next) {
            None => self.end(out),
            Some(step) if step.fresh => self.rebuild(next, out),
            Some(_) => {
                self.step = next;
                self.begin(out);
            }
        }
    }

    pub(super) fn end(&mut self, out: &mut Vec<Action>) {
        if !self.finished {
            self.finished = true;
            out.push(Action::Report(Report::End));
        }
    }
}
