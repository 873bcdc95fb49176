//! Images from registries, through the built program: from one that has faults.

use crate::harness::{Test, tests};
use crate::support::BOXWRIGHT;
use crate::support::client::{boxwright, files, image, text};
use crate::support::layer;
use crate::support::registry::{Auth, Plan, REPOSITORY, Redirect, Registry, TAGS, Tags};
use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

pub fn tests() -> Vec<Test> {
    tests![
        what_goes_wrong_and_passes_is_no_failure,
        tags_are_listed_page_by_page,
        what_is_slow_is_waited_for,
        what_goes_wrong_and_stays_is_told_apart,
        what_is_not_there_is_told_apart,
        a_digest_decides_and_the_tag_does_not,
        a_list_is_searched_for_this_machine_and_shown_as_it_is,
        who_one_is_comes_from_options_and_files,
        a_mirror_is_asked_first_and_the_origin_where_it_lacks_the_image,
        ctrl_c_ends_a_silent_transfer_and_leaves_nothing,
    ]
}

/// Copies the image, which must go well, and gives what the registry was asked.
fn copied(plan: Plan, env: &[(&str, &str)], more: &[&str]) -> Vec<String> {
    let top = image();
    let registry = Registry::start(&top.path().join("oci"), plan.clone(), None);
    let name = registry.image();
    let output = boxwright(&top, env, &[&["skopeo", "copy", &name, "dir:ours"], more].concat());
    assert!(output.status.success(), "{plan:?}: {}{:#?}", text(&output.stderr), registry.log());
    boxwright(&top, &[], &["skopeo", "copy", "oci:oci:latest", "dir:wanted"]);
    assert_eq!(files(&top.path().join("ours")), files(&top.path().join("wanted")), "{plan:?}");
    registry.log()
}

/// Copies the image, which must fail and leave nothing; gives the complaint and what the registry was asked.
fn refused(plan: Plan, env: &[(&str, &str)], more: &[&str]) -> (String, Vec<String>) {
    let top = image();
    let registry = Registry::start(&top.path().join("oci"), plan.clone(), None);
    let name = registry.image();
    let output = boxwright(&top, env, &[&["skopeo", "copy", &name, "dir:ours"], more].concat());
    assert_eq!(output.status.code(), Some(1), "{plan:?}");
    assert!(!top.path().join("ours").exists(), "{plan:?}");
    (text(&output.stderr), registry.log())
}

fn what_goes_wrong_and_passes_is_no_failure() {
    let refuse = |count, status| Plan { refuse: (count, status, "0"), ..Plan::default() };
    let table = [
        ("plain", Plan::default()),
        ("token", Plan { auth: Auth::Token, ..Plan::default() }),
        ("another host", Plan { redirect: Redirect::Away, auth: Auth::Token, ..Plan::default() }),
        ("same host", Plan { redirect: Redirect::Here, auth: Auth::Token, ..Plan::default() }),
        ("too many requests, twice", refuse(2, 429)),
        ("unavailable, twice", refuse(2, 503)),
        ("bad gateway", refuse(1, 502)),
        ("trouble with the first blob", Plan { refuse_blobs: 1, ..Plan::default() }),
        ("no word of a digest", Plan { no_digest: true, ..Plan::default() }),
        ("an empty word of a digest", Plan { empty_digest: true, ..Plan::default() }),
        ("tokens are elsewhere", Plan { auth: Auth::Token, token_moved: true, ..Plan::default() }),
        ("old for a client that asks for nothing newer", Plan { old_unless_asked: true, ..Plan::default() }),
        ("cut, ranges known", Plan { cuts: 2, ranges: true, ..Plan::default() }),
        ("cut, ranges unknown", Plan { cuts: 2, ..Plan::default() }),
        ("cut, no range of an open end", Plan { cuts: 2, no_rest: true, ..Plan::default() }),
    ];
    for (name, plan) in table {
        let log = copied(plan.clone(), &[], &[]);
        assert!(log.iter().all(|line| line.contains(" GET ")), "{name}: {log:#?}");
        // One for the manifest, beside those that were refused; a token is wanted only once.
        let manifests = log.iter().filter(|line| line.contains("/manifests/")).count();
        assert_eq!(manifests, plan.refuse.0 + usize::from(plan.auth == Auth::Token) + 1, "{name}: {log:#?}");
        let away = log.iter().filter(|line| line.starts_with("127.0.0.2") && !line.contains("/moved"));
        assert!(away.clone().all(|line| line.contains("auth=-")), "{name}: {log:#?}");
        assert_eq!(away.count() > 0, plan.redirect == Redirect::Away, "{name}");
        // One half, then a half of the other half, then the rest.
        let ranges = log.iter().filter(|line| line.contains("range=bytes=")).count();
        assert_eq!(ranges, plan.cuts, "{name}: {log:#?}");
    }
}

