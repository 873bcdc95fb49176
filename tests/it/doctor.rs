//! What `doctor` calls possible passes, and what cannot be done is said with status 3: on this machine, and on what seccomp
//! filters, covered files and dropped capabilities make of it.

use crate::{
    harness::{Test, tests},
    support::{BOXWRIGHT, deny::deny, host},
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::PermissionsExt,
    process::{Command, Output, Stdio},
};

pub fn tests() -> Vec<Test> {
    let tests = tests![
        a_user_under_a_covered_proc_is_told_what_cannot_be_done: [Root, UserNamespaces, Tool("unshare"), Tool("setpriv")],
        what_a_filter_refuses_is_skipped_and_never_fails: [Root],
        an_ordinary_user_wires_containers:
            [Root, UserNamespaces, Tool("unshare"), Tool("setpriv"), Tool("ip"), Tool("nft")],
        a_run_that_did_nothing_ends_with_3: [Root, UserNamespaces, Tool("unshare"), Tool("setpriv")],
        root_without_capabilities_takes_the_way_of_users: [Root, UserNamespaces, Tool("unshare"), Tool("setpriv")],
        what_bars_every_lesson_is_refused_at_once: [Root, Tool("unshare")],
        remedies_name_the_program_by_its_path: [Root, Tool("unshare"), Tool("setpriv")],
        a_class_is_counted_by_a_session_that_is_measured: [Root],
    ];
    tests.into_iter().map(Test::alone).collect()
}

/// A copy of the program where all users can start it, and a home for an ordinary user.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Place {
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), PermissionsExt::from_mode(0o755)).unwrap();
        fs::copy(BOXWRIGHT, dir.path().join("boxwright")).unwrap();
        fs::create_dir(dir.path().join("home")).unwrap();
        fs::set_permissions(dir.path().join("home"), PermissionsExt::from_mode(0o777)).unwrap();
        Place(dir)
    }

    fn program(&self) -> String {
        self.0.path().join("boxwright").display().to_string()
    }

    /// A shell's script in a mount namespace of its own, in which `$0` is the program.
    fn script(&self, script: &str) -> Command {
        let mut command = Command::new("unshare");
        command.args(["-m", "--propagation", "private", "sh", "-c", script, &self.program()]);
        self.environment(&mut command);
        command
    }

    fn environment(&self, command: &mut Command) {
        let path = std::env::var("PATH").unwrap();
        command.env_clear().env("PATH", path).env("LC_ALL", "C.UTF-8").env("TERM", "xterm");
        command.env("HOME", self.0.path().join("home")).stdin(Stdio::null());
    }
}

/// An ordinary user.
const USER: &str = "exec setpriv --reuid 65534 --regid 65534 --clear-groups";

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// The doctor's report, and its status.
fn report(command: &mut Command) -> (Value, i32) {
    let output = command.output().unwrap();
    let report = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", said(&output)));
    (report, output.status.code().unwrap())
}

/// One row of the report: level, what was found, remedy.
fn row(report: &Value, check: &str) -> (String, String, String) {
    let rows = report["rows"].as_array().unwrap();
    let row = rows.iter().find(|row| row["check"] == check).unwrap_or_else(|| panic!("{check}: {report}"));
    let text = |name: &str| row[name].as_str().unwrap_or_default().to_string();
    (text("level"), text("found"), text("remedy"))
}

/// The steps that the report says are skipped, with their reasons, of these lessons.
fn expected(report: &Value, lessons: &[&str]) -> BTreeMap<String, String> {
    let all = report["lessons"].as_array().unwrap().iter();
    let wanted = all.filter(|lesson| lessons.contains(&lesson["lesson"].as_str().unwrap()));
    let steps = wanted.flat_map(|lesson| {
        let skipped = lesson["skipped"].as_array().unwrap();
        let (count, doable) = (lesson["steps"].as_u64().unwrap(), lesson["doable"].as_u64().unwrap());
        assert_eq!(count - doable, skipped.len() as u64, "{lesson}");
        assert_eq!(lesson["possible"], doable > 0, "{lesson}");
        skipped.iter().map(|step| {
            let name = format!("{}/{}", lesson["lesson"].as_str().unwrap(), step["step"].as_str().unwrap());
            (name, step["reason"].as_str().unwrap().to_string())
        })
    });
    steps.collect()
}

