//! One pseudo terminal (pty(7)), seen from the master's side.

use crate::terminal::Size;
use crate::{
    kernel::{errno, errno_causes, pid::Pid},
    lang::say,
};
use nix::{
    errno::Errno,
    fcntl::OFlag,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    pty::{grantpt, posix_openpt, ptsname_r, unlockpt},
    sys::{
        eventfd::{EfdFlags, EventFd},
        termios::{InputFlags, SetArg, tcgetattr, tcsetattr},
    },
    unistd,
};
use std::{
    collections::VecDeque,
    fmt, io,
    os::fd::{AsFd, AsRawFd, OwnedFd},
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
};

/// The most that one [`PtyEvent::Output`] carries.
const CHUNK: usize = 64 * 1024;

/// What the reader thread reports.
#[derive(Debug, PartialEq, Eq)]
pub enum PtyEvent {
    /// What the programs wrote, at most 64 KiB.
    Output(Vec<u8>),
    /// No process has the terminal open any more: the shell ended by itself or was killed. It is the last event.
    Closed,
}

/// A pseudo terminal for one pane.
///
/// The slave is deliberately not kept open here: the kernel then reports the end when the last process closes it.
/// Until a process opens it for the first time there is nothing to report, and what is written waits for it.
pub struct Pty {
    wire: Arc<Wire>,
    slave_path: PathBuf,
}

/// What the handle and its two threads share.
struct Wire {
    master: OwnedFd,
    /// Becomes readable when the handle is dropped, and stays so.
    stop: EventFd,
    outbox: Mutex<Outbox>,
    queued: Condvar,
}

#[derive(Default)]
struct Outbox {
    pending: VecDeque<u8>,
    closed: bool,
}

impl Pty {
    /// Opens a pty of this size. Errors are an [`OpenError`] with a hint.
    pub fn open(size: Size) -> io::Result<Pty> {
        // Opened non-blocking and close-on-exec in one call: another thread may start a process at any moment.
        let flags = OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC | OFlag::O_NONBLOCK;
        let master = posix_openpt(flags).map_err(OpenError::at("open /dev/ptmx"))?;
        grantpt(&master).map_err(OpenError::at("grantpt"))?;
        unlockpt(&master).map_err(OpenError::at("unlockpt"))?;
        let slave_path = PathBuf::from(ptsname_r(&master).map_err(OpenError::at("ptsname"))?);
        // A ptmx of another devpts instance gives a name that does not exist here; better said now than by the child.
        nix::sys::stat::stat(&slave_path).map_err(OpenError::at("find the terminal in /dev/pts"))?;
        let master = OwnedFd::from(master);

        // With IUTF8 the kernel erases whole characters for shells that do not edit lines themselves. Best effort:
        // everything else works without it.
        if let Ok(mut settings) = tcgetattr(&master) {
            settings.input_flags |= InputFlags::IUTF8;
            let _ = tcsetattr(&master, SetArg::TCSANOW, &settings);
        }

        let stop = EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?;
        let wire = Arc::new(Wire { master, stop, outbox: Mutex::default(), queued: Condvar::new() });
        let pty = Pty { wire, slave_path };
        pty.resize(size)?;
        let wire = Arc::clone(&pty.wire);
        thread::Builder::new().name("pty writer".into()).spawn(move || wire.write_pending())?;
        Ok(pty)
    }

    /// The device that the shell opens as its controlling terminal, such as `/dev/pts/3`.
    pub fn slave_path(&self) -> &Path {
        &self.slave_path
    }

    /// Sets the window size in characters, at least 1×1; the foreground group gets SIGWINCH (TIOCSWINSZ(2const)).
    #[expect(unsafe_code, reason = "nix has no call for it")]
    pub fn resize(&self, size: Size) -> io::Result<()> {
        let (ws_row, ws_col) = (size.rows.max(1), size.columns.max(1));
        let size = libc::winsize { ws_row, ws_col, ws_xpixel: 0, ws_ypixel: 0 };
        // SAFETY: the descriptor is open for as long as `wire` lives, and the kernel only reads `size`.
        let result = unsafe { libc::ioctl(self.wire.master.as_raw_fd(), libc::TIOCSWINSZ, &raw const size) };
        Errno::result(result).map(drop).map_err(io::Error::from)
    }

    /// Sends input, all of it and in order, and never blocks: what the terminal has no room for waits in a queue.
    ///
    /// Errors: EIO when the terminal was closed.
    pub fn write(&self, bytes: &[u8]) -> io::Result<()> {
        let mut outbox = self.wire.outbox();
        let mut sent = 0;
        if outbox.pending.is_empty() && !outbox.closed {
            sent = self.wire.write_now(bytes, &mut outbox);
        }
        if outbox.closed {
            return Err(Errno::EIO.into());
        }
        if sent < bytes.len() {
            outbox.pending.extend(&bytes[sent..]);
            self.wire.queued.notify_one();
        }
        Ok(())
    }