fn tags_are_listed_page_by_page() {
    let paged = Plan { tags: Tags::Paged("</v2/class/demo/tags/list?{}>; rel=\"next\""), ..Plan::default() };
    let away = Plan { tags: Tags::Paged("<http://127.0.0.2:9/tags/list?{}>; rel=next"), ..Plan::default() };
    let refused = |status| Plan { tags: Tags::Refused(status), ..Plan::default() };
    // How often the list is asked for, and what is shown of it, or why nothing is shown.
    type Row<'a> = (Plan, &'a [&'a str], usize, Result<&'a [&'a str], &'a str>);
    let table: [Row; 8] = [
        (Plan::default(), &[], 1, Ok(&TAGS)),
        (Plan { auth: Auth::Token, ..paged.clone() }, &[], 3, Ok(&TAGS)),
        (away, &[], 3, Ok(&TAGS)),
        (paged, &["--no-tags"], 0, Ok(&[])),
        (
            Plan { tags: Tags::Paged("<list?last=>; rel=next"), ..Plan::default() },
            &[],
            2,
            Err("names itself as the next"),
        ),
        (refused(401), &[], 1, Ok(&[])),
        (refused(403), &[], 1, Ok(&[])),
        (refused(404), &[], 1, Err("not found (404): DENIED: no lists here")),
    ];
    for (plan, more, asked, wanted) in table {
        let top = image();
        let registry = Registry::start(&top.path().join("oci"), plan.clone(), None);
        let output = boxwright(&top, &[], &[&["skopeo", "inspect", &registry.image()], more].concat());
        let why = text(&output.stderr);
        let lists =
            registry.log().iter().filter(|line| line.contains("/tags/list") && !line.contains("127.0.0.2")).count();
        assert_eq!(lists, asked, "{plan:?}: {:#?}", registry.log());
        assert_eq!(output.status.success(), wanted.is_ok(), "{plan:?}: {why}");
        match wanted {
            Ok(tags) => {
                let shown: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
                let shown = shown["RepoTags"].as_array().cloned().unwrap_or_default();
                assert_eq!(shown, tags.iter().map(|tag| serde_json::json!(tag)).collect::<Vec<_>>(), "{plan:?}");
                let warned = why.contains("Registry disallows tag list retrieval; skipping");
                assert_eq!(warned, matches!(plan.tags, Tags::Refused(_)), "{why}");
            }
            Err(what) => assert!(why.contains("tags: ") && why.contains(what), "{why}"),
        }
    }
}

fn what_is_slow_is_waited_for() {
    // Longer than a stall in all, and never as long at a stretch.
    let begun = Instant::now();
    copied(Plan { slow: true, ..Plan::default() }, &[("BOXWRIGHT_TIMEOUT", "1")], &[]);
    assert!(begun.elapsed() > Duration::from_secs(1));
    // A date is obeyed as seconds are.
    let begun = Instant::now();
    copied(Plan { refuse: (1, 429, "date"), ..Plan::default() }, &[], &[]);
    assert!(begun.elapsed() > Duration::from_secs(1));
}

fn what_goes_wrong_and_stays_is_told_apart() {
    let after = |status, after| Plan { refuse: (99, status, after), ..Plan::default() };
    let table: [(Plan, &[&str]); 12] = [
        (after(429, "0"), &["rate-limited (429)", "slow  down", "0 of 100 left", "BOXWRIGHT_MIRROR"]),
        (after(429, "7200"), &["rate-limited (429)", "come back in 7200 s"]),
        (after(429, "Fri, 31 Dec 9999 23:59:59 GMT"), &["rate-limited (429)", "it says to come back in 25"]),
        (after(503, "0"), &["it answers 503", "try again later"]),
        (after(403, "0"), &["forbidden (403)", "--src-creds"]),
        (Plan { cuts: 99, ..Plan::default() }, &["cut: the connection ended after", "nothing half-made"]),
        (Plan { stall: true, ..Plan::default() }, &["stalled: nothing came for 1 s", "BOXWRIGHT_TIMEOUT"]),
        (Plan { corrupt: true, ..Plan::default() }, &["layer 1 of 1", "its digest is sha256:", "expected sha256:"]),
        (Plan { wrong_digest: true, ..Plan::default() }, &["manifest", "expected sha256:0000"]),
        (Plan { schema1: true, ..Plan::default() }, &["too old a format: schema 1"]),
        (Plan { web_page: true, ..Plan::default() }, &["a web page, where a manifest should be", "login page"]),
        (Plan { padding: 5 << 20, ..Plan::default() }, &["more than 4194304 bytes"]),
    ];
    for (plan, says) in table {
        let begun = Instant::now();
        let (why, log) = refused(plan.clone(), &[("BOXWRIGHT_TIMEOUT", "1")], &[]);
        assert!(says.iter().all(|part| why.contains(part)), "{plan:?}: {why}");
        assert!(log.len() < 10, "{plan:?}: {log:#?}");
        assert!(begun.elapsed() < Duration::from_secs(20), "{plan:?}");
    }
}

fn what_is_not_there_is_told_apart() {
    let top = image();
    let registry = Registry::start(&top.path().join("oci"), Plan::default(), None);
    let (host, zeros) = (registry.host(), "0".repeat(64));
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let table = [
        (format!("docker://{host}/class/other"), "not found (404): NAME_UNKNOWN: no such repository"),
        (format!("docker://{host}/{REPOSITORY}:none"), "not found (404): MANIFEST_UNKNOWN: no such tag"),
        (format!("docker://{host}/{REPOSITORY}@sha256:{zeros}"), "not found (404)"),
        (format!("docker://127.0.0.1:{closed}/x"), "Connection refused (ECONNREFUSED)"),
        ("docker://registry.invalid/x".into(), "registry.invalid: unknown host"),
        (format!("docker://{host}/Upper"), "repository names are lower case: \"upper\""),
        ("docker:x".into(), "docker://"),
    ];
    for (name, says) in table {
        let output = boxwright(&top, &[], &["skopeo", "inspect", &name]);
        assert_eq!(output.status.code(), Some(1), "{name}");
        assert!(text(&output.stderr).contains(says), "{name}: {}", text(&output.stderr));
    }
}

fn a_digest_decides_and_the_tag_does_not() {
    let top = image();
    let registry = Registry::start(&top.path().join("oci"), Plan::default(), None);
    let raw = boxwright(&top, &[], &["skopeo", "inspect", "--raw", &registry.image()]).stdout;
    let name = format!("{}:none@sha256:{}", registry.image(), layer::sha256(&raw));
    let output = boxwright(&top, &[], &["image", "unpack", "-q", &name, "root"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(fs::read(top.path().join("root/hello")).unwrap(), b"hi");
    // What the digest names was replaced in the registry.
    let blob = top.path().join("oci/blobs/sha256").join(layer::sha256(&raw));
    fs::write(&blob, [raw.as_slice(), b"\n"].concat()).unwrap();
    let output = boxwright(&top, &[], &["image", "unpack", "-q", &name, "other"]);
    assert!(text(&output.stderr).contains(&layer::sha256(&raw)), "{}", text(&output.stderr));
    assert!(!output.status.success() && !top.path().join("other").exists());
}

fn a_list_is_searched_for_this_machine_and_shown_as_it_is() {
    let top = image();
    let oci = top.path().join("oci");
    let index = fs::read_to_string(oci.join("index.json")).unwrap();
    let manifest = index.split("\"sha256:").nth(1).unwrap()[..64].to_string();
    let size = fs::metadata(oci.join("blobs/sha256").join(&manifest)).unwrap().len();
    let entry = |digest: &str, size: u64, os: &str, architecture: &str, more: &str| {
        format!(
            r#"{{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:{digest}","size":{size},"platform":{{"os":"{os}","architecture":"{architecture}"}}{more}}}"#
        )
    };
    let platform = boxwright::image::Platform::host();
    let attests = r#","annotations":{"vnd.docker.reference.type":"attestation-manifest"}"#;
    let zeros = "0".repeat(64);
    let list = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{},{},{}]}}"#,
        entry(&zeros, 1, "unknown", "unknown", attests),
        entry(&zeros, 1, "linux", "s390x", ""),
        entry(&manifest, size, &platform.os, &platform.architecture, "")
    );
    let named = layer::sha256(list.as_bytes());
    fs::write(oci.join("blobs/sha256").join(&named), &list).unwrap();
    fs::write(oci.join("index.json"), index.replace(&manifest, &named)).unwrap();
    let registry = Registry::start(&oci, Plan { auth: Auth::Token, ..Plan::default() }, None);
    let name = registry.image();
    let output = boxwright(&top, &[], &["image", "unpack", "-q", &name, "root"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let asked: Vec<String> = registry.log().into_iter().filter(|line| line.contains("/manifests/")).collect();
    assert!(asked.last().unwrap().contains(&format!("/manifests/sha256:{manifest}")), "{asked:#?}");
    assert_eq!(text(&boxwright(&top, &[], &["skopeo", "inspect", "--raw", &name]).stdout), list);
    let output = boxwright(&top, &[], &["image", "unpack", "--platform", "linux/riscv64", &name, "other"]);
    let why = text(&output.stderr);
    assert!(why.contains("no image for linux/riscv64; there is linux/s390x, "), "{why}");
}

fn who_one_is_comes_from_options_and_files() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        fs::write(dir.path().join(name), text).unwrap();
        dir.path().join(name).to_str().unwrap().to_string()
    };
    let helper = write("helper", r#"{"credsStore":"desktop"}"#);
    for auth in [Auth::Basic, Auth::TokenForPassword] {
        let plan = Plan { auth, ..Plan::default() };
        let log = copied(plan.clone(), &[], &["--src-creds", "u:p"]);
        assert!(log.iter().all(|line| !line.contains("p@")), "{log:#?}");
        for (env, more, says) in [
            (&[][..], &[][..], "Log in: --src-creds"),
            (&[], &["--src-creds", "u:wrong"], "the password of \"u\" is wrong"),
            (&[("REGISTRY_AUTH_FILE", helper.as_str())], &[], "docker-credential-desktop, which is not asked"),
            (&[("REGISTRY_AUTH_FILE", "/nonexistent")], &[], "/nonexistent"),
        ] {
            let (why, _) = refused(plan.clone(), env, more);
            assert!(why.contains(says) && !why.contains("wrong\"@"), "{says}: {why}");
        }
    }
    for place in ["home/.docker/config.json", "home/.config/containers/auth.json", "run/containers/auth.json"] {
        let top = image();
        let plan = Plan { auth: Auth::Basic, ..Plan::default() };
        let registry = Registry::start(&top.path().join("oci"), plan, None);
        let path = top.path().join(place);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, format!(r#"{{"auths":{{"{}":{{"auth":"dTpw"}}}}}}"#, registry.host())).unwrap();
        let run = top.path().join("run").to_str().unwrap().to_string();
        let output = boxwright(&top, &[("XDG_RUNTIME_DIR", &run)], &["skopeo", "inspect", &registry.image()]);
        assert!(output.status.success(), "{place}: {}", text(&output.stderr));
    }
}

fn a_mirror_is_asked_first_and_the_origin_where_it_lacks_the_image() {
    let top = image();
    let plan = Plan { prefix: "hub/", ..Plan::default() };
    let registry = Registry::start(&top.path().join("oci"), plan, None);
    let mirror = format!("{}/hub", registry.host());
    let name = format!("docker://{REPOSITORY}");
    let output = boxwright(&top, &[("BOXWRIGHT_MIRROR", &mirror)], &["skopeo", "copy", &name, "dir:ours"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(text(&output.stderr).is_empty());
    // There is no way to the origin here: that it was tried is enough.
    let env = [("BOXWRIGHT_MIRROR", mirror.as_str()), ("HTTPS_PROXY", "http://127.0.0.1:9")];
    let output = boxwright(&top, &env, &["skopeo", "copy", &format!("{name}:none"), "dir:other"]);
    let why = text(&output.stderr);
    assert!(why.contains("mirror: ") && why.contains("asking registry-1.docker.io instead"), "{why}");
    assert!(why.contains("the proxy 127.0.0.1:9 gives no way to registry-1.docker.io"), "{why}");
    // A mirror is for one registry.
    let asked = registry.log().len();
    boxwright(&top, &env, &["skopeo", "inspect", "docker://registry.invalid/class/demo"]);
    assert_eq!(registry.log().len(), asked);
    let output = boxwright(&top, &[("BOXWRIGHT_MIRROR", "ftp://x")], &["skopeo", "inspect", &name]);
    assert!(text(&output.stderr).contains("[http://]HOST[:PORT]"), "{}", text(&output.stderr));
}

fn ctrl_c_ends_a_silent_transfer_and_leaves_nothing() {
    let top = image();
    let registry = Registry::start(&top.path().join("oci"), Plan { stall: true, ..Plan::default() }, None);
    let mut command = Command::new(BOXWRIGHT);
    command.args(["skopeo", "copy", &registry.image(), "dir:ours"]).current_dir(top.path());
    command.env("HOME", top.path()).env("BOXWRIGHT_TIMEOUT", "600").stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().starts_with("Copying blob")));
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(child.id() as i32), nix::sys::signal::Signal::SIGINT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(text(&output.stderr).contains("interrupted"), "{}", text(&output.stderr));
    assert!(!output.status.success());
    let left: Vec<_> = fs::read_dir(top.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["oci"]);
    // The next try meets nothing of it.
    let registry = Registry::start(&top.path().join("oci"), Plan::default(), None);
    let output = boxwright(&top, &[], &["skopeo", "copy", "-q", &registry.image(), "dir:ours"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
}
