//! What a newcomer meets first: the README's commands, and the manifest that an old cargo reads.
//!
//! `tests/fresh/run` carries them out on a machine that has nothing yet.

use crate::harness::{Test, tests};
use crate::support::{BOXWRIGHT, tmux::Tmux};
use std::process::Command;

pub fn tests() -> Vec<Test> {
    tests![
        the_two_readmes_give_the_same_two_commands,
        both_name_what_a_build_needs,
        an_old_cargo_reads_the_manifest,
        plans_for_teachers_name_steps_that_are_there,
        the_chinese_page_answers_five_pains_with_steps_that_are_there,
        the_first_lines_say_what_no_other_tool_offers,
        their_screens_are_the_programs_own: [Root, Tool("tmux")],
    ]
}

const LESSONS: [&str; 7] = ["isolate", "rootfs", "cgroups", "nsenter", "together", "network", "rootless"];
const ENGLISH: &str = include_str!("../../README.md");
const CHINESE: &str = include_str!("../../README.zh.md");
const MANIFEST: &str = include_str!("../../Cargo.toml");

/// The lines of the first block for a shell, without their remarks.
fn commands(text: &str) -> Vec<&str> {
    let block = text.split_once("```sh\n").and_then(|(_, rest)| rest.split_once("```")).map_or("", |(block, _)| block);
    block.lines().map(|line| line.split_once(" #").map_or(line, |(command, _)| command).trim()).collect()
}

/// The value of a key of the manifest.
fn value(key: &str) -> Option<&'static str> {
    MANIFEST.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = "))
}

fn the_two_readmes_give_the_same_two_commands() {
    assert_eq!(commands(ENGLISH), ["cargo build --release && sudo target/release/boxwright", "tests/run"]);
    assert_eq!(commands(ENGLISH), commands(CHINESE));
    // The first screen of a code host: what it is, how it looks, how it is started.
    for (text, most) in [(ENGLISH, 36), (CHINESE, 42)] {
        let before = text.split("```sh").next().unwrap();
        assert!(before.lines().count() <= most && before.contains("```"), "{before}");
        // sudo does not look where rustup puts cargo, and what root builds a user cannot build again.
        assert!(!text.contains("sudo -E") && !text.contains("sudo cargo"), "cargo is not started by sudo");
    }
}

fn both_name_what_a_build_needs() {
    let version = value("rust-version").unwrap().trim_matches('"');
    for (name, text) in [("README.md", ENGLISH), ("README.zh.md", CHINESE)] {
        for word in [
            &format!("Rust {version}"),
            "https://rustup.rs",
            "sudo apt install rustup && rustup default stable",
            "sudo apt install build-essential",
            "linker `cc` not found",
            "2 GiB",
            "glibc",
            "x86-64",
            "aarch64",
        ] {
            assert!(text.contains(word), "{name} does not name {word}");
        }
    }
}

fn an_old_cargo_reads_the_manifest() {
    // Before cargo 1.71 the value was a boolean or an integer, and another one hides that the cargo is too old.
    let levels: Vec<&str> = MANIFEST.lines().filter_map(|line| line.strip_prefix("debug = ")).collect();
    assert!(!levels.is_empty());
    for level in levels {
        assert!(level.parse::<bool>().is_ok() || level.parse::<u8>().is_ok(), "debug = {level}");
    }
}

/// The screen that a README shows: its first block.
fn shown(text: &str) -> &str {
    text.split("```\n").nth(1).unwrap()
}

/// The screen at the moment that a README shows: a fork is about to happen, in a window of so many rows.
fn held_fork(lang: &str, rows: u16) -> String {
    let tmux = Tmux::start(80, 24);
    tmux.line(&format!("exec env LC_ALL=C.UTF-8 {BOXWRIGHT} --lang {lang} isolate/one-call-at-a-time"));
    tmux.until("the question", |screen| screen.contains(" 1-4 "));
    tmux.press(&["2"], "the command", |screen| screen.contains("▶"));
    let held = |name: &str, screen: &str| {
        screen.lines().any(|line| line.contains(name) && line.contains('⏸')) || {
            let lines: Vec<&str> = screen.lines().collect();
            lines.windows(2).any(|two| two[0].contains(name) && two[1].contains('⏸'))
        }
    };
    tmux.press(&["Space"], "the shell's fork", |screen| held("clone(", screen));
    tmux.press(&["Space"], "the program", |screen| held("execve(", screen));
    tmux.press(&["Space"], "the call", |screen| held("unshare(", screen));
    // The table of links follows with the next sample.
    let marked = |line: &str| line.contains(" pid_for_children ") && line.contains('◆');
    let forks = |screen: &str| held("clone(", screen) && screen.lines().any(marked);
    tmux.press(&["Space"], "its fork", forks);
    tmux.resize(80, rows);
    // The footer stands in the last row again.
    let fits = |screen: &str| screen.lines().count() == usize::from(rows) && screen.trim_end().ends_with(['t', '出']);
    tmux.until("the smaller window", |screen| fits(screen) && forks(screen))
}

