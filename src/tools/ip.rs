//! ip(8): show network interfaces and addresses; bring an interface up or down.

use super::{args::Misuse, complain, failed, other::misused, print};
use crate::kernel::errno_causes;
use crate::kernel::interfaces::{ADDRESS_FLAGS, Address, FLAGS, LOWER_UP, Link, UP, addresses, links, set_up};
use crate::kernel::text::printable;
use nix::net::if_::if_nametoindex;
use std::{ffi::OsString, fmt::Write, process::ExitCode};

const USAGE: &str = "usage: ip address [show [dev NAME]] | ip link [show [dev NAME]] | ip link set NAME up|down";

/// Which addresses are shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    Both,
    V4,
    V6,
}

impl Family {
    fn has(self, address: &Address) -> bool {
        self == Family::Both || address.ip.is_ipv4() == (self == Family::V4)
    }
}

/// Runs the tool.
pub(super) fn run(given: &[OsString]) -> ExitCode {
    // Names of interfaces are text here: another one is none that exists.
    let args: Vec<_> = given.iter().map(|word| word.to_string_lossy()).collect();
    let (options, words): (Vec<&str>, Vec<&str>) =
        args.iter().map(AsRef::as_ref).partition(|word| word.starts_with('-'));
    let family = match options.as_slice() {
        [] => Family::Both,
        ["-4"] => Family::V4,
        ["-6"] => Family::V6,
        other => {
            let what = Misuse::Unknown(format!("option \"{}\" is unknown", other.join(" ")));
            return misused("ip", given, &what, USAGE, 255);
        }
    };
    // Every word may be cut short: ip a, ip addr, ip address.
    let is = |word: &str, full: &[&str]| full.iter().any(|full| full.starts_with(word));
    let (family, rest) = match words.split_first() {
        None => return complain("ip", USAGE, 255),
        Some((object, rest)) if is(object, &["address"]) => (Some(family), rest),
        Some((object, rest)) if is(object, &["link"]) => (None, rest),
        Some((object, _)) => {
            return misused("ip", given, &Misuse::Unknown(format!("object \"{object}\" is unknown")), USAGE, 1);
        }
    };
    match rest {
        [set, "dev", name, state] | [set, name, state] if family.is_none() && is(set, &["set"]) => change(name, state),
        ["set"] | ["set", _] if family.is_none() => {
            complain("ip", "not enough information: ip link set NAME up|down", 255)
        }
        [] => show(None, family),
        [word] if is(word, &["show", "list"]) => show(None, family),
        [word, "dev", name] | [word, name] if is(word, &["show", "list"]) => show(Some(name), family),
        _ => {
            let what = Misuse::Unknown(format!("command \"{}\" is unknown", rest.join(" ")));
            misused("ip", given, &what, USAGE, 255)
        }
    }
}

/// Prints links, and with `family` their addresses. The kernel is asked over netlink, because that answers for our own
/// network namespace; `/sys/class/net` would answer for the one that `/sys` was mounted in.
fn show(only: Option<&str>, family: Option<Family>) -> ExitCode {
    let (links, addresses) = match links().and_then(|links| Ok((links, addresses()?))) {
        Ok(answer) => answer,
        Err(errno) => return failed("ip", "rtnetlink", errno, None, 1),
    };
    let shown: Vec<&Link> = links.iter().filter(|link| only.is_none_or(|only| only == link.name)).collect();
    if let Some(only) = only.filter(|_| shown.is_empty()) {
        return complain("ip", &format!("device \"{only}\" does not exist"), 1);
    }
    let mut out = String::new();
    for link in shown {
        let own = addresses.iter().filter(|address| address.index == link.index);
        let own: Vec<&Address> = own.filter(|address| family.is_some_and(|family| family.has(address))).collect();
        // Who asks for one family of addresses wants to see nothing else.
        let one = family.is_some_and(|family| family != Family::Both);
        if one && own.is_empty() {
            continue;
        }
        let end = link.other.map(|(index, elsewhere)| {
            let here = links.iter().find(|link| link.index == index && !elsewhere);
            here.map_or_else(|| format!("@if{index}"), |link| format!("@{}", link.name))
        });
        let no_carrier = (link.flags & UP != 0 && link.flags & LOWER_UP == 0).then_some("NO-CARRIER");
        let flags: Vec<&str> = no_carrier.into_iter().chain(named(link.flags, &FLAGS)).collect();
        let (index, name, flags) = (link.index, printable(&link.name), flags.join(","));
        let end = printable(&end.unwrap_or_default());
        let group = if link.group == 0 { "default".to_string() } else { link.group.to_string() };
        let (qdisc, group) = match family {
            Some(Family::V6) => Default::default(),
            Some(_) => (format!(" qdisc {}", link.qdisc), format!(" group {group}")),
            None => (format!(" qdisc {}", link.qdisc), format!(" mode DEFAULT group {group}")),
        };
        let queue = link.queue.map(|length| format!(" qlen {length}")).unwrap_or_default();
        let _ =
            writeln!(out, "{index}: {name}{end}: <{flags}> mtu {}{qdisc} state {}{group}{queue}", link.mtu, link.state);
        if !one {
            let (address, broadcast) = (hexadecimal(&link.address), hexadecimal(&link.broadcast));
            let _ = writeln!(out, "    link/{} {address} brd {broadcast}", link.kind);
        }
        own.into_iter().for_each(|address| line(&mut out, address));
    }
    print(&out)
}

fn line(out: &mut String, address: &Address) {
    let inet = if address.ip.is_ipv4() { "inet" } else { "inet6" };
    let broadcast = address.broadcast.map(|ip| format!(" brd {ip}")).unwrap_or_default();
    let words = named(address.flags, &ADDRESS_FLAGS).chain(address.dynamic().then_some("dynamic"));
    let words = words.map(String::from).chain(address.label.as_deref().map(printable));
    let words: String = words.map(|word| format!(" {word}")).collect();
    let _ = writeln!(out, "    {inet} {}/{}{broadcast} scope {}{words}", address.ip, address.prefix, address.scope);
    let [valid, preferred] =
        address.lifetimes.map(|time| time.map_or("forever".into(), |seconds| format!("{seconds}sec")));
    let _ = writeln!(out, "       valid_lft {valid} preferred_lft {preferred}");
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":")
}

fn named(bits: u32, names: &'static [(u32, &'static str)]) -> impl Iterator<Item = &'static str> {
    names.iter().filter(move |(bit, _)| bits & bit != 0).map(|(_, name)| *name)
}

fn change(name: &str, state: &str) -> ExitCode {
    let up = match state {
        "up" => true,
        "down" => false,
        _ => return complain("ip", &format!("\"{state}\" is a garbage: ip link set {name} up|down"), 255),
    };
    let Ok(index) = if_nametoindex(name) else { return complain("ip", &format!("cannot find device \"{name}\""), 1) };
    match set_up(index, up) {
        Ok(()) => ExitCode::SUCCESS,
        Err(errno) => {
            let hint = errno_causes::help("RTM_NEWLINK", errno, &[]);
            failed("ip", &format!("{name} {state}"), errno, hint.as_deref(), 2)
        }
    }
}
