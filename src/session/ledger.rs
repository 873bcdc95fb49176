//! The ledger: what this program makes that the kernel does not take away by itself, written down *before* it is made.
//!
//! The file is locked (flock(2)) for as long as its owner lives. A ledger whose lock is free was left by a crash, and
//! [`sweep`] removes exactly what it lists. Names that are not of our own pattern are never touched, whatever a ledger says.

use super::removal;
use super::run_dir::{self, is_ours};
use super::state_dir::StateDir;
use crate::dirs::{self, Candidate};
use crate::kernel::groups::hands_down;
use nix::fcntl::{Flock, FlockArg};
use nix::unistd::geteuid;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Component, Path, PathBuf};

/// Something that outlives a killed process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A run directory.
    RunDir(PathBuf),
    /// A control group, as its directory in cgroupfs.
    Cgroup(PathBuf),
    /// What a group hands down since a session, and did not before.
    HandedDown(HandedDown),
}

/// A controller in the `cgroup.subtree_control` of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandedDown {
    /// The group's directory.
    pub dir: PathBuf,
    /// The controller.
    pub controller: String,
    /// When: no later boot of the machine knows anything of it (`/proc/sys/kernel/random/boot_id`).
    boot: String,
}

impl HandedDown {
    /// What is handed down since the machine was started.
    pub fn new(dir: PathBuf, controller: String) -> HandedDown {
        HandedDown { dir, controller, boot: boot() }
    }

    fn read(text: &str) -> Option<HandedDown> {
        let mut fields = text.splitn(3, ' ').map(String::from);
        let (boot, controller) = (fields.next()?, fields.next()?);
        Some(HandedDown { boot, controller, dir: fields.next()?.into() })
    }

    fn is_there(&self) -> bool {
        self.boot == boot() && hands_down(&self.dir, &self.controller)
    }
}

fn boot() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().into()
}

impl Entry {
    /// Where it is.
    pub fn path(&self) -> &Path {
        match self {
            Entry::RunDir(path) | Entry::Cgroup(path) => path,
            Entry::HandedDown(what) => &what.dir,
        }
    }

    fn word(&self) -> &'static str {
        match self {
            Entry::RunDir(_) => "run_dir",
            Entry::Cgroup(_) => "cgroup",
            Entry::HandedDown(_) => "handed_down",
        }
    }

    /// One line of the file. A path that is not UTF-8 or holds a newline has none.
    fn line(&self, sign: char) -> io::Result<String> {
        let path = self.path().to_str().filter(|path| !path.contains('\n'));
        let path = path.ok_or_else(|| io::Error::other("the path is no single line of UTF-8"))?;
        let more = match self {
            Entry::HandedDown(what) => format!("{} {} ", what.boot, what.controller),
            _ => String::new(),
        };
        Ok(format!("{sign} {} {more}{path}\n", self.word()))
    }

    /// Whether a user's session can have made this: a plain absolute path with our own name in the right place.
    fn is_ours(&self, uid: u32) -> bool {
        let plain = |part: Component| matches!(part, Component::RootDir | Component::Normal(_));
        let named = |part: Component| part.as_os_str().to_str().is_some_and(|name| is_ours(name, uid));
        self.path().is_absolute()
            && self.path().components().all(plain)
            && match self {
                Entry::RunDir(path) => path.components().next_back().is_some_and(named),
                Entry::Cgroup(path) => path.components().any(named),
                // Anybody's group can hand something down; only what a session saw is in its ledger.
                Entry::HandedDown(what) => what.controller.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'),
            }
    }

    fn is_there(&self) -> bool {
        match self {
            Entry::HandedDown(what) => what.is_there(),
            _ => std::fs::symlink_metadata(self.path()).is_ok(),
        }
    }

    fn remove(&self) -> io::Result<()> {
        let removed = match self {
            Entry::RunDir(path) => removal::run_dir(path),
            Entry::Cgroup(path) => removal::cgroup(path),
            Entry::HandedDown(what) if what.is_there() => removal::handed_down(&what.dir, &what.controller),
            Entry::HandedDown(_) => Ok(()),
        };
        // It was written down before it was made, so it may never have been made.
        removed.or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })
    }
}

/// Reads what is still there according to a ledger's text. A last line without its newline was torn by a crash: the
/// thing that it announces was not made yet.
fn parse(text: &str) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for line in text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')) {
        let mut fields = line.splitn(3, ' ');
        let entry = match (fields.next(), fields.next(), fields.next()) {
            (Some(sign), Some("run_dir"), Some(path)) => (sign, Entry::RunDir(path.into())),
            (Some(sign), Some("cgroup"), Some(path)) => (sign, Entry::Cgroup(path.into())),
            (Some(sign), Some("handed_down"), Some(what)) => match HandedDown::read(what) {
                Some(what) => (sign, Entry::HandedDown(what)),
                None => continue,
            },
            _ => continue,
        };
        match entry {
            ("+", entry) => entries.push(entry),
            ("-", entry) => entries.retain(|known| *known != entry),
            _ => {}
        }
    }
    entries
}

/// The ledger of a running session. Dropping it removes what is still listed, and then the ledger itself.
#[derive(Debug)]
pub struct Ledger {
    file: Flock<File>,
    path: PathBuf,
    entries: Vec<Entry>,
}

