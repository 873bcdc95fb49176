//! Every test that runs the built program or asks the real kernel, in one binary.
//!
//! `cargo test --test it -- NAME` runs those whose name contains `NAME`, such as a module's. A test whose requirement is
//! missing is ignored with the reason, and `BOXWRIGHT_REQUIRE=root,strace` (or `all`) makes that a failure.

#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, reason = "a test may fail")]

mod accounts;
mod along;
mod archives;
mod as_root;
mod authors;
mod branches;
mod causes;
mod class;
mod command_line;
mod copies;
mod debian;
mod demo;
mod dependencies;
mod dirs;
mod doctor;
mod follow;
mod found;
mod guard;
mod guard_decisions;
mod harness;
mod harness_tests;
mod image;
mod image_machines;
mod interrupts;
mod lab;
mod layers;
mod learners;
mod leftovers;
mod lessons;
mod lessons_command;
mod lessons_run;
mod lessons_steps;
mod mutants;
mod needs;
mod observe;
mod observe_networks;
mod odd_names;
mod packaging;
mod plain;
mod present;
mod progress;
mod readme;
mod recording;
mod registry;
mod registry_peers;
mod registry_push;
mod registry_tls;
mod registry_watched;
mod rehearsal;
mod removal;
mod removal_kernel;
mod removal_screen;
mod replay;
mod schemas;
mod silent;
mod skopeo;
mod support;
mod terminal;
mod text_out;
mod tools;
mod tools_bytes;
mod tools_cgroup;
mod tools_load;
mod tools_network;
mod tools_ns;
mod tools_root;
mod tools_seccomp;
mod tools_tar;
mod tools_unshare;
mod trace;
mod trace_abi;
mod trace_attach;
mod trace_differential;
mod trace_ends;
mod trace_output;
mod trace_terminal;
mod tui;
mod tui_lessons;
mod tui_terminal;
mod tui_tutorial;
mod tui_tutorials;
mod tui_typing;
mod unpack;
mod unpack_any;
mod unpack_hostile;
mod unpack_peers;
mod untraced;
mod waits;
mod what_if;
mod windows;
mod words;

use harness::{OWN_PROCESS, Required, Test, call, trials};
use std::{collections::BTreeSet, process::ExitCode, sync::Arc};

fn all() -> Vec<Test> {
    [
        accounts::tests,
        along::tests,
        archives::tests,
        as_root::tests,
        authors::tests,
        branches::tests,
        causes::tests,
        class::tests,
        command_line::tests,
        copies::tests,
        debian::tests,
        demo::tests,
        dependencies::tests,
        dirs::tests,
        doctor::tests,
        follow::tests,
        found::tests,
        guard::tests,
        guard_decisions::tests,
        harness_tests::tests,
        image::tests,
        image_machines::tests,
        interrupts::tests,
        lab::tests,
        layers::tests,
        learners::tests,
        leftovers::tests,
        lessons::tests,
        lessons_command::tests,
        lessons_run::tests,
        lessons_steps::tests,
        mutants::tests,
        observe::tests,
        observe_networks::tests,
        odd_names::tests,
        progress::tests,
        packaging::tests,
        plain::tests,
        present::tests,
        readme::tests,
        recording::tests,
        registry::tests,
        registry_peers::tests,
        registry_push::tests,
        registry_tls::tests,
        registry_watched::tests,
        terminal::tests,
        schemas::tests,
        text_out::tests,
        silent::tests,
        skopeo::tests,
        rehearsal::tests,
        removal::tests,
        removal_kernel::tests,
        removal_screen::tests,
        replay::tests,
        tools::tests,
        tools_bytes::tests,
        tools_cgroup::tests,
        tools_load::tests,
        tools_network::tests,
        tools_ns::tests,
        tools_root::tests,
        tools_seccomp::tests,
        tools_tar::tests,
        tools_unshare::tests,
        trace::tests,
        trace_abi::tests,
        trace_attach::tests,
        trace_differential::tests,
        trace_ends::tests,
        trace_output::tests,
        trace_terminal::tests,
        tui::tests,
        tui_lessons::tests,
        tui_terminal::tests,
        tui_tutorial::tests,
        tui_tutorials::tests,
        tui_typing::tests,
        unpack::tests,
        unpack_any::tests,
        unpack_hostile::tests,
        unpack_peers::tests,
        untraced::tests,
        waits::tests,
        what_if::tests,
        windows::tests,
        words::tests,
    ]
    .iter()
    .flat_map(|tests| tests())
    .collect()
}

/// What another process of this program does instead of running the tests, by its first argument.
fn role(name: &str, args: &[String]) -> Option<ExitCode> {
    match name {
        // What a machine allows is tried by another process of the same program.
        boxwright::doctor::attempt::ROLE => Some(boxwright::doctor::attempt::run(args)),
        leftovers::OWNER => leftovers::owner(),
        trace_attach::STORM => trace_attach::storm(),
        unpack_hostile::MEASURE => Some(unpack_hostile::measure(args)),
        OWN_PROCESS => {
            boxwright::runtime::signals::take(boxwright::lang::Lang::En).unwrap();
            let test = all().into_iter().find(|test| args == [test.name.as_str()]);
            call(&test.unwrap_or_else(|| panic!("no test {args:?}")));
            Some(ExitCode::SUCCESS)
        }
        _ => None,
    }
}

/// Programs under test begin as after a login, although this one may have been started by nohup(1), or in the background
/// of a shell without job control, which makes them ignore Ctrl-C.
#[expect(unsafe_code, reason = "nix cannot know that no handler is involved")]
fn heed_signals() {
    use nix::sys::signal::{SigHandler, Signal, signal};
    for number in [Signal::SIGHUP, Signal::SIGINT, Signal::SIGQUIT] {
        // SAFETY: no handler of ours is installed or replaced.
        unsafe { signal(number, SigHandler::SigDfl) }.unwrap();
    }
}

fn main() -> ExitCode {
    heed_signals();
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let Some(status) = args.split_first().and_then(|(name, rest)| role(name, rest)) {
        return status;
    }
    let (mut args, tests) = (libtest_mimic::Arguments::from_args(), all());
    // Most tests wait for a program most of the time.
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
    args.test_threads.get_or_insert(2 * cores);
    let known: BTreeSet<String> = tests.iter().flat_map(Test::needs).map(|need| need.name()).collect();
    let required = std::env::var("BOXWRIGHT_REQUIRE").unwrap_or_default();
    match Required::parse(&required, &known) {
        Ok(required) => {
            let unsteady = harness::Again::default();
            let again = std::env::var_os("BOXWRIGHT_AGAIN").map(|_| Arc::clone(&unsteady));
            let conclusion = libtest_mimic::run(&args, trials(tests, &args, required, again));
            harness::slowest().iter().for_each(|line| println!("{line}"));
            for name in unsteady.lock().unwrap().iter() {
                println!("test {name} ... failed once, held when run again alone");
            }
            conclusion.exit_code()
        }
        Err(why) => {
            eprintln!("{why}");
            ExitCode::from(2)
        }
    }
}
