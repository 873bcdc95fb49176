//! What statx(2) says of a file that stat(2) does not: its mount, and the attributes that forbid to change it.

use nix::{
    errno::Errno,
    fcntl::{AtFlags, OFlag, openat},
    sys::stat::{FileStat, Mode, fstat, fstatat},
};
use std::{
    ffi::CStr,
    mem::MaybeUninit,
    os::fd::{AsFd, AsRawFd, BorrowedFd},
};

/// A file as the kernel knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
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
    pub fn is(&self, kind: libc::mode_t) -> bool {
        self.mode & libc::S_IFMT == kind
    }
}

/// Asks about an open file, also one that was opened with `O_PATH`.
///
/// Errors: those of statx(2) or fstat(2).
pub fn of(file: impl AsFd) -> nix::Result<Facts> {
    let file = file.as_fd();
    let mut facts = match statx(file, c"", libc::AT_EMPTY_PATH) {
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
pub fn named(dir: impl AsFd, name: &CStr) -> nix::Result<Facts> {
    let (dir, flags) = (dir.as_fd(), libc::AT_SYMLINK_NOFOLLOW | libc::AT_NO_AUTOMOUNT);
    let mut facts = match statx(dir, name, flags) {
        Err(Errno::ENOSYS | Errno::EPERM) => plain(&fstatat(dir, name, AtFlags::from_bits_truncate(flags))?),
        other => other?,
    };
    if facts.mount.is_none() {
        let opened = openat(dir, name, OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC, Mode::empty());
        facts.mount = opened.ok().and_then(|file| mount_of(file.as_fd()));
    }
    Ok(facts)
}

#[expect(unsafe_code, reason = "nix has no statx(2)")]
fn statx(dir: BorrowedFd, name: &CStr, flags: libc::c_int) -> nix::Result<Facts> {
    let mask = libc::STATX_BASIC_STATS | libc::STATX_MNT_ID;
    let mut found = MaybeUninit::<libc::statx>::zeroed();
    // SAFETY: the name ends with a zero byte, and the kernel writes one structure into a place that is one.
    let result = unsafe { libc::statx(dir.as_raw_fd(), name.as_ptr(), flags, mask, found.as_mut_ptr()) };
    Errno::result(result)?;
    // SAFETY: the structure is made of numbers, all of which were zero before the kernel filled some.
    let found = unsafe { found.assume_init() };
    let has = |attribute: libc::c_int| found.stx_attributes & attribute as u64 != 0;
    Ok(Facts {
        dev: libc::makedev(found.stx_dev_major, found.stx_dev_minor),
        ino: found.stx_ino,
        mount: (found.stx_mask & libc::STATX_MNT_ID != 0).then_some(found.stx_mnt_id),
        mode: u32::from(found.stx_mode),
        uid: found.stx_uid,
        links: u64::from(found.stx_nlink),
        immutable: has(libc::STATX_ATTR_IMMUTABLE),
        append_only: has(libc::STATX_ATTR_APPEND),
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
    parse(&std::fs::read(format!("/proc/self/fdinfo/{}", file.as_raw_fd())).ok()?)
}

fn parse(fdinfo: &[u8]) -> Option<u64> {
    let text = String::from_utf8_lossy(fdinfo);
    text.lines().find_map(|line| line.strip_prefix("mnt_id:"))?.trim().parse().ok()
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
    }

    #[test]
    fn an_entry_of_fdinfo_is_read() {
        assert_eq!(parse(b"pos:\t0\nflags:\t0100000\nmnt_id:\t23\nino:\t2\n"), Some(23));
        assert_eq!(parse(b"pos:\t0\n"), None);
    }
}
