//! `boxwright doctor`: what this machine allows, what it does not, and the remedy for each.
//!
//! Every check stands alone, so that one table names every obstacle at once: where several refusals are stacked, as in
//! a container on a cloud workstation, mending one must not merely uncover the next.

pub mod attempt;
mod cgroups;
mod directory;
mod isolation;
mod lacking;
mod machine;
mod surroundings;

pub use directory::no_program_starts;
pub use lacking::{lacking, lacking_for, requirements};

use crate::columns::{align, printable};
use crate::dirs::Need;
use crate::lang::Lang;
use machine::Machine;
use serde::Serialize;
use std::io::Write;
use std::process::ExitCode;

/// How well something works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
enum Level {
    Ok,
    /// It works less well, or only in part; no lesson is lost.
    Limited,
    /// The lessons of this row cannot be done.
    Missing,
}

/// One row of the table.
#[derive(Clone, Debug, Serialize)]
struct Row {
    check: String,
    level: Level,
    /// What was found: a value, or the call that failed with its errno.
    found: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
    /// The lessons that need this.
    lessons: &'static [&'static str],
}

impl Row {
    fn ok(check: impl Into<String>, found: impl Into<String>) -> Row {
        Row { check: check.into(), level: Level::Ok, found: found.into(), remedy: None, lessons: &[] }
    }

    fn bad(level: Level, check: impl Into<String>, found: impl Into<String>, remedy: impl Into<String>) -> Row {
        Row { check: check.into(), level, found: found.into(), remedy: Some(remedy.into()), lessons: &[] }
    }

    fn needed_by(mut self, lessons: &'static [&'static str]) -> Row {
        self.lessons = lessons;
        self
    }
}

/// The lessons, by the names of their folders.
const LESSONS: [&str; 5] = ["isolate", "rootfs", "cgroups", "nsenter", "together"];

/// Whether one lesson can be done, and which checks stand in its way.
#[derive(Debug, Serialize)]
struct Outlook {
    lesson: &'static str,
    possible: bool,
    because: Vec<String>,
}

fn outlooks(rows: &[Row]) -> Vec<Outlook> {
    let outlook = |lesson| {
        let bad = rows.iter().filter(|row| row.level == Level::Missing && row.lessons.contains(&lesson));
        let because: Vec<String> = bad.map(|row| row.check.clone()).collect();
        Outlook { lesson, possible: because.is_empty(), because }
    };
    LESSONS.into_iter().map(outlook).collect()
}

/// Checks everything; gives the table line by line, for the screen.
pub fn lines(need: Need, lang: Lang) -> Vec<String> {
    let (rows, outlooks) = examine(need, lang);
    table(&rows, &outlooks, lang).lines().map(str::to_owned).collect()
}

fn examine(need: Need, lang: Lang) -> (Vec<Row>, Vec<Outlook>) {
    let machine = Machine::read();
    let mut rows = machine.rows(lang);
    rows.extend(isolation::rows(&machine, lang));
    rows.extend(cgroups::rows(&machine, lang));
    rows.extend(surroundings::rows(lang));
    rows.push(directory::row(&machine, need, lang));
    let outlooks = outlooks(&rows);
    (rows, outlooks)
}

/// Checks everything and prints one table. Status 3 where a lesson cannot be done on this machine.
pub fn run(json: bool, need: Need, lang: Lang) -> ExitCode {
    let (rows, outlooks) = examine(need, lang);
    let text = match json {
        true => serde_json::json!({ "event": "doctor", "rows": rows, "lessons": outlooks }).to_string(),
        false => table(&rows, &outlooks, lang),
    };
    let printed = writeln!(std::io::stdout().lock(), "{text}");
    match printed {
        Err(_) => ExitCode::FAILURE,
        Ok(()) if outlooks.iter().all(|outlook| outlook.possible) => ExitCode::SUCCESS,
        Ok(()) => ExitCode::from(3),
    }
}

fn table(rows: &[Row], outlooks: &[Outlook], lang: Lang) -> String {
    let level = |level| match level {
        Level::Ok => lang.pick("ok", "正常"),
        Level::Limited => lang.pick("limited", "受限"),
        Level::Missing => lang.pick("missing", "缺失"),
    };
    let cells: Vec<Vec<String>> =
        rows.iter().map(|row| vec![level(row.level).into(), row.check.clone(), printable(&row.found)]).collect();
    let mut out = Vec::new();
    for (line, row) in align(&cells).into_iter().zip(rows) {
        out.push(line);
        out.extend(row.remedy.iter().map(|remedy| format!("         -> {remedy}")));
    }
    out.push(String::new());
    let lessons: Vec<Vec<String>> = outlooks
        .iter()
        .map(|outlook| {
            let why = match outlook.possible {
                true => lang.pick("possible here", "可以在这里做").to_string(),
                false => format!("{}{}", lang.pick("not here: ", "在这里做不了："), outlook.because.join(", ")),
            };
            vec![outlook.lesson.to_string(), why]
        })
        .collect();
    out.extend(align(&lessons));
    out.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_missing_row_closes_only_the_lessons_that_need_it() {
        let rows = [
            Row::bad(Level::Missing, "pivot_root", "pivot_root: EINVAL", "x").needed_by(&["rootfs"]),
            Row::bad(Level::Limited, "ptrace", "refused", "x").needed_by(&LESSONS),
            Row::ok("pid", "works").needed_by(&["isolate"]),
        ];
        let possible: Vec<bool> = outlooks(&rows).iter().map(|outlook| outlook.possible).collect();
        assert_eq!(possible, [true, false, true, true, true]);
        let text = table(&rows, &outlooks(&rows), Lang::En);
        assert!(text.contains("missing  pivot_root  pivot_root: EINVAL\n         -> x"), "{text}");
        assert!(text.contains("rootfs    not here: pivot_root"), "{text}");
    }
}
