//! What each pane of the drawn screen shows, as sentences.

use super::{besides, flat, lines, row, scorecard};
use crate::{
    app::{Pane, Play, State},
    columns::seconds,
    kernel::{namespaces::Kind, pid::Pid, silent},
    lang::Lang,
    observe::{Cgroup, ForChildren, Mount, Pressure, Sample},
    ui::{cgroup, comparison, meaning, mounts, namespaces, network, processes, sheet::Follow, source, users},
};
use std::collections::BTreeSet;

/// How many of the newest calls are told.
const CALLS: usize = 10;
/// How many lines of source are told: before the line that makes the call, and after it.
const SOURCE: (usize, usize) = (3, 9);
/// What is wide enough for every line of source.
const WIDE: usize = 400;

/// What a lesson calls each pane, and the word after the command `w` that tells what it shows.
const NAMES: [(Pane, &str); 9] = [
    (Pane::Calls, "calls"),
    (Pane::Namespaces, "namespaces"),
    (Pane::Processes, "processes"),
    (Pane::Sides, "sides"),
    (Pane::Mounts, "mounts"),
    (Pane::Cgroup, "cgroup"),
    (Pane::Source, "source"),
    (Pane::Users, "users"),
    (Pane::Network, "network"),
];

/// Puts the command of a pane behind its name, the first time that a text speaks of it.
pub(super) fn with_commands(text: &str, lang: Lang) -> String {
    let mut text = text.to_string();
    for (pane, word) in NAMES {
        let (en, zh) = pane.label();
        let name = lang.pick(format!("{en} pane"), format!("{zh}窗格"));
        // A name of Latin letters stands apart from Chinese.
        let spaced = lang.pick(name.clone(), format!("{zh} 窗格"));
        for name in [name, spaced] {
            let command = lang.pick(format!("{name} (`w {word}`)"), format!("{name}（`w {word}`）"));
            if !text.contains(&command) {
                text = text.replacen(&name, &command, 1);
            }
        }
    }
    text
}

/// The panes whose name begins so, in any of both languages.
fn find(word: &str) -> Vec<(Pane, &'static str)> {
    let word = word.to_lowercase();
    let fits = |(pane, name): &(Pane, &str)| {
        let (en, zh) = pane.label();
        [*name, en, zh].iter().any(|name| name.to_lowercase().starts_with(&word))
    };
    NAMES.into_iter().filter(fits).collect()
}

/// The shortest beginning of a name that no other pane has.
fn unique(name: &str) -> &str {
    let mut beginnings = (1..=name.len()).filter_map(|letters| name.get(..letters));
    beginnings.find(|word| find(word).len() == 1).unwrap_or(name)
}

/// Whether this begins the name of the pane of network namespaces, and of no other.
pub(crate) fn is_network(word: &str) -> bool {
    matches!(find(word).as_slice(), [(Pane::Network, _)])
}

/// What the pane of this name shows now.
pub(crate) fn pane(state: &State, play: &Play, word: &str) -> Vec<String> {
    let lang = state.lang;
    let names = |list: &[(Pane, &str)]| list.iter().map(|(_, name)| *name).collect::<Vec<_>>().join(", ");
    let sample = play.sample.as_deref();
    let unread = || vec![lang.pick("Nothing was read yet.", "尚未读到任何状态。").to_string()];
    match find(word).as_slice() {
        [] => vec![lang.pick(
            format!("No pane is called `{word}`. There are: {}.", names(&NAMES)),
            format!("没有叫 `{word}` 的窗格。可以写：{}。", names(&NAMES)),
        )],
        [(Pane::Calls, _)] => calls(play, lang),
        [(Pane::Source, _)] => code(state, play),
        [(pane, _)] => match (sample, pane) {
            (None, _) => unread(),
            (Some(now), Pane::Namespaces) => links(play, now, lang),
            (Some(now), Pane::Processes) => tree(play, now, lang),
            (Some(now), Pane::Sides) => both(now, lang),
            (Some(now), Pane::Mounts) => mounted(now, lang),
            (Some(now), Pane::Users) => who(play, now, lang),
            (Some(now), Pane::Network) => network::plain(state, play, now),
            (Some(now), _) => group(play, &now.cgroup, lang),
        },
        several => {
            let beginning = |(_, name): &(Pane, &str)| {
                lang.pick(format!("`w {}` ({name})", unique(name)), format!("`w {}`（{name}）", unique(name)))
            };
            let shortest: Vec<String> = several.iter().map(beginning).collect();
            let list = shortest.join(lang.pick(", ", "、"));
            vec![lang.pick(
                format!("`w {word}` may be one of {}: {list}.", several.len()),
                format!("`w {word}` 有 {} 种可能：{list}。", several.len()),
            )]
        }
    }
}

