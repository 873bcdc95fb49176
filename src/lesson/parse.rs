//! A lesson file becomes a [`Lesson`], or a list of everything that is wrong with it.

use super::{
    block::{Placed, WORDS, parse_block},
    lint,
    model::{Block, Lesson, Problem, Shells, Step},
    source::{Source, Word},
};
use crate::lang::{Lang, say};
use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag};
use std::{ops::Range, path::Path};

/// A lesson together with the line of each block: `lines[step][block]`, from 1.
#[derive(Clone, Debug, Default)]
pub(super) struct Located {
    /// The lesson.
    pub lesson: Lesson,
    /// Where its blocks stand.
    pub lines: Vec<Vec<usize>>,
}

/// Reads a lesson from the text of `…/ID/LANG.md`. The path is used for its names and in problems; nothing is opened.
///
/// Errors: every problem, in the order of the file.
pub fn parse(file: &str, text: &str) -> Result<Lesson, Vec<Problem>> {
    let (located, problems) = read(file, text);
    if problems.is_empty() { Ok(located.lesson) } else { Err(problems) }
}

/// Reads as much of a lesson as can be read, with every problem of this one file.
pub(super) fn read(file: &str, text: &str) -> (Located, Vec<Problem>) {
    read_and(file, text, |located, source| {
        source.refuse_controls();
        lint::file(located, source);
    })
}

/// The same without a look at its style and its characters, which takes ten times as long: for what this program brings along,
/// and a test has looked at.
pub(super) fn read_own(file: &str, text: &str) -> Lesson {
    read_and(file, text, |_, _| {}).0.lesson
}

