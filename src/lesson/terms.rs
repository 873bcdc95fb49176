//! The words of lessons: the tables in the guide for authors, read by the linter. One word for one thing in Chinese, and
//! plain English.

use super::source::Source;
use crate::lang::{Lang, say};

const GUIDE: &str = include_str!("../../lessons/README.md");

/// A row of a table.
struct Term {
    /// What it is about, in English.
    english: &'static str,
    /// What is written.
    right: &'static str,
    /// What is not written.
    not: Vec<&'static str>,
}

/// The rows below a heading of the guide, their cells as they are.
fn rows(heading: &str) -> impl Iterator<Item = Vec<&'static str>> {
    let section = GUIDE.split_once(heading).map_or("", |(_, rest)| rest.split("\n## ").next().unwrap_or_default());
    let cells =
        |line: &'static str| Some(line.strip_prefix('|')?.strip_suffix('|')?.split('|').map(str::trim).collect());
    // A table's heading and the line below it are no rows.
    section.lines().filter_map(cells).skip(2)
}

fn chinese() -> impl Iterator<Item = Term> {
    rows("## Terms").filter_map(|cells| match cells.as_slice() {
        [english, right, not] => Some(Term { english, right, not: not.split('、').map(str::trim).collect() }),
        _ => None,
    })
}

fn english() -> impl Iterator<Item = Term> {
    rows("## Plain English").filter_map(|cells| match cells.as_slice() {
        [right, not] => Some(Term { english: "", right, not: not.split(',').map(str::trim).collect() }),
        _ => None,
    })
}

/// The blocks that hold command lines, in which a word may be the name of a user or of a file.
const COMMANDS: [&str; 4] = ["run", "solution", "wrong", "break"];

/// Reports each word of a file for which the guide has another one, where it stands. What is typed is not prose.
pub(super) fn check(source: &mut Source<'_>, lang: Lang) {
    let mut terms: Vec<Term> = lang.pick(english().collect(), chinese().collect());
    // Most of them are nowhere in a file, which is told sooner of the whole than of each line.
    let whole = source.text.to_ascii_lowercase();
    terms.iter_mut().for_each(|term| term.not.retain(|word| whole.contains(&word.to_ascii_lowercase())));
    terms.retain(|term| !term.not.is_empty());
    let mut typed = false;
    for number in 1..=source.lines() {
        let line = source.line(number).text;
        if let Some(fence) = line.strip_prefix("```") {
            typed = COMMANDS.contains(&fence.split(' ').next().unwrap_or_default());
        }
        for Term { english, right, not } in &terms {
            let found = not.iter().flat_map(|word| found(line, word, right, lang));
            for (at, word) in found.filter(|(at, _)| !typed && !is_code(line, *at)) {
                let column = line.get(..at).map_or(1, |before| before.chars().count() + 1);
                let text = match lang {
                    Lang::En => say(format!("`{word}`: write {right}"), format!("`{word}`：请写 {right}")),
                    Lang::Zh => say(
                        format!("`{word}` is not the term for {english}: {right}"),
                        format!("“{word}”不是 {english} 的译法，请写：{right}"),
                    ),
                };
                source.problem(number, column, text);
            }
        }
    }
}

/// Where a line has this word, by bytes. A short form that is forbidden may be the beginning of the term itself.
fn found<'a>(line: &'a str, word: &'a str, right: &'a str, lang: Lang) -> Vec<(usize, &'a str)> {
    match lang {
        Lang::Zh => {
            let is_term = |at: usize| {
                let rest = line.get(at..).unwrap_or_default();
                right.split('、').any(|right| right.starts_with(word) && rest.starts_with(right))
            };
            line.match_indices(word).filter(|(at, _)| !is_term(*at)).collect()
        }
        Lang::En => {
            let lower = line.to_ascii_lowercase();
            let places: Vec<usize> = lower.match_indices(word).map(|(at, _)| at).collect();
            places.into_iter().filter(|at| stands_alone(&lower, *at, word)).map(|at| (at, word)).collect()
        }
    }
}

/// Whether this place of a line is between the marks of code.
fn is_code(line: &str, at: usize) -> bool {
    line.get(..at).is_some_and(|before| before.matches('`').count() % 2 == 1)
}

/// Whether a word is whole there, and not in one of the turns that are good English.
fn stands_alone(line: &str, at: usize, word: &str) -> bool {
    let before = line.get(..at).unwrap_or_default();
    let after = line.get(at + word.len()..).unwrap_or_default();
    let part = |letter: Option<char>| letter.is_some_and(|letter| letter.is_alphanumeric() || letter == '-');
    let negates = word.ends_with(" no");
    let fine = before.trim_end().ends_with("there") || ["longer", "more", "other"].contains(&first(after));
    let inside = part(before.chars().last()) || part(after.chars().next());
    !(inside || negates && fine)
}

fn first(text: &str) -> &str {
    text.split_whitespace().next().unwrap_or_default().trim_end_matches(|letter: char| !letter.is_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guides_tables_are_read_whole() {
        let (chinese, english): (Vec<Term>, Vec<Term>) = (chinese().collect(), english().collect());
        assert!(chinese.len() >= 25 && english.len() >= 8, "{} {}", chinese.len(), english.len());
        for Term { right, not, .. } in chinese.iter().chain(&english) {
            assert!(!right.is_empty() && !not.is_empty() && not.iter().all(|word| !word.is_empty()), "{right}");
        }
    }

    #[test]
    fn a_forbidden_word_is_reported_where_it_stands_and_the_term_itself_is_not() {
        let places = |text: &str, lang: Lang| {
            let mut source = Source::new("en.md", text);
            check(&mut source, lang);
            source.problems.iter().map(|problem| (problem.line, problem.column)).collect::<Vec<_>>()
        };
        let text = "进程住在里面。\n独立根目录，独立根。\n";
        assert_eq!(places(text, Lang::Zh), [(1, 3), (2, 7)]);
        assert_eq!(places(text, Lang::En), []);
        assert_eq!(places("It is no file.\nThere is no file; it is no longer here.\n", Lang::En), [(1, 4)]);
        assert_eq!(places("Whoever lives inside, relives it.\n", Lang::En), [(1, 1)]);
        let user = "nobody looks.\n\n```run container fails\nsu nobody\n```\n\nNot `nobody`, but nobody:\n\n```hint\nnobody\n```\n";
        assert_eq!(places(user, Lang::En), [(1, 1), (7, 19), (10, 1)], "what is typed is not prose");
        assert_eq!(places("A process lives in it.\n", Lang::En), [(1, 11)]);
    }
}
