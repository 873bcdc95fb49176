//! The first screen: the four properties, where to start, and this machine.

use super::{
    chrome, limits, marks,
    text::{Pieces, Rich, hang, line, pad, paint_line, width, wrap},
    theme::Role,
};
use crate::{
    app::{Extent, Extents, PROPERTIES, State},
    lang::Lang,
    lesson::Lesson,
    session::{LessonProgress, closing},
};
use ratatui::{Frame, layout::Rect, widgets::Paragraph};
use unicode_width::UnicodeWidthStr;

/// How wide a row of the list is, and therefore the text below it.
const COLUMNS: usize = 68;
/// The column of the names; a longer name takes more of it, and one that is longer than the second a line of its own.
const NAME: usize = 12;
const MAX_NAME_LEN: usize = 24;
/// What is said of each in one line.
const MEANING: usize = 36;

/// Draws it in the middle of the screen.
pub(super) fn draw(state: &State, frame: &mut Frame, extents: &mut Extents) {
    let area = frame.area();
    let room = Rect { height: area.height.saturating_sub(1), ..area };
    let (mut title, mut body, mut chosen) = page(state);
    // Where it would not fit, air goes first.
    if title.len() + body.len() > room.height as usize {
        title.retain(|line| !line.is_empty());
        title.push(Pieces::new());
    }
    let over = (title.len() + body.len()).saturating_sub(room.height as usize);
    for _ in 0..over {
        let Some(blank) = body.iter().rposition(Vec::is_empty).filter(|blank| *blank > 1) else { break };
        body.remove(blank);
        chosen -= usize::from(blank < chosen);
    }
    let columns = body.iter().map(|line| width(line)).max().unwrap_or(0).min(room.width as usize) as u16;
    let rows = (title.len() + body.len()) as u16;
    let y = room.height.saturating_sub(rows) / 3;
    // Where the lines do not fit, the chosen one stays visible.
    let visible = room.height as usize;
    let overflow = (rows as usize).saturating_sub(visible);
    // Below the last choice stands what belongs to none.
    let top = match state.selected + 1 >= state.lessons.len() {
        true if state.selected > 0 => overflow,
        _ => (title.len() + chosen + 2).saturating_sub(visible).min(overflow),
    };
    let x = room.width.saturating_sub(columns) / 2;
    let lines = title.iter().map(|line| (line, true)).chain(body.iter().map(|line| (line, false)));
    for (number, (line, centred)) in lines.skip(top).take(visible).enumerate() {
        let wide = (width(line) as u16).min(room.width);
        let left = if centred { (room.width - wide) / 2 } else { x };
        let place = Rect::new(left, y + number as u16, room.width - left, 1).intersection(room);
        frame.render_widget(Paragraph::new(paint_line(line, state.look.theme)), place);
    }
    // The last column is free: no line of this page is as wide as the screen.
    let signs = [(top > 0, marks::ABOVE, 0), (top < overflow, marks::BELOW, room.height.saturating_sub(1))];
    for (_, sign, row) in signs.into_iter().filter(|(more, ..)| *more) {
        let place = Rect::new(room.width.saturating_sub(2), row, 2, 1).intersection(room);
        frame.render_widget(Paragraph::new(paint_line(&line(sign, Role::Quiet), state.look.theme)), place);
    }
    extents.insert(None, Extent { top: 0, rows: visible, lines: rows as usize, shows: false });
}

