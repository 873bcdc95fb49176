//! A file system that never answers, as one of FUSE whose program hangs, or one of NFS whose server is away.

use std::{ffi::CString, io, os::unix::process::CommandExt, path::Path, process::Command};

/// The descriptor of the file system's program, which is not read.
const SERVER: i32 = 200;

/// The program that `command` starts is in a mount namespace of its own, where such a file system covers this file or
/// directory. It ends with the program.
#[expect(unsafe_code, reason = "it is mounted between fork and exec, which only pre_exec can do")]
pub fn silent(command: &mut Command, point: &Path) {
    let kind = if point.is_file() { "100000" } else { "40000" };
    let options = CString::new(format!("fd={SERVER},rootmode={kind},user_id=0,group_id=0")).unwrap();
    let point = CString::new(point.as_os_str().as_encoded_bytes()).unwrap();
    let mount = move || {
        let private = libc::MS_REC | libc::MS_PRIVATE;
        let none = std::ptr::null();
        // SAFETY: the texts end with NUL and outlive the calls, which copy them.
        let done = unsafe {
            libc::unshare(libc::CLONE_NEWNS) == 0
                && libc::mount(none, c"/".as_ptr(), none, private, none.cast()) == 0
                && libc::dup2(libc::open(c"/dev/fuse".as_ptr(), libc::O_RDWR), SERVER) == SERVER
                && libc::mount(c"silent".as_ptr(), point.as_ptr(), c"fuse.silent".as_ptr(), 0, options.as_ptr().cast())
                    == 0
        };
        if done { Ok(()) } else { Err(io::Error::last_os_error()) }
    };
    // SAFETY: the closure makes a few system calls and takes no memory.
    unsafe { command.pre_exec(mount) };
}
