//! Other ways than the lessons', right and wrong, as data.

use boxwright::lesson::TerminalId::{self, Container, Host};

/// Another way to what a line of a lesson does: wherever it has the first text, the second stands in its place.
const OTHER: [(&str, &str); 32] = [
    ("ls -l /proc/self/ns", "ls -al /proc/self/ns/"),
    ("unshare -imnpu --mount-proc", "unshare --ipc --mount --net --pid --uts --mount-proc"),
    ("unshare -p --fork sh", "unshare --pid -f /bin/bash"),
    ("--fork sh", "-f /bin/sh"),
    ("hostname box", "echo box > /proc/sys/kernel/hostname"),
    ("ip addr", "ip a"),
    ("ip link set lo up", "ip link set dev lo up"),
    ("mount -t tmpfs box /mnt", "mount -t ramfs box /mnt"),
    ("ipcmk -Q", "ipcmk -M 4096"),
    ("kill -KILL", "kill -9"),
    ("(sleep 300 &)", "sh -c 'sleep 300 &'"),
    ("copy builtin: dir:image", "copy builtin: dir:./image"),
    ("mkdir rootfs", "mkdir -p ./rootfs"),
    ("tar -xf $(ls -S image/[0-9a-f]* | head -n 1)", "gzip -dcf $(ls -S image/[0-9a-f]* | head -n 1) | tar -x"),
    ("image unpack builtin: rootfs", "skopeo copy builtin: dir:blobs && boxwright image unpack dir:blobs rootfs"),
    ("--fork chroot rootfs /bin/sh 9</", "--fork sh -c 'exec chroot rootfs /bin/sh' 9</"),
    ("mount --bind rootfs rootfs", "mount -o bind rootfs rootfs"),
    ("mount -t proc proc /proc", "mount -t proc none /proc"),
    ("umount -l /mnt", "umount --lazy /mnt"),
    ("rm merged/etc/passwd", "unlink merged/etc/passwd"),
    ("echo hello > merged/etc/note", "printf 'hello\\n' | tee merged/etc/note"),
    ("echo 100 > $(find", "echo 100 | tee $(find"),
    ("i=0; while true; do i=i+i; done", "while :; do :; done"),
    ("hog memory 20M", "head -c 30M /dev/zero | tail"),
    ("nsenter -t {container} -a", "nsenter --target {container} --all"),
    ("nsenter -t {container} -n nc", "nsenter --target {container} --net nc"),
    ("echo hello > /proc/{container}/root/mnt/note", "nsenter -t {container} -m sh -c 'echo hello > /mnt/note'"),
    ("strace -p $(pgrep -x sleep)", "strace -f -o calls -p $(ps -e | grep -w sleep | awk '{ print $1 }')"),
    ("printf '\\026\\000' | dd of=foreign bs=1 seek=18", "printf '\\363' | dd of=foreign bs=1 seek=18"),
    ("nc -z -w 1", "nc -w 1 -z"),
    ("ip route add default via", "ip route add 0.0.0.0/0 via"),
    ("oifname vc masquerade", "oifname vc snat to 10.2.0.1"),
];

/// What does the same as this line of a lesson.
pub(crate) fn otherwise(lesson: &str, line: &str) -> String {
    // Where a call is to fail, it is that call which the step shows.
    let fails = ["rootless", "runtime"].contains(&lesson);
    let rules = OTHER.iter().filter(|(lessons, _)| !(fails && *lessons == "hostname box"));
    rules.fold(line.to_string(), |line, (lessons, other)| line.replace(lessons, other))
}

