//! Taking away what this program made, and nothing else.
//!
//! Every recursive deletion of this program goes through [`tree`]: it is given an open directory, and never leaves it
//! through a link or a mount. [`made`] proves that the open directory is the one that was made: by a descriptor that was
//! kept, or by the [`identity`] that was written down. What has to stay is named, with the reason and the remedy ([`Left`]),
//! and everything else goes all the same.

pub(crate) mod beneath;
pub mod groups;
pub(crate) mod identity;
mod left;
pub(crate) mod made;
pub mod tree;
pub(crate) mod unfinished;

pub(crate) use identity::Identity;
pub use left::{Left, Stayed, Why, report, word};
pub(crate) use made::Made;
