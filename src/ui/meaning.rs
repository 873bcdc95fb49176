//! What a call that is held is about to do: in plain words, one row a system call, and which links it will change.

use super::namespaces::ORDER;
use crate::{
    kernel::namespaces::Kind,
    lang::Lang,
    trace::{Argument, Call, Flags, Value},
};

/// What each call does, in English and Chinese.
const WORDS: &[(&str, &str, &str)] = &[
    ("unshare", "moves this process into new namespaces", "让这个进程离开原来的命名空间，进入新的"),
    ("setns", "moves this process into a namespace that exists", "让这个进程进入一个已有的命名空间"),
    ("fork", "makes a child, a copy of this process", "创建一个子进程，作为这个进程的副本"),
    ("vfork", "makes a child that will start a program at once", "创建一个子进程，它会立即启动别的程序"),
    ("clone", "makes a child, a copy of this process", "创建一个子进程，作为这个进程的副本"),
    ("clone3", "makes a child, a copy of this process", "创建一个子进程，作为这个进程的副本"),
    (
        "execve",
        "replaces the program of this process; PID and namespaces stay",
        "换掉这个进程的程序；PID 和命名空间不变",
    ),
    (
        "execveat",
        "replaces the program of this process; PID and namespaces stay",
        "换掉这个进程的程序；PID 和命名空间不变",
    ),
    ("mount", "changes the mounts of this process's mount namespace", "改变这个进程所在挂载命名空间里的挂载"),
    ("umount2", "takes a mount away from this mount namespace", "从这个挂载命名空间里卸载一个挂载点"),
    ("fsopen", "opens a kind of file system, to be set up before it is mounted", "打开一种文件系统，先设置好再挂载"),
    ("fsconfig", "sets up a file system that is not mounted yet", "设置一个尚未挂载的文件系统"),
    ("fsmount", "makes a mount that is nowhere yet", "创建一个还没有挂到任何地方的挂载"),
    ("move_mount", "puts a mount into the directory tree", "把一个挂载放进目录树"),
    ("fspick", "opens a file system that is mounted, to change its settings", "打开一个已挂载的文件系统，以便修改设置"),
    ("open_tree", "opens a mount, or a copy of it", "打开一个挂载，或它的副本"),
    ("open_tree_attr", "opens a mount, or a copy of it, with other attributes", "打开一个挂载或它的副本，并改变属性"),
    ("mount_setattr", "changes the attributes of a mount", "改变一个挂载的属性"),
    ("pivot_root", "makes another mount the root of this mount namespace", "让另一个挂载成为这个挂载命名空间的根"),
    ("chroot", "makes another directory the root of this process alone", "只对这个进程，把另一个目录当作根"),
    ("sethostname", "sets the host name of this UTS namespace", "设置这个 UTS 命名空间的主机名"),
    ("setdomainname", "sets the domain name of this UTS namespace", "设置这个 UTS 命名空间的域名"),
    ("settimeofday", "sets the clock of the machine", "设置机器的时钟"),
    ("clock_settime", "sets a clock of the machine", "设置机器的某个时钟"),
    ("adjtimex", "adjusts the clock of the machine", "调整机器的时钟"),
    ("clock_adjtime", "adjusts a clock of the machine", "调整机器的某个时钟"),
    ("reboot", "restarts or stops the machine, or a PID namespace", "重启或关闭机器，或结束一个 PID 命名空间"),
    ("kexec_load", "loads another kernel", "载入另一个内核"),
    ("kexec_file_load", "loads another kernel", "载入另一个内核"),
    ("swapon", "gives the machine swap", "为机器打开交换空间"),
    ("swapoff", "takes swap from the machine", "关闭机器的交换空间"),
    ("init_module", "loads a module into the kernel", "把一个模块载入内核"),
    ("finit_module", "loads a module into the kernel", "把一个模块载入内核"),
    ("delete_module", "takes a module out of the kernel", "从内核卸载一个模块"),
    ("kill", "sends a signal to a process of this PID namespace", "向这个 PID 命名空间里的进程发送信号"),
    ("tkill", "sends a signal to a thread", "向一个线程发送信号"),
    ("tgkill", "sends a signal to a thread", "向一个线程发送信号"),
    ("rt_sigqueueinfo", "sends a signal with a value to a process", "向一个进程发送带数据的信号"),
    ("rt_tgsigqueueinfo", "sends a signal with a value to a thread", "向一个线程发送带数据的信号"),
    ("pidfd_send_signal", "sends a signal to the process of a descriptor", "向描述符所指的进程发送信号"),
    ("socket", "opens a way to the kernel's network settings", "打开一条通往内核网络设置的通道"),
    ("sendto", "asks the kernel to change the network", "请求内核改变网络"),
    ("sendmsg", "asks the kernel to change the network", "请求内核改变网络"),
    ("sendmmsg", "asks the kernel to change the network", "请求内核改变网络"),
    ("ioctl", "changes an interface, a route or a bridge", "改变网络接口、路由或网桥"),
    ("setsockopt", "gives the kernel a table of packet filter rules", "把一张包过滤规则表交给内核"),
    ("msgget", "opens or makes a message queue of this IPC namespace", "在这个 IPC 命名空间里打开或创建消息队列"),
    ("shmget", "opens or makes shared memory of this IPC namespace", "在这个 IPC 命名空间里打开或创建共享内存"),
    ("semget", "opens or makes semaphores of this IPC namespace", "在这个 IPC 命名空间里打开或创建信号量"),
    (
        "mq_open",
        "opens or makes a POSIX message queue of this IPC namespace",
        "在这个 IPC 命名空间里打开或创建 POSIX 消息队列",
    ),
    ("msgctl", "removes a message queue of this IPC namespace", "删除这个 IPC 命名空间里的消息队列"),
    ("shmctl", "removes shared memory of this IPC namespace", "删除这个 IPC 命名空间里的共享内存"),
    ("semctl", "removes semaphores of this IPC namespace", "删除这个 IPC 命名空间里的信号量"),
    ("mq_unlink", "removes a POSIX message queue of this IPC namespace", "删除这个 IPC 命名空间里的 POSIX 消息队列"),
    ("mkdir", "makes a directory; in cgroupfs that is a group", "创建目录；在 cgroupfs 里就是创建一个组"),
    ("mkdirat", "makes a directory; in cgroupfs that is a group", "创建目录；在 cgroupfs 里就是创建一个组"),
    ("rmdir", "removes a directory; in cgroupfs that is a group", "删除目录；在 cgroupfs 里就是删除一个组"),
    ("unlinkat", "removes a directory; in cgroupfs that is a group", "删除目录；在 cgroupfs 里就是删除一个组"),
    ("open", "opens a file for writing", "打开一个文件，准备写入"),
    ("creat", "makes a file, and opens it for writing", "创建一个文件，并打开写入"),
    ("openat", "opens a file for writing", "打开一个文件，准备写入"),
    ("openat2", "opens a file", "打开一个文件"),
    ("write", "writes a value into a control file", "向控制文件写入一个值"),
    ("pwrite64", "writes a value into a control file", "向控制文件写入一个值"),
    ("writev", "writes a value into a control file", "向控制文件写入一个值"),
    ("pwritev", "writes a value into a control file", "向控制文件写入一个值"),
    ("pwritev2", "writes a value into a control file", "向控制文件写入一个值"),
    ("sendfile", "copies what is in one file into another", "把一个文件的内容复制到另一个文件"),
    ("splice", "moves data from one descriptor to another", "把数据从一个描述符移到另一个"),
    ("rename", "gives a file another name", "给文件换个名字"),
    ("renameat", "gives a file another name", "给文件换个名字"),
    ("renameat2", "gives a file another name", "给文件换个名字"),
    ("capset", "changes the capabilities of this process", "改变这个进程的 capability"),
    ("prctl", "changes a right of this process", "改变这个进程的某项权限"),
    ("seccomp", "forbids this process system calls from now on", "从现在起禁止这个进程使用某些系统调用"),
    ("setuid", "changes the user of this process", "改变这个进程的用户"),
    ("setreuid", "changes the user of this process", "改变这个进程的用户"),
    ("setresuid", "changes the user of this process", "改变这个进程的用户"),
    ("setfsuid", "changes the user as whom this process reaches files", "改变这个进程访问文件时的用户"),
    ("setgid", "changes the group of this process", "改变这个进程的用户组"),
    ("setregid", "changes the group of this process", "改变这个进程的用户组"),
    ("setresgid", "changes the group of this process", "改变这个进程的用户组"),
    ("setfsgid", "changes the group as which this process reaches files", "改变这个进程访问文件时的用户组"),
    ("setgroups", "changes the supplementary groups of this process", "改变这个进程的附加用户组"),
    ("mknod", "makes a device node, a pipe or a file", "创建设备节点、管道或文件"),
    ("mknodat", "makes a device node, a pipe or a file", "创建设备节点、管道或文件"),
    ("keyctl", "works on the keyrings of this process", "操作这个进程的密钥环"),
    ("bpf", "loads or attaches a BPF program", "载入或挂接 BPF 程序"),
    ("ptrace", "traces another process", "跟踪另一个进程"),
    ("close", "closes a descriptor", "关闭一个描述符"),
    ("close_range", "closes descriptors", "关闭一批描述符"),
    ("dup2", "gives a file another descriptor", "给文件再配一个描述符"),
    ("dup3", "gives a file another descriptor", "给文件再配一个描述符"),
];

