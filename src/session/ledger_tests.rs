use super::*;
use crate::cleanup::{Identity, Why};
use crate::kernel::objects::Object;
use crate::session::RunDir;
use std::os::unix::fs::PermissionsExt;

fn entry(path: &str) -> Entry {
    Entry::RunDir(path.into())
}

/// A name of the pattern for the user who runs the tests.
fn named() -> String {
    run_dir::fresh_name().unwrap()
}

#[test]
fn a_torn_last_line_was_never_made() {
    let text = "boxwright ledger 1\n+ run_dir /run/a b\n+ cgroup /c\n- cgroup /c\n+ cgroup /d\n+ run_dir /run/x";
    assert_eq!(parse(text), [(entry("/run/a b"), None), (Entry::Cgroup("/d".into()), None)]);
}

#[test]
fn what_was_handed_down_before_the_machine_was_started_again_is_void() {
    let there = Entry::Delegated(Delegated::new("/a b".into(), "memory".into()));
    let line = there.line('+').unwrap();
    assert_eq!(parse(&line), [(there, None)]);
    let Some((Entry::Delegated(old), None)) = parse("+ handed_down 1-2 memory /sys/fs/cgroup\n").pop() else {
        panic!()
    };
    assert!(!old.is_there());
    assert_eq!(Entry::Delegated(old).remove(None, None, Instant::now()), []);
}

#[test]
fn only_our_own_names_are_ours() {
    let ours = |entry: Entry| entry.is_ours(7);
    assert!(ours(entry("/run/boxwright-7-00ff00ff00ff")));
    assert!(ours(Entry::Cgroup("/sys/fs/cgroup/boxwright-7-00ff00ff00ff/below".into())));
    for foreign in [
        "/run/boxwright-8-00ff00ff00ff",
        "/run/boxwright-7-00ff",
        "/run/boxwright-7-00ff00ff00ff/below",
        "/run/boxwright-7-00ff00ff00fg",
        "run/boxwright-7-00ff00ff00ff",
        "/run/../boxwright-7-00ff00ff00ff",
        "/",
    ] {
        assert!(!ours(entry(foreign)), "{foreign}");
    }
    assert!(!ours(Entry::Cgroup("/sys/fs/cgroup/system.slice".into())));
    let handed = |dir: &str, name: &str| ours(Entry::Delegated(Delegated::new(dir.into(), name.into())));
    assert!(handed("/sys/fs/cgroup", "net_cls"));
    assert!(!handed("sys/fs/cgroup", "cpu") && !handed("/sys/../etc", "cpu") && !handed("/sys/fs/cgroup", "cpu +io"));
}

#[test]
fn a_name_that_is_made_again_is_listed_once_and_what_is_gone_not_at_all() {
    let dir = tempfile::tempdir().unwrap();
    let mut ledger = Ledger::create_in(dir.path()).unwrap();
    let group = Entry::Group(dir.path().join("group"));
    for _ in 0..2 {
        std::fs::create_dir(group.path()).unwrap();
        ledger.add(group.clone()).unwrap();
        ledger.made(&group).unwrap();
        assert_eq!(ledger.entries(), std::slice::from_ref(&group));
        std::fs::remove_dir(group.path()).unwrap();
    }
    ledger.forget_what_is_gone();
    assert_eq!(ledger.entries(), []);
    assert!(ledger.finish(Instant::now()).is_empty());
}

#[test]
fn a_living_owners_things_are_left_alone_and_its_end_removes_them() {
    let dir = tempfile::tempdir().unwrap();
    let mut ledger = Ledger::create_in(dir.path()).unwrap();
    let path = dir.path().join(named());
    ledger.add(entry(path.to_str().unwrap())).unwrap();
    std::fs::create_dir_all(path.join("bin")).unwrap();
    std::os::unix::fs::symlink("/bin/true", path.join("bin/unshare")).unwrap();
    assert!(sweep(&[dir.path().into()], false, PATIENCE).is_empty());
    assert!(path.exists());
    drop(ledger);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

/// A ledger as a killed owner leaves it, listing these paths as run directories.
fn abandoned_ledger(dir: &Path, paths: &[&Path]) -> PathBuf {
    let lines: String = paths.iter().map(|path| format!("+ run_dir {}\n", path.display())).collect();
    let path = dir.join(format!("{}.ledger", named()));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).unwrap();
    file.write_all(format!("boxwright ledger 1\n{lines}").as_bytes()).unwrap();
    path
}

