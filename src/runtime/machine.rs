//! What a session makes on this machine: two terminals with a traced shell each, a sampler, a clock, a run directory.

mod finish;
mod pane;
mod restart;
mod standing;
mod subject;
mod user;
mod waiting;

pub(super) use finish::Rest;

use super::{
    delegation::Delegation,
    engine::Setup,
    found::{self, Found},
    signals,
    timer::Timer,
    user_namespace::UserNamespace,
};
use crate::{
    cleanup::{Left, Made, word},
    dirs::Tidy,
    event::Event,
    image::kept,
    kernel::availability::SCOPE,
    lang::{self, Lang},
    lesson::TerminalId,
    observe::{Extra, Sample, Sampler},
    session::{Action, Entry, Ledger, RunDir},
    terminal::{Pty, PtyEvent, Size, shell},
    tools::TOOLS,
    trace::{Guard, Hold, Spawn, TraceEvent, Tracer},
};
use pane::Terminal;
use std::{
    collections::BTreeMap,
    fmt, io,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};
use subject::groups;
use waiting::Awaited;

/// How long the end of a machine may take by default.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a thread of the machine brings; [`Machine::hear`] says what it means by then. It may come from a shell, or be about a
/// time, that is not waited for any more.
#[derive(Debug)]
pub(super) enum Message {
    /// The terminal of this generation printed something or was closed.
    Pty(TerminalId, u64, PtyEvent),
    /// The tracer saw something.
    Trace(TraceEvent),
    /// A sample that answers every request up to this number.
    Sample(u64, Arc<Sample>),
    /// The deadline of this number is over.
    Deadline(u64),
    /// The terminal has printed nothing for the time of this number.
    Silent(TerminalId, u64),
    /// The processes of the terminal have not ended within the time of this number.
    Overdue(TerminalId, u64),
    /// What earlier commands left is gone, but for this: the shell of this generation can start.
    Cleared(TerminalId, u64, Vec<Left>),
}

/// Where the threads of the machine send what they bring.
pub(super) type Sink = Arc<dyn Fn(Message) + Send + Sync>;

/// Why no session can be had here.
#[derive(Debug, thiserror::Error)]
#[error("{}: {why}", what.0)]
pub struct Trouble {
    /// What was tried, in English and Chinese.
    pub what: (&'static str, &'static str),
    /// Why it failed.
    pub why: io::Error,
}

impl Trouble {
    fn at(en: &'static str, zh: &'static str) -> impl Fn(io::Error) -> Trouble {
        move |why| Trouble { what: (en, zh), why }
    }

    /// One line in this language.
    pub(crate) fn say(&self, lang: Lang) -> String {
        format!("{}{}{}", lang.pick(self.what.0, self.what.1), lang.pick(": ", "："), self.why)
    }
}

/// Everything that runs for a session. Dropping it ends every process in its terminals, then removes what it made.
pub(super) struct Machine {
    tracer: Tracer,
    terminals: BTreeMap<TerminalId, Terminal>,
    sampler: Sampler,
    timer: Timer,
    awaited: Option<Awaited>,
    sink: Sink,
    run_dir: RunDir,
    /// The run directory itself, held open.
    made: Option<Arc<Made>>,
    work: PathBuf,
    groups: Vec<PathBuf>,
    /// The number of the last sample that was asked for, and of the last one before the terminals began anew. Each
    /// session counts its requests from 1; the sampler's numbers only ever grow.
    requested: u64,
    answered: u64,
    /// The newest number that came.
    sampled: u64,
    unseen: bool,
    image: String,
    guarded: bool,
    /// The language of what is told.
    pub(super) lang: Lang,
    users: Option<UserNamespace>,
    ledger: Ledger,
    // The run directory is gone by then.
    _tidy: Tidy,
    delegation: Delegation,
    found: Arc<Found>,
    finished: bool,
}

impl fmt::Debug for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Machine").field("run_dir", &self.run_dir).finish_non_exhaustive()
    }
}

