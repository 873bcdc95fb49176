//! Images that are one file: a tar archive, perhaps compressed, of an OCI layout or of what `docker save` writes.
//!
//! Nothing of such an archive is ever unpacked: its members are found once, by name, and read where they are. So no name
//! and no link in it can lead anywhere. A compressed one is decompressed once ([`spool`]).

pub(super) mod docker;
pub(super) mod oci;
mod spool;
pub(super) mod write;

use super::{
    Error, Result,
    staging::{go_on, open_plain},
    unpack::{
        clean,
        entries::{Entries, Kind},
        stream::Compression,
    },
};
use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, BufReader, Read, Seek},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::Arc,
};

/// An image has a few files for each layer; an archive with more members, or longer names in all (in bytes), is something
/// else.
const MAX_MEMBERS: usize = 100_000;
const MAX_NAMES: usize = 8 << 20;
/// How many links may lead from one to the next.
const MAX_LINKS: usize = 8;

/// Where in the uncompressed archive a member's content is, or which other member it is.
#[derive(Clone, Debug)]
enum Member {
    Content { at: u64, size: u64 },
    Link(Vec<u8>),
}

/// The members of an archive.
#[derive(Debug)]
struct Archive {
    path: PathBuf,
    /// The archive without its compression.
    file: Arc<File>,
    members: BTreeMap<Vec<u8>, Member>,
}

impl Archive {
    /// Looks through the whole archive once, from header to header.
    fn open(path: &Path) -> Result<Archive> {
        let what = path.display().to_string();
        let fail = |error| Error::from_io(what.as_str(), error);
        let mut file = open_plain(path)?;
        let mut start = [0; 4];
        let count = file.read_at(&mut start, 0).map_err(fail)?;
        if Compression::sniff(start.get(..count).unwrap_or_default()) != Compression::None {
            file = spool::spool(file, &what)?;
        }
        let length = file.metadata().map_err(fail)?.len();
        file.rewind().map_err(fail)?;
        let file = Arc::new(file);
        let mut entries = Entries::new(BufReader::new(Part { file: Arc::clone(&file), at: 0, end: length }));
        let (mut members, mut names) = (BTreeMap::new(), 0);
        while let Some(entry) = entries.next_entry().map_err(fail)? {
            go_on()?;
            let (name, _) = clean(&entry.path);
            let reader = entries.reader();
            let at = reader.get_ref().at - reader.buffer().len() as u64;
            let member = match entry.kind {
                Kind::File if entry.pieces.is_none() => Some(Member::Content { at, size: entry.size }),
                // A symbolic link starts where it lies, a hard link at the top of the archive.
                Kind::Symlink(text) => Some(Member::Link([name.as_slice(), b"/../", &text].concat())),
                Kind::HardLink(target) => Some(Member::Link(target)),
                _ => None,
            };
            let rest = entries.leave();
            if rest > length.saturating_sub(at) {
                return Err(Error::malformed(what, "malformed archive: it ends within a file"));
            }
            entries.reader().seek_relative(rest.cast_signed()).map_err(fail)?;
            let Some(member) = member else { continue };
            names += name.len() + if let Member::Link(target) = &member { target.len() } else { 0 };
            members.insert(name, member);
            if members.len() > MAX_MEMBERS || names > MAX_NAMES {
                let why = format!("more than {MAX_MEMBERS} members, or {MAX_NAMES} bytes of names");
                return Err(Error::malformed(what, why));
            }
        }
        Ok(Archive { path: path.into(), file, members })
    }

    fn has(&self, name: &str) -> bool {
        self.content(name).is_some()
    }

    /// Where a member's content begins, and how long it is; links are followed within the archive.
    fn content(&self, name: &str) -> Option<(u64, u64)> {
        let mut name = clean(name.as_bytes()).0;
        for _ in 0..MAX_LINKS {
            match self.members.get(&name)? {
                Member::Content { at, size } => return Some((*at, *size)),
                Member::Link(target) => name = clean(target).0,
            }
        }
        None
    }

    /// A member's size and content.
    fn read(&self, name: &str) -> Result<(u64, Box<dyn Read + Send>)> {
        let what = self.named(name);
        let missing = || Error::malformed(&what, "no such file in the archive");
        let (at, size) = self.content(name).ok_or_else(missing)?;
        Ok((size, Box::new(Part { file: Arc::clone(&self.file), at, end: at.saturating_add(size) })))
    }

    /// A small member as a whole.
    fn read_small(&self, name: &str, limit: u64) -> Result<Vec<u8>> {
        let (size, mut content) = self.read(name)?;
        if size > limit {
            return Err(Error::malformed(self.named(name), format!("more than {limit} bytes")));
        }
        let mut bytes = Vec::new();
        content.read_to_end(&mut bytes).map_err(|error| Error::from_io(self.named(name), error))?;
        Ok(bytes)
    }

    /// A member as people call it.
    fn named(&self, name: &str) -> String {
        format!("{}: {name}", self.path.display())
    }
}

/// A part of a file, which several may read at once.
struct Part {
    file: Arc<File>,
    at: u64,
    end: u64,
}

impl Read for Part {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let most = left.min(buffer.len());
        let count = self.file.read_at(buffer.get_mut(..most).unwrap_or_default(), self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for Part {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        let at = match to {
            io::SeekFrom::Start(at) => Some(at),
            io::SeekFrom::Current(by) => self.at.checked_add_signed(by),
            io::SeekFrom::End(by) => self.end.checked_add_signed(by),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}
