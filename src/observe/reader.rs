//! Puts one sample together: a pass over `/proc`, the chosen container, and what both sides answer.

use super::answered::Answered;
use super::processes::Tree;
use super::scorecard::{self, Evidence};
use super::{
    ForChildren, Links, Mount, Process, Sample, Side, cgroup, choose, containers, group, mounts, network, ns_helper,
    processes, sysv, text, users,
};
use crate::kernel::namespaces::{Kind, TABLE, read_link};
use crate::kernel::{pid::Pid, silent::Asker};
use crate::lesson::Probe;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

/// Whom a sample is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The container below this process, with the process in its terminal's foreground.
    Below(Pid, Option<Pid>),
    /// The same; where there is none, the newest on the machine that began after this program. The third value is one that was
    /// picked, by PID and start: it goes before all others while it is there.
    Anywhere(Pid, Option<Pid>, Option<(Pid, u64)>),
    /// This process itself.
    Exactly(Pid),
}

/// Reads samples, and remembers what is dear to ask: the answers from inside.
#[derive(Debug)]
pub struct Reader {
    pub(super) proc_root: PathBuf,
    pub(super) exe: PathBuf,
    /// What was asked about, how many sockets there were then, and the answer.
    answer: Option<(Links, u64, ns_helper::Answer)>,
    /// The PID namespaces of processes, by PID and start. A process never leaves its own (pid_namespaces(7)).
    pid_namespaces: BTreeMap<(Pid, u64), Option<u64>>,
    owners: users::Owners,
    pub(super) extra: Extra,
    /// Whether the screen shows the session's network namespaces.
    pub(super) sees_networks: bool,
    /// The host terminal's shell, and the process there now.
    pub(super) host_terminal: (Option<Pid>, Option<Pid>),
    /// Network namespaces that had a name before the first sample.
    pub(super) old_networks: Option<BTreeSet<u64>>,
    /// Groups that the learner has made, under whatever name; the one that was touched last comes last.
    pub(super) groups: Vec<String>,
    /// How long the threads of the session's group waited for a CPU.
    delays: group::Delays,
    /// Asks what a file system inside must answer, which may be silent.
    pub(super) asker: Asker,
}

/// What a session looks at besides its container.
#[derive(Clone, Debug, Default)]
pub struct Extra {
    /// The name of its control group.
    pub group: Option<String>,
    /// Its work directory.
    pub work: PathBuf,
    /// The files that the current step looks at.
    pub files: Vec<super::Asked>,
    /// Whether it looks at the session's network namespaces.
    pub networks: bool,
    /// The connections and names that it tries.
    pub probes: Vec<Probe>,
}

impl Reader {
    /// Reads below this `/proc`; `exe` is the program that takes the role `__ns-helper`.
    pub fn new(proc_root: &Path, exe: &Path) -> Reader {
        let (proc_root, exe) = (proc_root.into(), exe.into());
        Reader {
            proc_root,
            exe,
            answer: None,
            pid_namespaces: BTreeMap::new(),
            owners: users::Owners::default(),
            extra: Extra::default(),
            sees_networks: false,
            host_terminal: (None, None),
            old_networks: None,
            groups: Vec::new(),
            delays: group::Delays::default(),
            asker: Asker::default(),
        }
    }

    /// Looks at this as well from now on.
    pub fn look_at(&mut self, extra: Extra) {
        self.extra = extra;
    }

    /// Forgets what was answered from inside, because something may have changed there.
    pub(crate) fn forget(&mut self) {
        self.answer = None;
    }

    fn dir(&self, pid: Pid) -> PathBuf {
        self.proc_root.join(pid.to_string())
    }

