//! Finds the messages in a file of Rust.

use anyhow::{Result, anyhow};
use proc_macro2::{Delimiter, Literal, TokenStream, TokenTree};
use std::ops::Range;

/// One message: what is said in English and what in Chinese, each in one or more literals.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Message {
    pub en: Vec<Text>,
    /// Empty for a name that is the same in both languages.
    pub zh: Vec<Text>,
}

/// A literal in the code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Text {
    /// What it says, as between quotes: with escapes, in one line.
    pub says: String,
    /// Its line, from 1.
    pub line: usize,
    /// Where it stands in the file, quotes included, in bytes.
    pub at: Range<usize>,
}

/// All messages of a file, in its order; each literal belongs to one at most.
pub(crate) fn messages(source: &str) -> Result<Vec<Message>> {
    let tokens: TokenStream = source.parse().map_err(|error| anyhow!("{error}"))?;
    let mut found = Vec::new();
    search(tokens, &mut found);
    // A message in a message, such as a pair for a word of it, is found with it and by itself.
    let mut taken: Vec<usize> = Vec::new();
    found.retain(|message| {
        let starts: Vec<usize> = message.en.iter().chain(&message.zh).map(|text| text.at.start).collect();
        let is_new = !starts.iter().all(|start| taken.contains(start));
        taken.extend(starts);
        is_new
    });
    found.sort_by_key(|message| message.en.first().or(message.zh.first()).map(|text| text.at.start));
    Ok(found)
}

fn search(tokens: TokenStream, found: &mut Vec<Message>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let before = |back: usize| at.checked_sub(back).and_then(|at| tokens.get(at));
        match token {
            // Attributes, documentation among them.
            TokenTree::Punct(punct) if punct.as_char() == '#' => {
                let attribute = tokens.get(at + 1).map(ToString::to_string).unwrap_or_default().replace(' ', "");
                at += 1;
                if attribute == "[cfg(test)]" {
                    at += 1;
                    // The item that it stands before.
                    while tokens.get(at).is_some_and(|token| !ends_item(token)) {
                        at += 1;
                    }
                }
            }
            TokenTree::Group(group) => {
                if is_named(before(1), "pick") && group.delimiter() == Delimiter::Parenthesis {
                    let sides = split(group.stream());
                    if let [en, zh] = sides.as_slice() {
                        found.push(Message { en: texts(en), zh: texts(zh) });
                    }
                }
                fields(group.stream(), found);
                neighbours(group.stream(), found);
                search(group.stream(), found);
            }
            _ => {}
        }
        at += 1;
    }
}

fn ends_item(token: &TokenTree) -> bool {
    match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        TokenTree::Punct(punct) => punct.as_char() == ';',
        _ => false,
    }
}

fn is_named(token: Option<&TokenTree>, name: &str) -> bool {
    matches!(token, Some(TokenTree::Ident(ident)) if ident == name)
}

/// What stands between commas.
fn split(tokens: TokenStream) -> Vec<Vec<TokenTree>> {
    let mut parts = vec![Vec::new()];
    for token in tokens {
        match (&token, parts.last_mut()) {
            (TokenTree::Punct(punct), _) if punct.as_char() == ',' => parts.push(Vec::new()),
            (_, Some(part)) => part.push(token),
            _ => {}
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}

/// The fields `en` and `zh` of a value.
fn fields(tokens: TokenStream, found: &mut Vec<Message>) {
    let parts = split(tokens);
    let side = |name: &str| {
        let part = parts.iter().find(|part| is_named(part.first(), name))?;
        matches!(part.get(1), Some(TokenTree::Punct(punct)) if punct.as_char() == ':').then(|| texts(part))
    };
    if let (Some(en), Some(zh)) = (side("en"), side("zh")) {
        // Field by field, where both have as many.
        match en.len() == zh.len() {
            true => found.extend(en.into_iter().zip(zh).map(|(en, zh)| Message { en: vec![en], zh: vec![zh] })),
            false => found.push(Message { en, zh }),
        }
    }
}

/// Two literals beside each other of which only the second one is Chinese: a row of a table, arguments of a function.
fn neighbours(tokens: TokenStream, found: &mut Vec<Message>) {
    let parts = split(tokens);
    let own = |part: &Vec<TokenTree>| match part.as_slice() {
        [TokenTree::Literal(literal)] => text(literal),
        _ => None,
    };
    for (index, part) in parts.iter().enumerate() {
        let Some(zh) = own(part).filter(|text| is_chinese(&text.says)) else { continue };
        let before = index.checked_sub(1).and_then(|before| parts.get(before)).and_then(own);
        let en = before.filter(|text| !is_chinese(&text.says)).into_iter().collect();
        found.push(Message { en, zh: vec![zh] });
    }
}

/// Every literal, those in macros and blocks included.
fn texts(tokens: &[TokenTree]) -> Vec<Text> {
    let mut all = Vec::new();
    for token in tokens {
        match token {
            TokenTree::Literal(literal) => all.extend(text(literal)),
            TokenTree::Group(group) => all.extend(texts(&group.stream().into_iter().collect::<Vec<_>>())),
            _ => {}
        }
    }
    all
}

/// A string that says something; `None` for numbers, characters, and strings without a letter.
fn text(literal: &Literal) -> Option<Text> {
    let source = literal.to_string();
    let says = source.strip_prefix('"')?.strip_suffix('"')?;
    let span = literal.span();
    let text = Text { says: one_line(says), line: span.start().line, at: span.byte_range() };
    text.says.chars().any(char::is_alphabetic).then_some(text)
}

/// A backslash at the end of a line takes the blanks of the next one away.
fn one_line(says: &str) -> String {
    let mut lines = says.split("\\\n");
    let first = lines.next().unwrap_or_default().to_string();
    lines.fold(first, |whole, line| whole + line.trim_start()).replace('\n', "\\n")
}

fn is_chinese(text: &str) -> bool {
    text.chars().any(|letter| matches!(letter, '\u{4e00}'..='\u{9fff}'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_found_however_they_are_written() {
        let source = r#"
            /// "A comment" is no message.
            fn say(lang: Lang) -> String {
                let word = lang.pick("a word", "一个词");
                let long = lang.pick(
                    format!("{word}, \
                        and on"),
                    format!("{word}，还有"),
                );
                table(&[("key", "a row", "一行"), ("\"", "x", "y")])
            }
            const ROW: Row = Row { name: "x", en: Words { title: "t", text: "u" }, zh: Words { title: "甲", text: "乙" } };
            #[cfg(test)]
            mod tests { const T: [&str; 2] = ["not said", "没说"]; }
        "#;
        let says = |texts: &[Text]| texts.iter().map(|text| text.says.clone()).collect::<Vec<_>>().join("|");
        let all: Vec<_> =
            messages(source).unwrap().iter().map(|message| (says(&message.en), says(&message.zh))).collect();
        let wanted =
            [("a word", "一个词"), ("{word}, and on", "{word}，还有"), ("a row", "一行"), ("t", "甲"), ("u", "乙")];
        assert_eq!(all, wanted.map(|(en, zh)| (en.to_string(), zh.to_string())));
    }
}
