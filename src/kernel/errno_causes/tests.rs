use super::*;
use crate::kernel::apart::as_root_apart;
use nix::sched::CloneFlags;
use std::collections::BTreeSet;

const ALL: &[Fact] = &[
    Fact::Elsewhere,
    Fact::OneThread,
    Fact::Thread,
    Fact::About(Kind::User),
    Fact::About(Kind::Pid),
    Fact::Proc,
    Fact::Sysfs,
    Fact::Again,
    Fact::NoSource,
    Fact::NoTarget,
    Fact::Mounted(true),
];

/// A call, its error, what is known, and how the English cause begins.
const CASES: &[(&str, Errno, &[Fact], &str)] = &[
    ("clone3", Errno::EINVAL, &[Fact::Thread, Fact::Elsewhere], "only the children"),
    ("clone3", Errno::EPERM, &[Fact::Thread], "a seccomp filter"),
    ("clone3", Errno::EACCES, &[Fact::Thread], "a seccomp filter"),
    ("clone3", Errno::ENOMEM, &[Fact::Thread], "a limit on the number of processes"),
    ("fork", Errno::ENOMEM, &[], "if memory is left"),
    ("vfork", Errno::EAGAIN, &[], "a limit on the number of processes"),
    ("unshare", Errno::EINVAL, &[Fact::OneThread, Fact::Elsewhere], "only the children"),
    ("unshare", Errno::EINVAL, &[Fact::OneThread], "this kernel was built without"),
    ("unshare", Errno::EINVAL, &[], "this kernel lacks the namespace"),
    ("unshare", Errno::ENOSPC, &[], "not the disk"),
    ("unshare", Errno::EUSERS, &[], "user namespaces are nested"),
    ("unshare", Errno::EPERM, &[], "the process lacks"),
    ("setns", Errno::EINVAL, &[Fact::About(Kind::User)], "you are in this"),
    ("setns", Errno::EINVAL, &[Fact::About(Kind::Pid)], "only our own PID"),
    ("setns", Errno::EINVAL, &[Fact::About(Kind::Net)], "it is a namespace of another kind"),
    ("setns", Errno::EPERM, &[], "the process lacks"),
    ("mount", Errno::EPERM, &[Fact::Proc], "without root it needs a new PID"),
    ("mount", Errno::EPERM, &[Fact::Sysfs], "sysfs shows the network"),
    ("mount", Errno::EPERM, &[], "the process lacks"),
    ("umount2", Errno::EPERM, &[], "the process lacks"),
    ("mount", Errno::ENODEV, &[], "this kernel does not know"),
    ("mount", Errno::ENOENT, &[Fact::NoTarget, Fact::NoSource], "the directory to mount on"),
    ("mount", Errno::ENOENT, &[Fact::NoSource], "the source does not"),
    ("mount", Errno::ENOTDIR, &[Fact::Proc], "the place to mount on"),
    ("mount", Errno::EINVAL, &[Fact::Again], "it is not a mount point"),
    ("mount", Errno::EBUSY, &[], "it is mounted there already"),
    ("umount2", Errno::EINVAL, &[Fact::Mounted(true)], "it came from a more privileged"),
    ("umount2", Errno::EINVAL, &[Fact::Mounted(false)], "nothing is mounted there"),
    ("umount2", Errno::EINVAL, &[], "nothing is mounted there"),
    ("umount2", Errno::EBUSY, &[], "a process uses it"),
    ("rmdir", Errno::EBUSY, &[], "something still uses it"),
    ("unlinkat", Errno::EBUSY, &[], "something still uses it"),
    ("pivot_root", Errno::EBUSY, &[], "something still uses it"),
    ("pivot_root", Errno::EINVAL, &[], "the new root is not a mount point"),
    ("pivot_root", Errno::EPERM, &[], "the process lacks"),
    ("chroot", Errno::EPERM, &[], "the process lacks"),
    ("chroot", Errno::ENOENT, &[], "that directory does not"),
    ("chroot", Errno::ENOTDIR, &[], "a root is a directory"),
    ("sethostname", Errno::EPERM, &[], "the process lacks"),
    ("mknodat", Errno::EEXIST, &[], "something of that name is there"),
    ("execve", Errno::ENOENT, &[], "the program, or the interpreter"),
    ("open ns", Errno::ESRCH, &[], "it has ended, or this /proc"),
    ("open ns", Errno::EACCES, &[], "it takes the right to trace"),
    ("open ns", Errno::ENOENT, &[Fact::Joined, Fact::Proc], "a process that has ended"),
    ("open ns", Errno::ENOENT, &[Fact::Joined], "each letter may have"),
    ("setgid", Errno::EINVAL, &[], "this ID is not mapped"),
    ("setgroups", Errno::EPERM, &[Fact::NewUsers], "setgroups(2) is denied"),
    ("uid_map", Errno::EPERM, &[], "a security policy"),
    ("seccomp", Errno::EACCES, &[], "without CAP_SYS_ADMIN"),
    ("seccomp", Errno::ENOSYS, &[], "this kernel was built without seccomp"),
    ("pivot_root", Errno::EINVAL, &[Fact::RootNotMounted], "the current root is not a mount point"),
    ("pivot_root", Errno::EINVAL, &[Fact::SharedOld], "the mount that {old} is on"),
    ("pivot_root", Errno::EINVAL, &[Fact::SharedParent], "the parent mount of {new}"),
    ("pivot_root", Errno::EINVAL, &[Fact::SharedRoot], "the parent mount of the current root"),
    ("pivot_root", Errno::EBUSY, &[Fact::NewOnRoot], "{new} is on the current root mount"),
    ("pivot_root", Errno::EBUSY, &[Fact::OldOnRoot], "{old} is on the current root mount"),
    ("pivot_root", Errno::EINVAL, &[Fact::FirstRoot], "the current root is the kernel's first"),
    ("pivot_root", Errno::EINVAL, &[Fact::NewNotMounted], "{new} is not a mount point"),
    ("pivot_root", Errno::EINVAL, &[Fact::OldElsewhere], "{old} is not at or below"),
    ("pivot_root", Errno::ENOENT, &[Fact::NoTarget], "{missing} does not exist"),
    ("pivot_root", Errno::ENOTDIR, &[Fact::NoTarget], "{missing} is not a directory"),
    ("keep namespace", Errno::ENOENT, &[Fact::NoTarget, Fact::About(Kind::Pid)], "the file must exist"),
    ("keep namespace", Errno::EINVAL, &[Fact::About(Kind::Pid)], "a PID namespace exists only"),
    ("keep namespace", Errno::EINVAL, &[Fact::About(Kind::Mnt)], "the file must be on a mount"),
    ("keep namespace", Errno::EPERM, &[], "a mount outside takes root"),
    ("sethostname", Errno::EINVAL, &[], "at most 64"),
    ("bind", Errno::EADDRINUSE, &[], "another program"),
    ("connect", Errno::ENETUNREACH, &[], "no route leads there"),
    ("bind", Errno::EADDRNOTAVAIL, &[], "is lo up?"),
    ("RTM_NEWLINK", Errno::EPERM, &[], "this needs root in the user namespace"),
    ("shmget", Errno::ENOSPC, &[], "ENOSPC: the IPC namespace's limit"),
    ("semctl", Errno::EINVAL, &[], "no such object"),
    ("openpty", Errno::ENOSPC, &[], "every pseudo terminal"),
    ("openpty", Errno::ENFILE, &[], "too many files"),
    ("openpty", Errno::EPERM, &[], "/dev/ptmx must be readable"),
    ("openpty", Errno::ENOENT, &[], "a devpts must be mounted"),
    ("cgroup.procs", Errno::ENOENT, &[Fact::NoGroup], "no such group"),
    ("cgroup.procs", Errno::ESRCH, &[], "that process has ended"),
    ("cgroup.procs", Errno::ENOSPC, &[], "{dir}/cpuset.cpus"),
    ("cgroup.procs", Errno::EBUSY, &[], "a group that hands controllers"),
    ("cgroup.procs", Errno::EACCES, &[Fact::OwnGroup(2)], "{dir} is yours, but a process moves"),
    ("cgroup.procs", Errno::EPERM, &[Fact::OwnGroup(1)], "{dir} is yours, but the process is not"),
    ("cgroup.procs", Errno::EPERM, &[], "this needs root"),
    ("cgroup.procs", Errno::EINVAL, &[Fact::OfVersion(1)], "a real-time process"),
    ("cgroup.procs", Errno::EOPNOTSUPP, &[Fact::Threaded], "{dir} is threaded"),
    ("cgroup.procs", Errno::EOPNOTSUPP, &[Fact::BelowThreaded], "a group above {dir} is threaded"),
    ("make group", Errno::EACCES, &[], "this needs root"),
    ("make group", Errno::EROFS, &[], "cgroupfs is mounted read-only"),
    ("make group", Errno::EAGAIN, &[], "cgroup.max.descendants"),
    ("remove group", Errno::EBUSY, &[Fact::Members, Fact::GroupBelow], "processes are still in it"),
    ("remove group", Errno::EBUSY, &[Fact::GroupBelow], "a group is below it"),
    ("remove group", Errno::EBUSY, &[], "a process that has ended is still in it"),
    ("remove group", Errno::ENOENT, &[], "no such group"),
    ("remove group", Errno::EPERM, &[], "this needs root"),
    ("cgroup.subtree_control", Errno::EBUSY, &[], "a group that contains processes"),
    ("cgroup.subtree_control", Errno::ENOENT, &[], "the group above {dir}"),
    ("cgroup.subtree_control", Errno::EIO, &[], "this needs root"),
    ("control file", Errno::ENOENT, &[Fact::Swap(None), Fact::NoGroup], "no such group"),
    ("control file", Errno::ENOENT, &[Fact::Swap(Some(true))], "this kernel does not count swap, and swap is on"),
    ("control file", Errno::ENOENT, &[Fact::Swap(Some(false))], "this kernel does not count swap, but"),
    ("control file", Errno::ENOENT, &[Fact::Swap(None)], "this kernel does not count swap, and whether"),
    ("control file", Errno::ENOENT, &[Fact::NotDelegated], "the group above does not hand"),
    ("control file", Errno::ENOENT, &[Fact::OtherScale], "shares (1024"),
    ("control file", Errno::ENOENT, &[], "groups of {controller}"),
    ("control file", Errno::EACCES, &[Fact::There], "the file is read-only"),
    ("control file", Errno::EROFS, &[], "cgroupfs is mounted read-only"),
    ("control file", Errno::EBUSY, &[Fact::Of("memory")], "the group uses {used}"),
    ("control file", Errno::EINVAL, &[Fact::Of("cpu.max")], "a quota is at least 1000 microseconds or max"),
    ("control file", Errno::EINVAL, &[Fact::Of("cpu.cfs")], "a quota is at least 1000 microseconds, a period"),
    ("control file", Errno::EINVAL, &[Fact::BelowMemory], "memory and swap together"),
    ("control file", Errno::EINVAL, &[Fact::AboveBoth], "memory alone"),
    ("control file", Errno::EINVAL, &[], "{value} is not a valid value"),
];

