//! Where a path leads for the thread that gives it, without asking more of a file system than the text of links.
//!
//! One that a traced process serves (FUSE), or a server that does not answer, would wait for us while we wait for it: what
//! lies on such a mount is taken as it is written.

use super::{guard::inode, mounts::Table, task::seen_by};
use crate::kernel::pid::Pid;
use std::{
    collections::VecDeque,
    ffi::OsString,
    fs,
    path::{Component, Path, PathBuf},
};

/// As many links as the kernel follows.
const MAX_LINKS: usize = 40;

/// How the names of file systems begin that ask a server.
const ASKING: [&str; 8] = ["fuse", "nfs", "9p", "cifs", "smb", "ceph", "afs", "autofs"];

/// What a thread's link in `/proc` says, as the thread itself would write it.
pub(super) fn link(tid: Pid, name: &Path) -> Option<PathBuf> {
    let text = fs::read_link(tid.dir().join(name)).ok()?;
    let root = fs::read_link(tid.dir().join("root")).ok()?;
    // What lies outside its root is somewhere else for it; then our own name has to do.
    Some(match text.strip_prefix(&root) {
        Ok(below) => Path::new("/").join(below),
        Err(_) => text,
    })
}

/// The same file by a path of ours.
pub(super) fn ours(tid: Pid, path: &Path) -> PathBuf {
    tid.dir().join("root").join(path.strip_prefix("/").unwrap_or(path))
}

/// A path of ours that leads to a file which the thread has open, with one that outlives the thread before one that does not.
///
/// What the link in `/proc` says begins at our root where the file is reached from there. In another mount namespace it begins
/// at the root of that, which is not the thread's own where boxwright is in a chroot.
pub(super) fn reached(tid: Pid, fd: i32) -> Option<PathBuf> {
    let name = PathBuf::from(format!("fd/{fd}"));
    let opened = inode(&tid.dir().join(&name))?;
    let (whole, seen) = (fs::read_link(tid.dir().join(&name)).ok()?, link(tid, &name)?);
    [whole, seen.clone(), ours(tid, &seen)].into_iter().find(|path| inode(path) == Some(opened))
}

/// The absolute path, from the thread's root, to which a path leads that begins at the directory `dir` (AT_FDCWD or a
/// descriptor). `table` is the thread's mount table. What is not there is taken as it is written.
pub(super) fn resolve(tid: Pid, table: &Table, dir: i32, path: &Path) -> Option<PathBuf> {
    let start = match dir {
        _ if path.is_absolute() => PathBuf::from("/"),
        libc::AT_FDCWD => link(tid, Path::new("cwd"))?,
        fd => link(tid, Path::new(&format!("fd/{fd}")))?,
    };
    let parts = |path: &Path| path.components().map(|part| part.as_os_str().to_owned()).collect::<Vec<OsString>>();
    let mut waiting: VecDeque<OsString> = parts(path).into();
    let (mut at, mut links) = (start, 0);
    while let Some(part) = waiting.pop_front() {
        match Path::new(&part).components().next() {
            Some(Component::Normal(name)) => at.push(name),
            Some(Component::ParentDir) => {
                at.pop();
                continue;
            }
            Some(Component::RootDir) => {
                at = PathBuf::from("/");
                continue;
            }
            _ => continue,
        }
        let Some(target) = target(tid, table, &at) else { continue };
        links += 1;
        if links > MAX_LINKS {
            return None;
        }
        at.pop();
        parts(&target).into_iter().rev().for_each(|part| waiting.push_front(part));
    }
    Some(at)
}

/// Where the last part of a path leads, if it is a link.
fn target(tid: Pid, table: &Table, path: &Path) -> Option<PathBuf> {
    let mount = table.holding(path)?;
    if ASKING.iter().any(|kind| mount.kind.starts_with(kind)) {
        return None;
    }
    if mount.kind == "proc" {
        // `self` means its reader: for us that would be ourselves.
        let below = path.strip_prefix(&mount.point).ok()?;
        let mut parts = below.components();
        let first = parts.next()?.as_os_str().to_str()?;
        let own = matches!(first, "self" | "thread-self") || Some(first) == own_number(tid).as_deref();
        let rest = parts.as_path();
        if own && !rest.as_os_str().is_empty() {
            return link(tid, rest);
        }
        if own {
            return None;
        }
    }
    fs::read_link(ours(tid, path)).ok()
}

/// The number of a thread as it sees itself.
fn own_number(tid: Pid) -> Option<String> {
    seen_by(tid, tid).map(|number| number.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn links_are_followed_as_the_thread_would() {
        let me = Pid::own();
        let table = Table::read(me).unwrap();
        let top = tempfile::tempdir().unwrap();
        let top = top.path().canonicalize().unwrap();
        fs::create_dir_all(top.join("a/b")).unwrap();
        symlink("a", top.join("link")).unwrap();
        symlink(top.join("link/b"), top.join("absolute")).unwrap();
        symlink("loop", top.join("loop")).unwrap();
        let to = |path: &str| resolve(me, &table, libc::AT_FDCWD, &top.join(path));
        assert_eq!(to("link/b/../b/./new"), Some(top.join("a/b/new")));
        assert_eq!(to("absolute/x"), Some(top.join("a/b/x")));
        assert_eq!(to("loop/x"), None);
        let dir = fs::File::open(top.join("a")).unwrap();
        let fd = std::os::fd::AsRawFd::as_raw_fd(&dir);
        assert_eq!(resolve(me, &table, fd, Path::new("b")), Some(top.join("a/b")));
        let magic = format!("/proc/self/fd/{fd}/b");
        assert_eq!(resolve(me, &table, libc::AT_FDCWD, Path::new(&magic)), Some(top.join("a/b")));
    }
}
