//! A session in a file: what was recorded on this machine draws the same screen for a user without rights here.

use crate::harness::{Test, tests};
use crate::support::{BOXWRIGHT, tmux::Tmux};
use crate::tui_typing::bar;
use boxwright::recording::{Recording, last_screen};
use serde_json::Value;
use std::{
    fs::{self, File},
    io::BufReader,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output},
    thread,
};

pub fn tests() -> Vec<Test> {
    tests![
        a_recorded_session_draws_the_same_screen_without_root: [Root, Tool("tmux")],
        a_run_is_recorded_and_nothing_is_overwritten: [Root],
        a_recording_is_judged_again_without_root: [Root, Tool("setpriv"), Tool("tmux")],
        what_was_typed_is_typed_again_and_compared: [Root],
    ]
}

/// The last screen of what is recorded so far, as a user sees it who may do nothing on this machine.
#[expect(unsafe_code, reason = "setresuid(2) for one thread: the C library's own changes all of them")]
fn shown_to_nobody(path: &Path) -> Vec<String> {
    let recorded = BufReader::new(File::open(path).unwrap());
    let shown = thread::spawn(move || {
        // SAFETY: it takes three numbers and changes nothing but the rights of this thread, which ends here.
        let dropped = unsafe { libc::syscall(libc::SYS_setresuid, 65534, 65534, 65534) };
        assert_eq!((dropped, File::open("/etc/shadow").is_err()), (0, true));
        let recording = Recording::open(recorded).unwrap();
        let lessons = recording.lessons(None).unwrap();
        last_screen(recording, &lessons).unwrap()
    });
    shown.join().unwrap()
}

fn rows(screen: &str) -> Vec<String> {
    screen.trim_end().lines().map(|row| row.trim_end().to_string()).collect()
}

fn a_recorded_session_draws_the_same_screen_without_root() {
    for (lang, columns, rows_of_it) in [("en", 80, 24), ("zh", 120, 40)] {
        let tmux = Tmux::start(columns, rows_of_it);
        let file = tmux.file("recorded");
        let state = tmux.file("state");
        tmux.line(&format!(
            "XDG_STATE_HOME={} {BOXWRIGHT} --lang {lang} --record {} isolate",
            state.display(),
            file.display()
        ));
        let same = |what: &str, such: &dyn Fn(&str) -> bool| {
            tmux.until(what, |screen| {
                such(screen) && {
                    let mut shown = shown_to_nobody(&file);
                    while shown.last().is_some_and(String::is_empty) {
                        shown.pop();
                    }
                    shown == rows(screen)
                }
            })
        };
        same("the question", &|screen| bar(screen).contains("1-3"));
        tmux.keys(&["1"]);
        same("the first command", &|screen| bar(screen).contains("^G") && !bar(screen).contains("1-3"));
        tmux.line("echo 读 $((6 * 7)); false");
        same("what was typed", &|screen| screen.contains("读 42"));
        tmux.resize(100, 30);
        same("another size", &|screen| screen.lines().count() == 30 && screen.contains("读 42"));
        tmux.keys(&["C-g", "6", "w"]);
        same("an overlay over another pane", &|screen| bar(screen).contains("Esc"));
        tmux.keys(&["Escape", "q"]);
        tmux.until("the shell", |screen| screen.lines().rfind(|row| !row.is_empty()) == Some("ready>"));
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.ends_with("\"end\":\"finished\"}\n"), "{:?}", text.lines().last());
        let header: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
        assert_eq!(
            (&header["lang"], &header["machine"]["root"], &header["places"][0]),
            (&lang.into(), &true.into(), &"isolate/1".into())
        );
        assert_eq!(header["boxwright"], env!("CARGO_PKG_VERSION"));
    }
}

fn run(args: &[&str]) -> Output {
    Command::new(BOXWRIGHT).arg("run").args(args).output().unwrap()
}

