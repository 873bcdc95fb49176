//! Control groups as their tools name them, such as `cpu,memory:box`, and the directories that these names mean.

use super::errno_causes::{self, Fact};
use super::text;
use super::{
    cgroups::{self, Hierarchy, Known, Membership, Place, known},
    errno::{of, why},
    pid::Pid,
};
use crate::lang::say;
use nix::{
    errno::Errno,
    unistd::{AccessFlags, access},
};
use std::{
    collections::BTreeSet,
    fs::{self, File},
    os::fd::AsFd,
    path::{Path, PathBuf},
};

/// The file of a version 2 group that names the controllers which it hands down to the groups below.
pub(crate) const SUBTREE_CONTROL: &str = "cgroup.subtree_control";

/// A group in several hierarchies, by the controllers that have them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// The controllers; `*` means all that there are.
    pub controllers: Vec<String>,
    /// The group's path below each hierarchy's mount point.
    pub path: String,
}

/// Reads `CONTROLLER[,CONTROLLER…]:PATH`. A path that leads out of the hierarchy is none.
pub fn parse(text: &str) -> Option<Name> {
    let (controllers, path) = text.split_once(':')?;
    let controllers: Vec<String> = controllers.split(',').map(String::from).collect();
    let whole = controllers.iter().all(|name| !name.is_empty()) && path.split('/').all(|part| part != "..");
    whole.then(|| Name { controllers, path: path.trim_matches('/').to_string() })
}

/// A group in one hierarchy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// 1 or 2.
    pub version: u8,
    /// The controllers that were asked for and that this hierarchy has.
    pub controllers: Vec<String>,
    /// Where paths begin: the hierarchy's mount point, or the group that was handed over to this user.
    pub top: PathBuf,
    /// The group's directory.
    pub dir: PathBuf,
}

/// The hierarchies of this machine, version 1 or 2 for each controller by itself.
#[derive(Debug)]
pub struct Hierarchies(Vec<Hierarchy>, Vec<Membership>);

impl Hierarchies {
    /// Reads them from `/proc`.
    pub fn read() -> Self {
        let (hierarchies, memberships) = cgroups::own();
        Hierarchies(hierarchies, memberships)
    }

    /// The controllers that there are.
    pub(crate) fn controllers(&self) -> BTreeSet<String> {
        let (v1, v2): (Vec<_>, Vec<_>) = self.0.iter().partition(|hierarchy| hierarchy.version == 1);
        let first = v1.into_iter().flat_map(|hierarchy| hierarchy.controllers.clone());
        let second =
            v2.into_iter().flat_map(|hierarchy| listed(&Path::new(&hierarchy.point).join("cgroup.controllers")));
        first.chain(second).filter(|name| !name.starts_with("name=")).collect()
    }

    /// Finds the hierarchy of a controller. The error says why there is none.
    pub fn find(&self, controller: &str) -> Result<Place, String> {
        let place = cgroups::place(&self.0, &self.1, controller);
        // Version 2 counts CPU time without a controller: cpuacct is part of every group there.
        let offered = |place: &Place| {
            place.version == 1
                || controller == "cpuacct"
                || listed(&place.top().join("cgroup.controllers")).any(|name| name == controller)
        };
        place.filter(offered).ok_or_else(|| match known(controller) {
            Known::Absent => format!("this kernel has no controller {controller}"),
            Known::Disabled => format!("the controller {controller} is switched off at boot (cgroup_disable=)"),
            Known::Unreadable(errno) => {
                format!("nothing is known of the controller {controller}: open /proc/cgroups: {}", why(errno))
            }
            Known::Enabled => format!("the controller {controller} is in no hierarchy that is mounted here"),
        })
    }

    /// The directories of a group: one for each hierarchy that has one of its controllers.
    pub fn groups(&self, name: &Name) -> Result<Vec<Group>, String> {
        let all = name.controllers.iter().any(|controller| controller == "*");
        let wanted = if all { self.controllers().into_iter().collect() } else { name.controllers.clone() };
        let mut groups: Vec<Group> = Vec::new();
        for controller in wanted {
            let place = self.find(&controller)?;
            let (top, version) = (super::availability::base(&place), place.version);
            match groups.iter_mut().find(|group| group.top == top) {
                Some(group) => group.controllers.push(controller),
                None => {
                    let dir = if name.path.is_empty() { top.clone() } else { top.join(&name.path) };
                    groups.push(Group { version, controllers: vec![controller], top, dir });
                }
            }
        }
        Ok(groups)
    }
}

/// The words of a control file.
pub fn listed(file: &Path) -> impl Iterator<Item = String> + use<> {
    let words = text::read(file).unwrap_or_default();
    words.split_whitespace().map(String::from).collect::<Vec<_>>().into_iter()
}

