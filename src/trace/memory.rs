//! Reading another process's memory (process_vm_readv(2)), as far as it can be read.

use nix::{
    sys::uio::{RemoteIoVec, process_vm_readv},
    unistd::Pid,
};
use std::io::IoSliceMut;

/// A read never crosses a page, because the next one may not be there.
const PAGE: u64 = 4096;

/// Reads at most so many bytes; fewer where the memory ends.
pub(super) fn bytes(pid: i32, address: u64, length: usize) -> Vec<u8> {
    let mut all = Vec::new();
    while all.len() < length {
        let at = address.wrapping_add(all.len() as u64);
        let part = (PAGE - at % PAGE).min((length - all.len()) as u64) as usize;
        let mut buffer = vec![0; part];
        let remote = [RemoteIoVec { base: at as usize, len: part }];
        match process_vm_readv(Pid::from_raw(pid), &mut [IoSliceMut::new(&mut buffer)], &remote) {
            Ok(count) if count > 0 => all.extend(buffer.get(..count).unwrap_or_default()),
            _ => break,
        }
    }
    all
}

/// Reads a C string of at most so many bytes; `None` where it cannot be read.
pub(super) fn text(pid: i32, address: u64, most: usize) -> Option<Vec<u8>> {
    let mut all: Vec<u8> = Vec::new();
    while all.len() < most {
        let at = address.wrapping_add(all.len() as u64);
        let part = bytes(pid, at, (PAGE - at % PAGE).min((most - all.len()) as u64) as usize);
        if part.is_empty() {
            return None;
        }
        match part.iter().position(|byte| *byte == 0) {
            Some(end) => {
                all.extend(part.get(..end).unwrap_or_default());
                return Some(all);
            }
            None => all.extend(part),
        }
    }
    Some(all)
}

/// Reads whole words; fewer where the memory ends.
pub(super) fn words(pid: i32, address: u64, count: usize) -> Vec<u64> {
    let all = bytes(pid, address, count * 8);
    all.as_chunks::<8>().0.iter().map(|word| u64::from_ne_bytes(*word)).collect()
}
