//! Both branches of a held call: each is played from the same replayed state, what differs is marked, and nothing stays.

use crate::harness::{Test, tests};
use crate::support::{BOXWRIGHT, host, tmux::Tmux, words::ENGLISH};
use crate::tui_typing::{answers, bar};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    process::{Command, Output},
};

pub fn tests() -> Vec<Test> {
    let told = tests![
        a_call_is_played_as_it_is_and_changed: [Root],
        a_line_is_played_with_an_option_and_without: [Root],
        what_would_change_the_machine_changes_a_copy: [Root],
        a_branch_starts_where_the_step_does: [Root],
        what_cannot_be_played_is_said: [Root],
    ];
    let screen = tests![
        one_key_shows_both_and_the_call_waits_on: [Root, Tool("tmux")],
        a_mutant_of_the_learners_own_script_has_both: [Root, Tool("tmux"), Tool("setpriv")],
        a_session_that_ends_takes_its_branches_along: [Root, Tool("tmux")],
        plain_lines_say_what_differs: [Root, Tool("setsid")],
    ];
    told.into_iter().chain(screen).map(Test::alone).collect()
}

const STEP: &str = "isolate/one-call-at-a-time";

fn what_if(args: &[&str]) -> Output {
    Command::new(BOXWRIGHT).args(["what-if", "--lang", "en"]).args(args).output().unwrap()
}

/// What both are, by what it is about; and all that was told.
fn compared(args: &[&str]) -> (BTreeMap<String, [String; 2]>, Value) {
    let output = what_if(&[args, &["--json"]].concat());
    assert!(output.status.success(), "{output:?}");
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_string();
    let rows = told["compared"].as_array().unwrap().iter().map(|row| {
        let both = [text(&row["as_it_is"]), text(&row["changed"])];
        assert!(
            both[0] == both[1] || row["differs"] == true || row["what"].as_str().unwrap().contains("times"),
            "{row}"
        );
        (text(&row["what"]), both)
    });
    (rows.collect(), told)
}

fn pair(first: &str, second: &str) -> [String; 2] {
    [first.into(), second.into()]
}

fn a_call_is_played_as_it_is_and_changed() {
    let before = host();
    let (rows, told) = compared(&[STEP, "unshare", "CLONE_NEWUTS", "CLONE_NEWIPC"]);
    for kind in ["uts", "ipc"] {
        assert_eq!(rows[kind], pair("new", "the host's"), "{rows:#?}");
    }
    for kind in ["mnt", "net", "pid", "pid_for_children"] {
        assert_eq!(rows[kind], pair("new", "new"), "{rows:#?}");
    }
    assert_eq!(rows["isolated"], pair("yes", "no"));
    assert_eq!(rows["the machine"], pair("untouched", "untouched"));
    assert_eq!(told["change"], "CLONE_NEWUTS|CLONE_NEWIPC");
    let calls = ["as_it_is", "changed"].map(|branch| told[branch]["call"].as_str().unwrap().to_string());
    assert_eq!(calls[1], "unshare(CLONE_NEWNS|CLONE_NEWPID|CLONE_NEWNET) = 0", "{calls:?}");
    // The kernel's own numbers stand behind the words.
    let own = |branch: &str, side: &str| told[branch]["sample"][side]["uts"].as_u64().unwrap();
    assert_ne!(own("as_it_is", "namespaces"), own("as_it_is", "host_namespaces"));
    assert_eq!(own("changed", "namespaces"), own("changed", "host_namespaces"));
    let (rows, _) = compared(&[STEP, "unshare", "EPERM"]);
    assert!(rows["call"][1].ends_with("= -1 EPERM (you made it fail)"), "{rows:#?}");
    assert_eq!(rows["the line"], pair("at a prompt, status 0", "at a prompt, status 1"));
    assert_eq!(rows["pid"], pair("new", "the host's"));
    assert_eq!(host(), before);
}

