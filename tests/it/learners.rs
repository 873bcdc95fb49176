//! Many learners on one machine at once, some of them with accounts of their own: each passes, the board is right, nothing is
//! left, and none sees another's.
//!
//! `BOXWRIGHT_LEARNERS=40` names another number than two. Each learner is played all lessons without a screen, as root or by
//! an account; beside them root and each account sit in a class, whose board is read as it changes.

use crate::harness::{Test, tests};
use crate::support::{BOXWRIGHT, for_everybody, left_of};
use serde_json::Value;
use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead, BufReader, Write},
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};

pub fn tests() -> Vec<Test> {
    let mut tests = tests![
        learners_at_once_pass_and_see_nothing_of_each_other: [Root, Tool("find")],
    ];
    tests.extend(tests![a_rehearsal_without_a_board_is_refused, a_learner_tells_the_teacher_one_line_and_a_code,]);
    tests.into_iter().map(Test::alone).collect()
}

/// Accounts that nobody else has.
const ACCOUNTS: [u32; 3] = [64_501, 64_502, 64_503];
/// How long a change of the board is waited for: forty may share two processors.
const PATIENCE: Duration = Duration::from_secs(300);

fn run(args: &[&str]) -> Output {
    Command::new(BOXWRIGHT).args(args).args(["--lang", "en"]).stdin(Stdio::null()).output().unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.clone(), output.stderr.clone()].concat()).into_owned()
}

/// What one learner's run told.
struct Told {
    account: Option<u32>,
    session: String,
    text: String,
    summary: Value,
    success: bool,
}

/// Plays all lessons as root, or as this account.
fn learn(program: &Path, state: &Path, account: Option<u32>) -> Told {
    let mut command = Command::new(program);
    // Many share two processors: what is waited for comes later.
    command.args(["run", "--json", "--patience", "5", "--lang", "en"]).env("XDG_STATE_HOME", state);
    command.env("HOME", state).env_remove("SUDO_UID").stdin(Stdio::null());
    if let Some(uid) = account {
        command.uid(uid).gid(uid);
    }
    let output = command.output().unwrap();
    let text = text(&output);
    let events: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let event = |name: &str| events.iter().find(|event| event["event"] == name).cloned().unwrap_or_default();
    let session = event("session")["name"].as_str().unwrap_or_default().to_string();
    Told { account, session, summary: event("summary"), success: output.status.success(), text }
}

/// A learner of a class, who is asked, and waits.
struct Seated {
    account: Option<u32>,
    state: PathBuf,
    child: Child,
}

impl Seated {
    fn start(program: &Path, states: &Path, class: &Path, account: Option<u32>) -> Seated {
        let name = name(account);
        let state = states.join(&name);
        fs::create_dir(&state).unwrap();
        std::os::unix::fs::chown(&state, account, account).unwrap();
        let mut command = Command::new(program);
        command.args(["--plain", "isolate/1", "--lang", "en", "--name", &name, "--class"]).arg(class);
        command.env("XDG_STATE_HOME", &state).env("HOME", &state).env_remove("SUDO_UID");
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        if let Some(uid) = account {
            command.uid(uid).gid(uid);
        }
        Seated { account, state, child: command.spawn().unwrap() }
    }

    fn says(&mut self, line: &str) {
        self.child.stdin.as_mut().unwrap().write_all(line.as_bytes()).unwrap();
    }
}

impl Drop for Seated {
    fn drop(&mut self) {
        // Where it has ended already, it cannot be told.
        let _ = self.child.stdin.take().unwrap().write_all(b"q\n");
        let _ = self.child.wait();
    }
}

fn name(account: Option<u32>) -> String {
    account.map_or("root".to_string(), |uid| format!("account-{uid}"))
}

/// The board as it changes.
struct Board(Child, Receiver<Value>);

impl Board {
    fn of(class: &Path) -> Board {
        let mut child =
            Command::new(BOXWRIGHT).arg("class").arg(class).arg("--json").stdout(Stdio::piped()).spawn().unwrap();
        let (send, lines) = channel();
        let out = BufReader::new(child.stdout.take().unwrap());
        // It ends with the board.
        thread::spawn(move || {
            let values = out.lines().map_while(Result::ok).filter_map(|line| serde_json::from_str(&line).ok());
            values.for_each(|value| drop(send.send(value)));
        });
        Board(child, lines)
    }

