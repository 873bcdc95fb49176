//! What differs between two branches: one row a fact, as both say it.
//!
//! Both were played in sessions of their own, so numbers that name something (PIDs, inodes, groups) always differ and are not
//! compared: what is compared is whether it is the host's own or not.

use super::super::{calls, namespaces::ORDER};
use crate::{
    columns::bytes,
    event::Branch,
    kernel::{harm::Harm, namespaces::Kind},
    lang::Lang,
    observe::{ForChildren, Mount, NAMES, Sample},
    trace::{Return, SyscallEvent},
};
use std::collections::{BTreeMap, BTreeSet};

/// A fact, and what it is in the first and in the second branch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// What it is about.
    pub what: String,
    /// What it is in either.
    pub values: [String; 2],
    /// Whether the change made it another.
    pub differs: bool,
}

impl Row {
    fn new(what: &str, values: [String; 2]) -> Row {
        let differs = values[0] != values[1];
        Row { what: what.into(), values, differs }
    }

    /// How often something happened: two runs never count the same, so only whether it happened at all is compared.
    fn counted(what: &str, values: [Option<u64>; 2]) -> Option<Row> {
        let happened = values.map(|value| value.is_some_and(|value| value > 0));
        let shown = values.map(|value| value.map_or_else(none, |value| value.to_string()));
        values.iter().any(Option::is_some).then(|| Row {
            what: what.into(),
            values: shown,
            differs: happened[0] != happened[1],
        })
    }
}

fn none() -> String {
    "-".into()
}

/// Everything that is compared, in the order in which it is told.
pub(crate) fn rows(branches: [&Branch; 2], lang: Lang) -> Vec<Row> {
    let samples = branches.map(|branch| &branch.sample);
    let row =
        |(en, zh): (&str, &str), value: &dyn Fn(&Branch) -> String| Row::new(lang.pick(en, zh), branches.map(value));
    let mut out = Vec::new();
    if branches.iter().any(|branch| branch.call.is_some()) {
        out.push(row(("call", "调用"), &|branch| call(branch.call.as_ref(), lang)));
    }
    out.push(row(("the line", "命令"), &|branch| end(branch.status, lang)));
    out.push(row(("printed last", "最后输出"), &|branch| printed(branch, lang)));
    out.push(row(("the machine", "机器本身"), &|branch| machine(branch, lang)));
    out.extend(scorecard(samples, lang));
    out.extend(links(samples, lang));
    out.push(row(("host name", "主机名"), &|branch| host_name(&branch.sample, lang)));
    out.extend(mounts(branches, lang));
    out.extend(limits(samples, lang));
    out.push(row(("process", "进程"), &|branch| process(&branch.sample, lang)));
    out.push(row(("in its PID ns", "同一 PID 空间"), &|branch| beside(&branch.sample, lang)));
    out.push(row(("capabilities", "能力"), &|branch| {
        branch.sample.privileges.capabilities.map_or_else(none, |all| all.count_ones().to_string())
    }));
    out.push(row(("user outside", "在外面的用户"), &|branch| {
        branch.sample.privileges.uid.map_or_else(none, |user| user.to_string())
    }));
    out
}

fn call(event: Option<&SyscallEvent>, lang: Lang) -> String {
    let Some(event) = event else { return lang.pick("has not returned", "没有返回").into() };
    let made = matches!(event.call.syscall.name(), "clone" | "clone3" | "fork" | "vfork");
    let result = match event.returned {
        Return::Value(pid) if made && pid > 0 => lang.pick("= a new PID", "= 新的 PID").into(),
        returned => calls::result(&returned, lang),
    };
    // A column has no room for what all of these flags begin with.
    format!("{} {result}", calls::brief(&event.call).replace("CLONE_", ""))
}

fn end(status: Option<i32>, lang: Lang) -> String {
    match status {
        Some(status) => lang.pick(format!("at a prompt, status {status}"), format!("到了提示符，状态 {status}")),
        None => lang.pick("still works", "还在运行").into(),
    }
}

fn printed(branch: &Branch, lang: Lang) -> String {
    if branch.printed.is_empty() { lang.pick("nothing", "无").into() } else { nameless(&branch.printed, branch) }
}

/// Which calls would have changed the machine itself, and which of them the guard refused.
fn machine(branch: &Branch, lang: Lang) -> String {
    if branch.guarded.is_empty() {
        return lang.pick("untouched", "未被改动").into();
    }
    let mut seen = BTreeSet::new();
    let all = branch.guarded.iter().map(|(call, harm, happened)| {
        let (name, what) = (call.syscall.name(), of_the_machine(harm, lang));
        match happened {
            true => lang.pick(format!("{name} changes its {what}"), format!("{name} 改动它的{what}")),
            false => lang.pick(format!("{name} refused: its {what}"), format!("{name} 被拒绝：它的{what}")),
        }
    });
    all.filter(|text| seen.insert(text.clone())).collect::<Vec<_>>().join(lang.pick(", ", "，"))
}

