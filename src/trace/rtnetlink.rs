//! What rtnetlink(7) messages ask for, as members of a structure: `{RTM_NEWLINK, ifname="v0", kind="veth", …}`.

use super::{
    argument::{Argument, Text, Value},
    flags::Flags,
};
use crate::kernel::netlink::Message;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Types of messages, by the number that `new` has; the ones for `delete`, `get` and `set` follow it.
const LINK: u16 = 16;
const ADDRESS: u16 = 20;
const ROUTE: u16 = 24;
const NEIGHBOUR: u16 = 28;

/// Attributes of links (`linux/if_link.h`), and what is nested in that of their kind.
const IFNAME: u16 = 3;
const MASTER: u16 = 10;
const LINKINFO: u16 = 18;
const NETNS_PID: u16 = 19;
const NETNS_FD: u16 = 28;
const KIND: u16 = 1;
const DATA: u16 = 2;
const VETH_PEER: u16 = 1;
/// The length of `struct ifinfomsg`.
const IFINFO: usize = 16;

/// Reads one message of this type, without its header.
pub(super) fn read(kind: u16, body: &[u8]) -> Value {
    let mut members: Vec<Argument> = vec![Value::Choice(Flags::Rtnetlink, kind.into()).into()];
    members.extend(match kind & !3 {
        LINK => link(&Message::parse(body, IFINFO)),
        ADDRESS => address(&Message::parse(body, 8)),
        ROUTE => route(&Message::parse(body, 12)),
        NEIGHBOUR => neighbour(&Message::parse(body, 12)),
        _ => Vec::new(),
    });
    Value::Struct(members)
}

fn text(name: &'static str, text: String) -> Argument {
    Argument::named(name, Value::Text(Text { bytes: text.into_bytes(), cut: false }))
}

fn number(name: &'static str, number: u32) -> Argument {
    Argument::named(name, Value::Number(number.into()))
}

/// A link that is made, changed or deleted: `struct ifinfomsg` is family, type, index, flags, and which of them change.
fn link(message: &Message) -> Vec<Argument> {
    const UP: u32 = libc::IFF_UP as u32;
    let mut out = Vec::new();
    out.extend(Some(message.word(4)).filter(|index| *index != 0).map(|index| number("index", index)));
    out.extend(message.text(IFNAME).map(|name| text("ifname", name)));
    if message.word(12) & UP != 0 {
        out.push(Argument::named("flags", Value::Bits(Flags::Interface, (message.word(8) & UP).into())));
    }
    if let Some(info) = message.attribute(LINKINFO).map(|info| Message::parse(info, 0)) {
        out.extend(info.text(KIND).map(|kind| text("kind", kind)));
        let data = info.attribute(DATA).filter(|_| info.text(KIND).as_deref() == Some("veth"));
        let peer = data.and_then(|data| Some(Message::parse(Message::parse(data, 0).attribute(VETH_PEER)?, IFINFO)));
        out.extend(peer.map(|peer| Argument::named("peer", Value::Struct(link(&peer)))));
    }
    out.extend(message.number(MASTER).map(|index| number("master", index)));
    out.extend(message.number(NETNS_PID).map(|pid| number("net_ns_pid", pid)));
    out.extend(message.number(NETNS_FD).map(|fd| number("net_ns_fd", fd)));
    out
}

/// An address: family, length of the prefix, flags, scope, index.
fn address(message: &Message) -> Vec<Argument> {
    // IFA_LOCAL is the own address; where it is absent, IFA_ADDRESS is.
    let bytes = message.attribute(2).or_else(|| message.attribute(1));
    let shown = bytes.and_then(ip).map(|ip| text("address", format!("{ip}/{}", message.byte(1))));
    shown.into_iter().chain([number("index", message.word(4))]).collect()
}

