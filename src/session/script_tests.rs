//! The session as a state machine: scripts of what happens, and what it wants done. No machine takes part.

use super::{Action, Event, Notice, Outcome, Phase, Ran, Report, Session, Wish, checks::cases, stage::Stage};
use crate::{
    kernel::pid::Pid,
    lang::Lang,
    lesson::{self, Lesson, TerminalId},
    observe::{Group, Sample},
    trace::{Call, TraceEvent},
};
use std::{sync::Arc, time::Duration};

pub(super) const CONTAINER: TerminalId = TerminalId::Container;
pub(super) const HOST: TerminalId = TerminalId::Host;

/// A lesson of these steps. Three hints, the last of which gives a command, and the reason are what every step must have.
pub(super) fn lesson(steps: &[(&str, &str)]) -> Lesson {
    let step = |(flags, blocks): &(&str, &str)| {
        let mut lines =
            blocks.lines().skip_while(|line| !line.starts_with("```run") && !line.starts_with("```solution"));
        let command = lines.nth(1);
        // What gives no command is a challenge, which has a hidden solution.
        let (more, solution) =
            if command.is_some() { ("", "") } else { (" challenge", "```solution container\nC\n```\n\n") };
        let command = command.unwrap_or("C");
        let hints = ["A", "B", command].map(|hint| format!("```hint\n{hint}\n```\n\n")).concat();
        format!("## S {{#{flags}{more}}}\n\nDo it.\n\n{blocks}\n\n{solution}{hints}```why\nSo.\n```\n\n")
    };
    let text = format!("# T\n\n> S\n\n{}", steps.iter().map(step).collect::<String>());
    lesson::parse("script/en.md", &text).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

pub(super) fn run(line: &str) -> String {
    format!("```run container\n{line}\n```\n\n")
}

pub(super) fn check(instruction: &str) -> String {
    format!("```check\n{instruction} : yes\n```\n\n")
}

/// A session, and the number of the newest sample that it has asked for.
pub(super) struct Script {
    pub(super) session: Session,
    pub(super) asked: u64,
}

impl Script {
    /// A session that goes to this step, its shells at their prompts, and what the machine looks like then.
    pub(super) fn new(lesson: Lesson, auto: bool, step: usize, sample: &Sample) -> (Script, Vec<Action>) {
        let mut script = Script { session: Session::new(lesson, auto, Vec::new()), asked: 0 };
        let mut told = script.give(Event::Wish(Wish::GoTo(step)));
        told.extend(script.prompts(sample));
        (script, told)
    }

    pub(super) fn give(&mut self, event: Event) -> Vec<Action> {
        let told = self.session.handle(event);
        for action in &told {
            if let Action::Sample(number) = action {
                self.asked = *number;
            }
        }
        told
    }

    pub(super) fn prompts(&mut self, sample: &Sample) -> Vec<Action> {
        let mut told = Vec::new();
        for terminal in TerminalId::ALL {
            told.extend(self.give(Event::Prompt(terminal, 0, 1)));
        }
        told.extend(self.sample(sample));
        told
    }

    /// The newest state that was asked for.
    pub(super) fn sample(&mut self, sample: &Sample) -> Vec<Action> {
        self.give(Event::Sample(self.asked, Arc::new(sample.clone())))
    }

    /// A prompt in the container's terminal, and the state after it.
    pub(super) fn prompt(&mut self, sample: &Sample) -> Vec<Action> {
        let mut told = self.give(Event::Prompt(CONTAINER, 0, 1));
        told.extend(self.sample(sample));
        told
    }

    pub(super) fn go(&mut self) -> Vec<Action> {
        self.give(Event::Wish(Wish::Go))
    }
}

pub(super) fn typed(actions: &[Action]) -> Vec<&str> {
    let lines = actions.iter().filter_map(|action| match action {
        Action::Type(_, line) => Some(line.as_str()),
        _ => None,
    });
    lines.collect()
}

/// What was told of steps: begun, passed and so on.
pub(super) fn reports(actions: &[Action]) -> Vec<&Report> {
    let reports = actions.iter().filter_map(|action| match action {
        Action::Report(report @ (Report::Step(_) | Report::Outcome(..) | Report::End)) => Some(report),
        _ => None,
    });
    reports.collect()
}

pub(super) fn restarts(actions: &[Action]) -> usize {
    actions.iter().filter(|action| matches!(action, Action::Restart(..))).count()
}

pub(super) fn deadlines(actions: &[Action]) -> Vec<Option<u64>> {
    let deadlines = actions.iter().filter_map(|action| match action {
        Action::Deadline(time) => Some(time.map(|time| time.as_secs())),
        Action::Await(_, time) => Some(Some(time.as_secs())),
        _ => None,
    });
    deadlines.collect()
}

/// The state in which `hostname inside is box` holds, and one in which it does not.
pub(super) fn named() -> Sample {
    cases::sample()
}

pub(super) fn unnamed() -> Sample {
    cases::with(|sample| sample.inside.hostname = Some("machine".into()))
}

pub(super) fn held(pid: i32, name: &str) -> Event {
    Event::Trace(CONTAINER, TraceEvent::Held(Pid(100), Call::of(Pid(pid), "unshare", name, [0; 6])))
}

#[test]
fn a_check_is_judged_only_after_the_learner_has_acted() {
    let lesson = lesson(&[("a fresh", &check("hostname inside is box"))]);
    let (mut script, _) = Script::new(lesson, false, 0, &named());
    assert_eq!(script.session.phase(), Phase::Checking(1));
    // It holds already, and is shown as it is; the step is not done.
    assert_eq!(script.session.verdicts(1)[0].passed, Some(true));
    script.prompt(&named());
    assert_eq!(script.session.phase(), Phase::Checking(1));
    script.give(Event::Typed(CONTAINER));
    assert_eq!(script.session.phase(), Phase::Checking(1), "nothing new has been seen");
    let told = script.prompt(&named());
    assert_eq!(script.session.phase(), Phase::Done);
    assert_eq!(reports(&told), [&Report::Outcome(0, Outcome::Passed)]);
    assert_eq!(script.session.outcomes(), [Some(Outcome::Passed)]);
}

#[test]
fn one_action_is_not_enough_for_two_blocks_of_checks() {
    let blocks = [check("hostname inside is box"), check("init sh")].concat();
    let (mut script, _) = Script::new(lesson(&[("a fresh", &blocks)]), false, 0, &named());
    script.give(Event::Typed(CONTAINER));
    script.prompt(&named());
    assert_eq!(script.session.phase(), Phase::Checking(2));
    script.prompt(&named());
    assert_eq!(script.session.phase(), Phase::Checking(2));
    script.give(Event::Typed(HOST));
    script.sample(&named());
    assert_eq!(script.session.phase(), Phase::Done);
}

#[test]
fn a_stale_sample_decides_nothing() {
    let lesson = lesson(&[("a fresh", &[run("hostname box"), check("hostname inside is box")].concat())]);
    let (mut script, _) = Script::new(lesson, false, 0, &unnamed());
    assert_eq!(script.session.phase(), Phase::Due(1));
    assert_eq!(typed(&script.go()), ["hostname box"]);
    assert_eq!(script.session.phase(), Phase::Running);
    let before = script.asked;
    script.give(Event::Prompt(CONTAINER, 0, 1));
    assert!(script.asked > before, "a prompt is worth a new look");
    assert_eq!(script.session.phase(), Phase::Checking(2));
    // It shows the right thing, but may have been taken before the command.
    script.give(Event::Sample(before, Arc::new(named())));
    assert_eq!(script.session.phase(), Phase::Checking(2));
    assert_eq!(script.session.verdicts(2)[0].passed, Some(true));
    script.sample(&named());
    assert_eq!(script.session.phase(), Phase::Done);
}

#[test]
fn all_facts_of_a_block_must_hold_together() {
    let both = "```check\nhostname inside is box : one\nlistening inside 8080 : two\n```\n\n";
    let (mut script, _) = Script::new(lesson(&[("a fresh", both)]), false, 0, &unnamed());
    let closed = cases::with(|sample| sample.inside.listening.clear());
    for (sample, first, second) in [(unnamed(), false, true), (closed, true, false)] {
        script.give(Event::Typed(CONTAINER));
        script.prompt(&sample);
        let verdicts = script.session.verdicts(1);
        assert_eq!((verdicts[0].passed, verdicts[1].passed), (Some(first), Some(second)));
        assert_eq!(script.session.failing(1).count(), 1);
        assert_eq!(script.session.phase(), Phase::Checking(1));
    }
    script.give(Event::Typed(CONTAINER));
    let told = script.prompt(&named());
    assert_eq!(script.session.phase(), Phase::Done);
    let checks = told.iter().filter_map(|action| match action {
        Action::Report(Report::Check(step, block, number, verdict)) => Some((*step, *block, *number, verdict.passed)),
        _ => None,
    });
    assert_eq!(checks.collect::<Vec<_>>(), [(0, 1, 0, Some(true)), (0, 1, 1, Some(true))]);
}

#[test]
fn a_learner_may_type_past_the_commands() {
    let blocks = [run("one"), run("two"), check("hostname inside is box"), run("three")].concat();
    let (mut script, _) = Script::new(lesson(&[("a fresh", &blocks)]), false, 0, &named());
    script.prompt(&named());
    assert_eq!(script.session.phase(), Phase::Due(1), "nothing was typed");
    script.give(Event::Typed(CONTAINER));
    script.prompt(&unnamed());
    assert_eq!(script.session.phase(), Phase::Due(1), "and it does not hold");
    script.prompt(&named());
    assert_eq!(script.session.phase(), Phase::Due(4));
    // The lesson's own command is not the learner's.
    let (mut script, _) = Script::new(lesson(&[("a fresh", &blocks)]), false, 0, &unnamed());
    script.go();
    script.prompt(&named());
    assert_eq!(script.session.phase(), Phase::Due(2));
    // Without a learner nothing is typed.
    let (mut script, told) = Script::new(lesson(&[("a fresh", &blocks)]), true, 0, &named());
    assert_eq!(typed(&told), ["one"]);
    script.give(Event::Typed(CONTAINER));
    assert_eq!(typed(&script.prompt(&named())), ["two"]);
}

#[test]
fn after_a_failure_the_next_step_is_rebuilt() {
    let steps = [
        ("a fresh", [run("one"), check("hostname inside is box")].concat()),
        ("b", [run("two"), check("hostname inside is box")].concat()),
    ];
    let steps: Vec<(&str, &str)> = steps.iter().map(|(flags, blocks)| (*flags, blocks.as_str())).collect();
    // Where the first step passes, the second goes on in the same shells.
    let (mut script, told) = Script::new(lesson(&steps), true, 0, &unnamed());
    assert_eq!((typed(&told), restarts(&told)), (vec!["one"], 2));
    let told = script.prompt(&named());
    assert_eq!((typed(&told), restarts(&told)), (vec!["two"], 0));
    assert_eq!(reports(&told), [&Report::Outcome(0, Outcome::Passed), &Report::Step(1)]);

    let (mut script, _) = Script::new(lesson(&steps), true, 0, &unnamed());
    let told = script.prompt(&unnamed());
    assert_eq!((typed(&told), deadlines(&told).last()), (vec![], Some(&Some(10))));
    let told = script.give(Event::Deadline);
    let why = "expected box, observed machine";
    assert_eq!(reports(&told), [&Report::Outcome(0, Outcome::Failed(why.into()))]);
    assert_eq!((restarts(&told), script.session.phase()), (2, Phase::Preparing(0, 1)));
    // The failed step's commands make the state that the second begins with.
    let told = script.prompts(&unnamed());
    assert_eq!((typed(&told), script.session.phase()), (vec!["one"], Phase::Preparing(1, 1)));
    let told = script.prompt(&unnamed());
    assert_eq!((typed(&told), reports(&told)), (vec!["two"], vec![&Report::Step(1)]));
    script.prompt(&unnamed());
    let told = script.give(Event::Deadline);
    assert_eq!((restarts(&told), reports(&told).last()), (0, Some(&&Report::End)));
    assert!(matches!(script.session.stage, Stage::Finished));
}

#[test]
fn a_busy_terminal_gets_no_command() {
    let blocks = [run("one"), check("init top")].concat();
    let (mut script, _) = Script::new(lesson(&[("a fresh", &blocks)]), false, 0, &unnamed());
    script.give(Event::Typed(CONTAINER));
    assert_eq!((typed(&script.go()), script.session.notice()), (vec![], Some(&Notice::Busy(CONTAINER))));
    script.prompt(&unnamed());
    assert_eq!((typed(&script.go()), script.session.notice()), (vec!["one"], None));
    assert_eq!(script.session.ran(1), Some(&Ran::Line("one".into())));
}

#[test]
fn a_question_comes_before_its_command() {
    let question = "```predict\nWhy?\n- [ ] a\n- [x] b\n```\n\n".to_string() + &run("one") + &check("init sh");
    let (mut script, _) = Script::new(lesson(&[("a fresh", &question)]), false, 0, &unnamed());
    assert_eq!(script.session.phase(), Phase::Asking(1));
    assert_eq!((typed(&script.go()), script.session.notice()), (vec![], Some(&Notice::AnswerFirst)));
    script.give(Event::Wish(Wish::Answer(2)));
    assert_eq!((script.session.phase(), script.session.answer(1)), (Phase::Asking(1), None));
    let mut other = Script::new(lesson(&[("a fresh", &question)]), false, 0, &unnamed()).0;
    for (script, answer, right) in [(&mut script, 0, false), (&mut other, 1, true)] {
        let told = script.give(Event::Wish(Wish::Answer(answer)));
        assert!(told.contains(&Action::Report(Report::Answered(0, 1, right))), "{told:?}");
    }
    assert_eq!((script.session.phase(), script.session.answer(1)), (Phase::Due(2), Some(0)));
    script.give(Event::Wish(Wish::Answer(1)));
    assert_eq!(script.session.answer(1), Some(0), "what was answered stays");
    let (_, told) = Script::new(lesson(&[("a fresh", &question)]), true, 0, &unnamed());
    assert_eq!(typed(&told), ["one"], "nothing is asked without a learner");
}

#[test]
fn there_are_as_many_hints_as_the_step_has() {
    let (mut script, _) = Script::new(lesson(&[("a fresh", &check("init sh"))]), false, 0, &unnamed());
    let shown: Vec<usize> = (0..5).map(|_| (script.give(Event::Wish(Wish::Hint)), script.session.hints()).1).collect();
    assert_eq!(shown, [1, 2, 3, 3, 3]);
}

#[test]
fn a_step_begins_with_nothing_of_the_one_before() {
    let first = [run("one"), check("call unshare ok")].concat();
    let second = [run("two"), check("call unshare ok")].concat();
    let (mut script, _) = Script::new(lesson(&[("a fresh", &first), ("b", &second)]), false, 0, &unnamed());
    script.go();
    let call = cases::call("unshare", 0, Ok(0));
    script.give(Event::Trace(CONTAINER, TraceEvent::Syscall(Pid(100), call.clone())));
    let (comm, ended) = cases::exited("sh", 3);
    script.give(Event::Trace(CONTAINER, TraceEvent::Exit { root: Pid(100), pid: Pid(7), comm, ended }));
    script.give(Event::Wish(Wish::Hint));
    script.prompt(&unnamed());
    assert_eq!(script.session.phase(), Phase::Done);
    let told = script.go();
    assert_eq!((reports(&told), restarts(&told)), (vec![&Report::Step(1)], 0));
    assert_eq!((script.session.hints(), script.session.ran(1), script.session.at()), (0, None, 1));
    script.go();
    script.prompt(&unnamed());
    assert_eq!(script.session.phase(), Phase::Checking(2), "the call belongs to the first step");
    script.give(Event::Trace(CONTAINER, TraceEvent::Syscall(Pid(100), call)));
    script.sample(&unnamed());
    assert_eq!(script.session.phase(), Phase::Done);
    assert_eq!(reports(&script.go()), [&Report::End]);
    assert_eq!(reports(&script.go()), [&Report::Step(0); 0], "the end is told once");
    // Going back forgets what the step had come to.
    script.give(Event::Wish(Wish::GoTo(1)));
    script.prompts(&unnamed());
    script.prompt(&unnamed());
    assert_eq!((script.session.outcomes()[1].clone(), matches!(script.session.stage, Stage::Finished)), (None, false));
}

#[test]
fn counters_are_compared_with_what_was_before_the_step() {
    let blocks = [run("one"), check("group oom-kills grew")].concat();
    let counted = |kills| {
        let mut group = Group { exists: true, ..Group::default() };
        group.values.memory.oom_kills = Some(kills);
        Sample { group, ..unnamed() }
    };
    let (mut script, _) = Script::new(lesson(&[("a fresh", &blocks), ("b", &blocks)]), false, 0, &counted(1));
    script.go();
    script.prompt(&counted(1));
    assert_eq!(script.session.verdicts(2)[0].observed, "1");
    script.sample(&counted(2));
    assert_eq!(script.session.phase(), Phase::Done);
    assert_eq!(script.session.proof().memory[0].oom_kills, 1);
    script.go();
    script.go();
    script.prompt(&counted(2));
    let verdict = &script.session.verdicts(2)[0];
    assert_eq!((verdict.passed, verdict.expected.as_str()), (Some(false), "> 2"));
}

#[test]
fn a_translation_keeps_the_place() {
    let blocks = [run("one"), check("init sh")].concat();
    let (mut script, _) = Script::new(lesson(&[("a fresh", &blocks)]), false, 0, &unnamed());
    let chinese = Lesson { lang: Lang::Zh, ..lesson(&[("a fresh", &blocks)]) };
    script.session.translate(Lesson { id: "other".into(), ..chinese.clone() });
    assert_eq!(script.session.lang(), Lang::En);
    script.session.translate(Lesson { steps: Vec::new(), ..chinese.clone() });
    assert_eq!(script.session.lang(), Lang::En);
    script.session.translate(chinese);
    assert_eq!((script.session.lang(), script.session.phase()), (Lang::Zh, Phase::Due(1)));
    assert_eq!(script.session.lesson().lang, Lang::Zh);
    assert_eq!(script.session.patience(), Duration::from_secs(10));
}

#[test]
fn what_a_command_did_is_no_refusal_before_it_is_seen() {
    let blocks = [run("one"), check("hostname inside is box")].concat();
    let (mut script, _) = Script::new(lesson(&[("a fresh", &blocks)]), false, 0, &unnamed());
    script.go();
    script.give(Event::Prompt(CONTAINER, 0, 1));
    // The last sample is from before the command.
    assert_eq!((script.session.phase(), script.session.is_shown()), (Phase::Checking(2), false));
    script.sample(&unnamed());
    assert!(script.session.is_shown() && script.session.failing(2).next().is_some());
}
