//! Network interfaces and their addresses in the caller's network namespace, as rtnetlink(7) tells them.

use super::netlink::{GET_ADDRESS, GET_LINK, Message, NEW_LINK, change, list};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The interface was brought up by an administrator (IFF_UP).
pub(crate) const UP: u32 = 0x1;
/// It has a carrier (IFF_LOWER_UP).
pub(crate) const LOWER_UP: u32 = 0x1_0000;

/// Interface flags by name, in the order in which ip(8) shows them (netdevice(7)).
pub(crate) const FLAGS: [(u32, &str); 10] = [
    (0x8, "LOOPBACK"),
    (0x2, "BROADCAST"),
    (0x10, "POINTOPOINT"),
    (0x1000, "MULTICAST"),
    (0x80, "NOARP"),
    (0x100, "PROMISC"),
    (0x400, "MASTER"),
    (0x800, "SLAVE"),
    (UP, "UP"),
    (LOWER_UP, "LOWER_UP"),
];

/// Address flags by name (rtnetlink(7)); an address that is not permanent has a lease.
pub(crate) const ADDRESS_FLAGS: [(u32, &str); 6] = [
    (0x1, "secondary"),
    (0x2, "nodad"),
    (0x8, "dadfailed"),
    (0x20, "deprecated"),
    (0x40, "tentative"),
    (0x200, "noprefixroute"),
];
const PERMANENT: u32 = 0x80;

/// Operational states (RFC 2863).
const STATES: [&str; 7] = ["UNKNOWN", "NOTPRESENT", "DOWN", "LOWERLAYERDOWN", "TESTING", "DORMANT", "UP"];

/// One interface.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Link {
    /// Its number.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// The number of the cable's other end, or of the interface that it rides on; and whether that one is in another
    /// network namespace.
    pub other: Option<(u32, bool)>,
    /// The number that this network namespace has for that other one (IFLA_LINK_NETNSID).
    pub elsewhere: Option<i32>,
    /// What it was made as, such as `veth` or `bridge`; empty for hardware and loopback (IFLA_INFO_KIND).
    pub made: String,
    /// The number of the bridge, or other interface, that it is a port of.
    pub master: Option<u32>,
    /// Packets and bytes, received and sent, since it was made (IFLA_STATS64).
    pub counts: [u64; 4],
    /// Its flags.
    pub flags: u32,
    /// The largest packet.
    pub mtu: u32,
    /// Its queueing discipline.
    pub qdisc: String,
    /// Its operational state.
    pub state: &'static str,
    /// The group of interfaces that it belongs to; 0 is the default.
    pub group: u32,
    /// The length of its queue.
    pub queue: Option<u32>,
    /// `ether`, `loopback` or `none`.
    pub kind: &'static str,
    /// Its hardware address.
    pub address: Vec<u8>,
    /// The hardware broadcast address.
    pub broadcast: Vec<u8>,
}

/// One address of an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    /// The interface's number.
    pub index: u32,
    /// The address.
    pub ip: IpAddr,
    /// How many bits of it are the network's.
    pub prefix: u8,
    /// The broadcast address of that network.
    pub broadcast: Option<IpAddr>,
    /// `global`, `site`, `link` or `host`.
    pub scope: &'static str,
    /// Its flags.
    pub flags: u32,
    /// The label of an IPv4 address.
    pub label: Option<String>,
    /// For how many seconds it is valid, and preferred; `None` for ever.
    pub lifetimes: [Option<u32>; 2],
}

impl Address {
    /// Whether it was leased, and not set by hand.
    pub(crate) fn dynamic(&self) -> bool {
        self.flags & PERMANENT == 0
    }
}

/// The interfaces.
///
/// Errors: those of the netlink socket.
pub(crate) fn links() -> nix::Result<Vec<Link>> {
    Ok(list(GET_LINK)?.iter().map(link).collect())
}

/// The addresses of all interfaces.
///
/// Errors: those of the netlink socket.
pub(crate) fn addresses() -> nix::Result<Vec<Address>> {
    Ok(list(GET_ADDRESS)?.iter().filter_map(address).collect())
}

