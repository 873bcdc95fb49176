//! One build with all mutants in it. Those that the compiler refuses are taken out until it takes the rest.

use crate::{
    list::Mutant,
    place::{Text, nodes},
    render,
};
use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// What the crate gets to know which mutant is on.
const SWITCH: &str = "//! Which mutant is on.
pub(crate) fn on(number: u32) -> bool {
    static ON: std::sync::LazyLock<u32> =
        std::sync::LazyLock::new(|| std::env::var(\"MUTANT\").ok().and_then(|on| on.parse().ok()).unwrap_or(0));
    *ON == number
}
";

/// How a mutant's condition begins in the text.
const ON: &str = "crate::mutant::on(";

/// The test program, and the mutants that are in it.
pub fn all<'a>(mutants: &'a [Mutant], target: &Path) -> Result<(PathBuf, Vec<&'a Mutant>)> {
    let tree = target.join("tree");
    let mut refused = BTreeSet::new();
    loop {
        copy(&tree)?;
        let placed = place(mutants, &refused, &tree)?;
        let (binary, found) = build(&tree, target)?;
        if let Some(binary) = binary {
            return Ok((binary, mutants.iter().filter(|mutant| placed.contains(&mutant.number)).collect()));
        }
        let before = refused.len();
        refused.extend(found);
        eprintln!("{} of {} mutants do not compile", refused.len(), mutants.len());
        ensure!(refused.len() > before, "the compiler refuses what is no mutant's");
    }
}

/// Copies what git knows, as it is now.
fn copy(tree: &Path) -> Result<()> {
    let listed = Command::new("git").args(["ls-files", "-z"]).output()?;
    ensure!(listed.status.success(), "git ls-files: {}", listed.status);
    for name in String::from_utf8(listed.stdout)?.split_terminator('\0') {
        let (from, to) = (Path::new(name), tree.join(name));
        if !from.is_file() {
            continue;
        }
        fs::create_dir_all(to.parent().context("a file is in a directory")?)?;
        fs::copy(from, to).with_context(|| name.to_string())?;
    }
    let lib = tree.join("src/lib.rs");
    let with = fs::read_to_string(&lib)?.replacen("\nmod ", "\nmod mutant;\nmod ", 1);
    fs::write(lib, with)?;
    Ok(fs::write(tree.join("src/mutant.rs"), SWITCH)?)
}

/// Writes the files with their mutants; gives the numbers of those that are in them.
fn place(mutants: &[Mutant], refused: &BTreeSet<usize>, tree: &Path) -> Result<BTreeSet<usize>> {
    let mut files: BTreeMap<&str, Vec<&Mutant>> = BTreeMap::new();
    for mutant in mutants.iter().filter(|mutant| !refused.contains(&mutant.number)) {
        files.entry(&mutant.file).or_default().push(mutant);
    }
    let mut placed = BTreeSet::new();
    for (file, mutants) in files {
        let path = tree.join(file);
        let text = fs::read_to_string(&path)?;
        let parsed = syn::parse_file(&text).with_context(|| file.to_string())?;
        let text = Text::new(&text);
        let written = render::all(&text, &nodes(&text, &parsed, &mutants));
        placed
            .extend(mutants.iter().map(|mutant| mutant.number).filter(|number| written.contains(&render::on(*number))));
        fs::write(path, written)?;
    }
    Ok(placed)
}

#[derive(Deserialize)]
struct Line {
    executable: Option<PathBuf>,
    message: Option<Message>,
}

#[derive(Deserialize)]
struct Message {
    level: String,
    code: Option<Code>,
    spans: Vec<Spot>,
}

#[derive(Deserialize)]
struct Code {
    code: String,
}

#[derive(Deserialize)]
struct Spot {
    file_name: String,
    byte_start: usize,
    is_primary: bool,
}

/// Builds the unit tests: the program, or the mutants to which the errors point.
fn build(tree: &Path, target: &Path) -> Result<(Option<PathBuf>, BTreeSet<usize>)> {
    let mut command = Command::new("cargo");
    command.args(["test", "--lib", "--no-run", "--message-format=json"]).current_dir(tree);
    let output = command.env("CARGO_TARGET_DIR", target.join("build")).stderr(Stdio::null()).output()?;
    let (mut program, mut found) = (None, BTreeSet::new());
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let Ok(line) = serde_json::from_str::<Line>(line) else { continue };
        program = line.executable.or(program);
        let Some(message) = line.message.filter(|message| message.level == "error") else { continue };
        for spot in message.spans.iter().filter(|spot| spot.is_primary) {
            // A span in the standard library comes with one here.
            let Ok(text) = fs::read_to_string(tree.join(&spot.file_name)) else { continue };
            found.extend(culprits(
                &text,
                spot.byte_start,
                message.code.as_ref().is_some_and(|code| code.code == "E0004"),
            ));
        }
    }
    match output.status.success() {
        true if program.is_none() => bail!("cargo test built no program"),
        true => Ok((program, found)),
        false => Ok((None, found)),
    }
}

