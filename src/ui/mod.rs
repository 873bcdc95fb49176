//! Draws [`State`]. No I/O, no mutation: what a frame measured goes back as [`Extents`], for the keys that scroll.

pub(crate) mod branches;
mod call;
mod calls;
mod cgroup;
mod chart;
mod chrome;
mod closing;
mod comparison;
mod containers;
mod doctor;
mod finish;
mod instead;
mod lesson;
mod limits;
mod marks;
mod meaning;
mod mounts;
mod namespaces;
mod network;
mod opening;
mod overlay;
pub(crate) mod plain;
mod processes;
mod prose;
mod sheet;
mod source;
mod steps;
mod terminal;
mod text;
mod theme;
mod users;

#[cfg(test)]
mod lab_tests;
#[cfg(test)]
mod size_tests;
#[cfg(test)]
mod snapshots;
#[cfg(test)]
pub(crate) mod stage;
#[cfg(test)]
mod zoom_tests;

pub(crate) use closing::result;

use crate::app::{Extents, Focus, Pane, Play, Shape, State, View, Zoom, layout};
use crate::lesson::TerminalId;
use crate::terminal::Size;
use ratatui::{Frame, layout::Rect};
use sheet::Sheet;

/// Draws one frame.
pub(crate) fn draw(state: &State, frame: &mut Frame) -> Extents {
    let mut extents = Extents::new();
    let (now, state) = (state, state.past.shown().unwrap_or(state));
    let area = frame.area();
    if area.area() == 0 {
        return extents;
    }
    if Shape::of(Size::new(area.width, area.height)) == Shape::TooSmall {
        chrome::too_small(state, frame);
    } else {
        match (state.view, &state.play) {
            (View::Lesson, Some(play)) => lesson_view(state, play, frame, &mut extents),
            (View::Doctor, _) => doctor::draw(state, frame, &mut extents),
            (View::Closing(lesson), _) => closing::draw(state, lesson, frame, &mut extents),
            _ => opening::draw(state, frame, &mut extents),
        }
        let lesson = state.play.as_ref().filter(|_| state.view == View::Lesson);
        if let Some(over) = &state.overlay {
            overlay::draw(state, over, frame, &mut extents);
        } else if let Some(guarded) = lesson.and_then(|play| play.session.guarded()) {
            overlay::guarded(state, guarded, frame);
        }
        chrome::bar(now, frame);
        chrome::caster(now, frame);
    }
    finish::finish(frame.buffer_mut(), state);
    extents
}

fn lesson_view(state: &State, play: &Play, frame: &mut Frame, extents: &mut Extents) {
    let area = frame.area();
    if let Some(zoom) = play.zoom {
        return zoomed(state, play, zoom, frame, extents);
    }
    let mut places = layout::places(Size::new(area.width, area.height), play.chosen());
    places.end_at(chrome::bottom(state, places.bar));
    chrome::header(state, play, places.header, frame);
    if places.terminal.height > 0 {
        let both = places.other.height > 0;
        // Both stand where they always stand; one alone is the one that is shown.
        let first = if both { TerminalId::Container } else { play.shown };
        terminal::draw(state, play, first, both, places.terminal, frame);
        if both {
            terminal::draw(state, play, TerminalId::Host, both, places.other, frame);
        }
    }
    for (pane, place) in &places.panes {
        let extent = draw_pane(state, play, *pane, *place, frame);
        extents.insert(Some(*pane), extent);
    }
}

/// One thing alone, with nothing around it: what the outer terminal selects is text.
fn zoomed(state: &State, play: &Play, zoom: Zoom, frame: &mut Frame, extents: &mut Extents) {
    let area = frame.area();
    let bar = Rect { y: area.bottom().saturating_sub(1), height: 1, ..area };
    let place = Rect { height: chrome::bottom(state, bar).saturating_sub(area.y), ..area };
    match zoom {
        Zoom::Terminal => {
            let Some(term) = play.terminals.get(&play.shown) else { return };
            let view = term.screen.view();
            frame.render_widget(view, place);
            if let Some(cursor) = view.cursor(place).filter(|_| play.focus == Focus::Terminal) {
                frame.set_cursor_position(cursor);
            }
        }
        Zoom::Pane => {
            let (columns, rows) = (usize::from(place.width), usize::from(place.height));
            let sheet = sheet_of(state, play, play.pane, columns, rows);
            let extent = sheet.bare(state, place, play.tops.get(&play.pane).copied(), frame);
            extents.insert(Some(play.pane), extent);
        }
    }
}

/// A pane's text, and how many columns and rows it may take.
fn sheet_of(state: &State, play: &Play, pane: Pane, inner: usize, rows: usize) -> Sheet {
    match pane {
        Pane::Lesson => lesson::sheet(state, play, inner),
        Pane::Calls => calls::sheet(state, play, inner),
        Pane::Namespaces => namespaces::sheet(state, play, inner, rows),
        Pane::Processes => processes::sheet(state, play, inner),
        Pane::Sides => comparison::sheet(state, play, inner),
        Pane::Mounts => mounts::sheet(state, play, inner),
        Pane::Cgroup => cgroup::sheet(state, play, inner, rows),
        Pane::Source => source::sheet(state, play, inner),
        Pane::Users => users::sheet(state, play, inner),
        Pane::Network => network::sheet(state, play, inner),
    }
}

/// What a pane says as a whole, for other programs.
pub(crate) fn pane_text(state: &State, pane: Pane) -> String {
    const COLUMNS: usize = 100;
    let Some(play) = &state.play else { return String::new() };
    let lines = sheet_of(state, play, pane, COLUMNS, usize::MAX >> 1).lines;
    let text = |line: &text::Pieces| line.iter().map(|(text, _)| text.as_str()).collect::<String>();
    lines.iter().map(|line| text(line).trim_end().to_string() + "\n").collect()
}

fn draw_pane(state: &State, play: &Play, pane: Pane, place: Rect, frame: &mut Frame) -> crate::app::Extent {
    let air = sheet::air(state, place);
    let (inner, rows) = (place.width.saturating_sub(4 + 2 * air) as usize, place.height.saturating_sub(2) as usize);
    let mut sheet = sheet_of(state, play, pane, inner, rows);
    sheet.air = air;
    if pane == Pane::Lesson {
        sheet.squeeze(rows);
    }
    let focused = play.focus == Focus::Lesson && play.pane == pane;
    let title = chrome::pane_title(state, play, pane, place.width as usize);
    sheet.draw(state, place, title, focused, play.tops.get(&pane).copied(), frame)
}
