//! What a session's processes make on the machine that outlives them, under whatever name: found by the tracer as it is
//! made, told to the learner, and removed at the end.

use crate::{
    cleanup::Left,
    lang::{Lang, spoken},
    observe::cgroup,
    session::{Entry, Lasting, Ledger, is_session},
    trace::{Change, TraceEvent},
};
use nix::unistd::geteuid;
use std::{
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};

/// The ledger of what was found. It begins with the first thing.
#[derive(Debug, Default)]
pub(super) struct Found(Mutex<Option<Ledger>>);

/// The entry for a change, where it is something that stays.
fn entry(change: &Change) -> Option<Entry> {
    match change {
        Change::GroupMade(_, Some(dir)) if !is_ours(dir) => Some(Entry::Group(dir.clone())),
        Change::ObjectMade(object, true) => Some(Entry::Object(Lasting::new(object.clone()))),
        _ => None,
    }
}

/// Groups of the session's own name, and those in them, are in another ledger. One whose name only begins so is as any other.
fn is_ours(dir: &Path) -> bool {
    let uid = geteuid().as_raw();
    dir.components().any(|part| part.as_os_str().to_str().is_some_and(|name| is_session(name, uid)))
}

/// The groups that an event has made or written to, each by its path below its hierarchy's mount, and whether it was made.
pub(super) fn groups(event: &TraceEvent) -> Vec<(String, bool)> {
    let TraceEvent::Syscall(_, event) = event else { return Vec::new() };
    let dir = |change: &Change| match change {
        Change::GroupMade(_, Some(dir)) => Some((dir.clone(), true)),
        Change::ControlFile { file: Some(file), .. } => Some((file.parent()?.to_path_buf(), false)),
        _ => None,
    };
    let dirs: Vec<(PathBuf, bool)> = event.changed.iter().filter_map(dir).collect();
    let hierarchies = if dirs.is_empty() { Vec::new() } else { cgroup::own().0 };
    let below = |(dir, made): (PathBuf, bool)| {
        let mut points = hierarchies.iter().map(|hierarchy| Path::new(&hierarchy.point));
        let name = points.find_map(|point| Some(dir.strip_prefix(point).ok()?.to_str()?.to_string()))?;
        // The session's own may stand anywhere, and is known by its name alone.
        let own = dir.file_name()?.to_str().filter(|name| is_session(name, geteuid().as_raw())).map(String::from);
        Some((own.unwrap_or(name), made))
    };
    dirs.into_iter().filter_map(below).collect()
}

/// What an event has made that stays, as a learner knows it.
pub(super) fn names(event: &TraceEvent) -> Vec<String> {
    let TraceEvent::Syscall(_, event) = event else { return Vec::new() };
    let name = |change: &Change| entry(change).map(|_| change.subject(spoken()));
    event.changed.iter().filter_map(name).collect()
}

/// That it will not stay.
pub(super) fn told(name: &str, lang: Lang) -> String {
    lang.pick(format!("{name} is made on the machine: removed at the end"), format!("{name} 建在机器上：结束时会删除"))
}

impl Found {
    fn lock(&self) -> MutexGuard<'_, Option<Ledger>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes down what was just made, before the process that made it goes on.
    pub(super) fn saw(&self, event: &TraceEvent) {
        let TraceEvent::Syscall(_, event) = event else { return };
        let goes = |change: &Change| matches!(change, Change::GroupRemoved(..) | Change::ObjectRemoved(..));
        if event.changed.iter().any(goes)
            && let Some(ledger) = self.lock().as_mut()
        {
            ledger.forget_what_is_gone();
        }
        for entry in event.changed.iter().filter_map(entry) {
            let mut ledger = self.lock();
            if ledger.is_none() {
                // Groups and objects of the kernel do not outlive the machine's power.
                *ledger = Ledger::create_kept(false).ok();
            }
            let Some(ledger) = ledger.as_mut() else { continue };
            // What cannot be written down is still removed at the end, if we live to see it.
            let _ = ledger.add(entry.clone());
            if let Entry::Group(_) = entry
                && ledger.made(&entry).is_err()
            {
                // It is gone again, or hidden from us: then it is nothing to be removed by its name.
                let _ = ledger.forget(&entry);
            }
        }
    }

    /// Removes the groups, the newest first; gives what stays.
    pub(super) fn clear_groups(&self, until: Instant) -> Vec<Left> {
        let mut ledger = self.lock();
        let Some(ledger) = ledger.as_mut() else { return Vec::new() };
        let groups = ledger.entries().into_iter().rev().filter(|entry| matches!(entry, Entry::Group(_)));
        groups.flat_map(|entry| ledger.take_away(&entry, until)).collect()
    }

    /// Removes everything; gives what stays, as [`Ledger::finish`] does.
    pub(super) fn finish(&self, until: Instant) -> Vec<(Entry, Vec<Left>)> {
        self.lock().take().map(|mut ledger| ledger.finish(until)).unwrap_or_default()
    }
}
