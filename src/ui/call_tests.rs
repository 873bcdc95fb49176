use super::*;
use crate::{
    app::{Event, Look, Overlay},
    kernel::pid::Pid,
    lesson::TerminalId,
    trace::{SyscallEvent, TraceEvent},
    ui::stage::{self, press, shot},
};

fn screen(state: &mut State) -> String {
    shot(state);
    stage::text(&shot(state))
}

fn failed(state: &mut State, call: Call, errno: Errno) {
    let event = SyscallEvent { call, returned: Return::Error(errno), micros: 9, changed: Vec::new(), asked: None };
    stage::feed(state, Event::Trace(TerminalId::Container, TraceEvent::Syscall(Pid(4702), event)));
}

#[test]
fn a_call_opens_with_its_arguments_what_it_changed_its_source_and_its_pages() {
    for lang in Lang::ALL {
        for size in [(80, 24), (100, 30), (140, 45)] {
            let mut state = stage::state(lang, size, Look::default());
            stage::after(&mut state);
            press(&mut state, "i");
            assert_eq!(state.overlay, Some(Overlay::Call));
            let held = screen(&mut state);
            assert!(held.contains(lang.pick(" Call 2 of 2 ", " 第 2 个调用，共 2 个 ")), "{held}");
            assert!(held.contains(lang.pick("about to happen", "即将发生")), "{held}");
            assert!(held.contains(lang.pick("← → other calls", "← → 其他调用")), "{held}");
            stage::feed(&mut state, Event::Key(crossterm::event::KeyEvent::from(crossterm::event::KeyCode::Left)));
            let mut seen = screen(&mut state);
            press(&mut state, "\x1b");
            assert_eq!(state.overlay, None);
            // The call that was chosen is the one that opens again; the rest of its page is one key away.
            press(&mut state, "i");
            stage::feed(&mut state, Event::Key(crossterm::event::KeyEvent::from(crossterm::event::KeyCode::End)));
            seen += &screen(&mut state);
            for text in [
                lang.pick(" Call 1 of 2 ", " 第 1 个调用，共 2 个 "),
                "CLONE_NEWNS",
                lang.pick("a new mount namespace", "新的挂载命名空间"),
                "CLONE_NEWPID",
                "4026532178",
                "src/tools/unshare.rs:",
                "unshare(flags)",
                "man 2 unshare",
                "man 7 pid_namespaces",
            ] {
                assert!(seen.contains(text), "{text}: {seen}");
            }
        }
    }
}

#[test]
fn a_call_that_failed_opens_with_every_cause_that_can_be() {
    let mut state = stage::state(Lang::En, (80, 40), Look::default());
    stage::at_question(&mut state);
    press(&mut state, "1^g");
    failed(
        &mut state,
        Call::of(Pid(4711), "unshare", "unshare", [libc::CLONE_NEWPID as u64, 0, 0, 0, 0, 0]),
        Errno::EINVAL,
    );
    press(&mut state, "i");
    let text = screen(&mut state);
    assert!(text.contains("Invalid argument (EINVAL)"), "{text}");
    for cause in ["only the children of this process", "this kernel was built without", "unshare has"] {
        assert!(text.contains(cause), "{cause}: {text}");
    }
}

#[test]
fn calls_are_walked_with_the_cursor_keys_where_they_are_looked_at() {
    for lang in Lang::ALL {
        let mut state = stage::state(lang, (80, 24), Look::default());
        stage::after(&mut state);
        press(&mut state, "2");
        let text = screen(&mut state);
        assert!(text.contains(lang.pick("↑↓ call", "↑↓ 选调用")), "{text}");
        assert!(text.contains(lang.pick("i explain", "i 调用详情")), "{text}");
        press(&mut state, "k");
        let text = screen(&mut state);
        assert!(text.contains("4711▸unshare("), "{text}");
        press(&mut state, "k");
        assert_eq!(
            state.idle.as_deref(),
            Some(lang.pick("This is the first call of this step", "这是本步的第一个调用"))
        );
        // The source follows the call that is chosen.
        press(&mut state, "s");
        let text = screen(&mut state);
        assert!(text.lines().any(|line| line.contains('▶') && line.contains("unshare(flags)")), "{text}");
    }
}

/// Every call that the lessons' tools make stands in the tool's own file.
#[test]
fn the_line_that_makes_a_call_is_found_in_every_tool() {
    for (tool, name) in [
        ("unshare", "unshare"),
        ("unshare", "clone"),
        ("unshare", "execve"),
        ("unshare", "mount"),
        ("nsenter", "setns"),
        ("nsenter", "clone"),
        ("nsenter", "execve"),
        ("mount", "mount"),
        ("umount", "umount2"),
        ("chroot", "chroot"),
        ("chroot", "execve"),
        ("pivot_root", "pivot_root"),
        ("hostname", "sethostname"),
        ("cgcreate", "mkdir"),
        ("cgset", "write"),
        ("cgclassify", "write"),
        ("cgexec", "write"),
        ("cgexec", "execve"),
        ("cgdelete", "rmdir"),
        ("hog", "clone"),
    ] {
        let call = Call { comm: tool.into(), ..Call::of(Pid(1), tool, name, [0; 6]) };
        let source = tools::find(tool).unwrap().source;
        let lines = source::makers(source, &call);
        assert!(!lines.is_empty(), "{tool}: {name}");
        assert!(lines.len() <= 4, "{tool}: {name}: {lines:?}");
    }
}

#[test]
fn of_several_lines_the_one_that_names_the_arguments_is_meant() {
    let proc = [c"proc".as_ptr() as u64, c"/proc".as_ptr() as u64, c"proc".as_ptr() as u64, 0, 0, 0];
    let call = Call::of(Pid(1), "unshare", "mount", proc);
    let lines = source::makers(tools::find("unshare").unwrap().source, &call);
    assert!(lines.iter().all(|(_, line)| line.contains("\"proc\"")) && lines.len() == 1, "{lines:?}");
}
