//! What changed because of a call: the kernel's state before it and after it, compared.
//!
//! Rights are told in the kernel's own words, and with the number of filters, which procfs leaves out of `status`.

use super::{
    Call, Change,
    calls::Effect,
    following,
    guard::inode,
    mounts::Table,
    objects,
    paths::{ours, reached},
    stop::Stopped,
    task::Pending,
};
use crate::{
    kernel::{namespaces::TABLE, objects::Object, pid::Pid, text},
    observe::{ForChildren, Links, for_children, links, ns_helper},
};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// What a call may change, as it was before.
#[derive(Default)]
pub(super) enum Before {
    #[default]
    Nothing,
    Namespaces(Links, ForChildren),
    Mounts(Option<Table>),
    RootDirectory(Option<PathBuf>),
    /// `None` where it could not be read inside.
    HostName(Option<String>),
    /// The contents behind a descriptor.
    File(i32, String),
    GroupMade(PathBuf),
    GroupRemoved(PathBuf),
    /// Lines of `/proc/PID/status`.
    Rights(Vec<(&'static str, String)>),
    /// What there was of the kind.
    Object(objects::Before),
    /// The object that goes.
    ObjectRemoved(Object),
}

/// Looks at what the call may change, just before it happens. `group` is the control group that it makes or removes.
pub(super) fn before(stop: &Stopped, call: &Call, values: &[u64; 6], group: Option<PathBuf>, exe: &Path) -> Before {
    let tid = stop.tid();
    let of = |group: Option<PathBuf>, before: fn(PathBuf) -> Before| group.map_or(Before::Nothing, before);
    let namespaces = || Before::Namespaces(links(&tid.dir()), for_children(&tid.dir()));
    match call.syscall.row().effect {
        Effect::Namespaces => namespaces(),
        Effect::Child(_) if gives_namespaces(call) => namespaces(),
        Effect::Mounts => Before::Mounts(Table::read(tid)),
        Effect::RootDirectory => Before::RootDirectory(root(tid)),
        Effect::HostName => Before::HostName(host_name(tid, exe)),
        Effect::Writes(index) => {
            let fd = values[index] as i32;
            Before::File(fd, contents(tid, fd))
        }
        Effect::GroupMade(_) => of(group, Before::GroupMade),
        Effect::GroupRemoved(_) => of(group, Before::GroupRemoved),
        Effect::Renamed(..) => of(group, Before::GroupRemoved),
        Effect::Rights => Before::Rights(rights(tid)),
        Effect::ObjectMade(made) => objects::before(tid, call, values, made).map_or(Before::Nothing, Before::Object),
        Effect::ObjectRemoved(made) => {
            objects::removed(tid, call, values, made).map_or(Before::Nothing, Before::ObjectRemoved)
        }
        Effect::Opens(index) => objects::shared(tid, call, values, index).map_or(Before::Nothing, Before::Object),
        Effect::Nothing
        | Effect::Child(_)
        | Effect::Program
        | Effect::Closes
        | Effect::Connects
        | Effect::Sends
        | Effect::Configures
        | Effect::Signals
        | Effect::Guarded(_) => Before::Nothing,
    }
}

/// Whether a new process will be in other namespaces than its maker: that is asked for, or was decided before.
fn gives_namespaces(call: &Call) -> bool {
    let flags = call.clone_flags();
    if TABLE.iter().any(|row| flags & row.flag != 0) {
        return true;
    }
    let link = |name: String| fs::read_link(call.pid.dir().join("ns").join(name)).ok();
    ["pid", "time"].iter().any(|kind| link(kind.to_string()) != link(format!("{kind}_for_children")))
}

/// What a new process is, and how it differs from its maker, before any of the two goes on.
pub(super) fn born(stop: &Stopped, child: Pid, before: &Before) -> Vec<Change> {
    let mut changes = vec![Change::Child(child)];
    if let Before::Namespaces(mine, children) = before {
        changes.extend(differences(mine, &links(&child.dir())));
        changes.extend(for_the_next(*children, for_children(&stop.tid().dir())));
    }
    changes
}

fn differences(old: &Links, new: &Links) -> Vec<Change> {
    let rows = TABLE.iter().map(|row| (row.kind, old.get(&row.kind).copied(), new.get(&row.kind).copied()));
    let rows = rows.filter(|(_, before, after)| before != after);
    rows.map(|(kind, before, after)| Change::Namespace { kind, before, after }).collect()
}

fn for_the_next(before: ForChildren, after: ForChildren) -> Option<Change> {
    (before != after).then_some(Change::PidForChildren { before, after })
}

/// Compares, just after the call has succeeded with this result.
pub(super) fn after(stop: &Stopped, pending: &mut Pending, result: i64, exe: &Path) -> Vec<Change> {
    let tid = stop.tid();
    let mut changes = std::mem::take(&mut pending.born);
    match std::mem::take(&mut pending.before) {
        // What a new process was given is known since it was born.
        Before::Namespaces(..) if pending.call.syscall.makes_process() => {}
        Before::Nothing => {}
        Before::Namespaces(links_before, children) => {
            changes.extend(differences(&links_before, &links(&tid.dir())));
            changes.extend(for_the_next(children, for_children(&tid.dir())));
        }
        Before::Mounts(before) => {
            changes.extend(before.zip(Table::read(tid)).into_iter().flat_map(|(before, after)| before.changes(&after)));
        }
        Before::RootDirectory(before) => changes.push(Change::RootDirectory { before, after: root(tid) }),
        Before::HostName(before) => {
            let both = before.zip(host_name(tid, exe)).filter(|(before, after)| before != after);
            changes.extend(both.map(|(before, after)| Change::HostName { before, after }));
        }
        Before::File(fd, before) => changes.extend(written(stop, fd, before)),
        Before::GroupMade(path) => changes.push(group_made(tid, &path)),
        Before::Rights(before) => changes.extend(changed_rights(before, rights(tid))),
        Before::Object(before) => changes.extend(objects::after(stop, before, result)),
        Before::ObjectRemoved(object) => changes.push(Change::ObjectRemoved(object)),
        Before::GroupRemoved(path) => changes.push(Change::GroupRemoved(name(&path))),
    }
    changes
}

/// What a thread may do (proc_pid_status(5)): these lines, as far as they are there.
const RIGHTS: [&str; 11] = [
    "Uid",
    "Gid",
    "Groups",
    "NoNewPrivs",
    "Seccomp",
    "Seccomp_filters",
    "CapInh",
    "CapPrm",
    "CapEff",
    "CapBnd",
    "CapAmb",
];

fn rights(tid: Pid) -> Vec<(&'static str, String)> {
    let status = text::read(tid.dir().join("status")).unwrap_or_default();
    let line = |name: &'static str| {
        let words: Vec<&str> = text::field(&status, name)?.split_whitespace().collect();
        Some((name, words.join(" ")))
    };
    RIGHTS.into_iter().filter_map(line).collect()
}

fn changed_rights(before: Vec<(&'static str, String)>, after: Vec<(&'static str, String)>) -> Vec<Change> {
    let changed = before.into_iter().zip(after).filter(|((_, before), (_, after))| before != after);
    changed.map(|((name, before), (_, after))| Change::Right { name: name.into(), before, after }).collect()
}

/// A control file; those that take processes in mean nothing without their group.
fn file_name(path: &Path) -> String {
    let file = name(path);
    match file.as_str() {
        "cgroup.procs" | "cgroup.threads" | "tasks" => match path.parent().and_then(Path::file_name) {
            Some(group) => format!("{}/{file}", group.display()),
            None => file,
        },
        _ => file,
    }
}

/// A control group that is there now, by its path as a thread sees it.
pub(super) fn group_made(tid: Pid, path: &Path) -> Change {
    Change::GroupMade(name(path), in_our_view(tid, path))
}

/// A directory of a cgroup hierarchy by the path that it has for us.
fn in_our_view(tid: Pid, path: &Path) -> Option<PathBuf> {
    let (theirs, machines) = (Table::read(tid)?, Table::read(Pid::own())?);
    let found = inode(&ours(tid, path))?;
    theirs.elsewhere(path, &machines).into_iter().find(|candidate| inode(candidate) == Some(found))
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().display().to_string()
}

fn written(stop: &Stopped, fd: i32, before: String) -> Option<Change> {
    let tid = stop.tid();
    let after = contents(tid, fd);
    if before == after {
        return None;
    }
    let path = following::control_file(stop, fd);
    let name = path.as_deref().map(file_name).unwrap_or_default();
    // What is only reached through the thread itself is gone with it.
    let file = path.as_ref().and_then(|_| reached(tid, fd)).filter(|file| !file.starts_with(tid.dir()));
    let some = |text: String| if text.is_empty() { None } else { Some(text) };
    Some(Change::ControlFile { name, before: some(before), after: some(after), file })
}

/// The root directory, as we see it.
fn root(tid: Pid) -> Option<PathBuf> {
    fs::read_link(tid.dir().join("root")).ok()
}

/// Only a process in the same UTS namespace can ask for its host name.
fn host_name(tid: Pid, exe: &Path) -> Option<String> {
    ns_helper::ask(exe, tid).and_then(|answer| answer.hostname)
}

/// A file's value in one line. Opening it by its descriptor reads it from the start.
pub(super) fn contents(tid: Pid, fd: i32) -> String {
    let text = text::read(tid.dir().join(format!("fd/{fd}"))).unwrap_or_default();
    let lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    lines.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
#[path = "effects_tests.rs"]
mod tests;
