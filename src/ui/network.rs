//! The session's network namespaces: a picture of how they are wired, then what each of them holds.

mod picture;
mod told;

use super::{
    marks,
    sheet::Sheet,
    text::{Pieces, Rich, hang, line, pad},
    theme::Role,
};
use crate::{
    app::{Play, State},
    inspect::network::{details, is_shown, label, more},
    kernel::text::printable,
    lang::Lang,
    observe::Network,
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

/// What a line is made of: columns in a role.
fn piece(text: impl Into<String>, role: Role) -> Pieces {
    vec![(text.into(), role)]
}

#[cfg(test)]
#[path = "network_tests.rs"]
mod tests;
