//! Whose the shells are: root's, that of a user namespace, or an ordinary user's.

use super::{super::user_namespace::UserNamespace, Machine};
use crate::{
    doctor::{Tier, tier},
    kernel::ordinary,
};
use nix::unistd::{Gid, Uid, chown, geteuid};
use std::{
    ffi::OsString,
    fs::{Permissions, set_permissions},
    io,
    os::unix::fs::PermissionsExt,
};

impl Machine {
    /// What stands before a shell's command: nothing for root with all its rights, else what enters the user namespace that they share.
    pub(super) fn user_namespace(&mut self) -> io::Result<Vec<OsString>> {
        if tier() == Tier::Root {
            return Ok(Vec::new());
        }
        let made = match self.users.take() {
            Some(made) => made,
            None => UserNamespace::make(self.run_dir.bin())?,
        };
        let enter = made.enter(self.run_dir.bin());
        self.users = Some(made);
        Ok(enter)
    }

    /// The same for the shell of an ordinary user: nothing for one, and for root what becomes one. The session's directory is
    /// then for that user to write in, and the tools for all users to start.
    pub(super) fn as_user(&self) -> io::Result<Vec<OsString>> {
        if !geteuid().is_root() {
            return Ok(Vec::new());
        }
        let (uid, gid) = ordinary::user();
        let (bin, path) = (self.run_dir.bin(), self.run_dir.path());
        set_permissions(bin, Permissions::from_mode(0o755))?;
        // Its parts can be reached, but not listed.
        set_permissions(path, Permissions::from_mode(0o711))?;
        if let Some(ours) = path.parent().filter(|parent| parent.file_name().is_some_and(|name| name == "boxwright")) {
            set_permissions(ours, Permissions::from_mode(0o711))?;
        }
        chown(&self.work, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)))?;
        let become_one = ["--setuid", &uid.to_string(), "--setgid", &gid.to_string(), "--"].map(OsString::from);
        Ok([vec![bin.join("nsenter").into()], become_one.to_vec()].concat())
    }
}