/// A run of these lessons: what each step came to, and the status.
fn outcomes(command: &mut Command) -> (BTreeMap<String, (String, String)>, i32) {
    let output = command.output().unwrap();
    let events = String::from_utf8_lossy(&output.stdout).into_owned();
    let events = events.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let outcomes = events.filter(|event| event["event"] == "outcome").map(|event| {
        let text = |name: &str| event[name].as_str().unwrap_or_default().to_string();
        (format!("{}/{}", text("lesson"), text("step")), (text("outcome"), text("reason")))
    });
    let outcomes: BTreeMap<_, _> = outcomes.collect();
    assert!(!outcomes.is_empty(), "{}", said(&output));
    (outcomes, output.status.code().unwrap())
}

/// The doctor's outlook is what a run then does: no step fails, and the very steps are skipped, for the very reasons.
fn agree(name: &str, lessons: &[&str], command: impl Fn(&[&str]) -> Command) -> Value {
    let (report, status) = report(&mut command(&["doctor", "--json"]));
    let all = report["lessons"].as_array().unwrap().iter().all(|lesson| lesson["possible"] == true);
    assert_eq!(status, if all { 0 } else { 3 }, "{name}");
    let skipped = expected(&report, lessons);
    let mut words = vec!["run", "--json", "--patience", "4"];
    words.extend(lessons);
    let (outcomes, status) = outcomes(&mut command(&words));
    let failed: Vec<_> = outcomes.iter().filter(|(_, (outcome, _))| outcome == "failed").collect();
    assert!(failed.is_empty(), "{name}: {failed:#?}");
    let really: BTreeMap<String, String> = outcomes
        .iter()
        .filter(|(_, (outcome, _))| outcome == "skipped")
        .map(|(step, (_, reason))| (step.clone(), reason.clone()))
        .collect();
    assert_eq!(really, skipped, "{name}");
    assert_eq!(status, if really.len() == outcomes.len() { 3 } else { 0 }, "{name}");
    report
}

const COVERED: &str = "mount --bind /dev/null /proc/timer_list; mount --bind /dev/null /proc/keys;";

/// What dev containers do: parts of /proc are covered, and everything else is allowed.
fn a_user_under_a_covered_proc_is_told_what_cannot_be_done() {
    let place = Place::new();
    let command = |words: &[&str]| place.script(&format!("{COVERED} {USER} \"$0\" {}", words.join(" ")));
    let report = agree("covered", &["isolate", "rootfs", "nsenter"], command);
    let (level, found, remedy) = row(&report, "mount a new /proc");
    assert_eq!(level, "missing");
    assert!(found.contains("EPERM") && remedy.contains("/proc/timer_list +1"), "{found} -> {remedy}");
    let lesson = |id: &str| {
        let lesson = report["lessons"].as_array().unwrap().iter().find(|lesson| lesson["lesson"] == id).unwrap();
        (lesson["doable"].as_u64().unwrap(), lesson["because"].to_string())
    };
    let (doable, because) = lesson("isolate");
    assert!(doable > 0 && because.contains("mount a new /proc"), "{because}");
    assert_eq!(lesson("nsenter").0, 0, "each step of it begins with the core command");
    let command = |words: &[&str]| place.script(&format!("{COVERED} exec \"$0\" {}", words.join(" ")));
    let (outcomes, status) = outcomes(&mut command(&["run", "--json", "isolate/one-call-at-a-time"]));
    let passed = outcomes.values().all(|(outcome, _)| outcome == "passed");
    assert!(passed && status == 0, "root of the machine may mount it all the same: {outcomes:?}");
}

/// One call at a time is refused, as seccomp profiles and security modules do.
fn what_a_filter_refuses_is_skipped_and_never_fails() {
    let place = Place::new();
    let cases: [(&str, &[libc::c_long], &[&str], &str); 7] = [
        ("mount", &[libc::SYS_mount], &["isolate"], "namespace mnt"),
        ("setns", &[libc::SYS_setns], &["nsenter"], "setns"),
        ("pivot_root", &[libc::SYS_pivot_root], &["rootfs"], "pivot_root"),
        ("chroot", &[libc::SYS_chroot], &["rootfs"], "chroot"),
        ("sethostname", &[libc::SYS_sethostname], &["isolate"], "namespace uts"),
        ("mknod", &[libc::SYS_mknodat], &["rootfs"], "root of the machine"),
        // What `ip` and `nft` ask the kernel for something with.
        ("sendmsg", &[libc::SYS_sendmsg], &["network"], "veth"),
    ];
    for (name, calls, lessons, check) in cases {
        let command = |words: &[&str]| {
            let mut command = Command::new(place.program());
            command.args(words);
            place.environment(&mut command);
            deny(&mut command, calls, libc::EPERM);
            command
        };
        let report = agree(name, lessons, command);
        let (level, found, remedy) = row(&report, check);
        assert_eq!(level, "missing", "{name}: {found}");
        assert!(found.contains("EPERM") && !remedy.contains("sudo"), "{name}: {found} -> {remedy}");
        assert!(!remedy.contains("CONFIG_"), "what is refused is not missing: {name}: {remedy}");
    }
}

