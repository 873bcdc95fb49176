//! Which files and directories matter when they are written or made: those of cgroup hierarchies, and the ID maps of user
//! namespaces.
//!
//! File systems are asked as little as possible: one that a traced process serves (FUSE) would wait for us while we wait
//! for it.

use super::{
    Argument, Value,
    mounts::Table,
    network,
    paths::{link, resolve},
    stop::Stopped,
};
use crate::kernel::{cgroups::CONTROLLERS, pid::Pid};
use nix::sys::statfs::{CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC, PROC_SUPER_MAGIC, statfs};
use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

/// Written once, by name (user_namespaces(7)).
const MAPS: [&str; 3] = ["uid_map", "gid_map", "setgroups"];

/// Control files of cgroups whose names carry no controller's name.
const BARE: [&str; 3] = ["tasks", "notify_on_release", "release_agent"];

fn is_control_name(name: &str) -> bool {
    let controller =
        || name.split_once('.').is_some_and(|(start, _)| start == "cgroup" || CONTROLLERS.contains(&start));
    MAPS.contains(&name) || BARE.contains(&name) || controller()
}

/// Whether an opening call may lead to a control file, by its path's last part.
pub(super) fn may_be_control_file(path: Option<&Path>) -> bool {
    // A link may have another name, but links to control files are not expected.
    path.and_then(Path::file_name).and_then(OsStr::to_str).is_some_and(is_control_name)
}

/// The open file behind a descriptor, where writing to it is told: its path as the process sees it.
pub(super) fn control_file(stop: &Stopped, fd: i32) -> Option<PathBuf> {
    let name = PathBuf::from(format!("fd/{fd}"));
    let (link, target) = (stop.tid().dir().join(&name), link(stop.tid(), &name)?);
    let name = target.file_name()?.to_str().filter(|name| is_control_name(name))?;
    let kind = statfs(&link).ok()?.filesystem_type();
    let right = match MAPS.contains(&name) {
        true => kind == PROC_SUPER_MAGIC,
        false => kind == CGROUP_SUPER_MAGIC || kind == CGROUP2_SUPER_MAGIC,
    };
    right.then_some(target)
}

/// The same where it is a control group's.
pub(super) fn control_group_file(stop: &Stopped, fd: i32) -> Option<PathBuf> {
    control_file(stop, fd).filter(|path| path.file_name().is_some_and(|name| !MAPS.iter().any(|map| name == *map)))
}

/// Whether a process still has such a file open, or a netlink socket.
pub(super) fn any_open(stop: &Stopped, process: Pid) -> bool {
    let fds = fs::read_dir(stop.tid().dir().join("fd")).into_iter().flatten().flatten();
    let mut fds = fds.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    fds.any(|fd| control_file(stop, fd).is_some() || network::is_netlink(process, fd))
}

/// Whether the program that an execve call names is there, as the caller sees it.
pub(super) fn program_exists(stop: &Stopped, path: &Path) -> bool {
    let start = stop.tid().dir().join(if path.is_absolute() { "root" } else { "cwd" });
    // A link is not followed: an absolute one would lead into our own root.
    start.join(path.strip_prefix("/").unwrap_or(path)).symlink_metadata().is_ok()
}

/// The mount tables by mount namespace and root directory, kept because unpacking an image makes thousands of directories.
#[derive(Default)]
pub(super) struct Cgroups(BTreeMap<[PathBuf; 2], Table>);

impl Cgroups {
    /// A mount table may have changed.
    pub(super) fn forget(&mut self) {
        self.0.clear();
    }

    /// The mount table of a thread.
    pub(super) fn table(&mut self, tid: Pid) -> Option<&Table> {
        let link = |name: &str| fs::read_link(tid.dir().join(name)).ok();
        Some(self.0.entry([link("ns/mnt")?, link("root")?]).or_insert_with(|| Table::read(tid).unwrap_or_default()))
    }

    /// The directory that a call makes or removes (its path is the argument of this index), where it lies in a cgroup
    /// hierarchy: as the process sees it.
    pub(super) fn directory(&mut self, stop: &Stopped, args: &[Argument], index: usize) -> Option<PathBuf> {
        let path = args.get(index)?.path()?;
        let dir = start(args, index);
        let table = self.table(stop.tid())?;
        let whole = resolve(stop.tid(), table, dir, path)?;
        table.holding(&whole).is_some_and(|mount| mount.kind.starts_with("cgroup")).then_some(whole)
    }
}

