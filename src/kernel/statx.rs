//! What statx(2) says of a file that stat(2) does not: its mount, and the attributes that forbid to change it.

use nix::{
    errno::Errno,
    fcntl::{AtFlags, OFlag, openat},
    sys::stat::{FileStat, Mode, fstat, fstatat, makedev},
};
use rustix::fs::{self, AtFlags as StatAt, StatxAttributes, StatxFlags};
use std::{
    ffi::CStr,
    os::fd::{AsFd, AsRawFd, BorrowedFd},
};

/// A file as the kernel knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Facts {
    /// The device of its file system.
    pub dev: u64,
    /// Its inode number.
    pub ino: u64,
    /// The mount that it was reached through; `None` where neither statx(2) nor `/proc` tells.
    pub mount: Option<u64>,
    /// Type and permissions.
    pub mode: u32,
    /// Its owner.
    pub uid: u32,
    /// How many names it has.
    pub links: u64,
    /// It cannot be changed (`chattr +i`).
    pub immutable: bool,
    /// It can only grow (`chattr +a`).
    pub append_only: bool,
}

impl Facts {
    /// Whether it is of this type, one of `S_IFMT`.
    pub(crate) fn is(&self, kind: libc::mode_t) -> bool {
        self.mode & libc::S_IFMT == kind
    }
}

/// Asks about an open file, also one that was opened with `O_PATH`.
///
/// Errors: those of statx(2) or fstat(2).
pub(crate) fn of(file: impl AsFd) -> nix::Result<Facts> {
    let file = file.as_fd();
    let mut facts = match statx(file, c"", StatAt::EMPTY_PATH) {
        // Linux 4.11 has the call; old profiles of containers refuse it.
        Err(Errno::ENOSYS | Errno::EPERM) => plain(&fstat(file)?),
        other => other?,
    };
    // Linux 5.8 names the mount. Before, the entry in /proc does (proc_pid_fdinfo(5)).
    facts.mount = facts.mount.or_else(|| mount_of(file));
    Ok(facts)
}

/// Asks about a name in a directory; a link is not followed, and nothing is mounted automatically. What is mounted on the
/// name is asked about instead of what it covers.
///
/// Errors: those of statx(2) or fstatat(2).
pub(crate) fn named(dir: impl AsFd, name: &CStr) -> nix::Result<Facts> {
    let dir = dir.as_fd();
    let mut facts = match statx(dir, name, StatAt::SYMLINK_NOFOLLOW | StatAt::NO_AUTOMOUNT) {
        Err(Errno::ENOSYS | Errno::EPERM) => {
            plain(&fstatat(dir, name, AtFlags::AT_SYMLINK_NOFOLLOW | AtFlags::AT_NO_AUTOMOUNT)?)
        }
        other => other?,
    };
    if facts.mount.is_none() {
        let opened = openat(dir, name, OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC, Mode::empty());
        facts.mount = opened.ok().and_then(|file| mount_of(file.as_fd()));
    }
    Ok(facts)
}

fn statx(dir: BorrowedFd, name: &CStr, flags: StatAt) -> nix::Result<Facts> {
    let found = fs::statx(dir, name, flags, StatxFlags::BASIC_STATS | StatxFlags::MNT_ID)
        .map_err(|errno| Errno::from_raw(errno.raw_os_error()))?;
    let told = StatxFlags::from_bits_retain(found.stx_mask).contains(StatxFlags::MNT_ID);
    Ok(Facts {
        dev: makedev(found.stx_dev_major.into(), found.stx_dev_minor.into()),
        ino: found.stx_ino,
        mount: told.then_some(found.stx_mnt_id),
        mode: found.stx_mode.into(),
        uid: found.stx_uid,
        links: found.stx_nlink.into(),
        immutable: found.stx_attributes.contains(StatxAttributes::IMMUTABLE),
        append_only: found.stx_attributes.contains(StatxAttributes::APPEND),
    })
}

fn plain(stat: &FileStat) -> Facts {
    #[allow(clippy::unnecessary_cast, reason = "the number of links has another width on other processors")]
    let links = stat.st_nlink as u64;
    Facts {
        dev: stat.st_dev,
        ino: stat.st_ino,
        mount: None,
        mode: stat.st_mode,
        uid: stat.st_uid,
        links,
        immutable: false,
        append_only: false,
    }
}

fn mount_of(file: BorrowedFd) -> Option<u64> {
    parse(&super::text::read(format!("/proc/self/fdinfo/{}", file.as_raw_fd())).ok()?)
}

fn parse(fdinfo: &str) -> Option<u64> {
    super::text::field(fdinfo, "mnt_id")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;

    #[test]
    fn both_sources_name_the_same_mount() {
        let dir = File::open("/proc").unwrap();
        let facts = of(&dir).unwrap();
        assert!(facts.is(libc::S_IFDIR) && facts.mount.is_some());
        assert_eq!(mount_of(dir.as_fd()), facts.mount);
        assert_ne!(of(File::open("/").unwrap()).unwrap().mount, facts.mount);
        let point = named(File::open("/").unwrap(), c"proc").unwrap();
        assert_eq!((point.dev, point.ino), (facts.dev, facts.ino));
        assert_eq!(named(&dir, c"no such name"), Err(Errno::ENOENT));
        let link = named(&dir, c"self").unwrap();
        assert!(link.is(libc::S_IFLNK) && !link.is(libc::S_IFDIR), "it is not followed");
        assert_eq!((link.immutable, link.append_only, link.links), (false, false, 1));
    }

    #[test]
    fn an_entry_of_fdinfo_is_read() {
        assert_eq!(parse("pos:\t0\nflags:\t0100000\nmnt_id:\t23\nino:\t2\n"), Some(23));
        assert_eq!(parse("pos:\t0\n"), None);
    }
}
