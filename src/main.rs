//! Picks the role: tool, hidden role, subcommand or screen. All of it happens before the first thread exists.

use boxwright::{doctor, observe, session::ledger::record_partials, tools, trace};
use std::{ffi::OsString, path::Path, process::ExitCode};

fn main() -> ExitCode {
    let mut args: Vec<OsString> = std::env::args_os().collect();
    let called = args.first().map(Path::new).and_then(Path::file_name).unwrap_or_default().to_owned();
    if let Some(tool) = called.to_str().and_then(tools::find) {
        record_partials();
        return tools::run(tool, args.get(1..).unwrap_or_default());
    }
    if args.is_empty() {
        // execve(2) allows an empty argument list, which clap would take for a missing program name.
        args.push("boxwright".into());
    }
    let rest = args.get(2..).unwrap_or_default();
    match args.get(1).and_then(|role| role.to_str()) {
        Some(trace::launch::ROLE) => trace::launch::run(rest),
        Some(trace::aside::ROLE) => trace::aside::run(rest),
        Some(observe::ns_helper::ROLE) => observe::ns_helper::run(&words(rest)),
        Some(doctor::attempt::ROLE) => doctor::attempt::run(&words(rest)),
        Some(name) => match tools::find(name) {
            Some(tool) => {
                record_partials();
                tools::run(tool, rest)
            }
            None => boxwright::run(args),
        },
        None => boxwright::run(args),
    }
}

fn words(args: &[OsString]) -> Vec<String> {
    args.iter().map(|word| word.to_string_lossy().into_owned()).collect()
}
