//! unshare(1): run a program in new namespaces.

use super::{
    args::{
        Opt, Parsed,
        Value::{Long, May, Must, No},
        parse_bytes,
    },
    complain, failed,
    other::misused,
    start::{become_program, end_like, shell, signal, split},
    unshare_outside::{Outside, keep},
    unshare_who::{Who, write},
};
use crate::kernel::{
    errno_causes::{self, Fact},
    mounts,
    namespaces::{Kind, TABLE},
};
use nix::{
    errno::Errno,
    mount::{MsFlags, mount},
    sched::{CloneFlags, unshare},
    sys::{
        prctl::set_pdeathsig,
        signal::{SigSet, SigmaskHow, Signal, kill, sigprocmask},
    },
    unistd::{Pid, chdir, chroot},
};
use std::{
    ffi::{OsStr, OsString},
    path::PathBuf,
    process::ExitCode,
};

const OPTIONS: [Opt; 27] = [
    ('m', "mount", Long),
    ('u', "uts", Long),
    ('i', "ipc", Long),
    ('n', "net", Long),
    ('p', "pid", Long),
    ('U', "user", Long),
    ('C', "cgroup", Long),
    ('T', "time", Long),
    ('f', "fork", No),
    ('r', "map-root-user", No),
    ('c', "map-current-user", No),
    ('\0', "map-user", Must),
    ('\0', "map-group", Must),
    ('\0', "map-users", Must),
    ('\0', "map-groups", Must),
    ('\0', "map-auto", No),
    ('\0', "setgroups", Must),
    ('\0', "keep-caps", No),
    ('\0', "mount-proc", May),
    ('\0', "kill-child", May),
    ('\0', "propagation", Must),
    ('R', "root", Must),
    ('w', "wd", Must),
    ('S', "setuid", Must),
    ('G', "setgid", Must),
    ('\0', "monotonic", Must),
    ('\0', "boottime", Must),
];

/// Runs the tool.
pub(super) fn run(args: &[OsString]) -> ExitCode {
    match build(args) {
        Ok(command) => become_program("unshare", &command),
        Err(status) => status,
    }
}

/// The namespaces that are wanted.
fn flags(options: &Parsed<OsString>) -> CloneFlags {
    let wanted = TABLE.iter().filter(|row| options.has(row.long));
    let mut flags = wanted.fold(CloneFlags::empty(), |all, row| all | CloneFlags::from_bits_retain(row.flag as i32));
    let maps = options.options.iter().any(|(name, _)| name.starts_with("map-"));
    flags.set(CloneFlags::CLONE_NEWUSER, maps || options.has("user"));
    flags.set(CloneFlags::CLONE_NEWNS, options.has("mount-proc") || options.has("mount"));
    flags
}

/// The clocks of the time namespace that are to differ: their numbers (clock_gettime(2)) and seconds.
fn clocks(options: &Parsed<OsString>) -> Result<Vec<(libc::clockid_t, i64)>, ExitCode> {
    let mut clocks = Vec::new();
    for (name, clock) in [("boottime", libc::CLOCK_BOOTTIME), ("monotonic", libc::CLOCK_MONOTONIC)] {
        let Some(text) = options.text(name) else { continue };
        let seconds = text.parse().map_err(|_| complain("unshare", &format!("failed to parse {name} offset"), 1))?;
        clocks.push((clock, seconds));
    }
    if clocks.is_empty() || options.has("time") {
        return Ok(clocks);
    }
    let what = "options --monotonic and --boottime require unsharing of a time namespace (-T)";
    Err(complain("unshare", what, 1))
}

/// The files to which namespaces are to be bound, so that these outlive their processes.
fn kept(options: &Parsed<OsString>) -> Vec<(Kind, PathBuf)> {
    TABLE.iter().filter_map(|row| Some((row.kind, options.value(row.long)?.into()))).collect()
}

/// Does everything up to the program, in this order; gives the program, or the exit status.
fn build(args: &[OsString]) -> Result<Vec<OsString>, ExitCode> {
    let options = parse_bytes(args, &OPTIONS, true)
        .map_err(|what| misused("unshare", args, &what, "Try 'man unshare' for more information.", 1))?;
    let flags = flags(&options);
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
    let (who, clocks, files) = (Who::read(&options)?, clocks(&options)?, kept(&options));
    // Two things must be done from outside: a process in the new mount namespace binds nothing in the old one, and to
    // map more than one's own ID takes rights over the others.
    let new_mounts = flags.contains(CloneFlags::CLONE_NEWNS);
    let keeper = (!files.is_empty() && new_mounts).then(|| Outside::wait(|us| keep(us, &files).is_ok()));
    let mapper = who.maps.any().then(|| Outside::wait(|us| who.maps.write(us)));
    let no_child = |errno| fail("fork failed", errno, errno_causes::help("fork", errno, &[]));
    let (keeper, mapper) = (keeper.transpose().map_err(no_child)?, mapper.transpose().map_err(no_child)?);
    let keep_them = || keeper.map_or_else(|| keep(Pid::this(), &files), Outside::go);

    // All namespaces in one call. The caller itself moves into each of them at once, except for the PID namespace: that
    // one is only for its children, because a process never changes its own PID.
    let why = |errno| errno_causes::help("unshare", errno, &[errno_causes::own(), vec![Fact::OneThread]].concat());
    unshare(flags).map_err(|errno| fail("unshare failed", errno, why(errno)))?;
    mapper.map_or(Ok(()), Outside::go)?;
    for (clock, seconds) in clocks {
        // Until a process has entered the time namespace, its clocks can still be set.
        write("timens_offsets", &format!("{clock} {seconds} 0"))?;
    }
    if options.has("fork") || dies_with_us.is_some() {
        // The terminal's signals are for the child; we wait for it, whatever happens.
        let ours: SigSet = [Signal::SIGINT, Signal::SIGTERM].into_iter().collect();
        let _ = sigprocmask(SigmaskHow::SIG_BLOCK, Some(&ours), None);
        // The first child is PID 1 of the new PID namespace, and the namespace lives exactly as long as it does.
        if let Some(child) = split().map_err(no_child)? {
            if let Err(status) = keep_them() {
                let _ = kill(child, Signal::SIGKILL);
                return Err(status);
            }
            return Err(end_like("unshare", child, false));
        }
        let _ = sigprocmask(SigmaskHow::SIG_UNBLOCK, Some(&ours), None);
        if let Some(signal) = dies_with_us {
            let _ = set_pdeathsig(signal);
        }
    } else {
        keep_them()?;
    }
    who.map()?;
    if let Some(kind) = propagation.filter(|_| new_mounts) {
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
        // A proc file system shows the PID namespace of its mounter: of us, who are inside by now.
        let flags = MsFlags::MS_NOSUID | MsFlags::MS_NOEXEC | MsFlags::MS_NODEV;
        let hint = |errno| errno_causes::help("mount", errno, &[Fact::Proc, Fact::NoTarget]);
        mount(Some("proc"), place, Some("proc"), flags, None::<&str>)
            .map_err(|errno| fail(&format!("mount {} failed", place.display()), errno, hint(errno)))?;
    }
    who.become_them(flags.contains(CloneFlags::CLONE_NEWUSER))?;
    Ok(if options.words.is_empty() { vec![shell()] } else { options.words })
}

fn fail(what: &str, errno: Errno, hint: Option<String>) -> ExitCode {
    failed("unshare", what, errno, hint.as_deref(), 1)
}
