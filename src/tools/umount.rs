//! umount(8): unmount a file system.

use super::{
    args::{Opt, Value::No, parse_bytes},
    complain, failed,
    other::misused,
};
use crate::kernel::errno_causes::{self, Fact};
use crate::kernel::mounts::points;
use nix::{
    errno::Errno,
    mount::{MntFlags, umount2},
};
use std::{ffi::OsString, path::Path, process::ExitCode};

/// umount(8): the call failed.
const FAILED: u8 = 32;

const OPTIONS: [Opt; 5] =
    [('l', "lazy", No), ('f', "force", No), ('R', "recursive", No), ('n', "no-mtab", No), ('v', "verbose", No)];

/// Runs the tool.
pub(super) fn run(args: &[OsString]) -> ExitCode {
    let parsed = match parse_bytes(args, &OPTIONS, false) {
        Ok(parsed) if !parsed.words.is_empty() => parsed,
        Ok(_) => return complain("umount", "bad usage\nTry 'man umount' for more information.", 1),
        Err(what) => return misused("umount", args, &what, "Try 'man umount' for more information.", 1),
    };
    let mut flags = MntFlags::empty();
    // Lazy: out of sight at once, gone when the last user of it is. Without it a mount in use is EBUSY.
    flags.set(MntFlags::MNT_DETACH, parsed.has("lazy"));
    flags.set(MntFlags::MNT_FORCE, parsed.has("force"));
    let mut status = ExitCode::SUCCESS;
    for word in &parsed.words {
        let path = std::fs::canonicalize(word).unwrap_or_else(|_| word.into());
        let mut all = vec![path.clone()];
        if parsed.has("recursive") {
            // What was mounted last must go first: it may stand on the others.
            all = points().into_iter().rev().filter(|point| point.starts_with(&path)).collect();
        }
        for point in all {
            if let Err(errno) = umount2(&point, flags) {
                status = failed("umount", &point.display().to_string(), errno, why(errno, &point).as_deref(), FAILED);
            }
        }
    }
    status
}

fn why(errno: Errno, point: &Path) -> Option<String> {
    errno_causes::help("umount2", errno, &[Fact::Mounted(points().iter().any(|known| known == point))])
}
