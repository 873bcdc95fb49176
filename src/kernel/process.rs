//! Processes as `/proc` shows them (proc_pid_stat(5)), read by procfs.
//!
//! Arguments are read here: procfs leaves out those that are empty, and fails where one is not UTF-8.

use super::{pid::Pid, text};
use procfs::{
    FromRead, ProcResult,
    process::{self, Stat, Status, Syscall, Task},
};
use std::{fs, path::Path};

/// What is read of a process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Process {
    /// Its PID, as the `/proc` that is read shows it.
    pub pid: Pid,
    /// Its parent's; 0 where the parent is not visible there.
    pub ppid: Pid,
    /// The name of its program.
    pub comm: String,
    /// R, S, D, T, t, Z, …
    pub state: char,
    /// Its process group.
    pub group: Pid,
    /// The session.
    pub session: Pid,
    /// The process group in the foreground of its terminal; -1 without one.
    pub foreground: Pid,
    /// Its nice value.
    pub nice: i64,
    /// How many threads it has.
    pub threads: i64,
    /// The controlling terminal's device number; 0 for none.
    pub tty: u32,
    /// CPU time in clock ticks: in user mode and in the kernel.
    pub ticks: u64,
    /// When it started, in clock ticks after boot.
    pub start: u64,
    /// Virtual memory in bytes.
    pub virtual_bytes: u64,
    /// Resident memory in pages.
    pub resident_pages: u64,
    /// Its user.
    pub uid: u32,
    /// Its arguments; empty for kernel threads and zombies.
    pub command: Vec<String>,
}

/// Reads a stat line. procfs panics where it has no name in brackets with fields behind them, as no line of the kernel's.
pub(crate) fn parse(stat: &str) -> Option<Stat> {
    let (pid, rest) = stat.trim().split_once(" (")?;
    let (_, fields) = rest.rsplit_once(") ")?;
    let whole = !pid.contains('(') && !fields.contains(')');
    whole.then(|| Stat::from_read(stat.as_bytes()).ok())?
}

/// What the kernel says of a process or thread in one line, by its directory in `/proc`; `None` where it has ended.
pub(crate) fn stat(dir: &Path) -> Option<Stat> {
    parse(&text::read(dir.join("stat")).ok()?)
}

/// What it says in many lines (proc_pid_status(5)).
pub(crate) fn status(dir: &Path) -> Option<Status> {
    text::read_as(dir.join("status")).ok()
}

/// The number and the arguments of the system call in which a process waits, from the text of `/proc/PID/syscall`; `None` of
/// one that runs, or is stopped outside of a call.
pub(crate) fn parse_call(syscall: &str) -> Option<(i64, [u64; 6])> {
    match Syscall::from_read(syscall.as_bytes()).ok()? {
        Syscall::Blocked { syscall_number, argument_registers, .. } => Some((syscall_number, argument_registers)),
        _ => None,
    }
}

/// Reads one process; `None` where it has ended.
pub fn read(pid: Pid) -> Option<Process> {
    let dir = pid.dir();
    let uid = status(&dir)?.euid;
    let command = text::read(dir.join("cmdline")).ok()?.split_terminator('\0').map(str::to_string).collect();
    Some(Process { uid, command, ..Process::from(stat(&dir)?) })
}

/// A process and all below it, as far as they can be seen: the shallowest first, and no more than this many.
pub(crate) fn family(root: Pid, max: usize) -> Vec<Pid> {
    let mut all = vec![root];
    let mut at = 0;
    while let Some(pid) = all.get(at).copied().filter(|_| all.len() < max) {
        at += 1;
        all.extend(children(pid));
    }
    all.truncate(max);
    all
}

/// The children of all threads of a process.
pub(crate) fn children(pid: Pid) -> Vec<Pid> {
    let threads = process::Process::new(pid.0).and_then(|process| process.tasks());
    let of = |thread: ProcResult<Task>| thread.and_then(|thread| thread.children()).unwrap_or_default();
    threads.into_iter().flatten().flat_map(of).map(|child| Pid(child.cast_signed())).collect()
}

