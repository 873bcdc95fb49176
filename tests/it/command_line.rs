//! What a user expects of a command line: help, words that are nearly right, readers that go away, statuses.

use crate::{
    harness::{Test, tests},
    support::BOXWRIGHT,
};
use std::{
    io,
    process::{Command, Output, Stdio},
};

pub fn tests() -> Vec<Test> {
    let mut all = tests![
        help_of_a_command_is_what_its_option_says,
        help_of_a_tool_is_the_tools,
        a_word_that_is_nearly_right_is_answered_with_the_right_one,
        an_option_that_does_nothing_there_is_refused,
        the_version_names_a_commit_or_says_that_it_is_no_release,
        a_reader_that_goes_away_is_no_failure,
        output_that_cannot_be_written_is_one,
        complaints_that_nobody_reads_change_no_status,
    ];
    let runs = tests![
        skipped_steps_are_a_failure_where_that_is_asked_for: [Root],
        a_reader_that_leaves_a_session_is_no_failure: [Root],
    ];
    all.extend(runs.into_iter().map(Test::alone));
    all
}

fn boxwright(line: &str) -> Command {
    let mut command = Command::new(BOXWRIGHT);
    // What is kept there stays with the build, and not in a directory of the machine's.
    let state = concat!(env!("CARGO_TARGET_TMPDIR"), "/command-line-state");
    command.args(line.split_whitespace()).env("BOXWRIGHT_LANG", "en").env("XDG_STATE_HOME", state).stdin(Stdio::null());
    command
}

fn run(line: &str) -> Output {
    boxwright(line).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn help_of_a_command_is_what_its_option_says() {
    for line in ["", "run", "lessons", "lessons new", "help", "untraced"] {
        let (by_word, by_option) = (run(&format!("help {line}")), run(&format!("{line} --help")));
        assert_eq!((by_word.status.code(), by_option.status.code()), (Some(0), Some(0)), "{line}");
        assert_eq!(text(&by_word.stdout), text(&by_option.stdout), "{line}");
        assert!(by_word.stdout.len() > 100, "{line}");
    }
}

fn help_of_a_tool_is_the_tools() {
    let (by_word, by_option) = (run("help unshare"), run("unshare --help"));
    assert_eq!(by_word.stdout, by_option.stdout);
    assert!(text(&by_word.stdout).contains("unshare"));
}

fn a_word_that_is_nearly_right_is_answered_with_the_right_one() {
    for (line, right) in [
        ("isolat", "did you mean `isolate`?"),
        ("isolat/2", "did you mean `isolate/2`?"),
        ("isolate/netwrk", "did you mean `isolate/network`?"),
        ("run cgruops", "did you mean `cgroups`?"),
        ("tarce", "did you mean `trace`?"),
        ("unshre", "did you mean `unshare`?"),
        ("help docter", "did you mean `doctor`?"),
        ("help lessons lst", "did you mean `list`?"),
        ("help pivot_rot", "did you mean `pivot_root`?"),
        ("run --jsn", "--json"),
        ("lessons lst", "'list'"),
        ("--theme contrst", "did you mean `contrast`?"),
        ("trace -e namespce -- true", "did you mean `namespace`?"),
        ("trace -e unshar -- true", "did you mean `unshare`?"),
        ("--lang zh isolat", "是不是想写 `isolate`？"),
    ] {
        let output = run(line);
        let said = text(&output.stderr);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{line}: {said}");
        assert!(said.contains(right), "{line}: {said}");
    }
    let far = run("xyzzy");
    assert!(text(&far.stderr).ends_with(" lessons list\n"), "{far:?}");
    let word = run("glossary namespase");
    assert_eq!(word.status.code(), Some(1));
    assert!(text(&word.stderr).contains("did you mean `namespace`?"), "{word:?}");
}

fn an_option_that_does_nothing_there_is_refused() {
    for line in ["tools --yes", "--yes tools", "doctor --theme mono", "trace --image builtin: -- true"] {
        let output = run(line);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{line}");
    }
}

fn the_version_names_a_commit_or_says_that_it_is_no_release() {
    let short = text(&run("-V").stdout);
    let version = env!("CARGO_PKG_VERSION");
    let rest = short.trim_end().strip_prefix(&format!("boxwright {version}")).unwrap();
    let commit = |text: &str| text.len() == 12 && text.chars().all(|letter| letter.is_ascii_hexdigit());
    let known =
        rest.strip_prefix(" (").and_then(|rest| rest.strip_suffix(')')).map(|rest| rest.trim_end_matches(", changed"));
    assert!(rest.is_empty() || known.is_some_and(|known| known == "development build" || commit(known)), "{short}");
    let long = text(&run("--version").stdout);
    assert!(long.starts_with(short.trim_end()), "{long}");
    // As deny.toml has them, which the dependencies are held to.
    let allowed = std::fs::read_to_string("deny.toml").unwrap();
    let (_, list) = allowed.split_once("allow = [").unwrap();
    let licences: Vec<&str> = list.split_once(']').unwrap().0.split('"').skip(1).step_by(2).collect();
    assert!(licences.len() > 3);
    let (_, said) = long.split_once("The crates in it: ").unwrap();
    let mut said: Vec<&str> = said.lines().next().unwrap().trim_end_matches('.').split(", ").collect();
    said.sort_unstable();
    assert_eq!(said, licences);
}

/// Every command that prints something without touching the machine.
const PRINT: [&str; 15] = [
    "--help",
    "--version",
    "help",
    "help run",
    "tools",
    "glossary",
    "lessons list",
    "lessons check",
    "lessons check --stats",
    "lessons export isolate",
    "progress",
    "progress --json",
    "progress --export -",
    "doctor",
    "clean --dry-run",
];

/// The end of a pipe that nobody reads.
fn nobody() -> Stdio {
    let (_, writer) = io::pipe().unwrap();
    writer.into()
}

fn a_reader_that_goes_away_is_no_failure() {
    for line in PRINT {
        for lang in ["en", "zh"] {
            let output = boxwright(line).env("BOXWRIGHT_LANG", lang).stdout(nobody()).output().unwrap();
            assert_eq!((output.status.code(), text(&output.stderr).as_str()), (Some(0), ""), "{line}");
        }
    }
}

fn a_reader_that_leaves_a_session_is_no_failure() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("recorded").display().to_string();
    for line in [
        format!("run isolate/1 --record {file}"),
        format!("replay {file} --plain"),
        format!("verify {file}"),
        "isolate --plain".into(),
        "doctor --class 1".into(),
        "inspect self --json".replace("self", &std::process::id().to_string()),
        "trace --json -- true".into(),
    ] {
        let output = boxwright(&line).stdout(nobody()).output().unwrap();
        assert_eq!((output.status.code(), text(&output.stderr).as_str()), (Some(0), ""), "{line}");
    }
}

