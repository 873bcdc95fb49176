//! Scripts about the container that a step goes on from: lost, left, or not known yet.

use super::{Event, Notice, Phase, checks::cases, script_tests::*, typed_tests::types};
use crate::lesson::Block;
use std::sync::Arc;

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
