//! Where a session stands among the machine's control groups, and putting that back as it was.
//!
//! In version 2 a group that holds processes cannot hand its controllers down. Where the session's groups are made in the
//! group that this program itself was started in, the program therefore steps aside first, into a leaf of its own, and back
//! at the end. No other process is ever moved.

use crate::kernel::text;
use crate::{
    cleanup::Left,
    kernel::{
        availability::{OURS, base},
        cgroups::{LIMITING, own, place},
        groups::{HANDED_DOWN, SUBTREE_CONTROL, listed, write},
    },
    session::{Delegated, Entry, Ledger, fresh_name},
    trace::{Change, TraceEvent},
};
use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// How long the end may take by default.
const PATIENCE: Duration = Duration::from_secs(2);

/// Dropping it does as [`Delegation::finish`] does.
#[derive(Debug)]
pub(super) struct Delegation {
    /// A group that hands controllers down, and which ones it handed down before.
    bases: Vec<(PathBuf, BTreeSet<String>)>,
    /// The group that we came from.
    left: Option<PathBuf>,
    /// Holds the leaf, and what the session's processes have handed down.
    ledger: Ledger,
    finished: bool,
}

impl Delegation {
    /// Remembers how things are, and steps aside where that is needed and allowed.
    ///
    /// Errors: the ledger's. Where the leaf cannot be made or entered all stays as it is, and the lesson's own commands
    /// will say what the kernel says.
    pub(super) fn take() -> io::Result<Delegation> {
        let mut delegation = Delegation { bases: Vec::new(), left: None, ledger: Ledger::create()?, finished: false };
        let (hierarchies, memberships) = own();
        let places = LIMITING.iter().filter_map(|controller| place(&hierarchies, &memberships, controller));
        for place in places.filter(|place| place.version == 2) {
            let base = base(&place);
            if delegation.bases.iter().any(|(known, _)| *known == base) {
                continue;
            }
            delegation.bases.push((base.clone(), delegated(&base)));
            let inside = place.dir(&place.path).is_some_and(|dir| dir == base);
            // The root of the whole tree may hold processes and hand down; it has no `cgroup.type`.
            if inside && base.join("cgroup.type").exists() {
                delegation.step_aside(base)?;
            }
        }
        Ok(delegation)
    }

    fn step_aside(&mut self, base: PathBuf) -> io::Result<()> {
        let leaf = Entry::Cgroup(base.join(fresh_name()?));
        self.ledger.add(leaf.clone())?;
        // `0` means the process that writes, with all of its threads.
        if fs::create_dir(leaf.path()).is_ok() && write(&leaf.path().join("cgroup.procs"), "0").is_ok() {
            self.left = Some(base);
            return Ok(());
        }
        self.ledger.remove(&leaf)
    }

    /// Writes down what the session's processes hand down, whichever program does it.
    pub(super) fn saw(&mut self, event: &TraceEvent) {
        let TraceEvent::Syscall(_, event) = event else { return };
        for change in &event.changed {
            let Change::ControlFile { before, after, file: Some(file), .. } = change else { continue };
            if !file.ends_with(SUBTREE_CONTROL) {
                continue;
            }
            let words = |text: &Option<String>| -> BTreeSet<String> {
                text.iter().flat_map(|text| text.split_whitespace()).map(String::from).collect()
            };
            for controller in words(after).difference(&words(before)) {
                self.note(file.parent().unwrap_or(file), controller);
            }
        }
    }

    /// Learns what the session's tools wrote down themselves, which is all where nothing is traced.
    pub(super) fn learn(&mut self, run_dir: &Path) {
        let text = text::read(run_dir.join(HANDED_DOWN)).unwrap_or_default();
        for (controller, dir) in text.lines().filter_map(|line| line.split_once(' ')) {
            self.note(Path::new(dir), controller);
        }
    }

    fn note(&mut self, dir: &Path, controller: &str) {
        // A session's own groups go as a whole.
        let whole = dir.components().any(|part| part.as_os_str().to_string_lossy().starts_with(OURS));
        let before = self.bases.iter().any(|(base, before)| base == dir && before.contains(controller));
        let entry = Entry::Delegated(Delegated::new(dir.into(), controller.into()));
        if !whole && !before && !self.ledger.entries().contains(&entry) {
            // What a full disk refuses to list stays handed down; a limit that is not set costs nothing.
            let _ = self.ledger.add(entry);
        }
    }
}

fn delegated(base: &Path) -> BTreeSet<String> {
    listed(&base.join(SUBTREE_CONTROL)).collect()
}

impl Delegation {
    /// Takes back what was handed down since, and steps back; gives what stays, as [`Ledger::finish`] does. The groups below
    /// must be gone by then.
    pub(super) fn finish(&mut self, until: Instant) -> Vec<(Entry, Vec<Left>)> {
        if std::mem::replace(&mut self.finished, true) {
            return Vec::new();
        }
        // The group that we came from is ours alone; in any other, another program may have come to count on more.
        for (base, before) in self.bases.iter().filter(|(base, _)| self.left.as_ref() == Some(base)) {
            for controller in delegated(base).difference(before) {
                let _ = write(&base.join(SUBTREE_CONTROL), &format!("-{controller}"));
            }
        }
        // Before we come back: a group with processes cannot take anything back. EBUSY: it is in use elsewhere by now;
        // it stays in the ledger, and the next start tries again.
        for entry in self.ledger.entries().iter().rev().filter(|entry| matches!(entry, Entry::Delegated(_))) {
            let _ = self.ledger.remove(entry);
        }
        if let Some(base) = &self.left {
            let _ = write(&base.join("cgroup.procs"), "0");
        }
        self.ledger.finish(until)
    }
}

impl Drop for Delegation {
    fn drop(&mut self) {
        self.finish(Instant::now() + PATIENCE);
    }
}
