//! What is mutated: the learner's own runtime, or the file that tells a field's runtime what to make.

use super::{
    super::model::TerminalId::{Container, Host},
    Comes, Line, good,
    text::Said,
};
use crate::lang::Lang;

/// A text that is known to be good, and how a container is made of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The script `mybox`, as the lesson `runtime` ends with it.
    Mybox,
    /// The `config.json` of a bundle for `crun`.
    Bundle,
}

pub(super) const ENTER: Line = (Host, "./mybox exec sleep 300 &");

/// What every container of a bundle is held against.
const BUNDLE_FACTS: [Said; 8] = [
    ("scorecard isolated on", "It is isolated", "它已隔离"),
    ("scorecard rooted on", "It has a root of its own", "它有独立根目录"),
    ("scorecard limited on", "It is limited", "它已受限"),
    ("hostname inside is {name}", "The container's host name is `{name}`", "容器的主机名是 `{name}`"),
    ("proc own", "`/proc` shows the container's processes", "`/proc` 显示的是容器里的进程"),
    ("bounding default", "No capability beyond Docker's", "没有超出 Docker 默认的能力"),
    ("no-new-privs on", "It gains no privileges", "它不能获得特权"),
    ("in-group inside yes", "Every process inside is in the group", "里面的每个进程都在组里"),
];

/// What a container that a good `mybox` makes is held against.
const MYBOX_FACTS: [Said; 10] = [
    ("scorecard isolated on", "It is isolated", "它已隔离"),
    ("scorecard rooted on", "It has a root of its own", "它有独立根目录"),
    ("scorecard limited on", "It is limited", "它已受限"),
    ("scorecard entered on", "A process from outside is in", "有一个从外面进入的进程"),
    (
        "entered-rights no-more",
        "It has entered with no more rights than the container has",
        "进入的进程，权限不比容器多",
    ),
    ("hostname inside is {name}", "The container's host name is `{name}`", "容器的主机名是 `{name}`"),
    ("proc own", "`/proc` shows the container's processes", "`/proc` 显示的是容器里的进程"),
    ("bounding default", "No capability beyond Docker's", "没有超出 Docker 默认的能力"),
    ("no-new-privs on", "It gains no privileges", "它不能获得特权"),
    ("in-group inside yes", "Every process inside is in the group", "里面的每个进程都在组里"),
];

const MYBOX_REQUIRES: &str = "\
root
controller memory
namespace ipc,mnt,net,pid,uts
session-dir exec,upperdir
program setpriv
program ldd
call setns";

const BUNDLE_REQUIRES: &str = "\
root
controller memory
namespace ipc,mnt,net,pid,uts
session-dir exec
program crun
machine-root
call setns";

/// The container's program tells the pipe `up` that it runs. crun refuses hybrid cgroups with controllers in the tree of version 2.
const START: &str = r#"#!/bin/sh
# a new container, as config.json says
[ "${1-}" ] || exec unshare -m "$0" again
umount -l /sys/fs/cgroup/unified 2> /dev/null
exec crun --root state run --preserve-fds 1 $BOX 3<> up
"#;

/// The good file of a bundle, one thing a line.
const CONFIG: &str = r#"{
  "ociVersion": "1.0.0",
  "process": {
    "terminal": false,
    "user": { "uid": 0, "gid": 0 },
    "args": [ "sh", "-c", "echo up >&3; exec sleep 1000 3>&-" ],
    "env": [ "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm" ],
    "cwd": "/",
    "capabilities": {
      "bounding": [ "CAP_KILL", "CAP_NET_BIND_SERVICE", "CAP_AUDIT_WRITE" ],
      "effective": [ "CAP_KILL", "CAP_NET_BIND_SERVICE", "CAP_AUDIT_WRITE" ],
      "permitted": [ "CAP_KILL", "CAP_NET_BIND_SERVICE", "CAP_AUDIT_WRITE" ]
    },
    "noNewPrivileges": true
  },
  "root": { "path": "rootfs", "readonly": true },
  "hostname": "mine",
  "mounts": [
    { "destination": "/proc", "type": "proc", "source": "proc" },
    { "destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": [ "mode=755" ] },
    { "destination": "/srv", "type": "bind", "source": "data", "options": [ "bind", "ro" ] }
  ],
  "linux": {
    "cgroupsPath": "/$BOX",
    "resources": { "memory": { "limit": 67108864 } },
    "namespaces": [
      { "type": "mount" },
      { "type": "pid" },
      { "type": "ipc" },
      { "type": "network" },
      { "type": "uts" }
    ],
    "seccomp": {
      "defaultAction": "SCMP_ACT_ALLOW",
      "syscalls": [ { "names": [ "keyctl", "add_key" ], "action": "SCMP_ACT_ERRNO" } ]
    },
    "maskedPaths": [ "/proc/interrupts", "/proc/keys", "/proc/timer_list" ],
    "readonlyPaths": [ "/proc/sys", "/proc/irq", "/proc/bus" ]
  }
}
"#;

impl Kind {
    /// The facts that all of this kind are held against.
    pub(super) fn facts(self) -> &'static [Said] {
        match self {
            Kind::Mybox => &MYBOX_FACTS,
            Kind::Bundle => &BUNDLE_FACTS,
        }
    }

    /// What a machine must have.
    pub(super) fn requires(self) -> &'static str {
        match self {
            Kind::Mybox => MYBOX_REQUIRES,
            Kind::Bundle => BUNDLE_REQUIRES,
        }
    }

    /// The text that makes a good container.
    pub(super) fn good(self) -> &'static str {
        match self {
            Kind::Mybox => good(),
            Kind::Bundle => CONFIG,
        }
    }

    /// What starts a container, in its own terminal.
    pub(super) fn run(self) -> Line {
        match self {
            Kind::Mybox => (Container, "./mybox run builtin: sh"),
            Kind::Bundle => (Container, "./start &"),
        }
    }

    /// What enters it.
    pub(super) fn enter(self) -> Option<Line> {
        (self == Kind::Mybox).then_some(ENTER)
    }

    /// What ends a container, for another one to be started.
    pub(super) fn leave(self) -> &'static [Line] {
        match self {
            Kind::Mybox => &[(Container, "exit")],
            // Where the old crun still tidies up, it would take away what the new one makes.
            Kind::Bundle => &[(Host, "kill -KILL {container}"), (Container, "wait")],
        }
    }

    /// The line that starts a container before the learner acts, and what waits until it is there.
    pub(super) fn start(self, comes: Comes) -> &'static str {
        match (self, comes) {
            (Kind::Mybox, _) => self.run().1,
            (Kind::Bundle, Comes::Nothing) => "./start",
            (Kind::Bundle, _) => "./start &\nread line < up",
        }
    }

    /// The lines that write the text down, and what else there must be before a container starts.
    pub(super) fn prepare(self, text: &str) -> String {
        match self {
            Kind::Mybox => format!("cat > mybox <<'EOF'\n{text}EOF\nchmod +x mybox"),
            Kind::Bundle => format!(
                "boxwright image unpack builtin: rootfs\nmkdir data\nmkfifo up\necho salt > data/list\ncat > start <<'EOF'\n{START}EOF\n\
                 chmod +x start\ncat > config.json <<EOF\n{text}EOF"
            ),
        }
    }

    /// What a learner is told besides the symptom.
    pub(super) fn told(self, lang: Lang) -> &'static str {
        match self {
            Kind::Mybox => "",
            Kind::Bundle => lang.pick(
                "`crun` makes it of `config.json`: `./start &`.",
                "它由 `crun` 按 `config.json` 创建：`./start &`。",
            ),
        }
    }
}