impl Machine {
    /// Gets everything ready but the shells, which [`Action::Restart`] starts.
    pub(super) fn start(setup: &Setup, sink: Sink) -> Result<Machine, Trouble> {
        shell::program().map_err(Trouble::at(
            "no shell to run in the terminals: there is no bash, and /bin/sh cannot be run",
            "没有可以在终端里运行的 shell：没有 bash，/bin/sh 也无法运行",
        ))?;
        let (tidy, exe) = (Tidy, setup.exe.as_path());
        let mut ledger = Ledger::create()
            .map_err(Trouble::at("the ledger of what a session makes cannot be written", "无法记录会话创建的对象"))?;
        let names: Vec<&str> = TOOLS.iter().map(|tool| tool.name).chain(["boxwright"]).collect();
        let run_dir = RunDir::create_for(setup.need, &mut ledger, exe, &names)
            .map_err(Trouble::at("the run directory cannot be made", "无法创建运行目录"))?;
        let work = run_dir.work().map_err(Trouble::at("the work directory cannot be made", "无法创建工作目录"))?;
        let delegation = Delegation::take().map_err(Trouble::at("the ledger cannot be written", "无法写入记录"))?;
        // The control groups of this session bear its name. They are not made here, but by the learner.
        let groups = groups(run_dir.name());
        for path in groups.iter().cloned() {
            ledger.add(Entry::Cgroup(path)).map_err(Trouble::at("the ledger cannot be written", "无法写入记录"))?;
        }
        let found = Arc::new(Found::default());
        let (told, noted) = (sink.clone(), found.clone());
        let traced = move |event| {
            noted.saw(&event);
            told(Message::Trace(event));
        };
        let tracer = Tracer::start(exe, traced).map_err(Trouble::at("the tracer does not start", "跟踪器无法启动"))?;
        let told = sink.clone();
        let sampled = move |number, sample| told(Message::Sample(number, sample));
        let sampler =
            Sampler::start(exe, sampled).map_err(Trouble::at("the sampler does not start", "采样器无法启动"))?;
        if setup.anywhere {
            sampler.anywhere(setup.picked);
        }
        let told = sink.clone();
        let timer = Timer::start(move |number| told(Message::Deadline(number)))
            .map_err(Trouble::at("the timer does not start", "计时器无法启动"))?;
        let terminals = TerminalId::ALL.into_iter().map(|id| Ok((id, Terminal::new(id, &sink)?)));
        let terminals =
            terminals.collect::<io::Result<_>>().map_err(Trouble::at("the timer does not start", "计时器无法启动"))?;
        let made = ledger.held(&Entry::RunDir(run_dir.path().into()));
        signals::would_leave(Some(word(run_dir.path())));
        Ok(Machine {
            tracer,
            terminals,
            sampler,
            timer,
            awaited: None,
            sink,
            run_dir,
            made,
            work,
            groups,
            requested: 0,
            answered: 0,
            sampled: 0,
            unseen: setup.unseen,
            image: setup.image.clone(),
            guarded: setup.guarded,
            lang: setup.lang,
            users: None,
            ledger,
            _tidy: tidy,
            delegation,
            found,
            finished: false,
        })
    }

    /// Carries out one wish of the session. What goes wrong comes back as [`Event::Trouble`].
    pub(super) fn apply(&mut self, action: &Action) -> Vec<Event> {
        match action {
            Action::Restart(id, user) => return self.restart(*id, *user),
            Action::Type(id, line) => self.write(*id, format!("{line}\r").as_bytes()),
            Action::Interrupt(id) => self.write(*id, &[0x03]),
            Action::Hold(id, hold) => {
                if let Some(terminal) = self.terminals.get_mut(id) {
                    terminal.hold = hold.clone();
                    if let Some(root) = terminal.root {
                        self.tracer.hold(root, hold.clone());
                    }
                }
            }
            Action::Step(pid) => self.tracer.step(*pid),
            Action::Refuse(pid) => self.tracer.refuse(*pid),
            Action::Instead(pid, instead) => self.tracer.instead(*pid, *instead),
            Action::RunOn(id) => {
                if let Some(terminal) = self.terminals.get_mut(id) {
                    terminal.hold = Hold::Off;
                    if let Some(root) = terminal.root {
                        self.tracer.run_on(root);
                    }
                }
            }
            Action::Sample(number) => {
                self.sampler.foreground(self.foreground(TerminalId::Container));
                let shell = self.terminals.get(&TerminalId::Host).and_then(|terminal| terminal.root);
                self.sampler.host_terminal(shell, self.foreground(TerminalId::Host));
                self.requested = self.answered + number;
                self.sampler.request(self.requested);
            }
            Action::Watch(files, networks, probes) => self.sampler.look_at(Extra {
                group: Some(self.run_dir.name().to_string()),
                work: self.work.clone(),
                files: files.clone(),
                networks: *networks,
                probes: probes.clone(),
            }),
            Action::Deadline(after) => {
                self.awaited = None;
                self.timer.set(*after);
            }
            Action::Await(terminal, patience) => {
                let (terminal, patience, since) = (*terminal, *patience, Instant::now());
                self.awaited = Some(Awaited { terminal, patience, since, work: self.work(terminal), told: false });
                self.timer.set(Some(patience));
            }
            Action::Report(_) => {}
        }
        Vec::new()
    }

    /// Sends bytes to a terminal, as a keyboard would. A terminal without a shell takes nothing.
    pub(super) fn write(&self, id: TerminalId, bytes: &[u8]) {
        if let Some(pty) = self.terminals.get(&id).and_then(|terminal| terminal.pty.as_ref()) {
            // EIO says that it was closed meanwhile, which comes as an event of its own.
            let _ = pty.write(bytes);
        }
    }

    /// Sets the size of a terminal, for now and for every shell to come.
    pub(super) fn resize(&mut self, id: TerminalId, size: Size) {
        if let Some(terminal) = self.terminals.get_mut(&id) {
            terminal.size = size;
            if let Some(pty) = &terminal.pty {
                let _ = pty.resize(size);
            }
        }
    }

