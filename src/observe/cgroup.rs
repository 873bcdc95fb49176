//! The counters and limits of a process's control groups, from cgroupfs.
//!
//! Pressure is read by hand: procfs wants the line `full`, which `cpu.pressure` has since Linux 5.13.

use super::{Cgroup, Cpu, Io, Memory, Pids, Pressure, text};
use std::path::PathBuf;

pub(crate) use crate::kernel::cgroups::{Hierarchy, Membership, hierarchies, mode, own, parse_membership, place};

fn number(text: &str) -> Option<u64> {
    text.trim().parse().ok()
}

/// Reads one value of a file of `name value` lines, such as `cpu.stat`.
pub(super) fn field(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| number(line.strip_prefix(name)?.strip_prefix(' ')?))
}

/// A limit: absent where the file says `max`, `-1`, or the huge number that version 1 of the memory controller shows.
fn limit(text: &str) -> Option<u64> {
    number(text).filter(|value| *value < 1 << 62)
}

/// Reads the group of a process through its memberships. What cannot be read is left out.
pub(crate) fn read(hierarchies: &[Hierarchy], memberships: &[Membership]) -> Cgroup {
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
    Cgroup {
        paths,
        cpu: cpu(find("cpu"), find("cpuacct")),
        memory: memory(find("memory")),
        pids: pids(find("pids")),
        io: Io { pressure: pressure(find("io").as_ref(), "io.pressure") },
    }
}

type Found = Option<(u8, PathBuf)>;

fn cpu(place: Found, accounting: Found) -> Cpu {
    let file = |name: &str| place.as_ref().and_then(|(_, dir)| text::read(dir.join(name)).ok()).unwrap_or_default();
    let stat = file("cpu.stat");
    let (periods, throttled) = (field(&stat, "nr_periods"), field(&stat, "nr_throttled"));
    match &place {
        Some((2, _)) => {
            let (quota_micros, period_micros) = parse_cpu_max(&file("cpu.max"));
            let throttled_micros = field(&stat, "throttled_usec");
            let usage_micros = field(&stat, "usage_usec");
            let pressure = pressure(place.as_ref(), "cpu.pressure");
            Cpu { usage_micros, quota_micros, period_micros, periods, throttled, throttled_micros, pressure }
        }
        _ => {
            // In version 1 the time used is another controller's, which may stand in another hierarchy.
            let usage = accounting.filter(|(version, _)| *version == 1);
            let nanos = usage.and_then(|(_, dir)| number(&text::read(dir.join("cpuacct.usage")).ok()?));
            Cpu {
                usage_micros: nanos.map(|nanos| nanos / 1000),
                quota_micros: number(&file("cpu.cfs_quota_us")),
                period_micros: number(&file("cpu.cfs_period_us")),
                periods,
                throttled,
                throttled_micros: field(&stat, "throttled_time").map(|nanos| nanos / 1000),
                pressure: None,
            }
        }
    }
}

/// Reads `cpu.max`: quota (or `max`) and period.
pub(crate) fn parse_cpu_max(text: &str) -> (Option<u64>, Option<u64>) {
    let mut fields = text.split_ascii_whitespace();
    (fields.next().and_then(number), fields.next().and_then(number))
}

fn memory(place: Found) -> Memory {
    let Some((version, dir)) = &place else { return Memory::default() };
    let version = *version;
    let file = |v1: &str, v2: &str| text::read(dir.join(if version == 1 { v1 } else { v2 })).unwrap_or_default();
    let memory = limit(&file("memory.limit_in_bytes", "memory.max"));
    // Version 1 limits memory and swap together, version 2 swap alone.
    let swap = limit(&file("memory.memsw.limit_in_bytes", "memory.swap.max"));
    let with_swap = if version == 1 { swap } else { memory.zip(swap).map(|(memory, swap)| memory + swap) };
    let current = number(&file("memory.usage_in_bytes", "memory.current"));
    let swapped = number(&file("memory.memsw.usage_in_bytes", "memory.swap.current"));
    let events = file("memory.oom_control", "memory.events");
    Memory {
        current,
        peak: number(&file("memory.max_usage_in_bytes", "memory.peak")),
        limit: memory,
        with_swap,
        current_with_swap: if version == 1 {
            swapped
        } else {
            current.zip(swapped).map(|(memory, swap)| memory + swap)
        },
        limit_hits: if version == 1 { number(&file("memory.failcnt", "")) } else { field(&events, "max") },
        ooms: field(&events, "oom"),
        oom_kills: field(&events, "oom_kill"),
        pressure: pressure(place.as_ref(), "memory.pressure"),
    }
}

