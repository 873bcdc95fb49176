//! The tracer and a shell on a terminal: hold and step, job control, deaths. Every wait is for an event, with a deadline.

use crate::harness::{Test, tests};
use crate::support::BOXWRIGHT;
use boxwright::{
    kernel::pid::{Pid, Signal},
    terminal::{Pty, PtyEvent, Size},
    trace::{Call, Change, Ended, Hold, Return, Root, Spawn, SyscallEvent, TraceEvent, Tracer},
};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::mpsc::{Receiver, channel},
    time::{Duration, Instant},
};

pub fn tests() -> Vec<Test> {
    // A tracer adopts what its processes leave behind, and its process must not do that for other tests' sessions.
    let tests = tests![
        who_has_a_tracer_adopts_orphans_until_it_has_ended: [Root],
        hold_and_step: [Root],
        killed_while_held: [Root],
        job_control: [Root],
        the_window_size_and_a_full_screen_program: [Root],
        the_first_process_of_a_container_dies_with_all_in_it: [Root],
        kill_ends_the_whole_family: [Root],
        step_by_step_from_the_command_line: [Root],
        keys_and_answers_have_one_reader: [Root, Tool("unshare"), Tool("hostname")],
    ];
    tests.into_iter().map(Test::in_its_own_process).collect()
}

/// Longer than anything here takes, also on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

enum News {
    Trace(TraceEvent),
    Output(Vec<u8>),
}

/// A traced shell on a pty.
pub struct Shell {
    pub root: Root,
    pty: Pty,
    news: Receiver<News>,
    pub screen: String,
    pub calls: Vec<SyscallEvent>,
    ends: Vec<(Pid, String, Ended)>,
    pub held: Vec<Call>,
    released: Vec<Pid>,
    finished: Option<Ended>,
    pub tracer: Tracer,
}

impl Shell {
    pub fn start() -> Shell {
        Shell::run(&["/bin/sh"])
    }

    fn run(argv: &[&str]) -> Shell {
        let (send, news) = channel();
        let (traced, printed) = (send.clone(), send);
        let tracer = Tracer::start(Path::new(BOXWRIGHT), move |event| drop(traced.send(News::Trace(event)))).unwrap();
        let pty = Pty::open(Size::USUAL).unwrap();
        pty.reader(move |event| {
            if let PtyEvent::Output(bytes) = event {
                drop(printed.send(News::Output(bytes)));
            }
        })
        .unwrap();
        let env = [("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"), ("PS1", "ready> "), ("TERM", "xterm")];
        let spawn = Spawn {
            program: PathBuf::from(argv[0]),
            argv: argv.iter().map(Into::into).collect(),
            env: env.iter().map(|(name, value)| (name.into(), value.into())).collect(),
            dir: "/".into(),
            tty: Some(pty.slave_path().into()),
            guard: None,
        };
        let root = tracer.spawn(spawn).unwrap();
        let (calls, ends, held, released) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Shell { root, pty, news, screen: String::new(), calls, ends, held, released, finished: None, tracer }
    }

    pub fn type_in(&self, text: &str) {
        self.pty.write(text.as_bytes()).unwrap();
    }

    /// Takes in what happens until this is so.
    #[track_caller]
    pub fn until(&mut self, what: &str, so: impl Fn(&Shell) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !so(self) {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.news.recv_timeout(left) {
                Ok(News::Output(bytes)) => self.screen += &String::from_utf8_lossy(&bytes),
                Ok(News::Trace(event)) => self.take(event),
                Err(_) => panic!("never: {what}; held {:?}; ends {:?}; screen:\n{}", self.held, self.ends, self.screen),
            }
        }
    }

    fn take(&mut self, event: TraceEvent) {
        match event {
            TraceEvent::Syscall(_, event) => self.calls.push(event),
            TraceEvent::Held(_, call) => self.held.push(call),
            TraceEvent::Released(_, pid) => {
                self.held.retain(|call| call.pid != pid);
                self.released.push(pid);
            }
            TraceEvent::Exit { pid, comm, ended, .. } => self.ends.push((pid, comm, ended)),
            TraceEvent::Finished(_, ended) => self.finished = Some(ended),
            TraceEvent::Noted { note, .. } => panic!("{note:?}"),
            TraceEvent::Guarded(_, call, _) => panic!("{call}"),
            TraceEvent::Refused(_, reason) => panic!("{}", reason.en),
        }
    }

