//! Runs of `boxwright trace` and of strace(1), the ground truth, and what both tell alike.

use super::{BOXWRIGHT, theirs};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    process::{Command, Output, Stdio},
};

/// The calls with which programs of this machine make and remove a directory: aarch64 has none without `at` in its name.
pub const DIRECTORIES: (&str, &str) =
    if cfg!(target_arch = "x86_64") { ("mkdir", "rmdir") } else { ("mkdirat", "unlinkat") };

/// The calls that are compared, with a question mark where not every machine has it. Directories and writes are reported only under a cgroup hierarchy, and have a test of
/// their own.
const CALLS: &str = "unshare,setns,?umount,?fork,?vfork,clone,clone3,execve,execveat,mount,umount2,fsopen,fsconfig,fsmount,\
                     move_mount,open_tree,mount_setattr,pivot_root,chroot,sethostname,setdomainname,\
                     capset,prctl,seccomp,setuid,setgid,setreuid,setregid,setresuid,setresgid,setfsuid,setfsgid,\
                     setgroups,?mknod,mknodat,keyctl,bpf,ptrace,fspick,reboot,swapon,swapoff,clock_settime,\
                     settimeofday,adjtimex,clock_adjtime,init_module,finit_module,delete_module,mq_open,mq_unlink";

/// Runs a command under the tracer; its output and the events.
pub fn trace(command: &[&str]) -> (Output, Vec<Value>) {
    let out = Command::new(BOXWRIGHT)
        .args(["trace", "--json", "-o", "&1", "--"])
        .args(command)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let events = events(&out.stdout);
    (out, events)
}

/// The lines that are events; the rest of standard output is the command's own.
pub fn events(stdout: &[u8]) -> Vec<Value> {
    let text = String::from_utf8_lossy(stdout).into_owned();
    text.lines().filter(|line| line.starts_with("{\"event\"")).map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The events of one call.
pub fn calls<'a>(events: &'a [Value], name: &str) -> Vec<&'a Value> {
    events.iter().filter(|event| event["event"] == "syscall" && event["name"] == name).collect()
}

/// The ends of processes.
pub fn ends(events: &[Value]) -> Vec<&Value> {
    events.iter().filter(|event| event["event"] == "exit").collect()
}

/// What each process called, as strace writes it, sorted: PIDs and addresses differ between two runs.
pub fn ours(events: &[Value]) -> Vec<Vec<String>> {
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
pub fn strace(command: &[&str]) -> Vec<Vec<String>> {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("log");
    let filter = format!("trace={CALLS},ioctl");
    let mut strace = Command::new(theirs("strace"));
    strace.args(["-ff", "-qq", "-s", "4096", "--signal=none", "-e", &filter, "-o"]).arg(&log).arg("--").args(command);
    strace.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    sorted(fs::read_dir(dir.path()).unwrap().map(|file| lines(&file.unwrap().path())))
}

fn lines(log: &Path) -> Vec<String> {
    let text = fs::read_to_string(log).unwrap();
    let mut out: Vec<String> = Vec::new();
    let traced = |line: &&str| {
        !line.starts_with("prctl(PR_") || PRCTL.iter().any(|what| line.contains(what)) && !line.contains("_GET_")
    };
    // What strace says of the program's ABI is no call.
    for line in text
        .lines()
        .filter(|line| !line.starts_with("[ Process"))
        .filter(traced)
        // Of ioctls those that change a network interface.
        .filter(|line| !line.starts_with("ioctl(") || line.contains("SIOCSIF"))
        .filter(|line| !line.contains("= ? ERESTART") && !line.contains("CLONE_THREAD"))
    {
        let line = line.replace("ifr_name", "ifname").replace("ifr_flags", "flags");
        let (call, result) = line.rsplit_once(" = ").unwrap();
        let call = call.trim_end();
        let (call, _) = call.split_once(" => ").map_or((call, ""), |(call, more)| (call, more));
        let (name, args) = call.split_once('(').unwrap();
        let args = args.strip_suffix(')').unwrap_or(args);
        // i386 has it still, with one argument.
        let (name, args) = if name == "umount" { ("umount2", format!("{args}, 0")) } else { (name, args.to_string()) };
        let args = args.as_str();
        let result: Vec<&str> = result.split(' ').take(if result.starts_with('-') { 2 } else { 1 }).collect();
        let call = normal(name, args, &result.join(" "));
        // Of a search along PATH only the last attempt is told.
        let program = |call: &str| call.split('"').nth(1).and_then(|path| path.rsplit('/').next()).map(String::from);
        let failed = |last: &String| last.starts_with("execve(") && last.contains("= -1 ");
        if name == "execve" && out.last().is_some_and(|last| failed(last) && program(last) == program(&call)) {
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

/// Of these the number, the order and the end are compared: strace writes structures out, and names of capabilities.
const LOOSE: [&str; 20] = [
    "capset",
    "prctl",
    "seccomp",
    "setuid",
    "setgid",
    "setreuid",
    "setregid",
    "setresuid",
    "setresgid",
    "setfsuid",
    "setfsgid",
    "setgroups",
    "mknod",
    "mknodat",
    "keyctl",
    "bpf",
    "ptrace",
    "reboot",
    "mq_open",
    "mq_unlink",
];

/// What prctl(2) is traced for.
const PRCTL: [&str; 6] = ["KEEPCAPS", "PR_SET_SECCOMP", "CAPBSET_DROP", "SECUREBITS", "NO_NEW_PRIVS", "PR_CAP_AMBIENT"];

fn normal(name: &str, args: &str, result: &str) -> String {
    if LOOSE.contains(&name) {
        let first = args.split([',', ' ']).next().filter(|_| name == "prctl").unwrap_or_default();
        // A new keyring has another number each time.
        let result = if name == "keyctl" && !result.starts_with('-') { "KEY" } else { result };
        return format!("{name}({first}…) = {result}");
    }
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
    // The mask of what can be set of access times, which newer ones of strace give a name.
    let text = text.replace("MOUNT_ATTR__ATIME", "MOUNT_ATTR_NOATIME|MOUNT_ATTR_STRICTATIME|0x…");
    let makes = ["fork", "vfork", "clone", "clone3"].contains(&name) && !result.starts_with('-');
    format!("{name}({text}) = {}", if makes { "PID" } else { result })
}

/// The same where threads take turns as they like: how often each call was made, and how it ended.
#[track_caller]
pub fn as_many(command: &[&str], names: &[&str]) {
    let count = |processes: Vec<Vec<String>>| {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for call in processes.into_iter().flatten() {
            let (name, end) = (call.split('(').next().unwrap(), call.rsplit(" = ").next().unwrap());
            if names.contains(&name) {
                *counts.entry(format!("{name} {}", end.split(' ').next_back().unwrap())).or_default() += 1;
            }
        }
        counts
    };
    let theirs = count(strace(command));
    let (out, events) = trace(command);
    assert_eq!(count(ours(&events)), theirs, "{}", String::from_utf8_lossy(&out.stderr));
    assert!(theirs.len() >= 8, "{theirs:?}");
}

/// Runs a command both ways and compares what each process called.
#[track_caller]
pub fn same(command: &[&str]) {
    let theirs = strace(command);
    let (out, events) = trace(command);
    assert!(!theirs.is_empty(), "strace saw nothing");
    let ours = ours(&events);
    assert_eq!(ours, theirs, "{}", String::from_utf8_lossy(&out.stderr));
}

/// What makes a container with unshare.
pub const BOX: [&str; 6] = ["-imnpu", "--mount-proc", "--fork", "sh", "-c", "hostname box; true"];
