//! `--watch` on a terminal: the report stays in its place, and what changed is marked.

use crate::lang::Lang;
use crate::terminal::Size;
use unicode_width::UnicodeWidthChar;

/// What stands before a line that was not there before.
const MARK: &str = "* ";

/// What is on the screen.
#[derive(Debug, Default)]
pub(super) struct Screen {
    shown: Vec<String>,
    rows: usize,
}

impl Screen {
    /// What replaces the report before by this one, on a terminal of this size.
    pub(super) fn frame(&mut self, report: &str, Size { columns, rows }: Size, lang: Lang) -> String {
        let lines: Vec<String> = report.lines().map(String::from).collect();
        let room = usize::from(rows).saturating_sub(1).max(2);
        let mut frame: Vec<String> = lines.iter().map(|line| clip(&self.marked(line), columns.into())).collect();
        if frame.len() > room {
            let more = frame.len() - room + 1;
            frame.truncate(room - 1);
            frame.push(lang.pick(format!("… {more} more lines"), format!("……还有 {more} 行")));
        }
        // Up to where the last one began, and away with it.
        let over = if self.rows > 0 { format!("\x1b[{}A\r\x1b[J", self.rows) } else { String::new() };
        (self.shown, self.rows) = (lines, frame.len());
        format!("{over}{}\n", frame.join("\n"))
    }

    fn marked(&self, line: &str) -> String {
        if self.shown.is_empty() || line.is_empty() || self.shown.iter().any(|known| known == line) {
            return line.to_string();
        }
        format!("{MARK}{}", line.strip_prefix("  ").unwrap_or(line))
    }
}

/// As much of a line as fits: one that is broken would count twice.
fn clip(line: &str, columns: usize) -> String {
    let mut room = columns;
    let fits = |c: &char| match room.checked_sub(c.width().unwrap_or(0)) {
        Some(left) => {
            room = left;
            true
        }
        None => false,
    };
    line.chars().take_while(fits).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_replaces_the_one_before_and_marks_what_is_new() {
        let mut screen = Screen::default();
        assert_eq!(screen.frame("Title\n\n  a 1\n  b 1", Size::USUAL, Lang::En), "Title\n\n  a 1\n  b 1\n");
        let second = screen.frame("Title\n\n  a 2\n  b 1\n  c 1", Size::USUAL, Lang::En);
        assert_eq!(second, "\x1b[4A\r\x1b[JTitle\n\n* a 2\n  b 1\n* c 1\n");
        let third = screen.frame("Other\n\n  a 2", Size::USUAL, Lang::En);
        assert_eq!(third, "\x1b[5A\r\x1b[J* Other\n\n  a 2\n", "what was new is no longer");
    }

    #[test]
    fn nothing_scrolls_and_nothing_is_broken() {
        let mut screen = Screen::default();
        let report: Vec<String> = (0..9).map(|n| format!("{n} 进程进程")).collect();
        let first = screen.frame(&report.join("\n"), Size::new(6, 5), Lang::En);
        assert_eq!(first, "0 进程\n1 进程\n2 进程\n… 6 more lines\n");
        assert!(screen.frame("x", Size::new(6, 5), Lang::Zh).starts_with("\x1b[4A\r\x1b[J"));
    }
}
