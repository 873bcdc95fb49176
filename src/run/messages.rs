//! What the command line says of itself: help, usage errors, lists; and what comes of output that cannot be written.

use super::{FAILED, USAGE};
use crate::{
    cli::{self, complain},
    glossary,
    headless::Proved,
    kernel::{errno, program, text::printable},
    lang::{self, Lang},
    lesson::mutants::MUTANTS,
    near::{did_you_mean, nearest},
    tools::{self, TOOLS},
};
use clap::error::ErrorKind;
use std::{
    ffi::OsString,
    io::{self, Write},
    process::ExitCode,
};

/// clap's own message, with the exit status of this program.
pub(super) fn usage(error: &clap::Error) -> ExitCode {
    let shown = cli::print(error);
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => printed(shown.map(|()| ExitCode::SUCCESS)),
        _ => ExitCode::from(USAGE),
    }
}

/// The status of what was printed. A reader that has gone away has read enough.
pub(super) fn printed(result: io::Result<ExitCode>) -> ExitCode {
    result.unwrap_or_else(|error| output_failed(&error))
}

pub(super) fn output_failed(error: &io::Error) -> ExitCode {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return ExitCode::SUCCESS;
    }
    complain(&format!("{}{}", lang::say("standard output: ", "标准输出："), errno::why_io(error)), None, FAILED)
}

/// `boxwright help [COMMAND…]`: what `--help` after it says.
pub(super) fn help(words: &[String], lang: Lang) -> ExitCode {
    let Some(first) = words.first() else { return help_of(&[]) };
    if let Some(tool) = tools::find(first) {
        return tools::run(tool, &["--help".into()]);
    }
    let mut command = cli::command();
    for word in words {
        match command.find_subcommand(word) {
            Some(found) => command = found.clone(),
            None => return unknown(word, &command, lang),
        }
    }
    help_of(words)
}

fn help_of(words: &[String]) -> ExitCode {
    let words = words.iter().map(String::as_str);
    let args = ["boxwright"].into_iter().chain(words).chain(["--help"]).map(OsString::from).collect();
    match cli::read(args) {
        Ok(_) => ExitCode::from(USAGE),
        Err(error) => usage(&error),
    }
}

fn unknown(word: &str, command: &clap::Command, lang: Lang) -> ExitCode {
    let mut known: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
    if command.get_name() == "boxwright" {
        known.extend(TOOLS.iter().map(|tool| tool.name));
    }
    let hint = match nearest(word, known) {
        Some(near) => did_you_mean(near, lang),
        None => format!("{} --help", program::path()),
    };
    let word = printable(word);
    let what = lang.pick(format!("no command `{word}`"), format!("没有命令 `{word}`"));
    complain(&what, Some(&hint), USAGE)
}

/// What the name of no lesson most likely means, where it is near to a command, a tool or a lesson.
pub(super) fn no_place(name: &str, wrong: &crate::headless::NoPlace, whole: bool, lang: Lang) -> ExitCode {
    if name.split('/').next() == Some(MUTANTS) {
        let name = printable(name);
        let what = lang.pick(
            format!("{name}: a mutant is named by its seed, such as {MUTANTS}/seed-7"),
            format!("{name}：变异体用种子来指名，例如 {MUTANTS}/seed-7"),
        );
        return complain(&what, Some(&format!("{} fix --mutant --seed 7", program::path())), USAGE);
    }
    let command = cli::command();
    let commands = command.get_subcommands().map(clap::Command::get_name).chain(TOOLS.iter().map(|tool| tool.name));
    let near = match (&wrong.near, whole) {
        (None, true) => nearest(name, commands),
        (near, _) => near.as_deref(),
    };
    let hint = near.map_or_else(|| format!("{} lessons list", program::path()), |near| did_you_mean(near, lang));
    complain(&wrong.what, Some(&hint), USAGE)
}

pub(super) fn list_tools() -> io::Result<ExitCode> {
    let mut out = io::stdout().lock();
    TOOLS.iter().try_for_each(|tool| writeln!(out, "{:<11} {}", tool.name, tool.about()))?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn glossary(word: Option<&str>, lang: Lang) -> ExitCode {
    match glossary::lines(word, lang) {
        Ok(lines) => {
            let mut out = io::stdout().lock();
            printed(lines.iter().try_for_each(|line| writeln!(out, "{line}")).map(|()| ExitCode::SUCCESS))
        }
        Err(why) => complain(&why, Some(&format!("{} glossary", program::path())), FAILED),
    }
}

/// What came of a step: why it was not done, what is wrong with it, or `well`.
pub(super) fn step(step: &Proved, well: &str, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
    let (name, colon) = (&step.step, lang.pick(": ", "："));
    match &step.skipped {
        Some(why) => {
            writeln!(out, "{name}{colon}{}{}", lang.pick("not possible here: ", "本机做不了："), printable(why))
        }
        None if step.wrong.is_empty() => writeln!(out, "{name}{colon}{well}"),
        None => step.wrong.iter().try_for_each(|wrong| writeln!(out, "{name}{colon}{}", printable(wrong))),
    }
}