fn page(state: &State) -> (Vec<Pieces>, Vec<Pieces>, usize) {
    let lang = state.lang;
    let title = vec![
        vec![("b o x w r i g h t".into(), Role::Strong)],
        vec![(
            lang.pick(
                "build a Linux container by hand, one system call at a time",
                "亲手造一个 Linux 容器，一次一个系统调用",
            )
            .into(),
            Role::Plain,
        )],
        Pieces::new(),
        Pieces::new(),
    ];
    let lead = lang.pick("A container is a process with four properties.", "容器就是一个具有四种性质的进程。");
    let mut body: Vec<Pieces> = vec![vec![(lead.into(), Role::Plain)], Pieces::new()];
    let mut chosen = 0;
    let of = |id: &str| state.lessons.iter().position(|lesson| lesson.values().any(|lesson| lesson.id == id));
    for property in &PROPERTIES {
        let index = of(property.lesson);
        if index == Some(state.selected) {
            chosen = body.len();
        }
        let name = lang.pick(property.name.0, property.name.1);
        let meaning = lang.pick(property.meaning.0, property.meaning.1);
        body.extend(row(state, index, name, NAME, meaning));
    }
    let others: Vec<usize> = (0..state.lessons.len())
        .filter(|index| {
            let known = |lesson: &Lesson| PROPERTIES.iter().any(|property| property.lesson == lesson.id);
            state.lesson(*index).is_some_and(|lesson| !known(lesson))
        })
        .collect();
    if !others.is_empty() {
        body.push(Pieces::new());
    }
    let names = others.iter().filter_map(|index| state.lesson(*index)).map(|lesson| lesson.title.width());
    let column = names.filter(|wide| *wide <= MAX_NAME_LEN).max().unwrap_or(0).max(NAME);
    for index in others {
        if index == state.selected {
            chosen = body.len();
        }
        if let Some(lesson) = state.lesson(index) {
            body.extend(row(state, Some(index), &lesson.title, column, &lesson.summary));
        }
    }
    body.push(Pieces::new());
    let machine = format!("{}{}", lang.pick("This machine: ", "这台机器："), chrome::machine(&state.facts, lang));
    body.push(vec![(machine, Role::Quiet)]);
    // A path is easier to copy from one line.
    let columns = (state.size.0 as usize).saturating_sub(4).clamp(COLUMNS, 100);
    for sentence in limits::sentences(state) {
        body.extend(wrap(&sentence, Role::Quiet, columns));
    }
    (title, body, chosen)
}

/// A lesson, or a property that no lesson teaches: its name in a column of this width, what it is about, how far the learner has
/// come. Nothing is cut.
fn row(state: &State, index: Option<usize>, name: &str, column: usize, meaning: &str) -> Vec<Pieces> {
    let lang = state.lang;
    let chosen = index.is_some() && index == Some(state.selected);
    let reached = index.and_then(|index| state.lesson(index)).map(|lesson| state.progress.of(lesson));
    let done = reached.as_ref().is_some_and(LessonProgress::is_complete);
    let role = match (chosen, index) {
        (true, _) => Role::Strong,
        (false, Some(_)) => Role::Plain,
        (false, None) => Role::Quiet,
    };
    let mark = if done { marks::TRUE } else { marks::NOT_YET };
    let first = vec![
        (if chosen { format!("{} ", marks::NOW) } else { "  ".into() }, Role::Focus),
        (format!("{mark} "), if done { Role::Container } else { role }),
    ];
    let mut lines = Vec::new();
    let mut left = first.clone();
    if name.width() > MAX_NAME_LEN {
        lines.extend(hang(&first, &Rich::default().with(name, role), COLUMNS));
        left = vec![(" ".repeat(4 + column), Role::Plain)];
    } else {
        left.push((pad(name, column.max(name.width())), role));
    }
    let indent = width(&left) + 2;
    left.push(("  ".into(), Role::Plain));
    let meaning_role = if index.is_some() { Role::Plain } else { Role::Quiet };
    let mut about = wrap(meaning, meaning_role, MEANING);
    let rest = about.split_off(about.len().min(1));
    let about = about.pop().unwrap_or_default();
    let blank = MEANING.saturating_sub(width(&about));
    left.extend(about);
    let steps = reached.as_ref().map_or_else(|| lang.pick("not yet here", "尚未提供").into(), |it| steps(it, lang));
    let steps_role = if chosen { Role::Strong } else { Role::Quiet };
    left.extend([(" ".repeat(blank + 1), Role::Plain), (steps, steps_role)]);
    lines.push(left);
    let indented = |line: Pieces| [vec![(" ".repeat(indent), Role::Plain)], line].concat();
    lines.extend(rest.into_iter().map(indented));
    if let Some(apart) = reached.as_ref().and_then(|lesson| closing::apart(lesson, lang)) {
        lines.extend(wrap(&apart, Role::Quiet, COLUMNS - indent).into_iter().map(indented));
    }
    lines
}

/// How many steps there are, and how many of them are done.
fn steps(lesson: &LessonProgress, lang: Lang) -> String {
    let (done, all) = (lesson.done(), lesson.steps.len());
    let text = if done > 0 { format!("{done}/{all}") } else { all.to_string() };
    let word = match all {
        _ if lesson.is_complete() => lang.pick("done", "完成"),
        1 => lang.pick("step", "步"),
        _ => lang.pick("steps", "步"),
    };
    format!("{text:>5} {word}")
}

#[cfg(test)]
#[path = "opening_tests.rs"]
mod tests;
