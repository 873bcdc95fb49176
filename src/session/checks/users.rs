//! Facts about users: who the container process is on both sides, the maps between them, and who owns its namespaces.

use super::{Verdict, join, unreadable};
use crate::{
    kernel::{namespaces::Kind, owned::Mapped},
    lang::Lang,
    lesson::Where,
    observe::Sample,
};

/// The map of users or of groups has exactly these lines.
pub(super) fn map(uid: bool, wanted: &[Mapped], sample: &Sample, lang: Lang) -> Verdict {
    let seen = if uid { &sample.users.uid_map } else { &sample.users.gid_map };
    let word = |lines: &[Mapped]| match lines {
        [] => lang.pick("no map yet", "尚无映射").to_string(),
        lines => join(lines.iter().map(|line| format!("{} {} {}", line.inside, line.outside, line.count))),
    };
    match seen {
        Some(seen) => Verdict::equal(word(wanted), word(seen)),
        None => Verdict::unread(word(wanted), lang),
    }
}

/// setgroups(2) is allowed in the container process's user namespace, or not.
pub(super) fn setgroups(allow: bool, sample: &Sample, lang: Lang) -> Verdict {
    let word = |allow: bool| if allow { "allow" } else { "deny" };
    Verdict::equal(word(allow), sample.users.setgroups.map_or(unreadable(lang), word))
}

/// The container process is this user, as seen from a side.
pub(super) fn user(place: Where, wanted: u32, sample: &Sample, lang: Lang) -> Verdict {
    let word = |id: &str| format!("UID {id}");
    let users = &sample.users;
    let seen = match place {
        Where::Host => users.uid.map(|uid| uid.to_string()),
        Where::Inside if users.uid.is_none() || users.uid_map.is_none() => None,
        Where::Inside => {
            let unmapped = || lang.pick("none: it is in no line of the map", "没有：映射里没有它").into();
            Some(users.uid_inside().map_or_else(unmapped, |uid| uid.to_string()))
        }
    };
    match seen {
        Some(seen) => Verdict::equal(word(&wanted.to_string()), word(&seen)),
        None => Verdict::unread(word(&wanted.to_string()), lang),
    }
}

/// These namespaces belong to the container process's own user namespace, or to the host's.
pub(super) fn owner(kinds: &[Kind], own: bool, sample: &Sample, lang: Lang) -> Verdict {
    let of = |sample: &Sample, host: bool| {
        let links = if host { &sample.host_namespaces } else { &sample.namespaces };
        links.get(&Kind::User).copied()
    };
    let (theirs, ours) = (of(sample, false), of(sample, true));
    let word = |own: bool| match own {
        true => lang.pick("its own", "自己的"),
        false => lang.pick("the host's", "宿主机的"),
    };
    let seen = kinds.iter().map(|kind| {
        let user = sample.users.owners.get(kind).map(|owner| owner.user);
        let word = match user {
            _ if theirs.is_none() || ours.is_none() => unreadable(lang).into(),
            None => unreadable(lang).into(),
            // Where both are the same one, it is the host's.
            Some(user) if Some(user) == ours => word(false).into(),
            Some(user) if Some(user) == theirs => word(true).into(),
            Some(user) => user.to_string(),
        };
        format!("{kind} {word}")
    });
    Verdict::equal(join(kinds.iter().map(|kind| format!("{kind} {}", word(own)))), join(seen))
}

#[cfg(test)]
mod tests {
    use super::super::cases::{Case, all, with};
    use crate::{
        kernel::{
            namespaces::Kind::{Net, User, Uts},
            owned::{Mapped, Owner},
        },
        observe::Sample,
    };