#[test]
fn a_dead_owners_things_are_removed_and_never_through_links() {
    let (dir, precious) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    std::fs::write(precious.path().join("thesis"), "x").unwrap();
    let (linked, holding, foreign) = (dir.path().join(named()), dir.path().join(named()), dir.path().join("home"));
    std::os::unix::fs::symlink(precious.path(), &linked).unwrap();
    std::fs::create_dir_all(holding.join("bin")).unwrap();
    std::os::unix::fs::symlink(precious.path(), holding.join("bin/ps")).unwrap();
    std::fs::create_dir(&foreign).unwrap();
    let ledger = abandoned_ledger(dir.path(), &[&foreign, &linked, &holding, &dir.path().join(named())]);

    let listed = sweep(&[dir.path().into()], true, PATIENCE);
    assert!(matches!(&listed[..], [(_, Outcome::Would), (_, Outcome::Would), (_, Outcome::Foreign)]), "{listed:?}");
    assert!(holding.exists());

    let swept = sweep(&[dir.path().into()], false, PATIENCE);
    assert!(matches!(&swept[..], [(_, Outcome::Removed), (_, Outcome::Left(_)), (_, Outcome::Foreign)]), "{swept:?}");
    assert!(!holding.exists() && linked.is_symlink() && foreign.exists() && ledger.exists());
    assert!(precious.path().join("thesis").exists());
}

#[test]
fn an_unknown_directory_inside_stays_and_is_tried_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(named());
    std::fs::create_dir_all(path.join("rootfs/etc")).unwrap();
    let ledger = abandoned_ledger(dir.path(), &[&path]);
    assert!(matches!(&sweep(&[dir.path().into()], false, PATIENCE)[..], [(_, Outcome::Left(_))]));
    std::fs::remove_dir_all(path.join("rootfs")).unwrap();
    assert!(matches!(&sweep(&[dir.path().into()], false, PATIENCE)[..], [(_, Outcome::Removed)]));
    assert!(!ledger.exists() && !path.exists());
}

#[test]
fn a_run_directory_has_one_link_a_tool() {
    let dir = tempfile::tempdir().unwrap();
    let mut ledger = Ledger::create_in(dir.path()).unwrap();
    let run_dir = RunDir::create(&mut ledger, Path::new("/bin/true"), &["ps", "unshare"]).unwrap();
    assert_eq!(run_dir.path().file_name().unwrap(), run_dir.name());
    let work = run_dir.work().unwrap();
    assert!(work.is_dir() && work.parent() == Some(run_dir.path()), "{work:?}");
    assert_eq!(std::fs::read_link(run_dir.bin().join("ps")).unwrap(), Path::new("/bin/true"));
    let path = run_dir.path().to_path_buf();
    assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o700);
    drop(ledger);
    assert!(!path.exists());
}

#[test]
fn what_a_session_unpacked_ends_with_it_and_nothing_through_links() {
    let (dir, precious) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    std::fs::write(precious.path().join("thesis"), "x").unwrap();
    let mut ledger = Ledger::create_in(dir.path()).unwrap();
    let path = dir.path().join(named());
    ledger.add(entry(path.to_str().unwrap())).unwrap();
    let deep = path.join("work/rootfs/usr/bin");
    std::fs::create_dir_all(&deep).unwrap();
    std::fs::write(deep.join("sh"), "x").unwrap();
    std::os::unix::fs::symlink(precious.path(), path.join("work/rootfs/home")).unwrap();
    std::fs::set_permissions(&deep, std::os::unix::fs::PermissionsExt::from_mode(0o555)).unwrap();
    drop(ledger);
    assert!(!path.exists());
    assert!(precious.path().join("thesis").exists());
}

#[test]
fn which_directory_was_made_is_read_again_and_an_earlier_version_passes_over_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut ledger = Ledger::create_in(dir.path()).unwrap();
    let made = entry(dir.path().join(named()).to_str().unwrap());
    ledger.add(made.clone()).unwrap();
    std::fs::create_dir(made.path()).unwrap();
    ledger.made(&made).unwrap();
    let text = std::fs::read_to_string(ledger.path()).unwrap();
    let identity = Identity::of(File::open(made.path()).unwrap()).unwrap();
    assert_eq!(parse(&text), [(made.clone(), Some(identity))]);
    // What that version knows are `+` and `-`.
    let known = text.lines().filter(|line| !line.starts_with('=')).collect::<Vec<_>>();
    assert_eq!(known, ["boxwright ledger 1", &format!("+ run_dir {}", made.path().display())]);
    assert_eq!(parse("= run_dir 1 2 3 b 4 /never/announced\n= cgroup torn\n"), []);
}

