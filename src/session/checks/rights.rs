//! Facts about what a container process may do, what has entered whole, and whether its dead are looked after.

use super::{Verdict, join};
use crate::{
    kernel::{capabilities, namespaces::Kind, pid::Pid},
    lang::Lang,
    observe::{Process, Sample},
};

/// PID 1 of the container. Where the container has ended, what is looked at is a shell of the host's, which has none.
fn first(sample: &Sample) -> Option<Pid> {
    let own = sample.namespaces.get(&Kind::Pid).copied();
    let first = |process: &&Process| process.pid_ns == own && process.nspid.last() == Some(&1);
    sample.processes.iter().find(first).map(|process| process.pid)
}

/// PID 1 inside has children that have ended and wait for it, or none.
pub(super) fn zombies(some: bool, sample: &Sample, lang: Lang) -> Verdict {
    let first = first(sample);
    let dead = |process: &&Process| process.state == 'Z' && Some(process.ppid) == first;
    let count = sample.processes.iter().filter(dead).count();
    let wanted = if some { lang.pick("zombies", "僵尸进程") } else { lang.pick("no zombie", "没有僵尸进程") };
    let seen = match (first, count) {
        (None, _) => no_first(lang).into(),
        (_, 0) => lang.pick("no zombie", "没有僵尸进程").into(),
        (_, 1) => lang.pick("1 zombie", "1 个僵尸进程").into(),
        (_, count) => format!("{count} {}", lang.pick("zombies", "个僵尸进程")),
    };
    Verdict::new(first.is_some() && (count > 0) == some, wanted, seen)
}

fn no_first(lang: Lang) -> &'static str {
    lang.pick("no PID 1 inside", "里面没有 PID 1")
}

/// The container's PID 1 waits for its children or is told of their end, or neither.
pub(super) fn reaps(yes: bool, sample: &Sample, lang: Lang) -> Verdict {
    let word = |yes: bool| match yes {
        true => lang.pick("PID 1 waits for its children", "PID 1 会等待子进程"),
        false => lang.pick("PID 1 never waits", "PID 1 从不等待子进程"),
    };
    match sample.reaps {
        _ if first(sample).is_none() => Verdict::new(false, word(yes), no_first(lang)),
        Some(seen) => Verdict::equal(word(yes), word(seen)),
        None => Verdict::unread(word(yes), lang),
    }
}

/// A process that came from outside is in all of these namespaces of the container.
pub(super) fn entered(kinds: &[Kind], sample: &Sample, lang: Lang) -> Verdict {
    let Some(shared) = &sample.newcomer else {
        return Verdict::new(false, join(kinds), lang.pick("no process came from outside", "没有进程从外面进入"));
    };
    let seen = kinds.iter().filter(|kind| shared.contains(kind));
    Verdict::equal(join(kinds), join(seen))
}

/// A filter judges the calls of the container process, or none does.
pub(super) fn seccomp(on: bool, sample: &Sample) -> Verdict {
    let filters = sample.privileges.filters;
    let wanted = if on { "Seccomp_filters ≥ 1" } else { "Seccomp_filters 0" };
    let seen = filters.map_or_else(|| "Seccomp_filters ?".into(), |count| format!("Seccomp_filters {count}"));
    Verdict::new(filters.is_some_and(|count| (count > 0) == on), wanted, seen)
}

/// A capability is in a set of the container process, or is not.
pub(super) fn capability(name: &str, on: bool, set: &str, mask: Option<u64>) -> Verdict {
    let word = |on: bool| format!("{set} {}{name}", if on { "+" } else { "-" });
    let seen = mask.zip(capabilities::bit(name)).map(|(mask, bit)| mask & (1 << bit) != 0);
    Verdict::equal(word(on), seen.map_or_else(|| format!("{set} ?"), word))
}

/// The bounding set has nothing besides what Docker leaves to a container.
pub(super) fn within_default(sample: &Sample, lang: Lang) -> Verdict {
    let wanted = lang.pick("CapBnd: nothing besides the usual 14", "CapBnd：不超出通常的 14 项");
    let Some(mask) = sample.privileges.bounding else { return Verdict::unread(wanted, lang) };
    let more = capabilities::names(mask & !capabilities::DEFAULT);
    let seen = match more.as_slice() {
        [] => wanted.to_string(),
        [first, ..] => lang.pick(
            format!("CapBnd: {} more, such as {first}", more.len()),
            format!("CapBnd：多出 {} 项，例如 {first}", more.len()),
        ),
    };
    Verdict::new(more.is_empty(), wanted, seen)
}

