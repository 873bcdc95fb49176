//! A terminal in its box.

use super::{
    chrome::{key, terminal_name},
    marks,
    text::{Pieces, paint_line},
    theme::{Role, style},
};
use crate::{
    app::{Focus, Play, State},
    lesson::TerminalId,
};
use ratatui::{
    Frame,
    layout::Rect,
    widgets::{Block, BorderType},
};

/// Draws the terminal that is shown.
pub(super) fn draw(state: &State, play: &Play, area: Rect, frame: &mut Frame) {
    let theme = state.look.theme;
    let focused = play.focus == Focus::Terminal;
    let border = style(theme, if focused { Role::Focus } else { Role::Quiet });
    let block = Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(border)
        .title(paint_line(&names(state, play), theme))
        .title(paint_line(&status(state, play), theme).right_aligned());
    let inner = block.inner(area);
    frame.render_widget(block, area);
    if let Some(term) = play.terminals.get(&play.shown) {
        let mut inner = inner;
        if term.ended && inner.height > 1 {
            inner.height -= 1;
            let place = Rect { y: inner.bottom(), height: 1, ..inner };
            let again = key(state, 'r');
            let text = state.lang.pick(
                format!("The shell has ended. {again} begins the step again."),
                format!("shell 已结束。按 {again} 重做这一步。"),
            );
            frame.render_widget(paint_line(&[(text, Role::Danger)], theme), place);
        }
        let view = term.screen.view();
        frame.render_widget(view, inner);
        // A cursor says where keys go: it is shown only where they do.
        if let Some(place) = view.cursor(inner).filter(|_| focused && state.overlay.is_none()) {
            frame.set_cursor_position(place);
        }
    }
}

/// Both terminals by name, the shown one strong.
fn names(state: &State, play: &Play) -> Pieces {
    let mut out = Pieces::new();
    for terminal in TerminalId::ALL {
        let shown = terminal == play.shown;
        let name = terminal_name(terminal, state.lang);
        let mark = if shown { "▸" } else { "" };
        out.push((format!(" {mark}{name} "), if shown { Role::Strong } else { Role::Quiet }));
    }
    out
}

/// Where its foreground lives and what it does: `inside: new pid uts  pid 4711  held`.
fn status(state: &State, play: &Play) -> Pieces {
    let lang = state.lang;
    let ended = play.terminals.get(&play.shown).is_some_and(|term| term.ended);
    let held = play.session.held().iter().find(|(terminal, _)| *terminal == play.shown);
    let mut out = Pieces::new();
    match play.terminals.get(&play.shown).and_then(|term| term.place.as_ref()).filter(|_| !ended) {
        Some(place) if place.is_the_machine() => {
            out.push((lang.pick(" the machine itself ", " 这台机器本身 ").into(), Role::Plain));
        }
        Some(place) => {
            let mut kinds: Vec<String> = place.new.iter().map(ToString::to_string).collect();
            kinds.extend(place.rooted.then(|| lang.pick("root", "根目录").to_string()));
            out.push((format!(" {} {} ", lang.pick("inside: new", "在里面：新的"), kinds.join(" ")), Role::Container));
        }
        None => {}
    }
    let container = play.sample.as_ref().and_then(|sample| sample.container);
    let pid = match (held, play.shown) {
        (Some((_, call)), _) => Some(call.pid.0),
        (None, TerminalId::Container) => container,
        (None, TerminalId::Host) => None,
    };
    if let Some(pid) = pid {
        out.push((format!(" pid {pid} "), Role::Container));
    }
    if ended {
        out.push((lang.pick(" ended ", " 已结束 ").into(), Role::Danger));
    } else if held.is_some() {
        out.push((format!("{} {} ", marks::HELD, lang.pick("held", "已暂停")), Role::Changed));
    }
    out
}
