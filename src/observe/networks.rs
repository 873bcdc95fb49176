//! Network namespaces of a session, and which are wired to which.
//!
//! Which they are is read off `/proc` here; what each holds is asked within it, by a child ([`super::networks_helper`]).
//!
//! The counters of IPv4 are read by hand: procfs gives none of them where one of UDP-Lite, which a kernel need not have, is missing.

use super::{processes::Tree, text};
use crate::kernel::{
    mountinfo::{self, Mount},
    namespaces::read_link,
    pid::Pid,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

/// So many namespaces are read, interfaces of each, and addresses, routes and neighbours.
pub(super) const MAX: [usize; 3] = [16, 32, 24];

/// So many processes are asked which namespaces they are in, the nearest to the terminals first.
const NEAREST: usize = 256;

/// So many processes of a namespace are named, and mount namespaces looked through for names.
const NAMED: usize = 16;

/// All of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Networks {
    /// Boxwright's own first, then those of the terminals, then all others.
    pub all: Vec<Network>,
    /// How many more there are, which were not read.
    pub more: usize,
}

/// One network namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Network {
    /// Its inode number.
    pub inode: u64,
    /// Whether it is boxwright's own, which is the host's.
    pub host: bool,
    /// Whether the container process is in it.
    pub container: bool,
    /// Whether the host terminal's process is in it.
    pub host_terminal: bool,
    /// The names that it was given with a mount, such as `A` for `/run/netns/A` (ip-netns(8)).
    pub names: Vec<String>,
    /// Processes of the session that are in it, the nearest to the terminals first.
    pub processes: Vec<Member>,
    /// Its interfaces, in the order of their numbers.
    pub interfaces: Vec<Link>,
    /// The routes of its main table.
    pub routes: Vec<Route>,
    /// The neighbours that it has asked for.
    pub neighbours: Vec<Neighbour>,
    /// How many interfaces, routes and neighbours it has besides, which were not kept.
    pub left_out: usize,
    /// Whether it passes on packets of IPv4 that are for others (`net.ipv4.ip_forward`).
    pub forwards: Option<bool>,
    /// What it has counted of IPv4 packets (`/proc/net/snmp`).
    pub packets: Packets,
    /// Why it could not be read: the call and the errno by name, such as `setns: EPERM`.
    pub unread: Option<String>,
}

/// A process in a network namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Member {
    /// Its host PID.
    pub pid: Pid,
    /// The name of its program.
    pub comm: String,
}

/// A network interface, and where its cable leads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Link {
    /// Its number.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// What it was made as, such as `veth` or `bridge`; empty for hardware and loopback.
    pub kind: String,
    /// Whether the administrator has brought it up (IFF_UP).
    pub up: bool,
    /// Whether it has a carrier (IFF_LOWER_UP): of a veth, that the other end is up as well.
    pub carrier: bool,
    /// Its hardware address, such as `02:00:00:00:00:01`; empty where it has none.
    pub address: String,
    /// Its addresses with the length of the prefix, such as `10.1.0.1/24`.
    pub addresses: Vec<String>,
    /// The number of the bridge that it is a port of.
    pub master: Option<u32>,
    /// The other end of its cable, or the interface that it rides on.
    pub peer: Option<Peer>,
    /// The hardware addresses that its bridge has learned to be behind it.
    pub learned: Vec<String>,
    /// What came in.
    pub received: Count,
    /// What went out.
    pub sent: Count,
}

/// The other end of a cable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Peer {
    /// Its number, over there.
    pub index: u32,
    /// The network namespace that it is in; `None` where that is none of those that were read.
    pub network: Option<u64>,
}

/// Packets and bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Count {
    /// Packets.
    pub packets: u64,
    /// Bytes.
    pub bytes: u64,
}

/// One route.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Route {
    /// The destination: `default`, or an address and the length of its prefix.
    pub to: String,
    /// The next hop.
    pub via: Option<String>,
    /// The name of the interface that it leads out of; empty for one that refuses.
    pub out: String,
    /// `blackhole`, `unreachable`, `prohibit` or `throw`; empty for one that leads somewhere.
    pub refuses: String,
    /// Whether the kernel made it by itself, with an address.
    pub kernel: bool,
}

/// A host on the same cable or bridge.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Neighbour {
    /// Their address.
    pub ip: String,
    /// The name of the interface.
    pub out: String,
    /// Such as `REACHABLE` or `FAILED`.
    pub state: String,
    /// Their hardware address, once they have answered.
    pub address: String,
}

/// Packets of IPv4 as `/proc/net/snmp` counts them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Packets {
    /// Those that were passed on (`ForwDatagrams`).
    pub forwarded: Option<u64>,
    /// Those that were for others, and not passed on (`InAddrErrors`).
    pub wrong_address: Option<u64>,
}

impl Networks {
    /// The namespace of this inode number.
    pub fn of(&self, inode: u64) -> Option<&Network> {
        self.all.iter().find(|network| network.inode == inode)
    }

    /// The other end of a cable, and the namespace that it is in.
    pub fn other_end(&self, link: &Link) -> Option<(&Network, &Link)> {
        let peer = link.peer?;
        let network = self.of(peer.network?)?;
        Some((network, network.interfaces.iter().find(|other| other.index == peer.index)?))
    }
}

