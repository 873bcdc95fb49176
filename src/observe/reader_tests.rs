//! What a reader remembers.

use super::*;
use std::fs;

/// A `/proc` with process 7 alone, which began then and is in this PID namespace.
fn process(proc_root: &Path, start: u64, pid_ns: u64) {
    let ns = proc_root.join("7/ns");
    fs::create_dir_all(&ns).unwrap();
    let fields = "0 7 7 0 7 0 1 2 3 4 100 50 0 0 20 0 1 0";
    fs::write(proc_root.join("7/stat"), format!("7 (sh) S {fields} {start} 4096 12 18446744073709551615")).unwrap();
    let _ = fs::remove_file(ns.join("pid"));
    std::os::unix::fs::symlink(format!("pid:[{pid_ns}]"), ns.join("pid")).unwrap();
}

#[test]
fn who_gets_a_pid_again_is_asked_again() {
    let proc_root = tempfile::tempdir().unwrap();
    let mut reader = Reader::new(proc_root.path(), Path::new("/bin/false"));
    let mut pid_ns = |start, inode| {
        process(proc_root.path(), start, inode);
        let (sample, _) = reader.read(Subject::Exactly(Pid(7)));
        sample.processes.iter().map(|process| process.pid_ns).collect::<Vec<_>>()
    };
    assert_eq!(pid_ns(100, 4026531836), [Some(4026531836)]);
    assert_eq!(pid_ns(100, 4026532999), [Some(4026531836)], "no process leaves its PID namespace");
    assert_eq!(pid_ns(101, 4026532999), [Some(4026532999)]);
}