#[cfg(test)]
mod tests {
    use super::super::cases::{Case, all, process, sample, with};
    use crate::{kernel::namespaces::Kind, observe::Sample};

    #[test]
    fn zombies_are_the_dead_children_of_the_first_process() {
        let dead = |ppid| with(|sample| sample.processes.push(process(104, ppid, &[104, 4], "sleep", 'Z')));
        let gone = || with(|sample| sample.processes.remove(2));
        all([
            Case("zombies none", sample(), true, "no zombie", "no zombie"),
            Case("zombies some", sample(), false, "zombies", "no zombie"),
            Case("zombies none", dead(102), false, "no zombie", "1 zombie"),
            Case("zombies some", dead(102), true, "zombies", "1 zombie"),
            Case("zombies none", dead(103), true, "no zombie", "no zombie"),
            Case("zombies none", gone(), false, "no zombie", "no PID 1 inside"),
        ]);
    }

    #[test]
    fn a_first_process_waits_or_never_does() {
        let to = |reaps| with(|sample| sample.reaps = reaps);
        // The shell that started the container waits for its children, too.
        let mut gone = to(Some(true));
        gone.processes.remove(2);
        let (yes, no) = ("PID 1 waits for its children", "PID 1 never waits");
        all([
            Case("reaps yes", to(Some(true)), true, yes, yes),
            Case("reaps yes", to(Some(false)), false, yes, no),
            Case("reaps no", to(Some(false)), true, no, no),
            Case("reaps yes", to(None), false, yes, "unreadable"),
            Case("reaps yes", gone, false, yes, "no PID 1 inside"),
        ]);
    }

    #[test]
    fn who_has_entered_is_in_all_of_these_namespaces() {
        let to = |kinds: &[Kind]| with(|sample| sample.newcomer = Some(kinds.to_vec()));
        all([
            Case("entered pid,uts", to(&[Kind::Pid, Kind::Uts, Kind::Net]), true, "pid, uts", "pid, uts"),
            Case("entered pid,uts", to(&[Kind::Pid]), false, "pid, uts", "pid"),
            Case("entered pid", with(|sample| sample.newcomer = None), false, "pid", "no process came from outside"),
        ]);
    }

    #[test]
    fn a_filter_is_there_or_not_or_not_known() {
        let to = |filters| with(|sample| sample.privileges.filters = filters);
        let (on, off) = ("Seccomp_filters ≥ 1", "Seccomp_filters 0");
        all([
            Case("seccomp on", to(Some(2)), true, on, "Seccomp_filters 2"),
            Case("seccomp on", to(Some(0)), false, on, off),
            Case("seccomp off", to(Some(0)), true, off, off),
            Case("seccomp off", to(Some(1)), false, off, "Seccomp_filters 1"),
            Case("seccomp off", to(None), false, off, "Seccomp_filters ?"),
        ]);
    }

    #[test]
    fn capabilities_are_read_by_name() {
        let to = |effective, bounding| {
            with(|sample: &mut Sample| {
                (sample.privileges.capabilities, sample.privileges.bounding) = (effective, bounding);
            })
        };
        let usual = "CapBnd: nothing besides the usual 14";
        all([
            Case("capability chown on", to(Some(1), Some(0)), true, "CapEff +chown", "CapEff +chown"),
            Case("capability chown off", to(Some(1), Some(0)), false, "CapEff -chown", "CapEff +chown"),
            Case("bounding chown off", to(Some(1), Some(0)), true, "CapBnd -chown", "CapBnd -chown"),
            Case("bounding mknod on", to(Some(0), Some(1 << 27)), true, "CapBnd +mknod", "CapBnd +mknod"),
            Case("bounding mknod off", to(Some(0), None), false, "CapBnd -mknod", "CapBnd ?"),
            Case("bounding default", to(Some(0), Some(0xa804_25fb)), true, usual, usual),
            Case("bounding default", to(Some(0), Some(1 << 21)), false, usual, "CapBnd: 1 more, such as sys_admin"),
            Case("bounding default", to(Some(0), None), false, usual, "unreadable"),
        ]);
    }
}