    /// Waits for a board on which this is so; gives that.
    fn until(&self, what: &str, is: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        let (deadline, mut last) = (Instant::now() + PATIENCE, Value::Null);
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            last = self.1.recv_timeout(left).unwrap_or_else(|_| panic!("{what}: {last:#}"));
            assert_eq!(last["unread"], 0, "{last:#}");
            let learners = last["learners"].as_array().unwrap();
            if is(learners) {
                return learners.clone();
            }
        }
    }
}

impl Drop for Board {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Beside all others root and each account sit in a class: the board tells of each what is so, and none of them can read or
/// change what another one has.
fn a_class_of_accounts(program: &Path, states: &Path) {
    let class = tempfile::tempdir().unwrap();
    fs::set_permissions(class.path(), fs::Permissions::from_mode(0o1777)).unwrap();
    let board = Board::of(class.path());
    let accounts = ACCOUNTS.map(Some).into_iter().chain([None]);
    let mut seated: Vec<Seated> =
        accounts.map(|account| Seated::start(program, states, class.path(), account)).collect();
    let asked = |learner: &Value| learner["doing"] == "asked" && learner["question"]["answer"].is_null();
    let learners = board.until("all are asked", |learners| learners.len() == 4 && learners.iter().all(asked));
    for learner in &learners {
        let here = seated.iter().find(|one| learner["name"] == name(one.account).as_str()).unwrap();
        assert_eq!(learner["pid"], here.child.id(), "{learner:#}");
        assert_eq!((&learner["lesson"], &learner["number"]), (&"isolate".into(), &1.into()), "{learner:#}");
    }
    for account in ACCOUNTS {
        for other in seated.iter().filter(|one| one.account != Some(account)) {
            sees_nothing_of(account, other, class.path());
        }
    }
    for (number, learner) in seated.iter_mut().enumerate() {
        learner.says(&format!("{}\n", number % 3 + 1));
    }
    let chosen = |learner: &Value| learner["question"]["answer"].as_u64();
    let learners = board.until("all have answered", |learners| learners.iter().filter_map(chosen).count() == 4);
    for (number, one) in seated.iter().enumerate() {
        let learner = learners.iter().find(|learner| learner["name"] == name(one.account).as_str()).unwrap();
        assert_eq!(chosen(learner), Some(number as u64 % 3), "{learner:#}");
    }
    // A hand is raised last, and stands first.
    seated[2].says("H\n");
    board.until("a hand", |learners| {
        learners[0]["flag"] == "help" && learners[0]["name"] == name(Some(ACCOUNTS[2])).as_str()
    });
    drop(seated);
    board.until("nobody is left", <[Value]>::is_empty);
    assert_eq!(fs::read_dir(class.path()).unwrap().count(), 0);
}

/// The name of a session, which its shells have in their environment.
fn session_of(learner: &Child) -> String {
    let parent = |pid: u32| {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        status.lines().find_map(|line| line.strip_prefix("PPid:")?.trim().parse::<u32>().ok())
    };
    let pids = fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let mut below =
        pids.filter(|pid| std::iter::successors(Some(*pid), |pid| parent(*pid)).any(|pid| pid == learner.id()));
    let name = below.find_map(|pid: u32| {
        let text = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        text.split('\0').find_map(|word| word.strip_prefix("BOX=").map(str::to_string))
    });
    name.unwrap()
}

/// This account can neither read nor change what belongs to another learner, whose session runs: the directories of the session
/// and of its progress, its processes, and its card, which all may read.
fn sees_nothing_of(account: u32, other: &Seated, class: &Path) {
    let owner = name(other.account);
    let session = session_of(&other.child);
    // An account's session may lie elsewhere than one of root's.
    let everywhere =
        boxwright::dirs::everywhere().into_iter().chain(["/tmp", "/var/tmp", "/run", "/dev/shm"].map(PathBuf::from));
    let bases: Vec<PathBuf> = everywhere.chain([other.state.clone()]).filter(|place| place.exists()).collect();
    let found = Command::new("find").args(&bases).args(["-maxdepth", "4", "-name", &session]).output().unwrap();
    let mut places: Vec<String> = String::from_utf8(found.stdout).unwrap().lines().map(str::to_string).collect();
    places.extend(
        Some(other.state.join("boxwright")).filter(|kept| kept.exists()).map(|kept| kept.display().to_string()),
    );
    let find = |uid: u32| {
        let mut command = Command::new("find");
        command.args(&places).args(["(", "-readable", "-o", "-writable", ")", "-print"]);
        String::from_utf8(command.uid(uid).gid(uid).current_dir("/").output().unwrap().stdout).unwrap()
    };
    assert!(find(0).contains(&session), "root finds the session of {owner}: {places:?}");
    assert_eq!(find(account), "", "{account} reads or changes what {owner} has");
    let (pid, card) = (other.child.id(), class.join(format!("{}.json", name(other.account))));
    let script = "cat /proc/$1/environ; kill -0 $1; : >> \"$2\"; rm -f \"$2\"; mv \"$2\" \"$2.mine\"; ls /proc/$1/fd/ /proc/$1/root/";
    let mut command = Command::new("sh");
    command.args(["-c", script, "sh", &pid.to_string()]).arg(&card).uid(account).gid(account).env("LC_ALL", "C");
    let output = command.output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "", "{account} and {owner}: {}", text(&output));
    assert!(card.exists() && fs::read_to_string(&card).unwrap().contains("isolate"), "{account} and {owner}");
    assert!(text(&output).contains("not permitted") && text(&output).contains("denied"), "{}", text(&output));
}

