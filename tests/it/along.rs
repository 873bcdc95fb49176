//! A speaker's hands: lines that are typed along, and a lesson that plays by itself.

use crate::harness::{Test, tests};
use crate::support::BOXWRIGHT;
use crate::support::tmux::Tmux;
use crate::tui_typing::bar;

pub fn tests() -> Vec<Test> {
    tests![
        whatever_is_hit_types_the_line: [Root, Tool("tmux")],
        keys_that_come_too_fast_reach_no_shell: [Root, Tool("tmux")],
        a_challenge_plays_by_itself: [Root, Tool("tmux")],
        the_room_sees_keys_and_no_password: [Root, Tool("tmux")],
    ]
}

fn started(args: &str) -> Tmux {
    let tmux = Tmux::start(140, 45);
    tmux.line(&format!("XDG_STATE_HOME={} {BOXWRIGHT} --lang en {args}", tmux.file("state").display()));
    tmux
}

/// What stands behind the prompt in the container terminal.
fn line(screen: &str) -> String {
    let cells = screen.lines().flat_map(|line| line.split('│'));
    let mut typed = cells.filter_map(|cell| cell.strip_prefix("$ ")).map(str::trim_end).filter(|line| !line.is_empty());
    typed.next_back().unwrap_or_default().to_string()
}

fn whatever_is_hit_types_the_line() {
    let tmux = started("--type-along isolate/1");
    tmux.sees("your answer");
    tmux.press(&["1"], "the first line", |screen| screen.contains("any key types along"));
    tmux.text("wxyz");
    let screen = tmux.until("four characters", |screen| line(screen).len() == 4);
    assert!(!screen.contains("wxyz"), "{screen}");
    let begun = line(&screen);
    // The shell shows it a moment after the keys say what comes next.
    let typed = "ls -l /proc/self/ns";
    assert!(typed.starts_with(&begun), "{screen}");
    let is_whole = |screen: &str| screen.contains("Enter runs it") && line(screen) == typed;
    tmux.press(&["Enter"], "the whole line", is_whole);
    tmux.press(&["Escape"], "the speaker's own keys", |screen| screen.contains("Your own keys now"));
    tmux.text(" # so");
    tmux.until("the rest", |screen| line(screen) == format!("{typed} # so"));
    tmux.keys(&["Enter"]);
    // It ran, and stays readable.
    tmux.until("what it printed", |screen| screen.contains(&format!(" $ {typed} # so")) && screen.contains("uts -> "));
    tmux.quit();
    tmux.until("the end", |screen| screen.trim_end().ends_with("ready>"));
}

fn keys_that_come_too_fast_reach_no_shell() {
    let tmux = started("--type-along isolate/1");
    tmux.sees("your answer");
    tmux.press(&["1"], "the first line", |screen| screen.contains("any key types along"));
    let burst = ["z", "z", "Enter", "z", "Enter", "z", "z", "Enter", "Enter", "z", "Enter", "z"].repeat(2);
    let says = |screen: &str, text: &str| bar(screen).contains(text);
    // A line in each terminal: what is hit between the two, and after them, does nothing.
    let mut screen = tmux.screen();
    while !says(&screen, "next step") {
        tmux.keys(&burst);
        let any = ["types along", "runs it", "next step"];
        screen = tmux.until("what a key does", |screen| any.iter().any(|text| says(screen, text)));
    }
    let screen = tmux.press(&burst, "that none is due", |screen| screen.contains("No line is due here"));
    let own = |screen: &str| screen.lines().flat_map(|line| line.split('│')).any(|cell| cell.starts_with("$ z"));
    assert!(!own(&screen) && !screen.contains("not found"), "{screen}");
    // Escape may come in one piece with the next key.
    tmux.keys(&["Escape", "z"]);
    tmux.until("the speaker's own keys", own);
    tmux.keys(&["C-u"]);
    tmux.until("an empty line", |screen| !own(screen));
    // While its shells start, a key is the lesson's; then it types along.
    tmux.press(&["Space"], "the next step", |screen| screen.contains("isolate 2/10") && says(screen, "types along"));
    tmux.quit();
    tmux.until("the end", |screen| screen.trim_end().ends_with("ready>"));
}

fn a_challenge_plays_by_itself() {
    let tmux = started("--auto 1 isolate/challenge");
    tmux.sees("How it went");
    tmux.keys(&["q"]);
    tmux.until("the end", |screen| screen.trim_end().ends_with("ready>"));
}

fn the_room_sees_keys_and_no_password() {
    let tmux = started("--keys isolate/1");
    tmux.sees("your answer");
    let border = |screen: &str| screen.lines().rev().find(|row| row.contains('╯')).unwrap_or_default().to_string();
    tmux.press(&["1"], "the answer's key", |screen| border(screen).contains(" 1 "));
    tmux.text("cat");
    tmux.until("the letters", |screen| border(screen).contains(" c a t "));
    tmux.press(&["Enter"], "that it reads", |screen| border(screen).contains(" t Enter "));
    tmux.until("that cat runs", |screen| screen.contains("[\"cat\"]) = 0"));
    tmux.text("geheim");
    let screen = tmux.until("dots", |screen| border(screen).contains(" Enter • • • • • • "));
    assert!(!border(&screen).contains('g'), "{screen}");
    tmux.keys(&["C-d", "C-g"]);
    tmux.until("the prefix", |screen| border(screen).contains(" ^D ^G "));
    tmux.press(&["K"], "no keys", |screen| {
        screen.contains("Keys are shown no more") && !border(screen).contains("Enter")
    });
    tmux.quit();
    tmux.until("the end", |screen| screen.trim_end().ends_with("ready>"));
}
