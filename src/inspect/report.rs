//! The facts of one sample as text for people: host and process side by side.

use super::network;
use crate::columns::align;
use crate::kernel::namespaces::{Kind, Namespace, TABLE};
use crate::kernel::owned::Mapped;
use crate::kernel::{silent, text::printable};
use crate::lang::Lang;
use crate::observe::{Beyond, Evidence, ForChildren, Mount, NAMES, Pressure, Sample, Side};

/// The whole report, without a newline at its end.
pub(super) fn report(sample: &Sample, evidence: &Evidence, beyond: &Beyond, lang: Lang) -> String {
    let mut out = vec![headline(sample, lang)];
    let mut section = |title: &str, lines: Vec<String>| {
        if !lines.is_empty() {
            out.push(format!("\n{title}"));
            out.extend(lines.into_iter().map(|line| format!("  {line}")));
        }
    };
    section(lang.pick("Unknown", "未知"), sample.silent.iter().map(|silent| silent::say(silent, lang)).collect());
    section(lang.pick("Scorecard", "记分卡：四种性质"), align(&scorecard(sample, evidence, lang)));
    section(lang.pick("Second row", "第二行：工具另外加上的"), align(&super::beyond::rows(sample, beyond, lang)));
    section(lang.pick("Namespaces", "命名空间"), align(&namespaces(sample, lang)));
    section(lang.pick("Answers", "内外所见"), align(&answers(sample, lang)));
    let networks = sample.networks.as_ref().map(|now| network::lines(now, None, lang)).unwrap_or_default();
    section(lang.pick("Network", "网络"), networks);
    section(lang.pick("Users", "用户"), align(&users(sample, lang)));
    section(lang.pick("Besides", "此外"), align(&besides(sample, lang)));
    section(lang.pick("Control group", "控制组"), align(&cgroup(sample, lang)));
    section(lang.pick("Processes", "进程"), align(&processes(sample, lang)));
    section(lang.pick("Mounts that the host does not have", "宿主机没有的挂载"), align(&own_mounts(sample)));
    out.join("\n")
}

fn headline(sample: &Sample, lang: Lang) -> String {
    let pid = sample.container.unwrap_or_default();
    let process = sample.processes.iter().find(|process| process.pid == pid);
    let comm = process.map(|process| printable(&process.comm)).unwrap_or_default();
    let inside = process.filter(|process| process.nspid.len() > 1).and_then(|process| process.nspid.last());
    let inside = inside.map(|inner| format!("{}{inner}", lang.pick(", inside it is PID ", "，容器内的 PID 是 ")));
    format!("{} {pid} ({comm}){}", lang.pick("Process", "进程"), inside.unwrap_or_default())
}

fn scorecard(sample: &Sample, evidence: &Evidence, lang: Lang) -> Vec<Vec<String>> {
    let card = sample.scorecard;
    let row = |yes: bool, name: &str, why: String| {
        vec![if yes { "[x]" } else { "[ ]" }.to_string(), name.to_string(), printable(&why)]
    };
    let name = |index: usize| NAMES.get(index).map_or("", |(_, en, zh)| lang.pick(*en, *zh));
    let kinds = |kinds: &[Kind]| kinds.iter().map(Kind::to_string).collect::<Vec<_>>().join(" ");
    let isolated = match evidence.shared.as_slice() {
        [] => lang.pick("pid, uts, mnt, ipc and net all differ", "pid、uts、mnt、ipc、net 都不同").to_string(),
        shared => format!("{}{}", lang.pick("still the host's: ", "仍是宿主机的："), kinds(shared)),
    };
    let root = match (&evidence.root, card.rooted) {
        (Some((theirs, host)), true) => {
            format!("/ = {theirs}{}{host}", lang.pick(", the host's is ", "，宿主机的是 "))
        }
        (Some((_, host)), false) => {
            format!("/ = {host}{}", lang.pick(", as on the host", "，与宿主机相同"))
        }
        (None, _) if sample.silent.is_some() => lang.pick("unknown", "未知").to_string(),
        (None, _) => evidence.root_mount.clone().unwrap_or_else(|| lang.pick("not readable", "读不到").into()),
    };
    let limit = evidence.limit.clone();
    let limit = limit.unwrap_or_else(|| {
        lang.pick(
            "no limit on CPU time, memory, PIDs, CPUs or disks",
            "CPU 时间、内存、进程数、CPU 和磁盘都没有单独的限制",
        )
        .into()
    });
    let entered = match evidence.entered {
        Some(pid) => format!("{} {pid}", lang.pick("came from outside: process", "从外面进入的进程：")),
        None => lang.pick("no process came from outside", "没有进程从外面进入").to_string(),
    };
    vec![
        row(card.isolated, name(0), isolated),
        row(card.rooted, name(1), root),
        row(card.limited, name(2), limit),
        row(card.entered, name(3), entered),
    ]
}

