//! What `--version` says.

/// Its number, and of which commit it was built where that is known.
pub(crate) const SHORT: &str = concat!(env!("CARGO_PKG_VERSION"), env!("BOXWRIGHT_COMMIT"));

/// The same with the licences of everything in it. A test compares them with what the dependencies say.
pub(super) const LONG: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    env!("BOXWRIGHT_COMMIT"),
    "\nMIT OR Apache-2.0. The crates in it: Apache-2.0, Apache-2.0 WITH LLVM-exception, BSD-3-Clause, ISC, MIT, Unicode-3.0, Zlib."
);
