//! What the learner does, as the bytes that a terminal sends (xterm's ctlseqs, with terminfo's `xterm-256color`).

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// The bytes of a key; empty for keys that a terminal sends nothing for, and for the release of a key.
///
/// `application_cursor` is [`super::Screen::application_cursor`]: full-screen programs ask for other arrow keys.
pub(crate) fn encode(event: KeyEvent, application_cursor: bool) -> Vec<u8> {
    if event.kind == KeyEventKind::Release {
        return Vec::new();
    }
    let held = event.modifiers;
    match event.code {
        KeyCode::Char(c) => character(c, held),
        KeyCode::Enter => meta(held, b"\r"),
        KeyCode::Tab if held.contains(KeyModifiers::SHIFT) => b"\x1b[Z".to_vec(),
        KeyCode::Tab => meta(held, b"\t"),
        KeyCode::BackTab => b"\x1b[Z".to_vec(),
        KeyCode::Backspace if held.contains(KeyModifiers::CONTROL) => meta(held, b"\x08"),
        KeyCode::Backspace => meta(held, b"\x7f"),
        KeyCode::Esc => meta(held, b"\x1b"),
        KeyCode::Up => cursor('A', held, application_cursor),
        KeyCode::Down => cursor('B', held, application_cursor),
        KeyCode::Right => cursor('C', held, application_cursor),
        KeyCode::Left => cursor('D', held, application_cursor),
        KeyCode::Home => cursor('H', held, application_cursor),
        KeyCode::End => cursor('F', held, application_cursor),
        // The numeric keypad's middle key.
        KeyCode::KeypadBegin => cursor('E', held, application_cursor),
        KeyCode::Insert => numbered(2, held),
        KeyCode::Delete => numbered(3, held),
        KeyCode::PageUp => numbered(5, held),
        KeyCode::PageDown => numbered(6, held),
        // F1 to F4 stand where the VT100 had its PF1 to PF4.
        KeyCode::F(n @ 1..=4) => cursor(char::from(b'P' + n - 1), held, true),
        KeyCode::F(n @ 5..=12) => numbered([15, 17, 18, 19, 20, 21, 23, 24][usize::from(n - 5)], held),
        _ => Vec::new(),
    }
}

/// The bytes of pasted text, which come as typed keys unless the program asked for a bracketed paste.
///
/// The end mark is taken out of the text: it would let the rest of a malicious text pass for typed commands.
pub(crate) fn paste(text: &str, bracketed: bool) -> Vec<u8> {
    let mut text = text.replace("\r\n", "\r").replace('\n', "\r");
    if !bracketed {
        return text.into_bytes();
    }
    // Again and again: what is left on both sides of one mark can be another one.
    while text.contains("\x1b[201~") {
        text = text.replace("\x1b[201~", "");
    }
    format!("\x1b[200~{text}\x1b[201~").into_bytes()
}

fn character(c: char, held: KeyModifiers) -> Vec<u8> {
    let control = held.contains(KeyModifiers::CONTROL).then(|| control(c)).flatten();
    match control {
        Some(byte) => meta(held, &[byte]),
        None => meta(held, c.encode_utf8(&mut [0; 4]).as_bytes()),
    }
}

/// Ctrl takes the upper bits from a character; on the digits the VT220 put what has no key of its own.
fn control(c: char) -> Option<u8> {
    match c {
        'a'..='z' | 'A'..='Z' | '[' | '\\' | ']' | '^' | '_' | '@' => Some(c as u8 & 0x1f),
        ' ' | '2' | '`' => Some(0x00),
        '3' => Some(0x1b),
        // A terminal cannot tell Ctrl-\ from Ctrl-4, and crossterm names these four by the digits.
        '4' => Some(0x1c),
        '5' => Some(0x1d),
        '6' | '~' => Some(0x1e),
        '7' | '/' => Some(0x1f),
        '8' | '?' => Some(0x7f),
        _ => None,
    }
}

/// Alt puts an escape before the key.
fn meta(held: KeyModifiers, bytes: &[u8]) -> Vec<u8> {
    let escape: &[u8] = if held.intersects(KeyModifiers::ALT | KeyModifiers::META) { b"\x1b" } else { b"" };
    [escape, bytes].concat()
}

/// The number that stands for the modifiers in a sequence: 1 and a bit each for Shift, Alt, Ctrl.
fn modifiers(held: KeyModifiers) -> u8 {
    1 + u8::from(held.contains(KeyModifiers::SHIFT))
        + 2 * u8::from(held.intersects(KeyModifiers::ALT | KeyModifiers::META))
        + 4 * u8::from(held.contains(KeyModifiers::CONTROL))
}

fn cursor(last: char, held: KeyModifiers, application: bool) -> Vec<u8> {
    match modifiers(held) {
        1 if application => format!("\x1bO{last}"),
        1 => format!("\x1b[{last}"),
        number => format!("\x1b[1;{number}{last}"),
    }
    .into_bytes()
}

