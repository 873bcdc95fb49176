//! A session that was killed and begins again with the same command line: what it had recorded makes room, and is kept.

use super::Recording;
use rustix::fs::{FlockOperation, RenameFlags, flock, renameat_with};
use std::{
    fs::{File, OpenOptions},
    io::{self, BufReader, Read, Seek, SeekFrom},
    os::{
        fd::AsFd,
        unix::fs::{MetadataExt, OpenOptionsExt},
    },
    path::{Path, PathBuf},
};

/// How many recordings of killed sessions may lie beside each other.
const MAX: usize = 99;
/// The last line is shorter than this.
const TAIL: i64 = 256;

/// Says for as long as the file is open that it is being written (flock(2)).
///
/// Errors: those of file systems that know no locks; nothing but [`make_room`] needs one.
pub(crate) fn hold(file: &File) -> io::Result<()> {
    Ok(flock(file.as_fd(), FlockOperation::NonBlockingLockExclusive)?)
}

/// Where a session of this user's was recorded into this file, and killed, gives the file another name: `FILE.1`, or the next
/// that is free. `None` where the file is anything else; then it is not touched.
///
/// Errors: those of renameat2(2).
pub(crate) fn make_room(path: &Path) -> io::Result<Option<PathBuf>> {
    if !was_killed(path).unwrap_or(false) {
        return Ok(None);
    }
    for number in 1..=MAX {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{number}"));
        match renameat_with(rustix::fs::CWD, path, rustix::fs::CWD, &name, RenameFlags::NOREPLACE) {
            Ok(()) => return Ok(Some(name.into())),
            Err(rustix::io::Errno::EXIST) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// Whether this is a recording without an end that is no longer written.
fn was_killed(path: &Path) -> io::Result<bool> {
    let mut options = OpenOptions::new();
    let mut file = options.read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() || hold(&file).is_err() || Recording::open(BufReader::new(&file)).is_err() {
        return Ok(false);
    }
    let back = TAIL.min(i64::try_from(metadata.size()).unwrap_or(TAIL));
    file.seek(SeekFrom::End(-back))?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    let tail = String::from_utf8_lossy(&tail);
    // A line that is cut off has no end either.
    let last = tail.strip_suffix('\n').and_then(|whole| whole.lines().last());
    Ok(!last.is_some_and(|line| line.contains("\"end\":")))
}
