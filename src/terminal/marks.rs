//! Prompt marks: how a shell says that a command ended, and that it is at its prompt again.
//!
//! They are the "semantic prompt" sequences OSC 133 that several terminals know. Ours carry the shell's own `$$` as
//! `aid`, so that a new shell (also one in another PID namespace, where `$$` is 1) differs from the one around it.
//! Marks without an `aid` come from somebody else's prompt and are not taken: they could not be told apart.

use serde::Serialize;

/// What a shell said through its prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// The prompt is drawn in full and the shell reads its next line.
    Prompt {
        /// The exit status of the last command, as `$?` gives it (0 before the first).
        status: i32,
        /// The shell's PID as the shell sees it (`$$`), which is not the host's PID inside a PID namespace.
        shell: i32,
    },
    /// A line was accepted and its command starts; only bash says this (`PS0`).
    CommandStart,
}

/// The value of `PS1`: status and shell, start of the prompt, the prompt, start of the input.
///
/// The control characters 1 and 2 tell bash's readline which bytes take no room on the line; dash and busybox pass
/// them on, and a terminal ignores them.
pub const PS1: &str = "\x01\x1b]133;D;$?;aid=$$\x07\x1b]133;A\x07\x02$ \x01\x1b]133;B\x07\x02";

/// The value of `PS0`, which bash writes between reading a line and running it; other shells ignore it.
pub const PS0: &str = "\x1b]133;C\x07";

/// Follows the OSC 133 sequences of one stream.
#[derive(Clone, Debug, Default)]
pub(super) struct Marks {
    ended: Option<(i32, i32)>,
    in_prompt: bool,
}

impl Marks {
    /// Whether the prompt is being drawn, so that the text which comes now is not a command's output.
    pub(super) fn in_prompt(&self) -> bool {
        self.in_prompt
    }

    /// Our prompts are one line: if the rest of one got lost, output must not be taken for a prompt for ever.
    pub(super) fn end_line(&mut self) {
        self.in_prompt = false;
    }

    /// Takes one OSC sequence, split at its semicolons.
    pub(super) fn osc(&mut self, params: &[&[u8]]) -> Option<Mark> {
        let [b"133", kind, rest @ ..] = params else { return None };
        match *kind {
            b"D" => {
                self.ended = ended(rest);
                self.in_prompt = self.ended.is_some();
                None
            }
            b"B" => {
                self.in_prompt = false;
                self.ended.take().map(|(status, shell)| Mark::Prompt { status, shell })
            }
            b"C" => {
                self.in_prompt = false;
                Some(Mark::CommandStart)
            }
            _ => None,
        }
    }
}

fn ended(params: &[&[u8]]) -> Option<(i32, i32)> {
    let [status, rest @ ..] = params else { return None };
    let shell = rest.iter().find_map(|param| param.strip_prefix(b"aid="))?;
    Some((number(status)?, number(shell)?))
}

fn number(text: &[u8]) -> Option<i32> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(sequences: &[&str]) -> Vec<Mark> {
        let mut marks = Marks::default();
        sequences.iter().filter_map(|text| marks.osc(&text.split(';').map(str::as_bytes).collect::<Vec<_>>())).collect()
    }

    #[test]
    fn a_prompt_is_reported_when_it_is_complete() {
        assert_eq!(feed(&["133;D;1;aid=42", "133;A"]), []);
        assert_eq!(feed(&["133;D;1;aid=42", "133;A", "133;B"]), [Mark::Prompt { status: 1, shell: 42 }]);
        assert_eq!(feed(&["133;C"]), [Mark::CommandStart]);
    }

    #[test]
    fn marks_of_other_prompts_are_not_taken() {
        for other in ["133;D", "133;D;0", "133;D;x;aid=1", "133;D;0;aid=", "133;D;0;aid=99999999999", "7;D;0;aid=1"] {
            assert_eq!(feed(&[other, "133;A", "133;B"]), [], "{other}");
        }
        assert_eq!(feed(&["133", ""]), []);
    }
}
