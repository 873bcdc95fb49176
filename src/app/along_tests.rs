//! Typing along: what the shell gets for which key.

use super::{Effect, Event, Focus, NextKey, Script, State};
use crate::{
    lang::Lang,
    lesson::{Block, Check, Fact, Predict, Run, TerminalId, Way},
    session::{Action, Phase},
    ui::stage::{feed, press, prompts, sample, shot, step_of, text, unshared},
};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use std::time::Duration;

fn run(line: &str) -> Block {
    Block::Run(Run { line: line.into(), ..Run::default() })
}

/// A step with these blocks and a check that nothing fulfils, in which keys type along.
fn along(mut blocks: Vec<Block>, script: Script) -> State {
    let fact = Fact::Hostname(crate::lesson::Where::Inside, "box".into());
    let check = Check { fact, text: String::new(), source: String::new(), keeps: false, at: 1 };
    blocks.push(Block::Check(vec![check]));
    let mut state = step_of(blocks, (80, 24));
    state.script = script;
    state
}

const ALONG: Script = Script { along: true, pace: false, auto: None };

/// What these keys send to the shells.
fn sent(effects: &[Effect]) -> String {
    let written = effects.iter().filter_map(|effect| match effect {
        Effect::Write(_, bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        _ => None,
    });
    written.collect()
}

fn echo(state: &mut State, text: &str) {
    feed(state, Event::Output(TerminalId::Container, text.as_bytes().to_vec()));
}

fn next(state: &State) -> Option<NextKey> {
    state.play.as_ref().unwrap().next_key()
}

#[test]
fn any_key_types_the_next_character_and_return_the_rest_and_then_runs() {
    let mut state = along(vec![run("ls -l")], ALONG);
    assert_eq!(next(&state), Some(NextKey::Types));
    let effects = press(&mut state, "x ");
    assert_eq!(sent(&effects), "ls");
    echo(&mut state, "ls");
    assert_eq!(sent(&press(&mut state, "\n")), " -l", "it does not run yet");
    echo(&mut state, " -l");
    assert_eq!(sent(&press(&mut state, "abc")), "", "what is whole stays as it is");
    assert_eq!(next(&state), Some(NextKey::Runs));
    assert_eq!(sent(&press(&mut state, "\n")), "\r");
    echo(&mut state, "\r\n");
    assert_eq!(state.play.as_ref().unwrap().session.phase(), Phase::Running, "it is the line of the step");
}

#[test]
fn escape_gives_the_keys_to_the_speaker_and_back() {
    let mut state = along(vec![run("ls -l")], ALONG);
    assert_eq!(sent(&press(&mut state, "xx\x1b")), "ls");
    echo(&mut state, "ls");
    assert_eq!(sent(&press(&mut state, " -a")), " -a");
    echo(&mut state, " -a");
    press(&mut state, "\x1b");
    assert_eq!(next(&state), Some(NextKey::Own), "a line of the speaker's own stands there");
    assert_eq!(sent(&press(&mut state, "^u")), "\x15");
    echo(&mut state, "\x1b[5D\x1b[K");
    press(&mut state, "\x1b");
    assert_eq!(next(&state), Some(NextKey::Types));
    assert_eq!(sent(&press(&mut state, "zz")), "ls");
}

#[test]
fn the_line_may_be_changed_before_it_runs() {
    let mut state = along(vec![run("ls -l")], ALONG);
    press(&mut state, "\n");
    echo(&mut state, "ls -l");
    let back = Event::Key(KeyEvent::new(KeyCode::Backspace, KeyModifiers::NONE));
    assert_eq!(sent(&feed(&mut state, back)), "\x7f");
    assert_eq!(sent(&press(&mut state, "q")), "l", "the character that was taken back");
    let left = Event::Key(KeyEvent::new(KeyCode::Left, KeyModifiers::NONE));
    feed(&mut state, left);
    assert_eq!(sent(&press(&mut state, "a")), "a", "a speaker who moves in the line types on alone");
}

#[test]
fn what_is_not_known_is_left_to_the_speaker() {
    let mut state = along(vec![run("kill {container}")], ALONG);
    sample(&mut state, crate::observe::Sample::default());
    assert_eq!(sent(&press(&mut state, "\n")), "kill ");
    echo(&mut state, "kill ");
    assert_eq!(next(&state), Some(NextKey::Leaves));
    assert_eq!(sent(&press(&mut state, "42")), "42");
    let mut state = along(vec![run("kill {container}")], ALONG);
    sample(&mut state, unshared());
    assert_eq!(sent(&press(&mut state, "\n")), "kill 4711");
}

#[test]
fn without_it_keys_are_keys() {
    let mut state = along(vec![run("ls -l")], Script::default());
    assert_eq!(sent(&press(&mut state, "x")), "x");
    press(&mut state, "^gat");
    assert!(state.script.along);
    assert_eq!(state.play.as_ref().unwrap().focus, Focus::Terminal);
}

fn wake(effects: &[Effect]) -> Option<Duration> {
    effects.iter().rev().find_map(|effect| if let Effect::Wake(after) = effect { Some(*after) } else { None })
}

/// Lets time pass until the line has run; gives what was typed, and how long it took.
fn typed_by_itself(state: &mut State, effects: &[Effect]) -> (String, Duration) {
    let (mut text, mut took) = (sent(effects), wake(effects).unwrap());
    for _ in 0..200 {
        let effects = feed(state, Event::Woke);
        echo(state, &sent(&effects).replace('\r', "\r\n"));
        text.push_str(&sent(&effects));
        match wake(&effects) {
            Some(after) => took += after,
            None => return (text, took),
        }
        if text.ends_with('\r') {
            return (text, took);
        }
    }
    panic!("it types for ever: {text}");
}

#[test]
fn with_a_pace_a_line_types_itself_the_same_way_each_time() {
    let pace = Script { along: false, pace: true, auto: None };
    let mut times = Vec::new();
    for _ in 0..2 {
        let mut state = along(vec![run("unshare -pf sh")], pace);
        let effects = press(&mut state, " ");
        assert!(!effects.iter().any(|effect| matches!(effect, Effect::Session(Action::Type(..)))));
        assert_eq!(sent(&press(&mut state, "x")), "", "no key goes into it");
        let (text, took) = typed_by_itself(&mut state, &effects);
        assert_eq!(text, "unshare -pf sh\r");
        times.push(took);
    }
    assert_eq!(times[0], times[1]);
    assert!((Duration::from_secs(1)..Duration::from_secs(4)).contains(&times[0]), "{times:?}");
}

#[test]
fn it_plays_by_itself_answers_and_solutions_included() {
    let predict = Predict { question: "Which?".into(), options: vec!["a".into(), "b".into()], answer: 1 };
    let lines = vec![Run { line: "first".into(), ..Run::default() }, Run { line: "second".into(), ..Run::default() }];
    let auto = Script { along: false, pace: true, auto: Some(Duration::from_secs(3)) };
    let mut state =
        along(vec![Block::Predict(predict), run("ls"), Block::Solution(Way { runs: lines, or: false })], auto);
    // Whatever happens begins the waiting anew.
    let effects = press(&mut state, "?\x1b");
    assert_eq!(wake(&effects), Some(Duration::from_secs(3)));
    feed(&mut state, Event::Woke);
    assert_eq!(state.play.as_ref().unwrap().session.answer(0), Some(1));
    for line in ["ls", "first", "second"] {
        let effects = feed(&mut state, Event::Woke);
        let (text, _) = typed_by_itself(&mut state, &effects);
        assert_eq!(text, format!("{line}\r"));
        prompts(&mut state);
    }
    assert_eq!(wake(&feed(&mut state, Event::Woke)), None, "nothing is left to be done");
    assert!(matches!(state.play.as_ref().unwrap().session.phase(), Phase::Checking(_)));
}

#[test]
fn keys_that_come_faster_than_the_shell_answers_go_nowhere() {
    let mut state = along(vec![run("ls -l"), run("pwd")], ALONG);
    assert_eq!(sent(&press(&mut state, "xxx\n\n\nabc 1\n")), "ls -l\r", "one line, once");
    // The echo comes late, and in pieces.
    for piece in ["l", "s -", "l", "\r\n", "total 0\r\n"] {
        echo(&mut state, piece);
        let back = Event::Key(KeyEvent::new(KeyCode::Backspace, KeyModifiers::NONE));
        assert_eq!(sent(&feed(&mut state, back)), "", "{piece:?}");
        assert_eq!(sent(&press(&mut state, "q \n")), "", "{piece:?}");
    }
    assert_eq!(next(&state), Some(NextKey::Waits));
    assert_eq!(sent(&press(&mut state, "^c")), "\x03", "what runs can be interrupted");
    prompts(&mut state);
    assert_eq!(sent(&press(&mut state, "zz\n\n\n")), "pwd\r");
}

#[test]
fn a_line_is_not_taken_for_empty_because_its_echo_is_late() {
    let mut state = along(vec![run("ls -l")], ALONG);
    let back = || Event::Key(KeyEvent::new(KeyCode::Backspace, KeyModifiers::NONE));
    press(&mut state, "xx");
    feed(&mut state, back());
    feed(&mut state, back());
    echo(&mut state, "l");
    assert_eq!(sent(&press(&mut state, "yy")), "ls", "two were typed, and two taken back");
    assert_eq!(sent(&press(&mut state, "^c")), "\x03");
    echo(&mut state, "s^C\r\n");
    assert_eq!(sent(&press(&mut state, "x\n")), "", "the prompt is not back yet");
    prompts(&mut state);
    assert_eq!(sent(&press(&mut state, "\n\n")), "ls -l\r");
}

#[test]
fn where_no_line_is_due_keys_are_the_speakers_own_only_after_escape() {
    let mut state = step_of(vec![run("ls")], (80, 24));
    state.script = ALONG;
    press(&mut state, "\n\n");
    echo(&mut state, "ls\r\n");
    prompts(&mut state);
    assert_eq!(state.play.as_ref().unwrap().session.phase(), Phase::Done);
    assert_eq!(sent(&press(&mut state, "x\n")), "");
    assert!(state.idle.as_ref().is_some_and(|text| text.contains("Esc")), "{:?}", state.idle);
    press(&mut state, "\x1b");
    assert_eq!(sent(&press(&mut state, "x\n")), "x\r");
}

#[test]
fn escape_and_a_key_right_after_it_are_two_keys() {
    let mut state = along(vec![run("ls -l")], ALONG);
    press(&mut state, "x");
    let together = Event::Key(KeyEvent::new(KeyCode::Char('d'), KeyModifiers::ALT));
    assert_eq!(sent(&feed(&mut state, together.clone())), "d");
    assert!(state.play.as_ref().unwrap().along.free);
    // Keys of the speaker's own are what they are.
    assert_eq!(sent(&feed(&mut state, together)), "\x1bd");
}

#[test]
fn a_line_that_is_another_one_by_now_is_not_gone_on_with() {
    let mut state = along(vec![run("kill {container}")], ALONG);
    sample(&mut state, unshared());
    assert_eq!(sent(&press(&mut state, "\n")), "kill 4711");
    echo(&mut state, "kill 4711");
    sample(&mut state, crate::observe::Sample::default());
    assert_eq!(next(&state), Some(NextKey::Own), "there is no such container any more");
    let mut state = along(vec![run("ls -l")], ALONG);
    feed(&mut state, Event::Paste("echo".into()));
    echo(&mut state, "echo");
    assert_eq!(sent(&press(&mut state, "x")), "x", "what was pasted is the speaker's");
}

#[test]
fn what_is_hit_where_the_lesson_has_the_keys_is_no_word_for_the_shell() {
    for (script, word) in [(Script::default(), "echo"), (ALONG, "")] {
        let mut state = step_of(vec![run("ls")], (80, 24));
        press(&mut state, " ");
        echo(&mut state, "ls\r\n");
        prompts(&mut state);
        let play = state.play.as_ref().unwrap();
        assert_eq!((play.session.phase(), play.focus), (Phase::Done, Focus::Lesson));
        state.script = script;
        assert_eq!(sent(&press(&mut state, "echo")), word);
        assert_eq!(state.play.as_ref().unwrap().focus, Focus::Terminal);
    }
}

#[test]
fn the_key_bar_says_in_both_languages_what_the_next_key_does() {
    let mut state = along(vec![run("ls -l")], ALONG);
    for (lang, shown, other) in [(Lang::En, "any key", "任意键"), (Lang::Zh, "任意键", "any key")] {
        state.lang = lang;
        let text = text(&shot(&mut state));
        let bar = text.lines().last().unwrap();
        assert!(bar.contains(shown) && !bar.contains(other), "{bar}");
    }
}
