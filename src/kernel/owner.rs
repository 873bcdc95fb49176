//! Reaching files as another user for a while (setfsuid(2)).

use nix::unistd::{Gid, Uid, geteuid, setfsgid, setfsuid};

/// For as long as it lives, this thread reaches files as their owner: what root makes below another user's home then
/// belongs to that user from the first moment, and root cannot be led through a link to where that user could not go.
#[derive(Debug)]
pub(crate) struct AsOwner(Option<(Uid, Gid)>);

impl AsOwner {
    /// Begins, where the owner is another user; `None` is no user in particular.
    pub(crate) fn new(owner: Option<(Uid, Gid)>) -> AsOwner {
        // The group first: without root's identity it could not be changed any more, nor changed back.
        AsOwner(owner.filter(|(uid, _)| *uid != geteuid()).map(|(uid, gid)| {
            let group = setfsgid(gid);
            (setfsuid(uid), group)
        }))
    }
}

impl Drop for AsOwner {
    fn drop(&mut self) {
        if let Some((uid, gid)) = self.0 {
            setfsuid(uid);
            setfsgid(gid);
        }
    }
}
