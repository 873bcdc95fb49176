//! The tools of the first lesson beside the distribution's, with the same arguments, on a real kernel: the same exit
//! status, the same system calls in the same order, the same facts on the screen.

use crate::harness::{Test, tests};
use crate::support::tools::{inside, run, text, words};
use crate::support::{BOXWRIGHT, for_everybody, ours, theirs};
use std::{
    fs,
    os::unix::process::ExitStatusExt,
    path::Path,
    process::{Command, Output},
};

pub fn tests() -> Vec<Test> {
    tests![
        unshare_makes_the_calls_of_util_linux_in_its_order: [Root, Tool("strace"), Tool("unshare")],
        mount_and_umount_make_the_calls_of_util_linux: [Root, Tool("strace"), Tool("mount"), Tool("unshare")],
        statuses_and_signals_are_the_distributions: [Root, Tool("unshare"), Tool("mount"), Tool("umount"), Tool("hostname"), Tool("ps"), Tool("ip"), Tool("ipcmk"), Tool("ipcrm"), Tool("ipcs"), Tool("nc")],
        a_user_who_may_not_is_told_why: [Root, Tool("setpriv")],
        ps_shows_what_procps_shows: [Root, Tool("ps"), Tool("unshare")],
        ps_tells_when_a_process_began_as_procps_tells_it: [Tool("ps")],
        ps_is_not_disturbed_by_processes_that_vanish,
        system_v_objects_are_made_listed_and_removed: [Root, Tool("ipcs"), Tool("unshare")],
        a_closed_pipe_ends_a_tool_quietly,
        both_ways_to_call_a_tool_are_the_same,
    ]
}

/// Both tools end with the same status or signal, and ours says at least one line where it fails.
fn same_end(args: &'static str) {
    let (bin, list) = (ours(), words(args));
    let (mine, other) = (run(&bin.path().join(list[0]), &list[1..]), run(&theirs(list[0]), &list[1..]));
    let end = |output: &Output| (output.status.code(), output.status.signal());
    assert_eq!(end(&mine), end(&other), "{args}: {} / {}", text(&mine.stderr), text(&other.stderr));
    if mine.status.code() != Some(0) && !other.stderr.is_empty() {
        let said = text(&mine.stderr);
        assert!(said.starts_with(&format!("{}: ", list[0])) && said.ends_with('\n'), "{args}: {said:?}");
    }
}

const TRACED: &str = "unshare,setns,clone,clone3,fork,vfork,mount,umount2,fsopen,chroot,pivot_root,sethostname,execve,\
                      prctl,msgget,semget,shmget,msgctl,shmctl,semctl";

/// The calls of a command line by strace, without addresses and process numbers; forks are `fork`, and execve shows the
/// program's own name alone. The execve of the tool itself is left out.
fn calls(program: &Path, args: &[&str]) -> Vec<String> {
    let strace = theirs("strace");
    let log = tempfile::NamedTempFile::new().unwrap();
    let output = Command::new(strace)
        .args(["-f", "-qq", "-e", &format!("trace={TRACED}"), "-e", "signal=none", "-o"])
        .arg(log.path())
        .arg(program)
        .args(args)
        .env("LC_ALL", "C")
        .output()
        .unwrap();
    let log = fs::read_to_string(log.path()).unwrap();
    assert!(!log.is_empty(), "strace: {output:?}");
    let call = |line: &str| {
        // Where another process was told of in between, the rest of the call stands in a line of its own.
        let line = line.trim_end_matches(" <unfinished ...>");
        let (name, rest) = line.split_once(' ')?.1.trim_start().split_once('(')?;
        let done = rest.rsplit_once(" = ").map_or(rest, |(call, _)| call).trim_end().trim_end_matches(')');
        let failed = rest.rsplit_once(" = -1 ").map(|(_, why)| format!(" {}", words(why)[0])).unwrap_or_default();
        match name {
            "clone" | "clone3" | "fork" | "vfork" => Some(format!("fork{failed}")),
            // The search along the PATH depends on where the tool was found.
            "execve" if failed == " ENOENT" => None,
            "execve" => Some(format!("execve {}{failed}", done.split(", [").nth(1)?.split(']').next()?)),
            "prctl" if !done.contains("PDEATHSIG") => None,
            _ => Some(format!("{name} {done}{failed}")),
        }
    };
    log.lines().filter(|line| !line.contains("resumed>")).filter_map(call).skip(1).collect()
}

