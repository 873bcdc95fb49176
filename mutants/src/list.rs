//! The mutants that cargo-mutants would build, one after the other.

use anyhow::{Result, ensure};
use serde::Deserialize;
use std::process::{Command, Stdio};

/// What a mutant does to the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
pub enum Genre {
    /// The value of a function is another one.
    FnValue,
    /// An operator is another one.
    BinaryOperator,
    /// An operator is left out.
    UnaryOperator,
    /// An arm of a match is left out.
    MatchArm,
    /// A guard of an arm is true, or false.
    MatchArmGuard,
    /// A field is the one of the base.
    StructField,
    /// What a later cargo-mutants thinks of.
    #[serde(other)]
    Other,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Span {
    pub start: Place,
}

/// A line and a column, both from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
pub struct Place {
    pub line: usize,
    pub column: usize,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Mutant {
    /// How it is switched on, from 1.
    #[serde(skip)]
    pub number: usize,
    pub genre: Genre,
    pub file: String,
    pub name: String,
    pub span: Span,
    pub replacement: String,
}

/// All of them in the files whose paths begin so.
pub fn of(files: &str) -> Result<Vec<Mutant>> {
    let mut command = Command::new("cargo");
    let output = command.args(["mutants", "--list", "--json"]).stderr(Stdio::inherit()).output()?;
    ensure!(output.status.success(), "cargo mutants --list: {} (cargo install cargo-mutants --locked)", output.status);
    let mut mutants: Vec<Mutant> = serde_json::from_slice(&output.stdout)?;
    mutants.retain(|mutant| mutant.file.starts_with(files));
    for (number, mutant) in (1..).zip(&mut mutants) {
        mutant.number = number;
    }
    Ok(mutants)
}
