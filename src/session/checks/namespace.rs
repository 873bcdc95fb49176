//! Facts about namespaces: whose links differ, the host name, the System V objects.

use super::{Verdict, join, unreadable};
use crate::{
    kernel::namespaces::Kind,
    lang::Lang,
    observe::{ForChildren, Links, Sample, Side},
};

fn newness(new: bool, lang: Lang) -> &'static str {
    if new { lang.pick("new", "新的") } else { lang.pick("the host's", "宿主机的") }
}

/// The container process's links of these kinds differ from the host's, or equal them.
pub(super) fn links(kinds: &[Kind], new: bool, sample: &Sample, lang: Lang) -> Verdict {
    let wanted = kinds.iter().map(|kind| format!("{kind} {}", newness(new, lang)));
    let seen = kinds.iter().map(|kind| match (sample.namespaces.get(kind), sample.host_namespaces.get(kind)) {
        (Some(inside), Some(host)) => format!("{kind} {}", newness(inside != host, lang)),
        _ => format!("{kind} {}", unreadable(lang)),
    });
    let listed = |text: String| lang.pick(text.clone(), text.replace(", ", "、"));
    Verdict::equal(listed(join(wanted)), listed(join(seen)))
}

/// The container process's next child is born in another PID namespace than the host's, or not.
pub(super) fn for_children(new: bool, sample: &Sample, lang: Lang) -> Verdict {
    let seen = match (sample.for_children, sample.host_namespaces.get(&Kind::Pid)) {
        (ForChildren::NotMade, _) => newness(true, lang),
        (ForChildren::Inode(inode), Some(host)) => newness(inode != *host, lang),
        (ForChildren::Inode(_), None) | (ForChildren::Unknown, _) => unreadable(lang),
    };
    Verdict::equal(newness(new, lang), seen)
}

/// Nothing in the container terminal is isolated any more.
pub(super) fn alone(sample: &Sample, lang: Lang) -> Verdict {
    let wanted = lang.pick("no container", "没有容器");
    // Without root the terminal's own shell stands in a user namespace, which is what lets it make the others.
    let links = |links: &Links| -> Vec<u64> {
        links.iter().filter(|(kind, _)| **kind != Kind::User).map(|(_, inode)| *inode).collect()
    };
    let (theirs, ours) = (links(&sample.namespaces), links(&sample.host_namespaces));
    if theirs.is_empty() || ours.is_empty() {
        return Verdict::unread(wanted, lang);
    }
    let isolated = theirs != ours || sample.for_children == ForChildren::NotMade;
    Verdict::equal(wanted, if isolated { lang.pick("a container still runs", "容器还在运行") } else { wanted })
}

/// The host name of a side.
pub(super) fn hostname(name: &str, side: &Side) -> Verdict {
    Verdict::equal(name, side.hostname.as_deref().unwrap_or("?"))
}

/// Any other host name than this.
pub(super) fn hostname_not(name: &str, side: &Side, lang: Lang) -> Verdict {
    let wanted = format!("{} {name}", lang.pick("anything but", "不是"));
    match &side.hostname {
        Some(seen) => Verdict::new(seen != name, wanted, seen),
        None => Verdict::new(false, wanted, "?"),
    }
}

/// System V objects exist on a side, or none do.
pub(super) fn sysv(some: bool, side: &Side, lang: Lang) -> Verdict {
    let wanted = lang.pick(if some { "some" } else { "none" }, if some { "有" } else { "没有" });
    // Who could ask neither for the name nor for an interface could not ask for these.
    if side.sysv.is_empty() && side.hostname.is_none() && side.interfaces.is_empty() {
        return Verdict::unread(wanted, lang);
    }
    let none = lang.pick("none", "没有");
    let seen = if side.sysv.is_empty() { none.into() } else { side.sysv.join(", ") };
    Verdict::new(side.sysv.is_empty() != some, wanted, seen)
}

#[cfg(test)]
mod tests {
    use super::super::cases::{Case, all, sample, with};
    use crate::{
        kernel::namespaces::Kind::{Mnt, Net, Pid, User, Uts},
        observe::{ForChildren, Sample},
    };

    #[test]
    fn links_differ_or_not() {
        let outside = || with(|sample| sample.namespaces = sample.host_namespaces.clone());
        let half = || with(|sample| sample.namespaces.insert(Uts, sample.host_namespaces[&Uts]));
        let blind = || with(|sample| sample.namespaces.remove(&Uts));
        let no_host = || with(|sample| sample.host_namespaces.remove(&Uts));
        all([
            Case("namespace pid,uts new", sample(), true, "pid new, uts new", "pid new, uts new"),
            Case("namespace pid,uts new", half(), false, "pid new, uts new", "pid new, uts the host's"),
            Case("namespace uts,pid new", half(), false, "uts new, pid new", "uts the host's, pid new"),
            Case("namespace net,uts new", outside(), false, "net new, uts new", "net the host's, uts the host's"),
            Case(
                "namespace pid,uts same",
                outside(),
                true,
                "pid the host's, uts the host's",
                "pid the host's, uts the host's",
            ),
            Case("namespace pid,uts same", half(), false, "pid the host's, uts the host's", "pid new, uts the host's"),
            Case("namespace uts new", blind(), false, "uts new", "uts unreadable"),
            Case("namespace uts same", blind(), false, "uts the host's", "uts unreadable"),
            Case("namespace uts new", no_host(), false, "uts new", "uts unreadable"),
            Case("namespace mnt new", blind(), true, "mnt new", "mnt new"),
        ]);
    }

