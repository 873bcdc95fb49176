//! Reading a tar archive, entry by entry, from a stream that may be hostile (ustar, GNU, PAX: tar(5)).
//!
//! Headers are read with the `tar` crate. What stands around them is read here, because the crate keeps extended headers
//! of any size in memory, and does not know PAX's sparse files.

use super::pax::{self, Extended, Records, Sparse};
use std::io::{self, Read};
use tar::{EntryType, Header};

/// Extended headers and maps larger than this are no honest ones: in bytes, alone, and what is kept of all before an entry.
const MAX_EXTENDED: u64 = 1 << 20;
/// The same of global headers, which are kept to the end of the archive.
const MAX_GLOBAL: u64 = 64 << 10;
const BLOCK: usize = 512;
/// Where a header has its checksum.
const CHECKSUM: std::ops::Range<usize> = 148..156;
/// How much of an unwanted file is read at a time.
const PIECE: usize = 32 << 10;

/// What an entry is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A plain file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link with this text.
    Symlink(Vec<u8>),
    /// Another name for this path of the archive.
    HardLink(Vec<u8>),
    /// A character device: major and minor number.
    Character(u32, u32),
    /// A block device.
    Block(u32, u32),
    /// A named pipe.
    Fifo,
}

/// One entry, without its content.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its path, byte for byte.
    pub path: Vec<u8>,
    /// What it is.
    pub kind: Kind,
    /// Permissions with setuid, setgid and sticky bits.
    pub mode: u32,
    /// The owner's number.
    pub uid: u32,
    /// The group's number.
    pub gid: u32,
    /// The owner's name, for listings.
    pub user: String,
    /// The group's name, for listings.
    pub group: String,
    /// Time of last change: seconds and nanoseconds.
    pub mtime: (i64, u32),
    /// Extended attributes.
    pub xattrs: Vec<(Vec<u8>, Vec<u8>)>,
    /// The size of the file, holes included.
    pub size: u64,
    /// Where a sparse file has data: offset and length of each piece.
    pub pieces: Option<Vec<(u64, u64)>>,
}

/// The entries of an archive. Reading from it reads the content of the newest entry.
pub struct Entries<R> {
    reader: R,
    left: u64,
    padding: u64,
    global: Extended,
}

fn malformed(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("malformed archive: {what}"))
}

/// Where the data of a sparse file belongs: offset and length of each piece, in bytes.
type Pieces = Vec<(u64, u64)>;

impl<R: Read> Entries<R> {
    /// Reads an archive from its beginning.
    pub fn new(reader: R) -> Entries<R> {
        Entries { reader, left: 0, padding: 0, global: Extended::default() }
    }

    /// The stream after the end of the archive.
    pub(crate) fn into_inner(self) -> R {
        self.reader
    }

    /// The stream itself.
    pub(crate) fn reader(&mut self) -> &mut R {
        &mut self.reader
    }

    /// Leaves the newest entry: the caller passes over as many bytes as this says, and is then at the next header.
    pub(crate) fn leave(&mut self) -> u64 {
        std::mem::take(&mut self.left).saturating_add(std::mem::take(&mut self.padding))
    }

    /// The next entry; what was not read of the one before is passed over.
    pub(crate) fn next_entry(&mut self) -> io::Result<Option<Entry>> {
        let (mut extended, mut long_path, mut long_link) = (Extended::default(), None, None);
        loop {
            self.pass_over()?;
            let Some(header) = self.header()? else { return Ok(None) };
            let size = stored_size(&header)?;
            match header.entry_type() {
                EntryType::XHeader => extended.add(&self.extended(size)?, MAX_EXTENDED)?,
                EntryType::XGlobalHeader => {
                    let more = self.extended(size)?;
                    self.global.add(&more, MAX_GLOBAL)?;
                }
                EntryType::GNULongName => long_path = Some(pax::until_nul(self.extended(size)?)),
                EntryType::GNULongLink => long_link = Some(pax::until_nul(self.extended(size)?)),
                _ => return self.finish(&header, extended, long_path, long_link).map(Some),
            }
        }
    }

