//! The tools that learners type: one file a tool, the real system calls in the kernel's own order.
//!
//! Each is a single-threaded process of its own with the flags, exit status and essential output of the field's tool of
//! that name. The Source pane shows these files beside the calls that they make, so they are written to be read.

#![allow(clippy::print_stdout, reason = "printing is what a tool is for")]

pub mod args;
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
mod pivot_root;
mod progress;
mod progress_lines;
mod ps;
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

use crate::kernel::errno;
use crate::kernel::text;
use nix::errno::Errno;
use std::{ffi::OsString, io::Write, process::ExitCode};

/// A tool, found by the name it is called by.
pub struct Tool {
    /// The name, such as `unshare`.
    pub name: &'static str,
    /// Runs it with its arguments (without the name) and gives the exit status.
    pub run: fn(&[OsString]) -> ExitCode,
    /// Its source, which the Source pane shows.
    pub source: &'static str,
    /// One line on what it does, for `boxwright tools`.
    pub about: &'static str,
}

macro_rules! tools {
    ($($name:ident: $about:literal,)*) => {
        /// Every tool, in alphabetical order.
        pub const TOOLS: &[Tool] = &[$(Tool {
            name: stringify!($name),
            run: $name::run,
            source: include_str!(concat!(stringify!($name), ".rs")),
            about: $about,
        },)*];
    };
}

tools! {
    cgclassify: "move processes into control groups",
    cgcreate: "make control groups",
    cgdelete: "remove control groups",
    cgexec: "run a program in control groups",
    cgget: "show the control files of groups",
    cgset: "set limits of control groups",
    chroot: "run a program with another root directory",
    hog: "use up CPU time, memory or PIDs, to see what a limit does",
    hostname: "show or set the host name of the UTS namespace",
    image: "unpack every layer of an image in order",
    ip: "show network interfaces and addresses; bring an interface up or down",
    ipcmk: "make a System V queue, semaphore set or shared memory segment",
    ipcrm: "remove System V objects",
    ipcs: "list the System V objects of the IPC namespace",
    mount: "mount a file system, bind a directory, change propagation",
    nc: "listen on a TCP port, or connect to one",
    nsenter: "run a program in the namespaces of another process",
    pivot_root: "swap the root mount of a mount namespace",
    ps: "list processes, as /proc shows them",
    sha256sum: "print the SHA-256 of files, or check them against a list",
    skopeo: "copy an image from one place to another, or look at it",
    tar: "unpack an archive, or list what is in it",
    top: "show processes by the CPU time that they use",
    umount: "unmount a file system",
    unshare: "run a program in new namespaces",
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
        "tar" => tar::HELP.into(),
        name => format!("{name}: {}\nIts options are those of man {name}.\n", tool.about),
    }
}

/// One line on standard error: `TOOL: WHAT`.
fn complain(tool: &str, what: &str, status: u8) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "{}", text::safe(&format!("{tool}: {what}")));
    ExitCode::from(status)
}

/// The same for a failed call: `TOOL: WHAT: WHY (ERRNO)`, and what may help.
fn failed(tool: &str, what: &str, errno: Errno, hint: Option<&str>, status: u8) -> ExitCode {
    let hint = hint.map(|hint| format!("\n  {hint}")).unwrap_or_default();
    complain(tool, &format!("{what}: {}{hint}", errno::why(errno)), status)
}

/// Prints lines; a reader that has gone is nobody to complain to.
fn print(text: &str) -> ExitCode {
    print_bytes(text.as_bytes())
}

/// The same for what need not be text.
fn print_bytes(bytes: &[u8]) -> ExitCode {
    match std::io::stdout().lock().write_all(bytes) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
