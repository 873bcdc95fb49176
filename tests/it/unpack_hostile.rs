//! Layers that lie, burst or reach for what is not theirs: how they are refused, and that nothing outside changes.

use crate::harness::{Test, tests};
use crate::support::layer::{
    self, Entry, Layer, OCI_GZIP, archive, dir, entry, file, gzip, hard_link, image, layout, sha256, symlink,
};
use crate::support::tree::tree;
use crate::support::{BOXWRIGHT, theirs};
use std::{
    fs,
    path::Path,
    process::{Command, ExitCode},
};
use tar::EntryType;

pub fn tests() -> Vec<Test> {
    tests![
        what_is_not_what_it_should_be_is_refused,
        bombs_are_stopped_early_and_in_little_memory,
        directories_that_no_entry_names_count,
        trees_may_be_as_deep_as_paths_are_long,
        nothing_outside_the_root_is_read_written_or_linked: [Tool("strace")],
        a_full_disk_is_said_and_leaves_nothing: [Root],
        a_copy_looks_for_room_first: [Root],
    ]
}

/// Unpacks, which must fail and leave nothing; gives the complaint.
fn refused(layers: &[Layer], more: &[&str]) -> String {
    let top = tempfile::tempdir().unwrap();
    image(&top.path().join("oci"), layers);
    let mut command = Command::new(BOXWRIGHT);
    command.args(["image", "unpack"]).args(more).args(["oci:oci:latest", "root"]).current_dir(top.path());
    let output = command.output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{told}");
    let left: Vec<_> = fs::read_dir(top.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["oci"], "{told}");
    told
}

fn mode(mode: u32, entry: Entry) -> Entry {
    Entry { mode, ..entry }
}

fn what_is_not_what_it_should_be_is_refused() {
    let bytes = archive(&[file("z", noise(40_000))]);
    let whole = Layer::gzip(&bytes);
    let cut = whole.named[..whole.named.len() - 700].to_vec();
    let mut flipped = whole.named.clone();
    flipped[20_000] ^= 1;
    let half = &bytes[..20_000];
    let with = |change: &dyn Fn(&mut Layer)| {
        let mut layer = whole.clone();
        change(&mut layer);
        layer
    };
    let mut checksum = bytes.clone();
    checksum[0] ^= 1;
    let of = |entries: &[Entry]| Layer::gzip(&archive(entries));
    let huge = Entry { pax: vec![("size", b"99999999999".to_vec())], ..file("a", "") };
    let record = |text: &str| {
        let pax = entry(EntryType::XHeader, "x", text);
        of(&[pax, file("a", "b")])
    };
    let table: Vec<(&str, Layer, &str)> = vec![
        ("a flipped byte", with(&|layer| layer.stored = flipped.clone()), "its digest is sha256:"),
        ("a cut download", with(&|layer| layer.stored = cut.clone()), "bytes, expected"),
        ("a gzip stream that was always cut", Layer::new(OCI_GZIP, cut.clone(), &bytes), "layer 1 of 1"),
        ("an archive that ends within a file", Layer::gzip(half), "ends within a file"),
        ("an archive that ends within a header", Layer::gzip(&bytes[..300]), "ends within a header"),
        ("a wrong diff_id", with(&|layer| layer.diff_id = sha256(b"")), "uncompressed (diff_id): its digest is"),
        (
            "an unknown media type",
            with(&|layer| layer.media_type = "application/x-squashfs"),
            "\"application/x-squashfs\"",
        ),
        ("no archive", Layer::gzip(&b"nonsense".repeat(200)), "is this a tar archive?"),
        ("a wrong checksum", Layer::gzip(&checksum), "checksum"),
        ("a hard link to nothing", of(&[hard_link("a", "b")]), "a: hard link to b: "),
        ("a hard link to a directory", of(&[dir("d/"), hard_link("a", "d")]), "a: hard link to d: "),
        ("a file below a link to itself", of(&[symlink("a", "a"), file("a/b", "2")]), "a/b: "),
        ("a name that is too long", of(&[file("n".repeat(256), "1")]), "n: "),
        ("a path longer than the kernel takes", of(&[file("d/".repeat(2100) + "f", "1")]), "ENAMETOOLONG"),
        ("the root as a file", of(&[file("./", "1")]), "layer 1 of 1"),
        ("a size that is a lie", of(&[huge]), "more than 8589934592 bytes"),
        ("records that are none", record("nonsense"), "PAX record"),
        ("a record longer than its header", record("99 path=a\n"), "PAX record"),
        ("a size that is no number", record("10 size=a\n"), "size is not a number"),
        (
            "records for all that are too many",
            of(&too_many(EntryType::XGlobalHeader)),
            "PAX records of more than 65536 bytes",
        ),
        (
            "records for one that are too many",
            of(&too_many(EntryType::XHeader)),
            "PAX records of more than 1048576 bytes",
        ),
        ("an extended header of two MiB", record(&"0".repeat(2 << 20)), "an extended header of 2097152 bytes"),
    ];
    for (what, layer, wanted) in table {
        eprintln!("{what}");
        let told = refused(&[layer], &[]);
        assert!(told.contains(wanted) && told.lines().count() <= 2, "{what}: {told}");
        assert!(told.contains("layer 1 of 1 (sha256:"), "{what}: {told}");
    }
}

