//! A class: what sessions share, what the board shows of it, and what becomes of it at their end.

use crate::harness::{Test, tests};
use crate::support::BOXWRIGHT;
use crate::support::tmux::Tmux;
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

pub fn tests() -> Vec<Test> {
    let mut tests = tests![
        a_room_is_seen_as_it_works: [Root, Tool("tmux")],
        one_key_leaves_the_class: [Root, Tool("tmux")],
    ];
    tests.extend(tests![
        a_directory_that_is_not_there_is_named_with_its_remedy,
        what_is_no_terminal_gets_the_board_once,
    ]);
    tests.into_iter().map(Test::alone).collect()
}

/// A directory that all users may write to.
fn shared() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o1777)).unwrap();
    let path = dir.path().to_path_buf();
    (dir, path)
}

fn learner(class: &Path, name: &str, place: &str) -> Tmux {
    let tmux = Tmux::start(100, 30);
    let (state, class) = (tmux.file("state"), class.display());
    tmux.line(&format!(
        "XDG_STATE_HOME={} {BOXWRIGHT} --lang en {place} --class {class} --name '{name}'",
        state.display()
    ));
    tmux
}

fn files(class: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(class).unwrap().flatten().map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn a_room_is_seen_as_it_works() {
    let (_dir, class) = shared();
    let board = Tmux::start(120, 24);
    board.line(&format!("{BOXWRIGHT} --lang en class {}", class.display()));
    board.sees("Nothing is shared here yet");
    let (first, second) = (learner(&class, "Li", "isolate/1"), learner(&class, "Wang", "isolate/1"));
    first.sees("The class sees in");
    second.sees("your answer");
    board.until("both", |screen| screen.contains("2 learners") && screen.contains("0 of 2 have answered"));
    second.press(&["2"], "the answer", |screen| screen.contains("◂"));
    board.until("one answer", |screen| screen.contains("1 of 2 have answered") && !screen.contains("right"));
    first.sees("your answer");
    first.press(&["H"], "the flag", |screen| screen.contains("The class sees: ✋ help me"));
    let screen = board.until("the hand", |screen| screen.contains("✋ 1"));
    let row = |name: &str| screen.lines().position(|line| line.contains(name)).unwrap();
    assert!(row("Li") < row("Wang"), "who needs help comes first:\n{screen}");
    let texts: Vec<String> = files(&class).iter().map(|name| fs::read_to_string(class.join(name)).unwrap()).collect();
    assert!(texts.iter().all(|text| !text.contains("/proc/self/ns")), "no commands: {texts:?}");
    // A killed session is not there any more; one that leaves takes the file away.
    let pid = serde_json::from_str::<serde_json::Value>(&texts[0]).unwrap()["pid"].as_i64().unwrap();
    first.quit();
    board.until("the other one alone", |screen| screen.contains("1 learners") && !screen.contains("Li "));
    assert_eq!(files(&class), ["Wang.json"], "of {pid}");
    second.quit();
    board.sees("Nothing is shared here yet");
    fs::remove_dir(&class).unwrap();
    board.until("that it is gone", |screen| screen.contains("mkdir -m 1777"));
}

fn one_key_leaves_the_class() {
    let (_dir, class) = shared();
    let tmux = learner(&class, "Li", "isolate/1");
    tmux.sees("your answer");
    tmux.until("the file", |_| files(&class) == ["Li.json"]);
    tmux.press(&["X"], "that it has left", |screen| screen.contains("You have left the class"));
    tmux.press(&["1"], "the answer", |screen| screen.contains("◂"));
    assert_eq!(files(&class), [""; 0]);
    tmux.quit();
    tmux.until("the end", |screen| screen.trim_end().ends_with("ready>"));
}

fn run(args: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(BOXWRIGHT);
    let output = command.args(args).env("LC_ALL", "C.UTF-8").stdin(Stdio::null()).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn a_directory_that_is_not_there_is_named_with_its_remedy() {
    let (status, _, said) = run(&["class", "/nowhere/class"]);
    assert_eq!(status, 2);
    assert!(said.contains("/nowhere/class") && said.contains("ENOENT") && said.contains("mkdir -m 1777"), "{said}");
}

fn what_is_no_terminal_gets_the_board_once() {
    let (_dir, class) = shared();
    let name = "{\"class\":1,\"name\":\"Li\",\"host\":\"elsewhere\",\"pid\":1,\"since\":0,\
                \"lesson\":\"isolate\",\"step\":\"a\",\"number\":1,\"of\":10,\"flag\":\"help\"}";
    fs::write(class.join("Li.json"), name).unwrap();
    fs::write(class.join("bad.json"), "\x1b[2J").unwrap();
    let dir = class.to_str().unwrap();
    let (status, board, _) = run(&["class", dir]);
    assert_eq!(status, 0);
    assert!(board.contains("Li") && board.contains("1 files could not be read") && !board.contains('\x1b'), "{board}");
    let (_, json, _) = run(&["class", dir, "--json", "--once"]);
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&value["learners"][0]["flag"], &value["unread"]), (&"help".into(), &1.into()));
}
