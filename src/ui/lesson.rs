//! The lesson's text, revealed as far as the learner has come.

mod ask;
mod parts;

use super::{
    chrome, marks, prose,
    sheet::{Follow, Sheet},
    text::{Rich, hang, line, wrap},
    theme::Role,
};
use crate::{
    app::{Play, State},
    lang::Lang,
    lesson::{Block, Step},
    session::{Outcome, Phase},
};

const YOUR_TURN: (&str, &str) = ("Your turn: type in the terminal.", "轮到你了：在终端里输入命令。");

/// Lays out the current step up to where the learner is.
pub(super) fn sheet(state: &State, play: &Play, columns: usize) -> Sheet {
    let mut sheet = Sheet::default();
    let session = &play.session;
    let phase = session.phase();
    if let Phase::Preparing(done, total) = phase {
        let text = match total {
            0 => state.lang.pick("New shells start …".into(), "正在启动新的 shell…".into()),
            _ => state.lang.pick(
                format!("Building the state that this step begins with: command {done} of {total} …"),
                format!("正在准备这一步的初始状态：第 {done}/{total} 条命令…"),
            ),
        };
        sheet.add(wrap(&text, Role::Quiet, columns));
        return sheet;
    }
    let Some(step) = session.step() else { return sheet };
    if session.step_index() == 0 && !session.lesson().intro.is_empty() {
        sheet.add(prose::lines(&session.lesson().intro, columns));
        sheet.gap();
    }
    let at = session.at();
    let mut current = 0;
    if matches!(phase, Phase::Blocked(_)) {
        step.blocks.iter().for_each(|block| parts::idea(state, play, block, columns, &mut sheet));
        end(state, &phase, None, columns, play, &mut sheet);
        return sheet;
    }
    for (index, block) in step.blocks.iter().enumerate() {
        if index > at && !looks_ahead(play, step, index, block) {
            continue;
        }
        // Lines that ran stand together.
        let ran = matches!(block, Block::Run(_)) && session.ran(index).is_some();
        if !(ran && index > 0 && session.ran(index - 1).is_some()) {
            sheet.gap();
        }
        if own_lines(state, play, index, columns, &mut sheet) && !ran {
            sheet.gap();
        }
        if index == at {
            current = sheet.lines.len();
            changed_call(state, play, columns, &mut sheet);
        }
        parts::block(state, play, index, block, columns, &mut sheet);
        if phase == Phase::Asking(index) {
            sheet.asked = Some(current..sheet.lines.len());
        }
        ask::told_after(state, play, index, columns, &mut sheet);
    }
    own_lines(state, play, step.blocks.len(), columns, &mut sheet);
    // A learner who has done it needs no help, but wants to read why.
    if phase != Phase::Done {
        parts::hints(state, play, columns, &mut sheet);
    }
    if at >= step.blocks.len() {
        sheet.gap();
        changed_call(state, play, columns, &mut sheet);
    }
    end(state, &phase, session.outcomes().get(session.step_index()), columns, play, &mut sheet);
    while sheet.lines.last().is_some_and(Vec::is_empty) {
        sheet.lines.pop();
    }
    // Without a container nothing counts but the way to a new one, which stands last.
    sheet.follow = Follow::EndFrom(if current == 0 || play.is_lost() { usize::MAX } else { current });
    sheet
}

/// That the learner has changed a call of this step, above what is to be done now.
fn changed_call(state: &State, play: &Play, columns: usize, sheet: &mut Sheet) {
    if play.session.has_changed_a_call() {
        let again = chrome::key(state, 'r');
        let text = state.lang.pick(
            format!("You changed a call, so the step may come to something else: {again} begins it again."),
            format!("你改动过一个调用，这一步的结果可能不同：按 {again} 重做。"),
        );
        sheet.add(hang(&[("! ".into(), Role::Limit)], &Rich::default().with(&text, Role::Limit), columns));
        sheet.gap();
    }
}

/// What must become true is shown from the moment on at which the question before it is answered.
fn looks_ahead(play: &Play, step: &Step, index: usize, block: &Block) -> bool {
    let between = step.blocks.get(play.session.at()..index).unwrap_or_default();
    let hides = |block: &Block| matches!(block, Block::Check(_) | Block::Predict(_));
    matches!(block, Block::Check(_)) && !between.iter().any(hides)
}

/// What the learner ran besides, when the step had come to this block; whether there was something.
fn own_lines(state: &State, play: &Play, index: usize, columns: usize, sheet: &mut Sheet) -> bool {
    let before = sheet.lines.len();
    for own in play.session.own_lines().iter().filter(|own| own.at == index) {
        parts::transcript(state, own.terminal, &own.line, columns, sheet);
    }
    sheet.lines.len() > before
}

/// The last step has ended: whether that is the end of the lesson.
fn over(state: &State, play: &Play, columns: usize, sheet: &mut Sheet) {
    let (mark, role) = match state.reached(play.index) {
        Some(lesson) if lesson.is_complete() => (marks::PASSED, Role::Container),
        _ => (marks::OPEN, Role::Limit),
    };
    let text = Rich::default().with(&said_at_the_end(state, play), role);
    sheet.add(hang(&[(format!("{mark} "), role)], &text, columns));
    let text = state.lang.pick("Space shows how it went.", "按空格看本课小结。");
    sheet.add(hang(&[(format!("{} ", marks::NOW), Role::Focus)], &Rich::default().with(text, Role::Strong), columns));
}

