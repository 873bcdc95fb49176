//! Facts about mounts.

use super::{Verdict, absent as nothing};
use crate::{
    kernel::silent,
    lang::Lang,
    observe::{Mount, Sample, Side},
};

/// `/proc` inside shows the host's processes, or the container's own.
pub(super) fn proc(host: bool, sample: &Sample, lang: Lang) -> Verdict {
    let word = |host: bool| lang.pick(if host { "host" } else { "own" }, if host { "宿主机的" } else { "自己的" });
    let silent = sample.silent.as_ref().map(|silent| silent::say(silent, lang));
    let none = silent.unwrap_or_else(|| lang.pick("no /proc", "没有 /proc").into());
    let seen = sample.inside.proc_shows_host.map_or(none, |shows| word(shows).into());
    Verdict::equal(word(host), seen)
}

/// A file system of one of these types is what is seen at the path.
pub(super) fn mounted(path: &str, kinds: &str, side: &Side, lang: Lang) -> Verdict {
    // The mount made last on a path is the one that is seen there.
    let seen = side.mounts.iter().rev().find(|mount| mount.point == path);
    let passed = seen.is_some_and(|mount| kinds.split(',').any(|kind| kind == mount.kind));
    let seen = seen.map_or_else(|| nothing(lang).into(), |mount| format!("{path} {}", mount.kind));
    Verdict::new(passed, format!("{path} {kinds}"), seen)
}

/// Nothing (of this type) is mounted at the path.
pub(super) fn absent(path: &str, kinds: Option<&str>, side: &Side, lang: Lang) -> Verdict {
    // Every mount namespace has a root, so no mounts at all are a table that could not be read.
    if side.mounts.is_empty() {
        return Verdict::unread(nothing(lang), lang);
    }
    let matches = |mount_kind: &str| kinds.is_none_or(|kinds| kinds.split(',').any(|kind| kind == mount_kind));
    let seen = side.mounts.iter().rev().find(|mount| mount.point == path && matches(&mount.kind));
    Verdict::equal(nothing(lang), seen.map_or_else(|| nothing(lang).into(), |mount| format!("{path} {}", mount.kind)))
}

/// The tree that is the host's root stands somewhere in the container, too, or nowhere. Other mounts that cover it take no
/// descriptor away, and a move only changes its place.
pub(super) fn host_root(mounted: bool, sample: &Sample, lang: Lang) -> Verdict {
    let gone = lang.pick("nowhere", "哪里都没有");
    let wanted = if mounted { lang.pick("the host's root", "宿主机的根") } else { gone };
    // Both tables have a root; one that has none could not be read.
    let host = sample.host.mounts.iter().rfind(|mount| mount.point == "/");
    let Some(host) = host.filter(|_| !sample.inside.mounts.is_empty()) else { return Verdict::unread(wanted, lang) };
    let same = |mount: &&Mount| (&mount.device, &mount.root) == (&host.device, &host.root);
    let seen = sample.inside.mounts.iter().find(same);
    Verdict::new(seen.is_some() == mounted, wanted, seen.map_or(gone, |mount| &mount.point))
}

/// What is mounted on one of the container's mounts appears elsewhere, or nothing does.
pub(super) fn shared(some: bool, sample: &Sample, lang: Lang) -> Verdict {
    let none = lang.pick("no mount is shared", "没有共享的挂载");
    let wanted = if some { lang.pick("a shared mount", "有共享的挂载") } else { none };
    if sample.inside.mounts.is_empty() {
        return Verdict::unread(wanted, lang);
    }
    let mut shared = sample.inside.mounts.iter().filter(|mount| mount.is_shared());
    let seen = shared.next().map(|mount| format!("{} {}", mount.point, mount.propagation));
    Verdict::new(seen.is_some() == some, wanted, seen.unwrap_or_else(|| none.into()))
}

