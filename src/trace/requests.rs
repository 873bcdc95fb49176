//! The requests of ptrace(2) that the tracer's thread makes of one stopped thread.
#![allow(unsafe_code)]

use crate::kernel::pid::Pid;
use nix::sys::ptrace;

/// Makes a ptrace request that lets a thread go on. ESRCH says that it was killed meanwhile, and its end will come.
pub(super) fn request(request: libc::c_uint, tid: Pid, signal: i32) {
    // SAFETY: these requests take two numbers and touch no memory of ours.
    unsafe { libc::ptrace(request, tid.0, std::ptr::null_mut::<libc::c_void>(), signal as libc::c_long) };
}

/// Number and arguments of the call at whose beginning a thread stands, if it is a stop of this kind.
pub(super) fn call_info(tid: Pid, kind: u8) -> Option<(i64, [u64; 6])> {
    let info = ptrace::syscall_info(tid.into()).ok().filter(|info| info.op == kind)?;
    // SAFETY: `op` says which part of the union the kernel has filled in, and both parts begin alike.
    Some(unsafe { (info.u.entry.nr as i64, info.u.entry.args) })
}

/// What the call at whose end a thread stands has returned; an error as a negative number.
pub(super) fn result(tid: Pid) -> Option<i64> {
    let exit = libc::PTRACE_SYSCALL_INFO_EXIT;
    let info = ptrace::syscall_info(tid.into()).ok().filter(|info| info.op == exit)?;
    // SAFETY: `op` says that the kernel has filled in this part of the union.
    Some(unsafe { info.u.exit.sval })
}
