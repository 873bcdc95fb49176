//! A terminal pane: pty, screen model, typing, prompt marks.
//!
//! Bytes flow one way: [`Pty::reader`] hands over what the programs wrote; [`Screen::process`] turns it into cells,
//! prompt [`Mark`]s and the answers that programs expect of a terminal; [`Transcript`] turns it into plain text.
//! The other way, [`keys::encode`] and [`keys::paste`] turn what the learner does into bytes for [`Pty::write`].
//! Nothing here starts a process: the caller gives [`Pty::slave_path`] to whoever does.

mod input;
pub mod keys;
mod marks;
mod pty;
mod screen;
pub mod shell;
mod transcript;
mod whole;
mod widget;

pub use input::waits_for_input;
pub use marks::Mark;
pub use pty::{OpenError, Pty, PtyEvent};
pub use screen::{Processed, SCROLLBACK, Screen};
pub use transcript::{Piece, Transcript};
pub use widget::View;
