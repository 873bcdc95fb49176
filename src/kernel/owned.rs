//! Who owns a namespace (ioctl_ns(2)), and which IDs inside a user namespace stand for which outside (user_namespaces(7)).

use nix::{errno::Errno, sys::stat::fstat};
use serde::{Deserialize, Serialize};
use std::{
    fs::File,
    os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd},
};

const NS_GET_USERNS: libc::Ioctl = 0xb701;
const NS_GET_OWNER_UID: libc::Ioctl = 0xb704;

/// The user namespace that a namespace belongs to; its root has the say there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Owner {
    /// Its inode number.
    pub user: u64,
    /// Who made it, as a user of ours; `None` where the kernel does not say.
    pub maker: Option<u32>,
}

/// One line of a map: so many IDs, from this one on inside, and from that one on outside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Mapped {
    /// The first ID inside.
    pub inside: u32,
    /// The first one as boxwright's own user namespace numbers it.
    pub outside: u32,
    /// How many.
    pub count: u32,
}

impl Mapped {
    /// The ID inside that stands for one outside.
    pub(crate) fn to_inside(self, outside: u32) -> Option<u32> {
        let offset = outside.checked_sub(self.outside).filter(|offset| *offset < self.count)?;
        self.inside.checked_add(offset)
    }
}

/// Reads `/proc/PID/uid_map` or `gid_map`.
pub(crate) fn parse_map(text: &str) -> Vec<Mapped> {
    let one = |line: &str| {
        let mut numbers = line.split_ascii_whitespace().map(|number| number.parse().ok());
        Some(Mapped { inside: numbers.next()??, outside: numbers.next()??, count: numbers.next()?? })
    };
    text.lines().filter_map(one).collect()
}

/// Who owns the namespace behind this open link; of a user namespace, the one that it was made in.
///
/// Errors: EPERM where that lies above the caller's own user namespace: from inside, the kernel does not name it.
pub(crate) fn owner(namespace: &File) -> nix::Result<Owner> {
    let user = user_namespace(namespace)?;
    Ok(Owner { user: fstat(user.as_fd())?.st_ino, maker: maker(&user).ok() })
}

/// The user namespace itself that this one belongs to, to be entered.
///
/// Errors: as for [`owner`].
#[expect(unsafe_code, reason = "nix and rustix lack these requests")]
pub(crate) fn user_namespace(namespace: &File) -> nix::Result<OwnedFd> {
    // SAFETY: the request takes nothing and gives a new descriptor, which nothing else owns.
    unsafe {
        let fd = Errno::result(libc::ioctl(namespace.as_raw_fd(), NS_GET_USERNS))?;
        Ok(OwnedFd::from_raw_fd(fd))
    }
}

/// Who made the user namespace behind this open link.
///
/// Errors: EINVAL for every other kind of namespace.
#[expect(unsafe_code, reason = "nix and rustix lack these requests")]
pub(crate) fn maker(user: &impl AsRawFd) -> nix::Result<u32> {
    let mut uid: libc::uid_t = 0;
    // SAFETY: the request writes one number of this type.
    Errno::result(unsafe { libc::ioctl(user.as_raw_fd(), NS_GET_OWNER_UID, &raw mut uid) })?;
    Ok(uid)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::namespaces::{Kind, TABLE};

    #[test]
    fn a_map_leads_from_outside_to_inside() {
        let map = parse_map("         0      65534          1\n         7     200000         10\nbroken\n");
        let line = |inside, outside, count| Mapped { inside, outside, count };
        assert_eq!(map, [line(0, 65534, 1), line(7, 200_000, 10)]);
        let inside = [199_999, 200_000, 200_009, 200_010].map(|outside| map[1].to_inside(outside));
        assert_eq!(inside, [None, Some(7), Some(16), None]);
        assert_eq!((map[0].to_inside(65534), line(u32::MAX, 5, 9).to_inside(6)), (Some(0), None));
    }

    #[test]
    fn our_own_namespaces_have_an_owner() {
        let own = |link: &str| File::open(format!("/proc/self/ns/{link}")).unwrap();
        for row in TABLE.iter().filter(|row| row.kind != Kind::User) {
            match owner(&own(row.link)) {
                // That we are in it ourselves is all that can be known here.
                Ok(found) => assert!(found.user > 0, "{}", row.link),
                Err(errno) => assert_eq!(errno, Errno::EPERM, "{}", row.link),
            }
        }
        assert!(maker(&own("user")).is_ok());
        assert_eq!(maker(&own("uts")), Err(Errno::EINVAL));
    }
}
