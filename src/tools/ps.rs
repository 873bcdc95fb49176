//! ps(1): list processes, as /proc shows them.

use super::{complain, print};
use crate::kernel::process::{self, Process, TICKS};
use nix::unistd::{Uid, User};
use std::{collections::BTreeMap, fmt::Write, fs, io::IsTerminal, process::ExitCode};

const USAGE: &str = "usage: ps | ps -e | ps -ef | ps aux | ps -e -o pid,ppid,comm | ps -p PID,…";

/// What to list, and how.
#[derive(Default)]
struct Wish {
    all: bool,
    full: bool,
    bsd: bool,
    pids: Option<Vec<i32>>,
    columns: Option<Vec<String>>,
}

/// Runs the tool.
pub fn run(args: &[String]) -> ExitCode {
    let Some(wish) = read(args) else { return complain("ps", USAGE, 1) };
    // There is no system call for this: a proc file system has a directory for each process of *its* PID namespace.
    let all = match process::all() {
        Ok(all) => all,
        Err(_) => return complain("ps", "/proc must be mounted\n  mount -t proc proc /proc", 1),
    };
    let me = std::process::id() as i32;
    let own = all.iter().find(|process| process.pid == me).map_or(0, |process| process.tty);
    let wanted = |process: &&Process| match &wish.pids {
        Some(pids) => pids.contains(&process.pid),
        None => wish.all || (process.tty == own && own != 0),
    };
    let shown: Vec<&Process> = all.iter().filter(wanted).collect();
    let status = if wish.pids.is_some() && shown.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS };
    let mut names = Names::default();
    let mut out = String::new();
    if let Some(columns) = &wish.columns {
        line(&mut out, columns.iter().map(|column| column.to_uppercase()));
        shown.iter().for_each(|process| line(&mut out, columns.iter().map(|name| column(process, name, &mut names))));
    } else if wish.bsd {
        out.push_str("USER         PID %CPU %MEM    VSZ   RSS TTY      STAT START   TIME COMMAND\n");
        shown.iter().for_each(|process| aux(&mut out, process, &mut names));
    } else if wish.full {
        out.push_str("UID          PID    PPID  C STIME TTY          TIME CMD\n");
        for process in shown {
            let (user, start) = (names.of(process.uid), start(process));
            let (tty, time) = (process.terminal(), time(process));
            let used = percent(process) as u64;
            let head =
                format!("{user:<8} {:>7} {:>7} {used:>2} {start:>5} {tty:<8} {time:>8} ", process.pid, process.ppid);
            let _ = writeln!(out, "{head}{}", process.line());
        }
    } else {
        out.push_str("    PID TTY          TIME CMD\n");
        for process in shown {
            let _ = writeln!(out, "{:>7} {:<8} {:>8} {}", process.pid, process.terminal(), time(process), process.comm);
        }
    }
    let printed = print(&fit(&out));
    if printed == ExitCode::SUCCESS { status } else { printed }
}

fn read(args: &[String]) -> Option<Wish> {
    let mut wish = Wish::default();
    let mut rest = args.iter();
    while let Some(word) = rest.next() {
        let Some(letters) = word.strip_prefix('-') else {
            // BSD style: letters without a dash.
            wish.bsd |= word.contains('u');
            wish.all |= word.contains('a') || word.contains('x');
            if word.chars().any(|letter| !"auxw".contains(letter)) {
                return None;
            }
            continue;
        };
        for letter in letters.chars() {
            match letter {
                'e' | 'A' => wish.all = true,
                'f' => wish.full = true,
                'w' => {}
                'p' => wish.pids = Some(rest.next()?.split([',', ' ']).filter_map(|pid| pid.parse().ok()).collect()),
                'o' => {
                    wish.columns = Some(rest.next()?.split(',').map(|name| name.trim_end_matches('=').into()).collect())
                }
                _ => return None,
            }
        }
    }
    Some(wish)
}

fn line(out: &mut String, cells: impl Iterator<Item = String>) {
    let _ = writeln!(out, "{}", cells.map(|cell| format!("{cell:>7}")).collect::<Vec<_>>().join(" "));
}

fn column(process: &Process, name: &str, names: &mut Names) -> String {
    match name {
        "pid" => process.pid.to_string(),
        "ppid" => process.ppid.to_string(),
        "comm" | "ucmd" => process.comm.clone(),
        "user" | "uid" => names.of(process.uid),
        "stat" | "state" | "s" => process.state.to_string(),
        "tty" | "tt" => process.terminal(),
        "time" => time(process),
        "args" | "cmd" | "command" => process.line(),
        "sid" | "sess" => process.session.to_string(),
        _ => "-".into(),
    }
}

fn aux(out: &mut String, process: &Process, names: &mut Names) {
    let total = memory().max(1);
    let resident = process.resident_pages * 4;
    let share = resident as f64 * 100.0 / total as f64;
    let (user, cpu, start) = (names.of(process.uid), percent(process), start(process));
    let head = format!(
        "{user:<8} {:>7} {cpu:>4.1} {share:>4.1} {:>6} {resident:>5}",
        process.pid,
        process.virtual_bytes / 1024
    );
    let (seconds, tty) = (process.ticks / TICKS, process.terminal());
    let time = format!("{}:{:02}", seconds / 60, seconds % 60);
    let _ = writeln!(out, "{head} {tty:<8} {:<4} {start:>5} {time:>6} {}", process.state, process.line());
}

/// On a terminal a line ends where the screen does, so that each process has one.
fn fit(text: &str) -> String {
    let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let width = columns.unwrap_or_else(|| if std::io::stdout().is_terminal() { screen_width() } else { usize::MAX });
    text.lines().map(|line| line.chars().take(width).collect::<String>() + "\n").collect()
}

fn screen_width() -> usize {
    crossterm::terminal::size().map_or(80, |(columns, _)| usize::from(columns.max(1)))
}

/// CPU time as HH:MM:SS.
fn time(process: &Process) -> String {
    let seconds = process.ticks / TICKS;
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

fn uptime() -> f64 {
    let text = fs::read_to_string("/proc/uptime").unwrap_or_default();
    text.split_whitespace().next().and_then(|seconds| seconds.parse().ok()).unwrap_or(0.0)
}

/// CPU time used, of the time since the process began, as a percentage of one CPU.
fn percent(process: &Process) -> f64 {
    let age = (uptime() - process.start as f64 / TICKS as f64).max(1.0);
    process.ticks as f64 / TICKS as f64 * 100.0 / age
}

/// The time of day (UTC) at which it began; its age where that is more than a day.
fn start(process: &Process) -> String {
    let age = (uptime() - process.start as f64 / TICKS as f64).max(0.0) as u64;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |time| time.as_secs());
    let began = now.saturating_sub(age) as libc::time_t;
    if age > 86_400 { format!("{}d", age / 86_400) } else { format!("{:02}:{:02}", began / 3600 % 24, began / 60 % 60) }
}

/// All memory of the machine, in KiB.
pub(super) fn memory() -> u64 {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    text.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).unwrap_or(0)
}

/// User names, asked for once each.
#[derive(Default)]
pub(super) struct Names(BTreeMap<u32, String>);

impl Names {
    pub(super) fn of(&mut self, uid: u32) -> String {
        let name =
            || User::from_uid(Uid::from_raw(uid)).ok().flatten().map_or_else(|| uid.to_string(), |user| user.name);
        self.0.entry(uid).or_insert_with(name).clone()
    }
}