/// What is seen at the path is a mount, and it cannot be written to, or can.
pub(super) fn read_only(path: &str, yes: bool, side: &Side, lang: Lang) -> Verdict {
    let word = |yes: bool| format!("{path} {}", if yes { "ro" } else { "rw" });
    let covers = |point: &str| path.strip_prefix(point).is_some_and(|rest| rest.starts_with('/'));
    // What was mounted later on a directory above it hides it.
    let seen = side.mounts.iter().rev().find(|mount| mount.point == path || covers(&mount.point));
    let seen = seen.filter(|mount| mount.point == path).map(|mount| word(mount.read_only));
    Verdict::equal(word(yes), seen.unwrap_or_else(|| nothing(lang).into()))
}

#[cfg(test)]
mod tests {
    use super::super::cases::{Case, all, sample};
    use crate::observe::{Sample, mounts};

    /// The container with these lines in its mountinfo, after those that it has.
    fn with(lines: &str) -> Sample {
        let mut sample = sample();
        sample.inside.mounts.extend(mounts::parse(lines));
        sample
    }

    fn blind() -> Sample {
        let mut sample = sample();
        sample.inside.mounts.clear();
        sample.host.mounts.clear();
        sample
    }

    #[test]
    fn proc_is_the_hosts_the_containers_or_none() {
        let to = |shows| {
            let mut sample = sample();
            sample.inside.proc_shows_host = shows;
            sample
        };
        all([
            Case("proc own", to(Some(false)), true, "own", "own"),
            Case("proc own", to(Some(true)), false, "own", "host"),
            Case("proc host", to(Some(true)), true, "host", "host"),
            Case("proc host", to(Some(false)), false, "host", "own"),
            Case("proc own", to(None), false, "own", "no /proc"),
            Case("proc host", to(None), false, "host", "no /proc"),
        ]);
    }

    #[test]
    fn what_was_mounted_last_is_seen() {
        let tmpfs = "90 50 0:60 / /mnt rw - tmpfs box rw\n";
        let above = "91 90 0:61 / /mnt rw - proc proc rw\n";
        let both = format!("{tmpfs}{above}");
        all([
            Case("mount inside /mnt tmpfs", with(tmpfs), true, "/mnt tmpfs", "/mnt tmpfs"),
            Case("mount inside /mnt tmpfs", with(&both), false, "/mnt tmpfs", "/mnt proc"),
            Case("mount inside /mnt proc", with(&both), true, "/mnt proc", "/mnt proc"),
            Case("mount inside /mnt tmpfs", sample(), false, "/mnt tmpfs", "absent"),
            Case("mount inside /mnt/a tmpfs", with(tmpfs), false, "/mnt/a tmpfs", "absent"),
            Case("mount host /mnt tmpfs", with(tmpfs), false, "/mnt tmpfs", "absent"),
            Case("mount host / ext4", sample(), true, "/ ext4", "/ ext4"),
            Case("mount inside /mnt tmpfs", blind(), false, "/mnt tmpfs", "absent"),
        ]);
    }

    #[test]
    fn a_mount_that_is_covered_protects_nothing() {
        let protected = "90 51 0:40 /sys /proc/sys ro - proc proc rw\n";
        let covered = format!("{protected}91 51 0:61 / /proc rw - proc proc rw\n");
        let open = protected.replace(" ro ", " rw ");
        let twice = format!("{open}92 90 0:40 /sys /proc/sys ro - proc proc rw\n");
        let (ro, rw) = ("/proc/sys ro", "/proc/sys rw");
        all([
            Case("read-only inside /proc/sys yes", with(protected), true, ro, ro),
            Case("read-only inside /proc/sys no", with(protected), false, rw, ro),
            Case("read-only inside /proc/sys yes", with(&open), false, ro, rw),
            Case("read-only inside /proc/sys no", with(&open), true, rw, rw),
            Case("read-only inside /proc/sys yes", with(&twice), true, ro, ro),
            Case("read-only inside /proc/sys yes", with(&covered), false, ro, "absent"),
            Case("read-only inside /proc/sys yes", sample(), false, ro, "absent"),
            Case("read-only inside /proc/sys no", sample(), false, rw, "absent"),
            Case("read-only host /proc/sys yes", with(protected), false, ro, "absent"),
            Case("read-only inside /proc/sys yes", blind(), false, ro, "absent"),
        ]);
    }

