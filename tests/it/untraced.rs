//! `boxwright untraced`: a command without a tracer, asked for by a process that has one.

use crate::harness::{Test, tests};
use crate::support::traced::{events, trace};
use crate::support::{BOXWRIGHT, for_everybody};
use serde_json::Value;
use std::{
    fs,
    io::Read,
    os::unix::fs::PermissionsExt,
    process::{Child, Command, Output, Stdio},
};

pub fn tests() -> Vec<Test> {
    tests![
        a_tracer_runs_in_a_tracer: [Root, Tool("strace")],
        it_is_a_process_like_the_one_that_asks: [Root, Tool("unshare")],
        it_is_in_the_same_control_groups: [Root, Controller("pids")],
        its_status_and_its_mistakes_are_those_of_the_command: [Root],
        without_a_tracer_it_is_the_command,
        a_filter_of_its_own_is_not_escaped: [Root, Tool("python3")],
        it_gives_no_more_rights: [Root, Tool("setpriv")],
        set_user_id_programs_keep_their_privilege: [Root, Tool("setpriv")],
        a_user_in_namespaces_of_their_own: [Root, Tool("setpriv"), Tool("unshare"), UserNamespaces],
        signals_are_passed_on: [Root, Tool("timeout")],
        it_has_a_terminal_of_its_own: [Root, Tool("script"), Tool("bash")],
        nothing_of_it_outlives_the_tracer: [Root, Tool("setsid")],
    ]
}

/// Runs a shell's line under the tracer, where `$B` is this program.
fn shell(line: &str) -> (Output, Vec<Value>) {
    trace(&["env", &format!("B={BOXWRIGHT}"), "sh", "-c", line])
}

fn printed(out: &Output) -> String {
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    text.lines().filter(|line| !line.starts_with("{\"event\"")).map(|line| format!("{line}\n")).collect()
}

fn said(out: &Output) -> String {
    String::from_utf8_lossy(&out.stderr).into_owned()
}

fn a_tracer_runs_in_a_tracer() {
    let (out, events) = shell("$B untraced strace -f -e trace=unshare unshare -u true");
    assert!(out.status.success() && said(&out).contains("unshare(CLONE_NEWUTS)"), "{out:?}");
    let notes: Vec<&Value> =
        events.iter().filter(|event| event["event"] == "note").map(|event| &event["text"]).collect();
    let note = "runs untraced: strace -f -e trace=unshare unshare -u true (its calls are not shown, and the guard does not \
                see them)";
    assert_eq!(notes, [note]);
    assert!(!events.iter().any(|event| event["name"] == "unshare"), "its calls are not shown: {events:?}");
}

fn it_is_a_process_like_the_one_that_asks() {
    let look = "pwd; umask; echo $X; cat <&5; echo file >&6; readlink /proc/self/root /proc/self/ns/uts /proc/self/ns/pid \
                /proc/self/ns/mnt /proc/self/ns/ipc /proc/self/ns/net; hostname; grep -E 'Cap|Uid|Groups' /proc/self/status";
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().display();
    let inside = format!(
        "mount -t tmpfs box /mnt; hostname box; cd /usr/bin; umask 027; export X=\"a  b'c\n d\"; exec 6>{path}/out; \
         sh -c \"$1\" 5</etc/hostname >/mnt/one; \"$B\" untraced sh -c \"$1\" 5</etc/hostname >/mnt/other; \
         diff /mnt/one /mnt/other && wc -l < /mnt/one; \"$B\" untraced readlink /proc/self"
    );
    let (out, _) =
        shell(&format!("exec unshare -fpmui --mount-proc sh -c '{}' sh \"{look}\"", inside.replace('\'', "'\\''")));
    let text = printed(&out);
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines.len() == 2 && lines[0].parse::<u32>().is_ok_and(|count| count > 15), "{text} {out:?}");
    assert!(lines[1].parse::<u32>().unwrap() < 100, "its number is that of the PID namespace: {text}");
    assert_eq!(fs::read_to_string(dir.path().join("out")).unwrap(), "file\nfile\n");
}

fn it_is_in_the_same_control_groups() {
    let name = format!("boxwright-untraced-{}", std::process::id());
    let group = format!("pids:{name}");
    let line = format!(
        "$B cgcreate -g {group} && $B cgexec -g {group} $B untraced grep -c {name} /proc/self/cgroup; \
         $B cgdelete -g {group}"
    );
    let (out, _) = shell(&line);
    assert_eq!(printed(&out), "1\n", "{out:?}");
}

