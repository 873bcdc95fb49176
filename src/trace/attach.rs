//! A process that runs already: taken, and let go unharmed (ptrace(2), PTRACE_SEIZE and PTRACE_DETACH).

use super::{
    Ended, Root, TraceEvent,
    ptrace_refused::not_attached,
    stop::{Stopped, Why},
    stops::Tracing,
    task::{Family, Task, comm, process_of},
};
use crate::{kernel::pid::Pid, lang::say};
use nix::{
    errno::Errno,
    sys::ptrace::{self, Options},
};
use procfs::process::Process;
use std::{
    io,
    time::{Duration, Instant},
};

/// How long new threads are looked for: a process may make them faster than they can be taken.
const TAKING: Duration = Duration::from_secs(2);

/// As for a command of ours, but these do not die with us.
const OPTIONS: Options = super::orders::OPTIONS.difference(Options::PTRACE_O_EXITKILL);

impl Tracing {
    /// Takes a process with all its threads. Each stops at once, and from then on at every call.
    pub(super) fn attach(&mut self, pid: Pid) -> io::Result<Root> {
        let root = process_of(pid).ok_or(Errno::ESRCH)?;
        ptrace::seize(root.into(), OPTIONS).map_err(|errno| not_attached(root, errno))?;
        self.families
            .insert(root, Family { attached: true, without_filter: true, started: true, ..Family::new(comm(root)) });
        self.taken(root, root);
        // A thread that is made meanwhile is either found here, or made by one that is taken.
        let until = Instant::now() + TAKING;
        while self.take_threads(root) {
            if Instant::now() > until {
                self.let_go(root);
                return Err(io::Error::other(say(
                    "it makes threads faster than they can be taken: not all of them would be traced",
                    "它创建线程的速度比接管还快：总有一些线程跟踪不到",
                )));
            }
        }
        Ok(root)
    }

    /// Takes the threads that there are; whether there was one that had not been.
    fn take_threads(&mut self, root: Root) -> bool {
        let threads = Process::new(root.0).and_then(|process| process.tasks()).into_iter().flatten().flatten();
        let mut found = false;
        for tid in threads.map(|thread| Pid(thread.tid)).filter(|tid| !self.tasks.contains_key(tid)).collect::<Vec<_>>()
        {
            // EPERM: it has been taken already, with the one that made it, whose report is still to come.
            if ptrace::seize(tid.into(), OPTIONS).is_ok() {
                self.taken(root, tid);
                found = true;
            }
        }
        found
    }

    fn taken(&mut self, root: Root, tid: Pid) {
        let _ = ptrace::interrupt(tid.into());
        // It may have such a file open already.
        self.tasks.insert(tid, Task { filtered: true, following: true, ..Task::new(root, tid) });
    }

    /// Lets a family go on alone: each thread as soon as it stands still.
    pub(super) fn let_go(&mut self, root: Root) {
        if let Some(family) = self.families.get_mut(&root) {
            family.leaving = true;
        }
        let of_family: Vec<Pid> =
            self.tasks.iter().filter(|(_, task)| task.root == root).map(|(tid, _)| *tid).collect();
        for tid in of_family {
            match self.tasks.get_mut(&tid).and_then(|task| task.held.take()) {
                Some(stop) => self.leave(stop, None),
                None => drop(ptrace::interrupt(tid.into())),
            }
        }
        let ours = |tid: &Pid| self.tasks.get(tid).is_some_and(|task| task.root == root);
        for tid in self.early.keys().copied().filter(ours).collect::<Vec<_>>() {
            if let Some(stop) = self.early.remove(&tid) {
                self.leave(stop, None);
            }
        }
    }

    /// Whether this thread is to be let go at its next stop.
    pub(super) fn is_leaving(&self, tid: Pid) -> bool {
        let family = self.tasks.get(&tid).and_then(|task| self.families.get(&task.root));
        family.is_some_and(|family| family.leaving)
    }

    /// Lets one thread go, with the signal that it was about to get.
    pub(super) fn leave(&mut self, stop: Stopped, why: Option<Why>) {
        let tid = stop.tid();
        let signal = if let Some(Why::Signal(signal)) = why { Some(signal) } else { None };
        if let Some(Why::Made) = why
            && let Some(child) = stop.message()
        {
            // It stands still as well, and is let go at its own first stop.
            let root = self.tasks.get(&tid).map(|task| task.root);
            if let Some(root) = root {
                self.tasks.entry(child).or_insert_with(|| Task::new(root, child)).unborn = false;
                if let Some(early) = self.early.remove(&child) {
                    self.leave(early, None);
                }
            }
        }
        stop.detach(signal);
        let Some(task) = self.tasks.remove(&tid) else { return };
        if !self.tasks.values().any(|other| other.root == task.root) {
            self.families.remove(&task.root);
            self.tell(TraceEvent::Finished(task.root, Ended::Exited(0)));
        }
    }
}
