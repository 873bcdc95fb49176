//! The files that a lesson looks at: whether they exist, and how they begin.

use super::Asked;
use crate::kernel::{pid::Pid, rooted, text};
use nix::fcntl::{OFlag, open};
use nix::sys::stat::{Mode, SFlag, fstat, major, minor};
use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// More of a file is not looked at.
const MAX: u64 = 64 * 1024;

/// Reads the beginning of a file; empty for whatever is not a regular file, `None` where nothing of that name exists.
pub(super) fn read(asked: &Asked, container: Option<Pid>, work: &Path) -> Option<String> {
    let file = find(asked, container, work)?;
    let kind = SFlag::from_bits_truncate(fstat(&file).ok()?.st_mode) & SFlag::S_IFMT;
    if kind != SFlag::S_IFREG {
        // Opening a FIFO or a device would wait, or do something.
        return Some(String::new());
    }
    let path = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&file));
    text::read_all(File::open(path).ok()?.take(MAX)).ok()
}

/// Which device a file is, such as `c 1:3` or `b 254:0`; `None` for whatever is none.
pub(super) fn device(asked: &Asked, container: Option<Pid>, work: &Path) -> Option<String> {
    let found = fstat(&find(asked, container, work)?).ok()?;
    node(found.st_mode, found.st_rdev)
}

fn node(mode: u32, number: u64) -> Option<String> {
    let letter = match SFlag::from_bits_truncate(mode) & SFlag::S_IFMT {
        SFlag::S_IFCHR => 'c',
        SFlag::S_IFBLK => 'b',
        _ => return None,
    };
    Some(format!("{letter} {}:{}", major(number), minor(number)))
}

/// Whose a file is.
pub(super) fn owner(asked: &Asked, container: Option<Pid>, work: &Path) -> Option<u32> {
    Some(fstat(&find(asked, container, work)?).ok()?.st_uid)
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

/// The devices that every container gets.
const USUAL: [&str; 8] = ["null", "zero", "full", "random", "urandom", "tty", "console", "ptmx"];

/// So many names in `/dev` are looked at.
const MAX_NAMES: usize = 4096;

/// The device nodes in `/dev` of a process besides the usual ones, such as `sda b 8:0`; those in directories below are not looked at.
pub(super) fn devices_besides(process: &Path) -> Option<Vec<String>> {
    let dev = below(&process.join("root"), "/dev")?;
    let dir = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&dev));
    let entries = std::fs::read_dir(dir).ok()?.flatten().take(MAX_NAMES);
    let device = |entry: std::fs::DirEntry| {
        let (name, found) = (entry.file_name().to_string_lossy().into_owned(), entry.metadata().ok()?);
        let node = node(found.mode(), found.rdev()).filter(|_| !USUAL.contains(&name.as_str()))?;
        Some(format!("{name} {node}"))
    };
    let mut found: Vec<String> = entries.filter_map(device).collect();
    found.sort();
    Some(found)
}

fn find(asked: &Asked, container: Option<Pid>, work: &Path) -> Option<OwnedFd> {
    match asked.inside {
        true => below(Path::new(&format!("/proc/{}/root", container?)), &asked.path),
        false => match asked.path.strip_prefix(ANYWHERE) {
            None => on_the_host(&work.join(&asked.path)),
            Some(rest) => directories(work).into_iter().find_map(|dir| on_the_host(&dir.join(rest))),
        },
    }
}

fn on_the_host(path: &Path) -> Option<OwnedFd> {
    open(path, OFlag::O_PATH | OFlag::O_CLOEXEC, Mode::empty()).ok()
}

/// How a path begins whose directory the learner has named.
const ANYWHERE: &str = "*/";

/// So many directories are looked into: a tree with more of them side by side is none that a lesson makes.
const MAX_DIRECTORIES: usize = 256;

