//! The lab, end to end: the real program in a real terminal, and containers that it did not make.

use crate::harness::{Test, tests};
use crate::support::BOXWRIGHT;
use crate::support::tmux::Tmux;
use boxwright::{event::Event, recording::Recording};
use std::{
    fs::File,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};
use unicode_width::UnicodeWidthChar;

pub fn tests() -> Vec<Test> {
    let tests = tests![
        a_call_is_held_and_stepped_without_a_lesson: [Root, Tool("tmux")],
        what_is_typed_ahead_of_the_shell_reaches_it: [Root, Tool("tmux")],
        the_machine_is_guarded: [Root, Tool("unshare"), Tool("tmux")],
        a_container_from_elsewhere_is_found_and_picked: [Root, Tool("unshare"), Tool("tmux")],
        an_image_is_offered_where_it_is_named: [Root, Tool("tmux")],
        the_margin_below_stays_empty: [Root, Tool("tmux")],
        frames_stand_straight_beside_characters_of_disputed_width: [Root, Tool("tmux")],
        a_cable_is_drawn_while_its_pane_is_seen: [Root, Tool("ip"), Tool("tmux")],
        the_panes_are_about_the_process_that_is_named: [Root, Tool("unshare"), Tool("tmux")],
        it_is_recorded_and_replayed: [Root, Tool("tmux")],
    ];
    tests.into_iter().map(Test::alone).collect()
}

fn lab((columns, rows): (u16, u16), before: &str, args: &str) -> Tmux {
    let tmux = Tmux::start(columns, rows);
    tmux.line(&format!("XDG_STATE_HOME={} {before} {BOXWRIGHT} lab --lang en {args}", tmux.file("state").display()));
    tmux.sees("lab keys");
    tmux
}

fn quit(tmux: &Tmux) {
    tmux.press(&["C-g"], "the lab's keys", |screen| screen.contains("q quit"));
    tmux.keys(&["q"]);
    tmux.until("the end", |screen| screen.trim_end().ends_with("ready>"));
}

fn a_call_is_held_and_stepped_without_a_lesson() {
    let tmux = lab((80, 24), "", "");
    assert!(!tmux.screen().contains("Lesson"));
    tmux.press(&["C-g"], "the lab's keys", |screen| screen.contains("hold calls: off"));
    tmux.press(&["x"], "that calls are held", |screen| screen.contains("hold calls: on"));
    tmux.press(&["t"], "the terminal", |screen| screen.contains("lab keys"));
    tmux.line("unshare -u true");
    // The line that waits, whichever it is.
    let held = |screen: &str, call: &str| screen.lines().any(|line| line.contains(call) && line.contains('⏸'));
    tmux.until("the shell's own call, held", |screen| held(screen, "clone("));
    tmux.press(&["Space"], "the child's first one", |screen| held(screen, "execve("));
    tmux.press(&["Space"], "the program's", |screen| held(screen, "unshare(CLONE_NEWUTS)"));
    let after = tmux.press(&["Space"], "what it changed", |screen| screen.contains("uts: new"));
    assert!(after.contains("unshare(CLONE_NEWUTS) = 0"), "{after}");
    tmux.press(&["c"], "the prompt", |screen| screen.contains("lab keys"));
    quit(&tmux);
}

/// The screen is there at once; what the machine lacks is found out first, and only then a shell is started.
fn what_is_typed_ahead_of_the_shell_reaches_it() {
    let tmux = Tmux::start(80, 24);
    let state = tmux.file("state").display().to_string();
    tmux.line(&format!("XDG_STATE_HOME={state} {BOXWRIGHT} lab --lang en"));
    tmux.sees("Nothing yet");
    tmux.line("echo $((6*7))=six-times-seven");
    tmux.sees("42=six-times-seven");
    tmux.line("echo $((6*8))=six-times-eight");
    tmux.sees("48=six-times-eight");
    quit(&tmux);
}

