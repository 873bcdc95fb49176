//! Facts about the session's own control group at one moment.

use super::{Verdict, is_program};
use crate::{
    kernel::namespaces::Kind,
    lang::Lang,
    lesson::{Member, Setting},
    observe::{Process, Sample},
};

/// It exists, or not.
pub(super) fn exists(wanted: bool, sample: &Sample, lang: Lang) -> Verdict {
    let word =
        |exists: bool| lang.pick(if exists { "it exists" } else { "none" }, if exists { "存在" } else { "不存在" });
    Verdict::equal(word(wanted), word(sample.group.exists))
}

/// A limit has this value; `None` for no limit.
pub(super) fn setting(setting: Setting, wanted: Option<u64>, sample: &Sample, lang: Lang) -> Verdict {
    let values = &sample.group.values;
    let seen = match setting {
        Setting::Quota => values.cpu.quota_micros,
        Setting::Period => values.cpu.period_micros,
        Setting::Memory => values.memory.limit,
        Setting::MemoryAndSwap => values.memory.with_swap,
        Setting::Pids => values.pids.max,
    };
    let word =
        |value: Option<u64>| value.map_or_else(|| lang.pick("no limit", "不限").into(), |value| value.to_string());
    match sample.group.exists {
        true => Verdict::equal(word(wanted), word(seen)),
        false => Verdict::new(false, word(wanted), lang.pick("no such group", "没有这个组")),
    }
}

/// At least so many bytes of its memory are in swap.
pub(super) fn swapped(least: u64, sample: &Sample, lang: Lang) -> Verdict {
    let swapped = sample.group.values.memory.swapped();
    let seen = || lang.pick("swap is not counted for this group", "没有为这个组统计交换空间").to_string();
    let observed = swapped.map_or_else(seen, |bytes| bytes.to_string());
    Verdict::new(swapped >= Some(least), format!("≥ {least}"), observed)
}

/// The quota allows so many percent of one CPU, whatever the period.
pub(super) fn share(percent: u64, sample: &Sample, lang: Lang) -> Verdict {
    let cpu = &sample.group.values.cpu;
    let limit = cpu.quota_micros.zip(cpu.period_micros).filter(|(_, period)| *period > 0);
    let passed = limit.is_some_and(|(quota, period)| quota * 100 == percent * period);
    let observed = match limit {
        Some((quota, period)) => format!("{} % ({quota}/{period})", quota * 100 / period),
        None if sample.group.exists => lang.pick("no limit", "无限制").into(),
        None => lang.pick("no such group", "没有这个组").into(),
    };
    Verdict::new(passed, format!("{percent} %"), observed)
}

/// A process of this program is a member: in every hierarchy where the group exists, in the one of a controller, or in
/// none. `container` stands for the container process.
pub(super) fn member(name: &str, wanted: &Member, sample: &Sample, lang: Lang) -> Verdict {
    let group = &sample.group;
    let named = |process: &&Process| match name {
        CONTAINER_PROCESS => sample.container == Some(process.pid),
        INSIDE => process.pid_ns.is_some() && process.pid_ns == sample.namespaces.get(&Kind::Pid).copied(),
        _ => is_program(name, &process.comm),
    };
    let is_in = |controller: &str, pid| group.members_of.get(controller).is_some_and(|members| members.contains(&pid));
    let everywhere = |pid| !group.members_of.is_empty() && group.members_of.keys().all(|name| is_in(name, pid));
    let somewhere = |pid| group.members_of.keys().any(|name| is_in(name, pid));
    let mut processes = sample.processes.iter().filter(named);
    let passed = match wanted {
        // One that is left out uses up what the others may not.
        Member::Everywhere if name == INSIDE => {
            let (mut some, mut all) = (false, true);
            for process in sample.processes.iter().filter(|process| named(process) && process.state != 'Z') {
                (some, all) = (true, all && everywhere(process.pid));
            }
            some && all
        }
        Member::Everywhere => processes.any(|process| everywhere(process.pid)),
        Member::Nowhere => !processes.any(|process| somewhere(process.pid)),
        Member::Of(controller) => processes.any(|process| is_in(controller, process.pid)),
    };
    let all = || group.members_of.keys().cloned().collect::<Vec<_>>().join(", ");
    let word = |names: String| match names.is_empty() {
        true => format!("{name}{}", lang.pick(": no member", "：不是成员")),
        false => format!("{name}{}{names}", lang.pick(": a member of ", "：所在的组是 ")),
    };
    let expected = match wanted {
        Member::Everywhere if group.exists => all(),
        Member::Everywhere => lang.pick("the group", "这个组").into(),
        Member::Nowhere => String::new(),
        Member::Of(controller) => controller.clone(),
    };
    let of = |process: &Process| {
        group.members_of.keys().filter(|name| is_in(name, process.pid)).cloned().collect::<Vec<_>>()
    };
    let seen = sample.processes.iter().filter(|process| named(process) && process.state != 'Z').map(of);
    // Of all processes, the one that is left out is worth telling.
    let seen = if name == INSIDE { seen.min_by_key(Vec::len) } else { seen.max_by_key(Vec::len) }.unwrap_or_default();
    Verdict::new(passed, word(expected), word(seen.join(", ")))
}

