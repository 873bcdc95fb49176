//! What this machine lacks of the things that lessons require, each really tried.

use super::{attempt::attempt, machine::Machine};
use crate::{
    kernel::namespaces::Kind,
    lang::Lang,
    lesson::{Block, Requirement, Translations},
    observe::cgroup,
    session::Lacking,
};
use nix::{errno::Errno, unistd::AccessFlags};
use std::path::Path;

/// Everything that these lessons require, once each.
pub fn requirements(lessons: &[Translations]) -> Vec<Requirement> {
    let blocks = lessons.iter().filter_map(|lesson| lesson.values().next()).flat_map(|lesson| &lesson.steps);
    let needs = blocks.flat_map(|step| &step.blocks).filter_map(|block| match block {
        Block::Requires(needs) => Some(needs),
        _ => None,
    });
    // No step can do without a shell, and no shell without this.
    let mut all = vec![Requirement::Root];
    for need in needs.flatten() {
        if !all.contains(need) {
            all.push(need.clone());
        }
    }
    all
}

/// Tries each requirement; gives those that are not met in every language, with the call that failed and the remedy.
pub fn lacking(needs: &[Requirement]) -> Vec<(Lang, Lacking)> {
    let machine = Machine::read();
    let failed: Vec<(&Requirement, Failed)> = needs.iter().filter_map(|need| Some((need, failure(need)?))).collect();
    Lang::ALL
        .into_iter()
        .map(|lang| (lang, failed.iter().map(|(need, why)| ((*need).clone(), why.say(&machine, lang))).collect()))
        .collect()
}

enum Failed {
    Tried(super::attempt::Failure, Option<Kind>),
    NoProgram(String),
    Controller(String),
    CgroupVersion(u8),
    Swap,
    Filesystem(String),
}

fn failure(need: &Requirement) -> Option<Failed> {
    let tried = |what: &str, kind| attempt(what).err().map(|failure| Failed::Tried(failure, kind));
    match need {
        // Without root the shells run in a user namespace of their own, in which they are root.
        Requirement::Root if nix::unistd::geteuid().is_root() => None,
        Requirement::Root => tried(Kind::User.row().link, Some(Kind::User)),
        Requirement::Ptrace => tried("ptrace", None),
        Requirement::Namespace(kind) => tried(kind.row().link, Some(*kind)),
        Requirement::Program(name) => (!in_path(name)).then(|| Failed::NoProgram(name.clone())),
        Requirement::Controller(name) => (!controllers().contains(name)).then(|| Failed::Controller(name.clone())),
        Requirement::CgroupVersion(version) => {
            let (hierarchies, memberships) = cgroup::own();
            let has = cgroup::place(&hierarchies, &memberships, "cpu").is_some_and(|place| place.version == *version);
            (!has).then_some(Failed::CgroupVersion(*version))
        }
        Requirement::Swap => {
            let table = std::fs::read_to_string("/proc/swaps").unwrap_or_default();
            (table.lines().count() < 2).then_some(Failed::Swap)
        }
        Requirement::Filesystem(name) => {
            let table = std::fs::read_to_string("/proc/filesystems").unwrap_or_default();
            let known = table.lines().any(|line| line.split_whitespace().next_back() == Some(name));
            (!known).then(|| Failed::Filesystem(name.clone()))
        }
    }
}

/// The controllers whose files are there and may be written by us.
fn controllers() -> Vec<String> {
    let (hierarchies, memberships) = cgroup::own();
    let usable = |controller: &&str| {
        let Some(place) = cgroup::place(&hierarchies, &memberships, controller) else { return false };
        let dir = place.dir(&place.path);
        let listed = |dir: &Path| match place.version {
            1 => true,
            _ => std::fs::read_to_string(dir.join("cgroup.controllers"))
                .is_ok_and(|list| list.split_whitespace().any(|name| name == *controller)),
        };
        dir.is_some_and(|dir| listed(&dir) && nix::unistd::access(&dir, AccessFlags::W_OK).is_ok())
    };
    ["cpu", "cpuacct", "memory", "pids"].iter().filter(|name| usable(name)).map(|name| (*name).to_string()).collect()
}

fn in_path(name: &str) -> bool {
    crate::tools::find(name).is_some()
        || std::env::var_os("PATH")
            .is_some_and(|path| std::env::split_paths(&path).any(|dir| executable(&dir.join(name))))
}

fn executable(path: &std::path::Path) -> bool {
    nix::unistd::access(path, AccessFlags::X_OK).is_ok()
}

impl Failed {
    fn say(&self, machine: &Machine, lang: Lang) -> String {
        match self {
            Failed::Tried(failure, kind) => {
                let remedy = machine.remedy(failure.errno(), *kind, lang);
                format!("{}; {remedy}", failure.describe())
            }
            Failed::Controller(name) => format!(
                "{name}: {}",
                lang.pick(
                    "no control group with this controller can be made here; boxwright doctor says why",
                    "这里不能建立带此控制器的控制组；原因见 boxwright doctor"
                )
            ),
            Failed::CgroupVersion(version) => {
                format!(
                    "{} v{version}",
                    lang.pick("the cpu controller of this machine is not cgroup", "这台机器的 cpu 控制器不属于 cgroup")
                )
            }
            Failed::Swap => lang.pick("this machine has no swap", "这台机器没有交换空间").into(),
            Failed::Filesystem(name) => {
                format!(
                    "{name}: {}",
                    lang.pick("this kernel does not know this file system", "这个内核没有这种文件系统")
                )
            }
            Failed::NoProgram(name) => {
                let why = crate::kernel::errno::why(Errno::ENOENT);
                let remedy = lang.pick("install it with your package manager", "请用软件包管理器安装");
                format!("{name}: {why}; {remedy}")
            }
        }
    }
}
