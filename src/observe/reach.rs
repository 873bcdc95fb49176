//! What a TCP connection comes to: the hidden role `__ns-helper reach FILE ADDRESS PORT PID…`, the file being one of a network
//! namespace.
//!
//! Whether packets get through is decided by routes, rules and listeners of several namespaces together. So a connection is made,
//! by a child that has entered the namespace where it is to begin; what the learner's shell has for `nc` does not matter. While it
//! stands, the sockets in the namespaces of the other processes tell who has taken it.

use super::{
    network::tcp,
    networks::{Network, Networks},
    ns_helper::{ROLE, answer_of},
    reader::Reader,
};
use crate::{
    kernel::{errno, owned, pid::Pid},
    lesson::{Connect, Probe, Spot},
};
use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sched::{CloneFlags, setns},
    sys::socket::{
        AddressFamily, SockFlag, SockType, SockaddrIn, connect, getsockname, getsockopt, socket, sockopt::SocketError,
    },
};
use procfs::net::{TcpNetEntry, TcpState};
use serde::{Deserialize, Serialize};
use std::{
    fs::File,
    net::{IpAddr, Ipv4Addr},
    os::fd::{AsFd, AsRawFd},
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

/// What comes after the name of the role.
pub(super) const WORD: &str = "reach";

/// How long an answer may take. Everything is on this machine: what has not come by then was lost on the way.
const PATIENCE: Duration = Duration::from_millis(500);

/// How long the child may take all in all. It comes to an end by itself; where forty learners share two processors, it takes
/// seconds until it has begun.
const DEADLINE: Duration = Duration::from_secs(10);

/// How long is waited before sockets are looked through once more: the last packet of a handshake may still be on its way.
const AGAIN: u16 = 5;

/// What came of a connection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Reached {
    /// Where it began, as a lesson names it.
    pub from: String,
    /// Where it went, such as `10.2.0.1:8080`.
    pub to: String,
    /// Why there was none, by name; ETIMEDOUT where nothing came back.
    pub errno: Option<String>,
    /// The address under which the socket that has taken it sees the client.
    pub seen_as: Option<String>,
    /// The network namespace of that socket.
    pub at: Option<u64>,
}

impl Reached {
    /// Whether it is what came of this.
    pub(crate) fn is_of(&self, connect: &Connect) -> bool {
        self.from == connect.from.to_string() && self.to == target(connect)
    }
}

fn target(connect: &Connect) -> String {
    format!("{}:{}", connect.ip, connect.port)
}

/// The network namespace that a lesson means.
pub(crate) fn locate(networks: &Networks, spot: Spot) -> Option<&Network> {
    match spot {
        Spot::Inside => networks.all.iter().find(|network| network.container && !network.host),
        Spot::Outside => networks.all.iter().find(|network| network.host_terminal && !network.host),
        Spot::Far => {
            let outside = locate(networks, Spot::Outside)?;
            let mut ends =
                outside.interfaces.iter().filter_map(|link| networks.other_end(link)).map(|(network, _)| network);
            ends.find(|end| !end.host && !end.container && end.inode != outside.inode)
        }
    }
}

/// What the child tells: an errno, or who has taken the connection as whom.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Answer {
    errno: Option<i32>,
    taken: Option<(Pid, String)>,
}

/// The child's answer about a namespace, an address, a port, and those who may have taken the connection.
pub(super) fn answer(args: &[String]) -> Answer {
    let answer = match args {
        [file, ip, port, others @ ..] => match (ip.parse(), port.parse()) {
            (Ok(ip), Ok(port)) => enter(Path::new(file)).and_then(|()| attempt(ip, port, others)),
            _ => Err(Errno::EINVAL),
        },
        _ => Err(Errno::EINVAL),
    };
    answer.unwrap_or_else(|errno| Answer { errno: Some(errno as i32), taken: None })
}

/// Enters the network namespace of which this is a file.
pub(super) fn enter(file: &Path) -> nix::Result<()> {
    let namespace = File::open(file).map_err(|error| Errno::from_raw(error.raw_os_error().unwrap_or(0)))?;
    if let Err(errno) = setns(namespace.as_fd(), CloneFlags::CLONE_NEWNET) {
        // The user namespace that it belongs to gives the capability.
        let owner = owned::user_namespace(&namespace).map_err(|_| errno)?;
        setns(owner.as_fd(), CloneFlags::CLONE_NEWUSER)?;
        setns(namespace.as_fd(), CloneFlags::CLONE_NEWNET)?;
    }
    Ok(())
}

