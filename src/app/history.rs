//! How much CPU time a control group used, second by second: what the chart of the Cgroup pane shows.

use crate::observe::Cgroup;
use std::{collections::VecDeque, time::Duration};

/// How many seconds are kept.
const MAX: usize = 240;

/// The counter of one group over time.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    path: String,
    /// The newest reading: when, and the counter in microseconds.
    last: Option<(Duration, u64)>,
    /// CPU time used in each second, in microseconds, oldest first; the last one may not be over yet.
    seconds: VecDeque<f64>,
}

impl History {
    /// Takes in a reading of that time. Another group, or a counter that went back, begins anew.
    pub(crate) fn push(&mut self, now: Duration, cgroup: &Cgroup) {
        let path = cgroup.paths.get("cpu").or_else(|| cgroup.paths.get("")).cloned().unwrap_or_default();
        let Some(used) = cgroup.cpu.usage_micros else { return *self = History::default() };
        let last = self.last.filter(|(then, before)| self.path == path && *before <= used && *then <= now);
        match last {
            None => *self = History { path, last: Some((now, used)), seconds: VecDeque::new() },
            Some((then, before)) => {
                self.spread(then, now, (used - before) as f64);
                self.last = Some((now, used));
            }
        }
    }

    /// Puts what was used between two moments into their seconds, evenly: it was not read in between.
    fn spread(&mut self, from: Duration, to: Duration, used: f64) {
        let (from, to) = (from.as_secs_f64(), to.as_secs_f64());
        if self.seconds.is_empty() {
            self.seconds.push_back(0.0);
        }
        if to <= from {
            if let Some(last) = self.seconds.back_mut() {
                *last += used;
            }
            return;
        }
        let skipped = (to.floor() - from.floor()) as usize;
        for second in 0..=skipped {
            let start = from.floor() + second as f64;
            let share = (to.min(start + 1.0) - from.max(start)) / (to - from);
            if second > 0 {
                self.seconds.push_back(0.0);
            }
            if let Some(last) = self.seconds.back_mut() {
                *last += used * share;
            }
            while self.seconds.len() > MAX {
                self.seconds.pop_front();
            }
        }
    }

    /// Percent of one CPU in each of the last seconds that are over, oldest first.
    pub(crate) fn percent(&self) -> impl DoubleEndedIterator<Item = f64> + ExactSizeIterator {
        let over = self.seconds.len().saturating_sub(1);
        self.seconds.iter().take(over).map(|micros| micros / 10_000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(path: &str, used: u64) -> Cgroup {
        let mut cgroup = Cgroup::default();
        cgroup.paths.insert("cpu".into(), path.into());
        cgroup.cpu.usage_micros = Some(used);
        cgroup
    }

    fn percent(history: &History) -> Vec<i64> {
        history.percent().map(|value| value.round() as i64).collect()
    }

    #[test]
    fn what_was_used_is_spread_over_the_seconds_in_between() {
        let mut history = History::default();
        history.push(Duration::from_millis(1000), &reading("/a", 100));
        history.push(Duration::from_millis(2000), &reading("/a", 500_100));
        history.push(Duration::from_millis(4500), &reading("/a", 3_000_100));
        assert_eq!(percent(&history), [50, 100, 100]);
        history.push(Duration::from_millis(5000), &reading("/a", 3_000_100));
        assert_eq!(percent(&history), [50, 100, 100, 50]);
    }

    #[test]
    fn another_group_begins_anew() {
        let mut history = History::default();
        history.push(Duration::from_secs(1), &reading("/a", 0));
        history.push(Duration::from_secs(9), &reading("/a", 8_000_000));
        history.push(Duration::from_secs(10), &reading("/b", 9_000_000));
        assert_eq!(percent(&history), Vec::<i64>::new());
        for second in 11..999 {
            history.push(Duration::from_secs(second), &reading("/b", 9_000_000 + second));
        }
        assert_eq!(history.percent().len(), MAX - 1);
    }
}
