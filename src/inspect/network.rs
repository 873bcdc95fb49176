//! What network namespaces hold, in rows and in sentences: the Network pane, plain lines and `inspect` read the same.

use crate::{
    columns,
    kernel::text::printable,
    lang::Lang,
    observe::{Count, Link, Network, Networks, Route},
};

/// All of it in sentences; what is new since `before` is named.
pub(crate) fn lines(now: &Networks, before: Option<&Networks>, lang: Lang) -> Vec<String> {
    let mut out = Vec::new();
    for network in now.all.iter().filter(|network| is_shown(network, now)) {
        let members = network.processes.iter().map(|it| format!("{} {}", printable(&it.comm), it.pid));
        let members = members.collect::<Vec<_>>().join(lang.pick(", ", "、"));
        let (name, inode) = (label(network, lang), network.inode);
        out.push(match members.as_str() {
            "" => lang.pick(format!("{name}: network namespace {inode}"), format!("{name}：网络命名空间 {inode}")),
            _ => lang.pick(
                format!("{name}: network namespace {inode}, processes {members}"),
                format!("{name}：网络命名空间 {inode}，进程 {members}"),
            ),
        });
        out.extend(network.interfaces.iter().map(|link| format!("  {}", interface(link, network, now, lang))));
        for (title, text, changed) in details(network, before.and_then(|before| before.of(inode)), lang) {
            let colon = if title.is_empty() { "" } else { lang.pick(": ", "：") };
            let sign = if changed { lang.pick(", changed just now", "，刚刚改变") } else { "" };
            out.push(format!("  {title}{colon}{text}{sign}"));
        }
    }
    out.extend((now.more > 0).then(|| more(now, lang)));
    out
}

/// That there are more namespaces than are read.
pub(crate) fn more(now: &Networks, lang: Lang) -> String {
    let count = now.more;
    lang.pick(format!("{count} more network namespaces are not shown"), format!("还有 {count} 个网络命名空间没有显示"))
}

/// What a namespace is called: by its name, by who stands there, or by a process in it.
pub(crate) fn label(network: &Network, lang: Lang) -> String {
    if network.host {
        return lang.pick("host", "宿主机").into();
    }
    let mut names: Vec<String> = network.names.iter().map(|name| printable(name)).collect();
    if network.host_terminal {
        names.push(lang.pick("host terminal", "宿主机终端").into());
    }
    if network.container {
        names.push(lang.pick("container", "容器").into());
    }
    match network.processes.first() {
        _ if !names.is_empty() => names.join(lang.pick(", ", "、")),
        Some(member) => format!("{} {}", printable(&member.comm), member.pid),
        None => network.inode.to_string(),
    }
}

/// Whether a namespace is a part of the picture. The host's own is where a terminal is in it or a cable leads there.
pub(crate) fn is_shown(network: &Network, all: &Networks) -> bool {
    !network.host || network.host_terminal || network.container || all.all.len() == 1 || is_wired(network, all)
}

/// Whether a cable leads from one namespace to another.
fn is_wired(network: &Network, all: &Networks) -> bool {
    let away = |other: &Network| other.inode != network.inode;
    network.interfaces.iter().any(|link| all.other_end(link).is_some_and(|(other, _)| away(other)))
}

/// `UP`, `DOWN` or `NO-CARRIER`, as ip(8) has them.
pub(crate) fn condition(link: &Link) -> &'static str {
    match (link.up, link.carrier) {
        (false, _) => "DOWN",
        (true, false) => "NO-CARRIER",
        (true, true) => "UP",
    }
}

/// An interface and, where that is not drawn, the other end of its cable: `v0`, `v0@p1`, `v0@eth0 (A)`, `v0@if7`.
pub(crate) fn name(link: &Link, network: &Network, all: &Networks, lang: Lang) -> String {
    let own = printable(&link.name);
    match (all.other_end(link), link.peer) {
        (_, None) => own,
        (Some((other, end)), _) if other.inode == network.inode => format!("{own}@{}", printable(&end.name)),
        (Some((other, end)), _) => {
            let (end, label) = (printable(&end.name), label(other, lang));
            lang.pick(format!("{own}@{end} ({label})"), format!("{own}@{end}（{label}）"))
        }
        (None, Some(peer)) => format!("{own}@if{}", peer.index),
    }
}

/// Addresses that people give; the kernel's own of IPv6 on a cable are none.
pub(crate) fn addresses(link: &Link) -> impl Iterator<Item = &str> {
    link.addresses.iter().map(String::as_str).filter(|address| !address.starts_with("fe80:"))
}

