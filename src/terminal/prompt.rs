//! The shell's prompt: how a shell says that a command ended, and that it waits for the next line.
//!
//! The marks are the "semantic prompt" sequences OSC 133 that several terminals know. Ours carry the shell's own `$$` as
//! `aid`, so that a new shell (also one in another PID namespace, where `$$` is 1) differs from the one around it.
//! Marks without an `aid` come from another prompt and are not taken: they could not be told apart.

use avt::Anchor;
use std::collections::VecDeque;

/// The value of `PS1`: status and shell, start of the prompt, the prompt, start of the input.
///
/// Each shell must count the columns of its prompt right, or it wraps long lines in the wrong place. bash takes `\[` (as
/// the control character 1) and 2 for the borders of what takes no room. busybox takes all that follows `\[` for that, and
/// asks the terminal where the cursor is. dash counts nothing and prints `\[`, which is taken out again by [`LEAD`].
/// `${BASH_VERSION-}` says whether `PS0` will be written; no shell minds that it is not set, even after `set -u`.
pub(crate) const PS1: &str =
    "\\[\x1b]133;D;$?;aid=$$;bash=${BASH_VERSION-}\x07\x1b]133;A\x07\x02$ \x01\x1b]133;B\x07\x02";

/// How our prompt begins where the shell prints `\[` as it is.
pub(super) const LEAD: &str = "\\[\x1b]133;D;";

/// The value of `PS0`, which bash writes between reading a line and running it; other shells ignore it.
pub(crate) const PS0: &str = "\x1b]133;C\x07";

/// What a shell says before it draws its prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ended {
    /// The exit status of the last command, as `$?` gives it (0 before the first).
    pub(super) status: i32,
    /// The shell's PID as the shell sees it (`$$`), which is not the host's PID inside a PID namespace.
    pub(super) shell: i32,
    /// Whether the shell writes `PS0`: bash does from 4.4 on.
    pub(super) says_when_it_starts: bool,
}

impl Ended {
    /// Reads the text of an OSC: `133;D;STATUS;aid=PID;bash=VERSION`.
    pub(super) fn parse(text: &str) -> Option<Ended> {
        let (status, named) = text.strip_prefix("133;D;")?.split_once(';')?;
        let value = |name: &str| named.split(';').find_map(|value| value.strip_prefix(name));
        Some(Ended {
            status: status.parse().ok()?,
            shell: value("aid=")?.parse().ok()?,
            says_when_it_starts: value("bash=").is_some_and(writes_ps0),
        })
    }
}

fn writes_ps0(version: &str) -> bool {
    let mut numbers = version.split('.').map_while(|number| number.parse::<u32>().ok());
    (numbers.next(), numbers.next()) >= (Some(4), Some(4))
}

/// Follows one terminal's prompt.
#[derive(Clone, Debug, Default)]
pub(super) struct Prompt {
    /// What was said before the prompt that is being drawn.
    pub(super) ended: Option<Ended>,
    /// Whether the prompt is being drawn, so that the text which comes now is not a command's output.
    pub(super) drawing: bool,
    /// Where the line that is being typed begins, from the end of the prompt until the line is submitted.
    pub(super) input: Option<Anchor>,
    /// The first line of the command that starts, where it has a here-document.
    pub(super) document: Option<String>,
    /// How often Return went to the waiting shell and has not been seen to arrive.
    pub(super) returns: usize,
    /// What was said before the prompt that waits.
    pub(super) shell: Option<Ended>,
    /// Prompts that were drawn without marks.
    pub(super) drawn: VecDeque<String>,
    /// Whether the shell that waits has taken no line since its prompt.
    pub(super) fresh: bool,
    /// What was typed before a shell asked for it.
    pub(super) ahead: Ahead,
}

/// Lines that were typed while no shell waited: the next one that does takes them, unless a program did.
#[derive(Clone, Debug, Default)]
pub(super) struct Ahead {
    lines: VecDeque<String>,
    line: String,
    /// Keys of which only an editor knows what they do to the line.
    unknown: bool,
    /// Whether a program may have read some of the lines.
    doubtful: bool,
}

/// How many such lines are remembered, and how long they are.
const MAX_AHEAD: usize = 64;
const MAX_AHEAD_LEN: usize = 4096;

impl Ahead {
    /// Takes note of bytes that are typed. `prompted` says whether the first line is one that a shell asked for.
    fn typed(&mut self, bytes: &[u8], mut prompted: bool) {
        for c in String::from_utf8_lossy(bytes).chars() {
            match c {
                '\r' | '\n' => {
                    let (line, unknown) = (std::mem::take(&mut self.line), std::mem::take(&mut self.unknown));
                    let ahead = !std::mem::take(&mut prompted);
                    if ahead && !unknown && !line.trim().is_empty() && self.lines.len() < MAX_AHEAD {
                        self.lines.push_back(line);
                    }
                }
                '\x7f' | '\x08' => drop(self.line.pop()),
                '\x15' => self.line.clear(),
                // The terminal throws away what waits in it.
                '\x03' | '\x1c' | '\x1a' => *self = Ahead::default(),
                c if c.is_control() => self.unknown = true,
                c if self.line.len() < MAX_AHEAD_LEN => self.line.push(c),
                _ => self.unknown = true,
            }
        }
    }

    /// The first of them, which a shell has taken; `None` where that may have been another one.
    pub(super) fn taken(&mut self) -> Option<String> {
        self.lines.pop_front().filter(|_| !self.doubtful)
    }

    /// A shell asks. Where a program of its own ran before, that may have read what was typed; a shell that was started by what
    /// was typed before has read nothing yet.
    pub(super) fn asked(&mut self, after_a_program: bool) {
        self.doubtful = after_a_program;
    }

