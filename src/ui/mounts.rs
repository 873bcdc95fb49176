//! The container's mounts that the host does not have.

use super::{
    marks,
    sheet::Sheet,
    text::{clip, line, pad, wrap},
    theme::Role,
};
use crate::{
    app::{Play, State},
    kernel::namespaces::Kind,
    observe::{Mount, Sample},
};

/// Lays out what differs.
pub fn sheet(state: &State, play: &Play, columns: usize) -> Sheet {
    let mut sheet = Sheet::default();
    let lang = state.lang;
    let Some(now) = play.sample.as_deref() else {
        sheet.line(line(lang.pick("Nothing was read yet.", "尚未读到任何状态。"), Role::Quiet));
        return sheet;
    };
    if now.namespaces.get(&Kind::Mnt) == now.host_namespaces.get(&Kind::Mnt) {
        let text = lang.pick(
            "The mount table is the host's own: every mount made here would be the host's too.",
            "挂载表就是宿主机的：在这里挂载，宿主机上也会看到。",
        );
        sheet.add(wrap(text, Role::Quiet, columns));
        return sheet;
    }
    let before = play.before.as_deref().unwrap_or(now);
    let own: Vec<&Mount> = now.inside.mounts.iter().filter(|mount| !has(&now.host.mounts, mount)).collect();
    let gone: Vec<&Mount> = now.host.mounts.iter().filter(|mount| !has(&now.inside.mounts, mount)).collect();
    let shared = now.inside.mounts.len() - own.len();
    let text = lang.pick(
        format!("{shared} mounts as on the host, {} of its own, {} of the host's not there", own.len(), gone.len()),
        format!("与宿主机相同 {shared} 个，自有 {} 个，宿主机独有 {} 个", own.len(), gone.len()),
    );
    sheet.add(wrap(&text, Role::Quiet, columns));
    let point = columns.saturating_sub(30).clamp(12, 40);
    let mut row = |mount: &Mount, sign: &str, role: Role, new: bool| {
        let role = if new { Role::Changed } else { role };
        let kind = format!("{} {}", pad(&mount.kind, 10), mount.propagation);
        let rest = columns.saturating_sub(point + 5);
        let mut whole = vec![
            (format!("{sign} "), role),
            (pad(&mount.point, point), role),
            (format!(" {}", clip(kind.trim_end(), rest)), Role::Plain),
        ];
        if new {
            whole.push((format!(" {}", marks::CHANGED), Role::Changed));
        }
        sheet.line(whole);
    };
    for mount in own {
        row(mount, "+", Role::Container, !known(before, mount));
    }
    for mount in gone {
        row(mount, "-", Role::Host, has(&before.inside.mounts, mount) && before.container == now.container);
    }
    sheet
}

fn known(before: &Sample, mount: &Mount) -> bool {
    has(&before.inside.mounts, mount)
}

/// Whether a table has this mount, apart from its number, which is another one in each mount namespace.
fn has(table: &[Mount], wanted: &Mount) -> bool {
    table.iter().any(|mount| {
        (&mount.point, &mount.kind, &mount.source, &mount.root)
            == (&wanted.point, &wanted.kind, &wanted.source, &wanted.root)
    })
}
