//! Processes that a control group holds: nothing runs in a frozen one, and in version 1 nothing dies there either.
//!
//! Version 1 has a hierarchy of its own for it, where a killed process ends only when it is thawed or moved into a group
//! that is not frozen (Documentation/admin-guide/cgroup-v1/freezer-subsystem.rst). In version 2 a frozen process can be
//! killed (cgroup-v2.rst, `cgroup.freeze`).

use super::text;
use super::{
    cgroups::{self, Hierarchy, Membership, parse_membership, place},
    pid::Pid,
};
use std::{fs, path::PathBuf};

/// What a group says of itself: the file of each version, and how it says that it runs.
pub(crate) const STATES: [(&str, &str); 2] = [("freezer.state", "THAWED"), ("cgroup.freeze", "0")];

/// The groups of this machine, read once for any number of processes.
#[derive(Debug)]
pub struct Freezers(Vec<Hierarchy>, Vec<Membership>);

impl Freezers {
    /// Reads them from `/proc`.
    pub fn read() -> Freezers {
        let (hierarchies, own) = cgroups::own();
        Freezers(hierarchies, own)
    }

    /// The frozen group that a process is in, if any; the version 1 freezer first.
    pub fn frozen(&self, pid: Pid) -> Option<PathBuf> {
        let memberships = memberships(pid);
        let held = |controller: &str, (file, runs): (&str, &str)| {
            let place = place(&self.0, &memberships, controller)?;
            let dir = place.dir(&place.path)?;
            (text::read(dir.join(file)).ok()?.trim() != runs).then_some(dir)
        };
        // A controller that no kernel has is looked for in version 2.
        held("freezer", STATES[0]).or_else(|| held("", STATES[1]))
    }

    /// Lets a killed process end: where a frozen group of version 1 holds it, it is moved into the group of this program.
    /// Nothing else in that group is thawed.
    pub fn release(&self, pid: Pid) {
        let memberships = memberships(pid);
        let theirs = place(&self.0, &memberships, "freezer").filter(|place| place.version == 1);
        let own = place(&self.0, &self.1, "freezer").filter(|place| place.version == 1);
        let Some((theirs, own)) = theirs.zip(own).filter(|(theirs, own)| theirs.path != own.path) else { return };
        let thawed = theirs
            .dir(&theirs.path)
            .and_then(|dir| text::read(dir.join(STATES[0].0)).ok())
            .is_some_and(|state| state.trim() == STATES[0].1);
        if let Some(dir) = own.dir(&own.path).filter(|_| !thawed) {
            // Where that is refused it stays, and the caller that waits for its end says so.
            let _ = fs::write(dir.join("cgroup.procs"), pid.to_string());
        }
    }
}

fn memberships(pid: Pid) -> Vec<Membership> {
    parse_membership(&text::read(pid.dir().join("cgroup")).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_runs_is_not_frozen() {
        let me = Pid::own();
        assert_eq!(Freezers::read().frozen(me), None);
        Freezers::read().release(me);
    }
}
