//! The system calls of i386 programs, and of `int 0x80` in any other: the same calls under other numbers.

#[cfg(target_arch = "x86_64")]
use super::{calls::TABLE, memory::Width};
use super::{
    calls::{Row, Syscall, Trap},
    memory::Memory,
};

/// Its number in `struct seccomp_data`; no machine of another architecture runs such programs.
#[cfg(target_arch = "x86_64")]
pub(super) const ARCH: Option<u32> = Some(0x4000_0003);
#[cfg(not(target_arch = "x86_64"))]
pub(super) const ARCH: Option<u32> = None;

/// umount(2) without flags.
const UMOUNT: i64 = 22;
/// ipc(2): all calls of System V in one, chosen by the first argument.
const IPC: i64 = 117;
/// socketcall(2): all calls of sockets in one, chosen by the first argument; the others are in memory, where the second
/// points to.
const SOCKETCALL: i64 = 102;

/// Names in the manual pages, and numbers (`asm/unistd_32.h`). Calls that got a second form, such as setuid32, have two.
static NUMBERS: &[(&str, &[i64])] = &[
    ("unshare", &[310]),
    ("setns", &[346]),
    ("fork", &[2]),
    ("vfork", &[190]),
    ("clone", &[120]),
    ("clone3", &[435]),
    ("execve", &[11]),
    ("execveat", &[358]),
    ("mount", &[21]),
    ("umount2", &[52]),
    ("fsopen", &[430]),
    ("fsconfig", &[431]),
    ("fsmount", &[432]),
    ("move_mount", &[429]),
    ("fspick", &[433]),
    ("open_tree_attr", &[467]),
    ("open_tree", &[428]),
    ("mount_setattr", &[442]),
    ("pivot_root", &[217]),
    ("chroot", &[61]),
    ("sethostname", &[74]),
    ("setdomainname", &[121]),
    ("settimeofday", &[79]),
    ("clock_settime", &[264, 404]),
    ("adjtimex", &[124]),
    ("clock_adjtime", &[343, 405]),
    ("reboot", &[88]),
    ("kexec_load", &[283]),
    ("swapon", &[87]),
    ("swapoff", &[115]),
    ("init_module", &[128]),
    ("finit_module", &[350]),
    ("delete_module", &[129]),
    ("kill", &[37]),
    ("tkill", &[238]),
    ("tgkill", &[270]),
    ("rt_sigqueueinfo", &[178]),
    ("rt_tgsigqueueinfo", &[335]),
    ("pidfd_send_signal", &[424]),
    ("socket", &[359]),
    ("setsockopt", &[366]),
    ("sendto", &[369]),
    ("sendmsg", &[370]),
    ("sendmmsg", &[345]),
    ("ioctl", &[54]),
    ("msgget", &[399]),
    ("shmget", &[395]),
    ("semget", &[393]),
    ("mq_open", &[277]),
    ("msgctl", &[402]),
    ("shmctl", &[396]),
    ("semctl", &[394]),
    ("mq_unlink", &[278]),
    ("mkdir", &[39]),
    ("rmdir", &[40]),
    ("mkdirat", &[296]),
    ("unlinkat", &[301]),
    ("open", &[5]),
    ("creat", &[8]),
    ("openat", &[295]),
    ("openat2", &[437]),
    ("write", &[4]),
    ("pwrite64", &[181]),
    ("writev", &[146]),
    ("pwritev", &[334]),
    ("pwritev2", &[379]),
    ("sendfile", &[187, 239]),
    ("splice", &[313]),
    ("rename", &[38]),
    ("renameat", &[302]),
    ("renameat2", &[353]),
    ("capset", &[185]),
    ("prctl", &[172]),
    ("seccomp", &[354]),
    ("setuid", &[23, 213]),
    ("setgid", &[46, 214]),
    ("setreuid", &[70, 203]),
    ("setregid", &[71, 204]),
    ("setresuid", &[164, 208]),
    ("setresgid", &[170, 210]),
    ("setfsuid", &[138, 215]),
    ("setfsgid", &[139, 216]),
    ("setgroups", &[81, 206]),
    ("mknod", &[14]),
    ("mknodat", &[297]),
    ("keyctl", &[288]),
    ("bpf", &[357]),
    ("ptrace", &[26]),
    ("close", &[6]),
    ("close_range", &[436]),
    ("dup2", &[63]),
    ("dup3", &[330]),
];

/// The calls of System V within ipc(2) that are of interest, and whether their third argument is the pointer.
#[cfg(target_arch = "x86_64")]
static SYSTEM_V: &[(u64, &str, bool)] = &[
    (2, "semget", false),
    (3, "semctl", false),
    (13, "msgget", false),
    (14, "msgctl", true),
    (23, "shmget", false),
    (24, "shmctl", true),
];

/// The calls of interest within socketcall(2), and how many arguments they take (`linux/net.h`).
#[cfg(target_arch = "x86_64")]
static SOCKETS: &[(u32, &str, usize)] =
    &[(1, "socket", 3), (11, "sendto", 6), (14, "setsockopt", 5), (16, "sendmsg", 3), (20, "sendmmsg", 4)];
