//! How they are wired, drawn: the namespace with the most cables on the left, those at their other ends on the right.
//!
//! ```text
//! ╭ host terminal ─────────────╮    ╭ container ─────────────────╮
//! │ 7 v0 UP 10.1.0.1/24        ├────┤ 3 eth0 UP 10.1.0.2/24      │
//! │ 1 lo UP 127.0.0.1/8        │    │ 1 lo DOWN                  │
//! ╰────────────────────────────╯    ╰────────────────────────────╯
//! ```

use super::piece;
use crate::inspect::network::{addresses, condition, is_shown, label, name};
use crate::{
    kernel::text::printable,
    lang::Lang,
    observe::{Link, Network, Networks},
    ui::{
        marks,
        text::{Pieces, clip, pad, width},
        theme::Role,
    },
};
use std::collections::VecDeque;
use unicode_width::UnicodeWidthStr;

/// How long a cable is drawn, and how wide a box is at least and at most.
const CABLE: usize = 4;
const LEAST: usize = 26;
const MAX: usize = 44;
/// So many interfaces of a namespace are drawn that no cable leads away from.
const LOOSE: usize = 6;

/// One line of a box.
#[derive(Clone, Debug)]
enum Part {
    /// Nothing: beside a box.
    Gap,
    /// The line with the name.
    Top(String, Role),
    /// An interface, or a text; whether a cable leaves here.
    Line(String, Role, bool),
    /// The last line.
    Bottom,
}

/// A line of the picture: left, whether a cable runs and whether it is live, right.
type Row = (Part, Option<bool>, Part);

struct Drawing<'a> {
    now: &'a Networks,
    before: Option<&'a Networks>,
    lang: Lang,
    /// Whether boxes stand side by side.
    beside: bool,
}

/// Draws it in so many columns.
pub(super) fn picture(now: &Networks, before: Option<&Networks>, lang: Lang, columns: usize) -> Vec<Pieces> {
    let half = (columns.saturating_sub(CABLE) / 2).min(MAX);
    let beside = half >= LEAST;
    let wide = if beside { half } else { columns.clamp(8, MAX) };
    let drawing = Drawing { now, before, lang, beside };
    let mut open: Vec<&Network> = now.all.iter().filter(|network| is_shown(network, now)).collect();
    let mut lines = Vec::new();
    while let Some(hub) = drawing.next(&open) {
        open.retain(|network| network.inode != hub.inode);
        for row in drawing.draw(hub, &mut open) {
            lines.push(paint(row, wide, beside));
        }
    }
    let host = now.all.iter().find(|network| network.host && !is_shown(network, now));
    if let Some(host) = host.filter(|_| now.all.len() > 1) {
        let count = host.interfaces.len();
        let text = lang.pick(
            format!("The host's own network ({count} interfaces) is wired to none of these."),
            format!("宿主机自己的网络（{count} 个接口）与它们没有连接。"),
        );
        lines.push(piece(clip(&text, columns), Role::Quiet));
    }
    lines
}

