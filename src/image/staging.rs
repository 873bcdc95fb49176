//! Writing files so that a half-written one never has its final name, and a failure leaves nothing behind.

use super::{Error, Result, partial::Partial};
use crate::cleanup::Made;
use nix::{
    errno::Errno,
    fcntl::{AT_FDCWD, AtFlags, OFlag, openat},
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::{
        eventfd::{EfdFlags, EventFd},
        stat::{Mode, fstat, fstatat},
    },
    unistd::{UnlinkatFlags, unlinkat},
};
use std::{
    ffi::OsString,
    fs::File,
    io::{self, Read, Write},
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::Path,
    rc::Rc,
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

/// The buffer between a reader and a file.
const BUFFER: usize = 128 << 10;

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Becomes readable with Ctrl-C, for any wait.
static WAKE: OnceLock<Option<EventFd>> = OnceLock::new();

fn wake() -> Option<&'static EventFd> {
    WAKE.get_or_init(|| EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK).ok()).as_ref()
}

/// Notes that Ctrl-C was pressed. A signal handler may do no more than this: an atomic store and a write(2).
pub(crate) extern "C" fn interrupt(_signal: libc::c_int) {
    INTERRUPTED.store(true, Ordering::Relaxed);
    if let Some(Some(wake)) = WAKE.get() {
        let _ = wake.write(1);
    }
}

/// Waits for a while; Ctrl-C ends it, as an error.
pub(crate) fn pause(time: Duration) -> Result<()> {
    let end = Instant::now() + time;
    loop {
        go_on()?;
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        // Rounded up: a timeout of less than a millisecond would spin.
        let timeout = PollTimeout::try_from(left + Duration::from_millis(1)).unwrap_or(PollTimeout::MAX);
        let mut waited = wake().map(|wake| PollFd::new(wake.as_fd(), PollFlags::POLLIN));
        let _ = poll(waited.as_mut_slice(), timeout);
    }
}

/// Waits until this is ready or closed, and tells whether it was; Ctrl-C ends the wait, as an error.
pub(crate) fn wait_for(fd: BorrowedFd, flags: PollFlags, limit: Duration) -> Result<bool> {
    let end = Instant::now() + limit;
    loop {
        go_on()?;
        let left = end.saturating_duration_since(Instant::now());
        let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
        let mut waited = vec![PollFd::new(fd, flags)];
        waited.extend(wake().map(|wake| PollFd::new(wake.as_fd(), PollFlags::POLLIN)));
        let _ = poll(&mut waited, timeout);
        if waited.first().and_then(PollFd::any).unwrap_or(false) {
            return Ok(true);
        }
        if left.is_zero() {
            return Ok(false);
        }
    }
}

/// Fails once Ctrl-C was pressed.
pub(crate) fn go_on() -> Result<()> {
    if INTERRUPTED.load(Ordering::Relaxed) { Err(Error::Interrupted) } else { Ok(()) }
}

/// Files and directories that are removed again unless [`Staging::keep`] is called.
#[derive(Debug, Default)]
pub(crate) struct Staging {
    made: Vec<Thing>,
}

/// Something that was made, held where it was made: another thing that takes its name or its path meanwhile is not it.
#[derive(Debug)]
enum Thing {
    Directory(Made),
    File(Rc<OwnedFd>, OsString, Key),
}

/// A file's device and inode number.
type Key = (u64, u64);

impl Staging {
    /// Makes a directory and what is missing above it; those that were there stay.
    pub(crate) fn directory(&mut self, path: &Path) -> Result<()> {
        let missing: Vec<&Path> = path.ancestors().take_while(|path| !path.as_os_str().is_empty()).collect();
        for path in missing.into_iter().rev() {
            match Made::make(path, Mode::from_bits_truncate(0o777)) {
                Ok(made) => self.made.push(Thing::Directory(made)),
                Err(_) if path.is_dir() => {}
                Err(errno) => return Err(Error::io(path)(errno.into())),
            }
        }
        Ok(())
    }

    /// Writes a file: first under another name, then, complete and on the disk, under its own ([`Partial`]).
    pub(crate) fn file(&mut self, path: &Path, mut content: impl Read) -> Result<()> {
        let (dir, name) = self.place(path)?;
        let new = fstatat(&dir, name.as_os_str(), AtFlags::AT_SYMLINK_NOFOLLOW) == Err(Errno::ENOENT);
        let mut partial = Partial::create(path)?;
        copy(&mut content, &mut partial.file, &path.display().to_string()).map_err(|error| error.on(path))?;
        let key = key(&partial.file);
        partial.keep()?;
        self.made.extend(key.filter(|_| new).map(|key| Thing::File(dir, name, key)));
        Ok(())
    }

