//! What a newcomer meets first: the README's commands, and the manifest that an old cargo reads.
//!
//! `tests/fresh/run` carries them out on a machine that has nothing yet.

use crate::harness::{Test, tests};

pub fn tests() -> Vec<Test> {
    tests![the_two_readmes_give_the_same_two_commands, both_name_what_a_build_needs, an_old_cargo_reads_the_manifest]
}

const ENGLISH: &str = include_str!("../../README.md");
const CHINESE: &str = include_str!("../../README.zh.md");
const MANIFEST: &str = include_str!("../../Cargo.toml");

/// The lines of the first block for a shell, without their remarks.
fn commands(text: &str) -> Vec<&str> {
    let block = text.split_once("```sh\n").and_then(|(_, rest)| rest.split_once("```")).map_or("", |(block, _)| block);
    block.lines().map(|line| line.split_once(" #").map_or(line, |(command, _)| command).trim()).collect()
}

/// The value of a key of the manifest.
fn value(key: &str) -> Option<&'static str> {
    MANIFEST.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = "))
}

fn the_two_readmes_give_the_same_two_commands() {
    assert_eq!(commands(ENGLISH), ["cargo build --release && sudo target/release/boxwright", "tests/run"]);
    assert_eq!(commands(ENGLISH), commands(CHINESE));
    // The first screen of a code host: what it is, how it looks, how it is started.
    for text in [ENGLISH, CHINESE] {
        let before = text.split("```sh").next().unwrap();
        assert!(before.lines().count() <= 30 && before.contains("```"), "{before}");
        // sudo does not look where rustup puts cargo, and what root builds a user cannot build again.
        assert!(!text.contains("sudo -E") && !text.contains("sudo cargo"), "cargo is not started by sudo");
    }
}

fn both_name_what_a_build_needs() {
    let version = value("rust-version").unwrap().trim_matches('"');
    for (name, text) in [("README.md", ENGLISH), ("README.zh.md", CHINESE)] {
        for word in [
            &format!("Rust {version}"),
            "https://rustup.rs",
            "sudo apt install rustup && rustup default stable",
            "sudo apt install build-essential",
            "linker `cc` not found",
            "2 GiB",
            "glibc",
            "x86-64",
            "aarch64",
        ] {
            assert!(text.contains(word), "{name} does not name {word}");
        }
    }
}

fn an_old_cargo_reads_the_manifest() {
    // Before cargo 1.71 the value was a boolean or an integer, and another one hides that the cargo is too old.
    let levels: Vec<&str> = MANIFEST.lines().filter_map(|line| line.strip_prefix("debug = ")).collect();
    assert!(!levels.is_empty());
    for level in levels {
        assert!(level.parse::<bool>().is_ok() || level.parse::<u8>().is_ok(), "debug = {level}");
    }
}
