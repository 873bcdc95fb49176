use super::{super::good, *};
use std::collections::{BTreeMap, BTreeSet};

/// Another way to write it.
const ANOTHER: &str = include_str!("another.sh");

/// Every place of every row.
fn everywhere(script: &str) -> Vec<Candidate> {
    let read = Script::new(script);
    let rows = rows().filter(|(kind, _)| *kind == Kind::Mybox);
    rows.flat_map(|(_, row)| of_row(row, script, &read)).collect()
}

/// What each row changes: the lines that go, behind `-`, and those that come, behind `+`.
fn changes(script: &str) -> BTreeMap<&'static str, Vec<String>> {
    let mut all: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
    for candidate in everywhere(script) {
        let (before, after): (Vec<&str>, Vec<&str>) = (script.lines().collect(), candidate.mutated.lines().collect());
        let gone = before.iter().filter(|line| !after.contains(line)).map(|line| format!("-{}", line.trim()));
        let new = after.iter().filter(|line| !before.contains(line)).map(|line| format!("+{}", line.trim()));
        let changed = gone.chain(new).collect::<Vec<_>>().join(" ");
        let known = all.entry(candidate.name()).or_default();
        if !known.contains(&changed) {
            known.push(changed);
        }
    }
    all
}

#[test]
fn every_place_is_tried_for_some_seed() {
    let of = |candidate: Candidate| (candidate.name(), candidate.place);
    for script in [good(), ANOTHER] {
        let tried: BTreeSet<_> = (0..20).flat_map(|seed| candidates(script, seed)).map(of).collect();
        assert_eq!(tried, everywhere(script).into_iter().map(of).collect());
    }
}

#[test]
fn every_row_has_its_place_in_the_script_of_the_lesson() {
    let wanted: BTreeSet<&str> = rows().filter(|(kind, _)| *kind == Kind::Mybox).map(|(_, row)| row.name).collect();
    assert_eq!(changes(good()).into_keys().collect::<BTreeSet<_>>(), wanted);
}

#[test]
fn a_script_that_is_written_otherwise_is_changed_at_the_same_calls() {
    let changes = changes(ANOTHER);
    for (row, wanted) in [
        ("old-root", "-umount --lazy dev/host"),
        ("busy", "-umount --lazy dev/host +umount dev/host"),
        ("no-pivot", "-pivot_root . dev/host"),
        ("host-proc", "-mount -t proc proc ./proc +mount --rbind /proc ./proc"),
        (
            "proc-sys",
            "-mount --bind \"proc/$d\" \"proc/$d\"; mount -o remount,bind,ro \"proc/$d\" +mount --bind \"proc/$d\" \"proc/$d\"",
        ),
        ("no-tmpfs", "-mount -t tmpfs -o mode=755,nosuid tmpfs ./dev"),
        ("plain-files", "-mount --bind \"/dev/$node\" \"dev/$node\""),
        ("loader", "-mv dev/tools/ld-* dev/tools/ld"),
        ("no-member", ""),
        (
            "shared-ipc",
            "-exec unshare --mount --uts --ipc --net --pid --fork --kill-child \"$0\" run \"$@\" +exec unshare --mount --uts --net --pid --fork --kill-child \"$0\" run \"$@\"",
        ),
        ("no-name", "-hostname mine || exit 1"),
        ("all-rights", "-exec $disarm \"$@\" +exec \"$@\""),
        ("no-exec", "-exec $disarm \"$@\" +$disarm \"$@\""),
        ("full-bounds", "-caps=-all,+kill,+net_bind_service,+audit_write +caps=+kill,+net_bind_service,+audit_write"),
        ("wrong-number", "-echo \"$number\" > box.pid +echo $$ > box.pid"),
        ("too-late", ""),
        ("guest-outside-group", ""),
        (
            "guest-beside",
            "-exec nsenter --target \"$(cat box.pid)\" --mount --uts --ipc --net --pid $disarm \"$@\" +exec nsenter --target \"$(cat box.pid)\" --mount --uts --ipc --net $disarm \"$@\"",
        ),
        (
            "guest-armed",
            "-exec nsenter --target \"$(cat box.pid)\" --mount --uts --ipc --net --pid $disarm \"$@\" +exec nsenter --target \"$(cat box.pid)\" --mount --uts --ipc --net --pid \"$@\"",
        ),
    ] {
        let found = changes.get(row).unwrap_or_else(|| panic!("{row} has no place"));
        assert!(found.iter().any(|change| change == wanted), "{row}: {found:#?}");
    }
    assert_eq!(changes["no-device"].len(), 6, "{:#?}", changes["no-device"]);
    assert_eq!(changes["one-more"].len(), 2);
    assert_eq!(changes["guest-half"].len(), 3);
}

