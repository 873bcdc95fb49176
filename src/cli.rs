//! argv → [`Command`]: the command line, as clap reads it.

use crate::{image::Reference, kernel::program::word, lang::Lang};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::{ffi::OsString, path::PathBuf};

/// Build a Linux container by hand, one system call at a time.
#[derive(Debug, Parser)]
#[command(name = "boxwright", version, about, disable_help_subcommand = true)]
#[command(after_help = "boxwright TOOL ARGS… runs one of the tools that lessons use; `boxwright tools` lists them.\n\
                        Exit status: 0 all well; 1 a check failed; 2 usage; 3 this machine cannot.")]
pub struct Cli {
    /// What to do; without a subcommand the lessons open on the screen
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Where to start: LESSON or LESSON/STEP
    #[arg(value_name = "LESSON[/STEP]")]
    pub place: Option<String>,
    /// Numbered plain text instead of a drawn screen: for screen readers, serial consoles, TERM=dumb
    #[arg(long)]
    pub plain: bool,
    /// Forget the progress made so far
    #[arg(long)]
    pub reset: bool,
    /// Flags that several commands know.
    #[command(flatten)]
    pub common: Common,
}

/// Flags that several commands know.
#[derive(Clone, Debug, Args)]
pub struct Common {
    /// Language (else LC_ALL, LC_MESSAGES, LANG)
    #[arg(long, global = true, value_parser = lang, value_name = "en|zh")]
    pub lang: Option<Lang>,
    /// A directory whose lessons add to, or replace, the built-in ones
    #[arg(long, global = true, value_name = "DIR")]
    pub lessons: Option<PathBuf>,
    /// The image of the lesson on roots, such as oci:DIR or docker://alpine
    #[arg(long, global = true, value_name = "REF", default_value = "builtin:")]
    pub image: Reference,
    /// Colours; `auto` follows NO_COLOR
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: Color,
    /// Colours by name: default, light, contrast (for projectors), mono
    #[arg(long, global = true, value_name = "NAME", value_parser = theme)]
    pub theme: Option<crate::app::ThemeName>,
    /// Run the commands of lessons from --lessons without asking
    #[arg(long, global = true)]
    pub yes: bool,
    /// Do not hold calls that would change the machine itself, such as a mount outside of every container
    #[arg(long, global = true)]
    pub unguarded: bool,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// Where the output is a terminal and NO_COLOR is not set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Everything that is not the screen.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run lessons without a screen: a transcript, or one JSON event a line
    Run {
        /// LESSON or LESSON/STEP; all lessons where none is named
        #[arg(value_name = "LESSON[/STEP]")]
        places: Vec<String>,
        /// One JSON event a line
        #[arg(long)]
        json: bool,
        /// Wait this many times as long for prompts and checks: for emulated and overloaded machines
        #[arg(long, value_name = "TIMES", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
        patience: u32,
    },
    /// Run any command and show the system calls that make a container, with what each one changed
    Trace {
        /// One JSON event a line on standard output
        #[arg(long)]
        json: bool,
        /// Wait for Return before each call
        #[arg(long)]
        step: bool,
        /// Ask before each call that would change the machine itself; without a terminal it is refused
        #[arg(long)]
        guard: bool,
        /// The command and its arguments
        #[arg(required = true, trailing_var_arg = true, value_name = "COMMAND")]
        command: Vec<OsString>,
    },
    /// Show namespaces, mounts, cgroup and the scorecard of any process
    Inspect {
        /// The process
        pid: i32,
        /// One JSON event a line
        #[arg(long)]
        json: bool,
        /// Again whenever something changes, until the process ends
        #[arg(long)]
        watch: bool,
    },
    /// Show what this machine allows, what it does not, and the remedy for each
    Doctor {
        /// As JSON
        #[arg(long, conflicts_with = "fix")]
        json: bool,
        /// In a container: move its processes into a control group below, so that the lessons on limits can be done
        #[arg(long)]
        fix: bool,
    },
    /// Remove what crashed sessions left, and nothing else
    Clean {
        /// Only list it
        #[arg(long)]
        dry_run: bool,
    },
    /// For authors of lessons
    #[command(subcommand)]
    Lessons(Lessons),
    /// List the tools that lessons use
    Tools,
}

/// For authors of lessons.
#[derive(Debug, Subcommand)]
pub enum Lessons {
    /// List lessons and their steps
    List,
    /// Check a directory of lessons, or the built-in ones
    Check {
        /// The directory
        dir: Option<PathBuf>,
    },
    /// Make the folder of a new lesson
    New {
        /// Its name
        id: String,
        /// Where
        #[arg(default_value = ".")]
        dir: PathBuf,
    },
    /// Print a lesson as one document for the speaker
    Export {
        /// Its name
        id: String,
    },
}

fn lang(name: &str) -> Result<Lang, String> {
    match name {
        "en" | "zh" => Lang::parse(name).ok_or_else(String::new),
        _ => Err("there are en and zh".into()),
    }
}

fn theme(name: &str) -> Result<crate::app::ThemeName, String> {
    let names = crate::app::ThemeName::ALL.map(|theme| theme.name()).join(", ");
    crate::app::ThemeName::parse(name).ok_or_else(|| format!("there are {names}"))
}

impl Common {
    /// The language to speak.
    pub fn lang(&self) -> Lang {
        self.lang.unwrap_or_else(|| Lang::from_env(|name| std::env::var(name).ok()))
    }

    /// The image as a word of a shell's command line; its path leads to the same place from everywhere.
    pub fn image(&self) -> String {
        let text = self.image.clone().absolute().to_string();
        word(&text)
    }

    /// Whether no colour at all is wanted; `NO_COLOR` counts where it is not empty (no-color.org).
    pub fn colourless(&self) -> bool {
        match self.color {
            Color::Always => false,
            Color::Never => true,
            Color::Auto => std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_lesson_is_no_subcommand() {
        let cli = Cli::try_parse_from(["boxwright", "isolate/network", "--lang", "zh"]).unwrap();
        assert_eq!((cli.place.as_deref(), cli.common.lang), (Some("isolate/network"), Some(Lang::Zh)));
        let cli = Cli::try_parse_from(["boxwright", "run", "isolate", "--json"]).unwrap();
        assert!(matches!(cli.command, Some(Command::Run { json: true, .. })));
        assert_eq!(cli.common.image(), "builtin:");
        let cli = Cli::try_parse_from(["boxwright", "--image", "oci:/a b/it's:1"]).unwrap();
        assert_eq!(cli.common.image(), r"'oci:/a b/it'\''s:1'");
        assert!(Cli::try_parse_from(["boxwright", "--image", "ftp:x"]).is_err());
        let cli = Cli::try_parse_from(["boxwright", "trace", "--", "unshare", "-p", "sh"]).unwrap();
        assert!(matches!(cli.command, Some(Command::Trace { command, .. }) if command.len() == 3));
    }
}
