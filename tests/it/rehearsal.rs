//! A talk as it is given: the hall, the speaker's view, three followers; then each of them is killed and comes back.

use crate::harness::{Test, tests};
use crate::support::{BOXWRIGHT, tmux::Tmux};
use crate::tui_typing::bar;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use std::{fs, path::Path, process::Command};

pub fn tests() -> Vec<Test> {
    let tests = tests![a_talk_is_rehearsed_and_each_side_is_killed_and_comes_back: [Root, Tool("tmux")]];
    tests.into_iter().map(Test::alone).collect()
}

const STEPS: usize = 10;

fn hall(dir: &Path) -> Tmux {
    let tmux = Tmux::start(140, 45);
    let (state, recorded) = (dir.join("hall"), dir.join("recorded"));
    let (state, recorded) = (state.display(), recorded.display());
    let args = format!("--lang en present --type-along --record {recorded} isolate");
    tmux.line(&format!("XDG_STATE_HOME={state} {BOXWRIGHT} {args}"));
    tmux
}

fn speaker() -> Tmux {
    let tmux = Tmux::start(100, 40);
    tmux.line(&format!("{BOXWRIGHT} --lang en present --notes --minutes 45"));
    tmux
}

fn follower(dir: &Path, size: (u16, u16), args: &str) -> Tmux {
    let tmux = Tmux::start(size.0, size.1);
    let (state, recorded) = (dir.join("follower"), dir.join("recorded"));
    tmux.line(&format!("XDG_STATE_HOME={} {BOXWRIGHT} {args} follow {}", state.display(), recorded.display()));
    tmux
}

/// One in Chinese, one that reads lines, and one with more room.
fn followers(dir: &Path) -> [Tmux; 3] {
    // What is read line by line would scroll away in a small window.
    [((80, 24), "--lang zh"), ((120, 300), "--lang en --plain"), ((120, 30), "--lang en")]
        .map(|(size, args)| follower(dir, size, args))
}

/// Kills what runs in a window.
fn kill_in(tmux: Tmux) {
    let shell = tmux.ask("#{pane_pid}");
    let children = fs::read_to_string(format!("/proc/{shell}/task/{shell}/children")).unwrap();
    for child in children.split_whitespace() {
        kill(Pid::from_raw(child.parse().unwrap()), Signal::SIGKILL).unwrap();
    }
    assert!(!children.trim().is_empty(), "nothing runs there:\n{}", tmux.screen());
}

/// Which step a screen shows.
fn step(screen: &str) -> usize {
    let after = screen.split("isolate ").nth(1).unwrap_or_default();
    after.split('/').next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// The speaker's next key. Any key types along: it is not this letter that the shell gets.
fn key(screen: &str) -> Option<&'static str> {
    let bar = bar(screen);
    Some(match () {
        () if bar.contains("your answer") => "1",
        () if bar.contains("any key types along") => "Enter",
        () if bar.contains("Enter runs it") => "Enter",
        () if bar.contains("Space next") => "Space",
        () => return None,
    })
}

/// What the last line offers: each key of the speaker's changes it, but for that which lets one of several calls go.
fn offers(screen: &str) -> (usize, &str) {
    (step(screen), bar(screen).trim_start().split("   ").next().unwrap_or_default())
}

/// Goes through one step to the beginning of the next.
fn go_through(hall: &Tmux, number: usize) {
    let mut screen = hall.until("the step", |screen| step(screen) == number);
    let mut first = true;
    while step(&screen) == number {
        let Some(key) = key(&screen) else {
            screen = hall.until("what to do next", |now| self::key(now).is_some() || step(now) != number);
            continue;
        };
        if bar(&screen).contains("any key types along") && std::mem::take(&mut first) {
            // Two characters of the line, by two others.
            hall.text("wx");
        }
        hall.keys(&[key]);
        let before = screen;
        let walks = bar(&before).contains("next call");
        screen = hall.until("what the key does", |now| offers(now) != offers(&before) || walks && *now != before);
    }
}

/// Waits until all are at this step.
fn are_at(number: usize, speaker: &Tmux, followers: &[Tmux]) {
    let place = format!("isolate {number}/{STEPS}");
    speaker.until(&place, |screen| screen.contains(&place) && screen.contains("Then: "));
    let [chinese, plain, large] = followers else { panic!("three followers") };
    chinese.until(&place, |screen| screen.contains(&place) && bar(screen).contains("直播"));
    plain.sees(&format!("== isolate, step {number} of {STEPS}"));
    large.until(&place, |screen| screen.contains(&place) && bar(screen).contains("LIVE"));
}

fn a_talk_is_rehearsed_and_each_side_is_killed_and_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let mut speaker = speaker();
    speaker.sees("No hall yet");
    let mut teacher = hall(dir);
    teacher.sees("your answer");
    let mut all = followers(dir);
    for number in 1..=3 {
        are_at(number, &speaker, &all);
        if number == 3 {
            // One of them builds the teacher's step in containers of their own, and returns.
            let large = &all[2];
            large.press(&["f"], "a lesson of their own", |screen| {
                !bar(screen).contains("LIVE") && step(screen) == 3 && bar(screen).contains("q quit")
                    || bar(screen).contains("Space type the command")
            });
            large.quit();
            large.until("the teacher's again", |screen| bar(screen).contains("LIVE"));
        }
        go_through(&teacher, number);
    }
    // The speaker's view is killed.
    kill_in(speaker);
    speaker = self::speaker();
    are_at(4, &speaker, &all);
    // Each follower is killed.
    all.into_iter().for_each(kill_in);
    all = followers(dir);
    are_at(4, &speaker, &all);
    go_through(&teacher, 4);
    are_at(5, &speaker, &all);
    // The hall is killed, and begins again with the same line: it goes where it was, and everybody goes with it.
    kill_in(teacher);
    speaker.sees("No hall yet");
    all[0].sees("被杀死");
    all[1].sees("The session was killed");
    all[2].sees("The session was killed");
    teacher = hall(dir);
    for number in 5..STEPS {
        are_at(number, &speaker, &all);
        go_through(&teacher, number);
    }
    are_at(STEPS, &speaker, &all);
    teacher.until("the challenge", |screen| bar(screen).contains("lesson keys"));
    teacher.press(&["C-g"], "the lesson's keys", |screen| bar(screen).contains("q quit"));
    teacher.keys(&["q"]);
    all[0].sees("这次演示已经结束");
    all[1].until("the shell", |screen| screen.trim_end().ends_with("ready>"));
    all[2].sees("The session has ended");
    // What was typed along is what the lesson asks for, so that the kernel's facts were there.
    assert!(dir.join("recorded.1").exists());
    let judged = Command::new(BOXWRIGHT).args(["--lang", "en", "verify"]).arg(dir.join("recorded")).output().unwrap();
    let judged = String::from_utf8([judged.stdout, judged.stderr].concat()).unwrap();
    assert!(judged.contains("5 steps passed"), "{judged}");
}
