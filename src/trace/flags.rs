//! Names of bits and values, in the order in which strace(1) prints them.

mod tables;

use serde::{Deserialize, Serialize};

/// Named bits or values of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flags {
    /// Flags of clone(2), clone3(2) and unshare(2).
    Clone,
    /// What setns(2) is asked to enter.
    Namespace,
    /// Flags of mount(2).
    Mount,
    /// What mount_setattr(2) does to a mount's propagation.
    Propagation,
    /// Flags of umount2(2).
    Umount,
    /// Flags of the `…at` calls.
    At,
    /// Flags of open_tree(2).
    OpenTree,
    /// Flags of move_mount(2).
    MoveMount,
    /// Flags of fsopen(2).
    FsOpen,
    /// Flags of fsmount(2).
    FsMount,
    /// Flags of fspick(2).
    FsPick,
    /// Flags of open(2).
    Open,
    /// What prctl(2) is asked to do.
    Prctl,
    /// What seccomp(2) is asked to do.
    Seccomp,
    /// What bpf(2) is asked to do.
    Bpf,
    /// What ptrace(2) is asked to do.
    Ptrace,
    /// Attributes of a mount (fsmount(2), mount_setattr(2)).
    MountAttr,
    /// What fsconfig(2) is asked to do.
    FsConfig,
    /// What a message of rtnetlink(7) asks for.
    Rtnetlink,
    /// What a message to nftables asks for.
    Nftables,
    /// Flags of an interface (netdevice(7)).
    Interface,
    /// What ioctl(2) asks of a socket (netdevice(7)).
    Netdevice,
}

/// What a kind of bits is called.
struct Names {
    names: &'static [(u64, &'static str)],
    /// What strace puts behind a number without a name.
    unknown: &'static str,
}

impl Names {
    /// The names of the bits of a value that is not 0.
    fn joined(&self, value: u64) -> String {
        let mut rest = value;
        let mut parts = Vec::new();
        for &(bits, name) in self.names {
            if rest & bits == bits {
                parts.push(name.to_string());
                rest &= !bits;
            }
        }
        match (parts.is_empty(), rest) {
            (true, _) => format!("{value:#x} /* {} */", self.unknown),
            (false, 0) => parts.join("|"),
            (false, _) => format!("{}|{rest:#x}", parts.join("|")),
        }
    }
}

/// What old programs still put into the upper half of the flags of mount(2).
const MAGIC: u64 = 0xc0ed_0000;

/// The flags of mount(2) without the magic number that old programs put above them; the kernel takes it away, too.
pub(super) fn without_magic(flags: u64) -> u64 {
    if flags & 0xffff_0000 == MAGIC { flags & 0xffff } else { flags }
}

impl Flags {
    /// The named bits that are set in a value, each for itself.
    pub(super) fn set_in(self, value: u64) -> impl Iterator<Item = u64> {
        self.names().names.iter().map(|(bits, _)| *bits).filter(move |bits| value & bits == *bits && *bits != 0)
    }

    fn names(self) -> &'static Names {
        match self {
            Flags::Clone => &tables::CLONE,
            Flags::Namespace => &tables::NAMESPACE,
            Flags::Mount | Flags::Propagation => &tables::MOUNT,
            Flags::Umount => &tables::UMOUNT,
            Flags::At => &tables::AT,
            Flags::OpenTree => &tables::OPEN_TREE,
            Flags::MoveMount => &tables::MOVE_MOUNT,
            Flags::FsOpen => &tables::FSOPEN,
            Flags::FsMount => &tables::FSMOUNT,
            Flags::FsPick => &tables::FSPICK,
            Flags::Open => &tables::OPEN,
            Flags::Prctl => &tables::PRCTL,
            Flags::Seccomp => &tables::SECCOMP,
            Flags::Bpf => &tables::BPF,
            Flags::Ptrace => &tables::PTRACE,
            Flags::MountAttr => &tables::MOUNT_ATTR,
            Flags::FsConfig => &tables::FSCONFIG,
            Flags::Rtnetlink => &tables::RTNETLINK,
            Flags::Nftables => &tables::NFTABLES,
            Flags::Interface => &tables::INTERFACE,
            Flags::Netdevice => &tables::NETDEVICE,
        }
    }

    /// The names of the bits that are set, joined by `|`; `0` where none is.
    pub(crate) fn text(self, value: u64) -> String {
        match (self, value) {
            // One of many, and no bits.
            (Flags::Prctl | Flags::Seccomp | Flags::Bpf | Flags::Ptrace, _) => return self.value(value),
            (Flags::Open, 0) => return "O_RDONLY".into(),
            (Flags::Open, _) if value & 3 == 0 => return format!("O_RDONLY|{}", self.names().joined(value)),
            (Flags::Propagation, 0) => return "0 /* MS_??? */".into(),
            (_, 0) => return "0".into(),
            (Flags::Mount, _) if value & 0xffff_0000 == MAGIC => {
                let flags = value & 0xffff;
                return if flags == 0 { "MS_MGC_VAL".into() } else { format!("MS_MGC_VAL|{}", self.text(flags)) };
            }
            _ => {}
        }
        self.names().joined(value)
    }

    /// The name of exactly this value, or the number.
    pub(crate) fn value(self, value: u64) -> String {
        match self.names().names.iter().find(|(known, _)| *known == value) {
            Some((_, name)) => (*name).into(),
            None => format!("{value:#x} /* {} */", self.names().unknown),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::namespaces::TABLE;

    #[test]
    fn bits_are_named_as_strace_names_them() {
        assert_eq!(Flags::Clone.text(0), "0");
        assert_eq!(Flags::Clone.text(0x80 | 0x2_0000 | 0x400), "CLONE_NEWTIME|CLONE_FILES|CLONE_NEWNS");
        assert_eq!(Flags::Clone.text(1), "0x1 /* CLONE_??? */");
        assert_eq!(Flags::MountAttr.text(0x70), "MOUNT_ATTR_NOATIME|MOUNT_ATTR_STRICTATIME|0x40");
        assert_eq!(Flags::FsConfig.value(0), "FSCONFIG_SET_FLAG");
        assert_eq!(Flags::FsConfig.value(9), "0x9 /* FSCONFIG_??? */");
        for row in &TABLE {
            assert_eq!(Flags::Namespace.text(row.flag), row.flag_name);
            assert_eq!(Flags::Clone.text(row.flag), row.flag_name);
        }
    }
}
