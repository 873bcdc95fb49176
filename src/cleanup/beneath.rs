//! Opening what lies in a directory, and only that: never through a link, never into a mount.

use crate::kernel::statx;
use nix::{
    errno::Errno,
    fcntl::{OFlag, OpenHow, ResolveFlag, openat, openat2},
    sys::stat::Mode,
};
use std::{
    ffi::OsStr,
    os::{
        fd::{AsFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
    sync::atomic::{AtomicBool, Ordering},
};

/// Whether openat2(2) was refused: kernels before 5.6, and profiles of containers that do not know it.
static REFUSED: AtomicBool = AtomicBool::new(false);

/// How often a path is looked up again because something was renamed meanwhile (EAGAIN).
const ATTEMPTS: usize = 16;

/// Opens a path below a directory.
///
/// Errors: EXDEV where a mount begins on the way or at its end; ELOOP or ENOTDIR where a link is on it; EOPNOTSUPP where
/// neither the kernel nor `/proc` tells mounts apart; else those of openat(2).
pub(crate) fn open(dir: impl AsFd, path: &OsStr, flags: OFlag) -> nix::Result<OwnedFd> {
    let dir = dir.as_fd();
    if !REFUSED.load(Ordering::Relaxed) {
        let resolve = ResolveFlag::RESOLVE_BENEATH
            | ResolveFlag::RESOLVE_NO_XDEV
            | ResolveFlag::RESOLVE_NO_SYMLINKS
            | ResolveFlag::RESOLVE_NO_MAGICLINKS;
        let how = OpenHow::new().flags(flags | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC).resolve(resolve);
        for _ in 0..ATTEMPTS {
            match openat2(dir, path, how) {
                Err(Errno::EAGAIN) => {}
                Err(Errno::ENOSYS | Errno::EPERM) => {
                    REFUSED.store(true, Ordering::Relaxed);
                    break;
                }
                opened => return opened,
            }
        }
    }
    walk(dir, path, flags)
}

/// The same without openat2(2): one part after the other, each compared with the directory that it lies in.
fn walk(dir: impl AsFd, path: &OsStr, flags: OFlag) -> nix::Result<OwnedFd> {
    let mut at = openat(dir, ".", OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty())?;
    let mut parts =
        path.as_bytes().split(|byte| *byte == b'/').filter(|part| !part.is_empty() && part != b".").peekable();
    while let Some(part) = parts.next() {
        if part == b".." {
            return Err(Errno::EXDEV);
        }
        // O_PATH looks at a name and does nothing to what it means, be it a pipe or a device.
        let found = openat(&at, part, OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC, Mode::empty())?;
        let (above, facts) = (statx::of(&at)?, statx::of(&found)?);
        match (above.mount, facts.mount) {
            (Some(above), Some(mount)) if above == mount => {}
            (Some(_), Some(_)) => return Err(Errno::EXDEV),
            _ => return Err(Errno::EOPNOTSUPP),
        }
        if facts.is(libc::S_IFLNK) {
            return Err(Errno::ELOOP);
        }
        let last = parts.peek().is_none();
        if (!last || flags.contains(OFlag::O_DIRECTORY)) && !facts.is(libc::S_IFDIR) {
            return Err(Errno::ENOTDIR);
        }
        if !last || flags.contains(OFlag::O_PATH) {
            at = found;
            continue;
        }
        let opened = openat(&at, part, flags | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC, Mode::empty())?;
        // Another file may have taken the name since it was looked at.
        let now = statx::of(&opened)?;
        if (now.dev, now.ino, now.mount) != (facts.dev, facts.ino, facts.mount) {
            return Err(Errno::EAGAIN);
        }
        at = opened;
    }
    Ok(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, os::unix::fs::symlink};

    #[test]
    fn both_ways_of_opening_agree() {
        let top = tempfile::tempdir().unwrap();
        fs::create_dir_all(top.path().join("a/b")).unwrap();
        fs::write(top.path().join("a/file"), "x").unwrap();
        symlink("a", top.path().join("link")).unwrap();
        symlink("b", top.path().join("a/link")).unwrap();
        let dir = fs::File::open(top.path()).unwrap();
        let directory = OFlag::O_RDONLY | OFlag::O_DIRECTORY;
        for (path, flags) in [
            ("a", directory),
            ("a/b", directory),
            ("a/file", OFlag::O_RDONLY),
            ("a/file", directory),
            ("link", directory),
            ("link/b", directory),
            ("a/link", OFlag::O_PATH | OFlag::O_DIRECTORY),
            ("missing", directory),
            ("a/missing/b", directory),
        ] {
            let what = |opened: nix::Result<OwnedFd>| opened.map(|fd| statx::of(fd).unwrap().ino);
            let (new, old) = (what(open(&dir, path.as_ref(), flags)), what(walk(&dir, path.as_ref(), flags)));
            // A link to a directory is ELOOP to one and may be ENOTDIR to the other: they are not told apart.
            let alike = |errno| if errno == Errno::ENOTDIR { Errno::ELOOP } else { errno };
            assert_eq!(new.map_err(alike), old.map_err(alike), "{path}");
        }
        for up in ["..", "a/../..", "../x"] {
            assert_eq!(walk(&dir, up.as_ref(), directory).err(), Some(Errno::EXDEV), "{up}");
        }
    }

    #[test]
    fn no_way_of_opening_enters_a_mount() {
        let root = fs::File::open("/").unwrap();
        for path in ["proc", "proc/self"] {
            assert_eq!(open(&root, path.as_ref(), OFlag::O_DIRECTORY).err(), Some(Errno::EXDEV), "{path}");
            assert_eq!(walk(&root, path.as_ref(), OFlag::O_DIRECTORY).err(), Some(Errno::EXDEV), "{path}");
        }
    }
}
