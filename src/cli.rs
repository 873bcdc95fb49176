//! argv → [`Command`]: the command line, as clap reads it.

mod authors;
mod chinese;
mod command;
pub(crate) mod format;
mod meant;
mod show;
mod values;
pub(crate) mod version;

pub(crate) use format::Player;
pub(crate) use show::{Show, Stage};

pub(crate) use authors::Lessons;
pub(crate) use command::{Command, WhatIf};

use crate::{
    image::Reference,
    kernel::{program::word, text},
    lang::{Lang, say, spoken},
};
use clap::{Args, CommandFactory, FromArgMatches, Parser, ValueEnum};
use std::{
    ffi::OsString,
    io::{self, IsTerminal, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};
use values::{lang, theme};

/// Build a Linux container by hand, one system call at a time.
#[derive(Clone, Debug, Parser)]
#[command(name = "boxwright", version = version::SHORT, long_version = version::LONG, about, disable_help_subcommand = true)]
#[command(after_help = "boxwright TOOL ARGS… runs one of the tools that lessons use; `boxwright tools` lists them.\n\
                        Exit status: 0 all well, also where the reader has gone; 1 it was tried and failed, or a check did;\n\
                        2 usage: nothing was done; 3 this machine cannot; 128 and N: signal N. trace, untraced and\n\
                        tools end with the status of what they ran.")]
pub(crate) struct Cli {
    /// What to do; without a subcommand the lessons open on the screen
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Where to start: LESSON or LESSON/STEP
    #[arg(value_name = "LESSON[/STEP]")]
    pub place: Option<String>,
    /// Plain lines instead of a drawn screen: for screen readers, Braille, serial consoles; also with ACCESSIBLE=1
    #[arg(long)]
    pub plain: bool,
    /// What a speaker and a class use.
    #[command(flatten)]
    pub stage: Stage,
    /// Forget the progress made so far
    #[arg(long)]
    pub reset: bool,
    /// Write all that happens, keys included, into this new file (at most 64 MiB); started again as root, into FILE.root
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// How the screen looks.
    #[command(flatten)]
    pub show: Show,
    /// Flags that several commands know.
    #[command(flatten)]
    pub common: Common,
}

/// Flags that several commands know.
#[derive(Clone, Debug, Args)]
pub(crate) struct Common {
    /// Language (else BOXWRIGHT_LANG, LC_ALL, LC_MESSAGES, LANG)
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
    /// Colours by name: default, light, contrast (for projectors), colorblind (blue and orange), mono
    #[arg(long, global = true, value_name = "NAME", value_parser = theme)]
    pub theme: Option<crate::app::ThemeName>,
    /// Run the commands of lessons from --lessons, or of a recording, without asking
    #[arg(long, global = true)]
    pub yes: bool,
    /// Do not hold calls that would change the machine itself, such as a mount outside of every container
    #[arg(long, global = true)]
    pub unguarded: bool,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// Where the output is a terminal and NO_COLOR is not set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The language that these arguments ask for, before they are read: usage errors are said in it, too.
pub(crate) fn asked(args: &[OsString]) -> Option<Lang> {
    let words = args.iter().take_while(|word| *word != "--").filter_map(|word| word.to_str());
    let mut wanted = None;
    let mut named = false;
    for word in words {
        let value = if named { Some(word) } else { word.strip_prefix("--lang=") };
        wanted = value.and_then(|value| lang(value).ok()).or(wanted);
        named = word == "--lang";
    }
    wanted
}

/// Reads the arguments, of which the first is the program's name.
///
/// Errors: clap's, also where help was asked for; [`print()`] says them.
pub(crate) fn read(args: Vec<OsString>) -> Result<Cli, clap::Error> {
    let mut command = command();
    let matches = command.try_get_matches_from_mut(args)?;
    meant::check(&matches, &command)?;
    Cli::from_arg_matches(&matches)
}

/// The command line in the language of this process.
pub(crate) fn command() -> clap::Command {
    let command = meant::hidden(Cli::command());
    spoken().pick::<fn(_) -> _>(|command| command, chinese::command)(command)
}

/// Says what clap has to say, help or a mistake, where it belongs.
pub(crate) fn print(error: &clap::Error) -> io::Result<()> {
    if spoken() == Lang::En {
        return error.print();
    }
    let colours = !error.use_stderr() && io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let text = chinese::said(error, colours);
    if error.use_stderr() { io::stderr().write_all(text.as_bytes()) } else { io::stdout().write_all(text.as_bytes()) }
}

impl Cli {
    /// Where the session is recorded, before or after the command's name.
    pub(crate) fn record(&self) -> Option<&Path> {
        let named = match &self.command {
            Some(Command::Lab { record, .. } | Command::Present { record, .. } | Command::Fix { record, .. }) => record,
            Some(Command::Run { record, .. }) => record,
            _ => &None,
        };
        named.as_deref().or(self.record.as_deref())
    }
}

impl Common {
    /// The image as a word of a shell's command line; its path leads to the same place from everywhere.
    pub(crate) fn image(&self) -> String {
        let text = self.image.clone().absolute().to_string();
        word(&text)
    }

    /// The options with which this program finds the same lessons and the same image once more. Whoever has come to a step
    /// has agreed to its commands.
    pub(crate) fn again(&self) -> Vec<OsString> {
        let mut options: Vec<OsString> = vec!["--yes".into(), "--image".into(), self.image.to_string().into()];
        if let Some(dir) = &self.lessons {
            options.extend(["--lessons".into(), dir.into()]);
        }
        options
    }

    /// Whether no colour at all is wanted; `NO_COLOR` counts where it is not empty (no-color.org).
    pub(crate) fn colourless(&self) -> bool {
        match self.color {
            Color::Always => false,
            Color::Never => true,
            Color::Auto => std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()),
        }
    }
}

/// One line on standard error.
pub(crate) fn tell(what: &str) {
    let colon = say(": ", "：");
    // A closed standard error has no reader.
    let _ = writeln!(io::stderr(), "{}", text::safe(&format!("boxwright{colon}{what}")));
}

/// The same with an indented hint, and the status to end with.
pub(crate) fn complain(what: &str, hint: Option<&str>, status: u8) -> ExitCode {
    let hint = hint.map(|hint| format!("\n  {hint}")).unwrap_or_default();
    tell(&format!("{what}{hint}"));
    ExitCode::from(status)
}

#[cfg(test)]
mod tests;
