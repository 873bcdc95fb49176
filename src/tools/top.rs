//! top(1): show processes by the CPU time that they use.

use super::{
    args::{
        Opt,
        Value::{Must, No},
        parse,
    },
    complain, is_printed,
    other::misused,
    print,
    table::{Names, memory, seconds},
};
use crate::kernel::{
    clock::Moment,
    pid::Pid,
    process::{self, Process},
    text,
};
use crate::lang::say;
use crossterm::terminal::{disable_raw_mode, enable_raw_mode, size};
use nix::{
    poll::{PollFd, PollFlags, PollTimeout, poll},
    unistd::read,
};
use procfs::{Current, LoadAverage};
use std::{
    collections::BTreeMap,
    ffi::OsString,
    fmt::Write,
    io::{IsTerminal, stdin, stdout},
    os::fd::AsFd,
    process::ExitCode,
    time::{Duration, Instant},
};

const OPTIONS: [Opt; 4] = [('b', "batch", No), ('n', "iterations", Must), ('d', "delay", Must), ('p', "pid", Must)];

/// One reading: every process, and when it was read.
struct Reading {
    processes: Vec<Process>,
    at: Instant,
}

/// Runs the tool.
pub(super) fn run(args: &[OsString]) -> ExitCode {
    let options = match parse(args, &OPTIONS, true) {
        Ok(options) => options,
        Err(what) => return misused("top", args, &what, "top [-b] [-n NUMBER] [-d SECONDS] [-p PID,…]", 1),
    };
    let delay = options.value("delay").map_or(Some(3.0), |text| text.parse::<f64>().ok()).filter(|delay| *delay >= 0.0);
    let number = options.value("iterations").map(|text| text.parse::<u64>());
    let (Some(delay), None | Some(Ok(1..))) = (delay, &number) else {
        return complain("top", "bad number\n  top [-b] [-n NUMBER] [-d SECONDS] [-p PID,…]", 1);
    };
    let number = number.and_then(Result::ok).unwrap_or(u64::MAX);
    let lists = options.options.iter().filter(|(name, _)| *name == "pid").filter_map(|(_, list)| list.as_deref());
    let pids: Option<Vec<Pid>> =
        options.has("pid").then(|| lists.flat_map(|list| list.split(',')).filter_map(|pid| pid.parse().ok()).collect());
    let batch = options.has("batch");
    let terminal = stdin().is_terminal() && stdout().is_terminal();
    if !batch && !terminal {
        return complain(
            "top",
            &format!("failed tty get\n  {}top -b -n 1", say("without a terminal: ", "没有终端时用：")),
            1,
        );
    }
    // Raw mode hands each key over at once; with it ^C is a key too, and comes to us as a byte.
    if !batch && enable_raw_mode().is_err() {
        return complain("top", "the terminal refuses raw mode", 1);
    }
    let status = refresh(number, Duration::try_from_secs_f64(delay).unwrap_or(Duration::MAX), pids.as_deref(), batch);
    if !batch {
        let _ = disable_raw_mode();
        is_printed(b"\r\n");
    }
    status
}

fn refresh(number: u64, delay: Duration, pids: Option<&[Pid]>, batch: bool) -> ExitCode {
    let mut names = Names::default();
    let Some(mut before) = reading() else {
        return complain("top", "/proc must be mounted\n  mount -t proc proc /proc", 1);
    };
    // How busy a process is only shows between two readings. The first frame does not wait a whole delay for that.
    let mut pause = delay.min(Duration::from_millis(250));
    for _ in 0..number {
        if quits(pause, batch) {
            break;
        }
        let Some(now) = reading() else { break };
        let mut text = frame(&before, &now, pids, &mut names);
        if batch {
            text.push('\n');
        } else {
            // A terminal that was given no size says 0.
            let (columns, rows) = size().ok().filter(|(columns, rows)| *columns > 0 && *rows > 0).unwrap_or((80, 24));
            let fits = |line: &str| line.chars().take(columns.into()).collect::<String>();
            let lines: Vec<String> = text.lines().take(rows.into()).map(fits).collect();
            // Home, each line with the rest of its row cleared, then everything below: that flickers less than clearing.
            text = format!("\x1b[H{}\x1b[K\x1b[J", lines.join("\x1b[K\r\n"));
        }
        if print(&text) != ExitCode::SUCCESS {
            return ExitCode::FAILURE;
        }
        (before, pause) = (now, delay);
    }
    ExitCode::SUCCESS
}

