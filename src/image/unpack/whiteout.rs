//! Whiteouts: how a layer, which can only add files, takes some away from the layers below it.

use super::{
    apply::Unpacker,
    entries::Entry,
    report::shown,
    tree::{Dir, is, key, names, stat},
};
use nix::{
    errno::Errno,
    fcntl::{OFlag, openat},
    sys::stat::{Mode, SFlag},
    unistd::{UnlinkatFlags, unlinkat},
};

impl Unpacker {
    /// `.wh.NAME` hides NAME, and `.wh..wh..opq` everything, but only what lower layers put there, wherever among the
    /// entries of this layer it stands (OCI image specification, layer).
    pub(super) fn whiteout(&mut self, above: &[u8], hidden: &[u8], entry: &Entry) -> nix::Result<()> {
        let dir = match self.tree.directory(above, false) {
            Err(Errno::ENOENT | Errno::ENOTDIR) => return Ok(()),
            dir => dir?,
        };
        if !self.late.contains_key(&dir.key) {
            self.keep_time(&dir)?;
        }
        self.tree.forget();
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
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let dir = Dir { fd: openat(&parent.fd, name, flags, Mode::empty())?.into(), key: key(&there) };
        self.hide_all(&dir, all)?;
        if own {
            return Ok(());
        }
        match unlinkat(&parent.fd, name, UnlinkatFlags::RemoveDir) {
            Err(Errno::ENOTEMPTY | Errno::EEXIST) if !all => return Ok(()),
            removed => removed?,
        }
        self.late.remove(&dir.key);
        self.report.hidden += 1;
        Ok(())
    }

    fn hide_all(&mut self, dir: &Dir, all: bool) -> nix::Result<()> {
        for name in names(dir)? {
            self.hide(dir, &name, all)?;
        }
        Ok(())
    }
}
