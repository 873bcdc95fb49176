use super::*;
use crate::{
    kernel::pid::Pid,
    observe::{Process, Scorecard, Side},
    trace::Call,
};

fn mount(point: &str, kind: &str, propagation: &str) -> Mount {
    let line = format!(
        "27 1 0:5 / {point} rw {}- {kind} source rw\n",
        match propagation {
            "" => String::new(),
            peers => format!("{peers}:1 "),
        }
    );
    crate::observe::mounts::parse(&line).remove(0)
}

/// A container with namespaces and mounts of its own.
fn own() -> Branch {
    let (host, inside) =
        ([(Kind::Uts, 1), (Kind::Mnt, 2), (Kind::Pid, 3)], [(Kind::Uts, 11), (Kind::Mnt, 12), (Kind::Pid, 13)]);
    let mounts = vec![mount("/", "ext4", ""), mount("/proc", "proc", "")];
    let process = |pid: Pid, comm: &str, inner| Process {
        pid,
        comm: comm.into(),
        nspid: vec![pid.0, inner],
        pid_ns: Some(13),
        ..Process::default()
    };
    let sample = Sample {
        container: Some(Pid(100)),
        host_namespaces: host.into(),
        namespaces: inside.into(),
        for_children: ForChildren::Inode(13),
        inside: Side { hostname: Some("box".into()), mounts, ..Side::default() },
        host: Side { hostname: Some("machine".into()), ..Side::default() },
        processes: vec![process(Pid(100), "sh", 1), process(Pid(101), "hog", 2)],
        scorecard: Scorecard { isolated: true, ..Scorecard::default() },
        ..Sample::default()
    };
    Branch { name: "box-1".into(), call: None, guarded: Vec::new(), status: Some(0), printed: String::new(), sample }
}

/// What differs once this is changed.
fn differs(change: impl Fn(&mut Branch)) -> Vec<(String, String, String)> {
    let (first, mut second) = (own(), own());
    second.name = "box-2".into();
    change(&mut second);
    let both = [Lang::En, Lang::Zh]
        .map(|lang| rows([&first, &second], lang).into_iter().filter(|row| row.differs).collect::<Vec<_>>());
    assert_eq!(both[0].len(), both[1].len(), "both languages say the same");
    let [english, _] = both;
    english.into_iter().map(|Row { what, values: [one, other], .. }| (what, one, other)).collect()
}

fn one(what: &str, first: &str, second: &str) -> Vec<(String, String, String)> {
    vec![(what.into(), first.into(), second.into())]
}

#[test]
fn each_fact_is_compared() {
    assert_eq!(differs(|_| {}), []);
    assert_eq!(differs(|it| it.status = Some(1)), one("the line", "at a prompt, status 0", "at a prompt, status 1"));
    assert_eq!(differs(|it| it.status = None), one("the line", "at a prompt, status 0", "still works"));
    assert_eq!(differs(|it| it.printed = "no".into()), one("printed last", "nothing", "no"));
    assert_eq!(differs(|it| it.sample.scorecard.isolated = false), one("isolated", "yes", "no"));
    assert_eq!(differs(|it| it.sample.scorecard.limited = true), one("limited", "no", "yes"));
    assert_eq!(differs(|it| it.sample.namespaces.extend([(Kind::Uts, 1)])), one("uts", "new", "the host's"));
    assert_eq!(
        differs(|it| it.sample.for_children = ForChildren::NotMade),
        one("pid_for_children", "new", "not made yet")
    );
    assert_eq!(
        differs(|it| it.sample.inside.hostname = Some("machine".into())),
        one("host name", "its own", "the host's")
    );
    assert_eq!(differs(|it| it.sample.privileges.uid = Some(7)), one("user outside", "-", "7"));
    assert_eq!(differs(|it| it.sample.privileges.capabilities = Some(5)), one("capabilities", "-", "2"));
}

#[test]
fn numbers_that_are_others_in_each_session_are_no_difference() {
    let renumbered = |it: &mut Branch| {
        it.sample.namespaces = [(Kind::Uts, 21), (Kind::Mnt, 22), (Kind::Pid, 23)].into();
        it.sample.for_children = ForChildren::Inode(23);
        it.sample.container = Some(Pid(200));
        it.sample.processes.iter_mut().for_each(|process| {
            process.pid.0 += 100;
            process.pid_ns = Some(23);
        });
        it.printed = String::new();
    };
    assert_eq!(differs(renumbered), []);
    let (mut first, mut second) = (own(), own());
    second.name = "box-2".into();
    for branch in [&mut first, &mut second] {
        branch.sample.inside.mounts.push(mount(&format!("/run/{}/work", branch.name), "tmpfs", ""));
        branch.printed = format!("made /run/{}", branch.name);
    }
    assert!(rows([&first, &second], Lang::En).iter().all(|row| !row.differs));
}