    /// Waits for the prompt that follows what was typed.
    #[track_caller]
    pub fn prompt(&mut self) {
        self.until("a prompt", |shell| shell.screen.ends_with("ready> "));
    }

    /// Types a line and waits for the next prompt; what was printed between.
    #[track_caller]
    fn line(&mut self, text: &str) -> String {
        self.screen.clear();
        self.type_in(&format!("{text}\n"));
        self.prompt();
        self.screen.clone()
    }

    #[track_caller]
    pub fn until_held(&mut self, name: &str) -> Call {
        self.until(name, |shell| shell.held.iter().any(|call| call.syscall.name() == name));
        self.held.iter().find(|call| call.syscall.name() == name).unwrap().clone()
    }

    pub fn hold(&self, hold: Hold) {
        self.tracer.hold(self.root, hold);
    }

    pub fn call(&self, name: &str) -> Option<&SyscallEvent> {
        self.calls.iter().rev().find(|event| event.call.syscall.name() == name)
    }

    #[track_caller]
    fn until_ended(&mut self, pid: Pid) -> Ended {
        self.until("its end", |shell| shell.ended(pid).is_some());
        self.ended(pid).unwrap()
    }

    fn ended(&self, pid: Pid) -> Option<Ended> {
        self.ends.iter().find(|(known, ..)| *known == pid).map(|(_, _, ended)| *ended)
    }
}

fn state(pid: Pid) -> char {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next()).unwrap_or('?')
}

fn links(pid: Pid) -> Vec<PathBuf> {
    let kinds = ["ipc", "mnt", "net", "uts"];
    kinds.iter().map(|kind| fs::read_link(format!("/proc/{pid}/ns/{kind}")).unwrap()).collect()
}

fn who_has_a_tracer_adopts_orphans_until_it_has_ended() {
    let adopts = || nix::sys::prctl::get_child_subreaper().unwrap();
    let (first, second) = (Shell::start(), Shell::start());
    assert!(adopts());
    drop(first);
    assert!(adopts(), "there is another one");
    drop(second);
    assert!(!adopts(), "it reaps no more");
}

fn hold_and_step() {
    let mut shell = Shell::start();
    shell.prompt();
    shell.hold(Hold::Until("unshare".into()));
    shell.type_in("unshare -imnpu --fork sh -c 'echo i''nside; exit 3'\n");
    let call = shell.until_held("unshare");
    assert_eq!(call.args_text(), "CLONE_NEWNS|CLONE_NEWUTS|CLONE_NEWIPC|CLONE_NEWPID|CLONE_NEWNET");
    assert!(shell.call("execve").unwrap().call.args_text().contains("unshare"), "what came before was not held");
    assert_eq!(links(call.pid), links(shell.root), "nothing has happened yet");
    shell.tracer.step(call.pid);
    let clone = shell.until_held("clone");
    assert_eq!(clone.pid, call.pid);
    let after = links(call.pid);
    assert!(after.iter().zip(links(shell.root)).all(|(inside, outside)| *inside != outside), "{after:?}");
    let event = shell.call("unshare").unwrap();
    assert_eq!((event.returned, event.changed.len()), (Return::Value(0), 5));
    // A held process stands still, and the time that it is held does not count.
    assert!(event.micros < 10_000_000);
    shell.tracer.step(clone.pid);
    let mount = shell.until_held("mount");
    assert!(shell.call("clone").unwrap().changed.contains(&Change::Child(mount.pid)));
    shell.tracer.run_on(shell.root);
    shell.screen.clear();
    shell.until("the command's output and the prompt", |shell| {
        shell.screen.contains("inside") && shell.screen.ends_with("ready> ")
    });
    assert_eq!(shell.until_ended(mount.pid), Ended::Exited(3));
    assert!(shell.held.is_empty());
}

