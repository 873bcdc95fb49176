//! The cgroup of the container process: where it is, what it uses, what it may use.

use super::{
    chart, marks,
    sheet::Sheet,
    text::{Pieces, Rich, hang, line, pad},
    theme::Role,
};
use crate::{
    app::{Play, State},
    columns::seconds,
    lang::Lang,
    observe::{Cgroup, Pressure, Sample},
};
use std::collections::BTreeMap;

/// The columns of the names on the left.
const NAME: usize = 9;
/// The columns of a bar.
const BAR: usize = 20;

/// A chart has so many rows at least and at most.
const CHART: (usize, usize) = (3, 10);

/// Lays out paths, use and limits; the chart has the rows that are left.
pub(super) fn sheet(state: &State, play: &Play, columns: usize, rows: usize) -> Sheet {
    let mut sheet = Sheet::default();
    let lang = state.lang;
    let Some(sample) = play.sample.as_deref() else {
        sheet.line(line(lang.pick("Nothing was read yet.", "尚未读到任何状态。"), Role::Quiet));
        return sheet;
    };
    let before = play.before.as_deref().unwrap_or(sample);
    let cgroup = &sample.cgroup;
    for (number, (path, controllers)) in paths(cgroup).into_iter().enumerate() {
        let name = if number == 0 { lang.pick("Group", "组") } else { "" };
        let moved = !paths(&before.cgroup).iter().any(|(old, _)| *old == path);
        let role = if moved { Role::Changed } else { Role::Container };
        let mut rich = Rich::default().with(&path, role);
        if moved {
            rich.push(&format!(" {}", marks::CHANGED), Role::Changed);
        }
        rich.push(&format!("  {controllers}"), Role::Quiet);
        sheet.add(hang(&[(pad(name, NAME), Role::Strong)], &rich, columns));
    }
    cpu(state, play, cgroup, &before.cgroup, columns, &mut sheet);
    let chart = sheet.lines.len();
    sheet.add(memory(sample, before, lang, columns));
    sheet.add(pids(cgroup, &before.cgroup, lang, columns));
    sheet.add(pressure(cgroup, lang, columns));
    let used: Vec<f64> = play.history.percent().collect();
    if !used.is_empty() {
        let rows = rows.saturating_sub(sheet.lines.len()).clamp(CHART.0, CHART.1);
        let limit = quota(cgroup).map(|(percent, _)| percent);
        sheet.lines.splice(chart..chart, chart::lines(&used, limit, columns, NAME, rows));
    }
    sheet
}

/// Controllers that share a path share a line.
pub(super) fn paths(cgroup: &Cgroup) -> Vec<(String, String)> {
    let mut by_path: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (controller, path) in &cgroup.paths {
        by_path.entry(path).or_default().push(if controller.is_empty() { "v2" } else { controller });
    }
    by_path.into_iter().map(|(path, names)| (path.to_string(), names.join(" "))).collect()
}

/// What a limit says, and whether the last command changed it.
fn limit(text: Option<String>, before: Option<String>, lang: Lang) -> (String, Role) {
    let changed = text != before;
    let sign = if changed { format!(" {}", marks::CHANGED) } else { String::new() };
    match text {
        Some(text) => (format!("{text}{sign}"), if changed { Role::Changed } else { Role::Limit }),
        None => (format!("{}{sign}", lang.pick("no limit", "不限")), if changed { Role::Changed } else { Role::Quiet }),
    }
}

/// The CPU limit in percent of one CPU, and as the kernel has it.
pub(super) fn quota(cgroup: &Cgroup) -> Option<(f64, String)> {
    let (quota, period) = cgroup.cpu.quota_micros.zip(cgroup.cpu.period_micros).filter(|(_, period)| *period > 0)?;
    let percent = quota as f64 * 100.0 / period as f64;
    Some((percent, format!("{percent:.0} % ({quota}/{period} us)")))
}

fn cpu(state: &State, play: &Play, cgroup: &Cgroup, before: &Cgroup, columns: usize, sheet: &mut Sheet) {
    let lang = state.lang;
    let cap = quota(cgroup);
    let used: Vec<f64> = play.history.percent().collect();
    let mut text = Rich::default();
    match (used.last(), cgroup.cpu.usage_micros) {
        (Some(percent), _) => text.push(&format!("{percent:.1} %"), Role::Strong),
        (None, Some(micros)) => text.push(&format!("{} {}", lang.pick("used", "已用"), seconds(micros)), Role::Plain),
        (None, None) => text.push(lang.pick("not counted for this group", "这个组不计数"), Role::Quiet),
    }
    let (words, role) = limit(cap.as_ref().map(|(_, text)| text.clone()), quota(before).map(|(_, text)| text), lang);
    text.push(&format!("  {} ", lang.pick("limit", "上限")), Role::Quiet);
    text.push(&words, role);
    if let (Some(periods), Some(throttled)) = (cgroup.cpu.periods, cgroup.cpu.throttled)
        && periods > 0
    {
        let more = throttled > before.cpu.throttled.unwrap_or(0) && cgroup.paths == before.paths;
        let role = if more { Role::Changed } else { Role::Plain };
        text.push(&format!("  {} {throttled}/{periods}", lang.pick("throttled", "限流")), role);
        if let Some(micros) = cgroup.cpu.throttled_micros {
            text.push(&format!(" {}", seconds(micros)), role);
        }
    }
    sheet.add(hang(&[(pad("CPU", NAME), Role::Strong)], &text, columns));
    let group = play.sample.as_deref().map(|sample| &sample.group.values.paths);
    if let Some(share) = play.session.share().filter(|share| share.waited >= 5.0 && group == Some(&cgroup.paths)) {
        let waited = lang.pick(
            format!("{:.0} % of the last 3 s for others: the CPUs are busy", share.waited),
            format!("最近 3 秒有 {:.0} % 在等别的进程：CPU 很忙", share.waited),
        );
        let name = pad(lang.pick("Waited", "等待"), NAME);
        sheet.add(hang(&[(name, Role::Strong)], &Rich::default().with(&waited, Role::Changed), columns));
    }
}

