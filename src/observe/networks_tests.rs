use super::super::processes::Stat;
use super::*;

#[test]
fn the_names_of_namespaces_are_the_places_where_they_are_mounted() {
    let table = mountinfo::parse(
        "9 8 0:4 net:[4026532200] /run/netns/A rw shared:1 - nsfs nsfs rw\n\
         10 8 0:4 mnt:[4026532201] /run/snapd/ns/x rw - nsfs nsfs rw\n\
         11 8 0:5 / /proc rw - proc proc rw\n",
    );
    let found: Vec<_> = named(&table).collect();
    assert_eq!(found, [(4_026_532_200, "A".into(), "/run/netns/A".into())]);
}

#[test]
fn counters_are_found_by_their_names() {
    let snmp = "Ip: Forwarding DefaultTTL InReceives InHdrErrors InAddrErrors ForwDatagrams\n\
                Ip: 2 64 9 0 3 7\nIcmp: InMsgs\nIcmp: 4\n";
    assert_eq!(parse_packets(snmp), Packets { forwarded: Some(7), wrong_address: Some(3) });
    assert_eq!(parse_packets("Ip: InAddrErrors\n"), Packets::default());
}

#[test]
fn our_own_namespace_comes_first_and_a_stranger_is_left_out() {
    let me = Pid::own();
    let stat = Stat { pid: me, ppid: Pid(1), comm: "me".into(), state: 'S', start: 0 };
    let tree = Tree::new([stat]);
    let strange = mountinfo::parse("9 8 0:4 net:[7] /run/netns/theirs rw - nsfs nsfs rw\n");
    let mine = mountinfo::parse("9 8 0:4 net:[8] /run/netns/mine rw - nsfs nsfs rw\n");
    let table = [strange, mine].concat();
    let (old, root) = (BTreeSet::from([7]), Path::new("/proc"));
    let finder = Finder { proc_root: root, host: (&table, None), old: &old };
    let seats = Seats { shells: vec![me], container: Some(me), host_terminal: None };
    let found = finder.find(&tree, &seats);
    let own = &found[0].network;
    assert!(own.host && own.container && !own.host_terminal);
    assert_eq!(own.processes, [Member { pid: me, comm: "me".into() }]);
    let named: Vec<_> = found[1..].iter().map(|one| (one.network.names.join(","), one.file.clone())).collect();
    assert_eq!(named, [("mine".to_string(), PathBuf::from("/run/netns/mine"))]);
}

/// A `/proc` in which each of these processes is in a network and a mount namespace, which sees this mount table.
fn processes(all: &[(&str, u64, u64, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (process, network, mounts, table) in all {
        let process = dir.path().join(process);
        std::fs::create_dir_all(process.join("ns")).unwrap();
        std::fs::write(process.join("mountinfo"), table).unwrap();
        std::os::unix::fs::symlink(format!("net:[{network}]"), process.join("ns/net")).unwrap();
        std::os::unix::fs::symlink(format!("mnt:[{mounts}]"), process.join("ns/mnt")).unwrap();
    }
    dir
}

fn stat((pid, ppid, state): (i32, i32, char)) -> Stat {
    Stat { pid: Pid(pid), ppid: Pid(ppid), comm: format!("c{pid}"), state, start: 0 }
}

#[test]
fn a_name_within_a_mount_namespace_leads_through_a_process_in_it() {
    let line = |inode: u64, name: &str| format!("9 8 0:4 net:[{inode}] /run/netns/{name} rw - nsfs nsfs rw\n");
    let host = mountinfo::parse(&(line(8, "old") + &line(1, "both") + &line(1, "both")));
    let dir = processes(&[
        ("self", 1, 1, ""),
        // In the host's mount namespace this table is not read.
        ("10", 1, 1, &line(7, "unread")),
        ("20", 5, 5, &(line(6, "A") + "10 8 0:5 / /proc rw - proc proc rw\n" + &line(5, "own"))),
        ("21", 5, 5, ""),
        ("22", 9, 5, ""),
        ("30", 4, 1, ""),
    ]);
    let tree = Tree::new([(10, 1, 'S'), (20, 10, 'S'), (21, 20, 'S'), (22, 20, 'Z'), (30, 1, 'S')].map(stat));
    let old = BTreeSet::from([8]);
    let finder = Finder { proc_root: dir.path(), host: (&host, Some(1)), old: &old };
    let seats = Seats { shells: vec![Pid(10)], container: Some(Pid(21)), host_terminal: Some(Pid(30)) };
    let found = finder.find(&tree, &seats);
    let told: Vec<_> = found
        .iter()
        .map(|found| {
            let pids: Vec<i32> = found.network.processes.iter().map(|member| member.pid.0).collect();
            let file = found.file.strip_prefix(dir.path()).unwrap_or(&found.file).display().to_string();
            (found.network.inode, found.network.names.join(","), pids, file)
        })
        .collect();
    assert_eq!(
        told,
        [
            (1, "both".into(), vec![10], "self/ns/net".into()),
            (5, "own".into(), vec![20, 21], "21/ns/net".into()),
            (4, String::new(), vec![], "30/ns/net".into()),
            (6, "A".into(), vec![], "20/root/run/netns/A".into()),
        ]
    );
    let seats: Vec<_> =
        found.iter().map(|it| (it.network.host, it.network.container, it.network.host_terminal)).collect();
    assert_eq!(seats, [(true, false, false), (false, true, false), (false, false, true), (false, false, false)]);
}

#[test]
fn a_crowd_is_not_named() {
    let pids: Vec<i32> = (10..10 + NAMED as i32 + 2).collect();
    let names: Vec<String> = pids.iter().map(ToString::to_string).collect();
    let mut all: Vec<_> = names.iter().map(|name| (name.as_str(), 5, 1, "")).collect();
    all.push(("self", 1, 1, ""));
    let dir = processes(&all);
    let tree = Tree::new(pids.iter().map(|pid| stat((*pid, if *pid == 10 { 1 } else { 10 }, 'S'))));
    let many = |name: i32| format!("9 8 0:4 net:[5] /run/netns/n{name} rw - nsfs nsfs rw\n");
    let host = mountinfo::parse(&pids.iter().map(|name| many(*name)).collect::<String>());
    let finder = Finder { proc_root: dir.path(), host: (&host, Some(1)), old: &BTreeSet::new() };
    let found = finder.find(&tree, &Seats { shells: vec![Pid(10)], ..Seats::default() });
    let network = &found[1].network;
    assert_eq!((network.inode, network.processes.len(), network.names.len()), (5, NAMED, NAMED));
}

#[test]
fn a_cable_is_followed_to_its_other_end() {
    let link = |index, peer: Option<(u32, u64)>| Link {
        index,
        peer: peer.map(|(index, network)| Peer { index, network: Some(network) }),
        ..Link::default()
    };
    let network = |inode, link| Network { inode, interfaces: vec![link], ..Network::default() };
    let networks =
        Networks { all: vec![network(1, link(7, Some((3, 2)))), network(2, link(3, Some((7, 9))))], more: 0 };
    let other = |at: usize| networks.other_end(&networks.all[at].interfaces[0]);
    assert_eq!(other(0).map(|(network, link)| (network.inode, link.index)), Some((2, 3)));
    assert_eq!(other(1), None, "it leads to a namespace that was not read");
}
