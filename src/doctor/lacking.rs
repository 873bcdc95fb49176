//! What this machine lacks of the things that lessons require, each really tried.

use super::{
    attempt::attempt,
    directory::{Inability, Trial},
    machine::Machine,
};
use crate::{
    dirs::Need,
    kernel::{
        groups::children,
        namespaces::Kind,
        usable::{Unusable, usable},
    },
    lang::Lang,
    lesson::{Block, Requirement, Translations},
    observe::cgroup,
    session::Lacking,
};
use nix::{errno::Errno, unistd::AccessFlags};
use std::{cell::LazyCell, path::Path};

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
    lacking_for(Need::default(), needs)
}

/// The same for sessions whose directory must offer this.
pub fn lacking_for(need: Need, needs: &[Requirement]) -> Vec<(Lang, Lacking)> {
    let machine = Machine::read();
    let trial = LazyCell::new(|| Trial::new(need));
    let failure = |need: &Requirement| match need {
        Requirement::SessionDir(ability) => trial.failure(*ability).map(Failed::Directory),
        need => failure(need),
    };
    let failed: Vec<(&Requirement, Failed)> = needs.iter().filter_map(|need| Some((need, failure(need)?))).collect();
    Lang::ALL
        .into_iter()
        .map(|lang| (lang, failed.iter().map(|(need, why)| ((*need).clone(), why.say(&machine, lang))).collect()))
        .collect()
}

enum Failed {
    Tried(super::attempt::Failure, Option<Kind>),
    NoProgram(String),
    Controller(String, Unusable),
    CgroupVersion(u8, String),
    Swap,
    Memsw,
    MachineRoot,
    Filesystem(String),
    Directory(Inability),
}

/// Whether anything can be swapped out (proc(5)).
fn swaps() -> bool {
    std::fs::read_to_string("/proc/swaps").is_ok_and(|table| table.lines().count() > 1)
}

/// Whether the kernel counts swap for each group.
fn swap_counted() -> bool {
    let options = std::fs::read_to_string("/proc/cmdline").unwrap_or_default();
    usable("memory").is_ok_and(|(version, base)| swap_counted_in(version, &base, &options))
}

/// The root group of version 1 has the file as all others do. That of version 2 has no limits: there the groups in it
/// tell, or else the kernel's own parts and options; the newest kernels count whatever the option says.
fn swap_counted_in(version: u8, base: &Path, options: &str) -> bool {
    if version == 1 {
        return base.join("memory.memsw.limit_in_bytes").exists();
    }
    let mut groups = std::iter::once(base.to_path_buf()).chain(children(base));
    match groups.find(|group| group.join("memory.max").exists()) {
        Some(group) => group.join("memory.swap.max").exists(),
        None => Path::new("/proc/swaps").exists() && !options.split_whitespace().any(|word| word == "swapaccount=0"),
    }
}

/// Whether we are root of the first user namespace, which maps every ID to itself (user_namespaces(7)).
fn of_the_machine() -> bool {
    let whole = |map: String| map.split_whitespace().eq(["0", "0", "4294967295"]);
    nix::unistd::geteuid().is_root() && std::fs::read_to_string("/proc/self/uid_map").is_ok_and(whole)
}

fn failure(need: &Requirement) -> Option<Failed> {
    let tried = |what: &str, kind| attempt(what).err().map(|failure| Failed::Tried(failure, kind));
    match need {
        // Without root the shells run in a user namespace of their own, in which they are root.
        Requirement::Root if nix::unistd::geteuid().is_root() => None,
        // Tried by whoever has a directory for it.
        Requirement::SessionDir(_) => None,
        Requirement::Root => tried(Kind::User.row().link, Some(Kind::User)),
        Requirement::Ptrace => tried("ptrace", None),
        Requirement::Namespace(kind) => tried(kind.row().link, Some(*kind)),
        Requirement::Program(name) => (!in_path(name)).then(|| Failed::NoProgram(name.clone())),
        Requirement::Controller(name) => usable(name).err().map(|why| Failed::Controller(name.clone(), why)),
        Requirement::CgroupVersion(version, name) => {
            let (hierarchies, memberships) = cgroup::own();
            let has = cgroup::place(&hierarchies, &memberships, name).is_some_and(|place| place.version == *version);
            (!has).then(|| Failed::CgroupVersion(*version, name.clone()))
        }
        Requirement::Swap => (!swaps()).then_some(Failed::Swap),
        Requirement::Memsw => (!swap_counted()).then_some(Failed::Memsw),
        Requirement::HardMemory => (swaps() && !swap_counted()).then_some(Failed::Memsw),
        Requirement::MachineRoot => (!of_the_machine()).then_some(Failed::MachineRoot),
        Requirement::Filesystem(name) => {
            let table = std::fs::read_to_string("/proc/filesystems").unwrap_or_default();
            let known = table.lines().any(|line| line.split_whitespace().next_back() == Some(name));
            (!known).then(|| Failed::Filesystem(name.clone()))
        }
    }
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
            Failed::Directory(why) => why.say(machine, lang),
            Failed::Controller(name, why) => why.say(name, lang),
            Failed::CgroupVersion(version, name) => lang.pick(
                format!("the {name} controller of this machine is not cgroup v{version}"),
                format!("这台机器的 {name} 控制器不属于 cgroup v{version}"),
            ),
            Failed::Swap => lang
                .pick(
                    "this machine has no swap (/proc/swaps is empty; swapon)",
                    "这台机器没有交换空间（/proc/swaps 是空的；swapon）",
                )
                .into(),
            Failed::Memsw => lang
                .pick(
                    "this kernel does not count swap for control groups (memory.memsw.*, memory.swap.*; swapaccount=1)",
                    "这个内核不为控制组统计交换空间（memory.memsw.*、memory.swap.*；swapaccount=1）",
                )
                .into(),
            Failed::MachineRoot => lang
                .pick(
                    "this needs root of the machine itself, not only of a user namespace: sudo boxwright",
                    "需要机器本身的 root，只在用户命名空间里当 root 还不够：sudo boxwright",
                )
                .into(),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_in_the_root_tells_whether_swap_is_counted() {
        let base = tempfile::tempdir().unwrap();
        let counted = |options: &str| swap_counted_in(2, base.path(), options);
        assert!(!counted("quiet swapaccount=0"));
        assert_eq!(counted("quiet"), Path::new("/proc/swaps").exists());
        let group = base.path().join("system.slice");
        std::fs::create_dir(&group).unwrap();
        std::fs::write(group.join("memory.max"), "max\n").unwrap();
        assert!(!counted("quiet"));
        std::fs::write(group.join("memory.swap.max"), "max\n").unwrap();
        assert!(counted("quiet swapaccount=0"));
        assert!(!swap_counted_in(1, base.path(), "quiet"));
    }
}
