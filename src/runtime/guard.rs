//! The screen's terminal: taken over, and given back as it was, whatever happens in between.

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::termios::{SetArg, Termios, cfmakeraw, tcgetattr, tcsetattr};
use std::{
    io::{self, Write},
    os::fd::AsFd,
    sync::{Mutex, PoisonError, TryLockError},
};

/// Alternate screen, no cursor, pasted text in brackets.
const TAKE: &[u8] = b"\x1b[?1049h\x1b[H\x1b[2J\x1b[?25l\x1b[?2004h";
/// The reverse. What is drawn goes first: a terminal without an alternate screen would keep it.
const GIVE_BACK: &[u8] = b"\x1b[?2004l\x1b[0m\x1b[H\x1b[2J\x1b[?1049l\x1b[?25h";

/// The settings to give back; `None` while the terminal is not ours. It is here and not in [`Guard`] because a panic
/// in any thread must find it.
static BEFORE: Mutex<Option<Termios>> = Mutex::new(None);

/// Holds the terminal of standard input and output in raw mode on its alternate screen.
#[derive(Debug)]
pub(super) struct Guard(());

impl Guard {
    /// Takes the terminal over, and makes every panic give it back before a word is printed.
    pub(super) fn take() -> io::Result<Guard> {
        take()?;
        std::panic::set_hook(Box::new(|panic| {
            give_back();
            let place = panic.location().map(|place| format!(" ({}:{})", place.file(), place.line()));
            let what = panic.payload();
            let what = what.downcast_ref::<&str>().map(|text| text.to_string());
            let what = what.or_else(|| panic.payload().downcast_ref::<String>().cloned()).unwrap_or_default();
            let line = what.lines().next().unwrap_or_default();
            let place = place.unwrap_or_default();
            // Where the terminal is gone nothing can be told, and failing to would be a panic within this one.
            let _ = writeln!(io::stderr(), "boxwright: this is a mistake in boxwright itself: {line}{place}");
            // Where another thread died, the main thread must end too: it would go on to draw.
            let _ = nix::sys::signal::kill(nix::unistd::Pid::this(), nix::sys::signal::Signal::SIGTERM);
        }));
        Ok(Guard(()))
    }

    /// Gives the terminal to the shell for a while, as when a job is stopped.
    pub(super) fn lend(&self) {
        give_back();
    }

    /// Takes it again, from the program that had it, whether lent or not.
    pub(super) fn retake(&self) -> io::Result<()> {
        take()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        give_back();
        drop(std::panic::take_hook());
    }
}

fn take() -> io::Result<()> {
    let input = io::stdin();
    let mut kept = BEFORE.lock().unwrap_or_else(PoisonError::into_inner);
    // What is there while the terminal is ours was set by us, or by a shell for itself.
    let before = match kept.take() {
        Some(before) => before,
        None => tcgetattr(input.as_fd())?,
    };
    let mut raw = before.clone();
    cfmakeraw(&mut raw);
    *kept = Some(before);
    drop(kept);
    // TCSANOW: waiting for a terminal that takes no output would be waiting for ever.
    tcsetattr(input.as_fd(), SetArg::TCSANOW, &raw)?;
    send(TAKE);
    Ok(())
}

/// Puts everything back once; later calls do nothing.
fn give_back() {
    // A panic while the lock is held must not wait for itself.
    let before = match BEFORE.try_lock() {
        Ok(mut before) => before.take(),
        Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner().take(),
        Err(TryLockError::WouldBlock) => None,
    };
    let Some(before) = before else { return };
    let _ = tcsetattr(io::stdin().as_fd(), SetArg::TCSANOW, &before);
    send(GIVE_BACK);
}

/// Gives the terminal back as far as that is possible without waiting, for a process that ends at once.
pub(super) fn abandon() {
    let Ok(mut before) = BEFORE.try_lock() else { return };
    let Some(before) = before.take() else { return };
    let _ = tcsetattr(io::stdin().as_fd(), SetArg::TCSANOW, &before);
    let out = io::stdout();
    let mut ready = [PollFd::new(out.as_fd(), PollFlags::POLLOUT)];
    if poll(&mut ready, PollTimeout::ZERO) == Ok(1) && ready[0].revents() == Some(PollFlags::POLLOUT) {
        let _ = nix::unistd::write(out.as_fd(), GIVE_BACK);
    }
}

/// Writes without the buffer of `io::stdout`, which a panicking thread may hold.
fn send(mut bytes: &[u8]) {
    while !bytes.is_empty() {
        match nix::unistd::write(io::stdout().as_fd(), bytes) {
            Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
            Err(nix::errno::Errno::EINTR) => {}
            Err(_) => return,
        }
    }
}
