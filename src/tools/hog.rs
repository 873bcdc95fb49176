//! hog: use up CPU time, memory or PIDs, to see what a limit does.

use super::{
    args::{
        Opt,
        Value::{Must, No},
        parse,
    },
    complain, failed,
    start::split,
};
use crate::kernel::errno_causes;
use crate::lang::say;
use nix::{
    errno::Errno,
    sys::{
        prctl::{set_pdeathsig, set_thp_disable},
        signal::{Signal, kill},
        time::TimeSpec,
        timerfd::{ClockId::CLOCK_MONOTONIC, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags},
        wait::wait,
    },
    unistd::pause,
};
use std::{
    ffi::OsString,
    hint::black_box,
    io::{Write, stdout},
    process::ExitCode,
    time::{Duration, Instant},
};

/// What it takes.
pub(super) const USAGE: &str = "hog cpu [SECONDS] | hog memory SIZE[K|M|G] [--rate SIZE/s] [--exit] | hog fork N";
const OPTIONS: [Opt; 2] = [('\0', "rate", Must), ('\0', "exit", No)];
const MIB: usize = 1 << 20;

/// Runs the tool.
pub(super) fn run(args: &[OsString]) -> ExitCode {
    let parsed = match parse(args, &OPTIONS, false) {
        Ok(parsed) => parsed,
        Err(what) => return complain("hog", &format!("{what}\n  {USAGE}"), 1),
    };
    let rate = parsed.value("rate").map(|rate| size(rate.trim_end_matches("/s")));
    match parsed.words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["cpu"] => cpu(None),
        ["cpu", seconds] if seconds.parse().is_ok_and(|s: f64| Duration::try_from_secs_f64(s).is_ok()) => {
            cpu(seconds.parse().ok().map(Duration::from_secs_f64))
        }
        ["memory", bytes] if rate != Some(None) && size(bytes).is_some() => {
            memory(size(bytes).unwrap_or(0), rate.flatten(), parsed.has("exit"))
        }
        ["fork", number] if number.parse::<usize>().is_ok() => fork(number.parse().unwrap_or(0)),
        _ => complain("hog", &format!("bad usage\n  {USAGE}"), 1),
    }
}

/// Reads a size such as `64M`; K, M and G are powers of 1024, as control groups have them.
fn size(text: &str) -> Option<usize> {
    let digits = text.trim_end_matches(|letter: char| !letter.is_ascii_digit());
    let unit: usize = match text.get(digits.len()..)?.trim_end_matches(['i', 'B']) {
        "" => 1,
        "K" | "k" => 1 << 10,
        "M" | "m" => MIB,
        "G" | "g" => 1 << 30,
        _ => return None,
    };
    digits.parse::<usize>().ok()?.checked_mul(unit).filter(|bytes| *bytes > 0)
}

/// Keeps one CPU busy, without a system call: the scheduler alone decides how much of it we get.
fn cpu(length: Option<Duration>) -> ExitCode {
    let began = Instant::now();
    let mut number = 1u64;
    while length.is_none_or(|length| began.elapsed() < length) {
        for _ in 0..1_000_000 {
            number = black_box(number.wrapping_mul(3));
        }
    }
    ExitCode::SUCCESS
}

fn memory(bytes: usize, rate: Option<usize>, exit: bool) -> ExitCode {
    // With huge pages one touch would take 2 MiB at once, and the numbers would jump.
    let _ = set_thp_disable(true);
    let mut room: Vec<u8> = Vec::new();
    // This reserves addresses and takes no memory yet: a memory limit does not notice it.
    if room.try_reserve_exact(bytes).is_err() {
        return failed(
            "hog",
            &format!("reserving {bytes} bytes"),
            Errno::ENOMEM,
            Some(say("even the addresses are refused", "连地址空间都分配不到")),
            1,
        );
    }
    let clock = match rate.map(ticking).transpose() {
        Ok(clock) => clock,
        Err(errno) => return failed("hog", "timerfd_create", errno, None, 1),
    };
    let size = procfs::page_size() as usize;
    for (number, page) in room.spare_capacity_mut().chunks_mut(size).enumerate() {
        // The first write to a page is what takes memory: it faults, and the kernel finds a page and charges it to our
        // control group. Over the limit, and with nothing to reclaim, the OOM killer ends us right here.
        if let Some(byte) = page.first_mut() {
            black_box(byte).write(1);
        }
        let taken = (number + 1) * size;
        if taken.is_multiple_of(MIB) || taken >= bytes {
            let _ = writeln!(stdout(), "{:>6.1} MiB", taken.min(bytes) as f64 / MIB as f64);
            if let Some(clock) = &clock {
                let _ = clock.wait();
            }
        }
    }
    if !exit {
        let _ = writeln!(stdout(), "holding it until this process is killed");
        pause();
    }
    ExitCode::SUCCESS
}

/// A clock whose every tick allows one more MiB.
fn ticking(rate: usize) -> nix::Result<TimerFd> {
    let clock = TimerFd::new(CLOCK_MONOTONIC, TimerFlags::TFD_CLOEXEC)?;
    // An interval of zero would stop the clock for good.
    let tick = Duration::from_secs_f64(MIB as f64 / rate as f64).max(Duration::from_nanos(1));
    clock.set(Expiration::Interval(TimeSpec::from_duration(tick)), TimerSetTimeFlags::empty())?;
    Ok(clock)
}

fn fork(number: usize) -> ExitCode {
    let mut children = Vec::new();
    let mut status = ExitCode::SUCCESS;
    for _ in 0..number {
        match split() {
            Ok(Some(child)) => children.push(child),
            Ok(None) => {
                let _ = set_pdeathsig(Signal::SIGKILL);
                pause();
                return ExitCode::SUCCESS;
            }
            Err(errno) => {
                let (what, why) =
                    (format!("fork number {} failed", children.len() + 1), errno_causes::help("fork", errno, &[]));
                status = failed("hog", &what, errno, why.as_deref(), 1);
                break;
            }
        }
    }
    let _ = writeln!(stdout(), "{} children", children.len());
    // Unreaped children are ours alone, so none of these PIDs can have been given to another process.
    for child in &children {
        let _ = kill(*child, Signal::SIGKILL);
    }
    while wait().is_ok() {}
    status
}
