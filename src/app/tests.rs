//! Keys, focus, sizes: what the table says is what happens, and nothing panics.

use super::{Effect, Event, Focus, Look, Pane, State, View, keys, reads_the_frame, update};
use crate::{
    kernel::pid::Pid,
    lang::Lang,
    lesson::TerminalId,
    session::Action,
    terminal::Size,
    trace::{Call, TraceEvent},
    ui::stage,
};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use proptest::prelude::*;
use ratatui::{Terminal, backend::TestBackend, buffer::Buffer};

fn state(size: (u16, u16)) -> State {
    stage::state(Lang::En, size, Look::default())
}

fn event(key: keys::Key) -> KeyEvent {
    let (code, modifiers) = match key {
        keys::Key::Char(letter) => (KeyCode::Char(letter), KeyModifiers::NONE),
        keys::Key::Ctrl(letter) => (KeyCode::Char(letter), KeyModifiers::CONTROL),
        keys::Key::Enter => (KeyCode::Enter, KeyModifiers::NONE),
        keys::Key::Tab => (KeyCode::Tab, KeyModifiers::NONE),
        keys::Key::BackTab => (KeyCode::BackTab, KeyModifiers::SHIFT),
        keys::Key::Esc => (KeyCode::Esc, KeyModifiers::NONE),
        keys::Key::Backspace => (KeyCode::Backspace, KeyModifiers::NONE),
        keys::Key::Up => (KeyCode::Up, KeyModifiers::NONE),
        keys::Key::Down => (KeyCode::Down, KeyModifiers::NONE),
        keys::Key::PageUp => (KeyCode::PageUp, KeyModifiers::NONE),
        keys::Key::PageDown => (KeyCode::PageDown, KeyModifiers::NONE),
        keys::Key::Home => (KeyCode::Home, KeyModifiers::NONE),
        keys::Key::End => (KeyCode::End, KeyModifiers::NONE),
        keys::Key::Left => (KeyCode::Left, KeyModifiers::NONE),
        keys::Key::Right => (KeyCode::Right, KeyModifiers::NONE),
        keys::Key::F(number) => (KeyCode::F(number), KeyModifiers::NONE),
    };
    KeyEvent::new(code, modifiers)
}

