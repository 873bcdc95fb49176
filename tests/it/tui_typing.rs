//! Learners who type, on a screen of 80 by 24: their lines tick the step off, in any shell, and keys go where the task is.

use crate::harness::{Test, tests};
use crate::support::{BOXWRIGHT, tmux::Tmux};
use std::fs;

pub fn tests() -> Vec<Test> {
    tests![
        a_line_typed_as_shown_is_ticked_off: [Root, Tool("tmux")],
        what_only_shows_something_stays_offered: [Root, Tool("tmux")],
        a_name_typed_right_away_reaches_the_container: [Root, Tool("tmux")],
        bash_with_a_prompt_of_its_own_is_understood: [Root, Tool("tmux"), Tool("bash")],
        other_shells_are_understood: [Root, Tool("tmux"), Tool("busybox"), Tool("dash")],
        shells_that_draw_or_ask_in_their_own_way_are_understood: [Root, Tool("tmux"), Tool("zsh"), Tool("fish")],
        shells_behind_another_program_are_understood: [Root, Tool("tmux"), Tool("su"), Tool("sudo"), Tool("script")],
        typing_goes_on_when_a_step_is_done: [Root, Tool("tmux")],
        what_is_typed_after_a_step_by_space_reaches_the_shell: [Root, Tool("tmux")],
        what_is_typed_while_a_call_is_held_loses_nothing: [Root, Tool("tmux")],
        our_prompt_is_offered_and_not_forced: [Root, Tool("tmux"), Tool("bash")],
        lines_typed_ahead_of_a_new_shell_are_listed: [Root, Tool("tmux"), Tool("bash"), Tool("dash")],
        what_is_typed_is_held: [Root, Tool("tmux")],
        a_container_killed_from_another_window_is_noticed: [Root, Tool("tmux")],
    ]
}

/// The program at a step, in a home whose bash has a prompt of its own.
fn at(place: &str) -> Tmux {
    at_with(place, "")
}

/// The same with this in its environment.
pub(crate) fn at_with(place: &str, env: &str) -> Tmux {
    let tmux = Tmux::start(80, 24);
    let home = tmux.file("home");
    fs::create_dir(&home).unwrap();
    fs::write(home.join(".bashrc"), "PS1='me@here:\\w# '\n").unwrap();
    let state = tmux.file("state");
    tmux.line(&format!(
        "{env} HOME={} XDG_STATE_HOME={} {BOXWRIGHT} {place} --lang en",
        home.display(),
        state.display()
    ));
    tmux
}

pub(crate) fn bar(screen: &str) -> &str {
    screen.lines().last().unwrap_or_default()
}

/// A command is due and the prompt is empty.
fn due(tmux: &Tmux, line: &str) -> String {
    let offered = format!("│   {line} ");
    tmux.until(line, |screen| screen.contains(&offered) && bar(screen).contains("Space type the command"))
}

pub(crate) fn answers(tmux: &Tmux, digit: &str) {
    let asks = |screen: &str| bar(screen).contains("your answer");
    let screen = tmux.until("the question", |now| asks(now) || bar(now).contains("Space show the question"));
    if !asks(&screen) {
        tmux.press(&["Space"], "the question", asks);
    }
    tmux.press(&[digit], "the answer", |screen| screen.contains("◂ your answer"));
}

fn a_line_typed_as_shown_is_ticked_off() {
    let tmux = at("isolate/3");
    due(&tmux, "unshare -p --fork sh");
    tmux.line("unshare  -p --fork sh");
    let screen = due(&tmux, "echo $$");
    assert!(screen.contains("│ $ unshare  -p --fork sh"), "{screen}");
    tmux.sees("inside: new pid");
    tmux.line("echo $$");
    answers(&tmux, "2");
    due(&tmux, "ps -ef");
    // Something else ends nothing, and is listed.
    tmux.line("echo hi");
    tmux.until("the line", |screen| screen.contains("│ $ echo hi"));
    due(&tmux, "ps -ef");
    tmux.line("ps -ef");
    tmux.until("the end of the step", |screen| bar(screen).contains("Space next step"));
}

