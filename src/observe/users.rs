//! Users and groups on both sides of a user namespace (user_namespaces(7)).

use super::{Links, text};
use crate::kernel::{
    namespaces::{Kind, TABLE},
    owned::{self, Mapped, Owner, parse_map},
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fs::File, path::Path};

/// Who a process is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Users {
    /// Its effective user, as boxwright's own user namespace numbers it.
    pub uid: Option<u32>,
    /// Its effective group.
    pub gid: Option<u32>,
    /// The map of users of its user namespace; empty where none was written yet, absent where it cannot be read.
    pub uid_map: Option<Vec<Mapped>>,
    /// The map of groups.
    pub gid_map: Option<Vec<Mapped>>,
    /// Whether setgroups(2) is allowed in it.
    pub setgroups: Option<bool>,
    /// The bounding set of its capabilities (`CapBnd`): the most that execve(2) can give it.
    pub bounding: Option<u64>,
    /// The user namespace that each of its namespaces belongs to. What cannot be known is absent.
    #[schemars(with = "BTreeMap<String, Owner>")]
    pub owners: BTreeMap<Kind, Owner>,
}

impl Users {
    /// The user as the process itself sees it; `None` where no line of the map has it, and it sees the overflow ID.
    pub(crate) fn uid_inside(&self) -> Option<u32> {
        inside(self.uid?, self.uid_map.as_deref()?)
    }

    /// The group as the process itself sees it.
    pub(crate) fn gid_inside(&self) -> Option<u32> {
        inside(self.gid?, self.gid_map.as_deref()?)
    }
}

fn inside(outside: u32, map: &[Mapped]) -> Option<u32> {
    map.iter().find_map(|line| line.to_inside(outside))
}

/// To which user namespace each namespace belongs, by kind and inode number. It never gets another one, so none is asked for twice.
#[derive(Debug, Default)]
pub(super) struct Owners(BTreeMap<(Kind, u64), Owner>);

impl Owners {
    /// Reads who the host and who a process is, each by its `/proc` directory and its links.
    pub(super) fn both(&mut self, host: (&Path, &Links), theirs: (&Path, &Links)) -> (Users, Users) {
        let both = (self.read(host.0, host.1), self.read(theirs.0, theirs.1));
        // A number may be given again to a namespace that is made later.
        let seen = |(kind, inode): &(Kind, u64)| [host.1, theirs.1].iter().any(|links| links.get(kind) == Some(inode));
        self.0.retain(|namespace, _| seen(namespace));
        both
    }

    fn read(&mut self, process: &Path, links: &Links) -> Users {
        let status = text::read(process.join("status")).unwrap_or_default();
        let map = |name: &str| text::read(process.join(name)).ok().map(|text| parse_map(&text));
        let mut owners = BTreeMap::new();
        for row in &TABLE {
            let Some(inode) = links.get(&row.kind) else { continue };
            let ask = || owned::owner(&File::open(process.join("ns").join(row.link)).ok()?).ok();
            if let Some(owner) = self.0.get(&(row.kind, *inode)).copied().or_else(ask) {
                self.0.insert((row.kind, *inode), owner);
                owners.insert(row.kind, owner);
            }
        }
        Users {
            uid: effective(&status, "Uid"),
            gid: effective(&status, "Gid"),
            uid_map: map("uid_map"),
            gid_map: map("gid_map"),
            setgroups: text::read(process.join("setgroups")).ok().map(|text| text.trim() == "allow"),
            bounding: text::field(&status, "CapBnd").and_then(|mask| u64::from_str_radix(mask, 16).ok()),
            owners,
        }
    }
}

/// Real, effective, saved and file system ID stand in one line.
fn effective(status: &str, name: &str) -> Option<u32> {
    text::field(status, name)?.split_ascii_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_is_read_and_followed() {
        let map = parse_map("         0      65534          1\n         1     200000         10\n");
        assert_eq!(map[1], Mapped { inside: 1, outside: 200_000, count: 10 });
        let who = |uid| Users { uid: Some(uid), uid_map: Some(map.clone()), ..Users::default() }.uid_inside();
        assert_eq!([65534, 200_000, 200_009, 200_010, 0].map(who), [Some(0), Some(1), Some(10), None, None]);
        let group = Users { gid: Some(200_003), gid_map: Some(map.clone()), ..Users::default() };
        assert_eq!((group.gid_inside(), group.uid_inside()), (Some(4), None));
        assert_eq!(parse_map("         0          0 4294967295\n")[0].to_inside(1000), Some(1000));
        assert!(parse_map("").is_empty());
    }

    #[test]
    fn we_are_who_we_are() {
        let own = Path::new("/proc/self");
        let (links, mut owners) = (super::super::links(own), Owners::default());
        let (users, same) = owners.both((own, &links), (own, &links));
        assert_eq!(users, same);
        assert_eq!(users.uid, Some(nix::unistd::geteuid().as_raw()));
        assert_eq!(users.gid, Some(nix::unistd::getegid().as_raw()));
        let allowed = text::read("/proc/self/setgroups").unwrap() == "allow\n";
        assert_eq!((users.setgroups, users.bounding.is_some()), (Some(allowed), true));
        // In the host's user namespace a user is the same inside.
        assert!(users.uid_inside().is_some() && users.gid_inside().is_some());
        // What is known is not asked for, and forgotten with its namespace.
        let other = Owner { user: 1, maker: None };
        owners.0.values_mut().for_each(|owner| *owner = other);
        assert!(owners.both((own, &links), (own, &links)).0.owners.values().all(|owner| *owner == other));
        owners.both((own, &Links::new()), (own, &Links::new()));
        assert_eq!(owners.both((own, &links), (own, &links)).0, users);
    }
}
