//! How `boxwright trace` and its command begin and end: statuses, signals, a tracer that dies, a tracer that may not.

use crate::harness::{Test, tests};
use crate::support::traced::{calls, ends, events, trace};
use crate::support::{self, BOXWRIGHT, for_everybody};
use boxwright::kernel::pid::Pid;
use serde_json::Value;
use std::process::{Command, Output, Stdio};

pub fn tests() -> Vec<Test> {
    tests![
        a_missing_program_and_bad_usage,
        the_exit_status_is_the_commands: [Root],
        uninteresting_calls_change_nothing: [Root],
        the_command_inherits_nothing_of_the_tracers: [Root],
        a_stopped_command_stops_the_tracer_too: [Root, Tool("script"), Tool("bash")],
        a_command_that_stops_itself_is_woken: [Root],
        children_whose_maker_is_killed_go_on: [Root, Tool("python3"), Tool("timeout")],
        what_a_dead_parent_leaves_is_reaped: [Root, Tool("python3"), Tool("timeout"), Tool("unshare"), Tool("nsenter")],
        all_that_is_traced_dies_with_the_tracer: [Root, Tool("unshare")],
        a_tracer_in_a_tracer_says_why_it_sees_nothing: [Root],
        without_root: [Root, Tool("setpriv"), Tool("unshare"), UserNamespaces],
        without_filters_every_call_stops: [Root, Tool("python3"), Tool("umount")],
    ]
}

fn a_missing_program_and_bad_usage() {
    let run = |args: &[&str]| Command::new(BOXWRIGHT).arg("trace").args(args).stdin(Stdio::null()).output().unwrap();
    let missing = run(&["--", "nosuch"]);
    assert_eq!(missing.status.code(), Some(127));
    let text = String::from_utf8_lossy(&missing.stderr).into_owned();
    assert_eq!(text, "boxwright: trace: nosuch: No such file or directory (ENOENT)\n");
    assert_eq!(run(&["--", "/"]).status.code(), Some(126));
    let alone = Command::new("setsid").args(["-w", BOXWRIGHT, "trace", "--step", "--", "true"]).output().unwrap();
    let said = String::from_utf8_lossy(&alone.stderr).into_owned();
    assert!(said.starts_with("boxwright: trace: --step needs a terminal: open /dev/tty: "), "{said}");
    assert_eq!(run(&["--"]).status.code(), Some(2));
    assert_eq!(run(&["--nosuch", "--", "true"]).status.code(), Some(2));
}

fn the_exit_status_is_the_commands() {
    let (out, events) = trace(&["sh", "-c", "exit 7"]);
    assert_eq!((out.status.code(), &ends(&events)[0]["status"]), (Some(7), &7.into()));
    let (out, events) = trace(&["sh", "-c", "kill -TERM $$"]);
    assert_eq!((out.status.code(), &ends(&events)[0]["signal"]), (Some(143), &"SIGTERM".into()));
    // A real-time signal, handled and deadly.
    let (out, _) = trace(&["sh", "-c", "trap 'exit 9' 40; kill -40 $$; exit 1"]);
    assert_eq!(out.status.code(), Some(9));
    let (out, _) = trace(&["sh", "-c", "kill -40 $$"]);
    assert_eq!(out.status.code(), Some(168));
}

fn uninteresting_calls_change_nothing() {
    let (out, events) = trace(&["dd", "if=/dev/zero", "of=/dev/null", "bs=1", "count=150000"]);
    assert!(out.status.success());
    assert_eq!(events.len(), 2, "its start and its end: {events:?}");
}

fn the_command_inherits_nothing_of_the_tracers() {
    let list = "for fd in /proc/self/fd/*; do readlink $fd; done; grep -E 'SigBlk|SigIgn' /proc/self/status";
    let plain = Command::new("sh").args(["-c", list]).stdin(Stdio::null()).output().unwrap();
    let (out, _) = trace(&["sh", "-c", list]);
    let own = |text: &[u8]| -> Vec<String> {
        let text = String::from_utf8_lossy(text).into_owned();
        text.lines().filter(|line| !line.contains("pipe:") && !line.starts_with('{')).map(String::from).collect()
    };
    let alike = |lines: Vec<String>| lines.into_iter().filter(|line| !line.starts_with("/proc/")).collect::<Vec<_>>();
    assert_eq!(alike(own(&out.stdout)), alike(own(&plain.stdout)));
}

