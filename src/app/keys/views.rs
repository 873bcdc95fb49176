//! The keys where no lesson is played: the opening, what this machine allows, what it has come to, and what lies on top.

use super::{
    super::{Onward, Overlay, Pane, Play, State, View, instead},
    Binding, Command, Key, bind, common, letter, scrolling,
};

fn choosing() -> [Binding; 2] {
    [
        bind(&[Key::Up, Key::Char('k')], Command::Up, ("choose", "选择"), 6).shown("↑↓"),
        bind(&[Key::Down, Key::Char('j')], Command::Down, ("choose", "选择"), None).shown("↓"),
    ]
}

/// What a lesson has come to, or the course; and where to go on.
pub(super) fn closing(state: &State, lesson: Option<usize>) -> Vec<Binding> {
    let mut all = Vec::new();
    let go: &[Key] = &[Key::Enter, Key::Char(' ')];
    let onward = lesson.and_then(|lesson| state.onward(lesson));
    all.push(match onward {
        Some(Onward::Step(_)) => bind(go, Command::Finish, ("to a step that is left", "去做剩下的步骤"), 0),
        Some(Onward::Lesson(_)) => bind(go, Command::Finish, ("next lesson", "下一课"), 0),
        Some(Onward::Course) => bind(go, Command::Finish, ("the whole course", "全部课程"), 0),
        None => bind(go, Command::Close, ("back", "返回"), 0),
    });
    if lesson.is_some() {
        all.push(letter('c', Command::Course, ("the whole course", "全部课程"), 5));
    } else {
        all.push(letter('e', Command::Card, ("your result as a picture", "把成绩存成图片"), 5));
    }
    all.push(bind(&[Key::Esc], Command::Close, ("lessons", "课程列表"), 1));
    all.extend(scrolling(state, None));
    all.extend(common(state, View::Closing(lesson)));
    all
}

pub(super) fn opening(state: &State) -> Vec<Binding> {
    let mut all = Vec::new();
    if !state.lessons.is_empty() {
        let open = state.play.as_ref().is_some_and(|play| play.index == state.selected);
        let begun = open || state.resumes_at(state.selected) > 0;
        let label = if begun { ("go on", "继续") } else { ("start", "开始") };
        all.push(bind(&[Key::Enter, Key::Char(' ')], Command::Accept, label, 0));
        // A lesson from a folder is asked for first.
        if begun && state.lesson(state.selected).is_some_and(|lesson| !lesson.foreign) {
            all.push(letter('b', Command::FromStart, ("from the beginning", "从头开始"), 5));
        }
    }
    if state.lessons.len() > 1 {
        all.extend(choosing());
    }
    if state.lessons.iter().filter_map(|lesson| lesson.any()).any(|lesson| state.progress.has_begun(lesson)) {
        all.push(letter('c', Command::Course, ("your progress", "学习进度"), 7));
    }
    all.extend(common(state, View::Opening));
    all
}

pub(super) fn doctor(state: &State) -> Vec<Binding> {
    let mut all = vec![bind(&[Key::Esc, Key::Char('d'), Key::Enter], Command::Close, ("back", "返回"), 0)];
    all.extend(scrolling(state, None));
    all.extend(common(state, View::Doctor));
    all
}

pub(super) fn in_overlay(state: &State, overlay: &Overlay) -> Vec<Binding> {
    let quit = bind(&[Key::Ctrl('c')], Command::Quit, ("quit", "退出"), None);
    let mut all = Vec::new();
    match overlay {
        Overlay::Help | Overlay::Glossary => {
            let same = Key::Char(if *overlay == Overlay::Help { '?' } else { 'w' });
            all.push(bind(&[Key::Esc, same, Key::Enter, Key::Char('q')], Command::Close, ("close", "关闭"), 0));
            all.extend(scrolling(state, None));
        }
        Overlay::GoTo(_) => {
            all.push(bind(&[Key::Enter], Command::Accept, ("go there", "前往"), 0));
            // Letters are typed: they choose by name.
            all.push(bind(&[Key::Up], Command::Up, ("choose", "选择"), 6).shown("↑↓"));
            all.push(bind(&[Key::Down], Command::Down, ("choose", "选择"), None).shown("↓"));
            all.push(bind(&[Key::Esc], Command::Close, ("stay here", "留在这里"), 1));
        }
        Overlay::Containers(_) => {
            all.push(bind(&[Key::Enter], Command::Accept, ("look at it", "查看它"), 0));
            all.extend(choosing());
            all.push(bind(&[Key::Esc, Key::Char('q'), Key::Char('v')], Command::Close, ("close", "关闭"), 1));
        }
        Overlay::WhatIf { .. } => {
            all.push(bind(&[Key::Enter], Command::Accept, ("let it go so", "就这样放行"), 0));
            all.extend(choosing());
            if !state.play.as_ref().is_some_and(Play::is_lab) {
                all.push(letter('b', Command::PlayBoth, ("both branches", "两种都演示"), 2));
            }
            if instead::has_flags(state) {
                all.push(bind(&[Key::Char(' ')], Command::MarkFlag, ("mark the flag", "标记"), 3));
            }
            let digits = (0..instead::rows(state).len().min(9)).zip('1'..='9');
            all.extend(digits.map(|(row, digit)| letter(digit, Command::Choose(row), ("choose", "选择"), None)));
            all.push(bind(&[Key::Esc, Key::Char('q'), Key::Char('f')], Command::Close, ("back", "返回"), 1));
        }
        Overlay::Branches => {
            let close = &[Key::Esc, Key::Enter, Key::Char('q'), Key::Char('b')];
            all.push(bind(close, Command::Close, ("back to the call", "回到调用"), 0));
            all.extend(scrolling(state, None));
        }
        Overlay::Call => {
            let close = &[Key::Esc, Key::Char('i'), Key::Enter, Key::Char('q')];
            all.push(bind(close, Command::Close, ("close", "关闭"), 0));
            let others = ("other calls", "其他调用");
            all.push(bind(&[Key::Left, Key::Char('p')], Command::Walk(false), others, 1).shown("← →"));
            all.push(bind(&[Key::Right, Key::Char('n')], Command::Walk(true), ("", ""), None));
            all.push(letter('s', Command::Show(Pane::Source), ("source", "源码"), 4));
            all.extend(scrolling(state, None));
        }
        Overlay::Until(_) => {
            all.push(bind(&[Key::Enter], Command::Accept, ("run until that call", "运行到该调用"), 0));
            all.push(bind(&[Key::Esc], Command::Close, ("stay here", "留在这里"), 1));
        }
        Overlay::Consent(_) => {
            all.push(letter('y', Command::Accept, ("run its commands", "运行其中的命令"), 0));
            all.push(bind(&[Key::Esc, Key::Char('n'), Key::Char('q')], Command::Close, ("do not", "不运行"), 1));
            all.extend(scrolling(state, None));
        }
    }
    all.push(bind(&[Key::Ctrl('l')], Command::Redraw, ("draw everything anew", "重新绘制屏幕"), None));
    all.push(quit);
    all
}
