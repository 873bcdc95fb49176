//! A lesson file's text with its places: lines, columns and the problems found there.

use super::model::Problem;
use crate::{kernel::text::is_obeyed, lang::say};

/// A word or a line of the text, and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Word<'a> {
    /// The line, from 1.
    pub line: usize,
    /// The column of its first character, from 1.
    pub column: usize,
    /// The text itself.
    pub text: &'a str,
}

impl<'a> Word<'a> {
    /// The words of this text, separated by blanks.
    pub(super) fn split(self) -> Vec<Word<'a>> {
        let mut words = Vec::new();
        let mut rest = self.text;
        let mut column = self.column;
        loop {
            let trimmed = rest.trim_start();
            column += rest.chars().count() - trimmed.chars().count();
            let end = trimmed.find(char::is_whitespace).unwrap_or(trimmed.len());
            let (word, after) = trimmed.split_at(end);
            if word.is_empty() {
                return words;
            }
            words.push(Word { line: self.line, column, text: word });
            column += word.chars().count();
            rest = after;
        }
    }

    /// This text without blanks around it.
    pub(super) fn trim(self) -> Word<'a> {
        let start = self.text.trim_start();
        let column = self.column + self.text.chars().count() - start.chars().count();
        Word { column, text: start.trim_end(), ..self }
    }

    /// The part before and the part after the first `separator`.
    pub(super) fn split_once(self, separator: &str) -> Option<(Word<'a>, Word<'a>)> {
        let (before, after) = self.text.split_once(separator)?;
        let column = self.column + before.chars().count() + separator.chars().count();
        Some((Word { text: before, ..self }, Word { column, text: after, ..self }))
    }
}

/// What may have been meant by a word that is not known, as the end of a sentence; empty where no word is like it.
pub(super) fn or_meant(near: Option<&str>) -> String {
    near.map(|near| say(format!("; did you mean `{near}`?"), format!("；是不是想写 `{near}`？"))).unwrap_or_default()
}

/// A file's text and what is wrong with it so far.
pub(super) struct Source<'a> {
    file: &'a str,
    /// All of it.
    pub text: &'a str,
    starts: Vec<usize>,
    /// Every problem, in the order found.
    pub problems: Vec<Problem>,
}

impl<'a> Source<'a> {
    /// Counts the lines of `text`.
    pub(super) fn new(file: &'a str, text: &'a str) -> Source<'a> {
        let ends = text.match_indices('\n').map(|(at, _)| at + 1);
        Source { file, text, starts: std::iter::once(0).chain(ends).collect(), problems: Vec::new() }
    }

    /// Notes a problem.
    pub(super) fn problem(&mut self, line: usize, column: usize, what: impl Into<String>) {
        self.problems.push(Problem { file: self.file.to_owned(), line, column, what: what.into() });
    }

    /// Notes a problem with a word.
    pub(super) fn wrong(&mut self, word: Word<'_>, what: impl Into<String>) {
        self.problem(word.line, word.column, what);
    }

    /// The line on which this byte stands, from 1.
    pub(super) fn line_of(&self, offset: usize) -> usize {
        self.starts.partition_point(|start| *start <= offset)
    }

    /// How many lines there are.
    pub(super) fn lines(&self) -> usize {
        self.starts.len()
    }

    /// A line without its end.
    pub(super) fn line(&self, number: usize) -> Word<'a> {
        let start = number.checked_sub(1).and_then(|index| self.starts.get(index)).copied();
        let end = self.starts.get(number).copied().unwrap_or(self.text.len());
        let text = start.and_then(|start| self.text.get(start..end)).unwrap_or_default();
        Word { line: number, column: 1, text: text.trim_end_matches(['\n', '\r']) }
    }

    /// Refuses characters that would do something else than be read: terminal controls, and marks that reorder text.
    pub(super) fn refuse_controls(&mut self) {
        let bad = |c: char| (is_obeyed(c) && !matches!(c, '\n' | '\r' | '\t')) || c == '\u{feff}';
        for number in 1..=self.starts.len() {
            let line = self.line(number);
            for (index, c) in line.text.chars().enumerate().filter(|(_, c)| bad(*c)) {
                let code = c as u32;
                self.problem(
                    number,
                    index + 1,
                    say(
                        format!("the invisible character U+{code:04X} is not allowed"),
                        format!("不允许使用看不见的字符 U+{code:04X}"),
                    ),
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters() {
        let source = Source::new("x", "一 二\nls  -l\r\n");
        let words = source.line(1).split();
        assert_eq!(words[1], Word { line: 1, column: 3, text: "二" });
        assert_eq!(source.line(2).split()[1], Word { line: 2, column: 5, text: "-l" });
        assert_eq!(source.line(9).text, "");
        assert_eq!((source.line_of(0), source.line_of(8)), (1, 2));
        let (_, after) = source.line(2).split_once("s").unwrap();
        assert_eq!(after.trim(), Word { line: 2, column: 5, text: "-l" });
    }

    #[test]
    fn escape_sequences_cannot_hide_in_a_lesson() {
        let mut source = Source::new("x", "ok\tfine\r\nno\u{1b}[2J \u{202e}");
        source.refuse_controls();
        assert_eq!(source.problems.iter().map(|p| (p.line, p.column)).collect::<Vec<_>>(), [(2, 3), (2, 8)]);
    }
}
