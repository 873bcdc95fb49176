//! The arguments of a system call as data, and their text as strace(1) writes it, but without cutting.

use super::flags::Flags;
use crate::kernel::pid::Signal;
use serde::{Deserialize, Serialize};
use std::{
    borrow::Cow,
    ffi::OsStr,
    fmt::{self, Write},
    os::unix::ffi::OsStrExt,
    path::Path,
};

/// One argument of a call, or one member of a structure that an argument points to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Argument {
    /// Its name, where it is written with one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Cow<'static, str>>,
    /// What it is.
    pub value: Value,
}

/// What an argument is. Whatever could not be read is the address where it should have been.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// A number, such as a descriptor.
    Number(i64),
    /// A size or an offset.
    Size(u64),
    /// A size that is written in hexadecimal.
    Hex(u64),
    /// A place in the caller's memory.
    Address(u64),
    /// The mode of a file.
    Mode(u32),
    /// The descriptor of the directory where a path begins, or AT_FDCWD.
    Directory(i32),
    /// Named bits.
    Bits(Flags, u64),
    /// One of several named values.
    Choice(Flags, u64),
    /// The flags of clone(2), which share their number with the signal that the child sends when it ends.
    CloneFlags(u64, Signal),
    /// A signal; 0 for none.
    Signal(Signal),
    /// A text, such as a path.
    Text(Text),
    /// Bytes that are no text.
    Binary(Text),
    /// An environment: where it is and how many variables it has.
    Environment(u64, usize),
    /// Several values, such as an argv.
    List {
        /// As far as they were read.
        items: Vec<Value>,
        /// There are more.
        cut: bool,
    },
    /// A structure.
    Struct(Vec<Argument>),
}

/// Bytes of the caller's memory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Stored", into = "Stored")]
pub struct Text {
    /// The bytes, without a terminating NUL.
    pub bytes: Vec<u8>,
    /// There are more than are read.
    pub cut: bool,
}

/// A text as it is stored: readable where it can be.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Stored {
    Whole(String),
    Cut { cut: String },
    Bytes { bytes: Vec<u8>, cut: bool },
}

impl From<Stored> for Text {
    fn from(stored: Stored) -> Text {
        match stored {
            Stored::Whole(text) => Text { bytes: text.into_bytes(), cut: false },
            Stored::Cut { cut } => Text { bytes: cut.into_bytes(), cut: true },
            Stored::Bytes { bytes, cut } => Text { bytes, cut },
        }
    }
}

impl From<Text> for Stored {
    fn from(text: Text) -> Stored {
        match (String::from_utf8(text.bytes), text.cut) {
            (Ok(text), false) => Stored::Whole(text),
            (Ok(cut), true) => Stored::Cut { cut },
            (Err(error), cut) => Stored::Bytes { bytes: error.into_bytes(), cut },
        }
    }
}

impl Argument {
    /// An argument that is written with its name.
    pub(super) fn named(name: &'static str, value: Value) -> Argument {
        Argument { name: Some(name.into()), value }
    }

    /// The path, where this argument is a text.
    pub(crate) fn path(&self) -> Option<&Path> {
        if let Value::Text(text) = &self.value { Some(Path::new(OsStr::from_bytes(&text.bytes))) } else { None }
    }
}

impl Value {
    /// The bytes of a text, or of all texts of a list, one after the other; none of anything else.
    pub(super) fn bytes(&self) -> Vec<u8> {
        match self {
            Value::Text(text) | Value::Binary(text) => text.bytes.clone(),
            Value::List { items, .. } => items.iter().flat_map(Value::bytes).collect(),
            Value::Struct(members) => members.iter().flat_map(|member| member.value.bytes()).collect(),
            _ => Vec::new(),
        }
    }
}

impl From<Value> for Argument {
    fn from(value: Value) -> Argument {
        Argument { name: None, value }
    }
}

