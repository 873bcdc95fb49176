//! Every system call that the tracer knows, a row each: its name, its number, when the filter stops it, what it may change, and
//! how its arguments are read.

use super::{
    super::{
        decode::{Decoding, Kind},
        flags::Flags,
    },
    Effect, Guarded, Made, Row, Trap,
};
use crate::kernel::{numbers::old, objects::SystemV, refusal};

/// The number of a call that every architecture has.
macro_rules! all {
    ($number:ident) => {
        Some(libc::$number)
    };
}

const fn row(name: &'static str, number: Option<i64>, trap: Trap, effect: Effect, decoding: Decoding) -> Row {
    Row { name, number, trap, effect, decoding }
}

use Decoding::{Each, FsConfig, Mount, Netdevice};
use Effect::{
    Child, Closes, Configures, Connects, GroupMade, GroupRemoved, HostName, Mounts, Namespaces, Nothing, ObjectMade,
    ObjectRemoved, Opens, Program, Renamed, Rights, RootDirectory, Sends, Signals, Writes,
};
use Guarded::{Clock, DomainName, FileSystem, Kernel, Modules, Reboot, Swap};
use Kind::{
    Argv, Attributes, Bits, Counted, Directory, Environment, Hex, Length, Long, Mode, Number, Path, Pointer, Signal,
    Size, Vectors, Wide,
};
use Trap::{Always, Except, If, Never, OneOf, Unless};

const WRITING: u32 = (libc::O_WRONLY | libc::O_RDWR) as u32;
/// What prctl(2) is traced for: PR_SET_KEEPCAPS, PR_SET_SECCOMP, PR_CAPBSET_DROP, PR_SET_SECUREBITS, PR_SET_NO_NEW_PRIVS,
/// PR_CAP_AMBIENT, and the questions of our own.
static PRCTL: [u32; 8] = [8, 22, 24, 28, 38, 47, super::super::aside::ASK, refusal::ASK];
static NETLINK: [u32; 1] = [super::super::network::NETLINK];
const CREATE: u32 = libc::O_CREAT as u32;
const CONTROL: Decoding = Each(&[Number, Hex, Pointer]);
const REMOVEDIR: u32 = libc::AT_REMOVEDIR as u32;
const THREAD: u32 = libc::CLONE_THREAD as u32;
const VFORK: u64 = (libc::CLONE_VM | libc::CLONE_VFORK) as u64;

