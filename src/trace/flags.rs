//! Bits and values by name, in the order and spelling of strace(1). Numbers are the kernel's own (`include/uapi`).

/// Values by name.
pub(super) type Names = [(u64, &'static str)];

/// Bits of clone(2), clone3(2), unshare(2) and setns(2).
pub(super) const CLONE: [(u64, &str); 26] = [
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
    (0x2_0000_0000, "CLONE_INTO_CGROUP"),
];

/// Bits of mount(2).
pub(super) const MS: [(u64, &str); 22] = [
    (0x1, "MS_RDONLY"),
    (0x2, "MS_NOSUID"),
    (0x4, "MS_NODEV"),
    (0x8, "MS_NOEXEC"),
    (0x10, "MS_SYNCHRONOUS"),
    (0x20, "MS_REMOUNT"),
    (0x40, "MS_MANDLOCK"),
    (0x80, "MS_DIRSYNC"),
    (0x100, "MS_NOSYMFOLLOW"),
    (0x400, "MS_NOATIME"),
    (0x800, "MS_NODIRATIME"),
    (0x1000, "MS_BIND"),
    (0x2000, "MS_MOVE"),
    (0x4000, "MS_REC"),
    (0x8000, "MS_SILENT"),
    (0x1_0000, "MS_POSIXACL"),
    (0x2_0000, "MS_UNBINDABLE"),
    (0x4_0000, "MS_PRIVATE"),
    (0x8_0000, "MS_SLAVE"),
    (0x10_0000, "MS_SHARED"),
    (0x20_0000, "MS_RELATIME"),
    (0x100_0000, "MS_STRICTATIME"),
];

/// Bits of umount2(2).
pub(super) const UMOUNT: [(u64, &str); 4] =
    [(1, "MNT_FORCE"), (2, "MNT_DETACH"), (4, "MNT_EXPIRE"), (8, "UMOUNT_NOFOLLOW")];

/// Bits of fsopen(2).
pub(super) const FSOPEN: [(u64, &str); 1] = [(1, "FSOPEN_CLOEXEC")];

/// Commands of fsconfig(2).
pub(super) const FSCONFIG: [(u64, &str); 9] = [
    (0, "FSCONFIG_SET_FLAG"),
    (1, "FSCONFIG_SET_STRING"),
    (2, "FSCONFIG_SET_BINARY"),
    (3, "FSCONFIG_SET_PATH"),
    (4, "FSCONFIG_SET_PATH_EMPTY"),
    (5, "FSCONFIG_SET_FD"),
    (6, "FSCONFIG_CMD_CREATE"),
    (7, "FSCONFIG_CMD_RECONFIGURE"),
    (8, "FSCONFIG_CMD_CREATE_EXCL"),
];

/// Bits of fsmount(2).
pub(super) const FSMOUNT: [(u64, &str); 1] = [(1, "FSMOUNT_CLOEXEC")];

/// Attributes of a mount (mount_setattr(2)).
pub(super) const MOUNT_ATTR: [(u64, &str); 9] = [
    (0x1, "MOUNT_ATTR_RDONLY"),
    (0x2, "MOUNT_ATTR_NOSUID"),
    (0x4, "MOUNT_ATTR_NODEV"),
    (0x8, "MOUNT_ATTR_NOEXEC"),
    (0x10, "MOUNT_ATTR_NOATIME"),
    (0x20, "MOUNT_ATTR_STRICTATIME"),
    (0x80, "MOUNT_ATTR_NODIRATIME"),
    (0x10_0000, "MOUNT_ATTR_IDMAP"),
    (0x20_0000, "MOUNT_ATTR_NOSYMFOLLOW"),
];

/// Bits of move_mount(2).
pub(super) const MOVE_MOUNT: [(u64, &str); 8] = [
    (0x1, "MOVE_MOUNT_F_SYMLINKS"),
    (0x2, "MOVE_MOUNT_F_AUTOMOUNTS"),
    (0x4, "MOVE_MOUNT_F_EMPTY_PATH"),
    (0x10, "MOVE_MOUNT_T_SYMLINKS"),
    (0x20, "MOVE_MOUNT_T_AUTOMOUNTS"),
    (0x40, "MOVE_MOUNT_T_EMPTY_PATH"),
    (0x100, "MOVE_MOUNT_SET_GROUP"),
    (0x200, "MOVE_MOUNT_BENEATH"),
];

/// Bits of open_tree(2).
pub(super) const OPEN_TREE: [(u64, &str); 6] = [
    (0x1, "OPEN_TREE_CLONE"),
    (0x100, "AT_SYMLINK_NOFOLLOW"),
    (0x800, "AT_NO_AUTOMOUNT"),
    (0x1000, "AT_EMPTY_PATH"),
    (0x8000, "AT_RECURSIVE"),
    (0x8_0000, "OPEN_TREE_CLOEXEC"),
];

/// Bits of execveat(2) and mount_setattr(2).
pub(super) const AT: [(u64, &str); 4] =
    [(0x100, "AT_SYMLINK_NOFOLLOW"), (0x800, "AT_NO_AUTOMOUNT"), (0x1000, "AT_EMPTY_PATH"), (0x8000, "AT_RECURSIVE")];

/// Bits of unlinkat(2).
pub(super) const UNLINK: [(u64, &str); 1] = [(0x200, "AT_REMOVEDIR")];

/// Writes a combination of bits; what has no name is written as a number, and nothing at all as `0`.
pub(super) fn bits(names: &Names, value: u64) -> String {
    let mut rest = value;
    let mut out = Vec::new();
    for (bit, name) in names {
        if value & bit != 0 {
            out.push((*name).to_string());
            rest &= !bit;
        }
    }
    if rest != 0 || out.is_empty() {
        out.push(if rest == 0 { "0".into() } else { format!("{rest:#x}") });
    }
    out.join("|")
}

/// Writes one of several values.
pub(super) fn one_of(names: &Names, value: u64) -> String {
    names.iter().find(|(known, _)| *known == value).map_or_else(|| format!("{value:#x}"), |(_, name)| (*name).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_named_in_the_order_of_their_value() {
        assert_eq!(bits(&CLONE, 0x6c02_0000), "CLONE_NEWNS|CLONE_NEWUTS|CLONE_NEWIPC|CLONE_NEWPID|CLONE_NEWNET");
        assert_eq!(bits(&MS, 0x4_4000), "MS_REC|MS_PRIVATE");
        assert_eq!(bits(&UMOUNT, 0), "0");
        assert_eq!(bits(&UMOUNT, 0x12), "MNT_DETACH|0x10");
        assert_eq!(one_of(&FSCONFIG, 6), "FSCONFIG_CMD_CREATE");
        assert_eq!(one_of(&FSCONFIG, 99), "0x63");
    }

    #[test]
    fn the_namespace_bits_are_those_of_the_table() {
        for row in &crate::kernel::namespaces::TABLE {
            assert!(CLONE.contains(&(row.flag, row.flag_name)), "{}", row.flag_name);
        }
    }
}
