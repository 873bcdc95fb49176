//! The capabilities of this process (capabilities(7)), as far as lessons use them.

use super::process;
use nix::{errno::Errno, unistd::geteuid};
use procfs::process::Status;
use rustix::thread::{CapabilitySet, capabilities, configure_capability_in_ambient_set, set_capabilities};
use std::path::Path;

/// The capabilities that lessons use, with their bits.
pub(crate) const CAPABILITIES: [(&str, u32); 6] = [
    ("CAP_SYS_ADMIN", 21),
    ("CAP_SYS_CHROOT", 18),
    ("CAP_NET_ADMIN", 12),
    ("CAP_SYS_PTRACE", 19),
    ("CAP_MKNOD", 27),
    ("CAP_CHOWN", 0),
];

/// Those without which root is of no use to the lessons. The other two matter to single steps, which ask for them.
const NEEDED: [u32; 4] = [21, 18, 12, 0];

/// The effective set: one bit a capability.
pub(crate) fn effective() -> u64 {
    capabilities(None).map_or(0, |sets| sets.effective.bits())
}

/// What else the kernel says of this process; `None` where `/proc` does not tell.
pub(crate) fn status() -> Option<Status> {
    process::status(Path::new("/proc/self"))
}

/// Whether this set is enough to do what lessons do, without a user namespace of their own.
pub(crate) fn enough(capabilities: u64) -> bool {
    NEEDED.iter().all(|bit| capabilities & (1 << bit) != 0)
}

/// Whether we are root, and with the capabilities that lessons need. Root of a container often lacks them.
pub(crate) fn as_root() -> bool {
    geteuid().is_root() && enough(effective())
}

/// Lets every program that this process becomes keep the capabilities that it may use now: they become inheritable, and
/// then ambient (capabilities(7)).
///
/// Errors: those of capget(2), capset(2) and prctl(2).
pub(crate) fn keep_capabilities() -> nix::Result<()> {
    keep().map_err(|errno| Errno::from_raw(errno.raw_os_error()))
}

fn keep() -> rustix::io::Result<()> {
    let mut sets = capabilities(None)?;
    sets.inheritable = sets.permitted;
    set_capabilities(None, sets)?;
    let each = (0..64).map(|bit| CapabilitySet::from_bits_retain(1 << bit));
    let mut kept = each.filter(|one| sets.permitted.contains(*one));
    kept.try_for_each(|one| configure_capability_in_ambient_set(one, true))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::apart::as_root_apart;
    use nix::sched::CloneFlags;

    #[test]
    #[cfg_attr(no_user_namespaces, ignore = "no user namespaces could be made when this was built")]
    fn root_of_a_user_namespace_has_all_that_lessons_need() {
        let told = as_root_apart(CloneFlags::empty(), || {
            let whole = status().is_some_and(|status| status.capeff == effective());
            format!("{} {} {whole}", as_root(), enough(effective()))
        });
        assert_eq!(told, "true true true");
    }

    #[test]
    fn the_own_rights_are_those_of_this_process() {
        assert_eq!(status().map(|status| status.pid), Some(std::process::id().cast_signed()));
        assert_eq!(as_root(), geteuid().is_root() && enough(effective()));
        assert!(geteuid().is_root() || !as_root());
    }

    #[test]
    #[cfg_attr(no_user_namespaces, ignore = "no user namespaces could be made when this was built")]
    fn capabilities_that_are_kept_become_ambient() {
        let told = as_root_apart(CloneFlags::empty(), || {
            let before = status().and_then(|status| status.capamb);
            let (kept, after) = (keep_capabilities(), status().unwrap());
            format!("{before:?} {kept:?} {}", after.capamb == Some(after.capprm))
        });
        assert_eq!(told, "Some(0) Ok(()) true");
    }

    #[test]
    fn what_docker_leaves_to_root_is_not_enough() {
        assert!(!enough(0x0000_0000_a804_25fb), "fourteen capabilities, without CAP_SYS_ADMIN");
        assert!(enough(0x0000_01ff_ffff_ffff));
        assert!(!enough(0x0000_0000_a824_25fb), "CAP_SYS_ADMIN alone brings no interface up");
    }
}
