//! Text out of the screen.

use super::{
    pane_text,
    stage::{self, after, feed, press, prompts, shot, text},
};
use crate::{
    app::{Copied, Effect, Event, Look, Pane, Zoom},
    lang::Lang,
    lesson::TerminalId,
};

#[test]
fn what_has_the_whole_screen_has_no_frame() {
    let mut state = stage::state(Lang::En, (80, 24), Look::default());
    after(&mut state);
    press(&mut state, "3z");
    assert_eq!(state.play.as_ref().unwrap().zoom, Some(Zoom::Pane));
    let seen = text(&shot(&mut state));
    assert!(seen.contains("pid_for_children") && !seen.contains(['│', '─', '╭']), "{seen}");
    press(&mut state, "z");
    feed(&mut state, Event::Output(TerminalId::Container, b"of the shell\r\n".to_vec()));
    let seen = text(&shot(&mut state));
    assert!(seen.contains("of the shell") && !seen.contains(['│', '─', '╭']), "{seen}");
    press(&mut state, "z");
    assert!(text(&shot(&mut state)).contains('╭'));
    press(&mut state, "z\x1b");
    assert_eq!(state.play.as_ref().unwrap().zoom, None, "Escape leaves it, and not the lesson");
    assert_eq!(state.view, crate::app::View::Lesson);
}

#[test]
fn the_line_the_pane_and_the_pid_are_copied() {
    let mut state = stage::state(Lang::En, (80, 24), Look::default());
    press(&mut state, "\n");
    prompts(&mut state);
    press(&mut state, "^g");
    assert_eq!(press(&mut state, "y"), [Effect::Copy(Copied::Line, "ls -l /proc/self/ns".into())]);
    let pid = state.play.as_ref().unwrap().sample.as_ref().unwrap().container.unwrap();
    assert_eq!(press(&mut state, "P"), [Effect::Copy(Copied::Pid, pid.to_string())]);
    assert_eq!(press(&mut state, "Y"), [Effect::CopyPane(Pane::Lesson)]);
    let whole = pane_text(&state, Pane::Lesson);
    assert!(whole.starts_with("A shell is a process like any other.") && !whole.contains('│'), "{whole}");
    press(&mut state, "zz");
    assert!(
        matches!(press(&mut state, "Y").as_slice(), [Effect::Copy(Copied::Terminal, text)] if text.starts_with('$'))
    );
}