fn titles(lang: Lang) -> Vec<String> {
    vec![String::new(), lang.pick("host", "宿主机").into(), lang.pick("process", "进程").into()]
}

fn namespaces(sample: &Sample, lang: Lang) -> Vec<Vec<String>> {
    let number = |inode: Option<&u64>| inode.map_or("-".to_string(), u64::to_string);
    let mut rows = vec![titles(lang)];
    for row in &TABLE {
        let (host, theirs) = (sample.host_namespaces.get(&row.kind), sample.namespaces.get(&row.kind));
        let same = host == theirs && host.is_some();
        let theirs = if same { "=".to_string() } else { number(theirs) };
        rows.push(vec![row.link.into(), number(host), theirs]);
    }
    let for_children = match sample.for_children {
        ForChildren::Inode(inode) if sample.host_namespaces.get(&Kind::Pid) == Some(&inode) => "=".to_string(),
        ForChildren::Inode(inode) => inode.to_string(),
        ForChildren::NotMade => lang.pick("not made yet", "尚未创建").into(),
        ForChildren::Unknown => "-".into(),
    };
    rows.push(vec!["pid_for_children".into(), number(sample.host_namespaces.get(&Kind::Pid)), for_children]);
    rows
}

fn answers(sample: &Sample, lang: Lang) -> Vec<Vec<String>> {
    let list = |items: Vec<String>| if items.is_empty() { "-".to_string() } else { printable(&items.join(" ")) };
    let interfaces = |side: &Side| {
        let state = |up: bool| if up { "UP" } else { "DOWN" };
        list(side.interfaces.iter().map(|interface| format!("{}:{}", interface.name, state(interface.up))).collect())
    };
    let proc = |side: &Side| {
        let text = match side.proc_shows_host {
            Some(true) => lang.pick("the host's processes", "宿主机的进程"),
            Some(false) => lang.pick("its own processes", "自己的进程"),
            None if sample.silent.is_some() => lang.pick("unknown", "未知"),
            None => lang.pick("no /proc", "没有 /proc"),
        };
        text.to_string()
    };
    let row = |name: &str, answer: &dyn Fn(&Side) -> String| {
        vec![name.to_string(), answer(&sample.host), answer(&sample.inside)]
    };
    vec![
        titles(lang),
        row(lang.pick("host name", "主机名"), &|side| list(side.hostname.iter().cloned().collect())),
        row(lang.pick("interfaces", "网络接口"), &interfaces),
        row(lang.pick("listening", "监听端口"), &|side| list(side.listening.iter().map(u16::to_string).collect())),
        row("System V", &|side| list(side.sysv.clone())),
        row(lang.pick("mounts", "挂载数"), &|side| match side.hidden_mounts {
            Some(hidden) if hidden > 0 => {
                format!("{} ({hidden} {})", side.mounts.len(), lang.pick("more out of sight", "个看不到"))
            }
            _ => side.mounts.len().to_string(),
        }),
        row(lang.pick("/proc shows", "/proc 显示"), &proc),
    ]
}

