//! What the screen shows and what keys do, as data: [`State`], [`Event`], [`update()`], [`Effect`].
//!
//! Nothing here reads a clock, a file or the environment. What a key does and what the key bar says come from one table
//! ([`keys::bindings`]), so the bar cannot lie. What is drawn where is geometry ([`layout`]), which both the terminals'
//! sizes and the drawing follow.

mod ahead;
mod along;
pub(crate) mod answer;
mod attend;
mod calls;
mod caster;
pub(crate) mod class;
mod commands;
pub(crate) mod copy;
mod edited;
mod event;
mod finish;
mod history;
mod input;
mod instead;
mod jump;
pub(crate) mod keys;
pub(crate) mod layout;
mod mark;
mod past;
mod play;
pub(crate) mod present;
mod state;
#[cfg(test)]
mod tests;
mod until;
mod update;
pub(crate) mod watching;
mod word;

pub(crate) use crate::event::Event;
pub(crate) use along::{Along, NextKey, Script};
pub(crate) use calls::{CallLog, Row};
pub(crate) use caster::Caster;
pub(crate) use event::{Copied, Effect, Extent, Extents};
pub(crate) use finish::{Onward, go_on};
pub(crate) use history::History;
pub(crate) use input::reads_the_frame;
pub(crate) use instead::{Way, both as play_both, held as held_to_change, is_marked, ways};
pub(crate) use keys::{Command, Key, Prefix};
pub(crate) use layout::{Pane, Shape};
pub(crate) use mark::{Glance, Mark};
pub(crate) use past::{Past, as_seen};
pub(crate) use play::{Focus, OneCall, Play, Zoom};
pub(crate) use state::{Facts, Jump, Look, Overlay, PROPERTIES, State, ThemeName, View};
pub(crate) use update::{measured, unmeasured, update};
pub(crate) use watching::{Seen, Watch, Watching};
#[cfg(test)]
mod ahead_tests;
#[cfg(test)]
mod along_tests;
#[cfg(test)]
mod answer_tests;
#[cfg(test)]
mod reading_tests;
#[cfg(test)]
mod task_tests;
#[cfg(test)]
mod walk_tests;
#[cfg(test)]
mod word_tests;
