//! Images through the built program: copied, refused, made of this machine, unpacked, entered.

use crate::harness::{Test, tests};
use crate::support::layer::{Entry, Layer, archive, dir, entry, file, image, layout, sha256};
use crate::support::{BOXWRIGHT, theirs};
use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt},
    path::Path,
    process::{Command, Output},
};
use tar::EntryType;
use tempfile::TempDir;

pub fn tests() -> Vec<Test> {
    tests![
        copies_are_those_of_the_distributions_skopeo: [Tool("skopeo")],
        a_flipped_byte_is_refused_and_leaves_nothing,
        a_layer_that_is_not_its_diff_id_is_refused,
        whiteouts_hide_lower_layers_only_wherever_they_stand,
        owners_modes_links_and_nodes_are_exact: [Root],
        nothing_is_written_outside_the_root,
        an_image_is_not_unpacked_over_other_files,
        a_bomb_meets_the_limit,
        the_built_in_image_is_the_same_each_time,
        the_built_in_image_is_entered: [Root],
        a_cache_that_cannot_be_written_is_said_and_got_around,
        a_wrong_image_ends_the_lesson_at_its_first_step: [Root],
    ]
}

/// Runs the program with a cache of its own.
fn boxwright(dir: &TempDir, args: &[&str]) -> Output {
    let mut command = Command::new(BOXWRIGHT);
    for name in ["SUDO_UID", "SUDO_GID"] {
        command.env_remove(name);
    }
    // The user's own cache may hold the image of this very build.
    command.env("HOME", dir.path()).env("XDG_CACHE_HOME", dir.path().join("cache"));
    // What is left in the directory is looked at.
    command.env("XDG_STATE_HOME", Path::new(env!("CARGO_TARGET_TMPDIR")).join("state"));
    command.args(args).current_dir(dir.path()).output().unwrap()
}

