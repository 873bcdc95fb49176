//! How far the learner has come, kept between runs: what each step has come to, and where each lesson was left.
//!
//! Several windows may be open at once, each with a copy of what was saved when it began. So a window saves only what it has
//! learnt itself since: under a lock it reads the file anew, adds that, and writes.

mod record;
mod repair;
pub(crate) mod report;
mod standing;

pub(crate) use repair::Repair;
pub(crate) use standing::{LessonProgress, Predictions, Standing, StepProgress};

use super::{Lacking, Outcome, Report, StateDir, lack};
use crate::lesson::{Block, Lesson, Step};
use record::{Place, Reason, Record};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    io,
    path::PathBuf,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// The file in the state directory.
const FILE: &str = "progress.json";
/// Where a file goes that cannot be read: a newer program may have written it, so it is not thrown away.
const ASIDE: &str = "progress.json.unreadable";
/// How long saving waits for another window that is about to save, which takes milliseconds.
const PATIENCE: Duration = Duration::from_millis(500);

/// How far the learner has come in every lesson, as this session knows it. Steps are known by their names, which stay when
/// lessons are edited.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Progress {
    known: Record,
    /// The part that this session has learnt and not saved yet.
    #[serde(skip)]
    unsaved: Record,
}

impl Record {
    /// Reads what was saved. A file that cannot be understood is put aside, and the second value says where and why.
    fn load(dir: &StateDir) -> io::Result<(Record, Option<String>)> {
        let Some(bytes) = dir.load(FILE)? else { return Ok((Record::default(), None)) };
        match serde_json::from_slice(&bytes) {
            Ok(record) => Ok((record, None)),
            Err(error) => {
                dir.save(ASIDE, &bytes)?;
                Ok((Record::default(), Some(format!("{}: {error}", dir.path().join(ASIDE).display()))))
            }
        }
    }

    fn save(&self, dir: &StateDir) -> io::Result<()> {
        let mut bytes = serde_json::to_vec_pretty(self)?;
        bytes.push(b'\n');
        dir.save(FILE, &bytes)
    }
}

impl Progress {
    /// Takes in what a session reports; true where something is new and worth saving.
    pub(crate) fn note(&mut self, lesson: &Lesson, report: &Report) -> bool {
        match report {
            Report::Step(index) => self.learn(lesson, *index, |place, step| place.at = step) | self.open(lesson),
            Report::Solved(index, alone) => self.learn(lesson, *index, |place, step| {
                if *alone { &mut place.alone } else { &mut place.helped }.insert(step.clone());
                place.passed.insert(step);
            }),
            Report::Left(index) => self.learn(lesson, *index, |place, step| {
                place.skipped.insert(step);
            }),
            Report::Answered(index, block, right) => {
                let Some(question) = question(lesson, *index, *block) else { return false };
                self.learn(lesson, *index, |place, step| {
                    place.answers.entry(step).or_default().entry(question).or_insert(*right);
                })
            }
            // What the machine lacks is known of all steps, see [`Progress::lacks`].
            Report::Outcome(index, Outcome::Skipped(why)) if self.lack(lesson, *index).is_none() => {
                let reason = Reason::from([(lesson.lang.code().into(), why.clone())]);
                self.learn(lesson, *index, |place, step| drop(place.unseen.insert(step, reason.clone())))
            }
            _ => false,
        }
    }

    /// Takes down which steps of a lesson this machine cannot do, by language code; true where that is new.
    pub(crate) fn lacks(&mut self, lesson: &Lesson, lacking: &BTreeMap<&'static str, Lacking>) -> bool {
        if lacking.is_empty() {
            return false;
        }
        let mut steps: BTreeMap<String, Reason> = BTreeMap::new();
        for (lang, lacking) in lacking {
            for (index, step) in lesson.steps.iter().enumerate() {
                if let Some((_, why)) = lack(lesson, index, lacking) {
                    steps.entry(step.id.clone()).or_default().insert((*lang).into(), why.clone());
                }
            }
        }
        self.change(lesson, |place| place.lacking = Some(steps.clone()))
    }

