//! A directory that this program made: held open, or found again and proved to be the same.

use super::{Identity, Left, Why, tree};
use crate::kernel::statx;
use nix::{
    errno::Errno,
    fcntl::{AT_FDCWD, OFlag, openat},
    sys::stat::{Mode, mkdirat},
    unistd::{Uid, UnlinkatFlags, geteuid, unlinkat},
};
use std::{
    ffi::{CString, OsStr},
    os::{fd::OwnedFd, unix::ffi::OsStrExt},
    path::{Path, PathBuf},
};

/// A directory and the one that it lies in. As long as it is held, nothing else can be taken for it.
#[derive(Debug)]
pub(crate) struct Made {
    parent: OwnedFd,
    dir: OwnedFd,
    name: CString,
    path: PathBuf,
}

/// The directory above a path, reached however the path says, and the last name.
pub(super) fn above(path: &Path) -> Result<(OwnedFd, CString), Errno> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = path.file_name().and_then(|name| CString::new(name.as_bytes()).ok()).ok_or(Errno::EINVAL)?;
    let parent = openat(AT_FDCWD, parent, OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty())?;
    Ok((parent, name))
}

impl Made {
    /// Makes a directory that is not there yet, and holds it. The directories above are reached however the path says.
    ///
    /// Errors: those of mkdir(2), such as EEXIST, and of opening what was made.
    pub(crate) fn make(path: &Path, mode: Mode) -> nix::Result<Made> {
        let (parent, name) = above(path)?;
        mkdirat(&parent, name.as_c_str(), mode)?;
        Made::hold(parent, name, path)
    }

    /// Holds the directory that has this path now, which was just made.
    ///
    /// Errors: ENOENT where there is none; EXDEV or ELOOP where it is a mount or a link; EPERM where it belongs to
    /// another user.
    pub(crate) fn open(path: &Path) -> nix::Result<Made> {
        let (parent, name) = above(path)?;
        Made::hold(parent, name, path)?.owned(geteuid())
    }

    fn hold(parent: OwnedFd, name: CString, path: &Path) -> nix::Result<Made> {
        let dir = tree::open(&parent, &name)?;
        Ok(Made { parent, dir, name, path: path.into() })
    }

    fn owned(self, owner: Uid) -> nix::Result<Made> {
        if statx::of(&self.dir)?.uid == owner.as_raw() { Ok(self) } else { Err(Errno::EPERM) }
    }

    /// Finds a directory that another process of ours made. Without an identity, as in ledgers of earlier versions, its
    /// name and its owner have to be enough.
    ///
    /// `None` where it is gone. Errors: why what has its path is not it.
    pub(crate) fn find(path: &Path, identity: Option<&Identity>) -> Result<Option<Made>, Left> {
        let Some(made) = Made::found(path, geteuid())? else { return Ok(None) };
        match identity.map(|identity| identity.is(&made.dir)) {
            None | Some(Ok(true)) => Ok(Some(made)),
            Some(Ok(false)) => Err(Left { path: path.into(), why: Why::Replaced }),
            Some(Err(errno)) => Err(Left::call(path, "statx", errno)),
        }
    }

    /// Holds a directory of this owner's, of which no more than its path is known.
    ///
    /// `None` where there is none. Errors: why it cannot be what is looked for.
    pub(crate) fn found(path: &Path, owner: Uid) -> Result<Option<Made>, Left> {
        let (parent, name) = match above(path) {
            Ok(found) => found,
            Err(Errno::ENOENT) => return Ok(None),
            Err(errno) => return Err(Left::call(path, "open", errno)),
        };
        match Made::hold(parent, name, path).and_then(|made| made.owned(owner)) {
            Ok(made) => Ok(Some(made)),
            Err(Errno::ENOENT) => Ok(None),
            Err(Errno::ELOOP | Errno::ENOTDIR) => Err(Left { path: path.into(), why: Why::Replaced }),
            Err(errno) => {
                let (parent, name) = above(path).map_err(|errno| Left::call(path, "open", errno))?;
                Err(tree::refused(parent, &name, path, "open", errno))
            }
        }
    }

    /// What to write down of it.
    ///
    /// Errors: those of statx(2).
    pub(crate) fn identity(&self) -> nix::Result<Identity> {
        Identity::of(&self.dir)
    }

    /// Whether its name still means it.
    pub(crate) fn is_in_place(&self) -> bool {
        let same = |one: statx::Facts, other: statx::Facts| (one.dev, one.ino) == (other.dev, other.ino);
        matches!((statx::of(&self.dir), statx::named(&self.parent, &self.name)), (Ok(one), Ok(other)) if same(one, other))
    }

    /// The open directory.
    pub(crate) fn dir(&self) -> &OwnedFd {
        &self.dir
    }

    /// The directory that it lies in, and its name there.
    pub(crate) fn place(&self) -> (&OwnedFd, &OsStr) {
        (&self.parent, OsStr::from_bytes(self.name.to_bytes()))
    }

