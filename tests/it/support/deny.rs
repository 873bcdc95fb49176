//! System calls refused to a program, as a container's seccomp profile or an old kernel refuses them.

use std::{io, os::unix::process::CommandExt, process::Command};

/// The program that `command` starts, and all that it starts, gets `errno` for each of these system calls.
#[expect(unsafe_code, reason = "the filter is installed between fork and exec, which only pre_exec can do")]
pub fn deny(command: &mut Command, calls: &[libc::c_long], errno: i32) {
    let code = |bits: u32| u16::try_from(bits).unwrap();
    // Offset 0 of struct seccomp_data is the number of the call.
    let mut program =
        vec![libc::sock_filter { code: code(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS), jt: 0, jf: 0, k: 0 }];
    for call in calls {
        let jump = code(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K);
        program.push(libc::sock_filter { code: jump, jt: 0, jf: 1, k: u32::try_from(*call).unwrap() });
        program.push(answer(libc::SECCOMP_RET_ERRNO | errno as u32));
    }
    program.push(answer(libc::SECCOMP_RET_ALLOW));
    let install = move || {
        let mut program = program.clone();
        let filter = libc::sock_fprog { len: u16::try_from(program.len()).unwrap(), filter: program.as_mut_ptr() };
        // SAFETY: the program and its descriptor outlive the two calls, which copy them.
        let installed = unsafe {
            libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
                && libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, 0, &filter) == 0
        };
        if installed { Ok(()) } else { Err(io::Error::last_os_error()) }
    };
    // SAFETY: the closure copies a short vector and makes two system calls; this process has made no lock that it waits for.
    unsafe { command.pre_exec(install) };
}

/// A program to which the kernel answers these calls with these errors, and to everything that it starts.
pub fn denied(calls: &[(libc::c_long, i32)], program: &str) -> Command {
    let mut command = Command::new(program);
    calls.iter().for_each(|(call, errno)| deny(&mut command, &[*call], *errno));
    command
}

fn answer(k: u32) -> libc::sock_filter {
    libc::sock_filter { code: u16::try_from(libc::BPF_RET | libc::BPF_K).unwrap(), jt: 0, jf: 0, k }
}
