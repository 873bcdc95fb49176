//! The commands for authors of lessons.

use super::format;
use clap::Subcommand;
use std::path::PathBuf;

/// For authors of lessons.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Lessons {
    /// List lessons and their steps
    List,
    /// Check a directory of lessons, or the built-in ones
    Check {
        /// The directory
        dir: Option<PathBuf>,
        /// List how much there is to read in each step before the learner acts
        #[arg(long)]
        stats: bool,
        /// Go through each step on this machine: not solved before its commands, solved after them, nothing left behind
        #[arg(long, conflicts_with = "stats")]
        run: bool,
    },
    /// Make the folder of a new lesson
    New {
        /// Its name
        #[arg(value_name = "NAME")]
        id: String,
        /// Where
        #[arg(default_value = ".")]
        dir: PathBuf,
    },
    /// Print the guide for authors, with every word that lessons know
    Guide,
    /// Print a lesson as one document for the speaker or, from a run on this machine, as a hand-out
    Export {
        /// Its name
        #[arg(value_name = "NAME")]
        id: String,
        /// Run the lesson here, and make a hand-out with what its commands really printed
        #[arg(long, value_name = "FORMAT")]
        to: Option<format::Format>,
        /// With the answers, hints, solutions and notes
        #[arg(long, requires = "to")]
        speaker: bool,
    },
    /// Run lessons here, in every language, and write them into a new directory as a book of pages that load nothing
    Book {
        /// The directory
        dir: PathBuf,
        /// Which lessons; all where none is named
        #[arg(value_name = "NAME")]
        names: Vec<String>,
        /// Instead of finished pages, what mdBook makes a searchable book of for each language: mdbook build DIR/en
        #[arg(long)]
        mdbook: bool,
        /// With the answers, hints, solutions and notes
        #[arg(long)]
        speaker: bool,
    },
}
