//! One alarm clock: a thread that sleeps until the newest deadline, or for ever where there is none.

use std::{
    io,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

#[derive(Default)]
struct Setting {
    at: Option<Instant>,
    /// Counts the settings, so that an alarm which was taken back a moment too late is known as stale.
    number: u64,
    stop: bool,
}

#[derive(Default)]
struct Shared {
    setting: Mutex<Setting>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Setting> {
        self.setting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Timer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Timer").finish_non_exhaustive()
    }
}

/// A clock with one deadline. Dropping it ends its thread.
pub(super) struct Timer(Arc<Shared>);

impl Timer {
    /// Starts the thread; `sink` gets the number of the setting whose time is over.
    pub(super) fn start(sink: impl Fn(u64) + Send + 'static) -> io::Result<Timer> {
        let shared = Arc::new(Shared::default());
        let waiting = shared.clone();
        thread::Builder::new().name("timer".into()).spawn(move || wait(&waiting, sink))?;
        Ok(Timer(shared))
    }

    /// Replaces the deadline.
    pub(super) fn set(&self, after: Option<Duration>) {
        let mut setting = self.0.lock();
        setting.at = after.map(|time| Instant::now() + time);
        setting.number += 1;
        self.0.changed.notify_one();
    }

    /// Whether this number belongs to the newest setting.
    pub(super) fn is_due(&self, number: u64) -> bool {
        self.0.lock().number == number
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.0.lock().stop = true;
        self.0.changed.notify_one();
    }
}

fn wait(shared: &Shared, sink: impl Fn(u64)) {
    let mut setting = shared.lock();
    while !setting.stop {
        let now = Instant::now();
        match setting.at {
            Some(at) if at <= now => {
                setting.at = None;
                let number = setting.number;
                drop(setting);
                sink(number);
                setting = shared.lock();
            }
            Some(at) => {
                let waited = shared.changed.wait_timeout(setting, at - now);
                setting = waited.unwrap_or_else(PoisonError::into_inner).0;
            }
            None => setting = shared.changed.wait(setting).unwrap_or_else(PoisonError::into_inner),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;

    #[test]
    fn only_the_newest_deadline_rings() {
        let (send, receive) = channel();
        let timer = Timer::start(move |number| send.send(number).unwrap()).unwrap();
        timer.set(Some(Duration::from_secs(3600)));
        timer.set(None);
        timer.set(Some(Duration::from_millis(1)));
        assert_eq!(receive.recv_timeout(Duration::from_secs(20)), Ok(3));
        assert!(timer.is_due(3));
        timer.set(None);
        assert!(!timer.is_due(3));
        drop(timer);
        assert!(receive.recv_timeout(Duration::from_secs(20)).is_err(), "the thread has ended");
    }
}
