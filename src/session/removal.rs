//! Removing what a ledger lists, and nothing that merely has its name: never through links, never what others own.

use super::run_dir::WORK;
use crate::kernel::{
    groups::{SUBTREE_CONTROL, children, hands_down, write},
    pidfd,
    usable::OURS,
};
use nix::dir::Dir;
use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, OpenHow, ResolveFlag, openat, openat2};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::stat::{FchmodatFlags, FileStat, Mode, SFlag, fchmod, fchmodat, fstat, fstatat};
use nix::sys::statfs::{CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC, statfs};
use nix::unistd::{UnlinkatFlags, geteuid, unlinkat};
use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How deep the directories below `work` may be nested.
const DEEPEST: usize = 200;

/// How long the members of a control group may take to end.
const DEADLINE: Duration = Duration::from_secs(2);

/// Removes a run directory: the links in `bin`, everything below `work`, other files of ours, and the directories.
///
/// Errors: EPERM where it is not ours; ENOTEMPTY where something is in it that this program never makes; EXDEV or EBUSY
/// where something is still mounted below it: a mount is never entered, because what is in it is not ours.
pub fn run_dir(path: &Path) -> io::Result<()> {
    let parent = path.parent().ok_or(Errno::EINVAL)?;
    let name = path.file_name().ok_or(Errno::EINVAL)?;
    let parent = openat(nix::fcntl::AT_FDCWD, parent, OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty())?;
    let dir = ours(&parent, name)?;
    match ours(&dir, "bin".as_ref()) {
        Ok(bin) => {
            unlink(bin, |stat| kind(stat) == SFlag::S_IFLNK)?;
            unlinkat(&dir, "bin", UnlinkatFlags::RemoveDir)?;
        }
        Err(Errno::ENOENT) => {}
        Err(errno) => return Err(errno.into()),
    }
    match below_work(&dir, WORK, OFlag::empty()) {
        Ok(work) => {
            empty(work, 0)?;
            unlinkat(&dir, WORK, UnlinkatFlags::RemoveDir)?;
        }
        Err(Errno::ENOENT) => {}
        Err(errno) => return Err(errno.into()),
    }
    let me = geteuid().as_raw();
    unlink(dir, |stat| kind(stat) != SFlag::S_IFDIR && stat.st_uid == me)?;
    Ok(unlinkat(&parent, name, UnlinkatFlags::RemoveDir)?)
}

fn kind(stat: &FileStat) -> SFlag {
    SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT
}

/// Opens a directory that is no link and belongs to us.
fn ours(parent: &OwnedFd, name: &std::ffi::OsStr) -> nix::Result<OwnedFd> {
    let flags = OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let dir = openat(parent, name, flags, Mode::empty())?;
    if fstat(&dir)?.st_uid == geteuid().as_raw() { Ok(dir) } else { Err(Errno::EPERM) }
}

/// Empties a session's work directory, which stays.
///
/// Errors: EXDEV or EBUSY where something is mounted below it.
pub fn contents(work: &Path) -> io::Result<()> {
    let flags = OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    Ok(empty(openat(nix::fcntl::AT_FDCWD, work, flags, Mode::empty())?, 0)?)
}

/// Opens a directory of the tree below `work`, never through a link and never into a mount (openat2(2)).
fn below_work<P: ?Sized + nix::NixPath>(parent: &OwnedFd, name: &P, flags: OFlag) -> nix::Result<OwnedFd> {
    let how = OpenHow::new()
        .flags(OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC | flags)
        .resolve(ResolveFlag::RESOLVE_BENEATH | ResolveFlag::RESOLVE_NO_XDEV | ResolveFlag::RESOLVE_NO_SYMLINKS);
    openat2(parent, name, how)
}

/// The same for a directory below it that its owner may have made unreadable.
fn opened(parent: &OwnedFd, name: &CStr) -> nix::Result<OwnedFd> {
    below_work(parent, name, OFlag::empty()).or_else(|errno| {
        if errno != Errno::EACCES {
            return Err(errno);
        }
        let found = below_work(parent, name, OFlag::O_PATH)?;
        // A descriptor of this kind cannot be changed itself; its entry in /proc can (proc(5)), and no link is followed.
        let entry = format!("/proc/self/fd/{}", found.as_raw_fd());
        fchmodat(nix::fcntl::AT_FDCWD, entry.as_str(), Mode::S_IRWXU, FchmodatFlags::FollowSymlink)?;
        below_work(parent, name, OFlag::empty())
    })
}

/// Removes everything in a directory. An unpacked image is deep, but not this deep.
fn empty(dir: OwnedFd, depth: usize) -> nix::Result<()> {
    if depth > DEEPEST {
        return Err(Errno::ELOOP);
    }
    // A learner may have taken the right to list or change it from its owner.
    let _ = fchmod(&dir, Mode::S_IRWXU);
    let mut listed = Dir::from_fd(dir.try_clone().map_err(|_| Errno::EMFILE)?)?;
    let own = |name: &CStr| name != c"." && name != c"..";
    let names: Vec<CString> = listed
        .iter()
        .filter_map(|entry| Some(entry.ok()?.file_name().to_owned()))
        .filter(|name| own(name.as_c_str()))
        .collect();
    for name in names {
        match unlinkat(&dir, name.as_c_str(), UnlinkatFlags::NoRemoveDir) {
            // unlink(2) of a directory is EISDIR on Linux; POSIX has EPERM.
            Err(Errno::EISDIR | Errno::EPERM) => {
                empty(opened(&dir, name.as_c_str())?, depth + 1)?;
                unlinkat(&dir, name.as_c_str(), UnlinkatFlags::RemoveDir)?;
            }
            other => other?,
        }
    }
    Ok(())
}

