//! A session without a screen that does what it is told: lines are typed, wishes given, and what comes of it is waited for.

use crate::{
    event::Event,
    lang::Lang,
    lesson::{CONTAINER, Lesson, Run, TerminalId},
    observe::Sample,
    runtime::{Engine, Setup, Trouble, signals},
    session::{Action, Lacking, Session},
    terminal::{Piece, Screen},
    trace::{SyscallEvent, TraceEvent},
};
use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

/// How long a command or a check may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long an end without hurry may take.
const TIDYING: Duration = Duration::from_secs(10);

/// Why a step could not be gone through.
pub(super) enum Stuck {
    /// A signal asks us to end.
    Signal(i32),
    /// Something is wrong with the step.
    Wrong(String),
}

/// Starts a session, has `play` play in it, and ends it; gives the signal that `play` gives, and what was left behind.
///
/// Errors: this machine cannot.
pub(super) fn played(
    lacking: &Lacking,
    setup: Setup,
    play: impl FnOnce(&mut Prover) -> Option<i32>,
) -> Result<(Option<i32>, Vec<String>), Trouble> {
    let lang = setup.lang;
    let mut engine = Engine::new(setup);
    engine.watch_signals();
    engine.start()?;
    let mut prover = Prover {
        engine,
        session: Session::new(Lesson::default(), false, lacking.clone()),
        panes: BTreeMap::new(),
        asked: 0,
        seen: 0,
        sample: None,
        looked_at: None,
        wrong: Vec::new(),
        returned: Vec::new(),
        lang,
    };
    let ended = play(&mut prover);
    let within = if ended.is_some() { signals::TIDYING } else { TIDYING };
    let left = prover.engine.finish(within).lines(lang);
    Ok((ended, left))
}

/// One terminal.
#[derive(Default)]
pub(super) struct Pane {
    pub(super) screen: Screen,
    /// How many prompts have come, and the status at the last one.
    pub(super) prompts: usize,
    pub(super) status: i32,
    /// What was printed since the last line was typed.
    pub(super) printed: String,
}

/// So much of what a line prints is kept, in bytes.
const MAX_PRINTED: usize = 64 * 1024;
/// So many calls of a line are kept.
const MAX_CALLS: usize = 10_000;

pub(super) struct Prover {
    pub(super) engine: Engine,
    pub(super) session: Session,
    pub(super) panes: BTreeMap<TerminalId, Pane>,
    /// The newest state that was asked for, and the newest that came.
    pub(super) asked: u64,
    pub(super) seen: u64,
    pub(super) sample: Option<Arc<Sample>>,
    /// The calls that have returned since the last line was typed, oldest first.
    pub(super) returned: Vec<(TerminalId, SyscallEvent)>,
    /// The block of checks whose facts were last looked at before its commands.
    pub(super) looked_at: Option<usize>,
    pub(super) wrong: Vec<String>,
    pub(super) lang: Lang,
}

impl Prover {
    /// Begins a lesson, which may follow another one.
    pub(super) fn begin(&mut self, lesson: &Lesson, lacking: &Lacking) {
        self.session = Session::new(lesson.clone(), false, lacking.clone()).after_sample(self.asked);
    }

    /// How many prompts have come in a terminal.
    pub(super) fn prompts(&self, terminal: TerminalId) -> usize {
        self.panes.get(&terminal).map_or(0, |pane| pane.prompts)
    }

    /// Types a line and Return, or Ctrl-C.
    pub(super) fn give_line(&mut self, run: &Run) {
        let container = self.sample.as_ref().and_then(|sample| sample.container);
        let line = run.line.replace(CONTAINER, &container.unwrap_or_default().to_string());
        let bytes = if run.interrupts() { vec![3] } else { format!("{line}\r").into_bytes() };
        self.returned.clear();
        if let Some(pane) = self.panes.get_mut(&run.terminal) {
            pane.printed.clear();
            pane.screen.sent(&bytes);
        }
        self.engine.write(run.terminal, &bytes);
        self.give(Event::Typed(run.terminal));
    }

    /// Waits until the newest state that was asked for is known.
    pub(super) fn state(&mut self) -> Result<(), Stuck> {
        self.until(|prover| prover.seen >= prover.asked)
    }

    pub(super) fn give(&mut self, event: Event) {
        for action in self.session.handle(event) {
            match &action {
                Action::Restart(terminal, _) => drop(self.panes.insert(*terminal, Pane::default())),
                Action::Sample(number) => self.asked = *number,
                _ => {}
            }
            self.engine.apply(&action);
        }
    }

    /// Takes in what happens until it is so.
    pub(super) fn until(&mut self, so: impl Fn(&Prover) -> bool) -> Result<(), Stuck> {
        match self.within(Instant::now() + PATIENCE, so)? {
            true => Ok(()),
            false => Err(Stuck::Wrong(self.plight())),
        }
    }

    /// The same, and tells whether it is so in time.
    pub(super) fn within(&mut self, deadline: Instant, so: impl Fn(&Prover) -> bool) -> Result<bool, Stuck> {
        while !so(self) {
            match self.engine.next(Some(deadline)) {
                None => return Ok(false),
                Some(Event::Signal(signal)) => return Err(Stuck::Signal(signal)),
                Some(Event::Trouble(text)) => return Err(Stuck::Wrong(text)),
                Some(event) => self.meant(event).into_iter().for_each(|event| self.give(event)),
            }
        }
        Ok(true)
    }

    /// What the session must know of an event.
    fn meant(&mut self, event: Event) -> Vec<Event> {
        match event {
            Event::Output(terminal, bytes) => {
                let pane = self.panes.entry(terminal).or_default();
                let processed = pane.screen.process(&bytes);
                processed.pieces.iter().for_each(|piece| pane.note(piece));
                self.engine.write(terminal, &processed.reply);
                processed.pieces.into_iter().filter_map(|piece| Event::of_output(terminal, piece)).collect()
            }
            Event::Sample(number, sample) => {
                self.seen = self.seen.max(number);
                self.sample = Some(sample.clone());
                vec![Event::Sample(number, sample)]
            }
            Event::Waits(terminal, shell) => {
                let pane = self.panes.entry(terminal).or_default();
                let news = Event::of_waiting(terminal, shell, &mut pane.screen);
                pane.prompts += usize::from(!news.is_empty());
                news
            }
            Event::Trace(terminal, TraceEvent::Syscall(root, event)) => {
                if self.returned.len() < MAX_CALLS {
                    self.returned.push((terminal, event.clone()));
                }
                vec![Event::Trace(terminal, TraceEvent::Syscall(root, event))]
            }
            event => vec![event],
        }
    }
}

impl Pane {
    fn note(&mut self, piece: &Piece) {
        match piece {
            Piece::Prompt { status, .. } => {
                self.prompts += 1;
                self.status = *status;
            }
            // What came before is the echo of the line.
            Piece::Submitted(_) => self.printed.clear(),
            Piece::Text(text) if self.printed.len() < MAX_PRINTED => self.printed.push_str(text),
            Piece::Text(_) => {}
        }
    }
}
