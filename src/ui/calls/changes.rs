//! What a call changed, in few words.

use super::marks;
use crate::{lang::Lang, observe::ForChildren, trace::Change, ui::namespaces::ORDER};
use std::path::Path;

/// What a call changed: links of namespaces together, everything else by itself.
pub(in crate::ui) fn changes(changed: &[Change], lang: Lang) -> Vec<String> {
    let (mut links, mut child, mut out) = (Vec::new(), None, Vec::new());
    for change in changed {
        match change {
            Change::Child(pid) => child = Some(pid),
            Change::Namespace { kind, after: Some(_), .. } => links.push(*kind),
            Change::PidForChildren { after: ForChildren::NotMade, .. } => out.push(
                lang.pick("pid_for_children: made at the next fork", "pid_for_children：下一次 fork 时才创建")
                    .to_string(),
            ),
            _ => out.push(one_change(change, lang)),
        }
    }
    // In the order of the Namespaces pane.
    links.sort_by_key(|link| ORDER.iter().position(|kind| kind == link));
    let links: Vec<&str> = links.iter().map(|kind| kind.row().link).collect();
    let new = if links.is_empty() {
        String::new()
    } else {
        format!("{}{}", links.join(" "), lang.pick(": new", "：新的"))
    };
    match child {
        // The links that a fork changes are the child's; its maker keeps its own.
        Some(child) => {
            let name = lang.pick(format!("child {child}"), format!("子进程 {child}"));
            out.insert(0, if new.is_empty() { name } else { format!("{name}{}{new}", lang.pick(", ", "，")) });
        }
        None if new.is_empty() => {}
        None => out.insert(0, new),
    }
    out
}

/// One change, with the values before and after.
pub(in crate::ui) fn one_change(change: &Change, lang: Lang) -> String {
    if let Some(text) = entered(change, lang) {
        return text;
    }
    let subject = match change {
        Change::ControlFile { name, file: Some(file), .. } => of_group(name, file),
        Change::GroupMade(_, Some(dir)) => group(dir).map(|group| format!("cgroup {group}")),
        _ => None,
    };
    let subject = subject.unwrap_or_else(|| change.subject(lang));
    let (before, after) = change.values(lang);
    let gone = || lang.pick("gone", "已消失").to_string();
    let colon = lang.pick(": ", "：");
    match before {
        Some(before) => format!("{subject}{colon}{before} {} {}", marks::TO, after.unwrap_or_else(gone)),
        None => after.map_or(subject.clone(), |after| format!("{subject}{colon}{after}")),
    }
}

/// Processes that came into a group: `4711 into memory:box`.
fn entered(change: &Change, lang: Lang) -> Option<String> {
    let Change::ControlFile { before, after: Some(after), file: Some(file), .. } = change else { return None };
    if !matches!(file.file_name()?.to_str()?, "cgroup.procs" | "cgroup.threads" | "tasks") {
        return None;
    }
    let group = group(file.parent()?)?;
    let before: Vec<&str> = before.iter().flat_map(|list| list.split_whitespace()).collect();
    let new: Vec<&str> = after.split_whitespace().filter(|pid| !before.contains(pid)).collect();
    if new.is_empty() || !new.iter().all(|pid| pid.bytes().all(|byte| byte.is_ascii_digit())) {
        return None;
    }
    let pids = new.join(" ");
    Some(lang.pick(format!("{pids} into {group}"), format!("{pids} 进入 {group}")))
}

/// A control file with the group that it is of, where it is not of a process.
fn of_group(name: &str, file: &Path) -> Option<String> {
    // The controller stands in the file's own name.
    let dir = group(file.parent()?)?;
    let dir = dir.split_once(':').map_or(dir.as_str(), |(_, dir)| dir);
    (!name.contains('/')).then(|| format!("{dir} {name}"))
}

