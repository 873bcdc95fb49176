//! Seccomp filters: programs of the kernel that decide over system calls (seccomp(2), classic BPF).

use nix::errno::Errno;

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

#[expect(unsafe_code, reason = "neither nix nor rustix has this call")]
fn load(program: &mut [libc::sock_filter]) -> nix::Result<()> {
    let len = u16::try_from(program.len()).map_err(|_| Errno::EINVAL)?;
    let filter = libc::sock_fprog { len, filter: program.as_mut_ptr() };
    // SAFETY: the program and its descriptor live until the call has copied them.
    Errno::result(unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, 0, &filter) }).map(drop)
}
