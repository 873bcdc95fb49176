//! What is recorded is what is shown again, and no file grows for ever.

use super::{
    player::News,
    replay::{draw, last_screen},
    *,
};
use crate::{
    app::update,
    kernel::pid::Pid,
    lesson::{TerminalId, Translations},
    observe::Sample,
    terminal::Size,
    trace::{Call, TraceEvent},
    ui::stage,
};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use std::{
    io::Cursor,
    sync::{Arc, Mutex},
};

const CONTAINER: TerminalId = TerminalId::Container;

/// A file that a test can read while it is written.
#[derive(Clone, Default)]
struct File(Arc<Mutex<Vec<u8>>>);

impl File {
    fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap().clone()
    }
}

impl Write for File {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn state() -> State {
    stage::state(Lang::Zh, (80, 24), Look { ascii: true, ..Look::default() })
}

fn header(state: &State) -> Header {
    Header::of(state, "builtin:", Fills::of_this_machine("builtin:"), vec!["isolate/1".into()])
}

fn key(code: KeyCode) -> Event {
    Event::Key(KeyEvent::new(code, KeyModifiers::NONE))
}

/// A learner who begins a lesson, resizes the window, answers, and holds a call.
fn session() -> Vec<Event> {
    let prompt = "\u{1b}]133;D;0;aid=1\u{7}\u{1b}]133;A\u{7}$ \u{1b}]133;B\u{7}";
    let sample = |number, sample: Sample| Event::Sample(number, Arc::new(sample));
    let mut events = vec![
        Event::Resize(Size::new(120, 40)),
        Event::Lacking(Default::default()),
        Event::Open("isolate".into(), 1),
        Event::Drawn,
        Event::Output(TerminalId::Host, prompt.into()),
        Event::Output(CONTAINER, prompt.into()),
        Event::Clock(Duration::from_millis(5)),
        sample(u64::MAX, stage::plain()),
        Event::Drawn,
        key(KeyCode::Char('2')),
        Event::Drawn,
        key(KeyCode::Enter),
        Event::Output(CONTAINER, "unshare -imnpu --mount-proc --fork sh\r\n".into()),
        Event::Trace(CONTAINER, TraceEvent::Held(Pid(7), Call::of(Pid(7), "unshare", "unshare", [0; 6]))),
        Event::Drawn,
        Event::Clock(Duration::from_millis(20)),
        sample(u64::MAX, stage::unshared()),
        Event::Trouble("磁盘满了".into()),
        Event::Drawn,
    ];
    events.push(Event::Trace(CONTAINER, TraceEvent::Released(Pid(7), Pid(7))));
    events.push(Event::Drawn);
    events
}

/// Shows these events as the program does, and writes them down; gives the last screen and the file.
fn live(events: Vec<Event>) -> (Vec<String>, Vec<u8>, Vec<Translations>) {
    live_in(state(), events)
}

/// The same, begun in this state.
fn live_in(mut state: State, events: Vec<Event>) -> (Vec<String>, Vec<u8>, Vec<Translations>) {
    let file = File::default();
    let lessons = state.lessons.clone();
    let mut recorder = Recorder::start(file.clone(), Path::new("file"), &header(&state)).unwrap();
    let mut rows = Vec::new();
    for (number, event) in events.into_iter().enumerate() {
        recorder.write(Duration::from_millis(number as u64), &event).unwrap();
        match event {
            Event::Drawn => rows = draw(&mut state),
            event => drop(update(&mut state, event)),
        }
    }
    recorder.finish(Duration::from_secs(1));
    (rows, file.bytes(), lessons)
}

#[test]
fn a_recorded_session_ends_with_the_same_screen() {
    let (rows, file, lessons) = live(session());
    assert!(rows.len() == 40 && rows.iter().any(|row| row.contains("unshare -imnpu")), "{rows:#?}");
    let again = last_screen(Recording::open(file.as_slice()).unwrap(), &lessons).unwrap();
    assert_eq!(again, rows);
    // It is not the header alone that says so.
    let all = session().len();
    let (before, ..) = live(session().into_iter().take(all - 2).collect());
    assert_ne!(before, rows);
}

#[test]
fn every_event_comes_back_with_its_time() {
    let (_, file, _) = live(session());
    let read: Vec<_> = Recording::open(Cursor::new(file)).unwrap().map(Result::unwrap).collect();
    let times = |number| Duration::from_millis(number as u64);
    let written: Vec<_> = session().into_iter().enumerate().map(|(number, event)| (times(number), event)).collect();
    assert_eq!(read, written);
}

#[test]
fn what_was_read_together_is_known_to_be_there() {
    let (_, file, _) = live(session());
    let ends: Vec<usize> = file.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at).collect();
    // The header, the events and the end are a line each; that of the last event but two is read in two parts.
    let cut = ends.len() - 4;
    let (first, rest) = file.split_at(ends[cut] - 1);
    let lines = BufReader::with_capacity(file.len(), first.chain(rest));
    let mut recording = Recording::open(lines).unwrap();
    let mut missing = Vec::new();
    for number in 1.. {
        let Some(event) = recording.next() else { break };
        event.unwrap();
        missing.extend((!recording.has_next()).then_some(number));
    }
    assert_eq!(missing, [cut - 1]);
}