fn of_the_machine(harm: &Harm, lang: Lang) -> &'static str {
    match harm {
        Harm::Mounts | Harm::Propagation(_) => lang.pick("mounts", "挂载"),
        Harm::FileSystem(_) => lang.pick("file system", "文件系统"),
        Harm::HostName => lang.pick("host name", "主机名"),
        Harm::Network => lang.pick("network", "网络"),
        Harm::Clock => lang.pick("clock", "时钟"),
        Harm::Reboot => lang.pick("running", "运行"),
        Harm::Swap => lang.pick("swap", "交换空间"),
        Harm::Modules => lang.pick("kernel modules", "内核模块"),
        Harm::Group(_) => lang.pick("control groups", "控制组"),
        Harm::Process(..) | Harm::Processes(_) => lang.pick("processes", "进程"),
        Harm::Ipc(_) => lang.pick("IPC objects", "IPC 对象"),
    }
}

fn scorecard(samples: [&Sample; 2], lang: Lang) -> Vec<Row> {
    let cards = samples.map(|sample| sample.scorecard);
    let says = |yes: bool| lang.pick(if yes { "yes" } else { "no" }, if yes { "是" } else { "否" }).to_string();
    let values = [
        cards.map(|card| card.isolated),
        cards.map(|card| card.rooted),
        cards.map(|card| card.limited),
        cards.map(|card| card.entered),
    ];
    NAMES.iter().zip(values).map(|((_, en, zh), values)| Row::new(lang.pick(en, zh), values.map(says))).collect()
}

fn links(samples: [&Sample; 2], lang: Lang) -> Vec<Row> {
    let (new, hosts) = (lang.pick("new", "新的"), the_hosts(lang));
    let link = |sample: &Sample, kind: Kind| match (sample.namespaces.get(&kind), sample.host_namespaces.get(&kind)) {
        (Some(own), Some(host)) if own == host => hosts.clone(),
        (Some(_), Some(_)) => new.to_string(),
        _ => none(),
    };
    let children = |sample: &Sample| match sample.for_children {
        ForChildren::Inode(inode) if sample.host_namespaces.get(&Kind::Pid) == Some(&inode) => hosts.clone(),
        ForChildren::Inode(_) => new.to_string(),
        ForChildren::NotMade => lang.pick("not made yet", "尚未创建").to_string(),
        ForChildren::Unknown => none(),
    };
    let mut out = Vec::new();
    for kind in ORDER {
        out.push(Row::new(kind.row().link, samples.map(|sample| link(sample, kind))));
        if kind == Kind::Pid {
            out.push(Row::new("pid_for_children", samples.map(children)));
        }
    }
    out
}

fn the_hosts(lang: Lang) -> String {
    lang.pick("the host's", "宿主机的").into()
}

fn host_name(sample: &Sample, lang: Lang) -> String {
    match (&sample.inside.hostname, &sample.host.hostname) {
        (Some(inside), Some(host)) if inside != host => lang.pick("its own", "自己的").into(),
        (Some(_), Some(_)) => the_hosts(lang),
        _ => none(),
    }
}

/// The mounts at each point.
type Table<'a> = BTreeMap<String, Vec<&'a Mount>>;

/// The mounts of the container by their points, `$BOX` in the place of the session's name.
fn table(branch: &Branch) -> Table<'_> {
    let mut all = Table::new();
    for mount in &branch.sample.inside.mounts {
        all.entry(nameless(&mount.point, branch)).or_default().push(mount);
    }
    all
}

/// A text without the session's own name, which is another in each session.
fn nameless(text: &str, branch: &Branch) -> String {
    if branch.name.is_empty() { text.into() } else { text.replace(&branch.name, "$BOX") }
}

/// How many mounts there are, and each point at which they differ; points that differ alike share a row.
fn mounts(branches: [&Branch; 2], lang: Lang) -> Vec<Row> {
    let count = |branch: &Branch| branch.sample.inside.mounts.len().to_string();
    let mut out = vec![Row::new(lang.pick("mounts", "挂载数"), branches.map(count))];
    let [first, second] = branches.map(table);
    let points: BTreeSet<&String> = first.keys().chain(second.keys()).collect();
    let mut alike: Vec<([String; 2], Vec<&str>)> = Vec::new();
    for point in points {
        let values = at_point(first.get(point), second.get(point), lang);
        if values[0] == values[1] {
            continue;
        }
        match alike.iter_mut().find(|(known, _)| *known == values) {
            Some((_, points)) => points.push(point),
            None => alike.push((values, vec![point])),
        }
    }
    let named = alike.into_iter().map(|(values, points)| Row { what: places(&points, lang), values, differs: true });
    out.extend(named);
    out
}

