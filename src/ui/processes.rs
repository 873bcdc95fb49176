//! The process tree with both PIDs.

use super::{
    marks,
    sheet::Sheet,
    text::{clip, line, pad},
    theme::Role,
};
use crate::{
    app::{Play, State},
    kernel::{namespaces::Kind, pid::Pid},
    observe::{Process, Sample},
};
use std::collections::BTreeMap;

/// Lays out the tree.
pub(super) fn sheet(state: &State, play: &Play, columns: usize) -> Sheet {
    let mut sheet = Sheet::default();
    let lang = state.lang;
    let Some(now) = play.sample.as_deref().filter(|sample| !sample.processes.is_empty()) else {
        sheet.line(line(lang.pick("No process yet.", "还没有进程。"), Role::Quiet));
        return sheet;
    };
    let known: Vec<Pid> =
        play.before.iter().flat_map(|sample| sample.processes.iter().map(|process| process.pid)).collect();
    sheet.line(vec![
        (pad(lang.pick("host", "宿主机"), 7), Role::Host),
        (pad(lang.pick("inside", "容器内"), 8), Role::Container),
    ]);
    let mut depths: BTreeMap<Pid, usize> = BTreeMap::new();
    for process in &now.processes {
        let depth = depths.get(&process.ppid).map_or(0, |depth| depth + 1);
        depths.insert(process.pid, depth);
        let held = play.session.held().iter().any(|(_, call)| call.pid == process.pid);
        let new = !known.is_empty() && !known.contains(&process.pid);
        let inside = inside(process, now);
        let tree = if depth == 0 { String::new() } else { format!("{}{} ", "  ".repeat(depth - 1), marks::BRANCH) };
        let mut notes = String::new();
        if process.state == 'Z' {
            notes.push_str(lang.pick(" ended", " 已结束"));
        }
        if held {
            notes.push_str(&format!(" {}", marks::HELD));
        }
        if new {
            notes.push_str(&format!(" {}", marks::CHANGED));
        }
        let ours = now.container == Some(process.pid);
        let role = if process.state == 'Z' {
            Role::Quiet
        } else if ours {
            Role::Strong
        } else {
            Role::Plain
        };
        let room = columns.saturating_sub(15 + notes.chars().count());
        sheet.line(vec![
            (pad(&process.pid.to_string(), 7), Role::Host),
            (pad(&inside.map_or_else(|| "-".into(), |pid| pid.to_string()), 8), Role::Container),
            (clip(&format!("{tree}{}", process.comm), room), role),
            (notes, Role::Changed),
        ]);
    }
    sheet
}

/// The PID that the process has in the container's PID namespace, if that is not the host's and the process is in it.
pub(super) fn inside(process: &Process, sample: &Sample) -> Option<i32> {
    let own = sample.namespaces.get(&Kind::Pid)?;
    let isolated = Some(own) != sample.host_namespaces.get(&Kind::Pid);
    (isolated && process.pid_ns == Some(*own)).then(|| process.nspid.last().copied()).flatten()
}
