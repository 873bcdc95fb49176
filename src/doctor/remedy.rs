//! What to do about what is missing, in words that are true on this machine: they follow whose root we are, whether
//! systemd is there, and whether a container is around us; and they name this program by its own path.

use super::attempt::attempt;
use super::{
    container::Maker,
    facts::{Facts, Manager, Who},
};
use crate::{
    kernel::{causes, namespaces::Kind, program, usable::Unusable},
    lang::Lang,
};
use nix::errno::Errno;
use std::path::Path;

/// A sentence, and the lines to type or to write into a file where that takes more than a word.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Remedy {
    pub what: String,
    pub lines: Vec<String>,
}

impl<T: Into<String>> From<T> for Remedy {
    fn from(what: T) -> Remedy {
        Remedy { what: what.into(), lines: Vec::new() }
    }
}

impl Remedy {
    fn with(what: impl Into<String>, lines: Vec<String>) -> Remedy {
        Remedy { what: what.into(), lines }
    }

    /// Everything, one line each.
    pub(super) fn text(&self) -> String {
        std::iter::once(&self.what).chain(&self.lines).cloned().collect::<Vec<_>>().join("\n")
    }
}

/// How many user namespaces a machine may have that had none: enough for a class.
const SOME_NAMESPACES: u32 = 10_000;

impl Facts {
    /// A command for the administrator, as this user types it.
    fn command(&self, command: &str) -> String {
        if self.is_root() { command.into() } else { program::as_root(command, self.way.as_deref()) }
    }

    /// Several commands for the administrator: what comes first, and what stands before each of them.
    fn commands(&self) -> (Vec<String>, String) {
        match self.way.as_deref().map(program::prefix) {
            _ if self.is_root() => (Vec::new(), String::new()),
            Some(Some(prefix)) => (Vec::new(), format!("{prefix} ")),
            _ => (vec!["su -".into()], String::new()),
        }
    }

    /// This program as root, for those who are not.
    pub(super) fn as_root(&self, lang: Lang) -> String {
        let command = program::as_root(&self.program, self.way.as_deref());
        match self.way {
            Some(_) => lang.pick(format!("run it as root: {command}"), format!("以 root 运行：{command}")),
            None => lang.pick(
                format!("log in as root, and start it there: {command}"),
                format!("以 root 登录后再启动：{command}"),
            ),
        }
    }

    /// How a container like this one is started with all rights.
    fn privileged(&self, lang: Lang) -> String {
        let command = match self.container.as_ref().map(|container| container.maker) {
            Some(Maker::Podman) => "podman run --privileged",
            Some(Maker::Kubernetes) => "securityContext: { privileged: true }",
            Some(Maker::Lxc) => "lxc config set NAME security.nesting true",
            _ => "docker run --privileged",
        };
        lang.pick(format!("{command}, or a virtual machine of your own"), format!("{command}，或者自己的虚拟机"))
    }

    /// What gives more rights. Root is never told to become root.
    pub(super) fn more_rights(&self, lang: Lang) -> Remedy {
        let outside = || {
            let privileged = self.privileged(lang);
            lang.pick(
                format!("the container around boxwright withholds it: {privileged}"),
                format!("外层容器没有授予这项权限：{privileged}"),
            )
        };
        match (self.who, &self.container) {
            (Who::User, None) => self.as_root(lang),
            (Who::User, Some(_)) => {
                format!("{}{}{}", self.as_root(lang), lang.pick("; if that does not help: ", "；如果不行："), outside())
            }
            (_, Some(_)) => outside(),
            (Who::RootWithin, None) => lang
                .pick(
                    "you are root of a user namespace only: start boxwright outside of it",
                    "你只是某个用户命名空间里的 root：请在它外面启动 boxwright",
                )
                .into(),
            (Who::Root, None) => lang
                .pick(
                    "even root is refused: by the program that started boxwright (a container, a sandboxed service) or by a security module (journalctl -k)",
                    "连 root 也被拒绝：可能是启动 boxwright 的环境（容器、受限的服务），也可能是安全模块（journalctl -k）",
                )
                .into(),
        }
        .into()
    }

