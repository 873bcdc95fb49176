//! Host names, the network, IPC objects and terminals.

use super::{LACKS, Row, SAID, row};
use crate::kernel::errno::Errno;

pub(super) static ROWS: &[Row] = &[
    row(
        &["sethostname"],
        &[Errno::EPERM],
        None,
        LACKS,
        (
            "become root, or make a user and a UTS namespace with unshare -ru",
            "用 root，或用 unshare -ru 创建用户命名空间和 UTS 命名空间",
        ),
    ),
    row(&["sethostname"], &[Errno::EINVAL], None, ("at most 64 bytes", "最多 64 字节"), SAID),
    row(
        &["bind"],
        &[Errno::EADDRINUSE],
        None,
        ("another program of this network namespace listens there", "这个网络命名空间里已有程序在监听这个端口"),
        SAID,
    ),
    row(
        &["bind", "connect"],
        &[Errno::EADDRNOTAVAIL],
        None,
        ("is lo up? ip link set lo up", "lo 启用了吗？ip link set lo up"),
        SAID,
    ),
    row(
        &["connect"],
        &[Errno::ENETUNREACH],
        None,
        ("no route leads there: is lo up? what does ip route say?", "没有路由通向那里：lo 启用了吗？ip route 怎么说？"),
        SAID,
    ),
    row(
        &["RTM_NEWLINK"],
        &[Errno::EPERM],
        None,
        (
            "this needs root in the user namespace that owns the network namespace",
            "需要拥有该网络命名空间的用户命名空间里的 root",
        ),
        ("unshare -rn", "unshare -rn"),
    ),
    row(
        &["msgget", "shmget", "semget"],
        &[Errno::ENOSPC],
        None,
        (
            "ENOSPC: the IPC namespace's limit, /proc/sys/kernel/msgmni (or shmmni, sem)",
            "ENOSPC：到了 IPC 命名空间的上限，/proc/sys/kernel/msgmni（或 shmmni、sem）",
        ),
        SAID,
    ),
    row(
        &["msgctl", "shmctl", "semctl"],
        &[Errno::EINVAL],
        None,
        ("no such object in this IPC namespace", "这个 IPC 命名空间里没有该对象"),
        ("ipcs", "ipcs"),
    ),
    row(
        &["openpty"],
        &[Errno::ENOSPC],
        None,
        ("every pseudo terminal is in use", "所有伪终端都在使用"),
        ("close some, or raise /proc/sys/kernel/pty/max", "关闭一些，或调大 /proc/sys/kernel/pty/max"),
    ),
    row(
        &["openpty"],
        &[Errno::EMFILE, Errno::ENFILE],
        None,
        ("too many files are open", "打开的文件太多"),
        ("raise the limit with ulimit -n", "用 ulimit -n 调大上限"),
    ),
    row(
        &["openpty"],
        &[Errno::EACCES, Errno::EPERM],
        None,
        (
            "/dev/ptmx must be readable and writable for all users (mode 666)",
            "/dev/ptmx 必须让所有用户可读可写（模式 666）",
        ),
        SAID,
    ),
    row(
        &["openpty"],
        &[],
        None,
        (
            "a devpts must be mounted on /dev/pts, and /dev/ptmx must be its ptmx",
            "/dev/pts 上必须挂载 devpts，/dev/ptmx 必须是它的 ptmx",
        ),
        ("mount -t devpts devpts /dev/pts", "mount -t devpts devpts /dev/pts"),
    ),
];