    /// Reads everything once.
    pub fn read(&mut self, subject: Subject) -> (Sample, Evidence) {
        let own = self.proc_root.join("self");
        let mut sample = Sample { host_namespaces: links(&own), ..Sample::default() };
        let own_mounts = mounts::parse_with_options(&text::read(own.join("mountinfo")).unwrap_or_default());
        let hierarchies = cgroup::hierarchies(&own_mounts);
        sample.host = Side {
            hostname: ns_helper::hostname(),
            interfaces: network::interfaces().unwrap_or_default(),
            listening: network::listening(),
            sysv: sysv::objects(&self.proc_root),
            mounts: own_mounts.into_iter().map(|(mount, _)| mount).collect(),
            hidden_mounts: Some(0),
            proc_shows_host: None,
        };
        if let Some(name) = &self.extra.group {
            let membership = cgroup::parse_membership(&text::read(own.join("cgroup")).unwrap_or_default());
            // The learner may have called theirs otherwise.
            for name in self.groups.iter().rev().chain(std::iter::once(name)) {
                sample.group = group::read(name, &hierarchies, &membership, &self.proc_root, &mut self.delays);
                if sample.group.exists {
                    break;
                }
            }
        }
        let tree = Tree::read(&self.proc_root, &covered(&sample.host.mounts));
        // Asked for again and again, and each answer costs a system call. A link that could not be read may be, later.
        let mut known = std::mem::take(&mut self.pid_namespaces);
        known.retain(|(pid, start), inode| inode.is_some() && tree.start(*pid) == Some(*start));
        let (known, proc_root) = (RefCell::new(known), self.proc_root.clone());
        let pid_ns = |pid: Pid| {
            let read = || read_link(&proc_root.join(pid.to_string()).join("ns/pid")).ok();
            *known.borrow_mut().entry((pid, tree.start(pid)?)).or_insert_with(read)
        };
        if matches!(subject, Subject::Anywhere(..)) {
            sample.containers = containers::found(&tree, sample.host_namespaces.get(&Kind::Pid).copied(), pid_ns);
        }
        let first = match subject {
            Subject::Below(watched, _) | Subject::Anywhere(watched, ..) => watched,
            Subject::Exactly(pid) => pid,
        };
        sample.container = self.choose(&tree, subject, &sample, pid_ns);
        sample.networks = self.networks(&tree, first, &sample);
        sample.reached = self.reached(sample.networks.as_ref());
        let Some(container) = sample.container else {
            self.ask(&mut sample, None, Vec::new());
            return (sample, Evidence::default());
        };
        sample.resolved = self.resolved(container);
        let dir = self.dir(container);
        sample.namespaces = links(&dir);
        sample.for_children = for_children(&dir);
        let membership = |dir: &Path| cgroup::parse_membership(&text::read(dir.join("cgroup")).unwrap_or_default());
        let (theirs, ours) = (membership(&dir), membership(&own));
        sample.cgroup = cgroup::read(&hierarchies, &theirs);
        let privileges = |dir: &Path| processes::parse_privileges(&text::read(dir.join("status")).unwrap_or_default());
        (sample.privileges, sample.host_privileges) = (privileges(&dir), privileges(&own));
        (sample.host_users, sample.users) =
            self.owners.both((&own, &sample.host_namespaces), (&dir, &sample.namespaces));
        self.rights(subject, &dir, &mut sample);
        sample.inside = self.inside(container, &sample);
        sample.processes = self.processes(&tree, first, &sample, pid_ns);

        let root = self.ask(&mut sample, Some(container), tree.family(container));
        let own_pid_ns = sample.namespaces.get(&Kind::Pid).filter(|ns| host_lacks(&sample, Kind::Pid, **ns));
        let newcomers = own_pid_ns.map(|ns| scorecard::newcomers(&sample.processes, *ns, pid_ns)).unwrap_or_default();
        sample.newcomer = self.shared_with(&newcomers, &sample.namespaces);
        sample.entrants = self.entrants(subject, &newcomers, &sample);
        let evidence = Evidence {
            shared: scorecard::shared(&sample.namespaces, &sample.host_namespaces),
            root,
            root_mount: scorecard::root_mount(&sample.inside.mounts),
            limit: cgroup::applied_limit(&hierarchies, &theirs, &ours),
            entered: newcomers.first().copied(),
        };
        sample.scorecard = scorecard::scorecard(&sample, &evidence);
        self.pid_namespaces = known.into_inner();
        (sample, evidence)
    }

