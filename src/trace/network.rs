//! Changes of the machine's own network: messages to the kernel over netlink(7), and the older ways: requests of ioctl(2)
//! (netdevice(7)) and options of a socket (iptables-legacy(8)).
//!
//! A message is sent with a call that all programs make all the time. Only a thread that has a netlink socket open stops there.

use super::{
    argument::Value,
    calls::Effect,
    guard::allows,
    memory::{Memory, Width},
    nftables, rtnetlink,
    stops::Tracing,
    task::{namespace, shares},
};
use crate::kernel::{namespaces::Kind, pid::Pid, pidfd};
use nix::sys::stat::fstat;
use std::{
    fs,
    os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd},
};

/// Domain of socket(2).
pub(super) const NETLINK: u32 = libc::AF_NETLINK as u32;

/// What setsockopt(2) is stopped for: IPT_SO_SET_REPLACE and …_ADD_COUNTERS, which are those of IPv6, too
/// (`linux/netfilter_ipv4/ip_tables.h`), the same of ARP (96, 97), and those of bridges (128, 129).
pub(super) static OPTIONS: [u32; 6] = [64, 65, 96, 97, 128, 129];
/// The levels of these options: of IPv4, which ARP and bridges share, and of IPv6.
const LEVELS: [i32; 2] = [libc::SOL_IP, libc::SOL_IPV6];

/// The capability that all of it needs (capabilities(7)).
const NET_ADMIN: u32 = 12;

/// A message begins with its length and its type (`struct nlmsghdr`).
const HEADER: usize = 16;
/// So many bytes of what is sent are looked at: far more than any first message.
const MAX: usize = 64 * 1024;
/// So many changes of one call are told.
const TOLD: usize = 32;
/// So many pieces, and messages of sendmmsg(2).
const PIECES: u64 = 64;

/// The ioctl(2) that gives the network namespace of a socket, as a descriptor.
const SIOCGSKNS: libc::Ioctl = 0x894c;

/// Whether this descriptor is a netlink socket.
pub(super) fn is_netlink(process: Pid, fd: i32) -> bool {
    // Most descriptors are none, and a link is read more quickly than a process is opened.
    let link = fs::read_link(process.dir().join(format!("fd/{fd}")));
    link.is_ok_and(|link| link.as_os_str().as_encoded_bytes().starts_with(b"socket:"))
        && socket(process, fd).is_some_and(|socket| option(&socket, libc::SO_DOMAIN) == Some(libc::AF_NETLINK))
}

fn socket(process: Pid, fd: i32) -> Option<OwnedFd> {
    pidfd::copy(&pidfd::open(process).ok()?, fd).ok()
}

impl Tracing {
    /// Whether this call sends something through a netlink socket.
    pub(super) fn speaks(&self, tid: Pid, effect: Effect, values: &[u64; 6]) -> bool {
        let may = matches!(effect, Effect::Sends | Effect::Writes(0));
        may && self.tasks.get(&tid).is_some_and(|task| is_netlink(task.process, values[0] as i32))
    }

    /// Whether this call sends a message that would change the machine's own network.
    pub(super) fn messages_the_machine(&self, tid: Pid, memory: Memory<'_>, name: &str, values: &[u64; 6]) -> bool {
        let Some(task) = self.tasks.get(&tid).filter(|_| allows(tid, NET_ADMIN)) else { return false };
        let Some(socket) = socket(task.process, values[0] as i32) else { return false };
        if option(&socket, libc::SO_DOMAIN) != Some(libc::AF_NETLINK) || !is_machines(tid, &socket) {
            return false;
        }
        let protocol = option(&socket, libc::SO_PROTOCOL);
        sent(memory, name, values).iter().any(|bytes| changes(protocol, bytes))
    }

    /// The changes of a network, whosever it is, that this call asks the kernel for, to be told instead of an address.
    pub(super) fn asked_of_the_network(
        &self,
        tid: Pid,
        memory: Memory<'_>,
        name: &str,
        values: &[u64; 6],
    ) -> Option<Value> {
        let socket = socket(self.tasks.get(&tid)?.process, values[0] as i32)?;
        if option(&socket, libc::SO_DOMAIN) != Some(libc::AF_NETLINK) {
            return None;
        }
        let protocol = option(&socket, libc::SO_PROTOCOL)?;
        let mut asked: Vec<Value> =
            sent(memory, name, values).iter().flat_map(|bytes| asked(protocol, bytes)).take(TOLD).collect();
        match asked.len() {
            0 => None,
            1 => asked.pop(),
            _ => Some(Value::List { items: asked, cut: false }),
        }
    }

    /// Whether this ioctl(2) or setsockopt(2) would.
    pub(super) fn sets_the_machines_network(&self, tid: Pid, name: &str, values: &[u64; 6]) -> bool {
        if name == "setsockopt" && !LEVELS.contains(&(values[1] as i32)) {
            return false;
        }
        let process = self.tasks.get(&tid).map(|task| task.process).filter(|_| allows(tid, NET_ADMIN));
        process.and_then(|process| socket(process, values[0] as i32)).is_some_and(|socket| is_machines(tid, &socket))
    }
}

