//! What the tracer tells the rest of the program. Every PID is the host's (as boxwright's own `/proc` shows it).
//!
//! The events can be stored and read back (serde). What `--json` prints of them is made in [`Told`], where text begins.

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
    pub fn of(pid: i32, comm: &str, name: &str, values: [u64; 6]) -> Call {
        let syscall = Syscall::named(name).unwrap();
        let call = Call::read(Pid(pid), super::stop::Stopped::own().memory(), syscall, &values);
        Call { comm: comm.into(), ..call }
    }

    /// The bits of clone(2) with which it makes a process.
    pub(crate) fn clone_flags(&self) -> u64 {
        let implied = if let Effect::Child(flags) = self.syscall.row().effect { flags } else { 0 };
        implied | clone_flags(&self.args)
    }

    /// The arguments as strace(1) writes them between the parentheses.
    pub fn args_text(&self) -> String {
        let mut text = String::new();
        // A String takes whatever is written.
        let _ = listed(&mut text, &self.args);
        text
    }
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
    /// The guard or the learner refused it before it happened: it failed with EPERM.
    Refused,
    /// The process ended in it.
    Never,
}

impl Return {
    /// The error, where it failed.
    pub(crate) fn error(self) -> Option<Errno> {
        match self {
            Return::Error(errno) | Return::Filtered(errno) => Some(errno),
            Return::Refused => Some(Errno::EPERM),
            Return::Value(_) | Return::Never => None,
        }
    }
}

/// The result as strace(1) writes it.
impl fmt::Display for Return {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Return::Value(value) => value.fmt(f),
            Return::Error(errno) => write!(f, "-1 {}", errno::name(*errno)),
            Return::Filtered(errno) => write!(f, "-1 {} (by a seccomp filter)", errno::name(*errno)),
            Return::Refused => f.write_str("-1 EPERM (refused by boxwright)"),
            Return::Never => f.write_str("?"),
        }
    }
}

/// A system call that has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyscallEvent {
    /// Who called what.
    pub call: Call,
    /// What it returned.
    pub returned: Return,
    /// How long the call took, in microseconds, without the time that it was held before it.
    pub micros: u64,
    /// What changed because of the call.
    pub changed: Vec<Change>,
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
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "lowercase")]
pub enum Told<'a> {
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
        /// The raw result: -1 where `errno` is set; `None` where the process ended in the call.
        result: Option<i64>,
        /// The name of the error, such as `EINVAL`.
        errno: Option<String>,
        /// Whether the guard refused it, so that the kernel never saw it; absent where it did not.
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

