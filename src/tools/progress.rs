//! How far an image has come, on a terminal: a bar for each layer and one for all of them, drawn over and over below what is
//! printed ([`super::progress_lines`]). Where the cursor can only go back in its line (TERM=dumb), one line is drawn. Where
//! it is not seen (a pipe, a file, BOXWRIGHT_PROGRESS=never) nothing is.

use super::progress_lines::{Layer, lines, paint, paint_dumb};
use crate::image::{Image, manifest::Descriptor};
use std::{
    collections::BTreeSet,
    io::{IsTerminal, Write, stderr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// What is quick needs no bars.
const QUIET: Duration = Duration::from_millis(500);
/// No reader is faster.
const BETWEEN: Duration = Duration::from_millis(100);

/// The bars.
#[derive(Debug)]
pub(super) struct Progress {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    layers: Vec<Layer>,
    /// The number of the layer that is being read.
    at: usize,
    begun: Instant,
    drawn: Option<Instant>,
    /// What is on the terminal; the cursor is in the last of these lines.
    shown: Vec<String>,
    /// Whether the cursor can only go back in its line.
    dumb: bool,
}

impl State {
    fn show(&mut self, lines: Vec<String>) {
        let painted = if self.dumb { paint_dumb(&self.shown, &lines) } else { paint(self.shown.len(), &lines) };
        let _ = stderr().write_all(painted.as_bytes());
        self.shown = lines;
    }
}

impl Progress {
    /// Watches the layers of an image; `once` is whether equal layers are read only once.
    pub(super) fn watch(image: &mut Image, once: bool, quiet: bool) -> Option<Arc<Progress>> {
        let unseen = std::env::var_os("BOXWRIGHT_PROGRESS").is_some_and(|when| when == "never");
        if quiet || unseen || !stderr().is_terminal() {
            return None;
        }
        let dumb = std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb");
        let progress = Arc::new(Progress::of(&image.manifest.layers, once, dumb));
        let seen = Arc::clone(&progress);
        image.watch(Arc::new(move |count| seen.advance(count)));
        Some(progress)
    }

    fn of(layers: &[Descriptor], once: bool, dumb: bool) -> Progress {
        let mut counted = BTreeSet::new();
        let wanted = layers.iter().enumerate().filter(|(_, layer)| counted.insert(&layer.digest) || !once);
        let mut layers: Vec<Layer> = wanted.map(|(index, layer)| Layer::new(index + 1, layer.size)).collect();
        layers.iter_mut().take(1).for_each(|first| first.begin(Duration::ZERO));
        let state = State { layers, at: 1, begun: Instant::now(), drawn: None, shown: Vec::new(), dumb };
        Progress { state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A layer begins, and the one before it has ended. The first one has begun already.
    pub(super) fn layer(&self, index: usize) {
        let mut state = self.state();
        let now = state.begun.elapsed();
        let (before, at) = (state.at, index + 1);
        if before == at {
            return;
        }
        state.layers.iter_mut().filter(|layer| layer.number == before).for_each(|layer| layer.end(now));
        state.layers.iter_mut().filter(|layer| layer.number == at).for_each(|layer| layer.begin(now));
        state.at = at;
    }

    /// Takes the bars away, for a line that is printed or for good.
    pub(super) fn clear(&self) {
        let mut state = self.state();
        if !state.shown.is_empty() {
            state.show(Vec::new());
            state.drawn = None;
        }
    }

    fn advance(&self, count: usize) {
        let mut state = self.state();
        let at = state.at;
        state.layers.iter_mut().filter(|layer| layer.number == at).for_each(|layer| layer.done += count as u64);
        let elapsed = state.begun.elapsed();
        if elapsed < QUIET || state.drawn.is_some_and(|drawn| drawn.elapsed() < BETWEEN) {
            return;
        }
        // A terminal that was not told its size has none.
        let size = crossterm::terminal::size().ok().filter(|(columns, rows)| *columns > 0 && *rows > 0);
        let (columns, rows) = size.unwrap_or((80, 24));
        let rows = if state.dumb { 1 } else { rows };
        let lines = lines(&state.layers, elapsed, rows.into(), columns.into());
        state.show(lines);
        state.drawn = Some(Instant::now());
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}