/// A way to bring the app somewhere.
type Way = (&'static str, fn(&mut State));

const WAYS: [Way; 12] = [
    ("opening", |_| {}),
    ("preparing", |state| drop(stage::press(state, "\n"))),
    ("step start", |state| {
        stage::press(state, "\n");
        stage::prompts(state);
    }),
    ("question", stage::at_question),
    ("due", |state| {
        stage::at_question(state);
        stage::press(state, "1");
    }),
    ("held", stage::held),
    ("after", stage::after),
    ("refused", stage::refused),
    ("terminal", |state| {
        stage::held(state);
        stage::press(state, "t");
    }),
    ("help", |state| {
        stage::at_question(state);
        stage::press(state, "?");
    }),
    ("go to", |state| {
        stage::at_question(state);
        stage::press(state, "g");
    }),
    ("until", |state| {
        stage::held(state);
        stage::press(state, "u");
        stage::press(state, "mount");
    }),
];

fn there(way: Way, size: (u16, u16)) -> (State, Buffer) {
    let mut state = state(size);
    (way.1)(&mut state);
    stage::draw(&mut state);
    let buffer = stage::shot(&mut state);
    (state, buffer)
}

#[test]
fn every_key_in_the_bar_does_something() {
    for size in [(80, 24), (140, 45)] {
        for way in WAYS {
            let (first, before) = there(way, size);
            for binding in
                keys::bindings(&first).into_iter().filter(|binding| binding.rank.is_some() && !binding.keys.is_empty())
            {
                let mut state = first.clone();
                let effects = update(&mut state, Event::Key(event(binding.keys[0])));
                let seen = stage::shot(&mut state) != before;
                // Keys that choose may stand at the end of their list.
                let choice = matches!(binding.command, keys::Command::Up | keys::Command::Down);
                assert!(seen || !effects.is_empty() || choice, "{}: {:?} does nothing", way.0, binding);
            }
        }
    }
}

#[test]
fn the_bar_names_only_bound_keys() {
    for way in WAYS {
        let (state, _) = there(way, (200, 50));
        for binding in keys::bindings(&state).into_iter().filter(|binding| !binding.keys.is_empty()) {
            assert_eq!(keys::command(&state, binding.keys[0]), Some(binding.command), "{}: {binding:?}", way.0);
        }
    }
}

#[test]
fn only_keys_that_read_the_frame_depend_on_what_it_measured() {
    use keys::{Command, Key};
    const NAMED: [Key; 11] = [
        Key::Enter,
        Key::Tab,
        Key::BackTab,
        Key::Esc,
        Key::Backspace,
        Key::Up,
        Key::Down,
        Key::PageUp,
        Key::PageDown,
        Key::Home,
        Key::End,
    ];
    for way in WAYS {
        let (seen, _) = there(way, (80, 24));
        let mut unseen = seen.clone();
        unseen.extents.values_mut().for_each(|extent| extent.shows ^= true);
        let letters = (' '..='~').flat_map(|letter| [Key::Char(letter), Key::Ctrl(letter)]);
        for key in letters.chain(NAMED).chain((1..=12).map(Key::F)) {
            let does = keys::command(&seen, key);
            let reads = does != keys::command(&unseen, key)
                || matches!(does, Some(Command::Scroll(_) | Command::Page(_) | Command::Edge(_)));
            assert!(!reads || reads_the_frame(&event(key)), "{}: {key}: {does:?}", way.0);
        }
    }
}

#[test]
fn escape_and_a_key_right_after_it_are_two_keys() {
    let mut state = state((80, 24));
    stage::at_question(&mut state);
    stage::press(&mut state, "?");
    update(&mut state, Event::Key(KeyEvent::new(KeyCode::Char('g'), KeyModifiers::ALT)));
    assert!(matches!(state.overlay, Some(super::Overlay::GoTo(_))), "{:?}", state.overlay);
    stage::press(&mut state, "\x1b");
    stage::press(&mut state, "^gt");
    let sent = update(&mut state, Event::Key(KeyEvent::new(KeyCode::Char('b'), KeyModifiers::ALT)));
    assert_eq!(sent, [Effect::Write(TerminalId::Container, b"\x1bb".to_vec())]);
}

#[test]
fn a_terminal_gets_every_key_but_one() {
    let mut state = state((80, 24));
    stage::at_question(&mut state);
    // The prefix gives the lesson the keys that it has.
    assert_eq!(stage::press(&mut state, "^g"), [], "no key for the shell");
    assert_eq!(state.play.as_ref().unwrap().focus, Focus::Lesson);
    stage::press(&mut state, "t");
    assert_eq!(state.play.as_ref().unwrap().focus, Focus::Terminal);
    for key in ["q", "?", "l", "n", "^c", "\t", "\x1b"] {
        let effects = stage::press(&mut state, key);
        assert!(
            effects.iter().any(|effect| matches!(effect, Effect::Write(TerminalId::Container, _))),
            "{key:?}: {effects:?}"
        );
        assert!(!effects.contains(&Effect::Quit));
    }
    assert!(stage::press(&mut state, "^g").is_empty());
    assert_eq!(state.play.as_ref().unwrap().focus, Focus::Lesson);
    assert_eq!(stage::press(&mut state, "^g"), [Effect::Write(TerminalId::Container, vec![7])]);
    assert_eq!(state.play.as_ref().unwrap().focus, Focus::Terminal);
    stage::press(&mut state, "^g");
    assert_eq!(stage::press(&mut state, "q"), [Effect::Quit]);
}

#[test]
fn an_interrupt_lets_held_calls_go_first() {
    let mut state = state((80, 24));
    stage::held(&mut state);
    stage::press(&mut state, "t");
    let effects = stage::press(&mut state, "^c");
    let place = |wanted: &Effect| effects.iter().position(|effect| effect == wanted);
    let run_on = place(&Effect::Session(Action::RunOn(TerminalId::Container)));
    let interrupt = place(&Effect::Write(TerminalId::Container, vec![3]));
    assert!(run_on.is_some() && run_on < interrupt, "{effects:?}");
}

#[test]
fn a_held_call_comes_to_the_front_of_a_small_screen_and_goes_again() {
    let mut state = state((80, 24));
    stage::held(&mut state);
    assert_eq!(state.play.as_ref().unwrap().pane, Pane::Calls);
    stage::feed(&mut state, Event::Trace(TerminalId::Container, TraceEvent::Released(Pid(4702), Pid(4711))));
    stage::prompts(&mut state);
    assert_eq!(state.play.as_ref().unwrap().pane, Pane::Lesson);
}

#[test]
fn the_language_changes_in_the_middle_of_a_step() {
    let mut state = state((80, 24));
    stage::at_question(&mut state);
    stage::press(&mut state, "l");
    assert!(stage::text(&stage::shot(&mut state)).contains("先猜"));
    assert_eq!(state.play.as_ref().unwrap().session.step_index(), 1);
}

#[test]
fn a_screen_without_a_size_is_eighty_by_twenty_four() {
    let mut state = state((0, 0));
    assert_eq!(state.size, Size::USUAL);
    update(&mut state, Event::Resize(Size::new(100, 0)));
    assert_eq!(state.size, Size::USUAL);
    assert_eq!(state.view, View::Opening);
}

#[test]
fn every_size_survives_on_every_screen() {
    for way in WAYS {
        let mut there = state((80, 24));
        (way.1)(&mut there);
        for size in [
            (1, 1),
            (2, 2),
            (5, 1),
            (1, 50),
            (10, 3),
            (20, 5),
            (40, 10),
            (41, 11),
            (60, 14),
            (79, 23),
            (80, 24),
            (110, 32),
            (500, 200),
        ] {
            let mut state = there.clone();
            update(&mut state, Event::Resize(size.into()));
            stage::draw(&mut state);
            update(&mut state, Event::Resize(Size::new(80, 24)));
            stage::draw(&mut state);
        }
    }
}

#[derive(Clone, Debug)]
enum Step {
    Key(KeyCode, bool),
    Resize(u16, u16),
    Output(Vec<u8>),
    Paste(String),
    Held(i32),
    Released(i32),
    Prompts,
    Sample(bool),
    Closed,
    Deadline,
}

fn step() -> impl Strategy<Value = Step> {
    let letters = prop_oneof![
        prop::char::range(' ', '~').prop_map(KeyCode::Char),
        prop::sample::select(vec![
            KeyCode::Enter,
            KeyCode::Tab,
            KeyCode::BackTab,
            KeyCode::Esc,
            KeyCode::Up,
            KeyCode::Down,
            KeyCode::PageUp,
            KeyCode::PageDown,
            KeyCode::Home,
            KeyCode::End,
            KeyCode::Backspace,
            KeyCode::F(5),
            KeyCode::Char('容'),
        ]),
    ];
    prop_oneof![
        8 => (letters, prop::bool::weighted(0.1)).prop_map(|(code, control)| Step::Key(code, control)),
        1 => (0u16..260, 0u16..80).prop_map(|(columns, rows)| Step::Resize(columns, rows)),
        1 => prop::collection::vec(any::<u8>(), 0..80).prop_map(Step::Output),
        1 => prop::string::string_regex(".{0,40}").unwrap().prop_map(Step::Paste),
        1 => (4700i32..4715).prop_map(Step::Held),
        1 => (4700i32..4715).prop_map(Step::Released),
        1 => Just(Step::Prompts),
        1 => any::<bool>().prop_map(Step::Sample),
        1 => Just(Step::Closed),
        1 => Just(Step::Deadline),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn nothing_panics(steps in prop::collection::vec(step(), 1..60), zh in any::<bool>()) {
        let lang = if zh { Lang::Zh } else { Lang::En };
        let mut state = stage::state(lang, (80, 24), Look { ascii: zh, ..Look::default() });
        stage::press(&mut state, "\n");
        stage::prompts(&mut state);
        let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
        for step in steps {
            match step {
                Step::Key(code, control) => {
                    let modifiers = if control { KeyModifiers::CONTROL } else { KeyModifiers::NONE };
                    stage::feed(&mut state, Event::Key(KeyEvent::new(code, modifiers)));
                }
                Step::Resize(columns, rows) => drop(stage::feed(&mut state, Event::Resize(Size::new(columns, rows)))),
                Step::Output(bytes) => drop(stage::feed(&mut state, Event::Output(TerminalId::Container, bytes))),
                Step::Paste(text) => drop(stage::feed(&mut state, Event::Paste(text))),
                Step::Held(pid) => {
                    let call = Call::of(Pid(pid), "sh", "clone", [libc::SIGCHLD as u64, 0, 0, 0, 0, 0]);
                    stage::feed(&mut state, Event::Trace(TerminalId::Container, TraceEvent::Held(Pid(4702), call)));
                }
                Step::Released(pid) => {
                    stage::feed(&mut state, Event::Trace(TerminalId::Container, TraceEvent::Released(Pid(4702), Pid(pid))));
                }
                Step::Prompts => stage::prompts(&mut state),
                Step::Sample(new) => stage::sample(&mut state, if new { stage::unshared() } else { stage::plain() }),
                Step::Closed => drop(stage::feed(&mut state, Event::Closed(TerminalId::Container))),
                Step::Deadline => drop(stage::feed(&mut state, Event::Deadline)),
            }
            stage::draw_on(&mut terminal, &mut state);
        }
    }
}

#[test]
fn a_lesson_goes_on_where_it_was_left() {
    let mut first = state((80, 24));
    let effects = stage::press(&mut first, "\n");
    assert!(!effects.contains(&Effect::Save), "nothing is reached before the shells are there");
    stage::prompts(&mut first);
    let effects = stage::press(&mut first, "^gn");
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Session(Action::Restart(..)))), "{effects:?}");
    stage::prompts(&mut first);
    assert_eq!(first.play.as_ref().map(|play| play.session.step_index()), Some(1));

    let mut second = state((80, 24));
    second.resume(first.progress.clone());
    assert!(stage::text(&stage::shot(&mut second)).contains("Enter go on"));
    stage::press(&mut second, "\n");
    stage::prompts(&mut second);
    assert_eq!(second.play.as_ref().map(|play| play.session.step_index()), Some(1));
    let mut third = state((80, 24));
    third.resume(first.progress.clone());
    stage::press(&mut third, "b");
    stage::prompts(&mut third);
    assert_eq!(third.play.as_ref().map(|play| play.session.step_index()), Some(0));
}