/// Whether a socket belongs to the machine's own network namespace, wherever its holder is now.
#[expect(unsafe_code, reason = "nix and rustix lack this request")]
fn is_machines(tid: Pid, socket: &OwnedFd) -> bool {
    // SAFETY: the request takes nothing and gives a new descriptor, which nothing else owns.
    let network = unsafe {
        let fd = libc::ioctl(socket.as_raw_fd(), SIOCGSKNS);
        (fd >= 0).then(|| OwnedFd::from_raw_fd(fd))
    };
    match network.and_then(|network| fstat(network.as_fd()).ok()) {
        Some(found) => namespace(Pid::own(), Kind::Net) == Some(found.st_ino),
        None => shares(tid, Kind::Net),
    }
}

/// An option of a socket that is a number.
#[expect(unsafe_code, reason = "nix lacks SO_DOMAIN")]
fn option(socket: &OwnedFd, name: libc::c_int) -> Option<i32> {
    let (mut value, mut length) = (0i32, size_of::<i32>() as libc::socklen_t);
    // SAFETY: the value is as long as its length says.
    let result = unsafe {
        libc::getsockopt(socket.as_raw_fd(), libc::SOL_SOCKET, name, (&raw mut value).cast(), &raw mut length)
    };
    (result == 0).then_some(value)
}

/// The beginning of each datagram that a call sends.
fn sent(memory: Memory<'_>, name: &str, values: &[u64; 6]) -> Vec<Vec<u8>> {
    let (size, word) = match memory.width() {
        Width::Eight => (64, 8),
        Width::Four => (32, 4),
    };
    match name {
        "sendto" => memory.bytes(values[1], (values[2] as usize).min(MAX)).into_iter().collect(),
        // Without an address a message goes to the kernel.
        "write" => memory.bytes(values[1], (values[2] as usize).min(MAX)).into_iter().collect(),
        "writev" => vec![pieces(memory, values[1], values[2], word)],
        "sendmsg" => vec![gathered(memory, values[1], word)],
        "sendmmsg" => {
            let count = (values[2] as u32 as u64).min(PIECES);
            (0..count).map(|index| gathered(memory, values[1].wrapping_add(index * size), word)).collect()
        }
        _ => Vec::new(),
    }
}

/// What the pieces of a `struct msghdr` hold together. Its pieces, and how many they are, are its third and fourth member.
fn gathered(memory: Memory<'_>, header: u64, word: u64) -> Vec<u8> {
    let members = memory.pointer(header, 2).zip(memory.pointer(header, 3));
    members.map_or(Vec::new(), |(at, count)| pieces(memory, at, count, word))
}

/// What so many of `struct iovec` hold together.
fn pieces(memory: Memory<'_>, pieces: u64, count: u64, word: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    for index in 0..count.min(PIECES) {
        let piece = pieces.wrapping_add(index * 2 * word);
        let (Some(at), Some(length)) = (memory.pointer(piece, 0), memory.pointer(piece, 1)) else { break };
        let Some(part) = memory.bytes(at, (length as usize).min(MAX - bytes.len())) else { break };
        bytes.extend(part);
    }
    bytes
}

/// Whether one of these messages asks the kernel for a change.
fn changes(protocol: Option<i32>, mut bytes: &[u8]) -> bool {
    while let Some((length, kind)) = header(bytes) {
        if asks_for_change(protocol, kind)
            && !(protocol == Some(libc::NETLINK_ROUTE) && names_nothing(bytes, length, kind))
        {
            return true;
        }
        // The next one begins at a multiple of four.
        bytes = bytes.get(length.max(HEADER).next_multiple_of(4)..).unwrap_or_default();
    }
    false
}

/// The messages of rtnetlink(7), and those to nftables, that ask for a change.
fn asked(protocol: i32, mut bytes: &[u8]) -> Vec<Value> {
    let mut out = Vec::new();
    let route = protocol == libc::NETLINK_ROUTE;
    while let Some((length, kind)) = header(bytes) {
        if asks_for_change(Some(protocol), kind) && !(route && names_nothing(bytes, length, kind)) {
            let body = bytes.get(HEADER..length.min(bytes.len())).unwrap_or_default();
            out.push(if route { rtnetlink::read(kind, body) } else { nftables::read(kind, body) });
        }
        bytes = bytes.get(length.max(HEADER).next_multiple_of(4)..).unwrap_or_default();
    }
    out
}

/// RTM_NEWLINK for no interface, without a single attribute: ip(8) asks so whether the kernel knows the message, also where it
/// is only to show something.
fn names_nothing(bytes: &[u8], length: usize, kind: u16) -> bool {
    // `struct ifinfomsg` follows: family, type, index, flags, mask.
    const WHOLE: usize = HEADER + 16;
    let index = bytes.get(HEADER + 4..HEADER + 8).unwrap_or_default();
    kind == 16 && length <= WHOLE && index.iter().all(|byte| *byte == 0)
}

