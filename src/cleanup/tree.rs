//! Recursive deletion below an open directory.
//!
//! However deep the tree is, a handful of descriptors is enough: the way down is by names, each opened beneath the
//! directory before it ([`beneath`]), and the way up is `..`, which is believed only where it leads to the directory that was
//! come from. What cannot be removed is left, named, and gone around.

use super::{Left, Why, beneath};
use crate::kernel::statx::{self, Facts};
use nix::{
    dir::{Dir, Type},
    errno::Errno,
    fcntl::{AT_FDCWD, OFlag, openat},
    sys::stat::{FchmodatFlags, Mode, fchmod, fchmodat},
    unistd::{UnlinkatFlags, geteuid, unlinkat},
};
use std::{
    ffi::{CStr, CString, OsStr},
    os::{
        fd::{AsFd, AsRawFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
    path::{Path, PathBuf},
};

/// How many things are named; where a whole tree cannot be removed, its first ones say why.
const MAX: usize = 10;

/// How often a directory is emptied again because something was put into it meanwhile, and how often the walk begins
/// again because the directory that it was in was moved.
const PASSES: u8 = 4;

/// Empties a directory, which stays. `path` is its name in what is told.
///
/// Gives what could not be removed; everything else is gone.
pub fn empty(dir: impl AsFd, path: &Path) -> Vec<Left> {
    let mut walk = Walk { path, frames: Vec::new(), left: Vec::new(), more: 0 };
    for _ in 0..PASSES {
        walk.frames.clear();
        walk.left.clear();
        walk.more = 0;
        match walk.go(dir.as_fd()) {
            Ok(()) => return walk.told(),
            // Directories are moved while we are in them: then the walk begins again at the root.
            Err(Errno::ESTALE) => {}
            Err(errno) => {
                walk.leave(Left::call(path, "open", errno));
                return walk.told();
            }
        }
    }
    vec![Left { path: path.into(), why: Why::Restless }]
}

/// Opens a directory for reading its names, beneath another one. Its owner may have taken the right to do so from it.
pub(super) fn open(dir: impl AsFd, name: &CStr) -> nix::Result<OwnedFd> {
    let (dir, plain) = (dir.as_fd(), OsStr::from_bytes(name.to_bytes()));
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NONBLOCK;
    beneath::open(dir, plain, flags).or_else(|errno| {
        if errno != Errno::EACCES {
            return Err(errno);
        }
        let found = beneath::open(dir, plain, OFlag::O_PATH | OFlag::O_DIRECTORY)?;
        // A descriptor of this kind cannot be changed itself; its entry in /proc can (proc(5)), and no link is followed.
        let entry = format!("/proc/self/fd/{}", found.as_raw_fd());
        fchmodat(AT_FDCWD, entry.as_str(), Mode::S_IRWXU, FchmodatFlags::FollowSymlink).map_err(|_| errno)?;
        beneath::open(dir, plain, flags)
    })
}

/// The names in a directory, apart from itself and the one above it, and whether each is surely a directory.
pub(crate) fn names(dir: &OwnedFd) -> nix::Result<Vec<(CString, bool)>> {
    let mut listed = Dir::from_fd(dir.try_clone().map_err(|_| Errno::EMFILE)?)?;
    let mut names = Vec::new();
    for entry in listed.iter() {
        let entry = entry?;
        let name = entry.file_name();
        if name != c"." && name != c".." {
            names.push((name.to_owned(), entry.file_type() == Some(Type::Directory)));
        }
    }
    Ok(names)
}

/// Why a name could not be removed, as exactly as the kernel lets us know.
pub(super) fn refused(dir: impl AsFd, name: &CStr, path: &Path, call: &'static str, errno: Errno) -> Left {
    let dir = dir.as_fd();
    let facts = statx::named(dir, name).ok();
    let attribute = |facts: &Facts| match (facts.immutable, facts.append_only) {
        (true, _) => Some(Why::Immutable),
        (false, true) => Some(Why::AppendOnly),
        _ => None,
    };
    match errno {
        Errno::EBUSY | Errno::EXDEV => Left::mounted(path, facts.and_then(|facts| facts.mount)),
        // One letter forbids to remove a file, the same letter on its directory to remove anything in it.
        Errno::EPERM | Errno::EACCES => match (facts.as_ref().and_then(attribute), statx::of(dir).ok()) {
            (Some(why), _) => Left { path: path.into(), why },
            (None, Some(above)) if attribute(&above).is_some() => {
                let why = attribute(&above).unwrap_or(Why::Immutable);
                Left { path: path.parent().unwrap_or(path).into(), why }
            }
            _ => Left::call(path, call, errno),
        },
        errno => Left::call(path, call, errno),
    }
}

/// A file's identity among all that are open now.
type Key = (u64, u64, Option<u64>);

fn key(facts: &Facts) -> Key {
    (facts.dev, facts.ino, facts.mount)
}

/// A directory that the walk is in.
struct Frame {
    name: CString,
    key: Key,
    /// The directories in it that are still to be removed, and how often that was tried.
    pending: Vec<(CString, u8)>,
    /// Something in it stays, so it stays as well.
    stays: bool,
    passes: u8,
}

struct Walk<'a> {
    path: &'a Path,
    frames: Vec<Frame>,
    left: Vec<Left>,
    more: usize,
}

impl Walk<'_> {
    /// The path of a name in the directory that the walk is in.
    fn path_of(&self, name: Option<&CStr>) -> PathBuf {
        let mut path = self.path.to_path_buf();
        let inside = self.frames.iter().skip(1).map(|frame| frame.name.as_c_str());
        path.extend(inside.chain(name).map(|name| OsStr::from_bytes(name.to_bytes())));
        path
    }

    fn leave(&mut self, left: Left) {
        if self.left.contains(&left) {
            return;
        }
        if self.left.len() < MAX { self.left.push(left) } else { self.more += 1 }
    }

    fn told(mut self) -> Vec<Left> {
        if self.more > 0 {
            self.left.push(Left { path: self.path.into(), why: Why::More(self.more) });
        }
        self.left
    }

    fn stays(&mut self) {
        if let Some(frame) = self.frames.last_mut() {
            frame.stays = true;
        }
    }

    fn go(&mut self, root: impl AsFd) -> nix::Result<()> {
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let mut at = openat(root, ".", flags, Mode::empty())?;
        self.enter(&at, CString::default(), 0)?;
        while let Some(frame) = self.frames.last_mut() {
            if let Some((name, passes)) = frame.pending.pop() {
                match open(&at, &name) {
                    Ok(below) => match self.enter(&below, name.clone(), passes) {
                        Ok(()) => at = below,
                        Err(errno) => self.keep(&at, &name, "open", errno),
                    },
                    Err(Errno::ENOENT) => {}
                    Err(errno) => self.keep(&at, &name, "open", errno),
                }
                continue;
            }
            let Some(done) = self.frames.pop() else { break };
            let Some(above) = self.frames.last_mut() else { break };
            // ENOENT: the directory that we are in was removed.
            let up = openat(&at, "..", flags, Mode::empty())
                .map_err(|errno| if errno == Errno::ENOENT { Errno::ESTALE } else { errno })?;
            if key(&statx::of(&up)?) != above.key {
                return Err(Errno::ESTALE);
            }
            at = up;
            if done.stays {
                above.stays = true;
                continue;
            }
            match unlinkat(&at, done.name.as_c_str(), UnlinkatFlags::RemoveDir) {
                Ok(()) | Err(Errno::ENOENT) => {}
                // Something was put into it since it was emptied.
                Err(Errno::ENOTEMPTY | Errno::EEXIST) if done.passes + 1 < PASSES => {
                    above.pending.push((done.name, done.passes + 1));
                }
                Err(Errno::ENOTEMPTY | Errno::EEXIST) => {
                    let path = self.path_of(Some(&done.name));
                    self.leave(Left { path, why: Why::Restless });
                    self.stays();
                }
                Err(errno) => self.keep(&at, &done.name, "rmdir", errno),
            }
        }
        Ok(())
    }

    /// Notes that a name in this directory stays.
    fn keep(&mut self, at: &OwnedFd, name: &CStr, call: &'static str, errno: Errno) {
        let path = self.path_of(Some(name));
        self.leave(refused(at, name, &path, call, errno));
        self.stays();
    }

    /// Removes everything from a directory that is not a directory itself, and makes it the one that the walk is in.
    fn enter(&mut self, dir: &OwnedFd, name: CString, passes: u8) -> nix::Result<()> {
        let facts = statx::of(dir)?;
        if facts.mode & libc::S_IRWXU != libc::S_IRWXU && facts.uid == geteuid().as_raw() {
            // A learner may have taken the right to list or change it from its owner. Where that fails, what follows says so.
            let _ = fchmod(dir, Mode::from_bits_truncate(facts.mode & 0o7777) | Mode::S_IRWXU);
        }
        let names = names(dir)?;
        self.frames.push(Frame { name, key: key(&facts), pending: Vec::new(), stays: false, passes });
        let mut pending = Vec::new();
        for (name, is_dir) in names {
            if is_dir {
                pending.push((name, 0));
                continue;
            }
            match unlinkat(dir, name.as_c_str(), UnlinkatFlags::NoRemoveDir) {
                Ok(()) | Err(Errno::ENOENT) => {}
                Err(Errno::EISDIR) => pending.push((name, 0)),
                // unlink(2) of a directory is EISDIR on Linux; POSIX has EPERM.
                Err(Errno::EPERM) if statx::named(dir, &name).is_ok_and(|facts| facts.is(libc::S_IFDIR)) => {
                    pending.push((name, 0));
                }
                Err(errno) => self.keep(dir, &name, "unlink", errno),
            }
        }
        if let Some(frame) = self.frames.last_mut() {
            frame.pending = pending;
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "tree_tests.rs"]
mod tests;
