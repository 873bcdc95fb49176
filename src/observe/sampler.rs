//! The thread that reads samples when something happened, and once a second while there is a container to look at.

use super::Sample;
use super::reader::{Reader, Subject};
use std::io;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Counters move without any event that we could wait for, so while a container exists they are read this often.
const TICK: Duration = Duration::from_secs(1);

/// After a sample the thread rests this many times as long as it took, so that a storm of requests (a fork bomb under
/// the tracer) costs at most a fifth of one CPU. A single request is answered at once.
const REST: u32 = 4;

/// What the thread has been told since it last looked. Requests are not queued: one flag stands for any number.
#[derive(Debug, Default)]
struct Wishes {
    watched: i32,
    foreground: Option<i32>,
    requested: bool,
    stop: bool,
}

#[derive(Debug, Default)]
struct Shared {
    wishes: Mutex<Wishes>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Wishes> {
        // A poisoned lock still holds plain data.
        self.wishes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running sampler. Dropping it ends its thread.
#[derive(Debug)]
pub struct Sampler {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Sampler {
    /// Starts the thread; each sample that differs from the last one is given to `sink`. Nothing is read before the
    /// first [`Sampler::watch`] or [`Sampler::request`].
    pub fn start(sink: impl Fn(Arc<Sample>) + Send + 'static) -> io::Result<Sampler> {
        Sampler::start_with(Path::new("/proc/self/exe"), sink)
    }

    /// As [`Sampler::start`], with the program that takes the role `__peek`.
    pub fn start_with(exe: &Path, sink: impl Fn(Arc<Sample>) + Send + 'static) -> io::Result<Sampler> {
        let shared = Arc::new(Shared::default());
        let (seen, mut reader) = (shared.clone(), Reader::new(Path::new("/proc"), exe));
        let thread =
            std::thread::Builder::new().name("sampler".into()).spawn(move || sample(&seen, &mut reader, sink))?;
        Ok(Sampler { shared, thread: Some(thread) })
    }

    /// Asks for a fresh sample, because something happened. Requests that come faster than samples are one request.
    pub fn request(&self) {
        self.tell(|_| {});
    }

    /// Watches the processes below this one from now on.
    pub fn watch(&self, pid: i32) {
        self.tell(|wishes| wishes.watched = pid);
    }

    /// Says which process is in the terminal's foreground.
    pub fn foreground(&self, pid: Option<i32>) {
        self.tell(|wishes| wishes.foreground = pid);
    }

    fn tell(&self, wish: impl FnOnce(&mut Wishes)) {
        let mut wishes = self.shared.lock();
        wish(&mut wishes);
        wishes.requested = true;
        self.shared.changed.notify_one();
    }
}

impl Drop for Sampler {
    fn drop(&mut self) {
        self.tell(|wishes| wishes.stop = true);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn sample(shared: &Shared, reader: &mut Reader, sink: impl Fn(Arc<Sample>)) {
    let mut last: Option<Arc<Sample>> = None;
    let mut rest = Duration::ZERO;
    loop {
        let Some((subject, asked)) = next(shared, rest, last.as_deref().is_some_and(exists)) else { return };
        let started = Instant::now();
        if asked {
            reader.forget();
        }
        let (sample, _) = reader.read(subject);
        rest = started.elapsed() * REST;
        if last.as_deref() != Some(&sample) {
            let sample = Arc::new(sample);
            last = Some(sample.clone());
            sink(sample);
        }
    }
}

/// Waits for the next reason to read: a request (then `true`), or the tick. `None` means that it is time to end.
fn next(shared: &Shared, rest: Duration, ticking: bool) -> Option<(Subject, bool)> {
    let wait = |wishes, time, waiting: fn(&mut Wishes) -> bool| {
        shared.changed.wait_timeout_while(wishes, time, waiting).unwrap_or_else(PoisonError::into_inner).0
    };
    let mut wishes = wait(shared.lock(), rest, |wishes| !wishes.stop);
    let idle: fn(&mut Wishes) -> bool = |wishes| !wishes.stop && !wishes.requested;
    wishes = match ticking {
        true => wait(wishes, TICK.saturating_sub(rest), idle),
        false => shared.changed.wait_while(wishes, idle).unwrap_or_else(PoisonError::into_inner),
    };
    let asked = std::mem::take(&mut wishes.requested);
    (!wishes.stop).then_some((Subject::Below(wishes.watched, wishes.foreground), asked))
}

/// Whether there is anything to look at that moves by itself.
fn exists(sample: &Sample) -> bool {
    let card = sample.scorecard;
    let apart = sample.namespaces.iter().any(|(kind, inode)| sample.host_namespaces.get(kind) != Some(inode));
    sample.container.is_some() && (apart || card.rooted || card.limited || card.entered)
}
