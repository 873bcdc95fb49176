//! Registries that speak TLS: whose certificates count, and whose are shown.

use crate::harness::{Test, tests};
use crate::support::client::{boxwright, image, text};
use crate::support::registry::{Plan, Registry};
use crate::support::theirs;
use rustls::{
    RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::WebPkiClientVerifier,
};
use std::{fs, path::Path, process::Command, sync::Arc};

pub fn tests() -> Vec<Test> {
    tests![
        certificates_count_by_default: [Tool("openssl")],
        a_certificate_that_is_its_own_authority_counts_where_it_is_named: [Tool("openssl")],
        who_must_show_a_certificate_shows_that_of_the_directory: [Tool("openssl")],
        plain_http_is_not_spoken_where_tls_is_asked_for,
    ]
}

/// Makes a certificate for 127.0.0.1 that signs itself, `NAME.cert`, and its key, `NAME.key`.
pub fn certificate(dir: &Path, name: &str) -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
    signed(dir, name, "-days 2 -addext subjectAltName=IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE")
}

/// The same of any kind.
fn signed(dir: &Path, name: &str, more: &str) -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
    let request =
        format!("req -x509 -newkey rsa:2048 -nodes -subj /CN={name} {more} -keyout {name}.key -out {name}.cert");
    let made = Command::new(theirs("openssl")).args(request.split_whitespace()).current_dir(dir).output().unwrap();
    assert!(made.status.success(), "{}", text(&made.stderr));
    let certificate = CertificateDer::from_pem_file(dir.join(format!("{name}.cert"))).unwrap();
    (certificate, PrivateKeyDer::from_pem_file(dir.join(format!("{name}.key"))).unwrap())
}

/// A server with this certificate; with `clients`, a client must show that one.
pub fn server(
    (certificate, key): (CertificateDer<'static>, PrivateKeyDer<'static>),
    clients: Option<CertificateDer<'static>>,
) -> Arc<ServerConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider));
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(client) => {
            let mut roots = RootCertStore::empty();
            roots.add(client).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().unwrap())
        }
    };
    Arc::new(builder.with_single_cert(vec![certificate], key).unwrap())
}

fn certificates_count_by_default() {
    let top = image();
    let made = certificate(top.path(), "server");
    let registry = Registry::start(&top.path().join("oci"), Plan::default(), Some(server(made, None)));
    let name = registry.image();
    let ours = top.path().join("server.cert").to_str().unwrap().to_string();
    for dir in ["good", "empty", &format!("home/.config/containers/certs.d/{}", registry.host())] {
        fs::create_dir_all(top.path().join(dir)).unwrap();
    }
    fs::copy(&ours, top.path().join("good/ours.crt")).unwrap();
    type Case<'a> = (&'a [(&'a str, &'a str)], &'a [&'a str], Option<&'a str>);
    let table: [Case; 11] = [
        (&[("SSL_CERT_FILE", &ours)], &[], None),
        (&[("SSL_CERT_FILE", &ours)], &["--tls-verify"], None),
        (&[], &["--src-tls-verify=false"], None),
        (&[], &[], Some("no secure connection (TLS)")),
        (&[], &["--cert-dir=good"], None),
        (&[], &["--src-cert-dir", "good", "--tls-verify"], None),
        (&[], &["--cert-dir=empty"], Some("--src-cert-dir DIR")),
        (&[], &["--dest-cert-dir=good"], Some("no secure connection (TLS)")),
        (&[], &["--cert-dir=none"], Some("none: No such file or directory (ENOENT)")),
        (&[("https_proxy", "http://127.0.0.1:9"), ("SSL_CERT_FILE", &ours)], &[], Some("the proxy 127.0.0.1:9")),
        (&[("https_proxy", "http://127.0.0.1:9"), ("no_proxy", "127.0.0.0/8"), ("SSL_CERT_FILE", &ours)], &[], None),
    ];
    let check = |(env, more, wrong): Case| {
        let output = boxwright(&top, env, &[&["skopeo", "inspect", &name], more].concat());
        let why = text(&output.stderr);
        assert_eq!(output.status.success(), wrong.is_none(), "{env:?} {more:?}: {why}");
        assert!(wrong.is_none_or(|wrong| why.contains(wrong)), "{env:?} {more:?}: {why}");
    };
    table.into_iter().for_each(check);
    // The directory that is looked into where none is named.
    let users = format!("home/.config/containers/certs.d/{}/ours.crt", registry.host());
    fs::copy(&ours, top.path().join(users)).unwrap();
    check((&[], &[], None));
    check((&[], &["--cert-dir=empty"], Some("no secure connection (TLS)")));
}

