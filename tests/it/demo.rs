//! The moving picture in both READMEs: one held `unshare`, made from a recording of the program itself.
//!
//! `BOXWRIGHT_UPDATE=demo` makes it anew.

use crate::harness::{Test, tests};
use crate::support::{BOXWRIGHT, tmux::Tmux};
use crate::tui_typing::bar;
use boxwright::terminal::Screen;
use boxwright::terminal::Size;
use ratatui::{
    buffer::{Buffer, Cell},
    layout::Rect,
    style::{Color, Modifier},
    widgets::Widget,
};
use serde_json::Value;
use std::{fmt::Write, fs, path::Path, process::Command};
use unicode_width::UnicodeWidthStr;

pub fn tests() -> Vec<Test> {
    let tests = tests![
        both_show_what_the_program_draws_when_a_call_is_held: [Root, Tool("tmux")],
        it_is_short_small_and_loads_nothing,
    ];
    tests.into_iter().map(Test::alone).collect()
}

const SIZE: Size = Size::new(100, 30);
const PLACE: &str = "assets/demo.svg";
/// How long a picture stays, in seconds, and how many there are at most.
const STAYS: f64 = 1.5;
const MAX: usize = 8;

/// Answers the question, types the command, and lets four calls happen.
fn recorded(tmux: &Tmux) -> Vec<Buffer> {
    let path = tmux.file("recorded");
    let state = tmux.file("state");
    let program = format!("XDG_STATE_HOME={} {BOXWRIGHT}", state.display());
    tmux.line(&format!("{program} --record {} isolate/one-call-at-a-time", path.display()));
    let mut pictures = vec![tmux.until("the question", |screen| screen.contains(" 1-4 "))];
    pictures.push(tmux.press(&["2"], "the command", |screen| screen.contains('▶')));
    // A long call goes on for a row or two before it is said that it waits.
    let held = |name: &str, screen: &str| {
        let rows: Vec<&str> = screen.lines().collect();
        let calls = |row: &str| row.split_once(name).is_some_and(|(before, _)| before.contains("││ "));
        rows.windows(3).any(|three| calls(three[0]) && three.iter().any(|row| row.contains('⏸')))
    };
    for name in ["clone(", "execve(", "unshare(", "clone("] {
        pictures.push(tmux.press(&["Space"], name, |screen| held(name, screen)));
    }
    let marked = |row: &str| row.contains("pid_for_children") && row.contains('◆');
    tmux.until("what has changed", |screen| screen.lines().any(marked));
    tmux.press(&["q"], "the shell", |screen| !bar(screen).contains("q quit"));
    frames(&path, pictures.len() + 1)
}

/// The frames of a recording that show something else than those before, the last ones of it.
fn frames(path: &Path, least: usize) -> Vec<Buffer> {
    let made = Command::new(BOXWRIGHT).args(["replay", "--to", "cast"]).arg(path).output().unwrap();
    assert!(made.status.success(), "{made:?}");
    let mut screen = Screen::new(SIZE);
    let mut all: Vec<Buffer> = Vec::new();
    for line in String::from_utf8(made.stdout).unwrap().lines().skip(1) {
        let line: Value = serde_json::from_str(line).unwrap();
        screen.process(line[2].as_str().unwrap().as_bytes());
        let area = Rect::new(0, 0, SIZE.columns, SIZE.rows);
        let mut buffer = Buffer::empty(area);
        screen.view().render(area, &mut buffer);
        // What counts is what is held, and what has changed.
        let sign = |buffer: &Buffer| {
            let rows = rows(buffer);
            let held: Vec<String> = rows.iter().filter(|row| row.contains('⏸')).map(|row| words(row)).collect();
            (held, rows.join("").matches('◆').count(), rows[1..4].concat().contains("unshare"))
        };
        match all.last_mut() {
            Some(last) if sign(last) == sign(&buffer) => *last = buffer,
            _ => all.push(buffer),
        }
    }
    let skipped = all.len().saturating_sub(MAX);
    let shown = all.split_off(skipped);
    assert!(shown.len() >= least.min(4), "{}", shown.len());
    shown
}

fn words(row: &str) -> String {
    row.chars().filter(|letter| !letter.is_ascii_digit()).collect()
}

fn rows(buffer: &Buffer) -> Vec<String> {
    (0..SIZE.rows).map(|y| (0..SIZE.columns).map(|x| buffer[(x, y)].symbol()).collect()).collect()
}