/// Where the path that is the argument of this index begins: the directory before it, or AT_FDCWD.
pub(super) fn start(args: &[Argument], index: usize) -> i32 {
    match index.checked_sub(1).and_then(|before| args.get(before)).map(|argument| &argument.value) {
        Some(Value::Directory(fd)) => *fd,
        _ => libc::AT_FDCWD,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsRawFd;

    #[test]
    fn only_control_files_count() {
        let me = Stopped::own();
        let named_alike = tempfile::NamedTempFile::with_suffix("cpu.max").unwrap();
        assert_eq!(control_file(&me, named_alike.as_file().as_raw_fd()), None);
        let map = fs::File::open("/proc/self/uid_map").unwrap();
        assert!(control_file(&me, map.as_raw_fd()).unwrap().ends_with("uid_map"));
        assert!(any_open(&me, me.tid()));
        assert!(is_control_name("memory.limit_in_bytes") && is_control_name("tasks"));
        assert!(is_control_name("cgroup.procs") && is_control_name("setgroups"));
        assert!(!is_control_name("notes.txt") && !is_control_name("cpu"));
        assert!(control_group_file(&me, map.as_raw_fd()).is_none(), "it is a user namespace's");
        let status = fs::File::open("/proc/self/status").unwrap();
        assert_eq!(control_file(&me, status.as_raw_fd()), None);
        assert_eq!(control_file(&me, i32::MAX), None);
    }

    #[test]
    #[cfg_attr(no_control_groups, ignore = "no control groups were mounted when this was built")]
    fn a_control_group_has_control_files() {
        let mounts = crate::kernel::mountinfo::own();
        let tops = mounts.iter().filter(|mount| mount.kind.starts_with("cgroup"));
        let files: Vec<_> = tops.map(|top| Path::new(&top.point).join("cgroup.procs")).collect();
        let open: Vec<_> = files.iter().filter_map(|path| Some((path, fs::File::open(path).ok()?))).collect();
        assert!(!open.is_empty(), "{files:?}");
        for (path, file) in open {
            let found = control_file(&Stopped::own(), file.as_raw_fd());
            assert_eq!(found.as_ref(), Some(path));
            assert_eq!(control_group_file(&Stopped::own(), file.as_raw_fd()), found);
        }
    }

    #[test]
    fn whoever_has_neither_a_control_file_nor_netlink_open_is_not_followed() {
        use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};
        let told = crate::kernel::apart::forked(|| {
            let open = fs::read_dir("/proc/self/fd").unwrap().flatten().map(|entry| entry.path()).collect::<Vec<_>>();
            let pipe =
                |file: &PathBuf| fs::read_link(file).is_ok_and(|it| it.display().to_string().starts_with("pipe:"));
            for file in open.iter().filter(|file| !pipe(file)) {
                let fd: i32 = file.file_name().unwrap().to_str().unwrap().parse().unwrap();
                let _ = nix::unistd::close(fd);
            }
            let open = || any_open(&Stopped::own(), Pid::own());
            let before = open();
            let netlink = socket(AddressFamily::Netlink, SockType::Raw, SockFlag::empty(), None).unwrap();
            let with_netlink = open();
            drop(netlink);
            let map = fs::File::open("/proc/self/uid_map").unwrap();
            let with_map = open();
            drop(map);
            format!("{before} {with_netlink} {with_map} {}", open())
        });
        assert_eq!(told, "false true true false");
    }

    #[test]
    fn the_name_says_what_may_be_a_control_file() {
        let may = |path: &str| may_be_control_file(Some(Path::new(path)));
        assert!(may("/proc/self/gid_map") && may("box/cpu.max") && may("release_agent"));
        assert!(!may("box/cpu.max/..") && !may("readme") && !may("/") && !may_be_control_file(None));
    }

    #[test]
    fn a_program_is_looked_for_where_the_caller_would() {
        let me = Stopped::own();
        let dir = tempfile::tempdir().unwrap();
        let (file, link) = (dir.path().join("prog"), dir.path().join("link"));
        assert!(!program_exists(&me, &file));
        fs::write(&file, "").unwrap();
        // One that leads nowhere is there all the same.
        std::os::unix::fs::symlink("/no such file", &link).unwrap();
        assert!(program_exists(&me, &file) && program_exists(&me, &link));
        assert!(program_exists(&me, Path::new("Cargo.toml")) && !program_exists(&me, Path::new("no such file")));
    }

    #[test]
    fn a_path_begins_at_the_directory_before_it() {
        let args = |value| [Argument::from(value), Argument::from(Value::Hex(0))];
        assert_eq!(start(&args(Value::Directory(7)), 1), 7);
        assert_eq!(start(&args(Value::Number(7)), 1), libc::AT_FDCWD);
        assert_eq!(start(&args(Value::Directory(7)), 0), libc::AT_FDCWD);
        assert_eq!(start(&args(Value::Directory(7)), 2), libc::AT_FDCWD);
    }

    #[test]
    fn only_directories_in_a_hierarchy_of_groups_are_groups() {
        let (me, mut groups) = (Stopped::own(), Cgroups::default());
        let kinds = crate::kernel::text::read("/proc/self/mountinfo").unwrap();
        let hierarchy = kinds.lines().find(|line| line.contains(" - cgroup")).and_then(|line| line.split(' ').nth(4));
        let of = |groups: &mut Cgroups, path: &str| {
            let path = std::ffi::CString::new(path).unwrap();
            let values = [libc::AT_FDCWD as u64, path.as_ptr() as u64, 0, 0, 0, 0];
            let call = crate::trace::Call::of(Pid::own(), "sh", "mkdirat", values);
            groups.directory(&me, &call.args, 1)
        };
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(of(&mut groups, dir.path().join("new").to_str().unwrap()), None);
        if let Some(point) = hierarchy {
            let new = format!("{point}/no such group");
            assert_eq!(of(&mut groups, &new), Some(PathBuf::from(new)));
        }
        assert_eq!(groups.0.len(), 1, "one table for all calls");
        assert!(groups.table(Pid(i32::MAX)).is_none());
        groups.forget();
        assert!(groups.0.is_empty());
    }
}