fn same_calls(args: &[&'static str]) {
    let mine = calls(&ours().path().join(args[0]), &args[1..]);
    let other = calls(&theirs(args[0]), &args[1..]);
    assert_eq!(mine, other, "{args:?}");
}

fn unshare_makes_the_calls_of_util_linux_in_its_order() {
    let lines: [&[&str]; 12] = [
        &["unshare", "-imnpu", "--mount-proc", "--fork", "true"],
        &[
            "unshare",
            "--ipc",
            "--mount",
            "--net",
            "--pid",
            "--uts",
            "--cgroup",
            "--mount-proc",
            "-f",
            "sh",
            "-c",
            "true",
        ],
        &["unshare", "-p", "true"],
        &["unshare", "true"],
        &["unshare", "-r", "true"],
        &["unshare", "-rf", "true"],
        &["unshare", "-cUm", "--", "true"],
        &["unshare", "-m", "--propagation", "unchanged", "true"],
        &["unshare", "-m", "--propagation=slave", "--mount-proc", "-pf", "true"],
        &["unshare", "-pf", "--kill-child=TERM", "true"],
        &["unshare", "-T", "-f", "true"],
        &["unshare", "-m", "-R", "/", "-w", "/tmp", "true"],
    ];
    lines.iter().for_each(|line| same_calls(line));
}

fn mount_and_umount_make_the_calls_of_util_linux() {
    let script = "mount -t tmpfs box /mnt && mkdir /mnt/a /mnt/b && mount --bind /mnt/a /mnt/b && \
                  mount --make-rshared /mnt && mount --make-private /mnt/b && umount /mnt/b && \
                  mount -t tmpfs -o size=1m,nosuid,mode=700 box /mnt/a && umount -l /mnt/a && \
                  mount -o remount,ro /mnt && mount --rbind /mnt /srv && umount -R /srv && umount -l /mnt";
    let made = |bin: Option<&Path>| {
        let log = tempfile::NamedTempFile::new().unwrap();
        let traced =
            format!("strace -f -qq -e trace=mount,umount2 -e signal=none -o {} sh -c '{script}'", log.path().display());
        // Since util-linux 2.39 its mount has a newer way as well, with one call for each option.
        let output = inside("-mp", &format!("export LIBMOUNT_FORCE_MOUNT2=always; {traced}"), bin);
        assert!(output.status.success(), "{}", text(&output.stderr));
        let log = fs::read_to_string(log.path()).unwrap();
        // A mount without data may have a null pointer or an empty text there; without a type it may be either, too.
        let call = |line: &str| line.split_once(' ').map(|(_, call)| blank_type(call.trim())).unwrap();
        log.lines().map(call).collect::<Vec<_>>()
    };
    let (mine, other) = (made(Some(ours().path())), made(None));
    assert_eq!(mine, other);
}

/// util-linux passes an arbitrary address as the type where mount(2) ignores it, and NULL for no source.
fn blank_type(call: &str) -> String {
    let Some(rest) = call.strip_prefix("mount(") else { return call.to_string() };
    let fields: Vec<&str> = rest.split(", ").collect();
    let kind = if fields[2].starts_with("0x") { "NULL" } else { fields[2] };
    format!("mount({}, {}, {kind}, {}", fields[0], fields[1], fields[3..].join(", "))
}

fn statuses_and_signals_are_the_distributions() {
    for line in [
        "unshare --frob",
        "unshare -Z",
        "unshare -m --propagation frob true",
        "unshare --kill-child=FROB true",
        "unshare /nonexistent",
        "unshare /etc/passwd",
        "unshare -w /nonexistent true",
        "unshare -R /nonexistent true",
        "unshare -pf false",
        "mount --frob",
        "mount /nonexistent",
        "mount -t tmpfs box /nonexistent",
        "mount -t frobfs box /mnt",
        "umount",
        "umount /nonexistent",
        "umount /etc",
        "umount -Z /mnt",
        "hostname -Z",
        "hostname a b",
        "ps --frob",
        "ps -p 4194305",
        "ps -o frob",
        "ip frob",
        "ip link set",
        "ip link set nosuch up",
        "ip link set lo frob",
        "ip addr show dev nosuch",
        "ipcmk",
        "ipcmk -Z",
        "ipcrm -q 99999999",
        "ipcs -Z",
        "nc",
        "nc -l",
        "nc -z 127.0.0.1 1",
    ] {
        same_end(line);
    }
    // A child that is killed takes its parent along by the same signal.
    let (bin, sh) = (ours(), "kill -TERM $$");
    let killed = run(&bin.path().join("unshare"), &["-f", "sh", "-c", sh]);
    assert_eq!(killed.status.signal(), Some(15));
    assert_eq!(run(&bin.path().join("unshare"), &["-pf", "sh", "-c", "exit 42"]).status.code(), Some(42));
}

fn a_user_who_may_not_is_told_why() {
    let (_dir, program) = for_everybody();
    let refused = |tool: &str, args: &[&str], status: i32| {
        let as_nobody = ["--reuid", "65534", "--regid", "65534", "--clear-groups", program.to_str().unwrap(), tool];
        let args: Vec<&str> = as_nobody.iter().chain(args).copied().collect();
        let output = run(&theirs("setpriv"), &args);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(status), "{tool}: {said}");
        let lines: Vec<&str> = said.lines().collect();
        assert!(lines.len() == 2 && lines[0].ends_with("(EPERM)") && lines[1].starts_with("  "), "{tool}: {said}");
    };
    refused("unshare", &["-m", "true"], 1);
    refused("mount", &["-t", "tmpfs", "box", "/mnt"], 32);
    refused("umount", &["/proc"], 32);
    refused("hostname", &["box"], 1);
    refused("ip", &["link", "set", "lo", "up"], 2);
}

