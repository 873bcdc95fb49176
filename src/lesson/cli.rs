//! `boxwright lessons list|check|new|export`.

use super::{
    args::CALLS,
    fact::VOCABULARY,
    lint,
    model::{Block, Predict, Run},
    parse::{ID_FORM, ID_FORM_ZH, is_id},
    scaffold,
    store::{self, LoadError},
    translations::Translations,
};
use crate::{
    columns::align,
    kernel::cgroups::CONTROLLERS,
    kernel::{
        errno::{self, why_io},
        harm::Harm,
        namespaces::TABLE,
        program,
    },
    lang::{Lang, say},
    near::{did_you_mean, nearest},
    tools::TOOLS,
};
use std::{
    fs::File,
    io::{self, Write},
    path::Path,
    process::ExitCode,
};

const USAGE: u8 = 2;

/// Lists lessons and their steps, with the names that `boxwright LESSON/STEP` takes.
pub(crate) fn list(lessons: &[Translations], lang: Lang, out: &mut dyn Write) -> io::Result<()> {
    for lesson in lessons.iter().filter_map(|lesson| lesson.best(lang)) {
        let foreign = if lesson.foreign { " *" } else { "" };
        writeln!(out, "{}{foreign}  {}", lesson.id, lesson.title)?;
        for (index, step) in lesson.steps.iter().enumerate() {
            writeln!(out, "  {:>2}  {}/{}  {}", index + 1, lesson.id, step.id, step.title)?;
        }
    }
    if lessons.iter().any(|lesson| lesson.pack().is_some()) {
        writeln!(out, "{}", lang.pick("* from --lessons, not part of this program", "* 来自 --lessons，不属于本程序"))?;
    }
    Ok(())
}

/// Checks a directory of lessons, or the embedded ones. Status 1 where a problem was found, 2 where nothing could be read.
pub fn check(dir: Option<&Path>, lang: Lang, out: &mut dyn Write) -> io::Result<ExitCode> {
    let lessons = match read(dir, out)? {
        Ok(lessons) => lessons,
        Err(status) => return Ok(status),
    };
    for lesson in &lessons {
        let steps = lesson.any().map_or(0, |lesson| lesson.steps.len());
        let id = lesson.id();
        let languages = lesson.languages().map(Lang::code).collect::<Vec<_>>().join(lang.pick(" and ", " 和 "));
        let missing = Lang::ALL.into_iter().find(|lang| lesson.languages().all(|known| known != *lang)).map(Lang::code);
        let missing = missing.map(|code| {
            lang.pick(
                format!("; without {code}.md readers of that language see this one, marked"),
                format!("；没有 {code}.md，读者会看到这一种语言，并有标记"),
            )
        });
        let (steps, missing) = (lang.pick(plural(steps), format!("{steps} 步")), missing.unwrap_or_default());
        let line = lang.pick(
            format!("{id}: {steps}, {languages}: no problems{missing}"),
            format!("{id}：{steps}，{languages}：没有问题{missing}"),
        );
        writeln!(out, "{line}")?;
    }
    Ok(ExitCode::SUCCESS)
}

fn plural(steps: usize) -> String {
    format!("{steps} step{}", if steps == 1 { "" } else { "s" })
}

/// The guide for authors, in which every table of words is this program's own.
pub(crate) fn guide(out: &mut dyn Write) -> io::Result<ExitCode> {
    let mut rows = false;
    for line in store::guide().lines() {
        let table = line.starts_with("| Check |");
        if table {
            writeln!(out, "{line}\n|---|---|---|")?;
            for word in &VOCABULARY {
                let form = format!("{} {}", word.name, word.usage);
                let form = form.trim().replace('|', "\\|");
                writeln!(out, "| `{form}` | {} | `{}` |", word.meaning, word.example)?;
            }
        }
        rows = table || rows && line.starts_with('|');
        if !rows {
            writeln!(out, "{line}")?;
        }
    }
    writeln!(out, "\n## Names that are known\n")?;
    let list = |names: &mut dyn Iterator<Item = String>| names.collect::<Vec<_>>().join(", ");
    writeln!(out, "- calls: {}", list(&mut CALLS.iter().map(|name| name.to_string())))?;
    writeln!(out, "- errnos: {}", list(&mut errno::names()))?;
    writeln!(out, "- namespaces: {}", list(&mut TABLE.iter().map(|row| row.link.to_string())))?;
    writeln!(out, "- controllers: {}", list(&mut CONTROLLERS.iter().map(|name| name.to_string())))?;
    writeln!(out, "- tools: {}", list(&mut TOOLS.iter().map(|tool| tool.name.to_string())))?;
    writeln!(out, "- what `changes` may name: {}", list(&mut Harm::WORDS.iter().map(|word| word.to_string())))?;
    Ok(ExitCode::SUCCESS)
}