/// Headers with other attributes each, of 1 MiB in all that count.
fn too_many(kind: EntryType) -> Vec<Entry> {
    let record = |number: usize| format!("518 SCHILY.xattr.user.{number:04}={}\n", "v".repeat(490)).into_bytes();
    assert_eq!(record(0).len(), 518);
    let headers =
        (0..21).map(|header| entry(kind, "x", (0..100).flat_map(|n| record(header * 100 + n)).collect::<Vec<u8>>()));
    headers.chain([file("a", "b")]).collect()
}

/// Bytes that no compressor makes shorter, always the same.
fn noise(count: usize) -> Vec<u8> {
    let mut state = 1u64;
    let step = |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..count).map(step).collect()
}

fn bombs_are_stopped_early_and_in_little_memory() {
    // Ten GiB of zeros: one compressed piece of them, again and again.
    let piece = gzip(&vec![0; 16 << 20]);
    let sized = |size: u64| {
        let mut header = layer::header(&file("zeros", ""));
        header.set_size(size);
        header.set_cksum();
        gzip(header.as_bytes())
    };
    let zeros = piece.repeat(640);
    let named = Layer::new(OCI_GZIP, [sized(10 << 30), zeros.clone()].concat(), b"");
    let told = refused(std::slice::from_ref(&named), &[]);
    assert!(told.contains("zeros: more than 8589934592 bytes of content") && told.contains("--limit"), "{told}");
    // The same after the end of the archive, where nothing of it would be seen on the disk.
    let behind = Layer::new(OCI_GZIP, [gzip(&archive(&[file("a", "b")])), zeros].concat(), b"");
    let told = refused(std::slice::from_ref(&behind), &["--limit", "1000000"]);
    assert!(told.contains("bytes when decompressed") && told.contains("--limit"), "{told}");
    // A hole is no content on the disk, but a reader of the file gets all of it.
    let mut sparse = layer::header(&Entry { kind: EntryType::GNUSparse, ..file("hole", "") });
    sparse.as_gnu_mut().unwrap().realsize.copy_from_slice(b"77777777777\0");
    sparse.set_cksum();
    let hole = Layer::gzip(&[sparse.as_bytes().as_slice(), &[0; 1024]].concat());
    let told = refused(&[hole], &["--limit", "1000000"]);
    assert!(told.contains("hole: more than 1000000 bytes of content"), "{told}");
    // What is honest and large needs no more memory than what is refused.
    let large = Layer::new(OCI_GZIP, [sized(128 << 20), piece.repeat(8), gzip(&[0; 1024])].concat(), b"");
    // Three hundred headers of a MiB each before one entry, and before all: what they say means nothing here.
    let comment = [b"1000011 comment=".as_slice(), &vec![b'x'; 999_994], b"\n"].concat();
    let comments = |kind: EntryType| {
        let one = archive(&[entry(kind, "x", &comment)]);
        let one = gzip(&one[..one.len() - 1024]);
        let rest = archive(&[file("a", "b")]);
        Layer::new(OCI_GZIP, [one.repeat(300), gzip(&rest)].concat(), b"")
    };
    let [own, global] = [comments(EntryType::XHeader), comments(EntryType::XGlobalHeader)];
    let told = refused(std::slice::from_ref(&own), &[]);
    assert!(told.contains("uncompressed (diff_id)"), "{told}");
    for layer in [named, behind, large, own, global, Layer::gzip(&archive(&too_many(EntryType::XHeader)))] {
        let top = tempfile::tempdir().unwrap();
        image(&top.path().join("oci"), &[layer]);
        let peak = peak(top.path(), &["image", "unpack", "--limit", "200000000", "oci:oci:latest", "root"]);
        assert!(peak < 64 << 10, "{peak} KiB");
    }
}

