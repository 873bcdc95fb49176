//! A learner for tests: goes through a lesson step by step on a real machine, by keys or by typing every line.

use super::{BOXWRIGHT, background::Background, processes_of};
use boxwright::kernel::pid::Pid;
use boxwright::{
    event::Event,
    lang::Lang,
    lesson::{self, Block, Lesson, Run, TerminalId},
    runtime::{Engine, Setup},
    session::{Action, Lacking, Phase, Session, Verdict, Wish},
    terminal::{Piece, Screen},
};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::{Duration, Instant},
};

/// How long a command or a check may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// One terminal as the learner sees it.
#[derive(Default)]
struct Pane {
    screen: Screen,
    text: String,
    /// How many prompts have come.
    prompts: usize,
    /// How the last command ended, where its prompt says so.
    status: i32,
}

/// A learner at work on a lesson.
pub struct Learner {
    engine: Engine,
    panes: BTreeMap<TerminalId, Pane>,
    session: Session,
    /// The newest state that was asked for, and the newest that came.
    asked: u64,
    seen: u64,
    /// The processes in the newest sample.
    listed: Vec<Pid>,
    container: Option<Pid>,
    /// The block of checks whose facts were last looked at before its commands.
    looked_at: Option<(usize, usize)>,
    /// Facts that held before the commands that should bring them about, or did not although they should stay.
    early: Vec<String>,
}

/// The lessons in one language.
pub fn lessons(lang: Lang) -> Vec<Lesson> {
    let all = lesson::load(None).unwrap_or_else(|error| panic!("{error}"));
    all.into_iter().map(|translations| translations.get(lang).unwrap().clone()).collect()
}

/// What this machine lacks for these lessons.
pub fn lacking(lang: Lang) -> Lacking {
    let needs = boxwright::doctor::requirements(&lesson::load(None).unwrap());
    boxwright::doctor::lacking(&needs).into_iter().find(|(of, _)| *of == lang).unwrap().1
}

impl Learner {
    /// Opens a session of this lesson.
    pub fn new(lesson: Lesson, lacking: Lacking) -> Learner {
        let mut engine = Engine::new(Setup::new(BOXWRIGHT));
        engine.start().unwrap();
        Learner {
            engine,
            panes: BTreeMap::new(),
            session: Session::new(lesson, false, lacking),
            asked: 0,
            seen: 0,
            listed: Vec::new(),
            container: None,
            looked_at: None,
            early: Vec::new(),
        }
    }

    /// The session's own name.
    pub fn name(&self) -> String {
        self.engine.name().unwrap().to_string()
    }

    fn give(&mut self, event: Event) {
        for action in self.session.handle(event) {
            match &action {
                Action::Restart(terminal, _) => drop(self.panes.insert(*terminal, Pane::default())),
                Action::Sample(number) => self.asked = *number,
                _ => {}
            }
            self.engine.apply(&action);
        }
    }

    /// What the session must know of an event.
    fn meant(&mut self, event: Event) -> Vec<Event> {
        match event {
            Event::Output(terminal, bytes) => {
                let pane = self.panes.entry(terminal).or_default();
                let mut events = Vec::new();
                for piece in pane.screen.process(&bytes).pieces {
                    match &piece {
                        Piece::Text(text) => pane.text.push_str(text),
                        Piece::Submitted(_) => {}
                        Piece::Prompt { status, .. } => {
                            pane.prompts += 1;
                            pane.status = *status;
                        }
                    }
                    events.extend(Event::of_output(terminal, piece));
                }
                events
            }
            Event::Sample(number, sample) => {
                self.seen = self.seen.max(number);
                self.listed = sample.processes.iter().map(|process| process.pid).collect();
                self.container = sample.container;
                vec![Event::Sample(number, sample)]
            }
            Event::Waits(terminal, shell) => {
                let pane = self.panes.entry(terminal).or_default();
                let news = Event::of_waiting(terminal, shell, &mut pane.screen);
                pane.prompts += usize::from(!news.is_empty());
                news
            }
            Event::Trouble(text) => panic!("{text}"),
            event => vec![event],
        }
    }

