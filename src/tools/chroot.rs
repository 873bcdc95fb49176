//! chroot(8): run a program with another root directory.

use super::{
    args::{
        Opt,
        Value::{Must, No},
        parse_bytes,
    },
    complain, failed,
    identity::Identity,
    other::misused,
    start::{become_program, shell},
};
use crate::kernel::errno_causes;
use nix::unistd::{chdir, chroot, setgid, setgroups, setuid};
use std::{ffi::OsString, fs, path::Path, process::ExitCode};

/// chroot itself failed; 126 and 127 are the program's own failures.
const FAILED: u8 = 125;

const USAGE: &str = "chroot [--userspec=USER:GROUP] [--groups=LIST] [--skip-chdir] NEWROOT [COMMAND [ARG]…]";
const OPTIONS: [Opt; 3] = [('\0', "userspec", Must), ('\0', "groups", Must), ('\0', "skip-chdir", No)];

/// Runs the tool.
pub(super) fn run(args: &[OsString]) -> ExitCode {
    enter(args).map_or_else(|status| status, |command| become_program("chroot", &command))
}

/// Does everything up to the program; gives the program, or the exit status.
fn enter(args: &[OsString]) -> Result<Vec<OsString>, ExitCode> {
    let fail = |what: &str| complain("chroot", what, FAILED);
    let parsed = parse_bytes(args, &OPTIONS, true)
        .map_err(|what| misused("chroot", args, &what, "Try 'man chroot' for more information.", FAILED))?;
    let (root, command) = parsed.words.split_first().ok_or_else(|| fail(&format!("missing operand\n  {USAGE}")))?;
    let stays = parsed.has("skip-chdir");
    if stays && fs::canonicalize(root).is_ok_and(|path| path != Path::new("/")) {
        return Err(fail("option --skip-chdir only permitted if NEWROOT is old '/'"));
    }
    // The call changes what `/` means for this process and its children, and nothing else.
    chroot(root.as_os_str()).map_err(|errno| {
        let what = format!("cannot change root directory to '{}'", root.display());
        failed("chroot", &what, errno, errno_causes::help("chroot", errno, &[]).as_deref(), FAILED)
    })?;
    // The working directory is still where it was, outside the new root, and every relative path would lead there. This
    // second call is what makes the first one mean something.
    if !stays {
        chdir("/").map_err(|errno| failed("chroot", "cannot chdir to root directory", errno, None, FAILED))?;
    }
    // Only now, because the new root has users and groups of its own, in its own /etc/passwd and /etc/group.
    let userspec = parsed.text("userspec").unwrap_or_default();
    let who = Identity::find(&userspec, parsed.text("groups").as_deref()).map_err(|why| fail(&why))?;
    // Root may do all three, so to be root is what we give up last.
    let cannot = |what| move |errno| failed("chroot", what, errno, None, FAILED);
    who.groups.map_or(Ok(()), |groups| setgroups(&groups)).map_err(cannot("failed to set supplemental groups"))?;
    who.group.map_or(Ok(()), setgid).map_err(cannot("failed to set group-ID"))?;
    who.user.map_or(Ok(()), setuid).map_err(cannot("failed to set user-ID"))?;
    // $SHELL comes from outside, and the new root may well lack it; a root that has any shell has /bin/sh.
    let shell = || Some(shell()).filter(|path| Path::new(path).exists()).unwrap_or_else(|| "/bin/sh".into());
    Ok(if command.is_empty() { vec![shell(), "-i".into()] } else { command.to_vec() })
}
