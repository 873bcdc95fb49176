//! Control groups from `/proc/PID/cgroup` and mountinfo: version 1, version 2, and machines that have both.
//!
//! Whether a controller is version 1 or 2 is decided for each one by itself: on a hybrid machine the version 2 tree may
//! hold no controller, or an unimportant one, and so says nothing about where `cpu` and `memory` are.
//!
//! procfs reads `/proc/cgroups`. In `/proc/PID/cgroup` it would cut a carriage return from the end of a group's name, and give no
//! group where one line is odd; it takes as long as reading by hand does (`cargo bench --bench sampling`).

use super::{errno::of, mountinfo::Mount, text};
use nix::errno::Errno;
use procfs::CGroupControllers;
use std::path::{Path, PathBuf};

/// The controllers of both versions (cgroups(7), Documentation/admin-guide/cgroup-v2.rst).
pub(crate) const CONTROLLERS: [&str; 16] = [
    "cpu",
    "cpuacct",
    "cpuset",
    "memory",
    "pids",
    "io",
    "blkio",
    "devices",
    "freezer",
    "hugetlb",
    "net_cls",
    "net_prio",
    "perf_event",
    "rdma",
    "misc",
    "dmem",
];

/// Those whose limits lessons set.
pub(crate) const LIMITING: [&str; 3] = ["cpu", "memory", "pids"];

/// A mounted hierarchy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hierarchy {
    /// 1 or 2.
    pub version: u8,
    /// The controllers that a version 1 hierarchy was mounted with; empty for version 2.
    pub controllers: Vec<String>,
    /// The group that is mounted there (not `/` inside a container that sees only its own part).
    pub root: String,
    /// Where it is mounted.
    pub point: String,
}

/// One line of `/proc/PID/cgroup`: the group of the process in one hierarchy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Membership {
    /// The controllers of the hierarchy; empty for version 2.
    pub controllers: Vec<String>,
    /// The group's path.
    pub path: String,
}

/// The options of a cgroup mount that are no controllers.
const NO_CONTROLLERS: [&str; 8] =
    ["rw", "ro", "clone_children", "xattr", "noprefix", "cpuset_v2_mode", "release_agent", "nsdelegate"];

/// Finds the mounted hierarchies in the lines of a mountinfo file.
pub(crate) fn hierarchies(mounts: &[(Mount, String)]) -> Vec<Hierarchy> {
    let hierarchy = |(mount, options): &(Mount, String)| {
        let version = match mount.kind.as_str() {
            "cgroup" => 1,
            "cgroup2" => 2,
            _ => return None,
        };
        let named = options
            .split(',')
            .filter(|option| version == 1 && !NO_CONTROLLERS.contains(&option.split('=').next().unwrap_or_default()));
        let controllers = named.map(str::to_string).collect();
        Some(Hierarchy { version, controllers, root: mount.root.clone(), point: mount.point.clone() })
    };
    mounts.iter().filter_map(hierarchy).collect()
}

/// Reads `/proc/PID/cgroup` (cgroups(7)).
pub(crate) fn parse_membership(text: &str) -> Vec<Membership> {
    let line = |line: &str| {
        let mut fields = line.splitn(3, ':').skip(1);
        let (controllers, path) = (fields.next()?, fields.next()?);
        let controllers = controllers.split(',').filter(|name| !name.is_empty()).map(str::to_string).collect();
        Some(Membership { controllers, path: path.to_string() })
    };
    text.split_terminator('\n').filter_map(line).collect()
}

/// The mounted hierarchies and boxwright's own memberships.
pub(crate) fn own() -> (Vec<Hierarchy>, Vec<Membership>) {
    let mounts = text::read("/proc/self/mountinfo").unwrap_or_default();
    let memberships = text::read("/proc/self/cgroup").unwrap_or_default();
    (hierarchies(&super::mountinfo::parse_with_options(&mounts)), parse_membership(&memberships))
}

