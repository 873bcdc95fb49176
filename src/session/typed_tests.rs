//! Typed lines: they tick off the step's own, other ways count, and what only shows something stays until it is seen.

use super::{Action, Event, Phase, Ran, Wish, checklist::MAX_LINES, script_tests::*};
use crate::{lesson::TerminalId, trace::Hold};
use std::sync::Arc;

/// The learner types a line, and the shell takes it.
pub(super) fn types(script: &mut Script, terminal: TerminalId, line: &str) -> Vec<Action> {
    let mut told = script.give(Event::Typed(terminal));
    told.extend(script.give(Event::Submitted(terminal, Some(line.into()))));
    told
}

fn look(line: &str) -> String {
    run(line).replace("run container", "run container look")
}

fn question() -> String {
    "```predict\nWhy?\n- [ ] a\n- [x] b\n```\n\n".into()
}

#[test]
fn a_line_typed_as_shown_is_ticked_off_and_not_offered_again() {
    let blocks = [run("hostname  box"), run("hostname"), check("hostname inside is box")].concat();
    let (mut script, _) = Script::new(lesson(&[("a fresh", &blocks)]), false, 0, &unnamed());
    types(&mut script, CONTAINER, " hostname box ");
    assert_eq!(script.session.phase(), Phase::Running);
    assert_eq!(typed(&script.go()), [""; 0], "nothing is nested");
    script.prompt(&unnamed());
    assert_eq!(script.session.phase(), Phase::Due(2));
    assert_eq!(script.session.ran(1), Some(&Ran::Line(" hostname box ".into())));
    assert!(script.session.own_lines().is_empty());
    // The same words in the other terminal are another thing.
    types(&mut script, HOST, "hostname");
    script.give(Event::Prompt(HOST, 0, 1));
    script.sample(&unnamed());
    assert_eq!(script.session.phase(), Phase::Due(2));
    let own: Vec<_> = script.session.own_lines().iter().map(|own| (own.terminal, own.line.as_str(), own.at)).collect();
    assert_eq!(own, [(HOST, "hostname", 2)]);
}

#[test]
fn passing_over_the_only_line_ends_a_step_whose_facts_hold_already() {
    let blocks = [look("ls"), check("keeps hostname inside is box")].concat();
    let (mut script, _) = Script::new(lesson(&[("a fresh", &blocks)]), false, 0, &named());
    assert_eq!(script.session.phase(), Phase::Due(1));
    script.give(Event::Wish(Wish::PassOver));
    script.sample(&named());
    assert_eq!(script.session.phase(), Phase::Done);
}

#[test]
fn a_repair_is_done_without_a_look_at_the_symptom() {
    let repaired = |title: &str, around: [&str; 2]| {
        let blocks = [around[0], &look("ls"), &check("hostname inside is box"), around[1]].concat();
        let (mut script, _) = Script::new(lesson(&[(title, &blocks)]), false, 0, &unnamed());
        if script.session.phase() != Phase::Due(1) {
            // It is broken first.
            for terminal in [HOST, CONTAINER, CONTAINER, CONTAINER] {
                script.give(Event::Prompt(terminal, 0, 1));
            }
            script.sample(&unnamed());
        }
        assert!(matches!(script.session.phase(), Phase::Due(_)), "{:?}", script.session.phase());
        types(&mut script, CONTAINER, "hostname box");
        script.prompt(&named());
        script.session.phase()
    };
    assert_eq!(repaired("a fresh", ["", ""]), Phase::Due(1), "what a lesson shows is looked at");
    let ways = "```solution container\nhostname box\n```\n\n```wrong container\ntrue\n```\n\n";
    assert_eq!(repaired("a fresh challenge", ["```break container\nbad\n```\n\n", ways]), Phase::Done);
}

#[test]
fn a_typed_line_that_fails_is_offered_again() {
    let blocks = [run("hostname box"), check("hostname inside is box")].concat();
    let (mut script, _) = Script::new(lesson(&[("a fresh", &blocks)]), false, 0, &unnamed());
    types(&mut script, CONTAINER, "hostname box");
    script.give(Event::Prompt(CONTAINER, 1, 1));
    script.sample(&unnamed());
    assert_eq!((script.session.phase(), script.session.ran(1)), (Phase::Due(1), None));
}