fn a_line_is_played_with_an_option_and_without() {
    let (rows, told) = compared(&[STEP, "--line", "unshare -imnpu --mount-proc sh"]);
    assert_eq!(told["other_line"], "unshare -imnpu --mount-proc sh");
    assert_eq!(rows["pid"], pair("new", "the host's"));
    assert_eq!(rows["process"], pair("sh, PID 1 inside", "sh, the host's PID"));
    assert_eq!(rows["uts"], pair("new", "new"));
    // Without the flag that makes all mounts private they are shared with a copy of the machine's.
    let (rows, _) = compared(&[STEP, "--line", "unshare -imnpu --mount-proc --propagation shared --fork sh"]);
    let shared = rows.values().filter(|both| **both == pair("private", "shared")).count();
    assert!(shared > 0, "{rows:#?}");
}

fn what_would_change_the_machine_changes_a_copy() {
    let before = host();
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().display().to_string();
    let line = format!("hostname not-the-machines; mount -t tmpfs copy {place}; mount -t proc copy /proc");
    let (rows, told) = compared(&[STEP, "--line", &line]);
    let touched = &rows["the machine"];
    assert_eq!(touched[0], "untouched");
    for text in ["sethostname changes its host name", "mount changes its mounts", "mount refused: its mounts"] {
        assert!(touched[1].contains(text), "{touched:?}");
    }
    let seen = told["changed"]["sample"]["host"]["mounts"].as_array().unwrap();
    assert!(seen.iter().any(|mount| mount["point"] == place.as_str()), "the copy has the mount");
    assert_eq!(told["changed"]["sample"]["host"]["hostname"], "not-the-machines");
    assert_eq!(host(), before, "and the machine has not");
}

/// The container of the steps before is there in both.
fn a_branch_starts_where_the_step_does() {
    let (rows, _) = compared(&["isolate/host-name", "--line", "true"]);
    assert_eq!(rows["pid"], pair("new", "new"), "{rows:#?}");
    assert_eq!(rows["host name"], pair("its own", "the host's"), "{rows:#?}");
}

fn what_cannot_be_played_is_said() {
    for (args, status, said) in [
        (vec![STEP, "unshare", "CLONE_NOTHING"], 2, "name flags that are dropped, or one error"),
        (vec![STEP, "unshar", "EPERM"], 2, "did you mean `unshare`?"),
        (vec![STEP, "unshare:0", "EPERM"], 2, "no call `unshare:0` is traced"),
        (vec!["isolate/nowhere", "unshare", "EPERM"], 2, "no step `nowhere`"),
        (vec![STEP, "unshare:2", "EPERM"], 1, "the line did not come to that call this time"),
        (vec![STEP, "unshare", "CLONE_NEWUSER"], 1, "has no CLONE_NEWUSER that could be dropped"),
        (vec![STEP], 2, "required"),
    ] {
        let output = what_if(&args);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(status), "{args:?}: {text}");
        assert!(text.contains(said), "{args:?}: {text}");
    }
}

/// Whether this call waits; a long one goes on for some rows before that is said.
fn waits(screen: &str, call: &str) -> bool {
    let rows: Vec<&str> = screen.lines().collect();
    rows.windows(4).any(|some| some[0].contains(call) && some.iter().any(|row| row.contains('⏸')))
}

/// A session that holds the call of the step.
fn held(columns: u16, rows: u16, lang: &str) -> Tmux {
    let tmux = Tmux::start(columns, rows);
    let state = tmux.file("state");
    tmux.line(&format!("XDG_STATE_HOME={} {BOXWRIGHT} --lang {lang} {STEP}", state.display()));
    let (question, command) =
        if lang == "en" { ("your answer", ENGLISH.command) } else { ("你的答案", "输入命令") };
    tmux.until("the question", |screen| bar(screen).contains(question));
    tmux.press(&["2"], "the command", |screen| screen.contains(command));
    tmux.press(&["Space"], "the shell's fork", |screen| waits(screen, "clone("));
    tmux.press(&["Space"], "the program", |screen| waits(screen, "execve("));
    tmux.press(&["Space"], "the call", |screen| waits(screen, "unshare(NEWNS|"));
    tmux
}

