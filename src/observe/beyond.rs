//! The second row of the scorecard: what tools add to the four properties. Read off a sample, as the first row is.

use super::{Reader, Sample, files};
use crate::kernel::{capabilities, namespaces::Kind, pid::Pid};
use serde::Serialize;

/// The three properties: as JSON names it, and its name in English and Chinese.
pub(crate) const BEYOND: [(&str, &str, &str); 3] = [
    ("reachable", "reachable", "可连通"),
    ("rootless", "rootless", "免 root"),
    ("least_privilege", "least privilege", "最小权限"),
];

/// What the kernel says about each, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub(crate) struct Beyond {
    /// It has a network interface besides loopback that is up and has an address.
    pub reachable: bool,
    /// It does not run as root of the host, whatever its user inside.
    pub rootless: bool,
    /// It can get no capability that Docker does not leave to a container, is under a filter, cannot get at the kernel's files in
    /// `/proc`, and has no devices but the usual ones.
    pub least_privilege: bool,
    /// Such interfaces, with their first addresses.
    pub interfaces: Vec<String>,
    /// Its effective user ID, as the host sees it.
    pub uid: Option<u32>,
    /// Capabilities that it has, or may get, and that a container of Docker's lacks.
    pub more_capabilities: Vec<String>,
    /// How many of `CapBnd` it has.
    pub bounding: Option<u32>,
    /// Mounts that hide or protect a part of `/proc`.
    pub masks: usize,
    /// Devices in `/dev` besides those that every container gets; `None` where they are unknown.
    pub devices: Option<Vec<String>>,
}

/// Reads the second row off a sample and the device nodes that were found.
pub(crate) fn beyond(sample: &Sample, devices: Option<Vec<String>>) -> Beyond {
    let linked = sample.inside.interfaces.iter().filter(|interface| interface.name != "lo" && interface.up);
    let interfaces = linked.filter_map(|it| Some(format!("{} {}", it.name, it.addresses.first()?))).collect::<Vec<_>>();
    let privileges = &sample.privileges;
    let may = privileges.bounding.zip(privileges.capabilities).map(|(bounding, has)| bounding | has);
    let more = may.map(|may| capabilities::names(may & !capabilities::DEFAULT));
    let masks = sample.inside.mounts.iter().filter(|mount| mount.point.starts_with("/proc/")).count();
    // A process in the host's mount namespace sees the host's covers of /proc, and has none of its own.
    let own_mounts = sample.namespaces.get(&Kind::Mnt) != sample.host_namespaces.get(&Kind::Mnt);
    let least_privilege = more.as_ref().is_some_and(Vec::is_empty)
        && privileges.seccomp == Some(true)
        && own_mounts
        && masks > 0
        && devices.as_ref().is_some_and(Vec::is_empty);
    Beyond {
        reachable: !interfaces.is_empty(),
        rootless: privileges.uid.is_some_and(|uid| uid != 0),
        least_privilege,
        interfaces,
        uid: privileges.uid,
        more_capabilities: more.unwrap_or_default(),
        bounding: privileges.bounding.map(u64::count_ones),
        masks: if own_mounts { masks } else { 0 },
        devices,
    }
}

impl Reader {
    /// The device nodes in `/dev` of a process besides those that every container gets; `None` where they cannot be read, or a file
    /// system does not answer.
    pub(crate) fn devices(&mut self, pid: Pid) -> Option<Vec<String>> {
        let dir = self.proc_root.join(pid.to_string());
        let ask = move |looking: &crate::kernel::silent::Looking| {
            looking.at(dir.join("root/dev"));
            files::devices_besides(&dir)
        };
        self.asker.ask(ask).ok().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::{Interface, Privileges, Side, mounts};

    /// As `docker run` leaves a process.
    fn docker() -> Sample {
        let privileges = Privileges {
            capabilities: Some(capabilities::DEFAULT),
            bounding: Some(capabilities::DEFAULT),
            seccomp: Some(true),
            uid: Some(0),
            ..Privileges::default()
        };
        let link =
            |name: &str, address: &str| Interface { name: name.into(), up: true, addresses: vec![address.into()] };
        let inside = Side {
            interfaces: vec![link("lo", "127.0.0.1/8"), link("eth0", "172.17.0.2/16")],
            mounts: mounts::parse("9 8 0:5 / /proc/kcore rw - tmpfs tmpfs rw\n"),
            ..Side::default()
        };
        Sample { privileges, inside, namespaces: [(Kind::Mnt, 7)].into(), ..Sample::default() }
    }

    #[test]
    fn a_container_of_dockers_is_reachable_least_and_not_rootless() {
        let row = beyond(&docker(), Some(Vec::new()));
        assert!(row.reachable && !row.rootless && row.least_privilege, "{row:?}");
        assert_eq!(
            (row.interfaces.as_slice(), row.bounding, row.masks),
            (&["eth0 172.17.0.2/16".to_string()][..], Some(14), 1)
        );
    }

    #[test]
    fn each_part_that_is_missing_is_seen() {
        let least = |change: fn(&mut Sample)| {
            let mut sample = docker();
            change(&mut sample);
            beyond(&sample, Some(Vec::new())).least_privilege
        };
        assert!(!least(|sample| sample.privileges.bounding = Some(u64::MAX)), "it can get more by execve");
        assert!(!least(|sample| sample.privileges.capabilities = Some(1 << 21)));
        assert!(!least(|sample| sample.privileges.capabilities = None));
        let both = |sample: &mut Sample| {
            (sample.privileges.bounding, sample.privileges.capabilities) = (Some(u64::MAX), Some(u64::MAX));
        };
        assert!(!least(both));
        assert!(!least(|sample| sample.privileges.seccomp = Some(false)));
        assert!(!least(|sample| sample.inside.mounts.clear()));
        assert!(!least(|sample| sample.host_namespaces = [(Kind::Mnt, 7)].into()), "the covers are the host's");
        assert!(!beyond(&docker(), Some(vec!["sda b 8:0".into()])).least_privilege);
        assert!(!beyond(&docker(), None).least_privilege);
    }

    #[test]
    fn the_devices_of_a_process_are_those_below_its_root() {
        let proc_root = tempfile::tempdir().unwrap();
        let process = proc_root.path().join("7");
        std::fs::create_dir(&process).unwrap();
        std::os::unix::fs::symlink("/", process.join("root")).unwrap();
        let mut reader = Reader::new(proc_root.path(), std::path::Path::new("/bin/false"));
        assert_eq!((reader.devices(Pid(7)), reader.devices(Pid(8))), (files::devices_besides(&process), None));
        assert!(reader.devices(Pid(7)).is_some());
    }

    #[test]
    fn loopback_leads_nowhere_and_an_interface_that_is_down_or_bare_does_not_either() {
        let reachable = |change: fn(&mut Interface)| {
            let mut sample = docker();
            change(&mut sample.inside.interfaces[1]);
            beyond(&sample, None).reachable
        };
        assert!(reachable(|_| {}) && !reachable(|link| link.up = false) && !reachable(|link| link.addresses.clear()));
    }

    #[test]
    fn root_of_a_user_namespace_is_another_user_outside() {
        let mut sample = docker();
        sample.privileges.uid = Some(100_000);
        assert!(beyond(&sample, None).rootless);
        sample.privileges.uid = None;
        assert!(!beyond(&sample, None).rootless);
    }
}
