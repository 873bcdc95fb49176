//! What the tracer tells the rest of the program. Every PID is the host's (as boxwright's own `/proc` shows it).

use super::Change;
use crate::lang::{Both, Lang};
use serde::{Serialize, Serializer};

/// A decoded system call, before or after it happened. Arguments are written as strace(1) writes them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Call {
    /// The thread that makes the call.
    pub pid: i32,
    /// The name of its program (`/proc/PID/comm`) before the call.
    pub comm: String,
    /// The call's name, such as `unshare`.
    pub name: &'static str,
    /// The arguments, decoded, such as `CLONE_NEWNS|CLONE_NEWUTS`.
    pub args: String,
}

/// A system call that returned (or whose process died in it: `result` is then `None`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SyscallEvent {
    /// Who called what.
    #[serde(flatten)]
    pub call: Call,
    /// The raw result: -1 where `errno` is set. A PID in it is as the *caller* sees it; `changed` names the host's.
    pub result: Option<i64>,
    /// The name of the error, such as `EINVAL`.
    pub errno: Option<&'static str>,
    /// How long the call took, in microseconds, without the time that it was held before it.
    pub micros: u64,
    /// What changed because of the call.
    #[serde(serialize_with = "lines")]
    pub changed: Vec<Change>,
}

/// Changes as whoever reads `--json` gets them: one text each.
fn lines<S: Serializer>(changed: &[Change], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(changed.iter().map(ToString::to_string))
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It called exit with this status.
    Exited(i32),
    /// This signal killed it.
    Killed(&'static str, i32),
}

/// A [`TraceEvent`] as one JSON object, for whoever reads `--json`. The kind comes first in it.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "lowercase")]
pub enum Told<'a> {
    /// A system call returned.
    Syscall(&'a SyscallEvent),
    /// A process ended.
    Exit {
        /// Its host PID.
        pid: i32,
        /// Its program.
        comm: &'a str,
        /// The exit status, where it exited.
        status: Option<i32>,
        /// The signal, where one killed it.
        signal: Option<&'static str>,
    },
    /// System calls cannot be seen; why.
    Untraced {
        /// With the errno and the remedy.
        reason: &'a str,
    },
}

impl<'a> Told<'a> {
    /// What is told of an event; nothing of those that only concern a screen.
    pub fn new(event: &'a TraceEvent, lang: Lang) -> Option<Told<'a>> {
        match event {
            TraceEvent::Syscall(_, event) => Some(Told::Syscall(event)),
            TraceEvent::Exit { pid, comm, ended, .. } => {
                let (status, signal) = match ended {
                    Ended::Exited(status) => (Some(*status), None),
                    Ended::Killed(signal, _) => (None, Some(*signal)),
                };
                Some(Told::Exit { pid: *pid, comm, status, signal })
            }
            TraceEvent::Refused(_, reason) => Some(Told::Untraced { reason: reason.say(lang) }),
            TraceEvent::Held(..) | TraceEvent::Released(..) | TraceEvent::Finished(..) => None,
        }
    }
}

/// The name of a spawned command's whole family of processes: the host PID of its first process.
pub type Root = i32;

/// When a process must wait before an interesting call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Hold {
    /// Never.
    #[default]
    Off,
    /// Before every interesting call.
    Every,
    /// Before the next call of this name; afterwards before every interesting call.
    Until(String),
}

/// One thing that the tracer saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TraceEvent {
    /// A call returned.
    Syscall(Root, SyscallEvent),
    /// A process waits before this call until it is stepped.
    Held(Root, Call),
    /// A held process goes on (stepped, run on, or killed while it waited).
    Released(Root, i32),
    /// A process (thread group) ended.
    Exit {
        /// The family it belonged to.
        root: Root,
        /// Its host PID.
        pid: i32,
        /// The name of its program.
        comm: String,
        /// How it ended.
        ended: Ended,
    },
    /// The last process of a spawned command ended; its first process ended like this.
    Finished(Root, Ended),
    /// This machine does not let us trace; the command runs untraced. The text says why, with the errno.
    Refused(Root, Both),
}
