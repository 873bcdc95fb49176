//! The tool `seccomp`: what the kernel refuses under its filter, and what it wants of who installs one.

use crate::harness::{Test, tests};
use crate::support::BOXWRIGHT;
use std::{
    os::unix::process::{CommandExt, ExitStatusExt},
    process::{Command, Output},
};

pub fn tests() -> Vec<Test> {
    tests![
        a_refused_call_fails_with_the_error_that_was_asked_for,
        a_refused_call_can_end_the_process,
        filters_stack_and_the_newest_error_wins,
        an_ordinary_user_gives_up_new_privileges_first: [Root],
        a_misspelt_call_is_named,
    ]
}

fn tool(args: &[&str]) -> Command {
    let mut command = Command::new(BOXWRIGHT);
    command.arg("seccomp").args(args).env("LC_ALL", "C").env("BOXWRIGHT_LANG", "en");
    command
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn field(output: &Output, name: &str) -> String {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.unwrap_or_else(|| panic!("{name}: {text}{}", said(output))).trim().into()
}

fn a_refused_call_fails_with_the_error_that_was_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let made = dir.path().join("d");
    let path = made.to_str().unwrap();
    for (more, why) in [(&[][..], "Operation not permitted"), (&["--errno", "ENOSYS"], "not implemented")] {
        let args: Vec<&str> =
            ["--deny", "mkdir,mkdirat"].iter().chain(more).copied().chain(["--", "mkdir", path]).collect();
        let output = tool(&args).output().unwrap();
        assert!(output.status.code() == Some(1) && said(&output).contains(why), "{output:?}");
        assert!(!made.exists());
    }
    assert!(tool(&["--deny", "mkdir,mkdirat", "touch", path]).status().unwrap().success());
}

fn a_refused_call_can_end_the_process() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("d");
    let status = tool(&["-d", "mkdir,mkdirat", "-k", "mkdir", path.to_str().unwrap()]).status().unwrap();
    assert_eq!(status.signal(), Some(libc::SIGSYS), "{status}");
}

fn filters_stack_and_the_newest_error_wins() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("d");
    let inner = ["seccomp", "--deny", "mkdir,mkdirat", "--errno", "ENOSYS", "mkdir", path.to_str().unwrap()];
    let args: Vec<&str> = ["--deny", "mkdir,mkdirat", "--", BOXWRIGHT].into_iter().chain(inner).collect();
    let output = tool(&args).output().unwrap();
    assert!(said(&output).contains("not implemented"), "{output:?}");
}

fn an_ordinary_user_gives_up_new_privileges_first() {
    let show = ["--", "cat", "/proc/self/status"];
    let root = tool(&[&["--deny", "mkdir"][..], &show].concat()).output().unwrap();
    assert_eq!((field(&root, "Seccomp"), field(&root, "NoNewPrivs")), ("2".into(), "0".into()));
    let user = tool(&[&["--deny", "mkdir"][..], &show].concat()).uid(65534).gid(65534).output().unwrap();
    assert_eq!((field(&user, "Seccomp"), field(&user, "NoNewPrivs")), ("2".into(), "1".into()));
    let refused = tool(&[&["--deny", "mkdir", "--allow-new-privs"][..], &show].concat()).uid(65534).output().unwrap();
    assert!(refused.status.code() == Some(1) && said(&refused).contains("EACCES"), "{refused:?}");
}

fn a_misspelt_call_is_named() {
    let output = tool(&["--deny", "mkdri", "true"]).output().unwrap();
    assert!(output.status.code() == Some(2) && said(&output).contains("'mkdri'"), "{output:?}");
}