fn attempt(ip: Ipv4Addr, port: u16, others: &[String]) -> nix::Result<Answer> {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let socket = socket(AddressFamily::Inet, SockType::Stream, flags, None)?;
    let until = Instant::now() + PATIENCE;
    match connect(socket.as_raw_fd(), &SockaddrIn::from(std::net::SocketAddrV4::new(ip, port))) {
        Ok(()) => {}
        Err(Errno::EINPROGRESS) => {
            if !waits(&socket, PollFlags::POLLOUT, until)? {
                return Err(Errno::ETIMEDOUT);
            }
            match getsockopt(&socket, SocketError)? {
                0 => {}
                code => return Err(Errno::from_raw(code)),
            }
        }
        Err(errno) => return Err(errno),
    }
    let own: SockaddrIn = getsockname(socket.as_raw_fd())?;
    let taken = loop {
        let taken = others.iter().find_map(|pid| {
            let tables = ["net/tcp", "net/tcp6"].map(|name| Path::new("/proc").join(pid).join(name));
            let taken = tables.iter().find_map(|table| taken(&tcp(table), own.port()));
            Some((pid.parse().ok()?, taken?.to_string()))
        });
        // Nothing is sent, so only time or the end of the connection ends this.
        if taken.is_some() || Instant::now() >= until {
            break taken;
        }
        let _ = poll(&mut [PollFd::new(socket.as_fd(), PollFlags::empty())], PollTimeout::from(AGAIN));
    };
    Ok(Answer { errno: None, taken })
}

fn waits(socket: &impl AsFd, events: PollFlags, until: Instant) -> nix::Result<bool> {
    loop {
        let Some(left) = until.checked_duration_since(Instant::now()) else { return Ok(false) };
        let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::ZERO);
        match poll(&mut [PollFd::new(socket.as_fd(), events)], timeout) {
            Ok(0) => return Ok(false),
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno),
            Ok(_) => return Ok(true),
        }
    }
}

/// The client that an established one of these sockets sees, of the connection that left its namespace with this port: rules that
/// change the source keep the port where they can. The socket of the client itself, which may be among them, has the port as its
/// own.
fn taken(sockets: &[TcpNetEntry], port: u16) -> Option<IpAddr> {
    let ours = |socket: &&TcpNetEntry| socket.state == TcpState::Established && socket.remote_address.port() == port;
    // One of IPv4 may be seen by a socket that takes both.
    let mut clients = sockets.iter().filter(ours).map(|socket| socket.remote_address.ip().to_canonical());
    clients.find(IpAddr::is_ipv4)
}

impl Reader {
    /// What came of each connection that the current step asks for; one that begins nowhere is left out.
    pub(super) fn reached(&self, networks: Option<&Networks>) -> Vec<Reached> {
        let Some(networks) = networks else { return Vec::new() };
        let connects = self.extra.probes.iter().filter_map(|probe| match probe {
            Probe::Connect(connect) => Some(connect),
            Probe::Name(_) => None,
        });
        connects.filter_map(|connect| self.reach(networks, connect)).collect()
    }

