//! The class: who is where, from what sessions choose to write into one directory.
//!
//! Each session that was started with `--class DIR` keeps one small file there ([`Place`]); `boxwright class DIR` reads all of
//! them ([`room()`]) and shows them ([`board`]). What was typed is never in it. The directory may be open to all users,
//! such as one with the mode 1777: no file is followed, overwritten or believed further than as a line of text.

pub(crate) mod board;
mod card;
mod place;
pub(crate) mod rehearse;
mod room;
pub(crate) mod watch;

pub(crate) use card::{Asked, Card, Doing, Failed, Flag};
pub(crate) use place::{Place, default_name};
pub(crate) use room::{Room, room};
