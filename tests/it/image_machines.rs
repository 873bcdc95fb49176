//! Images for other machines, and images that cannot simply be started: what is chosen, what is refused, what is told.

use crate::harness::{Test, tests};
use crate::support::BOXWRIGHT;
use crate::support::layer::{self, Entry, Layer, archive, dir, file, here, index, latest, manifest, symlink, with};
use std::{
    fs,
    path::Path,
    process::{Command, Output},
};
use tempfile::TempDir;

pub fn tests() -> Vec<Test> {
    tests![
        lists_are_searched_for_the_machine,
        images_side_by_side_are_a_list,
        an_image_for_another_machine_is_refused_before_its_layers_are_read,
        what_starting_it_will_miss_is_told,
        each_way_of_not_starting_has_its_own_reason: [Root],
    ]
}

fn boxwright(dir: &TempDir, args: &[&str]) -> Output {
    Command::new(BOXWRIGHT).args(args).current_dir(dir.path()).output().unwrap()
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// One entry of a list: its platform as `OS/ARCHITECTURE[/VARIANT]`, or `attestation`.
fn listed(path: &Path, platform: &str) -> String {
    let layer = Layer::gzip(&archive(&[file("platform", platform)]));
    if platform == "attestation" {
        let (named, _) = manifest(path, &[layer], "unknown/unknown", "{}");
        let kind = r#""annotations":{"vnd.docker.reference.type":"attestation-manifest"}"#;
        return with(&named, &format!(r#","platform":{{"os":"unknown","architecture":"unknown"}},{kind}"#));
    }
    let parts: Vec<&str> = platform.split('/').collect();
    let (named, _) = manifest(path, &[layer], &parts[..2].join("/"), "{}");
    let variant = parts.get(2).map(|variant| format!(r#","variant":"{variant}""#)).unwrap_or_default();
    let (os, architecture) = (parts[0], parts[1]);
    let version = if os == "windows" { r#","os.version":"10.0.20348.1""# } else { "" };
    let platform = format!(r#"{{"os":"{os}","architecture":"{architecture}"{variant}{version}}}"#);
    with(&named, &format!(r#","platform":{platform}"#))
}

fn lists_are_searched_for_the_machine() {
    let (ours, windows) = (here(), here().replace("linux", "windows"));
    let (ours, windows) = (ours.as_str(), windows.as_str());
    /// The list, how many lists are around it, what is asked for, the entry that is taken or why none is.
    type Row<'a> = (&'a [&'a str], usize, &'a [&'a str], Result<&'a str, &'a str>);
    let platform = |name| ["--platform", name];
    let foreign = format!("no image for {}; there is {windows}, linux/s390x/z1", boxwright::image::Platform::host());
    let table: [Row; 12] = [
        (&["attestation", windows, "linux/s390x/z1", ours], 1, &[], Ok(ours)),
        (&["attestation", windows, "linux/s390x/z1", ours], 0, &[], Ok(ours)),
        (&[ours, "attestation"], 5, &[], Ok(ours)),
        (&["linux/arm/v5", "linux/arm/v6", "linux/arm/v8"], 0, &platform("linux/arm/v7"), Ok("linux/arm/v6")),
        (&["linux/arm/v6", "linux/arm", "linux/arm/v7"], 0, &platform("linux/arm/v7"), Ok("linux/arm/v7")),
        (&["linux/arm/v6", "linux/arm"], 0, &platform("linux/arm/v7"), Ok("linux/arm")),
        (&["linux/amd64/v3", "linux/amd64/v2"], 0, &platform("linux/amd64"), Ok("linux/amd64/v2")),
        (&["linux/arm64"], 0, &platform("linux/arm64/v8"), Ok("linux/arm64")),
        (&["linux/arm/v8"], 0, &platform("linux/arm/v7"), Err("no image for linux/arm/v7; there is linux/arm/v8")),
        (&["attestation", windows, "linux/s390x/z1"], 1, &[], Err(&foreign)),
        (&["attestation"], 0, &[], Err("there is no image at all")),
        (&[ours], 9, &[], Err("lists name lists more than 8 deep")),
    ];
    for (list, around, more, wanted) in table {
        let top = tempfile::tempdir().unwrap();
        let oci = top.path().join("oci");
        let mut named = index(&oci, &list.iter().map(|platform| listed(&oci, platform)).collect::<Vec<_>>());
        (0..around).for_each(|_| named = index(&oci, std::slice::from_ref(&named)));
        latest(&oci, &named);
        let output = boxwright(&top, &[&["image", "unpack", "-q"], more, &["oci:oci:latest", "root"]].concat());
        let content = fs::read_to_string(top.path().join("root/platform"));
        match wanted {
            Ok(platform) => assert_eq!(content.unwrap(), platform, "{list:?}: {}", told(&output)),
            Err(why) => assert!(content.is_err() && told(&output).contains(why), "{list:?}: {}", told(&output)),
        }
        assert_eq!(output.status.success(), wanted.is_ok(), "{list:?}");
    }
}

/// What stands side by side in `index.json`, under one tag or none, is a list like any other; under several it is not.
fn images_side_by_side_are_a_list() {
    let foreign = format!("no image for {}; there is linux/s390x, linux/mips64le", boxwright::image::Platform::host());
    let (s390x, mips, ours) = ("linux/s390x", "linux/mips64le", here());
    let table: [(&[&str], bool, Result<&str, &str>); 4] = [
        (&[s390x, mips], false, Err(&foreign)),
        (&[s390x, &ours], false, Ok(&ours)),
        (&[s390x, &ours, mips], true, Err("3 images in it: which one?")),
        (&[s390x, s390x], false, Err("no image for")),
    ];
    for (list, tagged, wanted) in table {
        let top = tempfile::tempdir().unwrap();
        let oci = top.path().join("oci");
        let entries = list.iter().enumerate().map(|(index, platform)| {
            let tag = format!(r#","annotations":{{"org.opencontainers.image.ref.name":"tag{index}"}}"#);
            with(&listed(&oci, platform), if tagged { &tag } else { "" })
        });
        let entries = entries.collect::<Vec<_>>().join(",");
        fs::write(oci.join("index.json"), format!(r#"{{"schemaVersion":2,"manifests":[{entries}]}}"#)).unwrap();
        fs::write(oci.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
        let packed = Command::new("tar").args(["-cf", "oci.tar", "-C", "oci", "."]).current_dir(top.path()).status();
        assert!(packed.unwrap().success());
        for reference in ["oci:oci", "oci-archive:oci.tar"] {
            let output = boxwright(&top, &["image", "unpack", "-q", reference, "root"]);
            let content = fs::read_to_string(top.path().join("root/platform"));
            match wanted {
                Ok(platform) => assert_eq!(content.unwrap(), platform, "{list:?}: {}", told(&output)),
                Err(why) => assert!(told(&output).contains(why), "{list:?} {reference}: {}", told(&output)),
            }
            assert_eq!(output.status.success(), wanted.is_ok(), "{list:?}");
            drop(fs::remove_dir_all(top.path().join("root")));
        }
    }
}

fn an_image_for_another_machine_is_refused_before_its_layers_are_read() {
    let top = tempfile::tempdir().unwrap();
    let oci = top.path().join("oci");
    let layer = Layer::gzip(&archive(&[file("a", "b")]));
    let (named, _) = manifest(&oci, std::slice::from_ref(&layer), "linux/s390x", "{}");
    latest(&oci, &named);
    // Without its layer, a reader would find it missing.
    let blob = oci.join("blobs/sha256").join(layer::sha256(&layer.named));
    fs::remove_file(&blob).unwrap();
    let output = boxwright(&top, &["image", "unpack", "oci:oci:latest", "root"]);
    let why = told(&output);
    assert_eq!(output.status.code(), Some(1), "{why}");
    assert!(why.contains("wrong architecture: the image is for linux/s390x") && why.contains("qemu"), "{why}");
    assert!(!top.path().join("root").exists());
    fs::write(&blob, &layer.stored).unwrap();
    let output = boxwright(&top, &["image", "unpack", "-q", "--platform", "linux/s390x", "oci:oci:latest", "root"]);
    assert!(output.status.success() && top.path().join("root/a").exists(), "{}", told(&output));
}

/// Unpacks an image of this machine that is to be run like this; gives what was told.
fn unpacked(entries: &[Entry], execution: &str) -> (TempDir, String) {
    let top = tempfile::tempdir().unwrap();
    let oci = top.path().join("oci");
    let (named, _) = manifest(&oci, &[Layer::gzip(&archive(entries))], &here(), execution);
    latest(&oci, &named);
    let output = boxwright(&top, &["image", "unpack", "oci:oci:latest", "root"]);
    assert!(output.status.success(), "{}", told(&output));
    (top, told(&output))
}

/// The head of a program for another machine (elf(5)): 64 bits, little-endian, `e_type` 2 and this `e_machine`.
fn foreign() -> (Vec<u8>, &'static str) {
    let (number, name) = if cfg!(target_arch = "aarch64") { (62, "x86_64") } else { (183, "aarch64") };
    let mut head = vec![0; 64];
    head[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
    (head[16], head[18], head[20]) = (2, number, 1);
    (head, name)
}

fn what_starting_it_will_miss_is_told() {
    let closed = |owner: u64| Entry { mode: 0o700, owner: (owner, owner), ..dir("./") };
    let passwd = || file("etc/passwd", "root:x:0:0::/:\napp:x:1000:1000::/srv:/bin/sh\n");
    let shell =
        || vec![dir("srv/"), symlink("bin", "usr/bin"), file("usr/bin/dash", ""), symlink("usr/bin/sh", "dash")];
    let and = |more: Vec<Entry>| [shell(), more].concat();
    let table: [(Vec<Entry>, &str, &str); 15] = [
        (shell(), "{}", ""),
        (shell(), r#"{"User":"","WorkingDir":""}"#, ""),
        (shell(), r#"{"User":"1000:1000","WorkingDir":"/srv"}"#, ""),
        (shell(), r#"{"WorkingDir":"/not/there"}"#, "WorkingDir /not/there is not in it (ENOENT)"),
        (shell(), r#"{"WorkingDir":"/usr/bin/dash"}"#, "WorkingDir /usr/bin/dash is not a directory (ENOTDIR)"),
        (and(vec![symlink("work", "/srv")]), r#"{"WorkingDir":"/work"}"#, ""),
        (and(vec![symlink("work", "/tmp/../proc")]), r#"{"WorkingDir":"/work"}"#, "WorkingDir /work is not in it"),
        (and(vec![passwd()]), r#"{"User":"app:staff"}"#, ""),
        (shell(), r#"{"User":"app"}"#, "User app has no line in its etc/passwd"),
        (and(vec![passwd()]), r#"{"User":"other"}"#, "User other has no line in its etc/passwd"),
        (and(vec![symlink("etc/passwd", "/etc/shadow")]), r#"{"User":"root"}"#, ""),
        (and(vec![closed(0)]), r#"{"User":"root"}"#, ""),
        (and(vec![closed(1)]), r#"{"User":"1000"}"#, "own / has the mode 700: its User 1000 cannot enter it (EACCES)"),
        (vec![file("app", "")], r#"{"Entrypoint":["/app"]}"#, "it has no /bin/sh; its own program is /app"),
        (vec![file("app", "")], r#"{"Cmd":["/none"]}"#, ""),
    ];
    for (entries, execution, note) in table {
        let (_top, told) = unpacked(&entries, execution);
        let told: Vec<&str> = told.lines().filter(|line| !line.contains("owners not kept")).collect();
        assert_eq!(told.len(), usize::from(!note.is_empty()), "{execution}: {told:#?}");
        assert!(told.iter().all(|line| line.contains(note)), "{execution}: {told:#?}");
    }
}

fn each_way_of_not_starting_has_its_own_reason() {
    let (head, machine) = foreign();
    let program = |entry: Entry| Entry { mode: 0o755, ..entry };
    let entries = [program(file("bin/sh", head)), program(file("app", "#!/no/such/interpreter\n")), file("plain", "")];
    let (top, _) = unpacked(&entries, r#"{"User":"1000:1000","WorkingDir":"/not/there","Entrypoint":["/app"]}"#);
    let foreign = format!("/bin/sh is a program for {machine}, and this machine is {}", std::env::consts::ARCH);
    let table: [(&[&str], i32, &str); 9] = [
        (&["chroot", "root"], 126, &foreign),
        (&["chroot", "root", "/bin/sh"], 126, &foreign),
        (
            &["chroot", "root", "/app"],
            127,
            "/app is there, but not the interpreter that it names: /no/such/interpreter",
        ),
        (&["chroot", "root", "/none"], 127, "no /none in this root directory"),
        // A number needs no line in etc/passwd, so that it is the program that fails.
        (&["chroot", "--userspec=1000:1000", "root", "/app"], 127, "/app is there, but not the interpreter"),
        (&["chroot", "--userspec=app", "root", "/app"], 125, "invalid user"),
        (&["unshare", "--root=root", "--wd=/not/there", "/app"], 1, "cannot chdir to '/not/there': No such file"),
        (&["unshare", "--root=root", "--wd=/plain", "/app"], 1, "cannot chdir to '/plain': Not a directory (ENOTDIR)"),
        (&["unshare", "--root=root", "/app"], 127, "/app is there, but not the interpreter"),
    ];
    for (args, status, why) in table {
        let output = boxwright(&top, args);
        assert_eq!(output.status.code(), Some(status), "{args:?}: {}", told(&output));
        assert!(told(&output).contains(why), "{args:?}: {}", told(&output));
    }
}
