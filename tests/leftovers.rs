//! What a killed owner leaves is found and removed by the next `boxwright clean`, and nothing else is.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers outside #[test] functions are tests too")]

use boxwright::session::{Entry, HandedDown, Ledger, RunDir, fresh_name};
use std::fs;
use std::fs::Permissions;
use std::io::{BufRead, BufReader};
use std::os::unix::{fs::PermissionsExt, process::CommandExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const BOXWRIGHT: &str = env!("CARGO_BIN_EXE_boxwright");
const GROUPS: &str = "/sys/fs/cgroup/pids";

/// Not a test by itself: the process that the test below kills. It makes everything and then waits for ever.
#[test]
fn owner() {
    if std::env::var_os("BOXWRIGHT_TEST_OWNER").is_none() {
        return;
    }
    let mut ledger = Ledger::create().unwrap();
    let run_dir = RunDir::create(&mut ledger, Path::new(BOXWRIGHT), &["ps", "ip"]).unwrap();
    let group = Path::new(GROUPS).join(fresh_name().unwrap());
    ledger.add(Entry::Cgroup(group.clone())).unwrap();
    let group = std::fs::create_dir(&group).map_or("-".into(), |()| group.display().to_string());
    println!("made {} {group}", run_dir.path().display());
    std::thread::park();
}

fn clean_to(status: i32, home: &Path, args: &[&str]) -> String {
    let mut command = Command::new(BOXWRIGHT);
    command.arg("clean").args(args).env("HOME", home).env("LC_ALL", "C").env_remove("XDG_STATE_HOME");
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(status), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn clean(home: &Path, args: &[&str]) -> String {
    clean_to(0, home, args)
}

#[test]
fn the_next_start_removes_what_a_killed_owner_left() {
    let home = tempfile::tempdir().unwrap();
    let mut owner = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "owner", "--nocapture"])
        .env("BOXWRIGHT_TEST_OWNER", "1")
        .env("HOME", home.path())
        .env_remove("XDG_STATE_HOME")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(owner.stdout.take().unwrap()).lines();
    let made = lines.map_while(Result::ok).find_map(|line| Some(line.split_once("made ")?.1.to_string())).unwrap();
    let (run_dir, group) = made.split_once(' ').unwrap();
    let run_dir = PathBuf::from(run_dir);

    assert!(!clean(home.path(), &[]).contains(&made), "a living owner's things are left alone");
    assert!(run_dir.join("bin/ps").is_symlink());

    owner.kill().unwrap();
    owner.wait().unwrap();
    assert!(run_dir.exists(), "the kernel does not remove it");
    let listed = clean(home.path(), &["--dry-run"]);
    assert!(listed.contains(&format!("would remove run directory {}", run_dir.display())), "{listed}");
    assert!(run_dir.exists());

    let removed = clean(home.path(), &[]);
    assert!(removed.contains(&format!("removed run directory {}", run_dir.display())), "{removed}");
    assert!(!run_dir.exists());
    if group == "-" {
        eprintln!("skipped: no control group can be made here");
    } else {
        assert!(removed.contains(&format!("removed control group {group}")), "{removed}");
        assert!(!Path::new(group).exists());
    }
    assert_eq!(clean(home.path(), &[]), "Nothing is left of earlier sessions.\n");
    assert!(std::fs::read_dir(home.path().join(".local/state/boxwright")).unwrap().next().is_none());
}

#[test]
fn the_doctor_needs_no_terminal_and_leaves_nothing() {
    let home = tempfile::tempdir().unwrap();
    let output = Command::new(BOXWRIGHT).args(["doctor", "--json"]).env("HOME", home.path()).output().unwrap();
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let lessons = report["lessons"].as_array().unwrap();
    let all = lessons.iter().all(|lesson| lesson["possible"] == true);
    assert_eq!(output.status.code(), Some(if all { 0 } else { 3 }));
    for row in report["rows"].as_array().unwrap() {
        assert_eq!(row["level"] == "ok", row["remedy"].is_null(), "{row}");
    }
    assert!(std::fs::read_dir(home.path().join(".local/state/boxwright")).is_ok_and(|mut left| left.next().is_none()));
}

/// A controller that this test enabled at the top of a version 2 tree, and a group below that uses it. Both go at the end.
struct InUse {
    top: PathBuf,
    controller: String,
    user: PathBuf,
}

