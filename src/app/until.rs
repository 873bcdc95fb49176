//! The name of a system call, as far as it is typed.

use crossterm::event::KeyCode;

/// No system call has a longer name.
const MAX_LEN: usize = 32;

/// A key that is not a command of the question.
pub(super) fn typed(name: &mut String, code: KeyCode) {
    match code {
        KeyCode::Char(letter) if is_of_a_call(letter) && name.len() < MAX_LEN => name.push(letter),
        KeyCode::Backspace => drop(name.pop()),
        _ => {}
    }
}

/// A text that was pasted into it.
pub(super) fn paste(name: &mut String, text: &str) {
    let room = MAX_LEN.saturating_sub(name.len());
    name.extend(text.chars().filter(|letter| is_of_a_call(*letter)).take(room));
}

fn is_of_a_call(letter: char) -> bool {
    letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_'
}
