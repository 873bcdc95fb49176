//! The tracer's thread: every stop of every traced thread, and what follows from it (ptrace(2)).
#![allow(unsafe_code)]

use super::{
    Argument, Call, Ended, Hold, Return, Root, Syscall, SyscallEvent, TraceEvent,
    calls::Effect,
    effects,
    following::{self, Cgroups},
    memory::Memory,
    requests::{call_info, request, result},
    task::{Family, Pending, Task, comm},
};
use crate::kernel::pid::{Pid, Signal};
use nix::errno::Errno;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    time::Instant,
};

/// Errors with which the kernel says to itself that a call must be made again after a signal (`linux/errno.h`).
const RESTARTS: std::ops::RangeInclusive<i64> = 512..=516;

type Sink = Box<dyn Fn(TraceEvent)>;

/// Everything that the thread knows.
pub(super) struct Tracing {
    pub(super) exe: PathBuf,
    pub(super) sink: Sink,
    pub(super) tasks: BTreeMap<Pid, Task>,
    pub(super) families: BTreeMap<Root, Family>,
    /// Threads that stopped for the first time before we were told whose children they are.
    pub(super) early: BTreeSet<Pid>,
    cgroups: Cgroups,
}

impl Tracing {
    pub(super) fn new(exe: PathBuf, sink: Sink) -> Tracing {
        let (tasks, families) = (BTreeMap::new(), BTreeMap::new());
        Tracing { exe, sink, tasks, families, early: BTreeSet::new(), cgroups: Cgroups::default() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.families.is_empty()
    }

    pub(super) fn tell(&self, event: TraceEvent) {
        (self.sink)(event);
    }

    /// The next stop or end that has come, if any: which thread, and its wait status.
    pub(super) fn news(&self) -> Option<(Pid, i32)> {
        loop {
            let mut status = 0;
            // Only this thread's own children and tracees: other threads start short-lived children of their own.
            let flags = libc::__WALL | libc::WNOHANG | libc::__WNOTHREAD;
            // SAFETY: the kernel writes one integer, which lives until the call has returned.
            match unsafe { libc::waitpid(-1, &raw mut status, flags) } {
                -1 if Errno::last() == Errno::EINTR => {}
                0 | -1 => return None,
                tid => return Some((Pid(tid), status)),
            }
        }
    }

    /// Decides how a thread that stopped goes on, or takes note of its end.
    pub(super) fn take(&mut self, tid: Pid, status: i32) {
        if libc::WIFEXITED(status) {
            self.ended(tid, Ended::Exited(libc::WEXITSTATUS(status)));
        } else if libc::WIFSIGNALED(status) {
            self.ended(tid, Ended::Killed(Signal(libc::WTERMSIG(status))));
        } else if libc::WIFSTOPPED(status) {
            self.stopped(tid, libc::WSTOPSIG(status), status >> 16);
        }
    }

    fn stopped(&mut self, tid: Pid, signal: i32, event: i32) {
        if self.tasks.get(&tid).is_none_or(|task| task.unborn) {
            // It waits for its maker's report, so that nobody misses what it is born with.
            self.early.insert(tid);
            return;
        }
        match event {
            libc::PTRACE_EVENT_SECCOMP => self.before_call(tid),
            libc::PTRACE_EVENT_FORK | libc::PTRACE_EVENT_VFORK | libc::PTRACE_EVENT_CLONE => {
                self.made(tid);
                self.resume(tid, 0);
            }
            libc::PTRACE_EVENT_EXEC => {
                self.replaced(tid);
                self.resume(tid, 0);
            }
            // A group-stop: the process must stay stopped until SIGCONT, but we want to hear of that.
            libc::PTRACE_EVENT_STOP if signal != libc::SIGTRAP => {
                request(libc::PTRACE_LISTEN, tid, 0);
                // The shell that started us must see its job stopped, and wakes both of us.
                if self.families.get(&tid).is_some_and(|family| family.shares_our_terminal) {
                    let _ = nix::sys::signal::raise(nix::sys::signal::Signal::SIGSTOP);
                }
            }
            0 if signal == libc::SIGTRAP | 0x80 => self.at_call(tid),
            0 => self.resume(tid, signal),
            _ => self.resume(tid, 0),
        }
    }

    /// Lets a thread go on: to the end of its call where that matters, else at full speed to the next interesting one.
    pub(super) fn resume(&mut self, tid: Pid, signal: i32) {
        let stop = self.tasks.get(&tid).is_some_and(|task| task.pending.is_some() || task.following);
        request(if stop { libc::PTRACE_SYSCALL } else { libc::PTRACE_CONT }, tid, signal);
    }

    /// Before an interesting call.
    fn before_call(&mut self, tid: Pid) {
        let entry = call_info(tid, libc::PTRACE_SYSCALL_INFO_SECCOMP);
        match entry.and_then(|(number, values)| Some((Syscall::numbered(number)?, values))) {
            Some((syscall, values)) => self.begin(tid, syscall, values),
            None => self.resume(tid, 0),
        }
    }

    /// Takes up a call, and holds it where that is wanted.
    fn begin(&mut self, tid: Pid, syscall: Syscall, values: [u64; 6]) {
        let effect = syscall.row().effect;
        let mut call = Call::read(Memory(tid), String::new(), syscall, &values);
        let (told, wanted) = match effect {
            Effect::Child(_) => (true, call.clone_flags() & libc::CLONE_THREAD as u64 == 0),
            Effect::GroupMade(index) | Effect::GroupRemoved(index) => {
                (true, self.cgroups.directory(tid, &call.args, index).is_some())
            }
            Effect::Opens(index) => {
                (false, following::may_be_control_file(call.args.get(index).and_then(Argument::path)))
            }
            _ => (true, true),
        };
        let Some(task) = self.tasks.get_mut(&tid).filter(|_| wanted) else { return self.resume(tid, 0) };
        let failed = task.failed_exec.take().filter(|_| told && effect != Effect::Program);
        task.comm = comm(tid);
        call.comm.clone_from(&task.comm);
        let before = effects::Before::Nothing;
        let started = Instant::now();
        task.pending =
            Some(Pending { call: call.clone(), values, told, before, started, born: Vec::new(), child: None });
        let root = task.root;
        let again = task.again.take() == Some((syscall, values));
        if let Some(failed) = failed {
            self.tell(TraceEvent::Syscall(root, failed));
        }
        if told && !again && self.holds(root, &call) {
            if let Some(task) = self.tasks.get_mut(&tid) {
                task.held = true;
            }
            self.tell(TraceEvent::Held(root, call));
        } else {
            self.happen(tid);
        }
    }

    /// Whether this call is held. The attempts with which a shell looks for a program along the PATH are not.
    fn holds(&mut self, root: Root, call: &Call) -> bool {
        let Some(family) = self.families.get_mut(&root).filter(|family| !family.killing) else { return false };
        let hold = match &family.hold {
            Hold::Off => false,
            Hold::Every => true,
            Hold::Until(name) => name == call.syscall.name(),
        };
        let program =
            call.args.first().and_then(Argument::path).filter(|_| call.syscall.row().effect == Effect::Program);
        let hold = hold && program.is_none_or(|path| following::program_exists(call.pid, path));
        if hold {
            family.hold = Hold::Every;
        }
        hold
    }

    pub(super) fn release(&mut self, tid: Pid) {
        if let Some(task) = self.tasks.get_mut(&tid) {
            task.held = false;
            let root = task.root;
            self.tell(TraceEvent::Released(root, tid));
            self.happen(tid);
        }
    }

    /// Lets the call happen, after a look at what it may change.
    fn happen(&mut self, tid: Pid) {
        if let Some(pending) = self.tasks.get_mut(&tid).and_then(|task| task.pending.as_mut()) {
            let group = match pending.call.syscall.row().effect {
                Effect::GroupMade(index) | Effect::GroupRemoved(index) => {
                    self.cgroups.directory(tid, &pending.call.args, index)
                }
                _ => None,
            };
            pending.before = effects::before(&pending.call, &pending.values, group, &self.exe);
            pending.started = Instant::now();
        }
        self.resume(tid, 0);
    }

    /// At the beginning of a call of a thread that is followed, or at the end of a call.
    fn at_call(&mut self, tid: Pid) {
        if let Some((number, values)) = call_info(tid, libc::PTRACE_SYSCALL_INFO_ENTRY) {
            let syscall = Syscall::numbered(number);
            match syscall.map(|syscall| (syscall, syscall.row().effect)) {
                Some((syscall, Effect::Writes)) if following::control_file(tid, values[0] as i32).is_some() => {
                    return self.begin(tid, syscall, values);
                }
                Some((_, Effect::Closes)) => self.mark_close(tid),
                _ => {}
            }
            return self.resume(tid, 0);
        }
        match result(tid) {
            Some(result) => self.returned(tid, result),
            None => self.resume(tid, 0),
        }
    }

    /// A followed thread may lose its file with this call; whether it did shows at its end.
    fn mark_close(&mut self, tid: Pid) {
        if let Some(task) = self.tasks.get_mut(&tid) {
            task.closing = true;
        }
    }

    /// A call has returned.
    fn returned(&mut self, tid: Pid, result: i64) {
        let micros = |pending: &Pending| pending.started.elapsed().as_micros() as u64;
        let Some(task) = self.tasks.get_mut(&tid) else { return self.resume(tid, 0) };
        let (root, failed) = (task.root, (-4095..0).contains(&result));
        let mut child = None;
        if let Some(mut pending) = task.pending.take() {
            child = pending.child;
            let micros = micros(&pending);
            let effect = pending.call.syscall.row().effect;
            if matches!(effect, Effect::Opens(_)) {
                if !failed && following::control_file(tid, result as i32).is_some() {
                    self.follow(tid);
                }
                return self.resume(tid, 0);
            }
            if failed && RESTARTS.contains(&-result) {
                task.again = Some((pending.call.syscall, pending.values));
            } else if pending.told {
                let changed = if failed { Vec::new() } else { effects::after(tid, &mut pending, &self.exe) };
                let returned =
                    if failed { Return::Error(Errno::from_raw(-result as i32)) } else { Return::Value(result) };
                if effect.changes_mounts() {
                    self.cgroups.forget();
                }
                let exec = effect == Effect::Program;
                let event = SyscallEvent { call: pending.call, returned, micros, changed };
                if exec {
                    task.comm = comm(tid);
                    task.following = task.following && following::any_open(tid);
                }
                if exec && failed {
                    // "Not there" says less than any other reason that the search met.
                    let absent = |event: &SyscallEvent| event.returned == Return::Error(Errno::ENOENT);
                    let earlier = task.failed_exec.take().filter(|earlier| absent(&event) && !absent(earlier));
                    task.failed_exec = Some(earlier.unwrap_or(event));
                } else {
                    if exec {
                        task.failed_exec = None;
                    }
                    self.tell(TraceEvent::Syscall(root, event));
                }
            }
        } else if std::mem::take(&mut task.closing) {
            task.following = following::any_open(tid);
        }
        if let Some(child) = child {
            // Its making has been told: now it may begin.
            self.begin_life(child);
        }
        self.resume(tid, 0);
    }

    /// A thread has ended; where it was the first of its process, so has the process.
    fn ended(&mut self, tid: Pid, ended: Ended) {
        self.early.remove(&tid);
        let root = match self.tasks.remove(&tid) {
            Some(task) => {
                let root = task.root;
                if task.held {
                    self.tell(TraceEvent::Released(root, tid));
                }
                if let Some(failed) = task.failed_exec {
                    self.tell(TraceEvent::Syscall(root, failed));
                }
                if let Some(child) = task.pending.as_ref().and_then(|pending| pending.child) {
                    self.begin_life(child);
                }
                if let Some(pending) = task.pending.filter(|pending| pending.told && !task.held) {
                    let micros = pending.started.elapsed().as_micros() as u64;
                    let (call, changed) = (pending.call, pending.born);
                    let event = SyscallEvent { call, returned: Return::Never, micros, changed };
                    self.tell(TraceEvent::Syscall(root, event));
                }
                if task.process == tid {
                    // The number of a namespace that ends with it may be given to another one.
                    self.cgroups.forget();
                    self.tell(TraceEvent::Exit { root, pid: tid, comm: task.comm, ended });
                }
                root
            }
            None => {
                let Some(family) = self.families.get(&tid).filter(|family| family.untraced) else { return };
                self.tell(TraceEvent::Exit { root: tid, pid: tid, comm: family.comm.clone(), ended });
                tid
            }
        };
        let Some(family) = self.families.get_mut(&root) else { return };
        if tid == root {
            family.ended = Some(ended);
        }
        if !self.tasks.values().any(|task| task.root == root) {
            let ended = family.ended.unwrap_or(ended);
            self.families.remove(&root);
            self.tell(TraceEvent::Finished(root, ended));
        }
    }
}
