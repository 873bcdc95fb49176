//! The ordinary user of lessons: the one who runs this program or, where that is root, one without any rights.

use nix::{
    errno::Errno,
    unistd::{Gid, Uid, getegid, geteuid, setgid, setgroups, setuid},
};

/// The user and the group of that number are called `nobody` and `nogroup` nearly everywhere. Only the number counts.
const NOBODY: u32 = 65534;

/// The user and the group.
pub fn user() -> (u32, u32) {
    if geteuid().is_root() { (NOBODY, NOBODY) } else { (geteuid().as_raw(), getegid().as_raw()) }
}

/// Becomes that user, for good.
///
/// Errors: EPERM without CAP_SETUID and CAP_SETGID; EINVAL where this user namespace does not know the user.
pub(crate) fn become_one() -> nix::Result<()> {
    if !geteuid().is_root() {
        return Ok(());
    }
    let (uid, gid) = user();
    setgroups(&[]).and_then(|()| setgid(Gid::from_raw(gid))).and_then(|()| setuid(Uid::from_raw(uid)))?;
    // With another set of secure bits the capabilities would stay (capabilities(7)).
    if super::rights::effective() != 0 { Err(Errno::EPERM) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::{apart::forked, rights};

    #[test]
    fn whoever_is_not_root_stays_who_they_are() {
        let told = forked(|| format!("{:?} {} {}", become_one(), geteuid(), rights::effective() == 0));
        let (uid, gid) = user();
        assert_eq!(told, format!("Ok(()) {uid} true"));
        let own = (geteuid().as_raw(), getegid().as_raw());
        assert_eq!((uid, gid), if own.0 == 0 { (NOBODY, NOBODY) } else { own });
    }
}