impl<'a> Told<'a> {
    /// What is told of an event; nothing of those that only concern a screen.
    pub(crate) fn new(event: &'a TraceEvent, lang: Lang) -> Option<Told<'a>> {
        match event {
            TraceEvent::Syscall(_, SyscallEvent { call, returned, micros, changed }) => Some(Told::Syscall {
                pid: call.pid,
                comm: &call.comm,
                name: call.syscall.name(),
                args: call.args_text(),
                result: match returned {
                    Return::Value(value) => Some(*value),
                    Return::Error(_) | Return::Filtered(_) | Return::Refused => Some(-1),
                    Return::Never => None,
                },
                errno: returned.error().map(errno::name),
                refused: *returned == Return::Refused,
                filtered: matches!(returned, Return::Filtered(_)),
                micros: *micros,
                changed: changed.iter().map(ToString::to_string).collect(),
                said: changed.iter().map(|change| change.say(lang)).collect(),
            }),
            TraceEvent::Exit { pid, comm, ended, .. } => {
                let (status, signal) = match ended {
                    Ended::Exited(status) => (Some(*status), None),
                    Ended::Killed(signal) => (None, Some(signal.to_string())),
                };
                Some(Told::Exit { pid: *pid, comm, status, signal })
            }
            TraceEvent::Noted { pid, comm, note, .. } => Some(Told::Note { pid: *pid, comm, text: note.say(lang) }),
            TraceEvent::Refused(_, reason) => Some(Told::Untraced { reason: reason.say(lang) }),
            TraceEvent::Guarded(_, call, harm) => Some(Told::Guarded {
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
mod tests {
    use super::*;
    use crate::{kernel::namespaces::Kind, observe::ForChildren, trace::Mounted};

    fn unshare(returned: Return, changed: Vec<Change>) -> TraceEvent {
        let call = Call::of(4711, "unshare", "unshare", [0x400_0000, 0, 0, 0, 0, 0]);
        TraceEvent::Syscall(Pid(4702), SyscallEvent { call, returned, micros: 12, changed })
    }

    fn json(event: &TraceEvent) -> String {
        serde_json::to_string(&Told::new(event, Lang::En)).unwrap()
    }

    #[test]
    fn what_is_told_keeps_its_form() {
        let changed = vec![Change::Namespace { kind: Kind::Uts, before: Some(1), after: Some(2) }];
        assert_eq!(
            json(&unshare(Return::Value(0), changed)),
            r#"{"event":"syscall","pid":4711,"comm":"unshare","name":"unshare","args":"CLONE_NEWUTS","result":0,"errno":null,"micros":12,"changed":["uts: 1 -> 2"]}"#
        );
        let failed = json(&unshare(Return::Error(Errno::EPERM), Vec::new()));
        assert!(failed.contains(r#""result":-1,"errno":"EPERM","micros":12,"changed":[]"#), "{failed}");
        let refused = json(&unshare(Return::Refused, Vec::new()));
        assert!(refused.contains(r#""result":-1,"errno":"EPERM","refused":true"#), "{refused}");
        assert!(json(&unshare(Return::Never, Vec::new())).contains(r#""result":null,"errno":null"#));
        let exit = |ended| json(&TraceEvent::Exit { root: Pid(1), pid: Pid(7), comm: "sh".into(), ended });
        assert_eq!(
            exit(Ended::Killed(Signal::KILL)),
            r#"{"event":"exit","pid":7,"comm":"sh","status":null,"signal":"SIGKILL"}"#
        );
        assert_eq!(exit(Ended::Exited(3)), r#"{"event":"exit","pid":7,"comm":"sh","status":3,"signal":null}"#);
        assert_eq!(serde_json::to_string(&Told::new(&TraceEvent::Released(Pid(1), Pid(7)), Lang::En)).unwrap(), "null");
    }

    #[test]
    fn every_event_is_read_back_as_it_was_stored() {
        let mounted = || Mounted { kind: "tmpfs".into(), root: "/".into(), source: "box".into() };
        let changed = vec![
            Change::Child(Pid(9)),
            Change::PidForChildren { before: ForChildren::NotMade, after: ForChildren::Inode(5) },
            Change::Mounted { point: "/proc".into(), mounted: mounted() },
            Change::RootMount { before: Some(mounted()), after: None },
            Change::GroupMade("box".into(), None),
            Change::ObjectMade(crate::kernel::objects::Object::Queue("jobs".into(), 1, 2), true),
        ];
        let held = Call::of(4711, "sh", "mount", [c"a".as_ptr() as u64, c"\xe4".as_ptr() as u64, 0, 4096, 0, 0]);
        let both = Both { en: "no".into(), zh: "不".into() };
        for event in [
            unshare(Return::Value(0), changed),
            unshare(Return::Error(Errno::EINVAL), Vec::new()),
            unshare(Return::Never, Vec::new()),
            unshare(Return::Refused, Vec::new()),
            unshare(Return::Filtered(Errno::EPERM), Vec::new()),
            TraceEvent::Guarded(Pid(4702), held.clone(), Harm::Process(Pid(1), "init".into())),
            TraceEvent::Held(Pid(4702), held),
            TraceEvent::Released(Pid(4702), Pid(4711)),
            TraceEvent::Exit { root: Pid(4702), pid: Pid(7), comm: "sh".into(), ended: Ended::Killed(Signal(40)) },
            TraceEvent::Finished(Pid(4702), Ended::Exited(1)),
            TraceEvent::Noted { root: Pid(1), pid: Pid(7), comm: "sh".into(), note: Note::Aside("gdb".into()) },
            TraceEvent::Refused(Pid(4702), both),
        ] {
            let stored = serde_json::to_string(&event).unwrap();
            assert_eq!(serde_json::from_str::<TraceEvent>(&stored).unwrap(), event, "{stored}");
        }
        assert!(serde_json::from_str::<Syscall>("\"nosuch\"").is_err());
    }
}
