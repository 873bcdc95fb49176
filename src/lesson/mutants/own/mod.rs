//! Mutants of a script that a learner wrote, such as the `mybox` of the lesson `runtime`.
//!
//! A row of the table applies where the script has the command that makes the row's call. What is found is a [`Candidate`] only:
//! the script itself must first come to a container that has every fact of the certificate, and then the mutated one must come to
//! one that lacks some of them. Then it is an [`Own`], which a learner is shown.

mod finds;
mod groups;
mod mend;
mod script;
mod shell;
mod step;
#[cfg(test)]
mod tests;

use super::{Comes, Kind, Row, drawn, rows, text};
use crate::{
    lang::Lang,
    lesson::{
        fills::Fills,
        model::{Block, Lesson},
        translations::Translations,
    },
};
use finds::{Found, places};
use script::Script;
use serde::{Deserialize, Serialize};
pub(crate) use step::Trial;

/// How large a script may be, in bytes.
pub(crate) const MAX_BYTES: usize = 64 << 10;
/// How many places of one row are tried for a seed.
const TRIES: usize = 2;
/// A container that may have more than this is not filled twice over, in MiB.
const MAX_FILLED: u64 = 512;
/// The host name that the certificate asks for.
const NAME: &str = "mine";

/// A mutant of a learner's script, which the kernel has noticed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Own {
    script: String,
    seed: u64,
    row: String,
    place: usize,
    /// What its group allows, in bytes.
    limit: Option<u64>,
    /// The facts that are false of the mutant, and those that are true of it, as a lesson asks for them.
    broken: Vec<String>,
    keeps: Vec<String>,
}

/// What the kernel says of the script as it is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Good {
    /// What its group allows, in bytes.
    pub limit: Option<u64>,
    /// The facts that are true.
    pub holds: Vec<String>,
}

/// A mutation that the script has a place for.
#[derive(Clone)]
pub(crate) struct Candidate {
    row: &'static Row,
    place: usize,
    found: Found,
    mutated: String,
}

/// What became of a trial.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tried {
    /// The status of `mybox run`; 0 where a container stands.
    pub run: i32,
    /// The status of `mybox exec true`, where that was asked for.
    pub entered: Option<i32>,
    /// The facts that are false.
    pub broken: Vec<String>,
    /// What the group of the session allows, in bytes.
    pub limit: Option<u64>,
}

/// What has a place in this script, in the order in which this seed takes it.
pub(crate) fn candidates(script: &str, seed: u64) -> Vec<Candidate> {
    let read = Script::new(script);
    let mut rows: Vec<&'static Row> = rows().filter(|(kind, _)| *kind == Kind::Mybox).map(|(_, row)| row).collect();
    rows.sort_by_key(|row| std::cmp::Reverse(drawn(seed, row.name)));
    let one = |row: &'static Row| {
        let mut all = of_row(row, script, &read);
        let first = drawn(seed, "variant") % all.len().max(1) as u64;
        all.rotate_left(first as usize);
        all.truncate(TRIES);
        all
    };
    rows.into_iter().flat_map(one).collect()
}

/// All places that this script has for a row.
fn of_row(row: &'static Row, script: &str, read: &Script) -> Vec<Candidate> {
    let all = places(row.name, read).into_iter().enumerate();
    let all = all.map(|(place, found)| Candidate { row, place, mutated: read.with(&found.edits), found });
    all.filter(|candidate| candidate.mutated != script).collect()
}

/// The trial of the script as it is, for every fact of the certificate, and for all that some candidate needs besides.
pub(crate) fn proof(script: &str, lang: Lang) -> Trial {
    step::trial(script, &certificate(), &all_further(script, None), false, lang)
}

fn all_further(script: &str, limit: Option<u64>) -> Vec<String> {
    let rows = rows().filter(|(kind, _)| *kind == Kind::Mybox).map(|(_, row)| row);
    let read = Script::new(script);
    let found = rows.flat_map(|row| places(row.name, &read).into_iter().map(move |found| (row, found)));
    let candidates = found.map(|(row, found)| Candidate { row, place: 0, found, mutated: String::new() });
    let mut more: Vec<String> = candidates.flat_map(|candidate| candidate.further(limit)).collect();
    more.sort();
    more.dedup();
    more
}

