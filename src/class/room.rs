//! Reads what all sessions of a class have written. None of it is trusted.

use super::card::{Card, Failed, Signed};
use crate::kernel::text;
use nix::{
    fcntl::{OFlag, openat},
    sys::stat::Mode,
};
use std::{
    fs::{self, File},
    io::{self, Read},
    path::Path,
};

/// What is longer was not written by a session.
pub(super) const MAX_LEN: u64 = 8 * 1024;
/// How many files are looked at.
const MAX: usize = 500;
/// How long a text of another user becomes, in characters.
const TEXT: usize = 160;

/// All who share.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Room {
    /// What they share: those who need help first, the longest waiting before the others; then by name.
    pub cards: Vec<Signed>,
    /// How many files could not be understood.
    pub unread: usize,
}

/// Reads a class's directory.
///
/// Errors: that it cannot be listed.
pub(crate) fn room(dir: &Path) -> io::Result<Room> {
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    let open = nix::fcntl::open(dir, flags, Mode::empty())?;
    let mut room = Room::default();
    let names = fs::read_dir(dir)?.flatten().map(|entry| entry.file_name());
    let named =
        |name: &std::ffi::OsString| name.to_str().is_some_and(|name| name.ends_with(".json") && !name.starts_with('.'));
    for name in names.filter(named).take(MAX) {
        // Neither a link nor a pipe without a writer can hold this up.
        let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
        let file = openat(&open, name.as_os_str(), flags, Mode::empty()).map(File::from);
        match file.map_err(io::Error::from).and_then(read) {
            Ok(signed) if signed.has_ended() => {}
            Ok(signed) => room.cards.push(signed),
            // It was taken away meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(_) => room.unread += 1,
        }
    }
    room.cards.sort_by_cached_key(order);
    Ok(room)
}

fn read(file: File) -> io::Result<Signed> {
    let wrong = || io::Error::from(io::ErrorKind::InvalidData);
    if !file.metadata()?.is_file() {
        return Err(wrong());
    }
    let mut bytes = Vec::new();
    file.take(MAX_LEN + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_LEN {
        return Err(wrong());
    }
    let signed: Signed = serde_json::from_slice(&bytes)?;
    if signed.class != 1 || signed.name.is_empty() { Err(wrong()) } else { Ok(tame(signed)) }
}

/// The same without anything that a terminal obeys, and not longer than a line.
fn tame(signed: Signed) -> Signed {
    let line = |text: &str, most: usize| text::printable(text).chars().take(most).collect::<String>();
    let Signed { card, .. } = &signed;
    let failed = card.failed.as_ref().map(|failed| Failed {
        check: line(&failed.check, TEXT),
        expected: line(&failed.expected, TEXT),
        observed: line(&failed.observed, TEXT),
    });
    let card = Card { lesson: line(&card.lesson, 32), step: line(&card.step, 40), failed, ..card.clone() };
    Signed { name: line(&signed.name, 32), host: line(&signed.host, 40), card, ..signed }
}

/// Help first, the oldest before the others; then who works, then who is done; by name.
fn order(signed: &Signed) -> (u8, u64, String) {
    use super::Flag;
    let since = signed.flag_since.unwrap_or(u64::MAX);
    match signed.card.flag {
        Some(Flag::Help) => (0, since, signed.name.clone()),
        None => (1, 0, signed.name.clone()),
        Some(Flag::Done) => (2, since, signed.name.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Flag;
    use super::*;
    use nix::unistd::mkfifo;
    use std::os::unix::fs::symlink;

    fn signed(name: &str, flag: Option<(Flag, u64)>) -> Signed {
        let card =
            Card { lesson: "isolate".into(), step: "a".into(), flag: flag.map(|(flag, _)| flag), ..Card::default() };
        Signed { class: 1, name: name.into(), flag_since: flag.map(|(_, since)| since), card, ..Signed::default() }
    }

    #[test]
    fn who_has_waited_longest_comes_first() {
        let dir = tempfile::tempdir().unwrap();
        let (help, done) = (Flag::Help, Flag::Done);
        for (name, flag) in
            [("a", None), ("b", Some((help, 30))), ("c", Some((done, 5))), ("d", Some((help, 20))), ("e", None)]
        {
            let text = serde_json::to_string(&signed(name, flag)).unwrap();
            fs::write(dir.path().join(format!("{name}.json")), text).unwrap();
        }
        let room = room(dir.path()).unwrap();
        let names: Vec<&str> = room.cards.iter().map(|signed| signed.name.as_str()).collect();
        assert_eq!(names, ["d", "b", "a", "e", "c"]);
    }

    #[test]
    fn what_is_broken_or_meant_ill_does_no_harm() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        let good = serde_json::to_string(&signed("good", None)).unwrap();
        fs::write(path("good.json"), &good).unwrap();
        fs::write(path("empty.json"), "").unwrap();
        fs::write(path("cut.json"), &good[..good.len() / 2]).unwrap();
        fs::write(path("bytes.json"), [0xff, 0xfe, 0]).unwrap();
        fs::write(path("huge.json"), good.clone() + &" ".repeat(MAX_LEN as usize)).unwrap();
        fs::write(path("deep.json"), "[".repeat(8000)).unwrap();
        fs::write(path("other.json"), r#"{"class":2,"name":"x"}"#).unwrap();
        mkfifo(&path("pipe.json"), Mode::S_IRWXU).unwrap();
        symlink("/dev/zero", path("link.json")).unwrap();
        symlink(path("good.json"), path("second.json")).unwrap();
        fs::create_dir(path("dir.json")).unwrap();
        fs::write(path("notes.txt"), "not ours").unwrap();
        let mut hostile = signed("a\x1b]0;x\x07b\n\u{202e}c", None);
        hostile.card.step = "\x1b[2J".repeat(100);
        hostile.card.failed =
            Some(Failed { check: "x".repeat(2000), expected: "\r".into(), observed: "\u{9b}".into() });
        fs::write(path("hostile.json"), serde_json::to_string(&hostile).unwrap()).unwrap();
        let room = room(dir.path()).unwrap();
        assert_eq!((room.cards.len(), room.unread), (2, 10));
        for Signed { name, card, .. } in &room.cards {
            let failed = card.failed.clone().unwrap_or_default();
            let all = [name, &card.step, &failed.check, &failed.expected, &failed.observed];
            assert!(all.iter().all(|text| !text.contains(text::is_obeyed) && text.chars().count() <= TEXT), "{all:?}");
        }
        assert!(room.cards.iter().all(|signed| signed.name.chars().count() <= 32));
    }
}
