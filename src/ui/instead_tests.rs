use super::super::stage::{self, held, press, shot, straight, styled};
use super::*;
use crate::{
    app::{Effect, Event, Look, Overlay},
    kernel::pid::Pid,
    lesson::TerminalId,
    session::Action,
    trace::{Return, SyscallEvent, TraceEvent},
};

fn screen(state: &mut State) -> String {
    stage::text(&shot(state))
}

fn asked(lang: Lang) -> State {
    let mut state = stage::state(lang, (80, 24), Look::default());
    held(&mut state);
    press(&mut state, "f");
    state
}

#[test]
fn the_choices_stand_in_columns() {
    for lang in Lang::ALL {
        let mut state = asked(lang);
        shot(&mut state);
        let buffer = shot(&mut state);
        straight(&stage::text(&buffer), (80, 24));
        insta::assert_snapshot!(format!("what_if_80_{}", lang.code()), styled(&buffer));
    }
}

/// Which of these a key led to.
fn wanted(effects: &[Effect]) -> Vec<Action> {
    let actions = effects.iter().filter_map(|effect| match effect {
        Effect::Session(action @ (Action::Step(_) | Action::Instead(..))) => Some(action.clone()),
        _ => None,
    });
    actions.collect()
}

#[test]
fn the_chosen_row_is_done() {
    let pid = Pid(4711);
    let without = |flag| Action::Instead(pid, Instead::Without(Flags::Clone, flag));
    for (keys, action) in [
        ("\n", Action::Step(pid)),
        ("2\n", without(0x2_0000)),
        ("3\n", without(0x400_0000)),
        ("jj\n", without(0x400_0000)),
        ("9\n", Action::Instead(pid, Instead::Fails(errno::Errno::ENOSYS))),
    ] {
        let mut state = asked(Lang::En);
        assert_eq!(wanted(&press(&mut state, keys)), [action], "{keys:?}");
        assert_eq!(state.overlay, None);
    }
    let mut state = asked(Lang::En);
    assert_eq!((wanted(&press(&mut state, "2\x1b")), state.overlay), (vec![], None));
}

#[test]
fn a_call_that_has_gone_is_not_asked_about() {
    let mut state = asked(Lang::En);
    assert!(matches!(state.overlay, Some(Overlay::WhatIf { .. })));
    stage::feed(&mut state, Event::Trace(TerminalId::Container, TraceEvent::Released(Pid(4702), Pid(4711))));
    assert_eq!(state.overlay, None);
}

#[test]
fn what_was_changed_is_told_in_the_pane_and_in_the_lesson() {
    for lang in Lang::ALL {
        let mut state = stage::state(lang, (140, 45), Look::default());
        held(&mut state);
        let call = held_to_change(state.play.as_ref().unwrap()).unwrap().clone();
        press(&mut state, "f2\n");
        let said = lang.pick("You let unshare happen without CLONE_NEWNS", "你让 unshare 在去掉 CLONE_NEWNS 之后发生");
        assert!(screen(&mut state).contains(said), "{}", screen(&mut state));
        let made = Call::of(Pid(4711), "unshare", "unshare", [0x400_0000, 0, 0, 0, 0, 0]);
        let event = SyscallEvent {
            call: made,
            returned: Return::Value(0),
            micros: 9,
            changed: Vec::new(),
            asked: Some(call.args),
        };
        let trace = |event| Event::Trace(TerminalId::Container, event);
        stage::feed(&mut state, trace(TraceEvent::Released(Pid(4702), Pid(4711))));
        stage::feed(&mut state, trace(TraceEvent::Syscall(Pid(4702), event.clone())));
        let shown = screen(&mut state);
        for text in [
            lang.pick("you changed it; asked for: unshare(", "被你改动；原本请求："),
            lang.pick("You changed a call", "你改动过一个调用"),
        ] {
            assert!(shown.contains(text), "{text}: {shown}");
        }
        let answered = SyscallEvent { returned: Return::Answered(errno::Errno::ENOSYS), asked: None, ..event };
        stage::feed(&mut state, trace(TraceEvent::Syscall(Pid(4702), answered)));
        let result = lang.pick("= -1 ENOSYS (you made it fail)", "= -1 ENOSYS（你让它失败）");
        assert!(screen(&mut state).contains(result), "{}", screen(&mut state));
    }
}

