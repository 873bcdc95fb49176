//! The guard: what a command may do to the machine itself only after the user has said so.
//!
//! The machine is, for each test, a set of namespaces of its own in which boxwright runs: what a broken guard would let
//! through ends with them.

use crate::harness::{Test, tests};
use crate::support::BOXWRIGHT;
use crate::support::traced::{DIRECTORIES, calls, events};
use boxwright::kernel::groups::Hierarchies;
use serde_json::Value;
use std::{
    fs,
    process::{Command, Stdio},
};

pub fn tests() -> Vec<Test> {
    tests![
        the_machines_own_is_refused: [Root, Tool("unshare"), Tool("setsid"), Tool("python3")],
        every_call_that_the_guard_knows_is_refused: [Root, Tool("unshare"), Tool("setsid"), Tool("python3")],
        a_containers_own_is_not_refused: [Root, Tool("unshare"), Tool("setsid")],
        a_mount_that_spreads_to_the_machine_is_refused: [Root, Tool("unshare"), Tool("setsid")],
        signals_reach_only_the_sessions_processes: [Root, Tool("unshare"), Tool("setsid")],
        the_machines_network_is_refused: [Root, Tool("unshare"), Tool("setsid"), Tool("ip"), Tool("python3")],
        what_is_asked_of_a_network_is_told: [Root, Tool("unshare"), Tool("setsid"), Tool("ip")],
        the_machines_packet_filter_is_refused: [Root, Tool("unshare"), Tool("setsid"), Tool("nft")],
        a_message_counts_however_it_is_sent: [Root, Tool("unshare"), Tool("setsid"), Tool("python3")],
        old_requests_change_the_machines_network_neither: [Root, Tool("unshare"), Tool("setsid"), Tool("busybox")],
        a_group_is_its_own_in_a_chroot_too: [Root, Controller("pids"), Tool("unshare")],
        foreign_groups_are_left_alone: [Root, Tool("unshare"), Tool("setsid"), Controller("pids")],
        a_tool_says_who_refused: [Root, Tool("unshare"), Tool("setsid"), Tool("setpriv")],
        without_the_guard_all_happens: [Root, Tool("unshare"), Tool("setsid")],
    ]
}

/// Namespaces of its own, without a terminal to ask on.
const MACHINE: [&str; 6] = ["-mupinf", "--mount-proc", "--propagation", "private", "setsid", "-w"];

/// What is told of a shell's script under these options of `trace`, and what it printed.
fn traced(options: &[&str], script: &str) -> (String, Vec<Value>) {
    let mut command = Command::new("unshare");
    // Another process lives on it, too.
    let line = "sleep 60 & script=$1; shift; \"$@\" sh -c \"$script\"; kill $!";
    command
        .args(MACHINE)
        .args(["sh", "-c", line, "sh", script, BOXWRIGHT, "trace", "--json", "-o", "&1"])
        .args(options)
        .arg("--");
    let out = command.stdin(Stdio::null()).output().unwrap();
    (String::from_utf8_lossy(&out.stdout).into_owned(), events(&out.stdout))
}

/// The names of the calls that were refused, in order; each was announced, with its reason.
fn refused(told: &[Value]) -> Vec<String> {
    let name = |event: &Value| event["name"].as_str().unwrap().to_string();
    let announced: Vec<String> = told.iter().filter(|event| event["event"] == "guarded").map(name).collect();
    let refused: Vec<&Value> = told.iter().filter(|event| event["refused"] == true).collect();
    assert!(refused.iter().all(|event| event["errno"] == "EPERM" && event["result"] == -1), "{refused:?}");
    let refused: Vec<String> = refused.into_iter().map(name).collect();
    assert_eq!(announced, refused, "{told:?}");
    refused
}

