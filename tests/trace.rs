//! `boxwright trace` on real programs. The ground truth for calls is strace(1), one file a process.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod support;

use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    process::{Command, Output, Stdio},
};
use support::{BOXWRIGHT, not_root};

/// The calls that are compared. Directories and writes are reported only under a cgroup hierarchy, and have a test of
/// their own.
const CALLS: &str = "unshare,setns,fork,vfork,clone,clone3,execve,execveat,mount,umount2,fsopen,fsconfig,fsmount,\
                     move_mount,open_tree,mount_setattr,pivot_root,chroot,sethostname,setdomainname";

fn installed(test: &str, program: &str) -> bool {
    let there = std::env::split_paths(&std::env::var_os("PATH").unwrap()).any(|dir| dir.join(program).is_file());
    if !there {
        eprintln!("skipped: {test}: {program} is not installed");
    }
    there
}

/// Runs a command under the tracer; its output and the events.
fn trace(command: &[&str]) -> (Output, Vec<Value>) {
    let out =
        Command::new(BOXWRIGHT).args(["trace", "--json", "--"]).args(command).stdin(Stdio::null()).output().unwrap();
    let events = events(&out.stdout);
    (out, events)
}

/// The lines that are events; the rest of standard output is the command's own.
fn events(stdout: &[u8]) -> Vec<Value> {
    let text = String::from_utf8_lossy(stdout).into_owned();
    text.lines().filter(|line| line.starts_with("{\"event\"")).map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn calls<'a>(events: &'a [Value], name: &str) -> Vec<&'a Value> {
    events.iter().filter(|event| event["event"] == "syscall" && event["name"] == name).collect()
}

fn ends(events: &[Value]) -> Vec<&Value> {
    events.iter().filter(|event| event["event"] == "exit").collect()
}

/// What each process called, as strace writes it, sorted: PIDs and addresses differ between two runs.
fn ours(events: &[Value]) -> Vec<Vec<String>> {
    let mut by_pid: BTreeMap<i64, Vec<String>> = BTreeMap::new();
    let compared = |event: &&Value| event["event"] == "syscall" && event["name"] != "write";
    for event in events.iter().filter(compared) {
        let result = match (event["errno"].as_str(), event["result"].as_i64()) {
            (Some(errno), _) => format!("-1 {errno}"),
            (None, Some(result)) => result.to_string(),
            (None, None) => "?".into(),
        };
        let (name, args) = (event["name"].as_str().unwrap(), event["args"].as_str().unwrap());
        by_pid.entry(event["pid"].as_i64().unwrap()).or_default().push(normal(name, args, &result));
    }
    sorted(by_pid.into_values())
}

/// The same from strace.
fn strace(command: &[&str]) -> Vec<Vec<String>> {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("log");
    let filter = format!("trace={CALLS}");
    let mut strace = Command::new("strace");
    strace.args(["-ff", "-qq", "-s", "4096", "--signal=none", "-e", &filter, "-o"]).arg(&log).arg("--").args(command);
    strace.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    sorted(fs::read_dir(dir.path()).unwrap().map(|file| lines(&file.unwrap().path())))
}

fn lines(log: &Path) -> Vec<String> {
    let text = fs::read_to_string(log).unwrap();
    let mut out: Vec<String> = Vec::new();
    for line in text.lines().filter(|line| !line.contains("= ? ERESTART") && !line.contains("CLONE_THREAD")) {
        let (call, result) = line.rsplit_once(" = ").unwrap();
        let call = call.trim_end();
        let (call, _) = call.split_once(" => ").map_or((call, ""), |(call, more)| (call, more));
        let (name, args) = call.split_once('(').unwrap();
        let args = args.strip_suffix(')').unwrap_or(args);
        let result: Vec<&str> = result.split(' ').take(if result.starts_with('-') { 2 } else { 1 }).collect();
        let call = normal(name, args, &result.join(" "));
        // Of a search along PATH only the last attempt is told.
        if name == "execve" && out.last().is_some_and(|last| last.starts_with("execve") && last.contains("= -1 ")) {
            out.pop();
        }
        out.push(call);
    }
    out
}

