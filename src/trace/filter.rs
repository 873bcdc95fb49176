//! The seccomp filter that stops a process before the interesting calls (seccomp(2), classic BPF).

use super::{
    calls::{TABLE, Trap},
    i386,
};
use crate::kernel::seccomp::{self, ARCH_AT, AT_LEAST, EQUAL, LOAD, NR, instruction, verdict};
pub(super) use crate::kernel::seccomp::{ARCH, X32};

/// The offset of the arguments in `struct seccomp_data`.
const ARGS: u32 = 16;

const SKIP: u16 = (libc::BPF_JMP | libc::BPF_JA) as u16;
const ANY_BIT: u16 = (libc::BPF_JMP | libc::BPF_JSET | libc::BPF_K) as u16;

/// The program. A jump skips that many instructions: every call is one block that the next number skips.
fn program() -> Vec<libc::sock_filter> {
    let mut native =
        vec![instruction(LOAD, NR, 0, 0), instruction(AT_LEAST, X32, 0, 1), verdict(libc::SECCOMP_RET_TRACE)];
    for call in TABLE {
        native.extend(call.number.into_iter().flat_map(|number| block(number as u32, call.trap)));
    }
    native.push(verdict(libc::SECCOMP_RET_ALLOW));
    let mut out = vec![
        instruction(LOAD, ARCH_AT, 0, 0),
        instruction(EQUAL, ARCH, 0, 1),
        // The other jumps reach no further than 255 instructions.
        instruction(SKIP, 1, 0, 0),
        instruction(SKIP, native.len() as u32, 0, 0),
    ];
    out.extend(native);
    if let Some(arch) = i386::ARCH {
        out.extend([instruction(EQUAL, arch, 1, 0), verdict(libc::SECCOMP_RET_TRACE), instruction(LOAD, NR, 0, 0)]);
        for call in TABLE {
            out.extend(i386::numbers(call).iter().flat_map(|number| block(*number as u32, call.trap)));
        }
        out.extend(i386::OTHERS.iter().flat_map(|(number, trap)| block(*number as u32, *trap)));
        out.push(verdict(libc::SECCOMP_RET_ALLOW));
    } else {
        out.push(verdict(libc::SECCOMP_RET_TRACE));
    }
    out
}

/// What becomes of the call of this number; any other number skips it all.
fn block(number: u32, trap: Trap) -> Vec<libc::sock_filter> {
    let (allow, trace) = (libc::SECCOMP_RET_ALLOW, libc::SECCOMP_RET_TRACE);
    // The low half of an argument holds every flag that is asked for; on little-endian machines it comes first.
    let argument = |index: usize| ARGS + 8 * index as u32;
    match trap {
        Trap::Always => vec![instruction(EQUAL, number, 0, 1), verdict(trace)],
        Trap::Never => Vec::new(),
        Trap::OneOf(index, numbers) => {
            // Each comparison skips the rest to the verdict behind them.
            let count = numbers.len() as u8;
            let mut out = vec![instruction(EQUAL, number, 0, count + 3), instruction(LOAD, argument(index), 0, 0)];
            let each = numbers.iter().zip(1..);
            out.extend(each.map(|(wanted, place)| instruction(EQUAL, *wanted, count - place + 1, 0)));
            out.extend([verdict(allow), verdict(trace)]);
            out
        }
        Trap::Unless(index, bits) | Trap::If(index, bits) | Trap::Except(index, bits) => {
            let (set, clear) = if matches!(trap, Trap::If(..)) { (trace, allow) } else { (allow, trace) };
            let test = if matches!(trap, Trap::Except(..)) { EQUAL } else { ANY_BIT };
            vec![
                instruction(EQUAL, number, 0, 4),
                instruction(LOAD, argument(index), 0, 0),
                instruction(test, bits, 0, 1),
                verdict(set),
                verdict(clear),
            ]
        }
    }
}

