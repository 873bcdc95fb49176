//! `boxwright present --notes`: the speaker's view, in a terminal of its own.

use super::{guard::Guard, input, keyboard::Keyboard};
use crate::{
    app::{Event, Key},
    lang::Lang,
    lesson::Translations,
    present::{
        Drive, Stage,
        notes::{self, Look},
        socket::{self, NAME},
    },
};
use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::{
        inotify::{AddWatchFlags, InitFlags, Inotify},
        signal::{SigSet, Signal},
        signalfd::{SfdFlags, SignalFd},
    },
    unistd,
};
use std::{
    io::{self, Read, Write},
    os::{fd::AsFd, unix::net::UnixStream},
    path::Path,
    time::Instant,
};

/// The clock on the screen goes by seconds.
const SECOND: u16 = 1000;
/// What is longer than this without an end was not sent by a hall.
const MAX_LEN: usize = 16 * 1024;

/// What the view is shown with.
#[derive(Debug)]
pub(crate) struct Options {
    /// All lessons.
    pub lessons: Vec<Translations>,
    /// How long the talk is to take.
    pub minutes: Option<u64>,
    /// The language.
    pub lang: Lang,
}

/// A hall that is there.
struct Hall {
    stream: UnixStream,
    read: Vec<u8>,
}

struct View {
    options: Options,
    hall: Option<Hall>,
    stage: Option<Stage>,
    /// When the talk began, by the clock that has counted longest.
    began: Option<Instant>,
    /// The hall is a new one, and has not said yet where it is.
    back: bool,
    /// The number of a step that is being typed.
    jump: Option<usize>,
}

