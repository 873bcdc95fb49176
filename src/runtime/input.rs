//! The thread that listens to the screen's terminal.
//!
//! It waits in poll(2) for the terminal, for a new size and for its own end, and leaves at a hang-up: a reader that
//! goes on after one is told "readable" for ever.

use super::{keyboard::Keyboard, queue::Queue};
use crate::event::Event;
use crate::terminal::Size;
use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::{
        eventfd::{EfdFlags, EventFd},
        signal::{SigSet, Signal},
        signalfd::{SfdFlags, SignalFd},
    },
    unistd,
};
use std::{
    io,
    os::fd::{AsFd, BorrowedFd},
    sync::Arc,
    thread,
};

/// How long the bytes of one key may be apart, in milliseconds. A slow line is slower, but people wait for Escape.
const APART: u8 = 40;

/// Signals that are about the terminal: a new size, and job control from outside (in raw mode ^Z is a key). A SIGSTOP
/// cannot be caught; only the SIGCONT after it can tell that the shell had the terminal meanwhile.
const SIGNALS: [Signal; 3] = [Signal::SIGWINCH, Signal::SIGTSTP, Signal::SIGCONT];

/// Blocks the signals that the thread takes from a signalfd(2). To be called before any thread is made.
pub(super) fn block() -> io::Result<()> {
    Ok(SIGNALS.into_iter().collect::<SigSet>().thread_block()?)
}

/// A running input thread. Dropping it ends the thread at its next wait.
#[derive(Debug)]
pub(super) struct Input {
    stop: Arc<EventFd>,
}

impl Input {
    /// Starts listening to standard input.
    pub(super) fn start(queue: Arc<Queue>) -> io::Result<Input> {
        Input::start_on(io::stdin(), queue)
    }

    /// Starts listening to this terminal.
    pub(super) fn start_on(terminal: impl AsFd + Send + 'static, queue: Arc<Queue>) -> io::Result<Input> {
        let signals =
            SignalFd::with_flags(&SIGNALS.into_iter().collect(), SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?;
        let stop = Arc::new(EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?);
        let stopped = stop.clone();
        thread::Builder::new().name("input".into()).spawn(move || {
            listen(terminal.as_fd(), &signals, &stopped, &queue);
        })?;
        Ok(Input { stop })
    }
}

impl Drop for Input {
    fn drop(&mut self) {
        let _ = self.stop.write(1);
    }
}

fn listen(terminal: BorrowedFd<'_>, signals: &SignalFd, stop: &EventFd, queue: &Queue) {
    let mut keyboard = Keyboard::default();
    let mut buffer = [0; 4096];
    loop {
        let mut fds = [
            PollFd::new(stop.as_fd(), PollFlags::POLLIN),
            PollFd::new(signals.as_fd(), PollFlags::POLLIN),
            PollFd::new(terminal, PollFlags::POLLIN),
        ];
        let timeout = if keyboard.is_waiting() { PollTimeout::from(APART) } else { PollTimeout::NONE };
        match poll(&mut fds, timeout) {
            Err(Errno::EINTR) => continue,
            Err(_) => return queue.send(Event::HungUp),
            Ok(0) => {
                keyboard.flush().into_iter().for_each(|event| queue.send(event));
                continue;
            }
            Ok(_) => {}
        }
        if fds[0].any() != Some(false) {
            return;
        }
        while let Ok(Some(signal)) = signals.read_signal() {
            queue.send(match signal.ssi_signo as i32 {
                libc::SIGWINCH => Event::Resize(size()),
                libc::SIGCONT => Event::Resume,
                _ => Event::Suspend,
            });
        }
        let ready = fds[2].revents().unwrap_or(PollFlags::POLLERR);
        if ready.contains(PollFlags::POLLIN) {
            match unistd::read(terminal, &mut buffer) {
                Ok(count @ 1..) => {
                    let bytes = buffer.get(..count).unwrap_or_default();
                    keyboard.feed(bytes).into_iter().for_each(|event| queue.send(event));
                }
                Err(Errno::EINTR | Errno::EAGAIN) => {}
                Ok(_) | Err(_) => return queue.send(Event::HungUp),
            }
        } else if !ready.is_empty() {
            return queue.send(Event::HungUp);
        }
    }
}

/// Columns and rows of the screen's terminal; 0 where it does not know.
#[expect(unsafe_code, reason = "nix has no call for it")]
pub(super) fn size() -> Size {
    let mut size = libc::winsize { ws_row: 0, ws_col: 0, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: the descriptor is open, and the kernel writes one winsize into a place that is one.
    let result = unsafe { libc::ioctl(libc::STDOUT_FILENO, libc::TIOCGWINSZ, &raw mut size) };
    if result == 0 { Size::new(size.ws_col, size.ws_row) } else { Size::default() }
}
