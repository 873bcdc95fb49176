//! The directory that a layer is unpacked into, as the only root there is: no path and no link leads out of it.

use nix::{
    errno::Errno,
    fcntl::{AtFlags, OFlag, OpenHow, ResolveFlag, openat, openat2, readlinkat},
    sys::{
        resource::{Resource, getrlimit},
        stat::{FchmodatFlags, FileStat, Mode, SFlag, UtimensatFlags, fchmodat, fstat, fstatat, mkdirat, utimensat},
        time::TimeSpec,
    },
    unistd::{UnlinkatFlags, unlinkat},
};
use std::{
    collections::{HashMap, VecDeque},
    os::{
        fd::{AsFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
    rc::Rc,
};

/// As many links as the kernel follows.
const MAX_LINKS: usize = 40;
/// How many directories are kept open at most, and what part of the files that this process may open.
const MAX_OPEN: u64 = 512;
const PART_OPEN: u64 = 2;

/// A file's identity: device and inode number.
pub(super) type Key = (u64, u64);

/// The identity in what stat(2) says.
pub(super) fn key(stat: &FileStat) -> Key {
    (stat.st_dev, stat.st_ino)
}

/// Whether stat(2) says that it is of this type.
pub(super) fn is(stat: &FileStat, kind: SFlag) -> bool {
    stat.st_mode & SFlag::S_IFMT.bits() == kind.bits()
}

/// An open directory below the root.
#[derive(Clone, Debug)]
pub(super) struct Dir {
    pub fd: Rc<OwnedFd>,
    pub key: Key,
}

/// Gives a directory this time of its last change. It may have been opened without the right to read it.
pub(super) fn set_time(dir: &Dir, time: &TimeSpec) -> nix::Result<()> {
    utimensat(&dir.fd, ".", time, time, UtimensatFlags::NoFollowSymlink)
}

/// The time of the last change.
pub(super) fn mtime(stat: &FileStat) -> TimeSpec {
    TimeSpec::new(stat.st_mtime, stat.st_mtime_nsec)
}

pub(super) fn stat(dir: &Dir, name: &[u8]) -> nix::Result<Option<FileStat>> {
    match fstatat(&dir.fd, name, AtFlags::AT_SYMLINK_NOFOLLOW) {
        Err(Errno::ENOENT) => Ok(None),
        stat => stat.map(Some),
    }
}

/// How directories are made that are missing on the way to an entry.
#[derive(Clone, Copy, Debug)]
pub(super) struct Make {
    pub mode: u32,
    pub time: TimeSpec,
    /// Whether what is there and is not a directory makes room for one.
    pub replace: bool,
}

/// A directory that was made so: the directory that it is in, and its name.
pub(super) type Implied = (Key, Vec<u8>);

/// The root, and how paths are resolved below it.
#[derive(Debug)]
pub(super) struct Tree {
    root: Dir,
    /// Whether the kernel has openat2(2): Linux 5.6, and no filter that forbids it.
    modern: bool,
    /// Directories that were found, by their paths: most entries lie beside one before.
    found: HashMap<Vec<u8>, Dir>,
    /// How many of them are kept open.
    most: usize,
    /// Directories made on the way, which the caller takes away.
    pub implied: Vec<Implied>,
}

/// A path as its plain parts: no empty part, no dot, and no way up beyond the root.
///
/// The second value tells whether the path tried to leave the root.
pub(in crate::image) fn clean(path: &[u8]) -> (Vec<u8>, bool) {
    if path.split(|byte| *byte == b'/').all(|part| !matches!(part, b"" | b"." | b"..")) {
        return (path.to_vec(), false);
    }
    let (mut parts, mut escaped): (Vec<&[u8]>, bool) = (Vec::new(), false);
    for part in path.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => escaped |= parts.pop().is_none(),
            part => parts.push(part),
        }
    }
    (parts.join(&b'/'), escaped)
}

/// A clean path's directory and last part.
pub(super) fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|byte| *byte == b'/') {
        Some(at) => (path.get(..at).unwrap_or_default(), path.get(at + 1..).unwrap_or_default()),
        None => (b"", path),
    }
}

