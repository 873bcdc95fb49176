//! A question, its answers, and in words whether the learner was right once the kernel has decided.

use super::super::{
    marks,
    sheet::Sheet,
    text::{Pieces, Rich, hang, inline, width},
    theme::Role,
};
use crate::{
    app::{Play, State},
    lesson::{Block, Predict},
};
use unicode_width::UnicodeWidthStr;

/// Lays out a question.
pub fn question(state: &State, play: &Play, index: usize, predict: &Predict, columns: usize, sheet: &mut Sheet) {
    let lang = state.lang;
    let chosen = play.session.answer(index);
    let told = decider(play, index).is_some_and(|block| play.session.at() > block);
    let head = lang.pick("Predict  ", "先猜  ");
    let mut question = Rich::default().with(head, Role::Strong);
    question.append(&inline(&predict.question, Role::Plain));
    sheet.add(question.wrap(columns));
    for (number, option) in predict.options.iter().enumerate() {
        let mine = chosen == Some(number);
        let right = told && number == predict.answer;
        let text = inline(option, Role::Plain);
        let key = if chosen.is_none() { Role::Key } else { Role::Quiet };
        let mut lines = hang(&[(format!("  {} ", number + 1), key)], &text, columns);
        let mut notes = Vec::new();
        if mine {
            notes.push(format!("{} {}", marks::CHOSEN, lang.pick("your answer", "你的答案")));
        }
        if right && !mine {
            notes.push(format!("{} {}", marks::PASSED, lang.pick("right", "正确")));
        }
        let note: String = notes.join("  ");
        if !note.is_empty() {
            put(&mut lines, &note, columns);
        }
        sheet.add(lines);
    }
}

/// Behind the block that decides a question: whether the learner was right.
pub fn told_after(state: &State, play: &Play, block: usize, columns: usize, sheet: &mut Sheet) {
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
