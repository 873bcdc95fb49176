use super::super::stage::{self, held, press, shot, straight, styled};
use super::*;
use crate::kernel::pid::Pid;
use crate::{
    app::{Event, Look, Overlay, State},
    event::Plan,
    kernel::{harm::Harm, namespaces::Kind},
    lesson::TerminalId,
    trace::{Call, Flags, Instead, Return, SyscallEvent},
};
use std::sync::Arc;

fn call(flags: u64) -> Call {
    Call::of(Pid(4711), "unshare", "unshare", [flags, 0, 0, 0, 0, 0])
}

fn branch(flags: u64, host_name: &str) -> Branch {
    let event =
        SyscallEvent { call: call(flags), returned: Return::Value(0), micros: 1, changed: Vec::new(), asked: None };
    let mut sample = stage::plain();
    sample.inside.hostname = Some(host_name.into());
    Branch { name: "b".into(), call: Some(event), guarded: Vec::new(), status: Some(0), printed: String::new(), sample }
}

/// `unshare` with CLONE_NEWUTS and without.
fn both() -> Branches {
    let (mnt, uts) = (Kind::Mnt.row().flag, Kind::Uts.row().flag);
    let mut changed = branch(mnt, "classroom");
    changed.sample.namespaces.insert(Kind::Uts, changed.sample.host_namespaces[&Kind::Uts]);
    changed.sample.scorecard.isolated = false;
    changed.guarded.push((Call::of(Pid(4711), "hostname", "sethostname", [0; 6]), Harm::HostName, true));
    let syscall = call(mnt).syscall;
    let change = crate::event::Change::Call { syscall, after: 0, instead: Instead::Without(Flags::Clone, uts) };
    let (place, before) = (("isolate".to_string(), "one".to_string()), Vec::new());
    let plan = Plan { place, before, terminal: TerminalId::Container, line: "unshare -mu sh".into(), change };
    let mut as_it_is = branch(mnt | uts, "box");
    as_it_is.sample.namespaces.insert(Kind::Uts, 7);
    as_it_is.sample.scorecard.isolated = true;
    Branches { plan, as_it_is, changed }
}

fn shown(lang: Lang, size: (u16, u16), look: Look) -> State {
    let mut state = stage::state(lang, size, look);
    held(&mut state);
    stage::feed(&mut state, Event::Branches(Arc::new(both())));
    state
}

#[test]
fn the_columns_stand_side_by_side() {
    for lang in Lang::ALL {
        let mut state = shown(lang, (80, 24), Look::default());
        shot(&mut state);
        let buffer = shot(&mut state);
        straight(&stage::text(&buffer), (80, 24));
        insta::assert_snapshot!(format!("branches_80_{}", lang.code()), styled(&buffer));
    }
}

#[test]
fn a_difference_has_a_sign_and_not_only_a_colour() {
    for (look, sign) in [(Look::default(), "≠ uts"), (Look { ascii: true, ..Look::default() }, "# uts")] {
        let mut state = shown(Lang::En, (80, 24), look);
        shot(&mut state);
        let text = stage::text(&shot(&mut state));
        assert!(text.contains(sign), "{text}");
    }
}

#[test]
fn one_key_leads_back_to_the_call() {
    for key in ["\x1b", "\n", "q", "b"] {
        let mut state = shown(Lang::En, (80, 24), Look::default());
        assert_eq!(state.overlay, Some(Overlay::Branches));
        press(&mut state, key);
        assert_eq!(state.overlay, None, "{key:?}");
        assert!(crate::app::held_to_change(state.play.as_ref().unwrap()).is_some());
    }
}

#[test]
fn sentences_say_the_same() {
    let said = lines(&both(), Lang::En);
    assert!(said[0].contains("`unshare -mu sh`: as it is, and without NEWUTS"), "{said:?}");
    let differs = "Differs: host name. as it is: its own; without NEWUTS: the host's.";
    assert!(said.iter().any(|line| line == differs), "{said:?}");
    assert!(said.iter().any(|line| line.starts_with("The same in both: ") && line.contains("net (")), "{said:?}");
    let said = lines(&both(), Lang::Zh);
    assert!(said.iter().any(|line| line == "不同：主机名。照原样：自己的；去掉 NEWUTS：宿主机的。"), "{said:?}");
    let same = both();
    let same = Branches { changed: same.as_it_is.clone(), ..same };
    assert!(lines(&same, Lang::En).iter().any(|line| line == nothing(Lang::En)));
}

#[test]
fn both_lines_are_told_where_the_line_differs() {
    let mut both = both();
    both.plan.change = crate::event::Change::Line("unshare -m sh".into());
    assert!(lines(&both, Lang::En)[0].contains("`unshare -mu sh`, and in its place `unshare -m sh`"));
    let table = table(&both, Lang::En, 72);
    assert_eq!(table[..2], ["$ unshare -mu sh", "$ unshare -m sh"]);
    assert!(table.iter().any(|line| line.starts_with("! uts ")), "{table:#?}");
}