fn its_status_and_its_mistakes_are_those_of_the_command() {
    let status = |line: &str| shell(line).0.status.code();
    assert_eq!(status("exec $B untraced sh -c 'exit 7'"), Some(7));
    assert_eq!(status("exec $B untraced sh -c 'kill -TERM $$'"), Some(143));
    let (out, _) = shell("exec $B untraced /no/such 'a b'");
    assert_eq!(out.status.code(), Some(125));
    assert_eq!(said(&out), "boxwright: untraced: /no/such: No such file or directory (ENOENT)\n");
    let (out, _) = shell("exec $B untraced printf '%s.\\n' 'a b' '' -x");
    assert_eq!(printed(&out), "a b.\n.\n-x.\n");
}

fn without_a_tracer_it_is_the_command() {
    let run = |args: &[&str]| Command::new(BOXWRIGHT).arg("untraced").args(args).stdin(Stdio::null()).output().unwrap();
    let out = run(&["sh", "-c", "echo $PPID; exit 3"]);
    assert_eq!((printed(&out), out.status.code()), (format!("{}\n", std::process::id()), Some(3)));
    assert_eq!(run(&["/no/such"]).status.code(), Some(127));
    assert_eq!(run(&["/"]).status.code(), Some(126));
}

fn a_filter_of_its_own_is_not_escaped() {
    // seccomp(SECCOMP_SET_MODE_FILTER) with a filter that allows all.
    let filtered = "import ctypes, os, struct, sys\n\
                    text = ctypes.create_string_buffer(struct.pack('HBBI', 6, 0, 0, 0x7fff0000))\n\
                    filter = ctypes.create_string_buffer(struct.pack('HP', 1, ctypes.addressof(text)))\n\
                    assert ctypes.CDLL(None).prctl(22, 2, filter, 0, 0) == 0\n\
                    os.execv(sys.argv[1], sys.argv[1:])\n";
    let (out, _) = trace(&["python3", "-c", filtered, BOXWRIGHT, "untraced", "echo", "free"]);
    assert_eq!((out.status.code(), printed(&out).as_str()), (Some(125), ""), "{out:?}");
    assert!(said(&out).contains("Operation not permitted (EPERM)\n  a process with its own seccomp filter"), "{out:?}");
}

fn it_gives_no_more_rights() {
    let (_dir, program) = for_everybody();
    let program = program.to_str().unwrap();
    let user = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"];
    let fewer = ["setpriv", "--bounding-set", "-chown", "--inh-caps", "-chown"];
    for who in [&user[..], &fewer[..]] {
        let (out, _) = trace(&[who, &[program, "untraced", "id", "-u"]].concat());
        assert_eq!((out.status.code(), printed(&out).as_str()), (Some(125), ""), "{out:?}");
        assert!(said(&out).contains("it would have other rights than you: "), "{out:?}");
    }
}

