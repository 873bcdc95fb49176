//! Text out of the screen: into a terminal's clipboard, here tmux's, or into a file.

use crate::harness::{Test, tests};
use crate::support::BOXWRIGHT;
use crate::support::tmux::Tmux;
use std::fs;

pub fn tests() -> Vec<Test> {
    let tests = tests![
        the_clipboard_gets_the_line: [Root, Tool("tmux")],
        where_there_is_no_clipboard_a_file_has_it: [Root, Tool("tmux")],
    ];
    tests.into_iter().map(Test::alone).collect()
}

fn lab(clipboard: &str) -> Tmux {
    let tmux = Tmux::start(80, 24);
    tmux.set(&["-s", "set-clipboard", clipboard]);
    tmux.set(&["-g", "allow-passthrough", "off"]);
    let (here, state) = (tmux.file(""), tmux.file("state"));
    let (here, state) = (here.display(), state.display());
    tmux.line(&format!("cd {here}; XDG_STATE_HOME={state} {BOXWRIGHT} lab --lang en"));
    tmux.sees("lab keys");
    tmux.line("echo so '&' so");
    tmux.until("that it ran", |screen| screen.contains("so & so"));
    tmux.press(&["C-g"], "the lab's keys", |screen| screen.contains("q quit"));
    tmux
}

fn the_clipboard_gets_the_line() {
    let tmux = lab("on");
    tmux.press(&["y"], "what was sent", |screen| screen.contains("Sent to the terminal's clipboard (OSC 52)"));
    assert_eq!(tmux.buffer(), "echo so '&' so");
    tmux.keys(&["q"]);
    tmux.until("the end", |screen| screen.trim_end().ends_with("ready>"));
}

fn where_there_is_no_clipboard_a_file_has_it() {
    let tmux = lab("off");
    tmux.press(&["y"], "where it is", |screen| screen.contains("boxwright-copy.txt"));
    assert_eq!(fs::read_to_string(tmux.file("boxwright-copy.txt")).unwrap(), "echo so '&' so");
    tmux.keys(&["q"]);
    tmux.until("the end", |screen| screen.trim_end().ends_with("ready>"));
}