#[test]
fn what_the_session_types_is_no_line_of_the_learners() {
    let blocks = [run("one"), run("two"), check("hostname inside is box")].concat();
    let (mut script, _) = Script::new(lesson(&[("a fresh", &blocks)]), false, 0, &unnamed());
    script.go();
    script.give(Event::Submitted(CONTAINER, Some("one".into())));
    script.prompt(&unnamed());
    assert_eq!((script.session.phase(), script.session.own_lines().len()), (Phase::Due(2), 0));
    // A line that the shell took before the learner typed it again is the learner's.
    types(&mut script, CONTAINER, "one");
    assert_eq!(script.session.own_lines().len(), 1);
}

#[test]
fn another_way_counts_and_what_only_shows_something_stays() {
    let blocks = [run("one"), look("two"), check("hostname inside is box")].concat();
    let (mut script, _) = Script::new(lesson(&[("a fresh", &blocks)]), false, 0, &unnamed());
    types(&mut script, CONTAINER, "mine");
    script.prompt(&named());
    assert_eq!((script.session.phase(), script.session.ran(1)), (Phase::Due(2), Some(&Ran::Otherwise)));
    assert!(script.session.has_passed(3));
    types(&mut script, CONTAINER, "echo hi");
    script.prompt(&unnamed());
    assert_eq!(script.session.phase(), Phase::Due(2), "whatever else is typed does not end the step");
    let (mut other, _) = Script::new(lesson(&[("a fresh", &blocks)]), false, 0, &unnamed());
    types(&mut other, CONTAINER, "mine");
    other.prompt(&named());
    // It is seen, or passed over.
    types(&mut script, CONTAINER, "two");
    script.prompt(&unnamed());
    assert_eq!(script.session.phase(), Phase::Done);
    other.give(Event::Wish(Wish::PassOver));
    assert_eq!((other.session.phase(), other.session.ran(2)), (Phase::Done, Some(&Ran::PassedOver)));
}

#[test]
fn a_line_that_was_passed_over_may_still_be_typed() {
    let blocks = [look("one"), run("two"), check("hostname inside is box")].concat();
    let (mut script, _) = Script::new(lesson(&[("a fresh", &blocks), ("b", &blocks)]), false, 0, &unnamed());
    script.give(Event::Wish(Wish::PassOver));
    assert_eq!(script.session.phase(), Phase::Due(2));
    // What does something is not passed over: that is the next step.
    script.give(Event::Wish(Wish::PassOver));
    assert!(matches!(script.session.phase(), Phase::Preparing(..)));
}

#[test]
fn no_question_is_left_out_by_typing() {
    let shows = run("one").replace("run container", "run container look");
    let blocks = [shows, question(), run("two"), check("hostname inside is box")].concat();
    let (mut script, _) = Script::new(lesson(&[("a fresh", &blocks)]), false, 0, &unnamed());
    assert!(script.session.verdicts(4).len() == 1, "what must become true is known from the beginning");
    for line in ["one", "two"] {
        types(&mut script, CONTAINER, line);
        script.prompt(&named());
    }
    assert_eq!((script.session.phase(), script.session.has_passed(4)), (Phase::Asking(2), true));
    script.give(Event::Wish(Wish::Answer(0)));
    assert_eq!(script.session.phase(), Phase::Done);
}

/// Who types faster than the lesson looks is not kept waiting for a deed that has been done.
#[test]
fn a_line_typed_ahead_of_a_question_counts_behind_it() {
    let fact = check("hostname inside is box");
    let blocks = [run("one"), fact.clone(), question(), run("two"), fact].concat();
    for (ahead, wanted) in [(&["one", "two"][..], Phase::Done), (&["one"][..], Phase::Due(4))] {
        let (mut script, _) = Script::new(lesson(&[("a fresh", &blocks)]), false, 0, &unnamed());
        for line in ahead {
            types(&mut script, CONTAINER, line);
            script.give(Event::Prompt(CONTAINER, 0, 1));
        }
        script.sample(&named());
        assert_eq!(script.session.phase(), Phase::Asking(3), "{ahead:?}");
        script.give(Event::Wish(Wish::Answer(0)));
        script.sample(&named());
        assert_eq!(script.session.phase(), wanted, "{ahead:?}");
    }
}

