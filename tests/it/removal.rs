//! Sessions that end: only what they made goes, whatever the kernel refuses, and no end takes longer than two seconds.

use crate::harness::{Test, tests};
use crate::support::deny::denied;
use crate::support::{BOXWRIGHT, left_of};
use nix::{
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use std::{
    fs,
    io::{BufRead, BufReader, Lines, Read},
    os::fd::AsFd,
    os::unix::fs::PermissionsExt,
    os::unix::process::{CommandExt, ExitStatusExt},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

pub fn tests() -> Vec<Test> {
    let tests = tests![
        a_frozen_process_keeps_no_session_from_ending: [Root, Controller("freezer")],
        a_group_of_another_name_keeps_no_session_from_ending_and_goes_with_it: [Root, Controller("freezer")],
        what_a_killed_session_froze_is_thawed_and_removed_by_the_next: [Root, Controller("freezer")],
        a_traced_command_that_is_frozen_keeps_trace_no_longer_either: [Root, Controller("freezer")],
        an_unread_output_keeps_no_session_from_ending_and_the_rest_is_named: [Root],
        a_guest_of_the_sessions_group_outlives_it_in_the_group_above: [Root, Controller("pids")],
        a_signal_during_the_start_ends_it_at_once,
        without_openat2_everything_goes_as_well: [Root],
        where_nothing_can_be_locked_there_is_one_ledger_and_it_says_so: [Root, Tool("unshare")],
        what_cannot_be_removed_is_named_at_the_end_and_the_rest_goes: [Root, Tool("chattr")],
        an_ordinary_users_session_ends_as_soon: [Root, UserNamespaces],
        who_can_be_neither_killed_nor_moved_is_named: [Root, UserNamespaces, Controller("freezer")],
    ];
    tests.into_iter().map(Test::alone).collect()
}

/// How long an end may take: two seconds are promised, and the machine may be busy.
const SOON: Duration = Duration::from_millis(2500);

/// A session whose only step is this line, as a program that is yet to be started.
fn session(home: &Path, line: &str) -> Command {
    session_of(Command::new(BOXWRIGHT), home, line)
}

fn session_of(mut command: Command, home: &Path, line: &str) -> Command {
    let lesson = home.join("lessons/line");
    fs::create_dir_all(&lesson).unwrap();
    let hints = "```hint\na\n```\n\n".repeat(2);
    let text = format!(
        "# Line\n\n> One line.\n\nOne.\n\n## One {{#one fresh}}\n\nDo it.\n\n```run container\n{line}\n```\n\n\
         ```check\ncall write ok : It was written\n```\n\n{hints}```hint\nType `{line}`.\n```\n\n```why\nBecause.\n```\n"
    );
    for lang in ["en", "zh"] {
        fs::write(lesson.join(format!("{lang}.md")), &text).unwrap();
    }
    command.args(["run", "--json", "--yes", "--lang", "en", "line", "--lessons"]).arg(home.join("lessons"));
    command.env("HOME", home).env_remove("XDG_STATE_HOME").stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A session that runs.
struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    name: String,
}

impl Running {
    fn start(command: &mut Command) -> Running {
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first: serde_json::Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        let name = first["name"].as_str().unwrap().to_string();
        Running { child, lines, name }
    }

    /// Waits until a line of its output holds this.
    fn tells(&mut self, text: &str) {
        let mut lines = self.lines.by_ref().map_while(Result::ok);
        assert!(lines.any(|line| line.contains(text)), "it ended without {text}");
    }

    /// Waits until something was written to a file of this name.
    fn wrote(&mut self, file: &str) {
        let mut lines = self.lines.by_ref().map_while(Result::ok);
        assert!(lines.any(|line| is_write(&line, file)), "it ended without a write to {file}");
    }

    /// Sends a signal and waits for the end, which must come soon; gives the status and standard error.
    fn end(mut self, signal: Signal) -> (ExitStatus, String, Duration) {
        let began = Instant::now();
        kill(Pid::from_raw(self.child.id() as i32), signal).unwrap();
        let status = ends(&mut self.child, Duration::from_secs(30));
        let took = began.elapsed();
        let mut errors = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
        (status, errors, took)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether a line is the event of a write(2) to a file of this name.
fn is_write(line: &str, file: &str) -> bool {
    line.contains("\"name\":\"write\"") && line.contains(file)
}

/// Waits for a process to end; it is killed where it does not.
fn ends(child: &mut Child, within: Duration) -> ExitStatus {
    let process = boxwright::kernel::pidfd::open(boxwright::kernel::pid::Pid::of(child)).unwrap();
    let mut fds = [PollFd::new(process.as_fd(), PollFlags::POLLIN)];
    if poll(&mut fds, PollTimeout::try_from(within).unwrap()).unwrap() == 0 {
        let _ = child.kill();
        let _ = child.wait();
        panic!("it has not ended within {within:?}");
    }
    child.wait().unwrap()
}

fn clean(home: &Path, status: i32) -> String {
    let mut command = Command::new(BOXWRIGHT);
    command.arg("clean").env("HOME", home).env("LC_ALL", "C").env_remove("XDG_STATE_HOME");
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(status), "{text}");
    text
}

/// What freezes a process in this group.
fn freezing(group: &str) -> String {
    format!(
        "mkdir -p {group}; sleep 300 & echo $! > {group}/cgroup.procs; echo FROZEN > {group}/freezer.state; sleep 299"
    )
}

fn a_frozen_process_keeps_no_session_from_ending() {
    for signal in [Signal::SIGTERM, Signal::SIGHUP] {
        let home = tempfile::tempdir().unwrap();
        let mut running = Running::start(&mut session(home.path(), &freezing("/sys/fs/cgroup/freezer/$BOX")));
        running.wrote("freezer.state");
        let name = running.name.clone();
        let (status, errors, took) = running.end(signal);
        assert_eq!((status.code(), errors.as_str()), (Some(128 + signal as i32), ""));
        assert!(took < SOON, "{took:?}");
        assert_eq!(left_of(&name), Vec::<String>::new());
        assert_eq!(clean(home.path(), 0), "Nothing is left of earlier sessions.\n");
    }
}

fn a_group_of_another_name_keeps_no_session_from_ending_and_goes_with_it() {
    struct Group(String);
    impl Drop for Group {
        fn drop(&mut self) {
            let _ = fs::write(format!("{}/freezer.state", self.0), "THAWED");
            let _ = fs::remove_dir(&self.0);
        }
    }
    let group = Group(format!("/sys/fs/cgroup/freezer/elsewhere-{}", std::process::id()));
    let home = tempfile::tempdir().unwrap();
    let mut running = Running::start(&mut session(home.path(), &freezing(&group.0)));
    running.wrote("freezer.state");
    let name = running.name.clone();
    let (status, errors, took) = running.end(Signal::SIGTERM);
    assert_eq!((status.code(), errors.as_str()), (Some(143), ""));
    assert!(took < SOON, "{took:?}");
    assert_eq!(left_of(&name), Vec::<String>::new());
    assert!(!fs::exists(&group.0).unwrap(), "the session made it");
}

fn what_a_killed_session_froze_is_thawed_and_removed_by_the_next() {
    let home = tempfile::tempdir().unwrap();
    let mut running = Running::start(&mut session(home.path(), &freezing("/sys/fs/cgroup/freezer/$BOX")));
    running.wrote("freezer.state");
    let name = running.name.clone();
    drop(running);
    assert!(Path::new("/sys/fs/cgroup/freezer").join(&name).exists());
    let cleaned = clean(home.path(), 0);
    assert!(cleaned.contains(&format!("removed control group /sys/fs/cgroup/freezer/{name}")), "{cleaned}");
    assert_eq!(left_of(&name), Vec::<String>::new());
}

fn a_traced_command_that_is_frozen_keeps_trace_no_longer_either() {
    let group = format!("/sys/fs/cgroup/freezer/traced-{}", std::process::id());
    let mut command = Command::new(BOXWRIGHT);
    command.args(["trace", "--json", "-o", "&1", "--", "sh", "-c", &freezing(&group)]).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| is_write(&line, "freezer.state")));
    let began = Instant::now();
    kill(Pid::from_raw(child.id() as i32), Signal::SIGTERM).unwrap();
    let status = ends(&mut child, Duration::from_secs(30));
    let took = began.elapsed();
    fs::write(format!("{group}/freezer.state"), "THAWED").unwrap();
    // What had to be left behind goes now.
    let emptied = boxwright::cleanup::groups::remove(Path::new(&group), Instant::now() + SOON);
    assert_eq!(emptied, []);
    assert!(took < SOON && !status.success(), "{took:?} {status}");
}

fn an_unread_output_keeps_no_session_from_ending_and_the_rest_is_named() {
    let home = tempfile::tempdir().unwrap();
    let mut running = Running::start(&mut session(home.path(), "mkdir made; yes | head -c 3000000; sleep 300"));
    // More than the pipe holds is on its way, and from here on it is not read.
    running.tells("y\\ny\\ny");
    let name = running.name.clone();
    // Time for the pipe to fill up; where it is not full yet the end is only the easier.
    let _ = poll(&mut [], PollTimeout::from(500u16));
    let (status, errors, took) = running.end(Signal::SIGTERM);
    assert_eq!(status.code(), Some(143));
    assert!(took < SOON, "{took:?}");
    assert!(errors.contains("within two seconds") && errors.contains(&name), "{errors}");
    assert!(errors.contains("boxwright clean"), "{errors}");
    let cleaned = clean(home.path(), 0);
    assert!(cleaned.contains(&format!("{name}\n")) && cleaned.contains("removed run directory"), "{cleaned}");
    assert_eq!(left_of(&name), Vec::<String>::new());
}

fn a_guest_of_the_sessions_group_outlives_it_in_the_group_above() {
    let home = tempfile::tempdir().unwrap();
    let line = "mkdir /sys/fs/cgroup/pids/$BOX; echo $$ > /sys/fs/cgroup/pids/$BOX/cgroup.procs; sleep 300";
    let mut running = Running::start(&mut session(home.path(), line));
    running.wrote("cgroup.procs");
    let name = running.name.clone();
    let mut guest = Command::new("sleep").arg("300").env("BOX", &name).spawn().unwrap();
    fs::write(format!("/sys/fs/cgroup/pids/{name}/cgroup.procs"), guest.id().to_string()).unwrap();
    let (status, errors, _) = running.end(Signal::SIGTERM);
    let groups = fs::read_to_string(format!("/proc/{}/cgroup", guest.id())).unwrap();
    let alive = guest.try_wait().unwrap().is_none();
    guest.kill().unwrap();
    guest.wait().unwrap();
    assert_eq!((status.code(), errors.as_str()), (Some(143), ""));
    assert!(alive && groups.lines().any(|line| line.ends_with(":pids:/")), "{groups}");
    assert_eq!(left_of(&name).into_iter().filter(|what| !what.contains("process")).collect::<Vec<_>>(), [""; 0]);
}

fn a_signal_during_the_start_ends_it_at_once() {
    let home = tempfile::tempdir().unwrap();
    let (state, name) = (home.path().join(".local/state/boxwright"), boxwright::session::fresh_name().unwrap());
    fs::create_dir_all(&state).unwrap();
    // So much is left of an earlier session that the start is busy with it for a while.
    let work = home.path().join(&name).join("work");
    for dir in 0..100 {
        let dir = work.join(dir.to_string());
        fs::create_dir_all(&dir).unwrap();
        (0..200).for_each(|file| drop(fs::File::create(dir.join(file.to_string())).unwrap()));
    }
    let ledger = state.join(format!("{name}.ledger"));
    fs::write(&ledger, format!("boxwright ledger 1\n+ run_dir {}\n", home.path().join(&name).display())).unwrap();
    fs::set_permissions(&ledger, fs::Permissions::from_mode(0o600)).unwrap();
    let mut child = session(home.path(), "true").spawn().unwrap();
    let begun = || fs::read_dir(&work).map_or(0, Iterator::count) < 100;
    while !begun() {
        assert!(child.try_wait().unwrap().is_none());
    }
    kill(Pid::from_raw(child.id() as i32), Signal::SIGTERM).unwrap();
    let status = ends(&mut child, SOON);
    assert_eq!(status.signal(), Some(libc::SIGTERM), "{status}");
    assert!(work.exists() && ledger.exists(), "it went on to the end");
    assert!(clean(home.path(), 0).contains("removed run directory"));
    assert!(!work.exists() && !ledger.exists());
}

fn without_openat2_everything_goes_as_well() {
    for errno in [libc::ENOSYS, libc::EPERM] {
        let home = tempfile::tempdir().unwrap();
        let program = denied(&[(libc::SYS_openat2, errno)], BOXWRIGHT);
        let line = "mkdir -p a/b; ln -s / a/root; echo x > a/b/file; chmod 0 a";
        let mut running = Running::start(&mut session_of(program, home.path(), line));
        running.tells("\"event\":\"summary\"");
        let name = running.name.clone();
        ends(&mut running.child, SOON * 4);
        assert_eq!(left_of(&name), Vec::<String>::new());
        assert_eq!(clean(home.path(), 0), "Nothing is left of earlier sessions.\n");
    }
}

/// Runs this program where every directory that it may write to is a small file system of its own, which ends with it.
fn in_small_places(mut command: Command, home: &Path, script: &str) -> Command {
    let places = ["/run", "/tmp", "/var/tmp"].map(|place| format!("mount -t tmpfs -o size=4m,mode=1777 small {place}"));
    // The program and the lesson may lie below one of them.
    let lessons = home.join("lessons");
    let keep = format!(
        "mount -t tmpfs -o size=256m small /mnt; cp {BOXWRIGHT} /mnt/boxwright; cp -r {} /mnt/",
        lessons.display()
    );
    command.args(["--mount", "--propagation", "private", "sh", "-ec"]);
    command.arg(format!("{keep}; {}; export HOME=/mnt/home; mkdir -p $HOME; cd /; {script}", places.join("; ")));
    command.env_remove("XDG_STATE_HOME").env_remove("XDG_RUNTIME_DIR").env("LC_ALL", "C");
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn where_nothing_can_be_locked_there_is_one_ledger_and_it_says_so() {
    let home = tempfile::tempdir().unwrap();
    drop(session(home.path(), "echo +x > x; sleep 3"));
    let run = "timeout -k 1 30 /mnt/boxwright run --json --yes --lang en line --lessons /mnt/lessons \
               > /mnt/out 2> /mnt/err & while ! grep -q command /mnt/out; do sleep 0.1; done; \
               find /run /tmp /var/tmp /mnt -name '*.ledger'; /mnt/boxwright clean; wait; cat /mnt/err; \
               echo left:; find /run /tmp /var/tmp /mnt -name 'boxwright-*'";
    let program = denied(&[(libc::SYS_flock, libc::ENOLCK)], "unshare");
    let output = in_small_places(program, home.path(), run).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let (ledgers, rest): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| line.ends_with(".ledger"));
    assert!((1..=4).contains(&ledgers.len()), "two ledgers of one session: {text} {output:?}");
    let rest = rest.join("\n");
    assert!(rest.contains("Nothing is left of earlier sessions."), "a living session was taken for a dead one: {rest}");
    assert!(rest.contains("(ENOLCK)") && rest.contains("has no lock"), "{rest}");
    assert!(rest.ends_with("\nleft:"), "something is left: {rest}");
}

/// An ordinary user.
const NOBODY: u32 = 65534;

/// Gives all of this to that user.
fn give(path: &Path) {
    assert!(Command::new("chown").arg("-R").arg(NOBODY.to_string()).arg(path).status().unwrap().success());
}

/// A session of that user's.
fn users_session(home: &Path, line: &str) -> Running {
    let mut command = session(home, line);
    give(home);
    // The groups that these tests write to are not the session's own.
    command.arg("--unguarded").uid(NOBODY).gid(NOBODY).env_remove("XDG_RUNTIME_DIR").env("USER", "nobody");
    Running::start(&mut command)
}

fn who_can_be_neither_killed_nor_moved_is_named() {
    let group = format!("/sys/fs/cgroup/freezer/given-{}", std::process::id());
    fs::create_dir(&group).unwrap();
    give(Path::new(&group));
    let home = tempfile::tempdir().unwrap();
    let mut running = users_session(home.path(), &freezing(&group));
    running.wrote("freezer.state");
    let frozen: i32 = fs::read_to_string(format!("{group}/cgroup.procs")).unwrap().trim().parse().unwrap();
    let name = running.name.clone();
    let (status, errors, took) = running.end(Signal::SIGTERM);
    fs::write(format!("{group}/freezer.state"), "THAWED").unwrap();
    let emptied = boxwright::cleanup::groups::remove(Path::new(&group), Instant::now() + SOON);
    assert_eq!(emptied, []);
    assert_eq!(status.code(), Some(143), "{errors}");
    assert!(took < SOON, "{took:?}");
    let said = format!("process {frozen} (sleep) has not ended: it is frozen in {group}");
    assert!(errors.contains(&said) && errors.contains(&format!("\n  echo THAWED > {group}/freezer.state")), "{errors}");
    assert_eq!(left_of(&name), Vec::<String>::new());
}

fn an_ordinary_users_session_ends_as_soon() {
    let home = tempfile::tempdir().unwrap();
    let mut running = users_session(home.path(), "echo ready; sleep 300");
    let name = running.name.clone();
    running.tells("command");
    let (status, errors, took) = running.end(Signal::SIGTERM);
    assert_eq!((status.code(), errors.as_str()), (Some(143), ""));
    assert!(took < SOON, "{took:?}");
    assert_eq!(left_of(&name), Vec::<String>::new());
}

fn what_cannot_be_removed_is_named_at_the_end_and_the_rest_goes() {
    let home = tempfile::tempdir().unwrap();
    // A deep tree, and a file that cannot be removed.
    let line = "mkdir keep; touch keep/locked keep/free; chattr +i keep/locked; mkdir deep; cd deep; \
                for i in $(seq 250); do mkdir directory; cd -P directory; done; cd /; echo re''ady";
    let mut running = Running::start(&mut session(home.path(), line));
    let name = running.name.clone();
    running.tells("ready");
    let run_dir = left_of(&name).into_iter().find(|what| what.starts_with('/') && !what.contains("cgroup")).unwrap();
    let found = Command::new("find").args([&run_dir, "-name", "locked"]).output().unwrap().stdout;
    let locked = Locked(String::from_utf8(found).unwrap().trim().into());
    let (status, errors, took) = running.end(Signal::SIGTERM);
    assert_eq!(status.code(), Some(143), "{errors}");
    assert!(took < SOON, "{took:?}");
    let path = locked.0.display();
    assert!(errors.contains(&format!("{path} is immutable (EPERM)")), "{errors}");
    assert!(errors.contains(&format!("\n  chattr -i {path}")), "{errors}");
    let dir = locked.0.parent().unwrap();
    assert_eq!(fs::read_dir(dir).unwrap().count(), 1, "the rest has gone");
    assert_eq!(fs::read_dir(dir.parent().unwrap()).unwrap().count(), 1, "the rest has gone");
    drop(locked);
    clean(home.path(), 0);
    assert_eq!(left_of(&name), Vec::<String>::new());
}

/// An immutable file, which loses that letter whatever becomes of the test.
struct Locked(PathBuf);

impl Drop for Locked {
    fn drop(&mut self) {
        let _ = Command::new("chattr").arg("-i").arg(&self.0).status();
    }
}
