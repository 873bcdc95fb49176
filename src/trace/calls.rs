//! The interesting system calls as one table: filter and tracer both read it.

/// When the filter stops a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trap {
    /// Always.
    Always,
    /// Where this argument has any of these bits.
    If(usize, u32),
    /// Where it has none of them.
    Unless(usize, u32),
}

/// What happens when such a call is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// It is reported.
    Report,
    /// It makes a process.
    Fork,
    /// It starts a program.
    Exec,
    /// It is reported where its path (the argument of this index) lies in a cgroup hierarchy.
    Directory(usize),
    /// It opens a file (the argument of this index), which only matters where writing to the file is reported.
    Open(usize),
}

/// One interesting call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spec {
    /// Its name in the manual pages.
    pub(super) name: &'static str,
    /// Its number on this architecture.
    pub(super) number: i64,
    /// When it stops.
    pub(super) trap: Trap,
    /// What is done with it.
    pub(super) role: Role,
}

const fn spec(name: &'static str, number: i64, trap: Trap, role: Role) -> Spec {
    Spec { name, number, trap, role }
}

use Role::{Directory, Exec, Fork, Open, Report};
use Trap::{Always, If, Unless};

const WRITING: u32 = (libc::O_WRONLY | libc::O_RDWR) as u32;

/// Every interesting call of this architecture.
pub(super) const CALLS: &[Spec] = &[
    spec("unshare", libc::SYS_unshare, Always, Report),
    spec("setns", libc::SYS_setns, Always, Report),
    #[cfg(target_arch = "x86_64")]
    spec("fork", libc::SYS_fork, Always, Fork),
    #[cfg(target_arch = "x86_64")]
    spec("vfork", libc::SYS_vfork, Always, Fork),
    spec("clone", libc::SYS_clone, Unless(0, libc::CLONE_THREAD as u32), Fork),
    // Its flags are in memory, where a filter cannot look.
    spec("clone3", libc::SYS_clone3, Always, Fork),
    spec("execve", libc::SYS_execve, Always, Exec),
    spec("execveat", libc::SYS_execveat, Always, Exec),
    spec("mount", libc::SYS_mount, Always, Report),
    spec("umount2", libc::SYS_umount2, Always, Report),
    spec("fsopen", libc::SYS_fsopen, Always, Report),
    spec("fsconfig", libc::SYS_fsconfig, Always, Report),
    spec("fsmount", libc::SYS_fsmount, Always, Report),
    spec("move_mount", libc::SYS_move_mount, Always, Report),
    spec("open_tree", libc::SYS_open_tree, Always, Report),
    spec("mount_setattr", libc::SYS_mount_setattr, Always, Report),
    spec("pivot_root", libc::SYS_pivot_root, Always, Report),
    spec("chroot", libc::SYS_chroot, Always, Report),
    spec("sethostname", libc::SYS_sethostname, Always, Report),
    spec("setdomainname", libc::SYS_setdomainname, Always, Report),
    #[cfg(target_arch = "x86_64")]
    spec("mkdir", libc::SYS_mkdir, Always, Directory(0)),
    #[cfg(target_arch = "x86_64")]
    spec("rmdir", libc::SYS_rmdir, Always, Directory(0)),
    spec("mkdirat", libc::SYS_mkdirat, Always, Directory(1)),
    spec("unlinkat", libc::SYS_unlinkat, If(2, libc::AT_REMOVEDIR as u32), Directory(1)),
    #[cfg(target_arch = "x86_64")]
    spec("open", libc::SYS_open, If(1, WRITING), Open(0)),
    #[cfg(target_arch = "x86_64")]
    spec("creat", libc::SYS_creat, Always, Open(0)),
    spec("openat", libc::SYS_openat, If(2, WRITING), Open(1)),
    spec("openat2", libc::SYS_openat2, Always, Open(1)),
];

/// The calls that write to an open file. They run at full speed unless such a file is open ([`Role::Open`]).
pub(super) const WRITES: &[Spec] = &[
    spec("write", libc::SYS_write, Always, Report),
    spec("pwrite64", libc::SYS_pwrite64, Always, Report),
    spec("writev", libc::SYS_writev, Always, Report),
];

/// The calls after which an open file may be gone.
pub(super) const CLOSES: &[i64] = &[
    libc::SYS_close,
    libc::SYS_close_range,
    libc::SYS_dup3,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_dup2,
];

/// Finds an interesting call by its number.
pub(super) fn find(number: i64) -> Option<&'static Spec> {
    CALLS.iter().find(|call| call.number == number)
}

/// Finds a call that writes by its number.
pub(super) fn find_write(number: i64) -> Option<&'static Spec> {
    WRITES.iter().find(|call| call.number == number)
}