/// A route: family, length of the prefix and others; RTA_DST, RTA_GATEWAY, RTA_OIF.
fn route(message: &Message) -> Vec<Argument> {
    let to = message.attribute(1).and_then(ip).map(|ip| format!("{ip}/{}", message.byte(1)));
    let mut out = vec![text("dst", to.unwrap_or_else(|| "default".into()))];
    out.extend(message.attribute(5).and_then(ip).map(|ip| text("gateway", ip)));
    out.extend(message.number(4).map(|index| number("oif", index)));
    out
}

/// A neighbour: family, padding, index; NDA_DST.
fn neighbour(message: &Message) -> Vec<Argument> {
    let to = message.attribute(1).and_then(ip).map(|ip| text("dst", ip));
    to.into_iter().chain([number("index", message.word(4))]).collect()
}

fn ip(bytes: &[u8]) -> Option<String> {
    match bytes.len() {
        4 => Some(Ipv4Addr::from(<[u8; 4]>::try_from(bytes).ok()?).to_string()),
        16 => Some(Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?).to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
        let length = 4 + value.len();
        let mut out = [(length as u16).to_ne_bytes(), kind.to_ne_bytes()].concat();
        out.extend(value);
        out.resize(length.next_multiple_of(4), 0);
        out
    }

    fn info(index: u32, flags: u32, change: u32) -> Vec<u8> {
        [0u32, index, flags, change].iter().flat_map(|word| word.to_ne_bytes()).collect()
    }

    #[test]
    fn a_veth_pair_names_both_its_ends_and_whose_network_the_other_gets() {
        let peer = [info(0, 0, 0), attribute(IFNAME, b"eth0\0"), attribute(NETNS_PID, &4711u32.to_ne_bytes())].concat();
        // ip(8) marks what is nested in the highest bits of its number.
        let data = attribute(DATA | 0x8000, &attribute(VETH_PEER | 0x8000, &peer));
        let linkinfo = attribute(LINKINFO | 0x8000, &[attribute(KIND, b"veth\0"), data].concat());
        let body = [info(0, 0, 0), attribute(IFNAME, b"v0\0"), linkinfo].concat();
        let told = r#"{RTM_NEWLINK, ifname="v0", kind="veth", peer={ifname="eth0", net_ns_pid=4711}}"#;
        assert_eq!(read(16, &body).to_string(), told);
    }

    #[test]
    fn links_addresses_and_routes_are_told() {
        assert_eq!(read(16, &info(1, 1, 1)).to_string(), "{RTM_NEWLINK, index=1, flags=IFF_UP}");
        assert_eq!(read(16, &info(1, 0, 1)).to_string(), "{RTM_NEWLINK, index=1, flags=0}");
        assert_eq!(read(17, &info(7, 0, 0)).to_string(), "{RTM_DELLINK, index=7}");
        let master = [info(7, 0, 0), attribute(MASTER, &2u32.to_ne_bytes())].concat();
        assert_eq!(read(16, &master).to_string(), "{RTM_NEWLINK, index=7, master=2}");
        let address = [vec![2, 24, 0, 0], 7u32.to_ne_bytes().into(), attribute(2, &[10, 1, 0, 1])].concat();
        assert_eq!(read(20, &address).to_string(), r#"{RTM_NEWADDR, address="10.1.0.1/24", index=7}"#);
        let route = [vec![2, 0, 0, 0, 254, 3, 0, 1, 0, 0, 0, 0], attribute(5, &[10, 1, 0, 1])].concat();
        assert_eq!(read(24, &route).to_string(), r#"{RTM_NEWROUTE, dst="default", gateway="10.1.0.1"}"#);
        let v6 = [vec![10, 64, 0, 0], 1u32.to_ne_bytes().into(), attribute(2, &[0xfd; 16])].concat();
        assert!(read(21, &v6).to_string().starts_with(r#"{RTM_DELADDR, address="fdfd:"#));
        // What is cut short does no harm.
        for end in 0..address.len() {
            assert!(read(20, &address[..end]).to_string().starts_with("{RTM_NEWADDR"));
        }
        assert_eq!(read(200, &[]).to_string(), "{0xc8 /* RTM_??? */}");
    }
}
