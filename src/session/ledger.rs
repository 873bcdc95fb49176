//! The ledger: what this program makes that the kernel does not take away by itself, written down *before* it is made.
//!
//! The file is locked (flock(2)) for as long as its owner lives. A ledger whose lock is free was left by a crash, and
//! [`sweep`] removes exactly what it lists. Names that are not of our own pattern are never touched, whatever a ledger says,
//! and neither is a directory that is not the one that was made.
//!
//! Where no directory has locks (ENOLCK, as in homes on a network), the ledger goes without one. It then says so, and names
//! its owner by PID, start time, PID namespace, boot and machine; a sweep takes its things only where it knows that this
//! process is gone.
//!
//! The format is one line each: `+` before something is made, `=` once it is there (which directory it is), `-` when it is
//! gone. What an earlier version has written has no `=`, and an earlier version passes over them.

mod entry;
mod owner;
mod partial;

pub use entry::Delegated;
pub use entry::Entry;
pub use entry::Lasting;
pub use partial::record_partials;

use super::run_dir::{self, is_ours};
use super::state_dir::StateDir;
use crate::cleanup::{Identity, Left, Made};
use crate::dirs::{self, Candidate};
use crate::kernel::text;
use entry::{Listed, parse};
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use nix::unistd::geteuid;
use owner::{Known, Owner};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often a ledger is begun again because a sweep took it for a dead one's in the moment before it was locked.
const ATTEMPTS: usize = 16;

/// How long the members of the groups of one ledger may take to end by default.
const PATIENCE: Duration = Duration::from_secs(2);

/// The open file, with its lock where it has one.
#[derive(Debug)]
enum Kept {
    Locked(Flock<File>),
    Unlocked(File),
}

impl Kept {
    fn file(&self) -> &File {
        match self {
            Kept::Locked(file) => file,
            Kept::Unlocked(file) => file,
        }
    }
}

/// The ledger of a running session. Dropping it removes what is still listed, and then the ledger itself.
#[derive(Debug)]
pub struct Ledger {
    file: Kept,
    path: PathBuf,
    durable: bool,
    entries: Vec<(Entry, Option<Arc<Made>>)>,
    refused: Vec<(PathBuf, Errno)>,
    finished: bool,
}

impl Ledger {
    /// Begins a ledger in the state directory or, where nothing can be written or locked there, where run directories are
    /// made. Where nothing can be locked anywhere, it goes without a lock.
    pub fn create() -> io::Result<Ledger> {
        Ledger::create_kept(true)
    }

    /// The same; `durable` is whether it is also there after the machine has lost its power. Every line then waits for the disk,
    /// and for all that others have to write there.
    pub(crate) fn create_kept(durable: bool) -> io::Result<Ledger> {
        let state = StateDir::for_ledgers().map(|state| state.path().to_path_buf());
        let others = dirs::candidates().into_iter().filter(Candidate::is_safe).map(|candidate| candidate.path());
        Ledger::create_in_one_of(&state.into_iter().chain(others).collect::<Vec<_>>(), durable)
    }

    fn create_in_one_of(directories: &[PathBuf], durable: bool) -> io::Result<Ledger> {
        let mut last = io::Error::from(io::ErrorKind::NotFound);
        let mut refused = Vec::new();
        for dir in directories {
            match Ledger::begin(dir, true, durable) {
                Ok(Ok(mut ledger)) => {
                    ledger.refused = refused;
                    return Ok(ledger);
                }
                Ok(Err(errno)) => refused.push((dir.clone(), errno)),
                Err(error) => last = io::Error::new(error.kind(), format!("{}: {error}", dir.display())),
            }
        }
        for (dir, _) in &refused {
            match Ledger::begin(dir, false, durable) {
                Ok(Ok(mut ledger)) => {
                    ledger.refused = refused;
                    return Ok(ledger);
                }
                Ok(Err(errno)) => last = errno.into(),
                Err(error) => last = io::Error::new(error.kind(), format!("{}: {error}", dir.display())),
            }
        }
        Err(last)
    }

    /// Begins a ledger in this directory, with a lock.
    pub fn create_in(dir: &Path) -> io::Result<Ledger> {
        Ledger::begin(dir, true, true)?
            .map_err(|errno| io::Error::other(format!("flock: {}", crate::kernel::errno::why(errno))))
    }