#[test]
fn another_directory_of_that_name_is_not_the_one_that_was_made() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(named());
    std::fs::create_dir(&path).unwrap();
    let identity = Identity::of(File::open(&path).unwrap()).unwrap();
    // The first one stays, so that the second cannot have its number.
    std::fs::rename(&path, dir.path().join("elsewhere")).unwrap();
    std::fs::create_dir_all(path.join("work/thesis")).unwrap();
    let made = format!("+ run_dir {0}\n= run_dir {1} {0}\n", path.display(), identity.words());
    let ledger = dir.path().join(format!("{}.ledger", named()));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&ledger).unwrap();
    file.write_all(made.as_bytes()).unwrap();
    drop(file);
    let swept = sweep(&[dir.path().into()], false, PATIENCE);
    let [(_, Outcome::Left(left))] = &swept[..] else { panic!("{swept:?}") };
    assert_eq!(left[..], [Left { path: path.clone(), why: Why::Replaced }]);
    assert!(path.join("work/thesis").exists() && ledger.exists());
}

#[test]
fn what_another_mount_namespace_may_hold_is_kept_in_the_ledger_until_the_next_boot() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(named());
    let boot = crate::cleanup::identity::boot();
    for (namespace, boot, stays) in [("1", boot.as_str(), true), ("0", &boot, false), ("1", "an-earlier-one", false)] {
        let ledger = abandoned_ledger(dir.path(), &[&path]);
        let mut file = OpenOptions::new().append(true).open(&ledger).unwrap();
        writeln!(file, "= run_dir 1 2 - {boot} {namespace} {}", path.display()).unwrap();
        drop(file);
        assert!(sweep(&[dir.path().into()], false, PATIENCE).is_empty());
        assert_eq!(ledger.exists(), stays, "{namespace} {boot}");
        let _ = std::fs::remove_file(ledger);
    }
}

/// A ledger without a lock, as on a file system that has none, whose owner is as this one line says.
fn unlocked(dir: &Path, owner: &str, path: &Path) -> PathBuf {
    std::fs::create_dir(path).unwrap();
    let ledger = dir.join(format!("{}.ledger", named()));
    std::fs::write(&ledger, format!("boxwright ledger 1\n{owner}+ run_dir {}\n", path.display())).unwrap();
    std::fs::set_permissions(&ledger, std::fs::Permissions::from_mode(0o600)).unwrap();
    ledger
}

#[test]
fn a_ledger_without_a_lock_is_swept_only_where_its_owner_is_known_to_be_gone() {
    let dir = tempfile::tempdir().unwrap();
    let me = Owner::new(false).line();
    let mut fields: Vec<&str> = me.trim_end().split(' ').collect();
    let (living, gone) = (dir.path().join(named()), dir.path().join(named()));
    let living_ledger = unlocked(dir.path(), &me, &living);
    *fields.last_mut().unwrap() = "1";
    let gone_ledger = unlocked(dir.path(), &format!("{}\n", fields.join(" ")), &gone);
    let swept = sweep(&[dir.path().into()], false, PATIENCE);
    assert!(matches!(&swept[..], [(Entry::RunDir(path), Outcome::Removed)] if *path == gone), "{swept:?}");
    assert!(living.exists() && living_ledger.exists() && !gone.exists() && !gone_ledger.exists());
}

#[test]
fn an_ended_ledger_that_lists_something_stays_and_is_not_ended_twice() {
    let dir = tempfile::tempdir().unwrap();
    let mut ledger = Ledger::create_in(dir.path()).unwrap();
    let path = dir.path().join(named());
    ledger.add(entry(path.to_str().unwrap())).unwrap();
    std::fs::create_dir_all(path.join("theirs")).unwrap();
    let left = ledger.finish(Instant::now());
    assert!(
        matches!(&left[..], [(_, left)] if left[..] == [Left { path: path.join("theirs"), why: Why::Foreign }]),
        "{left:?}"
    );
    let file = ledger.path().to_path_buf();
    drop(ledger);
    assert!(file.exists() && path.exists());
}