    /// What helps against a refused call, in the order of how specific the cause is. `kind` is the namespace asked for.
    pub(super) fn refused(&self, errno: Option<Errno>, kind: Option<Kind>, lang: Lang) -> Remedy {
        let user = self.who == Who::User;
        match errno {
            Some(Errno::ENOSPC) => self.too_many(kind, lang),
            Some(Errno::EINVAL | Errno::ENOSYS | Errno::ENODEV) if self.wsl1() => {
                lang.pick("WSL 1 has none: use WSL 2", "WSL 1 没有：请用 WSL 2").into()
            }
            Some(Errno::EINVAL | Errno::ENODEV) => {
                lang.pick("this kernel was built without it", "这个内核没有编入此功能").into()
            }
            Some(Errno::ENOSYS) | None => lang
                .pick(
                    "a seccomp filter or this kernel does not let the call through",
                    "seccomp 过滤器或内核不放行这个调用",
                )
                .into(),
            Some(Errno::EPERM | Errno::EACCES)
                if user && self.sysctl("kernel.unprivileged_userns_clone") == Some("0") =>
            {
                self.switch("kernel.unprivileged_userns_clone", "0", "1", lang)
            }
            Some(Errno::EPERM | Errno::EACCES)
                if user && self.sysctl("kernel.apparmor_restrict_unprivileged_userns") == Some("1") =>
            {
                self.apparmor(lang)
            }
            Some(Errno::EPERM) if kind == Some(Kind::User) && attempt("whole").is_err_and(|failure| failure.call == "chroot") => lang
                .pick(
                    "in a chroot the kernel makes no user namespace (user_namespaces(7)): start boxwright outside of it, or make the directory the root with pivot_root",
                    "在 chroot 里内核不创建用户命名空间（user_namespaces(7)）：在它外面启动 boxwright，或用 pivot_root 把目录变成根",
                )
                .into(),
            Some(_) => self.more_rights(lang),
        }
    }

    /// A sysctl that is closed, and how it is opened.
    fn switch(&self, name: &str, now: &str, then: &str, lang: Lang) -> Remedy {
        let command = self.command(&format!("sysctl -w {name}={then}"));
        match self.who {
            Who::User => {
                let root = self.as_root(lang);
                lang.pick(
                    format!("{name} = {now}: {root}, or: {command}"),
                    format!("{name} = {now}：{root}，或者：{command}"),
                )
            }
            _ => format!("{name} = {now}: {command}"),
        }
        .into()
    }

    /// unshare's "no space" is a limit on the number of namespaces, and the user namespace has its own.
    fn too_many(&self, kind: Option<Kind>, lang: Lang) -> Remedy {
        let limits =
            kind.into_iter().chain([Kind::User]).map(|kind| format!("user.max_{}_namespaces", kind.row().link));
        let limits = limits.filter_map(|name| Some((self.sysctl(&name)?.to_string(), name)));
        match limits.min_by_key(|(value, _)| value.parse().unwrap_or(u64::MAX)) {
            Some((value, name)) if value == "0" => self.switch(&name, &value, &SOME_NAMESPACES.to_string(), lang),
            limit => {
                let why = causes::cause("unshare", Errno::ENOSPC, &[], lang).unwrap_or_default();
                limit.map_or(why.into(), |(value, name)| format!("{why}; {name} = {value}")).into()
            }
        }
    }

