//! The part of the vocabulary of checks about networks: who is wired to whom, where packets go, and what comes through.

use super::{
    args::{Args, Wrong},
    fact::Word,
    model::{Fact, Outcome},
};
use crate::lang::say;
use std::{fmt, net::Ipv4Addr};

/// A network namespace, as a lesson names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spot {
    /// `inside`: that of the container process.
    Inside,
    /// `outside`: the one that the host terminal is in, which plays the host and is not the machine's own.
    Outside,
    /// `far`: the first other one that a cable of the one outside leads to, besides the container's.
    Far,
}

impl fmt::Display for Spot {
    /// Writes it as a lesson file has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Spot::Inside => f.write_str("inside"),
            Spot::Outside => f.write_str("outside"),
            Spot::Far => f.write_str("far"),
        }
    }
}

/// What an interface is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkState {
    /// It has been brought up, or not.
    Up(bool),
    /// It has a carrier, or none.
    Carrier(bool),
    /// There is none of this name.
    Absent,
}

/// Where packets for a destination go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Towards {
    /// To this next hop.
    Via(String),
    /// Out of this interface, with no hop between.
    Out(String),
    /// There is no such route.
    None,
}

/// A counter of IPv4 packets (`/proc/net/snmp`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// `ForwDatagrams`: passed on.
    Forwarded,
    /// `InAddrErrors`: for others, and not passed on.
    WrongAddress,
}

impl Counted {
    /// The kernel's name of it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Counted::Forwarded => "ForwDatagrams",
            Counted::WrongAddress => "InAddrErrors",
        }
    }
}

/// A connection that is tried to see what the kernel answers: from where, to where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connect {
    /// The network namespace that it begins in.
    pub from: Spot,
    /// The address.
    pub ip: Ipv4Addr,
    /// The TCP port.
    pub port: u16,
}

/// What is tried in the container's networks to see what comes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Probe {
    /// A connection.
    Connect(Connect),
    /// A name that the container's name servers are asked for; `*` in it stands for a label that is made up each time.
    Name(String),
}

/// How it must end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Accepted or refused by the kernel of the other side.
    Ends(Outcome),
    /// Nothing comes back.
    Silence,
}

/// What can be asked of the networks of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NetFact {
    /// `cable SPOT NAME SPOT NAME`: two interfaces are the ends of one veth pair.
    Cable([(Spot, String); 2]),
    /// `link SPOT NAME up|down|carrier|no-carrier|absent`.
    Link(Spot, String, LinkState),
    /// `address SPOT NAME ADDRESS/PREFIX`; `None` where it must have no IPv4 address.
    Address(Spot, String, Option<String>),
    /// `route SPOT DESTINATION via ADDRESS|dev NAME|none`.
    Route(Spot, String, Towards),
    /// `bridge-port SPOT BRIDGE NAME`.
    BridgePort(Spot, String, String),
    /// `neighbour SPOT ADDRESS answers|fails`.
    Neighbour(Spot, String, bool),
    /// `forwarding SPOT on|off`.
    Forwarding(Spot, bool),
    /// `counter SPOT NAME some|none`.
    Counter(Spot, Counted, bool),
    /// `connect SPOT ADDRESS PORT ok|ERRNO|silence [as ADDRESS] [at SPOT]`: which client the other side sees, and where that
    /// side is.
    Connect(Connect, Reply, Option<String>, Option<Spot>),
    /// `resolves NAME ADDRESS`: a name server of the container's knows this name.
    Resolves(String, Ipv4Addr),
}

fn spot(a: &mut Args<'_>) -> Result<Spot, Wrong> {
    Ok(match a.one_of(&["inside", "outside", "far"])?.as_str() {
        "inside" => Spot::Inside,
        "outside" => Spot::Outside,
        _ => Spot::Far,
    })
}

fn end(a: &mut Args<'_>) -> Result<(Spot, String), Wrong> {
    Ok((spot(a)?, a.word(say("an interface", "接口"))?))
}

fn ip(a: &mut Args<'_>) -> Result<Ipv4Addr, Wrong> {
    let word = a.word(say("an address", "地址"))?;
    word.parse().or_else(|_| a.wrong(say("an address such as `10.1.0.2`", "地址，例如 `10.1.0.2`")))
}

/// An address and the length of its prefix.
fn prefix(a: &mut Args<'_>) -> Result<String, Wrong> {
    let word = a.word(say("an address", "地址"))?;
    let parts = word.split_once('/').map(|(ip, bits)| (ip.parse::<Ipv4Addr>(), bits.parse::<u8>()));
    match parts {
        Some((Ok(_), Ok(..=32))) => Ok(word),
        _ => a.wrong(say(
            "an address with the length of its prefix, such as `10.1.0.1/24`",
            "带前缀长度的地址，例如 `10.1.0.1/24`",
        )),
    }
}

/// The whole of what is said of a network, as a fact.
fn of(fact: NetFact) -> Fact {
    Fact::Net(fact)
}

pub(super) const CABLE: Word = Word {
    name: "cable",
    usage: "NET NAME NET NAME",
    meaning: "These two interfaces are the ends of one veth pair. NET is a network namespace: `inside` the container process's, \
              `outside` the one that the host terminal is in (and not the machine's own), `far` the first other one that a cable of \
              the one outside leads to.",
    example: "cable outside v0 inside eth0",
    parse: |a| Ok(of(NetFact::Cable([end(a)?, end(a)?]))),
};

