//! Process file descriptors (pidfd_open(2)): they name one process for good, while a PID may be given to another.

use super::pid::Pid;
use nix::errno::Errno;
use rustix::process::{
    PidfdFlags, PidfdGetfdFlags, Signal, WaitId, WaitIdOptions, pidfd_getfd, pidfd_open, pidfd_send_signal, waitid,
};
use std::os::fd::{BorrowedFd, OwnedFd, RawFd};

/// Opens a process. The descriptor becomes readable (poll(2)) when the process has ended.
///
/// Errors: ESRCH where there is no such process; ENOSYS before Linux 5.3.
pub fn open(pid: Pid) -> nix::Result<OwnedFd> {
    let pid = rustix::process::Pid::from_raw(pid.0).ok_or(Errno::EINVAL)?;
    pidfd_open(pid, PidfdFlags::empty()).map_err(errno)
}

/// Sends SIGKILL to exactly the process that was opened (pidfd_send_signal(2)).
///
/// Errors: ESRCH where it has been reaped; EPERM where it is not ours to kill.
pub(crate) fn kill(process: BorrowedFd) -> nix::Result<()> {
    pidfd_send_signal(process, Signal::KILL).map_err(errno)
}

/// A copy of one of its descriptors (pidfd_getfd(2)); an exec closes it.
///
/// Errors: EBADF where it has none of this number; EPERM where we may not trace it; ENOSYS before Linux 5.6.
pub fn copy(process: &OwnedFd, descriptor: RawFd) -> nix::Result<OwnedFd> {
    pidfd_getfd(process, descriptor, PidfdGetfdFlags::empty()).map_err(errno)
}

/// Reaps exactly this process if it has ended; false where it still runs.
///
/// Errors: ECHILD where it is not a child of ours, or has been reaped; EINVAL before Linux 5.4.
pub(crate) fn reap(process: BorrowedFd) -> nix::Result<bool> {
    let reaped = waitid(WaitId::PidFd(process), WaitIdOptions::EXITED | WaitIdOptions::NOHANG);
    reaped.map(|status| status.is_some()).map_err(errno)
}

fn errno(errno: rustix::io::Errno) -> Errno {
    Errno::from_raw(errno.raw_os_error())
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
    use std::os::fd::AsFd;

    #[test]
    fn a_killed_process_makes_its_descriptor_readable() {
        let mut child = std::process::Command::new("sleep").arg("99").spawn().unwrap();
        let fd = open(Pid::of(&child)).unwrap();
        assert_eq!(reap(fd.as_fd()), Ok(false));
        kill(fd.as_fd()).unwrap();
        assert_eq!(poll(&mut [PollFd::new(fd.as_fd(), PollFlags::POLLIN)], PollTimeout::from(20_000u16)), Ok(1));
        child.wait().unwrap();
        assert_eq!(reap(fd.as_fd()), Err(Errno::ECHILD));
        assert_eq!(kill(fd.as_fd()), Err(Errno::ESRCH));
    }
}