#[test]
fn a_file_does_not_grow_for_ever() {
    let (file, limit) = (File::default(), 4096);
    let mut recorder = Recorder::limited(file.clone(), Path::new("/tmp/r"), &header(&state()), limit).unwrap();
    let line = Event::Output(CONTAINER, vec![b'x'; 100]);
    let written = (0..100).take_while(|_| recorder.write(Duration::ZERO, &line).is_ok()).count();
    assert!((5..40).contains(&written), "{written}");
    assert!(file.bytes().len() <= limit as usize);
    assert!(file.bytes().ends_with(b"{\"at_micros\":0,\"end\":\"full\"}\n"));
    assert_eq!(Recording::open(file.bytes().as_slice()).unwrap().count(), written);
    assert_eq!(Ended::Full("/tmp/r".into()).say(Lang::En), "The recording ends here: /tmp/r has reached 64 MiB");
}

#[test]
fn a_disk_that_is_full_ends_the_recording_alone() {
    struct Disk(usize);
    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let full = || io::Error::from_raw_os_error(libc::ENOSPC);
            self.0 = self.0.checked_sub(bytes.len()).ok_or_else(full)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut recorder = Recorder::start(Disk(2048), Path::new("/tmp/r"), &header(&state())).unwrap();
    let ended = recorder.write(Duration::ZERO, &Event::Output(CONTAINER, vec![b'x'; 4096])).unwrap_err();
    let said = ended.say(Lang::En);
    assert!(said.starts_with("The recording ends here: /tmp/r: ") && said.contains("ENOSPC"), "{said}");
}

#[test]
fn what_cannot_be_read_is_named() {
    let (_, file, lessons) = live(session());
    // A program that was killed had half a line written.
    let cut = &file[..file.len() - 40];
    assert!(Recording::open(cut).unwrap().all(|line| line.is_ok()));
    let mut broken = file.clone();
    broken.splice(file.len()..file.len(), *b"{\"at_micros\":0,\"event\":\"nosuch\"}\n");
    let end = b"{\"at_micros\":1000000,\"end\":\"finished\"}\n".len();
    broken.drain(file.len() - end..file.len());
    let error = Recording::open(broken.as_slice()).unwrap().find_map(Result::err).unwrap().to_string();
    assert!(error.starts_with(&format!("line {}: unknown variant", session().len() + 2)), "{error}");
    let newer = String::from_utf8(file.clone()).unwrap().replacen("\"format\":2", "\"format\":3", 1);
    assert!(matches!(Recording::open(newer.as_bytes()), Err(Unreadable::Format(3))));
    assert!(matches!(Recording::open(&b""[..]), Err(Unreadable::Line(1, _))));
    let other = last_screen(Recording::open(file.as_slice()).unwrap(), &[]).unwrap_err();
    assert_eq!((other.to_string(), lessons.len()), ("it needs the lesson `isolate`".into(), 1));
}

