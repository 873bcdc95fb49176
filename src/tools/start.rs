//! How a tool begins, and how it becomes another program.
#![allow(unsafe_code)]

use nix::{
    errno::Errno,
    sys::{
        signal::{SaFlags, SigAction, SigHandler, SigSet, SigmaskHow, Signal, raise, sigaction, sigprocmask},
        wait::{WaitStatus, waitpid},
    },
    unistd::{ForkResult, Pid, execvp, fork},
};
use std::{ffi::CString, process::ExitCode};

/// Exit status where a program was not found, or cannot be executed (as a shell has it).
const NOT_FOUND: u8 = 127;
const NOT_EXECUTABLE: u8 = 126;

/// Rust ignores SIGPIPE, and `ps | head` would end with an error; the kernel's default is to end quietly.
pub(super) fn end_on_closed_pipe() {
    let default = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
    // SAFETY: this installs the kernel's own behaviour and no function of ours.
    let _ = unsafe { sigaction(Signal::SIGPIPE, &default) };
}

/// Makes a child (fork(2)): the child gets `None`, the parent the child's PID.
pub(super) fn split() -> nix::Result<Option<Pid>> {
    // SAFETY: a tool has one thread, so the child finds no lock that somebody else holds.
    match unsafe { fork() }? {
        ForkResult::Parent { child } => Ok(Some(child)),
        ForkResult::Child => Ok(None),
    }
}

/// Waits for the child and ends as it ended: with its status, or by the same signal.
pub(super) fn wait_for(tool: &str, child: Pid, blocked: &SigSet) -> ExitCode {
    loop {
        match waitpid(child, None) {
            Ok(WaitStatus::Exited(_, status)) => return ExitCode::from(status as u8),
            Ok(WaitStatus::Signaled(_, signal, _)) => {
                let _ = sigprocmask(SigmaskHow::SIG_UNBLOCK, Some(blocked), None);
                let _ = raise(signal);
                return ExitCode::from(128u8.saturating_add(signal as u8));
            }
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return super::failed(tool, "waitpid failed", errno, None, 1),
        }
    }
}

/// The program that runs where none was named: the user's shell.
pub(super) fn shell() -> String {
    std::env::var("SHELL").ok().filter(|shell| !shell.is_empty()).unwrap_or_else(|| "/bin/sh".into())
}

/// Becomes the program (execve(2), searched along the PATH). It only comes back where that failed, and says why.
pub(super) fn become_program(tool: &str, words: &[String]) -> ExitCode {
    let text = |word: &String| CString::new(word.as_bytes()).unwrap_or_default();
    let argv: Vec<CString> = words.iter().map(text).collect();
    let program = argv.first().cloned().unwrap_or_default();
    let errno = execvp(&program, &argv).err().unwrap_or(Errno::ENOENT);
    let status = if errno == Errno::ENOENT { NOT_FOUND } else { NOT_EXECUTABLE };
    let hint = super::start::why_not(&program.to_string_lossy(), errno);
    super::failed(tool, &format!("failed to execute {}", program.to_string_lossy()), errno, hint.as_deref(), status)
}

/// What the file itself says about a failed execve: ENOENT may mean the interpreter, ENOEXEC another machine.
pub(super) fn why_not(program: &str, errno: Errno) -> Option<String> {
    let head = std::fs::read(program).ok().filter(|_| program.contains('/'))?;
    match errno {
        Errno::ENOENT if head.starts_with(b"#!") => {
            let line = head.split(|byte| *byte == b'\n').next()?.get(2..)?;
            let interpreter = String::from_utf8_lossy(line).split_whitespace().next()?.to_string();
            Some(format!("the file is there; its interpreter {interpreter} is not"))
        }
        Errno::ENOENT if head.starts_with(b"\x7fELF") => {
            Some("the file is there; the loader that it names is not: is its lib directory in this root?".into())
        }
        Errno::ENOEXEC if head.starts_with(b"\x7fELF") => Some("it is a program for another kind of machine".into()),
        Errno::ENOEXEC => Some("it is no program: neither ELF nor a script that begins with #!".into()),
        _ => None,
    }
}
