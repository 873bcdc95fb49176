//! Any step can be reached at once: new shells, and the commands of the steps before it, one after the other.

use super::{
    Action, Lacking, Session,
    needs::lack,
    stage::{Shell, Stage, StepRun, Terminals},
    typing::solution,
};
use crate::{
    lesson::{Block, CONTAINER, Check, Lesson, Run, Shells, Step, TerminalId},
    trace::Hold,
};
use std::collections::VecDeque;

/// A replay under way.
#[derive(Clone, Debug)]
pub(super) struct Replay {
    lines: VecDeque<Run>,
    total: usize,
    /// Whether what the step counts on is tried, which all lines had to end for.
    trying: bool,
    /// Whether all lines have ended, and what they started in the background is waited for.
    settling: bool,
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
                let broken = step.breaks();
                let runs = step.blocks.iter().filter_map(|block| match block {
                    Block::Run(run) if !run.busy && !run.once && !run.interrupts() => Some(run.clone()),
                    _ => None,
                });
                broken.into_iter().chain(runs).chain(solution(step)).collect::<Vec<_>>()
            })
            .chain(lesson.steps.get(target).map(broken).unwrap_or_default())
            .collect();
        Replay { total: lines.len(), lines, trying: false, settling: false }
    }

    pub(super) fn done(&self) -> usize {
        self.total - self.lines.len()
    }

    pub(super) fn total(&self) -> usize {
        self.total
    }

    pub(super) fn is_settling(&self) -> bool {
        self.settling
    }
}

/// Empties the screen of a terminal, and what it remembers. Every shell has it built in, also one that can start nothing.
pub(super) const WIPE: &str = "printf '\\033[H\\033[2J\\033[3J'";

/// The lines that break a step. The screens show none of them afterwards: the learner is to find out.
fn broken(step: &Step) -> Vec<Run> {
    let lines = step.breaks();
    let used = TerminalId::ALL.into_iter().filter(|id| lines.iter().any(|run| run.terminal == *id));
    let wipes = used.map(|terminal| Run { terminal, line: WIPE.into(), ..Run::default() }).collect::<Vec<_>>();
    // A shell that remembers lines does not remember those that begin with a blank.
    let unseen = lines.into_iter().chain(wipes).map(|run| Run { line: format!(" {}", run.line), ..run });
    unseen.collect()
}

impl Session {
    /// Ends what runs and rebuilds the state that the step begins with.
    pub(super) fn rebuild(&mut self, target: usize, out: &mut Vec<Action>) {
        let target = target.min(self.lesson.steps.len().saturating_sub(1));
        self.notice = None;
        self.stage = Stage::Playing;
        self.step = StepRun::new(target);
        self.terminals = Terminals::starting();
        self.evidence.history.clear();
        // Without a learner nothing is made for a step that cannot be done; a learner wants to see the shells.
        let lacks = self.lack().is_some();
        if lacks && self.auto {
            return self.begin(out);
        }
        let shells = self.step().map_or_else(Shells::default, |step| step.shells);
        for terminal in TerminalId::ALL {
            out.push(Action::Restart(terminal, shells.is_users(terminal)));
            out.push(Action::Hold(terminal, Hold::Off));
        }
        if lacks {
            return self.begin(out);
        }
        self.stage = Stage::Replaying(Replay::plan(&self.lesson, &self.lacking, target));
        out.push(Action::Watch(self.asked(), self.asks_networks(), Vec::new()));
        out.push(Action::Deadline(Some(self.patience())));
    }

    /// Types the next line of the replay once both shells are ready for it, and begins the step after the last.
    pub(super) fn replay_on(&mut self, out: &mut Vec<Action>) {
        let ready = TerminalId::ALL.iter().all(|terminal| self.terminals.shells.get(terminal) == Some(&Shell::Idle));
        if !ready || self.terminals.waits() {
            return;
        }
        let Stage::Replaying(replay) = &self.stage else { return };
        let next = replay.lines.front().cloned();
        // A line follows its prompt. What is known of the container has to be new where it is looked at.
        let looked_at = next.as_ref().is_none_or(|run| run.line.contains(CONTAINER));
        if looked_at && self.seen < self.wanted {
            return;
        }
        let Some(run) = next else {
            if self.tries_first(out) {
                return;
            }
            return if self.is_settled() { self.replayed(out) } else { self.settle(out) };
        };
        if self.type_line(&run, out)
            && let Stage::Replaying(replay) = &mut self.stage
        {
            replay.lines.pop_front();
        }
    }

    /// Begins, once, to try what the step counts on. Before the last line has ended it would be tried in vain, and to hear nothing takes
    /// seconds.
    fn tries_first(&mut self, out: &mut Vec<Action>) -> bool {
        let probes = self.probes_of_kept();
        let Stage::Replaying(replay) = &mut self.stage else { return false };
        if probes.is_empty() || std::mem::replace(&mut replay.trying, true) {
            return false;
        }
        out.push(Action::Watch(self.asked(), self.asks_networks(), probes));
        self.look(out);
        true
    }

    /// Whether what the step counts on from its beginning (`keeps`) is so: a command in the background gives its prompt back
    /// before it has done anything.
    fn is_settled(&self) -> bool {
        let checks = self.step().into_iter().flat_map(|step| &step.blocks).find_map(|block| match block {
            Block::Check(checks) => Some(checks),
            _ => None,
        });
        let kept: Vec<Check> = checks.into_iter().flatten().filter(|check| check.keeps).cloned().collect();
        self.judge(&kept).iter().all(|verdict| verdict.passed != Some(false))
    }

