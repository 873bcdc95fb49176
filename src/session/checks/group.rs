//! Facts about the session's own control group at one moment.

use super::Verdict;
use crate::{lang::Lang, lesson::Setting, observe::Sample};

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
        |value: Option<u64>| value.map_or_else(|| lang.pick("no limit", "无限制").into(), |value| value.to_string());
    match sample.group.exists {
        true => Verdict::equal(word(wanted), word(seen)),
        false => Verdict::new(false, word(wanted), lang.pick("there is no such group", "没有这个组")),
    }
}

/// At least so many bytes of its memory are in swap.
pub(super) fn swapped(least: u64, sample: &Sample, lang: Lang) -> Verdict {
    let swapped = sample.group.values.memory.swapped();
    let seen = || lang.pick("swap is not counted for this group", "没有为这个组统计交换空间").to_string();
    let observed = swapped.map_or_else(seen, |bytes| bytes.to_string());
    Verdict::new(swapped >= Some(least), format!("≥ {least}"), observed)
}

/// A process of this program is a member, or none is.
pub(super) fn member(name: &str, wanted: bool, sample: &Sample, lang: Lang) -> Verdict {
    let word = |yes: bool| {
        let state = lang.pick(if yes { "a member" } else { "no member" }, if yes { "是成员" } else { "不是成员" });
        format!("{name}: {state}")
    };
    let mut processes = sample.processes.iter();
    let found = processes.any(|process| sample.group.members.contains(&process.pid) && process.comm == name);
    Verdict::equal(word(wanted), word(found))
}

#[cfg(test)]
mod tests {
    use super::super::cases::{Case, all, sample, with};
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
                Case(&format!("group {name} none"), gone(), false, "no limit", "there is no such group"),
                Case(&format!("group {name} {value}"), gone(), false, value, "there is no such group"),
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
    fn a_member_is_a_process_of_that_name_in_the_group() {
        all([
            Case("in-group sh yes", sample(), true, "sh: a member", "sh: a member"),
            Case("in-group sh no", sample(), false, "sh: no member", "sh: a member"),
            Case("in-group sleep yes", sample(), false, "sleep: a member", "sleep: no member"),
            Case("in-group sleep no", sample(), true, "sleep: no member", "sleep: no member"),
            Case("in-group top yes", sample(), false, "top: a member", "top: no member"),
            Case("in-group sh yes", gone(), false, "sh: a member", "sh: no member"),
        ]);
    }
}
