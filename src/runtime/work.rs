//! Whether a command works or only waits: what its processes have used of the CPU, and read and written, so far (proc(5)).

use crate::kernel::{pid::Pid, text};
use std::fs;

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
        let (mut waiting, mut work, mut seen) = (vec![root], Work::default(), 0);
        while let Some(pid) = waiting.pop().filter(|_| seen < MAX_PROCESSES) {
            seen += 1;
            let path = pid.dir();
            let stat = fs::read(path.join("stat")).unwrap_or_default();
            work.ticks += ticks(&stat);
            work.ready |= is_ready(&stat);
            work.bytes += bytes(&fs::read(path.join("io")).unwrap_or_default());
            for task in fs::read_dir(path.join("task")).into_iter().flatten().flatten() {
                let children = fs::read(task.path().join("children")).unwrap_or_default();
                waiting.extend(numbers(&children).filter_map(|pid| i32::try_from(pid).ok()).map(Pid));
            }
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

/// Whether the third field, the state, says so: R waits for a CPU or has one, D for a disk or the like.
fn is_ready(stat: &[u8]) -> bool {
    let state = stat.iter().rposition(|byte| *byte == b')').and_then(|at| stat.get(at + 2));
    matches!(state, Some(b'R' | b'D'))
}

/// Whether one of our other threads would run.
fn others_are_ready() -> bool {
    let own = nix::unistd::gettid().to_string();
    let threads = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let others = threads.filter(|thread| thread.file_name().to_str() != Some(&own));
    others.map(|thread| fs::read(thread.path().join("stat")).unwrap_or_default()).any(|stat| is_ready(&stat))
}

fn numbers(text: &[u8]) -> impl Iterator<Item = u64> {
    text.split(|byte| byte.is_ascii_whitespace()).filter_map(|word| std::str::from_utf8(word).ok()?.parse().ok())
}

/// utime, stime, cutime and cstime: the 14th field and the three after it. The name before may hold anything.
fn ticks(stat: &[u8]) -> u64 {
    let rest = stat.iter().rposition(|byte| *byte == b')').and_then(|at| stat.get(at + 2..)).unwrap_or_default();
    let fields = rest.split(|byte| *byte == b' ').skip(11).take(4);
    fields.flat_map(numbers).sum()
}

/// rchar and wchar: what read(2) and write(2) moved, wherever it came from.
fn bytes(io: &[u8]) -> u64 {
    let lines = io.split(|byte| *byte == b'\n');
    lines.filter_map(|line| line.strip_prefix(b"rchar: ").or(line.strip_prefix(b"wchar: "))).flat_map(numbers).sum()
}

/// The name of a process, for people.
pub(super) fn name(pid: Pid) -> String {
    text::printable(text::read(pid.dir().join("comm")).unwrap_or_default().trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        io::{BufRead, BufReader},
        os::unix::process::CommandExt,
        process::{Command, Stdio},
    };

    #[test]
    fn fields_are_read_behind_any_name() {
        let stat = b"7 (a) b\xff) S 1 1 1 0 -1 4194304 1 2 3 4 10 20 30 40 20 0 1 0 5 6";
        assert_eq!(ticks(stat), 100);
        assert_eq!(bytes(b"rchar: 5\nwchar: 6\nsyscr: 100\n"), 11);
        assert_eq!((ticks(b""), bytes(b"")), (0, 0));
        assert!(is_ready(b"7 (a) S) R 1 1") && is_ready(b"7 (sh) D 1 1"));
        assert!(!is_ready(b"7 (a) R) S 1 1") && !is_ready(b"7 (sh) t 1 1") && !is_ready(b""));
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
