//! Draws so that no character can shift its neighbours.
//!
//! Terminals disagree on how many cells some characters take: emoji, clusters, and all that East Asian fonts have in double
//! width. Where such a character stands, or stood, in a row that changes, the row is drawn anew, and what follows the
//! character is put into its place: whatever the terminal made of it, nothing of it remains.

use ratatui::{
    backend::{Backend, ClearType, WindowSize},
    buffer::{Buffer, Cell},
    layout::{Position, Rect, Size},
};
use std::mem;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// A backend that places what comes after a disputed character.
pub(super) struct Sure<B> {
    inner: B,
    /// What was drawn so far.
    drawn: Buffer,
    /// The rows of it in which such a character stands.
    disputed: Vec<bool>,
}

impl<B> Sure<B> {
    /// On a screen of this size, which is empty.
    pub(super) fn new(inner: B, area: Rect) -> Sure<B> {
        Sure { inner, drawn: Buffer::empty(area), disputed: vec![false; area.height.into()] }
    }
}

/// Whether terminals may disagree on how many cells this takes.
fn is_disputed(symbol: &str) -> bool {
    // Most cells have a character of ASCII.
    if symbol.len() < 2 {
        return false;
    }
    let mut chars = symbol.chars();
    match (chars.next(), chars.next()) {
        (None, _) => false,
        (Some(_), Some(_)) => true,
        // The boxes and bars of our own screen: where they are wide, every screen is lost.
        (Some('\0'..='\u{a0}' | '\u{2500}'..='\u{259f}'), None) => false,
        // Latin, Greek and Cyrillic letters of double width in East Asian fonts; unicode-width has them narrow.
        (Some('\u{a1}'..='\u{2ff}' | '\u{391}'..='\u{451}'), None) => true,
        (Some(c), None) => c.width() != c.width_cjk() || is_emoji(c),
    }
}

/// Whether this is a picture: old terminals do not know the newer ones, and some show all of them in two cells.
fn is_emoji(c: char) -> bool {
    matches!(c, '\u{203c}' | '\u{2049}' | '\u{2139}' | '\u{2300}'..='\u{23ff}' | '\u{2600}'..='\u{27bf}' | '\u{2b00}'..='\u{2bff}' | '\u{1f000}'..='\u{1fbff}')
}

impl<B: Backend> Sure<B> {
    fn row_is_disputed(&self, y: u16) -> bool {
        let row = self.drawn.content.chunks_exact(self.drawn.area.width.max(1).into()).nth(y.into());
        row.is_some_and(|row| row.iter().any(|cell| is_disputed(cell.symbol())))
    }

    fn draw_row(&mut self, y: u16) -> Result<(), B::Error> {
        let blank = |cell: &Cell| {
            let mut blank = cell.clone();
            blank.set_symbol(" ");
            blank
        };
        let (mut x, mut run) = (0, Vec::new());
        while let Some(cell) = self.drawn.cell((x, y)) {
            let width = u16::try_from(cell.symbol().width()).unwrap_or(1).max(1);
            if is_disputed(cell.symbol()) {
                self.inner.draw(run.drain(..))?;
                if width > 1 {
                    // What the terminal does not cover with it must not show what was there before.
                    let blanks: Vec<Cell> = vec![blank(cell); width.into()];
                    self.inner.draw((x..).zip(&blanks).map(|(x, blank)| (x, y, blank)))?;
                }
                self.inner.draw(std::iter::once((x, y, cell)))?;
            } else {
                run.push((x, y, cell));
            }
            x += width;
        }
        self.inner.draw(run.into_iter())
    }
}

impl<B: Backend> Backend for Sure<B> {
    type Error = B::Error;

