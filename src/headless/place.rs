//! Which lesson or step is meant by a name.

use crate::{
    kernel::text::printable,
    lang::Lang,
    lesson::{self, Lesson, Requirement, Translations},
    near::nearest,
};

/// A lesson, or one step of it.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(super) lesson: Lesson,
    pub(super) step: Option<usize>,
    pub(super) next: Option<String>,
}

/// No lesson, or no step, of a name.
#[derive(Debug)]
pub(crate) struct NoPlace {
    /// What there is instead.
    pub what: String,
    /// The name that was most likely meant, whole.
    pub near: Option<String>,
}

/// Finds `LESSON` or `LESSON/STEP` (a step's name or number from 1); the error says what there is instead.
pub(crate) fn place(name: &str, lessons: &[Translations], lang: Lang) -> Result<Place, NoPlace> {
    let (id, step) = name.split_once('/').map_or((name, None), |(id, step)| (id, Some(step)));
    let translations = lessons.iter().find(|lesson| lesson.id() == id).ok_or_else(|| {
        let known: Vec<&str> = lessons.iter().map(Translations::id).collect();
        let rest = step.map(|step| format!("/{step}")).unwrap_or_default();
        let near = nearest(id, known.iter().copied()).map(|near| format!("{near}{rest}"));
        let id = printable(id);
        let what = lang.pick(
            format!("no lesson `{id}`; the lessons are: {}", known.join(", ")),
            format!("没有课程 `{id}`；现有：{}", known.join("、")),
        );
        NoPlace { what, near }
    })?;
    let lesson = translations.best(lang).cloned().unwrap_or_default();
    let step = match step {
        None | Some("") => None,
        Some(step) => Some(step_index(&lesson, step).ok_or_else(|| {
            let known: Vec<&str> = lesson.steps.iter().map(|step| step.id.as_str()).collect();
            let near = nearest(step, known.iter().copied()).map(|near| format!("{id}/{near}"));
            let step = printable(step);
            let what = lang.pick(
                format!(
                    "no step `{step}` in `{id}`; the steps are 1 to {}, or by name: {}",
                    known.len(),
                    known.join(", ")
                ),
                format!("`{id}` 没有步骤 `{step}`；可用 1 到 {}，或名字：{}", known.len(), known.join("、")),
            );
            NoPlace { what, near }
        })?),
    };
    let at = lessons.iter().position(|lesson| lesson.id() == id);
    let next = at.and_then(|at| lessons.get(at + 1)).map(|next| next.id().to_string());
    Ok(Place { lesson, step, next })
}

fn step_index(lesson: &Lesson, name: &str) -> Option<usize> {
    let number = name.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
    number.filter(|index| *index < lesson.steps.len()).or_else(|| lesson.steps.iter().position(|step| step.id == name))
}

impl Place {
    /// The lesson and the step to begin with.
    pub(crate) fn parts(&self) -> (&str, usize) {
        (&self.lesson.id, self.step.unwrap_or(0))
    }

    /// Whether a step of it needs this of the machine.
    pub(crate) fn needs(&self, need: &Requirement) -> bool {
        let mut steps = (0..self.lesson.steps.len()).filter(|index| self.step.is_none_or(|step| step == *index));
        steps.any(|step| lesson::needs(&self.lesson, step).contains(need))
    }

    /// What is said before its commands run, where they come from a directory of the user's.
    pub(crate) fn consent(&self, lang: Lang) -> Vec<String> {
        lesson::consent(&self.lesson, lang)
    }

    /// Whether its commands come from a directory of the user's.
    pub(crate) fn foreign(&self) -> bool {
        self.lesson.foreign
    }
}
