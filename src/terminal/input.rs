//! Recognises a shell without prompt marks by what it does: it waits for its terminal.

use crate::kernel::{pid::Pid, process::parse_call, text};
use std::{
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom},
    path::Path,
};

/// The largest descriptor set that is read; programs that wait for more than that are no shells.
const SET: u64 = 1024;

/// Whether a process sleeps until its terminal has input: in read(2) on a terminal, or in poll(2) or select(2) with a
/// terminal among the descriptors (bash and busybox edit lines that way).
///
/// `None` where that cannot be known: the process is gone, or ptrace access to it is refused (proc_pid_syscall(5)).
pub(crate) fn waits_for_input(proc_root: &Path, pid: Pid) -> Option<bool> {
    let process = proc_root.join(pid.to_string());
    let Some((number, arguments)) = parse_call(&text::read(process.join("syscall")).ok()?) else { return Some(false) };
    let descriptors = match Waiting::of(number) {
        None => return Some(false),
        Some(Waiting::Read) => vec![arguments[0]],
        Some(Waiting::Poll) => {
            let length = arguments[1].min(SET);
            polled(&memory(&process, arguments[0], length * 8).ok()?)
        }
        Some(Waiting::Select) if arguments[1] == 0 => return Some(false),
        Some(Waiting::Select) => {
            let length = arguments[0].min(SET);
            selected(&memory(&process, arguments[1], length.div_ceil(64) * 8).ok()?)
        }
    };
    Some(descriptors.iter().any(|descriptor| is_terminal(&process.join(format!("fd/{descriptor}")))))
}

/// The system calls in which a program waits for input.
enum Waiting {
    Read,
    Poll,
    Select,
}

impl Waiting {
    fn of(number: i64) -> Option<Waiting> {
        match number {
            libc::SYS_read => Some(Waiting::Read),
            libc::SYS_ppoll => Some(Waiting::Poll),
            libc::SYS_pselect6 => Some(Waiting::Select),
            #[cfg(target_arch = "x86_64")]
            libc::SYS_poll => Some(Waiting::Poll),
            #[cfg(target_arch = "x86_64")]
            libc::SYS_select => Some(Waiting::Select),
            _ => None,
        }
    }
}

fn memory(process: &Path, address: u64, length: u64) -> io::Result<Vec<u8>> {
    let mut file = File::open(process.join("mem"))?;
    file.seek(SeekFrom::Start(address))?;
    let mut bytes = Vec::new();
    file.take(length).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The descriptors of an array of `struct pollfd` that are asked for input.
fn polled(bytes: &[u8]) -> Vec<u64> {
    let (entries, _) = bytes.as_chunks::<8>();
    let descriptor = |entry: &[u8; 8]| {
        let [a, b, c, d, e, f, ..] = *entry;
        let asked = i16::from_ne_bytes([e, f]) & libc::POLLIN != 0;
        u64::try_from(i32::from_ne_bytes([a, b, c, d])).ok().filter(|_| asked)
    };
    entries.iter().filter_map(descriptor).collect()
}

/// The descriptors in an `fd_set`, which the kernel sees as an array of unsigned long.
fn selected(bytes: &[u8]) -> Vec<u64> {
    let (words, _) = bytes.as_chunks::<8>();
    let bits = |(index, word): (u64, &[u8; 8])| {
        let word = u64::from_ne_bytes(*word);
        (0..64).filter(move |bit| word >> bit & 1 == 1).map(move |bit| index * 64 + bit)
    };
    (0..).zip(words).flat_map(bits).collect()
}

fn is_terminal(link: &Path) -> bool {
    fs::read_link(link).is_ok_and(|target| {
        let target = target.to_string_lossy();
        // A terminal of another devpts instance is shown by the path that it has there.
        target.starts_with("/dev/tty")
            || target.starts_with("/dev/pts/")
            || target == "/dev/console"
            || target.rsplit_once("/pts/").is_some_and(|(_, name)| name.parse::<u32>().is_ok())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptor_sets_are_decoded() {
        let entry = |fd: i32, events: i16| [fd.to_ne_bytes().as_slice(), &events.to_ne_bytes(), &[0, 0]].concat();
        assert_eq!(polled(&[entry(0, libc::POLLIN), entry(-1, libc::POLLIN), entry(5, libc::POLLOUT)].concat()), [0]);
        assert_eq!(selected(&[0b1001u64.to_ne_bytes(), 2u64.to_ne_bytes()].concat()), [0, 3, 65]);
        assert_eq!(selected(&[]), [0u64; 0]);
    }

    #[test]
    fn a_process_is_judged_by_its_call_and_its_descriptor() {
        let root = tempfile::tempdir().unwrap();
        let process = root.path().join("7");
        fs::create_dir_all(process.join("fd")).unwrap();
        let judge = |syscall: &str, target: &str| {
            fs::write(process.join("syscall"), syscall).unwrap();
            let _ = fs::remove_file(process.join("fd/0"));
            std::os::unix::fs::symlink(target, process.join("fd/0")).unwrap();
            waits_for_input(root.path(), Pid(7))
        };
        let read = format!("{} 0x0 0x1 0x1 0x0 0x0 0x0 0x0 0x0", libc::SYS_read);
        assert_eq!(judge(&read, "/dev/pts/3"), Some(true));
        assert_eq!(judge(&read, "pipe:[12]"), Some(false));
        assert_eq!(judge("running", "/dev/pts/3"), Some(false));
        assert_eq!(judge(&format!("{} 0x0 0x0 0x0 0x0 0x0 0x0 0x0 0x0", libc::SYS_wait4), "/dev/pts/3"), Some(false));
        assert_eq!(waits_for_input(root.path(), Pid(8)), None);
    }
}