/// What a command prints that a user runs below the tracer.
fn by_a_user(command: &[&str]) -> Output {
    let (dir, program) = for_everybody();
    let id = dir.path().join("asroot");
    fs::copy("/usr/bin/id", &id).unwrap();
    fs::set_permissions(&id, PermissionsExt::from_mode(0o4755)).unwrap();
    Command::new("setpriv")
        .args(["--reuid", "65534", "--regid", "65534", "--clear-groups"])
        .arg(&program)
        .args(["trace", "-o", "/dev/null", "--"])
        .args(command)
        .env("B", &program)
        .env("ID", &id)
        .current_dir("/")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn set_user_id_programs_keep_their_privilege() {
    let out = by_a_user(&["sh", "-c", "$ID -u; $B untraced $ID -u; $B untraced $ID -ru"]);
    assert_eq!(printed(&out), "65534\n0\n65534\n", "{out:?}");
}

fn a_user_in_namespaces_of_their_own() {
    let inside = "hostname box; $B untraced sh -c 'hostname; id -u; grep CapEff /proc/self/status; echo $$'; \
                  grep CapEff /proc/self/status";
    let out = by_a_user(&["unshare", "-rupmf", "--mount-proc", "sh", "-c", inside]);
    let text = printed(&out);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(&lines[..2], ["box", "0"], "{out:?}");
    assert_eq!((lines[2], lines[3].len()), (lines[4], 1), "{text}");
}

fn signals_are_passed_on() {
    let (out, _) = shell(
        "timeout -s USR1 --preserve-status 1 $B untraced sh -c 'trap \"echo got; exit 4\" USR1; while :; \
                          do sleep 0.05; done'; echo $?",
    );
    assert_eq!(printed(&out), "got\n4\n", "{out:?}");
    // A killed one hangs up.
    let (out, _) = shell(
        "timeout -s KILL 1 $B untraced sh -c 'trap \"echo hung up >&2; exit\" HUP; while :; do \
                          sleep 0.05; done'; $B untraced sleep 0.5",
    );
    assert!(said(&out).contains("hung up"), "{out:?}");
}

fn it_has_a_terminal_of_its_own() {
    let inner = "trap 'echo interrupted; exit 9' INT; tty; stty size; test -t 2 && echo terminal; kill -INT 0; sleep 9";
    let line =
        format!("stty rows 33 cols 77; tty; {BOXWRIGHT} trace -o /dev/null -- {BOXWRIGHT} untraced sh -c \"$L\"");
    let out = Command::new("script")
        .args(["-qec", &line, "/dev/null"])
        .env("L", inner)
        .env("SHELL", "/bin/bash")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    // script(1) says so that its own input has ended.
    let text = printed(&out).replace(['\r', '\0'], "").replace("^@", "");
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("/dev/") && lines[1].starts_with("/dev/") && lines[0] != lines[1], "{text}");
    assert_eq!(&lines[2..], ["33 77", "terminal", "interrupted"], "{text}");
    assert_eq!(out.status.code(), Some(9));
    // A pipeline uses the terminal that there is; and what was typed arrives.
    let typed =
        format!("printf 'typed\\n' | script -qec \"{BOXWRIGHT} trace -o /dev/null -- {BOXWRIGHT} untraced head -1\"");
    let out = Command::new("sh").args(["-c", &format!("{typed} /dev/null")]).output().unwrap();
    assert!(printed(&out).replace('\r', "").ends_with("typed\n"), "{out:?}");
}

/// The tracer of a command that leaves two processes behind: one in its own session, and one that is not waited for.
fn leaves() -> (Child, Vec<String>) {
    let line = format!(
        "{BOXWRIGHT} untraced sh -c 'setsid sleep 1000 >/dev/null 2>&1 & (sleep 1000 >/dev/null 2>&1 & echo $!); echo $!; \
         echo $$; exec >/dev/null 2>&1; sleep 1000'"
    );
    let mut tracer = Command::new(BOXWRIGHT)
        .args(["trace", "-o", "/dev/null", "--", "sh", "-c", &line])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut text = String::new();
    let mut out = tracer.stdout.take().unwrap();
    let mut byte = [0];
    while text.matches('\n').count() < 3 && out.read(&mut byte).unwrap() == 1 {
        text.push(char::from(byte[0]));
    }
    let pids: Vec<String> = text.lines().map(String::from).collect();
    assert_eq!(pids.len(), 3, "{text}");
    (tracer, pids)
}

fn nothing_of_it_outlives_the_tracer() {
    use boxwright::kernel::pidfd;
    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
    use std::os::fd::AsFd;
    for (signal, whom) in [("TERM", "tracer"), ("KILL", "tracer"), ("KILL", "supervisor")] {
        let (mut tracer, pids) = leaves();
        let open: Vec<_> = pids.iter().map(|pid| pidfd::open(pid.parse().unwrap()).unwrap()).collect();
        let supervisor = || boxwright::kernel::process::read(pids[2].parse().unwrap()).unwrap().ppid.to_string();
        let target = if whom == "tracer" { tracer.id().to_string() } else { supervisor() };
        assert!(Command::new("kill").args([format!("-{signal}"), target]).status().unwrap().success());
        tracer.wait().unwrap();
        for (process, pid) in open.iter().zip(&pids) {
            let ended = poll(&mut [PollFd::new(process.as_fd(), PollFlags::POLLIN)], PollTimeout::from(5000u16));
            assert_eq!(ended, Ok(1), "{pid} of {pids:?} lives on after SIG{signal} of the {whom}");
        }
    }
    // What it leaves behind ends with the traced command, too.
    let (out, _) = shell("$B untraced sh -c 'setsid sleep 1000 >/dev/null 2>&1 & echo $!'");
    let pid = printed(&out);
    let state = fs::read_to_string(format!("/proc/{}/stat", pid.trim()));
    assert!(state.as_ref().map_or(true, |stat| stat.contains(") Z ")), "{pid} {state:?}");
    assert!(events(&out.stdout).iter().any(|event| event["event"] == "exit"));
}
