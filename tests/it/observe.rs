//! The observers against the real kernel, with the distribution's `unshare`, `nsenter` and `lsns` as the other side.

use crate::harness::{Test, tests};
use crate::support::BOXWRIGHT;
use boxwright::kernel::namespaces::Kind;
use boxwright::kernel::pid::Pid;
use boxwright::observe::{ForChildren, Reader, Sample, Subject};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

pub fn tests() -> Vec<Test> {
    tests![
        a_watched_process_stays_in_its_place_on_a_terminal: [Root, Tool("script")],
        a_plain_shell_has_none_of_the_four: [Tool("bash")],
        the_child_of_unshare_is_the_container: [Root, Tool("bash")],
        inside_and_host_answer_separately: [Root, Tool("bash")],
        a_port_inside_is_seen_from_outside: [Root, Tool("python3"), Tool("bash")],
        unshare_without_fork_has_not_made_its_pid_namespace: [Root, Tool("bash")],
        without_a_new_proc_the_container_sees_the_hosts: [Root, Tool("bash")],
        a_visitor_is_listed_and_counts_as_entered: [Root, Tool("bash")],
        a_changed_root_is_seen: [Root, Tool("bash")],
    ]
}

const CORE: [&str; 4] = ["-imnpu", "--mount-proc", "--fork", "bash"];

/// A shell that reads commands from a pipe, as the container terminal's shell reads them from its terminal. It is bash,
/// because dash reads ahead and so takes lines that are meant for the shell that it starts.
struct Shell {
    child: Child,
    input: ChildStdin,
    output: Receiver<String>,
}

impl Shell {
    fn start() -> Shell {
        let mut command = Command::new("bash");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0);
        let mut child = command.spawn().unwrap();
        let (input, lines) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()).lines());
        let (send, output) = channel();
        std::thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| send.send(line)));
        Shell { child, input, output }
    }

    fn pid(&self) -> Pid {
        Pid::of(&self.child)
    }

    /// Runs a line and waits until whatever shell reads the pipe *now* has done it.
    fn run(&mut self, line: &str) -> String {
        writeln!(self.input, "{line}\necho .done").unwrap();
        let mut all = String::new();
        loop {
            match self.output.recv_timeout(Duration::from_secs(20)) {
                Ok(line) if line == ".done" => return all,
                Ok(line) => all += &format!("{line}\n"),
                Err(error) => panic!("{error} after {all:?}"),
            }
        }
    }

    fn sample(&self) -> Sample {
        reader().read(Subject::Below(self.pid(), None)).0
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        // The group is this shell's own, so nothing else can be in it.
        let group = self.pid().into();
        let _ = nix::sys::signal::killpg(group, nix::sys::signal::Signal::SIGKILL);
        let _ = self.child.wait();
    }
}

fn reader() -> Reader {
    Reader::new(Path::new("/proc"), Path::new(env!("CARGO_BIN_EXE_boxwright")))
}

fn isolated() -> Shell {
    let mut shell = Shell::start();
    shell.run(&format!("unshare {}", CORE.join(" ")));
    shell
}

fn a_plain_shell_has_none_of_the_four() {
    let mut shell = Shell::start();
    shell.run(":");
    let sample = shell.sample();
    assert_eq!(sample.container, Some(shell.pid()));
    assert_eq!(sample.namespaces, sample.host_namespaces);
    assert_eq!(sample.scorecard, Default::default());
    assert_eq!(sample.for_children, ForChildren::Inode(sample.host_namespaces[&Kind::Pid]));
    assert_eq!(sample.inside.hostname, sample.host.hostname);
    assert_eq!(sample.inside.proc_shows_host, Some(true));
}

fn the_child_of_unshare_is_the_container() {
    let mut shell = isolated();
    shell.run("hostname box");
    let sample = shell.sample();
    let names: Vec<(&str, &[i32])> = sample.processes.iter().map(|p| (p.comm.as_str(), p.nspid.as_slice())).collect();
    let pids: Vec<i32> = sample.processes.iter().map(|p| p.pid.0).collect();
    assert_eq!(names, [("bash", &pids[..1]), ("unshare", &pids[1..2]), ("bash", &[pids[2], 1])]);
    assert_eq!(sample.container, Some(Pid(pids[2])));
    assert!(sample.scorecard.isolated);
    assert!(!sample.scorecard.rooted && !sample.scorecard.limited && !sample.scorecard.entered);
    assert_eq!(sample.inside.hostname.as_deref(), Some("box"));
    assert_ne!(sample.host.hostname.as_deref(), Some("box"));
    assert_eq!(sample.inside.proc_shows_host, Some(false));
    assert_eq!(sample.host.proc_shows_host, Some(true));

    // The witness: what lsns says about the same process.
    let lsns = Command::new("lsns").args(["-J", "-p", &pids[2].to_string()]).output().unwrap();
    let lsns: serde_json::Value = serde_json::from_slice(&lsns.stdout).unwrap();
    for row in lsns["namespaces"].as_array().unwrap() {
        let kind = Kind::from_link(row["type"].as_str().unwrap()).unwrap();
        assert_eq!(row["ns"].as_u64(), sample.namespaces.get(&kind).copied(), "{kind}");
    }
}