impl fmt::Display for Argument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name}={}", self.value),
            None => self.value.fmt(f),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Number(number) => number.fmt(f),
            Value::Size(size) => size.fmt(f),
            Value::Hex(0) => f.write_char('0'),
            Value::Address(0) => f.write_str("NULL"),
            Value::Hex(number) | Value::Address(number) => write!(f, "{number:#x}"),
            Value::Mode(0) => f.write_str("000"),
            Value::Mode(mode) => write!(f, "0{mode:03o}"),
            Value::Directory(libc::AT_FDCWD) => f.write_str("AT_FDCWD"),
            Value::Directory(fd) => fd.fmt(f),
            Value::Bits(flags, bits) => f.write_str(&flags.text(*bits)),
            Value::Choice(flags, value) => f.write_str(&flags.value(*value)),
            Value::CloneFlags(bits, Signal(0)) => f.write_str(&Flags::Clone.text(*bits)),
            Value::CloneFlags(0, signal) => Value::Signal(*signal).fmt(f),
            Value::CloneFlags(bits, signal) => {
                write!(f, "{}|{}", Flags::Clone.text(*bits), Value::Signal(*signal))
            }
            Value::Signal(signal) => match nix::sys::signal::Signal::try_from(signal.0) {
                Ok(signal) => f.write_str(signal.as_str()),
                Err(_) => signal.0.fmt(f),
            },
            Value::Text(text) => {
                quote(f, &text.bytes)?;
                f.write_str(if text.cut { "..." } else { "" })
            }
            Value::Binary(text) => {
                f.write_char('"')?;
                text.bytes.iter().try_for_each(|byte| write!(f, "\\x{byte:02x}"))?;
                f.write_char('"')
            }
            Value::Environment(at, count) => {
                write!(f, "{at:#x} /* {count} var{} */", if *count == 1 { "" } else { "s" })
            }
            Value::List { items, cut } => {
                f.write_char('[')?;
                listed(f, items)?;
                f.write_str(if *cut { ", ...]" } else { "]" })
            }
            Value::Struct(members) => {
                f.write_char('{')?;
                listed(f, members)?;
                f.write_char('}')
            }
        }
    }
}

/// Writes arguments as they stand between the parentheses.
pub(super) fn listed(f: &mut impl Write, items: &[impl fmt::Display]) -> fmt::Result {
    for (index, item) in items.iter().enumerate() {
        write!(f, "{}{item}", if index > 0 { ", " } else { "" })?;
    }
    Ok(())
}

/// Writes bytes between quotes, escaped as in C.
fn quote(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    f.write_char('"')?;
    for (index, &byte) in bytes.iter().enumerate() {
        match byte {
            b'"' => f.write_str("\\\""),
            b'\\' => f.write_str("\\\\"),
            b'\n' => f.write_str("\\n"),
            b'\t' => f.write_str("\\t"),
            b'\r' => f.write_str("\\r"),
            0x0b => f.write_str("\\v"),
            0x0c => f.write_str("\\f"),
            b' '..=b'~' => f.write_char(char::from(byte)),
            // A digit behind a short octal number would read as a part of it.
            _ if bytes.get(index + 1).is_some_and(|next| matches!(next, b'0'..=b'7')) => write!(f, "\\{byte:03o}"),
            _ => write!(f, "\\{byte:o}"),
        }?;
    }
    f.write_char('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_stored_readably_and_come_back_whole() {
        for (bytes, cut, stored) in [
            (&b"/proc"[..], false, "\"/proc\""),
            (b"/pro", true, "{\"cut\":\"/pro\"}"),
            (b"\xe4", false, "{\"bytes\":[228],\"cut\":false}"),
        ] {
            let text = Text { bytes: bytes.into(), cut };
            assert_eq!(serde_json::to_string(&text).unwrap(), stored);
            assert_eq!(serde_json::from_str::<Text>(stored).unwrap(), text);
        }
    }
}
