//! Beginning again: the old processes end, what they left is removed, and a new shell starts.

use super::{Machine, Message};
use crate::{
    cleanup::{Left, Why, groups},
    event::Event,
    lesson::TerminalId,
    session::WORK,
    trace::Hold,
};
use std::{
    thread,
    time::{Duration, Instant},
};

/// How long the processes of a terminal may take to end before a new shell starts beside them.
const ENDING: Duration = Duration::from_secs(2);

/// How long the members of the session's groups may take to end, all together.
const EMPTYING: Duration = Duration::from_secs(1);

impl Machine {
    pub(super) fn restart(&mut self, id: TerminalId, user: bool) -> Vec<Event> {
        self.answered = self.requested;
        let Some(terminal) = self.terminals.get_mut(&id) else { return Vec::new() };
        terminal.generation += 1;
        terminal.user = user;
        (terminal.place, terminal.stands) = (None, None);
        terminal.hold = Hold::Off;
        terminal.restarting = true;
        match terminal.root {
            Some(root) => {
                terminal.overdue.set(Some(ENDING));
                self.tracer.kill(root);
                Vec::new()
            }
            None => self.prepare(id),
        }
    }

    /// The processes of a terminal have not ended in time: they are named, and the terminal goes on without them.
    pub(super) fn overdue(&mut self, id: TerminalId, number: u64) -> Vec<Event> {
        let Some(terminal) = self.terminals.get_mut(&id) else { return Vec::new() };
        let Some(root) = terminal.root.filter(|_| terminal.restarting && terminal.overdue.is_due(number)) else {
            return Vec::new();
        };
        terminal.root = None;
        let stayed = groups::stayed(self.tracer.processes(root));
        let mut seen = Vec::new();
        if !stayed.is_empty() {
            let path = self.run_dir.path().to_path_buf();
            seen.push(self.trouble(&[Left { path, why: Why::Stayed(stayed) }]));
        }
        seen.extend(self.prepare(id));
        seen
    }

    /// Makes room for a new shell: a step begins from nothing, so what earlier commands left in the session's groups and
    /// directory goes. That may take a while, and is done beside everything else.
    pub(super) fn prepare(&mut self, id: TerminalId) -> Vec<Event> {
        let Some(terminal) = self.terminals.get_mut(&id) else { return Vec::new() };
        terminal.overdue.set(None);
        let generation = terminal.generation;
        if id != TerminalId::Container {
            return self.open(id);
        }
        let (groups, made, sink) = (self.groups.clone(), self.made.clone(), self.sink.clone());
        let found = self.found.clone();
        let clear = move || {
            let until = Instant::now() + EMPTYING;
            let mut left = found.clear_groups(until);
            left.extend(groups.iter().flat_map(|group| groups::remove(group, until)));
            left.extend(made.iter().flat_map(|made| made.empty_below(WORK)));
            sink(Message::Cleared(id, generation, left));
        };
        match thread::Builder::new().name("clear".into()).spawn(clear) {
            Ok(_) => Vec::new(),
            Err(error) => vec![Event::Trouble(format!("{}: {error}", id.name())), Event::Closed(id)],
        }
    }

    /// The session's groups and directory are empty, but for this.
    pub(super) fn cleared(&mut self, id: TerminalId, generation: u64, left: &[Left]) -> Vec<Event> {
        let current = self.terminals.get(&id).is_some_and(|terminal| terminal.generation == generation);
        if !current {
            return Vec::new();
        }
        let mut seen = Vec::new();
        if !left.is_empty() {
            seen.push(self.trouble(left));
        }
        if left.iter().any(|left| left.path == self.work) {
            // Something else has taken the place of the directory that shells begin in. What a lesson makes there would be
            // in a foreign directory.
            if let Some(terminal) = self.terminals.get_mut(&id) {
                terminal.restarting = false;
            }
            seen.push(Event::Closed(id));
            return seen;
        }
        seen.extend(self.open(id));
        seen
    }

    /// What stayed, as one line: on a screen the remedy comes first, because a narrow one shows no more than that.
    fn trouble(&self, left: &[Left]) -> Event {
        let lang = self.lang;
        let one = |left: &Left| match left.remedy(lang) {
            None => left.say(lang),
            Some(remedy) if self.unseen => format!("{}{}{remedy}", left.say(lang), lang.pick(": ", "：")),
            Some(remedy) => format!("{remedy}{}{}", lang.pick(": ", "："), left.say(lang)),
        };
        Event::Trouble(left.iter().map(one).collect::<Vec<_>>().join(lang.pick("; ", "；")))
    }
}
