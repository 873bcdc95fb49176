//! A lesson as a hand-out: its text with what its commands printed, which calls they made and what the kernel said, from a run
//! on this machine. What gives answers away is for the speaker alone.

mod book;
mod html;
mod md;

pub(crate) use book::{Chapter, Page, book, sources};
pub(crate) use html::page;
pub(crate) use md::document;

use super::{Event, Printer};
use crate::{
    kernel::text::safe,
    lang::Lang,
    lesson::{Block, Lesson, Predict, Run, Step, TerminalId},
    trace::TraceJson,
};
use std::{cell::RefCell, collections::BTreeMap, io, rc::Rc};

/// More calls of one command are counted, not shown.
const MAX_CALLS: usize = 24;
/// More lines of one command are counted, not shown.
const MAX_LINES: usize = 60;

/// A line that was typed, and what came of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Shown {
    terminal: TerminalId,
    line: String,
    output: String,
    status: Option<i32>,
    /// Each as strace(1) writes it, with what changed.
    calls: Vec<Made>,
    /// Whether it has ended: calls after that are not its own.
    ended: bool,
}

/// A call, with what it changed in the words of the events and in those of the reader of the run.
#[derive(Clone, Debug, Default)]
struct Made {
    call: String,
    changed: Vec<String>,
    said: Vec<String>,
}

/// Whether a fact held, and what was observed.
type Came = (Option<bool>, String);

/// What came of a step.
#[derive(Clone, Debug, Default)]
pub(super) struct Played {
    ran: Vec<Shown>,
    /// By instruction.
    facts: BTreeMap<String, Came>,
    /// Why this machine cannot do it, or why it failed.
    reason: Option<String>,
}

/// What a run came to, step by step.
#[derive(Clone, Debug, Default)]
pub(crate) struct Record {
    steps: BTreeMap<String, Played>,
    at: String,
    /// In which language the run spoke.
    lang: Lang,
}

/// Writes down what is told.
#[derive(Clone, Debug)]
pub(crate) struct Collector(Rc<RefCell<Record>>);

impl Collector {
    /// For a run that speaks this language.
    pub(crate) fn new(lang: Lang) -> Collector {
        Collector(Rc::new(RefCell::new(Record { lang, ..Record::default() })))
    }

    /// What was told so far.
    pub(crate) fn record(&self) -> Record {
        self.0.borrow().clone()
    }
}

impl Printer for Collector {
    fn tell(&mut self, event: &Event<'_>, _: Option<&Lesson>) -> io::Result<()> {
        self.0.borrow_mut().take(event);
        Ok(())
    }
}

impl Record {
    fn take(&mut self, event: &Event<'_>) {
        if let Event::Step { step, .. } = event {
            self.at = (*step).to_owned();
        }
        let played = self.steps.entry(self.at.clone()).or_default();
        match event {
            Event::Command { terminal, line, .. } => {
                played.ran.push(Shown { terminal: *terminal, line: (*line).to_owned(), ..Shown::default() });
            }
            Event::Output { terminal, text, status } => {
                if let Some(shown) = played.ran.iter_mut().rev().find(|shown| shown.terminal == *terminal) {
                    shown.output.push_str(text);
                    shown.status = *status;
                    shown.ended = status.is_some();
                }
            }
            Event::Traced(TraceJson::Syscall { name, args, result, errno, changed, said, .. }) => {
                if let Some(shown) = played.ran.last_mut().filter(|shown| !shown.ended) {
                    let ended = match (errno, result) {
                        (Some(errno), _) => format!("-1 {errno}"),
                        (None, Some(result)) => result.to_string(),
                        (None, None) => "?".into(),
                    };
                    let call = format!("{name}({args}) = {ended}");
                    shown.calls.push(Made { call, changed: changed.clone(), said: said.clone() });
                }
            }
            Event::Check { check, passed, observed, .. } => {
                played.facts.insert((*check).to_owned(), (*passed, (*observed).to_owned()));
            }
            Event::Outcome { reason: Some(reason), .. } => played.reason = Some((*reason).to_owned()),
            _ => {}
        }
    }

    /// The pieces of a step, in the order in which they are read.
    fn pieces<'a>(&'a self, step: &'a Step, speaker: bool) -> Vec<Piece<'a>> {
        static NOTHING: Played = Played { ran: Vec::new(), facts: BTreeMap::new(), reason: None };
        let played = self.steps.get(&step.id).unwrap_or(&NOTHING);
        let mut ran = played.ran.iter();
        let mut pieces: Vec<Piece<'a>> = played.reason.as_deref().map(Piece::NotDone).into_iter().collect();
        for block in &step.blocks {
            match block {
                Block::Prose(text) => pieces.push(Piece::Text(text)),
                Block::Predict(predict) => pieces.push(Piece::Question(predict, speaker)),
                Block::Run(run) => pieces.push(Piece::Ran(run, ran.next())),
                Block::Check(checks) => pieces.push(Piece::Facts(
                    checks.iter().map(|check| (check.text.as_str(), played.facts.get(&check.source))).collect(),
                )),
                Block::Why(text) => pieces.push(Piece::Why(text)),
                Block::Hint(text) if speaker => pieces.push(Piece::Hint(text)),
                Block::Note(text) if speaker => pieces.push(Piece::Note(text)),
                // Another way to the same end was not gone.
                Block::Solution(way) if speaker && !way.or => {
                    pieces.extend(way.runs.iter().map(|run| Piece::Ran(run, ran.next())));
                }
                Block::Hint(_)
                | Block::Note(_)
                | Block::Solution(_)
                | Block::Wrong(_)
                | Block::Refused(_)
                | Block::Break(_)
                | Block::Requires(_)
                | Block::Changes(_) => {}
            }
        }
        pieces
    }
}

/// One piece of a step.
enum Piece<'a> {
    Text(&'a str),
    /// The question; whether the right answer is given away.
    Question(&'a Predict, bool),
    /// A line of the lesson, and what came of it where it was typed.
    Ran(&'a Run, Option<&'a Shown>),
    /// Facts for the learner, each with what the kernel said.
    Facts(Vec<(&'a str, Option<&'a Came>)>),
    Why(&'a str),
    Hint(&'a str),
    Note(&'a str),
    NotDone(&'a str),
}

impl Made {
    /// What changed, for readers of this language.
    fn changed(&self, lang: Lang, record: &Record) -> &[String] {
        if lang == record.lang && !self.said.is_empty() { &self.said } else { &self.changed }
    }
}

impl Shown {
    /// What it printed, and how many lines more than that.
    fn printed(&self) -> (String, usize) {
        let text = safe(self.output.trim_end());
        let lines: Vec<&str> = text.lines().collect();
        let shown = lines.iter().take(MAX_LINES).copied().collect::<Vec<_>>().join("\n");
        (shown, lines.len().saturating_sub(MAX_LINES))
    }

    /// The calls that are shown, and how many more there were.
    fn told(&self) -> (&[Made], usize) {
        let shown = self.calls.get(..MAX_CALLS).unwrap_or(&self.calls);
        (shown, self.calls.len() - shown.len())
    }
}
