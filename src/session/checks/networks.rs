//! Facts about the networks of a session: cables, addresses, routes, bridges, and what a connection comes to.

use super::{Verdict, absent, unreadable};
use crate::{
    lang::Lang,
    lesson::{Connect, Counted, LinkState, NetFact, Outcome, Reply, Spot, Towards},
    observe::{Link, Network, Networks, Route, Sample, locate},
};
use std::net::Ipv4Addr;

/// Decides one of them.
pub(super) fn net(fact: &NetFact, sample: &Sample, lang: Lang) -> Verdict {
    let look = Look { networks: sample.networks.as_ref(), lang };
    match fact {
        NetFact::Cable(ends) => look.cable(ends),
        NetFact::Link(net, name, state) => look.state(*net, name, *state),
        NetFact::Address(net, name, wanted) => look.address(*net, name, wanted.as_deref()),
        NetFact::Route(net, to, towards) => look.route(*net, to, towards),
        NetFact::BridgePort(net, bridge, name) => {
            let port = |of: &str| lang.pick(format!("{name}: port of {of}"), format!("{name}：{of} 的端口"));
            look.link(*net, name, port(bridge), |network, link| {
                let master = network.interfaces.iter().find(|it| Some(it.index) == link.master);
                let none = lang.pick(format!("{name}: port of no bridge"), format!("{name}：不是网桥的端口"));
                master.map_or(none, |master| port(&master.name))
            })
        }
        NetFact::Neighbour(net, ip, answers) => look.neighbour(*net, ip, *answers),
        NetFact::Forwarding(net, on) => {
            let word = |on: bool| format!("ip_forward {}", u8::from(on));
            let seen = |network: &Network| network.forwards.map_or_else(|| unreadable(lang).into(), word);
            look.in_network(*net, word(*on), seen)
        }
        NetFact::Counter(net, counter, some) => look.counter(*net, *counter, *some),
        NetFact::Connect(connect, reply, seen, at) => look.connected(connect, reply, seen.as_deref(), *at, sample),
        NetFact::Resolves(name, ip) => resolves(name, *ip, sample, lang),
    }
}

/// The networks, and the language in which is told what was seen there.
struct Look<'a> {
    networks: Option<&'a Networks>,
    lang: Lang,
}

