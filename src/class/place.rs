//! One session's file: written as a whole, taken away at the end.

use super::card::{Card, Signed};
use crate::{
    dirs::person,
    kernel::{owner::AsOwner, pid::Pid, text},
};
use nix::{
    errno::Errno,
    fcntl::{AtFlags, OFlag, openat, renameat},
    sys::stat::{Mode, SFlag, fchmod, fstatat},
    unistd::{Gid, Uid, UnlinkatFlags, User, geteuid, linkat, unlinkat},
};
use std::{
    fs::File,
    io::{self, Read, Write},
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

/// How long a name is, in characters.
const MAX_LEN: usize = 32;
/// How many learners of one name there may be.
const MAX: usize = 99;

/// The place of a session in a class.
#[derive(Debug)]
pub(crate) struct Place {
    dir: OwnedFd,
    path: PathBuf,
    owner: Option<(Uid, Gid)>,
    /// The name as a file's.
    stem: String,
    file: String,
    /// Whether the file is ours: of a name that is only chosen, another session may be quicker.
    taken: bool,
    signed: Signed,
}

/// The name of the account at the keyboard, also under sudo.
pub(crate) fn default_name() -> String {
    let uid = owner().map_or(geteuid(), |(uid, _)| uid);
    User::from_uid(uid).ok().flatten().map_or_else(|| uid.to_string(), |user| user.name)
}

fn owner() -> Option<(Uid, Gid)> {
    person(|name| std::env::var_os(name).map(PathBuf::from), geteuid())
}

/// A name as it is shown: one line without anything that a terminal obeys.
fn shown(name: &str) -> String {
    let name: String = text::printable(name.trim()).chars().take(MAX_LEN).collect();
    if name.is_empty() { "?".into() } else { name }
}

/// A name as a file's: letters and digits of any script.
fn plain(name: &str) -> String {
    let letters = name.trim().chars().take(MAX_LEN).map(|letter| if letter.is_alphanumeric() { letter } else { '-' });
    let name: String = letters.collect();
    let name = name.trim_matches('-');
    if name.is_empty() { "learner".into() } else { name.into() }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// The name of this machine.
fn host() -> String {
    nix::unistd::gethostname().map(|name| shown(&name.to_string_lossy())).unwrap_or_default()
}

impl Place {
    /// Opens the directory, and finds a name in it that no other session has.
    ///
    /// Errors: the directory's.
    pub(crate) fn open(path: &Path, name: &str) -> io::Result<Place> {
        let owner = owner();
        let _owner = AsOwner::new(owner);
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let dir = nix::fcntl::open(path, flags, Mode::empty())?;
        let signed = Signed { class: 1, name: shown(name), host: host(), pid: Pid::own(), ..Signed::default() };
        let (path, stem, file) = (path.into(), plain(name), String::new());
        let mut place = Place { dir, path, owner, stem, file, taken: false, signed };
        place.file = place.free()?;
        // Whether it can be written at all is known before the first lesson; nothing of that is on the board.
        place.forget(&place.temporary(b"")?);
        Ok(place)
    }

    /// The first name that is free.
    fn free(&self) -> io::Result<String> {
        let stem = &self.stem;
        let names = (1..=MAX).map(|number| match number {
            1 => format!("{stem}.json"),
            number => format!("{stem}-{number}.json"),
        });
        let is_free = |file: &String| self.lies(file) == Ok(false) || self.is_left(file);
        names.into_iter().find(is_free).ok_or(io::ErrorKind::AlreadyExists.into())
    }

    /// Whether something of this name lies there.
    fn lies(&self, file: &str) -> nix::Result<bool> {
        match fstatat(&self.dir, file, AtFlags::AT_SYMLINK_NOFOLLOW) {
            Err(Errno::ENOENT) => Ok(false),
            other => other.map(|_| true),
        }
    }

    /// Whether an ended session of this user on this machine has left it.
    fn is_left(&self, file: &str) -> bool {
        let me = self.owner.map_or(geteuid(), |(uid, _)| uid);
        match fstatat(&self.dir, file, AtFlags::AT_SYMLINK_NOFOLLOW) {
            Err(_) => false,
            Ok(stat)
                if stat.st_uid != me.as_raw()
                    || SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT != SFlag::S_IFREG =>
            {
                false
            }
            Ok(_) => {
                let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
                let Ok(open) = openat(&self.dir, file, flags, Mode::empty()) else { return false };
                let read = text::read_all(File::from(open).take(super::room::MAX_LEN));
                let Ok(before) = read.and_then(|text| Ok(serde_json::from_str::<Signed>(&text)?)) else { return true };
                before.has_ended()
            }
        }
    }

    /// Where that is, for messages.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The name that the class sees.
    pub(crate) fn name(&self) -> &str {
        &self.signed.name
    }

    /// Replaces what the class knows of this session.
    pub(crate) fn write(&mut self, card: &Card) -> io::Result<()> {
        let before = &self.signed.card;
        if self.signed.since == 0 || (&before.lesson, &before.step) != (&card.lesson, &card.step) {
            self.signed.since = now();
        }
        if before.flag != card.flag {
            self.signed.flag_since = card.flag.map(|_| now());
        }
        self.signed.card = card.clone();
        let _owner = AsOwner::new(self.owner);
        let mut text = serde_json::to_vec(&self.signed)?;
        text.push(b'\n');
        self.put(&text)
    }

    /// A new file beside it takes its place: who reads sees the one or the other, and a link that lies there is replaced.
    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        let temporary = self.temporary(bytes)?;
        let put = match self.taken {
            true => renameat(&self.dir, temporary.as_str(), &self.dir, self.file.as_str()).map_err(io::Error::from),
            false => self.take(&temporary),
        };
        if put.is_err() {
            self.forget(&temporary);
        }
        put
    }

    /// Gives a file that was written a name that no other session has: of two that ask at once, link(2) lets one have it.
    fn take(&mut self, temporary: &str) -> io::Result<()> {
        loop {
            if self.is_left(&self.file) {
                self.forget(&self.file);
            }
            let linked = linkat(&self.dir, temporary, &self.dir, self.file.as_str(), AtFlags::empty());
            match linked {
                Ok(()) => self.forget(temporary),
                Err(Errno::EEXIST) => {
                    self.file = self.free()?;
                    continue;
                }
                // A file system without links: the name was free a moment ago.
                Err(Errno::EPERM | Errno::EOPNOTSUPP | Errno::ENOSYS) => {
                    renameat(&self.dir, temporary, &self.dir, self.file.as_str())?;
                }
                Err(errno) => return Err(errno.into()),
            }
            self.taken = true;
            return Ok(());
        }
    }

    /// Writes a file that is not on the board; gives its name.
    fn temporary(&self, bytes: &[u8]) -> io::Result<String> {
        let temporary = format!(".{}.{}", self.file, self.signed.pid);
        // What a process of this number left that was killed before it had its name.
        self.forget(&temporary);
        let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let mode = Mode::from_bits_truncate(0o644);
        let mut file = File::from(openat(&self.dir, temporary.as_str(), flags, mode)?);
        // The helpers are other users, whatever the umask is.
        let written = fchmod(&file, mode).map_err(io::Error::from).and_then(|()| file.write_all(bytes));
        if written.is_err() {
            self.forget(&temporary);
        }
        written.map(|()| temporary)
    }

    fn forget(&self, file: &str) {
        let _ = unlinkat(&self.dir, file, UnlinkatFlags::NoRemoveDir);
    }

    /// Leaves the class.
    pub(crate) fn remove(&self) -> io::Result<()> {
        if !self.taken {
            return Ok(());
        }
        let _owner = AsOwner::new(self.owner);
        match unlinkat(&self.dir, self.file.as_str(), UnlinkatFlags::NoRemoveDir) {
            Ok(()) | Err(Errno::ENOENT) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
    }
}

#[cfg(test)]
#[path = "place_tests.rs"]
mod tests;
