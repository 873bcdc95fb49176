//! Decodes any system call with any registers, which lead into a memory of any content, or nowhere.

#![no_main]

use libfuzzer_sys::fuzz_target;

/// As much of the caller's memory as is made.
const MEMORY: usize = 512;

fuzz_target!(|input: &[u8]| {
    // Which call; six registers of two bytes each; how many pointers are written into the memory, and which; the memory.
    let Some(([number, kinds, many, registers @ ..], rest)) = input.split_first_chunk::<15>() else { return };
    let (pointers, content) = rest.split_at(rest.len().min(2 * usize::from(*many % 8)));
    let mut memory = [0u64; MEMORY / 8 + 1];
    let base = memory.as_ptr() as u64;
    for (word, bytes) in memory.iter_mut().take(MEMORY / 8).zip(content.chunks(8)) {
        let mut whole = [0; 8];
        whole[..bytes.len()].copy_from_slice(bytes);
        *word = u64::from_ne_bytes(whole);
    }
    for pointer in pointers.chunks_exact(2) {
        let place = usize::from(pointer[0]) % (MEMORY / 8);
        memory[place] = base + u64::from(pointer[1]);
    }
    let mut values = [0; 6];
    for (index, (value, bytes)) in values.iter_mut().zip(registers.chunks_exact(2)).enumerate() {
        let raw = u16::from_ne_bytes([bytes[0], bytes[1]]);
        *value = match (kinds >> index & 1, bytes[1] >> 6) {
            (0, _) => base + u64::from(raw) % MEMORY as u64,
            // A small number, one with high bits, one below nought, one bit.
            (_, 0) => u64::from(bytes[0]),
            (_, 1) => u64::from(raw) << 16,
            (_, 2) => i64::from(raw as i16) as u64,
            (_, _) => 1u64.wrapping_shl(bytes[0].into()),
        };
    }
    let of_i386 = kinds & 0x80 != 0;
    // All numbers of i386 are below 512.
    let number = u64::from(*number) + if of_i386 && kinds & 0x40 != 0 { 256 } else { 0 };
    boxwright::fuzzing::call(number, of_i386, values);
});
