//! What only the file systems answer that a container has mounted, which may be silent ([`crate::kernel::silent`]).

use super::reader::Extra;
use super::{choose, files, scorecard};
use crate::kernel::silent::Looking;
use crate::kernel::{namespaces::read_link, pid::Pid};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

/// What only the file systems answer that a container has mounted.
#[derive(Default)]
pub(super) struct Answered {
    /// The root of the container's process, and the host's ([`scorecard::root_identity`]).
    pub root: Option<(String, String)>,
    pub outside: Option<String>,
    pub files: BTreeMap<super::Asked, Option<String>>,
    pub devices: BTreeMap<super::Asked, String>,
    pub owners: BTreeMap<super::Asked, u32>,
    pub more_devices: Option<Vec<String>>,
    pub host_proc: Option<bool>,
    pub inside_proc: Option<bool>,
}

impl Answered {
    /// Asks; `family` is the container process and those below it. Each place is named before it is looked at.
    pub(super) fn ask(
        proc_root: &Path,
        extra: &Extra,
        container: Option<Pid>,
        family: &[Pid],
        looking: &Looking,
    ) -> Answered {
        let (own, dir) = (proc_root.join("self"), |pid: Pid| proc_root.join(pid.to_string()));
        looking.at("/");
        let host = scorecard::root_identity(&own);
        looking.at("/proc");
        let mut answered = Answered { host_proc: proc_shows_host(&own), ..Answered::default() };
        let mut rooted = container;
        if let Some(container) = container {
            looking.at(dir(container).join("root"));
            let theirs = scorecard::root_identity(&dir(container));
            // Who has called chroot within the container stands below its first process.
            if theirs.is_some() && theirs == host {
                rooted = rooted_below(family, host.as_deref(), dir, looking).or(rooted);
            }
            let root = match rooted {
                Some(pid) if pid != container => scorecard::root_identity(&dir(pid)),
                _ => theirs,
            };
            answered.root = root.zip(host);
            looking.at(dir(container).join("root/proc"));
            answered.inside_proc = proc_shows_host(&dir(container));
            let mounts = |dir: &Path| read_link(&dir.join("ns/mnt")).ok();
            if mounts(&dir(container)) != mounts(&own) {
                looking.at(dir(container).join("root/dev"));
                answered.more_devices = files::devices_besides(&dir(container));
            }
        }
        if let Some(rooted) = rooted {
            looking.at(dir(rooted).join("fd"));
            answered.outside = files::outside(&dir(rooted));
        }
        for asked in &extra.files {
            looking.at(&asked.path);
            answered.files.insert(asked.clone(), files::read(asked, rooted, &extra.work));
            if container.is_some() {
                let device = files::device(asked, rooted, &extra.work);
                answered.devices.extend(device.map(|device| (asked.clone(), device)));
            }
            let owner = files::owner(asked, rooted, &extra.work);
            answered.owners.extend(owner.map(|owner| (asked.clone(), owner)));
        }
        answered
    }
}

/// The nearest process below the container's, which has the host's root, that has another one.
fn rooted_below(family: &[Pid], host: Option<&str>, dir: impl Fn(Pid) -> PathBuf, looking: &Looking) -> Option<Pid> {
    let mut below = family.iter().skip(1).take(choose::NEAREST);
    let other = |pid: &&Pid| {
        looking.at(dir(**pid).join("root"));
        scorecard::root_identity(&dir(**pid)).is_some_and(|root| Some(root.as_str()) != host)
    };
    below.find(other).copied()
}