/// The steps that a text names, in its order: what stands in backticks and has the form LESSON/STEP.
fn steps(text: &str) -> Vec<&str> {
    let quoted = text.split('`').skip(1).step_by(2);
    let lesson = |name: &str| LESSONS.contains(&name.split_once('/').map_or("", |(lesson, _)| lesson));
    quoted.filter(|name| lesson(name)).collect()
}

fn the_chinese_page_answers_five_pains_with_steps_that_are_there() {
    let opening = CHINESE.split("```\n").next().unwrap();
    let pains: Vec<&str> = opening.lines().filter(|line| line.starts_with("- ")).collect();
    assert_eq!(pains.len(), 5);
    let listed = Command::new(BOXWRIGHT).args(["lessons", "list"]).output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    for pain in pains {
        let named = steps(pain);
        assert!(!named.is_empty(), "{pain}");
        named.iter().for_each(|step| assert!(listed.split_whitespace().any(|word| word == *step), "{step}"));
    }
}

fn the_first_lines_say_what_no_other_tool_offers() {
    let opening = |text: &'static str| text.lines().skip(2).take(3).collect::<String>();
    for word in ["offline", "nothing installed", "v1 and v2", "as it was"] {
        assert!(opening(ENGLISH).contains(word), "{word}");
    }
    for word in ["不联网", "不安装", "v1 和 v2", "和原来一样"] {
        assert!(opening(CHINESE).contains(word), "{word}");
    }
}

fn plans_for_teachers_name_steps_that_are_there() {
    let listed = Command::new(BOXWRIGHT).args(["lessons", "list"]).output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let [english, chinese] = [include_str!("../../TEACHING.md"), include_str!("../../TEACHING.zh.md")].map(steps);
    assert!(english.len() > 30, "{english:?}");
    assert_eq!(english, chinese);
    for step in english {
        assert!(listed.split_whitespace().any(|word| word == step), "{step}");
    }
}

/// A screen without what differs from machine to machine and from day to day: PIDs and durations, which also move what
/// stands beside them, and what the first line says of the machine.
fn lasting(screen: &str) -> Vec<String> {
    let (mut lines, mut digits) = (Vec::new(), false);
    for (number, line) in screen.lines().enumerate() {
        let line = if number == 0 { line.rfind(']').map_or(line, |end| &line[..=end]) } else { line };
        let mut text = String::new();
        for letter in line.replace(" us ", " ms ").chars() {
            let repeats = matches!(letter, ' ' | '─') && text.ends_with(letter);
            if !(repeats || digits && (letter.is_ascii_digit() || letter == '.')) {
                text.push(if letter.is_ascii_digit() { '0' } else { letter });
            }
            digits = letter.is_ascii_digit() || digits && letter == '.';
        }
        lines.push(text.trim_end().to_string());
    }
    lines
}

/// `BOXWRIGHT_UPDATE=readme` writes them anew.
fn their_screens_are_the_programs_own() {
    for (lang, name, text) in [("en", "README.md", ENGLISH), ("zh", "README.zh.md", CHINESE)] {
        let screen = held_fork(lang, shown(text).lines().count() as u16);
        if std::env::var("BOXWRIGHT_UPDATE").as_deref() == Ok("readme") {
            let screen: Vec<&str> = screen.trim_end().lines().map(str::trim_end).collect();
            let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
            std::fs::write(path, text.replacen(shown(text), &format!("{}\n", screen.join("\n")), 1)).unwrap();
        } else {
            assert_eq!(lasting(&screen), lasting(shown(text)), "{name}");
        }
    }
}
