//! Scripts about how a step ends: skipped, failed, without a learner, or not at all.

use super::{Action, Event, Notice, Outcome, Phase, Report, Session, Wish, checks::cases, script_tests::*};
use crate::{
    kernel::{namespaces::Kind, pid::Pid},
    lesson::{Requirement, TerminalId},
    trace::TraceEvent,
};

#[test]
fn a_step_without_a_tracer_is_skipped_and_not_passed() {
    let blocks = [run("one"), check("call unshare ok")].concat();
    for (event, wanted) in [(true, "skipped"), (false, "none")] {
        let (mut script, _) = Script::new(lesson(&[("a fresh", &blocks)]), false, 0, &unnamed());
        if event {
            script.give(Event::Trace(CONTAINER, TraceEvent::Refused(Pid(100), cases::untraced())));
        }
        script.go();
        script.prompt(&unnamed());
        let skipped = Some(Outcome::Skipped("no tracer".into()));
        assert_eq!(script.session.outcomes(), [if event { skipped } else { None }], "{wanted}");
        assert_eq!(script.session.untraced(), event.then_some("no tracer"));
    }
    // A step that asks for no call passes all the same.
    let blocks = [run("one"), check("hostname inside is box")].concat();
    let (mut script, _) = Script::new(lesson(&[("a fresh", &blocks)]), false, 0, &unnamed());
    script.give(Event::Trace(CONTAINER, TraceEvent::Refused(Pid(100), cases::untraced())));
    script.go();
    script.prompt(&named());
    assert_eq!(script.session.outcomes(), [Some(Outcome::Passed)]);
}

#[test]
fn what_the_machine_lacks_blocks_the_steps_that_need_it() {
    let needs = "```requires\nnamespace time\n```\n\n".to_string() + &run("one") + &check("init sh");
    let plain = [run("two"), check("init sh")].concat();
    let steps = [("a fresh", needs.as_str()), ("b", plain.as_str())];
    let lacking = vec![(Requirement::Namespace(Kind::Time), "no time".to_string())];
    for auto in [false, true] {
        let mut session = Session::new(lesson(&steps), auto, lacking.clone());
        let told = session.handle(Event::Wish(Wish::GoTo(0)));
        assert_eq!(reports(&told)[1], &Report::Outcome(0, Outcome::Skipped("no time".into())), "{auto}");
        // A learner wants to see the shells; without one only what comes next needs them.
        assert_eq!((restarts(&told), session.step_index()), (2, usize::from(auto)));
        if !auto {
            assert_eq!(session.phase(), Phase::Blocked("no time".into()));
            let told = session.handle(Event::Wish(Wish::Go));
            assert_eq!((reports(&told), session.phase()), (vec![&Report::Step(1)], Phase::Due(1)));
        }
    }
    // A user who may not even make the two shells can do no step.
    let none = vec![(Requirement::Root, "no root".to_string())];
    let mut session = Session::new(lesson(&steps), false, none);
    session.handle(Event::Wish(Wish::GoTo(1)));
    assert_eq!(session.phase(), Phase::Blocked("no root".into()));
    session.lacks(Vec::new());
    session.handle(Event::Wish(Wish::GoTo(1)));
    assert!(matches!(session.phase(), Phase::Preparing(0, 1)));
}

