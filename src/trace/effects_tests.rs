use super::*;
use crate::{kernel::namespaces::Kind, observe::stub::Stub, trace::memory::Width};
use std::{ffi::CString, fs::File, io::Write, os::fd::AsRawFd, time::Instant};

/// A call of this process with these registers.
fn call(name: &str, values: [u64; 6]) -> Call {
    Call::of(Pid::own(), "sh", name, values)
}

/// What is known before a call, and what is told after it has returned this.
fn pending(name: &str, values: [u64; 6], before: Before) -> Pending {
    Pending {
        call: call(name, values),
        values,
        width: Width::Eight,
        asked: None,
        told: true,
        refused: None,
        unseen: false,
        before,
        started: Instant::now(),
        made: false,
        born: Vec::new(),
        child: None,
    }
}

fn no_exe() -> &'static Path {
    Path::new("/dev/null/no such program")
}

fn told(name: &str, values: [u64; 6], before: Before, result: i64) -> Vec<Change> {
    after(&Stopped::own(), &mut pending(name, values, before), result, no_exe())
}

/// A link that no namespace has.
fn with(kind: Kind, inode: Option<u64>) -> Links {
    let mut links = links(&Pid::own().dir());
    match inode {
        Some(inode) => links.insert(kind, inode),
        None => links.remove(&kind),
    };
    links
}

/// Whether a state is of this kind, and reads the process.
#[test]
fn each_effect_looks_at_what_it_may_change() {
    let me = Stopped::own();
    let of = |name: &str, values: [u64; 6], group: Option<&str>| {
        before(&me, &call(name, values), &values, group.map(PathBuf::from), no_exe())
    };
    let zero = [0; 6];
    let (own, next) = (links(&me.tid().dir()), for_children(&me.tid().dir()));
    assert!(
        matches!(of("unshare", zero, None), Before::Namespaces(links, children) if links == own && children == next)
    );
    let uts = Kind::Uts.row().flag;
    assert!(matches!(of("clone", [uts, 0, 0, 0, 0, 0], None), Before::Namespaces(links, _) if links == own));
    assert!(matches!(of("clone", zero, None), Before::Nothing));
    assert!(matches!(of("mount", zero, None), Before::Mounts(Some(_))));
    let slash = fs::read_link("/proc/self/root").unwrap();
    assert!(matches!(of("chroot", zero, None), Before::RootDirectory(Some(root)) if root == slash));
    // It cannot be asked inside without the program that asks.
    assert!(matches!(of("sethostname", zero, None), Before::HostName(None)));
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(b"max  100000\nlast\n").unwrap();
    let fd = file.as_raw_fd();
    let written = of("write", [fd as u64, 0, 0, 0, 0, 0], None);
    assert!(matches!(written, Before::File(of, text) if of == fd && text == "max 100000, last"));
    assert!(matches!(of("mkdirat", zero, Some("/g")), Before::GroupMade(path) if path == Path::new("/g")));
    assert!(matches!(of("unlinkat", zero, Some("/g")), Before::GroupRemoved(path) if path == Path::new("/g")));
    assert!(matches!(of("renameat2", zero, Some("/g")), Before::GroupRemoved(path) if path == Path::new("/g")));
    assert!(matches!(of("mkdirat", zero, None), Before::Nothing));
    assert!(
        matches!(of("capset", zero, None), Before::Rights(lines) if lines == rights(me.tid()) && !lines.is_empty())
    );
    assert!(matches!(of("msgget", zero, None), Before::Object(_)));
    assert!(matches!(of("kill", zero, None), Before::Nothing));
    let missing = CString::new("/no such queue").unwrap();
    assert!(matches!(of("mq_unlink", [missing.as_ptr() as u64, 0, 0, 0, 0, 0], None), Before::Nothing));
}

#[test]
fn a_new_file_of_shared_memory_is_looked_for_before_it_is_opened() {
    let path = CString::new(format!("/dev/shm/boxwright-effects-{}", std::process::id())).unwrap();
    let values = |flags: i32| [libc::AT_FDCWD as u64, path.as_ptr() as u64, flags as u64, 0, 0, 0];
    let of = |flags: i32| {
        let values = values(flags);
        before(&Stopped::own(), &call("openat", values), &values, None, no_exe())
    };
    let shared = |state: Before| matches!(state, Before::Object(objects::Before::Shared(_)));
    // Only where this process has the root that boxwright has too, which it is.
    assert!(shared(of(libc::O_CREAT | libc::O_RDWR)) && !shared(of(libc::O_RDWR)));
}

