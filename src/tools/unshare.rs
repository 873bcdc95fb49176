//! unshare(1): run a program in new namespaces.

use super::{
    args::{
        Opt,
        Value::{May, Must, No},
        parse,
    },
    complain, failed,
    start::{become_program, end_like, shell, split},
};
use crate::kernel::{errno::unshare_hint, mounts, namespaces::TABLE};
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
use std::{fs, process::ExitCode};

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
pub fn run(args: &[String]) -> ExitCode {
    let options = match parse(args, &OPTIONS, true) {
        Ok(options) => options,
        Err(what) => return complain("unshare", &format!("{what}\nTry 'man unshare' for more information."), 1),
    };
    let wanted = TABLE.iter().filter(|row| options.has(row.long));
    let mut flags = wanted.fold(CloneFlags::empty(), |all, row| all | CloneFlags::from_bits_retain(row.flag as i32));
    let map = options.has("map-root-user") || options.has("map-current-user");
    flags.set(CloneFlags::CLONE_NEWUSER, map || options.has("user"));
    flags.set(CloneFlags::CLONE_NEWNS, options.has("mount-proc") || options.has("mount"));
    let propagation = match options.value("propagation").unwrap_or("private") {
        "private" => Some(MsFlags::MS_PRIVATE),
        "shared" => Some(MsFlags::MS_SHARED),
        "slave" => Some(MsFlags::MS_SLAVE),
        "unchanged" => None,
        other => return complain("unshare", &format!("unsupported propagation mode: {other}"), 1),
    };
    let (uid, gid) = (geteuid(), getegid());

    // All namespaces in one call. The caller itself moves into each of them at once, except for the PID namespace: that
    // one is only for its children, because a process never changes its own PID.
    if let Err(errno) = unshare(flags) {
        return failed("unshare", "unshare failed", errno, unshare_hint(errno).as_deref(), 1);
    }
    if options.has("fork") || options.has("kill-child") {
        // The terminal's signals are for the child; we wait for it, whatever happens.
        let ours: SigSet = [Signal::SIGINT, Signal::SIGTERM].into_iter().collect();
        let _ = sigprocmask(SigmaskHow::SIG_BLOCK, Some(&ours), None);
        match split() {
            Err(errno) => return failed("unshare", "fork failed", errno, None, 1),
            Ok(Some(child)) => return end_like("unshare", child, false),
            // The first child is PID 1 of the new PID namespace, and the namespace lives exactly as long as it does.
            Ok(None) => drop(sigprocmask(SigmaskHow::SIG_UNBLOCK, Some(&ours), None)),
        }
        if options.has("kill-child") {
            let signal = options.value("kill-child").and_then(|name| name.parse().ok()).unwrap_or(Signal::SIGKILL);
            let _ = set_pdeathsig(signal);
        }
    }
    if map {
        let (user, group) = if options.has("map-root-user") { (0, 0) } else { (uid.as_raw(), gid.as_raw()) };
        // A user may give itself one ID, and only after it has given up setgroups(2), with which it could drop a group
        // that keeps it out of a file. Each map is one single write (user_namespaces(7)).
        let maps = [
            ("uid_map", format!("{user} {uid} 1")),
            ("setgroups", "deny".into()),
            ("gid_map", format!("{group} {gid} 1")),
        ];
        for (file, value) in maps {
            if let Err(error) = fs::write(format!("/proc/self/{file}"), value) {
                let errno = Errno::from_raw(error.raw_os_error().unwrap_or(0));
                let hint = Some("a security policy may forbid it: boxwright doctor");
                return failed("unshare", &format!("write failed /proc/self/{file}"), errno, hint, 1);
            }
        }
    }
    if flags.contains(CloneFlags::CLONE_NEWNS)
        && let Some(kind) = propagation
        // The new mount namespace is a copy whose mounts still belong to the groups of the old ones. Without this, the
        // next mount would appear on the host as well.
        && let Err(errno) = mounts::propagate(MsFlags::MS_REC | kind)
    {
        return failed("unshare", "cannot change root filesystem propagation", errno, None, 1);
    }
    if let Some(root) = options.value("root")
        && let Err(errno) = chroot(root).and_then(|()| chdir("/"))
    {
        return failed("unshare", &format!("cannot change root directory to '{root}'"), errno, None, 1);
    }
    if let Some(dir) = options.value("wd")
        && let Err(errno) = chdir(dir)
    {
        return failed("unshare", &format!("cannot chdir to '{dir}'"), errno, None, 1);
    }
    if options.has("mount-proc") {
        let place = options.value("mount-proc").unwrap_or("/proc");
        // A proc file system shows the PID namespace of whoever mounts it: of us, who are inside by now.
        let flags = MsFlags::MS_NOSUID | MsFlags::MS_NOEXEC | MsFlags::MS_NODEV;
        if let Err(errno) = mount(Some("proc"), place, Some("proc"), flags, None::<&str>) {
            return failed("unshare", &format!("mount {place} failed"), errno, mounts::proc_hint(errno), 1);
        }
    }
    become_program("unshare", &if options.words.is_empty() { vec![shell()] } else { options.words })
}
