//! Prints what it costs to record a session, and to follow it forty times: `cargo bench --bench recording`, as root.
//!
//! Two sessions are taught side by side by a speaker who types along and reads: one that is recorded and followed, and one that
//! is not. For so many seconds (`BOXWRIGHT_BENCH_SECONDS`, 60) that goes on, and for as many nobody does anything. CPU time is that
//! of each process's own clock (clock_getcpuclockid(3)): of each session's own process, and of each follower's. What both cost
//! together, the followers and what the recorded session takes more than the other one, is to be less than 2 % of a processor, and
//! an hour's file less than 5 MB. `BOXWRIGHT_BENCH_PROGRAM` names another program than the one that was built, to compare with.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a benchmark that cannot run says so by ending"
)]

use boxwright::terminal::{Pty, PtyEvent, Size};
use std::{
    fs::{self, OpenOptions},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    time::{Duration, Instant},
};

const FOLLOWERS: usize = 40;
/// What all of them took while a speaker types, in percent, when each line woke them and each key had a frame measured.
const BEFORE: f64 = 12.7;
/// Rows and columns of the followers, in turns.
const SIZES: [(u16, u16); 4] = [(24, 80), (30, 120), (45, 140), (50, 200)];
/// How long a speaker takes for a key.
const KEY: Duration = Duration::from_millis(180);
/// Longer than anything that works.
const DEADLINE: Duration = Duration::from_secs(60);

/// The program that is measured.
fn boxwright() -> String {
    std::env::var("BOXWRIGHT_BENCH_PROGRAM").unwrap_or_else(|_| env!("CARGO_BIN_EXE_boxwright").into())
}

fn main() {
    if !nix::unistd::geteuid().is_root() {
        return println!("recording: skipped: needs root");
    }
    recorded_run();
    followed();
}

/// CPU time of a process and of its threads that have ended, in seconds.
fn cpu(pid: u32) -> f64 {
    let clock = nix::time::clock_getcpuclockid(nix::unistd::Pid::from_raw(pid as i32)).unwrap();
    let time = nix::time::clock_gettime(clock).unwrap();
    time.tv_sec() as f64 + time.tv_nsec() as f64 / 1e9
}

/// How often the threads of a process have waited, and have been woken.
fn wakes(pid: u32) -> u64 {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).unwrap().flatten();
    let status = tasks.map(|task| fs::read_to_string(task.path().join("status")).unwrap_or_default());
    let count = |status: String| {
        let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))?;
        line.trim().parse::<u64>().ok()
    };
    status.filter_map(count).sum()
}

/// A program on a terminal of its own.
struct Screen {
    pty: Pty,
    output: Receiver<PtyEvent>,
    child: Child,
}

impl Screen {
    fn start((rows, columns): (u16, u16), state: &Path, args: &[&str]) -> Screen {
        let pty = Pty::open(Size::new(columns, rows)).unwrap();
        let (send, output) = channel();
        pty.reader(move |event| drop(send.send(event))).unwrap();
        let tty = |path: &Path| OpenOptions::new().read(true).write(true).open(path).unwrap();
        let mut command = Command::new("setsid");
        command.args(["--ctty", &boxwright()]).args(args).env("TERM", "xterm-256color").env("LANG", "C.UTF-8");
        command.env("XDG_STATE_HOME", state).stdin(tty(pty.slave_path())).stdout(tty(pty.slave_path()));
        let child = command.stderr(tty(pty.slave_path())).spawn().unwrap();
        Screen { pty, output, child }
    }

    /// Reads until this text has come.
    fn wait_for(&self, text: &str) {
        let mut all = Vec::new();
        let deadline = Instant::now() + DEADLINE;
        while !all.windows(text.len()).any(|part| part == text.as_bytes()) {
            match self.output.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(PtyEvent::Output(bytes)) => all.extend(bytes),
                other => panic!("{text:?} did not come: {other:?}: {}", String::from_utf8_lossy(&all)),
            }
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let pid = nix::unistd::Pid::from_raw(self.child.id() as i32);
        let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM);
        let _ = self.child.wait();
    }
}

/// The same lesson with a recording and without, in turns: its CPU time is that of the whole session, shells and all.
fn recorded_run() {
    const ROUNDS: usize = 5;
    let dir = tempfile::tempdir().unwrap();
    let children = || {
        let usage = nix::sys::resource::getrusage(nix::sys::resource::UsageWho::RUSAGE_CHILDREN).unwrap();
        let seconds = |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
        seconds(usage.user_time()) + seconds(usage.system_time())
    };
    let (mut without, mut with) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        for (times, recorded) in [(&mut without, false), (&mut with, true)] {
            let mut command = Command::new(boxwright());
            command.args(["run", "isolate"]).stdin(Stdio::null()).stdout(Stdio::null());
            if recorded {
                command.arg("--record").arg(dir.path().join(round.to_string()));
            }
            let before = children();
            assert!(command.status().unwrap().success());
            times.push(children() - before);
        }
    }
    let median = |times: &mut Vec<f64>| {
        times.sort_by(f64::total_cmp);
        times[ROUNDS / 2]
    };
    let (without, with) = (median(&mut without), median(&mut with));
    println!("recording a lesson: CPU {with:.2} s, without {without:.2} s, ratio {:.3}", with / without);
}