    /// Takes down what the repair of a step took; the fastest one is kept. True where that is new.
    pub(crate) fn repaired(&mut self, lesson: &Lesson, index: usize, repair: Repair) -> bool {
        self.learn(lesson, index, |place, step| {
            let best = place.repairs.entry(step).or_insert(repair);
            *best = repair.min(*best);
        })
    }

    /// The fastest repair of a step.
    pub(crate) fn best(&self, lesson: &Lesson, step: &str) -> Option<Repair> {
        self.known.lessons.get(&lesson.id)?.repairs.get(step).copied()
    }

    /// How many steps of the lesson of this name were repaired.
    pub(crate) fn repairs(&self, lesson: &str) -> usize {
        self.known.lessons.get(lesson).map_or(0, |place| place.repairs.len())
    }

    /// Whether a lesson was ever begun.
    pub(crate) fn has_begun(&self, lesson: &Lesson) -> bool {
        self.known.lessons.contains_key(&lesson.id)
    }

    fn open(&mut self, lesson: &Lesson) -> bool {
        let id = Some(lesson.id.clone());
        let new = self.known.last != id;
        if new {
            self.known.last.clone_from(&id);
            self.unsaved.last = id;
        }
        new
    }

    fn learn(&mut self, lesson: &Lesson, index: usize, what: impl Fn(&mut Place, String)) -> bool {
        let Some(step) = lesson.steps.get(index) else { return false };
        self.change(lesson, |place| what(place, step.id.clone()))
    }

    /// Changes what is known of a lesson; what is new in that is to be saved.
    fn change(&mut self, lesson: &Lesson, what: impl Fn(&mut Place)) -> bool {
        let known = self.known.lessons.entry(lesson.id.clone()).or_default();
        let before = known.clone();
        what(known);
        let new = *known != before;
        if new {
            what(self.unsaved.lessons.entry(lesson.id.clone()).or_default());
        }
        new
    }

    fn lack(&self, lesson: &Lesson, index: usize) -> Option<&Reason> {
        let place = self.known.lessons.get(&lesson.id)?;
        place.lacking.as_ref()?.get(&lesson.steps.get(index)?.id)
    }

    /// What a step has come to.
    pub(crate) fn standing(&self, lesson: &Lesson, index: usize) -> Standing {
        let known = self.known.lessons.get(&lesson.id).zip(lesson.steps.get(index));
        let Some((place, Step { id, .. })) = known else { return Standing::Open };
        let said = |reason: &Reason| {
            let said = reason.get(lesson.lang.code()).or_else(|| reason.values().next());
            said.cloned().unwrap_or_default()
        };
        match () {
            () if place.passed.contains(id) && place.helped.contains(id) && !place.alone.contains(id) => {
                Standing::Helped
            }
            () if place.passed.contains(id) => Standing::Done,
            () => match self.lack(lesson, index).or_else(|| place.unseen.get(id)) {
                Some(reason) => Standing::Impossible(said(reason)),
                None if place.skipped.contains(id) => Standing::Skipped,
                None => Standing::Open,
            },
        }
    }

    /// What a lesson's steps have come to, in the language of `lesson`.
    pub(crate) fn of(&self, lesson: &Lesson) -> LessonProgress {
        let mut all = LessonProgress::new(lesson, |index| self.standing(lesson, index));
        let Some(place) = self.known.lessons.get(&lesson.id) else { return all };
        for step in &mut all.steps {
            let Some(given) = place.answers.get(&step.id) else { continue };
            step.answers.iter_mut().enumerate().for_each(|(question, answer)| *answer = given.get(&question).copied());
        }
        all
    }

    /// The lesson that was open last.
    pub(crate) fn last(&self) -> Option<&str> {
        self.known.last.as_deref()
    }

    /// The index of the step at which a lesson was left; `None` where it was not begun, or has lost that step.
    pub(crate) fn at(&self, lesson: &Lesson) -> Option<usize> {
        let place = self.known.lessons.get(&lesson.id)?;
        lesson.steps.iter().position(|step| step.id == place.at)
    }

