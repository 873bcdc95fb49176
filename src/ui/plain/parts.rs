//! The blocks of a step, as far as the learner has come, in the order in which they are told.

use super::{idle::sign, panes::with_commands};
use crate::{
    app::{Play, State},
    lang::Lang,
    lesson::{Block, Check, Predict, Run},
    session::{Phase, Verdict},
    ui::prose,
};

/// Something that is told once, and again only where it means something else.
#[derive(Debug)]
pub(crate) struct Part {
    /// The block of the step, and what it is in there.
    pub place: (usize, usize),
    /// What it means: where this has changed, it is told again.
    pub state: &'static str,
    /// What may be told again after the learner has done something, where it has changed.
    pub detail: String,
    /// The sentences.
    pub lines: Vec<String>,
}

/// The state of a fact that does not hold.
pub(crate) const NOT_YET: &str = "not yet";

/// Where the answers to questions stand among the parts of a block.
const ANSWERS: usize = 1000;
/// Where the reason stands why a step cannot be done.
const REASON: usize = 999;

impl Part {
    fn once(block: usize, lines: Vec<String>) -> Part {
        Part { place: (block, 0), state: "", detail: String::new(), lines }
    }
}

/// Everything of the step that can be told now.
pub(crate) fn parts(state: &State, play: &Play) -> Vec<Part> {
    let blocks = play.session.step().map_or(&[][..], |step| &step.blocks);
    let at = play.session.at();
    let mut out = Vec::new();
    let blocked = match play.session.phase() {
        Phase::Blocked(reason) => {
            let lang = state.lang;
            let text = lang.pick(
                format!("This step cannot be done here: {reason}. It can be read:"),
                format!("这台机器做不了这一步：{reason}。可以读一读："),
            );
            out.push(Part { place: (0, REASON), ..Part::once(0, vec![text, String::new()]) });
            true
        }
        _ => false,
    };
    for (index, block) in blocks.iter().enumerate() {
        if blocked {
            out.extend(idea(state, play, index, block));
        } else if index <= at {
            out.extend(told(state, play, index, block));
            if index < at {
                out.extend(answers(state, play, blocks, index));
            }
        }
    }
    out
}

fn told(state: &State, play: &Play, index: usize, block: &Block) -> Vec<Part> {
    let phase = play.session.phase();
    match block {
        Block::Run(run) if phase == Phase::Due(index) => vec![Part::once(index, due(state.lang, play, run))],
        Block::Predict(predict) if phase == Phase::Asking(index) => {
            vec![Part::once(index, question(state.lang, play, predict))]
        }
        Block::Check(list) if play.session.at() > index || phase == Phase::Checking(index) => {
            checks(state, play, index, list)
        }
        // A command that was typed is in the terminal's output, an answer that was given is known.
        Block::Run(_) | Block::Predict(_) | Block::Check(_) => Vec::new(),
        _ => text(state, play, index, block),
    }
}

/// What is read, whether or not the step can be done.
fn text(state: &State, play: &Play, index: usize, block: &Block) -> Vec<Part> {
    let lang = state.lang;
    let (head, text) = match block {
        Block::Prose(text) => (None, text),
        Block::Why(text) => (Some(lang.pick("Why:", "为什么：")), text),
        Block::Note(text) if play.notes => (Some(lang.pick("For the speaker:", "讲者备注：")), text),
        _ => return Vec::new(),
    };
    let mut lines: Vec<String> = head.map(String::from).into_iter().collect();
    lines.extend(prose::paragraphs(&with_commands(&play.fill(text), lang)));
    lines.push(String::new());
    vec![Part::once(index, lines)]
}

/// A block of a step that cannot be done here: what it is about can be read all the same.
fn idea(state: &State, play: &Play, index: usize, block: &Block) -> Vec<Part> {
    match block {
        Block::Run(run) => {
            let lang = state.lang;
            let name = run.terminal.label(lang);
            let text = lang.pick(
                format!("It would type in the {name} terminal: `{}`", run.line),
                format!("这里本来会在{name}终端输入：`{}`", run.line),
            );
            vec![Part::once(index, vec![text])]
        }
        _ => text(state, play, index, block),
    }
}

/// The command that Enter types.
fn due(lang: Lang, play: &Play, run: &Run) -> Vec<String> {
    let name = run.terminal.label(lang);
    let line = play.fill(&run.line);
    let line = match line.as_str() {
        "^C" => lang.pick("^C (Ctrl-C, which ends what runs there)", "^C（Ctrl-C，结束那里正在运行的程序）").into(),
        // A here-document is read line by line.
        line if line.contains('\n') => line.lines().map(|line| format!("\n  {line}")).collect(),
        line => format!("`{line}`"),
    };
    let text =
        lang.pick(format!("Enter types in the {name} terminal: {line}"), format!("按回车，在{name}终端输入：{line}"));
    let mut out: Vec<String> = text.lines().map(|line| line.trim_end().to_string()).collect();
    if run.hold {
        out.push(lang.pick("Each system call waits for you.", "每个系统调用都会等你放行。").into());
    }
    out
}

/// A question, one numbered answer a line.
fn question(lang: Lang, play: &Play, predict: &Predict) -> Vec<String> {
    let asked = with_commands(&play.fill(&predict.question), lang);
    let mut out = vec![format!("{}{asked}", lang.pick("Predict: ", "先猜："))];
    out.extend(predict.options.iter().enumerate().map(|(number, answer)| format!("  {} {answer}", number + 1)));
    out
}

