//! Facts about processes: which run, which is PID 1, what they may do, and what the scorecard says.

use super::{Verdict, absent, is_program, join};
use crate::{
    kernel::{namespaces::Kind, pid::Pid},
    lang::Lang,
    lesson::{Amount, Where},
    observe::{NAMES, Process, Sample},
};
use std::collections::BTreeSet;

/// The living processes of the container's PID namespace, if it is not the host's.
fn inside(sample: &Sample) -> impl Iterator<Item = &Process> {
    let own = sample.namespaces.get(&Kind::Pid).copied();
    let isolated = own.is_some() && own != sample.host_namespaces.get(&Kind::Pid).copied();
    sample.processes.iter().filter(move |process| isolated && process.pid_ns == own && process.state != 'Z')
}

/// PID 1 of the container's PID namespace.
fn first(sample: &Sample) -> Option<&Process> {
    inside(sample).find(|process| process.nspid.last() == Some(&1))
}

/// Exactly these programs run inside.
pub(super) fn only(names: &[String], sample: &Sample) -> Verdict {
    let wanted: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    let known = |name: &str| wanted.iter().copied().find(|wanted| is_program(wanted, name));
    let names = inside(sample).map(|process| process.comm.as_str());
    let seen: BTreeSet<&str> = names.map(|name| known(name).unwrap_or(name)).collect();
    Verdict::new(wanted == seen, join(wanted), join(seen))
}

/// A program runs in the container's PID namespace, or in the host's.
pub(super) fn runs(place: Where, name: &str, sample: &Sample, lang: Lang) -> Verdict {
    let found = match place {
        Where::Inside => inside(sample).any(|process| is_program(name, &process.comm)),
        Where::Host => {
            let host = sample.host_namespaces.get(&Kind::Pid).copied();
            let here = |process: &Process| host.is_some() && process.pid_ns == host && process.state != 'Z';
            sample.processes.iter().any(|process| is_program(name, &process.comm) && here(process))
        }
    };
    Verdict::new(found, name, if found { name } else { absent(lang) })
}

/// PID 1 inside runs this program.
pub(super) fn init(name: &str, sample: &Sample, lang: Lang) -> Verdict {
    let seen = first(sample).map_or(lang.pick("none", "无"), |process| &process.comm);
    Verdict::new(is_program(name, seen), name, seen)
}

/// A process of this program inside has PID 1 as its parent.
pub(super) fn adopted(name: &str, sample: &Sample, lang: Lang) -> Verdict {
    let init = first(sample).map(|process| process.pid);
    let parents: Vec<Pid> =
        inside(sample).filter(|process| is_program(name, &process.comm)).map(|process| process.ppid).collect();
    let found = init.is_some_and(|init| parents.contains(&init));
    let word = |parents: &str| lang.pick(format!("{name}: parent {parents}"), format!("{name}：父进程 {parents}"));
    let parents: Vec<String> = parents.iter().map(Pid::to_string).collect();
    let (wanted, others) = (word("1"), if parents.is_empty() { "?".into() } else { parents.join(", ") });
    let seen = if found { wanted.clone() } else { word(&others) };
    Verdict::new(found, wanted, seen)
}

/// The container process has a directory open that lies outside its root.
pub(super) fn handle_outside(sample: &Sample, lang: Lang) -> Verdict {
    let wanted = lang.pick("a directory outside", "一个根目录之外的目录");
    let seen = sample.outside.as_deref();
    Verdict::new(seen.is_some(), wanted, seen.unwrap_or(lang.pick("none", "没有")))
}

/// The scorecard says this of the container process.
pub(super) fn scorecard(name: &str, on: bool, sample: &Sample, lang: Lang) -> Verdict {
    let card = &sample.scorecard;
    let seen = match name {
        "isolated" => card.isolated,
        "rooted" => card.rooted,
        "limited" => card.limited,
        _ => card.entered,
    };
    let shown = NAMES.iter().find(|(known, ..)| *known == name).map_or(name, |(_, en, zh)| lang.pick(*en, *zh));
    let word = |on: bool| match on {
        true => lang.pick(format!("{shown}: yes"), format!("{shown}：是")),
        false => lang.pick(format!("{shown}: no"), format!("{shown}：否")),
    };
    Verdict::equal(word(on), word(seen))
}