/// The most memory that the program had, in KiB. What forks counts as what it forks at first, so the one that forks must be
/// small: not this process but another of the same program.
fn peak(dir: &Path, args: &[&str]) -> i64 {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.arg(MEASURE).args(args).current_dir(dir);
    let output = String::from_utf8(command.output().unwrap().stdout).unwrap();
    output.lines().find_map(|line| line.strip_prefix("peak ")).unwrap().parse().unwrap()
}

/// The first argument of a process that measures the program.
pub const MEASURE: &str = "__measure";

/// Runs the program and prints the most memory that it had.
pub fn measure(args: &[String]) -> ExitCode {
    Command::new(BOXWRIGHT).args(args).output().unwrap();
    let usage = nix::sys::resource::getrusage(nix::sys::resource::UsageWho::RUSAGE_CHILDREN).unwrap();
    println!("\npeak {}", usage.max_rss());
    ExitCode::SUCCESS
}

/// Files each of which lies below missing directories of its own.
fn below_missing(files: usize, depth: usize) -> Vec<Entry> {
    (0..files).map(|number| file(format!("{number}/{}f", "d/".repeat(depth - 1)), "")).collect()
}

fn directories_that_no_entry_names_count() {
    // Three kilobytes that would be fifty-seven thousand files.
    let layer = Layer::gzip(&archive(&below_missing(300, 190)));
    assert!(layer.stored.len() < 20_000, "{}", layer.stored.len());
    let told = refused(&[layer], &["--limit", "1000000"]);
    assert!(told.contains("more than 1000000 bytes of content") && told.contains("--limit"), "{told}");
    let top = tempfile::tempdir().unwrap();
    let rules =
        boxwright::image::unpack::Rules { layer: true, owners: false, umask: 0, max_bytes: u64::MAX, max_entries: 500 };
    let root = fs::File::open(top.path()).unwrap().into();
    let mut unpacker = boxwright::image::unpack::Unpacker::new(root, rules).unwrap();
    let bytes = archive(&below_missing(10, 190));
    let mut entries = boxwright::image::unpack::entries::Entries::new(bytes.as_slice());
    let error = unpacker.archive(&mut entries, |_| true).unwrap_err().to_string();
    assert!(error.contains("more than 500 entries"), "{error}");
    assert!(tree(top.path()).len() < 800);
}

fn trees_may_be_as_deep_as_paths_are_long() {
    let deep = |name: &str| format!("{}{name}", "d/".repeat(1900));
    let top = tempfile::tempdir().unwrap();
    let oci = top.path().join("oci");
    let mode = |mode: u32, entry: Entry| Entry { mode, ..entry };
    // The directory is listed as well, so that its mode and time count; then half of it is hidden.
    let lower = [mode(0o751, dir(deep(""))), file(deep("f"), "1"), mode(0o500, dir("d/d/e/"))];
    let upper = [file(format!("{}.wh.d", "d/".repeat(900)), "")];
    layout(&oci, &[archive(&lower), archive(&upper)]);
    let peak = peak(top.path(), &["image", "unpack", "-q", "oci:oci:latest", "root"]);
    assert!(peak < 64 << 10, "{peak} KiB");
    let count = Command::new("sh").args(["-c", "find root | wc -l"]).current_dir(top.path()).output().unwrap();
    assert_eq!(String::from_utf8(count.stdout).unwrap().trim(), "902");
    assert!(Command::new("rm").args(["-rf", "root"]).current_dir(top.path()).status().unwrap().success());
    layout(&top.path().join("whole"), &[archive(&lower)]);
    // Few files may be open at a time.
    let line = format!(
        "ulimit -n 64; {BOXWRIGHT} image unpack -q oci:whole:latest root && find root -type d -perm 751 | wc -l"
    );
    let output = Command::new("sh").args(["-c", &line]).current_dir(top.path()).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "1", "{}", String::from_utf8_lossy(&output.stderr));
    assert!(Command::new("rm").args(["-rf", "root"]).current_dir(top.path()).status().unwrap().success());
}

