//! Draws a screen into a ratatui buffer: reads cells and nothing else.

use super::screen::Screen;
use crate::terminal::Size;
use avt::Pen;
use ratatui::{
    buffer::{Buffer, Cell},
    layout::{Position, Rect},
    style::{Color, Modifier, Style},
    widgets::Widget,
};
use unicode_width::UnicodeWidthChar;

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
    pub(crate) fn cursor(&self, area: Rect) -> Option<Position> {
        let (row, col) = self.screen.cursor()?;
        let (top, left) = self.origin(area);
        let (row, col) = (row.checked_sub(top)?, col.checked_sub(left)?);
        (row < area.height && col < area.width).then(|| Position::new(area.x + col, area.y + row))
    }

    /// The first row and column that are drawn: the smallest that keep the cursor in view.
    fn origin(&self, area: Rect) -> (u16, u16) {
        let (row, col) = self.screen.cursor_now();
        let Size { columns, rows } = self.screen.size();
        let first = |cursor: u16, size: u16, room: u16| (cursor.min(size - 1) + 1).saturating_sub(room);
        (first(row, rows, area.height), first(col, columns, area.width))
    }
}

impl Widget for View<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        // The origin belongs to the area that the cursor is computed for, also where the buffer is smaller.
        let (top, left) = self.origin(area);
        let drawn = area.intersection(buf.area);
        let skipped = usize::from(top + (drawn.y - area.y));
        let left = usize::from(left + (drawn.x - area.x));
        for (y, line) in (drawn.top()..drawn.bottom()).zip(self.screen.lines().skip(skipped)) {
            let cells = line.cells().get(left..).unwrap_or_default();
            for (x, cell) in (drawn.left()..drawn.right()).zip(cells) {
                let target = &mut buf[(x, y)];
                target.set_style(style(cell.pen()));
                match cell.width() {
                    // Half of a wide character, cut by the right border or by the left one, is a blank.
                    2 if x + 1 == drawn.right() => target.set_char(' '),
                    // The second cell of a wide character is left for the backend to skip.
                    0 => target.set_char(' '),
                    columns => self.draw(cell.char(), columns, target),
                };
            }
        }
    }
}

impl View<'_> {
    fn draw<'b>(&self, c: char, columns: u8, target: &'b mut Cell) -> &'b mut Cell {
        match self.screen.graphemes().cluster(c) {
            Some(cluster) => target.set_symbol(cluster),
            None => target.set_char(sure(c, columns)),
        }
    }
}

/// What every terminal shows in as many cells as the screen model has for it: the character itself, or one that stands
/// for it where terminals disagree on its width.
fn sure(c: char, columns: u8) -> char {
    match c {
        // Some show it and some do not; programs count it as one cell.
        '\u{ad}' => '-',
        // Two of them are a flag, which is one character or two.
        '\u{1f1e6}'..='\u{1f1ff}' => char::from(b'A' + (u32::from(c) - 0x1f1e6) as u8),
        // A skin tone melts into the emoji before it, or takes two cells of its own.
        '\u{1f3fb}'..='\u{1f3ff}' => ' ',
        c if c.width() == Some(usize::from(columns)) => c,
        _ => ' ',
    }
}

fn style(pen: &Pen) -> Style {
    let modifiers = [
        (pen.is_bold(), Modifier::BOLD),
        (pen.is_faint(), Modifier::DIM),
        (pen.is_italic(), Modifier::ITALIC),
        (pen.is_underline(), Modifier::UNDERLINED),
        (pen.is_blink(), Modifier::SLOW_BLINK),
        (pen.is_inverse(), Modifier::REVERSED),
        (pen.is_strikethrough(), Modifier::CROSSED_OUT),
    ];
    let set = modifiers.iter().filter(|(on, _)| *on).fold(Modifier::empty(), |all, (_, modifier)| all | *modifier);
    Style::reset().fg(color(pen.foreground())).bg(color(pen.background())).add_modifier(set)
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

fn color(color: Option<avt::Color>) -> Color {
    match color {
        None => Color::Reset,
        Some(avt::Color::Indexed(index)) => NAMED.get(usize::from(index)).copied().unwrap_or(Color::Indexed(index)),
        Some(avt::Color::RGB(rgb)) => Color::Rgb(rgb.r, rgb.g, rgb.b),
    }
}
