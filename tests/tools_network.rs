//! ip beside the distribution's in network namespaces of their own, and nc over the loopback.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers outside #[test] functions are tests too")]

mod support;
#[path = "support/tools.rs"]
mod tools;

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, Stdio},
};
use support::{not_root, ours, theirs};
use tools::{inside, run, text};

#[test]
fn ip_shows_what_iproute2_shows() {
    if not_root("ip inside") || theirs("ip").is_none() {
        return;
    }
    let bin = ours();
    for show in ["ip addr", "ip a", "ip link", "ip link show lo", "ip address show dev lo", "ip -4 addr", "ip -6 a"] {
        let real = theirs("ip").unwrap();
        // Both look at the same network namespace, with lo up and a pair of cables where the kernel has them.
        let script = format!(
            "{0} link add v0 type veth peer name v1 2>/dev/null && {0} link set v0 up && {0} link set v1 up && \
             {0} addr add 10.1.2.3/24 dev v0; ip link set lo up || exit 9; {show}; echo ---; {0} {1}",
            real.display(),
            show.trim_start_matches("ip "),
        );
        let output = inside("-mnp", &script, Some(bin.path()));
        let all = text(&output.stdout);
        let (mine, other) = all.split_once("---\n").unwrap_or_else(|| panic!("{}", text(&output.stderr)));
        // An IPv6 address is tentative for a moment, and newer versions add who made it.
        let plain = |text: &str| {
            let line = |line: &str| {
                line.replace(" tentative", "").replace(" proto kernel_lo", "").replace(" proto kernel_ll", "")
            };
            text.lines().map(|text| line(text).trim_end().to_string()).collect::<Vec<_>>()
        };
        assert_eq!(plain(mine), plain(other), "{show}");
        assert!(mine.contains("lo"), "{show}: {mine}");
    }
}

#[test]
fn lo_goes_up_and_down() {
    if not_root("lo up") {
        return;
    }
    let bin = ours();
    let script = "ip a; echo --; ip link set lo up; ip a; echo --; ip link set dev lo down; ip a";
    let output = inside("-mnp", script, Some(bin.path()));
    let all = text(&output.stdout);
    let parts: Vec<&str> = all.split("--\n").collect();
    let [new, up, down] = parts.as_slice() else { panic!("{output:?}") };
    assert!(new.contains("lo: <LOOPBACK> ") && new.contains("state DOWN") && !new.contains("inet"), "{new}");
    assert!(up.contains("lo: <LOOPBACK,UP,LOWER_UP> ") && up.contains("inet 127.0.0.1/8 scope host lo"), "{up}");
    assert!(down.contains("lo: <LOOPBACK> "), "{down}");
}

/// A listener, ended when it is dropped.
struct Listener(Child);

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn nc_carries_bytes_both_ways() {
    let (bin, port) = (ours(), free_port());
    for args in [vec!["-lv", "127.0.0.1"], vec!["-lv", "-p"]] {
        let mut command = Command::new(bin.path().join("nc"));
        command.args(args).arg(port.to_string()).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut nc = Listener(command.spawn().unwrap());
        let mut said = String::new();
        BufReader::new(nc.0.stderr.take().unwrap()).read_line(&mut said).unwrap();
        assert!(said.starts_with("Listening on ") && said.ends_with(&format!(" {port}\n")), "{said}");
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        nc.0.stdin.as_mut().unwrap().write_all(b"to you\n").unwrap();
        let mut line = String::new();
        BufReader::new(stream.try_clone().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "to you\n");
        stream.write_all(b"to me\n").unwrap();
        drop(stream);
        let mut got = String::new();
        nc.0.stdout.take().unwrap().read_to_string(&mut got).unwrap();
        assert_eq!((got.as_str(), nc.0.wait().unwrap().code()), ("to me\n", Some(0)));
    }
}

#[test]
fn nc_names_an_address_in_use() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let output = run(&ours().path().join("nc"), &["-l", "127.0.0.1", &port]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("(EADDRINUSE)"), "{}", text(&output.stderr));
}