fn nothing_outside_the_root_is_read_written_or_linked() {
    let top = tempfile::tempdir().unwrap();
    let outside = top.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("secret"), "kept").unwrap();
    let before = tree(&outside);
    let away = outside.to_str().unwrap();
    let up = format!("{}{}", "../".repeat(12), away.trim_start_matches('/'));
    let through = |name: &str| vec![file(name, "p"), mode(0o4777, file(format!("{name}/x"), "p"))];
    let table: Vec<(&str, Vec<Vec<Entry>>)> = vec![
        ("dots in a name", vec![vec![file("../outside/secret", "p"), file("a/../../outside/secret", "p")]]),
        ("an absolute name", vec![vec![file(format!("{away}/secret"), "p")]]),
        ("an absolute link", vec![vec![symlink("l", away), file("l/secret", "p"), file("l/new", "p")]]),
        ("a link with dots", vec![vec![symlink("l", &up), file("l/secret", "p"), file("l/new", "p")]]),
        ("the same in two layers", vec![vec![symlink("l", &up)], vec![file("l/secret", "p"), dir("l/sub/")]]),
        ("links that lead to links", vec![vec![symlink("a", "b"), symlink("b", away), file("a/secret", "p")]]),
        ("a file through a link", vec![vec![symlink("secret", format!("{away}/secret"))], vec![file("secret", "p")]]),
        ("a directory over a link", vec![vec![symlink("l", away)], vec![dir("l/"), mode(0o777, dir("l/"))]]),
        ("a mode through a link", vec![vec![symlink("l", away), mode(0, dir("l/../l/./"))]]),
        ("a whiteout through a link", vec![vec![symlink("l", away)], vec![file("l/.wh.secret", "")]]),
        ("an opaque marker through a link", vec![vec![symlink("l", &up)], vec![file("l/.wh..wh..opq", "")]]),
        ("a whiteout with dots", vec![vec![file("../outside/.wh.secret", ""), file(".wh...", "")]]),
        ("a whiteout of a path", vec![vec![file(".wh.../outside/secret", "")]]),
        ("a hidden link", vec![vec![symlink("l", away)], vec![file(".wh.l", "")]]),
        ("the root as a link", vec![vec![symlink("./", away), symlink("", away), symlink("/", away)]]),
        ("a pipe through a link", vec![vec![symlink("l", away), entry(EntryType::Fifo, "l/secret", "")]]),
        ("a link through a link", vec![vec![symlink("l", away), symlink("l/secret", "x")]]),
        ("a magic link", vec![vec![symlink("l", "/proc/self/root"), file(format!("l{away}/secret"), "p")]]),
        ("a hard link with dots", vec![vec![hard_link("h", "../outside/secret"), file("h", "p")]]),
        ("a hard link outside", vec![vec![hard_link("h", format!("{away}/secret"))], vec![file("h", "p")]]),
        (
            "a hard link through a link",
            vec![vec![symlink("l", away), hard_link("h", "l/secret")], vec![file("h", "p")]],
        ),
        (
            "a hard link to a link",
            vec![vec![symlink("l", format!("{away}/secret")), hard_link("h", "l")], through("h")],
        ),
    ];
    let strace = theirs("strace");
    for (what, layers) in table {
        eprintln!("{what}");
        let place = top.path().join("place");
        let archives: Vec<Vec<u8>> = layers.iter().map(|entries| archive(entries)).collect();
        layout(&place.join("oci"), &archives);
        // Then once more as on a kernel that lacks the call which resolves a path at one go.
        let mut old = Command::new(&strace);
        let inject = "inject=openat2:error=ENOSYS";
        old.args(["-f", "-qq", "-o", "trace", "-e", "trace=openat2", "-e", inject, BOXWRIGHT]);
        for (mut command, root) in [(Command::new(BOXWRIGHT), "root"), (old, "old")] {
            let output =
                command.args(["image", "unpack", "oci:oci:latest", root]).current_dir(&place).output().unwrap();
            let told = String::from_utf8_lossy(&output.stderr);
            assert!(matches!(output.status.code(), Some(0 | 1)), "{what}: {told}");
            assert_eq!(tree(&outside), before, "{what}: {told}");
            let secret = |root: &Path| tree(root).into_values().any(|facts| facts.line.contains("kept"));
            assert!(!place.join(root).exists() || !secret(&place.join(root)), "{what}: {told}");
        }
        let at = |root: &str| place.join(root).exists().then(|| tree(&place.join(root)));
        assert_eq!(at("root"), at("old"), "{what}");
        [place.join("trace"), place.join("old")].iter().for_each(|path| {
            let _ = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
        });
        // One layer after another with the tool that knows no images.
        for (number, archive) in archives.iter().enumerate() {
            fs::create_dir_all(place.join("plain")).unwrap();
            fs::write(place.join("layer.tar"), archive).unwrap();
            let mut command = Command::new(BOXWRIGHT);
            command.args(["tar", "-xf", "layer.tar", "-C", "plain"]).current_dir(&place);
            let output = command.output().unwrap();
            assert!(matches!(output.status.code(), Some(0 | 2)), "{what}, layer {number}: {output:?}");
            assert_eq!(tree(&outside), before, "{what}, layer {number}");
        }
        let mut left: Vec<_> = fs::read_dir(&place).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.retain(|name| name != "root");
        left.sort();
        assert_eq!(left, ["layer.tar", "oci", "plain"], "{what}");
        fs::remove_dir_all(&place).unwrap();
    }
}

