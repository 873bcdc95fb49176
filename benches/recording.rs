//! Prints what it costs to record a session, and to follow it forty times: `cargo bench --bench recording`, as root. `BOXWRIGHT_BENCH_SECONDS` is how long the session is followed (60).
//!
//! Less than 2 % of a processor is aimed at for recording and for each follower, and less than 5 MB for an hour.

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

const BOXWRIGHT: &str = env!("CARGO_BIN_EXE_boxwright");
const FOLLOWERS: usize = 40;
/// Longer than anything that works.
const DEADLINE: Duration = Duration::from_secs(60);

fn main() {
    if !nix::unistd::geteuid().is_root() {
        return println!("recording: skipped: needs root");
    }
    recorded_run();
    followed();
}

/// CPU time of a process and of its threads that have ended, in seconds.
fn cpu(pid: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
    // A tick is a hundredth of a second on every Linux that has USER_HZ at its value for programs.
    (ticks(11) + ticks(12)) / 100.0
}

/// A program on a terminal of its own.
struct Screen {
    _pty: Pty,
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
        command.args(["--ctty", BOXWRIGHT]).args(args).env("TERM", "xterm-256color").env("LANG", "C.UTF-8");
        command.env("XDG_STATE_HOME", state).stdin(tty(pty.slave_path())).stdout(tty(pty.slave_path()));
        let child = command.stderr(tty(pty.slave_path())).spawn().unwrap();
        Screen { _pty: pty, output, child }
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
            let mut command = Command::new(BOXWRIGHT);
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

/// A lesson that plays by itself, as fast as a person reads, and forty followers.
fn followed() {
    let seconds = std::env::var("BOXWRIGHT_BENCH_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(60);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("recorded");
    let file = path.to_str().unwrap();
    let teacher = Screen::start((45, 140), dir.path(), &["--auto", "5", "--record", file, "isolate"]);
    teacher.wait_for("1-3");
    let followers: Vec<Screen> =
        (0..FOLLOWERS).map(|_| Screen::start((24, 80), dir.path(), &["follow", file])).collect();
    followers.iter().for_each(|follower| follower.wait_for("LIVE"));
    let before: Vec<f64> = followers.iter().map(|follower| cpu(follower.child.id())).collect();
    let (at_first, began) = (cpu(teacher.child.id()), Instant::now());
    let bytes = fs::metadata(&path).unwrap().len();
    // What the teacher draws is read, as a terminal would.
    while began.elapsed() < Duration::from_secs(seconds) {
        let left = Duration::from_secs(seconds).saturating_sub(began.elapsed());
        let _ = teacher.output.recv_timeout(left);
    }
    let passed = began.elapsed().as_secs_f64();
    let shares = followers.iter().zip(before).map(|(follower, before)| (cpu(follower.child.id()) - before) / passed);
    let shares: Vec<f64> = shares.map(|share| share * 100.0).collect();
    let (most, all) = (shares.iter().copied().fold(0.0, f64::max), shares.iter().sum::<f64>());
    let teacher_share = (cpu(teacher.child.id()) - at_first) / passed * 100.0;
    println!(
        "followers: {FOLLOWERS} take {all:.1} % of a CPU together, {:.2} % each, {most:.2} % at most (goal: below 2)",
        all / FOLLOWERS as f64
    );
    println!("the session that they follow: {teacher_share:.1} % of a CPU, drawing and recording");
    let hour = (fs::metadata(&path).unwrap().len() - bytes) as f64 / passed * 3600.0 / 1e6;
    println!("a recording of a lesson that never rests: {hour:.1} MB an hour (goal: below 5)");
}