/// Installs the filter for this process and everything it starts.
///
/// Errors: those of [`seccomp::install`].
pub(super) fn install() -> nix::Result<()> {
    seccomp::install(&mut program())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: u32 = libc::SECCOMP_RET_TRACE;
    const ALLOW: u32 = libc::SECCOMP_RET_ALLOW;

    fn run(number: i64, args: [u64; 6]) -> u32 {
        run_on(ARCH, number, args)
    }

    /// Runs the program as the kernel would.
    fn run_on(arch: u32, number: i64, args: [u64; 6]) -> u32 {
        let program = program();
        let (mut at, mut value) = (0, 0u32);
        loop {
            let step = program[at];
            at += 1;
            match step.code {
                LOAD => {
                    value = match step.k {
                        NR => number as u32,
                        ARCH_AT => arch,
                        offset => args[(offset - ARGS) as usize / 8] as u32,
                    }
                }
                code if code == verdict(ALLOW).code => return step.k,
                SKIP => at += step.k as usize,
                code => {
                    let holds = match code {
                        EQUAL => value == step.k,
                        AT_LEAST => value >= step.k,
                        _ => value & step.k != 0,
                    };
                    at += usize::from(if holds { step.jt } else { step.jf });
                }
            }
        }
    }

    #[test]
    fn only_interesting_calls_are_stopped() {
        assert_eq!(run(libc::SYS_unshare, [0; 6]), TRACE);
        assert_eq!(run(libc::SYS_read, [0; 6]), ALLOW);
        assert_eq!(run(libc::SYS_clone, [libc::SIGCHLD as u64, 0, 0, 0, 0, 0]), TRACE);
        assert_eq!(run(libc::SYS_clone, [libc::CLONE_THREAD as u64, 0, 0, 0, 0, 0]), ALLOW, "a thread");
        assert_eq!(run(libc::SYS_openat, [0, 0, libc::O_RDONLY as u64, 0, 0, 0]), ALLOW);
        assert_eq!(run(libc::SYS_openat, [0, 0, (libc::O_WRONLY | libc::O_CREAT) as u64, 0, 0, 0]), TRACE);
        assert_eq!(run(libc::SYS_prctl, [38, 1, 0, 0, 0, 0]), TRACE, "PR_SET_NO_NEW_PRIVS");
        assert_eq!(run(libc::SYS_prctl, [47, 1, 0, 0, 0, 0]), TRACE, "PR_CAP_AMBIENT, the last one");
        assert_eq!(run(libc::SYS_prctl, [8, 1, 0, 0, 0, 0]), TRACE, "PR_SET_KEEPCAPS, the first one");
        assert_eq!(run(libc::SYS_prctl, [15, 1, 0, 0, 0, 0]), ALLOW, "PR_SET_NAME");
        assert_eq!(run(libc::SYS_capset, [0; 6]), TRACE, "what comes after it");
        assert_eq!(run(libc::SYS_kill, [4711, 9, 0, 0, 0, 0]), TRACE);
        assert_eq!(run(libc::SYS_kill, [4711, 0, 0, 0, 0, 0]), ALLOW, "it only asks");
        assert_eq!(run(libc::SYS_tgkill, [1, 2, libc::SIGURG as u64, 0, 0, 0]), ALLOW, "Go does so all the time");
        assert_eq!(run(libc::SYS_setsockopt, [3, 0, 64, 0, 0, 0]), TRACE, "IPT_SO_SET_REPLACE");
        assert_eq!(run(libc::SYS_setsockopt, [3, 1, 2, 0, 0, 0]), ALLOW, "SO_REUSEADDR");
        assert_eq!(run(libc::SYS_unlinkat, [0; 6]), ALLOW);
        assert_eq!(run(libc::SYS_unlinkat, [0, 0, libc::AT_REMOVEDIR as u64, 0, 0, 0]), TRACE);
        assert_eq!(run(i64::from(X32), [0; 6]), TRACE, "another ABI, which is told");
        assert_eq!(run_on(7, 0, [0; 6]), TRACE, "another architecture");
    }

    #[test]
    #[cfg_attr(not(target_arch = "x86_64"), ignore = "only x86_64 runs programs of i386")]
    fn calls_of_i386_are_stopped_by_their_own_numbers() {
        let run = |number, args| run_on(i386::ARCH.unwrap(), number, args);
        assert_eq!(run(310, [0; 6]), TRACE, "unshare");
        assert_eq!(run(libc::SYS_unshare, [0; 6]), ALLOW, "statfs64_old has that number here");
        assert_eq!(run(3, [0; 6]), ALLOW, "read");
        assert_eq!(run(120, [libc::CLONE_THREAD as u64, 0, 0, 0, 0, 0]), ALLOW, "a thread");
        assert_eq!(run(5, [0, libc::O_WRONLY as u64, 0, 0, 0, 0]), TRACE, "open for writing");
        assert_eq!(run(117, [0; 6]), TRACE, "ipc");
        assert_eq!(run(102, [1, 0, 0, 0, 0, 0]), TRACE, "a socket");
        assert_eq!(run(102, [9, 0, 0, 0, 0, 0]), ALLOW, "send");
    }
}
