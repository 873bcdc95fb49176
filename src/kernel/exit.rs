//! Ending this process at once, whatever its other threads wait for.

use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, raise, sigaction};

/// Ends the process with this status: no destructor runs, and nothing that waits in a buffer is written (_exit(2)).
#[expect(unsafe_code, reason = "the standard library's exit would wait for locks and flush buffers")]
pub(crate) fn now(status: u8) -> ! {
    // SAFETY: the call takes a number and does not come back; the kernel takes away all that was ours.
    unsafe { libc::_exit(i32::from(status)) }
}

/// Ends the process by this signal, as if it had never been blocked.
#[expect(unsafe_code, reason = "nix marks sigaction(2) so")]
pub(crate) fn by(signal: Signal) -> ! {
    let default = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
    // SAFETY: this installs the kernel's own behaviour and no function of ours.
    let _ = unsafe { sigaction(signal, &default) };
    let _ = SigSet::from(signal).thread_unblock();
    let _ = raise(signal);
    // PID 1 of a PID namespace is not killed by the default behaviour (pid_namespaces(7)).
    now(128u8.saturating_add(signal as u8))
}