#[test]
fn every_row_is_the_answer_to_a_case() {
    let mut met = Vec::new();
    for (call, errno, facts, begins) in CASES {
        let said = cause(call, *errno, facts, Lang::En).unwrap_or_else(|| panic!("{call} {errno}: nothing"));
        assert!(said.starts_with(begins), "{call} {errno} {facts:?}: {said}");
        let found = find(call, *errno, facts).unwrap();
        met.push(found);
    }
    let all = TABLE.iter().flat_map(|rows| rows.iter());
    let unmet = all.filter(|row| !met.iter().any(|found| std::ptr::eq(*found, *row)));
    assert_eq!(unmet.map(|row| row.cause.0).collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn a_fact_decides_only_where_it_was_looked_at() {
    for (call, errno, facts, _) in CASES.iter().filter(|(.., facts, _)| !facts.is_empty()) {
        let without = cause(call, *errno, &[], Lang::En);
        assert!(
            without.is_none()
                || [&[Fact::About(Kind::Net)][..], &[Fact::Proc]].contains(facts)
                || without != cause(call, *errno, facts, Lang::En)
        );
    }
    assert_eq!(cause("unshare", Errno::ENOENT, ALL, Lang::En), None);
    assert_eq!(cause("openat", Errno::EPERM, ALL, Lang::En), None);
}

#[test]
fn the_remedy_follows_the_cause_in_both_languages() {
    let help = |call, errno, lang| help_in(call, errno, &[Fact::Elsewhere], lang).unwrap();
    assert_eq!(
        help("unshare", Errno::EINVAL, Lang::En),
        "only the children of this process are in the new PID namespace, and it can make no thread itself: unshare has --fork (-f)"
    );
    assert_eq!(
        help("unshare", Errno::EINVAL, Lang::Zh),
        "只有这个进程的子进程在新的 PID 命名空间里，它自己不能创建线程：给 unshare 加 --fork（-f）"
    );
    assert_eq!(help("chroot", Errno::ENOENT, Lang::En), "that directory does not exist");
    let facts = [Fact::Elsewhere];
    assert_eq!(super::help("unshare", Errno::EINVAL, &facts), help_in("unshare", Errno::EINVAL, &facts, Lang::En));
    for row in TABLE.iter().flat_map(|rows| rows.iter()) {
        assert_eq!(row.remedy.0.is_empty(), row.remedy.1.is_empty(), "{}", row.cause.0);
        assert!(row.cause.1.chars().any(|letter| letter > '\u{2e80}'), "{}", row.cause.1);
        // What is filled in stands in both languages.
        let open = |text: (&'static str, &'static str)| {
            [text.0, text.1].map(|text| {
                let names = text.split('{').skip(1).filter_map(|rest| rest.split_once('}'));
                names.map(|(name, _)| name).collect::<BTreeSet<_>>()
            })
        };
        assert!([row.cause, row.remedy].map(open).iter().all(|[en, zh]| en == zh), "{}", row.cause.0);
    }
}

#[test]
fn what_a_row_leaves_open_is_filled_in() {
    let text = help_with("cgroup.procs", Errno::ENOENT, &[Fact::NoGroup], &[("group", &"cpu:box"), ("dir", &7)]);
    assert_eq!(text.as_deref(), Some("no such group: cgcreate -g cpu:box"));
    assert_eq!(help_with("cgroup.procs", Errno::EXDEV, &[Fact::NoGroup], &[]), None);
    // Panes know no names.
    assert!(all("pivot_root", Errno::EINVAL, |_| true, Lang::En).iter().all(|(cause, _)| !cause.contains('{')));
}

#[test]
#[cfg_attr(no_user_namespaces, ignore = "no user namespaces could be made when this was built")]
fn a_process_with_children_elsewhere_knows() {
    let apart = as_root_apart(CloneFlags::CLONE_NEWPID, || {
        format!("{:?} {}", own(), thread(Errno::EINVAL, Lang::En).unwrap_or_default())
    });
    let expected = "[Elsewhere] only the children of this process are in the new PID namespace";
    assert!(apart.starts_with(expected), "{apart}");
}

#[test]
fn a_process_whose_children_stay_here_has_reached_a_limit() {
    assert_eq!(own(), []);
    let limit = thread(Errno::EAGAIN, Lang::En).unwrap();
    assert!(limit.starts_with("a limit on the number of processes"), "{limit}");
}

#[test]
fn all_that_may_have_been_so_is_told_once() {
    let causes = |possible: fn(Fact) -> bool| {
        let all = all("unshare", Errno::EINVAL, possible, Lang::En);
        all.iter().map(|(cause, _)| cause.split(' ').take(4).collect::<Vec<_>>().join(" ")).collect::<Vec<_>>()
    };
    let without = causes(|_| false);
    assert_eq!(without, ["this kernel lacks the"]);
    let with = causes(|_| true);
    assert_eq!(with, ["only the children of", "this kernel was built", "this kernel lacks the"]);
    let [first, ..] = all("unshare", Errno::EINVAL, |_| true, Lang::Zh)[..] else { panic!() };
    assert!(first.0.starts_with("只有这个进程的子进程") && first.1.contains("--fork"), "{first:?}");
    for (call, errno, ..) in CASES {
        let all = all(call, *errno, |_| true, Lang::En);
        let once: BTreeSet<_> = all.iter().map(|(cause, _)| cause).collect();
        assert!(
            once.len() == all.len() && all.iter().all(|(cause, _)| !cause.contains('{')),
            "{call} {errno}: {all:?}"
        );
    }
}