    /// Asks what file systems must answer; gives the roots, of the container and the host. What is silent is named in the
    /// sample, and all of this is unknown then.
    fn ask(&mut self, sample: &mut Sample, container: Option<Pid>, family: Vec<Pid>) -> Option<(String, String)> {
        let (proc_root, extra) = (self.proc_root.clone(), self.extra.clone());
        let answer = self.asker.ask(move |looking| Answered::ask(&proc_root, &extra, container, &family, looking));
        let answered = answer.unwrap_or_else(|silent| {
            sample.silent = Some(silent.display().to_string()).filter(|place| !place.is_empty());
            Answered::default()
        });
        (sample.outside, sample.files, sample.devices) = (answered.outside, answered.files, answered.devices);
        (sample.file_owners, sample.more_devices) = (answered.owners, answered.more_devices);
        sample.host.proc_shows_host = answered.host_proc;
        sample.inside.proc_shows_host = answered.inside_proc;
        answered.root
    }

    fn choose(
        &self,
        tree: &Tree,
        subject: Subject,
        sample: &Sample,
        pid_ns: impl Fn(Pid) -> Option<u64>,
    ) -> Option<Pid> {
        let host = &sample.host_namespaces;
        let (watched, foreground) = match subject {
            Subject::Exactly(pid) => return tree.stats.contains_key(&pid).then_some(pid),
            Subject::Anywhere(_, _, Some((pid, start))) if tree.start(pid) == Some(start) => return Some(pid),
            Subject::Below(watched, foreground) | Subject::Anywhere(watched, foreground, _) => (watched, foreground),
        };
        let differs = |pid: Pid, kind: Kind, from: &Links| {
            let link = read_link(&self.dir(pid).join("ns").join(kind.row().link)).ok();
            link.is_some_and(|inode| from.get(&kind).is_some_and(|known| *known != inode))
        };
        // Without root the watched shell itself stands in a user namespace, which gives it no property yet: what the
        // learner makes is what differs from that shell.
        let start = links(&self.dir(watched));
        let other = |pid: Pid| {
            TABLE.iter().any(|row| row.kind != Kind::Pid && differs(pid, row.kind, &start))
                || match for_children(&self.dir(pid)) {
                    ForChildren::NotMade => true,
                    ForChildren::Inode(inode) => host.get(&Kind::Pid).is_some_and(|ours| *ours != inode),
                    ForChildren::Unknown => false,
                }
        };
        let ours = host.get(&Kind::Pid).copied();
        let pid_differs = |pid: Pid| pid_ns(pid).is_some_and(|inode| ours.is_some_and(|ours| ours != inode));
        if !matches!(subject, Subject::Anywhere(..)) {
            return choose::choose(tree, watched, foreground, pid_differs, other);
        }
        choose::isolated(tree, watched, pid_differs, other)
            .or_else(|| containers::newest(&sample.containers, tree, Pid::own()))
            .or_else(|| choose::plain(tree, watched, foreground))
    }

    /// The family of the watched process, and all others in the container's own PID namespace.
    fn processes(&self, tree: &Tree, first: Pid, sample: &Sample, pid_ns: impl Fn(Pid) -> Option<u64>) -> Vec<Process> {
        let mut members: BTreeSet<Pid> = tree.family(first).into_iter().collect();
        // One that was picked need not stand below it.
        members.extend(sample.container.into_iter().flat_map(|pid| tree.family(pid)));
        if let Some(ns) = sample.namespaces.get(&Kind::Pid).filter(|ns| host_lacks(sample, Kind::Pid, **ns)) {
            members.extend(tree.stats.keys().filter(|pid| pid_ns(**pid) == Some(*ns)));
        }
        let process = |pid: Pid| {
            let stat = tree.stats.get(&pid)?;
            let own = pid_ns(pid);
            // Among the host's processes a crowd can be that has one PID each.
            let nspid = match own {
                Some(own) if !host_lacks(sample, Kind::Pid, own) => vec![pid.0],
                _ => processes::parse_nspid(&text::read(self.dir(pid).join("status")).unwrap_or_default()),
            };
            Some(Process { pid, ppid: stat.ppid, nspid, comm: stat.comm.clone(), state: stat.state, pid_ns: own })
        };
        tree.in_order(&members, first).into_iter().filter_map(process).collect()
    }

