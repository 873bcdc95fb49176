//! A shell script read as far as a mutation needs it: which commands it has, and where their words stand.
//!
//! This is no shell: what it does not understand is read as some command of that name, which no mutation looks for.

use std::{collections::BTreeMap, ops::Range};

/// A word of a command, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub span: Range<usize>,
    /// What it stands for, one for each turn of a loop: without quotes, and with the variables that the script gives a value.
    pub values: Vec<String>,
}

impl Word {
    /// What it stands for; in a loop, at the first turn.
    pub(super) fn value(&self) -> &str {
        self.values.first().map_or("", String::as_str)
    }

    pub(super) fn is(&self, text: &str) -> bool {
        self.values.len() == 1 && self.value() == text
    }
}

/// A simple command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Command {
    /// From its first word to its last, redirections included.
    pub span: Range<usize>,
    /// The words without redirections.
    pub words: Vec<Word>,
    /// The files that it writes to.
    pub writes: Vec<Word>,
    /// The file that it reads.
    pub reads: Option<Word>,
    /// What stands between it and the command after it, such as `;`, `||` or a newline.
    pub after: &'static str,
    /// The same before it; a keyword such as `then` counts.
    pub before: &'static str,
}

/// What ends a command, longest first.
const ENDS: [&str; 10] = ["&&", "||", ";;", ";", "|", "&", "(", ")", "\n", "\r"];
/// What may stand before a command.
const KEYWORDS: [&str; 9] = ["if", "then", "else", "elif", "do", "while", "until", "!", "{"];

/// The commands of a script, in its order.
pub(super) fn commands(script: &str) -> Vec<Command> {
    let mut reader = Reader { text: script, at: 0, here: Vec::new() };
    let (mut all, mut before) = (Vec::new(), "\n");
    let mut raw = Raw::default();
    loop {
        reader.blanks();
        let rest = reader.rest();
        let end = ENDS.into_iter().find(|end| rest.starts_with(end));
        if rest.is_empty() || end.is_some() {
            let after = end.unwrap_or("");
            if let Some(command) = std::mem::take(&mut raw).command(before, after) {
                all.push(command);
            }
            let Some(end) = end else { break };
            before = end;
            reader.at += end.len();
            if end == "\n" {
                reader.skip_documents();
            }
            continue;
        }
        if let Some((kind, length)) = redirection(rest) {
            let start = reader.at;
            reader.at += length;
            reader.blanks();
            let span = reader.word();
            match kind {
                Kind::Document => reader.here.push(plain(&script[span.clone()])),
                Kind::Write => raw.writes.push(span.clone()),
                Kind::Read => raw.reads = Some(span.clone()),
            }
            raw.reach(start..span.end);
            continue;
        }
        let span = reader.word();
        match KEYWORDS.into_iter().find(|word| raw.words.is_empty() && script[span.clone()] == **word) {
            Some(word) => before = word,
            None => {
                raw.reach(span.clone());
                raw.words.push(span);
            }
        }
    }
    with_values(script, all)
}

/// A command whose words are not yet understood.
#[derive(Default)]
struct Raw {
    span: Option<Range<usize>>,
    words: Vec<Range<usize>>,
    writes: Vec<Range<usize>>,
    reads: Option<Range<usize>>,
}

impl Raw {
    fn reach(&mut self, span: Range<usize>) {
        let start = self.span.as_ref().map_or(span.start, |known| known.start);
        self.span = Some(start..span.end);
    }

    fn command(self, before: &'static str, after: &'static str) -> Option<Command> {
        let word = |span: Range<usize>| Word { span, values: Vec::new() };
        Some(Command {
            span: self.span?,
            words: self.words.into_iter().map(word).collect(),
            writes: self.writes.into_iter().map(word).collect(),
            reads: self.reads.map(word),
            after,
            before,
        })
    }
}

enum Kind {
    Read,
    Write,
    Document,
}