    /// The directory that a path's last name is in, and that name. Most files lie beside the one before: one descriptor is
    /// enough for all of them.
    fn place(&self, path: &Path) -> Result<(Rc<OwnedFd>, OsString)> {
        let above = path.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let dir = openat(AT_FDCWD, above, flags, Mode::empty()).map_err(|errno| Error::io(above)(errno.into()))?;
        let known = self.made.iter().rev().find_map(|thing| match thing {
            Thing::File(known, ..) if key(known) == key(&dir) => Some(known.clone()),
            _ => None,
        });
        Ok((known.unwrap_or_else(|| dir.into()), path.file_name().unwrap_or_default().into()))
    }

    /// Everything went well: what was made stays.
    pub(crate) fn keep(&mut self) {
        self.made.clear();
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        for thing in self.made.drain(..).rev() {
            match thing {
                // A directory in which something else was made by now stays, as it should.
                Thing::Directory(made) => drop(made.remove_empty()),
                Thing::File(dir, name, key) => {
                    let now = fstatat(&dir, name.as_os_str(), AtFlags::AT_SYMLINK_NOFOLLOW);
                    if now.is_ok_and(|now| (now.st_dev, now.st_ino) == key) {
                        let _ = unlinkat(&dir, name.as_os_str(), UnlinkatFlags::NoRemoveDir);
                    }
                }
            }
        }
    }
}

fn key(file: impl AsFd) -> Option<Key> {
    fstat(file).ok().map(|stat| (stat.st_dev, stat.st_ino))
}

/// Copies until the reader ends; Ctrl-C ends it earlier.
pub(crate) fn copy(from: &mut impl Read, to: &mut impl Write, what: &str) -> Result<u64> {
    let mut buffer = vec![0; BUFFER];
    let mut total = 0;
    loop {
        go_on()?;
        let count = match from.read(&mut buffer) {
            Ok(0) => return Ok(total),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Error::from_io(what, error)),
        };
        let bytes = buffer.get(..count).unwrap_or_default();
        to.write_all(bytes).map_err(|error| Error::from_io(what, error))?;
        total += count as u64;
    }
}

/// Opens a file that must be a plain one: a device or a pipe of that name would be read for ever.
pub(crate) fn open_plain(path: &Path) -> Result<File> {
    let file = File::open(path).map_err(Error::io(path))?;
    match file.metadata() {
        Ok(metadata) if metadata.is_file() => Ok(file),
        Ok(_) => Err(Error::malformed(path.display().to_string(), "not a plain file")),
        Err(error) => Err(Error::io(path)(error)),
    }
}

/// Reads a small file; a larger one is an error.
pub(crate) fn read_small(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open_plain(path)?.take(limit + 1).read_to_end(&mut bytes).map_err(Error::io(path))?;
    if bytes.len() as u64 > limit {
        return Err(Error::malformed(path.display().to_string(), format!("more than {limit} bytes")));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, os::unix::fs::symlink};

    #[test]
    fn a_failure_leaves_nothing() {
        let top = tempfile::tempdir().unwrap();
        let path = top.path().join("a/b/file");
        {
            let mut staging = Staging::default();
            staging.directory(&top.path().join("a/b")).unwrap();
            staging.file(&path, &b"whole"[..]).unwrap();
            assert_eq!(fs::read(&path).unwrap(), b"whole");
        }
        assert_eq!(fs::read_dir(top.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_was_kept_stays_and_nothing_partial_does() {
        let top = tempfile::tempdir().unwrap();
        let mut staging = Staging::default();
        staging.file(&top.path().join("a"), &b"whole"[..]).unwrap();
        let broken = io::Read::chain(&b"half"[..], Broken);
        assert!(staging.file(&top.path().join("b"), broken).is_err());
        staging.keep();
        let names: Vec<_> = fs::read_dir(top.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["a"]);
    }

    #[test]
    fn a_failure_removes_nothing_behind_a_link_that_leads_elsewhere_by_now() {
        let top = tempfile::tempdir().unwrap();
        let [mine, victim, link] = ["mine", "victim", "link"].map(|name| top.path().join(name));
        for dir in [&mine, &victim.join("below")] {
            fs::create_dir_all(dir).unwrap();
        }
        fs::write(victim.join("file"), "theirs").unwrap();
        symlink(&mine, &link).unwrap();
        let mut staging = Staging::default();
        staging.directory(&link.join("below")).unwrap();
        staging.file(&link.join("file"), &b"mine"[..]).unwrap();
        staging.file(&link.join("other"), &b"mine"[..]).unwrap();
        fs::remove_file(&link).unwrap();
        symlink(&victim, &link).unwrap();
        drop(staging);
        assert!(victim.join("below").exists() && victim.join("file").exists());
        assert_eq!(fs::read_dir(&mine).unwrap().count(), 0);
    }

    struct Broken;

    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::from_raw_os_error(libc::EIO))
        }
    }
}