fn sorted(processes: impl Iterator<Item = Vec<String>>) -> Vec<Vec<String>> {
    let mut all: Vec<Vec<String>> = processes.filter(|calls| !calls.is_empty()).collect();
    all.sort();
    all
}

fn normal(name: &str, args: &str, result: &str) -> String {
    let mut text = String::new();
    let mut rest = args;
    while let Some(at) = rest.find("0x") {
        text += &rest[..at];
        let digits = &rest[at + 2..];
        rest = digits.trim_start_matches(|c: char| c.is_ascii_hexdigit());
        text += "0x…";
    }
    text += rest;
    // The runtime's own temporary name.
    if let Some((before, after)) = text.clone().split_once("/tmp/crun.") {
        text = format!("{before}/tmp/crun.…{}", after.trim_start_matches(|c: char| c.is_ascii_alphanumeric()));
    }
    // strace looks at this after the call, we before it.
    if let Some((before, after)) = text.clone().split_once("parent_tid=[") {
        text = format!("{before}parent_tid=0x…{}", after.split_once(']').unwrap().1);
    }
    let makes = ["fork", "vfork", "clone", "clone3"].contains(&name) && !result.starts_with('-');
    format!("{name}({text}) = {}", if makes { "PID" } else { result })
}

/// Runs a command both ways and compares what each process called.
#[track_caller]
fn same(test: &str, command: &[&str]) {
    if not_root(test) || !installed(test, "strace") || !installed(test, command[0]) {
        return;
    }
    let theirs = strace(command);
    let (out, events) = trace(command);
    assert!(!theirs.is_empty(), "strace saw nothing");
    let ours = ours(&events);
    assert_eq!(ours, theirs, "{}", String::from_utf8_lossy(&out.stderr));
}

const BOX: [&str; 6] = ["-imnpu", "--mount-proc", "--fork", "sh", "-c", "hostname box; true"];

#[test]
fn the_distributions_unshare() {
    same("the_distributions_unshare", &[&["unshare"], &BOX[..]].concat());
}

#[test]
fn our_own_unshare() {
    same("our_own_unshare", &[&[BOXWRIGHT, "unshare"], &BOX[..]].concat());
}