impl InUse {
    /// Takes a controller that nobody has enabled.
    fn new() -> Option<InUse> {
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
        let top = mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>()).find(|mount| mount[2] == "cgroup2")?;
        let top = PathBuf::from(top[1]);
        let words = |name: &str| fs::read_to_string(top.join(name)).unwrap_or_default();
        let enabled = words("cgroup.subtree_control");
        let free = |name: &&str| enabled.split_whitespace().all(|known| known != *name);
        let controller = words("cgroup.controllers").split_whitespace().find(free)?.to_string();
        fs::write(top.join("cgroup.subtree_control"), format!("+{controller}")).ok()?;
        let user = top.join(format!("in-use-{}", std::process::id()));
        let in_use = InUse { top, controller, user };
        fs::create_dir(&in_use.user).unwrap();
        fs::write(in_use.user.join("cgroup.subtree_control"), format!("+{}", in_use.controller)).unwrap();
        Some(in_use)
    }

    fn enabled(&self) -> bool {
        let enabled = fs::read_to_string(self.top.join("cgroup.subtree_control")).unwrap();
        enabled.split_whitespace().any(|name| name == self.controller)
    }
}

impl Drop for InUse {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.user);
        let _ = fs::write(self.top.join("cgroup.subtree_control"), format!("-{}", self.controller));
    }
}

#[test]
fn a_controller_that_others_use_by_now_is_listed_and_taken_back_later() {
    let Some(in_use) = InUse::new() else {
        return eprintln!("skipped: needs root and a version 2 tree with a controller that is not enabled");
    };
    let home = tempfile::tempdir().unwrap();
    let state = home.path().join(".local/state/boxwright");
    fs::create_dir_all(&state).unwrap();
    let mut ledger = Ledger::create_in(&state).unwrap();
    ledger.add(Entry::HandedDown(HandedDown::new(in_use.top.clone(), in_use.controller.clone()))).unwrap();
    // The session ends, and the kernel says EBUSY.
    drop(ledger);
    assert!(in_use.enabled());
    let (file, name) = (in_use.top.join("cgroup.subtree_control"), in_use.controller.as_str());
    let change = format!("-{name} {}", file.display());
    assert_eq!(clean(home.path(), &["--dry-run"]), format!("would take back {change}\n"));
    let refused = clean_to(1, home.path(), &[]);
    let user = in_use.user.display().to_string();
    for part in [
        &format!("cannot take back {name}: Device or resource busy (EBUSY)"),
        &user,
        &format!("echo -{name} > {}", file.display()),
    ] {
        assert!(refused.contains(part.as_str()), "{part}: {refused}");
    }
    assert!(in_use.enabled());

    fs::remove_dir(&in_use.user).unwrap();
    assert_eq!(clean(home.path(), &[]), format!("took back {change}\n"));
    assert!(!in_use.enabled());
    assert_eq!(clean(home.path(), &[]), "Nothing is left of earlier sessions.\n");
}

#[test]
fn what_a_user_has_made_unreadable_goes_as_well() {
    let home = tempfile::tempdir().unwrap();
    let nobody = 65534;
    let name = format!("boxwright-{nobody}-0123456789ab");
    let (state, run_dir) = (home.path().join(".local/state/boxwright"), home.path().join(&name));
    let locked = run_dir.join("work/locked");
    for dir in [&state, &locked.join("below")] {
        fs::create_dir_all(dir).unwrap();
    }
    fs::write(locked.join("file"), "x").unwrap();
    let ledger = state.join(format!("{name}.ledger"));
    fs::write(&ledger, format!("boxwright ledger 1\n+ run_dir {}\n", run_dir.display())).unwrap();
    fs::set_permissions(&ledger, Permissions::from_mode(0o600)).unwrap();
    fs::set_permissions(&locked, Permissions::from_mode(0o000)).unwrap();
    if !Command::new("chown").arg("-R").arg(nobody.to_string()).arg(home.path()).status().unwrap().success() {
        return eprintln!("skipped: needs root");
    }
    let mut command = Command::new(BOXWRIGHT);
    command.arg("clean").uid(nobody).gid(nobody).env("HOME", home.path()).env_remove("XDG_STATE_HOME");
    let output = command.env("LC_ALL", "C").output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), format!("removed run directory {}\n", run_dir.display()));
    assert!(!run_dir.exists() && !ledger.exists());
}
