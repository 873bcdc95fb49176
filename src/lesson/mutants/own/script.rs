//! A script whose commands are known, and how its text is changed.

use super::shell::{self, Command, Word, commands};
use std::ops::Range;

/// A place of the script, and what comes there instead.
pub(super) type Edit = (Range<usize>, String);

pub(super) struct Script<'a> {
    pub text: &'a str,
    pub commands: Vec<Command>,
}

/// What may stand before the program that a command is about, and executes it.
const WRAPPERS: [&str; 9] = ["cgexec", "chroot", "env", "nice", "nsenter", "setpriv", "setsid", "timeout", "unshare"];
/// What a list of commands begins after, and ends before.
const OPENS: [&str; 6] = ["then", "do", "else", "{", "(", ")"];
const CLOSES: [&str; 8] = ["fi", "done", "else", "elif", "}", ")", ";;", "esac"];

impl<'a> Script<'a> {
    pub(super) fn new(text: &'a str) -> Script<'a> {
        Script { text, commands: commands(text) }
    }

    pub(super) fn raw(&self, word: &Word) -> &'a str {
        self.text.get(word.span.clone()).unwrap_or_default()
    }

    /// The commands that run this program, and the place of its name among their words.
    pub(super) fn of(&self, program: &str) -> impl Iterator<Item = (&Command, usize)> {
        self.commands.iter().filter_map(move |command| Some((command, self.place(command, program)?)))
    }

    /// The place of a program's name in a command, at its beginning or behind what executes it.
    pub(super) fn place(&self, command: &Command, program: &str) -> Option<usize> {
        let first = command.words.iter().position(|word| {
            let raw = self.raw(word);
            shell::assigned(raw).is_none() && raw != "exec" && raw != "command"
        })?;
        let wraps = |word: &Word| {
            let name = base(word);
            WRAPPERS.contains(&name) || name.starts_with("ld")
        };
        let at = command.words.iter().position(|word| base(word) == program)?;
        (at == first || at > first && command.words.get(first).is_some_and(wraps)).then_some(at)
    }

    /// The words that a command is made of, those of a variable that is a word by itself included, and where each is written.
    pub(super) fn tokens(&self, words: &[Word]) -> Vec<(Range<usize>, &'a str)> {
        let one = |word: &Word| {
            let raw = self.raw(word);
            let name = raw.trim_matches('"').strip_prefix('$').map(|name| name.trim_matches(['{', '}']));
            let value = name.and_then(|name| self.assignment(name));
            value.map_or_else(|| split(self.text, word.span.clone()), |value| split(self.text, value))
        };
        words.iter().flat_map(one).collect()
    }

    /// Where the value of a variable is written first.
    fn assignment(&self, name: &str) -> Option<Range<usize>> {
        let value = |word: &Word| {
            let (known, value) = shell::assigned(self.raw(word))?;
            (known == name).then(|| word.span.end - value.len()..word.span.end)
        };
        self.commands.iter().flat_map(|command| &command.words).find_map(value)
    }

    /// The text without a command, and without what is done only where it fails.
    pub(super) fn without(&self, command: &Command) -> Edit {
        let (start, end) = (command.span.start, self.end(command));
        let (before, after) = (&self.text[..start], &self.text[end..]);
        let line = before.rfind('\n').map_or(0, |at| at + 1);
        let rest = after.find('\n').map_or(after, |at| &after[..at]);
        let first = before[line..].trim().is_empty();
        let last = rest.trim_start().is_empty() || rest.trim_start().starts_with('#');
        // A list of no commands is none.
        let opens = OPENS.iter().any(|word| before.trim_end().ends_with(word));
        let next = after.trim_start_matches([' ', '\t', '\n', ';']);
        let only = opens && (next.is_empty() || CLOSES.iter().any(|word| next.starts_with(word)));
        match (only, first, last) {
            (false, true, true) => (line..(end + rest.len() + 1).min(self.text.len()), String::new()),
            (false, true, false) if [";", "&&"].contains(&command.after) => {
                let sign = rest.find(command.after).map_or(0, |at| at + command.after.len());
                let blanks = rest[sign..].len() - rest[sign..].trim_start().len();
                (start..end + sign + blanks, String::new())
            }
            (false, false, _) if command.before == ";" => {
                (before.trim_end().trim_end_matches(';').len()..end, String::new())
            }
            _ => (start..end, ":".into()),
        }
    }

    /// Where a command ends, with what is done only where it fails.
    fn end(&self, command: &Command) -> usize {
        let (mut end, mut after) = (command.span.end, command.after);
        while after == "||" {
            let Some(next) = self.commands.iter().find(|next| next.span.start > end) else { break };
            let between = self.text.get(end..next.span.start).unwrap_or_default();
            let block = between.contains('{').then(|| self.text[end..].find('}').map(|at| end + at + 1)).flatten();
            (end, after) = (block.unwrap_or(next.span.end), next.after);
        }
        end
    }

    /// The lines of a command that has them for itself.
    pub(super) fn lines(&self, command: &Command) -> Option<Range<usize>> {
        let (range, by) = self.without(command);
        (by.is_empty() && self.text[range.clone()].ends_with('\n')).then_some(range)
    }

    /// The text without a word, and without the blanks before it.
    pub(super) fn without_word(&self, span: Range<usize>) -> Edit {
        let before = &self.text[..span.start];
        let blanks = before.len() - before.trim_end_matches([' ', '\t']).len();
        let after = &self.text[span.end..];
        // The first word between quotes has its blanks behind it.
        let behind = if blanks == 0 { after.len() - after.trim_start_matches([' ', '\t']).len() } else { 0 };
        (span.start - blanks..span.end + behind, String::new())
    }

    /// The text without a flag, alone or among others: `-i` and `--ipc`; `words` are those behind the program's name.
    pub(super) fn without_flag(&self, words: &[Word], letter: char, long: &str) -> Option<Edit> {
        self.tokens(words).into_iter().take_while(|(_, token)| token.starts_with('-')).find_map(|(span, token)| {
            let cluster = token.strip_prefix('-').filter(|rest| rest.chars().all(|char| char.is_ascii_alphabetic()));
            match cluster.and_then(|cluster| cluster.find(letter).map(|at| (cluster, at))) {
                Some((cluster, at)) if cluster.len() > 1 => Some((span.start + 1 + at..span.start + 2 + at, "".into())),
                Some(_) => Some(self.without_word(span)),
                None => (token == long).then(|| self.without_word(span)),
            }
        })
    }

    /// The text with these changes.
    pub(super) fn with(&self, edits: &[Edit]) -> String {
        let mut edits = edits.to_vec();
        edits.sort_by_key(|(range, _)| std::cmp::Reverse(range.start));
        edits.into_iter().fold(self.text.to_owned(), |mut text, (range, by)| {
            text.replace_range(range, &by);
            text
        })
    }
}

/// The name of the program that a word is.
pub(super) fn base(word: &Word) -> &str {
    let value = word.value();
    // A variable with a whole command line begins with the program.
    let program = value.split_whitespace().next().unwrap_or_default();
    program.rsplit('/').next().unwrap_or_default()
}

/// The words of a piece of text, without the quotes around it.
fn split(text: &str, span: Range<usize>) -> Vec<(Range<usize>, &str)> {
    let raw = text.get(span.clone()).unwrap_or_default();
    let inner = raw.trim_matches(['"', '\'']);
    let start = span.start + raw.find(inner).unwrap_or(0);
    let at = |word: &str| word.as_ptr() as usize - inner.as_ptr() as usize;
    inner.split_whitespace().map(|word| (start + at(word)..start + at(word) + word.len(), word)).collect()
}
