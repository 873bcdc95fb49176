use super::*;
use crate::{
    kernel::{
        mountinfo::Mount,
        namespaces::Kind,
        owned::{Mapped, Owner},
        pid::Pid,
    },
    lesson::{Ability, Edited, Fills, Requirement, Wiring},
    observe::{
        Asked, Cgroup, Container, Count, Cpu, Entrant, ForChildren, Group, Interface, Io, Link, Member, Memory,
        Neighbour, Network, Networks, Packets, Peer, Pids, Pressure, Privileges, Process, Reached, Resolved, Route,
        Scorecard, Side, Users,
    },
    trace::{Call, Ended, Harm, Instead},
};
use crossterm::event::{KeyCode, KeyEventKind, KeyModifiers};
use nix::errno::Errno;
use proptest::prelude::*;

fn edited() -> Edited {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("en.md"), "# One\n").unwrap();
    Edited::read(&dir.path().display().to_string(), &Fills::of_this_machine("builtin:")).unwrap()
}

fn networks() -> Networks {
    let count = Count { packets: 1, bytes: 84 };
    let link = Link {
        index: 3,
        name: "eth0".into(),
        kind: "veth".into(),
        up: true,
        carrier: true,
        address: "02:00:00:00:00:01".into(),
        addresses: vec!["10.1.0.2/24".into()],
        master: Some(4),
        peer: Some(Peer { index: 7, network: Some(9) }),
        learned: vec!["02:00:00:00:00:02".into()],
        received: count,
        sent: count,
    };
    let route = Route {
        to: "default".into(),
        via: Some("10.1.0.1".into()),
        out: "eth0".into(),
        refuses: "prohibit".into(),
        kernel: true,
    };
    let neighbour = Neighbour {
        ip: "10.1.0.1".into(),
        out: "eth0".into(),
        state: "STALE".into(),
        address: "02:00:00:00:00:02".into(),
    };
    let network = Network {
        inode: 8,
        host: true,
        container: true,
        host_terminal: true,
        names: vec!["A".into()],
        processes: vec![Member { pid: Pid(7), comm: "sh".into() }],
        interfaces: vec![link],
        routes: vec![route],
        neighbours: vec![neighbour],
        left_out: 1,
        forwards: Some(true),
        packets: Packets { forwarded: Some(1), wrong_address: Some(2) },
        unread: Some("setns: EPERM".into()),
    };
    Networks { all: vec![network], more: 1 }
}

fn resolved() -> Resolved {
    let text = |text: &str| Some(text.to_string());
    Resolved { name: "*.box".into(), address: text("10.1.0.1"), why: text("NXDOMAIN"), server: "10.1.0.1".into() }
}

fn reached() -> Reached {
    let text = |text: &str| Some(text.to_string());
    let (from, to) = ("inside".into(), "10.2.0.2:80".into());
    Reached { from, to, errno: text("EPERM"), seen_as: text("10.2.0.1"), at: Some(8) }
}

