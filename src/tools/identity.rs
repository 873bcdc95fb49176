//! Users and groups as `--userspec=USER:GROUP` and `--groups=LIST` name them: by name, by number, or with a plus by
//! number even where a name looks like one.

use nix::unistd::{Gid, Group, Uid, User, getgrouplist};
use std::ffi::CString;

/// Who to become; what is `None` stays as it is.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) user: Option<Uid>,
    pub(super) group: Option<Gid>,
    pub(super) groups: Option<Vec<Gid>>,
}

impl Identity {
    /// Looks names up in the /etc/passwd and /etc/group that this process sees. Without a group it takes the user's own
    /// one, and without a list all groups of that user.
    ///
    /// The error is a sentence as GNU coreutils' chroot has it.
    pub(super) fn find(userspec: &str, groups: Option<&str>) -> Result<Identity, String> {
        let (user, group) = userspec.split_once(':').unwrap_or((userspec, ""));
        let mut wanted = Identity::default();
        let mut known = None;
        if !user.is_empty() {
            let uid;
            (uid, known) = find_user(user).ok_or("invalid user")?;
            wanted.user = Some(uid);
        }
        wanted.group = match (group, &known, wanted.user) {
            ("", Some(known), _) => Some(known.gid),
            ("", None, Some(uid)) => return Err(format!("no group specified for unknown uid: {uid}")),
            ("", None, None) => None,
            (name, ..) => Some(find_group(name).ok_or("invalid group")?),
        };
        wanted.groups = match (groups, &known, wanted.group) {
            (Some(""), ..) => Some(Vec::new()),
            (Some(list), ..) => {
                let names: Vec<&str> = list.split(',').filter(|name| !name.is_empty()).collect();
                if names.is_empty() {
                    return Err(format!("invalid group list '{list}'"));
                }
                let find = |name: &&str| find_group(name).ok_or_else(|| format!("invalid group '{name}'"));
                Some(names.iter().map(find).collect::<Result<_, _>>()?)
            }
            (None, Some(known), Some(group)) => {
                let name = CString::new(known.name.as_str()).unwrap_or_default();
                Some(getgrouplist(&name, group).unwrap_or_else(|_| vec![group]))
            }
            (None, ..) => wanted.user.map(|_| Vec::new()),
        };
        Ok(wanted)
    }
}

/// A user, and what /etc/passwd knows of it.
pub(super) fn find_user(text: &str) -> Option<(Uid, Option<User>)> {
    if let Some(user) = User::from_name(text).ok().flatten() {
        return Some((user.uid, Some(user)));
    }
    let uid = Uid::from_raw(number(text)?);
    Some((uid, User::from_uid(uid).ok().flatten()))
}

/// A group, by name or number.
pub(super) fn find_group(text: &str) -> Option<Gid> {
    let known = Group::from_name(text).ok().flatten();
    known.map(|group| group.gid).or_else(|| number(text).map(Gid::from_raw))
}

/// The largest number is what these calls take for "leave it as it is" (setreuid(2)), so no user has it.
fn number(text: &str) -> Option<u32> {
    text.parse().ok().filter(|number| *number != u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn who(user: Option<u32>, group: Option<u32>, groups: Option<&[u32]>) -> Result<Identity, String> {
        let groups = groups.map(|groups| groups.iter().copied().map(Gid::from_raw).collect());
        Ok(Identity { user: user.map(Uid::from_raw), group: group.map(Gid::from_raw), groups })
    }

    #[test]
    fn what_is_not_named_comes_from_the_user_or_stays() {
        assert_eq!(Identity::find("", None), who(None, None, None));
        assert_eq!(Identity::find(":7", None), who(None, Some(7), None));
        assert_eq!(Identity::find("987654:+7", None), who(Some(987_654), Some(7), Some(&[])));
        assert_eq!(Identity::find("root", Some("")), who(Some(0), Some(0), Some(&[])));
        assert_eq!(Identity::find("0:0", Some("7,root,")), who(Some(0), Some(0), Some(&[7, 0])));
    }

    #[test]
    fn no_user_is_found_by_a_wrong_name() {
        for (userspec, groups, why) in [
            ("987654", None, "no group specified for unknown uid: 987654"),
            ("nosuch:", None, "invalid user"),
            ("4294967295", None, "invalid user"),
            ("0:nosuch", None, "invalid group"),
            ("", Some("7,nosuch"), "invalid group 'nosuch'"),
            ("", Some(","), "invalid group list ','"),
        ] {
            assert_eq!(Identity::find(userspec, groups), Err(why.into()));
        }
    }
}
