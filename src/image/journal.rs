//! What grows under a name of its own is written down first, so that it can be taken away where this program is killed.

use super::partial::is_ours;
use std::{
    os::fd::{AsFd, BorrowedFd},
    path::{Path, PathBuf, absolute},
    sync::OnceLock,
};

/// What writes it down. Where that cannot be done, the work is done all the same.
pub(crate) trait Journal: Send + Sync {
    /// This is about to be made.
    fn begins(&self, path: &Path);
    /// It was made, and is this one.
    fn made(&self, path: &Path, file: BorrowedFd<'_>);
    /// It has its own name by now, or is gone.
    fn ends(&self, path: &Path);
}

static JOURNAL: OnceLock<Box<dyn Journal>> = OnceLock::new();

/// From now on this is told.
pub(crate) fn set(journal: Box<dyn Journal>) {
    // The first to keep them keeps them.
    let _ = JOURNAL.set(journal);
}

/// One thing that is written down, until this is dropped.
#[derive(Debug)]
pub(super) struct Pending(PathBuf);

impl Pending {
    /// Call it before the thing is made; the name is one of [`super::partial::fresh_name`].
    pub(super) fn begin(path: &Path) -> Pending {
        let path = absolute(path).unwrap_or_else(|_| path.into());
        debug_assert!(path.file_name().and_then(|name| name.to_str()).is_some_and(is_ours));
        if let Some(journal) = JOURNAL.get() {
            journal.begins(&path);
        }
        Pending(path)
    }

    /// It was made.
    pub(super) fn made(&self, file: impl AsFd) {
        if let Some(journal) = JOURNAL.get() {
            journal.made(&self.0, file.as_fd());
        }
    }

    /// It is still there, and stays written down.
    pub(super) fn stays(self) {
        std::mem::forget(self);
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if let Some(journal) = JOURNAL.get() {
            journal.ends(&self.0);
        }
    }
}
