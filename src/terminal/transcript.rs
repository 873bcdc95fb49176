//! What a terminal's output says, in order: plain text, prompts, and the lines that were submitted.

/// A stretch of output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Text without escape sequences and prompts, lines ended by LF. The echo of typed lines is part of it.
    Text(String),
    /// A shell has drawn its prompt in full and reads its next line.
    Prompt {
        /// The exit status of the last command, as `$?` gives it (0 before the first).
        status: i32,
        /// The shell's PID as the shell sees it (`$$`), which is not the host's PID inside a PID namespace.
        shell: i32,
    },
    /// The shell took a line and runs it. `None` where the line is not known: it was typed before there was a prompt,
    /// it has several rows, or something was drawn over it.
    Submitted(Option<String>),
}

/// Collects the pieces of one terminal's output.
#[derive(Debug, Default)]
pub(super) struct Transcript {
    pieces: Vec<Piece>,
    text: String,
    /// A carriage return that came last: it is dropped before a line feed.
    returned: bool,
}

impl Transcript {
    /// The pieces since the last time.
    pub(super) fn take(&mut self) -> Vec<Piece> {
        self.end_text();
        std::mem::take(&mut self.pieces)
    }

    pub(super) fn print(&mut self, c: char) {
        if self.returned {
            self.returned = false;
            self.text.push('\r');
        }
        self.text.push(c);
    }

    pub(super) fn carriage_return(&mut self) {
        self.returned = true;
    }

    pub(super) fn line_feed(&mut self) {
        self.returned = false;
        self.text.push('\n');
    }

    pub(super) fn note(&mut self, piece: Piece) {
        self.returned = false;
        self.end_text();
        self.pieces.push(piece);
    }

    fn end_text(&mut self) {
        if !self.text.is_empty() {
            self.pieces.push(Piece::Text(std::mem::take(&mut self.text)));
        }
    }
}
