//! Lessons: model, parser, linter and the embedded copy.

mod model;

pub use model::{
    Block, Check, End, Fact, Lesson, Outcome, Predict, Problem, Requirement, Run, Step, TerminalId, Translations, Where,
};
