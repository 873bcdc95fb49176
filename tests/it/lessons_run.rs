//! The lessons as tests of the whole product: `boxwright run --json` on the real kernel.

use crate::harness::{Test, tests};
use crate::support::{BOXWRIGHT, for_everybody, host, left_of, theirs};
use boxwright::kernel::pid::Pid;
use boxwright::lang::Lang;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader},
    os::{
        fd::{AsFd, OwnedFd},
        unix::process::CommandExt,
    },
    path::PathBuf,
    process::{Child, Command, Stdio},
};

pub fn tests() -> Vec<Test> {
    let tests = tests![
        the_lesson_on_roots_takes_every_kind_of_source: [Root, Tool("skopeo")],
        every_lesson_passes_in_english: [Root],
        every_lesson_passes_in_chinese: [Root],
        the_events_have_the_fields_of_the_contract: [Root],
        runs_killed_at_any_moment_leave_nothing: [Root],
        ctrl_c_ends_a_run_and_leaves_nothing: [Root],
    ];
    tests.into_iter().map(Test::alone).collect()
}

fn lessons() -> Vec<String> {
    let output = Command::new(BOXWRIGHT).args(["lessons", "check"]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().filter_map(|line| Some(line.split_once(':')?.0.to_string())).collect()
}

fn start(args: &[&str]) -> Child {
    Command::new(BOXWRIGHT).arg("run").args(args).arg("--json").stdout(Stdio::piped()).spawn().unwrap()
}

fn event(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

fn run(args: &[&str]) -> (Vec<Value>, Option<i32>) {
    let output = start(args).wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    (text.lines().map(event).collect(), output.status.code())
}

fn of<'a>(events: &'a [Value], kind: &str) -> Vec<&'a Value> {
    events.iter().filter(|event| event["event"] == kind).collect()
}

fn every_lesson_passes(lang: &str) {
    let before = host();
    for lesson in lessons() {
        let (events, status) = run(&[&lesson, "--lang", lang]);
        let bad: Vec<_> = events
            .iter()
            .filter(|event| event["passed"] == false || event["outcome"] == "failed" || event["event"] == "trouble")
            .collect();
        assert!(bad.is_empty(), "{lesson} {lang}: {bad:#?}");
        let summary = of(&events, "summary")[0];
        assert_eq!(status, Some(0), "{lesson} {lang}: {summary}");
        assert_eq!(summary["failed"], 0);
        let skipped = summary["skipped"].as_array().unwrap();
        let steps = of(&events, "step").len();
        assert_eq!(summary["passed"].as_u64().unwrap() as usize + skipped.len(), steps, "{lesson}: {summary}");
        for left_out in skipped {
            assert!(!left_out["reason"].as_str().unwrap().is_empty());
        }
        if lesson == "cgroups" && skipped.iter().all(|step| step["step"] != "cgroups/out-of-memory") {
            proved(&events);
        }
        let session = events[0]["name"].as_str().unwrap();
        assert_eq!(left_of(session), Vec::<String>::new(), "{lesson}");
        eprintln!("{lesson} {lang}: {steps} steps, {} calls", of(&events, "syscall").len());
    }
    assert_eq!(host(), before, "the machine is as it was");
}

/// The proof card agrees with the samples that were told on the way.
fn proved(events: &[Value]) {
    let [proof] = of(events, "proof")[..] else { panic!("one proof card is wanted") };
    let [half, quarter] = &proof["cpu"].as_array().unwrap()[..] else { panic!("{proof}") };
    for (cpu, quota, range) in [(half, 50_000, 45.0..55.0), (quarter, 25_000, 20.0..30.0)] {
        assert_eq!((cpu["quota_micros"].as_u64(), cpu["period_micros"].as_u64()), (Some(quota), Some(100_000)));
        let (used, window) = (cpu["used_micros"].as_u64().unwrap(), cpu["window_micros"].as_u64().unwrap());
        assert!(window >= 3_000_000, "{proof}");
        let percent = used as f64 * 100.0 / window as f64;
        // On a busy machine the cap may never be reached, which the kernel explains, and it is never exceeded.
        let waited = cpu["waited_percent"].as_f64().unwrap();
        assert!(range.contains(&percent) || (percent < range.end && waited > 10.0), "{proof}");
        let readings = of(events, "sample");
        let usages = readings.iter().filter_map(|sample| sample["group"]["values"]["cpu"]["usage_micros"].as_u64());
        let usages: Vec<u64> = usages.collect();
        let told = usages.iter().any(|first| usages.contains(&(first + used)));
        assert!(told, "{used} is the difference of two of the kernel's counters");
        assert!(cpu["throttled"].as_u64().unwrap() > 0 || waited > 10.0, "{proof}");
    }
    let memory = &proof["memory"][0];
    assert_eq!((memory["limit_bytes"].as_u64(), memory["exit_status"].as_i64()), (Some(10_485_760), Some(137)));
    assert!(memory["oom_kills"].as_u64().unwrap() >= 1 && memory["program"] == "hog", "{proof}");
}

