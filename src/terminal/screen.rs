//! The screen model: what a terminal would show after the bytes that it was sent.

use super::{
    marks::{Mark, Marks},
    whole::Whole,
};
use std::{borrow::Cow, mem, num::NonZeroU16};
use vt100::{Callbacks, Parser};

/// Lines kept above the screen.
pub const SCROLLBACK: usize = 5_000;

/// Larger than any real window, and small enough that a wrong size cannot ask for gigabytes of cells.
const LARGEST: u16 = 1_000;

/// What one piece of output led to besides the change on the screen.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Processed {
    /// The prompt marks in it, in order.
    pub marks: Vec<Mark>,
    /// What a terminal answers to the queries in it; to be written back to the pty.
    pub reply: Vec<u8>,
}

/// The cells, the cursor and the modes of one terminal, with its scrollback.
pub struct Screen {
    parser: Parser<Witness>,
    whole: Whole,
}

impl Screen {
    /// Makes an empty screen; sizes are clamped to what can be drawn, from 1×1 on.
    pub fn new(rows: u16, cols: u16) -> Screen {
        let (rows, cols) = (clamp(rows), clamp(cols));
        let parser = Parser::new_with_callbacks(rows, cols, SCROLLBACK, Witness::default());
        Screen { parser, whole: Whole::default() }
    }

    /// Takes output of the programs, in pieces cut anywhere.
    pub fn process(&mut self, bytes: &[u8]) -> Processed {
        let whole = self.whole.join(bytes);
        self.parser.process(&without_selectors(&whole));
        mem::take(&mut self.parser.callbacks_mut().processed)
    }

    /// Changes the size, clamped as in [`Screen::new`]; rows are cut or filled, not wrapped anew.
    pub fn set_size(&mut self, rows: u16, cols: u16) {
        self.parser.set_size(clamp(rows), clamp(cols));
    }

    /// Rows and columns.
    pub fn size(&self) -> (u16, u16) {
        let (rows, cols) = self.vt().size();
        (rows.get(), cols.get())
    }

    /// Moves the view by so many lines: positive into the past, negative back towards the present.
    pub fn scroll(&mut self, lines: isize) {
        let target = self.scrolled().saturating_add_signed(lines);
        self.parser.screen_mut().set_scrollback(target);
    }

    /// Moves the view back to the present.
    pub fn scroll_to_bottom(&mut self) {
        self.parser.screen_mut().set_scrollback(0);
    }

    /// How many lines the view stands above the present.
    pub fn scrolled(&self) -> usize {
        self.vt().scrollback()
    }

    /// How many lines there are above the screen.
    pub fn history(&self) -> usize {
        self.vt().scrollback_len()
    }

    /// Row and column of the cursor in the view; `None` where it is hidden or scrolled out of sight.
    pub fn cursor(&self) -> Option<(u16, u16)> {
        let (rows, cols) = self.size();
        let (row, col) = self.vt().cursor_position();
        let row = u16::try_from(self.scrolled()).ok()?.checked_add(row).filter(|row| *row < rows)?;
        // After the last column was written the cursor waits behind it; a terminal shows it on that column.
        (!self.vt().hide_cursor()).then_some((row, col.min(cols - 1)))
    }

    /// The text of the view, one line a row, without trailing blank lines; wrapped rows are joined.
    pub fn contents(&self) -> String {
        self.vt().contents()
    }

    /// The text of each row of the view, whether wrapped or not.
    pub fn rows(&self) -> impl Iterator<Item = String> + '_ {
        self.vt().rows(0, self.size().1)
    }

    /// Whether the program asked for `ESC O` arrow keys (DECCKM).
    pub fn application_cursor(&self) -> bool {
        self.vt().application_cursor()
    }

    /// Whether the program asked for pasted text to be bracketed.
    pub fn bracketed_paste(&self) -> bool {
        self.vt().bracketed_paste()
    }

    /// Whether a full-screen program is on its own screen, which has no scrollback.
    pub fn alternate_screen(&self) -> bool {
        self.vt().alternate_screen()
    }

    pub(super) fn vt(&self) -> &vt100::Screen {
        self.parser.screen()
    }
}

fn clamp(size: u16) -> NonZeroU16 {
    NonZeroU16::new(size.min(LARGEST)).unwrap_or(NonZeroU16::MIN)
}

/// The emoji selector U+FE0F, which widens the character before it.
///
/// It is kept from the screen model: vt100 0.18.1 panics when the widened character stands in the last column, and
/// terminals disagree about the width anyway, so that a narrow character is the safe reading.
const EMOJI_SELECTOR: &[u8] = "\u{fe0f}".as_bytes();

fn without_selectors(bytes: &[u8]) -> Cow<'_, [u8]> {
    if !bytes.contains(&EMOJI_SELECTOR[0]) {
        return Cow::Borrowed(bytes);
    }
    let mut rest = bytes;
    let mut kept = Vec::new();
    while let Some(at) = rest.windows(EMOJI_SELECTOR.len()).position(|window| window == EMOJI_SELECTOR) {
        kept.extend_from_slice(&rest[..at]);
        rest = &rest[at + EMOJI_SELECTOR.len()..];
    }
    kept.extend_from_slice(rest);
    Cow::Owned(kept)
}

/// Hears what the screen model itself does not act on: prompt marks and queries.
#[derive(Default)]
struct Witness {
    marks: Marks,
    processed: Processed,
}

impl Callbacks for Witness {
    fn unhandled_osc(&mut self, _: &mut vt100::Screen, params: &[&[u8]]) {
        self.processed.marks.extend(self.marks.osc(params));
    }

    /// Answers as xterm does (ctlseqs); a program that asks waits for the answer.
    fn unhandled_csi(
        &mut self,
        screen: &mut vt100::Screen,
        first: Option<u8>,
        second: Option<u8>,
        params: &[&[u16]],
        action: char,
    ) {
        let param = params.first().and_then(|param| param.first()).copied().unwrap_or(0);
        let (row, col) = screen.cursor_position();
        let (row, col) = (row + 1, (col + 1).min(screen.size().1.get()));
        let answer = match (first, second, action, param) {
            // Device status: in order.
            (None, None, 'n', 5) => "\x1b[0n".to_owned(),
            // Where the cursor is; shells and `resize` measure the window with it.
            (None, None, 'n', 6) => format!("\x1b[{row};{col}R"),
            (Some(b'?'), None, 'n', 6) => format!("\x1b[?{row};{col}R"),
            // What it is: a VT220 with colours, and an xterm of no particular version.
            (None, None, 'c', 0) => "\x1b[?62;22c".to_owned(),
            (Some(b'>'), None, 'c', 0) => "\x1b[>1;10;0c".to_owned(),
            // Its size in characters.
            (None, None, 't', 18) => {
                let (rows, cols) = screen.size();
                format!("\x1b[8;{rows};{cols}t")
            }
            _ => return,
        };
        self.processed.reply.extend_from_slice(answer.as_bytes());
    }
}

#[cfg(test)]
#[path = "screen_tests.rs"]
mod tests;
