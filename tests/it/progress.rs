//! `boxwright progress`: what the lessons have written, told again.

use crate::harness::{Test, tests};
use crate::support::BOXWRIGHT;
use crate::windows::Window;
use serde_json::{Value, json};
use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

pub fn tests() -> Vec<Test> {
    let mut all = tests![
        without_progress_that_is_said_and_nothing_is_made,
        a_file_that_cannot_be_read_is_named_and_left_alone,
        what_an_earlier_version_has_written_is_told,
        what_was_reached_goes_to_another_machine,
        what_is_no_progress_is_refused_and_changes_nothing,
    ];
    let learner = tests![what_a_learner_does_is_told_in_every_form: [Root]];
    all.extend(learner.into_iter().map(Test::alone));
    all
}

fn progress(state: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(BOXWRIGHT);
    command.arg("progress").args(args).env("XDG_STATE_HOME", state).env("HOME", state).env_remove("SUDO_UID");
    command.env("BOXWRIGHT_LANG", "en").output().unwrap()
}

fn said(state: &Path, args: &[&str]) -> String {
    let output = progress(state, args);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn keep(state: &Path, text: &str) -> std::path::PathBuf {
    let dir = state.join("boxwright");
    fs::create_dir(&dir).unwrap();
    fs::write(dir.join("progress.json"), text).unwrap();
    dir.join("progress.json")
}

fn without_progress_that_is_said_and_nothing_is_made() {
    let state = tempfile::tempdir().unwrap();
    for args in [&[][..], &["--markdown"]] {
        assert!(said(state.path(), args).starts_with("No progress yet"), "{args:?}");
    }
    let told: Value = serde_json::from_str(&said(state.path(), &["--json"])).unwrap();
    assert_eq!((&told["last"], &told["lessons"][0]["done"]), (&Value::Null, &json!(0)));
    assert_eq!(fs::read_dir(state.path()).unwrap().count(), 0);
    assert!(said(state.path(), &["--lang", "zh"]).starts_with("还没有学习进度"));
    assert_eq!(progress(state.path(), &["--json", "--markdown"]).status.code(), Some(2));
}

fn a_file_that_cannot_be_read_is_named_and_left_alone() {
    let state = tempfile::tempdir().unwrap();
    let file = keep(state.path(), "{\"lessons\": tor");
    let output = progress(state.path(), &[]);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{error}");
    assert!(error.contains(file.to_str().unwrap()), "{error}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "{\"lessons\": tor");
    assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 1);
}

fn what_an_earlier_version_has_written_is_told() {
    let state = tempfile::tempdir().unwrap();
    keep(
        state.path(),
        r#"{"lessons": {"isolate": {"at": "without-fork", "passed": ["plain-process"]}}, "last": "isolate"}"#,
    );
    assert!(said(state.path(), &[]).contains("isolate     1/10 done"), "{}", said(state.path(), &[]));
}

fn what_a_learner_does_is_told_in_every_form() {
    let state = tempfile::tempdir().unwrap();
    let mut window = Window::open(state.path(), "isolate/1");
    window.pass();
    // What a key answers is said also while something else is waited for.
    window.say("N\n");
    window.until("On: speaker notes");
    window.say("\n");
    window.until("== isolate, step 2 of");
    window.say("h\nh\nh\nn\n");
    window.until("== isolate, step 3 of");
    window.say("g\n");
    window.until("skipped");
    window.close();
    let text = said(state.path(), &[]);
    assert!(text.contains("isolate     1/10 done") && text.contains("1 skipped"), "{text}");
    let told: Value = serde_json::from_str(&said(state.path(), &["--json"])).unwrap();
    let isolate = &told["lessons"][0];
    let states: Vec<_> = isolate["steps"].as_array().unwrap().iter().take(3).map(|step| &step["state"]).collect();
    assert_eq!(states, ["done", "skipped", "open"], "{told}");
    // The first answer of the first step was 1, which is right.
    assert_eq!((&isolate["predictions"]["right"], &isolate["steps"][0]["predictions"][0]), (&json!(1), &json!(true)));
    assert_eq!((&told["last"], &told["complete"]), (&json!("isolate"), &json!(false)));
    let markdown = said(state.path(), &["--markdown"]);
    assert!(markdown.contains("- [x] 1 ") && markdown.contains(": skipped"), "{markdown}");
}

/// What one machine cannot do is not carried to the other; what either has done is done, and the first answer counts.
fn what_was_reached_goes_to_another_machine() {
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let reached = json!({ "last": "isolate", "lessons": { "isolate": {
        "at": "without-fork", "passed": ["plain-process"], "alone": ["plain-process"],
        "answers": { "plain-process": { "0": true } },
        "lacking": { "network": { "en": "no network here" } },
        "unseen": { "inside-ps": { "en": "not seen" } },
    } } });
    keep(here.path(), &reached.to_string());
    let file = here.path().join("carried.json");
    let name = file.to_str().unwrap();
    said(here.path(), &["--export", name]);
    assert_eq!(fs::read_to_string(&file).unwrap(), said(here.path(), &["--export", "-"]));
    let again = progress(here.path(), &["--export", name]);
    assert_eq!(again.status.code(), Some(1), "nothing is overwritten");
    assert!(String::from_utf8(again.stderr).unwrap().contains("EEXIST"));

    let other = json!({ "lessons": { "isolate": {
        "at": "plain-process", "passed": ["without-fork"], "alone": ["without-fork"],
        "answers": { "plain-process": { "0": false } },
        "lacking": { "host-name": { "en": "no host name there" } },
    } } });
    keep(there.path(), &other.to_string());
    for _ in 0..2 {
        said(there.path(), &["--import", name]);
        let told: Value = serde_json::from_str(&said(there.path(), &["--json"])).unwrap();
        let steps = told["lessons"][0]["steps"].as_array().unwrap();
        let state = |name: &str| &steps.iter().find(|step| step["step"] == name).unwrap()["state"];
        assert_eq!((state("plain-process"), state("without-fork")), (&json!("done"), &json!("done")));
        assert_eq!((state("network"), state("inside-ps")), (&json!("open"), &json!("open")), "is of the other machine");
        assert_eq!(state("host-name"), "impossible");
        assert_eq!((&steps[0]["predictions"][0], &told["last"]), (&json!(false), &json!("isolate")));
    }
}

fn what_is_no_progress_is_refused_and_changes_nothing() {
    let state = tempfile::tempdir().unwrap();
    let file = state.path().join("other.json");
    for text in ["", "{}", "[1]", &said(state.path(), &["--json"])] {
        fs::write(&file, text).unwrap();
        let output = progress(state.path(), &["--import", file.to_str().unwrap()]);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{text}: {error}");
        assert!(error.contains("this is not what --export writes"), "{error}");
    }
    let missing = progress(state.path(), &["--import", "/no/such/file"]);
    assert!(String::from_utf8(missing.stderr).unwrap().contains("ENOENT"));
    assert_eq!(fs::read_dir(state.path()).unwrap().count(), 1, "nothing was made");
}
