//! Every key that the panes' encoder can send is read back as the same key.

use super::*;
use crate::terminal::keys::encode;

fn keys(bytes: &[u8]) -> Vec<KeyEvent> {
    let mut keyboard = Keyboard::default();
    let mut events = keyboard.feed(bytes);
    events.extend(keyboard.flush());
    let key = |event| match event {
        Event::Key(key) => key,
        other => unreachable!("{other:?}"),
    };
    events.into_iter().map(key).collect()
}

#[test]
fn what_the_encoder_sends_is_read_back() {
    use KeyCode::*;
    let codes =
        [Enter, Tab, BackTab, Backspace, Esc, Up, Down, Left, Right, Home, End, Insert, Delete, PageUp, PageDown];
    let letters = ['a', 'Z', '文', 'é', '😀', ' ', '?', '['].map(Char);
    let functions = (1..=12).map(F);
    for code in codes.into_iter().chain(letters).chain(functions) {
        for held in [KeyModifiers::NONE, KeyModifiers::ALT, KeyModifiers::SHIFT | KeyModifiers::CONTROL] {
            let takes =
                matches!(code, Up | Down | Left | Right | Home | End | Insert | Delete | PageUp | PageDown | F(_));
            let meta = matches!(code, Char(letter) if letter != '[') || code == Backspace;
            if held != KeyModifiers::NONE && !takes && !(meta && held == KeyModifiers::ALT) {
                continue;
            }
            let sent = KeyEvent::new(code, if code == BackTab { KeyModifiers::SHIFT } else { held });
            for application in [false, true] {
                assert_eq!(keys(&encode(sent, application)), [sent], "{sent:?}");
            }
        }
    }
    for letter in 'a'..='z' {
        let sent = KeyEvent::new(Char(letter), KeyModifiers::CONTROL);
        let expected = match letter {
            'i' => KeyEvent::new(Tab, KeyModifiers::NONE),
            'm' => KeyEvent::new(Enter, KeyModifiers::NONE),
            _ => sent,
        };
        assert_eq!(keys(&encode(sent, false)), [expected]);
    }
}

#[test]
fn a_key_may_come_in_pieces() {
    let whole = "\x1b[1;5A文\x1b[200~a\nb\x1b[201~\x1bOPx".as_bytes();
    let at_once = Keyboard::default().feed(whole);
    let mut keyboard = Keyboard::default();
    let piecewise: Vec<Event> = whole.iter().flat_map(|byte| keyboard.feed(&[*byte])).collect();
    assert_eq!(format!("{at_once:?}"), format!("{piecewise:?}"));
    assert_eq!(at_once.len(), 5);
    assert!(matches!(&at_once[2], Event::Paste(text) if text == "a\nb"));
}

#[test]
fn an_escape_alone_waits_for_more_and_then_is_a_key() {
    let mut keyboard = Keyboard::default();
    assert!(keyboard.feed(b"\x1b").is_empty() && keyboard.is_waiting());
    assert_eq!(keyboard.flush().len(), 1);
    assert!(!keyboard.is_waiting());
    assert_eq!(keys(b"\x1b\x1b[A").len(), 2);
}

#[test]
fn what_no_keyboard_sends_is_dropped_and_does_not_block() {
    let mut keyboard = Keyboard::default();
    for noise in [&b"\xff\xfe"[..], b"\x1b[?62;c", b"\x1b[I", b"\x1b[[9", b"\x1b[999~", b"\x80"] {
        assert!(keyboard.feed(noise).is_empty(), "{noise:?}");
    }
    keyboard.feed(&[b"\x1b[", [b'1'; 100].as_slice()].concat());
    assert_eq!(keyboard.feed(b"x").len(), 1);
}

proptest::proptest! {
    #[test]
    fn nothing_panics(bytes: Vec<u8>) {
        let mut keyboard = Keyboard::default();
        keyboard.feed(&bytes);
        keyboard.flush();
    }
}