/// The container process has so many capabilities.
pub(super) fn capabilities(amount: Amount, sample: &Sample, lang: Lang) -> Verdict {
    let (theirs, ours) = (sample.privileges.capabilities, sample.host_privileges.capabilities);
    let most = match amount {
        Amount::All | Amount::Fewer => ours,
        Amount::Full | Amount::None => sample.users.bounding,
    };
    let has_all = theirs.zip(most).map(|(theirs, most)| most & !theirs == 0);
    let count = |mask: Option<u64>| mask.map_or_else(|| "?".into(), |mask| mask.count_ones().to_string());
    let (wanted, holds) = match amount {
        Amount::All => (lang.pick("all of {}", "全部 {} 项"), has_all == Some(true)),
        Amount::Full => (lang.pick("all of {}", "全部 {} 项"), has_all == Some(true) && most != Some(0)),
        Amount::Fewer => (lang.pick("fewer than {}", "少于 {} 项"), has_all == Some(false)),
        Amount::None => ("0", theirs == Some(0)),
    };
    Verdict::new(holds, wanted.replace("{}", &count(most)), count(theirs))
}

/// execve(2) can no longer give the container process more than it has, or still can.
pub(super) fn no_new_privs(on: bool, sample: &Sample) -> Verdict {
    let word = |on: bool| format!("NoNewPrivs {}", u8::from(on));
    Verdict::equal(word(on), sample.privileges.no_new_privs.map_or_else(|| "NoNewPrivs ?".into(), word))
}

#[cfg(test)]
mod tests {
    use super::super::cases::{Case, all, process, sample, with};
    use crate::kernel::pid::Pid;
    use crate::{
        kernel::namespaces::Kind,
        observe::{NAMES, Sample, Scorecard},
    };

    /// A container whose PID namespace is still the host's.
    fn shared() -> Sample {
        with(|sample| sample.namespaces.insert(Kind::Pid, sample.host_namespaces[&Kind::Pid]))
    }

    fn blind() -> Sample {
        with(|sample| sample.namespaces.remove(&Kind::Pid))
    }

    #[test]
    fn exactly_these_run_inside() {
        let dead = || with(|sample| sample.processes.push(process(104, 102, &[104, 4], "top", 'Z')));
        let more = || with(|sample| sample.processes.push(process(104, 102, &[104, 4], "top", 'S')));
        all([
            Case("processes inside only sh,sleep", sample(), true, "sh, sleep", "sh, sleep"),
            Case("processes inside only sleep,sh", sample(), true, "sh, sleep", "sh, sleep"),
            Case("processes inside only sh", sample(), false, "sh", "sh, sleep"),
            Case("processes inside only sh,sleep,top", sample(), false, "sh, sleep, top", "sh, sleep"),
            Case("processes inside only sh,sleep", more(), false, "sh, sleep", "sh, sleep, top"),
            Case("processes inside only sh,sleep", dead(), true, "sh, sleep", "sh, sleep"),
            Case("processes inside only sh,sleep", shared(), false, "sh, sleep", ""),
            Case("processes inside only sh,sleep", blind(), false, "sh, sleep", ""),
        ]);
    }

    #[test]
    fn a_program_runs_on_its_side() {
        let dead = || with(|sample| sample.processes[3].state = 'Z');
        let dead_outside = || with(|sample| sample.processes[1].state = 'Z');
        let no_host = || {
            with(|sample| {
                sample.host_namespaces.remove(&Kind::Pid);
                sample.processes.iter_mut().for_each(|process| process.pid_ns = None);
            })
        };
        all([
            Case("process inside sleep", sample(), true, "sleep", "sleep"),
            Case("process inside unshare", sample(), false, "unshare", "absent"),
            Case("process host unshare", sample(), true, "unshare", "unshare"),
            Case("process host sleep", sample(), false, "sleep", "absent"),
            Case("process inside sleep", dead(), false, "sleep", "absent"),
            Case("process host unshare", dead_outside(), false, "unshare", "absent"),
            Case("process inside sleep", shared(), false, "sleep", "absent"),
            Case("process inside sleep", blind(), false, "sleep", "absent"),
            Case("process host unshare", no_host(), false, "unshare", "absent"),
        ]);
    }

    #[test]
    fn the_first_process_is_who_has_the_number_one() {
        let gone = || with(|sample| sample.processes.remove(2));
        all([
            Case("init sh", sample(), true, "sh", "sh"),
            Case("init sh", with(|sample| sample.processes[2].comm = "bash".into()), true, "sh", "bash"),
            Case("init bash", sample(), false, "bash", "sh"),
            Case("init sleep", sample(), false, "sleep", "sh"),
            Case("init sh", gone(), false, "sh", "none"),
            Case("init sh", shared(), false, "sh", "none"),
            Case("init sh", blind(), false, "sh", "none"),
        ]);
    }

