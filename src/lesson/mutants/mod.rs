//! Mutants: one call of a runtime that is known to be good is deleted, put in another place, or weakened.
//!
//! What is good is the script `mybox` as the lesson `runtime` ends with it, or the `config.json` of a bundle, which says what calls
//! `crun` makes. A mutant becomes the text of an ordinary step, in both
//! languages, which is parsed like any lesson file: the screen, plain lines, `run`, recordings and tests know nothing of mutants.
//! A seed chooses the same one everywhere, and nothing but the seed does.

mod bundle;
mod bundle_rights;
mod entering;
mod kind;
mod limits;
mod own;
mod rights;
mod root;
mod text;

use super::{
    fills::Fills,
    model::{Lesson, Step, TerminalId},
    store,
    translations::Translations,
};
use crate::lang::Lang;
use kind::Kind;
pub use own::every_of;
pub(crate) use own::{
    Candidate, Good, MAX_BYTES as MAX_SCRIPT, Own, Trial, Tried, candidates, certificate, own_step, proof,
};
use std::sync::LazyLock;

/// What the lesson of mutants is called where lessons have their names.
pub(crate) const MUTANTS: &str = "mutants";

/// How many are put behind one another: `n` leads on to the next.
const COURSE: usize = 12;

/// What the mutated text comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comes {
    /// To a container that a process has entered.
    Whole,
    /// To a container that nothing can enter.
    Closed,
    /// To its end, before there is a container.
    Nothing,
}

/// A line that is typed.
type Line = (TerminalId, &'static str);

/// Lines that hide the symptom at most, and the facts that refuse them, all others being true; none: those that the mutation
/// makes false.
type Wrong = (&'static [Line], &'static [&'static str]);

/// What is said of a mutant in one language.
struct Words {
    title: &'static str,
    /// The symptom.
    text: &'static str,
    nudge: &'static str,
    idea: &'static str,
    why: &'static str,
}

/// A mutation, and all that a step needs of it. In every text `{x}` and `{y}` stand for the words of a variant, `{name}` for the
/// container's host name, `{mib}` and `{bytes}` for its limit, `{twice}` for twice as many MiB, and `{huge}` for 1024 times as many bytes.
struct Row {
    name: &'static str,
    /// The words for which the same mutation exists several times.
    variants: &'static [[&'static str; 2]],
    /// What of the text is replaced, and by what; each is there exactly once.
    edits: &'static [(&'static str, &'static str)],
    comes: Comes,
    /// The facts that it makes false, where there is a container; those that are not among [`Kind::facts`] belong to [`text::MORE`].
    broken: &'static [&'static str],
    /// Facts of [`text::MORE`] that stay true and must.
    keeps: &'static [&'static str],
    /// What shows the symptom.
    look: Line,
    /// Whether that fails.
    fails: bool,
    /// The sed(1) command that puts the text in order.
    sed: &'static str,
    /// Repairs of the container while it runs.
    live: &'static [&'static [Line]],
    /// What hides the symptom at most.
    wrong: &'static [Wrong],
    en: Words,
    zh: Words,
}

impl Row {
    fn words(&self, lang: Lang) -> &Words {
        lang.pick(&self.en, &self.zh)
    }

    /// Whether anything notices it; what nothing notices is not offered.
    fn is_noticed(&self) -> bool {
        self.comes != Comes::Whole || !self.broken.is_empty()
    }
}

/// All of them.
fn rows() -> impl Iterator<Item = (Kind, &'static Row)> {
    let own = root::ROWS.iter().chain(&limits::ROWS).chain(&rights::ROWS).chain(&entering::ROWS);
    let own = own.map(|row| (Kind::Mybox, row));
    let bundles = bundle::ROWS.iter().chain(&bundle_rights::ROWS).map(|row| (Kind::Bundle, row));
    own.chain(bundles).filter(|(_, row)| row.is_noticed())
}

/// A mutant: a row of the table, and what varies.
#[derive(Clone, Copy)]
struct Mutant {
    kind: Kind,
    row: &'static Row,
    variant: usize,
    /// Its container's host name.
    name: &'static str,
    /// Its limit.
    mib: u64,
}

/// Host names that its container may have.
const NAMES: [&str; 6] = ["mine", "crate", "parcel", "trunk", "casket", "coffer"];
/// Limits that it may have, in MiB.
const LIMITS: [u64; 4] = [64, 72, 80, 96];

impl Mutant {
    /// The one of this seed. Each row draws a number and the greatest wins, so that a row that is new one day changes only the
    /// seeds that it wins.
    fn of(seed: u64) -> Option<Mutant> {
        let (kind, row) = rows().max_by_key(|(_, row)| drawn(seed, row.name))?;
        let pick = |what: &str, count: usize| (drawn(seed, what) % count.max(1) as u64) as usize;
        Some(Mutant {
            kind,
            row,
            variant: pick("variant", row.variants.len()),
            name: NAMES.get(pick("name", NAMES.len())).copied().unwrap_or_default(),
            mib: LIMITS.get(pick("limit", LIMITS.len())).copied().unwrap_or_default(),
        })
    }
}

