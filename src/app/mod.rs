//! What the screen shows and what keys do, as data: [`State`], [`Event`], [`update()`], [`Effect`].
//!
//! Nothing here reads a clock, a file or the environment. What a key does and what the key bar says come from one table
//! ([`keys::bindings`]), so the bar cannot lie. What is drawn where is geometry ([`layout`]), which both the terminals'
//! sizes and the drawing follow.

mod attend;
mod calls;
mod event;
mod finish;
mod history;
mod jump;
pub mod keys;
pub mod layout;
mod play;
mod state;
#[cfg(test)]
mod tests;
mod update;
mod wishes;

pub use calls::{CallLog, Row};
pub use event::{Effect, Event, Extent, Extents};
pub use finish::{Onward, go_on};
pub use history::History;
pub use keys::{Binding, Command, Key, Prefix};
pub use layout::{Pane, Places, Shape};
pub use play::{Focus, Play, Term};
pub use state::{Facts, Jump, Look, Overlay, PROPERTIES, Property, State, ThemeName, View};
pub use update::update;
pub use wishes::{begin, wish};
#[cfg(test)]
mod task_tests;
