//! What a call changed in a mount table: two readings of `/proc/PID/mountinfo`, compared.

use super::{Change, Mounted, Mounts};
use crate::{
    kernel::{pid::Pid, text},
    observe::{Mount, mounts::parse},
};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// More mounts than this with the same change are told as one line.
const FEW: usize = 3;

/// One reading: every mount by its ID, with its own options (such as `ro`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Table(BTreeMap<u64, (Mount, String)>, BTreeMap<u64, Shared>);

/// What a mount shares with others (proc_pid_mountinfo(5)).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Shared {
    /// The device of its file system, as `major:minor`.
    device: String,
    /// The group of mounts that what happens on it is passed on to.
    peers: Option<u64>,
    /// The group that passes on to it.
    master: Option<u64>,
}

impl Table {
    /// Reads the mount table that a thread sees; `None` where that cannot be known, as when it is gone.
    pub(super) fn read(tid: Pid) -> Option<Table> {
        text::read(tid.dir().join("mountinfo")).ok().map(|text| Table::parse(&text))
    }

    fn parse(text: &str) -> Table {
        let entry = |line: &str| {
            let mount = parse(line).pop()?;
            let options = line.split(' ').nth(5)?.to_string();
            Some((u64::from(mount.id), (mount, options)))
        };
        let shared = |line: &str| {
            let fields: Vec<&str> = line.split(' ').take_while(|field| *field != "-").collect();
            let group = |name: &str| fields.iter().skip(6).find_map(|field| field.strip_prefix(name)?.parse().ok());
            let shared =
                Shared { device: fields.get(2)?.to_string(), peers: group("shared:"), master: group("master:") };
            Some((fields.first()?.parse().ok()?, shared))
        };
        Table(text.lines().filter_map(entry).collect(), text.lines().filter_map(shared).collect())
    }

    /// Whether what happens on this mount is passed on to a mount of another table.
    pub(super) fn passes_on(&self, mount: &Mount, other: &Table) -> bool {
        let peers = self.1.get(&mount.id.into()).and_then(|shared| shared.peers);
        peers.is_some() && other.1.values().any(|shared| shared.peers == peers || shared.master == peers)
    }

    /// Whether another table has the file system of this mount.
    pub(super) fn shares(&self, mount: &Mount, other: &Table) -> bool {
        let device = self.1.get(&mount.id.into()).map(|shared| &shared.device);
        device.is_some_and(|device| other.1.values().any(|shared| shared.device == *device))
    }

    /// Where the file behind a path is in another table, as far as its mounts say.
    pub(super) fn elsewhere(&self, path: &Path, other: &Table) -> Vec<PathBuf> {
        let Some(mount) = self.holding(path) else { return Vec::new() };
        let below = path.strip_prefix(&mount.point).unwrap_or(Path::new(""));
        let inside = Path::new(&mount.root).join(below);
        let device = self.1.get(&mount.id.into()).map(|shared| &shared.device);
        let mounts = other.0.values().map(|(mount, _)| mount);
        let same = mounts.filter(|mount| other.1.get(&mount.id.into()).map(|shared| &shared.device) == device);
        same.filter_map(|mount| Some(Path::new(&mount.point).join(inside.strip_prefix(&mount.root).ok()?))).collect()
    }

    /// The mount with this ID.
    pub(super) fn numbered(&self, id: u64) -> Option<&Mount> {
        self.0.get(&id).map(|(mount, _)| mount)
    }

    /// The mount that holds this path: of those whose point is a prefix of it, the longest and newest.
    pub(super) fn holding(&self, path: &Path) -> Option<&Mount> {
        let mounts = self.0.values().map(|(mount, _)| mount);
        mounts.filter(|mount| path.starts_with(&mount.point)).max_by_key(|mount| mount.point.len())
    }

    /// The newest mount on `/`.
    fn root(&self) -> Option<&Mount> {
        self.0.values().map(|(mount, _)| mount).filter(|mount| mount.point == "/").max_by_key(|mount| mount.id)
    }

    fn moves(&self, later: &Table) -> Vec<Change> {
        let pairs = self.0.iter().filter_map(|(id, (before, _))| Some((before, &later.0.get(id)?.0)));
        let pairs = pairs.filter(|(before, after)| before.point != after.point);
        pairs.map(|(old, new)| Change::Moved { before: old.point.clone(), after: new.point.clone() }).collect()
    }

