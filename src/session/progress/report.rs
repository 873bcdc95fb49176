//! How far the learner has come, as a text, as Markdown and as JSON: `boxwright progress`.

use super::{
    super::closing::{apart, predicted},
    LessonProgress, Predictions, Standing,
};
use crate::{columns::align, lang::Lang};
use serde::Serialize;

/// Whether nothing was done in any lesson.
pub(crate) fn is_empty(lessons: &[LessonProgress]) -> bool {
    lessons.iter().all(LessonProgress::is_untouched)
}

/// One line a lesson; below it the steps that a number does not tell of.
pub(crate) fn text(lessons: &[LessonProgress], lang: Lang) -> Vec<String> {
    if is_empty(lessons) {
        let none = "No progress yet: `boxwright` starts the first lesson.";
        return vec![lang.pick(none, "还没有学习进度：运行 boxwright 开始第一课。").into()];
    }
    let rows: Vec<Vec<String>> = lessons.iter().map(|lesson| cells(lesson, lang)).collect();
    let mut lines = Vec::new();
    for (line, lesson) in align(&rows).into_iter().zip(lessons) {
        lines.push(line);
        let named = lesson.steps.iter().enumerate().filter(|(_, step)| told_apart(&step.standing));
        let steps = named.map(|(index, step)| {
            let colon = lang.pick(": ", "：");
            format!("    {} {}{colon}{}", index + 1, step.title, word(&step.standing, lang))
        });
        lines.extend(steps);
    }
    lines.push(total(lessons, lang));
    lines
}

fn cells(lesson: &LessonProgress, lang: Lang) -> Vec<String> {
    let steps = format!("{}/{}", lesson.done(), lesson.steps.len());
    let asked = lesson.predictions();
    vec![
        lesson.id.clone(),
        lang.pick(format!("{steps} done"), format!("完成 {steps}")),
        lang.pick(
            format!("{}/{} predicted right", asked.right, asked.all),
            format!("猜对 {}/{}", asked.right, asked.all),
        ),
        apart(lesson, lang).unwrap_or_default(),
    ]
}

fn told_apart(standing: &Standing) -> bool {
    !matches!(standing, Standing::Done | Standing::Open)
}

fn word(standing: &Standing, lang: Lang) -> String {
    match standing {
        Standing::Open => lang.pick("not done yet", "还没有做").into(),
        Standing::Skipped => lang.pick("skipped", "跳过").into(),
        Standing::Helped => lang.pick("done with the solution shown", "看了答案").into(),
        Standing::Done => lang.pick("done", "完成").into(),
        Standing::Impossible(why) => lang.pick(format!("not possible here: {why}"), format!("本机做不了：{why}")),
    }
}

fn total(lessons: &[LessonProgress], lang: Lang) -> String {
    let complete = lessons.iter().filter(|lesson| lesson.is_complete()).count();
    let all = lessons.len();
    let Predictions { all: asked, right, .. } = lessons.iter().map(LessonProgress::predictions).sum();
    lang.pick(
        format!("{complete} of {all} lessons done, {right} of {asked} predictions right"),
        format!("共 {all} 课，完成 {complete} 课；{asked} 题猜对 {right} 题"),
    )
}

