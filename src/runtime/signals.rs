//! Signals that end the program come as ordinary events, so that everything is tidied up on the way out; and a limit on how
//! long that may take, whatever else waits.

use super::guard;
use crate::{clean, kernel::exit, lang::Lang};
use nix::{
    fcntl::{OFlag, open},
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::{
        eventfd::{EfdFlags, EventFd},
        signal::{SigSet, SigmaskHow, Signal},
        signalfd::{SfdFlags, SignalFd},
        stat::Mode,
    },
};
use std::{
    io,
    os::fd::AsFd,
    sync::{
        Mutex, OnceLock, PoisonError,
        atomic::{AtomicU8, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// The signals that ask the program to end. In raw mode ^\ is a key: a SIGQUIT comes from outside.
const ENDING: [Signal; 4] = [Signal::SIGHUP, Signal::SIGINT, Signal::SIGQUIT, Signal::SIGTERM];

/// How long the program may take from the moment when it is to end. People take two seconds for "at once".
const LIMIT: Duration = Duration::from_millis(1800);

/// What tidying up may count on: the rest is for what comes before and after it.
pub(crate) const TIDYING: Duration = Duration::from_millis(1300);

type Sink = Box<dyn Fn(i32) + Send>;

/// What the thread and its callers share.
struct Watch {
    sink: Mutex<Option<Sink>>,
    /// Rung when the program is to end for another reason than a signal.
    wakeup: EventFd,
    status: AtomicU8,
    lang: Lang,
    /// What would be left of the session if the program ended now.
    left: Mutex<Option<String>>,
}

static WATCH: OnceLock<Watch> = OnceLock::new();

/// Takes the signals that end the program from now on. It must be called before the first thread is made, because every
/// thread inherits the mask and the kernel gives a signal to any thread that does not block it.
///
/// Before a call of [`watch`] a signal ends the program at once: nothing is there yet that would have to be tidied up.
///
/// Errors: those of sigprocmask(2), signalfd(2), eventfd(2) and of making a thread.
pub fn take(lang: Lang) -> io::Result<()> {
    let wakeup = EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?;
    let watch = Watch { sink: Mutex::default(), wakeup, status: AtomicU8::new(0), lang, left: Mutex::default() };
    let watch = WATCH.get_or_init(|| watch);
    let ending: SigSet = ENDING.into_iter().collect();
    let signals = SignalFd::with_flags(&ending, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?;
    let mut blocked = ending;
    blocked.add(Signal::SIGCHLD);
    blocked.thread_block()?;
    // A thread that blocks further signals later, to take them from a descriptor too, must not lose them to this one.
    let mask = SigSet::all().thread_swap_mask(SigmaskHow::SIG_BLOCK)?;
    let thread = thread::Builder::new().name("signals".into()).spawn(move || listen(watch, &signals));
    mask.thread_set_mask()?;
    thread.map(drop)
}

/// Tells of each ending signal, by its number, from now on. From the first one on the program has [`LIMIT`] to end.
pub(crate) fn watch(sink: impl Fn(i32) + Send + 'static) {
    if let Some(watch) = WATCH.get() {
        *watch.sink.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(sink));
    }
}

/// The program ends by itself now: when it has not within [`LIMIT`], it ends all the same, with this status.
pub(crate) fn limit(status: u8) {
    if let Some(watch) = WATCH.get() {
        watch.status.store(status, Ordering::SeqCst);
        let _ = watch.wakeup.write(1);
    }
}

/// Says what would be left if the program ended now; `None` for nothing.
pub(crate) fn would_leave(what: Option<String>) {
    if let Some(watch) = WATCH.get() {
        *watch.left.lock().unwrap_or_else(PoisonError::into_inner) = what;
    }
}

fn listen(watch: &Watch, signals: &SignalFd) {
    let mut end: Option<(Instant, u8)> = None;
    loop {
        let timeout = match end {
            None => PollTimeout::NONE,
            Some((until, status)) => {
                let left = until.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    last_words(watch);
                    exit::now(status);
                }
                // Rounded up: a timeout of less than a millisecond would spin.
                PollTimeout::try_from(left + Duration::from_millis(1)).unwrap_or(PollTimeout::MAX)
            }
        };
        let mut fds = [signals.as_fd(), watch.wakeup.as_fd()].map(|fd| PollFd::new(fd, PollFlags::POLLIN));
        // EINTR is not an event; the next round waits for what is left.
        let _ = poll(&mut fds, timeout);
        while let Ok(Some(info)) = signals.read_signal() {
            let number = info.ssi_signo as i32;
            match &*watch.sink.lock().unwrap_or_else(PoisonError::into_inner) {
                None => exit::by(Signal::try_from(number).unwrap_or(Signal::SIGTERM)),
                Some(sink) => {
                    end.get_or_insert_with(|| (Instant::now() + LIMIT, 128u8.saturating_add(number as u8)));
                    sink(number);
                }
            }
        }
        if watch.wakeup.read().is_ok() {
            end.get_or_insert_with(|| (Instant::now() + LIMIT, watch.status.load(Ordering::SeqCst)));
        }
    }
}

/// Gives the terminal back and says what is left. Nothing of it may wait: a terminal that takes no more output is one of the
/// reasons to get here.
fn last_words(watch: &Watch) {
    guard::abandon();
    let left = match watch.left.try_lock() {
        Ok(left) => left.clone(),
        Err(_) => None,
    };
    let Some(left) = left else { return };
    let lang = watch.lang;
    let text = format!(
        "boxwright: {}{left}\n{}\n",
        lang.pick("not everything could be tidied up within two seconds: ", "两秒之内没有来得及全部清理："),
        clean::again(lang)
    );
    // Opened anew, because a file that was handed to us must not become non-blocking for those who gave it.
    if let Ok(out) = open("/proc/self/fd/2", OFlag::O_WRONLY | OFlag::O_NONBLOCK | OFlag::O_NOCTTY, Mode::empty()) {
        let _ = nix::unistd::write(out, text.as_bytes());
    }
}
