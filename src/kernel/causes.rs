//! Why calls fail, in one table: a call, its error, and what else was true, to the cause and what may help.
//!
//! Tools, panes, transcripts and the doctor all read it, so that a learner who sees two of them sees one text. Whoever can
//! look at facts passes them on and gets the exact cause; a pane that only knows the call gets the row without a fact, which
//! names everything that it may be.

use super::{
    errno::Errno,
    namespaces::{Kind, read_link},
};
use crate::lang::{Lang, spoken};
use std::path::Path;

/// Something that was true when the call failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fact {
    /// The next child of the caller will be in another PID namespace than the caller. Until there is one, the caller can
    /// make no thread and no second PID namespace (clone(2), pid_namespaces(7)).
    Elsewhere,
    /// The caller has one thread, as tools have.
    OneThread,
    /// It was a thread that was to be made, not a process.
    Thread,
    /// It is about a namespace of this kind.
    About(Kind),
    /// A file system of the kind `proc`.
    Proc,
    /// A file system of the kind `sysfs`, by a caller that may mount elsewhere.
    Sysfs,
    /// No new file system: what is mounted already was to be moved or changed.
    Again,
    /// What the call names first is missing, or its target.
    NoSource,
    /// The directory to mount on is missing.
    NoTarget,
    /// Something is mounted there, or nothing is.
    Mounted(bool),
}

/// A cause and a remedy, in both languages.
struct Row {
    calls: &'static [&'static str],
    errno: Errno,
    /// Only where this is known to be so.
    fact: Option<Fact>,
    cause: (&'static str, &'static str),
    /// What may help; empty where the cause says it.
    remedy: (&'static str, &'static str),
}

const fn row(
    calls: &'static [&'static str],
    errno: Errno,
    fact: Option<Fact>,
    cause: (&'static str, &'static str),
    remedy: (&'static str, &'static str),
) -> Row {
    Row { calls, errno, fact, cause, remedy }
}

const FORKS: &[&str] = &["fork", "vfork", "clone", "clone3"];
const LACKS: (&str, &str) = ("the process lacks the capability for this", "进程没有所需的能力（capability）");
const SAID: (&str, &str) = ("", "");
const SECCOMP: (&str, &str) = (
    "a seccomp filter refuses clone3(2) with EPERM, where the C library falls back only on ENOSYS: a container runtime older than Docker 20.10.10 or libseccomp 2.5",
    "seccomp 过滤器用 EPERM 拒绝 clone3(2)，而 C 库只在 ENOSYS 时才改用旧调用：常见于早于 Docker 20.10.10 或 libseccomp 2.5 的容器运行时",
);
const UPDATE: (&str, &str) = (
    "update it, or docker run --security-opt seccomp=unconfined",
    "请更新，或用 docker run --security-opt seccomp=unconfined",
);
const PROCESSES: (&str, &str) = ("a limit on the number of processes was reached", "进程数量达到上限");
const COUNTS: (&str, &str) = (
    "pids.max of the control group, ulimit -u, or /proc/sys/kernel/threads-max",
    "控制组的 pids.max、ulimit -u 或 /proc/sys/kernel/threads-max",
);
const ROOT_OR_MOUNT: (&str, &str) = (
    "become root, or make a user and a mount namespace with unshare -rm",
    "用 root，或用 unshare -rm 创建用户命名空间和挂载命名空间",
);

