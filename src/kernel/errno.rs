//! Errors of system calls as people read them: what it means, then the name that the manual pages use.

use super::namespaces::{Kind, read_link};
use crate::lang::{self, Lang, say};
pub(crate) use nix::errno::Errno;
use serde::{Deserialize, Deserializer, Serializer};
use std::{io, path::Path};

/// An error by its name, such as `EPERM`; `ERRNO` where it has none.
pub(crate) fn name(errno: Errno) -> String {
    if errno == Errno::UnknownErrno { "ERRNO".into() } else { format!("{errno:?}") }
}

/// Errors have numbers below this (`MAX_ERRNO` of `linux/err.h`).
pub(crate) const END: i32 = 4096;

/// Writes an error by its name, for `#[serde(with = "errno")]`.
pub(crate) fn serialize<S: Serializer>(errno: &Errno, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&name(*errno))
}

/// Reads an error by its name; one that this program does not know is [`Errno::UnknownErrno`].
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Errno, D::Error> {
    let wanted = String::deserialize(deserializer)?;
    Ok((1..END).map(Errno::from_raw).find(|errno| name(*errno) == wanted).unwrap_or(Errno::UnknownErrno))
}

/// The errors that people meet here, in the words of strerror(3) in a Chinese locale.
const CHINESE: [(Errno, &str); 32] = [
    (Errno::EPERM, "不允许的操作"),
    (Errno::ENOENT, "没有那个文件或目录"),
    (Errno::ESRCH, "没有那个进程"),
    (Errno::EINTR, "被中断的系统调用"),
    (Errno::EIO, "输入/输出错误"),
    (Errno::ENXIO, "没有那个设备或地址"),
    (Errno::E2BIG, "参数列表过长"),
    (Errno::ENOEXEC, "可执行文件格式错误"),
    (Errno::EBADF, "错误的文件描述符"),
    (Errno::ECHILD, "没有子进程"),
    (Errno::EAGAIN, "资源暂时不可用"),
    (Errno::ENOMEM, "无法分配内存"),
    (Errno::EACCES, "权限不够"),
    (Errno::EBUSY, "设备或资源忙"),
    (Errno::EEXIST, "文件已存在"),
    (Errno::EXDEV, "无效的跨设备链接"),
    (Errno::ENODEV, "没有那个设备"),
    (Errno::ENOTDIR, "不是目录"),
    (Errno::EISDIR, "是一个目录"),
    (Errno::EINVAL, "无效的参数"),
    (Errno::EMFILE, "打开的文件过多"),
    (Errno::ENOTTY, "对设备不适当的 ioctl 操作"),
    (Errno::EFBIG, "文件过大"),
    (Errno::ENOSPC, "设备上没有空间"),
    (Errno::EROFS, "只读文件系统"),
    (Errno::EPIPE, "断开的管道"),
    (Errno::ENOLCK, "没有可用的锁"),
    (Errno::ENOSYS, "函数未实现"),
    (Errno::ENOTEMPTY, "目录非空"),
    (Errno::ELOOP, "符号链接的层数过多"),
    (Errno::EOPNOTSUPP, "不支持的操作"),
    (Errno::EDQUOT, "超出磁盘限额"),
];

/// What an error means in the words of strerror(3), which every other program prints.
pub(crate) fn meaning(errno: Errno, lang: Lang) -> String {
    let chinese = CHINESE.iter().find(|(known, _)| lang == Lang::Zh && *known == errno);
    if let Some((_, text)) = chinese {
        return (*text).into();
    }
    let text = io::Error::from(errno).to_string();
    // The standard library adds the number.
    text.split(" (os error ").next().unwrap_or_default().to_string()
}

/// An error as `WHY (ERRNO)`, such as `Operation not permitted (EPERM)`, in the language that was set for this process.
pub(crate) fn why(errno: Errno) -> String {
    why_in(errno, lang::set())
}

/// The same in this language.
pub(crate) fn why_in(errno: Errno, lang: Lang) -> String {
    let (meaning, name) = (meaning(errno, lang), name(errno));
    lang.pick(format!("{meaning} ({name})"), format!("{meaning}（{name}）"))
}

/// The errno of an error of the standard library; an unknown one where it comes from no system call.
pub(crate) fn of(error: &io::Error) -> Errno {
    Errno::from_raw(error.raw_os_error().unwrap_or(0))
}