fn ps_shows_what_procps_shows() {
    let bin = ours();
    // Two children of the shell that wait and never become another program, and ps itself; process numbers are the same in
    // both, because each is PID 1's world.
    let dir = tempfile::tempdir().unwrap();
    let fifo = dir.path().join("fifo").display().to_string();
    for args in
        ["-ef", "aux", "ax", "-e", "-e -o pid,ppid,pgid,sid,stat,comm", "-e -o pid=", "-p 1", "-o args -p 1", "1"]
    {
        let script =
            format!("mkfifo {fifo}; (read x <{fifo}) & (read x <{fifo}) & ps {args}; s=$?; rm {fifo}; exit $s");
        let (mine, other) = (inside("-mp", &script, Some(bin.path())), inside("-mp", &script, None));
        assert_eq!(mine.status.code(), other.status.code(), "{args}");
        let (mine, other) = (text(&mine.stdout), text(&other.stdout));
        let lines = |text: &str| -> Vec<Vec<String>> { text.lines().map(|line| stable(args, line)).collect() };
        assert_eq!(lines(&mine), lines(&other), "{args}:\n{mine}\n{other}");
        assert!(!mine.is_empty());
    }
}

/// The same process in several time zones: its start is told by the kernel's clock, and only shown in the zone.
fn ps_tells_when_a_process_began_as_procps_tells_it() {
    let other = theirs("ps");
    let (bin, pid) = (ours(), std::process::id().to_string());
    let ours = bin.path().join("ps");
    for zone in ["UTC", "Asia/Tokyo", "America/St_Johns", "XYZ-7:30", ""] {
        for columns in ["lstart", "stime", "start", "bsdstart", "pid,lstart,stime,start,bsdstart,comm"] {
            let shown = |ps: &Path| {
                let mut command = Command::new(ps);
                let output = command.args(["-o", columns, "-p", "1", "-p", &pid]).env("LC_ALL", "C").env("TZ", zone);
                text(&output.output().unwrap().stdout)
            };
            assert_eq!(shown(&ours), shown(&other), "{zone} {columns}");
        }
    }
    let whole = |zone: &str| {
        let output = Command::new(&ours).args(["-o", "lstart=", "-p", &pid]).env("TZ", zone).output().unwrap();
        text(&output.stdout)
    };
    assert_ne!(whole("UTC"), whole("XYZ-7:30"));
}