/// What both branches have at one point. Where they differ only in the way in which a mount passes on, only that is said.
fn at_point(first: Option<&Vec<&Mount>>, second: Option<&Vec<&Mount>>, lang: Lang) -> [String; 2] {
    let passes_on = |mount: &Mount| match mount.propagation.as_str() {
        "" => lang.pick("private", "私有").to_string(),
        other => other.to_string(),
    };
    if let (Some([one]), Some([other])) = (first.map(Vec::as_slice), second.map(Vec::as_slice))
        && (&one.kind, one.read_only) == (&other.kind, other.read_only)
    {
        return [passes_on(one), passes_on(other)];
    }
    let says = |mount: &&Mount| {
        let read_only = if mount.read_only { lang.pick(", read-only", "，只读") } else { "" };
        format!("{} {}{read_only}", mount.kind, passes_on(mount))
    };
    let all = |mounts: &Vec<&Mount>| mounts.iter().map(says).collect::<Vec<_>>().join(" + ");
    [first, second].map(|mounts| mounts.map_or_else(none, all))
}

/// One point, or the first of several.
fn places(points: &[&str], lang: Lang) -> String {
    match points {
        [] => String::new(),
        [only] => (*only).into(),
        [first, rest @ ..] => {
            lang.pick(format!("{first} and {} more", rest.len()), format!("{first} 等 {} 处", rest.len() + 1))
        }
    }
}

fn limits(samples: [&Sample; 2], lang: Lang) -> Vec<Row> {
    let groups = samples.map(|sample| &sample.cgroup);
    let no_limit = || lang.pick("no limit", "没有限制").to_string();
    let cpu = groups.map(|group| match (group.cpu.quota_micros, group.cpu.period_micros) {
        (Some(quota), Some(period)) if period > 0 => format!("{} %", quota * 100 / period),
        _ => no_limit(),
    });
    let memory = groups.map(|group| group.memory.limit.map_or_else(no_limit, bytes));
    let pids = groups.map(|group| group.pids.max.map_or_else(no_limit, |most| most.to_string()));
    let mut out = vec![
        Row::new(lang.pick("CPU limit", "CPU 上限"), cpu),
        Row::new(lang.pick("memory limit", "内存上限"), memory),
        Row::new(lang.pick("processes, at most", "进程数上限"), pids),
    ];
    out.extend(Row::counted(lang.pick("times throttled", "被限流次数"), groups.map(|group| group.cpu.throttled)));
    out.extend(Row::counted(
        lang.pick("memory limit met", "碰到内存上限"),
        groups.map(|group| group.memory.limit_hits),
    ));
    out.extend(Row::counted(lang.pick("killed for memory", "因内存被杀"), groups.map(|group| group.memory.oom_kills)));
    out
}

/// Whether the container process has a PID namespace of its own.
fn has_own_pids(sample: &Sample) -> bool {
    let (own, host) = (sample.namespaces.get(&Kind::Pid), sample.host_namespaces.get(&Kind::Pid));
    own.is_some() && own != host
}

fn process(sample: &Sample, lang: Lang) -> String {
    let process = sample.processes.iter().find(|process| Some(process.pid) == sample.container);
    let Some(process) = process else { return none() };
    match process.nspid.last().filter(|_| has_own_pids(sample)) {
        Some(pid) => {
            lang.pick(format!("{}, PID {pid} inside", process.comm), format!("{}，里面是 {pid} 号", process.comm))
        }
        None => lang.pick(format!("{}, the host's PID", process.comm), format!("{}，用宿主机的 PID", process.comm)),
    }
}

/// The programs in its PID namespace, where that is its own.
fn beside(sample: &Sample, lang: Lang) -> String {
    if !has_own_pids(sample) {
        return lang.pick("all of the host's", "宿主机的全部").into();
    }
    let own = sample.namespaces.get(&Kind::Pid).copied();
    let mut names: Vec<&str> =
        sample.processes.iter().filter(|process| process.pid_ns == own).map(|process| process.comm.as_str()).collect();
    names.sort_unstable();
    names.join(" ")
}

#[cfg(test)]
#[path = "rows_tests.rs"]
mod tests;
