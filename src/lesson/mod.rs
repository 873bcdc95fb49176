//! Lessons: model, parser, linter and the embedded copy.
//!
//! A lesson is a folder with one Markdown file a language; `lessons/README.md` is the guide for authors. Text goes in
//! through [`parse()`] (one file) or [`load`] (everything that there is), and comes out as a [`Lesson`] or as a list of
//! every [`Problem`] with its line and column: a broken file never panics and never hides its second problem.

mod agree;
mod args;
mod asked;
mod block;
pub mod cli;
mod edited;
mod fact;
mod fills;
mod known;
mod lab;
mod lint;
mod model;
pub mod mutants;
mod needs;
mod network;
mod pack;
mod parse;
mod requirement;
mod rights;
mod scaffold;
mod source;
mod store;
mod terms;
mod translations;
mod way;

pub use edited::Edited;
pub(crate) use edited::says_it_otherwise;
#[cfg(test)]
pub(crate) use fact::parse_fact;
pub use fact::{VOCABULARY, Word};
pub use fills::Fills;
pub(crate) use lab::{LAB, lab};
pub use model::{
    Amount, Block, CONTAINER, Check, Counter, End, Fact, FileFact, GroupFact, INTERRUPT, Lesson, Member, Outcome,
    Predict, Problem, Run, Setting, Shells, Step, TerminalId, Where,
};
pub(crate) use needs::needs;
pub use network::{Connect, Counted, LinkState, NetFact, Probe, Reply, Spot, Towards};
pub use pack::{LeftOut, Pack};
pub(crate) use pack::{commands, consent, of_where};
pub use parse::parse;
pub use requirement::{Ability, Lacking, Requirement, Wiring};
pub(crate) use store::read_ahead;
pub use store::{LoadError, directory, embedded, folder, load, load_all, load_as, trusted};
#[cfg(test)]
pub(crate) use store::{embedded_once, written_once};
pub use translations::Translations;
pub use way::{Refusal, Way, WrongWay};
