//! The capabilities of this process (capabilities(7)), as far as lessons use them.

use nix::{errno::Errno, unistd::geteuid};

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

/// The effective set: one bit a capability. Empty where `/proc` does not tell.
pub(crate) fn effective() -> u64 {
    status("CapEff").and_then(|set| u64::from_str_radix(&set, 16).ok()).unwrap_or(0)
}

/// A field of `/proc/self/status` (proc_pid_status(5)).
pub(crate) fn status(name: &str) -> Option<String> {
    field(&super::text::read("/proc/self/status").ok()?, name).map(String::from)
}

fn field<'a>(status: &'a str, name: &str) -> Option<&'a str> {
    Some(status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?.trim())
}

/// Whether this set is enough to do what lessons do, without a user namespace of their own.
pub(crate) fn enough(capabilities: u64) -> bool {
    NEEDED.iter().all(|bit| capabilities & (1 << bit) != 0)
}

/// Whether we are root, and with the capabilities that lessons need. Root of a container often lacks them.
pub(crate) fn as_root() -> bool {
    geteuid().is_root() && enough(effective())
}

/// Two sets of 64 capabilities, as capset(2) takes them: in halves, each with its three sets.
#[repr(C)]
#[derive(Default)]
struct Half {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

#[repr(C)]
struct Header {
    version: u32,
    pid: libc::c_int,
}

/// `_LINUX_CAPABILITY_VERSION_3`.
const VERSION: u32 = 0x2008_0522;

/// Lets every program that this process becomes keep the capabilities that it may use now: they become inheritable, and
/// then ambient (capabilities(7)).
///
/// Errors: those of capget(2), capset(2) and prctl(2).
#[expect(unsafe_code, reason = "neither nix nor libc has these calls")]
pub(crate) fn keep_capabilities() -> nix::Result<()> {
    let mut header = Header { version: VERSION, pid: 0 };
    let mut halves = [Half::default(), Half::default()];
    // SAFETY: both pointers lead to values of ours that are as large as version 3 wants them.
    Errno::result(unsafe { libc::syscall(libc::SYS_capget, &raw mut header, &raw mut halves) })?;
    halves.iter_mut().for_each(|half| half.inheritable = half.permitted);
    // SAFETY: as above.
    Errno::result(unsafe { libc::syscall(libc::SYS_capset, &raw mut header, &raw const halves) })?;
    let [low, high] = halves.map(|half| u64::from(half.permitted));
    for bit in (0..64_u64).filter(|bit| (low | high << 32) & 1 << bit != 0) {
        // SAFETY: this call takes numbers alone.
        Errno::result(unsafe { libc::prctl(libc::PR_CAP_AMBIENT, libc::PR_CAP_AMBIENT_RAISE, bit, 0_u64, 0_u64) })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::apart::as_root_apart;
    use nix::sched::CloneFlags;

    #[test]
    fn fields_of_status_are_found() {
        assert_eq!(field("Name:\tx\nSeccomp:\t2\nSeccomp_filters:\t1\n", "Seccomp"), Some("2"));
    }

    #[test]
    fn root_of_a_user_namespace_has_all_that_lessons_need() {
        let told = as_root_apart(CloneFlags::empty(), || {
            let mine = status("CapEff");
            let whole = effective() == u64::from_str_radix(mine.as_deref().unwrap_or_default(), 16).unwrap_or_default();
            format!("{} {} {whole}", as_root(), enough(effective()))
        });
        assert!(told.is_none_or(|told| told == "true true true"));
        assert_eq!(status("Pid"), Some(std::process::id().to_string()));
        assert_eq!((status("No such field"), as_root()), (None, geteuid().is_root() && enough(effective())));
        assert!(geteuid().is_root() || !as_root());
    }

    #[test]
    fn capabilities_that_are_kept_become_ambient() {
        let told = as_root_apart(CloneFlags::empty(), || {
            let before = status("CapAmb").map(|set| set.trim_start_matches('0').len());
            format!("{before:?} {:?} {}", keep_capabilities(), status("CapAmb") == status("CapPrm"))
        });
        assert!(told.as_deref().is_none_or(|told| told == "Some(0) Ok(()) true"), "{told:?}");
    }

    #[test]
    fn what_docker_leaves_to_root_is_not_enough() {
        assert!(!enough(0x0000_0000_a804_25fb), "fourteen capabilities, without CAP_SYS_ADMIN");
        assert!(enough(0x0000_01ff_ffff_ffff));
        assert!(!enough(0x0000_0000_a824_25fb), "CAP_SYS_ADMIN alone brings no interface up");
    }
}