    /// Ubuntu's rule lets a program make a user namespace, and gives it no capability there unless a profile says
    /// `userns`.
    fn apparmor(&self, lang: Lang) -> Remedy {
        let root = self.as_root(lang);
        let what = lang.pick(
            format!("Ubuntu's policy (kernel.apparmor_restrict_unprivileged_userns = 1): {root}; or give this program an AppArmor profile:"),
            format!("Ubuntu 的策略（kernel.apparmor_restrict_unprivileged_userns = 1）：{root}；或给这个程序一份 AppArmor 配置："),
        );
        let file = "/etc/apparmor.d/boxwright";
        let program = self.program.trim_matches('\'');
        let (mut lines, sudo) = self.commands();
        lines.extend([
            format!("{sudo}tee {file} <<'END'"),
            "abi <abi/4.0>,".into(),
            "include <tunables/global>".into(),
            format!("profile boxwright \"{program}\" flags=(unconfined) {{"),
            "  userns,".into(),
            "}".into(),
            "END".into(),
            format!("{sudo}apparmor_parser -r {file}"),
        ]);
        Remedy::with(what, lines)
    }

    /// What lets a new `/proc` be mounted. Where parts of the old one are covered, as container runtimes do, the kernel
    /// allows no new one that would show them (mount_too_revealing in fs/namespace.c).
    pub(super) fn new_proc(&self, errno: Option<Errno>, lang: Lang) -> Remedy {
        if errno != Some(Errno::EPERM) || self.covered.is_empty() {
            return self.refused(errno, Some(Kind::Mnt), lang);
        }
        let covered = match self.covered.as_slice() {
            [first, rest @ ..] if !rest.is_empty() => format!("{first} +{}", rest.len()),
            covered => covered.join(" "),
        };
        let why = lang.pick(
            format!("parts of /proc are covered here ({covered}), so the kernel refuses a new one"),
            format!("这里的 /proc 有部分被遮住（{covered}），内核因此拒绝新的"),
        );
        let uncovered = match self.container.as_ref().map(|container| container.maker) {
            Some(Maker::Podman) => "podman run --security-opt unmask=ALL".to_string(),
            Some(Maker::Kubernetes) => "securityContext: { procMount: Unmasked }".to_string(),
            Some(_) => lang.pick(
                "docker run --security-opt systempaths=unconfined (in devcontainer.json: \"runArgs\": [\"--security-opt\", \"systempaths=unconfined\"])".to_string(),
                "docker run --security-opt systempaths=unconfined（devcontainer.json 里：\"runArgs\": [\"--security-opt\", \"systempaths=unconfined\"]）".to_string(),
            ),
            None if self.who == Who::User => self.as_root(lang),
            None => self.command(&format!("umount {}", self.covered.join(" "))),
        };
        format!("{why}; {uncovered}").into()
    }

    /// What makes us root of the machine itself.
    pub(super) fn machine_root(&self, lang: Lang) -> Remedy {
        let needs = lang.pick(
            "this needs root of the machine itself, not only of a user namespace",
            "需要机器本身的 root，只在用户命名空间里当 root 还不够",
        );
        let colon = lang.pick(": ", "：");
        let how = match (self.who, &self.container) {
            (Who::User, None) => self.as_root(lang),
            (Who::User, Some(_)) => self.more_rights(lang).what,
            (Who::RootWithin, Some(_)) => lang
                .pick(
                    "start boxwright outside of this container, or in a virtual machine of your own",
                    "请在这个容器外面，或在自己的虚拟机里启动 boxwright",
                )
                .into(),
            (Who::RootWithin, None) => lang.pick("start boxwright outside of it", "请在它外面启动 boxwright").into(),
            (Who::Root, _) => self.more_rights(lang).what,
        };
        format!("{needs}{colon}{how}").into()
    }

