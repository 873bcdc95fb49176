//! Whether a program starts from a directory: the flags of a mount tell much, and a security module may still say no.

use nix::{
    errno::Errno,
    fcntl::{AT_FDCWD, OFlag, openat},
    sys::stat::Mode,
    unistd::write,
};
use std::{
    os::fd::{AsRawFd, OwnedFd},
    process::{Command, Stdio},
};

/// The number of this machine's processor in an ELF header, and `exit(0)` in its language. `None` where we know neither.
#[cfg(target_arch = "x86_64")]
const EXIT: Option<(u16, &[u8])> = Some((62, &[0x31, 0xff, 0xb8, 60, 0, 0, 0, 0x0f, 0x05]));
#[cfg(target_arch = "aarch64")]
const EXIT: Option<(u16, &[u8])> = Some((183, &[0, 0, 0x80, 0xd2, 0xa8, 0x0b, 0x80, 0xd2, 1, 0, 0, 0xd4]));
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
const EXIT: Option<(u16, &[u8])> = None;

/// Where the program is loaded, and how far its code lies behind that: after its two headers.
const LOADED_AT: u64 = 0x40_0000;
const HEADERS: u64 = 64 + 56;

/// The smallest program there is (elf(5)): one segment, with the headers and the code in it.
fn program() -> Option<Vec<u8>> {
    let (machine, code) = EXIT?;
    let size = HEADERS + code.len() as u64;
    let mut file = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    let mut put = |bytes: &[u8]| file.extend_from_slice(bytes);
    // ET_EXEC; version 1; the entry; the program header follows at once; no sections.
    [2, machine].iter().for_each(|half| put(&half.to_le_bytes()));
    put(&1u32.to_le_bytes());
    [LOADED_AT + HEADERS, 64, 0].iter().for_each(|word| put(&word.to_le_bytes()));
    put(&0u32.to_le_bytes());
    [64u16, 56, 1, 0, 0, 0].iter().for_each(|half| put(&half.to_le_bytes()));
    // PT_LOAD, readable and executable, the whole file; aligned for the largest pages there are.
    [1u32, 5].iter().for_each(|word| put(&word.to_le_bytes()));
    [0, LOADED_AT, LOADED_AT, size, size, 0x1_0000].iter().for_each(|word| put(&word.to_le_bytes()));
    put(code);
    Some(file)
}

/// Starts a program from this directory. It never has a name there, so that nothing can be left of it.
///
/// Errors: EACCES or EPERM where it may not be started; ENOSPC, EDQUOT or EROFS where not even this much can be written.
/// What cannot be tried, as on a file system without nameless files, is not an error.
pub(super) fn starts(dir: &OwnedFd) -> nix::Result<()> {
    let refused = |errno| match errno {
        Errno::EACCES | Errno::EPERM | Errno::ENOSPC | Errno::EDQUOT | Errno::EROFS => Err(errno),
        _ => Ok(()),
    };
    let Some(program) = program() else { return Ok(()) };
    let read_only = match written(dir, &program) {
        Ok(file) => file,
        Err(errno) => return refused(errno),
    };
    // The child has the same descriptor until it executes.
    let started = Command::new(format!("/proc/self/fd/{}", read_only.as_raw_fd()))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    match started {
        // Whether it was started is known by now.
        Ok(mut child) => {
            let _ = child.kill();
            let _ = child.wait();
            Ok(())
        }
        Err(error) => refused(Errno::from_raw(error.raw_os_error().unwrap_or_default())),
    }
}

/// A nameless file with this content, open for reading only: what is open for writing anywhere is not executed.
fn written(dir: &OwnedFd, content: &[u8]) -> nix::Result<OwnedFd> {
    let flags = OFlag::O_TMPFILE | OFlag::O_WRONLY | OFlag::O_CLOEXEC;
    let file = openat(dir, ".", flags, Mode::S_IRWXU)?;
    if write(&file, content)? != content.len() {
        return Err(Errno::ENOSPC);
    }
    let again = format!("/proc/self/fd/{}", file.as_raw_fd());
    openat(AT_FDCWD, again.as_str(), OFlag::O_RDONLY | OFlag::O_CLOEXEC, Mode::empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, os::unix::fs::PermissionsExt};

    #[test]
    #[cfg_attr(
        not(any(target_arch = "x86_64", target_arch = "aarch64")),
        ignore = "no program of this machine is known"
    )]
    fn the_smallest_program_ends_well() {
        let program = program().unwrap();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("smallest");
        fs::write(&path, &program).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
        // Through a shell: another test that forks at this moment may hold the file open for writing.
        let status = Command::new("sh").args(["-c", "cp \"$0\" \"$0.copy\" && exec \"$0.copy\""]).arg(&path).status();
        assert_eq!(status.unwrap().code(), Some(0));
        starts(&fs::File::open(dir.path()).unwrap().into()).unwrap();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "the trial leaves nothing");
    }
}
