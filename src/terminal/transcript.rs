//! The plain text of a terminal's output, cut at the prompt marks.

use super::{
    marks::{Mark, Marks},
    whole::Whole,
};
use vte::{Parser, Perform};

/// A stretch of output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Text without escape sequences and prompts, lines ended by LF. The echo of typed lines is part of it.
    Text(String),
    /// A prompt mark at this place.
    Mark(Mark),
}

/// Turns output into text and marks; the output may be cut anywhere, also within a character or a sequence.
#[derive(Default)]
pub struct Transcript {
    whole: Whole,
    parser: Parser,
    state: State,
}

impl Transcript {
    /// Takes output and gives what is complete of it, in order.
    pub fn process(&mut self, bytes: &[u8]) -> Vec<Piece> {
        self.parser.advance(&mut self.state, &self.whole.join(bytes));
        std::mem::take(&mut self.state.pieces)
    }
}

#[derive(Default)]
struct State {
    marks: Marks,
    pieces: Vec<Piece>,
    /// A carriage return that came last: it is dropped before a line feed.
    returned: bool,
}

impl State {
    fn push(&mut self, c: char) {
        if self.marks.in_prompt() {
            return;
        }
        match self.pieces.last_mut() {
            Some(Piece::Text(text)) => text.push(c),
            _ => self.pieces.push(Piece::Text(c.to_string())),
        }
    }

    fn flush_return(&mut self) {
        if std::mem::take(&mut self.returned) {
            self.push('\r');
        }
    }
}

impl Perform for State {
    fn print(&mut self, c: char) {
        self.flush_return();
        self.push(c);
    }

    fn execute(&mut self, byte: u8) {
        match byte {
            b'\n' => {
                self.returned = false;
                self.marks.end_line();
                self.push('\n');
            }
            b'\r' => self.returned = true,
            b'\t' | 0x08 => {
                self.flush_return();
                self.push(char::from(byte));
            }
            _ => {}
        }
    }

    fn osc_dispatch(&mut self, params: &[&[u8]], _: bool) {
        if let Some(mark) = self.marks.osc(params) {
            self.returned = false;
            self.pieces.push(Piece::Mark(mark));
        }
    }
}

#[cfg(test)]
#[path = "transcript_tests.rs"]
mod tests;