    /// What makes a controller usable.
    pub(super) fn controller(&self, name: &str, why: &Unusable, lang: Lang) -> Remedy {
        match why {
            Unusable::Unknown(_) => lang
                .pick("mount the kernel's own tables: mount -t proc proc /proc", "挂载内核自己的表：mount -t proc proc /proc")
                .into(),
            Unusable::Absent => lang.pick(
                "another kernel has it: a virtual machine of your own, or on Windows an update of WSL; the other lessons work",
                "需要换一个内核：用自己的虚拟机，在 Windows 上请更新 WSL；其他课程不受影响",
            )
            .into(),
            Unusable::SwitchedOff => lang.pick(
                "remove that option from the kernel's command line (or override it there with cgroup_enable=), and start again",
                "从内核命令行去掉这个选项（或用 cgroup_enable= 覆盖），然后重新启动",
            )
            .into(),
            Unusable::FromOutside(version, point) => {
                let point = program::word(&point.to_string_lossy());
                let kind = if *version == 1 { format!("-t cgroup -o {name} cgroup") } else { "-t cgroup2 cgroup2".into() };
                let commands = format!("umount {point}; mount {kind} {point}");
                lang.pick(
                    format!("in a mount namespace of your own (unshare -m) mount it again: {commands}"),
                    format!("在自己的挂载命名空间里（unshare -m）重新挂载：{commands}"),
                )
                .into()
            }
            Unusable::NotMounted if self.container.is_some() => {
                let privileged = self.privileged(lang);
                lang.pick(
                    format!("a container gets it when it is started: {privileged}; the other lessons work"),
                    format!("容器要在启动时得到它：{privileged}；其他课程不受影响"),
                )
                .into()
            }
            Unusable::NotMounted => {
                let command = self.command("mount -t cgroup2 cgroup2 /sys/fs/cgroup");
                lang.pick(format!("mount it: {command}"), format!("挂载它：{command}")).into()
            }
            Unusable::NotHandedDown(level) => self.not_handed_down(name, level, lang),
            Unusable::ReadOnly(top) => {
                let privileged = self.privileged(lang);
                let remount = self.command(&format!("mount -o remount,rw,bind {}", program::word(&top.to_string_lossy())));
                match self.container {
                    Some(_) => lang.pick(
                        format!("a container gets it to write when it is started: {privileged}; the other lessons work"),
                        format!("容器要在启动时得到写权限：{privileged}；其他课程不受影响"),
                    ),
                    None => lang.pick(
                        format!("{remount}; around a container: {privileged}; the other lessons work"),
                        format!("{remount}；如果外面是容器：{privileged}；其他课程不受影响"),
                    ),
                }
                .into()
            }
            Unusable::Denied(_, version) => self.group_of_ones_own(*version, lang),
            Unusable::Occupied(..) if self.systemd && self.who == Who::User => self.group_of_ones_own(2, lang),
            Unusable::Occupied(..) if self.systemd => {
                let command = format!("systemd-run --scope -p Delegate=yes {}", self.program);
                let what = lang.pick("start boxwright alone in a group", "让 boxwright 独自在一个组里启动");
                format!("{what}{}{command}", lang.pick(": ", "：")).into()
            }
            Unusable::Occupied(dir, _) => self.move_them(dir, lang),
        }
    }

    /// A group of their own for a user, and whoever cannot have one becomes root.
    fn group_of_ones_own(&self, version: u8, lang: Lang) -> Remedy {
        if self.who != Who::User {
            return self.more_rights(lang);
        }
        let root = self.as_root(lang);
        if version == 1 || !self.systemd {
            return match self.container {
                Some(_) => self.more_rights(lang),
                None => root.into(),
            };
        }
        let or = lang.pick("; or ", "；或者");
        match self.manager {
            Manager::Here => {
                let command = format!("systemd-run --user --scope -p Delegate=yes {}", self.program);
                lang.pick(
                    format!("{root}; or in a group of your own: {command}"),
                    format!("{root}；或在自己的组里启动：{command}"),
                )
                .into()
            }
            Manager::Unnamed => {
                let command = format!("XDG_RUNTIME_DIR=/run/user/{} {}", self.uid, self.program);
                lang.pick(
                    format!("{root}; or tell it where your systemd is: {command}"),
                    format!("{root}；或告诉它你的 systemd 在哪里：{command}"),
                )
                .into()
            }
            Manager::None => {
                let shell = self.command(&format!("machinectl shell {}@", self.user));
                let what = lang.pick(
                    format!("systemd gives groups to those who log in, which su, sudo -u and cron do not: log in by ssh or on a console; or {shell}{or}{root}; or keep a manager for this user:"),
                    format!("systemd 只给登录的用户分组，su、sudo -u 和 cron 都不算登录：用 ssh 或在控制台登录；或 {shell}{or}{root}；或让这个用户的管理器一直运行："),
                );
                let lines = vec![
                    self.command(&format!("loginctl enable-linger {}", self.user)),
                    format!("XDG_RUNTIME_DIR=/run/user/{} {}", self.uid, self.program),
                ];
                Remedy::with(what, lines)
            }
        }
    }

