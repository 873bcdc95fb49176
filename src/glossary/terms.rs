//! The words of the glossary: one table.

use super::{Term, term};

/// The words, by their English names.
pub(crate) const TERMS: &[Term] = &[
    term("bind mount", "绑定挂载", ("shows a directory at a second place", "让一个目录在另一处也能看到")),
    term(
        "blob",
        "blob（数据块）",
        (
            "a file of an image, named by the digest of its bytes: a layer or the configuration",
            "镜像里以内容摘要命名的文件：一层，或配置",
        ),
    ),
    term(
        "bridge",
        "网桥",
        (
            "a switch in the kernel: interfaces become its ports, and frames go where their address was learned",
            "内核里的交换机：接口成为它的端口，帧按学到的地址送出",
        ),
    ),
    term(
        "capability",
        "能力（capability）",
        ("one part of what root may do, such as CAP_SYS_ADMIN", "root 权限拆分出来的一项，例如 CAP_SYS_ADMIN"),
    ),
    term(
        "carrier",
        "载波",
        (
            "the sign of a network interface that something answers at the other end of its cable",
            "网络接口的标志，表示网线另一头有响应",
        ),
    ),
    term(
        "cgroup",
        "控制组（cgroup）",
        (
            "a group of processes whose use of CPU, memory and so on is counted and limited together",
            "一组进程，内核对它们的 CPU、内存等用量统一计数和限制",
        ),
    ),
    term(
        "chroot",
        "chroot",
        ("changes what / means for one process and its children", "改变一个进程及其子进程的根目录"),
    ),
    term(
        "controller",
        "控制器",
        (
            "the part of cgroups that limits one resource: cpu, memory, pids",
            "cgroup 中管理一种资源的部分：cpu、memory、pids",
        ),
    ),
    term("default route", "默认路由", ("where packets go that no other route matches", "其他路由都不匹配时，包的去向")),
    term(
        "digest",
        "摘要",
        (
            "a number computed from all bytes (sha256:…): other bytes have another digest",
            "由全部内容算出的一串数字（sha256:…）：内容不同，摘要就不同",
        ),
    ),
    term(
        "errno",
        "错误码（errno）",
        ("why a system call failed, such as EPERM or ENOMEM", "系统调用失败的原因，例如 EPERM、ENOMEM"),
    ),
    term(
        "exec",
        "exec",
        ("the process goes on with another program; its PID stays", "进程改为执行另一个程序，PID 不变"),
    ),
    term(
        "file descriptor",
        "文件描述符",
        ("a small number by which a process names an open file", "进程用来指代已打开文件的小整数"),
    ),
    term("fork", "fork", ("makes a child process, a copy of the caller", "创建子进程，它是调用者的副本")),
    term(
        "forward",
        "转发",
        (
            "to pass on packets that are for others: what makes a machine a router",
            "把给别人的包往下传：机器因此成为路由器",
        ),
    ),
    term(
        "hierarchy",
        "层级（hierarchy）",
        ("a tree of control groups; v1 has several, v2 has one", "控制组构成的一棵树；v1 有多棵，v2 只有一棵"),
    ),
    term(
        "image",
        "镜像",
        (
            "layers, a configuration and a manifest: what a root file system is made from",
            "层、配置和清单：根文件系统由它生成",
        ),
    ),
    term(
        "init",
        "init（PID 1）",
        (
            "the first process of a PID namespace; when it ends, the kernel kills all others in it",
            "PID 命名空间的第一个进程；它一结束，内核就杀掉其中其他进程",
        ),
    ),
    term(
        "IPC",
        "进程间通信（IPC）",
        ("message queues, semaphores and shared memory between processes", "进程之间的消息队列、信号量和共享内存"),
    ),
    term(
        "layer",
        "层",
        (
            "a tar archive with the files that one build step added or changed",
            "一个 tar 归档，含有一个构建步骤增改的文件",
        ),
    ),
    term(
        "loopback",
        "回环接口（lo）",
        ("the network interface to oneself, 127.0.0.1", "连向自己的网络接口，127.0.0.1"),
    ),
    term(
        "manifest",
        "清单（manifest）",
        ("the file that lists an image's configuration and layers by digest", "按摘要列出镜像配置和各层的文件"),
    ),
    term(
        "masquerade",
        "地址伪装",
        (
            "a rule that puts the address of the outgoing interface in the place of the sender",
            "一条规则：把发送方换成出口接口的地址",
        ),
    ),
    term("mount point", "挂载点", ("the directory on which a file system is mounted", "文件系统挂载到的目录")),
    term(
        "namespace",
        "命名空间",
        (
            "what a process sees of one kind of resource; processes in another one see another",
            "决定进程看到的某一类资源；不同命名空间里看到的不同",
        ),
    ),
    term(
        "no_new_privs",
        "no_new_privs",
        ("a flag: programs started from here on gain no privileges", "一个标志：此后执行的程序不能再获得特权"),
    ),
    term(
        "OOM",
        "内存耗尽（OOM）",
        ("out of memory: the kernel kills a process to get memory back", "out of memory：内核杀掉一个进程来收回内存"),
    ),
    term(
        "orphan",
        "孤儿进程",
        ("a process whose parent has ended; PID 1 becomes its parent", "父进程已结束的进程；PID 1 成为它的父进程"),
    ),
    term(
        "overlay",
        "overlay（叠加文件系统）",
        (
            "shows several directories as one; writes go to the upper one",
            "把几个目录叠成一个来看；写入都落在最上层（upper）",
        ),
    ),
    term(
        "peer group",
        "对等组（peer group）",
        ("mounts that pass on to each other what is mounted below them", "互相传播其下挂载和卸载的一组挂载"),
    ),
    term(
        "period",
        "周期（period）",
        ("the time, usually 100 ms, in which a quota may be used up", "配额的计时单位，通常为 100 ms"),
    ),
    term(
        "PID",
        "PID（进程 ID）",
        ("the number of a process, in one PID namespace", "在某个 PID 命名空间里标识进程的数字"),
    ),
    term(
        "pidfd",
        "pidfd",
        (
            "a file descriptor that stands for a process; unlike a PID it is never used again for another",
            "代表一个进程的文件描述符；不像 PID 那样会被别的进程复用",
        ),
    ),
    term(
        "pivot_root",
        "pivot_root",
        (
            "exchanges the root mount of a mount namespace, so that the old one can be unmounted",
            "更换挂载命名空间的根挂载，之后旧的根可以卸载",
        ),
    ),
    term(
        "propagation",
        "挂载传播",
        (
            "whether a new mount also appears in other mount namespaces: shared or private",
            "新的挂载会不会也出现在其他挂载命名空间：shared 或 private",
        ),
    ),
    term(
        "PSI",
        "PSI（压力阻塞信息）",
        (
            "pressure stall information: the share of time in which processes waited for CPU, memory or I/O",
            "pressure stall information：进程因等待 CPU、内存或 I/O 而停滞的时间比例",
        ),
    ),
    term(
        "ptrace",
        "ptrace",
        ("the system call by which one process follows another", "一个进程跟踪另一个进程所用的系统调用"),
    ),
    term(
        "quota",
        "配额（quota）",
        ("the CPU time that a group may use in one period", "一个组在每个周期里可用的 CPU 时间"),
    ),
    term(
        "registry",
        "镜像仓库（registry）",
        ("a server from which images are copied, such as docker.io", "提供镜像的服务器，例如 docker.io"),
    ),
    term(
        "root file system",
        "根文件系统",
        ("the directory tree that a process sees below /", "进程在 / 下面看到的目录树"),
    ),
    term("runtime", "容器运行时", ("the program that makes containers: runc, crun", "创建容器的程序：runc、crun")),
    term(
        "seccomp",
        "seccomp",
        ("a filter in the kernel that refuses system calls to a process", "内核里的过滤器，禁止进程使用某些系统调用"),
    ),
    term("setns", "setns", ("moves the caller into an existing namespace", "让调用者进入已有的命名空间")),
    term(
        "signal",
        "信号",
        (
            "a short message to a process: SIGTERM asks it to end, SIGKILL ends it",
            "发给进程的简短通知：SIGTERM 请它结束，SIGKILL 强制结束",
        ),
    ),
    term(
        "swap",
        "交换空间（swap）",
        ("room on a disk for memory that is not in use", "磁盘上存放暂时不用的内存的空间"),
    ),
    term("system call", "系统调用", ("how a program asks the kernel to do something", "程序请求内核做事的方式")),
    term(
        "throttled",
        "限流（throttled）",
        ("stopped until the next period, because the quota is used up", "配额用完，停到下一个周期"),
    ),
    term(
        "tmpfs",
        "tmpfs",
        ("a file system in memory; it is gone when it is unmounted", "内存里的文件系统，卸载后内容就没了"),
    ),
    term("unshare", "unshare", ("moves the caller into new namespaces", "让调用者进入新建的命名空间")),
    term(
        "user namespace",
        "用户命名空间",
        ("makes a user root inside, and no more than before outside", "让普通用户在里面是 root，在外面权限不变"),
    ),
    term("UTS", "UTS", ("the namespace of the host name", "管主机名的命名空间")),
    term(
        "veth",
        "veth（虚拟网线）",
        (
            "a pair of network interfaces: what goes into one comes out of the other",
            "成对的虚拟网络接口：从一端进，从另一端出",
        ),
    ),
    term(
        "whiteout",
        "whiteout（删除标记）",
        ("an entry of a layer that hides a file of a lower layer", "层里的一个条目，用来遮住下层的文件"),
    ),
    term(
        "zombie",
        "僵尸进程",
        (
            "a process that has ended, but whose parent has not read its exit status",
            "已经结束、但父进程还没有读取退出状态的进程",
        ),
    ),
];
