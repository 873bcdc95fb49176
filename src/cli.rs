//! argv → [`Command`]: the command line, as clap reads it.

mod chinese;

use crate::{
    image::Reference,
    kernel::{program::word, text},
    lang::{Lang, say, spoken},
};
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use std::{
    ffi::OsString,
    io::{self, IsTerminal, Write},
    path::PathBuf,
    process::ExitCode,
};

/// Build a Linux container by hand, one system call at a time.
#[derive(Debug, Parser)]
#[command(name = "boxwright", version, about, disable_help_subcommand = true)]
#[command(after_help = "boxwright TOOL ARGS… runs one of the tools that lessons use; `boxwright tools` lists them.\n\
                        Exit status: 0 all well; 1 a check failed; 2 usage; 3 this machine cannot.")]
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
    /// Only ASCII characters; by itself on TERM=linux, vt100 and the like, and in locales without UTF-8
    #[arg(long)]
    pub ascii: bool,
    /// One pane at a time and more air, in the contrast theme: for a hall, with large letters
    #[arg(long)]
    pub large_print: bool,
    /// Forget the progress made so far
    #[arg(long)]
    pub reset: bool,
    /// Write all that happens, keys included, into this new file (at most 64 MiB); started again as root, into FILE.root
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
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
    /// Run the commands of lessons from --lessons without asking
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

/// Everything that is not the screen.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run lessons without a screen: a transcript, or one JSON event a line
    Run {
        /// LESSON or LESSON/STEP; all lessons where none is named
        #[arg(value_name = "LESSON[/STEP]")]
        places: Vec<String>,
        /// One JSON event a line
        #[arg(long)]
        json: bool,
        /// Wait this many times as long for prompts and checks: for emulated and overloaded machines
        #[arg(long, value_name = "TIMES", default_value_t = 1, value_parser = times)]
        patience: u32,
        /// Write all that happens into this new file, one JSON object a line (at most 64 MiB)
        #[arg(long, value_name = "FILE")]
        record: Option<PathBuf>,
    },
    /// Run any command and show the system calls that make a container, with what each one changed
    Trace {
        /// One JSON event a line on standard output
        #[arg(long)]
        json: bool,
        /// Write the calls here: a file, '|COMMAND' or '&DESCRIPTOR'
        #[arg(short, long, value_name = "FILE")]
        output: Option<String>,
        /// Only these classes or calls: namespace, process, mount, root, cgroup, rights, object, or names such as unshare
        #[arg(short = 'e', long = "only", value_name = "CLASS", value_delimiter = ',')]
        only: Vec<String>,
        /// Only a table at the end: how often each call was made, failed, and how long it took
        #[arg(short, long)]
        count: bool,
        /// Seconds since the beginning before each line
        #[arg(short, long)]
        time: bool,
        /// Wait before each call: Return lets it happen, c all, u NAME until the next of that name, q quits
        #[arg(long)]
        step: bool,
        /// Ask before each call that would change the machine itself; without a terminal it is refused
        #[arg(long)]
        guard: bool,
        /// Trace a process that runs already, until it ends or Ctrl-C lets it go on alone; every call of it stops, so it is
        /// slower, and what it did before is not known
        #[arg(short = 'p', long = "pid", value_name = "PID", value_parser = pid, conflicts_with_all = ["step", "guard", "command"])]
        process: Option<i32>,
        /// The command and its arguments
        #[arg(required_unless_present = "process", trailing_var_arg = true, value_name = "COMMAND")]
        command: Vec<OsString>,
    },
    /// In a terminal of a session, or under `trace`: run a command that is not traced, such as strace or gdb
    ///
    /// A process has one tracer at most, and an ordinary user's takes set-user-ID programs their privilege. This command
    /// runs without a tracer, in the same namespaces, directory and control groups. Its calls are not shown, and the guard does
    /// not see what it changes. It ends with the session.
    Untraced {
        /// The command and its arguments
        #[arg(required = true, trailing_var_arg = true, value_name = "COMMAND")]
        command: Vec<OsString>,
    },
    /// Show namespaces, mounts, cgroup and the scorecard of any process
    Inspect {
        /// The process
        #[arg(value_parser = pid)]
        pid: i32,
        /// One JSON event a line
        #[arg(long)]
        json: bool,
        /// Again whenever something changes, until the process ends; on a terminal in its place, with a * before what changed
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
    /// Show what was done, skipped, solved with the solution shown, and predicted right, lesson by lesson
    Progress {
        /// As JSON
        #[arg(long, conflicts_with = "markdown")]
        json: bool,
        /// As Markdown
        #[arg(long)]
        markdown: bool,
    },
    /// For authors of lessons
    #[command(subcommand)]
    Lessons(Lessons),
    /// List the tools that lessons use
    Tools,
    /// Explain the words of the field, English beside Chinese
    Glossary {
        /// Only this word, in either language
        #[arg(value_name = "WORD")]
        word: Option<String>,
    },
}

