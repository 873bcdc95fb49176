//! One block of a step.

use super::{
    super::{
        chrome::{key, terminal_name},
        marks, prose,
        sheet::Sheet,
        text::{self, Rich, hang, inline, line, wrap},
        theme::Role,
    },
    ask,
};
use crate::{
    app::{Pane, Play, State},
    lang::Lang,
    lesson::{Block, Check, Run, TerminalId},
    session::{Phase, Ran, Verdict},
};

/// Lays out one block.
pub(super) fn block(state: &State, play: &Play, index: usize, block: &Block, columns: usize, sheet: &mut Sheet) {
    match block {
        Block::Prose(text) => sheet.add(prose::lines(&with_keys(&play.fill(text), state.lang), columns)),
        Block::Predict(predict) => ask::question(state, play, index, predict, columns, sheet),
        Block::Run(run) => command(state, play, index, run, columns, sheet),
        Block::Check(list) => checks(state, play, index, list, columns, sheet),
        Block::Why(text) => {
            sheet.line(line(state.lang.pick("Why", "为什么"), Role::Strong));
            sheet.add(prose::lines(&with_keys(&play.fill(text), state.lang), columns));
        }
        Block::Note(text) if play.notes => {
            sheet.line(line(state.lang.pick("For the speaker", "讲者备注"), Role::Limit));
            sheet.add(prose::lines(&with_keys(text, state.lang), columns));
        }
        Block::Note(_)
        | Block::Hint(_)
        | Block::Solution(_)
        | Block::Wrong(_)
        | Block::Refused(_)
        | Block::Break(_)
        | Block::Requires(_)
        | Block::Changes(_) => {}
    }
}

/// A block of a step that cannot be done here: what it is about, and why, can be read all the same.
pub(super) fn idea(state: &State, play: &Play, block: &Block, columns: usize, sheet: &mut Sheet) {
    match block {
        Block::Prose(_) | Block::Why(_) | Block::Note(_) => {
            sheet.gap();
            self::block(state, play, 0, block, columns, sheet);
        }
        Block::Run(run) => {
            let prompt = format!("{} $ ", terminal_name(run.terminal, state.lang));
            sheet.add(text::command(&[(prompt, Role::Quiet)], &run.line, columns));
        }
        Block::Predict(_)
        | Block::Check(_)
        | Block::Hint(_)
        | Block::Solution(_)
        | Block::Wrong(_)
        | Block::Refused(_)
        | Block::Break(_)
        | Block::Requires(_)
        | Block::Changes(_) => {}
    }
}

/// A text that speaks of a pane names the key that shows it, wherever the keys go.
fn with_keys(text: &str, lang: Lang) -> String {
    let mut out = text.to_string();
    for pane in Pane::ALL.into_iter().filter(|pane| *pane != Pane::Lesson) {
        let (label, key) = (lang.pick(pane.label().0, pane.label().1), pane.number());
        let names = match lang {
            Lang::En => [format!("{label} pane"), format!("{label}\npane")],
            Lang::Zh => [format!("{label}窗格"), format!("{label} 窗格")],
        };
        if let Some((at, name)) = names.iter().find_map(|name| Some((out.find(name.as_str())?, name))) {
            out.insert_str(at + name.len(), &lang.pick(format!(" (F{key})"), format!("（F{key}）")));
        }
    }
    out
}

/// The rungs of help that were asked for.
pub(super) fn hints(state: &State, play: &Play, columns: usize, sheet: &mut Sheet) {
    let Some(step) = play.session.step() else { return };
    let rungs = step.blocks.iter().filter_map(|block| match block {
        Block::Hint(text) => Some(text),
        _ => None,
    });
    for (number, text) in rungs.take(play.session.hints()).enumerate() {
        sheet.gap();
        sheet.line(line(format!("{} {}", state.lang.pick("Hint", "提示"), number + 1), Role::Limit));
        sheet.add(prose::lines(&with_keys(&play.fill(text), state.lang), columns));
    }
}

fn command(state: &State, play: &Play, index: usize, run: &Run, columns: usize, sheet: &mut Sheet) {
    let lang = state.lang;
    if play.session.phase() != Phase::Due(index) {
        return became(state, play, index, run, columns, sheet);
    }
    let place = match run.terminal {
        // Where keys type along, Space is a key as any other.
        TerminalId::Container if state.script.along => lang.pick("Hit any key:", "按任意键跟打："),
        TerminalId::Host if state.script.along => {
            lang.pick("Hit any key, in the host terminal:", "在宿主机终端里，按任意键跟打：")
        }
        TerminalId::Container => lang.pick("Type it, or let Space do it:", "自己输入，或按空格代劳："),
        TerminalId::Host => lang.pick("Type it in the host terminal, or Space:", "在宿主机终端里输入，或按空格："),
    };
    sheet.line(vec![(format!("{} ", marks::NOW), Role::Focus), (place.into(), Role::Strong)]);
    sheet.add(text::command(&[("  ".into(), Role::Plain)], &play.fill(&run.line), columns));
    if run.hold {
        let text = lang.pick("Each system call waits for you.", "每个系统调用都会等你放行。");
        sheet.add(hang(&[("  ".into(), Role::Plain)], &Rich::default().with(text, Role::Quiet), columns));
    }
}

