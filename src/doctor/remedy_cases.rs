//! One row for each kind of machine that learners have: its facts, what is missing, and what the remedy says and does not
//! say.

use super::{
    container::{Container, Maker},
    facts::{Asked, Facts, Manager, Who},
};
use crate::kernel::{availability::Unavailable, namespaces::Kind};
use nix::errno::Errno;

/// What is missing.
pub(super) enum Missing {
    Call(Errno, Kind),
    Proc,
    MachineRoot,
    Rights,
    Controller(&'static str, Unavailable),
}

use Missing::{Call, Controller, MachineRoot, Proc, Rights};

/// A machine, what is missing there, words that the remedy has, and words that it has not.
pub(super) type Row = (&'static str, Facts, Missing, &'static [&'static str], &'static [&'static str]);

pub(super) const PROGRAM: &str = "/home/dev/boxwright/target/release/boxwright";

fn user() -> Facts {
    Facts {
        uid: 1000,
        user: "dev".into(),
        way: Some("/usr/bin/sudo".into()),
        program: PROGRAM.into(),
        ..Facts::default()
    }
}

pub(super) fn root() -> Facts {
    Facts {
        who: Who::Root,
        user: "root".into(),
        program: PROGRAM.into(),
        way: Some("/usr/bin/sudo".into()),
        ..Facts::default()
    }
}

fn systemd(facts: Facts, manager: Manager) -> Facts {
    Facts { systemd: true, manager, ..facts }
}

pub(super) fn inside(maker: Maker, facts: Facts) -> Facts {
    let container = Some(Container { maker, sign: "a sign".into() });
    Facts { container, way: Some("/bin/su".into()), covered: vec!["/proc/kcore".into(), "/proc/keys".into()], ..facts }
}

fn with(facts: Facts, sysctl: &'static str, value: &str) -> Facts {
    Facts { sysctls: [(sysctl, value.to_string())].into(), ..facts }
}

fn denied(version: u8) -> Unavailable {
    Unavailable::Denied("/sys/fs/cgroup".into(), version)
}

fn occupied() -> Unavailable {
    Unavailable::Occupied("/sys/fs/cgroup".into(), vec!["1 (bash)".into()])
}

pub(super) fn rows() -> Vec<Row> {
    let pid = |errno| Call(errno, Kind::Pid);
    let privileged = &["docker run --privileged"][..];
    let no_sudo = &["sudo ", "su --pty", "systemd-run"][..];
    let handed = |level: &str| Controller("cpu", Unavailable::NotDelegated(level.into()));
    vec![
        (
            "Debian, a user who logs in",
            systemd(user(), Manager::Here),
            Rights,
            &["sudo /home/dev/boxwright/target/release/boxwright"],
            &["sudo boxwright"],
        ),
        (
            "the same without sudo",
            Facts { way: Some("/bin/su".into()), ..user() },
            Rights,
            &["su --pty -c /home/dev/boxwright/target/release/boxwright"],
            &["sudo"],
        ),
        (
            "Ubuntu 24.04, a user",
            with(systemd(user(), Manager::Here), "kernel.apparmor_restrict_unprivileged_userns", "1"),
            Call(Errno::EPERM, Kind::User),
            &[
                "sudo /home/dev/boxwright/target/release/boxwright",
                "sudo tee /etc/apparmor.d/boxwright <<'END'",
                "abi <abi/4.0>,",
                "profile boxwright \"/home/dev/boxwright/target/release/boxwright\" flags=(unconfined) {",
                "  userns,",
                "sudo apparmor_parser -r /etc/apparmor.d/boxwright",
            ],
            &["systemd-run"],
        ),
        (
            "root in a chroot",
            Facts { chroot: Asked(|| true), ..root() },
            Call(Errno::EPERM, Kind::User),
            &["in a chroot the kernel makes no user namespace"],
            no_sudo,
        ),
        (
            "the same, for another namespace",
            Facts { chroot: Asked(|| true), ..root() },
            pid(Errno::EPERM),
            &[],
            &["chroot"],
        ),
        (
            "Debian 10, a user",
            with(user(), "kernel.unprivileged_userns_clone", "0"),
            Call(Errno::EPERM, Kind::User),
            &["kernel.unprivileged_userns_clone = 0", "sudo sysctl -w kernel.unprivileged_userns_clone=1"],
            &["apparmor"],
        ),
        (
            "user namespaces switched off, a user",
            with(user(), "user.max_user_namespaces", "0"),
            Call(Errno::ENOSPC, Kind::User),
            &["user.max_user_namespaces = 0", "sudo sysctl -w user.max_user_namespaces=10000"],
            &["disk"],
        ),
        (
            "user namespaces switched off, root",
            with(root(), "user.max_user_namespaces", "0"),
            Call(Errno::ENOSPC, Kind::User),
            &["user.max_user_namespaces = 0: sysctl -w user.max_user_namespaces=10000"],
            &["sudo"],
        ),
        (
            "a limit that is reached",
            with(root(), "user.max_user_namespaces", "7"),
            pid(Errno::ENOSPC),
            &["not the disk", "user.max_user_namespaces = 7"],
            &["sysctl -w"],
        ),
        (
            "Ubuntu 22.04, a user",
            systemd(user(), Manager::Here),
            handed("/sys/fs/cgroup/user.slice/x"),
            &[
                "sudo /home/dev/boxwright",
                "user@.service.d/delegate.conf <<'END'",
                "[Service]",
                "Delegate=cpu cpuset io memory pids",
                "sudo systemctl daemon-reload",
                "log in again",
            ],
            &[],
        ),
        (
            "a user without a session",
            systemd(user(), Manager::None),
            Controller("cpu", denied(2)),
            &[
                "log in by ssh",
                "sudo loginctl enable-linger dev",
                "sudo machinectl shell dev@",
                "XDG_RUNTIME_DIR=/run/user/1000 /home/dev/boxwright",
            ],
            &["systemd-run --user"],
        ),
        (
            "the same with a manager that lingers",
            systemd(user(), Manager::Unnamed),
            Controller("cpu", denied(2)),
            &["XDG_RUNTIME_DIR=/run/user/1000 /home/dev/boxwright"],
            &["systemd-run --user", "linger"],
        ),
        (
            "a user whose scope was refused",
            systemd(user(), Manager::Here),
            Controller("cpu", denied(2)),
            &["systemd-run --user --scope -p Delegate=yes /home/dev/boxwright", "sudo /home/dev"],
            &[],
        ),
        (
            "version 1, a user",
            systemd(user(), Manager::Here),
            Controller("cpu", denied(1)),
            &["sudo /home/dev/boxwright"],
            &["systemd-run"],
        ),
        (
            "no systemd, a user",
            user(),
            handed("/sys/fs/cgroup/dev"),
            &["sudo sh -c 'echo +cpu >/sys/fs/cgroup/cgroup.subtree_control'"],
            &["systemd"],
        ),
        (
            "no systemd, root",
            root(),
            handed("/sys/fs/cgroup/a"),
            &["echo +cpu >/sys/fs/cgroup/cgroup.subtree_control"],
            &["sudo", "systemd"],
        ),
        (
            "a group with others in it, no systemd, a user",
            user(),
            Controller("cpu", occupied()),
            &["mkdir /sys/fs/cgroup/init", "your own"],
            &["systemd", "--fix"],
        ),
        (
            "a group with others in it, systemd, root",
            systemd(root(), Manager::None),
            Controller("cpu", occupied()),
            &["systemd-run --scope -p Delegate=yes /home/dev/boxwright"],
            &["sudo", "--user"],
        ),
        (
            "a group with others in it, systemd, a user",
            systemd(user(), Manager::Here),
            Controller("cpu", occupied()),
            &["systemd-run --user --scope -p Delegate=yes /home/dev/boxwright"],
            &["mkdir"],
        ),
        (
            "read-only, root",
            root(),
            Controller("cpu", Unavailable::ReadOnly("/sys/fs/cgroup".into())),
            &["mount -o remount,rw,bind /sys/fs/cgroup", "--privileged"],
            &["sudo"],
        ),
        (
            "read-only, a user",
            user(),
            Controller("cpu", Unavailable::ReadOnly("/sys/fs/cgroup".into())),
            &["sudo mount -o remount,rw,bind /sys/fs/cgroup"],
            &[],
        ),
        (
            "nothing mounted, a user",
            user(),
            Controller("cpu", Unavailable::NotMounted),
            &["sudo mount -t cgroup2 cgroup2 /sys/fs/cgroup"],
            &[],
        ),
        (
            "WSL 1",
            Facts { release: "4.4.0-19041-Microsoft".into(), ..user() },
            pid(Errno::EINVAL),
            &["WSL 2"],
            &["sudo"],
        ),
        (
            "WSL 2, a user",
            Facts { release: "5.15.90.1-microsoft-standard-WSL2".into(), ..user() },
            Controller("cpu", denied(1)),
            &["sudo /home/dev/boxwright"],
            &["systemd-run", "docker"],
        ),
        (
            "WSL 2, version 2 over version 1",
            Facts { release: "5.15.167.4-microsoft-standard-WSL2".into(), ..root() },
            Controller("cpu", Unavailable::Covered(1, "/sys/fs/cgroup/cpu".into())),
            &["kernelCommandLine=cgroup_no_v1=all", ".wslconfig", "wsl --shutdown"],
            &["security module", "docker"],
        ),
        (
            "version 2 over version 1 elsewhere, a user",
            user(),
            Controller("cpu", Unavailable::Covered(1, "/sys/fs/cgroup/cpu".into())),
            &["sudo umount /sys/fs/cgroup", "cgroup_no_v1=all"],
            &[".wslconfig"],
        ),
        (
            "a dev container, a user",
            inside(Maker::Docker, user()),
            Proc,
            &["/proc/kcore +1", "--security-opt systempaths=unconfined", "devcontainer.json"],
            &["sudo", "--privileged"],
        ),
        ("podman, a user", inside(Maker::Podman, user()), Proc, &["unmask=ALL"], &["docker"]),
        ("Kubernetes", inside(Maker::Kubernetes, root()), Proc, &["procMount: Unmasked"], &["docker", "sudo"]),
        (
            "a covered /proc without a container, a user",
            Facts { covered: vec!["/proc/keys".into()], ..user() },
            Proc,
            &["sudo /home/dev"],
            &["docker"],
        ),
        (
            "a new /proc is refused for another reason",
            Facts { covered: Vec::new(), ..inside(Maker::Docker, root()) },
            Proc,
            privileged,
            &["covered"],
        ),
        ("docker run, root", inside(Maker::Docker, root()), pid(Errno::EPERM), privileged, no_sudo),
        (
            "docker run, root, cgroups",
            inside(Maker::Docker, root()),
            Controller("cpu", Unavailable::ReadOnly("/sys/fs/cgroup".into())),
            privileged,
            no_sudo,
        ),
        (
            "docker run, no cgroups at all",
            inside(Maker::Docker, root()),
            Controller("cpu", Unavailable::NotMounted),
            privileged,
            &["sudo", "mount -t"],
        ),
        (
            "docker run, an ordinary user",
            inside(Maker::Docker, user()),
            pid(Errno::EPERM),
            &["su --pty -c /home/dev/boxwright", "docker run --privileged"],
            &["sudo"],
        ),
        (
            "docker run --privileged, version 2",
            inside(Maker::Docker, root()),
            Controller("cpu", occupied()),
            &[
                "/home/dev/boxwright/target/release/boxwright doctor --fix",
                "docker run -it --privileged IMAGE /home/dev/boxwright",
                "mkdir /sys/fs/cgroup/init",
                "xargs -rn1 </sys/fs/cgroup/cgroup.procs >/sys/fs/cgroup/init/cgroup.procs",
            ],
            no_sudo,
        ),
        (
            "a container with systemd",
            systemd(inside(Maker::Lxc, root()), Manager::None),
            Controller("cpu", occupied()),
            &["systemd-run --scope"],
            &["--fix", "sudo"],
        ),
        (
            "LXD, root of a user namespace",
            inside(Maker::Lxc, Facts { who: Who::RootWithin, ..root() }),
            MachineRoot,
            &["root of the machine itself", "outside of this container"],
            no_sudo,
        ),
        ("unshare -r", Facts { who: Who::RootWithin, ..root() }, MachineRoot, &["outside of it"], no_sudo),
        (
            "unshare -r, a refused call",
            Facts { who: Who::RootWithin, ..root() },
            pid(Errno::EPERM),
            &["outside of it"],
            no_sudo,
        ),
        (
            "a user who needs devices",
            user(),
            MachineRoot,
            &["root of the machine itself", "sudo /home/dev/boxwright"],
            &[],
        ),
        ("a service's sandbox, root", root(), pid(Errno::EPERM), &["journalctl -k", "container"], no_sudo),
        ("seccomp", root(), pid(Errno::ENOSYS), &["seccomp"], &["sudo"]),
        ("a kernel without it", root(), pid(Errno::EINVAL), &["built without"], &["sudo"]),
    ]
}
