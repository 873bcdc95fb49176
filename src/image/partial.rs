//! A file that has no name, or another one, until it is complete.
//!
//! Where the file system can, the file has no name at all before (`O_TMPFILE`, open(2)), so that a killed program leaves
//! nothing. Elsewhere it has a name of its own, which two programs never share, and is locked while it grows: one of such
//! a name that is not locked was left by a program that was killed, and [`sweep`] removes it.

use super::{Error, Result, journal::Pending, lock};
use nix::{
    errno::Errno,
    fcntl::{AT_FDCWD, AtFlags, Flock, FlockArg, OFlag, open},
    sys::stat::Mode,
    unistd::{LinkatFlags, linkat},
};
use std::{
    fs::{self, File, OpenOptions},
    hash::{BuildHasher, RandomState},
    os::fd::{AsFd, AsRawFd},
    path::{Path, PathBuf},
};

/// What the names of unfinished files and directories begin and end with; between is [`DIGITS`] random hexadecimal digits.
const BEFORE: &str = ".boxwright-";
const AFTER: &str = ".partial";
const DIGITS: usize = 16;
/// How often another name is tried where one is taken.
const NAMES: usize = 16;
/// All users may read and write what the umask does not forbid.
const MODE: u32 = 0o666;

/// A name beside this path that nothing else uses.
pub(crate) fn fresh_name(path: &Path) -> PathBuf {
    let random = RandomState::new().hash_one(std::process::id());
    path.with_file_name(format!("{BEFORE}{random:016x}{AFTER}"))
}

