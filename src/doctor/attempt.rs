//! Really trying what lessons need, each in a child of its own: the hidden role `__try WHAT`.
//!
//! A capability bit or a file mode does not say whether a call will work: seccomp, limits and security modules have
//! their say too. So the call is made, in a process that ends right afterwards and takes all of it along.

use crate::kernel::namespaces::{Kind, TABLE};
use crate::kernel::{errno, seccomp};
use crate::observe::peek::read_until;
use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, setns, unshare};
use nix::sys::ptrace;
use nix::sys::stat::{Mode, SFlag, makedev, mknod};
use nix::unistd::{Pid, getegid, geteuid};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

/// The first argument of the child.
pub const ROLE: &str = "__try";

/// How long one attempt may take.
const DEADLINE: Duration = Duration::from_secs(5);

/// The call that failed, and why. Without an errno the child was killed in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The call, as strace would write it.
    pub call: String,
    /// The raw error number.
    pub errno: Option<i32>,
}

impl Failure {
    /// The error, where there is one.
    pub fn errno(&self) -> Option<Errno> {
        self.errno.map(Errno::from_raw)
    }

    /// The failure as `CALL: WHY (ERRNO)`.
    pub fn describe(&self) -> String {
        let why = self.errno().map_or_else(|| "the process was killed in it".to_string(), errno::why);
        format!("{}: {why}", self.call)
    }
}

type Tried = Result<(), Failure>;

fn call<T>(name: impl Into<String>, result: nix::Result<T>) -> Result<T, Failure> {
    result.map_err(|errno| Failure { call: name.into(), errno: Some(errno as i32) })
}

fn io<T>(name: &str, result: std::io::Result<T>) -> Result<T, Failure> {
    result.map_err(|error| Failure { call: name.into(), errno: error.raw_os_error() })
}

/// Tries one thing in a child: the link name of a namespace kind, or `proc`, `pivot_root`, `setns`, `ptrace`, `seccomp`.
pub fn attempt(what: &str) -> Tried {
    attempt_in(what, Path::new("/"))
}

/// The same for what needs a directory, which is empty: `device` (a device node works there), `overlay` (it holds the upper
/// directory of one). What is made in it stays.
pub fn attempt_in(what: &str, dir: &Path) -> Tried {
    let child = Command::new("/proc/self/exe")
        .args([ROLE, what])
        .current_dir(dir)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let mut child = io("execve", child)?;
    let line = child.stdout.take().and_then(|mut out| read_until(&mut out, Instant::now() + DEADLINE));
    let _ = child.kill();
    let status = child.wait();
    match line.and_then(|line| serde_json::from_slice::<Tried>(&line).ok()) {
        Some(tried) => tried,
        None => {
            let signal = status.ok().and_then(|status| status.signal());
            let signal = signal.and_then(|raw| nix::sys::signal::Signal::try_from(raw).ok());
            Err(Failure { call: format!("{what}: {}", signal.map_or("no answer", |s| s.as_str())), errno: None })
        }
    }
}

