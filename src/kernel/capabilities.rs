//! Capabilities by name (capabilities(7)), and the set that containers usually have.

/// Every capability, in the order of its bits, as setpriv(1) and capsh(1) name it.
pub(crate) const NAMES: [&str; 41] = [
    "chown",
    "dac_override",
    "dac_read_search",
    "fowner",
    "fsetid",
    "kill",
    "setgid",
    "setuid",
    "setpcap",
    "linux_immutable",
    "net_bind_service",
    "net_broadcast",
    "net_admin",
    "net_raw",
    "ipc_lock",
    "ipc_owner",
    "sys_module",
    "sys_rawio",
    "sys_chroot",
    "sys_ptrace",
    "sys_pacct",
    "sys_admin",
    "sys_boot",
    "sys_nice",
    "sys_resource",
    "sys_time",
    "sys_tty_config",
    "mknod",
    "lease",
    "audit_write",
    "audit_control",
    "setfcap",
    "mac_override",
    "mac_admin",
    "syslog",
    "wake_alarm",
    "block_suspend",
    "audit_read",
    "perfmon",
    "bpf",
    "checkpoint_restore",
];

/// The fourteen that Docker leaves to a container, unless it is told otherwise.
pub(crate) const DEFAULT: u64 = 0xa804_25fb;

/// The bit of a capability.
pub(crate) fn bit(name: &str) -> Option<u32> {
    NAMES.iter().position(|known| *known == name).and_then(|place| u32::try_from(place).ok())
}

/// The names of those in a set; a bit that has no name here is told by its number.
pub(crate) fn names(set: u64) -> Vec<String> {
    let bits = (0..u64::BITS).filter(|bit| set & (1 << bit) != 0);
    bits.map(|bit| NAMES.get(bit as usize).map_or_else(|| bit.to_string(), |name| (*name).to_string())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_have_the_kernels_numbers() {
        // linux/capability.h
        for (name, number) in [("chown", 0), ("kill", 5), ("net_admin", 12), ("sys_admin", 21), ("mknod", 27)] {
            assert_eq!(bit(name), Some(number));
        }
        assert_eq!((bit("checkpoint_restore"), bit("admin")), (Some(40), None));
    }

    #[test]
    fn the_usual_set_has_fourteen_names() {
        let expected = "chown dac_override fowner fsetid kill setgid setuid setpcap net_bind_service net_raw sys_chroot mknod \
                        audit_write setfcap";
        assert_eq!(names(DEFAULT).join(" "), expected);
        assert_eq!(names(1 << 50), ["50"]);
    }
}
