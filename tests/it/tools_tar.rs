//! tar beside GNU tar where there is nothing to unpack: the same exit status, and a line that says what is wrong.

use crate::harness::{Test, tests};
use crate::support::{BOXWRIGHT, theirs};
use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

pub fn tests() -> Vec<Test> {
    tests![
        statuses_are_gnus_and_the_reason_is_said: [Tool("tar")],
    ]
}

/// Arguments, and what ours says about them.
const WRONG: &[(&[&str], &str)] = &[
    (&["-xf"], "option requires an argument -- 'f'"),
    (&["-x", "-f"], "option requires an argument -- 'f'"),
    (&["--file"], "option '--file' requires an argument"),
    (&["-xf", "empty", "-C"], "option requires an argument -- 'C'"),
    (&["--frob"], "unrecognized option '--frob'"),
    (&["xf"], "Old option 'f' requires an argument."),
    (&[], "either -x, which unpacks an archive, or -t, which lists it"),
    (&["-xt", "-f", "empty"], "either -x, which unpacks an archive, or -t, which lists it"),
    (&["-tf", "nosuch"], "nosuch: Cannot open: No such file or directory (ENOENT)"),
    (&["-tf", "."], ".: Cannot read: Is a directory (EISDIR)"),
    (&["-tf", "empty"], "empty: This does not look like a tar archive: it is empty"),
    (&["-tf", "short"], "short: malformed archive: it ends within a header: is this a whole tar archive?"),
    (&["-tf", "noise"], "noise: malformed archive: the checksum of a header is wrong: is this a tar archive?"),
    (&["-tzf", "noise"], "noise: not a gzip archive"),
    (&["-tzf", "cut"], "cut: its gzip data is damaged or cut short"),
    (&["-tzf", "fake"], "its gzip data is damaged or cut short"),
];

fn statuses_are_gnus_and_the_reason_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(dir.path().join(name), bytes).unwrap();
    write("empty", b"");
    write("short", b"hello\n");
    write("noise", &[7; 2048]);
    write("fake", b"\x1f\x8bno gzip at all");
    // The first twelve bytes of a gzip file: its header and a little of the content.
    write("cut", &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0x63, 0x60]);
    let run = |program: &Path, args: &[&str]| {
        let mut command = Command::new(program);
        command.args(args).current_dir(&dir).env("LC_ALL", "C").stdin(Stdio::null()).output().unwrap()
    };
    for (args, why) in WRONG {
        let ours = run(Path::new(BOXWRIGHT), &[&["tar"], *args].concat());
        let said = String::from_utf8_lossy(&ours.stderr).into_owned();
        assert!(said.starts_with("tar: ") && said.contains(why), "{args:?}: {said}");
        assert_eq!(ours.status.code(), run(&theirs("tar"), args).status.code(), "{args:?}: {said}");
    }
}
