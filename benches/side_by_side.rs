//! Prints how we compare with what a user would otherwise use, measured side by side: `cargo bench`.
//!
//! Only ratios travel from one machine to another; the figures in milliseconds are this machine's. Nothing here can fail
//! a test run: a slow machine is not a defect. `BOXWRIGHT_BENCH_OLD` names an older program, for which all of it is measured as well.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a benchmark that cannot run says so by ending")]

use boxwright::terminal::{self, Pty, PtyEvent, Size};
use std::{
    ffi::OsStr,
    fs::OpenOptions,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering::Relaxed},
        mpsc::{Receiver, channel},
    },
    time::{Duration, Instant},
};

/// Whether the older program is measured now.
static OLDER: AtomicBool = AtomicBool::new(false);

/// The program that is measured.
fn boxwright() -> &'static str {
    older().filter(|_| OLDER.load(Relaxed)).unwrap_or(env!("CARGO_BIN_EXE_boxwright"))
}

/// The program that `BOXWRIGHT_BENCH_OLD` names, to measure in turns with the one that was built.
fn older() -> Option<&'static str> {
    static NAMED: OnceLock<Option<String>> = OnceLock::new();
    NAMED.get_or_init(|| std::env::var("BOXWRIGHT_BENCH_OLD").ok()).as_deref()
}

/// Longer than anything that works.
const DEADLINE: Duration = Duration::from_secs(20);

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let benches: [(&str, fn()); 8] = [
        // First, because the most memory of all programs so far is measured.
        ("unpack", unpack),
        ("unshare", unshare),
        ("trace", uninteresting_calls),
        ("guard", guarded_calls),
        ("first-frame", first_frame),
        ("key", key_to_frame),
        ("jump", jump),
        ("feed", feed),
    ];
    for (name, bench) in benches {
        if wanted.is_empty() || wanted.iter().any(|part| name.contains(part.as_str())) {
            bench();
            // It knows no guard, and the terminal's model is not a program's.
            if older().is_some() && !["guard", "feed"].contains(&name) {
                OLDER.store(true, Relaxed);
                println!("the same by {}:", boxwright());
                bench();
                OLDER.store(false, Relaxed);
            }
        }
    }
}

fn timed(command: &mut Command) -> Duration {
    let started = Instant::now();
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    let time = started.elapsed();
    assert!(status.success(), "{command:?}: {status}");
    time
}

fn command<S: AsRef<OsStr>>(words: &[S]) -> Command {
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]);
    command
}

/// Medians of both, taken in turns, so that what else the machine does strikes both alike.
fn side_by_side(rounds: usize, one: &[&str], other: &[&str]) -> (Duration, Duration) {
    let (mut first, mut second) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        first.push(timed(&mut command(one)));
        second.push(timed(&mut command(other)));
    }
    (percentile(&mut first, 50), percentile(&mut second, 50))
}

