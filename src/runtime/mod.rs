//! The imperative shell: threads, channels, terminals and the things that a session makes on the machine.
//!
//! Everything that decides lives elsewhere and is pure ([`crate::session`], [`crate::app`]); here its wishes are carried
//! out, and what happened is brought back, as one stream of [`Happening`]s.

mod as_root;
mod driver;
mod export;
mod footing;
mod found;
mod guard;
mod inbox;
mod input;
mod keyboard;
pub(crate) mod machine;
pub(crate) mod plain;
pub(crate) mod scope;
pub mod signals;
mod sure;
mod timer;
pub(crate) mod tui;
mod user_namespace;
mod work;

pub use machine::{Happening, Machine, Sink, Trouble};
pub(crate) use tui::TuiOptions;
