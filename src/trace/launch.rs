//! The hidden role `__launch FD TTY DIR PROGRAM ARGV…`: the last steps of a new process before it becomes the command.
//!
//! It waits until the tracer has seized it, so that not one call of the command is missed, and installs the filter itself,
//! because a filter is inherited and never given from outside.

use super::filter;
use crate::kernel::errno;
use nix::{
    errno::Errno,
    fcntl::{OFlag, open},
    sys::{
        signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction},
        stat::Mode,
    },
    unistd::{chdir, dup2_stderr, dup2_stdin, dup2_stdout, execv, read, setsid},
};
use std::{
    ffi::{CString, OsString},
    os::{
        fd::{FromRawFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
    path::Path,
    process::ExitCode,
};

/// The first argument of the process.
pub const ROLE: &str = "__launch";

/// What the tracer writes into the pipe when it has seized the process.
pub(super) const TRACED: u8 = b't';
/// What it writes where ptrace is refused: go on without a filter, which would make its calls fail.
pub(super) const UNTRACED: u8 = b'u';

/// Exit status where the command cannot be started at all (as env(1) and chroot(1) have it).
const NOT_STARTED: u8 = 125;
const NOT_EXECUTABLE: u8 = 126;
const NOT_FOUND: u8 = 127;

/// Becomes the command. Comes back only with a failure, which it has then told on standard error.
#[expect(unsafe_code, reason = "a descriptor that was handed down is a number")]
pub fn run(args: &[OsString]) -> ExitCode {
    let [fd, tty, dir, program, argv @ ..] = args else { return ExitCode::from(NOT_STARTED) };
    let Some(fd) = fd.to_str().and_then(|fd| fd.parse().ok()) else { return ExitCode::from(NOT_STARTED) };
    // SAFETY: the tracer left exactly this descriptor open for us, and nothing else here knows of it.
    let pipe = unsafe { OwnedFd::from_raw_fd(fd) };
    let prepared = terminal(Path::new(tty))
        .map_err(|errno| (tty, errno))
        .and_then(|()| chdir(Path::new(dir)).map_err(|errno| (dir, errno)));
    let mut word = [0];
    let traced = match read(&pipe, &mut word) {
        Ok(1) => word == [TRACED],
        // The tracer is gone.
        _ => return ExitCode::from(NOT_STARTED),
    };
    // The command must not find it.
    drop(pipe);
    if let Err((what, errno)) = prepared {
        return fail(what, errno, NOT_STARTED);
    }
    if traced {
        // Where the kernel takes no filter the command runs all the same; the tracer notices that its start makes no stop, and
        // stops it at every call.
        let _ = filter::install();
    }
    restore_signals(!tty.is_empty());
    if !tty.is_empty() {
        leave_files();
    }
    let text = |word: &OsString| CString::new(word.as_bytes()).unwrap_or_default();
    let words: Vec<CString> = argv.iter().map(text).collect();
    match execv(&text(program), &words) {
        Ok(never) => match never {},
        Err(Errno::ENOENT) => fail(program, Errno::ENOENT, NOT_FOUND),
        Err(errno) => fail(program, errno, NOT_EXECUTABLE),
    }
}

/// Undoes what this program did to its own signals: it blocks some, and ignores SIGPIPE. On a terminal of its own a
/// command begins as after a login, whatever was ignored around us.
#[expect(unsafe_code, reason = "nix cannot know that no handler is involved")]
fn restore_signals(all: bool) {
    for signal in Signal::iterator().filter(|signal| all || *signal == Signal::SIGPIPE) {
        // SAFETY: no handler of ours is installed or replaced: both ways lead to what the kernel does by itself.
        // SIGKILL and SIGSTOP refuse, and are never ignored.
        let _ = unsafe { sigaction(signal, &SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty())) };
    }
    let _ = SigSet::empty().thread_set_mask();
}

/// On a terminal of its own a command begins with nothing but that: whatever else was open around us is closed by the exec.
#[expect(unsafe_code, reason = "neither nix nor rustix has this call")]
fn leave_files() {
    let (first, last, on_exec) = (3, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC);
    // SAFETY: the call takes three numbers. Kernels before 5.11 refuse, and nothing is lost by that.
    unsafe { libc::syscall(libc::SYS_close_range, first, last, on_exec) };
}

/// Makes the terminal the controlling one of a new session, and standard input, output and error.
fn terminal(tty: &Path) -> nix::Result<()> {
    if tty.as_os_str().is_empty() {
        return Ok(());
    }
    setsid()?;
    let tty = open(tty, OFlag::O_RDWR, Mode::empty())?;
    rustix::process::ioctl_tiocsctty(&tty).map_err(|errno| Errno::from_raw(errno.raw_os_error()))?;
    dup2_stdin(&tty)?;
    dup2_stdout(&tty)?;
    dup2_stderr(&tty)
}

fn fail(what: &OsString, errno: Errno, status: u8) -> ExitCode {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "boxwright: {}: {}", what.display(), errno::why(errno));
    ExitCode::from(status)
}
