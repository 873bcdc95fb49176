//! Where ptrace is refused: why, and how such a family is found to be ended.

use super::task::status;
use crate::{
    kernel::{errno, pid::Pid, text},
    lang::{Both, Lang},
};
use nix::errno::Errno;
use procfs::process::Process;

/// Why system calls cannot be seen, and what would help.
pub(super) fn refusal(refused: Errno) -> Both {
    let tracer = status(Pid(std::process::id() as i32)).map_or(0, |status| status.tracerpid);
    let yama = text::read("/proc/sys/kernel/yama/ptrace_scope").unwrap_or_default();
    let remedy = match (tracer, yama.trim()) {
        (0, "2") => [
            "kernel.yama.ptrace_scope is 2: only root may trace".into(),
            "kernel.yama.ptrace_scope 是 2：只有 root 可以跟踪".into(),
        ],
        (0, "3") => [
            "kernel.yama.ptrace_scope is 3: no process may trace until the next boot".into(),
            "kernel.yama.ptrace_scope 是 3：重启之前任何进程都不能跟踪".into(),
        ],
        (0, _) => [
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

/// A process and all below it, for a family that is not traced.
pub(super) fn descendants(root: Pid) -> Vec<Pid> {
    let mut all = vec![root];
    let mut at = 0;
    while let Some(pid) = all.get(at).copied() {
        at += 1;
        let children = Process::new(pid.0).and_then(|process| process.task_main_thread()?.children());
        all.extend(children.unwrap_or_default().into_iter().map(|child| Pid(child as i32)));
    }
    all
}
