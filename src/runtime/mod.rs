//! The imperative shell: threads, channels, terminals and the things that a session makes on the machine.
//!
//! Everything that decides lives elsewhere and is pure ([`crate::session`], [`crate::app`]); here its wishes are carried
//! out, and what happened is brought back, as one stream of [`Event`](crate::event::Event)s ([`Engine`]).

mod as_root;
pub(crate) mod branches;
mod clipboard;
mod delegation;
mod driver;
mod edits;
mod engine;
pub(crate) mod export;
mod found;
mod guard;
pub(crate) mod hall;
mod input;
mod keyboard;
mod machine;
pub(crate) mod notes;
pub(crate) mod plain;
mod queue;
pub(crate) mod scope;
mod sharing;
pub mod signals;
mod sure;
mod timer;
pub(crate) mod tui;
mod user_namespace;
pub(crate) mod watch;
mod work;

pub use engine::{Engine, Setup};
pub use machine::Trouble;
pub(crate) use tui::TuiOptions;
