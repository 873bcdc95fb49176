//! Where a session stands among the machine's control groups, and putting that back as it was.
//!
//! In version 2 a group that holds processes cannot hand its controllers down. Where the session's groups are made in the
//! group that this program itself was started in, the program therefore steps aside first, into a leaf of its own, and back
//! at the end. Nobody else is ever moved.

use crate::{
    kernel::{
        cgroups::{own, place},
        groups::{HANDED_DOWN, listed, write},
        usable::base,
    },
    session::{Entry, Ledger, fresh_name},
};
use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

/// The controllers that lessons use.
const CONTROLLERS: [&str; 3] = ["cpu", "memory", "pids"];

/// Dropping it takes back what was handed down since, and steps back. The groups below must be gone by then.
#[derive(Debug)]
pub struct Footing {
    /// A group that hands controllers down, and which ones it handed down before.
    bases: Vec<(PathBuf, BTreeSet<String>)>,
    /// The group that we came from, and the ledger that removes the leaf.
    left: Option<(PathBuf, Ledger)>,
    /// What the session's own tools handed down: directory and controller.
    ours: BTreeSet<(PathBuf, String)>,
}

impl Footing {
    /// Remembers how things are, and steps aside where that is needed and allowed.
    ///
    /// Errors: the ledger's. Where the leaf cannot be made or entered all stays as it is, and the lesson's own commands
    /// will say what the kernel says.
    pub fn take() -> io::Result<Footing> {
        let (hierarchies, memberships) = own();
        let places = CONTROLLERS.iter().filter_map(|controller| place(&hierarchies, &memberships, controller));
        let mut bases = Vec::new();
        let mut left = None;
        for place in places.filter(|place| place.version == 2) {
            let base = base(&place);
            if bases.iter().any(|(known, _)| *known == base) {
                continue;
            }
            bases.push((base.clone(), handed_down(&base)));
            let inside = place.dir(&place.path).is_some_and(|dir| dir == base);
            // The root of the whole tree may hold processes and hand down; it has no `cgroup.type`.
            if inside && base.join("cgroup.type").exists() {
                left = step_aside(&base)?;
            }
        }
        Ok(Footing { bases, left, ours: BTreeSet::new() })
    }
}

impl Footing {
    /// Learns what the session's tools wrote down, before their run directory goes.
    pub fn learn(&mut self, run_dir: &Path) {
        let text = fs::read_to_string(run_dir.join(HANDED_DOWN)).unwrap_or_default();
        let lines = text.lines().filter_map(|line| line.split_once(' '));
        self.ours.extend(lines.map(|(controller, dir)| (dir.into(), controller.into())));
    }
}

fn handed_down(base: &Path) -> BTreeSet<String> {
    listed(&base.join("cgroup.subtree_control")).collect()
}

fn step_aside(base: &Path) -> io::Result<Option<(PathBuf, Ledger)>> {
    let mut ledger = Ledger::create()?;
    let leaf = base.join(fresh_name()?);
    ledger.add(Entry::Cgroup(leaf.clone()))?;
    // `0` means the process that writes, with all of its threads.
    let stepped = fs::create_dir(&leaf).is_ok() && write(&leaf.join("cgroup.procs"), "0").is_ok();
    // Without it the ledger is dropped here, and removes the leaf.
    Ok(stepped.then(|| (base.to_path_buf(), ledger)))
}

impl Drop for Footing {
    fn drop(&mut self) {
        for (base, before) in &self.bases {
            // The group that we came from is ours alone; in any other, somebody else may have come to count on more.
            let alone = self.left.as_ref().is_some_and(|(left, _)| left == base);
            let ours = |controller: &&String| alone || self.ours.contains(&(base.clone(), (*controller).clone()));
            for controller in handed_down(base).difference(before).filter(ours) {
                // EBUSY: a group below hands it down in its turn, so it is used by somebody else by now.
                let _ = write(&base.join("cgroup.subtree_control"), &format!("-{controller}"));
            }
        }
        if let Some((base, ledger)) = self.left.take() {
            let _ = write(&base.join("cgroup.procs"), "0");
            drop(ledger);
        }
    }
}
