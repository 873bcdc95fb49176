use super::*;

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
    ("pivot_root", Errno::EBUSY, &[], "something still uses it"),
    ("pivot_root", Errno::EINVAL, &[], "the new root is not a mount point"),
    ("pivot_root", Errno::EPERM, &[], "the process lacks"),
    ("chroot", Errno::EPERM, &[], "the process lacks"),
    ("chroot", Errno::ENOENT, &[], "that directory does not"),
    ("chroot", Errno::ENOTDIR, &[], "a root is a directory"),
    ("sethostname", Errno::EPERM, &[], "the process lacks"),
    ("mknodat", Errno::EEXIST, &[], "something of that name is there"),
    ("execve", Errno::ENOENT, &[], "the program, or the interpreter"),
];

#[test]
fn every_row_is_the_answer_to_a_case() {
    let mut met = Vec::new();
    for (call, errno, facts, begins) in CASES {
        let said = cause(call, *errno, facts, Lang::En).unwrap_or_else(|| panic!("{call} {errno}: nothing"));
        assert!(said.starts_with(begins), "{call} {errno} {facts:?}: {said}");
        let found = find(call, *errno, facts).unwrap();
        met.push(TABLE.iter().position(|row| std::ptr::eq(row, found)).unwrap());
    }
    let unmet = (0..TABLE.len()).filter(|index| !met.contains(index));
    assert_eq!(unmet.map(|index| TABLE[index].cause.0).collect::<Vec<_>>(), [""; 0]);
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
    for row in TABLE {
        assert_eq!(row.remedy.0.is_empty(), row.remedy.1.is_empty(), "{}", row.cause.0);
        assert!(row.cause.1.chars().any(|letter| letter > '\u{2e80}'), "{}", row.cause.1);
    }
}

#[test]
fn whoever_has_children_elsewhere_knows() {
    assert_eq!(own(), []);
}
