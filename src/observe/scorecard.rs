//! The four properties, each with what the kernel said. Never computed from which lesson step was reached.

use super::{Links, Mount, Process, Sample, Scorecard};
use crate::kernel::{namespaces::Kind, pid::Pid};
use nix::sys::stat::{major, minor};
use serde::Serialize;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The namespaces that make a process isolated when all of them differ.
pub(crate) const ISOLATING: [Kind; 5] = [Kind::Pid, Kind::Uts, Kind::Mnt, Kind::Ipc, Kind::Net];

/// The four properties in lesson order: as a check names it, and its name in English and Chinese, the same in the panes,
/// in reports and in the lessons.
pub(crate) const NAMES: [(&str, &str, &str); 4] = [
    ("isolated", "isolated", "已隔离"),
    ("rooted", "own root", "独立根目录"),
    ("limited", "limited", "已受限"),
    ("entered", "entered", "已进入"),
];

/// What the kernel said about each property.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Evidence {
    /// The namespaces of [`ISOLATING`] that are still the host's, or that could not be read.
    pub shared: Vec<Kind>,
    /// The process's root directory and the host's, as `MAJOR:MINOR inode NUMBER`, where they could be read.
    pub root: Option<(String, String)>,
    /// What is mounted as the root of the process's mount namespace, as `SOURCE ROOT (TYPE)`.
    pub root_mount: Option<String>,
    /// The cgroup file that limits it and its value.
    pub limit: Option<String>,
    /// The host PID of a process that entered from outside.
    pub entered: Option<Pid>,
}

/// The namespaces that keep a process from being isolated.
pub(super) fn shared(theirs: &Links, ours: &Links) -> Vec<Kind> {
    let differs = |kind: &Kind| matches!((theirs.get(kind), ours.get(kind)), (Some(a), Some(b)) if a != b);
    ISOLATING.into_iter().filter(|kind| !differs(kind)).collect()
}

/// The identity of a process's root directory; following the link ends in the directory itself, in any mount namespace.
pub(super) fn root_identity(process: &Path) -> Option<String> {
    let root = std::fs::metadata(process.join("root")).ok()?;
    Some(format!("{}:{} inode {}", major(root.dev()), minor(root.dev()), root.ino()))
}

/// The processes that came from outside: each is in the container's PID namespace, is not its PID 1, and its parent is not in
/// that namespace (from inside its parent is therefore PID 0).
pub(super) fn newcomers(processes: &[Process], container_pid_ns: u64, pid_ns: impl Fn(Pid) -> Option<u64>) -> Vec<Pid> {
    let inside = |process: &&Process| process.pid_ns == Some(container_pid_ns);
    let outside = |pid| pid_ns(pid) != Some(container_pid_ns);
    let newcomer = |process: &&Process| process.nspid.last().is_some_and(|pid| *pid > 1) && outside(process.ppid);
    processes.iter().filter(inside).filter(newcomer).map(|process| process.pid).collect()
}

/// The mount that a mount namespace shows as `/`, where the process can see one (after `chroot` it may not).
pub(super) fn root_mount(mounts: &[Mount]) -> Option<String> {
    // Mounts stack: the last one on a place is the one that is seen.
    let mount = mounts.iter().rfind(|mount| mount.point == "/")?;
    Some(format!("{} {} ({})", mount.source, mount.root, mount.kind))
}

