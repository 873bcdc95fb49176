//! The network namespaces of a session, with ip(8) as the other side.

use crate::{
    harness::{Test, tests},
    support::BOXWRIGHT,
};
use boxwright::kernel::pid::Pid;
use boxwright::observe::{Extra, Link, Network, Networks, Reader, Subject};
use serde_json::Value;
use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
};

pub fn tests() -> Vec<Test> {
    tests![
        both_ends_of_a_cable_are_known: [Root, Tool("ip"), Tool("bash")],
        inspect_follows_a_cable_from_the_process: [Root, Tool("ip"), Tool("bash")],
        a_bridge_routes_neighbours_and_counters_are_read: [Root, Tool("ip"), Tool("bash")],
        a_namespace_with_a_name_needs_no_process: [Root, Tool("ip"), Tool("bash")],
        networks_are_not_read_where_they_are_not_asked_for: [Tool("bash")],
        namespaces_of_user_namespaces_are_entered_from_outside: [Root, Tool("ip"), Tool("setpriv"), Tool("bash")],
    ]
}

/// A shell that plays the host, in namespaces of its own.
struct Shell {
    child: Child,
    input: ChildStdin,
    output: BufReader<std::process::ChildStdout>,
}

impl Shell {
    fn start(command: &[&str]) -> Shell {
        let mut child =
            Command::new(command[0]).args(&command[1..]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (input, output) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        Shell { child, input, output }
    }

    fn run(&mut self, line: &str) -> String {
        writeln!(self.input, "{line}\necho .done").unwrap();
        let mut all = String::new();
        loop {
            let mut line = String::new();
            assert!(self.output.read_line(&mut line).unwrap() > 0, "it ended after {all:?}");
            if line == ".done\n" {
                return all;
            }
            all += &line;
        }
    }

    fn pid(&self) -> i32 {
        self.child.id() as i32
    }

    fn networks(&self) -> Networks {
        networks_of(self.pid())
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        // Its children end with their input.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The namespaces of the session that begins with this process.
fn networks_of(pid: i32) -> Networks {
    let mut reader = reader();
    reader.look_at(Extra { networks: true, ..Extra::default() });
    reader.read(Subject::Below(Pid(pid), None)).0.networks.unwrap()
}

fn reader() -> Reader {
    Reader::new(Path::new("/proc"), Path::new(env!("CARGO_BIN_EXE_boxwright")))
}

fn link<'a>(network: &'a Network, name: &str) -> &'a Link {
    let found = network.interfaces.iter().find(|link| link.name == name);
    found.unwrap_or_else(|| panic!("{name}: {network:#?}"))
}

/// Begins a process in a new network namespace below the shell, and waits until it is there; its PID is `$A` there.
fn member(shell: &mut Shell, name: &str) -> i32 {
    let begin = "coproc unshare -n sh -c 'echo here; exec cat'; read -u \"${COPROC[0]}\" here";
    shell.run(&format!("{begin}; {name}=$COPROC_PID; eval \"exec 7<&${{COPROC[0]}} 8>&${{COPROC[1]}}\""));
    shell.run(&format!("echo ${name}")).trim().parse().unwrap()
}

fn of(networks: &Networks, pid: i32) -> &Network {
    let has = |network: &&Network| network.processes.iter().any(|member| member.pid == Pid(pid));
    networks.all.iter().find(has).unwrap_or_else(|| panic!("{pid}: {networks:#?}"))
}

fn inspect_follows_a_cable_from_the_process() {
    let mut shell = Shell::start(&["unshare", "-n", "bash"]);
    let a = member(&mut shell, "A");
    let before = shell.run(&format!("{BOXWRIGHT} inspect $A --lang en"));
    assert!(before.contains("\n  container: network namespace ") && before.contains("route: none"), "{before}");
    assert!(!before.contains("\n  host: network namespace"), "no cable leads there: {before}");
    shell.run("ip link add v0 index 7 type veth peer name eth0 index 3 netns $A");
    shell.run("ip addr add 10.1.0.1/24 dev v0; ip link set v0 up; nsenter -t $A -n ip link set eth0 up");
    shell.run("nsenter -t $A -n ip addr add 10.1.0.2/24 dev eth0; nsenter -t $A -n ip route add default via 10.1.0.1");
    let said = shell.run(&format!("{BOXWRIGHT} inspect $A --lang en"));
    for line in
        ["    3 eth0 UP, 10.1.0.2/24, leads to v0 in host\n", "    7 v0 UP, 10.1.0.1/24, leads to eth0 in container\n"]
    {
        assert!(said.contains(line), "{line}: {said}");
    }
    assert!(said.contains("    route: default via 10.1.0.1 dev eth0\n") && said.contains("\nNetwork\n"), "{said}");
    let chinese = shell.run(&format!("{BOXWRIGHT} inspect $A --lang zh"));
    assert!(chinese.contains("\n网络\n") && chinese.contains("    路由：default via 10.1.0.1 dev eth0\n"), "{chinese}");
    let event: Value = serde_json::from_str(&shell.run(&format!("{BOXWRIGHT} inspect $A --json"))).unwrap();
    let networks: Networks = serde_json::from_value(event["networks"].clone()).unwrap();
    let own = of(&networks, a);
    assert!(own.container && networks.all.len() == 2, "{networks:#?}");
    assert_eq!(networks.other_end(link(own, "eth0")).map(|(network, end)| (network.host, end.index)), Some((true, 7)));
}

fn both_ends_of_a_cable_are_known() {
    let mut shell = Shell::start(&["unshare", "-n", "bash"]);
    let a = member(&mut shell, "A");
    shell.run("ip link add v0 index 7 type veth peer name eth0 index 3 netns $A; ip addr add 10.1.0.1/24 dev v0");
    shell.run("ip link set v0 up");
    let networks = shell.networks();
    let (host, inside) = (of(&networks, shell.pid()), of(&networks, a));
    assert!(networks.all[0].host && host.inode != networks.all[0].inode);
    assert_eq!(networks.all.iter().filter(|network| network.unread.is_some()).count(), 0, "{networks:#?}");
    let (v0, eth0) = (link(host, "v0"), link(inside, "eth0"));
    assert_eq!((v0.index, eth0.index, v0.kind.as_str()), (7, 3, "veth"));
    assert_eq!(networks.other_end(v0).map(|(network, link)| (network.inode, link)), Some((inside.inode, eth0)));
    assert_eq!(networks.other_end(eth0).map(|(network, link)| (network.inode, link)), Some((host.inode, v0)));
    assert_eq!((v0.up, v0.carrier, eth0.up), (true, false, false));
    assert_eq!(v0.addresses, ["10.1.0.1/24"]);
    shell.run("nsenter -t $A -n ip link set eth0 up");
    let networks = shell.networks();
    assert!(link(of(&networks, a), "eth0").carrier && link(of(&networks, shell.pid()), "v0").carrier);
    // The same number on both ends, as two new namespaces give it.
    shell.run("ip link add w0 index 9 type veth peer name w1 index 9 netns $A");
    let networks = shell.networks();
    let other = networks.other_end(link(of(&networks, a), "w1")).unwrap();
    assert_eq!((other.0.inode, other.1.name.as_str()), (of(&networks, shell.pid()).inode, "w0"));
}

fn a_bridge_routes_neighbours_and_counters_are_read() {
    let mut shell = Shell::start(&["unshare", "-n", "bash"]);
    let a = member(&mut shell, "A");
    // Nothing is sent unasked.
    let quiet = "echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6";
    shell.run(&format!("{quiet}; nsenter -t $A -n sh -c '{quiet}'"));
    shell.run("ip link add br0 type bridge; ip link set br0 up; ip addr add 10.1.0.1/24 dev br0");
    shell.run("ip link add va type veth peer name eth0 netns $A; ip link set va master br0 up");
    shell.run("NA=\"nsenter -t $A -n\"; $NA ip addr add 10.1.0.2/24 dev eth0; $NA ip link set eth0 up");
    shell.run("$NA ip route add default via 10.1.0.1; ip route add unreachable 10.7.0.0/16");
    // The connection is refused, which needs an answer.
    let connect = "(: < /dev/tcp/10.1.0.2/9) 2>/dev/null";
    shell.run(&format!("echo 1 > /proc/sys/net/ipv4/ip_forward; {connect}"));
    let networks = shell.networks();
    let (host, inside) = (of(&networks, shell.pid()), of(&networks, a));
    let (bridge, port, eth0) = (link(host, "br0"), link(host, "va"), link(inside, "eth0"));
    assert_eq!((bridge.kind.as_str(), port.master), ("bridge", Some(bridge.index)));
    assert!(port.learned.contains(&eth0.address), "{port:?} {eth0:?}");
    let said = |network: &Network| -> Vec<String> {
        let v4 = network.routes.iter().filter(|route| !route.to.contains(':'));
        v4.map(|it| format!("{} {} {} {}", it.refuses, it.to, it.via.as_deref().unwrap_or("-"), it.out)).collect()
    };
    assert_eq!(said(inside), [" default 10.1.0.1 eth0", " 10.1.0.0/24 - eth0"]);
    assert_eq!(said(host), [" 10.1.0.0/24 - br0", "unreachable 10.7.0.0/16 - "]);
    assert!(host.routes[0].kernel && !inside.routes[0].kernel);
    let neighbour = host.neighbours.iter().find(|neighbour| neighbour.ip == "10.1.0.2").unwrap();
    assert_eq!((neighbour.out.as_str(), neighbour.address.as_str()), ("br0", eth0.address.as_str()));
    assert_eq!(host.forwards, Some(true));
    // What one end sends, the other receives; ip(8) says the same.
    assert!(eth0.sent.packets > 0 && port.received.packets > 0);
    shell.run(&format!("{connect}; {connect}; {connect}"));
    let later = shell.networks();
    let moved = link(of(&later, a), "eth0").received.packets - eth0.received.packets;
    assert!(moved >= 3, "{moved}");
    let pid = shell.pid();
    let mut told = || -> u64 {
        let told: serde_json::Value = serde_json::from_str(&shell.run("$NA ip -s -j link show eth0")).unwrap();
        told[0]["stats64"]["rx"]["bytes"].as_u64().unwrap()
    };
    let before = told();
    let ours = link(of(&networks_of(pid), a), "eth0").received.bytes;
    assert!((before..=told()).contains(&ours), "{before}, {ours}");
}

fn a_namespace_with_a_name_needs_no_process() {
    let mut shell = Shell::start(&["unshare", "-nm", "bash"]);
    shell.run("mkdir -p /run/netns && mount -t tmpfs names /run/netns && ip netns add lonely");
    shell.run("ip link add v0 type veth peer name e0 netns lonely");
    let networks = shell.networks();
    let lonely = networks.all.iter().find(|network| network.names == ["lonely"]).unwrap();
    assert!(lonely.processes.is_empty() && lonely.unread.is_none(), "{lonely:?}");
    let end = networks.other_end(link(lonely, "e0")).unwrap();
    assert_eq!((end.0.inode, end.1.name.as_str()), (of(&networks, shell.pid()).inode, "v0"));
}

fn networks_are_not_read_where_they_are_not_asked_for() {
    let shell = Shell::start(&["bash"]);
    assert_eq!(reader().read(Subject::Below(Pid(shell.pid()), None)).0.networks, None);
    let all = shell.networks().all;
    assert!(all[0].host && all[0].interfaces.iter().any(|link| link.name == "lo"), "{all:?}");
}

/// An ordinary user's session: a user namespace, in it one more, each with a network.
fn namespaces_of_user_namespaces_are_entered_from_outside() {
    let user = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"];
    let mut shell = Shell::start(&[&user[..], &["unshare", "-Urn", "bash"]].concat());
    shell.run("coproc unshare -Urn sh -c 'echo here; exec cat'; read -u \"${COPROC[0]}\" here; A=$COPROC_PID");
    shell.run("ip link add v0 type veth peer name eth0 netns $A");
    let a: i32 = shell.run("echo $A").trim().parse().unwrap();
    let networks = shell.networks();
    let (host, inside) = (of(&networks, shell.pid()), of(&networks, a));
    let end = networks.other_end(link(inside, "eth0")).unwrap();
    assert_eq!((end.0.inode, end.1.name.as_str()), (host.inode, "v0"));
    // As that user: who has entered the outer user namespace can enter what is in it, and cannot come back out.
    let asked = |first: i32, second: i32| -> Vec<(u64, String)> {
        let file = |pid: i32| format!("/proc/{pid}/ns/net");
        let asker = Command::new(user[0])
            .args(&user[1..])
            .args([env!("CARGO_BIN_EXE_boxwright"), "__ns-helper", "networks", "2", &file(first), &file(second)])
            .output()
            .unwrap();
        let told: serde_json::Value = serde_json::from_slice(&asker.stdout).unwrap();
        let row = |row: &serde_json::Value| {
            (row["inode"].as_u64().unwrap(), row["network"]["unread"].as_str().unwrap_or("read").to_string())
        };
        told.as_array().unwrap().iter().map(row).collect()
    };
    let (read, refused) = ("read".to_string(), "setns: EPERM".to_string());
    assert_eq!(asked(shell.pid(), a), [(host.inode, read.clone()), (inside.inode, read.clone())]);
    assert_eq!(asked(a, shell.pid()), [(inside.inode, read), (host.inode, refused)]);
}
