//! The drawn screen, end to end: the real program in a real terminal, driven by keys alone.

use crate::harness::{Test, tests};
use crate::support::tmux::Tmux;
use crate::support::words::{CHINESE, ENGLISH, Words};
use crate::support::{self, BOXWRIGHT};
use boxwright::kernel::pid::Pid;
use std::fs;

pub fn tests() -> Vec<Test> {
    tests![
        it_opens_and_leaves_the_terminal_as_it_was: [Root, Tool("tmux")],
        a_signal_ends_it_cleanly: [Root, Tool("tmux")],
        the_whole_lesson_by_keys_alone: [Root, Tool("tmux")],
        a_smaller_window_is_said_and_comes_back: [Root, Tool("tmux")],
        nothing_is_left_when_it_is_killed: [Root, Tool("tmux")],
    ]
}

const SMALL: (u16, u16) = (80, 24);
const WIDE: (u16, u16) = (140, 45);

/// A shell in a terminal that looks at its settings before and after the program.
fn started((columns, rows): (u16, u16), args: &str) -> Tmux {
    let tmux = Tmux::start(columns, rows);
    let (before, after) = (tmux.file("before"), tmux.file("after"));
    tmux.line(&format!(
        "stty -a > {}; XDG_STATE_HOME={} {BOXWRIGHT} {args}; echo status=$?; stty -a > {}; echo done",
        before.display(),
        tmux.file("state").display(),
        after.display()
    ));
    tmux
}

/// The program has left with this status, and the terminal is as it was.
fn left(tmux: &Tmux, status: i32) {
    tmux.until("the end", |screen| screen.contains(&format!("status={status}\n")) && screen.contains("\ndone\n"));
    tmux.until("the prompt", |screen| screen.trim_end().ends_with("ready>"));
    let settings = |name| fs::read_to_string(tmux.file(name)).unwrap();
    assert_eq!(settings("before"), settings("after"));
    assert_eq!(tmux.ask("#{cursor_flag} #{alternate_on} #{bracket_paste_flag}").trim_end(), "1 0");
    tmux.line("echo ok");
    tmux.until("the shell", |screen| screen.matches("ok\n").count() == 2);
}

fn it_opens_and_leaves_the_terminal_as_it_was() {
    for size in [SMALL, WIDE, (40, 10), (20, 5)] {
        let tmux = started(size, "");
        tmux.until("the opening", |screen| screen.contains("b o x") || screen.contains("enlarge"));
        // Keys that mean nothing change nothing.
        tmux.keys(&["z", "F7", "M-x", "Left", "C-\\"]);
        tmux.keys(&["C-c"]);
        left(&tmux, 0);
    }
}

fn a_signal_ends_it_cleanly() {
    for (signal, status) in [("TERM", 143), ("HUP", 129), ("INT", 130), ("QUIT", 131)] {
        let tmux = started(SMALL, "isolate/2 --lang en");
        tmux.sees("Space type the command");
        let pid = fs::read_dir("/proc").unwrap().flatten().find_map(|entry| child(&entry.path(), &tmux)).unwrap();
        let sent = nix::sys::signal::kill(
            nix::unistd::Pid::from_raw(pid),
            format!("SIG{signal}").parse::<nix::sys::signal::Signal>().unwrap(),
        );
        assert_eq!(sent, Ok(()));
        left(&tmux, status);
    }
}

/// The PID of the program in the window, if this is its directory in /proc.
fn child(process: &std::path::Path, tmux: &Tmux) -> Option<i32> {
    let status = fs::read_to_string(process.join("status")).ok()?;
    let field =
        |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).map(|text| text.trim().to_string());
    let mine = field("PPid:")? == tmux.ask("#{pane_pid}") && field("Name:")? == "boxwright";
    mine.then(|| field("Pid:")?.parse().ok())?
}

/// The row of a namespace: everything after its name.
fn link(screen: &str, name: &str) -> String {
    let row = screen.lines().filter_map(|line| line.split('│').find_map(|cell| cell.trim().strip_prefix(name)));
    row.map(str::trim).next().unwrap_or_default().to_string()
}

/// The call that waits, wherever it is shown.
fn held(screen: &str) -> Vec<&str> {
    let cells = screen.lines().flat_map(|line| line.split('│'));
    cells.filter(|cell| cell.contains('⏸') && cell.contains('(')).map(str::trim).collect()
}

