use super::super::cases::{Case, all, with};
use crate::observe::{Link, Neighbour, Network, Networks, Packets, Peer, Reached, Resolved, Route, Sample};

/// A container with `eth0`, a host with a bridge and two cables, and another machine; the machine's own network comes first.
fn networks() -> Networks {
    let link = |index, name: &str, other: (u64, u32), address: &str| Link {
        index,
        name: name.into(),
        kind: "veth".into(),
        up: true,
        carrier: true,
        addresses: vec![address.into(), "fe80::1/64".into()],
        peer: Some(Peer { index: other.1, network: Some(other.0) }),
        ..Link::default()
    };
    let bridge = Link { index: 9, name: "br0".into(), kind: "bridge".into(), ..Link::default() };
    let route = |to: &str, via: Option<&str>, out: &str| Route {
        to: to.into(),
        via: via.map(String::from),
        out: out.into(),
        ..Route::default()
    };
    let neighbour = |ip: &str, state: &str, address: &str| Neighbour {
        ip: ip.into(),
        state: state.into(),
        address: address.into(),
        ..Neighbour::default()
    };
    let machine = Network { inode: 1, host: true, ..Network::default() };
    let container = Network {
        inode: 2,
        container: true,
        interfaces: vec![link(3, "eth0", (3, 7), "10.1.0.2/24")],
        routes: vec![route("default", Some("10.1.0.1"), "eth0"), route("10.1.0.0/24", None, "eth0")],
        forwards: Some(false),
        ..Network::default()
    };
    let port = Link { master: Some(9), ..link(7, "va", (2, 3), "10.1.0.1/24") };
    let outside = Network {
        inode: 3,
        host_terminal: true,
        interfaces: vec![port, link(8, "vc", (4, 2), "10.2.0.1/24"), bridge],
        neighbours: vec![
            neighbour("10.1.0.2", "STALE", "02:00:00:00:00:01"),
            neighbour("10.1.0.77", "FAILED", ""),
            neighbour("10.1.0.78", "INCOMPLETE", ""),
        ],
        forwards: Some(true),
        packets: Packets { forwarded: Some(0), wrong_address: Some(3) },
        ..Network::default()
    };
    let far = Network { inode: 4, interfaces: vec![link(2, "eth0", (3, 8), "10.2.0.2/24")], ..Network::default() };
    Networks { all: vec![machine, container, outside, far], more: 0 }
}

fn wired() -> Sample {
    with(|sample| sample.networks = Some(networks()))
}

fn changed<T>(change: impl FnOnce(&mut Networks) -> T) -> Sample {
    with(|sample| {
        let mut all = networks();
        change(&mut all);
        sample.networks = Some(all);
    })
}

#[test]
fn two_ends_are_one_cable() {
    let wanted = "va ⇄ eth0 (inside)";
    let unread = || changed(|all| all.all[1].unread = Some("setns: EPERM".into()));
    let moved = || changed(|all| all.all[2].interfaces[0].peer = Some(Peer { index: 2, network: Some(4) }));
    let alone = || changed(|all| all.all[2].interfaces[0].peer = None);
    let at_home = || changed(|all| all.all[2].host_terminal = false);
    all([
        Case("cable outside va inside eth0", wired(), true, wanted, wanted),
        Case("cable inside eth0 outside va", wired(), true, "eth0 ⇄ va (outside)", "eth0 ⇄ va (outside)"),
        Case("cable outside vc far eth0", wired(), true, "vc ⇄ eth0 (far)", "vc ⇄ eth0 (far)"),
        Case("cable outside va inside eth1", wired(), false, "va ⇄ eth1 (inside)", wanted),
        Case("cable outside v0 inside eth0", wired(), false, "v0 ⇄ eth0 (inside)", "v0: absent"),
        Case("cable outside va inside eth0", moved(), false, wanted, "va ⇄ eth0 (elsewhere)"),
        Case("cable outside va inside eth0", alone(), false, wanted, "va is not an end of a cable"),
        Case("cable outside va inside eth0", unread(), false, wanted, "unreadable (setns: EPERM)"),
        Case("cable outside va inside eth0", with(|_| ()), false, wanted, "unreadable"),
        Case(
            "cable outside va inside eth0",
            at_home(),
            false,
            wanted,
            "the host terminal is in the machine's own network",
        ),
    ]);
}

#[test]
fn an_interface_is_up_and_has_a_carrier() {
    let down = || changed(|all| all.all[2].interfaces[0].up = false);
    let one_end = || changed(|all| all.all[2].interfaces[0].carrier = false);
    let none = || changed(|all| all.all[1].container = false);
    all([
        Case("link outside va up", wired(), true, "va: UP", "va: UP"),
        Case("link outside va up", down(), false, "va: UP", "va: DOWN"),
        Case("link outside va down", down(), true, "va: DOWN", "va: DOWN"),
        Case("link outside va carrier", one_end(), false, "va: LOWER_UP", "va: NO-CARRIER"),
        Case("link outside va no-carrier", one_end(), true, "va: NO-CARRIER", "va: NO-CARRIER"),
        Case("link outside va no-carrier", wired(), false, "va: NO-CARRIER", "va: LOWER_UP"),
        Case("link outside v9 absent", wired(), true, "v9: absent", "v9: absent"),
        Case("link outside va absent", wired(), false, "va: absent", "va: UP"),
        Case("link outside v9 up", wired(), false, "v9: UP", "v9: absent"),
        Case("link inside eth0 up", none(), false, "eth0: UP", "no network of its own inside"),
        Case("link inside eth0 absent", none(), false, "eth0: absent", "no network of its own inside"),
    ]);
}

