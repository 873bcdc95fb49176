//! Text with roles: wrapping that knows Chinese and code, clipping, columns.

use super::theme::{Role, style};
use crate::app::ThemeName;
use crate::kernel::text::is_obeyed;
use ratatui::text::{Line, Span};
use std::ops::Range;
use textwrap::{WordSeparator, core::Word, wrap_algorithms::wrap_first_fit};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// A text whose pieces have roles.
#[derive(Clone, Debug, Default)]
pub(super) struct Rich {
    text: String,
    pieces: Vec<(Range<usize>, Role)>,
    broken: bool,
}

/// One line of pieces, not yet drawn.
pub(super) type Pieces = Vec<(String, Role)>;

impl Rich {
    /// Appends a piece.
    pub(super) fn push(&mut self, text: &str, role: Role) {
        if std::mem::take(&mut self.broken) && needs_blank(self.text.chars().last(), text.chars().next()) {
            self.text.push(' ');
            self.pieces.push((self.text.len() - 1..self.text.len(), Role::Plain));
        }
        let start = self.text.len();
        // Control characters would move the columns.
        self.text.extend(text.chars().map(|letter| if is_obeyed(letter) { ' ' } else { letter }));
        self.pieces.push((start..self.text.len(), role));
    }

    /// A line break in the source: a blank, but nothing between two Chinese characters. Lesson files break lines where it
    /// suits their writer.
    pub(super) fn push_break(&mut self) {
        self.broken = true;
    }

    /// The same, for chains.
    pub(super) fn with(mut self, text: &str, role: Role) -> Rich {
        self.push(text, role);
        self
    }

    /// Appends what is in another one.
    pub(super) fn append(&mut self, other: &Rich) {
        for (range, role) in &other.pieces {
            self.push(other.text.get(range.clone()).unwrap_or_default(), *role);
        }
    }

    /// Whether there is nothing in it.
    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Breaks it into lines of at most `width` columns: between words, between Chinese characters as their rules allow,
    /// and inside code only at blanks.
    pub(super) fn wrap(&self, width: usize) -> Vec<Pieces> {
        let width = width.max(2);
        let words = self.words(width);
        let lines = wrap_first_fit(&words, &[width as f64]);
        let mut at = 0;
        let mut out = Vec::new();
        for line in lines {
            let long: usize = line.iter().map(|word| word.word.len() + word.whitespace.len()).sum();
            let end = at + long;
            let blank = line.last().map_or(0, |word| word.whitespace.len());
            out.push(self.cut(at..end - blank));
            at = end;
        }
        out
    }

    fn words(&self, width: usize) -> Vec<Word<'_>> {
        let mut words: Vec<Range<usize>> = Vec::new();
        let mut before = 0;
        // The rules of Unicode forbid a break before a slash even after a blank, but paths begin so.
        let pieces = WordSeparator::UnicodeBreakProperties
            .find_words(&self.text)
            .map(|word| word.word.len() + word.whitespace.len())
            .flat_map(|long| {
                let start = before;
                before += long;
                let text = self.text.get(start..start + long).unwrap_or_default();
                let mut cuts: Vec<usize> = text.match_indices(" /").map(|(cut, _)| start + cut + 1).collect();
                cuts.push(start + long);
                cuts
            });
        let mut start = 0;
        for end in pieces {
            let text = self.text.get(start..end).unwrap_or_default();
            let last = words.last().and_then(|last| self.text.get(last.clone())).unwrap_or(" ");
            let glued = !last.ends_with(' ') && self.in_code(start) && last.width() + text.width() <= width;
            match words.last_mut() {
                Some(last) if glued => last.end = end,
                _ => words.push(start..end),
            }
            start = end;
        }
        let words = words.into_iter().filter_map(|range| self.text.get(range)).map(Word::from);
        textwrap::core::break_words(words, width)
    }

    /// Whether a line break before this byte would lie inside a piece of code.
    fn in_code(&self, at: usize) -> bool {
        self.pieces.iter().any(|(range, role)| *role == Role::Code && range.start < at && at < range.end)
    }

    fn cut(&self, wanted: Range<usize>) -> Pieces {
        let mut out = Pieces::new();
        for (range, role) in &self.pieces {
            let (start, end) = (range.start.max(wanted.start), range.end.min(wanted.end));
            if start < end
                && let Some(text) = self.text.get(start..end)
            {
                out.push((text.to_string(), *role));
            }
        }
        out
    }
}

/// Whether a line break between these is a blank. Chinese has none inside, nor beside its punctuation.
fn needs_blank(before: Option<char>, after: Option<char>) -> bool {
    let wide = |letter: Option<char>| letter.is_some_and(wide);
    let stop = |letter: Option<char>| letter.is_some_and(|letter| "，。、；：？！（）《》“”‘’…—".contains(letter));
    !(wide(before) && wide(after) || stop(before) && wide(before) || stop(after) && wide(after))
}

