//! What makes a lesson teachable beyond its grammar: short texts, help in three rungs, two languages that agree.

use super::{
    model::{Block, Lesson, Problem, Run, Step},
    parse::Located,
    source::Source,
    terms,
};
use crate::lang::Lang;

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
    too_long(source, lesson.lang, &lesson.intro, 1, "the introduction", BEFORE_ACTING);
    first(source, located);
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
        let unit = lang.pick("words", "characters");
        source.problem(line, 1, format!("{what} has {length} {unit}, at most {most} are allowed"));
    }
}

fn first(source: &mut Source<'_>, located: &Located) {
    let Some(step) = located.lesson.steps.first() else { return };
    let (lang, count) = (located.lesson.lang, length(&located.lesson.intro) + before_acting(step));
    let most = lang.pick(FIRST[0], FIRST[1]);
    if count > most {
        let unit = lang.pick("words", "characters");
        let what = format!(
            "the introduction and the first step have {count} {unit} before the first question, at most {most} are allowed"
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
                    too_long(source, lang, &stretch, *line, "the text before the learner acts", BEFORE_ACTING);
                    reported = source.problems.len() > before;
                }
            }
            Block::Run(_) => {
                stretch.clear();
                reported = false;
            }
            Block::Why(text) => too_long(source, lang, text, *line, "the explanation", EXPLANATION),
            _ => {}
        }
    }
}

fn order(source: &mut Source<'_>, step: &Step, lines: &[usize]) {
    let place = |wanted: fn(&Block) -> bool| step.blocks.iter().position(wanted);
    let last = |wanted: fn(&Block) -> bool| step.blocks.iter().rposition(wanted);
    let line = |index: usize| lines.get(index).copied().unwrap_or(step.line);
    keeps(source, step, lines);
    let check = place(|block| matches!(block, Block::Check(_)));
    let run = place(|block| matches!(block, Block::Run(_)));
    let why = place(|block| matches!(block, Block::Why(_)));
    let solution = place(|block| matches!(block, Block::Solution(_)));
    if check.is_none() {
        source.problem(step.line, 1, "the step has no check: nothing would show that it is done");
    }
    if step.challenge {
        if let Some(run) = run {
            source.problem(line(run), 1, "a challenge gives no command; move it to `solution`");
        }
        if solution.is_none() {
            source.problem(step.line, 1, "the challenge has no `solution` block");
        }
    } else {
        if run.is_none() {
            source.problem(step.line, 1, "the step has nothing to run");
        }
        if let Some(solution) = solution {
            source.problem(line(solution), 1, "only a challenge has a hidden solution");
        }
    }
    match (why, check) {
        (None, _) => source.problem(step.line, 1, "the step has no `why` block: nothing is explained"),
        (Some(why), Some(check)) if why < check => {
            source.problem(line(why), 1, "`why` explains what was seen: it belongs after a check");
        }
        _ => {}
    }
    if let (Some(check), Some(run)) = (check, run)
        && check < run
    {
        source.problem(line(check), 1, "the check comes before anything is run");
    }
    if let Some(predict) = last(|block| matches!(block, Block::Predict(_)))
        && !step.challenge
        && last(|block| matches!(block, Block::Run(_))).is_some_and(|run| run < predict)
    {
        source.problem(line(predict), 1, "nothing is run after the prediction");
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
                "every fact of this block holds before: nothing would show that something was done",
            );
        }
        for check in checks.iter().filter(|check| check.keeps && check.happens()) {
            source.problem(
                check.at,
                1,
                "this counts from the beginning of the step and cannot hold before: leave out `keeps`",
            );
        }
    }
}

fn help(source: &mut Source<'_>, step: &Step) {
    let hints: Vec<&String> =
        step.blocks.iter().filter_map(|block| if let Block::Hint(text) = block { Some(text) } else { None }).collect();
    if hints.len() != RUNGS {
        let what =
            format!("the step has {} `hint` blocks; it needs {RUNGS}: a nudge, the idea, the command", hints.len());
        source.problem(step.line, 1, what);
    }
    let commands: Vec<&Run> = step
        .blocks
        .iter()
        .flat_map(|block| match block {
            Block::Run(run) => std::slice::from_ref(run),
            Block::Solution(runs) => runs.as_slice(),
            _ => &[],
        })
        .collect();
    if let Some(last) = hints.last()
        && !commands.is_empty()
        && !commands.iter().any(|run| last.contains(&run.line))
    {
        source.problem(step.line, 1, "the last hint must give a command of the step as it is typed");
    }
}

