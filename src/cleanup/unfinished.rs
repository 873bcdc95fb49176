//! Files and directories that were to get another name when they were complete.

use super::{Identity, Left, Made, Why, made::above, tree};
use crate::kernel::statx;
use nix::{
    errno::Errno,
    fcntl::{OFlag, openat},
    sys::stat::{Mode, fstat},
    unistd::{UnlinkatFlags, geteuid, unlinkat},
};
use std::path::Path;

/// Removes one that another process of ours has left. Where it was not written down which one it is, the process was killed at
/// that very moment: then only what is empty can be it.
pub(crate) fn remove(path: &Path, identity: Option<&Identity>) -> Vec<Left> {
    let call = |call, errno| vec![Left::call(path, call, errno)];
    let (parent, name) = match above(path) {
        Ok(found) => found,
        Err(Errno::ENOENT | Errno::ENOTDIR) => return Vec::new(),
        Err(errno) => return call("open", errno),
    };
    let replaced = || vec![Left { path: path.into(), why: Why::Replaced }];
    // O_PATH looks at a name and does nothing to what it means.
    let flags = OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let file = match openat(&parent, name.as_c_str(), flags, Mode::empty()) {
        Ok(file) => file,
        Err(Errno::ENOENT) => return Vec::new(),
        Err(errno) => return call("open", errno),
    };
    let (facts, stat) = match (statx::of(&file), fstat(&file)) {
        (Ok(facts), Ok(stat)) => (facts, stat),
        (Err(errno), _) | (_, Err(errno)) => return call("statx", errno),
    };
    if facts.is(libc::S_IFDIR) {
        return match Made::find(path, identity) {
            Ok(None) => Vec::new(),
            Ok(Some(made)) if identity.is_some() => made.remove(),
            Ok(Some(made)) => made.remove_empty().into_iter().collect(),
            Err(left) => vec![left],
        };
    }
    let same = match identity {
        Some(identity) => identity.is(&file).unwrap_or(false),
        None => stat.st_size == 0,
    };
    if !facts.is(libc::S_IFREG) || facts.uid != geteuid().as_raw() || facts.links != 1 || !same {
        return replaced();
    }
    match unlinkat(&parent, name.as_c_str(), UnlinkatFlags::NoRemoveDir) {
        Ok(()) | Err(Errno::ENOENT) => Vec::new(),
        Err(errno) => vec![tree::refused(&parent, &name, path, "unlink", errno)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, File};

    #[test]
    fn only_what_was_made_goes() {
        let top = tempfile::tempdir().unwrap();
        let [file, dir, other] = ["file", "dir", "other"].map(|name| top.path().join(name));
        let make = || {
            fs::write(&file, "half").unwrap();
            fs::create_dir_all(dir.join("usr/bin")).unwrap();
            fs::write(&other, "mine").unwrap();
        };
        make();
        let of = |path: &Path| Identity::of(File::open(path).unwrap()).unwrap();
        let identities = [&file, &dir].map(|path| of(path));
        for (path, wrong) in [(&file, of(&other)), (&dir, of(top.path()))] {
            assert_eq!(remove(path, Some(&wrong)).len(), 1, "another one has the name");
            assert_eq!(remove(path, None).len(), 1, "something is in it");
            assert!(path.exists());
        }
        for (path, identity) in [&file, &dir].into_iter().zip(&identities) {
            assert_eq!(remove(path, Some(identity)), []);
            assert_eq!(remove(path, Some(identity)), [], "it is gone");
            assert!(!path.exists());
        }
        fs::write(&file, "").unwrap();
        fs::create_dir(&dir).unwrap();
        assert_eq!((remove(&file, None), remove(&dir, None)), (vec![], vec![]));
        // A second name means that it is used elsewhere.
        make();
        fs::hard_link(&file, top.path().join("second")).unwrap();
        assert_eq!(remove(&file, Some(&of(&file))).len(), 1);
        assert_eq!(fs::read(&other).unwrap(), b"mine");
    }
}
