//! A directory that an image is copied to, perhaps by several copies at once.
//!
//! Each copy holds a shared lock on the directory. One that fails takes back what it made only where it is alone and no
//! other has ended since: a blob that one has written, another one may count on.

use super::{
    Error, Result,
    digest::Verified,
    lock::Lock,
    manifest::Descriptor,
    partial::{self, sweep},
    staging::{self, Staging, open_plain, read_small},
};
use std::{
    fs,
    io::{self, Read},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// How often a directory is made anew where a failed copy takes it away at the same moment.
const TRIES: usize = 8;

/// The directory, and what this copy made in it, which goes again unless [`Destination::keep`] is called.
#[derive(Debug)]
pub(super) struct Destination {
    path: PathBuf,
    /// Dropped before the lock.
    staging: Staging,
    lock: Lock,
    /// The file that is written last, and what was in it at first.
    last: PathBuf,
    before: Option<Vec<u8>>,
}

impl Destination {
    /// Makes the directory, or takes one that is there. `last` is the name of the file that is written last, of at most
    /// `limit` bytes.
    pub(super) fn enter(path: &Path, last: &str, limit: u64) -> Result<Destination> {
        let mut staging = Staging::default();
        let mut tries = 0;
        let lock = loop {
            staging.directory(path)?;
            let locked = Lock::shared(path);
            let same = locked.as_ref().is_ok_and(|lock| is_still(lock, path));
            match locked {
                Ok(lock) if same => break lock,
                Err(error) if !matches!(&error, Error::Io { source, .. } if source.kind() == io::ErrorKind::NotFound) =>
                {
                    return Err(error);
                }
                _ if tries == TRIES => {
                    return Err(Error::malformed(path.display().to_string(), "another program removes it"));
                }
                _ => tries += 1,
            }
        };
        sweep(path);
        let last = path.join(last);
        let before = match fs::symlink_metadata(&last) {
            Ok(_) => Some(read_small(&last, limit)?),
            Err(_) => None,
        };
        Ok(Destination { path: path.into(), staging, lock, last, before })
    }

    /// What was in the file that is written last, before this copy began.
    pub(super) fn before(&self) -> Option<&[u8]> {
        self.before.as_deref()
    }

    /// The names in it, without files that other copies have not finished.
    pub(super) fn names(&self) -> Result<Vec<String>> {
        let entries = fs::read_dir(&self.path).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let names = entries.map_err(Error::io(&self.path))?.into_iter().map(|entry| entry.file_name());
        Ok(names.map(|name| name.to_string_lossy().into_owned()).filter(|name| !partial::is_ours(name)).collect())
    }

    /// Makes a directory in it.
    pub(super) fn directory(&mut self, path: &Path) -> Result<()> {
        self.staging.directory(path)
    }

    /// Writes a file in it.
    pub(super) fn file(&mut self, path: &Path, content: impl Read) -> Result<()> {
        self.staging.file(path, content)
    }

    /// Whether nothing else copies into it.
    pub(super) fn is_alone(&mut self) -> bool {
        self.lock.is_only()
    }

    /// Everything went well: what was made stays.
    pub(super) fn keep(&mut self) {
        self.staging.keep();
    }
}

impl Drop for Destination {
    fn drop(&mut self) {
        let unchanged = || fs::read(&self.last).ok() == self.before;
        if !(self.lock.is_only() && unchanged()) {
            self.staging.keep();
        }
    }
}

/// Whether the locked directory still has this name.
fn is_still(lock: &Lock, path: &Path) -> bool {
    let Some(dir) = lock.dir() else { return true };
    match (dir.metadata(), fs::metadata(path)) {
        (Ok(locked), Ok(named)) => (locked.dev(), locked.ino()) == (named.dev(), named.ino()),
        _ => false,
    }
}

/// Whether there is a plain file of the right size.
pub(super) fn may_hold(path: &Path, descriptor: &Descriptor) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.len() == descriptor.size)
}

/// Whether a file holds what the descriptor names, byte for byte.
pub(super) fn holds(path: &Path, descriptor: &Descriptor) -> Result<bool> {
    let Ok(file) = open_plain(path) else { return Ok(false) };
    if !may_hold(path, descriptor) {
        return Ok(false);
    }
    match staging::copy(&mut Verified::new(file, descriptor, ""), &mut io::sink(), "") {
        Ok(_) => Ok(true),
        Err(Error::Interrupted) => Err(Error::Interrupted),
        Err(_) => Ok(false),
    }
}
