//! Lessons: model, parser, linter and the embedded copy.
//!
//! A lesson is a folder with one Markdown file a language; `lessons/README.md` is the guide for authors. Text goes in
//! through [`parse()`] (one file) or [`load`] (everything that there is), and comes out as a [`Lesson`] or as a list of
//! every [`Problem`] with its line and column: a broken file never panics and never hides its second problem.

mod args;
mod block;
pub mod cli;
mod fact;
mod lint;
mod model;
mod needs;
mod parse;
mod requirement;
mod scaffold;
mod source;
mod store;
mod terms;

#[cfg(test)]
pub(crate) use fact::parse_fact;
pub use fact::{VOCABULARY, Word};
pub use model::{
    Block, CONTAINER, Check, Counter, End, Fact, FileFact, GroupFact, INTERRUPT, Lesson, Member, Outcome, Predict,
    Problem, Run, Setting, Step, TerminalId, Translations, Where,
};
pub(crate) use needs::needs;
pub use parse::parse;
pub use requirement::{Ability, Lacking, Requirement};
pub use store::{LoadError, directory, embedded, folder, id, load, load_with, trusted};
