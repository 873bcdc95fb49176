//! ipcmk(1): make a System V queue, semaphore set or shared memory segment.

use super::{
    args::{
        Opt,
        Value::{Must, No},
        parse,
    },
    complain, failed,
    other::misused,
    print,
};
use crate::kernel::errno_causes;
use crate::kernel::objects::SystemV;
use std::{ffi::OsString, process::ExitCode};

const OPTIONS: [Opt; 4] = [('Q', "queue", No), ('M', "shmem", Must), ('S', "semaphore", Must), ('p', "mode", Must)];

const USAGE: &str = "usage: ipcmk -Q | ipcmk -M BYTES | ipcmk -S COUNT";

/// Runs the tool.
pub(super) fn run(args: &[OsString]) -> ExitCode {
    let parsed = match parse(args, &OPTIONS, false) {
        Ok(parsed) if !parsed.options.is_empty() => parsed,
        Ok(_) => return complain("ipcmk", &format!("bad usage\n  {USAGE}"), 1),
        Err(what) => return misused("ipcmk", args, &what, USAGE, 1),
    };
    let mode = parsed.value("mode").map_or(Some(0o644), |mode| libc::c_int::from_str_radix(mode, 8).ok());
    let Some(mode) = mode else { return complain("ipcmk", "failed to parse mode", 1) };
    for (name, value) in &parsed.options {
        let size = value.as_deref().and_then(|value| value.parse::<usize>().ok());
        let (what, kind, size) = match (*name, size) {
            ("queue", _) => ("Message queue", SystemV::Queue, 0),
            ("shmem", Some(size)) => ("Shared memory", SystemV::Memory, size),
            ("semaphore", Some(count)) => ("Semaphore", SystemV::Semaphores, count),
            ("mode", _) => continue,
            _ => return complain("ipcmk", &format!("failed to parse the value of --{name}"), 1),
        };
        // It stays in the IPC namespace when its maker has ended.
        match kind.make(size, mode) {
            Ok(id) => drop(print(&format!("{what} id: {id}\n"))),
            Err(errno) => {
                let hint = errno_causes::help("msgget", errno, &[]);
                return failed("ipcmk", "create failed", errno, hint.as_deref(), 1);
            }
        }
    }
    ExitCode::SUCCESS
}