pub(super) const LINK: Word = Word {
    name: "link",
    usage: "NET NAME up|down|carrier|no-carrier|absent",
    meaning: "The interface has been brought up, or is down; it has a carrier, or has none; or there is no such interface.",
    example: "link outside v0 carrier",
    parse: |a| {
        let (net, name) = end(a)?;
        let state = match a.one_of(&["up", "down", "carrier", "no-carrier", "absent"])?.as_str() {
            "up" => LinkState::Up(true),
            "down" => LinkState::Up(false),
            "carrier" => LinkState::Carrier(true),
            "no-carrier" => LinkState::Carrier(false),
            _ => LinkState::Absent,
        };
        Ok(of(NetFact::Link(net, name, state)))
    },
};

pub(super) const ADDRESS: Word = Word {
    name: "address",
    usage: "NET NAME ADDRESS/PREFIX|none",
    meaning: "The interface has this IPv4 address, or has none.",
    example: "address inside eth0 10.1.0.2/24",
    parse: |a| {
        let (net, name) = end(a)?;
        let address = if a.next_is("none") { None } else { Some(prefix(a)?) };
        Ok(of(NetFact::Address(net, name, address)))
    },
};

pub(super) const ROUTE: Word = Word {
    name: "route",
    usage: "NET default|ADDRESS/PREFIX via ADDRESS|dev NAME|none",
    meaning: "The main table has this route: by this next hop, or straight out of this interface; or has none to there.",
    example: "route inside default via 10.1.0.1",
    parse: |a| {
        let net = spot(a)?;
        let to = if a.next_is("default") { "default".into() } else { prefix(a)? };
        let towards = match a.one_of(&["via", "dev", "none"])?.as_str() {
            "via" => Towards::Via(ip(a)?.to_string()),
            "dev" => Towards::Out(a.word(say("an interface", "接口"))?),
            _ => Towards::None,
        };
        Ok(of(NetFact::Route(net, to, towards)))
    },
};

pub(super) const BRIDGE_PORT: Word = Word {
    name: "bridge-port",
    usage: "NET BRIDGE NAME",
    meaning: "The interface is a port of this bridge.",
    example: "bridge-port outside br0 va",
    parse: |a| {
        let (net, bridge) = end(a)?;
        Ok(of(NetFact::BridgePort(net, bridge, a.word(say("an interface", "接口"))?)))
    },
};

pub(super) const NEIGHBOUR: Word = Word {
    name: "neighbour",
    usage: "NET ADDRESS answers|fails",
    meaning: "The kernel has asked for the hardware address of this neighbour, and has got it, or has given up.",
    example: "neighbour outside 10.1.0.2 answers",
    parse: |a| {
        let (net, ip) = (spot(a)?, ip(a)?.to_string());
        Ok(of(NetFact::Neighbour(net, ip, a.choice("answers", "fails")?)))
    },
};

pub(super) const FORWARDING: Word = Word {
    name: "forwarding",
    usage: "NET on|off",
    meaning: "Packets of IPv4 for others are passed on there, or are not.",
    example: "forwarding outside on",
    parse: |a| Ok(of(NetFact::Forwarding(spot(a)?, a.choice("on", "off")?))),
};

pub(super) const COUNTER: Word = Word {
    name: "counter",
    usage: "NET InAddrErrors|ForwDatagrams some|none",
    meaning: "There have been IPv4 packets for others that were not passed on, or that were; or there has been none.",
    example: "counter outside InAddrErrors some",
    parse: |a| {
        let net = spot(a)?;
        let counter = match a.choice("InAddrErrors", "ForwDatagrams")? {
            true => Counted::WrongAddress,
            false => Counted::Forwarded,
        };
        Ok(of(NetFact::Counter(net, counter, a.choice("some", "none")?)))
    },
};

pub(super) const CONNECT: Word = Word {
    name: "connect",
    usage: "NET ADDRESS PORT ok|ERRNO|silence [as ADDRESS] [at NET]",
    meaning: "A TCP connection that boxwright tries from there succeeds, fails so, or gets no answer within half a second; the \
              socket that takes it sees the client under this address, and is in that network namespace.",
    example: "connect far 10.2.0.1 8080 ok at inside",
    parse: |a| {
        let connect = Connect { from: spot(a)?, ip: ip(a)?, port: a.port()? };
        if a.next_is("silence") {
            return Ok(of(NetFact::Connect(connect, Reply::Silence, None, None)));
        }
        let outcome = a.outcome()?;
        let seen = if a.next_is("as") { Some(ip(a)?.to_string()) } else { None };
        let at = if a.next_is("at") { Some(spot(a)?) } else { None };
        Ok(of(NetFact::Connect(connect, Reply::Ends(outcome), seen, at)))
    },
};

pub(super) const RESOLVES: Word = Word {
    name: "resolves",
    usage: "NAME ADDRESS",
    meaning: "A name server that `/etc/resolv.conf` in the container names (127.0.0.1 where it names none), asked from the container's \
              network, answers this name with this IPv4 address. `*` in the name stands for a label that is made up each time, so that \
              a line in a file does not do.",
    example: "resolves *.box 10.1.0.1",
    parse: |a| {
        let name = a.word(say("a name", "名字"))?;
        Ok(of(NetFact::Resolves(name, ip(a)?)))
    },
};