fn what_only_shows_something_stays_offered() {
    let tmux = at("rootfs/1");
    answers(&tmux, "1");
    tmux.until("the command", |screen| bar(screen).contains("Space type the command"));
    tmux.line("skopeo copy -q builtin: dir:image");
    due(&tmux, "ls -l image");
    tmux.until("the facts", |now| now.contains("done your way") && now.contains("✓ There is a manifest"));
    tmux.line("echo hi");
    tmux.until("the line", |screen| screen.contains("│ $ echo hi"));
    due(&tmux, "ls -l image");
    tmux.keys(&["C-g"]);
    tmux.until("the lesson's keys", |screen| bar(screen).contains("pass over it"));
    tmux.keys(&["n"]);
    tmux.until("the end of the step", |screen| bar(screen).contains("Space next step"));
}

fn a_name_typed_right_away_reaches_the_container() {
    let tmux = at("isolate/6");
    answers(&tmux, "1");
    due(&tmux, "hostname box");
    tmux.line("hostname box");
    due(&tmux, "hostname");
    tmux.until("the fact", |now| now.contains("✓ Inside, the host name is box") && now.contains("▸container"));
    // What is typed next belongs into the other terminal.
    tmux.line("hostname");
    tmux.until("the end of the step", |now| bar(now).contains("Space next step") && now.contains("▸host"));
    tmux.sees("the machine itself");
}

fn bash_with_a_prompt_of_its_own_is_understood() {
    let tmux = at("isolate/4");
    answers(&tmux, "2");
    due(&tmux, "unshare -imnpu --mount-proc --fork sh");
    tmux.line("unshare -imnpu --mount-proc --fork bash");
    tmux.until("the held call", |screen| bar(screen).contains("Space next call"));
    tmux.keys(&["c"]);
    let screen = tmux.until("the end of the step", |screen| bar(screen).contains("Space next step"));
    assert!(screen.contains("me@here:"), "{screen}");
    tmux.keys(&["Space"]);
    answers(&tmux, "2");
    due(&tmux, "ps -ef");
    tmux.line("ps -ef");
    tmux.until("the end of the step", |screen| bar(screen).contains("Space next step"));
    tmux.keys(&["Space"]);
    answers(&tmux, "1");
    due(&tmux, "hostname box");
    // Space types into such a shell as well, but not behind a text.
    tmux.text("echo");
    tmux.until("the text", |screen| screen.contains("# echo") && !bar(screen).contains("Space"));
    tmux.keys(&["C-u"]);
    due(&tmux, "hostname box");
    tmux.keys(&["Space"]);
    tmux.until("the name", |screen| screen.contains("✓ Inside, the host name is box"));
}

/// Each shell waits for the learner's line, and the lesson takes note of it.
fn understood(shells: &[&str]) {
    for shell in shells {
        let tmux = at("isolate/1");
        answers(&tmux, "1");
        due(&tmux, "ls -l /proc/self/ns");
        tmux.line(&format!("env PS1='mine: ' {shell}"));
        tmux.until(shell, |screen| {
            let prompt = screen.lines().skip(3).take_while(|line| !line.starts_with('╰')).any(|line| {
                let cell = line.trim_matches('│').trim();
                cell == "mine:" || cell.ends_with('#')
            });
            prompt && bar(screen).contains("Space type the command")
        });
        tmux.line("ls -l /proc/self/ns");
        tmux.until("the next command", |screen| screen.contains("Type it in the host terminal, or Space:"));
    }
}

fn other_shells_are_understood() {
    understood(&["busybox ash", "dash", "sh", "env -u PS1 bash --norc", "chroot / sh"]);
}

fn shells_that_draw_or_ask_in_their_own_way_are_understood() {
    understood(&["zsh -f", "fish --no-config"]);
}

fn shells_behind_another_program_are_understood() {
    understood(&["su", "su -P", "sudo -s", "sudo -i", "script -q -c dash /dev/null"]);
}

