//! Any step can be reached at once: new shells, and the commands of the steps before it, one after the other.

use super::{Action, Lacking, Session, needs::lack, play::Shell, typing::solution};
use crate::{
    lesson::{Block, CONTAINER, Lesson, Run, TerminalId},
    trace::Hold,
};
use std::collections::VecDeque;

/// A replay under way.
#[derive(Debug)]
pub(super) struct Replay {
    lines: VecDeque<Run>,
    total: usize,
    target: usize,
}

impl Replay {
    /// The lines that lead from new shells to the beginning of `target`.
    fn plan(lesson: &Lesson, lacking: &Lacking, target: usize) -> Replay {
        let first = (0..=target).rev().find(|&step| step == 0 || lesson.steps.get(step).is_some_and(|step| step.fresh));
        let before = lesson.steps.iter().enumerate().take(target).skip(first.unwrap_or(0));
        let lines: VecDeque<Run> = before
            // What cannot be done here was not done when the lesson came past it, either.
            .filter(|(index, _)| lack(lesson, *index, lacking).is_none())
            .flat_map(|(_, step)| {
                let runs = step.blocks.iter().filter_map(|block| match block {
                    Block::Run(run) if !run.busy && !run.interrupts() => Some(run.clone()),
                    _ => None,
                });
                runs.chain(solution(step)).collect::<Vec<_>>()
            })
            .collect();
        Replay { total: lines.len(), lines, target }
    }

    pub(super) fn done(&self) -> usize {
        self.total - self.lines.len()
    }

    pub(super) fn total(&self) -> usize {
        self.total
    }

    pub(super) fn target(&self) -> usize {
        self.target
    }
}

impl Session {
    /// Ends what runs and rebuilds the state that the step begins with.
    pub(super) fn rebuild(&mut self, target: usize, out: &mut Vec<Action>) {
        let target = target.min(self.lesson.steps.len().saturating_sub(1));
        self.forget();
        self.evidence.history.clear();
        self.step = target;
        // Without a learner nothing is made for a step that cannot be done; a learner wants to see the shells.
        let lacks = self.lack().is_some();
        if lacks && self.auto {
            return self.begin(out);
        }
        for terminal in TerminalId::ALL {
            self.shells.insert(terminal, Shell::Busy);
            out.push(Action::Restart(terminal));
            out.push(Action::Hold(terminal, Hold::Off));
        }
        if lacks {
            return self.begin(out);
        }
        self.replay = Some(Replay::plan(&self.lesson, &self.lacking, target));
        out.push(Action::Deadline(Some(self.patience())));
    }

    /// Types the next line of the replay once both shells are ready for it, and begins the step after the last.
    pub(super) fn replay_on(&mut self, out: &mut Vec<Action>) {
        let ready = TerminalId::ALL.iter().all(|terminal| self.shells.get(terminal) == Some(&Shell::Idle));
        if !ready || self.waiting.is_some() {
            return;
        }
        let next = self.replay.as_ref().and_then(|replay| replay.lines.front().cloned());
        // A line follows its prompt. What is known of the container has to be new where somebody looks at it.
        let looked_at = next.as_ref().is_none_or(|run| run.line.contains(CONTAINER));
        if looked_at && self.seen < self.wanted {
            return;
        }
        let Some(run) = next else {
            self.replay = None;
            out.push(Action::Deadline(None));
            return self.begin(out);
        };
        if self.type_line(&run, out)
            && let Some(replay) = &mut self.replay
        {
            replay.lines.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Input, Wish};
    use super::*;
    use crate::{lesson::Step, observe::Sample};
    use std::sync::Arc;

    fn typed(actions: &[Action]) -> Option<&str> {
        actions.iter().find_map(|action| if let Action::Type(_, line) = action { Some(line.as_str()) } else { None })
    }

    #[test]
    fn a_line_follows_its_prompt_and_waits_for_a_sample_where_it_names_the_container() {
        let run = |line: &str| Block::Run(Run { line: line.into(), ..Run::default() });
        let before = Step { blocks: vec![run("one"), run("two"), run("kill {container}")], ..Step::default() };
        let lesson = Lesson { steps: vec![before, Step::default()], ..Lesson::default() };
        let mut session = Session::new(lesson, false, Vec::new());
        session.handle(Input::Wish(Wish::GoTo(1)));
        session.handle(Input::Prompt(TerminalId::Host, 0, 1));
        let prompt = || Input::Prompt(TerminalId::Container, 0, 1);
        assert_eq!(typed(&session.handle(prompt())), Some("one"));
        assert_eq!(typed(&session.handle(prompt())), Some("two"));
        assert_eq!(typed(&session.handle(prompt())), None);
        let sample = Arc::new(Sample { container: Some(7), ..Sample::default() });
        assert_eq!(typed(&session.handle(Input::Sample(1, sample.clone()))), None, "it shows an earlier moment");
        let number = session.wanted;
        assert_eq!(typed(&session.handle(Input::Sample(number, sample.clone()))), Some("kill 7"));
        let told = session.handle(prompt());
        assert!(told.contains(&Action::Sample(session.wanted)));
        session.handle(Input::Sample(session.wanted - 1, sample.clone()));
        assert!(session.replay.is_some(), "the step begins with what its last line has made");
        session.handle(Input::Sample(session.wanted, sample));
        assert!(session.replay.is_none());
    }
}