#[test]
fn a_second_that_only_counts_is_a_short_line() {
    let mut samples = Vec::new();
    for tick in 0..4 {
        let mut sample = stage::unshared();
        sample.cgroup.cpu.usage_micros = Some(1_000_000 * tick);
        samples.push(Event::Sample(tick, Arc::new(sample)));
    }
    let mut events = session();
    events.extend(samples.clone());
    let (_, file, _) = live(events);
    let text = String::from_utf8(file.clone()).unwrap();
    let lengths: Vec<usize> = text.lines().rev().skip(1).take(3).map(str::len).collect();
    assert!(lengths.iter().all(|length| *length < 200), "{lengths:?}");
    let read: Vec<Event> = Recording::open(file.as_slice()).unwrap().map(|line| line.unwrap().1).collect();
    assert!(read.ends_with(&samples));
    // Without the one before, nobody knows what it was.
    let lost: String = text
        .lines()
        .filter(|line| !line.contains("\"sample\":[18446744073709551615,"))
        .map(|line| format!("{line}\n"))
        .collect();
    let error = Recording::open(lost.as_bytes()).unwrap().find_map(Result::err).unwrap().to_string();
    assert!(error.contains("changes a sample that was not told"), "{error}");
}

#[test]
fn only_what_a_killed_session_left_makes_room() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("talk");
    let ended = String::from_utf8(live(session()).1).unwrap();
    for other in ["", "a letter\n", &ended] {
        std::fs::write(&path, other).unwrap();
        assert_eq!(make_room(&path).unwrap(), None);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), other);
    }
    let end = "{\"at_micros\":1000000,\"end\":\"finished\"}\n".len();
    // The second one was killed in the middle of a line.
    for (number, cut) in [(1, end), (2, end + 5)] {
        std::fs::write(&path, &ended[..ended.len() - cut]).unwrap();
        let writes = std::fs::File::open(&path).unwrap();
        hold(&writes).unwrap();
        assert_eq!(make_room(&path).unwrap(), None, "somebody writes");
        drop(writes);
        let made = dir.path().join(format!("talk.{number}"));
        assert_eq!(make_room(&path).unwrap(), Some(made.clone()));
        assert!(!path.exists() && made.exists());
    }
    assert_eq!(make_room(&path).unwrap(), None);
}

#[test]
fn keys_that_typed_along_do_so_in_the_recording_as_well() {
    let mut events: Vec<Event> = session().into_iter().take(11).collect();
    events.extend([key(KeyCode::Char('x')), key(KeyCode::Char('y')), key(KeyCode::Enter), Event::Drawn]);
    let mut along = state();
    along.script.along = true;
    let (rows, file, lessons) = live_in(along, events.clone());
    assert_eq!(last_screen(Recording::open(file.as_slice()).unwrap(), &lessons).unwrap(), rows);
    // The last line says what a key does there, and so what it did.
    assert_ne!(live(events).0, rows);
}

#[test]
fn a_follower_sees_what_the_session_has_drawn_last_and_measures_what_a_key_was_pressed_on() {
    let mut events = session();
    // How far a page goes depends on what the frame before it measured.
    events.splice(
        9..9,
        [KeyCode::End, KeyCode::End, KeyCode::PageUp].into_iter().flat_map(|code| [key(code), Event::Drawn]),
    );
    let (rows, file, lessons) = live(events);
    let recording = Recording::open(file.as_slice()).unwrap();
    let mut player = Player::new(recording.header(), &lessons, Lang::Zh).unwrap();
    let mut drawn = false;
    for (at, event) in recording.map(Result::unwrap) {
        // Before the first frame all is shown as it comes.
        let is_frame = event == Event::Drawn;
        let moves = is_frame == drawn;
        drawn |= is_frame;
        player.push(at, event);
        assert_eq!(player.keep_up() != News::Nothing, moves, "at {at:?}");
        assert_eq!(player.keep_up(), News::Nothing, "it is there already");
    }
    assert_eq!(draw(player.state()), rows);
    player.edge(true);
    assert_eq!(draw(player.state()), rows);
}
