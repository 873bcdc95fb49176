//! Checks of what the kernel counts for the session's group: a difference of two readings, never one reading alone.

use super::{Evidence, Verdict};
use crate::{lang::Lang, lesson::Counter, observe::Sample};

/// The counters of a control group at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// The moment, in microseconds.
    pub at: u64,
    /// CPU time used, in microseconds; `None` where it is not counted.
    pub usage: Option<u64>,
    /// For how long its threads were kept from running, in microseconds; `None` where it is not counted.
    pub delay: Option<u64>,
    /// For how long the quota alone kept them from it, in microseconds, all CPUs together.
    pub held_back: u64,
    /// The quota and its period, in microseconds.
    pub quota: Option<(u64, u64)>,
    /// Periods that have passed under a quota.
    pub periods: u64,
    /// Throttled periods.
    pub throttled: u64,
    /// Processes killed by the OOM killer.
    pub oom_kills: u64,
}

/// CPU use is measured over at least this time, in microseconds.
const WINDOW: u64 = 3_000_000;
/// A group that used less than this part of its cap did not come to it.
const NEARLY: f64 = 0.9;
/// Samples come once a second, or when something happened.
const MAX_COUNTED: usize = 256;

impl Evidence {
    /// Keeps the counters of a sample, to compare later ones with.
    pub(in crate::session) fn remember(&mut self, sample: &Sample) {
        let (group, zero) = (&sample.group, |value: Option<u64>| value.unwrap_or(0));
        if !group.exists {
            return;
        }
        let counted = Counters {
            at: group.at_micros,
            usage: group.values.cpu.usage_micros,
            delay: group.delay_micros,
            held_back: zero(group.values.cpu.throttled_micros),
            quota: group.values.cpu.quota_micros.zip(group.values.cpu.period_micros),
            periods: zero(group.values.cpu.periods),
            throttled: zero(group.values.cpu.throttled),
            oom_kills: zero(group.values.memory.oom_kills),
        };
        if self.history.len() >= MAX_COUNTED {
            // The first one stays: counters are compared with it.
            self.history.remove(1);
        }
        self.history.push_back(counted);
    }

    /// The two readings that span the last three seconds, or a little more.
    pub(in crate::session) fn window(&self) -> Option<(Counters, Counters)> {
        let last = self.history.back()?;
        let first = self.history.iter().rev().find(|counted| last.at.saturating_sub(counted.at) >= WINDOW)?;
        Some((*first, *last))
    }

    /// How the group shared the CPUs over that time.
    pub(in crate::session) fn share(&self) -> Option<Share> {
        let (first, last) = self.window()?;
        let window = last.at - first.at;
        let percent = |micros: u64| micros as f64 * 100.0 / window as f64;
        let used = last.usage?.saturating_sub(first.usage?);
        // Some kernels count the time under the quota as time on a run queue, others do not. Whatever is neither use nor
        // quota can be the others' alone, for one thread; for several of them this claims too little rather than too much.
        let rest = window.saturating_sub(used).saturating_sub(last.held_back.saturating_sub(first.held_back));
        let delay = last.delay.zip(first.delay).map_or(0, |(last, first)| last.saturating_sub(first));
        let cap = last.quota.filter(|quota| Some(*quota) == first.quota && quota.1 > 0);
        let cap = cap.map(|(quota, period)| quota as f64 * 100.0 / period as f64);
        Some(Share { used: percent(used), waited: percent(delay.min(rest)), cap })
    }
}

/// How a group shared the CPUs with others over a window of at least three seconds, in percent of one CPU.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share {
    /// What it used.
    pub used: f64,
    /// What it did not get although it could have run: others had the CPUs.
    pub waited: f64,
    /// What it may use; `None` where there was no limit, or not the same one all the time.
    pub cap: Option<f64>,
}

impl Share {
    /// The cap, where the group stayed at or below it and whatever is missing from at least `least` percent went to others.
    fn starved(&self, least: f64) -> Option<f64> {
        self.cap.filter(|cap| self.used < least && self.used <= *cap && self.used + self.waited >= least)
    }
}

