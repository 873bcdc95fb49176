//! What is typed for the shell when a step is done, or a call is held.

use super::{Effect, Event, Focus, Pane, State, View};
use crate::{
    lang::Lang,
    lesson::{Block, Check, Fact, Run, TerminalId},
    session::{Action, Phase},
    ui::stage,
};

const CONTAINER: TerminalId = TerminalId::Container;

fn play(state: &State) -> &super::Play {
    state.play.as_ref().unwrap()
}

fn bar(state: &mut State) -> String {
    stage::shot(state);
    stage::text(&stage::shot(state)).lines().last().unwrap_or_default().to_string()
}

/// What was sent to the container's terminal.
fn written(effects: &[Effect]) -> String {
    let bytes = effects.iter().filter_map(|effect| match effect {
        Effect::Write(CONTAINER, bytes) => Some(bytes.clone()),
        _ => None,
    });
    String::from_utf8(bytes.flatten().collect()).unwrap()
}

fn begins_anew(effects: &[Effect]) -> bool {
    effects.iter().any(|effect| matches!(effect, Effect::Session(Action::Restart(..))))
}

const PROMPT: &[u8] = b"\r\n\x1b]133;D;0;aid=1\x07\x1b]133;A\x07$ \x1b]133;B\x07";

/// The last step of two, done: by Space, or by typing.
fn done(typed: bool) -> State {
    let fact = Fact::Namespace(vec![crate::kernel::namespaces::Kind::Pid], false);
    let check = Check { fact, text: "it is the host's".into(), source: String::new(), keeps: true, at: 1 };
    let run = Run { terminal: CONTAINER, line: "ls".into(), ..Run::default() };
    let mut state = stage::step_of(vec![Block::Run(run), Block::Check(vec![check])], (80, 24));
    stage::press(&mut state, if typed { "ls\n" } else { " " });
    stage::feed(&mut state, Event::Output(CONTAINER, PROMPT.to_vec()));
    assert_eq!(play(&state).session.phase(), Phase::Done);
    state
}

#[test]
fn typing_goes_on_and_space_goes_on_at_an_empty_prompt() {
    let mut state = done(true);
    assert_eq!(play(&state).focus, Focus::Terminal);
    let text = bar(&mut state);
    assert!(text.contains("Space next step") && text.contains("^G lesson keys: "), "{text}");
    assert_eq!(written(&stage::press(&mut state, "ps -q")), "ps -q");
    let text = bar(&mut state);
    assert!(!text.contains("Space") && text.contains("^G lesson keys: "), "{text}");
    assert_eq!(play(&state).session.step_index(), 0);
    stage::press(&mut state, "^glt");
    let text = bar(&mut state);
    assert!(!text.contains("Space") && text.contains("^G 课程键："), "{text}");
    // ^C, and the prompt is empty again.
    stage::press(&mut state, "^c");
    stage::feed(&mut state, Event::Output(CONTAINER, PROMPT.to_vec()));
    let text = bar(&mut state);
    assert!(text.contains("Space 下一步") && text.contains("^G 课程键："), "{text}");
    stage::press(&mut state, " ");
    assert_eq!(play(&state).session.step_index(), 1);
}

#[test]
fn the_lessons_keys_are_there_at_once_when_asked_for() {
    let mut state = done(true);
    stage::press(&mut state, "^gr");
    assert_eq!(play(&state).session.phase(), Phase::Preparing(0, 0));
    // Who has them and asks again keeps them.
    let mut state = done(false);
    stage::press(&mut state, "^gr");
    assert_eq!(play(&state).session.phase(), Phase::Preparing(0, 0));
}

#[test]
fn a_step_by_space_gives_the_lessons_keys() {
    let mut state = done(false);
    assert_eq!(play(&state).focus, Focus::Lesson);
    stage::press(&mut state, "s");
    assert_eq!(play(&state).pane, Pane::Source);
    stage::press(&mut state, " ");
    assert_eq!(play(&state).session.step_index(), 1, "one letter is no word");
    let mut state = done(false);
    assert_eq!(stage::press(&mut state, "q"), [Effect::Quit]);
}

#[test]
fn a_command_typed_after_a_step_by_space_reaches_the_shell_whole() {
    for line in
        ["ps -ef", "ip add", "ls -l", "cat /x", "hostname box", "mount", "nsenter -a", "echo hi", "chroot x", "sq q"]
    {
        let mut state = done(false);
        let effects = stage::press(&mut state, line);
        let state = &state;
        // `ls` is spelled by two keys of the lesson: the blank is asked for, and what follows it tells.
        assert_eq!(written(&effects), line, "{line}");
        assert!(!begins_anew(&effects) && !effects.contains(&Effect::Quit), "{line}: {effects:?}");
        assert_eq!((play(state).focus, play(state).session.step_index()), (Focus::Terminal, 0), "{line}");
        assert_eq!((state.view, state.lang, play(state).shown), (View::Lesson, Lang::En, CONTAINER), "{line}");
    }
}

#[test]
fn what_would_end_the_container_is_asked_for_once_more() {
    let mut state = done(false);
    let effects = stage::press(&mut state, "r");
    assert!(!begins_anew(&effects));
    assert!(state.idle.as_ref().is_some_and(|text| text.starts_with("r once more: begin again")), "{:?}", state.idle);
    assert!(begins_anew(&stage::press(&mut state, "r")));
    let mut state = done(false);
    stage::press(&mut state, "r ");
    assert_eq!((play(&state).session.step_index(), play(&state).focus), (0, Focus::Lesson), "Space takes it back");
    stage::press(&mut state, " ");
    assert_eq!(play(&state).session.step_index(), 1);
    let mut state = done(false);
    assert_eq!(stage::press(&mut state, "sq"), [], "it may be a word");
    assert_eq!(stage::press(&mut state, "q"), [Effect::Quit]);
}

#[test]
fn while_a_call_is_held_no_word_loses_anything() {
    for lang in Lang::ALL {
        let mut state = stage::state(lang, (80, 24), super::Look::default());
        stage::held(&mut state);
        let held = play(&state).session.held().to_vec();
        let effects = stage::press(&mut state, "ps -ef; ls -l; apps; run -n\n");
        let acts = |effect: &Effect| matches!(effect, Effect::Session(Action::Step(_) | Action::RunOn(_)));
        assert!(!begins_anew(&effects) && !effects.iter().any(acts), "{effects:?}");
        assert_eq!((written(&effects).as_str(), play(&state).session.held()), ("", held.as_slice()));
        assert_eq!((state.lang, play(&state).focus), (lang, Focus::Lesson));
        // A letter without a meaning says so, and what ends the container is asked for once more.
        stage::press(&mut state, "m\x1b");
        assert_eq!(state.view, View::Lesson, "Escape takes it back");
        stage::press(&mut state, "m");
        assert!(state.idle.is_some());
        let effects = stage::press(&mut state, " ");
        assert!(!effects.iter().any(acts), "it takes the letter back");
        assert!(stage::press(&mut state, " ").iter().any(acts));
    }
}

/// Who types at once when a step opens has the keys of the lesson still: none of the letters is one.
#[test]
fn a_word_while_the_step_is_prepared_goes_to_no_key() {
    let mut state = done(true);
    stage::press(&mut state, "^gr");
    assert_eq!(play(&state).session.phase(), Phase::Preparing(0, 0));
    let step = play(&state).session.step_index();
    stage::press(&mut state, "unshare -m\r");
    assert_eq!((play(&state).session.phase(), play(&state).session.step_index()), (Phase::Preparing(0, 0), step));
    assert!(state.overlay.is_none() && !state.script.along);
}
