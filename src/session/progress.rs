//! How far the learner has come, kept between runs: which steps passed, and where each lesson was left.
//!
//! Several windows may be open at once, each with a copy of what was saved when it began. So a window saves only what it has
//! learnt itself since: under a lock it reads the file anew, adds that, and writes.

use super::{Outcome, Report, StateDir};
use crate::lesson::Lesson;
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    time::Duration,
};

/// The file in the state directory.
const FILE: &str = "progress.json";
/// Where a file goes that cannot be read: a newer program may have written it, so it is not thrown away.
const ASIDE: &str = "progress.json.unreadable";
/// How long saving waits for another window that is about to save, which takes milliseconds.
const PATIENCE: Duration = Duration::from_millis(500);

/// How far the learner has come in every lesson, as this session knows it. Steps are known by their names, which stay when
/// lessons are edited.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    known: Record,
    /// The part that this session has learnt and not saved yet.
    unsaved: Record,
}

/// What is in the file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Record {
    lessons: BTreeMap<String, Place>,
    /// The lesson that was open last.
    #[serde(default)]
    last: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    /// The step that was begun last; empty where that is not known.
    at: String,
    /// The steps that have passed at least once.
    #[serde(default)]
    passed: BTreeSet<String>,
}

impl Record {
    fn begin(&mut self, lesson: &Lesson, step: String) -> bool {
        let place = self.lessons.entry(lesson.id.clone()).or_default();
        let new = place.at != step || self.last.as_deref() != Some(&lesson.id);
        place.at = step;
        self.last = Some(lesson.id.clone());
        new
    }

    fn pass(&mut self, lesson: &Lesson, step: String) -> bool {
        self.lessons.entry(lesson.id.clone()).or_default().passed.insert(step)
    }

    /// Adds what came later: what passed in either has passed, and where both know a place the later one holds.
    fn add(&mut self, later: Record) {
        for (lesson, Place { at, passed }) in later.lessons {
            let place = self.lessons.entry(lesson).or_default();
            place.passed.extend(passed);
            if !at.is_empty() {
                place.at = at;
            }
        }
        self.last = later.last.or(self.last.take());
    }

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
    pub fn note(&mut self, lesson: &Lesson, report: &Report) -> bool {
        let named = |index: &usize| lesson.steps.get(*index).map(|step| step.id.clone());
        match report {
            Report::Step(index) => {
                let Some(step) = named(index) else { return false };
                let new = self.known.begin(lesson, step.clone());
                if new {
                    self.unsaved.begin(lesson, step);
                }
                new
            }
            Report::Outcome(index, Outcome::Passed) => {
                let Some(step) = named(index) else { return false };
                let new = self.known.pass(lesson, step.clone());
                if new {
                    self.unsaved.pass(lesson, step);
                }
                new
            }
            _ => false,
        }
    }

    /// The lesson that was open last.
    pub fn last(&self) -> Option<&str> {
        self.known.last.as_deref()
    }

    /// The index of the step at which a lesson was left; `None` where it was not begun, or has lost that step.
    pub fn at(&self, lesson: &Lesson) -> Option<usize> {
        let place = self.known.lessons.get(&lesson.id)?;
        lesson.steps.iter().position(|step| step.id == place.at)
    }

    /// How many of a lesson's steps have passed.
    pub fn passed(&self, lesson: &Lesson) -> usize {
        let Some(place) = self.known.lessons.get(&lesson.id) else { return 0 };
        lesson.steps.iter().filter(|step| place.passed.contains(&step.id)).count()
    }

    /// Reads what was saved. A file that cannot be understood is put aside, and the second value says where.
    pub fn load(dir: &StateDir) -> io::Result<(Progress, Option<String>)> {
        let (known, aside) = Record::load(dir)?;
        Ok((Progress { known, unsaved: Record::default() }, aside))
    }

    /// Forgets everything that was saved so far. What other windows reach from now on is kept.
    pub fn reset(dir: &StateDir) -> io::Result<Progress> {
        let _turn = dir.turn(FILE, PATIENCE)?;
        Record::default().save(dir)?;
        Ok(Progress::default())
    }

    /// Whether something would be lost by ending now.
    pub fn is_unsaved(&self) -> bool {
        self.unsaved != Record::default()
    }

    /// Adds what is new to what is saved by now, and learns what other windows have saved. A full disk or a crash leaves
    /// what was saved before. The value says where a file went that could not be understood.
    ///
    /// Errors: those of reading and writing, and that another window kept the lock for too long. What was new still is.
    pub fn save(&mut self, dir: &StateDir) -> io::Result<Option<String>> {
        let _turn = dir.turn(FILE, PATIENCE)?;
        let (mut record, aside) = Record::load(dir)?;
        record.add(self.unsaved.clone());
        record.save(dir)?;
        self.known = record;
        self.unsaved = Record::default();
        Ok(aside)
    }
}

#[cfg(test)]
#[path = "progress_tests.rs"]
mod tests;
