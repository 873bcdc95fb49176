//! The interesting system calls as one table: filter, decoder and tracer all read it.

use super::flags::{self, Names};

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

/// How an argument is written.
#[derive(Clone, Copy, Debug)]
pub(super) enum Arg {
    /// A decimal number.
    Number,
    /// An octal mode.
    Mode,
    /// A file descriptor, or AT_FDCWD.
    At,
    /// A C string.
    Text,
    /// Bytes, as many as the next argument says.
    Bytes,
    /// A combination of bits.
    Flags(&'static Names),
    /// One of several values.
    OneOf(&'static Names),
    /// Only shown where it is not null, as an address.
    Address,
    /// The argument vector of a program.
    Argv,
    /// The environment of a program, as strace(1) counts it.
    Env,
    /// The flags of clone(2), with the signal in the lowest byte.
    CloneFlags,
    /// The flags of mount(2), which may carry a magic number from the time of Linux 0.99.
    MountFlags,
    /// A `struct clone_args`.
    CloneArgs,
    /// A `struct mount_attr`.
    MountAttr,
    /// A `struct open_how`.
    OpenHow,
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
    /// It opens a file, which only matters where writing to the file is reported.
    Open,
}

/// One interesting call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spec {
    pub(super) name: &'static str,
    pub(super) number: i64,
    pub(super) trap: Trap,
    pub(super) role: Role,
    pub(super) args: &'static [(&'static str, Arg)],
}

const fn spec(name: &'static str, number: i64, trap: Trap, role: Role, args: &'static [(&'static str, Arg)]) -> Spec {
    Spec { name, number, trap, role, args }
}

/// An argument without a name of its own in strace's writing.
macro_rules! args {
    ($($arg:expr),* $(,)?) => { &[$(("", $arg)),*] };
}

use Arg::{
    Address, Argv, At, Bytes, CloneArgs, CloneFlags, Env, Flags, Mode, MountAttr, MountFlags, Number, OneOf, OpenHow,
    Text,
};
use Role::{Directory, Exec, Fork, Open, Report};
use Trap::{Always, If, Unless};

const WRITING: u32 = (libc::O_WRONLY | libc::O_RDWR) as u32;

/// Every interesting call of this architecture.
pub(super) const CALLS: &[Spec] = &[
    spec("unshare", libc::SYS_unshare, Always, Report, args![Flags(&flags::CLONE)]),
    spec("setns", libc::SYS_setns, Always, Report, args![Number, Flags(&flags::CLONE)]),
    #[cfg(target_arch = "x86_64")]
    spec("fork", libc::SYS_fork, Always, Fork, &[]),
    #[cfg(target_arch = "x86_64")]
    spec("vfork", libc::SYS_vfork, Always, Fork, &[]),
    spec(
        "clone",
        libc::SYS_clone,
        Unless(0, libc::CLONE_THREAD as u32),
        Fork,
        &[("child_stack=", Address), ("flags=", CloneFlags)],
    ),
    spec("clone3", libc::SYS_clone3, Always, Fork, args![CloneArgs, Number]),
    spec("execve", libc::SYS_execve, Always, Exec, args![Text, Argv, Env]),
    spec("execveat", libc::SYS_execveat, Always, Exec, args![At, Text, Argv, Env, Flags(&flags::AT)]),
    spec("mount", libc::SYS_mount, Always, Report, args![Text, Text, Text, MountFlags, Text]),
    spec("umount2", libc::SYS_umount2, Always, Report, args![Text, Flags(&flags::UMOUNT)]),
    spec("fsopen", libc::SYS_fsopen, Always, Report, args![Text, Flags(&flags::FSOPEN)]),
    spec("fsconfig", libc::SYS_fsconfig, Always, Report, args![Number, OneOf(&flags::FSCONFIG), Text, Text, Number]),
    spec(
        "fsmount",
        libc::SYS_fsmount,
        Always,
        Report,
        args![Number, Flags(&flags::FSMOUNT), Flags(&flags::MOUNT_ATTR)],
    ),
    spec("move_mount", libc::SYS_move_mount, Always, Report, args![At, Text, At, Text, Flags(&flags::MOVE_MOUNT)]),
    spec("open_tree", libc::SYS_open_tree, Always, Report, args![At, Text, Flags(&flags::OPEN_TREE)]),
    spec("mount_setattr", 442, Always, Report, args![At, Text, Flags(&flags::AT), MountAttr, Number]),
    spec("pivot_root", libc::SYS_pivot_root, Always, Report, args![Text, Text]),
    spec("chroot", libc::SYS_chroot, Always, Report, args![Text]),
    spec("sethostname", libc::SYS_sethostname, Always, Report, args![Bytes, Number]),
    spec("setdomainname", libc::SYS_setdomainname, Always, Report, args![Bytes, Number]),
    #[cfg(target_arch = "x86_64")]
    spec("mkdir", libc::SYS_mkdir, Always, Directory(0), args![Text, Mode]),
    #[cfg(target_arch = "x86_64")]
    spec("rmdir", libc::SYS_rmdir, Always, Directory(0), args![Text]),
    spec("mkdirat", libc::SYS_mkdirat, Always, Directory(1), args![At, Text, Mode]),
    spec(
        "unlinkat",
        libc::SYS_unlinkat,
        If(2, libc::AT_REMOVEDIR as u32),
        Directory(1),
        args![At, Text, Flags(&flags::UNLINK)],
    ),
    #[cfg(target_arch = "x86_64")]
    spec("open", libc::SYS_open, If(1, WRITING), Open, args![Text, Number]),
    #[cfg(target_arch = "x86_64")]
    spec("creat", libc::SYS_creat, Always, Open, args![Text, Mode]),
    spec("openat", libc::SYS_openat, If(2, WRITING), Open, args![At, Text, Number]),
    spec("openat2", libc::SYS_openat2, Always, Open, args![At, Text, OpenHow, Number]),
];

/// The calls that write to an open file. They run at full speed unless such a file is open ([`Role::Open`]).
pub(super) const WRITES: &[Spec] = &[
    spec("write", libc::SYS_write, Always, Report, args![Number, Bytes, Number]),
    spec("pwrite64", libc::SYS_pwrite64, Always, Report, args![Number, Bytes, Number, Number]),
    spec("writev", libc::SYS_writev, Always, Report, args![Number, Address, Number]),
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
