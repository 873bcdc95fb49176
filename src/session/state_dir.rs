//! Where progress and ledgers are kept between runs, and what happens where nothing can be kept.

use super::run_dir::fresh_name;
use crate::dirs::{Walk, home_of, person};
use crate::kernel::{errno, owner::AsOwner};
use crate::lang::Lang;
use nix::errno::Errno;
use nix::fcntl::{AtFlags, Flock, FlockArg, OFlag, openat, renameat};
use nix::sys::stat::Mode;
use nix::unistd::{AccessFlags, Gid, Uid, UnlinkatFlags, faccessat, geteuid, unlinkat};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// Below a home directory (XDG base directory specification).
const BELOW_HOME: &str = ".local/state/boxwright";

/// An open state directory. Everything in it is reached through its descriptor, never again by its path: below a home
/// directory that another user owns, a part of the path could become a link at any moment.
#[derive(Debug)]
pub(crate) struct StateDir {
    dir: OwnedFd,
    path: PathBuf,
    owner: Option<(Uid, Gid)>,
}

/// Why nothing can be kept: the path that would have been used, and the reason.
#[derive(Debug, thiserror::Error)]
#[error("not saved: {}: {}", path.display(), errno::why(*reason))]
pub(crate) struct Unsaved {
    /// The directory.
    pub path: PathBuf,
    /// The error of the call that failed.
    pub reason: Errno,
}

/// The right to change a file of a state directory, until it is dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    /// Nothing where the file system knows no locks, or gives none: a write at the very same moment is not seen.
    pub(super) _lock: Result<Flock<File>, Errno>,
}

impl StateDir {
    /// Opens, and makes where needed, the directory for progress: that of the person at the keyboard, also under sudo.
    pub(crate) fn open() -> Result<StateDir, Unsaved> {
        first(candidates(|name| std::env::var_os(name).map(PathBuf::from), geteuid(), home_of))
    }

    /// The directory that [`StateDir::open`] would give, where it has this file. Nothing is made, and nothing is written.
    pub(crate) fn with(name: &str) -> Option<StateDir> {
        for walk in candidates(|name| std::env::var_os(name).map(PathBuf::from), geteuid(), home_of) {
            let _owner = AsOwner::new(walk.owner);
            if let Ok(dir) = walk.open() {
                let found = StateDir { dir, path: walk.path(), owner: walk.owner };
                if !matches!(found.load(name), Ok(None)) {
                    return Some(found);
                }
            }
            // It would be made here, so what lies in other places was not kept by this user's lessons.
            if walk.reach().is_ok_and(|dir| faccessat(&dir, ".", AccessFlags::W_OK, AtFlags::AT_EACCESS).is_ok()) {
                return None;
            }
        }
        None
    }

    /// The directory for ledgers, which is always the running user's own: root does not act on what others can write.
    pub(crate) fn for_ledgers() -> Result<StateDir, Unsaved> {
        first(for_ledgers())
    }

    /// Every directory that [`StateDir::for_ledgers`] may have given, whatever was wrong with the others at that time.
    pub(crate) fn of_ledgers() -> Vec<PathBuf> {
        for_ledgers().iter().filter(|walk| walk.open().is_ok()).map(Walk::path).collect()
    }

    /// Opens this directory, and makes what is missing of it.
    #[cfg(test)]
    pub(crate) fn at(path: &Path) -> Result<StateDir, Unsaved> {
        first(vec![Walk { base: "/".into(), below: path.strip_prefix("/").unwrap_or(path).into(), owner: None }])
    }

    /// Where it is, for messages.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Reads a file; `None` where there is none yet.
    pub(crate) fn load(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        // As its owner: another name for a file that only root may read must not be read for whom it is kept from.
        let _owner = AsOwner::new(self.owner);
        match openat(&self.dir, name, OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC, Mode::empty()) {
            Ok(file) => {
                let mut all = Vec::new();
                File::from(file).read_to_end(&mut all)?;
                Ok(Some(all))
            }
            Err(Errno::ENOENT) => Ok(None),
            Err(errno) => Err(errno.into()),
        }
    }

    /// Waits for the turn to read a file, change it, and save it, which every process that changes it waits for. The lock
    /// (flock(2)) is on a file of its own beside it, because saving replaces the file itself.
    ///
    /// Errors: that the lock was not free within `patience`.
    pub(crate) fn turn(&self, name: &str, patience: Duration) -> io::Result<Turn> {
        let _owner = AsOwner::new(self.owner);
        let flags = OFlag::O_RDWR | OFlag::O_CREAT | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let lock = format!("{name}.lock");
        let file = match openat(&self.dir, lock.as_str(), flags, Mode::from_bits_truncate(0o600)) {
            Ok(file) => File::from(file),
            Err(errno) => return Ok(Turn { _lock: Err(errno) }),
        };
        let lock = match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(lock) => Ok(lock),
            Err((file, Errno::EWOULDBLOCK)) => wait_for_lock(file, patience)?,
            // ENOLCK, EOPNOTSUPP, ENOSYS: asking again would get the same answer.
            Err((_, errno)) => Err(errno),
        };
        Ok(Turn { _lock: lock })
    }

    /// Makes a file that must not be there yet.
    ///
    /// Errors: EEXIST where it is.
    pub(crate) fn add(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let _owner = AsOwner::new(self.owner);
        let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_CLOEXEC;
        File::from(openat(&self.dir, name, flags, Mode::from_bits_truncate(0o600))?).write_all(bytes)
    }

    /// Replaces a file as a whole: a full disk or a crash leaves the old one.
    pub(crate) fn save(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let _owner = AsOwner::new(self.owner);
        // A process of another PID namespace may share the directory and have our PID.
        let temporary = format!(".{name}.{}", fresh_name()?);
        let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let mut file = File::from(openat(&self.dir, temporary.as_str(), flags, Mode::from_bits_truncate(0o600))?);
        let written = file.write_all(bytes).and_then(|()| file.sync_all());
        let renamed = written.and_then(|()| Ok(renameat(&self.dir, temporary.as_str(), &self.dir, name)?));
        if renamed.is_err() {
            let _ = unlinkat(&self.dir, temporary.as_str(), UnlinkatFlags::NoRemoveDir);
        }
        renamed
    }
}

