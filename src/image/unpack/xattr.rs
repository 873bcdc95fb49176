//! Extended attributes (xattr(7)), set on an open file or below an open directory.

use nix::errno::Errno;
use rustix::fs::{XattrFlags, flistxattr, flistxattr_query, fremovexattr, fsetxattr, lsetxattr};
use std::os::fd::{AsFd, AsRawFd};

/// Linux's XATTR_LIST_MAX, in bytes (listxattr(2)).
const MAX_LIST: usize = 64 << 10;

/// Whether an attribute of an image may be set here. Labels of the host's security modules and overlayfs's own notes mean
/// something on the machine where the image was made, or could mislead the kernel here.
pub(super) fn wanted(name: &[u8]) -> bool {
    let foreign = name.starts_with(b"security.") && name != b"security.capability";
    !foreign && !name.starts_with(b"trusted.overlay.") && !name.starts_with(b"user.overlay.")
}

/// Sets one on an open file.
pub(super) fn set_on_file(file: &impl AsFd, name: &[u8], value: &[u8]) -> nix::Result<()> {
    fsetxattr(file, name, value, XattrFlags::empty()).map_err(errno)
}

/// Sets one on a name in an open directory, without following a link. There is no such call with a directory, so the
/// directory is reached through /proc/self/fd.
pub(super) fn set_in(dir: &impl AsRawFd, file: &[u8], name: &[u8], value: &[u8]) -> nix::Result<()> {
    let mut path = format!("/proc/self/fd/{}/", dir.as_raw_fd()).into_bytes();
    path.extend_from_slice(file);
    lsetxattr(path, name, value, XattrFlags::empty()).map_err(errno)
}

/// The names of those of an open file; none where the file system has no attributes.
pub(super) fn names(file: &impl AsFd) -> nix::Result<Vec<Vec<u8>>> {
    // Most files have none at all. There may be more by the time that they are read, but never a longer list than that.
    let listed = flistxattr_query(file).and_then(|length| match length {
        0 => Ok(Vec::new()),
        _ => {
            let mut list = vec![0; MAX_LIST];
            flistxattr(file, &mut list[..]).map(|length| list[..length].to_vec())
        }
    });
    match listed.map_err(errno) {
        Ok(list) => {
            let names = list.split(|byte| *byte == 0).filter(|name| !name.is_empty());
            Ok(names.map(<[u8]>::to_vec).collect())
        }
        Err(Errno::EOPNOTSUPP | Errno::EPERM | Errno::EACCES) => Ok(Vec::new()),
        Err(errno) => Err(errno),
    }
}

/// Takes one away. One that is not there, or not ours to take, is not an error.
pub(super) fn remove(file: &impl AsFd, name: &[u8]) -> nix::Result<()> {
    match fremovexattr(file, name).map_err(errno) {
        Err(Errno::ENODATA | Errno::EPERM | Errno::EACCES | Errno::EOPNOTSUPP) => Ok(()),
        removed => removed,
    }
}

fn errno(errno: rustix::io::Errno) -> Errno {
    Errno::from_raw(errno.raw_os_error())
}
