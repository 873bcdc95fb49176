//! The program's messages on one page, and corrections back into the code.
//!
//! Each message stands in the code as a pair, where it is said: `lang.pick("…", "…")`, a row of a table, the fields `en` and `zh`. So no
//! key can be missing or misspelt in one language, and what a message is filled with is checked by the compiler. Whoever reads a
//! language reads all of them in one place all the same: this page is made from the code.

#![expect(clippy::disallowed_methods, reason = "what is read here is code and a page of it, which are UTF-8")]

mod page;
mod read;

use anyhow::{Context, Result};
use std::{
    env, fs,
    path::{Path, PathBuf},
};

fn main() -> Result<()> {
    let mut args = env::args().skip(1);
    let mut files = Vec::new();
    sources(Path::new("src"), &mut files)?;
    files.sort();
    match args.next().as_deref() {
        None => print!("{}", page::write(&files)?),
        Some("--apply") => {
            let page = args.next().context("--apply: no file is named")?;
            let text = fs::read_to_string(&page).with_context(|| page.clone())?;
            for changed in page::apply(&files, &text)? {
                println!("{changed}");
            }
        }
        Some(other) => anyhow::bail!("{other}: not known; messages/run [--apply FILE]"),
    }
    Ok(())
}

/// The Rust files of the program; what only its tests say is left out.
fn sources(dir: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.is_dir() {
            sources(&path, found)?;
        } else if name.ends_with(".rs") && !name.contains("tests") {
            found.push(path);
        }
    }
    Ok(())
}