impl Good {
    /// What is known after the script was tried as it is. What a limit is named in is true of the limit that was seen.
    pub(crate) fn of(script: &str, tried: &Tried) -> Good {
        let holds = all_further(script, tried.limit).into_iter().filter(|fact| !tried.broken.contains(fact));
        Good { limit: tried.limit, holds: holds.collect() }
    }
}

/// The facts of the certificate.
pub(crate) fn certificate() -> Vec<String> {
    Kind::Mybox.facts().iter().map(|(fact, ..)| fact.replace("{name}", NAME)).collect()
}

impl Candidate {
    /// What it is called in the table.
    #[cfg(test)]
    fn name(&self) -> &'static str {
        self.row.name
    }

    /// Whether nothing can enter.
    fn is_shut(&self) -> bool {
        self.row.comes != Comes::Whole
    }

    /// The facts of its row that are not among those of the certificate.
    fn further(&self, limit: Option<u64>) -> Vec<String> {
        let all = self.row.broken.iter().chain(self.row.keeps).map(|fact| self.fill(fact, limit));
        let known = certificate();
        all.filter(|fact| !known.contains(fact) && !fact.contains('{')).collect()
    }

    /// Its words in the places of a text's.
    fn fill(&self, text: &str, limit: Option<u64>) -> String {
        let [x, y] = &self.found.words;
        let filled = text.replace("{x}", x).replace("{y}", y).replace("{name}", NAME);
        let filled = self.found.instead.iter().fold(filled, |text, (known, own)| text.replace(known, own));
        let Some(limit) = limit else { return filled };
        let numbers = [
            ("{mib}", limit >> 20),
            ("{bytes}", limit),
            ("{twice}", limit >> 19),
            ("{huge}", limit.saturating_mul(1024)),
        ];
        numbers.iter().fold(filled, |text, (name, number)| text.replace(name, &number.to_string()))
    }

    /// Whether a learner would be told numbers that the script does not have.
    fn lacks_a_limit(&self, good: &Good) -> bool {
        let words = &self.row.en;
        let counts = [words.text, words.why, self.row.look.1]
            .iter()
            .any(|text| text.contains("{mib}") || text.contains("{twice}"));
        counts && good.limit.is_none_or(|limit| limit >> 20 == 0 || limit >> 20 > MAX_FILLED)
    }

    /// Its trial; `None` where it would say what is not so.
    pub(crate) fn trial(&self, good: &Good, lang: Lang) -> Option<Trial> {
        if self.lacks_a_limit(good) {
            return None;
        }
        let asked = self.asked(good);
        let mut wrong: Vec<String> = self.row.broken.iter().map(|fact| self.fill(fact, good.limit)).collect();
        wrong.extend(self.never().iter().map(|fact| self.fill(fact, good.limit)));
        let (wrong, right): (Vec<String>, Vec<String>) = asked.into_iter().partition(|fact| wrong.contains(fact));
        Some(step::trial(&self.mutated, &right, &wrong, self.is_shut(), lang))
    }

    /// The facts that are asked for: those of the certificate, and those of the row that are true of the script as it is.
    fn asked(&self, good: &Good) -> Vec<String> {
        let more = self.further(good.limit).into_iter().filter(|fact| good.holds.contains(fact));
        more.chain(certificate()).collect()
    }

    /// The facts that cannot be true where the script comes to no container, or to a closed one.
    fn never(&self) -> Vec<&'static str> {
        text::never(self.row.comes, Kind::Mybox)
    }

    /// What a trial shows where the row is right.
    fn as_told(&self, good: &Good) -> Tried {
        let broken = self.row.broken.iter().copied().chain(self.never());
        let broken = broken.map(|fact| self.fill(fact, good.limit)).collect();
        let run = if self.row.comes == Comes::Nothing { 127 } else { 0 };
        Tried { run, entered: self.is_shut().then_some(1), broken, limit: good.limit }
    }

    /// The mutant, where the kernel has noticed what the row says.
    pub(crate) fn noticed(&self, script: &str, seed: u64, good: &Good, tried: &Tried) -> Option<Own> {
        let (broken, keeps): (Vec<String>, Vec<String>) =
            self.asked(good).into_iter().partition(|fact| tried.broken.contains(fact));
        let is_false = |fact: &&str| broken.contains(&self.fill(fact, good.limit));
        let entered = tried.entered.unwrap_or_default();
        let so = match self.row.comes {
            // 127 is what the row tells of.
            Comes::Nothing if self.row.name == "loader" => tried.run == 127,
            Comes::Nothing => tried.run != 0,
            Comes::Closed => tried.run == 0 && entered != 0,
            Comes::Whole => tried.run == 0 && self.row.broken.iter().any(is_false),
        };
        let all = self.never().iter().all(is_false);
        (so && all).then(|| Own {
            script: script.into(),
            seed,
            row: self.row.name.into(),
            place: self.place,
            limit: good.limit,
            broken,
            keeps,
        })
    }
}

