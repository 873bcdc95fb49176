//! Routes and neighbours of the caller's network namespace, and the numbers that it has for others, as rtnetlink(7) tells
//! them.

use super::{
    interfaces::ip,
    netlink::{GET_NEIGHBOUR, GET_NSID, GET_ROUTE, Message, ask, list, list_of},
};
use std::{net::IpAddr, os::fd::AsRawFd};

/// The table that ip(8) shows and that all ordinary routes are in (linux/rtnetlink.h).
const MAIN: u32 = 254;
/// The family of messages about what bridges have learned (AF_BRIDGE).
const BRIDGE: u8 = 7;
/// States of neighbours (linux/neighbour.h): those that never change, or that are not asked for.
const NO_ARP: u16 = 0x40;
const PERMANENT: u16 = 0x80;

/// Types of routes that ip(8) names before their destination, by number.
const TYPES: [(u8, &str); 4] = [(6, "blackhole"), (7, "unreachable"), (8, "prohibit"), (9, "throw")];

/// States of neighbours by name, as ip(8) shows them.
const STATES: [(u16, &str); 8] = [
    (0x01, "INCOMPLETE"),
    (0x02, "REACHABLE"),
    (0x04, "STALE"),
    (0x08, "DELAY"),
    (0x10, "PROBE"),
    (0x20, "FAILED"),
    (NO_ARP, "NOARP"),
    (PERMANENT, "PERMANENT"),
];

/// One route of the main table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    /// The destination: an address and how many bits of it count; `None` is every address.
    pub to: Option<(IpAddr, u8)>,
    /// Whether it is about IPv4.
    pub v4: bool,
    /// The next hop.
    pub via: Option<IpAddr>,
    /// The number of the interface that it leads out of.
    pub out: Option<u32>,
    /// `blackhole`, `unreachable`, `prohibit` or `throw`; empty for one that leads somewhere.
    pub refuses: &'static str,
    /// Whether the kernel made it, with an address.
    pub kernel: bool,
    /// Of several, the lowest goes first.
    pub metric: u32,
}

/// A host on the same cable or bridge, as the kernel remembers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Neighbour {
    /// Their address.
    pub ip: IpAddr,
    /// The number of the interface.
    pub index: u32,
    /// Such as `REACHABLE` or `FAILED`.
    pub state: &'static str,
    /// Their hardware address, once they have answered.
    pub address: Vec<u8>,
}

/// The routes of the main table, IPv4 and IPv6.
///
/// Errors: those of the netlink socket.
pub(crate) fn routes() -> nix::Result<Vec<Route>> {
    Ok(list(GET_ROUTE)?.iter().filter_map(route).collect())
}

/// The neighbours that the kernel has asked for.
///
/// Errors: those of the netlink socket.
pub(crate) fn neighbours() -> nix::Result<Vec<Neighbour>> {
    Ok(list(GET_NEIGHBOUR)?.iter().filter_map(neighbour).collect())
}

/// The hardware addresses that bridges have learned, each with the number of the port that leads there.
///
/// Errors: those of the netlink socket; EOPNOTSUPP where the kernel was built without bridges.
pub(crate) fn learned() -> nix::Result<Vec<(u32, Vec<u8>)>> {
    Ok(list_of(GET_NEIGHBOUR, BRIDGE)?.iter().filter_map(behind).collect())
}

/// A `struct ndmsg` about what is behind a port, unless it stands there for good.
fn behind(message: &Message) -> Option<(u32, Vec<u8>)> {
    let lasts = message.short(8) & (PERMANENT | NO_ARP) != 0;
    Some((message.word(4), message.attribute(2)?.to_vec())).filter(|_| !lasts)
}

/// The number that the caller's network namespace has for another one, if it has one.
///
/// Errors: EINVAL where the descriptor is none of a network namespace.
pub(crate) fn number_of(namespace: &impl AsRawFd) -> nix::Result<Option<i32>> {
    // A `struct rtgenmsg`, and the attribute NETNSA_FD.
    let mut body = vec![0; 4];
    body.extend(8u16.to_ne_bytes());
    body.extend(3u16.to_ne_bytes());
    body.extend(namespace.as_raw_fd().to_ne_bytes());
    let answer = ask(GET_NSID, &body, 4)?;
    // NETNSA_NSID is -1 where there is none.
    let number = answer.first().and_then(|answer| answer.number(1)).map(u32::cast_signed);
    Ok(number.filter(|number| *number >= 0))
}

/// A `struct rtmsg` (family, bits of the destination, bits of the source, service, table, protocol, scope, type, flags).
fn route(message: &Message) -> Option<Route> {
    const UNICAST: u8 = 1;
    const KERNEL: u8 = 2;
    const CLONED: u32 = 0x200;
    let table = message.number(15).unwrap_or_else(|| message.byte(4).into());
    let refuses = TYPES.iter().find(|(number, _)| *number == message.byte(7)).map(|(_, name)| *name);
    if table != MAIN || message.word(8) & CLONED != 0 || message.byte(7) != UNICAST && refuses.is_none() {
        return None;
    }
    Some(Route {
        to: message.attribute(1).and_then(ip).map(|ip| (ip, message.byte(1))),
        v4: i32::from(message.byte(0)) == libc::AF_INET,
        via: message.attribute(5).and_then(ip),
        out: message.number(4),
        refuses: refuses.unwrap_or(""),
        kernel: message.byte(5) == KERNEL,
        metric: message.number(6).unwrap_or(0),
    })
}