/// For authors of lessons.
#[derive(Debug, Subcommand)]
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
    let known = Lang::ALL.into_iter().find(|lang| lang.code() == name);
    known.ok_or_else(|| say("there are en and zh", "可以是 en 或 zh").into())
}

fn times(text: &str) -> Result<u32, String> {
    let number = text.parse().ok().filter(|number| (1..=1000).contains(number));
    number.ok_or_else(|| say("a number from 1 to 1000", "要写 1 到 1000 的整数").into())
}

fn pid(text: &str) -> Result<i32, String> {
    text.parse().map_err(|_| say("a PID is a number", "PID 必须是整数").into())
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
    let command = spoken().pick::<fn(_) -> _>(|command| command, chinese::command)(Cli::command());
    Cli::from_arg_matches(&command.try_get_matches_from(args)?)
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

fn theme(name: &str) -> Result<crate::app::ThemeName, String> {
    let names = crate::app::ThemeName::ALL.map(|theme| theme.name()).join(", ");
    crate::app::ThemeName::parse(name).ok_or_else(|| say(format!("there are {names}"), format!("可以是 {names}")))
}

impl Common {
    /// The image as a word of a shell's command line; its path leads to the same place from everywhere.
    pub(crate) fn image(&self) -> String {
        let text = self.image.clone().absolute().to_string();
        word(&text)
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

/// One line on standard error, and an indented hint.
pub(crate) fn complain(what: &str, hint: Option<&str>, status: u8) -> ExitCode {
    let hint = hint.map(|hint| format!("\n  {hint}")).unwrap_or_default();
    // A closed standard error has no reader.
    let colon = say(": ", "：");
    let _ = writeln!(io::stderr(), "{}", text::safe(&format!("boxwright{colon}{what}{hint}")));
    ExitCode::from(status)
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
    fn a_lesson_is_not_a_subcommand() {
        let cli = Cli::try_parse_from(["boxwright", "isolate/network", "--lang", "zh"]).unwrap();
        assert_eq!((cli.place.as_deref(), cli.common.lang), (Some("isolate/network"), Some(Lang::Zh)));
        let cli = Cli::try_parse_from(["boxwright", "run", "isolate", "--json"]).unwrap();
        assert!(matches!(cli.command, Some(Command::Run { json: true, .. })));
        assert_eq!(cli.common.image(), "builtin:");
        let cli = Cli::try_parse_from(["boxwright", "--image", "oci:/a b/it's:1"]).unwrap();
        assert_eq!(cli.common.image(), r"'oci:/a b/it'\''s:1'");
        assert!(Cli::try_parse_from(["boxwright", "--image", "ftp:x"]).is_err());
        let asked = |line: &str| asked(&line.split(' ').map(OsString::from).collect::<Vec<_>>());
        assert_eq!(asked("boxwright --lang zh --frob"), Some(Lang::Zh));
        assert_eq!(asked("boxwright run --lang=en --lang fr"), Some(Lang::En));
        assert_eq!(asked("boxwright trace -- x --lang zh"), None);
        let cli = Cli::try_parse_from(["boxwright", "trace", "--", "unshare", "-p", "sh"]).unwrap();
        assert!(matches!(cli.command, Some(Command::Trace { command, .. }) if command.len() == 3));
    }
}
