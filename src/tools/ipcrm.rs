//! ipcrm(1): remove System V objects.

use super::{
    args::{
        Opt,
        Value::{Must, No},
        parse,
    },
    complain, failed, ipcs,
    other::misused,
};
use crate::kernel::errno_causes;
use crate::kernel::objects::SystemV;
use std::{ffi::OsString, process::ExitCode};

const OPTIONS: [Opt; 4] =
    [('q', "queue-id", Must), ('m', "shmem-id", Must), ('s', "semaphore-id", Must), ('a', "all", No)];

/// The kernel's tables of these objects (sysvipc(7)), by the option that removes one.
const TABLES: [(&str, &str); 3] = [("queue-id", "msg"), ("shmem-id", "shm"), ("semaphore-id", "sem")];

/// Runs the tool.
pub(super) fn run(args: &[OsString]) -> ExitCode {
    let parsed = match parse(args, &OPTIONS, false) {
        Ok(parsed) => parsed,
        Err(what) => {
            return misused("ipcrm", args, &what, "usage: ipcrm -q ID | ipcrm -m ID | ipcrm -s ID | ipcrm -a", 1);
        }
    };
    let mut status = ExitCode::SUCCESS;
    let mut wanted = parsed.options.clone();
    wanted.retain(|(name, _)| *name != "all");
    for (name, file) in TABLES.iter().filter(|_| parsed.has("all")) {
        match ids(file) {
            Ok(ids) => wanted.extend(ids.into_iter().map(|id| (*name, Some(id)))),
            Err(failed) => status = failed,
        }
    }
    for (name, value) in &wanted {
        let Some(id) = value.as_deref().and_then(|id| id.parse().ok()) else {
            return complain("ipcrm", &format!("failed to parse the value of --{name}"), 1);
        };
        let kind = match *name {
            "queue-id" => SystemV::Queue,
            "shmem-id" => SystemV::Memory,
            _ => SystemV::Semaphores,
        };
        if let Err(errno) = kind.remove(id) {
            let hint = errno_causes::help("msgctl", errno, &[]);
            status = failed("ipcrm", &format!("{name} {id}"), errno, hint.as_deref(), 1);
        }
    }
    status
}

/// Everything in one table of this IPC namespace: the second field of each line below the heading.
fn ids(file: &str) -> Result<Vec<String>, ExitCode> {
    let table = ipcs::table("ipcrm", file)?;
    Ok(table.lines().skip(1).filter_map(|line| line.split_whitespace().nth(1).map(String::from)).collect())
}