    /// Root inside, an ordinary user outside, with a UTS namespace of its own and the host's network.
    fn mapped(change: impl Fn(&mut Sample)) -> Sample {
        with(|sample| {
            let lines =
                vec![Mapped { inside: 0, outside: 1000, count: 1 }, Mapped { inside: 1, outside: 200_000, count: 10 }];
            let users = &mut sample.users;
            (users.uid, users.gid, users.setgroups) = (Some(1000), Some(1000), Some(false));
            (users.uid_map, users.gid_map) = (Some(lines), Some(Vec::new()));
            let owner = |user| Owner { user, maker: Some(1000) };
            users.owners.insert(Uts, owner(sample.namespaces[&User]));
            users.owners.insert(Net, owner(sample.host_namespaces[&User]));
            change(sample);
        })
    }

    #[test]
    fn a_map_has_these_lines_or_none_yet() {
        let good = || mapped(|_| {});
        let both = "0 1000 1, 1 200000 10";
        all([
            Case("id-map uid 0 1000 1,1 200000 10", good(), true, both, both),
            Case("id-map uid 0 1000 1", good(), false, "0 1000 1", both),
            Case("id-map uid none", good(), false, "no map yet", both),
            Case("id-map gid none", good(), true, "no map yet", "no map yet"),
            Case("id-map gid 0 1000 1", good(), false, "0 1000 1", "no map yet"),
            Case("id-map uid none", mapped(|sample| sample.users.uid_map = None), false, "no map yet", "unreadable"),
        ]);
    }

    #[test]
    fn groups_may_be_changed_or_not() {
        let unread = || mapped(|sample| sample.users.setgroups = None);
        all([
            Case("setgroups deny", mapped(|_| {}), true, "deny", "deny"),
            Case("setgroups allow", mapped(|_| {}), false, "allow", "deny"),
            Case("setgroups deny", unread(), false, "deny", "unreadable"),
        ]);
    }

    #[test]
    fn a_user_has_a_number_on_each_side() {
        let other = || mapped(|sample| sample.users.uid = Some(1001));
        let sub = || mapped(|sample| sample.users.uid = Some(200_004));
        let nobody = "UID none: it is in no line of the map";
        all([
            Case("user inside 0", mapped(|_| {}), true, "UID 0", "UID 0"),
            Case("user host 1000", mapped(|_| {}), true, "UID 1000", "UID 1000"),
            Case("user host 0", mapped(|_| {}), false, "UID 0", "UID 1000"),
            Case("user inside 5", sub(), true, "UID 5", "UID 5"),
            Case("user inside 0", other(), false, "UID 0", nobody),
            Case("user inside 0", mapped(|sample| sample.users.uid_map = None), false, "UID 0", "unreadable"),
            Case("user host 0", mapped(|sample| sample.users.uid = None), false, "UID 0", "unreadable"),
        ]);
    }

    #[test]
    fn a_namespace_belongs_to_a_user_namespace() {
        let shared = || {
            mapped(|sample| {
                sample.namespaces.insert(User, sample.host_namespaces[&User]);
            })
        };
        let unknown = || mapped(|sample| sample.users.owners.clear());
        let third = || mapped(|sample| sample.users.owners.get_mut(&Uts).unwrap().user = 77);
        let nowhere = || {
            mapped(|sample| {
                sample.namespaces.remove(&User);
            })
        };
        all([
            Case("owner uts own", mapped(|_| {}), true, "uts its own", "uts its own"),
            Case("owner uts host", mapped(|_| {}), false, "uts the host's", "uts its own"),
            Case("owner net host", mapped(|_| {}), true, "net the host's", "net the host's"),
            Case("owner uts,net own", mapped(|_| {}), false, "uts its own, net its own", "uts its own, net the host's"),
            Case("owner net own", shared(), false, "net its own", "net the host's"),
            Case("owner net host", shared(), true, "net the host's", "net the host's"),
            Case("owner uts own", third(), false, "uts its own", "uts 77"),
            Case("owner uts own", unknown(), false, "uts its own", "uts unreadable"),
            Case("owner net host", nowhere(), false, "net the host's", "net unreadable"),
        ]);
    }
}
