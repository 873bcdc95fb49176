//! Images that are one file: read, refused and written, beside the distribution's skopeo.

use crate::harness::{Test, tests};
use crate::support::layer::{self, Entry, Layer, archive, dir, file, gzip, hard_link, image, layout, sha256, symlink};
use crate::support::{BOXWRIGHT, theirs};
use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    process::{Command, Output},
};
use tempfile::TempDir;

pub fn tests() -> Vec<Test> {
    tests![
        every_form_of_an_archive_is_read,
        a_session_decompresses_its_archive_once,
        names_are_those_of_docker,
        archives_that_lie_are_refused_and_touch_nothing,
        written_archives_are_read_by_us_and_by_skopeo: [Tool("skopeo")],
    ]
}

fn boxwright(top: &TempDir, args: &[&str]) -> Output {
    let cache = top.path().join("cache");
    Command::new(BOXWRIGHT).args(args).current_dir(top.path()).env("XDG_CACHE_HOME", cache).output().unwrap()
}

fn done(top: &TempDir, args: &[&str]) -> String {
    let output = boxwright(top, args);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn refused(top: &TempDir, args: &[&str]) -> String {
    let output = boxwright(top, args);
    assert_eq!(output.status.code(), Some(1), "{args:?}: {}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stderr).unwrap()
}

fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(dir).unwrap().flatten();
    entries.map(|entry| (entry.file_name().to_string_lossy().into_owned(), fs::read(entry.path()).unwrap())).collect()
}

fn names(top: &TempDir) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(top.path()).unwrap().flatten().map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Two layers, the second of which hides a file of the first.
fn layers() -> [Vec<u8>; 2] {
    [
        archive(&[dir("etc/"), file("etc/a", "1"), file("etc/b", "2")]),
        archive(&[file("etc/.wh.b", ""), file("etc/c", "3")]),
    ]
}

fn config(archives: &[Vec<u8>]) -> Vec<u8> {
    let scratch = tempfile::tempdir().unwrap();
    let layers: Vec<Layer> = archives.iter().map(|archive| Layer::gzip(archive)).collect();
    image(scratch.path(), &layers)
}

/// What `docker save` wrote before it knew OCI: a directory for each layer, and links where a layer comes twice.
fn saved(archives: &[Vec<u8>], tag: &str, more: &[Entry]) -> Vec<Entry> {
    let config = config(archives);
    let name = format!("{}.json", sha256(&config));
    let paths: Vec<String> = (1..=archives.len()).map(|number| format!("{number}/layer.tar")).collect();
    let list: Vec<String> = paths.iter().map(|path| format!("{path:?}")).collect();
    let manifest = format!(r#"[{{"Config":"{name}","RepoTags":["{tag}"],"Layers":[{}]}}]"#, list.join(","));
    let mut entries = vec![file(&name, config)];
    entries.extend(paths.iter().zip(archives).map(|(path, archive)| file(path, archive)));
    entries.extend_from_slice(more);
    entries.push(file("manifest.json", manifest));
    entries
}

/// What the image of [`layers`] unpacks to.
fn assert_unpacked(top: &TempDir, reference: &str) {
    done(top, &["image", "unpack", "-q", reference, "root"]);
    let found = files(&top.path().join("root/etc"));
    assert_eq!(found, BTreeMap::from([("a".into(), b"1".to_vec()), ("c".into(), b"3".to_vec())]), "{reference}");
    fs::remove_dir_all(top.path().join("root")).unwrap();
}

fn every_form_of_an_archive_is_read() {
    let top = tempfile::tempdir().unwrap();
    let layers = layers();
    let old = archive(&saved(&layers, "app:1", &[]));
    // The lower layer is stored elsewhere, and its name is a link to it.
    let mut linked = saved(&layers, "app:1", &[]);
    let lower = linked.iter_mut().find(|entry| entry.path == b"1/layer.tar").unwrap();
    *lower = Entry { path: b"real/layer.tar".to_vec(), ..lower.clone() };
    linked.insert(0, symlink("1/layer.tar", "../real/layer.tar"));
    let mut hard = linked.clone();
    hard[0] = hard_link("1/layer.tar", "real/layer.tar");
    // As docker saves from containerd's store: compressed, under its own digest, and a layout as well.
    let (blobs, config) = (layers.each_ref().map(|layer| gzip(layer)), config(&layers));
    let blob = |bytes: &[u8]| format!("blobs/sha256/{}", sha256(bytes));
    let manifest = format!(
        r#"[{{"Config":"{}","RepoTags":null,"Layers":["{}","{}"]}}]"#,
        blob(&config),
        blob(&blobs[0]),
        blob(&blobs[1])
    );
    let new = archive(&[
        file("manifest.json", manifest),
        file(blob(&config), config),
        file(blob(&blobs[0]), &blobs[0]),
        file(blob(&blobs[1]), &blobs[1]),
    ]);
    let mut compressed = saved(&layers, "app:1", &[]);
    compressed.iter_mut().filter(|entry| entry.path.ends_with(b".tar")).for_each(|entry| {
        entry.content = gzip(&entry.content);
    });
    let table = [
        ("old", old.clone()),
        ("old, compressed", gzip(&old)),
        ("a symbolic link to a layer", archive(&linked)),
        ("a hard link to a layer", archive(&hard)),
        ("new", new),
        ("compressed layers", archive(&compressed)),
    ];
    for (what, bytes) in table {
        eprintln!("{what}");
        fs::write(top.path().join("saved.tar"), bytes).unwrap();
        assert_unpacked(&top, "docker-archive:saved.tar");
    }
    layout(&top.path().join("oci"), &layers);
    for flags in ["-cf", "-czf"] {
        let tar = Command::new("tar").args([flags, "oci.tar", "-C", "oci", "."]).current_dir(top.path()).status();
        assert!(tar.unwrap().success());
        assert_unpacked(&top, "oci-archive:oci.tar");
        assert_unpacked(&top, "oci-archive:oci.tar:latest");
    }
}

/// What the first line of a session has decompressed is there for the next ones, and no other archive is.
fn a_session_decompresses_its_archive_once() {
    let top = TempDir::new().unwrap();
    let layers = layers();
    for name in ["ours", "other"] {
        fs::write(top.path().join(name), gzip(&archive(&saved(&layers, name, &[])))).unwrap();
    }
    let run = top.path().join("run");
    fs::create_dir(&run).unwrap();
    let image = format!("docker-archive:{}", top.path().join("ours").display());
    let line = |name: &str| {
        let mut command = Command::new(BOXWRIGHT);
        command.args(["skopeo", "inspect", &format!("docker-archive:{name}")]).current_dir(top.path());
        let output = command.env("BOXWRIGHT_RUN", &run).env("BOXWRIGHT_IMAGE", &image).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    line("other");
    assert_eq!(files(&run).len(), 0, "it is not the session's");
    line("ours");
    let kept = fs::read_dir(&run).unwrap().next().unwrap().unwrap();
    let written = || fs::metadata(kept.path()).unwrap().modified().unwrap();
    let first = written();
    line("ours");
    assert_eq!((files(&run).len(), written()), (1, first), "it is read again, and not written");
    // Read from there: what is not an archive is refused now.
    fs::write(kept.path(), "changed").unwrap();
    let mut command = Command::new(BOXWRIGHT);
    command.args(["skopeo", "inspect", &image]).env("BOXWRIGHT_RUN", &run).env("BOXWRIGHT_IMAGE", &image);
    assert_eq!(command.output().unwrap().status.code(), Some(1));
    // A file that has changed is another one.
    fs::write(top.path().join("ours"), gzip(&archive(&saved(&layers, "changed", &[])))).unwrap();
    line("ours");
    assert_eq!(files(&run).len(), 2);
}

fn names_are_those_of_docker() {
    let top = tempfile::tempdir().unwrap();
    fs::write(top.path().join("a.tar"), archive(&saved(&layers(), "app:latest", &[]))).unwrap();
    for name in ["app", "app:latest", "docker.io/library/app", "library/app:latest", "@0"] {
        assert_unpacked(&top, &format!("docker-archive:a.tar:{name}"));
    }
    for name in ["app:2", "other", "@1"] {
        let why = refused(&top, &["skopeo", "inspect", &format!("docker-archive:a.tar:{name}")]);
        assert!(why.contains("no image called") && why.contains("app:latest"), "{why}");
    }
    let why = refused(&top, &["skopeo", "inspect", "oci-archive:a.tar"]);
    assert!(why.contains("docker-archive:a.tar"), "{why}");
}

fn archives_that_lie_are_refused_and_touch_nothing() {
    let layers = layers();
    let honest = saved(&layers, "app:1", &[]);
    let with = |path: &str, change: &dyn Fn(&mut Entry)| {
        let mut entries = honest.clone();
        entries.iter_mut().filter(|entry| entry.path == path.as_bytes()).for_each(change);
        archive(&entries)
    };
    let config_name = String::from_utf8(honest[0].path.clone()).unwrap();
    let flip = |entry: &mut Entry| {
        let middle = entry.content.len() / 2;
        entry.content[middle] ^= 1;
    };
    let mut sparse_size = archive(&honest);
    // A member that says it is larger than all disks.
    let mut header = layer::header(&file("huge", ""));
    header.set_size(1 << 50);
    header.set_cksum();
    sparse_size.truncate(sparse_size.len() - 1024);
    sparse_size.extend_from_slice(header.as_bytes());
    let table: [(&str, Vec<u8>, &str); 9] = [
        ("a changed layer", with("1/layer.tar", &flip), "its digest is"),
        (
            "a changed configuration",
            with(&config_name, &|entry| *entry.content.last_mut().unwrap() = b' '),
            "its digest is",
        ),
        ("a layer that is not there", with("2/layer.tar", &|entry| entry.path = b"3/layer.tar".into()), "no such file"),
        (
            "a layer that is a file of the host",
            with("2/layer.tar", &|entry| *entry = symlink("2/layer.tar", "/etc/passwd")),
            "no such file",
        ),
        (
            "a link to itself",
            with("2/layer.tar", &|entry| *entry = symlink("2/layer.tar", "layer.tar")),
            "no such file",
        ),
        (
            "too few layers",
            with("manifest.json", &|entry| {
                let text = String::from_utf8(entry.content.clone()).unwrap();
                entry.content = text.replace(r#","2/layer.tar""#, "").into_bytes();
            }),
            "2 diff_ids for 1 layers",
        ),
        ("no list", with("manifest.json", &|entry| entry.path = b"other".into()), "no manifest.json"),
        ("a member without end", sparse_size, "ends within a file"),
        ("no archive", b"nonsense".repeat(100), "is this a tar archive?"),
    ];
    for (what, bytes, wanted) in table {
        let top = tempfile::tempdir().unwrap();
        fs::write(top.path().join("a.tar"), bytes).unwrap();
        for args in [
            &["image", "unpack", "docker-archive:a.tar", "root"][..],
            &["skopeo", "copy", "docker-archive:a.tar", "oci-archive:out.tar"],
            &["skopeo", "copy", "docker-archive:a.tar", "docker-archive:out.tar:x"],
        ] {
            let why = refused(&top, args);
            assert!(why.contains(wanted), "{what}: {why}");
            assert_eq!(names(&top), ["a.tar"], "{what}: {args:?}");
        }
    }
    // Members with names that lead away are only names: nothing is unpacked from the archive itself.
    let top = tempfile::tempdir().unwrap();
    let away = [file("../../outside", "x"), symlink("out", "/"), file("out/through", "x")];
    fs::create_dir(top.path().join("a")).unwrap();
    fs::write(top.path().join("a/a.tar"), archive(&saved(&layers, "app:1", &away))).unwrap();
    assert_unpacked(&top, "docker-archive:a/a.tar");
    assert_eq!(names(&top), ["a"]);
}

fn written_archives_are_read_by_us_and_by_skopeo() {
    let top = tempfile::tempdir().unwrap();
    layout(&top.path().join("oci"), &layers());
    done(&top, &["skopeo", "copy", "-q", "oci:oci:latest", "dir:first"]);
    done(&top, &["skopeo", "copy", "-q", "oci:oci:latest", "oci-archive:a/o.tar:latest"]);
    done(&top, &["skopeo", "copy", "-q", "oci:oci:latest", "docker-archive:a/d.tar:app"]);
    assert_unpacked(&top, "oci-archive:a/o.tar:latest");
    assert_unpacked(&top, "docker-archive:a/d.tar:app:latest");
    done(&top, &["skopeo", "copy", "-q", "oci-archive:a/o.tar", "dir:back"]);
    assert_eq!(files(&top.path().join("back")), files(&top.path().join("first")));
    let why = refused(&top, &["skopeo", "copy", "-q", "oci:oci:latest", "docker-archive:a/d.tar:other"]);
    assert!(why.contains("already"), "{why}");
    // The same archive again takes the old one's place.
    done(&top, &["skopeo", "copy", "-q", "oci:oci:latest", "oci-archive:a/o.tar:latest"]);
    assert_eq!(files(&top.path().join("a")).into_keys().collect::<Vec<_>>(), ["d.tar", "o.tar"]);
    let skopeo = theirs("skopeo");
    let skopeo = |args: &[&str]| {
        let mut command = Command::new(&skopeo);
        command.args(["--insecure-policy", "copy", "-q"]).args(args).current_dir(top.path());
        let output = command.output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    skopeo(&["oci-archive:a/o.tar:latest", "dir:theirs-o"]);
    assert_eq!(files(&top.path().join("theirs-o")), files(&top.path().join("first")));
    skopeo(&["docker-archive:a/d.tar:docker.io/library/app:latest", "oci:theirs-d:latest"]);
    assert_unpacked(&top, "oci:theirs-d:latest");
    skopeo(&["oci:oci:latest", "docker-archive:theirs.tar:app:1"]);
    assert_unpacked(&top, "docker-archive:theirs.tar:app:1");
    skopeo(&["oci:oci:latest", "oci-archive:theirs-o.tar:latest"]);
    assert_unpacked(&top, "oci-archive:theirs-o.tar:latest");
}
