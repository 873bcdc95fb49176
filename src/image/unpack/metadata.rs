//! Owner, mode, attributes and time of what was unpacked.

use super::{
    apply::Unpacker,
    entries::{Entry, Kind},
    report::Dropped,
    tree::Dir,
    xattr,
};
use nix::{
    errno::Errno,
    fcntl::AtFlags,
    sys::{
        stat::{FchmodatFlags, Mode, UtimensatFlags, fchmodat, utimensat},
        time::TimeSpec,
    },
    unistd::{Gid, Uid, fchown, fchownat},
};
use std::os::fd::OwnedFd;

/// The attribute that a directory hands down to what is made in it (acl(5)).
pub(super) const DEFAULT_ACL: &[u8] = b"system.posix_acl_default";

impl Unpacker {
    /// Owner, mode, attributes and time of what cannot be opened for it.
    pub(super) fn metadata(&mut self, parent: &Dir, name: &[u8], entry: &Entry) -> nix::Result<()> {
        let (uid, gid) = owner(entry);
        let owned = fchownat(&parent.fd, name, uid, gid, AtFlags::AT_SYMLINK_NOFOLLOW);
        self.owned(owned, entry)?;
        if !matches!(entry.kind, Kind::Symlink(_)) {
            let mode = Mode::from_bits_truncate(entry.mode & !self.rules.umask);
            fchmodat(&parent.fd, name, mode, FchmodatFlags::FollowSymlink)?;
        }
        let fd = parent.fd.clone();
        self.attributes(entry, |attribute, value| xattr::set_in(&*fd, name, attribute, value))?;
        utimensat(&parent.fd, name, &time(entry), &time(entry), UtimensatFlags::NoFollowSymlink)
    }

    pub(super) fn own_file(&mut self, file: &impl std::os::fd::AsFd, entry: &Entry) -> nix::Result<()> {
        let (uid, gid) = owner(entry);
        let owned = if self.rules.owners { fchown(file, uid, gid) } else { Ok(()) };
        self.owned(owned, entry)
    }

    /// A directory that a layer names has the attributes that it says, and none of those that lower layers gave it, as in
    /// an overlay.
    pub(super) fn directory_attributes(&mut self, dir: &OwnedFd, entry: &Entry) -> nix::Result<()> {
        if self.rules.layer {
            for name in xattr::names(dir)? {
                if xattr::wanted(&name) && !entry.xattrs.iter().any(|(kept, _)| *kept == name) {
                    xattr::remove(dir, &name)?;
                }
            }
        }
        self.attributes(entry, |name, value| xattr::set_on_file(dir, name, value))
    }

    /// EPERM: only root may give a file away. EINVAL: the number does not exist in this user namespace.
    pub(super) fn owned(&mut self, result: nix::Result<()>, entry: &Entry) -> nix::Result<()> {
        match result {
            Err(Errno::EPERM | Errno::EINVAL) => {
                self.report.drop(Dropped::Owner);
                if entry.kind == Kind::File && entry.mode & 0o6000 != 0 {
                    self.report.drop(Dropped::SetId);
                }
                Ok(())
            }
            other => other,
        }
    }

    pub(super) fn attributes(
        &mut self,
        entry: &Entry,
        set: impl Fn(&[u8], &[u8]) -> nix::Result<()>,
    ) -> nix::Result<()> {
        for (name, value) in entry.xattrs.iter().filter(|(name, _)| xattr::wanted(name)) {
            self.exact &= name != DEFAULT_ACL;
            match set(name, value) {
                Err(Errno::EPERM | Errno::EACCES | Errno::EOPNOTSUPP | Errno::EINVAL | Errno::ENOENT) => {
                    self.report.drop(Dropped::Attribute);
                }
                // Attributes have little room of their own (xattr(7)): this says nothing of the disk.
                Err(Errno::ENOSPC | Errno::EDQUOT | Errno::E2BIG | Errno::ERANGE) => {
                    self.report.drop(Dropped::LargeAttribute);
                }
                other => other?,
            }
        }
        Ok(())
    }
}

pub(super) fn owner(entry: &Entry) -> (Option<Uid>, Option<Gid>) {
    (Some(Uid::from_raw(entry.uid)), Some(Gid::from_raw(entry.gid)))
}

pub(super) fn time(entry: &Entry) -> TimeSpec {
    TimeSpec::new(entry.mtime.0, entry.mtime.1.into())
}
