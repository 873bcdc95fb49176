//! Whether a command works or only waits: what its processes have used of the CPU, and read and written, so far (proc(5)).

use crate::kernel::{pid::Pid, process, text};
use procfs::process::{Io, Process, Stat};

/// A tree of processes has at most so many that are looked at.
const MAX_PROCESSES: usize = 1000;
/// What is called work, between two looks: so many clock ticks (sysconf(3), usually 10 ms) or bytes.
const TICKS: u64 = 5;
const BYTES: u64 = 16 << 10;

/// What the processes of a terminal have done so far: clock ticks of CPU time, and bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Work {
    ticks: u64,
    bytes: u64,
    /// One of them would go on if it had a CPU or a disk, or a thread of ours that serves them would.
    ready: bool,
}

impl Work {
    /// What a process and its descendants have done. One that ends meanwhile counts for its parent.
    pub(super) fn of(root: Pid) -> Work {
        let mut work = Work::default();
        for dir in process::family(root, MAX_PROCESSES).into_iter().map(Pid::dir) {
            if let Some(stat) = process::stat(&dir) {
                work.ticks += ticks(&stat);
                work.ready |= is_ready(&stat);
            }
            work.bytes += text::read_as(dir.join("io")).map_or(0, bytes);
        }
        work.ready |= others_are_ready();
        work
    }

    /// Whether something stands still only because others have the CPUs: on a busy machine that takes longer than any patience.
    pub(super) fn is_ready(self) -> bool {
        self.ready
    }

    /// Whether something was done since then that is worth waiting for. Starting a program that then only waits is not.
    pub(super) fn is_more_than(self, before: Work) -> bool {
        self.ticks.saturating_sub(before.ticks) >= TICKS || self.bytes.saturating_sub(before.bytes) >= BYTES
    }
}

/// Whether it waits for a CPU or has one (R), or waits for a disk or the like (D).
fn is_ready(stat: &Stat) -> bool {
    matches!(stat.state, 'R' | 'D')
}

/// Whether one of our other threads would run.
fn others_are_ready() -> bool {
    let own = nix::unistd::gettid().as_raw();
    let threads = Process::myself().and_then(|process| process.tasks()).into_iter().flatten().flatten();
    threads.filter(|thread| thread.tid != own).filter_map(|thread| thread.stat().ok()).any(|stat| is_ready(&stat))
}

/// Its own, and that of the children whose end it has seen.
fn ticks(stat: &Stat) -> u64 {
    stat.utime + stat.stime + (stat.cutime + stat.cstime).cast_unsigned()
}

/// What read(2) and write(2) moved, wherever it came from.
fn bytes(io: Io) -> u64 {
    io.rchar + io.wchar
}

/// The name of a process, for people.
pub(super) fn name(pid: Pid) -> String {
    text::printable(text::read(pid.dir().join("comm")).unwrap_or_default().trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;
    use procfs::FromRead;
    use std::{
        io::{BufRead, BufReader},
        os::unix::process::CommandExt,
        process::{Command, Stdio},
    };

    #[test]
    fn fields_are_read_behind_any_name() {
        let stat = |name: &str, state: char| {
            let stat = format!("7 ({name}) {state} 1 1 1 0 -1 0 1 2 3 4 10 20 30 40 20 0 1 0 5 6{}", " 0".repeat(29));
            process::parse(&stat).unwrap()
        };
        assert_eq!(ticks(&stat("a) b\u{fffd}", 'S')), 100);
        let io = "rchar: 5\nwchar: 6\nsyscr: 100\nsyscw: 0\nread_bytes: 0\nwrite_bytes: 0\ncancelled_write_bytes: 0\n";
        assert_eq!(bytes(Io::from_read(io.as_bytes()).unwrap()), 11);
        assert!(is_ready(&stat("a) S", 'R')) && is_ready(&stat("sh", 'D')));
        assert!(!is_ready(&stat("a) R", 'S')) && !is_ready(&stat("sh", 't')));
    }

    #[test]
    fn who_sleeps_does_nothing_and_who_computes_or_copies_does() {
        for (line, works) in [
            ("echo; sleep 0.1; echo; exec sleep 60", false),
            ("echo; (i=0; while [ $i -lt 250000 ]; do i=$((i+1)); done; echo; exec sleep 60)", true),
            ("echo; dd if=/dev/zero of=/dev/null bs=1 count=20000 2>/dev/null; echo; exec sleep 60", true),
        ] {
            // The last one holds the pipe open, and goes with its group.
            let mut sh = Command::new("sh");
            let mut child = sh.args(["-c", line]).stdout(Stdio::piped()).process_group(0).spawn().unwrap();
            let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
            let mut seen = || lines.next().unwrap().map(|_| Work::of(Pid::of(&child))).unwrap();
            let (before, after) = (seen(), seen());
            nix::sys::signal::killpg(Pid::of(&child).into(), nix::sys::signal::SIGKILL).unwrap();
            child.wait().unwrap();
            assert_eq!(after.is_more_than(before), works, "{line}: {before:?}, {after:?}");
        }
    }
}
