//! Typed lines: they tick off the step's own, other ways count, and what only shows something stays until it is seen.

use super::{Action, Event, Notice, Phase, Ran, Wish, checklist::MAX_LINES, checks::cases, script_tests::*};
use crate::{
    lesson::{Block, TerminalId},
    trace::Hold,
};
use std::sync::Arc;

/// The learner types a line, and the shell takes it.
fn types(script: &mut Script, terminal: TerminalId, line: &str) -> Vec<Action> {
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
fn nothing_is_typed_for_a_container_that_is_gone() {
    let gone = cases::with(|sample| {
        sample.namespaces = sample.host_namespaces.clone();
        sample.inside.hostname = Some("machine".into());
    });
    let blocks = [run("one"), run("kill {container}"), check("hostname inside is box")].concat();
    let (mut script, _) = Script::new(lesson(&[("a fresh", &blocks)]), false, 0, &gone);
    assert!(!script.session.is_lost(), "it is still to be made");
    assert_eq!(typed(&script.go()), ["one"]);
    script.prompt(&unnamed());
    assert_eq!((script.session.phase(), script.session.is_lost()), (Phase::Due(2), false));
    // Killed from another window.
    script.sample(&gone);
    assert!(script.session.is_lost());
    assert_eq!((typed(&script.go()), script.session.notice()), (vec![], Some(&Notice::Lost)));
    // The terminal's own shell draws its prompt anew: no sample is newer yet.
    script.give(Event::Prompt(CONTAINER, 0, 1));
    assert_eq!((typed(&script.go()), script.session.notice()), (vec![], Some(&Notice::Lost)));
    // A learner who builds it again goes on.
    script.sample(&unnamed());
    assert_eq!((script.session.is_lost(), script.session.notice()), (false, None));
    assert_eq!(typed(&script.go()), ["kill 102"]);
    // Where a line of the step leaves it, to make another one.
    let blocks = [run("one"), run("exit"), run("two"), run("three"), check("hostname inside is box")].concat();
    let (mut script, _) = Script::new(lesson(&[("a fresh", &blocks)]), false, 0, &gone);
    script.go();
    script.prompt(&unnamed());
    assert_eq!(typed(&script.go()), ["exit"]);
    script.prompt(&gone);
    assert_eq!((script.session.is_lost(), typed(&script.go())), (false, vec!["two"]));
    script.prompt(&unnamed());
    script.sample(&gone);
    assert!(script.session.is_lost(), "that one was not left");
    // Where the step wants its end, that is no loss.
    let blocks = [run("one"), run("two"), check("alone")].concat();
    let (mut script, _) = Script::new(lesson(&[("a fresh", &blocks)]), false, 0, &gone);
    script.go();
    script.prompt(&unnamed());
    script.sample(&gone);
    assert!(!script.session.is_lost());
}

#[test]
fn what_is_made_on_the_machine_is_not_taken_for_the_containers() {
    let gone = cases::with(|sample| {
        sample.namespaces = sample.host_namespaces.clone();
        sample.inside.hostname = Some("box".into());
    });
    let blocks = [run("one"), run("two"), check("hostname inside is box")].concat();
    let (mut script, _) = Script::new(lesson(&[("a fresh", &blocks)]), false, 0, &unnamed());
    script.go();
    script.prompt(&unnamed());
    types(&mut script, CONTAINER, "exit");
    script.sample(&gone);
    types(&mut script, CONTAINER, "hostname box");
    script.prompt(&gone);
    assert!(script.session.is_lost());
    let Some(Block::Check(checks)) = script.session.block(3).cloned() else { panic!("a block of facts") };
    let verdict = &script.session.judge(&checks)[0];
    assert_eq!(
        (verdict.passed, &*verdict.expected, &*verdict.observed),
        (Some(false), "box", "the container has ended")
    );
    assert_ne!(script.session.phase(), Phase::Done);
    // In the container it counts.
    script.prompt(&named());
    assert_eq!(script.session.phase(), Phase::Done);
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
fn a_container_is_gone_on_from_only_where_the_step_has_it() {
    let gone = cases::with(|sample| sample.namespaces = sample.host_namespaces.clone());
    let blocks = [run("one"), check("hostname inside is box")].concat();
    // Left over from before, in a step that makes its own.
    let (mut script, _) = Script::new(lesson(&[("a fresh", &blocks)]), false, 0, &unnamed());
    script.sample(&gone);
    assert!(!script.session.is_lost());
    // In a step that goes on from the one before it is its own from the beginning.
    let steps = [("a fresh", blocks.as_str()), ("b", blocks.as_str())];
    let (mut script, _) = Script::new(lesson(&steps), false, 1, &unnamed());
    script.prompt(&unnamed());
    script.sample(&gone);
    assert!(script.session.is_lost());
    // A program that runs there may be any container's; so may what an older state shows.
    let (mut script, _) = Script::new(lesson(&[("a fresh", &blocks)]), false, 0, &gone);
    script.go();
    script.sample(&unnamed());
    script.sample(&gone);
    assert!(!script.session.is_lost());
    let (mut script, _) = Script::new(lesson(&[("a fresh", &blocks)]), false, 0, &gone);
    script.go();
    script.give(Event::Prompt(CONTAINER, 0, 1));
    script.give(Event::Sample(script.asked - 1, Arc::new(unnamed())));
    script.sample(&gone);
    assert!(!script.session.is_lost());
}

#[test]
fn only_what_is_meant_for_a_container_wants_one() {
    let gone = cases::with(|sample| sample.namespaces = sample.host_namespaces.clone());
    let host = |line: &str| run(line).replace("run container", "run host");
    for (line, wanted) in [
        (run("ls"), Some(&Notice::Lost)),
        (host("kill {container}"), Some(&Notice::Lost)),
        (run("echo {container}"), Some(&Notice::Lost)),
        (host("ls"), None),
    ] {
        let blocks = [run("one"), line.clone(), check("hostname inside is box")].concat();
        let (mut script, _) = Script::new(lesson(&[("a fresh", &blocks)]), false, 0, &gone);
        script.go();
        script.prompt(&unnamed());
        script.sample(&gone);
        let told = script.go();
        assert_eq!((script.session.notice(), typed(&told).is_empty()), (wanted, wanted.is_some()), "{line}");
    }
    // Lines on the host do not hide that the container was left.
    let blocks = [run("one"), run("exit"), host("ls"), run("two"), check("hostname inside is box")].concat();
    let (mut script, _) = Script::new(lesson(&[("a fresh", &blocks)]), false, 0, &gone);
    script.go();
    script.prompt(&unnamed());
    script.go();
    script.prompt(&gone);
    script.go();
    script.give(Event::Prompt(HOST, 0, 1));
    script.sample(&gone);
    assert_eq!((script.session.is_lost(), script.session.phase()), (false, Phase::Due(4)));
}

#[test]
fn a_line_for_a_process_that_is_not_known_yet_is_typed_when_it_is() {
    let unknown = cases::with(|sample| sample.container = None);
    let blocks = [run("kill {container}"), check("hostname inside is box")].concat();
    let (mut script, _) = Script::new(lesson(&[("a fresh", &blocks)]), false, 0, &unknown);
    assert_eq!(typed(&script.go()), [""; 0]);
    assert_eq!(typed(&script.sample(&unnamed())), ["kill 102"]);
    // Once: what the learner has seen run is not typed again.
    script.prompt(&unnamed());
    assert_eq!(typed(&script.sample(&unnamed())), [""; 0]);
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
