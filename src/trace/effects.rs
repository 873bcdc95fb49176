//! What changed because of a call: the kernel's state before it and after it, compared.

use super::{Change, decode, following, mounts::Table, task::Pending};
use crate::{
    kernel::{namespaces::TABLE, pid::Pid},
    observe::{ForChildren, Links, for_children, links, peek},
};
use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// What a call may change, as it was before.
#[derive(Default)]
pub(super) struct Before {
    links: Option<(Links, ForChildren)>,
    mounts: Option<Table>,
    root: Option<PathBuf>,
    hostname: Option<String>,
    file: Option<(i32, String)>,
    group: Option<PathBuf>,
}

fn dir(tid: i32) -> String {
    format!("/proc/{tid}")
}

/// Looks at what the call may change, just before it happens. `group` is the control group that it makes or removes.
pub(super) fn before(tid: i32, name: &str, values: &[u64; 6], group: Option<PathBuf>, exe: &Path) -> Before {
    let mut before = Before { group, ..Before::default() };
    match name {
        "unshare" | "setns" => before.links = Some(namespaces(tid)),
        "fork" | "vfork" | "clone" | "clone3" if gives_namespaces(tid, name, values) => {
            before.links = Some(namespaces(tid));
        }
        "mount" | "umount2" | "move_mount" | "mount_setattr" | "fsconfig" | "pivot_root" => {
            before.mounts = Some(Table::read(tid));
        }
        "chroot" => before.root = root(tid),
        "sethostname" => before.hostname = hostname(tid, exe),
        "write" | "pwrite64" | "writev" => {
            let fd = values.first().map_or(-1, |fd| *fd as i32);
            before.file = Some((fd, contents(tid, fd)));
        }
        _ => {}
    }
    before
}

/// Whether a new process will be in other namespaces than its maker: that is asked for, or was decided before.
fn gives_namespaces(tid: i32, name: &str, values: &[u64; 6]) -> bool {
    let flags = decode::clone_flags(tid, name, values);
    if TABLE.iter().any(|row| flags & row.flag != 0) {
        return true;
    }
    let link = |name| fs::read_link(format!("/proc/{tid}/ns/{name}")).ok();
    ["pid", "time"].iter().any(|kind| link(kind.to_string()) != link(format!("{kind}_for_children")))
}

/// What a new process is, and how it differs from its maker, before any of the two goes on.
pub(super) fn born(tid: i32, child: i32, before: &Before) -> Vec<Change> {
    let mut changes = vec![Change::Child(Pid(child))];
    let Some((mine, children)) = &before.links else { return changes };
    let theirs = links(Path::new(&dir(child)));
    changes.extend(differences(mine, &theirs));
    changes.extend(for_the_next(*children, for_children(Path::new(&dir(tid)))));
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

/// Compares, just after the call has succeeded.
pub(super) fn after(tid: i32, pending: &mut Pending, exe: &Path) -> Vec<Change> {
    let mut changes = std::mem::take(&mut pending.born);
    let before = &pending.before;
    match (pending.spec.name, &before.links) {
        ("unshare" | "setns", Some((links, children))) => {
            let (now, children_now) = namespaces(tid);
            changes.extend(differences(links, &now));
            changes.extend(for_the_next(*children, children_now));
        }
        ("chroot", _) => changes.push(Change::RootDirectory { before: before.root.clone(), after: root(tid) }),
        ("sethostname", _) => {
            // Where nobody could ask inside, nothing is claimed.
            let both = before.hostname.clone().zip(hostname(tid, exe)).filter(|(before, after)| before != after);
            changes.extend(both.map(|(before, after)| Change::HostName { before, after }));
        }
        _ => {}
    }
    if let Some(table) = &before.mounts {
        changes.extend(table.changes(&Table::read(tid)));
    }
    if let Some((fd, old)) = &before.file {
        let path = following::control_file(tid, *fd);
        let name = path.as_deref().and_then(Path::file_name).map(|name| name.display().to_string());
        let now = contents(tid, *fd);
        if *old != now {
            let some = |text: &str| (!text.is_empty()).then(|| text.to_string());
            let file = path.filter(|path| same(path, &Path::new(&dir(tid)).join("fd").join(fd.to_string())));
            let name = name.unwrap_or_default();
            changes.push(Change::ControlFile { name, before: some(old), after: some(&now), file });
        }
    }
    if let Some(name) = before.group.as_deref().and_then(Path::file_name) {
        let name = name.display().to_string();
        changes.push(match pending.spec.name {
            "mkdir" | "mkdirat" => Change::GroupMade(name),
            _ => Change::GroupRemoved(name),
        });
    }
    changes
}

/// Whether both paths lead to one file (stat(2)).
fn same(one: &Path, other: &Path) -> bool {
    let place = |path: &Path| fs::metadata(path).ok().map(|found| (found.dev(), found.ino()));
    place(one).is_some() && place(one) == place(other)
}

fn namespaces(tid: i32) -> (Links, ForChildren) {
    let dir = dir(tid);
    let dir = Path::new(&dir);
    (links(dir), for_children(dir))
}

/// The root directory, as we see it.
fn root(tid: i32) -> Option<PathBuf> {
    fs::read_link(format!("/proc/{tid}/root")).ok()
}

/// Only a process in the same UTS namespace can ask for its host name.
fn hostname(tid: i32, exe: &Path) -> Option<String> {
    peek::ask(exe, tid).and_then(|answer| answer.hostname)
}

/// A file's value in one line. Opening it by its descriptor reads it from the start.
fn contents(tid: i32, fd: i32) -> String {
    let text = fs::read_to_string(format!("/proc/{tid}/fd/{fd}")).unwrap_or_default();
    let lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    lines.collect::<Vec<_>>().join(", ")
}
