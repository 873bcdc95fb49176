//! unshare(1): run a program in new namespaces.

use super::{
    args::{
        Opt,
        Value::{May, Must, No},
        parse_bytes,
    },
    complain, failed,
    start::{become_program, end_like, shell, signal, split},
};
use crate::kernel::{errno::unshare_hint, mounts, namespaces::TABLE};
use crate::lang::say;
use nix::{
    errno::Errno,
    mount::{MsFlags, mount},
    sched::{CloneFlags, unshare},
    sys::{
        prctl::set_pdeathsig,
        signal::{SigSet, SigmaskHow, Signal, sigprocmask},
    },
    unistd::{chdir, chroot, getegid, geteuid},
};
use std::{
    ffi::{OsStr, OsString},
    fs,
    process::ExitCode,
};

const OPTIONS: [Opt; 16] = [
    ('m', "mount", No),
    ('u', "uts", No),
    ('i', "ipc", No),
    ('n', "net", No),
    ('p', "pid", No),
    ('U', "user", No),
    ('C', "cgroup", No),
    ('T', "time", No),
    ('f', "fork", No),
    ('r', "map-root-user", No),
    ('c', "map-current-user", No),
    ('\0', "mount-proc", May),
    ('\0', "kill-child", May),
    ('\0', "propagation", Must),
    ('R', "root", Must),
    ('w', "wd", Must),
];

/// Runs the tool.
pub(super) fn run(args: &[OsString]) -> ExitCode {
    match build(args) {
        Ok(command) => become_program("unshare", &command),
        Err(status) => status,
    }
}

/// Does everything up to the program, in this order; gives the program, or the exit status.
fn build(args: &[OsString]) -> Result<Vec<OsString>, ExitCode> {
    let options = parse_bytes(args, &OPTIONS, true)
        .map_err(|what| complain("unshare", &format!("{what}\nTry 'man unshare' for more information."), 1))?;
    let wanted = TABLE.iter().filter(|row| options.has(row.long));
    let mut flags = wanted.fold(CloneFlags::empty(), |all, row| all | CloneFlags::from_bits_retain(row.flag as i32));
    let map = options.has("map-root-user") || options.has("map-current-user");
    flags.set(CloneFlags::CLONE_NEWUSER, map || options.has("user"));
    flags.set(CloneFlags::CLONE_NEWNS, options.has("mount-proc") || options.has("mount"));
    let propagation = match options.text("propagation").as_deref().unwrap_or("private") {
        "private" => Some(MsFlags::MS_PRIVATE),
        "shared" => Some(MsFlags::MS_SHARED),
        "slave" => Some(MsFlags::MS_SLAVE),
        "unchanged" => None,
        other => return Err(complain("unshare", &format!("unsupported propagation mode: {other}"), 1)),
    };
    let dies_with_us = match options.text("kill-child") {
        None => options.has("kill-child").then_some(Signal::SIGKILL),
        Some(name) => Some(signal(&name).ok_or_else(|| complain("unshare", &format!("unknown signal: {name}"), 1))?),
    };
    // Asked for now: in a new user namespace without a map both would read as "nobody".
    let (uid, gid) = (geteuid(), getegid());

    // All namespaces in one call. The caller itself moves into each of them at once, except for the PID namespace: that
    // one is only for its children, because a process never changes its own PID.
    unshare(flags).map_err(|errno| fail("unshare failed", errno, unshare_hint(errno)))?;
    if options.has("fork") || dies_with_us.is_some() {
        // The terminal's signals are for the child; we wait for it, whatever happens.
        let ours: SigSet = [Signal::SIGINT, Signal::SIGTERM].into_iter().collect();
        let _ = sigprocmask(SigmaskHow::SIG_BLOCK, Some(&ours), None);
        // The first child is PID 1 of the new PID namespace, and the namespace lives exactly as long as it does.
        if let Some(child) = split().map_err(|errno| fail("fork failed", errno, None))? {
            return Err(end_like("unshare", child, false));
        }
        let _ = sigprocmask(SigmaskHow::SIG_UNBLOCK, Some(&ours), None);
        if let Some(signal) = dies_with_us {
            let _ = set_pdeathsig(signal);
        }
    }
    if map {
        let (user, group) = if options.has("map-root-user") { (0, 0) } else { (uid.as_raw(), gid.as_raw()) };
        // A user may give itself one ID, and only after it has given up setgroups(2), with which it could drop a group
        // that keeps it out of a file. Each map is one single write (user_namespaces(7)).
        write("uid_map", &format!("{user} {uid} 1"))?;
        write("setgroups", "deny")?;
        write("gid_map", &format!("{group} {gid} 1"))?;
    }
    if let Some(kind) = propagation.filter(|_| flags.contains(CloneFlags::CLONE_NEWNS)) {
        // The new mount namespace is a copy whose mounts still belong to the groups of the old ones. Without this, the
        // next mount would appear on the host as well.
        let result = mounts::propagate(MsFlags::MS_REC | kind);
        result.map_err(|errno| fail("cannot change root filesystem propagation", errno, None))?;
    }
    if let Some(root) = options.value("root") {
        let what = format!("cannot change root directory to '{}'", root.display());
        chroot(root.as_os_str()).and_then(|()| chdir("/")).map_err(|errno| fail(&what, errno, None))?;
    }
    if let Some(dir) = options.value("wd") {
        chdir(dir.as_os_str()).map_err(|errno| fail(&format!("cannot chdir to '{}'", dir.display()), errno, None))?;
    }
    if options.has("mount-proc") {
        let place = options.value("mount-proc").map_or(OsStr::new("/proc"), OsString::as_os_str);
        // Where the mounts are still shared, at least this one must not appear on the host, whose ps it would break.
        if propagation != Some(MsFlags::MS_PRIVATE) && !options.has("root") {
            let private = MsFlags::MS_PRIVATE | MsFlags::MS_REC;
            match mount(Some("none"), place, None::<&str>, private, None::<&str>) {
                // Nothing is mounted there yet, so nothing can be shared there.
                Ok(()) | Err(Errno::EINVAL) => {}
                Err(errno) => return Err(fail(&format!("cannot change {} propagation", place.display()), errno, None)),
            }
        }
        // A proc file system shows the PID namespace of whoever mounts it: of us, who are inside by now.
        let flags = MsFlags::MS_NOSUID | MsFlags::MS_NOEXEC | MsFlags::MS_NODEV;
        let hint = |errno| mounts::proc_hint(errno).map(String::from);
        mount(Some("proc"), place, Some("proc"), flags, None::<&str>)
            .map_err(|errno| fail(&format!("mount {} failed", place.display()), errno, hint(errno)))?;
    }
    Ok(if options.words.is_empty() { vec![shell()] } else { options.words })
}

fn fail(what: &str, errno: Errno, hint: Option<String>) -> ExitCode {
    failed("unshare", what, errno, hint.as_deref(), 1)
}

fn write(file: &str, value: &str) -> Result<(), ExitCode> {
    fs::write(format!("/proc/self/{file}"), value).map_err(|error| {
        let errno = Errno::from_raw(error.raw_os_error().unwrap_or(0));
        let hint = say("a security policy may forbid it: boxwright doctor", "可能被安全策略禁止：boxwright doctor");
        fail(&format!("write failed /proc/self/{file}"), errno, Some(hint.into()))
    })
}