/// Unlinks those names of a directory that are of the right kind.
fn unlink(dir: OwnedFd, right: impl Fn(&FileStat) -> bool) -> nix::Result<()> {
    let mut dir = Dir::from_fd(dir)?;
    let names: Vec<CString> = dir.iter().filter_map(|entry| Some(entry.ok()?.file_name().to_owned())).collect();
    for name in names {
        if right(&fstatat(&dir, name.as_c_str(), AtFlags::AT_SYMLINK_NOFOLLOW)?) {
            unlinkat(&dir, name.as_c_str(), UnlinkatFlags::NoRemoveDir)?;
        }
    }
    Ok(())
}

/// Removes a control group and all groups below it, the deepest first, after killing whoever is left in them.
///
/// Errors: EPERM where the path is not on cgroupfs; EBUSY where a member has not ended within two seconds.
pub fn cgroup(path: &Path) -> io::Result<()> {
    if std::fs::symlink_metadata(path)?.is_symlink() {
        return Err(Errno::EPERM.into());
    }
    if ![CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC].contains(&statfs(path)?.filesystem_type()) {
        return Err(Errno::EPERM.into());
    }
    let deadline = Instant::now() + DEADLINE;
    loop {
        let groups = below(path);
        // Version 2 can kill a whole group at once, so that nobody forks away from it; elsewhere there is no such file.
        let _ = std::fs::write(path.join("cgroup.kill"), "1");
        let members: Vec<OwnedFd> = groups.iter().flat_map(|group| members(group)).collect();
        for member in &members {
            let _ = pidfd::kill(member.as_fd());
        }
        let left = deadline.saturating_duration_since(Instant::now());
        wait_for_all(&members, left);
        let mut refused: Vec<io::Error> = groups.iter().filter_map(|group| std::fs::remove_dir(group).err()).collect();
        refused.retain(|error| error.kind() != io::ErrorKind::NotFound);
        match refused.pop() {
            None => return Ok(()),
            Some(error) if error.raw_os_error() != Some(libc::EBUSY) || left.is_zero() => return Err(error),
            // A member that has ended keeps its group busy until its parent reaps it. Version 1 announces that to
            // nobody, so all that can be done is to try again a little later.
            Some(_) => drop(poll(&mut [], PollTimeout::from(10u8))),
        }
    }
}

/// The groups below that are in the way of taking a controller back: those that hand it down in their turn, and those of
/// sessions, from which the kernel would take the limits that were set there.
pub fn users(dir: &Path, controller: &str) -> Vec<PathBuf> {
    let session = |group: &Path| group.file_name().is_some_and(|name| name.to_string_lossy().starts_with(OURS));
    children(dir).into_iter().filter(|group| session(group) || hands_down(group, controller)).collect()
}

/// Takes a controller back that a group hands down.
///
/// Errors: EPERM where the directory is no group of version 2; EBUSY where it has [`users`].
pub fn handed_down(dir: &Path, controller: &str) -> io::Result<()> {
    if statfs(dir)?.filesystem_type() != CGROUP2_SUPER_MAGIC {
        return Err(Errno::EPERM.into());
    }
    if !users(dir, controller).is_empty() {
        return Err(Errno::EBUSY.into());
    }
    Ok(write(&dir.join(SUBTREE_CONTROL), &format!("-{controller}"))?)
}

/// A group and all groups below it, the deepest first.
fn below(group: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(group).into_iter().flatten().flatten();
    let children = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    let mut all: Vec<PathBuf> = children.flat_map(|entry| below(&entry.path())).collect();
    all.push(group.into());
    all
}

/// The members of a group except ourselves. Each is looked for again after it was opened: a PID that ended and was
/// given away in between must not be killed.
fn members(group: &Path) -> Vec<OwnedFd> {
    let list = || -> Vec<i32> {
        let text = std::fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
        text.lines().filter_map(|line| line.parse().ok()).collect()
    };
    let me = std::process::id() as i32;
    let opened: Vec<(i32, OwnedFd)> = list()
        .into_iter()
        .filter(|pid| *pid > 0 && *pid != me)
        .filter_map(|pid| Some((pid, pidfd::open(pid).ok()?)))
        .collect();
    if opened.is_empty() {
        return Vec::new();
    }
    let still = list();
    opened.into_iter().filter(|(pid, _)| still.contains(pid)).map(|(_, fd)| fd).collect()
}

/// Waits until all these processes have ended, or the time is over.
fn wait_for_all(processes: &[OwnedFd], time: Duration) {
    let deadline = Instant::now() + time;
    for process in processes {
        let left = deadline.saturating_duration_since(Instant::now());
        let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::ZERO);
        let _ = poll(&mut [PollFd::new(process.as_fd(), PollFlags::POLLIN)], timeout);
    }
}
