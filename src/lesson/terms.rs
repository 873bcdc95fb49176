//! One word for one thing in Chinese: the table of terms in the guide for authors, read by the linter.

use super::source::Source;
use crate::lang::{Lang, say};

const GUIDE: &str = include_str!("../../lessons/README.md");

/// The heading of the table in the guide.
const HEADING: &str = "## Terms";

/// A row of the table.
struct Term {
    english: &'static str,
    chinese: &'static str,
    /// What is not written for it.
    not: Vec<&'static str>,
}

fn table() -> impl Iterator<Item = Term> {
    let section = GUIDE.split_once(HEADING).map_or("", |(_, rest)| rest.split("\n## ").next().unwrap_or_default());
    section.lines().filter_map(|line| {
        let mut cells = line.strip_prefix('|')?.strip_suffix('|')?.split('|').map(str::trim);
        let (english, chinese) = (cells.next()?, cells.next()?);
        let not = cells.next()?.split('、').map(str::trim).filter(|word| !word.is_empty()).collect();
        (!english.starts_with('-') && english != "English").then_some(Term { english, chinese, not })
    })
}

/// Reports each word of a Chinese file for which the table has another one, where it stands.
pub(super) fn check(source: &mut Source<'_>, lang: Lang) {
    if lang != Lang::Zh {
        return;
    }
    let terms: Vec<Term> = table().collect();
    for number in 1..=source.lines() {
        let line = source.line(number).text;
        for term in &terms {
            for (at, word) in term.not.iter().flat_map(|word| line.match_indices(word)) {
                // A short form that is forbidden may be the beginning of the term itself.
                let rest = line.get(at..).unwrap_or_default();
                if term.chinese.split('、').any(|right| right.starts_with(word) && rest.starts_with(right)) {
                    continue;
                }
                let column = line.get(..at).map_or(1, |before| before.chars().count() + 1);
                let Term { english, chinese, .. } = term;
                source.problem(
                    number,
                    column,
                    say(
                        format!("`{word}` is not the term for {english}: {chinese}"),
                        format!("“{word}”不是 {english} 的译法，请写：{chinese}"),
                    ),
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guides_table_is_read_whole() {
        let terms: Vec<Term> = table().collect();
        assert!(terms.len() >= 15, "{}", terms.len());
        for Term { english, chinese, not } in terms {
            assert!(!english.is_empty() && !chinese.is_empty() && !not.is_empty(), "{english}");
        }
    }

    #[test]
    fn a_forbidden_word_is_reported_where_it_stands_and_the_term_itself_is_not() {
        let text = "进程住在里面。\n独立根目录，独立根。\n";
        let mut source = Source::new("zh.md", text);
        check(&mut source, Lang::Zh);
        let found: Vec<_> = source.problems.iter().map(|problem| (problem.line, problem.column)).collect();
        assert_eq!(found, [(1, 3), (2, 7)], "{:?}", source.problems);
        let mut source = Source::new("en.md", text);
        check(&mut source, Lang::En);
        assert!(source.problems.is_empty());
    }
}
