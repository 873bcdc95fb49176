//! Images to registries that want tokens, speak TLS, or fail on the way.

use crate::harness::{Test, tests};
use crate::registry_tls::{certificate, server};
use crate::support::client::{boxwright, files, image, text};
use crate::support::registry::{Auth, Plan, Registry};
use tempfile::TempDir;

pub fn tests() -> Vec<Test> {
    tests![
        what_goes_wrong_and_passes_is_no_failure_here_either,
        what_stays_wrong_is_told,
        who_one_is_there_is_told_apart_from_who_one_is_here,
        certificates_count_for_who_is_sent_an_image: [Tool("openssl")],
    ]
}

/// Copies the image to this registry, which keeps it in the layout `store`.
fn push(top: &TempDir, registry: &Registry, more: &[&str]) -> (bool, String) {
    let to = format!("{}:v1", registry.image());
    let output = boxwright(top, &[], &[&["skopeo", "copy", "oci:oci:latest", &to], more].concat());
    (output.status.success(), text(&output.stderr))
}

/// What the registry keeps is the image, byte for byte.
fn arrived(top: &TempDir, what: &str) {
    for (from, to) in [("oci:store:v1", "dir:came"), ("oci:oci:latest", "dir:wanted")] {
        let output = boxwright(top, &[], &["skopeo", "copy", "-q", from, to]);
        assert!(output.status.success(), "{what}: {}", text(&output.stderr));
    }
    assert_eq!(files(&top.path().join("came")), files(&top.path().join("wanted")), "{what}");
}

fn what_goes_wrong_and_passes_is_no_failure_here_either() {
    let refuse = |count, status| Plan { refuse: (count, status, "0"), ..Plan::default() };
    let with_token = Plan { auth: Auth::Token, ..Plan::default() };
    for (what, plan) in [
        ("plain", Plan::default()),
        ("a token", with_token.clone()),
        ("a token from elsewhere", Plan { token_moved: true, ..with_token.clone() }),
        ("a token that expires twice on the way", Plan { expiries: 2, ..with_token.clone() }),
        ("trouble with two uploads", Plan { refuse_blobs: 2, ..with_token }),
        ("too many requests for the manifest", refuse(2, 429)),
        ("unavailable for the manifest", refuse(2, 503)),
    ] {
        let top = image();
        let registry = Registry::start(&top.path().join("store"), plan, None);
        let (well, why) = push(&top, &registry, &[]);
        assert!(well, "{what}: {why}{:#?}", registry.log());
        arrived(&top, what);
        // What it has is not sent again.
        let uploads = || registry.log().iter().filter(|line| line.contains(" POST ")).count();
        let before = uploads();
        assert!(push(&top, &registry, &[]).0 && uploads() == before, "{what}: {:#?}", registry.log());
    }
}

fn what_stays_wrong_is_told() {
    for (plan, says) in [
        (Plan { refuse: (99, 503, "0"), ..Plan::default() }, "it answers 503"),
        (Plan { refuse: (99, 429, "7200"), ..Plan::default() }, "come back in 7200 s"),
        (Plan { refuse: (99, 403, "0"), ..Plan::default() }, "forbidden (403)"),
        (Plan { refuse_blobs: 99, ..Plan::default() }, "it answers 500"),
    ] {
        let top = image();
        let registry = Registry::start(&top.path().join("store"), plan.clone(), None);
        let (well, why) = push(&top, &registry, &[]);
        assert!(!well && why.contains(says) && !why.contains("panicked"), "{plan:?}: {why}");
        assert!(registry.log().len() < 40, "{plan:?}: {:#?}", registry.log());
        assert!(!top.path().join("store/index.json").exists(), "{plan:?}");
    }
}

fn who_one_is_there_is_told_apart_from_who_one_is_here() {
    for auth in [Auth::Basic, Auth::TokenForPassword] {
        let top = image();
        let registry = Registry::start(&top.path().join("store"), Plan { auth, ..Plan::default() }, None);
        for (more, wrong) in [
            (&[][..], Some("--dest-creds USER:PASSWORD")),
            (&["--src-creds", "u:p"], Some("--dest-creds USER:PASSWORD")),
            (&["--dest-creds", "u:wrong"], Some("the password of \"u\" is wrong")),
            (&["--dest-creds", "u:p"], None),
        ] {
            let (well, why) = push(&top, &registry, more);
            assert_eq!(well, wrong.is_none(), "{auth:?} {more:?}: {why}");
            assert!(wrong.is_none_or(|wrong| why.contains(wrong)), "{auth:?} {more:?}: {why}");
        }
        arrived(&top, "a password");
    }
}

fn certificates_count_for_who_is_sent_an_image() {
    let top = image();
    let made = certificate(top.path(), "server");
    let plan = Plan { auth: Auth::Basic, ..Plan::default() };
    let registry = Registry::start(&top.path().join("store"), plan, Some(server(made, None)));
    std::fs::create_dir(top.path().join("certs")).unwrap();
    std::fs::copy(top.path().join("server.cert"), top.path().join("certs/ours.crt")).unwrap();
    for (more, well) in [
        (&[][..], false),
        (&["--src-cert-dir=certs"], false),
        (&["--src-tls-verify=false"], false),
        (&["--dest-tls-verify=false"], true),
        (&["--dest-cert-dir=certs"], true),
    ] {
        let (went, why) = push(&top, &registry, &[&["--dest-creds", "u:p"], more].concat());
        assert_eq!(went, well, "{more:?}: {why}");
        let says = why.contains("no secure connection (TLS)") && why.contains("--dest-cert-dir DIR");
        assert!(well || says, "{more:?}: {why}");
        if well {
            arrived(&top, "TLS");
            std::fs::remove_dir_all(top.path().join("store")).unwrap();
        }
    }
}
