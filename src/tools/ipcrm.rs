//! ipcrm(1): remove System V objects.
#![allow(unsafe_code)]

use super::{
    args::{Opt, Value::Must, parse},
    complain, failed,
};
use nix::errno::Errno;
use std::process::ExitCode;

const OPTIONS: [Opt; 3] = [('q', "queue-id", Must), ('m', "shmem-id", Must), ('s', "semaphore-id", Must)];

/// Runs the tool.
pub fn run(args: &[String]) -> ExitCode {
    let parsed = match parse(args, &OPTIONS, false) {
        Ok(parsed) if !parsed.options.is_empty() => parsed,
        Ok(_) => return complain("ipcrm", "bad usage\n  usage: ipcrm -q ID | ipcrm -m ID | ipcrm -s ID", 1),
        Err(what) => return complain("ipcrm", &what, 1),
    };
    let mut status = ExitCode::SUCCESS;
    for (name, value) in &parsed.options {
        let Some(id) = value.as_deref().and_then(|id| id.parse().ok()) else {
            return complain("ipcrm", &format!("failed to parse the value of --{name}"), 1);
        };
        // IPC_RMID: the object leaves the IPC namespace. Shared memory goes when the last process has detached it.
        // SAFETY: with IPC_RMID the calls read no memory; the null pointer is what they expect.
        let result = unsafe {
            match *name {
                "queue-id" => libc::msgctl(id, libc::IPC_RMID, std::ptr::null_mut()),
                "shmem-id" => libc::shmctl(id, libc::IPC_RMID, std::ptr::null_mut()),
                _ => libc::semctl(id, 0, libc::IPC_RMID),
            }
        };
        if let Err(errno) = Errno::result(result) {
            let hint = Some("no such object in this IPC namespace: ipcs").filter(|_| errno == Errno::EINVAL);
            status = failed("ipcrm", &format!("{name} {id}"), errno, hint, 1);
        }
    }
    status
}