fn a_run_is_recorded_and_nothing_is_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("recorded");
    let file = path.to_str().unwrap();
    let done = run(&["isolate/1", "--json", "--record", file]);
    assert!(done.status.success(), "{done:?}");
    let text = fs::read_to_string(&path).unwrap();
    let events: Vec<Value> = text.lines().skip(1).map(|line| serde_json::from_str(line).unwrap()).collect();
    let open = events.iter().find_map(|event| event["event"].get("open"));
    assert_eq!(open, Some(&serde_json::json!(["isolate", 0])));
    for kind in ["output", "sample", "trace", "clock"] {
        assert!(events.iter().any(|event| event["event"][kind] != Value::Null), "no {kind}");
    }
    let times: Vec<u64> = events.iter().map(|event| event["at_micros"].as_u64().unwrap()).collect();
    assert!(times.is_sorted() && times.last() > times.first(), "{times:?}");
    assert_eq!(events.last().unwrap()["end"], "finished");
    assert_eq!(Recording::open(text.as_bytes()).unwrap().map(Result::unwrap).count(), events.len() - 1);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let again = run(&["isolate/1", "--record", file]);
    let said = String::from_utf8(again.stderr).unwrap();
    assert_eq!(again.status.code(), Some(1));
    assert!(said.contains("EEXIST") && said.contains("name another file"), "{said}");
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
}

/// What `boxwright verify` says to a user without rights, and its status.
fn verified(path: &Path) -> (String, Option<i32>) {
    let mut command = Command::new("setpriv");
    command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups", BOXWRIGHT, "--lang", "en", "verify"]);
    let output = command.arg(path).output().unwrap();
    (String::from_utf8([output.stdout, output.stderr].concat()).unwrap(), output.status.code())
}