/// How many directories may be kept open (RLIMIT_NOFILE, getrlimit(2)).
fn most_open() -> usize {
    let limit = getrlimit(Resource::RLIMIT_NOFILE).map_or(MAX_OPEN, |(soft, _)| soft / PART_OPEN);
    usize::try_from(limit.clamp(1, MAX_OPEN)).unwrap_or(1)
}

impl Tree {
    /// Takes an open directory as the root.
    pub(super) fn new(root: OwnedFd) -> nix::Result<Tree> {
        let key = key(&fstat(&root)?);
        let (root, most) = (Dir { fd: Rc::new(root), key }, most_open());
        Ok(Tree { root, modern: true, found: HashMap::new(), most, implied: Vec::new() })
    }

    /// Does without openat2(2), as on an older kernel.
    #[cfg(test)]
    pub(super) fn old_kernel(&mut self) {
        self.modern = false;
    }

    pub(super) fn root(&self) -> &Dir {
        &self.root
    }

    /// Something was removed: what was resolved before may lead elsewhere now.
    pub(super) fn forget(&mut self) {
        self.found.clear();
    }

    /// Whether as many directories are open as should be.
    pub(super) fn is_full(&self) -> bool {
        self.found.len() >= self.most
    }

    /// Opens the directory of a clean path, following links below the root; what is missing is made where `make` says how.
    pub(super) fn directory(&mut self, path: &[u8], make: Option<Make>) -> nix::Result<Dir> {
        if path.is_empty() {
            return Ok(self.root.clone());
        }
        if let Some(dir) = self.found.get(path) {
            return Ok(dir.clone());
        }
        let opened = if self.modern { self.open_at_once(path) } else { Err(Errno::ENOSYS) };
        let dir = match opened {
            Ok(dir) => dir,
            Err(Errno::ENOSYS | Errno::EPERM | Errno::E2BIG) => {
                self.modern = false;
                self.walk(path, make)?
            }
            // Something moved while the kernel looked (EAGAIN), or a part is missing: part by part then.
            Err(Errno::EAGAIN) => self.walk(path, make)?,
            Err(Errno::ENOENT) if make.is_some() => self.walk(path, make)?,
            Err(Errno::ENOTDIR) if make.is_some_and(|make| make.replace) => self.walk(path, make)?,
            Err(errno) => return Err(errno),
        };
        self.found.insert(path.to_vec(), dir.clone());
        Ok(dir)
    }

    /// One call: RESOLVE_IN_ROOT makes the kernel treat our directory as `/` for links and for `..` (openat2(2)).
    fn open_at_once(&self, path: &[u8]) -> nix::Result<Dir> {
        let how = OpenHow::new()
            .flags(OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC)
            .resolve(ResolveFlag::RESOLVE_IN_ROOT | ResolveFlag::RESOLVE_NO_MAGICLINKS);
        let fd = openat2(&self.root.fd, path, how)?;
        let key = key(&fstat(&fd)?);
        Ok(Dir { fd: Rc::new(fd), key })
    }

