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

/// The errno of an error of the standard library; an unknown one where it comes from no system call.
pub fn of(error: &io::Error) -> Errno {
    Errno::from_raw(error.raw_os_error().unwrap_or(0))
}

/// `WHY (ERRNO)` for an error of the standard library, which may also come from no system call at all.
pub fn why_io(error: &io::Error) -> String {
    error.raw_os_error().map_or_else(|| error.to_string(), |raw| why(Errno::from_raw(raw)))
}

/// What may help where namespaces cannot be made (namespaces(7), user_namespaces(7)).
pub fn unshare_hint(errno: Errno) -> Option<String> {
    match errno {
        Errno::EPERM => Some("this needs root, or a user namespace around it: -r (--map-root-user)".into()),
        Errno::ENOSPC => Some(
            "not the disk: a limit on namespaces (/proc/sys/user/max_*_namespaces), or they are nested more than 32 deep"
                .into(),
        ),
        Errno::EINVAL => Some("this kernel was built without one of these namespaces".into()),
        Errno::EUSERS => Some("user namespaces are nested too deeply".into()),
        _ => None,
    }
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
