//! Stops as types (ptrace(2)). A [`Stopped`] is a traced thread that stands still. Only it can be asked and have its
//! memory read, and what lets it go on takes it away: a thread that runs is never asked, and none is resumed twice.

use super::{
    Ended, Syscall, filter, i386,
    memory::{Memory, Width},
    registers::{self, Register},
};
use crate::kernel::pid::{Pid, Signal};
use nix::{errno::Errno, sys::ptrace};
use rustix::process::{WaitOptions, wait};

/// A traced thread that stands still until this is given to [`Stopped::resume`] or [`Stopped::listen`]. One that is
/// killed meanwhile has ended; nothing is lost where its stop is dropped then.
#[must_use = "the thread stands still until it is resumed"]
#[derive(Debug)]
pub(super) struct Stopped(Pid);

/// Why a thread stands still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// It is about to make a call that the filter stops.
    Filter,
    /// It begins or ends a call, and was resumed with [`Until::Call`].
    Call,
    /// It has made a thread or a process: [`Stopped::message`].
    Made,
    /// It runs a new program now. Its number before is [`Stopped::message`].
    Program,
    /// This signal has stopped its process, which must stay so until SIGCONT.
    Group(Signal),
    /// A signal is about to be delivered.
    Signal(Signal),
    /// Nothing of interest: it is new, or was interrupted by us.
    Nothing,
}

/// What came to us of a traced thread.
#[derive(Debug)]
pub(super) enum News {
    /// It stands still.
    Stopped(Stopped, Why),
    /// It has ended.
    Ended(Pid, Ended),
}

/// How far a thread goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Until {
    /// To the next call that the filter stops, at full speed.
    Filter,
    /// To the next beginning or end of any call.
    Call,
}

/// Where in a call a thread stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Before it: which call of those that the table has, its arguments, and how wide words are in memory.
    Entry(Option<Syscall>, [u64; 6], Width),
    /// Before a call of another ABI, whose numbers mean something else.
    Foreign,
    /// After it: what it returned; an error as a negative number.
    Exit(i64),
}

/// The next stop or end that has come, if any.
pub(super) fn news() -> Option<News> {
    // Only this thread's own children and tracees: other threads start short-lived children of their own.
    let ours = WaitOptions::from_bits_retain((libc::__WALL | libc::__WNOTHREAD) as u32);
    loop {
        match wait(WaitOptions::NOHANG | ours) {
            Err(rustix::io::Errno::INTR) => {}
            Err(_) | Ok(None) => return None,
            Ok(Some((pid, status))) => {
                let pid = Pid(pid.as_raw_pid());
                return Some(match (status.exit_status(), status.terminating_signal()) {
                    (Some(exited), _) => News::Ended(pid, Ended::Exited(exited)),
                    (_, Some(signal)) => News::Ended(pid, Ended::Killed(Signal(signal))),
                    _ => News::Stopped(Stopped(pid), why(status.as_raw())),
                });
            }
        }
    }
}

/// Reads the wait status of a stop: the signal and, above it, what is peculiar to ptrace.
fn why(status: i32) -> Why {
    match (status >> 16, libc::WSTOPSIG(status)) {
        (libc::PTRACE_EVENT_SECCOMP, _) => Why::Filter,
        (libc::PTRACE_EVENT_FORK | libc::PTRACE_EVENT_VFORK | libc::PTRACE_EVENT_CLONE, _) => Why::Made,
        (libc::PTRACE_EVENT_EXEC, _) => Why::Program,
        (libc::PTRACE_EVENT_STOP, signal) if signal != libc::SIGTRAP => Why::Group(Signal(signal)),
        // PTRACE_O_TRACESYSGOOD marks the stops at calls.
        (0, signal) if signal == libc::SIGTRAP | 0x80 => Why::Call,
        (0, signal) => Why::Signal(Signal(signal)),
        _ => Why::Nothing,
    }
}

impl Stopped {
    /// The thread.
    pub(super) fn tid(&self) -> Pid {
        self.0
    }