fn the_machines_own_is_refused() {
    let script = "hostname renamed; mount -t tmpfs box /mnt; mount --make-rshared /; umount /proc; date -s 2000-01-01; \
                  cat /proc/sys/kernel/hostname; grep -c ' /mnt ' /proc/self/mountinfo";
    let (printed, told) = traced(&["--guard"], script);
    assert_eq!(refused(&told), ["sethostname", "mount", "mount", "umount2", "clock_settime"]);
    assert!(!printed.lines().any(|line| line == "renamed"), "{printed}");
    assert!(printed.lines().any(|line| line == "0"), "{printed}");
    let why = told.iter().find(|event| event["event"] == "guarded" && event["name"] == "mount").unwrap();
    assert!(why["why"].as_str().unwrap().starts_with("this is the machine's own mount namespace"), "{why}");
    // The new calls, which have the same numbers everywhere, and those that no command of the distribution makes by the way.
    let calls = "import ctypes, os\n\
                 call = ctypes.CDLL(None, use_errno=True).syscall\n\
                 def made(*args):\n\x20   result = call(*args)\n\x20   os.write(1, b'call %d %d %d\\n' % (args[0], result, ctypes.get_errno()))\n\
                 timex = (ctypes.c_uint * 64)(1)\n\
                 fs = call(430, b'tmpfs', 0)\n\
                 call(431, fs, 6, None, None, 0)\n\
                 mount = call(432, fs, 0, 0)\n\
                 made(429, mount, b'', -100, b'/mnt', 4)\n\
                 made(442, -100, b'/', 0x8000, (ctypes.c_uint64 * 4)(0, 0, 1 << 18, 0), 32)\n\
                 made(442, mount, b'', 0x1000, (ctypes.c_uint64 * 4)(1, 0, 0, 0), 32)\n\
                 made(433, -100, b'/', 0)\n\
                 timex[0] = 0\n\
                 made(ADJUST, 0, timex)\n\
                 timex[0] = 2\n\
                 made(ADJUST, 0, timex)\n";
    let calls = calls.replace("ADJUST", &libc::SYS_clock_adjtime.to_string());
    let (printed, told) = traced(&["--guard"], &format!("python3 -c \"{calls}\""));
    assert_eq!(refused(&told), ["move_mount", "mount_setattr", "fspick", "clock_adjtime"], "{printed}");
    assert!(printed.contains("call 429 -1 1\n") && printed.contains("call 442 0 "), "{printed}");
}

/// Calls that no command of the distribution makes by the way. Where the guard lets one through, its arguments change
/// nothing.
fn every_call_that_the_guard_knows_is_refused() {
    // Name, number and arguments, in Python's words.
    const CALLS: [(&str, libc::c_long, &str); 16] = [
        ("setdomainname", libc::SYS_setdomainname, "b'renamed', 7"),
        ("settimeofday", libc::SYS_settimeofday, "0, 0"),
        ("adjtimex", libc::SYS_adjtimex, "(ctypes.c_uint * 64)(1 << 15)"),
        ("reboot", libc::SYS_reboot, "0xfee1dead, 672274793, 0x89abcdef, 0"),
        ("kexec_load", libc::SYS_kexec_load, "0, 0, 0, 0xffff"),
        ("kexec_file_load", libc::SYS_kexec_file_load, "-1, -1, 0, 0, 0xffff"),
        ("swapon", libc::SYS_swapon, "b'/nowhere', 0"),
        ("swapoff", libc::SYS_swapoff, "b'/nowhere'"),
        ("init_module", libc::SYS_init_module, "0, 0, b''"),
        ("finit_module", libc::SYS_finit_module, "-1, b'', 0"),
        ("delete_module", libc::SYS_delete_module, "b'nowhere', 0"),
        ("tkill", libc::SYS_tkill, "parent, 18"),
        ("tgkill", libc::SYS_tgkill, "parent, parent, 18"),
        ("rt_sigqueueinfo", libc::SYS_rt_sigqueueinfo, "parent, 18, info"),
        ("rt_tgsigqueueinfo", libc::SYS_rt_tgsigqueueinfo, "parent, parent, 18, info"),
        ("pidfd_send_signal", libc::SYS_pidfd_send_signal, "process, 18, 0, 0"),
    ];
    let mut script = "import ctypes, os\nparent = os.getppid()\nprocess = os.pidfd_open(parent)\n\
                      call = ctypes.CDLL(None, use_errno=True).syscall\n\
                      info = (ctypes.c_int * 32)(18, 0, -1, 0, 0, 0)\n"
        .to_string();
    for (_, number, args) in CALLS {
        script.push_str(&format!("call({number}, {args})\n"));
    }
    let (printed, told) = traced(&["--guard"], &format!("exec python3 -c \"{script}\""));
    assert_eq!(refused(&told), CALLS.map(|(name, ..)| name), "{printed}");
}

