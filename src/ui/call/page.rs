//! What the manual pages say of a call: the names of its parameters, what its bits mean, and where to read on.

use crate::{kernel::namespaces::Kind, lang::Lang, trace::Call};

/// The parameters of each call, as section 2 of the manual pages names them, in the order in which they are decoded.
const PARAMETERS: &[(&str, &[&str])] = &[
    ("unshare", &["flags"]),
    ("setns", &["fd", "nstype"]),
    ("fork", &[]),
    ("vfork", &[]),
    ("clone", &["", "", "", "", ""]),
    ("clone3", &["cl_args", "size"]),
    ("execve", &["pathname", "argv", "envp"]),
    ("execveat", &["dirfd", "pathname", "argv", "envp", "flags"]),
    ("mount", &["source", "target", "filesystemtype", "mountflags", "data"]),
    ("umount2", &["target", "flags"]),
    ("fsopen", &["fsname", "flags"]),
    ("fsconfig", &["fd", "cmd", "key", "value", "aux"]),
    ("fsmount", &["fsfd", "flags", "attr_flags"]),
    ("move_mount", &["from_dirfd", "from_pathname", "to_dirfd", "to_pathname", "flags"]),
    ("fspick", &["dirfd", "path", "flags"]),
    ("open_tree_attr", &["dirfd", "path", "flags", "attr", "size"]),
    ("open_tree", &["dirfd", "path", "flags"]),
    ("mount_setattr", &["dirfd", "path", "flags", "attr", "size"]),
    ("pivot_root", &["new_root", "put_old"]),
    ("chroot", &["path"]),
    ("sethostname", &["name", "len"]),
    ("setdomainname", &["name", "len"]),
    ("settimeofday", &["tv", "tz"]),
    ("clock_settime", &["clockid", "tp"]),
    ("adjtimex", &["buf"]),
    ("clock_adjtime", &["clk_id", "buf"]),
    ("reboot", &["magic", "magic2", "op", "arg"]),
    ("kexec_load", &["entry", "nr_segments", "segments", "flags"]),
    ("kexec_file_load", &["kernel_fd", "initrd_fd", "cmdline_len", "cmdline", "flags"]),
    ("swapon", &["path", "swapflags"]),
    ("swapoff", &["path"]),
    ("init_module", &["module_image", "size", "param_values"]),
    ("finit_module", &["fd", "param_values", "flags"]),
    ("delete_module", &["name", "flags"]),
    ("kill", &["pid", "sig"]),
    ("tkill", &["tid", "sig"]),
    ("tgkill", &["tgid", "tid", "sig"]),
    ("rt_sigqueueinfo", &["tgid", "sig", "info"]),
    ("rt_tgsigqueueinfo", &["tgid", "tid", "sig", "info"]),
    ("pidfd_send_signal", &["pidfd", "sig", "info", "flags"]),
    ("socket", &["domain", "type", "protocol"]),
    ("sendto", &["sockfd", "buf", "len", "flags", "dest_addr", "addrlen"]),
    ("sendmsg", &["sockfd", "msg", "flags"]),
    ("sendmmsg", &["sockfd", "msgvec", "vlen", "flags"]),
    ("ioctl", &["fd", "op", "argp"]),
    ("setsockopt", &["sockfd", "level", "optname", "optval", "optlen"]),
    ("msgget", &["key", "msgflg"]),
    ("shmget", &["key", "size", "shmflg"]),
    ("semget", &["key", "nsems", "semflg"]),
    ("mq_open", &["name", "oflag", "mode"]),
    ("msgctl", &["msqid", "op", "buf"]),
    ("shmctl", &["shmid", "op", "buf"]),
    ("semctl", &["semid", "semnum", "op"]),
    ("mq_unlink", &["name"]),
    ("mkdir", &["pathname", "mode"]),
    ("rmdir", &["pathname"]),
    ("mkdirat", &["dirfd", "pathname", "mode"]),
    ("unlinkat", &["dirfd", "pathname", "flags"]),
    ("open", &["pathname", "flags", "mode"]),
    ("creat", &["pathname", "mode"]),
    ("openat", &["dirfd", "pathname", "flags", "mode"]),
    ("openat2", &["dirfd", "pathname"]),
    ("write", &["fd", "buf", "count"]),
    ("pwrite64", &["fd", "buf", "count", "offset"]),
    ("writev", &["fd", "iov", "iovcnt"]),
    ("pwritev", &["fd", "iov", "iovcnt", "offset"]),
    ("pwritev2", &["fd", "iov", "iovcnt", "offset", "", "flags"]),
    ("sendfile", &["out_fd", "in_fd", "offset", "count"]),
    ("splice", &["fd_in", "off_in", "fd_out", "off_out", "len", "flags"]),
    ("rename", &["oldpath", "newpath"]),
    ("renameat", &["olddirfd", "oldpath", "newdirfd", "newpath"]),
    ("renameat2", &["olddirfd", "oldpath", "newdirfd", "newpath", "flags"]),
    ("capset", &["hdrp", "datap"]),
    ("prctl", &["op", "arg2", "arg3", "arg4", "arg5"]),
    ("seccomp", &["operation", "flags", "args"]),
    ("setuid", &["uid"]),
    ("setgid", &["gid"]),
    ("setreuid", &["ruid", "euid"]),
    ("setregid", &["rgid", "egid"]),
    ("setresuid", &["ruid", "euid", "suid"]),
    ("setresgid", &["rgid", "egid", "sgid"]),
    ("setfsuid", &["fsuid"]),
    ("setfsgid", &["fsgid"]),
    ("setgroups", &["size", "list"]),
    ("mknod", &["pathname", "mode", "dev"]),
    ("mknodat", &["dirfd", "pathname", "mode", "dev"]),
    ("keyctl", &["operation", "arg2", "arg3", "arg4", "arg5"]),
    ("bpf", &["cmd", "attr", "size"]),
    ("ptrace", &["op", "pid", "addr", "data"]),
    ("close", &[]),
    ("close_range", &[]),
    ("dup2", &[]),
    ("dup3", &[]),
];

