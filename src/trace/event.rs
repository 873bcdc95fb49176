//! What the tracer tells the rest of the program. Every PID is the host's (as boxwright's own `/proc` shows it).
//!
//! The events can be stored and read back (serde). What `--json` prints of them is made in [`TraceJson`], where text begins.

use super::{
    Argument, Change, Harm, Note, Syscall, argument::listed, calls::Effect, decode::clone_flags, memory::Memory,
};
use crate::{
    kernel::{
        errno,
        pid::{Pid, Signal},
    },
    lang::{Both, Lang},
};
use nix::errno::Errno;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A decoded system call, before or after it happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// The thread that makes the call.
    pub pid: Pid,
    /// The name of its program (`/proc/PID/comm`) before the call.
    pub comm: String,
    /// Which call.
    pub syscall: Syscall,
    /// Its arguments.
    pub args: Vec<Argument>,
}

/// The call as strace(1) writes it.
impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}(", self.syscall)?;
        listed(f, &self.args)?;
        f.write_str(")")
    }
}

impl Call {
    /// Decodes the call that a thread is about to make, but for the name of its program.
    pub(super) fn read(pid: Pid, memory: Memory<'_>, syscall: Syscall, values: &[u64; 6]) -> Call {
        Call { pid, comm: String::new(), syscall, args: syscall.row().decoding.read(memory, values) }
    }

    /// A call with these registers; addresses are this program's own.
    #[cfg(test)]
    pub fn of(pid: Pid, comm: &str, name: &str, values: [u64; 6]) -> Call {
        let syscall = Syscall::named(name).unwrap();
        let call = Call::read(pid, super::stop::Stopped::own().memory(), syscall, &values);
        Call { comm: comm.into(), ..call }
    }

    /// The bits of clone(2) with which it makes a process.
    pub(crate) fn clone_flags(&self) -> u64 {
        let implied = if let Effect::Child(flags) = self.syscall.row().effect { flags } else { 0 };
        implied | clone_flags(&self.args)
    }

    /// The arguments as strace(1) writes them between the parentheses.
    pub fn args_text(&self) -> String {
        text_of(&self.args)
    }
}

fn text_of(args: &[Argument]) -> String {
    let mut text = String::new();
    // A String takes whatever is written.
    let _ = listed(&mut text, args);
    text
}

/// How a system call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Return {
    /// It succeeded with this value. A PID in it is as the *caller* sees it; [`Change::Child`] has the host's.
    Value(i64),
    /// It failed.
    Error(#[serde(with = "errno")] Errno),
    /// A seccomp filter of the process refused it with this error: the kernel never looked at what it asks for.
    Filtered(#[serde(with = "errno")] Errno),
    /// A seccomp filter of the process answered it with SIGSYS, which the process handles or dies of: it returned nothing.
    Trapped,
    /// The guard or the learner refused it before it happened: it failed with EPERM.
    Refused,
    /// The learner answered it with this error before it happened: the kernel never saw it.
    Answered(#[serde(with = "errno")] Errno),
    /// The process ended in it.
    Never,
}

impl Return {
    /// The error, where it failed.
    pub(crate) fn error(self) -> Option<Errno> {
        match self {
            Return::Error(errno) | Return::Filtered(errno) | Return::Answered(errno) => Some(errno),
            Return::Refused => Some(Errno::EPERM),
            Return::Value(_) | Return::Trapped | Return::Never => None,
        }
    }

    /// Whether the kernel never saw the call, because the guard or the learner answered it.
    pub(crate) fn is_refused(self) -> bool {
        matches!(self, Return::Refused | Return::Answered(_))
    }
}

/// The result as strace(1) writes it.
impl fmt::Display for Return {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Return::Value(value) => value.fmt(f),
            Return::Error(errno) => write!(f, "-1 {}", errno::name(*errno)),
            Return::Filtered(errno) => write!(f, "-1 {} (by a seccomp filter)", errno::name(*errno)),
            Return::Trapped => f.write_str("? SIGSYS (by a seccomp filter)"),
            Return::Refused => f.write_str("-1 EPERM (refused by boxwright)"),
            Return::Answered(errno) => write!(f, "-1 {} (made to fail by the learner)", errno::name(*errno)),
            Return::Never => f.write_str("?"),
        }
    }
}

/// A system call that has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyscallEvent {
    /// Who called what, as the kernel saw it.
    pub call: Call,
    /// What it returned.
    pub returned: Return,
    /// How long the call took, in microseconds, without the time that it was held before it.
    pub micros: u64,
    /// What changed because of the call.
    pub changed: Vec<Change>,
    /// The arguments as the program gave them, where the learner had other ones in their place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Vec<Argument>>,
}

impl SyscallEvent {
    /// The call as the program asked for it, where the learner let another one happen.
    pub(crate) fn asked(&self) -> Option<Call> {
        self.asked.clone().map(|args| Call { args, ..self.call.clone() })
    }

    /// Whether the learner has changed it, or made it fail.
    pub(crate) fn is_changed(&self) -> bool {
        self.asked.is_some() || matches!(self.returned, Return::Answered(_))
    }
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// It called exit with this status.
    Exited(i32),
    /// This signal killed it.
    Killed(Signal),
}