/// What stands for every process in the container's PID namespace.
const INSIDE: &str = "inside";
/// What stands for the container process.
const CONTAINER_PROCESS: &str = "container";

#[cfg(test)]
mod tests {
    use super::super::cases::{Case, all, sample, with};
    use crate::kernel::pid::Pid;
    use crate::observe::Sample;

    fn gone() -> Sample {
        with(|sample| sample.group = Default::default())
    }

    #[test]
    fn it_exists_or_is_gone() {
        all([
            Case("group exists", sample(), true, "it exists", "it exists"),
            Case("group exists", gone(), false, "it exists", "none"),
            Case("group gone", gone(), true, "none", "none"),
            Case("group gone", sample(), false, "none", "it exists"),
        ]);
    }

    #[test]
    fn each_setting_is_its_own() {
        let settings = [
            ("quota", "50000"),
            ("period", "100000"),
            ("memory", "10485760"),
            ("memory-and-swap", "20971520"),
            ("pids", "12"),
        ];
        for (name, value) in settings {
            let unlimited = with(|sample| sample.group.values = Default::default());
            all([
                Case(&format!("group {name} {value}"), sample(), true, value, value),
                Case(&format!("group {name} 7"), sample(), false, "7", value),
                Case(&format!("group {name} none"), sample(), false, "no limit", value),
                Case(&format!("group {name} none"), unlimited.clone(), true, "no limit", "no limit"),
                Case(&format!("group {name} {value}"), unlimited, false, value, "no limit"),
                Case(&format!("group {name} none"), gone(), false, "no limit", "no such group"),
                Case(&format!("group {name} {value}"), gone(), false, value, "no such group"),
            ]);
        }
    }

    #[test]
    fn bytes_in_swap_are_what_both_together_have_more() {
        let in_swap = |both, memory| {
            with(|sample| {
                sample.group.values.memory.current_with_swap = both;
                sample.group.values.memory.current = memory;
            })
        };
        let uncounted = "swap is not counted for this group";
        all([
            Case("group swapped 1000", in_swap(Some(3000), Some(2000)), true, "≥ 1000", "1000"),
            Case("group swapped 1000", in_swap(Some(3001), Some(2000)), true, "≥ 1000", "1001"),
            Case("group swapped 1000", in_swap(Some(2999), Some(2000)), false, "≥ 1000", "999"),
            Case("group swapped 1", in_swap(Some(1000), Some(2000)), false, "≥ 1", "0"),
            Case("group swapped 1", in_swap(None, Some(2000)), false, "≥ 1", uncounted),
            Case("group swapped 1", in_swap(Some(2000), None), false, "≥ 1", uncounted),
        ]);
    }

    #[test]
    fn a_member_is_a_process_of_that_name_in_the_hierarchy_that_counts() {
        let partly = || with(|sample| sample.group.members_of.insert("memory".into(), Vec::new()));
        let both = || with(|sample| sample.group.members_of.values_mut().for_each(|members| members.push(Pid(103))));
        all([
            Case("in-group sh yes", sample(), true, "sh: a member of cpu, memory", "sh: a member of cpu, memory"),
            Case("in-group sh yes", partly(), false, "sh: a member of cpu, memory", "sh: a member of cpu"),
            Case("in-group sh cpu", partly(), true, "sh: a member of cpu", "sh: a member of cpu"),
            Case("in-group sh memory", partly(), false, "sh: a member of memory", "sh: a member of cpu"),
            Case("in-group sh no", sample(), false, "sh: no member", "sh: a member of cpu, memory"),
            Case("in-group sh no", partly(), false, "sh: no member", "sh: a member of cpu"),
            Case("in-group sleep yes", sample(), false, "sleep: a member of cpu, memory", "sleep: no member"),
            Case("in-group sleep no", sample(), true, "sleep: no member", "sleep: no member"),
            Case(
                "in-group container yes",
                sample(),
                true,
                "container: a member of cpu, memory",
                "container: a member of cpu, memory",
            ),
            Case("in-group sh yes", gone(), false, "sh: a member of the group", "sh: no member"),
            Case(
                "in-group inside yes",
                both(),
                true,
                "inside: a member of cpu, memory",
                "inside: a member of cpu, memory",
            ),
            Case("in-group inside yes", sample(), false, "inside: a member of cpu, memory", "inside: no member"),
        ]);
    }

    #[test]
    fn a_share_is_quota_by_period() {
        let of = |quota, period| {
            with(|sample| {
                let cpu = &mut sample.group.values.cpu;
                (cpu.quota_micros, cpu.period_micros) = (quota, period);
            })
        };
        all([
            Case("group share 50", sample(), true, "50 %", "50 % (50000/100000)"),
            Case("group share 25", of(Some(50_000), Some(200_000)), true, "25 %", "25 % (50000/200000)"),
            Case("group share 25", sample(), false, "25 %", "50 % (50000/100000)"),
            Case("group share 25", of(None, Some(100_000)), false, "25 %", "no limit"),
            Case("group share 25", of(Some(50_000), Some(0)), false, "25 %", "no limit"),
            Case("group share 25", gone(), false, "25 %", "no such group"),
        ]);
    }
}