/// Decides whether the CPU use of the last three seconds lies in a range.
pub(super) fn cpu(from: u64, to: u64, evidence: &Evidence, lang: Lang) -> Verdict {
    let expected = format!("{from}–{to} %");
    let share = evidence.share();
    let within = share.is_some_and(|share| (from as f64..=to as f64).contains(&share.used));
    // On a busy machine the group may never come to its cap. What is proved then: it had no more, and others had the rest.
    let starved = share.and_then(|share| Some((share, share.starved(from as f64).filter(|cap| *cap <= to as f64)?)));
    let counted = evidence.history.back().is_none_or(|last| last.usage.is_some());
    let measuring = || match counted {
        true => lang.pick("three seconds are being measured", "正在测量三秒钟").to_string(),
        false => lang.pick("no counter: cpuacct knows no such group", "没有计数：cpuacct 里没有这个组").to_string(),
    };
    let observed = share.map_or_else(measuring, |share| match share.waited {
        5.0.. => lang.pick(
            format!("{:.1} %; it waited {:.0} % of the time for others", share.used, share.waited),
            format!("{:.1} %；有 {:.0} % 的时间在等别的进程", share.used, share.waited),
        ),
        _ => format!("{:.1} %", share.used),
    });
    let because = starved.map_or(String::new(), |(share, cap)| {
        lang.pick(
            format!(
                "it used {:.1} % and never had more than {cap:.0} %: it waited {:.0} % of the time for others",
                share.used, share.waited
            ),
            format!("它用了 {:.1} %，从未超过 {cap:.0} %：有 {:.0} % 的时间在等别的进程", share.used, share.waited),
        )
    });
    Verdict { passed: Some(within || starved.is_some()), expected, observed, because }
}

