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
        self.held(&memberships(pid))
    }

    fn held(&self, memberships: &[Membership]) -> Option<PathBuf> {
        let held = |controller: &str, (file, runs): (&str, &str)| {
            let place = place(&self.0, memberships, controller)?;
            let dir = place.dir(&place.path)?;
            (text::read(dir.join(file)).ok()?.trim() != runs).then_some(dir)
        };
        // A controller that no kernel has is looked for in version 2.
        held("freezer", STATES[0]).or_else(|| held("", STATES[1]))
    }

    /// Lets a killed process end: where a frozen group of version 1 holds it, it is moved into the group of this program.
    /// Nothing else in that group is thawed.
    pub fn release(&self, pid: Pid) {
        if let Some(dir) = self.way_out(&memberships(pid)) {
            // Where that is refused it stays, and the caller that waits for its end says so.
            let _ = fs::write(dir.join("cgroup.procs"), pid.to_string());
        }
    }

    /// The group of this program in the version 1 freezer, where who has these memberships is in another one that is frozen.
    fn way_out(&self, memberships: &[Membership]) -> Option<PathBuf> {
        let freezer = |memberships| place(&self.0, memberships, "freezer").filter(|place| place.version == 1);
        let (theirs, own) = (freezer(memberships)?, freezer(&self.1)?);
        let state = text::read(theirs.dir(&theirs.path)?.join(STATES[0].0)).unwrap_or_default();
        own.dir(&own.path).filter(|_| theirs.path != own.path && state.trim() != STATES[0].1)
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

    /// A freezer of version 1 and a tree of version 2, with these files. This program is in `/own`.
    fn machine(files: &[(&str, &str)]) -> (tempfile::TempDir, Freezers) {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let hierarchy = |version, name: &str, controllers: &[&str]| Hierarchy {
            version,
            controllers: controllers.iter().map(ToString::to_string).collect(),
            root: "/".into(),
            point: dir.path().join(name).to_str().unwrap().into(),
        };
        let hierarchies = vec![hierarchy(1, "one", &["freezer"]), hierarchy(2, "two", &[])];
        let freezers = Freezers(hierarchies, parse_membership("2:freezer:/own\n0::/own\n"));
        (dir, freezers)
    }

    #[test]
    fn a_frozen_group_of_either_version_holds() {
        let (dir, freezers) = machine(&[
            ("one/a/freezer.state", "FROZEN\n"),
            ("one/b/freezer.state", "THAWED\n"),
            ("two/a/cgroup.freeze", "1\n"),
            ("two/b/cgroup.freeze", "0\n"),
        ]);
        let held = |one: &str, two: &str| {
            let held = freezers.held(&parse_membership(&format!("2:freezer:/{one}\n0::/{two}\n")));
            held.map(|group| group.strip_prefix(dir.path()).unwrap().display().to_string())
        };
        assert_eq!((held("a", "a"), held("b", "a")), (Some("one/a".into()), Some("two/a".into())));
        assert_eq!((held("b", "b"), held("", "")), (None, None));
    }

    #[test]
    fn a_killed_process_is_led_out_of_a_frozen_group_of_version_1() {
        let (dir, freezers) = machine(&[
            ("one/a/freezer.state", "FROZEN\n"),
            ("one/b/freezer.state", "THAWED\n"),
            ("one/own/freezer.state", "FROZEN\n"),
        ]);
        let out = |path: &str| freezers.way_out(&parse_membership(&format!("2:freezer:/{path}\n0::/{path}\n")));
        assert_eq!(out("a"), Some(dir.path().join("one/own")));
        assert_eq!((out("b"), out("own")), (None, None), "nothing holds it, and nowhere to go");
        // In version 2 it can be killed where it is.
        let two = Freezers(freezers.0[1..].to_vec(), freezers.1.clone());
        assert_eq!(two.way_out(&parse_membership("0::/a\n")), None);
        assert_eq!(freezers.way_out(&parse_membership("0::/a\n")), None);
    }

    #[test]
    fn a_process_is_where_the_kernel_says() {
        let real = memberships(Pid::own());
        assert!(!real.is_empty());
        let dir = tempfile::tempdir().unwrap();
        let point = dir.path().to_str().unwrap().to_string();
        let hierarchy = |own: &Membership| Hierarchy {
            version: if own.controllers.is_empty() { 2 } else { 1 },
            controllers: own.controllers.clone(),
            root: own.path.clone(),
            point: point.clone(),
        };
        let freezers = Freezers(real.iter().map(hierarchy).collect(), Vec::new());
        fs::write(dir.path().join("freezer.state"), "FROZEN\n").unwrap();
        fs::write(dir.path().join("cgroup.freeze"), "1\n").unwrap();
        let has = |own: &Membership| own.controllers.is_empty() || own.controllers.contains(&"freezer".into());
        assert_eq!(freezers.frozen(Pid::own()), Some(dir.path().into()).filter(|_| real.iter().any(has)));
    }
}
