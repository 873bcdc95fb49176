//! Picks the role: tool, subcommand or TUI.

use boxwright::lang::Lang;
use boxwright::{clean, doctor, inspect, observe};
use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let Some((role, rest)) = args.split_first() else { return ExitCode::from(2) };
    let has = |flag: &str| rest.iter().any(|arg| arg == flag);
    let lang = if has("zh") { Lang::Zh } else { Lang::from_env(|name| std::env::var(name).ok()) };
    match role.as_str() {
        observe::peek::ROLE => observe::peek::run(rest),
        doctor::attempt::ROLE => doctor::attempt::run(rest),
        "clean" => clean::run(has("--dry-run"), lang),
        "doctor" => doctor::run(has("--json"), lang),
        "inspect" => match rest.first().and_then(|pid| pid.parse().ok()) {
            Some(pid) => inspect::run(pid, has("--json"), has("--watch"), lang),
            None => ExitCode::from(2),
        },
        _ => ExitCode::from(2),
    }
}