fn a_certificate_that_is_its_own_authority_counts_where_it_is_named() {
    // As the documentation of Docker's registry makes one. Its name and its time count all the same.
    const OURS: &str = "-addext subjectAltName=IP:127.0.0.1";
    for (kind, more, wrong) in [
        ("ours", format!("-days 2 {OURS}"), None),
        ("another", "-days 2 -addext subjectAltName=IP:127.0.0.9".into(), Some("is it the host that you mean?")),
    ] {
        let top = image();
        let made = signed(top.path(), kind, &more);
        signed(top.path(), "stranger", OURS);
        let registry = Registry::start(&top.path().join("oci"), Plan::default(), Some(server(made, None)));
        fs::create_dir(top.path().join("certs")).unwrap();
        fs::copy(top.path().join(format!("{kind}.cert")), top.path().join("certs/ours.crt")).unwrap();
        let file = |name: &str| top.path().join(name).to_str().unwrap().to_string();
        let (named, stranger) = (file(&format!("{kind}.cert")), file("stranger.cert"));
        type Case<'a> = (&'a [(&'a str, &'a str)], &'a [&'a str], Option<&'a str>);
        let unknown =
            Some("its certificate is its own authority, which this machine does not trust\n  is it your registry?");
        let table: [Case; 4] = [
            (&[("SSL_CERT_FILE", &named)], &[], wrong),
            (&[], &["--cert-dir=certs"], wrong),
            (&[("SSL_CERT_FILE", &stranger)], &[], unknown),
            (&[], &["--tls-verify=false"], None),
        ];
        for (env, args, wrong) in table {
            let output = boxwright(&top, env, &[&["skopeo", "inspect", &registry.image()], args].concat());
            let why = text(&output.stderr);
            assert_eq!(output.status.success(), wrong.is_none(), "{kind} {env:?} {args:?}: {why}");
            assert!(wrong.is_none_or(|wrong| why.contains(wrong)), "{kind} {env:?} {args:?}: {why}");
        }
    }
}

fn who_must_show_a_certificate_shows_that_of_the_directory() {
    let top = image();
    let (dir, half) = (top.path().join("certs"), top.path().join("half"));
    [&dir, &half].iter().for_each(|dir| fs::create_dir(dir).unwrap());
    let (made, (client, _)) = (certificate(top.path(), "server"), certificate(&dir, "us"));
    let registry = Registry::start(&top.path().join("oci"), Plan::default(), Some(server(made, Some(client))));
    for dir in [&dir, &half] {
        fs::copy(top.path().join("server.cert"), dir.join("theirs.crt")).unwrap();
    }
    for (dir, broken, wrong) in [
        ("certs", None, None),
        ("half", None, Some("it wants to see a certificate\n  --src-cert-dir DIR with yours as DIR/NAME.cert")),
        ("half", Some(("us.key", "")), Some("half/us.key: a key without its certificate, half/us.cert")),
        ("half", Some(("us.cert", "none")), Some("half/us.key: no private key in PEM")),
        ("half", Some(("theirs.crt", "none")), Some("half/theirs.crt: no certificate in PEM")),
    ] {
        broken.into_iter().for_each(|(name, text)| fs::write(half.join(name), text).unwrap());
        let output = boxwright(&top, &[], &["skopeo", "inspect", &registry.image(), "--cert-dir", dir]);
        let why = text(&output.stderr);
        assert_eq!(output.status.success(), wrong.is_none(), "{dir} {broken:?}: {why}");
        assert!(wrong.is_none_or(|wrong| why.contains(wrong)), "{dir} {broken:?}: {why}");
    }
}

fn plain_http_is_not_spoken_where_tls_is_asked_for() {
    let top = image();
    let registry = Registry::start(&top.path().join("oci"), Plan::default(), None);
    let args = ["skopeo", "copy", &registry.image(), "dir:ours", "--src-tls-verify=true"];
    let output = boxwright(&top, &[], &args);
    let why = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{why}");
    assert!(why.contains("does not speak TLS") || why.contains("cut"), "{why}");
    let log = registry.log();
    assert!(log.iter().all(|line| !line.contains("/v2/")) && !top.path().join("ours").exists(), "{log:#?}");
}