/// Compares a translation with the original: everything but the sentences must be identical. Problems stand in the
/// translation's file.
pub(super) fn agree(original: &Located, translation: &Located, file: &str) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut problem = |line, what| problems.push(Problem { file: file.to_owned(), line, column: 1, what });
    let (ours, theirs) = (&original.lesson, &translation.lesson);
    let ids = |lesson: &Lesson| lesson.steps.iter().map(|step| step.id.clone()).collect::<Vec<_>>();
    if ids(ours) != ids(theirs) {
        let line = theirs.steps.iter().zip(&ours.steps).find(|(a, b)| a.id != b.id).map_or(1, |(step, _)| step.line);
        problem(line, format!("the steps differ from {}.md, which has: {}", ours.lang.code(), ids(ours).join(", ")));
        return problems;
    }
    for (index, (ours_step, step)) in ours.steps.iter().zip(&theirs.steps).enumerate() {
        let lang = ours.lang.code();
        if (ours_step.fresh, ours_step.challenge) != (step.fresh, step.challenge) {
            problem(step.line, format!("the words after `#{}` differ from {lang}.md:{}", step.id, ours_step.line));
        }
        let lines = |located: &Located| located.lines.get(index).cloned().unwrap_or_default();
        let (a, b) = (instructions(ours_step, &lines(original)), instructions(step, &lines(translation)));
        let difference = a.iter().zip(&b).find(|(a, b)| a.1 != b.1);
        match difference {
            Some(((there, wanted), (here, found))) => {
                problem(*here, format!("`{found}` differs from `{wanted}` in {lang}.md:{there}"));
            }
            None if a.len() > b.len() => {
                let (there, wanted) = a.get(b.len()).cloned().unwrap_or_default();
                problem(step.line, format!("the step lacks `{wanted}` of {lang}.md:{there}"));
            }
            None if b.len() > a.len() => {
                let (here, found) = b.get(a.len()).cloned().unwrap_or_default();
                problem(here, format!("`{found}` has no counterpart in {lang}.md"));
            }
            None => {}
        }
    }
    problems
}

/// The step without its sentences: the line of each instruction and what must be the same in every language.
fn instructions(step: &Step, lines: &[usize]) -> Vec<(usize, String)> {
    let mut list = Vec::new();
    for (block, line) in step.blocks.iter().zip(lines) {
        match block {
            Block::Prose(_) => {}
            Block::Run(run) => list.push((run.at, typed("run", run))),
            Block::Solution(runs) => list.extend(runs.iter().map(|run| (run.at, typed("solution", run)))),
            Block::Check(checks) => list.extend(checks.iter().enumerate().map(|(index, check)| {
                // Where one block ends and the next begins matters: blocks pass one after the other.
                let word = if index == 0 { "check" } else { "and" };
                (check.at, format!("{word} {}{}", if check.keeps { "keeps " } else { "" }, check.source))
            })),
            Block::Predict(predict) => {
                let answer = predict.answer + 1;
                list.push((*line, format!("predict: answer {answer} of {} is right", predict.options.len())));
            }
            Block::Requires(needs) => list.extend(needs.iter().map(|need| (*line, format!("requires {need}")))),
            Block::Changes(words) => list.extend(words.iter().map(|word| (*line, format!("changes {word}")))),
            Block::Hint(_) => list.push((*line, "hint".into())),
            Block::Why(_) => list.push((*line, "why".into())),
            Block::Note(_) => list.push((*line, "note".into())),
        }
    }
    list
}

fn typed(word: &str, run: &Run) -> String {
    let flags = [(run.hold, " hold"), (run.fails, " fails"), (run.busy, " busy"), (run.look, " look")]
        .map(|(on, flag)| if on { flag } else { "" })
        .concat();
    format!("{word} {}{flags}: {}", run.terminal.name(), run.line)
}
