//! The modes and times of directories. Every file that is made in a directory changes the directory's time, and a mode may
//! close it to us: the time is set again when enough of them are open, the mode at the end.

use super::tree::{Dir, Key, Tree, key, mtime, set_time};
use crate::kernel::rights;
use nix::{
    errno::Errno,
    sys::{
        stat::{FchmodatFlags, Mode, fchmod, fchmodat, fstat, futimens},
        time::TimeSpec,
    },
};
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    os::fd::{AsFd, OwnedFd},
};

/// How long the paths of closed directories may be in all, in bytes.
const MAX_CLOSED: usize = 16 << 20;
/// Linux's CAP_DAC_OVERRIDE: no mode stops a process that has it.
const DAC_OVERRIDE: u32 = 1;

/// One in which something was changed.
#[derive(Debug)]
struct Open {
    dir: Dir,
    /// It will get this one again.
    time: TimeSpec,
    /// Whose its new files are, once one was seen.
    owner: Option<Owner>,
}

/// User and group, as this user namespace numbers them.
pub(super) type Owner = (u32, u32);

/// The directories that still want something.
#[derive(Debug)]
pub(super) struct Directories {
    /// Whether it is a layer: then every directory keeps its time; otherwise only one that the archive names.
    layer: bool,
    /// Whether modes do not stop us.
    unstoppable: bool,
    without_umask: bool,
    open: HashMap<Key, Open>,
    root: Key,
    /// The root's mode and time.
    last: (Option<u32>, Option<TimeSpec>),
    /// Modes that would close a directory, with its path.
    closed: BTreeMap<Key, (Vec<u8>, u32)>,
    closed_bytes: usize,
    /// What the archive names, where it is not a layer.
    named: HashSet<Key>,
}

impl Directories {
    pub(super) fn new(root: &Dir, layer: bool) -> nix::Result<Directories> {
        // A user of the container must be able to enter its root, unless the image says otherwise. Its time is always
        // the same one, so that the same image gives the same tree.
        let last = if layer { (Some(0o755), Some(TimeSpec::new(0, 0))) } else { (None, None) };
        Ok(Directories {
            layer,
            unstoppable: layer && rights::effective() & 1 << DAC_OVERRIDE != 0,
            without_umask: rights::status().and_then(|status| status.umask) == Some(0),
            open: HashMap::new(),
            root: root.key,
            last,
            closed: BTreeMap::new(),
            closed_bytes: 0,
            named: HashSet::new(),
        })
    }

    /// Whether the process takes no bits from the modes of what it makes (umask(2)).
    pub(super) fn without_umask(&self) -> bool {
        self.without_umask
    }

    /// From now on something is changed in this directory.
    pub(super) fn enter(&mut self, dir: &Dir) -> nix::Result<()> {
        let kept = dir.key != self.root && (self.layer || self.named.contains(&dir.key));
        if kept && !self.open.contains_key(&dir.key) {
            let time = mtime(&fstat(&dir.fd)?);
            self.open.insert(dir.key, Open { dir: dir.clone(), time, owner: None });
        }
        Ok(())
    }

    /// Whether a new file in this directory belongs to `wanted` already. Whose it is depends on the process, on the directory's
    /// setgid bit and on how the file system is mounted (open(2)): the first new file tells for those after it.
    pub(super) fn gives(&mut self, dir: &Dir, file: &impl AsFd, wanted: Owner) -> nix::Result<bool> {
        let Some(open) = self.open.get_mut(&dir.key) else { return Ok(false) };
        let owner = match open.owner {
            Some(owner) => owner,
            None => {
                let stat = fstat(file)?;
                *open.owner.insert((stat.st_uid, stat.st_gid))
            }
        };
        Ok(owner == wanted)
    }

    /// Nothing more is changed in any of them for now: they get their times again, each of them, and the first error is told.
    pub(super) fn leave(&mut self) -> nix::Result<()> {
        let mut first = Ok(());
        for (_, Open { dir, time, .. }) in self.open.drain() {
            // ENOENT: it was removed meanwhile.
            if let Err(errno) = set_time(&dir, &time)
                && errno != Errno::ENOENT
            {
                first = first.and(Err(errno));
            }
        }
        first
    }

    /// Mode and time of the root.
    pub(super) fn set_root(&mut self, mode: u32, time: TimeSpec) {
        self.last = (Some(mode), Some(time));
    }

    /// Gives a directory that an entry names its time, and its mode, which may have to wait. The path is that of the entry.
    pub(super) fn set(&mut self, dir: &OwnedFd, path: &[u8], mode: u32, time: TimeSpec) -> nix::Result<()> {
        let key = key(&fstat(dir)?);
        if let Some((path, _)) = self.closed.remove(&key) {
            self.closed_bytes -= path.len();
        }
        // No other user enters an image's tree before it is complete. Elsewhere none may change what we unpack.
        let for_now = (mode | 0o700) & if self.layer { 0o7777 } else { !0o022 };
        if for_now != mode && !self.unstoppable {
            self.closed_bytes += path.len();
            if self.closed_bytes > MAX_CLOSED {
                return Err(Errno::E2BIG);
            }
            self.closed.insert(key, (path.to_vec(), mode));
            fchmod(dir, Mode::from_bits_truncate(for_now))?;
        } else {
            fchmod(dir, Mode::from_bits_truncate(mode))?;
        }
        // One whose mode is not ours to set keeps its time as well.
        if !self.layer {
            self.named.insert(key);
        }
        if let Some(open) = self.open.get_mut(&key) {
            // A new owner, or another mode, may give new files other owners.
            (open.time, open.owner) = (time, None);
        }
        futimens(dir, &time, &time)
    }

    /// Everything is there: the last directory gets its time, closed ones their modes, the innermost first, and then the root.
    pub(super) fn finish(&mut self, tree: &mut Tree) -> nix::Result<()> {
        // One directory that may not be changed takes nothing from the others.
        let left = self.leave();
        let depth = |path: &[u8]| path.iter().filter(|byte| **byte == b'/').count();
        let mut closed: Vec<(Key, (Vec<u8>, u32))> = std::mem::take(&mut self.closed).into_iter().collect();
        closed.sort_by_key(|(_, (path, _))| std::cmp::Reverse(depth(path)));
        for (wanted, (path, mode)) in closed {
            tree.forget();
            match tree.directory(&path, None) {
                Ok(dir) if dir.key == wanted => chmod(&dir, mode)?,
                // Another one has its name by now, or a link led to it that is gone.
                Ok(_) | Err(Errno::ENOENT | Errno::ENOTDIR | Errno::ELOOP) => {}
                Err(errno) => return Err(errno),
            }
        }
        let root = tree.root().clone();
        if let Some(mode) = self.last.0 {
            chmod(&root, mode)?;
        }
        left.and(self.last.1.map_or(Ok(()), |time| set_time(&root, &time)))
    }
}

fn chmod(dir: &Dir, mode: u32) -> nix::Result<()> {
    fchmodat(&dir.fd, ".", Mode::from_bits_truncate(mode), FchmodatFlags::FollowSymlink)
}
