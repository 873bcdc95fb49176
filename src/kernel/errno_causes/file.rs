//! Mounts, roots and what lies in a file system.

use super::{Fact, LACKS, Row, SAID, row};
use crate::kernel::errno::Errno;
use crate::kernel::namespaces::Kind;

const ROOT_OR_MOUNT: (&str, &str) = (
    "become root, or make a user and a mount namespace with unshare -rm",
    "用 root，或用 unshare -rm 创建用户命名空间和挂载命名空间",
);
const PRIVATE: (&str, &str) = ("mount --make-rprivate /", "mount --make-rprivate /");
const BIND: (&str, &str) = ("mount --bind {new} {new}", "mount --bind {new} {new}");
/// pivot_root(2) has two errors for many causes.
const UNFIT: &[Errno] = &[Errno::EINVAL, Errno::EBUSY];

pub(super) static ROWS: &[Row] = &[
    row(
        &["mount"],
        &[Errno::EPERM],
        Some(Fact::Proc),
        (
            "without root it needs a new PID namespace and a child in it (-p --fork); and where parts of the host's /proc are covered, as in a container, the kernel refuses a new one",
            "没有 root 时，需要新的 PID 命名空间和其中的子进程（-p --fork）；如果宿主机的 /proc 有一部分被盖住（如在容器里），内核也会拒绝挂载新的",
        ),
        SAID,
    ),
    // A process that may mount elsewhere in this user namespace may not show the network of another one.
    row(
        &["mount"],
        &[Errno::EPERM],
        Some(Fact::Sysfs),
        (
            "sysfs shows the network namespace, so it takes one that belongs to this user namespace (unshare -rmn); and where parts of /sys are covered, as in a container, the kernel refuses a new one",
            "sysfs 显示的是网络命名空间，所以要有属于这个用户命名空间的网络命名空间（unshare -rmn）；如果 /sys 有一部分被盖住（比如在容器里），内核也会拒绝",
        ),
        SAID,
    ),
    row(&["mount", "umount2"], &[Errno::EPERM], None, LACKS, ROOT_OR_MOUNT),
    row(
        &["mount"],
        &[Errno::ENODEV],
        None,
        ("this kernel does not know that file system", "这个内核不支持该文件系统"),
        ("cat /proc/filesystems", "cat /proc/filesystems"),
    ),
    row(
        &["mount"],
        &[Errno::ENOENT],
        Some(Fact::NoTarget),
        ("the directory to mount on does not exist", "挂载点目录不存在"),
        SAID,
    ),
    row(
        &["mount"],
        &[Errno::ENOTDIR],
        None,
        ("the place to mount on, or a part of its path, is not a directory", "挂载点或其路径中的一段不是目录"),
        SAID,
    ),
    row(&["mount"], &[Errno::ENOENT], Some(Fact::NoSource), ("the source does not exist", "来源不存在"), SAID),
    row(
        &["mount"],
        &[Errno::EINVAL],
        Some(Fact::Again),
        ("it is not a mount point, or not a mount of this mount namespace", "它不是挂载点，或者不属于这个挂载命名空间"),
        SAID,
    ),
    row(
        &["mount"],
        &[Errno::EBUSY],
        None,
        ("it is mounted there already, or in use", "已经挂载在那里，或正在使用"),
        SAID,
    ),
    row(
        &["umount2"],
        &[Errno::EINVAL],
        Some(Fact::Mounted(true)),
        (
            "it came from a more privileged mount namespace and is locked there (mount_namespaces(7))",
            "它来自权限更高的挂载命名空间，在这里被锁定（mount_namespaces(7)）",
        ),
        SAID,
    ),
    row(
        &["umount2"],
        &[Errno::EINVAL],
        Some(Fact::Mounted(false)),
        ("nothing is mounted there in this mount namespace", "在这个挂载命名空间里，那里没有挂载"),
        SAID,
    ),
    row(
        &["umount2"],
        &[Errno::EINVAL],
        None,
        (
            "nothing is mounted there in this mount namespace, or it is locked there",
            "在这个挂载命名空间里那里没有挂载，或挂载被锁定",
        ),
        SAID,
    ),
    row(
        &["umount2"],
        &[Errno::EBUSY],
        None,
        ("a process uses it as its directory, or has a file in it open", "有进程以它为当前目录，或打开着其中的文件"),
        ("-l takes it out of sight", "-l 先从目录树中摘除"),
    ),
    row(
        &["pivot_root"],
        UNFIT,
        Some(Fact::RootNotMounted),
        (
            "the current root is not a mount point, as after chroot: this works only from a root mount",
            "当前的根不是挂载点（例如 chroot 之后）：只有根是挂载点时才能这样做",
        ),
        SAID,
    ),
    // A shared mount would pass the change on to other mount namespaces, whose roots would then move as well.
    row(
        &["pivot_root"],
        UNFIT,
        Some(Fact::SharedOld),
        (
            "the mount that {old} is on ({point}) is shared with other mount namespaces",
            "{old} 所在的挂载（{point}）与其他挂载命名空间共享",
        ),
        PRIVATE,
    ),
    row(
        &["pivot_root"],
        UNFIT,
        Some(Fact::SharedParent),
        (
            "the parent mount of {new} ({point}) is shared with other mount namespaces",
            "{new} 的父挂载（{point}）与其他挂载命名空间共享",
        ),
        PRIVATE,
    ),
    row(
        &["pivot_root"],
        UNFIT,
        Some(Fact::SharedRoot),
        (
            "the parent mount of the current root ({point}) is shared with other mount namespaces",
            "当前根的父挂载（{point}）与其他挂载命名空间共享",
        ),
        PRIVATE,
    ),
    row(
        &["pivot_root"],
        UNFIT,
        Some(Fact::NewOnRoot),
        (
            "{new} is on the current root mount, and must be a separate mount",
            "{new} 就在当前的根挂载上，它必须是单独的挂载点",
        ),
        BIND,
    ),
    row(
        &["pivot_root"],
        UNFIT,
        Some(Fact::OldOnRoot),
        (
            "{old} is on the current root mount; the old root must go to a directory at or below {new}",
            "{old} 在当前的根挂载上；旧的根只能放到 {new} 或它下面的目录",
        ),
        SAID,
    ),
    row(
        &["pivot_root"],
        UNFIT,
        Some(Fact::FirstRoot),
        (
            "the current root is the kernel's first file system (initramfs), which cannot be moved",
            "当前的根是内核最初的文件系统（initramfs），不能移动",
        ),
        ("switch_root", "switch_root"),
    ),
    row(&["pivot_root"], UNFIT, Some(Fact::NewNotMounted), ("{new} is not a mount point", "{new} 不是挂载点"), BIND),
    row(
        &["pivot_root"],
        UNFIT,
        Some(Fact::OldElsewhere),
        (
            "{old} is not at or below {new}, where the old root must go",
            "{old} 不在 {new} 或它下面，而旧的根必须放到那里",
        ),
        SAID,
    ),
    row(
        &["pivot_root"],
        &[Errno::ENOENT],
        Some(Fact::NoTarget),
        ("{missing} does not exist", "{missing} 不存在"),
        ("mkdir {missing}", "mkdir {missing}"),
    ),
    row(
        &["pivot_root"],
        &[Errno::ENOTDIR],
        Some(Fact::NoTarget),
        ("{missing} is not a directory", "{missing} 不是目录"),
        SAID,
    ),
    row(
        &["keep namespace"],
        &[Errno::ENOENT],
        Some(Fact::NoTarget),
        ("the file must exist", "文件必须先存在"),
        ("touch FILE", "touch 文件"),
    ),
    row(
        &["keep namespace"],
        &[Errno::ENOENT, Errno::EINVAL],
        Some(Fact::About(Kind::Pid)),
        ("a PID namespace exists only with a first process in it", "PID 命名空间里要先有一个进程才存在"),
        ("--fork", "加上 --fork"),
    ),
    row(
        &["keep namespace"],
        &[Errno::EINVAL],
        Some(Fact::About(Kind::Mnt)),
        ("the file must be on a mount that is private", "文件所在的挂载必须是私有的"),
        (
            "mount --bind DIR DIR, then mount --make-private DIR",
            "先 mount --bind 目录 目录，再 mount --make-private 目录",
        ),
    ),
    row(&["keep namespace"], &[Errno::EPERM], None, ("a mount outside takes root", "在外面挂载需要 root"), SAID),
    row(
        &["pivot_root", "rmdir", "unlinkat"],
        &[Errno::EBUSY],
        None,
        ("something still uses it", "仍有东西在使用它"),
        SAID,
    ),
    row(
        &["pivot_root"],
        &[Errno::EINVAL],
        None,
        ("the new root is not a mount point, or a mount involved is shared", "新根不是挂载点，或相关挂载是 shared"),
        SAID,
    ),
    row(
        &["pivot_root"],
        &[Errno::EPERM],
        None,
        LACKS,
        (
            "become root, in a mount namespace of your own (unshare -m)",
            "用 root，并用 unshare -m 创建独立的挂载命名空间",
        ),
    ),
    row(
        &["chroot"],
        &[Errno::EPERM],
        None,
        LACKS,
        (
            "become root, or put a user namespace around it with unshare -r",
            "用 root，或用 unshare -r 在外面套一层用户命名空间",
        ),
    ),
    row(&["chroot"], &[Errno::ENOENT], None, ("that directory does not exist", "这个目录不存在"), SAID),
    row(
        &["chroot"],
        &[Errno::ENOTDIR],
        None,
        (
            "a root is a directory with a whole file system below it, not a file",
            "根必须是目录，下面有完整的文件系统，不能是文件",
        ),
        SAID,
    ),
    row(
        &["mknod", "mknodat"],
        &[Errno::EEXIST],
        None,
        (
            "something of that name is there: writing into a device that is not there yet, such as with 2>/dev/null, makes an ordinary file",
            "已经有同名的东西：设备还不存在时往里写（例如 2>/dev/null），得到的是一个普通文件",
        ),
        ("remove it with rm, then make the device", "先用 rm 删掉它，再创建设备"),
    ),
];
