//! The keys that were pressed last, for a room that cannot see the keyboard.

use super::{Key, NextKey, Play, State};
use crossterm::event::{KeyEvent, KeyEventKind};
use std::collections::VecDeque;

/// How many keys are to be seen.
const MAX: usize = 12;
/// What stands in the place of a character that is no business of the room's.
const HIDDEN: &str = "•";

/// The keys, the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Caster {
    keys: VecDeque<String>,
}

impl Caster {
    /// The keys as they are written, the oldest first.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().map(String::as_str)
    }
}

/// Takes a key in before it does anything. A character is shown only where a shell or the lesson gets it: a program
/// such as sudo may ask for a password. A shell that reads one itself (`read -s`) is not told from one at its prompt. While keys type along, the line is what the room sees.
pub(super) fn pressed(state: &mut State, event: &KeyEvent) {
    let key = Key::of(event).filter(|_| event.kind != KeyEventKind::Release);
    let (Some(key), true) = (key, state.caster.is_some()) else { return };
    let play = state.play.as_ref().filter(|_| super::input::in_terminal(state));
    let along = play.filter(|_| state.script.along).and_then(Play::next_key);
    let letter = matches!(key, Key::Char(_));
    if letter && matches!(along, Some(NextKey::Types | NextKey::Runs | NextKey::Waits)) {
        return;
    }
    let hidden = letter && play.is_some_and(|play| !at_a_prompt(play));
    let ascii = state.look.ascii;
    if let Some(caster) = &mut state.caster {
        let hides = if ascii { "*" } else { HIDDEN };
        caster.keys.push_back(if hidden { hides.into() } else { key.to_string() });
        let more = caster.keys.len().saturating_sub(MAX);
        caster.keys.drain(..more);
    }
}

/// Whether a shell edits a line in the terminal that has the keys.
fn at_a_prompt(play: &Play) -> bool {
    play.terminals.get(&play.shown).is_some_and(|term| term.screen.prompt_is_empty().is_some())
}

/// Begins to show keys, or ends it.
pub(super) fn toggle(state: &mut State) {
    state.caster = if state.caster.is_some() { None } else { Some(Caster::default()) };
    let text = match state.caster.is_some() {
        true => state.lang.pick("Keys are shown from now on", "从现在起显示按键"),
        false => state.lang.pick("Keys are shown no more", "不再显示按键"),
    };
    state.said = Some(text.into());
}
