//! Whether what entered a container from outside may do more there than the container itself.

use super::Verdict;
use crate::{
    kernel::capabilities,
    lang::Lang,
    observe::{Entrant, Privileges, Sample},
};

/// No process that came from outside has more rights than the container process, or one has.
pub(super) fn rights(more: bool, sample: &Sample, lang: Lang) -> Verdict {
    let none = lang.pick("no more than the container process", "不比容器进程多");
    let wanted = if more { lang.pick("more than the container process", "比容器进程多") } else { none };
    if sample.entrants.is_empty() {
        return Verdict::new(false, wanted, lang.pick("no process came from outside", "没有进程从外面进入"));
    }
    let seen = sample.entrants.iter().find_map(|entrant| excess(entrant, &sample.privileges, lang));
    Verdict::new(seen.is_some() == more, wanted, seen.unwrap_or_else(|| none.into()))
}

/// What one of them has and the container process lacks: its program, and the first such right.
fn excess(entrant: &Entrant, container: &Privileges, lang: Lang) -> Option<String> {
    let theirs = &entrant.privileges;
    let beyond = |name: &str, theirs: Option<u64>, ours: Option<u64>| {
        let more = capabilities::names(theirs? & !ours?);
        let first = more.first()?;
        Some(lang.pick(
            format!("{name} {} more, such as {first}", more.len()),
            format!("{name} 多 {} 项，例如 {first}", more.len()),
        ))
    };
    let lacks = |theirs: Option<bool>, ours: Option<bool>| theirs == Some(false) && ours == Some(true);
    let filtered = |privileges: &Privileges| privileges.filters.map(|count| count > 0);
    let right = match () {
        () if entrant.other_user_namespace => lang.pick("another user namespace", "另一个用户命名空间").to_string(),
        () if lacks(theirs.no_new_privs, container.no_new_privs) => "no_new_privs 0".into(),
        () if lacks(filtered(theirs), filtered(container)) => "Seccomp_filters 0".into(),
        () if theirs.uid == Some(0) && container.uid.is_some_and(|uid| uid != 0) => "Uid 0".into(),
        () => beyond("CapEff", theirs.capabilities, container.capabilities)
            .or_else(|| beyond("CapBnd", theirs.bounding, container.bounding))?,
    };
    Some(format!("{}: {right}", entrant.comm))
}

#[cfg(test)]
mod tests {
    use super::super::cases::{Case, all, with};
    use crate::kernel::pid::Pid;
    use crate::observe::{Entrant, Privileges, Sample};

    /// What the lesson's own runtime leaves to a container.
    fn few() -> Privileges {
        Privileges {
            capabilities: Some(0x2000_0420),
            bounding: Some(0x2000_0420),
            no_new_privs: Some(true),
            seccomp: Some(true),
            uid: Some(1000),
            filters: Some(1),
        }
    }

    /// The container has these rights, and two processes have entered it: one with as many, one with a change.
    fn entered(change: impl Fn(&mut Entrant)) -> Sample {
        let entrant = |pid| Entrant { pid, comm: "sleep".into(), other_user_namespace: false, privileges: few() };
        let (one, mut other) = (entrant(Pid(104)), entrant(Pid(105)));
        change(&mut other);
        with(|sample| (sample.privileges, sample.entrants) = (few(), vec![one, other]))
    }

    #[test]
    fn each_right_more_is_told() {
        let (none, some) = ("no more than the container process", "more than the container process");
        let word = "entered-rights no-more";
        let rights = |change: fn(&mut Privileges)| entered(move |entrant| change(&mut entrant.privileges));
        all([
            Case(word, entered(|_| ()), true, none, none),
            Case("entered-rights more", entered(|_| ()), false, some, none),
            Case(word, rights(|it| it.no_new_privs = Some(false)), false, none, "sleep: no_new_privs 0"),
            Case(
                "entered-rights more",
                rights(|it| it.no_new_privs = Some(false)),
                true,
                some,
                "sleep: no_new_privs 0",
            ),
            Case(word, rights(|it| it.filters = Some(0)), false, none, "sleep: Seccomp_filters 0"),
            Case(word, rights(|it| it.uid = Some(0)), false, none, "sleep: Uid 0"),
            Case(
                word,
                rights(|it| it.capabilities = Some(1 << 21)),
                false,
                none,
                "sleep: CapEff 1 more, such as sys_admin",
            ),
            Case(word, rights(|it| it.bounding = Some(u64::MAX)), false, none, "sleep: CapBnd 61 more, such as chown"),
            Case(word, entered(|it| it.other_user_namespace = true), false, none, "sleep: another user namespace"),
            // Fewer are no more, and what the kernel does not tell is no right.
            Case(word, rights(|it| (it.capabilities, it.bounding) = (Some(0), Some(32))), true, none, none),
            Case(word, rights(|it| *it = Privileges::default()), true, none, none),
            Case(word, with(|sample| sample.entrants.clear()), false, none, "no process came from outside"),
            Case(
                "entered-rights more",
                with(|sample| sample.entrants.clear()),
                false,
                some,
                "no process came from outside",
            ),
        ]);
    }

    #[test]
    fn a_container_without_bonds_gives_as_much_as_it_has() {
        let free = |change: fn(&mut Sample)| {
            let mut sample = entered(|_| ());
            sample.privileges = Privileges {
                no_new_privs: Some(false),
                filters: Some(0),
                uid: Some(0),
                capabilities: Some(u64::MAX),
                bounding: Some(u64::MAX),
                ..few()
            };
            change(&mut sample);
            sample
        };
        let none = "no more than the container process";
        all([Case(
            "entered-rights no-more",
            free(|sample| sample.entrants[1].privileges.no_new_privs = Some(false)),
            true,
            none,
            none,
        )]);
    }
}