impl Own {
    /// The name of its step.
    pub(crate) fn step(&self) -> String {
        own_step(&self.script, self.seed)
    }

    /// Its lesson in every language, filled in for a machine; no lesson where this program's table has no such row.
    pub(in super::super) fn lesson(&self, fills: &Fills) -> Option<Translations> {
        let read = Script::new(&self.script);
        let (_, row) = rows().find(|(_, row)| row.name == self.row)?;
        let found = places(row.name, &read).into_iter().nth(self.place)?;
        let mutated = read.with(&found.edits);
        let candidate = Candidate { row, place: self.place, mutated, found };
        let mut lesson = step::lesson(self, &candidate);
        lesson.fill(fills);
        let mended = mend::sed(&candidate.mutated, &self.script);
        lesson.values_mut().for_each(|lesson| put(lesson, &mended));
        Some(lesson)
    }
}

/// Every mutation that has a place in this script, each as a step and with the facts that the table says: what tests go through. Its
/// limit is 64 MiB.
pub fn every_of(script: &str) -> Translations {
    let read = Script::new(script);
    let good = Good::of(script, &Tried { limit: Some(64 << 20), ..Tried::default() });
    let rows = rows().filter(|(kind, _)| *kind == Kind::Mybox).map(|(_, row)| row);
    let found = rows.flat_map(|row| places(row.name, &read).into_iter().enumerate().map(move |found| (row, found)));
    let owns = found.enumerate().filter_map(|(seed, (row, (place, found)))| {
        let candidate = Candidate { row, place, mutated: read.with(&found.edits), found };
        candidate.noticed(script, seed as u64, &good, &candidate.as_told(&good))
    });
    let fills = Fills::of_this_machine("builtin:");
    let lessons = owns.filter_map(|own| own.lesson(&fills));
    lessons
        .reduce(|mut all, one| {
            for (all, one) in all.values_mut().zip(one.values()) {
                all.steps.extend(one.steps.clone());
            }
            all
        })
        .unwrap_or_default()
}

/// The name of the step with the mutant of this seed of a script.
pub(crate) fn own_step(script: &str, seed: u64) -> String {
    // Another script has other mutants.
    format!("own-{:06x}-{seed}", drawn(0, script) & 0x00ff_ffff)
}

/// Puts the line that mends the script where the step has the word for it: the script's own words are nobody's to fill in.
fn put(lesson: &mut Lesson, mended: &str) {
    for block in lesson.steps.iter_mut().flat_map(|step| &mut step.blocks) {
        match block {
            Block::Solution(way) | Block::Wrong(way) => {
                way.runs.iter_mut().for_each(|run| run.line = run.line.replace(step::MENDED, mended));
            }
            // What has a backquote itself cannot stand between two.
            Block::Hint(text) if mended.contains('`') => {
                *text = text.replace(&format!("`{}`", step::MENDED), mended);
            }
            Block::Hint(text) => *text = text.replace(step::MENDED, mended),
            _ => {}
        }
    }
}
