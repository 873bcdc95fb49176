//! Interfaces of the calling process's network namespace, and listening ports of any process's.

use super::{Interface, text};
use crate::kernel::netlink;
use nix::ifaddrs::getifaddrs;
use nix::net::if_::InterfaceFlags;
use nix::sys::socket::SockaddrStorage;
use procfs::{
    FromReadSI,
    net::{TcpNetEntries, TcpNetEntry, TcpState},
};
use std::io;
use std::net::IpAddr;
use std::path::Path;

/// The interfaces that the calling process sees (getifaddrs(3)); one without an address is listed too.
pub(super) fn interfaces() -> io::Result<Vec<Interface>> {
    let mut all: Vec<Interface> = Vec::new();
    for entry in getifaddrs()? {
        let up = entry.flags.contains(InterfaceFlags::IFF_UP);
        let address = entry.address.as_ref().and_then(ip).map(|address| {
            let prefix = entry.netmask.as_ref().and_then(ip).map_or(0, ones);
            format!("{address}/{prefix}")
        });
        match all.iter_mut().find(|known| known.name == entry.interface_name) {
            Some(known) => known.addresses.extend(address),
            None => {
                all.push(Interface { name: entry.interface_name, up, addresses: address.into_iter().collect() });
            }
        }
    }
    Ok(all)
}

fn ip(address: &SockaddrStorage) -> Option<IpAddr> {
    let v4 = address.as_sockaddr_in().map(|address| IpAddr::V4(address.ip()));
    v4.or_else(|| address.as_sockaddr_in6().map(|address| IpAddr::V6(address.ip())))
}

fn ones(mask: IpAddr) -> u32 {
    match mask {
        IpAddr::V4(mask) => u32::from(mask).count_ones(),
        IpAddr::V6(mask) => u128::from(mask).count_ones(),
    }
}

/// TCP ports in state LISTEN, IPv4 and IPv6, in the caller's network namespace.
pub(super) fn listening() -> Vec<u16> {
    netlink::listeners().map_or_else(|_| listening_of(Path::new("/proc/self")), sorted)
}

/// The same for the process with this `/proc` directory, read from outside.
pub(super) fn listening_of(process: &Path) -> Vec<u16> {
    let sockets = ["net/tcp", "net/tcp6"].iter().flat_map(|name| tcp(&process.join(name)));
    let listening = sockets.filter(|socket| socket.state == TcpState::Listen);
    sorted(listening.map(|socket| socket.local_address.port()).collect())
}

/// In order, each once.
pub(super) fn sorted(mut ports: Vec<u16>) -> Vec<u16> {
    ports.sort_unstable();
    ports.dedup();
    ports
}

/// How many TCP sockets are in use in the network namespace of the process with this `/proc` directory: where the number
/// has changed, a program may have begun or ceased to listen. It costs the kernel nothing to tell.
pub(super) fn sockets(process: &Path) -> u64 {
    let tables = ["net/sockstat", "net/sockstat6"].iter().filter_map(|name| text::read(process.join(name)).ok());
    tables.map(|table| parse_sockets(&table)).sum()
}

/// Reads the line `TCP: inuse N …` or `TCP6: inuse N`.
pub(super) fn parse_sockets(table: &str) -> u64 {
    let line = table.lines().find_map(|line| line.strip_prefix("TCP: ").or_else(|| line.strip_prefix("TCP6: ")));
    line.and_then(|line| line.split_ascii_whitespace().nth(1)?.parse().ok()).unwrap_or(0)
}

/// The sockets of one table (proc_pid_net(5)); none where it is not there or cannot be read.
pub(super) fn tcp(table: &Path) -> Vec<TcpNetEntry> {
    TcpNetEntries::from_file(table, procfs::current_system_info()).map_or_else(|_| Vec::new(), |table| table.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_in_use_are_counted() {
        assert_eq!(parse_sockets("sockets: used 9\nTCP: inuse 3 orphan 0 tw 0 alloc 4 mem 1\nUDP: inuse 1 mem 0\n"), 3);
        assert_eq!(parse_sockets("TCP6: inuse 2\nUDP6: inuse 0\n"), 2);
        assert_eq!(parse_sockets(""), 0);
    }

    #[test]
    fn sockets_of_both_families_count() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(sockets(dir.path()), 0);
        std::fs::create_dir(dir.path().join("net")).unwrap();
        std::fs::write(dir.path().join("net/sockstat"), "TCP: inuse 3 orphan 0\n").unwrap();
        std::fs::write(dir.path().join("net/sockstat6"), "TCP6: inuse 2\n").unwrap();
        assert_eq!(sockets(dir.path()), 5);
    }

    #[test]
    fn interfaces_are_those_that_rtnetlink_tells() {
        use crate::kernel::interfaces::{UP, addresses, links};
        let sorted = |mut all: Vec<Interface>| {
            all.iter_mut().for_each(|one| one.addresses.sort());
            all.sort_by(|one, other| one.name.cmp(&other.name));
            all
        };
        let addresses = addresses().unwrap();
        let told = links().unwrap().into_iter().map(|link| {
            let own = addresses.iter().filter(|address| address.index == link.index);
            let own = own.map(|address| format!("{}/{}", address.ip, address.prefix)).collect();
            Interface { name: link.name, up: link.flags & UP != 0, addresses: own }
        });
        assert_eq!(sorted(interfaces().unwrap()), sorted(told.collect()));
        // Where nothing has an address here: the length of a prefix is the number of ones in its mask.
        assert_eq!([ones([255, 255, 240, 0].into()), ones([0xffff, 0xffff, 0xff00, 0, 0, 0, 0, 0].into())], [20, 40]);
    }

    #[test]
    fn the_own_listener_is_seen() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(listening().contains(&port) && listening_of(Path::new("/proc/self")).contains(&port));
        let client = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
        assert!(!listening_of(Path::new("/proc/self")).contains(&client.local_addr().unwrap().port()));
        assert!(tcp(Path::new("/proc/none/net/tcp")).is_empty());
        assert!(sockets(Path::new("/proc/self")) > 0);
        assert!(!interfaces().unwrap().is_empty());
    }
}
