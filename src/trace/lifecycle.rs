//! Who belongs to whom: children as they are made, programs that replace threads, newcomers without a maker.

use super::{
    Return, Root, SyscallEvent, TraceEvent, effects,
    launch::ROLE,
    stop::Stopped,
    stops::Tracing,
    task::{Pending, Task, parent_and_session, process_of, seen_by, status},
};
use crate::kernel::pid::Pid;
use nix::sys::{
    ptrace,
    signal::{Signal, kill},
};
use procfs::process::Status;

impl Tracing {
    fn join(&mut self, root: Root, tid: Pid) {
        let task = self.tasks.entry(tid).or_insert_with(|| Task::new(root, tid));
        if self.families.get(&root).is_some_and(|family| family.killing) {
            let _ = kill(task.process.into(), Signal::SIGKILL);
        }
    }

    /// Lets a newcomer go, now or when it has stopped for the first time.
    pub(super) fn begin_life(&mut self, tid: Pid) {
        if let Some(task) = self.tasks.get_mut(&tid) {
            task.unborn = false;
        }
        if let Some(stop) = self.early.remove(&tid) {
            self.resume(stop);
        }
    }

    /// A thread has made another one, or a process. Neither of the two runs now.
    pub(super) fn made(&mut self, stop: &Stopped) {
        let Some(child) = stop.message() else { return };
        let known = self.tasks.contains_key(&child);
        let Some(task) = self.tasks.get_mut(&stop.tid()) else { return };
        let (root, following, filtered) = (task.root, task.following, task.filtered);
        let (mut unborn, mut told) = (false, None);
        // Without a pending call it is a thread, which the filter lets pass.
        if let Some(pending) = task.pending.as_mut().filter(|pending| pending.told) {
            pending.made = true;
            pending.born = effects::born(stop, child, &pending.before);
            // What it does is told after the call that made it. Where the maker stands still until it has started a
            // program or ended, the call is told now; else it waits until the call has returned.
            if pending.call.clone_flags() & libc::CLONE_VFORK as u64 != 0 {
                pending.told = false;
                let returned = Return::Value(seen_by(stop.tid(), child).unwrap_or(child.0).into());
                let (call, changed) = (pending.call.clone(), std::mem::take(&mut pending.born));
                let asked = pending.asked.as_ref().map(|asked| asked.args.clone());
                told = Some(SyscallEvent { call, returned, micros: pending.micros(), changed, asked });
            } else if !known {
                unborn = true;
                pending.child = Some(child);
            }
        }
        if let Some(event) = told {
            self.tell(TraceEvent::Syscall(root, event));
        }
        // It has the same files open.
        self.join(root, child);
        if let Some(newcomer) = self.tasks.get_mut(&child) {
            newcomer.following |= following;
            newcomer.filtered |= filtered;
            newcomer.unborn = unborn;
        }
        match self.stillborn.remove(&child) {
            Some(ended) => self.ended(child, ended),
            None if !unborn => self.begin_life(child),
            None => {}
        }
    }

    /// A program has replaced the one before. Where a thread other than the first did it, it has taken over the first
    /// one's number, and all other threads are gone without a word.
    pub(super) fn replaced(&mut self, stop: &Stopped) {
        let tid = stop.tid();
        self.started(tid);
        if let Some(root) = self.tasks.get(&tid).map(|task| task.root) {
            self.look_at_rights(root, stop);
        }
        let former = stop.message().unwrap_or(tid);
        let mut gone = Vec::new();
        if former != tid
            && let Some(task) = self.tasks.remove(&former)
        {
            gone.extend(self.tasks.insert(tid, Task { process: tid, ..task }).map(|first| (tid, first)));
        }
        let others: Vec<Pid> = self
            .tasks
            .iter()
            .filter(|(known, task)| task.process == tid && **known != tid)
            .map(|(tid, _)| *tid)
            .collect();
        gone.extend(others.into_iter().filter_map(|other| Some((other, self.tasks.remove(&other)?))));
        for (tid, task) in gone {
            if task.held.is_some() {
                self.tell(TraceEvent::Released(task.root, tid));
            }
            if let Some(child) = task.pending.and_then(|pending| pending.child) {
                self.begin_life(child);
            }
        }
    }

