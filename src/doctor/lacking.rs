//! What this machine lacks of the things that lessons require, each really tried, once.
//!
//! The options of the kernel are read by hand: procfs leaves the newline at the last one.

use super::{
    attempt::{Failure, attempt},
    directory::{Inability, Trial},
    facts::{Facts, Who},
    probe::Groups,
    remedy::Remedy,
    tier::{Tier, tier},
};
use crate::{
    dirs::Need,
    kernel::{
        availability::{Unavailable, available},
        controls::swaps,
        errno,
        groups::children,
        namespaces::Kind,
        program, rights, text,
    },
    lang::Lang,
    lesson::{self, Requirement, Translations},
    observe::cgroup,
    parallel,
    session::Lacking,
};
use nix::errno::Errno;
use std::{
    path::{Path, PathBuf},
    sync::{LazyLock, Mutex, PoisonError},
};

/// Everything that these lessons require, once each.
pub fn requirements(lessons: &[Translations]) -> Vec<Requirement> {
    let mut all = vec![Requirement::Root];
    for lesson in lessons.iter().filter_map(Translations::any) {
        for need in (0..lesson.steps.len()).flat_map(|step| lesson::needs(lesson, step)) {
            if !all.contains(&need) {
                all.push(need);
            }
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
    let facts = Facts::read();
    let findings = Findings::of(needs, need);
    Lang::ALL.into_iter().map(|lang| (lang, findings.lacking(&facts, lang))).collect()
}

/// What trying gave, requirement by requirement.
pub(super) struct Findings(Vec<(Requirement, Result<(), Failed>)>);

impl Findings {
    /// Tries each of them; `dir` is what a session's directory must offer.
    pub(super) fn of(needs: &[Requirement], dir: Need) -> Findings {
        let (groups, trial) = (Mutex::new(Groups::default()), LazyLock::new(|| Trial::new(dir)));
        let found = |need: &Requirement| match need {
            Requirement::SessionDir(ability) => {
                trial.failure(*ability).map_or(Ok(()), |why| Err(Failed::Directory(Box::new(why))))
            }
            need => attempted(need, &groups),
        };
        // Most of them are processes that are waited for, and a lesson waits for all.
        Findings(needs.iter().cloned().zip(parallel::map(needs, found)).collect())
    }

    /// What came of one of them; `None` where it was not tried.
    pub(super) fn get(&self, need: &Requirement) -> Option<&Result<(), Failed>> {
        self.0.iter().find(|(known, _)| known == need).map(|(_, found)| found)
    }

    /// Those that failed, in one line each.
    pub(super) fn lacking(&self, facts: &Facts, lang: Lang) -> Lacking {
        let failed = self.0.iter().filter_map(|(need, found)| Some((need, found.as_ref().err()?)));
        failed.map(|(need, why)| (need.clone(), why.line(facts, lang))).collect()
    }
}

/// Why a requirement is not met.
pub(super) enum Failed {
    /// A trial ended so.
    Tried(Requirement, Failure),
    NoProgram(String),
    NoFile(String),
    Controller(String, Unavailable),
    /// No group can be made there: the version, the directory and the error of mkdir(2).
    NoGroup(u8, PathBuf, Errno),
    CgroupVersion(u8, String),
    Swap,
    Memsw,
    MachineRoot,
    Chroot,
    Filesystem(String),
    Directory(Box<Inability>),
}

/// Whether the kernel counts swap for each group.
fn swap_counted() -> bool {
    let options = text::read("/proc/cmdline").unwrap_or_default();
    available("memory").is_ok_and(|(version, base)| swap_counted_in(version, &base, &options))
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

fn attempted(need: &Requirement, groups: &Mutex<Groups>) -> Result<(), Failed> {
    let controller = |name| groups.lock().unwrap_or_else(PoisonError::into_inner).controller(name);
    let tried = |what: &str| attempt(what).map_err(|failure| Failed::Tried(need.clone(), failure));
    let ensure = |holds: bool, failed: Failed| if holds { Ok(()) } else { Err(failed) };
    match need {
        // Without root the shells run in a user namespace of their own, in which they are root.
        Requirement::Root => match tier() {
            Tier::Root => Ok(()),
            Tier::Rootless => tried(Kind::User.row().link),
        },
        Requirement::UserNamespaces => tried("user-namespaces"),
        Requirement::UserProc => tried("user-proc"),
        Requirement::UserProgram => tried("user-program"),
        Requirement::Ptrace => tried("ptrace"),
        Requirement::Namespace(kind) => tried(kind.row().link),
        Requirement::Proc => tried("proc"),
        Requirement::Call(name) => tried(name),
        Requirement::Program(name) => ensure(in_path(name), Failed::NoProgram(name.clone())),
        Requirement::File(path) => ensure(Path::new(path).exists(), Failed::NoFile(path.clone())),
        Requirement::Controller(name) => controller(name),
        Requirement::AnyController(names) => {
            let mut found = names.iter().map(|name| controller(name));
            let first = found.next().unwrap_or(Ok(()));
            if found.any(|found| found.is_ok()) { Ok(()) } else { first }
        }
        Requirement::CgroupVersion(version, name) => {
            let (hierarchies, memberships) = cgroup::own();
            let place = cgroup::place(&hierarchies, &memberships, name);
            let holds = place.is_some_and(|place| place.version == *version);
            ensure(holds, Failed::CgroupVersion(*version, name.clone()))
        }
        Requirement::Swap => ensure(swaps() == Some(true), Failed::Swap),
        Requirement::Memsw => ensure(swap_counted(), Failed::Memsw),
        Requirement::HardMemory => ensure(swaps() == Some(false) || swap_counted(), Failed::Memsw),
        Requirement::MachineRoot if Facts::read().who == Who::Root && rights::as_root() => tried("devices"),
        Requirement::MachineRoot => Err(Failed::MachineRoot),
        Requirement::NamespaceRoot => ensure(!in_chroot(), Failed::Chroot),
        Requirement::Network(wiring) => tried(wiring.name()),
        // Tried where there is a directory for it.
        Requirement::SessionDir(_) => Ok(()),
        Requirement::Filesystem(name) => {
            let table = text::read("/proc/filesystems").unwrap_or_default();
            let known = table.lines().any(|line| line.split_whitespace().next_back() == Some(name));
            ensure(known, Failed::Filesystem(name.clone()))
        }
    }
}

/// Whether `/` is not the root of this mount namespace, as far as it can be known.
pub(super) fn in_chroot() -> bool {
    attempt("whole").is_err_and(|failure| failure.call == "chroot")
}

fn in_path(name: &str) -> bool {
    crate::tools::find(name).is_some()
        || std::env::var_os("PATH")
            .is_some_and(|path| std::env::split_paths(&path).any(|dir| program::executable(&dir.join(name))))
}

impl Failed {
    /// What was found: the call that failed with its errno, or what is not there.
    pub(super) fn found(&self, lang: Lang) -> String {
        match self {
            Failed::Tried(_, failure) => failure.describe(),
            Failed::Controller(name, why) => why.say(name, lang),
            Failed::NoGroup(_, dir, errno) => format!("mkdir {}: {}", dir.display(), errno::why(*errno)),
            Failed::CgroupVersion(version, name) => lang.pick(
                format!("the {name} controller of this machine is not cgroup v{version}"),
                format!("这台机器的 {name} 控制器不属于 cgroup v{version}"),
            ),
            Failed::Swap => lang
                .pick("this machine has no swap (/proc/swaps is empty)", "这台机器没有交换空间（/proc/swaps 是空的）")
                .into(),
            Failed::Memsw => lang
                .pick(
                    "this kernel does not count swap for control groups (memory.memsw.*, memory.swap.*)",
                    "这个内核不为控制组统计交换空间（memory.memsw.*、memory.swap.*）",
                )
                .into(),
            Failed::Chroot => lang
                .pick("this is a chroot: nsenter -m leads out of it", "这里是 chroot：nsenter -m 会走到它外面")
                .into(),
            // The remedy says what it is.
            Failed::MachineRoot => String::new(),
            Failed::Filesystem(name) => {
                let unknown = lang.pick("this kernel does not know this file system", "这个内核没有这种文件系统");
                format!("{name}: {unknown}")
            }
            Failed::NoProgram(name) | Failed::NoFile(name) => format!("{name}: {}", errno::why(Errno::ENOENT)),
            Failed::Directory(why) => why.found(lang),
        }
    }

    /// What to do about it; nothing where nothing can be done.
    pub(super) fn remedy(&self, facts: &Facts, lang: Lang) -> Remedy {
        match self {
            Failed::Tried(Requirement::UserNamespaces | Requirement::Root, failure) => {
                facts.failed(failure, Some(Kind::User), lang)
            }
            Failed::Tried(Requirement::UserProgram, _) => lang
                .pick(
                    "install the program where every user can start it, such as in /usr/local/bin",
                    "把程序安装到所有用户都能启动的地方，例如 /usr/local/bin",
                )
                .into(),
            // A namespace that could not be made has seen no `/proc`.
            Failed::Tried(Requirement::Proc | Requirement::UserProc, failure) if failure.call.starts_with("mount") => {
                facts.new_proc(failure.errno(), lang)
            }
            Failed::Tried(Requirement::Namespace(kind), failure) => facts.failed(failure, Some(*kind), lang),
            Failed::Tried(Requirement::Call(name), failure)
                if name == "pivot_root" && failure.errno() == Some(Errno::EINVAL) =>
            {
                lang.pick(
                    "the root file system is the initramfs, which cannot be pivoted away from: chroot lessons still work",
                    "根文件系统是 initramfs，不能用 pivot_root 离开：chroot 部分仍可做",
                )
                .into()
            }
            Failed::Tried(Requirement::Network(wiring), failure) => {
                let [program, package, option] = wiring.made_by();
                match failure.errno() {
                    Some(Errno::ENOENT) => lang.pick(
                        format!("install {program} with your package manager (package {package})"),
                        format!("请用软件包管理器安装 {program}（软件包 {package}）"),
                    ),
                    Some(Errno::EOPNOTSUPP) => lang.pick(
                        format!("this kernel was built without it, or its module is missing ({option})"),
                        format!("这个内核没有编入此功能，或缺少模块（{option}）"),
                    ),
                    _ => return facts.failed(failure, Some(Kind::Net), lang),
                }
                .into()
            }
            Failed::Tried(_, failure) => facts.failed(failure, None, lang),
            Failed::Controller(name, why) => facts.controller(name, why, lang),
            Failed::NoGroup(version, dir, errno) => no_group(*version, dir, *errno, facts, lang),
            Failed::MachineRoot => facts.machine_root(lang),
            Failed::Chroot => lang
                .pick(
                    "start boxwright outside of it, or make the directory the root with pivot_root",
                    "请在它外面启动 boxwright，或用 pivot_root 把目录变成根",
                )
                .into(),
            Failed::Swap => "swapon".into(),
            Failed::Memsw => lang.pick("start the kernel with swapaccount=1", "启动内核时加上 swapaccount=1").into(),
            Failed::NoProgram(_) => {
                lang.pick("install it with your package manager", "请用软件包管理器安装").into()
            }
            Failed::NoFile(path) => format!("touch {path}").into(),
            Failed::Directory(why) => why.remedy(facts, lang),
            Failed::CgroupVersion(..) | Failed::Filesystem(_) => Remedy::default(),
        }
    }

    /// What was found and what to do, in one line. What takes several lines stands in the doctor's table.
    pub(super) fn line(&self, facts: &Facts, lang: Lang) -> String {
        let (found, remedy) = (self.found(lang), self.remedy(facts, lang));
        let what = match remedy.lines.is_empty() {
            true => remedy.what,
            false => {
                let (what, program) = (remedy.what.trim_end_matches([':', '：']), &facts.program);
                lang.pick(
                    format!("{what} ({program} doctor shows how)"),
                    format!("{what}（{program} doctor 会显示做法）"),
                )
            }
        };
        match (found.is_empty(), what.is_empty()) {
            (true, _) => what,
            (_, true) => found,
            _ => format!("{found}; {what}"),
        }
    }
}

fn no_group(version: u8, dir: &Path, errno: Errno, facts: &Facts, lang: Lang) -> Remedy {
    match errno {
        Errno::EROFS => facts.controller("", &Unavailable::ReadOnly(dir.into()), lang),
        Errno::EACCES | Errno::EPERM => facts.controller("", &Unavailable::Denied(dir.into(), version), lang),
        Errno::EAGAIN | Errno::ENOSPC => lang
            .pick(
                "there are too many groups, or they are nested too deeply (cgroup.max.descendants)",
                "组太多，或嵌套太深（cgroup.max.descendants）",
            )
            .into(),
        errno => facts.refused(Some(errno), None, lang),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_a_step_binds_over_is_asked_for_and_named() {
        let lessons = crate::lesson::embedded_once();
        let network = lessons.iter().find(|lesson| lesson.id() == "network").unwrap();
        let asked = requirements(std::slice::from_ref(network));
        assert!(asked.contains(&Requirement::File("/etc/hosts".into())), "{asked:?}");
        let found = Failed::NoFile("/etc/hosts".into()).found(Lang::En);
        assert_eq!(found, "/etc/hosts: No such file or directory (ENOENT)");
    }

    #[test]
    fn each_finding_is_that_of_its_requirement() {
        // The order in which two threads come to them is not theirs.
        let file = |number: usize| match number % 3 {
            0 => Requirement::File("/".into()),
            _ => Requirement::File(format!("/{number}/is/not/there")),
        };
        let needs: Vec<Requirement> = (0..600).map(file).collect();
        let found = Findings::of(&needs, Need::default());
        let met = |(need, found): &(Requirement, Result<(), Failed>)| match found {
            Ok(()) => *need == file(0),
            Err(Failed::NoFile(path)) => *need == Requirement::File(path.clone()),
            Err(_) => false,
        };
        assert!(found.0.iter().all(met) && found.0.iter().map(|(need, _)| need).eq(&needs));
    }

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