/// Whether the `/proc` that a process sees belongs to the host's PID namespace. It is asked for *our* entry: `self`
/// there names us by our PID where we exist in its namespace, and leads nowhere (ENOENT) where we do not.
pub(super) fn proc_shows_host(process: &Path) -> Option<bool> {
    let directory = process.join("root/proc");
    // A link there would be followed in our own tree and answer for the wrong one.
    std::fs::symlink_metadata(&directory).ok().filter(|metadata| metadata.is_dir())?;
    let own = directory.join("self");
    std::fs::symlink_metadata(&own).ok()?;
    match std::fs::read_link(&own) {
        Ok(target) => Some(std::fs::read_link("/proc/self").is_ok_and(|ours| ours == target)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Some(false),
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::Asked;
    use std::{fs, os::unix::fs::symlink};

    /// A `/proc` of which the processes named have these roots, and one mount namespace each but for the host's own.
    fn proc(roots: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (process, root) in roots {
            fs::create_dir_all(dir.path().join(process).join("ns")).unwrap();
            fs::create_dir_all(dir.path().join(root).join("dev")).unwrap();
            symlink(dir.path().join(root), dir.path().join(process).join("root")).unwrap();
            symlink(format!("mnt:[{}]", process.len()), dir.path().join(process).join("ns/mnt")).unwrap();
        }
        dir
    }

    fn ask(dir: &Path, container: Option<i32>, extra: &Extra) -> Answered {
        Answered::ask(dir, extra, container.map(Pid), &[30, 31, 32].map(Pid), &Looking::default())
    }

    #[test]
    fn a_root_below_the_container_counts_where_it_has_the_hosts_itself() {
        let whose = |roots: &[(&'static str, &str)]| {
            let dir = proc(roots);
            let (theirs, host) = ask(dir.path(), Some(30), &Extra::default()).root.unwrap();
            let identity = |root: &str| scorecard::root_identity(&dir.path().join(root));
            assert_eq!(Some(host), identity("self"));
            let all = roots.iter().map(|(process, _)| *process);
            all.filter(|process| identity(process).as_ref() == Some(&theirs)).collect::<Vec<_>>()
        };
        assert_eq!(whose(&[("self", "host"), ("30", "box"), ("31", "other")]), ["30"], "whatever stands below it");
        assert_eq!(
            whose(&[("self", "host"), ("30", "host"), ("31", "host"), ("32", "box")]),
            ["32"],
            "who called chroot"
        );
        assert_eq!(whose(&[("self", "host"), ("30", "host"), ("31", "host")]), ["self", "30", "31"]);
    }

    #[test]
    fn what_is_open_belongs_to_who_has_the_other_root() {
        let dir = proc(&[("self", "host"), ("30", "host"), ("31", "box")]);
        for process in ["30", "31"] {
            fs::create_dir(dir.path().join(process).join("fd")).unwrap();
            symlink(dir.path(), dir.path().join(process).join("fd").join(process)).unwrap();
        }
        let outside = ask(dir.path(), Some(30), &Extra::default()).outside;
        assert_eq!(outside, Some(format!("31 -> {}", dir.path().display())));
    }

    #[test]
    fn both_sides_are_asked_for_their_proc_and_the_container_for_its_devices() {
        let dir = proc(&[("self", "host"), ("30", "box"), ("1234", "box")]);
        for (root, own) in [("host", std::process::id()), ("box", 1)] {
            fs::create_dir(dir.path().join(root).join("proc")).unwrap();
            symlink(own.to_string(), dir.path().join(root).join("proc/self")).unwrap();
        }
        let answered = ask(dir.path(), Some(30), &Extra::default());
        assert_eq!((answered.host_proc, answered.inside_proc), (Some(true), Some(false)));
        assert_eq!(answered.more_devices, Some(Vec::new()));
        // In the host's mount namespace the devices are the host's.
        assert_eq!(ask(dir.path(), Some(1234), &Extra::default()).more_devices, None);
        let nobody = ask(dir.path(), None, &Extra::default());
        assert_eq!((nobody.host_proc, nobody.inside_proc, nobody.root, nobody.outside), (Some(true), None, None, None));
    }

    #[test]
    fn files_are_read_with_or_without_a_container() {
        let dir = proc(&[("self", "host"), ("30", "box")]);
        fs::write(dir.path().join("name"), "box").unwrap();
        let [name, null, none] = ["name", "/dev/null", "none"].map(|path| Asked { inside: false, path: path.into() });
        let files = vec![name.clone(), null.clone(), none.clone()];
        let extra = Extra { work: dir.path().into(), files, ..Extra::default() };
        let answered = ask(dir.path(), Some(30), &extra);
        assert_eq!((&answered.files[&name], &answered.files[&none]), (&Some("box".to_string()), &None));
        assert_eq!(answered.devices, [(null.clone(), "c 1:3".to_string())].into());
        assert_eq!(answered.owners[&name], nix::unistd::geteuid().as_raw());
        assert_eq!(answered.owners.keys().collect::<Vec<_>>(), [&null, &name]);
        let before = ask(dir.path(), None, &extra);
        assert!(before.devices.is_empty() && before.files == answered.files && before.owners == answered.owners);
    }

    #[test]
    fn a_proc_is_the_hosts_where_it_has_us_under_our_own_number() {
        let dir = tempfile::tempdir().unwrap();
        let of = |name: &str, own: Option<&str>| {
            let process = dir.path().join(name);
            fs::create_dir_all(process.join("root/proc")).unwrap();
            if let Some(target) = own {
                symlink(target, process.join("root/proc/self")).unwrap();
            }
            proc_shows_host(&process)
        };
        assert_eq!(of("ours", Some(&std::process::id().to_string())), Some(true));
        assert_eq!(of("other", Some("1")), Some(false));
        assert_eq!(of("empty", None), None);
        assert_eq!(proc_shows_host(&dir.path().join("none")), None);
        fs::create_dir_all(dir.path().join("led/root")).unwrap();
        symlink("/proc", dir.path().join("led/root/proc")).unwrap();
        assert_eq!(proc_shows_host(&dir.path().join("led")), None, "a link would answer for our own");
        fs::create_dir_all(dir.path().join("file/root/proc")).unwrap();
        fs::write(dir.path().join("file/root/proc/self"), "").unwrap();
        assert_eq!(proc_shows_host(&dir.path().join("file")), None, "this is no /proc");
    }
}
