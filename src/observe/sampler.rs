//! The thread that reads samples when something happened, and once a second while there is a container to look at.

use super::reader::{Extra, Reader, Subject};
use super::{Group, Sample};
use crate::kernel::pid::Pid;
use std::io;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Counters move without any event that we could wait for, so while a container exists they are read this often.
const TICK: Duration = Duration::from_secs(1);

/// How long its end is waited for by default.
const PATIENCE: Duration = Duration::from_secs(2);

/// After a sample the thread rests this many times as long as it took, so that a storm of requests (a fork bomb under
/// the tracer) costs at most a fifth of one CPU. A single request is answered at once.
const REST: u32 = 4;

/// What the thread has been told since it last looked. Requests are not queued: one flag stands for any number.
#[derive(Debug, Default)]
struct Settings {
    watched: Pid,
    foreground: Option<Pid>,
    /// Whether the container is looked for on the whole machine, and the one that was picked.
    anywhere: Option<Option<(Pid, u64)>>,
    /// Whether the screen shows network namespaces.
    networks: bool,
    /// The host terminal's shell, and the process there now.
    host_terminal: (Option<Pid>, Option<Pid>),
    /// The newest number that was asked for.
    number: u64,
    /// What to look at besides, where that has changed.
    extra: Option<Extra>,
    groups: Vec<String>,
    requested: bool,
    stop: bool,
}

