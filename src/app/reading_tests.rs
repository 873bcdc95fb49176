//! Every line of every step can be read, on every screen, and a place that was scrolled to stays.

use super::{Event, Focus, Pane, Prefix, State, update};
use crate::{
    app::{Extent, Look},
    lang::Lang,
    session::Phase,
    terminal::Size,
    ui::stage::{self, press, shot},
};
use crossterm::event::KeyCode;

/// Two where there is much to scroll; that nothing is out of reach on any other is tested beside the drawing.
const SIZES: [Size; 2] = [Size::USUAL, Size::new(60, 18)];

/// An app with the lessons that come with the program.
pub(super) fn app(lang: Lang) -> State {
    let facts = stage::state(lang, SIZES[0], Look::default()).facts;
    State::new(lang, Look::default(), facts, crate::lesson::embedded_once().to_vec(), Prefix::default())
}

/// Goes to a step of a lesson, its replay done.
pub(super) fn go(state: &mut State, lesson: usize, step: usize) {
    state.size = SIZES[0];
    let lesson = state.lessons[lesson].id().to_string();
    update(state, Event::Open(lesson, step));
    for _ in 0..200 {
        if !matches!(play(state).session.phase(), Phase::Preparing(..)) {
            break;
        }
        stage::prompts(state);
        stage::sample(state, stage::plain());
        stage::feed(state, Event::Deadline);
    }
    assert!(!matches!(play(state).session.phase(), Phase::Preparing(..)));
}

fn play(state: &State) -> &super::Play {
    state.play.as_ref().unwrap()
}

fn key(state: &mut State, code: KeyCode) -> Extent {
    // A step that goes on gives the keys to the terminal.
    if play(state).focus == Focus::Terminal {
        press(state, "^g");
    }
    let effects = update(state, Event::Key(code.into()));
    assert!(!effects.iter().any(|effect| matches!(effect, super::Effect::Write(..))), "{code:?} goes to the shell");
    extent(state)
}

fn extent(state: &mut State) -> Extent {
    shot(state);
    state.extents[&Some(Pane::Lesson)]
}

/// Reads from the beginning to the end; every line was to be seen, and each place stays.
fn reads(state: &mut State, place: &str) {
    extent(state);
    let mut now = key(state, KeyCode::Home);
    assert_eq!(now.top, 0, "{place}");
    while now.top < now.last_top() {
        let next = key(state, KeyCode::PageDown);
        assert!(next.top > now.top && next.top <= now.top + now.rows, "{place}: {now:?}, then {next:?}");
        if state.size == SIZES[0] {
            stage::sample(state, stage::plain());
        }
        if play(state).focus == Focus::Terminal {
            press(state, "^g");
        }
        now = extent(state);
        // A reader at the end stays there, where it moves.
        let stays = now.top == next.top || next.top == next.last_top() && now.top == now.last_top();
        assert!(stays, "{place}: a sample moves what is read: {next:?}, then {now:?}");
    }
    let up = key(state, KeyCode::Up);
    assert_eq!(up.top, now.last_top().saturating_sub(1), "{place}");
    let end = key(state, KeyCode::End);
    assert_eq!((end.top, end.last_top()), (now.last_top(), now.last_top()), "{place}");
    assert_eq!(extent(state).top, end.top, "{place}: the end stays");
}

#[test]
#[ignore = "takes long: cargo test --lib -- --ignored"]
fn every_line_of_every_step_can_be_read_with_all_hints_open() {
    for lang in Lang::ALL {
        let mut state = app(lang);
        let steps = |state: &State, lesson| state.lesson(lesson).map_or(0, |lesson| lesson.steps.len());
        for lesson in 0..state.lessons.len() {
            for step in 0..steps(&state, lesson) {
                go(&mut state, lesson, step);
                for answered in [false, true] {
                    if answered && play(&state).answers() > 0 {
                        shot(&mut state);
                        press(&mut state, " 1");
                    }
                    if play(&state).focus == Focus::Terminal {
                        press(&mut state, "^g");
                    }
                    press(&mut state, "hhh");
                    for size in SIZES {
                        update(&mut state, Event::Resize(size));
                        let title = &play(&state).session.lesson().id;
                        let place = format!("{title}/{} {size:?} {lang:?} answered {answered}", step + 1);
                        reads(&mut state, &place);
                    }
                }
            }
        }
    }
}

#[test]
fn at_the_end_one_stays_there_when_more_comes() {
    let mut state = stage::state(Lang::En, (60, 18), Look::default());
    stage::at_question(&mut state);
    press(&mut state, "hh");
    let end = key(&mut state, KeyCode::End);
    assert!(end.last_top() > 0 && end.top == end.last_top(), "{end:?}");
    // The question and the hints take fewer rows on a larger screen, and more on a smaller one.
    update(&mut state, Event::Resize(Size::new(50, 14)));
    let smaller = extent(&mut state);
    assert!(smaller.lines > end.lines && smaller.top == smaller.last_top(), "{smaller:?}");
    // What was scrolled away from the end stays where it is.
    let up = key(&mut state, KeyCode::Up);
    stage::sample(&mut state, stage::unshared());
    assert_eq!(extent(&mut state).top, up.top);
}
