//! Lessons from a folder of the user's: what is loaded of them, what is left out, and what is said before their commands run.

use super::{
    model::{Block, Lesson, Problem, Run, TerminalId},
    translations::Translations,
};
use crate::{
    kernel::text::{self, printable},
    lang::Lang,
};
use std::path::Path;

/// Where a lesson comes from that is not part of this program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pack {
    /// Its folder.
    pub folder: String,
    /// Where git has that folder from; none where it has it from nowhere.
    pub origin: Option<String>,
    /// Whether it stands where a lesson of this program would stand.
    pub replaces: bool,
}

/// A lesson, or one language of it, that could not be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// The folder or the file.
    pub what: String,
    /// What is wrong with it; at least one.
    pub problems: Vec<Problem>,
}

impl LeftOut {
    /// One line: what was left out, and the first problem.
    pub(crate) fn say(&self, lang: Lang) -> String {
        let first = self.problems.first().map(Problem::to_string).unwrap_or_default();
        let more = match self.problems.len().saturating_sub(1) {
            0 => String::new(),
            more => lang.pick(format!(" (and {more} more)"), format!("（另有 {more} 处）")),
        };
        let what = printable(&self.what);
        lang.pick(format!("{what} is left out: {first}{more}"), format!("{what} 未加载：{first}{more}"))
    }
}

/// What of a lesson can be used, and what cannot: a language with a problem is left out, and where none is without one, or
/// something else is wrong, the whole lesson.
pub(super) fn sound(
    label: &str,
    (mut lesson, problems): (Translations, Vec<Problem>),
) -> (Option<Translations>, Option<LeftOut>) {
    let Some(first) = problems.first() else { return (Some(lesson), None) };
    let path = |code: &str| format!("{label}/{code}.md");
    let is_of_a_language = |problem: &Problem| Lang::ALL.iter().any(|lang| path(lang.code()) == problem.file);
    match problems.iter().all(is_of_a_language) {
        true => lesson.retain(|lang| problems.iter().all(|problem| problem.file != path(lang.code()))),
        false => lesson.retain(|_| false),
    }
    let some = lesson.languages().next().is_some();
    let what = if some { first.file.clone() } else { label.to_owned() };
    (some.then_some(lesson), Some(LeftOut { what, problems }))
}

/// Puts a lesson that exists in one language in the place of the other one, marked as what it is.
pub(super) fn fall_back(lesson: &mut Translations) {
    let missing = Lang::ALL.into_iter().find(|lang| lesson.languages().all(|known| known != *lang));
    if let Some(lang) = missing
        && let Some(known) = lesson.any().cloned()
    {
        let marked = |title: &str| match known.lang {
            Lang::En => format!("{title}（英文）"),
            Lang::Zh => format!("{title} (Chinese)"),
        };
        let mut other = Lesson { lang, title: marked(&known.title), ..known.clone() };
        other.steps.iter_mut().for_each(|step| step.title = marked(&step.title));
        lesson.insert(other);
    }
}

/// [`of_where`] and every command line.
pub(crate) fn consent(lesson: &Lesson, lang: Lang) -> Vec<String> {
    let mut lines = of_where(lesson, lang);
    lines.push(lang.pick("Its commands:", "其中的命令：").into());
    lines.extend(
        commands(lesson).into_iter().map(|(terminal, line)| format!("{} $ {}", terminal.name(), printable(line))),
    );
    lines
}

/// Every command line of a lesson, in its order, with the terminal that it is typed into.
pub(crate) fn commands(lesson: &Lesson) -> Vec<(TerminalId, &str)> {
    let runs = lesson.steps.iter().flat_map(|step| &step.blocks).flat_map(Block::runs);
    runs.map(|run: &Run| (run.terminal, run.line.as_str())).collect()
}

/// What is said before the commands of a lesson from a folder run: where it is, where it comes from, what it replaces.
pub(crate) fn of_where(lesson: &Lesson, lang: Lang) -> Vec<String> {
    let Some(pack) = &lesson.pack else { return Vec::new() };
    let folder = printable(&pack.folder);
    let mut lines = vec![lang.pick(format!("It is in {folder}."), format!("它在 {folder}。"))];
    lines.push(match &pack.origin {
        Some(origin) => {
            let origin = printable(origin);
            lang.pick(format!("git has it from {origin}."), format!("git 记录的来源：{origin}。"))
        }
        None => lang.pick("Nothing says where it comes from.", "没有记录说明它从哪里来。").into(),
    });
    if pack.replaces {
        let id = &lesson.id;
        let said = format!("It stands in place of the lesson {id} of boxwright.");
        lines.push(lang.pick(said, format!("它取代了 boxwright 自带的课程 {id}。")));
    }
    lines
}

/// Where git has this folder from: the first `url` of a remote in the configuration of the work tree that it is in.
pub(super) fn origin(folder: &Path) -> Option<String> {
    let folder = folder.canonicalize().ok()?;
    let config = folder.ancestors().map(|above| above.join(".git/config")).find(|path| path.is_file())?;
    let text = text::read(config).ok()?;
    let mut remote = false;
    for line in text.lines().map(str::trim) {
        match line.strip_prefix('[') {
            Some(section) => remote = section.starts_with("remote "),
            None if remote => {
                if let Some(("url", url)) = line.split_once('=').map(|(name, value)| (name.trim(), value.trim())) {
                    return Some(url.to_owned());
                }
            }
            None => {}
        }
    }
    None
}

/// Marks what came from this folder.
pub(super) fn mark(lesson: &mut Translations, label: &str) {
    let pack = Pack { folder: label.to_owned(), origin: origin(Path::new(label)), replaces: false };
    for lesson in lesson.values_mut() {
        lesson.foreign = true;
        lesson.pack = Some(pack.clone());
    }
}

/// Marks what stands in the place of a lesson of this program.
pub(super) fn replaces(lesson: &mut Translations) {
    lesson.values_mut().filter_map(|lesson| lesson.pack.as_mut()).for_each(|pack| pack.replaces = true);
}
