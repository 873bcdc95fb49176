//! The same session without a screen: `boxwright run`, as a transcript or as events.

mod events;
mod json;
mod text;

pub(crate) use events::Event;

use crate::kernel::text::safe;
use crate::{
    dirs::Need,
    event,
    lang::Lang,
    lesson::{self, Lesson, Requirement, TerminalId, Translations},
    observe::Sample,
    runtime::{Happening, Machine, Trouble, signals},
    session::{Action, Input, Lacking, LessonProgress, Outcome, Report, Session, Wish},
    terminal::{Piece, Screen},
    trace::Told,
};
use events::{Skipped, Summary};
use std::{
    collections::BTreeMap,
    io::{self, Write},
    path::Path,
    sync::{Arc, mpsc},
    time::Duration,
};

/// Somebody who is told what happens.
trait Teller {
    /// Tells one event; `session` knows the lesson that it belongs to.
    fn tell(&mut self, event: &Event<'_>, lesson: Option<&Lesson>) -> io::Result<()>;
}

/// A lesson, or one step of it.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    lesson: Lesson,
    step: Option<usize>,
    next: Option<String>,
}

/// Finds `LESSON` or `LESSON/STEP` (a step's name or number from 1); the error says what there is instead.
pub(crate) fn place(name: &str, lessons: &[Translations], lang: Lang) -> Result<Place, String> {
    let (id, step) = name.split_once('/').map_or((name, None), |(id, step)| (id, Some(step)));
    let translations = lessons.iter().find(|lesson| lesson::id(lesson) == id).ok_or_else(|| {
        let known: Vec<&str> = lessons.iter().map(lesson::id).collect();
        lang.pick(
            format!("no lesson `{id}`; the lessons are: {}", known.join(", ")),
            format!("没有课程 `{id}`；现有：{}", known.join("、")),
        )
    })?;
    let lesson = translations.get(lang.code()).or_else(|| translations.values().next()).cloned().unwrap_or_default();
    let step = match step {
        None | Some("") => None,
        Some(step) => Some(step_index(&lesson, step).ok_or_else(|| {
            let known: Vec<&str> = lesson.steps.iter().map(|step| step.id.as_str()).collect();
            lang.pick(
                format!(
                    "no step `{step}` in `{id}`; the steps are 1 to {}, or by name: {}",
                    known.len(),
                    known.join(", ")
                ),
                format!("`{id}` 没有步骤 `{step}`；可用 1 到 {}，或名字：{}", known.len(), known.join("、")),
            )
        })?),
    };
    let at = lessons.iter().position(|lesson| lesson::id(lesson) == id);
    let next = at.and_then(|at| lessons.get(at + 1)).map(|next| lesson::id(next).to_string());
    Ok(Place { lesson, step, next })
}

fn step_index(lesson: &Lesson, name: &str) -> Option<usize> {
    let number = name.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
    number.filter(|index| *index < lesson.steps.len()).or_else(|| lesson.steps.iter().position(|step| step.id == name))
}

impl Place {
    /// The lesson and the step to begin with.
    pub(crate) fn parts(&self) -> (&str, usize) {
        (&self.lesson.id, self.step.unwrap_or(0))
    }

    /// Whether a step of it needs this of the machine.
    pub(crate) fn needs(&self, need: &Requirement) -> bool {
        let mut steps = (0..self.lesson.steps.len()).filter(|index| self.step.is_none_or(|step| step == *index));
        steps.any(|step| lesson::needs(&self.lesson, step).contains(need))
    }

    /// Whether its commands come from a directory of the user's.
    pub(crate) fn foreign(&self) -> bool {
        self.lesson.foreign
    }
}

