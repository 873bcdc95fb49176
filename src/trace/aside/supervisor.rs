//! The hidden role `__aside PID COUNT PARENT`: starts the command, waits for its end, and ends what it leaves behind.
//!
//! Its standard input is the socket. It stays in the namespaces of the tracer, where `/proc` shows every process.

use super::{
    Message, is_ready,
    join::{self, Asker},
    readable,
};
use crate::kernel::{errno, pid::Pid, process};
use nix::{
    errno::Errno,
    poll::{PollTimeout, poll},
    sys::{
        prctl::{set_child_subreaper, set_pdeathsig},
        signal::{SigSet, Signal, kill, killpg},
        signalfd::{SfdFlags, SignalFd},
        wait::{Id, WaitPidFlag, WaitStatus, waitid, waitpid},
    },
    unistd::{dup2_stdin, getppid},
};
use std::{
    ffi::OsString,
    os::fd::{AsFd, OwnedFd},
    process::ExitCode,
    time::{Duration, Instant},
};

/// The first argument of the process.
pub const ROLE: &str = "__aside";

/// How long killed processes are waited for: a frozen one dies later.
const ENDING: Duration = Duration::from_millis(800);

/// The role. What goes wrong is told to the asking process.
pub fn run(args: &[OsString]) -> ExitCode {
    let numbers: Vec<i32> = args.iter().filter_map(|word| word.to_str()?.parse().ok()).collect();
    let [pid, count, parent] = numbers[..] else { return ExitCode::FAILURE };
    match attend(Pid(pid), count as usize, Pid(parent)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn attend(pid: Pid, count: usize, parent: Pid) -> nix::Result<()> {
    let mut taken = SigSet::from(Signal::SIGCHLD);
    taken.add(Signal::SIGTERM);
    taken.add(Signal::SIGHUP);
    taken.thread_block()?;
    let signals = SignalFd::with_flags(&taken, SfdFlags::SFD_CLOEXEC)?;
    // The session may end in any way.
    set_pdeathsig(Signal::SIGTERM)?;
    if getppid() != parent.into() {
        return Err(Errno::ESRCH);
    }
    set_child_subreaper(true)?;
    let asker = Asker::open(pid)?;
    let socket = std::io::stdin().as_fd().try_clone_to_owned().map_err(|_| Errno::EBADF)?;
    dup2_stdin(std::fs::File::open("/dev/null").map_err(|_| Errno::EBADF)?)?;
    let (command, terminal) = match asker.read(count).and_then(|wish| join::start(&asker, wish)) {
        Ok(started) => started,
        Err(why) => return Message::Failed(why).send(&socket, None),
    };
    drop(asker);
    let sent = Message::Started.send(&socket, terminal.as_ref());
    drop(terminal);
    let mut socket = Some(socket);
    if sent.is_err() {
        let _ = kill(command, Signal::SIGKILL);
    }
    let result = watch(command, &mut socket, &signals);
    end_all();
    result
}

/// Until no process is left, or we are told to end it all.
fn watch(command: nix::unistd::Pid, socket: &mut Option<OwnedFd>, signals: &SignalFd) -> nix::Result<()> {
    loop {
        let mut fds = vec![readable(signals)];
        fds.extend(socket.as_ref().map(readable));
        match poll(&mut fds, PollTimeout::NONE) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno),
        }
        let events: Vec<_> = fds.iter().map(nix::poll::PollFd::revents).collect();
        drop(fds);
        if is_ready(events[0])
            && let Ok(Some(info)) = signals.read_signal()
            && info.ssi_signo as i32 != libc::SIGCHLD
        {
            return Ok(());
        }
        while let Some(ended) = reap() {
            match ended {
                WaitStatus::Exited(pid, status) if pid == command => tell(socket, status << 8),
                WaitStatus::Signaled(pid, signal, _) if pid == command => tell(socket, signal as i32),
                _ => {}
            }
        }
        if waitid(Id::All, WaitPidFlag::WNOHANG | WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT) == Err(Errno::ECHILD) {
            return Ok(());
        }
        if is_ready(events.get(1).copied().flatten())
            && let Some(open) = socket.as_ref()
        {
            match Message::receive(open) {
                Some((Message::Signal(number), _)) => {
                    if let Ok(signal) = Signal::try_from(number) {
                        let _ = killpg(command, signal);
                    }
                }
                // The asking process has gone, as from a terminal that is closed.
                _ => {
                    let _ = killpg(command, Signal::SIGHUP);
                    *socket = None;
                }
            }
        }
    }
}

fn reap() -> Option<WaitStatus> {
    match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
        Ok(WaitStatus::StillAlive) | Err(_) => None,
        Ok(ended) => Some(ended),
    }
}

/// Tells the command's end; the peer need not listen any more then.
fn tell(socket: &mut Option<OwnedFd>, status: i32) {
    if let Some(socket) = socket.take() {
        let _ = Message::Ended(status).send(&socket, None);
    }
}

/// Kills what descends from us, until nothing is left or the time is over.
fn end_all() {
    let until = Instant::now() + ENDING;
    let own = Pid::own();
    loop {
        let all = process::all().unwrap_or_default();
        let mut found = vec![own];
        let mut at = 0;
        while let Some(pid) = found.get(at).copied() {
            at += 1;
            found.extend(all.iter().filter(|process| process.ppid == pid).map(|process| process.pid));
        }
        for pid in found.into_iter().skip(1) {
            let _ = kill(pid.into(), Signal::SIGKILL);
        }
        // Whose parent has just been killed becomes a child of ours.
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() || !wait_for_one(left) {
            return;
        }
    }
}

/// Waits for the end of a child, no longer than this; false where there is none, or the time is over.
fn wait_for_one(left: Duration) -> bool {
    if let Some(_ended) = reap() {
        return true;
    }
    let none =
        waitid(Id::All, WaitPidFlag::WNOHANG | WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT) == Err(Errno::ECHILD);
    if none {
        return false;
    }
    // SIGCHLD is blocked and pending as soon as one ends.
    let mask = SigSet::from(Signal::SIGCHLD);
    let Ok(signals) = SignalFd::with_flags(&mask, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK) else { return false };
    let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::ZERO);
    let came = poll(&mut [readable(&signals)], timeout).is_ok_and(|count| count > 0);
    let _ = signals.read_signal();
    came
}

/// One line with the errno, for the asking process.
pub(super) fn why(what: &str, errno: Errno) -> String {
    format!("{what}: {}", errno::why(errno))
}
