//! Images from the distribution's registry, beside the distribution's skopeo.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers outside #[test] functions are tests too")]

#[path = "support/client.rs"]
mod client;
#[path = "support/layer.rs"]
mod layer;
mod support;

use client::{boxwright, files, image, text};
use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};
use support::theirs;
use tempfile::TempDir;

/// The distribution's registry; it ends with this.
struct Debian {
    child: Child,
    host: String,
    _dir: TempDir,
}

impl Debian {
    fn start() -> Option<Debian> {
        let program = theirs("docker-registry")?;
        let dir = tempfile::tempdir().unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let host = listener.local_addr().unwrap().to_string();
        drop(listener);
        let store = dir.path().join("store");
        let config = format!(
            "version: 0.1\nstorage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: \"{host}\"}}\n",
            store.display()
        );
        fs::write(dir.path().join("config.yml"), config).unwrap();
        let mut command = Command::new(program);
        command.arg("serve").arg(dir.path().join("config.yml")).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // It says when it listens. What it says later must go somewhere as well.
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let listens = lines.by_ref().map_while(Result::ok).any(|line| line.contains("listening on"));
        assert!(listens, "docker-registry did not start");
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        Some(Debian { child, host, _dir: dir })
    }
}

impl Drop for Debian {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn copies_from_the_distributions_registry_are_those_of_its_skopeo() {
    let (Some(skopeo), Some(registry)) = (theirs("skopeo"), Debian::start()) else { return };
    let top = image();
    let built = boxwright(&top, &[], &["skopeo", "copy", "-q", "builtin:", "oci:built:latest"]);
    assert!(built.status.success(), "{}", text(&built.stderr));
    let skopeo = |args: &[&str]| {
        let mut command = Command::new(&skopeo);
        command.env("HOME", top.path()).arg("--insecure-policy").args(args).current_dir(top.path());
        let output = command.output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
        output.stdout
    };
    for layout in ["oci", "built"] {
        let name = format!("docker://{}/class/{layout}:v1", registry.host);
        skopeo(&["copy", "--dest-tls-verify=false", &format!("oci:{layout}:latest"), &name]);
        let (ours, theirs) = (format!("ours-{layout}"), format!("theirs-{layout}"));
        skopeo(&["copy", "--src-tls-verify=false", &name, &format!("dir:{theirs}")]);
        let output = boxwright(&top, &[], &["skopeo", "copy", &name, &format!("dir:{ours}")]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        assert_eq!(files(&top.path().join(ours)), files(&top.path().join(theirs)), "{layout}");
        for more in [&["--raw"][..], &["--config"], &["--config", "--raw"], &["--no-tags"]] {
            let wanted = skopeo(&[&["inspect", "--tls-verify=false"], more, &[name.as_str()]].concat());
            let output = boxwright(&top, &[], &[&["skopeo", "inspect"], more, &[name.as_str()]].concat());
            assert_eq!(text(&output.stdout), text(&wanted), "{more:?}: {}", text(&output.stderr));
        }
        let unpacked = boxwright(&top, &[], &["image", "unpack", "-q", &name, &format!("root-{layout}")]);
        assert!(unpacked.status.success(), "{}", text(&unpacked.stderr));
    }
}