fn killed_while_held() {
    let mut shell = Shell::start();
    shell.prompt();
    shell.hold(Hold::Until("unshare".into()));
    shell.screen.clear();
    shell.type_in("unshare -m true\n");
    let call = shell.until_held("unshare");
    nix::sys::signal::kill(call.pid.into(), nix::sys::signal::Signal::SIGKILL).unwrap();
    assert_eq!(shell.until_ended(call.pid), Ended::Killed(Signal::KILL));
    assert_eq!(shell.released, [call.pid]);
    assert!(shell.call("unshare").is_none(), "the call never happened");
    shell.tracer.run_on(shell.root);
    shell.prompt();
    assert!(shell.line("echo still; echo $((2+3))").contains("still\r\n5"));
}

fn job_control() {
    let mut shell = Shell::run(&["/usr/bin/unshare", "-mp", "--mount-proc", "--fork", "sh"]);
    shell.prompt();
    assert!(!shell.screen.contains("job control"), "{}", shell.screen);
    // Ctrl-C ends what runs in the foreground.
    shell.screen.clear();
    shell.type_in("sleep 99\n");
    let started = |shell: &Shell| shell.call("execve").is_some_and(|call| call.call.args_text().contains("sleep"));
    shell.until("sleep", started);
    let sleep = shell.call("execve").unwrap().call.pid;
    shell.type_in("\x03");
    shell.prompt();
    assert_eq!(shell.until_ended(sleep), Ended::Killed(Signal(libc::SIGINT)));
    // Ctrl-Z stops it, jobs lists it, fg wakes it, Ctrl-C ends it.
    shell.calls.clear();
    shell.screen.clear();
    shell.type_in("cat\n");
    shell.until("cat", |shell| shell.call("execve").is_some());
    let cat = shell.call("execve").unwrap().call.pid;
    shell.type_in("\x1a");
    shell.until("the prompt", |shell| shell.screen.contains("Stopped") && shell.screen.ends_with("ready> "));
    assert_eq!(state(cat), 't', "it stays stopped");
    assert!(shell.line("jobs").contains("Stopped"));
    shell.screen.clear();
    shell.type_in("fg\n");
    shell.until("its name", |shell| shell.screen.contains("cat"));
    // Once from the terminal's echo and once from cat, which so shows that it runs in the foreground.
    shell.type_in("woken\n");
    shell.until("an echo", |shell| shell.screen.matches("woken").count() == 2);
    shell.type_in("\x03");
    shell.prompt();
    assert_eq!(shell.until_ended(cat), Ended::Killed(Signal(libc::SIGINT)));
    assert!(shell.line("echo $((40+2))").contains("42"));
}

fn the_window_size_and_a_full_screen_program() {
    let mut shell = Shell::start();
    shell.prompt();
    assert!(shell.line("stty size").contains("24 80"));
    shell.line("trap 'echo winch $(stty size)' WINCH");
    shell.screen.clear();
    shell.pty.resize(Size::new(90, 30)).unwrap();
    shell.type_in("\n");
    shell.until("the new size", |shell| shell.screen.contains("winch 30 90"));
    if Path::new("/usr/bin/less").exists() {
        shell.line("trap - WINCH");
        shell.screen.clear();
        shell.type_in("less /etc/passwd\n");
        shell.until("the first page", |shell| shell.screen.contains("root:x:0"));
        shell.screen.clear();
        shell.type_in("q");
        shell.prompt();
    }
}

fn the_first_process_of_a_container_dies_with_all_in_it() {
    let mut shell =
        Shell::run(&["/usr/bin/unshare", "-p", "--fork", "sh", "-c", "sleep 97 & sleep 96 & exec sleep 95"]);
    let sleeping =
        |shell: &Shell| shell.calls.iter().filter(|call| call.call.args_text().contains("\"sleep\"")).count() == 3;
    shell.until("three of them", sleeping);
    let first = shell.calls.iter().find(|call| call.call.args_text().contains("\"95\"")).unwrap().call.pid;
    nix::sys::signal::kill(first.into(), nix::sys::signal::Signal::SIGKILL).unwrap();
    shell.until("the end of all", |shell| shell.finished.is_some());
    // Newer ones of unshare end by the signal that ended their child.
    let inside = shell.ends.iter().filter(|(_, name, _)| name != "unshare");
    let killed = inside.filter(|(.., ended)| *ended == Ended::Killed(Signal::KILL)).count();
    assert_eq!(killed, 3, "{:?}", shell.ends);
}

