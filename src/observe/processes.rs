//! Processes from `/proc/PID/stat` and `/proc/PID/status`, and the tree that they form.
//!
//! procfs reads `stat`, for which 500 processes take 0.5 to 1.2 ms more than for the text alone. `status` is read by hand: a sample
//! wants one line of it, of each process of a container, and procfs takes 2.0 times as long for all lines (13.0 instead of
//! 6.6 ms, `cargo bench --bench sampling`); also, it does not know `Seccomp_filters`.

use super::{Privileges, text};
use crate::kernel::{pid::Pid, process};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;

/// What one line of `/proc/PID/stat` says that the panes need (proc_pid_stat(5)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stat {
    /// The process.
    pub pid: Pid,
    /// Its parent.
    pub ppid: Pid,
    /// The name of its program.
    pub comm: String,
    /// R, S, D, T, t, Z, …
    pub state: char,
    /// When it began, in clock ticks since boot: with the PID, this names one process for ever.
    pub start: u64,
}

impl Stat {
    /// Whether the process has died: a zombie has no namespaces, no root and no mounts any more.
    pub(super) fn dead(&self) -> bool {
        matches!(self.state, 'Z' | 'X' | 'x')
    }
}

impl From<procfs::process::Stat> for Stat {
    fn from(stat: procfs::process::Stat) -> Stat {
        Stat { pid: Pid(stat.pid), ppid: Pid(stat.ppid), comm: stat.comm, state: stat.state, start: stat.starttime }
    }
}

/// Reads the `NSpid` line of `/proc/PID/status`: the PID in each namespace from the reader's own to the innermost.
pub(super) fn parse_nspid(status: &str) -> Vec<i32> {
    let line = text::field(status, "NSpid").unwrap_or_default();
    line.split_ascii_whitespace().filter_map(|field| field.parse().ok()).collect()
}

/// Reads what a process may do from `/proc/PID/status`. A line that is not there leaves its answer open.
pub(super) fn parse_privileges(status: &str) -> Privileges {
    let value = |name: &str| text::field(status, name);
    Privileges {
        capabilities: value("CapEff").and_then(|mask| u64::from_str_radix(mask, 16).ok()),
        no_new_privs: value("NoNewPrivs").map(|flag| flag == "1"),
        // 0 is off, 1 the strict mode of old, 2 a filter.
        seccomp: value("Seccomp").map(|mode| mode != "0"),
        bounding: value("CapBnd").and_then(|mask| u64::from_str_radix(mask, 16).ok()),
        // Real, effective, saved, and that for files.
        uid: value("Uid").and_then(|ids| ids.split_ascii_whitespace().nth(1)?.parse().ok()),
        filters: value("Seccomp_filters").and_then(|count| count.parse().ok()),
    }
}

/// Whether a process looks after children that end: it catches or ignores SIGCHLD (`SigCgt`, `SigIgn`), or is waiting in one of the
/// calls for that (`/proc/PID/syscall`, which says `running` of a process that is in none).
pub(super) fn reaps(status: &str, syscall: Option<&str>) -> Option<bool> {
    let child = 1u64 << (libc::SIGCHLD - 1);
    let set = |name: &str| u64::from_str_radix(text::field(status, name)?, 16).ok();
    let told = (set("SigCgt")? | set("SigIgn")?) & child != 0;
    let call = syscall.and_then(process::parse_call);
    let waits = call.is_some_and(|(number, _)| [libc::SYS_wait4, libc::SYS_waitid].contains(&number));
    (told || waits || syscall.is_some()).then_some(told || waits)
}

/// All processes of one moment.
#[derive(Debug, Default)]
pub(super) struct Tree {
    /// By PID.
    pub stats: BTreeMap<Pid, Stat>,
    children: BTreeMap<Pid, Vec<Pid>>,
}

impl Tree {
    /// Links parents and children; the children of one parent are in the order of their PIDs.
    pub(super) fn new(stats: impl IntoIterator<Item = Stat>) -> Tree {
        let stats: BTreeMap<Pid, Stat> = stats.into_iter().map(|stat| (stat.pid, stat)).collect();
        let mut children: BTreeMap<Pid, Vec<Pid>> = BTreeMap::new();
        for stat in stats.values() {
            children.entry(stat.ppid).or_default().push(stat.pid);
        }
        Tree { stats, children }
    }

    /// Reads every process below this `/proc` but those that are left out. One that ends while it is read is simply not there.
    pub(super) fn read(proc_root: &Path, left_out: &BTreeSet<Pid>) -> Tree {
        let entries = std::fs::read_dir(proc_root).into_iter().flatten().flatten();
        Tree::new(entries.filter_map(|entry| {
            entry.file_name().to_str()?.parse::<Pid>().ok().filter(|pid| !left_out.contains(pid))?;
            process::stat(&entry.path()).map(Stat::from)
        }))
    }