/// Writes a control file by one write(2): the kernel takes each write for a whole value.
///
/// Errors: those of open(2), and what the controller answers.
pub(crate) fn write(file: &Path, value: &str) -> nix::Result<()> {
    let errno = |error: std::io::Error| Errno::from_raw(error.raw_os_error().unwrap_or(0));
    let file = File::options().write(true).open(file).map_err(errno)?;
    nix::unistd::write(file.as_fd(), value.as_bytes()).map(drop)
}

/// The file in a session's run directory that tells what its tools handed down: lines of `CONTROLLER DIRECTORY`. Only that
/// is taken back at the end; what others have handed down meanwhile is theirs.
pub(crate) const HANDED_DOWN: &str = "handed-down";

/// Whether a control file is the hierarchy's own, such as `cgroup.procs`, and no controller's (cgroups(7)).
pub(crate) fn is_core(name: &str) -> bool {
    name.starts_with("cgroup.") || ["tasks", "notify_on_release", "release_agent"].contains(&name)
}

/// What to do about such a file: each hierarchy that has the group has one.
pub(crate) fn core_hint(hierarchies: &Hierarchies, group: &Name, name: &str) -> String {
    let all = Name { controllers: vec!["*".into()], path: group.path.clone() };
    let groups = hierarchies.groups(&all).unwrap_or_default();
    let files: Vec<String> = groups
        .iter()
        .map(|group| group.dir.join(name))
        .filter(|file| file.exists())
        .map(|file| file.display().to_string())
        .collect();
    let path = &group.path;
    match files.as_slice() {
        [] => say(
            format!("{name}: no hierarchy has this file for {path}: cgcreate makes a group"),
            format!("{name}：没有哪个层级里的 {path} 有这个文件：用 cgcreate 创建组"),
        ),
        files => {
            let list = files.join("\n  ");
            say(
                format!("{name} belongs to each hierarchy, not to a controller:\n  {list}"),
                format!("{name} 不属于任何控制器，每个层级各有一个：\n  {list}"),
            )
        }
    }
}

/// What is in a group, as `PID (name)`; at most ten are named. The kernel writes 0 for a process that has no number in
/// our PID namespace: those are only counted. Where the list cannot be read, that stands there instead.
pub(crate) fn members(dir: &Path) -> Vec<String> {
    match text::read(dir.join("cgroup.procs")) {
        Ok(pids) => describe(&pids.lines().filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>()),
        Err(error) => vec![say(
            format!("unknown processes (cgroup.procs: {})", why(of(&error))),
            format!("未知的进程（cgroup.procs：{}）", why(of(&error))),
        )],
    }
}

/// The same for these PIDs.
pub(crate) fn describe(pids: &[Pid]) -> Vec<String> {
    let name = |pid: Pid| text::read(pid.dir().join("comm")).unwrap_or_default().trim().to_string();
    let (seen, unseen): (Vec<Pid>, Vec<Pid>) = pids.iter().partition(|pid| **pid != Pid(0));
    let mut who: Vec<String> =
        seen.iter().take(10).map(|&pid| format!("{pid} ({})", text::printable(&name(pid)))).collect();
    if seen.len() > 10 {
        who.push(format!("+{}", seen.len() - 10));
    }
    if !unseen.is_empty() {
        who.push(say(
            format!("{} outside this PID namespace", unseen.len()),
            format!("{} 个在这个 PID 命名空间之外", unseen.len()),
        ));
    }
    who
}

/// The groups directly below a group.
pub(crate) fn children(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(|entry| entry.path()).collect()
}

/// Whether a group hands a controller down to those below it.
pub(crate) fn delegates(dir: &Path, controller: &str) -> bool {
    listed(&dir.join(SUBTREE_CONTROL)).any(|name| name == controller)
}

fn writable(file: &Path) -> bool {
    access(file, AccessFlags::W_OK).is_ok()
}

/// Why a process cannot join a group (cgroups(7)).
pub(crate) fn join_hint(errno: Errno, group: &Group) -> Option<String> {
    let kind = text::read(group.dir.join("cgroup.type")).unwrap_or_default();
    let own = writable(&group.dir.join("cgroup.procs"));
    let facts = [
        (Fact::NoGroup, !group.dir.exists()),
        (Fact::OfVersion(group.version), true),
        (Fact::OwnGroup(group.version), own),
        (Fact::Threaded, kind.trim() == "threaded"),
        (Fact::BelowThreaded, kind.trim() == "domain invalid"),
    ];
    let path = group.dir.strip_prefix(&group.top).unwrap_or(&group.dir).display();
    let name = format!("{}:{path}", group.controllers.join(","));
    errno_causes::help_with(
        "cgroup.procs",
        errno,
        &errno_causes::true_ones(facts),
        &[("group", &name), ("dir", &group.dir.display())],
    )
}

#[cfg(test)]
#[path = "groups_tests.rs"]
mod tests;