#[test]
fn without_a_learner_every_wait_has_an_end() {
    let plain = [run("one"), check("init top")].concat();
    let measured = [run("one"), check("group cpu 45..55")].concat();
    for (blocks, slowness, prompt, checks) in [(&plain, 1, 10, 10), (&measured, 1, 10, 40), (&measured, 3, 30, 120)] {
        let session = Session::new(lesson(&[("a fresh", blocks)]), true, Vec::new()).slowed(slowness);
        let mut script = Script { session, asked: 0 };
        assert_eq!(deadlines(&script.give(Event::Wish(Wish::GoTo(0)))), [Some(prompt)]);
        let told = script.prompts(&unnamed());
        assert_eq!(deadlines(&told), [None, Some(prompt)], "the shells, then the command");
        let told = script.give(Event::Prompt(CONTAINER, 0, 1));
        assert_eq!(deadlines(&told), [None, Some(checks)], "the prompt, then the checks");
        assert_eq!(deadlines(&script.sample(&unnamed())), [], "which is not put off");
    }
    let (mut script, _) = Script::new(lesson(&[("a fresh", &plain)]), true, 0, &unnamed());
    let told = script.give(Event::Deadline);
    let why = "no prompt came back within 10 s";
    assert_eq!(reports(&told), [&Report::Outcome(0, Outcome::Failed(why.into())), &Report::End]);
    // A learner may take for ever.
    let (_, told) = Script::new(lesson(&[("a fresh", &plain)]), false, 0, &unnamed());
    assert_eq!(deadlines(&told).last(), Some(&None));
}

#[test]
fn a_replay_that_fails_says_so_to_the_learner() {
    let blocks = [run("one"), check("init sh")].concat();
    let steps = [("a fresh", blocks.as_str()), ("b", blocks.as_str())];
    let mut script = Script { session: Session::new(lesson(&steps), false, Vec::new()), asked: 0 };
    script.give(Event::Wish(Wish::GoTo(1)));
    for terminal in TerminalId::ALL {
        script.give(Event::Prompt(terminal, 0, 1));
    }
    assert_eq!(script.session.phase(), Phase::Preparing(1, 1));
    let told = script.give(Event::Prompt(CONTAINER, 4, 1));
    assert_eq!(script.session.notice(), Some(&Notice::NotRebuilt("`one` ended with status 4".into())));
    assert_eq!((script.session.step_index(), reports(&told)), (1, vec![&Report::Step(1)]));
    // Beyond the last step there is only the last.
    script.give(Event::Wish(Wish::GoTo(9)));
    assert_eq!((script.session.step_index(), script.session.notice()), (1, None));
}

#[test]
fn the_hidden_solution_is_played_once_and_only_without_a_learner() {
    let blocks = "```solution container\none\ntwo\n```\n\n".to_string() + &check("hostname inside is box");
    let steps = [("a fresh challenge", blocks.as_str())];
    let (mut script, told) = Script::new(lesson(&steps), true, 0, &unnamed());
    assert_eq!(typed(&told), ["one"]);
    assert_eq!(typed(&script.prompt(&unnamed())), ["two"]);
    assert_eq!(typed(&script.prompt(&unnamed())), [""; 0]);
    assert_eq!(reports(&script.sample(&named())), [&Report::Outcome(0, Outcome::Passed), &Report::End]);
    let (mut script, told) = Script::new(lesson(&steps), false, 0, &unnamed());
    assert_eq!((typed(&told), typed(&script.go())), (vec![], vec![]));
}

#[test]
fn a_line_that_does_not_come_back_is_not_waited_for() {
    let blocks =
        "```run container busy\nsleep 99\n```\n\n```run container\n^C\n```\n\n".to_string() + &check("init sh");
    let (mut script, _) = Script::new(lesson(&[("a fresh", &blocks)]), false, 0, &unnamed());
    assert_eq!(typed(&script.go()), ["sleep 99"]);
    assert_eq!(script.session.phase(), Phase::Due(2));
    assert!(script.go().contains(&Action::Interrupt(CONTAINER)));
    assert_eq!(script.session.phase(), Phase::Running);
    script.give(Event::Prompt(CONTAINER, 130, 1));
    script.sample(&named());
    assert_eq!(script.session.phase(), Phase::Done);
    // The learner's Ctrl-C was faster.
    let (mut script, _) = Script::new(lesson(&[("a fresh", &blocks)]), false, 0, &unnamed());
    script.go();
    script.give(Event::Prompt(CONTAINER, 130, 1));
    assert!(!script.go().contains(&Action::Interrupt(CONTAINER)));
    assert_eq!(script.session.phase(), Phase::Checking(3));
}

