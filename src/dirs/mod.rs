//! The directories that this program keeps things in: how one is reached without following links, and which one a
//! session's own directory goes to.

mod choice;
mod places;
mod starts;
mod walk;

#[cfg(test)]
pub(crate) use choice::Room;
pub(crate) use choice::{Extent, Facts, Lack, Need, Place, choose};
pub(crate) use places::best;
pub use places::{Candidate, Tidy, caches, candidates, everywhere, survey, tidy};
pub(crate) use walk::Walk;

use nix::unistd::{Gid, Uid, User};
use std::path::PathBuf;

/// The home directory that the user database names.
pub(crate) fn home_of(uid: Uid) -> Option<PathBuf> {
    User::from_uid(uid).ok().flatten().map(|user| user.dir)
}

/// The person at the keyboard, where root acts for another user: sudo(8) says who that is. `get` reads the environment.
pub(crate) fn person(get: impl Fn(&str) -> Option<PathBuf>, user: Uid) -> Option<(Uid, Gid)> {
    let id = |name: &str| get(name)?.to_str()?.parse::<u32>().ok().filter(|id| *id != 0);
    let (uid, gid) = (id("SUDO_UID")?, id("SUDO_GID")?);
    user.is_root().then(|| (Uid::from_raw(uid), Gid::from_raw(gid)))
}
