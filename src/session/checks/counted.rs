//! Checks of what the kernel counts for the session's group: a difference of two readings, never one reading alone.

use super::{Evidence, Verdict};
use crate::{lang::Lang, lesson::Counter, observe::Sample};

/// The counters of a control group at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// The moment, in microseconds.
    pub at: u64,
    /// CPU time used, in microseconds; `None` where nobody counts it.
    pub usage: Option<u64>,
    /// Periods that have passed under a quota.
    pub periods: u64,
    /// Throttled periods.
    pub throttled: u64,
    /// Processes killed by the OOM killer.
    pub oom_kills: u64,
}

/// CPU use is measured over at least this time, in microseconds.
const WINDOW: u64 = 3_000_000;
/// Samples come once a second, or when something happened.
const MOST_COUNTED: usize = 256;

impl Evidence {
    /// Keeps the counters of a sample, to compare later ones with.
    pub(in crate::session) fn remember(&mut self, sample: &Sample) {
        let (group, zero) = (&sample.group, |value: Option<u64>| value.unwrap_or(0));
        if !group.exists {
            return;
        }
        let counted = Counted {
            at: group.at_micros,
            usage: group.values.cpu.usage_micros,
            periods: zero(group.values.cpu.periods),
            throttled: zero(group.values.cpu.throttled),
            oom_kills: zero(group.values.memory.oom_kills),
        };
        if self.history.len() >= MOST_COUNTED {
            // The first one stays: counters are compared with it.
            self.history.remove(1);
        }
        self.history.push_back(counted);
    }

    /// The two readings that span the last three seconds, or a little more.
    pub(in crate::session) fn window(&self) -> Option<(Counted, Counted)> {
        let last = self.history.back()?;
        let first = self.history.iter().rev().find(|counted| last.at.saturating_sub(counted.at) >= WINDOW)?;
        Some((*first, *last))
    }

    /// CPU use in percent of one CPU over that time.
    fn cpu_use(&self) -> Option<f64> {
        let (first, last) = self.window()?;
        Some(last.usage?.saturating_sub(first.usage?) as f64 * 100.0 / (last.at - first.at) as f64)
    }
}

/// Decides whether the CPU use of the last three seconds lies in a range.
pub(super) fn cpu(from: u64, to: u64, evidence: &Evidence, lang: Lang) -> Verdict {
    let expected = format!("{from}–{to} %");
    let used = evidence.cpu_use();
    let passed = used.is_some_and(|used| (from as f64..=to as f64).contains(&used));
    let counted = evidence.history.back().is_none_or(|last| last.usage.is_some());
    let measuring = || match counted {
        true => lang.pick("three seconds are being measured", "正在测量三秒钟").to_string(),
        false => lang.pick("no counter: cpuacct knows no such group", "没有计数：cpuacct 里没有这个组").to_string(),
    };
    Verdict { passed: Some(passed), expected, observed: used.map_or_else(measuring, |used| format!("{used:.1} %")) }
}

/// Decides whether a counter has grown since the step began.
pub(super) fn grew(counter: Counter, evidence: &Evidence, lang: Lang) -> Verdict {
    let value = |counted: &Counted| match counter {
        Counter::Throttled => counted.throttled,
        Counter::OomKills => counted.oom_kills,
    };
    let (first, last) = (evidence.history.front().map(value), evidence.history.back().map(value));
    let passed = first.zip(last).is_some_and(|(first, last)| last > first);
    let none = || lang.pick("there is no such group", "没有这个组").to_string();
    Verdict {
        passed: Some(passed),
        expected: first.map_or_else(none, |first| format!("> {first}")),
        observed: last.map_or_else(none, |last| last.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::{Input, Session, Wish};
    use crate::{
        lesson::{Block, Check, Fact, GroupFact, Lesson, Step, TerminalId},
        observe::Group,
    };
    use std::sync::Arc;

    /// A sample of a group that has used so many microseconds of CPU time at this second.
    fn sample(second: u64, usage: u64) -> Arc<Sample> {
        let mut group = Group { exists: true, at_micros: second * 1_000_000, ..Group::default() };
        group.values.cpu.usage_micros = Some(usage);
        Arc::new(Sample { group, ..Sample::default() })
    }

    #[test]
    fn a_figure_that_time_may_bring_is_being_measured_and_anything_else_is_not_yet() {
        let check = |fact| Check { fact, text: String::new(), source: String::new(), keeps: false, at: 1 };
        let cpu = check(Fact::Group(GroupFact::Cpu(45, 55)));
        let killed = check(Fact::Group(GroupFact::Grew(Counter::OomKills)));
        for (checks, expected) in [(vec![cpu.clone()], [false, true, true, false]), (vec![cpu, killed], [false; 4])] {
            let step = Step { blocks: vec![Block::Check(checks)], ..Step::default() };
            let mut session = Session::new(Lesson { steps: vec![step], ..Lesson::default() }, false, Vec::new());
            session.handle(Input::Wish(Wish::GoTo(0)));
            let mut measuring = vec![session.measuring(0)];
            for terminal in TerminalId::ALL {
                session.handle(Input::Prompt(terminal, 0, 1));
            }
            session.handle(Input::Sample(1000, sample(0, 0)));
            session.handle(Input::Typed(TerminalId::Container));
            for (second, usage) in [(2, 500_000), (4, 1_500_000), (6, 2_500_000)] {
                session.handle(Input::Sample(1000, sample(second, usage)));
                measuring.push(session.measuring(0));
            }
            assert_eq!(measuring, expected);
        }
    }
}