#[test]
fn spellings_of_one_call_are_one_call() {
    for (row, script, wanted) in [
        ("no-limit", "cgset -r memory.max=64M $BOX\n", "-cgset -r memory.max=64M $BOX"),
        ("no-limit", "G=/g\necho 5 > $G/memory.max\nrest\n", "-echo 5 > $G/memory.max"),
        ("no-limit", "put \"$g/memory.max\" 64M\n", "-put \"$g/memory.max\" 64M"),
        (
            "huge-limit",
            "echo 67108864 > /g/memory.max\n",
            "-echo 67108864 > /g/memory.max +echo 68719476736 > /g/memory.max",
        ),
        ("huge-limit", "cgset -r memory.max=64M x\n", "-cgset -r memory.max=64M x +cgset -r memory.max=64G x"),
        ("huge-limit", "L=64M\ncgset -r memory.max=$L x\n", ""),
        ("shared-net", "F=\"-i -n -m\"\nunshare $F sh\n", "-F=\"-i -n -m\" +F=\"-i -m\""),
        (
            "shared-net",
            "cgexec -g a:b unshare -imnpu sh\n",
            "-cgexec -g a:b unshare -imnpu sh +cgexec -g a:b unshare -impu sh",
        ),
        (
            "no-member",
            "cgexec -g m:b unshare -m a\ncgexec -g m:b nsenter -t 1 -a b\n",
            "-cgexec -g m:b unshare -m a +unshare -m a",
        ),
        (
            "group-inside",
            "cgexec -g m:b nsenter -t 1 -a b c\n",
            "-cgexec -g m:b nsenter -t 1 -a b c +nsenter -t 1 -a cgexec -g m:b b c",
        ),
        ("no-name", "echo mine > /proc/sys/kernel/hostname\n", "-echo mine > /proc/sys/kernel/hostname"),
        (
            "proc-sys",
            "mount -o bind,ro proc/sys proc/sys\n",
            "-mount -o bind,ro proc/sys proc/sys +mount -o bind proc/sys proc/sys",
        ),
        (
            "no-device",
            "mknod dev/zero c 1 5; chmod 666 dev/zero\n",
            "-mknod dev/zero c 1 5; chmod 666 dev/zero +chmod 666 dev/zero",
        ),
        (
            "old-root",
            "pivot_root new new/.old\numount -l /.old && rmdir /.old\n",
            "-umount -l /.old && rmdir /.old +rmdir /.old",
        ),
        ("may-gain", "exec setpriv --nnp --x sh\n", "-exec setpriv --nnp --x sh +exec setpriv --x sh"),
    ] {
        let found = changes(script);
        match wanted {
            "" => assert!(!found.contains_key(row), "{row} in {script}: {found:#?}"),
            wanted => assert!(
                found.get(row).is_some_and(|all| all.iter().any(|one| one == wanted)),
                "{row} in {script}: {found:#?}"
            ),
        }
    }
}

#[test]
fn what_makes_no_such_call_has_no_mutant() {
    for script in
        ["#!/bin/sh\n", "#!/bin/sh\necho mount umount unshare nsenter setpriv\n", "#!/bin/sh\n# umount -l /old\n"]
    {
        assert!(candidates(script, 1).is_empty(), "{script}");
    }
}

fn known(script: &str) -> Good {
    Good::of(script, &Tried { limit: Some(64 << 20), ..Tried::default() })
}

#[test]
fn what_is_shown_is_a_step_without_a_mistake() {
    let fills = Fills::of_this_machine("builtin:");
    for script in [good(), ANOTHER] {
        let good = known(script);
        for (seed, candidate) in everywhere(script).into_iter().enumerate() {
            let name = candidate.name();
            assert!(candidate.trial(&good, Lang::En).is_some(), "{name}");
            let own = candidate.noticed(script, seed as u64, &good, &candidate.as_told(&good));
            let own = own.unwrap_or_else(|| panic!("{name} is not noticed"));
            let file =
                |lang: Lang| (format!("{}.md", lang.code()), step::markdown(&own, &candidate, lang).into_bytes());
            let (_, problems) = super::super::store::folder("mutants", &Lang::ALL.map(file));
            assert!(problems.is_empty(), "{name}: {problems:#?}");
            let lesson = own.lesson(&fills).unwrap();
            let text = format!("{lesson:?}");
            for left in [step::MENDED, "{x}", "{y}", "{name}", "{mib}", "{bytes}"] {
                assert!(!text.contains(left), "{name}: {left} in {text}");
            }
            assert_eq!(lesson.get(Lang::En).unwrap().steps[0].id, own.step());
        }
    }
}

#[test]
fn what_the_kernel_does_not_notice_is_not_shown() {
    let good = known(ANOTHER);
    for candidate in candidates(ANOTHER, 3) {
        let told = candidate.as_told(&good);
        let none = Tried { broken: Vec::new(), ..told.clone() };
        assert_eq!(candidate.noticed(ANOTHER, 3, &good, &none), None, "{}", candidate.name());
        let other = Tried { run: i32::from(told.run == 0), ..told };
        assert_eq!(candidate.noticed(ANOTHER, 3, &good, &other), None, "{}", candidate.name());
    }
    let unlimited = Good { limit: None, ..good };
    let mut counts = candidates(ANOTHER, 3);
    counts.retain(|candidate| candidate.name() == "no-limit");
    assert!(counts[0].trial(&unlimited, Lang::En).is_none(), "it would name a number of MiB");
}

#[test]
fn a_seed_gives_the_same_mutants_of_a_script() {
    let names = |seed| candidates(ANOTHER, seed).iter().map(Candidate::name).collect::<Vec<_>>();
    assert_eq!(names(7), names(7));
    assert!((1..20).any(|seed| names(seed)[0] != names(7)[0]));
    assert_eq!(own_step(ANOTHER, 7), own_step(ANOTHER, 7));
    assert_ne!(own_step(ANOTHER, 7), own_step(good(), 7));
    assert_ne!(own_step(ANOTHER, 7), own_step(ANOTHER, 8));
}
