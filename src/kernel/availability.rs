//! Whether groups with a controller can be made on this machine, where, and why not: for each controller by itself.

use super::cgroups::{Hierarchy, Known, Membership, Place, known, mounted_from_outside, own, place};
use super::errno::why_in;
use super::groups::{delegates, describe, listed};
use super::{pid::Pid, process};
use crate::lang::Lang;
use nix::errno::Errno;
use nix::unistd::{AccessFlags, access};
use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
};

/// How the names of our own groups begin, of whatever user.
pub(crate) const OURS: &str = "boxwright-";

/// The environment variable that names the scope which this program was given by systemd.
pub(crate) const SCOPE: &str = "BOXWRIGHT_SCOPE";

/// Why no group with a controller can be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unavailable {
    /// The kernel was built without it.
    Absent,
    /// What would tell cannot be read, as without a `/proc`.
    Unknown(Errno),
    /// It was switched off when the machine was started (`cgroup_disable=`).
    SwitchedOff,
    /// No hierarchy that has it is mounted here.
    NotMounted,
    /// Its hierarchy of this version is mounted here, but as another cgroup namespace sees it.
    FromOutside(u8, PathBuf),
    /// Its hierarchy of this version is mounted here, but something else was mounted over it.
    Covered(u8, PathBuf),
    /// The kernel has it in version 1 alone, and there it is mounted nowhere; or a group above does not hand it down.
    NotDelegated(PathBuf),
    /// The hierarchy is mounted read-only.
    ReadOnly(PathBuf),
    /// The group belongs to another user; the version of its hierarchy.
    Denied(PathBuf, u8),
    /// The group holds processes, and so may hand nothing down: which they are.
    Occupied(PathBuf, Vec<String>),
}

/// The directory below which groups are made, and its version.
///
/// That is the scope which systemd gave to us, if it did. Otherwise it is the top of the hierarchy where we may write
/// there, as root may, or else the group that this program was started in, where that was handed over to its user
/// (Documentation/admin-guide/cgroup-v2.rst, "Delegation"). Our own groups do not count as such: they are made beside one
/// another, never in one another.
pub(crate) fn base(place: &Place) -> PathBuf {
    let top = place.top();
    let own = || place.dir(&outside_ours(&place.path)).filter(|dir| writable(dir));
    let scope = place.version == 2 && in_scope(&place.path, std::env::var_os(SCOPE).as_deref());
    if writable(&top) && !scope { top } else { own().unwrap_or(top) }
}

/// Whether a group is the scope of this name, or one of our own in it. Groups of version 1 are not given away with a scope.
fn in_scope(path: &str, scope: Option<&OsStr>) -> bool {
    scope.is_some() && Path::new(&outside_ours(path)).file_name() == scope
}

/// A group's path up to, and without, the first of our own groups in it.
pub(crate) fn outside_ours(path: &str) -> String {
    let kept: Vec<&str> = path.split('/').take_while(|part| !part.starts_with(OURS)).collect();
    let kept = kept.join("/");
    if kept.is_empty() { "/".into() } else { kept }
}

fn writable(dir: &Path) -> bool {
    access(dir, AccessFlags::W_OK).is_ok()
}

/// Where groups with this controller can be made: the version and the directory. Nothing is changed to find out, so what
/// the kernel says in the end may still be another thing.
pub fn available(controller: &str) -> Result<(u8, PathBuf), Unavailable> {
    let (hierarchies, memberships) = own();
    available_in(&hierarchies, &memberships, controller)
}

/// The same in these hierarchies, of which a process is a member so.
pub(crate) fn available_in(
    hierarchies: &[Hierarchy],
    memberships: &[Membership],
    controller: &str,
) -> Result<(u8, PathBuf), Unavailable> {
    let Some(place) = place(hierarchies, memberships, controller) else {
        let why = nowhere(controller);
        let outside = Some(hierarchies).filter(|_| why == Unavailable::NotMounted);
        let outside = outside.and_then(|hierarchies| mounted_from_outside(hierarchies, controller));
        return Err(outside.map_or(why, |(version, point)| Unavailable::FromOutside(version, point.into())));
    };
    let base = base(&place);
    // Version 2 counts CPU time without a controller.
    if place.version == 2 && controller != "cpuacct" {
        if let Some(level) = first_without(&place.top(), &base, controller) {
            return Err(if level == place.top() {
                nowhere_v2(controller, level)
            } else {
                Unavailable::NotDelegated(level)
            });
        }
        let handed = delegates(&base, controller);
        let others = others(&base);
        // The root of the whole tree alone may do both (there is no `cgroup.type` in it).
        if !handed && !others.is_empty() && base.join("cgroup.type").exists() {
            return Err(Unavailable::Occupied(base, others));
        }
    }
    match access(&base, AccessFlags::W_OK) {
        Ok(()) => Ok((place.version, base)),
        Err(Errno::EROFS) => Err(Unavailable::ReadOnly(place.top())),
        Err(Errno::ENOENT) => Err(Unavailable::Covered(place.version, place.top())),
        Err(_) => Err(Unavailable::Denied(base, place.version)),
    }
}