impl Ledger {
    /// Begins a ledger in the state directory or, where nothing can be written there, where run directories are made.
    pub fn create() -> io::Result<Ledger> {
        let mut last = io::Error::from(io::ErrorKind::NotFound);
        let state = StateDir::for_ledgers().map(|state| state.path().to_path_buf());
        let others = dirs::candidates().into_iter().filter(Candidate::is_safe).map(|candidate| candidate.path());
        for dir in state.into_iter().chain(others) {
            match Ledger::create_in(&dir) {
                Ok(ledger) => return Ok(ledger),
                Err(error) => last = io::Error::new(error.kind(), format!("{}: {error}", dir.display())),
            }
        }
        Err(last)
    }

    /// Begins a ledger in this directory.
    pub fn create_in(dir: &Path) -> io::Result<Ledger> {
        loop {
            let path = dir.join(format!("{}.ledger", run_dir::fresh_name()?));
            let file = OpenOptions::new().read(true).append(true).create_new(true).mode(0o600).open(&path)?;
            // A sweep may have found the file before it was locked, and removed it as a dead one's: then begin again.
            let Ok(file) = Flock::lock(file, FlockArg::LockExclusiveNonblock) else { continue };
            if file.metadata()?.nlink() == 0 {
                continue;
            }
            let mut ledger = Ledger { file, path, entries: Vec::new() };
            // A full disk lets an empty file be made, so whether a ledger can be kept shows only here. On an error the
            // ledger is dropped, and so removed.
            return ledger.write("boxwright ledger 1\n").map(|()| ledger);
        }
    }

    fn write(&mut self, line: &str) -> io::Result<()> {
        self.file.write_all(line.as_bytes())?;
        self.file.sync_data()
    }

    /// Writes down what is about to be made. Make it only after this has returned.
    pub fn add(&mut self, entry: Entry) -> io::Result<()> {
        if !entry.is_ours(geteuid().as_raw()) {
            return Err(io::Error::other(format!("{}: not a name of boxwright's", entry.path().display())));
        }
        self.write(&entry.line('+')?)?;
        self.entries.push(entry);
        Ok(())
    }

    /// What is listed, the first made first.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Removes one thing now, and from the list.
    pub fn remove(&mut self, entry: &Entry) -> io::Result<()> {
        entry.remove()?;
        self.forget(entry)
    }

    /// Takes something off the list that was not made after all.
    pub fn forget(&mut self, entry: &Entry) -> io::Result<()> {
        self.entries.retain(|known| known != entry);
        self.write(&entry.line('-')?)
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        // The last made goes first. What cannot be removed stays listed, for the next start to try again.
        let left = self.entries.iter().rev().filter(|entry| entry.remove().is_err()).count();
        if left == 0 {
            // Still locked, so that no sweep reads a half-removed ledger.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// What became of one entry of a dead session's ledger.
#[derive(Debug)]
pub enum Outcome {
    /// It is gone.
    Removed,
    /// It would be removed (a dry run).
    Would,
    /// Its name is not one of ours: it is left alone, and so is the ledger.
    Foreign,
    /// It is still there.
    Failed(io::Error),
}

/// The directories where ledgers may be, also those of sessions that were started in another way than this one.
pub fn directories() -> Vec<PathBuf> {
    StateDir::of_ledgers().into_iter().chain(dirs::everywhere()).collect()
}

/// Removes what dead sessions left, or only lists it. Entries that are gone already are not mentioned.
pub fn sweep(directories: &[PathBuf], dry_run: bool) -> Vec<(Entry, Outcome)> {
    let mut swept = Vec::new();
    for path in directories.iter().filter_map(|dir| std::fs::read_dir(dir).ok()).flatten().flatten().map(|e| e.path()) {
        let Some(file) = abandoned(&path) else { continue };
        let mut text = String::new();
        if (&*file).read_to_string(&mut text).is_err() {
            continue;
        }
        let mut done = true;
        for entry in parse(&text).into_iter().rev() {
            let exists = entry.is_there();
            let outcome = match () {
                () if !entry.is_ours(geteuid().as_raw()) => Outcome::Foreign,
                () if !exists => continue,
                () if dry_run => Outcome::Would,
                () => entry.remove().map_or_else(Outcome::Failed, |()| Outcome::Removed),
            };
            done &= matches!(outcome, Outcome::Removed);
            swept.push((entry, outcome));
        }
        if done && !dry_run {
            let _ = std::fs::remove_file(&path);
        }
    }
    swept
}

/// Opens and locks a ledger of this user's whose owner is dead. Anything else of that name is not believed.
fn abandoned(path: &Path) -> Option<Flock<File>> {
    let uid = geteuid().as_raw();
    path.file_name()?.to_str()?.strip_suffix(".ledger").filter(|stem| is_ours(stem, uid))?;
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
    let file = OpenOptions::new().read(true).write(true).custom_flags(flags).open(path).ok()?;
    let metadata = file.metadata().ok()?;
    if !metadata.is_file() || metadata.uid() != uid || metadata.mode() & 0o077 != 0 {
        return None;
    }
    let file = Flock::lock(file, FlockArg::LockExclusiveNonblock).ok()?;
    // Another sweep may have removed it since it was opened.
    (file.metadata().ok()?.nlink() == 1).then_some(file)
}

#[cfg(test)]
#[path = "ledger_tests.rs"]
mod tests;
