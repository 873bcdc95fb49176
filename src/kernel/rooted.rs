//! Opening a path as a process with another root directory would: no link in it leads out of that root.

use nix::{
    errno::Errno,
    fcntl::{OFlag, OpenHow, ResolveFlag, openat, openat2, readlinkat},
    sys::stat::{Mode, SFlag, fstat},
};
use std::{
    collections::VecDeque,
    ffi::OsString,
    os::{
        fd::{AsFd, OwnedFd},
        unix::ffi::{OsStrExt, OsStringExt},
    },
    path::Path,
};

/// As many links as the kernel follows.
const MAX_LINKS: usize = 40;

const FLAGS: OFlag = OFlag::O_PATH.union(OFlag::O_CLOEXEC);

/// Opens a path below a root with `O_PATH`; `..` and absolute links stay in it.
///
/// Errors: those of open(2).
pub(crate) fn open(root: &OwnedFd, path: &Path) -> nix::Result<OwnedFd> {
    let how = OpenHow::new().flags(FLAGS).resolve(ResolveFlag::RESOLVE_IN_ROOT);
    match openat2(root, path, how) {
        // Linux before 5.6, and profiles of containers that do not know the call.
        Err(Errno::ENOSYS | Errno::EPERM) => walk(root, path),
        opened => opened,
    }
}

/// The same part by part. No link is followed by the kernel: its text is walked like any other path.
fn walk(root: &OwnedFd, path: &Path) -> nix::Result<OwnedFd> {
    let parts = |path: &[u8]| -> Vec<OsString> {
        path.split(|byte| *byte == b'/').map(|part| OsString::from_vec(part.to_vec())).collect()
    };
    let top = || openat(root, ".", FLAGS | OFlag::O_DIRECTORY, Mode::empty());
    let mut waiting: VecDeque<OsString> = parts(path.as_os_str().as_bytes()).into();
    let (mut above, mut at, mut links) = (Vec::new(), top()?, 0);
    while let Some(part) = waiting.pop_front() {
        match part.as_bytes() {
            b"" | b"." => continue,
            b".." => {
                at = above.pop().map_or_else(top, Ok)?;
                continue;
            }
            _ => {}
        }
        let found = openat(&at, part.as_os_str(), FLAGS | OFlag::O_NOFOLLOW, Mode::empty())?;
        let kind = SFlag::from_bits_truncate(fstat(&found)?.st_mode) & SFlag::S_IFMT;
        if kind != SFlag::S_IFLNK {
            above.push(std::mem::replace(&mut at, found));
            continue;
        }
        links += 1;
        if links > MAX_LINKS {
            return Err(Errno::ELOOP);
        }
        let text = readlinkat(found.as_fd(), "")?;
        if text.as_bytes().starts_with(b"/") {
            above.clear();
            at = top()?;
        }
        parts(text.as_bytes()).into_iter().rev().for_each(|part| waiting.push_front(part));
    }
    Ok(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::statx;
    use std::{fs, os::unix::fs::symlink};

    #[test]
    fn as_many_links_are_followed_as_the_kernel_follows() {
        let top = tempfile::tempdir().unwrap();
        fs::write(top.path().join("0"), "").unwrap();
        (1..=MAX_LINKS + 1)
            .for_each(|link| symlink((link - 1).to_string(), top.path().join(link.to_string())).unwrap());
        let root: OwnedFd = fs::File::open(top.path()).unwrap().into();
        for (links, refused) in [(MAX_LINKS - 1, None), (MAX_LINKS, None), (MAX_LINKS + 1, Some(Errno::ELOOP))] {
            let path = links.to_string();
            assert_eq!(walk(&root, path.as_ref()).err(), refused, "{links}");
            assert_eq!(open(&root, path.as_ref()).err(), refused, "{links}");
        }
    }

    #[test]
    fn both_ways_stay_below_the_root() {
        let top = tempfile::tempdir().unwrap();
        let inside = top.path().join("root");
        fs::create_dir_all(inside.join("usr/lib")).unwrap();
        fs::write(inside.join("usr/lib/name"), "box").unwrap();
        fs::write(top.path().join("outside"), "host").unwrap();
        symlink("/usr", inside.join("absolute")).unwrap();
        symlink("../../../../usr/lib", inside.join("usr/up")).unwrap();
        symlink("../outside", inside.join("out")).unwrap();
        symlink("loop", inside.join("loop")).unwrap();
        let root: OwnedFd = fs::File::open(&inside).unwrap().into();
        for path in [
            "/usr/lib/name",
            "absolute/lib/name",
            "absolute/up/name",
            "usr/lib/../../../../absolute",
            "/",
            "out",
            "loop",
            "missing",
            "usr/lib/name/x",
        ] {
            let what = |opened: nix::Result<OwnedFd>| opened.map(|fd| statx::of(fd).unwrap().ino);
            assert_eq!(what(open(&root, path.as_ref())), what(walk(&root, path.as_ref())), "{path}");
        }
        assert_eq!(walk(&root, "out".as_ref()).err(), Some(Errno::ENOENT));
    }
}
