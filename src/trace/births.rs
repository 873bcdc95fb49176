//! Who belongs to whom: children as they are made, programs that replace threads, newcomers without a maker.

use super::{
    Root, TraceEvent, effects,
    launch::ROLE,
    stop::Stopped,
    stops::Tracing,
    task::{Task, parent_and_session, process_of},
    untraced::without_filter,
};
use crate::kernel::pid::Pid;
use nix::sys::{
    ptrace,
    signal::{Signal, kill},
};

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
        let Some(task) = self.tasks.get_mut(&stop.tid()) else { return };
        let (root, following) = (task.root, task.following);
        let mut unborn = false;
        // Without a pending call it is a thread, which the filter lets pass.
        if let Some(pending) = task.pending.as_mut().filter(|pending| pending.told) {
            pending.born = effects::born(stop, child, &pending.before);
            // What it does is told after the call that made it; but where the maker waits for it, it must not wait as well.
            unborn = pending.call.clone_flags() & libc::CLONE_VFORK as u64 == 0;
            pending.child = unborn.then_some(child);
        }
        // It has the same files open.
        let newcomer = Task { following, unborn, ..Task::new(root, child) };
        self.tasks.insert(child, newcomer);
        self.join(root, child);
        if !unborn {
            self.begin_life(child);
        }
    }

    /// A program has replaced the one before. Where a thread other than the first did it, it has taken over the first
    /// one's number, and all other threads are gone without a word.
    pub(super) fn replaced(&mut self, stop: &Stopped) {
        let tid = stop.tid();
        self.started(tid);
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
        for (tid, task) in gone.into_iter().filter(|(_, task)| task.held.is_some()) {
            self.tell(TraceEvent::Released(task.root, tid));
        }
    }

    /// The first program of a family makes a stop before it starts, if the filter is there.
    fn started(&mut self, tid: Pid) {
        let Some(task) = self.tasks.get(&tid) else { return };
        let (root, stopped) = (task.root, task.pending.is_some());
        // The launcher may be seized before its own start is quite over; it is not what the filter is for.
        let command = std::fs::read(tid.dir().join("cmdline")).unwrap_or_default();
        if !stopped && command.split(|byte| *byte == 0).nth(1) == Some(ROLE.as_bytes()) {
            return;
        }
        let Some(family) = self.families.get_mut(&root) else { return };
        if !std::mem::replace(&mut family.started, true) && !stopped {
            self.tell(TraceEvent::Refused(root, without_filter()));
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
        for tid in self.early.keys().copied().collect::<Vec<_>>() {
            if self.tasks.get(&tid).is_some_and(|task| task.unborn) {
                continue;
            }
            let (parent, session) = parent_and_session(tid).unzip();
            let relatives = [process_of(tid).filter(|process| *process != tid), parent];
            if relatives.into_iter().flatten().any(|pid| self.tasks.contains_key(&pid)) {
                // The maker's report is on its way.
                continue;
            }
            let session = session.filter(|session| self.families.contains_key(session));
            if let Some(root) = session.or_else(|| self.families.keys().next().copied()) {
                self.join(root, tid);
                self.begin_life(tid);
            }
        }
    }
}
