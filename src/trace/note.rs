//! What the calls of a traced process do not tell by themselves, each in one sentence.

use super::{
    Root, TraceEvent,
    signals::Target,
    stop::Stopped,
    stops::Tracing,
    task::{comm, status},
};
use crate::{
    kernel::{owned::parse_map, pid::Pid, text},
    lang::Lang,
};
use nix::sys::statvfs::{FsFlags, statvfs};
use serde::{Deserialize, Serialize};
use std::{fs, os::unix::fs::MetadataExt};

/// Something that a reader of calls should know of a process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Note {
    /// It makes calls of another ABI, which are not read.
    OtherAbi,
    /// Its new program, of this kind, would have given it more rights, and did not.
    Unprivileged {
        /// The program's name.
        program: String,
        /// What would have given them.
        by: Raise,
        /// Why it did not.
        why: Loss,
    },
    /// It wants to trace a process, or to be traced, where there is a tracer already.
    SecondTracer,
    /// It has had this command started beside the tracer.
    Aside(String),
    /// A call of it was refused, and it has a filter of its own, which judges that as the call of number -1.
    Judged,
}

/// How a program's file gives rights as it is started (execve(2), capabilities(7)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Raise {
    /// It is set-user-ID.
    User,
    /// It is set-group-ID.
    Group,
    /// It has file capabilities.
    Capabilities,
}

/// Why it gives none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Loss {
    /// The tracer is an ordinary user's.
    Traced,
    /// This owner has no number in the user namespace.
    Unmapped(u32),
}

impl Note {
    /// The sentence in this language.
    pub fn say(&self, lang: Lang) -> String {
        match self {
            Note::OtherAbi => lang.pick(
                "makes calls of another ABI: they are not shown, and the guard does not see them".into(),
                "使用另一种 ABI 的系统调用：这些调用不会显示，保护也看不到".into(),
            ),
            Note::SecondTracer => lang.pick(
                "a process has one tracer at most, and boxwright traces this one: boxwright untraced CMD runs a command \
                 without"
                    .into(),
                "一个进程最多只有一个跟踪者，而它正被 boxwright 跟踪：boxwright untraced 命令 可以不受跟踪地运行命令"
                    .into(),
            ),
            Note::Judged => lang.pick(
                "has a seccomp filter of its own, which sees the refused call as number -1: if it kills for that, it is the \
                 filter that does"
                    .into(),
                "自带 seccomp 过滤器：在它看来，被拒绝的调用，系统调用号是 -1；如果进程因此被杀，那是它自己的过滤器所为".into(),
            ),
            Note::Aside(command) => lang.pick(
                format!("runs untraced: {command} (its calls are not shown, and the guard does not see them)"),
                format!("不受跟踪地运行：{command}（它的调用不会显示，保护也看不到）"),
            ),
            Note::Unprivileged { program, by, why } => {
                let by = match by {
                    Raise::User => lang.pick("is set-user-ID", "是 set-user-ID 程序"),
                    Raise::Group => lang.pick("is set-group-ID", "是 set-group-ID 程序"),
                    Raise::Capabilities => lang.pick("has file capabilities", "带有文件能力"),
                };
                match why {
                    Loss::Traced => lang.pick(
                        format!(
                            "{program} {by}, but gets no privilege: a process that an ordinary user traces gains none; \
                             boxwright untraced {program} runs it without a tracer"
                        ),
                        format!(
                            "{program} {by}，但没有得到特权：普通用户跟踪的进程不能提权；\
                             boxwright untraced {program} 可以不受跟踪地运行它"
                        ),
                    ),
                    Loss::Unmapped(owner) => lang.pick(
                        format!(
                            "{program} {by}, but gets no privilege: its owner {owner} is not mapped in this user namespace"
                        ),
                        format!("{program} {by}，但没有得到特权：它的属主 {owner} 在这个 user 命名空间里没有映射"),
                    ),
                }
            }
        }
    }
}

impl Tracing {
    /// Tells something of a thread.
    pub(super) fn note(&self, root: Root, tid: Pid, note: Note) {
        self.tell(TraceEvent::Noted { root, pid: tid, comm: comm(tid), note });
    }

    /// A thread makes calls of another ABI: told once a process.
    pub(super) fn foreign(&mut self, tid: Pid) {
        let Some(task) = self.tasks.get(&tid) else { return };
        let (root, process) = (task.root, task.process);
        let of_process = |task: &&mut super::task::Task| task.process == process;
        let tasks = self.tasks.values_mut().filter(of_process);
        // Of all threads, told or not.
        let known = tasks.map(|task| std::mem::replace(&mut task.foreign, true)).filter(|known| *known).count() > 0;
        if !known {
            self.note(root, tid, Note::OtherAbi);
        }
    }

    /// Whether a call of ptrace(2) that was refused asks for a process that we trace.
    pub(super) fn is_second_tracer(&self, tid: Pid, values: &[u64; 6]) -> bool {
        const TRACEME: u64 = libc::PTRACE_TRACEME as u64;
        const ATTACH: u64 = libc::PTRACE_ATTACH as u64;
        const SEIZE: u64 = libc::PTRACE_SEIZE as u64;
        match values[0] {
            TRACEME => true,
            ATTACH | SEIZE => match Target::numbered(tid, values[1] as i32) {
                Some(Target::Process(pid)) => self.is_own_process(pid),
                _ => false,
            },
            _ => false,
        }
    }

    /// A new program runs: says whether its file should have given it rights that it has not got.
    pub(super) fn look_at_rights(&self, root: Root, stop: &Stopped) {
        let tid = stop.tid();
        if let Some(note) = unprivileged(tid)
            && self.families.get(&root).is_some_and(|family| family.restricted)
        {
            self.note(root, tid, note);
        }
    }
}

/// What a process did not get that its program's file offers. What the file system's own options forbid (nosuid) is not
/// missed.
fn unprivileged(tid: Pid) -> Option<Note> {
    let exe = tid.dir().join("exe");
    let file = fs::metadata(&exe).ok()?;
    let now = status(tid)?;
    let caps = || rustix::fs::getxattr(&exe, "security.capability", &mut [0; 64]).is_ok();
    let by = match file.mode() {
        mode if mode & libc::S_ISUID != 0 && file.uid() != now.euid => Raise::User,
        // Without the right to execute it as the group, the bit means something else.
        mode if mode & libc::S_ISGID != 0 && mode & libc::S_IXGRP != 0 && file.gid() != now.egid => Raise::Group,
        _ if now.capprm == 0 && caps() => Raise::Capabilities,
        _ => return None,
    };
    if statvfs(&exe).ok()?.flags().contains(FsFlags::ST_NOSUID) {
        return None;
    }
    let why = if is_mapped(tid, file.uid()) { Loss::Traced } else { Loss::Unmapped(file.uid()) };
    let program = fs::read_link(&exe).ok()?.file_name()?.to_string_lossy().into_owned();
    Some(Note::Unprivileged { program, by, why })
}

/// Whether a user of this number here has one in the thread's user namespace (user_namespaces(7)).
fn is_mapped(tid: Pid, user: u32) -> bool {
    let map = text::read(tid.dir().join("uid_map")).unwrap_or_default();
    parse_map(&map).into_iter().any(|line| line.to_inside(user).is_some())
}