/// The fields of one line that do not depend on the moment (a shell may still run or sleep already) or on the program's
/// size.
fn stable(args: &str, line: &str) -> Vec<String> {
    let fields: Vec<String> = words(line).into_iter().map(String::from).collect();
    let moving: &[usize] = match args {
        "-ef" => &[3, 4, 6],
        "aux" => &[2, 3, 4, 5, 7, 8, 9],
        "ax" | "1" => &[2, 3],
        "-e -o pid,ppid,pgid,sid,stat,comm" => &[4],
        "-e" | "-p 1" => &[2],
        _ => &[],
    };
    let keep = |(at, _): &(usize, String)| !moving.contains(at) || line.contains("PID");
    fields.into_iter().enumerate().filter(keep).map(|(_, field)| field).collect()
}

fn ps_is_not_disturbed_by_processes_that_vanish() {
    let bin = ours();
    let ps = bin.path().join("ps");
    let mut spawner = Command::new("sh").args(["-c", "while :; do /bin/true; done"]).spawn().unwrap();
    for _ in 0..50 {
        let output = run(&ps, &["-e", "-o", "pid,comm"]);
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        let listed = text(&output.stdout);
        assert!(listed.lines().skip(1).all(|line| words(line).len() >= 2), "{listed}");
    }
    spawner.kill().unwrap();
    spawner.wait().unwrap();
}

fn system_v_objects_are_made_listed_and_removed() {
    let (bin, real) = (ours(), theirs("ipcs"));
    let script = format!(
        "ipcmk -Q; ipcmk -M 4096 -S 3; ipcs; echo --; {}; echo --; ipcrm -q 0 && ipcs -q; ipcrm -a; ipcs",
        real.display()
    );
    let output = inside("-imp", &script, Some(bin.path()));
    let all = text(&output.stdout);
    let made = "Message queue id: 0\nShared memory id: 0\nSemaphore id: 0\n";
    assert!(all.starts_with(made), "{all} {}", text(&output.stderr));
    let rows = |text: &str| -> Vec<String> {
        let rows = text.lines().filter(|line| line.starts_with("0x"));
        rows.map(|line| words(line).join(" ")).collect()
    };
    let all_rows = rows(&all);
    assert_eq!(all_rows.len(), 6, "{all}");
    assert_eq!(all_rows[..3], all_rows[3..]);
    assert!(all_rows[0].ends_with(" 0 root 644 0 0") && all_rows[1].ends_with(" 0 root 644 4096 0"), "{all_rows:?}");
    assert!(all_rows[2].ends_with(" 0 root 644 3"), "{all_rows:?}");
}

fn a_closed_pipe_ends_a_tool_quietly() {
    let bin = ours();
    let script = format!("{}/ps -ef | true; {}/ps -ef | head -1", bin.path().display(), bin.path().display());
    let output = Command::new("sh").args(["-c", &script]).output().unwrap();
    assert!(output.stderr.is_empty(), "{}", text(&output.stderr));
    assert!(text(&output.stdout).starts_with("UID "));
}

fn both_ways_to_call_a_tool_are_the_same() {
    let link = run(&ours().path().join("hostname"), &[]);
    let word = run(Path::new(BOXWRIGHT), &["hostname"]);
    assert_eq!((link.status, &link.stdout), (word.status, &word.stdout));
    assert!(!link.stdout.is_empty());
}