/// Whether a name is one that [`fresh_name`] gives.
pub(crate) fn is_ours(name: &str) -> bool {
    let random = name.strip_prefix(BEFORE).and_then(|rest| rest.strip_suffix(AFTER));
    random.is_some_and(|random| random.len() == DIGITS && random.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// A file that gets its name when it is complete, and is gone where it never is.
#[derive(Debug)]
pub(crate) struct Partial {
    /// The open file.
    pub file: File,
    path: PathBuf,
    /// The name that it has until then, and the lock that says whose it is; none where it has no name.
    named: Option<(PathBuf, Option<Flock<File>>)>,
    /// Dropped when the name is gone.
    _pending: Option<Pending>,
}

impl Partial {
    /// Begins the file that is to have this path.
    pub(crate) fn create(path: &Path) -> Result<Partial> {
        match nameless(path) {
            Some(file) => Ok(Partial { file, path: path.into(), named: None, _pending: None }),
            None => Partial::with_name(path),
        }
    }

    fn with_name(path: &Path) -> Result<Partial> {
        let mut tries = 0;
        loop {
            let name = fresh_name(path);
            let line = Pending::begin(&name);
            match OpenOptions::new().write(true).create_new(true).open(&name) {
                Ok(file) => {
                    line.made(&file);
                    // Without locks a file that grows cannot be told from one that was left, and is not removed.
                    let lock = file.try_clone().ok().and_then(|file| lock::now(file, FlockArg::LockExclusive).ok());
                    return Ok(Partial { file, path: path.into(), named: Some((name, lock)), _pending: Some(line) });
                }
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists && tries < NAMES => tries += 1,
                Err(error) => return Err(Error::io(path)(error)),
            }
        }
    }

    /// The path that it is to have.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The file is complete: once it is on the disk it gets its name, and takes the place of one that had it.
    pub(crate) fn keep(self) -> Result<()> {
        self.file.sync_all().map_err(Error::io(&self.path))?;
        let path = self.path.clone();
        self.take_name(true).map_err(|errno| Error::io(&path)(errno.into()))
    }

    /// The same, but one that has the name stays, and this is an error (EEXIST).
    pub(crate) fn keep_new(self) -> Result<()> {
        self.file.sync_all().map_err(Error::io(&self.path))?;
        let path = self.path.clone();
        self.take_name(false).map_err(|errno| Error::io(&path)(errno.into()))
    }

    fn take_name(mut self, replace: bool) -> nix::Result<()> {
        let Some((name, _)) = &self.named else {
            match link(&self.file, &self.path) {
                Err(Errno::EEXIST) if replace => {}
                linked => return linked,
            }
            // link(2) replaces nothing, so the file takes another name first.
            let name = fresh_name(&self.path);
            link(&self.file, &name)?;
            self.named = Some((name.clone(), None));
            return rename(&name, &self.path);
        };
        match replace {
            true => rename(name, &self.path),
            false => linkat(AT_FDCWD, name, AT_FDCWD, &self.path, LinkatFlags::empty()),
        }
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if let Some((name, _)) = &self.named {
            // Where the file was kept there is none of this name any more.
            let _ = fs::remove_file(name);
        }
    }
}

fn rename(from: &Path, to: &Path) -> nix::Result<()> {
    fs::rename(from, to).map_err(|error| Errno::from_raw(error.raw_os_error().unwrap_or(libc::EIO)))
}

/// A file without a name in the directory of this path; none where the file system or a filter has no such files.
fn nameless(path: &Path) -> Option<File> {
    let above = path.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let flags = OFlag::O_TMPFILE | OFlag::O_WRONLY | OFlag::O_CLOEXEC;
    open(above, flags, Mode::from_bits_truncate(MODE)).ok().map(File::from)
}

/// Names a file that has none. The plain way takes CAP_DAC_READ_SEARCH, the other one a /proc (open(2), O_TMPFILE).
fn link(file: &File, path: &Path) -> nix::Result<()> {
    match linkat(file.as_fd(), "", AT_FDCWD, path, AtFlags::AT_EMPTY_PATH) {
        Err(Errno::ENOENT | Errno::EPERM | Errno::EINVAL) => {}
        linked => return linked,
    }
    let open = format!("/proc/self/fd/{}", file.as_raw_fd());
    linkat(AT_FDCWD, open.as_str(), AT_FDCWD, path, AtFlags::AT_SYMLINK_FOLLOW)
}

/// Removes the files that killed programs left in a directory. One that cannot be looked at stays.
pub(crate) fn sweep(dir: &Path) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        if !entry.file_name().to_str().is_some_and(is_ours) || !entry.file_type().is_ok_and(|kind| kind.is_file()) {
            continue;
        }
        let left = File::open(entry.path()).ok().and_then(|file| lock::now(file, FlockArg::LockExclusive).ok());
        if left.is_some() {
            let _ = fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn names(dir: &Path) -> Vec<String> {
        let mut all: Vec<String> =
            fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        all.sort();
        all
    }

    /// Both ways to begin a file.
    const WAYS: [fn(&Path) -> Result<Partial>; 2] = [Partial::create, Partial::with_name];

    #[test]
    fn a_file_has_its_name_when_it_is_complete_and_not_before() {
        for create in WAYS {
            let top = tempfile::tempdir().unwrap();
            let path = top.path().join("a.tar");
            // A user's own file of a likely name is not ours.
            fs::write(top.path().join("a.tar.partial"), "mine").unwrap();
            let [mut first, mut second, third] = [(); 3].map(|()| create(&path).unwrap());
            first.file.write_all(b"first").unwrap();
            second.file.write_all(b"second").unwrap();
            assert!(!path.exists());
            first.keep().unwrap();
            assert_eq!(fs::read(&path).unwrap(), b"first");
            second.keep().unwrap();
            assert_eq!(fs::read(&path).unwrap(), b"second");
            let error = third.keep_new().unwrap_err().to_string();
            assert!(error.contains("EEXIST"), "{error}");
            assert_eq!(names(top.path()), ["a.tar", "a.tar.partial"]);
            assert_eq!(fs::read(&path).unwrap(), b"second");
            create(&top.path().join("new")).unwrap().keep_new().unwrap();
            assert_eq!(names(top.path()), ["a.tar", "a.tar.partial", "new"]);
        }
    }

    #[test]
    fn what_a_killed_program_left_is_swept_and_what_grows_is_not() {
        let top = tempfile::tempdir().unwrap();
        let path = top.path().join("a");
        let growing = Partial::with_name(&path).unwrap();
        fs::write(fresh_name(&path), "left").unwrap();
        for own in [".boxwright-x.partial", "a.partial", ".boxwright-0123456789abcdef"] {
            fs::write(top.path().join(own), "mine").unwrap();
        }
        assert_eq!(names(top.path()).len(), 5);
        sweep(top.path());
        assert_eq!(names(top.path()).len(), 4);
        growing.keep().unwrap();
        assert_eq!(names(top.path()), [".boxwright-0123456789abcdef", ".boxwright-x.partial", "a", "a.partial"]);
    }
}
