//! What the bits and numbers are called, as the kernel's headers and strace call them.

use super::Names;

pub(super) const CLONE: Names = Names {
    names: &[
        (0x80, "CLONE_NEWTIME"),
        (0x100, "CLONE_VM"),
        (0x200, "CLONE_FS"),
        (0x400, "CLONE_FILES"),
        (0x800, "CLONE_SIGHAND"),
        (0x1000, "CLONE_PIDFD"),
        (0x2000, "CLONE_PTRACE"),
        (0x4000, "CLONE_VFORK"),
        (0x8000, "CLONE_PARENT"),
        (0x1_0000, "CLONE_THREAD"),
        (0x2_0000, "CLONE_NEWNS"),
        (0x4_0000, "CLONE_SYSVSEM"),
        (0x8_0000, "CLONE_SETTLS"),
        (0x10_0000, "CLONE_PARENT_SETTID"),
        (0x20_0000, "CLONE_CHILD_CLEARTID"),
        (0x40_0000, "CLONE_DETACHED"),
        (0x80_0000, "CLONE_UNTRACED"),
        (0x100_0000, "CLONE_CHILD_SETTID"),
        (0x200_0000, "CLONE_NEWCGROUP"),
        (0x400_0000, "CLONE_NEWUTS"),
        (0x800_0000, "CLONE_NEWIPC"),
        (0x1000_0000, "CLONE_NEWUSER"),
        (0x2000_0000, "CLONE_NEWPID"),
        (0x4000_0000, "CLONE_NEWNET"),
        (0x8000_0000, "CLONE_IO"),
        (0x1_0000_0000, "CLONE_CLEAR_SIGHAND"),
        (0x2_0000_0000, "CLONE_INTO_CGROUP"),
    ],
    unknown: "CLONE_???",
};

pub(super) const NAMESPACE: Names = Names {
    names: &[
        (0x80, "CLONE_NEWTIME"),
        (0x2_0000, "CLONE_NEWNS"),
        (0x200_0000, "CLONE_NEWCGROUP"),
        (0x400_0000, "CLONE_NEWUTS"),
        (0x800_0000, "CLONE_NEWIPC"),
        (0x1000_0000, "CLONE_NEWUSER"),
        (0x2000_0000, "CLONE_NEWPID"),
        (0x4000_0000, "CLONE_NEWNET"),
    ],
    unknown: "CLONE_NEW???",
};

pub(super) const MOUNT: Names = Names {
    names: &[
        (1, "MS_RDONLY"),
        (1 << 1, "MS_NOSUID"),
        (1 << 2, "MS_NODEV"),
        (1 << 3, "MS_NOEXEC"),
        (1 << 4, "MS_SYNCHRONOUS"),
        (1 << 5, "MS_REMOUNT"),
        (1 << 6, "MS_MANDLOCK"),
        (1 << 7, "MS_DIRSYNC"),
        (1 << 8, "MS_NOSYMFOLLOW"),
        (1 << 10, "MS_NOATIME"),
        (1 << 11, "MS_NODIRATIME"),
        (1 << 12, "MS_BIND"),
        (1 << 13, "MS_MOVE"),
        (1 << 14, "MS_REC"),
        (1 << 15, "MS_SILENT"),
        (1 << 16, "MS_POSIXACL"),
        (1 << 17, "MS_UNBINDABLE"),
        (1 << 18, "MS_PRIVATE"),
        (1 << 19, "MS_SLAVE"),
        (1 << 20, "MS_SHARED"),
        (1 << 21, "MS_RELATIME"),
        (1 << 22, "MS_KERNMOUNT"),
        (1 << 23, "MS_I_VERSION"),
        (1 << 24, "MS_STRICTATIME"),
        (1 << 25, "MS_LAZYTIME"),
        (1 << 26, "MS_SUBMOUNT"),
        (1 << 27, "MS_NOREMOTELOCK"),
        (1 << 28, "MS_NOSEC"),
        (1 << 29, "MS_BORN"),
        (1 << 30, "MS_ACTIVE"),
        (1 << 31, "MS_NOUSER"),
    ],
    unknown: "MS_???",
};

