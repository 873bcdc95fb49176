//! Digests: the names of everything in an image, and readers that compare them with the bytes.

use super::{Error, Result, manifest::Descriptor, staging::go_on};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256, Sha512};
use std::{
    fmt,
    io::{self, Read, Write},
    str::FromStr,
};

/// A digest, `sha256:HEX` (OCI image specification, descriptor).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest {
    algorithm: Algorithm,
    hex: String,
}

/// The two registered algorithms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Algorithm {
    /// The usual one.
    Sha256,
    /// What the specification also allows.
    Sha512,
}

impl Algorithm {
    /// Its name in a digest and in a layout's `blobs`.
    pub fn name(self) -> &'static str {
        match self {
            Algorithm::Sha256 => "sha256",
            Algorithm::Sha512 => "sha512",
        }
    }
}

impl Digest {
    /// The digest of some bytes.
    pub fn of(bytes: &[u8]) -> Digest {
        let mut hasher = Hasher::new(Algorithm::Sha256);
        hasher.update(bytes);
        hasher.finish()
    }

    /// The algorithm.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The digits alone: the name of a blob's file.
    pub fn hex(&self) -> &str {
        &self.hex
    }

    /// Twelve digits are enough for people to tell layers apart.
    pub fn short(&self) -> &str {
        self.hex.get(..12).unwrap_or(&self.hex)
    }
}

impl FromStr for Digest {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Digest, String> {
        let (name, hex) = text.split_once(':').ok_or_else(|| format!("{text:?} is not a digest: sha256:HEX"))?;
        let algorithm = [Algorithm::Sha256, Algorithm::Sha512].into_iter().find(|known| known.name() == name);
        let algorithm = algorithm.ok_or_else(|| format!("{name:?} is not a digest algorithm that is known here"))?;
        let digits = if algorithm == Algorithm::Sha256 { 64 } else { 128 };
        // The digits become a file name, so nothing else may pass.
        let plain = hex.len() == digits && hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if plain { Ok(Digest { algorithm, hex: hex.into() }) } else { Err(format!("{text:?} is not a {name} digest")) }
    }
}

impl TryFrom<String> for Digest {
    type Error = String;

    fn try_from(text: String) -> std::result::Result<Digest, String> {
        text.parse()
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> String {
        digest.to_string()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.algorithm.name(), self.hex)
    }
}

/// Computes a digest piece by piece.
#[derive(Clone, Debug)]
pub(crate) enum Hasher {
    /// SHA-256.
    Sha256(Sha256),
    /// SHA-512.
    Sha512(Sha512),
}

impl Hasher {
    /// Begins.
    pub(crate) fn new(algorithm: Algorithm) -> Hasher {
        match algorithm {
            Algorithm::Sha256 => Hasher::Sha256(Sha256::new()),
            Algorithm::Sha512 => Hasher::Sha512(Sha512::new()),
        }
    }

    /// The next bytes.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Hasher::Sha256(hasher) => hasher.update(bytes),
            Hasher::Sha512(hasher) => hasher.update(bytes),
        }
    }

    /// The digest of all of them.
    pub(crate) fn finish(self) -> Digest {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        match self {
            Hasher::Sha256(hasher) => Digest { algorithm: Algorithm::Sha256, hex: hex(&hasher.finalize()) },
            Hasher::Sha512(hasher) => Digest { algorithm: Algorithm::Sha512, hex: hex(&hasher.finalize()) },
        }
    }
}

/// A reader that ends well only where the bytes are those of the descriptor: the right number and the right digest.
#[derive(Debug)]
pub(crate) struct Verified<R> {
    inner: R,
    what: String,
    descriptor: Descriptor,
    hasher: Option<Hasher>,
    seen: u64,
}

impl<R: Read> Verified<R> {
    /// Reads what `descriptor` names; `what` is the name for people.
    pub(crate) fn new(inner: R, descriptor: &Descriptor, what: impl Into<String>) -> Verified<R> {
        let hasher = Some(Hasher::new(descriptor.digest.algorithm()));
        Verified { inner, what: what.into(), descriptor: descriptor.clone(), hasher, seen: 0 }
    }

    fn end(&mut self) -> Result<()> {
        let expected = self.descriptor.size;
        if self.seen != expected {
            return Err(Error::Size { what: self.what.clone(), expected, found: self.seen });
        }
        let found = self.hasher.take().map(Hasher::finish);
        match found {
            Some(found) if found != self.descriptor.digest => {
                Err(Error::Digest { what: self.what.clone(), expected: self.descriptor.digest.clone(), found })
            }
            _ => Ok(()),
        }
    }
}

impl<R: Read> Read for Verified<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        go_on()?;
        let count = self.inner.read(buffer)?;
        if count == 0 && !buffer.is_empty() {
            self.end()?;
            return Ok(0);
        }
        self.seen += count as u64;
        if let (Some(hasher), Some(bytes)) = (&mut self.hasher, buffer.get(..count)) {
            hasher.update(bytes);
        }
        if self.seen > self.descriptor.size {
            // A source with more than promised may send for ever.
            let (expected, found) = (self.descriptor.size, self.seen);
            return Err(Error::Size { what: self.what.clone(), expected, found }.into());
        }
        Ok(count)
    }
}

/// Hashes what goes by on its way to a writer.
#[derive(Debug)]
pub(super) struct Hashing<W> {
    pub inner: W,
    pub hasher: Hasher,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.hasher.update(bytes.get(..count).unwrap_or_default());
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], promised: &[u8]) -> io::Result<Vec<u8>> {
        let descriptor =
            Descriptor { digest: Digest::of(promised), size: promised.len() as u64, ..Descriptor::default() };
        let mut all = Vec::new();
        Verified::new(bytes, &descriptor, "layer 1").read_to_end(&mut all)?;
        Ok(all)
    }

    #[test]
    fn only_the_promised_bytes_pass() {
        assert_eq!(read(b"abc", b"abc").unwrap(), b"abc");
        let message = |bytes: &[u8]| read(bytes, b"abc").unwrap_err().to_string();
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(
            message(b"abd"),
            format!("layer 1: its digest is {}, expected sha256:{expected}", Digest::of(b"abd"))
        );
        assert_eq!(message(b"ab"), "layer 1: 2 bytes, expected 3");
        assert_eq!(message(b"abcd"), "layer 1: 4 bytes, expected 3");
    }

    #[test]
    fn a_digest_is_no_path() {
        for text in ["sha256:../../../etc/passwd", "sha256:", "abc", "md5:00", &format!("sha256:{}", "A".repeat(64))] {
            assert!(text.parse::<Digest>().is_err(), "{text}");
        }
    }
}