impl<'a> Drawing<'a> {
    /// The namespace that is drawn next: the one with the most cables to others that are not drawn yet.
    fn next(&self, open: &[&'a Network]) -> Option<&'a Network> {
        let cables = |network: &Network| {
            network.interfaces.iter().filter(|link| self.leads_to(network, link, open).is_some()).count()
        };
        let rank = |network: &&&'a Network| (cables(network), network.host_terminal, network.host, network.container);
        // Of equal ones the first: max_by_key gives the last.
        open.iter().rev().max_by_key(rank).copied()
    }

    /// The other end of a cable that leads to one of these.
    fn leads_to(&self, from: &Network, link: &Link, open: &[&'a Network]) -> Option<(&'a Network, &'a Link)> {
        let (network, end) = self.now.other_end(link)?;
        let drawn = network.inode != from.inode && open.iter().any(|other| other.inode == network.inode);
        drawn.then_some((network, end))
    }

    /// A namespace with all that it is wired to; what is drawn is no longer open.
    fn draw(&self, hub: &'a Network, open: &mut Vec<&'a Network>) -> Vec<Row> {
        let others: Vec<&Network> = open.iter().copied().filter(|_| self.beside).collect();
        let mut rows: Vec<Row> = vec![(self.top(hub), None, Part::Gap)];
        let mut right: VecDeque<Part> = VecDeque::new();
        let mut links: VecDeque<(usize, &Link)> = self.order(hub, &others).into();
        let wired = links.iter().any(|(_, link)| self.leads_to(hub, link, &others).is_some());
        if let Some(next) = self.next(open).filter(|_| self.beside && !wired) {
            // Nothing is wired here: two of them stand side by side.
            let loose = next.interfaces.iter().all(|link| self.leads_to(next, link, open).is_none());
            if loose {
                open.retain(|network| network.inode != next.inode);
                rows = vec![(self.top(hub), None, self.top(next))];
                right = self.rest(next, hub, &others);
            }
        }
        let mut loose = 0;
        while let Some((depth, link)) = links.pop_front() {
            let Some((other, end)) = self.leads_to(hub, link, &others) else {
                loose += 1;
                if loose <= LOOSE {
                    let next = right.pop_front().unwrap_or(Part::Gap);
                    rows.push((self.line(hub, link, depth, false), None, next));
                }
                continue;
            };
            // A cable to a box that is drawn already, or to this one's own.
            while let Some(part) = right.pop_front() {
                rows.push((blank(), None, part));
            }
            match rows.last_mut() {
                Some((_, None, beside @ Part::Gap)) => *beside = self.top(other),
                _ => rows.push((blank(), None, self.top(other))),
            }
            let mut cables = vec![(depth, link, end)];
            links.retain(|(depth, link)| {
                let same = self.leads_to(hub, link, &others).filter(|(network, _)| network.inode == other.inode);
                same.map(|(_, end)| cables.push((*depth, link, end))).is_none()
            });
            for (depth, link, end) in cables {
                let live = link.carrier && end.carrier && link.up && end.up;
                let (here, there) = (self.line(hub, link, depth, true), self.line(other, end, 0, true));
                rows.push((here, Some(live), there));
            }
            open.retain(|network| network.inode != other.inode);
            right = self.rest(other, hub, &others);
        }
        for line in self.more(loose).into_iter().chain(self.unread(hub)) {
            rows.push((line, None, right.pop_front().unwrap_or(Part::Gap)));
        }
        rows.push((Part::Bottom, None, right.pop_front().unwrap_or(Part::Gap)));
        rows.extend(right.into_iter().map(|part| (Part::Gap, None, part)));
        rows
    }

    /// The lines of a box on the right below those with a cable to the left.
    fn rest(&self, network: &'a Network, hub: &'a Network, others: &[&'a Network]) -> VecDeque<Part> {
        let to_hub = |link: &Link| self.leads_to(network, link, &[hub]).is_some();
        let links: Vec<_> = self.order(network, others).into_iter().filter(|(_, link)| !to_hub(link)).collect();
        let mut out: VecDeque<Part> =
            links.iter().take(LOOSE).map(|(depth, link)| self.line(network, link, *depth, false)).collect();
        out.extend(self.more(links.len()));
        out.extend(self.unread(network));
        out.push_back(Part::Bottom);
        out
    }

    /// The interfaces of a namespace: a bridge before its ports, what is wired before what is not, loopback last.
    fn order(&self, network: &'a Network, others: &[&'a Network]) -> Vec<(usize, &'a Link)> {
        let all = &network.interfaces;
        let is_port = |link: &Link| link.master.is_some_and(|master| all.iter().any(|other| other.index == master));
        let mut tops: Vec<&Link> = all.iter().filter(|link| !is_port(link)).collect();
        let wired = |link: &Link| self.leads_to(network, link, others).is_some();
        tops.sort_by_key(|link| (is_loopback(link), link.kind != "bridge", !wired(link), link.index));
        let ports = |top: &Link| {
            let mut ports: Vec<&Link> = all.iter().filter(|link| link.master == Some(top.index)).collect();
            ports.sort_by_key(|link| (!wired(link), link.index));
            ports
        };
        tops.into_iter()
            .flat_map(|top| std::iter::once((0, top)).chain(ports(top).into_iter().map(|port| (1, port))))
            .collect()
    }

    /// Why a namespace could not be read.
    fn unread(&self, network: &Network) -> Option<Part> {
        let why = network.unread.as_ref()?;
        let text = self.lang.pick(format!("cannot be read: {why}"), format!("读不到：{why}"));
        Some(Part::Line(text, Role::Danger, false))
    }

    /// That there are more than are drawn.
    fn more(&self, count: usize) -> Option<Part> {
        let more = count.checked_sub(LOOSE).filter(|more| *more > 0)?;
        let text = self.lang.pick(format!("and {more} more"), format!("还有 {more} 个"));
        Some(Part::Line(text, Role::Quiet, false))
    }

    fn top(&self, network: &Network) -> Part {
        let role = if network.container { Role::Container } else { Role::Host };
        Part::Top(label(network, self.lang), role)
    }

    /// One interface; what has changed is marked.
    fn line(&self, network: &Network, link: &Link, depth: usize, wired: bool) -> Part {
        let was = self.before.and_then(|before| before.of(network.inode));
        let same = |was: &Link| {
            let of = |link: &Link| (link.name.clone(), condition(link), link.master, link.peer, link.addresses.clone());
            was.index == link.index && of(was) == of(link)
        };
        let changed = self.before.is_some() && !was.is_some_and(|was| was.interfaces.iter().any(same));
        let name = if wired { printable(&link.name) } else { name(link, network, self.now, self.lang) };
        let branch = if depth > 0 { format!("{} ", marks::BRANCH) } else { String::new() };
        let mark = if changed { format!(" {}", marks::CHANGED) } else { String::new() };
        let first = addresses(link).next().map(|address| format!(" {address}")).unwrap_or_default();
        let text = format!("{branch}{} {name} {}{first}{mark}", link.index, condition(link));
        let role = match (changed, link.up) {
            (true, _) => Role::Changed,
            (false, true) => Role::Plain,
            (false, false) => Role::Quiet,
        };
        Part::Line(text, role, wired)
    }
}

fn is_loopback(link: &Link) -> bool {
    link.name == "lo" && link.kind.is_empty()
}

fn blank() -> Part {
    Part::Line(String::new(), Role::Plain, false)
}

/// A line of the picture; each half is so wide.
fn paint((left, cable, right): Row, half: usize, beside: bool) -> Pieces {
    let mut out = part(left, half, false);
    if !beside || matches!(right, Part::Gap) {
        return out;
    }
    let missing = half.saturating_sub(width(&out));
    let (cable, role) = match cable {
        Some(true) => ("─".repeat(CABLE), Role::Container),
        Some(false) => ("·".repeat(CABLE), Role::Quiet),
        None => (" ".repeat(CABLE), Role::Plain),
    };
    out.push((format!("{}{cable}", " ".repeat(missing)), role));
    out.extend(part(right, half, true));
    out
}

fn part(part: Part, half: usize, is_right: bool) -> Pieces {
    let inner = half.saturating_sub(4);
    match part {
        Part::Gap => Pieces::new(),
        Part::Top(name, role) => {
            let name = clip(&name, inner);
            let rest = "─".repeat(inner.saturating_sub(name.width()));
            vec![("╭ ".into(), Role::Quiet), (name, role), (format!(" {rest}╮"), Role::Quiet)]
        }
        Part::Line(text, role, wired) => {
            let (first, last) = match (wired, is_right) {
                (true, true) => ("┤", "│"),
                (true, false) => ("│", "├"),
                (false, _) => ("│", "│"),
            };
            vec![(format!("{first} "), Role::Quiet), (pad(&text, inner), role), (format!(" {last}"), Role::Quiet)]
        }
        Part::Bottom => piece(format!("╰{}╯", "─".repeat(half.saturating_sub(2))), Role::Quiet),
    }
}
