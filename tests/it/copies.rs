//! Copies that are killed, that fail, or that go to one place at once.

use crate::harness::{Test, tests};
use crate::support::client::{boxwright, files, image, text};
use crate::support::layer::{archive, file, layout};
use crate::support::registry::{Plan, Registry};
use crate::support::{BOXWRIGHT, theirs};
use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};
use tempfile::TempDir;

pub fn tests() -> Vec<Test> {
    tests![
        what_a_killed_copy_left_is_taken_up,
        without_nameless_files_what_was_left_goes_with_the_next_copy: [Tool("strace")],
        two_copies_into_one_place_are_both_right,
        one_that_fails_takes_nothing_from_one_that_goes_well,
        blobs_that_are_there_are_used_where_they_are_right,
        files_of_the_user_are_not_touched,
        clean_knows_what_a_killed_unpack_left: [Root],
        clean_knows_what_a_killed_copy_left_where_files_have_names: [Root, Tool("strace")],
    ]
}

fn done(top: &TempDir, args: &[&str]) -> String {
    let output = boxwright(top, &[], args);
    assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

/// Starts a copy, and waits until it is at its first layer.
fn begun(top: &TempDir, from: &str, to: &str, seconds: &str) -> Child {
    let mut command = Command::new(BOXWRIGHT);
    command.args(["skopeo", "copy", from, to]).current_dir(top.path()).env("BOXWRIGHT_TIMEOUT", seconds);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.as_mut().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.starts_with("Copying blob")), "{from}: it ended before");
    child
}

/// Every file below a directory.
fn all_files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap().flatten() {
        if entry.path().is_dir() { found.extend(all_files(&entry.path())) } else { found.push(entry.path()) }
    }
    found.sort();
    found
}

fn unpacked(top: &TempDir, reference: &str) {
    done(top, &["image", "unpack", "-q", reference, "root"]);
    assert_eq!(fs::read(top.path().join("root/hello")).unwrap(), b"hi", "{reference}");
    fs::remove_dir_all(top.path().join("root")).unwrap();
}

fn what_a_killed_copy_left_is_taken_up() {
    let top = image();
    for to in ["oci:k:x", "dir:k", "oci-archive:k/o.tar:x", "docker-archive:k/d.tar:x"] {
        let registry = Registry::start(&top.path().join("oci"), Plan { stall: true, ..Plan::default() }, None);
        let mut child = begun(&top, &registry.image(), to, "60");
        child.kill().unwrap();
        child.wait().unwrap();
        let left = all_files(&top.path().join("k"));
        let marks = ["oci-layout", "version"];
        let mark = |path: &PathBuf| marks.contains(&path.file_name().unwrap().to_str().unwrap());
        assert!(left.iter().all(mark), "{to}: {left:?}");
        done(&top, &["skopeo", "copy", "oci:oci:latest", to]);
        unpacked(&top, to);
        fs::remove_dir_all(top.path().join("k")).unwrap();
    }
}

fn without_nameless_files_what_was_left_goes_with_the_next_copy() {
    let strace = theirs("strace");
    let top = killed_with_named_files(&strace);
    done(&top, &["skopeo", "copy", "oci:oci:latest", "oci:k:x"]);
    assert_eq!(partial(&top.path().join("k")), None);
    unpacked(&top, "oci:k:x");
}

/// A file below this directory that is not complete.
fn partial(dir: &Path) -> Option<PathBuf> {
    all_files(dir).into_iter().find(|path| path.extension().is_some_and(|end| end == "partial"))
}

