//! umount(8): unmount a file system.

use super::{
    args::{Opt, Value::No, parse_bytes},
    complain, failed,
    other::misused,
};
use crate::kernel::mounts::points;
use crate::lang::say;
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
                status = failed("umount", &point.display().to_string(), errno, hint(errno, &point), FAILED);
            }
        }
    }
    status
}

fn hint(errno: Errno, point: &Path) -> Option<&'static str> {
    match errno {
        Errno::EINVAL if points().iter().any(|known| known == point) => Some(say(
            "it came from a more privileged mount namespace and is locked there (mount_namespaces(7))",
            "它来自权限更高的挂载命名空间，在这里被锁定（mount_namespaces(7)）",
        )),
        Errno::EINVAL => {
            Some(say("nothing is mounted there in this mount namespace", "在这个挂载命名空间里，那里没有挂载"))
        }
        Errno::EBUSY => Some(say(
            "a process uses it as its directory, or has a file in it open; -l takes it out of sight",
            "有进程以它为当前目录，或打开着其中的文件；-l 先从目录树中摘除",
        )),
        Errno::EPERM => Some(say(
            "this needs root, or a user and a mount namespace: unshare -rm",
            "需要 root，或者用户命名空间加挂载命名空间：unshare -rm",
        )),
        _ => None,
    }
}