    /// Reads what was saved. A file that cannot be understood is put aside, and the second value says where.
    pub(crate) fn load(dir: &StateDir) -> io::Result<(Progress, Option<String>)> {
        let (known, aside) = Record::load(dir)?;
        Ok((Progress { known, unsaved: Record::default() }, aside))
    }

    /// Reads what was saved, wherever it is, and changes nothing: neither a directory nor a file is made.
    ///
    /// Errors: where the file is, and why it cannot be read or understood.
    pub(crate) fn look() -> Result<Progress, (PathBuf, io::Error)> {
        let Some(dir) = StateDir::with(FILE) else { return Ok(Progress::default()) };
        let known = dir.load(FILE).and_then(|bytes| Ok(serde_json::from_slice(&bytes.unwrap_or_default())?));
        let known = known.map_err(|error| (dir.path().join(FILE), error))?;
        Ok(Progress { known, unsaved: Record::default() })
    }

    /// What is known, for another machine: without what only this machine cannot do.
    pub(crate) fn carried(&self) -> io::Result<Vec<u8>> {
        let mut bytes = serde_json::to_vec_pretty(&self.known.clone().elsewhere())?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// Reads what [`Progress::carried`] gave on another machine; all of it is still to be saved.
    pub(crate) fn from_elsewhere(bytes: &[u8]) -> io::Result<Progress> {
        let unsaved: Record = serde_json::from_slice(bytes)?;
        Ok(Progress { known: Record::default(), unsaved: unsaved.elsewhere() })
    }

    /// Adds this to what is saved, as [`Progress::save`] does.
    pub(crate) fn add_to(mut self, dir: &StateDir) -> io::Result<Option<String>> {
        self.save(dir)
    }

    /// On how many days something was reached, today included where it is not saved yet.
    pub(crate) fn days(&self) -> usize {
        self.known.days.len().max(usize::from(!self.known.lessons.is_empty()))
    }

    /// Forgets everything that was saved so far. What other windows reach from now on is kept.
    pub(crate) fn reset(dir: &StateDir) -> io::Result<Progress> {
        let _turn = dir.turn(FILE, PATIENCE)?;
        Record::default().save(dir)?;
        Ok(Progress::default())
    }

    /// Whether something would be lost by ending now.
    #[cfg(test)]
    pub(crate) fn is_unsaved(&self) -> bool {
        self.unsaved != Record::default()
    }

    /// Adds what is new to what is saved by now, and learns what other windows have saved. A full disk or a crash leaves
    /// what was saved before. The value says where a file went that could not be understood.
    ///
    /// Errors: those of reading and writing, and that another window kept the lock for too long. What was new still is.
    pub(crate) fn save(&mut self, dir: &StateDir) -> io::Result<Option<String>> {
        self.save_within(PATIENCE, dir)
    }

    fn save_within(&mut self, patience: Duration, dir: &StateDir) -> io::Result<Option<String>> {
        let _turn = dir.turn(FILE, patience)?;
        let (mut record, aside) = Record::load(dir)?;
        record.add(self.unsaved.clone());
        record.days.extend(today());
        record.save(dir)?;
        self.known = record;
        self.unsaved = Record::default();
        Ok(aside)
    }
}

/// The days since 1970; a clock before that tells nothing.
fn today() -> Option<u64> {
    SystemTime::now().duration_since(UNIX_EPOCH).ok().map(|since| since.as_secs() / 86_400)
}

/// The number of a question among those of its step, from 0.
fn question(lesson: &Lesson, step: usize, block: usize) -> Option<usize> {
    let before = lesson.steps.get(step)?.blocks.get(..block)?;
    Some(before.iter().filter(|block| matches!(block, Block::Predict(_))).count())
}

#[cfg(test)]
mod kept_tests;
#[cfg(test)]
#[path = "progress_tests.rs"]
mod tests;