/// What the kernel says of the container now, in short.
pub(crate) fn now(state: &State, play: &Play) -> Vec<String> {
    let lang = state.lang;
    let mut out = pane(state, play, "namespaces");
    out.extend(pane(state, play, "processes"));
    out.extend(scorecard(state, play));
    out.extend(besides(state, play));
    out.push(
        lang.pick(
            "More: w calls, w comparison, w mounts, w cgroup, w users, w network, w source.",
            "还有：w calls（系统调用）、w sides（内外对比）、w mounts（挂载）、w cgroup、w users（用户）、w network（网络）、w source（源码）。",
        )
        .into(),
    );
    out
}

/// The namespace links: those that differ one by one, all others together.
fn links(play: &Play, now: &Sample, lang: Lang) -> Vec<String> {
    let Some(pid) = now.container else {
        return vec![lang.pick("There is no container process.", "还没有容器进程。").into()];
    };
    let before = play.before.as_deref().unwrap_or(now);
    let held = play.session.held().first().map(|(_, call)| call).filter(|call| call.pid == pid);
    let next = held.map_or_else(Vec::new, meaning::links);
    let will = |link: &str| if next.contains(&link) { lang.pick(", will change now", "，即将改变") } else { "" };
    let mut out = vec![lang.pick(
        format!("Namespaces of process {pid}, compared with the host:"),
        format!("进程 {pid} 的命名空间，与宿主机比较："),
    )];
    let mut same = Vec::new();
    for kind in namespaces::ORDER {
        let (host, own) = (now.host_namespaces.get(&kind), now.namespaces.get(&kind));
        let changed = own.is_some() && before.namespaces.get(&kind).is_some_and(|before| Some(before) != own);
        let sign = if changed { lang.pick(", changed just now", "，刚刚改变") } else { "" };
        let link = kind.row().link;
        match own {
            Some(_) if own == host && !changed && !next.contains(&link) => same.push(link),
            Some(_) if own == host => {
                out.push(format!("  {link}{}{sign}{}", lang.pick(": the host's", "：与宿主机相同"), will(link)));
            }
            Some(inode) => {
                out.push(format!("  {link}{}{inode}{sign}{}", lang.pick(": its own, ", "：自己的，"), will(link)))
            }
            None => out.push(format!("  {link}{}", lang.pick(": cannot be read", "：读不到"))),
        }
        if kind == Kind::Pid
            && let Some(text) = children(now, before, lang)
        {
            out.push(format!("  {}{text}{}", meaning::CHILDREN, will(meaning::CHILDREN)));
        } else if kind == Kind::Pid && next.contains(&meaning::CHILDREN) {
            let text = lang.pick(": the host's", "：与宿主机相同");
            out.push(format!("  {}{text}{}", meaning::CHILDREN, will(meaning::CHILDREN)));
        }
    }
    if !same.is_empty() {
        let same = same.join(lang.pick(", ", "、"));
        out.push(lang.pick(format!("  the host's: {same}"), format!("  与宿主机相同：{same}")));
    }
    out
}

/// The link for children, where it is not the process's own PID namespace.
fn children(now: &Sample, before: &Sample, lang: Lang) -> Option<String> {
    let changed = match before.for_children != now.for_children {
        true => lang.pick(", changed just now", "，刚刚改变"),
        false => "",
    };
    match now.for_children {
        ForChildren::Inode(inode) if now.namespaces.get(&Kind::Pid) != Some(&inode) => {
            Some(format!("{}{inode}{changed}", lang.pick(": ", "：")))
        }
        ForChildren::NotMade => Some(format!(
            "{}{changed}",
            lang.pick(": not made yet, the next fork makes it", "：尚未创建，下一次 fork 时创建")
        )),
        _ => None,
    }
}