/// What a namespace holds besides the picture: a title, a text, whether it is new. `was` is the same namespace before.
pub(crate) fn details(network: &Network, was: Option<&Network>, lang: Lang) -> Vec<(String, String, bool)> {
    if let Some(why) = &network.unread {
        let text = lang.pick(format!("cannot be read: {why}"), format!("读不到：{why}"));
        return vec![(String::new(), text, false)];
    }
    let mut out = Vec::new();
    let title = |en: &str, zh: &str| lang.pick(en, zh).to_string();
    let routes = network.routes.iter().filter(|route| !route.to.starts_with("fe80:") && !route.to.starts_with("ff00:"));
    let new = |route: &Route| was.is_some_and(|was| !was.routes.contains(route));
    out.extend(routes.map(|it| (title("route", "路由"), route(it), new(it))));
    if out.is_empty() {
        out.push((title("route", "路由"), title("none: nothing leads anywhere", "没有：哪里都去不了"), false));
    }
    if let Some(forwards) = network.forwards {
        let changed = was.is_some_and(|was| was.forwards != network.forwards || was.packets != network.packets);
        out.push((title("forwarding", "转发"), forwarding(network, forwards, lang), changed));
    }
    for link in &network.interfaces {
        let before = was.and_then(|was| was.interfaces.iter().find(|before| before.index == link.index));
        let none = Count::default();
        if (link.received, link.sent) == (none, none) {
            continue;
        }
        let (came, went) = before.map_or((none, none), |before| (before.received, before.sent));
        let moved = was.is_some() && (came, went) != (link.received, link.sent);
        let text = lang.pick(
            format!("received {}, sent {}", count(link.received, lang), count(link.sent, lang)),
            format!("收到 {}，发出 {}", count(link.received, lang), count(link.sent, lang)),
        );
        out.push((printable(&link.name), text, moved));
    }
    for found in &network.neighbours {
        let changed = was.is_some_and(|was| !was.neighbours.contains(found));
        let at = if found.address.is_empty() { String::new() } else { format!(" {}", found.address) };
        out.push((title("neighbour", "邻居"), format!("{} dev {}{at} {}", found.ip, found.out, found.state), changed));
    }
    if network.left_out > 0 {
        let count = network.left_out;
        let text = lang.pick(format!("{count} more are not shown"), format!("还有 {count} 项没有显示"));
        out.push((String::new(), text, false));
    }
    out
}

/// A route as ip(8) writes it.
fn route(route: &Route) -> String {
    let via = route.via.as_ref().map(|via| format!(" via {via}")).unwrap_or_default();
    let out = if route.out.is_empty() { String::new() } else { format!(" dev {}", printable(&route.out)) };
    let refuses = if route.refuses.is_empty() { String::new() } else { format!("{} ", route.refuses) };
    format!("{refuses}{}{via}{out}", route.to)
}

fn forwarding(network: &Network, forwards: bool, lang: Lang) -> String {
    let mut text = if forwards { lang.pick("on", "开") } else { lang.pick("off", "关") }.to_string();
    let mut add = |count: Option<u64>, en: &str, zh: &str| {
        if let Some(count) = count.filter(|count| *count > 0) {
            text += &lang.pick(format!(", {count} {en}"), format!("，{zh} {count} 个"));
        }
    };
    add(network.packets.forwarded, "packets passed on", "转发了");
    add(network.packets.wrong_address, "not passed on (InAddrErrors)", "没有转发（InAddrErrors）");
    text
}

fn count(count: Count, lang: Lang) -> String {
    /// From so many bytes on they are not counted one by one.
    const MANY: u64 = 10 << 20;
    let Count { packets, bytes } = count;
    let bytes = if bytes < MANY { format!("{bytes} B") } else { columns::bytes(bytes) };
    lang.pick(format!("{packets} packets {bytes}"), format!("{packets} 个包 {bytes}"))
}

/// An interface: its number and name, its state, its addresses, where it leads.
fn interface(link: &Link, network: &Network, all: &Networks, lang: Lang) -> String {
    let comma = lang.pick(", ", "，");
    let mut parts = vec![format!("{} {} {}", link.index, printable(&link.name), condition(link))];
    parts.extend(addresses(link).map(String::from));
    let bridge = network.interfaces.iter().find(|other| Some(other.index) == link.master);
    parts.extend(bridge.map(|bridge| {
        let bridge = printable(&bridge.name);
        lang.pick(format!("a port of {bridge}"), format!("{bridge} 的端口"))
    }));
    let end = all.other_end(link).map(|(other, end)| {
        let (end, other) = (printable(&end.name), label(other, lang));
        lang.pick(format!("leads to {end} in {other}"), format!("通向{other}里的 {end}"))
    });
    let unknown = link.peer.map(|peer| {
        let number = peer.index;
        lang.pick(format!("leads to number {number} elsewhere"), format!("通向别处的 {number} 号接口"))
    });
    parts.extend(end.or(unknown));
    parts.join(comma)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::pid::Pid;
    use crate::observe::{Member, Peer};

    #[test]
    fn a_cable_is_followed_from_a_process_to_the_host() {
        let link = |index, name: &str, peer| Link {
            index,
            name: name.into(),
            up: true,
            carrier: true,
            peer: Some(peer),
            ..Link::default()
        };
        let peer = |index, network| Peer { index, network: Some(network) };
        let host = Network { inode: 1, host: true, interfaces: vec![link(5, "v0", peer(3, 2))], ..Network::default() };
        let route =
            Route { to: "default".into(), via: Some("10.1.0.1".into()), out: "eth0".into(), ..Route::default() };
        let eth0 = Link {
            addresses: vec!["10.1.0.2/24".into(), "fe80::1/64".into()],
            received: Count { packets: 2, bytes: 12 << 20 },
            ..link(3, "eth0", peer(5, 1))
        };
        let own = Network {
            inode: 2,
            container: true,
            processes: vec![Member { pid: Pid(7), comm: "sh".into() }],
            interfaces: vec![eth0],
            routes: vec![route],
            ..Network::default()
        };
        let all = Networks { all: vec![host, own], more: 0 };
        let said = lines(&all, None, Lang::En).join("\n");
        assert_eq!(
            said,
            "host: network namespace 1\n  5 v0 UP, leads to eth0 in container\n  route: none: nothing leads anywhere\n\
             container: network namespace 2, processes sh 7\n  3 eth0 UP, 10.1.0.2/24, leads to v0 in host\n  \
             route: default via 10.1.0.1 dev eth0\n  eth0: received 2 packets 12.0 MiB, sent 0 packets 0 B"
        );
        assert!(
            lines(&all, Some(&Networks::default()), Lang::Zh)
                .iter()
                .any(|line| line == "  路由：default via 10.1.0.1 dev eth0")
        );
    }
}