/// The sixteen colours as they are mostly drawn on black.
fn colour(color: Color) -> Option<&'static str> {
    Some(match color {
        Color::Black => "#3b4252",
        Color::Red | Color::LightRed => "#ff7b72",
        Color::Green | Color::LightGreen => "#7ee787",
        Color::Yellow | Color::LightYellow => "#f2cc60",
        Color::Blue | Color::LightBlue => "#79c0ff",
        Color::Magenta | Color::LightMagenta => "#d2a8ff",
        Color::Cyan | Color::LightCyan => "#76e3ea",
        Color::DarkGray => "#8b949e",
        Color::White => "#ffffff",
        _ => return None,
    })
}

fn style(cell: &Cell) -> String {
    let mut text = String::new();
    if let Some(colour) = colour(cell.fg) {
        write!(text, " fill=\"{colour}\"").unwrap();
    }
    if cell.modifier.contains(Modifier::BOLD) {
        text.push_str(" font-weight=\"bold\"");
    }
    if cell.modifier.contains(Modifier::DIM) {
        text.push_str(" opacity=\".6\"");
    }
    text
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

/// One picture after the other, for ever; nothing but text.
fn svg(frames: &[Buffer]) -> String {
    let (width, height) = (f64::from(SIZE.columns) * 8.4 + 16.0, f64::from(SIZE.rows) * 17.0 + 16.0);
    let all = STAYS * frames.len() as f64;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"monospace\" \
         font-size=\"14\" fill=\"#e6edf3\" role=\"img\" aria-label=\"boxwright holds unshare(2) and shows what it changes\">\n\
         <rect width=\"{width}\" height=\"{height}\" rx=\"8\" fill=\"#0d1117\"/>\n"
    );
    for (number, frame) in frames.iter().enumerate() {
        let (from, to) = (number as f64 / frames.len() as f64, (number + 1) as f64 / frames.len() as f64);
        writeln!(out, "<g visibility=\"{}\">", if number + 1 == frames.len() { "visible" } else { "hidden" }).unwrap();
        writeln!(
            out,
            "<animate attributeName=\"visibility\" calcMode=\"discrete\" dur=\"{all}s\" repeatCount=\"indefinite\" \
             values=\"hidden;visible;hidden\" keyTimes=\"0;{from:.4};{to:.4}\"/>"
        )
        .unwrap();
        for y in 0..SIZE.rows {
            line(frame, y, &mut out);
        }
        out.push_str("</g>\n");
    }
    out.push_str("</svg>\n");
    out
}

fn line(frame: &Buffer, y: u16, out: &mut String) {
    let mut x = 0;
    while x < SIZE.columns {
        let (start, style_here) = (x, style(&frame[(x, y)]));
        let mut text = String::new();
        while x < SIZE.columns && style(&frame[(x, y)]) == style_here {
            let symbol = frame[(x, y)].symbol();
            text.push_str(symbol);
            x += (symbol.width() as u16).max(1);
        }
        if !text.trim().is_empty() {
            let lead = text.len() - text.trim_start().len();
            let (left, top) = (f64::from(start) * 8.4 + lead as f64 * 8.4 + 8.0, f64::from(y) * 17.0 + 22.0);
            let text = text.trim();
            let length = text.width() as f64 * 8.4;
            writeln!(
                out,
                "<text x=\"{left:.1}\" y=\"{top}\" textLength=\"{length:.1}\" lengthAdjust=\"spacingAndGlyphs\" \
                 xml:space=\"preserve\"{style_here}>{}</text>",
                escaped(text)
            )
            .unwrap();
        }
    }
}

fn shown() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(PLACE)).unwrap()
}

fn both_show_what_the_program_draws_when_a_call_is_held() {
    let tmux = Tmux::start(SIZE.columns, SIZE.rows);
    let made = svg(&recorded(&tmux));
    if std::env::var("BOXWRIGHT_UPDATE").as_deref() == Ok("demo") {
        fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join(PLACE), &made).unwrap();
        return;
    }
    for word in [
        "isolate 4/10",
        "One call at a time",
        "unshare(2)",
        "made at the next fork",
        "pid_for_children",
        "about to happen",
        "next call",
    ] {
        assert!(made.contains(word), "{word}: {made}");
        assert!(shown().contains(word), "{word}: BOXWRIGHT_UPDATE=demo makes it anew");
    }
}

fn it_is_short_small_and_loads_nothing() {
    let text = shown();
    let frames = text.matches("<animate ").count();
    assert!(frames >= 4 && frames as f64 * STAYS <= 12.0, "{frames}");
    assert!(text.len() < 400_000, "{}", text.len());
    for word in ["href", "<script", "@import", "url("] {
        assert!(!text.contains(word), "{word}");
    }
    for readme in [include_str!("../../README.md"), include_str!("../../README.zh.md")] {
        assert!(readme.contains(&format!("]({PLACE})")));
    }
}