/// The same where it must succeed.
fn done(dir: &TempDir, args: &[&str]) -> String {
    let output = boxwright(dir, args);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The same where it must fail; gives the complaint.
fn refused(dir: &TempDir, args: &[&str]) -> String {
    let output = boxwright(dir, args);
    assert_eq!(output.status.code(), Some(1), "{args:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// Every file of a directory with its content.
fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(dir).unwrap().flatten();
    entries.map(|entry| (entry.file_name().to_string_lossy().into_owned(), fs::read(entry.path()).unwrap())).collect()
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(dir).unwrap().flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// Unpacks an image of these archives, and gives the directory that holds `root`.
fn unpacked(archives: &[Vec<u8>]) -> TempDir {
    let top = tempfile::tempdir().unwrap();
    layout(&top.path().join("oci"), archives);
    done(&top, &["image", "unpack", "-q", "oci:oci:latest", "root"]);
    top
}

/// What `skopeo inspect` printed before version 1.10, which has added this.
fn without_layers_data(text: &str) -> String {
    let Some((before, rest)) = text.split_once("    \"LayersData\": [\n") else { return text.to_string() };
    format!("{before}{}", rest.split_once("\n    ],\n").unwrap().1)
}

fn copies_are_those_of_the_distributions_skopeo() {
    let top = tempfile::tempdir().unwrap();
    layout(&top.path().join("oci"), &[archive(&[dir("a/"), file("a/b", "c")]), archive(&[file("a/d", "e")])]);
    let skopeo = theirs("skopeo");
    let theirs = |args: &[&str]| Command::new(&skopeo).args(args).current_dir(top.path()).output();
    let copied = theirs(&["--insecure-policy", "copy", "oci:oci:latest", "dir:theirs"]).unwrap();
    assert!(copied.status.success(), "{}", String::from_utf8_lossy(&copied.stderr));
    let told = done(&top, &["skopeo", "copy", "oci:oci:latest", "dir:ours"]);
    assert_eq!(files(&top.path().join("ours")), files(&top.path().join("theirs")));
    for line in String::from_utf8_lossy(&copied.stdout).lines().filter(|line| line.starts_with("Copying")) {
        assert!(told.contains(line), "{line} in {told}");
    }
    for more in [&[][..], &["--config"], &["--raw"]] {
        let args = [&["inspect"], more, &["oci:oci:latest"]].concat();
        let wanted = without_layers_data(&String::from_utf8(theirs(&args).unwrap().stdout).unwrap());
        assert_eq!(done(&top, &[&["skopeo"], args.as_slice()].concat()), wanted, "{args:?}");
    }
    done(&top, &["skopeo", "copy", "dir:ours", "oci:back:latest"]);
    let back = theirs(&["--insecure-policy", "copy", "oci:back:latest", "dir:again"]).unwrap();
    assert!(back.status.success(), "{}", String::from_utf8_lossy(&back.stderr));
    assert_eq!(files(&top.path().join("again")), files(&top.path().join("theirs")));
}

fn a_flipped_byte_is_refused_and_leaves_nothing() {
    let top = tempfile::tempdir().unwrap();
    let layers = layout(&top.path().join("oci"), &[archive(&[file("a", "b")])]);
    let blob = top.path().join("oci/blobs/sha256").join(&layers[0]);
    let mut bytes = fs::read(&blob).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&blob, &bytes).unwrap();
    for args in [&["skopeo", "copy", "oci:oci:latest", "dir:to"][..], &["image", "unpack", "oci:oci:latest", "to"]] {
        let why = refused(&top, args);
        assert!(why.contains(&layers[0]) && why.contains(&sha256(&bytes)) && why.contains("layer 1 of 1"), "{why}");
        assert_eq!(names(top.path()), ["oci"], "{args:?}");
    }
}

fn a_layer_that_is_not_its_diff_id_is_refused() {
    let top = tempfile::tempdir().unwrap();
    let wrong = Layer { diff_id: sha256(b"another"), ..Layer::gzip(&archive(&[file("a", "b")])) };
    image(&top.path().join("oci"), &[wrong]);
    let why = refused(&top, &["image", "unpack", "oci:oci:latest", "to"]);
    assert!(why.contains("diff_id") && why.contains(&sha256(b"another")), "{why}");
    assert_eq!(names(top.path()), ["oci"]);
}

fn whiteouts_hide_lower_layers_only_wherever_they_stand() {
    let lower = archive(&[
        dir("d/"),
        file("d/old", "1"),
        dir("d/sub/"),
        file("d/sub/old", "2"),
        file("gone", "3"),
        file("both", "4"),
    ]);
    let upper = archive(&[
        file("d/new", "5"),
        file("d/sub/new", "6"),
        file("both", "7"),
        file(".wh.gone", ""),
        file(".wh.both", ""),
        file("d/.wh..wh..opq", ""),
    ]);
    let top = unpacked(&[lower, upper]);
    let root = top.path().join("root");
    assert_eq!(names(&root), ["both", "d"]);
    assert_eq!(names(&root.join("d")), ["new", "sub"]);
    assert_eq!(names(&root.join("d/sub")), ["new"]);
    assert_eq!(fs::read(root.join("both")).unwrap(), b"7");
}

fn owners_modes_links_and_nodes_are_exact() {
    let su = Entry { mode: 0o4755, owner: (7, 8), ..file("bin/su", "x") };
    let tmp = Entry { mode: 0o1777, ..dir("tmp/") };
    let top = unpacked(&[
        archive(&[su, tmp, entry(EntryType::Char, "dev/null", ""), entry(EntryType::Fifo, "pipe", "")]),
        archive(&[
            entry(EntryType::Link, "deep/er/su", "bin/su"),
            entry(EntryType::Symlink, "etc/mtab", "/proc/mounts"),
            entry(EntryType::Symlink, "var/run", "/run"),
        ]),
        archive(&[file("var/run/pid", "1")]),
    ]);
    let root = top.path().join("root");
    let stat = |path: &str| fs::symlink_metadata(root.join(path)).unwrap();
    let su = stat("bin/su");
    assert_eq!((su.mode() & 0o7777, su.uid(), su.gid(), su.nlink()), (0o4755, 7, 8, 2));
    assert_eq!(su.ino(), stat("deep/er/su").ino());
    assert_eq!((su.mtime(), stat("tmp").mtime()), (1_000_000_000, 1_000_000_000));
    for (path, mode) in [("tmp", 0o1777), ("bin", 0o755), ("deep/er", 0o755), ("", 0o755)] {
        assert_eq!(stat(path).mode() & 0o7777, mode, "{path}");
    }
    assert!(stat("dev/null").file_type().is_char_device() && stat("pipe").file_type().is_fifo());
    assert_eq!(stat("dev/null").rdev(), nix::sys::stat::makedev(1, 3));
    assert_eq!(fs::read_link(root.join("etc/mtab")).unwrap(), Path::new("/proc/mounts"));
    assert_eq!(fs::read(root.join("run/pid")).unwrap(), b"1");
}

fn nothing_is_written_outside_the_root() {
    let top = tempfile::tempdir().unwrap();
    let victim = top.path().join("outside");
    fs::create_dir(&victim).unwrap();
    fs::write(victim.join("keep"), "kept").unwrap();
    let outside = victim.to_str().unwrap();
    let layers = [
        archive(&[
            entry(EntryType::Symlink, "absolute", outside),
            entry(EntryType::Symlink, "relative", "../outside"),
            file("../outside/dots", "x"),
            file("ok", "fine"),
        ]),
        archive(&[file("absolute/through", "x"), file("relative/through", "x"), file("relative/.wh.keep", "")]),
    ];
    layout(&top.path().join("oci"), &layers);
    done(&top, &["image", "unpack", "-q", "oci:oci:latest", "root"]);
    assert_eq!(files(&victim), BTreeMap::from([("keep".to_string(), b"kept".to_vec())]));
    assert_eq!(fs::read(top.path().join("root/ok")).unwrap(), b"fine");
    assert_eq!(names(top.path()), ["oci", "outside", "root"]);
    let stolen = [archive(&[entry(EntryType::Symlink, "a", outside), entry(EntryType::Link, "b", "a/keep")])];
    layout(&top.path().join("hard"), &stolen);
    let why = refused(&top, &["image", "unpack", "oci:hard:latest", "other"]);
    assert!(why.contains("hard link") && why.contains("ENOENT"), "{why}");
    assert!(!top.path().join("other").exists());
}

fn an_image_is_not_unpacked_over_other_files() {
    let top = tempfile::tempdir().unwrap();
    layout(&top.path().join("oci"), &[archive(&[file("a", "b")])]);
    fs::create_dir(top.path().join("full")).unwrap();
    fs::write(top.path().join("full/mine"), "").unwrap();
    assert!(refused(&top, &["image", "unpack", "oci:oci:latest", "full"]).contains("not an empty directory"));
    assert!(refused(&top, &["skopeo", "copy", "oci:oci:latest", "dir:full"]).contains("overwrite"));
    assert_eq!(names(&top.path().join("full")), ["mine"]);
    fs::create_dir(top.path().join("empty")).unwrap();
    done(&top, &["image", "unpack", "-q", "oci:oci:latest", "empty"]);
    assert_eq!(names(&top.path().join("empty")), ["a"]);
}

fn a_bomb_meets_the_limit() {
    let top = tempfile::tempdir().unwrap();
    layout(&top.path().join("oci"), &[archive(&[file("a", "0123456789")])]);
    let why = refused(&top, &["image", "unpack", "--limit", "9", "oci:oci:latest", "to"]);
    assert!(why.contains("more than 9 bytes") && why.contains("--limit"), "{why}");
    assert_eq!(names(top.path()), ["oci"]);
    done(&top, &["image", "unpack", "-q", "--limit", "10", "oci:oci:latest", "to"]);
}

fn the_built_in_image_is_the_same_each_time() {
    let top = tempfile::tempdir().unwrap();
    done(&top, &["skopeo", "copy", "builtin:", "dir:first"]);
    let first = files(&top.path().join("first"));
    // A damaged cache and a missing one both lead to the same image again.
    let cached = top.path().join("cache/boxwright");
    let name = names(&cached).pop().unwrap();
    let blobs = cached.join(name).join("blobs/sha256");
    let largest = fs::read_dir(&blobs).unwrap().flatten().max_by_key(|blob| blob.metadata().unwrap().len()).unwrap();
    fs::write(largest.path(), "damaged").unwrap();
    done(&top, &["skopeo", "copy", "builtin:", "dir:second"]);
    assert_eq!(files(&top.path().join("second")), first);
    fs::remove_dir_all(&cached).unwrap();
    done(&top, &["image", "unpack", "builtin:", "root"]);
    let root = top.path().join("root");
    assert_eq!(names(&root.join("srv/notes")), ["plan.txt"]);
    assert_eq!(names(&root.join("srv/shelf")), ["new"]);
    assert_eq!(fs::metadata(root.join("bin/boxwright")).unwrap().nlink(), 1);
    for tool in boxwright::tools::TOOLS {
        assert!(root.join("bin").join(tool.name).exists(), "{}", tool.name);
    }
}

fn the_built_in_image_is_entered() {
    let top = tempfile::tempdir().unwrap();
    done(&top, &["image", "unpack", "builtin:", "root"]);
    let root = top.path().join("root");
    let line = "cat /etc/os-release; ls /srv/notes | tr a-z A-Z; hostname -s >/dev/null && echo right";
    let output = Command::new("chroot").arg(&root).args(["/bin/sh", "-c", line]).output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(told.contains("ID=boxwright") && told.contains("PLAN.TXT") && told.ends_with("right\n"), "{output:?}");
}

fn a_cache_that_cannot_be_written_is_said_and_got_around() {
    let top = tempfile::tempdir().unwrap();
    let elsewhere = top.path().join("temporary");
    fs::create_dir(&elsewhere).unwrap();
    fs::set_permissions(&elsewhere, fs::Permissions::from_mode(0o755)).unwrap();
    // A plain file where the cache directory should be stops root as well.
    fs::write(top.path().join("cache"), "").unwrap();
    let output = Command::new(BOXWRIGHT)
        .args(["skopeo", "copy", "-q", "builtin:", "dir:to"])
        .current_dir(top.path())
        .env_remove("SUDO_UID")
        .env("XDG_CACHE_HOME", top.path().join("cache"))
        .env("HOME", top.path().join("cache"))
        .env("TMPDIR", &elsewhere)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && told.contains("not kept in the cache"), "{told}");
    assert!(top.path().join("to/manifest.json").exists());
}

fn a_wrong_image_ends_the_lesson_at_its_first_step() {
    let top = tempfile::tempdir().unwrap();
    for (image, says) in [("dir:/not/there", "ENOENT"), ("docker://127.0.0.1:1/x", "ECONNREFUSED")] {
        let output = boxwright(&top, &["run", "rootfs", "--lang", "en", "--image", image]);
        let told = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(1), "{told}");
        assert!(told.contains(says) && told.contains("the image cannot be used"), "{told}");
        assert!(told.contains("1 step: 0 passed, 1 failed"), "{told}");
        assert_eq!(told.matches(says).count(), 1, "{told}");
    }
}