fn takes_the_whole_lesson((columns, rows): (u16, u16), words: &Words) {
    let tmux = started((columns, rows), &format!("--lang {}", words.lang));
    tmux.until("the opening", |screen| screen.contains("b o x w r i g h t"));
    tmux.keys(&["Enter"]);
    let wide = columns >= WIDE.0;
    let mut calls = Vec::new();
    let mut seen = !wide;
    let mut steps = std::collections::BTreeSet::new();
    loop {
        let bar = |screen: &str| screen.lines().last().unwrap_or_default().to_string();
        let acts = [words.command, words.call, words.next, words.answer, words.question];
        let screen = tmux.until("something to do", |screen| {
            acts.iter().any(|act| bar(screen).contains(act))
                || [words.turn, words.done].iter().any(|text| screen.contains(text))
        });
        let place = screen.lines().next().unwrap_or_default().split("isolate ").nth(1).unwrap_or_default();
        steps.insert(place.split(' ').next().unwrap_or_default().to_string());
        let bar = bar(&screen);
        if screen.contains(words.done) {
            break;
        } else if bar.contains(words.answer) {
            tmux.press(&["1"], "the answer", |now| !now.lines().last().unwrap_or_default().contains(words.answer));
        } else if bar.contains(words.call) {
            let row = link(&screen, "pid_for_children");
            calls.push(screen.clone());
            // Not just any change: a sample may come at any moment, and a second press would let two calls happen.
            tmux.press(&["Space"], "the next call", |now| held(now) != held(&screen));
            let core = screen.lines().any(|line| line.contains("unshare(NEW") && line.contains('⏸'));
            if wide && core {
                // The link for the children changes, the caller's own does not: both in one frame.
                tmux.until("the link", |now| {
                    let children = link(now, "pid_for_children");
                    !children.is_empty() && children != row && link(now, "pid ").ends_with('=')
                });
                seen = true;
            }
        } else if [words.command, words.next, words.question].iter().any(|act| bar.contains(act)) {
            tmux.press(&["Space"], "what comes next", |now| now != screen);
        } else {
            // What is typed before the new shell reads would be lost on the way, as on every terminal.
            tmux.line("unshare -impu --mount-proc --fork sh");
            tmux.until("the new shell's prompt", |now| now.matches("│$").count() >= 2);
            tmux.line("hostname challenge");
            tmux.until("the end of the challenge", |now| now.contains(words.done));
        }
    }
    assert_eq!(steps.len(), 10, "{steps:?}");
    assert!(seen, "the core call was held: {calls:#?}");
    assert!(calls.len() > 3, "each call of the core command was held: {calls:#?}");
    tmux.quit();
    left(&tmux, 0);
}

fn the_whole_lesson_by_keys_alone() {
    for words in [&ENGLISH, &CHINESE] {
        for size in [SMALL, WIDE] {
            takes_the_whole_lesson(size, words);
        }
    }
}

fn a_smaller_window_is_said_and_comes_back() {
    let tmux = started(WIDE, "isolate/4 --lang en");
    tmux.sees("your answer");
    tmux.press(&["2"], "the command", |screen| screen.contains(ENGLISH.command));
    tmux.press(&["Space"], "the held call", |screen| screen.contains(ENGLISH.call));
    tmux.resize(20, 5);
    tmux.sees("enlarge");
    tmux.resize(80, 24);
    tmux.until("the small screen", |screen| screen.contains("About to happen") && screen.contains(ENGLISH.call));
    tmux.resize(140, 45);
    tmux.until("the wide screen", |screen| screen.contains("pid_for_children") && screen.contains(ENGLISH.call));
    tmux.keys(&["q"]);
    left(&tmux, 0);
}

fn nothing_is_left_when_it_is_killed() {
    for held in [false, true] {
        let tmux = started(SMALL, "isolate/4 --lang en");
        tmux.sees("your answer");
        tmux.press(&["2"], "the command", |screen| screen.contains(ENGLISH.command));
        tmux.press(&["Space"], "the held call", |screen| screen.contains(ENGLISH.call));
        if !held {
            tmux.press(&["c"], "the end of the step", |screen| screen.contains(ENGLISH.next));
        }
        let pid = fs::read_dir("/proc").unwrap().flatten().find_map(|entry| child(&entry.path(), &tmux)).unwrap();
        let session = support::session_of(pid).unwrap();
        let family = support::processes_of(&session);
        assert!(family.len() >= if held { 2 } else { 3 }, "two shells, and perhaps a container: {family:?}");
        let ends: Vec<_> = family.iter().filter_map(|pid| boxwright::kernel::pidfd::open(Pid(*pid)).ok()).collect();
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGKILL).unwrap();
        for end in ends {
            support::wait_for_the_end(&end);
        }
        // The terminal was left raw: only we can mend that.
        tmux.line("");
        tmux.line("stty sane");
        let swept = std::process::Command::new(BOXWRIGHT)
            .arg("clean")
            .env("XDG_STATE_HOME", tmux.file("state"))
            .output()
            .unwrap();
        assert!(swept.status.success(), "{swept:?}");
        assert_eq!(support::left_of(&session), Vec::<String>::new());
    }
}