/// Reads a pressure file of version 2; version 1 has none, and neither has a kernel without PSI.
fn pressure(place: Option<&(u8, PathBuf)>, name: &str) -> Option<Pressure> {
    let (_, dir) = place.filter(|(version, _)| *version == 2)?;
    parse_pressure(&text::read(dir.join(name)).ok()?)
}

/// Reads `some avg10=0.00 avg60=… total=…` and, where it is there, the line `full`.
pub(super) fn parse_pressure(text: &str) -> Option<Pressure> {
    let line = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_ascii_whitespace().find_map(|word| word.strip_prefix("avg10="))?.parse().ok()
    };
    Some(Pressure { some: line("some ")?, full: line("full ") })
}

fn pids(place: Found) -> Pids {
    let file = |name: &str| place.as_ref().and_then(|(_, dir)| text::read(dir.join(name)).ok()).unwrap_or_default();
    Pids { current: number(&file("pids.current")), max: number(&file("pids.max")) }
}

/// A file that limits, in version 1 and in version 2, and how its value says that it does. `ours` is the value of our own group:
/// a new group of version 1 must be given CPUs, so that having some is no limit there.
type Limiting = (&'static str, &'static str, &'static str, fn(value: &str, ours: &str) -> bool);

/// Every file of one controller each that keeps a group from something.
const LIMITING: [Limiting; 8] = [
    ("cpu", "cpu.cfs_quota_us", "cpu.max", |value, _| value.split_ascii_whitespace().next().and_then(number).is_some()),
    ("memory", "memory.limit_in_bytes", "memory.max", |value, _| limit(value).is_some()),
    ("pids", "pids.max", "pids.max", |value, _| number(value).is_some()),
    ("cpuset", "cpuset.cpus", "cpuset.cpus", |value, ours| !value.trim().is_empty() && value.trim() != ours.trim()),
    ("io", "", "io.max", |value, _| !value.trim().is_empty()),
    ("blkio", "blkio.throttle.read_bps_device", "", |value, _| !value.trim().is_empty()),
    ("blkio", "blkio.throttle.write_bps_device", "", |value, _| !value.trim().is_empty()),
    ("blkio", "blkio.throttle.write_iops_device", "", |value, _| !value.trim().is_empty()),
];

/// The limits that apply to a process, each with the file that sets it, as `PATH: VALUE; PATH: VALUE`.
///
/// The group itself and its ancestors are looked at, except those that boxwright is in as well: what limits the whole
/// machine, or the session that boxwright was started in, is not a property of the container.
pub(crate) fn applied_limit(hierarchies: &[Hierarchy], theirs: &[Membership], ours: &[Membership]) -> Option<String> {
    let set = |(controller, v1, v2, limits): &Limiting| {
        let place = place(hierarchies, theirs, controller)?;
        let own = self::place(hierarchies, ours, controller);
        let file = Some(if place.version == 1 { *v1 } else { *v2 }).filter(|file| !file.is_empty())?;
        let here = own.as_ref().and_then(|own| text::read(own.dir(&own.path)?.join(file)).ok()).unwrap_or_default();
        let own = own.map_or(String::new(), |place| place.path);
        own_groups(&place.path, &own).into_iter().find_map(|group| {
            let file = place.dir(group)?.join(file);
            let value = text::read(&file).ok().filter(|value| limits(value, &here))?;
            Some(format!("{}: {}", file.display(), value.trim().replace('\n', ", ")))
        })
    };
    let all: Vec<String> = LIMITING.iter().filter_map(set).collect();
    (!all.is_empty()).then(|| all.join("; "))
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