/// A [`TraceEvent`] as one JSON object, for the readers of `--json`. The kind comes first in it.
#[derive(Debug, Serialize, schemars::JsonSchema)]
#[serde(tag = "event", rename_all = "lowercase")]
pub enum TraceJson<'a> {
    /// A system call returned.
    Syscall {
        /// The thread that made it.
        pid: Pid,
        /// Its program.
        comm: &'a str,
        /// Its name.
        name: &'static str,
        /// The arguments as strace(1) writes them.
        args: String,
        /// The raw result: -1 where `errno` is set; `None` where the process ended in the call, or a filter sent SIGSYS for it.
        result: Option<i64>,
        /// The name of the error, such as `EINVAL`.
        errno: Option<String>,
        /// The arguments that the program gave, where the learner had a flag dropped; absent where they did not.
        #[serde(skip_serializing_if = "Option::is_none")]
        asked: Option<String>,
        /// Whether the guard or the learner refused it, so that the kernel never saw it; absent where nobody did.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        refused: bool,
        /// Whether a seccomp filter of the process refused it; absent where none did.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        filtered: bool,
        /// How long the call took, in microseconds.
        micros: u64,
        /// What changed because of it, one text each.
        changed: Vec<String>,
        /// The same in the reader's language.
        #[serde(skip)]
        said: Vec<String>,
    },
    /// A call waits, because it would change what belongs to the machine itself.
    Guarded {
        /// The thread that is about to make it.
        pid: Pid,
        /// Its program.
        comm: &'a str,
        /// The call's name.
        name: &'static str,
        /// The arguments as strace(1) writes them.
        args: String,
        /// What of the machine it would change, and why it is the machine's.
        why: String,
    },
    /// A process ended.
    Exit {
        /// Its host PID.
        pid: Pid,
        /// Its program.
        comm: &'a str,
        /// The exit status, where it exited.
        status: Option<i32>,
        /// The signal, where one killed it.
        signal: Option<String>,
    },
    /// What should be known of a process besides its calls.
    Note {
        /// The thread.
        pid: Pid,
        /// Its program.
        comm: &'a str,
        /// One sentence.
        text: String,
    },
    /// System calls cannot be seen; why.
    Untraced {
        /// With the errno and the remedy.
        reason: &'a str,
    },
}

impl<'a> TraceJson<'a> {
    /// What is told of an event; nothing of those that only concern a screen.
    pub(crate) fn new(event: &'a TraceEvent, lang: Lang) -> Option<TraceJson<'a>> {
        match event {
            TraceEvent::Syscall(_, SyscallEvent { call, returned, micros, changed, asked }) => {
                Some(TraceJson::Syscall {
                    pid: call.pid,
                    comm: &call.comm,
                    name: call.syscall.name(),
                    args: call.args_text(),
                    result: match returned {
                        Return::Value(value) => Some(*value),
                        Return::Error(_) | Return::Filtered(_) | Return::Refused | Return::Answered(_) => Some(-1),
                        Return::Trapped | Return::Never => None,
                    },
                    errno: returned.error().map(errno::name),
                    asked: asked.as_ref().map(|args| text_of(args)),
                    refused: returned.is_refused(),
                    filtered: matches!(returned, Return::Filtered(_) | Return::Trapped),
                    micros: *micros,
                    changed: changed.iter().map(ToString::to_string).collect(),
                    said: changed.iter().map(|change| change.say(lang)).collect(),
                })
            }
            TraceEvent::Exit { pid, comm, ended, .. } => {
                let (status, signal) = match ended {
                    Ended::Exited(status) => (Some(*status), None),
                    Ended::Killed(signal) => (None, Some(signal.to_string())),
                };
                Some(TraceJson::Exit { pid: *pid, comm, status, signal })
            }
            TraceEvent::Noted { pid, comm, note, .. } => {
                Some(TraceJson::Note { pid: *pid, comm, text: note.say(lang) })
            }
            TraceEvent::Refused(_, reason) => Some(TraceJson::Untraced { reason: reason.say(lang) }),
            TraceEvent::Guarded(_, call, harm) => Some(TraceJson::Guarded {
                pid: call.pid,
                comm: &call.comm,
                name: call.syscall.name(),
                args: call.args_text(),
                why: harm.say(lang),
            }),
            TraceEvent::Held(..) | TraceEvent::Released(..) | TraceEvent::Finished(..) => None,
        }
    }
}

/// The name of a spawned command's whole family of processes: the host PID of its first process.
pub type Root = Pid;

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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TraceEvent {
    /// A call returned.
    Syscall(Root, SyscallEvent),
    /// A process waits before this call until it is stepped.
    Held(Root, Call),
    /// A process waits before this call, which would change what belongs to the machine itself, until it is stepped or
    /// refused.
    Guarded(Root, Call, Harm),
    /// A held process goes on (stepped, run on, or killed while it waited).
    Released(Root, Pid),
    /// A process (thread group) ended.
    Exit {
        /// The family it belonged to.
        root: Root,
        /// Its host PID.
        pid: Pid,
        /// The name of its program.
        comm: String,
        /// How it ended.
        ended: Ended,
    },
    /// The last process of a spawned command ended; its first process ended like this.
    Finished(Root, Ended),
    /// What should be known of a thread besides its calls.
    Noted {
        /// The family it belongs to.
        root: Root,
        /// Its host PID.
        pid: Pid,
        /// The name of its program.
        comm: String,
        /// What.
        note: Note,
    },
    /// This machine does not let us trace; the command runs untraced. The text says why, with the errno.
    Refused(Root, Both),
}

impl TraceEvent {
    /// The family that it is about.
    pub(crate) fn root(&self) -> Root {
        match self {
            TraceEvent::Syscall(root, _)
            | TraceEvent::Held(root, _)
            | TraceEvent::Guarded(root, ..)
            | TraceEvent::Released(root, _)
            | TraceEvent::Exit { root, .. }
            | TraceEvent::Noted { root, .. }
            | TraceEvent::Finished(root, _)
            | TraceEvent::Refused(root, _) => *root,
        }
    }
}

#[cfg(test)]
#[path = "event_tests.rs"]
mod tests;