/// A redirection at the beginning of a text, and how long its sign is; a descriptor that is duplicated counts as a file.
fn redirection(text: &str) -> Option<(Kind, usize)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let rest = text.get(digits..)?;
    let signs = [("<<-", true), ("<<", true), (">>", false), (">|", false), (">&", false), (">", false)];
    if let Some((sign, document)) = signs.into_iter().find(|(sign, _)| rest.starts_with(sign)) {
        return Some((if document { Kind::Document } else { Kind::Write }, digits + sign.len()));
    }
    rest.starts_with('<').then_some((Kind::Read, digits + if rest.starts_with("<&") { 2 } else { 1 }))
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    /// The words that end the here-documents which begin on this line.
    here: Vec<String>,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Blanks, continued lines and comments.
    fn blanks(&mut self) {
        loop {
            let rest = self.rest();
            self.at += match rest.bytes().next() {
                Some(b' ' | b'\t') => 1,
                Some(b'\\') if rest.starts_with("\\\n") => 2,
                Some(b'#') => rest.find('\n').unwrap_or(rest.len()),
                _ => return,
            };
        }
    }

    /// A word, with all that its quotes and substitutions hold together.
    fn word(&mut self) -> Range<usize> {
        let start = self.at;
        let bytes = self.text.as_bytes();
        while let Some(byte) = bytes.get(self.at) {
            match byte {
                b' ' | b'\t' | b'\n' | b';' | b'&' | b'|' | b'(' | b')' | b'<' | b'>' => break,
                _ => self.piece(),
            }
        }
        // What is no word at all is passed by.
        self.at = self.at.max(start);
        start..self.at
    }

    /// One character, or what belongs together from here on.
    fn piece(&mut self) {
        let rest = self.rest();
        match rest.bytes().next() {
            Some(b'\\') => self.at += 1 + rest.chars().nth(1).map_or(0, char::len_utf8),
            Some(quote @ (b'\'' | b'`')) => {
                let inner = rest.get(1..).unwrap_or_default();
                self.at += inner.find(char::from(quote)).map_or(rest.len(), |end| end + 2);
            }
            Some(b'"') => {
                self.at += 1;
                while !self.rest().is_empty() && !self.rest().starts_with('"') {
                    self.piece();
                }
                self.at = (self.at + 1).min(self.text.len());
            }
            Some(b'$') if rest.starts_with("$(") || rest.starts_with("${") => {
                let (open, close) = if rest.starts_with("$(") { ('(', ')') } else { ('{', '}') };
                self.at += 2;
                let mut depth = 1;
                while depth > 0 && !self.rest().is_empty() {
                    let next = self.rest().chars().next();
                    depth += i32::from(next == Some(open)) - i32::from(next == Some(close));
                    if next == Some(open) || next == Some(close) { self.at += 1 } else { self.piece() }
                }
            }
            _ => self.at += rest.chars().next().map_or(0, char::len_utf8),
        }
    }

    /// The here-documents of the line that has just ended.
    fn skip_documents(&mut self) {
        for end in std::mem::take(&mut self.here) {
            while !self.rest().is_empty() {
                let line = self.rest().split_inclusive('\n').next().unwrap_or_default();
                let ended = line.trim_end_matches('\n').trim_start_matches('\t') == end;
                self.at += line.len();
                if ended {
                    break;
                }
            }
        }
    }
}

/// A word without its quotes.
fn plain(word: &str) -> String {
    word.chars().filter(|char| !['"', '\'', '\\'].contains(char)).collect()
}

/// How often a value may name another variable.
const DEPTH: usize = 20;

/// Gives every word what it stands for.
fn with_values(script: &str, mut all: Vec<Command>) -> Vec<Command> {
    let mut known: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for command in &all {
        let words: Vec<&str> = command.words.iter().map(|word| &script[word.span.clone()]).collect();
        match words.as_slice() {
            ["for", name, "in", list @ ..] => {
                known.insert((*name).to_owned(), list.iter().map(|word| plain(word)).collect());
            }
            words => {
                for (name, value) in words.iter().map_while(|word| assigned(word)) {
                    known.entry(name.to_owned()).or_insert_with(|| vec![plain(value)]);
                }
            }
        }
    }
    let fill = |word: &mut Word| word.values = values(&script[word.span.clone()], &known);
    for command in &mut all {
        command.words.iter_mut().chain(&mut command.writes).chain(&mut command.reads).for_each(fill);
    }
    all
}