    /// The foreground process group (tcgetpgrp(3)), which is the PID of its leader; `None` where there is none, or
    /// where it is not visible in our PID namespace.
    pub(crate) fn foreground(&self) -> Option<Pid> {
        unistd::tcgetpgrp(&self.wire.master).ok().map(|group| Pid(group.as_raw())).filter(|group| *group > Pid(0))
    }

    /// Starts the thread that reads what the programs write.
    ///
    /// It sleeps until there is something to read, and ends after [`PtyEvent::Closed`] or when the `Pty` is dropped.
    /// The sink may block: the programs then wait in their writes, as at any slow terminal.
    pub fn reader(&self, mut sink: impl FnMut(PtyEvent) + Send + 'static) -> io::Result<()> {
        let wire = Arc::clone(&self.wire);
        thread::Builder::new().name("pty reader".into()).spawn(move || wire.read_all(&mut sink))?;
        Ok(())
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        let _ = self.wire.stop.write(1);
        self.wire.close();
    }
}

impl Wire {
    fn outbox(&self) -> MutexGuard<'_, Outbox> {
        self.outbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn close(&self) {
        let mut outbox = self.outbox();
        outbox.closed = true;
        outbox.pending = VecDeque::new();
        self.queued.notify_one();
    }

    /// Waits for the master; `None` where the handle was dropped.
    fn wait(&self, events: PollFlags) -> Option<PollFlags> {
        loop {
            let mut fds = [PollFd::new(self.stop.as_fd(), PollFlags::POLLIN), PollFd::new(self.master.as_fd(), events)];
            match poll(&mut fds, PollTimeout::NONE) {
                Err(Errno::EINTR) => continue,
                Err(_) => return None,
                Ok(_) if fds[0].any() != Some(false) => return None,
                Ok(_) => return Some(fds[1].revents().unwrap_or(PollFlags::POLLERR)),
            }
        }
    }

    fn read_all(&self, sink: &mut dyn FnMut(PtyEvent)) {
        let mut buffer = vec![0; CHUNK];
        while self.wait(PollFlags::POLLIN).is_some() {
            let (length, open) = self.read_chunk(&mut buffer);
            if length > 0 {
                sink(PtyEvent::Output(buffer[..length].to_vec()));
            }
            if !open {
                self.close();
                return sink(PtyEvent::Closed);
            }
        }
    }

    /// Reads what is there: the kernel gives a page at a time, and one event for many pages costs the reader less.
    fn read_chunk(&self, buffer: &mut [u8]) -> (usize, bool) {
        let mut length = 0;
        while length < buffer.len() {
            match unistd::read(&self.master, &mut buffer[length..]) {
                Ok(0) => return (length, false),
                Ok(count) => length += count,
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => break,
                // EIO says that the last process closed the slave (or that a hang-up took it from them).
                Err(_) => return (length, false),
            }
        }
        (length, true)
    }

    /// Writes until the terminal has no more room, and says how much it took.
    fn write_now(&self, bytes: &[u8], outbox: &mut Outbox) -> usize {
        let mut sent = 0;
        while sent < bytes.len() {
            match unistd::write(&self.master, &bytes[sent..]) {
                Ok(count) => sent += count,
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => break,
                Err(_) => {
                    outbox.closed = true;
                    break;
                }
            }
        }
        sent
    }

    fn write_pending(&self) {
        loop {
            let outbox = self.outbox();
            let idle = |outbox: &mut Outbox| outbox.pending.is_empty() && !outbox.closed;
            drop(self.queued.wait_while(outbox, idle).unwrap_or_else(PoisonError::into_inner));
            let Some(events) = self.wait(PollFlags::POLLOUT) else { return };
            let mut outbox = self.outbox();
            // A hang-up would make poll return at once for ever.
            if outbox.closed || events.intersects(PollFlags::POLLHUP | PollFlags::POLLERR) {
                outbox.closed = true;
                outbox.pending = VecDeque::new();
                return;
            }
            let mut pending = std::mem::take(&mut outbox.pending);
            let sent = self.write_now(pending.as_slices().0, &mut outbox);
            pending.drain(..sent);
            outbox.pending = pending;
        }
    }
}

/// Why no pty could be had, and what to do about it.
#[derive(Debug)]
pub struct OpenError {
    /// What was tried.
    pub call: &'static str,
    /// Why it failed.
    pub errno: Errno,
}

impl OpenError {
    fn at(call: &'static str) -> impl Fn(Errno) -> io::Error {
        move |errno| io::Error::new(io::Error::from(errno).kind(), OpenError { call, errno })
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let OpenError { call, errno } = self;
        let hint = errno_causes::help("openpty", *errno, &[]).unwrap_or_default();
        write!(f, "{}{call}: {}\n  {hint}", say("no pseudo terminal: ", "没有伪终端："), errno::why(*errno))
    }
}

impl std::error::Error for OpenError {}
