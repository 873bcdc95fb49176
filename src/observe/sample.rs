//! The state of a container and its host at one moment, read from `/proc`, cgroupfs and the sockets API. Raw values only.

use super::{Container, Networks, Reached, Resolved, users::Users};
use crate::kernel::{mountinfo::Mount, namespaces::Kind, pid::Pid};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Inode numbers of namespaces, by kind. A kind that could not be read is absent.
pub type Links = BTreeMap<Kind, u64>;

/// Where a process's next child will be born (`/proc/PID/ns/pid_for_children`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ForChildren {
    /// In the PID namespace with this inode number.
    Inode(u64),
    /// In a namespace that has no process yet: the link cannot be read before the first fork (ENOENT).
    NotMade,
    /// The link could not be read for another reason.
    #[default]
    Unknown,
}

/// A process as the panes show it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Process {
    /// The host PID.
    pub pid: Pid,
    /// The host PID of its parent.
    pub ppid: Pid,
    /// Its numbers from the outermost visible namespace to its own (`NSpid` in `/proc/PID/status`).
    pub nspid: Vec<i32>,
    /// The name of its program.
    pub comm: String,
    /// One letter: R, S, D, T, t, Z … (proc_pid_stat(5)).
    pub state: char,
    /// The inode number of its PID namespace, where readable.
    pub pid_ns: Option<u64>,
}

/// A network interface.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// Whether the administrator has brought it up (IFF_UP).
    pub up: bool,
    /// Its addresses with prefix length, such as `127.0.0.1/8`.
    pub addresses: Vec<String>,
}

/// What one side (the host, or the container's namespaces) answers when it is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Side {
    /// The host name of its UTS namespace.
    pub hostname: Option<String>,
    /// The interfaces of its network namespace.
    pub interfaces: Vec<Interface>,
    /// TCP ports in state LISTEN in its network namespace.
    pub listening: Vec<u16>,
    /// Keys or IDs of the System V objects of its IPC namespace, such as `queue 0`, `shm 3`, `sem 1`.
    pub sysv: Vec<String>,
    /// The mounts of its mount namespace.
    pub mounts: Vec<Mount>,
    /// How many mounts its mount namespace has besides, where its root directory does not lead: after chroot all of the old ones.
    /// `None` where it is unknown.
    pub hidden_mounts: Option<usize>,
    /// Whether its `/proc` shows the processes of the *host's* PID namespace; `None` where it has no `/proc`.
    pub proc_shows_host: Option<bool>,
}

/// Which of the four properties the kernel says that the container process has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Scorecard {
    /// Its PID, UTS, mount, IPC and network namespaces all differ from the host's.
    pub isolated: bool,
    /// Its root directory is not the host's.
    pub rooted: bool,
    /// A CPU or memory limit applies to its cgroup.
    pub limited: bool,
    /// A process from outside has entered its namespaces (its parent is outside its PID namespace, and it is not PID 1).
    pub entered: bool,
}

/// One control group and its counters; a value that the kernel does not offer is `None`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Cgroup {
    /// The group's path per controller or hierarchy (`cpu`, `memory`, `pids`, and `` for v2), as `/proc/PID/cgroup` says.
    pub paths: BTreeMap<String, String>,
    /// CPU time and limits.
    pub cpu: Cpu,
    /// Memory use and limits, in bytes.
    pub memory: Memory,
    /// Number of processes and its limit.
    pub pids: Pids,
    /// How long processes waited for disks.
    pub io: Io,
}

/// CPU time and limits of a cgroup.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Cpu {
    /// CPU time used so far, in microseconds.
    pub usage_micros: Option<u64>,
    /// The quota in microseconds a period; `None` where there is no limit.
    pub quota_micros: Option<u64>,
    /// The period in microseconds.
    pub period_micros: Option<u64>,
    /// How many periods have passed under a quota.
    pub periods: Option<u64>,
    /// In how many of them the group was throttled.
    pub throttled: Option<u64>,
    /// For how long its processes were kept waiting by that, in microseconds, all CPUs together.
    pub throttled_micros: Option<u64>,
    /// How long processes waited for a CPU.
    pub pressure: Option<Pressure>,
}

