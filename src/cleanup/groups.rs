//! Removing a session's control groups: what its own processes left in them is killed, others that joined them are
//! moved to the group above.

use super::{Left, Stayed, Why, beneath, made::above, tree};
use crate::kernel::text;
use crate::kernel::{
    availability::OURS,
    freezer::{Freezers, STATES},
    groups::{SUBTREE_CONTROL, children, delegates, write},
    pid::Pid,
    pidfd, process,
};
use nix::{
    errno::Errno,
    fcntl::{OFlag, openat},
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::{
        signal::{Signal, kill},
        stat::Mode,
        statfs::{CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC, fstatfs, statfs},
    },
    unistd::{UnlinkatFlags, unlinkat},
};
use procfs::process::Process;
use std::{
    ffi::{CString, OsStr},
    fs::File,
    io::Write,
    os::{
        fd::{AsFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// How deep the groups of a session may be nested; the kernel's own limit is `cgroup.max.depth`.
const DEEPEST: usize = 64;

/// How long the removal of a group is tried again at the least, however late it is: its members have just been killed.
const LEAST: Duration = Duration::from_millis(50);

/// Removes a control group and all groups below it, the deepest first. Those of its members that descend from the session's
/// own terminals are killed; others, such as a shell of another window, are moved to the group above.
///
/// Gives what stayed: where a member has not ended when the time is over, who it is. A group that is not there is no failure.
pub fn remove(path: &Path, until: Instant) -> Vec<Left> {
    match open(path) {
        Ok(Some(removal)) => removal.run(until),
        Ok(None) => Vec::new(),
        Err(left) => vec![left],
    }
}

/// Opens a group and the one above it: beneath that, so that neither a link nor a mount takes its place.
fn open(path: &Path) -> Result<Option<Removal<'_>>, Left> {
    let failed = |errno| Left::call(path, "open", errno);
    let (parent, name) = match above(path) {
        Err(Errno::ENOENT) => return Ok(None),
        found => found.map_err(failed)?,
    };
    let group = match tree::open(&parent, &name) {
        Ok(group) => group,
        Err(Errno::ENOENT) => return Ok(None),
        Err(Errno::ELOOP | Errno::ENOTDIR) => return Err(Left { path: path.into(), why: Why::Replaced }),
        Err(errno) => return Err(tree::refused(&parent, &name, path, "open", errno)),
    };
    let kind = fstatfs(&group).map_err(|errno| Left::call(path, "fstatfs", errno))?.filesystem_type();
    match [CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC].contains(&kind) {
        true => Ok(Some(Removal { path, parent, name, group })),
        false => Err(Left { path: path.into(), why: Why::Replaced }),
    }
}

struct Removal<'a> {
    path: &'a Path,
    parent: OwnedFd,
    name: CString,
    group: OwnedFd,
}

impl Removal<'_> {
    fn run(&self, until: Instant) -> Vec<Left> {
        let until = until.max(Instant::now() + LEAST);
        loop {
            let groups = self.all();
            let mut stuck = Vec::new();
            let mut killed = Vec::new();
            let me = Pid::own();
            for (pid, process) in groups.iter().flat_map(|group| self.members(group)) {
                if pid != me && self.is_ours(pid) {
                    let _ = match &process {
                        Some(process) => pidfd::kill(process.as_fd()),
                        None => kill(pid.into(), Signal::SIGKILL),
                    };
                    killed.push(process);
                } else if let Err(errno) = self.move_up(pid) {
                    let comm = process::stat(&pid.dir()).map(|stat| stat.comm).unwrap_or_default();
                    stuck.push(Left { path: self.path.into(), why: Why::Member(pid, comm, errno) });
                }
            }
            // Version 2 can kill a whole group at once, so that no member forks away from it; elsewhere there is no
            // such file.
            if stuck.is_empty() && !killed.is_empty() {
                let _ = self.write("cgroup.kill", "1");
            }
            // Only now: what was killed must not run once more. The highest comes first, because it holds those below.
            groups.iter().rev().for_each(|group| self.thaw(group));
            let left = until.saturating_duration_since(Instant::now());
            wait_for_all(killed.iter().flatten(), left);
            let refused: Vec<Errno> = groups.iter().filter_map(|group| self.rmdir(group).err()).collect();
            match refused.last().copied() {
                None | Some(Errno::ENOENT) => return Vec::new(),
                Some(errno) if errno != Errno::EBUSY && errno != Errno::ENOTEMPTY => {
                    return vec![Left::call(self.path, "rmdir", errno)];
                }
                Some(_) if !stuck.is_empty() => return stuck,
                Some(errno) if left.is_zero() => return vec![self.stayed(errno)],
                // A member that has ended keeps its group busy until its parent reaps it. Version 1 does not announce
                // that, so all that can be done is to try again a little later.
                Some(_) => drop(poll(&mut [], PollTimeout::from(10u8))),
            }
        }
    }

    /// The group and all groups below it as paths from it, the deepest first. What is mounted on one is none of them.
    fn all(&self) -> Vec<PathBuf> {
        let mut all = vec![PathBuf::from(".")];
        let mut at = 0;
        while let Some(group) = all.get(at).cloned() {
            at += 1;
            if group.components().count() > DEEPEST {
                continue;
            }
            let opened = beneath::open(&self.group, group.as_os_str(), OFlag::O_RDONLY | OFlag::O_DIRECTORY);
            let names = opened.and_then(|dir| tree::names(&dir)).unwrap_or_default();
            let below = names.into_iter().filter(|(_, is_dir)| *is_dir);
            all.extend(below.map(|(name, _)| group.join(OsStr::from_bytes(name.to_bytes()))));
        }
        all.reverse();
        all
    }

    fn read(&self, group: &Path, file: &str) -> Option<String> {
        let opened = beneath::open(&self.group, group.join(file).as_os_str(), OFlag::O_RDONLY).ok()?;
        text::read_all(File::from(opened)).ok()
    }

    fn write(&self, file: impl AsRef<Path>, value: &str) -> nix::Result<()> {
        let opened = beneath::open(&self.group, file.as_ref().as_os_str(), OFlag::O_WRONLY)?;
        nix::unistd::write(opened, value.as_bytes()).map(drop)
    }

    fn thaw(&self, group: &Path) {
        for (file, runs) in STATES {
            if self.read(group, file).is_some_and(|state| state.trim() != runs) {
                let _ = self.write(group.join(file), runs);
            }
        }
    }

    /// The members of a group. Each is looked for again after it was opened: a PID that ended and was
    /// given away in between must not be killed. Linux before 5.3 opens no process; there its number has to do.
    fn members(&self, group: &Path) -> Vec<(Pid, Option<OwnedFd>)> {
        let list = || -> Vec<Pid> {
            let text = self.read(group, "cgroup.procs").unwrap_or_default();
            text.lines().filter_map(|line| line.parse().ok()).collect()
        };
        let open = |pid: Pid| match pidfd::open(pid) {
            Err(Errno::ESRCH) => None,
            opened => Some((pid, opened.ok())),
        };
        let opened: Vec<_> = list().into_iter().filter(|pid| pid.0 > 0).filter_map(open).collect();
        if opened.is_empty() {
            return Vec::new();
        }
        let still = list();
        opened.into_iter().filter(|(pid, _)| still.contains(pid)).collect()
    }

    /// Whether a process descends from the session's terminals: from this program, or, where it has outlived that, by the
    /// environment that its shells were given.
    fn is_ours(&self, pid: Pid) -> bool {
        let session = self
            .path
            .components()
            .map(|part| part.as_os_str())
            .find(|name| name.as_bytes().starts_with(OURS.as_bytes()));
        descends(pid) || session.is_some_and(|session| belongs(pid, session))
    }

    /// Moves a process to the nearest group above that takes it: in version 2 one that hands controllers down takes none.
    fn move_up(&self, pid: Pid) -> nix::Result<()> {
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let mut above = openat(&self.parent, ".", flags, Mode::empty())?;
        let mut first = None;
        for _ in 0..DEEPEST {
            let moved = openat(&above, "cgroup.procs", OFlag::O_WRONLY | OFlag::O_CLOEXEC, Mode::empty())
                .map(File::from)
                .and_then(|mut file| file.write_all(pid.to_string().as_bytes()).map_err(|error| errno(&error)));
            match moved {
                // It has ended.
                Ok(()) | Err(Errno::ESRCH) => return Ok(()),
                Err(errno) => first = first.or(Some(errno)),
            }
            above = openat(&above, "..", flags, Mode::empty())?;
            if !fstatfs(&above)
                .is_ok_and(|fs| [CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC].contains(&fs.filesystem_type()))
            {
                break;
            }
        }
        Err(first.unwrap_or(Errno::EBUSY))
    }

    fn rmdir(&self, group: &Path) -> nix::Result<()> {
        let removed = match group.file_name() {
            None => unlinkat(&self.parent, self.name.as_c_str(), UnlinkatFlags::RemoveDir),
            Some(name) => {
                let above = group.parent().unwrap_or(Path::new("."));
                let above = beneath::open(&self.group, above.as_os_str(), OFlag::O_PATH | OFlag::O_DIRECTORY)?;
                unlinkat(&above, name, UnlinkatFlags::RemoveDir)
            }
        };
        if removed == Err(Errno::ENOENT) { Ok(()) } else { removed }
    }

    /// Why the group is still busy, as exactly as is known.
    fn stayed(&self, errno: Errno) -> Left {
        let stayed = stayed(self.all().iter().flat_map(|group| self.members(group)).map(|(pid, _)| pid));
        match stayed.is_empty() {
            true => Left::call(self.path, "rmdir", errno),
            false => Left { path: self.path.into(), why: Why::Stayed(stayed) },
        }
    }
}