fn a_recording_is_judged_again_without_root() {
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let file = |name: &str| dir.path().join(name);
    let readable = |path: &Path| fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
    let (recorded, certificate) = (file("recorded"), file("certificate"));
    let done = run(&["isolate", "nsenter/1", "--record", recorded.to_str().unwrap()]);
    assert!(done.status.success(), "{done:?}");
    readable(&recorded);
    let (said, status) = verified(&recorded);
    assert_eq!(status, Some(0), "{said}");
    assert!(said.contains("isolate/challenge: passed\n") && said.contains("11 steps passed"), "{said}");
    assert!(said.contains("\nthe kernel said of the container: isolated\n"), "{said}");

    let written = Command::new(BOXWRIGHT).arg("certificate").arg(&recorded).output().unwrap();
    fs::write(&certificate, &written.stdout).unwrap();
    assert_eq!(verified(&certificate), (said.clone(), Some(0)), "a certificate says the same");
    // Taking the kernel's word out of the recording takes the step out of the verdict.
    let whole = String::from_utf8(written.stdout).unwrap();
    let without: String =
        whole.lines().filter(|line| !line.contains("\"sample\"")).map(|line| format!("{line}\n")).collect();
    fs::write(&certificate, without).unwrap();
    let (said, status) = verified(&certificate);
    assert_eq!(status, Some(1), "{said}");
    assert!(
        said.contains("the recording does not show what the certificate says: ") && said.contains("isolate/challenge")
    );
    let claims = whole.replacen("\"isolate/challenge\"", "\"isolate/challenge\",\"rootfs/challenge\"", 1);
    fs::write(&certificate, claims).unwrap();
    let (said, status) = verified(&certificate);
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("says: rootfs/challenge"), "{said}");
    fs::write(&certificate, "no recording\n").unwrap();
    assert_eq!(verified(&certificate).1, Some(1));

    // The learner's own script goes along, as it was.
    let runtime = file("runtime");
    let done = run(&["runtime/challenge", "--record", runtime.to_str().unwrap()]);
    assert!(done.status.success(), "{done:?}");
    let written = Command::new(BOXWRIGHT).arg("certificate").arg(&runtime).output().unwrap();
    fs::write(&certificate, &written.stdout).unwrap();
    let (said, status) = verified(&certificate);
    assert_eq!(status, Some(0), "{said}");
    assert!(said.contains("\nthe script mybox, as it was then:\n    #!/bin/sh\n"), "{said}");
    // The filter of the program's own tracer is none of the container's.
    assert!(said.contains("\nthe kernel said of the container: isolated, own root, limited, entered\n"), "{said}");
    // It may be anybody's: it is shown, and not run, until that is agreed to.
    let mut break_it = Command::new(BOXWRIGHT);
    let shown = break_it.args(["--lang", "en", "fix", "--mutant", "--script"]).arg(&certificate).output().unwrap();
    let said = String::from_utf8_lossy(&shown.stderr);
    assert_eq!(shown.status.code(), Some(2), "{said}");
    assert!(said.contains("  #!/bin/sh\n") && said.contains("--yes") && !said.contains("trying it"), "{said}");
    let whole = String::from_utf8(written.stdout).unwrap();
    fs::write(&certificate, whole.replacen("hostname mine", "hostname thine", 1)).unwrap();
    assert_eq!(verified(&certificate).1, Some(1), "that was not the script");

    // What a learner does on a screen is judged by the same events.
    let tmux = Tmux::start(80, 24);
    let learnt = file("learnt");
    let state = tmux.file("state");
    tmux.line(&format!(
        "XDG_STATE_HOME={} {BOXWRIGHT} --lang en --record {} isolate",
        state.display(),
        learnt.display()
    ));
    tmux.until("the question", |screen| bar(screen).contains("1-3"));
    tmux.keys(&["1"]);
    let mut screen = tmux.until("the first command", |screen| bar(screen).contains("Space"));
    while !bar(&screen).contains("Space next step") {
        tmux.keys(&["Space"]);
        let before = screen;
        screen = tmux.until("what Space does", |screen| *screen != before && bar(screen).contains("Space"));
    }
    tmux.quit();
    readable(&learnt);
    let (said, status) = verified(&learnt);
    assert_eq!(status, Some(0), "{said}");
    assert!(said.contains("isolate/plain-process: passed\n"), "{said}");
    assert!(said.contains("1 steps passed; predicted right at once: 1 of 1"), "{said}");
}

fn what_was_typed_is_typed_again_and_compared() {
    let dir = tempfile::tempdir().unwrap();
    let recorded = dir.path().join("recorded");
    let done = run(&["isolate", "nsenter/pid-only", "--record", recorded.to_str().unwrap()]);
    assert!(done.status.success(), "{done:?}");
    let again = |args: &[&str]| {
        let mut command = Command::new(BOXWRIGHT);
        let output = command.args(["--lang", "en", "verify", "--rerun"]).args(args).arg(&recorded).output().unwrap();
        (String::from_utf8([output.stdout, output.stderr].concat()).unwrap(), output.status.code())
    };
    // Nothing runs that was not read.
    let (said, status) = again(&[]);
    assert!(said.contains("\n    host $ nsenter -t {container} -p sh\n") && said.contains("add --yes"), "{said}");
    assert_eq!(status, Some(2));
    let (said, status) = again(&["--yes"]);
    assert_eq!((status, said.matches("the same came of it").count()), (Some(0), 11), "{said}");
    assert!(said.ends_with("11 of 11 steps came out the same\n"), "{said}");
    // Another line than the one that made the kernel say so.
    let forged = |line: &str| match line.contains("\"output\"") {
        true => line.replace("hostname box", "hostname bux") + "\n",
        false => line.to_string() + "\n",
    };
    let text: String = fs::read_to_string(&recorded).unwrap().lines().map(forged).collect();
    fs::write(&recorded, text).unwrap();
    let (said, status) = again(&["--yes"]);
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("isolate/host-name: ") && said.contains("10 of 11 steps came out the same"), "{said}");
}
