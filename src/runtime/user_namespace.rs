//! The user namespace that both terminals share where boxwright is not root.
//!
//! Without root every other namespace needs a user namespace around it, in which the learner is root. It must be the same
//! one in both terminals: root of one user namespace may not look into, or enter, what belongs to its neighbour
//! (user_namespaces(7)).

use crate::kernel::{pid::Pid, text};
use std::{
    ffi::OsString,
    io::{self, Read},
    os::fd::AsFd,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::kernel::pidfd;
use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
};

/// How long making it may take.
const DEADLINE: Duration = Duration::from_secs(20);

/// How long its end is waited for, in milliseconds.
const ENDING: u8 = 200;

/// A process that waits in it, so that it can be entered at any time. It ends with us: its input is a pipe of ours.
#[derive(Debug)]
pub(super) struct UserNamespace(Child);

impl UserNamespace {
    /// Makes it; `bin` has the tools.
    ///
    /// Errors: what unshare(1) printed, which names the call and the errno.
    pub(super) fn make(bin: &Path) -> io::Result<UserNamespace> {
        let mut child = Command::new(bin.join("unshare"))
            .args(["--user", "--map-root-user", "--", "/bin/sh", "-c", "echo; read -r line"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let ready = child.stdout.take().is_some_and(|mut out| answers(&mut out));
        let mut made = UserNamespace(child);
        if ready {
            return Ok(made);
        }
        let mut why = Vec::new();
        if let Some(mut errors) = made.0.stderr.take() {
            let _ = made.0.kill();
            let _ = errors.read_to_end(&mut why);
        }
        Err(io::Error::other(text::of(why).lines().next().unwrap_or("unshare --user does not answer").to_string()))
    }

    /// What stands before a command that is to run in it.
    pub(super) fn enter(&self, bin: &Path) -> Vec<OsString> {
        let file = format!("--user=/proc/{}/ns/user", self.0.id());
        vec![bin.join("nsenter").into(), file.into(), "--preserve-credentials".into(), "--".into()]
    }
}

/// Whether a first byte comes in time.
fn answers(out: &mut (impl Read + AsFd)) -> bool {
    let end = Instant::now() + DEADLINE;
    loop {
        let left = PollTimeout::try_from(end.saturating_duration_since(Instant::now())).unwrap_or(PollTimeout::ZERO);
        match poll(&mut [PollFd::new(out.as_fd(), PollFlags::POLLIN)], left) {
            Err(Errno::EINTR) => {}
            Ok(1..) => return out.read(&mut [0]).is_ok_and(|count| count > 0),
            _ => return false,
        }
    }
}

impl Drop for UserNamespace {
    fn drop(&mut self) {
        let _ = self.0.kill();
        // A killed process may take a while to end, or for ever; it is reaped where it does not.
        let Ok(process) = pidfd::open(Pid::of(&self.0)) else { return };
        let ended = poll(&mut [PollFd::new(process.as_fd(), PollFlags::POLLIN)], PollTimeout::from(ENDING));
        if ended == Ok(1) {
            let _ = self.0.wait();
        }
    }
}
