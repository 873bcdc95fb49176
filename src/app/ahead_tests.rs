//! What is typed ahead of the lab's shells.

use super::{Effect, Event, Focus, State, ahead::MAX};
use crate::{lesson::TerminalId, ui::stage};

/// What the shell in the container's terminal got.
fn written(effects: &[Effect]) -> String {
    let bytes = effects.iter().filter_map(|effect| match effect {
        Effect::Write(TerminalId::Container, bytes) => Some(bytes.clone()),
        _ => None,
    });
    String::from_utf8(bytes.flatten().collect()).unwrap()
}

fn ready(state: &mut State) -> Vec<Effect> {
    let prompt = b"\x1b]133;D;0;aid=1\x07\x1b]133;A\x07$ \x1b]133;B\x07".to_vec();
    let ready = |terminal| stage::feed(state, Event::Output(terminal, prompt.clone()));
    TerminalId::ALL.into_iter().flat_map(ready).collect()
}

#[test]
fn keys_and_texts_wait_for_the_shell_in_their_order() {
    let mut state = stage::lab();
    assert_eq!(state.play.as_ref().unwrap().focus, Focus::Terminal);
    let mut early = stage::press(&mut state, "id");
    early.extend(stage::feed(&mut state, Event::Paste(" -u".into())));
    early.extend(stage::press(&mut state, "\n"));
    assert_eq!(written(&early), "");
    assert_eq!(written(&ready(&mut state)), "id -u\r");
    assert_eq!(written(&stage::press(&mut state, "w")), "w", "and what comes later goes at once");
}

#[test]
fn where_no_shell_comes_the_keys_are_the_screens() {
    let mut state = stage::lab();
    stage::feed(&mut state, Event::Closed(TerminalId::Container));
    assert_eq!(state.play.as_ref().unwrap().focus, Focus::Lesson);
    assert_eq!(stage::press(&mut state, "q"), [Effect::Quit]);
}

#[test]
fn no_more_is_kept_than_a_terminal_keeps_of_a_line() {
    let mut state = stage::lab();
    stage::feed(&mut state, Event::Paste("x".repeat(MAX)));
    stage::press(&mut state, "y");
    assert_eq!(written(&ready(&mut state)), "x".repeat(MAX));
}
