//! Seccomp filters: programs of the kernel that decide over system calls (seccomp(2), classic BPF).

use nix::errno::Errno;

/// What this program was compiled for: each architecture numbers its calls in its own way.
#[cfg(target_arch = "x86_64")]
pub(crate) const ARCH: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
pub(crate) const ARCH: u32 = 0xc000_00b7;

/// Numbers from here on are the x32 ABI of x86-64.
pub(crate) const X32: u32 = 0x4000_0000;

/// Offsets in `struct seccomp_data`: the number of the call, and the architecture.
pub(crate) const NR: u32 = 0;
pub(crate) const ARCH_AT: u32 = 4;

pub(crate) const LOAD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
pub(crate) const EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
pub(crate) const AT_LEAST: u16 = (libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K) as u16;

/// One instruction; a jump skips that many where the comparison holds, or does not.
pub(crate) const fn instruction(code: u16, k: u32, jt: u8, jf: u8) -> libc::sock_filter {
    libc::sock_filter { code, jt, jf, k }
}

/// A filter under which these calls come to `action`, and all others happen. A call of another architecture has other numbers,
/// so that none of them could be told: those are refused as calls that do not exist.
pub(crate) fn deny(calls: &[u32], action: u32) -> Vec<libc::sock_filter> {
    let unknown = verdict(libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32);
    let mut out = vec![
        instruction(LOAD, ARCH_AT, 0, 0),
        instruction(EQUAL, ARCH, 1, 0),
        unknown,
        instruction(LOAD, NR, 0, 0),
        instruction(AT_LEAST, X32, 0, 1),
        unknown,
    ];
    out.extend(calls.iter().flat_map(|number| [instruction(EQUAL, *number, 0, 1), verdict(action)]));
    out.push(verdict(libc::SECCOMP_RET_ALLOW));
    out
}

/// Ends a filter: `verdict` is what becomes of the call, such as SECCOMP_RET_ALLOW.
pub(crate) const fn verdict(verdict: u32) -> libc::sock_filter {
    libc::sock_filter { code: (libc::BPF_RET | libc::BPF_K) as u16, jt: 0, jf: 0, k: verdict }
}

/// Installs a filter for this process and everything it starts. A process with CAP_SYS_ADMIN keeps set-user-ID programs
/// working; without that capability the kernel wants no_new_privs first.
///
/// Errors: those of seccomp(2); ENOSYS where the kernel was built without filters, EINVAL where the program is none.
pub(crate) fn install(program: &mut [libc::sock_filter]) -> nix::Result<()> {
    match load(program) {
        Err(Errno::EACCES) => {
            nix::sys::prctl::set_no_new_privs()?;
            load(program)
        }
        other => other,
    }
}

/// Installs a filter as [`install`] does, and leaves no_new_privs as it is.
///
/// Errors: the same, and EACCES without CAP_SYS_ADMIN and without no_new_privs.
#[expect(unsafe_code, reason = "neither nix nor rustix has this call")]
pub(crate) fn load(program: &mut [libc::sock_filter]) -> nix::Result<()> {
    let len = u16::try_from(program.len()).map_err(|_| Errno::EINVAL)?;
    let filter = libc::sock_fprog { len, filter: program.as_mut_ptr() };
    // SAFETY: the program and its descriptor live until the call has copied them.
    Errno::result(unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, 0, &filter) }).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::apart::forked;

    /// What the kernel would make of a call with this number, of this architecture.
    fn judged(program: &[libc::sock_filter], number: u32, arch: u32) -> u32 {
        let (mut at, mut loaded) = (0, 0);
        loop {
            let step = &program[at];
            let jump = |holds: bool| usize::from(if holds { step.jt } else { step.jf });
            match step.code {
                LOAD => loaded = if step.k == NR { number } else { arch },
                EQUAL => at += jump(loaded == step.k),
                AT_LEAST => at += jump(loaded >= step.k),
                _ => return step.k,
            }
            at += 1;
        }
    }

    #[test]
    fn only_calls_that_are_named_are_denied() {
        let trap = libc::SECCOMP_RET_TRAP;
        let program = deny(&[7, 9], trap);
        let judged = |number, arch| judged(&program, number, arch);
        assert_eq!([7, 8, 9].map(|number| judged(number, ARCH)), [trap, libc::SECCOMP_RET_ALLOW, trap]);
        let unknown = libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32;
        assert_eq!((judged(8, ARCH + 1), judged(X32, ARCH), judged(X32 + 8, ARCH)), (unknown, unknown, unknown));
    }

    #[test]
    fn a_filter_holds_for_who_installs_it() {
        let told = forked(|| {
            let before = nix::unistd::getpgid(None);
            let mut program = deny(&[libc::SYS_getpgid as u32], libc::SECCOMP_RET_ERRNO | libc::EXDEV as u32);
            let installed = install(&mut program);
            format!("{} {installed:?} {:?}", before.is_ok(), nix::unistd::getpgid(None))
        });
        assert_eq!(told, "true Ok(()) Err(EXDEV)");
        let too_long = &mut vec![verdict(libc::SECCOMP_RET_ALLOW); 1 << 16];
        assert_eq!(load(too_long), Err(Errno::EINVAL));
    }
}
