//! Errors of system calls as people read them: what it means, then the name that the manual pages use.

use nix::errno::Errno;
use std::io;

/// An error by its name, such as `EPERM`.
pub fn name(errno: Errno) -> String {
    format!("{errno:?}")
}

/// An error as `WHY (ERRNO)`, such as `Operation not permitted (EPERM)`.
pub fn why(errno: Errno) -> String {
    format!("{} ({})", errno.desc(), name(errno))
}

/// The same for an error of the standard library, which may also come from no system call at all.
pub fn why_io(error: &io::Error) -> String {
    error.raw_os_error().map_or_else(|| error.to_string(), |raw| why(Errno::from_raw(raw)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_follows_the_meaning() {
        assert_eq!(why_io(&io::Error::from_raw_os_error(libc::EPERM)), "Operation not permitted (EPERM)");
        assert_eq!(why_io(&io::Error::other("torn line")), "torn line");
    }
}