#[derive(Debug, Default)]
struct Shared {
    settings: Mutex<Settings>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Settings> {
        // A poisoned lock still holds plain data.
        self.settings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running sampler. Dropping it ends its thread.
#[derive(Debug)]
pub(crate) struct Sampler {
    shared: Arc<Shared>,
    thread: Option<(JoinHandle<()>, Receiver<()>)>,
}

impl Sampler {
    /// Starts the thread. `sink` gets each sample that differs from the last one or answers a newer request, with the
    /// number of the newest request that was made before its reading began. Nothing is read before the first
    /// [`Sampler::watch`] or [`Sampler::request`].
    /// `exe` is the program that takes the role `__ns-helper`.
    pub(crate) fn start(exe: &Path, sink: impl Fn(u64, Arc<Sample>) + Send + 'static) -> io::Result<Sampler> {
        let shared = Arc::new(Shared::default());
        let (seen, mut reader) = (shared.clone(), Reader::new(Path::new("/proc"), exe));
        let (alive, ended) = sync_channel(0);
        let work = move || {
            let _alive: SyncSender<()> = alive;
            sample(&seen, &mut reader, sink);
        };
        let thread = std::thread::Builder::new().name("sampler".into()).spawn(work)?;
        Ok(Sampler { shared, thread: Some((thread, ended)) })
    }

    /// Asks for a fresh sample, because something happened. Requests that come faster than samples are one request, and
    /// the highest number among them is answered.
    pub(crate) fn request(&self, number: u64) {
        self.tell(|settings| settings.number = settings.number.max(number));
    }

    /// Watches the processes below this one from now on.
    pub(crate) fn watch(&self, pid: Pid) {
        self.tell(|settings| settings.watched = pid);
    }

    /// Says which process is in the terminal's foreground. The next sample takes it into account; none is asked for.
    pub(crate) fn foreground(&self, pid: Option<Pid>) {
        self.shared.lock().foreground = pid;
    }

    /// Looks for the container on the whole machine from now on; the one that was picked goes before all others.
    pub(crate) fn anywhere(&self, picked: Option<(Pid, u64)>) {
        self.tell(|settings| settings.anywhere = Some(picked));
    }

    /// Reads the session's network namespaces as well from now on, or no longer: they cost a process with each sample.
    pub(crate) fn networks(&self, seen: bool) {
        // To read less needs no new sample.
        match seen {
            true => self.tell(|settings| settings.networks = true),
            false => self.shared.lock().networks = false,
        }
    }

    /// Says which shell the host terminal has, and which process stands there. The next sample takes it into account.
    pub(crate) fn host_terminal(&self, shell: Option<Pid>, foreground: Option<Pid>) {
        self.shared.lock().host_terminal = (shell, foreground);
    }

    /// Looks at this as well from now on.
    pub(crate) fn look_at(&self, extra: Extra) {
        self.tell(|settings| settings.extra = Some(extra));
    }

    /// The learner has made a group, or written to one that they made: the last of these is the one that checks are about.
    pub(crate) fn group_touched(&self, name: String, made: bool) {
        let mut settings = self.shared.lock();
        if made || settings.groups.contains(&name) {
            settings.groups.retain(|known| *known != name);
            settings.groups.push(name);
        }
    }

    /// Ends the thread. Where it reads something that does not answer, it is not waited for longer than this: it ends with
    /// the process.
    pub(crate) fn stop(&mut self, within: Duration) {
        self.tell(|settings| settings.stop = true);
        if let Some((thread, ended)) = self.thread.take()
            && ended.recv_timeout(within) == Err(RecvTimeoutError::Disconnected)
        {
            let _ = thread.join();
        }
    }

    fn tell(&self, wish: impl FnOnce(&mut Settings)) {
        let mut settings = self.shared.lock();
        wish(&mut settings);
        settings.requested = true;
        self.shared.changed.notify_one();
    }
}

impl Drop for Sampler {
    fn drop(&mut self) {
        self.stop(PATIENCE);
    }
}

/// A reason to read.
struct Next {
    subject: Subject,
    /// Something happened; otherwise only time has passed.
    asked: bool,
    number: u64,
    extra: Option<Extra>,
    groups: Vec<String>,
    networks: bool,
    host_terminal: (Option<Pid>, Option<Pid>),
}

/// Whether two samples say the same. The time alone is not news.
fn equal(one: &Sample, other: &Sample) -> bool {
    let apart_from_time = Group { at_micros: other.group.at_micros, ..one.group.clone() };
    apart_from_time == other.group && Sample { group: other.group.clone(), ..one.clone() } == *other
}

fn sample(shared: &Shared, reader: &mut Reader, sink: impl Fn(u64, Arc<Sample>)) {
    let mut last: Option<(u64, Arc<Sample>)> = None;
    let mut rest = Duration::ZERO;
    while let Some(next) = next(shared, rest, last.as_ref().is_some_and(|(_, sample)| exists(sample)), TICK) {
        let started = Instant::now();
        if next.asked {
            reader.forget();
        }
        if let Some(extra) = next.extra {
            reader.look_at(extra);
        }
        reader.groups = next.groups;
        (reader.sees_networks, reader.host_terminal) = (next.networks, next.host_terminal);
        let (sample, _) = reader.read(next.subject);
        rest = started.elapsed() * REST;
        let (sample, is_news) = news(last.take(), next.number, sample);
        last = Some((next.number, sample.clone()));
        if is_news {
            sink(next.number, sample);
        }
    }
}

/// The sample that is kept, the old one where the new one says the same; and whether it is to be sent: because it says
/// something else, or answers a newer request.
fn news(last: Option<(u64, Arc<Sample>)>, number: u64, sample: Sample) -> (Arc<Sample>, bool) {
    match last.filter(|(_, before)| equal(before, &sample)) {
        Some((known, before)) => (before, known != number),
        None => (Arc::new(sample), true),
    }
}

/// Waits for the next reason to read: a request, or the tick. `None` means that it is time to end.
fn next(shared: &Shared, rest: Duration, ticking: bool, tick: Duration) -> Option<Next> {
    let wait = |settings, time, waiting: fn(&mut Settings) -> bool| {
        shared.changed.wait_timeout_while(settings, time, waiting).unwrap_or_else(PoisonError::into_inner).0
    };
    let mut settings = wait(shared.lock(), rest, |settings| !settings.stop);
    let idle: fn(&mut Settings) -> bool = |settings| !settings.stop && !settings.requested;
    // What others make comes without any event, too.
    settings = match ticking || settings.anywhere.is_some() {
        true => wait(settings, tick.saturating_sub(rest), idle),
        false => shared.changed.wait_while(settings, idle).unwrap_or_else(PoisonError::into_inner),
    };
    let asked = std::mem::take(&mut settings.requested);
    let subject = match settings.anywhere {
        Some(picked) => Subject::Anywhere(settings.watched, settings.foreground, picked),
        None => Subject::Below(settings.watched, settings.foreground),
    };
    let extra = settings.extra.take();
    let (number, groups) = (settings.number, settings.groups.clone());
    let (networks, host_terminal) = (settings.networks, settings.host_terminal);
    (!settings.stop).then_some(Next { subject, asked, number, extra, groups, networks, host_terminal })
}

/// Whether there is anything to look at that moves by itself.
fn exists(sample: &Sample) -> bool {
    let card = sample.scorecard;
    let apart = sample.namespaces.iter().any(|(kind, inode)| sample.host_namespaces.get(kind) != Some(inode));
    // Of network namespaces the counters move.
    sample.networks.as_ref().is_some_and(|networks| networks.all.len() > 1)
        || !sample.group.members.is_empty()
        || sample.container.is_some() && (apart || card.rooted || card.limited || card.entered)
}

#[cfg(test)]
#[path = "sampler_tests.rs"]
mod tests;
