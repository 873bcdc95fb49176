//! The cgroup of the container process: where it is, what it uses, what it may use.

use super::{
    sheet::Sheet,
    text::{Rich, hang, line, pad},
    theme::Role,
};
use crate::{
    app::{Play, State},
    lang::Lang,
    observe::Cgroup,
};
use std::collections::BTreeMap;

/// Lays out paths, use and limits.
pub fn sheet(state: &State, play: &Play, columns: usize) -> Sheet {
    let mut sheet = Sheet::default();
    let lang = state.lang;
    let Some(sample) = play.sample.as_deref() else {
        sheet.line(line(lang.pick("Nothing was read yet.", "尚未读到任何状态。"), Role::Quiet));
        return sheet;
    };
    let cgroup = &sample.cgroup;
    let mut row = |name: &str, value: Rich| {
        sheet.add(hang(&[(pad(name, 10), Role::Strong)], &value, columns));
    };
    row(lang.pick("Mode", "版本"), Rich::default().with(&state.facts.cgroup_mode, Role::Plain));
    for (value, controllers) in paths(cgroup) {
        row(lang.pick("Group", "组"), Rich::default().with(&value, Role::Container).with(&controllers, Role::Quiet));
    }
    row("CPU", cpu(cgroup, lang));
    row(lang.pick("Memory", "内存"), memory(cgroup, lang));
    row(lang.pick("Processes", "进程数"), pids(cgroup, lang));
    sheet
}

/// Controllers that share a path share a line.
fn paths(cgroup: &Cgroup) -> Vec<(String, String)> {
    let mut by_path: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (controller, path) in &cgroup.paths {
        by_path.entry(path).or_default().push(if controller.is_empty() { "v2" } else { controller });
    }
    by_path.into_iter().map(|(path, names)| (path.to_string(), format!("  {}", names.join(" ")))).collect()
}

fn limit(text: Option<String>, lang: Lang) -> (String, Role) {
    text.map_or_else(|| (lang.pick("no limit", "无上限").to_string(), Role::Quiet), |text| (text, Role::Limit))
}

fn cpu(cgroup: &Cgroup, lang: Lang) -> Rich {
    let cpu = &cgroup.cpu;
    let comma = lang.pick(", ", "，");
    let used = cpu
        .usage_micros
        .map_or_else(|| "?".into(), |micros| format!("{}.{:02} s", micros / 1_000_000, micros % 1_000_000 / 10_000));
    let quota = cpu.quota_micros.zip(cpu.period_micros).filter(|(_, period)| *period > 0);
    let (cap, role) =
        limit(quota.map(|(quota, period)| format!("{} % ({quota}/{period} us)", quota * 100 / period)), lang);
    let mut rich =
        Rich::default().with(&format!("{} {used}{comma}", lang.pick("used", "已用")), Role::Plain).with(&cap, role);
    if let (Some(periods), Some(throttled)) = (cpu.periods, cpu.throttled)
        && periods > 0
    {
        rich.push(&format!("{comma}{} {throttled}/{periods}", lang.pick("throttled", "被限流")), Role::Plain);
    }
    rich
}

fn memory(cgroup: &Cgroup, lang: Lang) -> Rich {
    let memory = &cgroup.memory;
    let mib = |bytes: u64| format!("{}.{} MiB", bytes >> 20, ((bytes & 0xf_ffff) * 10) >> 20);
    let text = |value: Option<u64>| value.map_or_else(|| "?".into(), mib);
    let comma = lang.pick(", ", "，");
    let (cap, role) = limit(memory.limit.map(mib), lang);
    let mut rich = Rich::default()
        .with(&format!("{} / ", text(memory.current)), Role::Plain)
        .with(&cap, role)
        .with(&format!("{comma}{} {}", lang.pick("peak", "峰值"), text(memory.peak)), Role::Plain);
    if let Some(kills) = memory.oom_kills.filter(|kills| *kills > 0) {
        rich.push(&format!("{comma}{} {kills}", lang.pick("OOM kills", "OOM 杀死")), Role::Danger);
    }
    rich
}

fn pids(cgroup: &Cgroup, lang: Lang) -> Rich {
    let now = cgroup.pids.current.map_or_else(|| "?".into(), |count| count.to_string());
    let (cap, role) = limit(cgroup.pids.max.map(|max| max.to_string()), lang);
    Rich::default().with(&format!("{now} / "), Role::Plain).with(&cap, role)
}