/// `NAME=VALUE`.
pub(super) fn assigned(word: &str) -> Option<(&str, &str)> {
    let (name, value) = word.split_once('=')?;
    let is_name = name.starts_with(|char: char| char.is_ascii_alphabetic() || char == '_')
        && name.chars().all(|char| char.is_ascii_alphanumeric() || char == '_');
    is_name.then_some((name, value))
}

/// What a word stands for.
fn values(word: &str, known: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    // Between single quotes a variable is no variable.
    if word.starts_with('\'') {
        return vec![plain(word)];
    }
    let mut values = vec![plain(word)];
    for _ in 0..DEPTH {
        let Some((name, found)) =
            known.iter().find(|(name, _)| values.iter().any(|value| names(value, name).is_some()))
        else {
            break;
        };
        let fill = |value: &String| match names(value, name) {
            Some(range) => found.iter().map(|one| [&value[..range.start], one, &value[range.end..]].concat()).collect(),
            None => vec![value.clone()],
        };
        values = values.iter().flat_map(fill).collect();
    }
    values
}

/// Where a value names this variable.
fn names(value: &str, name: &str) -> Option<Range<usize>> {
    let braced = format!("${{{name}}}");
    if let Some(at) = value.find(&braced) {
        return Some(at..at + braced.len());
    }
    let bare = format!("${name}");
    let is_whole =
        |at: &usize| !value[at + bare.len()..].starts_with(|char: char| char.is_ascii_alphanumeric() || char == '_');
    let at = value.match_indices(&bare).map(|(at, _)| at).find(is_whole)?;
    Some(at..at + bare.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(script: &str) -> Vec<String> {
        let said = |command: &Command| {
            let words: Vec<String> = command.words.iter().map(|word| word.values.join("|")).collect();
            words.join(" ")
        };
        commands(script).iter().map(said).collect()
    }

    #[test]
    fn commands_are_told_apart() {
        for (script, wanted) in [
            ("a b; c && d || e | f &\ng", &["a b", "c", "d", "e", "f", "g"][..]),
            ("if [ x ]; then a; else b; fi", &["[ x ]", "a", "b", "fi"]),
            ("# a; b\na 'b; c' \"d # $(e; f)\" # g\n", &["a b; c d # $(e; f)"]),
            ("a \\\n  b\nc", &["a b", "c"]),
            ("cat <<EOF > out\nx; y\nEOF\nz", &["cat", "z"]),
            ("cat <<-'E'\n\tx\n\tE\nz", &["cat", "z"]),
            ("X=1 Y=\"$X 2\"\necho ${Y} $Y-$YY 'as $X'", &["X=1 Y=1 2", "echo 1 2 1 2-$YY as $X"]),
            (
                "for d in null zero; do\n: > dev/$d\nmount --bind /dev/$d dev/$d\ndone",
                &["for d in null zero", ":", "mount --bind /dev/null|/dev/zero dev/null|dev/zero", "done"],
            ),
            ("f() { a; }", &["f", "a", "}"]),
            ("echo ünï \\\u{fc}; \"", &["echo ünï ü", ""]),
        ] {
            assert_eq!(words(script), wanted, "{script}");
        }
    }

    #[test]
    fn what_is_written_and_read_is_known() {
        let all = commands("D=/run\nread -r p r <$D/stat; echo 64M >> $D/x 2>&1");
        assert_eq!(all[1].reads.as_ref().map(Word::value), Some("/run/stat"));
        let writes: Vec<&str> = all[2].writes.iter().map(Word::value).collect();
        assert_eq!(writes, ["/run/x", "1"]);
        assert_eq!((all[1].before, all[1].after, all[2].before, all[2].after), ("\n", ";", ";", ""));
    }

    #[test]
    fn what_no_shell_understands_comes_to_an_end() {
        for script in
            ["$(", "${a", "'", "`", "\"$(\"", "<<", ">", "\\", ")(;;&", "a)\nb", "\u{0}\u{1F600}<", "for x in"]
        {
            commands(script);
        }
    }
}
