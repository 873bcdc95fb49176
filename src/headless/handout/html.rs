//! A hand-out as one page, which needs nothing from anywhere: no script, no font, no picture.

use super::{Came, Piece, Record};
use crate::{
    kernel::text::safe,
    lang::Lang,
    lesson::{Lesson, Translations},
};
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd, html};

const STYLE: &str = "\
:root{color-scheme:light dark}\
body{font:1rem/1.6 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem}\
pre{overflow-x:auto;padding:.8rem;border-radius:.4rem;background:#8882;font:.85rem/1.4 ui-monospace,monospace}\
pre b{color:#0a7ea4}pre i{color:#c2410c;font-style:normal}\
code{font-family:ui-monospace,monospace;background:#8882;border-radius:.2rem;padding:0 .2em}\
pre code{background:none;padding:0}\
h2{margin-top:2.5rem;border-top:1px solid #8886;padding-top:1rem}\
blockquote,aside{border-left:.25rem solid #8886;margin:1rem 0;padding:.1rem 1rem}\
aside.note{border-color:#c2410c}\
ul.facts{list-style:none;padding:0}.calls{font-size:.85rem}\
small{opacity:.75}\
input[name=lang]{margin:0 .3rem 0 1rem}\
body:has(#en:checked) article[lang=zh],body:has(#zh:checked) article[lang=en]{display:none}\
nav.chapters ul{list-style:none;padding:0;display:flex;flex-wrap:wrap;gap:.2rem 1rem;font-size:.9rem}\
nav.chapters a[aria-current]{font-weight:bold;text-decoration:none;color:inherit}\
nav.beside{display:flex;justify-content:space-between;border-top:1px solid #8886;margin-top:2.5rem;padding-top:1rem}\
@media(min-width:76rem){nav.chapters{position:fixed;top:2rem;left:max(1rem,calc(50% - 39rem));width:13rem}\
nav.chapters ul{display:block}}\
@media print{fieldset,nav{display:none}pre{white-space:pre-wrap}h2{break-after:avoid}}\
";

/// The page of a lesson, with every language of it. `first` is the one that is open.
pub(crate) fn page(lesson: &Translations, record: &Record, speaker: bool, first: Lang) -> String {
    let title = lesson.best(first).map(|lesson| lesson.title.as_str());
    let choice: String = Lang::ALL
        .into_iter()
        .filter(|lang| lesson.languages().any(|known| known == *lang))
        .map(|lang| {
            let (code, checked) = (lang.code(), if lang == first { " checked" } else { "" });
            let name = lang.pick("English", "中文");
            format!("<input type=\"radio\" name=\"lang\" id=\"{code}\"{checked}><label for=\"{code}\">{name}</label>")
        })
        .collect();
    let articles: String = lesson.values().map(|lesson| article(lesson, record, speaker, false)).collect();
    sheet(first, title.unwrap_or_default(), &format!("<fieldset>{choice}</fieldset>\n{articles}"))
}

/// A page with this body, which may load nothing.
pub(super) fn sheet(lang: Lang, title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>{}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{body}</body>\n</html>\n",
        lang.code(),
        escaped(title),
    )
}

/// A lesson. Where it is the only one of its page, its steps can be linked to.
pub(super) fn article(lesson: &Lesson, record: &Record, speaker: bool, alone: bool) -> String {
    let lang = lesson.lang;
    let mut out = format!(
        "<article lang=\"{}\">\n<h1>{}</h1>\n<p><em>{}</em></p>\n{}",
        lang.code(),
        escaped(&lesson.title),
        escaped(&lesson.summary),
        markdown(&lesson.intro)
    );
    for (index, step) in lesson.steps.iter().enumerate() {
        let id = if alone { format!(" id=\"{}\"", step.id) } else { String::new() };
        out.push_str(&format!("<h2{id}>{}. {}</h2>\n", index + 1, escaped(&step.title)));
        for piece in record.pieces(step, speaker) {
            out.push_str(&drawn(&piece, lang, record));
        }
    }
    format!("{out}</article>\n")
}