    /// What is different in the later reading.
    pub(super) fn changes(&self, later: &Table) -> Vec<Change> {
        let mut out = Vec::new();
        for (id, (mount, _)) in &self.0 {
            if !later.0.contains_key(id) {
                out.push(Change::Unmounted { point: mount.point.clone(), mounted: mount.into() });
            }
        }
        let mut propagation = Vec::new();
        let mut moved = false;
        for (id, (after, options)) in &later.0 {
            let Some((before, earlier)) = self.0.get(id) else {
                out.push(Change::Mounted { point: after.point.clone(), mounted: after.into() });
                continue;
            };
            if before.propagation != after.propagation {
                let word = |text: &str| if text.is_empty() { "private".to_string() } else { text.to_string() };
                propagation.push((after.point.clone(), word(&before.propagation), word(&after.propagation)));
            }
            if earlier != options {
                let (before, now) = (earlier.clone(), options.clone());
                out.push(Change::MountOptions { point: after.point.clone(), before, after: now });
            }
            moved |= before.point != after.point;
        }
        out.extend(told(propagation));
        // pivot_root(2) moves every mount at once; what it does is give `/` to another one.
        if moved && self.root().map(|mount| mount.id) != later.root().map(|mount| mount.id) {
            let root = |table: &Table| table.root().map(Mounted::from);
            out.insert(0, Change::RootMount { before: root(self), after: root(later) });
        } else if moved {
            out.extend(self.moves(later));
        }
        out
    }
}

/// Few changed mounts one by one; many, as after a recursive call, by count.
fn told(list: Vec<(String, String, String)>) -> Vec<Change> {
    if list.len() <= FEW {
        let each = |(point, before, after)| Change::Propagation { mounts: Mounts::At(point), before, after };
        return list.into_iter().map(each).collect();
    }
    let mut counts: BTreeMap<(String, String), usize> = BTreeMap::new();
    for (_, before, after) in list {
        *counts.entry((before, after)).or_default() += 1;
    }
    let each = |((before, after), count)| Change::Propagation { mounts: Mounts::Many(count), before, after };
    counts.into_iter().map(each).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(list: &[&str]) -> Table {
        Table::parse(&list.join("\n"))
    }

    #[test]
    fn a_new_mount_and_a_gone_one() {
        let before = lines(&["1 0 8:1 / / rw shared:1 - ext4 /dev/sda rw", "3 1 0:5 / /tmp rw - tmpfs tmpfs rw"]);
        let after = lines(&["1 0 8:1 / / ro - ext4 /dev/sda rw", "4 1 8:1 /srv/box /mnt rw - ext4 /dev/sda rw"]);
        let told: Vec<String> = before.changes(&after).iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "mount /tmp: tmpfs -> none",
                "options of /: rw -> ro",
                "mount /mnt: none -> ext4 /srv/box",
                "propagation of /: shared -> private",
            ]
        );
        assert_eq!(before.holding(Path::new("/tmp/x")).map(|mount| mount.kind.as_str()), Some("tmpfs"));
        assert_eq!(before.holding(Path::new("/tmpx")).map(|mount| mount.kind.as_str()), Some("ext4"));
    }

    #[test]
    fn many_alike_are_counted() {
        let table = |tag: &str| {
            let list: Vec<String> = (0..5).map(|id| format!("{id} 0 8:1 / /m{id} rw{tag} - ext4 a rw")).collect();
            Table::parse(&list.join("\n"))
        };
        let told: Vec<String> = table(" shared:1").changes(&table("")).iter().map(ToString::to_string).collect();
        assert_eq!(told, ["propagation of 5 mounts: shared -> private"]);
    }

    #[test]
    fn a_pivot_is_a_new_root() {
        let before = lines(&["1 0 8:1 / / rw - ext4 a rw", "2 1 0:9 / /new rw - tmpfs b rw"]);
        let after = lines(&["1 2 8:1 / /old rw - ext4 a rw", "2 0 0:9 / / rw - tmpfs b rw"]);
        let told: Vec<String> = before.changes(&after).iter().map(ToString::to_string).collect();
        assert_eq!(told, ["root: ext4 a -> tmpfs b"]);
    }
}
