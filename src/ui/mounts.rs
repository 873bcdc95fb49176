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
    observe::Mount,
};

/// Lays out what differs.
pub(super) fn sheet(state: &State, play: &Play, columns: usize) -> Sheet {
    let mut sheet = Sheet::default();
    let lang = state.lang;
    let Some(now) = play.sample.as_deref() else {
        sheet.line(line(lang.pick("Nothing was read yet.", "尚未读到任何状态。"), Role::Quiet));
        return sheet;
    };
    let hidden = now.inside.hidden_mounts.filter(|hidden| *hidden > 0);
    if now.namespaces.get(&Kind::Mnt) == now.host_namespaces.get(&Kind::Mnt) {
        let text = lang.pick(
            "The mount table is the host's own: every mount made here would be the host's too.",
            "挂载表就是宿主机的：在这里挂载，宿主机上也会看到。",
        );
        sheet.add(wrap(text, Role::Quiet, columns));
        return sheet;
    }
    let before = play.before.as_deref().unwrap_or(now);
    let own = beyond(&now.inside.mounts, &now.host.mounts);
    let gone = beyond(&now.host.mounts, &now.inside.mounts);
    let new = beyond(&now.inside.mounts, &before.inside.mounts);
    let shared = now.inside.mounts.len() - own.len();
    let text = match hidden {
        None => lang.pick(
            format!("{shared} mounts as on the host, {} of its own, {} of the host's not there", own.len(), gone.len()),
            format!("与宿主机相同 {shared} 个，自有 {} 个，宿主机独有 {} 个", own.len(), gone.len()),
        ),
        Some(hidden) => lang.pick(
            format!(
                "{shared} mounts as on the host, {} of its own; {hidden} more are still mounted in its namespace, out of sight: \
                 its root is not the namespace's root",
                own.len()
            ),
            format!(
                "与宿主机相同 {shared} 个，自有 {} 个；它的命名空间里还挂载着 {hidden} 个，只是看不到：它的根目录不是这个命名空间的根",
                own.len()
            ),
        ),
    };
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
        row(mount, "+", Role::Container, new.iter().any(|new| std::ptr::eq(*new, mount)));
    }
    // What is out of sight is not gone, and which is which cannot be told from here.
    for mount in gone.into_iter().filter(|_| hidden.is_none()) {
        let was = before.inside.mounts.iter().any(|old| same(old, mount));
        row(mount, "-", Role::Host, was && before.container == now.container);
    }
    sheet
}

/// The mounts of a table that are not in another one. One that covers an equal one, as a container's own /proc does,
/// stands in its table twice.
pub(super) fn beyond<'a>(table: &'a [Mount], other: &[Mount]) -> Vec<&'a Mount> {
    let mut left: Vec<&Mount> = other.iter().collect();
    let mut out = Vec::new();
    for mount in table {
        match left.iter().position(|known| same(known, mount)) {
            Some(place) => drop(left.remove(place)),
            None => out.push(mount),
        }
    }
    out
}

/// Whether two entries are one mount, apart from its number, which is another one in each mount namespace.
fn same(one: &Mount, other: &Mount) -> bool {
    (&one.point, &one.kind, &one.source, &one.root) == (&other.point, &other.kind, &other.source, &other.root)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_over_an_equal_one_is_one_more() {
        let proc = Mount { point: "/proc".into(), kind: "proc".into(), ..Mount::default() };
        let root = Mount { point: "/".into(), ..Mount::default() };
        let host = [root.clone(), proc.clone()];
        let inside = [root, proc.clone(), Mount { id: 9, ..proc }];
        assert_eq!(beyond(&inside, &host).iter().map(|mount| mount.id).collect::<Vec<_>>(), [9]);
        assert_eq!(beyond(&host, &inside), Vec::<&Mount>::new());
    }
}
