//! The last pass over a frame: no colours where none are wanted, nothing but ASCII where nothing else can be shown.

use super::marks;
use crate::{app::State, lang::Lang};
use ratatui::{buffer::Buffer, style::Color};
use unicode_width::UnicodeWidthStr;

/// Takes out what this terminal must not get.
pub(super) fn finish(buffer: &mut Buffer, state: &State) {
    let look = state.look;
    keep_edges(buffer);
    if !look.colourless && !look.ascii {
        return;
    }
    for cell in &mut buffer.content {
        if look.colourless {
            cell.fg = Color::Reset;
            cell.bg = Color::Reset;
        }
        if look.ascii && !cell.symbol().is_ascii() {
            // Chinese that was asked for stays: a user who asks for it there has a terminal that can show it.
            let wide = cell.symbol().width() == 2;
            if wide && state.lang == Lang::Zh {
                continue;
            }
            let stand_in = cell.symbol().chars().next().map_or(' ', marks::ascii);
            // A wide character covers the next cell too, which is not drawn by itself.
            if wide {
                cell.set_symbol("??")
            } else {
                cell.set_char(stand_in)
            };
        }
    }
}

/// A wide character whose second half is something else's cell: the terminal would draw it over that cell. It goes.
fn keep_edges(buffer: &mut Buffer) {
    let columns = usize::from(buffer.area.width).max(1);
    for row in buffer.content.chunks_mut(columns) {
        for at in 0..row.len() {
            let symbol = row[at].symbol();
            // A byte is never wide, and most cells hold no more.
            let wide = symbol.len() > 1 && symbol.width() == 2;
            if wide && row.get(at + 1).is_none_or(|next| !next.symbol().trim().is_empty()) {
                row[at].set_char(' ');
            }
        }
    }
}

#[cfg(test)]
#[path = "finish_tests.rs"]
mod tests;
