//! Many learners on one machine at once, some of them with accounts of their own: each passes, the board is right, nothing is
//! left, and none sees another's.
//!
//! `BOXWRIGHT_LEARNERS=40` names another number than four.

use crate::harness::{Test, tests};
use crate::support::{BOXWRIGHT, for_everybody, left_of};
use serde_json::Value;
use std::{
    collections::BTreeSet,
    fs,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::Path,
    process::{Command, Output, Stdio},
    thread,
};

pub fn tests() -> Vec<Test> {
    let mut tests = tests![
        learners_at_once_pass_and_see_nothing_of_each_other: [Root],
    ];
    tests.extend(tests![a_rehearsal_without_a_board_is_refused, a_learner_tells_the_teacher_one_line_and_a_code,]);
    tests.into_iter().map(Test::alone).collect()
}

/// Accounts that nobody else has.
const ACCOUNTS: [u32; 3] = [64_501, 64_502, 64_503];

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

fn learners_at_once_pass_and_see_nothing_of_each_other() {
    let count = std::env::var("BOXWRIGHT_LEARNERS").ok().and_then(|count| count.parse().ok()).unwrap_or(4);
    let (_kept, program) = for_everybody();
    let states = tempfile::tempdir().unwrap();
    fs::set_permissions(states.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let learners = (0..count).map(|number| {
        let (account, state) = (ACCOUNTS.get(number).copied(), states.path().join(number.to_string()));
        fs::create_dir(&state).unwrap();
        std::os::unix::fs::chown(&state, account, account).unwrap();
        let program = program.clone();
        thread::spawn(move || learn(&program, &state, account))
    });
    let learners: Vec<_> = learners.collect();
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
    for one in &told {
        let who = one.account.map_or("root".to_string(), |uid| uid.to_string());
        let failed: Vec<&str> = one.text.lines().filter(|line| line.contains("\"passed\":false")).collect();
        assert!(one.success && one.summary["failed"] == 0, "{who}: {}\n{failed:#?}", one.summary);
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
