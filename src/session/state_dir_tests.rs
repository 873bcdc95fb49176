use super::*;
use std::os::unix::fs::{MetadataExt, symlink};

fn env<'a>(pairs: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<PathBuf> + 'a {
    move |name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into())
}

fn places(pairs: &[(&str, &str)], user: u32, home: Option<&str>) -> Vec<PathBuf> {
    let all = candidates(env(pairs), Uid::from_raw(user), |_| home.map(PathBuf::from));
    all.into_iter().map(|candidate| candidate.base.join(candidate.below)).collect()
}

#[test]
fn the_specification_decides_and_the_user_database_helps_out() {
    let home = PathBuf::from("/home/li/.local/state/boxwright");
    assert_eq!(places(&[("HOME", "/home/li")], 1000, None), ["/home/li/.local/state/boxwright"].map(PathBuf::from));
    assert_eq!(
        places(&[("XDG_STATE_HOME", "/s"), ("HOME", "/home/li")], 1000, None),
        ["/s/boxwright".into(), "/s/boxwright".into(), home.clone()]
    );
    assert_eq!(places(&[("XDG_STATE_HOME", "relative"), ("HOME", "/")], 1000, Some("/home/li")), [home]);
    assert!(places(&[], 1000, None).is_empty());
}

#[test]
fn under_sudo_the_persons_own_directory_comes_first() {
    let sudo = [("HOME", "/home/li"), ("SUDO_UID", "1000"), ("SUDO_GID", "1000")];
    let all =
        candidates(env(&sudo), Uid::from_raw(0), |uid| Some(if uid.is_root() { "/root" } else { "/home/li" }.into()));
    let owners: Vec<_> = all.iter().map(|c| (c.base.to_str().unwrap(), c.owner.unwrap().0.as_raw())).collect();
    assert_eq!(owners, [("/home/li", 1000), ("/home/li", 0), ("/root", 0)]);
    // Without being root the variables mean nothing.
    assert_eq!(candidates(env(&sudo), Uid::from_raw(1000), |_| None).len(), 1);
}

#[test]
fn files_are_replaced_as_a_whole() {
    let dir = tempfile::tempdir().unwrap();
    let state = StateDir::at(&dir.path().join("a/b")).unwrap();
    assert_eq!(state.load("progress").unwrap(), None);
    state.save("progress", b"one").unwrap();
    state.save("progress", b"two").unwrap();
    assert_eq!(state.load("progress").unwrap().unwrap(), b"two");
    assert_eq!(std::fs::read_dir(dir.path().join("a/b")).unwrap().count(), 1);
}

#[test]
fn a_link_on_the_way_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    symlink("/etc", dir.path().join(".local")).unwrap();
    let owner = Some((geteuid(), Gid::from_raw(0)));
    let candidate = Walk { base: dir.path().into(), below: BELOW_HOME.into(), owner };
    let why = first(vec![candidate]).unwrap_err();
    assert!(matches!(why.reason, Errno::ELOOP | Errno::ENOTDIR), "{why}");
    assert!(why.to_string().starts_with("not saved: /"));
}

#[test]
#[ignore = "needs root, to act as another user: cargo test --lib -- --ignored"]
fn what_root_makes_below_a_home_belongs_to_its_owner() {
    let dir = tempfile::tempdir().unwrap();
    let (uid, gid) = (Uid::from_raw(65534), Gid::from_raw(65534));
    let candidate = || Walk { base: dir.path().into(), below: BELOW_HOME.into(), owner: Some((uid, gid)) };
    assert_eq!(first(vec![candidate()]).unwrap_err().reason, Errno::EPERM, "a home that is not that user's");
    std::os::unix::fs::chown(dir.path(), Some(65534), Some(65534)).unwrap();
    let state = first(vec![candidate()]).unwrap();
    state.save("progress", b"x").unwrap();
    for below in [".local", ".local/state", BELOW_HOME, ".local/state/boxwright/progress"] {
        let metadata = std::fs::metadata(dir.path().join(below)).unwrap();
        assert_eq!((metadata.uid(), metadata.gid()), (65534, 65534), "{below}");
    }
    let own = tempfile::tempdir().unwrap();
    assert_eq!(std::fs::metadata(own.path()).unwrap().uid(), 0, "and root is root again");
}

#[test]
fn a_file_is_private_is_added_once_and_never_read_through_a_link() {
    let dir = tempfile::tempdir().unwrap();
    let state = StateDir::at(dir.path()).unwrap();
    let mode = |name: &str| std::fs::metadata(dir.path().join(name)).unwrap().mode() & 0o7777;
    state.add("added", b"one").unwrap();
    assert_eq!((state.load("added").unwrap().unwrap().as_slice(), mode("added")), (b"one".as_slice(), 0o600));
    assert_eq!(state.add("added", b"two").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    state.save("saved", b"x").unwrap();
    drop(state.turn("saved", Duration::from_secs(9)).unwrap());
    assert_eq!((mode("saved"), mode("saved.lock")), (0o600, 0o600));
    symlink("saved", dir.path().join("link")).unwrap();
    assert_eq!(state.load("link").unwrap_err().raw_os_error(), Some(libc::ELOOP));
    // What is written through a link replaces the link.
    state.save("link", b"y").unwrap();
    assert_eq!(state.load("saved").unwrap().unwrap(), b"x");
}

#[test]
fn the_first_place_is_the_one_that_is_explained() {
    let dir = tempfile::tempdir().unwrap();
    let walk = |base: &str| Walk { base: dir.path().join(base), below: "b".into(), owner: None };
    std::fs::write(dir.path().join("file"), "").unwrap();
    let why = first(vec![walk("file"), walk("missing")]).unwrap_err();
    assert_eq!((why.path, why.reason), (dir.path().join("file/b"), Errno::ENOTDIR));
    std::fs::create_dir(dir.path().join("dir")).unwrap();
    assert_eq!(first(vec![walk("file"), walk("dir")]).unwrap().path(), dir.path().join("dir/b"));
    assert_eq!(std::fs::read_dir(dir.path().join("dir/b")).unwrap().count(), 0, "what was tried is gone");
}

#[test]
fn who_waited_in_vain_for_a_lock_is_told_so() {
    let why = |kind| why_not_kept(&io::Error::from(kind), Lang::En);
    assert_eq!(why(io::ErrorKind::TimedOut), "another boxwright keeps it locked");
    let denied = io::Error::from_raw_os_error(libc::EACCES);
    assert!(why_not_kept(&denied, Lang::En).contains("EACCES"), "{}", why_not_kept(&denied, Lang::En));
}