/// What the kernel says of each fact.
fn checks(state: &State, play: &Play, index: usize, list: &[Check]) -> Vec<Part> {
    let lang = state.lang;
    if play.session.went_past(index) {
        let text = lang.pick(
            "You went straight to the goal. What fails on the way was not seen: r shows it, Enter goes on.",
            "你直接做到了目标，没有看到途中的失败：用 r 可以重来看一遍，回车继续。",
        );
        return vec![Part::once(index, vec![text.into()])];
    }
    let verdicts = play.session.verdicts(index);
    let all = list.iter().enumerate();
    all.filter_map(|(number, check)| fact(play, (index, number), check, verdicts.get(number), lang)).collect()
}

/// What was decided of a fact of a step that may be over.
pub(crate) fn decided(play: &Play, step: usize, place: (usize, usize), verdict: &Verdict, lang: Lang) -> Option<Part> {
    match play.session.lesson().steps.get(step)?.blocks.get(place.0)? {
        Block::Check(list) => fact(play, place, list.get(place.1)?, Some(verdict), lang),
        _ => None,
    }
}

fn fact(play: &Play, place: (usize, usize), check: &Check, verdict: Option<&Verdict>, lang: Lang) -> Option<Part> {
    let passed_before = play.session.has_passed(place.0);
    let challenge = play.session.step().is_some_and(|step| step.challenge);
    let text = play.fill(&check.text);
    let (state, detail, line) = match verdict.map(|verdict| (verdict.passed, verdict)) {
        Some((Some(true), verdict)) => {
            let because = match verdict.because.as_str() {
                "" => String::new(),
                because => lang.pick(format!(". Because: {because}"), format!("。因为：{because}")),
            };
            ("holds", String::new(), lang.pick(format!("Holds: {text}{because}."), format!("成立：{text}{because}。")))
        }
        Some((None, verdict)) => (
            "unseen",
            String::new(),
            lang.pick(
                format!("Cannot be seen here: {text}. Why: {}.", verdict.observed),
                format!("这里看不到：{text}。原因：{}。", verdict.observed),
            ),
        ),
        Some((Some(false), verdict))
            if play.commands > 0 && play.session.is_shown() && !passed_before && !check.measures() =>
        {
            (
                NOT_YET,
                verdict.observed.clone(),
                match challenge {
                    true => lang.pick(
                        format!("Not yet: {text}. Observed: {}.", verdict.observed),
                        format!("还不成立：{text}。实际：{}。", verdict.observed),
                    ),
                    false => lang.pick(
                        format!("Not yet: {text}. Expected: {}. Observed: {}.", verdict.expected, verdict.observed),
                        format!("还不成立：{text}。期望：{}；实际：{}。", verdict.expected, verdict.observed),
                    ),
                },
            )
        }
        // What is measured needs seconds; that it is measured is told.
        _ if challenge || check.measures() => {
            ("wanted", String::new(), lang.pick(format!("Wanted: {text}."), format!("目标：{text}。")))
        }
        _ => return None,
    };
    Some(Part { place, state, detail, lines: vec![line] })
}

/// Behind the block that decides a question: whether the learner was right.
fn answers(state: &State, play: &Play, blocks: &[Block], block: usize) -> Vec<Part> {
    let lang = state.lang;
    let decided = blocks.iter().enumerate().take(block).filter_map(|(index, asked)| match asked {
        Block::Predict(predict) if decider(blocks, index) == Some(block) => {
            Some((index, predict, play.session.answer(index)?))
        }
        _ => None,
    });
    let told = decided.map(|(index, predict, chosen)| {
        let right = predict.options.get(predict.answer).map_or("", String::as_str);
        let text = match chosen == predict.answer {
            true => lang.pick(format!("Your prediction was right: {right}"), format!("你猜对了：{right}")),
            false => lang
                .pick(format!("Your prediction was wrong. Right is: {right}"), format!("你猜错了，正确的是：{right}")),
        };
        Part { place: (block, ANSWERS + index), state: "", detail: String::new(), lines: vec![text, String::new()] }
    });
    told.collect()
}

/// The block that decides a question: the checks after it, or, without checks, its command.
fn decider(blocks: &[Block], question: usize) -> Option<usize> {
    let find = |wanted: fn(&Block) -> bool| {
        blocks.iter().enumerate().skip(question + 1).find(|(_, block)| wanted(block)).map(|(index, _)| index)
    };
    find(|block| matches!(block, Block::Check(_))).or_else(|| find(|block| matches!(block, Block::Run(_))))
}

/// The rung of help of this number, from 0.
pub(crate) fn hint(play: &Play, rung: usize, lang: Lang) -> Vec<String> {
    let step = play.session.step();
    let mut rungs = step.into_iter().flat_map(|step| &step.blocks).filter_map(|block| match block {
        Block::Hint(text) => Some(text),
        _ => None,
    });
    let Some(text) = rungs.nth(rung) else { return Vec::new() };
    let mut out = prose::paragraphs(&with_commands(&play.fill(text), lang));
    let number = rung + 1;
    let head = lang.pick(format!("Hint {number}: "), format!("提示 {number}："));
    if let Some(first) = out.first_mut() {
        first.insert_str(0, &head);
    }
    // What was only shown cannot be done by pressing Enter alone.
    if number == play.session.rungs() {
        let (container, host) = (sign(crate::lesson::TerminalId::Container), sign(crate::lesson::TerminalId::Host));
        out.push(lang.pick(
            format!("{container} LINE types LINE into the container terminal, {host} LINE into the host's."),
            format!("{container} 命令，在容器终端里输入；{host} 命令，在宿主机终端里输入。"),
        ));
    }
    out
}
