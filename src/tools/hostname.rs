//! hostname(1): show or set the host name of the UTS namespace.

use super::{
    args::{Opt, Value::No, parse},
    complain, failed,
    other::misused,
    print,
};
use crate::kernel::errno_causes;
use nix::unistd::{gethostname, sethostname};
use std::{ffi::OsString, process::ExitCode};

const OPTIONS: [Opt; 1] = [('s', "short", No)];

const USAGE: &str = "usage: hostname [-s] | hostname NAME";

/// hostname(1) ends with -1 here.
const WRONG: u8 = 255;

/// Runs the tool.
pub(super) fn run(args: &[OsString]) -> ExitCode {
    let parsed = match parse(args, &OPTIONS, false) {
        Ok(parsed) => parsed,
        Err(what) => return misused("hostname", args, &what, USAGE, WRONG),
    };
    match parsed.words.as_slice() {
        [] => show(parsed.has("short")),
        [name] => set(name),
        _ => complain("hostname", &format!("too many arguments\n  {USAGE}"), WRONG),
    }
}

fn show(short: bool) -> ExitCode {
    match gethostname() {
        Ok(name) => {
            let name = name.to_string_lossy().into_owned();
            print(&format!("{}\n", if short { name.split('.').next().unwrap_or_default() } else { &name }))
        }
        Err(errno) => failed("hostname", "gethostname", errno, None, 1),
    }
}

fn set(name: &str) -> ExitCode {
    // The name belongs to the UTS namespace of the caller, and to nothing else. The kernel asks only for CAP_SYS_ADMIN
    // in that namespace's user namespace: whether it is a container's or the machine's is all the same to it.
    match sethostname(name) {
        Ok(()) => ExitCode::SUCCESS,
        Err(errno) => {
            let hint = errno_causes::help("sethostname", errno, &[]);
            failed("hostname", &format!("sethostname(\"{name}\")"), errno, hint.as_deref(), 1)
        }
    }
}