fn inside_and_host_answer_separately() {
    let mut shell = isolated();
    let sample = shell.sample();
    let lo = &sample.inside.interfaces[..];
    assert_eq!((lo.len(), lo[0].name.as_str(), lo[0].up), (1, "lo", false));
    assert!(lo[0].addresses.is_empty());
    assert!(sample.host.interfaces.len() > 1 || sample.host.interfaces[0].up);
    let ipc = shell.run("ipcmk -Q >/dev/null && ipcs -q | awk 'NF > 4 && $2 ~ /[0-9]/ {print $2}'");
    shell.run("mount -t tmpfs inside /mnt");
    let sample = shell.sample();
    assert_eq!(sample.inside.sysv, [format!("queue {}", ipc.trim())]);
    assert!(!sample.host.sysv.contains(&sample.inside.sysv[0]) || sample.host.sysv != sample.inside.sysv);
    assert!(sample.inside.mounts.iter().any(|mount| mount.point == "/mnt" && mount.source == "inside"));
    assert!(!sample.host.mounts.iter().any(|mount| mount.source == "inside"));
}

fn a_port_inside_is_seen_from_outside() {
    let mut shell = isolated();
    let listen = "import socket,time; s=socket.socket(); s.bind((\"\",4801)); s.listen(); print(\"up\",flush=True); time.sleep(99)";
    // The line ends only when the listener has said that it is up.
    shell.run(&format!("exec 3< <(exec python3 -c '{listen}'); read -u 3"));
    assert_eq!(shell.sample().inside.listening, [4801]);
    assert!(!shell.sample().host.listening.contains(&4801));
}

fn unshare_without_fork_has_not_made_its_pid_namespace() {
    let mut shell = Shell::start();
    shell.run("unshare -p bash");
    let sample = shell.sample();
    let inner = sample.processes.last().unwrap().pid;
    assert_eq!((sample.container, sample.for_children), (Some(inner), ForChildren::NotMade));
    assert_ne!(inner, shell.pid());
    assert_eq!(sample.namespaces, sample.host_namespaces);
    assert!(!sample.scorecard.isolated);
}

fn without_a_new_proc_the_container_sees_the_hosts() {
    let mut shell = Shell::start();
    shell.run("unshare -p --fork bash");
    let sample = shell.sample();
    assert_eq!(sample.processes.last().unwrap().nspid.last(), Some(&1));
    assert_eq!(sample.inside.proc_shows_host, Some(true));
}

fn a_visitor_is_listed_and_counts_as_entered() {
    let shell = isolated();
    let container = shell.sample().container.unwrap();
    let mut visitor = Shell::start();
    visitor.run(&format!("nsenter -t {container} -p -m bash"));
    let sample = shell.sample();
    assert!(sample.scorecard.entered);
    let visitors: Vec<_> = sample.processes.iter().filter(|p| p.ppid != container && p.nspid.len() == 2).collect();
    assert!(visitors.iter().any(|p| p.pid != container && p.nspid[1] > 1), "{:?}", sample.processes);
}

fn a_changed_root_is_seen() {
    let mut shell = isolated();
    shell.run("mkdir -p /mnt && mount -t tmpfs t /mnt && mkdir /mnt/bin && mount --bind /bin /mnt/bin");
    shell.run("for d in lib lib64 usr; do mkdir /mnt/$d; mount --bind /$d /mnt/$d; done");
    shell.run("chroot /mnt /bin/bash");
    let container = shell.sample().processes.last().unwrap().pid;
    let (sample, evidence) = reader().read(Subject::Exactly(container));
    assert!(sample.scorecard.rooted && sample.scorecard.isolated, "{evidence:?}");
    assert_eq!(sample.inside.proc_shows_host, None);
    let hidden = sample.inside.hidden_mounts.unwrap();
    assert!(hidden > 3, "the host's mounts are all still there, out of sight: {hidden}");

    shell.run("exit");
    shell.run("cd /mnt && mkdir old && pivot_root . old && cd /");
    let (sample, _) = reader().read(Subject::Exactly(shell.sample().container.unwrap()));
    assert_eq!(sample.inside.hidden_mounts, Some(0), "{:?}", sample.inside.mounts);
}

fn a_watched_process_stays_in_its_place_on_a_terminal() {
    let watched = |line: &str| {
        // It gets a child after a while, and ends.
        let script = format!("sh -c 'sleep 1.5; sleep 1.5; exit' & B={BOXWRIGHT}; {line}; wait");
        let out = Command::new("sh").args(["-c", &script]).stdin(Stdio::null()).output().unwrap();
        String::from_utf8_lossy(&out.stdout).into_owned()
    };
    let drawn = watched("script -qec \"stty rows 99 cols 150; $B inspect $! --watch --lang en\" /dev/null");
    assert!(drawn.matches("\x1b[J").count() >= 1 && drawn.contains("A\r\x1b[J"), "{drawn:?}");
    let first = drawn.split("\x1b[J").next().unwrap();
    assert!(!first.contains("\n* "), "nothing is new at first: {first}");
    assert!(drawn.contains("\n* "), "{drawn}");
    let piped = watched("$B inspect $! --watch --lang en | cat");
    assert!(piped.matches("Scorecard").count() >= 2 && !piped.contains('\x1b') && !piped.contains("\n* "), "{piped:?}");
}