/// Where a hierarchy with this controller (version 2: any) is mounted in a way that shows nothing of ours: it was mounted before
/// this process got a cgroup namespace of its own, and its root is above ours (cgroup_namespaces(7)).
pub(crate) fn mounted_from_outside(hierarchies: &[Hierarchy], controller: &str) -> Option<(u8, String)> {
    let named = |hierarchy: &&Hierarchy| hierarchy.controllers.iter().any(|name| name == controller);
    let outside = |hierarchy: &&Hierarchy| hierarchy.root.starts_with("/..");
    let found = hierarchies.iter().filter(outside).find(named);
    let found = found.or_else(|| hierarchies.iter().filter(outside).find(|hierarchy| hierarchy.version == 2));
    found.map(|hierarchy| (hierarchy.version, hierarchy.point.clone()))
}

/// What `/proc/cgroups` says of a controller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// The kernel has it.
    Enabled,
    /// The kernel was told at boot not to use it (`cgroup_disable=`).
    Disabled,
    /// The kernel was built without it.
    Absent,
    /// The table could not be read.
    Unreadable(Errno),
}

/// Asks for a controller.
pub(crate) fn known(controller: &str) -> Known {
    text::read_as("/proc/cgroups").map_or_else(|error| Known::Unreadable(of(&error)), |all| told(&all, controller))
}

fn told(CGroupControllers(all): &CGroupControllers, controller: &str) -> Known {
    match all.iter().find(|known| known.name == controller) {
        None => Known::Absent,
        Some(known) if known.enabled => Known::Enabled,
        Some(_) => Known::Disabled,
    }
}

/// Says how this machine mounts its hierarchies: `v1`, `hybrid`, `v2` or `none`.
///
/// A version 1 hierarchy without any controller (systemd's own, `name=systemd`) does not make a machine hybrid.
pub(crate) fn mode(hierarchies: &[Hierarchy]) -> &'static str {
    let real = |hierarchy: &Hierarchy| hierarchy.controllers.iter().any(|name| !name.starts_with("name="));
    let v1 = hierarchies.iter().any(|hierarchy| hierarchy.version == 1 && real(hierarchy));
    let v2 = hierarchies.iter().any(|hierarchy| hierarchy.version == 2);
    match (v1, v2) {
        (true, true) => "hybrid",
        (true, false) => "v1",
        (false, true) => "v2",
        (false, false) => "none",
    }
}

/// Where the files of one controller are, for one process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// 1 or 2.
    pub version: u8,
    /// The group's path within its hierarchy.
    pub path: String,
    /// The directory that shows the hierarchy's mounted part.
    point: String,
    root: String,
}

impl Place {
    /// Where the hierarchy is mounted.
    pub fn top(&self) -> PathBuf {
        PathBuf::from(&self.point)
    }

    /// The directory of this group, or of another one in the same hierarchy. `None` where it is outside what is mounted.
    pub(crate) fn dir(&self, path: &str) -> Option<PathBuf> {
        let below = if self.root == "/" { path } else { path.strip_prefix(&self.root)? };
        let point = Path::new(&self.point);
        match below.trim_start_matches('/') {
            "" => Some(point.into()),
            // A path that begins with ".." is above the root of our own cgroup namespace.
            inner if below.starts_with('/') && !inner.starts_with("..") => Some(point.join(inner)),
            _ => None,
        }
    }
}

/// Finds a controller's files: in the version 1 hierarchy that the process's memberships name it in, else in version 2.
pub(crate) fn place(hierarchies: &[Hierarchy], memberships: &[Membership], controller: &str) -> Option<Place> {
    let named = |names: &[String]| names.iter().any(|name| name == controller);
    let v1 = memberships.iter().find(|membership| named(&membership.controllers));
    let membership = v1.or_else(|| memberships.iter().find(|membership| membership.controllers.is_empty()))?;
    let version = if v1.is_some() { 1 } else { 2 };
    let places = hierarchies
        .iter()
        .filter(|hierarchy| hierarchy.version == version && (version == 2 || named(&hierarchy.controllers)));
    places
        .map(|h| Place { version, path: membership.path.clone(), point: h.point.clone(), root: h.root.clone() })
        .find(|place| place.dir(&place.path).is_some())
}

#[cfg(test)]
#[path = "cgroups_tests.rs"]
mod tests;