/// Every kind of state against a kernel that has not changed, or has since.
#[test]
fn what_differs_afterwards_is_a_change() {
    let me = Stopped::own();
    let (own, next) = (links(&me.tid().dir()), for_children(&me.tid().dir()));
    let uts = own[&Kind::Uts];
    assert_eq!(told("unshare", [0; 6], Before::Namespaces(own.clone(), next), 0), []);
    assert_eq!(
        told("unshare", [0; 6], Before::Namespaces(with(Kind::Uts, Some(7)), next), 0),
        [Change::Namespace { kind: Kind::Uts, before: Some(7), after: Some(uts) }]
    );
    assert_eq!(
        told("unshare", [0; 6], Before::Namespaces(with(Kind::Uts, None), ForChildren::NotMade), 0),
        [
            Change::Namespace { kind: Kind::Uts, before: None, after: Some(uts) },
            Change::PidForChildren { before: ForChildren::NotMade, after: next },
        ]
    );
    // The parent's own namespaces are not the child's.
    assert_eq!(told("clone", [0; 6], Before::Namespaces(with(Kind::Uts, Some(7)), next), 4711), []);
    assert_eq!(told("mount", [0; 6], Before::Mounts(None), 0), []);
    let slash = fs::read_link("/proc/self/root").unwrap();
    assert_eq!(
        told("chroot", [0; 6], Before::RootDirectory(Some("/old".into())), 0),
        [Change::RootDirectory { before: Some("/old".into()), after: Some(slash) }]
    );
    assert_eq!(
        told("sethostname", [0; 6], Before::HostName(Some("old".into())), 0),
        [],
        "nobody can ask for the new one"
    );
    assert_eq!(told("kill", [0; 6], Before::Nothing, 0), []);
    assert_eq!(
        told("rmdir", [0; 6], Before::GroupRemoved("/sys/fs/cgroup/box".into()), 0),
        [Change::GroupRemoved("box".into())]
    );
    let object = Object::SystemV(crate::kernel::objects::SystemV::Queue, 3, 9);
    assert_eq!(told("msgctl", [0; 6], Before::ObjectRemoved(object.clone()), 0), [Change::ObjectRemoved(object)]);
    let made = objects::Before::SystemV(crate::kernel::objects::SystemV::Queue, 9, Some([1].into()));
    assert!(matches!(told("msgget", [0; 6], Before::Object(made), 5)[..], [Change::ObjectMade(_, true)]));
    // What was found when the process was born is told first.
    let mut call = pending("clone", [0; 6], Before::Nothing);
    call.born = vec![Change::Child(Pid(9))];
    assert_eq!(after(&me, &mut call, 9, no_exe()), [Change::Child(Pid(9))]);
}

#[test]
fn a_host_name_is_asked_for_inside() {
    let stub = Stub::new();
    stub.say(&ns_helper::Answer { hostname: Some("box".into()), ..ns_helper::Answer::default() });
    let me = Stopped::own();
    let was = before(&me, &call("sethostname", [0; 6]), &[0; 6], None, &stub.exe());
    assert!(matches!(was, Before::HostName(Some(name)) if name == "box"));
    let changes = |before: &str| {
        let mut call = pending("sethostname", [0; 6], Before::HostName(Some(before.into())));
        after(&me, &mut call, 0, &stub.exe())
    };
    assert_eq!(changes("old"), [Change::HostName { before: "old".into(), after: "box".into() }]);
    assert_eq!(changes("box"), []);
}

#[test]
fn a_new_mount_is_found_in_the_table() {
    let state = Before::Mounts(Some(Table::default()));
    let changes = told("mount", [0; 6], state, 0);
    let points = crate::kernel::text::read("/proc/self/mountinfo").unwrap().lines().count();
    assert!(!changes.is_empty() && changes.len() <= 2 * points, "{changes:?}");
}