    /// Takes in what happens until it is so.
    fn until(&mut self, what: &str, so: impl Fn(&Learner) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !so(self) {
            let Some(event) = self.engine.next(Some(deadline)) else { panic!("{what}: {}", self.plight()) };
            for event in self.meant(event) {
                self.give(event);
            }
        }
    }

    /// Where the learner stands, for the reader of a failure.
    fn plight(&self) -> String {
        let step = self.session.step().map(|step| step.id.clone());
        let verdicts = self.session.verdicts(self.checks().unwrap_or(self.session.at()));
        let texts: Vec<&str> = self.panes.values().map(|pane| pane.text.as_str()).collect();
        let (phase, notice) = (self.session.phase(), self.session.notice());
        format!("{step:?}: {phase:?}, {notice:?}: {verdicts:#?}\n{}", texts.join("\n====\n"))
    }

    /// Goes to a step; false where this machine cannot do it.
    pub fn go_to(&mut self, step: usize) -> bool {
        self.looked_at = None;
        self.give(Event::Wish(Wish::GoTo(step)));
        self.until("rebuilding", |learner| !matches!(learner.session.phase(), Phase::Preparing(..)));
        assert_eq!(self.session.notice(), None, "{}", self.plight());
        !matches!(self.session.phase(), Phase::Blocked(_))
    }

    /// The name of the step.
    pub fn id(&self) -> String {
        self.session.step().unwrap().id.clone()
    }

    /// Whether the step is done.
    pub fn done(&self) -> bool {
        self.session.phase() == Phase::Done
    }

    /// Whether lines that only show something are still offered.
    pub fn still_shows(&self) -> bool {
        let mut blocks = self.session.step().unwrap().blocks.iter().enumerate();
        blocks.any(|(index, block)| matches!(block, Block::Run(run) if run.look) && self.session.ran(index).is_none())
    }

    /// The index of the next block of checks.
    fn checks(&self) -> Option<usize> {
        let blocks = self.session.step().unwrap().blocks.iter().enumerate();
        blocks.skip(self.session.at()).find(|(_, block)| matches!(block, Block::Check(_))).map(|(index, _)| index)
    }

    /// Types a line and waits for the prompt after it, and for the state as it is then.
    pub fn line(&mut self, terminal: TerminalId, line: &str) {
        let before = self.panes[&terminal].prompts;
        let container = self.container.unwrap_or_default().to_string();
        self.send(terminal, &line.replace("{container}", &container));
        let ended = |learner: &Learner| learner.panes[&terminal].prompts > before && learner.seen >= learner.asked;
        self.until(line, |learner| ended(learner) || learner.session.phase() == Phase::Held);
        while !ended(self) {
            self.step_call();
            self.until(line, |learner| ended(learner) || learner.session.phase() == Phase::Held);
        }
    }

    fn send(&mut self, terminal: TerminalId, line: &str) {
        let bytes = if line == "^C" { vec![3] } else { format!("{line}\r").into_bytes() };
        if let Some(pane) = self.panes.get_mut(&terminal) {
            pane.screen.sent(&bytes);
        }
        self.engine.write(terminal, &bytes);
        self.give(Event::Typed(terminal));
    }

    /// Presses Return in both terminals and nothing else; gives the verdicts of the checks that are next.
    pub fn return_only(&mut self) -> Vec<Verdict> {
        for terminal in TerminalId::ALL {
            self.line(terminal, "");
        }
        self.checks().map(|index| self.session.verdicts(index).to_vec()).unwrap_or_default()
    }

    /// The verdicts of the checks that are next, once the newest state is known.
    pub fn verdicts(&mut self) -> Vec<Verdict> {
        self.until("the state", |learner| learner.seen >= learner.asked);
        self.checks().map(|index| self.session.verdicts(index).to_vec()).unwrap_or_default()
    }

