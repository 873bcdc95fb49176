//! `boxwright inspect PID`: the panes' facts and the scorecard, with its evidence, for any process on the machine.

pub(crate) mod beyond;
pub(crate) mod network;
mod report;
mod watch;

use crate::kernel::text;
use crate::kernel::{errno, pid::Pid, pidfd, process, program};
use crate::lang::Lang;
use crate::observe::{self, Beyond, Evidence, Extra, Reader, Sample, Subject};
use crate::terminal::Size;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use serde::Serialize;
use std::io::{self, IsTerminal, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::process::ExitCode;

/// The counters of a process move without any event to wait for, so `--watch` looks this often, in milliseconds.
const TICK: u16 = 1000;

/// One line of `--json`: the event `sample`, and why the scorecard says what it says.
#[derive(Serialize, schemars::JsonSchema)]
pub(crate) struct Event<'a> {
    event: &'static str,
    #[serde(flatten)]
    sample: &'a Sample,
    evidence: &'a Evidence,
    beyond: &'a Beyond,
}

/// Prints what the kernel says about a process; with `watch` again whenever something changed, until it ends.
///
/// Status 1 where there is no such process, 3 where this user may not look at it.
pub(crate) fn run(pid: Pid, json: bool, watch: bool, lang: Lang) -> ExitCode {
    let mut reader = Reader::new(Path::new("/proc"), Path::new("/proc/self/exe"));
    reader.look_at(Extra { networks: true, ..Extra::default() });
    // Opened before the first look, so that the same process is meant to the end.
    let process = pidfd::open(pid);
    if process.as_ref().is_err_and(|errno| *errno == Errno::ESRCH) {
        return refuse(pid, Refusal::Gone(Errno::ESRCH), lang);
    }
    let mut last = None;
    let mut screen = (watch && !json && io::stdout().is_terminal()).then(watch::Screen::default);
    loop {
        let (mut sample, evidence) = reader.read(Subject::Exactly(pid));
        if let Some(networks) = &mut sample.networks {
            // What no cable leads to has nothing to do with the process, and its counters would never rest.
            let all = networks.clone();
            networks.all.retain(|network| network::is_shown(network, &all));
        }
        let devices = reader.devices(pid);
        let beyond = observe::beyond(&sample, devices);
        let now = (sample, evidence, beyond);
        if last.is_none()
            && let Some(refusal) = refusal(pid, &now.0)
        {
            return refuse(pid, refusal, lang);
        }
        if now.0.namespaces.is_empty() {
            return ExitCode::SUCCESS;
        }
        if last.as_ref() != Some(&now)
            && let Err(error) = print(&now, json, screen.as_mut(), lang)
        {
            return if errno::is_written(&Err(error)) { ExitCode::SUCCESS } else { ExitCode::FAILURE };
        }
        if !watch || ended(process.as_ref().ok()) {
            return ExitCode::SUCCESS;
        }
        reader.forget();
        last = Some(now);
    }
}

/// Whether this process is there and may be looked at; otherwise that is said, and the status is the same as that of [`run`].
pub(crate) fn look(pid: Pid, lang: Lang) -> Result<(), ExitCode> {
    let mut reader = Reader::new(Path::new("/proc"), Path::new("/proc/self/exe"));
    match refusal(pid, &reader.read(Subject::Exactly(pid)).0) {
        None => Ok(()),
        Some(refusal) => Err(refuse(pid, refusal, lang)),
    }
}

/// When a process began, in clock ticks since boot: with its PID, this names one process for ever.
pub(crate) fn began(pid: Pid) -> Option<u64> {
    process::stat(&pid.dir()).map(|stat| stat.starttime)
}

/// Waits one tick; true where the process ended meanwhile.
fn ended(process: Option<&OwnedFd>) -> bool {
    let mut fds: Vec<PollFd> = process.iter().map(|fd| PollFd::new(fd.as_fd(), PollFlags::POLLIN)).collect();
    poll(&mut fds, PollTimeout::from(TICK)).is_ok_and(|ready| ready > 0)
}

fn print(
    (sample, evidence, beyond): &(Sample, Evidence, Beyond),
    json: bool,
    screen: Option<&mut watch::Screen>,
    lang: Lang,
) -> std::io::Result<()> {
    let text = if json {
        text::json(&Event { event: "sample", sample, evidence, beyond })?
    } else {
        report::report(sample, evidence, beyond, lang)
    };
    let mut out = io::stdout().lock();
    match screen {
        // A terminal that does not tell its size has the usual one.
        Some(screen) => {
            let size = crossterm::terminal::size().map(Size::from).unwrap_or_default().or_usual();
            write!(out, "{}", screen.frame(&text, size, lang))?;
        }
        None => writeln!(out, "{text}")?,
    }
    out.flush()
}

/// Why there is nothing to show.
enum Refusal {
    Gone(Errno),
    Dead,
    Forbidden(Errno),
}

fn refusal(pid: Pid, sample: &Sample) -> Option<Refusal> {
    let process = sample.processes.iter().find(|process| process.pid == pid);
    match process {
        _ if sample.container.is_none() => Some(Refusal::Gone(Errno::ESRCH)),
        Some(process) if process.state == 'Z' => Some(Refusal::Dead),
        _ if !sample.namespaces.is_empty() => None,
        _ => match std::fs::read_link(format!("/proc/{pid}/ns/mnt")) {
            Err(error) if error.raw_os_error() != Some(libc::ENOENT) => {
                Some(Refusal::Forbidden(Errno::from_raw(error.raw_os_error().unwrap_or(libc::EACCES))))
            }
            _ => Some(Refusal::Gone(Errno::ESRCH)),
        },
    }
}

fn refuse(pid: Pid, refusal: Refusal, lang: Lang) -> ExitCode {
    let (process, colon) = (lang.pick("process", "进程"), lang.pick(": ", "："));
    // A closed standard error has no reader.
    let tell = |why: &str| drop(writeln!(io::stderr(), "boxwright{colon}{process} {pid}{colon}{why}"));
    match refusal {
        Refusal::Gone(errno) => {
            tell(&errno::why_in(errno, lang));
            ExitCode::FAILURE
        }
        Refusal::Dead => {
            let why = lang.pick(
                "it has ended, and its parent has not asked for its status (a zombie)",
                "已经结束，只等父进程来取状态（僵尸进程）",
            );
            tell(why);
            ExitCode::FAILURE
        }
        Refusal::Forbidden(errno) => {
            let root = nix::unistd::geteuid().is_root();
            let hint = match root {
                true => lang
                    .pick(
                        "even root may not look at it here: a capability is missing, or a security module refuses",
                        "在这里连 root 也看不了它：缺少某项能力，或者被安全模块拒绝",
                    )
                    .to_string(),
                false => {
                    let command = format!("{} inspect {pid}", program::path());
                    let command = program::as_root(&command, program::way().as_deref());
                    lang.pick(
                        format!("it is another user's; as root: {command}"),
                        format!("它属于别的用户；以 root 运行：{command}"),
                    )
                }
            };
            tell(&format!("{}\n  {hint}", errno::why_in(errno, lang)));
            ExitCode::from(3)
        }
    }
}
