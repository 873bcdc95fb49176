//! The engine: everything that happens in a session, as one stream of [`Event`]s.
//!
//! The drawn screen, the plain mode, transcripts and tests are its consumers: each takes the next event, decides, and has
//! the engine do what follows from it. What came of that is an event again.

use super::{
    branches::Again,
    machine::{Machine, Message, Rest, Trouble},
    queue::{Item, Queue},
    timer::Timer,
};
use crate::kernel::pid::Pid;
use crate::terminal::Size;
use crate::{
    dirs::Need,
    event::Event,
    lang::Lang,
    lesson::{TerminalId, mutants},
    recording::Recorder,
    session::Action,
};
use std::{
    collections::{BTreeMap, VecDeque},
    ffi::OsString,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

/// What a session is played with.
#[derive(Clone, Debug)]
pub struct Setup {
    /// This program, for the roles that it takes in other processes.
    pub exe: PathBuf,
    /// What the session's directory must offer.
    pub need: Need,
    /// The image that lessons use; its files are fetched once.
    pub image: String,
    /// Whether calls that would change the machine itself are held.
    pub guarded: bool,
    /// Whether the container is looked for on the whole machine, and not only below the terminals.
    pub anywhere: bool,
    /// The process that is looked at as long as it is there, by PID and start.
    pub picked: Option<(Pid, u64)>,
    /// Whether the terminals are not shown, and only their output is read: then tools draw nothing.
    pub unseen: bool,
    /// The language of what is told.
    pub lang: Lang,
    /// The options with which this program finds the same lessons and the same image once more.
    pub options: Vec<OsString>,
    /// The mutant of a learner's own script that is among the lessons.
    pub(crate) own: Option<mutants::Own>,
}

impl Setup {
    /// For the built-in lessons.
    pub fn new(exe: impl Into<PathBuf>) -> Setup {
        Setup {
            exe: exe.into(),
            need: Need::default(),
            image: String::new(),
            guarded: true,
            anywhere: false,
            picked: None,
            unseen: false,
            lang: Lang::default(),
            options: Vec::new(),
            own: None,
        }
    }
}

/// Yields what happens, and does what follows from it.
#[derive(Debug)]
pub struct Engine {
    setup: Setup,
    queue: Arc<Queue>,
    /// What comes before everything in the queue.
    ready: VecDeque<Event>,
    /// Made when the first shell is wanted: who only looks at the opening leaves nothing behind.
    machine: Option<Machine>,
    /// Of the terminals of a machine that is not made yet.
    sizes: BTreeMap<TerminalId, Size>,
    /// Whether the session's network namespaces are shown.
    networks: bool,
    began: Instant,
    recorder: Option<Recorder>,
    /// Made at the first request.
    alarm: Option<Timer>,
}

impl Engine {
    /// Nothing is started yet.
    pub fn new(setup: Setup) -> Engine {
        Engine {
            setup,
            queue: Arc::default(),
            ready: VecDeque::new(),
            machine: None,
            sizes: BTreeMap::new(),
            networks: false,
            began: Instant::now(),
            recorder: None,
            alarm: None,
        }
    }

    /// Writes everything down that is yielded from now on.
    pub(crate) fn recorded(mut self, recorder: Option<Recorder>) -> Engine {
        (self.began, self.recorder) = (Instant::now(), recorder);
        self
    }

    /// Where other threads send what happens.
    pub(super) fn queue(&self) -> Arc<Queue> {
        self.queue.clone()
    }

    /// Takes a signal that asks us to end for an event.
    pub(crate) fn watch_signals(&self) {
        let queue = self.queue();
        super::signals::watch(move |signal| queue.send(Event::Signal(signal)));
    }

    /// How this program is started for a session that goes through the same lessons.
    pub(super) fn again(&self) -> Again {
        let Setup { exe, options, own, lang, .. } = self.setup.clone();
        Again { exe, options, own, lang }
    }

    /// What a session's directory must offer.
    pub(super) fn need(&self) -> Need {
        self.setup.need
    }

    /// Gets everything ready but the shells, which [`Action::Restart`] starts.
    pub fn start(&mut self) -> Result<(), Trouble> {
        if self.machine.is_none() {
            let queue = self.queue();
            let sink = Arc::new(move |message| queue.put(Item::Machine(message)));
            let mut machine = Machine::start(&self.setup, sink)?;
            for (terminal, size) in &self.sizes {
                machine.resize(*terminal, *size);
            }
            if self.networks {
                machine.networks(true);
            }
            self.machine = Some(machine);
        }
        Ok(())
    }

    /// The session's own name, once it is started: whatever it makes outside of its processes is called so.
    pub fn name(&self) -> Option<&str> {
        self.machine.as_ref().map(|machine| machine.run_dir().name())
    }

    /// Why the ledger is not where it should be, or has no lock; a line for each directory that refused one.
    pub(crate) fn refused(&self) -> Vec<String> {
        self.machine.as_ref().map_or_else(Vec::new, |machine| machine.refused(self.setup.lang))
    }

    /// The next event, once there is one; at most until then.
    pub fn next(&mut self, until: Option<Instant>) -> Option<Event> {
        loop {
            if let Some(event) = self.ready() {
                return Some(event);
            }
            match self.queue.take(until)? {
                Item::Event(event) => self.ready.push_back(event),
                Item::Machine(message) => self.hear(message),
                // No other session is watched in this one.
                Item::Recorded(_) => {}
                Item::Woke(number) => {
                    let due = self.alarm.as_ref().is_some_and(|alarm| alarm.is_due(number));
                    self.ready.extend(due.then_some(Event::Woke));
                }
            }
        }
    }

    /// The next event, where it is there already because of what was given or done.
    pub(super) fn ready(&mut self) -> Option<Event> {
        let event = self.ready.pop_front()?;
        self.note(&event);
        Some(event)
    }

    fn hear(&mut self, message: Message) {
        let Some(machine) = &mut self.machine else { return };
        let began = self.began;
        for event in machine.hear(message) {
            if matches!(event, Event::Sample(..)) {
                self.ready.push_back(Event::Clock(began.elapsed()));
            }
            self.ready.push_back(event);
        }
    }

    /// Writes down an event that is not yielded, where a session is recorded.
    pub(crate) fn note(&mut self, event: &Event) {
        let Some(recorder) = &mut self.recorder else { return };
        if let Err(ended) = recorder.write(self.began.elapsed(), event) {
            self.recorder = None;
            self.ready.push_back(Event::Trouble(ended.say(self.setup.lang)));
        }
    }

    /// Has the consumer's own event yielded, before everything that waits.
    pub fn give(&mut self, event: Event) {
        self.ready.push_back(event);
    }

    /// The same, and forgets what is ready: it was for a session that has ended.
    pub(crate) fn give_alone(&mut self, event: Event) {
        self.ready.clear();
        self.ready.push_back(event);
    }

    /// The language of what is told from now on.
    pub(super) fn speak(&mut self, lang: Lang) {
        self.setup.lang = lang;
        if let Some(machine) = &mut self.machine {
            machine.lang = lang;
        }
    }

    /// Whether the consumer knows all that has come of what it wanted, and the machine as it was after that.
    pub(super) fn is_up_to_date(&self) -> bool {
        self.ready.is_empty() && self.machine.as_ref().is_none_or(Machine::is_up_to_date)
    }

    /// Does what the session wants. What comes of it, and what goes wrong, are the next events.
    pub fn apply(&mut self, action: &Action) {
        if self.machine.is_none() && matches!(action, Action::Restart(..)) {
            match self.start() {
                Ok(()) => {
                    let one_line = |text: String| text.trim_start_matches("boxwright: ").replace("\n  ", "; ");
                    self.ready.extend(self.refused().pop().map(one_line).map(Event::Trouble));
                }
                Err(trouble) => self.ready.push_back(Event::Trouble(trouble.say(self.setup.lang))),
            }
        }
        if let Some(machine) = &mut self.machine {
            let events = machine.apply(action);
            self.ready.extend(events);
        }
    }

    /// Gives [`Event::Woke`] after this time, instead of after the time set before.
    pub(super) fn wake(&mut self, after: Duration) {
        if self.alarm.is_none() {
            let queue = self.queue();
            match Timer::start(move |number| queue.put(Item::Woke(number))) {
                Ok(timer) => self.alarm = Some(timer),
                Err(error) => self.ready.push_back(Event::Trouble(error.to_string())),
            }
        }
        if let Some(alarm) = &self.alarm {
            alarm.set(Some(after));
        }
    }

    /// Looks at this container from now on, by PID and start; `None` at the one that is found.
    pub(super) fn pick(&self, picked: Option<(Pid, u64)>) {
        if let Some(machine) = &self.machine {
            machine.pick(picked);
        }
    }

    /// Reads the session's network namespaces with every sample from now on, or no longer.
    pub(super) fn networks(&mut self, seen: bool) {
        self.networks = seen;
        if let Some(machine) = &self.machine {
            machine.networks(seen);
        }
    }

    /// Sends bytes to a terminal, as a keyboard would. A terminal without a shell takes nothing.
    pub fn write(&self, terminal: TerminalId, bytes: &[u8]) {
        if let Some(machine) = &self.machine {
            machine.write(terminal, bytes);
        }
    }

    /// Sets the size of a terminal, for now and for every shell to come.
    pub(super) fn resize(&mut self, terminal: TerminalId, size: Size) {
        match &mut self.machine {
            Some(machine) => machine.resize(terminal, size),
            None => drop(self.sizes.insert(terminal, size)),
        }
    }

    /// No thread waits for room in the queue any more.
    pub(super) fn close(&self) {
        self.queue.close();
    }

    /// Ends every process in the terminals, and removes what the session made, within this time; gives what is left.
    pub(crate) fn finish(&mut self, within: Duration) -> Rest {
        self.close();
        if let Some(recorder) = self.recorder.take() {
            recorder.finish(self.began.elapsed());
        }
        self.machine.take().map(|mut machine| machine.finish(within)).unwrap_or_default()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // Readers of terminals that wait for room must see that the queue is closed.
        self.close();
    }
}