#[test]
fn what_shells_say_reaches_the_session() {
    let mut state = state((140, 45));
    stage::at_question(&mut state);
    stage::press(&mut state, "1");
    let container = TerminalId::Container;
    stage::feed(&mut state, Event::Output(container, b"rm -r".to_vec()));
    let typed = |effects: &[Effect]| effects.iter().any(|effect| matches!(effect, Effect::Session(Action::Type(..))));
    assert!(!typed(&stage::press(&mut state, "^g ")), "nothing is typed behind half a line");
    let screen = stage::shot(&mut state);
    assert!(stage::text(&screen).contains("A line is half typed in the container terminal"));
    // The learner drops it, and has another one typed: this shell does not say when it begins to run it.
    stage::feed(&mut state, Event::Output(container, b"\x1b[5D\x1b[K".to_vec()));
    assert!(typed(&stage::press(&mut state, " ")));
    let submitted =
        |state: &State| state.play.as_ref().and_then(|play| play.session.submitted(container).map(String::from));
    stage::feed(&mut state, Event::Output(container, b"hostname box".to_vec()));
    assert_eq!(submitted(&state), None);
    stage::feed(&mut state, Event::Output(container, b"\r\n".to_vec()));
    assert_eq!(submitted(&state).as_deref(), Some("hostname box"));
}
