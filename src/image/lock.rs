//! Locks that several of these programs see at once (flock(2)). They end with their owner, however it ends.

use super::{Error, Result, staging};
use crate::lang::say;
use nix::{
    errno::Errno,
    fcntl::{Flock, FlockArg},
    poll::PollFlags,
    unistd::pipe,
};
use std::{fs::File, os::fd::AsFd, path::Path, thread, time::Duration};

/// How long another program may hold a lock that is only ever held for a moment.
const PATIENCE: Duration = Duration::from_secs(20);

/// A lock on a directory; on a file system without locks it is none.
#[derive(Debug)]
pub(super) struct Lock {
    held: Option<Flock<File>>,
}

impl Lock {
    /// Locks a directory together with others.
    pub(super) fn shared(dir: &Path) -> Result<Lock> {
        Lock::take(dir, FlockArg::LockShared)
    }

    /// Locks a directory alone.
    pub(super) fn alone(dir: &Path) -> Result<Lock> {
        Lock::take(dir, FlockArg::LockExclusive)
    }

    fn take(dir: &Path, how: FlockArg) -> Result<Lock> {
        let file = File::open(dir).map_err(Error::io(dir))?;
        match now(file, how) {
            Ok(held) => Ok(Lock { held: Some(held) }),
            Err((file, Errno::EWOULDBLOCK)) => wait(file, how, dir),
            // No locks on this file system, or a filter that forbids them.
            Err(_) => Ok(Lock { held: None }),
        }
    }

    /// The locked directory.
    pub(super) fn dir(&self) -> Option<&File> {
        self.held.as_deref()
    }

    /// Whether nothing else holds the lock. Then it is ours alone from now on, otherwise no longer ours (flock(2)).
    pub(super) fn is_only(&mut self) -> bool {
        let Some(held) = &self.held else { return true };
        held.relock(FlockArg::LockExclusiveNonblock).is_ok()
    }
}

/// Takes a lock that is free.
pub(super) fn now(file: File, how: FlockArg) -> std::result::Result<Flock<File>, (File, Errno)> {
    let how = match how {
        FlockArg::LockShared => FlockArg::LockSharedNonblock,
        _ => FlockArg::LockExclusiveNonblock,
    };
    Flock::lock(file, how)
}

/// Waits for a lock. flock(2) has no timeout, so it is another thread that waits, and this one for the thread.
fn wait(file: File, how: FlockArg, dir: &Path) -> Result<Lock> {
    let fail = |errno: Errno| Error::io(dir)(errno.into());
    let (done, end) = pipe().map_err(fail)?;
    let waiting = thread::spawn(move || {
        let held = Flock::lock(file, how);
        drop(end);
        held
    });
    if !staging::wait_for(done.as_fd(), PollFlags::POLLIN, PATIENCE)? {
        let why = format!("another program has held its lock for {} s", PATIENCE.as_secs());
        let hint = say(
            "is another copy into it stopped (Ctrl-Z)? See: fuser -v, or lslocks",
            "是否有另一个写入它的复制被暂停了（Ctrl-Z）？见 fuser -v 或 lslocks",
        )
        .into();
        return Err(Error::Unavailable { what: dir.display().to_string(), why, hint });
    }
    match waiting.join() {
        Ok(Ok(held)) => Ok(Lock { held: Some(held) }),
        _ => Ok(Lock { held: None }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_share_a_lock_and_only_the_last_has_it_alone() {
        let top = tempfile::tempdir().unwrap();
        let [mut first, mut second] = [(); 2].map(|()| Lock::shared(top.path()).unwrap());
        assert!(!first.is_only());
        drop(first);
        assert!(second.is_only());
        let dir = top.path().to_path_buf();
        let other = thread::spawn(move || Lock::shared(&dir).map(drop));
        drop(second);
        other.join().unwrap().unwrap();
    }
}
