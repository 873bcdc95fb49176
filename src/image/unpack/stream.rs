//! From the stored bytes of a layer to the archive within: gzip, zstd, or as it is.

use crate::image::{Error, Result};
use crate::lang::say;
use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::StreamingDecoder;
use std::{
    fmt,
    io::{self, BufRead, BufReader, Cursor, Read},
};

/// How a layer is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// gzip, of which there may be several members.
    Gzip,
    /// zstd, of which there may be several frames.
    Zstd,
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Compression::None => "not compressed",
            Compression::Gzip => "gzip",
            Compression::Zstd => "zstd",
        })
    }
}

const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// A decoder keeps a whole window in memory. More than `zstd --long=27` writes, other tools refuse as well (RFC 8878, 3.1.1.1.2).
const WINDOW: u64 = 128 << 20;
const BUFFER: usize = 128 << 10;

impl Compression {
    /// What the media type of a layer says.
    pub(crate) fn of(media_type: &str, what: &str) -> Result<Compression> {
        let kind = media_type.rsplit(['+', '.']).next().unwrap_or_default();
        let tar = media_type.contains("layer") || media_type.contains("rootfs") || media_type.is_empty();
        match kind {
            "gzip" if tar => Ok(Compression::Gzip),
            "zstd" if tar => Ok(Compression::Zstd),
            "tar" if tar => Ok(Compression::None),
            _ => Err(Error::Unavailable {
                what: what.into(),
                why: format!("a layer of the type {media_type:?}, which is not known here"),
                hint: say(
                    "layers are tar archives, plain or compressed with gzip or zstd",
                    "层必须是 tar 归档，可不压缩，也可用 gzip 或 zstd 压缩",
                )
                .into(),
            }),
        }
    }

    /// What the first bytes say.
    pub(crate) fn sniff(start: &[u8]) -> Compression {
        match start {
            _ if start.starts_with(&GZIP) => Compression::Gzip,
            _ if start.starts_with(&ZSTD) => Compression::Zstd,
            _ => Compression::None,
        }
    }
}

/// The archive within, and how it was compressed: by its own first bytes, which cannot be wrong.
pub fn open(stored: impl Read + Send + 'static) -> io::Result<(Compression, Box<dyn Read + Send>)> {
    let mut stored = BufReader::with_capacity(BUFFER, stored);
    let compression = Compression::sniff(stored.fill_buf()?);
    let archive: Box<dyn Read + Send> = match compression {
        Compression::None => Box::new(stored),
        Compression::Gzip => Box::new(Gzip { decoder: MultiGzDecoder::new(stored), done: false }),
        Compression::Zstd => Box::new(Zstd { stored: Some(Box::new(stored)), frame: None }),
    };
    Ok((compression, archive))
}

/// Reads to the very end of what is stored, so that all of it is verified.
struct Gzip<R> {
    decoder: MultiGzDecoder<R>,
    done: bool,
}

impl<R: BufRead> Read for Gzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.done || buffer.is_empty() {
            return Ok(0);
        }
        let count = self.decoder.read(buffer).map_err(damaged)?;
        if count == 0 {
            self.done = true;
            io::copy(self.decoder.get_mut(), &mut io::sink())?;
        }
        Ok(count)
    }
}

/// The decoder's own words name neither gzip nor the trouble that there may be with the file. What comes from below it, such
/// as Ctrl-C or the fault of a registry, is said as it is.
fn damaged(error: io::Error) -> io::Error {
    let ours = error.get_ref().is_some_and(|inner| inner.is::<crate::image::Error>());
    match error.raw_os_error() {
        Some(_) => error,
        None if ours => error,
        None => io::Error::new(error.kind(), format!("its gzip data is damaged or cut short ({error})")),
    }
}

type Stored = Box<dyn Read + Send>;

struct Zstd {
    /// What comes after the frame that is open, where none is.
    stored: Option<Stored>,
    frame: Option<StreamingDecoder<Stored, ruzstd::decoding::FrameDecoder>>,
}

impl Zstd {
    /// Opens the next frame; skippable ones hold notes for other programs.
    fn next_frame(&mut self) -> io::Result<bool> {
        while let Some(mut stored) = self.stored.take() {
            let mut magic = Vec::new();
            (&mut stored).take(4).read_to_end(&mut magic)?;
            if magic.is_empty() {
                return Ok(false);
            }
            if magic.len() == 4
                && magic.first().is_some_and(|byte| byte & 0xf0 == 0x50)
                && magic.ends_with(&[0x2a, 0x4d, 0x18])
            {
                let mut length = [0; 4];
                stored.read_exact(&mut length)?;
                io::copy(&mut (&mut stored).take(u32::from_le_bytes(length).into()), &mut io::sink())?;
                self.stored = Some(stored);
                continue;
            }
            let rest: Stored = Box::new(Cursor::new(magic).chain(stored));
            let decoder = StreamingDecoder::new_with_max_window_size(rest, WINDOW);
            self.frame =
                Some(decoder.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, format!("zstd: {error}")))?);
            return Ok(true);
        }
        Ok(false)
    }
}

impl Read for Zstd {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            if let Some(frame) = &mut self.frame {
                let count = frame.read(buffer)?;
                if count > 0 {
                    return Ok(count);
                }
                self.stored = self.frame.take().map(StreamingDecoder::into_inner);
            }
            if !self.next_frame()? {
                return Ok(0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn read(stored: Vec<u8>) -> io::Result<Vec<u8>> {
        let mut all = Vec::new();
        open(Cursor::new(stored))?.1.read_to_end(&mut all)?;
        Ok(all)
    }

    #[test]
    fn every_member_and_frame_is_read() {
        assert_eq!(read([gzip(b"one"), gzip(b"two")].concat()).unwrap(), b"onetwo");
        let zstd = |bytes: &[u8]| ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest);
        let skippable = [0x53, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 9, 9].to_vec();
        assert_eq!(read([zstd(b"one"), skippable, zstd(b"two")].concat()).unwrap(), b"onetwo");
        assert_eq!(read(b"as it is".to_vec()).unwrap(), b"as it is");
    }

    #[test]
    fn what_is_cut_is_an_error() {
        let whole = gzip(&[7; 5000]);
        assert!(read(whole.get(..whole.len() - 9).unwrap().to_vec()).is_err());
    }

    #[test]
    fn media_types_of_both_worlds_are_known() {
        let table = [
            ("application/vnd.oci.image.layer.v1.tar+gzip", Some(Compression::Gzip)),
            ("application/vnd.oci.image.layer.v1.tar+zstd", Some(Compression::Zstd)),
            ("application/vnd.oci.image.layer.v1.tar", Some(Compression::None)),
            ("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", Some(Compression::Gzip)),
            ("application/vnd.docker.image.rootfs.diff.tar.gzip", Some(Compression::Gzip)),
            ("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", Some(Compression::Gzip)),
            ("application/vnd.in-toto+json", None),
            ("application/vnd.oci.image.layer.v1.tar+brotli", None),
        ];
        for (media_type, wanted) in table {
            assert_eq!(Compression::of(media_type, "layer").ok(), wanted, "{media_type}");
        }
    }
}
