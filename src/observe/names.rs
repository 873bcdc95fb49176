//! What the container's name servers say of a name: the hidden role `__ns-helper names PID NAME`.
//!
//! Which servers a program asks stands in a file of its own root, and whether they can be reached is decided by its own network
//! (resolv.conf(5)). So a child reads that file there, enters that network, and asks as a C library would (RFC 1035). Files with names in
//! them are not read: they say nothing about other names.

use super::{
    Asked, files,
    ns_helper::{ROLE, answer_of},
    reach,
    reader::Reader,
};
use crate::kernel::pid::Pid;
use crate::{kernel::errno, lesson::Probe};
use nix::errno::Errno;
use serde::{Deserialize, Serialize};
use std::{
    hash::{BuildHasher, RandomState},
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

/// What comes after the name of the role.
pub(super) const WORD: &str = "names";

/// How long one server may take. Everything is on this machine: what has not come by then was lost on the way.
const PATIENCE: Duration = Duration::from_millis(500);

/// How long the child may take all in all. It comes to an end by itself; where forty learners share two processors, it takes
/// seconds until it has begun.
const DEADLINE: Duration = Duration::from_secs(10);

/// A C library asks no more servers than this (MAXNS).
const MAX: usize = 3;

/// Where servers listen.
const PORT: u16 = 53;

/// The length of the header of a message.
const HEADER: usize = 12;

/// What came of a name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Resolved {
    /// The name, as a lesson has it.
    pub name: String,
    /// Its first IPv4 address.
    pub address: Option<String>,
    /// Why there is none: an errno, or NXDOMAIN and the like; ETIMEDOUT where nothing came back.
    pub why: Option<String>,
    /// The server that said so; the last one where none did.
    pub server: String,
}

/// The child's answer about a process and a name.
pub(super) fn answer(args: &[String]) -> Resolved {
    match args {
        [pid, name] => pid.parse().map_or_else(|_| failed(Errno::EINVAL), |pid| resolve(pid, name)),
        _ => failed(Errno::EINVAL),
    }
}

fn failed(errno: Errno) -> Resolved {
    Resolved { why: Some(errno::name(errno)), ..Resolved::default() }
}

fn resolve(pid: Pid, name: &str) -> Resolved {
    let asked = Asked { inside: true, path: "/etc/resolv.conf".into() };
    // Before the namespace is left, in which `/proc` has this PID.
    let file = files::read(&asked, Some(pid), Path::new("/")).unwrap_or_default();
    if let Err(errno) = reach::enter(&Path::new("/proc").join(pid.to_string()).join("ns/net")) {
        return failed(errno);
    }
    ask_all(&servers(&file), PORT, name)
}

/// Asks these servers, one after the other; a star in the name stands for what nobody has asked for before.
fn ask_all(servers: &[IpAddr], port: u16, name: &str) -> Resolved {
    let random = RandomState::new().hash_one(name);
    let asked = name.replace('*', &format!("{random:x}"));
    let mut last = Resolved::default();
    for server in servers {
        let id = random.to_ne_bytes()[..2].try_into().unwrap_or_default();
        let (address, why) = match ask((*server, port).into(), &asked, id, PATIENCE) {
            Ok(ip) => (Some(ip.to_string()), None),
            Err(why) => (None, Some(why)),
        };
        last = Resolved { name: name.into(), address, why, server: server.to_string() };
        // That there is no such name is an answer, too.
        if last.address.is_some() || last.why.as_deref() == Some("NXDOMAIN") {
            break;
        }
    }
    last
}

/// The servers that a file names, in the order in which they are asked; the machine itself where there is none.
fn servers(file: &str) -> Vec<IpAddr> {
    let server = |line: &str| {
        line.strip_prefix("nameserver")?.trim_start_matches([' ', '\t']).split_whitespace().next()?.parse().ok()
    };
    let named: Vec<IpAddr> = file.lines().filter_map(server).take(MAX).collect();
    if named.is_empty() { vec![Ipv4Addr::LOCALHOST.into()] } else { named }
}

