//! What can go wrong with an image, as people read it: `WHAT: WHY (ERRNO)` and what may help.

use super::{Digest, registry::Fault};
use crate::{
    kernel::{errno, errno_causes, filesystem},
    lang::{say, spoken},
};
use std::{io, path::Path};

/// The result of everything in this module.
pub(crate) type Result<T> = std::result::Result<T, Error>;

/// Why an image could not be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A system call failed.
    #[error("{what}: {}", errno::why_io(.source))]
    Io {
        /// The file, with the layer that it belongs to.
        what: String,
        /// The error.
        source: io::Error,
    },
    /// A write found no room.
    #[error("{what}: {}", errno::why_io(.source))]
    Full {
        /// The file, with the layer that it belongs to.
        what: String,
        /// The error.
        source: io::Error,
        /// The file system, its size, and what was left of it at that moment.
        system: String,
    },
    /// The bytes are not those that the digest names.
    #[error("{what}: its digest is {found}, expected {expected}")]
    Digest {
        /// What was read.
        what: String,
        /// What the file that names it says.
        expected: Digest,
        /// What the bytes say.
        found: Digest,
    },
    /// There are more or fewer bytes than named.
    #[error("{what}: {found} bytes, expected {expected}")]
    Size {
        /// What was read.
        what: String,
        /// What the file that names it says.
        expected: u64,
        /// How many there are (one more than expected where there are more).
        found: u64,
    },
    /// It is not what it should be.
    #[error("{what}: {why}")]
    Malformed {
        /// What was read.
        what: String,
        /// What is wrong with it.
        why: String,
    },
    /// It is right, and still nothing that can be used here.
    #[error("{what}: {why}")]
    Unavailable {
        /// What was asked for.
        what: String,
        /// Why not.
        why: String,
        /// What may help.
        hint: String,
    },
    /// A registry, or the way to it, failed.
    #[error("{what}: {fault}")]
    Registry {
        /// What was asked for.
        what: String,
        /// What went wrong.
        fault: Fault,
    },
    /// Ctrl-C.
    #[error("interrupted")]
    Interrupted,
}

impl Error {
    /// A failed system call on a file.
    pub fn io(path: &Path) -> impl FnOnce(io::Error) -> Error {
        let path = path.to_path_buf();
        move |source| Error::from_io(path.display().to_string(), source).on(&path)
    }

    /// Where this is a write that found no room, names the file system that was written to: the one below this path. What is
    /// cleaned up afterwards makes room again, so it must be called before that.
    #[must_use]
    pub fn on(self, path: &Path) -> Error {
        match self {
            Error::Io { what, source } => match filesystem::full(errno::of(&source), path) {
                Some(system) => Error::Full { what, source, system },
                None => Error::Io { what, source },
            },
            error => error,
        }
    }

    /// Malformed content.
    pub fn malformed(what: impl Into<String>, why: impl ToString) -> Error {
        Error::Malformed { what: what.into(), why: why.to_string() }
    }

    /// An error that travelled through a reader comes out as what it was.
    pub fn from_io(what: impl Into<String>, source: io::Error) -> Error {
        if source.get_ref().is_some_and(|inner| inner.is::<Error>()) {
            match source.into_inner().map(|inner| inner.downcast::<Error>()) {
                Some(Ok(error)) => return *error,
                _ => return Error::malformed(what, "unreadable"),
            }
        }
        Error::Io { what: what.into(), source }
    }

    /// What may help, where that is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Error::Digest { .. } => Some(
                say("the bytes are not those that the name promises: get them again", "内容与摘要不符：请重新获取")
                    .into(),
            ),
            Error::Size { expected, found, .. } if found < expected => {
                Some(say("it was cut: get it again", "内容不完整：请重新获取").into())
            }
            Error::Unavailable { hint, .. } => Some(hint.clone()).filter(|hint| !hint.is_empty()),
            Error::Registry { fault, .. } => fault.hint(),
            Error::Full { system, .. } => Some(say(
                format!("{system}; make room there, or choose another directory"),
                format!("{system}；请腾出空间，或换一个目录"),
            )),
            Error::Io { what, source } if what.ends_with(errno::THREAD) => {
                errno_causes::thread(errno::of(source), spoken())
            }
            Error::Io { source, .. } => match source.raw_os_error() {
                Some(libc::EROFS) => Some(
                    say(
                        "this file system is read-only: choose another directory",
                        "这个文件系统是只读的：请换一个目录",
                    )
                    .into(),
                ),
                _ => None,
            },
            _ => None,
        }
    }
}

impl From<Error> for io::Error {
    fn from(error: Error) -> io::Error {
        io::Error::other(error)
    }
}
