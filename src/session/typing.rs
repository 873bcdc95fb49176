//! Commands of the lesson on their way into a terminal.

use super::{Action, Notice, Report, Session, play::Shell};
use crate::{
    lesson::{Block, CONTAINER, Run, Step},
    trace::Hold,
};

impl Session {
    /// In a headless run, plays the hidden solution of the step once, before its checks. True while it is playing.
    pub(super) fn solve(&mut self, out: &mut Vec<Action>) -> bool {
        if self.waiting.is_some() {
            return true;
        }
        if !self.solved {
            self.solved = true;
            let runs = self.step().map_or_else(Vec::new, solution);
            self.due.extend(runs);
        }
        match self.due.pop_front() {
            Some(run) => {
                if !self.type_line(&run, out) {
                    // It needs a newer sample, or a prompt that is still to come.
                    self.due.push_front(run);
                }
                true
            }
            None => false,
        }
    }

    pub(super) fn type_due(&mut self, out: &mut Vec<Action>) {
        if let Some(Block::Run(run)) = self.block(self.at).cloned() {
            self.type_run(run, out);
        }
    }

    pub(super) fn type_run(&mut self, run: Run, out: &mut Vec<Action>) {
        if self.type_line(&run, out) {
            self.due.push_front(run);
        }
    }

    /// Types a line into a terminal that stands at its prompt; false (and a notice) where it does not.
    pub(super) fn type_line(&mut self, run: &Run, out: &mut Vec<Action>) -> bool {
        match self.shells.get(&run.terminal) {
            // Whoever pressed Ctrl-C was faster.
            Some(Shell::Idle) if run.interrupts() => return true,
            Some(Shell::Busy) if run.interrupts() => {}
            Some(Shell::Idle) => {}
            Some(Shell::Ended) => {
                self.notice = Some(Notice::Ended(run.terminal));
                return false;
            }
            _ => {
                self.notice = Some(Notice::Busy(run.terminal));
                return false;
            }
        }
        let Some(line) = self.fill(&run.line) else {
            self.postponed = true;
            return false;
        };
        if matches!(self.block(self.at), Some(Block::Run(due)) if due == run) {
            self.lines.insert(self.at, line.clone());
        }
        if run.hold && self.replay.is_none() {
            self.holding = true;
            out.push(Action::Hold(run.terminal, Hold::Every));
        }
        if self.replay.is_none() {
            out.push(Action::Report(Report::Command(self.step, run.terminal, line.clone())));
        }
        if self.auto || self.replay.is_some() {
            out.push(Action::Deadline(Some(self.patience())));
        }
        out.push(if run.interrupts() { Action::Interrupt(run.terminal) } else { Action::Type(run.terminal, line) });
        self.shells.insert(run.terminal, Shell::Busy);
        self.touched = true;
        if run.busy {
            // No prompt will say when to go on.
            out.push(Action::Deadline(None));
            self.look(out);
        } else {
            self.waiting = Some(run.terminal);
            self.typed = Some(run.clone());
        }
        true
    }

    /// Puts the host PID of the container process in the place of [`CONTAINER`].
    pub(super) fn fill(&self, line: &str) -> Option<String> {
        if !line.contains(CONTAINER) {
            return Some(line.to_string());
        }
        let pid = self.evidence.sample.as_ref().filter(|_| self.seen >= self.wanted)?.container?;
        Some(line.replace(CONTAINER, &pid.to_string()))
    }
}

/// The hidden solution of a step, or nothing.
pub(super) fn solution(step: &Step) -> Vec<Run> {
    let lines = step.blocks.iter().filter_map(|block| match block {
        Block::Solution(runs) => Some(runs.clone()),
        _ => None,
    });
    lines.flatten().collect()
}