/// Who of these processes is still there, and why.
pub fn stayed(pids: impl IntoIterator<Item = Pid>) -> Vec<Stayed> {
    let freezers = Freezers::read();
    let read = pids.into_iter().filter_map(|pid| process::stat(&pid.dir()));
    let alive = read.filter(|stat| !matches!(stat.state, 'Z' | 'X'));
    alive
        .map(|stat| Stayed {
            frozen: freezers.frozen(Pid(stat.pid)),
            pid: Pid(stat.pid),
            comm: stat.comm,
            state: stat.state,
        })
        .collect()
}

fn errno(error: &std::io::Error) -> Errno {
    Errno::from_raw(error.raw_os_error().unwrap_or(0))
}

/// Whether a process descends from this one.
fn descends(pid: Pid) -> bool {
    let me = Pid::own();
    let mut at = pid;
    // Where no parent is lost on the way up, this ends at PID 1, or at 0 outside our PID namespace.
    for _ in 0..1024 {
        match process::stat(&at.dir()).map(|stat| Pid(stat.ppid)) {
            Some(parent) if parent == me => return true,
            Some(parent) if parent > Pid(1) => at = parent,
            _ => return false,
        }
    }
    false
}

/// Whether a process was started in the terminals of this session: they name its directory in the environment.
fn belongs(pid: Pid, session: &OsStr) -> bool {
    let environment = Process::new(pid.0).and_then(|process| process.environ()).unwrap_or_default();
    let run_dir = environment.get(OsStr::new("BOXWRIGHT_RUN"));
    run_dir.is_some_and(|path| Path::new(path).file_name() == Some(session))
}