#[test]
fn every_kind_of_entry_is_read_again_with_the_directory_that_was_made() {
    let object = Object::read("mqueue 5 9 /a queue").unwrap();
    let dir = tempfile::tempdir().unwrap();
    let identity = Made::open(dir.path()).unwrap().identity().unwrap();
    for entry in [
        Entry::RunDir("/run/a b".into()),
        Entry::Partial("/tmp/x".into()),
        Entry::Cgroup("/c".into()),
        Entry::Group("/g h".into()),
        Entry::Object(Lasting::new(object)),
        Entry::Delegated(Delegated::new("/sys/fs/cgroup".into(), "cpu".into())),
    ] {
        assert_eq!(parse(&entry.line('+').unwrap()), [(entry.clone(), None)]);
        let both = entry.line('+').unwrap() + &entry.line('-').unwrap();
        assert_eq!(parse(&both), [], "{both}");
        if !matches!(entry, Entry::Object(_) | Entry::Delegated(_)) {
            let both = entry.line('+').unwrap() + &entry.made(&identity).unwrap();
            assert_eq!(parse(&both), [(entry, Some(identity.clone()))], "{both}");
        }
    }
    // A line that says which one it was, and is not understood, says nothing; nor does one of a later version.
    assert_eq!(parse("+ run_dir /a\n= run_dir /a\n+ planet /b\n"), [(entry("/a"), None)]);
    let known = entry("/a").line('+').unwrap() + &entry("/a").made(&identity).unwrap();
    assert_eq!(parse(&(known + "= run_dir /a\n")), [(entry("/a"), Some(identity))]);
}

#[test]
fn a_group_goes_only_where_it_was_noted_which_one_was_made() {
    let dir = tempfile::tempdir().unwrap();
    let identity = Made::open(dir.path()).unwrap().identity().unwrap();
    let group = Entry::Group(dir.path().join("none"));
    let foreign = Left { path: group.path().into(), why: Why::Foreign };
    assert_eq!(group.remove(None, None, Instant::now()), [foreign]);
    assert_eq!(group.remove(None, Some(&identity), Instant::now()), [], "it is gone already");
}

#[test]
fn what_lasts_is_there_only_in_the_boot_that_it_was_made_in() {
    let gone = Lasting::new(Object::read("shm 1 2 /dev/shm/boxwright-none").unwrap());
    assert!(!Entry::Object(gone.clone()).is_there());
    assert_eq!(Entry::Object(gone).remove(None, None, Instant::now()), []);
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("cgroup.subtree_control"), "cpu memory\n").unwrap();
    for (controller, there) in [("memory", true), ("pids", false)] {
        let what = Delegated::new(dir.path().into(), controller.into());
        assert_eq!(Entry::Delegated(what.clone()).is_there(), there);
        let line = Entry::Delegated(what).line('+').unwrap();
        let boot = line.split(' ').nth(2).unwrap().to_string();
        assert!(!parse(&line.replace(&boot, "1-2"))[0].0.is_there(), "another boot");
    }
}

#[test]
fn a_ledger_holds_what_it_made_and_says_whether_it_is_locked() {
    let dir = tempfile::tempdir().unwrap();
    let mut ledger = Ledger::create_in(dir.path()).unwrap();
    assert!(ledger.is_locked() && ledger.refused().is_empty());
    let [one, other] = [(); 2].map(|()| Entry::RunDir(dir.path().join(named())));
    for entry in [&one, &other] {
        ledger.add(entry.clone()).unwrap();
        std::fs::create_dir(entry.path()).unwrap();
    }
    ledger.made(&one).unwrap();
    assert_eq!(ledger.held(&one).map(|made| made.path().to_path_buf()), Some(one.path().to_path_buf()));
    assert!(ledger.held(&other).is_none());
    std::fs::remove_dir(one.path()).unwrap();
    ledger.forget_what_is_gone();
    assert_eq!(ledger.entries(), std::slice::from_ref(&other));
    ledger.remove(&other).unwrap();
    assert!(!other.path().exists() && ledger.entries().is_empty());
    // One that cannot be removed is told, and stays.
    ledger.add(one.clone()).unwrap();
    std::fs::create_dir_all(one.path().join("theirs")).unwrap();
    ledger.made(&one).unwrap();
    assert!(ledger.remove(&one).is_err());
    assert_eq!(ledger.take_away(&one, Instant::now()).len(), 1);
    assert_eq!(ledger.entries(), [one]);
}

#[test]
fn only_a_private_file_of_ours_is_taken_for_a_ledger() {
    let dir = tempfile::tempdir().unwrap();
    let made = || {
        let path = dir.path().join(named());
        let ledger = abandoned_ledger(dir.path(), &[&path]);
        (path, ledger)
    };
    let (open, open_ledger) = made();
    std::fs::set_permissions(&open_ledger, std::fs::Permissions::from_mode(0o644)).unwrap();
    let (linked, ledger) = made();
    std::fs::rename(&ledger, dir.path().join("elsewhere")).unwrap();
    std::os::unix::fs::symlink(dir.path().join("elsewhere"), &ledger).unwrap();
    std::fs::create_dir(dir.path().join(format!("{}.ledger", named()))).unwrap();
    for path in [&open, &linked] {
        let _ = std::fs::create_dir(path);
    }
    assert!(sweep(&[dir.path().into()], false, PATIENCE).is_empty());
    assert!(open.exists() && linked.exists());
}
