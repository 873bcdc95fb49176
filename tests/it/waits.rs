//! How long a lesson without a learner waits for a command.

use crate::harness::{Test, tests};
use crate::support::BOXWRIGHT;
use std::{fs, path::Path, process::Command};

pub fn tests() -> Vec<Test> {
    tests![a_command_that_works_is_waited_for_and_one_that_does_nothing_is_not: [Root]]
}

/// Goes through a lesson whose only command is this line; tells whether it went well, and what was told.
fn lesson(home: &Path, line: &str) -> (bool, String) {
    let lesson = home.join("lessons/line");
    fs::create_dir_all(&lesson).unwrap();
    let hints = "```hint\na\n```\n\n".repeat(2);
    let text = format!(
        "# Line\n\n> One line.\n\nOne.\n\n## One {{#one fresh}}\n\nDo it.\n\n```run container\n{line}\n```\n\n\
         ```check\ncall unshare ok : It was made\n```\n\n{hints}```hint\nType `{line}`.\n```\n\n```why\nBecause.\n```\n"
    );
    for lang in ["en", "zh"] {
        fs::write(lesson.join(format!("{lang}.md")), &text).unwrap();
    }
    let mut command = Command::new(BOXWRIGHT);
    command.args(["run", "--yes", "--lang", "en", "line", "--lessons"]).arg(home.join("lessons"));
    let output = command.env("HOME", home).env_remove("XDG_STATE_HOME").output().unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
}

fn a_command_that_works_is_waited_for_and_one_that_does_nothing_is_not() {
    let home = tempfile::tempdir().unwrap();
    let (well, told) = lesson(home.path(), "timeout 13 sh -c \"while :; do :; done\"; unshare -u true");
    assert!(well && told.contains("is still at work"), "{told}");
    let (well, told) = lesson(home.path(), "sleep 13; unshare -u true");
    assert!(!well && !told.contains("is still at work"), "{told}");
}
