//! What a killed owner leaves is found and removed by the next `boxwright clean`, and nothing else is.

use crate::harness::{Test, tests};
use crate::support::for_everybody;
use boxwright::{
    kernel::groups::Hierarchies,
    session::{Delegated, Entry, Ledger, RunDir, fresh_name},
};
use std::fs;
use std::fs::Permissions;
use std::io::{BufRead, BufReader};
use std::os::unix::{fs::PermissionsExt, process::CommandExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard};

pub fn tests() -> Vec<Test> {
    let tests = tests![
        the_next_start_removes_what_a_killed_owner_left,
        the_doctor_needs_no_terminal_and_leaves_nothing,
        a_controller_that_others_use_by_now_is_listed_and_taken_back_later: [Root, FreeController],
        what_a_session_enables_with_any_program_is_taken_back: [Root, FreeController],
        what_a_user_has_made_unreadable_goes_as_well: [Root],
        a_group_with_members_is_emptied_and_removed: [Root, Controller("pids")],
    ];
    tests.into_iter().map(Test::alone).collect()
}

const BOXWRIGHT: &str = env!("CARGO_BIN_EXE_boxwright");
const GROUPS: &str = "/sys/fs/cgroup/pids";

/// The first argument of the process that the test below kills.
pub const OWNER: &str = "__owner";

/// Makes everything that a session makes, and then waits for ever.
pub fn owner() -> ! {
    let mut ledger = Ledger::create().unwrap();
    let run_dir = RunDir::create(&mut ledger, Path::new(BOXWRIGHT), &["ps", "ip"]).unwrap();
    let group = Path::new(GROUPS).join(fresh_name().unwrap());
    ledger.add(Entry::Cgroup(group.clone())).unwrap();
    let group = std::fs::create_dir(&group).map_or("-".into(), |()| group.display().to_string());
    println!("made {} {group}", run_dir.path().display());
    loop {
        std::thread::park();
    }
}

fn clean_to(status: i32, home: &Path, args: &[&str]) -> String {
    let mut command = Command::new(BOXWRIGHT);
    command.arg("clean").args(args).env("HOME", home).env("LC_ALL", "C").env_remove("XDG_STATE_HOME");
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(status), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn clean(home: &Path, args: &[&str]) -> String {
    clean_to(0, home, args)
}

fn the_next_start_removes_what_a_killed_owner_left() {
    let home = tempfile::tempdir().unwrap();
    let mut owner = Command::new(std::env::current_exe().unwrap())
        .arg(OWNER)
        .env("HOME", home.path())
        .env_remove("XDG_STATE_HOME")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(owner.stdout.take().unwrap()).lines();
    let made = lines.map_while(Result::ok).find_map(|line| Some(line.split_once("made ")?.1.to_string())).unwrap();
    let (run_dir, group) = made.split_once(' ').unwrap();
    let run_dir = PathBuf::from(run_dir);

    assert!(!clean(home.path(), &[]).contains(&made), "a living owner's things are left alone");
    assert!(run_dir.join("bin/ps").is_symlink());

    owner.kill().unwrap();
    owner.wait().unwrap();
    assert!(run_dir.exists(), "the kernel does not remove it");
    let listed = clean(home.path(), &["--dry-run"]);
    assert!(listed.contains(&format!("would remove run directory {}", run_dir.display())), "{listed}");
    assert!(run_dir.exists());

    let removed = clean(home.path(), &[]);
    assert!(removed.contains(&format!("removed run directory {}", run_dir.display())), "{removed}");
    assert!(!run_dir.exists());
    // Where no control group could be made there is none to remove.
    assert_eq!(removed.contains(&format!("removed control group {group}")), group != "-", "{removed}");
    assert!(!Path::new(group).exists());
    assert_eq!(clean(home.path(), &[]), "Nothing is left of earlier sessions.\n");
    assert!(std::fs::read_dir(home.path().join(".local/state/boxwright")).unwrap().next().is_none());
}

fn the_doctor_needs_no_terminal_and_leaves_nothing() {
    let home = tempfile::tempdir().unwrap();
    let output = Command::new(BOXWRIGHT).args(["doctor", "--json"]).env("HOME", home.path()).output().unwrap();
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let lessons = report["lessons"].as_array().unwrap();
    let all = lessons.iter().all(|lesson| lesson["possible"] == true);
    assert_eq!(output.status.code(), Some(if all { 0 } else { 3 }));
    for row in report["rows"].as_array().unwrap() {
        assert_eq!(row["level"] == "ok", row["remedy"].is_null(), "{row}");
    }
    assert!(std::fs::read_dir(home.path().join(".local/state/boxwright")).is_ok_and(|mut left| left.next().is_none()));
}

/// A controller that is not enabled at the top of a version 2 tree, so that a test may. It is as before at the end.
pub struct Free {
    top: PathBuf,
    controller: String,
    _only_one: MutexGuard<'static, ()>,
}

impl Free {
    /// Finds one, and tries that it can be enabled and is not in use.
    pub fn find() -> Result<Free, String> {
        static MACHINE: Mutex<()> = Mutex::new(());
        let only_one = MACHINE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
        let top = mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>()).find(|mount| mount[2] == "cgroup2");
        let top = top.ok_or("there is no version 2 tree of control groups")?;
        let top = PathBuf::from(top[1]);
        let words = |name: &str| fs::read_to_string(top.join(name)).unwrap_or_default();
        let enabled = words("cgroup.subtree_control");
        let free = |name: &&str| enabled.split_whitespace().all(|known| known != *name);
        let controllers = words("cgroup.controllers");
        let controller = controllers.split_whitespace().find(free).ok_or("every controller is enabled")?.to_string();
        let free = Free { top, controller, _only_one: only_one };
        free.set('+').and_then(|()| free.set('-')).map_err(|error| format!("{}: {error}", free.controller))?;
        Ok(free)
    }

    fn file(&self) -> PathBuf {
        self.top.join("cgroup.subtree_control")
    }

    fn set(&self, sign: char) -> std::io::Result<()> {
        fs::write(self.file(), format!("{sign}{}", self.controller))
    }

    fn enabled(&self) -> bool {
        let enabled = fs::read_to_string(self.file()).unwrap();
        enabled.split_whitespace().any(|name| name == self.controller)
    }
}

