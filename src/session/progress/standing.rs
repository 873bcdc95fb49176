//! What a learner has reached in a lesson, step by step.

use super::super::Outcome;
use crate::lesson::{Block, Lesson};

/// What a step has come to for a learner.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// Not done yet.
    #[default]
    Open,
    /// Left for a later one, and not done yet.
    Skipped,
    /// The machine cannot do it, and why.
    Impossible(String),
    /// Solved, but never without the solution being shown.
    Helped,
    /// Solved.
    Done,
}

impl Standing {
    /// The name in JSON.
    pub fn name(&self) -> &'static str {
        match self {
            Standing::Open => "open",
            Standing::Skipped => "skipped",
            Standing::Impossible(_) => "impossible",
            Standing::Helped => "helped",
            Standing::Done => "done",
        }
    }
}

/// A step and what it has come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StepProgress {
    /// Its name.
    pub id: String,
    /// Its heading.
    pub title: String,
    /// What it has come to.
    pub standing: Standing,
    /// Whether the first answer to each of its questions was right; `None` where none was given.
    pub answers: Vec<Option<bool>>,
}

/// A lesson and what its steps have come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LessonProgress {
    /// Its name.
    pub id: String,
    /// Its heading.
    pub title: String,
    /// What a learner can do after it.
    pub summary: String,
    /// Its steps, in order.
    pub steps: Vec<StepProgress>,
}

/// How many questions a lesson asks, and what came of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Predictions {
    /// Questions of steps that can be done here.
    pub all: usize,
    /// Those that were answered.
    pub answered: usize,
    /// Those whose first answer was right.
    pub right: usize,
}

impl LessonProgress {
    /// A lesson whose steps have come to these.
    pub fn new(lesson: &Lesson, standing: impl Fn(usize) -> Standing) -> LessonProgress {
        let step = |(index, step): (usize, &crate::lesson::Step)| StepProgress {
            id: step.id.clone(),
            title: step.title.clone(),
            standing: standing(index),
            answers: step.blocks.iter().filter(|block| matches!(block, Block::Predict(_))).map(|_| None).collect(),
        };
        LessonProgress {
            id: lesson.id.clone(),
            title: lesson.title.clone(),
            summary: lesson.summary.clone(),
            steps: lesson.steps.iter().enumerate().map(step).collect(),
        }
    }

    /// A lesson that was played without a learner.
    pub fn played(lesson: &Lesson, outcomes: &[Option<Outcome>]) -> LessonProgress {
        LessonProgress::new(lesson, |index| match outcomes.get(index) {
            Some(Some(Outcome::Passed)) => Standing::Done,
            Some(Some(Outcome::Skipped(reason))) => Standing::Impossible(reason.clone()),
            _ => Standing::Open,
        })
    }

    /// How many steps are solved, with help or without.
    pub fn done(&self) -> usize {
        self.count(|standing| matches!(standing, Standing::Done | Standing::Helped))
    }

    /// How many steps have come to something of this kind.
    pub fn count(&self, kind: impl Fn(&Standing) -> bool) -> usize {
        self.steps.iter().filter(|step| kind(&step.standing)).count()
    }

    /// The steps that can be done here and are not: numbers from 1.
    pub fn left(&self) -> Vec<usize> {
        self.numbers(|standing| matches!(standing, Standing::Open | Standing::Skipped))
    }

    /// The steps that have come to something of this kind: numbers from 1.
    pub fn numbers(&self, kind: impl Fn(&Standing) -> bool) -> Vec<usize> {
        let wanted = self.steps.iter().enumerate().filter(|(_, step)| kind(&step.standing));
        wanted.map(|(index, _)| index + 1).collect()
    }

    /// Whether everything is done that can be done here.
    pub fn is_complete(&self) -> bool {
        self.done() > 0 && self.left().is_empty()
    }

    /// Whether there is nothing to tell of.
    pub fn is_untouched(&self) -> bool {
        let nothing = |step: &StepProgress| {
            matches!(step.standing, Standing::Open | Standing::Impossible(_))
                && step.answers.iter().all(Option::is_none)
        };
        self.steps.iter().all(nothing)
    }

    /// The questions of steps that can be done here, or were answered all the same.
    pub fn predictions(&self) -> Predictions {
        let mut sum = Predictions::default();
        for step in &self.steps {
            let possible = !matches!(step.standing, Standing::Impossible(_));
            for answer in step.answers.iter().filter(|answer| possible || answer.is_some()) {
                sum.all += 1;
                sum.answered += usize::from(answer.is_some());
                sum.right += usize::from(*answer == Some(true));
            }
        }
        sum
    }
}

impl std::iter::Sum for Predictions {
    fn sum<I: Iterator<Item = Predictions>>(all: I) -> Predictions {
        all.fold(Predictions::default(), |sum, one| Predictions {
            all: sum.all + one.all,
            answered: sum.answered + one.answered,
            right: sum.right + one.right,
        })
    }
}