fn percentile(times: &mut [Duration], percent: usize) -> Duration {
    times.sort();
    times[(times.len() * percent / 100).min(times.len() - 1)]
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// Unpacks `BOXWRIGHT_BENCH_IMAGE` (a reference such as `oci:DIR:TAG`), or the built-in image.
fn unpack() {
    const ROUNDS: usize = 7;
    if !nix::unistd::geteuid().is_root() {
        return println!("unpack: skipped: needs root");
    }
    let top = tempfile::tempdir().unwrap();
    let from = std::env::var("BOXWRIGHT_BENCH_IMAGE").unwrap_or_else(|_| "builtin:".into());
    let path = |name: &str| top.path().join(name).to_str().unwrap().to_string();
    let layout = path("image");
    timed(&mut command(&[boxwright(), "skopeo", "copy", "-q", &from, &format!("oci:{layout}:bench")]));
    let manifest =
        Command::new(boxwright()).args(["skopeo", "inspect", &format!("oci:{layout}:bench")]).output().unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(&manifest.stdout).unwrap();
    let layers = manifest["Layers"].as_array().unwrap().iter().map(|digest| digest.as_str().unwrap());
    let layers: Vec<String> =
        layers.map(|digest| format!("tar -xzf {layout}/blobs/{} -C \"$0\";", digest.replace(':', "/"))).collect();
    // It complains where one layer replaces what another one brought, and goes on.
    let tar = format!("mkdir \"$0\" && {{ {} }} 2>/dev/null; [ -e \"$0/bin\" ]", layers.join(" "));
    let (image, reference, to) = (format!("{layout}:bench"), format!("oci:{layout}:bench"), path("to"));
    let mut rivals = [
        ("ours", vec![boxwright(), "image", "unpack", "-q", &reference, &to]),
        ("umoci unpack", vec!["umoci", "unpack", "--image", &image, &to]),
        ("tar -xzf of each layer", vec!["sh", "-c", &tar, &to]),
    ]
    .map(|(name, words)| (name, words, Vec::new()));
    let mut memory = 0;
    for _ in 0..ROUNDS {
        for (name, words, times) in &mut rivals {
            if Path::new("/usr/bin").join(words[0]).exists() {
                times.push(timed(&mut command(words)));
                std::fs::remove_dir_all(&to).unwrap();
            }
            if memory == 0 && *name == "ours" {
                let usage = nix::sys::resource::getrusage(nix::sys::resource::UsageWho::RUSAGE_CHILDREN).unwrap();
                memory = usage.max_rss() / 1024;
            }
        }
    }
    let [ours, umoci, tar] = rivals.map(|(_, _, mut times)| (!times.is_empty()).then(|| percentile(&mut times, 50)));
    let Some(ours) = ours else { return };
    println!("unpack {from}: ours {:.0} ms, {memory} MiB at most (goal: below 64 MiB)", millis(ours));
    for (name, theirs, goal) in [("umoci unpack", umoci, "0.5"), ("tar -xzf of each layer", tar, "1")] {
        match theirs {
            Some(time) => println!(
                "unpack {from}: {name} {:.0} ms, ratio {:.2} (goal: below {goal})",
                millis(time),
                ours.as_secs_f64() / time.as_secs_f64()
            ),
            None => println!("unpack {from}: {name}: skipped: not installed"),
        }
    }
}

/// How fast the model of a terminal takes in what programs print.
fn feed() {
    let repeat = |count: usize, line: &dyn Fn(usize) -> String| (0..count).map(line).collect::<String>();
    let outputs = [
        ("plain lines", repeat(50_000, &|n| format!("{n:08} the quick brown fox jumps over the lazy dog\r\n"))),
        ("coloured words", repeat(40_000, &|n| format!("\x1b[{}mword\x1b[m \x1b[1;38;5;9mx\x1b[m\r\n", 31 + n % 7))),
        ("Chinese lines", repeat(30_000, &|n| format!("容器里的进程 {n} 看到的是自己的根文件系统\r\n"))),
        ("a full screen", repeat(30_000, &|n| format!("\x1b[{};1H\x1b[7m{n}\x1b[27m {n:>60}\x1b[K", n % 24 + 1))),
    ];
    for (name, output) in outputs {
        let mut times: Vec<Duration> = (0..7)
            .map(|_| {
                let mut screen = terminal::Screen::new(Size::USUAL);
                let started = Instant::now();
                output.as_bytes().chunks(64 * 1024).for_each(|piece| drop(screen.process(piece)));
                started.elapsed()
            })
            .collect();
        let rate = output.len() as f64 / 1e6 / percentile(&mut times, 50).as_secs_f64();
        println!("feed {name}: {rate:.0} MB/s");
    }
}

fn unshare() {
    const FLAGS: [&str; 4] = ["-imnpu", "--mount-proc", "--fork", "true"];
    if !nix::unistd::geteuid().is_root() {
        return println!("unshare: skipped: needs root");
    }
    let ours = [&[boxwright(), "unshare"][..], &FLAGS].concat();
    let theirs = [&["/usr/bin/unshare"][..], &FLAGS].concat();
    let (ours, theirs) = side_by_side(100, &ours, &theirs);
    println!(
        "unshare {}: ours {:.2} ms, util-linux {:.2} ms, ratio {:.2} (goal: 1)",
        FLAGS.join(" "),
        millis(ours),
        millis(theirs),
        ours.as_secs_f64() / theirs.as_secs_f64()
    );
}

fn uninteresting_calls() {
    // A shell at work, and the worst that there is: calls that do next to nothing, one read and one write a byte.
    const SHELL: &str = "i=0; while [ $i -lt 300000 ]; do [ -e / ]; i=$((i+1)); done";
    const BYTES: &str = "dd if=/dev/zero of=/dev/null bs=1 count=150000 2>/dev/null";
    // Starting and ending under the tracer is not what is asked here.
    let (start, plain_start) = side_by_side(20, &traced("true"), &["sh", "-c", "true"]);
    for (name, work) in [("by a shell (goal: at most 1.02)", SHELL), ("of one byte each", BYTES)] {
        let (slow, plain) = side_by_side(9, &traced(work), &["sh", "-c", work]);
        let (slow, plain) = (slow.saturating_sub(start), plain.saturating_sub(plain_start));
        println!(
            "300,000 uninteresting calls {name}: traced {:.1} ms, untraced {:.1} ms, ratio {:.3}",
            millis(slow),
            millis(plain),
            slow.as_secs_f64() / plain.as_secs_f64()
        );
    }
}

/// What the guard costs a shell that makes many calls, and one that starts programs, of which it looks at each signal and write
/// no more closely than the tracer does without it.
fn guarded_calls() {
    const CALLS: &str = "i=0; while [ $i -lt 300000 ]; do [ -e / ]; i=$((i+1)); done";
    const PROGRAMS: &str = "i=0; while [ $i -lt 300 ]; do /bin/true; i=$((i+1)); done";
    let guarded = |work| [boxwright(), "trace", "--guard", "-o", "/dev/null", "--", "sh", "-c", work];
    let unguarded = |work| [boxwright(), "trace", "-o", "/dev/null", "--", "sh", "-c", work];
    for (name, work) in [("300,000 calls of a shell", CALLS), ("300 programs started by a shell", PROGRAMS)] {
        let (with, without) = side_by_side(15, &guarded(work), &unguarded(work));
        println!(
            "guard, {name}: guarded {:.1} ms, unguarded {:.1} ms, ratio {:.3} (goal: 1)",
            millis(with),
            millis(without),
            with.as_secs_f64() / without.as_secs_f64()
        );
    }
}

fn traced(work: &str) -> [&str; 6] {
    [boxwright(), "trace", "--", "sh", "-c", work]
}

/// The program on a terminal of its own.
struct Screen {
    pty: Pty,
    output: Receiver<PtyEvent>,
    child: Child,
    /// Progress is kept here and not in the user's own directory.
    _state: tempfile::TempDir,
}

impl Screen {
    fn start(args: &[&str]) -> Screen {
        let state = tempfile::tempdir().unwrap();
        let pty = Pty::open(Size::new(140, 45)).unwrap();
        let (send, output) = channel();
        pty.reader(move |event| drop(send.send(event))).unwrap();
        let tty = |path: &Path| OpenOptions::new().read(true).write(true).open(path).unwrap();
        let child = Command::new("setsid")
            .args(["--ctty", boxwright()])
            .args(args)
            .env("TERM", "xterm-256color")
            .env("LANG", "C.UTF-8")
            .env("XDG_STATE_HOME", state.path())
            .stdin(tty(pty.slave_path()))
            .stdout(tty(pty.slave_path()))
            .stderr(tty(pty.slave_path()))
            .spawn()
            .unwrap();
        Screen { pty, output, child, _state: state }
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

    /// Presses a key, and waits for the first thing that is drawn after it.
    fn press(&self, key: &[u8]) -> Duration {
        while self.output.try_recv().is_ok() {}
        let started = Instant::now();
        self.pty.write(key).unwrap();
        self.output.recv_timeout(DEADLINE).unwrap();
        started.elapsed()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let pid = nix::unistd::Pid::from_raw(self.child.id() as i32);
        let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM);
        let _ = self.child.wait();
    }
}

fn first_frame() {
    let mut times: Vec<Duration> = (0..20)
        .map(|_| {
            let started = Instant::now();
            let screen = Screen::start(&[]);
            screen.wait_for("Linux ");
            started.elapsed()
        })
        .collect();
    println!(
        "first frame: median {:.1} ms, 90th percentile {:.1} ms (goal: below 50)",
        millis(percentile(&mut times, 50)),
        millis(percentile(&mut times, 90))
    );
}

fn key_to_frame() {
    let screen = Screen::start(&["isolate/1"]);
    // Only what changes is drawn, so that this is one piece: the question of the first step can be answered.
    screen.wait_for("1-3");
    // The help page and back: everything on the screen changes.
    let mut times: Vec<Duration> = (0..300).map(|_| screen.press(b"?")).collect();
    println!(
        "key to frame: median {:.2} ms, 99th percentile {:.2} ms (goal: below 16)",
        millis(percentile(&mut times, 50)),
        millis(percentile(&mut times, 99))
    );
}

/// How long a jump to each step takes, from the program's start to the moment at which the step begins.
fn jump() {
    if !nix::unistd::geteuid().is_root() {
        return println!("jump: skipped: needs root");
    }
    let listed = Command::new(boxwright()).args(["lessons", "list", "--lang", "en"]).output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    // A line of a step: its number, its place, its heading.
    let steps = listed.lines().filter(|line| line.starts_with(' '));
    let places: Vec<&str> = steps.filter_map(|line| line.split_whitespace().nth(1)).collect();
    let mut slowest = (Duration::ZERO, "");
    for place in places {
        let step = place.split_once('/').unwrap().1;
        let started = Instant::now();
        let mut child = Command::new(boxwright())
            .args(["run", "--json", place])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = std::io::BufRead::split(std::io::BufReader::new(child.stdout.take().unwrap()), b'\n');
        let begun = format!("\"step\":\"{step}\"");
        let mut lines = lines.map_while(Result::ok).map(|line| String::from_utf8_lossy(&line).into_owned());
        lines.find(|line| line.contains("\"event\":\"step\"") && line.contains(&begun)).unwrap();
        slowest = slowest.max((started.elapsed(), place));
        let _ =
            nix::sys::signal::kill(nix::unistd::Pid::from_raw(child.id() as i32), nix::sys::signal::Signal::SIGTERM);
        child.wait().unwrap();
    }
    println!("slowest jump: {} in {:.0} ms (goal: below 500)", slowest.1, millis(slowest.0));
}
