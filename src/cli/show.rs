//! How the screen looks.

use clap::Args;
use std::path::PathBuf;

/// How the screen looks, for every command that draws one.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Show {
    /// Only ASCII characters; by itself on TERM=linux, vt100 and the like, and in locales without UTF-8
    #[arg(long)]
    pub ascii: bool,
    /// One pane at a time and more air, in the contrast theme: for a hall, with large letters
    #[arg(long)]
    pub large_print: bool,
    /// Leave so many rows empty below: for a hall where heads hide the lowest quarter
    #[arg(long, value_name = "ROWS")]
    pub bottom_margin: Option<u16>,
}

impl Show {
    /// What was asked for before the command's name and behind it.
    pub(crate) fn with(&self, other: &Show) -> Show {
        Show {
            ascii: self.ascii || other.ascii,
            large_print: self.large_print || other.large_print,
            bottom_margin: other.bottom_margin.or(self.bottom_margin),
        }
    }
}

/// What a speaker and a class use.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Stage {
    /// Each key in the terminal types the next character of the line that is due; Return completes it, Return again runs it
    #[arg(long)]
    pub type_along: bool,
    /// Type lines that are asked for at the speed of a person
    #[arg(long)]
    pub pace: bool,
    /// Play by itself: wait so many seconds, then do what comes next, answers and solutions included
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub auto: Option<u64>,
    /// Show the room which keys you press; K switches that
    #[arg(long)]
    pub keys: bool,
    /// Tell the class where you are: one small file in this directory, taken away at the end; X leaves at any time
    #[arg(long, value_name = "DIR")]
    pub class: Option<PathBuf>,
    /// The name that the class sees (else that of your account)
    #[arg(long, value_name = "NAME", requires = "class")]
    pub name: Option<String>,
}

impl Stage {
    /// What was asked for before the command's name and behind it.
    pub(crate) fn with(&self, other: &Stage) -> Stage {
        Stage {
            type_along: self.type_along || other.type_along,
            pace: self.pace || other.pace,
            auto: other.auto.or(self.auto),
            keys: self.keys || other.keys,
            class: other.class.clone().or(self.class.clone()),
            name: other.name.clone().or(self.name.clone()),
        }
    }
}