/// Tools are ended by SIGPIPE there, as the distribution's are.
fn complaints_that_nobody_reads_change_no_status() {
    for line in [
        "nosuch",
        "run nosuch",
        "inspect 4194304",
        "trace -- /no/such",
        "trace -p 4194304",
        "trace -e nosuch -- true",
        "replay /no/such",
        "verify /no/such",
        "progress --import /no/such",
        "class /no/such",
        "fix nosuch",
    ] {
        let (open, closed) = (run(line), boxwright(line).stdout(nobody()).stderr(nobody()).status().unwrap());
        assert!(!open.stderr.is_empty() && open.status.code().is_some_and(|status| status != 0), "{line}");
        assert_eq!(closed.code(), open.status.code(), "{line}");
    }
}

fn output_that_cannot_be_written_is_one() {
    for line in ["--help", "--version", "tools", "glossary", "lessons list", "progress", "progress --export -"] {
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let output = boxwright(line).stdout(full).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{line}");
        assert!(text(&output.stderr).contains("ENOSPC"), "{line}: {output:?}");
    }
}

/// A lesson of two steps, of which one needs what no machine has.
fn skipped_steps_are_a_failure_where_that_is_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    assert!(run(&format!("lessons new half {}", dir.path().display())).status.success());
    for file in ["en.md", "zh.md"] {
        let path = dir.path().join("half").join(file);
        let whole = std::fs::read_to_string(&path).unwrap();
        let at = whole.find("## ").unwrap();
        let second = whole[at..]
            .replace("{#first-step", "{#second-step")
            .replace("\nroot\n", "\nroot\nprogram no-such-program\n");
        std::fs::write(&path, format!("{whole}\n{second}")).unwrap();
    }
    let lessons = format!("--lessons {} --yes", dir.path().display());
    for (line, status) in
        [("half", 0), ("--strict half", 1), ("--strict half/1", 0), ("half/2", 3), ("--strict half/2", 3)]
    {
        let output = run(&format!("run {lessons} {line}"));
        assert_eq!(output.status.code(), Some(status), "{line}: {output:?}");
    }
}