/// Each process with both PIDs and its parent.
fn tree(play: &Play, now: &Sample, lang: Lang) -> Vec<String> {
    if now.processes.is_empty() {
        return vec![lang.pick("There is no process yet.", "还没有进程。").into()];
    }
    let known: BTreeSet<Pid> =
        play.before.iter().flat_map(|sample| sample.processes.iter().map(|process| process.pid)).collect();
    let shown: BTreeSet<Pid> = now.processes.iter().map(|process| process.pid).collect();
    let row = |process: &crate::observe::Process| {
        let mut text = format!("  {} {}", process.pid, process.comm);
        if let Some(inside) = processes::inside(process, now) {
            text += &lang.pick(format!(", PID {inside} inside"), format!("，容器内 PID {inside}"));
        }
        if shown.contains(&process.ppid) {
            text += &lang.pick(format!(", child of {}", process.ppid), format!("，{} 的子进程", process.ppid));
        }
        if process.state == 'Z' {
            text += lang.pick(", ended", "，已结束");
        }
        if play.session.held().iter().any(|(_, call)| call.pid == process.pid) {
            text += lang.pick(", held before a call", "，暂停在调用之前");
        }
        if !known.is_empty() && !known.contains(&process.pid) {
            text += lang.pick(", new", "，新的");
        }
        text
    };
    let head = lang.pick("Processes, with their PIDs on the host:", "进程，前面是宿主机上的 PID：");
    std::iter::once(head.to_string()).chain(now.processes.iter().map(row)).collect()
}

fn both(now: &Sample, lang: Lang) -> Vec<String> {
    let silent = now.silent.iter().map(|place| silent::say(place, lang));
    let row = |(question, _): &comparison::Question| {
        let ((en, zh), (host, inside)) = (question, comparison::answers(question, now, lang));
        lang.pick(format!("{en}: on the host {host}; inside {inside}"), format!("{zh}：宿主机 {host}；容器内 {inside}"))
    };
    silent.chain(comparison::QUESTIONS.iter().map(row)).collect()
}

/// Who the container process is; what has just changed is named.
fn who(play: &Play, now: &Sample, lang: Lang) -> Vec<String> {
    let before = play.before.as_deref().unwrap_or(now);
    let row = |((en, zh), answer): &users::Question| {
        let (now, before) = (answer(now, lang), answer(before, lang));
        let text = match &now {
            users::Answer::One(text) => lang.pick(format!("{en}: {text}"), format!("{zh}：{text}")),
            users::Answer::Both(outside, inside) => lang.pick(
                format!("{en}: outside {outside}; inside {inside}"),
                format!("{zh}：外面 {outside}；里面 {inside}"),
            ),
        };
        let sign = if now == before { "" } else { lang.pick(", changed just now", "，刚刚改变") };
        format!("{text}{sign}")
    };
    users::QUESTIONS.iter().map(row).collect()
}

fn mounted(now: &Sample, lang: Lang) -> Vec<String> {
    if now.namespaces.get(&Kind::Mnt) == now.host_namespaces.get(&Kind::Mnt) {
        let text = lang.pick(
            "The mount table is the host's own: every mount made here would be the host's too.",
            "挂载表就是宿主机的：在这里挂载，宿主机上也会看到。",
        );
        return vec![text.into()];
    }
    let own = mounts::beyond(&now.inside.mounts, &now.host.mounts);
    let hidden = now.inside.hidden_mounts.filter(|hidden| *hidden > 0);
    let gone = if hidden.is_some() { Vec::new() } else { mounts::beyond(&now.host.mounts, &now.inside.mounts) };
    let shared = now.inside.mounts.len() - own.len();
    let mut out = vec![lang.pick(
        format!("{shared} mounts as on the host, {} of its own, {} only on the host.", own.len(), gone.len()),
        format!("与宿主机相同 {shared} 个，自有 {} 个，宿主机独有 {} 个。", own.len(), gone.len()),
    )];
    if let Some(hidden) = hidden {
        out.push(lang.pick(
            format!("{hidden} more are mounted in its namespace, but out of sight: its root is not the namespace's."),
            format!("它的命名空间里还挂载着 {hidden} 个，只是看不到：它的根目录不是这个命名空间的根。"),
        ));
    }
    let row = |head: &str, mount: &Mount| format!("  {head} {}, {}, {}", mount.point, mount.kind, mount.propagation);
    out.extend(own.into_iter().map(|mount| row(lang.pick("its own:", "自有："), mount)));
    out.extend(gone.into_iter().map(|mount| row(lang.pick("only on the host:", "宿主机独有："), mount)));
    out
}