/// A `struct ndmsg` (family, index, state, flags, type).
fn neighbour(message: &Message) -> Option<Neighbour> {
    let state = message.short(8);
    let (_, name) = STATES.iter().find(|(bit, _)| *bit == state).filter(|(bit, _)| *bit != NO_ARP)?;
    Some(Neighbour {
        ip: message.attribute(1).and_then(ip)?,
        index: message.word(4),
        state: name,
        address: message.attribute(2).unwrap_or_default().into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;

    fn message(head: &[u8], attributes: &[(u16, &[u8])]) -> Message {
        let mut body = head.to_vec();
        for (kind, value) in attributes {
            body.extend((4 + value.len() as u16).to_ne_bytes());
            body.extend(kind.to_ne_bytes());
            body.extend(*value);
            body.resize(body.len().next_multiple_of(4), 0);
        }
        Message::parse(&body, head.len())
    }

    #[test]
    fn a_route_is_read_and_those_of_other_tables_are_left_out() {
        let read = |table: u8, kind: u8| {
            let head = [2, 24, 0, 0, table, 2, 253, kind, 0, 0, 0, 0];
            route(&message(&head, &[(1, &[10, 1, 0, 0]), (4, &7u32.to_ne_bytes())]))
        };
        let found = read(254, 1).unwrap();
        assert_eq!((found.to, found.out, found.via), (Some(("10.1.0.0".parse().unwrap(), 24)), Some(7), None));
        assert!(found.kernel && found.v4 && found.refuses.is_empty());
        assert_eq!(read(254, 7).unwrap().refuses, "unreachable");
        // The local table, and an address of our own.
        assert_eq!((read(255, 1), read(254, 2)), (None, None));
        let head = [2, 0, 0, 0, 254, 3, 0, 1, 0, 0, 0, 0];
        let default = route(&message(&head, &[(5, &[10, 1, 0, 1])])).unwrap();
        assert_eq!((default.to, default.via, default.kernel), (None, "10.1.0.1".parse().ok(), false));
    }

    #[test]
    fn a_neighbour_has_a_state() {
        let read = |state: u8| {
            let head = [2, 0, 0, 0, 7, 0, 0, 0, state, 0, 0, 0];
            let head = if cfg!(target_endian = "big") { [2, 0, 0, 0, 0, 0, 0, 7, 0, state, 0, 0] } else { head };
            neighbour(&message(&head, &[(1, &[10, 1, 0, 2])]))
        };
        assert_eq!(read(2).map(|found| (found.index, found.state)), Some((7, "REACHABLE")));
        assert_eq!(read(0x20).map(|found| found.state), Some("FAILED"));
        assert_eq!((read(0x40), read(0)), (None, None));
    }

    #[test]
    fn what_a_bridge_has_learned_is_told_and_not_what_it_was_told() {
        let read = |state: u16, attributes: &[(u16, &[u8])]| {
            let head = [&[7, 0, 0, 0][..], &5u32.to_ne_bytes(), &state.to_ne_bytes(), &[0, 0]].concat();
            behind(&message(&head, attributes))
        };
        let address: &[(u16, &[u8])] = &[(2, &[2, 0, 0, 0, 0, 1])];
        assert_eq!(read(2, address), Some((5, vec![2, 0, 0, 0, 0, 1])));
        assert_eq!((read(PERMANENT, address), read(NO_ARP, address), read(2, &[])), (None, None, None));
    }

    #[test]
    fn our_own_namespace_answers() {
        let main = |table: Option<u32>| table == Some(MAIN);
        let told = list(GET_ROUTE).unwrap().iter().filter(|route| main(route.number(15)) && route.byte(7) == 1).count();
        assert_eq!(routes().unwrap().iter().filter(|route| route.refuses.is_empty()).count(), told);
        assert!(neighbours().unwrap().iter().all(|neighbour| neighbour.index > 0));
        let bridged = list_of(GET_NEIGHBOUR, BRIDGE).unwrap();
        assert_eq!(learned().unwrap(), bridged.iter().filter_map(behind).collect::<Vec<_>>());
        // A namespace has a number for itself only where somebody gave one to it.
        let own = number_of(&File::open("/proc/self/ns/net").unwrap()).unwrap();
        assert!(own.is_none_or(|number| number >= 0), "{own:?}");
        // A file that is no namespace has no number.
        assert!(number_of(&File::open("/dev/null").unwrap()).is_err());
        assert!(number_of(&File::open("/proc/self/ns/net").unwrap()).is_ok());
    }
}