fn one_key_shows_both_and_the_call_waits_on() {
    let before = host();
    let tmux = held(80, 24, "en");
    tmux.press(&["f"], "the question", |screen| screen.contains(" What if … "));
    tmux.press(&["3"], "the first flag", |screen| screen.contains("▶ 3 without CLONE_NEWUTS"));
    tmux.press(&["Space"], "its mark", |screen| screen.contains("Marked: CLONE_NEWUTS"));
    tmux.press(&["4"], "the second flag", |screen| screen.contains("▶ 4 without CLONE_NEWIPC"));
    tmux.press(&["b"], "that they are played", |screen| screen.contains("Both branches are being played"));
    let differs = |screen: &str, what: &str, now: &str| {
        screen.lines().any(|line| line.contains(&format!("≠ {what}")) && line.contains(now))
    };
    tmux.until("both branches", |screen| {
        screen.contains("╭ Both branches ")
            && differs(screen, "isolated", "no")
            && ["uts", "ipc"].iter().all(|kind| differs(screen, kind, "new                       the host's"))
    });
    tmux.press(&["Escape"], "the held call", |screen| {
        !screen.contains("╭ Both branches ") && waits(screen, "unshare(")
    });
    // What it can become is as it was.
    tmux.press(&["f"], "the question", |screen| screen.contains("▶ 1 as it is"));
    tmux.press(&["3"], "the choice", |screen| screen.contains("▶ 3 without CLONE_NEWUTS"));
    tmux.press(&["Space"], "its mark", |screen| screen.contains("Marked: CLONE_NEWUTS"));
    tmux.press(&["4"], "another", |screen| screen.contains("▶ 4 without CLONE_NEWIPC"));
    tmux.press(&["Enter"], "the change", |screen| screen.contains("without CLONE_NEWUTS|CLONE_NEWIPC"));
    tmux.keys(&["C-g", "q"]);
    tmux.until("the end", |screen| screen.trim_end().ends_with("ready>"));
    assert_eq!(host(), before);
    let tmux = held(80, 24, "zh");
    tmux.press(&["f"], "the question", |screen| screen.contains(" 如果… "));
    tmux.press(&["3"], "the choice", |screen| screen.contains("▶ 3 去掉 CLONE_NEWUTS"));
    tmux.press(&["b"], "that they are played", |screen| screen.contains("两种结果正在各自的会话里演示"));
    tmux.until("both branches", |screen| screen.contains("╭ 两种结果 ") && differs(screen, "uts", "宿主机的"));
    tmux.press(&["Escape"], "the held call", |screen| waits(screen, "unshare("));
    tmux.keys(&["C-g", "q"]);
    tmux.until("the end", |screen| screen.trim_end().ends_with("ready>"));
}

/// Only this session knows the script, which no option of the branch's process names.
fn a_mutant_of_the_learners_own_script_has_both() {
    let before = host();
    let tmux = Tmux::start(140, 45);
    let (state, script) = (tmux.file("state"), crate::mutants::ANOTHER);
    let fix = format!("fix --mutant --script {script} --seed 2 --lang en");
    tmux.line(&format!("XDG_STATE_HOME={} {BOXWRIGHT} {fix}", state.display()));
    tmux.sees(ENGLISH.command);
    tmux.press(&["C-g"], "the lesson's keys", |screen| bar(screen).contains("t to the terminal"));
    tmux.press(&["x"], "that calls are held", |screen| bar(screen).contains("hold calls: on"));
    tmux.press(&["t"], "the terminal", |screen| bar(screen).contains("^G lesson keys"));
    tmux.line("true; unshare -i true");
    tmux.until("the shell's fork", |screen| waits(screen, "clone(") || waits(screen, "vfork("));
    tmux.press(&["C-g"], "the lesson's keys", |screen| bar(screen).contains("next call"));
    tmux.press(&["f"], "the question", |screen| screen.contains(" What if … "));
    tmux.press(&["Down"], "the choice", |screen| screen.contains("▶ 2 "));
    tmux.press(&["b"], "that they are played", |screen| screen.contains("Both branches are being played"));
    tmux.until("both branches", |screen| screen.contains("╭ Both branches "));
    tmux.press(&["Escape"], "the held call", |screen| !screen.contains("╭ Both branches "));
    tmux.keys(&["C-g", "q"]);
    tmux.until("the end", |screen| screen.trim_end().ends_with("ready>"));
    assert_eq!(host(), before);
}