fn numbered(key: u8, held: KeyModifiers) -> Vec<u8> {
    match modifiers(held) {
        1 => format!("\x1b[{key}~"),
        number => format!("\x1b[{key};{number}~"),
    }
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(code: KeyCode, held: KeyModifiers, application: bool) -> String {
        String::from_utf8(encode(KeyEvent::new(code, held), application)).unwrap()
    }

    #[test]
    fn characters_come_as_they_are_or_with_alt_and_control() {
        let (none, ctrl, alt) = (KeyModifiers::NONE, KeyModifiers::CONTROL, KeyModifiers::ALT);
        for (c, held, bytes) in [
            ('a', none, "a"),
            ('A', KeyModifiers::SHIFT, "A"),
            ('文', none, "文"),
            ('é', alt, "\x1bé"),
            ('c', ctrl, "\x03"),
            ('C', ctrl | KeyModifiers::SHIFT, "\x03"),
            ('z', ctrl, "\x1a"),
            (' ', ctrl, "\0"),
            ('@', ctrl, "\0"),
            ('[', ctrl, "\x1b"),
            ('\\', ctrl, "\x1c"),
            ('4', ctrl, "\x1c"),
            (']', ctrl, "\x1d"),
            ('^', ctrl, "\x1e"),
            ('_', ctrl, "\x1f"),
            ('7', ctrl, "\x1f"),
            ('?', ctrl, "\x7f"),
            ('x', alt, "\x1bx"),
            ('x', alt | ctrl, "\x1b\x18"),
            ('1', ctrl, "1"),
        ] {
            assert_eq!(text(KeyCode::Char(c), held, false), bytes, "{c} {held}");
        }
    }

    #[test]
    fn every_control_character_can_be_sent() {
        let sent: std::collections::BTreeSet<u8> =
            ('@'..='_').flat_map(|c| encode(KeyEvent::new(KeyCode::Char(c), KeyModifiers::CONTROL), false)).collect();
        assert_eq!(sent, (0..32).collect());
    }

    #[test]
    fn other_keys_follow_xterm() {
        let (none, shift) = (KeyModifiers::NONE, KeyModifiers::SHIFT);
        let (ctrl, alt) = (KeyModifiers::CONTROL, KeyModifiers::ALT);
        for (code, held, bytes) in [
            (KeyCode::Enter, none, "\r"),
            (KeyCode::Enter, alt, "\x1b\r"),
            (KeyCode::Tab, none, "\t"),
            (KeyCode::BackTab, shift, "\x1b[Z"),
            (KeyCode::Backspace, none, "\x7f"),
            (KeyCode::Backspace, alt, "\x1b\x7f"),
            (KeyCode::Esc, none, "\x1b"),
            (KeyCode::Up, none, "\x1b[A"),
            (KeyCode::Up, ctrl, "\x1b[1;5A"),
            (KeyCode::Left, alt, "\x1b[1;3D"),
            (KeyCode::End, shift | ctrl, "\x1b[1;6F"),
            (KeyCode::Home, none, "\x1b[H"),
            (KeyCode::Insert, none, "\x1b[2~"),
            (KeyCode::Delete, ctrl, "\x1b[3;5~"),
            (KeyCode::PageUp, none, "\x1b[5~"),
            (KeyCode::PageDown, shift, "\x1b[6;2~"),
            (KeyCode::F(1), none, "\x1bOP"),
            (KeyCode::F(4), shift, "\x1b[1;2S"),
            (KeyCode::F(5), none, "\x1b[15~"),
            (KeyCode::F(6), none, "\x1b[17~"),
            (KeyCode::F(10), ctrl, "\x1b[21;5~"),
            (KeyCode::F(11), none, "\x1b[23~"),
            (KeyCode::F(12), none, "\x1b[24~"),
            (KeyCode::F(13), none, ""),
            (KeyCode::CapsLock, none, ""),
        ] {
            assert_eq!(text(code, held, false), bytes, "{code} {held}");
        }
        assert_eq!(text(KeyCode::Up, none, true), "\x1bOA");
        assert_eq!(text(KeyCode::End, none, true), "\x1bOF");
        assert_eq!(text(KeyCode::Up, ctrl, true), "\x1b[1;5A");
    }

    #[test]
    fn only_what_goes_down_is_sent() {
        let key = |kind| KeyEvent::new_with_kind(KeyCode::Char('j'), KeyModifiers::NONE, kind);
        assert_eq!(encode(key(KeyEventKind::Press), false), b"j");
        assert_eq!(encode(key(KeyEventKind::Repeat), false), b"j");
        assert_eq!(encode(key(KeyEventKind::Release), false), b"");
    }

    #[test]
    fn a_paste_cannot_end_itself() {
        assert_eq!(paste("a\nb\r\nc\r", false), b"a\rb\rc\r");
        assert_eq!(paste("a\nb", true), b"\x1b[200~a\rb\x1b[201~");
        assert_eq!(paste("x\x1b[20\x1b[201~1~y", true), b"\x1b[200~xy\x1b[201~");
        assert_eq!(paste("文", true), "\x1b[200~文\x1b[201~".as_bytes());
    }
}
