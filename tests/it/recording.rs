//! A session in a file: what was recorded on this machine draws the same screen for somebody who has no rights here.

use crate::harness::{Test, tests};
use crate::support::{BOXWRIGHT, tmux::Tmux};
use crate::tui_typing::bar;
use boxwright::{
    lesson,
    recording::{Recording, last_screen},
};
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
    let tests = tests![
        a_recorded_session_draws_the_same_screen_without_root: [Root, Tool("tmux")],
        a_run_is_recorded_and_nothing_is_overwritten: [Root],
    ];
    tests.into_iter().map(Test::alone).collect()
}

/// The last screen of what is recorded so far, as a user sees it who may do nothing on this machine.
#[expect(unsafe_code, reason = "setresuid(2) for one thread: the C library's own changes all of them")]
fn shown_to_nobody(path: &Path) -> Vec<String> {
    let recorded = BufReader::new(File::open(path).unwrap());
    let lessons = lesson::load(None).unwrap();
    let shown = thread::spawn(move || {
        // SAFETY: it takes three numbers and changes nothing but the rights of this thread, which ends here.
        let dropped = unsafe { libc::syscall(libc::SYS_setresuid, 65534, 65534, 65534) };
        assert_eq!((dropped, File::open("/etc/shadow").is_err()), (0, true));
        last_screen(Recording::open(recorded).unwrap(), &lessons).unwrap()
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
    assert_eq!(events[0]["event"]["open"], serde_json::json!(["isolate", 0]));
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