/// Cables, bridges, forwarding and NAT belong to the network namespaces that the lesson makes, and these to the user namespace of
/// its shells: no root is needed.
fn an_ordinary_user_wires_containers() {
    let (place, before) = (Place::new(), host());
    let command = |words: &[&str]| place.script(&format!("{USER} \"$0\" {}", words.join(" ")));
    let report = agree("network", &["network"], command);
    for check in ["veth", "bridge", "nat"] {
        assert_eq!(row(&report, check).0, "ok", "{check}");
    }
    assert_eq!(expected(&report, &["network"]), BTreeMap::new(), "no step of it is skipped");
    // Where there may be no network namespace, the report says so, and names the file that says how many.
    let none = "echo 0 > /proc/sys/user/max_net_namespaces;";
    let script = |words: &[&str]| format!("{none} exec \"$0\" {}", words.join(" "));
    let command = |words: &[&str]| {
        let mut command = Command::new("setpriv");
        command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups", "unshare", "-Ur", "sh", "-c"]);
        command.args([&script(words), &place.program()]);
        place.environment(&mut command);
        command
    };
    let report = agree("no network namespace", &["network"], command);
    let (level, found, _) = row(&report, "veth");
    assert!(level == "missing" && found.contains("ENOSPC"), "{level}: {found}");
    assert_eq!(expected(&report, &["network"]).len(), 12);
    assert_eq!(host(), before, "the machine is as it was");
}

/// Without a user namespace a user can do nothing, and the run says so with its status.
fn a_run_that_did_nothing_ends_with_3() {
    let place = Place::new();
    let command = |words: &[&str]| {
        let mut command = Command::new("setpriv");
        command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups", &place.program()]).args(words);
        place.environment(&mut command);
        deny(&mut command, &[libc::SYS_unshare], libc::EPERM);
        command
    };
    let report = agree("unshare", &["isolate", "rootfs", "cgroups"], command);
    for lesson in report["lessons"].as_array().unwrap() {
        assert_eq!((lesson["doable"].as_u64(), lesson["possible"].as_bool()), (Some(0), Some(false)), "{lesson}");
    }
    let (outcomes, status) = outcomes(&mut command(&["run", "--json", "isolate/3"]));
    assert_eq!((outcomes.len(), status), (1, 3));
}

/// Root as Docker leaves it, with seccomp switched off: it has not the capabilities, but may make a user namespace.
fn root_without_capabilities_takes_the_way_of_users() {
    let place = Place::new();
    let command = |words: &[&str]| {
        place.script(&format!("exec setpriv --bounding-set -sys_admin,-net_admin \"$0\" {}", words.join(" ")))
    };
    let report = agree("docker", &["isolate", "nsenter"], command);
    let skipped = expected(&report, &["isolate", "nsenter"]);
    // A runtime makes devices.
    assert_eq!(skipped.keys().collect::<Vec<_>>(), ["nsenter/by-name"], "{skipped:#?}");
    let (level, found, remedy) = row(&report, "privileges");
    assert_eq!(level, "limited");
    assert!(found.contains("without CAP_SYS_ADMIN CAP_NET_ADMIN") && found.contains("user namespace"), "{found}");
    assert!(!remedy.contains("sudo"), "{remedy}");
    assert_eq!(row(&report, "root of the machine").0, "missing");
}

