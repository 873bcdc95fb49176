//! A hand-out as Markdown.

use super::{Came, Piece, Record};
use crate::{kernel::text::safe, lang::Lang, lesson::Lesson};

/// The document of a lesson, in its language.
pub(crate) fn document(lesson: &Lesson, record: &Record, speaker: bool) -> String {
    let mut out = vec![format!("# {}", lesson.title), format!("> {}", lesson.summary)];
    if !lesson.intro.is_empty() {
        out.push(lesson.intro.clone());
    }
    for (index, step) in lesson.steps.iter().enumerate() {
        out.push(format!("## {}. {}", index + 1, step.title));
        out.extend(record.pieces(step, speaker).iter().map(|piece| written(piece, lesson.lang, record)));
    }
    format!("{}\n", out.join("\n\n"))
}

fn written(piece: &Piece<'_>, lang: Lang, record: &Record) -> String {
    let quoted = |word: &str, text: &str| {
        let lines: Vec<String> = text.lines().map(|line| format!("> {line}").trim_end().to_owned()).collect();
        format!("> **{word}**\n>\n{}", lines.join("\n"))
    };
    match piece {
        Piece::Text(text) => (*text).to_owned(),
        Piece::Why(text) => format!("**{}** {text}", lang.pick("Why?", "为什么？")),
        Piece::Hint(text) => quoted(lang.pick("Hint", "提示"), text),
        Piece::Note(text) => quoted(lang.pick("Speaker", "讲者"), text),
        Piece::NotDone(reason) => quoted(lang.pick("Not done on this machine", "这台机器没有做"), &safe(reason)),
        Piece::Question(predict, answered) => {
            let mark = |index| if *answered && index == predict.answer { "x" } else { " " };
            let options = predict.options.iter().enumerate().map(|(index, text)| format!("- [{}] {text}", mark(index)));
            let options: Vec<String> = options.collect();
            format!("**{}** {}\n\n{}", lang.pick("Predict:", "预测："), predict.question, options.join("\n"))
        }
        Piece::Ran(run, shown) => {
            let line = shown.map_or(&run.line, |shown| &shown.line);
            let mut lines = vec![format!("$ {}", safe(line))];
            let mut told = Vec::new();
            if let Some(shown) = shown {
                let (text, more) = shown.printed();
                lines.extend((!text.is_empty()).then_some(text));
                lines.extend(
                    (more > 0).then(|| lang.pick(format!("… {more} more lines"), format!("…… 另有 {more} 行"))),
                );
                lines.extend(
                    shown
                        .status
                        .filter(|status| *status != 0)
                        .map(|status| lang.pick(format!("[status {status}]"), format!("[退出状态 {status}]"))),
                );
                let (calls, more) = shown.told();
                for made in calls {
                    told.push(format!("- `{}`", safe(&made.call).replace('`', "'")));
                    told.extend(made.changed(lang, record).iter().map(|text| format!("  - {}", safe(text))));
                }
                told.extend(
                    (more > 0).then(|| lang.pick(format!("- … {more} more calls"), format!("- …… 另有 {more} 个调用"))),
                );
            }
            let body = lines.join("\n");
            // A fence longer than every row of backquotes in it.
            let fence =
                (3..).map(|length| "`".repeat(length)).find(|fence| !body.contains(fence.as_str())).unwrap_or_default();
            let told = if told.is_empty() { String::new() } else { format!("\n\n{}", told.join("\n")) };
            format!("*{}*\n\n{fence}text\n{body}\n{fence}{told}", run.terminal.label(lang))
        }
        Piece::Facts(facts) => {
            let line = |(text, came): &(&str, Option<&Came>)| match came {
                Some((Some(passed), observed)) => {
                    format!("- {} {text} ({})", if *passed { "✔" } else { "✘" }, safe(observed))
                }
                _ => format!("- · {text}"),
            };
            let lines: Vec<String> = facts.iter().map(line).collect();
            format!("**{}**\n\n{}", lang.pick("The kernel says", "内核说"), lines.join("\n"))
        }
    }
}
