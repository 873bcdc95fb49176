//! Which files matter when they are written: those of cgroup hierarchies, and the ID maps of user namespaces.

use super::{
    calls::{Arg, Role, Spec},
    memory,
};
use nix::sys::statfs::{CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC, statfs};
use std::{
    ffi::OsStr,
    fs,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

/// Written once, by name (user_namespaces(7)).
const MAPS: [&str; 3] = ["uid_map", "gid_map", "setgroups"];

/// Longer paths are refused by the kernel.
const PATH_MAX: usize = 4096;

/// The file or directory that a call names, as *we* can reach it: below the process's own root, working directory or open
/// directory.
pub(super) fn named(tid: i32, spec: &Spec, values: &[u64; 6]) -> Option<PathBuf> {
    let path_at = match spec.role {
        Role::Directory(index) => index,
        _ => spec.args.iter().position(|(_, arg)| matches!(arg, Arg::Text))?,
    };
    let bytes = memory::text(tid, *values.get(path_at)?, PATH_MAX)?;
    let path = Path::new(OsStr::from_bytes(&bytes));
    let base = match values.first().map(|value| *value as i32) {
        _ if path.is_absolute() => format!("/proc/{tid}/root"),
        Some(fd) if path_at > 0 && fd != libc::AT_FDCWD => format!("/proc/{tid}/fd/{fd}"),
        _ => format!("/proc/{tid}/cwd"),
    };
    Some(Path::new(&base).join(path.strip_prefix("/").unwrap_or(path)))
}

/// Whether something lies in a cgroup hierarchy: the directory is asked, because the thing itself may not exist yet.
pub(super) fn in_cgroup(path: &Path) -> bool {
    path.parent().is_some_and(on_cgroupfs)
}

fn on_cgroupfs(path: &Path) -> bool {
    statfs(path).is_ok_and(|found| [CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC].contains(&found.filesystem_type()))
}

/// Whether writing to this file is told.
pub(super) fn matters(path: &Path) -> bool {
    let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
    MAPS.contains(&name) || in_cgroup(path)
}

/// The open file behind a descriptor, where writing to it is told: its path as the process sees it.
pub(super) fn open_file(tid: i32, fd: i32) -> Option<PathBuf> {
    let link = PathBuf::from(format!("/proc/{tid}/fd/{fd}"));
    let target = fs::read_link(&link).ok()?;
    let map = target.file_name().and_then(OsStr::to_str).is_some_and(|name| MAPS.contains(&name));
    (map || on_cgroupfs(&link)).then_some(target)
}

/// Whether a process still has such a file open.
pub(super) fn any_open(tid: i32) -> bool {
    let fds = fs::read_dir(format!("/proc/{tid}/fd")).into_iter().flatten().flatten();
    fds.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).any(|fd| open_file(tid, fd).is_some())
}