/// No field has its default value, so that none is lost unseen.
fn sample() -> Sample {
    let links = |first: u64| BTreeMap::from([(Kind::Pid, first), (Kind::Uts, first + 1)]);
    let pressure = Some(Pressure { some: 1.25, full: Some(0.01) });
    let cgroup = || Cgroup {
        paths: BTreeMap::from([(String::new(), "/box".into()), ("cpu".into(), "/其他".into())]),
        cpu: Cpu {
            usage_micros: Some(1),
            quota_micros: Some(2),
            period_micros: Some(3),
            periods: Some(4),
            throttled: Some(5),
            throttled_micros: Some(6),
            pressure,
        },
        memory: Memory {
            current: Some(1),
            peak: Some(2),
            limit: Some(3),
            with_swap: Some(4),
            current_with_swap: Some(5),
            limit_hits: Some(6),
            ooms: Some(7),
            oom_kills: Some(8),
            pressure,
        },
        pids: Pids { current: Some(1), max: Some(u64::MAX) },
        io: Io { pressure },
    };
    let side = |host: &str| Side {
        hostname: Some(host.into()),
        interfaces: vec![Interface { name: "lo".into(), up: true, addresses: vec!["127.0.0.1/8".into()] }],
        listening: vec![80],
        sysv: vec!["queue 0".into()],
        mounts: vec![Mount {
            id: 1,
            parent: 2,
            device: "254:0".into(),
            root: "/".into(),
            point: "/a b".into(),
            kind: "tmpfs".into(),
            source: "box".into(),
            propagation: "shared".into(),
            read_only: true,
        }],
        hidden_mounts: Some(3),
        proc_shows_host: Some(false),
    };
    let privileges = Privileges {
        capabilities: Some(u64::MAX),
        no_new_privs: Some(true),
        seccomp: Some(true),
        bounding: Some(7),
        uid: Some(0),
        filters: Some(1),
    };
    let inside = Asked { inside: true, path: "/etc/a:b".into() };
    let users = Users {
        uid: Some(1000),
        gid: Some(100),
        uid_map: Some(vec![Mapped { inside: 0, outside: 1000, count: 1 }]),
        gid_map: Some(Vec::new()),
        setgroups: Some(false),
        bounding: Some(7),
        owners: BTreeMap::from([(Kind::Uts, Owner { user: 9, maker: Some(1000) })]),
    };
    Sample {
        containers: vec![Container { pid: Pid(9), start: 77, comm: "sh".into(), by: "unshare".into() }],
        container: Some(Pid(7)),
        namespaces: links(1),
        host_namespaces: links(3),
        for_children: ForChildren::Inode(5),
        cgroup: cgroup(),
        processes: vec![Process {
            pid: Pid(7),
            ppid: Pid(1),
            nspid: vec![7, 1],
            comm: "sh".into(),
            state: 'S',
            pid_ns: Some(5),
        }],
        scorecard: Scorecard { isolated: true, rooted: true, limited: true, entered: true },
        privileges,
        reaps: Some(true),
        newcomer: Some(vec![Kind::Pid]),
        entrants: vec![Entrant { pid: Pid(8), comm: "sleep".into(), other_user_namespace: true, privileges }],
        host_privileges: privileges,
        host: side("host"),
        inside: side("box"),
        group: Group {
            exists: true,
            members: vec![Pid(7)],
            members_of: BTreeMap::from([("cpu".into(), vec![Pid(7)])]),
            values: cgroup(),
            at_micros: 9,
            delay_micros: Some(1),
        },
        files: BTreeMap::from([
            (inside.clone(), Some("text".into())),
            (Asked { inside: false, path: "notes".into() }, None),
        ]),
        users: users.clone(),
        host_users: users,
        file_owners: BTreeMap::from([(inside.clone(), 65534)]),
        devices: BTreeMap::from([(inside, "c 1:3".into())]),
        networks: Some(networks()),
        more_devices: Some(vec!["sda b 8:0".into()]),
        reached: vec![reached()],
        resolved: vec![resolved()],
        outside: Some("3 /".into()),
        silent: Some("/proc/7/root".into()),
    }
}

fn key(code: KeyCode, modifiers: KeyModifiers, kind: KeyEventKind) -> Event {
    Event::Key(KeyEvent::new_with_kind(code, modifiers, kind))
}

fn stored_and_read(event: &Event) {
    let stored = serde_json::to_string(event).unwrap();
    assert_eq!(&serde_json::from_str::<Event>(&stored).unwrap(), event, "{stored}");
}

