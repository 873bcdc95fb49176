//! `boxwright trace -p`: a process that runs already is taken, and let go unharmed.

use crate::harness::{Test, tests};
use crate::support::BOXWRIGHT;
use crate::support::theirs;
use serde_json::Value;
use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead, BufReader, Read, Write},
    process::{Child, ChildStdout, Command, Output, Stdio},
};

pub fn tests() -> Vec<Test> {
    tests![
        every_thread_is_taken_and_goes_on_alone: [Root, Tool("python3"), Tool("strace")],
        a_call_that_waits_is_not_disturbed: [Root],
        children_are_followed_and_an_end_is_told: [Root, Tool("unshare")],
        what_cannot_be_taken_is_said: [Root, Tool("sleep")],
        threads_without_end_hold_nothing_up: [Root],
    ]
}

/// A running `trace -p`, of which lines are read as they come.
struct Tracer(Child, BufReader<ChildStdout>);

impl Tracer {
    fn of(pid: u32) -> Tracer {
        let mut command = Command::new(BOXWRIGHT);
        command.args(["trace", "--json", "-o", "&1", "-p", &pid.to_string()]).stdin(Stdio::null());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Tracer(child, out)
    }

    /// What it says first, when it has taken the process.
    fn begun(&mut self) -> String {
        let mut line = String::new();
        let mut errors = BufReader::new(self.0.stderr.take().unwrap());
        errors.read_line(&mut line).unwrap();
        line
    }

    /// Events up to the first of which this is true; there must be one.
    fn until(&mut self, mut wanted: impl FnMut(&Value) -> bool) -> Value {
        let mut line = String::new();
        while self.1.read_line(&mut line).unwrap() > 0 {
            let event: Value = serde_json::from_str(&line).unwrap();
            if wanted(&event) {
                return event;
            }
            line.clear();
        }
        panic!("the tracer ended before");
    }

    fn interrupt(mut self) -> Option<i32> {
        let interrupt = Command::new("kill").args(["-INT", &self.0.id().to_string()]).status().unwrap();
        assert!(interrupt.success());
        let mut rest = String::new();
        self.1.read_to_string(&mut rest).unwrap();
        self.0.wait().unwrap().code()
    }
}

/// Ends with the test, also where that fails.
struct Started(Child);

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(program: &str, args: &[&str]) -> Started {
    let mut command = Command::new(program);
    Started(command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap())
}

fn tracers(pid: u32) -> BTreeSet<String> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).unwrap().flatten();
    let line = |status: String| status.lines().find(|line| line.starts_with("TracerPid")).unwrap().to_string();
    threads.map(|thread| line(fs::read_to_string(thread.path().join("status")).unwrap())).collect()
}

const THREADS: &str = "import ctypes, threading, time\n\
                       c = ctypes.CDLL(None)\n\
                       def work():\n  while True: c.setfsuid(0); time.sleep(0.005)\n\
                       for _ in range(4): threading.Thread(target=work).start()\n\
                       n = 0\n\
                       while True: n += 1; print(n, flush=True); time.sleep(0.005)";

fn every_thread_is_taken_and_goes_on_alone() {
    let mut process = start("/usr/bin/python3", &["-S", "-c", THREADS]);
    let pid = process.0.id();
    let mut out = BufReader::new(process.0.stdout.take().unwrap());
    let mut count = || {
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        line.trim().parse::<u64>().unwrap()
    };
    count();
    let seen = |text: &str| -> BTreeSet<String> {
        text.lines().filter_map(|line| line.split_whitespace().next()).map(String::from).collect()
    };
    // The same threads as strace(1) sees.
    let log = tempfile::NamedTempFile::new().unwrap();
    let mut strace = Command::new("timeout");
    strace.args(["-s", "INT", "0.5"]).arg(theirs("strace")).args([
        "-f",
        "-qq",
        "-e",
        "trace=setfsuid",
        "-p",
        &pid.to_string(),
        "-o",
    ]);
    strace.arg(log.path()).status().unwrap();
    let expected = seen(&fs::read_to_string(log.path()).unwrap());
    assert_eq!(expected.len(), 4);
    let mut tracer = Tracer::of(pid);
    assert!(tracer.begun().contains("every call stops"));
    let mut threads = BTreeSet::new();
    tracer.until(|event| {
        assert_eq!((&event["name"], &event["errno"]), (&"setfsuid".into(), &Value::Null));
        threads.insert(event["pid"].to_string());
        threads.len() == 4
    });
    assert_eq!(threads, expected);
    assert_eq!(tracers(pid).len(), 1);
    assert!(!tracers(pid).contains("TracerPid:\t0"));
    assert_eq!(tracer.interrupt(), Some(0));
    assert_eq!(tracers(pid), BTreeSet::from(["TracerPid:\t0".to_string()]));
    let before = count();
    assert!(count() > before && count() > before, "it goes on");
    // Killed, a tracer takes no process along.
    let mut tracer = Tracer::of(pid);
    tracer.begun();
    tracer.0.kill().unwrap();
    tracer.0.wait().unwrap();
    let before = count();
    assert!((0..50).all(|_| count() > before), "it goes on");
    assert!(process.0.try_wait().unwrap().is_none());
}