#[test]
fn a_child_is_told_with_what_it_does_not_share_with_its_maker() {
    let me = Stopped::own();
    let (own, next) = (links(&me.tid().dir()), for_children(&me.tid().dir()));
    assert_eq!(born(&me, Pid::own(), &Before::Nothing), [Change::Child(Pid::own())]);
    assert_eq!(born(&me, Pid::own(), &Before::Namespaces(own.clone(), next)), [Change::Child(Pid::own())]);
    let before = Before::Namespaces(with(Kind::Net, Some(7)), ForChildren::Inode(8));
    assert_eq!(
        born(&me, Pid::own(), &before),
        [
            Change::Child(Pid::own()),
            Change::Namespace { kind: Kind::Net, before: Some(7), after: Some(own[&Kind::Net]) },
            Change::PidForChildren { before: ForChildren::Inode(8), after: next },
        ]
    );
}

#[test]
fn rights_are_the_lines_that_differ() {
    let own = rights(Pid::own());
    let names: Vec<&str> = own.iter().map(|(name, _)| *name).collect();
    assert_eq!(names[..4], RIGHTS[..4]);
    // Four numbers with one blank between them, as the kernel tells who we are.
    let (uid, euid) = (nix::unistd::getuid(), nix::unistd::geteuid());
    assert!(own[0].1.starts_with(&format!("{uid} {euid} ")), "{own:?}");
    let mut before = own.clone();
    before[3].1 = "other".into();
    let changed = Change::Right { name: "NoNewPrivs".into(), before: "other".into(), after: own[3].1.clone() };
    assert_eq!(told("capset", [0; 6], Before::Rights(before), 0), [changed]);
    assert_eq!(told("capset", [0; 6], Before::Rights(own), 0), []);
    assert_eq!(rights(Pid(i32::MAX)), []);
}

#[test]
fn a_file_is_named_with_its_group_where_processes_enter() {
    for (path, named) in [
        ("/sys/fs/cgroup/box/cpu.max", "cpu.max"),
        ("/sys/fs/cgroup/box/cgroup.procs", "box/cgroup.procs"),
        ("/sys/fs/cgroup/box/cgroup.threads", "box/cgroup.threads"),
        ("/sys/fs/cgroup/pids/box/tasks", "box/tasks"),
        ("/tasks", "tasks"),
        ("/", ""),
    ] {
        assert_eq!(file_name(Path::new(path)), named);
    }
}

#[test]
fn what_was_written_is_told_where_it_is_another_text() {
    let me = Stopped::own();
    let map = File::open("/proc/self/uid_map").unwrap();
    let (fd, now) = (map.as_raw_fd(), contents(Pid::own(), map.as_raw_fd()));
    assert_eq!(written(&me, fd, now.clone()), None);
    let change = |before: Option<&str>, after: Option<String>| {
        Some(Change::ControlFile { name: "uid_map".into(), before: before.map(String::from), after, file: None })
    };
    assert_eq!(written(&me, fd, String::new()), change(None, Some(now.clone())), "gone with the process itself");
    assert_eq!(written(&me, fd, "0 5 1".into()), change(Some("0 5 1"), Some(now)));
    // A file of another kind has no name here, and one that was emptied no contents.
    let file = tempfile::NamedTempFile::new().unwrap();
    let nameless = Change::ControlFile { name: String::new(), before: Some("1".into()), after: None, file: None };
    assert_eq!(told("write", [0; 6], Before::File(file.as_raw_fd(), "1".into()), 1), [nameless]);
}

#[test]
fn a_process_gets_namespaces_that_are_asked_for_now() {
    let gives = |flags: u64| gives_namespaces(&call("clone", [flags, 0, 0, 0, 0, 0]));
    assert!(!gives(0) && !gives(libc::CLONE_VM as u64));
    for row in TABLE.iter().filter(|row| row.kind != Kind::Time) {
        assert!(gives(row.flag), "{}", row.flag_name);
    }
}

#[test]
fn a_group_is_told_with_the_path_that_leads_to_it_here() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().canonicalize().unwrap();
    let name = path.file_name().unwrap().display().to_string();
    let made = told("mkdir", [0; 6], Before::GroupMade(path.clone()), 0);
    assert_eq!(made, [Change::GroupMade(name, Some(path.clone()))]);
    assert_eq!(in_our_view(Pid::own(), &path.join("missing")), None);
    assert_eq!(in_our_view(Pid(i32::MAX), &path), None);
}
