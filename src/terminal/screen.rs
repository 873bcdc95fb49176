//! The screen model: what a terminal would show after the bytes that it was sent.

mod changes;
mod copy;

use super::{
    decoder::{Act, Decoder},
    graphemes::Graphemes,
    prompt::Prompt,
    transcript::{Piece, Transcript},
};
use crate::terminal::Size;
use avt::{Anchor, Line, Position, ScreenKind, Terminal, observer::ShellTracker};

/// Lines kept above the screen.
pub const SCROLLBACK: usize = 5_000;

/// Larger than any real window, and small enough that a wrong size cannot ask for gigabytes of cells.
const LARGEST: u16 = 1_000;

/// What one piece of output led to besides the change on the screen.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Processed {
    /// What it said, in order.
    pub pieces: Vec<Piece>,
    /// What a terminal answers to the queries in it; to be written back to the pty.
    pub reply: Vec<u8>,
}

/// The cells, the cursor and the modes of one terminal, with its scrollback.
pub struct Screen {
    terminal: Terminal,
    decoder: Decoder,
    tracker: ShellTracker,
    prompt: Prompt,
    transcript: Transcript,
    graphemes: Graphemes,
    /// Whether characters move what stands to their right (IRM).
    inserting: bool,
    /// How many carriage returns came behind the last column of a line that is being typed, and are not carried out yet.
    returns: u8,
    /// A view that does not show the present: its first line, and how many lines it stands above the present.
    past: Option<(Anchor, usize)>,
}

/// The size that a terminal has by default.
impl Default for Screen {
    fn default() -> Screen {
        Screen::new(Size::USUAL)
    }
}

impl Screen {
    /// Makes an empty screen; sizes are clamped to what can be drawn, from 1×1 on.
    pub fn new(size: Size) -> Screen {
        Screen {
            terminal: terminal(usize::from(clamp(size.columns)), usize::from(clamp(size.rows))),
            decoder: Decoder::default(),
            tracker: ShellTracker::new(),
            prompt: Prompt::default(),
            transcript: Transcript::default(),
            graphemes: Graphemes::default(),
            inserting: false,
            returns: 0,
            past: None,
        }
    }

    /// Takes output of the programs, in pieces cut anywhere.
    pub fn process(&mut self, bytes: &[u8]) -> Processed {
        let text = self.decoder.text(bytes);
        let mut rest = text.chars();
        let mut reply = String::new();
        while let Some(act) = self.run(&mut rest) {
            match act {
                Act::Change(function) => self.change(function),
                Act::Mark(mark, ended) => self.mark(mark, ended),
                Act::Answer(query) => reply.push_str(&self.answer(query)),
            }
        }
        self.keep_view();
        Processed { pieces: self.transcript.take(), reply: reply.into_bytes() }
    }

    /// Takes note of bytes that were sent to the terminal as input. A Return that goes to a shell at its prompt submits
    /// the line, and not every shell says so itself.
    pub fn sent(&mut self, bytes: &[u8]) {
        self.prompt.sent(bytes);
    }

    /// Whether nothing but blanks is typed at the shell's prompt; `None` where no shell waits, or that cannot be told.
    pub fn prompt_is_empty(&self) -> Option<bool> {
        let start = self.terminal.resolve(self.prompt.input.as_ref()?)?;
        let cursor = self.terminal.cursor_position();
        let first = usize::try_from(start.row).ok().filter(|_| start.screen == cursor.screen)?;
        let last = usize::try_from(cursor.row).ok().filter(|last| *last >= first)?;
        // What stands on lines below is not what is typed.
        let mut rows = self.terminal.screen().visible_lines().skip(first);
        if !rows.by_ref().take(last - first).all(Line::is_wrapped) {
            return None;
        }
        let line = self.terminal.screen().line(first)?;
        let blank = line.cells().get(start.col..)?.iter().all(|cell| cell.char() == ' ');
        Some(blank && !line.is_wrapped())
    }

    /// Changes the size, clamped as in [`Screen::new`]. Wrapped lines are wrapped anew, but not those of a full-screen
    /// program.
    pub fn set_size(&mut self, size: Size) {
        let (cols, rows) = (usize::from(clamp(size.columns)), usize::from(clamp(size.rows)));
        let (old_cols, old_rows) = self.terminal.size();
        if cols < old_cols && !self.alternate_screen() {
            // avt 0.19 would move the first rows into the history for what is wrapped, and leave the last ones empty.
            let taken = self.wrapped_anew(cols).min(self.empty_rows());
            self.terminal.resize_with(old_cols, old_rows - taken, &mut self.tracker);
        }
        self.terminal.resize_with(cols, rows, &mut self.tracker);
        self.keep_view();
    }

    /// How many rows more the screen needs when it is so wide.
    fn wrapped_anew(&self, cols: usize) -> usize {
        let (mut more, mut rows, mut length) = (0, 0, 0);
        for line in self.terminal.screen().visible_lines() {
            rows += 1;
            length += line.cells().len();
            if !line.is_wrapped() {
                length -= line.cells().iter().rev().take_while(|cell| cell.char() == ' ' && cell.width() == 1).count();
                more += length.div_ceil(cols).saturating_sub(rows);
                (rows, length) = (0, 0);
            }
        }
        more
    }

