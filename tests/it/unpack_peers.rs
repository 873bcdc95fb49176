//! The trees of our unpacker beside those of the distribution's umoci and tar.

use crate::harness::{Test, tests};
use crate::support::layer::{Entry, archive, dir, entry, file, gzip, hard_link, layout, symlink};
use crate::support::tree::{Facts, tree};
use crate::support::{BOXWRIGHT, host, learner::lessons, ours, theirs};
use boxwright::{lang::Lang, lesson::Block};
use std::{
    collections::BTreeMap,
    fs,
    io::Write,
    path::Path,
    process::{Command, Stdio},
};
use tar::EntryType;
use tempfile::TempDir;

pub fn tests() -> Vec<Test> {
    tests![
        the_tree_is_that_of_umoci: [Root, Tool("umoci")],
        our_tar_unpacks_as_gnu_tar: [Root, Tool("tar")],
        an_image_made_by_hand_is_one_for_other_tools: [Root, Tool("bash"), Tool("skopeo"), Tool("umoci"), Tool("gzip"), Runtime],
    ]
}

fn run(top: &TempDir, program: &Path, args: &[&str]) {
    let mut command = Command::new(program);
    command.env("XDG_CACHE_HOME", top.path().join("cache")).env_remove("SUDO_UID");
    let output = command.args(args).current_dir(top.path()).output().unwrap();
    assert!(output.status.success(), "{} {args:?}: {}", program.display(), String::from_utf8_lossy(&output.stderr));
}

/// Says in which files two trees differ, and how.
fn assert_same(ours: &BTreeMap<Vec<u8>, Facts>, theirs: &BTreeMap<Vec<u8>, Facts>) {
    let names: std::collections::BTreeSet<_> = ours.keys().chain(theirs.keys()).collect();
    let differing = names.into_iter().filter(|name| ours.get(*name) != theirs.get(*name));
    let told: Vec<String> = differing
        .map(|name| format!("{}\n  ours   {:?}\n  theirs {:?}", name.escape_ascii(), ours.get(name), theirs.get(name)))
        .collect();
    assert!(told.is_empty(), "{}", told.join("\n"));
}

/// Three layers with everything that a layer can do.
fn features() -> [Vec<u8>; 3] {
    let with = |mode: u32, owner: (u64, u64), entry: Entry| Entry { mode, owner, ..entry };
    let pax = |key: &'static str, value: &[u8], entry: Entry| Entry { pax: vec![(key, value.to_vec())], ..entry };
    let long = format!("long/{}/{}", "d".repeat(120), "f".repeat(180));
    let lower = [
        dir("./"),
        dir("bin/"),
        dir("dev/"),
        dir("etc/"),
        dir("home/"),
        dir("run/"),
        dir("usr/"),
        with(0o4755, (0, 0), file("bin/su", "su")),
        with(0o2755, (0, 5), file("bin/wall", "wall")),
        hard_link("bin/wall2", "bin/wall"),
        pax("SCHILY.xattr.user.note", b"a\nb", with(0o755, (3, 4), file("bin/noted", "x"))),
        with(0o1777, (0, 0), dir("tmp/")),
        with(0o700, (1000, 1000), dir("home/u/")),
        with(0, (0, 42), file("etc/gshadow", "s")),
        file("etc/large", "0123456789".repeat(100_000)),
        file("etc/empty", ""),
        symlink("etc/mtab", "/proc/mounts"),
        with(0o777, (7, 7), symlink("dangling", "no/where")),
        Entry { mode: 0o666, ..entry(EntryType::Char, "dev/null", "") },
        Entry { mode: 0o660, device: (7, 300), ..entry(EntryType::Block, "dev/loop300", "") },
        with(0o622, (1, 1), entry(EntryType::Fifo, "run/pipe", "")),
        pax("mtime", b"1234567890.123456789", file("dated", "x")),
        file(&long, "long"),
        file(b"caf\xe9", "latin"),
        dir("usr/lib/"),
        file("usr/lib/base", "b"),
        symlink("lib", "usr/lib"),
        dir("shelf/"),
        file("shelf/old", "1"),
        dir("shelf/sub/"),
        file("shelf/sub/old", "2"),
        file("gone", "3"),
        dir("gone-too/"),
        file("gone-too/x", "4"),
        // From its entry on, the directory gives what is made in it to its own group.
        file("team/early", "7"),
        with(0o2775, (0, 50), dir("team/")),
        file("team/late", "8"),
        with(0o644, (0, 50), file("team/mine", "9")),
        with(0o644, (5, 6), file("team/other", "10")),
        file("team/last", "11"),
    ];
    let middle = [
        file(".wh.gone", ""),
        file(".wh.gone-too", ""),
        dir("shelf/"),
        file("shelf/.wh..wh..opq", ""),
        file("shelf/new", "5"),
        file("lib/more", "m"),
        hard_link("bin/su2", "bin/su"),
        with(0, (0, 42), file("etc/gshadow", "t")),
        with(0o755, (0, 0), file("dangling", "no link any more")),
    ];
    let upper = [
        dir("gone-too/"),
        file("gone-too/y", "6"),
        file("etc/empty", "no more"),
        pax("mtime", b"2000000000", with(0o750, (9, 9), dir("home/u/"))),
    ];
    [archive(&lower), archive(&middle), archive(&upper)]
}

