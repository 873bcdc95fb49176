//! What this machine lacks of the things that lessons require, each really tried.

use super::{attempt::attempt, machine::Machine};
use crate::{
    kernel::namespaces::Kind,
    lang::Lang,
    lesson::{Block, Requirement, Translations},
    session::Lacking,
};
use nix::{errno::Errno, unistd::AccessFlags};

/// Everything that these lessons require, once each.
pub fn requirements(lessons: &[Translations]) -> Vec<Requirement> {
    let blocks = lessons.iter().filter_map(|lesson| lesson.values().next()).flat_map(|lesson| &lesson.steps);
    let needs = blocks.flat_map(|step| &step.blocks).filter_map(|block| match block {
        Block::Requires(needs) => Some(needs),
        _ => None,
    });
    let mut all = Vec::new();
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
            Failed::NoProgram(name) => {
                let why = crate::kernel::errno::why(Errno::ENOENT);
                let remedy = lang.pick("install it with your package manager", "请用软件包管理器安装");
                format!("{name}: {why}; {remedy}")
            }
        }
    }
}