/// Reads the scorecard off the evidence.
pub(super) fn scorecard(sample: &Sample, evidence: &Evidence) -> Scorecard {
    let rooted = match &evidence.root {
        Some((theirs, host)) => theirs != host,
        // Without access to the root itself the mount tables, which any user may read, still tell a pivoted root.
        None => evidence.root_mount.is_some() && evidence.root_mount != root_mount(&sample.host.mounts),
    };
    Scorecard {
        isolated: sample.container.is_some() && evidence.shared.is_empty(),
        rooted: sample.container.is_some() && rooted,
        limited: evidence.limit.is_some(),
        entered: evidence.entered.is_some(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{kernel::mountinfo, observe::Side};

    fn links(first: u64) -> Links {
        ISOLATING.into_iter().zip(first..).collect()
    }

    #[test]
    fn a_root_directory_is_known_by_device_and_inode() {
        let known = std::fs::metadata("/").unwrap();
        let root = root_identity(Path::new("/proc/self")).unwrap();
        assert_eq!(root, format!("{}:{} inode {}", major(known.dev()), minor(known.dev()), known.ino()));
        assert_eq!(root_identity(Path::new("/proc/0")), None);
    }

    #[test]
    fn all_five_must_differ() {
        assert_eq!(shared(&links(10), &links(20)), []);
        assert_eq!(shared(&links(10), &links(10)), ISOLATING);
        let mut theirs = links(10);
        theirs.remove(&Kind::Net);
        assert_eq!(shared(&theirs, &links(20)), [Kind::Net]);
    }

    #[test]
    fn each_property_is_read_off_its_own_evidence() {
        let host = mountinfo::parse("27 1 254:0 / / rw - ext4 /dev/vda rw\n");
        let sample = Sample { container: Some(Pid(7)), ..Sample::default() };
        let sample = Sample { host: Side { mounts: host, ..Side::default() }, ..sample };
        let nothing = Evidence { shared: vec![Kind::Net], ..Evidence::default() };
        let with = |change: fn(&mut Evidence)| {
            let mut evidence = nothing.clone();
            change(&mut evidence);
            scorecard(&sample, &evidence)
        };
        let root = |theirs: &str, host: &str| Some((theirs.to_string(), host.to_string()));
        assert_eq!(with(|_| {}), Scorecard::default());
        let isolated = with(|evidence| evidence.shared.clear());
        assert_eq!(isolated, Scorecard { isolated: true, ..Scorecard::default() });
        let limited = with(|evidence| evidence.limit = Some("cpu.max: 1".into()));
        assert_eq!(limited, Scorecard { limited: true, ..Scorecard::default() });
        let entered = with(|evidence| evidence.entered = Some(Pid(8)));
        assert_eq!(entered, Scorecard { entered: true, ..Scorecard::default() });
        // The root itself decides; where it cannot be read, what is mounted there does.
        let rooted = |root, mount: Option<&str>| {
            let evidence = Evidence { root, root_mount: mount.map(String::from), ..nothing.clone() };
            scorecard(&sample, &evidence).rooted
        };
        let [same, other] = ["/dev/vda / (ext4)", "box / (tmpfs)"];
        assert!(rooted(root("0:1 inode 2", "0:1 inode 3"), Some(same)));
        assert!(!rooted(root("0:1 inode 2", "0:1 inode 2"), Some(other)));
        assert!(rooted(None, Some(other)));
        assert!(!rooted(None, Some(same)) && !rooted(None, None));
        // Where there is no container, neither of these is a property of one.
        let none = Sample { container: None, ..sample.clone() };
        let all = Evidence { root: root("1", "2"), ..Evidence::default() };
        assert_eq!(scorecard(&none, &all), Scorecard::default());
    }

    #[test]
    fn the_mount_that_is_seen_is_the_last_on_its_place() {
        let mounts = mountinfo::parse(
            "27 1 254:0 / / rw - ext4 /dev/vda rw\n28 27 0:5 / /proc rw - proc proc rw\n29 27 0:9 /sub / rw - tmpfs box rw\n",
        );
        assert_eq!(root_mount(&mounts).as_deref(), Some("box /sub (tmpfs)"));
        assert_eq!(root_mount(&mounts[..2]).as_deref(), Some("/dev/vda / (ext4)"));
        assert_eq!(root_mount(&mounts[1..2]), None);
    }

    #[test]
    fn a_newcomer_has_its_parent_outside() {
        let process = |pid: Pid, ppid, inner, pid_ns| Process {
            pid,
            ppid,
            nspid: vec![pid.0, inner],
            pid_ns: Some(pid_ns),
            ..Process::default()
        };
        let ns = |pid| Some(if pid >= Pid(100) { 7 } else { 1 });
        let init = process(Pid(100), Pid(50), 1, 7);
        let child = process(Pid(101), Pid(100), 2, 7);
        assert_eq!(newcomers(&[init.clone(), child.clone()], 7, ns), [Pid(0); 0]);
        assert_eq!(newcomers(&[init, child, process(Pid(102), Pid(60), 9, 7)], 7, ns), [Pid(102)]);
    }
}