#[test]
fn an_address_belongs_to_an_interface() {
    let bare = || changed(|all| all.all[1].interfaces[0].addresses.remove(0));
    let (good, none) = ("eth0: 10.1.0.2/24", "eth0: no IPv4 address");
    let two = || changed(|all| all.all[1].interfaces[0].addresses.insert(0, "10.9.0.2/24".into()));
    all([
        Case("address inside eth0 10.1.0.2/24", wired(), true, good, good),
        Case("address inside eth0 10.1.0.2/24", two(), true, good, good),
        Case("address inside eth0 10.1.0.2/16", wired(), false, "eth0: 10.1.0.2/16", good),
        Case("address inside eth0 10.1.0.2/24", bare(), false, good, none),
        Case("address inside eth0 none", bare(), true, none, none),
        Case("address inside eth0 none", wired(), false, none, good),
        Case("address far eth1 none", wired(), false, "eth1: no IPv4 address", "eth1: absent"),
    ]);
}

#[test]
fn a_route_leads_by_a_hop_or_out_of_an_interface() {
    let refusing = || {
        changed(|all| {
            (all.all[1].routes[0].via, all.all[1].routes[0].refuses) = (None, "unreachable".into());
        })
    };
    let six = || changed(|all| all.all[1].routes[0].via = Some("fe80::1".into()));
    let several = || {
        changed(|all| {
            let other = Route { via: Some("10.1.0.7".into()), ..all.all[1].routes[0].clone() };
            all.all[1].routes.insert(0, other);
        })
    };
    let (via, dev) = ("default: via 10.1.0.1", "10.1.0.0/24: dev eth0");
    all([
        Case("route inside default via 10.1.0.1", wired(), true, via, via),
        Case("route inside default via 10.1.0.1", several(), true, via, via),
        Case("route inside default via 10.1.0.9", wired(), false, "default: via 10.1.0.9", via),
        Case("route inside default dev eth0", wired(), false, "default: dev eth0", via),
        Case("route inside default none", wired(), false, "default: no route", via),
        Case("route inside default none", six(), true, "default: no route", "default: no route"),
        Case("route inside default dev eth0", refusing(), false, "default: dev eth0", "default: unreachable"),
        Case("route inside 10.1.0.0/24 dev eth0", wired(), true, dev, dev),
        Case("route inside 10.1.0.0/24 dev eth1", wired(), false, "10.1.0.0/24: dev eth1", dev),
        Case("route far default none", wired(), true, "default: no route", "default: no route"),
    ]);
}

#[test]
fn a_port_belongs_to_its_bridge() {
    let (good, none) = ("va: port of br0", "vc: port of no bridge");
    all([
        Case("bridge-port outside br0 va", wired(), true, good, good),
        Case("bridge-port outside br1 va", wired(), false, "va: port of br1", good),
        Case("bridge-port outside br0 vc", wired(), false, "vc: port of br0", none),
        Case("bridge-port outside br0 vd", wired(), false, "vd: port of br0", "vd: absent"),
    ]);
}

#[test]
fn a_neighbour_has_answered_or_not() {
    all([
        Case("neighbour outside 10.1.0.2 answers", wired(), true, "10.1.0.2 has answered", "10.1.0.2 has answered"),
        Case("neighbour outside 10.1.0.2 fails", wired(), false, "10.1.0.2 does not answer", "10.1.0.2 has answered"),
        Case(
            "neighbour outside 10.1.0.77 fails",
            wired(),
            true,
            "10.1.0.77 does not answer",
            "10.1.0.77 does not answer",
        ),
        Case("neighbour outside 10.1.0.78 fails", wired(), false, "10.1.0.78 does not answer", "10.1.0.78 INCOMPLETE"),
        Case(
            "neighbour outside 10.1.0.9 answers",
            wired(),
            false,
            "10.1.0.9 has answered",
            "10.1.0.9 was not asked for",
        ),
    ]);
}

