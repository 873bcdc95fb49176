//! The lessons as numbered lines (`--plain`), by a learner who types.

use crate::harness::{Test, tests};
use crate::support::BOXWRIGHT;
use std::process::{Command, Stdio};

pub fn tests() -> Vec<Test> {
    tests![
        a_second_lesson_counts_its_own_samples: [Root],
        a_locale_that_is_not_installed_gives_way: [Root, Tool("bash"), Tool("locale")],
    ]
}

/// What is printed where these lines are typed.
fn typed(lines: &str, arguments: &[&str], locale: &str) -> String {
    let state = tempfile::tempdir().unwrap();
    let script = format!("printf '{lines}' | exec setsid -w {BOXWRIGHT} --plain \"$@\" 2>&1");
    let mut command = Command::new("sh");
    command.args(["-c", &script, "sh"]).args(arguments).stdin(Stdio::null());
    command
        .env("XDG_STATE_HOME", state.path())
        .env("LC_ALL", locale)
        .env_remove("SUDO_UID")
        .env_remove("BOXWRIGHT_LANG");
    String::from_utf8_lossy(&command.output().unwrap().stdout).into_owned()
}

fn a_second_lesson_counts_its_own_samples() {
    // The first step of one lesson and then of another: an answer and two commands each.
    let said = typed(r"1\n1\n\n\nm\n4\n1\n\n\n\nq\n", &["--lang", "en"], "C.UTF-8");
    let (first, second) = said.split_once("== nsenter 1/").unwrap_or_else(|| panic!("{said}"));
    for lesson in [first, second] {
        assert!(lesson.contains("Enter goes to the next step") && lesson.contains('✓'), "{said}");
    }
    assert!(!said.contains("Not yet"), "{said}");
}

fn a_locale_that_is_not_installed_gives_way() {
    let said =
        typed(r"! locale charmap; bash -c : ; printf %%s 汉字 | wc -m\nq\n", &["isolate/without-fork"], "zh_XX.UTF-8");
    assert!(said.contains("容器"), "the interface stays Chinese: {said}");
    assert!(
        said.contains("UTF-8\n") && !said.contains("cannot change locale") && !said.contains("Cannot set"),
        "{said}"
    );
    assert!(said.lines().any(|line| line.ends_with("| 2")), "two characters: {said}");
}