/// The first group on the way from the top down that does not have a controller.
fn first_without(top: &Path, base: &Path, controller: &str) -> Option<PathBuf> {
    let mut level = top.to_path_buf();
    let below = base.strip_prefix(top).unwrap_or(Path::new(""));
    let levels = std::iter::once(level.clone()).chain(below.components().map(|part| {
        level.push(part);
        level.clone()
    }));
    levels.into_iter().find(|level| !listed(&level.join("cgroup.controllers")).any(|name| name == controller))
}

/// What is in a group besides ourselves, as `PID (name)`.
fn others(dir: &Path) -> Vec<String> {
    let pids = listed(&dir.join("cgroup.procs")).filter_map(|pid| pid.parse().ok()).collect();
    let family = |pid: Pid| process::stat(&pid.dir()).map(|stat| (Pid(stat.ppid), Pid(stat.pgrp)));
    describe(&in_the_way(pids, Pid::own(), family))
}

/// Those of these processes that matter. The other commands of our own pipeline (`boxwright doctor | less`) are children of
/// the same parent in the same process group, and end with us: they count only where nothing else is in the way.
fn in_the_way(pids: Vec<Pid>, me: Pid, family: impl Fn(Pid) -> Option<(Pid, Pid)>) -> Vec<Pid> {
    let ours = family(me);
    let others = pids.into_iter().filter(|pid| *pid != me);
    let (pipeline, strangers): (Vec<Pid>, Vec<Pid>) = others.partition(|pid| ours.is_some() && family(*pid) == ours);
    if strangers.is_empty() { pipeline } else { strangers }
}

/// Why a controller is in no hierarchy, from `/proc/cgroups`.
fn nowhere(controller: &str) -> Unavailable {
    match known(controller) {
        Known::Absent => Unavailable::Absent,
        Known::Disabled => Unavailable::SwitchedOff,
        Known::Enabled => Unavailable::NotMounted,
        Known::Unreadable(errno) => Unavailable::Unknown(errno),
    }
}

/// The same where there is a version 2 tree, but not with this controller at its top. A kernel that has version 2 alone
/// need not have a `/proc/cgroups` that tells.
fn nowhere_v2(controller: &str, top: PathBuf) -> Unavailable {
    match nowhere(controller) {
        // The top of what we see may itself be a group below another one.
        Unavailable::NotMounted if top.join("cgroup.type").exists() => Unavailable::NotDelegated(top),
        why => why,
    }
}

impl Unavailable {
    /// What is missing, without a remedy.
    pub(crate) fn say(&self, controller: &str, lang: Lang) -> String {
        match self {
            Unavailable::Unknown(errno) => lang.pick(
                format!(
                    "whether there is a controller {controller} is unknown: open /proc/cgroups: {}",
                    why_in(*errno, Lang::En)
                ),
                format!("不知道有没有控制器 {controller}：open /proc/cgroups：{}", why_in(*errno, Lang::Zh)),
            ),
            Unavailable::Absent => lang.pick(
                format!("this kernel has no controller {controller}"),
                format!("这个内核没有控制器 {controller}"),
            ),
            Unavailable::SwitchedOff => lang.pick(
                format!("the controller {controller} was switched off at boot (cgroup_disable={controller})"),
                format!("控制器 {controller} 在启动时被关闭（cgroup_disable={controller}）"),
            ),
            Unavailable::NotMounted => lang.pick(
                format!("the kernel has the controller {controller}, but no hierarchy with it is mounted here"),
                format!("内核有控制器 {controller}，但这里没有挂载带它的层级"),
            ),
            Unavailable::FromOutside(_, point) => lang.pick(
                format!(
                    "the hierarchy of {controller} is mounted on {} as seen from outside of this cgroup namespace",
                    point.display()
                ),
                format!("{controller} 的层级挂载在 {}，但那是从这个 cgroup 命名空间外面看到的", point.display()),
            ),
            Unavailable::Covered(version, point) => lang.pick(
                format!(
                    "the hierarchy of {controller} (version {version}) is mounted on {}, but another mount covers it",
                    point.display()
                ),
                format!("{controller} 的层级（v{version}）挂载在 {}，但被另一个挂载盖住了", point.display()),
            ),
            Unavailable::NotDelegated(level) => lang.pick(
                format!("the group above {} does not hand the controller {controller} down to it", level.display()),
                format!("{} 的上级组没有把控制器 {controller} 交给它", level.display()),
            ),
            Unavailable::ReadOnly(top) => lang.pick(
                format!("the hierarchy of {controller} is mounted read-only on {}", top.display()),
                format!("{controller} 的层级以只读方式挂载在 {}", top.display()),
            ),
            Unavailable::Denied(dir, _) => lang.pick(
                format!("no group with the controller {controller} may be made in {}", dir.display()),
                format!("不允许在 {} 里创建带控制器 {controller} 的组", dir.display()),
            ),
            Unavailable::Occupied(dir, members) => lang.pick(
                format!(
                    "a group that contains processes cannot hand {controller} down, and {} contains {}",
                    dir.display(),
                    members.join(", ")
                ),
                format!("有进程的组不能把 {controller} 交给下级，而 {} 里有 {}", dir.display(), members.join("、")),
            ),
        }
    }
}

#[cfg(test)]
#[path = "availability_tests.rs"]
mod tests;
