//! cgexec(1): run a program in control groups.

use super::{
    args::{
        Opt,
        Value::{Must, No},
        parse_bytes,
    },
    cgclassify::join,
    complain,
    other::misused,
    start::become_program,
};
use crate::kernel::pid::Pid;
use std::{ffi::OsString, process::ExitCode};

const USAGE: &str = "usage: cgexec -g CONTROLLER[,CONTROLLER…]:PATH … COMMAND [ARG…]";
const OPTIONS: [Opt; 2] = [('g', "group", Must), ('\0', "sticky", No)];

/// libcgroup's statuses: wrong usage; the group cannot be joined.
const WRONG: u8 = 1;
const NOT_JOINED: u8 = 82;

/// Runs the tool.
pub(super) fn run(args: &[OsString]) -> ExitCode {
    let parsed = match parse_bytes(args, &OPTIONS, true) {
        Ok(parsed) if parsed.has("group") && !parsed.words.is_empty() => parsed,
        Ok(_) => return complain("cgexec", USAGE, WRONG),
        Err(what) => return misused("cgexec", args, &what, USAGE, WRONG),
    };
    // Joining comes first and the program afterwards: so it is in the group from its first instruction on, and so is
    // every process that it makes, because children are born where their parent is.
    match join("cgexec", &parsed.texts("group"), Pid::own(), NOT_JOINED) {
        Ok(()) => become_program("cgexec", &parsed.words),
        Err(status) => status,
    }
}
