//! The same session without a screen: `boxwright run`, as a transcript or as events.

mod branch;
mod events;
mod handout;
mod json;
mod place;
mod prove;
mod prover;
mod rerun;
mod text;
mod trial;

pub(crate) use branch::{Asked, Came, Machine, branch};
pub(crate) use events::Event;
pub(crate) use handout::{Chapter, Collector, Page, Record, book, document, page, sources};
pub(crate) use place::{NoPlace, Place, place};
pub(crate) use prove::{Proved, prove};
pub(crate) use rerun::rerun;
pub(crate) use trial::{Trials, Untried, trials};

use crate::{
    event,
    kernel::text::safe,
    lesson::{Lesson, TerminalId},
    observe::Sample,
    recording::Recorder,
    runtime::{Engine, Setup, Trouble, signals},
    session::{Action, Lacking, LessonProgress, Outcome, Report, Session, Wish},
    terminal::{Piece, Screen},
    trace::TraceJson,
};
use events::{Skipped, Summary};
use std::{
    collections::BTreeMap,
    io::{self, Write},
    sync::Arc,
    time::Duration,
};

/// Tells what happens.
trait Printer {
    /// Tells one event; `session` knows the lesson that it belongs to.
    fn tell(&mut self, event: &Event<'_>, lesson: Option<&Lesson>) -> io::Result<()>;
}

/// How a run ended.
pub(crate) enum Ended {
    /// All places were played; what they came to.
    Done {
        /// Steps that failed.
        failed: usize,
        /// Steps that passed.
        passed: usize,
        /// Steps that this machine cannot do.
        skipped: usize,
    },
    /// A signal asked us to end.
    Signal(i32),
}

/// Why a run could not go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// This machine cannot.
    #[error(transparent)]
    Machine(#[from] Trouble),
    /// Our output is not read, or cannot be written.
    #[error("{0}")]
    Output(#[from] io::Error),
}

/// How lessons are run.
#[derive(Debug)]
pub(crate) struct How {
    /// Events on standard output; otherwise a transcript.
    pub json: bool,
    /// How many times as long as usual is waited for a machine that is slow.
    pub patience: u32,
    /// What they are played with.
    pub setup: Setup,
    /// Where they are recorded.
    pub recorder: Option<Recorder>,
}

/// How long the end of a run without hurry may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the machine lacks, by language code.
pub(crate) type ByLanguage = BTreeMap<&'static str, Lacking>;

/// Runs these places one after the other.
pub(crate) fn run(places: &[Place], lacking: &ByLanguage, how: How) -> Result<Ended, Failure> {
    let printer: Box<dyn Printer> =
        if how.json { Box::new(json::Json) } else { Box::new(text::Text::new(how.setup.lang)) };
    play(places, lacking, how, printer)
}

/// Runs these places, and writes down what a hand-out shows.
pub(crate) fn collect(places: &[Place], lacking: &ByLanguage, how: How, into: &Collector) -> Result<Ended, Failure> {
    play(places, lacking, how, Box::new(into.clone()))
}

fn play(places: &[Place], lacking: &ByLanguage, how: How, mut printer: Box<dyn Printer>) -> Result<Ended, Failure> {
    let (lang, image) = (how.setup.lang, how.setup.image.clone());
    let mut engine = Engine::new(how.setup).recorded(how.recorder);
    engine.watch_signals();
    engine.start()?;
    printer.tell(&events::session(engine.name().unwrap_or_default(), &image), None)?;
    complain(engine.refused());
    // The session is told once; who watches a recording of it may read another language.
    engine.note(&event::Event::Lacking(lacking.clone()));
    let lacking = &lacking.get(lang.code()).cloned().unwrap_or_default();
    let mut player = Player { engine, printer, summary: Summary::default(), last: None, patience: how.patience };
    let played = places.iter().find_map(|place| player.play(place, lacking).transpose());
    // The machine first: what is told last is then true of what is left.
    let within = if played.is_some() { signals::TIDYING } else { PATIENCE };
    complain(player.engine.finish(within).lines(lang));
    if let Some(signal) = played.transpose()? {
        return Ok(Ended::Signal(signal));
    }
    let Player { mut printer, summary, .. } = player;
    let (failed, passed, skipped) = (summary.failed, summary.passed, summary.skipped.len());
    printer.tell(&Event::Summary(summary), None)?;
    Ok(Ended::Done { failed, passed, skipped })
}

fn complain(lines: impl IntoIterator<Item = String>) {
    for line in lines {
        // A closed standard error has no reader.
        let _ = writeln!(io::stderr(), "{}", safe(&line));
    }
}

struct Player {
    engine: Engine,
    printer: Box<dyn Printer>,
    summary: Summary,
    last: Option<Arc<Sample>>,
    patience: u32,
}

/// A terminal that is not shown, and what it has printed since its last prompt.
#[derive(Default)]
struct Printed {
    screen: Screen,
    text: String,
    /// Whether a line was typed.
    typed: bool,
    /// The line whose echo may still be in the text.
    echo: Option<String>,
}

/// More than this is told before the command ends.
const CHUNK: usize = 64 * 1024;

impl Player {
    /// Plays one place to its end; a signal's number where one came.
    fn play(&mut self, place: &Place, lacking: &Lacking) -> Result<Option<i32>, Failure> {
        let mut session = Session::new(place.lesson.clone(), true, lacking.clone()).slowed(self.patience);
        let signal = self.play_session(&mut session, place)?;
        let (lesson, proof) = (session.lesson(), session.proof());
        if signal.is_none() && !proof.is_empty() {
            self.printer.tell(&Event::Proof { lesson: &lesson.id, proof }, Some(lesson))?;
        }
        if signal.is_none() && place.step.is_none() {
            let played = LessonProgress::played(lesson, session.outcomes());
            self.printer.tell(&events::closing(&played, place.next.as_deref(), session.lang()), Some(lesson))?;
        }
        Ok(signal)
    }

    fn play_session(&mut self, session: &mut Session, place: &Place) -> Result<Option<i32>, Failure> {
        let mut printed = BTreeMap::<TerminalId, Printed>::new();
        self.engine.give_alone(event::Event::Open(place.lesson.id.clone(), place.parts().1));
        loop {
            let Some(event) = self.engine.next(None) else { continue };
            if let event::Event::Signal(signal) = event {
                return Ok(Some(signal));
            }
            for event in self.take(event, session, &mut printed)? {
                let actions = session.handle(event);
                if self.carry_out(actions, session, place, &mut printed)? {
                    return Ok(None);
                }
            }
        }
    }

    /// Tells what happened, and gives what the session must know of it.
    fn take(
        &mut self,
        event: event::Event,
        session: &Session,
        printed: &mut BTreeMap<TerminalId, Printed>,
    ) -> Result<Vec<event::Event>, Failure> {
        let lesson = Some(session.lesson());
        Ok(match event {
            event::Event::Open(_, step) => vec![event::Event::Wish(Wish::GoTo(step))],
            event::Event::Output(terminal, bytes) => {
                let place = printed.entry(terminal).or_default();
                let mut events = Vec::new();
                let processed = place.screen.process(&bytes);
                self.engine.write(terminal, &processed.reply);
                for piece in processed.pieces {
                    match &piece {
                        Piece::Text(text) => place.text.push_str(text),
                        Piece::Submitted(_) => {
                            // What came before is the echo of the line.
                            place.text.clear();
                            place.echo = None;
                        }
                        Piece::Prompt { status, .. } => {
                            let text = place.take();
                            if !text.is_empty() || std::mem::take(&mut place.typed) {
                                self.printer.tell(&Event::Output { terminal, text, status: Some(*status) }, lesson)?;
                            }
                        }
                    }
                    events.extend(event::Event::of_output(terminal, piece));
                }
                if place.text.len() > CHUNK {
                    let text = place.take();
                    self.printer.tell(&Event::Output { terminal, text, status: None }, lesson)?;
                }
                events
            }
            event::Event::Closed(terminal) => {
                let text = printed.remove(&terminal).map(|mut place| place.take()).unwrap_or_default();
                if !text.is_empty() {
                    self.printer.tell(&Event::Output { terminal, text, status: None }, lesson)?;
                }
                vec![event::Event::Closed(terminal)]
            }
            event::Event::Trace(terminal, event) => {
                if let Some(told) = TraceJson::new(&event, session.lang()) {
                    self.printer.tell(&Event::Traced(told), lesson)?;
                }
                vec![event::Event::Trace(terminal, event)]
            }
            event::Event::Sample(number, sample) => {
                if self.last.as_ref().is_none_or(|last| !Arc::ptr_eq(last, &sample)) {
                    self.printer.tell(&Event::Sample(&sample), lesson)?;
                    self.last = Some(sample.clone());
                }
                vec![event::Event::Sample(number, sample)]
            }
            event::Event::Waits(terminal, shell) => {
                let place = printed.get_mut(&terminal);
                place.map(|place| event::Event::of_waiting(terminal, shell, &mut place.screen)).unwrap_or_default()
            }
            event::Event::Deadline => vec![event::Event::Deadline],
            event::Event::Working(text) | event::Event::Said(text) | event::Event::Trouble(text) => {
                self.printer.tell(&Event::Trouble { text }, lesson)?;
                Vec::new()
            }
            // The rest concerns a screen.
            _ => Vec::new(),
        })
    }

    /// Does what the session wants; true where the place is at its end.
    fn carry_out(
        &mut self,
        actions: Vec<Action>,
        session: &Session,
        place: &Place,
        printed: &mut BTreeMap<TerminalId, Printed>,
    ) -> Result<bool, Failure> {
        for action in actions {
            match &action {
                Action::Restart(terminal, _) => drop(printed.remove(terminal)),
                Action::Type(terminal, line) => printed.entry(*terminal).or_default().begin(line),
                Action::Report(report) if self.report(report, session, place)? => return Ok(true),
                _ => {}
            }
            self.engine.apply(&action);
        }
        Ok(false)
    }

    fn report(&mut self, report: &Report, session: &Session, place: &Place) -> Result<bool, Failure> {
        let lesson = session.lesson();
        if let Some(event) = Event::reported(report, lesson) {
            self.printer.tell(&event, Some(lesson))?;
        }
        match report {
            Report::End => return Ok(true),
            Report::Outcome(step, outcome) => {
                self.summary.steps += 1;
                match outcome {
                    Outcome::Passed => self.summary.passed += 1,
                    Outcome::Failed(_) => self.summary.failed += 1,
                    Outcome::Skipped(reason) => {
                        let step = lesson.steps.get(*step).map(|step| step.id.clone()).unwrap_or_default();
                        let step = format!("{}/{step}", lesson.id);
                        self.summary.skipped.push(Skipped { step, reason: reason.clone() });
                    }
                }
                if place.step.is_some() {
                    return Ok(true);
                }
            }
            _ => {}
        }
        Ok(false)
    }
}

impl Printed {
    fn begin(&mut self, line: &str) {
        self.text.clear();
        self.typed = true;
        self.echo = Some(line.to_string());
        self.screen.sent(b"\r");
    }

    /// The text since the last time, without the echo of the line that was typed.
    fn take(&mut self) -> String {
        let text = std::mem::take(&mut self.text);
        match &self.echo {
            Some(line) => {
                text.strip_prefix(line.as_str()).map_or(text.clone(), |rest| rest.trim_start_matches('\n').into())
            }
            None => text,
        }
    }
}