/// Layers that gzip, zstd or nothing has compressed, from a registry's copy or from `docker save`.
fn the_lesson_on_roots_takes_every_kind_of_source() {
    let before = host();
    let dir = tempfile::tempdir().unwrap();
    let place = |kind: &str, name: &str| format!("{kind}:{}", dir.path().join(name).display());
    let mut sources = vec![place("dir", "dir"), place("oci-archive", "oci.tar"), place("docker-archive", "saved.tar")];
    for source in &sources {
        let copied = Command::new(BOXWRIGHT).args(["skopeo", "copy", "-q", "builtin:", source]).status();
        assert!(copied.unwrap().success(), "{source}");
    }
    sources.push(place("oci", "zstd:latest"));
    let zstd = ["--dest-compress", "--dest-compress-format=zstd", &sources[0], &sources[3]];
    let copied = Command::new(theirs("skopeo")).args(["--insecure-policy", "copy", "-q"]).args(zstd).status();
    assert!(copied.unwrap().success());
    for source in &sources {
        let (events, status) = run(&["rootfs", "--image", source]);
        let bad: Vec<_> = events.iter().filter(|event| event["outcome"] == "failed").collect();
        assert_eq!((status, bad.len()), (Some(0), 0), "{source}: {bad:#?}");
    }
    assert_eq!(host(), before, "the machine is as it was");
}

fn every_lesson_passes_in_english() {
    every_lesson_passes("en");
}

fn every_lesson_passes_in_chinese() {
    every_lesson_passes("zh");
}

fn the_events_have_the_fields_of_the_contract() {
    let (events, status) = run(&["isolate/4"]);
    assert_eq!(status, Some(0));
    let fields: BTreeMap<&str, &[&str]> = BTreeMap::from([
        ("session", &["version", "kernel", "cgroup_mode", "privilege", "image"][..]),
        ("step", &["lesson", "step", "title"]),
        ("command", &["lesson", "step", "terminal", "line"]),
        ("syscall", &["pid", "comm", "name", "args", "result", "errno", "micros", "changed"]),
        ("sample", &["container", "namespaces", "host_namespaces", "cgroup", "processes", "scorecard"]),
        ("check", &["lesson", "step", "check", "passed", "expected", "observed"]),
        ("summary", &["steps", "passed", "failed", "skipped"]),
    ]);
    for (kind, fields) in fields {
        let some = of(&events, kind);
        assert!(!some.is_empty(), "{kind}");
        for event in some {
            for field in fields {
                assert!(event.get(field).is_some(), "{kind}: {field}: {event}");
            }
        }
    }
    // The heart of the lesson: the core command's calls, and what each of them changed.
    let calls = of(&events, "syscall");
    let unshare = calls.iter().find(|call| call["name"] == "unshare").unwrap();
    assert_eq!(unshare["args"], "CLONE_NEWNS|CLONE_NEWUTS|CLONE_NEWIPC|CLONE_NEWPID|CLONE_NEWNET");
    let changed = unshare["changed"].to_string();
    for link in ["uts", "ipc", "mnt", "net", "pid_for_children"] {
        assert!(changed.contains(&format!("\"{link}: ")), "{link}: {changed}");
    }
    let last = of(&events, "sample").pop().unwrap();
    assert_eq!(last["scorecard"]["isolated"], true);
    assert_ne!(last["namespaces"]["pid"], last["host_namespaces"]["pid"]);
}

/// Waits until these processes have ended, with a deadline.
fn wait_for_end(processes: &[OwnedFd]) {
    for process in processes {
        let ended = poll(&mut [PollFd::new(process.as_fd(), PollFlags::POLLIN)], PollTimeout::from(20_000u16));
        assert_eq!(ended, Ok(1), "a process of the session outlived it");
    }
}

const NOBODY: u32 = 65534;

/// Whose runs they are.
struct Who {
    program: PathBuf,
    /// The home of an ordinary user; root has their own.
    home: Option<PathBuf>,
}

