//! Writing the registers with which a thread makes a call (ptrace(2)).

use crate::kernel::pid::Pid;

/// What is written before a call.
#[derive(Clone, Copy, Debug)]
pub(super) enum Register {
    /// The number of the call.
    Number,
    /// What it returns, where it is not made.
    Result,
    /// Its first argument.
    First,
    /// The same of a call of i386.
    FirstOfFour,
}

/// Writes one; whether that could be done.
#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "nix does not write single registers")]
pub(super) fn write(tid: Pid, register: Register, value: u64) -> bool {
    // Indices of `orig_rax`, `rax`, `rdi` and `rbx` in `struct user_regs_struct`.
    let index: u64 = match register {
        Register::Number => 15,
        Register::Result => 10,
        Register::First => 14,
        Register::FirstOfFour => 5,
    };
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
    // The result and the first argument are both `x0`.
    let mut registers = [0u64; 34];
    let len = size_of_val(&registers);
    let read = set(libc::PTRACE_GETREGSET, libc::NT_PRSTATUS, registers.as_mut_ptr().cast(), len);
    registers[0] = value;
    read && set(libc::PTRACE_SETREGSET, libc::NT_PRSTATUS, registers.as_mut_ptr().cast(), len)
}
