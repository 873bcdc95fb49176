//! The memory of a traced process, read as its system calls' arguments point into it.

use super::stop::Stopped;
use nix::sys::uio::{RemoteIoVec, process_vm_readv};
use std::io::IoSliceMut;

/// Reads never cross this many bytes at once, because the next page may not be there.
const PAGE: u64 = 4096;

/// How many bytes a pointer has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Width {
    /// In a program of i386.
    Four,
    /// In all others.
    Eight,
}

/// The memory of a thread's process, to be read as long as the thread stands still.
#[derive(Clone, Copy, Debug)]
pub(super) struct Memory<'a>(&'a Stopped, Width);

impl<'a> Memory<'a> {
    pub(super) fn new(stop: &'a Stopped) -> Memory<'a> {
        Memory(stop, Width::Eight)
    }

    /// The same with pointers of this width.
    pub(super) fn with(self, width: Width) -> Memory<'a> {
        Memory(self.0, width)
    }

    /// How many bytes a pointer has.
    pub(super) fn width(self) -> Width {
        self.1
    }

    /// Fills the buffer from this address as far as memory is there, and says how far.
    fn read(self, address: u64, buffer: &mut [u8]) -> usize {
        let mut done = 0;
        while done < buffer.len() {
            let Some(base) = address.checked_add(done as u64) else { break };
            let len = ((PAGE - base % PAGE) as usize).min(buffer.len() - done);
            let remote = [RemoteIoVec { base: base as usize, len }];
            let local = &mut buffer[done..done + len];
            match process_vm_readv(self.0.tid().into(), &mut [IoSliceMut::new(local)], &remote) {
                Ok(read) if read > 0 => done += read,
                _ => break,
            }
        }
        done
    }

    /// Exactly this many bytes.
    pub(super) fn bytes(self, address: u64, len: usize) -> Option<Vec<u8>> {
        let mut buffer = vec![0; len];
        (self.read(address, &mut buffer) == len).then_some(buffer)
    }

    /// The bytes before the first NUL, at most `most` of them; and whether there are more.
    pub(super) fn text(self, address: u64, most: usize) -> Option<(Vec<u8>, bool)> {
        let mut text = Vec::new();
        while text.len() <= most {
            let at = address.checked_add(text.len() as u64)?;
            let mut part = vec![0; ((PAGE - at % PAGE) as usize).min(256)];
            let read = self.read(at, &mut part);
            if read == 0 {
                return None;
            }
            if let Some(end) = part[..read].iter().position(|&byte| byte == 0) {
                text.extend_from_slice(&part[..end]);
                let more = text.len() > most;
                text.truncate(most);
                return Some((text, more));
            }
            text.extend_from_slice(&part[..read]);
        }
        text.truncate(most);
        Some((text, true))
    }

    /// One 64-bit word.
    pub(super) fn word(self, address: u64) -> Option<u64> {
        let mut word = [0; 8];
        (self.read(address, &mut word) == 8).then(|| u64::from_ne_bytes(word))
    }

    /// The pointer, or the size, of this index in an array.
    pub(super) fn pointer(self, address: u64, index: u64) -> Option<u64> {
        match self.1 {
            Width::Eight => self.word(address.checked_add(8 * index)?),
            Width::Four => {
                let bytes = self.bytes(address.checked_add(4 * index)?, 4)?;
                Some(u32::from_ne_bytes(bytes.try_into().ok()?).into())
            }
        }
    }

    /// Pointers up to the first zero, at most `most`.
    pub(super) fn words(self, address: u64, most: usize) -> Option<Vec<u64>> {
        let mut words = Vec::new();
        while words.len() < most {
            match self.pointer(address, words.len() as u64)? {
                0 => break,
                word => words.push(word),
            }
        }
        Some(words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_an_address_points_to() {
        let own = Stopped::own();
        let me = Memory::new(&own);
        let text = *b"unshare\0rest";
        let address = text.as_ptr() as u64;
        assert_eq!(me.text(address, 100), Some((b"unshare".to_vec(), false)));
        assert_eq!(me.text(address, 3), Some((b"uns".to_vec(), true)));
        assert_eq!(me.bytes(address, 9), Some(b"unshare\0r".to_vec()));
        assert_eq!(me.text(8, 100), None, "nothing is mapped there");
        let words = [7u64, 9, 0, 1];
        assert_eq!(me.words(words.as_ptr() as u64, 10), Some(vec![7, 9]));
        let (narrow, words) = (me.with(Width::Four), [7u32, 9, u32::MAX, 0, 1]);
        assert_eq!(narrow.words(words.as_ptr() as u64, 10), Some(vec![7, 9, u32::MAX.into()]));
    }
}