/// What a shell prints that runs this program with job control: it and the program are one job.
fn in_a_terminal(script: &str) -> Option<String> {
    let out = Command::new("script").args(["-qec", script, "/dev/null"]).stdin(Stdio::null()).output().ok()?;
    Some(String::from_utf8_lossy(&out.stdout).into_owned())
}

fn a_stopped_command_stops_the_tracer_too() {
    let inner = format!("set -m; {BOXWRIGHT} trace -- sh -c 'kill -TSTP $$; echo woken'; jobs; fg; echo status $?");
    let shown = in_a_terminal(&format!("bash --norc -c \"{}\"", inner.replace('$', "\\$"))).unwrap();
    assert!(shown.contains("Stopped") && shown.contains("woken") && shown.contains("status 0"), "{shown}");
}

/// SIGSTOP and SIGCONT are meant for the command; a tracer that stopped as well would never hear of the second.
fn a_command_that_stops_itself_is_woken() {
    // A whole program runs between two SIGCONT: one that came too early would keep the command from stopping at all.
    let script = "while /bin/true; kill -CONT $$ 2>/dev/null; do :; done & kill -STOP $$; echo resumed";
    let (out, events) = timed(&["sh", "-c", script]);
    assert!(String::from_utf8_lossy(&out.stdout).contains("resumed\n"), "{out:?}");
    assert!(ends(&events).iter().all(|end| end["status"] == 0), "{events:?}");
}

/// A process that makes children all the time is killed at any moment, again and again: some child's making is then never
/// reported, and its parent is another process.
fn children_whose_maker_is_killed_go_on() {
    let program = "
import ctypes, os, random, time
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
def reap(flags):
    try:
        while os.waitpid(-1, flags)[0]: pass
    except ChildProcessError: pass
for _ in range(60):
    maker = os.fork()
    while maker == 0:
        child = os.fork()
        if child == 0: os._exit(0)
        os.waitpid(child, 0)
    time.sleep(0.001 + random.random() / 500)
    os.kill(maker, 9)
    os.waitpid(maker, 0)
    reap(os.WNOHANG)
reap(0)
print('reaped all')";
    let (out, events) = timed(&["python3", "-c", program]);
    assert!(String::from_utf8_lossy(&out.stdout).contains("reaped all\n"), "{out:?}");
    let killed = ends(&events).iter().filter(|end| end["signal"] == "SIGKILL").count();
    assert_eq!(killed, 60);
}

/// Runs a command under a tracer that is killed where it takes too long.
fn timed(command: &[&str]) -> (Output, Vec<Value>) {
    let mut tracer = Command::new("timeout");
    tracer.args(["-k", "1", "60", BOXWRIGHT, "trace", "--json", "-o", "&1", "--"]).args(command).stdin(Stdio::null());
    let out = tracer.output().unwrap();
    let events = events(&out.stdout);
    (out, events)
}

/// The first process of a PID namespace can only end when every member of it has been reaped. Here the machine's first
/// process reaps only its own child, as in many containers.
fn what_a_dead_parent_leaves_is_reaped() {
    const CARELESS: &str = "import subprocess, sys; sys.exit(subprocess.Popen(sys.argv[1:]).wait())";
    const COMMAND: &str = "mkfifo told
        unshare -p --fork sh -c 'echo > told; exec sleep 1000' & outside=$!
        read line < told
        first=$(cat /proc/$outside/task/$outside/children)
        nsenter -t $first -p sh -c 'echo > told; exec sleep 1000' & entered=$!
        read line < told
        member=$(cat /proc/$entered/task/$entered/children)
        eval \"$1\"
        kill -9 $first; wait $outside; exit 0";
    // The parent ends before it, or after it without having reaped it.
    for ends in [
        "kill -9 $entered; wait $entered; kill -9 $member",
        "kill -STOP $entered; kill -9 $member; kill -9 $entered; wait $entered",
    ] {
        let dir = tempfile::tempdir().unwrap();
        let out = Command::new("timeout")
            .args(["-s", "KILL", "20", "unshare", "-p", "--fork", "--kill-child", "--mount-proc"])
            .args(["python3", "-c", CARELESS, BOXWRIGHT, "trace", "--", "sh", "-c", COMMAND, "sh", ends])
            .current_dir(&dir)
            .output()
            .unwrap();
        assert_eq!(out.status.code(), Some(0), "{ends}: {}", String::from_utf8_lossy(&out.stderr));
    }
}