/// Every call. Of those that are not told only what decides is decoded.
pub(in crate::trace) static TABLE: &[Row] = &[
    row("unshare", all!(SYS_unshare), Always, Namespaces, Each(&[Wide(Flags::Clone)])),
    row("setns", all!(SYS_setns), Always, Namespaces, Each(&[Number, Bits(Flags::Namespace)])),
    row("fork", old!(SYS_fork), Always, Child(0), Each(&[])),
    row("vfork", old!(SYS_vfork), Always, Child(VFORK), Each(&[])),
    row("clone", all!(SYS_clone), Unless(0, THREAD), Child(0), Decoding::Clone),
    // Its flags are in memory, where a filter cannot look.
    row("clone3", all!(SYS_clone3), Always, Child(0), Each(&[Kind::Clone, Size])),
    row("execve", all!(SYS_execve), Always, Program, Each(&[Path, Argv, Environment])),
    row("execveat", all!(SYS_execveat), Always, Program, Each(&[Directory, Path, Argv, Environment, Bits(Flags::At)])),
    row("mount", all!(SYS_mount), Always, Mounts, Mount),
    row("umount2", all!(SYS_umount2), Always, Mounts, Each(&[Path, Bits(Flags::Umount)])),
    row("fsopen", all!(SYS_fsopen), Always, Nothing, Each(&[Path, Bits(Flags::FsOpen)])),
    row("fsconfig", all!(SYS_fsconfig), Always, Mounts, FsConfig),
    row("fsmount", all!(SYS_fsmount), Always, Nothing, Each(&[Number, Bits(Flags::FsMount), Bits(Flags::MountAttr)])),
    row(
        "move_mount",
        all!(SYS_move_mount),
        Always,
        Mounts,
        Each(&[Directory, Path, Directory, Path, Bits(Flags::MoveMount)]),
    ),
    row("fspick", all!(SYS_fspick), Always, Effect::Guarded(FileSystem), Each(&[Directory, Path, Bits(Flags::FsPick)])),
    row(
        "open_tree_attr",
        // Linux 6.15 has it, at the same number everywhere; the C library does not know it yet.
        Some(467),
        Always,
        Mounts,
        Each(&[Directory, Path, Bits(Flags::OpenTree), Attributes, Size]),
    ),
    row("open_tree", all!(SYS_open_tree), Always, Nothing, Each(&[Directory, Path, Bits(Flags::OpenTree)])),
    row(
        "mount_setattr",
        all!(SYS_mount_setattr),
        Always,
        Mounts,
        Each(&[Directory, Path, Bits(Flags::At), Attributes, Size]),
    ),
    row("pivot_root", all!(SYS_pivot_root), Always, Mounts, Each(&[Path, Path])),
    row("chroot", all!(SYS_chroot), Always, RootDirectory, Each(&[Path])),
    row("sethostname", all!(SYS_sethostname), Always, HostName, Each(&[Counted, Length])),
    row("setdomainname", all!(SYS_setdomainname), Always, Effect::Guarded(DomainName), Each(&[Counted, Length])),
    row("settimeofday", all!(SYS_settimeofday), Always, Effect::Guarded(Clock), Each(&[Pointer, Pointer])),
    row("clock_settime", all!(SYS_clock_settime), Always, Effect::Guarded(Clock), Each(&[Number, Pointer])),
    row("adjtimex", all!(SYS_adjtimex), Always, Effect::Guarded(Clock), Each(&[Pointer])),
    row("clock_adjtime", all!(SYS_clock_adjtime), Always, Effect::Guarded(Clock), Each(&[Number, Pointer])),
    row("reboot", all!(SYS_reboot), Always, Effect::Guarded(Reboot), Each(&[Hex, Hex, Hex, Pointer])),
    row("kexec_load", all!(SYS_kexec_load), Always, Effect::Guarded(Kernel), Each(&[Pointer, Size, Pointer, Hex])),
    row(
        "kexec_file_load",
        all!(SYS_kexec_file_load),
        Always,
        Effect::Guarded(Kernel),
        Each(&[Number, Number, Size, Path, Hex]),
    ),
    row("swapon", all!(SYS_swapon), Always, Effect::Guarded(Swap), Each(&[Path, Hex])),
    row("swapoff", all!(SYS_swapoff), Always, Effect::Guarded(Swap), Each(&[Path])),
    row("init_module", all!(SYS_init_module), Always, Effect::Guarded(Modules), Each(&[Pointer, Size, Path])),
    row("finit_module", all!(SYS_finit_module), Always, Effect::Guarded(Modules), Each(&[Number, Path, Hex])),
    row("delete_module", all!(SYS_delete_module), Always, Effect::Guarded(Modules), Each(&[Path, Hex])),
    // Signal 0 only asks whether a process is there; SIGURG, which is ignored by default, is how the runtime of Go
    // interrupts its own threads, many times a second.
    row("kill", all!(SYS_kill), Except(1, 0), Signals, Each(&[Number, Signal])),
    row("tkill", all!(SYS_tkill), Except(1, 0), Signals, Each(&[Number, Signal])),
    row("tgkill", all!(SYS_tgkill), Except(2, libc::SIGURG as u32), Signals, Each(&[Number, Number, Signal])),
    row("rt_sigqueueinfo", all!(SYS_rt_sigqueueinfo), Except(1, 0), Signals, Each(&[Number, Signal, Pointer])),
    row(
        "rt_tgsigqueueinfo",
        all!(SYS_rt_tgsigqueueinfo),
        Except(2, 0),
        Signals,
        Each(&[Number, Number, Signal, Pointer]),
    ),
    row("pidfd_send_signal", all!(SYS_pidfd_send_signal), Except(1, 0), Signals, Each(&[Number, Signal, Pointer, Hex])),
    row("socket", all!(SYS_socket), OneOf(0, &NETLINK), Connects, Each(&[Number, Hex, Number])),
    row("sendto", all!(SYS_sendto), Never, Sends, Each(&[Number, Pointer, Size, Hex, Pointer, Number])),
    row("sendmsg", all!(SYS_sendmsg), Never, Sends, Each(&[Number, Pointer, Hex])),
    row("sendmmsg", all!(SYS_sendmmsg), Never, Sends, Each(&[Number, Pointer, Number, Hex])),
    row("ioctl", all!(SYS_ioctl), OneOf(1, &super::super::netdevice::REQUESTS), Configures, Netdevice),
    row(
        "setsockopt",
        all!(SYS_setsockopt),
        OneOf(2, &super::super::network::OPTIONS),
        Configures,
        Each(&[Number, Number, Number, Pointer, Size]),
    ),
    row("msgget", all!(SYS_msgget), Always, ObjectMade(Made::SystemV(SystemV::Queue)), Each(&[Hex, Hex])),
    row("shmget", all!(SYS_shmget), Always, ObjectMade(Made::SystemV(SystemV::Memory)), Each(&[Hex, Size, Hex])),
    row("semget", all!(SYS_semget), Always, ObjectMade(Made::SystemV(SystemV::Semaphores)), Each(&[Hex, Number, Hex])),
    row("mq_open", all!(SYS_mq_open), If(1, CREATE), ObjectMade(Made::Queue), Each(&[Path, Bits(Flags::Open), Mode])),
    // IPC_RMID is 0; a higher bit says how structures look.
    row("msgctl", all!(SYS_msgctl), Unless(1, 0xff), ObjectRemoved(Made::SystemV(SystemV::Queue)), CONTROL),
    row("shmctl", all!(SYS_shmctl), Unless(1, 0xff), ObjectRemoved(Made::SystemV(SystemV::Memory)), CONTROL),
    row(
        "semctl",
        all!(SYS_semctl),
        Unless(2, 0xff),
        ObjectRemoved(Made::SystemV(SystemV::Semaphores)),
        Each(&[Number, Number, Hex]),
    ),
    row("mq_unlink", all!(SYS_mq_unlink), Always, ObjectRemoved(Made::Queue), Each(&[Path])),
    row("mkdir", old!(SYS_mkdir), Always, GroupMade(0), Each(&[Path, Mode])),
    row("rmdir", old!(SYS_rmdir), Always, GroupRemoved(0), Each(&[Path])),
    row("mkdirat", all!(SYS_mkdirat), Always, GroupMade(1), Each(&[Directory, Path, Mode])),
    row("unlinkat", all!(SYS_unlinkat), If(2, REMOVEDIR), GroupRemoved(1), Each(&[Directory, Path, Bits(Flags::At)])),
    row("open", old!(SYS_open), If(1, WRITING), Opens(0), Each(&[Path, Bits(Flags::Open), Mode])),
    row("creat", old!(SYS_creat), Always, Opens(0), Each(&[Path, Mode])),
    row("openat", all!(SYS_openat), If(2, WRITING), Opens(1), Each(&[Directory, Path, Bits(Flags::Open), Mode])),
    row("openat2", all!(SYS_openat2), Always, Opens(1), Each(&[Directory, Path])),
    row("write", all!(SYS_write), Never, Writes(0), Each(&[Number, Counted, Size])),
    row("pwrite64", all!(SYS_pwrite64), Never, Writes(0), Each(&[Number, Counted, Size, Long])),
    row("writev", all!(SYS_writev), Never, Writes(0), Each(&[Number, Vectors, Size])),
    row("pwritev", all!(SYS_pwritev), Never, Writes(0), Each(&[Number, Vectors, Size, Long])),
    row("pwritev2", all!(SYS_pwritev2), Never, Writes(0), Each(&[Number, Vectors, Size, Long, Long, Hex])),
    row("sendfile", all!(SYS_sendfile), Never, Writes(0), Each(&[Number, Number, Pointer, Size])),
    row("splice", all!(SYS_splice), Never, Writes(2), Each(&[Number, Pointer, Number, Pointer, Size, Hex])),
    row("rename", old!(SYS_rename), Always, Renamed(0, 1), Each(&[Path, Path])),
    row("renameat", all!(SYS_renameat), Always, Renamed(1, 3), Each(&[Directory, Path, Directory, Path])),
    row("renameat2", all!(SYS_renameat2), Always, Renamed(1, 3), Each(&[Directory, Path, Directory, Path, Hex])),
    row("capset", all!(SYS_capset), Always, Rights, Each(&[Pointer, Pointer])),
    row("prctl", all!(SYS_prctl), OneOf(0, &PRCTL), Rights, Each(&[Bits(Flags::Prctl), Hex, Hex, Hex, Hex])),
    row("seccomp", all!(SYS_seccomp), Always, Rights, Each(&[Bits(Flags::Seccomp), Hex, Pointer])),
    row("setuid", all!(SYS_setuid), Always, Rights, Each(&[Number])),
    row("setgid", all!(SYS_setgid), Always, Rights, Each(&[Number])),
    row("setreuid", all!(SYS_setreuid), Always, Rights, Each(&[Number, Number])),
    row("setregid", all!(SYS_setregid), Always, Rights, Each(&[Number, Number])),
    row("setresuid", all!(SYS_setresuid), Always, Rights, Each(&[Number, Number, Number])),
    row("setresgid", all!(SYS_setresgid), Always, Rights, Each(&[Number, Number, Number])),
    row("setfsuid", all!(SYS_setfsuid), Always, Rights, Each(&[Number])),
    row("setfsgid", all!(SYS_setfsgid), Always, Rights, Each(&[Number])),
    row("setgroups", all!(SYS_setgroups), Always, Rights, Each(&[Number, Pointer])),
    row("mknod", old!(SYS_mknod), Always, Nothing, Each(&[Path, Mode, Hex])),
    row("mknodat", all!(SYS_mknodat), Always, Nothing, Each(&[Directory, Path, Mode, Hex])),
    row("keyctl", all!(SYS_keyctl), Always, Nothing, Each(&[Number, Hex, Hex, Hex, Hex])),
    row("bpf", all!(SYS_bpf), Always, Nothing, Each(&[Bits(Flags::Bpf), Pointer, Size])),
    // A process has one tracer at most, and has one here.
    row("ptrace", all!(SYS_ptrace), Always, Nothing, Each(&[Bits(Flags::Ptrace), Number, Pointer, Pointer])),
    row("close", all!(SYS_close), Never, Closes, Each(&[])),
    row("close_range", all!(SYS_close_range), Never, Closes, Each(&[])),
    row("dup2", old!(SYS_dup2), Never, Closes, Each(&[])),
    row("dup3", all!(SYS_dup3), Never, Closes, Each(&[])),
];
