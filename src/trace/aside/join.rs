//! Making the command a process like the one that asks for it.

use super::{relay, supervisor::why};
use crate::{
    kernel::{
        cgroups::{Hierarchy, Membership, own, parse_membership, place},
        errno, groups,
        namespaces::{TABLE, read_link},
        pid::Pid,
        pidfd, text,
    },
    lang::say,
};
use nix::{
    errno::Errno,
    fcntl::{FcntlArg, OFlag, fcntl, open},
    sched::{CloneFlags, setns},
    sys::{
        prctl::set_pdeathsig,
        signal::{SigSet, Signal},
        stat::{Mode, fstat, stat, umask},
    },
    unistd::{chroot, fchdir, isatty, pipe2, read, setsid, write},
};
use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    fs,
    os::{
        fd::{AsFd, OwnedFd, RawFd},
        unix::{ffi::OsStrExt, process::CommandExt},
    },
    path::Path,
    process::Command,
};

/// The lines of `/proc/PID/status` that say what a process may do (proc_pid_status(5)).
const RIGHTS: [&str; 8] = ["Uid", "Gid", "Groups", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"];

/// The process that asks.
pub(super) struct Asker {
    pid: Pid,
    open: OwnedFd,
}

/// What it asks for, and all that it is made of.
pub(super) struct Wish {
    argv: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    files: BTreeMap<RawFd, OwnedFd>,
    root: OwnedFd,
    dir: OwnedFd,
    umask: Mode,
    rights: Vec<String>,
    namespaces: CloneFlags,
    groups: Vec<(Hierarchy, Membership)>,
}

impl Asker {
    pub(super) fn open(pid: Pid) -> nix::Result<Asker> {
        Ok(Asker { pid, open: pidfd::open(pid)? })
    }

    /// Reads what its last `count` arguments ask for.
    pub(super) fn read(&self, count: usize) -> Result<Wish, String> {
        let dir = self.pid.dir();
        let bytes = |name: &str| fs::read(dir.join(name)).map_err(|error| format!("{name}: {}", errno::why_io(&error)));
        let words = |bytes: Vec<u8>| -> Vec<OsString> {
            let bytes = bytes.strip_suffix(b"\0").unwrap_or(&bytes);
            bytes.split(|byte| *byte == 0).map(|word| OsStr::from_bytes(word).to_owned()).collect()
        };
        let mut argv = words(bytes("cmdline")?);
        argv.drain(..argv.len().saturating_sub(count));
        let variable = |word: OsString| {
            let at = word.as_bytes().iter().position(|byte| *byte == b'=')?;
            let (name, value) = word.as_bytes().split_at(at);
            Some((OsStr::from_bytes(name).to_owned(), OsStr::from_bytes(&value[1..]).to_owned()))
        };
        let env = words(bytes("environ")?).into_iter().filter_map(variable).collect();
        let status = text::of(bytes("status")?);
        let mask = line(&status, "Umask").and_then(|mask| u32::from_str_radix(&mask, 8).ok()).unwrap_or(0o022);
        let at = |name: &str| {
            open(&dir.join(name), OFlag::O_PATH | OFlag::O_CLOEXEC, Mode::empty()).map_err(|errno| why(name, errno))
        };
        Ok(Wish {
            argv,
            env,
            files: self.files()?,
            root: at("root")?,
            dir: at("cwd")?,
            umask: Mode::from_bits_truncate(mask),
            rights: rights(&status),
            namespaces: self.namespaces(),
            groups: self.groups(&text::of(bytes("cgroup")?)),
        })
    }

    /// Copies of all its files that are not closed by an exec.
    fn files(&self) -> Result<BTreeMap<RawFd, OwnedFd>, String> {
        let dir = self.pid.dir();
        let listed = fs::read_dir(dir.join("fd")).map_err(|error| format!("fd: {}", errno::why_io(&error)))?;
        let mut files = BTreeMap::new();
        for fd in listed.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<RawFd>().ok()) {
            // It is just closing the other end of the socket, which is ours alone.
            let Ok(info) = text::read(dir.join(format!("fdinfo/{fd}"))) else { continue };
            let flags = line(&info, "flags").and_then(|flags| i32::from_str_radix(&flags, 8).ok()).unwrap_or(0);
            if flags & libc::O_CLOEXEC == 0 {
                files.insert(fd, pidfd::copy(&self.open, fd).map_err(|errno| why("pidfd_getfd", errno))?);
            }
        }
        Ok(files)
    }

    /// The namespaces that it is in and we are not.
    fn namespaces(&self) -> CloneFlags {
        let (theirs, own) = (self.pid.dir().join("ns"), Path::new("/proc/self/ns"));
        let differs = |link: &str| read_link(&theirs.join(link)).ok() != read_link(&own.join(link)).ok();
        let flags = TABLE.iter().filter(|row| differs(row.link)).map(|row| row.flag as i32);
        flags.map(CloneFlags::from_bits_retain).fold(CloneFlags::empty(), |all, flag| all | flag)
    }

    /// The control groups that it is in and we are not.
    fn groups(&self, theirs: &str) -> Vec<(Hierarchy, Membership)> {
        let (hierarchies, ours) = own();
        let others = parse_membership(theirs).into_iter().filter(|membership| !ours.contains(membership));
        let mounted = |membership: &Membership| {
            let version = if membership.controllers.is_empty() { 2 } else { 1 };
            let same = |h: &&Hierarchy| {
                h.version == version && membership.controllers.iter().all(|name| h.controllers.contains(name))
            };
            hierarchies.iter().find(same).cloned()
        };
        others.filter_map(|membership| Some((mounted(&membership)?, membership))).collect()
    }
}

