//! The session's network namespaces: a picture of how they are wired, then what each of them holds.

mod picture;
mod told;

use super::{
    cgroup::mib,
    marks,
    sheet::Sheet,
    text::{Pieces, Rich, hang, line, pad},
    theme::Role,
};
use crate::{
    app::{Play, State},
    kernel::text::printable,
    lang::Lang,
    observe::{Count, Link, Network, Networks, Route},
};

pub(super) use told::plain;

/// So many processes of a namespace are named.
const NAMED: usize = 3;

/// Lays out the picture and the namespaces.
pub(super) fn sheet(state: &State, play: &Play, columns: usize) -> Sheet {
    let mut sheet = Sheet::default();
    let lang = state.lang;
    let Some(now) = play.sample.as_deref().and_then(|sample| sample.networks.as_ref()) else {
        sheet.add(hang(&[], &Rich::default().with(unread(state), Role::Quiet), columns));
        return sheet;
    };
    let before = play.before.as_deref().and_then(|sample| sample.networks.as_ref());
    sheet.add(picture::picture(now, before, lang, columns));
    for network in now.all.iter().filter(|network| is_shown(network, now)) {
        sheet.gap();
        sheet.add(hang(&[], &heading(network, lang), columns));
        let was = before.and_then(|before| before.of(network.inode));
        let rows = details(network, was.filter(|_| before.is_some()), lang);
        for (title, text, changed) in rows {
            let role = if changed { Role::Changed } else { Role::Plain };
            let mark = if changed { format!(" {}", marks::CHANGED) } else { String::new() };
            let text = Rich::default().with(&format!("{text}{mark}"), role);
            sheet.add(hang(&[(pad(&format!("  {title}"), 14), Role::Quiet)], &text, columns));
        }
    }
    if now.more > 0 {
        sheet.gap();
        sheet.line(line(more(now, lang), Role::Quiet));
    }
    sheet
}

/// Why there is nothing to show.
pub(super) fn unread(state: &State) -> &'static str {
    match state.is_watched() {
        true => state.lang.pick(
            "Not in this recording: network namespaces are read only while this pane is seen, or a check is about them.",
            "录像里没有：只有当时显示着本窗格，或者检查涉及网络，才会读取网络命名空间。",
        ),
        false => state.lang.pick("Nothing was read yet.", "尚未读到任何状态。"),
    }
}

/// That there are more namespaces than are read.
pub(super) fn more(now: &Networks, lang: Lang) -> String {
    let count = now.more;
    lang.pick(format!("{count} more network namespaces are not shown"), format!("还有 {count} 个网络命名空间没有显示"))
}

/// What a namespace is called: by its name, by who stands there, or by a process in it.
pub(super) fn label(network: &Network, lang: Lang) -> String {
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
pub(super) fn is_shown(network: &Network, all: &Networks) -> bool {
    !network.host || network.host_terminal || network.container || all.all.len() == 1 || is_wired(network, all)
}

/// Whether a cable leads from one namespace to another.
fn is_wired(network: &Network, all: &Networks) -> bool {
    let away = |other: &Network| other.inode != network.inode;
    network.interfaces.iter().any(|link| all.other_end(link).is_some_and(|(other, _)| away(other)))
}

/// `UP`, `DOWN` or `NO-CARRIER`, as ip(8) has them.
pub(super) fn condition(link: &Link) -> &'static str {
    match (link.up, link.carrier) {
        (false, _) => "DOWN",
        (true, false) => "NO-CARRIER",
        (true, true) => "UP",
    }
}

/// An interface and, where that is not drawn, the other end of its cable: `v0`, `v0@p1`, `v0@eth0 (A)`, `v0@if7`.
pub(super) fn name(link: &Link, network: &Network, all: &Networks, lang: Lang) -> String {
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
pub(super) fn addresses(link: &Link) -> impl Iterator<Item = &str> {
    link.addresses.iter().map(String::as_str).filter(|address| !address.starts_with("fe80:"))
}

fn heading(network: &Network, lang: Lang) -> Rich {
    let role = if network.container { Role::Container } else { Role::Host };
    let members = network.processes.iter().take(NAMED).map(|it| format!("{} {}", printable(&it.comm), it.pid));
    let mut members: Vec<String> = members.collect();
    if network.processes.len() > NAMED {
        members.push("…".into());
    }
    let mut text = format!("  net:[{}]", network.inode);
    if !members.is_empty() {
        text = format!("{text}  {}", members.join(lang.pick(", ", "、")));
    }
    Rich::default().with(&label(network, lang), role).with(&text, Role::Quiet)
}

/// What a namespace holds besides the picture: a title, a text, whether it is new. `was` is the same namespace before.
pub(super) fn details(network: &Network, was: Option<&Network>, lang: Lang) -> Vec<(String, String, bool)> {
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
    let bytes = if bytes < MANY { format!("{bytes} B") } else { mib(bytes) };
    lang.pick(format!("{packets} packets {bytes}"), format!("{packets} 个包 {bytes}"))
}

/// What a line is made of: columns in a role.
fn piece(text: impl Into<String>, role: Role) -> Pieces {
    vec![(text.into(), role)]
}

#[cfg(test)]
#[path = "network_tests.rs"]
mod tests;
