//! Draws [`State`]. No I/O, no mutation: what a frame measured goes back as [`Extents`], for the keys that scroll.

mod call;
mod calls;
mod cgroup;
mod chart;
mod chrome;
mod closing;
mod doctor;
mod finish;
mod lesson;
mod limits;
mod marks;
mod meaning;
mod mounts;
mod namespaces;
mod opening;
mod overlay;
pub(crate) mod plain;
mod processes;
mod prose;
mod sheet;
mod sides;
mod source;
mod steps;
mod terminal;
mod text;
mod theme;

#[cfg(test)]
mod size_tests;
#[cfg(test)]
mod snapshots;
#[cfg(test)]
pub(crate) mod stage;

use crate::app::{Extents, Focus, Pane, Play, Shape, State, View, layout};
use crate::lesson::TerminalId;
use ratatui::{Frame, layout::Rect};
use sheet::Sheet;

/// Draws one frame.
pub(crate) fn draw(state: &State, frame: &mut Frame) -> Extents {
    let mut extents = Extents::new();
    let area = frame.area();
    if area.area() == 0 {
        return extents;
    }
    if Shape::of((area.width, area.height)) == Shape::TooSmall {
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
        chrome::bar(state, frame);
    }
    finish::finish(frame.buffer_mut(), state);
    extents
}

fn lesson_view(state: &State, play: &Play, frame: &mut Frame, extents: &mut Extents) {
    let area = frame.area();
    let places = layout::places((area.width, area.height), play.chosen());
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

fn draw_pane(state: &State, play: &Play, pane: Pane, place: Rect, frame: &mut Frame) -> crate::app::Extent {
    let air = sheet::air(state, place);
    let (inner, rows) = (place.width.saturating_sub(4 + 2 * air) as usize, place.height.saturating_sub(2) as usize);
    let mut sheet: Sheet = match pane {
        Pane::Lesson => lesson::sheet(state, play, inner),
        Pane::Calls => calls::sheet(state, play, inner),
        Pane::Namespaces => namespaces::sheet(state, play, inner, rows),
        Pane::Processes => processes::sheet(state, play, inner),
        Pane::Sides => sides::sheet(state, play, inner),
        Pane::Mounts => mounts::sheet(state, play, inner),
        Pane::Cgroup => cgroup::sheet(state, play, inner, rows),
        Pane::Source => source::sheet(state, play, inner),
    };
    sheet.air = air;
    if pane == Pane::Lesson {
        sheet.squeeze(rows);
    }
    let focused = play.focus == Focus::Lesson && play.pane == pane;
    let title = chrome::pane_title(state, play, pane, place.width as usize);
    sheet.draw(state, place, title, focused, play.tops.get(&pane).copied(), frame)
}
