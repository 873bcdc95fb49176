//! Whether a group with a controller can really be made: whether a directory looks writable says nothing on cgroupfs.

use super::lacking::Failed;
use crate::{
    kernel::{availability::available, errno},
    session::{Entry, Ledger, fresh_name},
};
use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};

/// The answers so far: controllers that share a directory share the answer, and the group is made once.
#[derive(Debug, Default)]
pub(super) struct Groups(BTreeMap<PathBuf, Result<(), nix::errno::Errno>>);

impl Groups {
    /// Whether this controller can be used.
    pub(super) fn controller(&mut self, name: &str) -> Result<(), Failed> {
        let (version, dir) = available(name).map_err(|why| Failed::Controller(name.to_owned(), why))?;
        let probed = self.0.entry(dir.clone()).or_insert_with(|| probe(&dir).map_err(|error| errno::of(&error)));
        probed.map_err(|errno| Failed::NoGroup(version, dir, errno))
    }
}

/// Makes a group and removes it. It stands in a ledger meanwhile, in case this process is killed just then.
fn probe(parent: &Path) -> io::Result<()> {
    // Without a ledger no session begins either, and says so itself.
    let Ok(mut ledger) = Ledger::create() else { return Ok(()) };
    let entry = Entry::Cgroup(parent.join(fresh_name()?));
    ledger.add(entry.clone())?;
    std::fs::create_dir(entry.path())?;
    ledger.remove(&entry)
}
