//! What the kernel decides when something is removed: mounts, attributes, and control groups with what is in them.

use crate::harness::{Test, tests};
use boxwright::{
    cleanup::{
        Left, Why,
        groups::{remove, stayed},
        tree::empty,
    },
    kernel::{freezer::Freezers, pid::Pid, process},
    session::{
        Entry, Ledger, fresh_name,
        ledger::{Outcome, sweep},
    },
};
use nix::{
    errno::Errno,
    mount::{MsFlags, mount, umount},
    poll::{PollTimeout, poll},
    sched::{CloneFlags, unshare},
    sys::signal::{Signal, kill},
};
use std::{
    fs,
    os::{
        fd::OwnedFd,
        unix::fs::{PermissionsExt, symlink},
    },
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

pub fn tests() -> Vec<Test> {
    let tests = tests![
        what_is_mounted_is_named_and_left_and_the_rest_goes: [Root],
        what_is_mounted_on_a_killed_sessions_directory_is_named_and_left: [Root],
        an_immutable_file_is_named_with_its_remedy_and_the_rest_goes: [Root, Tool("chattr")],
        a_read_only_file_system_is_told_once_for_many_files: [Root],
        a_shell_of_another_window_is_moved_up_and_the_sessions_own_processes_are_killed: [Root, Controller("pids")],
        frozen_processes_end_and_frozen_guests_are_thawed_also_below: [Root, Controller("freezer")],
        a_frozen_process_is_released_and_no_other_in_its_group: [Root, Controller("freezer")],
        a_group_is_reached_through_links_above_it_and_is_none_itself: [Root, Controller("pids")],
        another_group_that_is_mounted_on_it_is_left_alone: [Root, Controller("pids")],
    ];
    // A tracer makes its process the parent of orphans, and what descends from this process is ours to kill.
    tests.into_iter().map(|test| test.alone().in_its_own_process()).collect()
}

fn open_dir(path: &Path) -> OwnedFd {
    fs::File::open(path).unwrap().into()
}

/// Runs it in a thread with a mount namespace of its own, which ends with the thread.
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

fn what_is_mounted_is_named_and_left_and_the_rest_goes() {
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

/// What stays of the directory of a session that was killed.
fn swept(state: &Path) -> Vec<Left> {
    let outcome = sweep(&[state.into()], false, Duration::from_secs(1)).pop().unwrap().1;
    match outcome {
        Outcome::Left(left) => left,
        Outcome::Removed => Vec::new(),
        other => panic!("{other:?}"),
    }
}

fn what_is_mounted_on_a_killed_sessions_directory_is_named_and_left() {
    apart(|| {
        let top = tempfile::tempdir().unwrap();
        let (state, precious) = (top.path().join("state"), top.path().join("precious"));
        let run_dir = top.path().join(fresh_name().unwrap());
        for dir in [&state, &precious, &run_dir] {
            fs::create_dir(dir).unwrap();
        }
        fs::write(precious.join("thesis"), "x").unwrap();
        // The ledger of a killed session is one without a lock.
        let entry = Entry::RunDir(run_dir.clone());
        let mut ledger = Ledger::create_in(&state).unwrap();
        ledger.add(entry.clone()).unwrap();
        ledger.made(&entry).unwrap();
        let text = fs::read(ledger.path()).unwrap();
        ledger.forget(&entry).unwrap();
        drop(ledger);
        let killed = state.join(format!("{}.ledger", fresh_name().unwrap()));
        fs::write(&killed, text).unwrap();
        fs::set_permissions(&killed, fs::Permissions::from_mode(0o600)).unwrap();
        fs::create_dir_all(run_dir.join("work/mnt")).unwrap();
        fs::write(run_dir.join("work/file"), "x").unwrap();

        for on in [run_dir.clone(), run_dir.join("work"), run_dir.join("work/mnt")] {
            bind(&precious, &on);
            let left = swept(&state);
            assert!(matches!(&left[..], [Left { path, why: Why::Mounted(_) }] if *path == on), "{on:?} {left:?}");
            assert!(precious.join("thesis").exists() && killed.exists());
            umount(&on).unwrap();
        }
        assert!(!run_dir.join("work/file").exists(), "the rest is gone");
        // The directory itself, mounted on itself, has the same device and inode.
        bind(&run_dir, &run_dir);
        assert!(matches!(&swept(&state)[..], [Left { why: Why::Mounted(_), .. }]));
        umount(&run_dir).unwrap();
        assert_eq!(swept(&state), []);
        assert!(!run_dir.exists() && !killed.exists());
    });
}

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
    assert!(chattr("+i", &locked) && chattr("+a", &grow));
    let left = empty(open_dir(top.path()), top.path());
    assert!(chattr("-i", &locked) && chattr("-a", &grow));
    let expected = [Left { path: locked, why: Why::Immutable }, Left { path: grow, why: Why::AppendOnly }];
    assert!(left.len() == 2 && expected.iter().all(|one| left.contains(one)), "{left:?}");
    assert!(!top.path().join("keep/free").exists() && !top.path().join("go").exists());
}

fn a_read_only_file_system_is_told_once_for_many_files() {
    apart(|| {
        let top = tempfile::tempdir().unwrap();
        mount(Some("boxtest"), top.path(), Some("tmpfs"), MsFlags::empty(), None::<&str>).unwrap();
        (0..100).for_each(|number| fs::write(top.path().join(number.to_string()), "").unwrap());
        let flags = MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY;
        mount(None::<&str>, top.path(), None::<&str>, flags, None::<&str>).unwrap();
        let left = empty(open_dir(top.path()), top.path());
        assert!(left.len() < 20, "{left:?}");
        assert_eq!(left[0].why, Why::Call("unlink", Errno::EROFS));
        assert_eq!(left.last().unwrap().why, Why::More(100 - (left.len() - 1)));
    });
}

/// A new group of the session's pattern in a version 1 hierarchy.
fn group(controller: &str) -> PathBuf {
    let group = Path::new("/sys/fs/cgroup").join(controller).join(fresh_name().unwrap());
    fs::create_dir(&group).unwrap();
    group
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(5)
}

/// A process that waits, in a group, and does not descend from this one; with this variable in its environment.
fn stranger(group: &Path, variable: &str) -> Pid {
    let known = fs::read_to_string(group.join("cgroup.procs")).unwrap();
    let line = format!(
        "{variable} setsid sh -c 'echo $$ > {}/cgroup.procs; exec sleep 300' > /dev/null 2>&1 & echo",
        group.display()
    );
    Command::new("sh").args(["-c", &line]).status().unwrap();
    let deadline = soon();
    loop {
        let members = fs::read_to_string(group.join("cgroup.procs")).unwrap();
        let sleeps = |pid: &Pid| {
            let new = known.lines().all(|line| line != pid.to_string());
            new && process::read(*pid).is_some_and(|process| process.comm == "sleep")
        };
        if let Some(pid) = members.lines().filter_map(|line| line.parse().ok()).find(sleeps) {
            return pid;
        }
        assert!(Instant::now() < deadline, "none joined");
        poll(&mut [], PollTimeout::from(10u8)).unwrap();
    }
}

fn alive(pid: Pid) -> bool {
    process::read(pid).is_some_and(|process| process.state != 'Z')
}

/// Ends a process that is not our child.
struct Ends(Pid);

impl Drop for Ends {
    fn drop(&mut self) {
        let _ = kill(self.0.into(), Signal::SIGKILL);
    }
}

fn a_shell_of_another_window_is_moved_up_and_the_sessions_own_processes_are_killed() {
    let group = group("pids");
    let below = group.join("below");
    fs::create_dir(&below).unwrap();
    let guest = Ends(stranger(&below, "BOX=guest"));
    let run = format!("BOXWRIGHT_RUN=/run/{}", group.file_name().unwrap().display());
    let own = Ends(stranger(&group, &run));
    // Another session's process is a guest in this one.
    let other = Ends(stranger(&group, "BOXWRIGHT_RUN=/run/boxwright-0-000000000000"));
    assert_eq!(remove(&group, soon()), []);
    assert!(!group.exists());
    assert!(alive(guest.0) && alive(other.0) && !alive(own.0));
    let groups = fs::read_to_string(format!("/proc/{}/cgroup", guest.0)).unwrap();
    assert!(groups.lines().any(|line| line.ends_with(":pids:/")), "{groups}");
}

fn frozen_processes_end_and_frozen_guests_are_thawed_also_below() {
    let group = group("freezer");
    let below = group.join("below");
    fs::create_dir(&below).unwrap();
    let guest = Ends(stranger(&below, "BOX=guest"));
    let run = format!("BOXWRIGHT_RUN=/run/{}", group.file_name().unwrap().display());
    let own = Ends(stranger(&below, &run));
    fs::write(below.join("freezer.state"), "FROZEN").unwrap();
    fs::write(group.join("freezer.state"), "FROZEN").unwrap();
    assert_eq!(remove(&group, soon()), []);
    assert!(!group.exists() && alive(guest.0) && !alive(own.0));
}

fn a_frozen_process_is_released_and_no_other_in_its_group() {
    let group = group("freezer");
    let (one, other) = (Ends(stranger(&group, "A=1")), Ends(stranger(&group, "A=2")));
    fs::write(group.join("freezer.state"), "FROZEN").unwrap();
    let freezers = Freezers::read();
    assert_eq!(freezers.frozen(one.0).as_deref(), Some(&*group));
    let named = stayed([one.0]);
    assert_eq!(named[0].frozen.as_deref(), Some(&*group));
    freezers.release(one.0);
    assert_eq!(freezers.frozen(one.0), None);
    assert_eq!(freezers.frozen(other.0).as_deref(), Some(&*group));
    assert_eq!(remove(&group, soon()), []);
}

fn a_group_is_reached_through_links_above_it_and_is_none_itself() {
    let group = group("pids");
    let top = tempfile::tempdir().unwrap();
    let (hierarchy, link) = (top.path().join("pids"), top.path().join("link"));
    symlink("/sys/fs/cgroup/pids", &hierarchy).unwrap();
    symlink(&group, &link).unwrap();
    assert_eq!(remove(&link, soon()), [Left { path: link.clone(), why: Why::Replaced }]);
    assert!(group.exists());
    assert_eq!(remove(&hierarchy.join(group.file_name().unwrap()), soon()), []);
    assert!(!group.exists());
    assert_eq!(remove(&group, soon()), [], "what is gone is no failure");
}

fn another_group_that_is_mounted_on_it_is_left_alone() {
    let (own, victim) = (group("pids"), group("pids"));
    let guest = Ends(stranger(&victim, &format!("BOXWRIGHT_RUN=/run/{}", own.file_name().unwrap().display())));
    let (on, from) = (own.clone(), victim.clone());
    let left = std::thread::spawn(move || {
        unshare(CloneFlags::CLONE_FS | CloneFlags::CLONE_NEWNS).unwrap();
        mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None::<&str>).unwrap();
        mount(Some(&from), &on, None::<&str>, MsFlags::MS_BIND, None::<&str>).unwrap();
        remove(&on, soon())
    });
    let left = left.join().unwrap();
    assert!(matches!(&left[..], [Left { path, why: Why::Mounted(_) }] if *path == own), "{left:?}");
    assert!(alive(guest.0) && victim.exists());
    drop(guest);
    let cleaned = [remove(&own, soon()), remove(&victim, soon())].concat();
    assert_eq!(cleaned, []);
}
