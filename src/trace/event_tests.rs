use super::*;
use crate::{kernel::namespaces::Kind, observe::ForChildren, trace::Mounted};

fn unshare(returned: Return, changed: Vec<Change>) -> TraceEvent {
    let call = Call::of(Pid(4711), "unshare", "unshare", [0x400_0000, 0, 0, 0, 0, 0]);
    TraceEvent::Syscall(Pid(4702), SyscallEvent { call, returned, micros: 12, changed, asked: None })
}

/// The same, where the program asked for a mount namespace as well.
fn dropped() -> TraceEvent {
    let asked = Call::of(Pid(4711), "unshare", "unshare", [0x402_0000, 0, 0, 0, 0, 0]).args;
    match unshare(Return::Value(0), Vec::new()) {
        TraceEvent::Syscall(root, event) => TraceEvent::Syscall(root, SyscallEvent { asked: Some(asked), ..event }),
        event => event,
    }
}

fn json(event: &TraceEvent) -> String {
    serde_json::to_string(&TraceJson::new(event, Lang::En)).unwrap()
}

#[test]
fn what_is_told_keeps_its_form() {
    let changed = vec![Change::Namespace { kind: Kind::Uts, before: Some(1), after: Some(2) }];
    assert_eq!(
        json(&unshare(Return::Value(0), changed)),
        r#"{"event":"syscall","pid":4711,"comm":"unshare","name":"unshare","args":"CLONE_NEWUTS","result":0,"errno":null,"micros":12,"changed":["uts: 1 -> 2"]}"#
    );
    let failed = json(&unshare(Return::Error(Errno::EPERM), Vec::new()));
    assert!(failed.contains(r#""result":-1,"errno":"EPERM","micros":12,"changed":[]"#), "{failed}");
    let refused = json(&unshare(Return::Refused, Vec::new()));
    assert!(refused.contains(r#""result":-1,"errno":"EPERM","refused":true"#), "{refused}");
    let answered = json(&unshare(Return::Answered(Errno::ENOSYS), Vec::new()));
    assert!(answered.contains(r#""result":-1,"errno":"ENOSYS","refused":true"#), "{answered}");
    let dropped = json(&dropped());
    let text = r#""args":"CLONE_NEWUTS","result":0,"errno":null,"asked":"CLONE_NEWNS|CLONE_NEWUTS","#;
    assert!(dropped.contains(text), "{dropped}");
    assert!(json(&unshare(Return::Never, Vec::new())).contains(r#""result":null,"errno":null"#));
    let exit = |ended| json(&TraceEvent::Exit { root: Pid(1), pid: Pid(7), comm: "sh".into(), ended });
    assert_eq!(
        exit(Ended::Killed(Signal::KILL)),
        r#"{"event":"exit","pid":7,"comm":"sh","status":null,"signal":"SIGKILL"}"#
    );
    assert_eq!(exit(Ended::Exited(3)), r#"{"event":"exit","pid":7,"comm":"sh","status":3,"signal":null}"#);
    assert_eq!(
        serde_json::to_string(&TraceJson::new(&TraceEvent::Released(Pid(1), Pid(7)), Lang::En)).unwrap(),
        "null"
    );
}

#[test]
fn every_event_is_read_back_as_it_was_stored() {
    let mounted = || Mounted { kind: "tmpfs".into(), root: "/".into(), source: "box".into() };
    let changed = vec![
        Change::Child(Pid(9)),
        Change::PidForChildren { before: ForChildren::NotMade, after: ForChildren::Inode(5) },
        Change::Mounted { point: "/proc".into(), mounted: mounted() },
        Change::RootMount { before: Some(mounted()), after: None },
        Change::GroupMade("box".into(), None),
        Change::ObjectMade(crate::kernel::objects::Object::Queue("jobs".into(), 1, 2), true),
    ];
    let held = Call::of(Pid(4711), "sh", "mount", [c"a".as_ptr() as u64, c"\xe4".as_ptr() as u64, 0, 4096, 0, 0]);
    let both = Both { en: "no".into(), zh: "不".into() };
    for event in [
        unshare(Return::Value(0), changed),
        unshare(Return::Error(Errno::EINVAL), Vec::new()),
        unshare(Return::Never, Vec::new()),
        unshare(Return::Trapped, Vec::new()),
        unshare(Return::Refused, Vec::new()),
        unshare(Return::Filtered(Errno::EPERM), Vec::new()),
        unshare(Return::Answered(Errno::ENOSYS), Vec::new()),
        dropped(),
        TraceEvent::Guarded(Pid(4702), held.clone(), Harm::Process(Pid(1), "init".into())),
        TraceEvent::Held(Pid(4702), held),
        TraceEvent::Released(Pid(4702), Pid(4711)),
        TraceEvent::Exit { root: Pid(4702), pid: Pid(7), comm: "sh".into(), ended: Ended::Killed(Signal(40)) },
        TraceEvent::Finished(Pid(4702), Ended::Exited(1)),
        TraceEvent::Noted { root: Pid(1), pid: Pid(7), comm: "sh".into(), note: Note::Aside("gdb".into()) },
        TraceEvent::Refused(Pid(4702), both),
    ] {
        let stored = serde_json::to_string(&event).unwrap();
        assert_eq!(serde_json::from_str::<TraceEvent>(&stored).unwrap(), event, "{stored}");
    }
    assert!(serde_json::from_str::<Syscall>("\"nosuch\"").is_err());
    // As it was written before a learner could change a call.
    let stored = serde_json::to_string(&unshare(Return::Value(0), Vec::new())).unwrap();
    assert!(!stored.contains("asked"), "{stored}");
}
