//! The end of a lesson, and where to go on from there.

use super::{Effect, Play, State, View, commands};
use crate::session::{LessonProgress, Phase};

/// Where a learner may go on at the end of a lesson.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Onward {
    /// To the first step that can be done here and is not.
    Step(usize),
    /// To the next lesson that is not done.
    Lesson(usize),
    /// Nothing is left: to what the whole course has come to.
    Course,
}

impl State {
    /// What a lesson has come to.
    pub(crate) fn reached(&self, index: usize) -> Option<LessonProgress> {
        let lesson = self.lesson(index)?;
        // Nobody's progress is kept of a lesson that plays by itself.
        let played = self.play.as_ref().filter(|play| self.auto && play.index == index);
        Some(
            played.map_or_else(
                || self.progress.of(lesson),
                |play| LessonProgress::played(lesson, play.session.outcomes()),
            ),
        )
    }

    /// What all lessons have come to.
    pub(crate) fn course(&self) -> Vec<LessonProgress> {
        (0..self.lessons.len()).filter_map(|index| self.reached(index)).collect()
    }

    /// Where to go on from the end of this lesson.
    pub(crate) fn onward(&self, index: usize) -> Option<Onward> {
        let left = self.reached(index)?.left();
        if let Some(first) = left.first().and_then(|number| number.checked_sub(1)) {
            return Some(Onward::Step(first));
        }
        let count = self.lessons.len();
        let open = |other: &usize| self.reached(*other).is_some_and(|lesson| !lesson.left().is_empty());
        let next = (1..count).map(|by| (index + by) % count).find(open);
        Some(next.map_or(Onward::Course, Onward::Lesson))
    }
}

impl Play {
    /// Whether the last step has come to its end.
    pub(crate) fn is_at_its_end(&self) -> bool {
        let last = self.session.step_index() + 1 >= self.session.lesson().steps.len();
        last && matches!(self.session.phase(), Phase::Done | Phase::Blocked(_))
    }
}

/// Shows what the lesson has come to; from there, goes on.
pub(crate) fn go_on(state: &mut State) -> Vec<Effect> {
    let View::Closing(Some(index)) = state.view else {
        state.view = View::Closing(state.play.as_ref().map(|play| play.index));
        state.top = 0;
        return Vec::new();
    };
    match state.onward(index) {
        Some(Onward::Step(step)) => {
            state.view = View::Lesson;
            commands::in_lesson_go_to(state, step)
        }
        Some(Onward::Lesson(next)) => {
            (state.selected, state.view) = (next, View::Opening);
            commands::accept(state)
        }
        Some(Onward::Course) => {
            state.view = View::Closing(None);
            state.top = 0;
            Vec::new()
        }
        None => Vec::new(),
    }
}
