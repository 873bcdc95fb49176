//! The control group that bears the session's name: its limits, counters and members.

use super::{
    Group,
    cgroup::{self, Hierarchy, Membership},
    text,
};
use crate::kernel::{availability::outside_ours, cgroups::LIMITING, pid::Pid};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::OnceLock,
    time::Instant,
};

/// How long the threads of a group were kept from running (Documentation/scheduler/sched-stats.rst). The kernel counts it for
/// each thread, so that it has to be added up over those that come and go.
#[derive(Debug, Default)]
pub(super) struct Delays {
    /// What each thread had when it was last seen, in nanoseconds.
    threads: BTreeMap<Pid, u64>,
    nanos: u64,
}

impl Delays {
    /// Adds what these processes have waited since the last time, and gives the sum in microseconds; `None` where the kernel
    /// does not count it.
    fn add(&mut self, proc_root: &Path, members: &[Pid]) -> Option<u64> {
        let before = std::mem::take(&mut self.threads);
        let mut counted = members.is_empty();
        for member in members {
            let tasks = fs::read_dir(proc_root.join(member.to_string()).join("task")).into_iter().flatten().flatten();
            for task in tasks {
                let Some(tid) = task.file_name().to_str().and_then(|tid| tid.parse().ok()) else { continue };
                let Some(delay) = text::read(task.path().join("schedstat")).ok().as_deref().and_then(delay) else {
                    continue;
                };
                counted = true;
                // A thread brings what it waited elsewhere; that is not counted here.
                self.nanos += before.get(&tid).map_or(0, |before| delay.saturating_sub(*before));
                self.threads.insert(tid, delay);
            }
        }
        counted.then_some(self.nanos / 1000)
    }
}

/// The second number of a schedstat file: nanoseconds on a run queue.
fn delay(schedstat: &str) -> Option<u64> {
    schedstat.split_ascii_whitespace().nth(1)?.parse().ok()
}

/// Reads it, where it exists: at the top of the hierarchies or, where only a part was given to us, in our own group.
pub(super) fn read(
    name: &str,
    hierarchies: &[Hierarchy],
    own: &[Membership],
    proc_root: &Path,
    delays: &mut Delays,
) -> Group {
    let named = |below: &str| -> Vec<Membership> {
        let path = |own: &Membership| {
            let own = outside_ours(&own.path);
            format!("{}/{name}", if below.is_empty() { "" } else { own.trim_end_matches('/') })
        };
        own.iter().map(|own| Membership { controllers: own.controllers.clone(), path: path(own) }).collect()
    };
    let places = |memberships: &[Membership]| -> Vec<(&str, PathBuf)> {
        let dirs = LIMITING.iter().filter_map(|controller| {
            let place = cgroup::place(hierarchies, memberships, controller)?;
            Some((*controller, place.dir(&place.path).filter(|dir| dir.is_dir())?))
        });
        dirs.collect()
    };
    let found = ["", "own"].iter().map(|below| named(below)).find(|memberships| !places(memberships).is_empty());
    let Some(memberships) = found else { return Group::default() };
    let listed = |dir: PathBuf| -> Vec<Pid> {
        let list = text::read(dir.join("cgroup.procs")).unwrap_or_default();
        list.lines().filter_map(|pid| pid.parse().ok()).collect()
    };
    let members_of: BTreeMap<String, Vec<Pid>> =
        places(&memberships).into_iter().map(|(name, dir)| (name.to_string(), listed(dir))).collect();
    let mut members: Vec<Pid> = members_of.values().flatten().copied().collect();
    members.sort_unstable();
    members.dedup();
    // The time belongs to the counters, so it is taken right beside them.
    let values = cgroup::read(hierarchies, &memberships);
    let at_micros = now();
    let limited = values.cpu.quota_micros.is_some();
    let delay_micros = if limited { delays.add(proc_root, &members) } else { None };
    Group { exists: true, members, members_of, values, at_micros, delay_micros }
}

/// Microseconds since the first reading.
fn now() -> u64 {
    static FIRST: OnceLock<Instant> = OnceLock::new();
    FIRST.get_or_init(Instant::now).elapsed().as_micros() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_thread_waited_elsewhere_is_not_counted() {
        let proc = tempfile::tempdir().unwrap();
        let task = |pid: Pid, delay: u64| {
            let dir = proc.path().join(format!("{pid}/task/{pid}"));
            fs::create_dir_all(&dir).unwrap();
            fs::write(dir.join("schedstat"), format!("5000 {delay} 7\n")).unwrap();
        };
        let mut delays = Delays::default();
        task(Pid(7), 4_000_000);
        assert_eq!(delays.add(proc.path(), &[Pid(7)]), Some(0));
        task(Pid(7), 6_000_000);
        task(Pid(8), 9_000_000);
        assert_eq!(delays.add(proc.path(), &[Pid(7), Pid(8)]), Some(2000));
        task(Pid(8), 9_500_000);
        assert_eq!(delays.add(proc.path(), &[Pid(8)]), Some(2500));
        assert_eq!(delays.add(proc.path(), &[Pid(9)]), None);
    }
}
