//! What kind of machine this is, and the remedy that fits it for a call that was refused.

use super::{Level, Row};
use crate::kernel::namespaces::Kind;
use crate::lang::Lang;
use nix::errno::Errno;
use std::path::Path;

/// Capabilities that lessons use (capabilities(7)), with their bit.
const CAPABILITIES: [(&str, u32); 6] = [
    ("CAP_SYS_ADMIN", 21),
    ("CAP_SYS_CHROOT", 18),
    ("CAP_NET_ADMIN", 12),
    ("CAP_SYS_PTRACE", 19),
    ("CAP_MKNOD", 27),
    ("CAP_CHOWN", 0),
];

/// The facts that decide which remedy helps.
#[derive(Clone, Debug, Default)]
pub struct Machine {
    /// The effective user is root (of this user namespace).
    pub root: bool,
    capabilities: u64,
    seccomp: u64,
    no_new_privs: bool,
    release: String,
    /// The file that gives a container away.
    pub(super) container: Option<&'static str>,
}

/// Reads one field of `/proc/PID/status`.
fn status_field<'a>(status: &'a str, name: &str) -> Option<&'a str> {
    Some(status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?.trim())
}

/// A sysctl's value; `None` where this kernel does not have the file. A file that is absent is never proposed.
pub fn sysctl(name: &str) -> Option<String> {
    let value = std::fs::read_to_string(Path::new("/proc/sys").join(name.replace('.', "/"))).ok()?;
    Some(value.trim().to_string())
}

