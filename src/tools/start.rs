//! How a tool begins, becomes another program, and ends like its child.

use super::failed;
use crate::kernel::exec::why_not;
use nix::{
    errno::Errno,
    sys::{
        signal::{SaFlags, SigAction, SigHandler, SigSet, SigmaskHow, Signal, kill, raise, sigaction, sigprocmask},
        wait::{WaitPidFlag, WaitStatus, waitpid},
    },
    unistd::{ForkResult, Pid, execvp, fork},
};
use std::{
    ffi::{CString, OsStr, OsString},
    os::unix::ffi::OsStrExt,
    process::ExitCode,
};

/// Exit status where a program was not found, or cannot be executed (as a shell has it).
const NOT_FOUND: u8 = 127;
const NOT_EXECUTABLE: u8 = 126;

#[expect(unsafe_code, reason = "nix cannot know that no handler is involved")]
fn set_default(signal: Signal) {
    let default = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
    // SAFETY: this installs the kernel's own behaviour and no function of ours.
    let _ = unsafe { sigaction(signal, &default) };
}

/// Rust ignores SIGPIPE, and `ps | head` would end with an error; the kernel's default is to end quietly. A parent that
/// ignores SIGCHLD would take the status of our child away.
pub(super) fn default_signals() {
    set_default(Signal::SIGPIPE);
    set_default(Signal::SIGCHLD);
}

/// Makes a child (fork(2)): the child gets `None`, the parent the child's PID.
#[expect(unsafe_code, reason = "a process with one thread is copied")]
pub(super) fn split() -> nix::Result<Option<Pid>> {
    // SAFETY: a tool has one thread, so the child finds no lock that another thread holds.
    match unsafe { fork() }? {
        ForkResult::Parent { child } => Ok(Some(child)),
        ForkResult::Child => Ok(None),
    }
}

/// Reads a signal by number or name, with or without `SIG`.
pub(super) fn signal(text: &str) -> Option<Signal> {
    let number = || text.parse::<i32>().ok().and_then(|number| Signal::try_from(number).ok());
    format!("SIG{}", text.trim_start_matches("SIG")).parse().ok().or_else(number)
}

/// The program that runs where none was named: the user's shell.
pub(super) fn shell() -> OsString {
    std::env::var_os("SHELL").filter(|shell| !shell.is_empty()).unwrap_or_else(|| "/bin/sh".into())
}

/// Becomes the program (execve(2), searched along the PATH). It only comes back where that failed, and says why.
pub(super) fn become_program(tool: &str, words: &[OsString]) -> ExitCode {
    let argv: Vec<CString> = words.iter().filter_map(|word| CString::new(word.as_bytes()).ok()).collect();
    let program = argv.first().cloned().unwrap_or_default();
    let errno = execvp(&program, &argv).err().unwrap_or(Errno::ENOENT);
    let status = if errno == Errno::ENOENT { NOT_FOUND } else { NOT_EXECUTABLE };
    let program = OsStr::from_bytes(program.as_bytes());
    let what = format!("failed to execute {}", program.display());
    failed(tool, &what, errno, why_not(program, errno).as_deref(), status)
}

/// Waits for the child and ends as it ended: with its status, or by the same signal. With `stops`, a stop of the child
/// stops us as well, so that a shell's job control sees one job.
pub(super) fn end_like(tool: &str, child: Pid, stops: bool) -> ExitCode {
    loop {
        match waitpid(child, stops.then_some(WaitPidFlag::WUNTRACED)) {
            Ok(WaitStatus::Exited(_, status)) => return ExitCode::from(status as u8),
            Ok(WaitStatus::Signaled(_, signal, _)) => {
                set_default(signal);
                let _ = sigprocmask(SigmaskHow::SIG_UNBLOCK, Some(&signal.into()), None);
                let _ = raise(signal);
                return ExitCode::from(128u8.saturating_add(signal as u8));
            }
            Ok(WaitStatus::Stopped(..)) => {
                let _ = raise(Signal::SIGSTOP);
                let _ = kill(child, Signal::SIGCONT);
            }
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return failed(tool, "waitpid failed", errno, None, 1),
        }
    }
}
