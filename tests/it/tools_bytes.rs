//! Names are bytes to the kernel: an argument that is no text reaches a program, a path or a mount as it is.

use crate::harness::{Test, tests};
use crate::support::tools::error;
use crate::support::{BOXWRIGHT, theirs};
use std::{
    ffi::OsString,
    fs::{self, File},
    os::unix::ffi::{OsStrExt, OsStringExt},
    path::PathBuf,
    process::{Command, Output, Stdio},
};

pub fn tests() -> Vec<Test> {
    tests![
        a_program_gets_its_arguments_as_they_are: [Root],
        a_directory_is_entered_mounted_on_and_left: [Root],
        an_archive_is_listed_unpacked_and_hashed: [Tool("tar")],
        a_list_that_cannot_be_written_is_no_success: [Tool("tar")],
        a_tool_that_takes_text_says_so,
    ]
}

/// Runs a tool of ours; `\xff` in an argument stands for that byte.
fn tool(args: &[&str]) -> Output {
    Command::new(BOXWRIGHT).args(args.iter().map(|arg| bytes(arg))).output().unwrap()
}

fn bytes(text: &str) -> OsString {
    let parts: Vec<&[u8]> = text.split("\\xff").map(str::as_bytes).collect();
    OsString::from_vec(parts.join(&0xff))
}

/// Makes a directory whose name is not UTF-8, with a file whose name is not either; gives the directory above, as text.
fn strange() -> (tempfile::TempDir, String) {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join(bytes("box\\xff"));
    fs::create_dir(&place).unwrap();
    fs::write(place.join(bytes("file\\xff")), "content").unwrap();
    let text = dir.path().to_str().unwrap().to_string();
    (dir, text)
}

fn a_program_gets_its_arguments_as_they_are() {
    for before in [&["unshare", "-m"][..], &["nsenter", "--"], &["chroot", "/"]] {
        let print = ["sh", "-c", "printf %s \"$1\"", "x", "a\\xffb"];
        let output = tool(&[before, &print].concat());
        assert_eq!(output.stdout, b"a\xffb", "{before:?}: {}", error(&output));
    }
}

fn a_directory_is_entered_mounted_on_and_left() {
    let (dir, place) = strange();
    let work = tool(&["unshare", &format!("--wd={place}/box\\xff"), "sh", "-c", "echo file*"]);
    assert_eq!(work.stdout, b"file\xff\n", "{}", error(&work));
    // A chroot whose programs come from the machine by a bind mount: a program that answers is one that was found there.
    let script = "B=$1; D=$2; $B mount --bind / \"$D\" && $B mount -o remount,bind,ro \"$D\" && \
                  $B chroot \"$D\" sh -c 'test -d /proc && echo inside' && $B umount -R \"$D\" && ls \"$D\"";
    let args = ["unshare", "-m", "sh", "-c", script, "x", BOXWRIGHT, &format!("{place}/box\\xff")];
    let output = tool(&args);
    assert_eq!(output.stdout, b"inside\nfile\xff\n", "{}", error(&output));
    let gone = tool(&["chroot", &format!("{place}/no\\xff"), "true"]);
    assert_eq!(gone.status.code(), Some(125));
    assert!(error(&gone).contains(&format!("{place}/no\u{fffd}': No such file")), "{}", error(&gone));
    drop(dir);
}

fn an_archive_is_listed_unpacked_and_hashed() {
    let (theirs, (dir, place)) = (theirs("tar"), strange());
    let archive = bytes(&format!("{place}/layer\\xff.tar"));
    let mut pack = Command::new(theirs);
    let packed = pack.arg("-cf").arg(&archive).arg("-C").arg(dir.path()).arg(bytes("box\\xff"));
    assert!(packed.status().unwrap().success());
    let (file, into) = (format!("{place}/layer\\xff.tar"), format!("{place}/into\\xff"));
    fs::create_dir(bytes(&into)).unwrap();
    let list = tool(&["tar", "-tf", &file, "box\\xff/file\\xff"]);
    assert_eq!(list.stdout, b"box\\377/file\\377\n", "{}", error(&list));
    let unpacked = tool(&["tar", "-xf", &file, "-C", &into]);
    assert!(unpacked.status.success(), "{}", error(&unpacked));
    let unpacked = PathBuf::from(bytes(&into)).join(bytes("box\\xff/file\\xff"));
    assert_eq!(fs::read(&unpacked).unwrap(), b"content");
    let sum = tool(&["sha256sum", &format!("{into}/box\\xff/file\\xff")]);
    assert!(sum.stdout.ends_with(&[unpacked.as_os_str().as_bytes(), b"\n"].concat()), "{sum:?}");
    let sums = dir.path().join("sums");
    fs::write(&sums, &sum.stdout).unwrap();
    let checked = tool(&["sha256sum", "-c", sums.to_str().unwrap()]);
    assert!(checked.status.success() && checked.stdout.ends_with(b"/file\xff: OK\n"), "{checked:?}");
}

fn a_tool_that_takes_text_says_so() {
    for args in [&["hostname", "\\xff"][..], &["cgcreate", "-g", "pids:\\xff"], &["top", "-d", "\\xff"]] {
        let output = tool(args);
        assert!(!output.status.success());
        assert!(error(&output).contains("\\xFF\" is not UTF-8\n"), "{}", error(&output));
    }
}

/// Everything else went well, and nobody will read it.
fn a_list_that_cannot_be_written_is_no_success() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("one"), "content").unwrap();
    let run = |program: &str, args: &[&str], out: &str| {
        let out = File::options().write(true).create(true).truncate(false).open(out).unwrap();
        let mut command = Command::new(program);
        command.args(args).current_dir(dir.path()).stdout(out).stderr(Stdio::null());
        command.status().unwrap().code()
    };
    let kept = dir.path().join("sums");
    let kept = kept.to_str().unwrap();
    assert_eq!(run(BOXWRIGHT, &["sha256sum", "one"], kept), Some(0));
    assert_eq!(run("tar", &["-cf", "one.tar", "one"], "/dev/null"), Some(0));
    for (args, status) in [(&["sha256sum", "-c", "sums"][..], 1), (&["tar", "-xvf", "one.tar"], 2)] {
        assert_eq!(run(BOXWRIGHT, args, "/dev/null"), Some(0), "{args:?}");
        assert_eq!(run(BOXWRIGHT, args, "/dev/full"), Some(status), "{args:?}");
        // The field's own ends so, too.
        assert_eq!(run(args[0], &args[1..], "/dev/full"), Some(status), "{args:?}");
    }
}
