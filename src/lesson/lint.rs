//! What makes a lesson teachable beyond its grammar: short texts, help in three rungs, two languages that agree.

use super::{
    known,
    model::{Block, Run, Step},
    parse::Located,
    source::{Source, or_meant},
    terms,
};
use crate::{
    lang::{Lang, say},
    near::nearest,
};

/// The most English words or Chinese characters to read before the learner acts.
const BEFORE_ACTING: [usize; 2] = [90, 150];
/// The most in an explanation.
const EXPLANATION: [usize; 2] = [80, 135];
/// The most before the first question or command of a lesson, its introduction included: a newcomer acts within half a
/// minute.
const FIRST: [usize; 2] = [45, 80];
/// A nudge, the idea, the command.
const RUNGS: usize = 3;

/// Looks for problems in one language's file.
pub(super) fn file(located: &Located, source: &mut Source<'_>) {
    let lesson = &located.lesson;
    terms::check(source, lesson.lang);
    too_long(source, lesson.lang, &lesson.intro, 1, say("the introduction", "引言"), BEFORE_ACTING);
    first(source, located);
    known::check(source, located);
    for (step, lines) in lesson.steps.iter().zip(&located.lines) {
        texts(source, lesson.lang, step, lines);
        order(source, step, lines);
        help(source, step);
    }
}

/// Counts words, a Chinese character being one; addresses and marks do not count.
pub(super) fn length(text: &str) -> usize {
    let chinese = |c: char| matches!(c, '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}');
    let words = text.split(|c: char| c.is_whitespace() || chinese(c));
    text.chars().filter(|c| chinese(*c)).count()
        + words.filter(|word| word.chars().any(|c| c.is_ascii_alphanumeric())).count()
}

/// How much there is to read in a step before its first question or command.
pub(super) fn before_acting(step: &Step) -> usize {
    let acts = |block: &&Block| !matches!(block, Block::Predict(_) | Block::Run(_) | Block::Check(_));
    let before = step.blocks.iter().take_while(acts);
    before.map(|block| if let Block::Prose(text) = block { length(text) } else { 0 }).sum()
}

fn too_long(source: &mut Source<'_>, lang: Lang, text: &str, line: usize, what: &str, most: [usize; 2]) {
    let most = lang.pick(most[0], most[1]);
    let length = length(text);
    if length > most {
        let unit = unit(lang);
        let what = say(
            format!("{what} has {length} {unit}, at most {most} are allowed"),
            format!("{what}有 {length} {unit}，最多 {most}"),
        );
        source.problem(line, 1, what);
    }
}

/// What the length of a text in this language is counted in.
fn unit(lang: Lang) -> &'static str {
    lang.pick(say("words", "个英文词"), say("characters", "个字"))
}

fn first(source: &mut Source<'_>, located: &Located) {
    let Some(step) = located.lesson.steps.first() else { return };
    let (lang, count) = (located.lesson.lang, length(&located.lesson.intro) + before_acting(step));
    let most = lang.pick(FIRST[0], FIRST[1]);
    if count > most {
        let unit = unit(lang);
        let what = say(
            format!(
                "the introduction and the first step have {count} {unit} before the first question, at most {most} are \
                 allowed"
            ),
            format!("引言和第一步在第一个问题之前有 {count} {unit}，最多 {most}"),
        );
        source.problem(step.line, 1, what);
    }
}

fn texts(source: &mut Source<'_>, lang: Lang, step: &Step, lines: &[usize]) {
    let mut stretch = String::new();
    let mut reported = false;
    for (block, line) in step.blocks.iter().zip(lines) {
        match block {
            Block::Prose(text) => {
                stretch = format!("{stretch}\n{text}");
                if !reported {
                    let before = source.problems.len();
                    too_long(
                        source,
                        lang,
                        &stretch,
                        *line,
                        say("the text before the learner acts", "学习者动手之前的文字"),
                        BEFORE_ACTING,
                    );
                    reported = source.problems.len() > before;
                }
            }
            Block::Run(_) => {
                stretch.clear();
                reported = false;
            }
            Block::Why(text) => too_long(source, lang, text, *line, say("the explanation", "解释"), EXPLANATION),
            _ => {}
        }
    }
}

