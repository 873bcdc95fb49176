//! What an error of a call usually means to somebody who makes containers, in a few words.

use crate::kernel::errno::Errno;
use crate::lang::Lang;

/// A short cause, where the call and its error have a usual one.
pub(super) fn cause(call: &str, errno: Errno, lang: Lang) -> Option<&'static str> {
    let forks = ["fork", "vfork", "clone", "clone3"].contains(&call);
    Some(match (call, errno) {
        _ if forks && errno == Errno::ENOMEM => lang.pick(
            "not the memory: the first process of the new PID namespace has ended, and no other can be born there",
            "不是内存不足：新 PID 命名空间的第一个进程已结束，之后不能再有新进程",
        ),
        _ if forks && errno == Errno::EAGAIN => {
            lang.pick("a limit on the number of processes was reached", "进程数量达到上限")
        }
        ("unshare" | "setns", Errno::EINVAL) => lang.pick(
            "a flag that this kernel does not know, or a process with several threads",
            "内核不认识的标志，或进程有多个线程",
        ),
        ("unshare", Errno::ENOSPC) => lang.pick(
            "not the disk: a limit on the number or the depth of namespaces",
            "不是磁盘满：命名空间的数量或嵌套层数达到上限",
        ),
        ("unshare" | "setns" | "mount" | "umount2" | "sethostname" | "chroot" | "pivot_root", Errno::EPERM) => {
            lang.pick("the process lacks the capability for this", "进程没有所需的能力（capability）")
        }
        ("pivot_root", Errno::EINVAL) => lang.pick(
            "the new root is not a mount point, or a mount involved is shared",
            "新根不是挂载点，或相关挂载是 shared",
        ),
        ("pivot_root" | "umount2" | "rmdir", Errno::EBUSY) => lang.pick("something still uses it", "仍有东西在使用它"),
        ("mount", Errno::EBUSY) => lang.pick("it is mounted there already", "那里已经挂载了它"),
        ("execve" | "execveat", Errno::ENOENT) => {
            lang.pick("the program, or the interpreter that it names, is not there", "程序或它所需的解释器不存在")
        }
        _ => return None,
    })
}
