//! The files that a lesson looks at: whether they exist, and how they begin.

use super::Asked;
use crate::kernel::{rooted, text};
use nix::fcntl::{OFlag, open};
use nix::sys::stat::{Mode, SFlag, fstat, major, minor};
use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::path::Path;

/// More of a file is not looked at.
const MOST: u64 = 64 * 1024;

/// Reads the beginning of a file; empty for whatever is not a regular file, `None` where nothing of that name exists.
pub(super) fn read(asked: &Asked, container: Option<i32>, work: &Path) -> Option<String> {
    let file = find(asked, container, work)?;
    let kind = SFlag::from_bits_truncate(fstat(&file).ok()?.st_mode) & SFlag::S_IFMT;
    if kind != SFlag::S_IFREG {
        // Opening a FIFO or a device would wait, or do something.
        return Some(String::new());
    }
    let path = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&file));
    text::read_all(File::open(path).ok()?.take(MOST)).ok()
}

/// Which device a file is, such as `c 1:3` or `b 254:0`; `None` for whatever is none.
pub(super) fn device(asked: &Asked, container: Option<i32>, work: &Path) -> Option<String> {
    let found = fstat(&find(asked, container, work)?).ok()?;
    let letter = match SFlag::from_bits_truncate(found.st_mode) & SFlag::S_IFMT {
        SFlag::S_IFCHR => 'c',
        SFlag::S_IFBLK => 'b',
        _ => return None,
    };
    Some(format!("{letter} {}:{}", major(found.st_rdev), minor(found.st_rdev)))
}

/// A directory outside the root of a process that it has open: the descriptor, and where it leads. Both are named as
/// this program would find them.
pub(super) fn outside(process: &Path) -> Option<String> {
    let root = std::fs::read_link(process.join("root")).ok()?;
    let mut open: Vec<_> = std::fs::read_dir(process.join("fd")).ok()?.flatten().map(|entry| entry.path()).collect();
    open.sort();
    open.into_iter().find_map(|file| {
        let path = std::fs::read_link(&file).ok().filter(|path| path.is_absolute() && !path.starts_with(&root))?;
        std::fs::metadata(&file).ok().filter(std::fs::Metadata::is_dir)?;
        Some(format!("{} -> {}", file.file_name()?.display(), path.display()))
    })
}

fn find(asked: &Asked, container: Option<i32>, work: &Path) -> Option<OwnedFd> {
    match asked.inside {
        true => below(Path::new(&format!("/proc/{}/root", container?)), &asked.path),
        false => open(&work.join(&asked.path), OFlag::O_PATH | OFlag::O_CLOEXEC, Mode::empty()).ok(),
    }
}

/// Opens a path as a process with this root would, so that a link in it cannot lead to the host.
fn below(root: &Path, path: &str) -> Option<OwnedFd> {
    let root = open(root, OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty()).ok()?;
    rooted::open(&root, Path::new(path)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_inside_stay_inside() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("etc")).unwrap();
        std::fs::write(dir.path().join("etc/name"), "box").unwrap();
        std::os::unix::fs::symlink("/etc/name", dir.path().join("link")).unwrap();
        let found = below(dir.path(), "/link").unwrap();
        let path = std::fs::read_link(format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&found))).unwrap();
        assert_eq!(path, dir.path().canonicalize().unwrap().join("etc/name"));
        let host = |path: &str| read(&Asked { inside: false, path: path.into() }, None, dir.path());
        assert_eq!((host("etc/name"), host("etc"), host("none")), (Some("box".into()), Some(String::new()), None));
    }
}