fn order(source: &mut Source<'_>, step: &Step, lines: &[usize]) {
    let place = |wanted: fn(&Block) -> bool| step.blocks.iter().position(wanted);
    let last = |wanted: fn(&Block) -> bool| step.blocks.iter().rposition(wanted);
    let line = |index: usize| lines.get(index).copied().unwrap_or(step.line);
    keeps(source, step, lines);
    questions(source, step, lines);
    let check = place(|block| matches!(block, Block::Check(_)));
    let run = place(|block| matches!(block, Block::Run(_)));
    let why = place(|block| matches!(block, Block::Why(_)));
    let solution = place(|block| matches!(block, Block::Solution(_)));
    if check.is_none() {
        source.problem(
            step.line,
            1,
            say("the step has no check: nothing would show that it is done", "步骤没有检查：看不出它是否完成"),
        );
    }
    broken(source, step, lines);
    refusals(source, step, lines);
    if step.challenge {
        let shows = |block: &Block| step.is_broken() && matches!(block, Block::Run(run) if run.look);
        if let Some(run) = run.filter(|run| !step.blocks.get(*run).is_some_and(shows)) {
            source.problem(
                line(run),
                1,
                say("a challenge gives no command; move it to `solution`", "挑战不给命令，请移到 `solution` 里"),
            );
        }
        if solution.is_none() {
            source.problem(step.line, 1, say("the challenge has no `solution` block", "挑战没有 `solution` 块"));
        }
    } else {
        if run.is_none() {
            source.problem(step.line, 1, say("the step has nothing to run", "步骤没有要运行的命令"));
        }
        if let Some(solution) = solution {
            source.problem(line(solution), 1, say("only a challenge has a hidden solution", "只有挑战才有隐藏的解法"));
        }
    }
    match (why, check) {
        (None, _) => source.problem(
            step.line,
            1,
            say("the step has no `why` block: nothing is explained", "步骤没有 `why` 块：什么也没有解释"),
        ),
        (Some(why), Some(check)) if why < check => {
            source.problem(
                line(why),
                1,
                say("`why` explains what was seen: it belongs after a check", "`why` 解释看到的现象，要放在检查之后"),
            );
        }
        _ => {}
    }
    if let (Some(check), Some(run)) = (check, run)
        && check < run
    {
        source.problem(line(check), 1, say("the check comes before anything is run", "检查出现在任何命令之前"));
    }
    if let Some(predict) = last(|block| matches!(block, Block::Predict(_)))
        && !step.challenge
        && last(|block| matches!(block, Block::Run(_))).is_some_and(|run| run < predict)
    {
        source.problem(line(predict), 1, say("nothing is run after the prediction", "预测之后没有命令"));
    }
}

/// A question waits for the commands before it. Only facts tell that they are done where they were typed in other words.
fn questions(source: &mut Source<'_>, step: &Step, lines: &[usize]) {
    let mut unseen = false;
    for (block, line) in step.blocks.iter().zip(lines) {
        match block {
            Block::Run(run) => unseen |= !run.look,
            Block::Check(_) => unseen = false,
            Block::Predict(_) if unseen => source.problem(
                *line,
                1,
                say(
                    "no check stands between the commands and this question: it is never asked where they are typed in \
                     other words",
                    "命令和这个问题之间没有检查：换一种写法输入命令时，永远不会问到它",
                ),
            ),
            _ => {}
        }
    }
}

