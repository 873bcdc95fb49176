//! Hand-outs of several lessons as a book: a page a lesson and language, bound by links. Each page needs nothing but itself.

use super::{Record, document, html};
use crate::{
    lang::Lang,
    lesson::{Lesson, Translations},
};

/// A chapter: a lesson, and what came of running it, in the order of [`Lang::ALL`].
pub(crate) type Chapter<'a> = (&'a Translations, Vec<Record>);

/// A file of the book.
pub(crate) struct Page {
    /// Below the book's directory.
    pub path: String,
    /// What it holds.
    pub text: String,
}

/// Every page: `index.html`, which lets choose a language, and for each language its contents and its chapters.
pub(crate) fn book(chapters: &[Chapter<'_>], speaker: bool) -> Vec<Page> {
    let mut pages = vec![Page { path: "index.html".into(), text: cover() }];
    for (number, lang) in Lang::ALL.into_iter().enumerate() {
        let lessons: Vec<&Lesson> = chapters.iter().filter_map(|(lesson, _)| lesson.best(lang)).collect();
        let code = lang.code();
        pages.push(Page { path: format!("{code}/index.html"), text: contents(&lessons, lang) });
        for (index, lesson) in lessons.iter().enumerate() {
            let Some(record) = chapters.get(index).and_then(|(_, records)| records.get(number)) else { continue };
            let text = chapter(&lessons, index, record, speaker, lang);
            pages.push(Page { path: format!("{code}/{}.html", lesson.id), text });
        }
    }
    pages
}

/// The same as what mdBook makes a book of: for each language a `book.toml`, the summary and the chapters.
pub(crate) fn sources(chapters: &[Chapter<'_>], speaker: bool) -> Vec<Page> {
    let mut pages = Vec::new();
    for (number, lang) in Lang::ALL.into_iter().enumerate() {
        let (code, title) = (lang.code(), title(lang));
        let settings = format!("[book]\ntitle = \"{title}\"\nlanguage = \"{code}\"\n");
        pages.push(Page { path: format!("{code}/book.toml"), text: settings });
        let mut summary = format!("# {title}\n\n");
        for (lesson, records) in chapters {
            let (Some(lesson), Some(record)) = (lesson.best(lang), records.get(number)) else { continue };
            summary.push_str(&format!("- [{}]({}.md)\n", lesson.title, lesson.id));
            pages.push(Page { path: format!("{code}/src/{}.md", lesson.id), text: document(lesson, record, speaker) });
        }
        pages.push(Page { path: format!("{code}/src/SUMMARY.md"), text: summary });
    }
    pages
}

fn title(lang: Lang) -> &'static str {
    lang.pick("Build a Linux container by hand", "亲手搭一个 Linux 容器")
}

fn cover() -> String {
    let rows = Lang::ALL.into_iter().map(|lang| {
        let (code, name) = (lang.code(), lang.pick("English", "中文"));
        format!("<li lang=\"{code}\"><a href=\"{code}/index.html\">{} · {name}</a></li>\n", title(lang))
    });
    let list: String = rows.collect();
    html::sheet(Lang::En, "boxwright", &format!("<h1>boxwright</h1>\n<ul class=\"facts\">\n{list}</ul>\n"))
}

fn contents(lessons: &[&Lesson], lang: Lang) -> String {
    let rows = lessons.iter().map(|lesson| {
        let steps = lesson.steps.iter().map(|step| {
            let (id, step, title) = (&lesson.id, &step.id, html::escaped(&step.title));
            format!("<li><a href=\"{id}.html#{step}\">{title}</a></li>\n")
        });
        let steps: String = steps.collect();
        let (id, title) = (&lesson.id, html::escaped(&lesson.title));
        let summary = html::escaped(&lesson.summary);
        format!("<h2><a href=\"{id}.html\">{title}</a></h2>\n<p><em>{summary}</em></p>\n<ol>\n{steps}</ol>\n")
    });
    let rows: String = rows.collect();
    let body = format!("{}<main>\n<h1>{}</h1>\n{rows}</main>\n", bar(lessons, None, lang), title(lang));
    html::sheet(lang, title(lang), &body)
}

fn chapter(lessons: &[&Lesson], index: usize, record: &Record, speaker: bool, lang: Lang) -> String {
    let Some(lesson) = lessons.get(index) else { return String::new() };
    let beside = |other: Option<usize>, sign: fn(&str) -> String| {
        let other = other.and_then(|other| lessons.get(other));
        other.map_or_else(String::new, |other| {
            format!("<a href=\"{}.html\">{}</a>", other.id, sign(&html::escaped(&other.title)))
        })
    };
    let before = beside(index.checked_sub(1), |title| format!("‹ {title}"));
    let after = beside(index.checked_add(1), |title| format!("{title} ›"));
    let body = format!(
        "{}<main>\n{}<nav class=\"beside\">{before} {after}</nav>\n</main>\n",
        bar(lessons, Some(index), lang),
        html::article(lesson, record, speaker, true)
    );
    html::sheet(lang, &lesson.title, &body)
}

/// The list of chapters, beside the page where it is wide enough, and the same page in the other language.
fn bar(lessons: &[&Lesson], here: Option<usize>, lang: Lang) -> String {
    let file = |here: Option<usize>| {
        let lesson = here.and_then(|here| lessons.get(here));
        lesson.map_or("index.html".to_owned(), |lesson| format!("{}.html", lesson.id))
    };
    let link = |at: Option<usize>, title: &str| {
        let current = if at == here { " aria-current=\"page\"" } else { "" };
        format!("<li><a href=\"{}\"{current}>{}</a></li>\n", file(at), html::escaped(title))
    };
    let chapters = lessons.iter().enumerate().map(|(index, lesson)| link(Some(index), &lesson.title));
    let list: String = std::iter::once(link(None, lang.pick("Contents", "目录"))).chain(chapters).collect();
    let others = Lang::ALL.into_iter().filter(|other| *other != lang).map(|other| {
        let (code, name) = (other.code(), other.pick("English", "中文"));
        format!("<li lang=\"{code}\"><a href=\"../{code}/{}\">{name}</a></li>\n", file(here))
    });
    let others: String = others.collect();
    format!("<nav class=\"chapters\">\n<ul>\n{list}{others}</ul>\n</nav>\n")
}