/// A group as tools take it: `memory:box`, or its path alone where one hierarchy has all controllers.
fn group(dir: &Path) -> Option<String> {
    let below = dir.strip_prefix("/sys/fs/cgroup").ok()?.to_str()?;
    let (first, rest) = below.split_once('/').unwrap_or((below, ""));
    match first.split(',').all(|name| V1.contains(&name)) {
        true => Some(format!("{first}:{}", if rest.is_empty() { "/" } else { rest })),
        false => Some(if below.is_empty() { "/".into() } else { below.into() }),
    }
}

/// The directories of hierarchies of version 1, and of version 2 beside them.
const V1: [&str; 15] = [
    "cpu",
    "cpuacct",
    "cpuset",
    "memory",
    "pids",
    "blkio",
    "devices",
    "freezer",
    "net_cls",
    "net_prio",
    "perf_event",
    "hugetlb",
    "rdma",
    "misc",
    "unified",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::{namespaces::Kind, pid::Pid};

    #[test]
    fn links_are_told_together() {
        let link = |kind, after| Change::Namespace { kind, before: Some(1), after };
        let list = [
            link(Kind::Uts, Some(2)),
            Change::HostName { before: "a".into(), after: "box".into() },
            link(Kind::Ipc, Some(3)),
            link(Kind::Net, None),
            Change::PidForChildren { before: ForChildren::Inode(4), after: ForChildren::NotMade },
        ];
        assert_eq!(
            changes(&list, Lang::En),
            ["uts ipc: new", "hostname: a → box", "net: 1 → gone", "pid_for_children: made at the next fork"]
        );
        let fork = [Change::Child(Pid(7)), link(Kind::Pid, Some(2))];
        assert_eq!(changes(&fork, Lang::En), ["child 7, pid: new"]);
        assert_eq!(changes(&fork[..1], Lang::En), ["child 7"]);
        let born = Change::PidForChildren { before: ForChildren::NotMade, after: ForChildren::Inode(5) };
        assert_eq!(changes(&[born], Lang::En), ["pid_for_children: 5"]);
        let group = [Change::GroupMade("box".into(), None), Change::GroupRemoved("box".into())];
        assert_eq!(changes(&group, Lang::En), ["cgroup box: made", "cgroup box: empty → gone"]);
        assert_eq!(changes(&group, Lang::Zh), ["cgroup box：已创建", "cgroup box：空 → 已消失"]);
    }

    #[test]
    fn groups_are_named_with_their_controllers() {
        let file = |path: &str, before: Option<&str>, after: &str| Change::ControlFile {
            name: Path::new(path).file_name().unwrap().to_str().unwrap().into(),
            before: before.map(Into::into),
            after: Some(after.into()),
            file: Some(path.into()),
        };
        for (change, en, zh) in [
            (file("/sys/fs/cgroup/memory/box/cgroup.procs", None, "47"), "47 into memory:box", "47 进入 memory:box"),
            (
                file("/sys/fs/cgroup/cpu,cpuacct/a/b/tasks", Some("1 2"), "1 2 9"),
                "9 into cpu,cpuacct:a/b",
                "9 进入 cpu,cpuacct:a/b",
            ),
            (file("/sys/fs/cgroup/box/cgroup.procs", Some(""), "3 4"), "3 4 into box", "3 4 进入 box"),
            (
                file("/sys/fs/cgroup/box/cpu.max", Some("max 100000"), "50000 100000"),
                "box cpu.max: max 100000 → 50000 100000",
                "box cpu.max：max 100000 → 50000 100000",
            ),
            (
                Change::GroupMade("box".into(), Some("/sys/fs/cgroup/pids/box".into())),
                "cgroup pids:box: made",
                "cgroup pids:box：已创建",
            ),
            // An ID map is of a process.
            (file("/proc/47/uid_map", None, "0 0 1"), "uid_map: 0 0 1", "uid_map：0 0 1"),
        ] {
            assert_eq!(one_change(&change, Lang::En), en);
            assert_eq!(one_change(&change, Lang::Zh), zh);
        }
    }
}
