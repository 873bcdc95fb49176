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
/// What is said of each in one line, where the screen is wide enough.
const MEANING: usize = 36;
/// What stands in a row besides name and meaning: marks, gaps, and how far the learner has come.
const BESIDES: usize = 4 + 2 + 1 + 11;
/// So many rows of the list are seen in any case.
const LIST: usize = 3;

/// The lines of the page: its name, the list, and what this machine is and allows.
struct Page {
    title: Vec<Pieces>,
    list: Vec<Pieces>,
    /// The line of the list that is about the chosen lesson.
    chosen: usize,
    machine: Vec<Pieces>,
}

impl Page {
    fn rows(&self) -> usize {
        self.title.len() + self.list.len() + self.machine.len()
    }

    /// Where it would not fit into so many rows, air goes first.
    fn fit(&mut self, rows: usize) {
        if self.rows() > rows {
            self.title.retain(|line| !line.is_empty());
            self.title.push(Pieces::new());
        }
        for _ in 0..self.rows().saturating_sub(rows) {
            let Some(blank) = self.list.iter().rposition(Vec::is_empty).filter(|blank| *blank > 1) else { break };
            self.list.remove(blank);
            self.chosen -= usize::from(blank < self.chosen);
        }
    }

    /// Which lines of the list are shown in so many rows: those around the chosen one.
    fn shown(&self, rows: usize) -> (usize, usize) {
        let overflow = self.list.len().saturating_sub(rows);
        // What the first choice stands under belongs to none.
        (if self.chosen < rows { 0 } else { (self.chosen + 2).saturating_sub(rows).min(overflow) }, overflow)
    }
}

/// Draws it in the middle of the screen. Name and machine stay; between them goes as much of the list as there is room for.
pub(super) fn draw(state: &State, frame: &mut Frame, extents: &mut Extents) {
    let area = frame.area();
    let room = Rect { height: area.height.saturating_sub(1), ..area };
    let mut page = page(state);
    page.fit(room.height as usize);
    let columns = page.list.iter().chain(&page.machine).map(|line| width(line)).max().unwrap_or(0);
    let x = room.width.saturating_sub(columns.min(room.width as usize) as u16) / 2;
    let rows = page.rows();
    let first = room.height.saturating_sub(rows as u16) / 3;
    let fixed = page.title.len() + page.machine.len();
    // On a screen of a few rows the list comes before all else.
    let list = (room.height as usize).saturating_sub(fixed).max(LIST).min(page.list.len());
    let (top, overflow) = page.shown(list);
    let title = page.title.iter().take((room.height as usize).saturating_sub(list)).map(|line| (line, true));
    let rest = page.list.iter().skip(top).take(list).chain(&page.machine).map(|line| (line, false));
    let signs = [(top > 0, marks::ABOVE, 0), (top < overflow, marks::BELOW, list.saturating_sub(1))];
    let before = title.len();
    for (y, (number, (line, centred))) in (first..).zip(title.chain(rest).enumerate()) {
        let wide = (width(line) as u16).min(room.width);
        let left = if centred { (room.width - wide) / 2 } else { x };
        let place = Rect::new(left, y, room.width - left, 1).intersection(room);
        frame.render_widget(Paragraph::new(paint_line(line, state.look.theme)), place);
        // The last column is free: no line of this page is as wide as the screen.
        for (_, sign, _) in signs.into_iter().filter(|(more, _, row)| *more && number == before + row) {
            let place = Rect::new(room.width.saturating_sub(1), y, 1, 1).intersection(room);
            frame.render_widget(Paragraph::new(paint_line(&self::line(sign, Role::Quiet), state.look.theme)), place);
        }
    }
    extents.insert(None, Extent { top: 0, rows: room.height as usize, lines: rows, shows: false });
}

fn page(state: &State) -> Page {
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
    let mut list: Vec<Pieces> = vec![vec![(lead.into(), Role::Plain)], Pieces::new()];
    let mut chosen = 0;
    let of = |id: &str| state.lessons.iter().position(|lesson| lesson.id() == id);
    for property in &PROPERTIES {
        let index = of(property.lesson);
        if index == Some(state.selected) {
            chosen = list.len();
        }
        let name = lang.pick(property.name.0, property.name.1);
        let meaning = lang.pick(property.meaning.0, property.meaning.1);
        list.extend(row(state, index, name, NAME, meaning));
    }
    let others: Vec<usize> = (0..state.lessons.len())
        .filter(|index| {
            let known = |lesson: &Lesson| PROPERTIES.iter().any(|property| property.lesson == lesson.id);
            state.lesson(*index).is_some_and(|lesson| !known(lesson))
        })
        .collect();
    if !others.is_empty() {
        list.push(Pieces::new());
    }
    let names = others.iter().filter_map(|index| state.lesson(*index)).map(|lesson| lesson.title.width());
    let column = names.filter(|wide| *wide <= MAX_NAME_LEN).max().unwrap_or(0).max(NAME);
    for index in others {
        if index == state.selected {
            chosen = list.len();
        }
        if let Some(lesson) = state.lesson(index) {
            list.extend(row(state, Some(index), &lesson.title, column, &lesson.summary));
        }
    }
    let here = format!("{}{}", lang.pick("This machine: ", "这台机器："), chrome::machine(&state.facts, lang));
    let mut machine = vec![Pieces::new(), vec![(here, Role::Quiet)]];
    // A path is easier to copy from one line.
    let columns = (state.size.columns as usize).saturating_sub(4).clamp(1, 100);
    for sentence in limits::sentences(state) {
        machine.extend(wrap(&sentence, Role::Quiet, columns));
    }
    Page { title, list, chosen, machine }
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
    let columns = (state.size.columns as usize).saturating_sub(2);
    let room = columns.saturating_sub(width(&left).saturating_sub(4) + BESIDES).clamp(1, MEANING);
    left.push(("  ".into(), Role::Plain));
    let meaning_role = if index.is_some() { Role::Plain } else { Role::Quiet };
    let mut about = wrap(meaning, meaning_role, room);
    let rest = about.split_off(about.len().min(1));
    let about = about.pop().unwrap_or_default();
    let blank = room.saturating_sub(width(&about));
    left.extend(about);
    let steps = reached.as_ref().map_or_else(|| lang.pick("not yet here", "尚未提供").into(), |it| steps(it, lang));
    let steps_role = if chosen { Role::Strong } else { Role::Quiet };
    left.extend([(" ".repeat(blank + 1), Role::Plain), (steps, steps_role)]);
    lines.push(left);
    let indented = |line: Pieces| [vec![(" ".repeat(indent), Role::Plain)], line].concat();
    lines.extend(rest.into_iter().map(indented));
    if let Some(apart) = reached.as_ref().and_then(|lesson| closing::apart(lesson, lang)) {
        lines.extend(
            wrap(&apart, Role::Quiet, columns.min(COLUMNS).saturating_sub(indent).max(1)).into_iter().map(indented),
        );
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
