//! A page of lines in a box, scrolled: what every pane of text is.

use super::{
    marks,
    text::{Pieces, paint},
    theme::{Role, style},
};
use crate::app::{Extent, State};
use ratatui::{
    Frame,
    layout::Rect,
    text::{Line, Span},
    widgets::{Block, BorderType, Paragraph},
};
use std::ops::Range;

/// What a page shows while the learner does not scroll it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Follow {
    /// Its beginning.
    #[default]
    Top,
    /// Its end.
    End,
    /// Its end, or less of it, so that this line is visible.
    EndFrom(usize),
    /// This line, with some lines before it.
    Around(usize),
}

/// Lines that fit the width of their pane.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    /// The lines.
    pub lines: Vec<Pieces>,
    /// What is shown by itself.
    pub follow: Follow,
    /// The lines of what the learner is asked.
    pub asked: Option<Range<usize>>,
    /// More empty columns on either side.
    pub air: u16,
}

impl Sheet {
    /// Appends a line.
    pub(super) fn line(&mut self, line: Pieces) {
        self.lines.push(line);
    }

    /// Appends lines.
    pub(super) fn add(&mut self, lines: Vec<Pieces>) {
        self.lines.extend(lines);
    }

    /// Appends an empty line, unless there is one already or nothing yet.
    pub(super) fn gap(&mut self) {
        if self.lines.last().is_some_and(|line| !line.is_empty()) {
            self.lines.push(Pieces::new());
        }
    }

    /// Leaves out one or two empty lines, the last ones first, where everything else then fits so many rows.
    pub(super) fn squeeze(&mut self, rows: usize) {
        let over = self.lines.len().saturating_sub(rows);
        if !(1..=2).contains(&over) || self.lines.iter().filter(|line| line.is_empty()).count() < over {
            return;
        }
        for _ in 0..over {
            let blank = self.lines.iter().rposition(Vec::is_empty);
            blank.map(|blank| self.lines.remove(blank));
        }
        // All of it is visible now.
        self.asked = self.asked.take().map(|_| 0..rows);
    }

    /// What is visible in so many rows.
    fn extent(&self, rows: usize, top: Option<usize>) -> Extent {
        let mut extent = Extent { top: 0, rows, lines: self.lines.len(), shows: false };
        let last = extent.last_top();
        extent.top = top
            .unwrap_or(match self.follow {
                Follow::Top => 0,
                Follow::End => last,
                Follow::EndFrom(line) => last.min(line),
                Follow::Around(line) => line.saturating_sub(rows / 3),
            })
            .min(last);
        let (from, to) = (extent.top, extent.top + rows);
        // A question that is larger than the pane is never visible as a whole.
        let visible = |asked: &Range<usize>| asked.end <= to && (asked.start >= from || asked.len() > rows);
        extent.shows = self.asked.as_ref().is_some_and(visible);
        extent
    }

    /// Draws as many lines as fit, without a box.
    pub(super) fn bare(&self, state: &State, area: Rect, top: Option<usize>, frame: &mut Frame) -> Extent {
        let extent = self.extent(area.height as usize, top);
        let visible: Vec<Pieces> = self.lines.iter().skip(extent.top).take(extent.rows).cloned().collect();
        frame.render_widget(Paragraph::new(paint(&visible, state.look.theme)), area);
        extent
    }

    /// Draws the box and as many lines as fit.
    pub(super) fn draw(
        &self,
        state: &State,
        area: Rect,
        title: Line<'_>,
        focused: bool,
        top: Option<usize>,
        frame: &mut Frame,
    ) -> Extent {
        let extent = self.extent(area.height.saturating_sub(2) as usize, top);
        let (rows, last) = (extent.rows, extent.last_top());
        let theme = state.look.theme;
        let border = style(theme, if focused { Role::Focus } else { Role::Quiet });
        let mut block = Block::bordered().border_type(BorderType::Rounded).border_style(border).title(title);
        if extent.top < last {
            block = block.title_bottom(more(state, marks::BELOW).right_aligned());
        } else if extent.top > 0 {
            block = block.title_bottom(more(state, marks::ABOVE).right_aligned());
        }
        let inner = block.inner(area);
        frame.render_widget(block, area);
        let margin = 1 + self.air;
        let inner = Rect { x: inner.x + margin, width: inner.width.saturating_sub(2 * margin), ..inner };
        let visible: Vec<Pieces> = self.lines.iter().skip(extent.top).take(rows).cloned().collect();
        frame.render_widget(Paragraph::new(paint(&visible, theme)), inner);
        extent
    }
}

/// Empty columns on either side of a pane's text, for a hall: lines stay short, however wide the screen is.
pub(super) fn air(state: &State, area: Rect) -> u16 {
    if state.look.large_print && area.width >= 60 { (area.width.saturating_sub(76) / 2).max(2) } else { 0 }
}

fn more(state: &State, sign: &str) -> Line<'static> {
    let word = state.lang.pick("more", if sign == marks::ABOVE { "上面还有" } else { "下面还有" });
    Line::from(Span::styled(format!(" {word} {sign} "), style(state.look.theme, Role::Quiet)))
}

#[cfg(test)]
mod tests {
    use super::super::text::line;
    use super::*;

    #[test]
    fn empty_lines_go_before_text_is_out_of_view() {
        let of = |text: &str| {
            let lines =
                text.chars().map(|letter| if letter == '_' { Pieces::new() } else { line(letter, Role::Plain) });
            Sheet { lines: lines.collect(), asked: Some(1..2), ..Sheet::default() }
        };
        let squeezed = |text: &str, rows| {
            let mut sheet = of(text);
            sheet.squeeze(rows);
            let said: String = sheet.lines.iter().map(|line| line.first().map_or("_", |(text, _)| text)).collect();
            (said, sheet.asked)
        };
        assert_eq!(squeezed("a_b_c", 5), ("a_b_c".into(), Some(1..2)));
        assert_eq!(squeezed("a_b_c", 4), ("a_bc".into(), Some(0..4)));
        assert_eq!(squeezed("a_b_c", 3), ("abc".into(), Some(0..3)));
        // Where it would not help, everything stays as it was.
        assert_eq!(squeezed("a_b_c", 2), ("a_b_c".into(), Some(1..2)));
        assert_eq!(squeezed("abc_d", 3), ("abc_d".into(), Some(1..2)));
    }
}
