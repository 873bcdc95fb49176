//! ip(8): show network interfaces and addresses; bring an interface up or down.
#![allow(unsafe_code)]

use super::{complain, failed, print};
use nix::{
    errno::Errno,
    ifaddrs::{InterfaceAddress, getifaddrs},
    net::if_::{InterfaceFlags, if_nametoindex},
    sys::socket::{AddressFamily, SockFlag, SockType, socket},
};
use std::{fmt::Write, os::fd::AsRawFd, process::ExitCode};

const USAGE: &str = "usage: ip address [show [dev NAME]] | ip link [show [dev NAME]] | ip link set NAME up|down";

/// Runs the tool.
pub fn run(args: &[String]) -> ExitCode {
    let words: Vec<&str> = args.iter().map(String::as_str).filter(|word| !word.starts_with('-')).collect();
    // Every word may be cut short: ip a, ip addr, ip address.
    let is = |word: Option<&&str>, full: &str| word.is_none_or(|word| !word.is_empty() && full.starts_with(word));
    let object = words.first();
    let addresses = is(object, "address");
    if object.is_none() || !(addresses || is(object, "link")) {
        return complain("ip", USAGE, 255);
    }
    match words.get(1..).unwrap_or_default() {
        ["set", "dev", name, state] | ["set", name, state] if !addresses => set(name, state),
        [show, "dev", name] | [show, name] if is(Some(show), "show") || is(Some(show), "list") => {
            list(Some(name), addresses)
        }
        [] => list(None, addresses),
        [show] if is(Some(show), "show") || is(Some(show), "list") => list(None, addresses),
        _ => complain("ip", USAGE, 255),
    }
}

/// Every interface, with its addresses (getifaddrs(3), which asks the kernel over netlink: `/sys/class/net` would answer
/// for whichever network namespace `/sys` was mounted in).
fn list(only: Option<&str>, addresses: bool) -> ExitCode {
    let all: Vec<InterfaceAddress> = match getifaddrs() {
        Ok(all) => all.collect(),
        Err(errno) => return failed("ip", "getifaddrs", errno, None, 1),
    };
    let mut names: Vec<&str> = Vec::new();
    all.iter().for_each(|entry| {
        if !names.contains(&entry.interface_name.as_str()) {
            names.push(&entry.interface_name)
        }
    });
    names.retain(|name| only.is_none_or(|only| only == *name));
    if let Some(only) = only.filter(|_| names.is_empty()) {
        return complain("ip", &format!("Device \"{only}\" does not exist."), 1);
    }
    let mut out = String::new();
    for name in names {
        let entries: Vec<&InterfaceAddress> = all.iter().filter(|entry| entry.interface_name == name).collect();
        let flags = entries.first().map_or(InterfaceFlags::empty(), |entry| entry.flags);
        let index = if_nametoindex(name).unwrap_or(0);
        let _ = writeln!(out, "{index}: {name}: <{}> mtu {} state {}", named(flags), mtu(name), state(flags));
        let link = if flags.contains(InterfaceFlags::IFF_LOOPBACK) { "loopback" } else { "ether" };
        let hardware = entries.iter().find_map(|entry| entry.address.as_ref()?.as_link_addr()?.addr());
        let hardware = hardware.unwrap_or_default().map(|byte| format!("{byte:02x}")).join(":");
        let _ = writeln!(out, "    link/{link} {hardware}");
        for entry in entries.iter().filter(|_| addresses) {
            let ones = |mask: &[u8]| mask.iter().map(|byte| byte.count_ones()).sum::<u32>();
            match (&entry.address, &entry.netmask) {
                (Some(at), Some(mask)) if at.as_sockaddr_in().is_some() => {
                    let address = at.as_sockaddr_in().map(|v4| v4.ip());
                    let bits = mask.as_sockaddr_in().map_or(0, |v4| ones(&v4.ip().octets()));
                    let scope = if address.is_some_and(|address| address.is_loopback()) { "host" } else { "global" };
                    let _ = writeln!(out, "    inet {}/{bits} scope {scope} {name}", address.unwrap_or([0; 4].into()));
                }
                (Some(at), Some(mask)) if at.as_sockaddr_in6().is_some() => {
                    let address = at.as_sockaddr_in6().map(|v6| v6.ip()).unwrap_or([0u8; 16].into());
                    let bits = mask.as_sockaddr_in6().map_or(0, |v6| ones(&v6.ip().octets()));
                    let local = address.segments()[0] & 0xffc0 == 0xfe80;
                    let scope = if address.is_loopback() {
                        "host"
                    } else if local {
                        "link"
                    } else {
                        "global"
                    };
                    let _ = writeln!(out, "    inet6 {address}/{bits} scope {scope}");
                }
                _ => {}
            }
        }
    }
    print(&out)
}

