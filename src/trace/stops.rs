//! The tracer's thread: every stop of every traced thread, and what follows from it (ptrace(2)).
#![allow(unsafe_code)]

use super::{
    Ended, Hold, Root, TraceEvent,
    calls::{self, CLOSES, Role, Spec},
    decode, effects,
    event::{Call, SyscallEvent},
    following::{self, Cgroups},
    requests::{call_info, request, result},
    task::{Family, Pending, Task, comm},
};
use nix::{errno::Errno, sys::signal::Signal};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    time::Instant,
};

/// Errors with which the kernel says to itself that a call must be made again after a signal (`linux/errno.h`).
const RESTARTS: std::ops::RangeInclusive<i64> = 512..=516;

/// Calls after which a mount table may be another one.
const MOUNTING: [&str; 8] =
    ["mount", "umount2", "move_mount", "pivot_root", "unshare", "setns", "chroot", "mount_setattr"];

type Sink = Box<dyn Fn(TraceEvent)>;

/// Everything that the thread knows.
pub(super) struct Tracing {
    pub(super) exe: PathBuf,
    pub(super) sink: Sink,
    pub(super) tasks: BTreeMap<i32, Task>,
    pub(super) families: BTreeMap<Root, Family>,
    /// Threads that stopped for the first time before we were told whose children they are.
    pub(super) early: BTreeSet<i32>,
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
    pub(super) fn news(&self) -> Option<(i32, i32)> {
        loop {
            let mut status = 0;
            // Only this thread's own children and tracees: other threads start short-lived children of their own.
            let flags = libc::__WALL | libc::WNOHANG | libc::__WNOTHREAD;
            // SAFETY: the kernel writes one integer, which lives until the call has returned.
            match unsafe { libc::waitpid(-1, &raw mut status, flags) } {
                -1 if Errno::last() == Errno::EINTR => {}
                0 | -1 => return None,
                tid => return Some((tid, status)),
            }
        }
    }

    /// Decides how a thread that stopped goes on, or takes note of its end.
    pub(super) fn take(&mut self, tid: i32, status: i32) {
        if libc::WIFEXITED(status) {
            self.ended(tid, Ended::Exited(libc::WEXITSTATUS(status)));
        } else if libc::WIFSIGNALED(status) {
            let signal = libc::WTERMSIG(status);
            self.ended(tid, Ended::Killed(decode::signal_name(signal), signal));
        } else if libc::WIFSTOPPED(status) {
            self.stopped(tid, libc::WSTOPSIG(status), status >> 16);
        }
    }