    /// Waits for that, once and for a limited time: each sample asks again.
    fn settle(&mut self, out: &mut Vec<Action>) {
        let patience = self.patience();
        if let Stage::Replaying(replay) = &mut self.stage
            && !replay.settling
        {
            replay.settling = true;
            out.push(Action::Deadline(Some(patience)));
        }
    }

    /// The step begins, whether or not everything has settled in time: its checks say what is missing.
    pub(super) fn replayed(&mut self, out: &mut Vec<Action>) {
        out.push(Action::Deadline(None));
        self.begin(out);
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Event, Wish};
    use super::*;
    use crate::kernel::pid::Pid;
    use crate::{
        lesson::{Fact, Way},
        observe::{Privileges, Sample},
    };
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
        session.handle(Event::Wish(Wish::GoTo(1)));
        session.handle(Event::Prompt(TerminalId::Host, 0, 1));
        let prompt = || Event::Prompt(TerminalId::Container, 0, 1);
        assert_eq!(typed(&session.handle(prompt())), Some("one"));
        assert_eq!(typed(&session.handle(prompt())), Some("two"));
        assert_eq!(typed(&session.handle(prompt())), None);
        let sample = Arc::new(Sample { container: Some(Pid(7)), ..Sample::default() });
        assert_eq!(typed(&session.handle(Event::Sample(1, sample.clone()))), None, "it shows an earlier moment");
        let number = session.wanted;
        assert_eq!(typed(&session.handle(Event::Sample(number, sample.clone()))), Some("kill 7"));
        let told = session.handle(prompt());
        assert!(told.contains(&Action::Sample(session.wanted)));
        session.handle(Event::Sample(session.wanted - 1, sample.clone()));
        assert!(session.is_replaying(), "the step begins with what its last line has made");
        session.handle(Event::Sample(session.wanted, sample));
        assert!(!session.is_replaying());
    }

    #[test]
    fn what_breaks_a_step_runs_before_it_and_is_not_seen() {
        let run = |terminal, line: &str| Run { terminal, line: line.into(), ..Run::default() };
        let lines = |text: &str| vec![run(TerminalId::Container, text)];
        let way = |text: &str, or| Block::Solution(Way { runs: lines(text), or });
        let blocks =
            |broken: &str| vec![Block::Break(lines(broken)), way("one", false), way("two", false), way("other", true)];
        let steps = ["first", "second"].map(|broken| Step { blocks: blocks(broken), fresh: true, ..Step::default() });
        let goes_on = Step::default();
        let lesson = Lesson { steps: steps.into_iter().chain([goes_on]).collect(), ..Lesson::default() };
        let planned = |target| {
            let lines = Replay::plan(&lesson, &Vec::new(), target).lines;
            lines.into_iter().map(|run| run.line).collect::<Vec<_>>()
        };
        assert_eq!(planned(1), [" second".to_string(), format!(" {WIPE}")]);
        assert_eq!(planned(2), ["second", "one", "two"], "it is broken, and repaired in the first way");
        let solutions = lesson.steps[0].solutions();
        let typed: Vec<Vec<&str>> =
            solutions.iter().map(|way| way.iter().map(|run| run.line.as_str()).collect()).collect();
        assert_eq!(typed, [vec!["one", "two"], vec!["other"]]);
    }

    /// A step that counts on a container from its beginning, its only replayed line having ended.
    fn settling() -> (Session, Vec<Action>) {
        let run = Block::Run(Run { line: "runtime &".into(), ..Run::default() });
        let check =
            |keeps| Check { fact: Fact::NoNewPrivs(true), text: String::new(), source: String::new(), keeps, at: 1 };
        let target = Step { blocks: vec![Block::Check(vec![check(true)])], ..Step::default() };
        let lesson = Lesson { steps: vec![Step { blocks: vec![run], ..Step::default() }, target], ..Lesson::default() };
        let mut session = Session::new(lesson, false, Vec::new());
        session.handle(Event::Wish(Wish::GoTo(1)));
        for terminal in [TerminalId::Host, TerminalId::Container, TerminalId::Container] {
            session.handle(Event::Prompt(terminal, 0, 1));
        }
        let told = session.handle(Event::Sample(session.wanted, sample(false)));
        (session, told)
    }

    fn sample(no_new_privs: bool) -> Arc<Sample> {
        let privileges = Privileges { no_new_privs: Some(no_new_privs), ..Privileges::default() };
        Arc::new(Sample { privileges, ..Sample::default() })
    }

    #[test]
    fn a_step_begins_when_what_it_counts_on_is_there() {
        let (mut session, told) = settling();
        assert!(session.is_replaying() && told.iter().any(|action| matches!(action, Action::Deadline(Some(_)))));
        let told = session.handle(Event::Sample(session.wanted, sample(false)));
        assert!(session.is_replaying() && told.is_empty(), "the time does not begin anew: {told:?}");
        session.handle(Event::Sample(session.wanted, sample(true)));
        assert!(!session.is_replaying());
    }

    #[test]
    fn a_step_begins_without_it_when_the_time_is_over() {
        let (mut session, _) = settling();
        session.handle(Event::Deadline);
        assert!(!session.is_replaying() && session.notice().is_none());
        assert_eq!(session.step_index(), 1);
    }
}