/// The PIDs of all processes that this `/proc` shows, in order. No system call lists processes: this is it.
pub(crate) fn pids() -> std::io::Result<Vec<Pid>> {
    let names = fs::read_dir("/proc")?.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let mut pids: Vec<Pid> = names.collect();
    pids.sort_unstable();
    Ok(pids)
}

/// All of these processes.
pub(crate) fn all() -> std::io::Result<Vec<Process>> {
    Ok(pids()?.into_iter().filter_map(read).collect())
}

impl From<Stat> for Process {
    fn from(stat: Stat) -> Process {
        Process {
            pid: Pid(stat.pid),
            ppid: Pid(stat.ppid),
            comm: stat.comm,
            state: stat.state,
            group: Pid(stat.pgrp),
            session: Pid(stat.session),
            foreground: Pid(stat.tpgid),
            nice: stat.nice,
            threads: stat.num_threads,
            tty: stat.tty_nr.cast_unsigned(),
            ticks: stat.utime + stat.stime,
            start: stat.starttime,
            virtual_bytes: stat.vsize,
            resident_pages: stat.rss,
            ..Process::default()
        }
    }
}

impl Process {
    /// Resident memory in KiB.
    pub(crate) fn resident_kib(&self) -> u64 {
        self.resident_pages * (procfs::page_size() / 1024)
    }

    /// The state with the letters that ps adds: session leader, threads, foreground, niceness.
    pub(crate) fn states(&self) -> String {
        let more = [
            ('<', self.nice < 0),
            ('N', self.nice > 0),
            ('s', self.session == self.pid),
            ('l', self.threads > 1),
            ('+', self.foreground == self.group && self.group != Pid(0)),
        ];
        std::iter::once(self.state).chain(more.into_iter().filter(|(_, is)| *is).map(|(letter, _)| letter)).collect()
    }

    /// The arguments in one line, or the program's name in brackets.
    pub(crate) fn line(&self) -> String {
        match (self.command.is_empty(), self.state) {
            (false, _) => self.command.join(" "),
            (true, 'Z') => format!("[{}] <defunct>", self.comm),
            (true, _) => format!("[{}]", self.comm),
        }
    }

