//! Processes that have ended and that nobody has reaped yet (wait(2)).
//!
//! One whose parent has ended becomes a child of ours (PR_SET_CHILD_SUBREAPER), and we reap it. The machine's own first
//! process may take seconds for that, or never do it, as in many containers; until then the first process of a PID
//! namespace that the dead one was a member of cannot end, either (pid_namespaces(7)).

use crate::kernel::{pid::Pid, pidfd};
use nix::{
    errno::Errno,
    sys::{prctl::set_child_subreaper, signal::kill},
};
use std::{
    collections::BTreeSet,
    os::fd::{AsFd, OwnedFd},
};

/// How many are open at a time: each is a descriptor, and a process that never reaps its children may have any number.
const MAX: usize = 64;

/// Makes this process the parent of what its descendants leave behind. Before Linux 3.4 that cannot be had, and the
/// machine's first process stays the one who reaps them.
pub(super) fn adopt() {
    let _ = set_child_subreaper(true);
}

/// Ended processes that were not ours to reap when they ended.
#[derive(Debug, Default)]
pub(super) struct Zombies {
    open: Vec<(Pid, OwnedFd)>,
    /// Those that have to wait until others are gone.
    waiting: BTreeSet<Pid>,
}

impl Zombies {
    /// Takes note of a process whose end the tracer has just been told. One that has been reaped cannot be opened.
    pub(super) fn note(&mut self, pid: Pid) {
        if self.open.len() == MAX {
            self.waiting.insert(pid);
        } else if let Ok(process) = pidfd::open(pid.0) {
            self.open.push((pid, process));
        }
    }

    /// Reaps those that have become ours, and forgets those that their parents have reaped.
    pub(super) fn reap(&mut self) {
        let is_there = |pid: Pid| kill(pid.into(), None) != Err(Errno::ESRCH);
        loop {
            self.open.retain(|(pid, process)| pidfd::reap(process.as_fd()) == Err(Errno::ECHILD) && is_there(*pid));
            if self.open.len() == MAX || self.waiting.is_empty() {
                return;
            }
            for _ in self.open.len()..MAX {
                let Some(pid) = self.waiting.pop_first() else { break };
                self.note(pid);
            }
        }
    }
}
