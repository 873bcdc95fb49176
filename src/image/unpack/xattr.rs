//! Extended attributes (xattr(7)), set on an open file or below an open directory.
#![allow(unsafe_code)]

use nix::errno::Errno;
use std::{ffi::CString, os::fd::AsRawFd};

/// Linux's XATTR_LIST_MAX, in bytes.
const MAX_LIST: usize = 64 << 10;

/// Whether an attribute of an image may be set here. Labels of the host's security modules and overlayfs's own notes mean
/// something on the machine where the image was made, or could mislead the kernel here.
pub(super) fn wanted(name: &[u8]) -> bool {
    let foreign = name.starts_with(b"security.") && name != b"security.capability";
    !foreign && !name.starts_with(b"trusted.overlay.") && !name.starts_with(b"user.overlay.")
}

/// Sets one on an open file.
pub(super) fn set_on_file(file: &impl AsRawFd, name: &[u8], value: &[u8]) -> nix::Result<()> {
    let name = CString::new(name).map_err(|_| Errno::EINVAL)?;
    // SAFETY: name ends in NUL, value is as long as said, and the kernel only reads both.
    let result = unsafe { libc::fsetxattr(file.as_raw_fd(), name.as_ptr(), value.as_ptr().cast(), value.len(), 0) };
    Errno::result(result).map(drop)
}

/// Sets one on a name in an open directory, without following a link. There is no such call with a directory, so the
/// directory is reached through /proc/self/fd.
pub(super) fn set_in(dir: &impl AsRawFd, file: &[u8], name: &[u8], value: &[u8]) -> nix::Result<()> {
    let mut path = format!("/proc/self/fd/{}/", dir.as_raw_fd()).into_bytes();
    path.extend_from_slice(file);
    let path = CString::new(path).map_err(|_| Errno::EINVAL)?;
    let name = CString::new(name).map_err(|_| Errno::EINVAL)?;
    // SAFETY: path and name end in NUL, value is as long as said, and the kernel only reads them.
    let result = unsafe { libc::lsetxattr(path.as_ptr(), name.as_ptr(), value.as_ptr().cast(), value.len(), 0) };
    Errno::result(result).map(drop)
}

/// The names of those of an open file; none where the file system has no attributes.
pub(super) fn names(file: &impl AsRawFd) -> nix::Result<Vec<Vec<u8>>> {
    // Linux gives no longer list (listxattr(2)), but most files have none at all.
    let mut list: Vec<u8> = Vec::new();
    loop {
        // SAFETY: the kernel writes at most the given number of bytes, which the list has; with 0 it writes nothing.
        let result = unsafe { libc::flistxattr(file.as_raw_fd(), list.as_mut_ptr().cast(), list.len()) };
        match Errno::result(result) {
            Ok(length) if length as usize <= list.len() => {
                list.truncate(length as usize);
                let names = list.split(|byte| *byte == 0).filter(|name| !name.is_empty());
                return Ok(names.map(<[u8]>::to_vec).collect());
            }
            Ok(length) => list.resize(length as usize, 0),
            // There are more by now.
            Err(Errno::ERANGE) if list.len() < MAX_LIST => list.resize(MAX_LIST, 0),
            Err(Errno::EOPNOTSUPP | Errno::EPERM | Errno::EACCES) => return Ok(Vec::new()),
            Err(errno) => return Err(errno),
        }
    }
}

/// Takes one away. One that is not there, or not ours to take, is not an error.
pub(super) fn remove(file: &impl AsRawFd, name: &[u8]) -> nix::Result<()> {
    let name = CString::new(name).map_err(|_| Errno::EINVAL)?;
    // SAFETY: name ends in NUL, and the kernel only reads it.
    let result = unsafe { libc::fremovexattr(file.as_raw_fd(), name.as_ptr()) };
    match Errno::result(result) {
        Err(Errno::ENODATA | Errno::EPERM | Errno::EACCES | Errno::EOPNOTSUPP) => Ok(()),
        removed => removed.map(drop),
    }
}