fn learners_at_once_pass_and_see_nothing_of_each_other() {
    let count = std::env::var("BOXWRIGHT_LEARNERS").ok().and_then(|count| count.parse().ok()).unwrap_or(2);
    let (_kept, program) = for_everybody();
    let states = tempfile::tempdir().unwrap();
    fs::set_permissions(states.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let learners = (0..count).map(|number| {
        // One of them is root.
        let account = ACCOUNTS.get(number).copied().filter(|_| number + 1 < count);
        let state = states.path().join(number.to_string());
        fs::create_dir(&state).unwrap();
        std::os::unix::fs::chown(&state, account, account).unwrap();
        let program = program.clone();
        thread::spawn(move || learn(&program, &state, account))
    });
    let learners: Vec<_> = learners.collect();
    a_class_of_accounts(&program, states.path());
    // Beside them the board is filled, and is right.
    let class = tempfile::tempdir().unwrap();
    let board = run(&["class", class.path().to_str().unwrap(), "--rehearse", &count.to_string()]);
    let told: Vec<Told> = learners.into_iter().map(|learner| learner.join().unwrap()).collect();
    let said = text(&board);
    let answers = format!("{count} answers are counted");
    assert!(said.contains("hands are seen"), "{said}");
    for stage in [&format!("{count} sessions stand on the board"), &answers, &format!("{count} sessions have left")] {
        assert!(board.status.success() && said.contains(stage.as_str()), "{stage}: {said}");
    }
    assert_eq!(fs::read_dir(class.path()).unwrap().count(), 0);

    let steps = told[0].summary["steps"].as_u64().unwrap();
    let sessions: BTreeSet<&str> = told.iter().map(|one| one.session.as_str()).collect();
    assert_eq!(sessions.len(), count, "each has a name of its own");
    let who = |one: &Told| one.account.map_or("root".to_string(), |uid| uid.to_string());
    let failed = told.iter().filter(|one| !one.success || one.summary["failed"] != 0).map(|one| {
        let checks: Vec<&str> = one.text.lines().filter(|line| line.contains("\"passed\":false")).collect();
        (who(one), one.summary["failed"].clone(), checks)
    });
    let failed: Vec<_> = failed.collect();
    assert!(failed.is_empty(), "{} of {count} failed: {failed:#?}", failed.len());
    for one in &told {
        let who = who(one);
        let skipped = one.summary["skipped"].as_array().unwrap().len() as u64;
        assert_eq!(one.summary["passed"].as_u64().unwrap() + skipped, steps, "{who}");
        assert!(one.account.is_some() || skipped < steps / 4, "{who}: {}", one.summary);
        for other in sessions.iter().filter(|name| **name != one.session) {
            assert!(!one.text.contains(other), "{who} sees {other}");
        }
        assert_eq!(left_of(&one.session), [""; 0], "{who}");
    }
}

fn a_rehearsal_without_a_board_is_refused() {
    let refused = run(&["class", "/nowhere", "--rehearse", "4"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused).contains("mkdir -m 1777"), "{}", text(&refused));
}

fn a_learner_tells_the_teacher_one_line_and_a_code() {
    let told = run(&["doctor", "--learner"]);
    let line = String::from_utf8(told.stdout.clone()).unwrap();
    assert!(line.lines().count() == 1 && line.contains(" lessons can be done here"), "{line}");
    let code = line.trim().rsplit(' ').next().unwrap();
    let read = run(&["doctor", "--learner", code]);
    let said = text(&read);
    assert!(read.status.success() && said.contains("isolate ") && said.contains("cgroup "), "{code}: {said}");
    let wrong = run(&["doctor", "--learner", "R2AAAA"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(text(&wrong).contains("not a learner's code"), "{}", text(&wrong));
}
