//! The proof card: what the kernel counted while a lesson's limits were tested. Nothing here is measured by us: every
//! number is one of the kernel's, or the difference of two of them.

use super::Evidence;
use crate::{columns::seconds, kernel::pid::Signal, lang::Lang, trace::Ended};
use serde::Serialize;

/// All that was proved so far, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, schemars::JsonSchema)]
pub(crate) struct Proof {
    /// Each time that the use of CPU time was checked and was right.
    pub cpu: Vec<CpuProof>,
    /// Each time that the OOM killer had to act.
    pub memory: Vec<MemoryProof>,
}

/// The use of CPU time under a limit, over a window of at least three seconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, schemars::JsonSchema)]
pub(crate) struct CpuProof {
    /// The quota in microseconds a period, as the kernel had it; `None` where there was none.
    pub quota_micros: Option<u64>,
    /// The period in microseconds.
    pub period_micros: Option<u64>,
    /// How long was measured, in microseconds.
    pub window_micros: u64,
    /// CPU time that the group used meanwhile, in microseconds (`cpu.stat` or `cpuacct.usage`).
    pub used_micros: u64,
    /// The same in percent of one CPU.
    pub percent: f64,
    /// By how much `nr_periods` grew.
    pub periods: u64,
    /// By how much `nr_throttled` grew.
    pub throttled: u64,
    /// In how many percent of the time others had the CPUs that it could have used.
    pub waited_percent: f64,
}

/// A process that was killed because its group had no memory left.
#[derive(Clone, Debug, Default, PartialEq, Serialize, schemars::JsonSchema)]
pub(crate) struct MemoryProof {
    /// The limit in bytes, as the kernel had it.
    pub limit_bytes: Option<u64>,
    /// The limit of memory and swap together in bytes, where the kernel counts swap.
    pub with_swap_bytes: Option<u64>,
    /// By how much `oom_kill` grew in that step.
    pub oom_kills: u64,
    /// The program that was killed.
    pub program: Option<String>,
    /// Its status as a shell gives it: 128 and the number of the signal.
    pub exit_status: Option<i32>,
}