/// Kills a copy to `oci:k:x` where no file can be made without a name, at its first layer.
fn killed_with_named_files(strace: &Path) -> TempDir {
    let top = image();
    let registry = Registry::start(&top.path().join("oci"), Plan { stall: true, ..Plan::default() }, None);
    fs::create_dir_all(top.path().join("k/blobs/sha256")).unwrap();
    let mut command = Command::new(strace);
    // The directory is opened for its names, to hold it, and then for a file without a name in it.
    let inject = "inject=openat:error=EOPNOTSUPP:when=3";
    command.args(["-f", "-qq", "-o", "/dev/null", "-P", "k/blobs/sha256", "-e", inject, BOXWRIGHT]);
    command.args(["skopeo", "copy", &registry.image(), "oci:k:x"]).current_dir(top.path());
    command.env("HOME", top.path().join("home")).env("XDG_STATE_HOME", top.path().join("state"));
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.as_mut().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.starts_with("Copying blob")));
    // The copy is the child of the tracer, and both end.
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while partial(&top.path().join("k")).is_none_or(|path| fs::metadata(path).unwrap().len() == 0) {
        assert!(std::time::Instant::now() < deadline, "nothing grows");
        std::thread::yield_now();
    }
    let traced = fs::read_to_string(format!("/proc/{0}/task/{0}/children", child.id())).unwrap();
    let traced = nix::unistd::Pid::from_raw(traced.trim().parse().unwrap());
    nix::sys::signal::kill(traced, nix::sys::signal::Signal::SIGKILL).unwrap();
    child.wait().unwrap();
    assert!(partial(&top.path().join("k")).is_some());
    top
}

fn two_copies_into_one_place_are_both_right() {
    let top = image();
    let other = tempfile::tempdir().unwrap();
    layout(&other.path().join("oci"), &[archive(&[file("hello", "hi"), file("other", "x".repeat(100_000))])]);
    let slow = Plan { slow: true, ..Plan::default() };
    let [first, second] = [&top, &other].map(|top| Registry::start(&top.path().join("oci"), slow.clone(), None));
    for (one, two) in [("oci:both:a", "oci:both:b"), ("oci:same:a", "oci:same:a"), ("dir:both-dir", "dir:both-dir")] {
        let sources = if one == two { [&first, &first] } else { [&first, &second] };
        let mut children =
            [(sources[0], one), (sources[1], two)].map(|(registry, to)| begun(&top, &registry.image(), to, "30"));
        for child in &mut children {
            assert!(child.wait().unwrap().success(), "{one} and {two}");
        }
        unpacked(&top, one);
        unpacked(&top, two);
    }
    // The same image twice: nothing is left beside what one copy writes.
    done(&top, &["skopeo", "copy", "oci:oci:latest", "dir:alone"]);
    assert_eq!(files(&top.path().join("both-dir")), files(&top.path().join("alone")));
}

fn one_that_fails_takes_nothing_from_one_that_goes_well() {
    let top = image();
    let registry = Registry::start(&top.path().join("oci"), Plan { stall: true, ..Plan::default() }, None);
    let mut failing = begun(&top, &registry.image(), "oci:k:a", "1");
    done(&top, &["skopeo", "copy", "oci:oci:latest", "oci:k:b"]);
    assert_eq!(failing.wait().unwrap().code(), Some(1));
    assert!(top.path().join("k/oci-layout").exists());
    unpacked(&top, "oci:k:b");
    // Alone it leaves nothing.
    let mut failing = begun(&top, &registry.image(), "oci:alone:a", "1");
    assert_eq!(failing.wait().unwrap().code(), Some(1));
    assert!(!top.path().join("alone").exists());
}

fn blobs_that_are_there_are_used_where_they_are_right() {
    let top = image();
    let blobs = |layout: &str| top.path().join(layout).join("blobs/sha256");
    let large = |dir: PathBuf| {
        let mut all = fs::read_dir(dir).unwrap().flatten();
        all.find(|entry| entry.metadata().unwrap().len() > 100_000).unwrap().path()
    };
    let blob = large(blobs("oci"));
    let right = fs::read(&blob).unwrap();
    let mut flipped = right.clone();
    flipped[1000] ^= 1;
    // What there is of the layer, and whether it is asked for.
    for (what, there, asked) in
        [("all", right.clone(), false), ("a half", right[..1000].to_vec(), true), ("a wrong bit", flipped, true)]
    {
        let registry = Registry::start(&top.path().join("oci"), Plan::default(), None);
        fs::create_dir_all(blobs("k")).unwrap();
        fs::write(blobs("k").join(blob.file_name().unwrap()), &there).unwrap();
        let told = done(&top, &["skopeo", "copy", &registry.image(), "oci:k:x"]);
        let layer = blob.file_name().unwrap().to_str().unwrap();
        assert_eq!(registry.log().iter().any(|line| line.contains(layer)), asked, "{what}");
        assert_eq!(told.contains("skipped: already exists"), !asked, "{what}: {told}");
        assert_eq!(fs::read(blobs("k").join(layer)).unwrap(), right, "{what}");
        unpacked(&top, "oci:k:x");
        fs::remove_dir_all(top.path().join("k")).unwrap();
    }
}

