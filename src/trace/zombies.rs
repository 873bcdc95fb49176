//! Processes that have ended and are not reaped yet (wait(2)).
//!
//! One whose parent has ended becomes a child of ours (PR_SET_CHILD_SUBREAPER), and we reap it. The machine's own first
//! process may take seconds for that, or never do it, as in many containers; until then the first process of a PID
//! namespace that the dead one was a member of cannot end, either (pid_namespaces(7)). A process that adopts must reap:
//! when the last tracer has ended, the machine's first process is the one again.

use crate::kernel::{pid::Pid, pidfd};
use nix::{
    errno::Errno,
    sys::{prctl::set_child_subreaper, signal::kill},
};
use std::{
    collections::BTreeSet,
    mem::replace,
    os::fd::{AsFd, OwnedFd},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// How many are open at a time: each is a descriptor, and a process that never reaps its children may have any number.
const MAX: usize = 64;

/// How many tracers of this process make it the parent of what their processes leave behind.
static ADOPTING: Mutex<usize> = Mutex::new(0);

/// Ended processes that were not ours to reap when they ended.
#[derive(Debug, Default)]
pub(super) struct Zombies {
    adopting: bool,
    open: Vec<(Pid, OwnedFd)>,
    /// Those that have to wait until others are gone.
    waiting: BTreeSet<Pid>,
}

impl Zombies {
    /// Makes this process the parent of what its descendants leave behind, as long as a tracer reaps it. Before Linux
    /// 3.4 that cannot be had, and the machine's first process stays the one who reaps them.
    pub(super) fn adopt(&mut self) {
        if !replace(&mut self.adopting, true) {
            *count() += 1;
            let _ = set_child_subreaper(true);
        }
    }

    /// Takes note of a process whose end the tracer has just been told. One that has been reaped cannot be opened.
    pub(super) fn note(&mut self, pid: Pid) {
        if self.open.len() == MAX {
            self.waiting.insert(pid);
        } else if let Ok(process) = pidfd::open(pid) {
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

impl Drop for Zombies {
    fn drop(&mut self) {
        if self.adopting {
            let mut tracers = count();
            *tracers -= 1;
            if *tracers == 0 {
                let _ = set_child_subreaper(false);
            }
        }
    }
}

fn count() -> MutexGuard<'static, usize> {
    ADOPTING.lock().unwrap_or_else(PoisonError::into_inner)
}
