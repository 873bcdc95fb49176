use super::*;
use nix::{
    mount::{MsFlags, mount},
    sched::{CloneFlags, unshare},
    sys::{
        resource::{Resource, getrlimit, setrlimit},
        stat::mkdirat,
    },
};
use std::{fs, os::unix::fs::PermissionsExt, os::unix::fs::symlink};

fn open_dir(path: &Path) -> OwnedFd {
    fs::File::open(path).unwrap().into()
}

/// Runs it in a thread with a mount namespace of its own, which ends with the thread. `None` where that needs root.
fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let apart = move || {
        unshare(CloneFlags::CLONE_FS | CloneFlags::CLONE_NEWNS).unwrap();
        mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None::<&str>).unwrap();
        work()
    };
    std::thread::spawn(apart).join().unwrap()
}

fn bind(from: &Path, to: &Path) {
    mount(Some(from), to, None::<&str>, MsFlags::MS_BIND, None::<&str>).unwrap();
}

#[test]
fn a_tree_deeper_than_any_path_goes_with_a_few_descriptors() {
    const DEEP: usize = 3000;
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

#[test]
fn one_name_goes_whatever_it_is() {
    let top = tempfile::tempdir().unwrap();
    let dir = open_dir(top.path());
    fs::create_dir_all(top.path().join("tree/below")).unwrap();
    fs::write(top.path().join("file"), "x").unwrap();
    for name in ["tree", "file", "nothing"] {
        assert_eq!(remove(&dir, name.as_ref(), &top.path().join(name)), []);
    }
    assert_eq!(fs::read_dir(top.path()).unwrap().count(), 0);
}

#[test]
fn what_is_mounted_is_named_and_left_and_the_rest_goes() {
    if !geteuid().is_root() {
        return eprintln!("skipped: needs root");
    }
    apart(|| {
        let top = tempfile::tempdir().unwrap();
        let (tree, precious) = (top.path().join("tree"), top.path().join("precious"));
        fs::create_dir_all(&precious).unwrap();
        fs::write(precious.join("thesis"), "x").unwrap();
        for dir in ["a/bind", "b/tmpfs", "c/d"] {
            fs::create_dir_all(tree.join(dir)).unwrap();
        }
        fs::write(tree.join("file"), "").unwrap();
        fs::write(tree.join("c/plain"), "").unwrap();
        // Of the same file system, so the device number says nothing.
        bind(&precious, &tree.join("a/bind"));
        bind(&precious.join("thesis"), &tree.join("file"));
        mount(Some("boxtest"), &tree.join("b/tmpfs"), Some("tmpfs"), MsFlags::empty(), None::<&str>).unwrap();
        fs::write(tree.join("b/tmpfs/inside"), "x").unwrap();

        let left = empty(open_dir(&tree), &tree);
        let mut paths: Vec<&Path> = left.iter().map(|left| left.path.as_path()).collect();
        paths.sort_unstable();
        assert_eq!(paths, [tree.join("a/bind"), tree.join("b/tmpfs"), tree.join("file")]);
        for left in &left {
            let Why::Mounted(what) = &left.why else { panic!("{left:?}") };
            assert!(what.contains("precious") || what == "boxtest (tmpfs)", "{what}");
        }
        assert!(precious.join("thesis").exists() && tree.join("b/tmpfs/inside").exists());
        assert!(!tree.join("c").exists());
    });
}

#[test]
fn an_immutable_file_is_named_with_its_remedy_and_the_rest_goes() {
    let top = tempfile::tempdir().unwrap();
    for name in ["keep/locked", "keep/free", "grow/file", "go/file"] {
        fs::create_dir_all(top.path().join(name).parent().unwrap()).unwrap();
        fs::write(top.path().join(name), "x").unwrap();
    }
    let (locked, grow) = (top.path().join("keep/locked"), top.path().join("grow"));
    let chattr = |flag: &str, path: &Path| {
        std::process::Command::new("chattr").arg(flag).arg(path).status().is_ok_and(|status| status.success())
    };
    if !chattr("+i", &locked) || !chattr("+a", &grow) {
        return eprintln!("skipped: needs root, and a file system with chattr(1)'s attributes below {:?}", top.path());
    }
    let left = empty(open_dir(top.path()), top.path());
    assert!(chattr("-i", &locked) && chattr("-a", &grow));
    let expected = [Left { path: locked, why: Why::Immutable }, Left { path: grow, why: Why::AppendOnly }];
    assert!(left.len() == 2 && expected.iter().all(|one| left.contains(one)), "{left:?}");
    assert!(!top.path().join("keep/free").exists() && !top.path().join("go").exists());
}

#[test]
fn a_read_only_file_system_is_told_once_for_many_files() {
    if !geteuid().is_root() {
        return eprintln!("skipped: needs root");
    }
    apart(|| {
        let top = tempfile::tempdir().unwrap();
        mount(Some("boxtest"), top.path(), Some("tmpfs"), MsFlags::empty(), None::<&str>).unwrap();
        (0..100).for_each(|number| fs::write(top.path().join(number.to_string()), "").unwrap());
        let flags = MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY;
        mount(None::<&str>, top.path(), None::<&str>, flags, None::<&str>).unwrap();
        let left = empty(open_dir(top.path()), top.path());
        assert_eq!(left.len(), MOST + 1);
        assert_eq!(left[0].why, Why::Call("unlink", Errno::EROFS));
        assert_eq!(left[MOST].why, Why::More(100 - MOST));
    });
}
