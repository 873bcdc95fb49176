//! What just happened, once more: every pane as it was at each event that changed something, while the shells live on.
//!
//! Kept are a copy of the state at the beginning of the step and the events since then. A place in the past is that copy,
//! to which the events before the place have happened again. There is a bound for all of it: the last four stretches, each
//! of at most [`MAX_EVENTS`] events and about [`MAX_BYTES`]; a new step, and what is too much for a stretch, begin a new one.

use super::{
    Command, Event, Extents, Focus, Glance, Key, Mark, Play, State, View, answer, commands, keys,
    update::{happen, resize},
};
use crate::session::Phase;
use crossterm::event::{KeyEvent, KeyEventKind};
use std::{collections::VecDeque, sync::Arc};

const MAX_STRETCHES: usize = 4;
const MAX_EVENTS: usize = 2_000;
const MAX_BYTES: usize = 1 << 20;
/// What a sample counts for, which is not measured.
const SAMPLE: usize = 8 << 10;
/// The same for anything small.
const SMALL: usize = 256;

/// Something that has to happen again.
#[derive(Clone, Debug)]
enum Kept {
    Event(Event),
    /// A frame was drawn: what keys do may depend on it.
    Measured(Extents),
}

/// A beginning, and what happened after it.
#[derive(Clone, Debug)]
struct Stretch {
    start: Arc<State>,
    kept: Vec<Kept>,
    /// After how many of them something had changed.
    marks: Vec<usize>,
    bytes: usize,
}

/// What is kept, and what of it is on the screen.
#[derive(Clone, Debug, Default)]
pub(crate) struct Past {
    stretches: VecDeque<Arc<Stretch>>,
    shown: Option<(usize, Box<State>)>,
}

impl Past {
    /// The state that is on the screen in the place of the present one.
    pub(crate) fn shown(&self) -> Option<&State> {
        self.shown.as_ref().map(|(_, state)| &**state)
    }

    /// Which place is shown, counted from 1, and how many there are before the present.
    pub(crate) fn place(&self) -> Option<(usize, usize)> {
        self.shown.as_ref().map(|(place, _)| (place + 1, self.places().len()))
    }

    /// Whether there is anything to go back to.
    pub(crate) fn is_there(&self) -> bool {
        self.stretches.iter().any(|stretch| !stretch.marks.is_empty()) || self.stretches.len() > 1
    }

    /// The places: stretch, and how much of it has happened. After the last change there is the present.
    fn places(&self) -> Vec<(usize, usize)> {
        let of = |(number, stretch): (usize, &Arc<Stretch>)| {
            let counts: Vec<usize> = std::iter::once(0).chain(stretch.marks.iter().copied()).collect();
            counts.into_iter().map(move |count| (number, count))
        };
        let mut all: Vec<_> = self.stretches.iter().enumerate().flat_map(of).collect();
        all.pop();
        all
    }

    /// The state at a place.
    fn at(&self, place: usize) -> Option<State> {
        let (number, count) = *self.places().get(place)?;
        let stretch = self.stretches.get(number)?;
        let mut state = State::clone(&stretch.start);
        for kept in stretch.kept.iter().take(count) {
            match kept {
                Kept::Event(event) => drop(happen(&mut state, event.clone())),
                Kept::Measured(extents) => state.extents = extents.clone(),
            }
        }
        Some(state)
    }

    fn begin(&mut self, start: State) {
        if self.stretches.len() >= MAX_STRETCHES {
            self.stretches.pop_front();
            if let Some((place, _)) = &mut self.shown {
                *place = 0;
            }
        }
        let (kept, marks) = (Vec::new(), Vec::new());
        self.stretches.push_back(Arc::new(Stretch { start: Arc::new(start), kept, marks, bytes: 0 }));
    }
}

impl State {
    /// The same, without what came before.
    fn apart(&mut self) -> State {
        let past = std::mem::take(&mut self.past);
        let copy = self.clone();
        self.past = past;
        copy
    }
}

