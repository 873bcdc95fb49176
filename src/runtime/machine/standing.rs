//! Who has a terminal and what it waits for: a shell without our marks is known by what it does, and by where it lives.

use super::Machine;
use crate::{
    event::Event,
    kernel::{pid::Pid, process, text},
    lesson::TerminalId,
    observe::Place,
    terminal::{shell::is_shell, waits_for_input},
};
use std::{path::Path, time::Duration};

/// How long a terminal is silent before we look what waits there.
const SILENCE: Duration = Duration::from_millis(40);

/// How often a shell is looked at that has printed something and still works: each time is twice as long as the last.
const LOOKS: u32 = 7;

impl Machine {
    /// A terminal has printed something: once it is silent, we look what waits there.
    pub(super) fn printed(&mut self, id: TerminalId) {
        if let Some(terminal) = self.terminals.get_mut(&id) {
            terminal.looks = 0;
            terminal.silence.set(Some(SILENCE));
        }
    }

    /// A terminal has been silent for this setting's time.
    pub(super) fn silent(&mut self, id: TerminalId, number: u64) -> Vec<Event> {
        let Some(terminal) = self.terminals.get_mut(&id).filter(|terminal| terminal.silence.is_due(number)) else {
            return Vec::new();
        };
        let Some(group) = terminal.pty.as_ref().and_then(|pty| pty.foreground()).map(innermost) else {
            return Vec::new();
        };
        let shells = shells(group);
        let waits = |pid: &Pid| is_interactive(*pid) && waits_for_input(Path::new("/proc"), *pid) == Some(true);
        let waiting = shells.iter().copied().find(waits);
        if waiting.is_none() && !shells.is_empty() && terminal.looks < LOOKS {
            terminal.looks += 1;
            terminal.silence.set(Some(SILENCE * (1 << terminal.looks)));
        }
        // A program that only makes the way for a shell lives elsewhere than the shell.
        let stands = waiting.or(shells.last().copied()).unwrap_or(group);
        terminal.stands = Some((group, stands));
        let mut seen: Vec<Event> = waiting.into_iter().map(|pid| Event::Waits(id, pid)).collect();
        seen.extend(self.place(id, stands));
        seen
    }

    /// The process group in a terminal's foreground; behind a program that only passes everything on, the one in there.
    pub(super) fn foreground(&self, id: TerminalId) -> Option<Pid> {
        self.terminals.get(&id)?.pty.as_ref()?.foreground().map(innermost)
    }

    /// Where the foreground of each terminal lives, where that has changed. Who stands there is looked for when the terminal is
    /// silent, and not with every sample.
    pub(super) fn places(&mut self) -> Vec<Event> {
        let stands = |id| {
            let group = self.foreground(id)?;
            let known = self.terminals.get(&id)?.stands.filter(|(known, _)| *known == group);
            Some((id, known.map_or(group, |(_, pid)| pid)))
        };
        let all = TerminalId::ALL.map(stands);
        all.into_iter().flatten().filter_map(|(id, pid)| self.place(id, pid)).collect()
    }

    fn place(&mut self, id: TerminalId, pid: Pid) -> Option<Event> {
        let place = Place::of(pid)?;
        let terminal = self.terminals.get_mut(&id)?;
        let changed = terminal.place.as_ref() != Some(&place);
        terminal.place = Some(place.clone());
        changed.then_some(Event::Place(id, place))
    }
}

/// How many terminals may stand within one another.
const NESTED: usize = 8;

/// sudo(8) and script(1) give what they start a terminal of its own and pass on what is typed: the keys go to the
/// foreground of the innermost terminal.
fn innermost(group: Pid) -> Pid {
    let groups = std::iter::successors(Some(group), |group| passed_on(*group));
    groups.take(NESTED).last().unwrap_or(group)
}

/// The foreground of the terminal that the leader of this group has made for its child.
fn passed_on(leader: Pid) -> Option<Pid> {
    let own = process::stat(&leader.dir())?;
    let mut children = process::children(leader).into_iter().filter_map(|pid| process::stat(&pid.dir()));
    let other = children.find(|child| child.tty_nr != 0 && child.tty_nr != own.tty_nr && child.tpgid > 0);
    other.map(|child| Pid(child.tpgid))
}

/// The shells in a process group, in the order of their PIDs.
fn shells(group: Pid) -> Vec<Pid> {
    let stats = process::pids().unwrap_or_default().into_iter().filter_map(|pid| process::stat(&pid.dir()));
    let shells = stats.filter(|stat| Pid(stat.pgrp) == group && is_shell(&stat.comm));
    shells.map(|stat| Pid(stat.pid)).collect()
}

/// Whether a shell takes its lines from a user, not from a script or its own arguments: those may ask for other things.
fn is_interactive(pid: Pid) -> bool {
    let Ok(arguments) = text::read(pid.dir().join("cmdline")) else { return false };
    // busybox(1) has the shell's name in its first argument.
    let first = arguments.split_terminator('\0').skip(1).find(|word| !is_shell(word));
    first.is_none_or(|word| word.starts_with("--") || (word.starts_with(['-', '+']) && !word.contains('c')))
}
