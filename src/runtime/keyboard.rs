//! What a terminal sends when keys are pressed, as key events (xterm's ctlseqs, and what Linux' console differs in).

use crate::app::Event;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

const ESC: u8 = 0x1b;
const PASTE_ENDS: &[u8] = b"\x1b[201~";
/// Nothing that a keyboard sends is longer; what is comes from something that we did not ask.
const MAX_LEN: usize = 64;

/// Turns bytes into keys; they may be cut anywhere.
#[derive(Debug, Default)]
pub(super) struct Keyboard {
    waiting: Vec<u8>,
}

/// What the first waiting bytes are.
enum First {
    /// An event of so many bytes.
    Whole(Option<Event>, usize),
    /// The beginning of something.
    Part,
}

impl Keyboard {
    /// Takes bytes and gives the keys that are complete.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Vec<Event> {
        self.waiting.extend_from_slice(bytes);
        let mut out = Vec::new();
        while !self.waiting.is_empty() {
            let First::Whole(event, length) = first(&self.waiting) else { break };
            out.extend(event);
            self.waiting.drain(..length.clamp(1, self.waiting.len()));
        }
        out
    }

    /// Whether something began that may go on: Escape alone is a key, but also the first byte of others.
    pub(super) fn is_waiting(&self) -> bool {
        !self.waiting.is_empty() && !self.waiting.starts_with(b"\x1b[200~")
    }

    /// Nothing more came: what waits is what it is.
    pub(super) fn flush(&mut self) -> Vec<Event> {
        let waiting = std::mem::take(&mut self.waiting);
        let rest = match waiting.as_slice() {
            [ESC, rest @ ..] => rest,
            _ => return Vec::new(),
        };
        match rest.first() {
            None => vec![key(KeyCode::Esc, KeyModifiers::NONE)],
            Some(letter) => vec![key(KeyCode::Char(char::from(*letter)), KeyModifiers::ALT)],
        }
    }
}

fn key(code: KeyCode, held: KeyModifiers) -> Event {
    Event::Key(KeyEvent::new(code, held))
}

fn first(bytes: &[u8]) -> First {
    match bytes {
        [ESC] => First::Part,
        [ESC, b'[', rest @ ..] => sequence(bytes, rest),
        [ESC, b'O'] => First::Part,
        [ESC, b'O', last, ..] => First::Whole(cursor(*last).map(|code| key(code, KeyModifiers::NONE)), 3),
        [ESC, ESC, ..] => First::Whole(Some(key(KeyCode::Esc, KeyModifiers::NONE)), 1),
        [ESC, rest @ ..] => match character(rest) {
            Some((code, held, length)) => First::Whole(Some(key(code, held | KeyModifiers::ALT)), length + 1),
            None => First::Part,
        },
        _ => match character(bytes) {
            Some((KeyCode::Null, _, length)) => First::Whole(None, length),
            Some((code, held, length)) => First::Whole(Some(key(code, held)), length),
            None => First::Part,
        },
    }
}

/// A character or a control character; `None` where bytes of it are missing. `Null` stands for what is not text.
fn character(bytes: &[u8]) -> Option<(KeyCode, KeyModifiers, usize)> {
    let first = *bytes.first()?;
    let plain = KeyModifiers::NONE;
    Some(match first {
        b'\r' => (KeyCode::Enter, plain, 1),
        b'\t' => (KeyCode::Tab, plain, 1),
        0x7f => (KeyCode::Backspace, plain, 1),
        0 => (KeyCode::Char(' '), KeyModifiers::CONTROL, 1),
        1..=26 => (KeyCode::Char(char::from(first | 0x60)), KeyModifiers::CONTROL, 1),
        // Named by the digits, as the encoder of the panes' terminals names them.
        0x1c..=0x1f => (KeyCode::Char(char::from(first - 0x1c + b'4')), KeyModifiers::CONTROL, 1),
        _ => {
            let length = match first {
                0..0x80 => 1,
                0xc2..0xe0 => 2,
                0xe0..0xf0 => 3,
                0xf0..0xf5 => 4,
                _ => return Some((KeyCode::Null, plain, 1)),
            };
            let whole = bytes.get(..length);
            let letter = whole.and_then(|whole| std::str::from_utf8(whole).ok()).and_then(|text| text.chars().next());
            match (letter, whole) {
                (Some(letter), _) => (KeyCode::Char(letter), plain, length),
                (None, Some(_)) => (KeyCode::Null, plain, 1),
                (None, None) => return None,
            }
        }
    })
}

