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
