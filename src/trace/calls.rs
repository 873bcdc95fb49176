//! The system calls of the tracer as one table: filter, decoding, following and effects all read it.

use super::{
    decode::{Decoding, Kind},
    flags::Flags,
};
use crate::kernel::{objects::SystemV, refusal};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use std::fmt;

/// When the filter stops a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trap {
    /// Always.
    Always,
    /// Where this argument has any of these bits.
    If(usize, u32),
    /// Where it has none of them.
    Unless(usize, u32),
    /// Where it is another number than this.
    Except(usize, u32),
    /// Where it is one of these numbers.
    OneOf(usize, &'static [u32]),
    /// Never: it stops only in a thread that is followed, which stops at every call.
    Never,
}

impl Trap {
    /// Whether the filter stops a call with these arguments.
    pub(super) fn stops(self, values: &[u64; 6]) -> bool {
        let value = |index: usize| values.get(index).map_or(0, |value| *value as u32);
        match self {
            Trap::Always => true,
            Trap::If(index, bits) => value(index) & bits != 0,
            Trap::Unless(index, bits) => value(index) & bits == 0,
            Trap::Except(index, number) => value(index) != number,
            Trap::OneOf(index, numbers) => numbers.contains(&value(index)),
            Trap::Never => false,
        }
    }
}

/// What a call may change, and so what is done with it. A number is the index of the argument that is a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// Nothing that is compared; it is told.
    Nothing,
    /// The caller's namespaces.
    Namespaces,
    /// The caller's mount table.
    Mounts,
    /// The caller's root directory.
    RootDirectory,
    /// The host name of the caller's UTS namespace.
    HostName,
    /// A process is made, or a thread, which is not told. These flags of clone(2) are set without being arguments.
    Child(u64),
    /// A program starts.
    Program,
    /// A directory is made; told where it is a control group.
    GroupMade(usize),
    /// A directory is removed; told where it is a control group.
    GroupRemoved(usize),
    /// A file is opened for writing. Not told, but where it is a control file the thread is followed.
    Opens(usize),
    /// An open file is written, whose descriptor is the argument of this index; told where it is a control file.
    Writes(usize),
    /// A file gets another name; told where it is a control group. The paths, old and new.
    Renamed(usize, usize),
    /// What the caller may do: its capabilities, users and groups, filters.
    Rights,
    /// An open file is closed; not told.
    Closes,
    /// An object is made that stays when its maker has ended; told where it was not there before.
    ObjectMade(Made),
    /// Such an object is removed.
    ObjectRemoved(Made),
    /// Processes get a signal; told only where they are not this session's.
    Signals,
    /// A netlink socket is made. Not told, but where the family is guarded the thread is followed.
    Connects,
    /// Something is sent through a socket, whose descriptor comes first; told only where it would change the machine's network.
    Sends,
    /// An interface, a route or a bridge is changed; told only where it is the machine's.
    Configures,
    /// What belongs to the whole machine.
    Guarded(Guarded),
}

/// What a traced process asks of its tracer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Question {
    /// For a command that is not traced.
    Untraced,
    /// Whether its last call was refused.
    Refused,
}

/// What kind of object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Made {
    /// Of System V.
    SystemV(SystemV),
    /// A POSIX message queue.
    Queue,
}

/// What no namespace, or only one that is not compared, has of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Guarded {
    /// The NIS domain name of the caller's UTS namespace.
    DomainName,
    /// The options of a mounted file system.
    FileSystem,
    /// The clock.
    Clock,
    /// Reboot, power off.
    Reboot,
    /// Another kernel.
    Kernel,
    /// Swap.
    Swap,
    /// Modules of the kernel.
    Modules,
}

impl Effect {
    /// Whether it is told only where it would do harm.
    pub(super) fn is_told_as_harm(self) -> bool {
        matches!(self, Effect::Signals | Effect::Sends | Effect::Configures)
    }

    /// Whether a mount table may be another one afterwards.
    pub(super) fn changes_mounts(self) -> bool {
        matches!(self, Effect::Namespaces | Effect::Mounts | Effect::RootDirectory)
    }
}

