//! What network namespaces hold: the hidden role `__ns-helper networks N FILE…`, each file being one of a network namespace. The
//! first N are entered; the others are those that cables may lead to.
//!
//! A short, single-threaded child enters one after the other and asks the kernel there (rtnetlink(7)), because boxwright itself
//! has threads and never leaves the host's namespaces.

use super::networks::{
    Count, Finder, Found, Link, MAX, Neighbour, Network, Networks, Peer, Route, Seats, named, parse_packets,
};
use super::ns_helper::{ROLE, answer_of};
use super::processes::Tree;
use super::{Reader, Sample};
use crate::kernel::{
    interfaces::{self, Address, LOWER_UP, UP},
    namespaces::Kind,
    owned,
    pid::Pid,
    routes, text,
};
use nix::{
    errno::Errno,
    sched::{CloneFlags, setns},
};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs::File,
    io,
    os::{fd::AsFd, unix::fs::MetadataExt},
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

/// What comes after the name of the role.
pub(super) const WORD: &str = "networks";

/// How long the answers may take, all children together.
const DEADLINE: Duration = Duration::from_secs(1);

/// What one namespace answered, with the number that it has; or why it did not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Answer {
    inode: u64,
    network: Network,
    /// Whether another child may be luckier: this one had entered a user namespace, which it cannot leave.
    again: bool,
}

/// The child's answers about the first of these files, as many as the first word says; the others are known to it by number.
pub(super) fn answers(args: &[String]) -> Vec<Answer> {
    let (count, files) = args.split_first().map_or((0, args), |(count, files)| (count.parse().unwrap_or(0), files));
    // Every file is opened before the first setns: afterwards even /proc may look different.
    let files: Vec<io::Result<File>> = files.iter().map(File::open).collect();
    let inode = |file: &File| file.metadata().map_or(0, |metadata| metadata.ino());
    let others: Vec<(u64, &File)> = files.iter().flatten().map(|file| (inode(file), file)).collect();
    let mut here = File::open("/proc/self/ns/net").map_or(0, |own| inode(&own));
    let mut entered = false;
    let mut answers = Vec::new();
    for file in files.iter().take(count) {
        answers.push(match file {
            Err(error) => failed(0, "open", Errno::from_raw(error.raw_os_error().unwrap_or(0))),
            Ok(file) => match enter(file, inode(file) == here, &mut entered) {
                Ok(()) => {
                    here = inode(file);
                    read(here, &others)
                }
                Err(errno) => Answer { again: entered, ..failed(inode(file), "setns", errno) },
            },
        });
    }
    answers
}

fn failed(inode: u64, call: &str, errno: Errno) -> Answer {
    let network = Network { unread: Some(format!("{call}: {errno:?}")), ..Network::default() };
    Answer { inode, network, again: false }
}

/// Enters a network namespace. Where that is refused, the user namespace that it belongs to is entered first: it gives the
/// capabilities. It takes away those over everything outside, and there is no way back.
fn enter(file: &File, is_here: bool, entered: &mut bool) -> nix::Result<()> {
    if is_here {
        return Ok(());
    }
    match setns(file.as_fd(), CloneFlags::CLONE_NEWNET) {
        Err(Errno::EPERM) => {
            let owner = owned::user_namespace(file).map_err(|_| Errno::EPERM)?;
            setns(owner.as_fd(), CloneFlags::CLONE_NEWUSER)?;
            *entered = true;
            setns(file.as_fd(), CloneFlags::CLONE_NEWNET)
        }
        result => result,
    }
}

/// What rtnetlink(7) says of a namespace.
#[derive(Default)]
struct Told {
    links: Vec<interfaces::Link>,
    addresses: Vec<Address>,
    routes: Vec<routes::Route>,
    neighbours: Vec<routes::Neighbour>,
    /// What bridges have learned.
    learned: Vec<(u32, Vec<u8>)>,
    /// The numbers that this namespace has for others are its own.
    numbers: BTreeMap<i32, u64>,
}

/// Reads the namespace that the caller is in; `others` are those that a cable may lead to.
fn read(inode: u64, others: &[(u64, &File)]) -> Answer {
    let all = || -> nix::Result<_> { Ok((interfaces::links()?, interfaces::addresses()?, routes::routes()?)) };
    let (links, addresses, routes) = match all() {
        Ok(all) => all,
        Err(errno) => return failed(inode, "rtnetlink", errno),
    };
    // Old kernels, and those without bridges, have nothing to say here.
    let (neighbours, learned) = (routes::neighbours().unwrap_or_default(), routes::learned().unwrap_or_default());
    let numbers: BTreeMap<i32, u64> = match links.iter().any(|link| link.elsewhere.is_some()) {
        true => others.iter().filter_map(|(inode, file)| Some((routes::number_of(*file).ok()??, *inode))).collect(),
        false => BTreeMap::new(),
    };
    let network = Network {
        forwards: text::read("/proc/sys/net/ipv4/ip_forward").ok().map(|text| text.trim() == "1"),
        packets: parse_packets(&text::read("/proc/self/net/snmp").unwrap_or_default()),
        ..kept(inode, Told { links, addresses, routes, neighbours, learned, numbers })
    };
    Answer { inode, network, again: false }
}