fn a_full_disk_is_said_and_leaves_nothing() {
    let top = tempfile::tempdir().unwrap();
    layout(&top.path().join("oci"), &[archive(&[file("small", "1")]), archive(&[file("a/large", noise(3 << 20))])]);
    layout(&top.path().join("many"), &[archive(&(0..500).map(|n| file(format!("f{n}"), "")).collect::<Vec<_>>())]);
    fs::create_dir(top.path().join("disk")).unwrap();
    let disk = top.path().join("disk");
    let name = format!("{} (tmpfs): ", disk.display());
    layout(&top.path().join("zeros"), &[archive(&[file("a/zeros", vec![0; 3 << 20])])]);
    let plain = archive(&[file("large", noise(3 << 20))]);
    image(&top.path().join("plain"), &[Layer::new("application/vnd.oci.image.layer.v1.tar", plain.clone(), &plain)]);
    for (options, from, path, left) in [
        // What is certain is known before anything is written.
        ("size=1m", "oci", "layer 2 of 2", "3.0 MiB are needed; "),
        ("size=1m", "plain", "layer 1 of 1", "3.0 MiB are needed; "),
        ("size=1m", "zeros", "a/zeros: ", "free of 1.0 MiB; make room there"),
        ("nr_inodes=100", "many", "f9", "no file free of 100, "),
    ] {
        let line = format!(
            "mount -t tmpfs -o {options} tmpfs disk || exit 9
             for to in disk disk/root; do
                 {BOXWRIGHT} image unpack -q oci:{from}:latest $to && exit 8
                 ls -A disk
             done; exit 7"
        );
        let output = Command::new("unshare").args(["-m", "sh", "-c", &line]).current_dir(top.path()).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(7), &b""[..]), "{told}");
        assert_eq!(told.matches("ENOSPC").count(), 2, "{told}");
        assert!(told.contains(path) && told.contains(&name) && told.contains(left), "{told}");
    }
}

fn a_copy_looks_for_room_first() {
    let top = tempfile::tempdir().unwrap();
    layout(&top.path().join("oci"), &[archive(&[file("large", noise(3 << 20))])]);
    fs::create_dir(top.path().join("disk")).unwrap();
    let room = format!("{} (tmpfs): ", top.path().join("disk").display());
    for (size, to) in ["dir:disk/d", "oci:disk/o:x", "oci-archive:disk/a.tar:x", "docker-archive:disk/a.tar:x"]
        .map(|to| ("1m", to))
        .into_iter()
        .chain([("5m", "oci:disk/o:x")])
    {
        let line = format!(
            "mount -t tmpfs -o size={size} tmpfs disk || exit 9
             {BOXWRIGHT} skopeo copy -q oci:oci:latest {to} || {{ ls -A disk; exit 7; }}
             {BOXWRIGHT} skopeo copy -q oci:oci:latest {to} || exit 6"
        );
        let output = Command::new("unshare").args(["-m", "sh", "-c", &line]).current_dir(top.path()).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        // What is there already needs no room once more.
        if size == "5m" {
            assert!(output.status.success(), "{told}");
            continue;
        }
        assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(7), &b""[..]), "{told}");
        assert!(told.contains("oci:oci:latest: 3.0 MiB are needed; ") && told.contains(&room), "{to}: {told}");
    }
}