/// The names of the parameters of a call.
pub(super) fn parameters(name: &str) -> &'static [&'static str] {
    PARAMETERS.iter().find(|(known, _)| *known == name).map_or(&[], |(_, names)| names)
}

/// What the bits mean that lessons speak of, in English and Chinese.
const BITS: &[(&str, &str, &str)] = &[
    ("CLONE_NEWNS", "a new mount namespace", "新的挂载命名空间"),
    ("CLONE_NEWUTS", "a new UTS namespace: host name", "新的 UTS 命名空间：主机名"),
    ("CLONE_NEWIPC", "a new IPC namespace", "新的 IPC 命名空间"),
    ("CLONE_NEWPID", "a new PID namespace, for the children", "新的 PID 命名空间，供子进程使用"),
    ("CLONE_NEWNET", "a new network namespace", "新的网络命名空间"),
    ("CLONE_NEWUSER", "a new user namespace", "新的用户命名空间"),
    ("CLONE_NEWCGROUP", "a new cgroup namespace", "新的 cgroup 命名空间"),
    ("CLONE_NEWTIME", "a new time namespace, for the children", "新的时间命名空间，供子进程使用"),
    ("CLONE_VM", "the child shares the memory", "子进程共用内存"),
    ("CLONE_VFORK", "the caller waits until the child starts a program", "调用者等到子进程启动程序"),
    ("CLONE_CHILD_CLEARTID", "what a C library asks for at each fork", "C 库每次 fork 都会要求"),
    ("CLONE_CHILD_SETTID", "what a C library asks for at each fork", "C 库每次 fork 都会要求"),
    ("CLONE_PARENT_SETTID", "what a C library asks for at each fork", "C 库每次 fork 都会要求"),
    ("SIGCHLD", "the signal when the child ends", "子进程结束时发出的信号"),
    ("MS_RDONLY", "read-only", "只读"),
    ("MS_NOSUID", "set-user-ID bits count for nothing", "set-user-ID 位不起作用"),
    ("MS_NODEV", "device nodes count for nothing", "设备节点不起作用"),
    ("MS_NOEXEC", "no program can be started from it", "不能执行其中的程序"),
    ("MS_REMOUNT", "changes a mount that is there", "修改已有的挂载"),
    ("MS_BIND", "shows a directory in a second place", "让一个目录在另一处也可见"),
    ("MS_REC", "and all mounts below", "连同下面的所有挂载"),
    ("MS_MOVE", "moves a mount", "移动挂载"),
    ("MS_PRIVATE", "mounts below are passed on to no other namespace", "下面的挂载不传播到别的命名空间"),
    ("MS_SLAVE", "mounts below come from others, but do not go to them", "只接收别处传来的挂载，不向外传播"),
    ("MS_SHARED", "mounts below are passed on to other namespaces", "下面的挂载会传播到别的命名空间"),
    ("MS_SILENT", "no warnings in the kernel's log", "不在内核日志里警告"),
    ("MNT_DETACH", "at once, although it may be in use", "立即卸载，即使仍在使用"),
    ("MNT_FORCE", "although it may be in use", "强制卸载，即使仍在使用"),
];

