use super::*;
use crate::kernel::pid::Pid;
use crate::{
    app::{Effect, Look, Pane},
    observe::{Link, Member, Networks, Peer, Route, Sample},
    ui::stage,
};
use std::sync::Arc;

const HOST: u64 = 4_026_531_833;
const ROUTER: u64 = 4_026_532_181;

fn link(index: u32, name: &str, kind: &str, up: bool, address: &str) -> Link {
    let addresses = (!address.is_empty()).then(|| address.to_string()).into_iter().collect();
    Link { index, name: name.into(), kind: kind.into(), up, carrier: up, addresses, ..Link::default() }
}

fn wired(link: Link, index: u32, network: u64) -> Link {
    Link { peer: Some(Peer { index, network: Some(network) }), ..link }
}

fn route(to: &str, via: Option<&str>, out: &str) -> Route {
    Route { to: to.into(), via: via.map(String::from), out: out.into(), ..Route::default() }
}

/// The host terminal plays a router with a bridge and two containers at it; the host's own network is apart.
fn networks(up: bool) -> Networks {
    let port = |it: Link| Link { master: Some(4), ..it };
    let router = Network {
        inode: ROUTER,
        host_terminal: true,
        processes: vec![Member { pid: Pid(4711), comm: "sh".into() }],
        interfaces: vec![
            link(1, "lo", "", true, "127.0.0.1/8"),
            link(4, "br0", "bridge", true, "10.1.0.1/24"),
            port(wired(link(5, "va", "veth", true, ""), 3, ROUTER + 1)),
            Link { carrier: false, ..port(wired(link(7, "vb", "veth", true, ""), 3, ROUTER + 2)) },
        ],
        routes: vec![route("10.1.0.0/24", None, "br0")],
        forwards: Some(true),
        ..Network::default()
    };
    let mut eth0 = wired(link(3, "eth0", "veth", up, if up { "10.1.0.2/24" } else { "" }), 5, ROUTER);
    if up {
        (eth0.received.packets, eth0.received.bytes) = (6, 504);
    }
    let container = Network {
        inode: ROUTER + 1,
        container: true,
        processes: vec![Member { pid: Pid(4720), comm: "sh".into() }],
        interfaces: vec![link(1, "lo", "", false, ""), eth0],
        routes: if up { vec![route("default", Some("10.1.0.1"), "eth0")] } else { Vec::new() },
        ..Network::default()
    };
    let named = Network {
        inode: ROUTER + 2,
        names: vec!["B".into()],
        interfaces: vec![link(1, "lo", "", false, ""), wired(link(3, "eth0", "veth", false, ""), 7, ROUTER)],
        ..Network::default()
    };
    let host = Network {
        inode: HOST,
        host: true,
        interfaces: vec![link(1, "lo", "", true, "127.0.0.1/8"), link(2, "eth0", "", true, "192.0.2.5/24")],
        ..Network::default()
    };
    Networks { all: vec![host, container, router, named], more: 0 }
}

fn sample(networks: Networks) -> Sample {
    Sample { networks: Some(networks), ..stage::unshared() }
}

fn shown(lang: Lang, size: (u16, u16), look: Look) -> State {
    let mut state = stage::state(lang, size, look);
    stage::after(&mut state);
    let play = state.play.as_mut().unwrap();
    play.sample = Some(Arc::new(sample(networks(true))));
    play.before = Some(Arc::new(sample(networks(false))));
    stage::press(&mut state, "0");
    state
}

fn drawn(networks: &Networks, columns: usize) -> String {
    let lines = picture::picture(networks, None, Lang::En, columns);
    let text = |line: Pieces| line.into_iter().map(|(text, _)| text).collect::<String>().trim_end().to_string();
    lines.into_iter().map(text).collect::<Vec<_>>().join("\n")
}

#[test]
fn who_is_wired_to_whom_is_drawn() {
    let picture = "\
╭ host terminal ─────────────────╮
│ 4 br0 UP 10.1.0.1/24           │    ╭ container ─────────────────────╮
│ └ 5 va UP                      ├────┤ 3 eth0 UP 10.1.0.2/24          │
│                                │    │ 1 lo DOWN                      │
│                                │    ╰────────────────────────────────╯
│                                │    ╭ B ─────────────────────────────╮
│ └ 7 vb NO-CARRIER              ├····┤ 3 eth0 DOWN                    │
│ 1 lo UP 127.0.0.1/8            │    │ 1 lo DOWN                      │
╰────────────────────────────────╯    ╰────────────────────────────────╯
The host's own network (2 interfaces) is wired to none of these.";
    assert_eq!(drawn(&networks(true), 72), picture);
    // Where there is no room for two, names say where cables lead.
    let narrow = drawn(&networks(true), 40);
    assert!(narrow.contains("│ └ 5 va@eth0 (container) UP           │"), "{narrow}");
    assert!(narrow.lines().all(|line| line.chars().count() <= 40 || line.starts_with("The")), "{narrow}");
}

#[test]
fn a_cable_that_leads_nowhere_known_and_one_within_are_named() {
    let mut all = networks(true);
    all.all.truncate(3);
    let lines = drawn(&all, 72);
    assert!(lines.contains("└ 7 vb@if3 NO-CARRIER"), "{lines}");
    let pair =
        vec![wired(link(2, "p0", "veth", true, ""), 3, ROUTER), wired(link(3, "p1", "veth", true, ""), 2, ROUTER)];
    let one = Network { inode: ROUTER, host_terminal: true, interfaces: pair, ..Network::default() };
    let lines = drawn(&Networks { all: vec![one], more: 0 }, 72);
    assert!(lines.contains("2 p0@p1 UP") && lines.contains("3 p1@p0 UP"), "{lines}");
}