fn kill_ends_the_whole_family() {
    // Orphans in sessions of their own, processes being made all the time, and some that ignore every signal.
    let script = "trap '' TERM HUP INT; (setsid sh -c 'setsid sleep 94 & exec setsid sleep 93' &); \
                  while :; do (sleep 92 &) ; done";
    let mut shell = Shell::run(&["/bin/sh", "-c", script]);
    shell.until("many of them", |shell| shell.calls.len() > 60);
    let root = shell.root;
    shell.hold(Hold::Every);
    shell.until("held ones", |shell| !shell.held.is_empty());
    shell.tracer.kill(root);
    shell.until("the end of all", |shell| shell.finished.is_some());
    assert_eq!(shell.finished, Some(Ended::Killed(Signal::KILL)));
    assert!(shell.held.is_empty());
    let left = fs::read_dir("/proc").unwrap().flatten().filter(|entry| {
        let command = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        ["sleep\x0092\0", "sleep\x0093\0", "sleep\x0094\0"].iter().any(|name| command == name.as_bytes())
    });
    assert_eq!(left.count(), 0);
}

/// A command on a terminal of its own, outside of every tracer.
pub struct Console {
    pty: Pty,
    printed: std::sync::mpsc::Receiver<Vec<u8>>,
    screen: String,
    pub child: std::process::Child,
}

impl Console {
    pub fn open(command: &str) -> Console {
        let pty = Pty::open(Size::new(200, 24)).unwrap();
        let (send, printed) = channel();
        pty.reader(move |event| {
            if let PtyEvent::Output(bytes) = event {
                drop(send.send(bytes));
            }
        })
        .unwrap();
        let mut setsid = std::process::Command::new("setsid");
        let terminal = pty.slave_path().display();
        setsid.args(["-c", "sh", "-c", command]);
        for stream in 0..3 {
            let file = fs::File::options().read(true).write(true).open(terminal.to_string()).unwrap();
            match stream {
                0 => setsid.stdin(file),
                1 => setsid.stdout(file),
                _ => setsid.stderr(file),
            };
        }
        let child = setsid.spawn().unwrap();
        Console { pty, printed, screen: String::new(), child }
    }

    /// What is printed up to this text.
    pub fn until(&mut self, text: &str) -> String {
        while !self.screen.contains(text) {
            match self.printed.recv_timeout(PATIENCE) {
                Ok(bytes) => self.screen += &String::from_utf8_lossy(&bytes),
                Err(_) => panic!("never: {text}:\n{}", self.screen),
            }
        }
        let end = self.screen.find(text).unwrap() + text.len();
        self.screen.drain(..end).collect::<String>()
    }

    pub fn line(&self, text: &str) {
        self.pty.write(format!("{text}\n").as_bytes()).unwrap();
    }
}

fn step_by_step_from_the_command_line() {
    let mut console = Console::open(&format!("{BOXWRIGHT} trace --step -- unshare -u true; echo status $?"));
    assert!(console.until("Return: next").contains("execve("), "the very first call is held");
    console.line("");
    let shown = console.until("Return: next");
    assert!(shown.contains("unshare(CLONE_NEWUTS)") && !shown.contains("unshare(CLONE_NEWUTS) ="), "{shown}");
    console.line("");
    console.until("unshare(CLONE_NEWUTS) = 0");
    assert!(console.until("Return: next").contains("execve(\"/usr/bin/true\", [\"true\"]"));
    console.line("");
    console.until("status 0");
    console.child.wait().unwrap();
}

fn keys_and_answers_have_one_reader() {
    for (answer, ends) in [("n", "sethostname(\"two\", 3) = -1 EPERM"), ("y", "sethostname(\"two\", 3) = 0")] {
        // In a UTS namespace of the tracer's own, which takes the place of the machine's.
        let trace = format!("{BOXWRIGHT} trace --step --guard -- hostname two");
        let mut console = Console::open(&format!("unshare -u {trace}"));
        console.until("Return: next");
        console.line("");
        console.until("y/N ");
        console.line(answer);
        console.until(ends);
        console.child.wait().unwrap();
    }
}
