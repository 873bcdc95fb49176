//! What is typed ahead of a shell: a terminal keeps it until its program reads, and so does the lab, whose shells start after
//! the first frame.

use super::{Effect, State, input::send};
use crate::{lesson::TerminalId, session::Phase};

/// How much is kept, in bytes: as much as a terminal keeps of a line (termios(3)).
const MAX: usize = 4096;

/// Sends a terminal what was typed or pasted, or keeps it until its shell is ready.
pub(super) fn send_or_keep(state: &mut State, terminal: TerminalId, bytes: Vec<u8>) -> Vec<Effect> {
    if !is_preparing(state) {
        return send(state, terminal, bytes);
    }
    if let Some(play) = &mut state.play
        && play.ahead.iter().map(|(_, kept)| kept.len()).sum::<usize>() + bytes.len() <= MAX
    {
        play.ahead.push((terminal, bytes));
    }
    Vec::new()
}

/// Sends what was kept, once the shells are ready for it.
pub(super) fn catch_up(state: &mut State) -> Vec<Effect> {
    if is_preparing(state) {
        return Vec::new();
    }
    let kept = state.play.as_mut().map(|play| std::mem::take(&mut play.ahead)).unwrap_or_default();
    kept.into_iter().flat_map(|(terminal, bytes)| send(state, terminal, bytes)).collect()
}

fn is_preparing(state: &State) -> bool {
    state.play.as_ref().is_some_and(|play| matches!(play.session.phase(), Phase::Preparing(..)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{MAX, State};
    use crate::{
        app::{Effect, Event, Focus},
        lesson::TerminalId,
        ui::stage,
    };

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
}