/// Major and minor version of a kernel release such as `6.1.0-18-amd64`.
fn version(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

impl Machine {
    /// Reads the facts.
    pub fn read() -> Machine {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let field = |name: &str| status_field(&status, name).unwrap_or_default();
        Machine {
            root: nix::unistd::geteuid().is_root(),
            capabilities: u64::from_str_radix(field("CapEff"), 16).unwrap_or(0),
            seccomp: field("Seccomp").parse().unwrap_or(0),
            no_new_privs: field("NoNewPrivs") == "1",
            release: sysctl("kernel.osrelease").unwrap_or_default(),
            container: ["/.dockerenv", "/run/.containerenv"].into_iter().find(|path| Path::new(path).exists()),
        }
    }

    /// Whether a container is around us.
    pub fn contained(&self) -> bool {
        self.container.is_some()
    }

    /// WSL1 translates Linux calls and has no namespaces; WSL2 is a real kernel (`…-microsoft-standard-WSL2`).
    fn wsl1(&self) -> bool {
        self.release.ends_with("-Microsoft")
    }

    /// The rows about privileges and the kernel.
    pub fn rows(&self, lang: Lang) -> Vec<Row> {
        let lacking: Vec<&str> =
            CAPABILITIES.iter().filter(|(_, bit)| self.capabilities & (1 << bit) == 0).map(|(name, _)| *name).collect();
        let user = lang.pick("privileges", "权限");
        let mut found = if self.root { "root".to_string() } else { format!("uid {}", nix::unistd::geteuid()) };
        if self.seccomp != 0 {
            found += &format!(", Seccomp {}", self.seccomp);
        }
        if self.no_new_privs {
            found += ", NoNewPrivs 1";
        }
        if let Some(file) = self.container {
            found += &format!(", {} ({file})", lang.pick("in a container", "在容器里"));
        }
        let privileges = match (self.root, lacking.is_empty()) {
            (true, true) => Row::ok(user, found),
            (true, false) => {
                let found = format!("{found}, {} {}", lang.pick("without", "缺少"), lacking.join(" "));
                Row::bad(Level::Limited, user, found, self.more_rights(lang))
            }
            (false, _) => Row::bad(Level::Limited, user, found, self.more_rights(lang)),
        };
        vec![privileges, self.kernel(lang)]
    }

    fn kernel(&self, lang: Lang) -> Row {
        let (name, release) = (lang.pick("kernel", "内核"), &self.release);
        let needs = lang.pick("boxwright is made for Linux 5.3 and newer", "boxwright 适用于 Linux 5.3 及更新的内核");
        match version(release) {
            _ if self.wsl1() => {
                let convert = lang.pick(
                    "WSL 1 has no namespaces; convert it: wsl --set-version NAME 2",
                    "WSL 1 没有命名空间；请转换：wsl --set-version 名称 2",
                );
                Row::bad(Level::Missing, name, format!("{release} (WSL 1)"), convert).needed_by(&super::LESSONS)
            }
            Some(version) if version >= (5, 3) => Row::ok(name, format!("Linux {release}")),
            _ => Row::bad(Level::Limited, name, format!("Linux {release}"), needs),
        }
    }

    fn more_rights(&self, lang: Lang) -> String {
        let outside = lang.pick(
            "the container around boxwright withholds it: docker run --privileged, or a virtual machine of your own",
            "外层容器不给这项权利：用 docker run --privileged，或者自己的虚拟机",
        );
        let sudo = lang.pick("run it as root: sudo boxwright", "以 root 运行：sudo boxwright");
        match (self.root, self.container) {
            (true, _) => outside.into(),
            (false, None) => sudo.into(),
            (false, Some(_)) => format!("{sudo}{}{outside}", lang.pick("; if that does not help: ", "；如果不行：")),
        }
    }

    /// What helps against a refusal, in the order of how specific the cause is. `kind` is the namespace asked for.
    pub fn remedy(&self, errno: Option<Errno>, kind: Option<Kind>, lang: Lang) -> String {
        let is = |name: &str, value: &str| sysctl(name).as_deref() == Some(value);
        match errno {
            Some(Errno::ENOSPC) => {
                // unshare's "no space" is a limit on the number of namespaces, and the user namespace has its own.
                let limits = kind.into_iter().chain([Kind::User]).map(|kind| format!("user.max_{}_namespaces", kind.row().link));
                let limit = limits.filter_map(|name| Some((sysctl(&name)?, name))).min_by_key(|(value, _)| value.parse().unwrap_or(u64::MAX));
                let why = lang.pick("not the disk: a limit on namespaces, or they are nested too deeply", "不是磁盘满：是命名空间数量的限制，或嵌套太深");
                limit.map_or(why.into(), |(value, name)| format!("{why}; {name} = {value}"))
            }
            Some(Errno::EINVAL | Errno::ENOSYS | Errno::ENODEV) if self.wsl1() => lang.pick("WSL 1 has none: use WSL 2", "WSL 1 没有：请用 WSL 2").into(),
            Some(Errno::EINVAL | Errno::ENODEV) => lang.pick("this kernel was built without it", "这个内核没有编入此功能").into(),
            Some(Errno::ENOSYS) | None => lang.pick("a seccomp filter or this kernel does not let the call through", "seccomp 过滤器或内核不放行这个调用").into(),
            Some(Errno::EPERM | Errno::EACCES) if !self.root && is("kernel.unprivileged_userns_clone", "0") => lang
                .pick(
                    "kernel.unprivileged_userns_clone = 0: sudo boxwright, or ask the administrator to set it to 1",
                    "kernel.unprivileged_userns_clone = 0：用 sudo boxwright，或请管理员改为 1",
                )
                .into(),
            Some(Errno::EPERM | Errno::EACCES)
                if !self.root && is("kernel.apparmor_restrict_unprivileged_userns", "1") =>
            {
                lang.pick(
                    "Ubuntu's policy (kernel.apparmor_restrict_unprivileged_userns = 1): sudo boxwright, or an AppArmor profile with userns for this one program",
                    "Ubuntu 的策略（kernel.apparmor_restrict_unprivileged_userns = 1）：用 sudo boxwright，或只给这一个程序写带 userns 的 AppArmor 配置",
                )
                .into()
            }
            Some(_) => self.more_rights(lang),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_is_recognised() {
        let kernel = |release: &str| Machine { release: release.into(), ..Machine::default() }.kernel(Lang::En).level;
        assert_eq!(version("6.1.0-18-amd64"), Some((6, 1)));
        assert_eq!(kernel("4.4.0-19041-Microsoft"), Level::Missing);
        assert_eq!(kernel("5.15.90.1-microsoft-standard-WSL2"), Level::Ok);
        assert_eq!(kernel("4.19.0"), Level::Limited);
        assert_eq!(kernel(""), Level::Limited);
    }

    #[test]
    fn root_is_never_told_to_become_root_and_absent_sysctls_are_not_named() {
        let root = Machine { root: true, ..Machine::default() };
        let remedy = root.remedy(Some(Errno::EPERM), Some(Kind::Uts), Lang::En);
        assert!(!remedy.contains("sudo") && remedy.contains("container"), "{remedy}");
        if sysctl("kernel.unprivileged_userns_clone").is_none() {
            let user = Machine::default().remedy(Some(Errno::EPERM), Some(Kind::Uts), Lang::En);
            assert!(!user.contains("kernel.unprivileged_userns_clone"), "{user}");
        }
        let space = root.remedy(Some(Errno::ENOSPC), Some(Kind::Pid), Lang::En);
        assert!(space.contains("not the disk"), "{space}");
    }

    #[test]
    fn fields_of_status_are_found() {
        assert_eq!(status_field("Name:\tx\nSeccomp:\t2\nSeccomp_filters:\t1\n", "Seccomp"), Some("2"));
    }
}