/// Where the process is counted, what it uses, what it may use.
fn group(play: &Play, now: &Cgroup, lang: Lang) -> Vec<String> {
    let limit = |text: Option<String>| text.unwrap_or_else(|| lang.pick("none", "不限").into());
    let uncounted = || lang.pick("not counted for this group", "这个组不计数").to_string();
    let mut out: Vec<String> = cgroup::paths(now)
        .into_iter()
        .map(|(path, names)| lang.pick(format!("Group {path}, of: {names}"), format!("组 {path}，控制器：{names}")))
        .collect();
    let used = match (play.history.percent().last(), now.cpu.usage_micros) {
        (Some(percent), _) => format!("{percent:.1} %"),
        (None, Some(micros)) => lang.pick(format!("used {}", seconds(micros)), format!("已用 {}", seconds(micros))),
        (None, None) => uncounted(),
    };
    let most = limit(cgroup::quota(now).map(|(_, text)| text));
    let mut cpu = lang.pick(format!("CPU: {used}; limit {most}"), format!("CPU：{used}；上限 {most}"));
    if let (Some(periods), Some(throttled)) = (now.cpu.periods, now.cpu.throttled)
        && periods > 0
    {
        cpu += &lang.pick(
            format!("; throttled in {throttled} of {periods} periods"),
            format!("；{periods} 个周期里限流 {throttled} 次"),
        );
    }
    out.push(cpu);
    out.push(memory(now, lang, limit, uncounted));
    let count = now.pids.current.map_or_else(uncounted, |count| count.to_string());
    let most = limit(now.pids.max.map(|count| count.to_string()));
    out.push(lang.pick(format!("Processes: {count}; limit {most}"), format!("进程数：{count}；上限 {most}")));
    out.extend(pressure(now, lang));
    out
}

fn memory(
    now: &Cgroup,
    lang: Lang,
    limit: impl Fn(Option<String>) -> String,
    uncounted: impl Fn() -> String,
) -> String {
    let memory = &now.memory;
    let Some(current) = memory.current else {
        return format!("{}{}", lang.pick("Memory: ", "内存："), uncounted());
    };
    let (used, most) = (cgroup::mib(current), limit(memory.limit.map(cgroup::mib)));
    let mut text = lang.pick(format!("Memory: {used}; limit {most}"), format!("内存：{used}；上限 {most}"));
    let mut add = |en: &str, zh: &str, value: Option<String>| {
        if let Some(value) = value {
            text += &lang.pick(format!("; {en} {value}"), format!("；{zh} {value}"));
        }
    };
    let counted = |count: Option<u64>| count.filter(|count| *count > 0).map(|count| count.to_string());
    add("peak", "峰值", memory.peak.map(cgroup::mib));
    add("in swap", "交换空间里", memory.swapped().filter(|bytes| *bytes > 0).map(cgroup::mib));
    add("limit with swap", "含交换的上限", memory.with_swap.map(cgroup::mib));
    add("limit met", "触及上限", counted(memory.limit_hits));
    add("OOM", "OOM", counted(memory.ooms));
    add("OOM kills", "OOM 杀死", counted(memory.oom_kills));
    text
}

fn pressure(now: &Cgroup, lang: Lang) -> Option<String> {
    let told =
        [("CPU", "CPU", now.cpu.pressure), ("memory", "内存", now.memory.pressure), ("disks", "磁盘", now.io.pressure)];
    let words = told.into_iter().filter_map(|(en, zh, pressure)| {
        let Pressure { some, full } = pressure?;
        let full =
            full.map_or(String::new(), |full| lang.pick(format!(", all {full:.0} %"), format!("，全部 {full:.0} %")));
        Some(lang.pick(format!("{en}: some {some:.0} %{full}"), format!("{zh}：部分 {some:.0} %{full}")))
    });
    let words: Vec<String> = words.collect();
    (!words.is_empty()).then(|| {
        let words = words.join(lang.pick("; ", "；"));
        lang.pick(format!("Waiting, of 10 seconds (PSI). {words}"), format!("停滞时间，10 秒平均（PSI）。{words}"))
    })
}

fn calls(play: &Play, lang: Lang) -> Vec<String> {
    let rows: Vec<String> = play.calls.rows().map(|call| row(call, false, lang)).collect();
    if rows.is_empty() {
        return vec![lang.pick("No system call in this step yet.", "这一步还没有系统调用。").into()];
    }
    rows.get(rows.len().saturating_sub(CALLS)..).unwrap_or_default().to_vec()
}

/// The lines around the one that makes the current call.
fn code(state: &State, play: &Play) -> Vec<String> {
    let sheet = source::sheet(state, play, WIDE);
    let (before, after) = SOURCE;
    let from = match sheet.follow {
        Follow::Around(line) => line.saturating_sub(before),
        _ => 0,
    };
    let mut out: Vec<String> = lines(&sheet).into_iter().skip(from.max(1)).take(before + after).collect();
    if let Some(file) = sheet.lines.first() {
        out.insert(0, flat(file));
    }
    out
}