    /// What the container answers: what can be read from outside is, and the rest is asked inside, once.
    fn inside(&mut self, container: Pid, sample: &Sample) -> Side {
        let dir = self.dir(container);
        let differs = |kind: &Kind| sample.namespaces.get(kind).is_some_and(|ns| host_lacks(sample, *kind, *ns));
        let asked: Links = ns_helper::KINDS
            .iter()
            .chain([&Kind::Mnt])
            .filter(|kind| differs(kind))
            .filter_map(|k| Some((*k, *sample.namespaces.get(k)?)))
            .collect();
        // A port may be opened without any event that we could wait for.
        let sockets = if differs(&Kind::Net) { network::sockets(&dir) } else { 0 };
        let known = self.answer.as_ref().is_some_and(|(about, then, _)| (about, *then) == (&asked, sockets));
        if !asked.is_empty() && !known {
            let answer =
                ns_helper::ask(&self.exe, container).filter(|answer| ns_helper::is_about(answer, &sample.namespaces));
            self.answer = answer.map(|answer| (asked.clone(), sockets, answer));
        }
        let answer = self.answer.as_ref().map(|(_, _, answer)| answer).filter(|_| !asked.is_empty());
        let host = &sample.host;
        let mounts = mounts::parse(&text::read(dir.join("mountinfo")).unwrap_or_default());
        let all = match differs(&Kind::Mnt) {
            true => answer.and_then(|answer| answer.mounts),
            false => Some(host.mounts.len()),
        };
        Side {
            hidden_mounts: all.map(|all| all.saturating_sub(mounts.len())),
            hostname: match differs(&Kind::Uts) {
                true => answer.and_then(|answer| answer.hostname.clone()),
                false => host.hostname.clone(),
            },
            interfaces: match differs(&Kind::Net) {
                true => answer.and_then(|answer| answer.interfaces.clone()).unwrap_or_default(),
                false => host.interfaces.clone(),
            },
            listening: match differs(&Kind::Net) {
                true => answer
                    .and_then(|answer| answer.listening.clone())
                    .map_or_else(|| network::listening_of(&dir), network::sorted),
                false => host.listening.clone(),
            },
            sysv: match differs(&Kind::Ipc) {
                true => answer.and_then(|answer| answer.sysv.clone()).unwrap_or_default(),
                false => host.sysv.clone(),
            },
            mounts,
            proc_shows_host: None,
        }
    }
}

/// The processes on whose directory in `/proc` something else is mounted. Nothing is read there: the answer, if any,
/// would not be the kernel's.
fn covered(mounts: &[Mount]) -> BTreeSet<Pid> {
    mounts.iter().filter_map(|mount| mount.point.strip_prefix("/proc/")?.parse().ok()).collect()
}

fn host_lacks(sample: &Sample, kind: Kind, inode: u64) -> bool {
    sample.host_namespaces.get(&kind).is_some_and(|ours| *ours != inode)
}

/// The namespaces of the process with this `/proc` directory; one that may not be read is left out.
pub fn links(process: &Path) -> Links {
    TABLE.iter().filter_map(|row| Some((row.kind, read_link(&process.join("ns").join(row.link)).ok()?))).collect()
}

/// Where the process's next child will be born. ENOENT means "nowhere yet" only while the process itself is there.
pub fn for_children(process: &Path) -> ForChildren {
    match read_link(&process.join("ns/pid_for_children")) {
        Ok(inode) => ForChildren::Inode(inode),
        Err(error) if error.kind() == io::ErrorKind::NotFound && read_link(&process.join("ns/mnt")).is_ok() => {
            ForChildren::NotMade
        }
        Err(_) => ForChildren::Unknown,
    }
}

#[cfg(test)]
#[path = "reader_helper_tests.rs"]
mod helper_tests;
#[cfg(test)]
#[path = "reader_tests.rs"]
mod tests;