    /// What these facts of the step come to now, wherever in it they stand.
    pub fn verdicts_of(&mut self, facts: &[&str]) -> Vec<Option<bool>> {
        self.until("the state", |learner| learner.seen >= learner.asked);
        let blocks = &self.session.step().unwrap().blocks;
        let checks =
            blocks.iter().filter_map(|block| if let Block::Check(checks) = block { Some(checks) } else { None });
        let wanted: Vec<_> = checks.flatten().filter(|check| facts.contains(&check.source.as_str())).cloned().collect();
        assert_eq!(wanted.len(), facts.len(), "{facts:?}");
        self.session.judge(&wanted).into_iter().map(|verdict| verdict.passed).collect()
    }

    /// Waits until what the lines that broke the step have left in the background is there.
    pub fn until_broken(&mut self) {
        let breaks = |block: &Block| if let Block::Break(runs) = block { runs.clone() } else { Vec::new() };
        let runs: Vec<Run> = self.session.step().unwrap().blocks.iter().flat_map(breaks).collect();
        runs.iter().filter_map(|run| Background::first(&run.line)).for_each(|background| self.until_come(&background));
    }

    /// The processes of the session: those that have its name, and those that were seen, for a container may be without it.
    fn processes(&self) -> BTreeSet<i32> {
        let named = processes_of(&self.name()).into_iter();
        named.chain(self.listed.iter().map(|pid| pid.0)).collect()
    }

    /// Waits until it is there, and until a sample shows it.
    fn until_come(&mut self, background: &Background) {
        self.until("what runs in the background", |learner| background.has_come(&learner.processes()));
        self.line(TerminalId::Host, "");
    }

    /// Types a line as a learner does, and lets what it leaves in the background come.
    pub fn line_until_come(&mut self, terminal: TerminalId, line: &str) {
        let background = Background::of(line, || self.processes());
        self.line(terminal, line);
        background.iter().for_each(|background| self.until_come(background));
    }

    /// Waits until exactly these facts fail, of the checks that are next: what a line does may take its time.
    pub fn refused(&mut self, wanted: &[String], place: &str) {
        let block = self.checks().unwrap_or_else(|| panic!("{place}: it was accepted: {}", self.plight()));
        self.until(&format!("{place}: only {wanted:?}"), |learner| {
            let failing = learner.session.failing(block).map(|check| check.source.as_str());
            learner.seen >= learner.asked && failing.eq(wanted.iter().map(String::as_str))
        });
        assert!(!self.done(), "{place}: it was accepted");
    }

    /// Facts that held before their commands although the lesson does not say that they stay (`keeps`), and the reverse.
    pub fn early(&self) -> &[String] {
        &self.early
    }

    /// Looks at each fact of the checks that are next, once, before any of their commands has run.
    fn look_before(&mut self) {
        let step = self.session.step_index();
        let Some(block) = self.checks().filter(|block| self.looked_at != Some((step, *block))) else { return };
        self.looked_at = Some((step, block));
        self.until("the state", |learner| learner.seen >= learner.asked);
        let Some(Block::Check(checks)) = self.session.step().unwrap().blocks.get(block) else { panic!() };
        for (check, verdict) in checks.iter().zip(self.session.judge(checks)) {
            // What counts the calls of a step cannot hold before, wherever they can be seen at all.
            if verdict.passed != Some(check.keeps) && verdict.passed.is_some() {
                let how = if check.keeps { "does not hold before, and should stay" } else { "holds before" };
                self.early.push(format!("{}: `{}` {how}: {verdict:?}", self.id(), check.source));
            }
        }
    }

    /// Facts that hold together before a line of theirs has run end the block for a learner who takes a moment, and the
    /// line is never offered.
    fn look_between(&mut self, due: usize) {
        let Block::Run(run) = &self.session.step().unwrap().blocks[due] else { panic!() };
        let Some(Block::Check(checks)) = self.checks().map(|block| &self.session.step().unwrap().blocks[block]) else {
            return;
        };
        if !run.look && self.session.judge(checks).iter().all(|verdict| verdict.passed == Some(true)) {
            self.early.push(format!("{}: all facts hold before `{}` has run", self.id(), run.line));
        }
    }