fn a_containers_own_is_not_refused() {
    let script = "unshare -muipf --mount-proc sh -c 'hostname inside; mount -t tmpfs box /mnt; mount -o remount,size=1m /mnt; \
                  umount /mnt; cat /proc/sys/kernel/hostname; sleep 60 & kill -9 -1; echo $?'";
    let (printed, told) = traced(&["--guard"], script);
    assert_eq!(refused(&told), [""; 0], "{printed}");
    assert!(printed.lines().any(|line| line == "inside"), "{printed}");
    assert_eq!(calls(&told, "kill").len(), 0, "signals to one's own are not told");
}

fn a_mount_that_spreads_to_the_machine_is_refused() {
    let script = "unshare -m --propagation unchanged sh -c 'mount -t tmpfs leak /mnt; mount -o remount,ro /'; true";
    let mut command = Command::new("unshare");
    let line = format!("mount --make-rshared /; exec setsid -w {BOXWRIGHT} trace --json --guard -- sh -c \"$1\"");
    command.args(["-mf", "--propagation", "private", "sh", "-c", &line, "sh", script]);
    let told = events(&command.stdin(Stdio::null()).output().unwrap().stdout);
    assert_eq!(refused(&told), ["mount", "mount"], "{told:?}");
    let why: Vec<&str> = told.iter().filter_map(|event| event["why"].as_str()).collect();
    assert!(why[0].contains("shared with the machine") && why[1].contains("the machine's as well"), "{why:?}");
}

fn signals_reach_only_the_sessions_processes() {
    let script = "sleep 60 & kill -0 $PPID; kill -TERM $PPID; kill -9 -1; kill -INT 0; kill $!; wait $!; echo ended $?; \
                  python3 -c 'import os, time; pid = os.fork() or os._exit(0); time.sleep(.1); os.kill(pid, 9)'; \
                  unshare -pf --mount-proc sh -c 'kill -KILL 1; echo alive'; kill -9 4194303; echo over";
    let (printed, told) = traced(&["--guard"], script);
    // The shell's own group is the tracer's as well.
    assert_eq!(refused(&told), ["kill", "kill", "kill"], "{printed}");
    for line in ["ended 143", "alive", "over"] {
        assert!(printed.lines().any(|printed| printed == line), "{line}: {printed}");
    }
    let why = told.iter().find(|event| event["event"] == "guarded").unwrap();
    assert!(why["why"].as_str().unwrap().contains("(boxwright) does not belong to this session"), "{why}");
}

/// What is refused of what would change the network: what only asks, and what belongs to a container, is not. What was
/// printed beside the events.
fn output(printed: &str) -> String {
    printed.lines().filter(|line| !line.starts_with('{')).map(|line| format!("{line}\n")).collect()
}