/// The child's role: tries, and prints the result as one line of JSON.
pub fn run(args: &[String]) -> ExitCode {
    let what = args.first().map(String::as_str).unwrap_or_default();
    let tried = match what {
        "proc" => in_new_namespaces(),
        "proc-inside" => mount_proc(),
        "pivot_root" => pivot_root(),
        "setns" => enter(),
        "device" => device(),
        "overlay" => overlay(),
        "ptrace" => trace(),
        "seccomp" => seccomp::install(&mut [seccomp::verdict(libc::SECCOMP_RET_ALLOW)])
            .map_err(|errno| Failure { call: "seccomp(SECCOMP_SET_MODE_FILTER)".into(), errno: Some(errno as i32) }),
        "wait" => io("read", std::io::stdin().read(&mut [0]).map(drop)),
        link => match Kind::from_link(link) {
            Some(Kind::User) => map_user(),
            Some(kind) => leave(kind.row().flag),
            None => Err(Failure { call: format!("{ROLE} {link}"), errno: Some(libc::EINVAL) }),
        },
    };
    let line = serde_json::to_string(&tried).unwrap_or_default();
    match writeln!(std::io::stdout().lock(), "{line}") {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// Leaves namespaces. Without root a new user namespace comes with them and gives the right to the others.
fn leave(flags: u64) -> Tried {
    let all = if geteuid().is_root() { flags } else { flags | Kind::User.row().flag };
    let names: Vec<&str> = TABLE.iter().filter(|row| all & row.flag != 0).map(|row| row.flag_name).collect();
    let flags = CloneFlags::from_bits_truncate(all as i32);
    let ids = (geteuid(), getegid());
    call(format!("unshare({})", names.join("|")), unshare(flags))?;
    if all & Kind::User.row().flag != 0 { write_maps(ids.0.as_raw(), ids.1.as_raw()) } else { Ok(()) }
}

fn map_user() -> Tried {
    leave(Kind::User.row().flag)
}

/// Becomes root in the new user namespace. `setgroups` must be given up before the group map may be written, and each
/// map is one write (user_namespaces(7)). Ubuntu's AppArmor rule lets unshare pass and refuses here.
fn write_maps(uid: u32, gid: u32) -> Tried {
    io("write(/proc/self/uid_map)", std::fs::write("/proc/self/uid_map", format!("0 {uid} 1")))?;
    io("write(/proc/self/setgroups)", std::fs::write("/proc/self/setgroups", "deny"))?;
    io("write(/proc/self/gid_map)", std::fs::write("/proc/self/gid_map", format!("0 {gid} 1")))
}

/// Only a *child* is in the new PID namespace, and only there may its /proc be mounted.
fn in_new_namespaces() -> Tried {
    leave(Kind::Pid.row().flag | Kind::Mnt.row().flag)?;
    let output = io("fork", Command::new("/proc/self/exe").args([ROLE, "proc-inside"]).output())?;
    serde_json::from_slice(&output.stdout).unwrap_or(Err(Failure { call: "mount(proc)".into(), errno: None }))
}

/// Keeps mounts from spreading to the host; without this nothing else is mounted.
fn private() -> Tried {
    let flags = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    call("mount(/, MS_REC|MS_PRIVATE)", mount(None::<&str>, "/", None::<&str>, flags, None::<&str>))
}

fn mount_proc() -> Tried {
    private()?;
    call("mount(proc on /proc)", mount(Some("proc"), "/proc", Some("proc"), MsFlags::empty(), None::<&str>))
}

fn pivot_root() -> Tried {
    leave(Kind::Mnt.row().flag)?;
    private()?;
    // Any directory will do for a new root; /proc is there wherever this program runs.
    call("mount(tmpfs)", mount(Some("tmpfs"), "/proc", Some("tmpfs"), MsFlags::empty(), None::<&str>))?;
    call("chdir", nix::unistd::chdir("/proc"))?;
    call("pivot_root", nix::unistd::pivot_root(".", "."))
}

/// Makes a device node and opens it: making is a matter of rights, opening one of the mount.
fn device() -> Tried {
    let null = makedev(1, 3);
    call("mknod(null)", mknod("null", SFlag::S_IFCHR, Mode::from_bits_truncate(0o666), null))?;
    io("open(null)", File::options().write(true).open("null").map(drop))
}

/// Mounts an overlay whose changes go to this directory, and makes one: where the kernel cannot keep its notes, it mounts
/// read-only.
fn overlay() -> Tried {
    leave(Kind::Mnt.row().flag)?;
    private()?;
    for name in ["lower", "upper", "work", "merged"] {
        io("mkdir", std::fs::create_dir(name))?;
    }
    let options = Some("lowerdir=lower,upperdir=upper,workdir=work");
    call("mount(overlay)", mount(Some("overlay"), "merged", Some("overlay"), MsFlags::empty(), options))?;
    io("mount(overlay), write", std::fs::write("merged/note", "x"))
}

fn enter() -> Tried {
    leave(Kind::Uts.row().flag)?;
    let own = io("open(/proc/self/ns/uts)", File::open("/proc/self/ns/uts"))?;
    call("setns(CLONE_NEWUTS)", setns(own, CloneFlags::CLONE_NEWUTS))
}

/// Seizes a child of its own, as the tracer does; the option makes the kernel end that child with us.
fn trace() -> Tried {
    let child = Command::new("/proc/self/exe").args([ROLE, "wait"]).stdin(Stdio::piped()).stdout(Stdio::null()).spawn();
    let mut child = io("execve", child)?;
    let pid = Pid::from_raw(child.id() as i32);
    let seized = ptrace::seize(pid, ptrace::Options::PTRACE_O_EXITKILL | ptrace::Options::PTRACE_O_TRACESECCOMP);
    let _ = child.kill();
    let _ = child.wait();
    call("ptrace(PTRACE_SEIZE)", seized)
}
