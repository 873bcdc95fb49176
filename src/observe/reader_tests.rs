//! What a reader remembers.

use super::*;
use std::fs;

/// A `/proc` with process 7 alone, which began then and is in this PID namespace.
fn process(proc_root: &Path, start: u64, pid_ns: u64) {
    let ns = proc_root.join("7/ns");
    fs::create_dir_all(&ns).unwrap();
    let fields = "0 7 7 0 7 0 1 2 3 4 100 50 0 0 20 0 1 0";
    let rest = "4096 12".to_owned() + &" 0".repeat(28);
    fs::write(proc_root.join("7/stat"), format!("7 (sh) S {fields} {start} {rest}")).unwrap();
    let _ = fs::remove_file(ns.join("pid"));
    std::os::unix::fs::symlink(format!("pid:[{pid_ns}]"), ns.join("pid")).unwrap();
}

#[test]
fn who_gets_a_pid_again_is_asked_again() {
    let proc_root = tempfile::tempdir().unwrap();
    let mut reader = Reader::new(proc_root.path(), Path::new("/bin/false"));
    let mut pid_ns = |start, inode| {
        process(proc_root.path(), start, inode);
        let (sample, _) = reader.read(Subject::Exactly(Pid(7)));
        sample.processes.iter().map(|process| process.pid_ns).collect::<Vec<_>>()
    };
    assert_eq!(pid_ns(100, 4026531836), [Some(4026531836)]);
    assert_eq!(pid_ns(100, 4026532999), [Some(4026531836)], "no process leaves its PID namespace");
    assert_eq!(pid_ns(101, 4026532999), [Some(4026532999)]);
}

#[test]
fn a_namespace_that_could_not_be_read_is_asked_for_again() {
    let proc_root = tempfile::tempdir().unwrap();
    let mut reader = Reader::new(proc_root.path(), Path::new("/bin/false"));
    let mut pid_ns =
        || reader.read(Subject::Exactly(Pid(7))).0.processes.iter().map(|it| it.pid_ns).collect::<Vec<_>>();
    process(proc_root.path(), 100, 4026531836);
    fs::remove_file(proc_root.path().join("7/ns/pid")).unwrap();
    assert_eq!(pid_ns(), [None]);
    process(proc_root.path(), 100, 4026531836);
    assert_eq!(pid_ns(), [Some(4026531836)]);
}

/// A `/proc` of files: `self` is the host, and every process has its namespaces as numbers.
pub(super) struct Fake(pub(super) tempfile::TempDir);

impl Fake {
    fn new() -> Fake {
        let fake = Fake(tempfile::tempdir().unwrap());
        fake.links("self", &[]);
        fake.file("self/status", "Uid:\t0\t0\t0\t0\nCapEff:\tffff\nSeccomp_filters:\t0\n");
        fake.file("self/mountinfo", "27 1 254:0 / / rw - ext4 /dev/vda rw\n28 27 0:5 / /srv rw - tmpfs t rw\n");
        fake
    }

