//! What the tracer knows of one traced thread, and of one family of processes.

use super::{
    Call, Change, Ended, Guard, Hold, Return, Root, Syscall, SyscallEvent, effects::Before, instead::Asked,
    memory::Width, stop::Stopped,
};
use crate::kernel::namespaces::{Kind, read_link};
use crate::kernel::pid::Pid;
use crate::kernel::process;
use crate::kernel::refusal::Answer;
use crate::kernel::text;
use nix::errno::Errno;
use procfs::process::Status;
use std::time::Instant;

/// A traced thread.
pub(super) struct Task {
    /// The family that it belongs to.
    pub(super) root: Root,
    /// Its process (thread group).
    pub(super) process: Pid,
    /// The name of its program.
    pub(super) comm: String,
    /// The interesting call that it is in.
    pub(super) pending: Option<Pending>,
    /// It has not begun yet: the call that made it has not returned.
    pub(super) unborn: bool,
    /// Where it waits before that call: its stop.
    pub(super) held: Option<Stopped>,
    /// It waits for the user's word on what belongs to the machine itself.
    pub(super) guarded: bool,
    /// Who has meddled with its last call, where that failed.
    pub(super) meddled: Option<Answer>,
    /// It has a file open whose writes are told, so it stops at every call.
    pub(super) following: bool,
    /// It has a seccomp filter besides ours, which may keep calls from us, so it stops at every call.
    pub(super) filtered: bool,
    /// It was told that its calls are not all shown.
    pub(super) foreign: bool,
    /// The call that it is in may close that file.
    pub(super) closing: bool,
    /// The last program that it could not start: told only where no other attempt follows.
    pub(super) failed_exec: Option<SyscallEvent>,
    /// A call that a signal interrupted and that the kernel makes again: it is not held twice.
    pub(super) again: Option<Again>,
}

/// A call that the kernel makes again, and what the program asked for where that was something else.
pub(super) struct Again {
    pub(super) syscall: Syscall,
    pub(super) values: [u64; 6],
    pub(super) asked: Option<Asked>,
}

/// Who made a call fail that the kernel never saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The guard, with EPERM, on the user's word or where nobody could be asked.
    Guard,
    /// The learner, with this error.
    Learner(Errno),
}

impl Refusal {
    pub(super) fn errno(self) -> Errno {
        if let Refusal::Learner(errno) = self { errno } else { Errno::EPERM }
    }

    pub(super) fn returned(self) -> Return {
        match self {
            Refusal::Guard => Return::Refused,
            Refusal::Learner(errno) => Return::Answered(errno),
        }
    }
}

/// An interesting call under way.
pub(super) struct Pending {
    pub(super) call: Call,
    pub(super) values: [u64; 6],
    /// How wide the program's words are.
    pub(super) width: Width,
    /// What the program asked for, where the learner lets something else happen.
    pub(super) asked: Option<Asked>,
    /// Whether it is told when it returns.
    pub(super) told: bool,
    /// It was made to fail.
    pub(super) refused: Option<Refusal>,
    /// Our filter has not stopped it, although it would: another filter may answer first.
    pub(super) unseen: bool,
    /// What it may change, as it was before.
    pub(super) before: Before,
    pub(super) started: Instant,
    /// It has made its process.
    pub(super) made: bool,
    /// What is known of the process that it made, before it returns.
    pub(super) born: Vec<Change>,
    /// That process, where it waits until the call has returned.
    pub(super) child: Option<Pid>,
}

impl Pending {
    /// How long the call has taken, without the time that it was held.
    pub(super) fn micros(&self) -> u64 {
        self.started.elapsed().as_micros() as u64
    }

    /// Who has meddled with it, where it has failed with this error.
    pub(super) fn meddled(&self, error: Errno) -> Option<Answer> {
        match self.refused {
            Some(Refusal::Guard) => Some(Answer::Guard),
            Some(Refusal::Learner(_)) => Some(Answer::Learner(error)),
            None => self.asked.as_ref().map(|_| Answer::Learner(error)),
        }
    }

    /// What is told of it, now that it has ended so.
    pub(super) fn ended(self, returned: Return, micros: u64, changed: Vec<Change>) -> SyscallEvent {
        SyscallEvent { call: self.call, returned, micros, changed, asked: self.asked.map(|asked| asked.args) }
    }

