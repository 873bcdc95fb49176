//! What a killed owner leaves is found and removed by the next `boxwright clean`, and nothing else is.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers outside #[test] functions are tests too")]

use boxwright::session::{Entry, Ledger, RunDir, fresh_name};
use std::io::{BufRead, BufReader};
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

fn clean(home: &Path, args: &[&str]) -> String {
    let output = Command::new(BOXWRIGHT).arg("clean").args(args).env("HOME", home).env("LC_ALL", "C").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
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
