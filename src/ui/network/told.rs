//! The same in sentences, where nothing is drawn.

use super::{addresses, condition, details, is_shown, label, more, unread};
use crate::{
    app::{Play, State},
    kernel::text::printable,
    lang::Lang,
    observe::{Link, Network, Networks, Sample},
};

/// What the session's network namespaces hold; what has just changed is named.
pub(in crate::ui) fn plain(state: &State, play: &Play, now: &Sample) -> Vec<String> {
    let lang = state.lang;
    let Some(now) = &now.networks else { return vec![unread(state).into()] };
    let before = play.before.as_deref().and_then(|sample| sample.networks.as_ref());
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