impl Who {
    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        if let Some(home) = &self.home {
            command.uid(NOBODY).gid(NOBODY).env("HOME", home).env("USER", "nobody").current_dir(home);
            command.env_remove("XDG_RUNTIME_DIR").env_remove("XDG_STATE_HOME").env_remove("XDG_CACHE_HOME");
        }
        command
    }

    fn clean(&self) {
        let output = self.command().arg("clean").output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
}

/// Kills a run of one step when its event of this number has come; gives its session's name, or `None` where the run
/// has ended before.
fn kill_at(who: &Who, place: &str, number: usize) -> Option<String> {
    let mut child = who.command().args(["run", place, "--json"]).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let (mut session, mut processes, mut seen) = (String::new(), Vec::new(), 0);
    for line in lines.map_while(Result::ok).take(number) {
        let event = event(&line);
        seen += 1;
        match event["event"].as_str() {
            Some("session") => session = event["name"].as_str().unwrap().to_string(),
            Some("sample") => {
                let pids = event["processes"].as_array().unwrap().iter().filter_map(|process| process["pid"].as_i64());
                processes = pids.filter_map(|pid| boxwright::kernel::pidfd::open(Pid(pid as i32)).ok()).collect();
            }
            Some("summary") => seen = 0,
            _ => {}
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    wait_for_end(&processes);
    (seen == number).then_some(session)
}

/// Numbers from a seed (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as usize
    }
}

/// Kills a run somewhere: any step of any lesson, at any of its first hundred events, or of as many as it has.
fn kill_anywhere(who: &Who, random: &mut Random, places: &[String]) -> String {
    loop {
        let (place, mut number) = (&places[random.below(places.len())], 1 + random.below(100));
        while number > 0 {
            if let Some(session) = kill_at(who, place, number) {
                let whose = if who.home.is_some() { "a user's " } else { "" };
                eprintln!("{session}: {whose}{place} killed at its event {number}");
                return session;
            }
            number /= 2;
        }
    }
}

/// As many at a time as wait for each other's pauses.
const AT_ONCE: usize = 5;

/// `BOXWRIGHT_KILLS` says how many runs in all, instead of fifty. Two of five are an ordinary user's.
fn runs_killed_at_any_moment_leave_nothing() {
    let number = |name: &str| std::env::var(name).ok().and_then(|number| number.parse::<u64>().ok());
    let seed = number("BOXWRIGHT_SEED").unwrap_or_else(|| u64::from(std::process::id()) << 20 | 1);
    let rounds = number("BOXWRIGHT_KILLS").unwrap_or(50).div_ceil(AT_ONCE as u64) as usize;
    eprintln!("the same moments again: BOXWRIGHT_SEED={seed}");
    let (home, (_program, program)) = (tempfile::tempdir().unwrap(), for_everybody());
    std::os::unix::fs::chown(home.path(), Some(NOBODY), Some(NOBODY)).unwrap();
    let root = Who { program: BOXWRIGHT.into(), home: None };
    let user = Who { program, home: Some(home.path().into()) };
    // What earlier tests have left is none of this one's.
    root.clean();
    let all = boxwright::lesson::load(None).unwrap();
    let lessons = all.iter().map(|translations| translations.get(Lang::En).unwrap());
    let places: Vec<String> =
        lessons.flat_map(|lesson| (1..=lesson.steps.len()).map(|step| format!("{}/{step}", lesson.id))).collect();
    let before = host();
    for round in 0..rounds {
        let sessions: Vec<String> = std::thread::scope(|scope| {
            let (places, root, user) = (&places, &root, &user);
            let kill = |part: usize| {
                let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (round * AT_ONCE + part + 1) as u64);
                let who = if part.is_multiple_of(2) { root } else { user };
                scope.spawn(move || kill_anywhere(who, &mut random, places))
            };
            let killers: Vec<_> = (0..AT_ONCE).map(kill).collect();
            killers.into_iter().map(|killer| killer.join().unwrap()).collect()
        });
        root.clean();
        user.clean();
        for session in sessions {
            assert_eq!(left_of(&session), Vec::<String>::new());
        }
        assert_eq!(host(), before, "the machine is as it was");
    }
}

fn ctrl_c_ends_a_run_and_leaves_nothing() {
    let mut child = start(&["isolate"]);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let session = event(&lines.next().unwrap())["name"].as_str().unwrap().to_string();
    lines.find(|line| line.contains("\"command\"")).unwrap();
    let pid = nix::unistd::Pid::from_raw(child.id() as i32);
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGINT).unwrap();
    // What it still says must be read, or it would wait for us.
    lines.for_each(drop);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(left_of(&session), Vec::<String>::new());
}
