//! The first screen: the four properties, where to start, and this machine.

use super::{
    chrome, limits, marks,
    text::{Pieces, clip, pad, paint_line, width, wrap},
    theme::Role,
};
use crate::{
    app::{Extent, Extents, PROPERTIES, State},
    lesson::Lesson,
};
use ratatui::{Frame, layout::Rect, widgets::Paragraph};
use unicode_width::UnicodeWidthStr;

/// How wide a row of the list is, and therefore the text below it.
const COLUMNS: usize = 66;

/// Draws it in the middle of the screen.
pub fn draw(state: &State, frame: &mut Frame, extents: &mut Extents) {
    let area = frame.area();
    let room = Rect { height: area.height.saturating_sub(1), ..area };
    let (title, body, chosen) = page(state);
    let columns = body.iter().map(|line| width(line)).max().unwrap_or(0).min(room.width as usize) as u16;
    let rows = (title.len() + body.len()) as u16;
    let y = room.height.saturating_sub(rows) / 3;
    // Where the lines do not fit, the chosen one stays visible.
    let visible = room.height as usize;
    let top = if rows as usize > visible { (title.len() + chosen + 2).saturating_sub(visible) } else { 0 };
    let x = room.width.saturating_sub(columns) / 2;
    let lines = title.iter().map(|line| (line, true)).chain(body.iter().map(|line| (line, false)));
    for (number, (line, centred)) in lines.skip(top).take(visible).enumerate() {
        let wide = (width(line) as u16).min(room.width);
        let left = if centred { (room.width - wide) / 2 } else { x };
        let place = Rect::new(left, y + number as u16, room.width - left, 1).intersection(room);
        frame.render_widget(Paragraph::new(paint_line(line, state.look.theme)), place);
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
        body.push(row(state, index, name, meaning));
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
    for index in others {
        if index == state.selected {
            chosen = body.len();
        }
        if let Some(lesson) = state.lesson(index) {
            body.push(row(state, Some(index), &lesson.title, &lesson.summary));
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

fn row(state: &State, index: Option<usize>, name: &str, meaning: &str) -> Pieces {
    let lang = state.lang;
    let chosen = index.is_some() && index == Some(state.selected);
    let cursor = if chosen { format!("{} ", marks::NOW) } else { "  ".into() };
    let steps = match index.and_then(|index| state.lesson(index)) {
        Some(lesson) => {
            let count = lesson.steps.len();
            let word = if count == 1 { "step" } else { "steps" };
            let passed = state.progress.passed(lesson);
            let text = if passed > 0 { format!("{passed}/{count}") } else { count.to_string() };
            lang.pick(format!("{text:>5} {word}"), format!("{text:>5} 步"))
        }
        None => lang.pick("    not yet here".into(), "    尚未提供".into()),
    };
    let done = index
        .and_then(|index| state.lesson(index))
        .is_some_and(|lesson| !lesson.steps.is_empty() && state.progress.passed(lesson) == lesson.steps.len());
    let mark = if done { marks::TRUE } else { marks::NOT_YET };
    let role = match (chosen, index) {
        (true, _) => Role::Strong,
        (false, Some(_)) => Role::Plain,
        (false, None) => Role::Quiet,
    };
    let name_columns = if name.width() > 12 { name.width().min(24) } else { 12 };
    vec![
        (cursor, Role::Focus),
        (format!("{mark} "), if done { Role::Container } else { role }),
        (pad(name, name_columns), role),
        (format!("  {}", pad(&clip(meaning, 36), 36)), if index.is_some() { Role::Plain } else { Role::Quiet }),
        (format!(" {steps}"), if chosen { Role::Strong } else { Role::Quiet }),
    ]
}
