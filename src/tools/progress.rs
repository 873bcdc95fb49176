//! How far an image has come, on a terminal: one line that is written over, with this layer, all of them, rate, time left.
//! Where nobody looks (a pipe, a file, a terminal that cannot go back in a line) nothing is written.

use crate::image::{Image, manifest::Descriptor};
use std::{
    collections::BTreeSet,
    io::{IsTerminal, Write, stderr},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// What is quick needs no line.
const QUIET: Duration = Duration::from_millis(500);
/// Nobody reads faster.
const BETWEEN: Duration = Duration::from_millis(100);
const BAR: usize = 16;

/// The line.
#[derive(Debug)]
pub(super) struct Progress {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    sizes: Vec<u64>,
    total: u64,
    layer: usize,
    /// Bytes of this layer, and of all layers before it.
    here: u64,
    before: u64,
    begun: Instant,
    drawn: Option<Instant>,
}

impl Progress {
    /// Watches the layers of an image; `once` is whether equal layers are read only once.
    pub(super) fn watch(image: &mut Image, once: bool, quiet: bool) -> Option<Arc<Progress>> {
        let able = stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        if quiet || !able {
            return None;
        }
        let progress = Arc::new(Progress::of(&image.manifest.layers, once));
        let seen = Arc::clone(&progress);
        image.watch(Arc::new(move |count| seen.advance(count)));
        Some(progress)
    }

    fn of(layers: &[Descriptor], once: bool) -> Progress {
        let mut counted = BTreeSet::new();
        let total = layers.iter().filter(|layer| counted.insert(&layer.digest) || !once).map(|layer| layer.size).sum();
        let sizes = layers.iter().map(|layer| layer.size).collect();
        let state = State { sizes, total, layer: 0, here: 0, before: 0, begun: Instant::now(), drawn: None };
        Progress { state: Mutex::new(state) }
    }

    /// A layer begins.
    pub(super) fn layer(&self, index: usize) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.before += state.here;
        (state.layer, state.here) = (index, 0);
    }

    /// Takes the line away, for another one or for good.
    pub(super) fn clear(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.drawn.take().is_some() {
            let _ = stderr().write_all(b"\r\x1b[K");
        }
    }

    fn advance(&self, count: usize) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.here += count as u64;
        let now = Instant::now();
        let elapsed = now.duration_since(state.begun);
        if elapsed < QUIET || state.drawn.is_some_and(|drawn| now.duration_since(drawn) < BETWEEN) {
            return;
        }
        state.drawn = Some(now);
        // A terminal that nobody has told its size has none.
        let columns = crossterm::terminal::size().map_or(0, |(columns, _)| usize::from(columns));
        let columns = if columns == 0 { 80 } else { columns };
        let mut line = state.line(elapsed, true);
        if line.len() >= columns {
            line = state.line(elapsed, false);
        }
        line.truncate(columns.saturating_sub(1));
        let _ = stderr().write_all(format!("\r{line}\x1b[K").as_bytes());
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

impl State {
    fn line(&self, elapsed: Duration, wide: bool) -> String {
        let size = self.sizes.get(self.layer).copied().unwrap_or_default();
        let (number, layers, done) = (self.layer + 1, self.sizes.len(), self.before + self.here);
        let part = if self.total == 0 { 1.0 } else { (done as f64 / self.total as f64).min(1.0) };
        let filled = (part * BAR as f64) as usize;
        let bar = format!("[{}{}] ", "#".repeat(filled), ".".repeat(BAR - filled));
        let bar = if wide { bar.as_str() } else { "" };
        let rate = done as f64 / elapsed.as_secs_f64().max(0.001);
        let left = (self.total.saturating_sub(done) as f64 / rate.max(1.0)).ceil() as u64;
        format!(
            "layer {number}/{layers} {} of {}  {bar}{:.0}% {} of {}  {}/s  {}:{:02} left",
            bytes(self.here),
            bytes(size),
            part * 100.0,
            bytes(done),
            bytes(self.total),
            bytes(rate as u64),
            left / 60,
            left % 60
        )
    }
}

/// A number of bytes for people: `12.3 MiB`.
fn bytes(count: u64) -> String {
    let units = [(1_u64 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match units.into_iter().find(|(unit, _)| count >= *unit) {
        Some((unit, name)) => format!("{:.1} {name}", count as f64 / unit as f64),
        None => format!("{count} B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::Digest;

    #[test]
    fn the_line_says_how_far_and_how_long() {
        let layer = |size: u64, name: &[u8]| Descriptor { digest: Digest::of(name), size, ..Descriptor::default() };
        let layers = [layer(1 << 20, b"a"), layer(3 << 20, b"b"), layer(1 << 20, b"a")];
        let once = Progress::of(&layers, true);
        once.advance(1 << 20);
        once.layer(1);
        once.advance(1 << 20);
        assert_eq!(
            once.state.lock().unwrap().line(Duration::from_secs(2), true),
            "layer 2/3 1.0 MiB of 3.0 MiB  [########........] 50% 2.0 MiB of 4.0 MiB  1.0 MiB/s  0:02 left"
        );
        let narrow = once.state.lock().unwrap().line(Duration::from_secs(2), false);
        assert_eq!(narrow, "layer 2/3 1.0 MiB of 3.0 MiB  50% 2.0 MiB of 4.0 MiB  1.0 MiB/s  0:02 left");
        assert_eq!(Progress::of(&layers, false).state.lock().unwrap().total, 5 << 20);
        assert_eq!([bytes(0), bytes(1023), bytes(1536)], ["0 B", "1023 B", "1.5 KiB"]);
    }
}