    /// Its path when it was made.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Removes everything in a directory below it, which stays.
    pub(crate) fn empty_below(&self, name: &str) -> Vec<Left> {
        let (path, name) = (self.path.join(name), CString::new(name).unwrap_or_default());
        match tree::open(&self.dir, &name) {
            Ok(dir) => tree::empty(dir, &path),
            Err(Errno::ENOENT) => Vec::new(),
            Err(Errno::ELOOP | Errno::ENOTDIR) => vec![Left { path, why: Why::Replaced }],
            Err(errno) => vec![tree::refused(&self.dir, &name, &path, "open", errno)],
        }
    }

    /// Removes it with everything in it.
    pub(crate) fn remove(&self) -> Vec<Left> {
        let mut left = tree::empty(&self.dir, &self.path);
        if left.is_empty() {
            left.extend(self.remove_empty());
        }
        left
    }

    /// Removes it as a session's directory: links in `bin`, everything in `work`, and files of ours. Anything else in it was
    /// not made by us, and stays.
    pub(crate) fn remove_session(&self, work: &str) -> Vec<Left> {
        let me = geteuid().as_raw();
        let mut left = self.remove_files("bin", |mode, _| mode & libc::S_IFMT == libc::S_IFLNK);
        let inside = self.empty_below(work);
        if inside.is_empty() {
            left.extend(self.rmdir(work));
        }
        left.extend(inside);
        let own = |mode: u32, uid| mode & libc::S_IFMT != libc::S_IFDIR && uid == me;
        let known = ["bin", work];
        left.extend(unlink(&self.dir, &self.path, own).into_iter().filter(|left| {
            // What these two hold has been told already.
            left.why != Why::Foreign || known.iter().all(|name| left.path != self.path.join(name))
        }));
        if left.is_empty() {
            left.extend(self.remove_empty());
        }
        left
    }

    /// Removes a directory below it that holds nothing but files of the right kind.
    fn remove_files(&self, name: &str, right: impl Fn(u32, u32) -> bool) -> Vec<Left> {
        let (path, text) = (self.path.join(name), CString::new(name).unwrap_or_default());
        let left = match tree::open(&self.dir, &text) {
            Ok(dir) => unlink(&dir, &path, right),
            Err(Errno::ENOENT) => return Vec::new(),
            Err(Errno::ELOOP | Errno::ENOTDIR) => return vec![Left { path, why: Why::Foreign }],
            Err(errno) => return vec![tree::refused(&self.dir, &text, &path, "open", errno)],
        };
        if left.is_empty() { self.rmdir(name).into_iter().collect() } else { left }
    }

    fn rmdir(&self, name: &str) -> Option<Left> {
        let (path, name) = (self.path.join(name), CString::new(name).unwrap_or_default());
        match unlinkat(&self.dir, name.as_c_str(), UnlinkatFlags::RemoveDir) {
            Ok(()) | Err(Errno::ENOENT) => None,
            Err(errno) => Some(tree::refused(&self.dir, &name, &path, "rmdir", errno)),
        }
    }

    /// Removes the directory itself, if it is empty and the name still means it.
    pub(crate) fn remove_empty(&self) -> Option<Left> {
        let replaced = || Some(Left { path: self.path.clone(), why: Why::Replaced });
        let Ok(mine) = statx::of(&self.dir) else { return replaced() };
        match statx::named(&self.parent, &self.name) {
            // It was moved or removed: an empty directory elsewhere is not ours.
            Err(Errno::ENOENT) => return None,
            Err(errno) => return Some(Left::call(&self.path, "statx", errno)),
            Ok(facts) if (facts.dev, facts.ino) == (mine.dev, mine.ino) => {}
            Ok(facts) => {
                let above = statx::of(&self.parent).ok().and_then(|above| above.mount);
                let mounted = facts.mount.is_none() || facts.mount != above;
                return if mounted { Some(Left::mounted(&self.path, facts.mount)) } else { replaced() };
            }
        }
        match unlinkat(&self.parent, self.name.as_c_str(), UnlinkatFlags::RemoveDir) {
            Ok(()) | Err(Errno::ENOENT) => None,
            Err(errno) => Some(tree::refused(&self.parent, &self.name, &self.path, "rmdir", errno)),
        }
    }
}

/// Unlinks those names of a directory that are of the right type and owner; the others are named.
fn unlink(dir: &OwnedFd, path: &Path, right: impl Fn(u32, u32) -> bool) -> Vec<Left> {
    let names = match tree::names(dir) {
        Ok(names) => names,
        Err(errno) => return vec![Left::call(path, "readdir", errno)],
    };
    let mut left = Vec::new();
    for (name, _) in names {
        let path = path.join(OsStr::from_bytes(name.to_bytes()));
        match statx::named(dir, &name) {
            Ok(facts) if right(facts.mode, facts.uid) => {
                match unlinkat(dir, name.as_c_str(), UnlinkatFlags::NoRemoveDir) {
                    Ok(()) | Err(Errno::ENOENT) => {}
                    Err(errno) => left.push(tree::refused(dir, &name, &path, "unlink", errno)),
                }
            }
            Err(Errno::ENOENT) => {}
            Ok(_) => left.push(Left { path, why: Why::Foreign }),
            Err(errno) => left.push(Left::call(&path, "statx", errno)),
        }
    }
    left
}