/// Why a file of a state directory could not be read or saved.
pub(crate) fn why_not_kept(error: &io::Error, lang: Lang) -> String {
    match error.kind() {
        io::ErrorKind::TimedOut => lang.pick("another boxwright keeps it locked", "另一个 boxwright 一直锁着它").into(),
        _ => errno::why_io(error),
    }
}

/// The places to try, the best first.
fn candidates(get: impl Fn(&str) -> Option<PathBuf>, user: Uid, home_of: impl Fn(Uid) -> Option<PathBuf>) -> Vec<Walk> {
    let at = |base: PathBuf, below: &str, owner| Walk { base, below: below.into(), owner };
    let usable = |path: &PathBuf| path.is_absolute() && path != Path::new("/");
    let mut all = Vec::new();
    if let Some(owner) = person(&get, user) {
        all.extend(home_of(owner.0).filter(usable).map(|home| at(home, BELOW_HOME, Some(owner))));
    }
    // sudo may keep HOME: root makes nothing in a home that is not root's.
    let owner = user.is_root().then(|| (user, Gid::from_raw(0)));
    if let Some(state) = get("XDG_STATE_HOME").filter(usable) {
        // The specification wants it to be made where it is missing; its parent is then where we begin.
        let made = state.parent().zip(state.file_name());
        let made =
            made.map(|(parent, name)| Walk { base: parent.into(), below: Path::new(name).join("boxwright"), owner });
        all.push(at(state.clone(), "boxwright", owner));
        all.extend(made);
    }
    all.extend(get("HOME").filter(usable).map(|home| at(home, BELOW_HOME, owner)));
    all.extend(home_of(user).filter(usable).map(|home| at(home, BELOW_HOME, owner)));
    all.dedup();
    all
}

/// The places of ledgers: only our own, also under sudo.
fn for_ledgers() -> Vec<Walk> {
    let own = |name: &str| std::env::var_os(name).filter(|_| !name.starts_with("SUDO_")).map(PathBuf::from);
    candidates(own, geteuid(), home_of)
}

fn first(candidates: Vec<Walk>) -> Result<StateDir, Unsaved> {
    let mut why = Unsaved { path: "$HOME".into(), reason: Errno::ENOENT };
    for (at, candidate) in candidates.iter().enumerate() {
        let path = candidate.path();
        match enter(candidate) {
            Ok(dir) => return Ok(StateDir { dir, path, owner: candidate.owner }),
            // The first place is the one that people expect, so it is the one to explain.
            Err(reason) if at == 0 => why = Unsaved { path, reason },
            Err(_) => {}
        }
    }
    Err(why)
}

/// Goes there, makes what is missing, and writes something.
fn enter(candidate: &Walk) -> nix::Result<OwnedFd> {
    let dir = candidate.make()?;
    let _owner = AsOwner::new(candidate.owner);
    writable(&dir).map(|()| dir)
}

/// Blocks until the lock is ours, but no longer than `patience`: flock(2) itself knows no deadline, so a thread waits in
/// it. Where it gets the lock too late, it is not taken, and is free again at once.
fn wait_for_lock(file: File, patience: Duration) -> io::Result<Result<Flock<File>, Errno>> {
    let (sender, receiver) = mpsc::sync_channel(1);
    let wait = move || {
        let _ = sender.send(Flock::lock(file, FlockArg::LockExclusive).map_err(|(_, errno)| errno));
    };
    thread::Builder::new().name("lock".into()).spawn(wait)?;
    receiver.recv_timeout(patience).map_err(|_| io::Error::from(io::ErrorKind::TimedOut))
}

/// Whether files can be made: a read-only or full file system shows only when it is tried.
fn writable(dir: &OwnedFd) -> nix::Result<()> {
    let name = format!(".probe.{}", fresh_name().map_err(|error| Errno::from_raw(error.raw_os_error().unwrap_or(0)))?);
    let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let file = openat(dir, name.as_str(), flags, Mode::from_bits_truncate(0o600))?;
    let written = nix::unistd::write(&file, b"probe").map(drop);
    unlinkat(dir, name.as_str(), UnlinkatFlags::NoRemoveDir)?;
    written
}

#[cfg(test)]
#[path = "state_dir_tests.rs"]
mod tests;