#[test]
fn only_who_goes_on_to_a_later_step_has_left_one() {
    let blocks = [run("one"), check("init top")].concat();
    let steps = [("a fresh", blocks.as_str()), ("b fresh", blocks.as_str()), ("c fresh", blocks.as_str())];
    let left = |told: &[Action]| told.iter().any(|action| matches!(action, Action::Report(Report::Left(_))));
    for (target, is_left) in [(2, true), (1, false), (0, false), (3, false), (9, false)] {
        let (mut script, told) = Script::new(lesson(&steps), false, 1, &unnamed());
        assert!(!left(&told), "no step was begun before");
        let told = script.give(Event::Wish(Wish::GoTo(target)));
        assert_eq!(told.contains(&Action::Report(Report::Left(1))), is_left, "{target}");
        // While its state is rebuilt a step has not begun.
        assert!(!left(&script.give(Event::Wish(Wish::GoTo(2)))), "{target}");
    }
    // Nor is one left that is done.
    let blocks = [run("one"), check("hostname inside is box")].concat();
    let steps = [("a fresh", blocks.as_str()), ("b fresh", blocks.as_str())];
    let (mut script, _) = Script::new(lesson(&steps), false, 0, &unnamed());
    script.go();
    script.prompt(&named());
    assert_eq!(script.session.phase(), Phase::Done);
    assert!(!left(&script.give(Event::Wish(Wish::GoTo(1)))));
}

#[test]
fn who_was_given_the_command_has_not_solved_it_alone() {
    let blocks = [run("one"), check("hostname inside is box")].concat();
    for (hints, alone) in [(0, true), (2, true), (3, false), (5, false)] {
        let (mut script, _) = Script::new(lesson(&[("a fresh", &blocks)]), false, 0, &unnamed());
        (0..hints).for_each(|_| drop(script.give(Event::Wish(Wish::Hint))));
        script.go();
        assert!(script.prompt(&named()).contains(&Action::Report(Report::Solved(0, alone))), "{hints}");
    }
}

#[test]
fn what_the_step_would_end_is_ended_and_nothing_else() {
    let busy = "```run container busy\nsleep 99\n```\n\n".to_string();
    let end = "```run container\n^C\n```\n\n";
    let check = check("hostname inside is box");
    for (blocks, line, ends) in [
        ([busy.as_str(), end, &check].concat(), "sleep 99", true),
        ([busy.as_str(), end, &check].concat(), "top", false),
        ([busy.as_str(), &check].concat(), "sleep 99", false),
    ] {
        let (mut script, _) = Script::new(lesson(&[("a fresh", &blocks)]), false, 0, &unnamed());
        script.give(Event::Typed(CONTAINER));
        script.give(Event::Submitted(CONTAINER, Some(line.into())));
        script.give(Event::Typed(HOST));
        let mut told = script.give(Event::Prompt(HOST, 0, 1));
        told.extend(script.sample(&named()));
        assert_eq!(script.session.phase(), Phase::Done, "{line}");
        assert_eq!(told.contains(&Action::Interrupt(CONTAINER)), ends, "{line} {blocks}");
    }
}

#[test]
fn a_fresh_step_begins_with_new_shells_and_any_other_goes_on() {
    let blocks = [run("one"), check("hostname inside is box")].concat();
    for (flags, shells) in [("b fresh", 2), ("b", 0)] {
        let steps = [("a fresh", blocks.as_str()), (flags, blocks.as_str())];
        let (mut script, _) = Script::new(lesson(&steps), false, 0, &unnamed());
        script.go();
        script.prompt(&named());
        let told = script.go();
        assert_eq!((restarts(&told), script.session.step_index()), (shells, 1), "{flags}");
    }
}
