//! The terminal that the screen is drawn on: stopped from outside, in the background, lost, and written on by others.

use crate::harness::{Test, tests};
use crate::support::{BOXWRIGHT, tmux::Tmux, wait_for_the_end};
use boxwright::{
    kernel::pidfd,
    terminal::{Pty, PtyEvent, Size},
};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use std::{
    fs::{self, File, OpenOptions},
    io::Write,
    process::Command,
    sync::mpsc::channel,
    time::Duration,
};

pub fn tests() -> Vec<Test> {
    tests![
        after_a_stop_from_outside_it_is_drawn_and_reads_keys_again: [Tool("tmux"), Tool("bash")],
        in_the_background_it_waits_and_ends_when_asked: [Tool("tmux"), Tool("bash")],
        what_others_write_goes_with_a_key: [Tool("tmux"), Tool("bash")],
        a_lost_terminal_ends_it_without_a_panic: [Tool("setsid")],
    ]
}

/// bash in a window: its job control works in raw mode, too. The program is not started yet.
fn shell() -> Tmux {
    let tmux = Tmux::start(80, 24);
    tmux.line("exec bash --norc");
    tmux.line(&format!("export XDG_STATE_HOME={}; stty -a > {}", tmux.file("state").display(), before(&tmux)));
    tmux.line("clear; echo here");
    tmux.until("bash", |screen| screen.starts_with("here\nready>"));
    tmux
}

fn before(tmux: &Tmux) -> String {
    tmux.file("before").display().to_string()
}

/// The PID of the program that the window's shell has started.
fn program(tmux: &Tmux) -> i32 {
    let shell = tmux.ask("#{pane_pid}");
    let children = fs::read_to_string(format!("/proc/{shell}/task/{shell}/children")).unwrap();
    children.split_whitespace().next().unwrap().parse().unwrap()
}

fn is_open(screen: &str) -> bool {
    screen.contains("b o x w r i g h t") && !screen.contains("ready>")
}

/// The shell has its terminal as it was.
fn given_back(tmux: &Tmux) {
    let after = tmux.file("after").display().to_string();
    tmux.line(&format!("echo status=$?; stty -a > {after}; echo ended"));
    tmux.until("the end", |screen| screen.contains("status=0\nended\n"));
    assert_eq!(fs::read_to_string(before(tmux)).unwrap(), fs::read_to_string(after).unwrap());
}

fn after_a_stop_from_outside_it_is_drawn_and_reads_keys_again() {
    let tmux = shell();
    tmux.line(&format!("{BOXWRIGHT} --lang en"));
    tmux.until("the opening", is_open);
    kill(Pid::from_raw(program(&tmux)), Signal::SIGSTOP).unwrap();
    tmux.sees("Stopped");
    tmux.resize(90, 30);
    tmux.line("fg");
    tmux.until("the opening", |screen| is_open(screen) && !screen.contains("Stopped") && !screen.contains("fg"));
    assert_eq!(tmux.screen().lines().count(), 30, "the window's new size");
    tmux.resize(80, 24);
    tmux.until("the old size", |screen| is_open(screen) && screen.lines().count() == 24);
    // Without raw mode the key would wait for Return.
    tmux.press(&["?"], "the help", |screen| screen.contains("close"));
    tmux.keys(&["Escape"]);
    // Job control by itself does the same.
    kill(Pid::from_raw(program(&tmux)), Signal::SIGTSTP).unwrap();
    tmux.sees("Stopped");
    tmux.line("fg");
    tmux.until("the opening", is_open);
    tmux.keys(&["C-c"]);
    tmux.until("the shell", |screen| screen.trim_end().ends_with("ready>"));
    given_back(&tmux);
}

/// The program says that it waits, and what an earlier one said is gone.
fn waits(tmux: &Tmux) {
    tmux.until("it waits", |screen| screen.contains("it was started in the background") && !screen.contains("status="));
}

fn in_the_background_it_waits_and_ends_when_asked() {
    let tmux = shell();
    for (signal, status) in [("TERM", 143), ("QUIT", 131), ("INT", 130)] {
        tmux.line(&format!("clear; {BOXWRIGHT} --lang en &"));
        waits(&tmux);
        let process = pidfd::open(boxwright::kernel::pid::Pid(program(&tmux))).unwrap();
        tmux.line(&format!("kill -{signal} $!; wait $!; echo status=$?"));
        tmux.sees(&format!("status={status}\n"));
        wait_for_the_end(&process);
    }
    tmux.line(&format!("clear; {BOXWRIGHT} --lang en &"));
    waits(&tmux);
    tmux.line("fg");
    tmux.until("the opening", is_open);
    tmux.keys(&["C-c"]);
    tmux.until("the shell", |screen| screen.trim_end().ends_with("ready>"));
    given_back(&tmux);
}

fn what_others_write_goes_with_a_key() {
    let tmux = shell();
    tmux.line(&format!("{BOXWRIGHT} --lang en"));
    let clean = tmux.until("the opening", is_open);
    let mut other = OpenOptions::new().write(true).open(tmux.ask("#{pane_tty}")).unwrap();
    other.write_all(b"\x1b[3;1Hdirt of others\x1b[5;70Hmore of it").unwrap();
    tmux.until("the dirt", |screen| screen.contains("dirt of others") && screen.contains("more of it"));
    tmux.press(&["C-l"], "what was there before", |screen| screen == clean);
    tmux.keys(&["C-c"]);
    tmux.until("the shell", |screen| screen.trim_end().ends_with("ready>"));
    given_back(&tmux);
}

fn a_lost_terminal_ends_it_without_a_panic() {
    // Where hang-ups are ignored, only failing reads and writes tell of it.
    for (prepare, state) in [("", "heard"), ("trap '' HUP;", "not heard")] {
        let home = tempfile::tempdir().unwrap();
        let (send, news) = channel();
        let pty = Pty::open(Size::USUAL).unwrap();
        pty.reader(move |event| drop(send.send(event))).unwrap();
        let slave = File::options().read(true).write(true).open(pty.slave_path()).unwrap();
        let mut command = Command::new("setsid");
        command.args(["--ctty", "--wait", "sh", "-c", &format!("{prepare} exec {BOXWRIGHT}")]);
        command.env("TERM", "xterm").env("XDG_STATE_HOME", home.path());
        command.stdin(slave.try_clone().unwrap()).stdout(slave.try_clone().unwrap()).stderr(slave);
        let mut child = command.spawn().unwrap();
        drop(command);
        let mut seen = String::new();
        while !seen.contains("b o x") {
            match news.recv_timeout(Duration::from_secs(30)) {
                Ok(PtyEvent::Output(bytes)) => seen.push_str(&String::from_utf8_lossy(&bytes)),
                other => panic!("{state}: {other:?}: {seen}"),
            }
        }
        drop(pty);
        let process = pidfd::open(boxwright::kernel::pid::Pid::of(&child)).unwrap();
        wait_for_the_end(&process);
        assert_eq!(child.wait().unwrap().code(), Some(129), "{state}");
    }
}
