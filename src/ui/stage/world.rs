//! States of a machine: a shell, then one that has called unshare(2).

use crate::kernel::pid::Pid;
use crate::{
    kernel::namespaces::Kind,
    observe::{ForChildren, Interface, Links, Mount, Process, Sample, Side},
};

pub(super) const HOST: u64 = 4026531830;

fn links() -> Links {
    [
        (Kind::Uts, 8),
        (Kind::Ipc, 9),
        (Kind::Mnt, 2),
        (Kind::Net, 3),
        (Kind::Pid, 6),
        (Kind::User, 7),
        (Kind::Cgroup, 5),
        (Kind::Time, 4),
    ]
    .into_iter()
    .map(|(kind, offset)| (kind, HOST + offset))
    .collect()
}

fn process(pid: i32, ppid: i32, nspid: &[i32], comm: &str) -> Process {
    Process {
        pid: Pid(pid),
        ppid: Pid(ppid),
        nspid: nspid.to_vec(),
        comm: comm.into(),
        state: 'S',
        pid_ns: links().get(&Kind::Pid).copied(),
    }
}

fn side() -> Side {
    let mount = |id: u32, point: &str, kind: &str, source: &str| Mount {
        id,
        point: point.into(),
        kind: kind.into(),
        source: source.into(),
        root: "/".into(),
        ..Mount::default()
    };
    Side {
        hidden_mounts: Some(0),
        hostname: Some("classroom".into()),
        interfaces: vec![
            Interface { name: "lo".into(), up: true, addresses: vec!["127.0.0.1/8".into()] },
            Interface { name: "eth0".into(), up: true, addresses: vec!["10.0.0.5/24".into()] },
        ],
        listening: vec![22, 8080],
        sysv: Vec::new(),
        mounts: vec![mount(1, "/", "ext4", "/dev/vda"), mount(2, "/proc", "proc", "proc")],
        proc_shows_host: Some(true),
    }
}

/// A shell and nothing else.
pub(crate) fn plain() -> Sample {
    let mut sample = Sample {
        container: Some(Pid(4702)),
        namespaces: links(),
        host_namespaces: links(),
        for_children: ForChildren::Inode(HOST + 6),
        processes: vec![process(4702, 1, &[4702], "sh")],
        host: side(),
        inside: side(),
        ..Sample::default()
    };
    sample.cgroup.paths =
        [("cpu", "/"), ("memory", "/"), ("pids", "/user.slice")].map(|(name, path)| (name.into(), path.into())).into();
    sample.cgroup.memory.current = Some(5_347_737);
    sample.cgroup.memory.limit = Some(10 << 20);
    sample
}

pub(super) fn with_unshare() -> Sample {
    let mut sample = plain();
    sample.container = Some(Pid(4711));
    sample.processes.push(process(4711, 4702, &[4711], "unshare"));
    sample
}

/// After `unshare` with five flags, before the fork.
pub(crate) fn unshared() -> Sample {
    let mut sample = with_unshare();
    for (kind, inode) in
        [(Kind::Uts, 4026532178), (Kind::Ipc, 4026532179), (Kind::Mnt, 4026532177), (Kind::Net, 4026532181)]
    {
        sample.namespaces.insert(kind, inode);
    }
    sample.for_children = ForChildren::NotMade;
    sample.inside.interfaces = vec![Interface { name: "lo".into(), up: false, addresses: Vec::new() }];
    sample.inside.listening.clear();
    sample.inside.mounts.push(Mount {
        id: 9,
        point: "/tmp/容器測試".into(),
        kind: "tmpfs".into(),
        source: "none".into(),
        ..Mount::default()
    });
    sample
}