/// The mutants to which an error at this place is due: those of the branch that it is in, or the nearest. A match that is no
/// longer exhaustive is named at its head.
fn culprits(text: &str, at: usize, not_exhaustive: bool) -> BTreeSet<usize> {
    let (before, behind) = text.split_at(at.min(text.len()));
    if not_exhaustive {
        return numbers(&behind[..behind.floor_char_boundary(6000)]).into_iter().collect();
    }
    let inside = branch(before);
    if !inside.is_empty() {
        return inside;
    }
    let near = &before[before.floor_char_boundary(before.len().saturating_sub(400))..];
    let next = &behind[..behind.floor_char_boundary(200)];
    numbers(near).pop().or(numbers(next).first().copied()).into_iter().collect()
}

/// The numbers of the mutants that a text names, in its order.
fn numbers(text: &str) -> Vec<usize> {
    let digits = |rest: &str| rest.split(')').next().and_then(|digits| digits.parse().ok());
    text.split(ON).skip(1).filter_map(digits).collect()
}

/// The mutants of the innermost branch that this text ends in: its own, or all of its siblings where it is the original.
fn branch(before: &str) -> BTreeSet<usize> {
    let mut depth = 0;
    for (at, sign) in before.char_indices().rev() {
        match sign {
            '}' => depth += 1,
            '{' if depth > 0 => depth -= 1,
            '{' => {
                let head = before[..at].trim_end();
                let condition = head.rsplit_once(ON).and_then(|(_, rest)| rest.strip_suffix(')')?.parse().ok());
                if let Some(number) = condition {
                    return [number].into();
                }
                if let Some(siblings) = head.strip_suffix("else").map(siblings).filter(|all| !all.is_empty()) {
                    return siblings;
                }
            }
            _ => {}
        }
    }
    BTreeSet::new()
}

/// The mutants of the branches that a text ends with, back to the parenthesis that opens them.
fn siblings(before: &str) -> BTreeSet<usize> {
    let (mut braces, mut parentheses) = (0, 0);
    let open = before.char_indices().rev().find(|(_, sign)| {
        match sign {
            '}' => braces += 1,
            '{' => braces -= 1,
            ')' if braces == 0 => parentheses += 1,
            '(' if braces == 0 && parentheses == 0 => return true,
            '(' if braces == 0 => parentheses -= 1,
            _ => {}
        }
        false
    });
    let Some((open, _)) = open.filter(|(open, _)| before[open + 1..].starts_with("if crate::mutant")) else {
        return BTreeSet::new();
    };
    let (mut depth, mut heads) = (0, String::new());
    for sign in before[open..].chars() {
        match sign {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ if depth == 0 => heads.push(sign),
            _ => {}
        }
    }
    numbers(&heads).into_iter().collect()
}