/// The groups below that are in the way of taking a controller back: those that hand it down in their turn, and those of
/// sessions, from which the kernel would take the limits that were set there.
pub(crate) fn users(dir: &Path, controller: &str) -> Vec<PathBuf> {
    let session = |group: &Path| group.file_name().is_some_and(|name| name.to_string_lossy().starts_with(OURS));
    children(dir).into_iter().filter(|group| session(group) || delegates(group, controller)).collect()
}

/// Takes a controller back that a group hands down.
///
/// Errors: EPERM where the directory is not a group of version 2; EBUSY where it has [`users`].
pub(crate) fn take_back(dir: &Path, controller: &str) -> nix::Result<()> {
    if statfs(dir)?.filesystem_type() != CGROUP2_SUPER_MAGIC {
        return Err(Errno::EPERM);
    }
    if !users(dir, controller).is_empty() {
        return Err(Errno::EBUSY);
    }
    write(&dir.join(SUBTREE_CONTROL), &format!("-{controller}"))
}

/// Waits until all these processes have ended, or the time is over.
fn wait_for_all<'a>(processes: impl Iterator<Item = &'a OwnedFd>, time: Duration) {
    let deadline = Instant::now() + time;
    for process in processes {
        let left = deadline.saturating_duration_since(Instant::now());
        let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::ZERO);
        let _ = poll(&mut [PollFd::new(process.as_fd(), PollFlags::POLLIN)], timeout);
    }
}

#[cfg(test)]
#[path = "groups_tests.rs"]
mod tests;