    /// A controller that stops above us: on Ubuntu 22.04 systemd gives users `memory` and `pids` alone.
    fn not_handed_down(&self, name: &str, level: &Path, lang: Lang) -> Remedy {
        if self.systemd && self.who == Who::User {
            let root = self.as_root(lang);
            let what = lang.pick(
                format!("{root}; or let systemd give it to all users, and log in again:"),
                format!("{root}；或让 systemd 把它交给所有用户，然后重新登录："),
            );
            let dir = "/etc/systemd/system/user@.service.d";
            let (mut lines, sudo) = self.commands();
            lines.extend([
                format!("{sudo}mkdir -p {dir}"),
                format!("{sudo}tee {dir}/delegate.conf <<'END'"),
                "[Service]".into(),
                "Delegate=cpu cpuset io memory pids".into(),
                "END".into(),
                format!("{sudo}systemctl daemon-reload"),
            ]);
            return Remedy::with(what, lines);
        }
        if self.systemd {
            let command = format!("systemd-run --scope -p Delegate=yes {}", self.program);
            return lang.pick(format!("ask systemd for it: {command}"), format!("向 systemd 申请：{command}")).into();
        }
        let above = level.parent().unwrap_or(level).join("cgroup.subtree_control");
        match &self.container {
            Some(_) => lang
                .pick(
                    format!("what is around this container keeps {name}: its administrator can hand it down"),
                    format!("容器外面没有把 {name} 交进来：需要外面的管理员授予"),
                )
                .into(),
            None => {
                let write = format!("echo +{name} >{}", program::word(&above.to_string_lossy()));
                let line =
                    if self.is_root() { write } else { self.command(&format!("sh -c {}", program::word(&write))) };
                lang.pick(format!("the group above has to hand it down: {line}"), format!("要由上级组交下来：{line}"))
                    .into()
            }
        }
    }

    /// A group with processes hands nothing down: they have to go into one below it. In a container that is what the
    /// docker-in-docker image does when it starts.
    fn move_them(&self, dir: &Path, lang: Lang) -> Remedy {
        let (dir, program) = (dir.to_string_lossy(), &self.program);
        let below = format!("{dir}/{}", super::fix::GROUP);
        let lines = vec![
            format!("mkdir {}", program::word(&below)),
            format!(
                "xargs -rn1 <{} >{}",
                program::word(&format!("{dir}/cgroup.procs")),
                program::word(&format!("{below}/cgroup.procs"))
            ),
        ];
        let what = match self.container {
            Some(_) => lang.pick(
                format!("{program} doctor --fix moves them into a group below, as docker-in-docker does; or let boxwright be the container's first process: docker run -it --privileged IMAGE {program}; by hand:"),
                format!("{program} doctor --fix 会像 docker-in-docker 那样把它们移到下级组；或让 boxwright 做容器的第一个进程：docker run -it --privileged 镜像 {program}；手工做法："),
            ),
            None => lang.pick(
                "end them, or move your own into a group below:".to_string(),
                "结束它们，或把属于你的移到下级组：".to_string(),
            ),
        };
        Remedy::with(what, lines)
    }
}
