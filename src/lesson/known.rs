//! Names that a lesson may use although no table of ours decides over them: programs, controllers, file systems. One that is
//! not known and looks like one that is was misspelt.

use super::{
    model::{Block, Fact, Run},
    parse::Located,
    requirement::Requirement,
    source::{Source, or_meant},
};
use crate::{kernel::cgroups::CONTROLLERS, lang::say, near::nearest, tools::TOOLS};
use std::collections::BTreeSet;

/// File systems that lessons on containers mount.
const FILESYSTEMS: [&str; 22] = [
    "proc",
    "sysfs",
    "tmpfs",
    "ramfs",
    "devtmpfs",
    "devpts",
    "mqueue",
    "overlay",
    "cgroup",
    "cgroup2",
    "bpf",
    "debugfs",
    "tracefs",
    "securityfs",
    "configfs",
    "hugetlbfs",
    "ext4",
    "xfs",
    "btrfs",
    "squashfs",
    "fuse",
    "nfs",
];

/// Programs that commands start by themselves, or that every machine has.
const PROGRAMS: &str = "sh bash dash ash zsh fish busybox init systemd container awk base64 basename bash bwrap cat chmod chown cp crun \
                        curl cut date dd df diff dirname docker du echo env expr false file find free gdb getconf grep \
                        head hexdump id ip jq kill less ln ls lsns make mkdir mkfifo mknod more mv nano nc nice nohup nproc od \
                        perl podman printf printenv prlimit ps pwd python3 readlink realpath rm rmdir runc script sed seq \
                        setpriv setsid sleep sort ss ssh stat strace stress stty su sudo sync tail tar taskset tee test \
                        timeout top touch tr true tty uname uniq unzip vi wc wget which who xargs yes";

/// Looks for names that were misspelt in the checks and requirements of a lesson.
pub(super) fn check(source: &mut Source<'_>, located: &Located) {
    let steps = || located.lesson.steps.iter().zip(&located.lines);
    let blocks = || steps().flat_map(|(step, lines)| step.blocks.iter().zip(lines));
    let lines: Vec<&Run> = blocks().flat_map(|(block, _)| block.runs()).collect();
    let programs = programs(&lines);
    for (block, line) in blocks() {
        match block {
            Block::Check(checks) => {
                for check in checks {
                    named(&check.fact)
                        .into_iter()
                        .for_each(|name| misspelt(source, check.at, say("program", "程序"), name, &programs));
                    let types = mounted(&check.fact).unwrap_or_default();
                    let types = types.split(',').filter(|name| !name.is_empty());
                    types.for_each(|name| {
                        misspelt(source, check.at, say("file system", "文件系统"), name, &FILESYSTEMS.into())
                    });
                }
            }
            Block::Requires(needs) => needs.iter().for_each(|need| required(source, *line, need, &programs)),
            _ => {}
        }
    }
}

/// What may run: the words of every command line, and what is there anyhow.
fn programs<'a>(lines: &[&'a Run]) -> BTreeSet<&'a str> {
    let separates = |letter: char| !letter.is_alphanumeric() && !matches!(letter, '-' | '_' | '.' | '+');
    let words = lines.iter().flat_map(|run| run.line.split(separates)).filter(|word| !word.starts_with('-'));
    words.chain(PROGRAMS.split_whitespace()).chain(TOOLS.iter().map(|tool| tool.name)).collect()
}

/// The programs that a fact names.
fn named(fact: &Fact) -> Vec<&str> {
    match fact {
        Fact::Process(_, name) | Fact::Init(name) | Fact::Adopted(name) | Fact::InGroup(name, _) => vec![name],
        Fact::Ended(names, _) => names.split(',').collect(),
        Fact::ProcessesOnly(names) => names.iter().map(String::as_str).collect(),
        _ => Vec::new(),
    }
}

fn mounted(fact: &Fact) -> Option<&str> {
    match fact {
        Fact::Mount(_, _, types) => Some(types),
        Fact::NoMount(_, _, types) => types.as_deref(),
        _ => None,
    }
}

fn required(source: &mut Source<'_>, line: usize, need: &Requirement, programs: &BTreeSet<&str>) {
    let mut controller = |name: &str| {
        if !CONTROLLERS.contains(&name) {
            let near = nearest(name, CONTROLLERS);
            let known = CONTROLLERS.join(", ");
            let there = match near {
                None => say(format!("; there are: {known}"), format!("；只有：{known}")),
                near => or_meant(near),
            };
            let what =
                say(format!("no controller is called `{name}`{there}"), format!("没有叫 `{name}` 的控制器{there}"));
            source.problem(line, 1, what);
        }
    };
    match need {
        Requirement::Controller(name) | Requirement::CgroupVersion(_, name) => controller(name),
        Requirement::AnyController(names) => names.iter().for_each(|name| controller(name)),
        Requirement::Program(name) => misspelt(source, line, say("program", "程序"), name, programs),
        Requirement::Filesystem(name) => {
            misspelt(source, line, say("file system", "文件系统"), name, &FILESYSTEMS.into())
        }
        _ => {}
    }
}

fn misspelt(source: &mut Source<'_>, line: usize, what: &str, name: &str, known: &BTreeSet<&str>) {
    if known.contains(name) {
        return;
    }
    // What begins as another name does is another name: `sleep` and `sleeper`.
    let near = nearest(name, known.iter().copied()).filter(|near| !near.starts_with(name));
    if near.is_some() {
        let near = or_meant(near);
        let what = say(
            format!("the {what} `{name}` is not known here, and no command names it{near}"),
            format!("这里不认识{what} `{name}`，也没有命令提到它{near}"),
        );
        source.problem(line, 1, what);
    }
}
