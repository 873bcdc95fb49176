//! The tools that learners type: one file a tool, the real system calls in the kernel's own order.
//!
//! Each is a single-threaded process of its own with the flags, exit status and essential output of the field's tool of
//! that name. The Source pane shows these files beside the calls that they make, so they are written to be read.

#![allow(clippy::print_stdout, reason = "printing is what a tool is for")]

pub(crate) mod args;
mod cgclassify;
mod cgcreate;
mod cgdelete;
mod cgexec;
mod cgget;
mod cgset;
mod chroot;
mod hog;
mod hostname;
mod identity;
mod image;
mod image_source;
mod ip;
mod ipcmk;
mod ipcrm;
mod ipcs;
mod mount;
mod nc;
mod nsenter;
mod other;
mod pivot_root;
mod progress;
mod progress_lines;
mod ps;
mod seccomp;
mod seccomp_calls;
mod sha256sum;
mod skopeo;
mod skopeo_format;
mod start;
mod table;
mod tar;
mod tar_list;
mod top;
mod umount;
mod unshare;
mod unshare_outside;
mod unshare_who;

use crate::kernel::{errno, refusal, text};
use crate::lang::say;
use nix::errno::Errno;
use std::{ffi::OsString, io::Write, process::ExitCode, sync::Once};

/// A tool, found by the name it is called by.
pub struct Tool {
    /// The name, such as `unshare`.
    pub name: &'static str,
    /// Runs it with its arguments (without the name) and gives the exit status.
    pub run: fn(&[OsString]) -> ExitCode,
    /// Its source, which the Source pane shows.
    pub source: &'static str,
    /// One line on what it does, in English and Chinese.
    about: (&'static str, &'static str),
}

impl Tool {
    /// One line on what it does, for `boxwright tools`.
    pub(crate) fn about(&self) -> &'static str {
        say(self.about.0, self.about.1)
    }
}

macro_rules! tools {
    ($($name:ident: $en:literal, $zh:literal,)*) => {
        /// Every tool, in alphabetical order.
        pub const TOOLS: &[Tool] = &[$(Tool {
            name: stringify!($name),
            run: $name::run,
            source: include_str!(concat!(stringify!($name), ".rs")),
            about: ($en, $zh),
        },)*];
    };
}

tools! {
    cgclassify: "move processes into control groups", "把进程移入控制组",
    cgcreate: "make control groups", "创建控制组",
    cgdelete: "remove control groups", "删除控制组",
    cgexec: "run a program in control groups", "在控制组里运行程序",
    cgget: "show the control files of groups", "显示控制组的控制文件",
    cgset: "set limits of control groups", "设置控制组的限制",
    chroot: "run a program with another root directory", "换一个根目录运行程序",
    hog: "use up CPU time, memory or PIDs, to see what a limit does", "耗用 CPU 时间、内存或 PID，看限制如何生效",
    hostname: "show or set the host name of the UTS namespace", "显示或设置 UTS 命名空间的主机名",
    image: "unpack every layer of an image in order", "按顺序解包镜像的每一层",
    ip: "show network interfaces and addresses; bring an interface up or down", "显示网络接口和地址；启用或停用接口",
    ipcmk: "make a System V queue, semaphore set or shared memory segment", "创建 System V 消息队列、信号量集或共享内存段",
    ipcrm: "remove System V objects", "删除 System V 对象",
    ipcs: "list the System V objects of the IPC namespace", "列出 IPC 命名空间的 System V 对象",
    mount: "mount a file system, bind a directory, change propagation", "挂载文件系统，绑定目录，改变传播类型",
    nc: "listen on a TCP port, or connect to one", "监听 TCP 端口，或连接到一个端口",
    nsenter: "run a program in the namespaces of another process", "在另一个进程的命名空间里运行程序",
    pivot_root: "swap the root mount of a mount namespace", "更换挂载命名空间的根挂载",
    ps: "list processes, as /proc shows them", "列出 /proc 所显示的进程",
    seccomp: "run a program to which some system calls are refused", "运行程序，并拒绝它的某些系统调用",
    sha256sum: "print the SHA-256 of files, or check them against a list", "计算文件的 SHA-256，或按清单校验",
    skopeo: "copy an image from one place to another, or look at it", "把镜像复制到另一处，或查看镜像",
    tar: "unpack an archive, or list what is in it", "解包归档，或列出其中的内容",
    top: "show processes by the CPU time that they use", "按 CPU 时间显示进程",
    umount: "unmount a file system", "卸载文件系统",
    unshare: "run a program in new namespaces", "在新的命名空间里运行程序",
}