/// A control sequence: `ESC [`, parameters, one last byte.
fn sequence(all: &[u8], rest: &[u8]) -> First {
    if let Some(pasted) = rest.strip_prefix(b"200~") {
        return match pasted.windows(PASTE_ENDS.len()).position(|window| window == PASTE_ENDS) {
            Some(end) => {
                let text = String::from_utf8_lossy(pasted.get(..end).unwrap_or_default()).into_owned();
                First::Whole(Some(Event::Paste(text)), 6 + end + PASTE_ENDS.len())
            }
            None => First::Part,
        };
    }
    // The Linux console's F1 to F5.
    if let [b'[', more @ ..] = rest {
        return match more.first() {
            Some(letter @ b'A'..=b'E') => First::Whole(Some(key(KeyCode::F(letter - b'A' + 1), KeyModifiers::NONE)), 4),
            Some(_) => First::Whole(None, 4),
            None => First::Part,
        };
    }
    let Some(end) = rest.iter().position(|byte| (0x40..0x7f).contains(byte)) else {
        return if all.len() < MAX_LEN { First::Part } else { First::Whole(None, all.len()) };
    };
    let numbers: Vec<u32> = std::str::from_utf8(rest.get(..end).unwrap_or_default())
        .unwrap_or_default()
        .split([';', ':'])
        .map(|number| number.parse().unwrap_or(0))
        .collect();
    let number = |index: usize| numbers.get(index).copied().unwrap_or(0);
    let held = modifiers(number(1));
    let last = rest.get(end).copied().unwrap_or_default();
    let code = match last {
        b'~' => numbered(number(0)),
        b'Z' => Some(KeyCode::BackTab),
        last => cursor(last),
    };
    let held = if last == b'Z' { held | KeyModifiers::SHIFT } else { held };
    First::Whole(code.map(|code| key(code, held)), end + 3)
}

fn cursor(last: u8) -> Option<KeyCode> {
    Some(match last {
        b'A' => KeyCode::Up,
        b'B' => KeyCode::Down,
        b'C' => KeyCode::Right,
        b'D' => KeyCode::Left,
        b'E' => KeyCode::KeypadBegin,
        b'F' => KeyCode::End,
        b'H' => KeyCode::Home,
        b'M' => KeyCode::Enter,
        b'P'..=b'S' => KeyCode::F(last - b'P' + 1),
        _ => return None,
    })
}

fn numbered(number: u32) -> Option<KeyCode> {
    Some(match number {
        1 | 7 => KeyCode::Home,
        2 => KeyCode::Insert,
        3 => KeyCode::Delete,
        4 | 8 => KeyCode::End,
        5 => KeyCode::PageUp,
        6 => KeyCode::PageDown,
        // VT220 left a gap wherever its keyboard had one.
        11..=15 => KeyCode::F((number - 10) as u8),
        17..=21 => KeyCode::F((number - 11) as u8),
        23..=24 => KeyCode::F((number - 12) as u8),
        _ => return None,
    })
}

/// The number in a sequence is 1 and a bit each for Shift, Alt, Ctrl.
fn modifiers(number: u32) -> KeyModifiers {
    let bits = number.saturating_sub(1);
    let mut held = KeyModifiers::NONE;
    for (bit, modifier) in [(1, KeyModifiers::SHIFT), (2, KeyModifiers::ALT), (4, KeyModifiers::CONTROL)] {
        if bits & bit != 0 {
            held |= modifier;
        }
    }
    held
}

#[cfg(test)]
#[path = "keyboard_tests.rs"]
mod tests;
