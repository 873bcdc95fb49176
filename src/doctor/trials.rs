//! The trials themselves. Each runs in a process of its own and does what a lesson's commands do, the use included: a
//! security module may let a namespace be made and refuse what is done in it.

use super::attempt::{ROLE, Tried, answer, call, inside, io};
use crate::kernel::{
    interfaces,
    namespaces::{Kind, TABLE},
    ordinary as ordinary_user, rights, statx,
};
use nix::{
    errno::Errno,
    mount::{MsFlags, mount},
    net::if_::if_nametoindex,
    sched::{CloneFlags, setns, unshare},
    sys::{
        ptrace,
        stat::{Mode, SFlag, makedev, mknod},
    },
    unistd::{Pid, getegid, geteuid},
};
use std::{
    fs::{self, File},
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

/// A directory that is there wherever this program runs. In a mount namespace of its own anything may be mounted on it.
const ANYWHERE: &str = "/proc";

/// Leaves namespaces. A user without root's rights gets them from a new user namespace, which comes with the others.
fn leave(flags: u64) -> Tried {
    let all = if rights::as_root() { flags } else { flags | Kind::User.row().flag };
    let names: Vec<&str> = TABLE.iter().filter(|row| all & row.flag != 0).map(|row| row.flag_name).collect();
    let flags = CloneFlags::from_bits_truncate(all as i32);
    let ids = (geteuid(), getegid());
    call(format!("unshare({})", names.join("|")), unshare(flags))?;
    if all & Kind::User.row().flag != 0 { write_maps(ids.0.as_raw(), ids.1.as_raw()) } else { Ok(()) }
}

/// Fails where `/` is not the root of this mount namespace: entering one's own namespace again leads there (setns(2)).
pub(super) fn root_is_whole() -> Tried {
    let root =
        || File::open("/").ok().and_then(|root| statx::of(&root).ok()).map(|root| (root.mount, root.dev, root.ino));
    let before = root();
    let namespace = io("open(/proc/self/ns/mnt)", File::open("/proc/self/ns/mnt"))?;
    // Without the right to enter it we cannot know, and must not say that it is a chroot.
    let entered = setns(namespace, CloneFlags::CLONE_NEWNS).is_ok();
    let same = !entered || root() == before;
    call("chroot", if same { Ok(()) } else { Err(Errno::EPERM) })
}

pub(super) fn map_user() -> Tried {
    leave(Kind::User.row().flag)
}

/// Makes a user namespace in a child and enters it: so the shells of both terminals get into the one that they share.
pub(super) fn user() -> Tried {
    let child = Command::new("/proc/self/exe")
        .args([ROLE, "user-inside"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let mut child = io("fork", child)?;
    let mut line = Vec::new();
    if let Some(out) = child.stdout.take() {
        io("read", BufReader::new(out).read_until(b'\n', &mut line))?;
    }
    let entered = answer(&line, "unshare(CLONE_NEWUSER)").and_then(|()| {
        let path = format!("/proc/{}/ns/user", child.id());
        let file = io("open(/proc/PID/ns/user)", File::open(path))?;
        call("setns(CLONE_NEWUSER)", setns(file, CloneFlags::CLONE_NEWUSER))
    });
    let _ = child.kill();
    let _ = child.wait();
    entered
}

/// Becomes root in the new user namespace. `setgroups` must be given up before the group map may be written, and each
/// map is one write (user_namespaces(7)). Ubuntu's AppArmor rule lets unshare pass and refuses here.
fn write_maps(uid: u32, gid: u32) -> Tried {
    io("write(/proc/self/uid_map)", fs::write("/proc/self/uid_map", format!("0 {uid} 1")))?;
    io("write(/proc/self/setgroups)", fs::write("/proc/self/setgroups", "deny"))?;
    io("write(/proc/self/gid_map)", fs::write("/proc/self/gid_map", format!("0 {gid} 1")))
}

/// Tries this as the ordinary user of lessons, who gets a user namespace for it. In a program of its own: a process
/// that has just changed its user may not write its own maps (PR_SET_DUMPABLE).
pub(super) fn ordinary(what: &str) -> Tried {
    become_ordinary()?;
    inside(what)
}

/// Starts this program as that user, by its path.
pub(super) fn ordinary_program() -> Tried {
    let own = io("readlink(/proc/self/exe)", fs::read_link("/proc/self/exe"))?;
    become_ordinary()?;
    io(&format!("execve({})", own.display()), Command::new(&own).args([ROLE, "process"]).output().map(drop))
}

fn become_ordinary() -> Tried {
    call(format!("setuid({})", ordinary_user::user().0), ordinary_user::become_one())
}

/// Makes a namespace and does in it what the lessons do.
pub(super) fn namespace(kind: Kind) -> Tried {
    leave(kind.row().flag)?;
    match kind {
        Kind::Uts => call("sethostname", nix::unistd::sethostname("boxwright")),
        Kind::Mnt => tmpfs(),
        Kind::Net => {
            let lo = call("if_nametoindex(lo)", if_nametoindex("lo"))?;
            call("RTM_NEWLINK(lo, up)", interfaces::set_up(lo, true))
        }
        Kind::Pid => inside("first-inside"),
        Kind::User | Kind::Ipc | Kind::Cgroup | Kind::Time => Ok(()),
    }
}

/// Whether this process is the first one of its PID namespace.
pub(super) fn first() -> Tried {
    call("getpid", if std::process::id() == 1 { Ok(()) } else { Err(Errno::ESRCH) })
}

/// Only a *child* is in the new PID namespace, and only there may its /proc be mounted.
pub(super) fn new_proc() -> Tried {
    leave(Kind::Pid.row().flag | Kind::Mnt.row().flag)?;
    inside("proc-inside")
}

/// Keeps mounts from spreading to the host; without this nothing else is mounted.
fn private() -> Tried {
    let flags = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    call("mount(/, MS_REC|MS_PRIVATE)", mount(None::<&str>, "/", None::<&str>, flags, None::<&str>))
}

fn tmpfs() -> Tried {
    private()?;
    call("mount(tmpfs)", mount(Some("tmpfs"), ANYWHERE, Some("tmpfs"), MsFlags::empty(), None::<&str>))
}

/// As unshare(1) mounts it for `--mount-proc`.
pub(super) fn mount_proc() -> Tried {
    private()?;
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NOEXEC | MsFlags::MS_NODEV;
    call("mount(proc on /proc)", mount(Some("proc"), "/proc", Some("proc"), flags, None::<&str>))
}

pub(super) fn chroot() -> Tried {
    if !rights::as_root() {
        map_user()?;
    }
    call("chroot", nix::unistd::chroot("/"))
}

pub(super) fn pivot_root() -> Tried {
    leave(Kind::Mnt.row().flag)?;
    tmpfs()?;
    call("chdir", nix::unistd::chdir(ANYWHERE))?;
    call("pivot_root", nix::unistd::pivot_root(".", "."))
}

pub(super) fn enter() -> Tried {
    leave(Kind::Uts.row().flag)?;
    let own = io("open(/proc/self/ns/uts)", File::open("/proc/self/ns/uts"))?;
    call("setns(CLONE_NEWUTS)", setns(own, CloneFlags::CLONE_NEWUTS))
}

/// Makes a device node where any file system allows it.
pub(super) fn devices() -> Tried {
    leave(Kind::Mnt.row().flag)?;
    tmpfs()?;
    call("chdir", nix::unistd::chdir(ANYWHERE))?;
    device()
}

/// Makes a device node and opens it: making is a matter of rights, opening one of the mount and of a container's rules.
pub(super) fn device() -> Tried {
    let mode = Mode::from_bits_truncate(0o666);
    call("mknod(null)", mknod("null", SFlag::S_IFCHR, mode, makedev(1, 3)))?;
    io("open(null)", File::options().write(true).open("null").map(drop))
}

/// Mounts an overlay whose changes go to this directory, and makes one: where the kernel cannot keep its notes, it mounts
/// read-only. In a user namespace older kernels refuse it (before 5.11).
pub(super) fn overlay() -> Tried {
    leave(Kind::Mnt.row().flag)?;
    private()?;
    for name in ["lower", "upper", "work", "merged"] {
        io("mkdir", fs::create_dir(name))?;
    }
    let options = Some("lowerdir=lower,upperdir=upper,workdir=work");
    call("mount(overlay)", mount(Some("overlay"), "merged", Some("overlay"), MsFlags::empty(), options))?;
    io("mount(overlay), write", fs::write("merged/note", "x"))
}

/// Lets the distribution's programs build something in a network namespace, which ends with us. What they refuse, the kernel
/// lacks.
pub(super) fn wire(lines: &[&[&str]]) -> Tried {
    leave(Kind::Net.row().flag)?;
    for line in lines {
        let Some((program, args)) = line.split_first() else { continue };
        // A user's PATH may lack the directories of administration.
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new(program);
        command.args(args).env("PATH", format!("{path}:/usr/sbin:/sbin")).env("LC_ALL", "C");
        let output = io(&format!("execve({program})"), command.output())?;
        let said = || Err(refused(&String::from_utf8_lossy(&output.stderr)));
        call(line.join(" "), if output.status.success() { Ok(()) } else { said() })?;
    }
    Ok(())
}

/// The errno in what ip(8) or nft(8) says. Where the kernel lacks what is asked for, they say it in many ways.
fn refused(said: &str) -> Errno {
    // nix has longer words for some, and a table that is not there is no program that is not there.
    let known = [
        ("Operation not permitted", Errno::EPERM),
        ("Permission denied", Errno::EACCES),
        ("No space left on device", Errno::ENOSPC),
        ("Cannot allocate memory", Errno::ENOMEM),
    ];
    known.into_iter().find(|(words, _)| said.contains(words)).map_or(Errno::EOPNOTSUPP, |(_, errno)| errno)
}

/// Seizes a child of its own, as the tracer does; the option makes the kernel end that child with us.
pub(super) fn trace() -> Tried {
    let child = Command::new("/proc/self/exe").args([ROLE, "wait"]).stdin(Stdio::piped()).stdout(Stdio::null()).spawn();
    let mut child = io("execve", child)?;
    let pid = Pid::from_raw(child.id() as i32);
    let seized = ptrace::seize(pid, ptrace::Options::PTRACE_O_EXITKILL | ptrace::Options::PTRACE_O_TRACESECCOMP);
    let _ = child.kill();
    let _ = child.wait();
    call("ptrace(PTRACE_SEIZE)", seized)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_refused_is_told_from_what_is_missing() {
        for (said, errno) in [
            ("RTNETLINK answers: Operation not permitted\n", Errno::EPERM),
            ("Cannot open netlink socket: Permission denied\n", Errno::EACCES),
            ("Error: Could not process rule: Operation not permitted\nadd table ip t\n", Errno::EPERM),
            ("Error: Unknown device type.\n", Errno::EOPNOTSUPP),
            ("RTNETLINK answers: Operation not supported\n", Errno::EOPNOTSUPP),
            ("Error: Could not process rule: No such file or directory\nadd chain ip t post\n", Errno::EOPNOTSUPP),
            ("", Errno::EOPNOTSUPP),
        ] {
            assert_eq!(refused(said), errno, "{said}");
        }
    }
}