/// One namespace that was found, and a file that leads into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// Who is in it, and what it is called.
    pub network: Network,
    /// Such as `/proc/4711/ns/net`.
    pub file: PathBuf,
}

/// Who stands where.
#[derive(Clone, Debug, Default)]
pub(super) struct Seats {
    /// The shells of the terminals: everything below them belongs to the session.
    pub shells: Vec<Pid>,
    /// The container process.
    pub container: Option<Pid>,
    /// The host terminal's process.
    pub host_terminal: Option<Pid>,
}

/// Finds the network namespaces of a session.
#[derive(Debug)]
pub(super) struct Finder<'a> {
    /// Where `/proc` is.
    pub proc_root: &'a Path,
    /// The host's mounts, and the number of its mount namespace.
    pub host: (&'a [Mount], Option<u64>),
    /// Namespaces that had a name on the host before the session began: they are not its own.
    pub old: &'a BTreeSet<u64>,
}

impl Finder<'_> {
    /// All of them, in the order in which they are told.
    pub(super) fn find(&self, tree: &Tree, seats: &Seats) -> Vec<Found> {
        let mut all = Vec::new();
        if let Some((inode, file)) = self.of("self") {
            enter(&mut all, inode, file).host = true;
        }
        let of = |pid: Option<Pid>| self.of(&pid?.to_string());
        if let Some((inode, file)) = of(seats.container) {
            enter(&mut all, inode, file).container = true;
        }
        if let Some((inode, file)) = of(seats.host_terminal) {
            enter(&mut all, inode, file).host_terminal = true;
        }
        let below = seats.shells.iter().flat_map(|shell| tree.family(*shell).into_iter().take(NEAREST));
        let mut seen = BTreeSet::new();
        let mut mount_namespaces: BTreeMap<u64, Pid> = BTreeMap::new();
        for pid in below.chain(seats.container) {
            let Some(stat) = tree.stats.get(&pid).filter(|stat| !stat.dead() && seen.insert(stat.pid)) else {
                continue;
            };
            let Some((inode, file)) = of(Some(pid)) else { continue };
            let network = enter(&mut all, inode, file);
            if network.processes.len() < NAMED {
                network.processes.push(Member { pid, comm: stat.comm.clone() });
            }
            if let Ok(mounts) = read_link(&self.proc_root.join(pid.to_string()).join("ns/mnt")) {
                mount_namespaces.entry(mounts).or_insert(pid);
            }
        }
        let (table, own) = self.host;
        for pid in mount_namespaces.into_iter().filter(|(inode, _)| Some(*inode) != own).map(|(_, pid)| pid).take(NAMED)
        {
            let dir = self.proc_root.join(pid.to_string());
            let table = text::read(dir.join("mountinfo")).unwrap_or_default();
            let lines: Vec<&str> = table.lines().filter(|line| line.contains(" - nsfs ")).collect();
            for (inode, name, point) in named(&mountinfo::parse(&lines.join("\n"))) {
                self.name(&mut all, inode, name, dir.join("root").join(point.trim_start_matches('/')));
            }
        }
        for (inode, name, point) in named(table) {
            self.name(&mut all, inode, name, point.into());
        }
        all
    }

    /// The network namespace of a process, by its directory in `/proc`.
    fn of(&self, process: &str) -> Option<(u64, PathBuf)> {
        let file = self.proc_root.join(process).join("ns/net");
        Some((read_link(&file).ok()?, file))
    }

    fn name(&self, all: &mut Vec<Found>, inode: u64, name: String, file: PathBuf) {
        if self.old.contains(&inode) && all.iter().all(|known| known.network.inode != inode) {
            return;
        }
        let names = &mut enter(all, inode, file).names;
        if !names.contains(&name) && names.len() < NAMED {
            names.push(name);
        }
    }
}

/// The entry of a namespace; the first file that leads there is kept.
fn enter(all: &mut Vec<Found>, inode: u64, file: PathBuf) -> &mut Network {
    let at = all.iter().position(|known| known.network.inode == inode).unwrap_or(all.len());
    if at == all.len() {
        all.push(Found { network: Network { inode, ..Network::default() }, file });
    }
    &mut all[at].network
}

/// The network namespaces that are mounted somewhere: inode number, name, mount point.
pub(super) fn named(table: &[Mount]) -> impl Iterator<Item = (u64, String, String)> {
    table.iter().filter(|mount| mount.kind == "nsfs").filter_map(|mount| {
        let inode = mount.root.strip_prefix("net:[")?.strip_suffix(']')?.parse().ok()?;
        let name = mount.point.rsplit('/').next().unwrap_or_default().to_string();
        Some((inode, name, mount.point.clone()))
    })
}

/// Reads the counters of IPv4 in `/proc/net/snmp`: a line of names, and a line of values.
pub(super) fn parse_packets(snmp: &str) -> Packets {
    let mut lines = snmp.lines().filter_map(|line| line.strip_prefix("Ip: "));
    let (Some(names), Some(values)) = (lines.next(), lines.next()) else { return Packets::default() };
    let value = |wanted: &str| {
        let at = names.split_ascii_whitespace().position(|name| name == wanted)?;
        values.split_ascii_whitespace().nth(at)?.parse().ok()
    };
    Packets { forwarded: value("ForwDatagrams"), wrong_address: value("InAddrErrors") }
}

#[cfg(test)]
#[path = "networks_tests.rs"]
mod tests;
