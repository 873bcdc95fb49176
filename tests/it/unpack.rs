//! Layers that are awkward, one row each: what must lie on the disk afterwards.

use crate::harness::{Test, tests};
use crate::support::layer::{
    self, Entry, Layer, OCI_GZIP, OCI_TAR, OCI_ZSTD, TIME, archive, dir, entry, file, gzip, image, layout, symlink,
    zstd,
};
use crate::support::rows::{links, mode, names_and_modes, whiteouts};
use crate::support::tree::tree;
use crate::support::{BOXWRIGHT, theirs};
use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt, path::Path, process::Command};
use tar::EntryType;
use tempfile::TempDir;

pub fn tests() -> Vec<Test> {
    tests![
        every_layer_gives_its_tree: [Root],
        no_umask_changes_anything,
        the_root_is_open_unless_the_image_closes_it,
        times_are_exact_also_of_directories_and_links,
        attributes_of_the_image_are_kept_and_the_hosts_are_not_touched: [Root, Attributes],
        a_directory_has_the_attributes_that_the_upper_layer_says: [Root, Attributes],
        fields_left_blank_are_zero: [Root],
        sparse_files_have_their_holes,
        layers_are_read_by_their_own_first_bytes,
        without_root_the_rest_is_exact_and_what_is_missing_is_counted: [Root],
        root_without_a_capability_gets_the_rest: [Root],
        modes_are_those_of_the_image_whatever_the_directory_hands_down: [Root],
        a_file_system_without_attributes_is_told_once: [Root, Tool("strace")],
    ]
}

/// Unpacks, which must succeed; gives what was told.
fn unpacked(layers: &[Layer]) -> (TempDir, String) {
    let top = tempfile::tempdir().unwrap();
    image(&top.path().join("oci"), layers);
    let mut command = Command::new(BOXWRIGHT);
    let output = command.args(["image", "unpack", "oci:oci:latest", "root"]).current_dir(top.path()).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{told}");
    (top, told)
}

fn lines(root: &Path) -> BTreeMap<String, String> {
    let mut all = tree(root);
    all.remove(&b""[..]);
    all.into_iter().map(|(name, facts)| (name.escape_ascii().to_string(), facts.line)).collect()
}

fn every_layer_gives_its_tree() {
    for (what, layers, wanted, note) in [whiteouts(), links(), names_and_modes()].into_iter().flatten() {
        eprintln!("{what}");
        let layers: Vec<Layer> = layers.iter().map(|entries| Layer::gzip(&archive(entries))).collect();
        let (top, told) = unpacked(&layers);
        let wanted: BTreeMap<String, String> =
            wanted.into_iter().map(|(path, line)| (path.to_string(), line.to_string())).collect();
        assert_eq!(lines(&top.path().join("root")), wanted, "{what}");
        assert!(if note.is_empty() { told.is_empty() } else { told.contains(note) }, "{what}: {told}");
        let root = tree(&top.path().join("root")).remove(&b""[..]).unwrap();
        assert_eq!(root.line, "d 755 0:0", "{what}");
    }
}

fn no_umask_changes_anything() {
    let entries = [mode(0o4777, file("a/b", "1")), mode(0o1777, dir("t/")), symlink("l", "x"), dir("d/")];
    let top = tempfile::tempdir().unwrap();
    layout(&top.path().join("oci"), &[archive(&entries)]);
    let trees = ["000", "022", "077"].map(|umask| {
        let line = format!("umask {umask}; exec {BOXWRIGHT} image unpack -q oci:oci:latest {umask}");
        let output = Command::new("sh").args(["-c", &line]).current_dir(top.path()).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        tree(&top.path().join(umask))
    });
    assert_eq!(trees[0], trees[1]);
    assert_eq!(trees[0], trees[2]);
}

fn the_root_is_open_unless_the_image_closes_it() {
    let entries = [mode(0o711, dir("./")), file("./a", "1")];
    let (top, _) = unpacked(&[Layer::gzip(&archive(&entries))]);
    let root = tree(&top.path().join("root")).remove(&b""[..]).unwrap();
    assert!(root.line.starts_with("d 711 ") && root.time == (TIME as i64, 0), "{root:?}");
}

fn times_are_exact_also_of_directories_and_links() {
    let at = |time: &str, entry: Entry| Entry { pax: vec![("mtime", time.into())], ..entry };
    let (top, _) = unpacked(&[
        Layer::gzip(&archive(&[
            at("1.5", dir("d/")),
            at("-1.25", file("d/before-1970", "x")),
            at("4102444800.000000001", symlink("d/after-2038", "y")),
        ])),
        // A file more in a directory that this layer does not name leaves the directory's time alone.
        Layer::gzip(&archive(&[at("9", file("d/more", "z"))])),
    ]);
    let tree = tree(&top.path().join("root"));
    for (name, time) in [
        ("d", (1, 500_000_000)),
        ("d/before-1970", (-2, 750_000_000)),
        ("d/after-2038", (4_102_444_800, 1)),
        ("d/more", (9, 0)),
    ] {
        assert_eq!(tree[name.as_bytes()].time, time, "{name}");
    }
}