/// A table of the lessons, then a list of the steps of each that was begun.
pub(crate) fn markdown(lessons: &[LessonProgress], lang: Lang) -> Vec<String> {
    if is_empty(lessons) {
        return text(lessons, lang);
    }
    let head = lang.pick(
        "| Lesson | Done | With help | Skipped | Not possible here | Predictions |",
        "| 课程 | 完成 | 看了答案 | 跳过 | 本机做不了 | 猜对 |",
    );
    let mut lines = vec![head.to_string(), "|---|---|---|---|---|---|".into()];
    for lesson in lessons {
        let asked = lesson.predictions();
        let number = |kind: fn(&Standing) -> bool| lesson.count(kind);
        lines.push(format!(
            "| {} | {}/{} | {} | {} | {} | {}/{} |",
            cell(&lesson.title),
            lesson.done(),
            lesson.steps.len(),
            number(|standing| *standing == Standing::Helped),
            number(|standing| *standing == Standing::Skipped),
            number(|standing| matches!(standing, Standing::Impossible(_))),
            asked.right,
            asked.all
        ));
    }
    for lesson in lessons.iter().filter(|lesson| !lesson.is_untouched()) {
        lines.extend([String::new(), format!("## {}", lesson.title), String::new()]);
        for (index, step) in lesson.steps.iter().enumerate() {
            let mark = if matches!(step.standing, Standing::Done | Standing::Helped) { "x" } else { " " };
            let colon = lang.pick(": ", "：");
            let said = if told_apart(&step.standing) {
                format!("{colon}{}", word(&step.standing, lang))
            } else {
                String::new()
            };
            lines.push(format!("- [{mark}] {} {}{said}", index + 1, step.title));
        }
        lines.extend(predicted(lesson, lang).map(|text| format!("\n{text}")));
    }
    lines
}

/// A heading may hold what ends a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// Everything; fields are only ever added.
#[derive(Serialize, schemars::JsonSchema)]
pub(crate) struct ProgressJson<'a> {
    event: &'static str,
    lessons: Vec<ToldLesson<'a>>,
    /// Whether every lesson is.
    complete: bool,
    predictions: Predictions,
    /// The lesson that was open last.
    last: Option<&'a str>,
}

#[derive(Serialize, schemars::JsonSchema)]
struct ToldLesson<'a> {
    lesson: &'a str,
    title: &'a str,
    /// Whether everything is done that can be done here.
    complete: bool,
    /// How many steps there are.
    all: usize,
    done: usize,
    /// With the solution shown.
    helped: usize,
    skipped: usize,
    impossible: usize,
    open: usize,
    predictions: Predictions,
    steps: Vec<ToldStep<'a>>,
}

#[derive(Serialize, schemars::JsonSchema)]
struct ToldStep<'a> {
    step: &'a str,
    title: &'a str,
    /// `open`, `skipped`, `impossible`, `helped` or `done`.
    state: &'static str,
    /// Why it is impossible.
    reason: Option<&'a str>,
    /// Whether the first answer to each question was right.
    predictions: &'a [Option<bool>],
}

/// The same for one line of JSON.
pub(crate) fn value<'a>(lessons: &'a [LessonProgress], last: Option<&'a str>) -> ProgressJson<'a> {
    ProgressJson {
        event: "progress",
        lessons: lessons.iter().map(of_lesson).collect(),
        complete: !lessons.is_empty() && lessons.iter().all(LessonProgress::is_complete),
        predictions: lessons.iter().map(LessonProgress::predictions).sum(),
        last,
    }
}

fn of_lesson(lesson: &LessonProgress) -> ToldLesson<'_> {
    let steps = lesson.steps.iter().map(|step| ToldStep {
        step: &step.id,
        title: &step.title,
        state: step.standing.name(),
        reason: match &step.standing {
            Standing::Impossible(why) => Some(why),
            _ => None,
        },
        predictions: &step.answers,
    });
    ToldLesson {
        lesson: &lesson.id,
        title: &lesson.title,
        complete: lesson.is_complete(),
        all: lesson.steps.len(),
        done: lesson.done(),
        helped: lesson.count(|standing| *standing == Standing::Helped),
        skipped: lesson.count(|standing| *standing == Standing::Skipped),
        impossible: lesson.count(|standing| matches!(standing, Standing::Impossible(_))),
        open: lesson.count(|standing| *standing == Standing::Open),
        predictions: lesson.predictions(),
        steps: steps.collect(),
    }
}

#[cfg(test)]
#[path = "report_tests.rs"]
mod tests;
