//! What a lesson or the course has come to, as a page.

use super::{
    chrome, marks,
    sheet::Sheet,
    text::{Rich, hang, inline, line, paint_line, wrap},
    theme::Role,
};
use crate::{
    app::{Extents, Onward, State},
    session::{
        closing::{self, Kind, Row},
        share,
    },
};
use ratatui::{Frame, layout::Rect};

/// A line longer than this is hard to read.
const COLUMNS: usize = 96;

/// Draws it over the whole screen.
pub(super) fn draw(state: &State, lesson: Option<usize>, frame: &mut Frame, extents: &mut Extents) {
    let area = frame.area();
    let room = Rect { height: area.height.saturating_sub(1), ..area };
    let columns = (area.width.saturating_sub(4) as usize).min(COLUMNS);
    let mut sheet = sheet(state, lesson, columns);
    let now = onward(state, lesson, state.lang.pick("Space", "空格"));
    if !now.is_empty() {
        sheet.gap();
    }
    for text in now {
        let text = Rich::default().with(&text, Role::Strong);
        sheet.add(hang(&[(format!("{} ", marks::NOW), Role::Focus)], &text, columns));
    }
    let place = Rect { x: (room.width - (columns as u16 + 4).min(room.width)) / 2, width: columns as u16 + 4, ..room };
    let title = match lesson {
        Some(_) => state.lang.pick(" How it went ", " 本课小结 "),
        None => state.lang.pick(" The course ", " 全部课程 "),
    };
    let title = paint_line(&line(title, Role::Strong), state.look.theme);
    let extent = sheet.draw(state, place.intersection(room), title, true, Some(state.top), frame);
    extents.insert(None, extent);
}

/// What the whole course has come to, with what can be shown of it.
pub(super) fn course(state: &State) -> Vec<Row> {
    let (course, lang) = (state.course(), state.lang);
    let mut rows = closing::course(&course, lang);
    if course.iter().any(|lesson| !lesson.is_untouched()) {
        let head =
            lang.pick("Your result, to paste anywhere (e: as a picture)", "你的成绩，可以贴到任何地方（e：存成图片）");
        rows.push(Row { kind: Kind::Head, text: head.into() });
        rows.extend(result(state).map(|text| Row { kind: Kind::Text, text }));
    }
    rows
}

/// The lines that a learner may show.
pub(crate) fn result(state: &State) -> [String; 6] {
    let machine = chrome::machine(&state.facts, state.lang);
    share::lines(&state.course(), &machine, state.progress.days(), state.lang)
}

/// Lays out what a lesson has come to (`None`: all of them).
pub(super) fn sheet(state: &State, lesson: Option<usize>, columns: usize) -> Sheet {
    let rows = match lesson {
        Some(index) => state.reached(index).map_or_else(Vec::new, |lesson| closing::lesson(&lesson, state.lang)),
        None => course(state),
    };
    let mut sheet = Sheet::default();
    for Row { kind, text } in rows {
        let mark = |done| if done { (marks::PASSED, Role::Container) } else { (marks::OPEN, Role::Limit) };
        match kind {
            Kind::Title(done) | Kind::Lesson(done) => {
                let (mark, role) = mark(done);
                let text_role = if matches!(kind, Kind::Title(_)) { Role::Strong } else { Role::Plain };
                sheet.add(hang(&[(format!("{mark} "), role)], &inline(&text, text_role), columns));
            }
            Kind::Head => {
                sheet.gap();
                sheet.add(wrap(&text, Role::Strong, columns));
            }
            Kind::Text => sheet.add(hang(&line("  ", Role::Plain), &inline(&text, Role::Plain), columns)),
        }
    }
    sheet
}

/// Where this key leads from there.
pub(super) fn onward(state: &State, lesson: Option<usize>, key: &str) -> Vec<String> {
    let lang = state.lang;
    let Some(onward) = lesson.and_then(|lesson| state.onward(lesson)) else { return Vec::new() };
    let here = lesson.and_then(|lesson| state.lesson(lesson));
    let text = match onward {
        Onward::Step(step) => {
            let title = here.and_then(|lesson| lesson.steps.get(step)).map_or("", |step| step.title.as_str());
            let step = step + 1;
            lang.pick(format!("{key} goes to step {step}: {title}"), format!("按{key}去第 {step} 步：{title}"))
        }
        Onward::Lesson(next) => {
            let title = state.lesson(next).map_or("", |lesson| lesson.title.as_str());
            lang.pick(format!("{key} goes to the next lesson: {title}"), format!("按{key}进入下一课：{title}"))
        }
        Onward::Course => lang.pick(format!("{key} shows the whole course"), format!("按{key}看全部课程的小结")),
    };
    vec![text]
}

#[cfg(test)]
#[path = "closing_tests.rs"]
mod tests;
