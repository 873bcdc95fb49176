//! Two more tutorials that everybody meets, typed into the lab as they are printed: a container in fifteen lines of bash, and
//! network namespaces with ip(8) and the older ifconfig(8). What a line would do to the machine itself is asked about and, once
//! allowed, done; in the end the machine is as before.

use crate::harness::{Test, tests};
use crate::support::{BOXWRIGHT, client::image, host, tmux::Tmux};
use crate::tui_tutorial::sudo;
use crate::tui_typing::bar;
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

pub fn tests() -> Vec<Test> {
    let tests = tests![
        a_container_in_fifteen_lines_is_made: [
            Root, Tool("tmux"), Tool("bash"), Tool("fish"), Tool("tar"), Controller("cpuacct"), Controller("memory")
        ],
        network_namespaces_are_made_and_joined: [
            Root, Tool("tmux"), Tool("unshare"), Tool("ip"), Tool("ifconfig"), Tool("route"), Tool("iptables"), Tool("ping")
        ],
    ];
    tests.into_iter().map(Test::alone).collect()
}

/// The lab on a screen that shows the terminal, the calls and a question at once.
fn lab(before: &str) -> Tmux {
    let tmux = Tmux::start(160, 60);
    let state = tmux.file("state");
    let home = tmux.file("home");
    fs::create_dir(&home).unwrap();
    let (state, home) = (state.display(), home.display());
    tmux.line(&before.replace("LAB", &format!("env HOME={home} XDG_STATE_HOME={state} {BOXWRIGHT} lab --lang en")));
    tmux.sees("lab keys");
    tmux
}

/// The rows of the terminal that is in front, without its borders.
fn terminal(screen: &str) -> Vec<String> {
    let rows = screen.lines().skip(2).take_while(|row| !row.contains('╰'));
    rows.map(|row| row.rsplit('│').nth(1).unwrap_or_default().trim().to_string()).collect()
}

/// Types a line and waits until the terminal shows `seen` and then a prompt.
fn types(tmux: &Tmux, line: &str, seen: &str) {
    tmux.line(line);
    prompt(tmux, line, seen);
}

/// Waits until the terminal has shown `seen` after the line, and asks for another.
fn prompt(tmux: &Tmux, line: &str, seen: &str) {
    let typed: String = line.chars().take(40).collect();
    tmux.until(line, |screen| {
        let rows = terminal(screen);
        let from = rows.iter().rposition(|row| row.contains(&typed));
        let after = from.map(|from| rows[from + 1..].iter().filter(|row| !row.is_empty()).collect::<Vec<_>>());
        after.is_some_and(|after| {
            let (last, before) = after.split_last().map_or(("", &[][..]), |(last, before)| (last.as_str(), before));
            last == "$" && (seen.is_empty() || before.iter().any(|row| row.contains(seen)))
        })
    });
}

fn quit(tmux: &Tmux) {
    tmux.press(&["C-g"], "the lab's keys", |screen| bar(screen).contains("q quit"));
    tmux.keys(&["q"]);
    tmux.until("the end", |screen| screen.trim_end().ends_with("ready>"));
}

/// Every control group of that name, in any hierarchy.
fn groups() -> BTreeSet<PathBuf> {
    let hierarchies = fs::read_dir("/sys/fs/cgroup").into_iter().flatten().flatten().map(|entry| entry.path());
    let all = hierarchies.flat_map(|dir| fs::read_dir(dir).into_iter().flatten().flatten());
    let named = all.filter(|entry| entry.file_name().to_string_lossy().starts_with("cgroup_"));
    named.map(|entry| entry.path()).collect()
}

/// The archive that the tutorial downloads: a small system with fish(1), its libraries and its functions.
fn archive(file: &Path) {
    let top = image();
    let root = top.path().join("root");
    let run = |program: &str, args: &[&str]| {
        let done = Command::new(program).args(args).output().unwrap();
        assert!(done.status.success(), "{program} {args:?}: {done:?}");
        String::from_utf8(done.stdout).unwrap()
    };
    let to = root.to_str().unwrap();
    run(BOXWRIGHT, &["image", "unpack", "builtin:", to]);
    let libraries = run("ldd", &["/usr/bin/fish"]);
    let libraries = libraries.split_whitespace().filter(|word| word.starts_with('/'));
    let kept = ["/usr/bin/fish", "/usr/share/fish", "/lib/terminfo"];
    let kept: Vec<&str> = libraries.chain(kept).filter(|path| Path::new(path).exists()).collect();
    // -h: a library is named by a link.
    let packed = top.path().join("fish.tar");
    let packed = packed.to_str().unwrap();
    let names: Vec<&str> = kept.iter().map(|path| path.trim_start_matches('/')).collect();
    run("tar", &[&["-chf", packed, "-C", "/"], names.as_slice()].concat());
    run("tar", &["-xf", packed, "-C", to]);
    run("tar", &["-cf", file.to_str().unwrap(), "-C", to, "."]);
}

