//! Control groups: per controller, and whether a group can really be made.

use super::machine::Machine;
use super::{Level, Row};
use crate::kernel::errno;
use crate::lang::Lang;
use crate::observe::{cgroup, cgroup_mode};
use crate::session::{Entry, Ledger, fresh_name};
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

const CONTROLLERS: [&str; 3] = ["cpu", "memory", "pids"];

/// One row for each controller that lessons use.
pub fn rows(machine: &Machine, lang: Lang) -> Vec<Row> {
    let (hierarchies, memberships) = cgroup::own();
    let mut probed: BTreeSet<PathBuf> = BTreeSet::new();
    let mode = cgroup_mode();
    let row = |controller: &&str| {
        let check = format!("cgroup {controller}");
        // The fork bomb of the pids step is the only thing that needs this one.
        let (level, lessons): (_, &'static [&'static str]) =
            if *controller == "pids" { (Level::Limited, &[]) } else { (Level::Missing, &["cgroups"]) };
        let Some((version, dir)) = parent(&hierarchies, &memberships, controller, machine.root) else {
            let remedy = lang.pick(
                "the kernel does not offer it here (see /proc/cgroups; cgroup_disable= on its command line), or cgroupfs is not mounted",
                "内核在这里没有提供它（见 /proc/cgroups；内核命令行的 cgroup_disable=），或 cgroupfs 没有挂载",
            );
            return Row::bad(level, check, format!("{mode}: {}", lang.pick("not there", "没有")), remedy)
                .needed_by(lessons);
        };
        let found = format!("v{version}, {}", dir.display());
        // Controllers that share a directory share the answer; the group is made once.
        let made = if probed.insert(dir.clone()) { probe(&dir) } else { Ok(()) };
        match made {
            Ok(()) => Row::ok(check, found).needed_by(lessons),
            Err(error) => {
                let found = format!("{found}: mkdir: {}", errno::why_io(&error));
                Row::bad(level, check, found, remedy(&error, machine, version, lang)).needed_by(lessons)
            }
        }
    };
    let mut rows: Vec<Row> = CONTROLLERS.iter().map(row).collect();
    rows.insert(0, Row::ok("cgroup", mode));
    rows
}

/// The directory where a group with this controller would be made: the hierarchy's root for root, else our own group.
fn parent(
    hierarchies: &[cgroup::Hierarchy],
    memberships: &[cgroup::Membership],
    controller: &str,
    root: bool,
) -> Option<(u8, PathBuf)> {
    let place = cgroup::place(hierarchies, memberships, controller)?;
    let dir = root.then(|| place.dir("/")).flatten().or_else(|| place.dir(&place.path))?;
    let offered = |dir: &Path| {
        let list = std::fs::read_to_string(dir.join("cgroup.controllers")).unwrap_or_default();
        list.split_ascii_whitespace().any(|name| name == controller)
    };
    (place.version == 1 || offered(&dir)).then_some((place.version, dir))
}

/// Makes a group and removes it: whether a directory looks writable says nothing on cgroupfs. It stands in a ledger
/// meanwhile, in case this process is killed just then.
fn probe(parent: &Path) -> io::Result<()> {
    let mut ledger = Ledger::create()?;
    let entry = Entry::Cgroup(parent.join(fresh_name()?));
    ledger.add(entry.clone())?;
    std::fs::create_dir(entry.path())?;
    ledger.remove(&entry)
}

fn remedy(error: &io::Error, machine: &Machine, version: u8, lang: Lang) -> String {
    let raw = error.raw_os_error();
    match raw {
        Some(libc::EROFS) => lang.pick(
            "cgroupfs is read-only, as in a container: docker run --privileged, or a virtual machine of your own; the other lessons work",
            "cgroupfs 是只读的，容器里常见：用 docker run --privileged，或自己的虚拟机；其他课程不受影响",
        ),
        Some(libc::EACCES | libc::EPERM) if !machine.root && version == 2 => lang.pick(
            "sudo boxwright, or a group of your own: systemd-run --user --scope -p Delegate=yes boxwright",
            "用 sudo boxwright，或先要一个自己的组：systemd-run --user --scope -p Delegate=yes boxwright",
        ),
        Some(libc::EAGAIN | libc::ENOSPC) => lang.pick("there are too many groups, or they are nested too deeply (cgroup.max.descendants)", "组太多，或嵌套太深（cgroup.max.descendants）"),
        _ => return machine.remedy(raw.map(nix::errno::Errno::from_raw), None, lang),
    }
    .to_string()
}