/// Directories that no entry names have the time at which they happened to be made; ours have one that is always the same.
/// The root is one of them, or is changed by later layers, after which the others do not set its time again.
fn without_times_of_implied(tree: &mut BTreeMap<Vec<u8>, Facts>) {
    let implied = |name: &[u8]| name.is_empty() || name.starts_with(b"long");
    tree.iter_mut().filter(|(name, _)| implied(name)).for_each(|(_, facts)| facts.time = (0, 0));
}

fn the_tree_is_that_of_umoci() {
    let umoci = theirs("umoci");
    let top = tempfile::tempdir().unwrap();
    layout(&top.path().join("features"), &features());
    run(&top, Path::new(BOXWRIGHT), &["skopeo", "copy", "-q", "builtin:", "oci:builtin:latest"]);
    for name in ["features", "builtin"] {
        let (bundle, ours) = (format!("{name}-bundle"), format!("{name}-root"));
        run(&top, &umoci, &["unpack", "--image", &format!("{name}:latest"), &bundle]);
        run(&top, Path::new(BOXWRIGHT), &["image", "unpack", "-q", &format!("oci:{name}:latest"), &ours]);
        let mut trees = [tree(&top.path().join(ours)), tree(&top.path().join(bundle).join("rootfs"))];
        trees.iter_mut().for_each(without_times_of_implied);
        assert!(trees[0].len() > 20);
        assert_same(&trees[0], &trees[1]);
    }
}

fn our_tar_unpacks_as_gnu_tar() {
    let tar = theirs("tar");
    let top = tempfile::tempdir().unwrap();
    let [lower, ..] = features();
    fs::write(top.path().join("layer.tar.gz"), gzip(&lower)).unwrap();
    for (program, to) in [(Path::new(BOXWRIGHT), "ours"), (&tar, "theirs")] {
        fs::create_dir(top.path().join(to)).unwrap();
        // Without the option GNU tar sets a directory's time too early where files in it follow later.
        let first = if to == "ours" { "tar" } else { "--delay-directory-restore" };
        run(&top, program, &[first, "--numeric-owner", "-pzxf", "layer.tar.gz", "-C", to]);
    }
    let mut trees = ["ours", "theirs"].map(|to| tree(&top.path().join(to)));
    for tree in &mut trees {
        without_times_of_implied(tree);
        // GNU tar takes extended attributes only where it is asked to (--xattrs).
        tree.values_mut().for_each(|facts| facts.attributes.clear());
    }
    assert_same(&trees[0], &trees[1]);
}

/// The lines of the lesson that packs an image, without those that only show something or are to fail.
fn by_hand() -> String {
    let lesson = lessons(Lang::En).into_iter().find(|lesson| lesson.id == "runtime").unwrap();
    let steps = lesson.steps.iter().take_while(|step| step.id != "isolated");
    let blocks = steps.flat_map(|step| &step.blocks);
    let runs = blocks.filter_map(|block| if let Block::Run(run) = block { Some(run) } else { None });
    let lines = runs.filter(|run| !run.look && !run.fails).map(|run| format!("{}\n", run.line));
    // dash would read lines that are for the shell around it.
    lines.collect::<String>().replace("unshare -m sh\n", "unshare -m bash\n")
}

fn an_image_made_by_hand_is_one_for_other_tools() {
    let (before, top, tools) = (host(), tempfile::tempdir().unwrap(), ours());
    std::os::unix::fs::symlink(BOXWRIGHT, tools.path().join("boxwright")).unwrap();
    let path = format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", tools.path().display());
    let mut bash = Command::new(theirs("bash"));
    let mut bash =
        bash.env("PATH", path).current_dir(&top).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    bash.stdin.take().unwrap().write_all(by_hand().as_bytes()).unwrap();
    assert!(bash.wait().unwrap().success());

    run(&top, &theirs("skopeo"), &["--insecure-policy", "copy", "-q", "dir:mine", "oci:theirs:x"]);
    run(&top, &theirs("umoci"), &["unpack", "--image", "theirs:x", "bundle"]);
    assert_same(&tree(&top.path().join("tree")), &tree(&top.path().join("bundle/rootfs")));
    let file = top.path().join("bundle/config.json");
    let mut config: serde_json::Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    config["process"]["terminal"] = false.into();
    config["process"]["args"] = serde_json::json!(["cat", "/etc/note"]);
    config["linux"].as_object_mut().unwrap().remove("resources");
    config["mounts"] = serde_json::json!([{ "destination": "/proc", "type": "proc", "source": "proc" }]);
    fs::write(&file, config.to_string()).unwrap();
    let name = format!("boxwright-test-{}", std::process::id());
    let script = format!(
        "umount /sys/fs/cgroup/unified 2>/dev/null; \
         exec crun --root state --cgroup-manager=disabled run --bundle bundle {name}"
    );
    let ran = Command::new("unshare").args(["-m", "sh", "-c", &script]).current_dir(&top).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&ran.stdout), "hello\n", "{ran:?}");
    assert_eq!(host(), before, "the machine is as it was");
}
