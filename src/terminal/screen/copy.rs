//! A screen once more, to be gone on with apart from the first: what avt itself cannot give.

use super::{Screen, terminal};
use crate::terminal::transcript::Transcript;
use avt::{Line, ScreenKind, Terminal, observer::ShellTracker, parser::Function};
use std::iter;

/// How many lines above the screen a copy keeps, without their colours.
const HISTORY: usize = 200;

impl Clone for Screen {
    /// The same cells, cursor, modes and prompt; of what lies above the screen, the newest lines.
    fn clone(&self) -> Screen {
        let (cols, rows) = self.terminal.size();
        let mut copy = Screen {
            terminal: terminal(cols, rows),
            decoder: self.decoder.clone(),
            tracker: ShellTracker::new(),
            prompt: self.prompt.clone(),
            transcript: Transcript::default(),
            graphemes: self.graphemes.clone(),
            inserting: self.inserting,
            returns: self.returns,
            past: None,
        };
        write_history(&self.terminal, &mut copy.terminal);
        copy.follow_input(self);
        copy.terminal.feed(self.terminal.dump());
        let input = self.prompt.input.as_ref().and_then(|anchor| self.terminal.resolve(anchor));
        copy.prompt.input = input.and_then(|place| copy.terminal.anchor_at(place));
        copy.show_past(self.scrolled());
        copy
    }
}

impl Screen {
    /// The tracker takes the typed line to begin where it begins in the other screen; writing the cells moves no place.
    fn follow_input(&mut self, other: &Screen) {
        let place = other.prompt.input.as_ref().and_then(|anchor| other.terminal.resolve(anchor));
        let Some(place) = place.filter(|place| place.screen == ScreenKind::Primary) else { return };
        let Ok(row) = u16::try_from(place.row) else { return };
        // That is where the cursor is when it is told.
        let col = u16::try_from(place.col).unwrap_or(u16::MAX);
        self.terminal.execute(iter::once(Function::Cup(row.saturating_add(1), col.saturating_add(1))));
        self.begin_input();
        self.terminal.execute(iter::once(Function::Cup(1, 1)));
    }
}

/// Puts the newest lines above the screen of one terminal above that of an empty one of the same size.
fn write_history(from: &Terminal, to: &mut Terminal) {
    let (_, rows) = from.size();
    let count = from.primary_screen().all_lines().count().saturating_sub(rows);
    let lines: Vec<&Line> = from.primary_screen().all_lines().take(count).skip(count.saturating_sub(HISTORY)).collect();
    if lines.is_empty() {
        return;
    }
    for line in &lines {
        let whole = line.text();
        to.feed(if line.is_wrapped() { whole.as_str() } else { whole.trim_end() });
        if !line.is_wrapped() {
            to.feed("\r\n");
        }
    }
    // What is still on the screen goes above it, too.
    let left = lines.len().min(rows.saturating_sub(1));
    to.feed(format!("\x1b[{rows};1H{}\x1b[H", "\n".repeat(left)));
}