/// The step with a container in which nothing changes, done: its last line is typed, or comes by Space.
fn in_a_container(lang: &str, typed: bool) -> Tmux {
    let tmux = Tmux::start(80, 24);
    let state = tmux.file("state");
    tmux.line(&format!("XDG_STATE_HOME={} {BOXWRIGHT} isolate/3 --lang {lang}", state.display()));
    let (command, next) = if lang == "en" {
        ("Space type the command", "Space next step")
    } else {
        ("Space 输入命令", "Space 下一步")
    };
    for line in ["unshare -p --fork sh", "echo $$", "ps -ef"] {
        let offered = format!("│   {line} ");
        tmux.until(line, |screen| screen.contains(&offered) && bar(screen).contains(command));
        if typed {
            tmux.line(line)
        } else {
            tmux.keys(&["Space"])
        }
        if line.starts_with("echo") {
            tmux.until("the question", |screen| bar(screen).contains("1-3"));
            tmux.keys(&["2"]);
        }
    }
    tmux.until("the end of the step", |screen| bar(screen).contains(next));
    tmux
}

/// The container is still the one of this step.
fn goes_on(tmux: &Tmux, title: &str) {
    let screen = tmux.screen();
    assert!(screen.lines().next().unwrap().contains(title) && screen.contains(" pid "), "{screen}");
}

fn typing_goes_on_when_a_step_is_done() {
    for (lang, next, keys) in [("en", "Space next step", "^G lesson keys"), ("zh", "Space 下一步", "^G 课程键")] {
        let tmux = in_a_container(lang, true);
        let bar_now = tmux.screen().lines().last().unwrap().to_string();
        assert!(bar_now.contains(next) && bar_now.contains(keys), "{bar_now}");
        tmux.line("ps -ef; echo $$ still $((40 + 2))");
        tmux.sees("1 still 42");
        goes_on(&tmux, "isolate 3/");
        // Behind a text Space is a blank.
        tmux.text("echo one");
        tmux.until("the text", |screen| !bar(screen).contains("Space") && bar(screen).contains(keys));
        tmux.line(" two");
        tmux.sees("one two");
        tmux.until("the empty prompt", |screen| bar(screen).contains(next));
        tmux.press(&["Space"], "the next step", |screen| screen.lines().next().unwrap().contains("isolate 4/"));
    }
}

fn what_is_typed_after_a_step_by_space_reaches_the_shell() {
    let tmux = in_a_container("en", false);
    assert!(bar(&tmux.screen()).contains("to the terminal"), "{}", tmux.screen());
    tmux.line("ps -ef; echo $$ still $((40 + 2))");
    tmux.sees("1 still 42");
    goes_on(&tmux, "isolate 3/");
    tmux.until("the empty prompt", |screen| bar(screen).contains("Space next step"));
    // A learner who asks has the lesson's keys.
    tmux.press(&["C-g"], "the lesson's keys", |screen| bar(screen).contains("q quit"));
    tmux.press(&["r"], "the step again", |screen| screen.contains("│   unshare -p --fork sh "));
    let tmux = in_a_container("zh", false);
    tmux.press(&["p"], "the question", |screen| screen.contains("再按一次 p"));
    goes_on(&tmux, "isolate 3/");
    tmux.press(&["p"], "the step before", |screen| screen.lines().next().unwrap().contains("isolate 2/"));
}

fn what_is_typed_while_a_call_is_held_loses_nothing() {
    let tmux = at("isolate/4");
    answers(&tmux, "2");
    due(&tmux, "unshare -imnpu --mount-proc --fork sh");
    tmux.line("unshare -imnpu --mount-proc --fork sh");
    // A screen may be seen while it is being drawn.
    tmux.until("the held call", |screen| bar(screen).contains("Space next call") && screen.contains("⏸ held"));
    tmux.text("ps -ef");
    let screen = tmux.sees("A call is held: the shell waits until it happens");
    assert!(screen.contains("⏸ held") && bar(&screen).contains("Space next call"), "{screen}");
    // What was begun is taken back, and the call happens by the key that says so.
    tmux.keys(&["Enter"]);
    tmux.until("the message is gone", |screen| !screen.contains("the shell waits until"));
    goes_on(&tmux, "isolate 4/");
    tmux.press(&["c"], "the end of the step", |screen| bar(screen).contains("Space next step"));
}