fn all_that_is_traced_dies_with_the_tracer() {
    let script = "setsid sleep 91 & unshare -p --fork --mount-proc sh -c 'sleep 90 & echo ready; exec sleep 89'";
    let mut tracer = Command::new(BOXWRIGHT);
    tracer.args(["trace", "--", "sh", "-c", script]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut tracer = tracer.spawn().unwrap();
    // Read until the last program has started, and learn all their PIDs.
    let mut calls = std::io::BufReader::new(tracer.stderr.take().unwrap());
    let mut pids = std::collections::BTreeSet::new();
    let mut line = String::new();
    while pids.len() < 3 {
        line.clear();
        assert!(std::io::BufRead::read_line(&mut calls, &mut line).unwrap() > 0, "it ended before all had started");
        let (pid, rest) = line.split_once(' ').unwrap_or_default();
        if rest.contains(" execve(") && ["\"89\"", "\"90\"", "\"91\""].iter().any(|arg| rest.contains(arg)) {
            pids.insert(pid.parse::<i32>().unwrap());
        }
    }
    let open: Vec<_> = pids.iter().map(|pid| boxwright::kernel::pidfd::open(Pid(*pid)).unwrap()).collect();
    tracer.kill().unwrap();
    tracer.wait().unwrap();
    for process in &open {
        support::wait_for_the_end(process);
    }
}

fn a_tracer_in_a_tracer_says_why_it_sees_nothing() {
    let (out, events) = trace(&[BOXWRIGHT, "trace", "--", "sh", "-c", "exit 4"]);
    assert_eq!(out.status.code(), Some(4));
    let text = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(text.starts_with("boxwright: trace: ptrace(PTRACE_SEIZE): Operation not permitted (EPERM)"), "{text}");
    assert!(text.contains("traces this one already") && text.contains("sh +++ exited with 4 +++"), "{text}");
    assert!(calls(&events, "execve").iter().any(|call| call["args"].as_str().unwrap().contains("/sh\"")));
}

fn without_root() {
    let (_dir, program) = for_everybody();
    let user = ["--reuid", "65534", "--regid", "65534", "--clear-groups"];
    let mut command = Command::new("setpriv");
    command
        .args(user)
        .arg(&program)
        .args(["trace", "--json", "-o", "&1", "--", "unshare", "-r", "true"])
        .current_dir("/");
    let out = command.stdin(Stdio::null()).output().unwrap();
    assert!(out.status.success(), "{out:?}");
    let events = events(&out.stdout);
    assert!(calls(&events, "unshare")[0]["changed"][0].as_str().unwrap().starts_with("user: "));
    let maps: Vec<&Value> = calls(&events, "write").iter().map(|call| &call["changed"][0]).collect();
    assert_eq!(maps, ["uid_map: none -> 0 65534 1", "setgroups: allow -> deny", "gid_map: none -> 0 65534 1"]);
}

fn without_filters_every_call_stops() {
    // A filter that refuses every further one: seccomp(2) answers EINVAL.
    let deny = "import ctypes, os, struct, sys\n\
                number = {'x86_64': 317, 'aarch64': 277}[os.uname().machine]\n\
                code = [(0x20, 0, 0, 0), (0x15, 0, 1, number), (6, 0, 0, 0x50016), (6, 0, 0, 0x7fff0000)]\n\
                program = b''.join(struct.pack('HBBI', *op) for op in code)\n\
                text = ctypes.create_string_buffer(program)\n\
                filter = ctypes.create_string_buffer(struct.pack('HP', len(code), ctypes.addressof(text)))\n\
                libc = ctypes.CDLL(None)\n\
                assert libc.prctl(38, 1, 0, 0, 0) == 0\n\
                assert libc.prctl(22, 2, filter, 0, 0) == 0\n\
                os.execv(sys.argv[1], sys.argv[1:])\n";
    let mut command = Command::new("python3");
    let out = command
        .args(["-c", deny, BOXWRIGHT, "trace", "--json", "-o", "&1", "--", "sh", "-c", "umount /no/such; exit 6"])
        .output()
        .unwrap();
    assert_eq!(out.status.code(), Some(6), "{out:?}");
    let events = events(&out.stdout);
    // Every call stops then; and what fails was not refused by a filter.
    let umount = calls(&events, "umount2");
    assert_eq!((umount.len(), &umount[0]["errno"], &umount[0]["filtered"]), (1, &"ENOENT".into(), &Value::Null));
    assert!(!events.iter().any(|event| event["comm"] == "boxwright" && event["name"] == "seccomp"), "{events:?}");
    assert!(!events.iter().any(|event| event["event"] == "untraced"), "{events:?}");
    assert_eq!(ends(&events).last().unwrap()["status"], 6);
}
