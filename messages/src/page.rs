//! The page: a heading for each file, an entry for each message.
//!
//! ```text
//! ## src/ui/bar.rs
//!
//! - 120
//!   - en: next step
//!   - zh: 下一步
//! ```

use crate::read::{Message, Text, messages};
use anyhow::{Context, Result, bail, ensure};
use std::{fmt::Write, fs, path::PathBuf};

pub(crate) fn write(files: &[PathBuf]) -> Result<String> {
    let mut out = String::from(
        "# What boxwright says\n\nChange what stands behind `en:` and `zh:`, then `messages/run --apply` with this file.\n",
    );
    for file in files {
        let all = of(file)?.1;
        if all.is_empty() {
            continue;
        }
        write!(out, "\n## {}\n\n", file.display())?;
        for message in &all {
            let line = message.en.first().or(message.zh.first()).map_or(0, |text| text.line);
            writeln!(out, "- {line}")?;
            for (lang, text) in sides(message) {
                writeln!(out, "  - {lang}: {}", text.says)?;
            }
        }
    }
    Ok(out)
}

fn of(file: &PathBuf) -> Result<(String, Vec<Message>)> {
    let source = fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let all = messages(&source).with_context(|| file.display().to_string())?;
    Ok((source, all))
}

fn sides(message: &Message) -> impl Iterator<Item = (&'static str, &Text)> {
    message.en.iter().map(|text| ("en", text)).chain(message.zh.iter().map(|text| ("zh", text)))
}

/// Puts what the page says otherwise into the code, and says what that was.
///
/// Errors: where the page has other messages than the code, nothing of that file is changed.
pub(crate) fn apply(files: &[PathBuf], page: &str) -> Result<Vec<String>> {
    let mut changed = Vec::new();
    for file in files {
        let heading = format!("\n## {}\n", file.display());
        let Some((_, section)) = page.split_once(&heading) else { continue };
        let section = section.split("\n## ").next().unwrap_or_default();
        let (mut source, all) = of(file)?;
        let lines: Vec<&str> = section.lines().filter_map(|line| line.strip_prefix("  - ")).collect();
        let texts: Vec<_> = all.iter().flat_map(sides).collect();
        ensure!(lines.len() == texts.len(), "{}: the code has changed: make the page again", file.display());
        let mut edits = Vec::new();
        for ((lang, text), line) in texts.into_iter().zip(lines) {
            let Some(says) = line.strip_prefix(lang).and_then(|rest| rest.strip_prefix(": ")) else {
                bail!("{}: `{line}` stands where `{lang}: {}` was", file.display(), text.says);
            };
            if says != text.says {
                changed.push(format!("{}:{}: {} → {says}", file.display(), text.line, text.says));
                edits.push((text.at.clone(), format!("\"{says}\"")));
            }
        }
        // One literal may belong to two messages, and the last ones come first: what stands before them stays where it is.
        edits.sort_by_key(|(at, _)| std::cmp::Reverse(at.start));
        edits.dedup_by_key(|(at, _)| at.start);
        for (at, says) in &edits {
            source.replace_range(at.clone(), says);
        }
        if !edits.is_empty() {
            messages(&source).with_context(|| format!("{}: what is left is not Rust", file.display()))?;
            fs::write(file, source).with_context(|| file.display().to_string())?;
        }
    }
    Ok(changed)
}
