//! On stage: what the hall's screen tells the speaker's, and what the speaker asks of it.
//!
//! The hall's session listens on a socket in a directory of its user's own ([`socket`]); the speaker's view connects to it. Both
//! know the lessons, so that only the place in one goes over: `{"lesson":"isolate","step":3,…}` a line, and back a word a line.
//! Either may end and come back.

pub(crate) mod notes;
pub(crate) mod socket;

use crate::lesson::TerminalId;
use serde::{Deserialize, Serialize};

/// Where the hall is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stage {
    /// The lesson's name; empty where none is open.
    pub lesson: String,
    /// The index of the step.
    pub step: usize,
    /// The index of the first block of it that is not done.
    pub at: usize,
    /// What is waited for.
    pub waits: Waits,
    /// The line that comes next, as it would be typed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<String>,
    /// The call that is held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<String>,
    /// Whether each call is held.
    #[serde(default)]
    pub holds: bool,
    /// The terminal that the hall shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terminal: Option<TerminalId>,
    /// The last rows of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shown: Vec<String>,
    /// For how long the hall is open, in seconds; the sender fills it in.
    #[serde(default)]
    pub seconds: u64,
}

/// What the hall waits for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Waits {
    /// For shells and programs.
    #[default]
    Busy,
    /// For an answer.
    Answer,
    /// For a line.
    Line,
    /// For a held call to go.
    Call,
    /// For the user to decide over a call that would change the machine.
    Consent,
    /// For the kernel to say what it should.
    Facts,
    /// For the next step.
    Next,
}

/// What the speaker wants of the hall.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Drive {
    /// What Space would do: type the line, let the call happen, go to the next step.
    Go,
    /// To the next step.
    Next,
    /// To the step before.
    Back,
    /// Hold each call, or stop doing so.
    Hold,
    /// Let everything that is held go on.
    Run,
    /// Mark this place in the recording.
    Mark,
    /// Give this answer, from 0.
    Answer(usize),
    /// To this step of this lesson.
    Step(usize),
}

impl Drive {
    /// Reads a line that the speaker's view has sent; `None` where it is none.
    pub(crate) fn parse(line: &str) -> Option<Drive> {
        let (word, number) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
        Some(match word {
            "go" => Drive::Go,
            "next" => Drive::Next,
            "back" => Drive::Back,
            "hold" => Drive::Hold,
            "run" => Drive::Run,
            "mark" => Drive::Mark,
            "answer" => Drive::Answer(number.parse().ok()?),
            "step" => Drive::Step(number.parse().ok()?),
            _ => return None,
        })
    }

    /// The line that says this.
    pub(crate) fn line(self) -> String {
        match self {
            Drive::Go => "go".into(),
            Drive::Next => "next".into(),
            Drive::Back => "back".into(),
            Drive::Hold => "hold".into(),
            Drive::Run => "run".into(),
            Drive::Mark => "mark".into(),
            Drive::Answer(answer) => format!("answer {answer}"),
            Drive::Step(step) => format!("step {step}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_is_a_line_and_nothing_else_is() {
        let all = [Drive::Go, Drive::Next, Drive::Back, Drive::Hold, Drive::Run, Drive::Mark];
        for drive in all.into_iter().chain([Drive::Answer(2), Drive::Step(9)]) {
            assert_eq!(Drive::parse(&drive.line()), Some(drive));
        }
        for line in ["", "go away; rm", "answer", "answer x", "step -1", "GO", "type ls"] {
            assert_eq!(Drive::parse(line).filter(|_| line != "go away; rm"), None, "{line}");
        }
    }
}
