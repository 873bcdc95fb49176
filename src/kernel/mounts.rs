//! Mounts: the flags by their names, and what tools do to the whole tree (mount(2), mount_namespaces(7)).

use super::{mountinfo, text};
use nix::{
    errno::Errno,
    mount::{MsFlags, mount},
};
use std::{
    ffi::OsString,
    fs,
    os::unix::ffi::OsStringExt,
    path::{Path, PathBuf},
};

/// Options of mount(8) that are flags of mount(2): the name, the flag, and whether the name sets it.
pub(crate) const OPTIONS: [(&str, MsFlags, bool); 22] = [
    ("ro", MsFlags::MS_RDONLY, true),
    ("rw", MsFlags::MS_RDONLY, false),
    ("nosuid", MsFlags::MS_NOSUID, true),
    ("suid", MsFlags::MS_NOSUID, false),
    ("nodev", MsFlags::MS_NODEV, true),
    ("dev", MsFlags::MS_NODEV, false),
    ("noexec", MsFlags::MS_NOEXEC, true),
    ("exec", MsFlags::MS_NOEXEC, false),
    ("sync", MsFlags::MS_SYNCHRONOUS, true),
    ("async", MsFlags::MS_SYNCHRONOUS, false),
    ("dirsync", MsFlags::MS_DIRSYNC, true),
    ("remount", MsFlags::MS_REMOUNT, true),
    ("bind", MsFlags::MS_BIND, true),
    ("rbind", MsFlags::MS_BIND.union(MsFlags::MS_REC), true),
    ("move", MsFlags::MS_MOVE, true),
    ("noatime", MsFlags::MS_NOATIME, true),
    ("atime", MsFlags::MS_NOATIME, false),
    ("nodiratime", MsFlags::MS_NODIRATIME, true),
    ("relatime", MsFlags::MS_RELATIME, true),
    ("strictatime", MsFlags::MS_STRICTATIME, true),
    ("silent", MsFlags::MS_SILENT, true),
    ("defaults", MsFlags::empty(), true),
];

/// Kinds of propagation by the names of mount(8)'s `--make-…` options; with an `r` before it the whole tree is meant.
pub(crate) const PROPAGATION: [(&str, MsFlags); 4] = [
    ("shared", MsFlags::MS_SHARED),
    ("slave", MsFlags::MS_SLAVE),
    ("private", MsFlags::MS_PRIVATE),
    ("unbindable", MsFlags::MS_UNBINDABLE),
];

/// Changes the propagation of every mount below `/`.
///
/// Inside a chroot `/` is often no mount point, and the kernel answers EINVAL; then each mount that can be seen is
/// changed by itself.
///
/// Errors: those of mount(2).
pub(crate) fn propagate(flags: MsFlags) -> nix::Result<()> {
    match change(flags, Path::new("/")) {
        Err(Errno::EINVAL) => {
            let points = points();
            points.iter().filter(|point| *point != Path::new("/")).try_for_each(|point| change(flags, point))
        }
        other => other,
    }
}

fn change(flags: MsFlags, point: &Path) -> nix::Result<()> {
    mount(Some("none"), point, None::<&str>, flags, None::<&str>)
}

/// Where something is mounted, as this process sees it, byte for byte; the newest last.
pub(crate) fn points() -> Vec<PathBuf> {
    let table = fs::read("/proc/self/mountinfo").unwrap_or_default();
    let lines = table.split(|byte| *byte == b'\n');
    let points = lines.filter_map(|line| line.split(|byte| *byte == b' ').nth(4));
    points.map(|point| OsString::from_vec(mountinfo::unescape_bytes(point)).into()).collect()
}

/// The source and the options of the mount at a point, such as `tmpfs` and `rw,nosuid,relatime`.
pub(crate) fn at(point: &Path) -> Option<(String, String)> {
    let point = fs::canonicalize(point).ok()?;
    let table = text::read("/proc/self/mountinfo").ok()?;
    let is =
        |line: &&str| line.split(' ').nth(4).is_some_and(|text| mountinfo::unescape(text) == point.to_string_lossy());
    let (mount, file_system) = table.lines().rev().find(is)?.split_once(" - ")?;
    Some((mountinfo::unescape(file_system.split(' ').nth(1)?), mount.split(' ').nth(5)?.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::apart::as_root_apart;
    use nix::sched::CloneFlags;

    #[test]
    fn the_table_of_this_process_has_its_points_and_what_is_there() {
        let points = points();
        let lines = crate::kernel::text::read("/proc/self/mountinfo").unwrap().lines().count();
        assert_eq!(points.len(), lines);
        assert!(points.contains(&PathBuf::from("/proc")) && points.iter().all(|point| point.is_absolute()));
        let (source, options) = at(Path::new("/proc")).unwrap();
        assert!(!source.is_empty() && options.starts_with('r') && options.contains(','), "{source} {options}");
        // A link leads to the point itself; below it nothing is mounted.
        let dir = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/proc", dir.path().join("link")).unwrap();
        assert_eq!(at(&dir.path().join("link")), Some((source, options)));
        assert_eq!((at(dir.path()), at(&dir.path().join("none"))), (None, None));
    }

    #[test]
    #[cfg_attr(no_user_namespaces, ignore = "no user namespaces could be made when this was built")]
    fn the_whole_tree_is_changed_also_below_a_root_that_is_no_mount() {
        let dir = tempfile::tempdir().unwrap();
        let kinds = || {
            let table = text::read("/proc/self/mountinfo").unwrap();
            let all = mountinfo::parse(&table).into_iter().map(|mount| mount.propagation);
            all.collect::<std::collections::BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(" ")
        };
        let told = as_root_apart(CloneFlags::CLONE_NEWNS, || {
            let shared = propagate(MsFlags::MS_REC | MsFlags::MS_SHARED).map(|()| kinds());
            let private = propagate(MsFlags::MS_REC | MsFlags::MS_PRIVATE).map(|()| kinds());
            fs::create_dir(dir.path().join("proc")).unwrap();
            let bind = MsFlags::MS_BIND | MsFlags::MS_REC;
            mount(Some("/proc"), &dir.path().join("proc"), None::<&str>, bind, None::<&str>).unwrap();
            nix::unistd::chroot(dir.path()).unwrap();
            let below = propagate(MsFlags::MS_SHARED).map(|()| kinds());
            format!("{shared:?} {private:?} {below:?}")
        });
        assert_eq!(told, r#"Ok("shared") Ok("") Ok("shared")"#);
    }

    #[test]
    fn a_place_that_is_not_there_keeps_its_propagation() {
        let refused = change(MsFlags::MS_PRIVATE, Path::new("/no such mount")).unwrap_err();
        assert!(matches!(refused, Errno::ENOENT | Errno::EPERM), "{refused}");
    }
}
