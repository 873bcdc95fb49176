//! Scripts about calls that are held: stepped, run on, decided, or gone with their terminal.

use super::{Action, Event, Notice, Outcome, Phase, Report, Session, Wish, flood::MAX_CALLS, script_tests::*};
use crate::{
    kernel::{errno::Errno, pid::Pid},
    lesson::TerminalId,
    trace::{Call, Ended, Flags, Harm, Hold, Instead, Return, SyscallEvent, TraceEvent},
};

#[test]
fn run_until_steps_what_is_held_and_stops_at_that_call() {
    let held_run = "```run container hold\nunshare -m sh\n```\n\n".to_string() + &check("init sh");
    let (mut script, _) = Script::new(lesson(&[("a fresh", &held_run)]), false, 0, &unnamed());
    let told = script.go();
    assert!(told.contains(&Action::Hold(CONTAINER, Hold::Every)) && script.session.holding(), "{told:?}");
    script.give(held(7, "execve"));
    script.give(held(8, "unshare"));
    assert_eq!((script.session.phase(), script.session.held().len()), (Phase::Held, 2));
    let told = script.give(Event::Wish(Wish::RunUntil("mount".into())));
    let until = Action::Hold(CONTAINER, Hold::Until("mount".into()));
    assert_eq!(told, [until, Action::Step(Pid(7)), Action::Step(Pid(8))]);
    for pid in [7, 8] {
        script.give(Event::Trace(CONTAINER, TraceEvent::Released(Pid(100), Pid(pid))));
    }
    assert_eq!(script.session.phase(), Phase::Running);
    script.give(held(9, "mount"));
    assert_eq!(script.session.phase(), Phase::Held);
    // One at a time, the oldest first; going on means the same.
    script.give(held(10, "mount"));
    assert_eq!(script.give(Event::Wish(Wish::StepCall)), [Action::Step(Pid(9))]);
    assert_eq!(script.go(), [Action::Step(Pid(9))]);
    let told = script.give(Event::Wish(Wish::RunOn));
    assert_eq!((told, script.session.holding()), (TerminalId::ALL.map(Action::RunOn).to_vec(), false));
}

#[test]
fn calls_are_held_while_the_line_runs_and_no_longer() {
    let blocks = "```run container hold\none\n```\n\n".to_string() + &run("two") + &check("init sh");
    let (mut script, _) = Script::new(lesson(&[("a fresh", &blocks)]), false, 0, &unnamed());
    script.go();
    let told = script.prompt(&unnamed());
    assert!(told.contains(&Action::Hold(CONTAINER, Hold::Off)) && !script.session.holding(), "{told:?}");
    let told = script.go();
    assert!(!told.iter().any(|action| matches!(action, Action::Hold(..))), "{told:?}");
    script.prompt(&unnamed());
    for hold in [Hold::Every, Hold::Off] {
        let told = script.give(Event::Wish(Wish::ToggleHold));
        assert_eq!(
            (told, script.session.holding()),
            (vec![Action::Hold(CONTAINER, hold.clone())], hold == Hold::Every)
        );
    }
    // Without a learner every held call just happens.
    let (mut script, _) = Script::new(lesson(&[("a fresh", &blocks)]), true, 0, &unnamed());
    assert_eq!(script.give(held(7, "mount")), [Action::Step(Pid(7))]);
    assert!(script.session.held().is_empty());
}