/// What is broken shows itself, is repaired in the learner's own way, and cannot be glossed over.
fn broken(source: &mut Source<'_>, step: &Step, lines: &[usize]) {
    let place = |wanted: fn(&Block) -> bool| step.blocks.iter().position(wanted);
    let line = |index: usize| lines.get(index).copied().unwrap_or(step.line);
    let wrong = place(|block| matches!(block, Block::Wrong(_)));
    let Some(at) = place(|block| matches!(block, Block::Break(_))) else {
        if let Some(wrong) = wrong.filter(|_| !step.challenge) {
            source.problem(
                line(wrong),
                1,
                say("only a challenge can be done in a wrong way", "只有挑战才有错误的做法"),
            );
        }
        return;
    };
    if !step.fresh || !step.challenge {
        source.problem(
            step.line,
            1,
            say(
                "a step with `break` must be `fresh` and a `challenge`",
                "有 `break` 的步骤必须是 `fresh` 和 `challenge`",
            ),
        );
    }
    if place(|block| matches!(block, Block::Run(run) if run.look)).is_none() {
        source.problem(
            line(at),
            1,
            say("nothing shows the symptom: a `run` block with `look` does", "没有展示症状：要有带 `look` 的 `run` 块"),
        );
    }
    if wrong.is_none() {
        source.problem(
            line(at),
            1,
            say(
                "no `wrong` block: a repair that only hides the symptom must be refused",
                "没有 `wrong` 块：只掩盖症状的修法必须被拒绝",
            ),
        );
    }
}

/// What refuses a wrong way is a fact of the step.
fn refusals(source: &mut Source<'_>, step: &Step, lines: &[usize]) {
    let mut wrong = false;
    for (block, line) in step.blocks.iter().zip(lines) {
        let facts = match block {
            Block::Wrong(_) => {
                wrong = true;
                continue;
            }
            Block::Refused(facts) => facts,
            _ => continue,
        };
        if !std::mem::take(&mut wrong) {
            let what = say(
                "`refused` stands behind the `wrong` blocks of one way",
                "`refused` 要放在一种错误做法的 `wrong` 块之后",
            );
            source.problem(*line, 1, what);
        }
        for fact in facts.iter().filter(|fact| !step.facts().any(|check| check.source == fact.source)) {
            let near = or_meant(nearest(&fact.source, step.facts().map(|check| check.source.as_str())));
            let what = say(
                format!("no check of the step is `{}`{near}", fact.source),
                format!("本步骤没有 `{}` 这个检查{near}", fact.source),
            );
            source.problem(fact.at, 1, what);
        }
    }
}

/// Facts that must stay true show nothing by themselves, and what has not happened yet cannot stay.
fn keeps(source: &mut Source<'_>, step: &Step, lines: &[usize]) {
    let mut shown = false;
    for (block, line) in step.blocks.iter().zip(lines) {
        if let Block::Run(run) = block {
            shown |= run.look;
        }
        let Block::Check(checks) = block else { continue };
        // Where a line only shows something, that it has run is what is waited for.
        let shows = std::mem::take(&mut shown);
        if !shows && !checks.is_empty() && checks.iter().all(|check| check.keeps) {
            source.problem(
                *line,
                1,
                say(
                    "every fact of this block holds before: nothing would show that something was done",
                    "这一块的事实在之前就都成立：看不出做过什么",
                ),
            );
        }
        for check in checks.iter().filter(|check| check.keeps && check.happens()) {
            source.problem(
                check.at,
                1,
                say(
                    "this counts from the beginning of the step and cannot hold before: leave out `keeps`",
                    "它从步骤开始时算起，之前不可能成立：去掉 `keeps`",
                ),
            );
        }
    }
}

fn help(source: &mut Source<'_>, step: &Step) {
    let hints: Vec<&String> =
        step.blocks.iter().filter_map(|block| if let Block::Hint(text) = block { Some(text) } else { None }).collect();
    if hints.len() != RUNGS {
        let count = hints.len();
        let what = say(
            format!("the step has {count} `hint` blocks; it needs {RUNGS}: a nudge, the idea, the command"),
            format!("步骤有 {count} 个 `hint` 块；需要 {RUNGS} 个：提醒、思路、命令"),
        );
        source.problem(step.line, 1, what);
    }
    let commands: Vec<&Run> = step
        .blocks
        .iter()
        .flat_map(|block| match block {
            Block::Run(run) => std::slice::from_ref(run),
            Block::Solution(way) => way.runs.as_slice(),
            _ => &[],
        })
        .collect();
    if let Some(last) = hints.last()
        && !commands.is_empty()
        && !commands.iter().any(|run| last.contains(&run.line))
    {
        source.problem(
            step.line,
            1,
            say(
                "the last hint must give a command of the step as it is typed",
                "最后一个提示要给出本步骤的一条命令，照输入的写法",
            ),
        );
    }
}
