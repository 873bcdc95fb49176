//! The events of `boxwright run --json`: one JSON object a line; fields are only ever added.

use crate::{
    doctor::{Tier, tier},
    lang::Lang,
    lesson::{Block, Lesson, TerminalId},
    observe::{Sample, cgroup_mode},
    session::{LessonProgress, Outcome, Proof, Report, Standing, closing},
    trace::TraceJson,
};
use serde::Serialize;

/// One event.
#[derive(Debug, Serialize, schemars::JsonSchema)]
#[serde(tag = "event", rename_all = "lowercase")]
pub(crate) enum Event<'a> {
    /// The run begins.
    Session {
        /// Of this program.
        version: &'static str,
        /// The kernel's release.
        kernel: String,
        /// `v1`, `hybrid`, `v2` or `none`.
        cgroup_mode: &'static str,
        /// `root` or `rootless`.
        privilege: &'static str,
        /// The image that lessons use.
        image: &'a str,
        /// The session's own name, `$BOX`: whatever it makes outside of its processes is called so.
        name: String,
    },
    /// A step begins.
    Step {
        /// The lesson's name.
        lesson: &'a str,
        /// The step's name.
        step: &'a str,
        /// Its heading.
        title: &'a str,
    },
    /// A command of the lesson is typed.
    Command {
        /// The lesson's name.
        lesson: &'a str,
        /// The step's name.
        step: &'a str,
        /// Into which terminal.
        terminal: TerminalId,
        /// The line.
        line: &'a str,
    },
    /// A command printed something; with its end comes its status.
    Output {
        /// In which terminal.
        terminal: TerminalId,
        /// Without escape sequences and prompts.
        text: String,
        /// The exit status; `null` where it runs on.
        status: Option<i32>,
    },
    /// The state was read.
    Sample(&'a Sample),
    /// A check was decided.
    Check {
        /// The lesson's name.
        lesson: &'a str,
        /// The step's name.
        step: &'a str,
        /// The instruction as the lesson has it.
        check: &'a str,
        /// The lesson's sentence for the learner.
        text: &'a str,
        /// Whether it holds; `null` where it could not be seen.
        passed: Option<bool>,
        /// What should be.
        expected: &'a str,
        /// What is.
        observed: &'a str,
        /// Why it holds although the figure is another one; absent where there is nothing to explain.
        #[serde(skip_serializing_if = "str::is_empty")]
        because: &'a str,
    },
    /// A step came to its end.
    Outcome {
        /// The lesson's name.
        lesson: &'a str,
        /// The step's name.
        step: &'a str,
        /// `passed`, `failed` or `skipped`.
        outcome: &'static str,
        /// Why, where it did not pass.
        reason: Option<&'a str>,
    },
    /// Something went wrong that is not a check's business.
    Trouble {
        /// One sentence.
        text: String,
    },
    /// A lesson that tested limits has ended: what the kernel counted meanwhile.
    Proof {
        /// The lesson's name.
        lesson: &'a str,
        /// The card.
        #[serde(flatten)]
        proof: &'a Proof,
    },
    /// A lesson was played to its end.
    Closing {
        /// The lesson's name.
        lesson: &'a str,
        /// Whether every step passed that this machine can do.
        complete: bool,
        /// How many steps there are.
        steps: usize,
        /// How many passed.
        done: usize,
        /// Those that this machine cannot do.
        impossible: Vec<Skipped>,
        /// What a learner can do after it.
        summary: &'a str,
        /// The lesson after it.
        next: Option<&'a str>,
        /// The rows that a screen shows.
        rows: Vec<String>,
    },
    /// The run ends.
    Summary(Summary),
    /// The tracer saw something.
    #[serde(untagged)]
    Traced(TraceJson<'a>),
}

/// What all steps came to.
#[derive(Clone, Debug, Default, Serialize, schemars::JsonSchema)]
pub(crate) struct Summary {
    /// How many were played.
    pub steps: usize,
    /// How many passed.
    pub passed: usize,
    /// How many failed.
    pub failed: usize,
    /// Those that this machine cannot do.
    pub skipped: Vec<Skipped>,
}

/// A step that was not played.
#[derive(Clone, Debug, Serialize, schemars::JsonSchema)]
pub(crate) struct Skipped {
    /// `LESSON/STEP`.
    pub step: String,
    /// What is missing.
    pub reason: String,
}

/// The first event.
pub(super) fn session<'a>(name: &str, image: &'a str) -> Event<'a> {
    let kernel = crate::doctor::release();
    Event::Session {
        version: env!("CARGO_PKG_VERSION"),
        kernel,
        cgroup_mode: cgroup_mode(),
        privilege: match tier() {
            Tier::Root => "root",
            Tier::Rootless => "rootless",
        },
        image,
        name: name.to_string(),
    }
}

/// The end of a lesson.
pub(super) fn closing<'a>(lesson: &'a LessonProgress, next: Option<&'a str>, lang: Lang) -> Event<'a> {
    let impossible = lesson.steps.iter().filter_map(|step| match &step.standing {
        Standing::Impossible(reason) => {
            Some(Skipped { step: format!("{}/{}", lesson.id, step.id), reason: reason.clone() })
        }
        _ => None,
    });
    Event::Closing {
        lesson: &lesson.id,
        complete: lesson.is_complete(),
        steps: lesson.steps.len(),
        done: lesson.done(),
        impossible: impossible.collect(),
        summary: &lesson.summary,
        next,
        rows: closing::lesson(lesson, lang).into_iter().map(|row| row.text).collect(),
    }
}

impl<'a> Event<'a> {
    /// What the session reports.
    pub(super) fn reported(report: &'a Report, lesson: &'a Lesson) -> Option<Event<'a>> {
        let named = |index: &usize| lesson.steps.get(*index).map(|step| (lesson.id.as_str(), step.id.as_str(), step));
        Some(match report {
            Report::Step(index) => {
                let (lesson, step, whole) = named(index)?;
                Event::Step { lesson, step, title: &whole.title }
            }
            Report::Command(index, terminal, line) => {
                let (lesson, step, _) = named(index)?;
                Event::Command { lesson, step, terminal: *terminal, line }
            }
            Report::Check(index, block, number, verdict) => {
                let (lesson, step, whole) = named(index)?;
                let Some(Block::Check(checks)) = whole.blocks.get(*block) else { return None };
                let check = checks.get(*number)?;
                let (check, text) = (check.source.as_str(), check.text.as_str());
                let (expected, observed) = (verdict.expected.as_str(), verdict.observed.as_str());
                let because = verdict.because.as_str();
                Event::Check { lesson, step, check, text, passed: verdict.passed, expected, observed, because }
            }
            Report::Outcome(index, outcome) => {
                let (lesson, step, _) = named(index)?;
                let (outcome, reason) = match outcome {
                    Outcome::Passed => ("passed", None),
                    Outcome::Failed(reason) => ("failed", Some(reason.as_str())),
                    Outcome::Skipped(reason) => ("skipped", Some(reason.as_str())),
                };
                Event::Outcome { lesson, step, outcome, reason }
            }
            Report::Answered(..) | Report::Solved(..) | Report::Left(_) | Report::End => return None,
        })
    }
}
