//! Gives whatever comes to every reader of the kernel's text.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| boxwright::fuzzing::kernel_text(input));