/// Shows the view until the speaker leaves.
///
/// Errors: those of the terminal, and of [`socket::directory`].
pub(crate) fn run(options: Options) -> io::Result<()> {
    let directory = socket::directory()?;
    let signals: SigSet =
        [Signal::SIGWINCH, Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP, Signal::SIGQUIT].into_iter().collect();
    signals.thread_block()?;
    let signals = SignalFd::with_flags(&signals, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?;
    let news = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK)?;
    // Watched before a hall is looked for: one that comes in between is not missed.
    news.add_watch(&directory, AddWatchFlags::IN_MOVED_TO | AddWatchFlags::IN_ONLYDIR)?;
    let mut view = View { options, hall: None, stage: None, began: None, back: false, jump: None };
    view.find(&directory);
    let guard = Guard::take()?;
    let mut keyboard = Keyboard::default();
    let ended = loop {
        if let Err(error) = view.draw() {
            break Err(error);
        }
        match view.wait(&signals, &news, &directory, &mut keyboard) {
            Ok(true) => {}
            Ok(false) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    drop(guard);
    socket::tidy(&directory);
    ended
}

impl View {
    /// Connects to the hall, where there is one.
    fn find(&mut self, directory: &Path) {
        let found = UnixStream::connect(directory.join(NAME)).ok().filter(socket::is_ours);
        if let Some(stream) = found.filter(|stream| stream.set_nonblocking(true).is_ok()) {
            self.back = self.stage.is_some();
            self.hall = Some(Hall { stream, read: Vec::new() });
        }
    }

    fn draw(&self) -> io::Result<()> {
        let size = input::size().or_usual();
        let elapsed = self.began.map_or(0, |began| began.elapsed().as_secs());
        let look = Look { lang: self.options.lang, size, elapsed, minutes: self.options.minutes, jump: self.jump };
        let stage = self.stage.as_ref().filter(|_| self.hall.is_some());
        let lines = notes::lines(stage, &self.options.lessons, look);
        let lines: Vec<String> = lines.iter().map(|line| format!("{line}\x1b[K")).collect();
        let mut out = io::stdout().lock();
        write!(out, "\x1b[H{}", lines.join("\r\n"))?;
        out.flush()
    }

    /// Waits for whatever comes; false where it is time to leave.
    fn wait(
        &mut self,
        signals: &SignalFd,
        news: &Inotify,
        directory: &Path,
        keyboard: &mut Keyboard,
    ) -> io::Result<bool> {
        let input = io::stdin();
        let mut fds = vec![
            PollFd::new(input.as_fd(), PollFlags::POLLIN),
            PollFd::new(signals.as_fd(), PollFlags::POLLIN),
            PollFd::new(news.as_fd(), PollFlags::POLLIN),
        ];
        fds.extend(self.hall.as_ref().map(|hall| PollFd::new(hall.stream.as_fd(), PollFlags::POLLIN)));
        match poll(&mut fds, PollTimeout::from(SECOND)) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        let ready: Vec<PollFlags> = fds.iter().map(|fd| fd.revents().unwrap_or(PollFlags::empty())).collect();
        drop(fds);
        let is = |at: usize| ready.get(at).is_some_and(|flags| !flags.is_empty());
        while let Ok(Some(signal)) = signals.read_signal() {
            if signal.ssi_signo as i32 != libc::SIGWINCH {
                return Ok(false);
            }
        }
        if is(3) {
            self.hear();
        }
        if is(2) {
            while news.read_events().is_ok_and(|events| !events.is_empty()) {}
            if self.hall.is_none() {
                self.find(directory);
            }
        }
        Ok(!is(0) || self.keys(keyboard)?)
    }

    /// Reads what the hall says.
    fn hear(&mut self) {
        let Some(hall) = &mut self.hall else { return };
        let mut buffer = [0; 4096];
        match hall.stream.read(&mut buffer) {
            Ok(count @ 1..) => hall.read.extend_from_slice(buffer.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Ok(_) | Err(_) => {
                self.hall = None;
                return;
            }
        }
        let mut newest = None;
        while let Some(end) = hall.read.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = hall.read.drain(..=end).collect();
            newest = serde_json::from_slice::<Stage>(&line).ok().or(newest);
        }
        if hall.read.len() > MAX_LEN {
            self.hall = None;
        }
        if let Some(stage) = newest {
            self.follow(stage);
        }
    }

    /// The hall is there now. One that began anew goes where the one before was.
    fn follow(&mut self, stage: Stage) {
        let counted = Instant::now().checked_sub(std::time::Duration::from_secs(stage.seconds));
        self.began = [self.began, counted.or(Some(Instant::now()))].into_iter().flatten().min();
        let before = self.stage.as_ref().filter(|before| before.lesson == stage.lesson && stage.step == 0);
        if std::mem::take(&mut self.back)
            && let Some(step) = before.map(|before| before.step).filter(|step| *step > 0)
        {
            self.ask(Drive::Step(step));
        }
        self.stage = Some(stage);
    }

    fn ask(&mut self, drive: Drive) {
        if let Some(hall) = &mut self.hall
            && hall.stream.write_all(format!("{}\n", drive.line()).as_bytes()).is_err()
        {
            self.hall = None;
        }
    }

    /// Does what the keys say; false where it is time to leave.
    fn keys(&mut self, keyboard: &mut Keyboard) -> io::Result<bool> {
        let mut buffer = [0; 1024];
        let count = match unistd::read(io::stdin(), &mut buffer) {
            Ok(0) => return Ok(false),
            Ok(count) => count,
            Err(Errno::EINTR | Errno::EAGAIN) => return Ok(true),
            // The terminal is gone.
            Err(Errno::EIO) => return Ok(false),
            Err(errno) => return Err(errno.into()),
        };
        for event in keyboard.feed(buffer.get(..count).unwrap_or_default()) {
            let Event::Key(key) = event else { continue };
            let key = Key::of(&key);
            if let Some(typed) = self.jump.filter(|_| key != Some(Key::Ctrl('c'))) {
                self.type_step(typed, key);
                continue;
            }
            let drive = match key {
                Some(Key::Char('q') | Key::Ctrl('c')) => return Ok(false),
                Some(Key::Char(' ') | Key::Enter | Key::PageDown | Key::Right) => Drive::Go,
                Some(Key::Char('n')) => Drive::Next,
                Some(Key::Char('p') | Key::PageUp | Key::Left) => Drive::Back,
                Some(Key::Char('x')) => Drive::Hold,
                Some(Key::Char('c')) => Drive::Run,
                Some(Key::Char('*')) => Drive::Mark,
                Some(Key::Char('g')) => {
                    self.jump = Some(0);
                    continue;
                }
                Some(Key::Char(digit @ '1'..='9')) => Drive::Answer(digit as usize - '1' as usize),
                _ => continue,
            };
            self.ask(drive);
        }
        Ok(true)
    }

    /// One more key of the number of a step; Return jumps there.
    fn type_step(&mut self, typed: usize, key: Option<Key>) {
        self.jump = match key {
            Some(Key::Char(digit)) if digit.is_ascii_digit() => {
                Some(typed.saturating_mul(10).saturating_add(digit as usize - '0' as usize).min(999))
            }
            Some(Key::Backspace) => Some(typed / 10),
            Some(Key::Enter) => {
                if let Some(step) = typed.checked_sub(1) {
                    self.ask(Drive::Step(step));
                }
                None
            }
            _ => None,
        };
    }
}
