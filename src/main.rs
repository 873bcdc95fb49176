//! Picks the role: tool, subcommand or TUI.

use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.split_first() {
        Some((role, rest)) if role == "__peek" => boxwright::observe::peek::run(rest),
        _ => ExitCode::from(2),
    }
}
