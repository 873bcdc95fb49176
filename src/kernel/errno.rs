//! Errors of system calls as people read them: what it means, then the name that the manual pages use.

use crate::lang::{self, Lang};
pub(crate) use nix::errno::Errno;
use serde::{Deserialize, Deserializer, Serializer};
use std::io;

/// An error by its name, such as `EPERM`; `ERRNO` where it has none.
pub(crate) fn name(errno: Errno) -> String {
    if errno == Errno::UnknownErrno { "ERRNO".into() } else { format!("{errno:?}") }
}

/// Errors have numbers below this (`MAX_ERRNO` of `linux/err.h`).
pub(crate) const END: i32 = 4096;

/// The name of every error that this program knows.
pub(crate) fn names() -> impl Iterator<Item = String> {
    let known = (1..END).map(Errno::from_raw).filter(|errno| *errno != Errno::UnknownErrno);
    known.map(name)
}

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

/// Whether output was written, or is not read any more, which is no failure.
pub(crate) fn is_written(written: &io::Result<()>) -> bool {
    written.as_ref().err().is_none_or(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// `WHY (ERRNO)` for an error of the standard library, which may also come from no system call at all.
pub(crate) fn why_io(error: &io::Error) -> String {
    error.raw_os_error().map_or_else(|| error.to_string(), |raw| why(Errno::from_raw(raw)))
}

/// What failed where no thread or process can be made.
pub(crate) const THREAD: &str = "a new thread: clone3";

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
    fn output_that_nobody_reads_any_more_is_no_failure() {
        assert!(is_written(&Ok(())));
        assert!(is_written(&Err(io::Error::from_raw_os_error(libc::EPIPE))));
        assert!(!is_written(&Err(io::Error::from_raw_os_error(libc::ENOSPC))));
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