#[test]
fn forwarding_and_what_it_counts() {
    let unknown = || changed(|all| (all.all[2].forwards, all.all[2].packets) = (None, Packets::default()));
    all([
        Case("forwarding outside on", wired(), true, "ip_forward 1", "ip_forward 1"),
        Case("forwarding inside on", wired(), false, "ip_forward 1", "ip_forward 0"),
        Case("forwarding outside off", wired(), false, "ip_forward 0", "ip_forward 1"),
        Case("forwarding outside off", unknown(), false, "ip_forward 0", "unreadable"),
        Case("counter outside InAddrErrors some", wired(), true, "InAddrErrors ≥ 1", "InAddrErrors 3"),
        Case("counter outside InAddrErrors none", wired(), false, "InAddrErrors 0", "InAddrErrors 3"),
        Case("counter outside ForwDatagrams some", wired(), false, "ForwDatagrams ≥ 1", "ForwDatagrams 0"),
        Case("counter outside ForwDatagrams none", wired(), true, "ForwDatagrams 0", "ForwDatagrams 0"),
        Case("counter outside ForwDatagrams none", unknown(), false, "ForwDatagrams 0", "unreadable"),
        Case("counter outside ForwDatagrams none", with(|_| ()), false, "ForwDatagrams 0", "unreadable"),
    ]);
}

#[test]
fn a_connection_is_taken_refused_or_lost() {
    let to = |errno: Option<&str>, seen_as: Option<&str>, at| {
        let reached = Reached {
            from: "far".into(),
            to: "10.2.0.1:8080".into(),
            errno: errno.map(String::from),
            seen_as: seen_as.map(String::from),
            at,
        };
        with(|sample| (sample.networks, sample.reached) = (Some(networks()), vec![reached]))
    };
    let ok = || to(None, Some("10.2.0.2"), Some(2));
    let lost = || to(Some("ETIMEDOUT"), None, None);
    let line = |rest: &str| format!("10.2.0.1:8080 {rest}");
    let (good, silence) = (line("ok"), line("no answer"));
    all([
        Case("connect far 10.2.0.1 8080 ok", ok(), true, &good, &good),
        Case("connect far 10.2.0.1 8080 ok", lost(), false, &good, &silence),
        Case("connect far 10.2.0.1 8080 silence", lost(), true, &silence, &silence),
        Case("connect far 10.2.0.1 8080 silence", ok(), false, &silence, &good),
        Case(
            "connect far 10.2.0.1 8080 ECONNREFUSED",
            to(Some("ECONNREFUSED"), None, None),
            true,
            &line("ECONNREFUSED"),
            &line("ECONNREFUSED"),
        ),
        Case("connect far 10.2.0.1 8080 ECONNREFUSED", lost(), false, &line("ECONNREFUSED"), &silence),
        Case(
            "connect far 10.2.0.1 8080 ok at inside",
            ok(),
            true,
            &line("ok, taken inside"),
            &line("ok, taken inside"),
        ),
        Case("connect far 10.2.0.1 8080 ok at far", ok(), false, &line("ok, taken far"), &line("ok, taken elsewhere")),
        Case("connect far 10.2.0.1 8080 ok at inside", lost(), false, &line("ok, taken inside"), &silence),
        Case(
            "connect far 10.2.0.1 8080 ok at inside",
            to(None, None, None),
            false,
            &line("ok, taken inside"),
            &line("ok, taken nowhere that can be seen"),
        ),
        Case(
            "connect far 10.2.0.1 8080 ok as 10.2.0.2 at inside",
            ok(),
            true,
            &line("ok, as 10.2.0.2, taken inside"),
            &line("ok, as 10.2.0.2, taken inside"),
        ),
        Case(
            "connect far 10.2.0.1 8080 ok as 10.1.0.1",
            ok(),
            false,
            &line("ok, as 10.1.0.1"),
            &line("ok, as 10.2.0.2"),
        ),
        Case("connect inside 10.2.0.1 8080 ok", ok(), false, &good, "unreadable"),
        Case("connect far 10.2.0.1 80 ok", ok(), false, "10.2.0.1:80 ok", "unreadable"),
        Case(
            "connect far 10.2.0.1 8080 ok",
            changed(|all| all.all[2].interfaces.remove(1)),
            false,
            &good,
            "no cable leads to a third network",
        ),
    ]);
}

#[test]
fn a_name_server_knows_a_name_or_not() {
    let said = |address: Option<&str>, why: Option<&str>| {
        let resolved = Resolved {
            name: "*.box".into(),
            address: address.map(String::from),
            why: why.map(String::from),
            server: "10.1.0.1".into(),
        };
        with(|sample| sample.resolved = vec![resolved])
    };
    let (fact, good) = ("resolves *.box 10.1.0.1", "*.box → 10.1.0.1");
    all([
        Case(fact, said(Some("10.1.0.1"), None), true, good, good),
        Case(fact, said(Some("10.1.0.9"), None), false, good, "*.box → 10.1.0.9, asking 10.1.0.1"),
        Case(fact, said(None, Some("ECONNREFUSED")), false, good, "ECONNREFUSED, asking 10.1.0.1"),
        Case(fact, said(None, Some("ETIMEDOUT")), false, good, "no answer, asking 10.1.0.1"),
        Case("resolves x.box 10.1.0.1", said(Some("10.1.0.1"), None), false, "x.box → 10.1.0.1", "unreadable"),
        Case(fact, with(|_| ()), false, good, "unreadable"),
    ]);
}