#[test]
fn bubblewrap() {
    let command = ["bwrap", "--unshare-all", "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "true"];
    same("bubblewrap", &command);
}

/// The runtime refuses a machine where both cgroup versions are mounted, so it runs where the newer one is not.
#[test]
fn a_container_runtime() {
    let test = "a_container_runtime";
    if not_root(test) || !installed(test, "crun") {
        return;
    }
    let bundle = tempfile::tempdir().unwrap();
    let path = bundle.path().display();
    let spec = Command::new("crun").arg("spec").current_dir(&bundle).status().unwrap();
    assert!(spec.success());
    let file = bundle.path().join("config.json");
    let mut config: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    config["process"]["terminal"] = false.into();
    config["process"]["args"] = serde_json::json!(["/bin/true"]);
    config["linux"].as_object_mut().unwrap().remove("resources");
    config["mounts"] = serde_json::json!([{ "destination": "/proc", "type": "proc", "source": "proc" }]);
    fs::write(&file, config.to_string()).unwrap();
    fs::create_dir_all(bundle.path().join("rootfs")).unwrap();
    let name = format!("boxwright-test-{}", std::process::id());
    let script = format!(
        "umount /sys/fs/cgroup/unified 2>/dev/null; mount --bind / {path}/rootfs; \
         exec crun --root {path}/state --cgroup-manager=disabled run --bundle {path} {name}"
    );
    let command = ["unshare", "-m", "sh", "-c", &script];
    if !Command::new(command[0]).args(&command[1..]).stdin(Stdio::null()).status().unwrap().success() {
        return eprintln!("skipped: {test}: crun does not run here even untraced");
    }
    same(test, &command);
}

#[test]
fn fifty_processes_at_once() {
    let script = "i=0; while [ $i -lt 50 ]; do (:) & i=$((i+1)); done; wait";
    same("fifty_processes_at_once", &["sh", "-c", script]);
}

#[test]
fn double_forks_and_orphans() {
    let script = "(sh -c 'sh -c \"exec true\" & exec true' &) ; (exec nosuch) ; exec sh -c 'exit 7'";
    same("double_forks_and_orphans", &["sh", "-c", script]);
}

#[test]
fn a_program_started_by_another_thread() {
    let program =
        "import os, threading; threading.Thread(target=os.execv, args=('/bin/echo', ['echo', 'done'])).start()";
    let test = "a_program_started_by_another_thread";
    if not_root(test) || !installed(test, "python3") {
        return;
    }
    let (out, events) = trace(&["python3", "-c", program]);
    assert_eq!((out.status.code(), String::from_utf8_lossy(&out.stdout).contains("done\n")), (Some(0), true));
    let started = calls(&events, "execve");
    let last = started.last().unwrap();
    assert!(last["args"].as_str().unwrap().starts_with("\"/bin/echo\", [\"echo\", \"done\"]"), "{last}");
    assert_ne!(last["pid"], started[0]["pid"], "the thread that made the call");
    let ends = ends(&events);
    assert_eq!((&ends.last().unwrap()["comm"], &ends.last().unwrap()["status"]), (&"echo".into(), &0.into()));
    assert!(calls(&events, "clone3").is_empty(), "a thread is no process");
}

#[test]
fn every_kind_of_argument() {
    if !Path::new("/usr/bin/python3").exists() {
        return eprintln!("skipped: every_kind_of_argument: python3 is not installed");
    }
    // The calls happen in namespaces of their own; most of them fail, which must be told alike as well.
    let probe = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/calls.py");
    same("every_kind_of_argument", &["unshare", "-mun", "/usr/bin/python3", probe]);
}

#[test]
fn what_changed_is_told() {
    if not_root("what_changed_is_told") || !installed("what_changed_is_told", "unshare") {
        return;
    }
    let (_, events) = trace(&[&["unshare"], &BOX[..]].concat());
    let changed = |name: &str| -> Vec<String> {
        let call = calls(&events, name)[0]["changed"].as_array().unwrap();
        call.iter().map(|change| change.as_str().unwrap().to_string()).collect()
    };
    let unshare = changed("unshare");
    let what: Vec<&str> = unshare.iter().map(|change| change.split_once(": ").unwrap().0).collect();
    assert_eq!(what, ["ipc", "uts", "net", "mnt", "pid_for_children"]);
    assert!(unshare[4].ends_with(" -> none"), "no process is in it yet: {unshare:?}");
    let clone = changed("clone");
    let child: i64 = clone[0].strip_prefix("child: none -> ").unwrap().parse().unwrap();
    assert!(calls(&events, "mount").iter().all(|mount| mount["pid"] == child), "the host's number");
    assert!(clone[1].starts_with("pid: ") && clone[2].starts_with("pid_for_children: none -> "), "{clone:?}");
    let mounted: Vec<&Value> = calls(&events, "mount");
    assert_eq!(mounted[1]["changed"][0], "mount /proc: none -> proc");
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    assert_eq!(changed("sethostname"), [format!("hostname: {} -> box", host.trim())]);
}

/// Control groups are made in a hierarchy of this machine, below a name of our own, and removed again.
#[test]
fn control_groups_and_maps() {
    let test = "control_groups_and_maps";
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
    let pids = mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    let pids = pids.filter(|mount| mount[2].starts_with("cgroup")).find_map(|mount| {
        let options = mount[3].split(',').any(|option| option == "pids");
        let controllers = fs::read_to_string(format!("{}/cgroup.controllers", mount[1])).unwrap_or_default();
        (options || controllers.split_whitespace().any(|name| name == "pids")).then(|| mount[1].to_string())
    });
    let Some(pids) = pids.filter(|_| !not_root(test)) else { return eprintln!("skipped: {test}: no pids controller") };
    let name = format!("boxwright-trace-{}", std::process::id());
    let script = format!(
        "mkdir /tmp/{name}; rmdir /tmp/{name}; cd {pids}; mkdir {name}; \
         echo 77 > {name}/pids.max; sh -c 'echo $$ > {name}/cgroup.procs'; echo noise > /dev/null; rmdir {pids}/{name}; \
         unshare -U sh -c 'read x; true' < /dev/null; unshare --map-root-user true"
    );
    let (out, events) = trace(&["sh", "-c", &script]);
    let told = |name: &str| -> Vec<(String, String)> {
        let text = |value: &Value| value.to_string();
        calls(&events, name).iter().map(|call| (text(&call["args"]), text(&call["changed"]))).collect()
    };
    assert_eq!(told("mkdir").len(), 1, "only those of control groups: {:?}", told("mkdir"));
    assert!(told("mkdir")[0].1.contains(&format!("cgroup {name}: none -> made")), "{:?}", told("mkdir"));
    assert!(told("rmdir")[0].1.contains(&format!("cgroup {name}: empty -> none")), "{:?}", told("rmdir"));
    let writes = told("write");
    let find = |part: &str| writes.iter().find(|(args, _)| args.contains(part)).cloned().unwrap_or_default();
    assert!(find("77\\\\n").1.contains("pids.max: max -> 77"), "{writes:?}\n{out:?}");
    assert!(find("deny").1.contains("setgroups: allow -> deny"), "{writes:?}");
    assert!(find("0 0 1").1.contains("_map: none -> 0 0 1"), "{writes:?}");
    assert!(!writes.iter().any(|(args, _)| args.contains("noise")), "{writes:?}");
    assert!(!Path::new(&pids).join(&name).exists());
}

#[test]
fn a_missing_program_and_bad_usage() {
    let run = |args: &[&str]| Command::new(BOXWRIGHT).arg("trace").args(args).stdin(Stdio::null()).output().unwrap();
    let missing = run(&["--", "nosuch"]);
    assert_eq!(missing.status.code(), Some(127));
    let text = String::from_utf8_lossy(&missing.stderr).into_owned();
    assert_eq!(text, "boxwright: trace: nosuch: No such file or directory (ENOENT)\n");
    assert_eq!(run(&["--", "/"]).status.code(), Some(126));
    assert_eq!(run(&["--"]).status.code(), Some(2));
    assert_eq!(run(&["--nosuch", "--", "true"]).status.code(), Some(2));
}

#[test]
fn a_search_that_fails_is_told_once() {
    if not_root("a_search_that_fails_is_told_once") {
        return;
    }
    let (out, events) = trace(&["env", "PATH=/nosuch:/usr/nosuch:/var/nosuch", "nosuch"]);
    assert_eq!(out.status.code(), Some(127));
    let failed: Vec<&Value> = calls(&events, "execve").into_iter().filter(|call| call["errno"] == "ENOENT").collect();
    assert_eq!(failed.len(), 1, "{failed:?}");
}

#[test]
fn the_exit_status_is_the_commands() {
    if not_root("the_exit_status_is_the_commands") {
        return;
    }
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

#[test]
fn uninteresting_calls_change_nothing() {
    if not_root("uninteresting_calls_change_nothing") {
        return;
    }
    let (out, events) = trace(&["dd", "if=/dev/zero", "of=/dev/null", "bs=1", "count=150000"]);
    assert!(out.status.success());
    assert_eq!(events.len(), 2, "its start and its end: {events:?}");
}

#[test]
fn the_command_inherits_nothing_of_the_tracers() {
    if not_root("the_command_inherits_nothing_of_the_tracers") {
        return;
    }
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

#[test]
fn a_stopped_command_stops_the_tracer_too() {
    let test = "a_stopped_command_stops_the_tracer_too";
    if not_root(test) || !installed(test, "script") || !installed(test, "bash") {
        return;
    }
    let inner = format!("set -m; {BOXWRIGHT} trace -- sh -c 'kill -TSTP $$; echo woken'; jobs; fg; echo status $?");
    let shown = in_a_terminal(&format!("bash --norc -c \"{}\"", inner.replace('$', "\\$"))).unwrap();
    assert!(shown.contains("Stopped") && shown.contains("woken") && shown.contains("status 0"), "{shown}");
}

#[test]
fn everybody_dies_with_the_tracer() {
    let test = "everybody_dies_with_the_tracer";
    if not_root(test) || !installed(test, "unshare") {
        return;
    }
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
    let open: Vec<_> = pids.iter().map(|pid| boxwright::kernel::pidfd::open(*pid).unwrap()).collect();
    tracer.kill().unwrap();
    tracer.wait().unwrap();
    for process in &open {
        support::wait_for_the_end(process);
    }
}

#[test]
fn a_tracer_in_a_tracer_says_why_it_sees_nothing() {
    if not_root("a_tracer_in_a_tracer_says_why_it_sees_nothing") {
        return;
    }
    let (out, events) = trace(&[BOXWRIGHT, "trace", "--", "sh", "-c", "exit 4"]);
    assert_eq!(out.status.code(), Some(4));
    let text = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(text.starts_with("boxwright: trace: ptrace(PTRACE_SEIZE): Operation not permitted (EPERM)"), "{text}");
    assert!(text.contains("traces this one already") && text.contains("sh +++ exited with 4 +++"), "{text}");
    assert!(calls(&events, "execve").iter().any(|call| call["args"].as_str().unwrap().contains("/sh\"")));
}

#[test]
fn without_root() {
    let test = "without_root";
    if not_root(test) || !installed(test, "setpriv") || !installed(test, "unshare") {
        return;
    }
    // The program is put where everybody may run it.
    let dir = tempfile::tempdir_in("/tmp").unwrap();
    fs::set_permissions(dir.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let program = dir.path().join("boxwright");
    fs::copy(BOXWRIGHT, &program).unwrap();
    let user = ["--reuid", "65534", "--regid", "65534", "--clear-groups"];
    let mut command = Command::new("setpriv");
    command.args(user).arg(&program).args(["trace", "--json", "--", "unshare", "-r", "true"]).current_dir("/");
    let out = command.stdin(Stdio::null()).output().unwrap();
    if !Command::new("setpriv").args(user).args(["unshare", "-r", "true"]).status().unwrap().success() {
        return eprintln!("skipped: {test}: users may not make user namespaces here");
    }
    assert!(out.status.success(), "{out:?}");
    let events = events(&out.stdout);
    assert!(calls(&events, "unshare")[0]["changed"][0].as_str().unwrap().starts_with("user: "));
    let maps: Vec<&Value> = calls(&events, "write").iter().map(|call| &call["changed"][0]).collect();
    assert_eq!(maps, ["uid_map: none -> 0 65534 1", "setgroups: allow -> deny", "gid_map: none -> 0 65534 1"]);
}

#[test]
fn without_filters_the_command_still_runs() {
    let test = "without_filters_the_command_still_runs";
    if not_root(test) || !installed(test, "python3") {
        return;
    }
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
    let out = command.args(["-c", deny, BOXWRIGHT, "trace", "--json", "--", "sh", "-c", "exit 6"]).output().unwrap();
    assert_eq!(out.status.code(), Some(6), "{out:?}");
    let events = events(&out.stdout);
    assert!(
        events[0]["event"] == "untraced" && events[0]["reason"].as_str().unwrap().starts_with("seccomp("),
        "{events:?}"
    );
    assert_eq!(ends(&events)[0]["status"], 6);
}
