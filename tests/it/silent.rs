//! File systems that do not answer: each command ends in a bounded time, and says which one it is.

use crate::{
    harness::{Test, tests},
    support::{BOXWRIGHT, silent::silent, theirs, tools::text},
};
use std::{
    path::Path,
    process::{Child, Command, Output, Stdio},
};

pub fn tests() -> Vec<Test> {
    tests![
        what_a_session_needs_is_named_at_once: [Root, Fuse, Tool("timeout")],
        what_is_not_needed_holds_nothing_up: [Root, Fuse, Tool("timeout")],
        what_a_container_has_is_unknown_and_the_rest_is_told: [Root, Fuse, Tool("timeout"), Tool("sleep")],
    ]
}

/// This program with a limit, which it must not need; status 137 where it did.
fn limited(arguments: &[&str]) -> Command {
    let mut command = Command::new(theirs("timeout"));
    command.args(["-s", "KILL", "60", BOXWRIGHT]).args(arguments).stdin(Stdio::null());
    command
}

fn beside(point: &str, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = limited(arguments);
    silent(&mut command, Path::new(point));
    let Output { status, stdout, stderr } = command.output().unwrap();
    (status.code(), text(&stdout) + &text(&stderr))
}

/// A process that may be looked at.
fn own() -> String {
    std::process::id().to_string()
}

fn what_a_session_needs_is_named_at_once() {
    // Where all of /proc is silent no program of Rust begins: its library reads /proc/self/maps before.
    for point in ["/proc/sys", "/sys/fs/cgroup", "/tmp"] {
        let own = own();
        for arguments in [&["doctor"][..], &["run", "isolate"], &["inspect", &own], &["clean", "--dry-run"]] {
            let (status, said) = beside(point, arguments);
            assert_eq!(status, Some(3), "{point} {arguments:?}: {said}");
            let expected = format!("{point} (fuse.silent) does not answer");
            assert!(said.contains(&expected) && said.contains(&format!("umount -l {point}")), "{arguments:?}: {said}");
        }
    }
}

fn what_is_not_needed_holds_nothing_up() {
    let elsewhere = tempfile::tempdir().unwrap();
    let point = elsewhere.path().to_str().unwrap();
    let (status, said) = beside(point, &["doctor"]);
    assert_eq!(status, Some(0), "{said}");
    let found = said.lines().find(|line| line.contains("does not answer")).unwrap_or_else(|| panic!("{said}"));
    assert!(found.starts_with("limited") && found.contains(point), "{found}");
    let own = own();
    for arguments in [&["inspect", &own][..], &["run", "isolate/plain-process"], &["clean", "--dry-run"]] {
        let (status, said) = beside(point, arguments);
        assert_eq!(status, Some(0), "{arguments:?}: {said}");
    }
}

/// A process in whose mount namespace something does not answer.
struct Inside(Child);

impl Inside {
    fn new(point: &str) -> Inside {
        let mut command = Command::new(theirs("sleep"));
        command.arg("1000");
        silent(&mut command, Path::new(point));
        Inside(command.spawn().unwrap())
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn what_a_container_has_is_unknown_and_the_rest_is_told() {
    let inside = Inside::new("/proc");
    let pid = inside.0.id().to_string();
    let Output { status, stdout, stderr } = limited(&["inspect", &pid]).output().unwrap();
    let said = text(&stdout) + &text(&stderr);
    assert_eq!(status.code(), Some(0), "{said}");
    assert!(said.contains(&format!("unknown: /proc/{pid}/root/proc does not answer")), "{said}");
    let shown = said.lines().find(|line| line.trim_start().starts_with("/proc shows")).unwrap();
    assert!(shown.ends_with("unknown"), "{shown}");
    assert!(said.contains("fuse.silent"), "its mounts are told: {said}");
    let json = limited(&["inspect", "--json", &pid]).output().unwrap();
    let sample: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(sample["silent"], format!("/proc/{pid}/root/proc"));
    assert_eq!(sample["inside"]["proc_shows_host"], serde_json::Value::Null);
}