    /// Whether it is going to make a process, and has not told us which.
    pub(super) fn is_fork_ahead(&self) -> bool {
        self.call.syscall.makes_process() && !self.made
    }
}

/// Every process that descends from one spawned command.
pub(super) struct Family {
    pub(super) hold: Hold,
    /// Where it is guarded: what is its own.
    pub(super) guard: Option<Guard>,
    /// How its first process ended, once it has.
    pub(super) ended: Option<Ended>,
    /// It was told to end: what turns up is killed as well.
    pub(super) killing: bool,
    /// The name of its first program.
    pub(super) comm: String,
    /// It has no terminal of its own: Ctrl-Z is meant for both of us.
    pub(super) shares_our_terminal: bool,
    /// Its first program has started.
    pub(super) started: bool,
    /// Our filter took away from it what set-user-ID programs give (PR_SET_NO_NEW_PRIVS).
    pub(super) restricted: bool,
    /// No filter of ours is there: what fails was not refused by one that answers before it.
    pub(super) without_filter: bool,
    /// It ran before it was traced, and goes on afterwards.
    pub(super) attached: bool,
    /// Its threads are let go as they stop.
    pub(super) leaving: bool,
    /// ptrace was refused: only the end of the first process is known.
    pub(super) untraced: bool,
}

impl Family {
    /// One whose first program has this name.
    pub(super) fn new(comm: String) -> Family {
        Family {
            hold: Hold::Off,
            guard: None,
            ended: None,
            killing: false,
            comm,
            shares_our_terminal: false,
            started: false,
            restricted: false,
            without_filter: false,
            attached: false,
            leaving: false,
            untraced: false,
        }
    }
}

impl Task {
    pub(super) fn new(root: Root, tid: Pid) -> Task {
        Task {
            root,
            process: process_of(tid).unwrap_or(tid),
            comm: comm(tid),
            pending: None,
            unborn: false,
            held: None,
            guarded: false,
            meddled: None,
            following: false,
            filtered: false,
            foreign: false,
            closing: false,
            failed_exec: None,
            again: None,
        }
    }
}

/// What `/proc/PID/status` says of a thread.
pub(super) fn status(tid: Pid) -> Option<Status> {
    process::status(&tid.dir())
}

/// The number of a thread as another one sees it. It has one in each PID namespace from ours to its own.
pub(super) fn seen_by(other: Pid, tid: Pid) -> Option<i32> {
    let depth = status(other)?.nspid?.len();
    status(tid)?.nspid?.get(depth.checked_sub(1)?).copied()
}

/// The process that a thread belongs to.
pub(super) fn process_of(tid: Pid) -> Option<Pid> {
    status(tid).map(|status| Pid(status.tgid))
}

/// The parent of a process, as we see it, and the session that it is in.
pub(super) fn parent_and_session(tid: Pid) -> Option<(Pid, Pid)> {
    let stat = process::stat(&tid.dir())?;
    Some((Pid(stat.ppid), Pid(stat.session)))
}

/// The name of a thread's program; empty where it is gone.
pub(super) fn comm(tid: Pid) -> String {
    text::read(tid.dir().join("comm")).unwrap_or_default().trim_end_matches('\n').to_string()
}

/// Whether a thread is in this program's own namespace of a kind, which is the machine's.
pub(super) fn shares(tid: Pid, kind: Kind) -> bool {
    let own = namespace(Pid::own(), kind);
    own.is_some() && namespace(tid, kind) == own
}

/// The inode of a thread's namespace of a kind.
pub(super) fn namespace(tid: Pid, kind: Kind) -> Option<u64> {
    read_link(&tid.dir().join("ns").join(kind.row().link)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_whose_name_is_not_text_has_a_process_all_the_same() {
        let named = || {
            nix::sys::prctl::set_name(c"\xff\xfe").unwrap();
            let tid = Pid(nix::unistd::gettid().as_raw());
            (process_of(tid), comm(tid))
        };
        let own = Pid::own();
        assert_eq!(std::thread::spawn(named).join().unwrap(), (Some(own), "\u{fffd}\u{fffd}".into()));
        let (parent, session) = parent_and_session(own).unwrap();
        assert_eq!(parent, Pid(nix::unistd::getppid().as_raw()));
        assert_eq!(session, Pid(nix::unistd::getsid(None).unwrap().as_raw()));
    }
}