    #[test]
    fn an_orphan_has_the_first_process_as_its_parent() {
        let deeper = || with(|sample| sample.processes[3].ppid = Pid(999));
        let several = || {
            with(|sample| {
                sample.processes[3].ppid = Pid(999);
                sample.processes.push(process(105, 102, &[105, 5], "sleep", 'S'));
            })
        };
        let gone = || with(|sample| sample.processes.remove(2));
        let wanted = "sleep: parent 1";
        all([
            Case("adopted sleep", sample(), true, wanted, wanted),
            Case("adopted sleep", deeper(), false, wanted, "sleep: parent 999"),
            Case("adopted sleep", several(), true, wanted, wanted),
            Case("adopted top", sample(), false, "top: parent 1", "top: parent ?"),
            Case("adopted sleep", gone(), false, wanted, "sleep: parent 102"),
            Case("adopted sleep", blind(), false, wanted, "sleep: parent ?"),
        ]);
    }

    #[test]
    fn a_directory_outside_of_the_root_is_named() {
        let outside = with(|sample| sample.outside = Some("3 /".into()));
        all([
            Case("handle outside", outside, true, "a directory outside", "3 /"),
            Case("handle outside", with(|_| ()), false, "a directory outside", "none"),
        ]);
    }

    #[test]
    fn the_scorecard_is_read_property_by_property() {
        let one = |number: usize| {
            let on = |place| place == number;
            let card = Scorecard { isolated: on(0), rooted: on(1), limited: on(2), entered: on(3) };
            with(|sample| sample.scorecard = card)
        };
        let names = ["isolated", "rooted", "limited", "entered"];
        for (place, name) in names.into_iter().enumerate() {
            let shown = NAMES[place].1;
            for number in 0..names.len() {
                let (yes, no) = (format!("{shown}: yes"), format!("{shown}: no"));
                let seen = if place == number { &yes } else { &no };
                all([
                    Case(&format!("scorecard {name} on"), one(number), place == number, &yes, seen),
                    Case(&format!("scorecard {name} off"), one(number), place != number, &no, seen),
                ]);
            }
        }
    }

    #[test]
    fn capabilities_are_compared_with_ours() {
        let masks = |theirs: Option<u64>, ours: Option<u64>| {
            with(|sample| {
                sample.privileges.capabilities = theirs;
                sample.host_privileges.capabilities = ours;
            })
        };
        all([
            Case("capabilities all", masks(Some(0b111), Some(0b111)), true, "all of 3", "3"),
            Case("capabilities all", masks(Some(0b1111), Some(0b111)), true, "all of 3", "4"),
            Case("capabilities all", masks(Some(0b110), Some(0b111)), false, "all of 3", "2"),
            // As many, and not the same ones.
            Case("capabilities all", masks(Some(0b1110), Some(0b111)), false, "all of 3", "3"),
            Case("capabilities fewer", masks(Some(0b110), Some(0b111)), true, "fewer than 3", "2"),
            Case("capabilities fewer", masks(Some(0b111), Some(0b111)), false, "fewer than 3", "3"),
            Case("capabilities fewer", masks(None, Some(0b111)), false, "fewer than 3", "?"),
            Case("capabilities all", masks(Some(0b111), None), false, "all of ?", "3"),
        ]);
        let bound = |theirs: Option<u64>, most: Option<u64>| {
            with(|sample| {
                sample.privileges.capabilities = theirs;
                sample.users.bounding = most;
            })
        };
        all([
            Case("capabilities full", bound(Some(0b111), Some(0b111)), true, "all of 3", "3"),
            Case("capabilities full", bound(Some(0b110), Some(0b111)), false, "all of 3", "2"),
            Case("capabilities full", bound(Some(0), Some(0)), false, "all of 0", "0"),
            Case("capabilities full", bound(Some(0b111), None), false, "all of ?", "3"),
            Case("capabilities none", bound(Some(0), Some(0b111)), true, "0", "0"),
            Case("capabilities none", bound(Some(1), Some(0b111)), false, "0", "1"),
            Case("capabilities none", bound(None, Some(0b111)), false, "0", "?"),
        ]);
    }

    #[test]
    fn no_new_privs_is_on_off_or_unknown() {
        let to = |flag| with(|sample| sample.privileges.no_new_privs = flag);
        all([
            Case("no-new-privs on", to(Some(true)), true, "NoNewPrivs 1", "NoNewPrivs 1"),
            Case("no-new-privs on", to(Some(false)), false, "NoNewPrivs 1", "NoNewPrivs 0"),
            Case("no-new-privs off", to(Some(false)), true, "NoNewPrivs 0", "NoNewPrivs 0"),
            Case("no-new-privs off", to(Some(true)), false, "NoNewPrivs 0", "NoNewPrivs 1"),
            Case("no-new-privs off", to(None), false, "NoNewPrivs 0", "NoNewPrivs ?"),
        ]);
    }
}
