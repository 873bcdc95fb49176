//! The steps of the lesson, and what each has come to: in words, not by colour alone.

use super::{
    marks,
    sheet::{Follow, Sheet},
    text::{Rich, hang, line, pad, wrap},
    theme::Role,
};
use crate::{
    app::{Jump, State},
    lang::Lang,
    session::Standing,
};
use unicode_width::UnicodeWidthStr;

/// The widest word for what a step has come to.
const WORD: usize = 17;

/// Lays out the steps that fit what was typed.
pub(super) fn sheet(state: &State, jump: &Jump, columns: usize) -> Sheet {
    let mut sheet = Sheet::default();
    let Some(play) = &state.play else { return sheet };
    let lesson = play.session.lesson();
    let found = jump.found(lesson);
    let hint =
        state.lang.pick("A number goes there; letters look for a name.", "输入数字直接跳转，输入文字按名字查找。");
    match jump.typed.as_str() {
        "" => sheet.add(wrap(hint, Role::Quiet, columns)),
        typed => sheet.line(vec![("> ".into(), Role::Focus), (typed.into(), Role::Code), ("_".into(), Role::Focus)]),
    }
    if found.is_empty() {
        let none = state.lang.pick("No step has this number or name.", "没有哪一步的序号或名字是这样。");
        sheet.add(wrap(none, Role::Danger, columns));
    }
    for index in found {
        let Some(step) = lesson.steps.get(index) else { continue };
        let standing = state.progress.standing(lesson, index);
        let chosen = index == jump.chosen;
        if chosen {
            sheet.follow = Follow::Around(sheet.lines.len());
        }
        let (mark, role, word) = told(&standing, state.lang);
        let first = [
            (format!("{} ", if chosen { marks::NOW } else { " " }), Role::Focus),
            (format!("{mark} "), role),
            (format!("{:>2} ", index + 1), Role::Quiet),
        ];
        let title = Rich::default().with(&step.title, if chosen { Role::Strong } else { Role::Plain });
        let mut lines = hang(&first, &title, columns - WORD - 1);
        if let Some(line) = lines.first_mut() {
            let wide: usize = line.iter().map(|(text, _)| text.width()).sum();
            line.push((" ".repeat((columns - WORD).saturating_sub(wide)), Role::Plain));
            line.push((pad(word, WORD).trim_end().into(), role));
        }
        sheet.add(lines);
        if let Standing::Impossible(reason) = &standing
            && chosen
        {
            sheet.add(hang(&line("       ", Role::Plain), &Rich::default().with(reason, Role::Limit), columns));
        }
    }
    sheet
}

/// The sign, the colour and the word of what a step has come to.
fn told(standing: &Standing, lang: Lang) -> (&'static str, Role, &'static str) {
    match standing {
        Standing::Done => (marks::PASSED, Role::Container, lang.pick("done", "完成")),
        Standing::Helped => (marks::PASSED, Role::Container, lang.pick("done with help", "看了答案")),
        Standing::Skipped => (marks::SKIPPED, Role::Limit, lang.pick("skipped", "跳过")),
        Standing::Impossible(_) => (marks::IMPOSSIBLE, Role::Quiet, lang.pick("not possible here", "本机做不了")),
        Standing::Open => (marks::OPEN, Role::Plain, ""),
    }
}

#[cfg(test)]
#[path = "steps_tests.rs"]
mod tests;
