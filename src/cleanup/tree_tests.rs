use super::*;
use nix::sys::{
    resource::{Resource, getrlimit, setrlimit},
    stat::mkdirat,
};
use std::{fs, os::unix::fs::PermissionsExt, os::unix::fs::symlink};

fn open_dir(path: &Path) -> OwnedFd {
    fs::File::open(path).unwrap().into()
}

#[test]
fn a_tree_deeper_than_any_path_goes_with_a_few_descriptors() {
    const DEEP: usize = 1000;
    let top = tempfile::tempdir().unwrap();
    let mut at = open_dir(top.path());
    for _ in 0..DEEP {
        mkdirat(&at, "a directory", Mode::S_IRWXU).unwrap();
        at = openat(&at, "a directory", OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty()).unwrap();
    }
    drop(openat(&at, "file", OFlag::O_CREAT | OFlag::O_WRONLY, Mode::S_IRWXU).unwrap());
    drop(at);
    let root = open_dir(top.path());
    // Other tests of this process run beside this one and open files of their own.
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    let open = fs::read_dir("/proc/self/fd").unwrap().count() as u64;
    setrlimit(Resource::RLIMIT_NOFILE, (open + 200).min(soft), hard).unwrap();
    let left = empty(&root, top.path());
    setrlimit(Resource::RLIMIT_NOFILE, soft, hard).unwrap();
    assert_eq!(left, []);
    assert_eq!(fs::read_dir(top.path()).unwrap().count(), 0);
}

#[test]
fn links_are_removed_and_never_followed_and_closed_directories_are_opened() {
    let (top, precious) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::write(precious.path().join("thesis"), "x").unwrap();
    fs::create_dir_all(top.path().join("a/closed/below")).unwrap();
    symlink(precious.path(), top.path().join("a/link")).unwrap();
    symlink(precious.path().join("thesis"), top.path().join("file")).unwrap();
    fs::set_permissions(top.path().join("a/closed"), PermissionsExt::from_mode(0o000)).unwrap();
    fs::set_permissions(top.path(), PermissionsExt::from_mode(0o755)).unwrap();
    assert_eq!(empty(open_dir(top.path()), top.path()), []);
    assert_eq!(fs::read_dir(top.path()).unwrap().count(), 0);
    assert!(precious.path().join("thesis").exists());
    assert_eq!(fs::metadata(top.path()).unwrap().permissions().mode() & 0o777, 0o755, "what stays stays as it is");
}