fn header(bytes: &[u8]) -> Option<(usize, u16)> {
    let [a, b, c, d, e, f, ..] = *bytes.get(..HEADER)?.first_chunk::<6>()?;
    Some((u32::from_ne_bytes([a, b, c, d]) as usize, u16::from_ne_bytes([e, f])))
}

/// Types of rtnetlink(7) begin at 16 and come in fours: new, delete, get, set. Those of nf_tables(8) stand for one thing
/// each (`linux/netfilter/nf_tables.h`); the high byte says which part of netfilter.
fn asks_for_change(protocol: Option<i32>, kind: u16) -> bool {
    const TABLES: u16 = 10;
    /// Get a table, chain, rule, set, element, generation, object, flowtable, and some of them with their counters reset.
    const GETS: [u16; 12] = [1, 4, 7, 10, 13, 16, 19, 21, 23, 25, 33, 34];
    match protocol {
        Some(libc::NETLINK_ROUTE) => kind >= 16 && kind & 3 != 2,
        Some(libc::NETLINK_NETFILTER) if kind >> 8 == TABLES => !GETS.contains(&(kind & 0xff)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(length: u32, kind: u16) -> Vec<u8> {
        let mut bytes = [length.to_ne_bytes().as_slice(), &kind.to_ne_bytes(), &[0; 10]].concat();
        bytes.resize((length as usize).next_multiple_of(4), 0);
        bytes
    }

    #[test]
    fn a_change_is_told_from_a_question() {
        let route = |kind| changes(Some(libc::NETLINK_ROUTE), &message(36, kind));
        // RTM_NEWLINK, DELLINK, GETLINK, SETLINK; NEWADDR, GETADDR; NEWROUTE, DELROUTE, GETROUTE; done.
        assert_eq!(
            [16, 17, 18, 19, 20, 22, 24, 25, 26, 3].map(route),
            [true, true, false, true, true, false, true, true, false, false]
        );
        let filter = |kind| changes(Some(libc::NETLINK_NETFILTER), &message(20, kind));
        // NFT_MSG_NEWTABLE, GETTABLE, DELRULE, GETGEN, DESTROYTABLE; the begin of a batch; conntrack.
        assert_eq!(
            [0xa00, 0xa01, 0xa08, 0xa10, 0xa1a, 0x10, 0x100].map(filter),
            [true, false, true, false, true, false, false]
        );
        let batch = [message(20, 0x10), message(20, 0xa00), message(20, 0xa01), message(20, 0x11)].concat();
        let told = asked(libc::NETLINK_NETFILTER, &batch);
        assert_eq!(told.iter().map(Value::to_string).collect::<Vec<_>>(), ["{NFT_MSG_NEWTABLE}"]);
        assert!(!changes(Some(libc::NETLINK_KOBJECT_UEVENT), &message(36, 16)));
        // What ip(8) asks first, and the same for an interface.
        let mut asks = message(32, 16);
        assert!(
            asked(libc::NETLINK_ROUTE, &asks).is_empty() && asked(libc::NETLINK_ROUTE, &message(32, 18)).is_empty()
        );
        assert!(!changes(Some(libc::NETLINK_ROUTE), &asks));
        asks[20] = 1;
        let twice = [asks.clone(), asks.clone()].concat();
        assert_eq!(
            asked(libc::NETLINK_ROUTE, &twice).iter().map(Value::to_string).collect::<Vec<_>>(),
            ["{RTM_NEWLINK, index=1}"; 2]
        );
        // A length that is longer than what was sent.
        assert_eq!(asked(libc::NETLINK_ROUTE, &[message(4000, 16)[..16].to_vec(), vec![0; 16]].concat()).len(), 1);
        assert!(changes(Some(libc::NETLINK_ROUTE), &asks));
    }

    #[test]
    fn every_message_of_a_batch_is_looked_at() {
        let batch = |last: u16| [message(18, 0x10), message(24, 0xa01), message(17, last)].concat();
        assert!(changes(Some(libc::NETLINK_NETFILTER), &batch(0xa06)));
        assert!(!changes(Some(libc::NETLINK_NETFILTER), &batch(0x11)));
        // A length that leads nowhere ends it.
        assert!(!changes(Some(libc::NETLINK_ROUTE), &message(16, 18)));
        assert!(!changes(Some(libc::NETLINK_ROUTE), &[0; 40]));
        assert!(!changes(Some(libc::NETLINK_ROUTE), b"short"));
    }

    #[test]
    fn a_netlink_socket_is_known_by_what_it_is() {
        use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};
        let me = Pid::own();
        let open = |family| socket(family, SockType::Raw, SockFlag::SOCK_CLOEXEC, None);
        let netlink = open(AddressFamily::Netlink).unwrap();
        assert!(is_netlink(me, netlink.as_raw_fd()));
        assert!(!is_netlink(me, 0) && !is_netlink(me, -1));
    }
}
