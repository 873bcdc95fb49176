//! Mutation tests in minutes.
//!
//! cargo-mutants builds the crate once a mutant, which takes a day for all of ours. Here each mutant that it lists becomes a
//! branch of the code it changes (`if crate::mutant::on(7) { … }`): one build holds them all, and an environment variable says which
//! one is on. What does not compile so is left out, and counted; most of that would not compile by itself, either.

#![expect(clippy::disallowed_methods, reason = "what is read here is code and the words of cargo, which are UTF-8")]

mod compile;
mod judge;
mod list;
mod place;
mod render;

use anyhow::{Context, Result};
use std::{env, path::PathBuf, process::ExitCode};

fn main() -> Result<ExitCode> {
    let mut args = env::args().skip(1);
    let target = PathBuf::from(args.next().context("no directory to build in")?);
    let files = args.next().unwrap_or_default();
    let words: Vec<String> = args.collect();
    let mutants = list::of(&files)?;
    let (binary, built) = compile::all(&mutants, &target)?;
    let survived = judge::all(&built, &binary, &target.join("tree"), &words)?;
    for mutant in &survived {
        println!("survived  {}", mutant.name);
    }
    let (caught, left) = (built.len() - survived.len(), mutants.len() - built.len());
    println!(
        "{caught} of {} mutants caught, {:.1} %; {left} more could not be built",
        built.len(),
        100.0 * caught as f64 / built.len().max(1) as f64
    );
    Ok(if survived.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
