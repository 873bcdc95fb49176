//! Processes, threads, namespaces and who one is.

use super::{Fact, LACKS, Row, SAID, row};
use crate::kernel::errno::Errno;
use crate::kernel::namespaces::Kind;

const FORKS: &[&str] = &["fork", "vfork", "clone", "clone3"];
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
const ELSEWHERE: (&str, &str) = (
    "only the children of this process are in the new PID namespace, and it can make no thread itself",
    "只有这个进程的子进程在新的 PID 命名空间里，它自己不能创建线程",
);
const FORK: (&str, &str) = ("unshare has --fork (-f)", "给 unshare 加 --fork（-f）");

pub(super) static ROWS: &[Row] = &[
    row(FORKS, &[Errno::EINVAL], Some(Fact::Elsewhere), ELSEWHERE, FORK),
    row(FORKS, &[Errno::EPERM], Some(Fact::Thread), SECCOMP, UPDATE),
    row(FORKS, &[Errno::EACCES], Some(Fact::Thread), SECCOMP, UPDATE),
    row(FORKS, &[Errno::ENOMEM], Some(Fact::Thread), PROCESSES, COUNTS),
    row(
        FORKS,
        &[Errno::ENOMEM],
        None,
        (
            "if memory is left: the first process of this PID namespace has ended, so it takes no more processes",
            "内存还够的话，就是这个 PID 命名空间的第一个进程已结束，里面再也不能创建进程",
        ),
        SAID,
    ),
    row(FORKS, &[Errno::EAGAIN], None, PROCESSES, COUNTS),
    row(&["unshare"], &[Errno::EINVAL], Some(Fact::Elsewhere), ELSEWHERE, FORK),
    row(
        &["unshare"],
        &[Errno::EINVAL],
        Some(Fact::OneThread),
        ("this kernel was built without one of these namespaces", "这个内核编译时没有包含其中某种命名空间"),
        SAID,
    ),
    row(
        &["unshare"],
        &[Errno::EINVAL],
        None,
        (
            "this kernel lacks the namespace, or the process has several threads, or its children are already in another PID namespace",
            "内核没有编入的命名空间，或进程有多个线程，或它的子进程已在另一个 PID 命名空间里",
        ),
        SAID,
    ),
    row(
        &["unshare"],
        &[Errno::ENOSPC],
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
    row(&["unshare"], &[Errno::EUSERS], None, ("user namespaces are nested too deeply", "用户命名空间嵌套太深"), SAID),
    row(
        &["unshare"],
        &[Errno::EPERM],
        None,
        LACKS,
        (
            "become root, or put a user namespace around it with -r (--map-root-user)",
            "用 root，或用 -r（--map-root-user）在外面套一层用户命名空间",
        ),
    ),
    row(
        &["setns"],
        &[Errno::EINVAL],
        Some(Fact::About(Kind::User)),
        ("you are in this user namespace already", "已经在这个用户命名空间里"),
        ("leave out -U", "去掉 -U"),
    ),
    row(
        &["setns"],
        &[Errno::EINVAL],
        Some(Fact::About(Kind::Pid)),
        (
            "only our own PID namespace and those below it can be entered, and this one is above or beside it",
            "只能进入自己的 PID 命名空间和它下面的，而这一个在上面或旁边",
        ),
        SAID,
    ),
    row(
        &["setns"],
        &[Errno::EINVAL],
        None,
        (
            "it is a namespace of another kind, one that cannot be entered from here, or a process with several threads",
            "是另一种命名空间，或不能从这里进入，或进程有多个线程",
        ),
        SAID,
    ),
    row(
        &["setns"],
        &[Errno::EPERM],
        None,
        LACKS,
        (
            "become root, or enter the user namespace that owns it as well (-U)",
            "用 root，或一并进入拥有它的用户命名空间（-U）",
        ),
    ),
    row(
        &["execve", "execveat"],
        &[Errno::ENOENT],
        None,
        ("the program, or the interpreter that it names, is not there", "程序或它所需的解释器不存在"),
        SAID,
    ),
    row(
        &["open ns"],
        &[Errno::ESRCH],
        None,
        (
            "it has ended, or this /proc belongs to another PID namespace",
            "它已结束，或者这个 /proc 属于另一个 PID 命名空间",
        ),
        ("ps -ef shows what runs here", "用 ps -ef 看看这里有哪些进程"),
    ),
    row(
        &["open ns"],
        &[Errno::EACCES, Errno::EPERM],
        None,
        ("it takes the right to trace that process", "需要跟踪该进程的权限"),
        ("root, in its user namespace", "其用户命名空间里的 root"),
    ),
    row(
        &["open ns"],
        &[Errno::ENOENT],
        Some(Fact::Proc),
        ("a process that has ended (a zombie) has left its namespaces", "已结束的进程（僵尸进程）不再属于任何命名空间"),
        SAID,
    ),
    row(
        &["open ns"],
        &[Errno::ENOENT],
        Some(Fact::Joined),
        ("each letter may have a FILE, so they are not joined", "每个字母后面都可以跟一个文件，不能连写"),
        ("-i -m -n -p -u", "-i -m -n -p -u"),
    ),
    row(
        &["setuid", "setgid", "setgroups"],
        &[Errno::EINVAL],
        None,
        ("this ID is not mapped in the user namespace", "这个 ID 在用户命名空间里没有映射"),
        ("unshare has --map-users, --map-groups, --map-auto", "unshare 有 --map-users、--map-groups、--map-auto"),
    ),
    row(
        &["setuid", "setgid", "setgroups"],
        &[Errno::EPERM],
        Some(Fact::NewUsers),
        (
            "setgroups(2) is denied in this user namespace, or the group map is missing",
            "这个用户命名空间禁止了 setgroups(2)，或者没有组映射",
        ),
        SAID,
    ),
    row(
        &["uid_map", "gid_map"],
        &[Errno::EPERM, Errno::EACCES],
        None,
        ("a security policy may forbid it", "可能被安全策略禁止"),
        ("boxwright doctor", "boxwright doctor"),
    ),
    row(
        &["seccomp"],
        &[Errno::EACCES],
        None,
        ("without CAP_SYS_ADMIN no_new_privs must be set first", "没有 CAP_SYS_ADMIN 时，必须先设置 no_new_privs"),
        ("the tool seccomp does so without --allow-new-privs", "工具 seccomp 不带 --allow-new-privs 时会设置"),
    ),
    row(
        &["seccomp"],
        &[Errno::ENOSYS, Errno::EINVAL],
        None,
        ("this kernel was built without seccomp filters", "这个内核没有编译 seccomp 过滤器"),
        SAID,
    ),
];