/// Whether the lesson is done, and which steps are left.
pub(super) fn said_at_the_end(state: &State, play: &Play) -> String {
    let lang = state.lang;
    let left = state.reached(play.index).map_or_else(Vec::new, |lesson| lesson.left());
    let numbers: Vec<String> = left.iter().map(usize::to_string).collect();
    match left.as_slice() {
        [] => lang.pick("The lesson is done.".into(), "本课完成。".into()),
        [one] => lang.pick(
            format!("This was the last step, but step {one} is not done yet."),
            format!("这是最后一步，但第 {one} 步还没有完成。"),
        ),
        [_, _, _, _, _, ..] => lang.pick(
            format!("This was the last step, but {} others are not done yet.", left.len()),
            format!("这是最后一步，但还有 {} 步没有完成。", left.len()),
        ),
        _ => lang.pick(
            format!("This was the last step, but these are not done yet: {}.", numbers.join(", ")),
            format!("这是最后一步，但第 {} 步还没有完成。", numbers.join("、")),
        ),
    }
}

/// What the repair took, where the step was broken.
pub(super) fn repaired(play: &Play, lang: Lang) -> Option<String> {
    let took = play.repair?.say(lang);
    Some(lang.pick(format!("Repaired: {took}."), format!("修好了：{took}。")))
}

/// The last lines: what the step waits for.
fn end(
    state: &State,
    phase: &Phase,
    outcome: Option<&Option<Outcome>>,
    columns: usize,
    play: &Play,
    sheet: &mut Sheet,
) {
    let lang = state.lang;
    let last = play.session.step_index() + 1 >= play.session.lesson().steps.len();
    sheet.gap();
    let now = |text: &str| {
        hang(&[(format!("{} ", marks::NOW), Role::Focus)], &Rich::default().with(text, Role::Strong), columns)
    };
    if play.is_lost() {
        let again = chrome::key(state, 'r');
        let text = lang.pick(
            format!("Your container has ended: {again} builds it again."),
            format!("你的容器已经结束：按 {again} 重建。"),
        );
        return sheet.add(hang(&[("! ".into(), Role::Danger)], &Rich::default().with(&text, Role::Danger), columns));
    }
    match phase {
        Phase::Held => {
            if let Some((_, call)) = play.session.held().first() {
                let rich = Rich::default()
                    .with(lang.pick("About to happen: ", "即将发生："), Role::Plain)
                    .with(&super::calls::brief(call), Role::Code);
                sheet.add(hang(&[(format!("{} ", marks::HELD), Role::Changed)], &rich, columns));
            }
            sheet.add(now(lang.pick("Space lets the held call happen.", "按空格放行暂停的调用。")));
        }
        Phase::Running | Phase::Guarded => {
            let text = lang.pick("The command runs; the step goes on when it ends.", "命令正在运行，结束后继续。");
            sheet.add(wrap(text, Role::Quiet, columns));
        }
        Phase::Blocked(reason) => {
            let text = lang.pick("This step cannot be done here: ", "这台机器做不了这一步：");
            sheet.add(wrap(&format!("{text}{reason}"), Role::Danger, columns));
            if last {
                over(state, play, columns, sheet);
            } else {
                sheet.add(now(lang.pick("Space goes to the next step.", "按空格进入下一步。")));
            }
        }
        Phase::Done => {
            if let Some(Some(Outcome::Skipped(reason))) = outcome {
                let text = lang.pick("Not everything could be seen here: ", "有些内容在这里看不到：");
                sheet.add(wrap(&format!("{text}{reason}"), Role::Limit, columns));
            }
            if let Some(text) = repaired(play, lang) {
                sheet.add(hang(
                    &[(format!("{} ", marks::PASSED), Role::Container)],
                    &Rich::default().with(&text, Role::Plain),
                    columns,
                ));
            }
            if last {
                over(state, play, columns, sheet);
            } else {
                sheet.add(now(lang.pick("Space goes to the next step.", "按空格进入下一步。")));
            }
        }
        Phase::Checking(_) if play.commands == 0 => sheet.add(now(lang.pick(YOUR_TURN.0, YOUR_TURN.1))),
        // Between the last command and the sample that shows what it did, everything may hold already.
        Phase::Checking(at) if play.session.is_shown() && play.session.failing(*at).next().is_some() => {
            let (hint, again) = (chrome::key(state, 'h'), chrome::key(state, 'r'));
            let text = match play.session.measuring(*at) {
                true => lang.pick(
                    format!(
                        "Measuring: CPU use is the average of three seconds. If it does not come, take a hint ({hint}), \
                         or begin the step again ({again})."
                    ),
                    format!(
                        "正在测量：CPU 用量是三秒的平均值，请稍等。如果一直不对，可以看提示（{hint}），或重做这一步（{again}）。"
                    ),
                ),
                false if !play.has_tried() => lang.pick(YOUR_TURN.0, YOUR_TURN.1).into(),
                false => lang.pick(
                    format!("Not yet. Go on in the terminal, take a hint ({hint}), or begin the step again ({again})."),
                    format!("还没有通过。可以继续在终端里试、看提示（{hint}），或重做这一步（{again}）。"),
                ),
            };
            sheet.add(now(&text));
        }
        Phase::Asking(_) => {
            let text = lang.pick("Answer with a number key.", "按数字键作答。");
            sheet.line(line(text, Role::Quiet));
        }
        _ => {}
    }
}