#[test]
fn mounts_that_differ_alike_share_a_row() {
    let shared =
        |it: &mut Branch| it.sample.inside.mounts.iter_mut().for_each(|mount| mount.propagation = "shared".into());
    assert_eq!(differs(shared), one("/ and 1 more", "private", "shared"));
    let without = |it: &mut Branch| drop(it.sample.inside.mounts.pop());
    assert_eq!(differs(without), [one("mounts", "2", "1"), one("/proc", "proc private", "-")].concat());
    let over = |it: &mut Branch| it.sample.inside.mounts.push(mount("/proc", "tmpfs", "shared"));
    assert_eq!(
        differs(over),
        [one("mounts", "2", "3"), one("/proc", "proc private", "proc private + tmpfs shared")].concat()
    );
    let read_only = |it: &mut Branch| it.sample.inside.mounts[0].read_only = true;
    assert_eq!(differs(read_only), one("/", "ext4 private", "ext4 private, read-only"));
}

#[test]
fn limits_are_compared_and_counters_only_by_whether_they_count() {
    let group = |change: fn(&mut Sample)| move |it: &mut Branch| change(&mut it.sample);
    let cpu = group(|sample| {
        (sample.cgroup.cpu.quota_micros, sample.cgroup.cpu.period_micros) = (Some(20_000), Some(100_000))
    });
    assert_eq!(differs(cpu), one("CPU limit", "no limit", "20 %"));
    assert_eq!(
        differs(group(|sample| sample.cgroup.memory.limit = Some(1 << 20))),
        one("memory limit", "no limit", "1.0 MiB")
    );
    assert_eq!(differs(group(|sample| sample.cgroup.pids.max = Some(9))), one("processes, at most", "no limit", "9"));
    assert_eq!(differs(group(|sample| sample.cgroup.memory.oom_kills = Some(0))), []);
    assert_eq!(differs(group(|sample| sample.cgroup.memory.oom_kills = Some(2))), one("killed for memory", "-", "2"));
    let times = |counts| {
        [own(), own()].map(|mut it| {
            it.sample.cgroup.cpu.throttled = Some(counts);
            it
        })
    };
    let ([first, _], [second, _]) = (times(4), times(7));
    assert!(rows([&first, &second], Lang::En).iter().all(|row| !row.differs), "two runs never count the same");
}

#[test]
fn processes_are_told_by_their_names_and_inner_numbers() {
    assert_eq!(
        differs(|it| it.sample.namespaces.extend([(Kind::Pid, 3)])),
        [
            one("pid", "new", "the host's"),
            one("process", "sh, PID 1 inside", "sh, the host's PID"),
            one("in its PID ns", "hog sh", "all of the host's"),
        ]
        .concat()
    );
    assert_eq!(differs(|it| drop(it.sample.processes.pop())), one("in its PID ns", "hog sh", "sh"));
    assert_eq!(differs(|it| it.sample.container = None), one("process", "sh, PID 1 inside", "-"));
}

#[test]
fn what_would_have_changed_the_machine_is_told_once() {
    let call = |name| Call::of(Pid(7), "sh", name, [0; 6]);
    let guarded = |it: &mut Branch| {
        it.guarded = vec![
            (call("mount"), Harm::Mounts, true),
            (call("mount"), Harm::Propagation("/".into()), true),
            (call("kill"), Harm::Process(Pid(1), "init".into()), false),
        ];
    };
    assert_eq!(
        differs(guarded),
        one("the machine", "untouched", "mount changes its mounts, kill refused: its processes")
    );
}

#[test]
fn the_call_is_told_with_its_result() {
    let returned = |name, returned| SyscallEvent {
        call: Call::of(Pid(7), "sh", name, [0x400_0000, 0, 0, 0, 0, 0]),
        returned,
        micros: 1,
        changed: Vec::new(),
        asked: None,
    };
    for (event, text) in [
        (Some(returned("unshare", Return::Value(0))), "unshare(NEWUTS) = 0"),
        (Some(returned("clone", Return::Value(4711))), "clone(NEWUTS) = a new PID"),
        (Some(returned("unshare", Return::Error(nix::errno::Errno::EPERM))), "unshare(NEWUTS) = -1 EPERM"),
        (None, "has not returned"),
    ] {
        assert_eq!(call(event.as_ref(), Lang::En), text);
    }
}
