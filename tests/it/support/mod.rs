//! What several tests need: the built program, what the machine looks like, and what a session has left.

pub mod background;
pub mod client;
pub mod deny;
pub mod distribution;
pub mod layer;
pub mod learner;
pub mod registry;
mod registry_plan;
mod registry_store;
pub mod rows;
pub mod silent;
pub mod tmux;
pub mod tools;
pub mod traced;
pub mod tree;
pub mod words;

use crate::{
    harness::declared,
    needs::{Need, program},
};
use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::PathBuf,
    process::Command,
};

/// The program under test.
pub const BOXWRIGHT: &str = env!("CARGO_BIN_EXE_boxwright");

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
    // Routes and rules of the machine's own network; the numbers that count up are left out.
    for line in read("/proc/net/route").lines().chain(read("/proc/net/ipv6_route").lines()) {
        facts.insert(format!("route {}", line.split_whitespace().take(4).collect::<Vec<_>>().join(" ")));
    }
    facts.insert(format!("forwarding {}", read("/proc/sys/net/ipv4/ip_forward").trim()));
    let rules = Command::new("nft").args(["-s", "list", "ruleset"]).output();
    facts.extend(rules.map(|rules| format!("nft {}", String::from_utf8_lossy(&rules.stdout).trim())));
    for kind in ["msg", "sem", "shm"] {
        for line in read(&format!("/proc/sysvipc/{kind}")).lines().skip(1) {
            let id: Vec<&str> = line.split_whitespace().take(2).collect();
            facts.insert(format!("sysv {kind} {}", id.join(" ")));
        }
    }
    facts
}

/// The name of the session whose processes descend from this one.
pub fn session_of(pid: i32) -> Option<String> {
    let children = fs::read_dir(format!("/proc/{pid}/task"))
        .ok()?
        .flatten()
        .filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    let children: Vec<i32> = children
        .flat_map(|list| list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>())
        .collect();
    children.into_iter().find_map(|child| {
        let environment = fs::read(format!("/proc/{child}/environ")).ok()?;
        let mut variables = environment.split(|byte| *byte == 0);
        let name = variables.find_map(|variable| variable.strip_prefix(b"BOX="))?;
        String::from_utf8(name.to_vec()).ok()
    })
}

/// The processes of the session of this name.
pub fn processes_of(session: &str) -> Vec<i32> {
    left_of(session).iter().filter_map(|what| what.strip_prefix("process ")?.split(' ').next()?.parse().ok()).collect()
}

/// Waits until the process of this pidfd has ended.
pub fn wait_for_the_end(process: &impl std::os::fd::AsFd) {
    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
    let mut fds = [PollFd::new(process.as_fd(), PollFlags::POLLIN)];
    assert_eq!(poll(&mut fds, PollTimeout::from(30_000_u16)), Ok(1), "a process outlives its session");
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
    for base in boxwright::dirs::everywhere() {
        let path = base.join(session);
        left.extend(path.exists().then(|| path.display().to_string()));
    }
    for point in cgroup_mounts() {
        // Of any name that begins so.
        let groups = fs::read_dir(&point).into_iter().flatten().flatten().map(|group| group.path());
        let its = |group: &PathBuf| group.file_name().is_some_and(|name| name.to_string_lossy().starts_with(session));
        left.extend(groups.filter(its).map(|group| group.display().to_string()));
    }
    left
}

fn cgroup_mounts() -> Vec<String> {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let fields = mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    fields.filter(|fields| fields[2].starts_with("cgroup")).map(|fields| fields[1].to_string()).collect()
}

/// Our tools under their own names, as a learner's PATH has them.
pub fn ours() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    boxwright::tools::TOOLS.iter().for_each(|tool| symlink(BOXWRIGHT, dir.path().join(tool.name)).unwrap());
    // A test that becomes another user must still reach them.
    fs::set_permissions(dir.path(), PermissionsExt::from_mode(0o755)).unwrap();
    dir
}

/// A copy of the program that every user can reach and start, in a directory of its own: the built one may lie below a
/// home that is closed to others, and `/tmp` may be mounted so that nothing starts there.
pub fn for_everybody() -> (tempfile::TempDir, PathBuf) {
    use nix::sys::statvfs::{FsFlags, statvfs};
    let starts = |base: &&str| statvfs(*base).is_ok_and(|fs| !fs.flags().contains(FsFlags::ST_NOEXEC));
    let base = ["/tmp", "/var/tmp", "/run"].into_iter().find(starts).unwrap_or("/tmp");
    let dir = tempfile::tempdir_in(base).unwrap();
    fs::set_permissions(dir.path(), PermissionsExt::from_mode(0o755)).unwrap();
    let program = dir.path().join("boxwright");
    fs::copy(BOXWRIGHT, &program).unwrap();
    (dir, program)
}

/// The distribution's tool, which the test has declared.
#[track_caller]
pub fn theirs(tool: &'static str) -> PathBuf {
    declared(&Need::Tool(tool));
    program(tool).unwrap_or_else(|| panic!("{tool} is not installed"))
}
