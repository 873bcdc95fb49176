//! What only a process *inside* a container's namespaces can ask: the hidden role `__ns-helper PID`.
//!
//! A short, single-threaded child enters the namespaces, asks, prints one line of JSON and ends, because boxwright
//! itself has threads and never leaves the host's namespaces.

use super::{Interface, Links, names, network, networks_helper, reach, sysv};
use crate::kernel::namespaces::{Kind, read_link};
use crate::kernel::text;
use crate::kernel::{netlink, pid::Pid};
use nix::errno::Errno;
use nix::fcntl::{OFlag, openat};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sched::{CloneFlags, setns};
use nix::sys::stat::Mode;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

/// The first argument of the child.
pub const ROLE: &str = "__ns-helper";

/// How long an answer may take before the child is killed.
const DEADLINE: Duration = Duration::from_secs(1);

/// The kinds that are entered, in the order of the namespace table.
pub(crate) const KINDS: [Kind; 3] = [Kind::Ipc, Kind::Uts, Kind::Net];

/// The answer of the child. What could not be asked is absent, and `errors` says why.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Answer {
    /// The namespaces that were asked in, by name, so that an answer about a recycled PID is not believed.
    pub namespaces: BTreeMap<String, u64>,
    /// The host name.
    pub hostname: Option<String>,
    /// The interfaces.
    pub interfaces: Option<Vec<Interface>>,
    /// TCP ports in state LISTEN.
    pub listening: Option<Vec<u16>>,
    /// The System V objects.
    pub sysv: Option<Vec<String>>,
    /// How many mounts can be seen from the root of the mount namespace. A process that has called chroot sees fewer.
    pub mounts: Option<usize>,
    /// One entry a failed call: what, and the errno by name.
    pub errors: Vec<String>,
}

impl Answer {
    /// The namespace of one kind that this answer comes from.
    pub(crate) fn namespace(&self, kind: Kind) -> Option<u64> {
        self.namespaces.get(kind.row().link).copied()
    }
}

