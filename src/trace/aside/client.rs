//! The process that asks for an untraced command, and stands for it until it ends.

use super::{ASK, Message, is_ready, readable, relay::Relay};
use crate::{
    kernel::{errno, text},
    lang::{Lang, say},
};
use nix::{
    errno::Errno,
    poll::{PollTimeout, poll},
    sys::{
        signal::{SigSet, Signal},
        signalfd::{SfdFlags, SignalFd},
        socket::{AddressFamily, SockFlag, SockType, socketpair},
    },
};
use std::{
    ffi::OsString,
    io::{self, Write},
    os::{
        fd::{AsRawFd, OwnedFd},
        unix::process::CommandExt,
    },
    process::{Command, ExitCode},
};

/// Exit statuses as env(1) has them.
const NOT_STARTED: u8 = 125;
const NOT_EXECUTABLE: u8 = 126;
const NOT_FOUND: u8 = 127;

/// What it passes on.
const PASSED: [Signal; 6] =
    [Signal::SIGHUP, Signal::SIGINT, Signal::SIGQUIT, Signal::SIGTERM, Signal::SIGUSR1, Signal::SIGUSR2];

/// Runs the command; the exit status is the command's, or 128 and the signal that killed it.
pub fn run(command: &[OsString], lang: Lang) -> ExitCode {
    let pair = socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC);
    let (ours, theirs) = match pair {
        Ok(pair) => pair,
        Err(errno) => return complain(&format!("socketpair: {}", errno::why(errno)), NOT_STARTED),
    };
    // Where Yama lets only ancestors look into a process, the supervisor may all the same.
    let _ = rustix::process::set_ptracer(rustix::process::PTracer::Any);
    match ask(theirs.as_raw_fd(), command.len()) {
        Ok(()) => {}
        // We are not traced, so the command is not either.
        Err(Errno::EINVAL) => return instead(command),
        Err(errno) => {
            let why = errno::why(errno);
            let hint = lang.pick(
                "a process with its own seccomp filter cannot start one without it",
                "自带 seccomp 过滤器的进程不能启动不带过滤器的进程",
            );
            let hint = if errno == Errno::EPERM { format!("\n  {hint}") } else { String::new() };
            return complain(&format!("{why}{hint}"), NOT_STARTED);
        }
    }
    drop(theirs);
    match Message::receive(&ours) {
        Some((Message::Started, terminal)) => {
            let status = attend(&ours, terminal);
            status.unwrap_or_else(|error| complain(&errno::why_io(&error), NOT_STARTED))
        }
        Some((Message::Failed(why), _)) => complain(&why, NOT_STARTED),
        _ => complain(lang.pick("the session has ended", "会话已结束"), NOT_STARTED),
    }
}

/// Asks the tracer. EINVAL is the kernel's own answer.
#[expect(unsafe_code, reason = "no crate knows this call")]
pub(super) fn ask(socket: i32, words: usize) -> nix::Result<()> {
    let (ask, socket, words) = (ASK as libc::c_int, socket as libc::c_ulong, words as libc::c_ulong);
    // SAFETY: the call takes numbers.
    Errno::result(unsafe { libc::prctl(ask, socket, words, 0, 0) }).map(drop)
}

/// Becomes the command.
fn instead(command: &[OsString]) -> ExitCode {
    let Some((name, args)) = command.split_first() else { return ExitCode::from(NOT_STARTED) };
    let error = Command::new(name).args(args).exec();
    let status = if error.kind() == io::ErrorKind::NotFound { NOT_FOUND } else { NOT_EXECUTABLE };
    complain(&format!("{}: {}", name.display(), errno::why_io(&error)), status)
}

/// Passes signals and the terminal on until the command has ended.
fn attend(socket: &OwnedFd, terminal: Option<OwnedFd>) -> io::Result<ExitCode> {
    let mut taken: SigSet = PASSED.into_iter().collect();
    taken.add(Signal::SIGWINCH);
    taken.thread_block()?;
    let signals = SignalFd::with_flags(&taken, SfdFlags::SFD_CLOEXEC)?;
    let mut relay = terminal.map(Relay::begin).transpose()?;
    loop {
        let (mut fds, wanted) = (vec![readable(socket), readable(&signals)], relay.as_ref().map(Relay::wanted));
        fds.extend(wanted.into_iter().flatten());
        match poll(&mut fds, PollTimeout::NONE) {
            Ok(_) => {}
            Err(Errno::EINTR) => continue,
            Err(errno) => return Err(errno.into()),
        }
        let events: Vec<_> = fds.iter().map(nix::poll::PollFd::revents).collect();
        drop(fds);
        if let Some(relay) = &mut relay {
            relay.turn(&events[2..]);
        }
        if is_ready(events[1])
            && let Ok(Some(info)) = signals.read_signal()
        {
            match (info.ssi_signo as i32, &relay) {
                (libc::SIGWINCH, Some(relay)) => relay.resize(),
                (libc::SIGWINCH, None) => {}
                (signal, _) => drop(Message::Signal(signal).send(socket, None)),
            }
        }
        if is_ready(events[0]) {
            let message = Message::receive(socket);
            if let Some(relay) = relay {
                relay.end();
            }
            return Ok(match message {
                Some((Message::Ended(status), _)) if libc::WIFSIGNALED(status) => {
                    ExitCode::from(128u8.saturating_add(libc::WTERMSIG(status) as u8))
                }
                Some((Message::Ended(status), _)) => ExitCode::from(libc::WEXITSTATUS(status) as u8),
                _ => ExitCode::from(128 + libc::SIGKILL as u8),
            });
        }
    }
}

fn complain(what: &str, status: u8) -> ExitCode {
    let who = say("boxwright: untraced: ", "boxwright：untraced：");
    let _ = writeln!(io::stderr(), "{}", text::safe(&format!("{who}{what}")));
    ExitCode::from(status)
}
