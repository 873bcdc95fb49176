//! Bytes on their way from a thread that reads to one that uses them, in pieces whose memory goes round.

use crate::image::staging::go_on;
use std::{
    io::{self, Read},
    sync::mpsc::{Receiver, SyncSender, sync_channel},
};

/// How large a piece is, in bytes, and how many may be on their way.
const PIECE: usize = 256 << 10;
const PIECES: usize = 8;

/// The end of the thread that reads.
pub(crate) struct Filling {
    send: SyncSender<Vec<u8>>,
    used: Receiver<Vec<u8>>,
}

/// The other end: the pieces as one stream.
pub(crate) struct Pieces {
    receive: Receiver<Vec<u8>>,
    give_back: SyncSender<Vec<u8>>,
    piece: Vec<u8>,
    at: usize,
}

/// Both ends.
pub(crate) fn pieces() -> (Filling, Pieces) {
    let (send, receive) = sync_channel(PIECES);
    let (give_back, used) = sync_channel(PIECES);
    (Filling { send, used }, Pieces { receive, give_back, piece: Vec::new(), at: 0 })
}

impl Filling {
    /// Sends everything that a reader has; `see` sees each piece before. Tells whether all of it was wanted.
    pub(crate) fn send_all(
        self,
        from: &mut impl Read,
        mut see: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<bool> {
        loop {
            let mut piece = self.used.try_recv().unwrap_or_default();
            piece.resize(PIECE, 0);
            let mut filled = 0;
            while filled < PIECE {
                match from.read(piece.get_mut(filled..).unwrap_or_default()) {
                    Ok(0) => break,
                    Ok(count) => filled += count,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
            piece.truncate(filled);
            see(&piece)?;
            if filled == 0 {
                return Ok(true);
            }
            if self.send.send(piece).is_err() {
                return Ok(false);
            }
        }
    }
}

impl Pieces {
    /// What is left of the present piece, or the next one; empty at the end. Ctrl-C is an error.
    fn rest(&mut self) -> io::Result<&[u8]> {
        while self.at == self.piece.len() {
            go_on()?;
            match self.receive.recv() {
                Ok(piece) => {
                    let old = std::mem::replace(&mut self.piece, piece);
                    // The other end may have no room for it, or be gone.
                    let _ = self.give_back.try_send(old);
                    self.at = 0;
                }
                Err(_) => break,
            }
        }
        Ok(self.piece.get(self.at..).unwrap_or_default())
    }
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let rest = self.rest()?;
        let count = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), rest.get(..count)) {
            to.copy_from_slice(from);
        }
        self.at += count;
        Ok(count)
    }
}

impl io::BufRead for Pieces {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.rest()
    }

    fn consume(&mut self, count: usize) {
        self.at = (self.at + count).min(self.piece.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn everything_arrives_in_order_and_who_wants_no_more_ends_it() {
        let all: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
        let (filling, mut stream) = pieces();
        let (from, mut seen) = (all.clone(), 0);
        let sending = thread::spawn(move || {
            let whole = filling.send_all(&mut from.as_slice(), |piece| {
                seen += piece.len();
                Ok(())
            });
            (whole.unwrap(), seen)
        });
        let mut got = Vec::new();
        stream.read_to_end(&mut got).unwrap();
        assert!(got == all);
        assert_eq!(sending.join().unwrap(), (true, all.len()));
        let (filling, stream) = pieces();
        drop(stream);
        assert!(!filling.send_all(&mut all.as_slice(), |_| Ok(())).unwrap());
    }
}