fn a_call_that_waits_is_not_disturbed() {
    let mut process = start("sh", &["-c", "read -r line; echo \"got $line\"; exit 6"]);
    let mut tracer = Tracer::of(process.0.id());
    tracer.begun();
    assert_eq!(tracer.interrupt(), Some(0));
    process.0.stdin.take().unwrap().write_all(b"this\n").unwrap();
    let mut said = String::new();
    process.0.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!((said.as_str(), process.0.wait().unwrap().code()), ("got this\n", Some(6)));
}

fn children_are_followed_and_an_end_is_told() {
    let mut process = start("sh", &["-c", "read -r line; unshare -u true; unshare -u -- no-such-program; exit 6"]);
    let mut tracer = Tracer::of(process.0.id());
    tracer.begun();
    process.0.stdin.take().unwrap().write_all(b"go\n").unwrap();
    let unshared = tracer.until(|event| event["name"] == "unshare");
    assert!(unshared["changed"][0].as_str().unwrap().starts_with("uts: "), "{unshared}");
    let failed = tracer.until(|event| event["name"] == "execve" && event["errno"] == "ENOENT");
    assert_eq!(failed["filtered"], Value::Null, "{failed}");
    tracer.until(|event| event["event"] == "exit" && event["pid"] == process.0.id());
    assert_eq!(tracer.0.wait().unwrap().code(), Some(6));
}

fn what_cannot_be_taken_is_said() {
    let said = |pid: &str| {
        let out: Output = Command::new(BOXWRIGHT).args(["trace", "-p", pid]).stdin(Stdio::null()).output().unwrap();
        (out.status.code(), String::from_utf8_lossy(&out.stderr).into_owned())
    };
    let (status, text) = said("4194304");
    assert_eq!(status, Some(3));
    assert!(text.contains("No such process (ESRCH)"), "{text}");
    let process = start("sleep", &["60"]);
    let mut tracer = Tracer::of(process.0.id());
    tracer.begun();
    let (status, text) = said(&process.0.id().to_string());
    let expected = format!("process {} traces it already", tracer.0.id());
    assert!(status == Some(3) && text.contains(&expected), "{text}");
    assert_eq!(tracer.interrupt(), Some(0));
    let usage = Command::new(BOXWRIGHT).args(["trace", "-p", "1", "--step"]).output().unwrap();
    assert_eq!(usage.status.code(), Some(2));
}

/// The role of another process of this program that makes threads without end.
pub const STORM: &str = "__storm";

/// Chains of threads, each of which makes the next and ends.
pub fn storm() -> ! {
    fn next() {
        // Where there are too many just now, it tries again.
        while std::thread::Builder::new().stack_size(16 << 10).spawn(next).is_err() {}
    }
    (0..8).for_each(|_| next());
    println!("begun");
    loop {
        std::thread::park();
    }
}

fn threads_without_end_hold_nothing_up() {
    let mut process = start(std::env::current_exe().unwrap().to_str().unwrap(), &[STORM]);
    let mut out = BufReader::new(process.0.stdout.take().unwrap());
    out.read_line(&mut String::new()).unwrap();
    let mut tracer = Tracer::of(process.0.id());
    // Either all of them can be taken, or that is said; both in a bounded time.
    let said = tracer.begun();
    let status = if said.contains("every call stops") { tracer.interrupt() } else { tracer.0.wait().unwrap().code() };
    match status {
        Some(0) => {}
        Some(3) => assert!(said.contains("faster than they can be taken"), "{said}"),
        other => panic!("{other:?}: {said}"),
    }
    assert!(process.0.try_wait().unwrap().is_none(), "it goes on");
}