/// All that is known of one system call.
#[derive(Debug)]
pub(super) struct Row {
    /// Its name in the manual pages.
    pub(super) name: &'static str,
    /// Its number; `None` where this architecture does not have it.
    pub(super) number: Option<i64>,
    /// When it stops.
    pub(super) trap: Trap,
    /// What it may change.
    pub(super) effect: Effect,
    /// How its arguments are read.
    pub(super) decoding: Decoding,
}

/// A system call that the tracer knows.
#[derive(Clone, Copy)]
pub struct Syscall(&'static Row);

impl Syscall {
    /// The names of all calls that the tracer knows.
    #[cfg(test)]
    pub(crate) fn names() -> impl Iterator<Item = &'static str> {
        TABLE.iter().map(|row| row.name)
    }

    /// The call of this name in the manual pages.
    pub(crate) fn named(name: &str) -> Option<Syscall> {
        TABLE.iter().find(|row| row.name == name).map(Syscall)
    }

    /// The call of this number on this architecture.
    pub(super) fn numbered(number: i64) -> Option<Syscall> {
        TABLE.iter().find(|row| row.number == Some(number)).map(Syscall)
    }

    /// Its name in the manual pages.
    pub fn name(self) -> &'static str {
        self.0.name
    }

    /// What a call with these arguments asks of the tracer itself.
    pub(super) fn question(self, values: &[u64; 6]) -> Option<Question> {
        match values[0] as u32 {
            _ if self.0.number != Some(libc::SYS_prctl) => None,
            super::aside::ASK => Some(Question::Untraced),
            refusal::ASK => Some(Question::Refused),
            _ => None,
        }
    }

    /// Whether it makes a process.
    pub(crate) fn makes_process(self) -> bool {
        matches!(self.0.effect, Effect::Child(_))
    }

    pub(super) fn row(self) -> &'static Row {
        self.0
    }
}

impl PartialEq for Syscall {
    fn eq(&self, other: &Syscall) -> bool {
        self.name() == other.name()
    }
}

impl Eq for Syscall {}

impl fmt::Debug for Syscall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Syscall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Syscall {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Syscall {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Syscall, D::Error> {
        let name = String::deserialize(deserializer)?;
        Syscall::named(&name).ok_or_else(|| D::Error::custom(format!("{name}: not a system call that is traced")))
    }
}

/// The number of a call that every architecture has.
macro_rules! all {
    ($number:ident) => {
        Some(libc::$number)
    };
}

/// The number of a call that architectures after x86-64 do not have.
macro_rules! old {
    ($number:ident) => {{
        #[cfg(target_arch = "x86_64")]
        const NUMBER: Option<i64> = Some(libc::$number);
        #[cfg(not(target_arch = "x86_64"))]
        const NUMBER: Option<i64> = None;
        NUMBER
    }};
}

const fn row(name: &'static str, number: Option<i64>, trap: Trap, effect: Effect, decoding: Decoding) -> Row {
    Row { name, number, trap, effect, decoding }
}

use Decoding::{Each, FsConfig, Mount};
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
static PRCTL: [u32; 8] = [8, 22, 24, 28, 38, 47, super::aside::ASK, refusal::ASK];
static NETLINK: [u32; 1] = [super::network::NETLINK];
const CREATE: u32 = libc::O_CREAT as u32;
const CONTROL: Decoding = Each(&[Number, Hex, Pointer]);
const REMOVEDIR: u32 = libc::AT_REMOVEDIR as u32;
const THREAD: u32 = libc::CLONE_THREAD as u32;
const VFORK: u64 = (libc::CLONE_VM | libc::CLONE_VFORK) as u64;

/// Every call. Of those that are not told only what decides is decoded.
pub(super) static TABLE: &[Row] = &[
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
    // Signal 0 only asks whether somebody is there; SIGURG, which is ignored where nobody waits for it, is how the
    // runtime of Go interrupts its own threads, many times a second.
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
    row("ioctl", all!(SYS_ioctl), OneOf(1, &super::network::REQUESTS), Configures, Each(&[Number, Hex, Pointer])),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_and_no_number_stands_twice() {
        for (index, row) in TABLE.iter().enumerate() {
            let alike = |other: &Row| other.name == row.name || other.number.is_some() && other.number == row.number;
            assert!(!TABLE[index + 1..].iter().any(alike), "{row:?}");
            assert_eq!(Syscall::named(row.name).map(Syscall::name), Some(row.name));
        }
    }
}
