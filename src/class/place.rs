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
    unistd::{Gid, Uid, UnlinkatFlags, User, geteuid, unlinkat},
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
    file: String,
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
        let mut place = Place { dir, path: path.into(), owner, file: String::new(), signed };
        let stem = plain(name);
        let names = (1..=MAX).map(|number| match number {
            1 => format!("{stem}.json"),
            number => format!("{stem}-{number}.json"),
        });
        let free = names.into_iter().find(|file| place.is_free(file));
        place.file = free.ok_or(io::ErrorKind::AlreadyExists)?;
        // Whether it can be written at all is known before the first lesson.
        place.put(b"{}")?;
        place.remove()?;
        Ok(place)
    }

    /// Whether this name is free: nothing lies there, or what an ended session of this user on this machine left.
    fn is_free(&self, file: &str) -> bool {
        let me = self.owner.map_or(geteuid(), |(uid, _)| uid);
        match fstatat(&self.dir, file, AtFlags::AT_SYMLINK_NOFOLLOW) {
            Err(errno) => errno == Errno::ENOENT,
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
    fn put(&self, bytes: &[u8]) -> io::Result<()> {
        let temporary = format!(".{}.{}", self.file, self.signed.pid);
        // What a process of this number left that was killed between the two.
        let _ = unlinkat(&self.dir, temporary.as_str(), UnlinkatFlags::NoRemoveDir);
        let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let mode = Mode::from_bits_truncate(0o644);
        let mut file = File::from(openat(&self.dir, temporary.as_str(), flags, mode)?);
        // The helpers are other users, whatever the umask is.
        let written = fchmod(&file, mode).map_err(io::Error::from).and_then(|()| file.write_all(bytes));
        let put = written.and_then(|()| Ok(renameat(&self.dir, temporary.as_str(), &self.dir, self.file.as_str())?));
        if put.is_err() {
            let _ = unlinkat(&self.dir, temporary.as_str(), UnlinkatFlags::NoRemoveDir);
        }
        put
    }

    /// Leaves the class.
    pub(crate) fn remove(&self) -> io::Result<()> {
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
