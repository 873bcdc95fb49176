//! Draws a screen into a ratatui buffer: reads cells and nothing else.

use super::screen::Screen;
use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    style::{Color, Modifier, Style},
    widgets::Widget,
};
use unicode_width::UnicodeWidthStr;

/// A view of a [`Screen`]; an area smaller than the screen shows the part around the cursor.
#[derive(Clone, Copy)]
pub struct View<'a> {
    screen: &'a Screen,
}

impl Screen {
    /// The widget that draws this screen.
    pub fn view(&self) -> View<'_> {
        View { screen: self }
    }
}

impl View<'_> {
    /// Where the cursor of the frame belongs when drawn into `area`; `None` where there is none to show.
    pub fn cursor(&self, area: Rect) -> Option<Position> {
        let (row, col) = self.screen.cursor()?;
        let (top, left) = self.origin(area);
        let (row, col) = (row.checked_sub(top)?, col.checked_sub(left)?);
        (row < area.height && col < area.width).then(|| Position::new(area.x + col, area.y + row))
    }

    /// The first row and column that are drawn: the smallest that keep the cursor in view.
    fn origin(&self, area: Rect) -> (u16, u16) {
        let (row, col) = self.screen.vt().cursor_position();
        let (rows, cols) = self.screen.size();
        let first = |cursor: u16, size: u16, room: u16| (cursor.min(size - 1) + 1).saturating_sub(room);
        (first(row, rows, area.height), first(col, cols, area.width))
    }
}

impl Widget for View<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        // The origin belongs to the area that the cursor is computed for, also where the buffer is smaller.
        let (top, left) = self.origin(area);
        let (rows, cols) = self.screen.size();
        let drawn = area.intersection(buf.area);
        for y in drawn.top()..drawn.bottom() {
            for x in drawn.left()..drawn.right() {
                let (row, col) = (top + (y - area.y), left + (x - area.x));
                if row >= rows || col >= cols {
                    continue;
                }
                let Some(cell) = self.screen.vt().cell(row, col) else { continue };
                let room = if cell.is_wide() { (drawn.right() - x).min(cols - col) } else { 1 };
                let target = &mut buf[(x, y)];
                target.set_symbol(symbol(cell, x > drawn.left(), room)).set_style(style(cell));
            }
        }
    }
}

/// What to write into one cell. A wide character leaves its second cell empty for the backend to skip; half of one,
/// cut by either border, is a blank.
fn symbol(cell: &vt100::Cell, has_left: bool, room: u16) -> &str {
    if cell.is_wide_continuation() && has_left {
        return " ";
    }
    let width = if cell.is_wide() { 2 } else { 1 };
    if !cell.has_contents() || cell.is_wide_continuation() || room < width {
        return " ";
    }
    let text = cell.contents();
    if text.width() == usize::from(width) {
        return text;
    }
    // Marks that change the width of what they follow are dropped: neighbours would be shifted.
    let first = text.char_indices().nth(1).map_or(text, |(end, _)| &text[..end]);
    if first.width() == usize::from(width) { first } else { " " }
}

fn style(cell: &vt100::Cell) -> Style {
    let modifiers = [
        (cell.bold(), Modifier::BOLD),
        (cell.dim(), Modifier::DIM),
        (cell.italic(), Modifier::ITALIC),
        (cell.underline(), Modifier::UNDERLINED),
        (cell.inverse(), Modifier::REVERSED),
    ];
    let set = modifiers.iter().filter(|(on, _)| *on).fold(Modifier::empty(), |all, (_, modifier)| all | *modifier);
    Style::reset().fg(color(cell.fgcolor())).bg(color(cell.bgcolor())).add_modifier(set)
}

/// The sixteen colours that every terminal has, by their numbers; they follow the learner's own palette.
const NAMED: [Color; 16] = [
    Color::Black,
    Color::Red,
    Color::Green,
    Color::Yellow,
    Color::Blue,
    Color::Magenta,
    Color::Cyan,
    Color::Gray,
    Color::DarkGray,
    Color::LightRed,
    Color::LightGreen,
    Color::LightYellow,
    Color::LightBlue,
    Color::LightMagenta,
    Color::LightCyan,
    Color::White,
];

fn color(color: vt100::Color) -> Color {
    match color {
        vt100::Color::Default => Color::Reset,
        vt100::Color::Idx(index) => NAMED.get(usize::from(index)).copied().unwrap_or(Color::Indexed(index)),
        vt100::Color::Rgb(r, g, b) => Color::Rgb(r, g, b),
    }
}
