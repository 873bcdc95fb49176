//! How a step ends: passed, failed or skipped; and what comes next.

use super::{
    Action, Notice, Outcome, Phase, Report, Session, Verdict,
    checklist::is_same,
    stage::{Shell, Stage, StepRun},
};
use crate::lesson::{Block, Check, Run, TerminalId};
use std::collections::BTreeSet;

/// How often the end of a wait is put off.
const MAX_PUT_OFF: usize = 3;

impl Session {
    pub(super) fn deadline(&mut self, out: &mut Vec<Action>) {
        if matches!(&self.stage, Stage::Replaying(replay) if replay.is_settling()) {
            return self.replayed(out);
        }
        let lang = self.lesson.lang;
        let reason = match self.phase() {
            Phase::Checking(block) if self.put_off(block, out) => return,
            Phase::Checking(block) => {
                let missed = self.verdicts(block).iter().find(|verdict| verdict.passed == Some(false)).cloned();
                if let Some(Block::Check(checks)) = self.block(block).cloned() {
                    for number in 0..checks.len() {
                        if let Some(verdict) = self.verdicts(block).get(number).cloned() {
                            out.push(Action::Report(Report::Check(self.step.index, block, number, verdict)));
                        }
                    }
                }
                missed.map_or_else(
                    || lang.pick("the checks did not hold", "检查没有通过").to_string(),
                    |verdict| {
                        let Verdict { expected, observed, .. } = verdict;
                        lang.pick(
                            format!("expected {expected}, observed {observed}"),
                            format!("期望 {expected}，实际 {observed}"),
                        )
                    },
                )
            }
            _ => {
                let seconds = self.patience().as_secs();
                lang.pick(format!("no prompt came back within {seconds} s"), format!("{seconds} 秒之内没有等到提示符"))
            }
        };
        self.fail(reason, out);
    }

    /// Waits once more, a limited number of times, where the kernel's answer is not there yet: on a machine that is very busy
    /// the reading that was asked for, or the three seconds under the present limit, may take longer than all patience.
    fn put_off(&mut self, block: usize, out: &mut Vec<Action>) -> bool {
        let Some(Block::Check(checks)) = self.block(block).cloned() else { return false };
        let measured = self.share().is_some_and(|share| share.cap.is_some());
        let unanswered = self.seen < self.wanted || checks.iter().any(Check::measures) && !measured;
        if !unanswered || self.step.put_off >= MAX_PUT_OFF {
            return false;
        }
        self.step.put_off += 1;
        out.push(Action::Deadline(Some(self.patience_for(&checks))));
        true
    }

    /// A line did not do what the next ones count on. A learner may try it again, or begin the step again.
    pub(super) fn stumble(&mut self, run: &Run, status: i32, out: &mut Vec<Action>) {
        if self.auto || self.is_replaying() {
            let line = &run.line;
            let lang = self.lesson.lang;
            let mut reason =
                lang.pick(format!("`{line}` ended with status {status}"), format!("`{line}` 的退出状态是 {status}"));
            if run.image {
                reason = lang.pick(
                    format!("the image cannot be used: {reason} and says why; --image names another image"),
                    format!("镜像无法使用：{reason}，原因见它的输出；用 --image 可以指定别的镜像"),
                );
                self.imageless = true;
            }
            return self.fail(reason, out);
        }
        self.step.due.clear();
        let line = run.line.clone();
        self.notice = Some(if run.image { Notice::NoImage(line, status) } else { Notice::Stumbled(line, status) });
        self.look(out);
    }

    pub(super) fn fail(&mut self, reason: String, out: &mut Vec<Action>) {
        self.terminals.running = None;
        self.step.due.clear();
        out.push(Action::Deadline(None));
        if self.is_replaying() {
            self.stage = Stage::Playing;
            self.notice = Some(Notice::NotRebuilt(reason.clone()));
            out.push(Action::Report(Report::Step(self.step.index)));
        }
        if self.auto {
            self.close(Outcome::Failed(reason), out);
        }
    }