    #[test]
    fn the_hosts_root_is_found_wherever_it_was_moved() {
        let host = "27 1 254:0 / / rw shared:1 - ext4 /dev/vda rw\n";
        let inside = |lines: &str| {
            let mut sample = sample();
            sample.host.mounts = mounts::parse(host);
            sample.inside.mounts = mounts::parse(lines);
            sample
        };
        let own = "50 49 0:60 / / rw - overlay box rw\n";
        let moved = format!("{own}51 50 254:0 / /mnt rw - ext4 /dev/vda rw\n");
        let covered = format!("{moved}52 51 0:61 / /mnt rw - tmpfs none rw\n");
        // A part of the same file system, and another one.
        let part = "50 49 254:0 /srv/image / rw - ext4 /dev/vda rw\n51 50 254:1 / /data rw - ext4 /dev/vdb rw\n";
        let (here, gone) = ("the host's root", "nowhere");
        all([
            Case("host-root gone", inside(own), true, gone, gone),
            Case("host-root mounted", inside(own), false, here, gone),
            Case("host-root gone", inside(&moved), false, gone, "/mnt"),
            Case("host-root mounted", inside(&moved), true, here, "/mnt"),
            Case("host-root gone", inside(&covered), false, gone, "/mnt"),
            Case("host-root gone", inside(part), true, gone, gone),
            Case("host-root mounted", sample(), true, here, "/"),
            Case("host-root gone", blind(), false, gone, "unreadable"),
        ]);
    }

    #[test]
    fn a_shared_mount_has_peers() {
        let shared = "90 50 0:60 / /mnt rw shared:7 - tmpfs box rw\n";
        let slave = "90 50 0:60 / /mnt rw master:7 - tmpfs box rw\n";
        let none = "no mount is shared";
        all([
            Case("shared-mounts some", with(shared), true, "a shared mount", "/mnt shared"),
            Case("shared-mounts none", with(shared), false, none, "/mnt shared"),
            Case("shared-mounts none", with(slave), true, none, none),
            Case("shared-mounts some", with(slave), false, "a shared mount", none),
            Case("shared-mounts none", blind(), false, none, "unreadable"),
        ]);
    }

    #[test]
    fn nothing_is_mounted_there() {
        let tmpfs = "90 50 0:60 / /mnt rw - tmpfs box rw\n";
        let below = "91 90 0:61 / /mnt rw - tmpfs box rw\n92 91 0:62 / /mnt rw - proc proc rw\n";
        all([
            Case("no-mount inside /mnt", sample(), true, "absent", "absent"),
            Case("no-mount inside /mnt", with(tmpfs), false, "absent", "/mnt tmpfs"),
            Case("no-mount inside /mnt tmpfs", with(tmpfs), false, "absent", "/mnt tmpfs"),
            Case("no-mount inside /mnt proc", with(tmpfs), true, "absent", "absent"),
            // It lies below another mount, and is there all the same.
            Case("no-mount inside /mnt tmpfs", with(below), false, "absent", "/mnt tmpfs"),
            Case("no-mount inside /mnt", with(below), false, "absent", "/mnt proc"),
            Case("no-mount host /mnt", with(tmpfs), true, "absent", "absent"),
            Case("no-mount inside /", sample(), false, "absent", "/ ext4"),
            Case("no-mount inside /mnt", blind(), false, "absent", "unreadable"),
            Case("no-mount host /mnt tmpfs", blind(), false, "absent", "unreadable"),
        ]);
    }
}
