//! Bars as lines of text: which layers there is room for, and what each line has room for. Plain ASCII without colours, so
//! that every terminal and every locale shows the same.

use crate::columns::{bytes, unit};
use std::time::Duration;

/// How wide fields are at least, so that nothing moves from one moment to the next: `100%`, `0:00 left`, `12.3 MiB/s`.
const LEAST: [usize; 5] = [0, 4, 9, 0, 10];
/// A shorter bar says nothing, and a longer one no more.
const BAR: std::ops::RangeInclusive<usize> = 10..=40;

/// A layer, and how far it is. Times are counted from the beginning of everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Layer {
    /// From 1.
    pub number: usize,
    /// Bytes that there are, and bytes that were read.
    pub size: u64,
    pub done: u64,
    begun: Option<Duration>,
    ended: Option<Duration>,
}

impl Layer {
    pub(super) fn new(number: usize, size: u64) -> Layer {
        Layer { number, size, done: 0, begun: None, ended: None }
    }

    pub(super) fn begin(&mut self, now: Duration) {
        self.begun = Some(now);
    }

    pub(super) fn end(&mut self, now: Duration) {
        (self.done, self.ended) = (self.size, Some(now));
    }
}

/// What one line says.
struct Fields {
    part: f64,
    /// Name, percent, time left, bytes, bytes a second: in the order of importance.
    texts: [String; 5],
}

impl Fields {
    fn new(name: String, size: u64, done: u64, took: Option<Duration>, ended: bool) -> Fields {
        // A layer that is read a second time has no more than all of it.
        let done = done.min(size);
        let part = if size == 0 { f64::from(u8::from(ended)) } else { done as f64 / size as f64 };
        let rate = took.map(|took| done as f64 / took.as_secs_f64().max(0.001));
        let left = match rate {
            _ if ended => "done".into(),
            None => "waiting".into(),
            Some(rate) if rate < 1.0 => "-:-- left".into(),
            Some(rate) => format!("{} left", clock(((size - done) as f64 / rate).ceil() as u64)),
        };
        let rate = rate.map(|rate| format!("{}/s", bytes(rate as u64))).unwrap_or_default();
        Fields { part, texts: [name, format!("{:.0}%", (part * 100.0).floor()), left, share(done, size), rate] }
    }
}

/// One line a layer and one for all of them, each shorter than the terminal is wide. Where they are more than fit, those in
/// progress and the total are what remains.
pub(super) fn lines(layers: &[Layer], now: Duration, rows: usize, columns: usize) -> Vec<String> {
    let last = layers.iter().map(|layer| layer.number).max().unwrap_or_default();
    let one = |layer: &Layer| {
        let took = layer.begun.map(|begun| layer.ended.unwrap_or(now).saturating_sub(begun));
        Fields::new(format!("layer {}/{last}", layer.number), layer.size, layer.done, took, layer.ended.is_some())
    };
    // One row is for what is printed above.
    let room = rows.saturating_sub(1).max(1);
    let all = layers.len() < room;
    let shown = layers.iter().filter(|layer| all || (layer.begun.is_some() && layer.ended.is_none()));
    let mut fields: Vec<Fields> = shown.take(room - 1).map(one).collect();
    let sum = |of: fn(&Layer) -> u64| layers.iter().map(of).fold(0, u64::saturating_add);
    let ended = layers.iter().all(|layer| layer.ended.is_some());
    fields.push(Fields::new("total".into(), sum(|layer| layer.size), sum(|layer| layer.done), Some(now), ended));
    arrange(&fields, columns.saturating_sub(1))
}

/// Lines up the fields. Where there is no room for all, the bar is left out first, and then the least important ones.
fn arrange(fields: &[Fields], columns: usize) -> Vec<String> {
    let width = |index: usize| fields.iter().map(|fields| fields.texts[index].len()).fold(LEAST[index], usize::max);
    let widths: [usize; 5] = std::array::from_fn(width);
    let together = |count: usize| widths.iter().take(count).sum::<usize>() + 2 * (count - 1);
    let count = (1..=5).rev().find(|count| together(*count) <= columns).unwrap_or(1);
    let bar = columns.saturating_sub(together(5) + 2).min(*BAR.end());
    let line = |fields: &Fields| {
        let cell = |index: usize| (format!("{:>1$}", fields.texts[index], widths[index]), index);
        let mut cells = vec![format!("{:<1$}", fields.texts[0], widths[0])];
        cells.extend(BAR.contains(&bar).then(|| draw(fields.part, bar)));
        // People look for the time left at the end.
        let others = [1, 3, 4, 2].map(cell).into_iter().filter(|(_, index)| *index < count);
        cells.extend(others.map(|(text, _)| text));
        let mut line = cells.join("  ");
        line.truncate(columns);
        line
    };
    fields.iter().map(line).collect()
}

fn draw(part: f64, width: usize) -> String {
    let inner = width - 2;
    let filled = (part * inner as f64) as usize;
    format!("[{}{}]", "#".repeat(filled), ".".repeat(inner - filled))
}

/// Goes back over the lines that were painted before, and writes these in their place. The cursor stays at the beginning of
/// the last one: what the terminal echoes (`^C`) does not lead it into another line.
pub(super) fn paint(before: usize, lines: &[String]) -> String {
    let up = if before > 1 { format!("\x1b[{}A", before - 1) } else { String::new() };
    let below = if lines.len() < before { "\x1b[J" } else { "" };
    let lines: Vec<String> = lines.iter().map(|line| format!("{line}\x1b[K")).collect();
    format!("\r{up}{}{below}\r", lines.join("\r\n"))
}

/// The same for one line, where the cursor can go to its beginning and there is no other way to erase than blanks.
pub(super) fn paint_dumb(before: &[String], lines: &[String]) -> String {
    let longest = before.iter().map(String::len).max().unwrap_or_default();
    lines.last().map_or(format!("\r{:longest$}\r", ""), |line| format!("\r{line:longest$}\r"))
}

/// Seconds as people count them: `0:07`, `1:02:03`.
fn clock(seconds: u64) -> String {
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours == 0 { format!("{minutes}:{seconds:02}") } else { format!("{hours}:{minutes:02}:{seconds:02}") }
}

/// Some of all bytes, in the unit of all: ` 1.0/12.3 MiB`, always as wide as all of them.
fn share(done: u64, size: u64) -> String {
    let (unit, name) = unit(size);
    let text = |count: u64| match unit {
        1 => count.to_string(),
        unit => format!("{:.1}", count as f64 / unit as f64),
    };
    let (done, size) = (text(done), text(size));
    format!("{done:>0$}/{size} {name}", size.len())
}

#[cfg(test)]
#[path = "progress_tests.rs"]
mod tests;
