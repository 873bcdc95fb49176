//! Links the program at a fixed address, tells it of which commit it is, and its unit tests what this machine lacks.

use std::{
    path::Path,
    process::{Command, Stdio},
};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    fixed_address();
    commit();
    lacks();
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

/// What unit tests need and this machine lacks: the test runner learns only from the compiler that a test is to be ignored.
/// The product knows none of these names, and a release is not asked.
///
/// It is asked once, as whoever builds: nothing that cargo could watch says when the answer changes, since a file below
/// `/proc/sys` was changed whenever the kernel last looked it up. Where it has changed, tests fail and say so, or stay
/// ignored; `touch build.rs` asks again.
fn lacks() {
    println!("cargo:rustc-check-cfg=cfg(no_user_namespaces, no_control_groups)");
    if std::env::var("PROFILE").is_ok_and(|profile| profile == "release") {
        return;
    }
    // The second one needs the capabilities of the first, which a security module may have withheld (Ubuntu's AppArmor).
    let within = ["--user", "--map-root-user", "unshare", "--mount", "--uts", "--ipc", "--net", "--pid", "true"];
    let mut unshare = Command::new("unshare");
    unshare.args(within).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // Where that program is missing, they may be there.
    if unshare.status().is_ok_and(|status| !status.success()) {
        println!("cargo:rustc-cfg=no_user_namespaces");
    }
    let mounts = std::fs::read("/proc/self/mountinfo");
    if mounts.is_ok_and(|mounts| !String::from_utf8_lossy(&mounts).contains(" - cgroup")) {
        println!("cargo:rustc-cfg=no_control_groups");
    }
}
