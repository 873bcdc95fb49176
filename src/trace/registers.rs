//! Writing the registers with which a thread makes a call (ptrace(2)).

use super::memory::Width;
use crate::kernel::pid::Pid;

/// What is written before a call.
#[derive(Clone, Copy, Debug)]
pub(super) enum Register {
    /// The number of the call.
    Number,
    /// What it returns, where it is not made.
    Result,
    /// An argument, the first one as 0. Those of a call of i386, whose words are of four bytes, are elsewhere.
    Argument(usize, Width),
}

/// Whether this argument's register still holds it when the call has returned; else the result is there.
pub(super) const fn survives(argument: usize) -> bool {
    cfg!(target_arch = "x86_64") || argument > 0
}

/// Writes one; whether that could be done.
#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "nix does not write single registers")]
pub(super) fn write(tid: Pid, register: Register, value: u64) -> bool {
    // Indices of `orig_rax`, `rax`, `rdi`, `rsi`, `rdx`, `r10`, `r8`, `r9`, and of `rbx`, `rcx`, `rdx`, `rsi`, `rdi`, `rbp` in
    // `struct user_regs_struct`.
    let index: Option<&u64> = match register {
        Register::Number => Some(&15),
        Register::Result => Some(&10),
        Register::Argument(at, Width::Eight) => [14, 13, 12, 7, 9, 8].get(at),
        Register::Argument(at, Width::Four) => [5, 11, 12, 13, 14, 4].get(at),
    };
    let Some(index) = index else { return false };
    // SAFETY: the request takes numbers: a place in the registers of a thread that stands still, and a value.
    let done = unsafe { libc::ptrace(libc::PTRACE_POKEUSER, tid.0, index * 8, value) };
    done == 0
}

/// Writes one; whether that could be done.
#[cfg(not(target_arch = "x86_64"))]
#[expect(unsafe_code, reason = "nix does not write single registers")]
pub(super) fn write(tid: Pid, register: Register, value: u64) -> bool {
    /// The set of registers that holds the number of the call (`NT_ARM_SYSTEM_CALL`).
    const CALL: libc::c_int = 0x404;
    let set = |request: libc::c_uint, kind: libc::c_int, at: *mut libc::c_void, len: usize| {
        let mut place = libc::iovec { iov_base: at, iov_len: len };
        // SAFETY: the place is as long as it says, and lives until the request has read or filled it.
        let done = unsafe { libc::ptrace(request, tid.0, kind as libc::c_long, &mut place) };
        done == 0
    };
    if matches!(register, Register::Number) {
        let mut number = value as i32;
        return set(libc::PTRACE_SETREGSET, CALL, (&raw mut number).cast(), size_of::<i32>());
    }
    // The result and the first argument are both `x0`; the others follow. Nothing is read here that has words of four bytes.
    let at = match register {
        Register::Argument(_, Width::Four) => return false,
        Register::Argument(at, Width::Eight) => at,
        _ => 0,
    };
    let mut registers = [0u64; 34];
    let len = size_of_val(&registers);
    let read = set(libc::PTRACE_GETREGSET, libc::NT_PRSTATUS, registers.as_mut_ptr().cast(), len);
    let Some(place) = registers.get_mut(at) else { return false };
    *place = value;
    read && set(libc::PTRACE_SETREGSET, libc::NT_PRSTATUS, registers.as_mut_ptr().cast(), len)
}