    /// How many rows at the end of the screen, below the cursor, are empty.
    fn empty_rows(&self) -> usize {
        let mut empty = 0;
        for line in self.terminal.screen().visible_lines().skip(self.terminal.cursor().row + 1) {
            let blank = line.cells().iter().all(|cell| cell.char() == ' ' && cell.pen().is_default());
            empty = if blank { empty + 1 } else { 0 };
        }
        empty
    }

    /// How large it is.
    pub fn size(&self) -> Size {
        let (columns, rows) = self.terminal.size();
        Size { columns: small(columns), rows: small(rows) }
    }

    /// Moves the view by so many lines: positive into the past, negative back towards the present.
    pub fn scroll(&mut self, lines: isize) {
        self.show_past(self.scrolled().saturating_add_signed(lines));
    }

    /// Moves the view back to the present.
    pub(crate) fn scroll_to_bottom(&mut self) {
        self.past = None;
    }

    /// How many lines the view stands above the present.
    pub(crate) fn scrolled(&self) -> usize {
        self.past.as_ref().map_or(0, |(_, lines)| *lines)
    }

    /// How many lines there are above the screen.
    pub(crate) fn history(&self) -> usize {
        let (_, rows) = self.terminal.size();
        self.terminal.screen().all_lines().size_hint().0.saturating_sub(rows)
    }

    /// Row and column of the cursor in the view; `None` where it is hidden or scrolled out of sight.
    pub fn cursor(&self) -> Option<(u16, u16)> {
        let Size { rows, .. } = self.size();
        let (row, col) = self.cursor_now();
        let row = u16::try_from(self.scrolled()).ok()?.checked_add(row).filter(|row| *row < rows)?;
        self.terminal.cursor().visible.then_some((row, col))
    }

    /// The text of the view, a line each, without blanks at the ends; wrapped rows are joined.
    pub fn contents(&self) -> String {
        let mut text = String::new();
        for line in self.lines() {
            text.extend(line.chars());
            if !line.is_wrapped() {
                text.truncate(text.trim_end_matches(' ').len());
                text.push('\n');
            }
        }
        self.graphemes.expand(text.trim_end())
    }

    /// Whether the program asked for `ESC O` arrow keys (DECCKM).
    pub(crate) fn application_cursor(&self) -> bool {
        self.terminal.cursor_key_app_mode()
    }

    /// Whether the program asked for pasted text to be bracketed.
    pub(crate) fn bracketed_paste(&self) -> bool {
        self.decoder.modes.bracketed_paste
    }

    /// Whether a full-screen program is on its own screen, which has no scrollback.
    pub(crate) fn alternate_screen(&self) -> bool {
        self.terminal.active_screen_kind() == ScreenKind::Alternate
    }

    /// The rows of the view.
    pub(super) fn lines(&self) -> impl Iterator<Item = &Line> {
        let (_, rows) = self.terminal.size();
        self.terminal.screen().all_lines().skip(self.history() - self.scrolled().min(self.history())).take(rows)
    }

    /// Row and column of the cursor in the present. After the last column was written it waits behind it; a terminal
    /// shows it on that column.
    pub(super) fn cursor_now(&self) -> (u16, u16) {
        let (cols, _) = self.terminal.size();
        let cursor = self.terminal.cursor();
        (small(cursor.row), small(cursor.col.min(cols - 1)))
    }

    pub(super) fn graphemes(&self) -> &Graphemes {
        &self.graphemes
    }

    fn show_past(&mut self, lines: usize) {
        let lines = lines.min(self.history());
        let row = isize::try_from(lines).map(isize::wrapping_neg).unwrap_or_default();
        let top = Position { screen: ScreenKind::Primary, col: 0, row };
        self.past = match lines {
            0 => None,
            lines => self.terminal.anchor_at(top).map(|anchor| (anchor, lines)),
        };
    }

    /// Keeps the view where the reader is, whatever came or was wrapped anew.
    fn keep_view(&mut self) {
        let Some((anchor, _)) = &self.past else { return };
        let place = self.terminal.resolve(anchor).filter(|_| !self.alternate_screen());
        match place {
            Some(place) => self.show_past(usize::try_from(-place.row).unwrap_or_default()),
            // The line is no longer kept.
            None => self.show_past(usize::MAX),
        }
    }
}

fn terminal(cols: usize, rows: usize) -> Terminal {
    let empty = Terminal::with_scrollback(cols, rows, Some(SCROLLBACK));
    // No size is zero here; a terminal of one cell is the least that there is.
    empty.unwrap_or_else(|_| unreachable!("sizes are clamped to at least 1"))
}

fn clamp(size: u16) -> u16 {
    size.clamp(1, LARGEST)
}

fn small(size: usize) -> u16 {
    u16::try_from(size).unwrap_or(u16::MAX)
}

#[cfg(test)]
#[path = "screen_any_tests.rs"]
mod any_tests;
#[cfg(test)]
#[path = "screen_size_tests.rs"]
mod size_tests;
#[cfg(test)]
#[path = "screen_tests.rs"]
mod tests;
