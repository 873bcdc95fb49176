//! What a session leaves in a class's directory, and what it does not do to what lies there.

use super::super::{Card, Flag, room};
use super::*;
use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
};

fn card(step: &str) -> Card {
    Card { lesson: "isolate".into(), step: step.into(), number: 6, of: 10, ..Card::default() }
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(dir).unwrap().flatten().map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn it_is_written_whole_for_all_to_read_and_taken_away() {
    let dir = tempfile::tempdir().unwrap();
    let mut place = Place::open(dir.path(), "Li").unwrap();
    assert_eq!(names(dir.path()), [""; 0], "nothing is shared yet");
    place.write(&card("host-name")).unwrap();
    assert_eq!(names(dir.path()), ["Li.json"]);
    let mode = fs::metadata(dir.path().join("Li.json")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o644);
    let seen = room(dir.path()).unwrap();
    assert_eq!((seen.cards.len(), seen.cards[0].card.step.as_str()), (1, "host-name"));
    place.remove().unwrap();
    assert_eq!(names(dir.path()), [""; 0]);
}

#[test]
fn since_when_begins_anew_with_the_step_and_with_the_flag() {
    let dir = tempfile::tempdir().unwrap();
    let mut place = Place::open(dir.path(), "Li").unwrap();
    place.write(&card("a")).unwrap();
    place.signed.since = 5;
    place.write(&Card { flag: Some(Flag::Help), ..card("a") }).unwrap();
    assert!(place.signed.since == 5 && place.signed.flag_since.is_some());
    place.signed.flag_since = Some(7);
    place.write(&Card { flag: Some(Flag::Help), ..card("b") }).unwrap();
    assert!(place.signed.since > 5 && place.signed.flag_since == Some(7));
    place.write(&card("b")).unwrap();
    assert_eq!(place.signed.flag_since, None);
}

#[test]
fn what_others_put_there_is_neither_followed_nor_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    let victim = dir.path().join("victim");
    fs::write(&victim, "mine").unwrap();
    symlink(&victim, dir.path().join("Li.json")).unwrap();
    let mut place = Place::open(dir.path(), "Li").unwrap();
    symlink(&victim, dir.path().join(format!(".{}.{}", place.file, std::process::id()))).unwrap();
    place.write(&card("a")).unwrap();
    assert_eq!(fs::read_to_string(&victim).unwrap(), "mine");
    assert_eq!(place.file, "Li-2.json");
}

#[test]
fn two_sessions_of_one_name_have_two_files_and_one_that_has_ended_makes_room() {
    let dir = tempfile::tempdir().unwrap();
    let mut first = Place::open(dir.path(), "Li").unwrap();
    first.write(&card("a")).unwrap();
    let second = Place::open(dir.path(), "Li").unwrap();
    assert_eq!(second.file, "Li-2.json", "the first one runs: it is this process");
    first.signed.pid = Pid(i32::MAX);
    first.write(&card("a")).unwrap();
    assert_eq!(Place::open(dir.path(), "Li").unwrap().file, "Li.json");
    first.signed.host = "another".into();
    first.write(&card("a")).unwrap();
    assert_eq!(Place::open(dir.path(), "Li").unwrap().file, "Li-2.json", "who knows what runs there");
}

#[test]
fn two_that_begin_at_once_do_not_take_each_others_name() {
    let dir = tempfile::tempdir().unwrap();
    let mut all: Vec<Place> = (0..3).map(|_| Place::open(dir.path(), "Li").unwrap()).collect();
    assert_eq!(names(dir.path()), [""; 0]);
    for (number, place) in all.iter_mut().enumerate() {
        place.write(&card(&format!("step-{number}"))).unwrap();
    }
    assert_eq!(names(dir.path()), ["Li-2.json", "Li-3.json", "Li.json"]);
    let mut steps: Vec<String> = room(dir.path()).unwrap().cards.into_iter().map(|signed| signed.card.step).collect();
    steps.sort();
    assert_eq!(steps, ["step-0", "step-1", "step-2"]);
    // Who has shared nothing yet takes away nothing.
    Place::open(dir.path(), "Li-2").unwrap().remove().unwrap();
    all[1].remove().unwrap();
    assert_eq!(names(dir.path()), ["Li-3.json", "Li.json"]);
}

#[test]
fn a_name_is_a_line_and_a_file() {
    for (name, line, file) in [
        ("Li Ming", "Li Ming", "Li-Ming"),
        ("李明", "李明", "李明"),
        ("../../etc/passwd", "../../etc/passwd", "etc-passwd"),
        (".", ".", "learner"),
        ("", "?", "learner"),
    ] {
        assert_eq!((shown(name).as_str(), plain(name).as_str()), (line, file));
    }
    assert!(!shown("a\x1b[2Jb\nc").contains(['\x1b', '\n']));
    assert_eq!(shown(&"x".repeat(500)).chars().count(), MAX_LEN);
}

#[test]
fn a_directory_that_cannot_be_written_is_said_at_once() {
    assert_eq!(Place::open(Path::new("/nowhere"), "Li").unwrap_err().kind(), io::ErrorKind::NotFound);
    assert!(Place::open(Path::new("/proc"), "Li").is_err());
}