/// The first row that fits is the cause: rows with a fact stand before the one without.
static TABLE: &[Row] = &[
    row(FORKS, Errno::EINVAL, Some(Fact::Elsewhere), ELSEWHERE, FORK),
    row(FORKS, Errno::EPERM, Some(Fact::Thread), SECCOMP, UPDATE),
    row(FORKS, Errno::EACCES, Some(Fact::Thread), SECCOMP, UPDATE),
    row(FORKS, Errno::ENOMEM, Some(Fact::Thread), PROCESSES, COUNTS),
    row(
        FORKS,
        Errno::ENOMEM,
        None,
        (
            "if memory is left: the first process of this PID namespace has ended, so it takes no more processes",
            "内存还够的话，就是这个 PID 命名空间的第一个进程已结束，里面再也不能创建进程",
        ),
        SAID,
    ),
    row(FORKS, Errno::EAGAIN, None, PROCESSES, COUNTS),
    row(&["unshare"], Errno::EINVAL, Some(Fact::Elsewhere), ELSEWHERE, FORK),
    row(
        &["unshare"],
        Errno::EINVAL,
        Some(Fact::OneThread),
        ("this kernel was built without one of these namespaces", "这个内核编译时没有包含其中某种命名空间"),
        SAID,
    ),
    row(
        &["unshare"],
        Errno::EINVAL,
        None,
        (
            "this kernel lacks the namespace, or the process has several threads, or its children are already in another PID namespace",
            "内核没有编入的命名空间，或进程有多个线程，或它的子进程已在另一个 PID 命名空间里",
        ),
        SAID,
    ),
    row(
        &["unshare"],
        Errno::ENOSPC,
        None,
        (
            "not the disk: a limit on the number or the depth of namespaces",
            "不是磁盘满：命名空间的数量或嵌套层数达到上限",
        ),
        (
            "/proc/sys/user/max_*_namespaces, and 32 levels at most",
            "见 /proc/sys/user/max_*_namespaces；最多嵌套 32 层",
        ),
    ),
    row(&["unshare"], Errno::EUSERS, None, ("user namespaces are nested too deeply", "用户命名空间嵌套太深"), SAID),
    row(
        &["unshare"],
        Errno::EPERM,
        None,
        LACKS,
        (
            "become root, or put a user namespace around it with -r (--map-root-user)",
            "用 root，或用 -r（--map-root-user）在外面套一层用户命名空间",
        ),
    ),
    row(
        &["setns"],
        Errno::EINVAL,
        Some(Fact::About(Kind::User)),
        ("you are in this user namespace already", "已经在这个用户命名空间里"),
        ("leave out -U", "去掉 -U"),
    ),
    row(
        &["setns"],
        Errno::EINVAL,
        Some(Fact::About(Kind::Pid)),
        (
            "only our own PID namespace and those below it can be entered, and this one is above or beside it",
            "只能进入自己的 PID 命名空间和它下面的，而这一个在上面或旁边",
        ),
        SAID,
    ),
    row(
        &["setns"],
        Errno::EINVAL,
        None,
        (
            "it is a namespace of another kind, one that cannot be entered from here, or a process with several threads",
            "是另一种命名空间，或不能从这里进入，或进程有多个线程",
        ),
        SAID,
    ),
    row(
        &["setns"],
        Errno::EPERM,
        None,
        LACKS,
        (
            "become root, or enter the user namespace that owns it as well (-U)",
            "用 root，或一并进入拥有它的用户命名空间（-U）",
        ),
    ),
    row(
        &["mount"],
        Errno::EPERM,
        Some(Fact::Proc),
        (
            "without root it needs a new PID namespace and a child in it (-p --fork); and where parts of the host's /proc are covered, as in a container, the kernel refuses a new one",
            "没有 root 时，需要新的 PID 命名空间和其中的子进程（-p --fork）；如果宿主机的 /proc 有一部分被盖住（如在容器里），内核也会拒绝挂载新的",
        ),
        SAID,
    ),
    // Whoever may mount elsewhere in this user namespace may not show the network of another one.
    row(
        &["mount"],
        Errno::EPERM,
        Some(Fact::Sysfs),
        (
            "sysfs shows the network namespace, so it takes one that belongs to this user namespace (unshare -rmn); and where parts of /sys are covered, as in a container, the kernel refuses a new one",
            "sysfs 显示的是网络命名空间，所以要有属于这个用户命名空间的网络命名空间（unshare -rmn）；如果 /sys 有一部分被盖住（比如在容器里），内核也会拒绝",
        ),
        SAID,
    ),
    row(&["mount", "umount2"], Errno::EPERM, None, LACKS, ROOT_OR_MOUNT),
    row(
        &["mount"],
        Errno::ENODEV,
        None,
        ("this kernel does not know that file system", "这个内核不支持该文件系统"),
        ("cat /proc/filesystems", "cat /proc/filesystems"),
    ),
    row(
        &["mount"],
        Errno::ENOENT,
        Some(Fact::NoTarget),
        ("the directory to mount on does not exist", "挂载点目录不存在"),
        SAID,
    ),
    row(
        &["mount"],
        Errno::ENOTDIR,
        None,
        ("the place to mount on, or a part of its path, is not a directory", "挂载点或其路径中的一段不是目录"),
        SAID,
    ),
    row(&["mount"], Errno::ENOENT, Some(Fact::NoSource), ("the source does not exist", "来源不存在"), SAID),
    row(
        &["mount"],
        Errno::EINVAL,
        Some(Fact::Again),
        ("it is not a mount point, or not a mount of this mount namespace", "它不是挂载点，或者不属于这个挂载命名空间"),
        SAID,
    ),
    row(&["mount"], Errno::EBUSY, None, ("it is mounted there already, or in use", "已经挂载在那里，或正在使用"), SAID),
    row(
        &["umount2"],
        Errno::EINVAL,
        Some(Fact::Mounted(true)),
        (
            "it came from a more privileged mount namespace and is locked there (mount_namespaces(7))",
            "它来自权限更高的挂载命名空间，在这里被锁定（mount_namespaces(7)）",
        ),
        SAID,
    ),
    row(
        &["umount2"],
        Errno::EINVAL,
        Some(Fact::Mounted(false)),
        ("nothing is mounted there in this mount namespace", "在这个挂载命名空间里，那里没有挂载"),
        SAID,
    ),
    row(
        &["umount2"],
        Errno::EINVAL,
        None,
        (
            "nothing is mounted there in this mount namespace, or it is locked there",
            "在这个挂载命名空间里那里没有挂载，或挂载被锁定",
        ),
        SAID,
    ),
    row(
        &["umount2"],
        Errno::EBUSY,
        None,
        ("a process uses it as its directory, or has a file in it open", "有进程以它为当前目录，或打开着其中的文件"),
        ("-l takes it out of sight", "-l 先从目录树中摘除"),
    ),
    row(&["pivot_root", "rmdir"], Errno::EBUSY, None, ("something still uses it", "仍有东西在使用它"), SAID),
    row(
        &["pivot_root"],
        Errno::EINVAL,
        None,
        ("the new root is not a mount point, or a mount involved is shared", "新根不是挂载点，或相关挂载是 shared"),
        SAID,
    ),
    row(
        &["pivot_root"],
        Errno::EPERM,
        None,
        LACKS,
        (
            "become root, in a mount namespace of your own (unshare -m)",
            "用 root，并用 unshare -m 创建独立的挂载命名空间",
        ),
    ),
    row(
        &["chroot"],
        Errno::EPERM,
        None,
        LACKS,
        (
            "become root, or put a user namespace around it with unshare -r",
            "用 root，或用 unshare -r 在外面套一层用户命名空间",
        ),
    ),
    row(&["chroot"], Errno::ENOENT, None, ("that directory does not exist", "这个目录不存在"), SAID),
    row(
        &["chroot"],
        Errno::ENOTDIR,
        None,
        (
            "a root is a directory with a whole file system below it, not a file",
            "根必须是目录，下面有完整的文件系统，不能是文件",
        ),
        SAID,
    ),
    row(
        &["sethostname"],
        Errno::EPERM,
        None,
        LACKS,
        (
            "become root, or make a user and a UTS namespace with unshare -ru",
            "用 root，或用 unshare -ru 创建用户命名空间和 UTS 命名空间",
        ),
    ),
    row(
        &["mknod", "mknodat"],
        Errno::EEXIST,
        None,
        (
            "something of that name is there: writing into a device that is not there yet, such as with 2>/dev/null, makes an ordinary file",
            "已经有同名的东西：设备还不存在时往里写（例如 2>/dev/null），得到的是一个普通文件",
        ),
        ("remove it with rm, then make the device", "先用 rm 删掉它，再创建设备"),
    ),
    row(
        &["execve", "execveat"],
        Errno::ENOENT,
        None,
        ("the program, or the interpreter that it names, is not there", "程序或它所需的解释器不存在"),
        SAID,
    ),
];