fn drawn(piece: &Piece<'_>, lang: Lang, record: &Record) -> String {
    let aside = |class: &str, word: &str, text: &str| {
        format!("<aside class=\"{class}\"><strong>{word}</strong>\n{}</aside>\n", markdown(text))
    };
    match piece {
        Piece::Text(text) => markdown(text),
        Piece::Why(text) => aside("why", lang.pick("Why?", "为什么？"), text),
        Piece::Hint(text) => aside("hint", lang.pick("Hint", "提示"), text),
        Piece::Note(text) => aside("note", lang.pick("Speaker", "讲者"), text),
        Piece::NotDone(reason) => {
            let word = lang.pick("Not done on this machine", "这台机器没有做");
            format!("<aside><strong>{word}</strong><p>{}</p></aside>\n", escaped(&safe(reason)))
        }
        Piece::Question(predict, answered) => {
            let options: String = predict
                .options
                .iter()
                .enumerate()
                .map(|(index, text)| {
                    let mark = if *answered && index == predict.answer { "☑" } else { "☐" };
                    format!("<li>{mark} {}</li>", inline(text))
                })
                .collect();
            let word = lang.pick("Predict:", "预测：");
            format!(
                "<p><strong>{word}</strong> {}</p>\n<ul class=\"facts\">{options}</ul>\n",
                inline(&predict.question)
            )
        }
        Piece::Ran(run, shown) => {
            let line = shown.map_or(&run.line, |shown| &shown.line);
            let mut text = format!("<small>{}</small>\n<b>$ {}</b>", run.terminal.label(lang), escaped(&safe(line)));
            let mut told = String::new();
            if let Some(shown) = shown {
                let (printed, more) = shown.printed();
                if !printed.is_empty() {
                    text.push_str(&format!("\n{}", escaped(&printed)));
                }
                if more > 0 {
                    text.push_str(&lang.pick(format!("\n… {more} more lines"), format!("\n…… 另有 {more} 行")));
                }
                if let Some(status) = shown.status.filter(|status| *status != 0) {
                    text.push_str(
                        &lang.pick(format!("\n<i>status {status}</i>"), format!("\n<i>退出状态 {status}</i>")),
                    );
                }
                told = calls(shown, lang, record);
            }
            format!("<pre>{text}</pre>\n{told}")
        }
        Piece::Facts(facts) => {
            let line = |(text, came): &(&str, Option<&Came>)| match came {
                Some((Some(passed), observed)) => {
                    let mark = if *passed { "✔" } else { "✘" };
                    // What was observed is said in the words of the run.
                    let observed = if lang == record.lang { escaped(&safe(observed)) } else { String::new() };
                    format!("<li>{mark} {} <small>{observed}</small></li>", inline(text))
                }
                _ => format!("<li>· {}</li>", inline(text)),
            };
            let lines: String = facts.iter().map(line).collect();
            format!(
                "<p><strong>{}</strong></p>\n<ul class=\"facts\">{lines}</ul>\n",
                lang.pick("The kernel says", "内核说")
            )
        }
    }
}

fn calls(shown: &super::Shown, lang: Lang, record: &Record) -> String {
    let (calls, more) = shown.told();
    if calls.is_empty() {
        return String::new();
    }
    let one = |made: &super::Made| {
        let changed: String =
            made.changed(lang, record).iter().map(|text| format!("<br>◆ {}", escaped(&safe(text)))).collect();
        format!("<li><code>{}</code>{changed}</li>", escaped(&safe(&made.call)))
    };
    let list: String = calls.iter().map(one).collect();
    let more = match more {
        0 => String::new(),
        more => lang.pick(format!("<li>… {more} more calls</li>"), format!("<li>…… 另有 {more} 个调用</li>")),
    };
    format!("<ul class=\"calls\">{list}{more}</ul>\n")
}

/// Markdown as HTML. What is HTML in it is text, and a picture is its description: nothing is loaded.
fn markdown(text: &str) -> String {
    let mut out = String::new();
    html::push_html(&mut out, Parser::new_ext(text, Options::empty()).filter_map(harmless));
    out
}

/// The same for a sentence, without a paragraph around it.
fn inline(text: &str) -> String {
    let html = markdown(text);
    let html = html.trim();
    html.strip_prefix("<p>").and_then(|rest| rest.strip_suffix("</p>")).unwrap_or(html).to_owned()
}

fn harmless(event: Event<'_>) -> Option<Event<'_>> {
    match event {
        Event::Html(text) | Event::InlineHtml(text) if text.starts_with("<!--") => None,
        Event::Html(text) | Event::InlineHtml(text) => Some(Event::Text(text)),
        Event::Start(Tag::Image { .. } | Tag::HtmlBlock) | Event::End(TagEnd::Image | TagEnd::HtmlBlock) => None,
        event => Some(event),
    }
}

pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