fn named(flags: InterfaceFlags) -> String {
    let bits = [
        (InterfaceFlags::IFF_LOOPBACK, "LOOPBACK"),
        (InterfaceFlags::IFF_BROADCAST, "BROADCAST"),
        (InterfaceFlags::IFF_POINTOPOINT, "POINTOPOINT"),
        (InterfaceFlags::IFF_MULTICAST, "MULTICAST"),
        (InterfaceFlags::IFF_UP, "UP"),
        (InterfaceFlags::IFF_RUNNING, "LOWER_UP"),
    ];
    bits.iter().filter(|(bit, _)| flags.contains(*bit)).map(|(_, name)| *name).collect::<Vec<_>>().join(",")
}

/// Loopback has no carrier to speak of, so its state is DOWN or UNKNOWN.
fn state(flags: InterfaceFlags) -> &'static str {
    let (up, loopback) = (flags.contains(InterfaceFlags::IFF_UP), flags.contains(InterfaceFlags::IFF_LOOPBACK));
    match (up, loopback) {
        (false, _) => "DOWN",
        (true, true) => "UNKNOWN",
        (true, false) if flags.contains(InterfaceFlags::IFF_RUNNING) => "UP",
        (true, false) => "DOWN",
    }
}

/// Asks for, or changes, one property of an interface (netdevice(7)): any socket will do to reach the caller's own
/// network namespace.
fn request(name: &str, what: libc::Ioctl, fill: impl FnOnce(&mut libc::ifreq)) -> nix::Result<libc::ifreq> {
    let socket = socket(AddressFamily::Inet, SockType::Datagram, SockFlag::SOCK_CLOEXEC, None)?;
    // SAFETY: all zeros is a valid `struct ifreq`.
    let mut interface: libc::ifreq = unsafe { std::mem::zeroed() };
    let bytes = name.as_bytes().iter().take(libc::IFNAMSIZ - 1);
    interface.ifr_name.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from as libc::c_char);
    fill(&mut interface);
    // SAFETY: the structure lives until the call has returned, and its name ends with a zero.
    Errno::result(unsafe { libc::ioctl(socket.as_raw_fd(), what, &raw mut interface) })?;
    Ok(interface)
}

fn mtu(name: &str) -> i32 {
    // SAFETY: after SIOCGIFMTU the kernel has filled in this part of the union.
    request(name, libc::SIOCGIFMTU, |_| {}).map_or(0, |interface| unsafe { interface.ifr_ifru.ifru_mtu })
}

fn set(name: &str, state: &str) -> ExitCode {
    let up = match state {
        "up" => true,
        "down" => false,
        _ => return complain("ip", USAGE, 255),
    };
    // First what the flags are, then the same flags with one changed.
    let result = request(name, libc::SIOCGIFFLAGS, |_| {}).and_then(|interface| {
        // SAFETY: after SIOCGIFFLAGS the kernel has filled in this part of the union.
        let flags = unsafe { interface.ifr_ifru.ifru_flags };
        let bit = libc::IFF_UP as i16;
        let flags = if up { flags | bit } else { flags & !bit };
        request(name, libc::SIOCSIFFLAGS, |interface| interface.ifr_ifru.ifru_flags = flags)
    });
    match result {
        Ok(_) => ExitCode::SUCCESS,
        Err(Errno::ENODEV) => complain("ip", &format!("Cannot find device \"{name}\""), 1),
        Err(errno) => {
            failed("ip", name, errno, Some("this needs root in the network namespace's own user namespace"), 2)
        }
    }
}
