//! What is drawn, as text, and whether it stands straight.

use crate::app::State;
use crate::terminal::Size;
use ratatui::{Terminal, backend::TestBackend, buffer::Buffer, style::Style};
use std::fmt::Write;
use unicode_width::UnicodeWidthStr;

/// Every row is exactly as wide as the screen: nothing shifts a border.
pub(crate) fn straight(text: &str, size: impl Into<Size>) {
    let columns = usize::from(size.into().columns);
    for row in text.lines() {
        assert_eq!(row.width(), columns, "{row:?}");
    }
}

/// Every box is closed: below each upper corner stand a border and a lower corner, in the same column.
pub(crate) fn boxes(buffer: &Buffer) {
    let cell = |x: u16, y: u16| buffer.cell((x, y)).map_or("", |cell| cell.symbol());
    for y in 0..buffer.area.height {
        for x in 0..buffer.area.width {
            let lower = match cell(x, y) {
                "╭" => "╰",
                "╮" => "╯",
                _ => continue,
            };
            let end = (y + 1..buffer.area.height).find(|y| cell(x, *y) != "│");
            assert_eq!(end.map(|y| cell(x, y)), Some(lower), "column {x}, below row {y}:\n{}", text(buffer));
        }
    }
}

/// What one frame shows.
pub(crate) fn shot(state: &mut State) -> Buffer {
    draw(state).buffer().clone()
}

/// Draws one frame and feeds back what it measured.
pub(crate) fn draw(state: &mut State) -> TestBackend {
    let mut terminal = Terminal::new(TestBackend::new(state.size.columns, state.size.rows)).unwrap();
    draw_on(&mut terminal, state);
    std::mem::replace(terminal.backend_mut(), TestBackend::new(0, 0))
}

/// The same after other frames, on a terminal that has the size of the state by then.
pub(crate) fn draw_on(terminal: &mut Terminal<TestBackend>, state: &mut State) {
    let Size { columns, rows } = state.size;
    terminal.backend_mut().resize(columns, rows);
    let mut extents = crate::app::Extents::new();
    terminal.draw(|frame| extents = crate::ui::draw(state, frame)).unwrap();
    crate::app::measured(state, extents);
}

/// The text of a frame.
pub(crate) fn text(buffer: &Buffer) -> String {
    rows(buffer).into_iter().map(|(text, _)| text + "\n").collect()
}

/// The text, then a letter for the style of each cell of the rows that have any, then what the letters mean.
pub(crate) fn styled(buffer: &Buffer) -> String {
    let mut legend: Vec<Style> = Vec::new();
    let (mut out, mut below) = (String::new(), String::new());
    for (number, (text, styles)) in rows(buffer).into_iter().enumerate() {
        writeln!(out, "{}", text.trim_end()).unwrap();
        let mut letters = String::new();
        for style in styles {
            if plainly(style) {
                letters.push(' ');
                continue;
            }
            let place = legend.iter().position(|known| *known == style).unwrap_or_else(|| {
                legend.push(style);
                legend.len() - 1
            });
            letters.push(char::from(b'a' + place as u8));
        }
        if !letters.trim().is_empty() {
            writeln!(below, "{number:>2} {}", letters.trim_end()).unwrap();
        }
    }
    for (number, style) in legend.iter().enumerate() {
        let colours = [style.fg, style.bg].map(|colour| colour.map_or_else(String::new, |colour| colour.to_string()));
        writeln!(
            below,
            "{} = {} on {} {:?}",
            char::from(b'a' + number as u8),
            colours[0],
            colours[1],
            style.add_modifier
        )
        .unwrap();
    }
    out + "styles\n" + &below
}

fn plainly(style: Style) -> bool {
    use ratatui::style::Color;
    style.fg == Some(Color::Reset) && style.bg == Some(Color::Reset) && style.add_modifier.is_empty()
}

fn rows(buffer: &Buffer) -> Vec<(String, Vec<Style>)> {
    (0..buffer.area.height)
        .map(|y| {
            let mut text = String::new();
            let mut styles = Vec::new();
            let mut x = 0;
            while x < buffer.area.width {
                let cell = &buffer[(x, y)];
                let wide = cell.symbol().width().max(1);
                text.push_str(cell.symbol());
                styles.extend(std::iter::repeat_n(cell.style(), wide));
                x += wide as u16;
            }
            (text, styles)
        })
        .collect()
}