    /// Goes through the step by keys: right answers, the lesson's commands, one held call after the other.
    pub fn play(&mut self) {
        let mut solution: VecDeque<Run> = self.solution().into();
        while !self.done() {
            self.look_before();
            match self.session.phase() {
                Phase::Asking(block) => {
                    let Block::Predict(predict) = &self.session.step().unwrap().blocks[block] else { panic!() };
                    let answer = predict.answer;
                    self.give(Event::Wish(Wish::Answer(answer)));
                }
                Phase::Held => self.step_call(),
                Phase::Due(at) => {
                    self.until("the state", |learner| learner.seen >= learner.asked);
                    self.look_between(at);
                    self.give(Event::Wish(Wish::Go));
                    assert_eq!(self.session.notice(), None, "{}", self.plight());
                    self.until("a command", |learner| learner.session.phase() != Phase::Due(at));
                }
                Phase::Checking(at) => match solution.pop_front() {
                    Some(run) => self.type_run(&run),
                    None => self.until("checks", |learner| learner.session.phase() != Phase::Checking(at)),
                },
                Phase::Running => self.until("a prompt", |learner| learner.session.phase() != Phase::Running),
                phase => panic!("{phase:?}: {}", self.plight()),
            }
        }
    }

    /// Lets the oldest held call happen.
    fn step_call(&mut self) {
        self.give(Event::Wish(Wish::StepCall));
        let held = self.session.held().to_vec();
        self.until("a released call", |learner| learner.session.held() != held);
    }

    fn solution(&self) -> Vec<Run> {
        self.session.step().unwrap().solutions().into_iter().next().unwrap_or_default()
    }

    /// Goes through the step by typing each of its lines, without the lesson's keys.
    pub fn type_all(&mut self) {
        self.type_all_as(str::to_string);
    }

    /// The same with another line for each of the lesson's.
    pub fn type_all_as(&mut self, way: impl Fn(&str) -> String) {
        let solution = self.solution();
        self.type_with(&solution, way);
    }

    /// The same with these lines as the solution.
    pub fn type_with(&mut self, solution: &[Run], way: impl Fn(&str) -> String) {
        let blocks = self.session.step().unwrap().blocks.clone();
        for (index, block) in blocks.iter().enumerate() {
            match block {
                Block::Predict(predict) => {
                    self.until("the question", |learner| learner.session.phase() == Phase::Asking(index));
                    self.give(Event::Wish(Wish::Answer(predict.answer)));
                }
                Block::Run(run) => self.type_run(&Run { line: way(&run.line), ..run.clone() }),
                Block::Check(_) => {
                    for run in solution {
                        self.type_run(&Run { line: way(&run.line), ..run.clone() });
                    }
                    self.until("checks", |learner| learner.done() || learner.session.at() > index);
                }
                _ => {}
            }
        }
        assert!(self.done(), "{}", self.plight());
    }

    /// Types lines of the lesson, each of which ends as the lesson says.
    pub fn type_runs<'a>(&mut self, runs: impl IntoIterator<Item = &'a Run>) {
        for run in runs {
            let background = Background::of(&run.line, || self.processes());
            self.type_run(run);
            background.iter().for_each(|background| self.until_come(background));
            let status = self.panes[&run.terminal].status;
            let ended = run.busy || run.line == "exit" || (status != 0) == run.fails;
            assert!(ended, "{}: status {status}: {}", run.line, self.plight());
        }
    }

    fn type_run(&mut self, run: &Run) {
        self.until("the state", |learner| learner.seen >= learner.asked);
        if run.busy { self.send(run.terminal, &run.line) } else { self.line(run.terminal, &run.line) }
    }
}