const ELSEWHERE: (&str, &str) = (
    "only the children of this process are in the new PID namespace, and it can make no thread itself",
    "只有这个进程的子进程在新的 PID 命名空间里，它自己不能创建线程",
);
const FORK: (&str, &str) = ("unshare has --fork (-f)", "给 unshare 加 --fork（-f）");

fn find(call: &str, errno: Errno, facts: &[Fact]) -> Option<&'static Row> {
    let holds = |row: &&Row| row.fact.is_none_or(|fact| facts.contains(&fact));
    TABLE.iter().filter(|row| row.errno == errno && row.calls.contains(&call)).find(holds)
}

/// Every cause and remedy of a call's error that can be: `possible` says whether a fact may have been so. Those that know
/// more come first.
pub(crate) fn all(
    call: &str,
    errno: Errno,
    possible: impl Fn(Fact) -> bool,
    lang: Lang,
) -> Vec<(&'static str, &'static str)> {
    let rows = TABLE.iter().filter(|row| row.errno == errno && row.calls.contains(&call));
    let rows = rows.filter(|row| row.fact.is_none_or(&possible));
    let mut out: Vec<(&'static str, &'static str)> = Vec::new();
    for row in rows {
        let said = (lang.pick(row.cause.0, row.cause.1), lang.pick(row.remedy.0, row.remedy.1));
        if !out.iter().any(|(cause, _)| *cause == said.0) {
            out.push(said);
        }
    }
    out
}

