//! The columns of process lists, and the facts about the machine that they need.

use crate::kernel::{
    clock::{self, Moment},
    process::Process,
    text,
};
use nix::unistd::{Uid, User};
use procfs::{Current, Meminfo, Uptime, sys::kernel::pid_max};
use std::{collections::BTreeMap, io::IsTerminal};
use unicode_width::UnicodeWidthChar;

/// A column of ps(1): its names, heading, width (below zero: to the left; zero: as wide as PIDs are), and what stands in it.
pub(super) type Column = (&'static [&'static str], &'static str, isize, fn(&Process, &mut Facts) -> String);

/// Every column, by the names that -o knows.
pub(super) const COLUMNS: [Column; 23] = [
    (&["pid"], "PID", 0, |process, _| process.pid.to_string()),
    (&["ppid"], "PPID", 0, |process, _| process.ppid.to_string()),
    (&["pgid", "pgrp"], "PGID", 0, |process, _| process.group.to_string()),
    (&["sid", "sess", "session"], "SID", 0, |process, _| process.session.to_string()),
    (&["user", "euser", "uname"], "USER", -8, |process, facts| facts.names.of(process.uid)),
    (&["uid", "euid"], "UID", 5, |process, _| process.uid.to_string()),
    (&["c"], "C", 2, |process, facts| (facts.cpu(process) as u64).min(99).to_string()),
    (&["%cpu", "pcpu"], "%CPU", 4, |process, facts| format!("{:.1}", facts.cpu(process))),
    (&["%mem", "pmem"], "%MEM", 4, |process, facts| format!("{:.1}", facts.share(process))),
    (&["vsz", "vsize"], "VSZ", 6, |process, _| (process.virtual_bytes / 1024).to_string()),
    (&["rss"], "RSS", 5, |process, _| process.resident_kib().to_string()),
    (&["stime", "start_time"], "STIME", 5, |process, facts| facts.began(process, |then, now| then.short(now))),
    (&["bsdstart"], "START", 6, |process, facts| facts.began_lately(process, Moment::minute)),
    (&["start"], "STARTED", 8, |process, facts| facts.began_lately(process, Moment::second)),
    (&["lstart"], "STARTED", 24, |process, facts| facts.began(process, |then, _| then.whole())),
    (&["tty", "tname", "tt"], "TTY", -8, |process, _| process.terminal()),
    (&["stat"], "STAT", -4, |process, _| process.states()),
    (&["s", "state"], "S", -1, |process, _| process.state.to_string()),
    (&["time", "cputime"], "TIME", 8, |process, _| time(process)),
    (&["bsdtime"], "TIME", 6, |process, _| short_time(process)),
    (&["ni", "nice"], "NI", 3, |process, _| process.nice.to_string()),
    (&["comm", "ucmd"], "COMMAND", -15, |process, _| process.comm.clone()),
    (&["args", "cmd", "command"], "COMMAND", -27, |process, _| process.line()),
];

/// Clock ticks, the unit of times in `/proc` (time(7)), in seconds.
pub(super) fn seconds(ticks: u64) -> f64 {
    ticks as f64 / procfs::ticks_per_second() as f64
}

/// CPU time as HH:MM:SS.
fn time(process: &Process) -> String {
    let seconds = seconds(process.ticks) as u64;
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

fn short_time(process: &Process) -> String {
    let seconds = seconds(process.ticks) as u64;
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

/// What is asked for once and needed for every process.
pub(super) struct Facts {
    names: Names,
    memory: u64,
    uptime: f64,
    /// When the machine was started, in seconds since the beginning of 1970.
    boot: i64,
    pid_width: usize,
    columns: usize,
}

impl Facts {
    pub(super) fn read() -> Facts {
        let uptime = Uptime::current().map_or(0.0, |since| since.uptime);
        let boot = procfs::boot_time_secs().map(u64::cast_signed);
        let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
        let screen = || crossterm::terminal::size().map_or(80, |(columns, _)| usize::from(columns.max(1)));
        Facts {
            names: Names::default(),
            memory: memory().max(1),
            uptime,
            boot: boot.unwrap_or_else(|_| clock::now() - uptime as i64),
            pid_width: pid_max().map_or(0, |most| most.to_string().len()).max(5),
            columns: columns.unwrap_or_else(|| if std::io::stdout().is_terminal() { screen() } else { usize::MAX }),
        }
    }

    fn age(&self, process: &Process) -> f64 {
        (self.uptime - seconds(process.start)).max(0.0)
    }

    /// CPU time used, of the time since the process began, as a percentage of one CPU.
    fn cpu(&self, process: &Process) -> f64 {
        seconds(process.ticks) * 100.0 / self.age(process).max(1.0)
    }

    fn share(&self, process: &Process) -> f64 {
        process.resident_kib() as f64 * 100.0 / self.memory as f64
    }

    /// When it began, which is shown beside this moment.
    fn began(&self, process: &Process, show: impl Fn(Moment, Moment) -> String) -> String {
        let then = Moment::at(self.boot + seconds(process.start) as i64);
        then.zip(Moment::now()).map_or("?".into(), |(then, now)| show(then, now))
    }

    /// When it began: the time of day, or the date where that was more than a day ago.
    fn began_lately(&self, process: &Process, time: impl Fn(Moment) -> String) -> String {
        let is_new = self.age(process) <= 86_400.0;
        self.began(process, |then, _| if is_new { time(then) } else { then.day() })
    }

    /// One process, one line; on a terminal it ends where the screen does.
    pub(super) fn line(&self, cells: &[String], widths: &[isize]) -> String {
        let mut line = String::new();
        for (at, (cell, width)) in cells.iter().zip(widths).enumerate() {
            let wide = if *width == 0 { self.pid_width } else { width.unsigned_abs() };
            let (last, space) = (at + 1 == cells.len(), if at == 0 { "" } else { " " });
            line += &match (*width < 0, last) {
                (true, true) => format!("{space}{cell}"),
                (true, false) => format!("{space}{cell:<wide$}"),
                (false, _) => format!("{space}{cell:>wide$}"),
            };
        }
        // A program chooses its own name and arguments, and may put anything into them.
        let safe = line.chars().map(|letter| if text::is_obeyed(letter) { '?' } else { letter });
        let fits = safe.scan(0, |used, letter| {
            *used += letter.width().unwrap_or(0);
            (*used <= self.columns).then_some(letter)
        });
        fits.chain(['\n']).collect()
    }
}

/// All memory of the machine, in KiB.
pub(super) fn memory() -> u64 {
    Meminfo::current().map_or(0, |memory| memory.mem_total / 1024)
}

/// User names, asked for once each.
#[derive(Default)]
pub(super) struct Names(BTreeMap<u32, String>);

impl Names {
    pub(super) fn of(&mut self, uid: u32) -> String {
        let name =
            || User::from_uid(Uid::from_raw(uid)).ok().flatten().map_or_else(|| uid.to_string(), |user| user.name);
        let name = self.0.entry(uid).or_insert_with(name);
        // A column is eight wide; a name that is longer ends with a plus.
        if name.chars().count() > 8 { name.chars().take(7).chain(['+']).collect() } else { name.clone() }
    }
}
