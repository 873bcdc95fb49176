//! A terminal pane: pty, screen model, typing, prompt marks.
//!
//! Bytes flow one way: [`Pty::reader`] hands over what the programs wrote; [`Screen::process`] turns it into cells,
//! into [`Piece`]s (plain text, prompts, submitted lines) and into the answers that programs expect of a terminal.
//! The other way, [`keys::encode`] and [`keys::paste`] turn what the learner does into bytes for [`Pty::write`].
//! Nothing here starts a process: the caller gives [`Pty::slave_path`] to what does.

mod decoder;
mod graphemes;
mod input;
pub(crate) mod keys;
mod locale;
mod prompt;
mod pty;
mod screen;
pub mod shell;
mod size;
mod style;
mod transcript;
mod widget;

pub(crate) use input::waits_for_input;
pub use pty::{OpenError, Pty, PtyEvent};
pub use screen::{Processed, SCROLLBACK, Screen};
pub use size::Size;
pub use transcript::Piece;
