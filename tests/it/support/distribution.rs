//! The distribution's own registry and its skopeo, to compare with.

use super::{client::text, theirs};
use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};
use tempfile::TempDir;

/// The distribution's registry; it ends with this.
pub struct Registry {
    child: Child,
    /// Its address, such as `127.0.0.1:5000`.
    pub host: String,
    _dir: TempDir,
}

impl Registry {
    pub fn start() -> Registry {
        let program = theirs("docker-registry");
        let dir = tempfile::tempdir().unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let host = listener.local_addr().unwrap().to_string();
        drop(listener);
        let store = dir.path().join("store");
        let config = format!(
            "version: 0.1\nstorage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: \"{host}\"}}\n\
             validation: {{manifests: {{urls: {{allow: [\".*\"]}}}}}}\n",
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
        Registry { child, host, _dir: dir }
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The distribution's skopeo.
pub struct Skopeo(PathBuf);

impl Skopeo {
    pub fn find() -> Skopeo {
        Skopeo(theirs("skopeo"))
    }

    /// Runs it in this directory, and gives what it printed.
    pub fn run(&self, top: &Path, args: &[&str]) -> Vec<u8> {
        let mut command = Command::new(&self.0);
        command.env("HOME", top).arg("--insecure-policy").args(args).current_dir(top);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
        output.stdout
    }
}
