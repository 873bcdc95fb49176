//! A program that stands for this one in the role `__ns-helper`.

use crate::kernel::text;
use std::{
    fs,
    io::Write,
    path::PathBuf,
    process::{Command, Stdio},
};

/// It notes with which words it was called, and prints what it was told to.
pub(crate) struct Stub(tempfile::TempDir);

impl Stub {
    pub(crate) fn new() -> Stub {
        let stub = Stub(tempfile::tempdir().unwrap());
        // The shell's own commands are enough, so that it is quick also on a busy machine.
        let script = "#!/bin/sh\ncd \"${0%/*}\"\necho \"$*\" >> asked\nread -r line < said\nprintf '%s\\n' \"$line\"\n";
        // Written by another process: a program that this one holds open for writing, or any child of it, cannot be run (ETXTBSY).
        let mut shell = Command::new("sh");
        let mut shell = shell
            .args(["-c", "cat > \"$0\" && chmod 755 \"$0\""])
            .arg(stub.exe())
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        shell.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
        assert!(shell.wait().unwrap().success());
        stub
    }

    pub(crate) fn exe(&self) -> PathBuf {
        self.0.path().join("exe")
    }

    /// From now on it answers this.
    pub(crate) fn say(&self, answer: &impl serde::Serialize) {
        fs::write(self.0.path().join("said"), serde_json::to_vec(answer).unwrap()).unwrap();
    }

    /// The words of every call until now, behind the name of the role.
    pub(crate) fn asked(&self) -> Vec<String> {
        let asked = text::read(self.0.path().join("asked")).unwrap_or_default();
        asked.lines().map(|words| words.strip_prefix("__ns-helper ").unwrap().to_string()).collect()
    }
}