/// Of these, what the filter stops: the others matter only in a thread that is followed, which stops at every call.
static SOCKETS_STOPPED: [u32; 2] = [1, 14];

/// The numbers of a call.
pub(super) fn numbers(row: &Row) -> &'static [i64] {
    NUMBERS.iter().find(|(name, _)| *name == row.name).map_or(&[], |(_, numbers)| numbers)
}

/// Numbers that stand for other calls than their own name says, and when they stop.
pub(super) static OTHERS: [(i64, Trap); 3] =
    [(UMOUNT, Trap::Always), (IPC, Trap::Always), (SOCKETCALL, Trap::OneOf(0, &SOCKETS_STOPPED))];

/// The call of this number as the row that it has here, with the arguments in the order of that one.
#[cfg(target_arch = "x86_64")]
pub(super) fn read(number: i64, args: [u64; 6], memory: Memory<'_>) -> Option<(Syscall, [u64; 6])> {
    let [first, a, b, c, pointer, _] = args;
    match number {
        UMOUNT => Some((Syscall::named("umount2")?, [first, 0, 0, 0, 0, 0])),
        IPC => {
            // A higher bit says how old the C library is.
            let (_, name, by_pointer) = SYSTEM_V.iter().find(|(call, ..)| *call == first & 0xffff)?;
            let call = Syscall::named(name)?;
            let args = [a, b, if *by_pointer { pointer } else { c }, pointer, 0, 0];
            call.row().trap.stops(&args).then_some((call, args))
        }
        SOCKETCALL => {
            let (_, name, count) = SOCKETS.iter().find(|(call, ..)| u64::from(*call) == first)?;
            let (call, memory) = (Syscall::named(name)?, memory.with(Width::Four));
            let mut args = [0; 6];
            for (index, arg) in args.iter_mut().enumerate().take(*count) {
                *arg = memory.pointer(a, index as u64)?;
            }
            let trap = call.row().trap;
            (trap == Trap::Never || trap.stops(&args)).then_some((call, args))
        }
        _ => {
            let row = TABLE.iter().find(|row| numbers(row).contains(&number))?;
            Some((Syscall::named(row.name)?, args))
        }
    }
}

#[cfg(not(target_arch = "x86_64"))]
pub(super) fn read(_: i64, _: [u64; 6], _: Memory<'_>) -> Option<(Syscall, [u64; 6])> {
    None
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;
    use crate::trace::stop::Stopped;

    #[test]
    fn every_call_has_its_numbers_and_none_stands_twice() {
        let mut all: Vec<i64> = OTHERS.map(|(number, _)| number).to_vec();
        for row in TABLE {
            // The kernel has this one for 64-bit programs alone.
            assert_eq!(numbers(row).is_empty(), row.name == "kexec_file_load", "{}", row.name);
            all.extend(numbers(row));
        }
        assert!(NUMBERS.iter().all(|(name, _)| Syscall::named(name).is_some()));
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }

    #[test]
    fn a_call_is_read_as_the_one_that_it_is() {
        let own = Stopped::own();
        let read = |number, args| read(number, args, own.memory()).map(|(call, args)| (call.name(), args));
        assert_eq!(read(310, [0x400_0000, 0, 0, 0, 0, 0]), Some(("unshare", [0x400_0000, 0, 0, 0, 0, 0])));
        assert_eq!(read(22, [7, 99, 0, 0, 0, 0]), Some(("umount2", [7, 0, 0, 0, 0, 0])), "it has one argument");
        assert_eq!(read(208, [1, 2, 3, 0, 0, 0]).unwrap().0, "setresuid", "setresuid32");
        assert_eq!(read(117, [23, 5, 4096, 0o1600, 0, 0]), Some(("shmget", [5, 4096, 0o1600, 0, 0, 0])));
        assert_eq!(read(117, [24, 5, 0x100, 0, 0, 0]).unwrap().0, "shmctl", "IPC_RMID as the C library asks for it");
        assert_eq!(read(117, [24, 5, 0x102, 0, 0, 0]), None, "IPC_STAT");
        assert_eq!(read(117, [1, 5, 0, 0, 0, 0]), None, "semop");
        assert_eq!(read(3, [0; 6]), None, "read");
        // AF_NETLINK, SOCK_RAW, NETLINK_ROUTE; AF_INET.
        let (netlink, internet) = ([16u32, 3, 0, 99], [2u32, 1, 0, 99]);
        let at = |args: &[u32; 4]| args.as_ptr() as u64;
        assert_eq!(read(102, [1, at(&netlink), 0, 0, 0, 0]), Some(("socket", [16, 3, 0, 0, 0, 0])));
        assert_eq!(read(102, [1, at(&internet), 0, 0, 0, 0]), None, "no netlink socket");
        assert_eq!(read(102, [16, at(&netlink), 0, 0, 0, 0]), Some(("sendmsg", [16, 3, 0, 0, 0, 0])));
        assert_eq!(read(102, [16, 8, 0, 0, 0, 0]), None, "nothing is there");
        assert_eq!(read(102, [9, at(&netlink), 0, 0, 0, 0]), None, "send");
    }
}
