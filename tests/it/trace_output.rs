//! `boxwright trace` as an instrument: where it writes, what it chooses, how it adds up, and its keys.

use crate::{
    harness::{Test, tests},
    support::{BOXWRIGHT, tools::text, traced},
};
use std::{
    fs,
    process::{Command, Stdio},
};

pub fn tests() -> Vec<Test> {
    tests![
        events_and_the_commands_output_are_apart,
        an_output_is_a_file_a_command_or_a_descriptor,
        calls_are_chosen_added_up_and_folded: [Root],
        keys_of_a_held_command_are_those_of_the_lessons: [Tool("script")],
        a_reader_that_goes_ends_nothing_and_is_no_failure,
    ]
}

/// Runs a shell line in which `$B` is this program.
fn shell(line: &str) -> (String, String, Option<i32>) {
    let output = Command::new("bash")
        .args(["-c", line])
        .env("B", BOXWRIGHT)
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    (text(&output.stdout), text(&output.stderr), output.status.code())
}

fn events_and_the_commands_output_are_apart() {
    let (events, printed, status) = shell("$B trace --json -- sh -c 'printf begun; printf \"no newline\"; exit 3'");
    assert_eq!((printed.as_str(), status), ("begunno newline", Some(3)));
    for line in events.lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap();
    }
    assert_eq!(traced::ends(&traced::events(events.as_bytes())).len(), 1);
}

fn an_output_is_a_file_a_command_or_a_descriptor() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("calls");
    let name = file.display();
    let (out, err, _) = shell(&format!("$B trace -o {name} -- sh -c 'echo out'"));
    assert_eq!((out.as_str(), err.as_str()), ("out\n", ""));
    assert!(fs::read_to_string(&file).unwrap().contains("+++ exited with 0 +++"));
    let (out, err, _) = shell("$B trace -o '|tr a-z A-Z' -- true");
    assert!(out.contains("EXITED WITH 0") && err.is_empty(), "{out}{err}");
    let (out, err, _) = shell("$B trace --json -o '&3' -- sh -c 'echo out' 3>&2");
    assert!(out == "out\n" && err.contains("\"event\":\"exit\""), "{out}{err}");
    let (_, err, status) = shell("$B trace -o /nowhere/file -- true");
    assert!(err.contains("-o /nowhere/file: No such file or directory (ENOENT)") && status == Some(3), "{err}");
}

fn calls_are_chosen_added_up_and_folded() {
    let line = "unshare -m sh -c 'for i in 1 2 3 4 5 6; do mount -t tmpfs t /mnt; done; umount -l /mnt'";
    let (_, err, _) = shell(&format!("$B trace -e umount2 -- {line}"));
    assert!(err.contains("umount2(") && !err.contains("execve(") && !err.contains(" mount("), "{err}");
    let (_, err, _) = shell(&format!("$B trace -e namespace -- {line}"));
    assert!(err.contains("unshare(") && !err.contains("mount("), "{err}");
    let (_, err, status) = shell("$B trace -e frob -- true");
    assert!(err.contains("namespace, process, mount") && status == Some(2), "{err}");
    let (_, err, _) = shell(&format!("$B trace -c -- {line}"));
    let row = err.lines().find(|row| row.ends_with("  mount")).unwrap();
    // One more makes every mount private.
    assert_eq!(row.split_whitespace().next(), Some("7"), "{err}");
    // One process that unmounts again and again, as to take an old root away.
    let many =
        "unshare -m python3 -c 'import ctypes; [ctypes.CDLL(None).umount2(b\"/nowhere\", 0) for i in range(50)]'";
    let (_, err, _) = shell(&format!("$B trace -t -e umount2 -- {many}"));
    assert!(err.contains("47 more calls of umount2 = -1 ENOENT"), "{err}");
    assert_eq!(err.matches("umount2(").count(), 3, "{err}");
    // One call takes away as much.
    let many = "unshare -m sh -c 'mount -t tmpfs t /mnt; for n in $(seq 20); do mkdir /mnt/$n; mount -t tmpfs t /mnt/$n; done; umount -l /mnt'";
    let (_, folded, _) = shell(&format!("$B trace -e umount2 -- {many}"));
    assert!(folded.contains("… and 16 more changes") && folded.matches("tmpfs -> none").count() == 5, "{folded}");
    let (whole, _, _) = shell(&format!("$B trace --json -e umount2 -- {many}"));
    assert_eq!(whole.matches("tmpfs -> none").count(), 21, "{whole}");
    assert!(err.lines().next().unwrap().trim_start().starts_with("0."), "seconds since the beginning: {err}");
}

fn keys_of_a_held_command_are_those_of_the_lessons() {
    let with = |keys: &str, command: &str| {
        let typed = format!("{keys}\\n");
        let line = format!(
            "(sleep 1; printf '{typed}'; sleep 3) | timeout 20 script -qec \"$B trace --step -- {command}\" /dev/null"
        );
        let (out, err, _) = shell(&line);
        out + &err
    };
    let until = with("u execve\\n\\nc", "sh -c '/bin/true; /bin/false; :'");
    assert!(until.contains("u NAME: until") && until.matches("+++ exited").count() == 3, "{until}");
    let quit = with("q", "sleep 100");
    assert!(quit.contains("killed by SIGKILL"), "{quit}");
}

fn a_reader_that_goes_ends_nothing_and_is_no_failure() {
    for command in
        ["trace --json -- sh -c 'true; true; exit 0'", "doctor", "doctor --json", "clean --dry-run", "inspect $$"]
    {
        let (_, err, _) = shell(&format!(
            "$B {command} | : ; [ \"${{PIPESTATUS[0]}}\" = 0 ] || echo \"status ${{PIPESTATUS[0]}}\" >&2"
        ));
        assert!(!err.contains("status") && !err.contains("Broken pipe"), "{command}: {err}");
    }
}