pub(super) const UMOUNT: Names = Names {
    names: &[(1, "MNT_FORCE"), (2, "MNT_DETACH"), (4, "MNT_EXPIRE"), (8, "UMOUNT_NOFOLLOW")],
    unknown: "MNT_???",
};

pub(super) const AT: Names = Names {
    names: &[
        (0x100, "AT_SYMLINK_NOFOLLOW"),
        (0x200, "AT_REMOVEDIR"),
        (0x400, "AT_SYMLINK_FOLLOW"),
        (0x800, "AT_NO_AUTOMOUNT"),
        (0x1000, "AT_EMPTY_PATH"),
        (0x8000, "AT_RECURSIVE"),
    ],
    unknown: "AT_???",
};

pub(super) const OPEN_TREE: Names = Names {
    names: &[
        (1, "OPEN_TREE_CLONE"),
        (0x8_0000, "OPEN_TREE_CLOEXEC"),
        (0x100, "AT_SYMLINK_NOFOLLOW"),
        (0x400, "AT_SYMLINK_FOLLOW"),
        (0x800, "AT_NO_AUTOMOUNT"),
        (0x1000, "AT_EMPTY_PATH"),
        (0x8000, "AT_RECURSIVE"),
    ],
    unknown: "OPEN_TREE_???",
};

pub(super) const MOVE_MOUNT: Names = Names {
    names: &[
        (1, "MOVE_MOUNT_F_SYMLINKS"),
        (2, "MOVE_MOUNT_F_AUTOMOUNTS"),
        (4, "MOVE_MOUNT_F_EMPTY_PATH"),
        (0x10, "MOVE_MOUNT_T_SYMLINKS"),
        (0x20, "MOVE_MOUNT_T_AUTOMOUNTS"),
        (0x40, "MOVE_MOUNT_T_EMPTY_PATH"),
        (0x100, "MOVE_MOUNT_SET_GROUP"),
        (0x200, "MOVE_MOUNT_BENEATH"),
    ],
    unknown: "MOVE_MOUNT_???",
};

pub(super) const FSOPEN: Names = Names { names: &[(1, "FSOPEN_CLOEXEC")], unknown: "FSOPEN_???" };

pub(super) const FSMOUNT: Names = Names { names: &[(1, "FSMOUNT_CLOEXEC")], unknown: "FSMOUNT_???" };

pub(super) const PRCTL: Names = Names {
    names: &[
        (8, "PR_SET_KEEPCAPS"),
        (22, "PR_SET_SECCOMP"),
        (24, "PR_CAPBSET_DROP"),
        (28, "PR_SET_SECUREBITS"),
        (38, "PR_SET_NO_NEW_PRIVS"),
        (47, "PR_CAP_AMBIENT"),
    ],
    unknown: "PR_???",
};

pub(super) const SECCOMP: Names = Names {
    names: &[
        (0, "SECCOMP_SET_MODE_STRICT"),
        (1, "SECCOMP_SET_MODE_FILTER"),
        (2, "SECCOMP_GET_ACTION_AVAIL"),
        (3, "SECCOMP_GET_NOTIF_SIZES"),
    ],
    unknown: "SECCOMP_SET_MODE_???",
};

pub(super) const BPF: Names = Names {
    names: &[
        (0, "BPF_MAP_CREATE"),
        (1, "BPF_MAP_LOOKUP_ELEM"),
        (2, "BPF_MAP_UPDATE_ELEM"),
        (5, "BPF_PROG_LOAD"),
        (6, "BPF_OBJ_PIN"),
        (8, "BPF_PROG_ATTACH"),
        (9, "BPF_PROG_DETACH"),
        (15, "BPF_OBJ_GET_INFO_BY_FD"),
        (16, "BPF_PROG_QUERY"),
        (18, "BPF_BTF_LOAD"),
        (28, "BPF_LINK_CREATE"),
    ],
    unknown: "BPF_???",
};

