//! Whether the two languages of a lesson are the same lesson, but for their sentences.

use super::{
    model::{Block, Lesson, Problem, Run, Step},
    parse::Located,
    way::Way,
};
use crate::lang::say;

/// Compares a translation with the original: everything but the sentences must be identical. Problems stand in the
/// translation's file.
pub(super) fn agree(original: &Located, translation: &Located, file: &str) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut problem = |line, what| problems.push(Problem { file: file.to_owned(), line, column: 1, what });
    let (ours, theirs) = (&original.lesson, &translation.lesson);
    let ids = |lesson: &Lesson| lesson.steps.iter().map(|step| step.id.clone()).collect::<Vec<_>>();
    if ids(ours) != ids(theirs) {
        let line = theirs.steps.iter().zip(&ours.steps).find(|(a, b)| a.id != b.id).map_or(1, |(step, _)| step.line);
        problem(line, {
            let (lang, there) = (ours.lang.code(), ids(ours).join(", "));
            say(
                format!("the steps differ from {lang}.md, which has: {there}"),
                format!("步骤与 {lang}.md 不同，那里有：{there}"),
            )
        });
        return problems;
    }
    for (index, (ours_step, step)) in ours.steps.iter().zip(&theirs.steps).enumerate() {
        let lang = ours.lang.code();
        if (ours_step.fresh, ours_step.challenge, ours_step.shells) != (step.fresh, step.challenge, step.shells) {
            problem(step.line, {
                let (id, there) = (&step.id, ours_step.line);
                say(
                    format!("the words after `#{id}` differ from {lang}.md:{there}"),
                    format!("`#{id}` 后面的词与 {lang}.md:{there} 不同"),
                )
            });
        }
        let lines = |located: &Located| located.lines.get(index).cloned().unwrap_or_default();
        let (a, b) = (instructions(ours_step, &lines(original)), instructions(step, &lines(translation)));
        let difference = a.iter().zip(&b).find(|(a, b)| a.1 != b.1);
        match difference {
            Some(((there, wanted), (here, found))) => {
                problem(
                    *here,
                    say(
                        format!("`{found}` differs from `{wanted}` in {lang}.md:{there}"),
                        format!("`{found}` 与 {lang}.md:{there} 的 `{wanted}` 不同"),
                    ),
                );
            }
            None if a.len() > b.len() => {
                let (there, wanted) = a.get(b.len()).cloned().unwrap_or_default();
                problem(
                    step.line,
                    say(
                        format!("the step lacks `{wanted}` of {lang}.md:{there}"),
                        format!("步骤缺少 {lang}.md:{there} 的 `{wanted}`"),
                    ),
                );
            }
            None if b.len() > a.len() => {
                let (here, found) = b.get(a.len()).cloned().unwrap_or_default();
                problem(
                    here,
                    say(
                        format!("`{found}` has no counterpart in {lang}.md"),
                        format!("{lang}.md 里没有与 `{found}` 对应的内容"),
                    ),
                );
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
            Block::Solution(way) => list.extend(typed_way("solution", way)),
            Block::Wrong(way) => list.extend(typed_way("wrong", way)),
            Block::Refused(facts) => {
                list.extend(facts.iter().map(|fact| (fact.at, format!("refused {}", fact.source))))
            }
            Block::Break(runs) => list.extend(runs.iter().map(|run| (run.at, typed("break", run)))),
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

fn typed_way(word: &str, way: &Way) -> Vec<(usize, String)> {
    let or = |index: usize| if way.or && index == 0 { "or " } else { "" };
    let lines = way.runs.iter().enumerate();
    lines.map(|(index, run)| (run.at, format!("{}{}", or(index), typed(word, run)))).collect()
}

fn typed(word: &str, run: &Run) -> String {
    let flags =
        [(run.hold, " hold"), (run.fails, " fails"), (run.busy, " busy"), (run.look, " look"), (run.once, " once")]
            .map(|(on, flag)| if on { flag } else { "" })
            .concat();
    format!("{word} {}{flags}: {}", run.terminal.name(), run.line)
}