/// cap_net_raw+ep as the kernel stores it (linux/capability.h: revision 2, effective; permitted, inheritable, twice).
const CAPABILITY: [u8; 20] = [1, 0, 0, 2, 0, 32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// A program that may do more than its user.
fn capable(path: &str) -> Entry {
    let pax = vec![("SCHILY.xattr.security.capability", CAPABILITY.to_vec())];
    Entry { pax, ..mode(0o755, file(path, "x")) }
}

fn attributes_of_the_image_are_kept_and_the_hosts_are_not_touched() {
    let attribute = |name: &'static str, value: &[u8]| (name, value.to_vec());
    let ping = Entry {
        owner: (7, 7),
        pax: vec![
            attribute("SCHILY.xattr.security.capability", &CAPABILITY),
            attribute("SCHILY.xattr.user.note", b"a\nb\0c"),
            attribute("SCHILY.xattr.security.selinux", b"system_u:object_r:bin_t:s0"),
            attribute("SCHILY.xattr.trusted.overlay.opaque", b"y"),
        ],
        ..mode(0o755, file("ping", "x"))
    };
    let shelf = Entry { pax: vec![attribute("SCHILY.xattr.user.note", b"d")], ..dir("shelf/") };
    let (top, told) = unpacked(&[Layer::gzip(&archive(&[ping, shelf]))]);
    let tree = tree(&top.path().join("root"));
    let wanted = BTreeMap::from([
        (b"security.capability".to_vec(), CAPABILITY.to_vec()),
        (b"user.note".to_vec(), b"a\nb\0c".to_vec()),
    ]);
    assert_eq!(tree[&b"ping"[..]].attributes, wanted, "{told}");
    assert_eq!(tree[&b"shelf"[..]].attributes, BTreeMap::from([(b"user.note".to_vec(), b"d".to_vec())]));
}

fn a_directory_has_the_attributes_that_the_upper_layer_says() {
    let noted = |value: &str, entry: Entry| Entry { pax: vec![("SCHILY.xattr.user.note", value.into())], ..entry };
    let (top, _) = unpacked(&[
        Layer::gzip(&archive(&[noted("1", dir("gone/")), noted("1", dir("kept/")), noted("1", dir("other/"))])),
        Layer::gzip(&archive(&[dir("gone/"), file("kept/f", "x"), noted("2", dir("other/"))])),
    ]);
    let tree = tree(&top.path().join("root"));
    let note = |name: &str| tree[name.as_bytes()].attributes.get(&b"user.note"[..]).map(Vec::as_slice);
    assert_eq!((note("gone"), note("kept"), note("other")), (None, Some(&b"1"[..]), Some(&b"2"[..])));
}

fn fields_left_blank_are_zero() {
    // As some programs write what means nothing: spaces, NUL, or nothing at all.
    for blank in [b' ', 0] {
        let mut null = layer::header(&Entry { mode: 0o666, ..entry(EntryType::Char, "null", "") });
        let mut empty = layer::header(&file("empty", ""));
        for (header, fields) in
            [(&mut null, &[124..136, 136..148][..]), (&mut empty, &[108..116, 116..124, 124..136, 136..148, 329..345])]
        {
            fields.iter().for_each(|field| header.as_mut_bytes()[field.clone()].fill(blank));
            header.set_cksum();
        }
        let bytes = [null.as_bytes().as_slice(), empty.as_bytes(), &[0; 1024]].concat();
        let (top, _) = unpacked(&[Layer::gzip(&bytes)]);
        let all = tree(&top.path().join("root"));
        assert_eq!((all[&b"empty"[..]].line.as_str(), all[&b"empty"[..]].time), ("- 644 0:0 \"\"", (0, 0)));
    }
}

fn sparse_files_have_their_holes() {
    let data = [b'x'; 512];
    let mut whole = vec![0; 1 << 20];
    whole[4096..4608].copy_from_slice(&data);
    // GNU's own form: the map is in the header.
    let mut gnu = layer::header(&Entry { kind: EntryType::GNUSparse, ..file("gnu", data) });
    let fields = gnu.as_gnu_mut().unwrap();
    fields.sparse[0].offset.copy_from_slice(b"00000010000\0");
    fields.sparse[0].numbytes.copy_from_slice(b"00000001000\0");
    fields.sparse[1].offset.copy_from_slice(b"00004000000\0");
    fields.sparse[1].numbytes.copy_from_slice(b"00000000000\0");
    fields.realsize.copy_from_slice(b"00004000000\0");
    gnu.set_cksum();
    let mut bytes = [gnu.as_bytes(), &data[..]].concat();
    // POSIX: the map is a record, or stands before the content.
    let pax = |records: &[(&'static str, &str)], name: &str, content: Vec<u8>| {
        let pax = records.iter().map(|(key, value)| (*key, value.as_bytes().to_vec())).collect();
        archive(&[Entry { pax, ..file(name, content) }])
    };
    let mut map = b"1\n4096\n512\n".to_vec();
    map.resize(512, 0);
    map.extend(data);
    let one = [("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.name", "one")];
    let size = [("GNU.sparse.realsize", "1048576")];
    let inline = [("GNU.sparse.size", "1048576"), ("GNU.sparse.map", "4096,512"), ("GNU.sparse.name", "zero")];
    for more in [pax(&[&one[..], &size].concat(), "GNUSparseFile.0/one", map), pax(&inline, "x", data.to_vec())] {
        bytes.extend_from_slice(&more[..more.len() - 1024]);
    }
    bytes.extend([0; 1024]);
    let (top, _) = unpacked(&[Layer::gzip(&bytes)]);
    for name in ["gnu", "one", "zero"] {
        let path = top.path().join("root").join(name);
        assert!(fs::read(&path).unwrap() == whole, "{name}");
        let blocks = std::os::unix::fs::MetadataExt::blocks(&fs::metadata(&path).unwrap());
        assert!(blocks < 64, "{name}: {blocks} blocks: no hole");
    }
}

fn layers_are_read_by_their_own_first_bytes() {
    let bytes = archive(&[file("z", "z".repeat(5000))]);
    let (head, tail) = bytes.split_at(700);
    let members = [gzip(head), gzip(b""), gzip(tail)].concat();
    let lies = ["zstd that is called gzip", "plain that is called gzip"];
    let table = [
        ("plain", Layer::new(OCI_TAR, bytes.clone(), &bytes)),
        ("gzip", Layer::gzip(&bytes)),
        ("gzip of several members", Layer::new(OCI_GZIP, members, &bytes)),
        ("zstd", Layer::new(OCI_ZSTD, zstd(&bytes), &bytes)),
        ("zstd of several frames", Layer::new(OCI_ZSTD, [zstd(head), zstd(tail)].concat(), &bytes)),
        ("zstd that is called gzip", Layer::new(OCI_GZIP, zstd(&bytes), &bytes)),
        ("plain that is called gzip", Layer::new(OCI_GZIP, bytes.clone(), &bytes)),
    ];
    for (what, layer) in table {
        eprintln!("{what}");
        let (top, told) = unpacked(&[layer]);
        assert_eq!(told.contains("says gzip, and it is "), lies.contains(&what), "{what}: {told}");
        assert_eq!(fs::read(top.path().join("root/z")).unwrap(), "z".repeat(5000).as_bytes(), "{what}");
    }
}

fn without_root_the_rest_is_exact_and_what_is_missing_is_counted() {
    let top = tempfile::tempdir().unwrap();
    let entries = [
        Entry { owner: (0, 0), ..mode(0o4755, file("su", "x")) },
        capable("ping"),
        entry(EntryType::Char, "dev/null", ""),
        entry(EntryType::Fifo, "pipe", ""),
        mode(0o500, dir("closed/")),
        mode(0, file("closed/secret", "s")),
    ];
    layout(&top.path().join("oci"), &[archive(&entries), archive(&[file("closed/secret", "t"), file("closed/n", "")])]);
    let place = top.path().join("mine");
    fs::create_dir(&place).unwrap();
    std::os::unix::fs::chown(&place, Some(65534), Some(65534)).unwrap();
    fs::set_permissions(top.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    // The built program may lie where another user cannot go.
    let program = top.path().join("boxwright");
    fs::copy(BOXWRIGHT, &program).unwrap();
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(program);
    let output = command.args(["image", "unpack", "oci:../oci:latest", "root"]).current_dir(&place).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    let wanted = [
        ("closed", "d 500 65534:65534"),
        ("closed/n", "- 644 65534:65534 \"\""),
        ("closed/secret", "- 644 65534:65534 \"t\""),
        ("dev", "d 755 65534:65534"),
        ("ping", "- 755 65534:65534 \"x\""),
        ("pipe", "p 644 65534:65534"),
        ("su", "- 4755 65534:65534 \"x\""),
    ];
    let wanted: BTreeMap<String, String> = wanted.map(|(path, line)| (path.into(), line.into())).into();
    assert_eq!(lines(&place.join("root")), wanted);
    for word in
        ["1 device nodes not made", "1 extended attributes not set", "owners not kept", "1 setuid or setgid programs"]
    {
        assert!(told.contains(word), "{word}: {told}");
    }
}

fn root_without_a_capability_gets_the_rest() {
    let top = tempfile::tempdir().unwrap();
    let null = Entry { mode: 0o666, ..entry(EntryType::Char, "dev/null", "") };
    let mine = Entry { owner: (1000, 1000), ..mode(0o600, file("mine", "m")) };
    layout(&top.path().join("oci"), &[archive(&[null, entry(EntryType::Fifo, "pipe", ""), capable("ping"), mine])]);
    // An ordinary file in the place of a device would swallow what is written to it.
    let rest = [("dev", "d 755 0:0"), ("pipe", "p 644 0:0"), ("ping", "- 755 0:0 \"x\"")];
    for (capability, more, note) in [
        ("mknod", ("mine", "- 600 1000:1000 \"m\""), "1 device nodes not made"),
        ("setfcap", ("mine", "- 600 1000:1000 \"m\""), "1 extended attributes not set"),
        ("chown", ("mine", "- 600 0:0 \"m\""), "1 owners not kept"),
    ] {
        let mut command = Command::new("setpriv");
        command.args([format!("--inh-caps=-{capability}"), format!("--bounding-set=-{capability}")]).arg(BOXWRIGHT);
        let output = command.args(["image", "unpack", "oci:oci:latest", capability]).current_dir(top.path()).output();
        let output = output.unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && told.contains(note), "{capability}: {told}");
        assert_eq!(told.lines().count(), 1, "{capability}: {told}");
        let mut found = lines(&top.path().join(capability));
        assert_eq!(found.remove("dev/null").is_none(), capability == "mknod", "{capability}");
        let wanted: BTreeMap<String, String> =
            rest.into_iter().chain([more]).map(|(path, line)| (path.into(), line.into())).collect();
        assert_eq!(found, wanted, "{capability}");
    }
}

fn a_file_system_without_attributes_is_told_once() {
    let strace = theirs("strace");
    let top = tempfile::tempdir().unwrap();
    layout(&top.path().join("oci"), &[archive(&[capable("ping"), capable("ping6")])]);
    let calls = "setxattr,lsetxattr,fsetxattr";
    // Without room for attributes the disk need not be full.
    for (error, why) in [
        ("EOPNOTSUPP", "this user or this file system cannot"),
        ("ENOSPC", "the disk is not full"),
        ("E2BIG", "larger than this file system keeps"),
    ] {
        let mut command = Command::new(&strace);
        command.args(["-f", "-qq", "-o", "trace", "-e", &format!("trace={calls}")]);
        command.args(["-e", &format!("inject={calls}:error={error}"), BOXWRIGHT]);
        let output =
            command.args(["image", "unpack", "oci:oci:latest", error]).current_dir(top.path()).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{told}");
        assert!(fs::read_to_string(top.path().join("trace")).unwrap().contains(error));
        assert!(told.contains("2 extended attributes not set") && told.lines().count() == 1, "{told}");
        assert!(told.contains(why), "{error}: {told}");
    }
}

/// A list that gives everything to the owner, reading to the group and nothing to others (acl(5), as an attribute).
fn acl() -> Vec<u8> {
    let entry = |tag: u16, bits: u16| [tag.to_le_bytes(), bits.to_le_bytes(), [0xff; 2], [0xff; 2]].concat();
    [2_u32.to_le_bytes().to_vec(), entry(1, 7), entry(4, 4), entry(0x20, 0)].concat()
}

fn modes_are_those_of_the_image_whatever_the_directory_hands_down() {
    let name = "system.posix_acl_default";
    for (from_outside, from_the_image) in [(false, true), (true, false)] {
        let top = tempfile::tempdir().unwrap();
        let mut shelf = dir("shelf/");
        if from_the_image {
            shelf.pax.push(("SCHILY.xattr.system.posix_acl_default", acl()));
        }
        let open = Entry { mode: 0o666, ..file("shelf/open", "o") };
        let setuid = Entry { mode: 0o4711, ..file("shelf/setuid", "s") };
        layout(&top.path().join("oci"), &[archive(&[shelf, open, setuid])]);
        if from_outside {
            rustix::fs::setxattr(top.path(), name, &acl(), rustix::fs::XattrFlags::empty()).unwrap();
        }
        // The user's own mask is no part of the image either.
        let line = format!("umask 077; exec {BOXWRIGHT} image unpack -q oci:oci:latest root");
        let output = Command::new("sh").args(["-c", &line]).current_dir(top.path()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        for (path, mode) in [("shelf/open", 0o666), ("shelf/setuid", 0o4711)] {
            let found = fs::metadata(top.path().join("root").join(path)).unwrap().permissions().mode() & 0o7777;
            assert_eq!(found, mode, "{path}, from outside: {from_outside}");
        }
    }
}
