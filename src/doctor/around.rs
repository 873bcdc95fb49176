//! The row on what is around this program: the machine itself, WSL 2, a container, a workstation in a cloud, a chroot.

use super::{Level, Row, container::Container, facts::Facts};
use crate::{
    kernel::{mountinfo, namespaces},
    lang::Lang,
};
use std::{os::unix::fs::MetadataExt, path::Path};

/// What is looked at besides the facts of the machine.
#[derive(Clone, Copy, Debug, Default)]
struct Signs {
    /// GitHub says that this is one of its workstations.
    codespaces: bool,
    /// The root directory is not that of the mount namespace: chroot(2) was called.
    chroot: bool,
}

pub(super) fn row(facts: &Facts, lang: Lang) -> Row {
    let codespaces = std::env::var_os("CODESPACES").is_some_and(|value| value == "true");
    tell(&facts.release, facts.container.as_ref(), Signs { codespaces, chroot: is_chroot() }, lang)
}

/// Whether `/` is the root of no mount here, or another directory than process 1 has in the same mount namespace.
fn is_chroot() -> bool {
    let seen = mountinfo::own();
    if !seen.is_empty() && !seen.iter().any(|mount| mount.point == "/") {
        return true;
    }
    let mounts = |pid: &str| namespaces::read_link(&Path::new("/proc").join(pid).join("ns/mnt")).ok();
    let place = |path: &str| std::fs::metadata(path).ok().map(|root| (root.dev(), root.ino()));
    let together = mounts("self").is_some_and(|own| mounts("1") == Some(own));
    together && place("/proc/1/root/").zip(place("/")).is_some_and(|(first, own)| first != own)
}

fn tell(release: &str, container: Option<&Container>, signs: Signs, lang: Lang) -> Row {
    let check = lang.pick("around it", "所处环境");
    if signs.chroot {
        let found = lang.pick(
            "a chroot: no user namespace can be made here (EPERM), and pivot_root needs a mount point as the root",
            "chroot：这里不能创建用户命名空间（EPERM），pivot_root 也要求根目录是挂载点",
        );
        let leave = lang.pick(
            "start it outside of the chroot, or enter the tree with systemd-nspawn",
            "在 chroot 之外启动，或用 systemd-nspawn 进入这棵目录树",
        );
        return Row::bad(Level::Limited, check, found, leave);
    }
    let found = match container {
        Some(container) if signs.codespaces => {
            let sign = &container.sign;
            lang.pick(
                format!("GitHub Codespaces (CODESPACES=true), which is a container ({sign})"),
                format!("GitHub Codespaces（CODESPACES=true），它是一个容器（{sign}）"),
            )
        }
        Some(container) => {
            let (maker, sign) = (format!("{:?}", container.maker), &container.sign);
            lang.pick(format!("a container ({maker}: {sign})"), format!("容器（{maker}：{sign}）"))
        }
        None if release.contains("icrosoft") => {
            lang.pick(format!("WSL 2 (Linux {release})"), format!("WSL 2（Linux {release}）"))
        }
        None => lang.pick("the machine itself: no container, no chroot", "机器本身：不是容器，也不是 chroot").into(),
    };
    Row::ok(check, found)
}

#[cfg(test)]
mod tests {
    use super::super::container::Maker;
    use super::*;

    #[test]
    fn what_is_around_is_named() {
        let docker = Container { maker: Maker::Docker, sign: "/.dockerenv".into() };
        let none = Signs::default();
        for (release, container, signs, wanted) in [
            ("6.12.0", None, none, "the machine itself"),
            ("5.15.90.1-microsoft-standard-WSL2", None, none, "WSL 2 (Linux 5.15.90.1"),
            ("6.12.0", Some(&docker), none, "a container (Docker: /.dockerenv)"),
            ("6.8.0-azure", Some(&docker), Signs { codespaces: true, ..none }, "GitHub Codespaces"),
            ("6.12.0", None, Signs { chroot: true, ..none }, "a chroot"),
        ] {
            let row = tell(release, container, signs, Lang::En);
            assert!(row.found.starts_with(wanted), "{}", row.found);
            assert_eq!(row.level == Level::Ok, !signs.chroot && row.remedy.is_none());
        }
        assert!(!is_chroot() || std::fs::metadata("/proc/1/root/").is_ok(), "read on this machine without a fault");
    }
}
