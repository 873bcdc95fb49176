//! Whiteouts: how a layer, which can only add files, takes some away from the layers below it.

use super::{
    apply::Unpacker,
    entries::Entry,
    tree::{Dir, Key, is, key, mtime, set_time, stat},
};
use crate::image::staging::go_on;
use crate::kernel::text::shown;
use nix::{
    errno::Errno,
    fcntl::{OFlag, openat},
    sys::{
        stat::{Mode, SFlag, fstat},
        time::TimeSpec,
    },
    unistd::{UnlinkatFlags, unlinkat},
};
use std::rc::Rc;

/// How much of the names on the way down is in memory at a time, in bytes, and of one directory's in any case.
const NAMES: usize = 8 << 20;
const FEW_NAMES: usize = 4 << 10;

/// Some of the names in a directory. They are collected first, because removing while reading may skip some.
#[derive(Debug)]
struct Names {
    /// Each ends in NUL.
    packed: Vec<u8>,
    at: usize,
    /// Whether there are more than these.
    more: bool,
}

impl Names {
    /// Those of a directory, below these levels.
    fn of(dir: &Dir, above: &[Level]) -> nix::Result<Names> {
        let taken: usize = above.iter().map(|level| level.names.packed.len()).sum();
        let most = NAMES.saturating_sub(taken).max(FEW_NAMES);
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let mut open = nix::dir::Dir::openat(&dir.fd, ".", flags, Mode::empty())?;
        let mut names = Names { packed: Vec::new(), at: 0, more: false };
        for entry in open.iter() {
            let entry = entry?;
            let name = entry.file_name().to_bytes_with_nul();
            if names.packed.len() > most {
                names.more = true;
                break;
            }
            if name != b".\0" && name != b"..\0" {
                names.packed.extend_from_slice(name);
            }
        }
        Ok(names)
    }

    fn next(&mut self) -> Option<Vec<u8>> {
        let rest = self.packed.get(self.at..)?;
        let name = rest.get(..rest.iter().position(|byte| *byte == 0)?)?.to_vec();
        self.at += name.len() + 1;
        Some(name)
    }
}

/// A directory on the way down: what is to come of it when all in it was looked at.
struct Level {
    key: Key,
    /// Its name in the one above.
    name: Vec<u8>,
    names: Names,
    /// Whether it is to stay in any case.
    stays: bool,
    time: TimeSpec,
    /// Whether something went since its names were read.
    removed: bool,
}

impl Level {
    fn new(dir: &Dir, name: Vec<u8>, stays: bool, time: TimeSpec, above: &[Level]) -> nix::Result<Level> {
        Ok(Level { key: dir.key, name, names: Names::of(dir, above)?, stays, time, removed: false })
    }
}

impl Unpacker {
    /// `.wh.NAME` hides NAME, and `.wh..wh..opq` everything, but only what lower layers put there, wherever among the
    /// entries of this layer it stands (OCI image specification, layer).
    pub(super) fn whiteout(&mut self, above: &[u8], hidden: &[u8], entry: &Entry) -> nix::Result<()> {
        self.settle()?;
        let dir = match self.tree.directory(above, None) {
            Err(Errno::ENOENT | Errno::ENOTDIR) => return Ok(()),
            dir => dir?,
        };
        // What is hidden now may be a link that this path led through.
        self.tree.forget();
        self.enter(&dir)?;
        match hidden {
            b".wh..opq" => self.hide_all(&dir, false),
            // Other names of this form were AUFS's own notes; the remaining ones hide nothing that can exist.
            b"" | b"." | b".." => {
                self.report.note(format!("{}: hides nothing", shown(&entry.path)));
                Ok(())
            }
            hidden if hidden.starts_with(b".wh.") => Ok(()),
            hidden => match self.hide(&dir, hidden, false) {
                Err(Errno::ENOENT) => Ok(()),
                other => other,
            },
        }
    }

    /// Hides one name; without `all`, what this layer made itself stays, and the directories that lead to it.
    pub(super) fn hide(&mut self, parent: &Dir, name: &[u8], all: bool) -> nix::Result<()> {
        let own = !all && self.was_made(parent.key, name);
        let there = stat(parent, name)?.ok_or(Errno::ENOENT)?;
        if !is(&there, SFlag::S_IFDIR) {
            if !own {
                unlinkat(&parent.fd, name, UnlinkatFlags::NoRemoveDir)?;
                self.report.hidden += 1;
            }
            return Ok(());
        }
        let dir = below(parent, name)?;
        self.hide_all(&dir, all)?;
        self.leave_hidden(parent, name, own, &dir, &mtime(&there), all).map(drop)
    }

    /// Takes away the directory itself, whose names were hidden, unless it stays; tells whether it is gone.
    fn leave_hidden(
        &mut self,
        parent: &Dir,
        name: &[u8],
        own: bool,
        dir: &Dir,
        time: &TimeSpec,
        all: bool,
    ) -> nix::Result<bool> {
        if !own {
            match unlinkat(&parent.fd, name, UnlinkatFlags::RemoveDir) {
                Err(Errno::ENOTEMPTY | Errno::EEXIST) if !all => {}
                removed => {
                    removed?;
                    self.report.hidden += 1;
                    return Ok(true);
                }
            }
        }
        set_time(dir, time).map(|()| false)
    }

    /// Hides everything in a directory, however deep: only one directory is open at a time.
    fn hide_all(&mut self, top: &Dir, all: bool) -> nix::Result<()> {
        let mut at = top.clone();
        let mut levels = vec![Level::new(top, Vec::new(), true, mtime(&fstat(&top.fd)?), &[])?];
        while let Some(mut last) = levels.pop() {
            go_on().map_err(|_| Errno::EINTR)?;
            if let Some(name) = last.names.next() {
                let own = !all && self.was_made(last.key, &name);
                let there = stat(&at, &name)?;
                let Some(there) = there else {
                    levels.push(last);
                    continue;
                };
                if is(&there, SFlag::S_IFDIR) {
                    at = below(&at, &name)?;
                    levels.push(last);
                    let level = Level::new(&at, name, own, mtime(&there), &levels)?;
                    levels.push(level);
                    continue;
                }
                if !own {
                    unlinkat(&at.fd, name.as_slice(), UnlinkatFlags::NoRemoveDir)?;
                    self.report.hidden += 1;
                    last.removed = true;
                }
                levels.push(last);
                continue;
            }
            if last.names.more {
                // A layer that makes so many names in one directory, and hides it, means no good.
                if !last.removed {
                    return Err(Errno::E2BIG);
                }
                last.names = Names::of(&at, &levels)?;
                last.removed = false;
                levels.push(last);
                continue;
            }
            let Some(parent) = levels.last_mut() else { return Ok(()) };
            let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
            let up = openat(&at.fd, "..", flags, Mode::empty())?;
            let up = Dir { key: key(&fstat(&up)?), fd: Rc::new(up) };
            if up.key != parent.key {
                // Directories are moved while we look.
                return Err(Errno::EAGAIN);
            }
            let gone = self.leave_hidden(&up, &last.name, last.stays, &at, &last.time, all)?;
            if let Some(parent) = levels.last_mut() {
                parent.removed |= gone;
            }
            at = up;
        }
        Ok(())
    }
}

fn below(parent: &Dir, name: &[u8]) -> nix::Result<Dir> {
    let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let fd = openat(&parent.fd, name, flags, Mode::empty())?;
    Ok(Dir { key: key(&fstat(&fd)?), fd: Rc::new(fd) })
}