/// As much of it as is told, by the names of the interfaces.
fn kept(inode: u64, told: Told) -> Network {
    let links = &told.links;
    let name =
        |index: u32| links.iter().find(|link| link.index == index).map_or_else(String::new, |it| it.name.clone());
    let [_, most, few] = MAX;
    // A cable to somewhere else says more than one of many others.
    let mut shown: Vec<&interfaces::Link> = links.iter().collect();
    shown.sort_by_key(|link| (link.elsewhere.is_none(), link.index));
    shown.truncate(most);
    shown.sort_by_key(|link| link.index);
    let interfaces: Vec<Link> = shown.into_iter().map(|link| interface(link, inode, &told)).collect();
    let route = |route: &routes::Route| Route {
        to: route.to.map_or_else(|| "default".into(), |(ip, prefix)| format!("{ip}/{prefix}")),
        via: route.via.map(|ip| ip.to_string()),
        out: route.out.filter(|_| route.refuses.is_empty()).map(name).unwrap_or_default(),
        refuses: route.refuses.into(),
        kernel: route.kernel,
    };
    let neighbour = |found: &routes::Neighbour| Neighbour {
        ip: found.ip.to_string(),
        out: name(found.index),
        state: found.state.into(),
        address: hexadecimal(&found.address),
    };
    let routes: Vec<Route> = told.routes.iter().take(few).map(route).collect();
    let neighbours: Vec<Neighbour> = told.neighbours.iter().take(few).map(neighbour).collect();
    let all = links.len() + told.routes.len() + told.neighbours.len();
    let left_out = all - interfaces.len() - routes.len() - neighbours.len();
    Network { interfaces, routes, neighbours, left_out, ..Network::default() }
}

fn interface(link: &interfaces::Link, inode: u64, told: &Told) -> Link {
    let [received, bytes_in, sent, bytes_out] = link.counts;
    let own = told.addresses.iter().filter(|address| address.index == link.index);
    let behind = told.learned.iter().filter(|(index, _)| *index == link.index);
    let network = match link.elsewhere {
        Some(number) => told.numbers.get(&number).copied(),
        None => Some(inode),
    };
    Link {
        index: link.index,
        name: link.name.clone(),
        kind: link.made.clone(),
        up: link.flags & UP != 0,
        carrier: link.flags & LOWER_UP != 0,
        address: if link.kind == "loopback" { String::new() } else { hexadecimal(&link.address) },
        addresses: own.take(MAX[2]).map(|address| format!("{}/{}", address.ip, address.prefix)).collect(),
        master: link.master,
        peer: link.other.map(|(index, _)| Peer { index, network }),
        learned: behind.take(MAX[2]).map(|(_, address)| hexadecimal(address)).collect(),
        received: Count { packets: received, bytes: bytes_in },
        sent: Count { packets: sent, bytes: bytes_out },
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":")
}

impl Reader {
    /// The network namespaces of the session, where they are asked for; `watched` is its first process. Those that had
    /// a name before the first sample are not its own.
    pub(super) fn networks(&mut self, tree: &Tree, watched: Pid, sample: &Sample) -> Option<Networks> {
        let mounts = &sample.host.mounts;
        let old = self.old_networks.get_or_insert_with(|| named(mounts).map(|(inode, ..)| inode).collect());
        if !self.extra.networks && !self.sees_networks {
            return None;
        }
        let host = (mounts.as_slice(), sample.host_namespaces.get(&Kind::Mnt).copied());
        let finder = Finder { proc_root: &self.proc_root, host, old };
        let (shell, foreground) = self.host_terminal;
        let seats = Seats {
            shells: std::iter::once(watched).chain(shell).collect(),
            container: sample.container,
            host_terminal: foreground.filter(|pid| tree.start(*pid).is_some()).or(shell),
        };
        Some(ask(&self.exe, finder.find(tree, &seats)))
    }
}

/// Asks in each of these namespaces. One that does not answer says why.
pub(super) fn ask(exe: &Path, mut found: Vec<Found>) -> Networks {
    let more = found.len().saturating_sub(MAX[0]);
    found.truncate(MAX[0]);
    let until = Instant::now() + DEADLINE;
    let mut open: Vec<usize> = (0..found.len()).collect();
    while !open.is_empty() {
        let rest = (0..found.len()).filter(|at| !open.contains(at));
        let order = open.iter().copied().chain(rest);
        let files: Vec<&PathBuf> = order.filter_map(|at| Some(&found.get(at)?.file)).collect();
        let Some(answers) = child(exe, open.len(), &files, until) else {
            let silent = |at: &usize| (*at, failed(0, "__ns-helper", Errno::ETIMEDOUT));
            open.iter().map(silent).for_each(|(at, answer)| take(&mut found, at, answer));
            break;
        };
        let again: Vec<usize> =
            open.iter().zip(&answers).filter(|(_, answer)| answer.again).map(|(at, _)| *at).collect();
        open.iter().zip(answers).for_each(|(at, answer)| take(&mut found, *at, answer));
        // A child that has read nothing leaves it at that.
        open = if again.len() < open.len() { again } else { Vec::new() };
    }
    Networks { all: found.into_iter().map(|found| found.network).collect(), more }
}

/// Keeps an answer, unless it is about a namespace that was made later.
fn take(found: &mut [Found], at: usize, answer: Answer) {
    let Some(Found { network, .. }) = found.get_mut(at) else { return };
    if answer.network.unread.is_none() && answer.inode != network.inode {
        network.unread = Some(format!("open: {:?}", Errno::ESRCH));
        return;
    }
    let known = std::mem::take(network);
    *network = Network {
        inode: known.inode,
        host: known.host,
        container: known.container,
        host_terminal: known.host_terminal,
        names: known.names,
        processes: known.processes,
        ..answer.network
    };
}

fn child(exe: &Path, count: usize, files: &[&PathBuf], until: Instant) -> Option<Vec<Answer>> {
    answer_of(Command::new(exe).args([ROLE, WORD, &count.to_string()]).args(files), until)
}

#[cfg(test)]
#[path = "networks_helper_tests.rs"]
mod tests;
