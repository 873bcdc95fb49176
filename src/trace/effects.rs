//! What changed because of a call: the kernel's state before it and after it, compared.

use super::{Change, following, task::Pending};
use crate::{
    kernel::namespaces::TABLE,
    observe::{ForChildren, Links, Mount, for_children, links, mounts, peek},
};
use std::{fs, path::Path};

/// What a call may change, as it was before.
#[derive(Default)]
pub(super) struct Before {
    links: Option<(Links, ForChildren)>,
    mounts: Option<Vec<Mount>>,
    root: Option<String>,
    hostname: Option<String>,
    file: Option<(i32, String)>,
}

fn dir(tid: i32) -> String {
    format!("/proc/{tid}")
}

/// Looks at what the call may change, just before it happens.
pub(super) fn before(tid: i32, name: &str, values: &[u64; 6], exe: &Path) -> Before {
    let mut before = Before::default();
    match name {
        "unshare" | "setns" => before.links = Some(namespaces(tid)),
        "fork" | "vfork" | "clone" | "clone3" => {
            before.links = Some((Links::new(), for_children(Path::new(&dir(tid)))))
        }
        "mount" | "umount2" | "move_mount" | "mount_setattr" | "fsconfig" => before.mounts = Some(mount_table(tid)),
        "pivot_root" => before.mounts = Some(mount_table(tid)),
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

/// Compares, just after the call has succeeded.
pub(super) fn after(tid: i32, pending: &Pending, exe: &Path) -> Vec<Change> {
    let (before, mut changes) = (&pending.before, Vec::new());
    if let Some(child) = pending.child {
        changes.push(Change { what: "child".into(), before: None, after: Some(child.to_string()) });
    }
    if let Some((links, children)) = &before.links {
        let (now, children_now) = namespaces(tid);
        for row in TABLE.iter().filter(|_| !links.is_empty()) {
            let (old, new) = (links.get(&row.kind), now.get(&row.kind));
            if old != new {
                changes.push(change(row.link, old.map(u64::to_string), new.map(u64::to_string)));
            }
        }
        if *children != children_now {
            changes.push(change("pid_for_children", inode(children), inode(&children_now)));
        }
    }
    if let Some(table) = &before.mounts {
        let now = mount_table(tid);
        match pending.spec.name {
            "pivot_root" => changes.push(change("root", at_root(table), at_root(&now))),
            _ => changes.extend(mounted(table, &now)),
        }
    }
    if pending.spec.name == "chroot" {
        changes.push(change("root", before.root.clone(), root(tid)));
    }
    if pending.spec.name == "sethostname" {
        let now = hostname(tid, exe);
        // Where nobody could ask inside, nothing is claimed.
        if before.hostname.is_some() && now.is_some() && before.hostname != now {
            changes.push(change("hostname", before.hostname.clone(), now));
        }
    }
    if let Some((fd, old)) = &before.file {
        let name = following::open_file(tid, *fd);
        let name = name.as_deref().and_then(Path::file_name).map(|name| name.display().to_string());
        let now = contents(tid, *fd);
        if *old != now {
            let some = |text: &str| (!text.is_empty()).then(|| text.to_string());
            changes.push(change(&name.unwrap_or_default(), some(old), some(&now)));
        }
    }
    match pending.spec.name {
        "mkdir" | "mkdirat" => {
            changes.extend(group(tid, pending).map(|group| change(&group, None, Some("made".into()))))
        }
        "rmdir" | "unlinkat" => {
            changes.extend(group(tid, pending).map(|group| change(&group, Some("empty".into()), None)));
        }
        _ => {}
    }
    changes
}

fn change(what: &str, before: Option<String>, after: Option<String>) -> Change {
    Change { what: what.into(), before, after }
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

fn mount_table(tid: i32) -> Vec<Mount> {
    mounts::parse(&String::from_utf8_lossy(&fs::read(format!("/proc/{tid}/mountinfo")).unwrap_or_default()))
}

/// The control group that a call made or removed, such as `cgroup box`.
fn group(tid: i32, pending: &Pending) -> Option<String> {
    let path = following::named(tid, pending.spec, &pending.values)?;
    Some(format!("cgroup {}", path.file_name()?.display()))
}

/// The root directory, as we see it.
fn root(tid: i32) -> Option<String> {
    fs::read_link(format!("/proc/{tid}/root")).ok().map(|path| path.display().to_string())
}

/// What is mounted at `/`.
fn at_root(table: &[Mount]) -> Option<String> {
    let mount = table.iter().rev().find(|mount| mount.point == "/")?;
    Some(format!("{} {} {}", mount.kind, mount.source, mount.root))
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

/// New and vanished mounts, and those whose propagation changed: several of the last kind are one line.
fn mounted(old: &[Mount], new: &[Mount]) -> Vec<Change> {
    let find = |table: &[Mount], id: u32| table.iter().find(|mount| mount.id == id).cloned();
    let mut changes = Vec::new();
    for mount in new.iter().filter(|mount| find(old, mount.id).is_none()) {
        changes.push(change(&format!("mount {}", mount.point), None, Some(mount.kind.clone())));
    }
    for mount in old.iter().filter(|mount| find(new, mount.id).is_none()) {
        changes.push(change(&format!("mount {}", mount.point), Some(mount.kind.clone()), None));
    }
    let mut shared: Vec<(String, String, Vec<&str>)> = Vec::new();
    for mount in new {
        let Some(was) = find(old, mount.id) else { continue };
        let word = |text: &str| if text.is_empty() { "private".to_string() } else { text.to_string() };
        let (from, to) = (word(&was.propagation), word(&mount.propagation));
        if was.point != mount.point {
            changes.push(change("mount", Some(was.point.clone()), Some(mount.point.clone())));
        }
        if from == to {
            continue;
        }
        match shared.iter_mut().find(|(a, b, _)| (a.as_str(), b.as_str()) == (from.as_str(), to.as_str())) {
            Some((_, _, points)) => points.push(&mount.point),
            None => shared.push((from, to, vec![&mount.point])),
        }
    }
    for (from, to, points) in shared {
        let what = match points.as_slice() {
            [point] => format!("propagation of {point}"),
            points => format!("propagation of {} mounts", points.len()),
        };
        changes.push(change(&what, Some(from), Some(to)));
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mount(id: u32, point: &str, propagation: &str) -> Mount {
        Mount { id, point: point.into(), kind: "tmpfs".into(), propagation: propagation.into(), ..Mount::default() }
    }

    #[test]
    fn mount_tables_are_compared_by_id() {
        let old = [mount(1, "/", "shared"), mount(2, "/a", "shared"), mount(3, "/b", "")];
        let new = [mount(1, "/", ""), mount(2, "/a", ""), mount(4, "/proc", "")];
        let lines: Vec<String> = mounted(&old, &new).iter().map(Change::to_string).collect();
        assert_eq!(
            lines,
            ["mount /proc: none -> tmpfs", "mount /b: tmpfs -> none", "propagation of 2 mounts: shared -> private"]
        );
        assert_eq!(mounted(&old, &old), []);
    }
}