/// The directories in the work directory, and those in them, in the order of their names. Links are not followed.
fn directories(work: &Path) -> Vec<PathBuf> {
    let within = |dir: &Path| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
        let dirs = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        let mut dirs: Vec<PathBuf> = dirs.take(MAX_DIRECTORIES).map(|entry| entry.path()).collect();
        dirs.sort();
        dirs
    };
    let mut all = within(work);
    let below: Vec<PathBuf> = all.iter().flat_map(|dir| within(dir)).collect();
    all.extend(below);
    all.truncate(MAX_DIRECTORIES);
    all
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
    fn a_star_stands_for_the_directory_that_the_learner_made() {
        let dir = tempfile::tempdir().unwrap();
        let host = |path: &str| read(&Asked { inside: false, path: path.into() }, None, dir.path());
        assert_eq!(host("*/etc/name"), None);
        std::fs::create_dir_all(dir.path().join("alpine/rootfs/etc")).unwrap();
        std::fs::write(dir.path().join("alpine/rootfs/etc/name"), "box").unwrap();
        std::os::unix::fs::symlink(dir.path().join("alpine"), dir.path().join("a-link")).unwrap();
        assert_eq!((host("*/etc/name"), host("etc/name")), (Some("box".into()), None));
        assert_eq!(host("*/name"), None, "not deeper than a directory in the learner's own");
        std::fs::write(dir.path().join("alpine/name"), "own").unwrap();
        assert_eq!(host("*/name"), Some("own".into()));
    }

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

    fn host(path: &Path) -> Asked {
        Asked { inside: false, path: path.to_str().unwrap().into() }
    }

    #[test]
    fn a_device_and_an_owner_are_those_of_the_file() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("file"), "1").unwrap();
        let (null, file) = (host(Path::new("/dev/null")), host(&dir.path().join("file")));
        assert_eq!(device(&null, None, dir.path()).as_deref(), Some("c 1:3"));
        assert_eq!((device(&file, None, dir.path()), read(&null, None, dir.path())), (None, Some(String::new())));
        assert_eq!(owner(&file, None, dir.path()), Some(nix::unistd::geteuid().as_raw()));
        assert_eq!(owner(&host(&dir.path().join("none")), None, dir.path()), None);
        // Inside is the root of the container process: there is none, and this one has ours.
        let inside = Asked { inside: true, path: "/dev/null".into() };
        assert_eq!(device(&inside, None, dir.path()), None);
        assert_eq!(device(&inside, Some(Pid::own()), dir.path()).as_deref(), Some("c 1:3"));
    }

    #[test]
    fn a_device_is_one_of_characters_or_of_blocks() {
        let number = nix::sys::stat::makedev(254, 3);
        assert_eq!(node(libc::S_IFCHR | 0o644, number).as_deref(), Some("c 254:3"));
        assert_eq!(node(libc::S_IFBLK | 0o644, number).as_deref(), Some("b 254:3"));
        assert_eq!((node(libc::S_IFREG | 0o644, number), node(libc::S_IFIFO, number)), (None, None));
    }

    #[test]
    fn what_would_wait_or_may_not_be_listed_is_found_all_the_same() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        nix::unistd::mkfifo(&dir.path().join("fifo"), Mode::S_IRUSR).unwrap();
        assert_eq!(read(&host(&dir.path().join("fifo")), None, dir.path()), Some(String::new()));
        let root = dir.path().join("root");
        std::fs::create_dir(&root).unwrap();
        std::fs::write(root.join("file"), "1").unwrap();
        std::fs::set_permissions(&root, std::fs::Permissions::from_mode(0o311)).unwrap();
        assert!(below(&root, "/file").is_some() && below(&root, "/none").is_none());
        assert!(below(&dir.path().join("fifo"), "/").is_none(), "a root is a directory");
    }

    #[test]
    fn only_the_beginning_of_a_long_file_is_read() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("long"), vec![b'x'; MAX as usize + 9]).unwrap();
        assert_eq!(read(&host(&dir.path().join("long")), None, dir.path()).map(|text| text.len()), Some(65_536));
    }

    #[test]
    fn a_directory_outside_the_root_is_found_among_what_is_open() {
        let dir = tempfile::tempdir().unwrap();
        let process = dir.path().join("7");
        let (root, out) = (dir.path().join("root"), dir.path().join("out"));
        std::fs::create_dir_all(process.join("fd")).unwrap();
        std::fs::create_dir_all(root.join("etc")).unwrap();
        std::fs::create_dir(&out).unwrap();
        std::fs::write(dir.path().join("file"), "").unwrap();
        let link = |target: &Path, name: &str| std::os::unix::fs::symlink(target, process.join(name)).unwrap();
        assert_eq!(outside(&process), None);
        link(&root, "root");
        link(&root.join("etc"), "fd/0");
        link(&dir.path().join("file"), "fd/1");
        link(Path::new("pipe:[7]"), "fd/2");
        assert_eq!(outside(&process), None);
        link(&out, "fd/4");
        link(dir.path(), "fd/5");
        assert_eq!(outside(&process), Some(format!("4 -> {}", out.display())));
    }

    #[test]
    fn devices_are_named_but_for_those_that_all_have() {
        // Nodes cannot be made here: a process whose root is the machine's has the machine's.
        let dir = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/", dir.path().join("root")).unwrap();
        let found = devices_besides(dir.path()).unwrap();
        assert!(found.is_sorted() && found.iter().all(|it| it.contains(" c ") || it.contains(" b ")), "{found:?}");
        let names: Vec<&str> = found.iter().filter_map(|it| it.split(' ').next()).collect();
        assert!(names.iter().all(|name| !USUAL.contains(name)), "{names:?}");
        let nodes = std::fs::read_dir("/dev").unwrap().flatten().filter(|it| {
            use std::os::unix::fs::FileTypeExt;
            let kind = it.file_type().unwrap();
            kind.is_char_device() || kind.is_block_device()
        });
        let nodes = nodes.filter(|it| !USUAL.iter().any(|usual| it.file_name() == *usual)).count();
        assert_eq!(names.len(), nodes);
        assert_eq!(devices_besides(&dir.path().join("none")), None);
    }

    #[test]
    fn directories_are_looked_into_in_the_order_of_their_names() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["b/y", "a/x/deep", "c"] {
            std::fs::create_dir_all(dir.path().join(name)).unwrap();
        }
        std::fs::write(dir.path().join("file"), "").unwrap();
        let found = directories(dir.path());
        let names: Vec<_> = found.iter().map(|it| it.strip_prefix(dir.path()).unwrap().to_str().unwrap()).collect();
        assert_eq!(names, ["a", "b", "c", "a/x", "b/y"]);
    }
}