fn the_machines_network_is_refused() {
    let script = format!(
        "ip link add box0 type bridge; ip addr add 192.0.2.1/24 dev lo; ip link set lo up; ip link show lo; \
         ip route add 198.51.100.0/24 dev lo; {BOXWRIGHT} ip link set lo up; {BOXWRIGHT} ip addr; \
         unshare -n sh -c 'ip addr add 192.0.2.2/24 dev lo; \
         {BOXWRIGHT} ip link set lo up; ip -4 addr'; ip link; echo over"
    );
    let (printed, told) = traced(&["--guard"], &script);
    assert_eq!(refused(&told).len(), 5, "{printed}");
    assert!(refused(&told).iter().all(|name| name.starts_with("send")), "{told:?}");
    let printed = output(&printed);
    assert!(!printed.contains("box0") && !printed.contains("192.0.2.1/"), "{printed}");
    assert!(printed.contains("inet 192.0.2.2/24") && printed.contains("inet 127.0.0.1/8"), "{printed}");
    assert!(printed.lines().any(|line| line == "over"), "{printed}");
    let why = told.iter().find(|event| event["event"] == "guarded").unwrap();
    assert!(why["why"].as_str().unwrap().starts_with("this is the machine's own network namespace"), "{why}");
    // The socket decides, and not where its holder is by now.
    let moved = "import ctypes, socket, struct\n\
                 s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)\n\
                 ctypes.CDLL(None).unshare(0x40000000)\n\
                 up = struct.pack('=IHHIIBBHiII', 32, 16, 5, 1, 0, 0, 0, 0, 1, 1, 1)\n\
                 try:\n\x20   s.send(up); print('sent')\nexcept PermissionError:\n\x20   print('refused')\n";
    let (printed, told) = traced(&["--guard"], &format!("python3 -c \"{moved}\"; ip link show lo"));
    assert_eq!(refused(&told), ["sendto"], "{printed}");
    let printed = output(&printed);
    assert!(printed.lines().any(|line| line == "refused") && !printed.contains("LOOPBACK,UP"), "{printed}");
    // Without the guard it happens.
    let (printed, told) = traced(&[], "ip link set lo up; ip link show lo");
    assert!(printed.contains("LOOPBACK,UP") && told.iter().all(|event| event["event"] != "guarded"), "{printed}");
}

