//! The namespace links: the host's and the container process's, and what the last call changed.

use super::{
    marks, meaning,
    sheet::Sheet,
    text::{Pieces, line, pad, wrap},
    theme::Role,
};
use crate::{
    app::{Play, State},
    kernel::namespaces::Kind,
    lang::Lang,
    observe::{ForChildren, Sample},
};

/// The kinds in the order in which they are told: what `unshare -imnpu` makes first.
pub(super) const ORDER: [Kind; 8] =
    [Kind::Uts, Kind::Ipc, Kind::Mnt, Kind::Net, Kind::Pid, Kind::User, Kind::Cgroup, Kind::Time];

/// Lays out the table; links that say nothing share a line where the rows are not enough.
pub(super) fn sheet(state: &State, play: &Play, columns: usize, rows: usize) -> Sheet {
    let mut sheet = Sheet::default();
    let lang = state.lang;
    let Some(now) = play.sample.as_deref() else {
        sheet.line(line(lang.pick("Nothing was read yet.", "尚未读到任何状态。"), Role::Quiet));
        return sheet;
    };
    let before = play.before.as_deref().unwrap_or(now);
    let next: Vec<&str> = about_to_change(play, now);
    let narrow = columns < 44;
    let name = if narrow { 17 } else { 18 };
    let gap = if narrow { 12 } else { 13 };
    let who = match now.container {
        Some(pid) => format!("pid {pid}"),
        None => lang.pick("no process", "没有进程").into(),
    };
    sheet.line(vec![
        (" ".repeat(name), Role::Plain),
        (pad(lang.pick("host", "宿主机"), gap), Role::Host),
        (who, Role::Container),
    ]);
    let tight = rows < ORDER.len() + 2;
    let mut shared = Vec::new();
    for kind in ORDER {
        let quiet = matches!(kind, Kind::User | Kind::Cgroup | Kind::Time);
        if tight && quiet && same(now, kind) && same(before, kind) && !next.contains(&kind.row().link) {
            shared.push(kind.to_string());
            continue;
        }
        sheet.line(mark(link(state, now, before, kind, name, gap), kind.row().link, &next, lang));
        if kind == Kind::Pid {
            sheet.line(mark(children(state, now, before, name, gap), meaning::CHILDREN, &next, lang));
        }
    }
    if !shared.is_empty() {
        let text = format!("{}  {}", shared.join(" "), lang.pick("shared with the host", "与宿主机共用"));
        sheet.add(wrap(&text, Role::Quiet, columns));
    }
    sheet
}

/// The links of the container process that its held call is about to change.
fn about_to_change(play: &Play, now: &Sample) -> Vec<&'static str> {
    let held = play.session.held().first().map(|(_, call)| call);
    held.filter(|call| now.container == Some(call.pid)).map_or_else(Vec::new, meaning::links)
}

/// A sign behind a link that will change.
fn mark(mut row: Pieces, link: &str, next: &[&str], lang: Lang) -> Pieces {
    if next.contains(&link) {
        row.push((format!(" {} {}", marks::HELD, lang.pick("will change", "将改变")), Role::Changed));
    }
    row
}

fn same(sample: &Sample, kind: Kind) -> bool {
    sample.namespaces.get(&kind) == sample.host_namespaces.get(&kind)
}

fn number(inode: Option<u64>) -> String {
    inode.map_or_else(|| "?".into(), |inode| inode.to_string())
}

fn link(state: &State, now: &Sample, before: &Sample, kind: Kind, name: usize, gap: usize) -> Pieces {
    let (host, inside) = (now.host_namespaces.get(&kind).copied(), now.namespaces.get(&kind).copied());
    // A process that has ended has no links; that is not a change of one.
    let changed = inside.is_some() && before.namespaces.get(&kind).is_some_and(|before| Some(*before) != inside);
    let equal = host.is_some() && host == inside;
    let word = match (equal, changed) {
        (true, true) => state.lang.pick("back", "复原"),
        (false, true) => state.lang.pick("new", "新"),
        _ => "",
    };
    row(
        kind.row().link,
        number(host),
        if equal { "=".into() } else { inside.map_or_else(|| "-".into(), |inode| inode.to_string()) },
        equal,
        changed.then_some(word),
        name,
        gap,
    )
}

fn children(state: &State, now: &Sample, before: &Sample, name: usize, gap: usize) -> Pieces {
    let host = now.host_namespaces.get(&Kind::Pid).copied();
    let changed = before.for_children != now.for_children
        && [now.for_children, before.for_children].iter().all(|link| *link != ForChildren::Unknown);
    let (text, equal) = match now.for_children {
        ForChildren::Inode(inode) if Some(inode) == host => ("=".to_string(), true),
        ForChildren::Inode(inode) => (inode.to_string(), false),
        ForChildren::NotMade => (state.lang.pick("not made yet", "尚未创建").into(), false),
        ForChildren::Unknown => ("-".into(), true),
    };
    row(meaning::CHILDREN, number(host), text, equal, changed.then_some(""), name, gap)
}

fn row(
    link: &str,
    host: String,
    inside: String,
    equal: bool,
    changed: Option<&str>,
    name: usize,
    gap: usize,
) -> Pieces {
    let role = match (changed, equal) {
        (Some(_), _) => Role::Changed,
        (None, true) => Role::Quiet,
        (None, false) => Role::Container,
    };
    let mut out = vec![(pad(link, name), Role::Plain), (pad(&host, gap), Role::Host), (inside, role)];
    // The sign stands last: where it is drawn two columns wide, nothing moves because of it.
    if let Some(word) = changed {
        let text = format!(" {} {word}", marks::CHANGED);
        out.push((text.trim_end().to_string(), Role::Changed));
    }
    out
}
