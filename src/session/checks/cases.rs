//! What the tables of checks are made of: one container to vary, and events as the tracer makes them.

use super::{Evidence, Verdict, decide};
use crate::kernel::pid::Pid;
use crate::{
    kernel::{namespaces::Kind, pid::Signal},
    lang::{Both, Lang},
    lesson::parse_fact,
    observe::{Asked, ForChildren, Group, Interface, Links, Privileges, Process, Sample, Scorecard, Side, mounts},
    trace::{Call, Ended, Return, SyscallEvent},
};
use nix::errno::Errno;

/// An instruction, what was read, and what it comes to: whether it holds, expected, observed.
pub(in crate::session) struct Case<'a>(pub &'a str, pub Sample, pub bool, pub &'a str, pub &'a str);

/// Decides every row, and the first once more without any sample.
pub(in crate::session) fn all<const N: usize>(cases: [Case<'_>; N]) {
    if let Some(Case(instruction, _, _, _, _)) = cases.first() {
        decided(instruction, &Evidence::default(), Some(false), "", "nothing was read yet");
    }
    for Case(instruction, sample, passed, expected, observed) in cases {
        let evidence = Evidence { sample: Some(sample.into()), ..Evidence::default() };
        decided(instruction, &evidence, Some(passed), expected, observed);
    }
}

/// An instruction as a lesson has it comes to this.
#[track_caller]
pub(in crate::session) fn decided(
    instruction: &str,
    evidence: &Evidence,
    passed: Option<bool>,
    expected: &str,
    observed: &str,
) {
    let fact = parse_fact(&instruction.split_whitespace().collect::<Vec<_>>()).unwrap();
    let verdict = decide(&fact, evidence, Lang::En);
    let wanted = Verdict { passed, expected: expected.into(), observed: observed.into(), ..Verdict::default() };
    assert_eq!(verdict, wanted, "{instruction}");
    // The other language comes to the same.
    assert_eq!(decide(&fact, evidence, Lang::Zh).passed, passed, "{instruction}");
}

/// A process; the last of its numbers is that in its own PID namespace, which is the container's where there are two.
pub(in crate::session) fn process(pid: i32, ppid: i32, nspid: &[i32], comm: &str, state: char) -> Process {
    let pid_ns = if nspid.len() > 1 { CONTAINER_PID } else { HOST_PID };
    Process { pid: Pid(pid), ppid: Pid(ppid), nspid: nspid.to_vec(), comm: comm.into(), state, pid_ns: Some(pid_ns) }
}

const HOST_PID: u64 = 4_026_531_836;
const CONTAINER_PID: u64 = 4_026_532_180;

/// A container with everything: namespaces of its own, `box` as its name, a shell as PID 1 and an orphan, limits.
pub(in crate::session) fn sample() -> Sample {
    let links = |pid, others: u64| -> Links {
        let kinds = [Kind::Ipc, Kind::Mnt, Kind::Net, Kind::User, Kind::Uts];
        kinds.into_iter().zip(others..).chain([(Kind::Pid, pid)]).collect()
    };
    let link = |name: &str, up| Interface { name: name.into(), up, addresses: Vec::new() };
    let mut sample = Sample {
        container: Some(Pid(102)),
        namespaces: links(CONTAINER_PID, 4_026_532_100),
        host_namespaces: links(HOST_PID, 4_026_531_830),
        for_children: ForChildren::Inode(CONTAINER_PID),
        processes: vec![
            process(100, 1, &[100], "bash", 'S'),
            process(101, 100, &[101], "unshare", 'S'),
            process(102, 101, &[102, 1], "sh", 'S'),
            process(103, 102, &[103, 2], "sleep", 'S'),
        ],
        scorecard: Scorecard::default(),
        privileges: Privileges::default(),
        host_privileges: Privileges::default(),
        host: Side {
            hidden_mounts: Some(0),
            hostname: Some("machine".into()),
            interfaces: vec![link("lo", true), link("eth0", true)],
            listening: vec![22],
            sysv: Vec::new(),
            mounts: mounts::parse("27 1 254:0 / / rw shared:1 - ext4 /dev/vda rw\n"),
            proc_shows_host: Some(true),
        },
        inside: Side {
            hidden_mounts: Some(0),
            hostname: Some("box".into()),
            interfaces: vec![link("lo", false)],
            listening: vec![8080],
            sysv: vec!["queue 0".into(), "shm 3".into()],
            mounts: mounts::parse("50 27 254:0 / / rw - ext4 /dev/vda rw\n51 50 0:40 / /proc rw - proc proc rw\n"),
            proc_shows_host: Some(false),
        },
        group: Group {
            exists: true,
            members: vec![Pid(102)],
            members_of: ["cpu", "memory"].map(|name| (name.into(), vec![Pid(102)])).into(),
            ..Group::default()
        },
        ..Sample::default()
    };
    let values = &mut sample.group.values;
    (values.cpu.quota_micros, values.cpu.period_micros) = (Some(50_000), Some(100_000));
    (values.memory.limit, values.memory.with_swap) = (Some(10_485_760), Some(20_971_520));
    values.pids.max = Some(12);
    let mut file = |inside, path: &str, text: Option<&str>| {
        sample.files.insert(Asked { inside, path: path.into() }, text.map(String::from));
    };
    file(true, "/etc/os-release", Some("NAME=boxwright\nID=box\n"));
    file(true, "/gone", None);
    file(true, "/dev/null", Some(""));
    file(false, "rootfs/hello", Some("world\n"));
    sample.devices.insert(Asked { inside: true, path: "/dev/null".into() }, "c 1:3".into());
    sample
}

/// The same with a change.
pub(in crate::session) fn with<T>(change: impl FnOnce(&mut Sample) -> T) -> Sample {
    let mut sample = sample();
    let _ = change(&mut sample);
    sample
}

/// A call whose first argument is this value, and how it ended: a result or an errno.
pub(in crate::session) fn call(name: &str, value: u64, returned: Result<i64, i32>) -> SyscallEvent {
    event(name, value, returned.map_or_else(|errno| Return::Error(Errno::from_raw(errno)), Return::Value))
}

fn event(name: &str, value: u64, returned: Return) -> SyscallEvent {
    let call = Call::of(Pid(102), "sh", name, [value, 0, 0, 0, 0, 0]);
    SyscallEvent { call, returned, micros: 0, changed: Vec::new(), asked: None }
}

/// A call whose process died in it.
pub(in crate::session) fn unfinished(name: &str, value: u64) -> SyscallEvent {
    event(name, value, Return::Never)
}

/// A program that ended with this status.
pub(in crate::session) fn exited(name: &str, status: i32) -> (String, Ended) {
    (name.into(), Ended::Exited(status))
}

/// A program that this signal killed.
pub(in crate::session) fn killed(name: &str, signal: i32) -> (String, Ended) {
    (name.into(), Ended::Killed(Signal(signal)))
}

/// Why nothing is traced.
pub(in crate::session) fn untraced() -> Both {
    Both { en: "no tracer".into(), zh: "跟踪器未启动".into() }
}
