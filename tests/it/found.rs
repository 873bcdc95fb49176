//! What a learner makes on the machine under a name of their own, and what becomes of it.

use crate::harness::{Test, tests};
use crate::support::BOXWRIGHT;
use boxwright::kernel::groups::Hierarchies;
use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::Duration,
};

pub fn tests() -> Vec<Test> {
    tests![
        it_goes_with_the_session: [Root, Tool("unshare"), Tool("python3"), Controller("pids")],
        it_is_in_the_ledger: [Root, Tool("unshare"), Tool("python3"), Controller("pids")],
        what_took_its_place_is_left_alone: [Root, Tool("unshare"), Controller("pids")],
    ]
}

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A session in plain lines, in an IPC namespace of its own, with ledgers of its own.
struct Talk {
    child: Child,
    lines: ChildStdin,
    said: Receiver<String>,
    state: tempfile::TempDir,
}

/// The group's name and its directory; the directory is removed whatever happens.
struct Group(String, PathBuf);

impl Group {
    fn new(what: &str) -> Group {
        let name = format!("customized-{what}-{}", std::process::id());
        let dir = Hierarchies::read().find("pids").unwrap().top().join(&name);
        Group(name, dir)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.1);
    }
}

impl Talk {
    fn begin() -> Talk {
        let state = tempfile::tempdir().unwrap();
        let mut command = Command::new("unshare");
        command.args(["-i", BOXWRIGHT, "--plain", "--lang", "en", "isolate/without-fork"]);
        command.env("XDG_STATE_HOME", state.path()).env("HOME", state.path());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (send, said) = channel();
        let out = BufReader::new(child.stdout.take().unwrap());
        thread::spawn(move || out.lines().map_while(Result::ok).all(|line| send.send(line).is_ok()));
        let lines = child.stdin.take().unwrap();
        Talk { child, lines, said, state }
    }

    fn line(&mut self, line: &str) {
        writeln!(self.lines, "{line}").unwrap();
    }

    /// Waits until this is said.
    #[track_caller]
    fn until(&self, what: &str) {
        let mut all = String::new();
        loop {
            match self.said.recv_timeout(PATIENCE) {
                Ok(line) if line.contains(what) => return,
                Ok(line) => all += &(line + "\n"),
                Err(_) => panic!("never said: {what}\n{all}"),
            }
        }
    }

    /// Runs a script in the namespaces of the session.
    fn ask(&self, script: &str) -> String {
        let pid = self.child.id().to_string();
        let out = Command::new("nsenter").args(["-t", &pid, "-i", "sh", "-c", script]).output().unwrap();
        String::from_utf8(out.stdout).unwrap()
    }

    /// A process that keeps the namespaces of the session when that has ended; it is there already.
    fn keeper(&self) -> Child {
        let mut command = Command::new("nsenter");
        command.args(["-t", &self.child.id().to_string(), "-i", "sh", "-c", "echo; exec sleep 300"]);
        let mut keeper = command.stdout(Stdio::piped()).spawn().unwrap();
        keeper.stdout.take().unwrap().read_exact(&mut [0]).unwrap();
        keeper
    }

    fn clean(&self) -> String {
        let mut command = Command::new(BOXWRIGHT);
        command.args(["clean", "--lang", "en"]).env("XDG_STATE_HOME", self.state.path()).env("HOME", self.state.path());
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    }
}

/// How many System V objects there are, and whether the POSIX ones of these names are.
fn objects(shared: &Path) -> String {
    format!("cat /proc/sysvipc/* | grep -vc perms; ls {} 2>/dev/null", shared.display())
}

fn it_goes_with_the_session() {
    let (group, shared) = (Group::new("end"), PathBuf::from(format!("/dev/shm/customized-{}", std::process::id())));
    let mut talk = Talk::begin();
    talk.line(&format!(
        "! cgcreate -g pids:{0} && mkdir {1}/below && cgexec -g pids:{0} sleep 300 &",
        group.0,
        group.1.display()
    ));
    talk.until(&format!("cgroup {} is made on the machine: removed at the end", group.0));
    talk.line("! ipcmk -Q; ipcmk -M 100; ipcmk -S 2");
    for what in ["queue", "shared memory", "semaphores"] {
        talk.until(&format!("{what} "));
    }
    talk.line(&format!("! echo x > {}", shared.display()));
    talk.until(&format!("{} is made on the machine", shared.display()));
    assert_eq!(talk.ask(&objects(&shared)), format!("3\n{}\n", shared.display()));
    let mut keeper = talk.keeper();
    talk.line("q");
    let status = talk.child.wait().unwrap();
    let out = Command::new("nsenter")
        .args(["-t", &keeper.id().to_string(), "-i", "sh", "-c", &objects(&shared)])
        .output()
        .unwrap();
    keeper.kill().unwrap();
    keeper.wait().unwrap();
    assert!(status.success());
    assert_eq!(String::from_utf8(out.stdout).unwrap(), "0\n");
    assert!(!group.1.exists(), "{}", group.1.display());
}

fn it_is_in_the_ledger() {
    let group = Group::new("ledger");
    let queue = format!("customized-{}", std::process::id());
    let mut talk = Talk::begin();
    talk.line(&format!("! mkdir {}", group.1.display()));
    talk.until("removed at the end");
    let python =
        format!("import ctypes; ctypes.CDLL(None).syscall({}, b'{queue}', 0o102, 0o600, None)", nix::libc::SYS_mq_open);
    talk.line(&format!("! ipcmk -Q; python3 -c \"{python}\""));
    talk.until(&format!("message queue /{queue} is made on the machine"));
    let mut keeper = talk.keeper();
    talk.child.kill().unwrap();
    talk.child.wait().unwrap();
    assert!(group.1.exists());
    let mut clean = Command::new("nsenter");
    clean.args(["-t", &keeper.id().to_string(), "-i", BOXWRIGHT, "clean", "--lang", "en"]);
    clean.env("XDG_STATE_HOME", talk.state.path()).env("HOME", talk.state.path());
    let said = String::from_utf8(clean.output().unwrap().stdout).unwrap();
    keeper.kill().unwrap();
    keeper.wait().unwrap();
    assert!(said.contains(&format!("removed control group {}", group.1.display())), "{said}");
    assert!(
        said.contains("removed object queue ") && said.contains(&format!("removed object message queue /{queue}")),
        "{said}"
    );
    assert!(!group.1.exists());
}

fn what_took_its_place_is_left_alone() {
    let group = Group::new("other");
    let mut talk = Talk::begin();
    talk.line(&format!("! mkdir {}", group.1.display()));
    talk.until("removed at the end");
    fs::remove_dir(&group.1).unwrap();
    fs::create_dir(&group.1).unwrap();
    talk.child.kill().unwrap();
    talk.child.wait().unwrap();
    let said = talk.clean();
    assert!(group.1.exists() && !said.contains(&group.0), "{said}");
}
