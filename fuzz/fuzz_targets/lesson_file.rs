//! Reads whatever comes as a lesson.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &str| boxwright::fuzzing::lesson(input));
