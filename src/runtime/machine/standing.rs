//! Who has a terminal and what it waits for: a shell without our marks is known by what it does, and by where it lives.

use super::{Machine, Seen};
use crate::{kernel::text, lesson::TerminalId, observe::Place, terminal::shell::is_shell};
use std::{fs, os::unix::fs::MetadataExt, time::Duration};

/// How long a terminal is silent before somebody looks who waits there.
const SILENCE: Duration = Duration::from_millis(40);

/// How often a shell is looked at that has printed something and still works: each time is twice as long as the last.
const LOOKS: u32 = 7;

impl Machine {
    /// A terminal has printed something: once it is silent, somebody looks who waits there.
    pub(super) fn printed(&mut self, id: TerminalId) {
        if let Some(terminal) = self.terminals.get_mut(&id) {
            terminal.looks = 0;
            terminal.silence.set(Some(SILENCE));
        }
    }

    /// A terminal has been silent for this setting's time.
    pub(super) fn silent(&mut self, id: TerminalId, number: u64) -> Vec<Seen> {
        let Some(terminal) = self.terminals.get_mut(&id).filter(|terminal| terminal.silence.is_due(number)) else {
            return Vec::new();
        };
        let Some(group) = terminal.pty.as_ref().and_then(|pty| pty.foreground()) else { return Vec::new() };
        let shells = shells(group);
        let waiting = shells.iter().copied().find(|pid| waits_for_input(*pid));
        if waiting.is_none() && !shells.is_empty() && terminal.looks < LOOKS {
            terminal.looks += 1;
            terminal.silence.set(Some(SILENCE * (1 << terminal.looks)));
        }
        let mut seen: Vec<Seen> = waiting.into_iter().map(|pid| Seen::Waits(id, pid)).collect();
        seen.extend(self.place(id, waiting.unwrap_or(group)));
        seen
    }

    /// Where the foreground of each terminal lives, where that has changed.
    pub(super) fn places(&mut self) -> Vec<Seen> {
        let groups = TerminalId::ALL.map(|id| (id, self.foreground(id)));
        groups.into_iter().filter_map(|(id, group)| self.place(id, group?)).collect()
    }

    fn place(&mut self, id: TerminalId, pid: i32) -> Option<Seen> {
        // A program that only makes the way for a shell lives elsewhere than the shell.
        let place = Place::of(shells(pid).last().copied().unwrap_or(pid))?;
        let terminal = self.terminals.get_mut(&id)?;
        let changed = terminal.place.as_ref() != Some(&place);
        terminal.place = Some(place.clone());
        changed.then_some(Seen::Place(id, place))
    }
}

/// The shells in a process group, in the order of their PIDs.
fn shells(group: i32) -> Vec<i32> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let mut shells: Vec<i32> = pids.filter(|pid| is_shell_of(*pid, group)).collect();
    shells.sort_unstable();
    shells
}

fn is_shell_of(pid: i32, group: i32) -> bool {
    let Ok(stat) = text::read(format!("/proc/{pid}/stat")) else { return false };
    // The name stands between the first parenthesis and the last one (proc_pid_stat(5)).
    let Some((before, after)) = stat.rsplit_once(") ") else { return false };
    let name = before.split_once('(').map_or("", |(_, name)| name);
    let its_group = after.split(' ').nth(2).and_then(|word| word.parse().ok());
    its_group == Some(group) && is_shell(name)
}

/// Whether a process is blocked in a call that waits for input: read(2) from its terminal, or a call that waits for any of
/// several descriptors, as line editors do.
fn waits_for_input(pid: i32) -> bool {
    let Ok(call) = text::read(format!("/proc/{pid}/syscall")) else { return false };
    let mut words = call.split_whitespace();
    let number: Option<i64> = words.next().and_then(|word| word.parse().ok());
    match number {
        Some(libc::SYS_read) => {
            let hex = words.next().and_then(|word| i32::from_str_radix(word.trim_start_matches("0x"), 16).ok());
            let file = hex.and_then(|fd| fs::metadata(format!("/proc/{pid}/fd/{fd}")).ok());
            file.is_some_and(|file| file.mode() & libc::S_IFMT == libc::S_IFCHR)
        }
        Some(number) => WAITS.contains(&number),
        None => false,
    }
}

/// Calls that wait for any of several descriptors.
#[cfg(target_arch = "x86_64")]
const WAITS: [i64; 6] = [
    libc::SYS_select,
    libc::SYS_pselect6,
    libc::SYS_poll,
    libc::SYS_ppoll,
    libc::SYS_epoll_wait,
    libc::SYS_epoll_pwait,
];
#[cfg(not(target_arch = "x86_64"))]
const WAITS: [i64; 3] = [libc::SYS_pselect6, libc::SYS_ppoll, libc::SYS_epoll_pwait];