    pub(super) fn file(&self, name: &str, text: &str) {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(super) fn link(&self, name: &str, target: &str) {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(target, path).unwrap();
    }

    /// All namespaces are number 1 but those that are named.
    pub(super) fn links(&self, dir: &str, others: &[(Kind, u64)]) {
        let inode = |kind: Kind| others.iter().find(|(other, _)| *other == kind).map_or(1, |(_, inode)| *inode);
        for row in &TABLE {
            self.link(&format!("{dir}/ns/{}", row.link), &format!("{}:[{}]", row.link, inode(row.kind)));
        }
        self.link(&format!("{dir}/ns/pid_for_children"), &format!("pid:[{}]", inode(Kind::Pid)));
    }

    /// A process that began in the order of its number.
    pub(super) fn process(&self, pid: i32, ppid: i32, comm: &str, others: &[(Kind, u64)]) {
        let fields = format!("{ppid} 7 7 0 7 0 1 2 3 4 100 50 0 0 20 0 1 0 {pid} 4096 12{}", " 0".repeat(28));
        self.file(&format!("{pid}/stat"), &format!("{pid} ({comm}) S {fields}"));
        self.links(&pid.to_string(), others);
        self.file(&format!("{pid}/mountinfo"), "27 1 254:0 / / rw - ext4 /dev/vda rw\n");
        // The first of a namespace has the number 1 there.
        let inner = if pid == 30 { 1 } else { pid - 29 };
        let status = format!(
            "Uid:\t5\t6\t7\t8\nNSpid:\t{pid}\t{inner}\nCapEff:\t1\nSeccomp:\t2\nSeccomp_filters:\t3\nNoNewPrivs:\t1\n"
        );
        self.file(&format!("{pid}/status"), &status);
    }

    fn read(&self, subject: Subject) -> (Sample, Evidence) {
        Reader::new(self.0.path(), Path::new("/bin/false")).read(subject)
    }
}

/// What every isolated process has for itself.
pub(super) const OWN: [(Kind, u64); 5] =
    [(Kind::Pid, 5), (Kind::Uts, 5), (Kind::Mnt, 5), (Kind::Ipc, 5), (Kind::Net, 5)];

/// A shell (10), unshare (20), a container (30) with a child (31), and a process that has entered it (40).
pub(super) fn session() -> Fake {
    let fake = Fake::new();
    fake.process(1, 0, "init", &[]);
    fake.process(10, 1, "bash", &[]);
    fake.process(20, 10, "unshare", &OWN[1..]);
    fake.process(30, 20, "sh", &OWN);
    fake.process(31, 30, "sleep", &OWN);
    fake.process(40, 1, "nsenter", &[OWN[0], OWN[1], (Kind::User, 9)]);
    fake.process(50, 1, "other", &[]);
    fake
}

#[test]
fn a_container_is_found_below_the_shell_with_all_who_are_in_it() {
    let (sample, evidence) = session().read(Subject::Below(Pid(10), None));
    assert_eq!(sample.container, Some(Pid(30)));
    assert_eq!((sample.namespaces[&Kind::Uts], sample.host_namespaces[&Kind::Uts]), (5, 1));
    assert_eq!(sample.for_children, ForChildren::Inode(5));
    let who: Vec<_> = sample.processes.iter().map(|it| (it.pid.0, it.ppid.0, it.pid_ns, it.nspid.clone())).collect();
    let outer = |pid| vec![pid];
    assert_eq!(
        who,
        [
            (10, 1, Some(1), outer(10)),
            (20, 10, Some(1), outer(20)),
            (30, 20, Some(5), vec![30, 1]),
            (31, 30, Some(5), vec![31, 2]),
            (40, 1, Some(5), vec![40, 11]),
        ]
    );
    // unshare is the container's parent, but outside; so is that of who has entered.
    assert_eq!(evidence.entered, Some(Pid(40)));
    assert!(sample.scorecard.isolated && sample.scorecard.entered && evidence.shared.is_empty());
    assert_eq!(
        sample.newcomer,
        Some(vec![Kind::Pid, Kind::Uts]).map(|mut kinds| {
            kinds.extend([Kind::Cgroup, Kind::Time]);
            kinds.sort();
            kinds
        })
    );
    let [entrant] = sample.entrants.as_slice() else { panic!("{:?}", sample.entrants) };
    assert_eq!((entrant.pid, entrant.comm.as_str(), entrant.other_user_namespace), (Pid(40), "nsenter", true));
    // The filters of the terminal that all of them are in do not count.
    assert_eq!((entrant.privileges.filters, entrant.privileges.seccomp), (Some(0), Some(false)));
    assert_eq!((entrant.privileges.uid, entrant.privileges.capabilities), (Some(6), Some(1)));
    assert_eq!((sample.privileges.filters, sample.host_privileges.filters), (Some(0), Some(0)));
    assert_eq!((sample.users.uid, sample.host_users.uid), (Some(6), Some(0)));
    // Nobody answers inside here; what can be read from outside is known all the same.
    assert_eq!((&sample.inside.hostname, sample.inside.hidden_mounts, sample.inside.mounts.len()), (&None, None, 1));
    assert!(sample.inside.interfaces.is_empty() && sample.inside.sysv.is_empty());
    assert_eq!((sample.host.mounts.len(), sample.host.hidden_mounts), (2, Some(0)));
}

#[test]
fn what_is_not_separated_answers_as_the_host_does() {
    let (sample, evidence) = session().read(Subject::Exactly(Pid(10)));
    assert_eq!((sample.container, sample.processes.len()), (Some(Pid(10)), 4));
    assert!(sample.host.hostname.is_some() && sample.inside.hostname == sample.host.hostname);
    assert_eq!(
        (&sample.inside.interfaces, &sample.inside.listening),
        (&sample.host.interfaces, &sample.host.listening)
    );
    assert!(!sample.host.interfaces.is_empty(), "there is a loopback at least");
    assert_eq!((sample.inside.hidden_mounts, &sample.inside.sysv), (Some(1), &sample.host.sysv));
    assert_eq!((sample.newcomer, sample.entrants.len(), evidence.entered), (None, 0, None));
    assert!(!sample.scorecard.isolated && evidence.shared.len() == 5);
    // Asked about itself, no terminal's filters are taken off.
    assert_eq!((sample.privileges.filters, sample.privileges.seccomp), (Some(3), Some(true)));
    assert_eq!(sample.privileges.no_new_privs, Some(true));
}

#[test]
fn nobody_is_no_container() {
    let (sample, evidence) = session().read(Subject::Exactly(Pid(99)));
    assert_eq!((sample.container, sample.processes.len(), evidence), (None, 0, Evidence::default()));
    assert!(sample.namespaces.is_empty() && sample.host_namespaces.len() == TABLE.len());
}

#[test]
fn anywhere_a_picked_one_goes_before_the_session_and_a_foreign_one_comes_last() {
    let fake = session();
    fake.process(60, 1, "runc", &[]);
    fake.process(61, 60, "nginx", &[(Kind::Pid, 6), (Kind::Uts, 6)]);
    let of = |watched: i32, picked| {
        let (sample, _) = fake.read(Subject::Anywhere(Pid(watched), None, picked));
        (sample.container.map(|pid| pid.0), sample.containers.iter().map(|one| one.pid.0).collect::<Vec<_>>())
    };
    let all = vec![61, 30];
    assert_eq!(of(10, Some((Pid(61), 61))), (Some(61), all.clone()));
    assert_eq!(of(10, Some((Pid(61), 60))), (Some(30), all.clone()), "the number is another one's now");
    assert_eq!(of(10, None), (Some(30), all.clone()));
    // Below this shell there is none, and none is known to be newer than this program.
    assert_eq!(of(50, None), (Some(50), all));
    assert!(fake.read(Subject::Below(Pid(10), None)).0.containers.is_empty());
}

#[test]
fn a_container_that_began_after_this_program_is_found_anywhere() {
    let (fake, me) = (session(), Pid::own().0);
    fake.process(me, 1, "boxwright", &[]);
    fake.process(me + 1, 1, "nginx", &[(Kind::Pid, 6)]);
    let of = |subject| fake.read(subject).0.container;
    assert_eq!(of(Subject::Anywhere(Pid(50), None, None)), Some(Pid(me + 1)));
    assert_eq!(of(Subject::Anywhere(Pid(10), None, None)), Some(Pid(30)), "the session's own goes before it");
    assert_eq!(of(Subject::Below(Pid(50), None)), Some(Pid(50)));
}

#[test]
fn a_process_is_chosen_for_any_namespace_that_its_shell_has_not() {
    let fake = Fake::new();
    let user = (Kind::User, 9);
    fake.process(10, 1, "bash", &[user]);
    fake.process(20, 10, "other", &[user]);
    fake.process(30, 10, "unshare", &[user, (Kind::Uts, 5)]);
    assert_eq!(fake.read(Subject::Below(Pid(10), None)).0.container, Some(Pid(30)));
}

#[test]
fn roots_and_rights_are_compared_with_the_hosts_and_the_terminals() {
    let fake = session();
    fs::create_dir_all(fake.0.path().join("box")).unwrap();
    fake.link("self/root", "/");
    fake.link("30/root", fake.0.path().join("box").to_str().unwrap());
    fake.file("10/status", "Seccomp:\t2\nSeccomp_filters:\t1\n");
    // This one is in the container's own user namespace.
    fake.process(41, 1, "nsenter", &[OWN[0]]);
    let (sample, evidence) = fake.read(Subject::Below(Pid(10), None));
    let identity = |root: &str| scorecard::root_identity(&fake.0.path().join(root)).unwrap();
    assert_eq!(evidence.root, Some((identity("30"), identity("self"))));
    assert!(sample.scorecard.rooted && sample.silent.is_none());
    assert_eq!((sample.privileges.filters, sample.privileges.seccomp), (Some(2), Some(true)));
    let entrants: Vec<_> = sample.entrants.iter().map(|it| (it.pid.0, it.other_user_namespace)).collect();
    assert_eq!(entrants, [(40, true), (41, false)]);
}

#[test]
fn a_process_is_chosen_for_its_next_child_too() {
    let fake = Fake::new();
    fake.process(10, 1, "bash", &[]);
    fake.process(20, 10, "unshare", &[]);
    let container = || fake.read(Subject::Below(Pid(10), None)).0.container;
    assert_eq!(container(), Some(Pid(10)));
    let next = fake.0.path().join("20/ns/pid_for_children");
    fs::remove_file(&next).unwrap();
    assert_eq!((for_children(&fake.0.path().join("20")), container()), (ForChildren::NotMade, Some(Pid(20))));
    std::os::unix::fs::symlink("pid:[8]", &next).unwrap();
    assert_eq!((for_children(&fake.0.path().join("20")), container()), (ForChildren::Inode(8), Some(Pid(20))));
    // A process that has ended has no links at all.
    assert_eq!(for_children(&fake.0.path().join("77")), ForChildren::Unknown);
    fs::remove_file(&next).unwrap();
    fs::create_dir(&next).unwrap();
    assert_eq!(for_children(&fake.0.path().join("20")), ForChildren::Unknown);
}

#[test]
fn who_is_covered_by_a_mount_is_not_read() {
    let fake = session();
    let mounts = "27 1 254:0 / / rw - ext4 /dev/vda rw\n28 27 0:5 / /proc/31 rw - tmpfs t rw\n";
    fake.file("self/mountinfo", mounts);
    let (sample, _) = fake.read(Subject::Below(Pid(10), None));
    assert_eq!(sample.container, Some(Pid(30)));
    assert!(sample.processes.iter().all(|process| process.pid != Pid(31)), "{:?}", sample.processes);
}
