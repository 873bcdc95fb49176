//! nsenter beside the distribution's, with the same arguments, on a real kernel.

use crate::harness::{Test, tests};
use crate::support::tools::{calls, error, run, same_end};
use crate::support::{ours, theirs};
use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

pub fn tests() -> Vec<Test> {
    tests![
        nsenter_makes_the_calls_of_the_fields_tool: [Root, Tool("nsenter"), Tool("strace")],
        nsenter_enters_a_user_namespace_when_its_caller_needs_it: [
            Root, UserNamespaces, Tool("setpriv"), Tool("strace"), Tool("nsenter")
        ],
        nsenter_is_where_the_container_is: [Root],
        nsenter_ends_as_the_program_ended: [Root, Tool("nsenter")],
        nsenter_says_why_not,
    ]
}

/// No process can have this PID: the kernel's largest is 4194304.
const NOBODY: &str = "4194305";
const KINDS: [&str; 8] = ["user", "cgroup", "ipc", "uts", "net", "pid", "mnt", "time"];

/// A container as the first lesson makes it; it is gone when this is dropped.
struct Container {
    unshare: Child,
    pid: String,
}

impl Container {
    fn start(flags: &[&str]) -> Self {
        // The shell says when everything is made, and only then becomes sleep. It is the one child that unshare has.
        let mut unshare = Command::new("unshare")
            .args(flags)
            .args(["--kill-child", "--fork", "sh", "-c", "echo made; exec sleep 600"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(unshare.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "made\n");
        let children = format!("/proc/{0}/task/{0}/children", unshare.id());
        let pid = fs::read_to_string(children).unwrap().trim().to_string();
        Container { unshare, pid }
    }

    fn namespace(&self, kind: &str) -> String {
        fs::read_link(format!("/proc/{}/ns/{kind}", self.pid)).unwrap().display().to_string()
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        // The first process of the PID namespace dies with unshare (--kill-child), and the namespace with it.
        self.unshare.kill().unwrap();
        self.unshare.wait().unwrap();
    }
}

fn nsenter_makes_the_calls_of_the_fields_tool() {
    let (bin, container) = (ours(), Container::start(&["-imnpu", "--mount-proc"]));
    let (nsenter, pid) = (bin.path().join("nsenter"), container.pid.as_str());
    let other = theirs("nsenter");
    for args in [
        &["-t", pid, "-m", "-u", "-i", "-n", "-p", "/bin/true"][..],
        &["-t", pid, "-m", "-u", "-i", "-n", "-p", "-r", "-w", "/bin/true"],
        &["--target", pid, "--net", "--", "/bin/true"],
        &["--target", pid, "--pid", "--no-fork", "/bin/true"],
        &["-t", pid, "-u", "-r/usr", "-w/usr/lib", "/bin/true"],
        &["-F", "-a", "-t", pid, &format!("--net=/proc/{pid}/ns/net"), "-r", "/bin/true"],
    ] {
        let (mut ours, mut theirs) = (calls(&nsenter, args), calls(&other, args));
        // With -a theirs leaves out only a user namespace that is the caller's own already; ours leaves out every such
        // namespace, because a call that changes nothing would only puzzle a learner.
        theirs.retain(|call| !call.contains("NEWCGROUP") && !call.contains("NEWTIME"));
        if args.iter().any(|arg| arg.starts_with("--net=")) {
            // Newer ones enter what is named by a file after all that one call enters.
            for calls in [&mut ours, &mut theirs] {
                let entered = calls.iter().take_while(|call| call.starts_with("setns")).count();
                calls[..entered].sort();
            }
        }
        assert_eq!(ours, theirs, "{args:?}");
        assert!(ours.last().unwrap().contains("execve(\"/bin/true\""), "{ours:?}");
    }
    let all = calls(&nsenter, &["-t", pid, "-a", "/bin/true"]);
    assert_eq!(
        all,
        [
            "setns(_, CLONE_NEWIPC)",
            "setns(_, CLONE_NEWUTS)",
            "setns(_, CLONE_NEWNET)",
            "setns(_, CLONE_NEWPID)",
            "setns(_, CLONE_NEWNS)",
            "fork",
            "child execve(\"/bin/true\", [\"/bin/true\"])"
        ]
    );
}

fn nsenter_enters_a_user_namespace_when_its_caller_needs_it() {
    let (bin, container) = (ours(), Container::start(&["-Urimnpu", "--mount-proc"]));
    let args = ["-t", container.pid.as_str(), "-a", "/bin/true"];
    same_end("nsenter", &["-t", &container.pid, "-a", "sh", "-c", "id -u; id -g; exit 5"]);
    let nsenter = bin.path().join("nsenter");
    let (other, powerful) = (theirs("nsenter"), calls(&nsenter, &args));
    let without_own = |mut calls: Vec<String>| {
        calls.retain(|call| !call.contains("NEWCGROUP") && !call.contains("NEWTIME"));
        calls
    };
    assert_eq!(powerful, without_own(calls(&other, &args)));
    assert_eq!(powerful[5], "setns(_, CLONE_NEWUSER)", "root gives up its capabilities last: {powerful:?}");
    // Without any capability root still owns the user namespace that it made, and gets all of them by entering it.
    let setpriv = theirs("setpriv");
    let powerless = |nsenter: &Path| {
        let caps = ["--bounding-set=-all", "--inh-caps=-all", nsenter.to_str().unwrap()];
        calls(&setpriv, &[&caps, &args[..]].concat())
    };
    let ours = powerless(&nsenter);
    assert_eq!(ours[1], "setns(_, CLONE_NEWUSER)", "{ours:?}");
    // The cgroup and time namespaces belong to the machine, so theirs fails when it enters them once more; ours has no
    // reason to ask.
    assert_eq!(ours[2..], powerful[..5].iter().chain(&powerful[6..]).cloned().collect::<Vec<_>>());
    assert!(
        !powerless(&other).iter().any(|call| call.contains("/bin/true\", [")),
        "theirs has learnt to leave them out"
    );
}

fn nsenter_is_where_the_container_is() {
    let (bin, container) = (ours(), Container::start(&["-imnpu", "--mount-proc"]));
    let (nsenter, pid) = (bin.path().join("nsenter"), container.pid.as_str());
    let links = |args: &[&str]| {
        let script = format!("cd /proc/self/ns && for kind in {}; do readlink $kind; done", KINDS.join(" "));
        let output = run(&nsenter, &[args, &["sh", "-c", &script]].concat());
        assert!(output.status.success(), "{args:?}: {}", error(&output));
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_string).collect::<Vec<_>>()
    };
    let theirs: Vec<String> = KINDS.iter().map(|kind| container.namespace(kind)).collect();
    let own = |kind: &str| fs::read_link(format!("/proc/self/ns/{kind}")).unwrap().display().to_string();
    assert_eq!(links(&["-t", pid, "-a"]), theirs);
    assert_ne!(container.namespace("pid"), own("pid"));
    // Only children enter a PID namespace: with -F the process itself stays where it was.
    let stays = links(&["-t", pid, "-u", "-p", "-F"]);
    assert_eq!((&stays[3], &stays[5]), (&container.namespace("uts"), &own("pid")));
}

fn nsenter_ends_as_the_program_ended() {
    let container = Container::start(&["-imnpu", "--mount-proc"]);
    let pid = container.pid.as_str();
    for args in [
        &["-t", pid, "-a", "sh", "-c", "exit 7"][..],
        &["-t", pid, "-p", "sh", "-c", "kill -9 $$"],
        &["-t", pid, "-u", "sh", "-c", "kill -15 $$"],
        &["-t", pid, "-a", "/no/such/program"],
        &["-t", pid, "-a", "/etc/passwd"],
        &["-t", pid, "-a", "-r", "-w", "pwd"],
        &["-t", pid, "-p", "-m", "sh", "-c", "cat /proc/1/comm"],
        &["-t", pid, "-U", "true"],
        &["-t", NOBODY, "-a", "true"],
        &["-t", "x", "-m", "true"],
        &["-a", "true"],
        &["-m", "true"],
        &["-t", pid, "-imn", "true"],
        &["--frob"],
    ] {
        same_end("nsenter", args);
    }
}

fn nsenter_says_why_not() {
    let bin = ours();
    let said = |args: &[&str]| {
        let output = run(&bin.path().join("nsenter"), args);
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        error(&output)
    };
    let dead = said(&["-t", NOBODY, "-a", "true"]);
    assert!(dead.starts_with("nsenter: PID 4194305: No such process (ESRCH)\n  it has ended"), "{dead}");
    let own = said(&["-t", &std::process::id().to_string(), "-U", "true"]);
    assert!(own.contains("Invalid argument (EINVAL)\n  you are in this user namespace already"), "{own}");
    assert!(said(&["-m", "true"]).contains("-t PID names the process whose namespaces to enter"));
    // WNOWAIT waits for its end and leaves it a zombie.
    let mut ended = Command::new("true").spawn().unwrap();
    let id = nix::sys::wait::Id::Pid(nix::unistd::Pid::from_raw(ended.id() as i32));
    nix::sys::wait::waitid(id, nix::sys::wait::WaitPidFlag::WEXITED | nix::sys::wait::WaitPidFlag::WNOWAIT).unwrap();
    let zombie = said(&["-t", &ended.id().to_string(), "-a", "true"]);
    ended.wait().unwrap();
    assert!(zombie.contains("(ENOENT)\n  a process that has ended (a zombie)"), "{zombie}");
    assert!(said(&["-t", "1", "-imn", "true"]).contains("-i -m -n -p -u"));
}