/// Asks one server for the IPv4 address of a name.
fn ask(server: SocketAddr, name: &str, id: [u8; 2], patience: Duration) -> Result<Ipv4Addr, String> {
    let why = |error: io::Error| match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => errno::name(Errno::ETIMEDOUT),
        _ => errno::name(Errno::from_raw(error.raw_os_error().unwrap_or(0))),
    };
    let own: IpAddr = if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((own, 0)).map_err(why)?;
    // Connected, so that a refusal of the other side is told, and no other address can answer.
    socket.connect(server).map_err(why)?;
    socket.send(&question(name, id)).map_err(why)?;
    let until = Instant::now() + patience;
    let mut buffer = [0; 512];
    loop {
        let left = until.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        socket.set_read_timeout(Some(left)).map_err(why)?;
        // With a time limit, no signal lets the kernel begin anew by itself (signal(7)).
        let length = match socket.recv(&mut buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => 0,
            length => length.map_err(why)?,
        };
        if let Some(said) = read(buffer.get(..length).unwrap_or_default(), id) {
            return said.map_err(str::to_string);
        }
        if Instant::now() >= until {
            return Err(errno::name(Errno::ETIMEDOUT));
        }
    }
}

/// The message that asks for the IPv4 address (type A, class IN) of a name.
fn question(name: &str, id: [u8; 2]) -> Vec<u8> {
    let mut message = id.to_vec();
    // Recursion is desired; one question.
    message.extend([1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    for label in name.split('.').filter(|label| !label.is_empty()) {
        let label = &label.as_bytes()[..label.len().min(63)];
        message.push(label.len() as u8);
        message.extend(label);
    }
    message.extend([0, 0, 1, 0, 1]);
    message
}

/// The first IPv4 address in an answer, or what the server says instead; `None` for what is no answer to this question.
fn read(message: &[u8], id: [u8; 2]) -> Option<Result<Ipv4Addr, &'static str>> {
    let number = |at: usize| Some(u16::from_be_bytes(message.get(at..at + 2)?.try_into().ok()?));
    if message.get(..2)? != id || message.get(2)? & 0x80 == 0 {
        return None;
    }
    match message.get(3)? & 15 {
        0 => {}
        2 => return Some(Err("SERVFAIL")),
        3 => return Some(Err("NXDOMAIN")),
        5 => return Some(Err("REFUSED")),
        _ => return Some(Err("RCODE")),
    }
    let (questions, answers) = (number(4)?, number(6)?);
    let mut at = HEADER;
    for _ in 0..questions {
        at = after_name(message, at)? + 4;
    }
    for _ in 0..answers {
        let fields = after_name(message, at)?;
        let (kind, length) = (number(fields)?, usize::from(number(fields + 8)?));
        let data = message.get(fields + 10..fields + 10 + length)?;
        if let (1, Ok(ip)) = (kind, <[u8; 4]>::try_from(data)) {
            return Some(Ok(ip.into()));
        }
        at = fields + 10 + length;
    }
    Some(Err("NODATA"))
}

/// Where a name ends: behind an empty label, or behind a pointer to the rest of it.
fn after_name(message: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *message.get(at)? {
            0 => return Some(at + 1),
            length @ 1..=63 => at += 1 + usize::from(length),
            192.. => return Some(at + 2),
            _ => return None,
        }
    }
}

impl Reader {
    /// What came of each name that the current step asks for.
    pub(super) fn resolved(&self, container: Pid) -> Vec<Resolved> {
        let names = self.extra.probes.iter().filter_map(|probe| match probe {
            Probe::Name(name) => Some(name),
            Probe::Connect(_) => None,
        });
        names.filter_map(|name| self.resolve(container, name)).collect()
    }

    fn resolve(&self, container: Pid, name: &str) -> Option<Resolved> {
        let mut command = Command::new(&self.exe);
        command.args([ROLE, WORD, &container.to_string(), name]);
        let resolved: Resolved = answer_of(&mut command, Instant::now() + DEADLINE)?;
        Some(Resolved { name: name.into(), ..resolved })
    }
}

#[cfg(test)]
#[path = "names_tests.rs"]
mod tests;
