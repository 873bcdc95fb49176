//! `boxwright doctor --fix`: makes the one thing right that a container can make right by itself.
//!
//! In version 2 a group with processes hands no controller down, and a container begins with all of its processes in the
//! group that it sees as the top. The docker-in-docker image therefore moves them into a group below when it starts; here
//! that is done on request. On a machine that is not a container those processes are not ours, and stay.

use super::facts::Facts;
use crate::{
    kernel::{
        availability::{Unavailable, available},
        errno, groups,
    },
    lang::Lang,
};
use nix::errno::Errno;
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// The group below, by the name that docker-in-docker gave it.
pub(super) const GROUP: &str = "init";

/// A process made while others are moved is moved in the next round; one made after the last round is left.
const ROUNDS: usize = 16;

/// The group in whose way its own processes are, where it is this container's to put that right.
fn blocked(facts: &Facts) -> Option<PathBuf> {
    let container = facts.container.is_some() && !facts.systemd;
    ["cpu", "memory", "pids"].into_iter().filter(|_| container).find_map(|name| match available(name) {
        Err(Unavailable::Occupied(dir, _)) => Some(dir),
        _ => None,
    })
}

/// Moves them. One line for each thing that was done, or the error with what was tried.
pub(super) fn fix(facts: &Facts, lang: Lang) -> Result<Vec<String>, String> {
    let Some(dir) = blocked(facts) else {
        return Ok(vec![
            lang.pick("boxwright can repair nothing here by itself.", "没有 boxwright 能自己修好的问题。").into(),
        ]);
    };
    let below = dir.join(GROUP);
    let moved = move_all(&dir, &below)?;
    let (from, to) = (dir.display(), below.display());
    Ok(vec![lang.pick(
        format!("{moved} processes were moved from {from} to {to}."),
        format!("已把 {moved} 个进程从 {from} 移到 {to}。"),
    )])
}

/// Moves every process of a group to a group below, which is made if need be; how many.
fn move_all(dir: &Path, below: &Path) -> Result<usize, String> {
    let told = |what: &Path, why: String| format!("{}: {why}", what.display());
    match fs::create_dir(below) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(told(below, errno::why_io(&error))),
        _ => {}
    }
    let (from, to) = (dir.join("cgroup.procs"), below.join("cgroup.procs"));
    let mut moved = 0;
    for _ in 0..ROUNDS {
        let pids: Vec<String> = groups::listed(&from).collect();
        if pids.is_empty() {
            return Ok(moved);
        }
        // 0 stands for a process of another PID namespace, and written for the process that writes.
        let pids: Vec<String> = pids.into_iter().filter(|pid| pid != "0").collect();
        if pids.is_empty() {
            break;
        }
        for pid in &pids {
            match groups::write(&to, pid) {
                Ok(()) => moved += 1,
                // It has ended meanwhile, or has no number here; the next round shows which.
                Err(Errno::ESRCH | Errno::EINVAL) => {}
                Err(errno) => return Err(told(&to, errno::why(errno))),
            }
        }
    }
    Err(told(dir, groups::members(dir).join(", ")))
}
