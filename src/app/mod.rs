//! What the screen shows and what keys do, as data: [`State`], [`Event`], [`update()`], [`Effect`].
//!
//! Nothing here reads a clock, a file or the environment. What a key does and what the key bar says come from one table
//! ([`keys::bindings`]), so the bar cannot lie. What is drawn where is geometry ([`layout`]), which both the terminals'
//! sizes and the drawing follow.

pub(crate) mod answer;
mod attend;
mod calls;
mod commands;
mod event;
mod finish;
mod history;
mod jump;
pub(crate) mod keys;
pub(crate) mod layout;
mod play;
mod state;
#[cfg(test)]
mod tests;
mod update;
mod word;

pub(crate) use crate::event::Event;
pub(crate) use calls::{CallLog, Row};
pub(crate) use event::{Effect, Extent, Extents};
pub(crate) use finish::{Onward, go_on};
pub(crate) use history::History;
pub(crate) use keys::{Command, Key, Prefix};
pub(crate) use layout::{Pane, Shape};
pub(crate) use play::{Focus, OneCall, Play};
pub(crate) use state::{Facts, Jump, Look, Overlay, PROPERTIES, State, ThemeName, View};
pub(crate) use update::{measured, update};
#[cfg(test)]
mod answer_tests;
#[cfg(test)]
mod reading_tests;
#[cfg(test)]
mod task_tests;
#[cfg(test)]
mod word_tests;