    /// The name of the controlling terminal, such as `pts/3`.
    pub(crate) fn terminal(&self) -> String {
        // The minor number has 20 bits, of which the upper 12 stand above the major one (makedev(3)).
        let (major, minor) = ((self.tty >> 8) & 0xfff, (self.tty & 0xff) | ((self.tty >> 12) & 0xf_ff00));
        match (self.tty, major) {
            (0, _) => "?".into(),
            (_, 136..=143) => format!("pts/{}", (major - 136) * 256 + minor),
            (_, 4) if minor < 64 => format!("tty{minor}"),
            (_, 4) => format!("ttyS{}", minor - 64),
            (_, 5) if minor == 1 => "console".into(),
            _ => format!("{major}:{minor}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The process of a stat line, whose last fields are left to this.
    fn process(stat: &str) -> Process {
        parse(&format!("{stat}{}", " 0".repeat(28))).unwrap().into()
    }

    #[test]
    fn a_name_may_hold_brackets() {
        let process = process("42 (a) b (c) S 7 42 40 34819 42 0 1 2 3 4 100 50 0 0 20 0 1 0 999 4096 12");
        assert_eq!(
            (process.pid, process.ppid, process.comm.as_str(), process.state),
            (Pid(42), Pid(7), "a) b (c", 'S')
        );
        assert_eq!((process.session, process.ticks, process.start, process.resident_pages), (Pid(40), 150, 999, 12));
        assert_eq!((process.terminal(), process.states()), ("pts/3".into(), "S+".into()));
        for broken in ["", "42 (sh", "42 (sh)", "(sh) S 7", "42(sh) S 7", ") (", ") ( ) S", "42 (sh) S", "é(sh) S 7 42"]
        {
            assert!(parse(broken).is_none(), "{broken}");
        }
    }

    #[test]
    fn a_call_is_one_that_the_process_waits_in() {
        let text = "0 0x0 0x7ffe1c 0x1 0x0 0x0 0x0 0x7ffe1c5d8 0x7f1b2c\n";
        assert_eq!(parse_call(text), Some((0, [0, 0x7ffe1c, 1, 0, 0, 0])));
        for none in ["running\n", "-1 0x7ffe1c5d8 0x7f1b2c\n", "0 0x0\n", ""] {
            assert_eq!(parse_call(none), None, "{none}");
        }
    }

    #[test]
    fn a_family_is_all_below_whichever_thread_has_made_it() {
        let sleep = || std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let made = std::thread::spawn(move || {
            let mut child = sleep();
            let (own, below) = (Pid::own(), Pid::of(&child));
            let found = (children(own).contains(&below), family(own, 1), family(own, 500).contains(&below));
            child.kill().unwrap();
            child.wait().unwrap();
            (found, family(below, 500))
        });
        let (found, ended) = made.join().unwrap();
        assert_eq!((found, ended.len()), ((true, vec![Pid::own()], true), 1));
    }

    #[test]
    fn the_letters_behind_a_state_are_those_of_ps() {
        let of = |change: fn(&mut Process)| {
            let mut process = Process {
                pid: Pid(5),
                state: 'S',
                group: Pid(5),
                foreground: Pid(9),
                threads: 1,
                ..Process::default()
            };
            change(&mut process);
            process.states()
        };
        for (wanted, states) in [
            ("S", of(|_| {})),
            ("S<", of(|process| process.nice = -1)),
            ("SN", of(|process| process.nice = 1)),
            ("Ss", of(|process| process.session = Pid(5))),
            ("Sl", of(|process| process.threads = 2)),
            ("S+", of(|process| process.foreground = Pid(5))),
            // Without a terminal there is no foreground.
            ("S", of(|process| (process.foreground, process.group) = (Pid(0), Pid(0)))),
            (
                "R<sl+",
                of(|process| {
                    (process.state, process.nice, process.session, process.threads) = ('R', -20, Pid(5), 3);
                    process.foreground = Pid(5);
                }),
            ),
        ] {
            assert_eq!(states, wanted);
        }
    }

    #[test]
    fn a_line_is_the_arguments_or_the_name_in_brackets() {
        let of = |state, words: &[&str]| {
            let command = words.iter().map(ToString::to_string).collect();
            Process { state, comm: "sh".into(), command, ..Process::default() }.line()
        };
        assert_eq!(of('S', &["sh", "-c", "a b"]), "sh -c a b");
        assert_eq!((of('I', &[]), of('Z', &[])), ("[sh]".into(), "[sh] <defunct>".into()));
        assert_eq!(of('Z', &["sh"]), "sh");
    }

    #[test]
    fn a_terminal_has_the_name_of_its_device() {
        let of = |major: u32, minor: u32| {
            // As the kernel encodes it (new_encode_dev).
            Process { tty: minor & 0xff | major << 8 | (minor & !0xff) << 12, ..Process::default() }.terminal()
        };
        for (major, minor, name) in [
            (0, 0, "?"),
            (136, 0, "pts/0"),
            (136, 255, "pts/255"),
            (137, 1, "pts/257"),
            (143, 255, "pts/2047"),
            (136, 300, "pts/300"),
            (4, 0, "tty0"),
            (4, 63, "tty63"),
            (4, 64, "ttyS0"),
            (4, 66, "ttyS2"),
            (5, 1, "console"),
            (5, 0, "5:0"),
            (204, 64, "204:64"),
        ] {
            assert_eq!(of(major, minor), name);
        }
    }

    #[test]
    fn memory_is_told_in_kib() {
        let kib = procfs::page_size() / 1024;
        assert!(kib.is_power_of_two() && kib >= 4, "{kib}");
        assert_eq!(Process { resident_pages: 12, ..Process::default() }.resident_kib(), 12 * kib);
        let process = process("42 (sh) S 7 42 40 34819 42 0 1 2 3 4 100 50 0 0 20 -3 6 0 999 4096 12");
        assert_eq!((process.nice, process.threads, process.virtual_bytes), (-3, 6, 4096));
    }

    #[test]
    fn we_are_among_all_processes() {
        let me = Pid::own();
        let all = all().unwrap();
        assert!(all.is_sorted_by_key(|process| process.pid));
        assert!(all.iter().any(|process| process.pid == me && !process.command.is_empty()));
    }
}
