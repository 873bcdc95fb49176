//! Containers wherever they are, whatever made them: every PID namespace that is not ours, by its oldest process.
//!
//! A runtime with a daemon makes its containers below that daemon, and not below the shell that asked for them. What all
//! have in common is what the kernel says: their processes have PIDs of their own.

use super::processes::Tree;
use crate::kernel::pid::Pid;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// So many are listed, the newest first: programs that fence in each of their windows have dozens.
const MAX: usize = 64;

/// A container that runs on this machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Container {
    /// The host PID of its first process.
    pub pid: Pid,
    /// When that began, in clock ticks since boot: with the PID, this names one process for ever.
    pub start: u64,
    /// The name of its program.
    pub comm: String,
    /// The name of the program that made it, such as `unshare`, `bwrap` or `conmon`.
    pub by: String,
}

/// All of them, the newest first. `pid_ns` gives the PID namespace of a process, `ours` is that of this program.
pub(super) fn found(tree: &Tree, ours: Option<u64>, pid_ns: impl Fn(Pid) -> Option<u64>) -> Vec<Container> {
    let mut oldest: BTreeMap<u64, (u64, Pid)> = BTreeMap::new();
    for stat in tree.stats.values().filter(|stat| !stat.dead()) {
        let Some(own) = pid_ns(stat.pid).filter(|own| ours.is_some_and(|ours| ours != *own)) else { continue };
        let first = oldest.entry(own).or_insert((stat.start, stat.pid));
        *first = (*first).min((stat.start, stat.pid));
    }
    let mut all: Vec<(u64, Pid)> = oldest.into_values().collect();
    all.sort_unstable_by(|one, other| other.cmp(one));
    let container = |(start, pid)| {
        let stat = tree.stats.get(&pid)?;
        let by = tree.stats.get(&stat.ppid).map(|parent| parent.comm.clone()).unwrap_or_default();
        Some(Container { pid, start, comm: stat.comm.clone(), by })
    };
    all.into_iter().take(MAX).filter_map(container).collect()
}

/// The newest of them that may be what this session is about: it began after this program, and not below another session,
/// which has a learner of its own.
pub(super) fn newest(all: &[Container], tree: &Tree, us: Pid) -> Option<Pid> {
    let began = tree.start(us)?;
    let theirs = |pid: Pid| {
        let above = std::iter::successors(Some(pid), |pid| tree.stats.get(pid).map(|stat| stat.ppid));
        let sessions = |pid: Pid| pid != us && tree.stats.get(&pid).is_some_and(|stat| stat.comm == "boxwright");
        above.take(DEEPEST).take_while(|pid| *pid != us).any(sessions)
    };
    all.iter().find(|one| one.start >= began && !theirs(one.pid)).map(|one| one.pid)
}

/// So far up a parent is looked for. A chain of parents has an end, but each is read at a moment of its own.
const DEEPEST: usize = 64;

#[cfg(test)]
mod tests {
    use super::super::processes::Stat;
    use super::*;

    fn stat(pid: Pid, ppid: Pid, comm: &str, state: char, start: u64) -> Stat {
        Stat { pid, ppid, comm: comm.into(), state, start }
    }

    #[test]
    fn each_pid_namespace_is_one_container_and_the_newest_comes_first() {
        let tree = Tree::new([
            stat(Pid(1), Pid(0), "init", 'S', 1),
            stat(Pid(20), Pid(1), "conmon", 'S', 50),
            stat(Pid(21), Pid(20), "nginx", 'S', 51),
            stat(Pid(22), Pid(21), "nginx", 'S', 52),
            stat(Pid(30), Pid(1), "bwrap", 'S', 60),
            stat(Pid(31), Pid(30), "sh", 'S', 61),
            // Its PID is lower than that of its container's first process: PIDs begin anew.
            stat(Pid(5), Pid(1), "late", 'S', 70),
            stat(Pid(40), Pid(1), "dead", 'Z', 80),
        ]);
        let pid_ns = |pid| {
            Some(match pid {
                Pid(21 | 22) => 100,
                Pid(31 | 5) => 200,
                Pid(40) => 300,
                _ => 7,
            })
        };
        let found = found(&tree, Some(7), pid_ns);
        let told: Vec<_> = found.iter().map(|one| (one.pid, one.comm.as_str(), one.by.as_str())).collect();
        assert_eq!(told, [(Pid(31), "sh", "bwrap"), (Pid(21), "nginx", "conmon")]);
    }

    #[test]
    fn the_newest_is_ours_unless_it_is_older_or_of_another_session() {
        let tree = Tree::new([
            stat(Pid(1), Pid(0), "init", 'S', 1),
            stat(Pid(10), Pid(1), "boxwright", 'S', 40),
            stat(Pid(11), Pid(10), "sh", 'S', 60),
            stat(Pid(20), Pid(1), "boxwright", 'S', 50),
            stat(Pid(21), Pid(20), "sh", 'S', 80),
            stat(Pid(30), Pid(1), "conmon", 'S', 55),
            stat(Pid(31), Pid(30), "nginx", 'S', 56),
        ]);
        let one = |pid, start| Container { pid, start, ..Container::default() };
        let all = [one(Pid(21), 80), one(Pid(11), 60), one(Pid(31), 56), one(Pid(7), 30)];
        assert_eq!(newest(&all, &tree, Pid(10)), Some(Pid(11)));
        assert_eq!(newest(&all[2..], &tree, Pid(10)), Some(Pid(31)), "its maker has no session");
        assert_eq!(newest(&all[3..], &tree, Pid(10)), None);
        assert_eq!(newest(&all, &tree, Pid(99)), None);
    }

    #[test]
    fn where_our_own_namespace_is_unknown_nothing_differs_from_it() {
        let tree = Tree::new([stat(Pid(1), Pid(0), "init", 'S', 1)]);
        assert_eq!(found(&tree, None, |_| Some(3)), []);
    }
}
