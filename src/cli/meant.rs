//! Which of the options that stand before or after any command mean something to which command.
//!
//! clap hands a global option down to every command. Where it would do nothing, it is neither shown nor taken: who writes it
//! there expects something that would not happen.

use clap::{
    ArgMatches, Command, Error,
    error::{ContextKind, ContextValue, ErrorKind},
    parser::ValueSource,
};

/// An option, and the commands that heed it besides the screen itself, by their whole names.
const HEED: [(&str, &[&str]); 6] = [
    (
        "lessons",
        &[
            "run",
            "what-if",
            "fix",
            "doctor",
            "progress",
            "lessons list",
            "lessons check",
            "lessons export",
            "lessons book",
            "replay",
            "follow",
            "present",
        ],
    ),
    ("image", &["run", "what-if", "fix", "doctor", "lessons check", "lessons export", "lessons book", "present"]),
    ("color", &["lab", "fix", "replay", "follow", "present"]),
    ("theme", &["lab", "fix", "replay", "follow", "present"]),
    ("yes", &["run", "what-if", "fix", "lessons export", "lessons book", "present", "verify"]),
    ("unguarded", &["run", "lab", "fix", "present"]),
];

/// Commands that heed an option only beside another one of their own: alone, it would do nothing.
const BESIDE: [(&str, &str, &str); 2] = [("verify", "yes", "rerun"), ("lessons export", "yes", "to")];

fn heeds(command: &str, option: &str) -> bool {
    HEED.iter().find(|(name, _)| *name == option).is_none_or(|(_, commands)| commands.contains(&command))
}

/// The command line in which no command shows an option that does nothing there.
pub(super) fn hidden(root: Command) -> Command {
    let global: Vec<_> = root.get_arguments().filter(|arg| arg.is_global_set()).cloned().collect();
    let names: Vec<String> = root.get_subcommands().map(|sub| sub.get_name().to_string()).collect();
    names.into_iter().fold(root, |root, name| root.mut_subcommand(name.clone(), |sub| hide(sub, &name, &global)))
}

fn hide(command: Command, path: &str, global: &[clap::Arg]) -> Command {
    let names: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_string()).collect();
    let below = |name: &str| format!("{path} {name}");
    let needless = |id: &str| !heeds(path, id) && !names.iter().any(|name| heeds(&below(name), id));
    let hidden = global.iter().filter(|arg| needless(arg.get_id().as_str()));
    let command = hidden.fold(command, |command, arg| command.arg(arg.clone().global(false).hide(true)));
    let deeper = |command: Command, name: &String| {
        let whole = below(name);
        command.mut_subcommand(name, |sub| hide(sub, &whole, global))
    };
    names.iter().fold(command, deeper)
}

