//! Which files and directories matter when they are written or made: those of cgroup hierarchies, and the ID maps of user
//! namespaces.
//!
//! File systems are asked as little as possible: one that a traced process serves (FUSE) would wait for us while we wait
//! for it.

use super::{memory::Memory, mounts::Table};
use nix::sys::statfs::{CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC, PROC_SUPER_MAGIC, statfs};
use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs,
    os::unix::ffi::OsStrExt,
    path::{Component, Path, PathBuf},
};

/// Written once, by name (user_namespaces(7)).
const MAPS: [&str; 3] = ["uid_map", "gid_map", "setgroups"];

/// Control files of cgroups whose names carry no controller's name.
const BARE: [&str; 3] = ["tasks", "notify_on_release", "release_agent"];

/// What the names of all other control files begin with, up to a dot.
const CONTROLLERS: [&str; 16] = [
    "cgroup",
    "cpu",
    "cpuacct",
    "cpuset",
    "memory",
    "pids",
    "io",
    "blkio",
    "hugetlb",
    "devices",
    "freezer",
    "net_cls",
    "net_prio",
    "rdma",
    "misc",
    "perf_event",
];

/// Longer paths are refused by the kernel.
const PATH_MAX: usize = 4096;

fn is_control_name(name: &str) -> bool {
    let controller = || name.split_once('.').is_some_and(|(start, _)| CONTROLLERS.contains(&start));
    MAPS.contains(&name) || BARE.contains(&name) || controller()
}

fn path_at(tid: i32, address: u64) -> Option<PathBuf> {
    let (bytes, _) = Memory(tid).text(address, PATH_MAX)?;
    Some(PathBuf::from(OsStr::from_bytes(&bytes)))
}

/// Whether an opening call may lead to a control file, by its path's last part.
pub(super) fn may_be_control_file(tid: i32, values: &[u64; 6], index: usize) -> bool {
    let path = values.get(index).and_then(|address| path_at(tid, *address));
    // A link may have another name, but nobody links to control files.
    path.is_some_and(|path| path.file_name().and_then(OsStr::to_str).is_some_and(is_control_name))
}

/// The open file behind a descriptor, where writing to it is told: its path as the process sees it.
pub(super) fn control_file(tid: i32, fd: i32) -> Option<PathBuf> {
    let link = format!("/proc/{tid}/fd/{fd}");
    let target = fs::read_link(&link).ok()?;
    let name = target.file_name()?.to_str().filter(|name| is_control_name(name))?;
    let kind = statfs(Path::new(&link)).ok()?.filesystem_type();
    let right = match MAPS.contains(&name) {
        true => kind == PROC_SUPER_MAGIC,
        false => kind == CGROUP_SUPER_MAGIC || kind == CGROUP2_SUPER_MAGIC,
    };
    right.then_some(target)
}

/// Whether a process still has such a file open.
pub(super) fn any_open(tid: i32) -> bool {
    let fds = fs::read_dir(format!("/proc/{tid}/fd")).into_iter().flatten().flatten();
    fds.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).any(|fd| control_file(tid, fd).is_some())
}

/// Whether the program that an execve call names is there, as the caller sees it.
pub(super) fn program_exists(tid: i32, values: &[u64; 6]) -> bool {
    let Some(path) = path_at(tid, values[0]) else { return true };
    let start = if path.is_absolute() { "root" } else { "cwd" };
    let start = PathBuf::from(format!("/proc/{tid}/{start}"));
    // A link is not followed: an absolute one would lead into our own root.
    start.join(path.strip_prefix("/").unwrap_or(&path)).symlink_metadata().is_ok()
}

/// The mount tables by mount namespace and root directory, kept because unpacking an image makes thousands of directories.
#[derive(Default)]
pub(super) struct Cgroups(BTreeMap<[PathBuf; 2], Table>);

impl Cgroups {
    /// A mount table may have changed.
    pub(super) fn forget(&mut self) {
        self.0.clear();
    }

    /// The directory that a call makes or removes (its path is the argument of this index), where it lies in a cgroup
    /// hierarchy: as the process sees it.
    pub(super) fn directory(&mut self, tid: i32, values: &[u64; 6], index: usize) -> Option<PathBuf> {
        let path = path_at(tid, *values.get(index)?)?;
        let start = match values[0] as i32 {
            fd if index > 0 && fd != libc::AT_FDCWD => format!("/proc/{tid}/fd/{fd}"),
            _ => format!("/proc/{tid}/cwd"),
        };
        let whole = if path.is_absolute() { path } else { fs::read_link(start).ok()?.join(path) };
        let whole = plain(&whole);
        let link = |name| fs::read_link(format!("/proc/{tid}/{name}")).ok();
        let table = self.0.entry([link("ns/mnt")?, link("root")?]).or_insert_with(|| Table::read(tid));
        table.holding(&whole).is_some_and(|mount| mount.kind.starts_with("cgroup")).then_some(whole)
    }
}

/// A path without `.` and `..`.
fn plain(path: &Path) -> PathBuf {
    let mut out = PathBuf::from("/");
    for part in path.components() {
        match part {
            Component::Normal(part) => out.push(part),
            Component::ParentDir => drop(out.pop()),
            _ => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsRawFd;

    #[test]
    fn only_control_files_count() {
        let me = std::process::id() as i32;
        let named_alike = tempfile::NamedTempFile::with_suffix("cpu.max").unwrap();
        assert_eq!(control_file(me, named_alike.as_file().as_raw_fd()), None);
        let map = fs::File::open("/proc/self/uid_map").unwrap();
        assert!(control_file(me, map.as_raw_fd()).unwrap().ends_with("uid_map"));
        assert!(any_open(me));
        assert!(is_control_name("memory.limit_in_bytes") && is_control_name("tasks"));
        assert!(!is_control_name("notes.txt") && !is_control_name("cpu"));
    }

    #[test]
    fn paths_are_made_plain() {
        assert_eq!(plain(Path::new("/a/./b/../c//d")), Path::new("/a/c/d"));
    }
}