#[test]
fn what_the_learner_types_is_held_as_well() {
    let blocks = [run("one").replace("run container", "run container hold"), check("hostname inside is box")].concat();
    let holds = |told: &[Action]| told.contains(&Action::Hold(CONTAINER, Hold::Every));
    let (mut script, told) = Script::new(lesson(&[("a fresh", &blocks)]), false, 0, &unnamed());
    assert!(holds(&told) && script.session.holding());
    // Another way to do the same: its calls go on only when the step is past the line.
    types(&mut script, CONTAINER, "mine");
    script.prompt(&unnamed());
    assert!(script.session.holding());
    let told = script.prompt(&named());
    assert!(told.contains(&Action::RunOn(CONTAINER)) && !script.session.holding(), "{told:?}");
    // What was let go was that one command.
    let (mut script, _) = Script::new(lesson(&[("a fresh", &blocks)]), false, 0, &unnamed());
    script.give(Event::Wish(Wish::RunOn));
    assert!(!script.session.holding() && holds(&script.prompt(&unnamed())));
    // A learner who does not want that has the last word.
    let (mut script, _) = Script::new(lesson(&[("a fresh", &blocks)]), false, 0, &unnamed());
    script.give(Event::Wish(Wish::ToggleHold));
    assert!(!holds(&script.prompt(&unnamed())) && !script.session.holding());
    // Without a learner no call can be let go.
    let (_, told) = Script::new(lesson(&[("a fresh", &blocks)]), true, 0, &unnamed());
    assert_eq!(told.iter().filter(|action| matches!(action, Action::Hold(_, Hold::Every))).count(), 1);
}

#[test]
fn a_learner_who_goes_straight_to_the_goal_is_told_and_may_go_on() {
    let fails = run("one").replace("run container", "run container fails");
    let blocks = [fails, check("ended one status 1"), question(), run("two"), check("hostname inside is box")].concat();
    let (mut script, _) = Script::new(lesson(&[("a fresh", &blocks)]), false, 0, &unnamed());
    types(&mut script, CONTAINER, "mine");
    script.prompt(&named());
    // The question is asked all the same.
    assert_eq!(script.session.phase(), Phase::Asking(3));
    assert!(script.session.went_past(2) && !script.session.has_passed(2) && script.session.has_passed(5));
    script.give(Event::Wish(Wish::Answer(1)));
    assert_eq!(script.session.phase(), Phase::Done);
    // Only failures may be left out.
    let blocks = [run("one"), check("ended one status 1"), run("two"), check("hostname inside is box")].concat();
    let (mut script, _) = Script::new(lesson(&[("a fresh", &blocks)]), false, 0, &unnamed());
    types(&mut script, CONTAINER, "mine");
    script.prompt(&named());
    assert_eq!(script.session.phase(), Phase::Due(1));
}

#[test]
fn what_is_done_from_another_window_counts() {
    let blocks = [run("one"), look("two"), check("hostname inside is box")].concat();
    let (mut script, _) = Script::new(lesson(&[("a fresh", &blocks)]), false, 0, &unnamed());
    script.sample(&named());
    assert_eq!((script.session.phase(), script.session.ran(1)), (Phase::Due(2), Some(&Ran::Otherwise)));
    // What the session's own line brings about does not tick off the lines after it.
    let blocks = [run("one"), run("two"), check("hostname inside is box")].concat();
    let (mut script, _) = Script::new(lesson(&[("a fresh", &blocks)]), false, 0, &unnamed());
    script.go();
    script.prompt(&named());
    script.sample(&named());
    assert_eq!(script.session.phase(), Phase::Due(2));
}

#[test]
fn a_goal_that_does_not_hold_is_not_reached_past_the_failures_before_it() {
    let fails = run("one").replace("run container", "run container fails");
    let blocks = [fails, check("ended one status 1"), run("two"), check("hostname inside is box")].concat();
    let (mut script, _) = Script::new(lesson(&[("a fresh", &blocks)]), false, 0, &unnamed());
    types(&mut script, CONTAINER, "mine");
    script.prompt(&unnamed());
    assert_eq!(script.session.phase(), Phase::Due(1));
    // Nor by a state that is older than what was typed.
    types(&mut script, CONTAINER, "mine");
    script.give(Event::Prompt(CONTAINER, 0, 1));
    script.give(Event::Sample(script.asked - 1, Arc::new(named())));
    assert_eq!(script.session.phase(), Phase::Due(1));
}

