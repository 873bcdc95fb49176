//! Markdown of lessons → lines.

use super::{
    text::{Pieces, Rich, hang},
    theme::Role,
};
use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};

/// Lays out a text in so many columns, with an empty line between its blocks and none at its ends.
pub(super) fn lines(markdown: &str, width: usize) -> Vec<Pieces> {
    page(markdown, width, false)
}

/// One line a paragraph, a list's item and a line of code, in which backquotes mark code: it is heard, not seen.
pub(super) fn paragraphs(markdown: &str) -> Vec<String> {
    let lines = page(markdown, usize::MAX >> 12, true);
    lines.into_iter().map(|line| line.into_iter().map(|(text, _)| text).collect()).collect()
}

fn page(markdown: &str, width: usize, quoted: bool) -> Vec<Pieces> {
    let mut page = Page {
        width,
        quoted,
        out: Vec::new(),
        rich: Rich::default(),
        roles: vec![Role::Plain],
        lists: Vec::new(),
        item: None,
        code: false,
    };
    for event in Parser::new(markdown) {
        page.take(event);
    }
    page.flush();
    while page.out.last().is_some_and(Vec::is_empty) {
        page.out.pop();
    }
    page.out
}

struct Page {
    width: usize,
    /// Whether backquotes mark code.
    quoted: bool,
    out: Vec<Pieces>,
    rich: Rich,
    roles: Vec<Role>,
    /// The number of the next item of each open list; `None` for bullets.
    lists: Vec<Option<u64>>,
    /// What stands before the first line of the open item.
    item: Option<String>,
    code: bool,
}

impl Page {
    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) if self.code => {
                for line in text.lines() {
                    self.out.push(vec![("  ".into(), Role::Plain), (line.to_string(), Role::Code)]);
                }
            }
            Event::Text(text) => self.rich.push(&text, self.role()),
            Event::Code(text) if self.quoted => self.rich.push(&format!("`{text}`"), Role::Code),
            Event::Code(text) => self.rich.push(&text, Role::Code),
            Event::SoftBreak => self.rich.push_break(),
            Event::HardBreak => self.flush(),
            _ => {}
        }
    }

    fn role(&self) -> Role {
        self.roles.last().copied().unwrap_or(Role::Plain)
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Strong | Tag::Emphasis => self.roles.push(Role::Strong),
            Tag::Heading { .. } => self.roles.push(Role::Strong),
            Tag::List(first) => {
                self.flush();
                self.lists.push(first);
            }
            Tag::Item => {
                let mark = match self.lists.last_mut() {
                    Some(Some(number)) => {
                        *number += 1;
                        format!("{}. ", *number - 1)
                    }
                    _ => "- ".to_string(),
                };
                self.item = Some(format!("{}{mark}", "  ".repeat(self.lists.len().saturating_sub(1))));
            }
            Tag::CodeBlock(CodeBlockKind::Fenced(_) | CodeBlockKind::Indented) => {
                self.flush();
                self.code = true;
            }
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Strong | TagEnd::Emphasis => drop(self.roles.pop()),
            TagEnd::Heading(_) => {
                self.flush();
                self.roles.pop();
                self.gap();
            }
            TagEnd::Paragraph => {
                self.flush();
                if self.lists.is_empty() {
                    self.gap();
                }
            }
            TagEnd::Item => {
                self.flush();
                self.item = None;
            }
            TagEnd::List(_) => {
                self.lists.pop();
                if self.lists.is_empty() {
                    self.gap();
                }
            }
            TagEnd::CodeBlock => {
                self.code = false;
                self.gap();
            }
            _ => {}
        }
    }

    fn gap(&mut self) {
        if self.out.last().is_some_and(|line| !line.is_empty()) {
            self.out.push(Pieces::new());
        }
    }

    fn flush(&mut self) {
        let rich = std::mem::take(&mut self.rich);
        if rich.is_empty() {
            return;
        }
        let lines = match self.item.take() {
            Some(mark) => hang(&[(mark, Role::Plain)], &rich, self.width),
            None => rich.wrap(self.width),
        };
        self.out.extend(lines);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str, width: usize) -> Vec<String> {
        lines(text, width).into_iter().map(|line| line.into_iter().map(|(text, _)| text).collect()).collect()
    }

    #[test]
    fn paragraphs_lists_and_code() {
        let text = "A *plain* process\nhas `ns` links.\n\n- one\n- two words more\n\n```\n$ ls\n```\n";
        assert_eq!(
            plain(text, 12),
            ["A plain", "process has", "ns links.", "", "- one", "- two words", "  more", "", "  $ ls"]
        );
    }

    #[test]
    fn a_broken_line_of_chinese_has_no_blank() {
        assert_eq!(plain("容器是\n进程。\n`sh` 也\nok", 40), ["容器是进程。sh 也 ok"]);
    }
}