/// Who the process is on both sides, and who owns its namespaces.
fn users(sample: &Sample, lang: Lang) -> Vec<Vec<String>> {
    let users = &sample.users;
    let id = |id: Option<u32>| id.map_or("-".to_string(), |id| id.to_string());
    let none = |lang: Lang| lang.pick("no map yet", "尚无映射").to_string();
    let map = |lines: &Option<Vec<Mapped>>| match lines.as_deref() {
        None => "-".to_string(),
        Some([]) => none(lang),
        Some(lines) => {
            let one = |line: &Mapped| format!("{} {} {}", line.inside, line.outside, line.count);
            lines.iter().map(one).collect::<Vec<_>>().join(", ")
        }
    };
    let user = sample.namespaces.get(&Kind::User);
    let is_own = user.is_some() && user != sample.host_namespaces.get(&Kind::User);
    let owned = |own: bool| {
        let of = |row: &&Namespace| {
            let owner = users.owners.get(&row.kind).map(|owner| owner.user);
            row.kind != Kind::User && owner.is_some_and(|owner| (is_own && Some(&owner) == user) == own)
        };
        let names: Vec<&str> = TABLE.iter().filter(of).map(|row| row.link).collect();
        if names.is_empty() { "-".to_string() } else { names.join(" ") }
    };
    let row = |name: &str, outside: String, inside: String| vec![name.to_string(), outside, inside];
    let setgroups = users.setgroups.map_or("-", |allow| if allow { "allow" } else { "deny" });
    vec![
        vec![String::new(), lang.pick("outside", "外面").into(), lang.pick("inside", "里面").into()],
        row(lang.pick("user", "用户"), id(users.uid), id(users.uid_inside())),
        row(lang.pick("group", "组"), id(users.gid), id(users.gid_inside())),
        row("uid_map", map(&users.uid_map), String::new()),
        row("gid_map", map(&users.gid_map), String::new()),
        row("setgroups", setgroups.into(), String::new()),
        row(lang.pick("its own", "属于自己"), owned(true), String::new()),
        row(lang.pick("the host's", "属于宿主机"), owned(false), String::new()),
    ]
}

/// What runtimes add to the four properties.
fn besides(sample: &Sample, lang: Lang) -> Vec<Vec<String>> {
    let open = || "-".to_string();
    let yes = |yes: bool| lang.pick(if yes { "yes" } else { "no" }, if yes { "是" } else { "否" }).to_string();
    let count = |mask: Option<u64>| mask.map_or_else(open, |mask| mask.count_ones().to_string());
    let (host, process) = (&sample.host_privileges, &sample.privileges);
    let row = |name: &str, host: String, process: String| vec![name.to_string(), host, process];
    let flag = |flag: Option<bool>| flag.map_or_else(open, yes);
    vec![
        titles(lang),
        row(lang.pick("capabilities", "能力（capability）数"), count(host.capabilities), count(process.capabilities)),
        row(lang.pick("no new privileges", "不再获得特权"), flag(host.no_new_privs), flag(process.no_new_privs)),
        row(lang.pick("system calls filtered", "系统调用过滤"), flag(host.seccomp), flag(process.seccomp)),
        row(lang.pick("mounts over /proc", "/proc 上的覆盖挂载"), over_proc(&sample.host), over_proc(&sample.inside)),
    ]
}

/// How many mounts hide or protect a part of `/proc`.
fn over_proc(side: &Side) -> String {
    side.mounts.iter().filter(|mount| mount.point.starts_with("/proc/")).count().to_string()
}

