//! What to do about what is missing, in words that are true on this machine: they follow whose root we are, whether
//! systemd is there, and whether a container is around us; and they name this program by its own path.

mod groups;

use super::{
    attempt::Failure,
    container::Maker,
    facts::{Facts, Who},
};
use crate::{
    kernel::{errno_causes, namespaces::Kind, program},
    lang::Lang,
};
use nix::errno::Errno;

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
            Some(Errno::EPERM) if kind == Some(Kind::User) && (self.chroot.0)() => lang
                .pick(
                    "in a chroot the kernel makes no user namespace (user_namespaces(7)): start boxwright outside of it, or make the directory the root with pivot_root",
                    "在 chroot 里内核不创建用户命名空间（user_namespaces(7)）：在它外面启动 boxwright，或用 pivot_root 把目录变成根",
                )
                .into(),
            Some(_) => self.more_rights(lang),
        }
    }

    /// What to do about a trial that failed, of which `kind` is the namespace that it was for. The call that failed decides: an
    /// ordinary user gets each namespace together with a user namespace.
    pub(super) fn failed(&self, failure: &Failure, kind: Option<Kind>, lang: Lang) -> Remedy {
        let user = failure.errno() == Some(Errno::EPERM) && failure.call.contains(Kind::User.row().flag_name);
        self.refused(failure.errno(), if user { Some(Kind::User) } else { kind }, lang)
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
                let why = errno_causes::cause("unshare", Errno::ENOSPC, &[], lang).unwrap_or_default();
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
}