#[test]
fn two_cables_to_one_namespace_end_in_one_box_and_strangers_stand_beside_each_other() {
    let mut all = networks(true);
    all.all[2].interfaces[3].peer = Some(Peer { index: 9, network: Some(ROUTER + 1) });
    all.all[1].interfaces.push(wired(link(9, "eth1", "veth", true, ""), 7, ROUTER));
    all.all.pop();
    let lines = drawn(&all, 72);
    assert_eq!(lines.matches('╭').count(), 2, "{lines}");
    assert!(lines.contains("5 va UP                      ├────┤ 3 eth0"), "{lines}");
    assert!(lines.contains("7 vb NO-CARRIER              ├····┤ 9 eth1"), "{lines}");
    let mut apart = networks(false);
    apart.all.truncate(2);
    apart.all[0].host_terminal = true;
    apart.all[1].interfaces.truncate(1);
    let lines = drawn(&apart, 72);
    assert!(lines.starts_with("╭ host ─") && lines.lines().next().unwrap().contains("╭ container"), "{lines}");
    assert!(!lines.contains('├'), "{lines}");
}

#[test]
fn what_has_changed_is_seen_at_every_size() {
    for lang in Lang::ALL {
        for size in [(80, 24), (120, 30), (140, 45)] {
            let mut state = shown(lang, size, Look::default());
            let text = crate::ui::pane_text(&state, Pane::Network);
            for said in [
                "3 eth0 UP 10.1.0.2/24 ◆",
                "default via 10.1.0.1 dev eth0 ◆",
                lang.pick("received 6 packets 504 B, sent 0 packets 0 B ◆", "收到 6 个包 504 B，发出 0 个包 0 B ◆"),
                lang.pick("host terminal  net:[4026532181]  sh 4711", "宿主机终端  net:[4026532181]  sh 4711"),
                lang.pick("none: nothing leads anywhere", "没有：哪里都去不了"),
            ] {
                assert!(text.contains(said), "{said}: {text}");
            }
            let frame = stage::text(&stage::shot(&mut state));
            let title = lang.pick("▸Net", "▸网络");
            assert!(frame.contains(title) || frame.contains(&title.replace('▸', "0▸")), "{frame}");
        }
    }
}

#[test]
fn the_pane_is_drawn() {
    for (name, lang, size, ascii) in [
        ("network_80_en", Lang::En, (80, 24), false),
        ("network_80_zh", Lang::Zh, (80, 24), false),
        ("network_140_en", Lang::En, (140, 45), false),
        ("network_140_zh", Lang::Zh, (140, 45), false),
        ("network_ascii", Lang::En, (80, 24), true),
    ] {
        let mut state = shown(lang, size, Look { ascii, ..Look::default() });
        insta::assert_snapshot!(name, stage::text(&stage::shot(&mut state)));
    }
}

#[test]
fn the_namespaces_are_read_only_while_the_pane_is_seen() {
    for size in [(80, 24), (140, 45)] {
        let mut state = stage::state(Lang::En, size, Look::default());
        stage::after(&mut state);
        let asked = |effects: Vec<Effect>| {
            effects.into_iter().filter(|it| matches!(it, Effect::Networks(_))).collect::<Vec<_>>()
        };
        assert_eq!(asked(stage::press(&mut state, "0")), [Effect::Networks(true)]);
        assert_eq!(asked(stage::press(&mut state, "<")), []);
        stage::press(&mut state, "\x1b");
        assert_eq!(asked(stage::press(&mut state, "7")), [Effect::Networks(false)]);
        assert_eq!(asked(stage::press(&mut state, "8")), []);
    }
}

#[test]
fn sentences_say_the_same() {
    for lang in Lang::ALL {
        let state = shown(lang, (80, 24), Look::default());
        let play = state.play.as_ref().unwrap();
        let said = plain(&state, play, play.sample.as_ref().unwrap()).join("\n");
        for wanted in [
            lang.pick(
                "container: network namespace 4026532182, processes sh 4720",
                "容器：网络命名空间 4026532182，进程 sh 4720",
            ),
            lang.pick(
                "  5 va UP, a port of br0, leads to eth0 in container",
                "  5 va UP，br0 的端口，通向容器里的 eth0",
            ),
            lang.pick(
                "  route: default via 10.1.0.1 dev eth0, changed just now",
                "  路由：default via 10.1.0.1 dev eth0，刚刚改变",
            ),
            lang.pick("  forwarding: on", "  转发：开"),
        ] {
            assert!(said.contains(wanted), "{wanted}: {said}");
        }
        assert!(!said.contains("192.0.2.5"), "the host's own network is no part of it: {said}");
    }
}

#[test]
fn what_could_not_be_read_says_why() {
    let mut all = networks(true);
    all.all[1].unread = Some("setns: EPERM".into());
    all.all[1].interfaces.clear();
    all.more = 3;
    let lines = drawn(&all, 72);
    assert!(lines.contains("cannot be read: setns: EPERM"), "{lines}");
    assert_eq!(details(&all.all[1], None, Lang::Zh), [(String::new(), "读不到：setns: EPERM".into(), false)]);
    assert_eq!(more(&all, Lang::En), "3 more network namespaces are not shown");
    let mut state = shown(Lang::En, (80, 24), Look::default());
    state.play.as_mut().unwrap().sample = Some(Arc::new(stage::unshared()));
    assert!(stage::text(&stage::shot(&mut state)).contains("Nothing was read yet."));
}
