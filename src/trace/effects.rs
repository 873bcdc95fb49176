//! What changed because of a call: the kernel's state before it and after it, compared.

use super::{Change, decode, following, mounts::Table, task::Pending};
use crate::{
    kernel::namespaces::{Kind, TABLE},
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
    root: Option<String>,
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
    let mut changes = vec![change("child", None, Some(child.to_string()))];
    let Some((mine, children)) = &before.links else { return changes };
    let theirs = links(Path::new(&dir(child)));
    changes.extend(differences(mine, &theirs));
    let now = for_children(Path::new(&dir(tid)));
    if *children != now {
        changes.push(change("pid_for_children", inode(children), inode(&now)));
    }
    changes
}

fn differences(old: &Links, new: &Links) -> Vec<Change> {
    let pair = |kind: Kind| (old.get(&kind).map(u64::to_string), new.get(&kind).map(u64::to_string));
    let rows = TABLE.iter().map(|row| (row.link, pair(row.kind))).filter(|(_, (old, new))| old != new);
    rows.map(|(link, (old, new))| change(link, old, new)).collect()
}

/// Compares, just after the call has succeeded.
pub(super) fn after(tid: i32, pending: &mut Pending, exe: &Path) -> Vec<Change> {
    let mut changes = std::mem::take(&mut pending.born);
    let before = &pending.before;
    match (pending.spec.name, &before.links) {
        ("unshare" | "setns", Some((links, children))) => {
            let (now, children_now) = namespaces(tid);
            changes.extend(differences(links, &now));
            if *children != children_now {
                changes.push(change("pid_for_children", inode(children), inode(&children_now)));
            }
        }
        ("chroot", _) => changes.push(change("root", before.root.clone(), root(tid))),
        ("sethostname", _) => {
            let now = hostname(tid, exe);
            // Where nobody could ask inside, nothing is claimed.
            if before.hostname.is_some() && now.is_some() && before.hostname != now {
                changes.push(change("hostname", before.hostname.clone(), now));
            }
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
            changes.push(Change { file, ..change(&name.unwrap_or_default(), some(old), some(&now)) });
        }
    }
    if let Some(name) = before.group.as_deref().and_then(Path::file_name) {
        let what = format!("cgroup {}", name.display());
        changes.push(match pending.spec.name {
            "mkdir" | "mkdirat" => change(&what, None, Some("made".into())),
            _ => change(&what, Some("empty".into()), None),
        });
    }
    changes
}

/// Whether both paths lead to one file (stat(2)).
fn same(one: &Path, other: &Path) -> bool {
    let place = |path: &Path| fs::metadata(path).ok().map(|found| (found.dev(), found.ino()));
    place(one).is_some() && place(one) == place(other)
}

fn change(what: &str, before: Option<String>, after: Option<String>) -> Change {
    Change { what: what.into(), before, after, file: None }
}

fn namespaces(tid: i32) -> (Links, ForChildren) {
    let dir = dir(tid);
    let dir = Path::new(&dir);
    (links(dir), for_children(dir))
}

/// The namespace of the next child; none where it was not made yet.
fn inode(children: &ForChildren) -> Option<String> {
    match children {
        ForChildren::Inode(inode) => Some(inode.to_string()),
        ForChildren::NotMade | ForChildren::Unknown => None,
    }
}

/// The root directory, as we see it.
fn root(tid: i32) -> Option<String> {
    fs::read_link(format!("/proc/{tid}/root")).ok().map(|path| path.display().to_string())
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