/// Also in a recording, which has what was seen.
fn a_cable_is_drawn_while_its_pane_is_seen() {
    let record = tempfile::tempdir().unwrap();
    let file = record.path().join("lab");
    let tmux = lab((80, 24), "", &format!("--record {}", file.display()));
    tmux.line("unshare -n sh");
    tmux.sees("inside: new net");
    tmux.line("ip link add v0 type veth peer name v1");
    tmux.press(&["F10"], "the cable", |screen| screen.contains("v0@v1 DOWN") && screen.contains("╭ container "));
    quit(&tmux);
    let recording = Recording::open(BufReader::new(File::open(&file).unwrap())).unwrap();
    let samples: Vec<_> = recording
        .filter_map(|line| match line.unwrap().1 {
            Event::Sample(_, sample) => Some(serde_json::to_value(&sample.networks).unwrap().to_string()),
            _ => None,
        })
        .collect();
    assert_eq!(samples.first().map(String::as_str), Some("null"), "nothing is read that nobody looks at");
    let last = samples.last().unwrap();
    assert!(last.contains(r#""name":"v0""#) && last.contains(r#""kind":"veth""#), "{last}");
}

fn the_panes_are_about_the_process_that_is_named() {
    let elsewhere = Elsewhere::start();
    let tmux = Tmux::start(100, 30);
    let state = tmux.file("state");
    let pid = elsewhere.pid();
    tmux.line(&format!("XDG_STATE_HOME={} {BOXWRIGHT} --lang en inspect {pid} --panes", state.display()));
    tmux.sees("lab keys");
    tmux.sees(&format!("Lab pid {pid} "));
    quit(&tmux);
    let gone = Command::new(BOXWRIGHT).args(["--lang", "en", "inspect", "4194304", "--panes"]).output().unwrap();
    assert_eq!(gone.status.code(), Some(1), "{gone:?}");
}

fn it_is_recorded_and_replayed() {
    let record = tempfile::tempdir().unwrap();
    let file = record.path().join("lab");
    let tmux = lab((80, 24), "", &format!("--record {}", file.display()));
    tmux.line("unshare -u sh");
    tmux.sees("uts: new");
    quit(&tmux);
    let replayed = Command::new(BOXWRIGHT).args(["--lang", "en", "replay", "--plain"]).arg(&file).output().unwrap();
    let text = String::from_utf8(replayed.stdout).unwrap();
    assert!(replayed.status.success() && text.contains("container| unshare -u sh"), "{text}");
    assert!(text.contains("unshare(CLONE_NEWUTS) = 0; changed: uts: new"), "{text}");
}

fn the_machine_is_guarded() {
    let tmux = lab((80, 24), "unshare -m --propagation private", "");
    tmux.line("mount -t tmpfs none /mnt; echo \"status $?\"");
    tmux.sees("That would change the machine itself");
    tmux.press(&["n"], "the refusal", |screen| screen.contains("status 32"));
    quit(&tmux);
}

/// A process with PIDs of its own, which has nothing to do with the lab. It ends with its standard input.
struct Elsewhere(Child);

impl Elsewhere {
    fn start() -> Elsewhere {
        let mut unshare = Command::new("unshare");
        let line = ["-p", "-f", "--kill-child", "sh", "-c", "echo up; read line"];
        let mut child = unshare.args(line).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        BufReader::new(child.stdout.take().unwrap()).lines().next().unwrap().unwrap();
        Elsewhere(child)
    }

    /// The PID of the process inside.
    fn pid(&self) -> String {
        let id = self.0.id();
        std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap().trim().to_string()
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

fn a_container_from_elsewhere_is_found_and_picked() {
    let before = Elsewhere::start();
    let tmux = lab((120, 32), "", "");
    let (old, header) = (before.pid(), |screen: &str| screen.lines().next().unwrap_or_default().to_string());
    assert!(!header(&tmux.screen()).contains(&old), "what ran before is not what the lab is about");
    let new = Elsewhere::start();
    let pid = new.pid();
    tmux.until("the new one, by itself", |screen| header(screen).contains(&format!("pid {pid} sh, made by unshare")));
    tmux.press(&["C-g"], "the lab's keys", |screen| screen.contains("v("));
    let list = tmux.press(&["v"], "the list", |screen| screen.contains(" Containers "));
    let row = |pid: &str| list.lines().position(|line| line.contains(&format!(" {pid} ")) && line.contains("made by"));
    let (first, second) = (row(&pid).unwrap(), row(&old).unwrap());
    assert!(first < second, "the newest comes first:\n{list}");
    let top = list.lines().position(|line| line.contains("else the newest")).unwrap();
    for _ in top..second {
        tmux.keys(&["Down"]);
    }
    tmux.press(&["Enter"], "the old one", |screen| header(screen).contains(&format!("pid {old} sh")));
    drop(before);
    tmux.until("the other one again", |screen| header(screen).contains(&format!("pid {pid} sh")));
    tmux.keys(&["q"]);
    tmux.until("the end", |screen| screen.trim_end().ends_with("ready>"));
}

fn an_image_is_offered_where_it_is_named() {
    let tmux = Tmux::start(80, 24);
    tmux.line(&format!("XDG_STATE_HOME={} {BOXWRIGHT} lab builtin --lang en", tmux.file("state").display()));
    tmux.sees("Space type the command");
    tmux.press(&["Space"], "the line", |screen| screen.contains("boxwright image unpack builtin: rootfs"));
    tmux.until("its call", |screen| screen.contains("[\"boxwright\", \"image\", \"unpack\", \"builtin:\""));
    quit(&tmux);
}

fn the_margin_below_stays_empty() {
    let tmux = lab((80, 30), "", "--bottom-margin 8");
    let screen = tmux.screen();
    assert!(screen.lines().nth(21).unwrap().contains("lab keys"), "{screen}");
    assert!(screen.lines().skip(22).all(|line| line.trim().is_empty()), "{screen}");
    tmux.resize(80, 26);
    tmux.until("the smaller one", |screen| {
        screen.lines().nth(17).is_some_and(|line| line.contains("lab keys"))
            && screen.lines().skip(18).all(|line| line.trim().is_empty())
    });
    quit(&tmux);
}

/// Of one width here and of another there: a soft hyphen, joined and selected pictures, flags, letters of double width in
/// East Asian fonts, a mark without a letter, jamo. Each in a place of its own, also at the right edge.
const DISPUTED: &str = "\u{ad}👩\u{200d}🚀☁\u{fe0f}🇨🇳①★±Ωя\u{301}ᄒ\u{1161}ᆫ🫠‼";

/// What stands in the last column of each framed row of a terminal that gives each of these characters so many cells.
fn right_edge(output: &str, (columns, rows): (usize, usize), cells: usize) -> Vec<char> {
    let mut grid = vec![vec![' '; columns]; rows];
    let (mut x, mut y) = (0, 0);
    let mut text = output.chars();
    while let Some(sign) = text.next() {
        if sign == '\x1b' {
            let mut last = ' ';
            let sequence: String = text
                .by_ref()
                .take_while(|sign| {
                    last = *sign;
                    !sign.is_ascii_alphabetic()
                })
                .collect();
            let mut numbers = sequence.trim_start_matches('[').split(';').map(str::parse::<usize>);
            if let ('H', Some(Ok(row)), Some(Ok(column))) = (last, numbers.next(), numbers.next()) {
                (y, x) = (row - 1, column - 1);
            }
            continue;
        }
        let wide = if DISPUTED.contains(sign) { cells } else { sign.width().unwrap_or(0) };
        if let Some(place) = grid.get_mut(y).and_then(|row| row.get_mut(x)).filter(|_| wide > 0) {
            *place = sign;
        }
        x += wide;
    }
    let framed = grid.iter().filter(|row| row.first().is_some_and(|sign| "╭│╰".contains(*sign)));
    framed.map(|row| row[columns - 1]).collect()
}

fn frames_stand_straight_beside_characters_of_disputed_width() {
    for (size, lang) in [((80, 24), "en"), ((120, 30), "zh")] {
        let tmux = Tmux::start(size.0, size.1);
        let (text, output) = (tmux.file("text"), tmux.file("output"));
        let lines = DISPUTED.chars().enumerate().map(|(at, sign)| {
            let edge = usize::from(size.0) * 2;
            format!("{}{sign}文{sign}{}|{sign}\n", ".".repeat(at), ".".repeat(edge - 2 * at))
        });
        std::fs::write(&text, lines.collect::<String>()).unwrap();
        let state = tmux.file("state");
        tmux.line(&format!(
            "XDG_STATE_HOME={} script -qfc '{BOXWRIGHT} lab --lang {lang}' {}",
            state.display(),
            output.display()
        ));
        tmux.sees(if lang == "en" { "lab keys" } else { "实验台按键" });
        for (line, seen) in
            [(format!("cat {}; echo se''en", text.display()), "seen"), ("clear; echo g''one".into(), "gone")]
        {
            tmux.line(&line);
            tmux.until(seen, |screen| screen.contains(&format!("│{seen}")));
            let output = String::from_utf8_lossy(&std::fs::read(&output).unwrap()).into_owned();
            for cells in [1, 2] {
                let edge = right_edge(&output, (size.0.into(), size.1.into()), cells);
                assert!(edge.len() > 15 && edge.iter().all(|sign| "╮│╯".contains(*sign)), "{cells}: {edge:?}");
            }
        }
        let screen = tmux.screen();
        assert_eq!(DISPUTED.chars().find(|sign| screen.contains(*sign)), None, "{screen}");
        tmux.keys(&["C-g", "q"]);
        tmux.until("the end", |screen| screen.trim_end().ends_with("ready>"));
    }
}