/// How a run ended.
pub(crate) enum Ended {
    /// All places were played; what they came to.
    Done {
        /// Steps that failed.
        failed: usize,
        /// Steps that passed.
        passed: usize,
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
    /// Nobody reads our output, or it cannot be written.
    #[error("{0}")]
    Output(#[from] io::Error),
}

enum Message {
    Machine(Happening),
    Signal(i32),
}

/// How lessons are run.
#[derive(Clone, Debug)]
pub(crate) struct How {
    /// Events on standard output; otherwise a transcript.
    pub json: bool,
    /// How many times as long as usual is waited for a machine that is slow.
    pub patience: u32,
    /// The image that lessons use.
    pub image: String,
    /// What the session's directory must offer for it.
    pub need: Need,
    /// Whether calls that would change the machine itself fail, unless the step declares them.
    pub guarded: bool,
}

/// How long the end of a run may take that nobody is in a hurry for.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs these places one after the other.
pub(crate) fn run(places: &[Place], exe: &Path, lang: Lang, lacking: &Lacking, how: How) -> Result<Ended, Failure> {
    let mut teller: Box<dyn Teller> = if how.json { Box::new(json::Json) } else { Box::new(text::Text::new(lang)) };
    let (send, receive) = mpsc::channel();
    let signalled = send.clone();
    signals::watch(move |signal| drop(signalled.send(Message::Signal(signal))));
    let sink = Arc::new(move |happening| drop(send.send(Message::Machine(happening))));
    let mut machine = Machine::start_for(how.need, exe, sink)?;
    machine.unseen = true;
    machine.image.clone_from(&how.image);
    machine.guarded = how.guarded;
    teller.tell(&events::session(machine.run_dir().name(), &how.image), None)?;
    let mut player =
        Player { machine, receive, teller, summary: Summary::default(), last: None, patience: how.patience };
    complain(player.machine.refused(lang));
    let played = places.iter().find_map(|place| player.play(place, lacking).transpose());
    // The machine first: what is told last is then true of what is left.
    let within = if played.is_some() { signals::TIDYING } else { PATIENCE };
    complain(player.machine.finish(within).lines(lang));
    if let Some(signal) = played.transpose()? {
        return Ok(Ended::Signal(signal));
    }
    let Player { mut teller, summary, .. } = player;
    let (failed, passed) = (summary.failed, summary.passed);
    teller.tell(&Event::Summary(summary), None)?;
    Ok(Ended::Done { failed, passed })
}

fn complain(lines: impl IntoIterator<Item = String>) {
    for line in lines {
        // A closed standard error leaves nobody to tell.
        let _ = writeln!(io::stderr(), "{}", safe(&line));
    }
}

struct Player {
    machine: Machine,
    receive: mpsc::Receiver<Message>,
    teller: Box<dyn Teller>,
    summary: Summary,
    last: Option<Arc<Sample>>,
    patience: u32,
}

/// A terminal that nobody sees, and what it has printed since its last prompt.
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
            self.teller.tell(&Event::Proof { lesson: &lesson.id, proof }, Some(lesson))?;
        }
        if signal.is_none() && place.step.is_none() {
            let played = LessonProgress::played(lesson, session.outcomes());
            self.teller.tell(&events::closing(&played, place.next.as_deref(), session.lang()), Some(lesson))?;
        }
        Ok(signal)
    }

    fn play_session(&mut self, session: &mut Session, place: &Place) -> Result<Option<i32>, Failure> {
        let mut printed = BTreeMap::<TerminalId, Printed>::new();
        let (_, first) = place.parts();
        let begin = session.handle(Input::Wish(Wish::GoTo(first)));
        let mut over = self.carry_out(begin, session, place, &mut printed)?;
        while !over {
            let seen = match self.receive.recv() {
                Ok(Message::Machine(happening)) => self.machine.sort(happening),
                Ok(Message::Signal(signal)) => return Ok(Some(signal)),
                Err(_) => {
                    return Err(
                        io::Error::other(crate::lang::say("the machine has fallen silent", "机器没有反应了")).into()
                    );
                }
            };
            for seen in seen {
                for input in self.take(seen, session, &mut printed)? {
                    let actions = session.handle(input);
                    over |= self.carry_out(actions, session, place, &mut printed)?;
                    if over {
                        return Ok(None);
                    }
                }
            }
        }
        Ok(None)
    }

    /// Tells what was seen, and gives what the session must know of it.
    fn take(
        &mut self,
        seen: event::Event,
        session: &Session,
        printed: &mut BTreeMap<TerminalId, Printed>,
    ) -> Result<Vec<Input>, Failure> {
        let lesson = Some(session.lesson());
        Ok(match seen {
            event::Event::Output(terminal, bytes) => {
                let place = printed.entry(terminal).or_default();
                let mut inputs = Vec::new();
                let processed = place.screen.process(&bytes);
                self.machine.write(terminal, &processed.reply);
                for piece in processed.pieces {
                    match piece {
                        Piece::Text(text) => place.text.push_str(&text),
                        Piece::Submitted(line) => {
                            // What came before is the echo of the line.
                            place.text.clear();
                            place.echo = None;
                            inputs.push(Input::Submitted(terminal, line));
                        }
                        Piece::Prompt { status, shell } => {
                            let text = place.take();
                            if !text.is_empty() || std::mem::take(&mut place.typed) {
                                self.teller.tell(&Event::Output { terminal, text, status: Some(status) }, lesson)?;
                            }
                            inputs.push(Input::Prompt(terminal, status, shell));
                        }
                    }
                }
                if place.text.len() > CHUNK {
                    let text = place.take();
                    self.teller.tell(&Event::Output { terminal, text, status: None }, lesson)?;
                }
                inputs
            }
            event::Event::Closed(terminal) => {
                let text = printed.remove(&terminal).map(|mut place| place.take()).unwrap_or_default();
                if !text.is_empty() {
                    self.teller.tell(&Event::Output { terminal, text, status: None }, lesson)?;
                }
                vec![Input::Closed(terminal)]
            }
            event::Event::Trace(terminal, event) => {
                if let Some(told) = Told::new(&event, session.lang()) {
                    self.teller.tell(&Event::Traced(told), lesson)?;
                }
                vec![Input::Trace(terminal, event)]
            }
            event::Event::Sample(number, sample) => {
                if self.last.as_ref().is_none_or(|last| !Arc::ptr_eq(last, &sample)) {
                    self.teller.tell(&Event::Sample(&sample), lesson)?;
                    self.last = Some(sample.clone());
                }
                vec![Input::Sample(number, sample)]
            }
            event::Event::Waits(terminal, shell) => {
                let waits = printed.get_mut(&terminal).is_some_and(|place| place.screen.waits());
                if waits { vec![Input::Prompt(terminal, 0, shell)] } else { Vec::new() }
            }
            event::Event::Deadline => vec![Input::Deadline],
            event::Event::Working(text) | event::Event::Said(text) | event::Event::Trouble(text) => {
                self.teller.tell(&Event::Trouble { text }, lesson)?;
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
        session: &mut Session,
        place: &Place,
        printed: &mut BTreeMap<TerminalId, Printed>,
    ) -> Result<bool, Failure> {
        let mut actions = std::collections::VecDeque::from(actions);
        while let Some(action) = actions.pop_front() {
            match &action {
                Action::Restart(terminal) => drop(printed.remove(terminal)),
                Action::Type(terminal, line) => printed.entry(*terminal).or_default().begin(line),
                Action::Report(report) if self.report(report, session, place)? => return Ok(true),
                _ => {}
            }
            for seen in self.machine.apply(&action) {
                for input in self.take(seen, session, printed)? {
                    actions.extend(session.handle(input));
                }
            }
        }
        Ok(false)
    }

    fn report(&mut self, report: &Report, session: &Session, place: &Place) -> Result<bool, Failure> {
        let lesson = session.lesson();
        if let Some(event) = Event::reported(report, lesson) {
            self.teller.tell(&event, Some(lesson))?;
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
