//! A recorded session on a screen that is not shown: neither root nor a machine takes part.

use super::{Header, Recording, Unreadable};
use crate::{
    app::{Caster, State, measured, update},
    event::Event,
    lesson::{self, Translations},
    terminal::Size,
    ui,
};
use ratatui::{Terminal, TerminalOptions, Viewport, backend::TestBackend, buffer::Buffer, layout::Rect};
use std::{convert::Infallible, io::BufRead};
use unicode_width::UnicodeWidthStr;

impl Header {
    /// The state of a screen before anything has happened; `lessons` are those of this program.
    pub(super) fn state(&self, lessons: &[Translations]) -> Result<State, Unreadable> {
        let find = |id: &String| {
            let found = lessons.iter().find(|lesson| lesson.id() == id).cloned();
            // The lab is in no list of lessons.
            let found = found.or_else(|| (id == lesson::LAB).then(|| lesson::lab(None)));
            found.ok_or_else(|| Unreadable::Lesson(id.clone()))
        };
        let lessons = self.lessons.iter().map(find).collect::<Result<_, _>>()?;
        let mut state = State::new(self.lang, self.look, self.machine.clone(), lessons, self.prefix);
        state.resume(self.progress.clone());
        (state.auto, state.script) = (self.auto, self.script);
        state.caster = self.keys.then(Caster::default);
        // Keys that set marks are keys here as well.
        state.recorded = true;
        Ok(state)
    }
}

/// Plays a recording to its end; gives the rows of the frame that was drawn last, without the blanks at their ends. Frames
/// are drawn where they were drawn then, because what a key does may depend on what was seen.
pub fn last_screen(recording: Recording<impl BufRead>, lessons: &[Translations]) -> Result<Vec<String>, Unreadable> {
    let mut state = recording.header.state(lessons)?;
    let mut rows = Vec::new();
    for line in recording {
        match line?.1 {
            Event::Drawn => rows = draw(&mut state),
            event => drop(update(&mut state, event)),
        }
    }
    Ok(rows)
}

/// Draws one frame, and takes in what it measured.
pub(super) fn draw(state: &mut State) -> Vec<String> {
    drawn(state).map(|terminal| text(terminal.backend().buffer())).unwrap_or_default()
}

/// A screen of which nobody sees anything: what is drawn on it is compared with nothing.
#[derive(Debug, Default)]
pub(super) struct Unseen(Option<Terminal<TestBackend>>);

impl Unseen {
    /// Draws one frame, and takes in what it measured.
    pub(super) fn measure(&mut self, state: &mut State) {
        let area = Rect::new(0, 0, state.size.columns, state.size.rows);
        let kept = self.0.take().and_then(|mut kept| (kept.get_frame().area() == area).then_some(kept));
        let options = TerminalOptions { viewport: Viewport::Fixed(area) };
        let made = kept.map_or_else(|| Terminal::with_options(TestBackend::new(0, 0), options), Ok);
        let Ok(mut terminal) = made;
        let extents = ui::draw(state, &mut terminal.get_frame());
        terminal.current_buffer_mut().reset();
        self.0 = Some(terminal);
        state.dirty = false;
        measured(state, extents);
    }
}

/// The same, of which the cells are wanted.
fn drawn(state: &mut State) -> Result<Terminal<TestBackend>, Infallible> {
    let Size { columns, rows } = state.size;
    let mut terminal = Terminal::new(TestBackend::new(columns, rows))?;
    let mut extents = crate::app::Extents::new();
    terminal.draw(|frame| extents = ui::draw(state, frame))?;
    state.dirty = false;
    measured(state, extents);
    Ok(terminal)
}

/// The rows as text: what takes two cells stands in the first of them.
fn text(buffer: &Buffer) -> Vec<String> {
    let row = |y| {
        let (mut row, mut x) = (String::new(), 0);
        while let Some(cell) = buffer.cell((x, y)) {
            row.push_str(cell.symbol());
            x += u16::try_from(cell.symbol().width()).unwrap_or(1).max(1);
        }
        row.trim_end().to_string()
    };
    (0..buffer.area.height).map(row).collect()
}
