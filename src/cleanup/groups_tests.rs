use super::*;
use crate::session::fresh_name;
use std::{fs, os::unix::fs::symlink, process::Command};

/// A new group of the session's pattern in a version 1 hierarchy; `None`, with the reason, where there can be none.
fn group(controller: &str) -> Option<PathBuf> {
    let group = Path::new("/sys/fs/cgroup").join(controller).join(fresh_name().unwrap());
    match fs::create_dir(&group) {
        Ok(()) => Some(group),
        Err(error) => {
            eprintln!("skipped: needs root and a version 1 hierarchy of {controller} that can be written: {error}");
            None
        }
    }
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
            new && process::read(pid.0).is_some_and(|process| process.comm == "sleep")
        };
        if let Some(pid) = members.lines().filter_map(|line| line.parse().ok().map(Pid)).find(sleeps) {
            return pid;
        }
        assert!(Instant::now() < deadline, "nobody joined");
        poll(&mut [], PollTimeout::from(10u8)).unwrap();
    }
}

fn alive(pid: Pid) -> bool {
    process::read(pid.0).is_some_and(|process| process.state != 'Z')
}

/// Ends a process that is not our child.
struct Ends(Pid);

impl Drop for Ends {
    fn drop(&mut self) {
        let _ = kill(self.0.into(), Signal::SIGKILL);
    }
}

#[test]
fn a_shell_of_another_window_is_moved_up_and_the_sessions_own_processes_are_killed() {
    let Some(group) = group("pids") else { return };
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

#[test]
fn frozen_processes_end_and_frozen_guests_are_thawed_also_below() {
    let Some(group) = group("freezer") else { return };
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

#[test]
fn a_frozen_process_is_released_and_nobody_else_in_its_group() {
    let Some(group) = group("freezer") else { return };
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

#[test]
fn a_group_is_reached_through_links_above_it_and_is_none_itself() {
    let Some(group) = group("pids") else { return };
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

#[test]
fn a_plain_directory_is_no_group() {
    let top = tempfile::tempdir().unwrap();
    let dir = top.path().join("boxwright-0-000000000000");
    fs::create_dir(&dir).unwrap();
    assert_eq!(remove(&dir, soon()), [Left { path: dir.clone(), why: Why::Replaced }]);
    assert!(dir.exists());
}

#[test]
fn another_group_that_is_mounted_on_it_is_left_alone() {
    use nix::{
        mount::{MsFlags, mount},
        sched::{CloneFlags, unshare},
    };
    let (Some(own), Some(victim)) = (group("pids"), group("pids")) else { return };
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