/// What lets no lesson begin is said at once, everywhere the same: one sentence and the remedy.
fn what_bars_every_lesson_is_refused_at_once() {
    let place = Place::new();
    let ways = ["run isolate", "run --json cgroups/where-am-i", "--plain isolate", "isolate", ""];
    let cases = [
        ("exec unshare --pid --fork \"$0\"", "/proc is our own", "--mount-proc"),
        ("umount -l /proc; exec \"$0\"", "/proc", "/proc"),
        ("mount -t proc -o subset=pid proc /proc; exec \"$0\"", "/proc is our own", "ProcSubset=all"),
        ("ulimit -n 20; exec \"$0\"", "open files", "only root raises"),
        ("ulimit -Sn 15; exec \"$0\"", "open files", "ulimit -n 1024"),
        ("mount -t tmpfs none /dev/pts; exec \"$0\"", "pseudo-terminals", "mount -t devpts"),
        ("mount --bind /dev/null /bin/bash; mount --bind /dev/null /bin/sh; exec \"$0\"", "shell", "/bin/sh"),
    ];
    for (begin, what, remedy) in cases {
        for words in ways {
            let output = place.script(&format!("{begin} {words}")).output().unwrap();
            refused(&output, what, remedy);
        }
    }
    for words in ways {
        let mut command = Command::new(place.program());
        command.args(words.split_whitespace());
        place.environment(&mut command);
        deny(&mut command, &[libc::SYS_clone3], libc::EPERM);
        refused(&command.output().unwrap(), "processes and threads", "seccomp");
    }
    // A tool that works with two threads.
    let mut command = Command::new(place.program());
    command.args(["image", "unpack", "builtin:", "tree"]).current_dir(place.0.path().join("home"));
    place.environment(&mut command);
    deny(&mut command, &[libc::SYS_clone3], libc::EPERM);
    let output = command.output().unwrap();
    let said = said(&output);
    assert!(output.status.code() == Some(1) && said.contains("clone3") && said.contains("(EPERM)"), "{said}");
    assert!(said.contains("seccomp") && !said.contains("panicked"), "{said}");
}

fn refused(output: &Output, what: &str, remedy: &str) {
    let said = said(output);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(output.stdout.is_empty(), "{said}");
    let lines: BTreeSet<&str> = said.lines().collect();
    assert!(said.starts_with("boxwright: ") && said.lines().next().unwrap().contains(what), "{said}");
    assert!(said.lines().nth(1).is_some_and(|line| line.starts_with("  ") && line.contains(remedy)), "{said}");
    assert_eq!(lines.len(), 2, "{said}");
}

/// The remedies name the program as it can be typed.
fn remedies_name_the_program_by_its_path() {
    let place = Place::new();
    let (report, _) = report(&mut place.script(&format!("{USER} \"$0\" doctor --json")));
    let (_, _, remedy) = row(&report, "privileges");
    assert!(remedy.contains(&place.program()), "{remedy}");
    let output = place.script(&format!("{USER} \"$0\" inspect 1")).output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    assert!(said(&output).contains(&format!("{} inspect 1", place.program())), "{}", said(&output));
}

fn a_class_is_counted_by_a_session_that_is_measured() {
    let mut doctor = std::process::Command::new(crate::support::BOXWRIGHT);
    let output = doctor.args(["doctor", "--class", "3", "--json"]).output().unwrap();
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told["class"], 3);
    // Two shells and the program itself hold more than a mebibyte, and no step a hundred of them.
    let memory = told["session"]["memory"].as_u64().unwrap();
    assert!((1 << 20..100 << 20).contains(&memory), "{told}");
    assert!(
        told["session"]["tasks"].as_u64().unwrap() >= 3 && told["session"]["cpu"].as_f64().unwrap() > 0.0,
        "{told}"
    );
    let memory = &told["rows"][0];
    assert_eq!((&memory["what"], &memory["enough"]), (&"memory".into(), &true.into()));
    // So many are really started, and nothing is left of them.
    assert!(told["proved"]["why"].is_null() && told["proved"]["seconds"].as_f64().unwrap() > 0.0, "{told}");
    let enough = told["rows"].as_array().unwrap().iter().all(|row| row["enough"] != false);
    assert_eq!(output.status.code(), Some(if enough { 0 } else { 1 }), "{told}");
    let mut doctor = std::process::Command::new(crate::support::BOXWRIGHT);
    let output = doctor.args(["doctor", "--class", "10000", "--lang", "en"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("NOT ENOUGH") && text.contains("Not known from here"), "{text}");
    assert!(text.contains("So many are not started here"), "{text}");
    assert_eq!(output.status.code(), Some(1));
}
