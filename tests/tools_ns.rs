//! nsenter, chroot, pivot_root, top and hog: beside the distribution's tools, with the same arguments, on a real kernel.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers outside #[test] functions are tests too")]

mod support;

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    os::unix::process::ExitStatusExt,
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};
use support::{not_root, ours, theirs};
use tempfile::TempDir;

/// No process can have this PID: the kernel's largest is 4194304.
const NOBODY: &str = "4194305";
const KINDS: [&str; 8] = ["user", "cgroup", "ipc", "uts", "net", "pid", "mnt", "time"];

fn run(program: &Path, args: &[&str]) -> Output {
    Command::new(program).args(args).env("LC_ALL", "C").stdin(Stdio::null()).output().unwrap()
}

fn error(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

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

/// The calls that a tool makes on its way, by strace: descriptors are `_`, any kind of fork is `fork`, and the execve of
/// the tool itself, those that only searched the PATH and refused setns are left out. `child` marks what happens after the fork.
fn calls(program: &Path, args: &[&str]) -> Option<Vec<String>> {
    let strace = theirs("strace")?;
    let log = tempfile::NamedTempFile::new().unwrap();
    let output = Command::new(strace)
        .args(["-f", "-e", "trace=setns,chroot,chdir,fchdir,pivot_root,clone,clone3,vfork,fork,execve", "-o"])
        .arg(log.path())
        .arg(program)
        .args(args)
        .env("LC_ALL", "C")
        .output()
        .unwrap();
    let log = fs::read_to_string(log.path()).unwrap();
    assert!(!log.is_empty(), "strace: {output:?}");
    let first = log.split(' ').next().unwrap();
    let call = |line: &str| {
        let (pid, call) = line.split_once(' ')?;
        let (name, rest) = call.trim_start().split_once('(')?;
        let arguments = rest.split(") ").next()?.split(" <unfinished").next()?.trim_end_matches([')', ',']);
        let text = match name {
            "clone" | "clone3" | "vfork" | "fork" => "fork".to_string(),
            "setns" if rest.ends_with("(Operation not permitted)") => return None,
            "setns" => format!("setns(_,{})", arguments.split_once(',')?.1),
            "fchdir" => "fchdir(_)".into(),
            "execve" if rest.ends_with("(No such file or directory)") => return None,
            "execve" => format!("execve({})", arguments.split(", 0x").next()?),
            _ => format!("{name}({arguments})"),
        };
        (!name.starts_with(['+', '-', '<'])).then(|| if pid == first { text } else { format!("child {text}") })
    };
    Some(log.lines().filter_map(call).skip(1).collect())
}

/// Both tools with the same arguments: the same exit status, or the same signal.
fn same_end(tool: &str, args: &[&str]) {
    let bin = ours();
    let ours = run(&bin.path().join(tool), args);
    if let Some(theirs) = theirs(tool) {
        let theirs = run(&theirs, args);
        let end = |output: &Output| (output.status.code(), output.status.signal());
        assert_eq!(end(&ours), end(&theirs), "{tool} {args:?}: {} / {}", error(&ours), error(&theirs));
        assert_eq!(String::from_utf8_lossy(&ours.stdout), String::from_utf8_lossy(&theirs.stdout), "{tool} {args:?}");
    }
}

#[test]
fn nsenter_makes_the_calls_of_the_fields_tool() {
    if not_root("nsenter_makes_the_calls_of_the_fields_tool") {
        return;
    }
    let (bin, container) = (ours(), Container::start(&["-imnpu", "--mount-proc"]));
    let (nsenter, pid) = (bin.path().join("nsenter"), container.pid.as_str());
    let Some(other) = theirs("nsenter") else { return };
    for args in [
        &["-t", pid, "-m", "-u", "-i", "-n", "-p", "/bin/true"][..],
        &["-t", pid, "-m", "-u", "-i", "-n", "-p", "-r", "-w", "/bin/true"],
        &["--target", pid, "--net", "--", "/bin/true"],
        &["--target", pid, "--pid", "--no-fork", "/bin/true"],
        &["-t", pid, "-r/usr", "-w/usr/lib", "/bin/true"],
        &["-F", "-a", "-t", pid, &format!("--net=/proc/{pid}/ns/net"), "-r", "/bin/true"],
    ] {
        let (Some(ours), Some(mut theirs)) = (calls(&nsenter, args), calls(&other, args)) else { return };
        // With -a theirs leaves out only a user namespace that is the caller's own already; ours leaves out every such
        // namespace, because a call that changes nothing would only puzzle a learner.
        theirs.retain(|call| !call.contains("NEWCGROUP") && !call.contains("NEWTIME"));
        assert_eq!(ours, theirs, "{args:?}");
        assert!(ours.last().unwrap().contains("execve(\"/bin/true\""), "{ours:?}");
    }
    let all = calls(&nsenter, &["-t", pid, "-a", "/bin/true"]).unwrap();
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

#[test]
fn nsenter_enters_a_user_namespace_when_its_caller_needs_it() {
    if not_root("nsenter_enters_a_user_namespace_when_its_caller_needs_it") {
        return;
    }
    let (bin, container) = (ours(), Container::start(&["-Urimnpu", "--mount-proc"]));
    let args = ["-t", container.pid.as_str(), "-a", "/bin/true"];
    same_end("nsenter", &["-t", &container.pid, "-a", "sh", "-c", "id -u; id -g; exit 5"]);
    let nsenter = bin.path().join("nsenter");
    let (Some(other), Some(powerful)) = (theirs("nsenter"), calls(&nsenter, &args)) else { return };
    let without_own = |mut calls: Vec<String>| {
        calls.retain(|call| !call.contains("NEWCGROUP") && !call.contains("NEWTIME"));
        calls
    };
    assert_eq!(powerful, without_own(calls(&other, &args).unwrap()));
    assert_eq!(powerful[5], "setns(_, CLONE_NEWUSER)", "root gives up its capabilities last: {powerful:?}");
    // Without any capability root still owns the user namespace that it made, and gets all of them by entering it.
    let Some(setpriv) = theirs("setpriv") else { return };
    let powerless = |nsenter: &Path| {
        let caps = ["--bounding-set=-all", "--inh-caps=-all", nsenter.to_str().unwrap()];
        calls(&setpriv, &[&caps, &args[..]].concat()).unwrap()
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

#[test]
fn nsenter_is_where_the_container_is() {
    if not_root("nsenter_is_where_the_container_is") {
        return;
    }
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

#[test]
fn nsenter_ends_as_the_program_ended() {
    if not_root("nsenter_ends_as_the_program_ended") {
        return;
    }
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

#[test]
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
    assert!(said(&["-m", "true"]).contains("-t PID says whose"));
    // WNOWAIT waits for its end and leaves it a zombie.
    let mut ended = Command::new("true").spawn().unwrap();
    let id = nix::sys::wait::Id::Pid(nix::unistd::Pid::from_raw(ended.id() as i32));
    nix::sys::wait::waitid(id, nix::sys::wait::WaitPidFlag::WEXITED | nix::sys::wait::WaitPidFlag::WNOWAIT).unwrap();
    let zombie = said(&["-t", &ended.id().to_string(), "-a", "true"]);
    ended.wait().unwrap();
    assert!(zombie.contains("(ENOENT)\n  a process that has ended (a zombie)"), "{zombie}");
    assert!(said(&["-t", "1", "-imn", "true"]).contains("-i -m -n -p -u"));
}

/// A directory with programs and the libraries that they need, to be a root.
fn root_with(programs: &[&str]) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    let copy = |from: &str| {
        let to = root.path().join(from.trim_start_matches('/'));
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(from, to).unwrap();
    };
    for program in programs {
        copy(program);
        let needs = run(Path::new("ldd"), &[program]).stdout;
        String::from_utf8(needs).unwrap().split_whitespace().filter(|word| word.starts_with('/')).for_each(copy);
    }
    root
}

#[test]
fn chroot_is_the_fields_chroot() {
    if not_root("chroot_is_the_fields_chroot") {
        return;
    }
    let root = root_with(&["/bin/sh"]);
    let place = root.path().to_str().unwrap();
    fs::write(root.path().join("plain"), "").unwrap();
    for args in [
        &[place, "/bin/sh", "-c", "pwd; echo /*; exit 3"][..],
        &[place, "/bin/sh", "-c", "kill -9 $$"],
        &[place, "/no/such/program"],
        &[place, "no-such-program"],
        &[place, "/plain"],
        &[place, "/bin"],
        &["/no/such/root", "sh"],
        &["/etc/passwd", "sh"],
        &["--", place, "sh", "-c", "exit 4"],
        &[],
        &["--frob", place],
    ] {
        same_end("chroot", args);
    }
    let (bin, args) = (ours(), [place, "/bin/sh", "-c", "exit 0"]);
    let (Some(ours), Some(other)) = (calls(&bin.path().join("chroot"), &args), theirs("chroot")) else { return };
    assert_eq!(Some(&ours), calls(&other, &args).as_ref());
    assert_eq!(ours[..2], [format!("chroot(\"{place}\")"), "chdir(\"/\")".into()]);
}

#[test]
fn chroot_without_a_command_finds_a_shell_and_explains_a_missing_loader() {
    if not_root("chroot_without_a_command_finds_a_shell_and_explains_a_missing_loader") {
        return;
    }
    let (bin, root) = (ours(), root_with(&["/bin/sh"]));
    // Theirs would fail here: it takes $SHELL as it is. A learner's shell is seldom in the new root, /bin/sh mostly is.
    let mut chroot = Command::new(bin.path().join("chroot"))
        .arg(root.path())
        .env("SHELL", "/bin/fancy-shell")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    chroot.stdin.take().unwrap().write_all(b"pwd\nexit 6\n").unwrap();
    let output = chroot.wait_with_output().unwrap();
    assert_eq!((String::from_utf8_lossy(&output.stdout).as_ref(), output.status.code()), ("/\n", Some(6)));

    let bare = tempfile::tempdir().unwrap();
    fs::create_dir(bare.path().join("bin")).unwrap();
    fs::copy("/bin/sh", bare.path().join("bin/sh")).unwrap();
    fs::write(bare.path().join("bin/script"), "#!/usr/bin/python3 -u\n").unwrap();
    fs::set_permissions(bare.path().join("bin/script"), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    for (program, why) in [
        ("/bin/sh", "not the interpreter that it names: /"),
        ("sh", "not the interpreter that it names: /"),
        ("/bin/script", "not the interpreter that it names: /usr/bin/python3"),
        ("/bin/ls", "there is no /bin/ls in this root directory"),
    ] {
        let output =
            Command::new(bin.path().join("chroot")).arg(bare.path()).arg(program).env("PATH", "/usr/bin:/bin").output();
        let output = output.unwrap();
        assert_eq!(output.status.code(), Some(127));
        assert!(error(&output).contains("(ENOENT)") && error(&output).contains(why), "{program}: {}", error(&output));
    }
}

/// Each attempt in a mount namespace of its own; PIVOT is the tool.
const PIVOTS: &[(&str, &str)] = &[
    ("mkdir new/old; $PIVOT new new/old", "is on the current root mount, and must be a mount of its own: mount --bind"),
    ("mount -t tmpfs t new; $PIVOT new old", "old is on the current root mount; the old root must go to"),
    ("mount -t tmpfs t new; mkdir new/sub; $PIVOT new/sub new/sub", "new/sub is no mount point: mount --bind"),
    ("mount -t tmpfs t new; mount -t tmpfs o old; $PIVOT new old", "old is not at or below"),
    ("mount -t tmpfs t new; mkdir new/old; mount --make-shared new; $PIVOT new new/old", "is shared with other"),
    ("mount -t tmpfs t new; mkdir new/old; mount --make-shared /; $PIVOT new new/old", "the parent mount of"),
    ("mount -t tmpfs t new; $PIVOT new /etc/passwd", "/etc/passwd is no directory"),
    ("mount -t tmpfs t new; $PIVOT new new/old", "new/old does not exist: mkdir new/old"),
    ("$PIVOT new", "pivot_root NEW_ROOT PUT_OLD"),
    ("mount -t tmpfs t new; mkdir new/old; $PIVOT new new/old && cd / && echo *", ""),
    ("mount -t tmpfs t new; cd new; $PIVOT . . && echo done", ""),
];

#[test]
fn pivot_root_fails_and_works_as_the_fields_and_says_why() {
    if not_root("pivot_root_fails_and_works_as_the_fields_and_says_why") {
        return;
    }
    let bin = ours();
    for (script, why) in PIVOTS {
        let attempt = |tool: &Path| {
            let dir = tempfile::tempdir().unwrap();
            fs::create_dir(dir.path().join("new")).unwrap();
            fs::create_dir(dir.path().join("old")).unwrap();
            Command::new("unshare")
                .args(["-m", "--propagation", "private", "sh", "-c", script])
                .current_dir(dir.path())
                .env("PIVOT", tool)
                .env("LC_ALL", "C")
                .output()
                .unwrap()
        };
        let ours = attempt(&bin.path().join("pivot_root"));
        assert_eq!(why.is_empty(), ours.stderr.is_empty(), "{script}: {ours:?}");
        assert!(error(&ours).contains(why), "{script}: {}", error(&ours));
        if let Some(other) = theirs("pivot_root") {
            let theirs = attempt(&other);
            assert_eq!(
                (ours.status.code(), &ours.stdout),
                (theirs.status.code(), &theirs.stdout),
                "{script}: {theirs:?}"
            );
        }
    }
}

#[test]
fn hog_takes_memory_and_holds_it() {
    let bin = ours();
    let mut hog = Command::new(bin.path().join("hog")).args(["memory", "24M"]).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(hog.stdout.take().unwrap()).lines().map_while(Result::ok);
    let said: Vec<String> = lines.take_while(|line| !line.starts_with("holding")).collect();
    assert_eq!((said.len(), said.last().map(String::as_str)), (24, Some("  24.0 MiB")), "{said:?}");
    let status = fs::read_to_string(format!("/proc/{}/status", hog.id())).unwrap();
    let kib = |name: &str| -> u64 {
        status.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().next()?.parse().ok()).unwrap()
    };
    // What it takes is what was asked for, with little besides.
    assert!((24 << 10..25 << 10).contains(&kib("RssAnon:")), "{status}");
    hog.kill().unwrap();
    assert_eq!(hog.wait().unwrap().signal(), Some(9));
}

#[test]
fn hog_keeps_to_its_rate() {
    let began = Instant::now();
    let output = Command::new(ours().path().join("hog")).args(["memory", "8M", "--rate", "32M/s", "--exit"]).output();
    let output = output.unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout).lines().last(), Some("   8.0 MiB"), "{output:?}");
    // Each of the eight waits for its tick, so it cannot be faster; how much slower it is, the machine's load decides.
    assert!(began.elapsed() >= Duration::from_millis(250), "{:?}", began.elapsed());
}

#[test]
fn hog_ends_when_told_and_names_what_was_refused() {
    let bin = ours();
    let hog = bin.path().join("hog");
    let end = run(&hog, &["memory", "2M", "--rate", "1G/s", "--exit"]);
    assert_eq!((end.status.code(), end.stdout.as_slice()), (Some(0), &b"   1.0 MiB\n   2.0 MiB\n"[..]));
    assert!(run(&hog, &["cpu", "0.05"]).status.success());
    assert_eq!(run(&hog, &["fork", "4"]).stdout, b"4 children\n");
    for wrong in
        [&["memory", "3X"][..], &["memory", "0"], &["cpu", "-1"], &["fork", "x"], &[], &["memory", "1M", "--rate", "?"]]
    {
        assert_eq!(run(&hog, wrong).status.code(), Some(1), "{wrong:?}");
    }
    let limited =
        Command::new("sh").args(["-c", "ulimit -v 400000; exec \"$0\" memory 1G"]).arg(&hog).output().unwrap();
    assert_eq!(limited.status.code(), Some(1));
    assert!(error(&limited).contains("Out of memory (ENOMEM)"), "{}", error(&limited));
    if !not_root("a fork that fails") {
        // Once the first process of a PID namespace has ended, no process can be made in it.
        let script = "/bin/true; exec \"$0\" fork 2";
        let dead = Command::new("unshare").args(["-p", "sh", "-c", script]).arg(&hog).output().unwrap();
        assert_eq!((dead.status.code(), dead.stdout.as_slice()), (Some(1), &b"0 children\n"[..]));
        assert!(error(&dead).contains("hog: fork number 1 failed: Out of memory (ENOMEM)"), "{}", error(&dead));
    }
}

#[test]
fn top_shows_who_is_busy() {
    let bin = ours();
    let mut busy = Command::new(bin.path().join("hog")).arg("cpu").spawn().unwrap();
    let pids = format!("{},{}", std::process::id(), busy.id());
    let output = run(&bin.path().join("top"), &["-b", "-n", "2", "-d", "0.3", "-p", &pids]);
    busy.kill().unwrap();
    busy.wait().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let frames: Vec<&str> = text.split("top - ").skip(1).collect();
    assert_eq!(frames.len(), 2, "{text}");
    for frame in frames {
        let rows: Vec<Vec<&str>> = frame.lines().skip(3).map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(rows[0], ["PID", "USER", "%CPU", "%MEM", "RES", "S", "TIME+", "COMMAND"]);
        assert_eq!((rows[1][0], rows[1][7], rows[1][5]), (busy.id().to_string().as_str(), "hog", "R"), "{frame}");
        assert!(rows[1][2].parse::<f64>().unwrap() > 5.0, "{frame}");
        assert_eq!(rows[2][0], std::process::id().to_string(), "{frame}");
    }
    for wrong in [&["-b", "-n", "0"][..], &["-b", "-n", "x"], &["-b", "-d", "-1"], &["-n", "1"]] {
        assert_eq!(run(&bin.path().join("top"), wrong).status.code(), Some(1), "{wrong:?}");
    }
}

#[test]
fn top_ends_at_q_and_gives_the_terminal_back() {
    let (bin, pty) = (
        ours(),
        nix::pty::openpty(&nix::pty::Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 }, None).unwrap(),
    );
    let end = || Stdio::from(pty.slave.try_clone().unwrap());
    let mut top = Command::new(bin.path().join("top")).args(["-d", "600"]).stdin(end()).stdout(end()).spawn().unwrap();
    let before = nix::sys::termios::tcgetattr(&pty.slave).unwrap();
    let mut screen = fs::File::from(pty.master);
    let mut seen = String::new();
    while !seen.contains("COMMAND") {
        let mut bytes = [0; 4096];
        let length = screen.read(&mut bytes).unwrap();
        seen.push_str(&String::from_utf8_lossy(&bytes[..length]));
    }
    screen.write_all(b"xq").unwrap();
    assert!(top.wait().unwrap().success());
    let after = nix::sys::termios::tcgetattr(&pty.slave).unwrap();
    assert!(after.local_flags.contains(nix::sys::termios::LocalFlags::ICANON | nix::sys::termios::LocalFlags::ECHO));
    assert_eq!(before.control_chars, after.control_chars);
}