    /// Whether this is the first of them.
    pub(super) fn is_next(&self, line: &str) -> bool {
        self.lines.front().is_some_and(|next| next == line)
    }

    /// A shell has taken this line: all that was typed before it has gone as well.
    pub(super) fn took(&mut self, line: Option<&str>) {
        match line {
            Some(line) => {
                drop(self.lines.iter().position(|known| known == line).map(|place| self.lines.drain(..=place)))
            }
            None => self.lines.clear(),
        }
    }

    /// Takes out those that stand in these rows behind a prompt that ends like this one, in the same order.
    pub(super) fn echoed<'a>(&mut self, prompt: &str, rows: impl Iterator<Item = &'a str>) -> Vec<String> {
        let end: String = prompt.chars().skip(prompt.chars().count().saturating_sub(2)).collect();
        let mut found = Vec::new();
        for row in rows {
            let is_it = |line: &String| row.strip_suffix(line.as_str()).is_some_and(|before| before.ends_with(&end));
            if self.lines.front().is_some_and(is_it) {
                found.extend(self.lines.pop_front());
            }
        }
        found
    }
}

/// How many prompts without marks are remembered: they change with the directory.
const MAX_DRAWN: usize = 16;

impl Prompt {
    /// Takes note of bytes that go to the shell.
    pub(super) fn sent(&mut self, bytes: &[u8]) {
        self.ahead.typed(bytes, self.input.is_some() && self.returns == 0 && self.ahead.lines.is_empty());
        if self.input.is_some() {
            self.returns += bytes.iter().filter(|byte| matches!(byte, b'\r' | b'\n')).count();
        }
    }

    /// Where a prompt without marks ends, given the row in which a shell waits as far as the cursor; `None` where that is
    /// no prompt. What was drawn once is a prompt for ever, so that text which was typed behind it is not part of it.
    pub(super) fn end_of(&mut self, row: &str) -> Option<usize> {
        if row.is_empty() || asks_for_more(row) {
            return None;
        }
        let known = self.drawn.iter().find(|prompt| row.starts_with(prompt.as_str()));
        if let Some(prompt) = known {
            return Some(prompt.chars().count());
        }
        if self.drawn.len() >= MAX_DRAWN {
            self.drawn.pop_front();
        }
        self.drawn.push_back(row.to_string());
        Some(row.chars().count())
    }

    /// Whether a line feed is the echo of a Return that submits the line: the shell will not say so itself.
    pub(super) fn is_submitted_by_a_line_feed(&self) -> bool {
        let says_when_it_starts = self.shell.is_some_and(|shell| shell.says_when_it_starts);
        self.input.is_some() && self.returns > 0 && !says_when_it_starts
    }
}

/// Whether a shell asks for the rest of a command: `> `, and `quote> ` in zsh.
fn asks_for_more(row: &str) -> bool {
    row.strip_suffix("> ").is_some_and(|words| words.chars().all(|c| c.is_ascii_lowercase() || c == ' '))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_of_other_prompts_are_not_taken() {
        let ours = Ended { status: 1, shell: 42, says_when_it_starts: false };
        assert_eq!(Ended::parse("133;D;1;aid=42"), Some(ours));
        assert_eq!(Ended::parse("133;D;1;aid=42;bash="), Some(ours));
        for other in ["133;D", "133;D;0", "133;D;x;aid=1", "133;D;0;aid=", "133;D;0;aid=99999999999", "7;D;0;aid=1"] {
            assert_eq!(Ended::parse(other), None, "{other}");
        }
    }

    #[test]
    fn what_is_typed_ahead_is_known_as_far_as_it_can_be() {
        let mut prompt = Prompt::default();
        prompt.sent(b"ls -x\x7fl\rps");
        prompt.sent(b" -ef\r\r\x1b[A\rdf\r");
        let taken: Vec<String> = std::iter::from_fn(|| prompt.ahead.taken()).collect();
        assert_eq!(taken, ["ls -l", "ps -ef", "df"], "which line an arrow brings is not known");
        prompt.sent(b"ls\rps\x03df\r");
        assert_eq!((prompt.ahead.taken().as_deref(), prompt.ahead.taken()), (Some("df"), None));
        prompt.sent(b"cd /\rls\rread this\r");
        let rows = ["cd /", "ls", "read this", "me@vm:~# cd /", "me@vm:/# ls", "read this", "me@vm:/# "];
        assert_eq!(prompt.ahead.echoed("me@vm:/# ", rows.into_iter()), ["cd /", "ls"]);
    }

    #[test]
    fn bash_writes_ps0_since_4_4() {
        for (version, writes) in
            [("5.2.37(1)-release", true), ("4.4.0", true), ("4.3.48(1)-release", false), ("10.0", true), ("", false)]
        {
            assert_eq!(writes_ps0(version), writes, "{version}");
        }
    }

    #[test]
    fn a_prompt_without_marks_is_what_was_drawn_first() {
        let mut prompt = Prompt::default();
        assert_eq!(prompt.end_of("root@vm:~# "), Some(11));
        assert_eq!(prompt.end_of("root@vm:~# ps"), Some(11), "this was typed since");
        assert_eq!(prompt.end_of("root@vm:/# ls"), Some(13));
        assert_eq!(prompt.end_of("root@vm ~> "), Some(11), "fish");
        for no_prompt in ["", "> ", "quote> ", "cmdsubst quote> "] {
            assert_eq!(prompt.end_of(no_prompt), None, "{no_prompt}");
        }
    }
}
