//! A lesson that its author has changed while it is played.

use super::{Effect, Pane, State, commands};
use crate::lesson::{self, Edited};

/// Puts the lesson in the place of the one that it was. Where only sentences are other ones, the step goes on; otherwise it begins
/// again. Where something is wrong with the files, that is said, and the lesson stays as it was.
pub(super) fn edited(state: &mut State, edited: &Edited) -> Vec<Effect> {
    let mut new = match edited.lesson() {
        Ok(lesson) => lesson,
        Err(problem) => {
            state.trouble = Some(problem.to_string());
            return Vec::new();
        }
    };
    let id = new.id().to_owned();
    let Some(index) = state.lessons.iter().position(|known| known.id() == id) else { return Vec::new() };
    let Some(known) = state.lessons.get_mut(index) else { return Vec::new() };
    if let Some(old) = known.any() {
        for lesson in new.values_mut() {
            (lesson.foreign, lesson.pack) = (old.foreign, old.pack.clone());
        }
    }
    *known = new;
    state.trouble = None;
    state.said = Some(state.lang.pick(format!("{id} was read again"), format!("已重新读取 {id}")));
    let Some(lesson) = state.lesson(index).cloned() else { return Vec::new() };
    let Some(play) = state.play.as_mut().filter(|play| play.index == index) else { return Vec::new() };
    if lesson::says_it_otherwise(play.session.lesson(), &lesson) {
        play.session.translate(lesson);
        play.tops.remove(&Pane::Lesson);
        return Vec::new();
    }
    // Commands that nobody has seen yet are shown before they run.
    let unseen = lesson::commands(play.session.lesson()) != lesson::commands(&lesson);
    let at = play.session.step_index();
    let step = play.session.step().and_then(|step| lesson.steps.iter().position(|other| other.id == step.id));
    let step = step.unwrap_or(at.min(lesson.steps.len().saturating_sub(1)));
    if unseen { commands::open(state, index, step) } else { commands::begin(state, index, step) }
}
