//! A whole Debian in several layers, from the distribution's registry, beside the distribution's skopeo and umoci.

use crate::harness::{Test, tests};
use crate::support::client::{boxwright, files, text};
use crate::support::distribution::{Registry, Skopeo};
use crate::support::layer::{self, Entry, archive, dir, entry, file, hard_link, symlink};
use crate::support::tree::{Facts, tree};
use crate::{needs::program, support::theirs};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};
use tar::EntryType;
use tempfile::TempDir;

pub fn tests() -> Vec<Test> {
    tests![
        a_debian_is_that_of_the_distributions_tools: [Root, Tool("skopeo"), Tool("umoci"), Tool("docker-registry"), Tool("zstd"), Debian],
    ]
}

fn printed(command: &mut Command) -> Option<String> {
    let output = command.stderr(Stdio::inherit()).output().ok()?;
    output.status.success().then(|| text(&output.stdout).trim().to_string())
}

/// An archive of this release's smallest system, made once a target directory; an error where no mirror gives one.
pub fn base() -> Result<PathBuf, String> {
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join("debian.tar");
    if kept.exists() {
        return Ok(kept);
    }
    let debootstrap = program("debootstrap").ok_or("debootstrap is not installed")?;
    let release = printed(Command::new("sh").args(["-c", ". /etc/os-release && echo $VERSION_CODENAME"]));
    let release = release.ok_or("/etc/os-release names no release")?;
    // The mirror that this machine takes its packages from.
    let created = ["indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"];
    let mirrors = printed(Command::new("apt-get").args(created).arg(format!("Codename: {release}")));
    let mirrors = mirrors.unwrap_or_default();
    let mirror = mirrors.lines().next().ok_or("apt-get knows no mirror of this release")?;
    let made = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let root = made.path().join("root");
    // What it mounts ends with its own namespace.
    let mut bootstrap = Command::new("unshare");
    bootstrap.args(["-m", "--propagation", "private"]).arg(debootstrap).args(["--variant=minbase", &release]);
    let output = bootstrap.arg(&root).arg(mirror).output().unwrap();
    if !output.status.success() {
        let why = text(&output.stdout).lines().last().unwrap_or_default().to_string();
        return Err(format!("no Debian from {mirror}: {why}"));
    }
    let part = made.path().join("debian.tar");
    let mut tar = Command::new("tar");
    tar.args(["--sort=name", "--numeric-owner", "--xattrs", "--xattrs-include=*", "--format=pax"]);
    tar.args(["--pax-option=delete=atime,delete=ctime", "--exclude=./proc/*", "--exclude=./sys/*"]);
    tar.args(["--exclude=./var/cache/apt/*", "--exclude=./var/lib/apt/lists/*", "-C"]).arg(&root).arg("-cf").arg(&part);
    assert!(tar.arg(".").status().unwrap().success());
    fs::rename(part, &kept).unwrap();
    Ok(kept)
}

/// What later layers do to it: entries of every type, writes through its own links, and removals.
fn changes() -> [Vec<u8>; 3] {
    let with = |mode: u32, owner: (u64, u64), entry: Entry| Entry { mode, owner, ..entry };
    let pax = |key: &'static str, value: &[u8], entry: Entry| Entry { pax: vec![(key, value.to_vec())], ..entry };
    // CAP_NET_RAW, permitted and effective (capabilities(7), struct vfs_cap_data of revision 2).
    let capability = [&[1, 0, 0, 2, 0, 0x20, 0, 0][..], &[0; 12]].concat();
    let more = [
        with(0o755, (0, 0), file("bin/through-bin", "#!/bin/sh\n")),
        file("lib/through-lib", "x"),
        dir("opt/"),
        dir("opt/shelf/"),
        file("opt/shelf/old", "1"),
        dir("opt/gone/"),
        file("opt/gone/x", "2"),
        with(0o4755, (1000, 1000), file("opt/setuid", "s")),
        with(0o0, (0, 42), file("opt/closed", "c")),
        with(0o755, (3_000_000, 2_999_999), file("opt/owner", "o")),
        pax("SCHILY.xattr.security.capability", &capability, with(0o755, (0, 0), file("opt/ping", "p"))),
        pax("SCHILY.xattr.user.empty", b"", file("opt/attribute", "a")),
        pax("mtime", b"1234567890.123456", file("opt/dated", "d")),
        hard_link("opt/version", "etc/debian_version"),
        symlink("opt/nowhere", "/no/where"),
        symlink("opt/link", "shelf"),
        Entry { mode: 0o666, ..entry(EntryType::Char, "dev/other-null", "") },
        with(0o622, (1, 1), entry(EntryType::Fifo, "opt/pipe", "")),
        Entry { gnu: true, ..file(format!("opt/{}", "g".repeat(200)), "long") },
        file("opt/名前", "utf-8"),
    ];
    let less = [
        file("usr/share/.wh.doc", ""),
        file("bin/.wh.through-bin", ""),
        file("opt/.wh.gone", ""),
        file("opt/.wh.never-was", ""),
        dir("opt/shelf/"),
        file("opt/shelf/.wh..wh..opq", ""),
        file("opt/shelf/new", "3"),
        file("opt/link/through-link", "4"),
        with(0o600, (5, 6), file("etc/debian_version", "changed\n")),
    ];
    [archive(&more), archive(&less), archive(&[])]
}