fn files_of_the_user_are_not_touched() {
    let top = image();
    fs::write(top.path().join("o.tar.partial"), "mine").unwrap();
    fs::create_dir(top.path().join("own")).unwrap();
    fs::write(top.path().join("own/notes"), "mine").unwrap();
    done(&top, &["skopeo", "copy", "oci:oci:latest", "oci-archive:o.tar"]);
    assert_eq!(fs::read(top.path().join("o.tar.partial")).unwrap(), b"mine");
    for to in ["oci:own:x", "dir:own"] {
        let output = boxwright(&top, &[], &["skopeo", "copy", "oci:oci:latest", to]);
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(files(&top.path().join("own")).into_keys().collect::<Vec<_>>(), ["notes"], "{to}");
    }
}

/// Runs `boxwright clean` with the ledgers of this directory; gives its status and what it said.
fn clean(top: &TempDir, more: &[&str]) -> (Option<i32>, String) {
    let state = top.path().join("state");
    let output = boxwright(top, &[("XDG_STATE_HOME", state.to_str().unwrap())], &[&["clean"], more].concat());
    (output.status.code(), text(&output.stdout))
}

/// What is in the directory and begins with a dot.
fn hidden(top: &TempDir) -> Vec<PathBuf> {
    let all = fs::read_dir(top.path()).unwrap().flatten();
    all.filter(|entry| entry.file_name().to_str().unwrap().starts_with('.')).map(|entry| entry.path()).collect()
}

/// Kills an unpack at its first layer; gives what it left.
fn killed_unpack(top: &TempDir) -> PathBuf {
    let before = hidden(top);
    let registry = Registry::start(&top.path().join("oci"), Plan { stall: true, ..Plan::default() }, None);
    let mut command = Command::new(BOXWRIGHT);
    command.args(["image", "unpack", &registry.image(), "root"]).current_dir(top.path());
    command.env("HOME", top.path().join("home")).env("XDG_STATE_HOME", top.path().join("state"));
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let grows = || hidden(top).into_iter().find(|path| !before.contains(path));
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    let asked = || registry.log().iter().filter(|line| line.contains("/blobs/")).count() > 1;
    while grows().is_none() || !asked() {
        assert!(std::time::Instant::now() < deadline, "nothing grows");
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    grows().unwrap()
}

fn clean_knows_what_a_killed_unpack_left() {
    let top = image();
    let left = killed_unpack(&top);
    fs::create_dir_all(left.join("usr/bin")).unwrap();
    // What looks like it, and was never written down.
    let own =
        [".boxwright-0123456789abcdef.partial", ".root.partial.4711", "x.partial"].map(|name| top.path().join(name));
    own.iter().for_each(|path| fs::create_dir_all(path.join("thesis")).unwrap());
    let name = left.display().to_string();
    let (status, told) = clean(&top, &["--dry-run"]);
    assert!(status == Some(0) && told.contains(&format!("would remove half-made image files {name}")), "{told}");
    let (status, told) = clean(&top, &[]);
    assert!(status == Some(0) && told.contains(&format!("removed half-made image files {name}")), "{told}");
    assert!(!left.exists() && own.iter().all(|path| path.join("thesis").exists()));
    assert!(!clean(&top, &[]).1.contains(".partial"));
    // Another directory has the name by now: it stays.
    let left = killed_unpack(&top);
    fs::rename(&left, top.path().join("moved")).unwrap();
    fs::create_dir_all(left.join("thesis")).unwrap();
    let (status, told) = clean(&top, &[]);
    assert!(status == Some(1) && told.contains("is not what was made here"), "{told}");
    assert!(left.join("thesis").exists() && top.path().join("moved").exists());
}

fn clean_knows_what_a_killed_copy_left_where_files_have_names() {
    let top = killed_with_named_files(&theirs("strace"));
    let left = partial(&top.path().join("k")).unwrap();
    let (status, told) = clean(&top, &[]);
    assert!(status == Some(0) && told.contains(&format!("removed half-made image files {}", left.display())), "{told}");
    assert_eq!(partial(&top.path().join("k")), None);
}