/// Errors: an option that the command does not heed was written all the same, or without the one that gives it a meaning.
pub(super) fn check(matches: &ArgMatches, command: &Command) -> Result<(), Error> {
    let (mut path, mut written, mut at) = (String::new(), Vec::new(), Some((matches, command)));
    let asked = BESIDE.map(|(.., other)| other);
    while let Some((matches, command)) = at {
        let is_written = |id: &str| {
            let known = matches.try_contains_id(id).unwrap_or(false);
            known && matches.value_source(id) == Some(ValueSource::CommandLine)
        };
        written.extend(HEED.iter().map(|(id, _)| *id).chain(asked).filter(|id| is_written(id)));
        at = matches.subcommand().and_then(|(name, matches)| {
            path = if path.is_empty() { name.into() } else { format!("{path} {name}") };
            Some((matches, command.find_subcommand(name)?))
        });
    }
    let refused = |kind, arg: ContextValue| {
        let mut error = Error::new(kind).with_cmd(command);
        error.insert(ContextKind::InvalidArg, arg);
        Err(error)
    };
    if let Some(id) = written.iter().find(|id| !path.is_empty() && !heeds(&path, id)) {
        return refused(ErrorKind::UnknownArgument, ContextValue::String(format!("--{id}")));
    }
    let has = |id: &str| written.contains(&id);
    match BESIDE.iter().find(|(command, id, other)| *command == path && has(id) && !has(other)) {
        None => Ok(()),
        Some((_, _, other)) => {
            refused(ErrorKind::MissingRequiredArgument, ContextValue::Strings(vec![format!("--{other}")]))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Cli, command};
    use super::*;
    use clap::CommandFactory;

    fn says(line: &str) -> String {
        let error = command().try_get_matches_from(line.split(' ')).unwrap_err();
        error.to_string()
    }

    fn read(line: &str) -> Result<(), ErrorKind> {
        let command = command();
        let matches = command.clone().try_get_matches_from(line.split(' ')).map_err(|error| error.kind())?;
        check(&matches, &command).map_err(|error| error.kind())
    }

    #[test]
    fn a_commands_help_shows_the_options_that_it_heeds() {
        for (line, shown, not) in [
            (
                "boxwright run -h",
                vec!["--image", "--lessons", "--yes", "--unguarded", "--lang"],
                vec!["--theme", "--color"],
            ),
            ("boxwright doctor -h", vec!["--image", "--lessons", "--lang"], vec!["--theme", "--yes", "--unguarded"]),
            ("boxwright tools -h", vec!["--lang"], vec!["--image", "--lessons", "--yes", "--theme"]),
            ("boxwright lessons list -h", vec!["--lessons"], vec!["--image", "--yes"]),
            ("boxwright -h", vec!["--image", "--theme", "--color", "--yes", "--unguarded"], vec![]),
        ] {
            let help = says(line);
            shown.iter().for_each(|option| assert!(help.contains(option), "{line}: {option}\n{help}"));
            not.iter().for_each(|option| assert!(!help.contains(option), "{line}: {option}\n{help}"));
        }
    }

    #[test]
    fn an_option_that_does_nothing_is_refused_on_either_side_of_the_command() {
        for line in ["boxwright tools --yes", "boxwright --yes tools", "boxwright lessons list --theme mono"] {
            assert_eq!(read(line), Err(ErrorKind::UnknownArgument), "{line}");
        }
        for line in
            ["boxwright --yes run", "boxwright run --yes", "boxwright --lang zh tools", "boxwright --theme mono"]
        {
            assert_eq!(read(line), Ok(()), "{line}");
        }
    }

    #[test]
    fn an_option_that_does_nothing_alone_asks_for_the_other_one() {
        for line in
            ["boxwright verify FILE --yes", "boxwright --yes verify FILE", "boxwright lessons export isolate --yes"]
        {
            assert_eq!(read(line), Err(ErrorKind::MissingRequiredArgument), "{line}");
        }
        for line in ["boxwright verify FILE --rerun --yes", "boxwright --yes lessons export isolate --to md"] {
            assert_eq!(read(line), Ok(()), "{line}");
        }
        let command = command();
        let matches = command.clone().try_get_matches_from("boxwright verify FILE --yes".split(' ')).unwrap();
        let said = check(&matches, &command).unwrap_err().to_string();
        assert!(said.contains("--rerun"), "{said}");
    }

    #[test]
    fn the_table_names_options_and_commands_that_there_are() {
        let root = Cli::command();
        for (id, commands) in HEED {
            assert!(root.get_arguments().any(|arg| arg.get_id() == id && arg.is_global_set()), "{id}");
            for path in commands {
                let found = path.split(' ').try_fold(&root, |command, name| command.find_subcommand(name));
                assert!(found.is_some(), "{path}");
            }
        }
        for (path, id, other) in BESIDE {
            assert!(heeds(path, id), "{path} {id}");
            let found = path.split(' ').try_fold(&root, |command, name| command.find_subcommand(name));
            assert!(
                found.is_some_and(|found| found.get_arguments().any(|arg| arg.get_id() == other)),
                "{path} {other}"
            );
        }
        let global = root.get_arguments().filter(|arg| arg.is_global_set());
        let unknown: Vec<_> = global.filter(|arg| HEED.iter().all(|(id, _)| arg.get_id() != id)).collect();
        assert_eq!(unknown.iter().map(|arg| arg.get_id().as_str()).collect::<Vec<_>>(), ["lang"]);
    }
}
