//! How parts of events are stored whose types come from elsewhere.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// Bytes, as text where they are text.
pub(super) mod bytes {
    use super::*;

    #[derive(Serialize, Deserialize)]
    #[serde(untagged)]
    enum Stored<'a> {
        Text(std::borrow::Cow<'a, str>),
        Bytes(std::borrow::Cow<'a, [u8]>),
    }

    pub(in super::super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        let stored = match std::str::from_utf8(bytes) {
            Ok(text) => Stored::Text(text.into()),
            Err(_) => Stored::Bytes(bytes.into()),
        };
        stored.serialize(serializer)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        Ok(match Stored::deserialize(deserializer)? {
            Stored::Text(text) => text.into_owned().into_bytes(),
            Stored::Bytes(bytes) => bytes.into_owned(),
        })
    }
}

/// A value that several hold.
pub(super) mod shared {
    use super::*;
    use std::sync::Arc;

    pub(in super::super) fn serialize<T: Serialize, S: Serializer>(
        value: &Arc<T>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        value.as_ref().serialize(serializer)
    }

    pub(in super::super) fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Arc<T>, D::Error> {
        T::deserialize(deserializer).map(Arc::new)
    }
}

/// Values by the code of a language.
pub(super) mod by_language {
    use super::*;
    use crate::lang::Lang;
    use std::collections::BTreeMap;

    pub(in super::super) fn serialize<T: Serialize, S: Serializer>(
        all: &BTreeMap<&'static str, T>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        all.serialize(serializer)
    }

    pub(in super::super) fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<&'static str, T>, D::Error> {
        let known = |code: String| Lang::ALL.map(Lang::code).into_iter().find(|known| **known == code);
        let one = |(code, value)| Some((known(code)?, value));
        Ok(BTreeMap::<String, T>::deserialize(deserializer)?.into_iter().filter_map(one).collect())
    }
}

/// A key of crossterm's, by numbers and the names that it gives them.
pub(super) mod key {
    use super::*;
    use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyEventState, KeyModifiers};

    #[derive(Serialize, Deserialize)]
    struct Stored {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        letter: Option<char>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        function: Option<u8>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        #[serde(default, skip_serializing_if = "is_zero")]
        modifiers: u8,
        #[serde(default, skip_serializing_if = "is_zero")]
        kind: u8,
        #[serde(default, skip_serializing_if = "is_zero")]
        state: u8,
    }

    fn is_zero(number: &u8) -> bool {
        *number == 0
    }

    /// The keys that have a name. Keys of players and keys that are only modifiers mean nothing here, and are
    /// [`KeyCode::Null`] when they are read back.
    const NAMES: [(KeyCode, &str); 23] = [
        (KeyCode::Null, "null"),
        (KeyCode::Backspace, "backspace"),
        (KeyCode::Enter, "enter"),
        (KeyCode::Left, "left"),
        (KeyCode::Right, "right"),
        (KeyCode::Up, "up"),
        (KeyCode::Down, "down"),
        (KeyCode::Home, "home"),
        (KeyCode::End, "end"),
        (KeyCode::PageUp, "page_up"),
        (KeyCode::PageDown, "page_down"),
        (KeyCode::Tab, "tab"),
        (KeyCode::BackTab, "back_tab"),
        (KeyCode::Delete, "delete"),
        (KeyCode::Insert, "insert"),
        (KeyCode::Esc, "esc"),
        (KeyCode::CapsLock, "caps_lock"),
        (KeyCode::ScrollLock, "scroll_lock"),
        (KeyCode::NumLock, "num_lock"),
        (KeyCode::PrintScreen, "print_screen"),
        (KeyCode::Pause, "pause"),
        (KeyCode::Menu, "menu"),
        (KeyCode::KeypadBegin, "keypad_begin"),
    ];
    const KINDS: [KeyEventKind; 3] = [KeyEventKind::Press, KeyEventKind::Repeat, KeyEventKind::Release];

    pub(in super::super) fn serialize<S: Serializer>(key: &KeyEvent, serializer: S) -> Result<S::Ok, S::Error> {
        let name = NAMES.iter().find(|(code, _)| *code == key.code).map_or("null", |(_, name)| *name);
        let (letter, function, name) = match key.code {
            KeyCode::Char(letter) => (Some(letter), None, None),
            KeyCode::F(number) => (None, Some(number), None),
            _ => (None, None, Some(name.to_string())),
        };
        let kind = KINDS.iter().position(|kind| *kind == key.kind).unwrap_or_default() as u8;
        let (modifiers, state) = (key.modifiers.bits(), key.state.bits());
        Stored { letter, function, name, modifiers, kind, state }.serialize(serializer)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<KeyEvent, D::Error> {
        let stored = Stored::deserialize(deserializer)?;
        let named = |name: String| NAMES.iter().find(|(_, known)| **known == name).map(|(code, _)| *code);
        let code = match (stored.letter, stored.function, stored.name) {
            (Some(letter), ..) => Some(KeyCode::Char(letter)),
            (_, Some(number), _) => Some(KeyCode::F(number)),
            (.., name) => name.and_then(named),
        };
        let kind = KINDS.get(usize::from(stored.kind)).copied();
        let (code, kind) = code.zip(kind).ok_or_else(|| D::Error::custom("no such key"))?;
        let modifiers = KeyModifiers::from_bits_truncate(stored.modifiers);
        Ok(KeyEvent { code, modifiers, kind, state: KeyEventState::from_bits_truncate(stored.state) })
    }
}