    /// Says which events a message means now; none where it comes from a shell that is no longer wanted.
    pub(super) fn hear(&mut self, message: Message) -> Vec<Event> {
        match message {
            Message::Pty(id, generation, event) => {
                if self.terminals.get(&id).is_none_or(|terminal| terminal.generation != generation) {
                    return Vec::new();
                }
                match event {
                    PtyEvent::Output(bytes) => {
                        self.printed(id);
                        vec![Event::Output(id, bytes)]
                    }
                    PtyEvent::Closed => vec![Event::Closed(id)],
                }
            }
            Message::Trace(event) => self.traced(event),
            // What was read before the terminals began anew answers none of the requests since.
            Message::Sample(number, sample) => {
                self.sampled = self.sampled.max(number);
                let mut seen = self.places();
                seen.push(Event::Sample(number.saturating_sub(self.answered), sample));
                seen
            }
            Message::Silent(id, number) => self.silent(id, number),
            Message::Deadline(number) if self.timer.is_due(number) => self.due(),
            Message::Deadline(_) => Vec::new(),
            Message::Overdue(id, number) => self.overdue(id, number),
            Message::Cleared(id, generation, left) => self.cleared(id, generation, &left),
        }
    }

    fn traced(&mut self, event: TraceEvent) -> Vec<Event> {
        self.delegation.saw(&event);
        let root = event.root();
        let Some(id) = self.terminals.iter().find(|(_, terminal)| terminal.root == Some(root)).map(|(id, _)| *id)
        else {
            return Vec::new();
        };
        let Some(terminal) = self.terminals.get_mut(&id) else { return Vec::new() };
        let finished = matches!(event, TraceEvent::Finished(..));
        if finished {
            terminal.root = None;
        }
        if terminal.restarting {
            return if finished { self.prepare(id) } else { Vec::new() };
        }
        // A job in the background may keep the terminal open; the pane is over with its shell all the same.
        let closed = matches!(event, TraceEvent::Exit { root, pid, .. } if root == pid);
        let names = found::names(&event);
        found::groups(&event).into_iter().for_each(|(name, made)| self.sampler.group_touched(name, made));
        let mut seen = vec![Event::Trace(id, event)];
        seen.extend(names.iter().map(|name| Event::Said(found::told(name, self.lang))));
        seen.extend(closed.then_some(Event::Closed(id)));
        seen
    }

    /// Opens a new pty and starts a shell in it.
    fn open(&mut self, id: TerminalId) -> Vec<Event> {
        let mut seen = Vec::new();
        if let Err(error) = self.try_open(id) {
            seen.extend([Event::Trouble(format!("{}: {error}", id.name())), Event::Closed(id)]);
        }
        seen
    }

    fn try_open(&mut self, id: TerminalId) -> io::Result<()> {
        let user = self.terminals.get(&id).is_some_and(|terminal| terminal.user);
        let enter = if user { self.as_user()? } else { self.user_namespace()? };
        let Some(terminal) = self.terminals.get_mut(&id) else { return Ok(()) };
        terminal.restarting = false;
        let pty = Pty::open(terminal.size)?;
        let (sink, generation) = (self.sink.clone(), terminal.generation);
        pty.reader(move |event| sink(Message::Pty(id, generation, event)))?;
        let mut shell = shell::command(self.run_dir.bin())?;
        shell.set("BOX", self.run_dir.name());
        if user {
            shell.set("HOME", &self.work);
        }
        shell.set(lang::VARIABLE, lang::spoken().code());
        shell.set(kept::DIR, self.run_dir.path());
        shell.set(kept::IMAGE, &self.image);
        std::env::var_os(SCOPE).into_iter().for_each(|scope| shell.set(SCOPE, scope));
        shell.set("BOXWRIGHT_PROGRESS", if self.unseen { "never" } else { "auto" });
        let mut argv = shell.argv;
        argv.splice(0..0, enter);
        let tty = Some(pty.slave_path().to_path_buf());
        let program = argv.first().map(PathBuf::from).unwrap_or_default();
        let guard = self.guarded.then(|| Guard { groups: self.groups.clone() });
        let spawn = Spawn { program, argv, env: shell.env, dir: self.work.clone(), tty, guard };
        let root = self.tracer.spawn(spawn)?;
        self.tracer.hold(root, terminal.hold.clone());
        terminal.root = Some(root);
        terminal.pty = Some(pty);
        if id == TerminalId::Container {
            self.sampler.watch(root);
        }
        Ok(())
    }

    /// Whether a sample has come that is as new as the last one that was asked for.
    pub(super) fn is_up_to_date(&self) -> bool {
        self.sampled >= self.requested
    }

    /// This session's directory, which ends with it.
    pub(super) fn run_dir(&self) -> &RunDir {
        &self.run_dir
    }
}
