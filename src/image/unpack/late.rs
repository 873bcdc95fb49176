//! The modes and times of directories, which come when everything else is done.

use super::{
    apply::Unpacker,
    report::Report,
    tree::{Dir, is, key, names, stat},
};
use nix::{
    errno::Errno,
    fcntl::{OFlag, openat},
    sys::stat::{Mode, SFlag, fchmod, fstat, futimens},
};

impl Unpacker {
    /// Gives every directory its mode and time, the innermost first: a closed one could not be entered any more.
    pub fn finish(mut self) -> nix::Result<Report> {
        let root = self.tree.root().clone();
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let root = Dir { fd: openat(&root.fd, ".", flags, Mode::empty())?.into(), key: root.key };
        self.finish_dir(&root)?;
        Ok(self.report)
    }

    fn finish_dir(&mut self, dir: &Dir) -> nix::Result<()> {
        for name in names(dir)? {
            if self.late.is_empty() {
                return Ok(());
            }
            let Some(there) = stat(dir, &name)? else { continue };
            // What is mounted there is no part of what was unpacked.
            if !is(&there, SFlag::S_IFDIR) || there.st_dev != dir.key.0 {
                continue;
            }
            let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
            match openat(&dir.fd, name.as_slice(), flags, Mode::empty()) {
                Ok(fd) => self.finish_dir(&Dir { fd: fd.into(), key: key(&there) })?,
                // Not one of ours: those are open to us until now.
                Err(Errno::EACCES) => {}
                Err(errno) => return Err(errno),
            }
        }
        let Some(late) = self.late.remove(&key(&fstat(&dir.fd)?)) else { return Ok(()) };
        if let Some(mode) = late.mode {
            fchmod(&dir.fd, Mode::from_bits_truncate(mode))?;
        }
        late.time.map_or(Ok(()), |time| futimens(&dir.fd, &time, &time))
    }
}