/// Two sessions in which a speaker types along, one of them recorded and followed; then nobody does anything.
fn followed() {
    let seconds = std::env::var("BOXWRIGHT_BENCH_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(60);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("recorded");
    let file = path.to_str().unwrap();
    let typed = ["--lang", "en", "--type-along", "isolate"];
    let mut alone = Speaker::start(&dir.path().join("alone"), &typed);
    let mut teacher = Speaker::start(&dir.path().join("teacher"), &[&["--record", file], typed.as_slice()].concat());
    for speaker in [&mut alone, &mut teacher] {
        speaker.wait_for("your answer");
    }
    let follower = |number: usize| {
        let lang = ["en", "zh"][number % 2];
        Screen::start(SIZES[number % SIZES.len()], dir.path(), &["--lang", lang, "follow", file])
    };
    let followers: Vec<Screen> = (0..FOLLOWERS).map(follower).collect();
    // In both languages.
    followers.iter().for_each(|follower| follower.wait_for("isolate 1/10"));
    let pids = || followers.iter().map(|follower| follower.child.id()).chain([&teacher, &alone].map(Speaker::pid));
    let (pids, size) = (pids().collect::<Vec<_>>(), || fs::metadata(&path).unwrap().len());
    for types in [true, false] {
        let (before, bytes, began) = (pids.iter().map(|pid| cpu(*pid)).collect::<Vec<_>>(), size(), Instant::now());
        let woken = || followers.iter().map(|follower| wakes(follower.child.id())).sum::<u64>();
        let (keys, slept) = (teacher.keys, woken());
        let deadline = began + Duration::from_secs(seconds);
        while Instant::now() < deadline {
            let next = (Instant::now() + KEY).min(deadline);
            for speaker in [&mut alone, &mut teacher] {
                speaker.look(next);
                if types {
                    speaker.press();
                }
            }
        }
        let passed = began.elapsed().as_secs_f64();
        let shares = pids.iter().zip(before).map(|(pid, before)| (cpu(*pid) - before) / passed * 100.0);
        let shares: Vec<f64> = shares.collect();
        let (theirs, sessions) = shares.split_at(FOLLOWERS);
        let (all, most) = (theirs.iter().sum::<f64>(), theirs.iter().copied().fold(0.0, f64::max));
        let (recorded, alone) = (sessions[0], sessions[1]);
        println!("{}", if types { "a speaker types along:" } else { "nobody does anything:" });
        println!(
            "  followers: {FOLLOWERS} take {all:.2} % of a processor together{}, {:.3} % each, {most:.2} % at most",
            if types { format!(" (once {BEFORE})") } else { String::new() },
            all / FOLLOWERS as f64
        );
        let of_size = |number: usize| {
            let those: Vec<f64> = theirs.iter().skip(number).step_by(SIZES.len()).copied().collect();
            let (rows, columns) = SIZES[number];
            format!("{columns}x{rows} {:.2} %", those.iter().sum::<f64>() / those.len() as f64 * FOLLOWERS as f64)
        };
        let sizes: Vec<String> = (0..SIZES.len()).map(of_size).collect();
        println!("  were all of one size: {}", sizes.join(", "));
        let wakes = (woken() - slept) as f64 / FOLLOWERS as f64;
        println!("  each of them wakes {wakes:.0} times, for {} keys in {passed:.0} s", teacher.keys - keys);
        println!("  the session: {recorded:.2} % recorded, {alone:.2} % without, {:+.2} % more", recorded - alone);
        println!("  together more: {:.2} % (goal: below 2)", all + recorded - alone);
        let hour = (size() - bytes) as f64 / passed * 3600.0 / 1e6;
        println!("  an hour of it is {hour:.1} MB (goal: below 5)");
    }
    println!("keys hit: {}, and {} in the other session", teacher.keys, alone.keys);
}

/// A session, and what its speaker sees of it.
struct Speaker {
    screen: Screen,
    seen: boxwright::terminal::Screen,
    /// What is thought about, and since when.
    thinks: (&'static str, Instant),
    keys: usize,
}

impl Speaker {
    fn start(state: &Path, args: &[&str]) -> Speaker {
        let (rows, columns) = (45, 140);
        let screen = Screen::start((rows, columns), state, args);
        let seen = boxwright::terminal::Screen::new(Size::new(columns, rows));
        Speaker { screen, seen, thinks: ("", Instant::now()), keys: 0 }
    }

    fn pid(&self) -> u32 {
        self.screen.child.id()
    }

    /// Takes in what comes until then.
    fn look(&mut self, until: Instant) {
        while let Ok(PtyEvent::Output(bytes)) =
            self.screen.output.recv_timeout(until.saturating_duration_since(Instant::now()))
        {
            self.seen.process(&bytes);
        }
    }

    /// Reads until this stands on the screen.
    fn wait_for(&mut self, text: &str) {
        let deadline = Instant::now() + DEADLINE;
        while !self.seen.contents().contains(text) {
            assert!(Instant::now() < deadline, "{text:?} did not come: {}", self.seen.contents());
            self.look(Instant::now() + KEY);
        }
    }

    /// Hits the key that the last line asks for, once that was read.
    fn press(&mut self) {
        let text = self.seen.contents();
        let bar = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
        // What the bar says, the key, and how long it takes to decide for it.
        let answers = [("types along", "x", 0), ("Enter runs it", "\r", 1), ("your answer", "1", 5), ("", " ", 4)];
        let (says, key, after) = answers.into_iter().find(|(says, ..)| bar.contains(says)).unwrap();
        if self.thinks.0 != says {
            self.thinks = (says, Instant::now());
        }
        if self.thinks.1.elapsed() >= Duration::from_secs(after) {
            self.screen.pty.write(key.as_bytes()).unwrap();
            (self.thinks, self.keys) = ((says, Instant::now()), self.keys + 1);
        }
    }
}
