//! pivot_root(8): swap the root mount of a mount namespace.

use super::{args::parse_bytes, complain, failed};
use crate::kernel::{
    errno_causes::{self, Fact},
    mountinfo::{self, Mount},
};
use nix::{errno::Errno, unistd::pivot_root};
use std::{
    ffi::OsString,
    fmt::Display,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Runs the tool.
pub(super) fn run(args: &[OsString]) -> ExitCode {
    let words = parse_bytes(args, &[], false).map(|parsed| parsed.words).unwrap_or_default();
    let [new, put_old] = words.as_slice() else {
        return complain("pivot_root", "bad usage\n  pivot_root NEW_ROOT PUT_OLD", 1);
    };
    // One call: the mount NEW_ROOT becomes `/` of this mount namespace, and the old root mount is attached at PUT_OLD.
    // Unlike chroot(2) it moves mounts, so the old root can then be unmounted and is gone for good. Processes whose
    // root and working directory were the old ones are moved along by the kernel, our shell among them.
    let (new, put_old) = (Path::new(new), Path::new(put_old));
    let Err(errno) = pivot_root(new, put_old) else { return ExitCode::SUCCESS };
    let what = format!("failed to change root from `{}' to `{}'", new.display(), put_old.display());
    failed("pivot_root", &what, errno, why(errno, new, put_old).as_deref(), 1)
}

/// What pivot_root(2) leaves unsaid: its two errors have many errno_causes, and this asks for each in the kernel's own order.
fn why(errno: Errno, new: &Path, old: &Path) -> Option<String> {
    let absent = |dir: &&Path| if errno == Errno::ENOTDIR { !dir.is_dir() } else { !dir.exists() };
    let missing = [new, old].into_iter().find(absent).unwrap_or(new).display();
    let found = match (fs::canonicalize(new), fs::canonicalize(old)) {
        (Ok(new), Ok(old)) => diagnose(&mountinfo::own(), &new, &old),
        _ => None,
    };
    let unknown = found.is_none() && matches!(errno, Errno::EINVAL | Errno::EBUSY);
    let (fact, point) =
        found.filter(|_| !matches!(errno, Errno::ENOENT | Errno::ENOTDIR)).unwrap_or((Fact::NoTarget, String::new()));
    let shown = |path: &Path| fs::canonicalize(path).unwrap_or_else(|_| path.into());
    let (new, old) = (shown(new), shown(old));
    let values: [(&str, &dyn Display); 4] =
        [("new", &new.display()), ("old", &old.display()), ("point", &point), ("missing", &missing)];
    errno_causes::help_with("pivot_root", errno, &[fact], &values).filter(|_| !unknown)
}

/// What is wrong, and the mount that it is about. Both directories as they are seen from the root that `table` is about.
fn diagnose(table: &[Mount], new: &Path, old: &Path) -> Option<(Fact, String)> {
    let Some(root) = at(table, Path::new("/")) else { return Some((Fact::RootNotMounted, String::new())) };
    let (new_mount, old_mount) = (holding(table, new)?, holding(table, old)?);
    let parent = |mount: &Mount| table.iter().find(|other| other.id == mount.parent);
    let shared =
        [(Fact::SharedOld, Some(old_mount)), (Fact::SharedParent, parent(new_mount)), (Fact::SharedRoot, parent(root))];
    if let Some((fact, mount)) = shared.iter().find_map(|(fact, mount)| Some((fact, mount.filter(|m| m.is_shared())?)))
    {
        return Some((*fact, mount.point.clone()));
    }
    let others = [
        (Fact::NewOnRoot, new_mount.id == root.id),
        (Fact::OldOnRoot, old_mount.id == root.id),
        (Fact::FirstRoot, root.kind == "rootfs" || root.parent == root.id),
        (Fact::NewNotMounted, Path::new(&new_mount.point) != new),
        (Fact::OldElsewhere, !old.starts_with(new)),
    ];
    let (fact, _) = others.into_iter().find(|(_, holds)| *holds)?;
    Some((fact, String::new()))
}

/// The mount that is seen at exactly this place: the newest one covers the others.
fn at<'a>(table: &'a [Mount], point: &Path) -> Option<&'a Mount> {
    table.iter().rev().find(|mount| Path::new(&mount.point) == point)
}

/// The mount that a directory is on.
fn holding<'a>(table: &'a [Mount], dir: &Path) -> Option<&'a Mount> {
    dir.ancestors().map(PathBuf::from).find_map(|point| at(table, &point))
}

#[cfg(test)]
#[path = "pivot_root_tests.rs"]
mod tests;
