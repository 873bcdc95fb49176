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