/// Finds a tool by name.
pub fn find(name: &str) -> Option<&'static Tool> {
    TOOLS.iter().find(|tool| tool.name == name)
}

/// Runs a tool as the field's tool of that name would run: a closed pipe ends it quietly.
pub fn run(tool: &Tool, args: &[OsString]) -> ExitCode {
    start::default_signals();
    match args.first().and_then(|word| word.to_str()) {
        Some("--help") => print(&help(tool)),
        Some("--version") => print(&format!("{} (boxwright {})\n", tool.name, env!("CARGO_PKG_VERSION"))),
        _ => (tool.run)(args),
    }
}

/// What a tool takes. Where that is all that the field's tool takes, its manual page says it best.
fn help(tool: &Tool) -> String {
    match tool.name {
        "skopeo" => skopeo::help(None),
        "image" => image::help(),
        "tar" => tar::help().into(),
        // No other program of this name has a manual page.
        "hog" => format!("usage: {}\n{}\n", hog::USAGE, tool.about()),
        "seccomp" => format!("usage: {}\n{}\n", seccomp::USAGE, tool.about()),
        name => say(
            format!("{name}: {}\nIts options are those of man {name}.\n", tool.about()),
            format!("{name}：{}\n选项与 man {name} 所述相同。\n", tool.about()),
        ),
    }
}

/// One line on standard error: `TOOL: WHAT`.
fn tell(tool: &str, what: &str) {
    // A closed standard error has no reader.
    let _ = writeln!(std::io::stderr(), "{}", text::safe(&format!("{tool}: {what}")));
}

/// The same about something that went wrong. Where the arguments hold a sign that was pasted, its name comes along, once.
fn wrong(tool: &str, what: &str) {
    static HINTED: Once = Once::new();
    let mut pasted = String::new();
    HINTED.call_once(|| pasted = other::pasted().map(|hint| format!("\n  {hint}")).unwrap_or_default());
    tell(tool, &format!("{what}{pasted}"));
}

/// The same, and the status to end with.
fn complain(tool: &str, what: &str, status: u8) -> ExitCode {
    wrong(tool, what);
    ExitCode::from(status)
}

/// The same for a failed call: `TOOL: WHAT: WHY (ERRNO)`, and what may help.
fn failed(tool: &str, what: &str, errno: Errno, hint: Option<&str>, status: u8) -> ExitCode {
    // Where the kernel was never asked, or asked something else, what would help with the kernel does not help.
    let hint = match refusal::of(errno) {
        Some(refusal::Answer::Guard) => Some(say(
            "boxwright's guard refused it, because it would have changed the machine itself",
            "被 boxwright 的保护拒绝，因为它会改变机器本身",
        )),
        Some(refusal::Answer::Learner(_)) => {
            Some(say("you changed this call before it happened", "这个调用在发生之前被你改动过"))
        }
        None => hint,
    };
    let hint = hint.map(|hint| format!("\n  {hint}")).unwrap_or_default();
    complain(tool, &format!("{what}: {}{hint}", errno::why(errno)), status)
}

/// Prints lines. That the reader has gone is not told.
fn print(text: &str) -> ExitCode {
    print_bytes(text.as_bytes())
}

/// The same for what need not be text.
fn print_bytes(bytes: &[u8]) -> ExitCode {
    if is_printed(bytes) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Prints a part of what is to come; false where it cannot be written.
fn is_printed(bytes: &[u8]) -> bool {
    std::io::stdout().lock().write_all(bytes).is_ok()
}
