//! Whether a container is around this program, and of which kind: by its namespaces first, because files that an image
//! left behind also lie on machines that were made from it.

use crate::kernel::text;
use procfs::process::Process;
use std::{collections::BTreeMap, ffi::OsStr, path::Path};

/// Who makes such containers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Maker {
    Docker,
    Podman,
    Kubernetes,
    Lxc,
    Other,
}

/// A container around this program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Container {
    pub maker: Maker,
    /// What gives it away.
    pub sign: String,
}

/// What is looked at.
#[derive(Clone, Debug, Default)]
pub(super) struct Signs {
    /// Those of [`FILES`] that are there.
    pub files: Vec<&'static str>,
    /// `container=` in the environment of ourselves or of PID 1, or what systemd wrote down of it.
    pub named: Option<String>,
    /// Whether Kubernetes tells of its API server.
    pub kubernetes: bool,
    /// The inodes of our own namespaces, by link name.
    pub namespaces: BTreeMap<&'static str, u64>,
    /// The kernel's release.
    pub release: String,
}

/// Files that the makers put into each container.
const FILES: [(&str, Maker); 3] =
    [("/run/.containerenv", Maker::Podman), ("/.dockerenv", Maker::Docker), ("/dev/lxd/sock", Maker::Lxc)];

/// The inodes of the first namespaces, which are part of the kernel's interface (include/uapi/linux/nsfs.h).
const FIRST: [(&str, u64); 4] =
    [("cgroup", 0xEFFF_FFFB), ("pid", 0xEFFF_FFFC), ("uts", 0xEFFF_FFFE), ("ipc", 0xEFFF_FFFF)];

impl Signs {
    /// Reads them.
    pub(super) fn read() -> Signs {
        let inode = |link: &'static str| {
            let read = crate::kernel::namespaces::read_link(&Path::new("/proc/self/ns").join(link)).ok()?;
            Some((link, read))
        };
        let of_first = || {
            let environment = Process::new(1).and_then(|process| process.environ()).ok()?;
            Some(environment.get(OsStr::new("container"))?.to_string_lossy().into_owned())
        };
        let written = || text::read("/run/systemd/container").ok();
        let named = std::env::var("container").ok().or_else(of_first).or_else(written);
        Signs {
            files: FILES.iter().map(|(path, _)| *path).filter(|path| Path::new(path).exists()).collect(),
            named: named.map(|name: String| name.trim().to_string()).filter(|name| !name.is_empty()),
            kubernetes: std::env::var_os("KUBERNETES_SERVICE_HOST").is_some(),
            namespaces: FIRST.iter().filter_map(|(link, _)| inode(link)).collect(),
            release: super::facts::release(),
        }
    }

    /// The container that they speak of.
    pub(super) fn container(&self) -> Option<Container> {
        let apart = |link: &str| {
            FIRST.iter().any(|(name, first)| *name == link && self.namespaces.get(link).is_some_and(|n| n != first))
        };
        if !FIRST.iter().any(|(link, _)| apart(link)) {
            return None;
        }
        let by_file = || {
            let (path, maker) = FILES.iter().find(|(path, _)| self.files.contains(path))?;
            Some(Container { maker: *maker, sign: (*path).into() })
        };
        let by_name = || {
            let name = self.named.as_deref()?;
            let maker = match name {
                "docker" => Maker::Docker,
                "podman" => Maker::Podman,
                "lxc" | "lxc-libvirt" => Maker::Lxc,
                _ => Maker::Other,
            };
            Some(Container { maker, sign: format!("container={name}") })
        };
        let kubernetes = || {
            let sign = "KUBERNETES_SERVICE_HOST".to_string();
            self.kubernetes.then_some(Container { maker: Maker::Kubernetes, sign })
        };
        // Each distribution under WSL lives in namespaces of its own, and is none all the same.
        let unnamed = || {
            let link = ["pid", "cgroup"].into_iter().find(|link| apart(link))?;
            let sign = format!("/proc/self/ns/{link}");
            (!self.release.contains("icrosoft")).then_some(Container { maker: Maker::Other, sign })
        };
        kubernetes().or_else(by_file).or_else(by_name).or_else(unnamed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signs(apart: &[&'static str]) -> Signs {
        let inode =
            |(link, first): &(&'static str, u64)| (*link, if apart.contains(link) { 4_026_532_999 } else { *first });
        Signs { namespaces: FIRST.iter().map(inode).collect(), ..Signs::default() }
    }

    #[test]
    fn a_container_is_known_by_its_namespaces_and_named_by_its_signs() {
        let maker = |signs: Signs| signs.container().map(|container| container.maker);
        let docker = vec!["/.dockerenv"];
        assert_eq!(maker(signs(&[])), None);
        assert_eq!(maker(Signs { files: docker.clone(), ..signs(&[]) }), None, "a machine made from an image");
        assert_eq!(maker(Signs { files: docker.clone(), ..signs(&["pid", "uts"]) }), Some(Maker::Docker));
        assert_eq!(maker(Signs { files: docker, ..signs(&["uts", "ipc"]) }), Some(Maker::Docker), "--pid=host, v1");
        assert_eq!(maker(Signs { named: Some("lxc".into()), ..signs(&["pid"]) }), Some(Maker::Lxc));
        assert_eq!(maker(Signs { named: Some("systemd-nspawn".into()), ..signs(&["pid"]) }), Some(Maker::Other));
        let pod = Signs { kubernetes: true, files: vec!["/.dockerenv"], ..signs(&["pid"]) };
        assert_eq!(maker(pod), Some(Maker::Kubernetes));
        assert_eq!(maker(signs(&["pid"])), Some(Maker::Other), "containerd leaves no sign");
        assert_eq!(maker(signs(&["ipc"])), None, "a unit with PrivateIPC=");
        assert_eq!(maker(Signs { release: "5.15.90.1-microsoft-standard-WSL2".into(), ..signs(&["pid"]) }), None);
    }
}