#[test]
fn each_flag_of_the_lessons_has_its_words() {
    let call = |name, values| Call::of(Pid(7), "sh", name, values);
    let all = crate::kernel::namespaces::TABLE.iter().fold(0, |all, row| all | row.flag);
    let mounts = libc::MS_RDONLY | libc::MS_NOSUID | libc::MS_NODEV | libc::MS_NOEXEC | libc::MS_REC | libc::MS_SHARED;
    for call in [
        call("unshare", [all, 0, 0, 0, 0, 0]),
        call("mount", [0, 0, 0, mounts, 0, 0]),
        call("fsmount", [3, 0, 0xf, 0, 0, 0]),
        call("umount2", [0, 3, 0, 0, 0, 0]),
    ] {
        for way in call.choices().into_iter().map(Way::Call) {
            let (en, zh) = (means(&call, &way, Lang::En), means(&call, &way, Lang::Zh));
            assert!(en != "asked for without it" && zh != "请求里没有它", "{call}: {way:?}");
            assert!(en.width() <= 46 && zh.width() <= 46, "{en} {zh}");
        }
    }
    let bind = call("mount", [0, 0, 0, libc::MS_REMOUNT | libc::MS_BIND, 0, 0]);
    let means = |call: &Call, name| means(call, &Way::Call(call.choice(name).unwrap()), Lang::En);
    assert_eq!(means(&bind, "MS_BIND"), "changes the whole file system");
    let one = call("setns", [3, 0x400_0000, 0, 0, 0, 0]);
    assert_eq!(means(&one, "CLONE_NEWUTS"), "the kernel does not check the kind");
    let two = call("setns", [3, 0x402_0000, 0, 0, 0, 0]);
    assert_eq!(means(&two, "CLONE_NEWUTS"), "this kind is not entered");
    let clone3 = [0u64; 11];
    let clone3 = call("clone3", [clone3.as_ptr() as u64, 88, 0, 0, 0, 0]);
    let state = asked(Lang::En);
    let said = lines(state.play.as_ref().unwrap(), &clone3, Lang::En);
    assert!(said.iter().any(|line| line.contains("stay as they are")), "{said:?}");
}

/// The held call comes from this line of the learner's.
fn typed(lang: Lang, line: &str) -> State {
    let mut state = stage::state(lang, (80, 24), Look::default());
    held(&mut state);
    let play = state.play.as_mut().unwrap();
    play.session.handle(Event::Submitted(TerminalId::Container, Some(line.into())));
    press(&mut state, "f");
    state
}

#[test]
fn marked_flags_are_dropped_together() {
    let pid = Pid(4711);
    let without = |flags| Action::Instead(pid, Instead::Without(Flags::Clone, flags));
    for (keys, action) in [
        ("2 3 \n", without(0x402_0000)),
        ("2 3\n", without(0x402_0000)),
        ("2 3 2 \n", without(0x402_0000)),
        ("2 2 3\n", without(0x400_0000)),
        ("2 9\n", Action::Instead(pid, Instead::Fails(errno::Errno::ENOSYS))),
        ("2 1\n", Action::Step(pid)),
    ] {
        let mut state = asked(Lang::En);
        assert_eq!(wanted(&press(&mut state, keys)), [action], "{keys:?}");
    }
    for lang in Lang::ALL {
        let mut state = asked(lang);
        press(&mut state, "2 3 4");
        shot(&mut state);
        let shown = screen(&mut state);
        for text in
            [lang.pick("Marked: CLONE_NEWNS|CLONE_NEWUTS", "已标记：CLONE_NEWNS|CLONE_NEWUTS"), "■ 2", "■ 3", "▶ 4"]
        {
            assert!(shown.contains(text), "{text}: {shown}");
        }
    }
    let mut state = asked(Lang::En);
    press(&mut state, " ");
    assert_eq!(state.idle.as_deref(), Some("Only flags can be marked"));
}

/// What is to be played twice.
fn planned(effects: &[Effect]) -> Option<&crate::event::Change> {
    effects.iter().find_map(|effect| if let Effect::Branches(plan) = effect { Some(&plan.change) } else { None })
}

#[test]
fn both_branches_are_of_what_is_chosen_and_the_call_waits_on() {
    let line = "unshare -imnpu --mount-proc --fork sh";
    let mut state = typed(Lang::En, line);
    assert_eq!(press(&mut state, "b"), []);
    assert_eq!(state.idle.as_deref(), Some("First choose what is different"));
    let effects = press(&mut state, "2 3b");
    let instead = Instead::Without(Flags::Clone, 0x402_0000);
    let unshare = held_to_change(state.play.as_ref().unwrap()).unwrap().syscall;
    assert_eq!(planned(&effects), Some(&crate::event::Change::Call { syscall: unshare, after: 0, instead }));
    assert_eq!((wanted(&effects), state.overlay.clone()), (vec![], None));
    for keys in ["\n", "b"] {
        let mut state = typed(Lang::En, line);
        let last = ways(state.play.as_ref().unwrap(), held_to_change(state.play.as_ref().unwrap()).unwrap()).len();
        let effects = press(&mut state, &format!("{}{keys}", "j".repeat(last)));
        let other = "unshare -imnpu --mount-proc sh".to_string();
        assert_eq!(planned(&effects), Some(&crate::event::Change::Line(other)), "{keys:?}");
    }
}