fn our_prompt_is_offered_and_not_forced() {
    let tmux = at("isolate/1");
    answers(&tmux, "1");
    due(&tmux, "ls -l /proc/self/ns");
    tmux.line("bash");
    let screen = tmux.sees("PS1=${BOXWRIGHT_PS1:-$PS1}");
    assert!(screen.contains("me@here:") && bar(&screen).contains("Space"), "{screen}");
    tmux.line("PS1=${BOXWRIGHT_PS1:-$PS1}");
    tmux.until("our prompt", |screen| {
        let cells: Vec<&str> = screen.lines().skip(3).map(|line| line.trim_matches('│').trim()).collect();
        cells.contains(&"$") && bar(screen).contains("Space type the command")
    });
    // How a command ended is known now.
    tmux.line("ls -l /proc/self/ns");
    tmux.until("the next command", |screen| screen.contains("Type it in the host terminal, or Space:"));
}

fn lines_typed_ahead_of_a_new_shell_are_listed() {
    for shell in ["bash", "dash", "bash --norc"] {
        let tmux = at("isolate/1");
        answers(&tmux, "1");
        due(&tmux, "ls -l /proc/self/ns");
        // The new shell begins once the second line is there.
        let gate = tmux.file("gate");
        nix::unistd::mkfifo(&gate, nix::sys::stat::Mode::S_IRWXU).unwrap();
        tmux.line(&format!("cat {}; {shell}", gate.display()));
        let held = std::fs::OpenOptions::new().write(true).open(&gate).unwrap();
        tmux.line("echo ahead");
        tmux.until("its echo", |screen| screen.contains("│echo ahead"));
        drop(held);
        tmux.until(shell, |screen| {
            let rows: Vec<&str> = screen.lines().map(|line| line.trim_matches('│').trim()).collect();
            // A shell that does not echo it prints behind its prompt.
            let ran = rows.iter().any(|row| row.ends_with("ahead") && !row.contains("echo"));
            ran && rows.contains(&"$ echo ahead")
        });
    }
}

fn what_is_typed_is_held() {
    let tmux = at("isolate/4");
    answers(&tmux, "2");
    due(&tmux, "unshare -imnpu --mount-proc --fork sh");
    tmux.line("unshare -imnpu --mount-proc --fork sh");
    let screen = tmux.until("the held call", |screen| bar(screen).contains("Space next call"));
    assert!(screen.contains("⏸ held"), "{screen}");
}

fn a_container_killed_from_another_window_is_noticed() {
    let tmux = at("isolate/9");
    answers(&tmux, "1");
    let screen = due(&tmux, "kill -KILL 1");
    let pid = screen.split(" pid ").nth(2).or(screen.split(" pid ").nth(1)).unwrap();
    let pid: i32 = pid.split_whitespace().next().unwrap().parse().unwrap();
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGKILL).unwrap();
    tmux.until("the loss", |now| now.contains("Your container has ended") && now.contains("the machine itself"));
    tmux.resize(60, 18);
    tmux.until("the way out", |now| now.contains("^G r builds it again") && bar(now).contains("lesson keys"));
    // Space is the shell's, and types nothing of the lesson's.
    tmux.keys(&["Space", "C-g"]);
    tmux.until("the lesson's keys", |now| bar(now).contains("begin again") || bar(now).contains("hint"));
    assert!(!tmux.screen().contains("$ kill -KILL 1"), "{}", tmux.screen());
    tmux.keys(&["r"]);
    tmux.until("the container again", |now| now.contains("inside: new") && !now.contains("has ended"));
}
