//! A question, its answers, and in words whether the learner was right once the kernel has decided.

use super::super::{
    marks,
    sheet::Sheet,
    text::{Pieces, Rich, hang, inline, width},
    theme::Role,
};
use crate::{
    app::{Play, State},
    lang::Lang,
    lesson::{Block, Predict},
};
use unicode_width::UnicodeWidthStr;

/// Lays out a question.
pub(super) fn question(state: &State, play: &Play, index: usize, predict: &Predict, columns: usize, sheet: &mut Sheet) {
    let lang = state.lang;
    let chosen = play.session.answer(index);
    let told = decider(play, index).is_some_and(|block| play.session.at() > block);
    let head = lang.pick("Predict  ", "先猜  ");
    let mut question = Rich::default().with(head, Role::Strong);
    question.append(&inline(&predict.question, Role::Plain));
    sheet.add(question.wrap(columns));
    let options: Vec<Vec<Pieces>> =
        (0..predict.options.len()).map(|number| option(state, predict, number, chosen, told, columns)).collect();
    match beside(&options, lang, columns) {
        Some(row) => sheet.line(row),
        None => options.into_iter().for_each(|lines| sheet.add(lines)),
    }
}

/// One answer with its number, and what is to be said of it.
fn option(
    state: &State,
    predict: &Predict,
    number: usize,
    chosen: Option<usize>,
    told: bool,
    columns: usize,
) -> Vec<Pieces> {
    let mine = chosen == Some(number);
    let key = if chosen.is_none() { Role::Key } else { Role::Quiet };
    let text = inline(predict.options.get(number).map_or("", String::as_str), Role::Plain);
    let mut lines = hang(&[(format!("  {} ", number + 1), key)], &text, columns);
    if mine {
        put(&mut lines, &format!("{} {}", marks::CHOSEN, state.lang.pick("your answer", "你的答案")), columns);
    } else if told && number == predict.answer {
        put(&mut lines, &format!("{} {}", marks::PASSED, state.lang.pick("right", "正确")), columns);
    }
    lines
}

/// Short answers side by side, with room for what will be said of them: on a small screen the question then stands
/// above the fold.
fn beside(options: &[Vec<Pieces>], lang: Lang, columns: usize) -> Option<Pieces> {
    let notes = lang.pick("  < your answer  < right", "  < 你的答案  < 正确").width();
    let single: Vec<&Pieces> = options.iter().filter_map(|lines| lines.first().filter(|_| lines.len() == 1)).collect();
    let bare = |pieces: &Pieces| {
        pieces.iter().take_while(|(text, _)| !is_note(text)).map(|(text, _)| text.width()).sum::<usize>()
    };
    let all: usize = single.iter().map(|pieces| bare(pieces) + 1).sum();
    (single.len() == options.len() && all + notes <= columns).then(|| {
        single.into_iter().flat_map(|pieces| pieces.iter().cloned().chain([(" ".into(), Role::Plain)])).collect()
    })
}

/// Whether a piece is what [`put`] appended.
fn is_note(text: &str) -> bool {
    text.starts_with(&format!("  {}", marks::CHOSEN)) || text.starts_with(&format!("  {}", marks::PASSED))
}

/// Behind the block that decides a question: whether the learner was right.
pub(super) fn told_after(state: &State, play: &Play, block: usize, columns: usize, sheet: &mut Sheet) {
    let Some(step) = play.session.step().filter(|_| play.session.at() > block) else { return };
    for (index, asked) in step.blocks.iter().enumerate().take(block) {
        if let (Block::Predict(predict), Some(chosen)) = (asked, play.session.answer(index))
            && decider(play, index) == Some(block)
        {
            sheet.gap();
            tell(state, predict, chosen, columns, sheet);
        }
    }
}

/// Behind the last line, or below it where there is no room.
fn put(lines: &mut Vec<Pieces>, note: &str, columns: usize) {
    match lines.last_mut() {
        Some(last) if width(last) + 2 + note.width() <= columns => last.push((format!("  {note}"), Role::Strong)),
        _ => lines.push(vec![(format!("    {note}"), Role::Strong)]),
    }
}

fn tell(state: &State, predict: &Predict, chosen: usize, columns: usize, sheet: &mut Sheet) {
    let lang = state.lang;
    let right = chosen == predict.answer;
    let (mark, role) = if right { (marks::PASSED, Role::Container) } else { (marks::REFUSED, Role::Danger) };
    let mut rich = Rich::default();
    if right {
        rich.push(lang.pick("Your prediction was right: ", "你猜对了："), Role::Strong);
    } else {
        rich.push(lang.pick("Your prediction was wrong. Right is: ", "你猜错了，正确的是："), Role::Strong);
    }
    rich.append(&inline(predict.options.get(predict.answer).map_or("", String::as_str), Role::Plain));
    sheet.add(hang(&[(format!("{mark} "), role)], &rich, columns));
}

/// The block that decides a question: the checks after it, or, without checks, its command.
fn decider(play: &Play, index: usize) -> Option<usize> {
    let step = play.session.step()?;
    let later = || step.blocks.iter().enumerate().skip(index + 1);
    later()
        .find(|(_, block)| matches!(block, Block::Check(_)))
        .or_else(|| later().find(|(_, block)| matches!(block, Block::Run(_))))
        .map(|(block, _)| block)
}
