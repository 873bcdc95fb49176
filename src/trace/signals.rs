//! Who gets a signal, by the numbers of this program's `/proc` (kill(2), pidfd_send_signal(2)).

use super::{
    Call, Harm,
    guard::may_signal,
    stop::Stopped,
    stops::Tracing,
    task::{namespace, seen_by, shares},
};
use crate::kernel::{
    namespaces::Kind,
    pid::Pid,
    process::{self, Process},
    text,
};
use std::fs;

/// The parent of every kernel thread, which takes no signals.
const KTHREADD: Pid = Pid(2);

/// Whom a signal is sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// One process.
    Process(Pid),
    /// A process group, by its host number.
    Group(Pid),
    /// All processes in the sender's PID namespace.
    All,
}

impl Target {
    /// What the caller means; `None` where nothing has that number.
    pub(super) fn of(stop: &Stopped, call: &Call, values: &[u64; 6]) -> Option<Target> {
        let (tid, first) = (stop.tid(), values[0] as i32);
        match call.syscall.name() {
            "pidfd_send_signal" => {
                let text = text::read(tid.dir().join(format!("fdinfo/{first}"))).ok()?;
                let pid = text::field(&text, "Pid")?.parse().ok()?;
                (pid > Pid(0)).then_some(Target::Process(pid))
            }
            "kill" if first == -1 => Some(Target::All),
            "kill" if first == 0 => Some(Target::Group(Pid(process::stat(&tid.dir())?.pgrp))),
            "kill" if first < 0 => {
                let leader = numbered(tid, first.checked_neg()?);
                // A group may outlive its leader; in our own namespace its number is still the same.
                leader.or_else(|| shares(tid, Kind::Pid).then_some(Pid(-first))).map(Target::Group)
            }
            "tkill" => super::task::process_of(numbered(tid, first)?).map(Target::Process),
            _ => Target::numbered(tid, first),
        }
    }

    /// The process that a thread calls by this number; 0 is its own.
    pub(super) fn numbered(tid: Pid, number: i32) -> Option<Target> {
        let found = if number == 0 { super::task::process_of(tid) } else { numbered(tid, number) };
        found.map(Target::Process)
    }
}

/// The thread that another one calls by this number.
fn numbered(tid: Pid, number: i32) -> Option<Pid> {
    if shares(tid, Kind::Pid) {
        return fs::exists(Pid(number).dir()).ok()?.then_some(Pid(number));
    }
    let depth = super::task::status(tid)?.nspid?.len();
    // What is below the thread's namespace has a number in it as well; numbers of others mean nothing there.
    process::pids().ok()?.into_iter().find(|pid| {
        super::task::status(*pid).and_then(|status| status.nspid).is_some_and(|numbers| numbers.len() >= depth)
            && seen_by(tid, *pid) == Some(number)
            && is_within(*pid, tid)
    })
}

/// Whether a process is in the PID namespace of a thread, or below it: that is where the thread's own init is above it.
fn is_within(pid: Pid, tid: Pid) -> bool {
    let Some(wanted) = namespace(tid, Kind::Pid) else { return false };
    let mut at = pid;
    for _ in 0..1024 {
        if namespace(at, Kind::Pid) == Some(wanted) {
            return true;
        }
        match process::stat(&at.dir()).map(|stat| Pid(stat.ppid)) {
            Some(parent) if parent > Pid(1) => at = parent,
            _ => return false,
        }
    }
    false
}

/// A process that only waits to be reaped feels nothing any more, and is no longer known to us.
fn lives(process: &Process) -> bool {
    !matches!(process.state, 'Z' | 'X')
}

impl Tracing {
    /// Whether a process was started under this tracer.
    pub(super) fn is_own_process(&self, pid: Pid) -> bool {
        self.tasks.contains_key(&pid)
    }

    /// What a signal to these would do to others than this session's processes.
    pub(super) fn signalling(&self, tid: Pid, target: Target) -> Option<Harm> {
        let strangers = |wanted: &dyn Fn(&Process) -> bool| -> Vec<Process> {
            let all = process::all().unwrap_or_default().into_iter();
            all.filter(|process| {
                let pid = process.pid;
                lives(process) && wanted(process) && !self.is_own_process(pid) && may_signal(tid, pid)
            })
            .collect()
        };
        let found = match target {
            Target::Process(pid) if self.is_own_process(pid) => return None,
            Target::Process(pid) => {
                process::read(pid).into_iter().filter(|found| lives(found) && may_signal(tid, pid)).collect()
            }
            Target::Group(group) => strangers(&|process| process.group == group),
            // The first process is spared, and so are kernel threads.
            Target::All if shares(tid, Kind::Pid) => {
                strangers(&|process| process.pid > Pid(1) && process.pid != KTHREADD && process.ppid != KTHREADD)
            }
            Target::All => strangers(&|process| is_within(process.pid, tid)),
        };
        match found.as_slice() {
            [] => None,
            [one] => Some(Harm::Process(one.pid, one.comm.clone())),
            many => Some(Harm::Processes(many.len())),
        }
    }
}
