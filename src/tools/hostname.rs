//! hostname(1): show or set the host name of the UTS namespace.

use super::{
    args::{Opt, Value::No, parse},
    complain, failed, print,
};
use crate::kernel::namespaces::read_link;
use nix::{
    errno::Errno,
    unistd::{gethostname, sethostname},
};
use std::{ffi::OsString, path::Path, process::ExitCode};

/// The UTS namespace of the machine, as the terminal's environment names it (an inode number).
const HOST: &str = "BOXWRIGHT_HOST_UTS";

const OPTIONS: [Opt; 1] = [('s', "short", No)];

/// Runs the tool.
pub fn run(args: &[OsString]) -> ExitCode {
    let parsed = match parse(args, &OPTIONS, false) {
        Ok(parsed) => parsed,
        Err(what) => return usage(&what),
    };
    match parsed.words.as_slice() {
        [] => show(parsed.has("short")),
        [name] => set(name),
        _ => usage("too many arguments"),
    }
}

/// hostname(1) ends with -1 here, which is 255.
fn usage(what: &str) -> ExitCode {
    complain("hostname", &format!("{what}\n  usage: hostname [-s] | hostname NAME"), 255)
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
    let host = std::env::var(HOST).ok().and_then(|inode| inode.parse::<u64>().ok());
    if host.is_some() && read_link(Path::new("/proc/self/ns/uts")).ok() == host {
        let what = format!(
            "{name}: not set: this is the machine's own UTS namespace\n  first make another one: unshare -u sh"
        );
        return complain("hostname", &what, 1);
    }
    // The name belongs to the UTS namespace of the caller, and to nothing else. The kernel asks only for CAP_SYS_ADMIN
    // in that namespace's user namespace: whether it is a container's or the machine's is all the same to it.
    match sethostname(name) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Errno::EPERM) => {
            let hint = Some("this needs root, or a user and a UTS namespace: unshare -ru");
            failed("hostname", &format!("sethostname(\"{name}\")"), Errno::EPERM, hint, 1)
        }
        Err(errno) => {
            let hint = Some("at most 64 bytes").filter(|_| errno == Errno::EINVAL);
            failed("hostname", &format!("sethostname(\"{name}\")"), errno, hint, 1)
        }
    }
}
