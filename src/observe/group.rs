//! The control group that bears the session's name: its limits, counters and members.

use super::{
    Group,
    cgroup::{self, Hierarchy, Membership},
    text,
};
use crate::kernel::usable::outside_ours;
use std::{path::PathBuf, sync::OnceLock, time::Instant};

/// The controllers that lessons use.
const CONTROLLERS: [&str; 3] = ["cpu", "memory", "pids"];

/// Reads it, where it exists: at the top of the hierarchies or, where only a part was given to us, in our own group.
pub fn read(name: &str, hierarchies: &[Hierarchy], own: &[Membership]) -> Group {
    let named = |below: &str| -> Vec<Membership> {
        let path = |own: &Membership| {
            let own = outside_ours(&own.path);
            format!("{}/{name}", if below.is_empty() { "" } else { own.trim_end_matches('/') })
        };
        own.iter().map(|own| Membership { controllers: own.controllers.clone(), path: path(own) }).collect()
    };
    let places = |memberships: &[Membership]| -> Vec<PathBuf> {
        let dirs = CONTROLLERS.iter().filter_map(|controller| {
            let place = cgroup::place(hierarchies, memberships, controller)?;
            place.dir(&place.path).filter(|dir| dir.is_dir())
        });
        let mut dirs: Vec<PathBuf> = dirs.collect();
        dirs.dedup();
        dirs
    };
    let found = ["", "own"].iter().map(|below| named(below)).find(|memberships| !places(memberships).is_empty());
    let Some(memberships) = found else { return Group::default() };
    let listed = |dir: PathBuf| text::read(dir.join("cgroup.procs")).unwrap_or_default();
    let lists: Vec<String> = places(&memberships).into_iter().map(listed).collect();
    let mut members: Vec<i32> = lists.iter().flat_map(|list| list.lines()).filter_map(|pid| pid.parse().ok()).collect();
    members.sort_unstable();
    members.dedup();
    // The time belongs to the counters, so it is taken right beside them.
    let values = cgroup::read(hierarchies, &memberships);
    Group { exists: true, members, values, at_micros: now() }
}

/// Microseconds since the first reading.
fn now() -> u64 {
    static FIRST: OnceLock<Instant> = OnceLock::new();
    FIRST.get_or_init(Instant::now).elapsed().as_micros() as u64
}
