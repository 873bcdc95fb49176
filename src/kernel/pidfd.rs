//! Process file descriptors (pidfd_open(2)): they name one process for good, while a PID may be given to another.
#![allow(unsafe_code)]

use nix::errno::Errno;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// Opens a process. The descriptor becomes readable (poll(2)) when the process has ended.
///
/// Errors: ESRCH where there is no such process; ENOSYS before Linux 5.3.
pub fn open(pid: i32) -> nix::Result<OwnedFd> {
    // SAFETY: the call takes two integers and touches no memory of ours.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    let fd = RawFd::try_from(Errno::result(fd)?).map_err(|_| Errno::EBADF)?;
    // SAFETY: the kernel has just made this descriptor for us, and nothing else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Sends SIGKILL to exactly the process that was opened (pidfd_send_signal(2)).
///
/// Errors: ESRCH where it has been reaped; EPERM where it is not ours to kill.
pub fn kill(process: BorrowedFd) -> nix::Result<()> {
    let (fd, none) = (process.as_raw_fd(), std::ptr::null::<libc::siginfo_t>());
    // SAFETY: the descriptor is open for the length of the call, and a null siginfo means "as kill(2) would".
    Errno::result(unsafe { libc::syscall(libc::SYS_pidfd_send_signal, fd, libc::SIGKILL, none, 0) }).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
    use std::os::fd::AsFd;

    #[test]
    fn a_killed_process_makes_its_descriptor_readable() {
        let mut child = std::process::Command::new("sleep").arg("99").spawn().unwrap();
        let fd = open(child.id() as i32).unwrap();
        kill(fd.as_fd()).unwrap();
        assert_eq!(poll(&mut [PollFd::new(fd.as_fd(), PollFlags::POLLIN)], PollTimeout::from(20_000u16)), Ok(1));
        child.wait().unwrap();
        assert_eq!(kill(fd.as_fd()), Err(Errno::ESRCH));
    }
}