/// A layout whose `latest` is an index: this image for this machine, and first the same for another one.
fn index(top: &Path, image: &str, name: &str) {
    fs::create_dir_all(top.join(name)).unwrap();
    for part in ["blobs", "oci-layout"] {
        let copied = Command::new("cp").arg("-r").arg(top.join(image).join(part)).arg(top.join(name)).status();
        assert!(copied.unwrap().success());
    }
    let listed: serde_json::Value =
        serde_json::from_slice(&fs::read(top.join(image).join("index.json")).unwrap()).unwrap();
    let here = boxwright::image::Platform::host().architecture;
    let entry = |architecture: &str| {
        let mut entry = listed["manifests"][0].clone();
        entry.as_object_mut().unwrap().remove("annotations");
        entry["platform"] = serde_json::json!({"architecture": architecture, "os": "linux"});
        entry
    };
    let media_type = "application/vnd.oci.image.index.v1+json";
    let all = [entry("s390x"), entry(&here)];
    let inner = serde_json::json!({"schemaVersion": 2, "mediaType": media_type, "manifests": all}).to_string();
    let digest = layer::sha256(inner.as_bytes());
    fs::write(top.join(name).join("blobs/sha256").join(&digest), &inner).unwrap();
    let outer = serde_json::json!({"schemaVersion": 2, "manifests": [{
        "mediaType": media_type, "digest": format!("sha256:{digest}"), "size": inner.len(),
        "annotations": {"org.opencontainers.image.ref.name": "latest"},
    }]});
    fs::write(top.join(name).join("index.json"), outer.to_string()).unwrap();
}

fn a_debian_is_that_of_the_distributions_tools() {
    let (skopeo, umoci, base) = (Skopeo::find(), theirs("umoci"), base().unwrap());
    let registry = Registry::start();
    let top: TempDir = tempfile::tempdir().unwrap();
    let mut archives = vec![fs::read(base).unwrap()];
    archives.extend(changes());
    layer::layout(&top.path().join("debian"), &archives);
    drop(archives);
    index(top.path(), "debian", "multi");
    let name = |tag: &str| format!("docker://{}/debian:{tag}", registry.host);
    let push = |more: &[&str], from: &str, tag: &str| {
        skopeo.run(top.path(), &[&["copy", "-q", "--dest-tls-verify=false"], more, &[from, &name(tag)]].concat());
    };
    push(&[], "oci:debian:latest", "gzip");
    push(&["--all"], "oci:multi:latest", "multi");
    // A registry's copy is compressed anew only where it does not have the blobs yet.
    skopeo.run(
        top.path(),
        &["copy", "-q", "--dest-compress", "--dest-compress-format=zstd", "oci:debian:latest", "oci:zstd:latest"],
    );
    push(&[], "oci:zstd:latest", "zstd");

    let unpacked = Command::new(umoci)
        .args(["unpack", "--image", "debian:latest", "bundle"])
        .current_dir(top.path())
        .output()
        .unwrap();
    assert!(unpacked.status.success(), "{}", text(&unpacked.stderr));
    let reference = tree(&top.path().join("bundle/rootfs"));
    assert!(reference.len() > 2000, "{} files are no Debian", reference.len());
    for tag in ["gzip", "zstd", "multi"] {
        let (ours, theirs, root) = (format!("ours-{tag}"), format!("theirs-{tag}"), format!("root-{tag}"));
        let run = |args: &[&str]| {
            let output = boxwright(&top, &[], args);
            assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
        };
        run(&["skopeo", "copy", "-q", &name(tag), &format!("dir:{ours}")]);
        skopeo.run(top.path(), &["copy", "-q", "--src-tls-verify=false", &name(tag), &format!("dir:{theirs}")]);
        let (ours, theirs) = (files(&top.path().join(ours)), files(&top.path().join(theirs)));
        assert!(ours == theirs, "{tag}: {:?} and {:?}", ours.keys(), theirs.keys());
        assert_eq!(text(&ours["manifest.json"]).contains("tar+zstd"), tag == "zstd");
        run(&["image", "unpack", "-q", &name(tag), &root]);
        assert_same(tag, &top.path().join(root), &reference);
    }
    // Through every kind of archive, compressed in both ways, to a registry and back.
    let run = |args: &[&str]| {
        let output = boxwright(&top, &[], args);
        assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
    };
    let compressed = |line: &str| {
        let done = Command::new("sh").args(["-c", line]).current_dir(top.path()).status().unwrap();
        assert!(done.success(), "{line}");
    };
    run(&["skopeo", "copy", "-q", "oci:debian:latest", "docker-archive:saved.tar:debian:1"]);
    compressed("gzip -1 saved.tar");
    run(&["skopeo", "copy", "-q", &name("zstd"), "oci-archive:zstd.tar:latest"]);
    compressed("zstd -q -1 --long=27 --rm zstd.tar");
    let (pushed, again) = (name("ours"), name("again"));
    run(&["skopeo", "copy", "-q", "docker-archive:saved.tar.gz", &pushed]);
    run(&["skopeo", "copy", "-q", "--all", "oci:multi:latest", &again]);
    for from in ["docker-archive:saved.tar.gz", "oci-archive:zstd.tar.zst", &pushed, &again] {
        run(&["image", "unpack", "-q", from, "root"]);
        assert_same(from, &top.path().join("root"), &reference);
        fs::remove_dir_all(top.path().join("root")).unwrap();
    }
}

/// Says in which files a tree is not that of the distribution's unpacker.
fn assert_same(what: &str, root: &Path, reference: &BTreeMap<Vec<u8>, Facts>) {
    let mut tree = tree(root);
    let mut told: Vec<String> = reference
        .iter()
        .map(|(path, theirs)| (path, tree.remove(path), theirs))
        .filter(|(_, ours, theirs)| ours.as_ref() != Some(theirs))
        .map(|(path, ours, theirs)| format!("{}: ours {ours:?}, theirs {theirs:?}", path.escape_ascii()))
        .collect();
    told.extend(tree.keys().map(|path| format!("{}: ours alone", path.escape_ascii())));
    assert!(told.is_empty(), "{what}: {}", told.join("\n"));
}