    /// Its memory.
    pub(super) fn memory(&self) -> Memory<'_> {
        Memory::new(self)
    }

    /// Lets it go on, with a signal where one is to be delivered.
    pub(super) fn resume(self, until: Until, signal: Option<Signal>) {
        let how = match until {
            Until::Filter => libc::PTRACE_CONT,
            Until::Call => libc::PTRACE_SYSCALL,
        };
        request(how, self.0, signal.map_or(0, |signal| signal.0));
    }

    /// Leaves its process stopped, but hears of what wakes it.
    pub(super) fn listen(self) {
        request(libc::PTRACE_LISTEN, self.0, 0);
    }

    /// Traces it no longer, and lets it go on with this signal.
    pub(super) fn detach(self, signal: Option<Signal>) {
        request(libc::PTRACE_DETACH, self.0, signal.map_or(0, |signal| signal.0));
    }

    /// The thread that its stop is about.
    pub(super) fn message(&self) -> Option<Pid> {
        ptrace::getevent(self.0.into()).ok().map(|pid| Pid(pid as i32))
    }

    /// Where in a call it stands; `None` where it was killed meanwhile.
    #[expect(unsafe_code, reason = "the kernel fills in one part of a union")]
    pub(super) fn place(&self) -> Option<Place> {
        let info = ptrace::syscall_info(self.0.into()).ok()?;
        match info.op {
            libc::PTRACE_SYSCALL_INFO_EXIT => {
                // SAFETY: `op` says that this part of the union is filled in.
                Some(Place::Exit(unsafe { info.u.exit.sval }))
            }
            libc::PTRACE_SYSCALL_INFO_ENTRY | libc::PTRACE_SYSCALL_INFO_SECCOMP => {
                // SAFETY: `op` says that one of these two parts of the union is filled in, and both begin alike.
                let (number, args) = unsafe { (info.u.entry.nr, info.u.entry.args) };
                Some(entry(info.arch, number, args, self.memory()))
            }
            _ => None,
        }
    }

    /// Lets the call before which it stands fail with this error instead of happening. Whether that could be done.
    pub(super) fn refuse(&self, errno: Errno) -> bool {
        self.answer(-i64::from(errno as i32) as u64)
    }

    /// Lets the call before which it stands return this instead of happening. Whether that could be done.
    pub(super) fn answer(&self, result: u64) -> bool {
        // The kernel makes no call of the number -1, and leaves the result as it finds it.
        registers::write(self.0, Register::Result, result) && registers::write(self.0, Register::Number, u64::MAX)
    }

    /// Takes bits away from the flags of a call that makes a process: from its first argument, or, in clone3(2), from the
    /// word that it points to. The filter goes to every child, and without a tracer it makes calls fail.
    pub(super) fn clear_flags(&self, in_memory: bool, first: u64, flags: u64, width: Width) -> bool {
        match in_memory {
            true => ptrace::write(self.0.into(), first as ptrace::AddressType, flags as libc::c_long).is_ok(),
            false => self.set_argument(0, width, flags),
        }
    }

    /// Gives the call before which it stands another argument, the first one as 0. Whether that could be done.
    pub(super) fn set_argument(&self, index: usize, width: Width, value: u64) -> bool {
        registers::write(self.0, Register::Argument(index, width), value)
    }

    /// This process, as if it were traced and stood still.
    #[cfg(any(test, fuzzing))]
    pub(super) fn own() -> Stopped {
        Stopped(Pid::own())
    }
}

/// A call by the architecture, the number and the arguments that the kernel tells of it. What a thread calls by the number -1
/// is no call.
fn entry(arch: u32, number: u64, args: [u64; 6], memory: Memory<'_>) -> Place {
    let low = number as u32;
    if Some(arch) == i386::ARCH {
        let (call, args) = i386::read(low.into(), args, memory).map_or((None, args), |(call, args)| (Some(call), args));
        return Place::Entry(call, args, Width::Four);
    }
    if arch != filter::ARCH || (low >= filter::X32 && low != u32::MAX) {
        return Place::Foreign;
    }
    Place::Entry(Syscall::numbered(number as i64), args, Width::Eight)
}

/// Makes a ptrace request that lets a thread go on. ESRCH says that it was killed meanwhile, and its end will come.
#[expect(unsafe_code, reason = "nix delivers no real-time signals and knows no PTRACE_LISTEN")]
fn request(request: libc::c_uint, tid: Pid, signal: i32) {
    // SAFETY: these requests take two numbers and touch no memory of ours.
    unsafe { libc::ptrace(request, tid.0, std::ptr::null_mut::<libc::c_void>(), signal as libc::c_long) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_known_by_its_architecture_and_its_number() {
        let place = |arch, number| entry(arch, number, [0; 6], Stopped::own().memory());
        let unshare = Syscall::named("unshare");
        assert_eq!(place(filter::ARCH, libc::SYS_unshare as u64), Place::Entry(unshare, [0; 6], Width::Eight));
        assert_eq!(place(filter::ARCH, libc::SYS_read as u64), Place::Entry(None, [0; 6], Width::Eight));
        assert_eq!(place(filter::ARCH, u64::MAX), Place::Entry(None, [0; 6], Width::Eight));
        assert_eq!(place(filter::ARCH, u64::from(filter::X32) + 272), Place::Foreign);
        assert_eq!(place(7, 0), Place::Foreign);
    }

    #[test]
    #[cfg_attr(not(target_arch = "x86_64"), ignore = "only x86_64 runs programs of i386")]
    fn a_call_of_i386_is_known_by_its_own_number() {
        let place = |number| entry(i386::ARCH.unwrap(), number, [0; 6], Stopped::own().memory());
        assert_eq!(place(310), Place::Entry(Syscall::named("unshare"), [0; 6], Width::Four));
        assert_eq!(place(3), Place::Entry(None, [0; 6], Width::Four));
    }

    #[test]
    fn a_wait_status_says_why_a_thread_stands_still() {
        let stop = |event: i32, signal: i32| why(event << 16 | signal << 8 | 0x7f);
        assert_eq!(stop(libc::PTRACE_EVENT_SECCOMP, libc::SIGTRAP), Why::Filter);
        assert_eq!(stop(libc::PTRACE_EVENT_VFORK, libc::SIGTRAP), Why::Made);
        assert_eq!(stop(libc::PTRACE_EVENT_EXEC, libc::SIGTRAP), Why::Program);
        assert_eq!(stop(libc::PTRACE_EVENT_STOP, libc::SIGTSTP), Why::Group(Signal(libc::SIGTSTP)));
        assert_eq!(stop(libc::PTRACE_EVENT_STOP, libc::SIGTRAP), Why::Nothing, "a new thread");
        assert_eq!(stop(0, libc::SIGTRAP | 0x80), Why::Call);
        assert_eq!(stop(0, libc::SIGTRAP), Why::Signal(Signal(libc::SIGTRAP)), "a breakpoint of its own");
        assert_eq!(stop(0, 40), Why::Signal(Signal(40)), "also a real-time one");
    }
}