    fn reach(&self, networks: &Networks, connect: &Connect) -> Option<Reached> {
        let first = |network: &Network| network.processes.first().map(|member| (network.inode, member.pid));
        let (_, pid) = first(locate(networks, connect.from)?)?;
        // The machine's own connections are nobody's business here.
        let others: Vec<(u64, Pid)> = networks.all.iter().filter(|network| !network.host).filter_map(first).collect();
        let mut command = Command::new(&self.exe);
        command.args([ROLE, WORD]).arg(self.proc_root.join(pid.to_string()).join("ns/net"));
        command.args([connect.ip.to_string(), connect.port.to_string()]);
        command.args(others.iter().map(|(_, pid)| pid.to_string()));
        let answer: Answer = answer_of(&mut command, Instant::now() + DEADLINE)?;
        let at = answer.taken.as_ref().and_then(|(pid, _)| others.iter().find(|(_, other)| other == pid));
        Some(Reached {
            from: connect.from.to_string(),
            to: target(connect),
            errno: answer.errno.map(|code| errno::name(Errno::from_raw(code))),
            at: at.map(|(inode, _)| *inode),
            seen_as: answer.taken.map(|(_, client)| client),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::apart::{Apart, forked};
    use crate::observe::{Link, Member, Peer, stub::Stub};
    use procfs::{FromReadSI, net::TcpNetEntries};
    use std::io::Write;

    /// The machine, a host with a cable to a container and one to somebody else.
    fn networks() -> Networks {
        let link = |index, name: &str, network, other| Link {
            index,
            name: name.into(),
            peer: Some(Peer { index: other, network: Some(network) }),
            ..Link::default()
        };
        let network = |inode, interfaces| Network { inode, interfaces, ..Network::default() };
        let machine = Network { host: true, ..network(1, Vec::new()) };
        let container = Network { container: true, ..network(2, vec![link(2, "eth0", 3, 2)]) };
        let outside = Network { host_terminal: true, ..network(3, vec![link(2, "va", 2, 2), link(3, "vc", 4, 2)]) };
        Networks { all: vec![machine, container, outside, network(4, vec![link(2, "eth0", 3, 3)])], more: 0 }
    }

    #[test]
    fn a_lesson_names_namespaces_by_who_is_where() {
        let mut all = networks();
        let at = |all: &Networks, spot| locate(all, spot).map(|network| network.inode);
        assert_eq!([Spot::Inside, Spot::Outside, Spot::Far].map(|spot| at(&all, spot)), [Some(2), Some(3), Some(4)]);
        all.all[2].interfaces.truncate(1);
        assert_eq!(at(&all, Spot::Far), None);
        // Whoever stands in the machine's own network plays nothing.
        all.all[2].host_terminal = false;
        (all.all[0].host_terminal, all.all[0].container, all.all[1].container) = (true, true, false);
        assert_eq!([Spot::Inside, Spot::Outside, Spot::Far].map(|spot| at(&all, spot)), [None; 3]);
    }

    #[test]
    fn an_established_socket_tells_its_client() {
        let big = cfg!(target_endian = "big");
        let (client, within) = if big { ("0A020002", "0000FFFF") } else { ("0200020A", "FFFF0000") };
        let seen = |remote: &str, state: &str, port| {
            let queues = "00000000:00000000 00:00000000 00000000 0 0 1";
            let table = format!("  sl  local_address\n   0: {remote} {remote} {state} {queues}\n");
            let table = TcpNetEntries::from_read(table.as_bytes(), procfs::current_system_info()).unwrap();
            taken(&table.0, port).map(|client| client.to_string())
        };
        assert_eq!(seen(&format!("{client}:D431"), "01", 0xd431).as_deref(), Some("10.2.0.2"));
        let mapped = format!("{:016}{within}{client}:D431", 0);
        assert_eq!(seen(&mapped, "01", 0xd431).as_deref(), Some("10.2.0.2"));
        // Another client, one that has left, and one of another protocol.
        assert_eq!(seen(&format!("{client}:D431"), "01", 0xd430), None);
        assert_eq!(seen(&format!("{client}:D431"), "06", 0xd431), None);
        assert_eq!(seen(&format!("{}:D431", client.repeat(4)), "01", 0xd431), None);
    }

    #[test]
    fn what_cannot_be_entered_or_reached_is_an_errno() {
        let errno = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(ToString::to_string).collect();
            answer(&words).errno.map(Errno::from_raw)
        };
        assert_eq!(errno(&["/proc/none", "127.0.0.1", "1"]), Some(Errno::ENOENT));
        let refused = errno(&["/dev/null", "127.0.0.1", "1"]);
        assert!(matches!(refused, Some(Errno::EINVAL | Errno::EPERM | Errno::ENOTTY)), "{refused:?}");
        for wrong in [&["/proc/none", "127.0.0.1", "x"][..], &["/proc/none", "x", "1"], &["/proc/none", "127.0.0.1"]] {
            assert_eq!(errno(wrong), Some(Errno::EINVAL), "{wrong:?}");
        }
    }

    #[test]
    fn whoever_takes_a_connection_is_found_by_its_port() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let others = [i32::MAX, Pid::own().0].map(|pid| pid.to_string());
        let taken = Some((Pid::own(), "127.0.0.1".into()));
        let taken = Ok(Answer { errno: None, taken });
        // On a busy machine the time of one attempt may be over before the other end is there.
        assert!((0..20).any(|_| attempt(Ipv4Addr::LOCALHOST, port, &others) == taken));
        drop(listener);
        assert_eq!(attempt(Ipv4Addr::LOCALHOST, port, &others), Err(Errno::ECONNREFUSED));
    }

    #[test]
    fn a_step_tries_its_connections_from_where_they_begin() {
        let (stub, mut all) = (Stub::new(), networks());
        let mut reader = Reader::new(Path::new("/proc"), &stub.exe());
        let connect = |from| Probe::Connect(Connect { from, ip: Ipv4Addr::new(10, 2, 0, 1), port: 80 });
        reader.extra.probes = vec![Probe::Name("x.box".into()), connect(Spot::Inside), connect(Spot::Far)];
        for (at, network) in all.all.iter_mut().enumerate().take(3) {
            network.processes = vec![Member { pid: Pid(at as i32 + 20), comm: "sh".into() }];
        }
        let reached = |taken: Option<i32>, errno| {
            stub.say(&Answer { errno, taken: taken.map(|pid| (Pid(pid), "10.1.0.1".into())) });
            reader.reached(Some(&all))
        };
        let inside = Reached { from: Spot::Inside.to_string(), to: "10.2.0.1:80".into(), ..Reached::default() };
        let taken = Reached { at: Some(3), seen_as: Some("10.1.0.1".into()), ..inside.clone() };
        assert_eq!(reached(Some(22), None), [taken], "nobody is there to begin far away");
        let refused = Reached { errno: Some("ECONNREFUSED".into()), ..inside };
        assert_eq!(reached(None, Some(libc::ECONNREFUSED)), [refused]);
        // Neither the machine nor a namespace without processes is asked who has taken it.
        assert_eq!(stub.asked(), vec!["reach /proc/21/ns/net 10.2.0.1 80 21 22"; 2]);
        assert_eq!(reader.reached(None), []);
    }

    #[test]
    fn a_wait_ends_with_an_event_or_with_its_time() {
        let (one, mut other) = std::os::unix::net::UnixStream::pair().unwrap();
        let until = |time: Duration| Instant::now() + time;
        assert_eq!(waits(&one, PollFlags::POLLIN, until(Duration::from_millis(1))), Ok(false));
        assert_eq!(waits(&one, PollFlags::POLLIN, Instant::now()), Ok(false));
        other.write_all(b"x").unwrap();
        assert_eq!(waits(&one, PollFlags::POLLIN, until(Duration::from_secs(20))), Ok(true));
    }

    #[test]
    #[cfg_attr(no_user_namespaces, ignore = "no user namespaces could be made when this was built")]
    fn a_connection_begins_in_the_namespace_that_is_named() {
        let apart = Apart::new();
        let from = |file: String| {
            let args = [file, "127.0.0.1".into(), "1".into()];
            let told = forked(|| serde_json::to_string(&answer(&args)).unwrap());
            serde_json::from_str::<Answer>(&told).unwrap().errno.map(Errno::from_raw)
        };
        assert_eq!(from(apart.file("net")), Some(Errno::ENETUNREACH), "not even loopback is up there");
        assert_ne!(from("/proc/self/ns/net".into()), Some(Errno::ENETUNREACH));
    }

    #[test]
    fn what_came_of_a_connection_is_told_by_its_two_ends() {
        let connect = Connect { from: Spot::Inside, ip: Ipv4Addr::new(10, 2, 0, 1), port: 80 };
        let reached = |from: Spot, to: &str| Reached { from: from.to_string(), to: to.into(), ..Reached::default() };
        assert!(reached(Spot::Inside, "10.2.0.1:80").is_of(&connect));
        assert!(!reached(Spot::Outside, "10.2.0.1:80").is_of(&connect));
        assert!(!reached(Spot::Inside, "10.2.0.1:81").is_of(&connect));
    }
}