/// The share of the last ten seconds in which processes of a group waited for something, in percent (`avg10` of the
/// pressure files, Documentation/accounting/psi.rst). Version 2 only, where the kernel was built and booted with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Pressure {
    /// At least one of them waited.
    pub some: f64,
    /// All of them waited, so that nothing was done; older kernels do not say it of the CPU.
    pub full: Option<f64>,
}

/// What the kernel says about a group's use of disks.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Io {
    /// How long processes waited for them.
    pub pressure: Option<Pressure>,
}

/// Memory use and limits of a cgroup, in bytes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Memory {
    /// In use now.
    pub current: Option<u64>,
    /// The most that was in use.
    pub peak: Option<u64>,
    /// The limit; `None` where there is no limit.
    pub limit: Option<u64>,
    /// The limit of memory and swap together; `None` where there is no limit, or where the kernel does not count swap.
    pub with_swap: Option<u64>,
    /// Memory and swap in use now.
    pub current_with_swap: Option<u64>,
    /// How often an allocation met the limit, and the kernel had to take something back first.
    pub limit_hits: Option<u64>,
    /// How often that was in vain; version 1 does not count it.
    pub ooms: Option<u64>,
    /// How many processes the OOM killer has killed in the group.
    pub oom_kills: Option<u64>,
    /// How long processes waited for memory.
    pub pressure: Option<Pressure>,
}

impl Memory {
    /// How much of it is in swap; `None` where the kernel does not count that.
    pub(crate) fn swapped(&self) -> Option<u64> {
        Some(self.current_with_swap?.saturating_sub(self.current?))
    }
}

/// Number of processes of a cgroup and its limit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Pids {
    /// Processes and threads now.
    pub current: Option<u64>,
    /// The limit; `None` where there is no limit.
    pub max: Option<u64>,
}

/// What a process may do besides what its namespaces show it (`/proc/PID/status`, proc_pid_status(5)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Privileges {
    /// The effective capabilities, one bit each (`CapEff`, capabilities(7)).
    pub capabilities: Option<u64>,
    /// Whether execve(2) can no longer give it more than it has (`NoNewPrivs`, prctl(2)).
    pub no_new_privs: Option<bool>,
    /// Whether a seccomp(2) filter judges its system calls (`Seccomp` is 2).
    pub seccomp: Option<bool>,
    /// The most that it, and what it executes, can ever get (`CapBnd`).
    #[serde(default)]
    pub bounding: Option<u64>,
    /// Its effective user ID, as this program sees it (`Uid`).
    #[serde(default)]
    pub uid: Option<u32>,
    /// How many filters judge its calls, those of the terminal that it is in not counted (`Seccomp_filters`, since Linux 5.9).
    #[serde(default)]
    pub filters: Option<u32>,
}

/// A process that came into a container from outside, and what it may do there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Entrant {
    /// The host PID.
    pub pid: Pid,
    /// The name of its program.
    pub comm: String,
    /// Whether it is in another user namespace than the container process: its capabilities then count for other things.
    pub other_user_namespace: bool,
    /// What it may do.
    pub privileges: Privileges,
}