fn a_container_in_fifteen_lines_is_made() {
    let before = (host(), groups());
    let tmux = lab("LAB");
    let fish = tmux.file("fish.tar");
    archive(&fish);
    // The tutorial's first line is `wget bit.ly/fish-container -O fish.tar`: here the archive comes from the disk.
    types(&tmux, &format!("cp {} fish.tar", fish.display()), "");
    types(&tmux, "mkdir container-root; cd container-root", "");
    types(&tmux, "tar -xf ../fish.tar", "");
    types(&tmux, r#"cgroup_id="cgroup_$(shuf -i 1000-2000 -n 1)""#, "");
    let sudo = sudo();
    types(&tmux, &format!(r#"{sudo}cgcreate -g "cpu,cpuacct,memory:$cgroup_id""#), "");
    types(&tmux, &format!(r#"{sudo}cgset -r cpu.shares=512 "$cgroup_id""#), "");
    types(&tmux, &format!(r#"{sudo}cgset -r memory.limit_in_bytes=1000000000 "$cgroup_id""#), "");
    let made: Vec<PathBuf> = groups().difference(&before.1).cloned().collect();
    assert!(made.len() >= 3, "{made:?}");
    let limit = made.iter().find_map(|dir| fs::read_to_string(dir.join("memory.limit_in_bytes")).ok()).unwrap();
    assert_eq!(limit.trim(), (1_000_000_000 / 4096 * 4096).to_string());
    let shares = made.iter().find_map(|dir| fs::read_to_string(dir.join("cpu.shares")).ok()).unwrap();
    assert_eq!(shares.trim(), "512");
    // One command on several rows, as it is printed.
    for row in [
        &format!(r#"{sudo}cgexec -g "cpu,cpuacct,memory:$cgroup_id" \"#),
        r"    unshare -fmuipn --mount-proc \",
        r#"    chroot "$PWD" \"#,
        r#"    /bin/sh -c "/bin/mount -t proc proc /proc && hostname container-fun-times && /usr/bin/fish""#,
    ] {
        tmux.line(row);
    }
    let fishs = |screen: &str| terminal(screen).iter().rfind(|row| !row.is_empty()).cloned().unwrap_or_default();
    tmux.until("fish's prompt", |screen| {
        fishs(screen).contains("container-fun-times /#") && screen.contains("[■ isolated][■ own root][■ limited]")
    });
    // "Here are some fun things to try."
    tmux.line("ps aux");
    let screen = tmux.until("the processes", |screen| screen.contains("ps aux") && screen.matches("pts/").count() > 2);
    let listed = terminal(&screen).iter().filter(|row| row.starts_with("root ")).count();
    assert_eq!(listed, 3, "sh, fish and ps:\n{screen}");
    tmux.line("hostname");
    tmux.until("its name", |screen| terminal(screen).iter().any(|row| row == "container-fun-times"));
    tmux.line("exit");
    tmux.until("the end of the container", |screen| fishs(screen) == "$" && screen.contains("[□ isolated]"));
    quit(&tmux);
    assert_eq!((host(), groups()), before, "what was made by hand is gone");
}

/// Waits for the question about a call, of which so many are listed as done, and allows it.
fn allows(tmux: &Tmux, call: &str, done: usize) {
    tmux.until(&format!("the question about {call}"), |screen| {
        let question: Vec<&str> = screen.lines().skip_while(|row| !row.contains("╭ The machine itself ─")).collect();
        let end = question.iter().position(|row| row.contains("Y  let it happen: it stays when the session has ended"));
        let asks = end.is_some_and(|end| question[..end].iter().any(|row| row.contains(call)));
        let listed = screen.lines().filter(|row| row.split('│').nth(1).is_some_and(|row| row.contains(call)));
        asks && listed.count() == done
    });
    tmux.keys(&["Y"]);
}

/// Types a line, allows these calls in this order, and waits for the prompt.
fn allowed(tmux: &Tmux, line: &str, calls: &[&str]) {
    tmux.line(line);
    for (index, call) in calls.iter().enumerate() {
        allows(tmux, call, calls[..index].iter().filter(|before| before == &call).count());
    }
    prompt(tmux, line, "");
}

fn network_namespaces_are_made_and_joined() {
    let before = host();
    // A machine of its own, with /run in memory as everywhere: `ip netns` keeps its names there.
    let inside = "mount -t tmpfs run /run; LAB; echo left: $(ls /run/netns) $(ls /sys/class/net) \
                  $(grep -c \" /run/netns \" /proc/self/mountinfo) $(grep -c netns1 /proc/self/mountinfo)";
    let tmux = lab(&format!("unshare -mn --propagation private sh -c 'mount -t sysfs sysfs /sys; {inside}'"));
    let shared = r#"mount("", "/run/netns""#;
    let held = [shared, r#"mount("/run/netns", "/run/netns""#, shared, r#"mount("/proc/self/ns/net""#];
    allowed(&tmux, "ip netns add netns1", &held);
    types(&tmux, "ip netns exec netns1 ip link list", "lo: <LOOPBACK> ");
    types(&tmux, "ip netns exec netns1 ping 127.0.0.1", "Network is unreachable");
    types(&tmux, "ip netns exec netns1 ip link set dev lo up", "");
    tmux.line("ip netns exec netns1 ping 127.0.0.1");
    answered(&tmux, "127.0.0.1");
    allowed(&tmux, "ip link add veth0 type veth peer name veth1", &[r#"RTM_NEWLINK, ifname="veth0""#]);
    allowed(&tmux, "ip link set veth1 netns netns1", &["net_ns_fd="]);
    // In a network of its own it is told, and not asked about.
    types(&tmux, "ip netns exec netns1 ifconfig veth1 10.1.1.1/24 up", "");
    tmux.until("the address", |screen| calls(screen).contains(r#"SIOCSIFADDR, {ifname="veth1", address="10.1.1.1"}"#));
    let flags = r#"SIOCSIFFLAGS, {ifname="veth0""#;
    let asked = [r#"SIOCSIFADDR, {ifname="veth0""#, flags, flags, r#"SIOCSIFNETMASK, {ifname="veth0""#];
    allowed(&tmux, "ifconfig veth0 10.1.1.2/24 up", &asked);
    tmux.line("ping 10.1.1.1");
    answered(&tmux, "10.1.1.1");
    tmux.line("ip netns exec netns1 ping 10.1.1.2");
    answered(&tmux, "10.1.1.2");
    types(&tmux, "ip netns exec netns1 route", "10.1.1.0 ");
    types(&tmux, "ip netns exec netns1 iptables -L", "Chain INPUT (policy ACCEPT)");
    allowed(&tmux, "ip netns delete netns1", &[r#"umount2("/run/netns/netns1""#]);
    tmux.press(&["C-g"], "the lab's keys", |screen| bar(screen).contains("q quit"));
    tmux.keys(&["q"]);
    // The tutorial takes away what it made, but for the mount in which ip(8) keeps names.
    tmux.until("what is left", |screen| screen.lines().any(|line| line == "left: lo 1 0"));
    assert_eq!(host(), before);
}

/// Two packets have come back; then the learner ends it.
fn answered(tmux: &Tmux, from: &str) {
    let second = format!("from {from}: icmp_seq=2");
    tmux.until(&second, |screen| terminal(screen).iter().any(|row| row.contains(&second)));
    tmux.keys(&["C-c"]);
    tmux.until("the prompt", |screen| {
        let rows: Vec<String> = terminal(screen).into_iter().filter(|row| !row.is_empty()).collect();
        rows.last().is_some_and(|row| row == "$") && rows.iter().rev().take(4).any(|row| row.contains("received"))
    });
}

/// The Calls pane, without line breaks.
fn calls(screen: &str) -> String {
    let rows = screen.lines().filter_map(|row| row.split('│').nth(1)).map(str::trim);
    rows.collect::<Vec<_>>().join(" ")
}