    /// When a process began; `None` where it does not exist.
    pub(super) fn start(&self, pid: Pid) -> Option<u64> {
        self.stats.get(&pid).map(|stat| stat.start)
    }

    /// The children of a process.
    pub(super) fn children(&self, pid: Pid) -> &[Pid] {
        self.children.get(&pid).map(Vec::as_slice).unwrap_or_default()
    }

    /// A process and everything below it: the shallowest first, then by PID. Empty where it does not exist.
    pub(super) fn family(&self, root: Pid) -> Vec<Pid> {
        let mut level: VecDeque<Pid> = self.stats.get(&root).map(|stat| stat.pid).into_iter().collect();
        let mut family = Vec::new();
        while !level.is_empty() {
            let mut below: Vec<Pid> = level.iter().flat_map(|pid| self.children(*pid)).copied().collect();
            below.sort_unstable();
            family.extend(level.drain(..));
            level.extend(below);
        }
        family
    }

    /// These processes with every parent before its children, and a family's members next to each other.
    pub(super) fn in_order(&self, members: &BTreeSet<Pid>, first: Pid) -> Vec<Pid> {
        let parent = |pid: &Pid| self.stats.get(pid).map_or(Pid(0), |stat| stat.ppid);
        let mut tops: Vec<Pid> = members.iter().copied().filter(|pid| !members.contains(&parent(pid))).collect();
        tops.sort_unstable_by_key(|pid| (*pid != first, *pid));
        let mut stack: Vec<Pid> = tops.into_iter().rev().collect();
        let mut order = Vec::with_capacity(members.len());
        while let Some(pid) = stack.pop() {
            order.push(pid);
            stack.extend(self.children(pid).iter().rev().filter(|child| members.contains(child)));
        }
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(pairs: &[(i32, i32)]) -> Tree {
        Tree::new(pairs.iter().map(|&(pid, ppid)| Stat {
            pid: Pid(pid),
            ppid: Pid(ppid),
            comm: "sh".into(),
            state: 'S',
            start: 0,
        }))
    }

    #[test]
    fn a_process_waits_is_told_or_does_neither() {
        let status =
            |ignored: u64, caught: u64| format!("Name:\tsh\nSigIgn:\t{ignored:016x}\nSigCgt:\t{caught:016x}\n");
        let call = |number| format!("{number} 0xffffffffffffffff{}", " 0x0".repeat(7));
        let (child, waiting) = (1 << 16, call(libc::SYS_wait4));
        assert_eq!(reaps(&status(0, child), None), Some(true));
        assert_eq!(reaps(&status(child, 0), Some("running")), Some(true));
        assert_eq!(reaps(&status(child, child), None), Some(true));
        assert_eq!(reaps(&status(0, 0), Some(&waiting)), Some(true));
        assert_eq!(reaps(&status(0, 0), Some(&call(libc::SYS_read))), Some(false));
        assert_eq!((reaps(&status(0, 0), None), reaps("", Some(&waiting))), (None, None));
    }

    #[test]
    fn privileges_are_read_where_the_kernel_tells_them() {
        let status = "Name:\tsleep\nCapInh:\t0000000000000000\nCapEff:\t0000000020000420\nNoNewPrivs:\t1\nSeccomp:\t2\n\
                      Seccomp_filters:\t1\n";
        let read = parse_privileges(status);
        assert_eq!(read.capabilities.map(u64::count_ones), Some(3));
        assert_eq!((read.no_new_privs, read.seccomp), (Some(true), Some(true)));
        assert_eq!(parse_privileges("Name:\tsleep\n"), Privileges::default());
    }

    #[test]
    fn every_pid_of_a_nested_process_is_read() {
        assert_eq!(parse_nspid("Name:\tsh\nNStgid:\t4711\t1\nNSpid:\t4711\t1\nNSpgid:\t4711\t1\n"), [4711, 1]);
        assert!(parse_nspid("Name:\tsh\n").is_empty());
    }

    #[test]
    fn families_are_listed_by_depth_and_orders_by_descent() {
        let tree = tree(&[(1, 0), (10, 1), (30, 10), (20, 10), (25, 30), (40, 20), (50, 1)]);
        assert_eq!(tree.family(Pid(10)), [10, 20, 30, 25, 40].map(Pid));
        assert!(tree.family(Pid(99)).is_empty());
        let members = BTreeSet::from([10, 20, 30, 25, 40, 50].map(Pid));
        assert_eq!(tree.in_order(&members, Pid(10)), [10, 20, 40, 30, 25, 50].map(Pid));
        assert_eq!(tree.in_order(&members, Pid(50)), [50, 10, 20, 40, 30, 25].map(Pid));
    }

    #[test]
    fn the_own_process_is_found() {
        let me = Pid::own();
        assert!(Tree::read(Path::new("/proc"), &BTreeSet::new()).stats.contains_key(&me));
    }
}