/// Everything that was read at one moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Sample {
    /// The host PID of the container process: the first process below the watched one that is isolated. Where none is,
    /// the shell in the terminal's foreground, or the watched process itself.
    pub container: Option<Pid>,
    /// The container process's namespaces.
    #[schemars(with = "BTreeMap<String, u64>")]
    pub namespaces: Links,
    /// The namespaces of boxwright itself, which is what "the host" means everywhere.
    #[schemars(with = "BTreeMap<String, u64>")]
    pub host_namespaces: Links,
    /// The PID namespace of the container process's next child.
    pub for_children: ForChildren,
    /// The container process's cgroup.
    pub cgroup: Cgroup,
    /// All containers on this machine, the newest first, where the container is looked for everywhere ([`super::Subject::Anywhere`]).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub containers: Vec<Container>,
    /// The processes below the watched one, and all others in the container's PID namespace; parents before children.
    pub processes: Vec<Process>,
    /// The four properties.
    pub scorecard: Scorecard,
    /// What the container process may do.
    pub privileges: Privileges,
    /// Whether the container process waits for children or takes note of their end; `None` where that cannot be read.
    #[serde(default)]
    pub reaps: Option<bool>,
    /// The namespaces of the container that a process from outside is in; of several processes, the one that is in most.
    #[serde(default)]
    pub newcomer: Option<Vec<Kind>>,
    /// Every process from outside that is in the container's PID namespace.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entrants: Vec<Entrant>,
    /// What boxwright itself may do, to compare with.
    pub host_privileges: Privileges,
    /// Who the container process is.
    #[serde(default)]
    pub users: Users,
    /// Who boxwright itself is.
    #[serde(default)]
    pub host_users: Users,
    /// What the host answers.
    pub host: Side,
    /// What the container answers.
    pub inside: Side,
    /// The network namespaces of the session; absent where they were not asked for ([`super::Extra::networks`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub networks: Option<Networks>,
    /// What came of the connections that a lesson asks for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reached: Vec<Reached>,
    /// What the container's name servers said of the names that a lesson asks for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resolved: Vec<Resolved>,
    /// The session's own control group.
    pub group: Group,
    /// The beginnings of the files that a lesson looks at; `None` for one that does not exist.
    #[schemars(with = "BTreeMap<String, Option<String>>")]
    pub files: BTreeMap<Asked, Option<String>>,
    /// Those of them that are devices, such as `c 1:3`.
    #[schemars(with = "BTreeMap<String, String>")]
    pub devices: BTreeMap<Asked, String>,
    /// Whose each of them is, as boxwright's own user namespace numbers users.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, u32>")]
    pub file_owners: BTreeMap<Asked, u32>,
    /// Devices in its `/dev` besides those that every container gets, such as `sda b 8:0`; `None` where they are
    /// unknown, and for a process with the host's mounts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub more_devices: Option<Vec<String>>,
    /// A directory outside its root that the container process has open: the number of the descriptor, and where it leads.
    pub outside: Option<String>,
    /// What did not answer: a file system that hangs. What the roots, `/proc` inside and the files would have told is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silent: Option<String>,
}

/// The control group that bears the session's name, whether or not the container process is in it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Group {
    /// Whether it exists in a hierarchy of `cpu`, `memory` or `pids`.
    pub exists: bool,
    /// The host PIDs of its members, in any of these hierarchies.
    pub members: Vec<Pid>,
    /// The same by controller: membership in one hierarchy says nothing of another.
    pub members_of: BTreeMap<String, Vec<Pid>>,
    /// Its counters and limits.
    pub values: Cgroup,
    /// When they were read, in microseconds after the first reading.
    pub at_micros: u64,
    /// For how long its threads were kept from running though they could have run, in microseconds since each was first seen:
    /// the second number of `/proc/PID/task/TID/schedstat`. Only where there is a CPU limit, which may be one reason.
    pub delay_micros: Option<u64>,
}

/// A file that a lesson looks at: whether below the container's root, and the path as the lesson has it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Asked {
    /// Below the root of the container process; otherwise on the host, relative to the session's work directory.
    pub inside: bool,
    /// The path.
    pub path: String,
}

impl Serialize for Asked {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{}:{}", if self.inside { "inside" } else { "host" }, self.path))
    }
}

impl<'de> Deserialize<'de> for Asked {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Asked, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.split_once(':') {
            Some((side @ ("inside" | "host"), path)) => Ok(Asked { inside: side == "inside", path: path.into() }),
            _ => Err(serde::de::Error::custom("neither inside nor host")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_asked_for_is_written_with_its_side() {
        for (inside, text) in [(true, "\"inside:/etc/a:b\""), (false, "\"host:/etc/a:b\"")] {
            let asked = Asked { inside, path: "/etc/a:b".into() };
            assert_eq!(serde_json::to_string(&asked).unwrap(), text);
            assert_eq!(serde_json::from_str::<Asked>(text).unwrap(), asked);
        }
        assert!(serde_json::from_str::<Asked>("\"outside:/etc\"").is_err());
        assert!(serde_json::from_str::<Asked>("\"inside\"").is_err());
    }
}
