//! Keys as the table names them, and the one key that leaves a terminal.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use std::fmt;

/// A key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    /// A character.
    Char(char),
    /// Control and a letter.
    Ctrl(char),
    /// Return.
    Enter,
    /// Tab.
    Tab,
    /// Shift and Tab.
    BackTab,
    /// Escape.
    Esc,
    /// Backspace.
    Backspace,
    /// Cursor up.
    Up,
    /// Cursor down.
    Down,
    /// Page up.
    PageUp,
    /// Page down.
    PageDown,
    /// Home.
    Home,
    /// End.
    End,
    /// Cursor left.
    Left,
    /// Cursor right.
    Right,
    /// A function key.
    F(u8),
}

impl Key {
    /// The key of an event; `None` for a release, and for keys that mean nothing here.
    pub(crate) fn of(event: &KeyEvent) -> Option<Key> {
        // A terminal with the kitty protocol on tells of releases too; they must not count twice.
        if event.kind == KeyEventKind::Release || event.modifiers.contains(KeyModifiers::ALT) {
            return None;
        }
        Some(match event.code {
            KeyCode::Char(letter) if event.modifiers.contains(KeyModifiers::CONTROL) => {
                Key::Ctrl(letter.to_ascii_lowercase())
            }
            KeyCode::Char(letter) => Key::Char(letter),
            KeyCode::Enter => Key::Enter,
            KeyCode::Tab => Key::Tab,
            KeyCode::BackTab => Key::BackTab,
            KeyCode::Esc => Key::Esc,
            KeyCode::Backspace => Key::Backspace,
            KeyCode::Up => Key::Up,
            KeyCode::Down => Key::Down,
            KeyCode::PageUp => Key::PageUp,
            KeyCode::PageDown => Key::PageDown,
            KeyCode::Home => Key::Home,
            KeyCode::End => Key::End,
            KeyCode::Left => Key::Left,
            KeyCode::Right => Key::Right,
            KeyCode::F(number) if event.modifiers.is_empty() => Key::F(number),
            _ => return None,
        })
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Key::Char(' ') => f.write_str("Space"),
            Key::Char(letter) => write!(f, "{letter}"),
            Key::Ctrl(letter) => write!(f, "^{}", letter.to_ascii_uppercase()),
            Key::PageUp => f.write_str("PgUp"),
            Key::PageDown => f.write_str("PgDn"),
            Key::BackTab => f.write_str("Shift-Tab"),
            Key::F(number) => write!(f, "F{number}"),
            other => write!(f, "{other:?}"),
        }
    }
}

/// The key that leaves a terminal: Control and a letter.
///
/// Ctrl-G by default: tmux takes ^B, screen ^A, the line discipline ^C ^D ^Q ^S ^V ^W ^Z ^\, telnet and ssh ^] and ~, the
/// Linux console none; dash, vi, less and top can do without ^G, and pressed twice it reaches them.
#[derive(serde::Serialize, serde::Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Prefix(char);

impl Default for Prefix {
    fn default() -> Prefix {
        Prefix('g')
    }
}

impl Prefix {
    /// Letters that a shell cannot do without: interrupt, Tab, newline, Return, and Escape is not a letter at all.
    const TAKEN: [char; 4] = ['c', 'i', 'j', 'm'];

    /// Reads `^O`, `C-o`, `ctrl-o` or `o`; `None` where it is not a letter or one that a shell needs.
    pub(crate) fn parse(text: &str) -> Option<Prefix> {
        let lower = text.trim().to_ascii_lowercase();
        let name = ["ctrl-", "ctrl+", "c-", "^"].iter().find_map(|start| lower.strip_prefix(start)).unwrap_or(&lower);
        let mut letters = name.chars();
        match (letters.next(), letters.next()) {
            (Some(letter), None) if letter.is_ascii_lowercase() && !Prefix::TAKEN.contains(&letter) => {
                Some(Prefix(letter))
            }
            _ => None,
        }
    }

    /// The key.
    pub(crate) fn key(self) -> Key {
        Key::Ctrl(self.0)
    }

    /// What the key sends to a program.
    pub(crate) fn byte(self) -> u8 {
        self.0 as u8 & 0x1f
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.key().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_control_and_a_letter() {
        assert_eq!(Prefix::parse("^O"), Some(Prefix('o')));
        assert_eq!(Prefix::parse("ctrl-t"), Some(Prefix('t')));
        assert_eq!(Prefix::parse("C-g").map(Prefix::byte), Some(7));
        assert_eq!((Prefix::parse("^C"), Prefix::parse("F1"), Prefix::parse("")), (None, None, None));
    }

    #[test]
    fn a_release_is_no_key() {
        let release = KeyEvent::new_with_kind(KeyCode::Char('j'), KeyModifiers::NONE, KeyEventKind::Release);
        assert_eq!(Key::of(&release), None);
    }
}
