//! `boxwright doctor`: what this machine allows, what it does not, and the remedy for each.
//!
//! Every check stands alone, so that one table names every obstacle at once: where several refusals are stacked, as in
//! a container on a cloud workstation, mending one must not merely uncover the next. Which steps of a lesson can be done
//! is decided by the requirements of those steps, which a run asks for as well: the two cannot disagree.

mod around;
pub mod attempt;
mod bars;
mod cgroups;
mod container;
mod directory;
mod facts;
mod fix;
mod isolation;
mod lacking;
pub(crate) mod learner;
pub(crate) mod learners;
mod outlook;
mod privileges;
mod probe;
mod remedy;
#[cfg(test)]
mod remedy_cases;
#[cfg(test)]
mod remedy_tests;
mod silent;
mod surroundings;
mod tier;
mod trials;

pub(crate) use bars::{Bar, bar, silent as silent_mount};
pub(crate) use directory::no_program_starts;
pub(crate) use facts::release;
pub use lacking::{lacking, lacking_for, requirements};
pub(crate) use tier::{Tier, tier};

use crate::kernel::{errno, text};
use crate::{
    columns::align,
    dirs::Need,
    lang::Lang,
    lesson::{self, Requirement, Translations},
};
use facts::Facts;
use lacking::Findings;
use outlook::Outlook;
use remedy::Remedy;
use serde::{Serialize, Serializer};
use std::{io::Write, process::ExitCode};

/// How well something works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Level {
    Ok,
    /// It works less well, or only in part; no step is lost.
    Limited,
    /// Steps of the lessons of this row cannot be done.
    Missing,
}

/// One row of the table.
#[derive(Clone, Debug, Serialize, schemars::JsonSchema)]
struct Row {
    check: String,
    level: Level,
    /// What was found: a value, or the call that failed with its errno.
    found: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "remedy_text")]
    #[schemars(with = "Option<String>")]
    remedy: Option<Remedy>,
    /// The lessons that need this.
    lessons: Vec<String>,
    /// The requirement of lessons that this row is about.
    #[serde(skip)]
    need: Option<Requirement>,
    /// Whether no lesson can begin without this.
    #[serde(skip)]
    bars: bool,
}

fn remedy_text<S: Serializer>(remedy: &Option<Remedy>, serializer: S) -> Result<S::Ok, S::Error> {
    remedy.as_ref().map(Remedy::text).serialize(serializer)
}

impl Row {
    fn ok(check: impl Into<String>, found: impl Into<String>) -> Row {
        let (check, found) = (check.into(), found.into());
        Row { check, level: Level::Ok, found, remedy: None, lessons: Vec::new(), need: None, bars: false }
    }

    fn bad(level: Level, check: impl Into<String>, found: impl Into<String>, remedy: impl Into<Remedy>) -> Row {
        Row { level, remedy: Some(remedy.into()), ..Row::ok(check, found) }
    }

    /// This row is about a requirement: which lessons need it, and whether they lose steps, the lessons say.
    fn about(self, need: Requirement) -> Row {
        Row { need: Some(need), ..self }
    }

    /// No lesson can begin without this.
    fn barring(self) -> Row {
        Row { bars: true, ..self }
    }

    /// Names the lessons that need this, and tells what merely limits from what takes steps away.
    fn weigh(&mut self, lessons: &[Translations]) {
        let needs = |lesson: &&Translations| match &self.need {
            Some(need) => lesson
                .any()
                .is_some_and(|lesson| (0..lesson.steps.len()).any(|step| lesson::needs(lesson, step).contains(need))),
            None => self.bars,
        };
        self.lessons = lessons.iter().filter(needs).map(|lesson| lesson.id().to_string()).collect();
        if self.level != Level::Ok && self.need.is_some() {
            self.level = if self.lessons.is_empty() { Level::Limited } else { Level::Missing };
        }
    }
}

/// What was found, and what it means for the lessons.
#[derive(Serialize, schemars::JsonSchema)]
pub(crate) struct Report {
    event: &'static str,
    rows: Vec<Row>,
    lessons: Vec<Outlook>,
}