/// The programs that play branches now.
fn playing() -> usize {
    let all = std::fs::read_dir("/proc").unwrap().flatten();
    let lines = all.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    lines.filter(|line| line.windows(8).any(|part| part == b"--branch")).count()
}

fn a_session_that_ends_takes_its_branches_along() {
    let (before, others) = (host(), playing());
    let tmux = Tmux::start(140, 45);
    let state = tmux.file("state");
    tmux.line(&format!("XDG_STATE_HOME={} {BOXWRIGHT} --lang en {STEP}", state.display()));
    answers(&tmux, "2");
    tmux.sees(ENGLISH.command);
    // It holds each call, however it is typed, and has no end of its own.
    tmux.line("unshare -imnpu --mount-proc --fork sleep 1000");
    tmux.until("the shell's fork", |screen| waits(screen, "clone("));
    tmux.press(&["C-g"], "the lesson's keys", |screen| bar(screen).contains("next call"));
    tmux.press(&["Space"], "the program", |screen| waits(screen, "execve("));
    tmux.press(&["Space"], "the call", |screen| waits(screen, "unshare(NEWNS|"));
    tmux.press(&["f"], "the question", |screen| screen.contains(" What if … "));
    tmux.press(&["3"], "the choice", |screen| screen.contains("▶ 3 without CLONE_NEWUTS"));
    tmux.press(&["b"], "that they are played", |screen| screen.contains("Both branches are being played"));
    assert!(playing() > others);
    tmux.keys(&["C-g", "q"]);
    tmux.until("the end", |screen| screen.trim_end().ends_with("ready>"));
    assert_eq!(playing(), others);
    assert_eq!(host(), before);
}

fn plain_lines_say_what_differs() {
    let dir = tempfile::tempdir().unwrap();
    let talk = |lines: &str, lang: &str| {
        let mut command = Command::new("sh");
        let script = format!("printf '{lines}' | setsid -w \"$@\"");
        command.args(["-c", &script, "sh", BOXWRIGHT, "--plain", "--lang", lang, STEP]);
        let output = command.env("XDG_STATE_HOME", dir.path()).output().unwrap();
        String::from_utf8_lossy(&output.stdout).split_whitespace().collect::<Vec<_>>().join(" ")
    };
    // The answer, the command, the shell's fork and its program.
    let said = talk(r"2\n\n\n\nb\nb CLONE_NEWUTS CLONE_NEWIPC\nb --fork\nc\nq\n", "en");
    for text in [
        "`b --fork`: without --fork; the line is played with and without it.",
        "Differs: uts. as it is: new; without NEWUTS|NEWIPC: the host's.",
        "Differs: ipc. as it is: new; without NEWUTS|NEWIPC: the host's.",
        "Differs: pid. as it is: new; the other line: the host's.",
        "The same in both: ",
    ] {
        assert!(said.contains(text), "{text}: {said}");
    }
    let said = talk(r"2\n\n\n\nb ENOSYS\nq\n", "zh");
    assert!(said.contains("不同：pid。照原样：新的；失败：ENOSYS：宿主机的。"), "{said}");
}
