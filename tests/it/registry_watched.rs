//! Copies from a registry as they are watched: on a terminal, in a transcript, and in the steps of a session.

use crate::harness::{Test, tests};
use crate::support::client::{boxwright, image, text};
use crate::support::layer;
use crate::support::registry::{Auth, Plan, Registry};
use crate::support::{BOXWRIGHT, theirs};
use boxwright::terminal::Size;
use std::{
    fs,
    io::{Read, Write},
    process::{Command, Stdio},
};
use tempfile::TempDir;

pub fn tests() -> Vec<Test> {
    tests![
        bars_are_drawn_on_a_terminal_and_taken_away: [Tool("script")],
        a_transcript_has_no_bars: [Root],
        a_session_keeps_nothing_where_that_takes_the_room_of_a_copy: [Root, Tool("unshare")],
        a_session_fetches_its_image_once: [Root],
    ]
}

/// Copies a slow image on a terminal of 12 rows and 76 columns, and presses Ctrl-C at the sight of the first bar where
/// `stop` says so. Gives every byte that came, and what is on the screen in the end.
fn on_a_terminal(env: &[(&str, &str)], stop: bool) -> (TempDir, String, String) {
    let (top, script) = (image(), theirs("script"));
    let registry = Registry::start(&top.path().join("oci"), Plan { slow: true, ..Plan::default() }, None);
    let line = format!("stty rows 12 cols 76; exec {BOXWRIGHT} skopeo copy {} dir:ours", registry.image());
    let mut command = Command::new(script);
    command.args(["-qefc", &line, "/dev/null"]).current_dir(top.path());
    command.env("HOME", top.path()).env("TERM", "xterm").env("SHELL", "/bin/sh").envs(env.iter().copied());
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut keys, mut output) = (child.stdin.take(), child.stdout.take().unwrap());
    let (mut came, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        let count = output.read(&mut piece).unwrap();
        came.extend(&piece[..count]);
        if stop && text(&came).contains("total") {
            keys.take().into_iter().for_each(|mut keys| keys.write_all(b"\x03").unwrap());
        }
        if count == 0 {
            break;
        }
    }
    assert_eq!(child.wait().unwrap().success(), !stop, "{}", text(&came));
    let mut terminal = boxwright::terminal::Screen::new(Size::new(76, 12));
    terminal.process(&came);
    (top, text(&came), terminal.contents())
}

fn bars_are_drawn_on_a_terminal_and_taken_away() {
    for (env, stop) in [
        (&[("NO_COLOR", "1"), ("LC_ALL", "C")][..], false),
        (&[("LC_ALL", "C.UTF-8")], false),
        (&[("TERM", "dumb")], false),
        (&[], true),
    ] {
        let (top, came, screen) = on_a_terminal(env, stop);
        assert!(came.contains("total") && came.contains("/391.0 KiB") && came.contains("iB/s"), "{env:?}: {came:?}");
        let left = ["total", "layer 1/1", "^C"].into_iter().any(|part| screen.contains(part));
        assert!(!left && screen.contains("Copying blob"), "{env:?}: {screen}");
        // No colours, nothing but ASCII, and on a dumb terminal nothing that it would show as it is.
        assert!(came.is_ascii() && !came.contains("\x1b[3") && !came.contains("\x1b[1m"), "{env:?}: {came:?}");
        let dumb = env.contains(&("TERM", "dumb"));
        assert_eq!((came.contains('\x1b'), came.contains("layer 1/1")), (!dumb, !dumb), "{env:?}: {came:?}");
        assert_eq!(top.path().join("ours").exists(), !stop, "{env:?}");
        assert_eq!(screen.contains("interrupted"), stop, "{env:?}: {screen}");
    }
}

fn a_transcript_has_no_bars() {
    let top = image();
    let registry = Registry::start(&top.path().join("oci"), Plan { slow: true, ..Plan::default() }, None);
    let output = boxwright(&top, &[], &["run", "rootfs/copy", "--image", &registry.image()]);
    let told = text(&output.stdout);
    assert!(output.status.success(), "{told}{}", text(&output.stderr));
    let pulled = told.contains("Copying blob") && told.contains("Storing signatures");
    assert!(pulled && !told.contains("KiB/s") && !told.contains("layer 1/1"), "{told}");
}

/// Three steps, each rebuilt from the start: the image is copied for each of them.
fn a_session_keeps_nothing_where_that_takes_the_room_of_a_copy() {
    // Three layers that do not compress: one of them twice, beside all of them once, is too much for the small one.
    let top = tempfile::tempdir().unwrap();
    let mut noise = fs::File::open("/dev/urandom").unwrap();
    let layers = [(); 3].map(|()| {
        let mut bytes = vec![0; 400_000];
        noise.read_exact(&mut bytes).unwrap();
        layer::archive(&[layer::file("noise", bytes)])
    });
    layer::layout(&top.path().join("oci"), &layers);
    let registry = Registry::start(&top.path().join("oci"), Plan::default(), None);
    let name = registry.image();
    for (size, kept) in [("1500k", false), ("24m", true)] {
        let script = format!(
            "mount -t tmpfs -o size={size} small /mnt; cd /mnt; {BOXWRIGHT} skopeo copy -q {name} dir:copy && ls -A"
        );
        let output = Command::new("unshare")
            .args(["-m", "--propagation", "private", "sh", "-ec", &script])
            .env("BOXWRIGHT_RUN", "/mnt")
            .env("BOXWRIGHT_IMAGE", &name)
            .output()
            .unwrap();
        let told = text(&output.stdout);
        assert!(output.status.success(), "{size}: {told}{}", text(&output.stderr));
        assert_eq!(told.lines().filter(|line| line.starts_with("image-")).count() > 2, kept, "{told}");
    }
}

fn a_session_fetches_its_image_once() {
    let top = image();
    let registry = Registry::start(&top.path().join("oci"), Plan { auth: Auth::Token, ..Plan::default() }, None);
    let steps = ["rootfs/copy", "rootfs/manifest", "rootfs/digest"];
    let output = boxwright(&top, &[], &[&["run", "--image", &registry.image()][..], &steps].concat());
    let told = text(&output.stdout);
    assert!(output.status.success(), "{told}{}", text(&output.stderr));
    let asked =
        |what: &str| registry.log().iter().filter(|line| line.contains(what) && !line.contains("auth=-")).count();
    assert_eq!((asked("/manifests/"), asked("/blobs/")), (1, 2), "{:#?}", registry.log());
    assert_eq!(told.matches("skopeo copy docker://").count(), 1, "{told}");
    // The same line elsewhere asks the registry, and so does a session for another image than its own.
    let output = boxwright(
        &top,
        &[("BOXWRIGHT_RUN", top.path().to_str().unwrap()), ("BOXWRIGHT_IMAGE", "dir:x")],
        &["skopeo", "copy", "-q", &registry.image(), "dir:ours"],
    );
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!((asked("/manifests/"), asked("/blobs/")), (2, 4), "{:#?}", registry.log());
}