fn examine(lessons: &[Translations], need: Need, lang: Lang) -> Report {
    let mut rows = silent::rows(lang);
    let facts = Facts::read();
    let bars = bars::rows(lang);
    let known = bars.len() > 1;
    rows.extend(if known { privileges::rows(&facts, lang) } else { Vec::new() });
    // A trial is a process, and tells of its end through /proc: where one of these is wrong, no trial says anything.
    let needs = if bars.iter().all(|row| row.level == Level::Ok) { requirements(lessons) } else { Vec::new() };
    let findings = Findings::of(&needs, need);
    rows.extend(bars);
    if !needs.is_empty() {
        rows.extend(isolation::rows(&facts, &findings, lang));
        rows.extend(cgroups::rows(&facts, &findings, lang));
    }
    rows.extend(known.then(|| around::row(&facts, lang)));
    rows.extend(surroundings::rows(lang));
    rows.extend(known.then(|| directory::row(&facts, need, lang)));
    rows.iter_mut().for_each(|row| row.weigh(lessons));
    let lacking = findings.lacking(&facts, lang);
    let barred = rows.iter().filter(|row| row.bars && row.level == Level::Missing);
    let barred: Vec<String> = barred.map(|row| row.check.clone()).collect();
    let lessons = lessons.iter().filter_map(|lesson| lesson.best(lang));
    let lessons = lessons.map(|lesson| Outlook::of(lesson, &lacking, &barred, lang)).collect();
    Report { event: "doctor", rows, lessons }
}

/// Checks everything; gives the table line by line, for the screen. `need` is what a session's directory must offer.
pub(crate) fn lines(lessons: &[Translations], need: Need, lang: Lang) -> Vec<String> {
    examine(lessons, need, lang).table(lang).lines().map(str::to_owned).collect()
}

/// Checks everything and prints one table. Status 3 where a lesson has no step that can be done on this machine: a run of
/// it would skip them all.
pub(crate) fn run(lessons: &[Translations], json: bool, need: Need, lang: Lang) -> ExitCode {
    let report = examine(lessons, need, lang);
    let text = match json {
        true => text::json(&report).unwrap_or_default(),
        false => text::safe(&report.table(lang)),
    };
    let printed = writeln!(std::io::stdout().lock(), "{text}");
    match printed {
        written if !errno::is_written(&written) => ExitCode::FAILURE,
        Err(_) => ExitCode::SUCCESS,
        Ok(()) if report.lessons.iter().all(|outlook| outlook.possible) => ExitCode::SUCCESS,
        Ok(()) => ExitCode::from(3),
    }
}

/// `--fix`: puts right what this program can put right by itself, and says what it did. Status 3 where that failed.
pub(crate) fn fix(lang: Lang) -> ExitCode {
    let (text, status) = match fix::fix(&Facts::read(), lang) {
        Ok(lines) => (lines.join("\n"), ExitCode::SUCCESS),
        Err(why) => {
            // A closed standard error has no reader.
            let _ = writeln!(std::io::stderr(), "boxwright: {why}");
            return ExitCode::from(3);
        }
    };
    if errno::is_written(&writeln!(std::io::stdout().lock(), "{text}")) { status } else { ExitCode::FAILURE }
}

impl Report {
    fn table(&self, lang: Lang) -> String {
        let level = |level| match level {
            Level::Ok => lang.pick("ok", "正常"),
            Level::Limited => lang.pick("limited", "受限"),
            Level::Missing => lang.pick("missing", "缺失"),
        };
        let cells =
            self.rows.iter().map(|row| vec![level(row.level).into(), row.check.clone(), text::printable(&row.found)]);
        let mut out = Vec::new();
        for (line, row) in align(&cells.collect::<Vec<_>>()).into_iter().zip(&self.rows) {
            out.push(line);
            let remedy = row.remedy.iter().filter(|remedy| !remedy.what.is_empty());
            for remedy in remedy {
                out.push(format!("         -> {}", remedy.what));
                out.extend(remedy.lines.iter().map(|line| format!("            {line}")));
            }
        }
        out.push(String::new());
        let lessons = self.lessons.iter().map(|outlook| vec![outlook.lesson.clone(), outlook.say(lang)]);
        out.extend(align(&lessons.collect::<Vec<_>>()));
        out.join("\n")
    }
}
