//! System calls by name, as far as filters name them. Each architecture has numbers of its own for them.

use crate::kernel::numbers::old;

/// Calls that every architecture has.
const CALLS: &[(&str, i64)] = &[
    ("add_key", libc::SYS_add_key),
    ("bpf", libc::SYS_bpf),
    ("capset", libc::SYS_capset),
    ("chroot", libc::SYS_chroot),
    ("clock_adjtime", libc::SYS_clock_adjtime),
    ("clock_settime", libc::SYS_clock_settime),
    ("clone", libc::SYS_clone),
    ("clone3", libc::SYS_clone3),
    ("close", libc::SYS_close),
    ("connect", libc::SYS_connect),
    ("delete_module", libc::SYS_delete_module),
    ("execve", libc::SYS_execve),
    ("execveat", libc::SYS_execveat),
    ("fchmod", libc::SYS_fchmod),
    ("fchmodat", libc::SYS_fchmodat),
    ("fchown", libc::SYS_fchown),
    ("fchownat", libc::SYS_fchownat),
    ("finit_module", libc::SYS_finit_module),
    ("fsconfig", libc::SYS_fsconfig),
    ("fsmount", libc::SYS_fsmount),
    ("fsopen", libc::SYS_fsopen),
    ("getpid", libc::SYS_getpid),
    ("init_module", libc::SYS_init_module),
    ("io_uring_setup", libc::SYS_io_uring_setup),
    ("ioctl", libc::SYS_ioctl),
    ("kcmp", libc::SYS_kcmp),
    ("kexec_file_load", libc::SYS_kexec_file_load),
    ("kexec_load", libc::SYS_kexec_load),
    ("keyctl", libc::SYS_keyctl),
    ("kill", libc::SYS_kill),
    ("linkat", libc::SYS_linkat),
    ("listen", libc::SYS_listen),
    ("lookup_dcookie", libc::SYS_lookup_dcookie),
    ("madvise", libc::SYS_madvise),
    ("mkdirat", libc::SYS_mkdirat),
    ("mknodat", libc::SYS_mknodat),
    ("mount", libc::SYS_mount),
    ("mount_setattr", libc::SYS_mount_setattr),
    ("move_mount", libc::SYS_move_mount),
    ("name_to_handle_at", libc::SYS_name_to_handle_at),
    ("nanosleep", libc::SYS_nanosleep),
    ("open_by_handle_at", libc::SYS_open_by_handle_at),
    ("open_tree", libc::SYS_open_tree),
    ("openat", libc::SYS_openat),
    ("openat2", libc::SYS_openat2),
    ("perf_event_open", libc::SYS_perf_event_open),
    ("personality", libc::SYS_personality),
    ("pidfd_getfd", libc::SYS_pidfd_getfd),
    ("pivot_root", libc::SYS_pivot_root),
    ("prctl", libc::SYS_prctl),
    ("prlimit64", libc::SYS_prlimit64),
    ("process_vm_readv", libc::SYS_process_vm_readv),
    ("process_vm_writev", libc::SYS_process_vm_writev),
    ("ptrace", libc::SYS_ptrace),
    ("quotactl", libc::SYS_quotactl),
    ("read", libc::SYS_read),
    ("reboot", libc::SYS_reboot),
    ("renameat", libc::SYS_renameat),
    ("renameat2", libc::SYS_renameat2),
    ("request_key", libc::SYS_request_key),
    ("sched_setattr", libc::SYS_sched_setattr),
    ("setdomainname", libc::SYS_setdomainname),
    ("setgid", libc::SYS_setgid),
    ("setgroups", libc::SYS_setgroups),
    ("sethostname", libc::SYS_sethostname),
    ("setns", libc::SYS_setns),
    ("setpriority", libc::SYS_setpriority),
    ("setresgid", libc::SYS_setresgid),
    ("setresuid", libc::SYS_setresuid),
    ("settimeofday", libc::SYS_settimeofday),
    ("setuid", libc::SYS_setuid),
    ("socket", libc::SYS_socket),
    ("socketpair", libc::SYS_socketpair),
    ("swapoff", libc::SYS_swapoff),
    ("swapon", libc::SYS_swapon),
    ("symlinkat", libc::SYS_symlinkat),
    ("sync", libc::SYS_sync),
    ("syslog", libc::SYS_syslog),
    ("umount2", libc::SYS_umount2),
    ("uname", libc::SYS_uname),
    ("unlinkat", libc::SYS_unlinkat),
    ("unshare", libc::SYS_unshare),
    ("userfaultfd", libc::SYS_userfaultfd),
    ("utimensat", libc::SYS_utimensat),
    ("vhangup", libc::SYS_vhangup),
    ("write", libc::SYS_write),
];

/// Older ones, which newer architectures lack: there the calls with `at` in their names do the same. Who refuses one must refuse both.
const OLDER: &[(&str, Option<i64>)] = &[
    ("chmod", old!(SYS_chmod)),
    ("chown", old!(SYS_chown)),
    ("creat", old!(SYS_creat)),
    ("fork", old!(SYS_fork)),
    ("ioperm", old!(SYS_ioperm)),
    ("iopl", old!(SYS_iopl)),
    ("lchown", old!(SYS_lchown)),
    ("link", old!(SYS_link)),
    ("mkdir", old!(SYS_mkdir)),
    ("mknod", old!(SYS_mknod)),
    ("modify_ldt", old!(SYS_modify_ldt)),
    ("open", old!(SYS_open)),
    ("rename", old!(SYS_rename)),
    ("rmdir", old!(SYS_rmdir)),
    ("symlink", old!(SYS_symlink)),
    ("unlink", old!(SYS_unlink)),
    ("ustat", old!(SYS_ustat)),
    ("vfork", old!(SYS_vfork)),
];

/// The number of a call, `Some(None)` for one that this machine does not have; a number stands for itself. `None` for what is no
/// call anywhere.
pub(super) fn number(name: &str) -> Option<Option<u32>> {
    let all = CALLS.iter().map(|(known, number)| (*known, Some(*number))).chain(OLDER.iter().copied());
    let known = all.into_iter().find(|(known, _)| *known == name).map(|(_, number)| number);
    match known {
        Some(number) => Some(number.and_then(|number| u32::try_from(number).ok())),
        None => name.parse().ok().map(Some),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_known_by_name_or_number() {
        assert_eq!(number("mkdirat"), Some(u32::try_from(libc::SYS_mkdirat).ok()));
        assert_eq!((number("435"), number("mkdri"), number("")), (Some(Some(435)), None, None));
    }

    #[test]
    fn what_only_older_machines_have_is_known_everywhere() {
        for (name, there) in OLDER {
            let found = number(name).expect(name);
            assert_eq!(found.is_some(), cfg!(target_arch = "x86_64"), "{name}");
            assert_eq!(found.map(i64::from), *there, "{name}");
        }
    }
}
