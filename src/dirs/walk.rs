//! Going down to a directory part by part, as its owner and without following links, and making what is missing on the way.

use crate::kernel::owner::AsOwner;
use crate::kernel::text;
use nix::{
    errno::Errno,
    fcntl::{AT_FDCWD, OFlag, openat},
    sys::stat::{FileStat, Mode, SFlag, fstat, lstat, mkdirat},
    unistd::{Gid, Uid},
};
use std::{
    ffi::OsStr,
    os::fd::OwnedFd,
    path::{Component, Path, PathBuf},
};

/// A directory and the way to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Walk {
    /// Where the walk begins. It must be there, and may itself be reached through links: `/home` often is one. Root follows
    /// only links of root's.
    pub base: PathBuf,
    /// The parts below it: plain names. Those that are missing are made, for their owner alone.
    pub below: PathBuf,
    /// Whose every directory from the base on must be. What is made is this user's from the first. `None`: any user.
    pub owner: Option<(Uid, Gid)>,
}

impl Walk {
    /// The whole path, for messages.
    pub(crate) fn path(&self) -> PathBuf {
        self.base.join(&self.below)
    }

    /// Opens the directory, and makes what is missing of it.
    ///
    /// Errors: EPERM where a directory is another user's, or any user may rename what is in it; ELOOP or ENOTDIR where
    /// a part is a link; those of openat(2) and mkdirat(2).
    pub(crate) fn make(&self) -> nix::Result<OwnedFd> {
        let _owner = AsOwner::new(self.owner);
        self.parts()?.iter().try_fold(self.begin()?, |dir, part| {
            let next = step(&dir, part)?;
            self.check(&next).map(|()| next)
        })
    }

    /// Opens the directory, which must be there.
    ///
    /// Errors: as [`Walk::make`], and ENOENT.
    pub(crate) fn open(&self) -> nix::Result<OwnedFd> {
        let _owner = AsOwner::new(self.owner);
        self.parts()?.iter().try_fold(self.begin()?, |dir, part| {
            let next = open(&dir, part)?;
            self.check(&next).map(|()| next)
        })
    }

    /// Opens the directory or, where it is not there, the last one above it that is. Nothing is made.
    ///
    /// Errors: as [`Walk::make`].
    pub(crate) fn reach(&self) -> nix::Result<OwnedFd> {
        let _owner = AsOwner::new(self.owner);
        let mut dir = self.begin()?;
        for part in self.parts()? {
            dir = match open(&dir, part) {
                Err(Errno::ENOENT) => return Ok(dir),
                next => next?,
            };
            self.check(&dir)?;
        }
        Ok(dir)
    }

    fn parts(&self) -> nix::Result<Vec<&OsStr>> {
        let plain = |part| if let Component::Normal(name) = part { Ok(name) } else { Err(Errno::EINVAL) };
        self.below.components().map(plain).collect()
    }

    fn begin(&self) -> nix::Result<OwnedFd> {
        if self.owner.is_some_and(|(uid, _)| uid.is_root()) && !is_roots(&self.base) {
            return Err(Errno::EPERM);
        }
        let dir = openat(AT_FDCWD, &self.base, OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty())?;
        self.check(&dir).map(|()| dir)
    }

    fn check(&self, dir: &OwnedFd) -> nix::Result<()> {
        let Some((uid, _)) = self.owner else { return Ok(()) };
        let stat = fstat(dir)?;
        if stat.st_uid == uid.as_raw() && keeps_names(&stat) { Ok(()) } else { Err(Errno::EPERM) }
    }
}

/// Whether what a user made in a directory keeps its name: not all users may write there or, where they may, each can
/// rename only what is theirs (the sticky bit).
pub(super) fn keeps_names(stat: &FileStat) -> bool {
    stat.st_mode & 0o002 == 0 || stat.st_mode & 0o1000 != 0
}

/// Whether only root can change where a path leads, links included: each part of it, and of the path that it comes to
/// in the end, is root's. Anything else root must not follow; it is as with `/home/li/cache`, whose owner may at any
/// moment put a link there.
pub(super) fn is_roots(path: &Path) -> bool {
    let others = |path: &Path| {
        path.ancestors().filter(|part| !part.as_os_str().is_empty()).any(|part| {
            let part = lstat(part);
            part.is_ok_and(|stat| {
                let link = stat.st_mode & SFlag::S_IFMT.bits() == SFlag::S_IFLNK.bits();
                ![0, nobody()].contains(&stat.st_uid) || !link && !keeps_names(&stat)
            })
        })
    };
    !others(path) && std::fs::canonicalize(path).is_ok_and(|path| !others(&path))
}

