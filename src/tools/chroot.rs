//! chroot(8): run a program with another root directory.

use super::{
    args::parse,
    complain, failed,
    start::{become_program, shell},
};
use nix::{
    errno::Errno,
    unistd::{chdir, chroot},
};
use std::{path::Path, process::ExitCode};

/// chroot itself failed; 126 and 127 are the program's own failures.
const FAILED: u8 = 125;

/// Runs the tool.
pub fn run(args: &[String]) -> ExitCode {
    let words = match parse(args, &[], true) {
        Ok(parsed) => parsed.words,
        Err(what) => return complain("chroot", &format!("{what}\nTry 'man chroot' for more information."), FAILED),
    };
    let Some((root, command)) = words.split_first() else {
        return complain("chroot", "missing operand\n  chroot NEWROOT [COMMAND [ARG]…]", FAILED);
    };
    // The call changes what `/` means for this process and its children, and nothing else.
    if let Err(errno) = chroot(root.as_str()) {
        let what = format!("cannot change root directory to '{root}'");
        return failed("chroot", &what, errno, hint(errno), FAILED);
    }
    // The working directory is still where it was, outside the new root, and every relative path would lead there. This
    // second call is what makes the first one mean something.
    if let Err(errno) = chdir("/") {
        return failed("chroot", "cannot chdir to root directory", errno, None, FAILED);
    }
    // $SHELL comes from outside, and the new root may well lack it; a root that has any shell has /bin/sh.
    let shell = || Some(shell()).filter(|path| Path::new(path).exists()).unwrap_or_else(|| "/bin/sh".into());
    let command = if command.is_empty() { vec![shell(), "-i".into()] } else { command.to_vec() };
    become_program("chroot", &command)
}

fn hint(errno: Errno) -> Option<&'static str> {
    match errno {
        Errno::EPERM => Some("it takes CAP_SYS_CHROOT: root, or a user namespace around it: unshare -r"),
        Errno::ENOENT => Some("that directory does not exist"),
        Errno::ENOTDIR => Some("a root is a directory with a whole file system below it, not a file"),
        _ => None,
    }
}
