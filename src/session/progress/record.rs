//! What is kept of a learner: only what grows, so that records of several windows can be added in any order.

use super::Repair;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What is in the file. A field that an older program did not know is empty where that program wrote the file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) lessons: BTreeMap<String, Place>,
    /// The lesson that was open last.
    #[serde(default)]
    pub(super) last: Option<String>,
    /// The days on which something new was kept, counted from 1970 (UTC).
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) days: BTreeSet<u64>,
}

/// Why something cannot be done, by language code.
pub(super) type Reason = BTreeMap<String, String>;

/// What is kept of a lesson; steps by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Place {
    /// The step that was begun last; empty where that is not known.
    pub(super) at: String,
    /// The steps that have passed at least once.
    pub(super) passed: BTreeSet<String>,
    /// Those that have passed at least once with the solution shown.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) helped: BTreeSet<String>,
    /// Those that have passed at least once without.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) alone: BTreeSet<String>,
    /// Those that were left for a later one before they had passed.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) skipped: BTreeSet<String>,
    /// Those that came to their end, but could not be seen whole.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) unseen: BTreeMap<String, Reason>,
    /// Those that the machine of the last session cannot do; `None` where no session knew that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) lacking: Option<BTreeMap<String, Reason>>,
    /// Whether the first answer to each question of a step was right; questions are counted from 0.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) answers: BTreeMap<String, BTreeMap<usize, bool>>,
    /// The fastest repair of each broken step.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) repairs: BTreeMap<String, Repair>,
}

impl Record {
    /// Adds what came later: what was done in either is done, the first answer to a question counts, and where both know
    /// a place or a machine the later one holds.
    pub(super) fn add(&mut self, later: Record) {
        for (lesson, place) in later.lessons {
            self.lessons.entry(lesson).or_default().add(place);
        }
        self.last = later.last.or(self.last.take());
        self.days.extend(later.days);
    }

    /// What of it is true on every machine.
    pub(super) fn elsewhere(mut self) -> Record {
        for place in self.lessons.values_mut() {
            place.unseen.clear();
            place.lacking = None;
        }
        self
    }
}

impl Place {
    fn add(&mut self, later: Place) {
        let Place { at, passed, helped, alone, skipped, unseen, lacking, answers, repairs } = later;
        self.passed.extend(passed);
        self.helped.extend(helped);
        self.alone.extend(alone);
        self.skipped.extend(skipped);
        self.unseen.extend(unseen);
        self.lacking = lacking.or(self.lacking.take());
        for (step, repair) in repairs {
            let best = self.repairs.entry(step).or_insert(repair);
            *best = repair.min(*best);
        }
        for (step, given) in answers {
            let known = self.answers.entry(step).or_default();
            for (question, right) in given {
                known.entry(question).or_insert(right);
            }
        }
        if !at.is_empty() {
            self.at = at;
        }
    }
}
