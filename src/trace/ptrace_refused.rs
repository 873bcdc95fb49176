//! Where ptrace is refused: why, and how such a family is found to be ended.

use super::task::{process_of, status};
use crate::{
    kernel::{errno, pid::Pid, text},
    lang::{Both, Lang, say},
};
use nix::errno::Errno;
use std::io;

/// Why system calls cannot be seen, and what would help.
pub(super) fn refusal(refused: Errno) -> Both {
    let tracer = tracer_of(Pid::own());
    let yama = text::read("/proc/sys/kernel/yama/ptrace_scope").unwrap_or_default();
    let remedy = match (tracer, yama.trim()) {
        (Pid(0), "2") => [
            "kernel.yama.ptrace_scope is 2: only root may trace".into(),
            "kernel.yama.ptrace_scope 是 2：只有 root 可以跟踪".into(),
        ],
        (Pid(0), "3") => [
            "kernel.yama.ptrace_scope is 3: no process may trace until the next boot".into(),
            "kernel.yama.ptrace_scope 是 3：重启之前任何进程都不能跟踪".into(),
        ],
        (Pid(0), _) => [
            "a container or security policy forbids it: docker run --cap-add SYS_PTRACE".into(),
            "容器或安全策略禁止：docker run --cap-add SYS_PTRACE".into(),
        ],
        (tracer, _) => [
            format!("process {tracer} traces this one already, and a process has one tracer at most"),
            format!("进程 {tracer} 已经在跟踪它，而一个进程最多只能有一个跟踪者"),
        ],
    };
    let [en, zh]: [String; 2] = remedy;
    let en = format!("ptrace(PTRACE_SEIZE): {}; {en}", errno::why_in(refused, Lang::En));
    let zh = format!("ptrace(PTRACE_SEIZE)：{}；{zh}", errno::why_in(refused, Lang::Zh));
    Both { en, zh }
}

/// The process that traces this one; 0 where none does. The kernel names the thread.
fn tracer_of(process: Pid) -> Pid {
    let thread = status(process).map_or(0, |status| status.tracerpid);
    if thread == 0 { Pid(0) } else { process_of(Pid(thread)).unwrap_or(Pid(thread)) }
}

/// Why a process that runs already cannot be traced, and what would help.
pub(super) fn not_attached(process: Pid, refused: Errno) -> io::Error {
    let tracer = tracer_of(process);
    let yama = text::read("/proc/sys/kernel/yama/ptrace_scope").unwrap_or_default();
    let hint = match (refused, tracer, yama.trim()) {
        (Errno::EPERM, Pid(0), "1") => say(
            "kernel.yama.ptrace_scope is 1: a user may trace only what they have started: sudo".into(),
            "kernel.yama.ptrace_scope 是 1：普通用户只能跟踪自己启动的进程：sudo".into(),
        ),
        (Errno::EPERM, Pid(0), "2") => say(
            "kernel.yama.ptrace_scope is 2: only root may trace".into(),
            "kernel.yama.ptrace_scope 是 2：只有 root 可以跟踪".into(),
        ),
        (Errno::EPERM, Pid(0), _) => say(
            "it belongs to another user, or has more rights than you: sudo".into(),
            "它属于别的用户，或者权限比你多：sudo".into(),
        ),
        (Errno::EPERM, tracer, _) => say(
            format!("process {tracer} traces it already, and a process has one tracer at most"),
            format!("进程 {tracer} 已经在跟踪它，而一个进程最多只能有一个跟踪者"),
        ),
        _ => String::new(),
    };
    let hint = if hint.is_empty() { hint } else { format!("\n  {hint}") };
    io::Error::other(format!("-p {process}{}{}{hint}", say(": ", "："), errno::why(refused)))
}