/// A number that nothing but the seed and the word decides: FNV-1a, and the end of MurmurHash3 to spread it.
fn drawn(seed: u64, word: &str) -> u64 {
    let bytes = seed.to_le_bytes().into_iter().chain(word.bytes());
    let hash = bytes
        .fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    let hash = (hash ^ hash >> 33).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let hash = (hash ^ hash >> 33).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ hash >> 33
}

/// A seed and those after it that have other mutations.
pub(crate) fn course(first: u64) -> Vec<u64> {
    let mut met: Vec<&str> = Vec::new();
    let new = |seed: &u64| {
        let name = Mutant::of(*seed).map_or("", |mutant| mutant.row.name);
        let new = !met.contains(&name);
        met.push(name);
        new
    };
    (first..=u64::MAX).filter(new).take(COURSE).collect()
}

/// The seed of a day in UTC, so many seconds after the beginning of 1970: 20261130 on the thirtieth of November, 2026.
pub fn daily(seconds: u64) -> u64 {
    // Howard Hinnant's `civil_from_days`: years begin in March, so that the leap day is the last of one.
    let days = seconds / 86_400 + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let of_year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let day = of_era - (365 * of_year + of_year / 4 - of_year / 100);
    let from_march = (5 * day + 2) / 153;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = era * 400 + of_year + u64::from(month <= 2);
    year * 10_000 + month * 100 + day - (153 * from_march + 2) / 5 + 1
}

/// The name of the step of a seed.
pub(crate) fn step(seed: u64) -> String {
    format!("seed-{seed}")
}

/// The seed in `mutants/seed-N`.
pub(crate) fn named(place: &str) -> Option<u64> {
    seed_of(place.strip_prefix(MUTANTS)?.strip_prefix('/')?)
}

fn seed_of(step: &str) -> Option<u64> {
    step.strip_prefix("seed-")?.parse().ok().filter(|seed| step == self::step(*seed))
}

/// The seeds of the mutants among these lessons.
pub(super) fn seeds(lessons: &[Translations]) -> Vec<u64> {
    let steps = lessons.iter().filter(|lesson| lesson.id() == MUTANTS).filter_map(Translations::any);
    steps.flat_map(|lesson| &lesson.steps).filter_map(|step| seed_of(&step.id)).collect()
}

/// Stands for a lesson of mutants where only the names of its steps are asked for.
pub(crate) fn bare(seed: u64) -> Lesson {
    let step = Step { id: step(seed), ..Step::default() };
    Lesson { id: MUTANTS.into(), steps: vec![step], ..Lesson::default() }
}

/// The same with the mutants of a learner's own script.
pub(crate) fn bare_own(script: &str, seed: u64) -> Lesson {
    let step = Step { id: own_step(script, seed), ..Step::default() };
    Lesson { id: MUTANTS.into(), steps: vec![step], ..Lesson::default() }
}

/// The lesson of these seeds, in every language, as it is written.
pub(super) fn lesson(seeds: &[u64]) -> Translations {
    let mutants = seeds.iter().filter_map(|seed| Some((step(*seed), Mutant::of(*seed)?)));
    read(&mutants.collect::<Vec<_>>())
}

/// Every variant of every row, each as a step with the name of its row, filled in for this machine: what no seed can miss is what
/// tests go through.
pub fn every() -> Translations {
    filled(every_as_written())
}

/// The lesson with the mutant of this seed alone, filled in for this machine.
pub fn of_seed(seed: u64) -> Translations {
    filled(lesson(&[seed]))
}

fn filled(mut lesson: Translations) -> Translations {
    lesson.fill(&Fills::of_this_machine("builtin:"));
    lesson
}

fn every_as_written() -> Translations {
    let all = rows().flat_map(|(kind, row)| (0..row.variants.len().max(1)).map(move |variant| (kind, row, variant)));
    let named = all.map(|(kind, row, variant)| {
        let id = if variant == 0 { row.name.to_string() } else { format!("{}-{}", row.name, variant + 1) };
        (id, Mutant { kind, row, variant, name: "mine", mib: 64 })
    });
    read(&named.collect::<Vec<_>>())
}

fn read(mutants: &[(String, Mutant)]) -> Translations {
    // A test holds that there is no problem.
    store::made(MUTANTS, Lang::ALL.map(|lang| (lang, text::markdown(mutants, lang))))
}

/// The script as the lesson `runtime` ends with it.
fn good() -> &'static str {
    static GOOD: LazyLock<String> = LazyLock::new(|| {
        let lesson = store::written("runtime").unwrap_or_default();
        let solutions = lesson.steps.iter().rev().find(|step| step.challenge).map(Step::solutions).unwrap_or_default();
        let line = solutions.first().and_then(|runs| runs.first()).map(|run| run.line.as_str()).unwrap_or_default();
        let script = line.split_once('\n').and_then(|(_, rest)| rest.rsplit_once('\n'));
        script.map(|(script, _)| format!("{script}\n")).unwrap_or_default()
    });
    &GOOD
}

#[cfg(test)]
mod tests;
