use super::super::{networks::Member, stub::Stub};
use super::*;
use crate::kernel::apart::{Apart, forked};

#[test]
fn our_own_namespace_is_read_without_entering_anything() {
    let own = File::open("/proc/self/ns/net").unwrap();
    let inode = own.metadata().unwrap().ino();
    let answer = read(inode, &[(inode, &own)]);
    assert_eq!((answer.inode, answer.network.unread.as_deref(), answer.again), (inode, None, false));
    let lo = answer.network.interfaces.iter().find(|link| link.name == "lo").unwrap();
    assert_eq!((lo.kind.as_str(), lo.peer, lo.carrier, lo.address.as_str()), ("", None, lo.up, ""));
    let mut entered = false;
    assert_eq!((enter(&own, true, &mut entered), entered), (Ok(()), false));
}

#[test]
fn who_does_not_answer_is_named_with_an_errno() {
    let host = Network { inode: 7, host: true, ..Network::default() };
    let found = vec![Found { network: host.clone(), file: "/proc/self/ns/net".into() }];
    let asked = ask(Path::new("/bin/false"), found.clone());
    assert_eq!(asked.all, [Network { unread: Some("__ns-helper: ETIMEDOUT".into()), ..host.clone() }]);
    let mut other = found;
    take(&mut other, 0, Answer { inode: 8, ..Answer::default() });
    assert_eq!(other[0].network, Network { unread: Some("open: ESRCH".into()), ..host });
}

fn link(index: u32, name: &str) -> interfaces::Link {
    interfaces::Link { index, name: name.into(), ..interfaces::Link::default() }
}

fn route(out: u32) -> routes::Route {
    routes::Route { to: None, v4: true, via: None, out: Some(out), refuses: "", kernel: false, metric: 0 }
}

#[test]
fn an_interface_is_told_with_what_belongs_to_it() {
    let ip = |index, ip: &str, prefix| Address {
        index,
        ip: ip.parse().unwrap(),
        prefix,
        broadcast: None,
        scope: "global",
        flags: 0,
        label: None,
        lifetimes: [None; 2],
    };
    let told = Told {
        addresses: vec![ip(2, "10.1.0.1", 24), ip(3, "10.2.0.1", 16), ip(2, "fe80::1", 64)],
        learned: vec![(2, vec![2, 0, 0, 0, 0, 0x1f]), (3, vec![2; 6])],
        numbers: BTreeMap::from([(7, 4711)]),
        ..Told::default()
    };
    let cable = interfaces::Link {
        made: "veth".into(),
        kind: "ether",
        other: Some((9, true)),
        elsewhere: Some(7),
        master: Some(5),
        flags: UP | 2,
        address: vec![2, 0, 0, 0, 0, 0xab],
        counts: [1, 20, 3, 40],
        ..link(2, "va")
    };
    let expected = Link {
        index: 2,
        name: "va".into(),
        kind: "veth".into(),
        up: true,
        carrier: false,
        address: "02:00:00:00:00:ab".into(),
        addresses: vec!["10.1.0.1/24".into(), "fe80::1/64".into()],
        master: Some(5),
        peer: Some(Peer { index: 9, network: Some(4711) }),
        learned: vec!["02:00:00:00:00:1f".into()],
        received: Count { packets: 1, bytes: 20 },
        sent: Count { packets: 3, bytes: 40 },
    };
    assert_eq!(interface(&cable, 1, &told), expected);
    let peer = |elsewhere| {
        let link = interfaces::Link { elsewhere, other: Some((9, true)), flags: LOWER_UP, ..cable.clone() };
        let link = interface(&link, 1, &told);
        assert_eq!((link.up, link.carrier), (false, true));
        link.peer.and_then(|peer| peer.network)
    };
    assert_eq!((peer(None), peer(Some(8))), (Some(1), None), "its own, and one that was not read");
    let lo = interface(&interfaces::Link { kind: "loopback", ..cable }, 1, &told);
    assert_eq!(lo.address, "");
}

#[test]
fn routes_and_neighbours_name_interfaces() {
    let (to, via) = ("10.1.0.0".parse().unwrap(), "10.1.0.1".parse().ok());
    let told = Told {
        links: vec![link(1, "lo"), link(2, "va")],
        routes: vec![
            routes::Route { to: Some((to, 24)), kernel: true, ..route(2) },
            routes::Route { via, ..route(2) },
            routes::Route { refuses: "blackhole", ..route(1) },
            route(3),
        ],
        neighbours: vec![routes::Neighbour { ip: to, index: 2, state: "STALE", address: vec![2, 1] }],
        ..Told::default()
    };
    let network = kept(7, told);
    let routes: Vec<_> = network.routes.iter().map(|it| (it.to.as_str(), it.out.as_str(), it.kernel)).collect();
    assert_eq!(
        routes,
        [("10.1.0.0/24", "va", true), ("default", "va", false), ("default", "", false), ("default", "", false)]
    );
    let more: Vec<_> = network.routes.iter().map(|it| (it.via.as_deref(), it.refuses.as_str())).collect();
    assert_eq!(more, [(None, ""), (Some("10.1.0.1"), ""), (None, "blackhole"), (None, "")]);
    let expected =
        Neighbour { ip: "10.1.0.0".into(), out: "va".into(), state: "STALE".into(), address: "02:01".into() };
    assert_eq!((network.neighbours, network.interfaces.len(), network.left_out), (vec![expected], 2, 0));
}

