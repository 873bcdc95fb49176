//! What the older requests of netdevice(7), by which ifconfig(8), route(8) and brctl(8) work, ask for, as members of a
//! structure: `ioctl(4, SIOCSIFADDR, {ifname="veth0", address="10.1.1.2"})`.

use super::{
    argument::{Argument, Text, Value},
    flags::Flags,
    memory::{Memory, Width},
};
use std::net::Ipv4Addr;

/// What ioctl(2) is stopped for: routes, the ARP table, what an interface is, and bridges.
pub(super) static REQUESTS: [u32; 18] = [
    0x890b, 0x890c, 0x8953, 0x8955, 0x8914, 0x8916, 0x8918, 0x891a, 0x891c, 0x891e, 0x8922, 0x8923, 0x8924, 0x8936,
    0x89a0, 0x89a1, 0x89a2, 0x89a3,
];

/// The same by name (`linux/sockios.h`).
pub(super) const NAMES: &[(u64, &str)] = &[
    (0x890b, "SIOCADDRT"),
    (0x890c, "SIOCDELRT"),
    (0x8953, "SIOCDARP"),
    (0x8955, "SIOCSARP"),
    (0x8914, "SIOCSIFFLAGS"),
    (0x8916, "SIOCSIFADDR"),
    (0x8918, "SIOCSIFDSTADDR"),
    (0x891a, "SIOCSIFBRDADDR"),
    (0x891c, "SIOCSIFNETMASK"),
    (0x891e, "SIOCSIFMETRIC"),
    (0x8922, "SIOCSIFMTU"),
    (0x8923, "SIOCSIFNAME"),
    (0x8924, "SIOCSIFHWADDR"),
    (0x8936, "SIOCDIFADDR"),
    (0x89a0, "SIOCBRADDBR"),
    (0x89a1, "SIOCBRDELBR"),
    (0x89a2, "SIOCBRADDIF"),
    (0x89a3, "SIOCBRDELIF"),
];

/// Flags of an interface that ifconfig(8) sets.
pub(super) const FLAGS: &[(u64, &str)] = &[
    (0x1, "IFF_UP"),
    (0x2, "IFF_BROADCAST"),
    (0x8, "IFF_LOOPBACK"),
    (0x10, "IFF_POINTOPOINT"),
    (0x40, "IFF_RUNNING"),
    (0x80, "IFF_NOARP"),
    (0x100, "IFF_PROMISC"),
    (0x200, "IFF_ALLMULTI"),
    (0x1000, "IFF_MULTICAST"),
];

/// The longest name of an interface, with its NUL (IFNAMSIZ): what comes behind it in `struct ifreq` begins here.
const NAME: usize = 16;
/// The length of `struct sockaddr`.
const ADDRESS: usize = 16;
/// So much of any of these structures is looked at.
const MAX_LENGTH: usize = 64;

/// What the third argument of such an ioctl(2) points to; the address where it cannot be read.
pub(super) fn read(memory: Memory<'_>, request: u32, at: u64) -> Value {
    // The structures are of several lengths, and the shorter ones may end with the page.
    let bytes = [MAX_LENGTH, 40, 32].into_iter().find_map(|length| memory.bytes(at, length));
    let members = match request {
        0x89a0 | 0x89a1 => memory.text(at, NAME).map(|(name, _)| vec![text("bridge", &name)]),
        _ => bytes.and_then(|bytes| members(request, &bytes, memory.width())),
    };
    members.map_or(Value::Address(at), Value::Struct)
}

fn members(request: u32, bytes: &[u8], width: Width) -> Option<Vec<Argument>> {
    match request {
        0x890b | 0x890c => route(bytes, width),
        // `struct arpreq`: the protocol's address and the hardware's.
        0x8953 | 0x8955 => Some(vec![ip("address", bytes)?]),
        _ => interface(request, bytes),
    }
}

/// `struct ifreq`: a name, and what the request is about.
fn interface(request: u32, bytes: &[u8]) -> Option<Vec<Argument>> {
    let rest = bytes.get(NAME..)?;
    let word = || Some(i32::from_ne_bytes(*rest.first_chunk()?));
    let number = |name, number: i32| Argument::named(name, Value::Number(number.into()));
    let about = match request {
        0x8914 => {
            let flags = u16::from_ne_bytes(*rest.first_chunk()?);
            Some(Argument::named("flags", Value::Bits(Flags::Interface, flags.into())))
        }
        // `ifconfig IF add` has another structure for IPv6, which begins with the address.
        0x8916 | 0x8936 => ip("address", rest),
        0x8918 => ip("destination", rest),
        0x891a => ip("broadcast", rest),
        0x891c => ip("netmask", rest),
        0x891e => Some(number("metric", word()?)),
        0x8922 => Some(number("mtu", word()?)),
        0x8923 => Some(text("newname", rest.get(..NAME)?)),
        0x89a2 | 0x89a3 => Some(number("index", word()?)),
        _ => None,
    };
    let name = if matches!(request, 0x89a2 | 0x89a3) { "bridge" } else { "ifname" };
    Some([text(name, bytes.get(..NAME)?)].into_iter().chain(about).collect())
}