    pub(super) fn close(&mut self, outcome: Outcome, out: &mut Vec<Action>) {
        let clean = outcome == Outcome::Passed;
        if let Some(place) = self.outcomes.get_mut(self.step.index) {
            *place = Some(outcome.clone());
        }
        out.push(Action::Report(Report::Outcome(self.step.index, outcome)));
        if clean && !self.auto {
            let shown = self.rungs() > 0 && self.step.hints >= self.rungs();
            out.push(Action::Report(Report::Solved(self.step.index, !shown)));
        }
        if clean {
            self.end_loops(out);
        }
        if self.auto {
            // What a failed step left behind is unknown: the next one starts from a replay.
            if clean { self.next_step(out) } else { self.after_failure(out) }
        }
    }

    /// Tells that the learner goes on to a later step without having solved this one.
    pub(super) fn leave_for(&self, target: usize, out: &mut Vec<Action>) {
        let begun = matches!(self.stage, Stage::Playing | Stage::Finished);
        let open = self.outcomes.get(self.step.index).is_some_and(Option::is_none);
        if begun && open && target > self.step.index && target < self.lesson.steps.len() {
            out.push(Action::Report(Report::Left(self.step.index)));
        }
    }

    /// Ends what the step would have ended with ^C, where it runs on: a learner may have come to the end another way, and
    /// no loop should keep a CPU until the terminal is closed.
    fn end_loops(&self, out: &mut Vec<Action>) {
        let blocks = self.step().into_iter().flat_map(|step| &step.blocks);
        let ended = blocks.filter_map(|block| match block {
            Block::Run(run) if run.interrupts() => Some(run.terminal),
            _ => None,
        });
        let running: BTreeSet<TerminalId> = ended
            .filter(|id| self.terminals.shells.get(id) == Some(&Shell::Busy) && self.runs_busy_line(*id))
            .collect();
        out.extend(running.into_iter().map(Action::Interrupt));
    }

    /// Whether what runs in a terminal may be one of the step's own lines that run until they are ended.
    fn runs_busy_line(&self, terminal: TerminalId) -> bool {
        let Some(line) = self.submitted(terminal) else { return true };
        self.step().into_iter().flat_map(|step| &step.blocks).any(
            |block| matches!(block, Block::Run(run) if run.busy && run.terminal == terminal && is_same(&run.line, line)),
        )
    }

    pub(super) fn after_failure(&mut self, out: &mut Vec<Action>) {
        // The other steps would fail for the same reason, and say it once more each.
        if self.step.index + 1 < self.lesson.steps.len() && !self.imageless {
            self.rebuild(self.step.index + 1, out);
        } else {
            self.end(out);
        }
    }

    pub(super) fn next_step(&mut self, out: &mut Vec<Action>) {
        let next = self.step.index + 1;
        match self.lesson.steps.get(next) {
            None => self.end(out),
            Some(step) if step.fresh => self.rebuild(next, out),
            Some(_) => {
                self.step = StepRun::new(next);
                self.begin(out);
            }
        }
    }