fn line(text: &str, name: &str) -> Option<String> {
    Some(text::field(text, name)?.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn rights(status: &str) -> Vec<String> {
    RIGHTS.iter().map(|name| format!("{name}: {}", line(status, name).unwrap_or_default())).collect()
}

/// Starts the command. Gives its PID and the master's side of its terminal, where the asking process has one.
pub(super) fn start(asker: &Asker, mut wish: Wish) -> Result<(nix::unistd::Pid, Option<OwnedFd>), String> {
    let is_terminal = |wish: &Wish, fd: RawFd| wish.files.get(&fd).is_some_and(|file| isatty(file).unwrap_or(false));
    let mut master = None;
    if is_terminal(&wish, 0)
        && is_terminal(&wish, 1)
        && let Some(like) = wish.files.get(&0)
    {
        let (ours, theirs) = relay::pair(like).map_err(|errno| why("openpty", errno))?;
        for fd in (0..3).filter(|fd| is_terminal(&wish, *fd)).collect::<Vec<_>>() {
            wish.files.insert(fd, theirs.try_clone().map_err(|error| errno::why_io(&error))?);
        }
        master = Some(ours);
    }
    let (result, told) = pipe2(OFlag::O_CLOEXEC).map_err(|errno| why("pipe", errno))?;
    let leads = master.is_some();
    if child(false).map_err(|errno| why("fork", errno))?.is_none() {
        let failed = (|| {
            enter(asker, &wish)?;
            match child(true).map_err(|errno| why("clone", errno))? {
                Some(command) => Ok(command),
                None => Err(become_command(wish, leads)),
            }
        })();
        // One write each, in any order.
        let answer = match failed {
            Ok(command) => format!("p{command}\0"),
            Err(why) => format!("f{why}\0"),
        };
        let _ = write(&told, answer.as_bytes());
        crate::kernel::exit::now(127);
    }
    drop(told);
    drop(wish);
    // The process that joins tells a PID, the command tells why it has not started; an exec closes the pipe.
    let mut answer = Vec::new();
    let mut part = [0; 4096];
    while let Ok(count @ 1..) = read(&result, &mut part) {
        answer.extend_from_slice(&part[..count]);
    }
    let text = text::of(answer);
    let told = |kind: char| text.split('\0').find_map(|part| part.strip_prefix(kind));
    match (told('f'), told('p').and_then(|pid| pid.parse().ok())) {
        (Some(why), _) => Err(why.into()),
        (None, Some(pid)) => Ok((nix::unistd::Pid::from_raw(pid), master)),
        (None, None) => Err(why("clone", Errno::ECHILD)),
    }
}

/// Makes a child, of ours or of our parent's: the child gets `None`.
#[expect(unsafe_code, reason = "a process with one thread is copied")]
fn child(of_parent: bool) -> nix::Result<Option<i32>> {
    let flags = libc::SIGCHLD | if of_parent { libc::CLONE_PARENT } else { 0 };
    // SAFETY: there is one thread, and without a stack of its own the child goes on as after fork(2).
    let made = Errno::result(unsafe { libc::syscall(libc::SYS_clone, flags, 0, 0, 0, 0) })?;
    Ok((made != 0).then_some(made as i32))
}

/// Goes where the asking process is. The PID namespace is that of the next child.
fn enter(asker: &Asker, wish: &Wish) -> Result<(), String> {
    for (hierarchy, membership) in &wish.groups {
        let controller = membership.controllers.first().map(String::as_str).unwrap_or_default();
        let hierarchies = std::slice::from_ref(hierarchy);
        let dir =
            place(hierarchies, std::slice::from_ref(membership), controller).and_then(|at| at.dir(&membership.path));
        let Some(dir) = dir else { continue };
        groups::write(&dir.join("cgroup.procs"), "0")
            .map_err(|errno| why(&dir.join("cgroup.procs").display().to_string(), errno))?;
    }
    // It is read where the asking process's was: in another user namespace the same user has another number.
    let own = fs::File::open("/proc/self/status").map_err(|error| errno::why_io(&error))?;
    if !wish.namespaces.is_empty() {
        // All at once (Linux 5.8): each is asked for by the rights that we have now.
        setns(&asker.open, wish.namespaces).map_err(|errno| why("setns", errno))?;
    }
    let place = |found: nix::Result<nix::sys::stat::FileStat>| found.map(|found| (found.st_dev, found.st_ino));
    if place(fstat(&wish.root)) != place(stat("/")) {
        fchdir(&wish.root).and_then(|()| chroot(".")).map_err(|errno| why("chroot", errno))?;
    }
    fchdir(&wish.dir).map_err(|errno| why("chdir", errno))?;
    umask(wish.umask);
    let own = text::read_all(own).map_err(|error| errno::why_io(&error))?;
    let more = rights(&own).into_iter().zip(&wish.rights).find(|(own, theirs)| own != *theirs);
    more.map_or(Ok(()), |(own, theirs)| {
        Err(say(
            format!("it would have other rights than you: {own} instead of {theirs} (EPERM)"),
            format!("它的权限会与你的不同：{own}，而不是 {theirs}（EPERM）"),
        ))
    })
}

/// The last steps before the command; comes back with the reason where it does not start.
fn become_command(wish: Wish, leads: bool) -> String {
    let prepared = (|| {
        // Whatever becomes of the one who watches over it.
        set_pdeathsig(Signal::SIGKILL)?;
        setsid()?;
        let high = wish.files.keys().max().copied().unwrap_or(2).max(2) + 1;
        let mut moved = Vec::new();
        for (target, file) in &wish.files {
            moved.push((*target, fcntl(file, FcntlArg::F_DUPFD_CLOEXEC(high))?));
        }
        for (target, file) in moved {
            place_at(file, target)?;
        }
        if leads {
            rustix::process::ioctl_tiocsctty(std::io::stdin().as_fd())
                .map_err(|errno| Errno::from_raw(errno.raw_os_error()))?;
        }
        SigSet::empty().thread_set_mask()
    })();
    if let Err(errno) = prepared {
        return why("exec", errno);
    }
    let Some((name, args)) = wish.argv.split_first() else { return why("exec", Errno::ENOENT) };
    let error = Command::new(name).args(args).env_clear().envs(wish.env).exec();
    format!("{}: {}", name.display(), errno::why_io(&error))
}

#[expect(unsafe_code, reason = "a descriptor gets a given number")]
fn place_at(file: RawFd, target: RawFd) -> nix::Result<()> {
    // SAFETY: whatever had this number before is not used here any more.
    Errno::result(unsafe { libc::dup2(file, target) }).map(drop)
}