/// What a bit means, where that is known.
pub(super) fn bit(name: &str, lang: Lang) -> Option<&'static str> {
    BITS.iter().find(|(known, ..)| *known == name).map(|(_, en, zh)| lang.pick(*en, *zh))
}

/// The manual pages of a call, as man(1) takes them: its own, then those on what it is about.
pub(super) fn of(call: &Call) -> Vec<String> {
    let name = call.syscall.name();
    let own = match name {
        "mq_open" | "mq_unlink" => format!("3 {name}"),
        // The page of the call that it is a form of.
        "open_tree_attr" => "2 mount_setattr".into(),
        "pwrite64" => "2 pwrite".into(),
        _ => format!("2 {name}"),
    };
    let text = call.to_string();
    let kinds = [
        (Kind::Pid, "7 pid_namespaces"),
        (Kind::Mnt, "7 mount_namespaces"),
        (Kind::Net, "7 network_namespaces"),
        (Kind::User, "7 user_namespaces"),
        (Kind::Uts, "7 uts_namespaces"),
        (Kind::Ipc, "7 ipc_namespaces"),
        (Kind::Cgroup, "7 cgroup_namespaces"),
        (Kind::Time, "7 time_namespaces"),
    ];
    let asked = |kind: Kind| super::super::meaning::kinds(call) & kind.row().flag != 0;
    let mut pages = vec![own];
    let named = kinds.into_iter().filter(|(kind, _)| asked(*kind)).map(|(_, page)| page.to_string());
    pages.extend(named);
    match name {
        "unshare" | "setns" => pages.push("7 namespaces".into()),
        "mount" | "umount2" | "pivot_root" | "move_mount" | "open_tree" => pages.push("7 mount_namespaces".into()),
        "mkdir" | "mkdirat" | "rmdir" | "unlinkat" | "write" if text.contains("cgroup") => {
            pages.push("7 cgroups".into())
        }
        "capset" | "prctl" => pages.push("7 capabilities".into()),
        "msgget" | "shmget" | "semget" => pages.push("7 sysvipc".into()),
        _ => {}
    }
    pages
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::pid::Pid;
    use crate::trace::Syscall;

    #[test]
    fn every_traced_call_has_its_parameters() {
        let known: Vec<&str> = PARAMETERS.iter().map(|(name, _)| *name).collect();
        assert_eq!(known, Syscall::names().collect::<Vec<_>>(), "the same calls in the same order");
    }

    #[test]
    fn no_argument_is_left_without_its_parameter() {
        for name in Syscall::names() {
            let call = Call::of(Pid(1), "sh", name, [0; 6]);
            assert!(parameters(name).len() >= call.args.len(), "{name}: {call}");
        }
    }

    #[test]
    fn the_pages_are_those_of_the_call_and_of_what_it_asks_for() {
        let flags = Kind::Pid.row().flag | Kind::Net.row().flag;
        let call = Call::of(Pid(1), "unshare", "unshare", [flags, 0, 0, 0, 0, 0]);
        assert_eq!(of(&call), ["2 unshare", "7 pid_namespaces", "7 network_namespaces", "7 namespaces"]);
    }
}
