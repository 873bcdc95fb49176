//! One process as `/proc/PID` shows it (proc_pid_stat(5)): what ps and top print.

use super::{pid::Pid, text};
use nix::unistd::{SysconfVar, sysconf};
use std::fs;

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
    pub nice: i32,
    /// How many threads it has.
    pub threads: u64,
    /// The controlling terminal's device number; 0 for none.
    pub tty: u64,
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

/// Clock ticks a second, the unit of times in `/proc`: 100 on every machine that this program runs on (time(7)).
pub(crate) const TICKS: u64 = 100;

/// The size of a page in bytes (sysconf(3)): 4096, except on some machines with other processors.
pub(crate) fn page_size() -> usize {
    sysconf(SysconfVar::PAGE_SIZE).ok().flatten().and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(4096)
}

/// Reads a stat line. The program's name may hold blanks and brackets, so the last bracket ends it.
pub(crate) fn parse(stat: &str) -> Option<Process> {
    let (open, close) = (stat.find('(')?, stat.rfind(')')?);
    let rest: Vec<&str> = stat.get(close + 1..)?.split_ascii_whitespace().collect();
    // Fields are numbered from 1 in the manual; the state, here the first, is number 3.
    let number = |field: usize| rest.get(field - 3).and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    let process = |field: usize| rest.get(field - 3).and_then(|text| text.parse().ok()).unwrap_or_default();
    Some(Process {
        pid: stat.get(..open)?.trim().parse().ok()?,
        comm: stat.get(open + 1..close)?.to_string(),
        state: rest.first()?.chars().next()?,
        ppid: rest.get(1)?.parse().ok()?,
        group: process(5),
        session: process(6),
        foreground: process(8),
        nice: rest.get(19 - 3).and_then(|text| text.parse().ok()).unwrap_or(0),
        threads: number(20),
        tty: number(7),
        ticks: number(14) + number(15),
        start: number(22),
        virtual_bytes: number(23),
        resident_pages: number(24),
        ..Process::default()
    })
}

/// Reads one process; `None` where it has ended.
pub fn read(pid: Pid) -> Option<Process> {
    let text = |name: &str| text::read(pid.dir().join(name)).ok();
    let mut process = parse(&text("stat")?)?;
    let status = text("status")?;
    let uid = status.lines().find_map(|line| line.strip_prefix("Uid:"))?.split_whitespace().nth(1)?.parse().ok()?;
    process.uid = uid;
    process.command = text("cmdline")?.split_terminator('\0').map(str::to_string).collect();
    Some(process)
}

/// Every process that this `/proc` shows, in the order of their PIDs. No system call lists processes: this is it.
pub(crate) fn all() -> std::io::Result<Vec<Process>> {
    let names = fs::read_dir("/proc")?.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let mut pids: Vec<Pid> = names.collect();
    pids.sort_unstable();
    Ok(pids.into_iter().filter_map(read).collect())
}

impl Process {
    /// Resident memory in KiB.
    pub(crate) fn resident_kib(&self) -> u64 {
        self.resident_pages * (page_size() / 1024) as u64
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

    #[test]
    fn a_name_may_hold_brackets() {
        let stat = "42 (a) b (c) S 7 42 40 34819 42 0 1 2 3 4 100 50 0 0 20 0 1 0 999 4096 12 18446744073709551615";
        let process = parse(stat).unwrap();
        assert_eq!(
            (process.pid, process.ppid, process.comm.as_str(), process.state),
            (Pid(42), Pid(7), "a) b (c", 'S')
        );
        assert_eq!((process.session, process.ticks, process.start, process.resident_pages), (Pid(40), 150, 999, 12));
        assert_eq!((process.terminal(), process.states()), ("pts/3".into(), "S+".into()));
        assert_eq!(parse("42 (sh"), None);
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
        let of = |major: u64, minor: u64| {
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
        let kib = page_size() as u64 / 1024;
        assert!(page_size().is_power_of_two() && kib >= 4, "{kib}");
        assert_eq!(Process { resident_pages: 12, ..Process::default() }.resident_kib(), 12 * kib);
        let stat = "42 (sh) S 7 42 40 34819 42 0 1 2 3 4 100 50 0 0 20 -3 6 0 999 4096 12 18446744073709551615";
        let process = parse(stat).unwrap();
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