/// Brings an interface up or down.
///
/// Errors: EPERM without CAP_NET_ADMIN in the user namespace that owns the network namespace.
pub(crate) fn set_up(index: u32, up: bool) -> nix::Result<()> {
    // A `struct ifinfomsg`: the interface, its new flags, and a mask that says which of them is meant.
    let body: Vec<u8> = [0, index, if up { UP } else { 0 }, UP].into_iter().flat_map(u32::to_ne_bytes).collect();
    change(NEW_LINK, &body)
}

/// A `struct ifinfomsg` (family, type, index, flags, mask), and attributes by the numbers of linux/if_link.h.
fn link(message: &Message) -> Link {
    let index = message.word(4);
    // Its own number stands for itself, unless it is one of another namespace.
    let elsewhere = message.number(37).map(u32::cast_signed);
    let other = message.number(5).filter(|other| elsewhere.is_some() || *other != index);
    let stats = message.attribute(23).unwrap_or_default();
    // `struct rtnl_link_stats64` begins with packets received and sent, bytes received and sent.
    let count = |at: usize| {
        let bytes = stats.get(at * 8..).and_then(|rest| rest.first_chunk());
        bytes.map_or(0, |bytes| u64::from_ne_bytes(*bytes))
    };
    Link {
        index,
        name: message.text(3).unwrap_or_default(),
        other: other.map(|other| (other, elsewhere.is_some())),
        elsewhere,
        made: message.attribute(18).and_then(|info| Message::parse(info, 0).text(1)).unwrap_or_default(),
        master: message.number(10),
        counts: [count(0), count(2), count(1), count(3)],
        flags: message.word(8),
        mtu: message.number(4).unwrap_or(0),
        qdisc: message.text(6).unwrap_or_default(),
        state: STATES.get(message.number(16).unwrap_or(0) as usize).unwrap_or(&"UNKNOWN"),
        group: message.number(27).unwrap_or(0),
        queue: message.number(13),
        kind: match message.short(2) {
            1 => "ether",
            772 => "loopback",
            _ => "none",
        },
        address: message.attribute(1).unwrap_or_default().into(),
        broadcast: message.attribute(2).unwrap_or_default().into(),
    }
}

/// A `struct ifaddrmsg` (family, prefix, flags, scope, index), and attributes by the numbers of linux/if_addr.h.
fn address(message: &Message) -> Option<Address> {
    // The address itself is number 2; number 1 is the other end's where there is a point-to-point line.
    let own = message.attribute(2).or(message.attribute(1))?;
    let lifetime = |at: usize| {
        let bytes = message.attribute(6)?.get(at..at + 4)?.try_into().ok()?;
        Some(u32::from_ne_bytes(bytes)).filter(|seconds| *seconds != u32::MAX)
    };
    let ip = ip(own)?;
    Some(Address {
        index: message.word(4),
        ip,
        prefix: message.byte(1),
        broadcast: message.attribute(4).and_then(self::ip),
        scope: match message.byte(3) {
            0 => "global",
            253 => "link",
            254 => "host",
            _ => "site",
        },
        flags: message.number(8).unwrap_or_else(|| message.byte(2).into()),
        label: message.text(3).filter(|_| ip.is_ipv4()),
        // The structure begins with the preferred lifetime.
        lifetimes: [lifetime(4), lifetime(0)],
    })
}

