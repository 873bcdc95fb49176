//! What users of skopeo type beside copying one image: whole lists, registries as destinations, tags, templates, help.

use crate::harness::{Test, tests};
use crate::support::client::{boxwright, files, image, text};
use crate::support::distribution::{Registry, Skopeo};
use crate::support::layer::{self, Layer, archive, file, index, latest, manifest};
use crate::support::registry::{Plan, Registry as Faulty, TAGS, Tags};
use std::{fs, path::Path};
use tempfile::TempDir;

const RESTRICTED: &str = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip";

pub fn tests() -> Vec<Test> {
    tests![
        all_images_of_a_list_are_copied_everywhere_and_back: [Tool("skopeo"), Tool("docker-registry")],
        what_was_built_goes_to_a_registry_and_comes_back_as_it_was: [Tool("skopeo"), Tool("docker-registry")],
        tags_of_repositories_and_archives_are_listed,
        inspect_shows_what_a_template_asks_for,
        every_field_of_a_configuration_is_shown,
        help_says_what_is_taken_here,
        a_layer_that_may_not_be_distributed_is_named: [Tool("skopeo"), Tool("docker-registry")],
    ]
}

fn done(top: &TempDir, args: &[&str]) -> String {
    let output = boxwright(top, &[], args);
    assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

fn refused(top: &TempDir, args: &[&str]) -> String {
    let output = boxwright(top, &[], args);
    assert_eq!(output.status.code(), Some(1), "{args:?}: {}", text(&output.stdout));
    text(&output.stderr)
}

/// A layout with a list of two images of one common layer.
fn list(path: &Path) {
    let common = Layer::gzip(&archive(&[file("common", "c")]));
    let images: Vec<String> = ["amd64", "arm64"]
        .map(|architecture| {
            let own = Layer::gzip(&archive(&[file("architecture", architecture)]));
            let platform = format!("linux/{architecture}");
            let (named, _) = manifest(path, &[common.clone(), own], &platform, "{}");
            layer::with(&named, &format!(r#","platform":{{"os":"linux","architecture":"{architecture}"}}"#))
        })
        .into();
    latest(path, &index(path, &images));
}

fn all_images_of_a_list_are_copied_everywhere_and_back() {
    let top = image();
    list(&top.path().join("multi"));
    let registry = Registry::start();
    let remote = format!("docker://{}/class/multi:v1", registry.host);
    let raw = done(&top, &["skopeo", "inspect", "--raw", "oci:multi:latest"]);
    for to in ["oci:o:x", "dir:d", "oci-archive:a.tar:x"].into_iter().chain([remote.as_str()]) {
        done(&top, &["skopeo", "copy", "--all", "oci:multi:latest", to]);
        assert_eq!(done(&top, &["skopeo", "inspect", "--raw", to]), raw, "{to}");
        for architecture in ["amd64", "arm64"] {
            let platform = format!("linux/{architecture}");
            done(&top, &["image", "unpack", "-q", "--platform", &platform, to, "root"]);
            assert_eq!(text(&fs::read(top.path().join("root/architecture")).unwrap()), architecture, "{to}");
            assert!(top.path().join("root/common").exists(), "{to}");
            fs::remove_dir_all(top.path().join("root")).unwrap();
        }
        done(&top, &["skopeo", "copy", "--all", to, "oci:back:x"]);
        assert_eq!(done(&top, &["skopeo", "inspect", "--raw", "oci:back:x"]), raw, "{to}");
        fs::remove_dir_all(top.path().join("back")).unwrap();
    }
    let why = refused(&top, &["skopeo", "copy", "--all", "oci:multi:latest", "docker-archive:no.tar:x"]);
    assert!(why.contains("a list of images cannot be kept there") && !top.path().join("no.tar").exists(), "{why}");
    let skopeo = Skopeo::find();
    skopeo.run(top.path(), &["copy", "--all", "oci:multi:latest", "dir:theirs"]);
    assert_eq!(files(&top.path().join("d")), files(&top.path().join("theirs")));
    skopeo.run(top.path(), &["copy", "--all", "--src-tls-verify=false", &remote, "dir:from-registry"]);
    assert_eq!(files(&top.path().join("from-registry")), files(&top.path().join("theirs")));
}

fn what_was_built_goes_to_a_registry_and_comes_back_as_it_was() {
    let (skopeo, registry) = (Skopeo::find(), Registry::start());
    let top = image();
    done(&top, &["skopeo", "copy", "-q", "oci:oci:latest", "dir:dir"]);
    done(&top, &["skopeo", "copy", "-q", "oci:oci:latest", "docker-archive:saved.tar:app"]);
    for (number, from) in ["oci:oci:latest", "dir:dir", "docker-archive:saved.tar", "builtin:"].into_iter().enumerate()
    {
        let to = format!("docker://{}/class/pushed{number}:v1", registry.host);
        done(&top, &["skopeo", "copy", from, &to]);
        let back = format!("back{number}");
        skopeo.run(top.path(), &["copy", "--src-tls-verify=false", &to, &format!("dir:{back}")]);
        let ours = format!("ours{number}");
        done(&top, &["skopeo", "copy", from, &format!("dir:{ours}")]);
        assert_eq!(files(&top.path().join(back)), files(&top.path().join(ours)), "{from}");
        // What the registry has is not sent again.
        let told = done(&top, &["skopeo", "copy", from, &to.replace(":v1", ":v2")]);
        assert!(
            told.contains("skipped: already exists") && !told.lines().any(|line| line.ends_with("Copying blob")),
            "{told}"
        );
    }
    // A source that is not what it says is not taken for one.
    let blobs = top.path().join("oci/blobs/sha256");
    let large =
        fs::read_dir(blobs).unwrap().flatten().max_by_key(|entry| entry.metadata().unwrap().len()).unwrap().path();
    let mut bytes = fs::read(&large).unwrap();
    bytes[1000] ^= 1;
    fs::write(&large, bytes).unwrap();
    let to = format!("docker://{}/class/broken:v1", registry.host);
    let why = refused(&top, &["skopeo", "copy", "oci:oci:latest", &to]);
    assert!(why.contains("its digest is sha256:") || why.contains("DIGEST_INVALID"), "{why}");
    let why = refused(&top, &["skopeo", "inspect", &to]);
    assert!(why.contains("not found (404)"), "{why}");
    // No server is there.
    let why = refused(&top, &["skopeo", "copy", "dir:dir", "docker://127.0.0.1:9/x/y"]);
    assert!(why.contains("no connection") && why.contains("ECONNREFUSED"), "{why}");
}

fn tags_of_repositories_and_archives_are_listed() {
    let top = image();
    let registry = Faulty::start(
        &top.path().join("oci"),
        Plan { tags: Tags::Paged("<list?{}>; rel=next"), ..Plan::default() },
        None,
    );
    let listed: serde_json::Value =
        serde_json::from_str(&done(&top, &["skopeo", "list-tags", &registry.image()])).unwrap();
    assert_eq!(listed["Repository"], registry.image().trim_start_matches("docker://"));
    assert_eq!(listed["Tags"], serde_json::json!(TAGS));
    assert!(registry.log().iter().all(|line| !line.contains("/manifests/")), "{:#?}", registry.log());
    done(&top, &["skopeo", "copy", "oci:oci:latest", "docker-archive:saved.tar:app:1"]);
    let listed: serde_json::Value =
        serde_json::from_str(&done(&top, &["skopeo", "list-tags", "docker-archive:saved.tar"])).unwrap();
    assert_eq!(listed["Tags"], serde_json::json!(["app:1"]));
    for (reference, wanted) in [
        (format!("{}:v1", registry.image()), "No tag or digest allowed in reference"),
        ("oci:oci".into(), "only repositories"),
    ] {
        let why = refused(&top, &["skopeo", "list-tags", &reference]);
        assert!(why.contains(wanted), "{why}");
    }
}

fn inspect_shows_what_a_template_asks_for() {
    let top = image();
    list(&top.path().join("multi"));
    let of = |args: &[&str]| done(&top, &[&["skopeo", "inspect"], args].concat());
    assert_eq!(of(&["--format", "{{.Os}} {{len .Layers}}", "oci:oci:latest"]), "linux 1\n");
    assert_eq!(of(&["--config", "--format={{json .Config.Cmd}}", "oci:oci:latest"]), "[\"/bin/sh\"]\n");
    let why = refused(&top, &["skopeo", "inspect", "--format", "{{.Nothing}}", "oci:oci:latest"]);
    assert!(why.contains("no field \"Nothing\"") && why.contains("Architecture"), "{why}");
}

fn every_field_of_a_configuration_is_shown() {
    let top = image();
    let oci = top.path().join("own");
    let (named, config) =
        manifest(&oci, &[], "linux/amd64", r#"{"StopSignal":"SIGTERM","Healthcheck":{"Test":["x"]},"b":1,"a":2}"#);
    latest(&oci, &named);
    let shown = done(&top, &["skopeo", "inspect", "--config", "oci:own:latest"]);
    let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    assert_eq!(value(&shown), value(&text(&config)));
    assert!(shown.find("\"b\"").unwrap() < shown.find("\"a\"").unwrap(), "{shown}");
}

fn help_says_what_is_taken_here() {
    let top = image();
    for (args, wanted) in [
        (&["skopeo", "--help"][..], &["usage: skopeo copy", "list-tags", "docker-archive:FILE"][..]),
        (&["skopeo", "copy", "--help"], &["--all", "--dest-creds", "--src-tls-verify", "docker://NAME"]),
        (&["skopeo", "inspect", "--help"], &["--format", "--config", "--no-tags"]),
        (&["skopeo", "list-tags", "-h"], &["docker://REPOSITORY"]),
        (&["tar", "--help"], &["-x, --extract", "-C, --directory"]),
        (&["image", "--help"], &["unpack", "--limit", "8589934592", "--platform"]),
        (&["image", "unpack", "--help"], &["unpack", "--limit"]),
    ] {
        let told = done(&top, args);
        assert!(wanted.iter().all(|part| told.contains(part)), "{args:?}: {told}");
    }
}

/// An image with a layer that has its own address, and is not there.
fn a_layer_that_may_not_be_distributed_is_named() {
    let (skopeo, registry) = (Skopeo::find(), Registry::start());
    let top = image();
    let path = top.path().join("own");
    let theirs = Layer { media_type: RESTRICTED, ..Layer::gzip(&archive(&[file("theirs", "t")])) };
    let (named, _) =
        manifest(&path, &[theirs.clone(), Layer::gzip(&archive(&[file("ours", "o")]))], "linux/amd64", "{}");
    // Its address stands in the manifest.
    let manifest = path.join("blobs/sha256").join(&named.split("sha256:").nth(1).unwrap()[..64]);
    let size = format!(r#""size":{}"#, theirs.named.len());
    let text = text(&fs::read(manifest).unwrap()).replacen(
        &size,
        &format!(r#"{size},"urls":["http://127.0.0.1:9/theirs"]"#),
        1,
    );
    latest(&path, &layer::blob(&path, "application/vnd.oci.image.manifest.v1+json", text.as_bytes(), text.as_bytes()));
    fs::remove_file(path.join("blobs/sha256").join(layer::sha256(&theirs.named))).unwrap();
    for args in [
        &["skopeo", "copy", "oci:own:latest", "dir:no"][..],
        &["image", "unpack", "--platform", "linux/amd64", "oci:own:latest", "no"],
    ] {
        let why = refused(&top, args);
        assert!(
            why.contains("layer 1 of 2")
                && why.contains("it may not be distributed")
                && why.contains("nondistributable"),
            "{why}"
        );
        assert!(why.contains("get it from http://127.0.0.1:9/theirs"), "{why}");
        assert!(!top.path().join("no").exists());
    }
    // Where an address is kept in its place, both tools leave the layer out.
    skopeo.run(top.path(), &["copy", "oci:own:latest", "oci:theirs:latest"]);
    let told = done(&top, &["skopeo", "copy", "oci:own:latest", "oci:ours:latest"]);
    assert!(told.contains("its address goes along instead"), "{told}");
    assert_eq!(files(&top.path().join("ours/blobs/sha256")), files(&top.path().join("theirs/blobs/sha256")));
    done(&top, &["skopeo", "copy", "oci:own:latest", "oci-archive:ours.tar:latest"]);
    let remote = format!("docker://{}/class/own:v1", registry.host);
    done(&top, &["skopeo", "copy", "oci:own:latest", &remote]);
    assert_eq!(done(&top, &["skopeo", "inspect", "--raw", &remote]), text);
}