/// What root of the machine is seen as inside a user namespace that does not map root (user_namespaces(7)).
pub(super) fn nobody() -> u32 {
    let number = text::read("/proc/sys/kernel/overflowuid").unwrap_or_default();
    number.trim().parse().unwrap_or(65534)
}

fn open(dir: &OwnedFd, name: &OsStr) -> nix::Result<OwnedFd> {
    openat(dir, name, OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC, Mode::empty())
}

fn step(dir: &OwnedFd, name: &OsStr) -> nix::Result<OwnedFd> {
    match open(dir, name) {
        Err(Errno::ENOENT) => {
            // Another start may make it at the same moment, which is as good; the error of mkdir says more than ENOENT.
            let made = mkdirat(dir, name, Mode::from_bits_truncate(0o700));
            open(dir, name).map_err(|errno| made.err().unwrap_or(errno))
        }
        opened => opened,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::unistd::geteuid;
    use std::{
        fs,
        os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink},
    };

    fn walk(base: &Path, below: &str, owner: u32) -> Walk {
        Walk { base: base.into(), below: below.into(), owner: Some((Uid::from_raw(owner), Gid::from_raw(owner))) }
    }

    #[test]
    fn what_is_missing_is_made_and_only_by_make() {
        let dir = tempfile::tempdir().unwrap();
        let way = walk(dir.path(), "a/b", geteuid().as_raw());
        way.reach().unwrap();
        assert!(!dir.path().join("a").exists());
        way.make().unwrap();
        assert_eq!(fs::metadata(way.path()).unwrap().mode() & 0o7777, 0o700);
        assert_eq!(walk(dir.path(), "../x", geteuid().as_raw()).make().unwrap_err(), Errno::EINVAL);
    }

    #[test]
    fn links_and_what_any_user_may_rename_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let me = geteuid().as_raw();
        symlink("/etc", dir.path().join("link")).unwrap();
        for made in [walk(dir.path(), "link/x", me).make(), walk(dir.path(), "link/x", me).reach()] {
            assert!(matches!(made, Err(Errno::ELOOP | Errno::ENOTDIR)), "{made:?}");
        }
        fs::create_dir(dir.path().join("open")).unwrap();
        let mode = |mode| fs::set_permissions(dir.path().join("open"), fs::Permissions::from_mode(mode)).unwrap();
        mode(0o777);
        assert_eq!(walk(dir.path(), "open/x", me).make().unwrap_err(), Errno::EPERM);
        mode(0o1777);
        walk(dir.path(), "open/x", me).make().unwrap();
        assert_eq!(walk(dir.path(), "y", me + 1).reach().unwrap_err(), Errno::EPERM, "another user's");
    }

    #[test]
    #[ignore = "needs root, to act as another user: cargo test --lib -- --ignored"]
    fn root_follows_only_links_of_roots() {
        let (dir, theirs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::create_dir(dir.path().join("cache")).unwrap();
        let link = |at: &Path| symlink(dir.path().join("cache"), at).map(|()| at.to_path_buf()).unwrap();
        let (own, in_theirs) = (link(&dir.path().join("link")), link(&theirs.path().join("link")));
        chown(theirs.path(), Some(65534 + 1), None).unwrap();
        std::os::unix::fs::lchown(&in_theirs, Some(65534 + 1), None).unwrap();
        assert_eq!(walk(&in_theirs, "x", 0).make().unwrap_err(), Errno::EPERM);
        walk(&own, "x", 0).make().unwrap();
        assert!(dir.path().join("cache/x").is_dir());
    }

    #[test]
    #[ignore = "needs root, to act as another user: cargo test --lib -- --ignored"]
    fn what_root_makes_for_a_user_is_that_users() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(walk(dir.path(), "a", 65534).make().unwrap_err(), Errno::EPERM, "the base is root's");
        chown(dir.path(), Some(65534), Some(65534)).unwrap();
        walk(dir.path(), "a/b", 65534).make().unwrap();
        for below in ["a", "a/b"] {
            let metadata = fs::metadata(dir.path().join(below)).unwrap();
            assert_eq!((metadata.uid(), metadata.gid()), (65534, 65534), "{below}");
        }
        assert_eq!(
            walk(dir.path(), "c", 0).make().unwrap_err(),
            Errno::EPERM,
            "and root makes nothing of its own there"
        );
        assert!(!dir.path().join("c").exists());
    }
}