    /// The first program of a family makes a stop of the filter before it starts. Where none could be installed, every call
    /// stops from now on.
    fn started(&mut self, tid: Pid) {
        let Some(task) = self.tasks.get(&tid) else { return };
        let (root, stopped) = (task.root, task.pending.as_ref().is_some_and(|pending| !pending.unseen));
        // The launcher may be seized before its own start is quite over; it is not what the filter is for.
        let command = std::fs::read(tid.dir().join("cmdline")).unwrap_or_default();
        if !stopped && command.split(|byte| *byte == 0).nth(1) == Some(ROLE.as_bytes()) {
            return;
        }
        let Some(family) = self.families.get_mut(&root) else { return };
        let first = !std::mem::replace(&mut family.started, true);
        if first {
            let restricted = |status: Option<Status>| status.and_then(|status| status.nonewprivs) == Some(1);
            family.restricted = restricted(status(tid)) && !restricted(status(Pid::own()));
        }
        if first && !stopped {
            family.without_filter = true;
            if let Some(task) = self.tasks.get_mut(&tid) {
                task.filtered = true;
                task.pending.iter_mut().for_each(|pending| pending.unseen = false);
            }
        }
    }

    /// A thread has given itself a filter, and its process where it wanted so. It may answer before ours does.
    pub(super) fn filter(&mut self, tid: Pid) {
        let Some(process) = self.tasks.get(&tid).map(|task| task.process) else { return };
        for (other, task) in self.tasks.iter_mut().filter(|(_, task)| task.process == process && !task.filtered) {
            task.filtered = true;
            if *other != tid {
                let _ = ptrace::interrupt((*other).into());
            }
        }
    }

    /// Every call of this process stops from now on. Its other threads share the file; they learn it at once.
    pub(super) fn follow(&mut self, tid: Pid) {
        let Some(process) = self.tasks.get(&tid).map(|task| task.process) else { return };
        for (other, task) in self.tasks.iter_mut().filter(|(_, task)| task.process == process && !task.following) {
            task.following = true;
            if *other != tid {
                let _ = ptrace::interrupt((*other).into());
            }
        }
    }

    /// A newcomer whose maker was killed before it could report it is known by its process, its parent or its session.
    pub(super) fn take_in_orphans(&mut self) {
        let forks = |task: &Task| task.pending.as_ref().is_some_and(Pending::is_fork_ahead);
        if !self.tasks.values().any(forks) {
            // They are not reported any more, and their numbers may be given to others.
            self.stillborn.clear();
        }
        for tid in self.early.keys().copied().collect::<Vec<_>>() {
            if self.tasks.get(&tid).is_some_and(|task| task.unborn) {
                continue;
            }
            let (parent, session) = parent_and_session(tid).unzip();
            let process = process_of(tid).filter(|process| *process != tid);
            if process.is_some() || self.tasks.values().any(|task| self.may_make_child_of(task, parent)) {
                // The maker's report is on its way; a thread ends with its process.
                continue;
            }
            let known = parent.and_then(|parent| self.tasks.get(&parent)).map(|parent| parent.root);
            let session = session.filter(|session| self.families.contains_key(session));
            if let Some(root) = known.or(session).or_else(|| self.families.keys().next().copied()) {
                self.join(root, tid);
                self.begin_life(tid);
            }
        }
    }

    /// Whether this thread is just making a process with this parent: itself, or its own parent (CLONE_PARENT).
    fn may_make_child_of(&self, task: &Task, parent: Option<Pid>) -> bool {
        let Some(pending) = task.pending.as_ref().filter(|pending| pending.is_fork_ahead()) else { return false };
        let aside = pending.call.clone_flags() & libc::CLONE_PARENT as u64 != 0;
        task.held.is_none() && (aside || Some(task.process) == parent)
    }
}