    /// The same, part by part. No part is followed by the kernel: a link's text is read and walked like any other path.
    fn walk(&mut self, path: &[u8], make: Option<Make>) -> nix::Result<Dir> {
        if path.len() >= libc::PATH_MAX as usize {
            return Err(Errno::ENAMETOOLONG);
        }
        let parts = |path: &[u8]| path.split(|byte| *byte == b'/').map(<[u8]>::to_vec).collect::<Vec<_>>();
        let mut waiting: VecDeque<Vec<u8>> = parts(path).into();
        // The plain names that lead to where we are. A tree may be deeper than there are files to be open.
        let (mut names, mut at, mut links) = (Vec::new(), self.root.clone(), 0);
        while let Some(part) = waiting.pop_front() {
            match part.as_slice() {
                b"" | b"." => continue,
                b".." => {
                    names.pop();
                    at = self.plain(&names)?;
                    continue;
                }
                _ => {}
            }
            let flags = OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
            let fd = match (openat(&at.fd, part.as_slice(), flags, Mode::empty()), make) {
                (Err(Errno::ENOENT), Some(make)) => self.make(&at, &part, make)?,
                (opened, _) => opened?,
            };
            let stat = fstat(&fd)?;
            if is(&stat, SFlag::S_IFLNK) {
                links += 1;
                if links > MAX_LINKS {
                    return Err(Errno::ELOOP);
                }
                let text = readlinkat(fd.as_fd(), "")?;
                if text.as_bytes().starts_with(b"/") {
                    names.clear();
                    at = self.root.clone();
                }
                parts(text.as_bytes()).into_iter().rev().for_each(|part| waiting.push_front(part));
            } else if is(&stat, SFlag::S_IFDIR) {
                at = Dir { fd: Rc::new(fd), key: key(&stat) };
                names.push(part);
            } else if let Some(make) = make.filter(|make| make.replace) {
                unlinkat(&at.fd, part.as_slice(), UnlinkatFlags::NoRemoveDir)?;
                let fd = self.make(&at, &part, make)?;
                at = Dir { key: key(&fstat(&fd)?), fd: Rc::new(fd) };
                names.push(part);
            } else {
                return Err(Errno::ENOTDIR);
            }
        }
        Ok(at)
    }

    /// The directory that plain names lead to, in which there is no link.
    fn plain(&self, names: &[Vec<u8>]) -> nix::Result<Dir> {
        let flags = OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let mut at = self.root.clone();
        for name in names {
            let fd = openat(&at.fd, name.as_slice(), flags, Mode::empty())?;
            at = Dir { key: key(&fstat(&fd)?), fd: Rc::new(fd) };
        }
        Ok(at)
    }

    /// Makes a directory in another one, whose time stays what it was.
    fn make(&mut self, parent: &Dir, name: &[u8], make: Make) -> nix::Result<OwnedFd> {
        let before = mtime(&fstat(&parent.fd)?);
        mkdirat(&parent.fd, name, Mode::S_IRWXU)?;
        set_time(parent, &before)?;
        let flags = OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let fd = openat(&parent.fd, name, flags, Mode::empty())?;
        // Whatever the umask is.
        fchmodat(&fd, ".", Mode::from_bits_truncate(make.mode), FchmodatFlags::FollowSymlink)?;
        utimensat(&fd, ".", &make.time, &make.time, UtimensatFlags::NoFollowSymlink)?;
        self.implied.push((parent.key, name.to_vec()));
        Ok(fd)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, os::unix::fs::symlink};

    #[test]
    fn paths_stay_below_the_root() {
        let table: [(&str, &str, bool); 6] = [
            ("./a//b/", "a/b", false),
            ("/etc/passwd", "etc/passwd", false),
            ("a/../b", "b", false),
            ("../../x", "x", true),
            ("a/../../x", "x", true),
            ("./", "", false),
        ];
        for (path, wanted, escaped) in table {
            assert_eq!(clean(path.as_bytes()), (wanted.as_bytes().to_vec(), escaped), "{path}");
        }
    }

    #[test]
    fn both_ways_of_resolving_agree() {
        let top = tempfile::tempdir().unwrap();
        let root = top.path().join("root");
        fs::create_dir_all(root.join("usr/lib")).unwrap();
        fs::create_dir(top.path().join("outside")).unwrap();
        symlink("usr/lib", root.join("lib")).unwrap();
        symlink("/usr", root.join("absolute")).unwrap();
        symlink("../../../../../../usr", root.join("up")).unwrap();
        symlink(top.path().join("outside"), root.join("out")).unwrap();
        symlink("loop", root.join("loop")).unwrap();
        fs::write(root.join("file"), "").unwrap();
        for path in ["lib", "absolute/lib", "up/lib", "out", "loop/x", "file", "file/x", "missing", "usr/lib"] {
            let [new, old] = [false, true].map(|old| {
                let mut tree = Tree::new(fs::File::open(&root).unwrap().into()).unwrap();
                if old {
                    tree.old_kernel();
                }
                tree.directory(path.as_bytes(), None).map(|dir| dir.key)
            });
            assert_eq!(new, old, "{path}");
        }
    }
}
