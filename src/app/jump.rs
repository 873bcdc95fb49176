//! Looking for a step in the list of steps: a number goes there, text chooses among the names.

use super::{Effect, Jump, Overlay, State, commands};
use crate::lesson::Lesson;
use crossterm::event::KeyCode;

/// No name is longer.
const MAX_LEN: usize = 40;

impl Jump {
    /// The steps that what was typed stands for; all where nothing was typed.
    pub(crate) fn found(&self, lesson: &Lesson) -> Vec<usize> {
        let wanted = self.typed.trim().to_lowercase();
        let fits = |index: usize| match (self.is_number(), lesson.steps.get(index)) {
            (true, _) => (index + 1).to_string().starts_with(&wanted),
            (false, Some(step)) => step.title.to_lowercase().contains(&wanted) || step.id.contains(&wanted),
            (false, None) => false,
        };
        (0..lesson.steps.len()).filter(|index| fits(*index)).collect()
    }

    fn is_number(&self) -> bool {
        !self.typed.is_empty() && self.typed.bytes().all(|byte| byte.is_ascii_digit())
    }
}

/// A key that is not a command of the list.
pub(super) fn typed(state: &mut State, code: KeyCode) -> Vec<Effect> {
    match code {
        KeyCode::Char(letter) => write(state, letter),
        KeyCode::Backspace => {
            if let Some(Overlay::GoTo(jump)) = &mut state.overlay {
                jump.typed.pop();
            }
            choose(state);
            Vec::new()
        }
        _ => Vec::new(),
    }
}

/// Appends a letter. A number that no other one begins with is gone to at once.
pub(super) fn write(state: &mut State, letter: char) -> Vec<Effect> {
    let Some(Overlay::GoTo(jump)) = &mut state.overlay else { return Vec::new() };
    if letter.is_control() || jump.typed.chars().count() >= MAX_LEN {
        return Vec::new();
    }
    jump.typed.push(letter);
    let number = jump.is_number();
    match choose(state).as_slice() {
        [only] if number => {
            let step = *only;
            state.overlay = None;
            commands::in_lesson_go_to(state, step)
        }
        _ => Vec::new(),
    }
}

/// Keeps the choice among what is found: the number itself, or the first name.
fn choose(state: &mut State) -> Vec<usize> {
    let (Some(Overlay::GoTo(jump)), Some(play)) = (&mut state.overlay, &state.play) else { return Vec::new() };
    let found = jump.found(play.session.lesson());
    if jump.is_number() || !found.contains(&jump.chosen) {
        jump.chosen = found.first().copied().unwrap_or(jump.chosen);
    }
    found
}