/// Whether output was written, or nobody reads it any more, who is nobody to complain to.
pub(crate) fn is_written(written: &io::Result<()>) -> bool {
    written.as_ref().err().is_none_or(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// `WHY (ERRNO)` for an error of the standard library, which may also come from no system call at all.
pub(crate) fn why_io(error: &io::Error) -> String {
    error.raw_os_error().map_or_else(|| error.to_string(), |raw| why(Errno::from_raw(raw)))
}

/// What may help where namespaces cannot be made (namespaces(7), user_namespaces(7)).
pub(crate) fn unshare_hint(errno: Errno) -> Option<String> {
    match errno {
        Errno::EPERM => Some(say("this needs root, or a user namespace around it: -r (--map-root-user)", "需要 root，或在外面套一层用户命名空间：-r（--map-root-user）").into()),
        Errno::ENOSPC => Some(
            say(
                "not the disk: a limit on namespaces (/proc/sys/user/max_*_namespaces), or they are nested more than 32 deep",
                "不是磁盘满了：命名空间数量到了上限（/proc/sys/user/max_*_namespaces），或嵌套超过 32 层",
            )
            .into(),
        ),
        Errno::EINVAL if next_is_elsewhere() => Some(say(ELSEWHERE[0], ELSEWHERE[1]).into()),
        Errno::EINVAL => Some(say("this kernel was built without one of these namespaces", "这个内核编译时没有包含其中某种命名空间").into()),
        Errno::EUSERS => Some(say("user namespaces are nested too deeply", "用户命名空间嵌套太深").into()),
        _ => None,
    }
}

/// What may help where a namespace cannot be entered (setns(2)).
pub(crate) fn setns_hint(errno: Errno, kind: Kind) -> Option<&'static str> {
    match errno {
        Errno::EINVAL if kind == Kind::User => {
            Some(say("you are in this user namespace already: leave out -U", "已经在这个用户命名空间里：去掉 -U"))
        }
        Errno::EINVAL if kind == Kind::Pid => Some(say(
            "only our own PID namespace and those below it can be entered, and this one is above or beside it",
            "只能进入自己的 PID 命名空间和它下面的，而这一个在上面或旁边",
        )),
        Errno::EINVAL => Some(say(
            "the file is a namespace of another kind, or this kernel lacks the kind",
            "这个文件是另一种命名空间，或内核没有这种命名空间",
        )),
        Errno::EPERM => Some(say(
            "it takes CAP_SYS_ADMIN in the user namespace that owns it: root, or enter that one as well (-U)",
            "需要在拥有它的用户命名空间里有 CAP_SYS_ADMIN：用 root，或一并进入那个用户命名空间（-U）",
        )),
        _ => None,
    }
}

/// Whether the next child of this process will be in another PID namespace than itself. Until there is one, it can make no
/// thread and no second PID namespace (clone(2), pid_namespaces(7)).
fn next_is_elsewhere() -> bool {
    // The second link cannot be read before the first process of that namespace.
    let own = read_link(Path::new("/proc/thread-self/ns/pid"));
    own.is_ok_and(|own| read_link(Path::new("/proc/thread-self/ns/pid_for_children")).ok() != Some(own))
}

/// What that means, in both languages.
const ELSEWHERE: [&str; 2] = [
    "only the children of this process are in the new PID namespace, and it can make no thread itself: unshare has --fork (-f)",
    "只有这个进程的子进程在新的 PID 命名空间里，它自己不能创建线程：给 unshare 加 --fork（-f）",
];

/// What failed where no thread or process can be made.
pub(crate) const THREAD: &str = "a new thread: clone3";

/// What may help where no thread can be made (clone(2)).
pub(crate) fn thread_hint(errno: Errno, lang: Lang) -> Option<&'static str> {
    match errno {
        Errno::EPERM | Errno::EACCES => Some(lang.pick(
            "a seccomp filter refuses clone3(2) with EPERM, where the C library falls back only on ENOSYS: a container runtime older than Docker 20.10.10 or libseccomp 2.5; update it, or docker run --security-opt seccomp=unconfined",
            "seccomp 过滤器用 EPERM 拒绝 clone3(2)，而 C 库只在 ENOSYS 时才改用旧调用：常见于早于 Docker 20.10.10 或 libseccomp 2.5 的容器运行时；请更新，或用 docker run --security-opt seccomp=unconfined",
        )),
        Errno::EINVAL if next_is_elsewhere() => Some(lang.pick(ELSEWHERE[0], ELSEWHERE[1])),
        Errno::EAGAIN | Errno::ENOMEM => Some(lang.pick(
            "a limit on processes: pids.max of the control group, ulimit -u, or /proc/sys/kernel/threads-max",
            "进程数受限：控制组的 pids.max、ulimit -u 或 /proc/sys/kernel/threads-max",
        )),
        _ => None,
    }
}

/// What may help where no process can be made (fork(2)).
pub(crate) fn fork_hint(errno: Errno) -> Option<&'static str> {
    match errno {
        Errno::ENOMEM => Some(say(
            "if memory is left: PID 1 of the PID namespace has ended, and no process can join it any more",
            "内存还够的话，就是这个 PID 命名空间的 PID 1 已结束，里面再也不能创建进程",
        )),
        Errno::EAGAIN => Some(say(
            "a limit on processes: pids.max of the control group, RLIMIT_NPROC, or threads-max",
            "进程数到了上限：控制组的 pids.max、RLIMIT_NPROC 或 threads-max",
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_follows_the_meaning() {
        assert_eq!(why_io(&io::Error::from_raw_os_error(libc::EPERM)), "Operation not permitted (EPERM)");
        assert_eq!(why_io(&io::Error::other("torn line")), "torn line");
        assert_eq!(why(Errno::EAGAIN), "Resource temporarily unavailable (EAGAIN)");
        assert_eq!(why(Errno::ELOOP), "Too many levels of symbolic links (ELOOP)");
        assert_eq!(why_in(Errno::ESRCH, Lang::Zh), "没有那个进程（ESRCH）");
        assert_eq!(why_in(Errno::ENOTUNIQ, Lang::Zh), "Name not unique on network（ENOTUNIQ）");
    }

    #[test]
    fn what_is_written_by_name_is_read_by_name() {
        #[derive(serde::Serialize, serde::Deserialize)]
        struct Failed(#[serde(with = "super")] Errno);
        for (errno, text) in [(libc::EINVAL, "EINVAL"), (libc::EHWPOISON, "EHWPOISON"), (4000, "ERRNO")] {
            let errno = Errno::from_raw(errno);
            assert_eq!(serde_json::to_string(&Failed(errno)).unwrap(), format!("\"{text}\""));
            assert_eq!(serde_json::from_str::<Failed>(&format!("\"{text}\"")).unwrap().0, errno);
        }
    }
}
