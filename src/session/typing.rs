//! Commands of the lesson on their way into a terminal.

use super::{
    Action, Notice, Ran, Report, Session,
    stage::{Running, Shell},
};
use crate::{
    lesson::{Block, CONTAINER, Run, Step},
    trace::Hold,
};

impl Session {
    /// In a headless run, plays the hidden solution of the step once, before its checks. True while it is playing.
    pub(super) fn solve(&mut self, out: &mut Vec<Action>) -> bool {
        if self.terminals.waits() {
            return true;
        }
        if !self.step.solved {
            self.step.solved = true;
            let runs = self.step().map_or_else(Vec::new, solution);
            self.step.due.extend(runs);
        }
        match self.step.due.pop_front() {
            Some(run) => {
                if !self.type_line(&run, out) {
                    // It needs a newer sample, or a prompt that is still to come.
                    self.step.due.push_front(run);
                }
                true
            }
            None => false,
        }
    }

    pub(super) fn type_due(&mut self, out: &mut Vec<Action>) {
        if let Some(Block::Run(run)) = self.block(self.step.at).cloned() {
            self.type_run(&run, out);
        }
    }

    /// Types the line of the block that the step has come to.
    pub(super) fn type_run(&mut self, run: &Run, out: &mut Vec<Action>) {
        if self.type_line(run, out)
            && let Some(line) = self.terminals.sent.get(&run.terminal)
        {
            self.step.ran.insert(self.step.at, Ran::Line(line.clone()));
            if let Some(running) = &mut self.terminals.running {
                running.block = Some(self.step.at);
            }
        }
    }

    /// Types a line into a terminal that stands at its prompt; false (and a notice) where it does not.
    pub(super) fn type_line(&mut self, run: &Run, out: &mut Vec<Action>) -> bool {
        if self.lacks_its_container(run) {
            self.notice = Some(Notice::Lost);
            return false;
        }
        match self.terminals.shells.get(&run.terminal) {
            // The learner's Ctrl-C was faster.
            Some(Shell::Idle) if run.interrupts() => return true,
            Some(Shell::Busy) if run.interrupts() => {}
            // The line would be typed behind what stands there.
            Some(Shell::Idle) if self.terminals.half_typed.contains(&run.terminal) => {
                self.notice = Some(Notice::HalfTyped(run.terminal));
                return false;
            }
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
            self.step.postponed = true;
            return false;
        };
        self.terminals.sent.insert(run.terminal, line.clone());
        if run.hold && !self.is_replaying() {
            self.terminals.holding = true;
            out.push(Action::Hold(run.terminal, Hold::Every));
        }
        if !self.is_replaying() {
            out.push(Action::Report(Report::Command(self.step.index, run.terminal, line.clone())));
        }
        if self.auto || self.is_replaying() {
            out.push(Action::Await(run.terminal, self.patience()));
        }
        out.push(if run.interrupts() { Action::Interrupt(run.terminal) } else { Action::Type(run.terminal, line) });
        self.step.failed.clear();
        self.terminals.begins(run.terminal);
        self.step.touched = true;
        if run.busy {
            // No prompt will say when to go on.
            out.push(Action::Deadline(None));
            self.look(out);
        } else {
            self.terminals.running = Some(Running { block: None, run: run.clone() });
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

/// The first hidden solution of a step, or nothing.
pub(super) fn solution(step: &Step) -> Vec<Run> {
    step.solutions().into_iter().next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::{Event, Phase, Wish};
    use super::*;
    use crate::{
        lesson::{Lesson, TerminalId},
        observe::Sample,
    };
    use std::sync::Arc;

    /// Goes to the only step, and has all that it waits for come.
    fn begin(session: &mut Session) {
        session.handle(Event::Wish(Wish::GoTo(0)));
        for terminal in TerminalId::ALL {
            session.handle(Event::Prompt(terminal, 0, 1));
        }
        session.handle(Event::Sample(session.wanted, Arc::new(Sample::default())));
    }

    fn at_a_command() -> Session {
        let run = Run { line: "ls".into(), ..Run::default() };
        let step = Step { blocks: vec![Block::Run(run)], ..Step::default() };
        let mut session = Session::new(Lesson { steps: vec![step], ..Lesson::default() }, false, Vec::new());
        begin(&mut session);
        assert_eq!(session.phase(), Phase::Due(0));
        session
    }

    fn types(actions: &[Action]) -> bool {
        actions.iter().any(|action| matches!(action, Action::Type(..)))
    }

    #[test]
    fn nothing_is_typed_behind_half_a_line() {
        let mut session = at_a_command();
        let place = TerminalId::Container;
        session.handle(Event::HalfTyped(place, true));
        assert!(session.terminals.half_typed.contains(&place));
        assert!(!types(&session.handle(Event::Wish(Wish::Go))));
        assert_eq!((session.notice(), session.phase()), (Some(&Notice::HalfTyped(place)), Phase::Due(0)));
        session.handle(Event::HalfTyped(place, false));
        assert!(types(&session.handle(Event::Wish(Wish::Go))));
    }

    #[test]
    fn half_a_line_elsewhere_is_no_hindrance() {
        let mut session = at_a_command();
        session.handle(Event::HalfTyped(TerminalId::Host, true));
        assert!(types(&session.handle(Event::Wish(Wish::Go))));
    }

    #[test]
    fn the_line_that_a_shell_took_is_known_until_the_next_step() {
        let mut session = at_a_command();
        let place = TerminalId::Container;
        assert_eq!(session.submitted(place), None);
        session.handle(Event::Submitted(place, Some("ls -l".into())));
        assert_eq!((session.submitted(place), session.submitted(TerminalId::Host)), (Some("ls -l"), None));
        session.handle(Event::Submitted(place, None));
        assert_eq!(session.submitted(place), None, "it is not known, and not the one before");
        session.handle(Event::Submitted(place, Some("ls".into())));
        begin(&mut session);
        assert_eq!(session.submitted(place), None);
    }
}