/// Lists what there is to read in each step before the learner acts: English words, Chinese characters. The first step
/// counts with the lesson's introduction as well, since both are on the first screen. Statuses as [`check`].
pub(crate) fn stats(dir: Option<&Path>, lang: Lang, out: &mut dyn Write) -> io::Result<ExitCode> {
    let lessons = match read(dir, out)? {
        Ok(lessons) => lessons,
        Err(status) => return Ok(status),
    };
    let titles = lang.pick(
        ["step", "words", "with intro", "characters", "with intro"],
        ["步骤", "英文词数", "含引言", "中文字数", "含引言"],
    );
    let mut rows = vec![titles.map(String::from).to_vec()];
    for lesson in &lessons {
        let steps = lesson.any().map_or(0, |lesson| lesson.steps.len());
        for index in 0..steps {
            let mut row = Vec::new();
            for language in Lang::ALL {
                let found = lesson.get(language).and_then(|lesson| Some((lesson, lesson.steps.get(index)?)));
                row.extend(match found {
                    Some((lesson, step)) => {
                        let count = lint::before_acting(step);
                        let first = (index == 0).then(|| (count + lint::length(&lesson.intro)).to_string());
                        [count.to_string(), first.unwrap_or_default()]
                    }
                    None => ["-".into(), String::new()],
                });
                if row.len() == 2 {
                    let id = found.map_or("", |(_, step)| step.id.as_str());
                    row.insert(0, format!("{}/{id}", lesson.id()));
                }
            }
            rows.push(row);
        }
    }
    align(&rows).iter().try_for_each(|line| writeln!(out, "{line}"))?;
    Ok(ExitCode::SUCCESS)
}

/// The lessons of a directory, or the embedded ones; where something is wrong, that has been said, and its status is given.
fn read(dir: Option<&Path>, out: &mut dyn Write) -> io::Result<Result<Vec<Translations>, ExitCode>> {
    match dir.map_or_else(store::embedded, store::directory) {
        Ok(lessons) => Ok(Ok(lessons)),
        Err(LoadError::Problems(problems)) => {
            problems.iter().try_for_each(|problem| writeln!(out, "{problem}"))?;
            Ok(Err(ExitCode::FAILURE))
        }
        Err(error) => Ok(Err(complain(&error.to_string(), USAGE))),
    }
}

/// Makes the folder of a new lesson in both languages. Nothing is overwritten.
pub fn new(dir: &Path, id: &str, lang: Lang, out: &mut dyn Write) -> io::Result<ExitCode> {
    if !is_id(id) {
        return Ok(complain(
            &lang.pick(format!("`{id}` is not a lesson name: {ID_FORM}"), format!("`{id}` 不能作课程名：{ID_FORM_ZH}")),
            USAGE,
        ));
    }
    let folder = dir.join(id);
    let made = std::fs::create_dir_all(dir).and_then(|()| std::fs::create_dir(&folder));
    if let Err(error) = made {
        return Ok(complain(&format!("{}{}{}", folder.display(), say(": ", "："), why_io(&error)), 1));
    }
    for lang in Lang::ALL {
        let path = folder.join(format!("{}.md", lang.code()));
        let written = File::create_new(&path).and_then(|mut file| file.write_all(scaffold::text(lang, id).as_bytes()));
        if let Err(error) = written {
            return Ok(complain(&format!("{}{}{}", path.display(), say(": ", "："), why_io(&error)), 1));
        }
        writeln!(out, "{}", path.display())?;
    }
    let (program, dir) = (program::path(), program::word(&dir.display().to_string()));
    let then = lang.pick("Then:", "然后：");
    let lines = [format!("{program} lessons check --run {dir}"), format!("{program} --lessons {dir} {id}")];
    writeln!(out, "{then}\n  {}", lines.join("\n  "))?;
    Ok(ExitCode::SUCCESS)
}

/// Prints a lesson as one plain Markdown document for the speaker: notes, answers and the hidden solution included.
pub fn export(lessons: &[Translations], id: &str, lang: Lang, out: &mut dyn Write) -> io::Result<ExitCode> {
    let found = lessons.iter().find(|lesson| lesson.id() == id).and_then(|lesson| lesson.best(lang));
    let Some(lesson) = found else {
        let known: Vec<&str> = lessons.iter().map(Translations::id).collect();
        let near = nearest(id, known.iter().copied()).map(|near| format!("\n  {}", did_you_mean(near, lang)));
        let near = near.unwrap_or_default();
        return Ok(complain(
            &lang.pick(
                format!("no lesson `{id}`; the lessons are: {}{near}", known.join(", ")),
                format!("没有课程 `{id}`；现有：{}{near}", known.join("、")),
            ),
            USAGE,
        ));
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
        Block::Note(text) => quoted(lang.pick("Speaker", "讲者"), text),
        Block::Solution(way) => {
            let word = if way.or {
                lang.pick("Another solution", "另一种解法")
            } else {
                lang.pick("A solution", "一种解法")
            };
            commands(word, &way.runs, lang)
        }
        Block::Wrong(way) => commands(lang.pick("Refused", "不算解决"), &way.runs, lang),
        Block::Refused(facts) => {
            let lines: Vec<String> = facts.iter().map(|fact| format!("- `{}`", fact.source)).collect();
            format!("**{}**\n\n{}", lang.pick("Refused by", "不成立的是"), lines.join("\n"))
        }
        Block::Break(runs) => commands(lang.pick("What breaks it", "故障是这样造成的"), runs, lang),
        Block::Changes(words) => {
            format!("*{}{}*", lang.pick("Changes the machine: ", "会改变机器本身："), words.join(", "))
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

fn commands(word: &str, runs: &[Run], lang: Lang) -> String {
    let lines: Vec<String> = runs.iter().map(|run| command(run, lang)).collect();
    format!("**{word}**\n\n{}", lines.join("\n\n"))
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

/// Says what went wrong. A closed standard error has no reader.
fn complain(what: &str, status: u8) -> ExitCode {
    let _ = writeln!(io::stderr(), "{}{what}", say("boxwright: lessons: ", "boxwright：lessons："));
    ExitCode::from(status)
}
