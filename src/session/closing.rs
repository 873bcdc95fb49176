//! What a lesson, or the whole course, says when it is over: what the learner can do now, what they predicted, where they
//! had help. Rows of text, for every screen and transcript alike.

use super::{LessonProgress, Standing, StepProgress};
use crate::lang::Lang;

/// What a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The first row; whether everything is done that can be done here.
    Title(bool),
    /// A heading.
    Head,
    /// A text below its heading.
    Text,
    /// A lesson of the course; whether it is done.
    Lesson(bool),
}

/// A row, not yet broken into lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What it is.
    pub kind: Kind,
    /// What it says.
    pub text: String,
}

fn row(kind: Kind, text: impl Into<String>) -> Row {
    Row { kind, text: text.into() }
}

/// `8 of 10 steps done; 1 with the solution shown, 1 skipped`.
pub fn counts(lesson: &LessonProgress, lang: Lang) -> String {
    let (done, all) = (lesson.done(), lesson.steps.len());
    let text = lang.pick(format!("{done} of {all} steps done"), format!("共 {all} 步，完成 {done} 步"));
    apart(lesson, lang).map_or(text.clone(), |apart| format!("{text}{}{apart}", lang.pick("; ", "；")))
}

/// What a number of steps done does not say: those with the solution shown, skipped, not possible here.
pub fn apart(lesson: &LessonProgress, lang: Lang) -> Option<String> {
    let helped = lesson.count(|standing| *standing == Standing::Helped);
    let skipped = lesson.count(|standing| *standing == Standing::Skipped);
    let impossible = lesson.count(|standing| matches!(standing, Standing::Impossible(_)));
    let parts = [
        (helped, lang.pick(format!("{helped} with the solution shown"), format!("{helped} 步看了答案"))),
        (skipped, lang.pick(format!("{skipped} skipped"), format!("{skipped} 步跳过"))),
        (impossible, lang.pick(format!("{impossible} not possible here"), format!("{impossible} 步本机做不了"))),
    ];
    let parts: Vec<String> = parts.into_iter().filter(|(count, _)| *count > 0).map(|(_, text)| text).collect();
    (!parts.is_empty()).then(|| parts.join(lang.pick(", ", "，")))
}

/// `predictions: 6 of 9 right`; nothing where the lesson asks none.
pub fn predicted(lesson: &LessonProgress, lang: Lang) -> Option<String> {
    let asked = lesson.predictions();
    let (all, right) = (asked.all, asked.right);
    (all > 0).then(|| lang.pick(format!("predictions: {right} of {all} right"), format!("猜对 {right}/{all}")))
}

/// The end of a lesson, without where to go on.
pub fn lesson(lesson: &LessonProgress, lang: Lang) -> Vec<Row> {
    let done = lesson.is_complete();
    let title = match done {
        true => lang.pick(format!("{}: the lesson is done", lesson.title), format!("{}：本课完成", lesson.title)),
        false => lang
            .pick(format!("{}: the lesson is not done yet", lesson.title), format!("{}：本课还没有完成", lesson.title)),
    };
    let mut rows = vec![row(Kind::Title(done), title), row(Kind::Text, sentence(&counts(lesson, lang), lang))];
    let head = match done {
        true => lang.pick("You can do this now", "你现在能做到"),
        false => lang.pick("You can do this when it is done", "完成之后你能做到"),
    };
    rows.extend([row(Kind::Head, head), row(Kind::Text, &lesson.summary)]);
    rows.extend(predictions(lesson, lang));
    let mut list = |head: &'static str, wanted: fn(&Standing) -> bool| {
        let named = steps(lesson, lang, |step| wanted(&step.standing));
        if !named.is_empty() {
            rows.extend([row(Kind::Head, head), row(Kind::Text, named)]);
        }
    };
    list(lang.pick("Solved with the solution shown", "看了答案才做出来"), |standing| {
        *standing == Standing::Helped
    });
    list(lang.pick("Skipped", "跳过了"), |standing| *standing == Standing::Skipped);
    list(lang.pick("Not done yet", "还没有做"), |standing| *standing == Standing::Open);
    list(lang.pick("Not possible on this machine", "这台机器做不了"), |standing| {
        matches!(standing, Standing::Impossible(_))
    });
    rows
}