#[test]
fn what_would_change_the_machine_is_decided_by_the_learner_or_by_the_lesson() {
    let guarded = || {
        let call = Call::of(Pid(7), "mount", "mount", [0; 6]);
        Event::Trace(CONTAINER, TraceEvent::Guarded(Pid(100), call, Harm::Mounts))
    };
    let declared = |words: &str| [format!("```changes\n{words}\n```\n\n"), run("one"), check("init top")].concat();
    for (words, auto, decision) in [
        ("mounts", true, Some(Action::Step(Pid(7)))),
        ("hostname", true, Some(Action::Refuse(Pid(7)))),
        ("hostname mounts", false, Some(Action::Step(Pid(7)))),
        ("hostname", false, None),
    ] {
        let (mut script, _) = Script::new(lesson(&[("a fresh", &declared(words))]), auto, 0, &unnamed());
        script.go();
        let told = script.give(guarded());
        assert_eq!(told.first(), decision.as_ref(), "{words}");
    }
    let (mut script, _) = Script::new(lesson(&[("a fresh", &declared("hostname"))]), false, 0, &unnamed());
    for (allow, action) in [(true, Action::Step(Pid(7))), (false, Action::Refuse(Pid(7)))] {
        script.give(guarded());
        assert_eq!(script.session.phase(), Phase::Guarded);
        assert_eq!(script.give(Event::Wish(Wish::Go)), [], "Space is no answer");
        assert_eq!(script.give(Event::Wish(Wish::RunOn)).first(), Some(&Action::RunOn(CONTAINER)), "nor is run on");
        assert_eq!(script.session.phase(), Phase::Guarded);
        assert_eq!(script.give(Event::Wish(Wish::Allow(allow))), [action]);
        assert_ne!(script.session.phase(), Phase::Guarded);
    }
}

#[test]
fn a_held_call_is_changed_where_it_has_the_flag() {
    let blocks = [run("one"), check("init top")].concat();
    let (mut script, _) = Script::new(lesson(&[("a fresh", &blocks)]), false, 0, &unnamed());
    script.go();
    let call = Call::of(Pid(7), "sh", "unshare", [0x402_0000, 0, 0, 0, 0, 0]);
    script.give(Event::Trace(CONTAINER, TraceEvent::Held(Pid(100), call.clone())));
    let wish = |pid, instead| Event::Wish(Wish::Instead(Pid(pid), instead));
    let (uts, net) = (call.choice("CLONE_NEWUTS").unwrap(), Instead::Without(Flags::Clone, 0x4000_0000));
    assert_eq!(script.give(wish(7, net)), [], "it has no such flag");
    assert_eq!(script.give(wish(8, uts)), [], "this one is not held");
    assert_eq!(script.give(wish(7, uts)), [Action::Instead(Pid(7), uts)]);
    script.give(Event::Trace(CONTAINER, TraceEvent::Released(Pid(100), Pid(7))));
    assert!(!script.session.has_changed_a_call());
    let event = |returned, asked| {
        let (call, changed) = (call.clone(), Vec::new());
        let event = SyscallEvent { call, returned, micros: 1, changed, asked };
        Event::Trace(CONTAINER, TraceEvent::Syscall(Pid(100), event))
    };
    script.give(event(Return::Value(0), None));
    assert!(!script.session.has_changed_a_call(), "as it was asked for");
    for (returned, asked) in [(Return::Value(0), Some(Vec::new())), (Return::Answered(Errno::ENOSYS), None)] {
        script.give(event(returned, asked));
        assert!(script.session.has_changed_a_call());
        script.give(Event::Wish(Wish::GoTo(0)));
        script.prompts(&unnamed());
        assert!(!script.session.has_changed_a_call(), "the step began again");
    }
}

#[test]
fn a_terminal_that_ends_takes_its_held_calls_along() {
    let blocks = [run("one"), check("init top")].concat();
    let (mut script, _) = Script::new(lesson(&[("a fresh", &blocks)]), false, 0, &unnamed());
    script.go();
    script.give(held(7, "mount"));
    let other = Call::of(Pid(8), "sh", "mount", [0; 6]);
    script.give(Event::Trace(HOST, TraceEvent::Held(Pid(200), other)));
    script.give(Event::Closed(CONTAINER));
    assert_eq!(script.session.held().iter().map(|(place, _)| *place).collect::<Vec<_>>(), [HOST]);
    assert_eq!(script.session.notice(), Some(&Notice::Ended(CONTAINER)));
    script.give(Event::Trace(HOST, TraceEvent::Released(Pid(200), Pid(8))));
    // The command has come to its end as well, and nothing can be typed any more.
    script.sample(&unnamed());
    assert_eq!(script.session.phase(), Phase::Checking(2));
    let (mut script, _) = Script::new(lesson(&[("a fresh", &blocks)]), false, 0, &unnamed());
    script.give(Event::Closed(CONTAINER));
    assert_eq!((typed(&script.go()), script.session.notice()), (vec![], Some(&Notice::Ended(CONTAINER))));
    let (mut script, _) = Script::new(lesson(&[("a fresh", &blocks)]), true, 0, &unnamed());
    let told = script.give(Event::Closed(CONTAINER));
    assert!(matches!(reports(&told)[0], Report::Outcome(0, Outcome::Failed(why)) if why == "the shell ended"));
    // The other terminal's end does not concern the command that runs.
    let (mut script, _) = Script::new(lesson(&[("a fresh", &blocks)]), true, 0, &unnamed());
    assert_eq!(reports(&script.give(Event::Closed(HOST))), [&Report::Step(0); 0]);
}