/// What became of a command: its line where it ran, and where something else did what it should do.
fn became(state: &State, play: &Play, index: usize, run: &Run, columns: usize, sheet: &mut Sheet) {
    match play.session.ran(index) {
        Some(Ran::Line(line)) => transcript(state, run.terminal, line, columns, sheet),
        Some(Ran::Otherwise) if !run.interrupts() => {
            let text = state.lang.pick("done your way", "用你自己的办法做到了");
            let said = vec![(format!("{} ", marks::PASSED), Role::Container), (text.into(), Role::Quiet)];
            if sheet.lines.iter().rev().find(|line| !line.is_empty()) != Some(&said) {
                sheet.line(said);
            }
        }
        _ => {}
    }
}

/// A line that ran, and where.
pub(super) fn transcript(state: &State, terminal: TerminalId, line: &str, columns: usize, sheet: &mut Sheet) {
    let prompt = match terminal {
        TerminalId::Container => "$ ".to_string(),
        TerminalId::Host => format!("{} $ ", terminal_name(terminal, state.lang)),
    };
    sheet.add(text::command(&[(prompt, Role::Quiet)], line, columns));
}

fn checks(state: &State, play: &Play, index: usize, list: &[Check], columns: usize, sheet: &mut Sheet) {
    let done = play.session.has_passed(index);
    if play.session.went_past(index) {
        let again = key(state, 'r');
        let text = state.lang.pick(
            format!(
                "You went straight to the goal. What fails on the way was not seen: {again} shows it, Space goes on."
            ),
            format!("你直接做到了目标，没有看到途中的失败：按 {again} 可以重来看一遍，按空格继续。"),
        );
        return sheet.add(wrap(&text, Role::Limit, columns));
    }
    // A fact that does not hold yet is a refusal only after something was tried; in a challenge there is no hurry.
    let tried = play.commands > 0 && play.session.phase() == Phase::Checking(index) && play.session.is_shown();
    let challenge = play.session.step().is_some_and(|step| step.challenge);
    for (number, check) in list.iter().enumerate() {
        let patient = challenge || check.measures();
        let verdict = play.session.verdicts(index).get(number);
        let passed = verdict.and_then(|verdict| verdict.passed);
        let (mark, role) = match (passed, verdict) {
            (Some(true), _) => (marks::PASSED, Role::Container),
            (Some(false), _) if tried && !patient && !done => (marks::REFUSED, Role::Danger),
            (None, Some(_)) => ("-", Role::Limit),
            _ => (marks::OPEN, Role::Plain),
        };
        let text = inline(&play.fill(&check.text), Role::Plain);
        sheet.add(hang(&[(format!("{mark} "), role)], &text, columns));
        if let Some(verdict) = verdict {
            detail(state, verdict, tried && !done, challenge, columns, sheet);
        }
    }
}

/// What was asked for and what was seen instead.
fn detail(state: &State, verdict: &Verdict, tried: bool, challenge: bool, columns: usize, sheet: &mut Sheet) {
    let lang = state.lang;
    let mut row = |name: &str, value: &str, role: Role| {
        let rich = Rich::default().with(value, role);
        sheet.add(hang(&[(format!("    {name} "), Role::Quiet)], &rich, columns));
    };
    match verdict.passed {
        Some(false) if tried => {
            // The sentences of a challenge say what is wanted well enough.
            if !challenge {
                row(lang.pick("expected", "期望"), &verdict.expected, Role::Plain);
            }
            row(lang.pick("observed", "实际"), &verdict.observed, Role::Changed);
        }
        None => {
            let text = lang.pick("cannot be seen here: ", "在这里看不到：");
            for piece in wrap(&format!("{text}{}", verdict.observed), Role::Limit, columns.saturating_sub(4)) {
                let mut whole = line("    ", Role::Plain);
                whole.extend(piece);
                sheet.line(whole);
            }
        }
        Some(true) if !verdict.because.is_empty() => row(lang.pick("because", "因为"), &verdict.because, Role::Plain),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pane_that_a_text_speaks_of_is_named_with_its_key() {
        for (lang, text, named) in [
            (Lang::En, "Look at the Namespaces pane.", "Look at the Namespaces pane (F3)."),
            (Lang::En, "the Mounts\npane shows it", "the Mounts\npane (F6) shows it"),
            (Lang::Zh, "看命名空间窗格。", "看命名空间窗格（F3）。"),
            (Lang::Zh, "打开 Cgroup 窗格", "打开 Cgroup 窗格（F7）"),
            (Lang::En, "Every pane shows it.", "Every pane shows it."),
        ] {
            assert_eq!(with_keys(text, lang), named);
        }
    }

    #[test]
    fn no_lesson_speaks_of_a_pane_by_another_name() {
        for lesson in crate::lesson::embedded_once() {
            for lesson in lesson.values() {
                for step in &lesson.steps {
                    for block in &step.blocks {
                        let (Block::Prose(text) | Block::Why(text) | Block::Hint(text) | Block::Note(text)) = block
                        else {
                            continue;
                        };
                        assert!(!text.contains("System calls pane"), "{}/{}", lesson.id, step.id);
                    }
                }
            }
        }
    }
}