pub(super) fn ip(bytes: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(bytes).map(|bytes| Ipv4Addr::from(bytes).into());
    v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(|bytes| Ipv6Addr::from(bytes).into())).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::apart::as_root_apart;
    use nix::sched::CloneFlags;

    #[test]
    fn lo_has_its_address_where_it_is_up() {
        let lo = links().unwrap().into_iter().find(|link| link.name == "lo").unwrap();
        assert_eq!((lo.index, lo.kind, lo.other), (1, "loopback", None));
        let own = addresses().unwrap().into_iter().find(|address| address.index == 1 && address.ip.is_ipv4());
        let expected = (lo.flags & UP != 0).then(|| ("127.0.0.1".parse().unwrap(), 8, "host"));
        assert_eq!(own.map(|own| (own.ip, own.prefix, own.scope)), expected);
    }

    #[test]
    #[cfg_attr(no_user_namespaces, ignore = "no user namespaces could be made when this was built")]
    fn an_interface_is_brought_up_and_down() {
        let up = || links().unwrap().iter().any(|link| link.name == "lo" && link.flags & UP != 0);
        let told = as_root_apart(CloneFlags::CLONE_NEWNET, || {
            let before = up();
            let done = set_up(1, true).and_then(|()| Ok((up(), set_up(1, false)?, up())));
            format!("{before} {done:?} {:?}", set_up(999, true))
        });
        assert_eq!(told, "false Ok((true, (), false)) Err(ENODEV)");
    }

    fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
        let mut out = [(4 + value.len() as u16).to_ne_bytes(), kind.to_ne_bytes()].concat();
        out.extend(value);
        out.resize(out.len().next_multiple_of(4), 0);
        out
    }

    #[test]
    fn an_address_has_its_scope_and_a_lease_where_it_is_not_permanent() {
        let of = |scope: u8, flags: u8, attributes: &[Vec<u8>]| {
            let head = [&[2, 24, flags, scope][..], &7u32.to_ne_bytes(), &attribute(1, &[10, 1, 0, 1])].concat();
            address(&Message::parse(&[head, attributes.concat()].concat(), 8)).unwrap()
        };
        let scopes = [0, 253, 254, 200].map(|scope| of(scope, 0, &[]).scope);
        assert_eq!(scopes, ["global", "link", "host", "site"]);
        assert_eq!(
            [of(0, 0x80, &[]).dynamic(), of(0, 0x81, &[]).dynamic(), of(0, 1, &[]).dynamic()],
            [false, false, true]
        );
        let leased: Vec<u8> = [600u32, 3600, 1, 2].into_iter().flat_map(u32::to_ne_bytes).collect();
        assert_eq!(of(0, 0, &[attribute(6, &leased)]).lifetimes, [Some(3600), Some(600)]);
        let forever = [u32::MAX.to_ne_bytes(); 4].concat();
        assert_eq!(of(0, 0, &[attribute(6, &forever)]).lifetimes, [None, None]);
        // Where there is another end, the own address stands beside it; flags of more than a byte have an attribute.
        let line = of(0, 0, &[attribute(2, &[10, 1, 0, 9]), attribute(8, &0x280u32.to_ne_bytes())]);
        assert_eq!((line.ip, line.flags, line.index, line.prefix), ([10, 1, 0, 9].into(), 0x280, 7, 24));
    }

    #[test]
    fn hardware_has_a_kind() {
        let of = |kind: u16| {
            let head = [&[0, 0][..], &kind.to_ne_bytes(), &[0; 12]].concat();
            link(&Message::parse(&head, 16)).kind
        };
        assert_eq!([of(1), of(772), of(768)], ["ether", "loopback", "none"]);
    }

    #[test]
    fn what_is_no_address_is_left_out() {
        assert_eq!(ip(&[127, 0, 0]), None);
        assert_eq!(address(&Message::default()), None);
        assert_eq!(link(&Message::default()).state, "UNKNOWN");
    }

    #[test]
    fn the_other_end_may_have_the_same_number_elsewhere() {
        let head: Vec<u8> = [0, 2, 0, 0].into_iter().flat_map(u32::to_ne_bytes).collect();
        let same = [head.clone(), attribute(5, &2u32.to_ne_bytes())].concat();
        assert_eq!(link(&Message::parse(&same, 16)).other, None);
        let counts: Vec<u8> = [1u64, 2, 30, 40, 5].into_iter().flat_map(u64::to_ne_bytes).collect();
        let kind = attribute(18 | 0x8000, &attribute(1, b"veth\0"));
        let rest =
            [attribute(37, &0u32.to_ne_bytes()), attribute(10, &9u32.to_ne_bytes()), kind, attribute(23, &counts)];
        let found = link(&Message::parse(&[same, rest.concat()].concat(), 16));
        assert_eq!((found.other, found.elsewhere, found.master), (Some((2, true)), Some(0), Some(9)));
        assert_eq!((found.made.as_str(), found.counts), ("veth", [1, 30, 2, 40]));
    }
}