#[test]
fn of_many_interfaces_cables_to_elsewhere_are_kept_and_the_rest_is_counted() {
    let [_, most, few] = MAX;
    let count = most as u32 + 3;
    let mut links: Vec<_> = (1..=count).map(|index| link(index, "any")).collect();
    links[count as usize - 1].elsewhere = Some(0);
    let neighbour = |last| routes::Neighbour { ip: [10, 0, 0, last].into(), index: 1, state: "STALE", address: vec![] };
    let told = Told {
        links,
        routes: vec![route(1); few + 2],
        neighbours: (0..few as u8 + 1).map(neighbour).collect(),
        ..Told::default()
    };
    let network = kept(7, told);
    let shown: Vec<u32> = network.interfaces.iter().map(|link| link.index).collect();
    assert_eq!(shown, (1..most as u32).chain([count]).collect::<Vec<_>>());
    assert_eq!((network.routes.len(), network.neighbours.len(), network.left_out), (few, few, 3 + 2 + 1));
}

#[test]
fn what_the_kernel_says_of_all_packets_is_read_beside() {
    let network = read(1, &[]).network;
    let forwards = text::read("/proc/sys/net/ipv4/ip_forward").unwrap();
    assert_eq!(network.forwards, Some(forwards == "1\n"));
    assert!(network.packets.forwarded.is_some() && network.packets.wrong_address.is_some());
    let (links, routes) = (interfaces::links().unwrap(), routes::routes().unwrap());
    assert_eq!(network.interfaces.len() + network.routes.len(), links.len().min(MAX[1]) + routes.len().min(MAX[2]));
}

/// So many namespaces, each with the number of its place, and of which the first is the host's.
fn found(count: u64) -> Vec<Found> {
    let one = |inode| Found {
        network: Network {
            inode,
            host: inode == 0,
            container: inode == 1,
            host_terminal: inode == 2,
            names: vec![format!("n{inode}")],
            processes: vec![Member { pid: Pid(7), comm: "sh".into() }],
            ..Network::default()
        },
        file: format!("/f/{inode}").into(),
    };
    (0..count).map(one).collect()
}

#[test]
fn an_answer_is_joined_to_what_is_known_of_its_namespace() {
    let (stub, all) = (Stub::new(), found(3));
    let answer = |inode| Answer { inode, network: Network { left_out: 5, ..Network::default() }, again: false };
    stub.say(&[answer(0), answer(1), failed(9, "setns", Errno::EPERM)]);
    let networks = ask(&stub.exe(), all.clone());
    let expected = |at: usize, left_out, unread: Option<&str>| Network {
        left_out,
        unread: unread.map(String::from),
        ..all[at].network.clone()
    };
    let all = vec![expected(0, 5, None), expected(1, 5, None), expected(2, 0, Some("setns: EPERM"))];
    assert_eq!(networks, Networks { all, more: 0 });
    assert_eq!(stub.asked(), ["networks 3 /f/0 /f/1 /f/2"]);
}

#[test]
fn whom_a_child_cannot_enter_any_more_another_one_is_asked_for() {
    let stub = Stub::new();
    let again = |inode| Answer { again: true, ..failed(inode, "setns", Errno::EPERM) };
    // The first one is read, and another child asked for the rest, until all are.
    stub.say(&[Answer::default(), again(1), again(2)]);
    let unread = |networks: Networks| networks.all.into_iter().map(|network| network.unread).collect::<Vec<_>>();
    let gone = Some("open: ESRCH".to_string());
    assert_eq!(unread(ask(&stub.exe(), found(3))), [None, gone.clone(), gone]);
    assert_eq!(stub.asked(), ["networks 3 /f/0 /f/1 /f/2", "networks 2 /f/1 /f/2 /f/0", "networks 1 /f/2 /f/0 /f/1"]);
    // Where a child has read nothing, none is luckier.
    let stub = Stub::new();
    stub.say(&[again(0), again(1), again(2)]);
    assert_eq!(unread(ask(&stub.exe(), found(3))), vec![Some("setns: EPERM".to_string()); 3]);
    assert_eq!(stub.asked().len(), 1);
}

#[test]
fn too_many_namespaces_are_counted() {
    let stub = Stub::new();
    stub.say(&Vec::<Answer>::new());
    let networks = ask(&stub.exe(), found(MAX[0] as u64 + 2));
    assert_eq!((networks.all.len(), networks.more), (MAX[0], 2));
    assert_eq!(ask(Path::new("/bin/false"), Vec::new()), Networks::default());
}

#[test]
#[cfg_attr(no_user_namespaces, ignore = "no user namespaces could be made when this was built")]
fn namespaces_are_entered_one_after_the_other() {
    let (first, second) = (Apart::new(), Apart::new());
    let own = "/proc/self/ns/net".to_string();
    let files = ["4".into(), own.clone(), first.file("net"), "/no/such".into(), second.file("net"), own];
    let answers: Vec<Answer> =
        serde_json::from_str(&forked(|| serde_json::to_string(&answers(&files)).unwrap())).unwrap();
    let inode = |file: &str| File::open(file).map_or(0, |file| file.metadata().unwrap().ino());
    assert_eq!(answers.len(), 4);
    for (answer, file) in answers.iter().zip(&files[1..]) {
        assert_eq!(answer.inode, inode(file), "{file}");
    }
    let [here, first, none, second] = answers.as_slice() else { panic!("{answers:?}") };
    assert!(here.network.unread.is_none() && !here.again && !first.again && !none.again);
    let [lo] = first.network.interfaces.as_slice() else { panic!("{first:?}") };
    assert_eq!((lo.name.as_str(), lo.up, first.network.routes.len()), ("lo", false, 0));
    assert_eq!(none.network.unread.as_deref(), Some("open: ENOENT"));
    // Who had to enter a user namespace cannot enter what belongs to another one.
    let apart = Some("setns: EPERM".to_string()).filter(|_| !nix::unistd::geteuid().is_root());
    assert_eq!((second.again, &second.network.unread), (apart.is_some(), &apart));
}