/// What a call is about to do, in plain words.
pub(super) fn sentence(call: &Call, lang: Lang) -> Option<String> {
    let (_, en, zh) = WORDS.iter().find(|(name, ..)| *name == call.syscall.name())?;
    Some(lang.pick(format!("It {en}."), format!("它会{zh}。")))
}

/// The links of its process that a call is about to change: their names in `/proc/PID/ns`. A process keeps its PID, so a
/// new PID namespace is one for its children.
pub(super) fn links(call: &Call) -> Vec<&'static str> {
    if !matches!(call.syscall.name(), "unshare" | "setns") {
        return Vec::new();
    }
    let bits = kinds(call);
    let kinds = ORDER.into_iter().filter(|kind| bits & kind.row().flag != 0);
    kinds.map(|kind| if kind == Kind::Pid { CHILDREN } else { kind.row().link }).collect()
}

/// The flags of the namespaces that a call is about: `CLONE_NEW…`.
pub(super) fn kinds(call: &Call) -> u64 {
    let made = if call.syscall.makes_process() { call.clone_flags() } else { 0 };
    let all = ORDER.into_iter().fold(0, |all, kind| all | kind.row().flag);
    call.args.iter().fold(made, |all, argument| all | bits(argument)) & all
}

/// The link to the PID namespace of a process's children.
pub(super) const CHILDREN: &str = "pid_for_children";

fn bits(argument: &Argument) -> u64 {
    match argument.value {
        Value::Bits(Flags::Clone | Flags::Namespace, bits) => bits,
        _ => 0,
    }
}

#[cfg(test)]
#[path = "meaning_tests.rs"]
mod tests;