/// Types of messages come in fours: new, delete, get, set (`linux/rtnetlink.h`).
pub(super) const RTNETLINK: Names = Names {
    names: &[
        (16, "RTM_NEWLINK"),
        (17, "RTM_DELLINK"),
        (19, "RTM_SETLINK"),
        (20, "RTM_NEWADDR"),
        (21, "RTM_DELADDR"),
        (24, "RTM_NEWROUTE"),
        (25, "RTM_DELROUTE"),
        (28, "RTM_NEWNEIGH"),
        (29, "RTM_DELNEIGH"),
        (32, "RTM_NEWRULE"),
        (33, "RTM_DELRULE"),
        (36, "RTM_NEWQDISC"),
        (37, "RTM_DELQDISC"),
        (88, "RTM_NEWNSID"),
    ],
    unknown: "RTM_???",
};

pub(super) const NFTABLES: Names = Names { names: super::super::nftables::NAMES, unknown: "NFT_MSG_???" };

pub(super) const INTERFACE: Names = Names { names: super::super::netdevice::FLAGS, unknown: "IFF_???" };

pub(super) const NETDEVICE: Names = Names { names: super::super::netdevice::NAMES, unknown: "SIOC???" };

pub(super) const PTRACE: Names =
    Names { names: &[(0, "PTRACE_TRACEME"), (16, "PTRACE_ATTACH"), (0x4206, "PTRACE_SEIZE")], unknown: "PTRACE_???" };

/// How a file is opened is a number of two bits, of which reading has none.
pub(super) const OPEN: Names = Names {
    names: &[
        (1, "O_WRONLY"),
        (2, "O_RDWR"),
        (libc::O_CREAT as u64, "O_CREAT"),
        (libc::O_EXCL as u64, "O_EXCL"),
        (libc::O_NOCTTY as u64, "O_NOCTTY"),
        (libc::O_TRUNC as u64, "O_TRUNC"),
        (libc::O_APPEND as u64, "O_APPEND"),
        (libc::O_NONBLOCK as u64, "O_NONBLOCK"),
        (libc::O_NOFOLLOW as u64, "O_NOFOLLOW"),
        (libc::O_CLOEXEC as u64, "O_CLOEXEC"),
    ],
    unknown: "O_???",
};

pub(super) const FSPICK: Names = Names {
    names: &[
        (1, "FSPICK_CLOEXEC"),
        (2, "FSPICK_SYMLINK_NOFOLLOW"),
        (4, "FSPICK_NO_AUTOMOUNT"),
        (8, "FSPICK_EMPTY_PATH"),
    ],
    unknown: "FSPICK_???",
};

pub(super) const MOUNT_ATTR: Names = Names {
    names: &[
        (0x1, "MOUNT_ATTR_RDONLY"),
        (0x2, "MOUNT_ATTR_NOSUID"),
        (0x4, "MOUNT_ATTR_NODEV"),
        (0x8, "MOUNT_ATTR_NOEXEC"),
        (0x10, "MOUNT_ATTR_NOATIME"),
        (0x20, "MOUNT_ATTR_STRICTATIME"),
        (0x80, "MOUNT_ATTR_NODIRATIME"),
        (0x10_0000, "MOUNT_ATTR_IDMAP"),
        (0x20_0000, "MOUNT_ATTR_NOSYMFOLLOW"),
    ],
    unknown: "MOUNT_ATTR_???",
};

pub(super) const FSCONFIG: Names = Names {
    names: &[
        (0, "FSCONFIG_SET_FLAG"),
        (1, "FSCONFIG_SET_STRING"),
        (2, "FSCONFIG_SET_BINARY"),
        (3, "FSCONFIG_SET_PATH"),
        (4, "FSCONFIG_SET_PATH_EMPTY"),
        (5, "FSCONFIG_SET_FD"),
        (6, "FSCONFIG_CMD_CREATE"),
        (7, "FSCONFIG_CMD_RECONFIGURE"),
        (8, "FSCONFIG_CMD_CREATE_EXCL"),
    ],
    unknown: "FSCONFIG_???",
};
