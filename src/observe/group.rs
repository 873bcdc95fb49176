//! The control group that bears the session's name: its limits, counters and members.

use super::{
    Group,
    cgroup::{self, Hierarchy, Membership},
    text,
};
use crate::kernel::{availability::outside_ours, cgroups::LIMITING, pid::Pid};
use procfs::process::Schedstat;
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
                let Ok(Schedstat { run_delay: delay, .. }) = text::read_as(task.path().join("schedstat")) else {
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

    /// A version 1 hierarchy of `pids` and one of version 2 for all else, with these files.
    fn machine(files: &[(&str, &str)]) -> (tempfile::TempDir, [Hierarchy; 2]) {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let point = |name: &str| dir.path().join(name).to_str().unwrap().to_string();
        let one = Hierarchy { version: 1, controllers: vec!["pids".into()], root: "/".into(), point: point("pids") };
        let two = Hierarchy { version: 2, controllers: Vec::new(), root: "/".into(), point: point("all") };
        (dir, [one, two])
    }

    fn read_in(hierarchies: &[Hierarchy], own: &str, proc_root: &Path) -> Group {
        let own = cgroup::parse_membership(&format!("1:pids:{own}\n0::{own}\n"));
        read("box", hierarchies, &own, proc_root, &mut Delays::default())
    }

    #[test]
    fn a_group_has_the_members_that_each_hierarchy_tells() {
        let (dir, hierarchies) = machine(&[
            ("all/box/cgroup.procs", "9\n7\n"),
            ("all/box/memory.max", "4096\n"),
            ("pids/box/cgroup.procs", "7\n8\n"),
        ]);
        let group = read_in(&hierarchies, "/", dir.path());
        let of = |name: &str| group.members_of[name].clone();
        assert_eq!(
            (of("cpu"), of("memory"), of("pids")),
            (vec![Pid(9), Pid(7)], vec![Pid(9), Pid(7)], vec![Pid(7), Pid(8)])
        );
        assert_eq!((group.exists, group.members), (true, vec![Pid(7), Pid(8), Pid(9)]));
        // Without a limit of CPU time, nobody waits because of one.
        assert_eq!((group.values.memory.limit, group.delay_micros), (Some(4096), None));
        assert_eq!(read_in(&hierarchies[..0], "/", dir.path()), Group::default());
        assert!(read_in(&hierarchies, "/", dir.path()).at_micros >= group.at_micros && now() > group.at_micros);
    }

    #[test]
    fn where_the_top_is_not_ours_it_is_looked_for_beside_our_own_group() {
        let (dir, hierarchies) = machine(&[
            ("all/user/app/box/cgroup.procs", "7\n"),
            ("all/user/app/box/cpu.max", "1000 100000\n"),
            ("7/task/7/schedstat", "1 2 3\n"),
        ]);
        let group = read_in(&hierarchies, "/user/app/boxwright-0-0123456789ab", dir.path());
        assert_eq!((group.members, group.delay_micros), (vec![Pid(7)], Some(0)));
        assert_eq!(group.values.cpu.quota_micros, Some(1000));
        assert_eq!(read_in(&hierarchies, "/user", dir.path()), Group::default());
    }
}