#[test]
fn each_call_goes_its_own_way() {
    let blocks = [run("one"), check("init top")].concat();
    let (mut script, _) = Script::new(lesson(&[("a fresh", &blocks)]), false, 0, &unnamed());
    script.go();
    let uts = Call::of(Pid(8), "sh", "unshare", [0x400_0000, 0, 0, 0, 0, 0]);
    let instead = uts.choice("CLONE_NEWUTS").unwrap();
    script.give(held(7, "mount"));
    script.give(Event::Trace(CONTAINER, TraceEvent::Held(Pid(100), uts)));
    let told = script.give(Event::Wish(Wish::Instead(Pid(8), instead)));
    assert_eq!(told, [Action::Instead(Pid(8), instead)]);
    assert_eq!(script.give(Event::Wish(Wish::Instead(Pid(7), instead))), [], "the other one has no such flag");
    // Of two that would change the machine, the one that was decided goes; those of a terminal that ends go with it.
    let guarded = |terminal, pid| {
        Event::Trace(terminal, TraceEvent::Guarded(Pid(100), Call::of(pid, "sh", "mount", [0; 6]), Harm::Mounts))
    };
    for (terminal, pid) in [(CONTAINER, 9), (HOST, 10)] {
        script.give(guarded(terminal, Pid(pid)));
    }
    script.give(Event::Trace(CONTAINER, TraceEvent::Released(Pid(100), Pid(9))));
    assert_eq!(script.session.guarded().map(|(place, call, _)| (*place, call.pid)), Some((HOST, Pid(10))));
    script.give(guarded(CONTAINER, Pid(11)));
    script.give(Event::Closed(HOST));
    assert_eq!(script.session.guarded().map(|(place, call, _)| (*place, call.pid)), Some((CONTAINER, Pid(11))));
}

#[test]
fn so_many_ends_of_processes_are_kept_and_the_first_ones_count() {
    let blocks = [run("one"), check("ended first status 3")].concat();
    let (mut script, _) = Script::new(lesson(&[("a fresh", &blocks)]), false, 0, &unnamed());
    script.go();
    let exit = |comm: &str, status| {
        Event::Trace(
            CONTAINER,
            TraceEvent::Exit { root: Pid(100), pid: Pid(7), comm: comm.into(), ended: Ended::Exited(status) },
        )
    };
    script.give(exit("first", 3));
    // All but one of those that there is room for; the last one comes, and one more.
    script.session.evidence.ends.resize(MAX_CALLS - 1, ("other".into(), Ended::Exited(0)));
    for _ in 0..2 {
        script.give(exit("other", 0));
    }
    assert_eq!(script.session.evidence.ends.len(), MAX_CALLS);
    script.prompt(&unnamed());
    assert_eq!(script.session.phase(), Phase::Done);
}

#[test]
fn shells_start_unheld_and_what_comes_after_is_held() {
    let text = run("unshare -m sh") + &check("init sh");
    let lesson = || lesson(&[("a fresh", &text)]);
    let every = Action::Hold(CONTAINER, Hold::Every);
    let mut script = Script { session: Session::new(lesson(), false, Vec::new()), asked: 0 };
    script.give(Event::Wish(Wish::GoTo(0)));
    assert!(matches!(script.session.phase(), Phase::Preparing(..)));
    let told = script.give(Event::Wish(Wish::ToggleHold));
    assert!(!told.contains(&every) && script.session.holding(), "{told:?}");
    let told = script.prompts(&unnamed());
    assert!(told.contains(&every), "{told:?}");
    // Unasked, nothing is held.
    let (mut script, told) = Script::new(lesson(), false, 0, &unnamed());
    assert!(!told.contains(&every), "{told:?}");
    assert_eq!(script.give(Event::Wish(Wish::ToggleHold)), [every]);
}