    pub(super) fn end(&mut self, out: &mut Vec<Action>) {
        if !matches!(self.stage, Stage::Finished) {
            self.stage = Stage::Finished;
            out.push(Action::Report(Report::End));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        lesson::{Fact, Lesson, Step},
        session::{Event, Wish},
    };
    use std::sync::Arc;

    /// Everything that a machine would be told, where each of its shells comes up and each sample is empty.
    fn begun(auto: bool) -> (Session, Vec<Action>) {
        let run = |line: &str| Block::Run(Run { line: line.into(), ..Run::default() });
        let step = Step { blocks: vec![run("first"), run("second")], ..Step::default() };
        let mut session = Session::new(Lesson { steps: vec![step], ..Lesson::default() }, auto, Vec::new());
        let mut told = session.handle(Event::Wish(Wish::GoTo(0)));
        for terminal in TerminalId::ALL {
            told.extend(session.handle(Event::Prompt(terminal, 0, 1)));
        }
        let number =
            told.iter().filter_map(|action| if let Action::Sample(n) = action { Some(*n) } else { None }).max();
        told.extend(session.handle(Event::Sample(number.unwrap(), Arc::default())));
        (session, told)
    }

    fn typed(actions: &[Action]) -> Vec<&str> {
        let lines = actions.iter().filter_map(|action| match action {
            Action::Type(_, line) => Some(line.as_str()),
            _ => None,
        });
        lines.collect()
    }

    #[test]
    fn without_a_learner_nothing_follows_a_line_that_failed() {
        let (mut session, told) = begun(true);
        assert_eq!(typed(&told), ["first"]);
        let told = session.handle(Event::Prompt(TerminalId::Container, 2, 1));
        assert_eq!(typed(&told), [""; 0]);
        assert!(matches!(session.outcomes(), [Some(Outcome::Failed(why))] if why.contains("first")));
    }

    #[test]
    fn without_the_image_there_is_no_lesson() {
        let image = Run { line: "skopeo copy dir:/x dir:image".into(), image: true, ..Run::default() };
        let step = Step { blocks: vec![Block::Run(image)], fresh: true, ..Step::default() };
        let lesson = Lesson { steps: vec![step.clone(), step], ..Lesson::default() };
        for (auto, first) in [(true, 0), (true, 1), (false, 0)] {
            let mut session = Session::new(lesson.clone(), auto, Vec::new());
            session.handle(Event::Wish(Wish::GoTo(first)));
            for terminal in TerminalId::ALL {
                session.handle(Event::Prompt(terminal, 0, 1));
            }
            session.handle(Event::Sample(session.wanted, Arc::default()));
            session.handle(Event::Wish(Wish::Go));
            let told = session.handle(Event::Prompt(TerminalId::Container, 1, 1));
            if !auto {
                assert!(matches!(session.notice(), Some(Notice::NoImage(..))));
                continue;
            }
            let reports = told.iter().filter(|action| matches!(action, Action::Report(Report::Outcome(..))));
            assert_eq!(reports.count(), 1);
            assert!(told.contains(&Action::Report(Report::End)), "{told:?}");
            let failed = session.outcomes().iter().flatten().next();
            assert!(matches!(failed, Some(Outcome::Failed(why)) if why.contains("--image")), "{failed:?}");
        }
    }

    #[test]
    fn a_learner_is_given_the_same_line_again() {
        let (mut session, _) = begun(false);
        assert_eq!(typed(&session.handle(Event::Wish(Wish::Go))), ["first"]);
        assert_eq!(typed(&session.handle(Event::Prompt(TerminalId::Container, 2, 1))), [""; 0]);
        assert_eq!(session.notice(), Some(&Notice::Stumbled("first".into(), 2)));
        assert_eq!(typed(&session.handle(Event::Wish(Wish::Go))), ["first"]);
        session.handle(Event::Prompt(TerminalId::Container, 0, 1));
        assert_eq!(typed(&session.handle(Event::Wish(Wish::Go))), ["second"]);
    }

    #[test]
    fn a_loop_ends_with_its_step() {
        let (mut session, _) = begun(false);
        session.lesson.steps[0].blocks = vec![Block::Run(Run { line: "^C".into(), ..Run::default() })];
        for (shell, interrupted) in [(Shell::Busy, 1), (Shell::Idle, 0)] {
            session.terminals.shells.insert(TerminalId::Container, shell);
            let mut out = Vec::new();
            session.close(Outcome::Passed, &mut out);
            let found = out.iter().filter(|action| **action == Action::Interrupt(TerminalId::Container)).count();
            assert_eq!(found, interrupted, "{out:?}");
        }
    }

    #[test]
    fn an_answer_that_has_not_come_is_waited_for_and_not_for_ever() {
        let (mut session, _) = begun(true);
        let check = Check { fact: Fact::Alone, text: String::new(), source: String::new(), keeps: false, at: 1 };
        session.lesson.steps[0].blocks = vec![Block::Check(vec![check])];
        (session.step.at, session.terminals.running, session.wanted) = (0, None, session.seen + 1);
        for wait in 1..=MAX_PUT_OFF + 1 {
            let mut out = Vec::new();
            session.deadline(&mut out);
            let goes_on = matches!(out.as_slice(), [Action::Deadline(Some(_))]);
            assert_eq!(goes_on, wait <= MAX_PUT_OFF, "{out:?}");
        }
    }
}