/// Decides whether a counter has grown since the step began.
pub(super) fn grew(counter: Counter, evidence: &Evidence, lang: Lang) -> Verdict {
    let value = |counted: &Counters| match counter {
        Counter::Throttled => counted.throttled,
        Counter::OomKills => counted.oom_kills,
    };
    let (first, last) = (evidence.history.front().map(value), evidence.history.back().map(value));
    let passed = first.zip(last).is_some_and(|(first, last)| last > first);
    let none = || lang.pick("no such group", "没有这个组").to_string();
    let expected = first.map_or_else(none, |first| format!("> {first}"));
    let starved = evidence.share().filter(|share| share.cap.is_some_and(|cap| share.starved(cap * NEARLY).is_some()));
    match starved.filter(|_| !passed && counter == Counter::Throttled) {
        // A group that never comes to its cap is not stopped.
        Some(share) => Verdict {
            passed: None,
            expected,
            observed: lang.pick(
                format!("it never came to its cap: it waited {:.0} % of the time for others", share.waited),
                format!("它一直没有达到上限：有 {:.0} % 的时间在等别的进程", share.waited),
            ),
            ..Verdict::default()
        },
        None => Verdict::new(passed, expected, last.map_or_else(none, |last| last.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::{Event, Session, Wish};
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
            session.handle(Event::Wish(Wish::GoTo(0)));
            let mut measuring = vec![session.measuring(0)];
            for terminal in TerminalId::ALL {
                session.handle(Event::Prompt(terminal, 0, 1));
            }
            session.handle(Event::Sample(1000, sample(0, 0)));
            session.handle(Event::Typed(TerminalId::Container));
            for (second, usage) in [(2, 500_000), (4, 1_500_000), (6, 2_500_000)] {
                session.handle(Event::Sample(1000, sample(second, usage)));
                measuring.push(session.measuring(0));
            }
            assert_eq!(measuring, expected);
        }
    }

    /// Three seconds of a group with half a CPU: used, kept from running, of that by the quota, in milliseconds.
    fn evidence(used: u64, delay: Option<u64>, held_back: u64) -> Evidence {
        let quota = Some((50_000, 100_000));
        let first = Counters { usage: Some(0), delay: delay.map(|_| 0), quota, ..Counters::default() };
        let (usage, delay) = (Some(used * 1000), delay.map(|delay| delay * 1000));
        let last = Counters { at: WINDOW, usage, delay, held_back: held_back * 1000, ..first };
        Evidence { history: [first, last].into(), ..Evidence::default() }
    }

    #[test]
    fn a_cap_is_proved_by_what_others_had_and_by_nothing_else() {
        for (used, delay, held_back, passed, because) in [
            // Alone: half of it, the quota is the reason for the rest, whether or not the kernel counts that as a delay.
            (1500, Some(1500), 1500, true, ""),
            (1500, Some(0), 1500, true, ""),
            // Forty on two CPUs.
            (
                150,
                Some(2850),
                0,
                true,
                "it used 5.0 % and never had more than 50 %: it waited 95 % of the time for others",
            ),
            // It slept.
            (150, Some(100), 0, false, ""),
            // The quota kept it back, which explains nothing.
            (900, Some(2000), 2000, false, ""),
            // It is not counted, or it had more than it may have.
            (150, None, 0, false, ""),
            (2000, Some(1000), 0, false, ""),
        ] {
            let verdict = cpu(45, 55, &evidence(used, delay, held_back), Lang::En);
            assert_eq!(
                (verdict.passed, verdict.because.as_str()),
                (Some(passed), because),
                "{used} {delay:?} {held_back}"
            );
        }
        let mut changed = evidence(150, Some(2850), 0);
        changed.history[0].quota = Some((100_000, 100_000));
        assert_eq!(cpu(45, 55, &changed, Lang::En).passed, Some(false), "another limit for a part of the time");
    }

    #[test]
    fn a_group_that_never_came_to_its_cap_was_not_stopped_and_that_is_said() {
        let verdict = grew(Counter::Throttled, &evidence(150, Some(2850), 0), Lang::En);
        assert_eq!(verdict.passed, None);
        assert_eq!(verdict.observed, "it never came to its cap: it waited 95 % of the time for others");
        assert_eq!(grew(Counter::Throttled, &evidence(150, Some(0), 0), Lang::En).passed, Some(false));
        assert_eq!(grew(Counter::OomKills, &evidence(150, Some(2850), 0), Lang::En).passed, Some(false));
    }

    #[test]
    fn who_has_what_is_asked_for_was_not_starved() {
        let verdict = cpu(5, 55, &evidence(150, Some(2850), 0), Lang::En);
        assert_eq!((verdict.passed, verdict.because.as_str()), (Some(true), ""));
        assert_eq!(verdict.observed, "5.0 %; it waited 95 % of the time for others");
        assert_eq!(cpu(5, 55, &evidence(150, Some(90), 0), Lang::En).observed, "5.0 %");
        // A quota without a period is no limit: nothing is divided by it.
        let mut endless = evidence(150, Some(2850), 0);
        endless.history.iter_mut().for_each(|counted| counted.quota = Some((50_000, 0)));
        assert_eq!(endless.share().map(|share| share.cap), Some(None));
        assert_eq!(cpu(45, 55, &endless, Lang::En).passed, Some(false));
    }

    #[test]
    fn a_counter_has_grown_or_not() {
        for (first, last, passed, expected) in [(3, 4, true, "> 3"), (3, 3, false, "> 3"), (4, 3, false, "> 4")] {
            let counted = |at, throttled| Counters { at, throttled, ..Counters::default() };
            let evidence =
                Evidence { history: [counted(0, first), counted(WINDOW, last)].into(), ..Evidence::default() };
            let verdict = grew(Counter::Throttled, &evidence, Lang::En);
            assert_eq!((verdict.passed, verdict.expected.as_str()), (Some(passed), expected));
        }
        let verdict = grew(Counter::Throttled, &Evidence::default(), Lang::En);
        assert_eq!((verdict.passed, verdict.expected.as_str()), (Some(false), "no such group"));
        // Within a tenth of its cap a group is stopped now and then, and could have been.
        let near = grew(Counter::Throttled, &evidence(1400, Some(1600), 0), Lang::En);
        let starved = grew(Counter::Throttled, &evidence(1200, Some(1800), 0), Lang::En);
        assert_eq!((near.passed, starved.passed), (Some(false), None));
        assert_eq!(starved.expected, "> 0");
    }
}