    /// Begins a ledger. The inner error is that of flock(2): everything but the lock could be had.
    fn begin(dir: &Path, lock: bool, durable: bool) -> io::Result<Result<Ledger, Errno>> {
        let mut taken = Errno::EWOULDBLOCK;
        for _ in 0..ATTEMPTS {
            let path = dir.join(format!("{}.ledger", run_dir::fresh_name()?));
            let file = OpenOptions::new().read(true).append(true).create_new(true).mode(0o600).open(&path)?;
            let file = if lock {
                match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
                    Ok(file) => Kept::Locked(file),
                    Err((_, errno)) => {
                        // It is empty, and no other process has made a file of this name.
                        let _ = std::fs::remove_file(&path);
                        taken = errno;
                        if errno == Errno::EWOULDBLOCK {
                            continue;
                        }
                        return Ok(Err(errno));
                    }
                }
            } else {
                Kept::Unlocked(file)
            };
            // A sweep may have found the file before it was locked, and removed it as a dead one's: then begin again.
            if file.file().metadata()?.nlink() == 0 {
                continue;
            }
            let mut ledger = Ledger { file, path, durable, entries: Vec::new(), refused: Vec::new(), finished: false };
            // A full disk lets an empty file be made, so whether a ledger can be kept shows only here. On an error the
            // ledger is dropped, and so removed.
            return ledger.write(&format!("boxwright ledger 1\n{}", Owner::new(lock).line())).map(|()| Ok(ledger));
        }
        Ok(Err(taken))
    }

    /// The directories in which no ledger could be locked, and why; empty where the best one could.
    pub(crate) fn refused(&self) -> &[(PathBuf, Errno)] {
        &self.refused
    }

    /// Whether it has its lock.
    pub(crate) fn is_locked(&self) -> bool {
        matches!(self.file, Kept::Locked(_))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn write(&mut self, line: &str) -> io::Result<()> {
        let mut file = self.file.file();
        file.write_all(line.as_bytes())?;
        if self.durable { file.sync_data() } else { Ok(()) }
    }

    /// Writes down what is about to be made. Make it only after this has returned.
    pub fn add(&mut self, entry: Entry) -> io::Result<()> {
        if !entry.is_ours(geteuid().as_raw()) {
            return Err(io::Error::other(format!("{}: not a name of boxwright's", entry.path().display())));
        }
        self.write(&entry.line('+')?)?;
        // What had this name before is gone.
        self.entries.retain(|(known, _)| *known != entry);
        self.entries.push((entry, None));
        Ok(())
    }

    /// Writes down which directory was made, and holds it open: nothing else will be taken for it.
    ///
    /// Errors: those of opening it, and of writing.
    pub fn made(&mut self, entry: &Entry) -> io::Result<()> {
        let made = Made::open(entry.path())?;
        self.made_so(entry, &made.identity()?)?;
        if let Some((_, held)) = self.entries.iter_mut().find(|(known, _)| known == entry) {
            *held = Some(Arc::new(made));
        }
        Ok(())
    }

    /// Writes down which one was made, and no more.
    ///
    /// Errors: those of writing.
    pub(crate) fn made_so(&mut self, entry: &Entry, identity: &Identity) -> io::Result<()> {
        self.write(&entry.made(identity)?)
    }

    /// The directory of an entry, where [`Ledger::made`] holds it.
    pub(crate) fn held(&self, entry: &Entry) -> Option<Arc<Made>> {
        self.entries.iter().find(|(known, _)| known == entry).and_then(|(_, held)| held.clone())
    }

    /// What is listed, the first made first.
    pub(crate) fn entries(&self) -> Vec<Entry> {
        self.entries.iter().map(|(entry, _)| entry.clone()).collect()
    }

    /// Removes one thing now, and from the list.
    pub(crate) fn remove(&mut self, entry: &Entry) -> io::Result<()> {
        self.take_away(entry, Instant::now() + PATIENCE).into_iter().next().map_or(Ok(()), |left| Err(left.into()))
    }

    /// The same within a time; gives what stays of it, and on the list.
    pub(crate) fn take_away(&mut self, entry: &Entry, until: Instant) -> Vec<Left> {
        let left = entry.remove(self.held(entry).as_deref(), None, until);
        if left.is_empty() {
            // Where this cannot be written, the next sweep finds that the thing is gone.
            let _ = self.forget(entry);
        }
        left
    }

    /// Takes something off the list that was not made after all.
    pub fn forget(&mut self, entry: &Entry) -> io::Result<()> {
        self.entries.retain(|(known, _)| known != entry);
        self.write(&entry.line('-')?)
    }

    /// Takes off the list what was removed meanwhile.
    pub(crate) fn forget_what_is_gone(&mut self) {
        let gone = |(entry, held): &(Entry, Option<Arc<Made>>)| match held {
            Some(made) => !made.is_in_place(),
            None => !entry.is_there(),
        };
        for entry in self.entries.iter().filter(|kept| gone(kept)).map(|(entry, _)| entry.clone()).collect::<Vec<_>>() {
            let _ = self.forget(&entry);
        }
    }

    /// Removes everything that is listed, the last made first, and the ledger. Waits for members of groups until then.
    ///
    /// Gives what stays: it stays listed as well, and the next start, or `boxwright clean`, tries again.
    pub(crate) fn finish(&mut self, until: Instant) -> Vec<(Entry, Vec<Left>)> {
        let mut stays = Vec::new();
        self.finished = true;
        for (entry, held) in std::mem::take(&mut self.entries).into_iter().rev() {
            let left = entry.remove(held.as_deref(), None, until);
            if left.is_empty() {
                // Where this line cannot be written, the next sweep finds that the thing is gone.
                let _ = entry.line('-').and_then(|line| self.write(&line));
            } else {
                stays.push((entry, left));
            }
        }
        if stays.is_empty() {
            // Still locked, so that no sweep reads a half-removed ledger.
            let _ = std::fs::remove_file(&self.path);
        }
        stays
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        if !self.finished {
            self.finish(Instant::now() + PATIENCE);
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
    /// This of it is still there.
    Left(Vec<Left>),
}

/// The directories where ledgers may be, also those of sessions that were started in another way than this one.
pub(crate) fn directories() -> Vec<PathBuf> {
    StateDir::of_ledgers().into_iter().chain(dirs::everywhere()).collect()
}

/// Removes what dead sessions left, or only lists it. Entries that are gone already are not mentioned. `patience` is how long
/// the members of groups may take to end, all together.
pub fn sweep(directories: &[PathBuf], dry_run: bool, patience: Duration) -> Vec<(Entry, Outcome)> {
    let mut swept = Vec::new();
    let until = Instant::now() + patience;
    for path in directories.iter().filter_map(|dir| std::fs::read_dir(dir).ok()).flatten().flatten().map(|e| e.path()) {
        let Some((_file, entries)) = abandoned(&path) else { continue };
        let mut done = true;
        for (entry, identity) in entries.into_iter().rev() {
            let exists = entry.is_there() && !entry.is_another(identity.as_ref());
            let outcome = match () {
                () if !entry.is_ours(geteuid().as_raw()) => Outcome::Foreign,
                () if !exists => {
                    // From another mount namespace it may only be out of sight, under a mount of ours or a root of our own.
                    done &= !identity.is_some_and(|identity| identity.is_out_of_sight());
                    continue;
                }
                () if dry_run => Outcome::Would,
                () => match entry.remove(None, identity.as_ref(), until) {
                    left if left.is_empty() => Outcome::Removed,
                    left => Outcome::Left(left),
                },
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
fn abandoned(path: &Path) -> Option<(Kept, Vec<Listed>)> {
    let uid = geteuid().as_raw();
    // In a user namespace of their own, where a session's terminals are, each user is 0. The file says whose it is.
    let ours = |stem: &&str| is_ours(stem, uid) || is_ours(stem, 0);
    path.file_name()?.to_str()?.strip_suffix(".ledger").filter(ours)?;
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
    let file = OpenOptions::new().read(true).write(true).custom_flags(flags).open(path).ok()?;
    let metadata = file.metadata().ok()?;
    if !metadata.is_file() || metadata.uid() != uid || metadata.mode() & 0o077 != 0 {
        return None;
    }
    let (file, locked) = match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
        Ok(file) => (Kept::Locked(file), true),
        Err((_, Errno::EWOULDBLOCK)) => return None,
        // There are no locks here, so this one has none either, or cannot be told from one that has.
        Err((file, _)) => (Kept::Unlocked(file), false),
    };
    let text = text::read_all(file.file()).ok()?;
    let dead = match Owner::read(&text) {
        Some(owner) => locked && owner.believes_locks() || owner.known() == Known::Dead,
        // A ledger of an earlier version always has a lock while its owner lives.
        None => locked,
    };
    // Another sweep may have removed it since it was opened.
    (dead && file.file().metadata().ok()?.nlink() == 1).then(|| (file, parse(&text)))
}

#[cfg(test)]
#[path = "ledger_tests.rs"]
mod tests;