/// How many predictions were right, and in which steps the first answer was not.
fn predictions(lesson: &LessonProgress, lang: Lang) -> Vec<Row> {
    let asked = lesson.predictions();
    // Nothing was asked, as in a run without a learner.
    if asked.answered == 0 {
        return Vec::new();
    }
    let (all, right, silent) = (asked.all, asked.right, asked.all - asked.answered);
    let mut text =
        lang.pick(format!("{right} of {all} right at the first answer"), format!("{all} 题里第一次就答对 {right} 题"));
    let wrong = steps(lesson, lang, |step| step.answers.contains(&Some(false)));
    if !wrong.is_empty() {
        text += &lang.pick(format!("; surprised by {wrong}"), format!("；出乎意料的是 {wrong}"));
    }
    if silent > 0 {
        text += &lang.pick(format!("; {silent} not answered"), format!("；{silent} 题没有回答"));
    }
    vec![row(Kind::Head, lang.pick("Your predictions", "你的预测")), row(Kind::Text, sentence(&text, lang))]
}

/// Steps by number and heading, with the reason where there is one.
fn steps(lesson: &LessonProgress, lang: Lang, wanted: impl Fn(&StepProgress) -> bool) -> String {
    let named = lesson.steps.iter().enumerate().filter(|(_, step)| wanted(step)).map(|(index, step)| {
        let name = format!("{} {}", index + 1, step.title);
        match &step.standing {
            Standing::Impossible(why) => lang.pick(format!("{name} ({why})"), format!("{name}（{why}）")),
            _ => name,
        }
    });
    // Headings have commas of their own.
    named.collect::<Vec<_>>().join(" · ")
}

fn sentence(text: &str, lang: Lang) -> String {
    format!("{text}{}", lang.pick(".", "。"))
}

/// The end of the course, or how far the learner has come in it.
pub fn course(lessons: &[LessonProgress], lang: Lang) -> Vec<Row> {
    let complete = lessons.iter().filter(|lesson| lesson.is_complete()).count();
    let all = lessons.len();
    let done = complete == all && all > 0;
    let title = match done {
        true => lang.pick("The whole course is done".to_string(), "全部课程完成".to_string()),
        false => lang.pick(format!("{complete} of {all} lessons done"), format!("共 {all} 课，完成 {complete} 课")),
    };
    let mut rows = vec![row(Kind::Title(done), title)];
    for lesson in lessons {
        let words: Vec<String> = [Some(counts(lesson, lang)), predicted(lesson, lang)].into_iter().flatten().collect();
        let colon = lang.pick(": ", "：");
        let text = sentence(&words.join(lang.pick("; ", "；")), lang);
        rows.push(row(Kind::Lesson(lesson.is_complete()), format!("{}{colon}{text}", lesson.title)));
    }
    let able: Vec<&str> =
        lessons.iter().filter(|lesson| lesson.is_complete()).map(|lesson| lesson.summary.as_str()).collect();
    if !able.is_empty() {
        rows.push(row(Kind::Head, lang.pick("You can do this now", "你现在能做到")));
        rows.extend(able.into_iter().map(|text| row(Kind::Text, text)));
    }
    if done {
        rows.push(row(Kind::Head, lang.pick("Where to go on", "接下来")));
        rows.extend(beyond(lang).map(|text| row(Kind::Text, text)));
    }
    rows
}

/// What there is after the last lesson.
fn beyond(lang: Lang) -> [&'static str; 3] {
    [
        lang.pick(
            "`boxwright trace -- COMMAND` shows these calls of any program, such as `podman run`.",
            "`boxwright trace -- 命令` 显示任何程序的这些调用，例如 `podman run`。",
        ),
        lang.pick(
            "`boxwright inspect PID` shows the scorecard of any process, such as one of your own containers.",
            "`boxwright inspect PID` 显示任何进程的记分卡，例如你自己容器里的进程。",
        ),
        lang.pick(
            "`boxwright lessons new NAME` makes your own lesson.",
            "`boxwright lessons new 名字` 新建你自己的课程。",
        ),
    ]
}

#[cfg(test)]
#[path = "closing_tests.rs"]
mod tests;