impl Proof {
    /// Whether there is nothing to show yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.cpu.is_empty() && self.memory.is_empty()
    }

    /// Takes down the CPU use that a check has just found right.
    pub(super) fn note_cpu(&mut self, evidence: &Evidence) {
        let Some(((first, last), sample)) = evidence.window().zip(evidence.sample.as_deref()) else { return };
        let (Some(before), Some(after)) = (first.usage, last.usage) else { return };
        let (window_micros, used_micros) = (last.at - first.at, after.saturating_sub(before));
        let cpu = &sample.group.values.cpu;
        self.cpu.push(CpuProof {
            quota_micros: cpu.quota_micros,
            period_micros: cpu.period_micros,
            window_micros,
            used_micros,
            percent: used_micros as f64 * 100.0 / window_micros.max(1) as f64,
            periods: last.periods.saturating_sub(first.periods),
            throttled: last.throttled.saturating_sub(first.throttled),
            waited_percent: evidence.share().map_or(0.0, |share| share.waited),
        });
    }

    /// Takes down the OOM kill that a check has just seen.
    pub(super) fn note_oom(&mut self, evidence: &Evidence) {
        let (Some(first), Some(last)) = (evidence.history.front(), evidence.history.back()) else { return };
        let Some(sample) = evidence.sample.as_deref() else { return };
        let memory = &sample.group.values.memory;
        let killed = evidence.ends.iter().rev().find_map(|(program, ended)| match ended {
            Ended::Killed(Signal::KILL) => Some(program.clone()),
            _ => None,
        });
        self.memory.push(MemoryProof {
            limit_bytes: memory.limit,
            with_swap_bytes: memory.with_swap,
            oom_kills: last.oom_kills.saturating_sub(first.oom_kills),
            exit_status: killed.is_some().then_some(128 + Signal::KILL.0),
            program: killed,
        });
    }

    /// The card for people.
    pub(crate) fn lines(&self, lang: Lang) -> Vec<String> {
        let number = |value: Option<u64>| value.map_or_else(|| "max".into(), |value| value.to_string());
        let cpu = self.cpu.iter().map(|cpu| {
            let limit = format!("{}/{}", number(cpu.quota_micros), number(cpu.period_micros));
            let (used, window) = (seconds(cpu.used_micros), seconds(cpu.window_micros));
            let (percent, throttled, periods) = (cpu.percent, cpu.throttled, cpu.periods);
            let waited = match cpu.waited_percent {
                5.0.. => lang.pick(
                    format!("; waited {:.0} % of the time for others", cpu.waited_percent),
                    format!("；{:.0} % 的时间在等别的进程", cpu.waited_percent),
                ),
                _ => String::new(),
            };
            lang.pick(
                format!("CPU {limit} us: {used} in {window} = {percent:.1} % of one CPU; throttled in {throttled} of {periods} periods{waited}"),
                format!("CPU {limit} us：{window} 内用了 {used}，合一个 CPU 的 {percent:.1} %；{periods} 个周期中有 {throttled} 个被限流{waited}"),
            )
        });
        let memory = self.memory.iter().map(|memory| {
            let (limit, both) = (number(memory.limit_bytes), number(memory.with_swap_bytes));
            let kills = memory.oom_kills;
            let program = memory.program.as_deref().unwrap_or("?");
            let status = memory.exit_status.map_or_else(|| "?".into(), |status| status.to_string());
            lang.pick(
                format!(
                    "memory {limit} bytes, with swap {both}: {kills} OOM kill(s); {program} ended with status {status}"
                ),
                format!("内存 {limit} 字节，含交换 {both}：OOM 杀死 {kills} 次；{program} 的退出状态是 {status}"),
            )
        });
        cpu.chain(memory).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{observe::Sample, session::checks::counters::Counters};
    use std::sync::Arc;

    fn evidence() -> Evidence {
        let mut sample = Sample::default();
        sample.group.exists = true;
        sample.group.values.cpu.quota_micros = Some(50_000);
        sample.group.values.cpu.period_micros = Some(100_000);
        sample.group.values.memory.limit = Some(10_485_760);
        let counted = |at, usage, periods, throttled, oom_kills| Counters {
            at,
            usage: Some(usage),
            periods,
            throttled,
            oom_kills,
            ..Counters::default()
        };
        let history =
            [counted(0, 7, 1, 0, 2), counted(1_000_000, 500_007, 11, 9, 2), counted(4_000_000, 2_000_007, 41, 38, 3)];
        Evidence {
            sample: Some(Arc::new(sample)),
            history: history.into(),
            ends: vec![("hog".into(), Ended::Killed(Signal::KILL)), ("sh".into(), Ended::Exited(0))],
            ..Evidence::default()
        }
    }

    #[test]
    fn the_card_is_made_of_differences_of_the_kernels_counters() {
        let mut proof = Proof::default();
        assert!(proof.is_empty() && proof.lines(Lang::En).is_empty());
        proof.note_cpu(&evidence());
        assert!(!proof.is_empty(), "without any memory");
        proof.note_oom(&evidence());
        let cpu = CpuProof {
            quota_micros: Some(50_000),
            period_micros: Some(100_000),
            window_micros: 3_000_000,
            used_micros: 1_500_000,
            percent: 50.0,
            periods: 30,
            throttled: 29,
            waited_percent: 0.0,
        };
        assert_eq!(proof.cpu, [cpu]);
        assert_eq!((proof.memory[0].oom_kills, proof.memory[0].exit_status), (1, Some(137)));
        assert_eq!(
            proof.lines(Lang::En),
            [
                "CPU 50000/100000 us: 1.50 s in 3.00 s = 50.0 % of one CPU; throttled in 29 of 30 periods",
                "memory 10485760 bytes, with swap max: 1 OOM kill(s); hog ended with status 137"
            ]
        );
    }

    #[test]
    fn who_waits_for_others_is_told_so_from_5_percent_on() {
        for (waited_percent, told) in [(4.9, None), (5.0, Some("waited 5 %")), (12.3, Some("waited 12 %"))] {
            let proof = Proof { cpu: vec![CpuProof { waited_percent, ..CpuProof::default() }], ..Proof::default() };
            let line = proof.lines(Lang::En).remove(0);
            assert_eq!(line.split("; ").nth(2), told.map(|told| format!("{told} of the time for others")).as_deref());
        }
    }

    #[test]
    fn without_a_whole_window_there_is_no_proof() {
        let mut proof = Proof::default();
        let mut short = evidence();
        short.history.pop_back();
        proof.note_cpu(&short);
        proof.note_cpu(&Evidence::default());
        proof.note_oom(&Evidence::default());
        assert!(proof.is_empty());
    }
}
