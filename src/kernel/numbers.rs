//! The numbers of system calls, which each architecture chooses for itself (syscalls(2)).

/// The number of a call that architectures after x86-64 do not have: `None` there.
macro_rules! old {
    ($number:ident) => {{
        #[cfg(target_arch = "x86_64")]
        const NUMBER: Option<i64> = Some(libc::$number);
        #[cfg(not(target_arch = "x86_64"))]
        const NUMBER: Option<i64> = None;
        NUMBER
    }};
}
pub(crate) use old;