    /// Two empty blocks end an archive, and so does the end of the stream.
    fn header(&mut self) -> io::Result<Option<Header>> {
        let mut header = Header::new_old();
        let mut filled = 0;
        while filled < BLOCK {
            match self.reader.read(header.as_mut_bytes().get_mut(filled..).unwrap_or_default()) {
                Ok(0) if filled == 0 => return Ok(None),
                Ok(0) => return Err(malformed("it ends within a header: is this a whole tar archive?")),
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        let bytes = header.as_bytes();
        if bytes.iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        // The checksum counts its own field as spaces.
        let field: u32 = bytes.get(CHECKSUM).unwrap_or_default().iter().map(|byte| u32::from(*byte)).sum();
        let spaces = 32 * CHECKSUM.len() as u32;
        let sum = bytes.iter().map(|byte| u32::from(*byte)).sum::<u32>() - field + spaces;
        // Some old programs counted bytes with a sign.
        let signed = || {
            let high = bytes.iter().enumerate().filter(|(at, byte)| !CHECKSUM.contains(at) && **byte >= 128).count();
            sum.wrapping_sub(256 * high as u32)
        };
        if !header.cksum().is_ok_and(|told| told == sum || told == signed()) {
            return Err(malformed("the checksum of a header is wrong: is this a tar archive?"));
        }
        Ok(Some(header))
    }

    fn extended(&mut self, size: u64) -> io::Result<Vec<u8>> {
        if size > MAX_EXTENDED {
            return Err(malformed(&format!("an extended header of {size} bytes (at most {MAX_EXTENDED})")));
        }
        self.begin(size);
        let mut bytes = Vec::new();
        self.take(size).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn begin(&mut self, size: u64) {
        (self.left, self.padding) = (size, (BLOCK as u64 - size % BLOCK as u64) % BLOCK as u64);
    }

    fn finish(
        &mut self,
        header: &Header,
        own: Extended,
        long_path: Option<Vec<u8>>,
        long_link: Option<Vec<u8>>,
    ) -> io::Result<Entry> {
        let extended = Records { own: &own, global: &self.global };
        let stored = match extended.number("size")? {
            Some(size) => size,
            None => stored_size(header)?,
        };
        let path = extended.bytes("GNU.sparse.name").or_else(|| extended.bytes("path")).or(long_path);
        let path = path.unwrap_or_else(|| header.path_bytes().into_owned());
        let link = extended.bytes("linkpath").or(long_link);
        let link = link.unwrap_or_else(|| header.link_name_bytes().unwrap_or_default().into_owned());
        let device = || -> io::Result<(u32, u32)> {
            let major = or_zero(header, 329..337, || header.device_major().map(Option::unwrap_or_default))?;
            let minor = or_zero(header, 337..345, || header.device_minor().map(Option::unwrap_or_default))?;
            Ok((major, minor))
        };
        let kind = match header.entry_type() {
            // Before POSIX a directory was a file whose name ends in a slash.
            EntryType::Regular if path.ends_with(b"/") => Kind::Directory,
            EntryType::Directory => Kind::Directory,
            EntryType::Symlink => Kind::Symlink(link),
            EntryType::Link => Kind::HardLink(link),
            EntryType::Char => device().map(|(major, minor)| Kind::Character(major, minor))?,
            EntryType::Block => device().map(|(major, minor)| Kind::Block(major, minor))?,
            EntryType::Fifo => Kind::Fifo,
            // POSIX: types that are not known are plain files.
            _ => Kind::File,
        };
        let sparse = if kind == Kind::File { extended.sparse()? } else { Sparse::Not };
        let (mtime, xattrs) = (extended.time("mtime")?, extended.xattrs());
        let ids = (extended.number("uid")?, extended.number("gid")?);
        // Only files have content: POSIX lets a link carry the size of what it links to, without the bytes.
        self.begin(if kind == Kind::File { stored } else { 0 });
        let (size, pieces) = match kind {
            Kind::File => self.sparse(header, sparse, stored)?,
            _ => (0, None),
        };
        let id = |number: u64| u32::try_from(number).map_err(|_| malformed(&format!("an owner {number}")));
        Ok(Entry {
            path,
            kind,
            mode: or_zero(header, 100..108, || header.mode())? & 0o7777,
            uid: id(ids.0.map_or_else(|| or_zero(header, 108..116, || header.uid()), Ok)?)?,
            gid: id(ids.1.map_or_else(|| or_zero(header, 116..124, || header.gid()), Ok)?)?,
            user: name(header.username_bytes()),
            group: name(header.groupname_bytes()),
            mtime: mtime.unwrap_or((header.mtime().unwrap_or(0).cast_signed(), 0)),
            xattrs,
            size,
            pieces,
        })
    }

    /// A sparse file's size and pieces: GNU's old header, or one of PAX's three ways.
    fn sparse(&mut self, header: &Header, told: Sparse, stored: u64) -> io::Result<(u64, Option<Pieces>)> {
        let old = header.entry_type() == EntryType::GNUSparse;
        let (size, pieces) = if let Some(gnu) = header.as_gnu().filter(|_| old) {
            let mut pieces = Vec::new();
            for piece in gnu.sparse.iter().filter(|piece| !piece.is_empty()) {
                pieces.push((piece.offset()?, piece.length()?));
            }
            let mut more = gnu.is_extended();
            while more {
                // These blocks stand between header and content and belong to neither.
                let mut block = tar::GnuExtSparseHeader::new();
                self.reader.read_exact(block.as_mut_bytes())?;
                for piece in block.sparse().iter().filter(|piece| !piece.is_empty()) {
                    pieces.push((piece.offset()?, piece.length()?));
                }
                more = block.is_extended();
                if pieces.len() as u64 * 16 > MAX_EXTENDED {
                    return Err(malformed("too many pieces of a sparse file"));
                }
            }
            (gnu.real_size()?, pieces)
        } else {
            match told {
                Sparse::Before(size) => (size, self.sparse_map()?),
                Sparse::Map(size, pieces) => (size, pieces),
                Sparse::Not => return Ok((stored, None)),
            }
        };
        // Pieces come in order, do not overlap, lie within the file, and are what is stored.
        let mut end = 0u64;
        for (offset, length) in &pieces {
            let next = offset.checked_add(*length).filter(|next| *offset >= end && *next <= size);
            end = next.ok_or_else(|| malformed("the pieces of a sparse file overlap"))?;
        }
        if pieces.iter().map(|(_, length)| length).sum::<u64>() != self.left {
            return Err(malformed("the pieces of a sparse file are not what is stored"));
        }
        Ok((size, Some(pieces)))
    }

    /// PAX sparse 1.0: the map is decimal lines before the content, filled up to whole blocks.
    fn sparse_map(&mut self) -> io::Result<Vec<(u64, u64)>> {
        let (mut numbers, mut wanted, mut digits, mut read) = (Vec::new(), None, String::new(), 0u64);
        while wanted != Some(numbers.len()) {
            let mut block = [0; BLOCK];
            self.read_exact(&mut block)?;
            read += BLOCK as u64;
            if read > MAX_EXTENDED {
                return Err(malformed("too long a map of a sparse file"));
            }
            for byte in block {
                match byte {
                    b'0'..=b'9' if digits.len() < 20 => digits.push(byte.into()),
                    b'\n' => {
                        let number: u64 = digits.parse().map_err(|_| malformed("the map of a sparse file"))?;
                        digits.clear();
                        match wanted {
                            None => wanted = usize::try_from(number).ok().and_then(|count| count.checked_mul(2)),
                            Some(_) => numbers.push(number),
                        }
                        if wanted.is_some_and(|wanted| numbers.len() >= wanted) {
                            break;
                        }
                    }
                    _ => return Err(malformed("the map of a sparse file")),
                }
            }
        }
        Ok(numbers.chunks_exact(2).filter_map(|pair| Some((*pair.first()?, *pair.get(1)?))).collect())
    }

    fn pass_over(&mut self) -> io::Result<()> {
        if self.left > 0 {
            let mut rest = vec![0; PIECE];
            while self.left > 0 {
                if self.read(&mut rest)? == 0 {
                    return Err(malformed("it ends within a file"));
                }
            }
        }
        let (mut rest, mut left) = ([0; BLOCK], std::mem::take(&mut self.padding) as usize);
        while left > 0 {
            match self.reader.read(rest.get_mut(..left).unwrap_or_default()) {
                Ok(0) => return Err(malformed("it ends within a file")),
                Ok(count) => left -= count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

impl<R: Read> Read for Entries<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let count = self.reader.read(buffer.get_mut(..most).unwrap_or_default())?;
        if count == 0 && most > 0 {
            return Err(malformed("it ends within a file"));
        }
        self.left -= count as u64;
        Ok(count)
    }
}

/// How many bytes a header says that follow it.
fn stored_size(header: &Header) -> io::Result<u64> {
    or_zero(header, 124..136, || header.entry_size())
}

/// A number that a header does not give is zero: some programs leave the field blank where it means nothing.
fn or_zero<T: Default>(
    header: &Header,
    field: std::ops::Range<usize>,
    read: impl FnOnce() -> io::Result<T>,
) -> io::Result<T> {
    let field = header.as_bytes().get(field).unwrap_or_default();
    if field.iter().all(|byte| matches!(byte, 0 | b' ')) { Ok(T::default()) } else { read() }
}

fn name(bytes: Option<&[u8]>) -> String {
    String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned()
}
