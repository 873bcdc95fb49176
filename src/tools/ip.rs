//! ip(8): show network interfaces and addresses; bring an interface up or down.

use super::{complain, failed, print};
use crate::kernel::netlink::{GET_ADDRESS, GET_LINK, Message, NEW_LINK, change, list};
use nix::{errno::Errno, net::if_::if_nametoindex};
use std::{
    fmt::Write,
    net::{Ipv4Addr, Ipv6Addr},
    process::ExitCode,
};

/// Interface flags in the order in which ip names them (netdevice(7)).
const FLAGS: [(u32, &str); 10] = [
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
const UP: u32 = 0x1;
const LOWER_UP: u32 = 0x1_0000;
const STATES: [&str; 7] = ["UNKNOWN", "NOTPRESENT", "DOWN", "LOWERLAYERDOWN", "TESTING", "DORMANT", "UP"];
const ADDRESS_FLAGS: [(u32, &str); 6] = [
    (0x1, "secondary"),
    (0x2, "nodad"),
    (0x8, "dadfailed"),
    (0x20, "deprecated"),
    (0x40, "tentative"),
    (0x200, "noprefixroute"),
];

/// Runs the tool.
pub fn run(args: &[String]) -> ExitCode {
    let (options, words): (Vec<&str>, Vec<&str>) =
        args.iter().map(String::as_str).partition(|word| word.starts_with('-'));
    if let Some(unknown) = options.iter().find(|word| !["-4", "-6"].contains(word)) {
        return complain("ip", &format!("option \"{unknown}\" is unknown\n  known here: -4, -6"), 255);
    }
    let only = |version| options.is_empty() || options.contains(&version);
    let families = [("-4", libc::AF_INET), ("-6", libc::AF_INET6)].into_iter().filter(|(option, _)| only(option));
    let families: Vec<u8> = families.map(|(_, family)| family as u8).collect();
    // Every word may be cut short: ip a, ip addr, ip address.
    let is = |word: &str, full: &[&str]| full.iter().any(|full| full.starts_with(word));
    let (object, rest) = words.split_first().unwrap_or((&"", &[]));
    let addresses = is(object, &["address"]);
    if object.is_empty() || !(addresses || is(object, &["link"])) {
        let usage = "usage: ip address [show [dev NAME]] | ip link [show [dev NAME]] | ip link set NAME up|down";
        return complain(
            "ip",
            &format!("object \"{object}\" is unknown\n  {usage}"),
            if object.is_empty() { 255 } else { 1 },
        );
    }
    let families = addresses.then_some(families.as_slice());
    match rest {
        [set, "dev", name, state] | [set, name, state] if !addresses && is(set, &["set"]) => change_state(name, state),
        ["set", ..] if !addresses => complain("ip", "not enough information: ip link set NAME up|down", 255),
        [] => show(None, families),
        [word] if is(word, &["show", "list"]) => show(None, families),
        [word, "dev", name] | [word, name] if is(word, &["show", "list"]) => show(Some(name), families),
        _ => complain("ip", &format!("command \"{}\" is unknown", rest.join(" ")), 255),
    }
}

/// Prints links, and with `families` their addresses. The kernel is asked over netlink, because that answers for our own
/// network namespace; `/sys/class/net` would answer for the one that `/sys` was mounted in.
fn show(only: Option<&str>, families: Option<&[u8]>) -> ExitCode {
    let answer = list(GET_LINK).and_then(|links| Ok((links, list(GET_ADDRESS)?)));
    let (links, addresses) = match answer {
        Ok(answer) => answer,
        Err(errno) => return failed("ip", "rtnetlink", errno, None, 1),
    };
    let name = |link: &Message| link.text(3).unwrap_or_default();
    let shown: Vec<&Message> = links.iter().filter(|link| only.is_none_or(|only| only == name(link))).collect();
    if let Some(only) = only.filter(|_| shown.is_empty()) {
        return complain("ip", &format!("device \"{only}\" does not exist"), 1);
    }
    let mut out = String::new();
    // Who asks for one family of addresses wants to see nothing else.
    let one = families.filter(|families| families.len() == 1);
    let has = |index: u32, family: u8| addresses.iter().any(|a| a.word(4) == index && a.byte(0) == family);
    for link in shown {
        if one.is_some_and(|one| one.iter().all(|family| !has(link.word(4), *family))) {
            continue;
        }
        let (index, flags) = (link.word(4), link.word(8));
        // The other end of a cable, or the interface that this one rides on; it may be in another network namespace.
        let other = link.number(5).filter(|other| *other != index).map(|other| {
            let here = links.iter().find(|link| link.word(4) == other && link.attribute(37).is_none());
            here.map_or_else(|| format!("@if{other}"), |link| format!("@{}", name(link)))
        });
        let no_carrier = (flags & UP != 0 && flags & LOWER_UP == 0).then_some("NO-CARRIER");
        let flags: Vec<&str> = no_carrier.into_iter().chain(named(flags, &FLAGS)).collect();
        let _ = write!(out, "{index}: {}{}: <{}>", name(link), other.unwrap_or_default(), flags.join(","));
        let state = STATES.get(link.number(16).unwrap_or(0) as usize).unwrap_or(&"UNKNOWN");
        let group = link.number(27).filter(|group| *group != 0).map_or("default".into(), |group| group.to_string());
        let (mode, qdisc) = (if families.is_none() { " mode DEFAULT" } else { "" }, link.text(6).unwrap_or_default());
        let (qdisc, group) = match one {
            Some([only]) if *only == libc::AF_INET6 as u8 => Default::default(),
            _ => (format!(" qdisc {qdisc}"), format!("{mode} group {group}")),
        };
        let queue = link.number(13).map(|length| format!(" qlen {length}")).unwrap_or_default();
        let _ = writeln!(out, " mtu {}{qdisc} state {state}{group}{queue}", link.number(4).unwrap_or(0));
        if one.is_none() {
            let hardware = |number| link.attribute(number).unwrap_or_default().iter().map(|byte| format!("{byte:02x}"));
            let colons = |number| hardware(number).collect::<Vec<_>>().join(":");
            let kind = match link.short(2) {
                1 => "ether",
                772 => "loopback",
                _ => "none",
            };
            let _ = writeln!(out, "    link/{kind} {} brd {}", colons(1), colons(2));
        }
        for family in families.unwrap_or_default() {
            let own = addresses.iter().filter(|address| address.word(4) == index && address.byte(0) == *family);
            own.for_each(|address| line(&mut out, address));
        }
    }
    print(&out)
}

fn line(out: &mut String, address: &Message) {
    // The address itself is number 2; number 1 is the other end's where there is a point-to-point line.
    let (own, flags) = (address.attribute(2).or(address.attribute(1)), address.number(8).unwrap_or(0));
    let (v4, prefix) = (address.byte(0) == libc::AF_INET as u8, address.byte(1));
    let _ = write!(out, "    {} {}/{prefix}", if v4 { "inet" } else { "inet6" }, shown(own));
    if let Some(broadcast) = address.attribute(4) {
        let _ = write!(out, " brd {}", shown(Some(broadcast)));
    }
    let scope = match address.byte(3) {
        0 => "global",
        253 => "link",
        254 => "host",
        _ => "site",
    };
    let words: Vec<&str> = named(flags, &ADDRESS_FLAGS).chain((flags & 0x80 == 0).then_some("dynamic")).collect();
    let label = address.text(3).filter(|_| v4);
    let words: String = words.into_iter().map(String::from).chain(label).map(|word| format!(" {word}")).collect();
    // Lifetimes in seconds; a lease has one, an address that was set by hand has none.
    let lifetime = |at: usize| match address.attribute(6).and_then(|all| all.get(at..at + 4)) {
        Some(bytes) if bytes != [255; 4] => {
            format!("{}sec", bytes.iter().rev().fold(0, |n, byte| n << 8 | u32::from(*byte)))
        }
        _ => "forever".into(),
    };
    let _ = writeln!(out, " scope {scope}{words}\n       valid_lft {} preferred_lft {}", lifetime(4), lifetime(0));
}

fn shown(bytes: Option<&[u8]>) -> String {
    let bytes = bytes.unwrap_or_default();
    let v4 = <[u8; 4]>::try_from(bytes).map(|bytes| Ipv4Addr::from(bytes).to_string());
    v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(|bytes| Ipv6Addr::from(bytes).to_string())).unwrap_or_default()
}

fn named(bits: u32, names: &'static [(u32, &'static str)]) -> impl Iterator<Item = &'static str> {
    names.iter().filter(move |(bit, _)| bits & bit != 0).map(|(_, name)| *name)
}

fn change_state(name: &str, state: &str) -> ExitCode {
    let flags = match state {
        "up" => UP,
        "down" => 0,
        _ => return complain("ip", &format!("\"{state}\" is a garbage: ip link set {name} up|down"), 255),
    };
    let Ok(index) = if_nametoindex(name) else { return complain("ip", &format!("cannot find device \"{name}\""), 1) };
    // A `struct ifinfomsg` with one flag, and a mask that says which flag is meant.
    let body: Vec<u8> = [0, index, flags, UP].into_iter().flat_map(u32::to_ne_bytes).collect();
    match change(NEW_LINK, &body) {
        Ok(()) => ExitCode::SUCCESS,
        Err(errno) => {
            let hint = "this needs root in the user namespace that owns the network namespace: unshare -rn";
            failed("ip", &format!("{name} {state}"), errno, Some(hint).filter(|_| errno == Errno::EPERM), 2)
        }
    }
}