/// The child's role. Always prints one line; the exit status says only whether it could be printed.
pub fn run(args: &[String]) -> ExitCode {
    match writeln!(io::stdout().lock(), "{}", line(args)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// The answer in JSON; `args` is the PID, or what is asked and of what ([`networks_helper`], [`reach`], [`names`]).
fn line(args: &[String]) -> String {
    let (word, rest) = args.split_first().map_or(("", args), |(word, rest)| (word.as_str(), rest));
    let usage = |_| Answer { errors: vec!["usage: __ns-helper PID".into()], ..Answer::default() };
    let line = match word {
        networks_helper::WORD => serde_json::to_string(&networks_helper::answers(rest)),
        reach::WORD => serde_json::to_string(&reach::answer(rest)),
        names::WORD => serde_json::to_string(&names::answer(rest)),
        pid => serde_json::to_string(&pid.parse().map_or_else(usage, look)),
    };
    line.unwrap_or_default()
}

fn look(pid: Pid) -> Answer {
    let mut answer = Answer::default();
    let ns = Path::new("/proc").join(pid.to_string()).join("ns");
    let own = |kind: Kind| read_link(&Path::new("/proc/self/ns").join(kind.row().link)).ok();
    // Every link is opened before the first setns: afterwards the process, and even /proc, may look different.
    let mut open = |kind: Kind| match File::open(ns.join(kind.row().link)) {
        Ok(file) => Some(file),
        Err(error) => {
            answer.errors.push(format!("open {kind}: {}", name(Errno::from_raw(error.raw_os_error().unwrap_or(0)))));
            None
        }
    };
    let user = open(Kind::User);
    let files: Vec<(Kind, File)> = KINDS.into_iter().filter_map(|kind| Some((kind, open(kind)?))).collect();
    let mounts = open(Kind::Mnt);
    // Our /proc, wherever we go: there may be none.
    let proc = File::open("/proc");
    let mut user = user.filter(|_| read_link(&ns.join("user")).ok() != own(Kind::User));
    for (kind, file) in files {
        let inode = std::os::unix::fs::MetadataExt::ino(&match file.metadata() {
            Ok(metadata) => metadata,
            Err(_) => continue,
        });
        // Entering the namespace that one is in already is an error for some kinds, and useless for all.
        if own(kind) != Some(inode)
            && let Err(errno) = enter(kind, &file, &mut user)
        {
            answer.errors.push(format!("setns {kind}: {}", name(errno)));
            continue;
        }
        answer.namespaces.insert(kind.row().link.into(), inode);
        match kind {
            Kind::Ipc => answer.sysv = Some(sysv::objects(Path::new("/proc"))),
            Kind::Uts => answer.hostname = hostname(),
            _ => {
                answer.listening = netlink::listeners().ok();
                match network::interfaces() {
                    Ok(interfaces) => answer.interfaces = Some(interfaces),
                    Err(error) => answer.errors.push(format!("getifaddrs: {error}")),
                }
            }
        }
    }
    // The last one: files have other names in it. Entering it leads to its root (setns(2)).
    if let (Some(file), Ok(proc)) = (mounts, proc)
        && let Ok(inode) = file.metadata().map(|metadata| std::os::unix::fs::MetadataExt::ino(&metadata))
        && enter(Kind::Mnt, &file, &mut user).is_ok()
    {
        answer.namespaces.insert(Kind::Mnt.row().link.into(), inode);
        let table = openat(&proc, "thread-self/mountinfo", OFlag::O_RDONLY | OFlag::O_CLOEXEC, Mode::empty());
        answer.mounts =
            table.ok().and_then(|table| text::read_all(File::from(table)).ok()).map(|table| table.lines().count());
    }
    answer
}

/// Enters one namespace. Where that is refused and the container has a user namespace of its own, that one is entered
/// first: it gives the capabilities over the namespaces that belong to it. It is not entered without need, because it
/// takes away those over namespaces that were made outside it.
fn enter(kind: Kind, file: &File, user: &mut Option<File>) -> nix::Result<()> {
    let flag = |kind: Kind| CloneFlags::from_bits_truncate(kind.row().flag as i32);
    match (setns(file.as_fd(), flag(kind)), user.take()) {
        (Err(Errno::EPERM), Some(own)) => {
            setns(own.as_fd(), flag(Kind::User))?;
            setns(file.as_fd(), flag(kind))
        }
        (result, untouched) => {
            *user = untouched;
            result
        }
    }
}

/// An error by its name, such as `EPERM`.
fn name(errno: Errno) -> String {
    format!("{errno:?}")
}

/// The host name of the calling process.
pub(crate) fn hostname() -> Option<String> {
    nix::unistd::gethostname().ok().map(|name| name.to_string_lossy().into_owned())
}

/// Asks inside the namespaces of a process; `None` where the child could not be started or did not answer in time.
pub(crate) fn ask(exe: &Path, pid: Pid) -> Option<Answer> {
    answer_of(Command::new(exe).args([ROLE, &pid.to_string()]), Instant::now() + DEADLINE)
}

/// What a child of ours prints as its answer, in JSON; `None` where it could not be started or did not answer in time.
pub(super) fn answer_of<T: serde::de::DeserializeOwned>(command: &mut Command, until: Instant) -> Option<T> {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()?;
    let line = child.stdout.take().and_then(|mut out| read_until(&mut out, until));
    // It has answered or it is too late: either way nothing is lost by killing it, and wait cannot hang.
    let _ = child.kill();
    let _ = child.wait();
    serde_json::from_slice(&line?).ok()
}

/// Reads a child's pipe to its end; `None` where that takes longer than the deadline.
pub(crate) fn read_until(pipe: &mut (impl Read + AsFd), deadline: Instant) -> Option<Vec<u8>> {
    let mut all = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let left = deadline.checked_duration_since(Instant::now())?;
        let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::ZERO);
        match poll(&mut [PollFd::new(pipe.as_fd(), PollFlags::POLLIN)], timeout) {
            Ok(0) => return None,
            Err(Errno::EINTR) => continue,
            Err(_) => return None,
            Ok(_) => {}
        }
        // What can be read does not wait, so that no signal interrupts this.
        match pipe.read(&mut buffer) {
            Ok(0) => return Some(all),
            Ok(n) => all.extend_from_slice(buffer.get(..n)?),
            Err(_) => return None,
        }
    }
}

/// Whether an answer is about exactly the namespaces that a sample names.
pub(crate) fn is_about(answer: &Answer, namespaces: &Links) -> bool {
    KINDS
        .iter()
        .chain([&Kind::Mnt])
        .all(|kind| answer.namespace(*kind).is_none_or(|inode| namespaces.get(kind) == Some(&inode)))
}

#[cfg(test)]
#[path = "ns_helper_tests.rs"]
mod tests;
