//! Scripts about going to a step: what is typed to rebuild the state that it begins with, and when.

use super::{Action, Event, Phase, Session, Wish, replay::WIPE, script_tests::*};
use crate::lesson::TerminalId;

/// What was typed, and where.
fn lines(told: &[Action]) -> Vec<(TerminalId, &str)> {
    let line = |action| match action {
        &Action::Type(terminal, ref line) => Some((terminal, line.as_str())),
        _ => None,
    };
    told.iter().filter_map(line).collect()
}

/// A session that goes to this step, its shells not at their prompts yet.
fn going(steps: &[(&str, &str)], step: usize) -> Script {
    let mut script = Script { session: Session::new(lesson(steps), false, Vec::new()), asked: 0 };
    script.give(Event::Wish(Wish::GoTo(step)));
    script
}

#[test]
fn nothing_is_typed_before_both_shells_are_ready() {
    let blocks = [run("one"), check("init sh")].concat();
    let mut script = going(&[("a fresh", &blocks), ("b", &blocks)], 1);
    assert_eq!(lines(&script.give(Event::Prompt(CONTAINER, 0, 1))), []);
    assert_eq!(lines(&script.give(Event::Prompt(HOST, 0, 1))), [(CONTAINER, "one")]);
    // Nor while a line runs, whatever else happens meanwhile.
    let blocks = [run("one"), run("two"), check("init sh")].concat();
    let mut script = going(&[("a fresh", &blocks), ("b", &blocks)], 1);
    script.give(Event::Prompt(CONTAINER, 0, 1));
    assert_eq!(lines(&script.give(Event::Prompt(HOST, 0, 1))), [(CONTAINER, "one")]);
    assert_eq!(lines(&script.give(Event::Prompt(HOST, 0, 1))), []);
    assert_eq!(lines(&script.give(Event::Prompt(CONTAINER, 0, 1))), [(CONTAINER, "two")]);
}

#[test]
fn what_did_not_last_is_left_out_and_how_much_is_to_come_is_told() {
    let loops = "```run container busy\nsleep 99\n```\n\n```run container\n^C\n```\n\n";
    let long = "```run host fails once\nnobody answers\n```\n\n";
    let first = [run("one"), loops.into(), long.into(), run("two"), check("init sh")].concat();
    let second = [run("three"), check("init sh")].concat();
    let mut script = going(&[("a fresh", &first), ("b", &second)], 1);
    assert_eq!(script.session.phase(), Phase::Preparing(0, 2));
    script.give(Event::Prompt(HOST, 0, 1));
    assert_eq!(lines(&script.give(Event::Prompt(CONTAINER, 0, 1))), [(CONTAINER, "one")]);
    assert_eq!(script.session.phase(), Phase::Preparing(1, 2));
    assert_eq!(lines(&script.give(Event::Prompt(CONTAINER, 0, 1))), [(CONTAINER, "two")]);
    assert_eq!(lines(&script.prompt(&named())), []);
    assert_eq!(script.session.phase(), Phase::Due(1));
}

#[test]
fn what_breaks_a_step_is_not_shown_in_the_terminal_that_ran_it() {
    let broken = "```break host\nbad\n```\n\n```run host look\nls\n```\n\n";
    let ways = "```solution container\nC\n```\n\n```wrong container\nD\n```\n\n";
    let blocks = [broken, &check("init sh"), ways].concat();
    let mut script = going(&[("a fresh challenge", &blocks)], 0);
    script.give(Event::Prompt(CONTAINER, 0, 1));
    assert_eq!(lines(&script.give(Event::Prompt(HOST, 0, 1))), [(HOST, " bad")]);
    let wipe = format!(" {WIPE}");
    assert_eq!(lines(&script.give(Event::Prompt(HOST, 0, 1))), [(HOST, wipe.as_str())]);
    assert_eq!(lines(&script.give(Event::Prompt(HOST, 0, 1))), []);
}

#[test]
fn what_is_rebuilt_is_neither_told_nor_taken_for_the_learners() {
    let blocks = [run("one"), check("init sh")].concat();
    let mut script = going(&[("a fresh", &blocks), ("b", &blocks)], 1);
    script.give(Event::Prompt(HOST, 0, 1));
    let mut told = script.give(Event::Prompt(CONTAINER, 0, 1));
    assert_eq!(lines(&told), [(CONTAINER, "one")]);
    told.extend(script.give(Event::Submitted(CONTAINER, Some("one".into()))));
    told.extend(script.prompt(&unnamed()));
    assert!(!told.iter().any(|action| matches!(action, Action::Report(super::Report::Command(..)))), "{told:?}");
    assert!(script.session.step.took.is_empty());
    // The step's own line is told, and kept.
    let told = script.go();
    assert!(told.contains(&Action::Report(super::Report::Command(1, CONTAINER, "one".into()))), "{told:?}");
    script.give(Event::Submitted(CONTAINER, Some("one".into())));
    assert_eq!(script.session.step.took.iter().filter_map(|took| took.line.as_deref()).collect::<Vec<_>>(), ["one"]);
}
