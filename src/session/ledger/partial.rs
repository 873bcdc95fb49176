//! The ledger of a tool: what it makes under another name until it is complete. A tool that makes nothing has none.

use super::{Entry, Ledger};
use crate::{
    cleanup::Identity,
    image::journal::{self, Journal},
};
use std::{
    os::fd::BorrowedFd,
    path::Path,
    sync::{Mutex, PoisonError},
};

/// From now on what the image tools of this process make is in a ledger, as long as it has no name of its own.
pub fn record_partials() {
    journal::set(Box::new(PartialLedger(Mutex::new(None))));
}

struct PartialLedger(Mutex<Option<Ledger>>);

impl PartialLedger {
    fn with(&self, act: impl FnOnce(&mut Option<Ledger>)) {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

// Where nothing can be written down, nothing is known of what is left; the work goes on.
impl Journal for PartialLedger {
    fn begins(&self, path: &Path) {
        self.with(|ledger| {
            if ledger.is_none() {
                // A killed process has written what it has written: it need not be on the disk.
                *ledger = Ledger::create_kept(false).ok();
            }
            if let Some(ledger) = ledger {
                let _ = ledger.add(Entry::Partial(path.into()));
            }
        });
    }

    fn made(&self, path: &Path, file: BorrowedFd<'_>) {
        self.with(|ledger| {
            if let (Some(ledger), Ok(identity)) = (ledger, Identity::of(file)) {
                let _ = ledger.made_so(&Entry::Partial(path.into()), &identity);
            }
        });
    }

    fn ends(&self, path: &Path) {
        self.with(|kept| {
            if let Some(ledger) = kept {
                let _ = ledger.forget(&Entry::Partial(path.into()));
                if ledger.entries().is_empty() {
                    // Dropped, it is removed.
                    *kept = None;
                }
            }
        });
    }
}
