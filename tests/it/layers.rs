//! Data flows one way: a module uses only modules that stand before it in this list.

use crate::harness::{Test, tests};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

pub fn tests() -> Vec<Test> {
    tests![
        the_arrows_point_one_way,
        what_decides_and_draws_touches_nothing,
        groups_of_modules_are_read_over_several_lines,
    ]
}

/// From the ground up: words and kernel facts, what is read and what is done, decisions, the screen, the machine.
const ORDER: [&str; 29] = [
    "lang",
    "parallel",
    "columns",
    "kernel",
    "near",
    "cleanup",
    "dirs",
    "image",
    "tools",
    "lesson",
    "observe",
    "glossary",
    "trace",
    "terminal",
    "present",
    "event",
    "session",
    "doctor",
    "inspect",
    "clean",
    "class",
    "app",
    "ui",
    "recording",
    "cli",
    "runtime",
    "headless",
    "run",
    "fuzzing",
];

/// Modules that decide or draw: they may not touch files, processes, clocks or terminals.
const PURE: [&str; 2] = ["app", "ui"];

fn sources(dir: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(dir).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") && !is_test(&path) {
            let name = path.strip_prefix("src").unwrap().components().next().unwrap();
            let name = name.as_os_str().to_str().unwrap().trim_end_matches(".rs").to_string();
            found.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
}

/// Tests may look at everything.
fn is_test(path: &Path) -> bool {
    path.file_stem().is_some_and(|name| name == "tests" || name.to_string_lossy().ends_with("_tests"))
}

/// The modules that a text names after `crate::`, also in a group over several lines.
fn used(text: &str) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    let code: String = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        if !rest.starts_with('{') {
            all.insert(rest.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect());
            continue;
        }
        let (mut depth, mut word, mut first) = (0, String::new(), true);
        for c in rest.chars() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 1 => first = true,
                c if first && depth == 1 && (c.is_ascii_lowercase() || c == '_') => {
                    word.push(c);
                    continue;
                }
                _ => {}
            }
            if !word.is_empty() {
                all.insert(std::mem::take(&mut word));
                first = c == ',';
            }
            if depth == 0 {
                break;
            }
        }
    }
    all.retain(|word| !word.is_empty());
    all
}

fn all_sources() -> Vec<(String, String)> {
    let mut found = Vec::new();
    sources(Path::new("src"), &mut found);
    found.retain(|(name, _)| name != "lib" && name != "main");
    found
}

fn the_arrows_point_one_way() {
    let place: BTreeMap<&str, usize> = ORDER.iter().enumerate().map(|(index, name)| (*name, index)).collect();
    let mut wrong = BTreeSet::new();
    for (module, text) in all_sources() {
        let own = place.get(module.as_str()).unwrap_or_else(|| panic!("{module} has no place in the order"));
        for other in used(&text) {
            if place.get(other.as_str()).is_some_and(|index| index > own) {
                wrong.insert(format!("{module} uses {other}"));
            }
        }
    }
    assert_eq!(wrong, BTreeSet::new());
}

fn what_decides_and_draws_touches_nothing() {
    let mut wrong = BTreeSet::new();
    for (module, text) in all_sources().into_iter().filter(|(module, _)| PURE.contains(&module.as_str())) {
        // `std::os::unix` only tells what a string or a path is made of.
        let code = text.split("#[cfg(test)]").next().unwrap_or_default().replace("unix::", "");
        for word in ["std::fs", "std::process", "std::net", "std::thread", "Instant::now", "SystemTime", "nix::"] {
            if code.contains(word) {
                wrong.insert(format!("{module} names {word}"));
            }
        }
    }
    assert_eq!(wrong, BTreeSet::new());
}

fn groups_of_modules_are_read_over_several_lines() {
    let text = "use crate::{\n    app::{State, keys},\n    lesson,\n    ui,\n    run::complain,\n};\nlet x = crate::trace::Hold::Off; // crate::\n";
    assert_eq!(used(text), ["app", "lesson", "run", "trace", "ui"].map(String::from).into());
}