/// The cause alone, where the call and its error have a usual one.
pub(crate) fn cause(call: &str, errno: Errno, facts: &[Fact], lang: Lang) -> Option<&'static str> {
    find(call, errno, facts).map(|row| lang.pick(row.cause.0, row.cause.1))
}

/// The cause and what may help.
pub(crate) fn help_in(call: &str, errno: Errno, facts: &[Fact], lang: Lang) -> Option<String> {
    find(call, errno, facts).map(|row| {
        let (cause, remedy) = (lang.pick(row.cause.0, row.cause.1), lang.pick(row.remedy.0, row.remedy.1));
        if remedy.is_empty() { cause.into() } else { format!("{cause}{}{remedy}", lang.pick(": ", "：")) }
    })
}

/// The same in the language of this process, for tools.
pub(crate) fn help(call: &str, errno: Errno, facts: &[Fact]) -> Option<String> {
    help_in(call, errno, facts, spoken())
}

/// Why this process cannot make a thread.
pub(crate) fn thread(errno: Errno, lang: Lang) -> Option<String> {
    help_in("clone3", errno, &[own(), vec![Fact::Thread]].concat(), lang)
}

/// What is true of this process that decides about new namespaces, processes and threads.
pub(crate) fn own() -> Vec<Fact> {
    // The second link cannot be read before the first process of that namespace.
    let link = |name: &str| read_link(&Path::new("/proc/thread-self/ns").join(name)).ok();
    let elsewhere = link("pid").is_some() && link("pid_for_children") != link("pid");
    if elsewhere { vec![Fact::Elsewhere] } else { Vec::new() }
}

#[cfg(test)]
#[path = "causes_tests.rs"]
mod tests;