/// A change of a container's network is not refused; what is asked for is told in words, question by question.
fn what_is_asked_of_a_network_is_told() {
    // Whether this kernel knows such a cable does not matter: it is asked for all the same.
    let script = format!(
        "unshare -n sh -c 'echo pid=$$; ip link add v0 type veth peer name eth0 netns $$; ip addr add 192.0.2.1/24 dev lo; \
         ip link set lo up; ip route add 198.51.100.0/24 dev lo; ip link; ip addr; {BOXWRIGHT} ip link set lo down'"
    );
    let (printed, told) = traced(&["--guard"], &script);
    let output = output(&printed);
    let pid = output.lines().find_map(|line| line.strip_prefix("pid=")).unwrap_or_else(|| panic!("{printed}"));
    let asked = |name: &str| -> Vec<String> {
        let calls = calls(&told, name);
        let word = |event: &&Value| event["args"].as_str().unwrap().to_string();
        calls.iter().map(word).map(|args| args[args.find('{').unwrap()..=args.rfind('}').unwrap()].into()).collect()
    };
    let wanted = [
        &*format!(r#"{{RTM_NEWLINK, ifname="v0", kind="veth", peer={{ifname="eth0", net_ns_pid={pid}}}}}"#),
        r#"{RTM_NEWADDR, address="192.0.2.1/24", index=1}"#,
        "{RTM_NEWLINK, index=1, flags=IFF_UP}",
        r#"{RTM_NEWROUTE, dst="198.51.100.0/24", oif=1}"#,
    ];
    assert_eq!(asked("sendmsg"), wanted, "{printed}");
    assert_eq!(asked("sendto"), ["{RTM_NEWLINK, index=1, flags=0}"], "{printed}");
    assert!(refused(&told).is_empty());
}

fn the_machines_packet_filter_is_refused() {
    let script = "nft add table inet box; nft list tables; unshare -n sh -c 'nft add table inet inner; nft list tables; \
                  nft \"add chain inet inner post { type nat hook postrouting priority 100; }\"; \
                  nft add rule inet inner post ip saddr 192.0.2.0/24 masquerade'; echo over";
    let (printed, told) = traced(&["--guard"], script);
    assert_eq!(refused(&told), ["sendmsg"], "{printed}");
    // In a network of one's own it is told what is asked for.
    let args: Vec<String> =
        calls(&told, "sendmsg").iter().map(|event| event["args"].as_str().unwrap().to_string()).collect();
    for words in [
        r#"{NFT_MSG_NEWTABLE, family="inet", table="inner"}"#,
        r#"{NFT_MSG_NEWCHAIN, family="inet", table="inner", chain="post", type="nat", hook="postrouting", priority=100"#,
        r#"{NFT_MSG_NEWRULE, family="inet", table="inner", chain="post", expr=["#,
        r#""masquerade"]"#,
    ] {
        assert!(args.iter().any(|args| args.contains(words)), "{words}: {args:#?}");
    }
    let printed = output(&printed);
    assert!(!printed.contains("table inet box") && printed.contains("table inet inner"), "{printed}");
}

/// Also by the calls that write a file, and as the option of a socket by which iptables-legacy(8) gives its tables.
fn a_message_counts_however_it_is_sent() {
    let sends = "import os, socket, struct\n\
                 said = []\n\
                 def told(what, call):\n\
                 \x20   try: call(); said.append(what + ' done')\n\
                 \x20   except OSError as error: said.append(what + ' ' + error.strerror)\n\
                 netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)\n\
                 s = netlink.fileno()\n\
                 up = struct.pack('=IHHIIBBHiII', 32, 16, 5, 1, 0, 0, 0, 0, 1, 1, 1)\n\
                 ask = struct.pack('=IHHIIBBHiII', 32, 18, 5, 1, 0, 0, 0, 0, 1, 0, 0)\n\
                 told('ask', lambda: os.write(s, ask))\n\
                 told('write', lambda: os.write(s, up))\n\
                 told('writev', lambda: os.writev(s, [up[:16], up[16:]]))\n\
                 t = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n\
                 told('option', lambda: t.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1))\n\
                 told('table', lambda: t.setsockopt(socket.SOL_IP, 64, bytes(84)))\n\
                 print(*said, sep=', ')\n";
    let (printed, told) = traced(&["--guard"], &format!("python3 -c \"{sends}\"; ip link show lo"));
    assert_eq!(refused(&told), ["write", "writev", "setsockopt"], "{printed}");
    let said = output(&printed);
    let wanted = "ask done, write Operation not permitted, writev Operation not permitted, option done, table Operation not permitted";
    assert!(said.lines().any(|line| line == wanted), "{said}");
    assert!(!said.contains("LOOPBACK,UP"), "{said}");
    // In a container it is not refused.
    let (printed, told) = traced(&["--guard"], &format!("unshare -n python3 -c \"{sends}\""));
    let said = output(&printed);
    assert!(refused(&told).is_empty() && said.contains("write done, writev done"), "{printed}");
}

fn old_requests_change_the_machines_network_neither() {
    let script =
        "busybox ifconfig lo 127.0.0.1 up; busybox ifconfig -a; unshare -n busybox ifconfig lo 127.0.0.1 up; echo over";
    let (printed, told) = traced(&["--guard"], script);
    assert!(!refused(&told).is_empty() && refused(&told).iter().all(|name| name == "ioctl"), "{told:?}");
    assert!(!printed.contains("inet addr"), "{printed}");
    // What is asked for is told in words, and of a network of its own, too.
    let asks = r#"SIOCSIFADDR, {ifname="lo", address="127.0.0.1"}"#;
    let told: Vec<&Value> =
        told.iter().filter(|event| event["args"].as_str().is_some_and(|args| args.contains(asks))).collect();
    let results: Vec<(&str, i64)> =
        told.iter().filter_map(|event| Some((event["event"].as_str()?, event["result"].as_i64()?))).collect();
    assert_eq!(results, [("syscall", -1), ("syscall", 0)], "{told:?}");
}

fn foreign_groups_are_left_alone() {
    let top = Hierarchies::read().find("pids").unwrap().top();
    let name = format!("boxwright-test-{}", std::process::id());
    let foreign = top.join(&name);
    fs::create_dir(&foreign).unwrap();
    let pids = top.display();
    // Its own may be called as it likes. To leave a group, or to hand controllers down, changes no other.
    let script = format!(
        "cd {pids}; echo 7 > {name}/pids.max; {BOXWRIGHT} cgset -r pids.max=7 {name} 2>&1; rmdir {name}; mkdir {name}-own; echo 7 > {name}-own/pids.max; \
         mkdir {name}-own/below; rmdir {name}-own/below; \
         sh -c \"echo 0 > {name}-own/cgroup.procs; echo 0 > {pids}/cgroup.procs\"; \
         echo $PPID > {name}-own/cgroup.procs; cat {name}-own/pids.max; rmdir {name}-own; echo over"
    );
    let mut command = Command::new("setsid");
    command.args(["-w", BOXWRIGHT, "trace", "--json", "-o", "&1", "--guard", "--", "sh", "-c", &script]);
    let out = command.stdin(Stdio::null()).output().unwrap();
    let (printed, told) = (String::from_utf8_lossy(&out.stdout).into_owned(), events(&out.stdout));
    let limit = fs::read_to_string(foreign.join("pids.max")).unwrap();
    fs::remove_dir(&foreign).unwrap();
    let left = top.join(format!("{name}-own")).exists();
    assert_eq!(refused(&told), ["write", "write", DIRECTORIES.1, "write"], "{printed}");
    assert!(printed.contains("boxwright's guard refused it"), "{printed}");
    assert!(printed.lines().any(|line| line == "7") && limit.trim() == "max" && !left, "{printed}{limit}");
}

/// In another mount namespace the kernel writes paths from the root of that, which in a chroot is none of ours.
fn a_group_is_its_own_in_a_chroot_too() {
    let group =
        Hierarchies::read().find("pids").unwrap().top().join(format!("boxwright-test-{}-chroot", std::process::id()));
    let (group, root) = (group.display().to_string(), tempfile::tempdir().unwrap());
    let inside = format!(
        "mkdir {group}; unshare -m sh -c 'echo 7 > {group}/pids.max'; cat {group}/pids.max; rmdir {group}; \
         unshare -m sh -c 'echo 7 > {group}-none/pids.max'"
    );
    let script = format!(
        "mount --rbind / {0}; mount --make-rprivate {0}; exec chroot {0} {BOXWRIGHT} trace --json -o '&1' --guard -- sh -c \"$1\"",
        root.path().display()
    );
    let mut command = Command::new("unshare");
    command.args(["-m", "--propagation", "private", "setsid", "-w", "sh", "-c", &script, "sh", &inside]);
    let out = command.stdin(Stdio::null()).output().unwrap();
    let (printed, told) = (String::from_utf8_lossy(&out.stdout).into_owned(), events(&out.stdout));
    assert_eq!(refused(&told), [""; 0], "{printed}");
    let written = told.iter().find(|event| event["name"] == "write").unwrap();
    assert!(written["changed"].to_string().contains("pids.max: max -> 7"), "{written}");
    assert!(printed.lines().any(|line| line == "7"), "{printed}");
}

fn without_the_guard_all_happens() {
    let (printed, told) =
        traced(&[], "hostname renamed; mount -t tmpfs box /mnt; cat /proc/sys/kernel/hostname; kill -TERM 0");
    assert!(!told.iter().any(|event| event["event"] == "guarded"), "{told:?}");
    assert!(printed.lines().any(|line| line == "renamed"), "{printed}");
}

fn a_tool_says_who_refused() {
    let by_guard = "boxwright's guard refused it, because it would have changed the machine itself";
    let tried = format!(
        "for tool in 'mount -t tmpfs box /mnt' 'umount /proc' 'hostname box' 'unshare -u {BOXWRIGHT} hostname box'; do \
         {BOXWRIGHT} $tool 2>&1 || :; done; setpriv --bounding-set -all --inh-caps -all {BOXWRIGHT} hostname box 2>&1; :"
    );
    let (printed, _) = traced(&["--guard"], &tried);
    assert_eq!(printed.matches(by_guard).count(), 3, "{printed}");
    // Where the kernel refused it, its own causes are told.
    let (printed, _) =
        traced(&[], &format!("setpriv --bounding-set -all --inh-caps -all {BOXWRIGHT} hostname box 2>&1; :"));
    assert!(printed.contains("lacks the capability") && !printed.contains("guard"), "{printed}");
}
