//! What this machine allows, as the doctor says it.

use super::{
    sheet::Sheet,
    text::{line, paint_line, wrap},
    theme::Role,
};
use crate::app::{Extents, State};
use ratatui::{Frame, layout::Rect};

/// Draws the report over the whole screen.
pub(super) fn draw(state: &State, frame: &mut Frame, extents: &mut Extents) {
    let area = frame.area();
    let place = Rect { height: area.height.saturating_sub(1), ..area };
    let columns = area.width.saturating_sub(4) as usize;
    let mut sheet = Sheet::default();
    match &state.doctor {
        None => sheet.line(line(state.lang.pick("Looking …", "检查中…"), Role::Quiet)),
        Some(lines) => {
            for text in lines {
                if text.is_empty() {
                    sheet.gap();
                    continue;
                }
                let indent = text.len() - text.trim_start().len();
                let role = if indent > 0 { Role::Quiet } else { Role::Plain };
                for piece in wrap(text.trim_start(), role, columns.saturating_sub(indent)) {
                    let mut whole = line(" ".repeat(indent), role);
                    whole.extend(piece);
                    sheet.line(whole);
                }
            }
        }
    }
    let title = state.lang.pick(" What this machine allows ", " 这台机器允许什么 ");
    let title = paint_line(&line(title, Role::Strong), state.look.theme);
    let extent = sheet.draw(state, place, title, true, Some(state.top), frame);
    extents.insert(None, extent);
}
