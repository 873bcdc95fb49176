//! Every step of every lesson at every size, in both languages: what is asked can be seen, and each frame stands straight.

use super::{Focus, Pane, State, update};
use crate::{
    app::Event,
    lang::Lang,
    session::Phase,
    ui::stage::{boxes, press, shot, straight, text},
};

/// Small, the sizes in which terminals start, projectors, and large screens.
const SIZES: [(u16, u16); 6] = [(80, 24), (100, 30), (120, 30), (140, 45), (200, 60), (60, 18)];

/// Draws the state at each size; gives those at which not all of the question is to be seen, without a key.
fn look(state: &mut State, place: &str, asks: bool) {
    for size in SIZES {
        update(state, Event::Resize(size.into()));
        let frame = shot(state);
        straight(&text(&frame), size);
        // An overlay lies over the corners of others.
        if state.overlay.is_none() {
            boxes(&frame);
        }
        let frame = shot(state);
        let extent = state.extents.get(&Some(Pane::Lesson)).copied().unwrap_or_default();
        let text = text(&frame);
        let bar = text.lines().last().unwrap_or_default();
        let offered = ["show the question", "看问题"].iter().any(|offer| bar.contains(offer));
        assert!(!asks || extent.shows || offered, "{place} at {size:?}: the question is hidden\n{text}");
    }
}

fn asks(state: &State) -> bool {
    state.play.as_ref().is_some_and(|play| play.answers() > 0)
}

#[test]
#[ignore = "takes long: cargo test --lib -- --ignored"]
fn every_step_at_every_size() {
    for lang in Lang::ALL {
        let mut state = super::reading_tests::app(lang);
        let steps = |state: &State, lesson| state.lesson(lesson).map_or(0, |lesson| lesson.steps.len());
        for lesson in 0..state.lessons.len() {
            for step in 0..steps(&state, lesson) {
                super::reading_tests::go(&mut state, lesson, step);
                let id = state.lessons[lesson].id().to_string();
                let place = format!("{id}/{} {lang:?}", step + 1);
                let play = |state: &State| state.play.as_ref().unwrap().session.phase().clone();
                assert!(!matches!(play(&state), Phase::Preparing(..)));
                let question = asks(&state);
                look(&mut state, &place, question);
                if state.play.as_ref().unwrap().focus == Focus::Terminal {
                    press(&mut state, "^g");
                }
                press(&mut state, "hhh");
                look(&mut state, &format!("{place}, with all hints"), false);
                for overlay in ["?", "g", "w"] {
                    press(&mut state, overlay);
                    look(&mut state, &format!("{place}, {overlay}"), false);
                    press(&mut state, "\x1b");
                }
            }
        }
    }
}
