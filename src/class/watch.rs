//! `boxwright class DIR`: the board, drawn anew whenever a file has changed (inotify(7)).

use super::{
    board::{self, Answers, Look},
    room,
};
use crate::kernel::{errno, text};
use crate::lang::Lang;
use crate::terminal::Size;
use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::{
        inotify::{AddWatchFlags, InitFlags, Inotify},
        signal::{SigSet, Signal},
        signalfd::{SfdFlags, SignalFd},
    },
};
use serde::Serialize;
use std::{
    io::{self, IsTerminal, Write},
    os::fd::AsFd,
    path::Path,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// Minutes pass without any event: after so long without one they are told anew, in milliseconds. Half a minute, so that what
/// stands there is never older than that.
const HALF_A_MINUTE: u16 = 30_000;
/// However much is written, the board is drawn no more often than this.
const REST: Duration = Duration::from_millis(200);

/// How the board is wanted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct How {
    /// One JSON object a line.
    pub json: bool,
    /// Once, and no more.
    pub once: bool,
    /// The language.
    pub lang: Lang,
    /// Only ASCII characters.
    pub ascii: bool,
}

/// One line of `--json`.
#[derive(Serialize)]
struct Event<'a> {
    event: &'static str,
    learners: &'a [super::card::Signed],
    answers: Option<Answers>,
    unread: usize,
}

/// Shows the board until it is ended, or once where it is not watched: to a pipe without `--json`.
///
/// Errors: the directory's, and those of the output.
pub(crate) fn run(
    dir: &Path,
    how: How,
    question: impl Fn(&Answers) -> Option<(String, Vec<String>)>,
) -> io::Result<()> {
    let drawn = io::stdout().is_terminal() && !how.json && !how.once;
    let inotify = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK)?;
    let kinds = AddWatchFlags::IN_MOVED_TO
        | AddWatchFlags::IN_MOVED_FROM
        | AddWatchFlags::IN_CLOSE_WRITE
        | AddWatchFlags::IN_DELETE
        | AddWatchFlags::IN_DELETE_SELF
        | AddWatchFlags::IN_MOVE_SELF
        | AddWatchFlags::IN_ONLYDIR;
    // Watched before it is read: what comes in between is not missed.
    inotify.add_watch(dir, kinds)?;
    let resized = SigSet::from_iter([Signal::SIGWINCH]);
    resized.thread_block()?;
    let resized = SignalFd::with_flags(&resized, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?;
    let mut before = None;
    loop {
        let room = room(dir)?;
        let text = if how.json {
            let (learners, answers) = (room.cards.as_slice(), board::answers(&room));
            text::json(&Event { event: "class", learners, answers, unread: room.unread })?
        } else {
            let lines = board::lines(&room, look(how, drawn), &question);
            if drawn { frame(&lines) } else { lines.join("\n") }
        };
        if before.as_ref() != Some(&text) {
            let mut out = io::stdout().lock();
            if drawn {
                write!(out, "{text}")?
            } else {
                writeln!(out, "{text}")?
            }
            out.flush()?;
            before = Some(text);
        }
        if how.once || !drawn && !how.json {
            return Ok(());
        }
        wait(&inotify, &resized, Instant::now())?;
    }
}

fn look(how: How, drawn: bool) -> Look {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let size = crossterm::terminal::size().map(Size::from).unwrap_or_default().or_usual();
    // The reader of a pipe wants all of it.
    let size = if drawn { size } else { Size::new(u16::MAX, u16::MAX) };
    Look { lang: how.lang, ascii: how.ascii, now, size: Size { rows: size.rows.saturating_sub(1), ..size } }
}

/// The lines in the place of those before, without a moment of nothing.
fn frame(lines: &[String]) -> String {
    let lines: Vec<String> = lines.iter().map(|line| format!("{line}\x1b[K")).collect();
    format!("\x1b[H{}\x1b[J\r\n", lines.join("\r\n"))
}

/// Waits for a change, for another size of the terminal, or until minutes have passed.
fn wait(inotify: &Inotify, resized: &SignalFd, drawn: Instant) -> io::Result<()> {
    let mut fds = [PollFd::new(inotify.as_fd(), PollFlags::POLLIN), PollFd::new(resized.as_fd(), PollFlags::POLLIN)];
    match poll(&mut fds, PollTimeout::from(HALF_A_MINUTE)) {
        Ok(_) | Err(Errno::EINTR) => {}
        Err(errno) => return Err(errno.into()),
    }
    while let Ok(Some(_)) = resized.read_signal() {}
    // One file after the other, where a whole room goes on at once: they are read together.
    let left = u16::try_from(REST.saturating_sub(drawn.elapsed()).as_millis()).unwrap_or(0);
    let mut hurry = [PollFd::new(resized.as_fd(), PollFlags::POLLIN)];
    let _ = poll(&mut hurry, PollTimeout::from(left));
    loop {
        match inotify.read_events() {
            Ok(events) if events.iter().any(|event| event.mask.intersects(gone())) => {
                return Err(io::ErrorKind::NotFound.into());
            }
            Ok(_) => {}
            Err(_) => return Ok(()),
        }
    }
}

/// The directory itself is no longer there.
fn gone() -> AddWatchFlags {
    AddWatchFlags::IN_DELETE_SELF | AddWatchFlags::IN_MOVE_SELF | AddWatchFlags::IN_IGNORED
}

/// Whether an error only says that the reader has gone.
pub(crate) fn is_over(error: &io::Error) -> bool {
    errno::of(error) == Errno::EPIPE
}
