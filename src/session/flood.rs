//! Calls that come in floods.

use crate::trace::SyscallEvent;
use std::collections::BTreeMap;

/// How many calls of one step are kept; a fork bomb must not fill the memory. Of the calls of one name the first and the
/// newest are kept, so that a flood hides nothing else.
pub(super) const MAX_CALLS: usize = 20_000;

/// Where there are too many, leaves half as many at most: of each name the first and the newest.
pub(super) fn thin(calls: &mut Vec<SyscallEvent>) {
    if calls.len() < MAX_CALLS {
        return;
    }
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for event in calls.iter() {
        *counts.entry(event.call.syscall.name()).or_default() += 1;
    }
    let each = MAX_CALLS / 4 / counts.len().max(1);
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let kept: Vec<bool> = calls
        .iter()
        .map(|event| {
            let name = event.call.syscall.name();
            let place = seen.entry(name).or_default();
            *place += 1;
            *place <= each || *place + each > counts.get(name).copied().unwrap_or(0)
        })
        .collect();
    let mut kept = kept.into_iter();
    calls.retain(|_| kept.next().unwrap_or(true));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::pid::Pid;
    use crate::trace::{Call, Return};

    fn event(name: &str, number: u64) -> SyscallEvent {
        SyscallEvent {
            call: Call::of(Pid(number as i32), "sh", name, [0; 6]),
            returned: Return::Value(number as i64),
            micros: 1,
            changed: Vec::new(),
            asked: None,
        }
    }

    #[test]
    fn of_too_many_the_first_and_the_newest_quarter_are_kept() {
        const MAX: u64 = MAX_CALLS as u64;
        let mut calls: Vec<_> = (1..MAX).map(|number| event("vfork", number)).collect();
        thin(&mut calls);
        assert_eq!(calls.len(), MAX_CALLS - 1, "not too many yet");
        calls.push(event("vfork", MAX));
        thin(&mut calls);
        let kept: Vec<_> = calls.iter().map(|event| event.returned).collect();
        let numbers = (1..=MAX / 4).chain(MAX - MAX / 4 + 1..=MAX);
        assert_eq!(kept, numbers.map(|number| Return::Value(number as i64)).collect::<Vec<_>>());
    }

    #[test]
    fn a_flood_of_calls_hides_no_other() {
        let mut calls = vec![event("unshare", 1)];
        for number in 0..100_000 {
            calls.push(event("vfork", number));
            thin(&mut calls);
        }
        calls.push(event("mount", 2));
        assert!(calls.len() <= MAX_CALLS);
        assert_eq!(calls.first(), Some(&event("unshare", 1)));
        for newest in [event("mount", 2), event("vfork", 99_999), event("vfork", 0)] {
            assert!(calls.contains(&newest), "{newest:?}");
        }
    }
}