fn read_and(file: &str, text: &str, look: fn(&Located, &mut Source<'_>)) -> (Located, Vec<Problem>) {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut source = Source::new(file, text);
    let path = Path::new(file);
    let name =
        |part: Option<&std::ffi::OsStr>| part.map(|part| part.to_string_lossy().into_owned()).unwrap_or_default();
    let mut located = Located::default();
    located.lesson.id = name(path.parent().and_then(Path::file_name));
    if !is_id(&located.lesson.id) {
        let id = &located.lesson.id;
        source.problem(
            1,
            1,
            say(
                format!("the folder `{id}` is not a lesson name: {ID_FORM}"),
                format!("文件夹 `{id}` 不能作课程名：{ID_FORM_ZH}"),
            ),
        );
    }
    match Lang::ALL.into_iter().find(|lang| name(path.file_stem()) == lang.code()) {
        Some(lang) => located.lesson.lang = lang,
        None => source.problem(1, 1, say("the file must be called en.md or zh.md", "文件名必须是 en.md 或 zh.md")),
    }
    let parts = parts(&mut source, text);
    build(&mut source, text, parts, &mut located);
    look(&located, &mut source);
    let mut problems = source.problems;
    problems.sort_by_key(|problem| (problem.line, problem.column));
    (located, problems)
}

/// What an ID looks like.
pub(super) const ID_FORM: &str = "small letters, digits and single hyphens, such as `host-name`";
/// The same in Chinese.
pub(super) const ID_FORM_ZH: &str = "只能用小写字母、数字和单个连字符，例如 `host-name`";

/// Whether this is a stable name of a lesson or a step.
pub(super) fn is_id(text: &str) -> bool {
    let good = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    text.len() <= 64 && text.split('-').all(good)
}

/// One top-level part of the document.
enum Part {
    Heading(HeadingLevel, Range<usize>),
    Fence(Range<usize>),
    Quote(Range<usize>),
    Text(Range<usize>),
}

fn parts(source: &mut Source<'_>, text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut depth = 0usize;
    for (event, range) in Parser::new_ext(text, Options::empty()).into_offset_iter() {
        match event {
            Event::Start(tag) => {
                depth += 1;
                let fence = matches!(&tag, Tag::CodeBlock(CodeBlockKind::Fenced(info)) if !info.trim().is_empty());
                if depth > 1 {
                    let first = match &tag {
                        Tag::CodeBlock(CodeBlockKind::Fenced(info)) => info.split_whitespace().next().unwrap_or(""),
                        _ => "",
                    };
                    if WORDS.contains(&first) {
                        let line = source.line_of(range.start);
                        source.problem(
                            line,
                            1,
                            say(
                                format!("the `{first}` block must stand outside lists and quotations"),
                                format!("`{first}` 块不能放在列表或引文里"),
                            ),
                        );
                    }
                    continue;
                }
                parts.push(match tag {
                    Tag::Heading { level, .. } => Part::Heading(level, range),
                    Tag::BlockQuote(_) => Part::Quote(range),
                    _ if fence => Part::Fence(range),
                    // Nothing draws HTML; a comment is for authors alone and is dropped.
                    Tag::HtmlBlock if text.get(range.clone()).is_some_and(|html| html.starts_with("<!--")) => continue,
                    Tag::HtmlBlock => {
                        let line = source.line_of(range.start);
                        source.problem(line, 1, say("HTML is not shown; write Markdown", "不显示 HTML，请写 Markdown"));
                        continue;
                    }
                    _ => Part::Text(range),
                });
            }
            Event::End(_) => depth = depth.saturating_sub(1),
            Event::InlineHtml(html) if !html.starts_with("<!--") => {
                let line = source.line_of(range.start);
                source.problem(
                    line,
                    1,
                    say(
                        "HTML is not shown; write Markdown, or put it between backquotes",
                        "不显示 HTML，请写 Markdown，或放进反引号里",
                    ),
                );
            }
            Event::Rule if depth == 0 => parts.push(Part::Text(range)),
            _ => {}
        }
    }
    parts
}

fn build(source: &mut Source<'_>, text: &str, parts: Vec<Part>, located: &mut Located) {
    let mut titled = false;
    for part in parts {
        match part {
            Part::Heading(level, range) => {
                let line = source.line_of(range.start);
                let heading = source.line(line).trim();
                let title = Word { text: heading.text.trim_start_matches('#'), ..heading };
                let column = heading.column + heading.text.chars().count() - title.text.chars().count();
                let title = Word { column, ..title }.trim();
                match level {
                    HeadingLevel::H1 if !titled => {
                        titled = true;
                        located.lesson.title = title.text.to_owned();
                        if title.text.is_empty() {
                            source.wrong(heading, say("the lesson has no title", "课程没有标题"));
                        }
                    }
                    HeadingLevel::H1 => source
                        .wrong(heading, say("a second `#` heading; steps have `##`", "又一个 `#` 标题；步骤用 `##`")),
                    HeadingLevel::H2 => step(source, title, heading, located),
                    _ => source.wrong(
                        heading,
                        say(
                            "only `#` (the lesson) and `##` (its steps) are headings here",
                            "这里只有 `#`（课程）和 `##`（步骤）两种标题",
                        ),
                    ),
                }
            }
            Part::Quote(range) if titled && located.lesson.summary.is_empty() && located.lesson.intro.is_empty() => {
                let quote = text.get(range).unwrap_or_default();
                let lines = quote.lines().map(|line| line.trim_start().trim_start_matches('>').trim());
                located.lesson.summary = lines.collect::<Vec<_>>().join(" ").trim().to_owned();
            }
            Part::Quote(range) | Part::Text(range) => {
                let line = source.line_of(range.start);
                prose(source, text.get(range).unwrap_or_default().trim_end(), line, located);
            }
            Part::Fence(range) => fence(source, range, located),
        }
    }
    if !titled {
        source.problem(1, 1, say("the lesson must begin with `# Title`", "课程要以 `# 标题` 开头"));
    }
    if located.lesson.summary.is_empty() {
        source.problem(
            1,
            1,
            say("a summary must follow the title: `> One line.`", "标题之后要有一行摘要：`> 一行文字。`"),
        );
    }
    if located.lesson.steps.is_empty() {
        source.problem(
            1,
            1,
            say("the lesson has no step: `## Title {#its-name}`", "课程没有步骤：`## 标题 {#its-name}`"),
        );
    }
    // Nothing was left behind by a step before it.
    if let Some(first) = located.lesson.steps.first_mut() {
        first.fresh = true;
    }
}

fn prose(source: &mut Source<'_>, text: &str, line: usize, located: &mut Located) {
    match (located.lesson.steps.last_mut(), located.lines.last_mut()) {
        (Some(step), Some(lines)) => match step.blocks.last_mut() {
            Some(Block::Prose(before)) => *before = format!("{before}\n\n{text}"),
            _ => {
                step.blocks.push(Block::Prose(text.to_owned()));
                lines.push(line);
            }
        },
        _ if located.lesson.title.is_empty() => {
            source.problem(line, 1, say("text before the lesson's title", "课程标题之前有文字"))
        }
        _ if located.lesson.intro.is_empty() => located.lesson.intro = text.to_owned(),
        _ => located.lesson.intro = format!("{}\n\n{text}", located.lesson.intro),
    }
}

/// Reads `Title {#id words}`.
fn step(source: &mut Source<'_>, title: Word<'_>, heading: Word<'_>, located: &mut Located) {
    let mut step = Step { line: heading.line, ..Step::default() };
    let braces = title.text.strip_suffix('}').and_then(|_| title.split_once("{"));
    let (name, words) = match braces {
        Some((name, inside)) => {
            let inside = Word { text: inside.text.trim_end_matches('}'), ..inside };
            (name.trim(), inside.split())
        }
        None => (title, Vec::new()),
    };
    step.title = name.text.to_owned();
    if step.title.is_empty() {
        source.wrong(title, say("the step has no title", "步骤没有标题"));
    }
    let mut words = words.into_iter();
    match words.next() {
        Some(word) => {
            let id = word.text.strip_prefix('#').unwrap_or_default();
            if !is_id(id) {
                source.wrong(
                    word,
                    say(
                        format!("`{}` is not a step name: `#` and then {ID_FORM}", word.text),
                        format!("`{}` 不能作步骤名：`#` 之后{ID_FORM_ZH}", word.text),
                    ),
                );
            } else if let Some(twin) = located.lesson.steps.iter().find(|other| other.id == id) {
                source.wrong(
                    word,
                    say(
                        format!("the name `{id}` was given to the step on line {} already", twin.line),
                        format!("第 {} 行的步骤已经叫 `{id}`", twin.line),
                    ),
                );
            }
            step.id = id.to_owned();
        }
        None => source
            .wrong(title, say("the step has no name: `## Title {#its-name}`", "步骤没有名字：`## 标题 {#its-name}`")),
    }
    for word in words {
        match word.text {
            "fresh" => step.fresh = true,
            "challenge" => step.challenge = true,
            "user" => step.shells = Shells::User,
            "user-and-root" => step.shells = Shells::UserAndRoot,
            other => {
                source.wrong(
                    word,
                    say(
                        format!("a step cannot be `{other}`, only fresh, challenge, user or user-and-root"),
                        format!("步骤不能是 `{other}`，只能是 fresh、challenge、user 或 user-and-root"),
                    ),
                );
            }
        }
    }
    located.lesson.steps.push(step);
    located.lines.push(Vec::new());
}

fn fence(source: &mut Source<'_>, range: Range<usize>, located: &mut Located) {
    let (first, last) = (source.line_of(range.start), source.line_of(range.end.saturating_sub(1).max(range.start)));
    let opening = source.line(first).trim();
    let mark = opening.text.chars().next().unwrap_or('`');
    let info = opening.text.trim_start_matches(mark);
    let length = opening.text.len() - info.len();
    let info = Word { column: opening.column + length, text: info, ..opening }.split();
    let closing = source.line(last).text.trim();
    if last == first || closing.len() < length || !closing.chars().all(|c| c == mark) {
        source.wrong(opening, say("the block is never closed", "块没有结束"));
        return;
    }
    let body: Vec<Word<'_>> = (first + 1..last).map(|line| source.line(line)).collect();
    if info.first().is_some_and(|word| word.text == "text") {
        let lines: Vec<&str> = (first..=last).map(|line| source.line(line).text).collect();
        return prose(source, &lines.join("\n"), first, located);
    }
    if located.lesson.steps.is_empty() {
        source.wrong(opening, say("an instruction stands before the first step", "第一个步骤之前有指令"));
        return;
    }
    let placed: Vec<Placed> = parse_block(source, &info, &body, first);
    if let (Some(step), Some(lines)) = (located.lesson.steps.last_mut(), located.lines.last_mut()) {
        for (block, line) in placed {
            step.blocks.push(block);
            lines.push(line);
        }
    }
}