fn wide(letter: char) -> bool {
    letter.width() == Some(2)
}

/// One line of Markdown: code in backquotes is all that titles, questions and checks need.
pub(super) fn inline(text: &str, role: Role) -> Rich {
    let mut rich = Rich::default();
    for (number, part) in text.split('`').enumerate() {
        if !part.is_empty() {
            rich.push(part, if number % 2 == 1 { Role::Code } else { role });
        }
    }
    rich
}

/// Wraps one text of one role.
pub(super) fn wrap(text: &str, role: Role, width: usize) -> Vec<Pieces> {
    Rich::default().with(text, role).wrap(width)
}

/// Wraps behind a first piece; further lines are indented by its width.
pub(super) fn hang(first: &[(String, Role)], rest: &Rich, width: usize) -> Vec<Pieces> {
    let indent: usize = first.iter().map(|(text, _)| text.width()).sum();
    let mut lines = rest.wrap(width.saturating_sub(indent));
    if lines.is_empty() {
        lines.push(Pieces::new());
    }
    for (number, line) in lines.iter_mut().enumerate() {
        if number == 0 {
            line.splice(0..0, first.iter().cloned());
        } else {
            line.insert(0, (" ".repeat(indent), Role::Plain));
        }
    }
    lines
}

/// A command line behind what stands before it. The lines of its here-document, if it has one, keep their own indentation.
pub(super) fn command(first: &[(String, Role)], text: &str, width: usize) -> Vec<Pieces> {
    let mut text = text.lines();
    let line = text.next().unwrap_or_default();
    let mut lines = hang(first, &Rich::default().with(line, Role::Code), width);
    let indent: usize = first.iter().map(|(text, _)| text.width()).sum();
    for line in text {
        let body = line.trim_start_matches(' ');
        let indent = " ".repeat(indent + line.len() - body.len());
        lines.extend(hang(&[(indent, Role::Plain)], &Rich::default().with(body, Role::Code), width));
    }
    lines
}

/// How many columns a line has.
pub(super) fn width(line: &[(String, Role)]) -> usize {
    line.iter().map(|(text, _)| text.width()).sum()
}

/// Cuts a text to so many columns, with an ellipsis where something is missing.
pub(super) fn clip(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_string();
    }
    let mut out = String::new();
    let mut columns = 0;
    for letter in text.chars() {
        let wide = letter.width().unwrap_or(0);
        if columns + wide + 1 > width {
            break;
        }
        columns += wide;
        out.push(letter);
    }
    if width > 0 {
        out.push('…');
    }
    out
}

/// Exactly so many columns: cut, or filled up with blanks.
pub(super) fn pad(text: &str, width: usize) -> String {
    let mut out = clip(text, width);
    out.push_str(&" ".repeat(width.saturating_sub(out.width())));
    out
}

/// Makes lines that can be drawn.
pub(super) fn paint(lines: &[Pieces], theme: ThemeName) -> Vec<Line<'static>> {
    lines.iter().map(|line| paint_line(line, theme)).collect()
}

/// Makes a line that can be drawn.
pub(super) fn paint_line(line: &[(String, Role)], theme: ThemeName) -> Line<'static> {
    Line::from(line.iter().map(|(text, role)| Span::styled(text.clone(), style(theme, *role))).collect::<Vec<_>>())
}

/// A line of one piece.
pub(super) fn line(text: impl Into<String>, role: Role) -> Pieces {
    vec![(text.into(), role)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(lines: Vec<Pieces>) -> Vec<String> {
        lines.into_iter().map(|line| line.into_iter().map(|(text, _)| text).collect()).collect()
    }

    #[test]
    fn chinese_is_broken_by_its_own_rules() {
        let lines = plain(wrap("容器是一个普通的进程，内核给它加上四种性质。", Role::Plain, 10));
        assert!(lines.iter().all(|line| line.width() <= 10), "{lines:?}");
        assert!(lines.iter().all(|line| !line.starts_with(['，', '。'])), "{lines:?}");
    }

    #[test]
    fn code_is_broken_only_at_blanks() {
        let rich = Rich::default().with("look at ", Role::Plain).with("/proc/self/ns/pid_for_children", Role::Code);
        assert_eq!(plain(rich.wrap(32)), ["look at", "/proc/self/ns/pid_for_children"]);
    }

    #[test]
    fn words_longer_than_the_line_are_cut() {
        let lines = plain(wrap(&"x".repeat(25), Role::Code, 10));
        assert_eq!(lines.iter().map(String::len).collect::<Vec<_>>(), [10, 10, 5]);
    }

    #[test]
    fn clipping_counts_columns() {
        assert_eq!(clip("容器測試", 5), "容器…");
        assert_eq!(pad("容器", 6), "容器  ");
        assert_eq!(clip("abc", 0), "");
    }
}
