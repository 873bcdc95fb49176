//! `boxwright lessons list|check|new|export`.

use super::{
    model::{Block, Lesson, Predict, Run, Translations},
    parse::{ID_FORM, is_id},
    scaffold,
    store::{self, LoadError},
};
use crate::lang::Lang;
use std::{
    fs::File,
    io::{self, Write},
    path::Path,
    process::ExitCode,
};

const USAGE: u8 = 2;

/// Lists lessons and their steps, with the names that `boxwright LESSON/STEP` takes.
pub fn list(lessons: &[Translations], lang: Lang, out: &mut dyn Write) -> io::Result<()> {
    for lesson in lessons.iter().filter_map(|lesson| in_language(lesson, lang)) {
        let foreign = if lesson.foreign { " *" } else { "" };
        writeln!(out, "{}{foreign}  {}", lesson.id, lesson.title)?;
        for (index, step) in lesson.steps.iter().enumerate() {
            writeln!(out, "  {:>2}  {}/{}  {}", index + 1, lesson.id, step.id, step.title)?;
        }
    }
    if lessons.iter().flat_map(|lesson| lesson.values()).any(|lesson| lesson.foreign) {
        writeln!(out, "{}", lang.pick("* from --lessons, not part of this program", "* 来自 --lessons，不属于本程序"))?;
    }
    Ok(())
}

/// Checks a directory of lessons, or the embedded ones. Status 1 where a problem was found, 2 where nothing could be read.
pub fn check(dir: Option<&Path>, out: &mut dyn Write) -> io::Result<ExitCode> {
    let checked = match dir {
        Some(dir) => store::directory(dir),
        None => store::embedded(),
    };
    match checked {
        Ok(lessons) => {
            for lesson in &lessons {
                let steps = lesson.values().next().map_or(0, |lesson| lesson.steps.len());
                writeln!(out, "{}: {steps} steps, {}: no problems", store::id(lesson), languages(lesson))?;
            }
            Ok(ExitCode::SUCCESS)
        }
        Err(LoadError::Problems(problems)) => {
            for problem in &problems {
                writeln!(out, "{problem}")?;
            }
            Ok(ExitCode::FAILURE)
        }
        Err(error) => Ok(complain(&error.to_string(), USAGE)),
    }
}

fn languages(lesson: &Translations) -> String {
    lesson.keys().copied().collect::<Vec<_>>().join(" and ")
}

/// Makes the folder of a new lesson in both languages. Nothing is overwritten.
pub fn new(dir: &Path, id: &str, out: &mut dyn Write) -> io::Result<ExitCode> {
    if !is_id(id) {
        return Ok(complain(&format!("`{id}` is no lesson name: {ID_FORM}"), USAGE));
    }
    let folder = dir.join(id);
    let made = std::fs::create_dir_all(dir).and_then(|()| std::fs::create_dir(&folder));
    if let Err(error) = made {
        return Ok(complain(&format!("{}: {error}", folder.display()), 1));
    }
    for lang in Lang::ALL {
        let path = folder.join(format!("{}.md", lang.code()));
        let written = File::create_new(&path).and_then(|mut file| file.write_all(scaffold::text(lang, id).as_bytes()));
        if let Err(error) = written {
            return Ok(complain(&format!("{}: {error}", path.display()), 1));
        }
        writeln!(out, "{}", path.display())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints a lesson as one plain Markdown document for the speaker: notes, answers and the hidden solution included.
pub fn export(lessons: &[Translations], id: &str, lang: Lang, out: &mut dyn Write) -> io::Result<ExitCode> {
    let found = lessons.iter().find(|lesson| store::id(lesson) == id).and_then(|lesson| in_language(lesson, lang));
    let Some(lesson) = found else {
        let known: Vec<&str> = lessons.iter().map(store::id).collect();
        return Ok(complain(&format!("no lesson `{id}`; there are: {}", known.join(", ")), USAGE));
    };
    writeln!(out, "# {}\n\n> {}\n", lesson.title, lesson.summary)?;
    if !lesson.intro.is_empty() {
        writeln!(out, "{}\n", lesson.intro)?;
    }
    for (index, step) in lesson.steps.iter().enumerate() {
        writeln!(out, "## {}. {}\n", index + 1, step.title)?;
        for block in &step.blocks {
            writeln!(out, "{}\n", section(block, lesson.lang))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn section(block: &Block, lang: Lang) -> String {
    let quoted = |word: &str, text: &str| {
        let lines: Vec<String> = text.lines().map(|line| format!("> {line}").trim_end().to_owned()).collect();
        format!("> **{word}**\n>\n{}", lines.join("\n"))
    };
    match block {
        Block::Prose(text) => text.clone(),
        Block::Predict(predict) => question(predict, lang),
        Block::Run(run) => command(run, lang),
        Block::Check(checks) => {
            let lines: Vec<String> =
                checks.iter().map(|check| format!("- {} (`{}`)", check.text, check.source)).collect();
            format!("**{}**\n\n{}", lang.pick("The kernel must say", "内核必须显示"), lines.join("\n"))
        }
        Block::Hint(text) => quoted(lang.pick("Hint", "提示"), text),
        Block::Why(text) => format!("**{}** {text}", lang.pick("Why?", "为什么？")),
        Block::Note(text) => quoted(lang.pick("Speaker", "讲师"), text),
        Block::Solution(runs) => {
            let lines: Vec<String> = runs.iter().map(|run| command(run, lang)).collect();
            format!("**{}**\n\n{}", lang.pick("A solution", "一种解法"), lines.join("\n\n"))
        }
        Block::Changes(words) => {
            format!("*{}: {}*", lang.pick("Changes the machine", "会改变机器本身"), words.join(", "))
        }
        Block::Requires(needs) => {
            format!(
                "*{}: {}*",
                lang.pick("Needs", "需要"),
                needs.iter().map(|need| need.to_string()).collect::<Vec<_>>().join(", ")
            )
        }
    }
}

fn question(predict: &Predict, lang: Lang) -> String {
    let answers = predict
        .options
        .iter()
        .enumerate()
        .map(|(index, text)| format!("- [{}] {text}", if index == predict.answer { "x" } else { " " }));
    let answers: Vec<String> = answers.collect();
    format!("**{}** {}\n\n{}", lang.pick("Predict:", "预测："), predict.question, answers.join("\n"))
}

fn command(run: &Run, lang: Lang) -> String {
    let mut words = vec![run.terminal.name()];
    if run.hold {
        words.push(lang.pick("held before each call", "逐个调用暂停"));
    }
    if run.fails {
        words.push(lang.pick("meant to fail", "预期失败"));
    }
    format!("*{}*\n\n```sh\n{}\n```", words.join(" · "), run.line)
}

fn in_language(lesson: &Translations, lang: Lang) -> Option<&Lesson> {
    lesson.get(lang.code()).or_else(|| lesson.values().next())
}

/// Says what went wrong; a closed standard error is nobody's concern.
fn complain(what: &str, status: u8) -> ExitCode {
    let _ = writeln!(io::stderr(), "boxwright: lessons: {what}");
    ExitCode::from(status)
}
