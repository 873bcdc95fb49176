//! Floods: where the same calls come again and again, the last ones stand for all.

use super::{brief, changes};
use crate::{
    app::Row,
    lang::Lang,
    trace::{Change, Return},
};
use std::{
    collections::hash_map::DefaultHasher,
    hash::{Hash, Hasher},
};

/// So many times is a flood.
const MANY: usize = 5;
/// The most rows that come again together, such as a fork, a program and its end.
const MAX_LEN: usize = 4;

/// Rows that are shown, and how many times the same came before them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shown {
    /// The place of the first row.
    pub first: usize,
    /// How many rows.
    pub rows: usize,
    /// How often the same rows came before these without anything else between.
    pub before: usize,
}

/// What is to be shown of these rows. `open` is the place of a row that must not be hidden.
pub(super) fn fold(rows: &[&Row], open: Option<usize>) -> Vec<Shown> {
    let keys: Vec<Option<u64>> = rows.iter().map(|row| key(row)).collect();
    let mut out = Vec::new();
    let mut at = 0;
    while at < keys.len() {
        let (period, times) = (1..=MAX_LEN)
            .map(|period| (period, times(&keys, at, period)))
            .fold((1, 1), |best, now| if now.1 >= MANY && now.0 * now.1 > best.0 * best.1 { now } else { best });
        let hidden = at..at + period * (times - 1);
        if times < MANY || open.is_some_and(|open| hidden.contains(&open)) {
            out.push(Shown { first: at, rows: 1, before: 0 });
            at += 1;
        } else {
            out.push(Shown { first: hidden.end, rows: period, before: times - 1 });
            at += period * times;
        }
    }
    out
}

/// How often the rows from `at` on come one after the other.
fn times(keys: &[Option<u64>], at: usize, period: usize) -> usize {
    let Some(first) = keys.get(at..at + period).filter(|first| first.iter().all(Option::is_some)) else { return 1 };
    keys.get(at..).unwrap_or_default().chunks_exact(period).take_while(|chunk| *chunk == first).count()
}

/// Equal for rows that differ in nothing but PIDs and durations; none for a row that is always shown.
fn key(row: &Row) -> Option<u64> {
    let mut hasher = DefaultHasher::new();
    match row {
        Row::Call(event) => {
            (&event.call.comm, brief(&event.call)).hash(&mut hasher);
            event.asked().map(|asked| brief(&asked)).hash(&mut hasher);
            match event.returned {
                // A fork returns a PID.
                Return::Value(value) if !event.call.syscall.makes_process() => value.hash(&mut hasher),
                Return::Value(_) => {}
                other => other.to_string().hash(&mut hasher),
            }
            let lasting: Vec<Change> =
                event.changed.iter().filter(|change| !matches!(change, Change::Child(_))).cloned().collect();
            changes(&lasting, Lang::En).hash(&mut hasher);
        }
        Row::End(_, comm, ended) => (comm, format!("{ended:?}")).hash(&mut hasher),
        Row::Note(..) => return None,
    }
    Some(hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        kernel::pid::Pid,
        trace::{Call, Ended, SyscallEvent},
    };

    fn fork(number: i32) -> Row {
        let call = Call::of(Pid(7), "sh", "clone", [libc::SIGCHLD as u64, 0, 0, 0, 0, 0]);
        let (returned, changed) = (Return::Value(number.into()), vec![Change::Child(Pid(number))]);
        Row::Call(SyscallEvent { call, returned, micros: 3, changed, asked: None })
    }

    fn end(number: i32) -> Row {
        Row::End(Pid(number), "true".into(), Ended::Exited(0))
    }

    fn shown(rows: &[Row], open: Option<usize>) -> Vec<(usize, usize, usize)> {
        let rows: Vec<&Row> = rows.iter().collect();
        fold(&rows, open).into_iter().map(|shown| (shown.first, shown.rows, shown.before)).collect()
    }

    #[test]
    fn the_last_of_many_alike_stands_for_all() {
        let mut rows: Vec<Row> = (1..=9).map(fork).collect();
        rows.push(end(1));
        assert_eq!(shown(&rows, None), [(8, 1, 8), (9, 1, 0)]);
        // The one that the learner looks at is not hidden.
        assert_eq!(shown(&rows, Some(3)), [(0, 1, 0), (1, 1, 0), (2, 1, 0), (3, 1, 0), (8, 1, 4), (9, 1, 0)]);
        assert_eq!(shown(&rows[..4], None).len(), 4, "a few are no flood");
    }

    #[test]
    fn calls_that_come_together_are_folded_together() {
        let rows: Vec<Row> = (1..=6).flat_map(|number| [fork(number), end(number)]).collect();
        assert_eq!(shown(&rows, None), [(10, 2, 5)]);
    }

    #[test]
    fn calls_that_differ_in_what_they_do_are_all_shown() {
        let name = |name: &'static str| {
            let call = Call::of(Pid(7), "sh", "sethostname", [name.as_ptr() as u64, name.len() as u64, 0, 0, 0, 0]);
            Row::Call(SyscallEvent { call, returned: Return::Value(0), micros: 3, changed: Vec::new(), asked: None })
        };
        let rows: Vec<Row> = ["a", "b", "c", "d", "e", "f"].map(name).into();
        assert_eq!(shown(&rows, None).len(), 6);
    }
}