/// `struct rtentry`: a long word, then the destination, the gateway and the mask.
fn route(bytes: &[u8], width: Width) -> Option<Vec<Argument>> {
    let first = match width {
        Width::Eight => 8,
        Width::Four => 4,
    };
    let at = |index: usize| bytes.get(first + index * ADDRESS..);
    let gateway = at(1).and_then(|bytes| ip("gateway", bytes));
    let mask = at(2).and_then(|bytes| ip("netmask", bytes));
    Some([ip("dst", at(0)?)?].into_iter().chain(gateway).chain(mask).collect())
}

/// An address of IPv4 in `struct sockaddr`: family, port, address.
fn ip(name: &'static str, bytes: &[u8]) -> Option<Argument> {
    let family = u16::from_ne_bytes(*bytes.first_chunk()?);
    let address: [u8; 4] = bytes.get(4..8)?.try_into().ok()?;
    (i32::from(family) == libc::AF_INET).then(|| text(name, Ipv4Addr::from(address).to_string().as_bytes()))
}

fn text(name: &'static str, bytes: &[u8]) -> Argument {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    Argument::named(name, Value::Text(Text { bytes: bytes[..end].to_vec(), cut: false }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(name: &str, rest: &[u8]) -> Vec<u8> {
        let mut bytes = name.as_bytes().to_vec();
        bytes.resize(NAME, 0);
        bytes.extend(rest);
        bytes.resize(40, 0);
        bytes
    }

    fn inet(ip: [u8; 4]) -> Vec<u8> {
        let mut bytes = [&(libc::AF_INET as u16).to_ne_bytes()[..], &[0, 0], &ip].concat();
        bytes.resize(ADDRESS, 0);
        bytes
    }

    fn told(request: u32, bytes: &[u8]) -> String {
        members(request, bytes, Width::Eight).map_or("-".into(), |members| Value::Struct(members).to_string())
    }

    #[test]
    fn every_request_that_is_stopped_for_has_a_name() {
        let mut named: Vec<u32> = NAMES.iter().map(|(request, _)| *request as u32).collect();
        let mut stopped = REQUESTS.to_vec();
        named.sort_unstable();
        stopped.sort_unstable();
        assert_eq!(named, stopped);
    }

    #[test]
    fn what_ifconfig_asks_for_is_told() {
        let address = request("veth0", &inet([10, 1, 1, 2]));
        assert_eq!(told(0x8916, &address), r#"{ifname="veth0", address="10.1.1.2"}"#);
        assert_eq!(told(0x891c, &address), r#"{ifname="veth0", netmask="10.1.1.2"}"#);
        let up = request("veth0", &0x1043u16.to_ne_bytes());
        assert_eq!(told(0x8914, &up), r#"{ifname="veth0", flags=IFF_UP|IFF_BROADCAST|IFF_RUNNING|IFF_MULTICAST}"#);
        assert_eq!(told(0x8922, &request("lo", &1500i32.to_ne_bytes())), r#"{ifname="lo", mtu=1500}"#);
        assert_eq!(told(0x8923, &request("eth0", b"lan0\0")), r#"{ifname="eth0", newname="lan0"}"#);
        assert_eq!(told(0x89a2, &request("br0", &7i32.to_ne_bytes())), r#"{bridge="br0", index=7}"#);
        // An address of another family is not taken for one of IPv4.
        assert_eq!(told(0x8916, &request("veth0", &[10, 0, 0, 0, 1, 1, 1, 1])), r#"{ifname="veth0"}"#);
        for end in 0..18 {
            assert_eq!(told(0x8914, &up[..end]), "-");
        }
    }

    #[test]
    fn what_route_asks_for_is_told() {
        let addresses = [inet([0; 4]), inet([10, 1, 1, 1]), inet([0; 4])].concat();
        let wide = [vec![0; 8], addresses.clone()].concat();
        let wanted = r#"{dst="0.0.0.0", gateway="10.1.1.1", netmask="0.0.0.0"}"#;
        assert_eq!(told(0x890b, &wide), wanted);
        let narrow = [vec![0; 4], addresses].concat();
        let members = members(0x890c, &narrow, Width::Four).unwrap();
        assert_eq!(Value::Struct(members).to_string(), wanted);
        assert_eq!(told(0x8955, &inet([10, 1, 1, 9])), r#"{address="10.1.1.9"}"#);
    }
}
