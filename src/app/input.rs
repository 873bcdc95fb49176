//! Where keys and pasted texts go: to the lesson, to what is asked for, or to a shell.

use super::{
    Effect, Event, Focus, Key, Overlay, Pane, Play, State, View, ahead::send_or_keep, along, answer, commands, jump,
    keys, until, update::tell, word,
};
use crate::{
    lesson::{Run, TerminalId},
    terminal::keys as encoding,
};
use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// Does what a key means: to the lesson, or to the shell that has the keys.
pub(super) fn on_key(state: &mut State, event: KeyEvent) -> Vec<Effect> {
    if event.kind == KeyEventKind::Release {
        return Vec::new();
    }
    state.trouble = None;
    let along = state.script.along && state.play.as_ref().is_some_and(Play::escapes);
    if event.modifiers.contains(KeyModifiers::ALT) && (!in_terminal(state) || along) {
        // Escape and a key pressed right after it arrive as one key with Alt, which nothing here is bound to.
        let mut effects = on_key(state, KeyEvent::new(KeyCode::Esc, KeyModifiers::NONE));
        let rest = KeyEvent { modifiers: event.modifiers - KeyModifiers::ALT, ..event };
        effects.extend(on_key(state, rest));
        return effects;
    }
    let key = Key::of(&event);
    if state.view == View::Lesson && state.overlay.is_none() {
        let prefix = state.prefix;
        let plain = state.play.as_ref().is_some_and(|play| !play.left && play.session.guarded().is_none());
        if key != Some(prefix.key())
            && plain
            && let Some(effects) = along::key(state, event)
        {
            return effects;
        }
        if let Some(play) = &mut state.play {
            let again = std::mem::take(&mut play.left) && key == Some(prefix.key());
            if again {
                play.focus = Focus::Terminal;
                return vec![Effect::Write(play.shown, vec![prefix.byte()])];
            }
            let asked = play.session.guarded().is_some();
            if play.focus == Focus::Terminal && key != Some(prefix.key()) && !asked {
                // Only Space and the keys of panes may mean the lesson: the table says whether they do.
                let ours = key.filter(|key| *key == Key::Char(' ') || matches!(key, Key::F(_)) && !play.is_full());
                return match ours.and_then(|key| keys::command(state, key)) {
                    Some(command) => commands::run(state, command),
                    None => to_terminal(state, event),
                };
            }
        }
        if let Some(play) = state.play.as_mut().filter(|_| key == Some(prefix.key())) {
            play.asked |= play.focus == Focus::Lesson;
        }
        if let Some(effects) = word::spell(state, key) {
            return effects;
        }
    }
    match (key.and_then(|key| keys::command(state, key)), &mut state.overlay) {
        (Some(command), _) => commands::run(state, command),
        (None, Some(Overlay::Until(name))) => {
            until::typed(name, event.code);
            Vec::new()
        }
        (None, Some(Overlay::GoTo(_))) => jump::typed(state, event.code),
        (None, _) => {
            state.idle = Some(answer::why(state, key));
            Vec::new()
        }
    }
}

/// Whether keys go to a shell.
pub(super) fn in_terminal(state: &State) -> bool {
    let focus = state.play.as_ref().map(|play| play.focus);
    state.view == View::Lesson && state.overlay.is_none() && focus == Some(Focus::Terminal)
}

/// Whether what this key does may depend on what the frame before it measured: it scrolls, or answers the question that is
/// seen, or shows it.
pub(crate) fn reads_the_frame(event: &KeyEvent) -> bool {
    match event.code {
        KeyCode::Char(letter) => matches!(letter, ' ' | 'j' | 'k' | '0'..='9'),
        KeyCode::Enter | KeyCode::Up | KeyCode::Down => true,
        KeyCode::PageUp | KeyCode::PageDown | KeyCode::Home | KeyCode::End => true,
        _ => false,
    }
}

/// Interrupts what runs in the terminal that is shown.
pub(super) fn interrupt(state: &mut State) -> Vec<Effect> {
    to_terminal(state, KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL))
}

/// A key for the shell. An interrupt cannot arrive in a process that is held: those are let go first.
fn to_terminal(state: &mut State, event: KeyEvent) -> Vec<Effect> {
    let Some(play) = &mut state.play else { return Vec::new() };
    let terminal = match event.code {
        KeyCode::Char(_) if event.modifiers.is_empty() => play.turn_to_the_task(),
        // So does the Ctrl-C that is due.
        _ if Key::of(&event) == Some(Key::Ctrl('c')) && play.due().is_some_and(Run::interrupts) => {
            play.turn_to_the_task()
        }
        _ => play.shown,
    };
    let Some(term) = play.terminals.get_mut(&terminal) else { return Vec::new() };
    let bytes = encoding::encode(event, term.screen.application_cursor());
    if bytes.is_empty() {
        return Vec::new();
    }
    term.screen.scroll_to_bottom();
    let mut effects = Vec::new();
    if Key::of(&event) == Some(Key::Ctrl('c')) && !play.session.held().is_empty() {
        effects.extend(tell(state, Event::Wish(crate::session::Wish::RunOn)));
    }
    effects.extend(send_or_keep(state, terminal, bytes));
    if Key::of(&event) == Some(Key::Ctrl('l')) {
        // The shell clears its screen; what others left on ours goes with it.
        effects.push(Effect::Redraw);
    }
    effects
}

/// Sends bytes to a terminal. A line that ends with Return may be a command: what it changes is to be marked.
pub(super) fn send(state: &mut State, terminal: TerminalId, bytes: Vec<u8>) -> Vec<Effect> {
    let mut effects = Vec::new();
    if let Some(play) = &mut state.play {
        play.types = true;
        if let Some(term) = play.terminals.get_mut(&terminal) {
            term.screen.sent(&bytes);
            term.unechoed = true;
        }
    }
    if bytes.contains(&b'\r') {
        if let Some(play) = &mut state.play {
            play.remember();
            play.commands += 1;
            play.tops.remove(&Pane::Lesson);
        }
        effects.extend(tell(state, Event::Typed(terminal)));
    }
    effects.push(Effect::Write(terminal, bytes));
    effects
}

/// Takes a text in that was pasted.
pub(super) fn paste(state: &mut State, text: &str) -> Vec<Effect> {
    if let Some(Overlay::Until(name)) = &mut state.overlay {
        until::paste(name, text);
        return Vec::new();
    }
    if let Some(Overlay::GoTo(_)) = &state.overlay {
        text.chars().for_each(|letter| drop(jump::write(state, letter)));
        return Vec::new();
    }
    if !in_terminal(state) {
        let text = state.lang.pick(
            "Only a terminal takes what is pasted: give it the keys first",
            "只有终端接受粘贴：请先把按键交给终端",
        );
        state.idle = Some(text.into());
        return Vec::new();
    }
    let types_along = state.script.along;
    let Some(play) = &mut state.play else { return Vec::new() };
    if types_along {
        along::pasted(play);
    }
    let terminal = play.turn_to_the_task();
    let Some(term) = play.terminals.get(&terminal) else { return Vec::new() };
    let bytes = encoding::paste(text, term.screen.bracketed_paste());
    send_or_keep(state, terminal, bytes)
}
