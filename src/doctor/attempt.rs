//! Really trying what lessons need, each in a child of its own: the hidden role `__try WHAT`.
//!
//! A capability bit or a file mode does not say whether a call will work: seccomp, limits and security modules have
//! their say too. So the call is made, in a process that ends right afterwards and takes all of it along.

use super::trials;
use crate::kernel::namespaces::Kind;
use crate::kernel::{errno, seccomp};
use crate::observe::ns_helper::read_until;
use nix::errno::Errno;
use serde::{Deserialize, Serialize};
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
pub(crate) struct Failure {
    /// The call, as strace would write it.
    pub call: String,
    /// The raw error number.
    pub errno: Option<i32>,
}

impl Failure {
    /// The error, where there is one.
    pub(crate) fn errno(&self) -> Option<Errno> {
        self.errno.map(Errno::from_raw)
    }

    /// The failure as `CALL: WHY (ERRNO)`.
    pub(crate) fn describe(&self) -> String {
        let why = self.errno().map_or_else(|| "the process was killed in it".to_string(), errno::why);
        format!("{}: {why}", self.call)
    }
}

pub(super) type Tried = Result<(), Failure>;

pub(super) fn call<T>(name: impl Into<String>, result: nix::Result<T>) -> Result<T, Failure> {
    result.map_err(|errno| Failure { call: name.into(), errno: Some(errno as i32) })
}

pub(super) fn io<T>(name: &str, result: std::io::Result<T>) -> Result<T, Failure> {
    result.map_err(|error| Failure { call: name.into(), errno: error.raw_os_error() })
}

/// Tries one thing in a child: the link name of a namespace kind, `process` (that there can be one at all), or `proc`,
/// `chroot`, `pivot_root`, `setns`, `devices`, `ptrace`, `seccomp`; or `veth`, `bridge`, `nat`.
pub(crate) fn attempt(what: &str) -> Tried {
    attempt_in(what, Path::new("/"))
}

/// The same for what needs a directory, which is empty: `device` (a device node works there), `overlay` (it holds the upper
/// directory of one). What is made in it stays.
pub(crate) fn attempt_in(what: &str, dir: &Path) -> Tried {
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
        "process" => Ok(()),
        "user-namespaces" => trials::ordinary("uts"),
        "user-proc" => trials::ordinary("proc"),
        "user-program" => trials::ordinary_program(),
        "proc" => trials::new_proc(),
        "proc-inside" => trials::mount_proc(),
        "first-inside" => trials::first(),
        "whole" => trials::root_is_whole(),
        "chroot" => trials::chroot(),
        "pivot_root" => trials::pivot_root(),
        "setns" => trials::enter(),
        "devices" => trials::devices(),
        "device" => trials::device(),
        "overlay" => trials::overlay(),
        "veth" => trials::wire(&[&["ip", "link", "add", "v0", "type", "veth", "peer", "name", "v1"]]),
        "bridge" => trials::wire(&[&["ip", "link", "add", "br0", "type", "bridge"]]),
        "nat" => trials::wire(&[
            &["nft", "add table ip t"],
            &["nft", "add chain ip t post { type nat hook postrouting priority 100; }"],
            &["nft", "add rule ip t post masquerade"],
        ]),
        "ptrace" => trials::trace(),
        "user" => trials::user(),
        "user-inside" => return hold(trials::map_user()),
        "seccomp" => seccomp::install(&mut [seccomp::verdict(libc::SECCOMP_RET_ALLOW)])
            .map_err(|errno| Failure { call: "seccomp(SECCOMP_SET_MODE_FILTER)".into(), errno: Some(errno as i32) }),
        "wait" => io("read", std::io::stdin().read(&mut [0]).map(drop)),
        link => match Kind::from_link(link) {
            Some(kind) => trials::namespace(kind),
            None => Err(Failure { call: format!("{ROLE} {link}"), errno: Some(libc::EINVAL) }),
        },
    };
    tell(&tried)
}

/// Tells, and then stays until its standard input is closed: its namespaces are to be entered.
fn hold(tried: Tried) -> ExitCode {
    let told = tell(&tried);
    let _ = std::io::stdin().read(&mut [0]);
    told
}

fn tell(tried: &Tried) -> ExitCode {
    let line = serde_json::to_string(tried).unwrap_or_default();
    match writeln!(std::io::stdout().lock(), "{line}") {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// Runs another trial from within one, where its namespaces are.
pub(super) fn inside(what: &str) -> Tried {
    let output = io("fork", Command::new("/proc/self/exe").args([ROLE, what]).stdin(Stdio::null()).output())?;
    answer(&output.stdout, what)
}

/// What a trial told, without which it was ended in the middle.
pub(super) fn answer(line: &[u8], what: &str) -> Tried {
    serde_json::from_slice(line).unwrap_or_else(|_| Err(Failure { call: what.into(), errno: None }))
}