fn memory(sample: &Sample, before: &Sample, lang: Lang, columns: usize) -> Vec<Pieces> {
    let (memory, old) = (&sample.cgroup.memory, &before.cgroup.memory);
    let mut text = Rich::default();
    let Some(current) = memory.current else {
        text.push(lang.pick("not counted for this group", "这个组不计数"), Role::Quiet);
        return hang(&[(pad(lang.pick("Memory", "内存"), NAME), Role::Strong)], &text, columns);
    };
    let mut first = vec![(pad(lang.pick("Memory", "内存"), NAME), Role::Strong)];
    if let Some(most) = memory.limit
        && columns > 60
    {
        first.extend(chart::bar(current as f64 / most.max(1) as f64, BAR));
        first.push(("  ".into(), Role::Plain));
    }
    let (words, role) = limit(memory.limit.map(mib), old.limit.map(mib), lang);
    text.push(&mib(current), Role::Strong);
    text.push(&format!("  {} ", lang.pick("limit", "上限")), Role::Quiet);
    text.push(&words, role);
    if let Some(peak) = memory.peak {
        text.push(&format!("  {} {}", lang.pick("peak", "峰值"), mib(peak)), Role::Plain);
    }
    if memory.with_swap.is_some() || memory.swapped() > Some(0) {
        text.push(&format!("  {} ", lang.pick("with swap", "含交换")), Role::Quiet);
        if let Some(now) = memory.current_with_swap {
            text.push(&format!("{} / ", mib(now)), Role::Plain);
        }
        let (words, role) = limit(memory.with_swap.map(mib), old.with_swap.map(mib), lang);
        text.push(&words, role);
    }
    for (count, before, name) in [
        (memory.limit_hits, old.limit_hits, lang.pick("limit met", "触及上限")),
        (memory.ooms, old.ooms, lang.pick("OOM", "OOM")),
    ] {
        if let Some(count) = count.filter(|count| *count > 0) {
            let role = if count > before.unwrap_or(0) { Role::Changed } else { Role::Plain };
            text.push(&format!("  {name} {count}"), role);
        }
    }
    if let Some(kills) = memory.oom_kills.filter(|kills| *kills > 0) {
        let new = kills > old.oom_kills.unwrap_or(0);
        let sign = if new { format!(" {}", marks::CHANGED) } else { String::new() };
        text.push(&format!("  {} {kills}{sign}", lang.pick("OOM kills", "OOM 杀死")), Role::Danger);
    }
    hang(&first, &text, columns)
}

/// How long processes of the group waited: nothing at all where the kernel does not say it.
fn pressure(cgroup: &Cgroup, lang: Lang, columns: usize) -> Vec<Pieces> {
    let told = [
        (lang.pick("CPU", "CPU"), cgroup.cpu.pressure),
        (lang.pick("memory", "内存"), cgroup.memory.pressure),
        (lang.pick("disks", "磁盘"), cgroup.io.pressure),
    ];
    let mut text = Rich::default();
    for (name, Pressure { some, full }) in told.into_iter().filter_map(|(name, pressure)| Some((name, pressure?))) {
        let full = full.map_or(String::new(), |full| format!(" / {full:.0} %"));
        let role = if some >= 10.0 { Role::Changed } else { Role::Plain };
        text.push(&format!("{name} "), Role::Quiet);
        text.push(&format!("{some:.0} %{full}  "), role);
    }
    if text.is_empty() {
        return Vec::new();
    }
    text.push(lang.pick("of 10 s: some / all wait", "PSI（10 秒平均）：部分停滞 / 全部停滞"), Role::Quiet);
    hang(&[(pad(lang.pick("Waiting", "等待"), NAME), Role::Strong)], &text, columns)
}

/// Bytes in MiB.
pub(super) fn mib(bytes: u64) -> String {
    format!("{}.{} MiB", bytes >> 20, ((bytes & 0xf_ffff) * 10) >> 20)
}

fn pids(cgroup: &Cgroup, before: &Cgroup, lang: Lang, columns: usize) -> Vec<Pieces> {
    let name = lang.pick("PIDs", "进程数");
    let mut text = Rich::default();
    match cgroup.pids.current {
        None => text.push(lang.pick("not counted for this group", "这个组不计数"), Role::Quiet),
        Some(count) => {
            let number = |count: u64| count.to_string();
            let (words, role) = limit(cgroup.pids.max.map(number), before.pids.max.map(number), lang);
            text.push(&count.to_string(), Role::Strong);
            text.push(&format!("  {} ", lang.pick("limit", "上限")), Role::Quiet);
            text.push(&words, role);
        }
    }
    let first = vec![(pad(name, NAME), Role::Strong)];

    hang(&first, &text, columns)
}
