//! Output of programs, cut anywhere, as what a terminal is to do about it.
//!
//! avt's parser reads the sequences. What it leaves out (who draws a prompt, queries, some modes and styles) is read from
//! the text of each sequence as it passes.

use super::{
    prompt::{Ended, LEAD},
    style,
};
use avt::{
    Parser,
    parser::{Function, Osc, ShellIntegration, State},
};
use std::{borrow::Cow, str};

/// The longest sequence whose text is looked at, in bytes; avt keeps no more of an OSC either.
const MAX_SEQUENCE: usize = 1024;

/// One thing that a terminal is to do.
#[derive(Debug)]
pub(super) enum Act {
    /// Change the screen.
    Change(Function),
    /// Note a prompt mark (OSC 133); a D of ours says what has ended.
    Mark(ShellIntegration, Option<Ended>),
    /// Answer.
    Answer(Query),
}

/// What a program asks of its terminal (xterm's ctlseqs).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Query {
    /// Whether it is in order (DSR 5).
    Status,
    /// Where the cursor is (DSR 6); shells and `resize` measure the window with it.
    Cursor,
    /// The same in its extended form (DECXCPR).
    ExtendedCursor,
    /// What it can do (DA1).
    Attributes,
    /// Which terminal it is (DA2).
    Version,
    /// How large its text area is, in characters.
    Size,
}

/// The modes that avt does not keep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Modes {
    /// Whether pasted text is to be bracketed (mode 2004).
    pub(super) bracketed_paste: bool,
}

/// Reads output piece by piece.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    /// A character that the last piece ended in the middle of.
    held: Vec<u8>,
    parser: Parser,
    /// The sequence that is being read, without its introducer.
    sequence: String,
    /// All characters of the sequence that is being read, for a copy.
    begun: String,
    pub(super) modes: Modes,
}

impl Clone for Decoder {
    fn clone(&self) -> Decoder {
        let (held, sequence, begun) = (self.held.clone(), self.sequence.clone(), self.begun.clone());
        let mut copy = Decoder { held, parser: Parser::default(), sequence, begun, modes: self.modes };
        self.begun.chars().for_each(|c| drop(copy.parser.feed(c)));
        copy
    }
}

impl Decoder {
    /// The text of this piece; a character that is not complete yet comes with the next piece, and what cannot become
    /// one is U+FFFD.
    pub(super) fn text(&mut self, bytes: &[u8]) -> String {
        let bytes = if self.held.is_empty() {
            Cow::Borrowed(bytes)
        } else {
            self.held.extend_from_slice(bytes);
            Cow::Owned(std::mem::take(&mut self.held))
        };
        let mut text = String::with_capacity(bytes.len());
        let mut chunks = bytes.utf8_chunks().peekable();
        while let Some(chunk) = chunks.next() {
            text.push_str(chunk.valid());
            let rest = chunk.invalid();
            let may_go_on = str::from_utf8(rest).is_err_and(|error| error.error_len().is_none());
            if may_go_on && chunks.peek().is_none() {
                self.held = rest.to_vec();
            } else if !rest.is_empty() {
                text.push(char::REPLACEMENT_CHARACTER);
            }
        }
        // A shell writes its prompt at once, so that it comes in one piece.
        if text.contains(LEAD) { text.replace(LEAD, LEAD.trim_start_matches("\\[")) } else { text }
    }

    /// Takes one character of output.
    pub(super) fn feed(&mut self, c: char) -> Option<Act> {
        let before = self.parser.state;
        let function = self.parser.feed(c);
        let after = self.parser.state;
        if before == State::Ground && after == State::Ground {
            return function.map(Act::Change);
        }
        let act = match (before, &function) {
            (State::OscString, Some(Function::Osc(Osc::ShellIntegration(mark)))) => {
                Some(Act::Mark(*mark, Ended::parse(&self.sequence)))
            }
            (_, None) if after != State::Ground => None,
            (State::CsiEntry | State::CsiParam | State::CsiIntermediate, _) if after == State::Ground && c >= '@' => {
                self.control(c, function)
            }
            _ => function.map(Act::Change),
        };
        self.keep(before, after, c);
        if after == State::Ground {
            self.begun.clear();
        } else if self.begun.len() < MAX_SEQUENCE {
            self.begun.push(c);
        }
        act
    }