    fn stopped(&mut self, tid: i32, signal: i32, event: i32) {
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
                    let _ = nix::sys::signal::raise(Signal::SIGSTOP);
                }
            }
            0 if signal == libc::SIGTRAP | 0x80 => self.at_call(tid),
            0 => self.resume(tid, signal),
            _ => self.resume(tid, 0),
        }
    }

    /// Lets a thread go on: to the end of its call where that matters, else at full speed to the next interesting one.
    pub(super) fn resume(&mut self, tid: i32, signal: i32) {
        let stop = self.tasks.get(&tid).is_some_and(|task| task.pending.is_some() || task.following);
        request(if stop { libc::PTRACE_SYSCALL } else { libc::PTRACE_CONT }, tid, signal);
    }

    /// Before an interesting call.
    fn before_call(&mut self, tid: i32) {
        let entry = call_info(tid, libc::PTRACE_SYSCALL_INFO_SECCOMP);
        match entry.and_then(|(number, values)| Some((calls::find(number)?, values))) {
            Some((spec, values)) => self.begin(tid, spec, values),
            None => self.resume(tid, 0),
        }
    }

    /// Takes up a call, and holds it where that is wanted.
    fn begin(&mut self, tid: i32, spec: &'static Spec, values: [u64; 6]) {
        let told = match spec.role {
            Role::Report | Role::Exec => true,
            Role::Fork => spec.name != "clone3" || !decode::makes_thread(tid, &values),
            Role::Directory(index) => self.cgroups.directory(tid, &values, index).is_some(),
            Role::Open(_) => false,
        };
        let wanted = match spec.role {
            Role::Open(index) => following::may_be_control_file(tid, &values, index),
            _ => told,
        };
        let Some(task) = self.tasks.get_mut(&tid).filter(|_| wanted) else { return self.resume(tid, 0) };
        let failed = task.failed_exec.take().filter(|_| told && spec.role != Role::Exec);
        task.comm = comm(tid);
        let call = Call {
            pid: tid,
            comm: task.comm.clone(),
            name: spec.name,
            args: decode::arguments(tid, spec.name, &values),
        };
        let before = effects::Before::default();
        let started = Instant::now();
        task.pending =
            Some(Pending { spec, call: call.clone(), values, told, before, started, born: Vec::new(), child: None });
        let root = task.root;
        if let Some(failed) = failed {
            self.tell(TraceEvent::Syscall(root, failed));
        }
        let again = self.tasks.get_mut(&tid).and_then(|task| task.again.take()) == Some((spec.number, values));
        if told && !again && self.holds(root, tid, spec, &values) {
            if let Some(task) = self.tasks.get_mut(&tid) {
                task.held = true;
            }
            self.tell(TraceEvent::Held(root, call));
        } else {
            self.happen(tid);
        }
    }

    /// Whether this call is held. The attempts with which a shell looks for a program along the PATH are not.
    fn holds(&mut self, root: Root, tid: i32, spec: &Spec, values: &[u64; 6]) -> bool {
        let Some(family) = self.families.get_mut(&root).filter(|family| !family.killing) else { return false };
        let hold = match &family.hold {
            Hold::Off => false,
            Hold::Every => true,
            Hold::Until(name) => name == spec.name,
        };
        let hold = hold && (spec.name != "execve" || following::program_exists(tid, values));
        if hold {
            family.hold = Hold::Every;
        }
        hold
    }

    pub(super) fn release(&mut self, tid: i32) {
        if let Some(task) = self.tasks.get_mut(&tid) {
            task.held = false;
            let root = task.root;
            self.tell(TraceEvent::Released(root, tid));
            self.happen(tid);
        }
    }

    /// Lets the call happen, after a look at what it may change.
    fn happen(&mut self, tid: i32) {
        if let Some(pending) = self.tasks.get_mut(&tid).and_then(|task| task.pending.as_mut()) {
            let group = match pending.spec.role {
                Role::Directory(index) => self.cgroups.directory(tid, &pending.values, index),
                _ => None,
            };
            pending.before = effects::before(tid, pending.spec.name, &pending.values, group, &self.exe);
            pending.started = Instant::now();
        }
        self.resume(tid, 0);
    }

    /// At the beginning of a call of a thread that is followed, or at the end of a call.
    fn at_call(&mut self, tid: i32) {
        if let Some((number, values)) = call_info(tid, libc::PTRACE_SYSCALL_INFO_ENTRY) {
            let fd = values.first().map_or(-1, |fd| *fd as i32);
            match calls::find_write(number).filter(|_| following::control_file(tid, fd).is_some()) {
                Some(spec) => return self.begin(tid, spec, values),
                None if CLOSES.contains(&number) => self.mark_close(tid),
                None => {}
            }
            return self.resume(tid, 0);
        }
        match result(tid) {
            Some(result) => self.returned(tid, result),
            None => self.resume(tid, 0),
        }
    }

    /// A followed thread may lose its file with this call; whether it did shows at its end.
    fn mark_close(&mut self, tid: i32) {
        if let Some(task) = self.tasks.get_mut(&tid) {
            task.closing = true;
        }
    }

    /// A call has returned.
    fn returned(&mut self, tid: i32, result: i64) {
        let micros = |pending: &Pending| pending.started.elapsed().as_micros() as u64;
        let Some(task) = self.tasks.get_mut(&tid) else { return self.resume(tid, 0) };
        let (root, failed) = (task.root, (-4095..0).contains(&result));
        let mut child = None;
        if let Some(mut pending) = task.pending.take() {
            child = pending.child;
            let micros = micros(&pending);
            if matches!(pending.spec.role, Role::Open(_)) {
                if !failed && following::control_file(tid, result as i32).is_some() {
                    self.follow(tid);
                }
                return self.resume(tid, 0);
            }
            if failed && RESTARTS.contains(&-result) {
                task.again = Some((pending.spec.number, pending.values));
            } else if pending.told {
                let errno = failed.then(|| decode::errno_name(-result as i32));
                let changed = if failed { Vec::new() } else { effects::after(tid, &mut pending, &self.exe) };
                let result = if failed { -1 } else { result };
                if MOUNTING.contains(&pending.spec.name) {
                    self.cgroups.forget();
                }
                let exec = pending.spec.role == Role::Exec;
                let event = SyscallEvent { call: pending.call, result: Some(result), errno, micros, changed };
                if exec {
                    task.comm = comm(tid);
                    task.following = task.following && following::any_open(tid);
                }
                if exec && failed {
                    // "Not there" says less than any other reason that the search met.
                    let earlier = task.failed_exec.take().filter(|earlier| earlier.errno != Some("ENOENT"));
                    task.failed_exec = Some(match earlier {
                        Some(earlier) if errno == Some("ENOENT") => earlier,
                        _ => event,
                    });
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
    fn ended(&mut self, tid: i32, ended: Ended) {
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
                    let event =
                        SyscallEvent { call: pending.call, result: None, errno: None, micros, changed: pending.born };
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