impl Drop for Free {
    fn drop(&mut self) {
        let _ = self.set('-');
    }
}

/// A group that hands the controller down in its turn.
struct User(PathBuf);

impl User {
    fn of(free: &Free) -> User {
        let user = User(free.top.join(format!("in-use-{}", std::process::id())));
        fs::create_dir(&user.0).unwrap();
        fs::write(user.0.join("cgroup.subtree_control"), format!("+{}", free.controller)).unwrap();
        user
    }
}

impl Drop for User {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.0);
    }
}

fn a_controller_that_others_use_by_now_is_listed_and_taken_back_later() {
    let free = Free::find().unwrap();
    free.set('+').unwrap();
    let user = User::of(&free);
    let home = tempfile::tempdir().unwrap();
    let state = home.path().join(".local/state/boxwright");
    fs::create_dir_all(&state).unwrap();
    let mut ledger = Ledger::create_in(&state).unwrap();
    ledger.add(Entry::Delegated(Delegated::new(free.top.clone(), free.controller.clone()))).unwrap();
    // The session ends, and the kernel says EBUSY.
    drop(ledger);
    assert!(free.enabled());
    let (file, name) = (free.file(), free.controller.as_str());
    let change = format!("-{name} {}", file.display());
    assert_eq!(clean(home.path(), &["--dry-run"]), format!("would take back {change}\n"));
    let refused = clean_to(1, home.path(), &[]);
    let below = user.0.display().to_string();
    for part in [
        &format!("cannot take back {name}: Device or resource busy (EBUSY)"),
        &below,
        &format!("echo -{name} > {}", file.display()),
    ] {
        assert!(refused.contains(part.as_str()), "{part}: {refused}");
    }
    assert!(free.enabled());

    drop(user);
    assert_eq!(clean(home.path(), &[]), format!("took back {change}\n"));
    assert!(!free.enabled());
    assert_eq!(clean(home.path(), &[]), "Nothing is left of earlier sessions.\n");
}

/// A session whose only step is this line.
fn session(home: &Path, line: &str) -> Command {
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
    let mut command = Command::new(BOXWRIGHT);
    command.args(["run", "--json", "--yes", "--lang", "en", "line", "--lessons"]).arg(home.join("lessons"));
    command.env("HOME", home).env_remove("XDG_STATE_HOME");
    command
}

fn what_a_session_enables_with_any_program_is_taken_back() {
    let free = Free::find().unwrap();
    let home = tempfile::tempdir().unwrap();
    let file = free.file().display().to_string();
    let line = format!("echo +{} > {file}", free.controller);
    let change = "cgroup.subtree_control: ";

    let output = session(home.path(), &line).output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && told.contains(change), "{told}");
    assert!(!free.enabled());

    let mut killed = session(home.path(), &format!("{line}; sleep 300")).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(killed.stdout.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.contains(change)));
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert!(free.enabled());
    let cleaned = clean(home.path(), &[]);
    assert!(cleaned.contains(&format!("took back -{} {file}\n", free.controller)), "{cleaned}");
    assert!(!free.enabled());
}

fn what_a_user_has_made_unreadable_goes_as_well() {
    let home = tempfile::tempdir().unwrap();
    let nobody = 65534;
    let name = format!("boxwright-{nobody}-0123456789ab");
    let (state, run_dir) = (home.path().join(".local/state/boxwright"), home.path().join(&name));
    let locked = run_dir.join("work/locked");
    for dir in [&state, &locked.join("below")] {
        fs::create_dir_all(dir).unwrap();
    }
    fs::write(locked.join("file"), "x").unwrap();
    let ledger = state.join(format!("{name}.ledger"));
    fs::write(&ledger, format!("boxwright ledger 1\n+ run_dir {}\n", run_dir.display())).unwrap();
    fs::set_permissions(&ledger, Permissions::from_mode(0o600)).unwrap();
    fs::set_permissions(&locked, Permissions::from_mode(0o000)).unwrap();
    let owned = Command::new("chown").arg("-R").arg(nobody.to_string()).arg(home.path()).status();
    assert!(owned.unwrap().success());
    let (_dir, program) = for_everybody();
    let mut command = Command::new(program);
    command.arg("clean").uid(nobody).gid(nobody).env("HOME", home.path()).env_remove("XDG_STATE_HOME");
    let output = command.env("LC_ALL", "C").output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), format!("removed run directory {}\n", run_dir.display()));
    assert!(!run_dir.exists() && !ledger.exists());
}

fn a_group_with_members_is_emptied_and_removed() {
    let group = Hierarchies::read().find("pids").unwrap().top().join(fresh_name().unwrap());
    let below = group.join("below");
    fs::create_dir_all(&below).unwrap();
    let mut child = Command::new("sleep").arg("99").spawn().unwrap();
    fs::write(below.join("cgroup.procs"), child.id().to_string()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let mut ledger = Ledger::create_in(dir.path()).unwrap();
    ledger.add(Entry::Cgroup(group.clone())).unwrap();
    // Reaped by its parent, as the tracer or init reaps in real life: until then the group stays busy.
    let reaper = std::thread::spawn(move || child.wait());
    drop(ledger);
    assert!(!reaper.join().unwrap().unwrap().success());
    assert!(!group.exists());
}