    /// Keeps the text of the sequence that goes on, and drops that of one which has ended.
    fn keep(&mut self, before: State, after: State, c: char) {
        let goes_on = match after {
            State::OscString => before == State::OscString,
            State::CsiParam | State::CsiIntermediate => true,
            _ => false,
        };
        if !goes_on {
            self.sequence.clear();
        } else if c >= ' ' && self.sequence.len() < MAX_SEQUENCE {
            self.sequence.push(c);
        }
    }

    /// A control sequence is complete: `CSI`, what was kept of it, and this last character.
    fn control(&mut self, last: char, function: Option<Function>) -> Option<Act> {
        let sequence = self.sequence.as_str();
        let query = match (last, sequence) {
            ('m', _) => return style::mend(sequence).or(function).map(Act::Change),
            ('h' | 'l', _) => {
                if let Some(modes) = sequence.strip_prefix('?') {
                    modes.split(';').for_each(|mode| self.modes.set(mode, last == 'h'));
                }
                return function.map(Act::Change);
            }
            ('n', "5") => Query::Status,
            ('n', "6") => Query::Cursor,
            ('n', "?6") => Query::ExtendedCursor,
            ('c', "" | "0") => Query::Attributes,
            ('c', ">" | ">0") => Query::Version,
            ('t', "18") => Query::Size,
            _ => return function.map(Act::Change),
        };
        Some(Act::Answer(query))
    }
}

impl Modes {
    fn set(&mut self, mode: &str, on: bool) {
        if mode == "2004" {
            self.bracketed_paste = on;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_cut_character_is_joined_and_a_broken_one_replaced() {
        let text = "aé文\u{10348}\r文z";
        let mut decoder = Decoder::default();
        let joined: String = text.bytes().map(|byte| decoder.text(&[byte])).collect();
        assert_eq!(joined, text);
        assert_eq!(decoder.text(b"\xe6\x96\x1b[m"), "\u{fffd}\x1b[m");
        assert_eq!(decoder.text(b"\xff\xe6"), "\u{fffd}");
        assert_eq!(decoder.text(b"x"), "\u{fffd}x", "what was held is not lost");
    }

    fn acts(text: &str) -> Vec<String> {
        let mut decoder = Decoder::default();
        text.chars().filter_map(|c| decoder.feed(c)).map(|act| format!("{act:?}")).collect()
    }

    #[test]
    fn marks_come_with_who_drew_them() {
        let ours = "133;D;3;aid=42;bash=5.2.15(1)-release";
        for end in ["\x07", "\x1b\\", "\u{9c}"] {
            assert_eq!(
                acts(&format!("\x1b]{ours}{end}"))[0],
                format!(
                    "{:?}",
                    Act::Mark(
                        ShellIntegration::CommandFinished { exit_status: Some(3) },
                        Some(Ended { status: 3, shell: 42, says_when_it_starts: true })
                    )
                )
            );
        }
        assert!(acts(&format!("\x1b]{ours}\x18")).is_empty(), "it was taken back");
        assert!(acts("\x1b]133;A\x07")[0].ends_with("PromptStart, None)"));
    }

    #[test]
    fn queries_are_told_from_what_looks_like_them() {
        assert_eq!(acts("\x1b[6n\x1b[?6n\u{9b}5n"), ["Answer(Cursor)", "Answer(ExtendedCursor)", "Answer(Status)"]);
        assert_eq!(acts("\x1b[c\x1b[>c\x1b[18t"), ["Answer(Attributes)", "Answer(Version)", "Answer(Size)"]);
        assert!(acts("\x1b[?1c\x1b[6;1n\x1b[?62;22c").is_empty());
        // A control character within a sequence is acted on at once, and the sequence goes on.
        assert_eq!(acts("\x1b[\r6n"), ["Change(Cr)", "Answer(Cursor)"]);
    }

    proptest! {
        #[test]
        fn a_cut_changes_no_text(bytes in proptest::collection::vec(any::<u8>(), 0..40), cut in any::<prop::sample::Index>()) {
            let (left, right) = bytes.split_at(cut.index(bytes.len() + 1));
            let (mut one, mut two) = (Decoder::default(), Decoder::default());
            prop_assert_eq!(one.text(&bytes), two.text(left) + &two.text(right));
        }
    }
}
