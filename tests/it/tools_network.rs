//! ip beside the distribution's in network namespaces of their own, and nc over the loopback.

use crate::harness::{Test, tests};
use crate::support::tools::{inside, run, text};
use crate::support::{ours, theirs};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, Stdio},
};

pub fn tests() -> Vec<Test> {
    tests![
        ip_shows_what_iproute2_shows: [Root, Tool("ip")],
        lo_goes_up_and_down: [Root],
        nc_carries_bytes_both_ways,
        nc_names_an_address_in_use,
        nc_says_that_a_name_is_not_known: [Root],
    ]
}

fn ip_shows_what_iproute2_shows() {
    let bin = ours();
    let real = theirs("ip").display().to_string();
    for show in ["addr", "a", "link", "link show lo", "address show dev lo", "-4 addr", "-6 a"] {
        // Both look at the same network namespace, with lo up and a pair of cables where the kernel has them.
        let script = format!(
            "{real} link add v0 type veth peer name v1 2>/dev/null && {real} link set v0 up && {real} link set v1 up && \
             {real} addr add 10.1.2.3/24 dev v0; ip link set lo up || exit 9; \
             {real} {show}; echo ---; ip {show}; echo ---; {real} {show}",
        );
        // The kernel tells the state of a cable a moment after it has changed: what theirs shows before and after ours
        // must be the same.
        let settled = (0..20).find_map(|_| {
            let output = inside("-mnp", &script, Some(bin.path()));
            let all = text(&output.stdout);
            let [before, mine, after] = all.split("---\n").collect::<Vec<_>>()[..] else {
                panic!("{}", text(&output.stderr))
            };
            (plain(before) == plain(after)).then(|| (plain(mine), plain(after)))
        });
        let (mine, other) = settled.unwrap_or_else(|| panic!("{show}: theirs never shows the same twice"));
        assert_eq!(mine, other, "{show}");
        assert!(mine[0].contains("lo"), "{show}: {mine:?}");
    }
}

/// The lines without what differs from moment to moment or from version to version: an IPv6 address is tentative at
/// first, and newer versions add who made it.
fn plain(text: &str) -> Vec<String> {
    let line =
        |line: &str| line.replace(" tentative", "").replace(" proto kernel_lo", "").replace(" proto kernel_ll", "");
    text.lines().map(|text| line(text).trim_end().to_string()).collect()
}

fn lo_goes_up_and_down() {
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

fn nc_names_an_address_in_use() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let output = run(&ours().path().join("nc"), &["-l", "127.0.0.1", &port]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("(EADDRINUSE)"), "{}", text(&output.stderr));
}

fn nc_says_that_a_name_is_not_known() {
    // In an empty network no server answers, and no call has failed that could have an errno.
    let output = inside("-n", "nc -z -w 1 db.box 80", Some(ours().path()));
    let said = text(&output.stderr);
    assert!(said.starts_with("nc: db.box 80: failed to lookup address"), "{said}");
    assert_eq!(output.status.code(), Some(1));
}
