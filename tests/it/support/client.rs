//! An image to ask a registry for, and the built program as the client.

use super::{BOXWRIGHT, layer};
use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    process::{Command, Output},
};
use tempfile::TempDir;

/// A directory with an image in the layout `oci`. Its layer does not compress, so that half of it is much.
pub fn image() -> TempDir {
    let top = tempfile::tempdir().unwrap();
    let mut state = 1_u64;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    })
    .take(400_000)
    .collect();
    layer::layout(
        &top.path().join("oci"),
        &[layer::archive(&[layer::file("noise", noise), layer::file("hello", "hi")])],
    );
    top
}

/// Runs the program in the directory: nothing of the user's own configuration counts.
pub fn boxwright(top: &TempDir, env: &[(&str, &str)], args: &[&str]) -> Output {
    let mut command = Command::new(BOXWRIGHT);
    for (name, _) in std::env::vars() {
        let upper = name.to_ascii_uppercase();
        if upper.ends_with("_PROXY") || upper.starts_with("SSL_CERT") || upper.starts_with("REGISTRY_AUTH") {
            command.env_remove(name);
        }
    }
    for name in ["XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "DOCKER_CONFIG", "BOXWRIGHT_MIRROR", "BOXWRIGHT_TIMEOUT"] {
        command.env_remove(name);
    }
    command.env("HOME", top.path().join("home")).envs(env.iter().copied());
    command.args(args).current_dir(top.path()).output().unwrap()
}

/// What was printed.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The files of a directory and what they hold.
pub fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(dir).unwrap().flatten();
    entries.map(|entry| (entry.file_name().to_string_lossy().into_owned(), fs::read(entry.path()).unwrap())).collect()
}