fn reading() -> Option<Reading> {
    Some(Reading { at: Instant::now(), processes: process::all().ok()? })
}

/// Waits for the time to pass or for a key; true where that key means the end.
fn quits(pause: Duration, batch: bool) -> bool {
    let end = Instant::now().checked_add(pause);
    loop {
        let left = end.map_or(Duration::MAX, |end| end.saturating_duration_since(Instant::now()));
        // poll(2) counts in milliseconds; rounded up, so that the last part of one is not spent in a busy loop.
        let timeout =
            PollTimeout::try_from(left.as_millis().saturating_add(1).min(i32::MAX as u128)).unwrap_or(PollTimeout::MAX);
        let input = stdin();
        let mut keys = [PollFd::new(input.as_fd(), PollFlags::POLLIN)];
        match poll(if batch { &mut [] } else { &mut keys }, timeout) {
            Ok(0) => return false,
            Ok(_) => {
                let mut key = [0];
                match read(input.as_fd(), &mut key) {
                    Ok(1..) if !matches!(key, [b'q' | b'Q' | 3]) => {}
                    _ => return true,
                }
                if key == [b' '] {
                    return false;
                }
            }
            Err(nix::errno::Errno::EINTR) => {}
            Err(_) => return true,
        }
    }
}

fn frame(before: &Reading, now: &Reading, pids: Option<&[Pid]>, names: &mut Names) -> String {
    let ticks: BTreeMap<(Pid, u64), u64> = before.processes.iter().map(|p| ((p.pid, p.start), p.ticks)).collect();
    let passed = now.at.duration_since(before.at).as_secs_f64().max(0.001);
    // PID and start time together name one process; a PID alone may have passed to another between the readings. Who was
    // not there before has used all its time since.
    let used = |p: &Process| p.ticks.saturating_sub(ticks.get(&(p.pid, p.start)).copied().unwrap_or(0));
    let wanted = now.processes.iter().filter(|p| pids.is_none_or(|pids| pids.contains(&p.pid)));
    let mut shown: Vec<(u64, &Process)> = wanted.map(|p| (used(p), p)).collect();
    shown.sort_by_key(|(used, p)| (std::cmp::Reverse(*used), p.pid));
    let count = |states: &str| shown.iter().filter(|(_, p)| states.contains(p.state)).count();
    let load = LoadAverage::current()
        .map_or_else(|_| String::new(), |load| format!("{:.2}, {:.2}, {:.2}", load.one, load.five, load.fifteen));
    let total = memory().max(1);
    let mut out = format!("top - {} load average: {load}\n", Moment::now().map(Moment::second).unwrap_or_default());
    let (all, running, stopped, zombie) = (shown.len(), count("R"), count("Tt"), count("Z"));
    let asleep = all - running - stopped - zombie;
    let _ =
        writeln!(out, "Tasks: {all} total, {running} running, {asleep} sleeping, {stopped} stopped, {zombie} zombie\n");
    out.push_str("    PID USER      %CPU  %MEM     RES S     TIME+ COMMAND\n");
    for (used, p) in shown {
        let cpu = seconds(used) * 100.0 / passed;
        let resident = p.resident_kib();
        let (share, user) = (resident as f64 * 100.0 / total as f64, names.of(p.uid));
        let time = seconds(p.ticks);
        let time = format!("{}:{:05.2}", time as u64 / 60, time % 60.0);
        let _ = writeln!(
            out,
            "{:>7} {user:<8.8} {cpu:>5.1} {share:>5.1} {resident:>7} {} {time:>9} {}",
            p.pid,
            p.state,
            text::printable(&p.comm)
        );
    }
    out
}
