//! Links the program at a fixed address, and tells it of which commit it is.

use std::{path::Path, process::Command};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    fixed_address();
    commit();
}

/// Every tool is this one program, started anew for each command that a learner types: a position-independent one spends
/// more time on relocating itself (ld.so(8)) than on the system calls that it is there to show. A static program says so by
/// itself (`-C relocation-model=static`), and does not start with both.
fn fixed_address() {
    let target = |name: &str| std::env::var(format!("CARGO_CFG_TARGET_{name}")).unwrap_or_default();
    let is_static = target("FEATURE").split(',').any(|feature| feature == "crt-static");
    if target("OS") == "linux" && target("ENV") == "gnu" && !is_static {
        println!("cargo:rustc-link-arg-bins=-no-pie");
    }
}

/// `BOXWRIGHT_COMMIT`: ` (COMMIT)` in a release, also one from a package, and nothing where no commit is known. A development
/// build is made again at each change, and would have to be made again at each commit to tell the truth.
fn commit() {
    let known = if std::env::var("PROFILE").is_ok_and(|profile| profile == "release") {
        packaged().or_else(described).map(|commit| format!(" ({commit})")).unwrap_or_default()
    } else {
        " (development build)".into()
    };
    println!("cargo:rustc-env=BOXWRIGHT_COMMIT={known}");
}

/// What `cargo package` wrote down.
fn packaged() -> Option<String> {
    let text = String::from_utf8(std::fs::read(".cargo_vcs_info.json").ok()?).ok()?;
    let (_, rest) = text.split_once("\"sha1\":")?;
    rest.split('"').nth(1).map(|commit| commit.chars().take(12).collect())
}

/// What git says, where these sources are a work tree of their own and not a folder of another one.
fn described() -> Option<String> {
    if !Path::new(".git").exists() {
        return None;
    }
    for path in ["src", "lessons", "assets", "Cargo.toml", "Cargo.lock"] {
        println!("cargo:rerun-if-changed={path}");
    }
    if let Some(log) = git(&["rev-parse", "--git-path", "logs/HEAD"]) {
        println!("cargo:rerun-if-changed={log}");
    }
    git(&["describe", "--always", "--exclude=*", "--abbrev=12", "--dirty=, changed"])
}

fn git(args: &[&str]) -> Option<String> {
    let output = Command::new("git").args(args).output().ok().filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (!text.is_empty()).then_some(text)
}