#[test]
fn every_event_is_read_back_as_it_was_stored() {
    let host = TerminalId::Host;
    let lacking = vec![
        (Requirement::Root, "no".into()),
        (Requirement::Namespace(Kind::User), "no".into()),
        (Requirement::AnyController(vec!["cpu".into()]), "no".into()),
        (Requirement::CgroupVersion(2, "memory".into()), "no".into()),
        (Requirement::SessionDir(Ability::Upper), "no".into()),
        (Requirement::Network(Wiring::Nat), "no".into()),
    ];
    for event in [
        key(KeyCode::Char('c'), KeyModifiers::CONTROL, KeyEventKind::Press),
        key(KeyCode::F(5), KeyModifiers::NONE, KeyEventKind::Repeat),
        key(KeyCode::PageDown, KeyModifiers::SHIFT | KeyModifiers::ALT, KeyEventKind::Release),
        Event::Paste("二\n".into()),
        Event::Resize(Size::new(140, 45)),
        Event::Output(host, "\u{1b}[1m读\r\n".into()),
        Event::Output(host, vec![0xe4, 0xbb]),
        Event::Closed(TerminalId::Container),
        Event::Waits(host, Pid(7)),
        Event::Place(host, Place { new: vec![Kind::Mnt], rooted: true }),
        Event::Trace(host, TraceEvent::Finished(Pid(7), Ended::Exited(1))),
        Event::Sample(3, Arc::new(sample())),
        Event::Clock(Duration::from_micros(1_500_001)),
        Event::Deadline,
        Event::Working("tar".into()),
        Event::Doctor(vec!["a".into(), String::new()]),
        Event::Trouble("t".into()),
        Event::Said("s".into()),
        Event::Lacking(BTreeMap::from([("en", lacking.clone()), ("zh", lacking)])),
        Event::Line(host, "ls".into()),
        Event::Stdin("! ls".into()),
        Event::Edited(Box::new(edited())),
        Event::Open("isolate".into(), 2),
        Event::Wish(Wish::RunUntil("mount".into())),
        Event::Wish(Wish::Instead(Pid(7), Instead::Fails(Errno::ENOSYS))),
        Event::Prompt(host, 1, 7),
        Event::Typed(host),
        Event::Submitted(host, None),
        Event::HalfTyped(host, true),
        Event::Branches(Arc::new(branches())),
        Event::Drawn,
        Event::Signal(15),
        Event::Suspend,
        Event::Resume,
        Event::HungUp,
    ] {
        stored_and_read(&event);
    }
    assert!(serde_json::from_str::<Event>(r#"{"key":{"name":"nosuch"}}"#).is_err());
    assert!(serde_json::from_str::<Event>(r#"{"key":{"letter":"a","kind":9}}"#).is_err());
}

fn branches() -> Branches {
    let call = Call::of(Pid(7), "sh", "unshare", [0x2_0000, 0, 0, 0, 0, 0]);
    let change = Change::Call { syscall: call.syscall, after: 2, instead: Instead::Fails(Errno::EPERM) };
    let (place, before) = (("isolate".to_string(), "one".to_string()), Vec::new());
    let plan = Plan { place, before, terminal: TerminalId::Container, line: "unshare -m sh".into(), change };
    let guarded = vec![(call, Harm::HostName, true)];
    let as_it_is =
        Branch { name: "box".into(), call: None, guarded, status: Some(0), printed: "x".into(), sample: sample() };
    let changed = Branch { guarded: Vec::new(), status: None, ..as_it_is.clone() };
    Branches { plan, as_it_is, changed }
}

#[test]
fn what_is_stored_is_readable() {
    let stored = |event: &Event| serde_json::to_string(event).unwrap();
    assert_eq!(
        stored(&key(KeyCode::Char('c'), KeyModifiers::CONTROL, KeyEventKind::Press)),
        r#"{"key":{"letter":"c","modifiers":2}}"#
    );
    assert_eq!(stored(&Event::Output(TerminalId::Host, "读".into())), r#"{"output":["host","读"]}"#);
}

proptest! {
    #[test]
    fn output_is_kept_to_the_byte(bytes: Vec<u8>) {
        stored_and_read(&Event::Output(TerminalId::Container, bytes));
    }
}
