//! How far the learner has come, kept between runs: which steps passed, and where each lesson was left.

use super::{Outcome, Report, StateDir};
use crate::lesson::Lesson;
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    io,
};

/// The file in the state directory.
const FILE: &str = "progress.json";
/// Where a file goes that cannot be read: a newer program may have written it, so it is not thrown away.
const ASIDE: &str = "progress.json.unreadable";

/// How far the learner has come in every lesson. Steps are known by their names, which stay when lessons are edited.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    lessons: BTreeMap<String, Place>,
    /// The lesson that was open last.
    #[serde(default)]
    last: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    /// The step that was begun last.
    at: String,
    /// The steps that have passed at least once.
    #[serde(default)]
    passed: BTreeSet<String>,
}

impl Progress {
    /// Takes in what a session reports; true where something is new and worth saving.
    pub fn note(&mut self, lesson: &Lesson, report: &Report) -> bool {
        let named = |index: &usize| lesson.steps.get(*index).map(|step| step.id.clone());
        match report {
            Report::Step(index) => {
                let Some(step) = named(index) else { return false };
                let place = self.lessons.entry(lesson.id.clone()).or_default();
                let new = place.at != step || self.last.as_deref() != Some(&lesson.id);
                place.at = step;
                self.last = Some(lesson.id.clone());
                new
            }
            Report::Outcome(index, Outcome::Passed) => {
                let Some(step) = named(index) else { return false };
                self.lessons.entry(lesson.id.clone()).or_default().passed.insert(step)
            }
            _ => false,
        }
    }

    /// The lesson that was open last.
    pub fn last(&self) -> Option<&str> {
        self.last.as_deref()
    }

    /// The index of the step at which a lesson was left; `None` where it was not begun, or has lost that step.
    pub fn at(&self, lesson: &Lesson) -> Option<usize> {
        let place = self.lessons.get(&lesson.id)?;
        lesson.steps.iter().position(|step| step.id == place.at)
    }

    /// How many of a lesson's steps have passed.
    pub fn passed(&self, lesson: &Lesson) -> usize {
        let Some(place) = self.lessons.get(&lesson.id) else { return 0 };
        lesson.steps.iter().filter(|step| place.passed.contains(&step.id)).count()
    }

    /// Reads what was saved. A file that cannot be understood is put aside, and the second value says where.
    pub fn load(dir: &StateDir) -> io::Result<(Progress, Option<String>)> {
        let Some(bytes) = dir.load(FILE)? else { return Ok((Progress::default(), None)) };
        match serde_json::from_slice(&bytes) {
            Ok(progress) => Ok((progress, None)),
            Err(error) => {
                dir.save(ASIDE, &bytes)?;
                Ok((Progress::default(), Some(format!("{}: {error}", dir.path().join(ASIDE).display()))))
            }
        }
    }

    /// Saves it as a whole: a full disk or a crash leaves what was saved before.
    pub fn save(&self, dir: &StateDir) -> io::Result<()> {
        let mut bytes = serde_json::to_vec_pretty(self)?;
        bytes.push(b'\n');
        dir.save(FILE, &bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lesson::Step;

    fn lesson() -> Lesson {
        let step = |id: &str| Step { id: id.into(), ..Step::default() };
        Lesson { id: "isolate".into(), steps: vec![step("first"), step("second")], ..Lesson::default() }
    }

    #[test]
    fn what_was_reached_survives_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::at(dir.path()).unwrap();
        let (mut progress, aside) = Progress::load(&state).unwrap();
        assert_eq!((progress.at(&lesson()), aside), (None, None));
        assert!(progress.note(&lesson(), &Report::Step(0)));
        assert!(!progress.note(&lesson(), &Report::Step(0)), "nothing new");
        assert!(progress.note(&lesson(), &Report::Outcome(0, Outcome::Passed)));
        assert!(progress.note(&lesson(), &Report::Step(1)));
        assert!(!progress.note(&lesson(), &Report::Outcome(1, Outcome::Failed("x".into()))));
        progress.save(&state).unwrap();

        let (progress, _) = Progress::load(&state).unwrap();
        assert_eq!(
            (progress.last(), progress.at(&lesson()), progress.passed(&lesson())),
            (Some("isolate"), Some(1), 1)
        );
        let mut shorter = lesson();
        shorter.steps.pop();
        assert_eq!(progress.at(&shorter), None, "a step that was edited away");
    }

    #[test]
    fn a_broken_file_is_put_aside_and_not_lost() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::at(dir.path()).unwrap();
        state.save(FILE, b"{\"lessons\": tor").unwrap();
        let (progress, aside) = Progress::load(&state).unwrap();
        assert_eq!(progress, Progress::default());
        assert!(aside.unwrap().contains(ASIDE));
        assert_eq!(state.load(ASIDE).unwrap().unwrap(), b"{\"lessons\": tor");
    }
}
