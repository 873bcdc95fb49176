//! Control groups (cgroups(7)): what is done with them, and the files that are written in them.

use super::{Fact, Row, SAID, row};
use crate::kernel::errno::Errno;

/// A process joins a group.
const JOIN: &[&str] = &["cgroup.procs"];
/// A setting is written or read.
const SETTING: &[&str] = &["control file"];
const MADE: &[&str] = &["make group"];
const REMOVED: &[&str] = &["remove group"];
/// Controllers are handed to the groups below.
const DELEGATED: &[&str] = &["cgroup.subtree_control"];
const REFUSED: &[Errno] = &[Errno::EACCES, Errno::EPERM];

const NO_RIGHT: (&str, &str) =
    ("this needs root, or a group that was delegated to you", "需要 root，或者一个委派给你的组");
const READ_ONLY: (&str, &str) = (
    "cgroupfs is mounted read-only here, as in a container without privileges",
    "这里的 cgroupfs 是只读挂载的，常见于非特权容器",
);

pub(super) static ROWS: &[Row] = &[
    row(
        JOIN,
        &[Errno::ENOENT],
        Some(Fact::NoGroup),
        ("no such group", "没有这个组"),
        ("cgcreate -g {group}", "cgcreate -g {group}"),
    ),
    row(
        JOIN,
        &[Errno::ESRCH],
        None,
        (
            "that process has ended, or the PID belongs to another PID namespace",
            "这个进程已结束，或者这个 PID 属于另一个 PID 命名空间",
        ),
        SAID,
    ),
    row(
        JOIN,
        &[Errno::ENOSPC],
        None,
        ("{dir}/cpuset.cpus and cpuset.mems are empty", "{dir}/cpuset.cpus 和 cpuset.mems 为空"),
        ("say which CPUs and memory first", "先指定用哪些 CPU 和内存节点"),
    ),
    row(
        JOIN,
        &[Errno::EBUSY],
        None,
        (
            "a group that hands controllers to groups below it (cgroup.subtree_control) cannot contain processes",
            "把控制器下放给子组的组（cgroup.subtree_control）自己不能有进程",
        ),
        ("join one below {dir}", "请加入 {dir} 下面的组"),
    ),
    row(
        JOIN,
        REFUSED,
        Some(Fact::OwnGroup(2)),
        (
            "{dir} is yours, but a process moves only where the group above both its old and its new one is yours, too",
            "{dir} 归你所有，但移动进程还要求新旧两个组的共同上级组也归你所有",
        ),
        (
            "begin inside of what was handed over to you (systemd-run --user --scope -p Delegate=yes)",
            "请在交给你的组里面启动（systemd-run --user --scope -p Delegate=yes）",
        ),
    ),
    row(
        JOIN,
        REFUSED,
        Some(Fact::OwnGroup(1)),
        ("{dir} is yours, but the process is not", "{dir} 归你所有，但这个进程不是"),
        ("it belongs to another user", "它属于别的用户"),
    ),
    row(JOIN, REFUSED, None, NO_RIGHT, SAID),
    row(
        JOIN,
        &[Errno::EINVAL],
        Some(Fact::OfVersion(1)),
        ("a real-time process, or a kernel thread, cannot go there", "实时进程或内核线程不能加入这个组"),
        SAID,
    ),
    row(
        JOIN,
        &[Errno::EOPNOTSUPP],
        Some(Fact::Threaded),
        ("{dir} is threaded", "{dir} 是线程化的组"),
        ("it takes single threads (cgroup.threads)", "只能逐个加入线程（cgroup.threads）"),
    ),
    row(
        JOIN,
        &[Errno::EOPNOTSUPP],
        Some(Fact::BelowThreaded),
        ("a group above {dir} is threaded, and this one is not yet", "{dir} 的上级组是线程化的，而它自己还不是"),
        ("echo threaded > {dir}/cgroup.type", "echo threaded > {dir}/cgroup.type"),
    ),
    row(MADE, REFUSED, None, NO_RIGHT, SAID),
    row(MADE, &[Errno::EROFS], None, READ_ONLY, SAID),
    row(
        MADE,
        &[Errno::EAGAIN],
        None,
        (
            "cgroup.max.descendants of a group above it allows no more groups",
            "某个上级组的 cgroup.max.descendants 不允许再建子组",
        ),
        SAID,
    ),
    row(
        REMOVED,
        &[Errno::EBUSY],
        Some(Fact::Members),
        ("processes are still in it", "里面还有进程"),
        ("{members}", "{members}"),
    ),
    row(
        REMOVED,
        &[Errno::EBUSY],
        Some(Fact::GroupBelow),
        ("a group is below it, {below}", "下面还有子组 {below}"),
        ("-r removes all of them first", "-r 会先删除所有子组"),
    ),
    row(
        REMOVED,
        &[Errno::EBUSY],
        None,
        ("a process that has ended is still in it, until its parent reaps it", "里面还有已结束的进程，等父进程回收"),
        SAID,
    ),
    row(REMOVED, &[Errno::ENOENT], None, ("no such group", "没有这个组"), SAID),
    row(REMOVED, REFUSED, None, NO_RIGHT, SAID),
    row(
        DELEGATED,
        &[Errno::EBUSY],
        None,
        (
            "a group that contains processes cannot hand {controller} down; {dir} contains {members}",
            "自己没有进程的组才能下放 {controller}；{dir} 里有 {members}",
        ),
        SAID,
    ),
    row(
        DELEGATED,
        &[Errno::ENOENT],
        None,
        ("the group above {dir} does not hand {controller} down to it", "{dir} 的上级组没有把 {controller} 下放给它"),
        SAID,
    ),
    row(DELEGATED, &[], None, NO_RIGHT, SAID),
    row(
        SETTING,
        &[Errno::ENOENT],
        Some(Fact::NoGroup),
        ("no such group", "没有这个组"),
        ("cgcreate makes one", "用 cgcreate 创建"),
    ),
    row(
        SETTING,
        &[Errno::ENOENT],
        Some(Fact::Swap(Some(true))),
        ("this kernel does not count swap, and swap is on", "这个内核不统计交换空间，而交换空间开着"),
        ("it can dodge the limit", "可以绕过上限"),
    ),
    row(
        SETTING,
        &[Errno::ENOENT],
        Some(Fact::Swap(Some(false))),
        (
            "this kernel does not count swap, but there is no swap either",
            "这个内核不统计交换空间，不过这里也没有交换空间",
        ),
        SAID,
    ),
    row(
        SETTING,
        &[Errno::ENOENT],
        Some(Fact::Swap(None)),
        (
            "this kernel does not count swap, and whether swap is on is unknown: /proc/swaps cannot be read",
            "这个内核不统计交换空间，而且无法读取 /proc/swaps，不知道交换空间是否开着",
        ),
        SAID,
    ),
    row(
        SETTING,
        &[Errno::ENOENT],
        Some(Fact::NotDelegated),
        ("the group above does not hand down {controller}", "上级组没有下放 {controller}"),
        ("echo +{controller} > {above}", "echo +{controller} > {above}"),
    ),
    row(
        SETTING,
        &[Errno::ENOENT],
        Some(Fact::OtherScale),
        (
            "shares (1024 by default, v1) and weight (100 by default, v2) are on different scales",
            "shares（v1，默认 1024）和 weight（v2，默认 100）的刻度不同",
        ),
        SAID,
    ),
    row(
        SETTING,
        &[Errno::ENOENT],
        None,
        (
            "groups of {controller} do not have this file here (cgroup v{version})",
            "这里 {controller} 的组没有这个文件（cgroup v{version}）",
        ),
        SAID,
    ),
    row(
        SETTING,
        REFUSED,
        Some(Fact::There),
        ("the file is read-only, or this needs root", "这个文件只读，或者需要 root"),
        SAID,
    ),
    row(SETTING, &[Errno::EROFS], None, READ_ONLY, SAID),
    row(
        SETTING,
        &[Errno::EBUSY],
        Some(Fact::Of("memory")),
        (
            "the group uses {used} bytes, and the kernel could not take them back",
            "这个组正在使用 {used} 字节，内核无法收回",
        ),
        ("{members}", "{members}"),
    ),
    row(
        SETTING,
        &[Errno::EINVAL],
        Some(Fact::Of("cpu.max")),
        (
            "a quota is at least 1000 microseconds or max, a period 1000 to 1000000",
            "配额至少 1000 微秒，或写 max；周期为 1000 到 1000000 微秒",
        ),
        SAID,
    ),
    row(
        SETTING,
        &[Errno::EINVAL],
        Some(Fact::Of("cpu.cfs")),
        (
            "a quota is at least 1000 microseconds, a period 1000 to 1000000, and the share no larger than the one of the group above ({share})",
            "配额至少 1000 微秒，周期为 1000 到 1000000 微秒，所占比例不能超过上级组（{share}）",
        ),
        SAID,
    ),
    row(
        SETTING,
        &[Errno::EINVAL],
        Some(Fact::BelowMemory),
        (
            "memory and swap together cannot be less than memory alone, which is {memory}",
            "内存加交换空间的上限不能低于内存上限（{memory}）",
        ),
        ("set memory.limit_in_bytes first", "先设置 memory.limit_in_bytes"),
    ),
    row(
        SETTING,
        &[Errno::EINVAL],
        Some(Fact::AboveBoth),
        (
            "memory alone cannot be more than memory and swap together, which is {both}",
            "内存上限不能高于内存加交换空间的上限（{both}）",
        ),
        ("set memory.memsw.limit_in_bytes first", "先设置 memory.memsw.limit_in_bytes"),
    ),
    row(SETTING, &[Errno::EINVAL], None, ("{value} is not a valid value", "{value} 不是有效的值"), SAID),
];