fn cgroup(sample: &Sample, lang: Lang) -> Vec<Vec<String>> {
    let group = &sample.cgroup;
    let path = |controller: &str| {
        let path = group.paths.get(controller).or_else(|| group.paths.get(""));
        path.map_or("-".to_string(), |path| printable(path))
    };
    let count = |value: Option<u64>| value.map_or("-".to_string(), |value| value.to_string());
    let most =
        |value: Option<u64>| value.map_or(lang.pick("no limit", "不限").to_string(), |value| value.to_string());
    let cpu = format!(
        "{} {} µs  {} {}/{} µs  {} {}/{}, {} µs{}",
        lang.pick("used", "已用"),
        count(group.cpu.usage_micros),
        lang.pick("quota", "配额"),
        most(group.cpu.quota_micros),
        count(group.cpu.period_micros),
        lang.pick("throttled", "被限流"),
        count(group.cpu.throttled),
        count(group.cpu.periods),
        count(group.cpu.throttled_micros),
        pressure(group.cpu.pressure, lang),
    );
    let memory = format!(
        "{} {}  {} {}  {} {}/{}  {} {}  {} {}  {} {}  {} {}{}",
        lang.pick("bytes", "用量"),
        count(group.memory.current),
        lang.pick("limit", "上限"),
        most(group.memory.limit),
        lang.pick("with swap", "含交换"),
        count(group.memory.current_with_swap),
        most(group.memory.with_swap),
        lang.pick("peak", "峰值"),
        count(group.memory.peak),
        lang.pick("limit met", "触及上限"),
        count(group.memory.limit_hits),
        "OOM",
        count(group.memory.ooms),
        lang.pick("OOM kills", "OOM 杀死"),
        count(group.memory.oom_kills),
        pressure(group.memory.pressure, lang),
    );
    let pids = match group.pids.current {
        None => "-".to_string(),
        Some(now) => format!("{now} {} {}", lang.pick("of", "/"), most(group.pids.max)),
    };
    let mut rows = vec![
        vec!["cpu".into(), path("cpu"), cpu],
        vec!["memory".into(), path("memory"), memory],
        vec!["pids".into(), path("pids"), pids],
    ];
    if group.io.pressure.is_some() {
        rows.push(vec!["io".into(), path("io"), pressure(group.io.pressure, lang).trim_start().into()]);
    }
    rows
}

/// The share of the last ten seconds in which some processes, or all of them, waited; nothing where the kernel does not
/// say it.
fn pressure(pressure: Option<Pressure>, lang: Lang) -> String {
    let Some(Pressure { some, full }) = pressure else { return String::new() };
    let full = full.map_or(String::new(), |full| format!(" {} {full:.2} %", lang.pick("all", "全部停滞")));
    format!("  {} {some:.2} %{full}", lang.pick("waiting: some", "PSI（10 秒平均）：部分停滞"))
}

fn processes(sample: &Sample, lang: Lang) -> Vec<Vec<String>> {
    let mut rows = vec![
        [
            lang.pick("host", "宿主机"),
            lang.pick("inside", "里面"),
            lang.pick("state", "状态"),
            lang.pick("program", "程序"),
        ]
        .map(String::from)
        .to_vec(),
    ];
    let mut depths = std::collections::BTreeMap::new();
    for process in &sample.processes {
        let depth = depths.get(&process.ppid).map_or(0, |depth| depth + 1);
        depths.insert(process.pid, depth);
        let inside = process.nspid.last().filter(|_| process.nspid.len() > 1);
        rows.push(vec![
            process.pid.to_string(),
            inside.map_or("-".into(), i32::to_string),
            process.state.to_string(),
            format!("{}{}", "  ".repeat(depth), printable(&process.comm)),
        ]);
    }
    rows
}

fn own_mounts(sample: &Sample) -> Vec<Vec<String>> {
    let key = |mount: &Mount| (mount.point.clone(), mount.kind.clone(), mount.root.clone(), mount.source.clone());
    let mut host: Vec<_> = sample.host.mounts.iter().map(key).collect();
    // Each of the host's mounts accounts for one of the process's: a second /proc on top of the first is news.
    let mut is_own = |mount: &&Mount| match host.iter().position(|known| *known == key(mount)) {
        Some(at) => {
            host.swap_remove(at);
            false
        }
        None => true,
    };
    let own = sample.inside.mounts.iter().filter(|mount| is_own(mount));
    let row = |mount: &Mount| {
        [&mount.point, &mount.kind, &mount.source, &mount.propagation].map(|text| printable(text)).to_vec()
    };
    own.map(row).collect()
}
