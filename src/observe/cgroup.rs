//! Control groups from `/proc/PID/cgroup`, mountinfo and cgroupfs: version 1, version 2, and machines that have both.
//!
//! Whether a controller is version 1 or 2 is decided for each one by itself: on a hybrid machine the version 2 tree may
//! hold no controller, or an unimportant one, and so says nothing about where `cpu` and `memory` are.

use super::{Cgroup, Cpu, Memory, Mount, Pids, text};
use std::path::{Path, PathBuf};

/// A mounted hierarchy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hierarchy {
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
pub struct Membership {
    /// The controllers of the hierarchy; empty for version 2.
    pub controllers: Vec<String>,
    /// The group's path.
    pub path: String,
}

/// The options of a cgroup mount that are no controllers.
const NO_CONTROLLERS: [&str; 8] =
    ["rw", "ro", "clone_children", "xattr", "noprefix", "cpuset_v2_mode", "release_agent", "nsdelegate"];

/// Finds the mounted hierarchies in the lines of a mountinfo file.
pub fn hierarchies(mounts: &[(Mount, String)]) -> Vec<Hierarchy> {
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
pub fn parse_membership(text: &str) -> Vec<Membership> {
    let line = |line: &str| {
        let mut fields = line.splitn(3, ':').skip(1);
        let (controllers, path) = (fields.next()?, fields.next()?);
        let controllers = controllers.split(',').filter(|name| !name.is_empty()).map(str::to_string).collect();
        Some(Membership { controllers, path: path.to_string() })
    };
    text.lines().filter_map(line).collect()
}

/// The mounted hierarchies and boxwright's own memberships.
pub fn own() -> (Vec<Hierarchy>, Vec<Membership>) {
    let mounts = text(Path::new("/proc/self/mountinfo")).unwrap_or_default();
    let memberships = text(Path::new("/proc/self/cgroup")).unwrap_or_default();
    (hierarchies(&super::mounts::parse_with_options(&mounts)), parse_membership(&memberships))
}

/// Says how this machine mounts its hierarchies: `v1`, `hybrid`, `v2` or `none`.
///
/// A version 1 hierarchy without any controller (systemd's own, `name=systemd`) does not make a machine hybrid.
pub fn mode(hierarchies: &[Hierarchy]) -> &'static str {
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
    /// The directory of this group, or of another one in the same hierarchy. `None` where it is outside what is mounted.
    pub fn dir(&self, path: &str) -> Option<PathBuf> {
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
pub fn place(hierarchies: &[Hierarchy], memberships: &[Membership], controller: &str) -> Option<Place> {
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

fn number(text: &str) -> Option<u64> {
    text.trim().parse().ok()
}

/// Reads one value of a file of `name value` lines, such as `cpu.stat`.
fn field(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| number(line.strip_prefix(name)?.strip_prefix(' ')?))
}

/// A limit: absent where the file says `max`, `-1`, or the huge number that version 1 of the memory controller shows.
fn limit(text: &str) -> Option<u64> {
    number(text).filter(|value| *value < 1 << 62)
}

/// Reads the group of a process through its memberships. What cannot be read is left out.
pub fn read(hierarchies: &[Hierarchy], memberships: &[Membership]) -> Cgroup {
    let mut paths = std::collections::BTreeMap::new();
    for membership in memberships {
        let mut names = membership.controllers.clone();
        names.retain(|name| !name.starts_with("name="));
        if membership.controllers.is_empty() {
            names.push(String::new());
        }
        paths.extend(names.into_iter().map(|name| (name, membership.path.clone())));
    }
    let find = |controller: &str| {
        let place = place(hierarchies, memberships, controller)?;
        Some((place.version, place.dir(&place.path)?))
    };
    Cgroup { paths, cpu: cpu(find("cpu"), find("cpuacct")), memory: memory(find("memory")), pids: pids(find("pids")) }
}

type Found = Option<(u8, PathBuf)>;

fn cpu(place: Found, accounting: Found) -> Cpu {
    let file = |name: &str| place.as_ref().and_then(|(_, dir)| text(&dir.join(name)).ok()).unwrap_or_default();
    let stat = file("cpu.stat");
    let (periods, throttled) = (field(&stat, "nr_periods"), field(&stat, "nr_throttled"));
    match &place {
        Some((2, _)) => {
            let (quota_micros, period_micros) = parse_cpu_max(&file("cpu.max"));
            Cpu { usage_micros: field(&stat, "usage_usec"), quota_micros, period_micros, periods, throttled }
        }
        _ => {
            // In version 1 the time used is another controller's, which may stand in another hierarchy.
            let usage = accounting.filter(|(version, _)| *version == 1);
            let nanos = usage.and_then(|(_, dir)| number(&text(&dir.join("cpuacct.usage")).ok()?));
            Cpu {
                usage_micros: nanos.map(|nanos| nanos / 1000),
                quota_micros: number(&file("cpu.cfs_quota_us")),
                period_micros: number(&file("cpu.cfs_period_us")),
                periods,
                throttled,
            }
        }
    }
}

/// Reads `cpu.max`: quota (or `max`) and period.
pub fn parse_cpu_max(text: &str) -> (Option<u64>, Option<u64>) {
    let mut fields = text.split_ascii_whitespace();
    (fields.next().and_then(number), fields.next().and_then(number))
}

fn memory(place: Found) -> Memory {
    let Some((version, dir)) = place else { return Memory::default() };
    let file = |v1: &str, v2: &str| text(&dir.join(if version == 1 { v1 } else { v2 })).unwrap_or_default();
    Memory {
        current: number(&file("memory.usage_in_bytes", "memory.current")),
        peak: number(&file("memory.max_usage_in_bytes", "memory.peak")),
        limit: limit(&file("memory.limit_in_bytes", "memory.max")),
        oom_kills: field(&file("memory.oom_control", "memory.events"), "oom_kill"),
    }
}

fn pids(place: Found) -> Pids {
    let file = |name: &str| place.as_ref().and_then(|(_, dir)| text(&dir.join(name)).ok()).unwrap_or_default();
    Pids { current: number(&file("pids.current")), max: number(&file("pids.max")) }
}

/// The limit that applies to a process, with the file that sets it, as `PATH: VALUE`.
///
/// The group itself and its ancestors are looked at, except those that boxwright is in as well: what limits the whole
/// machine, or the session that boxwright was started in, is no property of the container.
pub fn applied_limit(hierarchies: &[Hierarchy], theirs: &[Membership], ours: &[Membership]) -> Option<String> {
    let set = |controller: &str, v1: &str, v2: &str, is_set: fn(&str) -> bool| {
        let place = place(hierarchies, theirs, controller)?;
        let own = self::place(hierarchies, ours, controller).map_or(String::new(), |place| place.path);
        let file = if place.version == 1 { v1 } else { v2 };
        own_groups(&place.path, &own).into_iter().find_map(|group| {
            let file = place.dir(group)?.join(file);
            let value = text(&file).ok().filter(|value| is_set(value))?;
            Some(format!("{}: {}", file.display(), value.trim()))
        })
    };
    let quota = |value: &str| value.split_ascii_whitespace().next().and_then(number).is_some();
    let memory = |value: &str| limit(value).is_some();
    set("cpu", "cpu.cfs_quota_us", "cpu.max", quota)
        .or_else(|| set("memory", "memory.limit_in_bytes", "memory.max", memory))
}

/// A group and its ancestors, the innermost first, without those that `own` is in or below.
fn own_groups<'a>(path: &'a str, own: &str) -> Vec<&'a str> {
    let ours =
        |group: &str| group == "/" || own == group || own.strip_prefix(group).is_some_and(|rest| rest.starts_with('/'));
    let parent = |group: &&'a str| group.rfind('/').and_then(|at| group.get(..at)).filter(|above| !above.is_empty());
    std::iter::successors(Some(path), parent).take_while(|group| !ours(group)).collect()
}

#[cfg(test)]
#[path = "cgroup_tests.rs"]
mod tests;
