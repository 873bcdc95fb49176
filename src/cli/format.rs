//! The forms in which a lesson can be handed out.

use clap::ValueEnum;

/// What `lessons export --to` makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// One page that loads nothing, with every language of the lesson
    Html,
    /// Markdown, in one language
    Md,
    /// What a screen of 100 by 30 shows, for players: an asciicast
    Cast,
}

/// What `replay --to` writes for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Player {
    /// An asciicast, version 2
    Cast,
}
