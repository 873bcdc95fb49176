//! What several tests need: the built program, what the machine looks like, and what a session has left.

#![allow(dead_code, clippy::unwrap_used, clippy::panic, reason = "every test binary uses a part of this")]

use std::{collections::BTreeSet, fs, path::Path};

/// The program under test.
pub const BOXWRIGHT: &str = env!("CARGO_BIN_EXE_boxwright");

/// Says why a test is skipped where we are not root; true where it is.
pub fn not_root(test: &str) -> bool {
    let root = nix::unistd::geteuid().is_root();
    if !root {
        eprintln!("skipped: {test}: needs root");
    }
    !root
}

/// What a session must leave as it was: host name, mounts with their propagation, interfaces, System V objects, and the
/// control groups and limits of the whole machine apart from those of sessions (which have their own check).
pub fn host() -> BTreeSet<String> {
    let mut facts = BTreeSet::new();
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    facts.insert(format!("hostname {}", read("/proc/sys/kernel/hostname").trim()));
    for line in read("/proc/self/mountinfo").lines() {
        // Without the IDs, which the kernel counts up: parent and own.
        let fields: Vec<&str> = line.split(' ').skip(2).collect();
        facts.insert(format!("mount {}", fields.join(" ")));
    }
    for link in fs::read_dir("/sys/class/net").into_iter().flatten().flatten() {
        let flags = fs::read_to_string(link.path().join("flags")).unwrap_or_default();
        facts.insert(format!("link {} {}", link.file_name().display(), flags.trim()));
    }
    for kind in ["msg", "sem", "shm"] {
        for line in read(&format!("/proc/sysvipc/{kind}")).lines().skip(1) {
            let id: Vec<&str> = line.split_whitespace().take(2).collect();
            facts.insert(format!("sysv {kind} {}", id.join(" ")));
        }
    }
    facts
}

/// What is left of the session of this name: its processes, run directory, control groups, ledger.
pub fn left_of(session: &str) -> Vec<String> {
    let mut left = Vec::new();
    let marked = format!("BOX={session}\0");
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else { continue };
        let environment = fs::read(entry.path().join("environ")).unwrap_or_default();
        if environment.windows(marked.len()).any(|part| part == marked.as_bytes()) {
            let name = fs::read_to_string(entry.path().join("comm")).unwrap_or_default();
            left.push(format!("process {pid} {}", name.trim()));
        }
    }
    for base in ["/run", "/tmp"] {
        let path = Path::new(base).join(session);
        left.extend(path.exists().then(|| path.display().to_string()));
    }
    for point in cgroup_mounts() {
        let path = Path::new(&point).join(session);
        left.extend(path.exists().then(|| path.display().to_string()));
    }
    left
}

fn cgroup_mounts() -> Vec<String> {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let fields = mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    fields.filter(|fields| fields[2].starts_with("cgroup")).map(|fields| fields[1].to_string()).collect()
}