    #[test]
    fn the_next_child_is_born_elsewhere_or_not() {
        let to = |children| with(|sample| sample.for_children = children);
        let host = sample().host_namespaces[&Pid];
        let no_host = || with(|sample| sample.host_namespaces.remove(&Pid));
        all([
            Case("pid-for-children new", to(ForChildren::NotMade), true, "new", "new"),
            Case("pid-for-children new", to(ForChildren::Inode(host + 1)), true, "new", "new"),
            Case("pid-for-children new", to(ForChildren::Inode(host)), false, "new", "the host's"),
            Case("pid-for-children same", to(ForChildren::Inode(host)), true, "the host's", "the host's"),
            Case("pid-for-children same", to(ForChildren::NotMade), false, "the host's", "new"),
            Case("pid-for-children new", to(ForChildren::Unknown), false, "new", "unreadable"),
            Case("pid-for-children same", to(ForChildren::Unknown), false, "the host's", "unreadable"),
            Case("pid-for-children new", no_host(), false, "new", "unreadable"),
        ]);
    }

    #[test]
    fn a_terminal_is_alone_or_not() {
        let outside = |change: fn(&mut Sample)| {
            with(|sample| {
                sample.namespaces = sample.host_namespaces.clone();
                sample.for_children = ForChildren::Inode(sample.host_namespaces[&Pid]);
                change(sample);
            })
        };
        let [good, bad] = ["no container", "a container still runs"];
        all([
            Case("alone", outside(|_| {}), true, good, good),
            Case(
                "alone",
                outside(|sample| {
                    sample.namespaces.insert(User, 1);
                }),
                true,
                good,
                good,
            ),
            Case(
                "alone",
                outside(|sample| {
                    sample.namespaces.insert(Net, 1);
                }),
                false,
                good,
                bad,
            ),
            Case(
                "alone",
                outside(|sample| {
                    sample.namespaces.insert(Mnt, 1);
                }),
                false,
                good,
                bad,
            ),
            Case("alone", outside(|sample| sample.for_children = ForChildren::NotMade), false, good, bad),
            Case("alone", sample(), false, good, bad),
            Case("alone", outside(|sample| sample.namespaces.clear()), false, good, "unreadable"),
            Case("alone", outside(|sample| sample.host_namespaces.clear()), false, good, "unreadable"),
            Case("alone", Sample::default(), false, good, "unreadable"),
        ]);
    }

    #[test]
    fn a_host_name_is_that_of_its_side() {
        let unnamed = || with(|sample| sample.inside.hostname = None);
        all([
            Case("hostname inside is box", sample(), true, "box", "box"),
            Case("hostname host is box", sample(), false, "box", "machine"),
            Case("hostname host is machine", sample(), true, "machine", "machine"),
            Case("hostname inside is boxes", sample(), false, "boxes", "box"),
            Case("hostname inside is box", unnamed(), false, "box", "?"),
            Case("hostname host is-not box", sample(), true, "anything but box", "machine"),
            Case("hostname inside is-not box", sample(), false, "anything but box", "box"),
            Case("hostname inside is-not box", unnamed(), false, "anything but box", "?"),
        ]);
    }

    #[test]
    fn system_v_objects_are_those_of_their_side() {
        let blind = || {
            with(|sample| {
                sample.inside.hostname = None;
                sample.inside.interfaces.clear();
                sample.inside.sysv.clear();
            })
        };
        let none = || with(|sample| sample.inside.sysv.clear());
        let name_only = || with(|sample| (sample.inside.interfaces.clear(), sample.inside.sysv.clear()));
        let link_only = || with(|sample| (sample.inside.hostname = None, sample.inside.sysv.clear()));
        all([
            Case("sysv inside some", sample(), true, "some", "queue 0, shm 3"),
            Case("sysv inside none", sample(), false, "none", "queue 0, shm 3"),
            Case("sysv host some", sample(), false, "some", "none"),
            Case("sysv host none", sample(), true, "none", "none"),
            Case("sysv inside some", none(), false, "some", "none"),
            Case("sysv inside none", none(), true, "none", "none"),
            Case("sysv inside none", name_only(), true, "none", "none"),
            Case("sysv inside none", link_only(), true, "none", "none"),
            Case("sysv inside none", blind(), false, "none", "unreadable"),
            Case("sysv inside some", blind(), false, "some", "unreadable"),
        ]);
    }
}
