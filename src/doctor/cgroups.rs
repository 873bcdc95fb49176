//! Control groups: per controller, and whether a group can really be made.

use super::machine::Machine;
use super::{Level, Row};
use crate::kernel::errno;
use crate::kernel::groups::hands_down;
use crate::kernel::usable::{Unusable, usable};
use crate::lang::Lang;
use crate::observe::cgroup_mode;
use crate::session::{Entry, Ledger, fresh_name};
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

const CONTROLLERS: [&str; 3] = ["cpu", "memory", "pids"];

/// One row for each controller that lessons use.
pub fn rows(machine: &Machine, lang: Lang) -> Vec<Row> {
    let mut probed: BTreeSet<PathBuf> = BTreeSet::new();
    let mode = cgroup_mode();
    let row = |controller: &&str| {
        let check = format!("cgroup {controller}");
        // The fork bomb of the pids step is the only thing that needs this one.
        let (level, lessons): (_, &'static [&'static str]) =
            if *controller == "pids" { (Level::Limited, &[]) } else { (Level::Missing, &["cgroups", "together"]) };
        let (version, dir) = match usable(controller) {
            Ok(found) => found,
            Err(why) => {
                let found = format!("{mode}: {}", why.say(controller, lang));
                return Row::bad(level, check, found, unusable(&why, lang)).needed_by(lessons);
            }
        };
        let found = format!("v{version}, {}{}", dir.display(), handed(version, &dir, controller, lang));
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

/// Whether the group hands the controller down already: in version 2 that is what gives it to groups below.
fn handed(version: u8, dir: &Path, controller: &str, lang: Lang) -> &'static str {
    match version {
        1 => "",
        _ if hands_down(dir, controller) => {
            lang.pick(", enabled in cgroup.subtree_control", "，已在 cgroup.subtree_control 中启用")
        }
        _ => lang.pick(", not yet enabled in cgroup.subtree_control", "，尚未在 cgroup.subtree_control 中启用"),
    }
}

fn unusable(why: &Unusable, lang: Lang) -> &'static str {
    match why {
        Unusable::Unknown => lang.pick(
            "another kernel has it: a virtual machine of your own, or on Windows an update of WSL; the other lessons work",
            "换一个内核才有：用自己的虚拟机，在 Windows 上请更新 WSL；其他课程不受影响",
        ),
        Unusable::SwitchedOff => lang.pick(
            "remove that option from the kernel's command line (or override it there with cgroup_enable=), and start again",
            "从内核命令行去掉这个选项（或用 cgroup_enable= 覆盖），然后重新启动",
        ),
        Unusable::NotMounted => lang.pick(
            "mount it: mount -t cgroup2 cgroup2 /sys/fs/cgroup; inside a container, ask for it when it is started",
            "挂载它：mount -t cgroup2 cgroup2 /sys/fs/cgroup；在容器里要在启动时提供",
        ),
        Unusable::NotHandedDown(_) => lang.pick(
            "systemd: Delegate=cpu memory pids for that unit; otherwise write +NAME to cgroup.subtree_control of the group above",
            "systemd：为该单元设置 Delegate=cpu memory pids；否则把 +名称 写入上级组的 cgroup.subtree_control",
        ),
        Unusable::ReadOnly(_) => lang.pick(
            "as in a container: docker run --privileged, or a virtual machine of your own; the other lessons work",
            "容器里常见：用 docker run --privileged，或自己的虚拟机；其他课程不受影响",
        ),
        Unusable::Denied(_) => lang.pick(
            "sudo boxwright, or a group of your own: systemd-run --user --scope -p Delegate=yes boxwright",
            "用 sudo boxwright，或先要一个自己的组：systemd-run --user --scope -p Delegate=yes boxwright",
        ),
        Unusable::Occupied(..) => lang.pick(
            "start boxwright alone in a group of its own: systemd-run --user --scope -p Delegate=yes boxwright",
            "让 boxwright 独自在一个组里启动：systemd-run --user --scope -p Delegate=yes boxwright",
        ),
    }
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