/// A way that looks right and is not: the lesson, the lines, and the checks that refuse it, all others being satisfied.
pub(super) type Wrong = (&'static str, &'static [(TerminalId, &'static str)], &'static [&'static str]);

const ISOLATED: &str = "unshare -imnpu --mount-proc --fork sh";
const NET_SHARED: &str = "unshare -impu --mount-proc --fork sh";
const UNPACK: (TerminalId, &str) = (Container, "boxwright image unpack builtin: rootfs");
const CREATE: (TerminalId, &str) = (Container, "cgcreate -g cpu,cpuacct,memory,pids:$BOX");

pub(super) const WRONG: [Wrong; 28] = [
    ("isolate", &[(Container, ISOLATED), NAME], &["namespace net same"]),
    ("isolate", &[(Container, "unshare -impu --fork sh"), NAME], &["proc own"]),
    ("isolate", &[(Container, NET_SHARED)], &["hostname inside is challenge"]),
    ("isolate", &[(Container, "unshare -mpu --mount-proc --fork sh"), NAME], &["namespace ipc,mnt,pid,uts new"]),
    ("nsenter", &[(Container, ISOLATED), (Container, "sleep 300 &")], &["scorecard entered on"]),
    ("nsenter", &[(Container, ISOLATED), (Host, "sleep 300 &")], &["process inside sleep", "scorecard entered on"]),
    (
        "nsenter",
        &[(Container, ISOLATED), (Host, "nsenter -t {container} -p cat /dev/zero > /dev/null &")],
        &["process inside sleep"],
    ),
    (
        "nsenter",
        &[(Container, NET_SHARED), (Host, "nsenter -t {container} -p sleep 300 &")],
        &["scorecard isolated on"],
    ),
    ("rootfs", &[(Container, ISOLATED)], &[ROOTED, RELEASE, HELLO]),
    ("rootfs", &[UNPACK, (Container, IN_ROOT)], &[HELLO]),
    ("rootfs", &[UNPACK, (Container, "unshare -impu --fork chroot rootfs /bin/sh"), GREET], &["scorecard isolated on"]),
    ("rootfs", &[UNPACK, (Container, "echo other > rootfs/etc/os-release"), (Container, IN_ROOT), GREET], &[RELEASE]),
    ("cgroups", &[CREATE, QUARTER, MEMORY, (Container, ISOLATED)], &["in-group container yes"]),
    ("cgroups", &[CREATE, HALF, MEMORY, GROUPED], &["group share 25"]),
    ("cgroups", &[CREATE, QUARTER, GROUPED], &["group memory 16777216"]),
    (
        "cgroups",
        &[
            CREATE,
            QUARTER,
            MEMORY,
            (Container, "cgexec -g cpu,cpuacct,memory,pids:$BOX unshare -impu --mount-proc --fork sh"),
        ],
        &["scorecard isolated on"],
    ),
    // In the hierarchy of one controller only.
    (
        "cgroups",
        &[CREATE, QUARTER, MEMORY, (Container, "cgexec -g cpu:$BOX unshare -imnpu --mount-proc --fork sh")],
        &["in-group container yes"],
    ),
    // Entered, and yet outside the limits; and one who never came from outside.
    ("together", &[UNPACK, CREATE, HALF, TWELVE, WHOLE, CALLED, (Host, ENTER)], &["in-group sleep yes"]),
    ("together", &[UNPACK, CREATE, HALF, TWELVE, WHOLE, CALLED, (Container, "sleep 300 &")], &["scorecard entered on"]),
    ("together", &[UNPACK, CREATE, HALF, TWELVE, WHOLE, COMES], &["hostname inside is whole"]),
    ("together", &[UNPACK, CREATE, HALF, WHOLE, CALLED, COMES], &["group pids 12"]),
    (
        "together",
        &[
            UNPACK,
            CREATE,
            HALF,
            TWELVE,
            (
                Container,
                "cgexec -g cpu,cpuacct,memory,pids:$BOX unshare -impu --mount-proc=rootfs/proc --fork chroot rootfs /bin/sh",
            ),
            CALLED,
            COMES,
        ],
        &["scorecard isolated on"],
    ),
    ("together", &[CREATE, HALF, TWELVE, GROUPED, CALLED, COMES], &[ROOTED]),
    (
        "together",
        &[
            UNPACK,
            CREATE,
            HALF,
            TWELVE,
            (Container, "unshare -imnpu --mount-proc=rootfs/proc --fork chroot rootfs /bin/sh"),
            CALLED,
            COMES,
        ],
        &["scorecard limited on"],
    ),
    // /proc is mounted over the path that the host has; the namespaces are all its own.
    (
        "rootless",
        &[USERS_IMAGE, (Container, "unshare -Urimnpu --mount-proc --fork chroot rootfs /bin/sh")],
        &["proc own"],
    ),
    ("rootless", &[(Container, "unshare -Urimnpu --mount-proc --fork sh")], &[ROOTED]),
    (
        "rootless",
        &[USERS_IMAGE, (Container, "unshare -Urimpu --mount-proc=rootfs/proc --fork chroot rootfs /bin/sh")],
        &["scorecard isolated on", "owner ipc,mnt,net,pid,uts own"],
    ),
    // No process in it is root.
    (
        "rootless",
        &[
            (Container, "unshare -Ur boxwright image unpack builtin: rootfs"),
            (Container, "unshare -Urimnpu --mount-proc=rootfs/proc --fork unshare -U chroot rootfs /bin/sh"),
        ],
        &["user inside 0", "scorecard isolated on", ROOTED, "owner ipc,mnt,net,pid,uts own", "proc own"],
    ),
];

const USERS_IMAGE: (TerminalId, &str) = (Container, "unshare -Ur boxwright image unpack builtin: rootfs");

const NAME: (TerminalId, &str) = (Container, "hostname challenge");
const ROOTED: &str = "scorecard rooted on";
const RELEASE: &str = "file inside /etc/os-release contains boxwright";
const HELLO: &str = "file inside /hello contains world";
const GREET: (TerminalId, &str) = (Container, "echo world > /hello");
const IN_ROOT: &str = "unshare -imnpu --fork chroot rootfs /bin/sh";
const QUARTER: (TerminalId, &str) = (Container, "cgset -r cpu.cfs_quota_us=25000 $BOX");
const HALF: (TerminalId, &str) = (Container, "cgset -r cpu.cfs_quota_us=50000 $BOX");
const MEMORY: (TerminalId, &str) = (Container, "cgset -r memory.limit_in_bytes=16777216 $BOX");
const TWELVE: (TerminalId, &str) = (Container, "cgset -r pids.max=12 $BOX");
const GROUPED: (TerminalId, &str) =
    (Container, "cgexec -g cpu,cpuacct,memory,pids:$BOX unshare -imnpu --mount-proc --fork sh");
const WHOLE: (TerminalId, &str) = (
    Container,
    "cgexec -g cpu,cpuacct,memory,pids:$BOX unshare -imnpu --mount-proc=rootfs/proc --fork chroot rootfs /bin/sh",
);
const CALLED: (TerminalId, &str) = (Container, "hostname whole");
const ENTER: &str = "nsenter -t {container} -a sleep 300 &";
const COMES: (TerminalId, &str) =
    (Host, "cgexec -g cpu,cpuacct,memory,pids:$BOX nsenter -t {container} -a sleep 300 &");

/// The same in a step that is no challenge: lesson and step, the lines, and the checks that refuse it.
pub(super) type Amiss = (&'static str, &'static str, &'static [(TerminalId, &'static str)], &'static [&'static str]);

pub(super) const AMISS: [Amiss; 20] = [
    // Mounted in the container itself, nothing has leaked.
    ("isolate", "mounts-and-ipc", &[(Container, "mount -t tmpfs leak /srv")], &["leaked /srv"]),
    ("rootfs", "proc-and-dev", &[(Container, "mount -t proc proc /proc; echo x > /dev/null")], &[NULL]),
    (
        "rootfs",
        "chroot",
        &[
            UNPACK,
            (Container, "unshare -imnpu --mount-proc --fork chroot rootfs /bin/sh"),
            (Container, "touch /made-here"),
        ],
        &["handle outside"],
    ),
    (
        "cgroups",
        "move-in",
        &[(Container, "cgexec -g cpu:$BOX unshare -imnpu --mount-proc --fork sh")],
        &["in-group sh yes"],
    ),
    ("cgroups", "half-a-cpu", &[(Container, "cgset -r cpu.cfs_period_us=200000 $BOX"), HALF], &["group period 100000"]),
    (
        "nsenter",
        "not-the-cgroup",
        &[
            CREATE,
            GROUPED,
            (Host, "nsenter -t {container} -a sleep 300 &"),
            (Host, "cgexec -g pids:$BOX nsenter -t {container} -a sleep 301 &"),
        ],
        &["in-group sleep yes"],
    ),
    (
        "nsenter",
        "proc-root",
        &[
            (Container, ISOLATED),
            (Container, "mount -t tmpfs box /mnt"),
            (Host, "nsenter -t {container} -n sh -c 'echo hello > note'"),
        ],
        &["file inside /mnt/note contains hello"],
    ),
    (
        "nsenter",
        "chroot-or-nsenter",
        &[
            UNPACK,
            (Container, "unshare -imnpu --mount-proc=rootfs/proc --fork chroot rootfs /bin/sh"),
            (Host, "chroot /proc/{container}/root /bin/sh"),
        ],
        &["scorecard entered on", "call setns ok CLONE_NEWPID"],
    ),
    // Here the shell has every capability, and the refusal has another reason: the tracer that is there already.
    (
        "nsenter",
        "strace-eperm",
        &[
            (Container, ISOLATED),
            (Host, "nsenter -t {container} -a sleep 300 &"),
            (Container, "strace -p $(pgrep -x sleep)"),
        ],
        &["capability sys_ptrace off"],
    ),
    (
        "cgroups",
        "too-late",
        &[
            CREATE,
            (Container, "sh -c 'sleep 300 & exec tail -f /dev/null' &"),
            (Container, "cgclassify -g pids:$BOX $!"),
        ],
        &["in-group tail yes"],
    ),
    ("cgroups", "free-and-nproc", &[CREATE, HALF, (Container, "sh")], &["in-group sh yes", "group memory 67108864"]),
    // A program that may not be executed is another one than a program of another machine.
    (
        "rootfs",
        "another-machine",
        &[(Container, "cp /bin/true foreign; chmod -x foreign"), (Container, "./foreign")],
        &["call execve ENOEXEC"],
    ),
    // In the group and in all namespaces, and with every right of the host.
    (
        "runtime",
        "enter",
        &[
            (Container, "exit"),
            (Container, "./mybox run builtin: sh"),
            (Host, "cgexec -g cpu,cpuacct,memory,pids:$BOX nsenter -t {container} -a sleep 300 &"),
        ],
        &["entered-rights no-more"],
    ),
    // Both ends on the host; a way back instead of another sender; a listener on the host instead of the container's.
    (
        "network",
        "cable",
        &[(Container, ISOLATED), (Host, "unshare -n sh"), (Host, "ip link add v0 type veth peer name eth0")],
        &["cable outside v0 inside eth0"],
    ),
    (
        "network",
        "masquerade",
        &[(Host, "nsenter -t $PPID -n ip route add 10.1.0.0/24 via 10.2.0.1")],
        &["connect inside 10.2.0.2 80 ok as 10.2.0.1 at far"],
    ),
    (
        "network",
        "publish",
        &[(Container, "nc -lk 80 < /dev/null > /dev/null &"), (Host, "nc -lk 8080 < /dev/null > /dev/null &")],
        &["connect far 10.2.0.1 8080 ok at inside"],
    ),
    // The map of users alone; and one that `unshare` has written, which gives up the groups.
    (
        "rootless",
        "write-the-map",
        &[(Host, "/usr/bin/printf '0 65534 1' > /proc/{container}/uid_map")],
        &["setgroups deny", "id-map gid 0 {gid} 1"],
    ),
    ("rootless", "two-owners", &[(Host, "touch f")], &["user inside 0"]),
    ("rootless", "root-of-what", &[(Container, "unshare -Ur sh"), (Container, "hostname box")], &["owner uts own"]),
    (
        "rootless",
        "more-numbers",
        &[(Container, "unshare -Ur sh"), (Container, "touch f")],
        &["id-map uid 0 {uid} 1,1 200000 10", "file host f owner 200004"],
    ),
];

const NULL: &str = "file inside /dev/null device c 1:3";
