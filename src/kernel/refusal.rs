//! Whether a call of ours failed because boxwright's guard refused it, and not because the kernel did.

/// The option of prctl(2) that asks for it. A tracer of ours answers; the kernel does not know it and says EINVAL.
pub(crate) const ASK: u32 = u32::from_be_bytes(*b"boxr");

/// Whether the last call of this thread that a tracer of ours takes note of was refused.
#[expect(unsafe_code, reason = "no crate knows this call")]
pub(crate) fn was_refused() -> bool {
    // SAFETY: the call takes numbers.
    unsafe { libc::prctl(ASK as libc::c_int, 0, 0, 0, 0) == 1 }
}

#[cfg(test)]
mod tests {
    #[test]
    fn without_a_tracer_nothing_was_refused() {
        assert!(!super::was_refused());
    }
}
