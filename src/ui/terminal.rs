//! A terminal in its box.

use super::{
    chrome::{key, terminal_name},
    marks,
    text::{Pieces, paint_line, width},
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

/// Draws a terminal: the one that is shown or, where `both` are seen, either.
pub(super) fn draw(state: &State, play: &Play, id: TerminalId, both: bool, area: Rect, frame: &mut Frame) {
    let theme = state.look.theme;
    let focused = play.focus == Focus::Terminal && id == play.shown;
    let border = style(theme, if focused { Role::Focus } else { Role::Quiet });
    let names = names(state, play, both.then_some(id));
    let room = usize::from(area.width).saturating_sub(2 + width(&names));
    let block = Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(border)
        .title(paint_line(&names, theme))
        .title(paint_line(&status(state, play, id, room), theme).right_aligned());
    let inner = block.inner(area);
    frame.render_widget(block, area);
    if let Some(term) = play.terminals.get(&id) {
        let mut inner = inner;
        if term.ended && inner.height > 1 {
            inner.height -= 1;
            let place = Rect { y: inner.bottom(), height: 1, ..inner };
            let again = key(state, 'r');
            let text = match play.is_lab() {
                true => state.lang.pick(
                    format!("The shell has ended. {again} starts both anew."),
                    format!("shell 已结束。按 {again} 重新启动两个终端。"),
                ),
                false => state.lang.pick(
                    format!("The shell has ended. {again} begins the step again."),
                    format!("shell 已结束。按 {again} 重做这一步。"),
                ),
            };
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

/// Both terminals by name, or this one alone; the one that keys go to is marked and strong.
fn names(state: &State, play: &Play, alone: Option<TerminalId>) -> Pieces {
    let mut out = Pieces::new();
    for terminal in TerminalId::ALL.into_iter().filter(|terminal| alone.is_none_or(|alone| alone == *terminal)) {
        let shown = terminal == play.shown;
        let name = terminal_name(terminal, state.lang);
        let mark = if shown { "▸" } else { "" };
        out.push((format!(" {mark}{name} "), if shown { Role::Strong } else { Role::Quiet }));
    }
    out
}

/// Where its foreground lives and what it does: `inside: new pid uts  pid 4711  held`; less of it where there is less room.
fn status(state: &State, play: &Play, id: TerminalId, room: usize) -> Pieces {
    let lang = state.lang;
    let ended = play.terminals.get(&id).is_some_and(|term| term.ended);
    let held = play.session.held().iter().find(|(terminal, _)| *terminal == id);
    let mut out = Pieces::new();
    match play.terminals.get(&id).and_then(|term| term.place.as_ref()).filter(|_| !ended) {
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
    let pid = match (held, id) {
        (Some((_, call)), _) => Some(call.pid),
        // In the lab it may be anywhere: the first line says who it is.
        (None, TerminalId::Container) => container.filter(|_| !play.is_lab()),
        (None, TerminalId::Host) => None,
    };
    if let Some(pid) = pid {
        out.push((format!(" pid {pid} "), Role::Container));
    }
    let doing = out.len();
    if ended {
        out.push((lang.pick(" ended ", " 已结束 ").into(), Role::Danger));
    } else if held.is_some() {
        out.push((format!("{} {} ", marks::HELD, lang.pick("held", "已暂停")), Role::Changed));
    }
    // Where it lives counts for more than its number; that it waits, for most.
    if width(&out) > room && pid.is_some() {
        out.remove(doing - 1);
    }
    while width(&out) > room && out.len() > 1 {
        out.remove(0);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        app::{Event, Look},
        lang::Lang,
        ui::stage::{self, press, shot},
    };

    fn screen(state: &mut State) -> String {
        shot(state);
        stage::text(&shot(state))
    }

    #[test]
    fn both_terminals_are_seen_at_once_from_100_columns_and_on_request() {
        for lang in Lang::ALL {
            for size in [(80, 24), (100, 30), (120, 30), (140, 45), (200, 60)] {
                let mut state = stage::state(lang, size, Look::default());
                press(&mut state, "\n");
                stage::prompts(&mut state);
                for (id, text) in [(TerminalId::Container, "in the container"), (TerminalId::Host, "on the host")] {
                    stage::feed(&mut state, Event::Output(id, format!("{text}\r\n$ ").into_bytes()));
                }
                let seen = |text: &str| (text.contains("in the container"), text.contains("on the host"));
                let wide = size.0 >= 100;
                assert_eq!(seen(&screen(&mut state)), (true, wide), "{size:?}");
                press(&mut state, if wide { "^g" } else { "^gb" });
                let text = screen(&mut state);
                assert_eq!(seen(&text), (true, true), "{text}");
                let (one, other) = (terminal_name(TerminalId::Container, lang), terminal_name(TerminalId::Host, lang));
                assert!(text.contains(&format!("▸{one}")) && text.contains(&format!("╭ {other} ")), "{text}");
                press(&mut state, "o");
                assert!(screen(&mut state).contains(&format!("▸{other}")));
                press(&mut state, "b");
                assert_eq!(seen(&screen(&mut state)), (false, true));
            }
        }
    }

    #[test]
    fn where_there_is_no_room_for_both_that_is_said() {
        let mut state = stage::state(Lang::En, (60, 14), Look::default());
        press(&mut state, "\n");
        stage::prompts(&mut state);
        press(&mut state, "^gb");
        assert!(screen(&mut state).contains("Both terminals need more rows"));
    }
}
