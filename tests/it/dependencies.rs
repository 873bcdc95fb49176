//! What the program is made of besides its own code: licences, crates that are not wanted, and where they come from, as
//! `deny.toml` has it. This is what cargo-deny would say, without building cargo-deny.

use crate::harness::{Test, tests};
use serde_json::Value;
use std::{collections::BTreeSet, fs, process::Command};

pub fn tests() -> Vec<Test> {
    tests![
        every_dependency_may_be_one: [Cargo],
        expressions_of_licences_are_understood,
        a_dependency_that_may_not_be_one_is_named,
    ]
}

/// The strings of a list in `deny.toml`.
fn list(text: &str, name: &str) -> BTreeSet<String> {
    let text: String = text.lines().filter(|line| !line.trim_start().starts_with('#')).collect();
    let (_, rest) = text.split_once(&format!("{name} = [")).unwrap_or_else(|| panic!("no list {name}"));
    let (list, _) = rest.split_once(']').unwrap();
    list.split('"').skip(1).step_by(2).map(String::from).collect()
}

/// Whether these licences let a crate be used (SPDX, and the `/` of old manifests). Of alternatives one is enough.
fn is_allowed(expression: &str, allowed: &BTreeSet<String>) -> bool {
    let expression = expression.replace('/', " OR ");
    let mut words = expression.replace('(', " ( ").replace(')', " ) ");
    words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    let (all, rest) = any_of(&words, allowed);
    assert!(rest.trim().is_empty(), "{expression}: {rest}");
    all
}

fn any_of<'a>(text: &'a str, allowed: &BTreeSet<String>) -> (bool, &'a str) {
    let (mut so, mut rest) = all_of(text, allowed);
    while let Some(next) = rest.trim_start().strip_prefix("OR ") {
        let (other, after) = all_of(next, allowed);
        (so, rest) = (so | other, after);
    }
    (so, rest)
}

fn all_of<'a>(text: &'a str, allowed: &BTreeSet<String>) -> (bool, &'a str) {
    let (mut so, mut rest) = one(text, allowed);
    while let Some(next) = rest.trim_start().strip_prefix("AND ") {
        let (other, after) = one(next, allowed);
        (so, rest) = (so & other, after);
    }
    (so, rest)
}

fn one<'a>(text: &'a str, allowed: &BTreeSet<String>) -> (bool, &'a str) {
    let text = text.trim_start();
    if let Some(inner) = text.strip_prefix('(') {
        let (so, rest) = any_of(inner, allowed);
        return (so, rest.trim_start().strip_prefix(')').unwrap());
    }
    let ends = [" OR ", " AND ", " )"];
    let end = ends.iter().filter_map(|end| text.find(end)).min().unwrap_or(text.len());
    (allowed.contains(text[..end].trim()), &text[end..])
}

/// What is wrong with the packages of `cargo metadata`.
fn wrong(metadata: &Value, rules: &str) -> Vec<String> {
    let (allowed, denied, sources) = (list(rules, "allow"), list(rules, "deny"), list(rules, "allow-registry"));
    let mut wrong = Vec::new();
    for package in metadata["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        let licence = package["license"].as_str().unwrap_or("none");
        if !is_allowed(licence, &allowed) {
            wrong.push(format!("{name}: its licence is {licence}"));
        }
        if denied.contains(name) {
            wrong.push(format!("{name}: it is not wanted"));
        }
        let known = |source: &str| source.strip_prefix("registry+").is_some_and(|source| sources.contains(source));
        if package["source"].as_str().is_some_and(|source| !known(source)) {
            wrong.push(format!("{name}: it comes from {}", package["source"]));
        }
    }
    wrong
}

fn every_dependency_may_be_one() {
    let mut command = Command::new(env!("CARGO"));
    command.args(["metadata", "--format-version=1", "--locked", "--offline", "--filter-platform"]);
    let output = command.arg(format!("{}-unknown-linux-gnu", std::env::consts::ARCH)).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(metadata["packages"].as_array().unwrap().len() > 50);
    assert_eq!(wrong(&metadata, &fs::read_to_string("deny.toml").unwrap()), [""; 0]);
}

fn expressions_of_licences_are_understood() {
    let allowed = ["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"].map(String::from).into();
    for (expression, so) in [
        ("MIT", true),
        ("GPL-3.0-only", false),
        ("GPL-3.0-only OR MIT", true),
        ("MIT AND GPL-3.0-only", false),
        ("Apache-2.0/MIT", true),
        ("(MIT OR GPL-3.0-only) AND ISC", true),
        ("(MIT OR ISC) AND GPL-3.0-only", false),
        ("MIT AND GPL-3.0-only OR ISC", true),
        ("Apache-2.0 WITH LLVM-exception OR GPL-3.0-only", true),
        ("Apache-2.0", false),
    ] {
        assert_eq!(is_allowed(expression, &allowed), so, "{expression}");
    }
}

fn a_dependency_that_may_not_be_one_is_named() {
    let rules = "allow = [\n    \"MIT\",\n]\ndeny = [\"openssl-sys\"]\nallow-registry = [\"https://index\"]\n";
    let package = |name: &str, license: &str, source: Value| serde_json::json!({ "name": name, "license": license, "source": source });
    let metadata = serde_json::json!({ "packages": [
        package("own", "MIT", Value::Null),
        package("good", "MIT", "registry+https://index".into()),
        package("copyleft", "GPL-3.0-only", "registry+https://index".into()),
        package("openssl-sys", "MIT", "registry+https://index".into()),
        package("elsewhere", "MIT", "git+https://index".into()),
    ] });
    let wrong = wrong(&metadata, rules);
    assert_eq!(
        wrong,
        [
            "copyleft: its licence is GPL-3.0-only",
            "openssl-sys: it is not wanted",
            "elsewhere: it comes from \"git+https://index\"",
        ]
    );
}