impl<'a> Look<'a> {
    /// A network namespace, or why there is none to look at.
    fn network(&self, spot: Spot) -> Result<&'a Network, String> {
        let Some(networks) = self.networks else { return Err(unreadable(self.lang).into()) };
        match locate(networks, spot) {
            Some(network) => match &network.unread {
                Some(why) => Err(format!("{} ({why})", unreadable(self.lang))),
                None => Ok(network),
            },
            None => Err(self.nowhere(spot)),
        }
    }

    fn nowhere(&self, spot: Spot) -> String {
        let lang = self.lang;
        match spot {
            Spot::Inside => lang.pick("no network of its own inside", "容器没有自己的网络").into(),
            Spot::Outside => {
                lang.pick("the host terminal is in the machine's own network", "宿主机终端还在机器自己的网络里").into()
            }
            Spot::Far => lang.pick("no cable leads to a third network", "没有网线通向第三个网络").into(),
        }
    }

    /// The fact holds where what is seen of a network reads as what is wanted.
    fn in_network(&self, spot: Spot, wanted: String, seen: impl FnOnce(&Network) -> String) -> Verdict {
        match self.network(spot) {
            Ok(network) => Verdict::equal(wanted, seen(network)),
            Err(why) => Verdict::new(false, wanted, why),
        }
    }

    /// The same of an interface.
    fn link(&self, spot: Spot, name: &str, wanted: String, seen: impl FnOnce(&Network, &Link) -> String) -> Verdict {
        self.in_network(spot, wanted, |network| match find(network, name) {
            Some(link) => seen(network, link),
            None => format!("{name}: {}", absent(self.lang)),
        })
    }

    fn state(&self, net: Spot, name: &str, state: LinkState) -> Verdict {
        let none = format!("{name}: {}", absent(self.lang));
        let up = |up: bool| format!("{name}: {}", if up { "UP" } else { "DOWN" });
        let carrier = |on: bool| format!("{name}: {}", if on { "LOWER_UP" } else { "NO-CARRIER" });
        match state {
            LinkState::Up(wanted) => self.link(net, name, up(wanted), |_, link| up(link.up)),
            LinkState::Carrier(wanted) => self.link(net, name, carrier(wanted), |_, link| carrier(link.carrier)),
            LinkState::Absent => self.link(net, name, none, |_, link| up(link.up)),
        }
    }

    fn cable(&self, [(here, name), (there, other)]: &[(Spot, String); 2]) -> Verdict {
        let lang = self.lang;
        let word = |end: &str| format!("{name} ⇄ {end}");
        let wanted = word(&format!("{other} ({there})"));
        let other_network = match self.network(*there) {
            Ok(network) => network,
            Err(why) => return Verdict::new(false, wanted, why),
        };
        let same = wanted.clone();
        self.link(*here, name, wanted, |_, link| match self.networks.and_then(|networks| networks.other_end(link)) {
            Some((network, end)) if network.inode == other_network.inode && end.name == *other => same,
            Some((network, end)) if network.inode == other_network.inode => word(&format!("{} ({there})", end.name)),
            Some((_, end)) => {
                let elsewhere = lang.pick("elsewhere", "别处");
                word(&format!("{} ({elsewhere})", end.name))
            }
            None => lang.pick(format!("{name} is not an end of a cable"), format!("{name} 不是网线的一端")),
        })
    }

    fn address(&self, net: Spot, name: &str, wanted: Option<&str>) -> Verdict {
        let none = self.lang.pick("no IPv4 address", "没有 IPv4 地址");
        let word = |address: &str| format!("{name}: {address}");
        self.link(net, name, word(wanted.unwrap_or(none)), |_, link| {
            let v4: Vec<&str> = link.addresses.iter().map(String::as_str).filter(|it| !it.contains(':')).collect();
            match wanted {
                Some(wanted) if v4.contains(&wanted) => word(wanted),
                _ if v4.is_empty() => word(none),
                _ => word(&v4.join(", ")),
            }
        })
    }

    fn route(&self, net: Spot, to: &str, towards: &Towards) -> Verdict {
        let none = self.lang.pick("no route", "没有路由");
        let word = |how: &str| format!("{to}: {how}");
        let how = |route: &Route| match &route.via {
            Some(via) => format!("via {via}"),
            None if route.refuses.is_empty() => format!("dev {}", route.out),
            None => route.refuses.clone(),
        };
        let wanted = word(&match towards {
            Towards::Via(hop) => format!("via {hop}"),
            Towards::Out(name) => format!("dev {name}"),
            Towards::None => none.into(),
        });
        let same = wanted.clone();
        self.in_network(net, wanted, |network| {
            let v6 = |route: &&Route| route.via.iter().chain([&route.to]).any(|text| text.contains(':'));
            let found: Vec<&Route> = network.routes.iter().filter(|route| route.to == to && !v6(route)).collect();
            let leads = |route: &&Route| match towards {
                Towards::Via(hop) => route.via.as_ref() == Some(hop),
                Towards::Out(name) => route.via.is_none() && route.refuses.is_empty() && route.out == *name,
                Towards::None => false,
            };
            match found.as_slice() {
                [] => word(none),
                found if found.iter().any(leads) => same,
                [first, ..] => word(&how(first)),
            }
        })
    }

    fn neighbour(&self, net: Spot, ip: &str, answers: bool) -> Verdict {
        let lang = self.lang;
        let word = |answers: bool| {
            let how = if answers {
                lang.pick("has answered", "已应答")
            } else {
                lang.pick("does not answer", "没有应答")
            };
            format!("{ip} {how}")
        };
        self.in_network(net, word(answers), |network| {
            match network.neighbours.iter().find(|neighbour| neighbour.ip == ip) {
                Some(neighbour) if neighbour.state == "FAILED" => word(false),
                Some(neighbour) if !neighbour.address.is_empty() => word(true),
                Some(neighbour) => format!("{ip} {}", neighbour.state),
                None => format!("{ip} {}", lang.pick("was not asked for", "还没有问过")),
            }
        })
    }

    fn counter(&self, net: Spot, counter: Counted, some: bool) -> Verdict {
        let name = counter.name();
        let wanted = if some { format!("{name} ≥ 1") } else { format!("{name} 0") };
        let network = match self.network(net) {
            Ok(network) => network,
            Err(why) => return Verdict::new(false, wanted, why),
        };
        let counted = match counter {
            Counted::Forwarded => network.packets.forwarded,
            Counted::WrongAddress => network.packets.wrong_address,
        };
        match counted {
            Some(counted) => Verdict::new((counted > 0) == some, wanted, format!("{name} {counted}")),
            None => Verdict::unread(wanted, self.lang),
        }
    }

    fn connected(
        &self,
        connect: &Connect,
        reply: &Reply,
        seen: Option<&str>,
        at: Option<Spot>,
        sample: &Sample,
    ) -> Verdict {
        let lang = self.lang;
        let silence = lang.pick("no answer", "没有回应");
        let end = |how: &str, seen: Option<&str>, at: Option<String>| {
            let seen = seen.map(|ip| lang.pick(format!(", as {ip}"), format!("，来自 {ip}"))).unwrap_or_default();
            let at =
                at.map(|place| lang.pick(format!(", taken {place}"), format!("，由 {place} 接受"))).unwrap_or_default();
            format!("{}:{} {how}{seen}{at}", connect.ip, connect.port)
        };
        let wanted_end = match reply {
            Reply::Silence => silence.to_string(),
            Reply::Ends(Outcome::Ok) => "ok".into(),
            Reply::Ends(Outcome::Failed(errno)) => errno.clone(),
        };
        let wanted = end(&wanted_end, seen, at.map(|spot| spot.to_string()));
        if let Err(why) = self.network(connect.from) {
            return Verdict::new(false, wanted, why);
        }
        let Some(reached) = sample.reached.iter().find(|reached| reached.is_of(connect)) else {
            return Verdict::unread(wanted, lang);
        };
        let how = match reached.errno.as_deref() {
            None => "ok",
            Some("ETIMEDOUT") => silence,
            Some(errno) => errno,
        };
        // Where only one place is asked for, the others have no name.
        let place = |inode: u64| match at.map(|at| self.network(at)) {
            Some(Ok(network)) if network.inode == inode => at.map(|spot| spot.to_string()).unwrap_or_default(),
            _ => lang.pick("elsewhere", "别处").into(),
        };
        let unknown = || lang.pick("nowhere that can be seen", "看不到的地方").to_string();
        let taken = at.filter(|_| how == "ok").map(|_| reached.at.map_or_else(unknown, place));
        let client = seen.filter(|_| how == "ok").map(|_| reached.seen_as.as_deref().unwrap_or("?"));
        Verdict::equal(wanted, end(how, client, taken))
    }
}

/// A name server that the container asks knows a name.
fn resolves(name: &str, ip: Ipv4Addr, sample: &Sample, lang: Lang) -> Verdict {
    let wanted = format!("{name} → {ip}");
    let Some(resolved) = sample.resolved.iter().find(|resolved| resolved.name == name) else {
        return Verdict::unread(wanted, lang);
    };
    let server = &resolved.server;
    let how = match (&resolved.address, resolved.why.as_deref()) {
        (Some(address), _) if *address == ip.to_string() => return Verdict::new(true, wanted.clone(), wanted),
        (Some(address), _) => format!("{name} → {address}"),
        (None, Some("ETIMEDOUT")) => lang.pick("no answer", "没有回应").into(),
        (None, why) => why.unwrap_or("?").into(),
    };
    Verdict::new(false, wanted, lang.pick(format!("{how}, asking {server}"), format!("{how}（问的是 {server}）")))
}

fn find<'a>(network: &'a Network, name: &str) -> Option<&'a Link> {
    network.interfaces.iter().find(|link| link.name == name)
}

#[cfg(test)]
#[path = "networks_tests.rs"]
mod tests;
