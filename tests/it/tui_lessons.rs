//! Whole lessons on the drawn screen, by keys alone, from the first step through the challenge to the end.

use crate::harness::{Test, tests};
use crate::support::tmux::Tmux;
use crate::support::words::{CHINESE, ENGLISH, Words};
use crate::support::{BOXWRIGHT, host, left_of, processes_of, session_of};
use boxwright::lesson::{Block, Lesson, TerminalId};
use std::{collections::BTreeSet, fs, path::Path};

pub fn tests() -> Vec<Test> {
    let tests = tests![
        rootfs_by_keys: [Root, Tool("tmux")],
        cgroups_by_keys: [Root, Tool("tmux")],
        nsenter_by_keys: [Root, Tool("tmux")],
        together_by_keys: [Root, Tool("tmux")],
    ];
    tests.into_iter().map(Test::alone).collect()
}

fn lesson(id: &str, lang: &str) -> Lesson {
    let all = boxwright::lesson::load(None).unwrap();
    all.into_iter().map(|translations| translations[lang].clone()).find(|lesson| lesson.id == id).unwrap()
}

fn bar(screen: &str) -> &str {
    screen.lines().last().unwrap_or_default()
}

/// The program in the window: the child of its shell.
fn program(tmux: &Tmux) -> i32 {
    let shell = tmux.ask("#{pane_pid}");
    let children = fs::read_to_string(format!("/proc/{shell}/task/{shell}/children")).unwrap();
    children.split_whitespace().next().unwrap().parse().unwrap()
}

/// The first process of the session's container, by the host's number.
fn container(session: &str) -> Option<i32> {
    processes_of(session).into_iter().find(|pid| {
        let status = fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("status")).unwrap_or_default();
        let numbers = status.lines().find_map(|line| line.strip_prefix("NSpid:")).unwrap_or_default();
        let numbers: Vec<&str> = numbers.split_whitespace().collect();
        numbers.len() > 1 && numbers.last() == Some(&"1")
    })
}

/// Types the lines of the challenge into the terminals that they are for.
fn solves(tmux: &Tmux, step: &boxwright::lesson::Step, session: &str, words: &Words) {
    let solutions =
        step.blocks.iter().filter_map(|block| if let Block::Solution(runs) = block { Some(runs) } else { None });
    let mut shown = TerminalId::Container;
    for run in solutions.flatten() {
        if run.terminal != shown {
            for key in ["C-g", "o", "t"] {
                let before = tmux.screen();
                tmux.press(&[key], "the other terminal", |now| now != before);
            }
            shown = run.terminal;
        }
        let line = run.line.replace("{container}", &container(session).unwrap_or_default().to_string());
        tmux.line(&line);
        // Its own prompt has become the line's beginning, so the next one that stands alone comes after it.
        let start: String = line.chars().take(12).collect();
        let prompt =
            |now: &str| now.lines().flat_map(|line| line.split('│')).any(|cell| ["$", "#"].contains(&cell.trim()));
        tmux.until(&line, |now| now.contains(words.done) || (now.contains(&start) && prompt(now)));
    }
}

/// Goes through a lesson on each screen in each language; in the end the scorecard shows these properties.
fn walks(id: &str, card: [bool; 4]) {
    for (words, names) in [
        (&ENGLISH, ["isolated", "own root", "limited", "entered"]),
        (&CHINESE, ["已隔离", "独立根目录", "已受限", "已进入"]),
    ] {
        for (size, wide) in [((80, 24), false), ((140, 45), true)] {
            let last = walk(id, words, size);
            let marks = card.map(|on| if on { '■' } else { '□' });
            let header = last.lines().next().unwrap_or_default();
            assert_eq!(header.chars().filter(|sign| "■□".contains(*sign)).collect::<Vec<_>>(), marks, "{last}");
            let named = names.iter().zip(marks).all(|(name, mark)| header.contains(&format!("[{mark} {name}]")));
            assert!(named || !wide, "{last}");
        }
    }
}

/// Goes through a lesson; gives the last screen.
fn walk(id: &str, words: &Words, size: (u16, u16)) -> String {
    let (before, lesson) = (host(), lesson(id, words.lang));
    let tmux = Tmux::start(size.0, size.1);
    tmux.line(&format!(
        "XDG_STATE_HOME={} {BOXWRIGHT} {id}/1 --lang {}; echo status=$?",
        tmux.file("state").display(),
        words.lang
    ));
    tmux.sees(&lesson.steps[0].title);
    let own = program(&tmux);
    // The screen comes first, the shells a moment later; their prompts are news.
    tmux.until("the shells", |_| session_of(own).is_some());
    let session = session_of(own).unwrap();
    let mut titles = BTreeSet::new();
    let last = loop {
        let acts = [words.command, words.call, words.next, words.answer, words.question];
        let texts = [words.turn, words.done];
        let screen = tmux.until("something to do", |screen| {
            acts.iter().any(|act| bar(screen).contains(act)) || texts.iter().any(|text| screen.contains(text))
        });
        let head = screen.lines().next().unwrap_or_default();
        let step = lesson.steps.iter().position(|step| {
            // The scorecard comes before the end of a title that is too long.
            let title: String = step.title.chars().take(24).collect();
            head.contains(&format!("{id} ")) && head.contains(&title)
        });
        titles.insert(step.unwrap_or_else(|| panic!("no title of a step: {head}")));
        let keys: &[&str] = match () {
            () if screen.contains(words.done) => break screen,
            () if bar(&screen).contains(words.answer) => &["1"],
            () if bar(&screen).contains(words.call) => &["c"],
            () if [words.command, words.next, words.question].iter().any(|act| bar(&screen).contains(act)) => {
                &["Space"]
            }
            () => {
                solves(&tmux, &lesson.steps[step.unwrap()], &session, words);
                continue;
            }
        };
        // Anything may change at any moment; a second digit would go to the shell.
        tmux.press(keys, "what comes next", |now| now != screen && (keys != ["1"] || !bar(now).contains(words.answer)));
    };
    assert_eq!(titles.len(), lesson.steps.len(), "{id}: {titles:?}");
    tmux.keys(&["q"]);
    tmux.sees("status=0");
    assert_eq!(left_of(&session), Vec::<String>::new(), "{id}");
    assert_eq!(host(), before, "the machine is as it was");
    last
}

fn rootfs_by_keys() {
    walks("rootfs", [true, true, false, false]);
}

fn cgroups_by_keys() {
    walks("cgroups", [true, false, true, false]);
}

fn nsenter_by_keys() {
    walks("nsenter", [true, false, false, true]);
}

fn together_by_keys() {
    walks("together", [true; 4]);
}
