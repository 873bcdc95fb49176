//! The terminal of the asking process and that of the command, one passed on to the other.

use super::is_ready;
use nix::{
    errno::Errno,
    fcntl::{FcntlArg, FdFlag, OFlag, fcntl},
    poll::{PollFd, PollFlags},
    pty::openpty,
    sys::termios::{SetArg, Termios, cfmakeraw, tcgetattr, tcsetattr},
    unistd::{read, write},
};
use std::{
    io::{self, Write},
    os::fd::{AsFd, AsRawFd, OwnedFd},
};

/// How much is passed on at once.
const CHUNK: usize = 4096;

/// Our terminal, raw, and the master's side of the command's.
pub(super) struct Relay {
    master: OwnedFd,
    saved: Termios,
    /// What was typed and has found no room yet.
    typed: Vec<u8>,
    /// The input has ended.
    closed: bool,
    /// The output has ended.
    hung_up: bool,
}

impl Relay {
    /// Makes our terminal raw.
    ///
    /// Errors: those of tcgetattr(3) and tcsetattr(3).
    pub(super) fn begin(master: OwnedFd) -> io::Result<Relay> {
        let saved = tcgetattr(io::stdin())?;
        let flags = OFlag::from_bits_retain(fcntl(&master, FcntlArg::F_GETFL)?);
        fcntl(&master, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK))?;
        let relay = Relay { master, saved, typed: Vec::new(), closed: false, hung_up: false };
        let mut raw = relay.saved.clone();
        cfmakeraw(&mut raw);
        tcsetattr(io::stdin(), SetArg::TCSADRAIN, &raw)?;
        Ok(relay)
    }

    /// What is to be waited for: the master's side, and the keys unless some are still waiting.
    pub(super) fn wanted(&self) -> Vec<PollFd<'_>> {
        let room = if self.typed.is_empty() { PollFlags::empty() } else { PollFlags::POLLOUT };
        let output = if self.hung_up { PollFlags::empty() } else { PollFlags::POLLIN };
        let keys = !self.closed && self.typed.is_empty();
        let keys = if keys { PollFlags::POLLIN } else { PollFlags::empty() };
        let mut all = vec![PollFd::new(self.stdin(), keys)];
        if !self.hung_up {
            all.push(PollFd::new(self.master.as_fd(), output | room));
        }
        all
    }

    #[expect(unsafe_code, reason = "standard input is a number")]
    fn stdin(&self) -> std::os::fd::BorrowedFd<'static> {
        // SAFETY: nothing in this program closes standard input.
        unsafe { std::os::fd::BorrowedFd::borrow_raw(0) }
    }

    /// Passes on what has come.
    pub(super) fn turn(&mut self, events: &[Option<PollFlags>]) {
        if is_ready(events.first().copied().flatten()) && !self.closed {
            let mut bytes = [0; CHUNK];
            match read(io::stdin(), &mut bytes) {
                Ok(count) if count > 0 => self.typed.extend_from_slice(&bytes[..count]),
                Err(Errno::EINTR | Errno::EAGAIN) => {}
                _ => self.closed = true,
            }
        }
        if !self.typed.is_empty()
            && let Ok(count) = write(&self.master, &self.typed)
        {
            self.typed.drain(..count);
        }
        if is_ready(events.get(1).copied().flatten()) {
            self.print();
        }
    }

    /// Prints one piece of what the command wrote; whether there was any.
    fn print(&mut self) -> bool {
        let mut bytes = [0; CHUNK];
        match read(&self.master, &mut bytes) {
            Ok(count) if count > 0 => {
                let mut out = io::stdout();
                out.write_all(&bytes[..count]).and_then(|()| out.flush()).is_ok()
            }
            Err(Errno::EINTR) => true,
            Err(Errno::EAGAIN) => false,
            // EIO: no process has the terminal open.
            _ => {
                self.hung_up = true;
                false
            }
        }
    }

    /// Gives the command's terminal the size of ours; its foreground group gets SIGWINCH.
    #[expect(unsafe_code, reason = "nix has no call for it")]
    pub(super) fn resize(&self) {
        let size = size(io::stdin());
        // SAFETY: the descriptor is open, and the kernel only reads the structure.
        unsafe { libc::ioctl(self.master.as_raw_fd(), libc::TIOCSWINSZ, &raw const size) };
    }

    /// Prints the rest, and gives our terminal back as it was.
    pub(super) fn end(mut self) {
        while self.print() {}
    }
}

/// A terminal for the command, with the size and the settings of another one: both sides, which an exec closes.
///
/// Errors: those of openpty(3).
pub(super) fn pair(like: &OwnedFd) -> nix::Result<(OwnedFd, OwnedFd)> {
    let pty = openpty(Some(&size(like)), &tcgetattr(like)?)?;
    for side in [&pty.master, &pty.slave] {
        fcntl(side, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
    }
    Ok((pty.master, pty.slave))
}

/// How large a terminal is; nothing where it does not tell.
#[expect(unsafe_code, reason = "nix has no call for it")]
fn size(terminal: impl AsFd) -> libc::winsize {
    let mut size = libc::winsize { ws_row: 0, ws_col: 0, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: the descriptor is open, and the kernel fills in the structure.
    unsafe { libc::ioctl(terminal.as_fd().as_raw_fd(), libc::TIOCGWINSZ, &raw mut size) };
    size
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = tcsetattr(io::stdin(), SetArg::TCSADRAIN, &self.saved);
    }
}
