//! Programs with some system calls refused, as a container's seccomp profile does it.

use boxwright::kernel::seccomp::{install, verdict};
use std::{
    os::unix::process::CommandExt,
    process::{Command, ExitCode},
};

/// The first argument of the process that becomes the program.
pub const DENY: &str = "__deny";

/// A program to which the kernel answers these calls with these errors, and to everything that it starts.
pub fn denied(calls: &[(libc::c_long, i32)], program: &str) -> Command {
    let calls: Vec<String> = calls.iter().map(|(call, errno)| format!("{call}={errno}")).collect();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([DENY, &calls.join(","), program]);
    command
}

/// The role of that process; it only comes back where it cannot become the program.
pub fn run(args: &[String]) -> ExitCode {
    let [calls, program, rest @ ..] = args else { return ExitCode::from(2) };
    let statement = |code: u32, k: u32| libc::sock_filter { code: code as u16, jt: 0, jf: 0, k };
    // `seccomp_data.nr` is the first word of what a filter looks at (seccomp(2)).
    let mut filter = vec![statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0)];
    for (call, errno) in calls.split(',').map(|rule| rule.split_once('=').unwrap()) {
        let equal = statement(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, call.parse().unwrap());
        filter.push(libc::sock_filter { jf: 1, ..equal });
        filter.push(verdict(libc::SECCOMP_RET_ERRNO | errno.parse::<u32>().unwrap()));
    }
    filter.push(verdict(libc::SECCOMP_RET_ALLOW));
    install(&mut filter).unwrap();
    panic!("{program}: {}", Command::new(program).args(rest).exec());
}