#[test]
fn a_program_of_the_step_that_does_not_end_works_in_its_terminal() {
    let busy = "```run container busy\nsleep 99\n```\n\n".to_string() + &run("two") + &check("init sh");
    let (mut script, _) = Script::new(lesson(&[("a fresh", &busy)]), false, 0, &unnamed());
    assert!(!script.session.works(CONTAINER));
    types(&mut script, CONTAINER, "top");
    assert!(!script.session.works(CONTAINER), "it is not the step's");
    script.prompt(&unnamed());
    types(&mut script, HOST, "sleep 99");
    assert!(!script.session.works(HOST), "the step has it elsewhere");
    types(&mut script, CONTAINER, "sleep 99");
    assert!(script.session.works(CONTAINER) && !script.session.works(HOST));
    script.prompt(&unnamed());
    assert!(!script.session.works(CONTAINER), "it has ended");
    types(&mut script, CONTAINER, "two");
    assert!(!script.session.works(CONTAINER), "a line with an end");
}

#[test]
fn a_line_that_has_run_is_the_learners_own_the_second_time() {
    let blocks = [run("one"), run("two"), check("init top")].concat();
    let (mut script, _) = Script::new(lesson(&[("a fresh", &blocks)]), false, 0, &unnamed());
    for _ in 0..2 {
        types(&mut script, CONTAINER, "one");
        script.prompt(&unnamed());
    }
    assert_eq!(script.session.own_lines().iter().map(|own| own.line.as_str()).collect::<Vec<_>>(), ["one"]);
    // Whatever is pasted, so many are kept.
    for number in 0..2 * MAX_LINES {
        script.give(Event::Submitted(HOST, Some(format!("echo {number}"))));
    }
    assert_eq!((script.session.own_lines().len(), script.session.step.took.len()), (MAX_LINES, MAX_LINES));
    // Return alone is no line.
    let (mut script, _) = Script::new(lesson(&[("a fresh", &blocks)]), false, 0, &unnamed());
    script.give(Event::Submitted(HOST, Some("  ".into())));
    script.give(Event::Submitted(HOST, None));
    assert_eq!(script.session.step.took.iter().map(|took| took.line.clone()).collect::<Vec<_>>(), [None]);
}

#[test]
fn passing_over_what_must_be_done_goes_to_the_next_step() {
    let blocks = [run("one"), check("init top")].concat();
    let steps = [("a fresh", blocks.as_str()), ("b fresh", blocks.as_str()), ("c fresh", blocks.as_str())];
    for step in [0, 1] {
        let (mut script, _) = Script::new(lesson(&steps), false, step, &unnamed());
        script.give(Event::Wish(Wish::PassOver));
        assert_eq!(script.session.step_index(), step + 1);
    }
}

#[test]
fn commands_and_looks_are_counted() {
    let blocks = [run("one"), look("ls"), look("ps"), check("init top")].concat();
    let (mut script, _) = Script::new(lesson(&[("a fresh", &blocks)]), false, 0, &unnamed());
    let counts = |script: &Script| (script.session.commands(), script.session.looks(), script.session.lines().len());
    assert_eq!(counts(&script), (0, 0, 0));
    for (line, wanted) in [("one", (1, 0, 1)), ("mine", (2, 0, 2)), ("theirs", (3, 0, 3)), ("ls", (4, 1, 4))] {
        types(&mut script, CONTAINER, line);
        script.prompt(&unnamed());
        assert_eq!(counts(&script), wanted, "{line}");
    }
    // What was passed over has not run.
    script.give(Event::Wish(Wish::PassOver));
    assert_eq!(counts(&script), (4, 1, 4));
    assert!((0..6).all(|block| !script.session.went_past(block)));
}

#[test]
fn a_terminal_is_busy_while_something_runs_in_it() {
    let blocks = [run("one").replace("run container", "run container hold"), check("init top")].concat();
    let steps = [("a fresh", blocks.as_str()), ("b", blocks.as_str())];
    let (mut script, _) = Script::new(lesson(&steps), false, 0, &unnamed());
    let busy = |script: &Script| TerminalId::ALL.map(|terminal| script.session.is_busy(terminal));
    assert_eq!(busy(&script), [false, false]);
    script.give(Event::Typed(HOST));
    assert_eq!(TerminalId::ALL.map(|terminal| (terminal, script.session.is_busy(terminal))), {
        TerminalId::ALL.map(|terminal| (terminal, terminal == HOST))
    });
    script.give(Event::Prompt(HOST, 0, 1));
    // The step's line, and a call of it that is held, are meant wherever the keys are.
    script.go();
    assert_eq!((script.session.phase(), busy(&script)), (Phase::Running, [true, true]));
    script.give(held(7, "mount"));
    assert_eq!((script.session.phase(), busy(&script)), (Phase::Held, [true, true]));
    // What rebuilds a step is nobody's program.
    script.give(Event::Wish(Wish::GoTo(1)));
    assert_eq!(busy(&script), [false, false]);
}