    fn draw<'a, I>(&mut self, content: I) -> Result<(), B::Error>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        let mut cells: Vec<(u16, u16, &Cell)> = Vec::with_capacity(self.drawn.content.len());
        cells.extend(content);
        let mut touched = vec![false; self.disputed.len()];
        for (x, y, cell) in &cells {
            if let Some(touched) = touched.get_mut(usize::from(*y)) {
                *touched = true;
            }
            if let Some(drawn) = self.drawn.cell_mut((*x, *y)) {
                drawn.clone_from(cell);
            }
            // The other cells of a wide character are blank from now on: ratatui draws them no more, and takes them for
            // blank when a narrow one follows.
            let width = u16::try_from(cell.symbol().width()).unwrap_or(1);
            for beside in (*x..).take(width.into()).skip(1) {
                if let Some(covered) = self.drawn.cell_mut((beside, *y)) {
                    covered.clone_from(cell);
                    covered.set_symbol(" ");
                }
            }
        }
        // The rows to be drawn as a whole: where such a character stood, or stands now.
        let mut whole = touched;
        for (y, whole) in (0u16..).zip(&mut whole).filter(|(_, touched)| **touched) {
            let now = self.row_is_disputed(y);
            let before = self.disputed.get_mut(usize::from(y)).map(|before| mem::replace(before, now));
            *whole = now || before == Some(true);
        }
        let is_whole = |y: u16| whole.get(usize::from(y)) == Some(&true);
        self.inner.draw(cells.into_iter().filter(|(_, y, _)| !is_whole(*y)))?;
        (0u16..).zip(&whole).filter(|(_, whole)| **whole).try_for_each(|(y, _)| self.draw_row(y))
    }

    fn hide_cursor(&mut self) -> Result<(), B::Error> {
        self.inner.hide_cursor()
    }

    /// Never fails: ratatui shows the cursor at its end, and would panic where the terminal is gone, which the next frame
    /// finds out as well.
    fn show_cursor(&mut self) -> Result<(), B::Error> {
        let _ = self.inner.show_cursor();
        Ok(())
    }

    fn get_cursor_position(&mut self) -> Result<Position, B::Error> {
        self.inner.get_cursor_position()
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> Result<(), B::Error> {
        self.inner.set_cursor_position(position)
    }

    fn clear(&mut self) -> Result<(), B::Error> {
        self.drawn.reset();
        self.disputed.fill(false);
        self.inner.clear()
    }

    fn clear_region(&mut self, region: ClearType) -> Result<(), B::Error> {
        self.inner.clear_region(region)
    }

    fn size(&self) -> Result<Size, B::Error> {
        self.inner.size()
    }

    fn window_size(&mut self) -> Result<WindowSize, B::Error> {
        self.inner.window_size()
    }

    fn flush(&mut self) -> Result<(), B::Error> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::{Terminal, TerminalOptions, Viewport, backend::CrosstermBackend, text::Line};

    /// A terminal that shows some characters wider or narrower than they are counted here.
    #[derive(Default)]
    struct Outer(Vec<u8>);

    impl std::io::Write for &mut Outer {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// What stands in the columns of the first row of a terminal that gives these characters so many cells.
    fn shown(bytes: &[u8], cells: impl Fn(char) -> usize) -> String {
        let mut row = vec![' '; 40];
        let mut text = std::str::from_utf8(bytes).unwrap().chars();
        let mut x = 0;
        while let Some(c) = text.next() {
            if c == '\x1b' {
                let mut parameters = String::new();
                let last = text.by_ref().find(|c| {
                    parameters.push(*c);
                    c.is_ascii_alphabetic()
                });
                if last == Some('H') {
                    let column = parameters.trim_end_matches('H').split(';').nth(1).unwrap();
                    x = column.parse::<usize>().unwrap() - 1;
                }
                continue;
            }
            for (at, cell) in row.iter_mut().skip(x).take(cells(c)).enumerate() {
                *cell = if at == 0 { c } else { '<' };
            }
            x += cells(c);
        }
        row.into_iter().collect::<String>().trim_end().to_string()
    }

    /// What is sent for these rows, one frame each.
    fn sent(frames: &[&str]) -> Vec<u8> {
        let mut outer = Outer::default();
        let area = Rect::new(0, 0, 20, 1);
        let backend = Sure::new(CrosstermBackend::new(&mut outer), area);
        let options = TerminalOptions { viewport: Viewport::Fixed(area) };
        let mut terminal = Terminal::with_options(backend, options).unwrap();
        for frame in frames {
            terminal.draw(|place| place.render_widget(Line::raw(*frame), area)).unwrap();
        }
        drop(terminal);
        outer.0
    }

    #[test]
    fn nothing_is_shifted_and_nothing_remains() {
        let wide = |c: char| if c == '§' || c.width() == Some(2) { 2 } else { 1 };
        let narrow = |_: char| 1;
        for (frames, when_wide, when_narrow) in [
            (&["a§b|"][..], "a§b|", "a§b|"),
            (&["a§|", "ab|"], "ab|", "ab|"),
            (&["a§b", "a§c"], "a§c", "a§c"),
            (&["xyz|", "a😀|"], "a😀<|", "a😀 |"),
            (&["a😀|", "abc|"], "abc|", "abc|"),
            // What was below the second half of a wide character must not come back with the row.
            (&["abcdef", "文字§", "", "§"], "§", "§"),
        ] {
            let bytes = sent(frames);
            assert_eq!(shown(&bytes, wide), when_wide, "{frames:?}");
            assert_eq!(shown(&bytes, narrow), when_narrow, "{frames:?}");
        }
    }

    #[test]
    fn rows_without_such_characters_are_drawn_by_what_changes() {
        let once = sent(&["plain │ text"]).len();
        let twice = sent(&["plain │ text", "plain │ test"]).len();
        assert!(twice - once < 60, "one cell is drawn, not a row: {}", twice - once);
    }

    #[test]
    fn a_row_is_drawn_anew_where_such_a_character_stands_or_stood() {
        let rows = |frames: &[&str]| String::from_utf8(sent(frames)).unwrap().matches("plain").count();
        assert_eq!(rows(&["a plain", "b plain", "c plain"]), 1);
        assert_eq!(rows(&["a plain", "§ plain", "c plain", "d plain"]), 3, "with it, and once more when it has gone");
    }

    #[test]
    fn what_is_disputed() {
        for symbol in ["§", "α", "😀", "⏸", "e\u{301}", "\u{e0b0}"] {
            assert!(is_disputed(symbol), "{symbol}");
        }
        for symbol in ["", " ", "a", "文", "│", "█", "é"] {
            assert_eq!(is_disputed(symbol), symbol == "é", "{symbol}");
        }
    }
}
