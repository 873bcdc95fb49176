//! The kernel's namespaces as one table (namespaces(7)); tools, tracer, panes, checks and lesson text all read it.

use serde::{Deserialize, Serialize};
use std::{fmt, io, path::Path};

/// One kind of namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// User and group IDs, and the capabilities that go with them (user_namespaces(7)).
    User,
    /// The root of the cgroup tree that a process sees (cgroup_namespaces(7)).
    Cgroup,
    /// System V IPC objects and POSIX message queues (ipc_namespaces(7)).
    Ipc,
    /// Host name and NIS domain name (uts_namespaces(7)).
    Uts,
    /// Network devices, addresses, ports, routes (network_namespaces(7)).
    Net,
    /// Process IDs (pid_namespaces(7)).
    Pid,
    /// Mounts (mount_namespaces(7)).
    Mnt,
    /// Boot and monotonic clocks (time_namespaces(7)).
    Time,
}

/// What the kernel and the field's tools call one kind of namespace.
#[derive(Debug)]
pub(crate) struct Namespace {
    /// The kind that this row is about.
    pub kind: Kind,
    /// The name of its link in `/proc/PID/ns`.
    pub link: &'static str,
    /// Its `CLONE_NEW…` bit (unshare(2), clone(2), setns(2)).
    pub flag: u64,
    /// The name of that bit.
    pub flag_name: &'static str,
    /// The long option of `unshare` and `nsenter`.
    pub long: &'static str,
}

/// Every kind, in the order in which a process must enter them: the user namespace first, because it gives the
/// capabilities for the rest, and the mount namespace late, because `/proc` may look different afterwards.
pub(crate) const TABLE: [Namespace; 8] = [
    row(Kind::User, "user", 0x1000_0000, "CLONE_NEWUSER", "user"),
    row(Kind::Cgroup, "cgroup", 0x0200_0000, "CLONE_NEWCGROUP", "cgroup"),
    row(Kind::Ipc, "ipc", 0x0800_0000, "CLONE_NEWIPC", "ipc"),
    row(Kind::Uts, "uts", 0x0400_0000, "CLONE_NEWUTS", "uts"),
    row(Kind::Net, "net", 0x4000_0000, "CLONE_NEWNET", "net"),
    row(Kind::Pid, "pid", 0x2000_0000, "CLONE_NEWPID", "pid"),
    row(Kind::Mnt, "mnt", 0x0002_0000, "CLONE_NEWNS", "mount"),
    row(Kind::Time, "time", 0x0000_0080, "CLONE_NEWTIME", "time"),
];

const fn row(kind: Kind, link: &'static str, flag: u64, flag_name: &'static str, long: &'static str) -> Namespace {
    Namespace { kind, link, flag, flag_name, long }
}

impl Kind {
    /// This kind's row of the table.
    pub(crate) fn row(self) -> &'static Namespace {
        // The table is in the order of the enum; a test holds that.
        &TABLE[self as usize]
    }

    /// The kind whose link in `/proc/PID/ns` has this name.
    pub fn from_link(link: &str) -> Option<Kind> {
        TABLE.iter().find(|row| row.link == link).map(|row| row.kind)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.row().link)
    }
}

/// Reads the inode number out of a link's text, such as `4026531836` of `pid:[4026531836]`.
pub(crate) fn parse_link(text: &str) -> Option<u64> {
    text.split_once(":[")?.1.strip_suffix(']')?.parse().ok()
}

/// Reads the inode number of the namespace behind a link such as `/proc/PID/ns/pid`.
///
/// Errors: ENOENT where the process is gone, the kernel lacks the kind, or `pid_for_children` was not made yet;
/// EACCES or EPERM where ptrace access is refused (proc_pid_ns(5)).
pub(crate) fn read_link(path: &Path) -> io::Result<u64> {
    let text = std::fs::read_link(path)?;
    parse_link(&text.to_string_lossy()).ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_enum() {
        for row in &TABLE {
            assert_eq!(row.kind.row().link, row.link);
            assert_eq!((Kind::from_link(row.link), row.kind.to_string().as_str()), (Some(row.kind), row.link));
        }
    }

    #[test]
    fn links_are_numbers_in_brackets() {
        assert_eq!(parse_link("pid:[4026531836]"), Some(4026531836));
        assert_eq!(parse_link("pid:4026531836"), None);
        let dir = tempfile::tempdir().unwrap();
        for (name, target) in [("good", "pid:[4711]"), ("other", "pipe:4711")] {
            std::os::unix::fs::symlink(target, dir.path().join(name)).unwrap();
        }
        let read = |name: &str| read_link(&dir.path().join(name)).map_err(|error| error.kind());
        assert_eq!(read("good"), Ok(4711));
        assert_eq!((read("other"), read("none")), (Err(io::ErrorKind::InvalidData), Err(io::ErrorKind::NotFound)));
    }
}