/// Keeps an event that has happened; `before` is what was to be seen until then.
pub(super) fn keep(state: &mut State, event: Option<Event>, before: &Glance) {
    let after = Glance::at(state);
    let playing = state.view == View::Lesson && state.play.is_some();
    let Some(event) = event.filter(|_| playing && !after.is_preparing()) else { return };
    let mark = after.since(before);
    let full = state.past.stretches.back().is_none_or(|last| last.bytes > MAX_BYTES || last.kept.len() > MAX_EVENTS);
    if mark == Some(Mark::Step) || full {
        let start = state.apart();
        state.past.begin(start);
        return;
    }
    let Some(last) = state.past.stretches.back_mut().map(Arc::make_mut) else { return };
    last.bytes += match &event {
        Event::Output(_, bytes) => SMALL + bytes.len(),
        Event::Sample(..) => SAMPLE,
        _ => SMALL,
    };
    last.kept.push(Kept::Event(event));
    let count = last.kept.len();
    last.marks.extend(mark.map(|_| count));
    let decides = state.play.as_ref().is_some_and(|play| play.session.phase() == Phase::Guarded);
    if decides {
        // The user must answer now.
        leave(state);
    }
}

/// Keeps what a frame measured.
pub(super) fn measured(state: &mut State, extents: &Extents) {
    if let Some(last) = state.past.stretches.back_mut().map(Arc::make_mut) {
        last.bytes += SMALL;
        last.kept.push(Kept::Measured(extents.clone()));
    }
}

/// The state in which a frame that was drawn belongs.
pub(super) fn seen(state: &mut State) -> Option<&mut State> {
    state.past.shown.as_mut().map(|(_, state)| &mut **state)
}

/// Another screen looks at the past: it is drawn as its present would be.
pub(crate) fn as_seen(state: &mut State) {
    let (lang, look, size) = (state.lang, state.look, state.size);
    let Some(past) = seen(state) else { return };
    if past.lang != lang {
        drop(commands::language(past));
    }
    (past.look, past.size) = (look, size);
}

/// Goes one change back, or forth again.
pub(super) fn go(state: &mut State, on: bool) {
    let count = state.past.places().len();
    let place = match (&state.past.shown, on) {
        (None, true) => {
            state.idle = Some(state.lang.pick("This is now; < goes back", "这就是现在；按 < 回看").into());
            return;
        }
        (None, false) => count.checked_sub(1),
        (Some((place, _)), true) => Some(place + 1).filter(|place| *place < count),
        (Some((0, _)), false) => {
            state.idle = Some(state.lang.pick("Nothing earlier is kept", "更早的没有保留").into());
            return;
        }
        (Some((place, _)), false) => Some(place - 1),
    };
    show(state, place);
}

fn show(state: &mut State, place: Option<usize>) {
    let Some((place, mut past)) = place.and_then(|place| Some((place, state.past.at(place)?))) else {
        leave(state);
        return;
    };
    (past.look, past.overlay, past.trouble, past.said, past.idle) = (state.look, None, None, None, None);
    if past.lang != state.lang {
        drop(commands::language(&mut past));
    }
    if past.size != state.size {
        drop(resize(&mut past, state.size));
    }
    let looks = state.past.shown().unwrap_or(state).play.as_ref().map(view_of);
    if let (Some(play), Some((pane, bottom, both))) = (&mut past.play, looks) {
        (play.pane, play.bottom, play.both, play.focus) = (pane, bottom, both, Focus::Lesson);
        play.tops.clear();
    }
    state.past.shown = Some((place, Box::new(past)));
}

fn view_of(play: &Play) -> (super::Pane, super::Pane, Option<bool>) {
    (play.pane, play.bottom, play.both)
}

/// Comes back to the present.
pub(super) fn leave(state: &mut State) {
    state.past.shown = None;
}

/// Takes a key while the past is on the screen; false where the present is.
pub(super) fn takes(state: &mut State, event: &Event) -> bool {
    if state.past.shown.is_none() {
        return false;
    }
    match event {
        Event::Key(key) => on_key(state, key),
        Event::Resize(..) => {
            leave(state);
            return false;
        }
        _ => return false,
    }
    state.dirty = true;
    true
}

fn on_key(state: &mut State, event: &KeyEvent) {
    if event.kind == KeyEventKind::Release {
        return;
    }
    state.idle = None;
    let command = Key::of(event).and_then(|key| keys::command(state, key));
    match (command, seen(state)) {
        (Some(Command::Past(on)), _) => go(state, on),
        (Some(command), Some(past)) if only_looks(command) => drop(commands::run(past, command)),
        _ => {
            leave(state);
            state.said = Some(answer::back_to_now(state.lang));
        }
    }
}

/// Whether a command changes nothing but the view.
fn only_looks(command: Command) -> bool {
    matches!(
        command,
        Command::Show(_)
            | Command::NextPane
            | Command::PreviousPane
            | Command::Scroll(_)
            | Command::Page(_)
            | Command::Edge(_)
            | Command::BothTerminals
    )
}

#[cfg(test)]
#[path = "past_tests.rs"]
mod tests;
